//! Somebody says that a delivered result is wrong, names the right one, and stakes as much on it as the provider has.

use crate::{
    constants::{DISPUTE_SEED, DRAW_DELAY},
    error::EscrowError,
    event::JobChallenged,
    state::{epoch_at, Dispute, Job, Panel, Verification},
    token,
};
use anchor_lang::{address_eq, prelude::*};
use anchor_spl::token_interface::TokenInterface;
use joule_events::emit_event;
use joule_units::{Amount, UnixTime};

#[event_cpi]
#[derive(Accounts)]
pub struct Challenge {
    /// Pays the rent of the dispute and gets it back; may be the challenger.
    #[account(mut, unsafe(dup))]
    pub payer: Signer,
    pub challenger: Signer,
    #[account(mut)]
    pub job: Account<Job>,
    #[account(init, payer = payer, seeds = [DISPUTE_SEED, job.address().as_ref()], bump)]
    pub dispute: Account<Dispute>,
    /// The present epoch's; left out in a quorum. Owner and discriminator prove that this program made it.
    pub panel: Option<Account<Panel>>,
    #[account(mut, address = job.vault @ EscrowError::WrongVault)]
    pub vault: UncheckedAccount,
    /// Token account that the deposit comes out of; the token program checks that the challenger may spend from it.
    #[account(mut, unsafe(dup))]
    pub source: UncheckedAccount,
    /// Token account that the challenger is paid into; may be the same.
    pub account: UncheckedAccount,
    pub token_program: Interface<'static, TokenInterface>,
    pub system_program: Program<System>,
}

impl Challenge {
    #[inline(always)]
    fn validate(&self, counter_result: &[u8; 32]) -> Result<()> {
        require!(*counter_result != [0; 32], EscrowError::MissingResult);
        require!(*counter_result != self.job.result_hash, EscrowError::SameResult);
        require!(!address_eq(self.account.address(), &self.job.vault), EscrowError::PaysItself);
        let fits = token::can_receive(self.account.account(), &self.job.mint, self.token_program.address());
        require!(fits, EscrowError::CannotReceive);
        Ok(())
    }

    /// The panel that is to judge, if one is. A challenge that nobody could decide would only keep others from making one.
    #[inline(always)]
    fn panel(&self, mode: Verification, now: UnixTime) -> Result<Address> {
        if mode != Verification::Panel {
            return Ok(Address::default());
        }
        let panel = self.panel.as_ref().ok_or(EscrowError::NoPanel)?;
        let is_it = address_eq(&panel.mint, &self.job.mint) && panel.epoch.get() == epoch_at(now);
        require!(is_it, EscrowError::WrongPanel);
        let can_judge = panel.can_judge(&self.job, self.challenger.address(), self.job.exposure.get());
        require!(can_judge, EscrowError::NoPanel);
        Ok(*panel.address())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Challenge>, counter_result: [u8; 32]) -> Result<()> {
    ctx.accounts.validate(&counter_result)?;
    let clock = Clock::get()?;
    let now = UnixTime::new(clock.unix_timestamp);
    let (challenger, account) = (*ctx.accounts.challenger.address(), *ctx.accounts.account.address());
    let mode = ctx.accounts.job.challenge(challenger, account, now)?;
    let panel = ctx.accounts.panel(mode, now)?;
    let slot = clock.slot.checked_add(DRAW_DELAY).ok_or(EscrowError::Overflow)?;
    let (job_address, payer, bump) = (*ctx.accounts.job.address(), *ctx.accounts.payer.address(), ctx.bumps.dispute);
    let dispute = &mut ctx.accounts.dispute;
    dispute.job = job_address;
    dispute.challenger = challenger;
    dispute.rent_payer = payer;
    dispute.counter_result = counter_result;
    dispute.bump = bump;
    dispute.open(&ctx.accounts.job, mode, panel, slot, now)?;
    let deposit = Amount::new(ctx.accounts.dispute.deposit.get());
    token::deposit(
        ctx.accounts.source.account(),
        ctx.accounts.vault.account(),
        ctx.accounts.challenger.account(),
        deposit,
        ctx.accounts.token_program.address(),
    )?;
    let (job, dispute) = (&ctx.accounts.job, &ctx.accounts.dispute);
    emit_event!(
        ctx,
        JobChallenged {
            job: job_address,
            dispute: *dispute.address(),
            challenger,
            provider: job.provider,
            panel: dispute.panel,
            result_hash: job.result_hash,
            counter_result,
            deposit: dispute.deposit,
            opened_at: dispute.opened_at,
            draw_slot: dispute.draw_slot,
            draw_by: dispute.draw_by,
            commit_by: dispute.commit_by,
            reveal_by: dispute.reveal_by,
            mode: dispute.mode,
        }
    );
    Ok(())
}
