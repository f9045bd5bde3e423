//! Who provides: identities, their hardware as they state it, and whether they take work.

// The IDL generator prints, and so needs std.
#![cfg_attr(not(feature = "idl-build"), no_std)]
#![allow(unexpected_cfgs)]

extern crate alloc;

pub mod constants;
pub mod error;
pub mod event;
// Another program needs the types alone, and the linker refuses the dispatch functions of two programs in a third.
#[cfg(not(all(target_os = "solana", feature = "no-entrypoint")))]
pub mod instructions;
pub mod state;

use anchor_lang::prelude::*;
#[cfg(not(all(target_os = "solana", feature = "no-entrypoint")))]
use instructions::*;

declare_id!("4JSP6v4oNrEmypHmzfMyx2u9bKCjAVYJE6XnFcN2UsT1");

#[cfg(not(all(target_os = "solana", feature = "no-entrypoint")))]
#[program]
pub mod registry {
    use super::*;

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
}
