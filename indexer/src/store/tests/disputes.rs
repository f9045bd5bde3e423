//! Disputes and bids, through all of their states.

use super::*;
use crate::testing::{dispute_address, COUNTER, RESULT, VOTE_WINDOW};
use joule_api::{Dispute, DisputeStatus, Pricing, Side, Tally, Verdict, Verification};
use joule_escrow::state as jobs;

const WINDOW: i64 = VOTE_WINDOW as i64;

struct World {
    _folder: tempfile::TempDir,
    store: Tested,
    chain: Chain,
    job: Address,
}

impl World {
    /// A job that was delivered, by a provider with a bond, and jurors with bonds.
    fn delivered(terms: impl FnOnce(&mut jobs::Job)) -> Self {
        let (folder, store) = open();
        let mut chain = Chain::new();
        let provider = chain.register(1);
        for who in 1..9 {
            chain.bond(who, 10_000);
        }
        let job = chain.open_with(1, 1_000, terms);
        chain.accept(&job, &provider, 800);
        chain.deliver(&job);
        Self { _folder: folder, store, chain, job }
    }

    /// What the store says once it knows everything.
    fn dispute(&mut self) -> Dispute {
        self.confirm();
        self.store.get::<joule_api::Dispute>(&dispute_address(&self.job)).unwrap().unwrap()
    }

    fn job(&mut self) -> Job {
        self.confirm();
        self.store.get::<joule_api::Job>(&self.job).unwrap().unwrap()
    }

    /// Stores what happened so far.
    fn confirm(&mut self) {
        self.store.apply(&confirmed(self.chain.take())).unwrap();
    }

    /// Everything that ever came into the vault, by the chain: budget, deposits, slashed bonds.
    fn came_in(&mut self) -> u128 {
        job::came_in(&self.job())
    }
}

#[test]
fn a_quorum_is_followed_from_the_challenge_to_the_last_unit() {
    let mut world = World::delivered(|job| job.jurors = 3);
    let job = world.job;
    world.chain.challenge(&job);
    let dispute = world.dispute();
    assert_eq!((dispute.status, dispute.mode, dispute.deposit), (DisputeStatus::Voting, Verification::Quorum, 400));
    assert_eq!(dispute.job, job.to_string());
    assert_eq!((dispute.result_hash, dispute.counter_result), (hex::encode(RESULT), hex::encode(COUNTER)));
    assert_eq!(dispute.final_at, dispute.reveal_by);
    let row = world.job();
    assert_eq!((row.status, row.disputed, row.deposited, row.escrowed), (JobStatus::Challenged, true, 400, 1_400));
    assert_eq!(row.dispute, Some(dispute_address(&job).to_string()));
    assert_eq!(world.store.totals().unwrap().mints[0].jobs_challenged, 1);

    for (juror, stake) in [(2, 400), (3, 400), (4, 500)] {
        world.chain.commit(&job, juror, stake);
    }
    let dispute = world.dispute();
    assert_eq!(dispute.votes.iter().map(|vote| vote.stake).collect::<Vec<_>>(), [400, 400, 500]);
    assert!(dispute.votes.iter().all(|vote| vote.choice.is_none() && vote.output.is_none()));

    world.chain.wait(WINDOW + 1);
    world.chain.reveal(&job, 2, COUNTER);
    world.chain.reveal(&job, 3, COUNTER);
    world.chain.reveal(&job, 4, RESULT);
    let dispute = world.dispute();
    assert_eq!(dispute.tallies, [Tally { stands: 500, counter: 800, neither: 0, revealed: 3 }]);
    assert_eq!(dispute.votes[0].output, Some(hex::encode(COUNTER)));
    assert_eq!(dispute.votes[2].choice, Some(Verdict::Stands));

    world.chain.wait(WINDOW);
    world.chain.resolve(&job);
    let dispute = world.dispute();
    assert_eq!((dispute.status, dispute.verdict), (DisputeStatus::Resolved, Some(Verdict::Counter)));
    let row = world.job();
    assert_eq!((row.status, row.verdict, row.slashed), (JobStatus::Refunded, Some(Verdict::Counter), 400));
    assert_eq!(row.paid.provider, 0);
    // A fifth of what was slashed is set aside for the jurors.
    assert_eq!((row.owed.jurors, row.escrowed), (80, 80));

    for juror in [2, 3, 4] {
        world.chain.close_vote(&job, juror, 0);
    }
    let dispute = world.dispute();
    assert_eq!(
        dispute.votes.iter().map(|vote| (vote.paid, vote.slashed)).collect::<Vec<_>>(),
        [(40, 0), (40, 0), (0, 100)]
    );
    world.chain.close_dispute(&job);
    assert_eq!(world.dispute().status, DisputeStatus::Closed);
    world.chain.pay(&job);
    let row = world.job();
    assert_eq!((row.status, row.closed, row.disputed, row.escrowed), (JobStatus::Refunded, true, false, 0));
    assert_eq!(row.paid.jurors, 80);
    assert_eq!(row.paid.total(), world.came_in(), "what came in went out");
    let totals = world.store.totals().unwrap();
    let mint = &totals.mints[0];
    assert_eq!((mint.jobs_refunded, mint.escrowed, mint.paid_to_jurors, mint.slashed), (1, 0, 80, 500));
    assert_eq!((mint.deposited, mint.paid_to_challengers), (400, row.paid.challenger.into()));
}

#[test]
fn a_panel_is_drawn_appealed_and_drawn_again() {
    let mut world = World::delivered(|job| {
        job.verification = jobs::Verification::Panel as u8;
        job.jurors = 1;
    });
    let job = world.job;
    world.chain.challenge(&job);
    let dispute = world.dispute();
    assert_eq!((dispute.status, dispute.mode, dispute.round), (DisputeStatus::Drawing, Verification::Panel, 0));
    assert!(dispute.panel.is_some() && dispute.draw_by.is_some() && dispute.commit_by.is_none());

    world.chain.draw(&job, &[2]);
    let dispute = world.dispute();
    assert_eq!((dispute.status, dispute.members.len()), (DisputeStatus::Voting, 1));
    assert_eq!(
        (dispute.members[0].resolver.clone(), dispute.members[0].committed),
        (testing::authority(2).to_string(), false)
    );
    world.chain.commit(&job, 2, 500);
    assert!(world.dispute().members[0].committed);
    world.chain.wait(WINDOW + 1);
    world.chain.reveal(&job, 2, RESULT);
    world.chain.wait(WINDOW);
    world.chain.appeal(&job, joule_escrow::math::Side::Challenger);
    let dispute = world.dispute();
    assert_eq!((dispute.status, dispute.round, dispute.appellant), (DisputeStatus::Drawing, 1, Some(Side::Challenger)));
    assert_eq!((dispute.appeal_deposit, dispute.tallies.len()), (800, 2));
    assert_eq!(world.job().escrowed, 1_000 + 400 + 800);

    world.chain.draw(&job, &[3, 4, 5]);
    for juror in [3, 4] {
        world.chain.commit(&job, juror, 500);
    }
    world.chain.wait(WINDOW + 1);
    for juror in [3, 4] {
        world.chain.reveal(&job, juror, COUNTER);
    }
    let dispute = world.dispute();
    assert_eq!(dispute.tallies[0], Tally { stands: 500, revealed: 1, ..Tally::default() });
    assert_eq!(dispute.tallies[1], Tally { counter: 1_000, revealed: 2, ..Tally::default() });
    assert_eq!(dispute.votes.iter().map(|vote| vote.round).collect::<Vec<_>>(), [0, 1, 1]);
    assert_eq!(dispute.members.iter().map(|member| member.committed).collect::<Vec<_>>(), [true, true, true, false]);

    world.chain.wait(2 * WINDOW);
    world.chain.resolve(&job);
    for (juror, round) in [(2, 0), (3, 1), (4, 1)] {
        world.chain.close_vote(&job, juror, round);
    }
    world.chain.close_dispute(&job);
    world.chain.pay(&job);
    let dispute = world.dispute();
    assert_eq!(
        (dispute.status, dispute.verdict, dispute.members.len()),
        (DisputeStatus::Closed, Some(Verdict::Counter), 4)
    );
    let row = world.job();
    assert_eq!((row.status, row.paid.total()), (JobStatus::Refunded, world.came_in()));
}

#[test]
fn without_a_verdict_the_provider_is_paid_as_if_nobody_had_challenged() {
    let mut world = World::delivered(|_| {});
    let job = world.job;
    world.chain.challenge(&job);
    world.chain.wait(3 * WINDOW);
    world.chain.resolve(&job);
    let row = world.job();
    assert_eq!((row.status, row.verdict), (JobStatus::Settled, Some(Verdict::Undecided)));
    // The provider gets its price less the fee, and the challenger its deposit.
    assert_eq!((row.paid.provider, row.paid.challenger), (792, 400));
    world.chain.close_dispute(&job);
    world.chain.pay(&job);
    assert_eq!(world.job().paid.total(), world.came_in());
}

#[test]
fn third_outputs_are_counted_apart_and_whoever_could_not_run_the_job_weighs_nothing() {
    let mut world = World::delivered(|job| {
        job.verification = jobs::Verification::Panel as u8;
        job.jurors = 5;
    });
    let job = world.job;
    world.chain.challenge(&job);
    world.chain.draw(&job, &[2, 3, 4, 5, 6]);
    let outputs = [[7; 32], [8; 32], [8; 32], [8; 32], [0; 32]];
    for juror in 2..7 {
        world.chain.commit(&job, juror, 400);
    }
    world.chain.wait(WINDOW + 1);
    for (juror, output) in (2..).zip(outputs) {
        world.chain.reveal(&job, juror, output);
    }
    let counted = Tally { neither: 1_200, revealed: 5, ..Tally::default() };
    let dispute = world.dispute();
    assert_eq!(dispute.tallies, [counted]);
    assert_eq!((dispute.votes[4].choice, dispute.votes[4].closed), (Some(Verdict::Undecided), false));
    world.chain.wait(2 * WINDOW);
    world.chain.resolve(&job);
    let dispute = world.dispute();
    assert_eq!((dispute.verdict, &dispute.tallies[..]), (Some(Verdict::Neither), &[counted][..]));
    for juror in 2..7 {
        world.chain.close_vote(&job, juror, 0);
    }
    let votes = world.dispute().votes;
    // Three have said what was decided, and share a fifth of bond and deposit.
    assert_eq!(votes.iter().map(|vote| vote.paid > 0).collect::<Vec<_>>(), [false, true, true, true, false]);
}

#[test]
fn a_dispute_that_was_never_seen_alive_is_known_from_its_events() {
    let mut world = World::delivered(|job| job.jurors = 1);
    let job = world.job;
    world.chain.challenge(&job);
    world.chain.commit(&job, 2, 400);
    world.chain.wait(WINDOW + 1);
    world.chain.reveal(&job, 2, RESULT);
    world.chain.wait(WINDOW);
    world.chain.resolve(&job);
    world.chain.close_vote(&job, 2, 0);
    world.chain.close_dispute(&job);
    world.chain.pay(&job);
    let mut blocks = world.chain.take();
    world.store.apply(&confirmed(blocks.clone())).unwrap();
    let (_folder, blind) = open();
    for block in &mut blocks {
        block.writes.clear();
    }
    blind.apply(&confirmed(blocks)).unwrap();
    let at = dispute_address(&job);
    let (seen, unseen) = (world.store.get::<joule_api::Dispute>(&at).unwrap(), blind.get::<Dispute>(&at).unwrap());
    assert_eq!(unseen, seen);
    assert_eq!(seen.unwrap().verdict, Some(Verdict::Stands));
    let without_authority = |job: Option<Job>| job.map(|job| Job { provider_authority: None, ..job });
    assert_eq!(
        without_authority(blind.get::<Job>(&job).unwrap()),
        without_authority(world.store.get::<joule_api::Job>(&job).unwrap())
    );
    assert!(blind.account(&at).unwrap().is_some_and(|row| row.closed && row.kind == "dispute"));
}

#[test]
fn disputes_are_listed_by_status_the_newest_first() {
    let mut world = World::delivered(|_| {});
    let first = world.job;
    world.chain.challenge(&first);
    world.chain.wait(3 * WINDOW);
    world.chain.resolve(&first);
    let provider = testing::provider_address(1);
    let second = world.chain.open(2, 1_000);
    world.chain.accept(&second, &provider, 100);
    world.chain.deliver(&second);
    world.chain.challenge(&second);
    world.dispute();
    let page = PageRequest { after: None, limit: 10 };
    let list = |status| {
        let found = world.store.list(&DisputeFilter { status }, &page, &[]).unwrap();
        found.into_iter().map(|dispute| dispute.job).collect::<Vec<_>>()
    };
    assert_eq!(list(None), [second.to_string(), first.to_string()]);
    assert_eq!(list(Some(DisputeStatus::Voting)), [second.to_string()]);
    assert_eq!(list(Some(DisputeStatus::Resolved)), [first.to_string()]);
    assert!(list(Some(DisputeStatus::Drawing)).is_empty());
}

#[test]
fn what_the_overlay_shows_of_a_dispute_is_what_the_store_shows_once_it_is_confirmed() {
    let mut world = World::delivered(|job| job.jurors = 1);
    world.confirm();
    let overlay = Overlay::default();
    let (at, job) = (dispute_address(&world.job), world.job);
    world.chain.challenge(&job);
    world.chain.commit(&job, 2, 400);
    world.chain.wait(WINDOW + 1);
    world.chain.reveal(&job, 2, COUNTER);
    world.chain.wait(WINDOW);
    world.chain.resolve(&job);
    world.chain.close_vote(&job, 2, 0);
    world.chain.close_dispute(&job);
    world.chain.pay(&job);
    for block in world.chain.take() {
        show(&overlay, &world.store, &block, 1);
        let shown = overlay.at(&at, &world.store, |shade| shade.dispute.clone()).unwrap();
        let shown_job = overlay.at(&job, &world.store, |shade| shade.job.clone()).unwrap();
        world.store.apply(&confirmed(vec![block.clone()])).unwrap();
        overlay.committed(block.slot);
        if let Some(shown) = shown {
            let stored = world.store.get::<joule_api::Dispute>(&at).unwrap();
            assert_eq!(Some(Dispute { commitment: Commitment::Confirmed, ..shown }), stored);
        }
        let stored = world.store.get::<joule_api::Job>(&job).unwrap();
        assert_eq!(shown_job.map(|job| Job { commitment: Commitment::Confirmed, ..job }), stored);
    }
    assert!(overlay.all(&world.store, |views| views.is_empty()).unwrap());
}

#[test]
fn a_job_paid_by_the_second_says_what_was_reported_and_earned() {
    let mut world = World::delivered(|_| {});
    let provider = testing::provider_address(1);
    let job = world.chain.open_with(3, 1_000, |job| {
        job.pricing = jobs::Pricing::PerSecond as u8;
        job.max_rate = 40.into();
    });
    world.chain.accept(&job, &provider, 30);
    world.confirm();
    let row = world.store.get::<joule_api::Job>(&job).unwrap().unwrap();
    assert_eq!((row.pricing, row.rate, row.price, row.exposure), (Pricing::PerSecond, 30, 0, 500));
    assert_eq!(row.max_rate, 40);
    world.chain.wait(20);
    world.chain.report(&job, 12);
    world.chain.deliver(&job);
    let mut blocks = world.chain.take();
    world.store.apply(&confirmed(blocks.clone())).unwrap();
    let row = world.store.get::<joule_api::Job>(&job).unwrap().unwrap();
    assert_eq!((row.reported, row.rate, row.price), (12, 30, 360));
    // The events alone say the same.
    for block in &mut blocks {
        block.writes.clear();
    }
    let (_folder, blind) = open();
    blind.apply(&confirmed(blocks)).unwrap();
    assert!(blind.get::<Job>(&job).unwrap().is_none(), "its opening was not among them");
}

#[test]
fn the_cheapest_bid_is_shown_and_the_winner_is_no_bid_any_more() {
    let (_folder, store) = open();
    let store = Arc::new(store);
    let view = View::new(store.clone(), Arc::default());
    let mut chain = Chain::new();
    let providers: Vec<Address> = (1..4).map(|who| chain.register(who)).collect();
    for who in 1..4 {
        chain.bond(who, 10_000);
    }
    let until = chain.now() + 50;
    let job = chain.open_with(1, 1_000, |job| job.bid_until = until.into());
    chain.bid(&job, &providers[0], 700);
    let best = chain.bid(&job, &providers[1], 500);
    chain.bid(&job, &providers[2], 500);
    store.apply(&confirmed(chain.take())).unwrap();
    let row = view.get::<joule_api::Job>(&job).unwrap().unwrap();
    assert_eq!((row.bid_until, row.best_bid.clone(), row.best_price), (Some(until), Some(best.to_string()), 500));
    let prices = |view: &View| {
        view.bids(&view.get::<joule_api::Job>(&job).unwrap().unwrap())
            .unwrap()
            .iter()
            .map(|bid| bid.price)
            .collect::<Vec<_>>()
    };
    assert_eq!(prices(&view), [500, 500, 700]);
    assert_eq!(view.bids(&row).unwrap()[0].provider, providers[1].to_string());

    chain.pick(&job, &providers[1], 500);
    store.apply(&confirmed(chain.take())).unwrap();
    assert_eq!(prices(&view), [500, 700]);
    assert!(view.account(&best).unwrap().unwrap().closed, "though no write said so");
}
