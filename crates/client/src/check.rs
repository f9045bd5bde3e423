//! What a receipt must keep to. Whatever does not is not paid for, and nothing more is asked of such a provider.

use crate::Counted;
use joule_voucher::{Context, Format as _, Hash, Order, Prices, Receipt, Verifier};
use joule_x402::Signed;

/// Why a receipt is not paid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Objection {
    #[error("the receipt is for another channel, cluster or program")]
    Context,
    #[error("the receipt is not signed by the provider")]
    Signature,
    #[error("the receipt has number {got}; only {first} to {last} can be new")]
    Sequence { got: u64, first: u64, last: u64 },
    #[error("the receipt is for another request than the one that was sent")]
    Request,
    #[error("the receipt is for a request that was never sent")]
    Unknown,
    #[error("the receipt is for another answer than the one that came")]
    Response,
    #[error("the receipt asks for {asked}; the price of its usage is {fair}")]
    Overcharged { asked: u64, fair: u64 },
    #[error("the receipt says usage that no amount can pay")]
    Unpayable,
    #[error("the receipt asks for {asked}; the order allowed {allowed}")]
    AboveOrder { asked: u64, allowed: u64 },
    #[error("the receipt came in the place of an answer, to an order that was sent for the first time")]
    Withheld,
    #[error("the receipt says {claimed} {what}; there cannot have been more than {most}")]
    Usage { what: &'static str, claimed: u64, most: u64 },
}

/// What came with a receipt.
#[derive(Debug, Clone, Copy)]
pub enum Answer<'a> {
    /// All of it.
    Whole { hash: &'a Hash, counted: &'a Counted },
    /// All that came, of one that broke off or that is an error.
    Part { hash: &'a Hash, counted: &'a Counted },
    /// It did not come, and its receipt did when the order was sent again.
    Missed(&'a Counted),
    /// There was none: the receipt came when the order was sent for the first time.
    Withheld,
    /// It was lost on its way, and nobody knows the request any more. One request is the most that such a receipt can cost.
    Lost,
}

/// What receipts of one channel are held against.
#[derive(Debug)]
pub struct Rules {
    pub context: Context,
    pub provider: Verifier,
    pub prices: Prices,
}

impl Rules {
    /// Everything but the receipt's number.
    pub fn check(&self, signed: &Signed<Receipt>, order: &Order, answer: &Answer<'_>) -> Result<(), Objection> {
        let receipt = &signed.message;
        if receipt.context != self.context {
            return Err(Objection::Context);
        }
        // First, so that every other objection is one to what the provider has really said.
        self.provider.verify(receipt.as_bytes(), &signed.signature).map_err(|_| Objection::Signature)?;
        if receipt.request_hash != order.request_hash {
            return Err(Objection::Request);
        }
        if let Answer::Whole { hash, .. } | Answer::Part { hash, .. } = answer {
            if receipt.response_hash != **hash {
                return Err(Objection::Response);
            }
        }
        let (asked, allowed) = (receipt.amount.get(), order.max_amount.get());
        // Less is a gift.
        let fair = self.prices.amount(&receipt.usage()).ok_or(Objection::Unpayable)?;
        if asked > fair {
            return Err(Objection::Overcharged { asked: asked.get(), fair: fair.get() });
        }
        if asked > allowed {
            return Err(Objection::AboveOrder { asked: asked.get(), allowed: allowed.get() });
        }
        match answer {
            Answer::Whole { counted, .. } | Answer::Part { counted, .. } => counted.check(&receipt.usage()),
            Answer::Missed(counted) => counted.check_unseen(&receipt.usage()),
            Answer::Withheld => Err(Objection::Withheld),
            Answer::Lost => Ok(()),
        }
    }
}
