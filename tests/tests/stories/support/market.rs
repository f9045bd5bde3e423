//! A model that is sold by the request: published by Bob, served by north's gateway, bought by Alice.

use super::{root, until, Process, World};
use joule_localnet::Persona;
use joule_sdk::voucher::{hashv, Prices, SigningKey};
use joule_sdk::{
    billing::{
        self,
        state::{Channel, ChannelTerms},
    },
    instruction::{billing as pay, model},
    pda,
    registry::state::{Listing, Model, ModelProfile},
    token_program, Pubkey,
};
use joule_units::{Amount, UnixTime};
use joule_x402::{session, PaymentPayload, Session, Settlement, PAYMENT_RESPONSE, PAYMENT_SIGNATURE, RECEIPT_COMMENT};
use serde_json::{json, Value};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Base units.
pub const CAP: u64 = 10_000_000;
/// Seconds; the shortest that the gateway here takes.
pub const GRACE: u32 = 3_600;

pub struct Market {
    pub world: World,
    pub http: reqwest::Client,
    model: Pubkey,
    pub prices: Pubkey,
    upstream: String,
    /// Ends with the market.
    model_process: Process,
}

impl Market {
    pub async fn open() -> Self {
        let market = Self::open_without_bond().await;
        market.world.open_bond(Persona::North).await;
        market
    }

    /// Nothing stands behind north's bills yet.
    pub async fn open_without_bond() -> Self {
        let world = World::start().await;
        world.register_without_bond(Persona::North).await;
        let (bob, alice, mint) = (world.address(Persona::Bob), world.address(Persona::Alice), world.localnet.mint());
        let profile = ModelProfile { payout_owner: bob, endpoint_hash: [1; 32], metadata_hash: [2; 32] };
        let origin = model::Origin { id: 0, base: None, royalty_bps: 0 };
        world.send("make a model", Persona::Bob, &[model::create_model(bob, bob, origin, profile)]).await;
        let model = pda::model(&bob, 0);
        let listing = Listing {
            per_request: 1_000,
            per_million_input: 1_000_000,
            per_million_output: 5_000_000,
            creator_bps: 2_000,
            ..Listing::default()
        };
        let state: Model = world.chain.get(&model).await.expect("a model");
        let shares = model::share_accounts(&state, &listing, &mint, &token_program::CLASSIC);
        let publish = model::publish_prices(bob, bob, model, mint, 1, listing, &shares);
        world.send("publish prices", Persona::Bob, &[publish]).await;
        let payer = pda::payer(&alice, &mint);
        let create = pay::create_payer(alice, alice, mint, token_program::CLASSIC);
        let deposit = pay::deposit(alice, payer, world.tokens(Persona::Alice), token_program::CLASSIC, 20 * CAP);
        world.send("deposit", Persona::Alice, &[create, deposit]).await;
        let module = root().join("workloads/digits/digits.wasm");
        let args = ["upstream", "--listen", "127.0.0.1:0", "--module", module.to_str().expect("utf-8")];
        let mut process = Process::start(world.folder.path(), "upstream", "joule-gateway", &args, &[]);
        let upstream = said(&mut process, 0, "joule-gateway upstream: ").await.expect("it lives");
        let prices = pda::price_list(&model, 1);
        Self { world, http: reqwest::Client::new(), model, prices, upstream, model_process: process }
    }

    /// Alice opens a channel to north, whose session has a key of its own.
    pub async fn buyer(&self, seed: u8, backing_bps: u16) -> Buyer {
        let (world, mint) = (&self.world, self.world.localnet.mint());
        let alice = world.address(Persona::Alice);
        let payer = pda::payer(&alice, &mint);
        let number = world.chain.get::<billing::state::Payer>(&payer).await.expect("a payer").next_channel.get();
        let key = SigningKey::from_bytes(&[seed; 32]);
        let session_expires_at = world.chain.now().await.expect("the time") + 86_400;
        let terms = ChannelTerms {
            cap: CAP,
            signer: Pubkey::new_from_array(key.verifying_key().to_bytes()),
            limit: CAP,
            session_expires_at,
            grace: GRACE,
            backing_bps,
            max_fee_bps: 1_000,
        };
        let accounts = pay::OpenAccounts {
            rent_payer: alice,
            owner: alice,
            mint,
            authority: world.address(Persona::North),
            payout: world.tokens(Persona::North),
            model: self.model,
            prices: self.prices,
        };
        world.send("open a channel", Persona::Alice, &[pay::open(accounts, number, terms)]).await;
        let address = pda::channel(&payer, number);
        let genesis = world.chain.rpc().get_genesis_hash().await.expect("a cluster").to_bytes();
        let list: joule_sdk::registry::state::PriceList = world.chain.get(&self.prices).await.expect("prices");
        let prices: Prices = (&list.prices).into();
        let channel = session::Channel {
            address: address.to_bytes(),
            program: billing::ID.to_bytes(),
            genesis,
            authority: world.address(Persona::North).to_bytes(),
            prices,
            session_expires_at: UnixTime::new(session_expires_at),
        };
        let nonce = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_micros();
        let session = Session::new(channel, key, u64::try_from(nonce).expect("a number")).expect("a key");
        Buyer { channel: address, session, url: String::new(), http: self.http.clone() }
    }

    pub fn model(&self) -> Pubkey {
        self.model
    }

    /// Where the model is.
    pub fn upstream(&self) -> &str {
        &self.upstream
    }

    pub async fn channel(&self, address: &Pubkey) -> Channel {
        self.world.chain.get(address).await.expect("a channel")
    }

    fn config(&self, more: &str) -> String {
        let path = self.world.folder.path().join("joule.toml");
        let text = format!(
            "rpc = '{rpc}'\nkey = '{key}'\nsymbol = 'JOULE'\n\
             [gateway]\nlisten = '127.0.0.1:0'\npublic_url = 'http://127.0.0.1/'\nledger = 'gateway.sqlite'\n\
             [gateway.risk]\nwindow = 1\nmin_grace = '{GRACE}s'\nrefresh = '200ms'\n\
             [gateway.timeouts]\ndrain = '5s'\n\
             [gateway.settle]\nevery = '200ms'\nfee = '0 units'\n{more}\n[[gateway.model]]\nname = 'digits'\nmodel = '{model}'\n\
             prices = ['{prices}']\nupstream = '{upstream}'\nmax_output_tokens = 64\n",
            rpc = self.world.localnet.rpc_url(),
            key = self.world.key_file(Persona::North).display(),
            model = self.model,
            prices = self.prices,
            upstream = self.upstream,
        );
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    }

    /// North's gateway; with `crash_at` it may be dead before it listens. `more` goes into its `[settle]`.
    pub async fn gateway(&self, more: &str, crash_at: Option<&str>) -> (Process, String) {
        let config = self.config(more);
        let env: Vec<_> = crash_at.map(|point| ("JOULE_CRASH_AT", point)).into_iter().collect();
        let folder = self.world.folder.path();
        let before = std::fs::read_to_string(folder.join("gateway.log")).unwrap_or_default().len();
        let mut process = Process::start(folder, "gateway", "joule-gateway", &["run", "--config", &config], &env);
        let url = said(&mut process, before, "joule-gateway: ").await.expect("it lives");
        (process, url)
    }

    /// The model is gone.
    pub fn lose_model(&mut self) {
        self.model_process.kill();
    }

    /// `joule-gateway settle`.
    pub async fn settle(&self) -> String {
        let output = self.try_settle().await;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        said
    }

    pub async fn try_settle(&self) -> std::process::Output {
        super::run("joule-gateway", &["settle", "--config", &self.config("")]).await
    }

    /// Where a channel stands by the gateway.
    pub async fn account(&self, url: &str, channel: &Pubkey) -> Value {
        let answer = self.http.get(format!("{url}/joule/v1/channels/{channel}")).send().await.expect("an answer");
        answer.json().await.expect("JSON")
    }
}

/// What a process says behind `prefix`, once it does; `None` if it ends before.
async fn said(process: &mut Process, before: usize, prefix: &str) -> Option<String> {
    until(&format!("it says {prefix:?}"), async || {
        let log = process.log();
        let line = log[before..].lines().find_map(|line| Some(line.strip_prefix(prefix)?.to_owned()));
        match (line, process.status()) {
            (Some(line), _) => Some(Some(line)),
            (None, Some(status)) => panic!("it ended with {status}:\n{log}"),
            (None, None) => None,
        }
    })
    .await
}

/// Alice's program.
pub struct Buyer {
    pub channel: Pubkey,
    pub session: Session,
    pub url: String,
    http: reqwest::Client,
}

impl Buyer {
    /// A picture that the network reads as a digit, and words that make this request another than the last.
    pub fn question(n: usize, stream: bool) -> Value {
        let rows = ["...##...", "..#..#..", ".#....#.", ".#....#.", ".#....#.", ".#....#.", "..#..#..", "...##..."];
        json!({"model": "digits", "stream": stream, "messages": [{"role": "user", "content": format!("{n}\n{}", rows.join("\n"))}]})
    }

    pub fn order(&mut self, body: &Value) -> PaymentPayload {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs().cast_signed();
        self.session.order(body.to_string().as_bytes(), Amount::new(20_000), UnixTime::new(now + 120))
    }

    /// Status, body, and what came with it; an error when the connection broke off.
    pub async fn send(
        &self,
        payment: &PaymentPayload,
        body: &Value,
    ) -> Result<(u16, Vec<u8>, Option<(Settlement, [u8; 32])>), String> {
        let call = self.http.post(format!("{}/v1/chat/completions", self.url)).timeout(Duration::from_secs(60));
        let call = call.header(PAYMENT_SIGNATURE, joule_x402::encode(payment)).body(body.to_string());
        let response = call.send().await.map_err(|error| error.to_string())?;
        let (status, header) = (response.status().as_u16(), response.headers().get(PAYMENT_RESPONSE).cloned());
        let body = response.bytes().await.map_err(|error| error.to_string())?.to_vec();
        let settlement = match header {
            Some(header) => Some((joule_x402::decode(header.as_bytes()).expect("a settlement"), hashv(&[&body]))),
            None => String::from_utf8_lossy(&body).find(RECEIPT_COMMENT).map(|at| {
                let text = String::from_utf8_lossy(&body[at + RECEIPT_COMMENT.len()..]).into_owned();
                let line = text.lines().next().unwrap_or_default();
                (joule_x402::decode(line.as_bytes()).expect("a settlement"), hashv(&[&body[..at]]))
            }),
        };
        Ok((status, body, settlement))
    }

    /// A request that is answered, checked, and accepted.
    pub async fn buy(&mut self, n: usize, stream: bool) -> u64 {
        let body = Self::question(n, stream);
        let payment = self.order(&body);
        let (status, answer, settlement) = self.send(&payment, &body).await.expect("an answer");
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
        let (settlement, hash) = settlement.expect("a receipt");
        let order = payment.payload.order.expect("an order").message;
        self.session.accept(&order, &hash, &settlement).expect("a good receipt").amount.get().get()
    }

    /// Hands the newest voucher in.
    pub async fn pay(&mut self) {
        let payment = joule_x402::encode(&self.session.payment());
        let call = self.http.post(format!("{}/joule/v1/vouchers", self.url)).header(PAYMENT_SIGNATURE, payment);
        let answer = call.send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap_or_default());
    }
}
