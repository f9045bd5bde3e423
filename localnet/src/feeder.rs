//! surfpool's Geyser events, completed to what a real node sends, into the Yellowstone plugin.
//!
//! What surfpool leaves out, and this adds:
//! - a slot's first shred, its bank, its completion, and the *processed* status (surfpool starts at confirmed);
//! - the order of a closing block: entry, summary, then statuses (surfpool announces confirmed first);
//! - bank ids, which tie a slot's updates together;
//! - the accounts whose lamports changed without an update: an airdrop's, and the fee payer of a
//!   transaction that failed;
//! - write versions that rise over all of these.
//!
//! What it cannot add: writes made by cheatcodes, and the sysvars that a real node rewrites each slot.

use std::{
    collections::{BTreeMap, HashSet},
    thread::{self, JoinHandle},
};

use agave_geyser_plugin_interface::geyser_plugin_interface::{
    GeyserPlugin, ReplicaAccountInfoV2, ReplicaAccountInfoVersions, ReplicaBlockInfoV4, ReplicaBlockInfoVersions,
    ReplicaEntryInfoV2, ReplicaEntryInfoVersions, ReplicaTransactionInfoV3, ReplicaTransactionInfoVersions,
    Result as GeyserResult, SlotStatus,
};
use crossbeam_channel::{bounded, select, Receiver, Sender};
use joule_geyser::Plugin;
use joule_sdk::{Pubkey, Signature};
use solana_account::Account;
use solana_transaction_status::RewardsAndNumPartitions;
use surfpool_core::surfnet::{
    locker::SurfnetSvmLocker, GeyserBlockMetadata, GeyserEntryInfo, GeyserEvent, GeyserSlotStatus,
    GeyserTransactionEvent,
};

use crate::LocalnetError;

/// The feeding thread.
pub struct FeederHandle {
    stop: Sender<()>,
    thread: JoinHandle<Plugin>,
}

impl FeederHandle {
    /// Feeds `plugin` from `events` until stopped.
    pub fn spawn(plugin: Plugin, svm: SurfnetSvmLocker, events: Receiver<GeyserEvent>) -> Result<Self, LocalnetError> {
        let (stop, stopped) = bounded(1);
        let thread = thread::Builder::new()
            .name("localnet-feeder".to_owned())
            .spawn(move || {
                let mut feeder = Feeder::new(plugin, move |key: &Pubkey| {
                    svm.with_svm_reader(|svm| svm.inner.get_account_no_db(key))
                });
                loop {
                    select! {
                        recv(events) -> event => match event {
                            Ok(event) => feeder.take(event),
                            Err(_) => break,
                        },
                        recv(stopped) -> _ => break,
                    }
                }
                feeder.plugin
            })
            .map_err(|error| LocalnetError::Chain(error.to_string()))?;
        Ok(Self { stop, thread })
    }

    /// Stops feeding, then the endpoint.
    pub fn stop(self) {
        let _ = self.stop.send(());
        match self.thread.join() {
            Ok(mut plugin) => plugin.stop(),
            Err(_) => tracing::error!("the feeder thread had failed; gRPC subscribers may have missed updates"),
        }
    }
}

/// The slot being filled.
struct OpenSlot {
    slot: u64,
    transactions: u64,
}

/// A block that surfpool has begun to close.
struct Closing {
    slot: u64,
    parent: Option<u64>,
    meta: Option<GeyserBlockMetadata>,
}

/// Translates events one by one. `P` is the plugin, `R` reads an account as it is now.
pub struct Feeder<P, R> {
    plugin: P,
    read: R,
    open: Option<OpenSlot>,
    closing: Option<Closing>,
    last_closed: Option<u64>,
    /// Bank of each slot that is not final yet.
    banks: BTreeMap<u64, u64>,
    next_bank: u64,
    write_version: u64,
    /// Accounts already updated by the transaction that is coming next.
    updated: HashSet<Pubkey>,
}

impl<P, R> Feeder<P, R>
where
    P: GeyserPlugin,
    R: Fn(&Pubkey) -> Option<Account>,
{
    /// Nothing sent yet.
    pub fn new(plugin: P, read: R) -> Self {
        Self {
            plugin,
            read,
            open: None,
            closing: None,
            last_closed: None,
            banks: BTreeMap::new(),
            next_bank: 1,
            write_version: 0,
            updated: HashSet::new(),
        }
    }

    /// Takes the next event.
    pub fn take(&mut self, event: GeyserEvent) {
        let done = match event {
            GeyserEvent::UpdateAccount(update) => {
                let signature = update.sanitized_transaction.as_ref().map(|t| *t.signature());
                if signature.is_some() {
                    self.updated.insert(update.pubkey);
                }
                self.account(update.slot, &update.pubkey, &update.account, signature.as_ref())
            }
            GeyserEvent::NotifyTransaction(event) => self.transaction(&event),
            GeyserEvent::UpdateSlotStatus { slot, parent, status: GeyserSlotStatus::Confirmed } => {
                self.begin_closing(slot, parent)
            }
            GeyserEvent::NotifyBlockMetadata(meta) => self.summary(meta),
            GeyserEvent::NotifyEntry(entry) => self.close(Some(entry)),
            GeyserEvent::UpdateSlotStatus { slot, parent, status: GeyserSlotStatus::Rooted } => self.root(slot, parent),
            // Made here instead.
            GeyserEvent::UpdateSlotStatus { status: GeyserSlotStatus::Processed, .. } => Ok(()),
            GeyserEvent::StartupAccountUpdate(_) => Ok(()),
            GeyserEvent::EndOfStartup => self.plugin.notify_end_of_startup(),
        };
        if let Err(error) = done {
            tracing::error!(%error, "an update did not reach the gRPC endpoint");
        }
    }

    fn account(
        &mut self,
        slot: u64,
        pubkey: &Pubkey,
        account: &Account,
        signature: Option<&Signature>,
    ) -> GeyserResult<()> {
        let bank = self.open(slot, None)?;
        self.write_version += 1;
        let info = ReplicaAccountInfoV2 {
            pubkey: pubkey.as_ref(),
            lamports: account.lamports,
            owner: account.owner.as_ref(),
            executable: account.executable,
            rent_epoch: account.rent_epoch,
            data: &account.data,
            write_version: self.write_version,
            txn_signature: signature,
        };
        self.plugin.update_account_for_bank(ReplicaAccountInfoVersions::V0_0_2(&info), slot, bank)
    }

    fn transaction(&mut self, event: &GeyserTransactionEvent) -> GeyserResult<()> {
        let updated = std::mem::take(&mut self.updated);
        let Some(transaction) = &event.versioned_transaction else { return Ok(()) };
        let Some(signature) = transaction.signatures.first() else { return Ok(()) };
        let slot = event.transaction_with_status_meta.slot;
        let meta = &event.transaction_with_status_meta.meta;
        let bank = self.open(slot, None)?;

        let keys = transaction
            .message
            .static_account_keys()
            .iter()
            .chain(&meta.loaded_addresses.writable)
            .chain(&meta.loaded_addresses.readonly);
        for (key, (before, after)) in keys.zip(meta.pre_balances.iter().zip(&meta.post_balances)) {
            if before != after && !updated.contains(key) {
                // Its data did not change in this transaction, or there would have been an update.
                let mut account = (self.read)(key).unwrap_or_default();
                account.lamports = *after;
                self.account(slot, key, &account, Some(signature))?;
            }
        }

        let index = match &mut self.open {
            Some(open) if open.slot == slot => {
                open.transactions += 1;
                open.transactions - 1
            }
            _ => event.index as u64,
        };
        let info = ReplicaTransactionInfoV3 {
            signature,
            message_hash: &transaction.message.hash(),
            is_vote: false,
            transaction,
            transaction_status_meta: meta,
            index: usize::try_from(index).unwrap_or(event.index),
        };
        self.plugin.notify_transaction_for_bank(ReplicaTransactionInfoVersions::V0_0_3(&info), slot, bank)
    }

    /// Announces a slot when its first update arrives; returns its bank.
    fn open(&mut self, slot: u64, parent: Option<u64>) -> GeyserResult<u64> {
        if let Some(bank) = self.banks.get(&slot) {
            return Ok(*bank);
        }
        let bank = self.next_bank;
        self.next_bank += 1;
        self.banks.insert(slot, bank);
        self.open = Some(OpenSlot { slot, transactions: 0 });
        let parent = parent.or(self.last_closed).or(slot.checked_sub(1));
        self.plugin.update_slot_status(slot, parent, &SlotStatus::FirstShredReceived)?;
        self.plugin.update_bank_status(slot, parent, &SlotStatus::CreatedBank, bank)?;
        Ok(bank)
    }

    fn begin_closing(&mut self, slot: u64, parent: Option<u64>) -> GeyserResult<()> {
        // A block without an entry would be left over from before.
        self.close(None)?;
        self.open(slot, parent)?;
        self.closing = Some(Closing { slot, parent, meta: None });
        Ok(())
    }

    fn summary(&mut self, meta: GeyserBlockMetadata) -> GeyserResult<()> {
        if let Some(closing) = &mut self.closing {
            if closing.slot == meta.slot {
                closing.meta = Some(meta);
            }
        }
        Ok(())
    }

    fn close(&mut self, entry: Option<GeyserEntryInfo>) -> GeyserResult<()> {
        let Some(Closing { slot, parent, meta }) = self.closing.take() else { return Ok(()) };
        let bank = self.open(slot, parent)?;
        let transactions = match self.open.take() {
            Some(open) if open.slot == slot => open.transactions,
            _ => 0,
        };
        self.last_closed = Some(slot);
        self.plugin.update_slot_status(slot, parent, &SlotStatus::Completed)?;
        if let Some(entry) = &entry {
            let info = ReplicaEntryInfoV2 {
                slot,
                index: entry.index,
                num_hashes: entry.num_hashes,
                hash: &entry.hash,
                executed_transaction_count: transactions,
                starting_transaction_index: entry.starting_transaction_index,
            };
            self.plugin.notify_entry_for_bank(ReplicaEntryInfoVersions::V0_0_2(&info), bank)?;
        }
        if let Some(meta) = &meta {
            let rewards = RewardsAndNumPartitions { rewards: Vec::new(), num_partitions: None };
            let info = ReplicaBlockInfoV4 {
                parent_slot: meta.parent_slot,
                parent_blockhash: &meta.parent_blockhash,
                slot,
                blockhash: &meta.blockhash,
                rewards: &rewards,
                block_time: meta.block_time,
                block_height: meta.block_height,
                // What was really sent, which subscribers count.
                executed_transaction_count: transactions,
                entry_count: entry.iter().len() as u64,
            };
            self.plugin.notify_block_metadata_for_bank(ReplicaBlockInfoVersions::V0_0_4(&info), bank)?;
        }
        self.plugin.update_bank_status(slot, parent, &SlotStatus::Processed, bank)?;
        self.plugin.update_bank_status(slot, parent, &SlotStatus::Confirmed, bank)
    }

    fn root(&mut self, slot: u64, parent: Option<u64>) -> GeyserResult<()> {
        self.close(None)?;
        let bank = self.banks.get(&slot).copied();
        self.banks.retain(|s, _| *s > slot);
        match bank {
            Some(bank) => self.plugin.update_bank_status(slot, parent, &SlotStatus::Rooted, bank),
            // From before we listened.
            None => Ok(()),
        }
    }
}

#[cfg(test)]
#[path = "feeder_tests.rs"]
mod tests;
