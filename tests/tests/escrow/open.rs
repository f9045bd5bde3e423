use joule_sdk::{
    escrow::state::{Client, JobStatus, Terms},
    instruction, pda, Keypair, Pubkey, Signer,
};
use joule_tests::{swap, Kind, World, BUDGET, FEE_BPS};

#[test]
fn open_locks_the_budget_and_records_the_terms() {
    let mut w = World::new(Kind::Classic);
    let before = w.balance(&w.alice_tokens());
    let address = w.opened();
    let (job, terms) = (w.job(&address), w.terms());
    assert_eq!(w.balance(&pda::vault(&address)), BUDGET);
    assert_eq!(w.balance(&w.alice_tokens()), before - BUDGET);
    assert_eq!(job.status, JobStatus::Open as u8);
    assert_eq!((job.client, job.refund, job.vault), (w.alice.pubkey(), w.alice_tokens(), pda::vault(&address)));
    assert_eq!((job.mint, job.fee_vault, job.rent_payer), (w.mint, w.fee_vault(), w.alice.pubkey()));
    assert_eq!((job.spec_hash, job.input_hash, job.result_hash), (terms.spec_hash, terms.input_hash, [0; 32]));
    assert_eq!((job.budget.get(), job.price.get(), job.fee_bps.get()), (BUDGET, 0, FEE_BPS));
    assert_eq!((job.opened_at.get(), job.accept_by.get()), (w.now(), w.now() + 600));
    assert_eq!(job.provider, Pubkey::default());
    assert_eq!(w.get::<Client>(&pda::client(&w.alice.pubkey())).next_job.get(), 1);
}

#[test]
fn ids_count_up_and_are_never_used_twice() {
    let mut w = World::new(Kind::Classic);
    let (first, second) = (w.opened(), w.opened());
    assert_ne!(first, second);
    let alice = w.alice.insecure_clone();
    let cancel = w.cancel(first);
    w.send(&[cancel], &[&alice]);
    assert!(w.is_closed(&first));
    w.refuse(w.open_as(0, w.terms()), &[&alice], "WrongId");
    w.refuse(w.open_as(3, w.terms()), &[&alice], "WrongId");
    w.refuse(w.open_as(u64::MAX, w.terms()), &[&alice], "WrongId");
}

#[test]
fn open_of_an_existing_job_is_rejected() {
    let mut w = World::new(Kind::Classic);
    w.opened();
    let alice = w.alice.insecure_clone();
    assert!(w.attempt(&[w.open_as(0, w.terms())], &[&alice]).is_err());
}

#[test]
fn terms_out_of_range_are_rejected() {
    let mut w = World::new(Kind::Classic);
    let alice = w.alice.insecure_clone();
    let good = w.terms();
    let day = 24 * 60 * 60;
    let cases: [(Terms, &str); 24] = [
        (Terms { budget: 0, ..good }, "BudgetTooSmall"),
        (Terms { budget: 999, ..good }, "BudgetTooSmall"),
        (Terms { accept_window: 0, ..good }, "WindowOutOfRange"),
        (Terms { work_window: 0, ..good }, "WindowOutOfRange"),
        (Terms { review_window: 0, ..good }, "WindowOutOfRange"),
        (Terms { review_window: 90 * day + 1, ..good }, "WindowOutOfRange"),
        (Terms { accept_window: u32::MAX, ..good }, "WindowOutOfRange"),
        (Terms { spec_hash: [0; 32], ..good }, "MissingHash"),
        (Terms { input_hash: [0; 32], ..good }, "MissingHash"),
        (Terms { verification: 3, ..good }, "UnknownVerification"),
        (Terms { pricing: 2, ..good }, "UnknownPricing"),
        (Terms { pricing: 1, ..good }, "RateOutOfRange"),
        (Terms { max_rate: 1, ..good }, "RateOutOfRange"),
        (Terms { verification: 2, jurors: 3, vote_window: 3_599, ..good }, "WindowOutOfRange"),
        (Terms { bid_window: 600, ..good }, "WindowOutOfRange"),
        (Terms { bond_bps: 999, ..good }, "BondOutOfRange"),
        (Terms { bond_bps: 50_001, ..good }, "BondOutOfRange"),
        (Terms { jurors: 3, ..good }, "NoJudge"),
        (Terms { vote_window: 10, ..good }, "NoJudge"),
        (Terms { verification: 1, jurors: 3, ..good }, "WindowOutOfRange"),
        (Terms { verification: 1, jurors: 3, vote_window: day + 1, ..good }, "WindowOutOfRange"),
        (Terms { verification: 1, jurors: 2, vote_window: 10, ..good }, "JurorsOutOfRange"),
        (Terms { verification: 2, jurors: 9, vote_window: 3_600, ..good }, "JurorsOutOfRange"),
        (Terms { verification: 2, jurors: 0, vote_window: 3_600, ..good }, "JurorsOutOfRange"),
    ];
    for (terms, error) in cases {
        w.refuse(w.open(terms), &[&alice], error);
    }
}

#[test]
fn a_budget_beyond_the_source_is_rejected() {
    let mut w = World::new(Kind::Classic);
    let alice = w.alice.insecure_clone();
    let terms = Terms { budget: u64::MAX, ..w.terms() };
    w.refuse(w.open(terms), &[&alice], "TokenError::InsufficientFunds");
}

#[test]
fn somebody_elses_tokens_cannot_be_locked() {
    let mut w = World::new(Kind::Classic);
    let mallory = Keypair::new();
    w.svm.airdrop(&mallory.pubkey(), 10_000_000_000).unwrap();
    let accounts = instruction::escrow::OpenAccounts {
        payer: mallory.pubkey(),
        client: mallory.pubkey(),
        source: w.alice_tokens(),
        refund: w.alice_tokens(),
        mint: w.mint,
        token_program: w.token_program,
        requirements: None,
        staked_in: None,
    };
    w.refuse(instruction::escrow::open(accounts, 0, w.terms()), &[&mallory], "TokenError::OwnerMismatch");
}

#[test]
fn open_without_the_clients_signature_is_rejected() {
    let mut w = World::new(Kind::Classic);
    let mut open = w.open(w.terms());
    for account in open.accounts.iter_mut().filter(|a| a.pubkey == w.alice.pubkey()) {
        account.is_signer = false;
    }
    w.refuse(open, &[], "MissingRequiredSignature");
}

#[test]
fn a_sponsor_may_pay_the_rent_and_gets_it_back() {
    let mut w = World::new(Kind::Classic);
    let (alice, sponsor) = (w.alice.insecure_clone(), Keypair::new());
    w.svm.airdrop(&sponsor.pubkey(), 10_000_000_000).unwrap();
    let mut open = w.open(w.terms());
    open.accounts[0].pubkey = sponsor.pubkey();
    let before = (w.lamports(&alice.pubkey()), w.lamports(&sponsor.pubkey()));
    w.send(&[open], &[&alice, &sponsor]);
    assert_eq!(w.lamports(&alice.pubkey()), before.0);
    let client_rent = w.lamports(&pda::client(&alice.pubkey()));
    let cancel = w.cancel(pda::job(&alice.pubkey(), 0));
    w.send(&[cancel], &[&alice]);
    assert_eq!(w.lamports(&sponsor.pubkey()), before.1 - client_rent);
}

#[test]
fn a_paused_service_takes_no_new_jobs() {
    let mut w = World::new(Kind::Classic);
    let (alice, guardian) = (w.alice.insecure_clone(), w.guardian.insecure_clone());
    w.send(&[instruction::treasury::pause(guardian.pubkey(), 0)], &[&guardian]);
    w.refuse(w.open(w.terms()), &[&alice], "Paused");
}

#[test]
fn a_retired_mint_takes_no_new_jobs() {
    let mut w = World::new(Kind::Classic);
    let (alice, authority) = (w.alice.insecure_clone(), w.authority.insecure_clone());
    w.send(&[instruction::treasury::update_mint(authority.pubkey(), w.mint, false, 1_000)], &[&authority]);
    w.refuse(w.open(w.terms()), &[&alice], "MintNotAccepted");
}

#[test]
fn wrong_accounts_are_rejected() {
    let mut w = World::new(Kind::Classic);
    let (alice, authority) = (w.alice.insecure_clone(), w.authority.insecure_clone());
    let other_mint = w.create_mint(Kind::Classic, &[], &[]);
    let accept =
        instruction::treasury::accept_mint(authority.pubkey(), other_mint, w.token_program, 1, joule_tests::BREAKER);
    w.send(&[accept], &[&authority]);
    let other_tokens = w.extra_token_account(&alice.pubkey(), &other_mint, &[]);
    let own_mint = std::mem::replace(&mut w.mint, other_mint);
    w.mint_to(&other_tokens, BUDGET);
    w.mint = own_mint;
    let open = w.open(w.terms());
    let (job, tokens) = (pda::job(&alice.pubkey(), 0), w.alice_tokens());
    let (other_job, vault) = (pda::job(&alice.pubkey(), 9), pda::vault(&job));
    let accepted = pda::accepted_mint(&w.mint);

    w.refuse(swap(open.clone(), job, other_job), &[&alice], "InvalidSeeds");
    w.refuse(swap(open.clone(), vault, pda::vault(&other_job)), &[&alice], "InvalidSeeds");
    w.refuse(
        swap(open.clone(), pda::client(&alice.pubkey()), pda::client(&w.north.pubkey())),
        &[&alice],
        "InvalidSeeds",
    );
    w.refuse(swap(open.clone(), w.mint, other_mint), &[&alice], "WrongMint");
    w.refuse(swap(open.clone(), accepted, pda::accepted_mint(&other_mint)), &[&alice], "WrongMint");
    w.refuse(swap(open.clone(), accepted, w.mint), &[&alice], "IllegalOwner");
    w.refuse(swap(open.clone(), accepted, pda::protocol()), &[&alice], "InvalidAccountData");
    w.refuse(swap(open.clone(), pda::protocol(), accepted), &[&alice], "AccountDataTooSmall");
    w.refuse(swap(open.clone(), pda::protocol(), Pubkey::new_unique()), &[&alice], "UninitializedAccount");
    w.refuse(swap(open.clone(), w.token_program, Kind::Token2022.program()), &[&alice], "CannotReceive");
    w.refuse(swap(open.clone(), w.token_program, joule_sdk::registry::ID), &[&alice], "IncorrectProgramId");
    let mut bad_refund = open.clone();
    bad_refund.accounts[6].pubkey = other_tokens;
    w.refuse(bad_refund, &[&alice], "CannotReceive");
    let mut to_vault = open.clone();
    to_vault.accounts[6].pubkey = vault;
    w.refuse(to_vault, &[&alice], "ConstraintDuplicateMutableAccount");
    let mut bad_source = open;
    assert_eq!(bad_source.accounts[5].pubkey, tokens);
    bad_source.accounts[5].pubkey = other_tokens;
    w.refuse(bad_source, &[&alice], "TokenError::MintMismatch");
}
