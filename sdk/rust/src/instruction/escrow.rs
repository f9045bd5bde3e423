//! The escrow's instructions. Where a job's own fields say which accounts take part, the job is the argument.

use super::{build, SYSTEM_PROGRAM};
use crate::{escrow, pda};
use escrow::{
    accounts, instruction,
    instructions::{expire::__client_accounts_refund::Refund, settle::__client_accounts_earnings::Earnings},
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
}

/// `id` is `Client::next_job`, or 0 for a client's first job.
pub fn open(a: OpenAccounts, id: u64, terms: Terms) -> Instruction {
    let job = pda::job(&a.client, id);
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
        token_program: a.token_program,
        system_program: SYSTEM_PROGRAM,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Open { id, terms })
}

/// `payout` is a token account of the provider's payout owner; `price` in base units, fee included.
pub fn accept(authority: Pubkey, job: Pubkey, payout: Pubkey, price: u64) -> Instruction {
    let accounts = accounts::Accept {
        authority,
        provider: pda::provider(&authority),
        job,
        payout,
        protocol: pda::protocol(),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Accept { price })
}

pub fn submit(authority: Pubkey, job: Pubkey, result_hash: [u8; 32]) -> Instruction {
    let accounts = accounts::Submit { authority, job, event_authority: pda::event_authority(&ID), program: ID };
    build(ID, accounts, instruction::Submit { result_hash })
}

fn earnings(job: Pubkey, state: &Job, token_program: Pubkey) -> Earnings {
    Earnings {
        job,
        vault: state.vault,
        payout: state.payout,
        fee_vault: state.fee_vault,
        refund: state.refund,
        rent_payer: state.rent_payer,
        token_program,
    }
}

/// `result_hash` is the result that the client agrees to.
pub fn approve(job: Pubkey, state: &Job, token_program: Pubkey, result_hash: [u8; 32]) -> Instruction {
    let accounts = accounts::Approve {
        client: state.client,
        earnings: earnings(job, state, token_program),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Approve { result_hash })
}

/// Needs no signature but the fee payer's.
pub fn settle(job: Pubkey, state: &Job, token_program: Pubkey) -> Instruction {
    let accounts = accounts::Settle {
        earnings: earnings(job, state, token_program),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Settle {})
}

fn refund(job: Pubkey, state: &Job, token_program: Pubkey) -> Refund {
    Refund { job, vault: state.vault, refund: state.refund, rent_payer: state.rent_payer, token_program }
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

/// `payee` is the client or the payout owner; `account` is the token account it wants to be paid into.
pub fn redirect(payee: Pubkey, job: Pubkey, account: Pubkey) -> Instruction {
    let accounts = accounts::Redirect { payee, job, account, event_authority: pda::event_authority(&ID), program: ID };
    build(ID, accounts, instruction::Redirect {})
}
