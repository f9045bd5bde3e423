//! Attacks by name.

use crate::settle::shares;
use joule_sdk::{instruction, instruction::escrow::Provider, pda, registry::state::Profile, Keypair, Signer};
use joule_tests::{Kind, World, BUDGET, PRICE};

#[test]
fn dust_sent_to_a_vault_does_not_keep_it_open() {
    let mut w = World::new(Kind::Classic);
    let (mallory, job) = (Keypair::new(), w.delivered());
    let dust = w.token_account(&mallory.pubkey());
    w.mint_to(&dust, 5);
    w.transfer(&mallory, &pda::vault(&job), 5);
    let before = w.balance(&w.alice_tokens());
    w.set_time(w.now() + 120);
    w.send(&[w.settle(job)], &[]);
    assert!(w.is_closed(&job) && w.is_closed(&pda::vault(&job)));
    assert_eq!(w.balance(&w.north_tokens()), shares().1);
    assert_eq!(w.balance(&w.alice_tokens()), before + BUDGET - PRICE + 5);
}

#[test]
fn lamports_sent_ahead_do_not_keep_a_job_from_being_opened() {
    let mut w = World::new(Kind::Classic);
    let alice = w.alice.insecure_clone();
    let job = pda::job(&alice.pubkey(), 0);
    for address in [job, pda::vault(&job), pda::client(&alice.pubkey())] {
        w.svm.airdrop(&address, 1_000_000).unwrap();
    }
    assert_eq!(w.opened(), job);
}

#[test]
fn a_closed_jobs_address_never_comes_back() {
    let mut w = World::new(Kind::Classic);
    let (job, alice) = (w.delivered(), w.alice.insecure_clone());
    let (settle, submit, approve) = (w.settle(job), w.submit(job), w.approve(job));
    w.send(&[w.approve(job)], &[&alice]);
    let north = w.north.insecure_clone();
    w.refuse(settle, &[], "AccountDataTooSmall");
    w.refuse(submit, &[&north], "AccountDataTooSmall");
    w.refuse(approve, &[&alice], "AccountDataTooSmall");
    w.refuse(w.open_as(0, w.terms()), &[&alice], "WrongId");
}

#[test]
fn settle_and_reopen_in_one_transaction_does_not_revive_the_job() {
    let mut w = World::new(Kind::Classic);
    let (job, alice) = (w.delivered(), w.alice.insecure_clone());
    let approve = w.approve(job);
    let reopen = w.open_as(0, w.terms());
    assert_eq!(w.attempt(&[approve.clone(), reopen], &[&alice]).unwrap_err().name, "WrongId");
    assert!(w.attempt(&[approve.clone(), approve], &[&alice]).is_err());
    assert_eq!(w.balance(&pda::vault(&job)), BUDGET);
}

#[test]
fn lamports_sent_back_to_a_closed_job_in_the_same_transaction_do_not_revive_it() {
    let mut w = World::new(Kind::Classic);
    let (job, alice) = (w.delivered(), w.alice.insecure_clone());
    let approve = w.approve(job);
    let revive = solana_system_interface::instruction::transfer(&w.stranger.pubkey(), &job, 10_000_000);
    let again = w.approve(job);
    assert!(w.attempt(&[approve.clone(), revive.clone(), again], &[&alice]).is_err());
    w.send(&[approve, revive], &[&alice]);
    assert!(w.svm.get_account(&job).is_none_or(|a| a.data.is_empty()));
}

#[test]
fn a_client_that_is_its_own_provider_is_settled_like_any_other() {
    let mut w = World::new(Kind::Classic);
    let alice = w.alice.insecure_clone();
    let profile = Profile { payout_owner: alice.pubkey(), ..w.profile() };
    w.send(&[instruction::registry::register(alice.pubkey(), alice.pubkey(), profile)], &[&alice]);
    w.give_bond(&alice, PRICE);
    let before = w.balance(&w.alice_tokens());
    let job = w.opened();
    let accept = instruction::escrow::accept(Provider::new(alice.pubkey(), w.alice_tokens()), job, &w.job(&job), PRICE);
    w.send(&[accept], &[&alice]);
    w.send(&[instruction::escrow::submit(alice.pubkey(), job, [1; 32])], &[&alice]);
    w.set_time(w.now() + 120);
    w.send(&[w.settle(job)], &[]);
    assert!(w.is_closed(&job));
    // Trading with oneself costs the fee.
    assert_eq!(w.balance(&w.alice_tokens()), before - shares().0);
}

#[test]
fn the_vault_obeys_nobody_but_the_program() {
    let mut w = World::new(Kind::Classic);
    let (job, mallory) = (w.delivered(), Keypair::new());
    let thief = w.token_account(&mallory.pubkey());
    let vault = pda::vault(&job);
    let steal = spl_token_2022_interface::instruction::transfer_checked(
        &w.token_program,
        &vault,
        &w.mint,
        &thief,
        &mallory.pubkey(),
        &[],
        BUDGET,
        6,
    )
    .unwrap();
    w.refuse(steal, &[&mallory], "TokenError::OwnerMismatch");
}

#[test]
fn a_forged_event_is_refused() {
    let mut w = World::new(Kind::Classic);
    let mallory = Keypair::new();
    let mut data = anchor_lang::event::EVENT_IX_TAG_LE.to_vec();
    data.extend([0; 64]);
    let forged = joule_sdk::Instruction {
        program_id: joule_sdk::escrow::ID,
        accounts: vec![solana_instruction::AccountMeta::new_readonly(mallory.pubkey(), true)],
        data,
    };
    assert!(w.attempt(&[forged], &[&mallory]).is_err());
}

#[test]
fn a_rent_payer_that_becomes_a_program_holds_nobodys_money() {
    for refund in [false, true] {
        let mut w = World::new(Kind::Classic);
        let job = if refund { w.opened() } else { w.delivered() };
        // An address that paid as a wallet and was made a program afterwards, which its key can do.
        let (mut account, mut state) = (w.svm.get_account(&job).unwrap(), w.job(&job));
        state.rent_payer = joule_sdk::registry::ID;
        account.data[8..].copy_from_slice(bytemuck::bytes_of(&state));
        w.svm.set_account(job, account).unwrap();
        w.set_time(w.now() + 100_000);
        let end = if refund { w.expire(job) } else { w.settle(job) };
        w.send(&[end], &[]);
        assert!(w.is_closed(&job) && w.is_closed(&pda::vault(&job)));
        assert_eq!(w.balance(&w.north_tokens()), if refund { 0 } else { shares().1 });
    }
}

#[test]
fn a_stolen_provider_key_cannot_swap_the_payout_account_for_its_own() {
    use spl_token_2022_interface::instruction as token;
    let mut w = World::new(Kind::Classic);
    let (job, north, mallory) = (w.opened(), w.north.insecure_clone(), Keypair::new());
    let (program, mint, stranger) = (w.token_program, w.mint, w.stranger.insecure_clone());
    // Mallory, with the hot key, makes an account, hands it to the payout owner, and keeps the right to close it.
    let trap = w.new_key();
    let rent = w.svm.minimum_balance_for_rent_exemption(165);
    let create =
        solana_system_interface::instruction::create_account(&stranger.pubkey(), &trap.pubkey(), rent, 165, &program);
    let init = token::initialize_account3(&program, &trap.pubkey(), &mint, &mallory.pubkey()).unwrap();
    let set = |kind, to: joule_sdk::Pubkey| {
        token::set_authority(&program, &trap.pubkey(), Some(&to), kind, &mallory.pubkey(), &[]).unwrap()
    };
    let keep_close = set(token::AuthorityType::CloseAccount, mallory.pubkey());
    let hand_over = set(token::AuthorityType::AccountOwner, w.north_payout.pubkey());
    w.send(&[create.clone(), init.clone(), keep_close, hand_over], &[&trap, &mallory]);
    let accept = instruction::escrow::accept(Provider::new(north.pubkey(), trap.pubkey()), job, &w.job(&job), PRICE);
    w.send(&[accept], &[&north]);
    // Then it is closed and made again, as Mallory's own.
    let close = token::close_account(&program, &trap.pubkey(), &stranger.pubkey(), &mallory.pubkey(), &[]).unwrap();
    w.send(&[close, create, init], &[&trap, &mallory]);
    w.send(&[w.submit(job)], &[&north]);
    w.set_time(w.now() + 120);
    w.send(&[w.settle(job)], &[]);
    assert_eq!(w.balance(&trap.pubkey()), 0);
    assert_eq!(w.job(&job).owed_provider.get(), shares().1);
    let owner = w.north_payout.insecure_clone();
    w.send(&[instruction::escrow::redirect(owner.pubkey(), job, w.north_tokens())], &[&owner]);
    w.send(&[w.pay(job)], &[]);
    assert_eq!(w.balance(&w.north_tokens()), shares().1);
}

#[test]
fn a_multisig_whose_signers_spell_a_token_account_cannot_receive() {
    let mut w = World::new(Kind::Classic);
    let (job, alice) = (w.accepted(), w.alice.insecure_clone());
    let mut account = w.svm.get_account(&w.alice_tokens()).unwrap();
    account.data.resize(355, 0);
    account.data[165] = 2;
    account.lamports = 10_000_000;
    let fake = w.new_key().pubkey();
    w.svm.set_account(fake, account).unwrap();
    w.refuse(instruction::escrow::redirect(alice.pubkey(), job, fake), &[&alice], "CannotReceive");
}

#[test]
fn a_payee_that_keeps_redirecting_does_not_keep_the_other_waiting() {
    let mut w = World::new(Kind::Classic);
    let (job, alice, mint) = (w.delivered(), w.alice.insecure_clone(), w.mint);
    let (payout, refund) = (w.north_tokens(), w.alice_tokens());
    w.freeze(&payout);
    w.freeze(&refund);
    w.set_time(w.now() + 120);
    w.send(&[w.settle(job)], &[]);
    w.thaw(&payout);
    let stale = w.pay(job);
    let other = w.extra_token_account(&alice.pubkey(), &mint, &[]);
    w.send(&[instruction::escrow::redirect(alice.pubkey(), job, other)], &[&alice]);
    w.send(&[stale], &[]);
    assert_eq!(w.balance(&payout), shares().1);
    w.send(&[w.pay(job)], &[]);
    assert_eq!(w.balance(&other), BUDGET - PRICE);
    assert!(w.is_closed(&job));
}

#[test]
fn another_payout_owner_is_named_for_what_begins_afterwards_only() {
    let mut w = World::new(Kind::Classic);
    let (taken, next, north, mallory) = (w.accepted(), w.opened(), w.north.insecure_clone(), Keypair::new());
    let loot = w.token_account(&mallory.pubkey());
    // Whoever has stolen the hot key makes itself the payout owner.
    let profile = Profile { payout_owner: mallory.pubkey(), ..w.profile() };
    w.send(&[instruction::registry::update(north.pubkey(), profile)], &[&north]);
    w.refuse(instruction::escrow::redirect(mallory.pubkey(), taken, loot), &[&mallory], "NotPayee");
    w.send(&[w.submit(taken)], &[&north]);
    w.set_time(w.now() + 120);
    w.send(&[w.settle(taken)], &[]);
    assert_eq!((w.balance(&w.north_tokens()), w.balance(&loot)), (shares().1, 0));
    // What it takes on from then on is paid to the new one.
    w.refuse(w.accept(next), &[&north], "WrongPayoutOwner");
    let accept = instruction::escrow::accept(Provider::new(north.pubkey(), loot), next, &w.job(&next), PRICE);
    w.send(&[accept], &[&north]);
}
