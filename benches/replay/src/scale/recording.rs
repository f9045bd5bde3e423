//! A recording, as stories that can be told again: of each job and channel its transactions in their order, with what they wrote.

use super::{
    blob::{Blob, Cast, Member, Scope},
    version::Version,
};
use crate::{file::Reader, kinds, programs};
use anchor_lang::event::EVENT_IX_TAG_LE;
use anyhow::{ensure, Result};
use joule_billing::state::Channel;
use joule_escrow::{event::JobOpened, state::Job};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    mem::offset_of,
};
use yellowstone_grpc_proto::{
    prelude::{
        subscribe_update::UpdateOneof, SubscribeUpdate, SubscribeUpdateAccountInfo, SubscribeUpdateTransactionInfo,
    },
    prost::Message,
};

const DISCRIMINATOR: usize = 8;
/// What a story is about, and what a world is made of.
const SUBJECTS: [&str; 2] = ["Job", "Channel"];
const WORLD: [&str; 3] = ["Provider", "Model", "Payer"];

/// A recording, taken apart.
pub struct Recording {
    /// What happened before there was anybody: accounts that are there once.
    pub first: Vec<Step>,
    /// What makes a world: providers and their bonds, models, payers.
    pub world: Vec<Step>,
    pub stories: Vec<Story>,
}

pub struct Story {
    pub steps: Vec<Step>,
    /// The place of the subject's write in each step that shows it alive.
    pub subject: Vec<(usize, usize)>,
}

/// A transaction and what it wrote.
pub struct Step {
    /// Unix seconds.
    pub time: i64,
    pub writes: Vec<Write>,
    /// `SubscribeUpdateTransactionInfo` without its index, as each version has it.
    pub versions: Vec<(Version, Blob)>,
    /// Its events: top-level instruction, and place among its inner ones.
    pub events: Vec<(u32, u32)>,
}

pub struct Write {
    pub whose: Whose,
    pub owner: [u8; 32],
    pub lamports: u64,
    pub data: Blob,
    /// Of a closing: whether an event of the transaction names the account.
    pub is_named: bool,
}

impl Write {
    pub fn is_live(&self) -> bool {
        self.lamports > 0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// There once, under the same address.
    All([u8; 32]),
    Of(Member, Scope),
}

/// As it stands in the recording.
struct Raw {
    time: i64,
    info: SubscribeUpdateTransactionInfo,
    writes: Vec<SubscribeUpdateAccountInfo>,
}

impl Raw {
    fn keys(&self) -> impl Iterator<Item = [u8; 32]> + '_ {
        let message = self.info.transaction.as_ref().and_then(|transaction| transaction.message.as_ref());
        let fixed = message.into_iter().flat_map(|message| &message.account_keys);
        let meta = self.info.meta.iter();
        let loaded = meta.flat_map(|meta| meta.loaded_writable_addresses.iter().chain(&meta.loaded_readonly_addresses));
        fixed.chain(loaded).filter_map(|key| key.as_slice().try_into().ok())
    }

    fn touches(&self, address: &[u8]) -> bool {
        self.writes.iter().any(|write| write.pubkey == address)
    }

    /// Top-level instruction, place, and what follows the tag.
    fn events(&self) -> impl Iterator<Item = (u32, u32, &[u8])> + '_ {
        let groups = self.info.meta.iter().flat_map(|meta| &meta.inner_instructions);
        groups.flat_map(|group| {
            (0..).zip(&group.instructions).filter_map(|(place, call)| {
                let data = call.data.strip_prefix(EVENT_IX_TAG_LE)?;
                kinds::event(data).map(|_| (group.index, place, data))
            })
        })
    }
}

impl Recording {
    pub fn read(reader: Reader) -> Result<Self> {
        let made = reader.header.recorded_at;
        let mut raws = raws(reader)?;
        let mut stories: Vec<(Vec<u8>, Vec<Raw>)> = Vec::new();
        for kind in SUBJECTS {
            for subject in subjects(&raws, kind) {
                // A vote about a job does not write it.
                let steps = raws.extract_if(.., |raw| raw.keys().any(|key| key == subject.as_slice())).collect();
                stories.push((subject, steps));
            }
        }
        ensure!(!stories.is_empty(), "the recording has neither a job nor a channel from its beginning on");
        let mut world = Vec::new();
        for kind in WORLD {
            for subject in subjects(&raws, kind) {
                world.extend(raws.extract_if(.., |raw| raw.touches(&subject)));
            }
        }
        let cast = cast(&raws, &world, &stories);
        let steps = |raws: &[Raw]| raws.iter().map(|raw| step(raw, &cast, made)).collect::<Vec<_>>();
        let (first, world) = (steps(&raws), steps(&world));
        let stories = stories.iter().map(|(subject, raws)| {
            let steps = steps(raws);
            let subject = cast.member(subject);
            let shows =
                |write: &Write| write.is_live() && matches!(write.whose, Whose::Of(of, _) if Some(of) == subject);
            let places =
                steps.iter().enumerate().filter_map(|(place, step)| Some((place, step.writes.iter().position(shows)?)));
            Story { subject: places.collect(), steps }
        });
        let stories = stories.collect();
        Ok(Self { first, world, stories })
    }
}

/// Transactions in their order, each with its writes.
fn raws(mut reader: Reader) -> Result<Vec<Raw>> {
    let mut found = BTreeMap::<(u64, u64), Raw>::new();
    let mut writes = HashMap::<Vec<u8>, BTreeMap<u64, SubscribeUpdateAccountInfo>>::new();
    let mut times = HashMap::new();
    while let Some(record) = reader.next()? {
        match SubscribeUpdate::decode(record)?.update_oneof {
            Some(UpdateOneof::Account(of)) => {
                let Some(mut info) = of.account else { continue };
                let by = info.txn_signature.take().unwrap_or_default();
                writes.entry(by).or_default().insert(info.write_version, info);
            }
            Some(UpdateOneof::Transaction(of)) => {
                let Some(info) = of.transaction else { continue };
                found.insert((of.slot, info.index), Raw { time: 0, info, writes: Vec::new() });
            }
            Some(UpdateOneof::BlockMeta(of)) => {
                times.insert(of.slot, of.block_time.map_or(reader.header.recorded_at, |time| time.timestamp));
            }
            _ => {}
        }
    }
    let raws = found.into_iter().map(|((slot, _), mut raw)| {
        raw.time = times.get(&slot).copied().unwrap_or(reader.header.recorded_at);
        raw.writes = writes.remove(&raw.info.signature).unwrap_or_default().into_values().collect();
        raw
    });
    Ok(raws.filter(|raw| !raw.writes.is_empty()).collect())
}

/// Accounts of a kind, in the order in which they appear.
fn subjects(raws: &[Raw], kind: &str) -> Vec<Vec<u8>> {
    let mut seen = HashSet::new();
    let writes = raws.iter().flat_map(|raw| &raw.writes).filter(|write| kinds::account(&write.data) == Some(kind));
    writes.map(|write| write.pubkey.clone()).filter(|address| seen.insert(address.clone())).collect()
}

/// Who is who: what appears before there was anybody is everybody's, what appears in one story alone is that story's.
fn cast(first: &[Raw], world: &[Raw], stories: &[(Vec<u8>, Vec<Raw>)]) -> Cast {
    let ours = programs::ALL.into_iter().chain(programs::event_authorities());
    let everybody: HashSet<[u8; 32]> = first.iter().flat_map(Raw::keys).chain(ours).collect();
    let all = world.iter().chain(stories.iter().flat_map(|(_, raws)| raws));
    let invoked: HashSet<[u8; 32]> = all.flat_map(invoked).collect();
    let in_worlds: HashSet<[u8; 32]> = world.iter().flat_map(Raw::keys).collect();
    let in_stories: Vec<HashSet<[u8; 32]>> =
        stories.iter().map(|(_, raws)| raws.iter().flat_map(Raw::keys).collect()).collect();
    let mut cast = Cast::default();
    let mut each: Vec<[u8; 32]> = in_worlds.iter().chain(in_stories.iter().flatten()).copied().collect();
    each.sort_unstable();
    for address in each {
        if everybody.contains(&address) || invoked.contains(&address) || is_constant(&address) {
            continue;
        }
        let stories = in_stories.iter().filter(|story| story.contains(&address)).count();
        let scope = if in_worlds.contains(&address) || stories > 1 { Scope::World } else { Scope::Story };
        cast.add(address, scope);
    }
    cast
}

/// Programs that are called.
fn invoked(raw: &Raw) -> Vec<[u8; 32]> {
    let keys: Vec<[u8; 32]> = raw.keys().collect();
    let message = raw.info.transaction.as_ref().and_then(|transaction| transaction.message.as_ref());
    let outer = message.into_iter().flat_map(|message| &message.instructions).map(|call| call.program_id_index);
    let groups = raw.info.meta.iter().flat_map(|meta| &meta.inner_instructions);
    let inner = groups.flat_map(|group| &group.instructions).map(|call| call.program_id_index);
    outer.chain(inner).filter_map(|index| keys.get(index as usize).copied()).collect()
}

/// Sysvars and native programs: their addresses read like words, so that most bytes of them are zero or they begin alike.
fn is_constant(address: &[u8; 32]) -> bool {
    let text = bs58::encode(address).into_string();
    text.starts_with("Sysvar") || text.ends_with("11111111")
}

fn step(raw: &Raw, cast: &Cast, made: i64) -> Step {
    let signature = raw.info.signature.as_slice();
    let events: Vec<(u32, u32, &[u8])> = raw.events().collect();
    let is_named = |address: &[u8]| events.iter().any(|(_, _, data)| data.windows(32).any(|window| window == address));
    let writes = raw.writes.iter().map(|info| {
        let address: [u8; 32] = info.pubkey.as_slice().try_into().unwrap_or_default();
        let member = cast.member(&address);
        let whose = member.map_or(Whose::All(address), |member| Whose::Of(member, cast.scopes[usize::from(member)]));
        Write {
            whose,
            owner: info.owner.as_slice().try_into().unwrap_or_default(),
            lamports: info.lamports,
            data: Blob::new(info.data.clone(), cast, &[], made, numbers(&info.data)),
            is_named: is_named(&address),
        }
    });
    let versions = Version::ALL.map(|version| {
        let mut info = version.of(&raw.info);
        info.index = 0;
        let bytes = info.encode_to_vec();
        let numbers = opened(&bytes);
        (version, Blob::new(bytes, cast, signature, made, &numbers))
    });
    let events = events.iter().map(|(instruction, inner, _)| (*instruction, *inner)).collect();
    Step { time: raw.time, writes: writes.collect(), versions: versions.into(), events }
}

/// Where an account has the number that makes it another one than its payer's others.
fn numbers(data: &[u8]) -> &'static [usize] {
    match kinds::account(data) {
        Some("Job") => &[DISCRIMINATOR + offset_of!(Job, id)],
        Some("Channel") => &[DISCRIMINATOR + offset_of!(Channel, number)],
        _ => &[],
    }
}

/// Where a transaction states the same.
fn opened(transaction: &[u8]) -> Vec<usize> {
    let head = <JobOpened as anchor_lang::Discriminator>::DISCRIMINATOR;
    let tagged = [EVENT_IX_TAG_LE, head].concat();
    let places = transaction.windows(tagged.len()).enumerate().filter(|(_, window)| *window == tagged);
    places.map(|(place, _)| place + tagged.len() + offset_of!(JobOpened, id)).collect()
}
