//! `joule job`: post, show, list, follow, approve, challenge, take back.

mod bids;
mod decide;
mod requirements;
mod submit;
mod watch;

use crate::{context::Options, failure::Failure, output};
use clap::{Subcommand, ValueEnum};
use joule_api::{Job, JobStatus, Payout, Pricing, Verification};
use joule_sdk::Signer;
use std::path::PathBuf;

pub use submit::{plain_terms, post, Order};
pub use watch::final_status;

#[derive(Subcommand)]
pub enum Command {
    /// Post a job: a WebAssembly module, an input, and a budget
    Submit(submit::Args),
    /// Show one job
    Show { job: String },
    /// List jobs, newest first
    List {
        #[arg(long)]
        status: Option<Status>,
        /// Only jobs of this client
        #[arg(long, value_name = "ADDRESS", conflicts_with = "mine")]
        client: Option<String>,
        /// Only the signer's jobs
        #[arg(long)]
        mine: bool,
        /// Only jobs accepted by this provider
        #[arg(long, value_name = "ADDRESS")]
        provider: Option<String>,
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// Go on after an earlier page
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Follow a job until it ends; exits with 6 when it ends without having been paid for
    Watch {
        job: String,
        /// Write the result here
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Agree with a delivered result and pay at once
    Approve { job: String },
    /// Say that a delivered result is wrong, and put in as much as the provider has locked; anyone may
    Challenge {
        job: String,
        /// What is right: a hash, or a file, which is put into the store
        #[arg(long, value_name = "HASH|FILE")]
        result: String,
    },
    /// Take back a job that nobody has accepted
    Cancel { job: String },
    /// List the bids for a job, the cheapest first
    Bids { job: String },
    /// Give a job to a bidder
    Pick {
        job: String,
        /// Address of the bid, or of the provider that made it
        bid: String,
    },
    /// Stop a job that is paid by the second, and pay the seconds reported
    Stop { job: String },
    /// Have paid what an ended job still owes; anyone may
    Pay { job: String },
    /// Have a job refunded that was not delivered in time, and its provider's bond slashed; anyone may
    Fail { job: String },
    /// Take requirements out of use
    #[command(subcommand)]
    Requirements(Requirements),
    /// Do whatever a job's time is up for: award, settle, pay, refund, resolve; anyone may
    Crank { job: String },
}

#[derive(Subcommand)]
pub enum Requirements {
    /// Let no new job name them from now on; jobs that do go on, and are judged by them
    Retire {
        /// Address, or hash among the signer's
        requirements: String,
    },
    /// Get their rent back, 300 days after they were retired; anyone may
    Close {
        /// Address, or hash among the signer's
        requirements: String,
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
                true => Some(options.signer()?.pubkey().to_string()),
                false => client,
            };
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
        Command::Stop { job } => decide::stop(options, &job).await,
        Command::Pay { job } => decide::pay(options, &job).await,
        Command::Fail { job } => decide::fail(options, &job).await,
        Command::Crank { job } => decide::crank(options, &job).await,
    }
}

async fn show(options: &Options, job: &str) -> Result<(), Failure> {
    let job = options.index().job(job).await?;
    if options.json {
        return output::json(&job);
    }
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".into());
    let when = |moment: Option<i64>| moment.map_or("-".into(), output::time);
    let mut table = output::table(["job", &job.address]);
    table.add_rows([
        ["status", &status(job.status)],
        ["client", &job.client],
        ["number", &job.id.to_string()],
        ["provider", &text(&job.provider)],
        ["mint", &job.mint],
        ["budget", &format!("{} base units", job.budget)],
        ["price", &price(&job)],
        ["bond", &format!("{} base units locked, {} bps of the price", job.exposure, job.bond_bps)],
        ["verified by", &verified(&job)],
        ["requirements", &text(&job.requirements)],
        ["challenger", &text(&job.challenger)],
        ["verdict", job.verdict.map_or("-", super::dispute::explain)],
        ["paid", &shares(&job.paid)],
        ["owed", &shares(&job.owed)],
        ["spec", &job.spec_hash],
        ["input", &job.input_hash],
        ["result", &text(&job.result_hash)],
        ["opened", &output::time(job.opened_at)],
        ["bids until", &when(job.bid_until)],
        ["accept by", &output::time(job.accept_by)],
        ["deliver by", &when(job.deliver_by)],
        ["settles after", &when(job.settle_after)],
    ]);
    println!("{table}");
    Ok(())
}

fn price(job: &Job) -> String {
    match job.pricing {
        Pricing::Fixed => format!("{} base units, {} bps of it fee", job.price, job.fee_bps),
        Pricing::PerSecond => format!(
            "{} base units for {} seconds at {}, {} bps of it fee",
            job.price, job.reported, job.rate, job.fee_bps
        ),
    }
}

fn verified(job: &Job) -> String {
    match job.verification {
        Verification::Review => "the client's review".into(),
        Verification::Quorum => format!("a quorum of {}, {} s a step", job.jurors, job.vote_window),
        Verification::Panel => format!("a panel of {}, {} s a step", job.jurors, job.vote_window),
    }
}

/// Amounts by party, without those that get nothing in most jobs.
fn shares(p: &Payout) -> String {
    let mut text = format!("{} to the provider, {} fee, {} back", p.provider, p.fee, p.client);
    if p.challenger > 0 {
        text += &format!(", {} to the challenger", p.challenger);
    }
    if p.jurors > 0 {
        text += &format!(", {} to jurors", p.jurors);
    }
    text
}

async fn list(options: &Options, filter: &[(&str, String)]) -> Result<(), Failure> {
    let page = options.index().jobs(filter).await?;
    if options.json {
        return output::json(&page);
    }
    println!("{}", jobs_table(&page.items));
    if let Some(cursor) = page.next_cursor {
        println!("more: --cursor {cursor}");
    }
    Ok(())
}

pub fn jobs_table(jobs: &[Job]) -> comfy_table::Table {
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
        table.add_row([
            j.address.clone(),
            output::short(&j.client),
            j.id.to_string(),
            status(j.status),
            j.provider.as_deref().map(output::short).unwrap_or_default(),
            j.budget.to_string(),
            j.price.to_string(),
            j.paid.provider.to_string(),
            j.paid.fee.to_string(),
            j.paid.client.to_string(),
        ]);
    }
    table
}

pub fn status(status: JobStatus) -> String {
    format!("{status:?}").to_lowercase()
}
