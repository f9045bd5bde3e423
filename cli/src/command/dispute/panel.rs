//! Panels: being one of the resolvers that are drawn from, and who they are.

use crate::{
    act::{Actor, Token},
    context::Options,
    failure::Failure,
    output,
};
use joule_sdk::{
    escrow::{
        constants::PANEL_EPOCH,
        state::{epoch_at, Panel},
    },
    instruction::{escrow, staking},
    pda,
    staking::state::Claim,
    units::UnixTime,
    Chain,
};
use serde_json::json;

/// Past epochs that are looked through for stakes.
const PAST: u64 = 16;

/// A token's panels, as of now.
struct Panels {
    chain: Chain,
    token: Token,
    /// Unix seconds of the chain's clock, and the epoch that it is in.
    now: i64,
    epoch: u64,
}

impl Panels {
    async fn of(options: &Options, mint: Option<&str>) -> Result<Self, Failure> {
        let chain = options.chain()?;
        let token = Token::of(options, &chain, mint).await?;
        let now = chain.now().await?;
        Ok(Self { chain, token, now, epoch: epoch_at(UnixTime::new(now)) })
    }
}

pub(super) async fn enroll(options: &Options, amount: &str, mint: Option<&str>) -> Result<(), Failure> {
    let (actor, panels) = (Actor::of(options)?, Panels::of(options, mint).await?);
    let (me, mint, next) = (actor.key(), panels.token.mint, panels.epoch + 1);
    let stake = panels.token.amount(amount)?;
    let panel = pda::panel(&mint, next);
    let enroll = escrow::enroll(me, me, mint, next, stake);
    let done = format!("enrolled for the epoch that begins {}, in panel", begin_of(next));
    actor.send(options, &[enroll], ("panel", &panel), &done).await
}

/// Stakes of panels that can still be needed stay.
pub(super) async fn unenroll(options: &Options, mint: Option<&str>) -> Result<(), Failure> {
    let (actor, panels) = (Actor::of(options)?, Panels::of(options, mint).await?);
    let (chain, signer, me) = (&panels.chain, &actor.signer, actor.key());
    let (mut freed, mut locked) = (Vec::new(), Vec::new());
    for epoch in panels.epoch.saturating_sub(PAST)..=panels.epoch + 1 {
        let panel = pda::panel(&panels.token.mint, epoch);
        let address = pda::seat_claim(&panel, &me);
        if let Some(claim) = chain.find::<Claim>(&address).await? {
            let tranches = &claim.tranches[..usize::from(claim.count)];
            let until = tranches.iter().map(|tranche| tranche.until.get()).max().unwrap_or_default();
            let row = json!({ "epoch": epoch, "stake": claim.total.get().to_string(), "until": until });
            if until > panels.now {
                locked.push(row);
                continue;
            }
            chain.send(&[staking::release_expired(address, &claim)], &[signer]).await?;
            freed.push(row);
        }
        let is_old = |state: &Panel| state.needed_until().is_ok_and(|until| panels.now > until);
        if let Some(state) = chain.find::<Panel>(&panel).await?.filter(is_old) {
            chain.send(&[escrow::close_panel(panel, &state)], &[signer]).await?;
        }
    }
    if options.json {
        return output::json(&json!({ "freed": freed, "locked": locked }));
    }
    let mut table = output::table(["epoch", "stake", "is"]);
    for (rows, is_locked) in [(freed, false), (locked, true)] {
        for row in rows {
            let stake = row["stake"].as_str().and_then(|stake| stake.parse().ok()).unwrap_or_default();
            let until = output::time(row["until"].as_i64().unwrap_or_default());
            let is = if is_locked { format!("locked until {until}") } else { "free again".to_owned() };
            table.add_row([row["epoch"].to_string(), panels.token.format(stake), is]);
        }
    }
    println!("{table}");
    Ok(())
}

pub(super) async fn show(options: &Options, mint: Option<&str>, next: bool) -> Result<(), Failure> {
    let panels = Panels::of(options, mint).await?;
    let epoch = panels.epoch + u64::from(next);
    let address = pda::panel(&panels.token.mint, epoch);
    let panel = panels.chain.find::<Panel>(&address).await?;
    let panel = panel.ok_or_else(|| {
        Failure::NotFound(format!("nobody is enrolled for epoch {epoch}: no panel can be drawn in it"))
    })?;
    if options.json {
        let resolvers: Vec<_> = panel
            .enrolled()
            .iter()
            .map(|r| {
                let [stake, left, engaged] = [r.stake, r.left, r.engaged].map(|amount| amount.get().to_string());
                json!({ "resolver": r.resolver.to_string(), "stake": stake, "left": left, "engaged": engaged })
            })
            .collect();
        return output::json(&json!({
            "panel": address.to_string(),
            "mint": panel.mint.to_string(),
            "epoch": epoch,
            "begins": epoch as i64 * PANEL_EPOCH,
            "ends": panel.ends_at(),
            "resolvers": resolvers,
        }));
    }
    let mut facts = output::table(["panel", &address.to_string()]);
    facts.add_rows([
        ["token", &panel.mint.to_string()],
        ["epoch", &epoch.to_string()],
        ["disputes draw from it from", &begin_of(epoch)],
        ["until", &begin_of(epoch + 1)],
    ]);
    let mut resolvers = output::table(["resolver", "stake", "left of it", "behind seats"]);
    for r in panel.enrolled() {
        resolvers.add_row([
            r.resolver.to_string(),
            panels.token.format(r.stake.get()),
            panels.token.format(r.left.get()),
            panels.token.format(r.engaged.get()),
        ]);
    }
    println!("{facts}\n{resolvers}");
    Ok(())
}

fn begin_of(epoch: u64) -> String {
    output::time(epoch as i64 * PANEL_EPOCH)
}
