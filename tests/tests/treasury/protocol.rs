//! Who creates the protocol and who governs it.

use crate::{protocol, FEES};
use joule_sdk::{instruction::treasury::*, pda, AccountMeta, Instruction, Keypair, Pubkey, Signer};
use joule_tests::{deployed, set_upgrade_authority, swap, Kind, World, BREAKER};
use solana_account::Account;

const RENT: &str = "SysvarRent111111111111111111111111111111111";
const CLOCK: &str = "SysvarC1ock11111111111111111111111111111111";

#[test]
fn the_upgrade_authority_creates_the_protocol_once() {
    let mut w = World::bare();
    let (authority, guardian) = (w.authority.insecure_clone(), w.guardian.pubkey());
    w.send(&[initialize_protocol(authority.pubkey(), guardian, FEES)], &[&authority]);
    let p = protocol(&w);
    assert_eq!((p.authority, p.guardian, p.pending_authority), (authority.pubkey(), guardian, Pubkey::default()));
    assert_eq!((p.fee_bps.map(|f| f.get()), p.paused_until.map(|at| at.get())), (FEES, [0; 8]));
    assert!(w.attempt(&[initialize_protocol(authority.pubkey(), guardian, FEES)], &[&authority]).is_err());
}

#[test]
fn nobody_else_creates_the_protocol_even_first() {
    let mut w = World::bare();
    let (mallory, authority) = (w.alice.insecure_clone(), w.authority.insecure_clone());
    let steal = initialize_protocol(mallory.pubkey(), mallory.pubkey(), FEES);
    w.refuse(steal.clone(), &[&mallory], "NotUpgradeAuthority");
    // Not with the data account of another program that mallory controls, nor with an account of her own.
    set_upgrade_authority(&mut w.svm, &joule_sdk::registry::ID, Some(&mallory.pubkey()));
    let (own, other) = (pda::program_data(&joule_sdk::treasury::ID), pda::program_data(&joule_sdk::registry::ID));
    w.refuse(swap(steal.clone(), own, other), &[&mallory], "NotUpgradeAuthority");
    w.refuse(swap(steal, own, mallory.pubkey()), &[&mallory], "ConstraintDuplicateMutableAccount");
    let mut unsigned = initialize_protocol(authority.pubkey(), mallory.pubkey(), FEES);
    unsigned.accounts[0].is_signer = false;
    assert!(w.attempt(&[unsigned], &[]).is_err());
}

#[test]
fn an_immutable_program_has_nobody_who_could_create_the_protocol() {
    let mut w = World::bare();
    set_upgrade_authority(&mut w.svm, &joule_sdk::treasury::ID, None);
    let authority = w.authority.insecure_clone();
    let initialize = initialize_protocol(authority.pubkey(), authority.pubkey(), FEES);
    w.refuse(initialize, &[&authority], "NotUpgradeAuthority");
}

#[test]
fn authority_passes_in_two_steps() {
    let mut w = World::governed(Kind::Classic);
    let (authority, next) = (w.authority.insecure_clone(), w.alice.insecure_clone());
    w.refuse(accept_authority(next.pubkey()), &[&next], "NotPendingAuthority");
    w.send(&[propose_authority(authority.pubkey(), next.pubkey())], &[&authority]);
    let mallory = Keypair::new();
    w.refuse(accept_authority(mallory.pubkey()), &[&mallory], "NotPendingAuthority");
    assert_eq!(protocol(&w).authority, authority.pubkey());
    w.send(&[accept_authority(next.pubkey())], &[&next]);
    assert_eq!((protocol(&w).authority, protocol(&w).pending_authority), (next.pubkey(), Pubkey::default()));
    w.refuse(stage_fee(authority.pubkey(), 0, 1), &[&authority], "NotAuthority");
    w.refuse(accept_authority(next.pubkey()), &[&next], "NotPendingAuthority");
}

#[test]
fn nobody_but_the_authority_governs() {
    let mut w = World::governed(Kind::Classic);
    let (mallory, guardian) = (w.alice.insecure_clone(), w.guardian.insecure_clone());
    let target = w.token_account(&mallory.pubkey());
    for thief in [&mallory, &guardian] {
        let (who, mint, program) = (thief.pubkey(), w.mint, w.token_program);
        for instruction in [
            propose_authority(who, who),
            set_guardian(who, who),
            stage_fee(who, 0, 0),
            cancel_fee(who, 0),
            set_breaker(who, mint, BREAKER),
            set_rewards(who, mint, Pubkey::default(), target, 1),
            update_mint(who, mint, false, 1),
            unpause(who, 0),
            withdraw_fees(who, mint, target, program, 1),
        ] {
            w.refuse(instruction, &[thief], "NotAuthority");
        }
    }
    w.refuse(pause(mallory.pubkey(), 0), &[&mallory], "NotGuardian");
    let other = w.create_mint(Kind::Classic, &[], &[]);
    w.refuse(accept_mint(mallory.pubkey(), other, w.token_program, 1, BREAKER), &[&mallory], "NotAuthority");
}

#[test]
fn every_governing_instruction_needs_a_signature() {
    let mut w = World::governed(Kind::Classic);
    let (who, mint) = (w.authority.pubkey(), w.mint);
    let target = w.token_account(&w.alice.pubkey());
    for mut instruction in [
        propose_authority(who, who),
        accept_authority(who),
        set_guardian(who, who),
        stage_fee(who, 0, 0),
        cancel_fee(who, 0),
        set_breaker(who, mint, BREAKER),
        set_rewards(who, mint, Pubkey::default(), target, 1),
        update_mint(who, mint, false, 1),
        pause(who, 0),
        unpause(who, 0),
        withdraw_fees(who, mint, target, w.token_program, 1),
    ] {
        instruction.accounts[0].is_signer = false;
        w.refuse(instruction, &[], "MissingRequiredSignature");
    }
}

#[test]
fn set_guardian_replaces_the_guardian() {
    let mut w = World::governed(Kind::Classic);
    let (authority, guardian, next) = (w.authority.insecure_clone(), w.guardian.insecure_clone(), Keypair::new());
    w.send(&[set_guardian(authority.pubkey(), next.pubkey())], &[&authority]);
    w.refuse(pause(guardian.pubkey(), 0), &[&guardian], "NotGuardian");
    w.send(&[pause(next.pubkey(), 0)], &[&next]);
}

#[test]
fn whoever_may_upgrade_replaces_a_program_and_nobody_else_does() {
    // What the upgradeable loader wants: `UpgradeableLoaderState::Buffer` with its authority, and its instruction `Upgrade`.
    const BUFFER: u32 = 1;
    const UPGRADE: u32 = 3;
    let mut w = World::bare();
    let (authority, mallory, spill) = (w.authority.insecure_clone(), w.alice.insecure_clone(), w.stranger.pubkey());
    let (program, loader) = (joule_sdk::treasury::ID, w.svm.get_account(&joule_sdk::treasury::ID).unwrap().owner);
    let (data, code) = (pda::program_data(&program), std::fs::read(deployed("joule_test_service")).unwrap());
    w.set_slot(1_000);
    let upgrade = |w: &mut World, who: &Keypair| {
        let buffer = Pubkey::new_unique();
        let content = [&BUFFER.to_le_bytes()[..], &[1], &who.pubkey().to_bytes(), &code].concat();
        let lamports = w.svm.minimum_balance_for_rent_exemption(content.len());
        let account = Account { lamports, data: content, owner: loader, ..Account::default() };
        w.svm.set_account(buffer, account).unwrap();
        let mut accounts: Vec<_> = [data, program, buffer, spill].map(|at| AccountMeta::new(at, false)).into();
        accounts.extend([RENT, CLOCK].map(|sysvar| AccountMeta::new_readonly(sysvar.parse().unwrap(), false)));
        accounts.push(AccountMeta::new_readonly(who.pubkey(), true));
        Instruction { program_id: loader, accounts, data: UPGRADE.to_le_bytes().into() }
    };
    let holds = |w: &World| w.svm.get_account(&data).unwrap().data[45..].starts_with(&code);
    let stolen = upgrade(&mut w, &mallory);
    assert!(w.attempt(&[stolen], &[&mallory]).is_err() && !holds(&w));
    let rightful = upgrade(&mut w, &authority);
    w.send(&[rightful], &[&authority]);
    assert!(holds(&w));
}
