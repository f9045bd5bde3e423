//! An instruction that was sent, in the words of its IDL.

use super::Sent;
use crate::check::Violation;
use joule_sdk::{Instruction, Pubkey};
use joule_tests::idl::flat;
use litesvm::LiteSVM;
use solana_transaction::Message;

/// An instruction, what it and its accounts are called, and when.
pub struct Called<'a> {
    pub instruction: &'a Instruction,
    pub name: &'a str,
    accounts: Vec<&'a str>,
    /// How many bytes of the data say which instruction it is.
    discriminator: usize,
    /// The instructions before it in its transaction.
    pub before: &'a [Instruction],
    message: &'a Message,
    /// Whoever has signed the transaction; a signature counts for every instruction of it.
    signers: &'a [Pubkey],
    pub now: i64,
    /// The cluster as it is after the transaction.
    pub svm: &'a LiteSVM,
}

impl<'a> Called<'a> {
    pub fn new(sent: &'a Sent, place: usize) -> Result<Self, Violation> {
        let (before, instruction) = (&sent.instructions[..place], &sent.instructions[place]);
        let found = sent.listing.find(instruction);
        let (_, listed) = found.ok_or_else(|| Violation::new("an instruction that is in no IDL"))?;
        let accounts = flat(&listed.accounts).into_iter().map(|account| account.name.as_str()).collect();
        let signers = &sent.message.account_keys[..sent.message.header.num_required_signatures as usize];
        let discriminator = listed.discriminator.len();
        Ok(Self {
            instruction,
            name: &listed.name,
            accounts,
            discriminator,
            before,
            signers,
            now: sent.now,
            svm: sent.svm,
            message: sent.message,
        })
    }

    pub fn account(&self, name: &str) -> Result<Pubkey, Violation> {
        let place = self.accounts.iter().position(|account| *account == name);
        let meta = place.and_then(|place| self.instruction.accounts.get(place));
        let meta = meta.ok_or_else(|| Violation::new(format!("an event about an instruction without `{name}`")))?;
        Ok(meta.pubkey)
    }

    /// The accounts after those that have names.
    pub fn others(&self) -> Vec<Pubkey> {
        self.instruction.accounts.iter().skip(self.accounts.len()).map(|meta| meta.pubkey).collect()
    }

    /// Whether the transaction may change an account: whatever one instruction may, all may.
    pub fn may_change(&self, who: &Pubkey) -> bool {
        let header = &self.message.header;
        let (signers, all) = (header.num_required_signatures as usize, self.message.account_keys.len());
        let changed = 0..signers - header.num_readonly_signed_accounts as usize;
        let others = signers..all - header.num_readonly_unsigned_accounts as usize;
        let place = self.message.account_keys.iter().position(|key| key == who);
        place.is_some_and(|place| changed.contains(&place) || others.contains(&place))
    }

    pub fn signed_by(&self, who: &Pubkey) -> Result<(), Violation> {
        match self.signers.contains(who) {
            true => Ok(()),
            false => Err(Violation::new(format!("done without the signature of {who}"))),
        }
    }

    /// Bytes of the arguments.
    pub fn argument<const N: usize>(&self, from: usize) -> Result<[u8; N], Violation> {
        let from = self.discriminator + from;
        let bytes = self.instruction.data.get(from..from + N).and_then(|bytes| bytes.try_into().ok());
        bytes.ok_or_else(|| Violation::new("an instruction with too few arguments"))
    }
}
