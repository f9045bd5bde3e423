//! Who may vote in a quorum is what it was before the dispute opened: nobody who learns of the dispute chooses its jurors.

use joule_sdk::{
    escrow::state::{Terms, Verdict},
    instruction::{
        escrow::{commit_vote, open, OpenAccounts, Provider},
        registry::{
            admit_attestor, attest, define_requirements, register, retire_requirements, revoke, set_attestor, Statement,
        },
    },
    pda,
    registry::state::{Credential, Profile, Wanted},
    Instruction, Keypair, Pubkey, Signer,
};
use joule_tests::{Kind, World, EXPOSURE, RESULT, TRUTH};

const DAY: i64 = 86_400;

struct Case {
    w: World,
    attestor: Keypair,
    wanted: Wanted,
    job: Pubkey,
    honest: Vec<Keypair>,
}

impl Case {
    fn attest(&mut self, subject: &Keypair) {
        let (key, expires_at) = (self.attestor.pubkey(), self.w.now() + 90 * DAY);
        let statement = Statement { subject: subject.pubkey(), schema: 1, value_hash: [1; 32], expires_at };
        let give = attest(key, key, statement);
        let attestor = self.attestor.insecure_clone();
        self.w.send(&[give], &[&attestor]);
    }

    /// Three honest providers with the credential that a delivered job demands of its jurors; a review of a week.
    fn new() -> Self {
        let mut w = World::new(Kind::Classic);
        let (governor, attestor) = (w.authority.insecure_clone(), w.new_key());
        w.svm.airdrop(&attestor.pubkey(), 10_000_000_000).unwrap();
        let admit = admit_attestor(governor.pubkey(), governor.pubkey(), attestor.pubkey(), [5; 32]);
        w.send(&[admit], &[&governor]);
        let mut wanted = Wanted::default();
        wanted.all_of[0] = Credential { attestor: pda::attestor(&attestor.pubkey()), schema: 1 };
        let honest: Vec<Keypair> = (0..3).map(|_| w.provider(2 * EXPOSURE)).collect();
        let mut case = Self { w, attestor, wanted, job: Pubkey::default(), honest };
        let north = case.w.north.insecure_clone();
        case.attest(&north);
        for juror in case.honest.iter().map(Keypair::insecure_clone).collect::<Vec<_>>() {
            case.attest(&juror);
        }
        case.w.set_time(case.w.now() + 1);
        case.deliver();
        case
    }

    fn requirements(&self) -> Pubkey {
        pda::requirements(&self.w.alice.pubkey(), &self.wanted.hash())
    }

    fn open(&self) -> Instruction {
        let w = &self.w;
        let accounts = OpenAccounts {
            payer: w.alice.pubkey(),
            client: w.alice.pubkey(),
            source: w.alice_tokens(),
            refund: w.alice_tokens(),
            mint: w.mint,
            token_program: w.token_program,
            requirements: Some(self.requirements()),
            staked_in: None,
        };
        open(accounts, w.next_id(), Terms { review_window: 7 * DAY as u32, ..w.quorum_terms() })
    }

    fn deliver(&mut self) {
        let (alice, north) = (self.w.alice.insecure_clone(), self.w.north.insecure_clone());
        let define = define_requirements(alice.pubkey(), alice.pubkey(), self.wanted);
        self.w.send(&[define], &[&alice]);
        let (job, open) = (pda::job(&alice.pubkey(), self.w.next_id()), self.open());
        self.w.send(&[open], &[&alice]);
        let worker = Provider { attested: true, ..Provider::new(north.pubkey(), self.w.north_tokens()) };
        let accept = joule_sdk::instruction::escrow::accept(worker, job, &self.w.job(&job), EXPOSURE);
        self.w.send(&[accept], &[&north]);
        self.w.send(&[self.w.submit(job)], &[&north]);
        self.job = job;
    }

    fn commit(&self, juror: &Keypair, output: [u8; 32]) -> Instruction {
        let sealed = joule_sdk::escrow::state::commitment(&self.job, &output, &World::salt(juror), &juror.pubkey());
        let who = Provider { attested: true, ..Provider::new(juror.pubkey(), self.w.tokens_of(juror)) };
        commit_vote(who, self.job, &self.w.job(&self.job), sealed, EXPOSURE)
    }

    /// The honest ones vote, and are heard.
    fn decided(mut self) {
        for juror in &self.honest {
            let commit = self.commit(juror, TRUTH);
            self.w.send(&[commit], &[juror]);
        }
        let job = self.job;
        self.w.set_time(self.w.dispute(&job).commit_by.get() + 1);
        for juror in &self.honest {
            self.w.send(&[self.w.reveal(job, 0, juror, TRUTH)], &[]);
        }
        self.w.set_time(self.w.dispute(&job).final_at.get() + 1);
        self.w.send(&[self.w.resolve(job)], &[]);
        assert_eq!(self.w.dispute(&job).verdict, Verdict::Counter as u8);
    }
}

#[test]
fn a_client_that_retires_its_requirements_with_the_challenge_chooses_no_jurors() {
    let mut case = Case::new();
    let (alice, carol) = (case.w.alice.insecure_clone(), case.w.challenger());
    let challenge = case.w.challenge(case.job, &carol, TRUTH);
    case.w.send(&[challenge, retire_requirements(alice.pubkey(), &case.wanted.hash())], &[&carol, &alice]);
    assert!(!case.w.is_closed(&case.requirements()));
    // No new job can name them; those that do are judged by them.
    case.w.refuse(case.open(), &[&alice], "RequirementsRetired");
    case.decided();
}

#[test]
fn an_attestor_that_takes_back_what_it_said_after_the_challenge_chooses_no_jurors() {
    let mut case = Case::new();
    case.w.challenged(case.job);
    let (attestor, governor) = (case.attestor.insecure_clone(), case.w.authority.insecure_clone());
    case.w.set_time(case.w.now() + DAY);
    for (place, juror) in case.honest.iter().map(Keypair::insecure_clone).collect::<Vec<_>>().iter().enumerate() {
        let take = revoke(attestor.pubkey(), attestor.pubkey(), juror.pubkey(), 1);
        case.w.send(&[take], &[&attestor]);
        if place == 0 {
            // Given anew, it does not hide what was.
            case.attest(juror);
        }
    }
    // Nor does the authority, which can dismiss the attestor and do the same.
    case.w.send(&[set_attestor(governor.pubkey(), attestor.pubkey(), false)], &[&governor]);
    let take = revoke(governor.pubkey(), attestor.pubkey(), case.honest[0].pubkey(), 1);
    case.w.send(&[take], &[&governor]);
    case.decided();
}

#[test]
fn whoever_is_made_eligible_after_the_challenge_does_not_vote() {
    let mut case = Case::new();
    let late = case.w.provider(2 * EXPOSURE);
    case.w.challenged(case.job);
    case.w.set_time(case.w.now() + 1);
    case.attest(&late);
    case.w.refuse(case.commit(&late, RESULT), &[&late], "CredentialMissing");
    // Registered, or stating something else of itself, since then: neither.
    let newcomer = case.w.provider(2 * EXPOSURE);
    case.attest(&newcomer);
    case.w.refuse(case.commit(&newcomer, RESULT), &[&newcomer], "JurorTooLate");
    let profile = Profile { capacity: 9, ..case.w.profile() };
    let update = joule_sdk::instruction::registry::update(late.pubkey(), profile);
    case.w.send(&[update], &[&late]);
    case.w.refuse(case.commit(&late, RESULT), &[&late], "JurorTooLate");
    // Taking a break and coming back is nothing new.
    let honest = case.honest[0].insecure_clone();
    for status in
        [joule_sdk::registry::state::ProviderStatus::Paused, joule_sdk::registry::state::ProviderStatus::Active]
    {
        let change = joule_sdk::instruction::registry::set_status(honest.pubkey(), status);
        case.w.send(&[change], &[&honest]);
    }
    case.decided();
}

#[test]
fn what_is_said_in_the_very_second_of_the_challenge_comes_too_late() {
    let mut case = Case::new();
    let (late, attestor) = (case.w.provider(2 * EXPOSURE), case.attestor.insecure_clone());
    let carol = case.w.challenger();
    let challenge = case.w.challenge(case.job, &carol, TRUTH);
    // In one transaction: an honest juror's credential is taken back, a friend's is given, and the result is challenged.
    let take = revoke(attestor.pubkey(), attestor.pubkey(), case.honest[0].pubkey(), 1);
    let (key, expires_at) = (attestor.pubkey(), case.w.now() + 90 * DAY);
    let give = attest(key, key, Statement { subject: late.pubkey(), schema: 1, value_hash: [1; 32], expires_at });
    case.w.send(&[take, give, challenge], &[&carol, &attestor]);
    case.w.refuse(case.commit(&late, RESULT), &[&late], "CredentialMissing");
    // Nor does a newcomer, or whoever states something else of itself.
    let profile = Profile { capacity: 9, ..case.w.profile() };
    case.w.send(&[joule_sdk::instruction::registry::update(late.pubkey(), profile)], &[&late]);
    case.w.refuse(case.commit(&late, RESULT), &[&late], "JurorTooLate");
    case.decided();
}

#[test]
fn votes_that_agree_on_nothing_convict_nobody() {
    let mut w = World::new(Kind::Classic);
    let job = w.delivered_by(w.quorum_terms());
    let carol = w.challenged(job);
    let left = w.balance(&w.tokens_of(&carol));
    let jurors = w.voted(job, &[RESULT, RESULT, [1; 32], [2; 32], [3; 32]]);
    w.send(&[w.resolve(job)], &[]);
    assert_eq!(w.dispute(&job).verdict, Verdict::Undecided as u8);
    assert_eq!(w.bond().amount.get(), joule_tests::BOND);
    assert_eq!(w.balance(&w.tokens_of(&carol)), left + EXPOSURE);
    let votes: Vec<_> = jurors.iter().map(|juror| (0, juror)).collect();
    w.wind_up(job, &votes);
}

#[test]
fn where_another_output_wins_votes_for_yet_another_were_wrong() {
    let mut w = World::new(Kind::Classic);
    let job = w.delivered_by(w.quorum_terms());
    w.challenged(job);
    let jurors = w.voted(job, &[[5; 32], [5; 32], [5; 32], [6; 32], RESULT]);
    w.send(&[w.resolve(job)], &[]);
    assert_eq!((w.dispute(&job).verdict, w.dispute(&job).third), (Verdict::Neither as u8, [5; 32]));
    let votes: Vec<_> = jurors.iter().map(|juror| (0, juror)).collect();
    w.wind_up(job, &votes);
    let bonds = jurors.iter().map(|juror| {
        let bond: joule_sdk::staking::state::Bond = w.get(&pda::bond(&juror.pubkey(), &w.mint));
        bond.amount.get() / EXPOSURE
    });
    assert_eq!(bonds.collect::<Vec<_>>(), [2, 2, 2, 1, 1]);
    assert!(w.is_closed(&job));
}

#[test]
fn a_stranger_can_still_register_and_vote_where_it_did_so_before_the_challenge() {
    let mut w = World::new(Kind::Classic);
    let job = w.delivered_by(w.quorum_terms());
    let juror = w.holder(0);
    let profile = Profile { payout_owner: juror.pubkey(), ..w.profile() };
    w.send(&[register(juror.pubkey(), juror.pubkey(), profile)], &[&juror]);
    w.give_bond(&juror, EXPOSURE);
    w.set_time(w.now() + 1);
    w.challenged(job);
    w.send(&[w.commit(job, &juror, TRUTH, EXPOSURE)], &[&juror]);
}
