//! From opening a job to paying the last unit of it.

use super::{earnings, job_backing, job_bond_vault, refund, Provider};
use crate::{
    escrow,
    instruction::{build, SYSTEM_PROGRAM},
    pda,
};
use escrow::{
    accounts, instruction,
    state::{Job, Terms},
    ID,
};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

/// Who takes part in opening a job.
#[derive(Debug, Clone, Copy)]
pub struct OpenAccounts {
    /// Pays the rent and gets it back.
    pub payer: Pubkey,
    pub client: Pubkey,
    /// Token account of the client that the budget comes out of.
    pub source: Pubkey,
    /// Token account that whatever is not spent returns to.
    pub refund: Pubkey,
    pub mint: Pubkey,
    pub token_program: Pubkey,
    /// What a provider must meet, if anything.
    pub requirements: Option<Pubkey>,
    /// The mint of a pool that the client has a stake in, for a lower fee.
    pub staked_in: Option<Pubkey>,
}

/// `id` is `Client::next_job`, or 0 for a client's first job.
pub fn open(a: OpenAccounts, id: u64, terms: Terms) -> Instruction {
    let job = pda::job(&a.client, id);
    let pool = a.staked_in.map(|mint| pda::pool(&mint));
    let accounts = accounts::Open {
        payer: a.payer,
        client: a.client,
        client_account: pda::client(&a.client),
        job,
        vault: pda::vault(&job),
        source: a.source,
        refund: a.refund,
        mint: a.mint,
        accepted_mint: pda::accepted_mint(&a.mint),
        protocol: pda::protocol(),
        requirements: a.requirements,
        stake: pool.map(|pool| pda::stake(&pool, &a.client)),
        pool,
        token_program: a.token_program,
        system_program: SYSTEM_PROGRAM,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Open { id, terms })
}

/// `price` in base units, fee included; base units a second where the job is paid by the second.
pub fn accept(provider: Provider, job: Pubkey, state: &Job, price: u64) -> Instruction {
    let accounts = accounts::Accept {
        payer: provider.payer,
        candidate: provider.candidate(state, job),
        job,
        payout: provider.payout,
        protocol: pda::protocol(),
        system_program: SYSTEM_PROGRAM,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Accept { price })
}

/// `seconds` worked so far in all; `progress_hash` commits to whatever the provider can show for it.
pub fn report(authority: Pubkey, job: Pubkey, seconds: u32, progress_hash: [u8; 32]) -> Instruction {
    let accounts = accounts::Report { authority, job, event_authority: pda::event_authority(&ID), program: ID };
    build(ID, accounts, instruction::Report { seconds, progress_hash })
}

pub fn submit(authority: Pubkey, job: Pubkey, result_hash: [u8; 32]) -> Instruction {
    let accounts = accounts::Submit { authority, job, event_authority: pda::event_authority(&ID), program: ID };
    build(ID, accounts, instruction::Submit { result_hash: &result_hash })
}

/// The client stops work that is paid by the second, and pays for at most `seconds` of it.
pub fn stop(job: Pubkey, state: &Job, token_program: Pubkey, seconds: u32) -> Instruction {
    let accounts = accounts::Stop {
        client: state.client,
        earnings: earnings(job, state, token_program),
        backing: job_backing(state),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Stop { seconds })
}

/// `result_hash` is the result that the client agrees to.
pub fn approve(job: Pubkey, state: &Job, token_program: Pubkey, result_hash: [u8; 32]) -> Instruction {
    let accounts = accounts::Approve {
        client: state.client,
        earnings: earnings(job, state, token_program),
        backing: job_backing(state),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Approve { result_hash })
}

/// Needs no signature but the fee payer's.
pub fn settle(job: Pubkey, state: &Job, token_program: Pubkey) -> Instruction {
    let accounts = accounts::Settle {
        earnings: earnings(job, state, token_program),
        backing: job_backing(state),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Settle {})
}

pub fn cancel(job: Pubkey, state: &Job, token_program: Pubkey) -> Instruction {
    let accounts = accounts::Cancel {
        client: state.client,
        refund: refund(job, state, token_program),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Cancel {})
}

/// Needs no signature but the fee payer's.
pub fn expire(job: Pubkey, state: &Job, token_program: Pubkey) -> Instruction {
    let accounts = accounts::Expire {
        refund: refund(job, state, token_program),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Expire {})
}

/// Needs no signature but the fee payer's.
pub fn fail(job: Pubkey, state: &Job, token_program: Pubkey) -> Instruction {
    let accounts = accounts::Fail {
        refund: refund(job, state, token_program),
        fee_vault: state.fee_vault,
        backing: job_backing(state),
        bond_vault: job_bond_vault(state),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Fail {})
}

/// Needs no signature but the fee payer's.
pub fn pay(job: Pubkey, state: &Job, token_program: Pubkey) -> Instruction {
    let is_challenged = state.challenger_account != Pubkey::default();
    let accounts = accounts::Pay {
        earnings: earnings(job, state, token_program),
        challenger: if is_challenged { state.challenger_account } else { state.refund },
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Pay {})
}

/// `payee` is the client, the payout owner or the challenger; `account` is the token account it wants to be paid into.
pub fn redirect(payee: Pubkey, job: Pubkey, account: Pubkey) -> Instruction {
    let accounts = accounts::Redirect { payee, job, account, event_authority: pda::event_authority(&ID), program: ID };
    build(ID, accounts, instruction::Redirect {})
}
