//! Errors that upstreams say inside of an answer whose status is 200.

use crate::reply::Failure;
use serde_json::Value;

/// Characters of an upstream's words that are passed on.
const MOST_WORDS: usize = 500;

/// What it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The status that it should have had.
    pub status: Option<u16>,
    pub message: String,
}

impl Complaint {
    /// Of a whole answer, or of what an event carries.
    pub fn of(answer: &Value) -> Option<Self> {
        let error = answer.get("error").filter(|error| says_something(error));
        if let Some(error) = error {
            return Some(Self::read(error, answer));
        }
        if answer.get("object").and_then(Value::as_str) == Some("error") {
            return Some(Self::read(answer, answer));
        }
        let choices = answer.get("choices").and_then(Value::as_array)?;
        choices.iter().find_map(|choice| {
            let error = choice.get("error").filter(|error| says_something(error));
            let failed = choice.get("finish_reason").and_then(Value::as_str) == Some("error");
            (error.is_some() || failed).then(|| Self::read(error.unwrap_or(choice), choice))
        })
    }

    /// Of an event that is called an error, whatever it carries.
    pub fn named(data: &str) -> Self {
        match serde_json::from_str::<Value>(data) {
            Ok(json) => Self::of(&json).unwrap_or_else(|| Self::read(&json, &json)),
            Err(_) => Self { status: None, message: shortened(data) },
        }
    }

    fn read<'a>(error: &'a Value, around: &'a Value) -> Self {
        let words = |value: &'a Value| ["message", "detail"].iter().find_map(|field| value.get(field)?.as_str());
        let message = error.as_str().or_else(|| words(error)).or_else(|| words(around)).unwrap_or("no reason is given");
        let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
        let codes = ["code", "status", "status_code"].into_iter();
        let status = codes.filter_map(|field| error.get(field).and_then(number)).find(|code| (400..600).contains(code));
        Self { status: status.and_then(|status| status.try_into().ok()), message: shortened(message) }
    }
}

impl From<Complaint> for Failure {
    fn from(Complaint { status, message }: Complaint) -> Self {
        match status.unwrap_or(500) {
            // About the provider's account there, which is nobody else's affair.
            status @ 401..=403 => Self::Upstream(status),
            status => Self::Said { status, message },
        }
    }
}

/// Many servers send the field with every answer.
fn says_something(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Bool(true) => true,
    }
}

fn shortened(words: &str) -> String {
    words.chars().take(MOST_WORDS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(answer: Value) -> Option<(Option<u16>, String)> {
        Complaint::of(&answer).map(|it| (it.status, it.message))
    }

    #[test]
    fn an_error_is_found_wherever_upstreams_put_it() {
        let said = |status: Option<u16>| Some((status, "out of memory".to_owned()));
        let error = json!({"message": "out of memory", "type": "server_error", "code": null});
        assert_eq!(of(json!({ "error": error })), said(None));
        assert_eq!(of(json!({"error": "out of memory"})), said(None));
        assert_eq!(of(json!({"error": {"message": "out of memory", "code": 429}})), said(Some(429)));
        assert_eq!(of(json!({"error": {"message": "out of memory", "status": "503"}})), said(Some(503)));
        assert_eq!(of(json!({"error": {"message": "out of memory", "code": "context_length_exceeded"}})), said(None));
        assert_eq!(of(json!({"object": "error", "message": "out of memory", "code": 400})), said(Some(400)));
        assert_eq!(of(json!({"choices": [{"index": 0, "error": error, "delta": {}}]})), said(None));
        let ended = json!({"choices": [{"index": 0, "finish_reason": "error", "delta": {"content": ""}}]});
        assert_eq!(of(ended), Some((None, "no reason is given".into())));
    }

    #[test]
    fn what_is_empty_is_no_error() {
        for nothing in [json!(null), json!(false), json!(""), json!({}), json!([]), json!(0)] {
            assert_eq!(of(json!({"error": nothing, "choices": [{"error": nothing, "finish_reason": "stop"}]})), None);
        }
        assert_eq!(of(json!({"choices": [{"index": 0, "message": {"content": "error"}}]})), None);
        assert_eq!(of(json!({"choices": null})), None, "that is no answer either, and somebody else's to say");
    }

    #[test]
    fn an_event_that_is_called_an_error_is_one_whatever_it_says() {
        assert_eq!(Complaint::named("out of memory").message, "out of memory");
        assert_eq!(
            Complaint::named("{\"message\":\"full\",\"code\":529}"),
            Complaint { status: Some(529), message: "full".into() }
        );
        assert_eq!(Complaint::named("{\"error\":{\"message\":\"full\"}}").message, "full");
        assert_eq!(Complaint::named(&"x".repeat(10_000)).message.len(), MOST_WORDS);
    }
}
