//! One provider, as the program will look at it when it takes a job.

use crate::{
    decode::{event::attestations, State},
    query::{JobFilter, PageRequest, View},
    store::Result,
    types::Address,
};
use anchor_lang::prelude::{Address as Key, ProgramError};
use joule_api::{Bond, Job, JobStatus, OpenJob, Pricing, Provider, ProviderStatus};
use joule_escrow::math;
use joule_registry::{
    error::RegistryError as E,
    state::{Attestations, Provider as Registered, Requirements},
};
use joule_treasury::state::Service;
use joule_units::{split, Amount, Bps};
use std::collections::HashMap;

pub struct Candidate<'a> {
    view: &'a View,
    provider: &'a Provider,
    address: Address,
    /// Its account, while it lives.
    registered: Option<Registered>,
    attestations: Option<Attestations>,
    /// Jobs it can still take.
    places: u64,
    now: i64,
    /// What jobs demand, as far as it was looked up.
    requirements: HashMap<Address, Option<Requirements>>,
}

impl<'a> Candidate<'a> {
    pub fn new(view: &'a View, provider: &'a Provider, now: i64) -> Result<Self> {
        let address = provider.address.parse().unwrap_or(Address::SYSTEM);
        let authority: Address = provider.authority.parse().unwrap_or(Address::SYSTEM);
        let registered = match alive(view, &address)? {
            Some(State::Provider(state)) => Some(state),
            _ => None,
        };
        let attestations = match alive(view, &Address::from(&attestations(&key(&authority))))? {
            Some(State::Attestations(state)) => Some(state),
            _ => None,
        };
        let places = u64::from(provider.capacity).saturating_sub(running(view, provider, &address)?);
        Ok(Self { view, provider, address, registered, attestations, places, now, requirements: HashMap::new() })
    }

    /// Whether it can take nothing at all.
    pub fn is_out(&self) -> bool {
        self.provider.status != ProviderStatus::Active || self.registered.is_none() || self.places == 0
    }

    /// The job as an offer to it, or every rule that it fails by.
    pub fn judge(&mut self, job: &Job) -> Result<std::result::Result<OpenJob, Vec<String>>> {
        let mut refusals = self.standing();
        let deadline = job.bid_until.unwrap_or(job.accept_by);
        if deadline < self.now {
            refusals.push(match job.bid_until {
                Some(_) => format!("its bids ended {} s ago", self.now - deadline),
                None => format!("it could be accepted until {} s ago", self.now - deadline),
            });
        }
        let bond = self.provider.bonds.iter().find(|bond| bond.mint == job.mint);
        let exposure = exposure(job);
        match (bond, exposure) {
            (_, None) => refusals.push(format!("its budget of {} cannot be backed by any bond", job.budget)),
            (None, _) => refusals.push(format!("the provider has no bond in the job's token {}", job.mint)),
            (Some(bond), _) if !bond.services.contains(&(Service::Escrow as u8)) => refusals.push(format!(
                "the provider's bond {} does not let the escrow lock it: `joule provider bond services`",
                bond.address
            )),
            (Some(bond), Some(exposure)) if exposure > lockable(bond) => refusals.push(format!(
                "{exposure} base units of the bond would be locked at the full budget, and {} can be",
                lockable(bond)
            )),
            _ => {}
        }
        let demands = match &job.requirements {
            None => "asks nothing more of its provider".to_owned(),
            Some(requirements) => {
                refusals.extend(self.unmet(requirements, bond)?);
                format!("the provider meets the requirements {requirements}")
            }
        };
        let pay = pay(job);
        if pay.is_none() {
            refusals.push(format!("its fee of {} bps cannot be", job.fee_bps));
        }
        let (Some(pay), Some(exposure), Some(bond), true) = (pay, exposure, bond, refusals.is_empty()) else {
            return Ok(Err(refusals));
        };
        let seconds_left = deadline - self.now;
        let mut reasons = vec![
            format!("pays {pay} base units at its full budget of {}, after a fee of {} bps", job.budget, job.fee_bps),
            match job.bid_until {
                None => format!("can be accepted for another {seconds_left} s"),
                Some(_) => format!("takes bids for another {seconds_left} s; {}", best(job)),
            },
            format!("leaves {} s for the work", job.work_window),
            format!("{} of {} places of the provider are free", self.places, self.provider.capacity),
            format!("locks up to {exposure} base units of the bond, of which {} can be", lockable(bond)),
            demands,
        ];
        if job.pricing == Pricing::PerSecond {
            reasons.push(format!("is paid by the second that the provider reports, at most {} each", job.max_rate));
        }
        let takes_bids = job.bid_until.is_some();
        Ok(Ok(OpenJob { job: job.clone(), pay, exposure, takes_bids, seconds_left, reasons }))
    }

    /// Why it can take nothing, whatever it is.
    fn standing(&self) -> Vec<String> {
        let mut refusals = Vec::new();
        match self.provider.status {
            ProviderStatus::Active if self.registered.is_none() => {
                refusals.push("the provider's account is gone".into())
            }
            ProviderStatus::Active => {}
            ProviderStatus::Paused => refusals.push("the provider is paused".into()),
            ProviderStatus::Retired => refusals.push("the provider has retired".into()),
        }
        if self.places == 0 {
            refusals.push(format!("all {} places of the provider are taken", self.provider.capacity));
        }
        refusals
    }

    /// What of a job's requirements it does not meet: the program's own check, and its answer in words.
    fn unmet(&mut self, text: &str, bond: Option<&Bond>) -> Result<Option<String>> {
        let address: Address = text.parse().unwrap_or(Address::SYSTEM);
        if !self.requirements.contains_key(&address) {
            let found = match alive(self.view, &address)? {
                Some(State::Requirements(state)) => Some(state),
                _ => None,
            };
            self.requirements.insert(address, found);
        }
        let Some(Some(requirements)) = self.requirements.get(&address) else {
            return Ok(Some(format!("its requirements {text} are gone, so that nobody can meet them")));
        };
        let Some(registered) = &self.registered else { return Ok(None) };
        // What the program counts: all but what is on its way out.
        let backing = bond.map_or(0, |bond| lockable(bond).saturating_sub(bond.unbonding));
        let checked =
            requirements.check(&key(&self.address), registered, backing, self.attestations.as_ref(), self.now);
        Ok(checked.err().map(|error| explain(&error, requirements, registered, backing)))
    }
}

/// A failed requirement in words, with the values.
fn explain(error: &ProgramError, requirements: &Requirements, provider: &Registered, backing: u64) -> String {
    let (c, is) = (&requirements.criteria, |rule: E| *error == ProgramError::from(rule));
    if is(E::NotAllowed) {
        return "the provider is not one of those that the client allows".to_owned();
    }
    if is(E::HardwareTooSmall) {
        let lacking = [
            ("GPU model", provider.gpu_model.get().into(), c.gpu_model.get().into()),
            ("GPUs", provider.gpu_count.get().into(), c.gpu_count.get().into()),
            ("MiB of memory a GPU", provider.vram_mib.get(), c.vram_mib.get()),
            ("CPU cores", provider.cpu_cores.get().into(), c.cpu_cores.get().into()),
            ("MiB of memory", provider.memory_mib.get(), c.memory_mib.get()),
            ("GiB of disk", provider.disk_gib.get(), c.disk_gib.get()),
            ("Mbit/s", provider.bandwidth_mbps.get(), c.bandwidth_mbps.get()),
        ];
        let fails = |(what, has, wanted): &(&str, u32, u32)| match *what {
            "GPU model" => *wanted != 0 && has != wanted,
            _ => has < wanted,
        };
        let lacking: Vec<String> = lacking
            .iter()
            .filter(|it| fails(it))
            .map(|(what, has, wanted)| format!("{what}: {wanted} asked for, {has} there"))
            .collect();
        return format!("the provider's hardware is not enough ({})", lacking.join("; "));
    }
    if is(E::WrongRegion) {
        let wanted: Vec<String> =
            c.regions.iter().filter(|region| region.get() != 0).map(|region| region.get().to_string()).collect();
        return format!("the provider is in region {}, and not in any of {}", provider.region.get(), wanted.join(", "));
    }
    if is(E::BondTooSmall) {
        return format!("{backing} base units of the provider's bond are free, and {} are asked for", c.min_bond.get());
    }
    if is(E::CredentialMissing) {
        return "the provider lacks a credential that is asked for, or it has expired".to_owned();
    }
    format!("the provider does not meet its requirements: {error}")
}

/// An account of ours that is not closed, as of the newest update.
fn alive(view: &View, address: &Address) -> Result<Option<State>> {
    Ok(view.account(address)?.filter(|row| !row.closed).and_then(|row| row.state()))
}

fn key(address: &Address) -> Key {
    Key::new_from_array(address.0)
}

/// What can be locked: what is free, and what is on its way out.
fn lockable(bond: &Bond) -> u64 {
    bond.amount.saturating_sub(bond.locked)
}

fn best(job: &Job) -> String {
    match job.best_bid {
        Some(_) => format!("the best so far is {}", job.best_price),
        None => "there is none yet".to_owned(),
    }
}

/// What a provider would get for the whole budget; `None` for a fee that cannot be.
fn pay(job: &Job) -> Option<u64> {
    Some(split::part(Amount::ZERO, Amount::new(job.budget), Bps::new(job.fee_bps)?)?.rest.get())
}

/// What a provider would lock for the whole budget.
fn exposure(job: &Job) -> Option<u64> {
    let budget = Amount::new(job.budget);
    math::bond_for(budget, budget, job.bond_bps, false).map(Amount::get)
}

/// Jobs the provider has accepted and not delivered, as of the newest update.
fn running(view: &View, provider: &Provider, address: &Address) -> Result<u64> {
    let filter = JobFilter { status: Some(JobStatus::Accepted), provider: Some(*address), ..JobFilter::default() };
    // Past its capacity the number no longer matters.
    let page = PageRequest { after: None, limit: provider.capacity as usize + 1 };
    Ok(view.list(&filter, &page)?.items.len() as u64)
}
