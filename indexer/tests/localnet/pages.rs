//! Web pages that ask from browsers.

use crate::support::{Following, World};
use joule_indexer::{config::Settings, Indexer};
use tokio_util::sync::CancellationToken;

#[tokio::test(flavor = "multi_thread")]
async fn web_pages_read_what_they_may_and_a_wrong_origin_is_named() {
    let world = World::start(1_500).await;
    let page = "https://shop.example";
    let settings = Settings { cors_origins: vec![page.to_owned()], ..world.settings(&world.database()) };
    let following = Following::start(&settings).await;
    let url = format!("{}/healthz", following.client.base());
    for (origin, allowed) in [(page, Some(page)), ("https://other.example", None)] {
        let answer = reqwest::Client::new().get(&url).header("origin", origin).send().await.unwrap();
        let said = answer.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap());
        assert_eq!(said, allowed);
    }
    following.stop().await;
    let wrong = Settings { cors_origins: vec!["shop.example".to_owned()], ..settings };
    let error = format!("{:#}", Indexer::start(&wrong, CancellationToken::new()).await.err().unwrap());
    assert!(error.contains("--cors-origins") && error.contains("shop.example"), "{error}");
    world.localnet.stop().await.unwrap();
}
