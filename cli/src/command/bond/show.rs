//! What a bond holds, and who may lock it.

use super::{claims, services, Found};
use crate::{context::Options, failure::Failure, output, view::View};

pub(super) async fn show(options: &Options, found: &Found) -> Result<(), Failure> {
    let bond = found.bond().await?;
    let chain = &found.actor.chain;
    let held = chain.claims_on(&found.address).await?;
    let held = claims::explain(chain, &bond, &held).await?;
    let free = bond.free().unwrap_or_default();
    let releasable = found.ended().await?.iter().fold(0u64, |sum, ended| sum.saturating_add(ended.amount));
    let mint = bond.mint.to_string();
    let view = View::of(options, [mint.as_str()]).await;
    if options.json {
        return view.json(
            &serde_json::json!({
                "bond": found.address.to_string(),
                "owner": bond.owner.to_string(),
                "mint": mint,
                "withdrawer": bond.withdrawer.to_string(),
                "amount": bond.amount.get().to_string(),
                "locked": bond.locked.get().to_string(),
                "unbonding": bond.unbonding.get().to_string(),
                "unbonds_at": bond.unbonds_at.get(),
                "free": free.to_string(),
                "kept": bond.kept.get().to_string(),
                "failed": bond.failed.get().to_string(),
                "open_claims": bond.claims.get(),
                "services": services::named(bond.services),
                "releasable": releasable.to_string(),
                "claims": held.iter().map(claims::Held::json).collect::<Vec<_>>(),
            }),
            None,
        );
    }
    let tokens = |amount: u64| view.amount(&mint, amount);
    let unbonding = match bond.unbonding.get() {
        0 => "-".to_owned(),
        amount => format!("{}, can be withdrawn from {}", tokens(amount), view.moment(bond.unbonds_at.get())),
    };
    let services = match services::named(bond.services) {
        named if named.is_empty() => "nobody: `joule provider bond services --name escrow,billing`".to_owned(),
        named => named.join(", "),
    };
    let releasable = match releasable {
        0 => "-".to_owned(),
        amount => format!("{}: `joule provider bond release`", tokens(amount)),
    };
    let mut table = output::table(["bond", &found.address.to_string()]);
    table.add_rows([
        ["owner", &bond.owner.to_string()],
        ["token", &mint],
        ["withdrawer", &bond.withdrawer.to_string()],
        ["amount", &tokens(bond.amount.get())],
        ["may be locked by", &services],
        ["locked", &format!("{} by {} claims", tokens(bond.locked.get()), bond.claims.get())],
        ["past its end", &releasable],
        ["on its way out", &unbonding],
        ["free", &tokens(free)],
        ["kept", &tokens(bond.kept.get())],
        ["failed", &tokens(bond.failed.get())],
    ]);
    println!("{table}");
    if !held.is_empty() {
        println!("{}", claims::table(&held, &mint, &view));
    }
    Ok(())
}
