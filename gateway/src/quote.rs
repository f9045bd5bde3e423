//! The most that a request may cost, before anybody knows what it will.

use crate::{
    config,
    openai::{Endpoint, Request},
};
use joule_units::Amount;
use joule_voucher::{Prices, Usage};
use std::time::Duration;

/// Why a request is not taken at any price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooMuch {
    #[error("{asked} tokens are asked for in one answer; this gateway sells {most}")]
    Output { asked: u64, most: u64 },
    #[error("{asked} images are asked for; this gateway sells {most} at once")]
    Images { asked: u64, most: u64 },
    #[error("{asked} answers are asked for; this gateway gives {most} at once")]
    Choices { asked: u64, most: u64 },
    #[error("no amount of the token holds what this may cost")]
    Price,
}

/// Answers to one request.
const MAX_CHOICES: u64 = 128;

/// The most that `request` may use, and the amount that no receipt for it can be above.
pub fn most(
    request: &Request,
    model: &config::Model,
    prices: &Prices,
    total: Duration,
) -> Result<(Usage, Amount), TooMuch> {
    let usage = usage(request, model, total)?;
    Ok((usage, prices.amount(&usage).ok_or(TooMuch::Price)?))
}

/// The most that `request` may use: every byte of the body a token, every answer as long as it may be, all the time that it
/// may take.
pub fn usage(request: &Request, model: &config::Model, total: Duration) -> Result<Usage, TooMuch> {
    let (mut output_tokens, mut images) = (0, 0);
    match request.endpoint {
        Endpoint::Chat | Endpoint::Completions => {
            let asked = request.max_output_tokens.unwrap_or(model.max_output_tokens);
            if asked > model.max_output_tokens {
                return Err(TooMuch::Output { asked, most: model.max_output_tokens });
            }
            if request.choices > MAX_CHOICES {
                return Err(TooMuch::Choices { asked: request.choices, most: MAX_CHOICES });
            }
            output_tokens = asked.saturating_add(joule_x402::END).saturating_mul(request.choices);
        }
        Endpoint::Images if request.choices > model.max_images => {
            return Err(TooMuch::Images { asked: request.choices, most: model.max_images });
        }
        Endpoint::Images => images = request.choices,
        Endpoint::Embeddings => {}
    }
    let milliseconds = u64::try_from(total.as_millis()).unwrap_or(u64::MAX);
    Ok(Usage { input_tokens: request.bytes, output_tokens, images, milliseconds })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn model() -> config::Model {
        toml::from_str(
            "name = 'm'\nmodel = '11111111111111111111111111111111'\nprices = ['11111111111111111111111111111111']\n\
             upstream = 'http://127.0.0.1:1/v1'\nmax_output_tokens = 100\nmax_images = 2\n",
        )
        .unwrap()
    }

    fn quote(endpoint: Endpoint, body: serde_json::Value, prices: Prices) -> Result<u64, TooMuch> {
        let request = Request::read(endpoint, body.to_string().into()).unwrap();
        most(&request, &model(), &prices, Duration::from_secs(10)).map(|(_, amount)| amount.get())
    }

    fn token_price() -> Prices {
        Prices { per_million_output: Amount::new(1_000_000), ..Prices::default() }
    }

    #[test]
    fn output_is_what_was_asked_for_or_what_is_sold() {
        assert_eq!(quote(Endpoint::Chat, json!({"model": "m"}), token_price()), Ok(101));
        assert_eq!(quote(Endpoint::Chat, json!({"model": "m", "max_tokens": 7}), token_price()), Ok(8));
        assert_eq!(
            quote(Endpoint::Chat, json!({"model": "m", "max_completion_tokens": 7, "n": 2}), token_price()),
            Ok(16)
        );
        assert_eq!(
            quote(Endpoint::Chat, json!({"model": "m", "max_tokens": 101}), token_price()),
            Err(TooMuch::Output { asked: 101, most: 100 })
        );
        assert_eq!(
            quote(Endpoint::Chat, json!({"model": "m", "n": u64::MAX}), token_price()),
            Err(TooMuch::Choices { asked: u64::MAX, most: 128 })
        );
    }

    #[test]
    fn images_and_time_have_their_limits_too() {
        let prices = Prices { per_image: Amount::new(5), per_second: Amount::new(1), ..Prices::default() };
        assert_eq!(quote(Endpoint::Images, json!({"model": "m", "n": 2}), prices), Ok(20));
        assert_eq!(
            quote(Endpoint::Images, json!({"model": "m", "n": 3}), prices),
            Err(TooMuch::Images { asked: 3, most: 2 })
        );
    }

    #[test]
    fn a_price_beyond_any_amount_is_refused() {
        let prices = Prices { per_request: Amount::new(u64::MAX), per_image: Amount::new(1), ..Prices::default() };
        assert_eq!(quote(Endpoint::Images, json!({"model": "m"}), prices), Err(TooMuch::Price));
    }
}
