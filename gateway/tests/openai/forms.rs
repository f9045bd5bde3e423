//! A model whose events have the form that its question names.

use crate::support::script::{finish, role, word, End, Script, DONE};
use serde_json::{json, Value};

fn usage() -> String {
    format!("data: {}\n\n", json!({"id": "c", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}))
}

fn call() -> String {
    let function = json!({"name": "read", "arguments": "{\"digit\":"});
    let rest = json!({"arguments": "7}"});
    let delta = |function: Value, id: Value| {
        let call = json!({"index": 0, "id": id, "type": "function", "function": function});
        format!("data: {}\n\n", json!({"id": "c", "choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}))
    };
    [role(), delta(function, "call_1".into()), delta(rest, Value::Null), finish(), usage(), DONE.into()].concat()
}

fn plain() -> String {
    [role(), word("se"), word("ven"), finish(), usage(), DONE.into()].concat()
}

const ERROR: &str = "{\"error\":{\"message\":\"out of memory\"}}";

/// By name, streams that say the same.
fn streams() -> Vec<(&'static str, String)> {
    let plain = plain();
    vec![
        ("plain", plain.clone()),
        ("crlf", plain.replace('\n', "\r\n")),
        ("cr", plain.replace('\n', "\r")),
        ("no space", plain.replace("data: ", "data:")),
        ("ids", plain.replace("data: ", "id: 7\ndata: ")),
        ("ids behind", plain.replace("\n\n", "\nid: 7\n\n")),
        ("an id alone", format!("id: 7\n\n{}", plain.replace("\n\n", "\n\n: keep-alive\n\n"))),
        ("an id at the end", plain.replace(DONE, "id: 7\ndata: [DONE]\n\n")),
        ("names", plain.replace("data: ", "event: message\ndata: ")),
        ("times", format!("retry: 5\n\n{}", plain.replace("data: ", "retry: 5\ndata: "))),
        ("comments", plain.replace("data: ", ": PROCESSING\n\ndata: ")),
        ("comments inside", plain.replace("data: ", ": PROCESSING\ndata: ")),
        ("many lines", plain.replace("\"choices\":", "\ndata: \"choices\":\ndata: ")),
        ("empty data", plain.replace("data: {", "data:\n\ndata: {")),
        ("pings", plain.replace("data: {", "event: ping\ndata: {\"type\":\"ping\"}\n\ndata: {")),
        ("a mark", format!("\u{feff}{plain}")),
        ("no end", plain.trim_end().to_owned()),
        ("no done", plain.replace(DONE, "")),
    ]
}

pub fn good() -> Vec<String> {
    let whole = ["whole", "a call"].map(str::to_owned);
    streams().into_iter().map(|(name, _)| name.to_owned()).chain(whole).collect()
}

pub fn expected(question: &Value) -> Value {
    let (text, calls) = if question == "a call" { ("", "read{\"digit\":7}") } else { ("seven", "") };
    json!({"question": question, "text": text, "calls": calls, "finish": "stop", "usage": 2, "error": null, "status": null})
}

pub fn answer(request: &Value) -> Script {
    let question = request["messages"][0]["content"].as_str().expect("a question");
    let message = json!({"role": "assistant", "content": "seven"});
    let usage = json!({"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5});
    let whole =
        json!({"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage});
    let error = || format!("data: {ERROR}\n\n");
    match question {
        "whole" => Script::json(&whole),
        "whole error" => Script::plain(200, ERROR),
        "a call" => Script::stream([call()]),
        "error first" => Script::stream([role(), error(), DONE.into()]),
        "error in the middle" => Script::stream([role(), word("se"), error(), DONE.into()]),
        "comments alone" => Script::stream([": PROCESSING\n\n"]).then(End::Close),
        form => {
            let stream = streams().into_iter().find(|(name, _)| *name == form);
            Script::stream([stream.expect("a form").1])
        }
    }
}
