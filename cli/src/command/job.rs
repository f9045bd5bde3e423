//! `joule job`: post, show, list, follow, approve, challenge, take back.

mod bids;
mod decide;
mod module;
mod requirements;
mod submit;
mod watch;

use crate::{
    context::{address, Options},
    failure::Failure,
    output,
    view::View,
};
use clap::{Subcommand, ValueEnum};
use joule_api::{Job, JobStatus, Payout, Pricing, Verification};
use joule_sdk::{Pubkey, Signer};
use std::path::PathBuf;

pub use requirements::{whole, GIB, MIB};
pub use submit::{plain_terms, post, Order};
pub use watch::final_status;

#[derive(Subcommand)]
pub enum Command {
    /// Post a job: a WebAssembly module, an input, and a budget
    Submit(submit::Args),
    /// Show one job
    Show {
        #[arg(value_parser = address)]
        job: Pubkey,
    },
    /// List jobs, newest first
    List {
        #[arg(long)]
        status: Option<Status>,
        /// Only jobs of this client
        #[arg(long, value_name = "ADDRESS", conflicts_with = "mine", value_parser = address)]
        client: Option<Pubkey>,
        /// Only the signer's jobs
        #[arg(long)]
        mine: bool,
        /// Only jobs accepted by this provider
        #[arg(long, value_name = "ADDRESS", value_parser = address)]
        provider: Option<Pubkey>,
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// Go on after an earlier page
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Follow a job until it ends; exits with 6 when it ends without having been paid for
    Watch {
        #[arg(value_parser = address)]
        job: Pubkey,
        /// Write the result here
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Agree with a delivered result and pay at once
    Approve {
        #[arg(value_parser = address)]
        job: Pubkey,
    },
    /// Say that a delivered result is wrong, and put in as much as the provider has locked; anyone may
    Challenge {
        #[arg(value_parser = address)]
        job: Pubkey,
        /// What is right: a hash, or a file, which is put into the store
        #[arg(long, value_name = "HASH|FILE")]
        result: String,
    },
    /// Take back a job that nobody has accepted
    Cancel {
        #[arg(value_parser = address)]
        job: Pubkey,
    },
    /// List the bids for a job, the cheapest first
    Bids {
        #[arg(value_parser = address)]
        job: Pubkey,
    },
    /// Give a job to a bidder
    Pick {
        #[arg(value_parser = address)]
        job: Pubkey,
        /// Address of the bid, or of the provider that made it
        #[arg(value_parser = address)]
        bid: Pubkey,
    },
    /// Let the bond go that is locked for a bid that did not win; anyone may
    WithdrawBid {
        #[arg(value_parser = address)]
        job: Pubkey,
        /// The bidder's provider
        #[arg(long, value_name = "ADDRESS", value_parser = address)]
        provider: Pubkey,
    },
    /// Have what a job pays you go to another token account: your old one may be closed, frozen or lost
    Redirect {
        #[arg(value_parser = address)]
        job: Pubkey,
        /// The token account that gets it
        #[arg(long, value_name = "ACCOUNT", value_parser = address)]
        to: Pubkey,
    },
    /// Stop a job that is paid by the second, and pay the seconds reported
    Stop {
        #[arg(value_parser = address)]
        job: Pubkey,
    },
    /// Have paid what an ended job still owes; anyone may
    Pay {
        #[arg(value_parser = address)]
        job: Pubkey,
    },
    /// Have a job refunded that was not delivered in time, and its provider's bond slashed; anyone may
    Fail {
        #[arg(value_parser = address)]
        job: Pubkey,
    },
    /// Take requirements out of use
    #[command(subcommand)]
    Requirements(Requirements),
    /// Do whatever a job's time is up for: award, settle, pay, refund, resolve; anyone may
    Crank {
        #[arg(value_parser = address)]
        job: Pubkey,
    },
}

#[derive(Subcommand)]
pub enum Requirements {
    /// Let no new job name them from now on; jobs that do go on, and are judged by them
    Retire {
        /// Address, or hash among the signer's
        requirements: requirements::Place,
    },
    /// Get their rent back, 300 days after they were retired; anyone may
    Close {
        /// Address, or hash among the signer's
        requirements: requirements::Place,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Status {
    Open,
    Accepted,
    Delivered,
    Challenged,
    Settled,
    Refunded,
}

pub async fn run(options: &Options, command: Command) -> Result<(), Failure> {
    match command {
        Command::Submit(args) => submit::run(options, args).await,
        Command::Show { job } => show(options, &job).await,
        Command::List { status, client, mine, provider, limit, cursor } => {
            let client = match mine {
                true => Some(options.signer()?.pubkey()),
                false => client,
            };
            let (client, provider) = (client.map(|key| key.to_string()), provider.map(|key| key.to_string()));
            let mut filter = vec![("limit", limit.to_string())];
            let status = status.and_then(|s| s.to_possible_value()).map(|v| v.get_name().to_owned());
            for (name, value) in [("status", status), ("client", client), ("provider", provider), ("cursor", cursor)] {
                filter.extend(value.map(|value| (name, value)));
            }
            list(options, &filter).await
        }
        Command::Watch { job, output } => watch::run(options, &job, output.as_deref()).await,
        Command::Requirements(Requirements::Retire { requirements }) => {
            requirements::retire(options, &requirements).await
        }
        Command::Requirements(Requirements::Close { requirements }) => {
            requirements::close(options, &requirements).await
        }
        Command::Approve { job } => decide::approve(options, &job).await,
        Command::Challenge { job, result } => decide::challenge(options, &job, &result).await,
        Command::Cancel { job } => decide::cancel(options, &job).await,
        Command::Bids { job } => bids::list(options, &job).await,
        Command::Pick { job, bid } => bids::pick(options, &job, &bid).await,
        Command::WithdrawBid { job, provider } => bids::withdraw(options, &job, &provider).await,
        Command::Redirect { job, to } => decide::redirect(options, &job, &to).await,
        Command::Stop { job } => decide::stop(options, &job).await,
        Command::Pay { job } => decide::pay(options, &job).await,
        Command::Fail { job } => decide::fail(options, &job).await,
        Command::Crank { job } => decide::crank(options, &job).await,
    }
}

async fn show(options: &Options, job: &Pubkey) -> Result<(), Failure> {
    let job = options.index().job(&job.to_string()).await?;
    let view = View::of(options, [job.mint.as_str()]).await;
    if options.json {
        return view.json(&job, None);
    }
    println!("{}", table(&job, &view));
    Ok(())
}

fn table(job: &Job, view: &View) -> comfy_table::Table {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".into());
    let amount = |units: u64| view.amount(&job.mint, units);
    let mut table = output::table(["job", &job.address]);
    table.add_rows([
        ["status", &status(job.status)],
        ["client", &job.client],
        ["number", &job.id.to_string()],
        ["provider", &text(&job.provider)],
        ["token", &job.mint],
        ["budget", &amount(job.budget)],
        ["price", &price(job, view)],
        ["bond", &format!("{} locked, {} of the price", amount(job.exposure), percent(job.bond_bps))],
        ["verified by", &verified(job)],
        ["requirements", &text(&job.requirements)],
        ["challenger", &text(&job.challenger)],
        ["verdict", job.verdict.map_or("-", super::dispute::explain)],
        ["paid", &shares(&job.paid, &job.mint, view)],
        ["owed", &shares(&job.owed, &job.mint, view)],
        ["spec", &job.spec_hash],
        ["input", &job.input_hash],
        ["result", &text(&job.result_hash)],
        ["opened", &view.moment(job.opened_at)],
        ["bids until", &view.when(job.bid_until)],
        ["accept by", &view.moment(job.accept_by)],
        ["deliver by", &view.when(job.deliver_by)],
        ["settles after", &view.when(job.settle_after)],
    ]);
    table
}

/// Basis points as people read them.
pub fn percent(bps: impl Into<u64>) -> String {
    format!("{} %", joule_settings::Token::new("%", 2).tokens(bps.into()))
}

fn price(job: &Job, view: &View) -> String {
    let amount = |units: u64| view.amount(&job.mint, units);
    let fee = percent(job.fee_bps);
    match job.pricing {
        Pricing::Fixed => format!("{}, {fee} of it fee", amount(job.price)),
        Pricing::PerSecond => format!(
            "{} for {} at {} a second, {fee} of it fee",
            amount(job.price),
            output::duration(job.reported.into()),
            amount(job.rate)
        ),
    }
}

fn verified(job: &Job) -> String {
    let step = output::duration(job.vote_window.into());
    match job.verification {
        Verification::Review => "the client's review".into(),
        Verification::Quorum => format!("a quorum of {}, {step} a step", job.jurors),
        Verification::Panel => format!("a panel of {}, {step} a step", job.jurors),
    }
}

/// Amounts by party, without those that get nothing in most jobs.
pub fn shares(p: &Payout, mint: &str, view: &View) -> String {
    let amount = |units: u64| view.amount(mint, units);
    let mut text = format!("{} to the provider, {} fee, {} back", amount(p.provider), amount(p.fee), amount(p.client));
    if p.challenger > 0 {
        text += &format!(", {} to the challenger", amount(p.challenger));
    }
    if p.jurors > 0 {
        text += &format!(", {} to jurors", amount(p.jurors));
    }
    text
}

async fn list(options: &Options, filter: &[(&str, String)]) -> Result<(), Failure> {
    let page = options.index().jobs(filter).await?;
    let view = View::of(options, page.items.iter().map(|job| job.mint.as_str())).await;
    if options.json {
        return view.json(&page, None);
    }
    println!("{}", jobs_table(&page.items, &view));
    if let Some(cursor) = page.next_cursor {
        println!("more: --cursor {cursor}");
    }
    Ok(())
}

pub fn jobs_table(jobs: &[Job], view: &View) -> comfy_table::Table {
    let mut table = output::table([
        "job",
        "client",
        "no.",
        "status",
        "provider",
        "budget",
        "price",
        "provider got",
        "fee",
        "client got",
    ]);
    for j in jobs {
        let amount = |units: u64| view.amount(&j.mint, units);
        table.add_row([
            j.address.clone(),
            output::short(&j.client),
            j.id.to_string(),
            status(j.status),
            j.provider.as_deref().map(output::short).unwrap_or_default(),
            amount(j.budget),
            amount(j.price),
            amount(j.paid.provider),
            amount(j.paid.fee),
            amount(j.paid.client),
        ]);
    }
    table
}

pub fn status(status: JobStatus) -> String {
    format!("{status:?}").to_lowercase()
}
