//! Events: what each is about, and its fields for people.

use super::{unknown, DecodeError, Program};
use crate::types::Address;
use joule_escrow::event as escrow;
use joule_registry::event as registry;
use joule_treasury::event as treasury;
use serde_json::{json, Value};

/// An event, decoded.
#[derive(Clone, Copy)]
#[allow(clippy::large_enum_variant)]
pub enum Fact {
    Escrow(escrow::AnyEvent),
    Registry(registry::AnyEvent),
    Treasury(treasury::AnyEvent),
}

type Key = anchor_lang::prelude::Address;

/// Decodes what follows the event tag.
pub fn event(program: Program, data: &[u8]) -> Result<Fact, DecodeError> {
    let found = match program {
        Program::Escrow => escrow::AnyEvent::decode(data).map(Fact::Escrow),
        Program::Registry => registry::AnyEvent::decode(data).map(Fact::Registry),
        Program::Treasury => treasury::AnyEvent::decode(data).map(Fact::Treasury),
    };
    found.ok_or_else(|| unknown(program, "event", data))
}

impl Fact {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Escrow(event) => event.name(),
            Self::Registry(event) => event.name(),
            Self::Treasury(event) => event.name(),
        }
    }

    /// The account it is about, first, and the others that it concerns.
    pub fn accounts(&self) -> Vec<Address> {
        let named: Vec<&Key> = match self {
            Self::Escrow(event) => {
                use escrow::AnyEvent as E;
                match event {
                    E::JobOpened(e) => vec![&e.job, &e.client, &e.mint],
                    E::JobAccepted(e) => vec![&e.job, &e.client, &e.provider],
                    E::JobDelivered(e) => vec![&e.job, &e.provider],
                    E::JobSettled(e) => vec![&e.job, &e.client, &e.provider, &e.mint],
                    E::JobRefunded(e) => vec![&e.job, &e.client, &e.provider, &e.mint],
                    E::JobPaid(e) => vec![&e.job],
                    E::JobRedirected(e) => vec![&e.job, &e.by],
                }
            }
            Self::Registry(event) => {
                use registry::AnyEvent as E;
                match event {
                    E::ProviderRegistered(e) => vec![&e.provider, &e.authority],
                    E::ProviderUpdated(e) => vec![&e.provider],
                    E::ProviderStatusChanged(e) => vec![&e.provider],
                    E::ProviderRetired(e) => vec![&e.provider, &e.authority],
                    E::AttestorAdmitted(e) => vec![&e.attestor, &e.authority],
                    E::AttestorChanged(e) => vec![&e.attestor],
                    E::Attested(e) => vec![&e.subject, &e.attestor],
                    E::AttestationRevoked(e) => vec![&e.subject, &e.attestor],
                    E::AttestationsClosed(e) => vec![&e.attestations, &e.subject],
                    E::RequirementsDefined(e) => vec![&e.requirements, &e.client],
                    E::RequirementsDropped(e) => vec![&e.requirements, &e.client],
                }
            }
            Self::Treasury(event) => {
                use treasury::AnyEvent as E;
                match event {
                    E::MintAccepted(e) => vec![&e.mint, &e.fee_vault],
                    E::MintUpdated(e) => vec![&e.mint],
                    E::FeesWithdrawn(e) => vec![&e.mint, &e.destination],
                    E::BreakerChanged(e) => vec![&e.mint],
                    E::BreakerStaged(e) => vec![&e.mint],
                    E::RewardsChanged(e) => vec![&e.mint, &e.reward_vault],
                    E::FeesShared(e) => vec![&e.mint, &e.reward_vault],
                    _ => vec![],
                }
            }
        };
        let mut accounts: Vec<Address> = Vec::with_capacity(named.len() + 1);
        if matches!(self, Self::Treasury(_)) {
            // Everything in the treasury is about the one protocol account.
            accounts.push(protocol());
        }
        match self {
            Self::Treasury(_) => accounts.extend(named.first().map(|mint| accepted_mint(mint))),
            // About the account in which the subject's credentials are kept.
            Self::Registry(registry::AnyEvent::Attested(e)) => accounts.push(attestations(&e.subject)),
            Self::Registry(registry::AnyEvent::AttestationRevoked(e)) => accounts.push(attestations(&e.subject)),
            _ => {}
        }
        for key in named {
            let address = Address::from(key);
            if address != Address::SYSTEM && !accounts.contains(&address) {
                accounts.push(address);
            }
        }
        accounts
    }

    /// The account it is about.
    pub fn subject(&self) -> Option<Address> {
        self.accounts().first().copied()
    }

    /// `Some(true)` when it closed its subject, `Some(false)` when it created it.
    pub fn closes(&self) -> Option<bool> {
        match self {
            Self::Escrow(event) => match event {
                escrow::AnyEvent::JobSettled(e) => (e.closed == 1).then_some(true),
                escrow::AnyEvent::JobRefunded(e) => (e.closed == 1).then_some(true),
                escrow::AnyEvent::JobPaid(e) => (e.closed == 1).then_some(true),
                escrow::AnyEvent::JobOpened(_) => Some(false),
                _ => None,
            },
            Self::Registry(event) => match event {
                registry::AnyEvent::ProviderRegistered(_) => Some(false),
                registry::AnyEvent::ProviderRetired(_) => Some(true),
                registry::AnyEvent::AttestorAdmitted(_) | registry::AnyEvent::Attested(_) => Some(false),
                registry::AnyEvent::AttestationsClosed(_) => Some(true),
                registry::AnyEvent::RequirementsDefined(_) => Some(false),
                registry::AnyEvent::RequirementsDropped(_) => Some(true),
                _ => None,
            },
            Self::Treasury(_) => None,
        }
    }

    /// The fields: amounts and ids as decimal strings, addresses in base58, hashes in hex.
    pub fn data(&self) -> Value {
        match self {
            Self::Escrow(event) => escrow_data(event),
            Self::Registry(event) => registry_data(event),
            Self::Treasury(event) => treasury_data(event),
        }
    }
}

fn protocol() -> Address {
    static PROTOCOL: std::sync::LazyLock<Address> = std::sync::LazyLock::new(|| {
        let seeds = [joule_treasury::constants::PROTOCOL_SEED];
        Address::from(&anchor_lang::find_program_address(&seeds, &joule_treasury::ID).0)
    });
    *PROTOCOL
}

fn accepted_mint(mint: &Key) -> Address {
    let seeds = [joule_treasury::constants::MINT_SEED, mint.as_ref()];
    Address::from(&anchor_lang::find_program_address(&seeds, &joule_treasury::ID).0)
}

fn attestations(subject: &Key) -> Address {
    let seeds = [joule_registry::constants::ATTESTATIONS_SEED, subject.as_ref()];
    Address::from(&anchor_lang::find_program_address(&seeds, &joule_registry::ID).0)
}

fn key(key: &Key) -> String {
    Address::from(key).to_string()
}

fn known_key(address: &Key) -> Option<String> {
    (Address::from(address) != Address::SYSTEM).then(|| key(address))
}

fn text(amount: anchor_lang::prelude::PodU64) -> String {
    amount.get().to_string()
}

fn escrow_data(event: &escrow::AnyEvent) -> Value {
    use escrow::AnyEvent as E;
    match event {
        E::JobOpened(e) => json!({
            "job": key(&e.job), "client": key(&e.client), "mint": key(&e.mint),
            "spec_hash": hex::encode(e.spec_hash), "input_hash": hex::encode(e.input_hash),
            "id": text(e.id), "budget": text(e.budget),
            "opened_at": e.opened_at.get(), "accept_by": e.accept_by.get(),
            "work_window": e.work_window.get(), "review_window": e.review_window.get(),
            "fee_bps": e.fee_bps.get(), "verification": e.verification,
        }),
        E::JobAccepted(e) => json!({
            "job": key(&e.job), "client": key(&e.client), "provider": key(&e.provider), "price": text(e.price),
            "accepted_at": e.accepted_at.get(), "deliver_by": e.deliver_by.get(),
        }),
        E::JobDelivered(e) => json!({
            "job": key(&e.job), "provider": key(&e.provider), "result_hash": hex::encode(e.result_hash),
            "delivered_at": e.delivered_at.get(), "settle_after": e.settle_after.get(),
        }),
        E::JobSettled(e) => json!({
            "job": key(&e.job), "client": key(&e.client), "provider": key(&e.provider), "mint": key(&e.mint),
            "result_hash": hex::encode(e.result_hash), "budget": text(e.budget), "price": text(e.price),
            "paid_provider": text(e.paid_provider), "paid_fee": text(e.paid_fee), "paid_client": text(e.paid_client),
            "owed_provider": text(e.owed_provider), "owed_fee": text(e.owed_fee), "owed_client": text(e.owed_client),
            "settled_at": e.settled_at.get(), "approved": e.approved == 1, "closed": e.closed == 1,
        }),
        E::JobRefunded(e) => json!({
            "job": key(&e.job), "client": key(&e.client), "provider": known_key(&e.provider), "mint": key(&e.mint),
            "budget": text(e.budget), "paid_client": text(e.paid_client), "owed_client": text(e.owed_client),
            "refunded_at": e.refunded_at.get(),
            "reason": match e.reason {
                0 => "cancelled".to_owned(),
                1 => "not_accepted".to_owned(),
                2 => "not_delivered".to_owned(),
                other => other.to_string(),
            },
            "closed": e.closed == 1,
        }),
        E::JobPaid(e) => json!({
            "job": key(&e.job),
            "paid_provider": text(e.paid_provider), "paid_fee": text(e.paid_fee), "paid_client": text(e.paid_client),
            "owed_provider": text(e.owed_provider), "owed_fee": text(e.owed_fee), "owed_client": text(e.owed_client),
            "closed": e.closed == 1,
        }),
        E::JobRedirected(e) => json!({"job": key(&e.job), "by": key(&e.by), "account": key(&e.account)}),
    }
}

fn registry_data(event: &registry::AnyEvent) -> Value {
    use registry::AnyEvent as E;
    match event {
        E::ProviderRegistered(e) => json!({
            "provider": key(&e.provider), "authority": key(&e.authority), "payout_owner": key(&e.payout_owner),
        }),
        E::ProviderUpdated(e) => json!({"provider": key(&e.provider), "payout_owner": key(&e.payout_owner)}),
        E::ProviderStatusChanged(e) => json!({
            "provider": key(&e.provider),
            "status": match e.status {
                1 => "active".to_owned(),
                2 => "paused".to_owned(),
                other => other.to_string(),
            },
        }),
        E::ProviderRetired(e) => json!({"provider": key(&e.provider), "authority": key(&e.authority)}),
        E::AttestorAdmitted(e) => json!({
            "attestor": key(&e.attestor), "authority": key(&e.authority), "metadata_hash": hex::encode(e.metadata_hash),
        }),
        E::AttestorChanged(e) => json!({"attestor": key(&e.attestor), "enabled": e.enabled == 1}),
        E::Attested(e) => json!({
            "subject": key(&e.subject), "attestor": key(&e.attestor), "schema": e.schema.get(),
            "value_hash": hex::encode(e.value_hash), "expires_at": e.expires_at.get(),
        }),
        E::AttestationRevoked(e) => json!({
            "subject": key(&e.subject), "attestor": key(&e.attestor), "schema": e.schema.get(),
        }),
        E::AttestationsClosed(e) => json!({"attestations": key(&e.attestations), "subject": key(&e.subject)}),
        E::RequirementsDefined(e) => json!({"requirements": key(&e.requirements), "client": key(&e.client)}),
        E::RequirementsDropped(e) => json!({"requirements": key(&e.requirements), "client": key(&e.client)}),
    }
}

fn treasury_data(event: &treasury::AnyEvent) -> Value {
    use treasury::AnyEvent as E;
    match event {
        E::ProtocolInitialized(e) => json!({
            "authority": key(&e.authority), "guardian": key(&e.guardian), "fee_bps": e.fee_bps.map(|bps| bps.get()),
        }),
        E::AuthorityProposed(e) => json!({"authority": key(&e.authority), "next": key(&e.next)}),
        E::AuthorityChanged(e) => json!({"previous": key(&e.previous), "authority": key(&e.authority)}),
        E::GuardianChanged(e) => json!({"previous": key(&e.previous), "guardian": key(&e.guardian)}),
        E::FeeChanged(e) => json!({
            "service": e.service, "previous_bps": e.previous_bps.get(), "fee_bps": e.fee_bps.get(),
        }),
        E::MintAccepted(e) => json!({
            "mint": key(&e.mint), "fee_vault": key(&e.fee_vault), "min_amount": text(e.min_amount),
        }),
        E::MintUpdated(e) => json!({
            "mint": key(&e.mint), "enabled": e.enabled == 1, "min_amount": text(e.min_amount),
        }),
        E::ServicePaused(e) => json!({"service": e.service, "by": key(&e.by)}),
        E::ServiceUnpaused(e) => json!({"service": e.service}),
        E::FeesWithdrawn(e) => json!({
            "mint": key(&e.mint), "destination": key(&e.destination), "amount": text(e.amount),
        }),
        E::FeeStaged(e) => json!({
            "service": e.service, "present_bps": e.present_bps.get(), "fee_bps": e.fee_bps.get(),
            "effective_at": e.effective_at.get(),
        }),
        E::FeeCancelled(e) => json!({"service": e.service, "fee_bps": e.fee_bps.get()}),
        E::BreakerChanged(e) => json!({"mint": key(&e.mint), "limit": text(e.limit), "window": e.window.get()}),
        E::BreakerStaged(e) => json!({
            "mint": key(&e.mint), "limit": text(e.limit), "window": e.window.get(),
            "effective_at": e.effective_at.get(),
        }),
        E::RewardsChanged(e) => json!({
            "mint": key(&e.mint), "reward_vault": known_key(&e.reward_vault), "reward_bps": e.reward_bps.get(),
        }),
        E::FeesShared(e) => json!({
            "mint": key(&e.mint), "reward_vault": key(&e.reward_vault), "amount": text(e.amount),
            "owed": text(e.owed), "kept": text(e.kept),
        }),
    }
}
