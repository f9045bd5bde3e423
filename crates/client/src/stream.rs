//! An answer that comes in events, and the receipt at its end.

use crate::Counted;
use joule_voucher::Hash;
use joule_x402::{
    decode,
    sse::{self, Splitter},
    Settlement, RECEIPT_COMMENT,
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Reads a stream as it comes: what is to be shown, what is hashed, what is counted.
#[derive(Debug)]
pub struct Stream {
    splitter: Splitter,
    hash: Sha256,
    counted: Counted,
    /// The last thing that looked like a receipt, and the hash of all bytes before it.
    receipt: Option<(Settlement, Hash)>,
    done: bool,
    failed: bool,
}

impl Stream {
    /// Of a request that was counted.
    pub fn new(counted: Counted) -> Self {
        Self { splitter: Splitter::default(), hash: Sha256::new(), counted, receipt: None, done: false, failed: false }
    }

    /// Adds what came in; returns what events say, in JSON.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        self.splitter.push(bytes);
        let mut said = Vec::new();
        while let Some(event) = self.splitter.next_event() {
            said.extend(self.event(&event));
        }
        said
    }

    fn event(&mut self, event: &[u8]) -> Option<String> {
        let data = sse::data(event);
        if data == sse::DONE {
            self.done = true;
            return None;
        }
        // A model may write the same words: the receipt is what nothing else comes after.
        let hash = self.hash.clone().finalize().into();
        self.receipt = settlement(event).map(|settlement| (settlement, hash));
        self.hash.update(event);
        if data.is_empty() {
            return None;
        }
        if let Ok(json) = serde_json::from_str(&data) {
            self.counted.add(&json);
            self.failed |= is_error(&json);
            // Not every server says that it is done.
            self.done |= json["choices"].as_array().is_some_and(|all| all.iter().any(is_finished));
        }
        Some(data)
    }

    /// The receipt, the hash that it must name, and what was counted; `None` when the stream broke off before it.
    pub fn end(self) -> Option<(Settlement, Hash, Counted)> {
        self.receipt.map(|(settlement, hash)| (settlement, hash, self.counted))
    }

    /// Whether the model had said all it had to say, and not that it failed.
    pub fn is_done(&self) -> bool {
        self.done && !self.failed
    }
}

/// What a server says instead of an answer, whatever the status.
pub fn is_error(json: &Value) -> bool {
    match json.get("error") {
        // Many servers send the field with every answer.
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Object(fields)) => !fields.is_empty(),
        Some(_) => true,
    }
}

fn is_finished(choice: &Value) -> bool {
    choice.get("finish_reason").is_some_and(|reason| !reason.is_null())
}

fn settlement(event: &[u8]) -> Option<Settlement> {
    let comment = event.strip_prefix(RECEIPT_COMMENT.as_bytes())?;
    decode(comment.trim_ascii_end()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Asked;
    use joule_voucher::hashv;
    use joule_x402::encode;

    fn receipt() -> String {
        let settlement = Settlement {
            success: true,
            error_reason: None,
            payer: None,
            transaction: String::new(),
            network: "solana:x".into(),
            extra: None,
        };
        format!("{RECEIPT_COMMENT}{}\n\n", encode(&settlement))
    }

    const EVENT: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";

    #[test]
    fn the_hash_is_of_everything_before_the_receipt_however_it_is_cut() {
        let whole = format!("{EVENT}{EVENT}{}data: [DONE]\n\n", receipt());
        for size in [1, 7, whole.len()] {
            let mut stream = Stream::new(Counted::new(&Asked::of("", b"")));
            let said: Vec<_> = whole.as_bytes().chunks(size).flat_map(|piece| stream.push(piece)).collect();
            assert_eq!(said.len(), 2);
            assert!(stream.is_done());
            let (_, hash, counted) = stream.end().unwrap();
            assert_eq!(hash, hashv(&[EVENT.as_bytes(), EVENT.as_bytes()]));
            let mut twice = Counted::new(&Asked::of("", b""));
            [EVENT, EVENT].iter().for_each(|event| twice.add(&serde_json::from_str(&event[6..]).unwrap()));
            assert_eq!(counted, twice);
        }
    }

    #[test]
    fn a_receipt_that_the_model_writes_itself_is_part_of_the_answer() {
        let mut stream = Stream::new(Counted::new(&Asked::of("", b"")));
        stream.push(format!("{}{EVENT}{}", receipt(), receipt()).as_bytes());
        assert_eq!(stream.end().unwrap().1, hashv(&[receipt().as_bytes(), EVENT.as_bytes()]));
    }

    #[test]
    fn a_stream_is_done_when_it_says_so_or_every_answer_has_a_reason_to_end() {
        let done = |events: &str| {
            let mut stream = Stream::new(Counted::new(&Asked::of("", b"")));
            stream.push(format!("{EVENT}{events}{}", receipt()).as_bytes());
            stream.is_done()
        };
        let end = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
        let error = "data: {\"error\":{\"message\":\"out of memory\"}}\n\n";
        assert!(!done("") && !done(error) && !done(&format!("{error}data: [DONE]\n\n")));
        assert!(done(end) && done("data: [DONE]\n\n") && done("data: {\"error\":null}\n\ndata: [DONE]\n\n"));
    }

    #[test]
    fn a_stream_that_breaks_off_has_no_receipt() {
        let mut stream = Stream::new(Counted::new(&Asked::of("", b"")));
        stream.push(format!("{EVENT}{}", receipt().trim_end()).as_bytes());
        assert!(!stream.is_done());
        assert!(stream.end().is_none());
    }
}
