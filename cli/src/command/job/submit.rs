//! Posting a job.

use crate::{
    amount,
    context::{mint_info, Options},
    failure::Failure,
    output,
};
use joule_artifacts::{ArtifactStore, Hash, JobSpec};
use joule_sdk::{
    escrow::state::{Terms, Verification},
    instruction::escrow::{open, OpenAccounts},
    pda, Chain, Keypair, Pubkey, Signature, Signer,
};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub struct Args {
    /// The WebAssembly module; README.md in workloads/ tells what it must export
    #[arg(long, value_name = "FILE")]
    module: PathBuf,
    /// The input handed to it
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// The most that is paid, in tokens, such as 12.5
    #[arg(long, value_name = "AMOUNT")]
    budget: String,
    /// The token [default: the local network's]
    #[arg(long, value_name = "ADDRESS")]
    mint: Option<String>,
    /// Fuel limit, about one unit for each WebAssembly instruction
    #[arg(long, default_value_t = 10_000_000_000)]
    fuel: u64,
    #[arg(long, default_value_t = 64)]
    memory_mib: u64,
    /// Longest time the module may run
    #[arg(long, default_value = "1m")]
    timeout: humantime::Duration,
    /// How long a provider may take to accept
    #[arg(long, default_value = "10m")]
    accept_window: humantime::Duration,
    /// How long the provider may take to deliver
    #[arg(long, default_value = "10m")]
    work_window: humantime::Duration,
    /// How long the result can be looked at before silence pays
    #[arg(long, default_value = "10m")]
    review_window: humantime::Duration,
    /// Follow the job until it ends
    #[arg(long)]
    watch: bool,
    /// Write the result here (with --watch)
    #[arg(long, short, value_name = "FILE", requires = "watch")]
    output: Option<PathBuf>,
}

/// A job to be posted.
pub struct Order {
    pub module: Vec<u8>,
    pub input: Vec<u8>,
    /// Base units.
    pub budget: u64,
    pub mint: Pubkey,
    pub token_program: Pubkey,
    pub fuel: u64,
    pub memory_bytes: u64,
    pub timeout_ms: u64,
    /// Seconds, as are the others.
    pub accept_window: u32,
    pub work_window: u32,
    pub review_window: u32,
}

/// Stores what the provider needs, then opens the job: whoever sees it can run it.
pub async fn post(
    chain: &Chain,
    store: &ArtifactStore,
    client: &Keypair,
    order: Order,
) -> Result<(Pubkey, Signature), Failure> {
    let spec = JobSpec::new(Hash::of(&order.module), order.fuel, order.memory_bytes, order.timeout_ms)
        .map_err(|e| Failure::Input(e.to_string()))?;
    store.put(order.module).await?;
    let input_hash = store.put(order.input).await?;
    let spec_hash = store.put(spec.to_bytes()).await?;
    let tokens = pda::associated_token(&client.pubkey(), &order.mint, &order.token_program);
    let accounts = OpenAccounts {
        payer: client.pubkey(),
        client: client.pubkey(),
        source: tokens,
        refund: tokens,
        mint: order.mint,
        token_program: order.token_program,
    };
    let terms = Terms {
        budget: order.budget,
        spec_hash: *spec_hash.as_bytes(),
        input_hash: *input_hash.as_bytes(),
        accept_window: order.accept_window,
        work_window: order.work_window,
        review_window: order.review_window,
        verification: Verification::Review as u8,
    };
    let id = chain.next_job_id(&client.pubkey()).await?;
    let signature = chain.send(&[open(accounts, id, terms)], &[client]).await?;
    Ok((pda::job(&client.pubkey(), id), signature))
}

pub async fn run(options: &Options, args: Args) -> Result<(), Failure> {
    let (chain, store, client) = (options.chain()?, options.store()?, options.signer()?);
    let (module, input) = (read(&args.module)?, read(&args.input)?);
    let bar = output::spinner("posting the job");
    let mint = options.mint(args.mint.as_deref())?;
    let (token_program, decimals) = mint_info(&chain, &mint).await?;
    let order = Order {
        module,
        input,
        budget: amount::parse(&args.budget, decimals)?,
        mint,
        token_program,
        fuel: args.fuel,
        memory_bytes: args.memory_mib.saturating_mul(1 << 20),
        timeout_ms: args.timeout.as_millis().try_into().unwrap_or(u64::MAX),
        accept_window: seconds("accept-window", args.accept_window)?,
        work_window: seconds("work-window", args.work_window)?,
        review_window: seconds("review-window", args.review_window)?,
    };
    let (job, signature) = post(&chain, &store, &client, order).await?;
    bar.finish_and_clear();
    if options.json && !args.watch {
        return output::json(&serde_json::json!({ "job": job.to_string(), "signature": signature.to_string() }));
    }
    if !options.json {
        println!("posted job {job}");
    }
    match args.watch {
        true => super::watch::run(options, &job.to_string(), args.output.as_deref()).await,
        false => Ok(()),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|e| Failure::Input(format!("cannot read {}: {e}", path.display())))
}

fn seconds(flag: &str, window: humantime::Duration) -> Result<u32, Failure> {
    let max = joule_sdk::escrow::constants::MAX_WINDOW;
    match u32::try_from(window.as_secs()) {
        Ok(seconds) if (1..=max).contains(&seconds) => Ok(seconds),
        _ => Err(Failure::Input(format!("--{flag} {window} is not between 1 second and 90 days"))),
    }
}
