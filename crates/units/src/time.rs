//! Moments and durations, both in seconds of the cluster's clock.

/// Seconds since 1970, as the Clock sysvar reports them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct UnixTime(i64);

impl UnixTime {
    #[inline(always)]
    pub const fn new(seconds: i64) -> Self {
        Self(seconds)
    }

    #[inline(always)]
    pub const fn get(self) -> i64 {
        self.0
    }

    #[inline(always)]
    pub fn checked_add(self, wait: Seconds) -> Option<Self> {
        self.0.checked_add(wait.0 as i64).map(Self)
    }
}

/// A length of time in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Seconds(u32);

impl Seconds {
    #[inline(always)]
    pub const fn new(seconds: u32) -> Self {
        Self(seconds)
    }

    #[inline(always)]
    pub const fn get(self) -> u32 {
        self.0
    }
}
