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
        // A wait is never negative, so that a sum that is earlier has overflowed: half of what the VM pays to find out in
        // general.
        let later = self.0.wrapping_add(wait.0 as i64);
        if later >= self.0 {
            Some(Self(later))
        } else {
            None
        }
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
