//! Requests to an OpenAI-compatible server that sells them by x402.

mod attempt;
mod probe;

use crate::{
    body::{self, BadBody},
    shown, Asked, Objection, Stop, Wallet, WalletError,
};
use attempt::{complaint, in_full, is_passing, requirements, waits, Asking, Try, Why, LONGEST_PAUSE, PAUSE};
use bytes::Bytes;
use joule_units::{Amount, UnixTime};
use joule_voucher::{hashv, Hash, Receipt};
use joule_x402::{encode, PaymentPayload, Requirements, Signed, PAYMENT_SIGNATURE};
use reqwest::{header, redirect, StatusCode};
use serde::Deserialize;
use std::{
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use url::Url;

/// How often one request is sent before it is given up.
const TRIES: u32 = 8;
/// The longest that an order lives, in seconds, whatever the provider allows: so long nobody knows what becomes of one that was
/// being sent when the client was killed.
const ORDER_LIFE: i64 = 20;
/// How often the provider is asked about such orders.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How long a connection may take, and how long nothing may come.
const CONNECT: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_secs(120);
/// Of an answer, and of everything else, bytes.
const MOST_ANSWER: usize = 64 << 20;
const MOST_OTHER: usize = 1 << 20;
/// The longest that an answer may take, in seconds, whatever the provider says; and what is added for its way.
const LONGEST_ANSWER: u64 = 3_600;
const SLACK: Duration = Duration::from_secs(30);

/// A client as payments need it: nobody sends a payment on to somewhere else.
pub fn client() -> reqwest::Result<reqwest::Client> {
    let client = reqwest::Client::builder().connect_timeout(CONNECT).read_timeout(SILENCE);
    client.redirect(redirect::Policy::none()).build()
}

/// What a provider says of a request that it does not serve.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({code})")]
pub struct Said {
    /// One word for it.
    pub code: String,
    pub message: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    #[error("{0}")]
    Wallet(#[from] WalletError),
    #[error("the provider was caught: {0}")]
    Objection(#[from] Objection),
    #[error("{url} cannot be reached: {}", in_full(.source))]
    Unreachable { url: Url, source: reqwest::Error },
    #[error("the provider takes no payment that this program can make: {}", shown::line(.0))]
    Terms(String),
    #[error("the provider does not serve this: {0}")]
    Refused(Said),
    #[error("the provider cannot serve this now: {0}")]
    Unavailable(Said),
    #[error("the model answers with status {status}: {}", shown::line(.body))]
    Model { status: u16, body: String },
    #[error("no answer came in {TRIES} tries ({0}); if one was served, its receipt will be found later")]
    Lost(String),
    #[error("{url}: {}", shown::line(&.source.to_string()))]
    BadBody { url: Url, source: BadBody },
    #[error("{0} orders have no receipt and are not over yet; try again later")]
    Gaps(usize),
}

impl Failed {
    /// Whether other requests of the channel would end in the same way.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Wallet(_) | Self::Objection(_) | Self::Terms(_) | Self::Gaps(_))
    }
}

/// One answer, checked and taken into the account.
#[derive(Debug, Clone)]
pub struct Answered {
    /// As it came; `None` when it was lost on its way and only the receipt is left.
    pub body: Option<Bytes>,
    /// Whether it is all that the model had to say. Not so for one that was lost, that broke off, or that is an error.
    pub is_whole: bool,
    pub receipt: Receipt,
    pub took: Duration,
}

/// Where the provider says that a channel stands.
#[derive(Debug, Clone, Deserialize)]
pub struct Standing {
    pub receipts: u64,
    pub paid_receipts: u64,
    pub serving: u64,
    pub unpaid: Vec<Signed<Receipt>>,
}

/// Sends requests to one endpoint and pays from one wallet.
#[derive(Clone)]
pub struct Buyer {
    http: reqwest::Client,
    endpoint: Url,
    wallet: Arc<Wallet>,
    /// The most that one request was said to cost; the next order allows as much.
    quote: Arc<AtomicU64>,
    /// The most that the payer wants to pay for one request.
    ceiling: Amount,
    order_life: i64,
    /// Tokens of an answer whose request does not limit it, as the first quote has it.
    open: u64,
    /// The longest that an answer may take, and its way.
    longest: Duration,
    slack: Duration,
    told: Option<Tell>,
}

type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// An answer that is waited for. Dropped before its receipt is taken, the order is lost: its receipt may turn up.
struct Waiting<'a> {
    wallet: &'a Wallet,
    nonce: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.wallet.lose(self.nonce);
    }
}

impl Buyer {
    /// What `endpoint` asks of whoever pays nothing: the terms in our scheme on `network`.
    pub async fn terms(
        http: &reqwest::Client,
        endpoint: &Url,
        body: Bytes,
        network: &str,
    ) -> Result<Requirements, Failed> {
        let sent = http
            .post(endpoint.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .body(body)
            .timeout(SLACK)
            .send()
            .await;
        let response = sent.map_err(|source| Failed::Unreachable { url: endpoint.clone(), source })?;
        if response.status() != StatusCode::PAYMENT_REQUIRED {
            let status = response.status().as_u16();
            return Err(Failed::Model { status, body: body::text(response, MOST_OTHER).await });
        }
        requirements(&response, network)
    }

    /// `http` follows no redirects, as [`client`]. `terms` are those of `endpoint` for the request `first`, with the prices that
    /// the chain has; `ceiling` is the most that one request may cost.
    pub fn new(
        http: reqwest::Client,
        endpoint: Url,
        wallet: Arc<Wallet>,
        (terms, first): (&Requirements, &[u8]),
        ceiling: Amount,
    ) -> Self {
        let longest = Duration::from_secs(terms.max_timeout_seconds.clamp(1, LONGEST_ANSWER));
        let open = Asked::of(endpoint.path(), first).open(&terms.extra.prices, terms.amount, millis(longest));
        let quote = Arc::new(AtomicU64::new(terms.amount.get()));
        let order_life = terms.extra.order_life.clamp(1, ORDER_LIFE);
        Self { http, endpoint, wallet, quote, ceiling, order_life, open, longest, slack: SLACK, told: None }
    }

    /// How much longer than the model may take is waited for an answer [default: 30 seconds].
    pub fn with_slack(self, slack: Duration) -> Self {
        Self { slack, ..self }
    }

    /// `tell` gets a line whenever a request is sent again: why.
    pub fn with_news(self, tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { told: Some(Arc::new(tell)), ..self }
    }

    fn tell(&self, what: &impl std::fmt::Display) {
        self.told.iter().for_each(|tell| tell(&what.to_string()));
    }

    pub fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    pub fn wallet(&self) -> &Wallet {
        &self.wallet
    }

    /// Buys an answer to `body`. Of a stream, `said` gets each event's JSON when it comes.
    pub async fn buy(&self, body: Bytes, mut said: impl FnMut(&str)) -> Result<Answered, Failed> {
        let hash = hashv(&[&body]);
        let asked = Asked::of(self.endpoint.path(), &body);
        let mut pause = PAUSE;
        let (nonce, mut payment) = self.begin(&hash, self.most(&asked)).await?;
        let mut waiting = Waiting { wallet: &self.wallet, nonce };
        let mut order = Asking::new(asked);
        let mut because = Why::Broke("its orders were over too soon".into());
        for _ in 0..TRIES {
            let left = (self.longest + self.slack).saturating_sub(order.since.elapsed()).max(self.slack);
            let attempt = self.attempt(waiting.nonce, &order, &payment, &body, &mut said);
            let attempted = tokio::time::timeout(left, attempt).await.unwrap_or_else(|_| {
                Try::Again(PAUSE, Why::Broke(format!("nothing whole came within {} seconds", left.as_secs())))
            });
            order.is_first = false;
            match attempted {
                Try::Answered(answered) => return Ok(answered),
                Try::Failed(failed) => {
                    self.wallet.lose(waiting.nonce);
                    self.wallet.flush().await?;
                    return Err(failed);
                }
                Try::Again(wait, why) => {
                    self.tell(&why);
                    because = why;
                    tokio::time::sleep(wait.max(pause)).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    payment = self.wallet.again(waiting.nonce).await?;
                }
                Try::Anew => {
                    (waiting.nonce, payment) = self.begin(&hash, self.most(&asked)).await?;
                    order = Asking::new(asked);
                }
            }
        }
        // Its receipt may turn up, whatever was said.
        self.wallet.lose(waiting.nonce);
        self.wallet.flush().await?;
        Err(match because {
            Why::Said(said) => Failed::Unavailable(said),
            Why::Broke(what) => Failed::Lost(what),
        })
    }

    /// The most that any receipt for a request can come to, by the channel's prices and what the payer wants.
    fn most(&self, asked: &Asked) -> Amount {
        let most = asked.most(&self.wallet.channel().prices, self.open, millis(self.longest));
        most.map_or(self.ceiling, |most| most.min(self.ceiling))
    }

    /// An order, once there is room for it.
    async fn begin(&self, hash: &Hash, most: Amount) -> Result<(u64, PaymentPayload), Failed> {
        let deadline = Instant::now() + Duration::from_secs(2 + ORDER_LIFE.unsigned_abs());
        let mut recovered = false;
        loop {
            let now = now();
            let most = most.min(Amount::new(self.quote.load(Ordering::Relaxed)));
            let expires_at = UnixTime::new(now.get() + self.order_life);
            match self.wallet.begin(hash, most, now, expires_at).await {
                Err(WalletError::Stop(Stop::Wait)) if self.wallet.under_way() > 0 => self.wallet.room().await,
                Err(WalletError::Stop(Stop::Wait)) if Instant::now() < deadline => {
                    if recovered {
                        let gaps = self.wallet.gaps();
                        self.tell(&format!(
                            "{gaps} orders have no receipt yet; nothing more is asked for until they are over"
                        ));
                        tokio::time::sleep(ASK_EVERY).await;
                    }
                    self.recover().await?;
                    recovered = true;
                }
                Err(WalletError::Stop(Stop::Wait)) => return Err(Failed::Gaps(self.wallet.gaps())),
                other => return Ok(other?),
            }
        }
    }

    /// Finds the receipts of answers that were lost, by this process or an earlier one.
    pub async fn recover(&self) -> Result<(), Failed> {
        let standing = self.standing().await?;
        let (now, idle) = (now(), standing.serving == 0);
        let recovered = self.wallet.recover(&standing.unpaid, idle, now);
        self.wallet.flush().await?;
        Ok(recovered?)
    }

    /// Asks the provider where the channel stands.
    pub async fn standing(&self) -> Result<Standing, Failed> {
        let channel = joule_x402::Base58(self.wallet.channel().address);
        self.at(&format!("/joule/v1/channels/{channel}"), None).await
    }

    /// Hands in the newest voucher, for the last of the requests.
    pub async fn pay(&self) -> Result<(), Failed> {
        let Some(payment) = self.wallet.payment().await? else { return Ok(()) };
        let _: serde_json::Value = self.at("/joule/v1/vouchers", Some(&payment)).await?;
        Ok(())
    }

    async fn at<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        payment: Option<&PaymentPayload>,
    ) -> Result<T, Failed> {
        let mut url = self.endpoint.clone();
        url.set_path(path);
        let unreachable = |source| Failed::Unreachable { url: url.clone(), source };
        let mut tries = 0;
        loop {
            tries += 1;
            let request = match payment {
                Some(payment) => self.http.post(url.clone()).header(PAYMENT_SIGNATURE, encode(payment)),
                None => self.http.get(url.clone()),
            };
            let response = request.timeout(self.slack).send().await.map_err(unreachable)?;
            let status = response.status();
            if status.is_success() {
                return body::json(response, MOST_OTHER).await.map_err(|source| Failed::BadBody { url, source });
            }
            if !is_passing(status) {
                return Err(Failed::Refused(complaint(response).await));
            }
            let (wait, said) = waits(response).await?;
            if tries == TRIES {
                return Err(Failed::Unavailable(said));
            }
            self.tell(&Why::Said(said));
            tokio::time::sleep(wait.max(PAUSE)).await;
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime::new(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
