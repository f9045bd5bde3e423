//! Panels: being one of the resolvers that are drawn from, and who they are.

use crate::{act::Actor, command::bond::claims::PAST_EPOCHS, context::Options, failure::Failure, output, token::Token};
use joule_sdk::{
    escrow::{
        constants::PANEL_EPOCH,
        state::{epoch_at, Panel},
    },
    instruction::{escrow, staking},
    pda,
    staking::state::{Bond, Claim},
    units::UnixTime,
    Chain,
};
use joule_settings::Amount;
use serde_json::json;

/// A token's panels, as of now.
struct Panels {
    chain: Chain,
    token: Token,
    /// Unix seconds of the chain's clock, and the epoch that it is in.
    now: i64,
    epoch: u64,
}

impl Panels {
    async fn of(options: &Options) -> Result<Self, Failure> {
        let chain = options.chain()?;
        let token = Token::of(options, &chain).await?;
        let now = chain.now().await?;
        Ok(Self { chain, token, now, epoch: epoch_at(UnixTime::new(now)) })
    }

    fn begin_of(&self, epoch: u64) -> String {
        joule_settings::moment(epoch as i64 * PANEL_EPOCH, self.now)
    }
}

pub(super) async fn enroll(options: &Options, amount: &Amount) -> Result<(), Failure> {
    let (actor, panels) = (Actor::of(options)?, Panels::of(options).await?);
    let (me, mint, next) = (actor.key(), panels.token.mint, panels.epoch + 1);
    let stake = panels.token.units(amount)?;
    let panel = pda::panel(&mint, next);
    can_stake(options, &actor, &panels.token, stake).await?;
    let enroll = escrow::enroll(me, me, mint, next, stake);
    let (shown, begins) = (panels.token.show(stake), panels.begin_of(next));
    let done = format!("enrolled {shown} for the epoch that begins {begins}, in panel {panel}");
    let more = panels.token.label(json!({ "stake": stake.to_string(), "epoch": next }));
    actor.tell(options, &[enroll], ("panel", &panel), &done, more).await
}

/// Refuses where the signer's bond has less than the stake that nobody holds yet.
async fn can_stake(options: &Options, actor: &Actor, token: &Token, stake: u64) -> Result<(), Failure> {
    let who = options.who(&actor.key());
    let bond = actor.chain.find::<Bond>(&pda::bond(&actor.key(), &token.mint)).await?;
    let bond = bond.ok_or_else(|| {
        Failure::Refused(format!("{who} has no bond, of which the stake is taken: `joule provider bond open`"))
    })?;
    // What is on its way out backs new claims too.
    let free = bond.amount.get().saturating_sub(bond.locked.get());
    match free >= stake {
        true => Ok(()),
        false => Err(Failure::Refused(format!(
            "{who} has {} of its bond that nobody holds, the stake is {}",
            token.show(free),
            token.show(stake)
        ))),
    }
}

/// Stakes of panels that can still be needed stay.
pub(super) async fn unenroll(options: &Options) -> Result<(), Failure> {
    let (actor, panels) = (Actor::of(options)?, Panels::of(options).await?);
    let (chain, signer, me) = (&panels.chain, &actor.signer, actor.key());
    let (mut freed, mut locked) = (Vec::new(), Vec::new());
    for epoch in panels.epoch.saturating_sub(PAST_EPOCHS)..=panels.epoch + 1 {
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
        return output::json(&panels.token.label(json!({ "freed": freed, "locked": locked })));
    }
    let mut table = output::table(["epoch", "stake", "is"]);
    for (rows, is_locked) in [(freed, false), (locked, true)] {
        for row in rows {
            let stake = row["stake"].as_str().and_then(|stake| stake.parse().ok()).unwrap_or_default();
            let until = joule_settings::moment(row["until"].as_i64().unwrap_or_default(), panels.now);
            let is = if is_locked { format!("locked until {until}") } else { "free again".to_owned() };
            table.add_row([row["epoch"].to_string(), panels.token.show(stake), is]);
        }
    }
    println!("{table}");
    Ok(())
}

pub(super) async fn show(options: &Options, next: bool) -> Result<(), Failure> {
    let panels = Panels::of(options).await?;
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
        return output::json(&panels.token.label(json!({
            "panel": address.to_string(),
            "mint": panel.mint.to_string(),
            "epoch": epoch,
            "begins": epoch as i64 * PANEL_EPOCH,
            "ends": panel.ends_at(),
            "resolvers": resolvers,
        })));
    }
    let mut facts = output::table(["panel", &address.to_string()]);
    facts.add_rows([
        ["token", &panel.mint.to_string()],
        ["epoch", &epoch.to_string()],
        ["disputes draw from it from", &panels.begin_of(epoch)],
        ["until", &panels.begin_of(epoch + 1)],
    ]);
    let mut resolvers = output::table(["resolver", "stake", "left of it", "behind seats"]);
    for r in panel.enrolled() {
        resolvers.add_row([
            r.resolver.to_string(),
            panels.token.show(r.stake.get()),
            panels.token.show(r.left.get()),
            panels.token.show(r.engaged.get()),
        ]);
    }
    println!("{facts}\n{resolvers}");
    Ok(())
}
