//! Which fields of a request an upstream gets to see: none of which it could make more than was priced.

use serde_json::{Map, Value};

/// What the gateway reads itself, in every request.
const READ: [&str; 11] = [
    "model",
    "messages",
    "prompt",
    "input",
    "stream",
    "stream_options",
    "n",
    "best_of",
    "max_tokens",
    "max_completion_tokens",
    "echo",
];

/// What a model takes beside them when its settings do not say: fields of the API that change what an answer says, and not what it
/// costs to make. Effort of reasoning, tiers, sizes and qualities are the settings' to allow.
pub const USUAL: [&str; 21] = [
    "temperature",
    "top_p",
    "stop",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "response_format",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "functions",
    "function_call",
    "suffix",
    "encoding_format",
    "dimensions",
    "user",
    "safety_identifier",
    "prompt_cache_key",
];

/// Parts of fields that have parts of their own.
const STREAM_OPTIONS: [&str; 2] = ["include_usage", "include_obfuscation"];
/// Others have a server do something on its own account, such as searching the web.
const TOOLS: [&str; 2] = ["function", "custom"];

/// What a request has beside what is read, by name. A field that is null is none.
pub fn others(body: &Map<String, Value>) -> Vec<String> {
    let own = body.iter().filter(|(field, value)| !value.is_null() && !READ.contains(&field.as_str()));
    let options = body.get("stream_options").and_then(Value::as_object).into_iter().flatten();
    let options = options.filter(|(field, _)| !STREAM_OPTIONS.contains(&field.as_str()));
    let tools = body.get("tools").and_then(Value::as_array).into_iter().flatten().enumerate();
    let tools = tools.filter(|(_, tool)| tool.get("type").is_some_and(|it| !TOOLS.iter().any(|known| it == known)));
    own.map(|(field, _)| field.clone())
        .chain(options.map(|(field, _)| format!("stream_options.{field}")))
        .chain(tools.map(|(at, _)| format!("tools[{at}].type")))
        .collect()
}

/// Whether a field of the body goes on; `allowed` beside those that are read.
pub fn is_taken(field: &str, allowed: &[String]) -> bool {
    READ.contains(&field) || allowed.iter().any(|it| it == field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn first_unknown(body: Value) -> Option<String> {
        let Value::Object(body) = body else { unreachable!() };
        others(&body).into_iter().find(|field| !is_taken(field, &USUAL.map(str::to_owned)))
    }

    #[test]
    fn what_only_an_upstream_knows_is_named() {
        for field in [
            "n_predict",
            "include_reasoning",
            "reasoning",
            "reasoning_effort",
            "service_tier",
            "models",
            "provider",
            "plugins",
            "min_tokens",
            "ignore_eos",
            "max_new_tokens",
            "Max_Tokens",
            "web_search_options",
            "size",
            "quality",
            "audio",
        ] {
            let body = json!({"model": "m", "max_tokens": 1, field: 7});
            assert_eq!(first_unknown(body).as_deref(), Some(field));
        }
    }

    #[test]
    fn parts_of_fields_are_looked_at_too() {
        let of = |field: &str, value: Value| first_unknown(json!({"model": "m", field: value}));
        assert_eq!(of("stream_options", json!({"include_usage": true})), None);
        assert_eq!(of("stream_options", json!({"continuous": true})).as_deref(), Some("stream_options.continuous"));
        assert_eq!(of("tools", json!([{"type": "function", "function": {"name": "f"}}])), None);
        assert_eq!(
            of("tools", json!([{"type": "function"}, {"type": "web_search"}])).as_deref(),
            Some("tools[1].type")
        );
    }

    #[test]
    fn what_the_api_says_and_what_is_null_passes() {
        let body =
            json!({"model": "m", "messages": [], "temperature": 0.5, "top_p": 1, "stop": ["a"], "n_predict": null});
        assert_eq!(first_unknown(body), None);
    }
}
