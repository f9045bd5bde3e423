//! What is left of a dispute is the client's, wherever it wants it.

use joule_sdk::{instruction, Signer};
use joule_tests::{Kind, World, EXPOSURE, TRUTH};

#[test]
fn a_client_whose_refund_account_is_lost_redirects_what_is_left_of_a_dispute() {
    for kind in [Kind::Classic, Kind::Token2022] {
        let mut w = World::new(kind);
        let alice = w.alice.insecure_clone();
        let job = w.delivered_by(w.quorum_terms());
        w.challenged(job);
        // Seven do not share a fifth of the bond without a rest.
        let jurors = w.voted(job, &[TRUTH; 7]);
        w.send(&[w.resolve(job)], &[]);
        for juror in &jurors {
            w.send(&[w.close_vote(job, 0, juror)], &[]);
        }
        w.send(&[w.close_dispute(job)], &[]);
        assert_eq!(w.job(&job).owed_client.get(), 0);

        let (lost, mint) = (w.alice_tokens(), w.mint);
        w.freeze(&lost);
        w.refuse(w.pay(job), &[], "NothingPayable");
        let other = w.extra_token_account(&alice.pubkey(), &mint, &[]);
        w.send(&[instruction::escrow::redirect(alice.pubkey(), job, other)], &[&alice]);
        w.send(&[w.pay(job)], &[]);
        assert!(w.is_closed(&job));
        assert_eq!(w.balance(&other), EXPOSURE / 5 % 7);
    }
}
