//! What happened to jobs, in the past tense. Amounts in base units of the job's mint, times in Unix seconds.

use crate::payout::Receipt;
use anchor_lang::prelude::*;

#[event(bytemuck)]
pub struct JobOpened {
    pub job: Address,
    pub client: Address,
    pub mint: Address,
    pub spec_hash: [u8; 32],
    pub input_hash: [u8; 32],
    pub id: PodU64,
    pub budget: PodU64,
    pub opened_at: PodI64,
    pub accept_by: PodI64,
    pub work_window: PodU32,
    pub review_window: PodU32,
    pub fee_bps: PodU16,
    /// A `Verification`.
    pub verification: u8,
}

#[event(bytemuck)]
pub struct JobAccepted {
    pub job: Address,
    pub client: Address,
    pub provider: Address,
    pub price: PodU64,
    pub accepted_at: PodI64,
    pub deliver_by: PodI64,
}

#[event(bytemuck)]
pub struct JobDelivered {
    pub job: Address,
    pub provider: Address,
    pub result_hash: [u8; 32],
    pub delivered_at: PodI64,
    pub settle_after: PodI64,
}

/// The provider has earned its price. Amounts are what was paid and what is still owed to an account that could not
/// receive.
#[event(bytemuck)]
pub struct JobSettled {
    pub job: Address,
    pub client: Address,
    pub provider: Address,
    pub mint: Address,
    pub result_hash: [u8; 32],
    pub budget: PodU64,
    pub price: PodU64,
    pub paid_provider: PodU64,
    pub paid_fee: PodU64,
    pub paid_client: PodU64,
    pub owed_provider: PodU64,
    pub owed_fee: PodU64,
    pub owed_client: PodU64,
    pub settled_at: PodI64,
    /// 1 when the client approved, 0 when the review window passed in silence.
    pub approved: u8,
    /// 1 when nothing is owed any more and the accounts are closed.
    pub closed: u8,
}

/// The budget went back to the client.
#[event(bytemuck)]
pub struct JobRefunded {
    pub job: Address,
    pub client: Address,
    /// All zero when nobody had accepted.
    pub provider: Address,
    pub mint: Address,
    pub budget: PodU64,
    pub paid_client: PodU64,
    pub owed_client: PodU64,
    pub refunded_at: PodI64,
    /// 0 cancelled by the client, 1 not accepted in time, 2 not delivered in time.
    pub reason: u8,
    /// 1 when nothing is owed any more and the accounts are closed.
    pub closed: u8,
}

/// Something that a settled or refunded job owed was paid later.
#[event(bytemuck)]
pub struct JobPaid {
    pub job: Address,
    pub paid_provider: PodU64,
    pub paid_fee: PodU64,
    pub paid_client: PodU64,
    pub owed_provider: PodU64,
    pub owed_fee: PodU64,
    pub owed_client: PodU64,
    /// 1 when nothing is owed any more and the accounts are closed.
    pub closed: u8,
}

impl JobPaid {
    #[inline(always)]
    pub(crate) fn new(job: &Address, receipt: &Receipt) -> Self {
        let (paid, owed) = (&receipt.paid, &receipt.owed);
        Self {
            job: *job,
            paid_provider: paid.provider.get().into(),
            paid_fee: paid.fee.get().into(),
            paid_client: paid.client.get().into(),
            owed_provider: owed.provider.get().into(),
            owed_fee: owed.fee.get().into(),
            owed_client: owed.client.get().into(),
            closed: receipt.is_final() as u8,
        }
    }
}

/// A payee named another token account.
#[event(bytemuck)]
pub struct JobRedirected {
    pub job: Address,
    pub by: Address,
    pub account: Address,
}

joule_events::any_event!(JobOpened, JobAccepted, JobDelivered, JobSettled, JobRefunded, JobPaid, JobRedirected,);
