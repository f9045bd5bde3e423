//! A payer's deposit.

use super::super::{build, SYSTEM_PROGRAM};
use crate::{
    billing::{accounts, instruction, ID},
    pda,
};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

/// `rent_payer` pays the rent, for good.
pub fn create_payer(rent_payer: Pubkey, owner: Pubkey, mint: Pubkey, token_program: Pubkey) -> Instruction {
    let payer = pda::payer(&owner, &mint);
    let accounts = accounts::CreatePayer {
        rent_payer,
        owner,
        accepted_mint: pda::accepted_mint(&mint),
        mint,
        payer,
        vault: pda::payer_vault(&payer),
        token_program,
        system_program: SYSTEM_PROGRAM,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::CreatePayer {})
}

/// `source` is a token account of `depositor`'s; `amount` in base units.
pub fn deposit(depositor: Pubkey, payer: Pubkey, source: Pubkey, token_program: Pubkey, amount: u64) -> Instruction {
    let accounts = accounts::Deposit {
        depositor,
        payer,
        vault: pda::payer_vault(&payer),
        source,
        token_program,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Deposit { amount })
}

/// `destination` is a token account that gets it; `amount` in base units.
pub fn reclaim(owner: Pubkey, mint: Pubkey, destination: Pubkey, token_program: Pubkey, amount: u64) -> Instruction {
    let payer = pda::payer(&owner, &mint);
    let accounts = accounts::Reclaim {
        owner,
        payer,
        vault: pda::payer_vault(&payer),
        destination,
        token_program,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Reclaim { amount })
}
