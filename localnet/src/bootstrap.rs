//! What a fresh chain needs before anyone can work on it: SOL, the token, the protocol.
//!
//! Everything is done by real requests and real transactions, as on a cluster.

use std::time::Duration;

use joule_sdk::{
    billing, escrow, instruction, pda,
    staking::state::{Params, Tier},
    token_program,
    treasury::state::Service,
    units::{Amount, Breaker, Seconds},
    Instruction, Pubkey, Signature, Signer,
};
use solana_client::nonblocking::rpc_client::RpcClient;
use solana_commitment_config::CommitmentConfig;
use solana_transaction::Transaction;
use spl_token_interface::{instruction as spl, state::Mint};
use tokio::time::{sleep, Instant};

use crate::{persona::Persona, LocalnetError, Personas};

/// Base units per token are 10 to this power.
pub const MINT_DECIMALS: u8 = 6;
/// What people call the token.
pub const SYMBOL: &str = "JOULE";
/// What everybody who does not govern starts with: a million tokens.
pub const PERSONA_TOKENS: u64 = 1_000_000 * 1_000_000;
/// What each persona starts with: 1,000 SOL.
pub const PERSONA_LAMPORTS: u64 = 1_000_000_000_000;
/// What the protocol takes of a job's price.
pub const ESCROW_FEE_BPS: u16 = 250;
/// What the protocol takes of what requests cost.
pub const BILLING_FEE_BPS: u16 = 250;
/// The smallest payment services take: a thousandth of a token.
pub const MIN_AMOUNT: u64 = 1_000;
/// The most that may leave the fee vault in a day: 100,000 tokens.
pub const BREAKER: Breaker = Breaker { limit: Amount::new(100_000 * 1_000_000), window: Seconds::new(DAY) };
/// How the token's stakes are treated: locked for up to a year, a day to cool, rewards over a week, and up to a fifth off fees.
pub const POOL: Params = Params {
    max_lock: 365 * DAY,
    cool_down: DAY,
    drip: 7 * DAY,
    tiers: [
        Tier { min_weight: 1_000 * 1_000_000, discount_bps: 500 },
        Tier { min_weight: 10_000 * 1_000_000, discount_bps: 1_000 },
        Tier { min_weight: 100_000 * 1_000_000, discount_bps: 1_500 },
        Tier { min_weight: 1_000_000 * 1_000_000, discount_bps: 2_000 },
    ],
};

/// Seconds.
const DAY: u32 = 24 * 60 * 60;
/// Personas that fit into one transaction.
const AT_ONCE: usize = 3;
/// How long a transaction may take to be confirmed.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(25);
/// `spl_token_interface::state::Mint` packed.
const MINT_LEN: u64 = 82;

/// Gives every persona its SOL.
pub async fn fund(rpc: &RpcClient, personas: &Personas) -> Result<(), LocalnetError> {
    const WHAT: &str = "funding a persona with SOL";
    let mut signatures = Vec::new();
    for persona in Persona::ALL {
        let requested = rpc.request_airdrop(&personas.address(persona), PERSONA_LAMPORTS).await;
        signatures.push(requested.map_err(LocalnetError::rpc(WHAT))?);
    }
    for signature in signatures {
        confirm(rpc, WHAT, &signature).await?;
    }
    Ok(())
}

/// Creates the token, an account in it for every persona, and the tokens of all who do not govern.
pub async fn create_token(rpc: &RpcClient, personas: &Personas) -> Result<(), LocalnetError> {
    const WHAT: &str = "creating the token";
    let authority = personas.address(Persona::Authority);
    let mint = personas.mint();
    let rent = rpc
        .get_minimum_balance_for_rent_exemption(usize::try_from(MINT_LEN).unwrap_or_default())
        .await
        .map_err(LocalnetError::rpc(WHAT))?;
    let instructions = [
        solana_system_interface::instruction::create_account(
            &authority,
            &mint,
            rent,
            MINT_LEN,
            &token_program::CLASSIC,
        ),
        initialize_mint(&mint, &authority)?,
    ];
    send(rpc, WHAT, &instructions, &[personas.key(Persona::Authority), personas.mint_key()]).await?;
    for some in Persona::ALL.chunks(AT_ONCE) {
        let mut instructions = Vec::new();
        for persona in some {
            let owner = personas.address(*persona);
            instructions.push(instruction::token::create_associated(authority, owner, mint, token_program::CLASSIC));
            if persona.has_tokens() {
                let account = pda::associated_token(&owner, &mint, &token_program::CLASSIC);
                instructions.push(mint_to(&mint, &account, &authority)?);
            }
        }
        send(rpc, WHAT, &instructions, &[personas.key(Persona::Authority)]).await?;
    }
    Ok(())
}

/// Makes the authority persona govern the protocol, the protocol take the token for payments and stakes, and escrow and billing
/// services that may lock bonds; and tells billing which cluster this is.
pub async fn initialize_protocol(rpc: &RpcClient, personas: &Personas) -> Result<(), LocalnetError> {
    let authority = personas.address(Persona::Authority);
    let mut fees = [0; 8];
    fees[Service::Escrow as usize] = ESCROW_FEE_BPS;
    fees[Service::Billing as usize] = BILLING_FEE_BPS;
    let mint = personas.mint();
    let instructions = [
        instruction::treasury::initialize_protocol(authority, personas.address(Persona::Guardian), fees),
        instruction::treasury::accept_mint(authority, mint, token_program::CLASSIC, MIN_AMOUNT, BREAKER),
    ];
    send(rpc, "initialising the protocol", &instructions, &[personas.key(Persona::Authority)]).await?;
    let instructions = [
        instruction::staking::admit_service(authority, escrow::ID, Service::Escrow as u8),
        instruction::staking::admit_service(authority, billing::ID, Service::Billing as u8),
        instruction::staking::create_pool(authority, mint, token_program::CLASSIC, POOL),
    ];
    send(rpc, "opening the token for bonds and stakes", &instructions, &[personas.key(Persona::Authority)]).await?;
    const WHAT: &str = "telling billing which cluster this is";
    let genesis = rpc.get_genesis_hash().await.map_err(LocalnetError::rpc(WHAT))?;
    let initialize = instruction::billing::initialize(authority, genesis.to_bytes());
    send(rpc, WHAT, &[initialize], &[personas.key(Persona::Authority)]).await
}

fn initialize_mint(mint: &Pubkey, authority: &Pubkey) -> Result<Instruction, LocalnetError> {
    const _: () = assert!(MINT_LEN as usize == <Mint as solana_program_pack::Pack>::LEN);
    spl::initialize_mint2(&token_program::CLASSIC, mint, authority, None, MINT_DECIMALS).map_err(build_failed)
}

fn mint_to(mint: &Pubkey, account: &Pubkey, authority: &Pubkey) -> Result<Instruction, LocalnetError> {
    spl::mint_to(&token_program::CLASSIC, mint, account, authority, &[], PERSONA_TOKENS).map_err(build_failed)
}

fn build_failed(error: impl std::fmt::Display) -> LocalnetError {
    LocalnetError::OnChain { what: "building a token instruction", reason: error.to_string() }
}

/// Sends a transaction paid by the first signer and waits until it is confirmed.
pub async fn send(
    rpc: &RpcClient,
    what: &'static str,
    instructions: &[Instruction],
    signers: &[&joule_sdk::Keypair],
) -> Result<(), LocalnetError> {
    let blockhash = rpc.get_latest_blockhash().await.map_err(LocalnetError::rpc(what))?;
    let payer = signers.first().map(|signer| signer.pubkey());
    let transaction = Transaction::new_signed_with_payer(instructions, payer.as_ref(), signers, blockhash);
    let signature = rpc.send_transaction(&transaction).await.map_err(LocalnetError::rpc(what))?;
    confirm(rpc, what, &signature).await
}

async fn confirm(rpc: &RpcClient, what: &'static str, signature: &Signature) -> Result<(), LocalnetError> {
    let deadline = Instant::now() + CONFIRM_TIMEOUT;
    while Instant::now() < deadline {
        let statuses = rpc.get_signature_statuses(&[*signature]).await.map_err(LocalnetError::rpc(what))?;
        if let Some(status) = statuses.value.into_iter().flatten().next() {
            if let Some(error) = status.err {
                return Err(LocalnetError::OnChain { what, reason: error.to_string() });
            }
            if status.satisfies_commitment(CommitmentConfig::confirmed()) {
                return Ok(());
            }
        }
        sleep(POLL).await;
    }
    Err(LocalnetError::NotConfirmed { what, seconds: CONFIRM_TIMEOUT.as_secs() })
}
