//! How much was used: what the upstream says, bounded by what really went through.
//!
//! The rule, which a client can repeat on the bytes it has:
//!
//! - *Output*: `completion_tokens` of the upstream's usage, but no more than the bytes of text that were sent, and one
//!   for each choice: a token is at least a byte, except the one that ends an answer. Where there is no usage (the stream
//!   broke off, the client went away) it is the text's bytes divided by `bytes_per_token`, rounded up.
//! - *Input*: `prompt_tokens`, but no more than the bytes of the request's body; without usage, the bytes of its text
//!   divided by `bytes_per_token`, rounded up. A prompt that is echoed is no output.
//! - *Images*: those that are in the answer, whatever is claimed.
//! - *Time*: from the request to the upstream until its last byte, by the gateway's own clock.
//!
//! Text that was not sent is not counted: hidden reasoning is the provider's own affair.

use crate::openai::Request;
use joule_voucher::Usage;
use joule_x402::{Weight, END};
use serde_json::Value;
use std::{collections::BTreeSet, time::Duration};

/// One piece of an answer, weighed before it is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Piece {
    weight: Weight,
    /// The answers that end with it.
    finished: Vec<u64>,
    claim: Option<Claim>,
}

/// What an upstream says was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Claim {
    input: u64,
    output: u64,
}

impl Piece {
    /// A whole answer, or what an event of a stream carries.
    pub fn weigh(answer: &Value) -> Self {
        let choices = answer.get("choices").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let ends =
            |choice: &&Value| choice.get("finish_reason").and_then(Value::as_str).is_some_and(|it| !it.is_empty());
        let index = |choice: &Value| choice.get("index").and_then(Value::as_u64).unwrap_or(0);
        Self {
            weight: Weight::of(answer),
            finished: choices.iter().filter(ends).map(index).collect(),
            claim: answer.get("usage").and_then(Claim::read),
        }
    }

    /// Whether there is anything in it for whoever asked: words, an image, or that there is no more to come.
    pub fn says_something(&self) -> bool {
        self.weight.text > 0 || self.weight.images > 0 || !self.finished.is_empty()
    }

    /// Whether it carries usage and nothing else, as the last event of a stream does that was asked for it.
    pub fn is_usage_alone(&self) -> bool {
        self.claim.is_some() && self.weight.choices.is_empty() && self.weight.images == 0
    }
}

impl Claim {
    fn read(usage: &Value) -> Option<Self> {
        let number = |field| usage.get(field).and_then(Value::as_u64);
        // Embeddings have no output.
        Some(Self { input: number("prompt_tokens")?, output: number("completion_tokens").unwrap_or(0) })
    }
}

/// Counts one answer.
#[derive(Debug, Clone)]
pub struct Meter {
    request_bytes: u64,
    request_text: u64,
    bytes_per_token: u64,
    /// Answers.
    asked: u64,
    /// Bytes of text that are the request's own, and come back with the answers.
    echoed: u64,
    text: u64,
    images: u64,
    choices: BTreeSet<u64>,
    finished: BTreeSet<u64>,
    claim: Option<Claim>,
}

impl Meter {
    pub fn new(request: &Request, bytes_per_token: u64) -> Self {
        Self {
            request_bytes: request.bytes,
            request_text: request.text_bytes,
            bytes_per_token: bytes_per_token.max(1),
            asked: request.choices,
            echoed: if request.echo { request.text_bytes.saturating_mul(request.choices) } else { 0 },
            text: 0,
            images: 0,
            choices: BTreeSet::new(),
            finished: BTreeSet::new(),
            claim: None,
        }
    }

    /// A piece was handed to the client.
    pub fn sent(&mut self, piece: &Piece) {
        self.text = self.text.saturating_add(piece.weight.text);
        self.images = self.images.saturating_add(piece.weight.images);
        // Some upstreams repeat what was used so far with every event: the last word counts.
        self.claim = piece.claim.or(self.claim);
        self.choices.extend(&piece.weight.choices);
        self.finished.extend(&piece.finished);
    }

    /// Whether every answer that has begun has ended.
    pub fn has_finished(&self) -> bool {
        !self.finished.is_empty() && self.choices.is_subset(&self.finished)
    }

    /// What an upstream said that is not passed on.
    pub fn heard(&mut self, piece: &Piece) {
        self.claim = piece.claim.or(self.claim);
    }

    /// What the client owes for.
    pub fn usage(&self, took: Duration) -> Usage {
        let guess = |bytes: u64| bytes.div_ceil(self.bytes_per_token);
        // No more answers than were asked for, whatever numbers the upstream invents.
        let answers = self.asked.min(self.choices.len() as u64);
        let most = self.text.saturating_add(END * answers);
        let (input_tokens, output_tokens) = match self.claim {
            Some(claim) => (claim.input.min(self.request_bytes), claim.output.min(most)),
            None => (guess(self.request_text), guess(self.text.saturating_sub(self.echoed))),
        };
        let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        Usage { input_tokens, output_tokens, images: self.images, milliseconds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openai::Endpoint;
    use serde_json::json;

    fn meter() -> Meter {
        let body = json!({"model": "m", "messages": [{"role": "user", "content": "12345678"}]}).to_string();
        Meter::new(&Request::read(Endpoint::Chat, body.into()).unwrap(), 4)
    }

    fn delta(text: &str) -> Piece {
        Piece::weigh(
            &json!({"choices": [{"index": 0, "delta": {"role": "assistant", "content": text}}], "usage": null}),
        )
    }

    fn tokens(meter: &Meter) -> (u64, u64) {
        let usage = meter.usage(Duration::ZERO);
        (usage.input_tokens, usage.output_tokens)
    }

    #[test]
    fn the_upstreams_count_is_taken_when_it_can_be_true() {
        let mut meter = meter();
        meter.sent(&delta("hello world"));
        meter.sent(&Piece::weigh(&json!({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 3}})));
        assert_eq!(tokens(&meter), (9, 3));
    }

    #[test]
    fn a_claim_is_bounded_by_what_went_through() {
        let mut meter = meter();
        meter.sent(&delta("hello"));
        let lie = json!({"choices": [], "usage": {"prompt_tokens": u64::MAX, "completion_tokens": u64::MAX}});
        meter.heard(&Piece::weigh(&lie));
        let (input, output) = tokens(&meter);
        assert_eq!(input, meter.request_bytes);
        assert_eq!(output, 5 + 1, "a token is at least a byte, but for the one that ends the answer");
    }

    #[test]
    fn without_a_claim_the_text_itself_is_counted() {
        let mut meter = meter();
        assert_eq!(tokens(&meter), (2, 0));
        meter.sent(&delta("hello"));
        assert_eq!(tokens(&meter), (2, 2));
    }

    #[test]
    fn a_claim_that_is_no_number_is_none() {
        for usage in [json!({"prompt_tokens": -1}), json!({"prompt_tokens": "9"}), json!([]), json!(null), json!({})] {
            assert_eq!(Piece::weigh(&json!({ "usage": usage })), Piece::default());
        }
    }

    #[test]
    fn every_kind_of_text_counts_and_names_do_not() {
        let calls = json!({"choices": [{"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant",
            "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}}]});
        assert_eq!(Piece::weigh(&calls).weight.text, 3);
        assert_eq!(Piece::weigh(&json!({"choices": [{"index": 0, "text": "abc"}]})).weight.text, 3);
    }

    #[test]
    fn images_are_those_in_the_answer() {
        let answer = json!({"data": [{"b64_json": "AAAA"}, {"url": "http://x"}, {"b64_json": ""}, {}], "usage": null});
        let mut meter = meter();
        meter.sent(&Piece::weigh(&answer));
        assert_eq!(meter.usage(Duration::from_millis(1_500)).images, 2);
        assert_eq!(meter.usage(Duration::from_millis(1_500)).milliseconds, 1_500);
    }

    #[test]
    fn many_choices_of_nothing_are_not_many_tokens() {
        // An upstream that invents choices to raise the bound.
        let mut meter = meter();
        for index in 0..3 {
            meter.sent(&Piece::weigh(&json!({"choices": [{"index": index, "delta": {}}]})));
        }
        meter.heard(&Piece::weigh(&json!({"usage": {"prompt_tokens": 1, "completion_tokens": 1_000}})));
        assert_eq!(tokens(&meter).1, 1, "no more than the one that was asked for");
    }

    #[test]
    fn roles_and_empty_words_are_no_answer() {
        let says = |choice: Value| Piece::weigh(&json!({ "choices": [choice] })).says_something();
        assert!(!says(json!({"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": null})));
        assert!(!says(json!({"index": 0, "delta": {}, "finish_reason": ""})));
        assert!(!Piece::weigh(&json!({"choices": [], "usage": {"prompt_tokens": 9}})).says_something());
        assert!(says(json!({"index": 0, "delta": {"content": " "}})));
        assert!(says(json!({"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"name": "f"}}]}})));
        assert!(says(json!({"index": 0, "delta": {}, "finish_reason": "stop"})), "an answer may be empty");
    }

    #[test]
    fn a_stream_has_finished_when_every_answer_that_began_has() {
        let mut meter = meter();
        let end = |index: u64| Piece::weigh(&json!({"choices": [{"index": index, "finish_reason": "stop"}]}));
        assert!(!meter.has_finished());
        meter.sent(&delta("hello"));
        meter.sent(&end(1));
        assert!(!meter.has_finished());
        meter.sent(&end(0));
        assert!(meter.has_finished());
    }

    #[test]
    fn a_prompt_that_is_echoed_is_no_output() {
        let body = json!({"model": "m", "prompt": "12345678", "echo": true, "n": 2});
        let mut meter = Meter::new(&Request::read(Endpoint::Completions, body.to_string().into()).unwrap(), 4);
        meter.sent(&Piece::weigh(
            &json!({"choices": [{"index": 0, "text": "12345678abcd"}, {"index": 1, "text": "12345678"}]}),
        ));
        assert_eq!(tokens(&meter), (2, 1));
    }
}
