//! What a body asks for, as far as its price depends on it, and the most that it can cost by the channel's own price list.

use joule_units::Amount;
use joule_voucher::{Prices, Usage};
use joule_x402::END;
use serde_json::Value;

/// The longest answer, in tokens, that a body which leaves that open is ever taken to ask for.
const LONGEST: u64 = 1 << 20;

/// One request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Bytes of the body: a token is at least one.
    bytes: u64,
    /// Answers that are made, of which each may be as long as it may; 0 where no text comes back.
    answers: u64,
    /// Tokens of one answer; `None` when the body leaves it open.
    output: Option<u64>,
    images: u64,
}

impl Asked {
    /// Of a `body` that goes to `path`, such as `/v1/chat/completions`.
    pub fn of(path: &str, body: &[u8]) -> Self {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let number = |field: &str| json.get(field).and_then(Value::as_u64);
        let count = number("n").unwrap_or(1).max(number("best_of").unwrap_or(1));
        let of_images = path.ends_with("/images/generations");
        let answers = match path {
            _ if of_images || path.ends_with("/embeddings") => 0,
            _ if path.ends_with("/chat/completions") => count,
            _ => count.saturating_mul(prompts(&json)),
        };
        Self {
            bytes: body.len() as u64,
            answers,
            output: number("max_tokens").into_iter().chain(number("max_completion_tokens")).max(),
            images: if of_images { count } else { 0 },
        }
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn answers(&self) -> u64 {
        self.answers
    }

    pub fn images(&self) -> u64 {
        self.images
    }

    /// The most that it can cost, where an answer has at most `open` tokens if the body does not say. `None` when no amount
    /// holds it.
    pub fn most(&self, prices: &Prices, open: u64, milliseconds: u64) -> Option<Amount> {
        let tokens = self.output.unwrap_or(open).saturating_add(END).saturating_mul(self.answers);
        let (input_tokens, images) = (self.bytes, self.images);
        prices.amount(&Usage { input_tokens, output_tokens: tokens, images, milliseconds })
    }

    /// How long an answer is that `amount` is the most for, in tokens.
    pub fn open(&self, prices: &Prices, amount: Amount, milliseconds: u64) -> u64 {
        let open = Self { output: None, ..*self };
        let (mut fits, mut above) = (0, LONGEST + 1);
        while above - fits > 1 {
            let middle = fits + (above - fits) / 2;
            match open.most(prices, middle, milliseconds) {
                Some(most) if most <= amount => fits = middle,
                _ => above = middle,
            }
        }
        fits
    }
}

/// A list of numbers is one prompt, in tokens.
fn prompts(json: &Value) -> u64 {
    match json.get("prompt") {
        Some(Value::Array(list)) if !list.iter().all(Value::is_number) => list.len() as u64,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const CHAT: &str = "/v1/chat/completions";

    fn asked(path: &str, body: &Value) -> Asked {
        Asked::of(path, body.to_string().as_bytes())
    }

    fn prices() -> Prices {
        Prices {
            per_request: Amount::new(10),
            per_million_output: Amount::new(1_000_000),
            per_image: Amount::new(100),
            per_second: Amount::new(1),
            ..Prices::default()
        }
    }

    fn most(path: &str, body: &Value) -> u64 {
        asked(path, body).most(&prices(), 7, 2_000).unwrap().get()
    }

    #[test]
    fn the_most_is_what_the_body_asks_for_at_the_lists_prices() {
        assert_eq!(most(CHAT, &json!({"max_tokens": 20})), 10 + 21 + 2);
        assert_eq!(most(CHAT, &json!({"max_tokens": 20, "max_completion_tokens": 30, "n": 2})), 10 + 62 + 2);
        assert_eq!(most(CHAT, &json!({})), 10 + 8 + 2, "what is left open");
        assert_eq!(most("/v1/completions", &json!({"prompt": ["a", "b"], "n": 3, "max_tokens": 1})), 10 + 12 + 2);
        assert_eq!(most("/v1/embeddings", &json!({"input": "a"})), 10 + 2);
        assert_eq!(most("/v1/images/generations", &json!({"n": 3})), 10 + 300 + 2);
        assert_eq!(asked(CHAT, &json!({"n": 3})).images(), 0, "no chat has images");
        let dear = Prices { per_request: Amount::new(u64::MAX), ..prices() };
        assert_eq!(asked(CHAT, &json!({})).most(&dear, 7, 0), None);
    }

    #[test]
    fn what_a_first_quote_leaves_for_an_answer_is_the_most_that_fits() {
        let first = asked(CHAT, &json!({"n": 2}));
        // 10 for the request, 2 for two seconds: 88 are left for two answers of 44 tokens, of which one ends each.
        assert_eq!(first.open(&prices(), Amount::new(100), 2_000), 43);
        assert_eq!(first.open(&prices(), Amount::new(101), 2_000), 43);
        assert_eq!(first.open(&prices(), Amount::new(3), 2_000), 0);
        assert_eq!(first.open(&Prices::default(), Amount::new(3), 2_000), LONGEST);
    }
}
