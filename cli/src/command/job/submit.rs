//! Posting a job.

use super::{module, requirements::Said};
use crate::{
    act::{read, seconds, Actor},
    context::Options,
    failure::Failure,
    output,
    token::Token,
};
use clap::ValueEnum;
use joule_artifacts::{ArtifactStore, Hash, JobSpec};
use joule_sdk::{
    escrow::{
        constants::{MAX_BOND_BPS, MAX_JURORS, MAX_VOTE_WINDOW, MAX_WINDOW, MIN_BOND_BPS},
        state::{Pricing, Terms, Verification},
    },
    instruction::escrow::{open, OpenAccounts},
    pda,
    staking::state::Stake,
    units::Bps,
    Chain, Keypair, Pubkey, Signature, Signer,
};
use joule_settings::{Amount, Size, Span};
use std::path::PathBuf;

/// Who decides whether a challenged result is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Nobody: you approve, or your silence pays
    Review,
    /// Bonded providers run it again; the majority by bond
    Quorum,
    /// Resolvers drawn by lot
    Panel,
}

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
    budget: Amount,
    /// Fuel limit, about one unit for each WebAssembly instruction
    #[arg(long, default_value_t = 10_000_000_000)]
    fuel: u64,
    /// The most memory that the module may have
    #[arg(long, default_value = "64 MiB", value_name = "SIZE")]
    memory: Size,
    /// Longest time the module may run
    #[arg(long, default_value = "1m", value_name = "DURATION")]
    timeout: Span,
    /// How long a provider may take to accept
    #[arg(long, default_value = "10m", value_name = "DURATION")]
    accept_window: Span,
    /// How long the provider may take to deliver
    #[arg(long, default_value = "10m", value_name = "DURATION")]
    work_window: Span,
    /// How long the result can be looked at before silence pays
    #[arg(long, default_value = "10m", value_name = "DURATION")]
    review_window: Span,
    /// Who decides whether a challenged result is right
    #[arg(long, value_enum, default_value_t = Mode::Review)]
    verification: Mode,
    /// Votes without which nothing is decided, or members of a first panel: odd [default: 3]
    #[arg(long, value_name = "N")]
    jurors: Option<u8>,
    /// How long each step of a dispute takes [default: 1h]
    #[arg(long, value_name = "DURATION")]
    vote_window: Option<Span>,
    /// What the provider locks of its bond, in percent of its price, or of the whole budget with --per-second; a tenth of the budget
    /// is always locked
    #[arg(long, default_value_t = 100.0, value_name = "PERCENT")]
    bond: f64,
    /// Take bids for so long; then the cheapest has the job, unless you pick one
    #[arg(long, value_name = "DURATION")]
    bid_window: Option<Span>,
    /// Pay for each second that the provider reports, at most so much a second, until the budget is used up; you can stop it
    #[arg(long, value_name = "AMOUNT")]
    per_second: Option<Amount>,
    /// What a provider must meet: a TOML file (gpu_model, vram, regions, min_bond, allowed and more), or the hash of requirements
    /// that you have defined before
    #[arg(long, value_name = "HASH|FILE")]
    requirements: Option<String>,
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
    pub mint: Pubkey,
    pub token_program: Pubkey,
    pub fuel: u64,
    pub memory_bytes: u64,
    pub timeout_ms: u64,
    /// The `Requirements` that a provider must meet.
    pub requirements: Option<Pubkey>,
    /// Without the hashes, which `post` fills in.
    pub terms: Terms,
}

/// What a client agrees to when it says nothing else: whoever comes first works for a fixed price, with as much bond, and the
/// client reviews. Windows of ten minutes.
pub fn plain_terms(budget: u64) -> Terms {
    Terms {
        budget,
        spec_hash: [0; 32],
        input_hash: [0; 32],
        accept_window: 600,
        bid_window: 0,
        work_window: 600,
        review_window: 600,
        vote_window: 0,
        bond_bps: Bps::WHOLE,
        verification: Verification::Review as u8,
        pricing: Pricing::Fixed as u8,
        jurors: 0,
        max_rate: 0,
    }
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
    let (who, mint) = (client.pubkey(), order.mint);
    let tokens = pda::associated_token(&who, &mint, &order.token_program);
    let has_stake = chain.find::<Stake>(&pda::stake(&pda::pool(&mint), &who)).await?.is_some();
    let accounts = OpenAccounts {
        payer: who,
        client: who,
        source: tokens,
        refund: tokens,
        mint,
        token_program: order.token_program,
        requirements: order.requirements,
        staked_in: has_stake.then_some(mint),
    };
    let terms = Terms { spec_hash: *spec_hash.as_bytes(), input_hash: *input_hash.as_bytes(), ..order.terms };
    let id = chain.next_job_id(&who).await?;
    let signature = chain.send(&[open(accounts, id, terms)], &[client]).await?;
    Ok((pda::job(&who, id), signature))
}

impl Args {
    /// What is said about price, time and verification; the amounts are left out, since only the token says what they are.
    fn terms(&self) -> Result<Terms, Failure> {
        let bps = (self.bond * 100.0).round();
        let (least, most) = (f64::from(MIN_BOND_BPS), f64::from(MAX_BOND_BPS));
        if !(least..=most).contains(&bps) {
            return Err(Failure::Input(format!(
                "--bond {} is not between {} and {} percent",
                self.bond,
                least / 100.0,
                most / 100.0
            )));
        }
        let is_judged = self.verification != Mode::Review;
        if !is_judged && (self.jurors.is_some() || self.vote_window.is_some()) {
            return Err(Failure::Input("--jurors and --vote-window go with --verification quorum or panel".into()));
        }
        let jurors = if is_judged { self.jurors.unwrap_or(3) } else { 0 };
        if is_judged && (jurors > MAX_JURORS || jurors % 2 == 0) {
            return Err(Failure::Input(format!("--jurors {jurors} is not an odd number up to {MAX_JURORS}")));
        }
        let vote_window = match self.vote_window {
            Some(window) => seconds("--vote-window", window, MAX_VOTE_WINDOW)?,
            None if is_judged => 3_600,
            None => 0,
        };
        let accept_window = seconds("--accept-window", self.accept_window, MAX_WINDOW)?;
        let bid_window = self.bid_window.map(|window| seconds("--bid-window", window, MAX_WINDOW)).transpose()?;
        if bid_window.is_some_and(|window| window >= accept_window) {
            return Err(Failure::Input(
                "bids are taken within the accept window: make --accept-window longer than --bid-window".into(),
            ));
        }
        let work_window = seconds("--work-window", self.work_window, MAX_WINDOW)?;
        if u128::from(work_window) * 1_000 < self.timeout.0.as_millis() {
            return Err(Failure::Input(format!(
                "no node takes a job that may run for {} and must be delivered within {}: make --work-window longer, or --timeout \
                 shorter",
                self.timeout, self.work_window
            )));
        }
        Ok(Terms {
            accept_window,
            bid_window: bid_window.unwrap_or(0),
            work_window,
            review_window: seconds("--review-window", self.review_window, MAX_WINDOW)?,
            vote_window,
            bond_bps: bps as u16,
            verification: match self.verification {
                Mode::Review => Verification::Review,
                Mode::Quorum => Verification::Quorum,
                Mode::Panel => Verification::Panel,
            } as u8,
            pricing: if self.per_second.is_some() { Pricing::PerSecond } else { Pricing::Fixed } as u8,
            jurors,
            ..plain_terms(0)
        })
    }

    fn timeout_ms(&self) -> u64 {
        self.timeout.0.as_millis().try_into().unwrap_or(u64::MAX)
    }
}

pub async fn run(options: &Options, args: Args) -> Result<(), Failure> {
    // Whatever is wrong with what was said, is found before anybody is asked for anything.
    let (module, input) = (read(&args.module)?, read(&args.input)?);
    let mut terms = args.terms()?;
    let requirements = args.requirements.as_deref().map(Said::read).transpose()?;
    let spec = JobSpec::new(Hash::of(&module), args.fuel, args.memory.0, args.timeout_ms());
    let spec = spec.map_err(|e| Failure::Input(e.to_string()))?;
    let (actor, store) = (Actor::of(options)?, options.store()?);
    module::check(&args.module, &module, input.len() as u64, &spec).await?;
    let bar = output::spinner("posting the job");
    let token = Token::of(options, &actor.chain).await?;
    terms.budget = token.units(&args.budget)?;
    if terms.budget == 0 {
        return Err(Failure::Input("--budget is nothing: nobody works for that".into()));
    }
    if let Some(rate) = &args.per_second {
        terms.max_rate = token.units(rate)?;
    }
    actor.can_pay(options, &token, terms.budget, "the budget").await?;
    let requirements = match &requirements {
        Some(said) => Some(said.account(&actor, &token).await?),
        None => None,
    };
    let order = Order {
        module,
        input,
        mint: token.mint,
        token_program: token.program,
        fuel: args.fuel,
        memory_bytes: args.memory.0,
        timeout_ms: args.timeout_ms(),
        requirements,
        terms,
    };
    let (job, signature) = post(&actor.chain, &store, &actor.signer, order).await?;
    bar.finish_and_clear();
    if options.json && !args.watch {
        return output::json(&token.label(serde_json::json!({
            "job": job.to_string(),
            "signature": signature.to_string(),
            "mint": token.mint.to_string(),
            "budget": terms.budget.to_string(),
        })));
    }
    if !options.json {
        println!("posted job {job} for at most {}", token.show(terms.budget));
    }
    match args.watch {
        true => super::watch::run(options, &job, args.output.as_deref()).await,
        false => Ok(()),
    }
}
