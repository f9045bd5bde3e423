//! Money and shares of money.

use core::fmt;

/// An amount of one token, in the mint's base units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Amount(u64);

impl Amount {
    pub const ZERO: Self = Self(0);

    #[inline(always)]
    pub const fn new(base_units: u64) -> Self {
        Self(base_units)
    }

    #[inline(always)]
    pub const fn get(self) -> u64 {
        self.0
    }

    #[inline(always)]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    #[inline(always)]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    #[inline(always)]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A share in basis points: 10,000 is the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Bps(u16);

impl Bps {
    pub const WHOLE: u16 = 10_000;

    /// `None` above the whole.
    #[inline(always)]
    pub const fn new(bps: u16) -> Option<Self> {
        if bps <= Self::WHOLE {
            Some(Self(bps))
        } else {
            None
        }
    }

    #[inline(always)]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// `floor(amount * bps / 10_000)`: whoever gets the rest keeps the dust.
    #[inline(always)]
    pub const fn of(self, amount: Amount) -> Amount {
        // A u64 times at most 10,000, over 10,000, is a u64 again.
        Amount((amount.0 as u128 * self.0 as u128 / Self::WHOLE as u128) as u64)
    }
}
