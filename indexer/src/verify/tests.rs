//! That every check can fail.

use super::*;
use crate::{
    decode::Program,
    row::AccountRow,
    store::{Batch, Read as _, Sqlite},
    testing::{bond_address, dispute_address, vault_of, Chain, COUNTER, RESULT, VOTE_WINDOW},
    types::AccountWrite,
};
use anchor_lang::{bytemuck, Discriminator};
use joule_staking::state::Bond;

struct World {
    folder: tempfile::TempDir,
    store: Sqlite,
    chain: Chain,
}

impl World {
    /// A provider that has kept one promise, broken another and is bound by a third; and a dispute about a fourth.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(folder.path().join("indexer.sqlite")).unwrap();
        let mut chain = Chain::new();
        let provider = chain.register(1);
        chain.bond(1, 10_000);
        chain.bond(2, 10_000);
        let kept = chain.open(1, 1_000);
        chain.accept(&kept, &provider, 800);
        chain.deliver(&kept);
        chain.settle(&kept);
        chain.wait(30 * 24 * 60 * 60);
        let failed = chain.open(2, 1_000);
        chain.accept(&failed, &provider, 600);
        chain.fail(&failed);
        let bound = chain.open(3, 1_000);
        chain.accept(&bound, &provider, 100);
        let disputed = chain.open(4, 1_000);
        chain.accept(&disputed, &provider, 900);
        chain.deliver(&disputed);
        chain.challenge(&disputed);
        chain.commit(&disputed, 2, 500);
        chain.wait(i64::from(VOTE_WINDOW) + 1);
        chain.reveal(&disputed, 2, COUNTER);
        let model = chain.model(1, None, 0);
        chain.pay_in(1, 100_000);
        let billed = chain.open_channel(1, &provider, &model, 10_000);
        chain.settle_voucher(&billed, 5, 100);
        chain.start_plan(&billed, 2, 100);
        chain.distribute(&billed, None);
        let mut world = Self { folder, store, chain };
        world.confirm();
        world
    }

    fn confirm(&mut self) {
        let blocks = self.chain.take();
        let checkpoint = blocks.last().map(|block| block.slot);
        self.store.apply(&Batch { blocks, checkpoint, ..Batch::default() }).unwrap();
    }

    /// Whatever is in the store, changed behind its back.
    fn tamper(&self, sql: &str, values: impl rusqlite::Params) {
        let conn = rusqlite::Connection::open(self.folder.path().join("indexer.sqlite")).unwrap();
        assert!(conn.execute(sql, values).unwrap() > 0, "{sql}");
    }

    fn change_bond(&self, change: impl FnOnce(&mut Bond)) {
        let address = bond_address(1);
        let row = self.store.account(&address).unwrap().unwrap();
        let mut bond: Bond = bytemuck::pod_read_unaligned(&row.data[Bond::DISCRIMINATOR.len()..]);
        change(&mut bond);
        let data = [Bond::DISCRIMINATOR, bytemuck::bytes_of(&bond)].concat();
        self.tamper("update accounts set data = ?2 where address = ?1", rusqlite::params![address.0, data]);
    }

    fn report(&self, holds: impl Fn(&Vault) -> Option<u64>) -> Report {
        let books = audit(&self.store).unwrap();
        let balances: Vec<_> = books.vaults.iter().map(holds).collect();
        let mut report = Report::default();
        report.add(books, &balances);
        report
    }

    fn differences(&self) -> Vec<Difference> {
        self.report(|vault| Some(vault.least)).differences
    }
}

#[test]
fn books_that_balance_are_said_to_and_gifts_are_no_difference() {
    let world = World::new();
    let report = world.report(|vault| Some(vault.least + 1));
    assert_eq!(report.differences, []);
    // Two bonds, two jobs and a payer.
    assert_eq!((report.reputations, report.unknown_reputations, report.vaults), (2, 0, 5));
    assert!(report.to_string().contains("5 vaults hold what they must; 2 reputations"), "{report}");
    assert!(report.to_string().contains("the revenue is what 1 channels have earned"), "{report}");
}

#[test]
fn the_vault_of_a_disputed_job_holds_budget_and_deposit() {
    let world = World::new();
    let books = audit(&world.store).unwrap();
    let least: Vec<u64> = books.vaults.iter().map(|vault| vault.least).collect();
    assert!(least.contains(&1_450) && least.contains(&1_000), "{least:?}");
    assert!(books.vaults.iter().any(|vault| vault.vault == vault_of(&bond_address(1)) && vault.least == 9_700));
}

#[test]
fn a_vault_that_holds_less_or_is_not_there_is_found() {
    let world = World::new();
    let report = world.report(|vault| vault.least.checked_sub(1));
    assert_eq!(report.differences.len(), 5);
    assert!(report.to_string().contains("must hold 9700 and holds 9699"), "{report}");
    assert_eq!(world.report(|_| None).differences.len(), 5);
}

#[test]
fn a_reputation_that_no_claim_made_is_found() {
    for change in [
        (|bond| bond.kept = (bond.kept.get() + 1).into()) as fn(&mut Bond),
        |bond| bond.failed = 0.into(),
        |bond| bond.scored_at = (bond.scored_at.get() - 1).into(),
    ] {
        let world = World::new();
        world.change_bond(change);
        let found = world.differences();
        assert!(
            matches!(found[..], [Difference::Reputation { address, .. }] if address == bond_address(1)),
            "{found:?}"
        );
    }
}

#[test]
fn a_reputation_whose_event_was_lost_is_found() {
    let world = World::new();
    world.tamper("delete from events where name = 'ClaimSlashed'", []);
    assert!(matches!(world.differences()[..], [Difference::Reputation { .. }]));
}

#[test]
fn a_bond_whose_opening_was_never_seen_is_counted_and_no_difference() {
    let world = World::new();
    world.tamper("delete from events where name = 'BondOpened'", []);
    let report = world.report(|vault| Some(vault.least));
    assert_eq!((report.differences.len(), report.reputations, report.unknown_reputations), (0, 0, 2));
    assert!(report.to_string().contains("of 2 the beginning is not known"), "{report}");
}

#[test]
fn a_bond_that_has_locked_something_else_than_its_claims_hold_is_found() {
    let world = World::new();
    world.change_bond(|bond| bond.locked = (bond.locked.get() - 1).into());
    let found = world.differences();
    assert!(
        matches!(found[..], [Difference::Claims { locked: 549, total: 550, claims: 2, count: 2, .. }]),
        "{found:?}"
    );
    let world = World::new();
    world.tamper("update accounts set closed = 1 where kind = 'claim'", []);
    assert_eq!(world.differences().len(), 2, "of the provider and of the juror");
}

#[test]
fn a_channel_of_which_something_else_was_counted_than_it_says_is_found() {
    for (sql, figure) in [
        ("update channel_days set sequence = 4", "4 requests"),
        ("update channel_days set units = 499", "499 units"),
        ("update channel_days set amount = 501", "501 earned"),
        ("update channel_days set collected = 0", "0 collected"),
    ] {
        let world = World::new();
        world.tamper(sql, []);
        let found = world.differences();
        // Of the channel, and of the sums that no longer fit.
        assert!(matches!(found[..], [Difference::Counted { .. }, Difference::Revenue { .. }]), "{found:?}");
        assert!(found[0].to_string().contains("counted was") && found[0].to_string().contains(figure));
    }
}

#[test]
fn revenue_that_no_channel_earned_is_found() {
    for column in ["requests", "units", "amount", "collected", "paid_shares", "paid_fee", "paid_provider", "returned"] {
        let world = World::new();
        world.tamper(&format!("update revenue set {column} = {column} + 1"), []);
        let found = world.differences();
        assert!(matches!(found[..], [Difference::Revenue { .. }]), "{column}: {found:?}");
    }
    let world = World::new();
    world.tamper("delete from revenue", []);
    assert!(matches!(world.differences()[..], [Difference::Revenue { .. }]));
}

#[test]
fn a_distribution_that_was_lost_is_found() {
    let world = World::new();
    world.tamper("update channel_days set paid_provider = paid_provider - 1", []);
    assert!(matches!(world.differences()[..], [Difference::Revenue { .. }]));
}

#[test]
fn a_channel_whose_opening_was_never_seen_is_counted_and_no_difference() {
    let world = World::new();
    world.tamper("delete from events where name = 'ChannelOpened'", []);
    let report = world.report(|vault| Some(vault.least));
    assert_eq!((report.differences.len(), report.channels, report.unknown_channels), (0, 0, 1));
    assert!(report.to_string().contains("of 1 the beginning is not known"), "{report}");
}

#[test]
fn a_payer_that_has_reserved_something_else_than_its_channels_hold_is_found() {
    let world = World::new();
    world.tamper("update accounts set closed = 1 where kind = 'plan'", []);
    let found = world.differences();
    // 9,500 of the channel; 200 of the plan's notice, and what it has made.
    assert!(matches!(found[..], [Difference::Reserved { held: 9_500, count: 1, .. }]), "{found:?}");
    let world = World::new();
    world.tamper("update accounts set closed = 1 where kind = 'channel'", []);
    assert!(matches!(world.differences()[..], [Difference::Reserved { channels: 1, count: 0, .. }]));
}

#[test]
fn a_job_that_paid_out_less_than_came_in_is_found() {
    let world = World::new();
    world.tamper("update jobs set paid_client = 199 where paid_client = 200", []);
    let found = world.differences();
    assert!(matches!(found[..], [Difference::Lost { came_in: 1_000, paid: 999, .. }]), "{found:?}");
}

#[test]
fn a_dispute_that_is_wound_up_leaves_nothing_behind() {
    let mut world = World::new();
    let job = world.store.get::<joule_api::Dispute>(&disputed(&world)).unwrap().unwrap().job.parse().unwrap();
    world.chain.wait(i64::from(VOTE_WINDOW));
    world.chain.resolve(&job);
    world.chain.close_vote(&job, 2, 0);
    world.confirm();
    assert_eq!(world.differences(), []);
    world.chain.close_dispute(&job);
    world.chain.pay(&job);
    world.confirm();
    assert_eq!(world.differences(), []);
    assert_eq!(world.store.get::<joule_api::Job>(&job).unwrap().unwrap().result_hash, Some(hex::encode(RESULT)));
}

#[test]
fn models_and_price_lists_are_compared_byte_for_byte() {
    let mut world = World::new();
    let model = world.chain.model(1, None, 100);
    let list = world.chain.publish(&model, 5, 1_000);
    world.confirm();
    let program = Program::Registry.address();
    let write = |row: AccountRow| AccountWrite {
        address: row.address,
        owner: row.program,
        lamports: row.lamports,
        data: row.data,
        version: row.version,
    };
    let chain = Snapshot {
        program,
        slot: 1,
        block_time: None,
        accounts: world.store.live_accounts(&program).unwrap().into_iter().map(write).collect(),
    };
    let differences = |chain: &Snapshot| compare(&world.store, std::slice::from_ref(chain)).unwrap().differences;
    assert_eq!(differences(&chain), []);
    for address in [model, list] {
        let place = chain.accounts.iter().position(|account| account.address == address).unwrap();
        let last = chain.accounts[place].data.len() - 1;
        let mut other = chain.clone();
        let mut data = other.accounts[place].data.to_vec();
        data[last] ^= 1;
        other.accounts[place].data = data.into();
        assert_eq!(differences(&other), [Difference::Data { address, offset: last }]);
        let mut fewer = chain.clone();
        fewer.accounts.remove(place);
        assert_eq!(differences(&fewer), [Difference::Gone { address }]);
    }
}

fn disputed(world: &World) -> Address {
    let rows = world.store.live_accounts(&Program::Escrow.address()).unwrap();
    let row = rows.into_iter().find(|row| row.kind == "dispute").unwrap();
    assert_eq!(
        row.address,
        dispute_address(&world.store.get::<joule_api::Dispute>(&row.address).unwrap().unwrap().job.parse().unwrap())
    );
    row.address
}
