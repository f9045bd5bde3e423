//! Instructions, with every address that can be derived filled in.

pub mod billing;
pub mod escrow;
pub mod model;
pub mod registry;
pub mod staking;
pub mod token;
pub mod treasury;

use anchor_lang::{InstructionData, ToAccountMetas};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

const SYSTEM_PROGRAM: Pubkey = Pubkey::from_str_const("11111111111111111111111111111111");

fn build(program: Pubkey, accounts: impl ToAccountMetas, data: impl InstructionData) -> Instruction {
    Instruction { program_id: program, accounts: accounts.to_account_metas(None), data: data.data() }
}
