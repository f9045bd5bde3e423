//! Whatever a chain can do, for property tests.

use super::{provider_address, Chain};
use crate::types::Address;
use joule_escrow::state::Job;
use joule_registry::constants::MAX_DEPTH;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Something that a chain can do, for property tests.
#[derive(Debug, Clone, Copy)]
pub enum Happening {
    Register(u8),
    Pause(u8),
    Retire(u8),
    Open(u8, u16),
    /// The next step of the n-th job that is not over.
    Advance(u8),
    Cancel(u8),
    Bond(u8, u16),
    /// Somebody's model, that derives from the n-th.
    Model(u8, u8),
    /// What the n-th model costs from now on.
    Publish(u8, u16),
    RetireModel(u8),
    /// Somebody challenges the n-th job, if it is delivered.
    Challenge(u8),
    /// The next step of the dispute about the n-th job, if there is one.
    Judge(u8),
    PayIn(u8, u16),
    /// Somebody opens a channel to the n-th model's provider.
    Channel(u8, u8, u16),
    /// The next step of the n-th channel.
    Bill(u8, u8),
    /// The clock runs for so many hours.
    Wait(u8),
}

impl Arbitrary for Happening {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        let who = 0u8..3;
        prop_oneof![
            2 => who.clone().prop_map(Self::Register),
            1 => who.clone().prop_map(Self::Pause),
            1 => who.clone().prop_map(Self::Retire),
            3 => (who.clone(), 1u16..).prop_map(|(who, budget)| Self::Open(who, budget)),
            6 => any::<u8>().prop_map(Self::Advance),
            1 => any::<u8>().prop_map(Self::Cancel),
            2 => (who.clone(), 1u16..).prop_map(|(who, amount)| Self::Bond(who, amount)),
            2 => (who, any::<u8>()).prop_map(|(who, n)| Self::Model(who, n)),
            2 => any::<(u8, u16)>().prop_map(|(n, price)| Self::Publish(n, price)),
            1 => any::<u8>().prop_map(Self::RetireModel),
            2 => any::<u8>().prop_map(Self::Challenge),
            6 => any::<u8>().prop_map(Self::Judge),
            2 => (0u8..3, 1_000u16..).prop_map(|(who, amount)| Self::PayIn(who, amount)),
            3 => (0u8..3, 0u8..2, 100u16..5_000).prop_map(|(who, model, cap)| Self::Channel(who, model, cap)),
            14 => (any::<u8>(), any::<u8>()).prop_map(|(n, step)| Self::Bill(n, step)),
            2 => (1u8..60).prop_map(Self::Wait),
        ]
        .boxed()
    }
}

impl Chain {
    pub fn happen(&mut self, happening: Happening) {
        let nth = |jobs: &BTreeMap<Address, Job>, n: u8| jobs.keys().nth(usize::from(n) % jobs.len().max(1)).copied();
        match happening {
            Happening::Register(who) => {
                if !self.providers.contains_key(&provider_address(who)) {
                    self.register(who);
                }
            }
            Happening::Pause(who) => self.pause(&provider_address(who)),
            Happening::Retire(who) => self.retire(&provider_address(who)),
            Happening::Open(who, budget) => {
                self.open(who, budget.into());
            }
            Happening::Advance(n) => {
                let Some(address) = nth(&self.jobs, n) else { return };
                let job = self.jobs[&address];
                match job.status {
                    1 => {
                        let provider = self.providers.keys().nth(usize::from(n) % self.providers.len().max(1)).copied();
                        if let Some(provider) = provider {
                            self.accept(&address, &provider, job.budget.get());
                        }
                    }
                    2 if n % 5 == 0 || self.now() > job.deliver_by.get() => self.fail(&address),
                    2 => self.deliver(&address),
                    3 => self.settle(&address),
                    _ => {}
                }
            }
            Happening::Bond(who, amount) => {
                self.bond(who, amount.into());
            }
            Happening::Model(who, n) => {
                let bases = self.models.iter().filter(|(_, model)| model.is_active() && model.depth < MAX_DEPTH);
                let bases: Vec<Address> = bases.map(|(address, _)| *address).collect();
                let base = bases.get(usize::from(n) % (bases.len() + 1)).copied();
                self.model(who, base.as_ref(), n.into());
            }
            Happening::Publish(n, price) => {
                if let Some(model) = self.models.keys().nth(usize::from(n) % self.models.len().max(1)).copied() {
                    self.publish(&model, price.into(), n.into());
                }
            }
            Happening::RetireModel(n) => {
                if let Some(model) = self.models.keys().nth(usize::from(n) % self.models.len().max(1)).copied() {
                    self.retire_model(&model);
                }
            }
            Happening::Challenge(n) => {
                let Some(address) = nth(&self.jobs, n) else { return };
                let job = self.jobs[&address];
                if job.status == 3 && self.now() < job.settle_after.get() {
                    self.challenge(&address);
                }
            }
            Happening::Judge(n) => {
                let Some(address) = nth(&self.jobs, n) else { return };
                self.judge(&address, n);
            }
            Happening::PayIn(who, amount) => {
                self.pay_in(who, amount.into());
            }
            Happening::Channel(who, model, cap) => {
                // To one that nobody has seen, if there is none.
                let known = self.models.keys().nth(usize::from(model)).copied();
                let model = known.unwrap_or(Address([230 + model; 32]));
                self.try_open_channel(who, &provider_address(who), &model, cap.into());
            }
            Happening::Bill(n, step) => {
                let Some(address) = self.channel(n) else { return };
                let party = (step / 16) as usize % 8;
                match step % 16 {
                    0..=4 => drop(self.settle_voucher(&address, u64::from(step) + 1, 7)),
                    5 | 6 => self.distribute(&address, None),
                    7 => self.distribute(&address, Some(party)),
                    8 if self.channel_state(&address).owed[party].get() > 0 => self.claim_owed(&address, party),
                    8 => self.top_up(&address, 50),
                    9 => self.set_session(&address, step),
                    10 => self.request_close(&address),
                    11 => self.close_channel(&address),
                    12 => self.start_plan(&address, 1, 60),
                    13 => self.settle_plan(&address),
                    14 if step < 128 => self.pause_plan(&address),
                    14 => self.resume_plan(&address),
                    _ if step < 128 => self.terminate_plan(&address),
                    _ => self.condemn(&address),
                }
            }
            Happening::Wait(hours) => self.wait(i64::from(hours) * 3_600),
            Happening::Cancel(n) => {
                let Some(address) = nth(&self.jobs, n) else { return };
                if self.jobs[&address].status == 1 {
                    self.cancel(&address);
                }
            }
        }
    }
}
