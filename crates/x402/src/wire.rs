//! The three headers: base64 of JSON, fields as x402 version 2 names them. Amounts are decimal strings of base units.

use crate::{exact, Base58, SCHEME};
use base64::{engine::general_purpose::STANDARD, Engine as _};
use joule_units::Amount;
use joule_voucher::{Format, Order, Prices, Receipt, Signature, Voucher};
use serde::{de::DeserializeOwned, Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// Why a header cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadHeader {
    #[error("it is not base64")]
    NotBase64,
    #[error("it is not the JSON that it should be: {0}")]
    NotJson(String),
}

/// As a header's value.
pub fn encode<T: Serialize>(value: &T) -> String {
    // These types have string keys and no way to fail.
    STANDARD.encode(serde_json::to_vec(value).unwrap_or_default())
}

pub fn decode<T: DeserializeOwned>(header: &[u8]) -> Result<T, BadHeader> {
    let json = STANDARD.decode(header).map_err(|_| BadHeader::NotBase64)?;
    serde_json::from_slice(&json).map_err(|error| BadHeader::NotJson(error.to_string()))
}

/// What a 402 says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentRequired {
    pub x402_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    pub resource: Resource,
    pub accepts: Vec<Terms>,
}

/// One way to pay, by its scheme. What is not known here is kept as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Terms {
    Channel(Box<Requirements>),
    Exact(exact::Requirements),
    Other(Value),
}

impl Terms {
    /// Those of our own scheme.
    pub fn channel(&self) -> Option<&Requirements> {
        match self {
            Self::Channel(terms) => Some(terms),
            _ => None,
        }
    }

    pub fn exact(&self) -> Option<&exact::Requirements> {
        match self {
            Self::Exact(terms) => Some(terms),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Terms {
    /// Our own scheme's must be whole; `exact` means something else on other networks.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        match value.get("scheme").and_then(Value::as_str) {
            Some(SCHEME) => serde_json::from_value(value).map(Self::Channel).map_err(serde::de::Error::custom),
            Some(exact::SCHEME) => {
                Ok(exact::Requirements::deserialize(&value).map_or_else(|_| Self::Other(value), Self::Exact))
            }
            _ => Ok(Self::Other(value)),
        }
    }
}

/// What is sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    pub url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
}

/// How to pay by our own scheme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Requirements {
    pub scheme: String,
    /// CAIP-2.
    pub network: String,
    /// The most that this request may cost: an order must allow at least that.
    #[serde(with = "decimal")]
    pub amount: Amount,
    /// The mint.
    pub asset: Base58,
    /// Whom the provider's share goes to.
    pub pay_to: Base58,
    pub max_timeout_seconds: u64,
    pub extra: Extra,
}

/// What only this scheme knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Extra {
    /// The billing program.
    pub program: Base58,
    /// The registry's `Provider`, for `open`.
    pub provider: Base58,
    /// Who signs receipts.
    pub authority: Base58,
    pub model: Base58,
    /// The registry's `PriceList`, for `open`.
    pub price_list: Base58,
    #[serde(with = "price_strings")]
    pub prices: Prices,
    /// Of a channel, seconds: less is not served.
    pub min_grace: u32,
    /// Seconds for which voucher and session must still be good.
    pub settle_margin: i64,
    /// Seconds that an order may live.
    pub order_life: i64,
    /// Requests of one channel that may be unpaid, this one included.
    pub window: u64,
    /// Bytes of text that count as a token where the model does not say.
    pub bytes_per_token: u64,
    /// With a refusal: receipts that wait to be paid, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unpaid: Vec<Signed<Receipt>>,
}

/// What a client sends, in our own scheme if nothing else is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentPayload<P = Payload> {
    pub x402_version: u32,
    pub accepted: Accepted,
    pub payload: P,
}

/// The same in any scheme; what is not known here is kept as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Payment {
    Channel(Box<PaymentPayload>),
    Exact(PaymentPayload<exact::Payload>),
    Other(PaymentPayload<Value>),
}

impl<'de> Deserialize<'de> for Payment {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        let read = match value.pointer("/accepted/scheme").and_then(Value::as_str) {
            Some(SCHEME) => serde_json::from_value(value).map(Self::Channel),
            Some(exact::SCHEME) => serde_json::from_value(value).map(Self::Exact),
            _ => serde_json::from_value(value).map(Self::Other),
        };
        read.map_err(serde::de::Error::custom)
    }
}

/// What a gateway looks at of the requirements that a client has chosen; the channel says the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Accepted {
    pub scheme: String,
    pub network: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Payload {
    pub channel: Base58,
    /// Left out where nothing is asked for, and only a voucher handed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Signed<Order>>,
    /// Left out before the first receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voucher: Option<Signed<Voucher>>,
}

/// What an answer carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settlement {
    pub success: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_reason: Option<String>,
    /// The channel's owner, or whose tokens a transaction has moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<Base58>,
    /// The signature of an `exact` payment. Empty for a channel: money moves later, and for many requests at once.
    pub transaction: String,
    pub network: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<SettlementExtra>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SettlementExtra {
    /// `channel:sequence`.
    pub commitment_id: String,
    #[serde(with = "decimal")]
    pub charged_amount: Amount,
    pub receipt: Signed<Receipt>,
}

/// A message as it lies in memory, and its signature; in JSON one base64 of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed<M> {
    pub message: M,
    pub signature: Signature,
}

impl<M: Format> Signed<M> {
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (message, signature) = bytes.split_at_checked(M::LEN)?;
        Some(Self { message: *M::from_bytes(message)?, signature: signature.try_into().ok()? })
    }

    pub fn bytes(&self) -> Vec<u8> {
        [self.message.as_bytes(), &self.signature].concat()
    }
}

impl<M: Format> Serialize for Signed<M> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(self.bytes()))
    }
}

impl<'de, M: Format> Deserialize<'de> for Signed<M> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let bytes = STANDARD.decode(String::deserialize(from)?).map_err(serde::de::Error::custom)?;
        Self::read(&bytes).ok_or_else(|| {
            let wanted = M::LEN + size_of::<Signature>();
            serde::de::Error::custom(format!("{} bytes are not the {wanted} of message and signature", bytes.len()))
        })
    }
}

pub(crate) mod decimal {
    use super::*;

    pub fn serialize<S: Serializer>(amount: &Amount, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&amount.get())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Amount, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map(Amount::new).map_err(|_| serde::de::Error::custom(format!("{text:?} is not an amount")))
    }
}

mod price_strings {
    use super::*;

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Strings {
        #[serde(with = "decimal")]
        per_request: Amount,
        #[serde(with = "decimal")]
        per_million_input: Amount,
        #[serde(with = "decimal")]
        per_million_output: Amount,
        #[serde(with = "decimal")]
        per_image: Amount,
        #[serde(with = "decimal")]
        per_second: Amount,
    }

    pub fn serialize<S: Serializer>(prices: &Prices, to: S) -> Result<S::Ok, S::Error> {
        let Prices { per_request, per_million_input, per_million_output, per_image, per_second } = *prices;
        Strings { per_request, per_million_input, per_million_output, per_image, per_second }.serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Prices, D::Error> {
        let Strings { per_request, per_million_input, per_million_output, per_image, per_second } =
            Strings::deserialize(from)?;
        Ok(Prices { per_request, per_million_input, per_million_output, per_image, per_second })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_payment_is_what_the_specification_says() {
        let payload = PaymentPayload {
            x402_version: 2,
            accepted: Accepted { scheme: "joule-channel".into(), network: "solana:x".into() },
            payload: Payload {
                channel: Base58([0; 32]),
                order: Some(Signed { message: Order::default(), signature: [0; 64] }),
                voucher: None,
            },
        };
        let json = serde_json::to_value(&payload).unwrap();
        assert_eq!(json["x402Version"], 2);
        assert_eq!(json["payload"]["channel"], "11111111111111111111111111111111");
        assert_eq!(json["payload"]["order"].as_str().unwrap().len(), (88 + 64_usize).div_ceil(3) * 4);
        assert!(json["payload"].get("voucher").is_none());
        assert_eq!(decode(encode(&payload).as_bytes()), Ok(payload));
    }

    #[test]
    fn fields_that_a_client_repeats_from_the_terms_are_allowed() {
        let accepted = json!({"scheme": "joule-channel", "network": "solana:x", "amount": "1", "extra": {}});
        let header = encode(&json!({"x402Version": 2, "accepted": accepted, "resource": {"url": "x"},
            "payload": {"channel": "11111111111111111111111111111111"}, "extensions": {}}));
        assert!(decode::<PaymentPayload>(header.as_bytes()).is_ok());
    }

    #[test]
    fn ways_to_pay_that_nobody_here_knows_are_kept_as_they_came() {
        let address = "11111111111111111111111111111111";
        let ours = json!({"scheme": "exact", "network": "solana:x", "amount": "7", "asset": address, "payTo": address,
            "maxTimeoutSeconds": 60, "extra": {"feePayer": address}});
        let elsewhere = json!({"scheme": "exact", "network": "eip155:8453", "amount": "7", "asset": "0x36", "payTo": "0x20",
            "maxTimeoutSeconds": 60, "extra": {"name": "USDC"}});
        let unknown = json!({"scheme": "upto", "anything": [1]});
        let text = json!({"x402Version": 2, "resource": {"url": "x"}, "accepts": [ours, elsewhere, unknown]});
        let required: PaymentRequired = serde_json::from_value(text.clone()).unwrap();
        assert!(matches!(&required.accepts[..], [Terms::Exact(exact), Terms::Other(_), Terms::Other(_)]
            if exact.amount == Amount::new(7)));
        assert_eq!(serde_json::to_value(&required).unwrap(), text);
        let broken = json!({"x402Version": 2, "resource": {"url": "x"}, "accepts": [{"scheme": SCHEME}]});
        assert!(serde_json::from_value::<PaymentRequired>(broken).is_err(), "our own is whole or nothing");
    }

    #[test]
    fn a_payment_is_read_by_its_scheme() {
        let payment = |scheme: &str, payload: Value| {
            let header =
                json!({"x402Version": 2, "accepted": {"scheme": scheme, "network": "solana:x"}, "payload": payload});
            decode::<Payment>(encode(&header).as_bytes())
        };
        let exact = payment("exact", json!({"transaction": "AAAA"}));
        assert!(matches!(exact, Ok(Payment::Exact(payment)) if payment.payload.transaction == "AAAA"));
        let channel = payment(SCHEME, json!({"channel": "11111111111111111111111111111111"}));
        assert!(matches!(channel, Ok(Payment::Channel(_))));
        assert!(matches!(payment("upto", json!({})), Ok(Payment::Other(_))));
        assert!(matches!(payment("exact", json!({})), Err(BadHeader::NotJson(_))));
    }

    #[test]
    fn what_is_not_a_payment_is_named() {
        assert_eq!(decode::<PaymentPayload>(b"%%%"), Err(BadHeader::NotBase64));
        assert!(matches!(decode::<PaymentPayload>(encode(&json!({})).as_bytes()), Err(BadHeader::NotJson(_))));
        let short = json!(STANDARD.encode([0; 151]));
        assert!(serde_json::from_value::<Signed<Order>>(short).unwrap_err().to_string().contains("152"));
    }
}
