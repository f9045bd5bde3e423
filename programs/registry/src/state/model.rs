//! A model that requests are made to, and what it owes to the models it derives from.

use crate::{
    constants::{MAX_DEPTH, MAX_SHARE_BPS},
    error::RegistryError,
};
use anchor_lang::{address_eq, prelude::*};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ModelStatus {
    /// Nothing new: no price list, no channel, no model that derives from it. What was opened goes on.
    Retired = 0,
    Active = 1,
}

impl ModelStatus {
    pub fn from_number(number: u8) -> Result<Self> {
        match number {
            0 => Ok(Self::Retired),
            1 => Ok(Self::Active),
            _ => Err(RegistryError::UnknownModelStatus.into()),
        }
    }
}

/// What a model owes to the owner of one it derives from, of all that it earns. A place that is not used is all zero.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable, IdlType)]
pub struct Royalty {
    /// Owner of the token accounts it is paid into: that model's payout owner when the derived one was created.
    pub owner: Address,
    pub bps: PodU16,
}

/// What a creator states about a model when it creates or updates it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct ModelProfile {
    /// Owner of the token accounts it is paid into; may be a colder key than the creator.
    pub payout_owner: Address,
    /// SHA-256 of the document that says where it is served; all zero while nobody does.
    pub endpoint_hash: [u8; 32],
    /// SHA-256 of its description: what it is, its weights, its licence.
    pub metadata_hash: [u8; 32],
}

/// What makes a model which one it is; nothing of this ever changes.
pub struct Birth {
    pub creator: Address,
    pub id: u64,
    pub royalty_bps: u16,
    pub bump: u8,
}

/// PDA `["model", creator, id (u64, little endian)]`. Never closed: price lists and models that derive from it name it.
///
/// Its lineage is a promise that others can see, and no proof: whoever declares no base owes nobody.
#[account]
pub struct Model {
    /// Signs for the model; never changes, since it is a part of the identity.
    pub creator: Address,
    /// Owner of the token accounts it is paid into. Written by `create_model` and `update_model`; price lists and derived
    /// models that are there keep the one they were made with.
    pub payout_owner: Address,
    /// The model that this one derives from; all zero when it is nobody's.
    pub base: Address,
    pub endpoint_hash: [u8; 32],
    pub metadata_hash: [u8; 32],
    /// What it owes upwards: its base's lineage and its base's own royalty; an owner has one place at most. Written by
    /// `create_model`.
    pub lineage: [Royalty; MAX_DEPTH as usize],
    /// The creator's own number for it.
    pub id: PodU64,
    /// Unix seconds.
    pub created_at: PodI64,
    /// Unix seconds of the last `create_model`, `update_model` or `set_model_status`.
    pub updated_at: PodI64,
    /// Of the newest price list; zero when there is none. Written by `publish_prices`.
    pub version: PodU32,
    /// What every model that derives from it, directly or further down, owes its payout owner. Written by `create_model`.
    pub royalty_bps: PodU16,
    /// How many places of `lineage` are used.
    pub lineage_count: u8,
    /// How many models it derives from, one through another.
    pub depth: u8,
    /// A `ModelStatus`.
    pub status: u8,
    pub bump: u8,
    pub reserved: [u8; 62],
}

impl Model {
    #[inline(always)]
    pub fn create(
        &mut self,
        birth: &Birth,
        profile: &ModelProfile,
        base: Option<(&Address, &Model)>,
        now: i64,
    ) -> Result<()> {
        self.creator = birth.creator;
        self.id = birth.id.into();
        self.royalty_bps = birth.royalty_bps.into();
        self.bump = birth.bump;
        self.status = ModelStatus::Active as u8;
        self.created_at = now.into();
        if let Some((address, base)) = base {
            self.derive(address, base)?;
        }
        self.update(profile, now)
    }

    /// Takes over what a base owes, and owes it its own royalty.
    #[inline(always)]
    fn derive(&mut self, address: &Address, base: &Model) -> Result<()> {
        base.require_active()?;
        require!(base.depth < MAX_DEPTH, RegistryError::LineageTooDeep);
        self.base = *address;
        self.depth = base.depth + 1;
        self.lineage = base.lineage;
        self.lineage_count = base.lineage_count;
        self.owe(base.payout_owner, base.royalty_bps.get())
    }

    /// An owner of two models up the line has one royalty, which is their sum; one of nothing takes no place.
    #[inline(always)]
    fn owe(&mut self, owner: Address, bps: u16) -> Result<()> {
        if bps == 0 {
            return Ok(());
        }
        let used = self.lineage_count as usize;
        let place = self.lineage[..used].iter().position(|royalty| address_eq(&royalty.owner, &owner)).unwrap_or(used);
        let royalty = self.lineage.get_mut(place).ok_or(RegistryError::LineageTooDeep)?;
        royalty.owner = owner;
        royalty.bps = royalty.bps.get().checked_add(bps).ok_or(RegistryError::SharesTooHigh)?.into();
        self.lineage_count = self.lineage_count.max(place as u8 + 1);
        Ok(())
    }

    pub fn update(&mut self, profile: &ModelProfile, now: i64) -> Result<()> {
        self.payout_owner = profile.payout_owner;
        self.endpoint_hash = profile.endpoint_hash;
        self.metadata_hash = profile.metadata_hash;
        self.updated_at = now.into();
        self.invariant()
    }

    pub fn set_status(&mut self, status: ModelStatus, now: i64) {
        self.status = status as u8;
        self.updated_at = now.into();
    }

    #[inline(always)]
    pub fn is_active(&self) -> bool {
        self.status == ModelStatus::Active as u8
    }

    #[inline(always)]
    pub fn require_active(&self) -> Result<()> {
        require!(self.is_active(), RegistryError::ModelRetired);
        Ok(())
    }

    /// The used places of the lineage.
    #[inline(always)]
    pub fn royalties(&self) -> &[Royalty] {
        &self.lineage[..(self.lineage_count as usize).min(self.lineage.len())]
    }

    /// Uses up `version`, which must be the next one.
    #[inline(always)]
    pub fn take_version(&mut self, version: u32) -> Result<()> {
        require!(self.version.get().checked_add(1) == Some(version), RegistryError::WrongVersion);
        self.version = version.into();
        Ok(())
    }

    /// It can be paid, and what it owes and asks leaves a price list room for whoever runs it.
    #[inline(always)]
    pub fn invariant(&self) -> Result<()> {
        require!(self.payout_owner != Address::default(), RegistryError::NoPayoutOwner);
        let owed: u32 = self.royalties().iter().map(|royalty| royalty.bps.get() as u32).sum();
        require!(owed + self.royalty_bps.get() as u32 <= MAX_SHARE_BPS as u32, RegistryError::SharesTooHigh);
        Ok(())
    }
}
