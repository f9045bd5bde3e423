//! The registry's instructions.

use super::{build, SYSTEM_PROGRAM};
use crate::{pda, registry};
use registry::{
    accounts, instruction,
    state::{Profile, ProviderStatus},
    ID,
};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

/// `payer` pays the rent and gets it back when the provider retires.
pub fn register(payer: Pubkey, authority: Pubkey, profile: Profile) -> Instruction {
    let accounts = accounts::Register {
        payer,
        authority,
        provider: pda::provider(&authority),
        system_program: SYSTEM_PROGRAM,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Register { profile })
}

pub fn update(authority: Pubkey, profile: Profile) -> Instruction {
    let accounts = accounts::Update {
        authority,
        provider: pda::provider(&authority),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Update { profile })
}

pub fn set_status(authority: Pubkey, status: ProviderStatus) -> Instruction {
    let accounts = accounts::SetStatus {
        authority,
        provider: pda::provider(&authority),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::SetStatus { status: status as u8 })
}

/// `rent_payer` is `Provider::rent_payer`.
pub fn retire(authority: Pubkey, rent_payer: Pubkey) -> Instruction {
    let accounts = accounts::Retire {
        authority,
        provider: pda::provider(&authority),
        rent_payer,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Retire {})
}
