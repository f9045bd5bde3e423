//! The registry's instructions about models and what they cost.

use super::{build, SYSTEM_PROGRAM};
use crate::{pda, registry};
use registry::{
    accounts, instruction,
    state::{Listing, Model, ModelProfile, ModelStatus},
    ID,
};
use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;

/// What never changes about a model.
#[derive(Debug, Clone, Copy)]
pub struct Origin {
    /// The creator's own number for it, that no other model of the creator's has.
    pub id: u64,
    /// The model that it derives from.
    pub base: Option<Pubkey>,
    /// What every model that derives from it owes, in basis points.
    pub royalty_bps: u16,
}

/// `payer` pays the rent, for good.
pub fn create_model(payer: Pubkey, creator: Pubkey, origin: Origin, profile: ModelProfile) -> Instruction {
    let accounts = accounts::CreateModel {
        payer,
        creator,
        base: origin.base,
        model: pda::model(&creator, origin.id),
        system_program: SYSTEM_PROGRAM,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::CreateModel { id: origin.id, royalty_bps: origin.royalty_bps, profile })
}

pub fn update_model(creator: Pubkey, model: Pubkey, profile: ModelProfile) -> Instruction {
    let accounts = accounts::UpdateModel { creator, model, event_authority: pda::event_authority(&ID), program: ID };
    build(ID, accounts, instruction::UpdateModel { profile })
}

pub fn set_model_status(creator: Pubkey, model: Pubkey, status: ModelStatus) -> Instruction {
    let accounts = accounts::SetModelStatus { creator, model, event_authority: pda::event_authority(&ID), program: ID };
    build(ID, accounts, instruction::SetModelStatus { status: status as u8 })
}

/// `payer` pays the rent, for good; `version` is the one after `Model::version`. `share_accounts` are token accounts of `mint`, one for each of [`Listing::dues`] and in that
/// order; [`share_accounts`] are the usual ones.
pub fn publish_prices(
    payer: Pubkey,
    creator: Pubkey,
    model: Pubkey,
    mint: Pubkey,
    version: u32,
    listing: Listing,
    share_accounts: &[Pubkey],
) -> Instruction {
    let accounts = accounts::PublishPrices {
        payer,
        creator,
        model,
        price_list: pda::price_list(&model, version),
        accepted_mint: pda::accepted_mint(&mint),
        system_program: SYSTEM_PROGRAM,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    let mut instruction = build(ID, accounts, instruction::PublishPrices { version, listing });
    instruction.accounts.extend(share_accounts.iter().map(|account| AccountMeta::new_readonly(*account, false)));
    instruction
}

/// The usual token accounts of everybody who shares in what a model earns under a listing.
pub fn share_accounts(model: &Model, listing: &Listing, mint: &Pubkey, token_program: &Pubkey) -> Vec<Pubkey> {
    listing.dues(model).map(|(owner, _)| pda::associated_token(owner, mint, token_program)).collect()
}
