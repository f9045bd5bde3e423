//! `joule demo`: the whole system on this machine, once, for real: three jobs that are done honestly, one that is not, and a model
//! that is sold by the request.

mod check;
mod children;
mod digits;
mod jobs;
mod lie;
mod people;
mod sold;

use crate::{
    command::job::jobs_table,
    context::{address, Network},
    failure::Failure,
    output,
    view::View,
};
use children::Children;
use indicatif::HumanDuration;
use joule_artifacts::ArtifactStore;
use joule_sdk::{keys, Chain};
use joule_settings::{Span, Token};
use people::{Cast, Wealth};
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

/// What challenger and jurors put at risk at most.
const MAX_DEPOSIT: &str = "10";

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
    /// Time between blocks
    #[arg(long, default_value_t = Span(Duration::from_millis(400)), value_name = "TIME")]
    slot_time: Span,
    /// Port of the indexer's API
    #[arg(long, default_value_t = 7700)]
    api_port: u16,
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

    let before = cast.wealth().await?;
    let digits = digits::Digits::read(&args.workload)?;
    println!("\nhonest work");
    let mut ended = jobs::run_three(&cast, &digits).await?;
    println!("\njobs");
    let mint = cast.mint.to_string();
    println!("{}", jobs_table(&ended, &View::known([(mint.as_str(), cast.unit.clone())], 0)));
    digits.print_accuracy(&cast.store, &ended).await?;

    let meanwhile = cast.wealth().await?;
    let lie = lie::run(&cast, &digits).await?;
    let after = cast.wealth().await?;
    println!("\nwhat the lie has cost, and whom; bonds included");
    println!("{}", lie::account_for(&cast, &meanwhile, &after, &lie)?);
    ended.push(lie.job.clone());

    println!("\nbalances, bonds included");
    println!("{}", balances_table(&before, &after, &cast.unit));
    check::chain_equals_store(&cast, &before, &after, &ended, &lie.case).await?;

    println!("\na model that is paid by the request");
    sold::run(&cast, &digits, &args.state_dir, &args.workload, &network, children).await?;
    let database = args.state_dir.join("indexer.sqlite").display().to_string();
    children
        .succeed("joule-indexer", &["verify", "--rpc", &network.rpc, "--database", &database, "--wait", "10"])
        .await?;
    println!("chain and store agree: every account byte for byte, every balance to the unit");
    Ok(format!(
        "  API       {0}   ({0}/openapi.json, {0}/v1/feed, {0}/metrics)\n  gateway   http://{4}\n  RPC       {1}\n  gRPC      {2}\n  logs      {3}",
        cast.index.base(),
        network.rpc,
        network.grpc,
        args.state_dir.join("logs").display(),
        sold::GATEWAY,
    ))
}

async fn start_network(args: &Args, children: &mut Children) -> Result<Network, Failure> {
    let bar = output::spinner("starting a local Solana network, with Joule's programs on it");
    let (state, programs, slot) = (path(&args.state_dir), path(&args.programs_dir), args.slot_time.to_string());
    // A description that an earlier network left must not be taken for this one's.
    let _ = std::fs::remove_file(args.state_dir.join("localnet.json"));
    children.start(
        "localnet",
        "joule-localnet",
        &["--state-dir", &state, "--programs-dir", &programs, "--slot-time", &slot],
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
        chain: Chain::new(network.rpc.clone()),
        index: joule_api::Client::new(format!("http://127.0.0.1:{}", args.api_port)),
        store: ArtifactStore::open(&artifacts).map_err(|e| Failure::Input(e.to_string()))?,
        mint: address(&network.mint).map_err(Failure::Input)?,
        unit: Token::new(network.symbol.as_deref().unwrap_or("tokens"), network.decimals),
        clients: vec![key("alice")?, key("bob")?],
        providers: vec![key("north")?, key("south")?],
        liar: key("east")?,
        challenger: key("carol")?,
        jurors: vec![key("uma")?, key("vera")?, key("wim")?],
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
        &["--grpc", &network.grpc, "--rpc", &network.rpc, "--database", &database, "--listen", &listen],
    )?;
    let index = joule_api::Client::new(format!("http://{listen}"));
    children.until("indexer", async || index.health().await.ok().filter(|health| health.ok)).await?;
    done(&bar, "indexer, fed by Yellowstone gRPC");
    Ok(())
}

async fn enrol(cast: &Cast) -> Result<(), Failure> {
    let bar = output::spinner("registering providers, each with a bond");
    cast.enrol().await?;
    done(&bar, "six providers registered, each with a bond of 100 tokens");
    Ok(())
}

async fn start_nodes(args: &Args, children: &mut Children, cast: &Cast, network: &Network) -> Result<(), Failure> {
    let (artifacts, mint) = (path(&args.state_dir.join("artifacts")), cast.mint.to_string());
    let mut start = |name: &str, role: &[&str]| {
        let key = path(&args.state_dir.join("keys").join(format!("{name}.json")));
        let common = [
            "run",
            "--rpc",
            &network.rpc,
            "--indexer",
            cast.index.base(),
            "--artifacts",
            &artifacts,
            "--key",
            &key,
            "--mint",
            &mint,
            "--max-jobs",
            "1",
            "--listen",
            "off",
            "--poll",
            "500ms",
        ];
        children.start(name, "joule-node", &[&common[..], role].concat())
    };
    for (name, _) in &cast.providers {
        // Jurors that have seconds only are not for them: such a job is left to others.
        start(name, &["--min-vote-window", "1h"])?;
    }
    start(cast.challenger.0, &["--provide", "false", "--verify", "true", "--max-deposit", MAX_DEPOSIT])?;
    for (name, _) in &cast.jurors {
        start(name, &["--provide", "false", "--vote", "true", "--max-deposit", MAX_DEPOSIT])?;
    }
    println!("✓ two nodes that work, one that looks at others' results, three that judge");
    Ok(())
}

fn balances_table(before: &[Wealth], after: &[Wealth], unit: &Token) -> comfy_table::Table {
    let mut table = output::table(["who", "before", "after", "change"]);
    let tokens = |wealth: &Wealth| unit.show(wealth.tokens() + wealth.bond());
    for (old, new) in before.iter().zip(after) {
        let change = lie::signed(new.total() - old.total(), unit);
        table.add_row([&old.name, &tokens(old), &tokens(new), &change]);
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
