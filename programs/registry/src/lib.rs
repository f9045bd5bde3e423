//! Who provides: identities, their hardware as they state it, what others attest about them, what clients
//! require, and the models that requests are made to.

// The IDL generator prints, and so needs std.
#![cfg_attr(not(feature = "idl-build"), no_std)]
#![allow(unexpected_cfgs)]

extern crate alloc;

pub mod constants;
pub mod error;
pub mod event;
// Another program needs the types alone, and the linker refuses the dispatch functions of two programs in a third.
#[cfg(any(not(target_os = "solana"), feature = "entrypoint"))]
pub mod instructions;
pub mod state;

use anchor_lang::prelude::*;
#[cfg(any(not(target_os = "solana"), feature = "entrypoint"))]
use instructions::*;

declare_id!("4JSP6v4oNrEmypHmzfMyx2u9bKCjAVYJE6XnFcN2UsT1");

#[cfg(any(not(target_os = "solana"), feature = "entrypoint"))]
#[program]
pub mod registry {
    use super::*;

    // Where it says `inline(always)`, the compiler sees within the dispatch that no account was walked before, which saves 50 to
    // 150 units. Not everywhere: each makes the stack frame that all share larger.

    /// Enrols the signer as a provider, active at once.
    pub fn register(ctx: &mut Context<Register>, profile: state::Profile) -> Result<()> {
        register::handler(ctx, profile)
    }

    /// Replaces what the provider states about itself, payout owner included.
    pub fn update(ctx: &mut Context<Update>, profile: state::Profile) -> Result<()> {
        update::handler(ctx, profile)
    }

    /// Starts (1) or stops (2) taking work; accepted jobs go on either way.
    pub fn set_status(ctx: &mut Context<SetStatus>, status: u8) -> Result<()> {
        set_status::handler(ctx, status)
    }

    /// Closes the provider's account and returns its rent to whoever paid it; accepted jobs go on.
    pub fn retire(ctx: &mut Context<Retire>) -> Result<()> {
        retire::handler(ctx)
    }

    /// Admits an attestor, enabled at once; signed by the protocol's authority.
    pub fn admit_attestor(ctx: &mut Context<AdmitAttestor>, metadata_hash: [u8; 32]) -> Result<()> {
        admit_attestor::handler(ctx, metadata_hash)
    }

    /// Lets an attestor attest, or stops it; signed by the protocol's authority.
    pub fn set_attestor(ctx: &mut Context<SetAttestor>, enabled: bool) -> Result<()> {
        set_attestor::handler(ctx, enabled)
    }

    /// An attestor gives a subject a credential, or replaces the one under the same schema.
    #[inline(always)]
    pub fn attest(ctx: &mut Context<Attest>, schema: u32, value_hash: &[u8; 32], expires_at: i64) -> Result<()> {
        attest::handler(ctx, schema, value_hash, expires_at)
    }

    /// An attestor takes a credential back.
    #[inline(always)]
    pub fn revoke(ctx: &mut Context<Revoke>, schema: u32) -> Result<()> {
        revoke::handler(ctx, schema)
    }

    /// Anyone closes an account of credentials in which none is live.
    #[inline(always)]
    pub fn close_attestations(ctx: &mut Context<CloseAttestations>) -> Result<()> {
        close_attestations::handler(ctx)
    }

    /// A client writes down what it wants of providers, at an address made of the content's hash.
    pub fn define_requirements(ctx: &mut Context<DefineRequirements>, wanted: state::Wanted) -> Result<()> {
        define_requirements::handler(ctx, wanted)
    }

    /// A client retires its requirements: no new job can name them.
    pub fn retire_requirements(ctx: &mut Context<RetireRequirements>) -> Result<()> {
        retire_requirements::handler(ctx)
    }

    /// Anyone closes requirements that were retired so long ago that no job can need them; the rent returns to whoever paid it.
    pub fn close_requirements(ctx: &mut Context<CloseRequirements>) -> Result<()> {
        close_requirements::handler(ctx)
    }

    /// Makes a model known, active at once, under a number of its creator's own choosing.
    pub fn create_model(
        ctx: &mut Context<CreateModel>,
        id: u64,
        royalty_bps: u16,
        profile: state::ModelProfile,
    ) -> Result<()> {
        create_model::handler(ctx, id, royalty_bps, profile)
    }

    /// Replaces what the creator states about a model, payout owner included.
    pub fn update_model(ctx: &mut Context<UpdateModel>, profile: state::ModelProfile) -> Result<()> {
        update_model::handler(ctx, profile)
    }

    /// Retires (0) a model or brings it back (1); open channels go on either way.
    pub fn set_model_status(ctx: &mut Context<SetModelStatus>, status: u8) -> Result<()> {
        set_model_status::handler(ctx, status)
    }

    /// Publishes the next price list of a model, with the token accounts of those who share after the other accounts.
    pub fn publish_prices(ctx: &mut Context<PublishPrices>, version: u32, listing: state::Listing) -> Result<()> {
        publish_prices::handler(ctx, version, listing)
    }
}

joule_errors::entrypoint!(crate::error::RegistryError);
