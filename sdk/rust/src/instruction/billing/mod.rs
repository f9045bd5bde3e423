//! The billing program's instructions. Where a channel's own fields say which accounts take part, the channel is the argument.

mod dispute;
mod payer;
mod plan;
mod signed;

pub use dispute::*;
pub use payer::*;
pub use plan::*;
pub use signed::*;

use super::{build, SYSTEM_PROGRAM};
use crate::{
    billing::{
        accounts,
        groups::__client_accounts_locking::Locking,
        instruction,
        state::{Channel, ChannelTerms},
        ID,
    },
    pda,
    registry::state::PriceList,
    staking, treasury,
};
use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;

/// `authority` is the protocol's; `genesis_hash` the cluster's.
pub fn initialize(authority: Pubkey, genesis_hash: [u8; 32]) -> Instruction {
    let accounts = accounts::Initialize {
        authority,
        protocol: pda::protocol(),
        cluster: pda::cluster(),
        system_program: SYSTEM_PROGRAM,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Initialize { genesis_hash })
}

/// Whom a channel pays, and for what.
#[derive(Debug, Clone, Copy)]
pub struct OpenAccounts {
    /// Pays the rent and gets it back; may be the owner.
    pub rent_payer: Pubkey,
    pub owner: Pubkey,
    pub mint: Pubkey,
    /// The provider's key for work.
    pub authority: Pubkey,
    /// Token account of the provider's payout owner.
    pub payout: Pubkey,
    pub model: Pubkey,
    /// The price list's address.
    pub prices: Pubkey,
}

/// `number` is the payer's next, `Payer::next_channel`; the channel is at [`pda::channel`].
pub fn open(a: OpenAccounts, number: u64, terms: ChannelTerms) -> Instruction {
    let payer = pda::payer(&a.owner, &a.mint);
    let accounts = accounts::Open {
        rent_payer: a.rent_payer,
        owner: a.owner,
        payer,
        channel: pda::channel(&payer, number),
        provider: pda::provider(&a.authority),
        payout: a.payout,
        model: a.model,
        prices: a.prices,
        accepted_mint: pda::accepted_mint(&a.mint),
        protocol: pda::protocol(),
        cluster: pda::cluster(),
        system_program: SYSTEM_PROGRAM,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Open { number, terms })
}

/// `amount` in base units.
pub fn top_up(channel: Pubkey, state: &Channel, amount: u64) -> Instruction {
    let accounts = accounts::TopUp {
        owner: state.owner,
        payer: state.payer,
        channel,
        protocol: pda::protocol(),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::TopUp { amount })
}

/// `limit` in base units, everything settled before included; `expires_at` in Unix seconds. What takes something back from the
/// present session holds once the channel's grace has passed, by [`apply_session`].
pub fn set_session(owner: Pubkey, channel: Pubkey, signer: Pubkey, limit: u64, expires_at: i64) -> Instruction {
    let accounts = accounts::SetSession { owner, channel, event_authority: pda::event_authority(&ID), program: ID };
    build(ID, accounts, instruction::SetSession { signer, limit, expires_at })
}

/// Needs no signature but the fee payer's.
pub fn apply_session(channel: Pubkey) -> Instruction {
    let accounts = accounts::ApplySession { channel, event_authority: pda::event_authority(&ID), program: ID };
    build(ID, accounts, instruction::ApplySession {})
}

/// Signed by the provider's authority; `rent_payer` pays for the claim if it is the first, and gets it back.
pub fn back(rent_payer: Pubkey, channel: Pubkey, state: &Channel) -> Instruction {
    let accounts = accounts::Back {
        rent_payer,
        authority: state.authority,
        channel,
        locking: Locking {
            bond: pda::bond(&state.authority, &state.mint),
            claim: claim(&channel),
            service: pda::service(treasury::state::Service::Billing as u8),
            claim_signer: pda::claim_signer(&ID),
            staking_events: pda::event_authority(&staking::ID),
            staking: staking::ID,
        },
        system_program: SYSTEM_PROGRAM,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Back {})
}

/// The claim on the provider's bond behind a channel.
pub fn claim(channel: &Pubkey) -> Pubkey {
    pda::claim(&pda::claim_signer(&ID), channel)
}

/// Needs no signature but the fee payer's; `prices` is the channel's price list.
pub fn distribute(channel: Pubkey, state: &Channel, prices: &PriceList, token_program: Pubkey) -> Instruction {
    let accounts = accounts::Distribute {
        payer: state.payer,
        channel,
        vault: pda::payer_vault(&state.payer),
        prices: state.prices,
        fee_vault: state.fee_vault,
        payout: state.payout,
        token_program,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    let mut instruction = build(ID, accounts, instruction::Distribute {});
    instruction.accounts.extend(prices.parties().iter().map(|share| AccountMeta::new(share.account, false)));
    instruction
}

/// `owner` takes what the party at `index` of `Channel::owed` is owed into `destination`, a token account of its own.
pub fn claim_owed(
    owner: Pubkey,
    channel: Pubkey,
    state: &Channel,
    index: u8,
    destination: Pubkey,
    token_program: Pubkey,
) -> Instruction {
    let accounts = accounts::ClaimOwed {
        owner,
        payer: state.payer,
        channel,
        vault: pda::payer_vault(&state.payer),
        prices: state.prices,
        destination,
        token_program,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::ClaimOwed { index })
}

/// `party` is the owner, whose grace for the provider begins, or the provider's authority, which closes at once.
pub fn request_close(party: Pubkey, channel: Pubkey) -> Instruction {
    let accounts = accounts::RequestClose { party, channel, event_authority: pda::event_authority(&ID), program: ID };
    build(ID, accounts, instruction::RequestClose {})
}

/// Needs no signature but the fee payer's.
pub fn close(channel: Pubkey, state: &Channel) -> Instruction {
    let accounts = accounts::Close {
        payer: state.payer,
        channel,
        rent_payer: state.rent_payer,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Close {})
}
