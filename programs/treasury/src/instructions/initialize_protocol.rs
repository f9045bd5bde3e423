//! Creates the protocol, once, by whoever may upgrade this program.

use crate::{constants::PROTOCOL_SEED, error::TreasuryError, event::ProtocolInitialized, state::Protocol};
use anchor_lang::{address_eq, prelude::*};
use joule_events::emit_event;
use joule_units::UnixTime;

/// The loader that owns upgradeable programs and their data accounts.
const LOADER: Address = anchor_lang::address!("BPFLoaderUpgradeab1e11111111111111111111111");
/// `UpgradeableLoaderState::ProgramData`: variant 3 (u32), slot (u64), then an optional authority.
const PROGRAM_DATA_VARIANT: [u8; 4] = 3u32.to_le_bytes();
const AUTHORITY_FLAG: usize = 12;
const AUTHORITY: core::ops::Range<usize> = 13..45;

#[event_cpi]
#[derive(Accounts)]
pub struct InitializeProtocol {
    /// The upgrade authority; becomes the protocol's authority and pays for its account.
    #[account(mut)]
    pub authority: Signer,
    #[account(init, payer = authority, seeds = [PROTOCOL_SEED], bump)]
    pub protocol: Account<Protocol>,
    /// Where the loader keeps this program's upgrade authority; its address is checked in `validate`.
    #[account(owner = LOADER)]
    pub program_data: UncheckedAccount,
    pub system_program: Program<System>,
}

impl InitializeProtocol {
    /// Without this, whoever sees the deployment first could make itself the authority.
    fn validate(&self) -> Result<()> {
        let (expected, _) = find_program_address(&[crate::ID.as_ref()], &LOADER);
        require!(address_eq(self.program_data.address(), &expected), TreasuryError::NotUpgradeAuthority);
        let view = *self.program_data.account();
        let data = view.try_borrow()?;
        let is_authority = data.len() >= AUTHORITY.end
            && data[..4] == PROGRAM_DATA_VARIANT
            && data[AUTHORITY_FLAG] == 1
            && data[AUTHORITY] == *self.authority.address().as_ref();
        require!(is_authority, TreasuryError::NotUpgradeAuthority);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<InitializeProtocol>, guardian: Address, fee_bps: [u16; 8]) -> Result<()> {
    ctx.accounts.validate()?;
    let authority = *ctx.accounts.authority.address();
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    let bump = ctx.bumps.protocol;
    ctx.accounts.protocol.initialize(authority, guardian, fee_bps, now, bump)?;
    emit_event!(ctx, ProtocolInitialized { authority, guardian, fee_bps: fee_bps.map(Into::into) });
    Ok(())
}
