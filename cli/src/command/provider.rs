//! `joule provider`: register, look, pause; its bond is in `bond`.

use crate::{context::address, context::Options, failure::Failure, output};
use clap::{Args, Subcommand, ValueEnum};
use joule_api::Provider;
use joule_artifacts::Hash;
use joule_sdk::{
    instruction::registry,
    instruction::token::create_associated,
    pda,
    registry::state::{Attributes, Profile, ProviderStatus},
    staking::state::Bond,
    Signer,
};

#[derive(Subcommand)]
pub enum Command {
    /// Register the signer as a provider, or replace what it stated before
    Register(Register),
    /// The money that the provider answers with: without it, no job can be taken
    #[command(subcommand)]
    Bond(super::bond::Command),
    /// Show a provider, or make the signer's active or paused
    Status {
        /// The provider's address [default: the signer's]
        provider: Option<String>,
        /// Start or stop taking work
        #[arg(long, conflicts_with = "provider")]
        set: Option<Status>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Status {
    Active,
    Paused,
}

#[derive(Args)]
pub struct Register {
    /// Owner of the token accounts that pay goes to [default: the signer]
    #[arg(long, value_name = "ADDRESS")]
    payout_owner: Option<String>,
    /// Tokens to make an account for, so that it can be paid [default: the local network's]
    #[arg(long, value_name = "ADDRESS")]
    mint: Option<String>,
    /// Jobs that run at the same time
    #[arg(long, default_value_t = 2)]
    capacity: u32,
    /// Code of the GPU's model, 0 for none; docs/gpu-models.md
    #[arg(long, default_value_t = 0)]
    gpu_model: u16,
    #[arg(long, default_value_t = 0)]
    gpu_count: u16,
    #[arg(long, default_value_t = 0)]
    vram_mib: u32,
    #[arg(long, default_value_t = 0)]
    cpu_cores: u16,
    /// Code of the region, 0 for none; docs/regions.md
    #[arg(long, default_value_t = 0)]
    region: u16,
    #[arg(long, default_value_t = 0)]
    memory_mib: u32,
    #[arg(long, default_value_t = 0)]
    disk_gib: u32,
    #[arg(long, default_value_t = 0)]
    bandwidth_mbps: u32,
    /// A document that describes the provider, of which the hash is registered
    #[arg(long, value_name = "FILE")]
    metadata: Option<std::path::PathBuf>,
}

pub async fn run(options: &Options, command: Command) -> Result<(), Failure> {
    match command {
        Command::Register(args) => register(options, args).await,
        Command::Bond(command) => super::bond::run(options, command).await,
        Command::Status { set: Some(status), .. } => set_status(options, status).await,
        Command::Status { provider, set: None } => show(options, provider).await,
    }
}

async fn register(options: &Options, args: Register) -> Result<(), Failure> {
    let (chain, signer) = (options.chain()?, options.signer()?);
    let payout_owner = args.payout_owner.as_deref().map(address).transpose()?.unwrap_or(signer.pubkey());
    let metadata_hash = match &args.metadata {
        Some(path) => Hash::of(&std::fs::read(path).map_err(|e| Failure::Input(format!("{}: {e}", path.display())))?),
        None => Hash::from_bytes([0; 32]),
    };
    let profile = Profile {
        payout_owner,
        capacity: args.capacity,
        endpoint_hash: [0; 32],
        metadata_hash: *metadata_hash.as_bytes(),
        attributes: Attributes {
            gpu_model: args.gpu_model,
            gpu_count: args.gpu_count,
            vram_mib: args.vram_mib,
            cpu_cores: args.cpu_cores,
            region: args.region,
            memory_mib: args.memory_mib,
            disk_gib: args.disk_gib,
            bandwidth_mbps: args.bandwidth_mbps,
        },
    };
    let bar = output::spinner("registering");
    let mint = options.mint(args.mint.as_deref())?;
    let token_program = chain.token_program_of(&mint).await?;
    let mut instructions = vec![create_associated(signer.pubkey(), payout_owner, mint, token_program)];
    let known = chain.provider(&signer.pubkey()).await?.is_some();
    instructions.push(match known {
        true => registry::update(signer.pubkey(), profile),
        false => registry::register(signer.pubkey(), signer.pubkey(), profile),
    });
    let signature = chain.send(&instructions, &[&signer]).await?;
    bar.finish_and_clear();
    let provider = pda::provider(&signer.pubkey());
    if options.json {
        return output::json(&serde_json::json!({
            "provider": provider.to_string(), "updated": known, "signature": signature.to_string(),
        }));
    }
    println!("{} provider {provider}", if known { "updated" } else { "registered" });
    if chain.find::<Bond>(&pda::bond(&signer.pubkey(), &mint)).await?.is_none() {
        println!("every job wants a bond, and it has none yet: `joule provider bond open AMOUNT`");
    }
    Ok(())
}

async fn set_status(options: &Options, status: Status) -> Result<(), Failure> {
    let (chain, signer) = (options.chain()?, options.signer()?);
    let status = match status {
        Status::Active => ProviderStatus::Active,
        Status::Paused => ProviderStatus::Paused,
    };
    let bar = output::spinner("sending");
    let signature = chain.send(&[registry::set_status(signer.pubkey(), status)], &[&signer]).await?;
    bar.finish_and_clear();
    let provider = pda::provider(&signer.pubkey());
    if options.json {
        return output::json(
            &serde_json::json!({ "provider": provider.to_string(), "signature": signature.to_string() }),
        );
    }
    println!("provider {provider} is {}", format!("{status:?}").to_lowercase());
    Ok(())
}

async fn show(options: &Options, provider: Option<String>) -> Result<(), Failure> {
    let provider = match provider {
        Some(text) => address(&text)?,
        None => pda::provider(&options.signer()?.pubkey()),
    };
    let found = options.index().provider(&provider.to_string()).await?;
    if options.json {
        return output::json(&found);
    }
    print(&found);
    Ok(())
}

fn print(p: &Provider) {
    let mut table = output::table(["provider", &p.address]);
    let a = &p.attributes;
    table.add_rows([
        ["status", &format!("{:?}", p.status).to_lowercase()],
        ["authority", &p.authority],
        ["paid to", &p.payout_owner],
        ["capacity", &p.capacity.to_string()],
        ["jobs", &format!("{} running, {} settled, {} failed", p.jobs_running, p.jobs_settled, p.jobs_failed)],
        ["earned", &format!("{} base units", p.earned)],
        ["GPUs", &format!("{} of model {}, {} MiB each", a.gpu_count, a.gpu_model, a.vram_mib)],
        ["machine", &format!("{} cores, {} MiB memory, {} GiB disk", a.cpu_cores, a.memory_mib, a.disk_gib)],
        ["registered", &output::time(p.registered_at)],
    ]);
    println!("{table}");
}
