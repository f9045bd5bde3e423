//! Bringing in what one transaction pays: signed as the fee payer, sent, and looked up until the chain has decided.

use super::{failures::Failures, purse::Purse, refusal::Refusal, under_way::Mark, Exact};
use crate::{crash, reply::Failure, serve::Unserved, telemetry};
use futures::future::BoxFuture;
use joule_sdk::{
    transaction::{Fate, VersionedTransaction},
    Pubkey, SdkError, Signature,
};
use joule_voucher::Usage;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// How often a transaction that was sent is looked up.
const POLL: Duration = Duration::from_millis(100);

/// Who takes transactions, and knows what became of them: the chain.
pub trait Cashier: Send + Sync {
    /// Token accounts, in the order of their addresses.
    fn purses<'a>(&'a self, addresses: &'a [Pubkey]) -> BoxFuture<'a, Result<Vec<Option<Purse>>, SdkError>>;
    fn fate<'a>(&'a self, signature: &'a Signature) -> BoxFuture<'a, Result<Fate, SdkError>>;
    /// What would come of it.
    fn rehearse<'a>(&'a self, transaction: &'a VersionedTransaction) -> BoxFuture<'a, Result<(), SdkError>>;
    /// `Program` and `Refused` mean that it went nowhere; any other error leaves that open.
    fn hand_in<'a>(&'a self, transaction: &'a VersionedTransaction) -> BoxFuture<'a, Result<(), SdkError>>;
}

/// A payment that was found good, and is taken when its answer is there.
pub struct Charge {
    cashier: Arc<dyn Cashier>,
    /// With both signatures.
    transaction: VersionedTransaction,
    mark: Mark,
    failures: Arc<Failures>,
    /// Whose tokens they are.
    pub payer: Pubkey,
    /// What it is billed for: all that the request may use.
    pub bought: Usage,
    confirm: Duration,
    taken: bool,
}

impl Exact {
    pub(super) fn charge(
        &self,
        transaction: VersionedTransaction,
        payer: Pubkey,
        bought: Usage,
        confirm: Duration,
    ) -> Result<Charge, Refusal> {
        let mark = self.under_way.begin(transaction.signatures[0], payer)?;
        let (cashier, failures) = (self.cashier.clone(), self.failures.clone());
        Ok(Charge { cashier, transaction, mark, failures, payer, bought, confirm, taken: false })
    }
}

impl Charge {
    pub fn signature(&self) -> Signature {
        self.transaction.signatures[0]
    }

    /// Whether the money has come.
    pub fn is_taken(&self) -> bool {
        self.taken
    }

    /// Whether the chain has not seen it yet and would let it through, as far as anybody can say beforehand.
    pub async fn foresee(&self, unsigned: &VersionedTransaction) -> Result<(), Unserved> {
        match self.cashier.fate(&self.signature()).await {
            Ok(Fate::Unknown) => {}
            Ok(_) => return Err(refused(Refusal::Used)),
            Err(error) => return Err(unasked(&error)),
        }
        match self.cashier.rehearse(unsigned).await {
            Ok(()) => Ok(()),
            Err(error) if error.is_transient() => Err(unasked(&error)),
            Err(error) => Err(refused(Refusal::WouldFail(error.to_string()))),
        }
    }

    /// Sends it, and returns once it is confirmed. After any error nothing may be given for it.
    pub async fn take(&mut self) -> Result<(), Unserved> {
        let signature = self.signature();
        let deadline = Instant::now() + self.confirm;
        self.mark.sent();
        crash::point(crash::Point::BeforeExactSent);
        if let Err(error) = self.cashier.hand_in(&self.transaction).await {
            let went_nowhere = matches!(error, SdkError::Program(_) | SdkError::Refused { .. });
            // Refused it is too when it is there already: an earlier try may have got through.
            if went_nowhere && matches!(self.cashier.fate(&signature).await, Ok(Fate::Unknown)) {
                return self.over("refused", Err(refused(Refusal::Failed(error.to_string()))));
            }
            tracing::warn!(%signature, %error, "a payment may have been sent or not; it is looked for");
        }
        loop {
            match self.cashier.fate(&signature).await {
                Ok(Fate::Confirmed) => {
                    self.taken = true;
                    return self.over("confirmed", Ok(()));
                }
                Ok(Fate::Failed(error)) => {
                    self.failures.count();
                    return self.over("failed", Err(refused(Refusal::Failed(error.to_string()))));
                }
                Ok(Fate::Unknown | Fate::Processed) | Err(_) if Instant::now() < deadline => {
                    tokio::time::sleep(POLL).await;
                }
                Ok(Fate::Unknown | Fate::Processed) | Err(_) => {
                    tracing::error!(%signature, payer = %self.payer,
                        "nobody knows what became of a payment: nothing is given for it, and it may have paid");
                    return self.over("unknown", Err(Failure::Unconfirmed(signature.to_string()).into()));
                }
            }
        }
    }

    fn over(&self, outcome: &'static str, result: Result<(), Unserved>) -> Result<(), Unserved> {
        metrics::counter!(telemetry::TRANSACTIONS, "kind" => "exact", "outcome" => outcome).increment(1);
        result
    }
}

fn refused(refusal: Refusal) -> Unserved {
    Unserved::Refused(refusal.into(), None)
}

fn unasked(error: &SdkError) -> Unserved {
    tracing::warn!(%error, "the chain cannot be asked about a payment");
    Failure::Chain.into()
}
