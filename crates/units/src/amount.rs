//! Money and shares of money.

use crate::sum;
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
        sum(self.0, other.0).map(Self)
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
        let (whole, bps) = (Self::WHOLE as u64, self.0 as u64);
        match amount.0 <= u64::MAX / whole {
            true => Amount(amount.0.wrapping_mul(bps) / whole),
            false => self.of_many(amount),
        }
    }

    /// The whole ten-thousands and the rest apart: the same number without a product that does not fit into 64 bits, whose
    /// division would cost a program most of a payment's arithmetic.
    #[cold]
    #[inline(never)]
    const fn of_many(self, amount: Amount) -> Amount {
        let (whole, bps) = (Self::WHOLE as u64, self.0 as u64);
        let (times, rest) = (amount.0 / whole, amount.0 % whole);
        // No more than the amount, since a share is no more than the whole: checking that would take a product of 128 bits.
        Amount(times.wrapping_mul(bps).wrapping_add(rest.wrapping_mul(bps) / whole))
    }
}
