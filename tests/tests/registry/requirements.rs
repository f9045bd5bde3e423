//! Requirements: defined once, named by their content, retired, and closed when no job can name them.

use crate::world;
use joule_sdk::{
    instruction::registry::*,
    pda,
    registry::{
        constants::REQUIREMENTS_NOTICE,
        state::{Credential, Requirements, Wanted},
    },
    Keypair, Pubkey, Signer,
};
use joule_tests::{swap, World};

fn credential(schema: u32) -> Credential {
    Credential { attestor: Pubkey::new_unique(), schema }
}

/// Every place used.
fn everything() -> Wanted {
    Wanted {
        gpu_model: 7,
        gpu_count: 8,
        vram_mib: 81_920,
        cpu_cores: 64,
        memory_mib: 1 << 20,
        disk_gib: 4_096,
        bandwidth_mbps: 10_000,
        regions: [1, 2, 3, 4],
        min_bond: u64::MAX,
        all_of: [1, 2, 3, 4].map(credential),
        any_of: [5, 6, 7, 8].map(credential),
        allowed: std::array::from_fn(|_| Pubkey::new_unique()),
    }
}

fn defined(w: &mut World, wanted: Wanted) -> Pubkey {
    let alice = w.alice.insecure_clone();
    w.send(&[define_requirements(alice.pubkey(), alice.pubkey(), wanted)], &[&alice]);
    pda::requirements(&alice.pubkey(), &wanted.hash())
}

#[test]
fn the_account_is_named_by_the_hash_of_its_borsh_encoding() {
    let mut w = world();
    for wanted in [Wanted::default(), everything()] {
        let address = defined(&mut w, wanted);
        let found: Requirements = w.get(&address);
        // The instruction's data after its discriminator is the content as Borsh writes it.
        let data = define_requirements(w.alice.pubkey(), w.alice.pubkey(), wanted).data;
        assert_eq!(wanted.hash(), anchor_lang::sha256(&data[8..]));
        assert_eq!(bytemuck::bytes_of(&found.criteria), &data[8..]);
        assert_eq!((found.client, found.rent_payer), (w.alice.pubkey(), w.alice.pubkey()));
        assert_eq!(found.criteria.hash(), wanted.hash());
    }
}

#[test]
fn the_largest_requirements_fit_into_a_transaction_with_three_signers() {
    let mut w = world();
    let (alice, sponsor) = (w.alice.insecure_clone(), w.north.insecure_clone());
    let define = define_requirements(sponsor.pubkey(), alice.pubkey(), everything());
    let transaction = solana_transaction::Transaction::new_signed_with_payer(
        std::slice::from_ref(&define),
        Some(&w.stranger.pubkey()),
        &[&w.stranger, &sponsor, &alice],
        w.svm.latest_blockhash(),
    );
    let message = transaction.message.serialize().len();
    let bytes = 1 + 64 * transaction.signatures.len() + message;
    assert!(bytes <= 1_232, "{bytes} bytes");
    w.send(&[define], &[&alice, &sponsor]);
}

#[test]
fn the_same_content_is_defined_once_by_each_client() {
    let mut w = world();
    let (alice, north) = (w.alice.insecure_clone(), w.north.insecure_clone());
    let address = defined(&mut w, everything());
    let again = define_requirements(alice.pubkey(), alice.pubkey(), everything_as(&w.get(&address)));
    assert!(w.attempt(&[again], &[&alice]).is_err());
    let same = everything_as(&w.get(&address));
    w.send(&[define_requirements(north.pubkey(), north.pubkey(), same)], &[&north]);
}

/// The content of an account.
fn everything_as(r: &Requirements) -> Wanted {
    let c = &r.criteria;
    let credential = |rule: joule_sdk::registry::state::CredentialRule| Credential {
        attestor: rule.attestor,
        schema: rule.schema.get(),
    };
    Wanted {
        gpu_model: c.gpu_model.get(),
        gpu_count: c.gpu_count.get(),
        vram_mib: c.vram_mib.get(),
        cpu_cores: c.cpu_cores.get(),
        memory_mib: c.memory_mib.get(),
        disk_gib: c.disk_gib.get(),
        bandwidth_mbps: c.bandwidth_mbps.get(),
        regions: c.regions.map(|region| region.get()),
        min_bond: c.min_bond.get(),
        all_of: c.all_of.map(credential),
        any_of: c.any_of.map(credential),
        allowed: c.allowed,
    }
}

#[test]
fn other_content_cannot_take_the_place_of_what_a_job_names() {
    let mut w = world();
    let alice = w.alice.insecure_clone();
    let wanted = Wanted { min_bond: 5, ..Default::default() };
    let address = defined(&mut w, wanted);
    w.send(&[retire_requirements(alice.pubkey(), &wanted.hash())], &[&alice]);
    w.set_time(w.now() + REQUIREMENTS_NOTICE as i64);
    w.send(&[close_requirements(address, &w.get(&address))], &[]);
    let other = Wanted { min_bond: 4, ..Default::default() };
    let define = define_requirements(alice.pubkey(), alice.pubkey(), other);
    let own = pda::requirements(&alice.pubkey(), &other.hash());
    w.refuse(swap(define, own, address), &[&alice], "InvalidSeeds");
    assert_eq!(defined(&mut w, wanted), address);
}

#[test]
fn what_a_check_would_pass_over_in_silence_is_refused() {
    let mut w = world();
    let alice = w.alice.insecure_clone();
    let (some, none) = (credential(1), Credential::default());
    let nameless = Credential { schema: 9, ..none };
    let zero = Pubkey::default();
    let one = Pubkey::new_unique();
    let plain = Wanted::default();
    let cases = [
        (Wanted { all_of: [nameless, none, none, none], ..plain }, "MissingAttestor"),
        (Wanted { any_of: [some, nameless, none, none], ..plain }, "MissingAttestor"),
        (Wanted { all_of: [none, some, none, none], ..plain }, "GapInList"),
        (Wanted { any_of: [some, none, some, none], ..plain }, "GapInList"),
        (Wanted { regions: [0, 0, 0, 1], ..plain }, "GapInList"),
        (Wanted { regions: [1, 0, 2, 0], ..plain }, "GapInList"),
        (Wanted { allowed: [zero, one, zero, zero, zero, zero, zero, zero], ..plain }, "GapInList"),
        (Wanted { allowed: [one, one, one, zero, zero, zero, zero, one], ..plain }, "GapInList"),
    ];
    for (wanted, error) in cases {
        w.refuse(define_requirements(alice.pubkey(), alice.pubkey(), wanted), &[&alice], error);
    }
}

#[test]
fn only_the_client_retires_its_requirements_and_much_later_the_rent_returns_to_whoever_paid() {
    let mut w = world();
    let (alice, sponsor, mallory) = (w.alice.insecure_clone(), w.north.insecure_clone(), Keypair::new());
    let before = (w.lamports(&alice.pubkey()), w.lamports(&sponsor.pubkey()));
    let wanted = everything();
    w.send(&[define_requirements(sponsor.pubkey(), alice.pubkey(), wanted)], &[&alice, &sponsor]);
    assert_eq!(w.lamports(&alice.pubkey()), before.0);
    let address = pda::requirements(&alice.pubkey(), &wanted.hash());
    let close = close_requirements(address, &w.get(&address));
    w.refuse(close.clone(), &[], "RequirementsNeeded");
    let retire = retire_requirements(alice.pubkey(), &wanted.hash());
    w.refuse(swap(retire.clone(), alice.pubkey(), mallory.pubkey()), &[&mallory], "NotClient");
    let mut unsigned = retire.clone();
    unsigned.accounts[0].is_signer = false;
    w.refuse(unsigned, &[], "MissingRequiredSignature");
    w.send(std::slice::from_ref(&retire), &[&alice]);
    w.refuse(retire, &[&alice], "AlreadyRetired");
    w.set_time(w.now() + REQUIREMENTS_NOTICE as i64 - 1);
    w.refuse(close.clone(), &[], "RequirementsNeeded");
    w.set_time(w.now() + 1);
    w.refuse(swap(close.clone(), sponsor.pubkey(), alice.pubkey()), &[], "WrongRentPayer");
    w.send(&[close], &[]);
    assert!(w.is_closed(&address));
    assert_eq!((w.lamports(&alice.pubkey()), w.lamports(&sponsor.pubkey())), before);
}

#[test]
fn requirements_are_defined_in_nobodys_name_but_ones_own() {
    let mut w = world();
    let (alice, mallory) = (w.alice.insecure_clone(), w.north.insecure_clone());
    let mut define = define_requirements(mallory.pubkey(), alice.pubkey(), Wanted::default());
    define.accounts[1].is_signer = false;
    w.refuse(define, &[&mallory], "MissingRequiredSignature");
}

#[test]
fn lamports_sent_ahead_do_not_keep_requirements_out() {
    let mut w = world();
    let wanted = everything();
    let address = pda::requirements(&w.alice.pubkey(), &wanted.hash());
    w.svm.airdrop(&address, 1_000_000).unwrap();
    assert_eq!(defined(&mut w, wanted), address);
}
