//! Every account and every event of every program comes back as it was, and says whom it is about.

use super::*;
use crate::types::Address;
use anchor_lang::{bytemuck, Event};
use joule_billing::{event as billing, state as channels};
use joule_escrow::{event as escrow, state as jobs};
use joule_registry::{event as registry, state as providers};
use joule_staking::{event as staking, state as bonds};
use joule_treasury::{event as treasury, state as protocol};

/// Bytes that are different everywhere, so that no field can be taken for another. No byte is 0 or 1.
fn filled<T: bytemuck::Pod>() -> T {
    let bytes: Vec<u8> = (0..size_of::<T>()).map(|n| 2 + (n % 251) as u8).collect();
    bytemuck::pod_read_unaligned(&bytes)
}

fn account_of<T: Discriminator + bytemuck::Pod>(program: Program, kind: &str) -> State {
    let data = [T::DISCRIMINATOR, bytemuck::bytes_of(&filled::<T>())].concat();
    let state = account(program, &data).unwrap();
    assert_eq!(state.kind(), kind);
    for other in Program::ALL.into_iter().filter(|other| *other != program) {
        assert!(matches!(account(other, &data), Err(DecodeError::Unknown { .. })), "{kind} of {other:?}");
    }
    assert!(matches!(account(program, &data[..data.len() - 1]), Err(DecodeError::Size { .. })), "{kind} cut off");
    state
}

#[test]
fn every_account_of_every_program_is_decoded() {
    let (b, e, r) = (Program::Billing, Program::Escrow, Program::Registry);
    let (s, t) = (Program::Staking, Program::Treasury);
    let states = [
        account_of::<channels::Channel>(b, "channel"),
        account_of::<channels::Payer>(b, "payer"),
        account_of::<channels::Plan>(b, "plan"),
        account_of::<channels::Cluster>(b, "cluster"),
        account_of::<jobs::Job>(e, "job"),
        account_of::<jobs::Client>(e, "client"),
        account_of::<jobs::Bid>(e, "bid"),
        account_of::<jobs::Dispute>(e, "dispute"),
        account_of::<jobs::Vote>(e, "vote"),
        account_of::<jobs::Panel>(e, "panel"),
        account_of::<providers::Provider>(r, "provider"),
        account_of::<providers::Attestor>(r, "attestor"),
        account_of::<providers::Attestations>(r, "attestations"),
        account_of::<providers::Requirements>(r, "requirements"),
        account_of::<providers::Model>(r, "model"),
        account_of::<providers::PriceList>(r, "price_list"),
        account_of::<bonds::Bond>(s, "bond"),
        account_of::<bonds::Claim>(s, "claim"),
        account_of::<bonds::Pool>(s, "pool"),
        account_of::<bonds::Stake>(s, "stake"),
        account_of::<bonds::Service>(s, "service"),
        account_of::<protocol::Protocol>(t, "protocol"),
        account_of::<protocol::AcceptedMint>(t, "accepted_mint"),
    ];
    for state in &states {
        let fields = state.fields();
        assert!(fields.as_object().is_some_and(|fields| fields.len() > 1), "{} {fields}", state.kind());
    }
}

/// The event decoded, with what every event has to have: a subject, and fields as JSON.
fn event_of<T: Event + bytemuck::Pod>(program: Program) -> Fact {
    let data = filled::<T>().data();
    let fact = event::event(program, &data).unwrap();
    assert!(!fact.accounts().is_empty(), "{} is about something", fact.name());
    assert!(fact.data().as_object().is_some_and(|fields| !fields.is_empty()), "{}", fact.name());
    for row in fact.rows() {
        assert!(fact.accounts().contains(&row.address()), "{} concerns what it changes", fact.name());
    }
    if let Some(life) = fact.life() {
        assert!(fact.accounts().contains(&life.address), "{} concerns what it closes", fact.name());
    }
    assert!(event::event(program, &data[..data.len() - 1]).is_err(), "{} cut off", fact.name());
    fact
}

macro_rules! facts {
    ($program:expr, $of:ident: $($name:ident),* $(,)?) => {
        vec![$((stringify!($name), event_of::<$of::$name>($program))),*]
    };
}

fn all() -> Vec<(&'static str, Fact)> {
    let mut facts = facts!(Program::Escrow, escrow: JobOpened, BidPlaced, BidWithdrawn, JobAccepted, WorkReported,
        JobDelivered, JobSettled, JobRefunded, JobPaid, JobRedirected, JobChallenged, PanelDrawn, VoteCommitted,
        VoteRevealed, DisputeAppealed, DisputeResolved, VoteClosed, AbsentPunished, DisputeClosed, ResolverEnrolled,
        PanelClosed);
    facts.extend(facts!(Program::Registry, registry: ProviderRegistered, ProviderUpdated, ProviderStatusChanged,
        ProviderRetired, AttestorAdmitted, AttestorChanged, Attested, AttestationRevoked, AttestationsClosed,
        RequirementsDefined, RequirementsRetired, RequirementsClosed, ModelCreated, ModelUpdated, PricesPublished));
    facts.extend(
        facts!(Program::Billing, billing: ClusterInitialized, PayerCreated, Deposited, Reclaimed, ChannelOpened,
        ChannelToppedUp, SessionSet, Backed, Distributed, OwedClaimed, CloseRequested, ChannelClosed, PlanStarted,
        PlanPaused, PlanResumed, PlanTerminated, PlanSettled, BillDisputed),
    );
    facts.extend(facts!(Program::Staking, staking: PoolCreated, PoolUpdated, Staked, LockExtended, StakeRefreshed,
        Unstaked, StakeWithdrawn, RewardsClaimed, RewardsSynced, ServiceAdmitted, ServiceNamed, BondOpened,
        BondDeposited, UnbondingStarted, UnbondingCancelled, BondWithdrawn, BondClosed, ClaimLocked, ClaimReleased,
        ClaimSlashed));
    facts.extend(facts!(Program::Treasury, treasury: ProtocolInitialized, AuthorityProposed, AuthorityChanged,
        GuardianChanged, FeeChanged, MintAccepted, MintUpdated, ServicePaused, ServiceUnpaused, FeesWithdrawn, FeeStaged,
        FeeCancelled, BreakerChanged, BreakerStaged, RewardsChanged, FeesShared));
    facts
}

#[test]
fn every_event_of_every_program_is_decoded_and_named() {
    let facts = all();
    assert_eq!(facts.len(), 90);
    for (name, fact) in facts {
        assert_eq!(fact.name(), name);
    }
}

#[test]
fn amounts_are_decimal_strings_hashes_hex_and_addresses_base58() {
    let event = escrow::JobChallenged { deposit: u64::MAX.into(), panel: Default::default(), mode: 2, ..filled() };
    let data = event::event(Program::Escrow, &event.data()).unwrap().data();
    assert_eq!(data["deposit"], u64::MAX.to_string());
    assert_eq!(data["counter_result"], hex::encode(event.counter_result));
    assert_eq!(data["job"], Address::from(&event.job).to_string());
    assert_eq!((&data["panel"], &data["mode"]), (&serde_json::Value::Null, &serde_json::json!("panel")));
    assert_eq!(data["opened_at"], event.opened_at.get());
}

#[test]
fn what_an_event_closes_is_known_by_its_flag() {
    let released = |closed| staking::ClaimReleased { closed, ..filled() };
    let life = |event: staking::ClaimReleased| event::event(Program::Staking, &event.data()).unwrap().life();
    assert_eq!(life(released(0)), None);
    let event = released(1);
    assert_eq!(life(event), Some(Life { address: (&event.claim).into(), kind: "claim", closed: true }));
    let withdrawn = escrow::BidWithdrawn { ..filled() };
    let fact = event::event(Program::Escrow, &withdrawn.data()).unwrap();
    assert_eq!(fact.life(), Some(Life { address: (&withdrawn.bid).into(), kind: "bid", closed: true }));
    assert!(fact.rows().is_empty());
    let accepted = |bid| escrow::JobAccepted { bid, ..filled() };
    let life = |event: escrow::JobAccepted| event::event(Program::Escrow, &event.data()).unwrap().life();
    assert_eq!(life(accepted(Default::default())), None, "taken without bidding");
    let won = accepted(withdrawn.bid);
    assert_eq!(life(won), Some(Life { address: (&won.bid).into(), kind: "bid", closed: true }));
}

#[test]
fn a_channel_is_closed_by_the_event_that_says_so_and_a_dispute_names_who_lost() {
    let event = billing::ChannelClosed { closed: 1, ..filled() };
    let fact = event::event(Program::Billing, &event.data()).unwrap();
    assert_eq!(fact.life(), Some(Life { address: (&event.channel).into(), kind: "channel", closed: true }));
    assert_eq!(fact.rows(), [Row::Channel((&event.channel).into())]);
    let open = billing::ChannelClosed { closed: 0, ..event };
    assert_eq!(event::event(Program::Billing, &open.data()).unwrap().life(), None);
    let settled = billing::PlanSettled { closed: 1, ..filled() };
    let fact = event::event(Program::Billing, &settled.data()).unwrap();
    assert_eq!(fact.rows(), [Row::Channel((&settled.channel).into()), Row::Plan((&settled.plan).into())]);
    let lost = |verdict| billing::BillDisputed { verdict, ..filled() };
    let against = |verdict| event::event(Program::Billing, &lost(verdict).data()).unwrap().data()["against"].clone();
    assert_eq!([against(1), against(2)], ["provider", "payer"]);
}

#[test]
fn an_unknown_discriminator_is_refused_with_its_name() {
    let error = event::event(Program::Staking, &[7; 40]).err().unwrap().to_string();
    assert!(error.contains("staking has no event") && error.contains("0707070707070707"), "{error}");
}
