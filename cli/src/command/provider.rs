//! `joule provider`: register, pause, retire; its bond is in `bond`, what it all comes to in `status`.

mod status;

use crate::{
    act::{read, Actor},
    command::job::{whole, GIB, MIB},
    context::{address, Options},
    failure::Failure,
    output,
};
use clap::{Args, Subcommand, ValueEnum};
use joule_artifacts::Hash;
use joule_sdk::{
    instruction::registry,
    instruction::token::create_associated,
    pda,
    registry::state::{Attributes, Profile, Provider, ProviderStatus},
    staking::state::Bond,
    Pubkey,
};
use joule_settings::{GpuModel, Region, Size};

#[derive(Subcommand)]
pub enum Command {
    /// Register the signer as a provider, or replace what it stated before
    Register(Register),
    /// The money that the provider answers with: without it, no job can be taken
    #[command(subcommand)]
    Bond(super::bond::Command),
    /// Show all there is to know of a provider: what is registered, its bond and who holds what of it, its jobs, what it has earned
    /// and what it can still get; or make the signer's active or paused
    Status {
        /// The provider's address [default: the signer's]
        #[arg(value_parser = address)]
        provider: Option<Pubkey>,
        /// Start or stop taking work
        #[arg(long, conflicts_with = "provider")]
        set: Option<Status>,
    },
    /// Take the signer's provider off the registry, and get its rent back; its bond stays, and is closed by itself
    Retire,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Status {
    Active,
    Paused,
}

#[derive(Args)]
pub struct Register {
    /// Owner of the token accounts that pay goes to [default: the signer]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    payout_owner: Option<Pubkey>,
    /// Jobs that run at the same time
    #[arg(long, default_value_t = 2, value_name = "N")]
    capacity: u32,
    /// Model of the GPUs, such as H100; docs/gpu-models.md lists them
    #[arg(long, default_value_t = GpuModel::default(), value_name = "NAME")]
    gpu_model: GpuModel,
    /// How many GPUs there are [default: 1 where a model is named]
    #[arg(long, value_name = "N")]
    gpu_count: Option<u16>,
    /// Memory of each GPU, such as 80GiB
    #[arg(long, value_name = "SIZE")]
    vram: Option<Size>,
    /// Cores of the CPUs
    #[arg(long, default_value_t = 0, value_name = "N")]
    cpu_cores: u16,
    /// Where the machine is, such as eu-west; docs/regions.md lists them
    #[arg(long, default_value_t = Region::default(), value_name = "NAME")]
    region: Region,
    /// Memory of the machine, such as 256GiB
    #[arg(long, value_name = "SIZE")]
    memory: Option<Size>,
    /// Room on its disks, such as 2TiB
    #[arg(long, value_name = "SIZE")]
    disk: Option<Size>,
    /// Megabits a second to the internet
    #[arg(long, default_value_t = 0, value_name = "N")]
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
        Command::Status { provider, set: None } => status::show(options, provider).await,
        Command::Retire => retire(options).await,
    }
}

impl Register {
    fn attributes(&self) -> Result<Attributes, Failure> {
        Ok(Attributes {
            gpu_model: self.gpu_model.get(),
            gpu_count: self.gpu_count.unwrap_or(u16::from(self.gpu_model.get() != 0)),
            vram_mib: whole("--vram", self.vram, MIB)?,
            cpu_cores: self.cpu_cores,
            region: self.region.get(),
            memory_mib: whole("--memory", self.memory, MIB)?,
            disk_gib: whole("--disk", self.disk, GIB)?,
            bandwidth_mbps: self.bandwidth_mbps,
        })
    }
}

async fn register(options: &Options, args: Register) -> Result<(), Failure> {
    let attributes = args.attributes()?;
    let metadata = args.metadata.as_deref().map(read).transpose()?;
    let metadata_hash = metadata.map_or([0; 32], |bytes| *Hash::of(&bytes).as_bytes());
    let actor = Actor::of(options)?;
    let (me, chain) = (actor.key(), &actor.chain);
    let payout_owner = args.payout_owner.unwrap_or(me);
    let profile = Profile { payout_owner, capacity: args.capacity, endpoint_hash: [0; 32], metadata_hash, attributes };
    let bar = output::spinner("registering");
    let mint = options.mint()?;
    let token_program = chain.token_program_of(&mint).await?;
    let mut instructions = vec![create_associated(me, payout_owner, mint, token_program)];
    let known = chain.provider(&me).await?.is_some();
    instructions.push(match known {
        true => registry::update(me, profile),
        false => registry::register(me, me, profile),
    });
    let signature = actor.only_send(options, &instructions).await?;
    bar.finish_and_clear();
    let provider = pda::provider(&me);
    if options.json {
        return output::json(&serde_json::json!({
            "provider": provider.to_string(), "updated": known, "signature": signature.to_string(),
        }));
    }
    println!("{} provider {provider}", if known { "updated" } else { "registered" });
    if chain.find::<Bond>(&pda::bond(&me, &mint)).await?.is_none() {
        println!("every job wants a bond, and it has none yet: `joule provider bond open AMOUNT`");
    }
    Ok(())
}

/// The signer's.
async fn own(options: &Options, actor: &Actor) -> Result<Provider, Failure> {
    let who = options.who(&actor.key());
    let none = || Failure::NotFound(format!("{who} is not a provider: `joule provider register` makes it one"));
    actor.chain.provider(&actor.key()).await?.ok_or_else(none)
}

async fn set_status(options: &Options, status: Status) -> Result<(), Failure> {
    let actor = Actor::of(options)?;
    own(options, &actor).await?;
    let (status, word) = match status {
        Status::Active => (ProviderStatus::Active, "active"),
        Status::Paused => (ProviderStatus::Paused, "paused"),
    };
    let provider = pda::provider(&actor.key());
    let set = registry::set_status(actor.key(), status);
    let done = format!("provider {provider} is {word}");
    actor.tell(options, &[set], ("provider", &provider), &done, serde_json::json!({ "status": word })).await
}

async fn retire(options: &Options) -> Result<(), Failure> {
    let actor = Actor::of(options)?;
    let state = own(options, &actor).await?;
    let provider = pda::provider(&actor.key());
    let retire = registry::retire(actor.key(), state.rent_payer);
    actor.send(options, &[retire], ("provider", &provider), "retired provider").await
}
