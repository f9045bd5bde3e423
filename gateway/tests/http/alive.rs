//! What operators see: whether upstreams live, and which request was which.

use crate::support::*;
use joule_gateway::alive;
use serde_json::Value;

async fn health(world: &World) -> (u16, Value) {
    let answer = world.http.get(format!("{}/healthz", world.url)).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn an_upstream_that_is_dead_is_said_to_be_so_and_to_live_when_it_does() {
    let world = World::start("http://127.0.0.1:1/v1").await;
    let (status, body) = health(&world).await;
    assert_eq!((status, &body["upstreams"][0]["ok"]), (200, &true.into()), "nobody has looked yet");
    alive::look(&world.gateway).await;
    let (status, body) = health(&world).await;
    assert_eq!((status, &body["ok"], &body["upstreams"][0]["ok"]), (503, &false.into(), &false.into()));
    assert!(body["upstreams"][0]["reason"].as_str().unwrap().contains("refused"), "{body}");
    let metrics = world.http.get(format!("{}/metrics", world.url)).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("joule_gateway_upstream_up{model=\"digits\"}"), "{metrics}");
    world.gateway.alive.answers("digits");
    assert_eq!(health(&world).await.0, 200);
}

#[tokio::test]
async fn requests_themselves_show_that_an_upstream_is_dead() {
    let world = World::start("http://127.0.0.1:1/v1").await;
    let mut client = world.client(10);
    let body = question("hello");
    let payment = client.pay(&body);
    assert_eq!(client.send(&payment, &body).await.status, 502);
    assert_eq!(health(&world).await.0, 503);
}

#[tokio::test]
async fn every_request_has_an_id_which_errors_name_too() {
    let upstream = Upstream::start(Fault::Fail).await;
    let world = World::start(&upstream.url).await;
    let url = format!("{}/v1/chat/completions", world.url);
    let mut ids = Vec::new();
    for _ in 0..2 {
        let answer = world.http.post(&url).body("{}").send().await.unwrap();
        let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        let error: Value = answer.json().await.unwrap();
        assert_eq!(error["error"]["request_id"], Value::String(id.clone()), "{error}");
        ids.push(id);
    }
    assert_ne!(ids[0], ids[1]);
}
