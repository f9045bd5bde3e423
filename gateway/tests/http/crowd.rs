//! Many clients at once, and everything adds up.

use crate::support::*;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_of_many_clients_at_once_add_up() {
    let upstream = Upstream::start(Fault::None).await;
    let world = World::start(&upstream.url).await;
    let clients: Vec<_> = (10..18).map(|seed| (seed, world.client(seed))).collect();
    let all = clients.into_iter().map(|(seed, mut client)| {
        tokio::spawn(async move {
            let mut total = 0;
            for round in 0..25 {
                let body = if round % 2 == 0 { question("hello") } else { streamed("hello") };
                total += client.ask(&body).await.1;
            }
            (seed, total)
        })
    });
    for done in futures::future::join_all(all).await {
        let (seed, total) = done.unwrap();
        let account = world.account(seed).await;
        assert_eq!((&account["receipts"], &account["billed"]), (&25.into(), &total.to_string().into()));
    }
    assert_eq!(upstream.times_asked(), 8 * 25);
}

#[tokio::test]
async fn a_full_house_says_so() {
    let upstream = Upstream::start(Fault::Hang).await;
    let world = World::with(&upstream.url, |config| {
        config.limits.concurrent = 1;
        config.limits.queue = Duration::from_millis(50);
    })
    .await;
    let (mut first, mut second) = (world.client(10), world.client(11));
    let body = question("hello");
    let (one, two) = (first.pay(&body), second.pay(&body));
    let (one, two) = tokio::join!(first.send(&one, &body), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        second.send(&two, &body).await
    });
    assert_eq!((one.status, two.status), (504, 503));
    assert_eq!(two.code(), "busy");
}
