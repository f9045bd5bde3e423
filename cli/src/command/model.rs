//! `joule model`: make models known, publish what requests to them cost, and look at them; publishing is in `publish`, what looks is in `show`.

mod publish;
mod show;

use crate::{
    act::{read, Actor},
    command::job::percent as share,
    context::{address, Options},
    failure::Failure,
};
use clap::{Args, Subcommand};
use joule_artifacts::Hash;
use joule_sdk::{
    instruction::model::{self as instruction, Origin},
    pda,
    registry::{
        constants::MAX_SHARE_BPS,
        state::{Model, ModelProfile, ModelStatus},
    },
    Chain, Pubkey,
};
use joule_settings::Token;
use std::path::PathBuf;

#[derive(Subcommand)]
pub enum Command {
    /// Make a model of the signer's known
    Create(Create),
    /// Change what is stated about a model; what is not given stays
    Update {
        /// The model's address
        #[arg(value_parser = address)]
        model: Pubkey,
        #[command(flatten)]
        stated: Stated,
    },
    /// Stop anything new with a model: price lists, channels, models that derive from it
    Retire {
        /// The model's address
        #[arg(value_parser = address)]
        model: Pubkey,
        /// Bring it back instead
        #[arg(long)]
        undo: bool,
    },
    /// Publish what requests to a model cost from now on; earlier price lists stay as they are
    ///
    /// Prices are in the token that --mint names, such as 0.25; what is not given costs nothing. Those that the model derives
    /// from have their royalties by themselves. What no share takes is for whoever runs the model, less the protocol's fee.
    Publish(publish::Publish),
    /// Show a model, what it derives from, and what it costs
    Show {
        /// The model's address
        #[arg(value_parser = address)]
        model: Pubkey,
    },
    /// List models, the newest first
    List(show::List),
}

#[derive(Args)]
pub struct Create {
    /// The signer's own number for it, never to be used again [default: the first that is free]
    #[arg(long, value_name = "NUMBER")]
    id: Option<u64>,
    /// The model that it derives from; its royalties are owed from every price list
    #[arg(long, value_name = "MODEL", value_parser = address)]
    base: Option<Pubkey>,
    /// What every model that derives from this one owes of its earnings, for good
    #[arg(long, value_name = "PERCENT", default_value = "0", value_parser = percent)]
    royalty: u16,
    #[command(flatten)]
    stated: Stated,
}

#[derive(Args)]
pub struct Stated {
    /// Owner of the token accounts that earnings go to [default when created: the signer]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    payout_owner: Option<Pubkey>,
    /// A document that says where it is served, of which the hash is registered
    #[arg(long, value_name = "FILE")]
    endpoint: Option<PathBuf>,
    /// A document that describes it, of which the hash is registered
    #[arg(long, value_name = "FILE")]
    metadata: Option<PathBuf>,
}

pub async fn run(options: &Options, command: Command) -> Result<(), Failure> {
    match command {
        Command::Create(args) => create(options, args).await,
        Command::Update { model, stated } => update(options, &model, &stated).await,
        Command::Retire { model, undo } => retire(options, &model, undo).await,
        Command::Publish(args) => publish::run(options, args).await,
        Command::Show { model } => show::one(options, &model).await,
        Command::List(args) => show::list(options, args).await,
    }
}

/// What was stated before, with what is given now in its place.
fn stated(before: ModelProfile, now: &Stated) -> Result<ModelProfile, Failure> {
    let hash = |path: &Option<PathBuf>, before: [u8; 32]| match path {
        Some(path) => Ok(*Hash::of(&read(path)?).as_bytes()),
        None => Ok::<_, Failure>(before),
    };
    Ok(ModelProfile {
        payout_owner: now.payout_owner.unwrap_or(before.payout_owner),
        endpoint_hash: hash(&now.endpoint, before.endpoint_hash)?,
        metadata_hash: hash(&now.metadata, before.metadata_hash)?,
    })
}

/// Percent on the command line, with at most two decimals, as basis points.
fn percent(text: &str) -> Result<u16, String> {
    let read = text.parse().ok().and_then(|percent| Token::new("percent", 2).units(&percent).ok());
    read.and_then(|bps| u16::try_from(bps).ok())
        .filter(|bps| *bps <= MAX_SHARE_BPS)
        .ok_or_else(|| format!("this is no share: write percent up to {}, such as 2.5", MAX_SHARE_BPS / 100))
}

async fn known(chain: &Chain, model: &Pubkey) -> Result<Model, Failure> {
    let found: Option<Model> = chain.find(model).await?;
    found.ok_or_else(|| {
        Failure::NotFound(format!("there is no model {model}; `joule model list` shows those there are"))
    })
}

/// A model that the signer may change.
async fn own(actor: &Actor, model: &Pubkey) -> Result<Model, Failure> {
    let state = known(&actor.chain, model).await?;
    match state.creator == actor.key() {
        true => Ok(state),
        false => Err(Failure::Refused(format!(
            "model {model} is {}'s, and the signer is {}: choose the creator's key with --key or --as",
            state.creator,
            actor.key()
        ))),
    }
}

async fn create(options: &Options, args: Create) -> Result<(), Failure> {
    let (royalty_bps, base) = (args.royalty, args.base);
    let nothing = ModelProfile { payout_owner: Pubkey::default(), endpoint_hash: [0; 32], metadata_hash: [0; 32] };
    let mut profile = stated(nothing, &args.stated)?;
    let actor = Actor::of(options)?;
    if args.stated.payout_owner.is_none() {
        profile.payout_owner = actor.key();
    }
    if let Some(base) = base {
        let state = known(&actor.chain, &base).await?;
        let owed: u16 = state.royalties().iter().map(|due| due.bps.get()).sum::<u16>() + state.royalty_bps.get();
        if owed + royalty_bps > MAX_SHARE_BPS {
            return Err(Failure::Refused(format!(
                "what derives from {base} owes {} already: with a royalty of {} it would be more than {}",
                share(owed),
                share(royalty_bps),
                share(MAX_SHARE_BPS)
            )));
        }
    }
    let id = match args.id {
        Some(id) if actor.chain.find::<Model>(&pda::model(&actor.key(), id)).await?.is_some() => {
            let model = pda::model(&actor.key(), id);
            return Err(Failure::Refused(format!(
                "number {id} is model {model}'s already: use `joule model update {model}`, or leave --id out"
            )));
        }
        Some(id) => id,
        None => free_id(&actor).await?,
    };
    let create = instruction::create_model(actor.key(), actor.key(), Origin { id, base, royalty_bps }, profile);
    actor.send(options, &[create], ("model", &pda::model(&actor.key(), id)), "created model").await
}

/// The first number that the signer has used for no model.
async fn free_id(actor: &Actor) -> Result<u64, Failure> {
    let mut id = 0;
    while actor.chain.find::<Model>(&pda::model(&actor.key(), id)).await?.is_some() {
        id += 1;
    }
    Ok(id)
}

async fn update(options: &Options, model: &Pubkey, now: &Stated) -> Result<(), Failure> {
    if now.payout_owner.is_none() && now.endpoint.is_none() && now.metadata.is_none() {
        return Err(Failure::Input("nothing to change: give --payout-owner, --endpoint or --metadata".into()));
    }
    let unread = ModelProfile { payout_owner: Pubkey::default(), endpoint_hash: [0; 32], metadata_hash: [0; 32] };
    stated(unread, now)?;
    let (actor, model) = (Actor::of(options)?, *model);
    let state = own(&actor, &model).await?;
    let before = ModelProfile {
        payout_owner: state.payout_owner,
        endpoint_hash: state.endpoint_hash,
        metadata_hash: state.metadata_hash,
    };
    let update = instruction::update_model(actor.key(), model, stated(before, now)?);
    actor.send(options, &[update], ("model", &model), "updated model").await
}

async fn retire(options: &Options, model: &Pubkey, undo: bool) -> Result<(), Failure> {
    let (actor, model) = (Actor::of(options)?, *model);
    own(&actor, &model).await?;
    let (status, done) = match undo {
        true => (ModelStatus::Active, "brought back model"),
        false => (ModelStatus::Retired, "retired model"),
    };
    let set = instruction::set_model_status(actor.key(), model, status);
    actor.send(options, &[set], ("model", &model), done).await
}
