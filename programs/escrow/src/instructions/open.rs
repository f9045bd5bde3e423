//! A client posts a job and locks its budget.

use crate::{
    constants::{CLIENT_SEED, JOB_SEED, VAULT_SEED},
    error::EscrowError,
    event::JobOpened,
    state::{Client, Job, Opening, Terms},
    token,
};
use anchor_lang::{address_eq, prelude::*};
use anchor_spl::token_interface::TokenInterface;
use joule_events::emit_event;
use joule_registry::state::Requirements;
use joule_staking::state::{Pool, Stake};
use joule_treasury::state::{AcceptedMint, Protocol, Service};
use joule_units::{Amount, Bps, UnixTime};

#[event_cpi]
#[derive(Accounts)]
#[instruction(id: u64)]
pub struct Open {
    /// Pays the rent and gets it back, but for the client's counter, which stays; may be the client itself.
    #[account(mut, unsafe(dup))]
    pub payer: Signer,
    /// Owns `source`, or may spend from it; the token program checks that.
    pub client: Signer,
    #[account(init_if_needed, payer = payer, seeds = [CLIENT_SEED, client.address().as_ref()], bump)]
    pub client_account: Account<Client>,
    #[account(init, payer = payer, seeds = [JOB_SEED, client.address().as_ref(), &id.to_le_bytes()], bump)]
    pub job: Account<Job>,
    #[account(
        init, payer = payer, space = token::ACCOUNT_LEN, owner = *token_program.address(),
        seeds = [VAULT_SEED, job.address().as_ref()], bump
    )]
    pub vault: UncheckedAccount,
    /// Token account that the budget comes out of.
    #[account(mut, unsafe(dup))]
    pub source: UncheckedAccount,
    /// Token account that whatever is not spent returns to.
    pub refund: UncheckedAccount,
    /// Compared with `accepted_mint` in `validate`.
    pub mint: UncheckedAccount,
    /// There is one `AcceptedMint` for each mint; owner and discriminator prove that the treasury made it.
    pub accepted_mint: Account<AcceptedMint>,
    /// There is one `Protocol`; owner and discriminator prove that the treasury made it.
    pub protocol: Account<Protocol>,
    /// What a provider must meet; left out when anybody may do the job. It cannot be changed once made, and outlives the job.
    pub requirements: Option<Account<Requirements>>,
    /// The client's stake, for a lower fee; left out with its pool for the full one.
    pub stake: Option<Account<Stake>>,
    pub pool: Option<Account<Pool>>,
    pub token_program: Interface<'static, TokenInterface>,
    pub system_program: Program<System>,
}

impl Open {
    #[inline(always)]
    fn validate(&self, terms: &Terms, now: UnixTime) -> Result<()> {
        require!(!self.protocol.is_paused(Service::Escrow, now), EscrowError::Paused);
        let accepted = &self.accepted_mint;
        require!(address_eq(&accepted.mint, self.mint.address()), EscrowError::WrongMint);
        require!(accepted.is_enabled(), EscrowError::MintNotAccepted);
        let is_retired = self.requirements.as_ref().is_some_and(|requirements| requirements.is_retired());
        require!(!is_retired, EscrowError::RequirementsRetired);
        terms.validate(accepted.min_amount.get())?;
        // The vault does not exist as a token account yet, so that this refuses it too.
        require!(
            token::can_receive(self.refund.account(), &accepted.mint, self.token_program.address()),
            EscrowError::CannotReceive
        );
        Ok(())
    }

    /// The protocol's fee, less the discount that a stake of the client's own earns it.
    #[inline(always)]
    fn fee(&self, now: UnixTime) -> Result<Bps> {
        let fee = self.protocol.fee(Service::Escrow)?;
        let (Some(stake), Some(pool)) = (&self.stake, &self.pool) else { return Ok(fee) };
        let is_own = address_eq(&stake.owner, self.client.address()) && address_eq(&stake.pool, pool.address());
        require!(is_own, EscrowError::WrongStake);
        // Rounded in favour of the protocol, and never above the fee.
        let discount = stake.discount(pool, now).of(Amount::new(fee.get() as u64)).get() as u16;
        Bps::new(fee.get() - discount).ok_or(EscrowError::InvariantBroken.into())
    }
}

#[inline(always)]
pub fn handler(ctx: &mut Context<Open>, id: u64, terms: Terms) -> Result<()> {
    let now = UnixTime::new(Clock::get()?.unix_timestamp);
    ctx.accounts.validate(&terms, now)?;
    let fee = ctx.accounts.fee(now)?;
    let client = *ctx.accounts.client.address();

    let record = &mut ctx.accounts.client_account;
    if record.bump == 0 {
        record.client = client;
        record.bump = ctx.bumps.client_account;
    }
    record.take_id(id)?;

    let opening = Opening {
        client,
        refund: *ctx.accounts.refund.address(),
        fee_vault: ctx.accounts.accepted_mint.fee_vault,
        mint: *ctx.accounts.mint.address(),
        vault: *ctx.accounts.vault.address(),
        rent_payer: *ctx.accounts.payer.address(),
        requirements: ctx.accounts.requirements.as_ref().map_or_else(Address::default, |r| *r.address()),
        fee,
        id,
        bump: ctx.bumps.job,
    };
    ctx.accounts.job.open(&opening, &terms, now)?;
    token::fund(
        ctx.accounts.vault.account(),
        ctx.accounts.mint.account(),
        ctx.accounts.job.account(),
        ctx.accounts.source.account(),
        ctx.accounts.client.account(),
        Amount::new(terms.budget),
        ctx.accounts.token_program.address(),
    )?;
    let job = &ctx.accounts.job;
    emit_event!(
        ctx,
        JobOpened {
            job: *job.address(),
            client,
            mint: job.mint,
            spec_hash: terms.spec_hash,
            input_hash: terms.input_hash,
            id: id.into(),
            budget: job.budget,
            max_rate: job.max_rate,
            opened_at: job.opened_at,
            accept_by: job.accept_by,
            bid_until: job.bid_until,
            requirements: job.requirements,
            work_window: job.work_window,
            review_window: job.review_window,
            vote_window: job.vote_window,
            fee_bps: job.fee_bps,
            bond_bps: job.bond_bps,
            verification: job.verification,
            pricing: job.pricing,
            jurors: job.jurors,
        }
    );
    Ok(())
}
