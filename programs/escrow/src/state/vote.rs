//! What one juror says in one round of a dispute.

use crate::{
    error::EscrowError,
    state::{is_zero, Verdict},
};
use anchor_lang::prelude::*;

/// PDA `["vote", dispute, round, juror]`. Between `commit_by` and `reveal_by` it waits for its juror to reveal; then
/// `close_vote` rewards, releases or slashes it, and anyone may see to it.
#[account]
pub struct Vote {
    pub dispute: Address,
    /// Owner of the bond behind the vote.
    pub juror: Address,
    /// Token account that a reward goes to.
    pub payout: Address,
    /// The staking program's `Claim` that is slashed if the vote is wrong or never revealed.
    pub claim: Address,
    pub claim_payer: Address,
    /// Gets the rent of this account back.
    pub rent_payer: Address,
    /// SHA-256 of job, output, salt and juror. The juror is part of it, so that a copy cannot be revealed by anybody else.
    pub commitment: [u8; 32],
    /// All zero until it is revealed, and for whoever could not run the job.
    pub output: [u8; 32],
    /// Base units locked: what the vote weighs; it loses a fifth if it is wrong, and all if it is never opened.
    pub stake: PodU64,
    /// 0, or 1 for the appeal.
    pub round: u8,
    /// 0 until revealed; then the `Verdict` that its output speaks for.
    pub choice: u8,
    pub bump: u8,
    pub reserved: [u8; 29],
}

/// `H(job, output, salt, juror)`.
#[inline(always)]
pub fn commitment(job: &Address, output: &[u8; 32], salt: &[u8; 32], juror: &Address) -> [u8; 32] {
    let mut message = [0; 128];
    message[..32].copy_from_slice(job.as_ref());
    message[32..64].copy_from_slice(output);
    message[64..96].copy_from_slice(salt);
    message[96..].copy_from_slice(juror.as_ref());
    anchor_lang::hash::sha256(&message)
}

impl Vote {
    /// Opens the commitment. `result` and `counter` are the outputs that the dispute is about. A member of a panel did not ask for the
    /// job, and says with an output of zeros that it could not run it; whoever comes to a quorum has run it.
    #[inline(always)]
    pub fn reveal(
        &mut self,
        job: &Address,
        output: &[u8; 32],
        salt: &[u8; 32],
        result: &[u8; 32],
        counter: &[u8; 32],
        is_panel: bool,
    ) -> Result<Verdict> {
        require!(self.choice == 0, EscrowError::AlreadyRevealed);
        require!(commitment(job, output, salt, &self.juror) == self.commitment, EscrowError::WrongReveal);
        let choice = if output == result {
            Verdict::Stands
        } else if output == counter {
            Verdict::Counter
        } else if is_zero(output) {
            require!(is_panel, EscrowError::MissingResult);
            Verdict::Undecided
        } else {
            Verdict::Neither
        };
        self.output = *output;
        self.choice = choice as u8;
        Ok(choice)
    }
}
