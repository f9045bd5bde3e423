//! The registry's events.

use super::{closed, created, Key, Life, Row};
use crate::decode::fields::{fields, hash, key};
use joule_registry::{constants::ATTESTATIONS_SEED, event::AnyEvent as E};
use serde_json::{json, Value};

/// Where what is said about a subject is.
pub fn attestations(subject: &Key) -> Key {
    anchor_lang::find_program_address(&[ATTESTATIONS_SEED, subject.as_ref()], &joule_registry::ID).0
}

pub fn accounts(event: &E) -> Vec<Key> {
    match event {
        E::ProviderRegistered(e) => vec![e.provider, e.authority],
        E::ProviderUpdated(e) => vec![e.provider],
        E::ProviderStatusChanged(e) => vec![e.provider],
        E::ProviderRetired(e) => vec![e.provider, e.authority],
        E::AttestorAdmitted(e) => vec![e.attestor, e.authority],
        E::AttestorChanged(e) => vec![e.attestor],
        E::Attested(e) => vec![attestations(&e.subject), e.subject, e.attestor],
        E::AttestationRevoked(e) => vec![attestations(&e.subject), e.subject, e.attestor],
        E::AttestationsClosed(e) => vec![e.attestations, e.subject],
        E::RequirementsDefined(e) => vec![e.requirements, e.client],
        E::RequirementsRetired(e) => vec![e.requirements, e.client],
        E::RequirementsClosed(e) => vec![e.requirements, e.client],
        E::ModelCreated(e) => vec![e.model, e.creator],
        E::ModelUpdated(e) => vec![e.model],
        E::PricesPublished(e) => vec![e.price_list, e.model],
    }
}

pub fn rows(event: &E) -> Vec<Row> {
    match event {
        E::ProviderRegistered(e) => vec![Row::Provider((&e.provider).into())],
        E::ProviderUpdated(e) => vec![Row::Provider((&e.provider).into())],
        E::ProviderStatusChanged(e) => vec![Row::Provider((&e.provider).into())],
        E::ProviderRetired(e) => vec![Row::Provider((&e.provider).into())],
        _ => Vec::new(),
    }
}

pub fn life(event: &E) -> Option<Life> {
    match event {
        E::ProviderRegistered(e) => created(&e.provider, "provider"),
        E::ProviderRetired(e) => closed(&e.provider, "provider", 1),
        E::Attested(e) => created(&attestations(&e.subject), "attestations"),
        E::AttestationsClosed(e) => closed(&e.attestations, "attestations", 1),
        E::RequirementsDefined(e) => created(&e.requirements, "requirements"),
        E::RequirementsClosed(e) => closed(&e.requirements, "requirements", 1),
        _ => None,
    }
}

pub fn data(event: &E) -> Value {
    match event {
        E::ProviderRegistered(e) => fields!(e; provider: key, authority: key, payout_owner: key),
        E::ProviderUpdated(e) => fields!(e; provider: key, payout_owner: key),
        E::ProviderStatusChanged(e) => json!({
            "provider": key(&e.provider),
            "status": match e.status {
                1 => "active".to_owned(),
                2 => "paused".to_owned(),
                other => other.to_string(),
            },
        }),
        E::ProviderRetired(e) => fields!(e; provider: key, authority: key),
        E::AttestorAdmitted(e) => fields!(e; attestor: key, authority: key, metadata_hash: hash),
        E::AttestorChanged(e) => fields!(e; attestor: key, enabled: flag),
        E::Attested(e) => fields!(e; subject: key, attestor: key, schema: number, value_hash: hash, expires_at: number),
        E::AttestationRevoked(e) => fields!(e; subject: key, attestor: key, schema: number),
        E::AttestationsClosed(e) => fields!(e; attestations: key, subject: key),
        E::RequirementsDefined(e) => fields!(e; requirements: key, client: key),
        E::RequirementsRetired(e) => fields!(e; requirements: key, client: key, at: number),
        E::RequirementsClosed(e) => fields!(e; requirements: key, client: key),
        E::ModelCreated(e) => fields!(e; model: key, creator: key, base: known, payout_owner: key, id: text,
            royalty_bps: number),
        E::ModelUpdated(e) => json!({
            "model": key(&e.model),
            "payout_owner": key(&e.payout_owner),
            "endpoint_hash": hash(&e.endpoint_hash),
            "metadata_hash": hash(&e.metadata_hash),
            "status": match e.status {
                0 => "retired".to_owned(),
                1 => "active".to_owned(),
                other => other.to_string(),
            },
        }),
        E::PricesPublished(e) => fields!(e; price_list: key, model: key, mint: key, version: number),
    }
}
