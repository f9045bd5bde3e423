//! Providers, credentials, requirements, bonds and stakes.

use super::{some, Action};
use crate::entitlement::{
    calls,
    cast::Role,
    play::{Play, What},
};
use joule_sdk::{
    instruction::{
        registry::{self, Statement},
        staking::{self, StakeAccounts},
    },
    pda,
    registry::state::{Attestations, Credential, Criteria, Provider, ProviderStatus, Requirements, Wanted},
    staking::state::{Bond, Claim, Stake},
    Instruction, Pubkey,
};

type Planned = Option<Vec<Instruction>>;

pub const ACTIONS: &[Action] = &[
    ("register", 2, register),
    ("update", 2, update),
    ("pause or retire", 2, leave),
    ("attest", 6, attest),
    ("define requirements", 10, define),
    ("deposit into a bond", 3, deposit),
    ("stake", 2, stake),
    ("unstake", 1, unstake),
    ("open a bond", 1, open_bond),
    ("unbond", 3, unbond),
    ("cancel unbonding", 1, cancel_unbond),
    ("withdraw a bond", 2, withdraw_bond),
    ("close a bond", 1, close_bond),
    ("release what has expired", 4, release_expired),
    ("revoke", 8, revoke),
    ("close attestations", 2, close_attestations),
    ("be rid of requirements", 12, discard),
];

fn register(play: &mut Play) -> Planned {
    let (who, _) = play.rogue()?;
    Some(vec![registry::register(who, who, crate::stage::profile(who))])
}

fn update(play: &mut Play) -> Planned {
    let (who, _) = play.rogue_that(|person| person.is_provider())?;
    let mut profile = crate::stage::profile(who);
    profile.attributes.region = play.rng.u16(..3);
    profile.attributes.gpu_count = play.rng.u16(..3);
    Some(vec![registry::update(who, profile)])
}

fn leave(play: &mut Play) -> Planned {
    let (who, _) = play.rogue_that(|person| person.is_provider())?;
    let status = if play.chance(70) { ProviderStatus::Active } else { ProviderStatus::Paused };
    let state = play.read::<Provider>(&pda::provider(&who))?;
    Some(match play.chance(80) {
        true => vec![registry::set_status(who, status)],
        false => vec![registry::retire(who, state.rent_payer)],
    })
}

fn attest(play: &mut Play) -> Planned {
    let (attestor, _) = play.rogue_that(|person| person.role == Role::Attestor)?;
    let (subject, _) = play.anybody();
    let expires_at = play.now + [600, 40_000, 20_000_000][play.rng.usize(..3)];
    let statement = Statement { subject, schema: 1, value_hash: [0; 32], expires_at };
    Some(vec![registry::attest(attestor, attestor, statement)])
}

fn define(play: &mut Play) -> Planned {
    let (client, _) = play.rogue()?;
    let mut wanted = Wanted::default();
    let attestors: Vec<Pubkey> = play.cast.with(Role::Attestor).map(|person| pda::attestor(&person.key)).collect();
    let attestor = play.pick(&attestors)?;
    match play.rng.u32(..8) {
        0..=2 => wanted.all_of[0] = Credential { attestor, schema: 1 },
        3 => wanted.any_of[0] = Credential { attestor, schema: 0 },
        4 => wanted.min_bond = play.rng.u64(1..10_000_000),
        5 => {
            for place in &mut wanted.allowed {
                *place = pda::provider(&play.cast.people[play.rng.usize(..play.cast.people.len())].key);
            }
        }
        _ => wanted.min_bond = play.rng.u64(1..1_000),
    }
    let address = pda::requirements(&client, &wanted.hash());
    play.papers.insert(address, Criteria::from(&wanted));
    Some(vec![registry::define_requirements(client, client, wanted)])
}

fn discard(play: &mut Play) -> Planned {
    let address = some(play, What::Requirements)?;
    let state = play.read::<Requirements>(&address)?;
    let all = calls::discard_requirements(address, &state);
    Some(vec![play.pick(&all)?])
}

/// What an attestor has said of one or of several.
fn revoke(play: &mut Play) -> Planned {
    let (signer, _) = play.rogue_that(|person| matches!(person.role, Role::Attestor | Role::Authority))?;
    let attestor = match play.cast.of(&signer)?.role {
        Role::Attestor => signer,
        _ => play.cast.with(Role::Attestor).next()?.key,
    };
    let of = pda::attestor(&attestor);
    let has = |state: &Attestations| state.places.iter().any(|place| place.attestor == of && place.is_live(play.now));
    let all = play.all(What::Attestations).into_iter().filter_map(|address| play.read::<Attestations>(&address));
    let mut subjects: Vec<Pubkey> = all.filter(|state| has(state)).map(|state| state.subject).collect();
    play.rng.shuffle(&mut subjects);
    subjects.truncate(play.rng.usize(1..5));
    Some(subjects.into_iter().map(|subject| registry::revoke(signer, attestor, subject, 1)).collect())
}

fn close_attestations(play: &mut Play) -> Planned {
    let all = play.all(What::Attestations);
    let state = play.pick(&all).and_then(|address| play.read::<Attestations>(&address))?;
    Some(vec![registry::close_attestations(state.subject, state.rent_payer)])
}

fn open_bond(play: &mut Play) -> Planned {
    let (who, _) = play.rogue()?;
    Some(vec![staking::open_bond(who, who, play.cast.mint, play.cast.program, who)])
}

fn deposit(play: &mut Play) -> Planned {
    let (who, tokens) = play.rogue()?;
    let all = play.all(What::Bond);
    let bond = play.pick(&all).and_then(|address| play.read::<Bond>(&address))?;
    let amount = play.rng.u64(1..5_000_000);
    Some(vec![calls::deposit_bond(who, tokens, &bond, play.cast.program, amount)])
}

fn own_bond(play: &mut Play) -> Option<(Pubkey, Bond)> {
    let (who, _) = play.rogue_that(|person| person.has_bond())?;
    let address = pda::bond(&who, &play.cast.mint);
    Some((address, play.read::<Bond>(&address)?))
}

fn unbond(play: &mut Play) -> Planned {
    let (address, bond) = own_bond(play)?;
    let free = bond.free().ok().filter(|free| *free > 0)?;
    let amount = if play.chance(50) { free } else { play.rng.u64(1..=free) };
    Some(vec![staking::unbond(bond.withdrawer, address, amount)])
}

fn cancel_unbond(play: &mut Play) -> Planned {
    let (address, bond) = own_bond(play)?;
    Some(vec![staking::cancel_unbond(bond.withdrawer, address)])
}

fn withdraw_bond(play: &mut Play) -> Planned {
    let (address, bond) = own_bond(play)?;
    let tokens = play.tokens_of(&bond.withdrawer);
    Some(vec![staking::withdraw_bond(bond.withdrawer, address, tokens, play.cast.program)])
}

fn close_bond(play: &mut Play) -> Planned {
    let (address, bond) = own_bond(play)?;
    let tokens = play.tokens_of(&bond.withdrawer);
    Some(vec![staking::close_bond(address, &bond, tokens, play.cast.program)])
}

fn release_expired(play: &mut Play) -> Planned {
    let all = play.all(What::Claim);
    let address = play.pick(&all)?;
    let claim = play.read::<Claim>(&address)?;
    Some(vec![staking::release_expired(address, &claim)])
}

fn stake(play: &mut Play) -> Planned {
    let (who, source) = play.rogue()?;
    let (mint, token_program) = (play.cast.mint, play.cast.program);
    let accounts = StakeAccounts { payer: who, owner: who, source, mint, token_program };
    Some(vec![staking::stake(accounts, play.rng.u64(1..10_000_000), play.rng.u32(..30_000_000))])
}

fn unstake(play: &mut Play) -> Planned {
    let all = play.all(What::Stake);
    let stake = play.pick(&all).and_then(|address| play.read::<Stake>(&address))?;
    Some(vec![staking::unstake(stake.owner, play.cast.mint, stake.amount.get().max(1))])
}
