//! The escrow's instructions. Where a job's own fields say which accounts take part, the job is the argument.

mod bid;
mod dispute;
mod job;

pub use bid::*;
pub use dispute::*;
pub use job::*;

use crate::{escrow, pda, staking, treasury};
use escrow::{
    groups::{
        __client_accounts_backing::Backing, __client_accounts_candidate::Candidate,
        __client_accounts_earnings::Earnings, __client_accounts_locking::Locking, __client_accounts_refund::Refund,
    },
    state::Job,
    ID,
};
use solana_pubkey::Pubkey;

/// A provider that wants a job or a vote.
#[derive(Debug, Clone, Copy)]
pub struct Provider {
    /// Its key for work, and the owner of its bond.
    pub authority: Pubkey,
    /// Pays rent and gets it back; may be the authority.
    pub payer: Pubkey,
    /// Token account of its payout owner; for a vote, any token account.
    pub payout: Pubkey,
    /// Whether it has attestations: where the job demands some, they are shown.
    pub attested: bool,
}

impl Provider {
    /// Pays for itself, and has no attestations.
    pub fn new(authority: Pubkey, payout: Pubkey) -> Self {
        Self { authority, payer: authority, payout, attested: false }
    }

    fn candidate(&self, job: &Job, subject: Pubkey) -> Candidate {
        let is_demanding = job.requirements != Pubkey::default();
        Candidate {
            authority: self.authority,
            provider: pda::provider(&self.authority),
            requirements: is_demanding.then_some(job.requirements),
            attestations: (is_demanding && self.attested).then(|| pda::attestations(&self.authority)),
            locking: locking(&self.authority, &job.mint, subject),
        }
    }
}

/// The accounts that lock a part of `owner`'s bond for `subject`.
fn locking(owner: &Pubkey, mint: &Pubkey, subject: Pubkey) -> Locking {
    let signer = pda::claim_signer(&ID);
    Locking {
        bond: pda::bond(owner, mint),
        claim: pda::claim(&signer, &subject),
        service: pda::service(treasury::state::Service::Escrow as u8),
        claim_signer: signer,
        staking_events: pda::event_authority(&staking::ID),
        staking: staking::ID,
    }
}

/// The accounts that release or slash a claim on `owner`'s bond.
fn backing(owner: &Pubkey, mint: &Pubkey, claim: Pubkey, claim_payer: Pubkey) -> Backing {
    Backing {
        bond: pda::bond(owner, mint),
        claim,
        claim_payer,
        claim_signer: pda::claim_signer(&ID),
        staking_events: pda::event_authority(&staking::ID),
        staking: staking::ID,
    }
}

/// The claim behind a job.
fn job_backing(state: &Job) -> Backing {
    backing(&state.provider_authority, &state.mint, state.claim, state.claim_payer)
}

/// The vault of the bond behind a job.
fn job_bond_vault(state: &Job) -> Pubkey {
    pda::bond_vault(&pda::bond(&state.provider_authority, &state.mint))
}

fn earnings(job: Pubkey, state: &Job, token_program: Pubkey) -> Earnings {
    // A job that nobody took has no payout account, and nothing to pay into it.
    let payout = if state.payout == Pubkey::default() { state.refund } else { state.payout };
    Earnings {
        job,
        vault: state.vault,
        payout,
        fee_vault: state.fee_vault,
        refund: state.refund,
        rent_payer: state.rent_payer,
        token_program,
    }
}

fn refund(job: Pubkey, state: &Job, token_program: Pubkey) -> Refund {
    Refund { job, vault: state.vault, refund: state.refund, rent_payer: state.rent_payer, token_program }
}
