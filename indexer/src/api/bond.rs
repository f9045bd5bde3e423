//! Bonds.

use super::{answer, error::Refused, extract::Target, ApiError, State};
use axum::{extract::State as From, Json};
use joule_api::BondWithClaims;

/// What somebody answers with: one bond a token, each with the claims on it.
///
/// Empty for whoever has none. Reputation is as the bond's account has it, decayed to `scored_at`.
#[utoipa::path(get, path = "/v1/bonds/{owner}", operation_id = "list_bonds", tag = "providers",
    params(("owner" = String, Path, description = "Whom the bonds speak for; for a provider, its authority")),
    responses(
        (status = 200, description = "The bonds, by address", body = Vec<BondWithClaims>),
        Refused,
    ))]
pub async fn list(From(state): From<State>, Target(owner): Target) -> Result<Json<Vec<BondWithClaims>>, ApiError> {
    answer::read(move || {
        let bonds = state.view.bonds(&owner)?.into_iter().map(|bond| {
            let claims = match bond.address.parse() {
                Ok(address) => state.view.claims(&address)?,
                Err(_) => Vec::new(),
            };
            Ok(BondWithClaims { bond, claims })
        });
        Ok(Json(bonds.collect::<Result<_, ApiError>>()?))
    })
    .await
}
