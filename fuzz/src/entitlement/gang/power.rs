//! What those who govern can do.

use super::Action;
use crate::entitlement::{
    calls,
    cast::Role,
    play::{Play, What},
};
use joule_sdk::{
    instruction::{registry, staking, treasury},
    pda,
    staking::state::{Bond, Claim},
    units::{Amount, Breaker, Seconds},
    Instruction, Pubkey,
};
use joule_tests::staking::{through, Way, SERVICE};

type Planned = Option<Vec<Instruction>>;

pub const ACTIONS: &[Action] = &[
    ("stage a fee", 2, stage_fee),
    ("apply a fee", 2, apply_fee),
    ("pause", 2, pause),
    ("unpause", 1, unpause),
    ("update the mint", 2, update_mint),
    ("set a breaker", 1, set_breaker),
    ("withdraw fees", 2, withdraw_fees),
    ("set an attestor", 3, set_attestor),
    ("admit a service", 3, admit),
    ("name a service", 8, name),
    ("lock by a service of one's own", 5, lock),
    ("slash by a service of one's own", 5, slash),
    ("propose an authority", 1, propose),
];

fn authority(play: &mut Play) -> Option<(Pubkey, Pubkey)> {
    play.rogue_that(|person| person.role == Role::Authority)
}

fn stage_fee(play: &mut Play) -> Planned {
    let (who, _) = authority(play)?;
    Some(vec![treasury::stage_fee(who, play.rng.u8(..2), play.rng.u16(150..350))])
}

fn apply_fee(play: &mut Play) -> Planned {
    Some(vec![treasury::apply_fee(play.rng.u8(..2))])
}

fn pause(play: &mut Play) -> Planned {
    let (who, _) = play.rogue_that(|person| matches!(person.role, Role::Authority | Role::Guardian))?;
    Some(vec![treasury::pause(who, play.rng.u8(..2))])
}

fn unpause(play: &mut Play) -> Planned {
    let (who, _) = authority(play)?;
    Some(vec![treasury::unpause(who, play.rng.u8(..2))])
}

fn update_mint(play: &mut Play) -> Planned {
    let (who, _) = authority(play)?;
    let least = [0, 1_000, 1_000_000, u64::MAX][play.rng.usize(..4)];
    let is_enabled = play.chance(70);
    Some(vec![treasury::update_mint(who, play.cast.mint, is_enabled, least)])
}

fn set_breaker(play: &mut Play) -> Planned {
    let (who, _) = authority(play)?;
    let breaker = Breaker { limit: Amount::new(play.rng.u64(1..1_000_000)), window: Seconds::new(86_400) };
    Some(vec![treasury::set_breaker(who, play.cast.mint, breaker)])
}

fn withdraw_fees(play: &mut Play) -> Planned {
    let (who, tokens) = authority(play)?;
    Some(vec![treasury::withdraw_fees(who, play.cast.mint, tokens, play.cast.program, play.rng.u64(1..100_000))])
}

fn set_attestor(play: &mut Play) -> Planned {
    let (who, _) = authority(play)?;
    let attestors: Vec<Pubkey> = play.cast.with(Role::Attestor).map(|person| person.key).collect();
    let (attestor, is_enabled) = (play.pick(&attestors)?, play.chance(60));
    Some(vec![registry::set_attestor(who, attestor, is_enabled)])
}

fn admit(play: &mut Play) -> Planned {
    let (who, _) = authority(play)?;
    Some(vec![calls::admit(who, SERVICE)])
}

/// Of one's own, or of somebody who does not know better.
fn name(play: &mut Play) -> Planned {
    let (who, _) = play.rogue_that(|person| person.has_bond())?;
    let all = play.all(What::Bond);
    let own = pda::bond(&who, &play.cast.mint);
    let bond = if play.chance(70) { own } else { play.pick(&all)? };
    let number = if play.chance(60) { calls::OWN_SERVICE } else { play.rng.u8(..4) };
    let is_named = play.chance(70);
    Some(vec![calls::name(who, bond, number, is_named)])
}

/// The gang has written a program that signs whatever it is told to.
fn lock(play: &mut Play) -> Planned {
    let (who, _) = play.rogue()?;
    let all = play.all(What::Bond);
    let bond = play.pick(&all)?;
    let free = play.read::<Bond>(&bond)?.free().ok()?;
    let lock = calls::lock(who, SERVICE, bond, Pubkey::new_from_array([33; 32]), free, play.now + 1_000);
    Some(vec![through(SERVICE, Way::Lock, lock)])
}

fn slash(play: &mut Play) -> Planned {
    let (_, tokens) = play.rogue()?;
    let all = play.all(What::Claim);
    let claims = all.into_iter().filter_map(|address| Some((address, play.read::<Claim>(&address)?)));
    let signer = pda::claim_signer(&SERVICE);
    let mine: Vec<(Pubkey, Claim)> = claims.filter(|(_, claim)| claim.signer == signer).collect();
    let (address, claim) = play.pick(&mine)?;
    let slash = staking::slash(address, &claim, tokens, play.cast.program, u64::MAX, true);
    Some(vec![through(SERVICE, Way::Slash, slash)])
}

fn propose(play: &mut Play) -> Planned {
    let (who, _) = authority(play)?;
    let (next, _) = play.rogue()?;
    Some(vec![treasury::propose_authority(who, next)])
}
