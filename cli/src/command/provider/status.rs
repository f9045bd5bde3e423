//! `joule provider status`: one screen of what is registered, what answers for it, what is being done and what it has brought. From
//! the chain; from the indexer what the chain has forgotten.

use super::super::bond::{claims, services, Ended, Held};
use crate::{context::Options, failure::Failure, output, view::View};
use joule_sdk::{
    billing::{constants::PROVIDER, state::Channel},
    escrow::state::{Job, JobStatus},
    pda,
    registry::state::{Provider, ProviderStatus as Registered},
    staking::state::Bond,
    Chain, Pubkey, Signer as _,
};
use joule_settings::{GpuModel, Region, Size};
use serde_json::{json, Value};
use std::collections::BTreeSet;

const MIB: u64 = 1 << 20;

/// A bond with what is held of it.
struct Backing {
    address: Pubkey,
    bond: Bond,
    claims: Vec<Held>,
    /// Base units that nobody can need any longer.
    releasable: u64,
}

/// What channels have brought in one token, in base units.
#[derive(Default)]
struct Brought {
    mint: String,
    channels: usize,
    /// Earned, by vouchers and plans that the chain has seen.
    settled: u64,
    /// Of that, not divided yet.
    unpaid: u64,
    /// Divided, and still owed to the provider because its account could not receive.
    owed: u64,
}

struct Status {
    address: Pubkey,
    provider: Provider,
    backings: Vec<Backing>,
    jobs: Vec<(Pubkey, Job)>,
    brought: Vec<Brought>,
    /// Jobs and channels that have ended, as the indexer has them; `None` where it does not answer.
    past: Option<Past>,
    now: i64,
}

struct Past {
    settled: u64,
    failed: u64,
    /// Base units, over all tokens.
    earned: u128,
    /// Base units paid to the provider out of channels, by mint.
    paid: Vec<(String, u64)>,
    mints: Vec<String>,
}

pub async fn show(options: &Options, provider: Option<Pubkey>) -> Result<(), Failure> {
    let address = match provider {
        Some(address) => address,
        None => pda::provider(&options.signer()?.pubkey()),
    };
    let status = Status::read(options, address).await?;
    let mints: Vec<String> = status.mints();
    let view = View::of(options, mints.iter().map(String::as_str)).await;
    if options.json {
        return view.json(&status.json(), None);
    }
    println!("{}", status.screen(&view));
    Ok(())
}

impl Status {
    async fn read(options: &Options, address: Pubkey) -> Result<Self, Failure> {
        let chain = options.chain()?;
        let provider: Option<Provider> = chain.find(&address).await.or_else(|error| match error {
            joule_sdk::SdkError::NotThisAccount => Ok(None),
            error => Err(error),
        })?;
        let provider = provider.ok_or_else(|| {
            Failure::NotFound(format!("{address} is no provider's address: `joule provider register` makes one"))
        })?;
        let authority = provider.authority;
        let (jobs, channels, past, now) = tokio::join!(
            chain.jobs_of(&authority),
            chain.channels_to(&authority),
            past(options, &address),
            chain.now()
        );
        let now = now?;
        let mut mints: BTreeSet<Pubkey> = options.mint().ok().into_iter().collect();
        mints.extend(past.iter().flat_map(|past| &past.mints).filter_map(|mint| mint.parse::<Pubkey>().ok()));
        let mut backings = Vec::new();
        for mint in mints {
            backings.extend(Backing::read(&chain, &authority, &mint, now).await?);
        }
        let (mut jobs, brought) = (jobs?, brought(&channels?));
        jobs.sort_by_key(|(_, job)| std::cmp::Reverse(job.accepted_at.get()));
        Ok(Self { address, provider, backings, jobs, brought, past, now })
    }

    fn mints(&self) -> Vec<String> {
        let bonds = self.backings.iter().map(|backing| backing.bond.mint.to_string());
        let jobs = self.jobs.iter().map(|(_, job)| job.mint.to_string());
        let channels = self.brought.iter().map(|brought| brought.mint.clone());
        let past = self.past.iter().flat_map(|past| past.paid.iter().map(|(mint, _)| mint.clone()));
        bonds.chain(jobs).chain(channels).chain(past).collect()
    }

    fn word(&self) -> &'static str {
        match self.provider.status {
            status if status == Registered::Active as u8 => "active",
            status if status == Registered::Paused as u8 => "paused",
            _ => "unknown",
        }
    }

    fn running(&self) -> usize {
        self.jobs.iter().filter(|(_, job)| job.status == JobStatus::Accepted as u8).count()
    }

    fn json(&self) -> Value {
        let p = &self.provider;
        json!({
            "address": self.address.to_string(),
            "authority": p.authority.to_string(),
            "payout_owner": p.payout_owner.to_string(),
            "status": self.word(),
            "capacity": p.capacity.get(),
            "attributes": {
                "gpu_model": p.gpu_model.get(),
                "gpu_count": p.gpu_count.get(),
                "vram_mib": p.vram_mib.get(),
                "cpu_cores": p.cpu_cores.get(),
                "region": p.region.get(),
                "memory_mib": p.memory_mib.get(),
                "disk_gib": p.disk_gib.get(),
                "bandwidth_mbps": p.bandwidth_mbps.get(),
            },
            "registered_at": p.registered_at.get(),
            "updated_at": p.updated_at.get(),
            "bonds": self.backings.iter().map(Backing::json).collect::<Vec<_>>(),
            "jobs": self.jobs.iter().map(|(address, job)| job_json(address, job)).collect::<Vec<_>>(),
            "jobs_running": self.running(),
            "jobs_settled": self.past.as_ref().map(|past| past.settled),
            "jobs_failed": self.past.as_ref().map(|past| past.failed),
            "revenue": self.brought.iter().map(|b| json!({
                "mint": b.mint,
                "channels": b.channels,
                "settled": b.settled.to_string(),
                "unpaid": b.unpaid.to_string(),
                "owed": b.owed.to_string(),
            })).collect::<Vec<_>>(),
            "paid_by_channels": self.past.as_ref().map(|past| past.paid.iter().map(|(mint, paid)| json!({
                "mint": mint, "paid": paid.to_string(),
            })).collect::<Vec<_>>()),
        })
    }

    fn screen(&self, view: &View) -> String {
        let mut parts = vec![self.registered(view).to_string()];
        match self.backings.is_empty() {
            true => parts.push("no bond: every job wants one, and `joule provider bond open AMOUNT` makes it".into()),
            false => parts.extend(self.backings.iter().map(|backing| backing.screen(view, self.now))),
        }
        parts.push(self.work(view).to_string());
        parts.push(self.revenue(view).to_string());
        if !self.brought.is_empty() {
            parts.push("what gateways hold in vouchers that are not settled yet, only they know".into());
        }
        parts.join("\n")
    }

    fn registered(&self, view: &View) -> comfy_table::Table {
        let p = &self.provider;
        let gpus = match p.gpu_count.get() {
            0 => "none".to_owned(),
            count => {
                let vram = Size(u64::from(p.vram_mib.get()) * MIB);
                format!("{count} {}, {vram} each", GpuModel::new(p.gpu_model.get()))
            }
        };
        let mut table = output::table(["provider", &self.address.to_string()]);
        table.add_rows([
            ["status", self.word()],
            ["authority", &p.authority.to_string()],
            ["paid to", &p.payout_owner.to_string()],
            ["capacity", &format!("{} of {} jobs are running", self.running(), p.capacity.get())],
            ["GPUs", &gpus],
            [
                "machine",
                &format!(
                    "{} cores{}{}",
                    p.cpu_cores.get(),
                    stated("memory", u64::from(p.memory_mib.get()) * MIB),
                    stated("disk", u64::from(p.disk_gib.get()) << 30)
                ),
            ],
            ["region", &Region::new(p.region.get()).to_string()],
            ["registered", &view.moment(p.registered_at.get())],
        ]);
        table
    }

    /// Jobs that are not closed.
    fn work(&self, view: &View) -> comfy_table::Table {
        let mut table = output::table(["job", "stands", "pays", "locks", "next"]);
        for (address, job) in &self.jobs {
            let mint = job.mint.to_string();
            let (stands, next) = standing(job, view);
            table.add_row([
                address.to_string(),
                stands.to_owned(),
                view.amount(&mint, job.price.get()),
                view.amount(&mint, job.exposure.get()),
                next,
            ]);
        }
        if self.jobs.is_empty() {
            table.add_row(["none under way", "", "", "", ""]);
        }
        table
    }

    fn revenue(&self, view: &View) -> comfy_table::Table {
        let mut table = output::table(["revenue", "settled", "not yet"]);
        let delivered = self.jobs.iter().filter(|(_, job)| job.status == JobStatus::Delivered as u8);
        let mut waiting = std::collections::BTreeMap::<String, u64>::new();
        for (_, job) in delivered {
            let sum = waiting.entry(job.mint.to_string()).or_default();
            *sum = sum.saturating_add(job.price.get());
        }
        let waiting: Vec<_> = waiting.iter().map(|(mint, sum)| view.amount(mint, *sum)).collect();
        table.add_row([
            "jobs".to_owned(),
            self.past.as_ref().map_or("the indexer does not answer".into(), |past| self.earned(past, view)),
            if waiting.is_empty() { "-".into() } else { format!("{} delivered, in review", waiting.join(", ")) },
        ]);
        for b in &self.brought {
            let owed = match b.owed {
                0 => String::new(),
                owed => format!(", {} owed: `joule channel claim-owed`", view.amount(&b.mint, owed)),
            };
            table.add_row([
                format!("{} open channels", b.channels),
                view.amount(&b.mint, b.settled),
                format!("{} not paid out yet{owed}", view.amount(&b.mint, b.unpaid)),
            ]);
        }
        for (mint, paid) in self.past.iter().flat_map(|past| &past.paid) {
            table.add_row(["paid out of channels".to_owned(), view.amount(mint, *paid), "-".to_owned()]);
        }
        table
    }

    /// The indexer sums over all tokens; where there is one, it is in that.
    fn earned(&self, past: &Past, view: &View) -> String {
        let mints: BTreeSet<_> = self.mints().into_iter().collect();
        let earned = match mints.first().filter(|_| mints.len() == 1) {
            Some(mint) => view.amount(mint, past.earned),
            None => format!("{} units, over all tokens", joule_settings::group(&past.earned.to_string())),
        };
        format!("{earned} by {} jobs; {} failed", past.settled, past.failed)
    }
}

impl Backing {
    async fn read(chain: &Chain, owner: &Pubkey, mint: &Pubkey, now: i64) -> Result<Option<Self>, Failure> {
        let address = pda::bond(owner, mint);
        let Some(bond) = chain.find::<Bond>(&address).await? else { return Ok(None) };
        let found = chain.claims_on(&address).await?;
        let releasable = found.iter().filter_map(|(address, claim)| Ended::of(*address, *claim, now));
        let releasable = releasable.fold(0u64, |sum, ended| sum.saturating_add(ended.amount));
        let claims = claims::explain(chain, &bond, &found).await?;
        Ok(Some(Self { address, bond, claims, releasable }))
    }

    fn json(&self) -> Value {
        let b = &self.bond;
        json!({
            "address": self.address.to_string(),
            "mint": b.mint.to_string(),
            "withdrawer": b.withdrawer.to_string(),
            "amount": b.amount.get().to_string(),
            "free": b.free().unwrap_or_default().to_string(),
            "locked": b.locked.get().to_string(),
            "unbonding": b.unbonding.get().to_string(),
            "unbonds_at": b.unbonds_at.get(),
            "releasable": self.releasable.to_string(),
            "services": services::named(b.services),
            "claims": self.claims.iter().map(Held::json).collect::<Vec<_>>(),
        })
    }

    fn screen(&self, view: &View, now: i64) -> String {
        let (b, mint) = (&self.bond, self.bond.mint.to_string());
        let amount = |units: u64| view.amount(&mint, units);
        let mut table = output::table(["bond", &self.address.to_string()]);
        let unbonding = match b.unbonding.get() {
            0 => "-".to_owned(),
            units if b.unbonds_at.get() <= now => format!("{}: `joule provider bond withdraw`", amount(units)),
            units => format!("{}, can be withdrawn from {}", amount(units), view.moment(b.unbonds_at.get())),
        };
        let releasable = match self.releasable {
            0 => "-".to_owned(),
            units => format!("{}: `joule provider bond release`", amount(units)),
        };
        table.add_rows([
            ["amount", &amount(b.amount.get())],
            ["free", &amount(b.free().unwrap_or_default())],
            ["locked", &amount(b.locked.get())],
            ["can be released", &releasable],
            ["on its way out", &unbonding],
            ["may be locked by", &services::named(b.services).join(", ")],
        ]);
        match self.claims.is_empty() {
            true => table.to_string(),
            false => format!("{table}\n{}", claims::table(&self.claims, &mint, view)),
        }
    }
}

/// What is not stated is left out.
fn stated(what: &str, bytes: u64) -> String {
    if bytes == 0 {
        return String::new();
    }
    format!(", {} {what}", Size(bytes))
}

async fn past(options: &Options, address: &Pubkey) -> Option<Past> {
    let (index, address) = (options.index(), address.to_string());
    let provider = index.provider(&address).await.ok()?;
    let filter = [("provider", address), ("limit", "100".to_owned())];
    let channels = index.channels(&filter).await.map(|page| page.items).unwrap_or_default();
    let mut paid = std::collections::BTreeMap::<String, u64>::new();
    for channel in channels.iter().filter(|channel| channel.paid_out.provider > 0) {
        let sum = paid.entry(channel.mint.clone()).or_default();
        *sum = sum.saturating_add(channel.paid_out.provider);
    }
    Some(Past {
        settled: provider.jobs_settled,
        failed: provider.jobs_failed,
        earned: provider.earned,
        paid: paid.into_iter().collect(),
        mints: provider.bonds.into_iter().map(|bond| bond.mint).collect(),
    })
}

fn brought(channels: &[(Pubkey, Channel)]) -> Vec<Brought> {
    let mut all = std::collections::BTreeMap::<String, Brought>::new();
    for (_, c) in channels {
        let mint = c.mint.to_string();
        let earned = c.settled.get().saturating_add(c.accrued.get());
        let sum = all.entry(mint.clone()).or_insert_with(|| Brought { mint, ..Brought::default() });
        sum.channels += 1;
        sum.settled = sum.settled.saturating_add(earned);
        sum.unpaid = sum.unpaid.saturating_add(earned.saturating_sub(c.collected.get()));
        sum.owed = sum.owed.saturating_add(c.owed[PROVIDER].get());
    }
    all.into_values().collect()
}

/// Where a job stands, and what it waits for until when.
fn standing(job: &Job, view: &View) -> (&'static str, String) {
    match job.status() {
        Ok(JobStatus::Open) => ("open", format!("accept by {}", view.moment(job.accept_by.get()))),
        Ok(JobStatus::Accepted) => ("accepted", format!("deliver by {}", view.moment(job.deliver_by.get()))),
        Ok(JobStatus::Delivered) => ("delivered", format!("pays after {}", view.moment(job.settle_after.get()))),
        Ok(JobStatus::Challenged) => ("challenged", "`joule dispute show`".to_owned()),
        Ok(JobStatus::Settled) => ("settled", "owes something: `joule job pay`".to_owned()),
        Ok(JobStatus::Refunded) => ("refunded", "owes something: `joule job pay`".to_owned()),
        Err(_) => ("unknown", String::new()),
    }
}

fn job_json(address: &Pubkey, job: &Job) -> Value {
    let status = match job.status() {
        Ok(JobStatus::Open) => "open",
        Ok(JobStatus::Accepted) => "accepted",
        Ok(JobStatus::Delivered) => "delivered",
        Ok(JobStatus::Challenged) => "challenged",
        Ok(JobStatus::Settled) => "settled",
        Ok(JobStatus::Refunded) => "refunded",
        Err(_) => "unknown",
    };
    json!({
        "address": address.to_string(),
        "mint": job.mint.to_string(),
        "status": status,
        "price": job.price.get().to_string(),
        "exposure": job.exposure.get().to_string(),
        "deliver_by": job.deliver_by.get(),
        "settle_after": job.settle_after.get(),
    })
}
