//! Which transactions are paying for a request now, or have just been sent: each pays for one.

use super::refusal::Refusal;
use joule_sdk::Signature;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// For how long a transaction is remembered that was sent: twice as long as its blockhash is good. From then on it can land no
/// more, and if it has landed the chain says so.
const REMEMBERED: Duration = Duration::from_secs(180);

/// By the fee payer's signature, which only the gateway can make, and always makes the same.
#[derive(Debug, Default)]
pub struct UnderWay(Mutex<HashMap<Signature, Option<Instant>>>);

/// One of them. Dropped before it was sent, it was never there.
#[derive(Debug)]
pub struct Mark {
    all: Arc<UnderWay>,
    signature: Signature,
    sent: bool,
}

impl UnderWay {
    pub fn begin(self: &Arc<Self>, signature: Signature) -> Result<Mark, Refusal> {
        let now = Instant::now();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, until| until.is_none_or(|until| until > now));
        match all.contains_key(&signature) {
            true => Err(Refusal::Duplicate),
            false => {
                all.insert(signature, None);
                Ok(Mark { all: self.clone(), signature, sent: false })
            }
        }
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
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        match self.sent {
            true => all.insert(self.signature, Some(Instant::now() + REMEMBERED)),
            false => all.remove(&self.signature),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_pays_for_one_request_at_a_time_and_once_it_was_sent_for_no_other() {
        let all = Arc::<UnderWay>::default();
        let signature = Signature::from([7; 64]);
        let first = all.begin(signature).unwrap();
        assert_eq!(all.begin(signature).unwrap_err(), Refusal::Duplicate);
        assert!(all.begin(Signature::from([8; 64])).is_ok(), "another one is not concerned");
        drop(first);
        let mut again = all.begin(signature).expect("nothing was sent");
        again.sent();
        drop(again);
        assert_eq!(all.begin(signature).unwrap_err(), Refusal::Duplicate);
    }
}
