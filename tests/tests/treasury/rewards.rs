//! The stakers' share of the fees.

use crate::{accepted, earn, pass, DAY};
use joule_sdk::{
    instruction::treasury::*,
    pda,
    units::{Amount, Breaker, Seconds},
    Instruction, Keypair, Pubkey, Signer,
};
use joule_tests::{swap, Kind, World};
use spl_token_2022_interface::extension::{memo_transfer, ExtensionType};

const NONE: Pubkey = Pubkey::new_from_array([0; 32]);
/// Of the fees, in basis points.
const SHARE: u16 = 3_333;

/// A world in which stakers get a share of the fees, with the authority, their pool and its vault.
struct Pool {
    w: World,
    authority: Keypair,
    owner: Keypair,
    vault: Pubkey,
}

fn pool(kind: Kind) -> Pool {
    let mut w = World::governed(kind);
    let (authority, owner) = (w.authority.insecure_clone(), w.alice.insecure_clone());
    let vault = w.token_account(&owner.pubkey());
    let mut pool = Pool { w, authority, owner, vault };
    pool.set(vault, SHARE).unwrap();
    pool
}

impl Pool {
    fn set_rewards(&self, vault: Pubkey, bps: u16) -> Instruction {
        set_rewards(self.authority.pubkey(), self.w.mint, accepted(&self.w).reward_vault, vault, bps)
    }

    fn set(&mut self, vault: Pubkey, bps: u16) -> Result<(), String> {
        let (set, authority) = (self.set_rewards(vault, bps), self.authority.insecure_clone());
        self.w.attempt(&[set], &[&authority]).map(|_| ()).map_err(|refusal| refusal.name)
    }

    #[track_caller]
    fn refuse(&mut self, vault: Pubkey, bps: u16, error: &str) {
        let (set, authority) = (self.set_rewards(vault, bps), self.authority.insecure_clone());
        self.w.refuse(set, &[&authority], error);
    }

    fn share_fees(&self) -> Instruction {
        share_fees(self.w.mint, accepted(&self.w).reward_vault, self.w.token_program)
    }

    fn share(&mut self) {
        self.w.send(&[self.share_fees()], &[]);
    }

    fn withdraw(&mut self, amount: u64) -> Instruction {
        let own = self.w.token_account(&self.authority.pubkey());
        withdraw_fees(self.authority.pubkey(), self.w.mint, own, self.w.token_program, amount)
    }

    /// Another vault of the same owner.
    fn other_vault(&mut self) -> Pubkey {
        let mint = self.w.mint;
        self.w.extra_token_account(&self.owner.pubkey(), &mint, &[])
    }

    fn breaker(&mut self, limit: u64) {
        let breaker = Breaker { limit: Amount::new(limit), window: Seconds::new(DAY as u32) };
        let authority = self.authority.insecure_clone();
        self.w.send(&[set_breaker(authority.pubkey(), self.w.mint, breaker)], &[&authority]);
    }

    /// `kept`, `owed_rewards`, and what lies in the fee vault.
    fn parts(&self) -> (u64, u64, u64) {
        let mint = accepted(&self.w);
        (mint.kept.get(), mint.owed_rewards.get(), self.w.balance(&self.w.fee_vault()))
    }
}

#[test]
fn anyone_has_the_fees_shared_and_the_treasury_keeps_the_dust() {
    for kind in [Kind::Classic, Kind::Token2022] {
        let mut p = pool(kind);
        earn(&mut p.w, 10_001);
        p.share();
        assert_eq!(p.w.balance(&p.vault), 3_333);
        assert_eq!(p.parts(), (6_668, 0, 6_668));
        p.w.refuse(p.share_fees(), &[], "NothingToShare");
    }
}

#[test]
fn sharing_after_every_unit_costs_stakers_nothing() {
    let mut p = pool(Kind::Classic);
    for _ in 0..40 {
        earn(&mut p.w, 1);
        // Two times in three there is less than a unit to share.
        let _ = p.w.attempt(&[p.share_fees()], &[]);
        // Nor does the authority gain by taking its part each time.
        let (withdraw, authority) = (p.withdraw(1), p.authority.insecure_clone());
        let _ = p.w.attempt(&[withdraw], &[&authority]);
    }
    assert_eq!(p.w.balance(&p.vault), 40 * SHARE as u64 / 10_000);
}

#[test]
fn however_it_is_divided_no_unit_is_lost_or_shifted() {
    let mut p = pool(Kind::Classic);
    let authority = p.authority.insecure_clone();
    let (mut state, mut earned, mut withdrawn) = (88172645463325252u64, 0u64, 0u64);
    for _ in 0..150 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let (amount, choice) = (1 + state % 7_000, (state >> 32) % 4);
        match choice {
            0 | 1 => {
                earn(&mut p.w, amount);
                earned += amount;
            }
            2 => drop(p.w.attempt(&[p.share_fees()], &[])),
            _ => {
                let withdraw = p.withdraw(amount);
                withdrawn += p.w.attempt(&[withdraw], &[&authority]).map_or(0, |_| amount);
            }
        }
        pass(&mut p.w, (state % 20_000) as i64);
        let (kept, owed, balance) = p.parts();
        assert!(kept + owed <= balance);
        assert_eq!(balance, earned - withdrawn - p.w.balance(&p.vault));
    }
    earn(&mut p.w, 5);
    pass(&mut p.w, DAY);
    p.share();
    let stakers = (earned as u128 + 5) * SHARE as u128 / 10_000;
    assert_eq!(p.w.balance(&p.vault) as u128, stakers);
    let (kept, owed, balance) = p.parts();
    assert_eq!((kept, owed), (balance, 0));
}

#[test]
fn fees_earned_under_one_share_are_shared_under_it() {
    let mut p = pool(Kind::Classic);
    earn(&mut p.w, 10_000);
    // Taking the share away just before anyone shares does not help, nor does it help to give it just after.
    p.set(p.vault, 0).unwrap();
    assert_eq!(p.parts(), (6_667, 3_333, 10_000));
    earn(&mut p.w, 10_000);
    p.set(p.vault, 10_000).unwrap();
    p.share();
    assert_eq!(p.w.balance(&p.vault), 3_333);
    assert_eq!(p.parts(), (16_667, 0, 16_667));
    earn(&mut p.w, 100);
    p.share();
    assert_eq!(p.w.balance(&p.vault), 3_433);
}

#[test]
fn another_vault_cannot_be_named_before_the_first_is_paid() {
    let mut p = pool(Kind::Classic);
    let own = p.w.token_account(&p.authority.pubkey());
    earn(&mut p.w, 10_000);
    p.refuse(own, SHARE, "RewardsOwed");
    p.refuse(NONE, 0, "RewardsOwed");
    // Not even when the breaker is what stops the payment.
    p.breaker(1_000);
    p.share();
    assert_eq!(p.parts(), (6_667, 2_333, 9_000));
    p.refuse(own, SHARE, "RewardsOwed");
    p.set(p.vault, 1).unwrap();
    for _ in 0..3 {
        pass(&mut p.w, DAY);
        p.share();
    }
    p.set(own, SHARE).unwrap();
    assert_eq!((p.w.balance(&p.vault), p.w.balance(&own)), (3_333, 0));
}

#[test]
fn the_vault_named_as_old_must_be_the_old_one() {
    let mut p = pool(Kind::Classic);
    earn(&mut p.w, 10_000);
    let (own, authority) = (p.w.token_account(&p.authority.pubkey()), p.authority.insecure_clone());
    // Something that cannot receive in its place would free the authority of the debt.
    for fake in [NONE, p.w.mint, own, p.w.fee_vault()] {
        let set = set_rewards(authority.pubkey(), p.w.mint, fake, own, SHARE);
        p.w.refuse(set, &[&authority], "WrongRewardVault");
    }
}

#[test]
fn the_breaker_lets_a_part_of_the_share_through_and_the_rest_stays_owed() {
    let mut p = pool(Kind::Classic);
    p.breaker(1_000);
    earn(&mut p.w, 10_000);
    p.share();
    assert_eq!((p.w.balance(&p.vault), p.parts()), (1_000, (6_667, 2_333, 9_000)));
    p.w.refuse(p.share_fees(), &[], "OutflowLimited");
    let (withdraw, authority) = (p.withdraw(1), p.authority.insecure_clone());
    p.w.refuse(withdraw, &[&authority], "OutflowLimited");
    pass(&mut p.w, DAY / 2);
    p.share();
    assert_eq!((p.w.balance(&p.vault), p.parts()), (1_500, (6_667, 1_833, 8_500)));
}

#[test]
fn a_frozen_reward_vault_does_not_hold_the_treasurys_part() {
    let mut p = pool(Kind::Classic);
    let (vault, authority) = (p.vault, p.authority.insecure_clone());
    earn(&mut p.w, 10_000);
    p.w.freeze(&vault);
    p.w.refuse(p.share_fees(), &[], "CannotReceive");
    let (too_much, all) = (p.withdraw(6_668), p.withdraw(6_667));
    p.w.refuse(too_much, &[&authority], "BeyondKept");
    p.w.send(&[all], &[&authority]);
    assert_eq!(p.parts(), (0, 3_333, 3_333));
    // It gets what it is owed once it can receive.
    p.w.thaw(&vault);
    p.share();
    assert_eq!((p.w.balance(&vault), p.parts()), (3_333, (0, 0, 0)));
}

#[test]
fn a_vault_that_cannot_receive_leaves_its_debt_to_the_next_one() {
    let mut p = pool(Kind::Classic);
    let (vault, next) = (p.vault, p.other_vault());
    earn(&mut p.w, 10_000);
    p.w.freeze(&vault);
    p.refuse(vault, 10_001, "ShareOutOfRange");
    p.set(NONE, 0).unwrap();
    assert_eq!(p.parts(), (6_667, 3_333, 10_000));
    earn(&mut p.w, 100);
    let authority = p.authority.insecure_clone();
    let all = p.withdraw(6_767);
    p.w.send(&[all], &[&authority]);
    p.set(next, 0).unwrap();
    p.share();
    assert_eq!((p.w.balance(&vault), p.w.balance(&next), p.parts()), (0, 3_333, (0, 0, 0)));
}

#[test]
fn a_closed_reward_vault_is_replaced() {
    let mut p = pool(Kind::Classic);
    let (vault, owner, next) = (p.vault, p.owner.insecure_clone(), p.other_vault());
    earn(&mut p.w, 10_000);
    p.w.close_token_account(&owner, &vault);
    p.w.refuse(p.share_fees(), &[], "CannotReceive");
    p.set(next, SHARE).unwrap();
    p.share();
    assert_eq!(p.w.balance(&next), 3_333);
}

#[test]
fn a_vault_that_demands_a_memo_is_refused_and_waits() {
    let mut p = pool(Kind::Token2022);
    let (mint, owner) = (p.w.mint, p.owner.insecure_clone());
    let program = p.w.token_program;
    let demand = |account: &Pubkey| {
        memo_transfer::instruction::enable_required_transfer_memos(&program, account, &owner.pubkey(), &[]).unwrap()
    };
    let picky = p.w.extra_token_account(&owner.pubkey(), &mint, &[ExtensionType::MemoTransfer]);
    p.w.send(&[demand(&picky)], &[&owner]);
    p.refuse(picky, SHARE, "CannotReceive");
    let vault = p.w.extra_token_account(&owner.pubkey(), &mint, &[ExtensionType::ImmutableOwner]);
    p.set(vault, SHARE).unwrap();
    earn(&mut p.w, 10_000);
    p.share();
    assert_eq!(p.w.balance(&vault), 3_333);
    // An account can gain the extension later: then nothing is sent to it, and nobody else waits.
    let reallocate = spl_token_2022_interface::instruction::reallocate(
        &program,
        &vault,
        &owner.pubkey(),
        &owner.pubkey(),
        &[],
        &[ExtensionType::MemoTransfer],
    )
    .unwrap();
    p.w.send(&[reallocate, demand(&vault)], &[&owner]);
    earn(&mut p.w, 10_000);
    p.w.refuse(p.share_fees(), &[], "CannotReceive");
    let (withdraw, authority) = (p.withdraw(6_667 + 6_667), p.authority.insecure_clone());
    p.w.send(&[withdraw], &[&authority]);
}

#[test]
fn a_reward_vault_is_a_token_account_of_the_mint_and_not_the_fee_vault() {
    let mut p = pool(Kind::Classic);
    let other_mint = p.w.create_mint(Kind::Classic, &[], &[]);
    let foreign = p.w.extra_token_account(&p.owner.pubkey(), &other_mint, &[]);
    p.refuse(foreign, SHARE, "WrongMint");
    p.refuse(p.w.mint, SHARE, "WrongMint");
    p.refuse(Pubkey::new_unique(), SHARE, "WrongMint");
    p.refuse(p.w.fee_vault(), SHARE, "PaysItself");
    let frozen = p.other_vault();
    p.w.freeze(&frozen);
    p.refuse(frozen, SHARE, "CannotReceive");
    p.refuse(p.vault, 10_001, "ShareOutOfRange");
    p.refuse(p.vault, u16::MAX, "ShareOutOfRange");
    p.refuse(NONE, 1, "ShareOutOfRange");
}

#[test]
fn shared_fees_go_to_no_other_account() {
    let mut p = pool(Kind::Classic);
    let thief = p.other_vault();
    earn(&mut p.w, 10_000);
    let share = p.share_fees();
    p.w.refuse(swap(share.clone(), p.vault, thief), &[], "WrongRewardVault");
    p.w.refuse(swap(share.clone(), p.w.fee_vault(), thief), &[], "WrongFeeVault");
    p.w.refuse(swap(share.clone(), p.vault, p.w.fee_vault()), &[], "ConstraintDuplicateMutableAccount");
    let accepted = pda::accepted_mint(&p.w.mint);
    p.w.refuse(swap(share.clone(), accepted, pda::protocol()), &[], "ConstraintDuplicateMutableAccount");
    p.w.refuse(swap(share.clone(), accepted, p.w.mint), &[], "AccountDataTooSmall");
    p.w.refuse(swap(share, p.w.token_program, Kind::Token2022.program()), &[], "IncorrectProgramId");
}

#[test]
fn a_gift_to_the_fee_vault_is_shared_like_a_fee() {
    let mut p = pool(Kind::Classic);
    earn(&mut p.w, 10_000);
    p.share();
    earn(&mut p.w, 30);
    p.share();
    assert_eq!(p.w.balance(&p.vault), 3_342);
}

#[test]
fn without_a_reward_vault_everything_is_the_treasurys() {
    let mut w = World::governed(Kind::Classic);
    earn(&mut w, 500);
    let authority = w.authority.insecure_clone();
    let own = w.token_account(&authority.pubkey());
    let all = withdraw_fees(authority.pubkey(), w.mint, own, w.token_program, 500);
    w.send(&[all], &[&authority]);
    assert_eq!((w.balance(&own), accepted(&w).kept.get()), (500, 0));
    w.refuse(share_fees(w.mint, NONE, w.token_program), &[], "ConstraintMut");
}
