//! What OpenAI's API does beside answering: models by name, web pages in browsers.

use crate::support::*;
use joule_gateway::config::Config;
use reqwest::Method;

async fn world(origins: &[&str]) -> World {
    let upstream = Upstream::start(Fault::None).await;
    let origins: Vec<_> = origins.iter().map(|origin| (*origin).to_owned()).collect();
    World::with(&upstream.url, |config: &mut Config| {
        config.cors_origins = origins;
        config.models[0].name = "joule/digits".into();
    })
    .await
}

#[tokio::test]
async fn a_model_is_found_by_its_name() {
    let world = world(&["*"]).await;
    let get = async |path: &str| {
        let answer = world.http.get(format!("{}{path}", world.url)).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<serde_json::Value>().await.unwrap())
    };
    let (status, list) = get("/v1/models").await;
    assert_eq!((status, &list["object"]), (200, &"list".into()));
    for path in ["/v1/models/joule/digits", "/v1/models/joule%2Fdigits"] {
        let (status, model) = get(path).await;
        assert_eq!((status, &model["id"], &model["object"]), (200, &"joule/digits".into(), &"model".into()), "{path}");
        assert_eq!(model, list["data"][0]);
    }
    let (status, error) = get("/v1/models/gpt").await;
    assert_eq!((status, &error["error"]["code"]), (404, &"model_not_found".into()));
    let (status, error) = get("/v1/chat/completions").await;
    assert_eq!((status, &error["error"]["code"]), (405, &"method_not_allowed".into()));
    let (status, error) = get("/v1/files").await;
    assert_eq!((status, &error["error"]["code"]), (404, &"not_found".into()));
}

async fn call(world: &World, method: Method, path: &str, headers: &[(&str, &str)]) -> reqwest::Response {
    let call = world.http.request(method, format!("{}{path}", world.url));
    let call = headers.iter().fold(call, |call, (name, value)| call.header(*name, *value));
    call.body(r#"{"model":"joule/digits"}"#).send().await.unwrap()
}

#[tokio::test]
async fn a_web_page_may_ask_and_reads_what_it_has_to_pay() {
    let world = world(&["*"]).await;
    let origin = ("origin", "https://shop.example");
    for path in ["/v1/chat/completions", "/joule/v1/vouchers", "/v1/models/joule/digits"] {
        let asks = [
            origin,
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type, payment-signature"),
        ];
        let preflight = call(&world, Method::OPTIONS, path, &asks).await;
        assert_eq!(preflight.status(), 204, "{path}");
        assert_eq!(preflight.headers()["access-control-allow-origin"], "*");
        assert_eq!(preflight.headers()["access-control-allow-headers"], "content-type, payment-signature");
    }
    let terms = call(&world, Method::POST, "/v1/chat/completions", &[origin]).await;
    assert_eq!(
        (terms.status().as_u16(), &terms.headers()["access-control-allow-origin"]),
        (402, &"*".parse().unwrap())
    );
    let exposed = terms.headers()["access-control-expose-headers"].to_str().unwrap();
    for header in [joule_x402::PAYMENT_REQUIRED, joule_x402::PAYMENT_RESPONSE, "retry-after"] {
        assert!(exposed.contains(header), "{exposed}");
    }
    // What the operator alone looks at is no page's to read.
    for path in ["/metrics", "/healthz"] {
        let own = call(&world, Method::GET, path, &[origin]).await;
        assert!(!own.headers().contains_key("access-control-allow-origin"), "{path}");
    }
}

#[tokio::test]
async fn which_pages_may_ask_is_a_setting() {
    let some = world(&["https://shop.example"]).await;
    let allowed = async |world: &World, origin: &str| {
        let answer = call(world, Method::POST, "/v1/chat/completions", &[("origin", origin)]).await;
        answer.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(allowed(&some, "https://shop.example").await.as_deref(), Some("https://shop.example"));
    assert_eq!(allowed(&some, "https://other.example").await, None);
    let none = world(&[]).await;
    assert_eq!(allowed(&none, "https://shop.example").await, None);
}
