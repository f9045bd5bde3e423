//! Dying on purpose, for tests of what survives.
//!
//! `JOULE_CRASH_AT=<point>` (or `--crash-at`) aborts the process, as `kill -9` would, the first time it comes to the
//! point; `<point>:<n>` the n-th time. Each service has an enum of its own points.

use std::{
    str::FromStr,
    sync::{
        atomic::{AtomicU64, Ordering},
        OnceLock,
    },
};

/// Where it hurts, in one service.
pub trait Point: Copy + Eq + 'static {
    const ALL: &'static [Self];

    fn name(self) -> &'static str;
}

/// A point, and how many times to pass it before dying there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrashAt<P> {
    point: P,
    nth: u64,
}

impl<P: Point> FromStr for CrashAt<P> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, nth) = text.split_once(':').unwrap_or((text, "1"));
        let point = P::ALL.iter().copied().find(|point| point.name() == name).ok_or_else(|| {
            let names: Vec<_> = P::ALL.iter().map(|point| point.name()).collect();
            format!("no such point; there are {}", names.join(", "))
        })?;
        let nth = nth.parse().map_err(|_| format!("{nth:?} is not a number"))?;
        Ok(Self { point, nth })
    }
}

/// The armed point's name; a process is one service, so that names do not clash.
static ARMED: OnceLock<(&'static str, u64)> = OnceLock::new();
static PASSED: AtomicU64 = AtomicU64::new(0);

/// Arms one point of this process.
pub fn arm<P: Point>(crash_at: CrashAt<P>) {
    let _ = ARMED.set((crash_at.point.name(), crash_at.nth));
}

/// Aborts here if this is the armed point.
pub fn point<P: Point>(point: P) {
    if let Some((name, nth)) = ARMED.get().filter(|(name, _)| *name == point.name()) {
        if PASSED.fetch_add(1, Ordering::SeqCst) + 1 >= *nth {
            tracing::error!(point = name, "dying here, as asked");
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Meal {
        Breakfast,
        AfterLunch,
    }

    impl Point for Meal {
        const ALL: &'static [Self] = &[Self::Breakfast, Self::AfterLunch];

        fn name(self) -> &'static str {
            match self {
                Self::Breakfast => "breakfast",
                Self::AfterLunch => "after-lunch",
            }
        }
    }

    #[test]
    fn points_are_read_by_name_and_count() {
        for point in Meal::ALL {
            assert_eq!(point.name().parse(), Ok(CrashAt { point: *point, nth: 1 }));
        }
        assert_eq!("after-lunch:20".parse(), Ok(CrashAt { point: Meal::AfterLunch, nth: 20 }));
        assert!("dinner".parse::<CrashAt<Meal>>().unwrap_err().contains("breakfast, after-lunch"));
        assert!("breakfast:x".parse::<CrashAt<Meal>>().is_err());
    }
}
