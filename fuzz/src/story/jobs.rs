//! Jobs, as the escrow tells of them.

use super::{Called, Locked, Story};
use crate::{
    check::Violation,
    model::{is_decided, penalty, Entry, Model, Parts, ESCROW},
};
use bytemuck::Zeroable;
use joule_sdk::{
    escrow,
    escrow::{
        event::{AnyEvent as Escrow, JobOpened, JobRefunded, JobSettled},
        state::{Job, JobStatus},
    },
    staking::constants::DISCOUNT_LOCK,
    Pubkey,
};

/// Where the arguments of `open` name the most that a second may cost.
const MAX_RATE: usize = 8 + 8 + 64 + 5 * 4 + 2 + 3;

/// What a payment says: what was paid, and what is owed still, in base units.
pub struct Payment {
    pub paid: Parts,
    pub owed: Parts,
    pub closed: bool,
}

impl Payment {
    /// Provider, fee, challenger and client.
    pub fn new(paid: [u64; 4], owed: [u64; 4], closed: bool) -> Self {
        let parts = |of: [u64; 4]| {
            let [provider, fee, challenger, client] = of.map(u128::from);
            Parts { provider, fee, challenger, client, jurors: 0 }
        };
        Self { paid: parts(paid), owed: parts(owed), closed }
    }
}

impl Story {
    /// False when the event is about something else.
    pub(super) fn job(&mut self, model: &mut Model, event: Escrow, called: &Called) -> Result<bool, Violation> {
        match event {
            Escrow::JobOpened(e) => self.opened(model, &e, called)?,
            Escrow::BidPlaced(e) => self.bid_placed(model, &e, called)?,
            Escrow::BidWithdrawn(e) => self.bid_withdrawn(model, &e)?,
            Escrow::JobAccepted(e) => self.accepted(model, &e, called)?,
            Escrow::WorkReported(e) => {
                let job = &mut live(model, &e.job)?.job;
                called.signed_by(&job.provider_authority)?;
                let elapsed = called.now - job.accepted_at.get();
                let fits = job.status == JobStatus::Accepted as u8
                    && job.pricing == 1
                    && called.now <= job.deliver_by.get()
                    && e.seconds >= job.reported
                    && e.seconds.get() as i64 <= elapsed;
                Violation::unless(fits, "seconds reported that cannot have been worked")?;
                job.reported = e.seconds;
            }
            Escrow::JobDelivered(e) => {
                let entry = live(model, &e.job)?;
                called.signed_by(&entry.job.provider_authority)?;
                let is_time = called.now <= entry.job.deliver_by.get();
                Violation::unless(entry.job.status == JobStatus::Accepted as u8 && is_time, "delivered out of time")?;
                entry.meter();
                let job = &mut entry.job;
                job.result_hash = e.result_hash;
                job.settle_after = (called.now + job.review_window.get() as i64).into();
                job.status = JobStatus::Delivered as u8;
            }
            Escrow::JobRedirected(e) => {
                called.signed_by(&e.by)?;
                redirect(&mut live(model, &e.job)?.job, &e.by, e.account)?;
            }
            Escrow::JobSettled(e) => self.settled(model, &e, called)?,
            Escrow::JobRefunded(e) => self.refunded(model, &e, called)?,
            Escrow::JobPaid(e) => {
                Violation::unless(is_decided(&live(model, &e.job)?.job), "paid before it is decided")?;
                let paid = [e.paid_provider, e.paid_fee, e.paid_challenger, e.paid_client].map(|part| part.get());
                let owed = [e.owed_provider, e.owed_fee, e.owed_challenger, e.owed_client].map(|part| part.get());
                model.mark("debt paid later");
                self.pay(model, &e.job, Payment::new(paid, owed, e.closed == 1), called)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn opened(&mut self, model: &mut Model, e: &JobOpened, called: &Called) -> Result<(), Violation> {
        called.signed_by(&e.client)?;
        require_running(model, called)?;
        let is_retired = model.retired.contains_key(&e.requirements);
        Violation::unless(!is_retired, "a job that names requirements which were retired")?;
        let (source, vault, payer) = (called.account("source")?, called.account("vault")?, called.account("payer")?);
        self.gain(source, -(e.budget.get() as i128));
        self.gain(vault, e.budget.get() as i128);
        for account in [e.job, vault, called.account("client_account")?] {
            self.rents.push((account, payer));
        }
        let next = model.next_id.entry(e.client).or_default();
        Violation::unless(*next == e.id.get(), "a job's id is not the client's next one")?;
        *next += 1;
        let fee_bps = fee(model, e, called)?;
        Violation::unless(fee_bps == e.fee_bps.get(), "a fee that is neither the protocol's nor a staker's")?;
        let stated = e.max_rate.get() == u64::from_le_bytes(called.argument::<8>(MAX_RATE)?);
        Violation::unless(stated, "another rate than the client asked for")?;
        Violation::unless(
            (e.max_rate.get() > 0) == (e.pricing == 1),
            "a rate for a job that has none, or none for one",
        )?;
        let fee_vault = model.fees.get(&e.mint).map(|fees| fees.vault);
        let job = Job {
            client: e.client,
            refund: called.account("refund")?,
            fee_vault: fee_vault.ok_or_else(|| Violation::new("a job in no token of ours"))?,
            mint: e.mint,
            vault,
            rent_payer: payer,
            requirements: e.requirements,
            spec_hash: e.spec_hash,
            input_hash: e.input_hash,
            id: e.id,
            budget: e.budget,
            opened_at: called.now.into(),
            accept_by: e.accept_by,
            bid_until: e.bid_until,
            work_window: e.work_window,
            review_window: e.review_window,
            vote_window: e.vote_window,
            bond_bps: e.bond_bps,
            fee_bps: e.fee_bps,
            status: JobStatus::Open as u8,
            verification: e.verification,
            pricing: e.pricing,
            jurors: e.jurors,
            max_rate: e.max_rate,
            ..Job::zeroed()
        };
        let (none, address) = (Parts::default(), e.job);
        model.open(Entry { address, job, gifts: 0, deposits: 0, slashed: 0, late: 0, due: none, paid: none });
        Ok(())
    }

    fn settled(&mut self, model: &mut Model, e: &JobSettled, called: &Called) -> Result<(), Violation> {
        let entry = live(model, &e.job)?;
        let is_stopped = called.name == "stop";
        let wanted = if is_stopped { JobStatus::Accepted } else { JobStatus::Delivered };
        Violation::unless(entry.job.status == wanted as u8, "settled in a state in which nothing is earned")?;
        match e.approved {
            1 => called.signed_by(&entry.job.client)?,
            _ => {
                let is_over = called.now >= entry.job.settle_after.get();
                Violation::unless(is_over, "settled while the review window was open")?
            }
        }
        if is_stopped {
            let agreed = u32::from_le_bytes(called.argument::<4>(0)?);
            let may = entry.job.pricing == 1 && entry.job.reported.get() <= agreed;
            Violation::unless(may, "stopped although the price is fixed, or for more seconds than was agreed")?;
            entry.meter();
        }
        entry.earn();
        entry.job.status = JobStatus::Settled as u8;
        let (claim, price) = (entry.job.claim, entry.job.price.get());
        self.expect_released(model, &claim, price)?;
        model.mark(if is_stopped { "stopped" } else { "settled" });
        let paid = [e.paid_provider.get(), e.paid_fee.get(), 0, e.paid_client.get()];
        let owed = [e.owed_provider.get(), e.owed_fee.get(), 0, e.owed_client.get()];
        self.pay(model, &e.job, Payment::new(paid, owed, e.closed == 1), called)
    }

    fn refunded(&mut self, model: &mut Model, e: &JobRefunded, called: &Called) -> Result<(), Violation> {
        let job = live(model, &e.job)?.job;
        let is_open = job.status == JobStatus::Open as u8;
        let is_accepted = job.status == JobStatus::Accepted as u8;
        let may = match e.reason {
            0 => called.signed_by(&job.client).map(|()| is_open)?,
            1 => is_open && called.now > job.accept_by.get(),
            2 => is_accepted && called.now > job.deliver_by.get(),
            _ => false,
        };
        Violation::unless(may, "refunded in a state or at a time in which it must not be")?;
        let mut slashed = 0;
        if e.reason == 2 {
            slashed = self.take_slashed(model, &job.claim, job.exposure.get(), &job.vault)? as u128;
            model.mark(if slashed > 0 { "failed, slashed" } else { "failed, claim lapsed" });
        }
        Violation::unless(slashed == e.slashed.get() as u128, "a refund that says something else was slashed")?;
        let entry = live(model, &e.job)?;
        entry.slashed += slashed;
        entry.due.fee = penalty(slashed);
        entry.job.status = JobStatus::Refunded as u8;
        let paid = [0, e.paid_fee.get(), 0, e.paid_client.get()];
        let owed = [0, e.owed_fee.get(), 0, e.owed_client.get()];
        self.pay(model, &e.job, Payment::new(paid, owed, e.closed == 1), called)
    }

    /// A payment out of a job's vault to provider, protocol, challenger and client, into the accounts that the job names.
    pub(super) fn pay(
        &mut self,
        model: &mut Model,
        job: &Pubkey,
        payment: Payment,
        called: &Called,
    ) -> Result<(), Violation> {
        let Payment { paid, owed, closed } = payment;
        let entry = live(model, job)?;
        Violation::unless(called.account("vault")? == entry.job.vault, "a payment out of another job's vault")?;
        entry.paid.provider += paid.provider;
        entry.paid.fee += paid.fee;
        entry.paid.challenger += paid.challenger;
        entry.paid.client += paid.client;
        entry.late = 0;
        entry.job.owed_provider = (owed.provider as u64).into();
        entry.job.owed_fee = (owed.fee as u64).into();
        entry.job.owed_challenger = (owed.challenger as u64).into();
        entry.job.owed_client = (owed.client as u64).into();
        let sum = paid.provider + paid.fee + paid.challenger + paid.client;
        let of = entry.job;
        if paid.provider > 0 {
            self.payouts.push((of.payout, of.payout_owner));
        }
        if closed {
            self.rents.extend([(entry.address, of.rent_payer), (of.vault, of.rent_payer)]);
        }
        self.gain(of.vault, -(sum as i128));
        let is_in_debt = owed != Parts::default();
        if closed {
            self.closed.extend(model.close(job));
        } else if is_in_debt {
            model.mark("left a debt");
        }
        let named = [
            ("payout", of.payout, paid.provider),
            ("fee_vault", of.fee_vault, paid.fee),
            ("challenger", of.challenger_account, paid.challenger),
            ("refund", of.refund, paid.client),
        ];
        let all_owed = [owed.provider, owed.fee, owed.challenger, owed.client];
        // Only a later payment, and the end of work that is paid by the second, leave out whoever goes by another name.
        let is_exact = !["pay", "stop"].contains(&called.name);
        for ((name, account, amount), owed) in named.into_iter().zip(all_owed) {
            if is_exact && owed > 0 {
                Violation::unless(called.account(name)? == account, "a debt made by naming somebody else")?;
            }
            if amount > 0 {
                let is_named = called.account(name)? == account;
                Violation::unless(is_named, "a payment into an account that the job does not name")?;
                self.give(model, account, amount as u64);
            }
        }
        Ok(())
    }
}

/// What the escrow charges: the protocol's fee, less what a stake of the client's own takes off.
fn fee(model: &Model, e: &JobOpened, called: &Called) -> Result<u16, Violation> {
    let fee = model.governed.services[ESCROW].fee_bps;
    let stake = called.account("stake")?;
    if stake == escrow::ID || called.account("pool")? == escrow::ID {
        return Ok(fee);
    }
    let pool = model.pools.get(&called.account("pool")?);
    let share = pool.and_then(|pool| Some((pool, pool.stakes.get(&stake)?)));
    let (pool, share) = share.ok_or_else(|| Violation::new("a discount for a stake that nobody has"))?;
    Violation::unless(share.owner == e.client, "a discount for somebody else's stake")?;
    let discount = if share.lock_end >= called.now + DISCOUNT_LOCK as i64 { pool.discount(share.weight) } else { 0 };
    Ok(fee - (fee as u32 * discount as u32 / 10_000) as u16)
}

/// Whoever is owed something names another account; the client and the payout owner also as long as nothing is delivered,
/// and the client as long as the job is there.
fn redirect(job: &mut Job, by: &Pubkey, account: Pubkey) -> Result<(), Violation> {
    let is_early = job.status == JobStatus::Open as u8 || job.status == JobStatus::Accepted as u8;
    let may = |is_they: bool, owed: u64| is_they && (is_early || is_decided(job) && owed > 0);
    // Something may still come in for the client.
    let refund = *by == job.client && (is_early || is_decided(job));
    let payout = may(*by == job.payout_owner, job.owed_provider.get());
    let challenger = !is_early && may(*by == job.challenger, job.owed_challenger.get());
    Violation::unless(refund || payout || challenger, "redirected by a stranger")?;
    if refund {
        job.refund = account;
    }
    if payout {
        job.payout = account;
    }
    if challenger {
        job.challenger_account = account;
    }
    Ok(())
}

pub(super) fn require_running(model: &Model, called: &Called) -> Result<(), Violation> {
    require_unpaused(model, ESCROW, called)
}

pub(super) fn require_unpaused(model: &Model, service: usize, called: &Called) -> Result<(), Violation> {
    let is_running = called.now >= model.governed.services[service].paused_until;
    Violation::unless(is_running, "new work in a service that is paused")
}

/// A provider that is registered and has signed.
pub(super) fn enrolled<'a>(
    model: &'a Model,
    provider: &Pubkey,
    called: &Called,
) -> Result<&'a crate::model::Enrolled, Violation> {
    let found = model.providers.get(provider);
    let found = found.ok_or_else(|| Violation::new("taken by somebody who is not enrolled"))?;
    called.signed_by(&found.authority)?;
    Ok(found)
}

/// Before anything was locked, the bond had free what the job's client demands of one.
pub(super) fn require_backed(model: &mut Model, requirements: &Pubkey, locked: &Locked) -> Result<(), Violation> {
    let wanted = model.min_bonds.get(requirements).copied().unwrap_or_default();
    if wanted > 0 {
        model.mark("bond as large as demanded");
    }
    Violation::unless(locked.free >= wanted, "taken with a smaller bond than is demanded")
}

pub(super) fn live<'a>(model: &'a mut Model, job: &Pubkey) -> Result<&'a mut Entry, Violation> {
    model.jobs.get_mut(job).ok_or_else(|| Violation::new("an event about a job that is not open"))
}
