//! Every way in which a payment is not good enough, by name.

use crate::exact;
use axum::http::StatusCode;
use joule_voucher::Receipt;
use joule_x402::Signed;

/// Why a request is not served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    // Of the channel.
    #[error("there is no such channel on this cluster")]
    UnknownChannel,
    #[error("the channel pays another provider")]
    OtherProvider,
    #[error("the channel is for another model or price list")]
    OtherModel,
    #[error("the channel has settled {settled} receipts and this gateway has given {issued}: open another")]
    Ahead { settled: u64, issued: u64 },
    #[error("the channel was opened at {opened_at}; this gateway serves those opened from {from} on")]
    TooOld { opened_at: i64, from: i64 },
    #[error("the channel wants {asked} basis points of what is earned locked; this gateway locks {most}")]
    Backing { asked: u16, most: u16 },
    #[error("the channel is closing")]
    Closing,
    #[error("the channel closes {grace} seconds after notice; this gateway needs {wanted}")]
    ShortGrace { grace: u32, wanted: u32 },
    #[error("the session ends at {expires_at}, too soon to settle what it pays")]
    SessionEnds { expires_at: i64 },

    // Of the order.
    #[error("an order must come with the request")]
    NoOrder,
    #[error("the order is for another channel, cluster or program")]
    OrderContext,
    #[error("the order is for another request than this body")]
    OrderRequest,
    #[error("the order is not signed by the channel's session key")]
    OrderSignature,
    #[error("the order's nonce is {nonce}; {floor} is the lowest that is remembered, and nonces must grow")]
    OldNonce { nonce: u64, floor: u64 },
    #[error("the order expired at {expires_at}")]
    OrderExpired { expires_at: i64 },
    #[error("the order lives until {expires_at}; at most {most} seconds are taken")]
    OrderTooLong { expires_at: i64, most: i64 },
    #[error("the order allows {allowed}; this request may cost up to {wanted}")]
    OrderTooSmall { allowed: u64, wanted: u64 },
    #[error("this order is being served")]
    Serving,
    #[error("this order was being served when the gateway stopped; it costs nothing, and a new one is needed")]
    Broken,
    #[error(
        "this order was broken off {times} times before its answer began; it costs nothing, and a new one is needed"
    )]
    BrokenOff { times: u32 },
    #[error("this order was served; its receipt comes with this answer")]
    Served(Box<Signed<Receipt>>),

    // Of the voucher.
    #[error("the voucher is for another channel, cluster or program")]
    VoucherContext,
    #[error("the voucher is not signed by the channel's session key")]
    VoucherSignature,
    #[error("the voucher pays for {claimed} receipts; {issued} were given")]
    VoucherAhead { claimed: u64, issued: u64 },
    #[error("the voucher pays {claimed} for receipts that come to {billed}")]
    VoucherSum { claimed: u64, billed: u64 },
    #[error("the voucher counts {claimed} units; the receipts say {used}")]
    VoucherUnits { claimed: u64, used: u64 },
    #[error("the voucher's usage root is not that of the receipts")]
    VoucherRoot,
    #[error("the voucher pays {claimed}; channel and session allow {most}")]
    VoucherAboveLimit { claimed: u64, most: u64 },
    #[error("the voucher lives longer than the session that signs it")]
    VoucherOutlives,
    #[error("the voucher expires at {expires_at}, too soon to be settled: let it live as long as its session")]
    VoucherExpires { expires_at: i64 },
    #[error("there is another voucher with the same sequence: both together are proof of fraud")]
    VoucherConflict,

    // Of what it would come to.
    #[error("{unpaid} receipts are unpaid: pay them with this request's voucher; more at once, {window} at most, is for whoever has paid for as much before, and that is {paid}")]
    Unpaid { unpaid: u64, paid: u64, window: u64 },
    #[error("{serving} requests of this owner are being served, or were broken off by it, and {unpaid} are unpaid: wait for them; more at once, {window} at most, is for whoever has paid for as much before, and that is {paid}")]
    Window { serving: u64, unpaid: u64, paid: u64, window: u64 },
    #[error("{most} bodies of this owner's requests are being read: wait for one of them")]
    Reading { most: usize },
    #[error("{unpaid} receipts of other channels of the same owner are unpaid, and it has paid {paid}: pay them there; of a channel or session that is over they count for a day")]
    Owes { unpaid: u64, paid: u64 },
    #[error("with this request the owner might owe {owed}; this gateway allows {allowed}")]
    Risk { owed: u64, allowed: u64 },
    #[error("with this request the channel might come to {total}; it and its session allow {most}")]
    Deposit { total: u64, most: u64 },
    #[error("{unsettled} are not settled on chain yet; this gateway allows {allowed}: try again soon")]
    Unsettled { unsettled: u64, allowed: u64 },

    /// Of a payment by x402's scheme `exact`.
    #[error(transparent)]
    Exact(#[from] exact::Refusal),
}

impl Refusal {
    /// One word for it, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownChannel => "unknown_channel",
            Self::OtherProvider => "other_provider",
            Self::OtherModel => "other_model",
            Self::Ahead { .. } => "channel_ahead",
            Self::TooOld { .. } => "channel_too_old",
            Self::Backing { .. } => "backing_too_high",
            Self::Closing => "channel_closing",
            Self::ShortGrace { .. } => "short_grace",
            Self::SessionEnds { .. } => "session_ends",
            Self::NoOrder => "no_order",
            Self::OrderContext => "order_context",
            Self::OrderRequest => "order_request",
            Self::OrderSignature => "order_signature",
            Self::OldNonce { .. } => "old_nonce",
            Self::OrderExpired { .. } => "order_expired",
            Self::OrderTooLong { .. } => "order_too_long",
            Self::OrderTooSmall { .. } => "order_too_small",
            Self::Serving => "order_being_served",
            Self::Broken | Self::BrokenOff { .. } => "order_broken",
            Self::Served(_) => "order_served",
            Self::VoucherContext => "voucher_context",
            Self::VoucherSignature => "voucher_signature",
            Self::VoucherAhead { .. } => "voucher_ahead",
            Self::VoucherSum { .. } => "voucher_sum",
            Self::VoucherUnits { .. } => "voucher_units",
            Self::VoucherRoot => "voucher_root",
            Self::VoucherAboveLimit { .. } => "voucher_above_limit",
            Self::VoucherOutlives => "voucher_outlives_session",
            Self::VoucherExpires { .. } => "voucher_expires",
            Self::VoucherConflict => "voucher_conflict",
            Self::Unpaid { .. } => "unpaid",
            Self::Window { .. } | Self::Reading { .. } => "window_full",
            Self::Owes { .. } => "unpaid_elsewhere",
            Self::Risk { .. } => "risk",
            Self::Deposit { .. } => "deposit",
            Self::Unsettled { .. } => "unsettled",
            Self::Exact(refusal) => refusal.code(),
        }
    }

    pub fn status(&self) -> StatusCode {
        match self {
            Self::Serving | Self::Broken | Self::BrokenOff { .. } | Self::Served(_) => StatusCode::CONFLICT,
            _ => StatusCode::PAYMENT_REQUIRED,
        }
    }
}
