//! A model that is sold by the request: ten thousand of them, each paid for by itself, settled on chain twice.

use super::{children::Children, digits::Digits, path, people::Cast};
use crate::{command::localnet::sibling, context::Network, failure::Failure, output};
use anyhow::Context as _;
use joule_client::Journal;
use joule_sdk::{
    billing::{
        state::{Channel, Payer},
        ID,
    },
    instruction::billing,
    pda,
    units::{Amount, Bps},
    voucher::{Context, Domain},
    Pubkey, RpcRequest, SdkError, Signer,
};
use serde_json::{json, Value};
use std::{path::Path, time::Duration};
use tokio::time::Instant;

const REQUESTS: u64 = 10_000;
/// At once; the gateway trusts a channel with twice as many.
const AT_ONCE: &str = "32";
/// What the payer reserves, in tokens.
const BUDGET: &str = "10";
/// In tokens: a request; a million tokens in, and out.
const PRICES: [&str; 3] = ["0.0001", "1", "5"];
/// The creator's share and the data owner's, in percent.
const SHARES: [u16; 2] = [20, 5];
/// What is worth a settlement: more than half of what all requests cost, so that there is one in the middle.
const WORTH_SETTLING: &str = "1.3 JOULE";
/// Where it is sold.
pub const GATEWAY: &str = "127.0.0.1:8402";
/// How long the indexer may take to see what is confirmed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Who takes part: the payer is the first client, the creator the second, the provider the first that works; the data belong to
/// whoever looks at others' results.
struct Parties {
    payer: &'static str,
    creator: &'static str,
    data_owner: &'static str,
    provider: &'static str,
}

/// What the parties have, in base units: payer, creator, data owner, provider, protocol.
type Purses = [u64; 5];

/// The demo's folder and network, as commands need them.
struct Stage<'a> {
    cast: &'a Cast,
    state_dir: &'a Path,
    network: &'a Network,
    parties: Parties,
}

pub async fn run(
    cast: &Cast,
    digits: &Digits,
    state_dir: &Path,
    workload: &Path,
    network: &Network,
    children: &mut Children,
) -> Result<(), Failure> {
    let parties = Parties {
        payer: cast.clients[0].0,
        creator: cast.clients[1].0,
        data_owner: cast.challenger.0,
        provider: cast.providers[0].0,
    };
    let stage = Stage { cast, state_dir, network, parties };
    let before = stage.purses().await?;
    let (model, prices) = stage.publish().await?;
    let config = stage.settings(&model, &prices, &upstream(children, workload).await?)?;
    children.start("gateway", "joule-gateway", &["run", "--config", &config])?;
    let url = said(children, "gateway", "joule-gateway: ").await?;
    println!(
        "✓ {} sells a model of {}'s, made of {}'s data: {url}",
        stage.parties.provider, stage.parties.creator, stage.parties.data_owner
    );

    let requests = state_dir.join("requests.jsonl");
    std::fs::write(&requests, digits.questions()).context("writing the requests")?;
    let requests = path(&requests);
    let (model, count) = (model.to_string(), REQUESTS.to_string());
    let bought = stage
        .joule(
            stage.parties.payer,
            &[
                "pay",
                &url,
                "--model",
                &model,
                "--budget",
                BUDGET,
                "--requests",
                &count,
                "--concurrency",
                AT_ONCE,
                "--body",
                &requests,
                "--keep",
                "--yes",
            ],
        )
        .await?;
    let channel: Pubkey = text(&bought, "channel")?.parse().context("a channel")?;
    let halfway: Channel = cast.chain.get(&channel).await?;
    // The second settlement: what came after the first.
    children.succeed("joule-gateway", &["settle", "--config", &config]).await?;
    let state: Channel = cast.chain.get(&channel).await?;
    let after = stage.purses().await?;
    stage.account(&bought, &channel, &halfway, &state, before, after).await?;
    stage.close(&channel, before).await?;
    stage.revenue(&model, &bought).await
}

/// The reference model behind the gateway.
async fn upstream(children: &mut Children, workload: &Path) -> Result<String, Failure> {
    let module = path(&workload.join("digits.wasm"));
    children.start("upstream", "joule-gateway", &["upstream", "--listen", "127.0.0.1:0", "--module", &module])?;
    said(children, "upstream", "joule-gateway upstream: ").await
}

/// What a service says behind `prefix` once it listens.
async fn said(children: &mut Children, name: &str, prefix: &str) -> Result<String, Failure> {
    let log = children.log(name);
    children
        .until(name, async || {
            let text = std::fs::read_to_string(&log).ok()?;
            text.lines().find_map(|line| Some(line.strip_prefix(prefix)?.to_owned()))
        })
        .await
}

fn text<'a>(json: &'a Value, field: &str) -> Result<&'a str, Failure> {
    json[field].as_str().ok_or_else(|| Failure::Outcome(format!("no {field:?} in {json}")))
}

fn number(json: &Value, field: &str) -> Result<u64, Failure> {
    let number = json[field].as_u64().or_else(|| json[field].as_str()?.parse().ok());
    number.ok_or_else(|| Failure::Outcome(format!("no {field:?} in {json}")))
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, found: T, wanted: T) -> Result<(), Failure> {
    match found == wanted {
        true => Ok(()),
        false => Err(Failure::Outcome(format!("{what}: {found:?} instead of {wanted:?}"))),
    }
}

impl Stage<'_> {
    /// Runs a command of this binary as a persona; what it prints.
    async fn joule(&self, who: &str, args: &[&str]) -> Result<Value, Failure> {
        let (state_dir, index) = (path(self.state_dir), self.cast.index.base());
        let common = ["--as", who, "--state-dir", &state_dir, "--indexer", index, "--json"];
        let mut command = tokio::process::Command::new(sibling("joule"));
        command.args(common).args(args).stdin(std::process::Stdio::null()).stderr(std::process::Stdio::inherit());
        let done = command.kill_on_drop(true).output().await.map_err(anyhow::Error::from)?;
        match done.status.success() {
            true => Ok(serde_json::from_slice(&done.stdout).context("what a command printed")?),
            false => {
                Err(Failure::Outcome(format!("joule {}: {}", args.join(" "), String::from_utf8_lossy(&done.stdout))))
            }
        }
    }

    fn key(&self, name: &str) -> Pubkey {
        let cast = self.cast;
        let mut all = cast.clients.iter().chain(&cast.providers).chain([&cast.challenger]);
        all.find(|(who, _)| *who == name).map_or(Pubkey::default(), |(_, key)| key.pubkey())
    }

    async fn purses(&self) -> Result<Purses, Failure> {
        let Parties { payer, creator, data_owner, provider } = self.parties;
        let owners = [payer, creator, data_owner, provider].map(|name| self.cast.tokens_of(&self.key(name)));
        let mut purses = Purses::default();
        for (purse, account) in purses.iter_mut().zip(owners.into_iter().chain([pda::fee_vault(&self.cast.mint)])) {
            *purse = self.cast.chain.token_balance(&account).await?;
        }
        Ok(purses)
    }

    /// The creator makes a model known, and what it costs. Returns it and its price list.
    async fn publish(&self) -> Result<(Pubkey, Pubkey), Failure> {
        let creator = self.parties.creator;
        let model = self.joule(creator, &["model", "create"]).await?;
        let model = text(&model, "model")?;
        let ([request, input, output], [own, data]) = (PRICES, SHARES.map(|percent| percent.to_string()));
        let share = format!("{}={data}", self.key(self.parties.data_owner));
        let list = [
            "model",
            "publish",
            model,
            "--request",
            request,
            "--input",
            input,
            "--output",
            output,
            "--own-share",
            &own,
            "--share",
            &share,
        ];
        let list = self.joule(creator, &list).await?;
        Ok((model.parse().context("a model")?, text(&list, "prices")?.parse().context("a price list")?))
    }

    /// Writes the gateway's settings, for a chain and a channel that are new.
    fn settings(&self, model: &Pubkey, prices: &Pubkey, upstream: &str) -> Result<String, Failure> {
        let (ledger, file) = (self.state_dir.join("gateway.sqlite"), self.state_dir.join("joule.toml"));
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", ledger.display()));
        }
        let _ = std::fs::remove_dir_all(self.state_dir.join("channels"));
        let settings = format!(
            "rpc = '{rpc}'\nkey = 'keys/{provider}.json'\nsymbol = '{symbol}'\n\n[gateway]\nlisten = '{GATEWAY}'\n\
             public_url = 'http://{GATEWAY}/'\nledger = 'gateway.sqlite'\n\n[gateway.limits]\nrequests_per_second = 100_000\n\
             burst = 100_000\n\n[gateway.risk]\nwindow = 64\nunpaid = '0.1 {symbol}'\nmin_grace = '1m'\nsettle_margin = '30s'\n\n\
             [gateway.settle]\nevery = '250ms'\namount = '{WORTH_SETTLING}'\n\n\
             [[gateway.model]]\nname = 'digits'\nmodel = '{model}'\nprices = ['{prices}']\nupstream = '{upstream}'\nmax_output_tokens = 64\n",
            rpc = self.network.rpc,
            symbol = self.network.symbol.as_deref().unwrap_or("JOULE"),
            provider = self.parties.provider,
        );
        std::fs::write(&file, settings).context("writing the gateway's settings")?;
        Ok(path(&file))
    }

    /// Receipts, vouchers, vault and purses say the same, to the unit.
    async fn account(
        &self,
        bought: &Value,
        channel: &Pubkey,
        halfway: &Channel,
        state: &Channel,
        before: Purses,
        after: Purses,
    ) -> Result<(), Failure> {
        let (cast, spent) = (self.cast, number(bought, "spent")?);
        let cluster: joule_sdk::billing::state::Cluster = cast.chain.get(&pda::cluster()).await?;
        let context = Context::of(Domain::Voucher, &cluster.genesis_hash, ID.as_array(), channel.as_array());
        let journal = self.state_dir.join("channels").join(channel.to_string()).join("journal.sqlite");
        let kept = Journal::open(&journal, context.bytes())
            .and_then(|journal| journal.read())
            .map_err(joule_client::WalletError::from)?;
        let receipts: u64 = kept.receipts.iter().map(|(_, signed)| signed.message.amount.get().get()).sum();
        let units: u64 = number(bought, "units")?;
        equal("answers", number(bought, "requests")?, REQUESTS)?;
        equal("receipts", kept.receipts.len() as u64, REQUESTS)?;
        equal("the receipts' sum and what was spent", receipts, spent)?;
        equal("receipts settled on chain", state.sequence.get(), REQUESTS)?;
        equal("settled on chain", state.settled.get(), spent)?;
        let first = halfway.settled.get();
        if first == 0 || first == spent {
            return Err(Failure::Outcome(format!(
                "the first settlement was of {first} out of {spent}: not in the middle"
            )));
        }
        let part = |bps: u16| Bps::new(bps).map_or(0, |bps| bps.of(Amount::new(spent)).get());
        let [creator, data_owner] = SHARES.map(|percent| part(percent * 100));
        let fee = part(state.fee_bps.get());
        let payer: Payer = cast.chain.get(&state.payer).await?;
        let vault = cast.chain.token_balance(&pda::payer_vault(&state.payer)).await?;
        let gained = |at: usize| i128::from(after[at]) - i128::from(before[at]);
        equal("the creator's share", gained(1), creator.into())?;
        equal("the data owner's share", gained(2), data_owner.into())?;
        equal("the protocol's fee", gained(4), fee.into())?;
        equal("the provider's share", gained(3), (spent - creator - data_owner - fee).into())?;
        equal("what the payer paid in", -gained(0), i128::from(vault) + i128::from(spent))?;
        equal("the deposit and its vault", payer.balance.get(), vault)?;
        let took = Duration::from_millis(number(bought, "milliseconds")?);
        let tokens = |units: u64| cast.unit.show(units);
        println!(
            "✓ {REQUESTS} requests, {units} units, each checked and paid for: {} in {:.1} s, {:.0} a second",
            tokens(spent),
            took.as_secs_f64(),
            REQUESTS as f64 / took.as_secs_f64()
        );
        println!(
            "✓ settled on chain twice: {} after {} requests, the rest at the end",
            tokens(first),
            halfway.sequence.get()
        );
        let mut table = output::table(["who", "what for", "tokens"]);
        let Parties { creator: c, data_owner: d, provider: p, .. } = self.parties;
        for (who, what, at) in
            [(c, "the model", 1), (d, "the data", 2), (p, "running it", 3), ("protocol", "the fee", 4)]
        {
            table.add_row([who, what, &tokens(after[at] - before[at])]);
        }
        println!("{table}\nreceipts and balances agree to the unit");
        let lamports = self.fees(channel).await?;
        println!(
            "settling cost {lamports} lamports in fees: {:.6} SOL for a million requests",
            lamports as f64 / REQUESTS as f64 * 1e6 / 1e9
        );
        Ok(())
    }

    /// Lamports that the provider has paid in fees for transactions that name the channel.
    async fn fees(&self, channel: &Pubkey) -> Result<u64, Failure> {
        let (rpc, provider) = (self.cast.chain.rpc(), self.key(self.parties.provider).to_string());
        let ask = async |request, params| rpc.send::<Value>(request, params).await.map_err(SdkError::from);
        let confirmed = json!({ "commitment": "confirmed" });
        let found = ask(RpcRequest::GetSignaturesForAddress, json!([channel.to_string(), confirmed])).await?;
        let mut lamports = 0;
        for row in found.as_array().into_iter().flatten() {
            let any = joule_sdk::transaction::ANY_VERSION;
            let options =
                json!({ "encoding": "json", "commitment": "confirmed", "maxSupportedTransactionVersion": any });
            let found = ask(RpcRequest::GetTransaction, json!([row["signature"], options])).await?;
            if found["transaction"]["message"]["accountKeys"][0] == *provider {
                lamports += number(&found["meta"], "fee")?;
            }
        }
        Ok(lamports)
    }

    /// The provider closes at once, so that the payer need not wait; the payer gets its rest back.
    async fn close(&self, channel: &Pubkey, before: Purses) -> Result<(), Failure> {
        let (_, provider) = &self.cast.providers[0];
        let state: Channel = self.cast.chain.get(channel).await?;
        self.cast.chain.send(&[billing::request_close(provider.pubkey(), *channel)], &[provider]).await?;
        let address = channel.to_string();
        self.joule(self.parties.payer, &["channel", "close", &address]).await?;
        let now = self.purses().await?;
        equal("what it all has cost the payer", before[0] - now[0], state.settled.get())?;
        println!("✓ the channel is closed, and {} has the rest back", self.parties.payer);
        Ok(())
    }

    /// What the indexer says of the model, which is what the receipts say.
    async fn revenue(&self, model: &str, bought: &Value) -> Result<(), Failure> {
        let wanted = json!([REQUESTS, number(bought, "units")?, number(bought, "spent")?]);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let report = self.cast.index.revenue(&[("by", "model".to_owned())]).await?;
            let row = report.rows.iter().find(|row| row.key.as_deref() == Some(model));
            let found = row.map(|row| json!([row.requests, row.units, row.amount]));
            if found.as_ref() == Some(&wanted) {
                println!(
                    "the indexer: model {model} has answered {REQUESTS} requests, {} units, and earned {} base units",
                    wanted[1], wanted[2]
                );
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(Failure::Outcome(format!("the indexer says {found:?} of the model instead of {wanted}")));
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
}
