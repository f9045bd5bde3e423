//! Anyone adds to a bond.

use crate::{error::StakingError, event::BondDeposited, state::Bond, vault};
use anchor_lang::{address_eq, prelude::*};
use anchor_spl::token_interface::TokenInterface;
use joule_events::emit_event;
use joule_treasury::state::AcceptedMint;

#[event_cpi]
#[derive(Accounts)]
pub struct DepositBond {
    /// Owns `source`, or may spend from it; the token program checks that.
    pub depositor: Signer,
    #[account(mut)]
    pub bond: Account<Bond>,
    #[account(mut, address = bond.vault @ StakingError::WrongVault)]
    pub vault: UncheckedAccount,
    #[account(mut)]
    pub source: UncheckedAccount,
    pub accepted_mint: Account<AcceptedMint>,
    pub token_program: Interface<'static, TokenInterface>,
}

impl DepositBond {
    /// A token that is no longer accepted may still be added: claims that run may need it. A stranger's dust may not, since
    /// its week of unbonding would keep the bond from being closed again and again; and no change of what is dust keeps its own
    /// people from adding. Whoever holds the owner's key may have closed the bond and opened it again for another withdrawer.
    #[inline(always)]
    fn validate(&self, amount: u64, withdrawer: &Address) -> Result<()> {
        let (bond, depositor) = (&self.bond, self.depositor.address());
        require!(address_eq(&self.accepted_mint.mint, &bond.mint), StakingError::WrongMint);
        require!(address_eq(&bond.withdrawer, withdrawer), StakingError::WrongWithdrawer);
        require!(amount > 0, StakingError::ZeroAmount);
        let is_own = address_eq(depositor, &bond.owner) || address_eq(depositor, &bond.withdrawer);
        require!(is_own || amount >= self.accepted_mint.min_amount.get(), StakingError::AmountTooSmall);
        Ok(())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<DepositBond>, amount: u64, withdrawer: Address) -> Result<()> {
    ctx.accounts.validate(amount, &withdrawer)?;
    let now = Clock::get()?.unix_timestamp;
    let arrived = vault::receive(
        ctx.accounts.source.account(),
        ctx.accounts.vault.account(),
        ctx.accounts.depositor.account(),
        amount,
        ctx.accounts.token_program.address(),
    )?;
    ctx.accounts.bond.deposit(arrived)?;
    emit_event!(
        ctx,
        BondDeposited {
            bond: *ctx.accounts.bond.address(),
            from: *ctx.accounts.depositor.address(),
            added: arrived.get().into(),
            amount: ctx.accounts.bond.amount,
            at: now.into(),
        }
    );
    Ok(())
}
