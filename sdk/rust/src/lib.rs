//! Everything a Rust client needs to talk to Joule's programs: addresses, instructions, accounts, errors, and sending.
//!
//! [`Chain::send`] sends a transaction without a version while that holds it, and one of version 1 ([`v1`]) where the cluster
//! takes that; [`table`] is for long ones on a cluster that does not.
//!
//! The types of the accounts, events and instruction arguments are the programs' own, re-exported.

pub mod account;
pub mod ballot;
pub mod ending;
pub mod error;
pub mod instruction;
pub mod keys;
pub mod pda;
pub mod refusal;
mod rpc;
pub mod table;
pub mod transaction;
pub mod v1;

pub use error::{ProgramFailure, SdkError};
pub use joule_billing as billing;
pub use joule_escrow as escrow;
pub use joule_registry as registry;
pub use joule_staking as staking;
pub use joule_treasury as treasury;
pub use joule_units as units;
pub use joule_voucher as voucher;
pub use rpc::Chain;
pub use solana_client::rpc_request::RpcRequest;
pub use solana_instruction::{AccountMeta, Instruction};
pub use solana_keypair::Keypair;
pub use solana_pubkey::Pubkey;
pub use solana_signature::Signature;
pub use solana_signer::Signer;

/// The token programs and the helpers around them.
pub mod token_program {
    use super::Pubkey;

    /// SPL Token.
    pub const CLASSIC: Pubkey = Pubkey::from_str_const("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
    /// SPL Token-2022.
    pub const TOKEN_2022: Pubkey = Pubkey::from_str_const("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");
    /// The program that derives and creates the usual token account of an owner.
    pub const ASSOCIATED: Pubkey = Pubkey::from_str_const("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");
}
