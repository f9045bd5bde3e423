//! Where the gateway can be made to die, for tests of what neither side may lose.

pub use joule_crash::{arm, point};

/// An armed point of the gateway.
pub type CrashAt = joule_crash::CrashAt<Point>;

/// Where it hurts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// A request was let in; nothing of it is on disk.
    AfterAdmission,
    /// The order of a stream is on disk, none of the answer was sent.
    AfterOrderStored,
    /// Some of a stream was sent.
    MidStream,
    /// Rows are written, the transaction is open.
    BeforeCommit,
    /// The transaction is durable, nobody knows yet.
    AfterCommit,
    /// The receipt is on disk, the client does not have it.
    BeforeReceiptSent,
    /// A client's transaction is signed, and not sent yet.
    BeforeExactSent,
    /// It is confirmed, and nothing of it is billed.
    AfterExactTaken,
    /// A voucher was sent to the chain, its fate is unknown.
    AfterSettleSent,
    /// SIGTERM was received, requests are still being served.
    WhileDraining,
}

impl joule_crash::Point for Point {
    const ALL: &'static [Self] = &[
        Self::AfterAdmission,
        Self::AfterOrderStored,
        Self::MidStream,
        Self::BeforeCommit,
        Self::AfterCommit,
        Self::BeforeReceiptSent,
        Self::BeforeExactSent,
        Self::AfterExactTaken,
        Self::AfterSettleSent,
        Self::WhileDraining,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::AfterAdmission => "after-admission",
            Self::AfterOrderStored => "after-order-stored",
            Self::MidStream => "mid-stream",
            Self::BeforeCommit => "before-commit",
            Self::AfterCommit => "after-commit",
            Self::BeforeReceiptSent => "before-receipt-sent",
            Self::BeforeExactSent => "before-exact-sent",
            Self::AfterExactTaken => "after-exact-taken",
            Self::AfterSettleSent => "after-settle-sent",
            Self::WhileDraining => "while-draining",
        }
    }
}
