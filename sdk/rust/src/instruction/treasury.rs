//! The treasury's instructions.

use super::{build, SYSTEM_PROGRAM};
use crate::{pda, treasury};
use joule_units::Breaker;
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use treasury::{accounts, instruction, ID};

/// `authority` is the program's upgrade authority; `fee_bps` is by service number.
pub fn initialize_protocol(authority: Pubkey, guardian: Pubkey, fee_bps: [u16; 8]) -> Instruction {
    let accounts = accounts::InitializeProtocol {
        authority,
        protocol: pda::protocol(),
        program_data: pda::program_data(&ID),
        system_program: SYSTEM_PROGRAM,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::InitializeProtocol { guardian, fee_bps })
}

pub fn propose_authority(authority: Pubkey, next: Pubkey) -> Instruction {
    let accounts = accounts::ProposeAuthority {
        authority,
        protocol: pda::protocol(),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::ProposeAuthority { next })
}

pub fn accept_authority(next: Pubkey) -> Instruction {
    let accounts = accounts::AcceptAuthority {
        next,
        protocol: pda::protocol(),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::AcceptAuthority {})
}

pub fn set_guardian(authority: Pubkey, guardian: Pubkey) -> Instruction {
    let accounts = accounts::SetGuardian {
        authority,
        protocol: pda::protocol(),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::SetGuardian { guardian })
}

/// `fee_bps` is what the service will charge, in basis points.
pub fn stage_fee(authority: Pubkey, service: u8, fee_bps: u16) -> Instruction {
    let accounts = accounts::StageFee {
        authority,
        protocol: pda::protocol(),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::StageFee { service, fee_bps })
}

/// Needs no signature but the fee payer's.
pub fn apply_fee(service: u8) -> Instruction {
    let accounts =
        accounts::ApplyFee { protocol: pda::protocol(), event_authority: pda::event_authority(&ID), program: ID };
    build(ID, accounts, instruction::ApplyFee { service })
}

pub fn cancel_fee(authority: Pubkey, service: u8) -> Instruction {
    let accounts = accounts::CancelFee {
        authority,
        protocol: pda::protocol(),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::CancelFee { service })
}

/// `min_amount` is the smallest payment that services take, in base units.
pub fn accept_mint(
    authority: Pubkey,
    mint: Pubkey,
    token_program: Pubkey,
    min_amount: u64,
    breaker: Breaker,
) -> Instruction {
    let accounts = accounts::AcceptMint {
        authority,
        protocol: pda::protocol(),
        mint,
        accepted_mint: pda::accepted_mint(&mint),
        fee_vault: pda::fee_vault(&mint),
        token_program,
        system_program: SYSTEM_PROGRAM,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    let (outflow_limit, outflow_window) = (breaker.limit.get(), breaker.window.get());
    build(ID, accounts, instruction::AcceptMint { min_amount, outflow_limit, outflow_window })
}

pub fn update_mint(authority: Pubkey, mint: Pubkey, enabled: bool, min_amount: u64) -> Instruction {
    let accounts = accounts::UpdateMint {
        authority,
        protocol: pda::protocol(),
        accepted_mint: pda::accepted_mint(&mint),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::UpdateMint { enabled, min_amount })
}

/// `guardian` may also be the authority.
pub fn pause(guardian: Pubkey, service: u8) -> Instruction {
    let accounts = accounts::Pause {
        guardian,
        protocol: pda::protocol(),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Pause { service })
}

pub fn unpause(authority: Pubkey, service: u8) -> Instruction {
    let accounts = accounts::Unpause {
        authority,
        protocol: pda::protocol(),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Unpause { service })
}

/// A breaker that lets out less holds at once; another one is staged.
pub fn set_breaker(authority: Pubkey, mint: Pubkey, breaker: Breaker) -> Instruction {
    let accounts = accounts::SetBreaker {
        authority,
        protocol: pda::protocol(),
        accepted_mint: pda::accepted_mint(&mint),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::SetBreaker { limit: breaker.limit.get(), window: breaker.window.get() })
}

/// Needs no signature but the fee payer's.
pub fn apply_breaker(mint: Pubkey) -> Instruction {
    let accounts = accounts::ApplyBreaker {
        accepted_mint: pda::accepted_mint(&mint),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::ApplyBreaker {})
}

/// `old_vault` is `AcceptedMint::reward_vault`; `reward_vault` the next one, or the zero address for none.
pub fn set_rewards(
    authority: Pubkey,
    mint: Pubkey,
    old_vault: Pubkey,
    reward_vault: Pubkey,
    reward_bps: u16,
) -> Instruction {
    let accounts = accounts::SetRewards {
        authority,
        protocol: pda::protocol(),
        accepted_mint: pda::accepted_mint(&mint),
        fee_vault: pda::fee_vault(&mint),
        old_vault,
        reward_vault,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::SetRewards { reward_bps })
}

/// `reward_vault` is `AcceptedMint::reward_vault`. Needs no signature but the fee payer's.
pub fn share_fees(mint: Pubkey, reward_vault: Pubkey, token_program: Pubkey) -> Instruction {
    let accounts = accounts::ShareFees {
        protocol: pda::protocol(),
        accepted_mint: pda::accepted_mint(&mint),
        fee_vault: pda::fee_vault(&mint),
        reward_vault,
        token_program,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::ShareFees {})
}

/// `amount` in base units.
pub fn withdraw_fees(
    authority: Pubkey,
    mint: Pubkey,
    destination: Pubkey,
    token_program: Pubkey,
    amount: u64,
) -> Instruction {
    let accounts = accounts::WithdrawFees {
        authority,
        protocol: pda::protocol(),
        accepted_mint: pda::accepted_mint(&mint),
        fee_vault: pda::fee_vault(&mint),
        destination,
        token_program,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::WithdrawFees { amount })
}
