//! Where the indexer can be made to die, for tests of what survives.

pub use joule_crash::{arm, point};

/// An armed point of the indexer.
pub type CrashAt = joule_crash::CrashAt<Point>;

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

impl joule_crash::Point for Point {
    const ALL: &'static [Self] = &[
        Self::AfterSubscribe,
        Self::AfterSnapshot,
        Self::MidBatchBeforeCommit,
        Self::AfterCommit,
        Self::WhileDraining,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::AfterSubscribe => "after-subscribe",
            Self::AfterSnapshot => "after-snapshot",
            Self::MidBatchBeforeCommit => "mid-batch-before-commit",
            Self::AfterCommit => "after-commit",
            Self::WhileDraining => "while-draining",
        }
    }
}
