//! How much went through, as both sides count it: bytes of text, images, and which of several answers they belong to.

use serde_json::Value;

/// Tokens of an answer that have no text: the one that ends it. Every other is at least a byte.
pub const END: u64 = 1;

/// What is in a whole answer, or in one event of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Weight {
    /// Bytes of text.
    pub text: u64,
    pub images: u64,
    /// Which of the answers it belongs to.
    pub choices: Vec<u64>,
}

impl Weight {
    pub fn of(answer: &Value) -> Self {
        let list = |field| answer.get(field).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let choices = list("choices");
        let text_of = |choice: &Value| {
            ["delta", "message", "text"].iter().filter_map(|field| choice.get(*field)).map(text_bytes).sum::<u64>()
        };
        let is_image = |item: &&Value| {
            let has = |field| item.get(field).and_then(Value::as_str).is_some_and(|it| !it.is_empty());
            has("b64_json") || has("url")
        };
        Self {
            text: choices.iter().map(text_of).sum(),
            images: list("data").iter().filter(is_image).count() as u64,
            choices: choices.iter().map(|choice| choice.get("index").and_then(Value::as_u64).unwrap_or(0)).collect(),
        }
    }
}

/// Bytes of all text in there, but for images, sound, and the names of roles and types.
pub fn text_bytes(value: &Value) -> u64 {
    match value {
        Value::String(text) => text.len() as u64,
        Value::Array(list) => list.iter().map(text_bytes).sum(),
        Value::Object(fields) => {
            fields.iter().filter(|(name, _)| is_text(name)).map(|(_, value)| text_bytes(value)).sum()
        }
        // A prompt in tokens: each is about one.
        Value::Number(_) => 1,
        Value::Null | Value::Bool(_) => 0,
    }
}

fn is_text(field: &str) -> bool {
    !matches!(field, "role" | "type" | "id" | "object" | "finish_reason" | "image_url" | "input_audio")
}

/// Takes the text in there out of the `left` bytes, and cuts off what is beyond. Returns whether there was any.
pub fn shorten(value: &mut Value, left: &mut u64) -> bool {
    match value {
        Value::String(text) => {
            let most = usize::try_from(*left).unwrap_or(usize::MAX);
            let is_cut = text.len() > most;
            if is_cut {
                text.truncate(text.floor_char_boundary(most));
                *left = 0;
            } else {
                *left -= text.len() as u64;
            }
            is_cut
        }
        // Of each, also after one that was cut.
        Value::Array(list) => list.iter_mut().fold(false, |is_cut, value| shorten(value, left) | is_cut),
        Value::Object(fields) => {
            let text = fields.iter_mut().filter(|(name, _)| is_text(name));
            text.fold(false, |is_cut, (_, value)| shorten(value, left) | is_cut)
        }
        Value::Number(_) => {
            *left = left.saturating_sub(1);
            false
        }
        Value::Null | Value::Bool(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn text_is_counted_without_images_and_roles() {
        let message = json!([{"role": "user", "content": [
            {"type": "text", "text": "12345"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}]);
        assert_eq!(text_bytes(&message), 5);
    }

    #[test]
    fn what_is_cut_has_exactly_the_text_that_was_left() {
        let whole =
            json!({"content": "12345", "tool_calls": [{"id": "call", "function": {"arguments": "abc"}}], "index": 7});
        for most in 0..12 {
            let (mut value, mut left) = (whole.clone(), most);
            assert_eq!(shorten(&mut value, &mut left), most < 9, "{value}");
            // A number is not cut.
            assert!(text_bytes(&value) <= most + 1);
        }
    }

    #[test]
    fn text_that_looks_like_an_image_is_text() {
        assert_eq!(text_bytes(&json!({"role": "user", "content": "data: hello"})), 11);
        assert_eq!(Weight::of(&json!({"choices": [{"message": {"content": "data: hello"}}]})).text, 11);
    }
}
