//! Dying on purpose, for tests of what survives.
//!
//! `JOULE_CRASH_AT=<point>` (or `--crash-at`) aborts the process, as `kill -9` would, the first time it comes to the
//! point; `<point>:<n>` the n-th time.

use std::{
    str::FromStr,
    sync::{
        atomic::{AtomicU64, Ordering},
        OnceLock,
    },
};

/// Where it hurts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// The subscription stands, nothing has been read.
    AfterSubscribe,
    /// The first snapshot, or one that filled a gap, is stored.
    AfterSnapshot,
    /// Rows are written, the transaction is open.
    MidBatchBeforeCommit,
    /// The transaction is durable, nobody knows yet.
    AfterCommit,
    /// SIGTERM was received, not everything is stored.
    WhileDraining,
}

impl Point {
    pub const ALL: [Self; 5] =
        [Self::AfterSubscribe, Self::AfterSnapshot, Self::MidBatchBeforeCommit, Self::AfterCommit, Self::WhileDraining];

    pub const fn name(self) -> &'static str {
        match self {
            Self::AfterSubscribe => "after-subscribe",
            Self::AfterSnapshot => "after-snapshot",
            Self::MidBatchBeforeCommit => "mid-batch-before-commit",
            Self::AfterCommit => "after-commit",
            Self::WhileDraining => "while-draining",
        }
    }
}

/// A point, and how many times to pass it before dying there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrashAt {
    point: Point,
    nth: u64,
}

impl FromStr for CrashAt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, nth) = text.split_once(':').unwrap_or((text, "1"));
        let point = Point::ALL
            .into_iter()
            .find(|point| point.name() == name)
            .ok_or_else(|| format!("no such point; there are {}", Point::ALL.map(Point::name).join(", ")))?;
        let nth = nth.parse().map_err(|_| format!("{nth:?} is not a number"))?;
        Ok(Self { point, nth })
    }
}

static CRASH_AT: OnceLock<CrashAt> = OnceLock::new();
static PASSED: AtomicU64 = AtomicU64::new(0);

/// Arms one point of this process.
pub fn arm(crash_at: CrashAt) {
    let _ = CRASH_AT.set(crash_at);
}

/// Aborts here if this is the armed point.
pub fn point(point: Point) {
    if let Some(armed) = CRASH_AT.get().filter(|armed| armed.point == point) {
        if PASSED.fetch_add(1, Ordering::SeqCst) + 1 >= armed.nth {
            tracing::error!(point = point.name(), "dying here, as asked");
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_read_by_name_and_count() {
        for point in Point::ALL {
            assert_eq!(point.name().parse(), Ok(CrashAt { point, nth: 1 }));
        }
        assert_eq!("after-commit:20".parse(), Ok(CrashAt { point: Point::AfterCommit, nth: 20 }));
        assert!("after-lunch".parse::<CrashAt>().is_err());
        assert!("after-commit:x".parse::<CrashAt>().is_err());
    }
}
