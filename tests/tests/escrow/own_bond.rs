//! Whoever is paid into the vault of its own bond is slashed all the same: one account in two places of an instruction must not
//! make it fail.

use joule_sdk::{
    escrow::state::{commitment, Verdict},
    instruction::{
        self,
        escrow::{OpenAccounts, Provider},
    },
    pda,
    registry::state::Profile,
    staking::state::Bond,
    Keypair, Pubkey, Signer,
};
use joule_tests::{Kind, World, BOND, EXPOSURE, PRICE, TRUTH};

fn bond(w: &World, owner: &Keypair) -> (Pubkey, Pubkey) {
    let bond = pda::bond(&owner.pubkey(), &w.mint);
    (bond, pda::bond_vault(&bond))
}

fn amount(w: &World, owner: &Keypair) -> u64 {
    w.get::<Bond>(&bond(w, owner).0).amount.get()
}

#[test]
fn a_silent_juror_cannot_hide_behind_its_bonds_vault() {
    for kind in [Kind::Classic, Kind::Token2022] {
        let mut w = World::new(kind);
        let job = w.delivered_by(w.quorum_terms());
        w.challenged(job);
        let silent = w.provider(2 * EXPOSURE);
        let who = Provider::new(silent.pubkey(), bond(&w, &silent).1);
        let sealed = commitment(&job, &TRUTH, &World::salt(&silent), &silent.pubkey());
        w.send(&[instruction::escrow::commit_vote(who, job, &w.job(&job), sealed, EXPOSURE)], &[&silent]);
        w.voted(job, &[TRUTH; 3]);
        w.send(&[w.resolve(job)], &[]);

        w.send(&[w.close_vote(job, 0, &silent)], &[]);
        assert_eq!(amount(&w, &silent), EXPOSURE);
    }
}

#[test]
fn a_provider_that_is_paid_into_its_bonds_vault_is_slashed_for_a_lie() {
    for kind in [Kind::Classic, Kind::Token2022] {
        let mut w = World::new(kind);
        let north = w.north.insecure_clone();
        let (own, vault) = bond(&w, &north);
        let profile = Profile { payout_owner: own, ..w.profile() };
        w.send(&[instruction::registry::update(north.pubkey(), profile)], &[&north]);
        let (id, alice) = (w.next_id(), w.alice.insecure_clone());
        w.send(&[w.open(w.quorum_terms())], &[&alice]);
        let job = pda::job(&alice.pubkey(), id);
        let who = Provider::new(north.pubkey(), vault);
        w.send(&[instruction::escrow::accept(who, job, &w.job(&job), PRICE)], &[&north]);
        w.send(&[w.submit(job)], &[&north]);
        w.challenged(job);
        w.voted(job, &[TRUTH; 3]);

        w.send(&[w.resolve(job)], &[]);
        assert_eq!(w.dispute(&job).verdict, Verdict::Counter as u8);
        assert_eq!(amount(&w, &north), BOND - EXPOSURE);
    }
}

#[test]
fn a_client_that_is_refunded_into_the_bonds_vault_does_not_spare_the_provider() {
    for kind in [Kind::Classic, Kind::Token2022] {
        let mut w = World::new(kind);
        let (north, alice, id) = (w.north.insecure_clone(), w.alice.insecure_clone(), w.next_id());
        let accounts = OpenAccounts {
            payer: alice.pubkey(),
            client: alice.pubkey(),
            source: w.alice_tokens(),
            refund: bond(&w, &north).1,
            mint: w.mint,
            token_program: w.token_program,
            requirements: None,
            staked_in: None,
        };
        w.send(&[instruction::escrow::open(accounts, id, w.terms())], &[&alice]);
        let job = pda::job(&alice.pubkey(), id);
        w.send(&[w.accept(job)], &[&north]);
        w.set_time(w.job(&job).deliver_by.get() + 1);

        w.send(&[w.fail(job)], &[]);
        assert_eq!(amount(&w, &north), BOND - EXPOSURE);
        assert!(w.is_closed(&job));
    }
}
