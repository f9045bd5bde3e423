//! What whoever governs has done, as the treasury tells of it.

use super::{Called, Story};
use crate::{
    check::Violation,
    model::{Fees, Model},
};
use joule_sdk::{treasury::event::AnyEvent as Treasury, Pubkey};

impl Story {
    pub(super) fn treasury(&mut self, model: &mut Model, event: Treasury, called: &Called) -> Result<(), Violation> {
        let authority = model.governed.authority;
        let (now, governed) = (called.now, &mut model.governed);
        match event {
            Treasury::AuthorityChanged(e) => {
                called.signed_by(&e.authority)?;
                governed.authority = e.authority;
            }
            Treasury::FeeStaged(e) => {
                called.signed_by(&authority)?;
                if let Some(service) = governed.service(e.service) {
                    service.stage(e.fee_bps.get(), now);
                }
            }
            Treasury::FeeCancelled(e) => {
                called.signed_by(&authority)?;
                if let Some(service) = governed.service(e.service) {
                    service.staged = None;
                }
            }
            Treasury::FeeChanged(e) => {
                if let Some(service) = governed.service(e.service) {
                    let staged = service.staged.take();
                    let staged = staged.filter(|(fee_bps, at)| *fee_bps == e.fee_bps.get() && now >= *at);
                    service.fee_bps =
                        staged.ok_or_else(|| Violation::new("a fee that nobody has announced in time"))?.0;
                }
            }
            Treasury::ServicePaused(e) => {
                called.signed_by(&e.by)?;
                if let Some(service) = governed.service(e.service) {
                    service.pause(now);
                }
            }
            Treasury::ServiceUnpaused(e) => {
                called.signed_by(&authority)?;
                if let Some(service) = governed.service(e.service) {
                    service.paused_until = now;
                }
            }
            Treasury::RewardsChanged(e) => {
                called.signed_by(&authority)?;
                let fees = of(model, &e.mint)?;
                fees.divide();
                fees.set_share(e.reward_bps.get());
            }
            Treasury::BreakerChanged(e) => of(model, &e.mint)?.set_breaker(e.limit.get(), e.window.get()),
            Treasury::FeesShared(e) => {
                let fees = of(model, &e.mint)?;
                fees.divide();
                let left = fees.owed.checked_sub(e.amount.get() as u128);
                fees.owed = left.ok_or_else(|| Violation::new("stakers were sent more than their share"))?;
                let is_told = (fees.owed, fees.kept) == (e.owed.get() as u128, e.kept.get() as u128);
                Violation::unless(is_told, "the stakers' and the treasury's parts are not what they should be")?;
                self.take_fees(model, &e.mint, e.amount.get(), called)?;
                self.give(model, e.reward_vault, e.amount.get());
                model.mark("fees shared");
            }
            Treasury::FeesWithdrawn(e) => {
                called.signed_by(&authority)?;
                let fees = of(model, &e.mint)?;
                fees.divide();
                let left = fees.kept.checked_sub(e.amount.get() as u128);
                fees.kept = left.ok_or_else(|| Violation::new("the treasury took what is the stakers'"))?;
                self.take_fees(model, &e.mint, e.amount.get(), called)?;
                self.give(model, called.account("destination")?, e.amount.get());
            }
            Treasury::AuthorityProposed(_)
            | Treasury::GuardianChanged(_)
            | Treasury::MintUpdated(_)
            | Treasury::BreakerStaged(_) => called.signed_by(&authority)?,
            Treasury::ProtocolInitialized(_) | Treasury::MintAccepted(_) => {
                return Err(Violation::new("something was set up twice"))
            }
        }
        Ok(())
    }

    fn take_fees(&mut self, model: &mut Model, mint: &Pubkey, amount: u64, called: &Called) -> Result<(), Violation> {
        let fees = of(model, mint)?;
        fees.balance -= amount as u128;
        Violation::unless(fees.spend(amount, called.now), "more fees have left than the breaker lets through")?;
        let vault = fees.vault;
        self.gain(vault, -(amount as i128));
        Ok(())
    }
}

fn of<'a>(model: &'a mut Model, mint: &Pubkey) -> Result<&'a mut Fees, Violation> {
    model.fees.get_mut(mint).ok_or_else(|| Violation::new("an event about a token that is not ours"))
}
