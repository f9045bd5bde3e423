//! README.md's sample, as it stands there.

use crate::{served::honest, world::*};
use joule_client::{Answered, Buyer, Channel, Journal, Wallet};
use joule_units::Amount;
use joule_voucher::SigningKey;
use std::{path::Path, sync::Arc};

#[rustfmt::skip]
#[expect(unused_variables, reason = "the reader has a use for the event")]
async fn sample(endpoint: url::Url, channel: Channel, path: &Path) -> Result<Answered, Box<dyn std::error::Error>> {
    let (limits, session_key, most_per_request) = (LIMITS, SigningKey::from_bytes(&[5; 32]), Amount::new(100));
    let (address, body) = (channel.address, bytes::Bytes::from_static(b"{}"));
    let context = &address;
    let http = joule_client::client()?;                     // follows no redirects
    let wallet = Wallet::new(channel, limits, session_key, Journal::open(path, context)?)?;
    let terms = Buyer::terms(&http, &endpoint, body.clone(), wallet.network()).await?;
    let buyer = Buyer::new(http, endpoint, Arc::new(wallet), (&terms, &body), most_per_request);
    let answered = buyer.buy(body, |event| ()).await?;      // as often as you like, at once too
    buyer.pay().await?;                                     // the last voucher
    Ok(answered)
}

#[tokio::test]
async fn the_pages_sample_buys_an_answer() {
    let (_, rest) = include_str!("../../README.md").split_once("```rust\n").expect("a sample");
    let (sample_of_page, rest) = rest.split_once("```").expect("its end");
    assert!(!rest.contains("```rust"), "one sample");
    let here: Vec<_> = include_str!("page.rs").lines().map(str::trim).collect();
    let lines: Vec<_> = sample_of_page.lines().map(str::trim).collect();
    assert!(here.windows(lines.len()).any(|lines_here| lines_here == lines), "README.md has another sample than this");
    let folder = tempfile::tempdir().expect("a folder");
    let answered = sample(honest().await, channel(1_000), &folder.path().join("journal.db")).await.expect("an answer");
    assert_eq!((answered.body.as_deref(), answered.receipt.amount.get().get()), (Some(ANSWER), 13));
}
