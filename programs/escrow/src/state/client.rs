//! Somebody who posts jobs.

use crate::error::EscrowError;
use anchor_lang::prelude::*;

/// PDA `["client", client]`. Never closed: it is why a job's address, once closed, can never come back, so that nothing
/// signed for one job can be replayed on another.
#[account]
pub struct Client {
    pub client: Address,
    /// The id that the next job must have.
    pub next_job: PodU64,
    pub bump: u8,
    pub reserved: [u8; 31],
}

impl Client {
    /// Uses up `id`, which must be the next one.
    #[inline(always)]
    pub fn take_id(&mut self, id: u64) -> Result<()> {
        require!(self.next_job.get() == id, EscrowError::WrongId);
        self.next_job = id.checked_add(1).ok_or(EscrowError::Overflow)?.into();
        Ok(())
    }
}
