//! What keeps people from being wronged cannot change unnoticed either.

use super::{add_to, change, noticed, until, DISCRIMINATOR};
use joule_sdk::{
    escrow::state::{Dispute, Panel, Resolver, Round},
    registry::state::{Attestation, Attestations, Requirements},
    staking::state::Bond,
};
use std::mem::offset_of;

#[test]
fn a_stake_that_stands_behind_more_or_less_than_its_seats_is_noticed() {
    let (mut stage, panel) = until(|model| model.enrolled.keys().next().map(|(panel, _)| *panel));
    let engaged = offset_of!(Panel, resolvers) + offset_of!(Resolver, engaged);
    add_to(&mut stage, &panel, engaged, 1);
    noticed(&mut stage, "stakes of");
}

#[test]
fn a_bond_that_answers_to_a_service_nobody_named_is_noticed() {
    let (mut stage, bond) = until(|model| model.bonds.keys().next().copied());
    change(&mut stage, &bond, |account| account.data[DISCRIMINATOR + offset_of!(Bond, services)] ^= 4);
    noticed(&mut stage, "services of");
}

#[test]
fn requirements_that_are_retired_behind_their_clients_back_are_noticed() {
    let (mut stage, paper) =
        until(|model| model.min_bonds.keys().find(|paper| model.papers.contains_key(*paper)).copied());
    add_to(&mut stage, &paper, offset_of!(Requirements, retired_at), 1);
    noticed(&mut stage, "retired of");
}

#[test]
fn a_credential_that_is_older_or_lasts_longer_than_was_said_is_noticed() {
    let (mut stage, paper) = until(|model| {
        let live = model.credentials.iter().find(|(_, all)| all.len() == 1 && all[0].expires_at > all[0].since);
        live.map(|(paper, _)| *paper)
    });
    let place = offset_of!(Attestations, places);
    for field in [offset_of!(Attestation, since), offset_of!(Attestation, expires_at)] {
        add_to(&mut stage, &paper, place + field, -1);
        noticed(&mut stage, "credentials of");
        add_to(&mut stage, &paper, place + field, 1);
    }
}

#[test]
fn a_third_output_that_weighs_more_or_wins_for_nothing_is_noticed() {
    let (mut stage, dispute) = until(|model| model.trials.values().next().map(|trial| trial.address));
    add_to(&mut stage, &dispute, offset_of!(Dispute, rounds) + offset_of!(Round, weight), 1);
    noticed(&mut stage, "weight of");
    add_to(&mut stage, &dispute, offset_of!(Dispute, rounds) + offset_of!(Round, weight), -1);
    add_to(&mut stage, &dispute, offset_of!(Dispute, third), 1);
    noticed(&mut stage, "the third output that won of");
}
