//! Wrongs that must be noticed, each done once behind the programs' backs.

use super::{
    cast::Role,
    exit,
    finding::Kind,
    history::{begin, history},
    honest::{self, Duty},
    play::{Play, What},
    setting::Setting,
};
use joule_sdk::{
    pda,
    staking::state::{Bond, Claim},
    Pubkey,
};
use joule_tests::Kind as Token;
use std::mem::offset_of;

const DISCRIMINATOR: usize = 8;
/// Where a token account says how much it holds.
const AMOUNT: usize = 64;

/// A history in which nobody has done anything yet, and what everybody has.
fn calm() -> (Play, Vec<(Pubkey, u64)>) {
    let setting = Setting::new(Token::Classic);
    let mut play = Play::new(&setting, 1);
    play.cast.people.iter_mut().for_each(|person| person.is_rogue = person.role == Role::Accomplice);
    let honest = play.cast.people.iter().filter(|person| !person.is_rogue).map(|person| person.key);
    let lamports = honest.map(|key| (key, play.svm.get_balance(&key).unwrap_or(0))).collect();
    begin(&mut play);
    (play, lamports)
}

/// What is found when everybody goes home after somebody has done this.
fn found(wrong: impl FnOnce(&mut Play)) -> Vec<Kind> {
    let (mut play, lamports) = calm();
    wrong(&mut play);
    exit::leave(&mut play, &lamports);
    play.findings.iter().map(|finding| finding.kind).collect()
}

fn add(play: &mut Play, address: &Pubkey, place: usize, amount: i64) {
    let mut account = play.svm.get_account(address).expect("an account");
    let number = u64::from_le_bytes(account.data[place..place + 8].try_into().expect("eight bytes"));
    account.data[place..place + 8].copy_from_slice(&number.wrapping_add_signed(amount).to_le_bytes());
    play.svm.set_account(*address, account).expect("a writable account");
}

#[test]
fn without_a_wrong_nothing_is_found() {
    assert_eq!(found(|_| ()), []);
}

#[test]
fn a_unit_or_a_lamport_that_somebody_lost_is_noticed() {
    let client = |play: &Play| play.cast.one(Role::Staker).key;
    let poorer = found(|play| {
        let tokens = play.tokens_of(&client(play));
        add(play, &tokens, AMOUNT, -1);
    });
    assert_eq!(poorer, [Kind::Poorer]);
    let without_rent = found(|play| {
        let key = client(play);
        let mut account = play.svm.get_account(&key).expect("a person");
        account.lamports -= 1;
        play.svm.set_account(key, account).expect("a writable account");
    });
    assert_eq!(without_rent, [Kind::Rent]);
}

#[test]
fn a_bond_that_loses_a_unit_or_cannot_be_closed_is_noticed() {
    let bond = |play: &Play| {
        let worker = play.cast.with(Role::Worker).next().expect("a worker").key;
        pda::bond(&worker, &play.cast.mint)
    };
    let poorer = found(|play| {
        let address = bond(play);
        add(play, &address, DISCRIMINATOR + offset_of!(Bond, amount), -1);
        add(play, &pda::bond_vault(&address), AMOUNT, -1);
    });
    assert_eq!(poorer, [Kind::Poorer]);
    let stuck = found(|play| {
        let address = bond(play);
        add(play, &address, DISCRIMINATOR + offset_of!(Bond, claims), 1);
    });
    assert!(!stuck.is_empty() && stuck.iter().all(|kind| *kind == Kind::Stuck), "{stuck:?}");
}

#[test]
fn a_claim_that_never_ends_is_noticed() {
    let stuck = found(|play| {
        let resolver = play.cast.with(Role::Resolver).next().expect("a resolver").key;
        honest::perform(play, Duty::Enrol { resolver });
        let claim = play.all(What::Claim)[0];
        let until = DISCRIMINATOR + offset_of!(Claim, tranches) + 8;
        add(play, &claim, until, 1 << 40);
    });
    assert!(stuck.contains(&Kind::Stuck), "{stuck:?}");
}

#[test]
fn the_same_number_is_the_same_history() {
    let settings = [Setting::new(Token::Classic), Setting::new(Token::Token2022)];
    let [one, other] = [(); 2].map(|()| history(&settings, 5, 3));
    assert_eq!(one.log, other.log);
    assert!(one.findings.is_empty(), "{:?}", one.findings);
}
