//! Stories that are told at once, many thousand of them: which goes on next, and what that writes.

mod strangers;

use super::{
    blob::{Filling, Scope},
    books::{Own, Shared},
    mix::Mix,
    random::{signature, Random},
    recording::{Recording, Step, Story, Whose, Write},
    slots::{Content, Place},
    updates::{put_account, put_transaction, Account},
};
use crate::truth::{self, AccountRow, EventRow, Summary};
use anyhow::Result;
use joule_escrow::state::Job;
use std::mem::offset_of;

/// Stories that go on at a time, and jobs that are written by themselves; memory is bounded by them.
const AT_ONCE: usize = 200_000;
/// Stories for which there is a world.
const TO_A_WORLD: u64 = 200;
/// Numbers of stories that never are.
const NEVER: u64 = 1 << 63;
/// Numbers of what makes a world.
const WORLDS: u64 = 1 << 62;
/// Seconds of work that a job says were reported.
const REPORTED: usize = 8 + offset_of!(Job, reported);

/// A story as far as it was told.
struct Told {
    story: usize,
    number: u64,
    world: u64,
    step: usize,
    /// Seconds from the recording's to this one's.
    shift: i64,
    own: Own,
}

pub struct Engine<'a> {
    recording: &'a Recording,
    mix: Mix,
    seed: u64,
    pub random: Random,
    running: Vec<Told>,
    /// Jobs that are written without transactions.
    bare: Vec<Told>,
    shared: Shared,
    numbers: u64,
    worlds: u64,
    writes: u64,
    signatures: u64,
    pub summary: Summary,
    new: u64,
    data: Vec<u8>,
    /// Accounts that strangers have made, the place of the program that owns them, and their bytes.
    strangers: Vec<([u8; 32], usize, Vec<u8>)>,
    truth: truth::Writer,
}

/// Whether it survives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Survives,
    Dies,
}

impl<'a> Engine<'a> {
    pub fn new(recording: &'a Recording, mix: Mix, seed: u64, truth: truth::Writer) -> Self {
        Self {
            recording,
            mix,
            seed,
            random: Random::new(seed),
            running: Vec::new(),
            bare: Vec::new(),
            shared: Shared::default(),
            numbers: 0,
            worlds: 0,
            writes: 0,
            signatures: 0,
            summary: Summary::default(),
            new: 0,
            data: Vec::new(),
            strangers: Vec::new(),
            truth,
        }
    }

    /// What everything else stands on: the accounts that are there once.
    pub fn first(&mut self, place: &Place, content: &mut Content) -> Result<()> {
        let recording = self.recording;
        self.world_of(&recording.first, WORLDS - 1, place, content)
    }

    fn world_of(&mut self, steps: &'a [Step], world: u64, place: &Place, content: &mut Content) -> Result<()> {
        for (order, step) in steps.iter().enumerate() {
            let (number, shift) = (WORLDS | world, place.time - step.time);
            let mut told = Told { story: 0, number, world, step: order, shift, own: Own::default() };
            self.step(step, &mut told, place, content, Fate::Survives)?;
            told.own.finish(&mut self.truth)?;
        }
        Ok(())
    }

    /// One more thing happens.
    pub fn next(&mut self, place: &Place, content: &mut Content) -> Result<()> {
        if self.numbers >= self.worlds * TO_A_WORLD {
            self.worlds += 1;
            let recording = self.recording;
            return self.world_of(&recording.world, self.worlds - 1, place, content);
        }
        if self.random.chance(self.mix.strangers) {
            return self.strange(place, content, Fate::Survives);
        }
        let wants_new = (self.new as f64) < self.mix.new * self.summary.account_updates as f64;
        if self.random.chance(self.mix.bare) {
            return self.bare(wants_new, place, content);
        }
        if wants_new || self.running.is_empty() {
            let story = self.random.below(self.recording.stories.len() as u64) as usize;
            let told = self.begin(story, place);
            return self.go_on(told, place, content);
        }
        let which = self.random.below(self.running.len() as u64) as usize;
        let told = self.running.swap_remove(which);
        self.go_on(told, place, content)
    }

    fn begin(&mut self, story: usize, place: &Place) -> Told {
        self.numbers += 1;
        let world = self.random.below(self.worlds);
        let begun = self.recording.stories[story].steps[0].time;
        Told { story, number: self.numbers, world, step: 0, shift: place.time - begun, own: Own::default() }
    }

    fn go_on(&mut self, mut told: Told, place: &Place, content: &mut Content) -> Result<()> {
        let recording = self.recording;
        let steps = &recording.stories[told.story].steps;
        self.step(&steps[told.step], &mut told, place, content, Fate::Survives)?;
        told.step += 1;
        if told.step == steps.len() {
            return told.own.finish(&mut self.truth);
        }
        Self::keep(&mut self.running, told, &mut self.random, &mut self.truth)
    }

    /// In the place of another one when there are too many, which is told no further.
    fn keep(kept: &mut Vec<Told>, told: Told, random: &mut Random, truth: &mut truth::Writer) -> Result<()> {
        if kept.len() < AT_ONCE {
            kept.push(told);
            return Ok(());
        }
        let place = random.below(AT_ONCE as u64) as usize;
        std::mem::replace(&mut kept[place], told).own.finish(truth)
    }

    /// A write of a job that comes alone.
    fn bare(&mut self, is_new: bool, place: &Place, content: &mut Content) -> Result<()> {
        let recording = self.recording;
        if is_new || self.bare.is_empty() {
            let mut told = self.begin(0, place);
            self.alone(&recording.stories[0], &mut told, place, content, Fate::Survives);
            told.step = 1;
            return Self::keep(&mut self.bare, told, &mut self.random, &mut self.truth);
        }
        let which = self.random.below(self.bare.len() as u64) as usize;
        let mut told = self.bare.swap_remove(which);
        self.alone(&recording.stories[0], &mut told, place, content, Fate::Survives);
        told.step += 1;
        self.bare.push(told);
        Ok(())
    }

    fn alone(&mut self, story: &Story, told: &mut Told, place: &Place, content: &mut Content, fate: Fate) {
        // First as it was opened, and from then on as it was later, with other seconds reported.
        let at = story.subject[told.step.min(story.subject.len() - 1)];
        let filling = self.filling(told, [0; 64]);
        self.write(&story.steps[at.0].writes[at.1], &filling, None, Some(told.step as u32), told, place, content, fate);
    }

    /// Something that happens in a bank that comes to nothing: what is about to happen anyway, or what never will.
    pub fn in_vain(&mut self, place: &Place, content: &mut Content) -> Result<()> {
        let recording = self.recording;
        if self.random.chance(self.mix.strangers) {
            return self.strange(place, content, Fate::Dies);
        }
        let never = self.random.chance(0.3);
        let kept = if self.random.chance(self.mix.bare) { &mut self.bare } else { &mut self.running };
        if never || kept.is_empty() {
            let number = NEVER | self.random.below(WORLDS);
            let mut told = Told { number, ..self.begin(0, place) };
            return self.step(&recording.stories[0].steps[0], &mut told, place, content, Fate::Dies);
        }
        let which = self.random.below(kept.len() as u64) as usize;
        let of = &kept[which];
        let mut told = Told { own: Own::default(), ..*of };
        let story = &recording.stories[told.story];
        match story.steps.get(told.step) {
            Some(step) => self.step(step, &mut told, place, content, Fate::Dies),
            None => {
                self.alone(story, &mut told, place, content, Fate::Dies);
                Ok(())
            }
        }
    }

    fn filling(&self, told: &Told, signature: [u8; 64]) -> Filling {
        Filling { seed: self.seed, world: told.world, story: told.number, shift: told.shift, signature }
    }

    /// A transaction with all that it writes.
    fn step(&mut self, step: &Step, told: &mut Told, place: &Place, content: &mut Content, fate: Fate) -> Result<()> {
        // The same transaction may land in a bank that dies and in one that does not, and it may land in the first alone.
        let lands = fate == Fate::Survives || self.random.chance(0.5);
        let name = if lands {
            [self.seed, told.number, told.step as u64, 0]
        } else {
            self.signatures += 1;
            [self.seed, NEVER, self.signatures, 1]
        };
        let filling = self.filling(told, signature(name));
        for write in &step.writes {
            self.write(write, &filling, Some(&filling.signature), None, told, place, content, fate);
        }
        let of = (self.random.draw() >> 11) as f64 / (1u64 << 53) as f64;
        let version = self.mix.version(of);
        let (_, blob) = step.versions.iter().find(|(of, _)| *of == version).unwrap_or(&step.versions[0]);
        put_transaction(content, place, blob, &filling);
        if fate == Fate::Survives {
            self.summary.transactions += 1;
            for (instruction, inner) in &step.events {
                let event = EventRow { signature: filling.signature, instruction: *instruction, inner: *inner };
                self.truth.event(&event)?;
            }
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments)]
    fn write(
        &mut self,
        write: &Write,
        filling: &Filling,
        signature: Option<&[u8; 64]>,
        reported: Option<u32>,
        told: &mut Told,
        place: &Place,
        content: &mut Content,
        fate: Fate,
    ) {
        self.writes += 1;
        self.data.clear();
        write.data.put(&mut self.data, filling);
        if let Some(seconds) = reported.and_then(|seconds| Some((self.data.get_mut(REPORTED..REPORTED + 4)?, seconds)))
        {
            seconds.0.copy_from_slice(&seconds.1.to_le_bytes());
        }
        let address = match write.whose {
            Whose::All(address) => address,
            Whose::Of(member, scope) => filling.address(member, scope),
        };
        // So that what has died is seen if it survives.
        let lamports = write.lamports + u64::from(fate == Fate::Dies && write.is_live());
        let account =
            Account { address, owner: write.owner, lamports, data: &self.data, write_version: self.writes, signature };
        put_account(&mut content.bytes, place, &account);
        content.end();
        if fate == Fate::Dies {
            return;
        }
        let (last, is_new): (&mut AccountRow, bool) = match write.whose {
            Whose::Of(member, Scope::Story) => told.own.get(member, address),
            _ => self.shared.get(address),
        };
        last.write(place.slot, self.writes, write.is_live().then_some((lamports, &self.data)), write.is_named);
        self.summary.account_updates += 1;
        self.new += u64::from(is_new);
    }

    /// Writes down what is true at the end.
    pub fn finish(mut self, updates: u64, last_confirmed_slot: u64) -> Result<Summary> {
        for told in self.running.into_iter().chain(self.bare) {
            told.own.finish(&mut self.truth)?;
        }
        self.shared.finish(&mut self.truth)?;
        let new = self.new as f64 / (self.summary.account_updates.max(1)) as f64;
        self.truth.finish(Summary { updates, last_confirmed_slot, new, ..self.summary })
    }
}
