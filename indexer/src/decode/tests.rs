//! Every account and every event of every program comes back as it was, and says whom it is about.

use super::*;
use crate::{
    fuzz::samples::{self, filled, Sample},
    types::Address,
};
use anchor_lang::{bytemuck, Discriminator, Event};
use joule_billing::{event as billing, state as channels};
use joule_escrow::event as escrow;
use joule_staking::event as staking;

/// A slot of today's layouts.
const AT: u64 = 1_000;

#[test]
fn every_account_of_every_program_is_decoded() {
    for Sample { program, name, data } in samples::accounts() {
        let state = account(program, AT, &data).unwrap();
        assert_eq!(state.kind(), name);
        for other in Program::ALL.into_iter().filter(|other| *other != program) {
            assert!(matches!(account(other, AT, &data), Err(DecodeError::Unknown { .. })), "{name} of {other:?}");
        }
        let cut = account(program, AT, &data[..data.len() - 1]);
        assert!(matches!(cut, Err(DecodeError::Size { .. })), "{name} cut off");
        let fields = state.fields();
        assert!(fields.as_object().is_some_and(|fields| fields.len() > 1), "{} {fields}", state.kind());
    }
}

#[test]
fn every_event_of_every_program_is_decoded_and_named() {
    let events = samples::events();
    assert_eq!(events.len(), 90);
    for Sample { program, name, data } in events {
        let fact = event::event(program, AT, &data).unwrap();
        assert_eq!(fact.name(), name);
        assert!(!fact.accounts().is_empty(), "{name} is about something");
        assert!(fact.data().as_object().is_some_and(|fields| !fields.is_empty()), "{name}");
        for row in fact.rows() {
            assert!(fact.accounts().contains(&row.address()), "{name} concerns what it changes");
        }
        if let Some(life) = fact.life() {
            assert!(fact.accounts().contains(&life.address), "{name} concerns what it closes");
        }
        assert!(event::event(program, AT, &data[..data.len() - 1]).is_err(), "{name} cut off");
    }
}

#[test]
fn amounts_are_decimal_strings_hashes_hex_and_addresses_base58() {
    let event = escrow::JobChallenged { deposit: u64::MAX.into(), panel: Default::default(), mode: 2, ..filled() };
    let data = event::event(Program::Escrow, AT, &event.data()).unwrap().data();
    assert_eq!(data["deposit"], u64::MAX.to_string());
    assert_eq!(data["counter_result"], hex::encode(event.counter_result));
    assert_eq!(data["job"], Address::from(&event.job).to_string());
    assert_eq!((&data["panel"], &data["mode"]), (&serde_json::Value::Null, &serde_json::json!("panel")));
    assert_eq!(data["opened_at"], event.opened_at.get());
}

#[test]
fn what_an_event_closes_is_known_by_its_flag() {
    let released = |closed| staking::ClaimReleased { closed, ..filled() };
    let life = |event: staking::ClaimReleased| event::event(Program::Staking, AT, &event.data()).unwrap().life();
    assert_eq!(life(released(0)), None);
    let event = released(1);
    assert_eq!(life(event), Some(Life { address: (&event.claim).into(), kind: "claim", closed: true }));
    let withdrawn = escrow::BidWithdrawn { ..filled() };
    let fact = event::event(Program::Escrow, AT, &withdrawn.data()).unwrap();
    assert_eq!(fact.life(), Some(Life { address: (&withdrawn.bid).into(), kind: "bid", closed: true }));
    assert!(fact.rows().is_empty());
    let accepted = |bid| escrow::JobAccepted { bid, ..filled() };
    let life = |event: escrow::JobAccepted| event::event(Program::Escrow, AT, &event.data()).unwrap().life();
    assert_eq!(life(accepted(Default::default())), None, "taken without bidding");
    let won = accepted(withdrawn.bid);
    assert_eq!(life(won), Some(Life { address: (&won.bid).into(), kind: "bid", closed: true }));
}

#[test]
fn a_channel_is_closed_by_the_event_that_says_so_and_a_dispute_names_who_lost() {
    let event = billing::ChannelClosed { closed: 1, ..filled() };
    let fact = event::event(Program::Billing, AT, &event.data()).unwrap();
    assert_eq!(fact.life(), Some(Life { address: (&event.channel).into(), kind: "channel", closed: true }));
    assert_eq!(fact.rows(), [Row::Channel((&event.channel).into())]);
    let open = billing::ChannelClosed { closed: 0, ..event };
    assert_eq!(event::event(Program::Billing, AT, &open.data()).unwrap().life(), None);
    let settled = billing::PlanSettled { closed: 1, ..filled() };
    let fact = event::event(Program::Billing, AT, &settled.data()).unwrap();
    assert_eq!(fact.rows(), [Row::Channel((&settled.channel).into()), Row::Plan((&settled.plan).into())]);
    let lost = |verdict| billing::BillDisputed { verdict, ..filled() };
    let against =
        |verdict| event::event(Program::Billing, AT, &lost(verdict).data()).unwrap().data()["against"].clone();
    assert_eq!([against(1), against(2)], ["provider", "payer"]);
}

#[test]
fn an_unknown_discriminator_is_refused_with_its_name() {
    let error = event::event(Program::Staking, AT, &[7; 40]).err().unwrap().to_string();
    assert!(error.contains("staking has no event") && error.contains("0707070707070707"), "{error}");
}

mod upgraded {
    use super::*;
    use crate::decode::{
        earlier::{self, bytes},
        layout, Upgrade, Upgrades,
    };

    const BOUNDARY: u64 = 500;

    fn at(slots: &[u64]) -> Upgrades {
        let all: Vec<_> = slots.iter().map(|slot| Upgrade { program: Program::Billing, slot: *slot }).collect();
        Upgrades::new(&all).unwrap()
    }

    fn plan_of(state: Result<State, DecodeError>) -> Option<channels::Plan> {
        match state {
            Ok(State::Plan(plan)) => Some(plan),
            _ => None,
        }
    }

    #[test]
    fn an_account_is_read_by_the_layout_that_wrote_it_before_and_after_an_upgrade() {
        let (upgraded, old) = (at(&[BOUNDARY]), filled::<earlier::Plan>());
        let new = [channels::Plan::DISCRIMINATOR, bytemuck::bytes_of(&filled::<channels::Plan>())].concat();
        let read = |slot, data: &[u8]| plan_of(layout::account(&upgraded, Program::Billing, slot, data));
        // Written before and never since, it looks the same long after.
        for slot in [0, BOUNDARY - 1, BOUNDARY, BOUNDARY + 1_000_000] {
            let plan = read(slot, &bytes(&old)).unwrap();
            assert_eq!((plan.rate, plan.settled_until, plan.period.get()), (old.rate, old.started_at, 0));
        }
        for slot in [BOUNDARY, u64::MAX] {
            assert_eq!(read(slot, &new).unwrap().rate, filled::<channels::Plan>().rate);
        }
        assert!(read(BOUNDARY - 1, &new).is_none(), "nobody wrote that before");
        let cut = layout::account(&upgraded, Program::Billing, BOUNDARY, &bytes(&old)[..70]).err();
        assert!(matches!(cut, Some(DecodeError::Size { kind: "plan", expected: 88, got: 70 })), "{cut:?}");
    }

    #[test]
    fn an_event_is_read_by_the_layout_of_its_slot_alone() {
        let (upgraded, old, new) = (at(&[BOUNDARY]), filled::<earlier::Started>(), filled::<billing::PlanStarted>());
        let read = |slot, data: &[u8]| layout::event(&upgraded, Program::Billing, slot, data);
        let before = read(BOUNDARY - 1, &bytes(&old)).unwrap();
        assert_eq!((before.name(), before.data()["rate"].clone()), ("PlanStarted", old.rate.get().to_string().into()));
        assert_eq!(before.data()["period"], 0);
        assert_eq!(read(BOUNDARY, &new.data()).unwrap().data()["period"], new.period.get());
        assert!(read(BOUNDARY, &bytes(&old)).is_err(), "the program does not state that any more");
        assert!(read(BOUNDARY - 1, &new.data()).is_err(), "nor did it state this before");
    }

    #[test]
    fn where_nobody_said_when_a_layout_began_whatever_fits_reads() {
        let nobody = at(&[]);
        let new = filled::<billing::PlanStarted>();
        for slot in [0, BOUNDARY, u64::MAX] {
            assert!(layout::event(&nobody, Program::Billing, slot, &bytes(&filled::<earlier::Started>())).is_ok());
            assert!(layout::event(&nobody, Program::Billing, slot, &new.data()).is_ok());
            assert!(
                plan_of(layout::account(&nobody, Program::Billing, slot, &bytes(&filled::<earlier::Plan>()))).is_some()
            );
        }
    }

    #[test]
    fn upgrades_that_are_in_force_stay_so() {
        assert_eq!(Upgrades::usual().take_force(), Ok(()));
        assert_eq!(at(&[BOUNDARY]).take_force(), Err(crate::decode::UpgradeError::Taken));
    }
}
