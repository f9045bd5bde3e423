//! `joule channel`: what requests are paid through: open it, look at it, end it.

mod dispute;
mod double;
mod end;
mod evidence;
mod open;
mod owed;
mod place;
mod plan;

use crate::{
    context::{address, Options},
    failure::Failure,
    output::{self, word},
    view::View,
};
use clap::{Subcommand, ValueEnum};
use joule_api::{Against, Channel, ChannelWithPlan};
use joule_sdk::Pubkey;

pub use end::{end, Ended};
pub use open::{Terms, Wanted};
pub use place::Own;

#[derive(Subcommand)]
pub enum Command {
    /// List channels, newest first
    List {
        #[arg(long)]
        status: Option<Status>,
        /// Only channels of this deposit: the address of a `Payer`
        #[arg(long, value_name = "ADDRESS", value_parser = address)]
        payer: Option<Pubkey>,
        /// Only channels to this provider
        #[arg(long, value_name = "ADDRESS", value_parser = address)]
        provider: Option<Pubkey>,
        /// Only channels to this model
        #[arg(long, value_name = "ADDRESS", value_parser = address)]
        model: Option<Pubkey>,
        /// Only channels in which this party was proven wrong about a bill
        #[arg(long)]
        lost_by: Option<LostBy>,
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// Go on after an earlier page
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Show one channel, its plan, and its newest payments
    Show {
        #[arg(value_parser = address)]
        channel: Pubkey,
    },
    /// Reserve money for requests to a model that a provider runs; `joule pay` does it by itself
    Open(open::Open),
    /// Reserve more
    TopUp(open::TopUp),
    /// Give notice; once it has passed, take back what was not spent
    Close {
        #[arg(value_parser = address)]
        channel: Pubkey,
    },
    /// Pay into the signer's deposit, out of which channels and plans are paid
    Deposit(open::Deposit),
    /// Take back what is free of the signer's deposit
    Reclaim(end::Reclaim),
    /// Prove on chain that the provider has asked for more than its prices: what it has locked is slashed
    Dispute(dispute::Args),
    /// Get the rent of a dispute's lookup table back: gives it up, and closes it when run again some minutes later
    ReclaimTable {
        #[arg(value_parser = address)]
        table: Pubkey,
    },
    /// Prove on chain that the payer has promised two things under one number: what is left of the channel is the provider's
    DisputePayer(double::Args),
    /// Take what the signer is owed of a channel and could not be paid: as the provider, or as somebody whom its prices name
    ClaimOwed(owed::Args),
    /// Pay a provider by the second, beside or instead of requests
    #[command(subcommand)]
    Plan(plan::Command),
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Status {
    Open,
    Closing,
    Closed,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum LostBy {
    Provider,
    Payer,
}

/// A value as it is written.
fn name(value: &impl ValueEnum) -> Option<String> {
    Some(value.to_possible_value()?.get_name().to_owned())
}

pub async fn run(options: &Options, command: Command) -> Result<(), Failure> {
    match command {
        Command::List { status, payer, provider, model, lost_by, limit, cursor } => {
            let mut filter = vec![("limit", limit.to_string())];
            filter.extend(status.as_ref().and_then(name).map(|status| ("status", status)));
            filter.extend(lost_by.as_ref().and_then(name).map(|who| ("lost_by", who)));
            filter.extend(payer.map(|address| ("payer", address.to_string())));
            filter.extend(provider.map(|address| ("provider", address.to_string())));
            filter.extend(model.map(|address| ("model", address.to_string())));
            filter.extend(cursor.map(|cursor| ("cursor", cursor)));
            list(options, &filter).await
        }
        Command::Show { channel } => {
            let found = options.index().channel(&channel.to_string()).await?;
            let view = View::of(options, [found.channel.mint.as_str()]).await;
            if options.json {
                return view.json(&found, Some(&found.channel.mint));
            }
            println!("{}", table(&found, &view));
            Ok(())
        }
        Command::Open(args) => open::open(options, args).await,
        Command::TopUp(args) => open::top_up(options, args).await,
        Command::Deposit(args) => open::pay_in(options, args).await,
        Command::Close { channel } => end::close(options, &channel).await,
        Command::Reclaim(args) => end::reclaim(options, args).await,
        Command::ReclaimTable { table } => dispute::reclaim_table(options, &table).await,
        Command::Dispute(args) => dispute::dispute(options, &args).await,
        Command::DisputePayer(args) => double::dispute(options, &args).await,
        Command::ClaimOwed(args) => owed::claim(options, &args).await,
        Command::Plan(command) => plan::run(options, command).await,
    }
}

async fn list(options: &Options, filter: &[(&str, String)]) -> Result<(), Failure> {
    let page = options.index().channels(filter).await?;
    let view = View::of(options, page.items.iter().map(|channel| channel.mint.as_str())).await;
    if options.json {
        return view.json(&page, None);
    }
    let mut table = output::table(["channel", "status", "model", "provider", "requests", "settled", "cap", "paid out"]);
    for c in &page.items {
        table.add_row([
            c.address.clone(),
            word(&c.status),
            output::short(&c.model),
            output::short(&c.provider),
            c.requests.to_string(),
            view.amount(&c.mint, c.settled),
            view.amount(&c.mint, c.cap),
            view.amount(&c.mint, paid_out(c)),
        ]);
    }
    println!("{table}");
    if let Some(cursor) = page.next_cursor {
        println!("more: --cursor {cursor}");
    }
    Ok(())
}

fn paid_out(c: &Channel) -> u128 {
    [c.paid_out.shares, c.paid_out.fee, c.paid_out.provider].into_iter().map(u128::from).sum()
}

/// A channel, its plan and its payments, for people.
fn table(ChannelWithPlan { channel: c, plan, distributions }: &ChannelWithPlan, view: &View) -> String {
    let amount = |units: u64| view.amount(&c.mint, units);
    let owed: u128 = c.owed.iter().map(|owed| u128::from(owed.amount)).sum();
    let mut facts = output::table(["channel", &c.address]);
    facts.add_rows([
        ["status", &word(&c.status)],
        ["owner", &c.owner],
        ["provider", &c.provider],
        ["model", &c.model],
        ["token", &c.mint],
        ["requests", &format!("{}, {} tokens, images and seconds", c.requests, c.units)],
        ["settled by vouchers", &amount(c.settled)],
        ["made by plans", &amount(c.accrued)],
        ["cap", &amount(c.cap)],
        ["paid to sharers", &amount(c.paid_out.shares)],
        ["paid in fees", &amount(c.paid_out.fee)],
        ["paid to the provider", &amount(c.paid_out.provider)],
        ["owed", &view.amount(&c.mint, owed)],
        ["signs vouchers", &c.session.signer],
        ["until", &view.moment(c.session.expires_at)],
        ["opened", &view.moment(c.opened_at)],
        ["closes", &view.when(c.closes_at)],
    ]);
    if let Some(dispute) = &c.dispute {
        let against = match dispute.against {
            Against::Provider => "the provider has overcharged",
            Against::Payer => "the payer has contradicted itself",
            Against::Both => "the provider has overcharged, and the payer has contradicted itself",
        };
        facts.add_row(["dispute", against]);
    }
    let mut all = facts.to_string();
    if let Some(plan) = plan {
        let mut table = output::table(["plan", "status", "a second", "lockup", "settled until", "ends"]);
        table.add_row([
            output::short(&plan.address),
            word(&plan.status),
            amount(plan.rate),
            amount(plan.lockup),
            view.moment(plan.settled_until),
            view.when(plan.ends_at),
        ]);
        all.push_str(&format!("\n{table}"));
    }
    if !distributions.is_empty() {
        let mut table = output::table(["paid at", "sharers", "fee", "provider", "transaction"]);
        for d in distributions {
            table.add_row([
                view.moment(d.at),
                amount(d.paid.shares),
                amount(d.paid.fee),
                amount(d.paid.provider),
                output::short(&d.signature),
            ]);
        }
        all.push_str(&format!("\n{table}"));
    }
    all
}
