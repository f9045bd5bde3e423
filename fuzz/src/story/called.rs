//! An instruction that was sent, in the words of its IDL.

use super::Sent;
use crate::check::Violation;
use joule_sdk::{Instruction, Pubkey};
use joule_tests::idl::flat;

/// An instruction, what it and its accounts are called, and when.
pub struct Called<'a> {
    pub instruction: &'a Instruction,
    pub name: &'a str,
    accounts: Vec<&'a str>,
    /// How many bytes of the data say which instruction it is.
    discriminator: usize,
    /// The instructions before it in its transaction.
    pub before: &'a [Instruction],
    /// Whoever has signed the transaction; a signature counts for every instruction of it.
    signers: &'a [Pubkey],
    pub now: i64,
}

impl<'a> Called<'a> {
    pub fn new(sent: &'a Sent, place: usize) -> Result<Self, Violation> {
        let (before, instruction) = (&sent.instructions[..place], &sent.instructions[place]);
        let found = sent.listing.find(instruction);
        let (_, listed) = found.ok_or_else(|| Violation::new("an instruction that is in no IDL"))?;
        let accounts = flat(&listed.accounts).into_iter().map(|account| account.name.as_str()).collect();
        let signers = &sent.message.account_keys[..sent.message.header.num_required_signatures as usize];
        let discriminator = listed.discriminator.len();
        Ok(Self { instruction, name: &listed.name, accounts, discriminator, before, signers, now: sent.now })
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
