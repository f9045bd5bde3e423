//! What a model's requests cost, and who shares in the money.

use super::Model;
use crate::{
    constants::{MAX_SHARES, MAX_SHARE_BPS},
    error::RegistryError,
};
use anchor_lang::{address_eq, prelude::*};
use joule_token::Receiver;
use joule_units::Amount;
use joule_voucher::Prices;

/// `Prices` in an account, in base units of the price list's mint.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable, IdlType)]
pub struct Tariff {
    pub per_request: PodU64,
    /// For a million tokens of input.
    pub per_million_input: PodU64,
    /// For a million tokens of output.
    pub per_million_output: PodU64,
    pub per_image: PodU64,
    pub per_second: PodU64,
}

/// Somebody's share of what a model earns. A place that is not used is all zero.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable, IdlType)]
pub struct Share {
    pub owner: Address,
    /// Token account that it is paid into: the owner's at publication, when nobody else could close it.
    pub account: Address,
    pub bps: PodU16,
}

/// A share that a creator gives away, of data perhaps that the model was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct Part {
    pub owner: Address,
    pub bps: u16,
}

/// What a creator publishes. Prices in base units of the mint.
#[derive(Clone, Debug, Default, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
pub struct Listing {
    pub per_request: u64,
    pub per_million_input: u64,
    pub per_million_output: u64,
    pub per_image: u64,
    pub per_second: u64,
    /// The creator's own share; zero takes no place.
    pub creator_bps: u16,
    /// Of others, beside those that the lineage names.
    pub parts: alloc::vec::Vec<Part>,
}

impl Listing {
    /// To whom how much is owed, in basis points: by the model's lineage, to its own payout owner, and to others.
    #[inline(always)]
    pub fn dues<'a>(&'a self, model: &'a Model) -> impl Iterator<Item = (&'a Address, u16)> + 'a {
        let lineage = model.royalties().iter().map(|royalty| (&royalty.owner, royalty.bps.get()));
        let own = (self.creator_bps > 0).then_some((&model.payout_owner, self.creator_bps));
        let others = self.parts.iter().map(|part| (&part.owner, part.bps));
        lineage.chain(own).chain(others)
    }
}

impl From<&Listing> for Tariff {
    #[inline(always)]
    fn from(listing: &Listing) -> Self {
        Self {
            per_request: listing.per_request.into(),
            per_million_input: listing.per_million_input.into(),
            per_million_output: listing.per_million_output.into(),
            per_image: listing.per_image.into(),
            per_second: listing.per_second.into(),
        }
    }
}

impl From<&Tariff> for Prices {
    #[inline(always)]
    fn from(tariff: &Tariff) -> Self {
        Self {
            per_request: Amount::new(tariff.per_request.get()),
            per_million_input: Amount::new(tariff.per_million_input.get()),
            per_million_output: Amount::new(tariff.per_million_output.get()),
            per_image: Amount::new(tariff.per_image.get()),
            per_second: Amount::new(tariff.per_second.get()),
        }
    }
}

/// PDA `["prices", model, version (u32, little endian)]`: never changed and never closed, so that a channel which was opened with
/// it keeps its prices and its shares. In a new version others may stand.
#[account]
pub struct PriceList {
    pub model: Address,
    /// The token that it is paid in.
    pub mint: Address,
    pub prices: Tariff,
    /// Lineage first, then the payout owner of the model, then others; no account twice.
    pub shares: [Share; MAX_SHARES],
    /// Unix seconds.
    pub created_at: PodI64,
    /// From 1, without gaps.
    pub version: PodU32,
    /// How many places of `shares` are used.
    pub count: u8,
    pub bump: u8,
    pub reserved: [u8; 34],
}

impl PriceList {
    #[inline(always)]
    pub fn publish(&mut self, model: Address, mint: Address, version: u32, listing: &Listing, now: i64, bump: u8) {
        self.model = model;
        self.mint = mint;
        self.prices = listing.into();
        self.created_at = now.into();
        self.version = version.into();
        self.bump = bump;
    }

    /// Writes down who shares, into which accounts: everybody whom `dues` names, in that order, one account for each.
    #[inline(always)]
    pub fn share<'a>(
        &mut self,
        mut dues: impl Iterator<Item = (&'a Address, u16)>,
        accounts: &[AccountView],
    ) -> Result<()> {
        let mut accounts = accounts.iter();
        dues.try_for_each(|(owner, bps)| {
            let account = accounts.next().ok_or(RegistryError::WrongShareAccounts)?;
            self.require_account_of(owner, account)?;
            self.add(owner, account.address(), bps)
        })?;
        require!(accounts.next().is_none(), RegistryError::WrongShareAccounts);
        self.invariant()
    }

    /// Money that goes there reaches `owner`, now and for as long as `owner` wants it to.
    #[inline(always)]
    fn require_account_of(&self, owner: &Address, account: &AccountView) -> Result<()> {
        let account = Receiver::of(account, &self.mint).ok_or(RegistryError::CannotReceive)?;
        require!(account.is_owned_by(owner), RegistryError::NotShareOwner);
        // Whoever closes an empty account can open another one of its own at the same address.
        require!(account.has_no_close_authority(), RegistryError::ClosedByOthers);
        Ok(())
    }

    /// Shares that go into one account are one share, which is their sum: an account has one owner.
    #[inline(always)]
    fn add(&mut self, owner: &Address, account: &Address, bps: u16) -> Result<()> {
        require!(bps > 0, RegistryError::EmptyShare);
        // The first place that is the account's or nobody's: used ones come first.
        let is_place = |share: &&mut Share| share.bps.is_zero() || address_eq(&share.account, account);
        let share = self.shares.iter_mut().find(is_place).ok_or(RegistryError::TooManyShares)?;
        if share.bps.is_zero() {
            share.owner = *owner;
            share.account = *account;
            self.count += 1;
        }
        share.bps = share.bps.get().checked_add(bps).ok_or(RegistryError::SharesTooHigh)?.into();
        Ok(())
    }

    /// What usage is priced with.
    #[inline(always)]
    pub fn prices(&self) -> Prices {
        (&self.prices).into()
    }

    /// The used places. Of what they do not take, the protocol has its fee and the provider the rest.
    #[inline(always)]
    pub fn parties(&self) -> &[Share] {
        &self.shares[..(self.count as usize).min(MAX_SHARES)]
    }

    /// Whoever runs the model has a part worth running it for.
    #[inline(always)]
    pub fn invariant(&self) -> Result<()> {
        let shared: u32 = self.shares.iter().map(|share| share.bps.get() as u32).sum();
        require!(shared <= MAX_SHARE_BPS as u32, RegistryError::SharesTooHigh);
        Ok(())
    }
}
