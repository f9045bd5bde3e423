//! Providers, credentials and requirements, as the registry tells of them.

use super::{Called, Story};
use crate::{
    check::Violation,
    model::{Enrolled, Model, Paper, Thing},
};
use joule_sdk::{registry::event::AnyEvent as Registry, Pubkey};
use std::collections::btree_map::Entry;

/// Where the arguments of `define_requirements` name the least bond: behind the hardware and the regions.
const MIN_BOND: usize = 2 + 2 + 4 + 2 + 3 * 4 + 4 * 2;

impl Story {
    pub(super) fn registry(&mut self, model: &mut Model, event: Registry, called: &Called) -> Result<(), Violation> {
        match event {
            Registry::ProviderRegistered(e) => {
                called.signed_by(&e.authority)?;
                let (authority, payout_owner, rent_payer) = (e.authority, e.payout_owner, called.account("payer")?);
                self.rents.push((e.provider, rent_payer));
                model.providers.insert(e.provider, Enrolled { authority, payout_owner, rent_payer });
            }
            Registry::ProviderUpdated(e) => {
                let provider = model.providers.get_mut(&e.provider);
                let provider = provider.ok_or_else(|| Violation::new("somebody was updated who is not enrolled"))?;
                called.signed_by(&provider.authority)?;
                provider.payout_owner = e.payout_owner;
            }
            Registry::ProviderStatusChanged(e) => {
                let provider = model.providers.get(&e.provider);
                let provider = provider.ok_or_else(|| Violation::new("somebody was changed who is not enrolled"))?;
                called.signed_by(&provider.authority)?;
            }
            Registry::ProviderRetired(e) => {
                called.signed_by(&e.authority)?;
                let provider = model.providers.remove(&e.provider);
                let provider = provider.ok_or_else(|| Violation::new("somebody retired who is not enrolled"))?;
                self.rents.push((e.provider, provider.rent_payer));
            }
            Registry::AttestorAdmitted(e) => {
                called.signed_by(&model.governed.authority)?;
                self.rents.push((e.attestor, called.account("payer")?));
                model.attestors.insert(e.attestor, e.authority);
            }
            Registry::AttestorChanged(_) => called.signed_by(&model.governed.authority)?,
            Registry::Attested(e) => {
                let attestor = model.attestors.get(&e.attestor);
                let attestor = attestor.ok_or_else(|| Violation::new("attested by somebody who may not"))?;
                called.signed_by(attestor)?;
                self.come(model, called.account("attestations")?, e.subject, called)?;
            }
            Registry::AttestationRevoked(_) => {}
            Registry::AttestationsClosed(e) => self.go(model, &e.attestations)?,
            Registry::RequirementsDefined(e) => {
                called.signed_by(&e.client)?;
                self.come(model, e.requirements, e.client, called)?;
                let min_bond = u64::from_le_bytes(called.argument::<8>(MIN_BOND)?);
                model.min_bonds.insert(e.requirements, min_bond);
            }
            Registry::RequirementsDropped(e) => {
                called.signed_by(&e.client)?;
                self.go(model, &e.requirements)?;
            }
            Registry::ModelCreated(e) => self.model_created(model, &e, called)?,
            Registry::ModelUpdated(e) => self.model_updated(model, &e, called)?,
            Registry::PricesPublished(e) => self.prices_published(model, &e, called)?,
        }
        Ok(())
    }

    fn come(&mut self, model: &mut Model, paper: Pubkey, of: Pubkey, called: &Called) -> Result<(), Violation> {
        if let Entry::Vacant(new) = model.papers.entry(paper) {
            let rent_payer = called.account("payer")?;
            self.rents.push((paper, rent_payer));
            new.insert(Paper { of, rent_payer });
            model.name([paper], Thing::Paper(paper));
        }
        Ok(())
    }

    fn go(&mut self, model: &mut Model, paper: &Pubkey) -> Result<(), Violation> {
        let gone = model.papers.remove(paper);
        let gone = gone.ok_or_else(|| Violation::new("something was closed that nobody has opened"))?;
        model.forget([*paper]);
        self.rents.push((*paper, gone.rent_payer));
        Ok(())
    }
}
