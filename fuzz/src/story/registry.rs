//! Providers, credentials and requirements, as the registry tells of them.

use super::{Called, Story};
use crate::{
    check::Violation,
    model::{Credential, Enrolled, Model, Paper, Thing},
};
use joule_sdk::{
    registry::{
        constants::{EVIDENCE, REQUIREMENTS_NOTICE},
        event::AnyEvent as Registry,
    },
    Pubkey,
};
use std::collections::btree_map::Entry;

/// Where the arguments of `define_requirements` name the least bond: behind the hardware and the regions.
const MIN_BOND: usize = 2 + 2 + 4 + 2 + 3 * 4 + 4 * 2;

/// Whether a dispute may still ask for it.
pub fn is_needed(credential: &Credential, now: i64) -> bool {
    now < credential.expires_at + EVIDENCE as i64
}

/// The live credential of the same attestor under the same schema.
fn live<'a>(all: &'a mut [Credential], of: &Credential, now: i64) -> Option<&'a mut Credential> {
    let is_same = |one: &&mut Credential| (one.attestor, one.schema) == (of.attestor, of.schema);
    all.iter_mut().filter(|one| one.expires_at > now).find(is_same)
}

impl Story {
    pub(super) fn registry(&mut self, model: &mut Model, event: Registry, called: &Called) -> Result<(), Violation> {
        match event {
            Registry::ProviderRegistered(e) => {
                called.signed_by(&e.authority)?;
                let (authority, payout_owner, rent_payer) = (e.authority, e.payout_owner, called.account("payer")?);
                self.rents.push((e.provider, rent_payer));
                model
                    .providers
                    .insert(e.provider, Enrolled { authority, payout_owner, rent_payer, stated_at: called.now });
            }
            Registry::ProviderUpdated(e) => {
                let provider = model.providers.get_mut(&e.provider);
                let provider = provider.ok_or_else(|| Violation::new("somebody was updated who is not enrolled"))?;
                called.signed_by(&provider.authority)?;
                provider.payout_owner = e.payout_owner;
                provider.stated_at = called.now;
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
                let attestations = called.account("attestations")?;
                self.come(model, attestations, e.subject, called)?;
                let new = Credential {
                    attestor: e.attestor,
                    schema: e.schema.get(),
                    since: called.now,
                    expires_at: e.expires_at.get(),
                };
                let all = model.credentials.entry(attestations).or_default();
                // Renewing a live one leaves no gap.
                match live(all, &new, called.now) {
                    Some(old) => old.expires_at = new.expires_at,
                    None => all.push(new),
                }
            }
            Registry::AttestationRevoked(e) => {
                let (attestor, schema) = (e.attestor, e.schema.get());
                let of = Credential { attestor, schema, since: 0, expires_at: 0 };
                let all = model.credentials.entry(called.account("attestations")?).or_default();
                let found = live(all, &of, called.now);
                found.ok_or_else(|| Violation::new("revoked what nobody has given"))?.expires_at = called.now;
            }
            Registry::AttestationsClosed(e) => {
                let mut all = model.credentials.remove(&e.attestations).unwrap_or_default();
                all.retain(|credential| is_needed(credential, called.now));
                Violation::unless(all.is_empty(), "credentials were closed that a dispute may ask for")?;
                self.go(model, &e.attestations)?;
            }
            Registry::RequirementsDefined(e) => {
                called.signed_by(&e.client)?;
                self.come(model, e.requirements, e.client, called)?;
                let min_bond = u64::from_le_bytes(called.argument::<8>(MIN_BOND)?);
                model.min_bonds.insert(e.requirements, min_bond);
            }
            Registry::RequirementsRetired(e) => {
                called.signed_by(&e.client)?;
                let is_first = model.retired.insert(e.requirements, called.now).is_none();
                Violation::unless(is_first, "requirements were retired twice")?;
            }
            Registry::RequirementsClosed(e) => {
                let retired = model.retired.remove(&e.requirements);
                let is_over = retired.is_some_and(|at| called.now >= at + REQUIREMENTS_NOTICE as i64);
                Violation::unless(is_over, "requirements were closed while a job may need them")?;
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
