//! Requests that are tried at a model before anybody pays for them.

use crate::support::*;
use joule_gateway::config::Config;
use serde_json::{json, Value};

async fn probe(world: &World, body: &Value) -> (u16, Value) {
    let call = world.http.post(format!("{}/joule/v1/probe/chat/completions", world.url)).body(body.to_string());
    let reply = call.send().await.unwrap();
    (reply.status().as_u16(), reply.json().await.unwrap())
}

async fn probed(fault: Fault, body: &Value, change: impl FnOnce(&mut Config)) -> (World, Upstream, u16, Value) {
    let upstream = Upstream::start(fault).await;
    let world = World::with(&upstream.url, change).await;
    let (status, found) = probe(&world, body).await;
    (world, upstream, status, found)
}

#[tokio::test]
async fn a_request_that_would_be_served_is_tried_and_nothing_of_its_answer_is_given() {
    for body in [question("hello"), streamed("hello")] {
        let (world, upstream, status, found) = probed(Fault::None, &body, |_| {}).await;
        assert_eq!((status, found), (200, json!({"serves": true})));
        assert_eq!((upstream.times_asked(), &upstream.last()["messages"]), (1, &body["messages"]));
        assert_eq!(world.account(10).await["receipts"], 0);
    }
}

#[tokio::test]
async fn a_request_that_would_fail_is_told_why() {
    let cases =
        [(Fault::Hang, 504, "upstream_timeout"), (Fault::Fail, 502, "upstream_failed"), (Fault::Refuse, 400, "no")];
    for (fault, status, code) in cases {
        let (_, _, answered, found) = probed(fault, &question("hello"), |_| {}).await;
        assert_eq!((answered, &found["serves"], &found["status"]), (200, &false.into(), &status.into()), "{fault:?}");
        assert_eq!(found["error"]["code"], code, "{fault:?}: {found}");
    }
    let world = World::start("http://127.0.0.1:1/v1").await;
    let (_, found) = probe(&world, &question("hello")).await;
    assert_eq!((&found["serves"], &found["error"]["code"]), (&false.into(), &"upstream_unreachable".into()));
    let unknown = json!({"model": "digits", "n_predict": 7, "messages": []});
    for (body, status) in [(unknown, 400), (json!({"model": "nobody", "messages": []}), 404), (json!([]), 400)] {
        assert_eq!(probe(&world, &body).await.1["status"], status, "{body}");
    }
}

#[tokio::test]
async fn strangers_have_a_model_try_so_many_a_minute_and_no_long_ones() {
    let upstream = Upstream::start(Fault::None).await;
    let world = World::start(&upstream.url).await;
    let mut answers = Vec::new();
    for _ in 0..20 {
        answers.push(probe(&world, &question("hello")).await.0);
    }
    assert_eq!(answers[..10], [200; 10]);
    assert!(answers[10..].contains(&429), "{answers:?}");
    assert!(upstream.times_asked() < 20);
    let before = upstream.times_asked();
    let world = World::start(&upstream.url).await;
    assert_eq!(probe(&world, &question(&"a".repeat(5_000))).await.0, 413);
    let world = World::with(&upstream.url, |config| config.limits.probes_per_minute = 0).await;
    assert_eq!(probe(&world, &question("hello")).await.0, 429);
    assert_eq!(upstream.times_asked(), before);
}

/// Hidden reasoning and an answer as a whole are made to their end, and so are all of many.
#[tokio::test]
async fn what_is_tried_is_the_beginning_of_one_answer() {
    let many =
        json!({"model": "digits", "n": 128, "max_tokens": 500, "messages": [{"role": "user", "content": "hello"}]});
    let (_, upstream, status, found) = probed(Fault::None, &many, |_| {}).await;
    assert_eq!((status, found), (200, json!({"serves": true})));
    let asked = upstream.last();
    assert_eq!((&asked["n"], &asked["max_tokens"], &asked["stream"]), (&Value::Null, &16.into(), &true.into()));
    let (_, upstream, ..) = probed(Fault::None, &question("hello"), |_| {}).await;
    assert_eq!(upstream.last()["max_tokens"], 16);
    // What is too much is still said to be.
    for much in [json!({"n": 129}), json!({"max_tokens": 501})] {
        let mut body = question("hello");
        body.as_object_mut().unwrap().extend(much.as_object().unwrap().clone());
        let (_, upstream, _, found) = probed(Fault::None, &body, |_| {}).await;
        assert_eq!((&found["serves"], &found["status"], upstream.times_asked()), (&false.into(), &400.into(), 0));
    }
    // One that says nothing in so few tokens ends, and serves.
    let ended = format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]}));
    let world = World::start(&Upstream::says(Script::stream([ended])).await.url).await;
    assert_eq!(probe(&world, &question("hello")).await.1, json!({"serves": true}));
}

/// Whoever uses up what it gets takes nothing from others.
#[tokio::test]
async fn an_address_has_its_share_of_tries() {
    let upstream = Upstream::start(Fault::None).await;
    let world = World::with(&upstream.url, |config| config.limits.address_share = Some(50)).await;
    let mut answers = Vec::new();
    for _ in 0..20 {
        answers.push(probe(&world, &question("hello")).await.0);
    }
    assert_eq!(answers[..5], [200; 5]);
    assert!(answers.iter().filter(|status| **status == 200).count() < 9, "{answers:?}");
    let path = "/joule/v1/probe/chat/completions";
    let other = world.client_from("127.0.0.2", 10).post(path, None, question("hello").to_string()).await;
    assert_eq!(other.json(), json!({"serves": true}));
}

#[tokio::test]
async fn whoever_pays_comes_before_whoever_tries() {
    let held = Held::start().await;
    let world = held.world(|config| config.limits.concurrent = 1).await;
    let mut client = world.client(10);
    let body = streamed("hello");
    let payment = client.pay(&body);
    let (reply, ()) = tokio::join!(client.send(&payment, &body), async {
        wait_until("the paid one is under way", || held.upstream.times_asked() == 1).await;
        assert_eq!(probe(&world, &question("hello")).await.0, 503);
        held.answer(1);
    });
    assert_eq!(reply.status, 200);
    client.accept(&payment, &reply);
}
