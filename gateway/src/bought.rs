//! Where an answer stops: at the end of what was bought, whatever the upstream sends.
//!
//! Nobody but the upstream can count its tokens, and it may not keep to what it was asked for. What can be seen here is text: an
//! answer is cut when it has more of it than its tokens can have in any language.

use crate::openai::{Endpoint, Request};
use joule_voucher::Usage;
use joule_x402::shorten;
use serde_json::Value;

/// A token of an honest answer has at most so many times the `bytes_per_token` of its model, on average.
const LONG: u64 = 4;

/// What is left of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bought {
    /// Bytes of text.
    text: u64,
    images: u64,
}

impl Bought {
    /// `most` is all that the request may use.
    pub fn of(request: &Request, most: &Usage, bytes_per_token: u64) -> Self {
        let token = bytes_per_token.saturating_mul(LONG);
        let text = most.output_tokens.saturating_mul(token);
        match request.endpoint {
            // Vectors have no end that an order could set.
            Endpoint::Embeddings => Self { text: u64::MAX, images: u64::MAX },
            // The prompt comes back, in each answer.
            _ if request.echo => {
                let prompt = request.bytes.saturating_mul(token).saturating_mul(request.choices);
                Self { text: text.saturating_add(prompt), images: most.images }
            }
            _ => Self { text, images: most.images },
        }
    }

    /// Takes a whole answer, or what an event carries, out of what is left. What is beyond is cut off; returns whether there was any.
    pub fn cut(&mut self, answer: &mut Value) -> bool {
        let mut is_cut = false;
        if let Some(Value::Array(choices)) = answer.get_mut("choices") {
            for choice in choices {
                let said = ["delta", "message", "text"].into_iter();
                let is_beyond = said.fold(false, |is_cut, field| match choice.get_mut(field) {
                    Some(said) => shorten(said, &mut self.text) | is_cut,
                    None => is_cut,
                });
                if is_beyond {
                    choice["finish_reason"] = "length".into();
                    is_cut = true;
                }
            }
        }
        if let Some(Value::Array(images)) = answer.get_mut("data") {
            let most = usize::try_from(self.images).unwrap_or(usize::MAX);
            is_cut |= images.len() > most;
            images.truncate(most);
            self.images = self.images.saturating_sub(images.len() as u64);
        }
        is_cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn bought(endpoint: Endpoint, body: &Value, most: Usage) -> Bought {
        Bought::of(&Request::read(endpoint, body.to_string().into()).unwrap(), &most, 4)
    }

    #[test]
    fn an_answer_is_cut_where_its_tokens_can_have_no_more_text() {
        let most = Usage { output_tokens: 2, ..Usage::default() };
        let mut left = bought(Endpoint::Chat, &json!({"model": "m"}), most);
        let delta = |text: &str| json!({"choices": [{"index": 0, "delta": {"role": "assistant", "content": text}}]});
        let mut first = delta("0123456789");
        assert!(!left.cut(&mut first));
        assert_eq!(first, delta("0123456789"));
        let mut second = delta(&"ä".repeat(100));
        assert!(left.cut(&mut second), "32 bytes were bought");
        assert_eq!(second["choices"][0]["delta"]["content"], "ä".repeat(11));
        assert_eq!(second["choices"][0]["finish_reason"], "length");
        let mut third = delta("a");
        assert!(left.cut(&mut third));
        assert_eq!(third["choices"][0]["delta"]["content"], "");
        assert!(!left.cut(&mut json!({"choices": [{"index": 0, "delta": {}}], "usage": null})));
    }

    #[test]
    fn every_kind_of_text_is_cut() {
        let most = Usage { output_tokens: 1, ..Usage::default() };
        let call = json!([{"function": {"name": "f", "arguments": "0123456789abcdef"}, "type": "function", "id": "a"}]);
        let mut answer =
            json!({"choices": [{"message": {"reasoning_content": "0123", "tool_calls": call}}, {"text": "abc"}]});
        assert!(bought(Endpoint::Chat, &json!({"model": "m"}), most).cut(&mut answer));
        assert_eq!(joule_x402::Weight::of(&answer).text, 16);
    }

    #[test]
    fn images_beyond_those_that_were_bought_are_left_out() {
        let most = Usage { images: 2, ..Usage::default() };
        let mut answer = json!({"data": [{"url": "a"}, {"url": "b"}, {"url": "c"}]});
        assert!(bought(Endpoint::Images, &json!({"model": "m", "n": 2}), most).cut(&mut answer));
        assert_eq!(answer["data"], json!([{"url": "a"}, {"url": "b"}]));
        let mut vectors = json!({"data": [{"embedding": "AAAA"}, {"embedding": "AAAA"}]});
        assert!(!bought(Endpoint::Embeddings, &json!({"model": "m"}), Usage::default()).cut(&mut vectors));
    }

    #[test]
    fn a_prompt_that_is_echoed_is_no_answer_beyond_what_was_bought() {
        let most = Usage { output_tokens: 1, ..Usage::default() };
        let body = json!({"model": "m", "prompt": "so many words", "echo": true, "max_tokens": 0});
        let mut answer = json!({"choices": [{"text": "so many words", "finish_reason": "length"}]});
        assert!(!bought(Endpoint::Completions, &body, most).cut(&mut answer));
    }
}
