//! Plans.

use super::super::{build, SYSTEM_PROGRAM};
use crate::{
    billing::{
        accounts, instruction,
        state::{Channel, Plan},
        ID,
    },
    pda,
};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

/// Signed by the channel's owner. `rate` in base units a second, `period` in seconds: the notice, which is reserved at once.
pub fn start_plan(rent_payer: Pubkey, channel: Pubkey, state: &Channel, rate: u64, period: u32) -> Instruction {
    let accounts = accounts::StartPlan {
        rent_payer,
        owner: state.owner,
        payer: state.payer,
        channel,
        plan: pda::plan(&channel),
        protocol: pda::protocol(),
        system_program: SYSTEM_PROGRAM,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::StartPlan { rate, period })
}

/// Signed by the provider's authority.
pub fn pause_plan(channel: Pubkey, state: &Channel) -> Instruction {
    let accounts = accounts::PausePlan {
        authority: state.authority,
        payer: state.payer,
        channel,
        plan: pda::plan(&channel),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::PausePlan {})
}

/// Signed by the channel's owner.
pub fn resume_plan(channel: Pubkey, state: &Channel) -> Instruction {
    let accounts = accounts::ResumePlan {
        owner: state.owner,
        payer: state.payer,
        channel,
        plan: pda::plan(&channel),
        protocol: pda::protocol(),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::ResumePlan {})
}

/// `party` is the channel's owner or the provider's authority.
pub fn terminate_plan(party: Pubkey, channel: Pubkey, state: &Channel, plan: &Plan) -> Instruction {
    let accounts = accounts::TerminatePlan {
        party,
        payer: state.payer,
        channel,
        plan: pda::plan(&channel),
        rent_payer: plan.rent_payer,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::TerminatePlan {})
}

/// Needs no signature but the fee payer's.
pub fn settle_plan(channel: Pubkey, state: &Channel, plan: &Plan) -> Instruction {
    let accounts = accounts::SettlePlan {
        payer: state.payer,
        channel,
        plan: pda::plan(&channel),
        rent_payer: plan.rent_payer,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::SettlePlan {})
}
