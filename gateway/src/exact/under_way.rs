//! Which transactions are paying for a request now, or have just been sent: each pays for one. Of one payer there is one at a
//! time, or of many that all spend the same tokens the first would pay and the others cost their fees.

use super::refusal::Refusal;
use joule_sdk::{Pubkey, Signature};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// For how long a transaction is remembered that was sent: twice as long as its blockhash is good. From then on it can land no
/// more, and if it has landed the chain says so.
const REMEMBERED: Duration = Duration::from_secs(180);

/// By the fee payer's signature, which only the gateway can make, and always makes the same.
#[derive(Debug, Default)]
pub struct UnderWay(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    transactions: HashMap<Signature, Option<Instant>>,
    /// Who pays with one that has not ended.
    payers: HashSet<Pubkey>,
}

/// One of them. Dropped before it was sent, it was never there.
#[derive(Debug)]
pub struct Mark {
    all: Arc<UnderWay>,
    signature: Signature,
    payer: Pubkey,
    sent: bool,
}

impl UnderWay {
    pub fn begin(self: &Arc<Self>, signature: Signature, payer: Pubkey) -> Result<Mark, Refusal> {
        let now = Instant::now();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.transactions.retain(|_, until| until.is_none_or(|until| until > now));
        if known.transactions.contains_key(&signature) {
            return Err(Refusal::Duplicate);
        }
        if !known.payers.insert(payer) {
            return Err(Refusal::PayerBusy);
        }
        known.transactions.insert(signature, None);
        Ok(Mark { all: self.clone(), signature, payer, sent: false })
    }
}

impl Mark {
    /// It is about to be sent.
    pub fn sent(&mut self) {
        self.sent = true;
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        let mut known = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.payers.remove(&self.payer);
        match self.sent {
            true => known.transactions.insert(self.signature, Some(Instant::now() + REMEMBERED)),
            false => known.transactions.remove(&self.signature),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_pays_for_one_request_at_a_time_and_once_it_was_sent_for_no_other() {
        let all = Arc::<UnderWay>::default();
        let (signature, payer) = (Signature::from([7; 64]), Pubkey::new_from_array([1; 32]));
        let first = all.begin(signature, payer).unwrap();
        assert_eq!(all.begin(signature, payer).unwrap_err(), Refusal::Duplicate);
        let other = Pubkey::new_from_array([2; 32]);
        assert!(all.begin(Signature::from([8; 64]), other).is_ok(), "another one is not concerned");
        drop(first);
        let mut again = all.begin(signature, payer).expect("nothing was sent");
        again.sent();
        drop(again);
        assert_eq!(all.begin(signature, payer).unwrap_err(), Refusal::Duplicate);
    }

    #[test]
    fn tokens_that_are_being_spent_are_not_spent_again_at_the_gateways_cost() {
        let all = Arc::<UnderWay>::default();
        let payer = Pubkey::new_from_array([1; 32]);
        let mut first = all.begin(Signature::from([7; 64]), payer).unwrap();
        first.sent();
        assert_eq!(all.begin(Signature::from([8; 64]), payer).unwrap_err(), Refusal::PayerBusy);
        drop(first);
        assert!(all.begin(Signature::from([8; 64]), payer).is_ok());
    }
}
