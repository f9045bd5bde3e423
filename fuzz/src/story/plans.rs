//! Plans, as the billing program tells of them.

use super::{
    jobs::require_unpaused,
    payers::{both, keep},
    Called, Story,
};
use crate::{
    check::Violation,
    model::{Flow, Model, Tab, Thing, Wallet, BILLING},
};
use bytemuck::Zeroable;
use joule_sdk::{
    billing::{
        event::{PlanPaused, PlanResumed, PlanSettled, PlanStarted, PlanTerminated},
        state::{Plan, PlanStatus},
    },
    Pubkey,
};

/// A plan's notice is at most 90 days, in seconds.
const MOST: u32 = 90 * 24 * 60 * 60;

impl Story {
    pub(super) fn plan_started(
        &mut self,
        model: &mut Model,
        e: &PlanStarted,
        called: &Called,
    ) -> Result<(), Violation> {
        require_unpaused(model, BILLING, called)?;
        let (mut wallet, mut tab) = both(model, &e.channel)?;
        called.signed_by(&wallet.payer.owner)?;
        let (rate, period) = (e.rate.get(), e.period.get());
        let may = tab.closed_at.is_none() && rate > 0 && (1..=MOST).contains(&period);
        Violation::unless(may, "a plan on a channel that ends, or for nothing")?;
        let lockup = rate as u128 * period as u128;
        Violation::unless(e.lockup.get() as u128 == lockup, "a plan with another lockup than its notice costs")?;
        speed_up(&mut wallet, rate, called.now)?;
        wallet.reserve(e.lockup.get())?;
        tab.channel.has_plan = 1;
        let rent_payer = called.account("rent_payer")?;
        let plan = Plan {
            channel: e.channel,
            payer: tab.channel.payer,
            rent_payer,
            rate: e.rate,
            lockup: e.lockup,
            started_at: called.now.into(),
            settled_until: called.now.into(),
            period: e.period,
            status: PlanStatus::Running as u8,
            ..Plan::zeroed()
        };
        let flow = Flow { address: e.plan, plan, made: 0, since: Some(called.now), ran: 0, has_notice: false };
        self.rents.push((e.plan, rent_payer));
        model.name([e.plan], Thing::Tab(e.channel));
        keep(model, wallet, tab);
        let is_first = model.flows.insert(e.channel, flow).is_none();
        Violation::unless(is_first, "a second plan on one channel")
    }

    pub(super) fn plan_paused(&mut self, model: &mut Model, e: &PlanPaused, called: &Called) -> Result<(), Violation> {
        let (mut wallet, mut tab, mut flow) = all(model, &e.channel)?;
        called.signed_by(&tab.channel.authority)?;
        let may = flow.is_running() && !tab.is_closed(called.now);
        Violation::unless(may, "a plan was paused that does not run")?;
        let (amount, _) = flow.settle(&mut wallet, &mut tab, called.now)?;
        Violation::unless(amount == e.amount.get(), "a plan has made something else than was told")?;
        flow.stop(&mut wallet)?;
        flow.rest(called.now);
        flow.plan.status = PlanStatus::Paused as u8;
        self.carry_on(model, wallet, tab, flow, false, called)
    }

    pub(super) fn plan_resumed(
        &mut self,
        model: &mut Model,
        e: &PlanResumed,
        called: &Called,
    ) -> Result<(), Violation> {
        require_unpaused(model, BILLING, called)?;
        let (mut wallet, tab, mut flow) = all(model, &e.channel)?;
        called.signed_by(&wallet.payer.owner)?;
        let may = flow.is_paused() && tab.closed_at.is_none();
        Violation::unless(may, "a plan was resumed that was not paused, or on a channel that ends")?;
        speed_up(&mut wallet, flow.plan.rate.get(), called.now)?;
        flow.plan.settled_until = called.now.into();
        flow.plan.status = PlanStatus::Running as u8;
        flow.since = Some(called.now);
        model.mark("plan resumed");
        self.carry_on(model, wallet, tab, flow, false, called)
    }

    pub(super) fn plan_terminated(
        &mut self,
        model: &mut Model,
        e: &PlanTerminated,
        called: &Called,
    ) -> Result<(), Violation> {
        let (mut wallet, mut tab, mut flow) = all(model, &e.channel)?;
        called.signed_by(&e.by)?;
        let is_owner = e.by == tab.channel.owner;
        let may = (is_owner || e.by == tab.channel.authority) && flow.plan.status != PlanStatus::Terminated as u8;
        Violation::unless(may, "a plan was ended by a stranger, or twice")?;
        let was_paused = flow.is_paused();
        let (mut amount, mut is_over) = flow.settle(&mut wallet, &mut tab, called.now)?;
        if !is_over && was_paused {
            flow.end(&mut wallet, &mut tab)?;
            is_over = true;
        } else if !is_over {
            flow.stop(&mut wallet)?;
            flow.rest(called.now);
            // An owner pays its notice from where its deposit got to; a provider that leaves has none.
            let notice = flow.plan.settled_until.get() + flow.plan.period.get() as i64;
            flow.plan.ends_at = if is_owner { notice } else { notice.min(called.now) }.into();
            flow.has_notice = is_owner;
            flow.plan.status = PlanStatus::Terminated as u8;
            let (late, ends) = flow.settle(&mut wallet, &mut tab, called.now)?;
            (amount, is_over) = (amount + late, ends);
        }
        let told = (e.amount.get(), e.ends_at.get(), e.closed) == (amount, flow.plan.ends_at.get(), is_over as u8);
        Violation::unless(told, "a plan has ended in another way than was told")?;
        model.mark(if is_owner { "plan ended by the owner" } else { "plan ended by the provider" });
        self.carry_on(model, wallet, tab, flow, is_over, called)
    }

    pub(super) fn plan_settled(
        &mut self,
        model: &mut Model,
        e: &PlanSettled,
        called: &Called,
    ) -> Result<(), Violation> {
        let (mut wallet, mut tab, mut flow) = all(model, &e.channel)?;
        let had_notice = flow.has_notice;
        let (amount, is_over) = flow.settle(&mut wallet, &mut tab, called.now)?;
        let told = (e.amount.get(), e.settled_until, e.closed) == (amount, flow.plan.settled_until, is_over as u8);
        Violation::unless(told, "a plan has made something else than was told")?;
        if flow.is_running() && wallet.payer.synced_at.get() < called.now {
            model.mark("plan in arrears");
        }
        if is_over && had_notice {
            model.mark("notice paid");
        }
        self.carry_on(model, wallet, tab, flow, is_over, called)
    }

    /// Keeps what has changed, or lets go of a plan that is over.
    fn carry_on(
        &mut self,
        model: &mut Model,
        wallet: Wallet,
        tab: Tab,
        flow: Flow,
        is_over: bool,
        called: &Called,
    ) -> Result<(), Violation> {
        flow.sound(called.now)?;
        keep(model, wallet, tab);
        if is_over {
            self.rents.push((flow.address, flow.plan.rent_payer));
            model.flows.remove(&tab.address);
            model.forget([flow.address]);
        } else {
            model.flows.insert(tab.address, flow);
        }
        Ok(())
    }
}

/// A plan starts only where all of them are paid for up to now.
fn speed_up(wallet: &mut Wallet, rate: u64, now: i64) -> Result<(), Violation> {
    wallet.sync(now);
    Violation::unless(wallet.payer.synced_at.get() == now, "a plan has started that nobody can pay for")?;
    wallet.change_rate(rate as i128)
}

fn all(model: &mut Model, channel: &Pubkey) -> Result<(Wallet, Tab, Flow), Violation> {
    let (wallet, tab) = both(model, channel)?;
    let flow = model.flows.get(channel).copied();
    Ok((wallet, tab, flow.ok_or_else(|| Violation::new("an event about a plan that is not there"))?))
}
