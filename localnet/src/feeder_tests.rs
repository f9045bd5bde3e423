//! Tests of the feeder: which callbacks a plugin gets for surfpool's events, and in which order.

use std::sync::Mutex;

use joule_sdk::{Keypair, Signer};
use solana_transaction::{versioned::VersionedTransaction, Transaction};
use solana_transaction_status::TransactionStatusMeta;
use surfpool_core::types::{GeyserAccountUpdate, TransactionWithStatusMeta};

use super::*;

#[derive(Debug, Default)]
struct Recorder(Mutex<Vec<String>>);

impl Recorder {
    fn note(&self, line: String) -> GeyserResult<()> {
        self.0.lock().unwrap().push(line);
        Ok(())
    }
}

impl GeyserPlugin for Recorder {
    fn name(&self) -> &'static str {
        "recorder"
    }

    fn update_account_for_bank(&self, account: ReplicaAccountInfoVersions, slot: u64, bank: u64) -> GeyserResult<()> {
        let ReplicaAccountInfoVersions::V0_0_2(a) = account else { panic!("version") };
        self.note(format!(
            "account {slot}/{bank} v{} {} signed {}",
            a.write_version,
            a.lamports,
            a.txn_signature.is_some()
        ))
    }

    fn update_slot_status(&self, slot: u64, parent: Option<u64>, status: &SlotStatus) -> GeyserResult<()> {
        self.note(format!("{} {slot} on {parent:?}", status.as_str()))
    }

    fn update_bank_status(&self, slot: u64, parent: Option<u64>, status: &SlotStatus, bank: u64) -> GeyserResult<()> {
        self.note(format!("{} {slot}/{bank} on {parent:?}", status.as_str()))
    }

    fn notify_transaction_for_bank(&self, t: ReplicaTransactionInfoVersions, slot: u64, bank: u64) -> GeyserResult<()> {
        let ReplicaTransactionInfoVersions::V0_0_3(t) = t else { panic!("version") };
        self.note(format!("transaction {slot}/{bank} #{}", t.index))
    }

    fn notify_entry_for_bank(&self, _: ReplicaEntryInfoVersions, bank: u64) -> GeyserResult<()> {
        self.note(format!("entry /{bank}"))
    }

    fn notify_block_metadata_for_bank(&self, b: ReplicaBlockInfoVersions, bank: u64) -> GeyserResult<()> {
        let ReplicaBlockInfoVersions::V0_0_4(b) = b else { panic!("version") };
        self.note(format!("meta {}/{bank} with {}", b.slot, b.executed_transaction_count))
    }
}

type Tested = Feeder<Recorder, fn(&Pubkey) -> Option<Account>>;

fn feeder() -> Tested {
    Feeder::new(Recorder::default(), |_| None)
}

fn lines(feeder: &Tested) -> Vec<String> {
    std::mem::take(&mut *feeder.plugin.0.lock().unwrap())
}

fn transaction(slot: u64, balances: (Vec<u64>, Vec<u64>)) -> GeyserEvent {
    let payer = Keypair::new();
    let transaction = VersionedTransaction::from(Transaction::new_with_payer(&[], Some(&payer.pubkey())));
    GeyserEvent::NotifyTransaction(GeyserTransactionEvent {
        transaction_with_status_meta: TransactionWithStatusMeta {
            slot,
            transaction: transaction.clone(),
            meta: TransactionStatusMeta { pre_balances: balances.0, post_balances: balances.1, ..Default::default() },
        },
        versioned_transaction: Some(transaction),
        index: 0,
    })
}

/// The events surfpool sends when it closes a block.
fn closing(slot: u64, parent: u64) -> Vec<GeyserEvent> {
    vec![
        GeyserEvent::UpdateSlotStatus { slot, parent: Some(parent), status: GeyserSlotStatus::Confirmed },
        GeyserEvent::NotifyBlockMetadata(GeyserBlockMetadata {
            slot,
            blockhash: "h".into(),
            parent_slot: parent,
            parent_blockhash: "p".into(),
            block_time: None,
            block_height: None,
            executed_transaction_count: 0,
            entry_count: 1,
        }),
        GeyserEvent::NotifyEntry(GeyserEntryInfo {
            slot,
            index: 0,
            num_hashes: 1,
            hash: vec![0; 32],
            executed_transaction_count: 0,
            starting_transaction_index: 0,
        }),
    ]
}

#[test]
fn a_block_closes_as_on_a_real_node() {
    let mut feeder = feeder();
    let update = GeyserAccountUpdate::block_update(Pubkey::new_unique(), Account::default(), 40, 9);
    feeder.take(GeyserEvent::UpdateAccount(update));
    feeder.take(transaction(40, (vec![5], vec![5])));
    closing(40, 39).into_iter().for_each(|event| feeder.take(event));
    feeder.take(GeyserEvent::UpdateSlotStatus { slot: 40, parent: Some(39), status: GeyserSlotStatus::Rooted });
    assert_eq!(
        lines(&feeder),
        [
            "first_shred_received 40 on Some(39)",
            "created_bank 40/1 on Some(39)",
            "account 40/1 v1 0 signed false",
            "transaction 40/1 #0",
            "completed 40 on Some(39)",
            "entry /1",
            "meta 40/1 with 1",
            "processed 40/1 on Some(39)",
            "confirmed 40/1 on Some(39)",
            "rooted 40/1 on Some(39)",
        ]
    );
}

#[test]
fn lamports_that_changed_without_an_update_get_one() {
    let mut feeder = feeder();
    feeder.take(transaction(40, (vec![10_000], vec![5_000])));
    let lines = lines(&feeder);
    assert_eq!(lines[2..], ["account 40/1 v1 5000 signed true", "transaction 40/1 #0"]);
}

#[test]
fn a_slot_after_a_time_travel_names_the_last_block_as_its_parent() {
    let mut feeder = feeder();
    closing(40, 39).into_iter().for_each(|event| feeder.take(event));
    lines(&feeder);
    feeder.take(transaction(900, (vec![5], vec![5])));
    assert_eq!(lines(&feeder)[1], "created_bank 900/2 on Some(40)");
}

#[test]
fn a_root_from_before_is_not_announced() {
    let mut feeder = feeder();
    feeder.take(GeyserEvent::UpdateSlotStatus { slot: 3, parent: Some(2), status: GeyserSlotStatus::Rooted });
    assert!(lines(&feeder).is_empty());
}
