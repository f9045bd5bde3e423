//! Upstreams as they are: errors inside of answers, comments, every form of events, more than was asked for.

use crate::support::{
    script::{finish, role, word, End, DONE},
    *,
};
use joule_gateway::config::{AddLimit, Config};
use serde_json::{json, Value};
use std::time::Duration;

/// A request, and what came of it.
struct Asked {
    world: World,
    upstream: Upstream,
    client: Client,
    payment: joule_x402::PaymentPayload,
    reply: Reply,
}

async fn asked(script: Script, body: &Value) -> Asked {
    asked_with(script, body, |_| {}).await
}

async fn asked_with(script: Script, body: &Value, change: impl FnOnce(&mut Config)) -> Asked {
    let upstream = Upstream::says(script).await;
    let world = World::with(&upstream.url, change).await;
    let mut client = world.client(10);
    let payment = client.pay(body);
    let reply = client.send(&payment, body).await;
    Asked { world, upstream, client, payment, reply }
}

impl Asked {
    /// Nothing is billed or held, nothing ends as if it were whole, and the order is as good as before.
    async fn is_free(&self, status: u16, code: &str, body: &Value) {
        let text = self.reply.text();
        assert_eq!((self.reply.status, self.reply.code().as_str()), (status, code), "{text}");
        assert!(!text.contains("[DONE]") && self.reply.settlement().is_none(), "{text}");
        let account = self.world.account(10).await;
        assert_eq!((&account["receipts"], &account["serving"]), (&0.into(), &0.into()));
        let again = self.client.send(&self.payment, body).await;
        assert_eq!(again.status, status, "the order was not used up");
        assert_eq!(self.upstream.times_asked(), 2);
    }
}

const ERROR: &str = r#"{"error":{"message":"out of memory","type":"server_error","code":null}}"#;

#[tokio::test]
async fn an_error_inside_a_200_costs_nothing_and_says_what_it_was() {
    let cases = [
        (ERROR, 502, "upstream_error"),
        (r#"{"error":"out of memory"}"#, 502, "upstream_error"),
        (r#"{"object":"error","message":"out of memory"}"#, 502, "upstream_error"),
        (r#"{"error":{"message":"out of memory","code":400},"choices":[]}"#, 400, "upstream_refused"),
        (r#"{"error":{"message":"out of memory","code":429}}"#, 429, "upstream_busy"),
        (
            r#"{"choices":[{"index":0,"message":{"content":"a"},"error":{"message":"out of memory"}}]}"#,
            502,
            "upstream_error",
        ),
    ];
    for (answer, status, code) in cases {
        for body in [question("hello"), streamed("hello")] {
            let asked = asked(Script::plain(200, answer), &body).await;
            assert!(asked.reply.text().contains("out of memory"), "{answer}");
            asked.is_free(status, code, &body).await;
        }
    }
}

/// What an upstream says of the provider's account there is the provider's affair.
#[tokio::test]
async fn what_an_upstream_says_of_the_providers_account_is_not_passed_on() {
    let body = question("hello");
    let said = |code: u16| json!({"error": {"message": "the key sk-123 has no credit", "code": code}}).to_string();
    for status in [401, 402, 403] {
        for script in [Script::plain(200, said(status)), Script::plain(status, said(status))] {
            let asked = asked(script, &body).await;
            assert!(!asked.reply.text().contains("sk-123"), "{}", asked.reply.text());
            asked.is_free(502, "upstream_failed", &body).await;
        }
    }
}

#[tokio::test]
async fn why_a_model_failed_is_said() {
    for body in [question("hello"), streamed("hello")] {
        let asked = asked(Script::plain(500, ERROR), &body).await;
        assert!(asked.reply.text().contains("out of memory"));
        asked.is_free(502, "upstream_error", &body).await;
    }
}

#[tokio::test]
async fn what_is_no_answer_costs_nothing() {
    let body = question("hello");
    for answer in [
        r#"{"choices":null}"#,
        r#"{"choices":[]}"#,
        r#"{"choices":[{}]}"#,
        r#"{"choices":[{"index":0,"message":null}]}"#,
        r#"{"usage":{"prompt_tokens":1,"completion_tokens":1}}"#,
        "[]",
        "null",
    ] {
        asked(Script::plain(200, answer), &body).await.is_free(502, "upstream_nonsense", &body).await;
    }
    // Whoever asks for a stream cannot read an answer as a whole.
    let (body, whole) = (streamed("hello"), json!({"choices": [{"index": 0, "message": {"content": "seven"}}]}));
    asked(Script::json(&whole), &body).await.is_free(502, "upstream_nonsense", &body).await;
}

#[tokio::test]
async fn vectors_and_images_that_are_none_cost_nothing() {
    for (path, answers) in [
        ("/v1/embeddings", [r#"{"data":null}"#, r#"{"data":[]}"#, r#"{"data":[{"index":0}]}"#, ERROR]),
        ("/v1/images/generations", [r#"{"data":null}"#, r#"{"data":[]}"#, r#"{"data":[{"url":null}]}"#, ERROR]),
    ] {
        for answer in answers {
            let upstream = Upstream::says(Script::plain(200, answer)).await;
            let world = World::start(&upstream.url).await;
            let mut client = world.client(10);
            let body = json!({"model": "digits", "input": "a", "prompt": "a"});
            let payment = joule_x402::encode(&client.pay(&body));
            let reply = client.post(path, Some(&payment), body.to_string()).await;
            assert_eq!(reply.status, 502, "{path}: {answer}");
            assert_eq!(world.account(10).await["receipts"], 0, "{path}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_stream_whose_first_event_is_an_error_costs_nothing() {
    let body = streamed("hello");
    let error = format!("data: {ERROR}\n\n");
    for events in [
        vec![error.clone()],
        vec![error.clone(), DONE.into()],
        vec![role(), error.clone(), DONE.into()],
        vec![": PROCESSING\n\n".into(), role(), ": PROCESSING\n\n".into(), error],
        vec!["event: error\ndata: {\"message\":\"out of memory\"}\n\n".into(), DONE.into()],
        vec!["event: error\ndata: out of memory\n\n".into()],
        vec![format!("error: {ERROR}\n\n")],
        vec!["data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\"},\"finish_reason\":\"error\",\"error\":{\"message\":\"out of memory\"}}]}\n\n".into()],
    ] {
        let asked = asked(Script::stream(events.clone()), &body).await;
        assert!(asked.reply.text().contains("out of memory"), "{events:?}");
        asked.is_free(502, "upstream_error", &body).await;
    }
    asked(Script::stream(["data: so many words\n\n"]), &body).await.is_free(502, "upstream_nonsense", &body).await;
}

#[tokio::test]
async fn an_error_after_words_is_a_stream_that_broke_off() {
    let error = format!("data: {ERROR}\n\n");
    for end in [
        vec![error.clone()],
        vec![error, DONE.into()],
        vec!["event: error\ndata: out of memory\n\n".into(), DONE.into()],
    ] {
        let events = [vec![role(), word("The "), word("digit ")], end].concat();
        let mut asked = asked(Script::stream(events), &streamed("hello")).await;
        let text = asked.reply.text();
        assert!(text.contains("digit ") && text.contains("out of memory") && !text.contains("[DONE]"), "{text}");
        let sent = "The digit ".len() as u64;
        assert_eq!(asked.client.accept(&asked.payment, &asked.reply), 100 + 2 + 2 * sent.div_ceil(4));
    }
}

/// `: PROCESSING` again and again, and then the end, or silence.
#[tokio::test]
async fn comments_before_the_first_word_are_no_answer() {
    let body = streamed("hello");
    let comment = || ": PROCESSING\n\n".to_owned();
    for (events, end, status, code) in [
        (vec![comment(), comment()], End::Close, 502, "upstream_empty"),
        (vec![comment(), DONE.into()], End::Close, 502, "upstream_empty"),
        (vec![comment(), role()], End::Close, 502, "upstream_empty"),
        (vec![comment(), role(), DONE.into()], End::Close, 502, "upstream_empty"),
        (vec![], End::Close, 502, "upstream_empty"),
        (vec![comment(), comment()], End::Hang, 504, "upstream_timeout"),
        (vec![comment(), role()], End::Hang, 504, "upstream_timeout"),
        (vec![comment()], End::Die, 502, "upstream_broke"),
    ] {
        asked(Script::stream(events).then(end), &body).await.is_free(status, code, &body).await;
    }
    // For ever: until the time for one answer is over.
    let for_ever = vec![comment(); 1_000];
    let asked =
        asked_with(Script::stream(for_ever), &body, |config| config.timeouts.total = Duration::from_millis(300)).await;
    asked.is_free(504, "upstream_timeout", &body).await;
}

/// Usage again and again, which is not sent on, and never a word.
#[tokio::test]
async fn what_is_held_before_the_first_word_is_bounded() {
    let body = streamed("hello");
    let usage = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}\n\n";
    let many = Script::stream((0..20).map(|_| usage.repeat(100)));
    asked(many, &body).await.is_free(502, "upstream_too_large", &body).await;
}

#[tokio::test]
async fn words_after_comments_are_served_and_paid() {
    let events = [": PROCESSING\n\n".to_owned(), role(), word("seven"), ": more\n\n".into(), finish(), DONE.into()];
    let mut asked = asked(Script::stream(events), &streamed("hello")).await;
    assert!(asked.reply.text().ends_with(DONE));
    assert_eq!(asked.client.accept(&asked.payment, &asked.reply), 100 + 2 + 2 * 2);
}

#[tokio::test]
async fn an_empty_answer_that_has_ended_is_one() {
    let mut asked = asked(Script::stream([role(), finish(), DONE.into()]), &streamed("hello")).await;
    assert!(asked.reply.text().ends_with(DONE));
    assert_eq!(asked.client.accept(&asked.payment, &asked.reply), 100 + 2);
}

#[tokio::test]
async fn a_stream_that_just_stops_is_whole_when_its_answer_has_ended() {
    let (whole, broken) = ([word("seven"), finish()], [word("se"), word("ven")]);
    let mut whole = asked(Script::stream(whole), &streamed("hello")).await;
    assert!(whole.reply.text().ends_with(DONE));
    whole.client.accept(&whole.payment, &whole.reply);
    let mut broken = asked(Script::stream(broken), &streamed("hello")).await;
    let text = broken.reply.text();
    assert!(text.contains("upstream_broke") && !text.contains("[DONE]"), "{text}");
    broken.client.accept(&broken.payment, &broken.reply);
}

/// What the client gets, without the receipt.
async fn relayed(stream: &str, size: usize) -> String {
    let script = Script::stream(stream.as_bytes().chunks(size).map(<[u8]>::to_vec));
    let mut asked =
        asked_with(script, &streamed("hello"), |config| config.timeouts.total = Duration::from_secs(60)).await;
    asked.client.accept(&asked.payment, &asked.reply);
    let text = asked.reply.text();
    let frames = text.split_inclusive("\n\n").filter(|frame| !frame.starts_with(": "));
    frames.collect()
}

#[tokio::test]
async fn whatever_the_upstreams_form_of_events_the_client_gets_the_same() {
    let plain = [role(), word("se"), word("ven"), finish(), DONE.into()].concat();
    let forms = [
        plain.replace('\n', "\r\n"),
        plain.replace('\n', "\r"),
        plain.replace("data: ", "data:"),
        plain.replace("data: ", "id: 7\ndata: "),
        plain.replace("data: ", "event: message\nid: 7\nretry: 10\ndata: "),
        plain.replace("\n\n", "\nid: 7\n\n"),
        plain.replace("data: ", "id: 7\n\n: keep-alive\n\n\n\ndata: "),
        plain.replace("\"choices\":", "\ndata: \"choices\":\ndata:"),
        format!("\u{feff}{plain}"),
        plain.trim_end().to_owned(),
    ];
    let squeezed = |text: String| text.replace(' ', "");
    let wanted = squeezed(relayed(&plain, 7).await);
    for form in forms {
        for size in [5, 1_000] {
            assert_eq!(squeezed(relayed(&form, size).await), wanted, "{form:?}");
        }
    }
}

#[tokio::test]
async fn a_field_that_only_an_upstream_knows_is_refused_by_name() {
    let upstream = Upstream::start(Fault::None).await;
    let world = World::start(&upstream.url).await;
    let mut client = world.client(10);
    for (field, value) in [
        ("n_predict", json!(200_000)),
        ("include_reasoning", json!(false)),
        ("service_tier", json!("priority")),
        ("models", json!(["dear"])),
        ("Max_Tokens", json!(200_000)),
    ] {
        let mut body = question("hello");
        (body["max_tokens"], body[field]) = (json!(1), value);
        let payment = joule_x402::encode(&client.pay(&body));
        for payment in [None, Some(payment.as_str())] {
            let reply = client.post("/v1/chat/completions", payment, body.to_string()).await;
            assert_eq!((reply.status, reply.code().as_str()), (400, "unknown_parameter"), "{field}");
            assert_eq!(reply.json()["error"]["param"], field);
        }
    }
    assert_eq!(upstream.times_asked(), 0);
    let mut body = question("hello");
    (body["temperature"], body["n_predict"]) = (json!(0.5), Value::Null);
    client.ask(&body).await;
    assert_eq!(upstream.last()["temperature"], 0.5);
    assert!(upstream.last().get("n_predict").is_none());
}

#[tokio::test]
async fn a_field_is_taken_by_the_model_whose_settings_name_it() {
    let upstream = Upstream::start(Fault::None).await;
    let world = World::with(&upstream.url, |config| config.models[0].fields = vec!["top_k".into()]).await;
    let mut client = world.client(10);
    let mut body = question("hello");
    body["top_k"] = json!(3);
    client.ask(&body).await;
    assert_eq!(upstream.last()["top_k"], 3);
    body["temperature"] = json!(1);
    let payment = client.pay(&body);
    assert_eq!(client.send(&payment, &body).await.code(), "unknown_parameter");
}

/// An upstream that does not keep to `max_tokens`.
#[tokio::test]
async fn an_answer_stops_where_its_order_ends() {
    let mut body = streamed("hello");
    body["max_tokens"] = json!(2);
    let events = std::iter::repeat_n(word("word "), 20_000);
    let mut asked = asked(Script::stream(events), &body).await;
    let text = asked.reply.text();
    // Three tokens were bought, the one that ends it included, of which each may be long.
    let said = text.matches("word").count();
    assert!((3 * 4 / 5..=3 * 16 / 5 + 1).contains(&said), "{said} words");
    assert!(text.contains("\"finish_reason\":\"length\"") && text.ends_with(DONE), "{text}");
    let amount = asked.client.accept(&asked.payment, &asked.reply);
    assert!(amount <= 100 + body.to_string().len() as u64 + 2 * 48_u64.div_ceil(4), "{amount}");
}

#[tokio::test]
async fn a_whole_answer_is_cut_where_its_order_ends() {
    let mut body = question("hello");
    body["max_tokens"] = json!(2);
    let message = json!({"role": "assistant", "content": "word ".repeat(10_000)});
    let usage = json!({"prompt_tokens": 3, "completion_tokens": 10_000});
    let answer = json!({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage});
    let mut asked = asked(Script::json(&answer), &body).await;
    let cut = asked.reply.json();
    assert_eq!(cut["choices"][0]["message"]["content"], "word ".repeat(10)[..48]);
    assert_eq!(cut["choices"][0]["finish_reason"], "length");
    asked.client.accept(&asked.payment, &asked.reply);
}

#[tokio::test]
async fn an_answer_as_long_as_it_was_bought_is_not_cut() {
    let mut body = streamed("hello");
    body["max_tokens"] = json!(40);
    let usage = json!({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 41}});
    let events = std::iter::repeat_n(word("उत्तर "), 40).chain([finish(), format!("data: {usage}\n\n"), DONE.into()]);
    let mut asked = asked(Script::stream(events), &body).await;
    assert_eq!(asked.reply.text().matches("उत्तर").count(), 40, "long tokens");
    assert_eq!(asked.client.accept(&asked.payment, &asked.reply), 100 + 3 + 2 * 41);
}

#[tokio::test]
async fn images_beyond_those_that_were_bought_are_not_given() {
    let images: Vec<_> = (0..5).map(|n| json!({"url": format!("http://x/{n}")})).collect();
    let upstream = Upstream::says(Script::json(&json!({ "data": images }))).await;
    let world = World::start(&upstream.url).await;
    let mut client = world.client(10);
    let body = json!({"model": "digits", "prompt": "seven", "n": 2});
    let payment = client.pay(&body);
    let reply = client.post("/v1/images/generations", Some(&joule_x402::encode(&payment)), body.to_string()).await;
    assert_eq!(reply.json()["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(client.accept(&payment, &reply), 100 + 2 + 2 * 500);
}

/// Some models refuse `max_tokens`, or `stream_options`.
#[tokio::test]
async fn the_upstream_gets_what_the_client_sent() {
    let upstream = Upstream::start(Fault::None).await;
    let bare = |config: &mut Config| {
        (config.models[0].add_limit, config.models[0].add_usage) = (AddLimit::None, false);
    };
    let world = World::with(&upstream.url, bare).await;
    let mut client = world.client(10);
    for (name, limit) in [("max_completion_tokens", Some(7)), ("max_tokens", Some(7)), ("max_tokens", None)] {
        let mut body = streamed("hello");
        if let Some(limit) = limit {
            body[name] = json!(limit);
        }
        client.ask(&body).await;
        assert_eq!(upstream.last(), body);
    }
}

#[tokio::test]
async fn what_is_added_for_an_upstream_is_a_setting() {
    let upstream = Upstream::start(Fault::None).await;
    let world = World::start(&upstream.url).await;
    let mut client = world.client(10);
    let mut body = streamed("hello");
    body["max_completion_tokens"] = json!(7);
    client.ask(&body).await;
    let last = upstream.last();
    assert!(last.get("max_tokens").is_none(), "the limit has a name already: {last}");
    assert_eq!((&last["max_completion_tokens"], &last["stream_options"]["include_usage"]), (&json!(7), &json!(true)));
    client.ask(&question("hello")).await;
    assert_eq!(upstream.last()["max_tokens"], 500);
    let world = World::with(&upstream.url, |config| config.models[0].add_limit = AddLimit::MaxCompletionTokens).await;
    world.client(10).ask(&question("hello")).await;
    assert_eq!(upstream.last()["max_completion_tokens"], 500);
    assert!(upstream.last().get("max_tokens").is_none());
}

#[tokio::test]
async fn a_prompt_is_weighed_without_an_answer() {
    let answer = json!({"choices": [{"index": 0, "text": "so many words", "finish_reason": "length"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 0}});
    let upstream = Upstream::says(Script::json(&answer)).await;
    let world = World::start(&upstream.url).await;
    let mut client = world.client(10);
    let body = json!({"model": "digits", "prompt": "so many words", "max_tokens": 0, "echo": true, "logprobs": 1});
    let payment = client.pay(&body);
    let reply = client.post("/v1/completions", Some(&joule_x402::encode(&payment)), body.to_string()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json(), answer);
    assert_eq!(client.accept(&payment, &reply), 100 + 3);
    assert_eq!(upstream.last(), body);
}

#[tokio::test]
async fn an_upstream_that_is_too_busy_says_when_to_come_again() {
    for (status, when) in [(429, "17"), (503, "17"), (429, "Wed, 21 Oct 2026 07:28:00 GMT")] {
        for body in [question("hello"), streamed("hello")] {
            let script = Script::plain(status, ERROR).with_header("retry-after", when);
            let asked = asked(script, &body).await;
            assert_eq!(asked.reply.headers["retry-after"], when);
            asked.is_free(status, "upstream_busy", &body).await;
        }
    }
}

#[tokio::test]
async fn what_an_upstream_says_of_the_request_is_passed_on_as_the_apis_error() {
    let body = question("hello");
    let own = r#"{"error":{"message":"too long","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#;
    for (status, said, code) in [
        (400, own, "context_length_exceeded"),
        (413, own, "context_length_exceeded"),
        (422, r#"{"detail":"too long"}"#, "upstream_refused"),
        (400, r#"{"object":"error","message":"too long"}"#, "upstream_refused"),
        (404, "too long", "upstream_refused"),
    ] {
        let asked = asked(Script::plain(status, said), &body).await;
        assert!(asked.reply.json()["error"]["message"].as_str().unwrap().contains("too long"), "{said}");
        asked.is_free(status, code, &body).await;
    }
}
