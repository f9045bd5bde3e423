//! The one instruction of another program that nearly every client needs.

use super::SYSTEM_PROGRAM;
use crate::{pda, token_program};
use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;

/// Creates the usual token account of `owner`, or does nothing when it exists.
pub fn create_associated(payer: Pubkey, owner: Pubkey, mint: Pubkey, token_program: Pubkey) -> Instruction {
    const CREATE_IDEMPOTENT: u8 = 1;
    Instruction {
        program_id: token_program::ASSOCIATED,
        accounts: vec![
            AccountMeta::new(payer, true),
            AccountMeta::new(pda::associated_token(&owner, &mint, &token_program), false),
            AccountMeta::new_readonly(owner, false),
            AccountMeta::new_readonly(mint, false),
            AccountMeta::new_readonly(SYSTEM_PROGRAM, false),
            AccountMeta::new_readonly(token_program, false),
        ],
        data: vec![CREATE_IDEMPOTENT],
    }
}
