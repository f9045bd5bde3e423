//! Any account of our programs, with its history.

use super::{
    answer,
    extract::{Parameters, Target},
    page, ApiError, State,
};
use crate::{
    decode::{Program, State as Decoded},
    store::AccountRow,
    types::Address,
};
use anchor_lang::prelude::Address as Key;
use axum::{extract::State as From, http::HeaderMap, response::Response};
use joule_api::{Account, ErrorBody};
use joule_registry::state::CredentialRule;
use serde::Deserialize;
use serde_json::{json, Value};
use utoipa::IntoParams;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// At most this many events, 1 to 500.
    #[param(default = 50, minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// One account: its fields, and the newest events that concern it.
///
/// A closed account keeps the fields of its last live state.
#[utoipa::path(get, path = "/v1/accounts/{address}", tag = "chain",
    params(("address" = String, Path, description = "Any account of our programs"), History),
    responses(
        (status = 200, body = Account, headers(("ETag" = String, description = "For If-None-Match"))),
        (status = 304, description = "Unchanged since the ETag in If-None-Match"),
        (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 503, body = ErrorBody),
    ))]
pub async fn get(
    From(state): From<State>,
    Target(address): Target,
    Parameters(asked): Parameters<History>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let limit = page::limit(asked.limit)?;
    let account = answer::read(move || {
        let row = state.view.account(&address)?.filter(|row| Program::of(&row.program).is_some());
        let Some(row) = row else {
            return Err(ApiError::NotFound { what: "account of our programs", address: address.to_string() });
        };
        let history = state.view.history(&address, limit)?;
        Ok(Account {
            address: address.to_string(),
            program: Program::of(&row.program).map_or("", Program::name).to_owned(),
            lamports: row.lamports,
            closed: row.closed,
            slot: row.version.slot,
            data: fields(&row),
            kind: row.kind,
            history,
        })
    })
    .await?;
    answer::tagged(&headers, &account)
}

/// The decoded fields, or the bytes where they make no sense.
fn fields(row: &AccountRow) -> Value {
    let key = |key: &Key| Address::from(key).to_string();
    let known = |address: &Key| (*address != Key::default()).then(|| key(address));
    match row.state() {
        Some(Decoded::Job(job)) => json!({
            "client": key(&job.client), "provider": key(&job.provider),
            "provider_authority": key(&job.provider_authority), "payout_owner": key(&job.payout_owner),
            "payout": key(&job.payout), "refund": key(&job.refund), "fee_vault": key(&job.fee_vault),
            "mint": key(&job.mint), "vault": key(&job.vault), "rent_payer": key(&job.rent_payer),
            "spec_hash": hex::encode(job.spec_hash), "input_hash": hex::encode(job.input_hash),
            "result_hash": hex::encode(job.result_hash), "id": job.id.get().to_string(),
            "budget": job.budget.get().to_string(), "price": job.price.get().to_string(),
            "owed_provider": job.owed_provider.get().to_string(), "owed_fee": job.owed_fee.get().to_string(),
            "owed_client": job.owed_client.get().to_string(), "opened_at": job.opened_at.get(),
            "accept_by": job.accept_by.get(), "deliver_by": job.deliver_by.get(),
            "settle_after": job.settle_after.get(), "work_window": job.work_window.get(),
            "review_window": job.review_window.get(), "fee_bps": job.fee_bps.get(), "status": job.status,
            "verification": job.verification,
        }),
        Some(Decoded::Client(client)) => json!({
            "client": key(&client.client), "next_job": client.next_job.get().to_string(),
        }),
        Some(Decoded::Provider(provider)) => {
            let a = provider.attributes();
            json!({
                "authority": key(&provider.authority), "payout_owner": key(&provider.payout_owner),
                "rent_payer": key(&provider.rent_payer), "endpoint_hash": hex::encode(provider.endpoint_hash),
                "metadata_hash": hex::encode(provider.metadata_hash), "registered_at": provider.registered_at.get(),
                "updated_at": provider.updated_at.get(), "capacity": provider.capacity.get(),
                "status": provider.status, "gpu_model": a.gpu_model, "gpu_count": a.gpu_count,
                "vram_mib": a.vram_mib, "cpu_cores": a.cpu_cores, "region": a.region, "memory_mib": a.memory_mib,
                "disk_gib": a.disk_gib, "bandwidth_mbps": a.bandwidth_mbps,
            })
        }
        Some(Decoded::Protocol(protocol)) => json!({
            "authority": key(&protocol.authority), "pending_authority": key(&protocol.pending_authority),
            "guardian": key(&protocol.guardian), "fee_bps": protocol.fee_bps.map(|bps| bps.get()),
            "staged_fee_bps": protocol.staged_fee_bps.map(|bps| bps.get()),
            "staged_fee_at": protocol.staged_fee_at.map(|at| at.get()),
            "paused_until": protocol.paused_until.map(|until| until.get()),
        }),
        Some(Decoded::AcceptedMint(mint)) => json!({
            "mint": key(&mint.mint), "fee_vault": key(&mint.fee_vault),
            "min_amount": mint.min_amount.get().to_string(), "enabled": mint.is_enabled(), "decimals": mint.decimals,
            "kept": mint.kept.get().to_string(), "owed_rewards": mint.owed_rewards.get().to_string(),
            "reward_vault": known(&mint.reward_vault), "reward_bps": mint.reward_bps.get(),
            "outflow_limit": mint.outflow_limit.get().to_string(), "outflow_window": mint.outflow_window.get(),
            "outflow": mint.outflow.get().to_string(), "outflow_at": mint.outflow_at.get(),
            "staged_limit": mint.staged_limit.get().to_string(), "staged_window": mint.staged_window.get(),
            "staged_at": mint.staged_at.get(),
        }),
        Some(Decoded::Attestor(attestor)) => json!({
            "authority": key(&attestor.authority), "metadata_hash": hex::encode(attestor.metadata_hash),
            "admitted_at": attestor.admitted_at.get(), "enabled": attestor.is_enabled(),
        }),
        Some(Decoded::Attestations(list)) => json!({
            "subject": key(&list.subject), "rent_payer": key(&list.rent_payer),
            "credentials": list.places.iter().filter(|place| place.expires_at.get() > 0).map(|place| json!({
                "attestor": key(&place.attestor), "schema": place.schema.get(),
                "value_hash": hex::encode(place.value_hash), "expires_at": place.expires_at.get(),
            })).collect::<Vec<_>>(),
        }),
        Some(Decoded::Requirements(requirements)) => {
            let c = &requirements.criteria;
            let rules = |rules: &[CredentialRule; 4]| -> Vec<Value> {
                let used = rules.iter().filter(|rule| rule.attestor != Key::default());
                used.map(|rule| json!({"attestor": key(&rule.attestor), "schema": rule.schema.get()})).collect()
            };
            json!({
                "client": key(&requirements.client), "rent_payer": key(&requirements.rent_payer),
                "hash": hex::encode(c.hash()), "gpu_model": c.gpu_model.get(), "gpu_count": c.gpu_count.get(),
                "vram_mib": c.vram_mib.get(), "cpu_cores": c.cpu_cores.get(), "memory_mib": c.memory_mib.get(),
                "disk_gib": c.disk_gib.get(), "bandwidth_mbps": c.bandwidth_mbps.get(),
                "regions": c.regions.iter().map(|r| r.get()).filter(|r| *r != 0).collect::<Vec<_>>(),
                "min_bond": c.min_bond.get().to_string(), "all_of": rules(&c.all_of), "any_of": rules(&c.any_of),
                "allowed": c.allowed.iter().filter_map(known).collect::<Vec<_>>(),
            })
        }
        None => json!({"bytes": hex::encode(&row.data)}),
    }
}
