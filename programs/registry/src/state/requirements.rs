//! What a client wants of whoever works for it.

use super::{Attestations, Provider};
use crate::{constants::REQUIREMENTS_NOTICE, error::RegistryError};
use anchor_lang::{address_eq, prelude::*};
use joule_units::UnixTime;

/// A credential that is required.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct Credential {
    /// An `Attestor` account; all zero in a place that is not used.
    pub attestor: Address,
    /// A code from `docs/schemas.md`; zero is any schema of this attestor.
    pub schema: u32,
}

/// What is required. The zero of everything asks for nothing; lists are filled from the front.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct Wanted {
    /// A code from `docs/gpu-models.md`; 0 is any.
    pub gpu_model: u16,
    /// At least, like the rest of the hardware.
    pub gpu_count: u16,
    /// Per GPU.
    pub vram_mib: u32,
    pub cpu_cores: u16,
    pub memory_mib: u32,
    pub disk_gib: u32,
    pub bandwidth_mbps: u32,
    /// Codes from `docs/regions.md`, one of which the provider is in; all zero is anywhere.
    pub regions: [u16; 4],
    /// Base units of the job's mint that the provider's bond has free.
    pub min_bond: u64,
    /// Credentials that the provider has, every one.
    pub all_of: [Credential; 4],
    /// Credentials of which the provider has one at least.
    pub any_of: [Credential; 4],
    /// `Provider` accounts, of which it is one; all zero is everyone.
    pub allowed: [Address; 8],
}

impl Wanted {
    /// SHA-256 of it as Borsh writes it, which is what names it.
    pub fn hash(&self) -> [u8; 32] {
        Criteria::from(self).hash()
    }

    /// Nothing that a check would pass over in silence.
    #[inline(always)]
    pub fn validate(&self) -> Result<()> {
        for list in [&self.all_of, &self.any_of] {
            require!(list.iter().all(|c| c.schema == 0 || is_used(&c.attestor)), RegistryError::MissingAttestor);
        }
        let full = is_filled(self.regions.iter().map(|region| *region != 0))
            && is_filled(self.all_of.iter().map(|c| is_used(&c.attestor)))
            && is_filled(self.any_of.iter().map(|c| is_used(&c.attestor)))
            && is_filled(self.allowed.iter().map(is_used));
        require!(full, RegistryError::GapInList);
        Ok(())
    }
}

/// Whether no used place follows an unused one.
#[inline(always)]
fn is_filled(mut used: impl Iterator<Item = bool>) -> bool {
    used.by_ref().take_while(|used| *used).count();
    !used.any(|used| used)
}

/// `Credential` in an account.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable, IdlType)]
pub struct CredentialRule {
    pub attestor: Address,
    pub schema: PodU32,
}

/// `Wanted` in an account: the same fields in the same order, and so the same bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable, IdlType)]
pub struct Criteria {
    pub gpu_model: PodU16,
    pub gpu_count: PodU16,
    pub vram_mib: PodU32,
    pub cpu_cores: PodU16,
    pub memory_mib: PodU32,
    pub disk_gib: PodU32,
    pub bandwidth_mbps: PodU32,
    pub regions: [PodU16; 4],
    pub min_bond: PodU64,
    pub all_of: [CredentialRule; 4],
    pub any_of: [CredentialRule; 4],
    pub allowed: [Address; 8],
}

impl From<&Wanted> for Criteria {
    #[inline(always)]
    fn from(w: &Wanted) -> Self {
        let rule = |c: Credential| CredentialRule { attestor: c.attestor, schema: c.schema.into() };
        Self {
            gpu_model: w.gpu_model.into(),
            gpu_count: w.gpu_count.into(),
            vram_mib: w.vram_mib.into(),
            cpu_cores: w.cpu_cores.into(),
            memory_mib: w.memory_mib.into(),
            disk_gib: w.disk_gib.into(),
            bandwidth_mbps: w.bandwidth_mbps.into(),
            regions: w.regions.map(Into::into),
            min_bond: w.min_bond.into(),
            all_of: w.all_of.map(rule),
            any_of: w.any_of.map(rule),
            allowed: w.allowed,
        }
    }
}

impl Criteria {
    /// What names it.
    #[inline(always)]
    pub fn hash(&self) -> [u8; 32] {
        sha256(bytemuck::bytes_of(self))
    }
}

/// PDA `["requirements", client, hash]`: never changed, and named by its content, so that closing and defining it again can
/// not put other requirements in its place. What a job names stays for as long as anybody may be judged by it.
#[account]
pub struct Requirements {
    pub client: Address,
    /// Gets the rent back.
    pub rent_payer: Address,
    pub criteria: Criteria,
    /// Unix seconds from which no new job can name them; 0 until then. Written by `retire_requirements`.
    pub retired_at: PodI64,
    pub bump: u8,
    pub reserved: [u8; 23],
}

impl Requirements {
    #[inline(always)]
    pub fn define(&mut self, client: Address, rent_payer: Address, wanted: &Wanted, bump: u8) -> Result<()> {
        wanted.validate()?;
        self.client = client;
        self.rent_payer = rent_payer;
        self.criteria = wanted.into();
        self.bump = bump;
        Ok(())
    }

    /// No new job can name them from now on.
    #[inline(always)]
    pub fn retire(&mut self, now: UnixTime) -> Result<()> {
        require!(!self.is_retired(), RegistryError::AlreadyRetired);
        self.retired_at = now.get().into();
        Ok(())
    }

    #[inline(always)]
    pub fn is_retired(&self) -> bool {
        !self.retired_at.is_zero()
    }

    /// Nobody can need them any more.
    #[inline(always)]
    pub fn require_closable(&self, now: UnixTime) -> Result<()> {
        let needed_until = self.retired_at.get().saturating_add(REQUIREMENTS_NOTICE as i64);
        require!(self.is_retired() && now.get() >= needed_until, RegistryError::RequirementsNeeded);
        Ok(())
    }

    /// Whether a provider meets them; the error names the rule that it does not meet.
    ///
    /// `provider_address` is the address of `provider`, `free_bond` what its bond in the job's mint has free, in base units.
    /// `attestations` are those whose subject is the provider's *authority* key; none, and others', hold no credential. They are
    /// asked for what they held `at` that moment, in Unix seconds.
    #[inline(always)]
    pub fn check(
        &self,
        provider_address: &Address,
        provider: &Provider,
        free_bond: u64,
        attestations: Option<&Attestations>,
        at: i64,
    ) -> Result<()> {
        let c = &self.criteria;
        let is_allowed = c.allowed.iter().take_while(|a| is_used(a)).any(|a| address_eq(a, provider_address));
        require!(is_allowed || !is_used(&c.allowed[0]), RegistryError::NotAllowed);
        require!(c.hardware_suffices(provider), RegistryError::HardwareTooSmall);
        let is_there = c.regions.iter().take_while(|r| !r.is_zero()).any(|region| *region == provider.region);
        require!(is_there || c.regions[0].is_zero(), RegistryError::WrongRegion);
        require!(free_bond >= c.min_bond.get(), RegistryError::BondTooSmall);
        if is_used(&c.all_of[0].attestor) || is_used(&c.any_of[0].attestor) {
            // Somebody else's credentials are none.
            let own = attestations.filter(|a| address_eq(&a.subject, &provider.authority));
            let own = own.ok_or(RegistryError::CredentialMissing)?;
            let holds = |rule: &CredentialRule| own.holds(&rule.attestor, rule.schema.get(), at);
            let has_all = c.all_of.iter().take_while(|rule| is_used(&rule.attestor)).all(holds);
            let has_any = c.any_of.iter().take_while(|rule| is_used(&rule.attestor)).any(holds);
            require!(has_all && (has_any || !is_used(&c.any_of[0].attestor)), RegistryError::CredentialMissing);
        }
        Ok(())
    }
}

impl Criteria {
    #[inline(always)]
    fn hardware_suffices(&self, p: &Provider) -> bool {
        (self.gpu_model.is_zero() || p.gpu_model == self.gpu_model)
            && p.gpu_count >= self.gpu_count
            && p.vram_mib >= self.vram_mib
            && p.cpu_cores >= self.cpu_cores
            && p.memory_mib >= self.memory_mib
            && p.disk_gib >= self.disk_gib
            && p.bandwidth_mbps >= self.bandwidth_mbps
    }
}

#[inline(always)]
fn is_used(address: &Address) -> bool {
    !address_eq(address, &Address::new_from_array([0; 32]))
}
