//! What a proof against a provider touches, and what it does.

use crate::{
    error::BillingError,
    event::BillDisputed,
    state::{Channel, Cluster, Payer, Verdict},
    token,
};
use anchor_lang::{address_eq, prelude::*};
use anchor_spl::token_interface::TokenInterface;
use joule_staking::{call, constants::CLAIM_SIGNER_SEED, penalty};
use joule_units::{Amount, UnixTime};
use joule_voucher::{Context as MessageContext, Domain};
use pinocchio::cpi::{Seed, Signer as CpiSigner};

/// Nobody needs to sign: the proof does.
#[derive(Accounts)]
pub struct Condemned {
    #[account(mut, address = channel.payer @ BillingError::WrongPayer)]
    pub payer: Account<Payer>,
    #[account(mut)]
    pub channel: Account<Channel>,
    #[account(mut, address = payer.vault @ BillingError::WrongVault)]
    pub vault: UncheckedAccount,
    /// There is one `Cluster`; owner and discriminator prove that it is it.
    pub cluster: Account<Cluster>,
    #[account(address = crate::signed::INSTRUCTIONS)]
    pub instructions: UncheckedAccount,
    #[account(mut)]
    pub bond: UncheckedAccount,
    /// Compared with what the channel names.
    #[account(mut)]
    pub claim: UncheckedAccount,
    /// Gets the claim's rent back; the staking program checks it.
    #[account(mut, unsafe(dup))]
    pub claim_payer: UncheckedAccount,
    /// The staking program checks it.
    #[account(mut)]
    pub bond_vault: UncheckedAccount,
    /// Signs for this program's claims. The seed is written out so that the address is derived when this is compiled.
    #[account(seeds = [b"claims"], bump)]
    pub claim_signer: UncheckedAccount,
    /// The signer of the staking program's events; it checks that.
    pub staking_events: UncheckedAccount,
    #[account(address = joule_staking::ID)]
    pub staking: UncheckedAccount,
    pub token_program: Interface<'static, TokenInterface>,
}

impl Condemned {
    /// What this channel's receipts begin with.
    #[inline(always)]
    pub fn receipt_context(&self) -> MessageContext {
        let (genesis, channel) = (&self.cluster.genesis_hash, self.channel.address());
        MessageContext::of(Domain::Receipt, genesis, crate::ID.as_array(), channel.as_array())
    }

    /// Slashes the provider's live claim for this channel, gives the payer what the provider had not been paid yet, and closes
    /// the channel.
    #[inline(always)]
    pub fn condemn(&mut self, now: UnixTime, bump: u8) -> Result<BillDisputed> {
        let returned = self.channel.condemn_provider(now)?;
        let slashed = self.slash(bump)?;
        let shares = penalty::shares(slashed, false);
        // Before plans in arrears take what is free.
        self.payer.receive(slashed)?;
        self.payer.reserve(shares.treasury)?;
        self.payer.release(returned)?;
        self.payer.sync(now)?;
        self.channel.owe_protocol(shares.treasury)?;
        Ok(BillDisputed {
            channel: *self.channel.address(),
            payer: self.channel.payer,
            provider: self.channel.provider,
            slashed: slashed.get().into(),
            returned: returned.get().into(),
            forfeited: 0.into(),
            at: now.get().into(),
            verdict: Verdict::AgainstProvider as u8,
        })
    }

    /// All of the claim, if it is still there: it lapses when nobody comes for it in time. Returns what arrived.
    #[inline(always)]
    fn slash(&self, bump: u8) -> Result<Amount> {
        let claim = self.channel.claim;
        let is_backed = !address_eq(&claim, &Address::default());
        require!(!is_backed || address_eq(self.claim.address(), &claim), BillingError::WrongClaim);
        if !is_backed || !self.claim.account().owned_by(&joule_staking::ID) {
            return Ok(Amount::ZERO);
        }
        let before = token::balance(self.vault.account())?;
        let bump = [bump];
        let seeds = [Seed::from(CLAIM_SIGNER_SEED), Seed::from(&bump)];
        call::Slash {
            signer: self.claim_signer.account(),
            bond: self.bond.account(),
            claim: self.claim.account(),
            bond_vault: self.bond_vault.account(),
            destination: self.vault.account(),
            rent_payer: self.claim_payer.account(),
            token_program: self.token_program.account(),
            event_authority: self.staking_events.account(),
            program: self.staking.account(),
            amount: call::ALL,
            release_rest: true,
        }
        .invoke_signed(&[CpiSigner::from(&seeds)])?;
        Ok(token::balance(self.vault.account())?.checked_sub(before).ok_or(BillingError::Overflow)?)
    }
}
