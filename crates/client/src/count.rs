//! What a client counts itself, by the gateway's own rule: a token is at least a byte of text, but for the one that ends an
//! answer; images are those that came; time passed here while it passed there.

use crate::{asked::Asked, Objection};
use joule_voucher::Usage;
use joule_x402::{Weight, END};
use serde_json::Value;
use std::{collections::BTreeSet, time::Duration};

/// Two clocks may differ by this much in what they call a second: one part in so many.
const DRIFT: u64 = 100;
/// And by this much more, milliseconds.
const SLACK: u64 = 20;

/// The most that a receipt can say of one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    request_bytes: u64,
    text: u64,
    images: u64,
    /// That were asked for, as the next.
    most_images: u64,
    most_answers: u64,
    /// Which of several answers came.
    choices: BTreeSet<u64>,
    milliseconds: u64,
}

impl Counted {
    /// Of a request, before its answer.
    pub fn new(asked: &Asked) -> Self {
        Self {
            request_bytes: asked.bytes(),
            most_images: asked.images(),
            most_answers: asked.answers(),
            ..Self::default()
        }
    }

    /// A whole answer, or what one event of a stream carries.
    pub fn add(&mut self, answer: &Value) {
        let weight = Weight::of(answer);
        self.text = self.text.saturating_add(weight.text);
        self.images = self.images.saturating_add(weight.images);
        self.choices.extend(weight.choices);
    }

    /// From the request's first byte to the answer's last.
    pub fn took(&mut self, time: Duration) {
        self.milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    }

    /// Of an answer that came.
    pub fn check(&self, usage: &Usage) -> Result<(), Objection> {
        // No more answers than were asked for, whatever numbers the provider invents.
        let answers = self.most_answers.min(self.choices.len() as u64);
        let output = self.text.saturating_add(END.saturating_mul(answers));
        above("output tokens", usage.output_tokens, output)?;
        above("images", usage.images, self.images.min(self.most_images))?;
        self.check_unseen(usage)
    }

    /// As much as can be known of one that did not.
    pub fn check_unseen(&self, usage: &Usage) -> Result<(), Objection> {
        let milliseconds = self.milliseconds.saturating_add(self.milliseconds / DRIFT).saturating_add(SLACK);
        above("input tokens", usage.input_tokens, self.request_bytes)?;
        above("images", usage.images, self.most_images)?;
        above("milliseconds", usage.milliseconds, milliseconds)
    }
}

fn above(what: &'static str, claimed: u64, most: u64) -> Result<(), Objection> {
    match claimed > most {
        true => Err(Objection::Usage { what, claimed, most }),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn counted() -> Counted {
        let mut counted = Counted::new(&Asked::of("/v1/chat/completions", &[0; 100]));
        counted.add(&json!({"choices": [{"index": 0, "delta": {"role": "assistant", "content": "hello"}}]}));
        counted.add(&json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": null}));
        counted.took(Duration::from_millis(1_000));
        counted
    }

    #[test]
    fn as_many_tokens_as_bytes_can_be_true_and_one_more_cannot() {
        let usage = |input_tokens, output_tokens, images, milliseconds| Usage {
            input_tokens,
            output_tokens,
            images,
            milliseconds,
        };
        assert_eq!(counted().check(&usage(100, 6, 0, 1_030)), Ok(()));
        for (wrong, what, most) in [
            (usage(101, 0, 0, 0), "input tokens", 100),
            (usage(0, 7, 0, 0), "output tokens", 6),
            (usage(0, 0, 1, 0), "images", 0),
            (usage(0, 0, 0, 1_031), "milliseconds", 1_030),
        ] {
            let claimed = most + 1;
            assert_eq!(counted().check(&wrong), Err(Objection::Usage { what, claimed, most }));
        }
    }

    /// A hundred empty answers to one question would cost a hundred tokens.
    #[test]
    fn answers_that_nobody_asked_for_have_no_tokens() {
        for (n, most) in [(1, 1), (3, 3)] {
            let mut counted = Counted::new(&Asked::of("/v1/chat/completions", format!("{{\"n\":{n}}}").as_bytes()));
            for index in 0..100 {
                counted.add(&json!({"choices": [{"index": index, "delta": {}, "finish_reason": "stop"}]}));
            }
            assert_eq!(counted.check(&Usage { output_tokens: most, ..Usage::default() }), Ok(()));
            let objection = Objection::Usage { what: "output tokens", claimed: most + 1, most };
            assert_eq!(counted.check(&Usage { output_tokens: most + 1, ..Usage::default() }), Err(objection));
        }
    }

    #[test]
    fn images_count_when_they_came_and_were_asked_for() {
        let of = |path, body: &Value| Counted::new(&Asked::of(path, body.to_string().as_bytes()));
        let mut counted = of("/v1/images/generations", &json!({"n": 3}));
        counted.add(&json!({"data": [{"b64_json": "AAAA"}, {"url": "http://x"}, {"b64_json": ""}, {}]}));
        assert_eq!(counted.check(&Usage { images: 2, ..Usage::default() }), Ok(()));
        assert!(counted.check(&Usage { images: 3, ..Usage::default() }).is_err());
        assert_eq!(counted.check_unseen(&Usage { images: 3, ..Usage::default() }), Ok(()));
        for (path, n, most) in [("/v1/images/generations", 1, 1), ("/v1/chat/completions", 9, 0)] {
            let mut counted = of(path, &json!({"n": n}));
            counted.add(&json!({"data": [{"url": "a"}, {"url": "b"}, {"url": "c"}]}));
            assert_eq!(counted.check(&Usage { images: most, ..Usage::default() }), Ok(()));
            let claimed = most + 1;
            let objection = Err(Objection::Usage { what: "images", claimed, most });
            assert_eq!(counted.check(&Usage { images: claimed, ..Usage::default() }), objection);
            assert_eq!(counted.check_unseen(&Usage { images: claimed, ..Usage::default() }), objection);
        }
    }
}
