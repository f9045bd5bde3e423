//! Requests over HTTP, against a server that sells as the gateway does and can be told to misbehave.

use crate::world::*;
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
    Router,
};
use futures::StreamExt as _;
use joule_client::{Buyer, Failed, Journal, Limits, Objection, Stop, Wallet, WalletError};
use joule_units::Amount;
use joule_voucher::{hashv, sign, Format, Order, Receipt, SigningKey};
use joule_x402::{
    decode, encode, network, Base58, Extra, PaymentPayload, PaymentRequired, Requirements, Resource, Settlement,
    SettlementExtra, Signed, Terms, PAYMENT_REQUIRED, PAYMENT_RESPONSE, PAYMENT_SIGNATURE, RECEIPT_COMMENT, SCHEME,
    VERSION,
};
use serde_json::json;
use std::sync::{Arc, Mutex};
use url::Url;

/// What the server does with the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Honest,
    /// Serves and bills, and then the connection breaks.
    Vanishes,
    /// Asks for one unit too much.
    Greedy,
    /// Answers something else than what the receipt says.
    Swaps,
    /// Sends half a stream and the connection breaks.
    Breaks,
    /// Answers with an error, and bills it.
    Errs,
    /// Its model cannot be reached.
    Down,
    /// Has no place for so many seconds.
    Busy(u64),
    /// Has no place just now.
    Full,
    /// Serves nothing, and shows a receipt as if it had.
    Hides,
    /// Sends the client elsewhere.
    Redirects,
    /// Sends a byte of an answer now and then, for ever.
    Drips,
    /// Sends an answer that has no end.
    Endless,
}

#[derive(Clone)]
struct Shop(Arc<Mutex<Till>>);

struct Till {
    provider: Provider,
    /// Taken from the end.
    moods: Vec<Mood>,
    quote: u64,
    vouchers: Vec<u64>,
    /// What the orders allow that were served.
    most: Vec<u64>,
}

const ERROR: &str = r#"{"error":{"message":"out of memory"}}"#;
const STREAM: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"seven\"}}]}\n\n";

fn terms(quote: u64) -> Requirements {
    let channel = channel(1_000);
    Requirements {
        scheme: SCHEME.into(),
        network: network(&channel.genesis),
        amount: Amount::new(quote),
        asset: Base58([8; 32]),
        pay_to: Base58([7; 32]),
        max_timeout_seconds: 1,
        extra: Extra {
            program: Base58(channel.program),
            provider: Base58([6; 32]),
            authority: Base58(channel.authority),
            model: Base58([5; 32]),
            price_list: Base58([4; 32]),
            prices: prices(),
            min_grace: 3_600,
            settle_margin: 600,
            order_life: 300,
            window: 4,
            bytes_per_token: 4,
            unpaid: Vec::new(),
        },
    }
}

fn settlement(receipt: Option<Signed<Receipt>>, reason: Option<&str>) -> Settlement {
    Settlement {
        success: receipt.is_some(),
        error_reason: reason.map(str::to_owned),
        payer: None,
        transaction: String::new(),
        network: network(&channel(1).genesis),
        extra: receipt.map(|receipt| SettlementExtra {
            commitment_id: String::new(),
            charged_amount: receipt.message.amount.get(),
            receipt,
        }),
    }
}

fn header(name: &'static str, value: String) -> [(HeaderName, String); 1] {
    [(HeaderName::from_static(name), value)]
}

fn refused(quote: u64, reason: Option<&str>) -> Response {
    let required = PaymentRequired {
        x402_version: VERSION,
        error: None,
        resource: Resource { url: "x".into(), description: None, mime_type: None },
        // Whoever sells in several ways may name another one first.
        accepts: vec![Terms::Other(json!({"scheme": "upto"})), Terms::Channel(Box::new(terms(quote)))],
    };
    let body = json!({"error": {"code": reason, "message": "no"}}).to_string();
    let refused = (StatusCode::PAYMENT_REQUIRED, header(PAYMENT_REQUIRED, encode(&required)), body);
    match reason {
        None => refused.into_response(),
        Some(_) => (header(PAYMENT_RESPONSE, encode(&settlement(None, reason))), refused).into_response(),
    }
}

async fn chat(State(Shop(till)): State<Shop>, headers: HeaderMap, body: Bytes) -> Response {
    let mut till = till.lock().unwrap();
    let Some(payment) = headers.get(PAYMENT_SIGNATURE) else { return refused(till.quote, None) };
    let payment: PaymentPayload = decode(payment.as_bytes()).unwrap();
    let order = payment.payload.order.unwrap().message;
    assert_eq!(order.request_hash, hashv(&[&body]));
    if let Some(voucher) = payment.payload.voucher {
        till.provider.pay(&voucher.message);
        till.vouchers.push(voucher.message.sequence.get());
    }
    if let Some(served) = till.provider.served.get(&order.nonce.get()) {
        let known = header(PAYMENT_RESPONSE, encode(&settlement(Some(*served), None)));
        return (StatusCode::CONFLICT, known).into_response();
    }
    if order.max_amount.get().get() < till.quote {
        return refused(till.quote, Some("order_too_small"));
    }
    let mood = till.moods.pop().unwrap_or(Mood::Honest);
    if mood == Mood::Full {
        return refused(till.quote, Some("window_full"));
    }
    if mood == Mood::Down {
        let error = json!({"error": {"code": "upstream_unreachable", "message": "the model cannot be reached"}});
        return (StatusCode::BAD_GATEWAY, axum::Json(error)).into_response();
    }
    if let Mood::Busy(seconds) = mood {
        let error = json!({"error": {"code": "busy", "message": "every place is taken"}});
        let wait = [("retry-after", seconds.to_string())];
        return (StatusCode::TOO_MANY_REQUESTS, wait, axum::Json(error)).into_response();
    }
    if mood == Mood::Redirects {
        return (StatusCode::TEMPORARY_REDIRECT, [("location", "/elsewhere")]).into_response();
    }
    till.most.push(order.max_amount.get().get());
    let stream = body.windows(6).any(|part| part == b"stream");
    serve(&mut till.provider, &order, mood, stream)
}

fn serve(provider: &mut Provider, order: &Order, mood: Mood, stream: bool) -> Response {
    let usage = joule_voucher::Usage { output_tokens: 3, ..Default::default() };
    let asked = if mood == Mood::Greedy { 14 } else { 13 };
    let mut signed = provider.receipt(&channel(1_000), order, &usage, Amount::new(asked));
    let text = match (stream, mood) {
        (true, Mood::Errs) => format!("data: {ERROR}\n\n"),
        (true, _) => STREAM.to_owned(),
        (false, _) => ERROR.to_owned(),
    };
    if stream || mood == Mood::Errs {
        let usage = joule_voucher::Usage::default();
        if mood == Mood::Errs {
            signed = provider.receipt(&channel(1_000), order, &usage, Amount::new(10));
        }
        signed.message.response_hash = hashv(&[text.as_bytes()]);
        signed.signature = sign(&authority(), signed.message.as_bytes());
    }
    provider.book(order, &signed);
    let settlement = encode(&settlement(Some(signed), None));
    let broken = || std::io::Error::other("broken");
    if stream {
        let end = format!("{RECEIPT_COMMENT}{settlement}\n\ndata: [DONE]\n\n");
        let pieces = match mood {
            Mood::Breaks => vec![Ok(text), Err(broken())],
            _ => vec![Ok(text), Ok(end)],
        };
        let body = axum::body::Body::from_stream(Pieces(pieces.into()));
        return ([("content-type", "text/event-stream")], body).into_response();
    }
    match mood {
        Mood::Vanishes => axum::body::Body::from_stream(Pieces([Err(broken())].into())).into_response(),
        Mood::Hides => (StatusCode::CONFLICT, header(PAYMENT_RESPONSE, settlement)).into_response(),
        Mood::Drips | Mood::Endless => {
            let (piece, pause) = match mood {
                Mood::Drips => (1, std::time::Duration::from_millis(20)),
                _ => (1 << 20, std::time::Duration::ZERO),
            };
            let body = futures::stream::repeat(()).then(move |()| async move {
                tokio::time::sleep(pause).await;
                Ok::<_, std::io::Error>(Bytes::from(vec![b' '; piece]))
            });
            (header(PAYMENT_RESPONSE, settlement), axum::body::Body::from_stream(body)).into_response()
        }
        Mood::Errs => (header(PAYMENT_RESPONSE, settlement), text).into_response(),
        Mood::Swaps => (header(PAYMENT_RESPONSE, settlement), ANSWER.to_ascii_uppercase()).into_response(),
        _ => (header(PAYMENT_RESPONSE, settlement), ANSWER).into_response(),
    }
}

/// A body in pieces.
struct Pieces(std::collections::VecDeque<Result<String, std::io::Error>>);

impl futures::Stream for Pieces {
    type Item = Result<String, std::io::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.pop_front())
    }
}

async fn standing(State(Shop(till)): State<Shop>) -> Response {
    let till = till.lock().unwrap();
    let (all, paid) = (till.provider.receipts.len(), till.provider.paid);
    let body = json!({"receipts": all, "paid_receipts": paid, "serving": 0, "unpaid": till.provider.unpaid()});
    axum::Json(body).into_response()
}

async fn vouchers(State(Shop(till)): State<Shop>, headers: HeaderMap) -> Response {
    let payment: PaymentPayload = decode(headers[PAYMENT_SIGNATURE].as_bytes()).unwrap();
    till.lock().unwrap().provider.pay(&payment.payload.voucher.unwrap().message);
    axum::Json(json!({})).into_response()
}

struct Test {
    till: Arc<Mutex<Till>>,
    buyer: Buyer,
    folder: tempfile::TempDir,
}

async fn test(moods: &[Mood], limits: Limits, ceiling: u64) -> Test {
    let (till, endpoint) = open(moods).await;
    let folder = tempfile::tempdir().unwrap();
    let buyer = buyer(&folder, limits, endpoint, ceiling).await;
    Test { till, buyer, folder }
}

/// Where an honest one sells.
pub async fn honest() -> Url {
    open(&[]).await.1
}

async fn open(moods: &[Mood]) -> (Arc<Mutex<Till>>, Url) {
    let moods = moods.iter().rev().copied().collect();
    let till = Till { provider: Provider::default(), moods, quote: 20, vouchers: Vec::new(), most: Vec::new() };
    let shop = Shop(Arc::new(Mutex::new(till)));
    let till = shop.0.clone();
    let router = Router::new()
        .route("/v1/chat/completions", post(chat))
        .route("/joule/v1/channels/{address}", get(standing))
        .route("/joule/v1/vouchers", post(vouchers))
        .with_state(shop);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint: Url = format!("http://{}/v1/chat/completions", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (till, endpoint)
}

impl Test {
    /// Another process, which has nothing but the disk.
    async fn next_run(self) -> Self {
        let Self { till, buyer: old, folder } = self;
        let endpoint = old.endpoint().clone();
        drop(old);
        let buyer = buyer(&folder, LIMITS, endpoint, 100).await;
        Self { till, buyer, folder }
    }
}

async fn buyer(folder: &tempfile::TempDir, limits: Limits, endpoint: Url, ceiling: u64) -> Buyer {
    let http = joule_client::client().unwrap();
    let channel = channel(1_000);
    let journal = Journal::open(&folder.path().join("journal.db"), &channel.address).unwrap();
    let terms = Buyer::terms(&http, &endpoint, Bytes::from_static(b"{}"), &network(&channel.genesis)).await.unwrap();
    let wallet = Wallet::new(channel, limits, SigningKey::from_bytes(&[5; 32]), journal).unwrap();
    let buyer = Buyer::new(http, endpoint, Arc::new(wallet), (&terms, b"{}"), Amount::new(ceiling));
    buyer.with_slack(std::time::Duration::from_millis(300))
}

async fn buy(test: &Test, body: &'static str) -> Result<joule_client::Answered, Failed> {
    test.buyer.buy(Bytes::from_static(body.as_bytes()), |_| ()).await
}

#[tokio::test]
async fn a_402_is_answered_and_every_answer_is_paid_with_the_next_request() {
    let test = test(&[], LIMITS, 100).await;
    for _ in 0..5 {
        let answered = buy(&test, "{}").await.unwrap();
        assert_eq!((answered.body.as_deref(), answered.receipt.amount.get().get()), (Some(ANSWER), 13));
    }
    test.buyer.pay().await.unwrap();
    let till = test.till.lock().unwrap();
    assert_eq!((till.vouchers.as_slice(), till.provider.paid), (&[1, 2, 3, 4][..], 5));
}

#[tokio::test]
async fn a_stream_is_checked_to_its_last_byte() {
    let test = test(&[], LIMITS, 100).await;
    let mut said = Vec::new();
    let answered = test.buyer.buy(Bytes::from_static(b"stream"), |event| said.push(event.to_owned())).await.unwrap();
    assert_eq!((answered.receipt.sequence.get(), said.len()), (1, 1));
}

#[tokio::test]
async fn an_answer_that_was_lost_is_asked_for_again_and_paid_once() {
    let test = test(&[Mood::Vanishes, Mood::Honest, Mood::Breaks], LIMITS, 100).await;
    assert!(buy(&test, "{}").await.unwrap().body.is_none());
    assert!(buy(&test, "{}").await.unwrap().body.is_some());
    assert!(buy(&test, "stream").await.unwrap().body.is_none());
    assert_eq!(test.buyer.wallet().receipts(), 3);
    assert_eq!(test.till.lock().unwrap().provider.receipts.len(), 3);
}

/// One unit for each token and ten for the request; what is left open was 9 tokens and one that ends them in the first quote.
#[tokio::test]
async fn a_quote_rises_with_what_is_asked_for_and_no_further() {
    let test = test(&[], LIMITS, 30).await;
    buy(&test, "{}").await.unwrap();
    test.till.lock().unwrap().quote = 30;
    buy(&test, "{\"max_tokens\": 19}").await.unwrap();
    let orders = |till: &Till| till.provider.receipts.len();
    let too_dear = |failed: &Failed| matches!(failed, Failed::Refused(said) if said.code == "too_dear");
    // By its price list this costs 20 at most, and the other 31, where 30 are allowed.
    for (quote, body) in [(21, "{}"), (31, "{\"max_tokens\": 20}")] {
        test.till.lock().unwrap().quote = quote;
        let refused = buy(&test, body).await.unwrap_err();
        assert!(too_dear(&refused), "{refused}");
        assert_eq!(orders(&test.till.lock().unwrap()), 2);
    }
    test.till.lock().unwrap().quote = 20;
    buy(&test, "{}").await.unwrap();
    let served = test.till.lock().unwrap().most.clone();
    assert_eq!(served, [20, 30, 20], "what one request may cost is nothing to the next");
}

#[tokio::test]
async fn a_receipt_in_the_place_of_an_answer_is_not_paid() {
    let test = test(&[Mood::Honest, Mood::Hides], LIMITS, 100).await;
    buy(&test, "{}").await.unwrap();
    let caught = buy(&test, "{}").await.unwrap_err();
    assert!(matches!(&caught, Failed::Objection(Objection::Withheld)), "{caught}");
    let next = buy(&test, "{}").await.unwrap_err();
    assert!(matches!(&next, Failed::Wallet(WalletError::Stop(Stop::Caught(_)))), "{next}");
    assert_eq!(test.buyer.wallet().billed().get(), 13);
}

/// Each connection breaks, and each receipt is shown afterwards: that costs a window of quotes.
#[tokio::test]
async fn a_provider_that_never_answers_is_paid_for_a_window_and_no_more() {
    for at_once in [1, 3, 9] {
        let test = test(&[Mood::Vanishes; 20], LIMITS, 100).await;
        let mut failures = Vec::new();
        for _ in 0..20 / at_once {
            let all = futures::future::join_all((0..at_once).map(|_| buy(&test, "{}"))).await;
            failures.extend(all.into_iter().filter_map(Result::err));
        }
        let missed = |failed: &Failed| matches!(failed, Failed::Wallet(WalletError::Stop(Stop::Missed(4))));
        assert!(!failures.is_empty() && failures.iter().all(missed), "{failures:?}");
        assert_eq!(test.till.lock().unwrap().provider.receipts.len() as u64, LIMITS.window);
        assert!(test.buyer.wallet().billed().get() <= LIMITS.window * 20);
    }
}

/// Twenty runs of a program, each with the channel and the journal of the one before.
#[tokio::test]
async fn a_provider_that_never_answers_is_paid_for_a_window_in_all_runs_together() {
    let mut test = test(&[Mood::Vanishes; 20], LIMITS, 100).await;
    for run in 1..=20 {
        match buy(&test, "{}").await {
            Ok(answered) => assert!(run <= 4 && !answered.is_whole && answered.body.is_none(), "{run}: {answered:?}"),
            Err(failed) => {
                let missed = matches!(&failed, Failed::Wallet(WalletError::Stop(Stop::Missed(4))));
                assert!(run > 4 && missed, "{run}: {failed}");
            }
        }
        test.buyer.pay().await.unwrap();
        test = test.next_run().await;
    }
    let billed = test.buyer.wallet().billed().get();
    assert_eq!((test.till.lock().unwrap().provider.receipts.len(), billed), (4, 4 * 13));
}

#[tokio::test]
async fn an_error_that_is_billed_is_no_answer_and_is_not_paid_for_without_end() {
    let test = test(&[Mood::Errs; 20], LIMITS, 100).await;
    for body in ["{}", "stream", "{}", "stream"] {
        let answered = buy(&test, body).await.unwrap();
        assert!(!answered.is_whole && answered.body.is_some());
    }
    let stopped = buy(&test, "{}").await.unwrap_err();
    assert!(matches!(&stopped, Failed::Wallet(WalletError::Stop(Stop::Missed(4)))), "{stopped}");
}

#[tokio::test]
async fn what_the_provider_says_is_said_while_it_is_tried_and_at_the_end() {
    let mut test = test(&[Mood::Down; 8], LIMITS, 100).await;
    let news = Arc::new(Mutex::new(Vec::new()));
    let heard = news.clone();
    test.buyer = test.buyer.with_news(move |line| heard.lock().unwrap().push(line.to_owned()));
    let failed = buy(&test, "{}").await.unwrap_err();
    assert!(matches!(&failed, Failed::Unavailable(said) if said.code == "upstream_unreachable"), "{failed}");
    let line = "the provider says: the model cannot be reached (upstream_unreachable)";
    assert_eq!(*news.lock().unwrap(), [line; 8]);
    // It costs nothing, and when the model is back the channel goes on.
    assert!(buy(&test, "{}").await.unwrap().is_whole);
    assert_eq!(test.buyer.wallet().missed(), 0);
}

#[tokio::test]
async fn whoever_is_to_come_back_much_later_is_told_so_and_asks_once() {
    let test = test(&[Mood::Busy(3_600), Mood::Busy(1)], LIMITS, 100).await;
    let failed = buy(&test, "{}").await.unwrap_err().to_string();
    assert!(failed.contains("every place is taken; try again in 3600 seconds (busy)"), "{failed}");
    assert_eq!(test.till.lock().unwrap().moods.len(), 1, "it was asked once");
    assert!(buy(&test, "{}").await.unwrap().is_whole, "a second is waited for");
}

#[tokio::test]
async fn an_answer_forgives_those_that_were_lost_before() {
    let moods: Vec<_> = (0..20).map(|n| if n % 4 == 3 { Mood::Honest } else { Mood::Vanishes }).collect();
    let test = test(&moods, LIMITS, 100).await;
    for _ in 0..20 {
        buy(&test, "{}").await.unwrap();
    }
}

#[tokio::test]
async fn a_payment_is_not_sent_elsewhere() {
    let test = test(&[Mood::Redirects], LIMITS, 100).await;
    let refused = buy(&test, "{}").await.unwrap_err();
    assert!(matches!(&refused, Failed::Model { status: 307, .. }), "{refused}");
}

#[tokio::test]
async fn nobody_waits_for_ever() {
    let test = test(&[Mood::Drips, Mood::Endless], LIMITS, 100).await;
    // Given up after the model's second and its way; asked again, its receipt is there.
    let answered = tokio::time::timeout(std::time::Duration::from_secs(120), buy(&test, "{}")).await;
    assert!(answered.expect("it is given up").unwrap().body.is_none());
    let failed = buy(&test, "{}").await.unwrap_err();
    assert!(matches!(&failed, Failed::BadBody { .. }), "{failed}");
}

#[tokio::test]
async fn a_full_window_passes() {
    let test = test(&[Mood::Full, Mood::Full], LIMITS, 100).await;
    buy(&test, "{}").await.unwrap();
}

#[tokio::test]
async fn a_provider_that_is_caught_gets_no_further_request() {
    for (mood, objection) in
        [(Mood::Greedy, Objection::Overcharged { asked: 14, fair: 13 }), (Mood::Swaps, Objection::Response)]
    {
        let test = test(&[Mood::Honest, mood], LIMITS, 100).await;
        buy(&test, "{}").await.unwrap();
        let caught = buy(&test, "{}").await.unwrap_err();
        assert!(matches!(&caught, Failed::Objection(found) if *found == objection), "{caught}");
        let next = buy(&test, "{}").await.unwrap_err();
        assert!(matches!(&next, Failed::Wallet(WalletError::Stop(Stop::Caught(_)))), "{next}");
        assert_eq!(test.till.lock().unwrap().provider.receipts.len(), 2);
        assert_eq!(test.buyer.wallet().billed().get(), 13);
    }
}

#[tokio::test]
async fn many_at_once_stay_within_window_and_budget_and_all_is_paid() {
    let limits = Limits { budget: Amount::new(13 * 30 + 6), ..LIMITS };
    let test = test(&[], limits, 100).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let buyer = test.buyer.clone();
        tasks.spawn(async move { buyer.buy(Bytes::from_static(b"{}"), |_| ()).await });
    }
    let all = tasks.join_all().await;
    let bought = all.iter().filter(|result| result.is_ok()).count();
    let is_budget = |failed: &Failed| matches!(failed, Failed::Wallet(WalletError::Stop(Stop::Budget { .. })));
    assert!(all.iter().filter_map(|result| result.as_ref().err()).all(is_budget));
    // The last may cost up to 20, and 19 are left.
    assert_eq!(bought, 29);
    test.buyer.pay().await.unwrap();
    assert_eq!(test.till.lock().unwrap().provider.paid, 29);
}

#[tokio::test]
async fn a_client_that_was_killed_finds_what_it_was_served() {
    let test = test(&[Mood::Honest, Mood::Honest, Mood::Vanishes], LIMITS, 100).await;
    for _ in 0..2 {
        buy(&test, "{}").await.unwrap();
    }
    // Dropped in the middle of the third: the receipt is at the provider only.
    let third = test.buyer.clone();
    let task = tokio::spawn(async move { third.buy(Bytes::from_static(b"{}"), |_| ()).await });
    while test.till.lock().unwrap().provider.receipts.len() < 3 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    task.abort();
    let _ = task.await;
    let test = test.next_run().await;
    test.buyer.recover().await.unwrap();
    assert_eq!((test.buyer.wallet().receipts(), test.buyer.wallet().gaps()), (3, 0));
    test.buyer.pay().await.unwrap();
    assert_eq!(test.till.lock().unwrap().provider.paid, 3);
}
