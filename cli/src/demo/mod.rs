//! `joule demo`: the whole system on this machine, once, for real: two clients, two providers, three jobs.

mod check;
mod children;
mod digits;
mod jobs;

use crate::{
    amount,
    command::job::jobs_table,
    context::{address, Network},
    failure::Failure,
    output,
};
use children::Children;
use indicatif::HumanDuration;
use joule_artifacts::ArtifactStore;
use joule_sdk::{
    instruction::{registry, token::create_associated},
    keys, pda,
    registry::state::{Attributes, Profile},
    token_program, Chain, Keypair, Pubkey, Signer,
};
use std::{path::PathBuf, time::Instant};

#[derive(clap::Args)]
pub struct Args {
    /// Leave everything running afterwards, until Ctrl-C
    #[arg(long)]
    keep: bool,
    /// Folder for keys, logs and databases
    #[arg(long, value_name = "DIR", default_value = ".localnet")]
    state_dir: PathBuf,
    /// Where the programs' .so files are
    #[arg(long, value_name = "DIR", default_value = "target/deploy")]
    programs_dir: PathBuf,
    /// The handwritten-digits workload
    #[arg(long, value_name = "DIR", default_value = "workloads/digits")]
    workload: PathBuf,
    /// Time between blocks, in milliseconds
    #[arg(long, default_value_t = 400)]
    slot_ms: u64,
    /// Port of the indexer's API
    #[arg(long, default_value_t = 7700)]
    api_port: u16,
}

/// Who takes part.
pub struct Cast {
    pub chain: Chain,
    pub index: joule_api::Client,
    pub store: ArtifactStore,
    pub mint: Pubkey,
    pub decimals: u8,
    /// Name and key: alice and bob.
    pub clients: Vec<(&'static str, Keypair)>,
    /// Name and key: north and south.
    pub providers: Vec<(&'static str, Keypair)>,
}

impl Cast {
    pub fn tokens_of(&self, owner: &Pubkey) -> Pubkey {
        pda::associated_token(owner, &self.mint, &token_program::CLASSIC)
    }

    /// Everybody's tokens in base units: clients, providers, then the protocol's fee vault.
    pub async fn balances(&self) -> Result<Vec<(String, u64)>, Failure> {
        let people = self.clients.iter().chain(&self.providers);
        let mut accounts: Vec<_> =
            people.map(|(name, key)| (name.to_string(), self.tokens_of(&key.pubkey()))).collect();
        accounts.push(("fees".to_owned(), pda::fee_vault(&self.mint)));
        let mut balances = Vec::new();
        for (name, account) in accounts {
            balances.push((name, self.chain.token_balance(&account).await?));
        }
        Ok(balances)
    }
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let started = Instant::now();
    let mut children = Children::new(&args.state_dir)?;
    let outcome = tokio::select! {
        outcome = play(&args, &mut children) => outcome,
        _ = tokio::signal::ctrl_c() => Err(Failure::Outcome("interrupted".into())),
    };
    if let Ok(urls) = &outcome {
        println!("the demo took {}", HumanDuration(started.elapsed()));
        if args.keep {
            println!("\nstill running, until Ctrl-C:\n{urls}");
            children.until_one_ends_or_ctrl_c().await;
        }
    }
    children.stop().await;
    outcome.map(drop)
}

async fn play(args: &Args, children: &mut Children) -> Result<String, Failure> {
    let network = start_network(args, children).await?;
    let cast = cast(args, &network)?;
    start_indexer(args, children, &network).await?;
    enrol(&cast).await?;
    start_nodes(args, children, &cast, &network).await?;

    let before = cast.balances().await?;
    let digits = digits::Digits::read(&args.workload)?;
    let ended = jobs::run_three(&cast, &digits).await?;
    let after = cast.balances().await?;

    println!("\nbalances");
    println!("{}", balances_table(&before, &after, cast.decimals));
    println!("jobs, amounts in base units");
    println!("{}", jobs_table(&ended));
    digits.print_accuracy(&cast.store, &ended).await?;
    check::chain_equals_store(&cast, &before, &after, &ended).await?;
    let database = args.state_dir.join("indexer.sqlite").display().to_string();
    children
        .succeed("joule-indexer", &["verify", "--rpc", &network.rpc_url, "--database", &database, "--wait", "10"])
        .await?;
    println!("chain and store agree: every account byte for byte, every balance to the unit");
    Ok(format!(
        "  API       {0}   ({0}/openapi.json, {0}/v1/feed, {0}/metrics)\n  RPC       {1}\n  gRPC      {2}\n  logs      {3}",
        cast.index.base(),
        network.rpc_url,
        network.grpc_url,
        args.state_dir.join("logs").display()
    ))
}

async fn start_network(args: &Args, children: &mut Children) -> Result<Network, Failure> {
    let bar = output::spinner("starting a local Solana network, with Joule's programs on it");
    let (state, programs, slot) = (path(&args.state_dir), path(&args.programs_dir), args.slot_ms.to_string());
    // A description that an earlier network left must not be taken for this one's.
    let _ = std::fs::remove_file(args.state_dir.join("localnet.json"));
    children.start(
        "localnet",
        "joule-localnet",
        &["--state-dir", &state, "--programs-dir", &programs, "--slot-ms", &slot],
    )?;
    let network = children.until("localnet", async || Network::read(&args.state_dir).ok().flatten()).await?;
    done(&bar, "local Solana network, programs deployed, people funded");
    Ok(network)
}

fn cast(args: &Args, network: &Network) -> Result<Cast, Failure> {
    let key = |name: &'static str| -> Result<_, Failure> {
        Ok((name, keys::read(&args.state_dir.join("keys").join(format!("{name}.json")))?))
    };
    let artifacts = path(&args.state_dir.join("artifacts"));
    Ok(Cast {
        chain: Chain::new(network.rpc_url.clone()),
        index: joule_api::Client::new(format!("http://127.0.0.1:{}", args.api_port)),
        store: ArtifactStore::open(&artifacts).map_err(|e| Failure::Input(e.to_string()))?,
        mint: address(&network.mint)?,
        decimals: network.mint_decimals,
        clients: vec![key("alice")?, key("bob")?],
        providers: vec![key("north")?, key("south")?],
    })
}

async fn start_indexer(args: &Args, children: &mut Children, network: &Network) -> Result<(), Failure> {
    let bar = output::spinner("starting the indexer");
    // The chain is new, and so is what is known about it.
    let database = args.state_dir.join("indexer.sqlite");
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", database.display()));
    }
    let (database, listen) = (path(&database), format!("127.0.0.1:{}", args.api_port));
    children.start(
        "indexer",
        "joule-indexer",
        &["--grpc", &network.grpc_url, "--rpc", &network.rpc_url, "--database", &database, "--listen", &listen],
    )?;
    let index = joule_api::Client::new(format!("http://{listen}"));
    children.until("indexer", async || index.health().await.ok().filter(|health| health.ok)).await?;
    done(&bar, "indexer, fed by Yellowstone gRPC");
    Ok(())
}

async fn enrol(cast: &Cast) -> Result<(), Failure> {
    let bar = output::spinner("registering two providers");
    for (n, (_, key)) in cast.providers.iter().enumerate() {
        let who = key.pubkey();
        let attributes = Attributes { cpu_cores: 1, memory_mib: 1024, region: n as u16 + 1, ..Default::default() };
        let profile =
            Profile { payout_owner: who, capacity: 1, endpoint_hash: [0; 32], metadata_hash: [0; 32], attributes };
        let instructions = [
            create_associated(who, who, cast.mint, token_program::CLASSIC),
            match cast.chain.provider(&who).await? {
                Some(_) => registry::update(who, profile),
                None => registry::register(who, who, profile),
            },
        ];
        cast.chain.send(&instructions, &[key]).await?;
    }
    done(&bar, "two providers registered");
    Ok(())
}

async fn start_nodes(args: &Args, children: &mut Children, cast: &Cast, network: &Network) -> Result<(), Failure> {
    let (artifacts, mint) = (path(&args.state_dir.join("artifacts")), cast.mint.to_string());
    for (name, _) in &cast.providers {
        let keypair = path(&args.state_dir.join("keys").join(format!("{name}.json")));
        children.start(
            name,
            "joule-node",
            &[
                "run",
                "--rpc-url",
                &network.rpc_url,
                "--indexer-url",
                cast.index.base(),
                "--artifacts",
                &artifacts,
                "--keypair",
                &keypair,
                "--mint",
                &mint,
                "--max-jobs",
                "1",
                "--poll-ms",
                "500",
            ],
        )?;
    }
    println!("✓ two provider nodes");
    Ok(())
}

fn balances_table(before: &[(String, u64)], after: &[(String, u64)], decimals: u8) -> comfy_table::Table {
    let mut table = output::table(["who", "before", "after", "change"]);
    for ((name, old), (_, new)) in before.iter().zip(after) {
        let change = match new.checked_sub(*old) {
            Some(gain) => format!("+{}", amount::format(gain, decimals)),
            None => format!("-{}", amount::format(old - new, decimals)),
        };
        table.add_row([name, &amount::format(*old, decimals), &amount::format(*new, decimals), &change]);
    }
    table
}

fn path(path: &std::path::Path) -> String {
    path.display().to_string()
}

fn done(bar: &indicatif::ProgressBar, what: &str) {
    bar.finish_and_clear();
    println!("✓ {what}");
}
