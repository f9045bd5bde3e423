//! Somebody who runs work for others.

use crate::error::RegistryError;
use anchor_lang::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ProviderStatus {
    /// May accept work.
    Active = 1,
    /// Accepts nothing new; what it accepted goes on.
    Paused = 2,
}

impl ProviderStatus {
    pub fn from_number(number: u8) -> Result<Self> {
        match number {
            1 => Ok(Self::Active),
            2 => Ok(Self::Paused),
            _ => Err(RegistryError::UnknownStatus.into()),
        }
    }
}

/// Hardware as the provider states it. Nobody has checked it: that is what attestations are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct Attributes {
    /// A code from `docs/gpu-models.md`; 0 is none.
    pub gpu_model: u16,
    pub gpu_count: u16,
    /// Per GPU.
    pub vram_mib: u32,
    pub cpu_cores: u16,
    /// A code from `docs/regions.md`; 0 is unspecified.
    pub region: u16,
    pub memory_mib: u32,
    pub disk_gib: u32,
    pub bandwidth_mbps: u32,
}

/// What a provider states when it registers or updates itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct Profile {
    /// Owner of the token accounts it is paid into; may be a colder key than the authority.
    pub payout_owner: Address,
    /// Jobs it can run at once.
    pub capacity: u32,
    /// SHA-256 of its endpoint document.
    pub endpoint_hash: [u8; 32],
    /// SHA-256 of its description.
    pub metadata_hash: [u8; 32],
    pub attributes: Attributes,
}

/// PDA `["provider", authority]`. Closed by `retire`; the same authority may register again.
#[account]
pub struct Provider {
    /// Signs for the provider; never changes, since it is the identity.
    pub authority: Address,
    /// Owner of the token accounts it is paid into. Written by `register` and `update`.
    pub payout_owner: Address,
    /// Gets the rent back.
    pub rent_payer: Address,
    pub endpoint_hash: [u8; 32],
    pub metadata_hash: [u8; 32],
    /// Unix seconds.
    pub registered_at: PodI64,
    /// Unix seconds of the last `register`, `update` or `set_status`.
    pub updated_at: PodI64,
    /// Unix seconds of the last `register` or `update`: since when all that it states has stood unchanged.
    pub stated_at: PodI64,
    pub capacity: PodU32,
    pub gpu_model: PodU16,
    pub gpu_count: PodU16,
    pub vram_mib: PodU32,
    pub cpu_cores: PodU16,
    pub region: PodU16,
    pub memory_mib: PodU32,
    pub disk_gib: PodU32,
    pub bandwidth_mbps: PodU32,
    /// A `ProviderStatus`.
    pub status: u8,
    pub bump: u8,
    pub reserved: [u8; 58],
}

impl Provider {
    pub fn register(
        &mut self,
        authority: Address,
        rent_payer: Address,
        profile: &Profile,
        now: i64,
        bump: u8,
    ) -> Result<()> {
        self.authority = authority;
        self.rent_payer = rent_payer;
        self.registered_at = now.into();
        self.status = ProviderStatus::Active as u8;
        self.bump = bump;
        self.update(profile, now)
    }

    pub fn update(&mut self, profile: &Profile, now: i64) -> Result<()> {
        self.payout_owner = profile.payout_owner;
        self.capacity = profile.capacity.into();
        self.endpoint_hash = profile.endpoint_hash;
        self.metadata_hash = profile.metadata_hash;
        let a = &profile.attributes;
        self.gpu_model = a.gpu_model.into();
        self.gpu_count = a.gpu_count.into();
        self.vram_mib = a.vram_mib.into();
        self.cpu_cores = a.cpu_cores.into();
        self.region = a.region.into();
        self.memory_mib = a.memory_mib.into();
        self.disk_gib = a.disk_gib.into();
        self.bandwidth_mbps = a.bandwidth_mbps.into();
        self.updated_at = now.into();
        self.stated_at = now.into();
        self.invariant()
    }

    pub fn set_status(&mut self, status: ProviderStatus, now: i64) {
        self.status = status as u8;
        self.updated_at = now.into();
    }

    #[inline(always)]
    pub fn is_active(&self) -> bool {
        self.status == ProviderStatus::Active as u8
    }

    pub fn attributes(&self) -> Attributes {
        Attributes {
            gpu_model: self.gpu_model.get(),
            gpu_count: self.gpu_count.get(),
            vram_mib: self.vram_mib.get(),
            cpu_cores: self.cpu_cores.get(),
            region: self.region.get(),
            memory_mib: self.memory_mib.get(),
            disk_gib: self.disk_gib.get(),
            bandwidth_mbps: self.bandwidth_mbps.get(),
        }
    }

    /// It can be paid, and it can work.
    pub fn invariant(&self) -> Result<()> {
        require!(self.payout_owner != Address::default(), RegistryError::NoPayoutOwner);
        require!(self.capacity.get() > 0, RegistryError::ZeroCapacity);
        Ok(())
    }
}
