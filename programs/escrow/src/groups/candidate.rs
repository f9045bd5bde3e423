//! A provider that wants a job, a bid or a vote: is it who it says, and does it meet the job's requirements?

use crate::{
    error::EscrowError,
    groups::*,
    state::{Engagement, Job},
    token,
};
use anchor_lang::{address_eq, prelude::*};
use joule_registry::state::{Attestations, Provider, Requirements};
use joule_units::{Amount, UnixTime};

#[derive(Accounts)]
pub struct Candidate {
    /// Of the provider, and the owner of its bond.
    pub authority: Signer,
    /// Owner and discriminator prove that the registry made it; whose it is, `validate` checks.
    pub provider: Account<Provider>,
    /// What the job demands; left out when it demands nothing.
    pub requirements: Option<Account<Requirements>>,
    /// What others say about the provider; left out when nothing of it is demanded.
    pub attestations: Option<Account<Attestations>>,
    pub locking: Nested<Locking>,
}

impl Candidate {
    /// Whether it has what the job demands, and had it at that moment: now or, for a vote, before the dispute opened. Its bond must
    /// hold what is demanded now.
    #[inline(always)]
    pub fn validate(&self, job: &Job, at: UnixTime) -> Result<()> {
        require!(address_eq(&self.provider.authority, self.authority.address()), EscrowError::NotProviderAuthority);
        require!(self.provider.is_active(), EscrowError::ProviderNotActive);
        require!(self.provider.stated_at.get() <= at.get(), EscrowError::JurorTooLate);
        let bond = self.locking.require_bond(self.authority.address(), &job.mint)?;
        if address_eq(&job.requirements, &Address::default()) {
            return Ok(());
        }
        let requirements = self.requirements.as_ref().ok_or(EscrowError::WrongRequirements)?;
        require!(address_eq(requirements.address(), &job.requirements), EscrowError::WrongRequirements);
        let attestations = match &self.attestations {
            Some(found) => {
                require!(address_eq(&found.subject, self.authority.address()), EscrowError::WrongAttestations);
                Some(&**found)
            }
            None => None,
        };
        requirements.check(self.provider.address(), &self.provider, bond, attestations, at.get())
    }

    /// The account can be paid into, and a stolen authority key cannot send the earnings elsewhere.
    #[inline(always)]
    pub fn require_payout(&self, payout: &AccountView, job: &Job) -> Result<()> {
        token::require_payee(payout, job)?;
        require!(token::is_owned_by(payout, &self.provider.payout_owner), EscrowError::WrongPayoutOwner);
        Ok(())
    }

    /// The candidate as it takes a job, with the claim it has just made.
    #[inline(always)]
    pub fn engagement<'a>(
        &'a self,
        payout: &'a Address,
        claim_payer: &'a Address,
        price: Amount,
        exposure: Amount,
    ) -> Engagement<'a> {
        Engagement {
            provider: self.provider.address(),
            authority: &self.provider.authority,
            payout_owner: &self.provider.payout_owner,
            payout,
            claim: self.locking.claim.address(),
            claim_payer,
            price,
            exposure,
        }
    }
}
