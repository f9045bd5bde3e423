//! What `scale` makes is a chain.

use super::{make, updates};
use anyhow::Result;
use joule_replay::{
    kinds, programs,
    truth::{self, Life},
};
use std::collections::{BTreeMap, HashMap, HashSet};
use yellowstone_grpc_proto::prelude::{subscribe_update::UpdateOneof, SlotStatus};

const TAG: &[u8] = anchor_lang::event::EVENT_IX_TAG_LE;

#[test]
fn the_same_seed_makes_the_same_file_and_another_one_another() -> Result<()> {
    let folders = [tempfile::tempdir()?, tempfile::tempdir()?];
    let files =
        [make(folders[0].path(), 3_000, 1)?, make(folders[1].path(), 3_000, 1)?, make(folders[0].path(), 3_000, 2)?];
    let [first, again, other] = files.each_ref().map(std::fs::read);
    assert_eq!(first?, again?);
    assert_ne!(updates(&files[0])?, updates(&files[2])?);
    assert_ne!(std::fs::read(truth::beside(&files[0]))?, other?);
    assert_eq!(std::fs::read(truth::beside(&files[0]))?, std::fs::read(truth::beside(&files[1]))?);
    Ok(())
}

#[test]
fn every_account_and_event_can_be_read_and_versions_of_all_kinds_are_there() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (mut versions, mut kinds_of, mut events) = (HashSet::new(), HashSet::new(), 0);
    for update in updates(&make(folder.path(), 6_000, 1)?)? {
        match update {
            UpdateOneof::Account(of) => {
                let info = of.account.expect("an account");
                let is_ours = programs::ALL.iter().any(|program| program.as_slice() == info.owner);
                assert_eq!(is_ours, kinds::account(&info.data).is_some(), "{info:?}");
                assert_eq!(is_ours, info.lamports > 0, "closed accounts belong to nobody");
                kinds_of.extend(kinds::account(&info.data));
            }
            UpdateOneof::Transaction(of) => {
                let info = of.transaction.expect("a transaction");
                let (transaction, meta) = (info.transaction.expect("signed"), info.meta.expect("executed"));
                assert_eq!(transaction.signatures[0], info.signature);
                let message = transaction.message.expect("a message");
                versions.insert((message.versioned, message.config.is_some()));
                let loaded = meta.loaded_readonly_addresses.iter();
                let keys: Vec<_> = message.account_keys.iter().chain(loaded).collect();
                for call in meta.inner_instructions.iter().flat_map(|group| &group.instructions) {
                    let program = keys[call.program_id_index as usize];
                    let Some(place) = programs::ALL.iter().position(|ours| ours.as_slice() == program.as_slice())
                    else {
                        continue;
                    };
                    let Some(event) = call.data.strip_prefix(TAG) else { continue };
                    assert!(kinds::event(event).is_some());
                    assert_eq!(keys[usize::from(call.accounts[0])], &programs::event_authorities()[place]);
                    events += 1;
                }
            }
            _ => {}
        }
    }
    assert_eq!(versions, HashSet::from([(false, false), (true, false), (true, true)]));
    assert!(events > 500, "{events}");
    for kind in ["Job", "Client", "Bond", "Claim", "Provider", "Channel", "Payer", "Model", "Protocol"] {
        assert!(kinds_of.contains(kind), "{kind}");
    }
    Ok(())
}

#[test]
fn blocks_follow_one_another_and_what_died_is_not_in_the_truth() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = make(folder.path(), 20_000, 3)?;
    let (mut parents, mut confirmed, mut banks) = (HashMap::new(), BTreeMap::new(), HashMap::new());
    let mut last = HashMap::<Vec<u8>, BTreeMap<(u64, u64), (u64, u64)>>::new();
    for update in updates(&file)? {
        match update {
            UpdateOneof::BlockMeta(of) => {
                parents.insert((of.slot, of.bank_id), (of.parent_slot, of.parent_blockhash));
                banks.insert((of.slot, of.bank_id), of.blockhash);
            }
            UpdateOneof::Slot(of) if of.status() == SlotStatus::SlotConfirmed => {
                confirmed.insert(of.slot, of.bank_id.expect("a bank"));
            }
            UpdateOneof::Account(of) => {
                let info = of.account.expect("an account");
                let writes = last.entry(info.pubkey).or_default();
                writes.insert((of.slot, info.write_version), (of.bank_id.expect("a bank"), info.lamports));
            }
            _ => {}
        }
    }
    let mut before: Option<(u64, u64)> = None;
    for (slot, bank) in &confirmed {
        let (parent, hash) = &parents[&(*slot, *bank)];
        if let Some(before) = before {
            assert_eq!((*parent, hash), (before.0, &banks[&before]));
        }
        before = Some((*slot, *bank));
    }
    let mut truth = truth::Reader::open(&truth::beside(&file))?;
    assert!(truth.summary.dead > 100 && truth.summary.repeated > 100, "{:?}", truth.summary);
    assert_eq!(truth.summary.last_confirmed_slot, before.expect("a block").0);
    let mut rows = 0;
    while let Some(row) = truth.account()? {
        let writes = &last[row.address.as_slice()];
        let mut survived = writes.iter().filter(|((slot, _), (bank, _))| confirmed.get(slot) == Some(bank));
        let (version, (_, lamports)) = survived.next_back().expect("a write that survived");
        assert_eq!(*version, (row.slot, row.write_version));
        assert_eq!(*lamports > 0, row.life == Life::Open);
        rows += 1;
    }
    let alive = |writes: &&BTreeMap<(u64, u64), (u64, u64)>| {
        writes.iter().any(|((slot, _), (bank, _))| confirmed.get(slot) == Some(bank))
    };
    assert_eq!(rows, last.values().filter(alive).count());
    Ok(())
}
