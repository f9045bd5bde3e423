//! The treasury on the SVM.

use joule_sdk::{
    instruction::treasury::*,
    pda, token_program,
    treasury::state::{AcceptedMint, Protocol},
    Instruction, Keypair, Pubkey, Signer,
};
use joule_tests::{set_upgrade_authority, swap, Kind, World, FEE_BPS};
use spl_token_2022_interface::{
    extension::{self, ExtensionType},
    instruction as token,
};

const FEES: [u16; 8] = [FEE_BPS, 0, 0, 0, 0, 0, 0, 0];

fn protocol(w: &World) -> Protocol {
    w.get(&pda::protocol())
}

#[test]
fn the_upgrade_authority_creates_the_protocol_once() {
    let mut w = World::bare();
    let (authority, guardian) = (w.authority.insecure_clone(), w.guardian.pubkey());
    w.send(&[initialize_protocol(authority.pubkey(), guardian, FEES)], &[&authority]);
    let p = protocol(&w);
    assert_eq!((p.authority, p.guardian, p.pending_authority), (authority.pubkey(), guardian, Pubkey::default()));
    assert_eq!((p.fee_bps.map(|f| f.get()), p.paused), (FEES, 0));
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
fn no_fee_is_above_the_maximum() {
    let mut w = World::bare();
    let authority = w.authority.insecure_clone();
    let mut fees = FEES;
    fees[3] = 2_001;
    w.refuse(initialize_protocol(authority.pubkey(), authority.pubkey(), fees), &[&authority], "FeeTooHigh");
    // There is no service 7 yet, and its fee could not be changed later.
    fees[7] = 1;
    fees[3] = 0;
    w.refuse(initialize_protocol(authority.pubkey(), authority.pubkey(), fees), &[&authority], "UnknownService");
    let mut w = World::governed(Kind::Classic);
    let authority = w.authority.insecure_clone();
    w.refuse(set_fee(authority.pubkey(), 0, 2_001), &[&authority], "FeeTooHigh");
    w.refuse(set_fee(authority.pubkey(), 0, u16::MAX), &[&authority], "FeeTooHigh");
    w.send(&[set_fee(authority.pubkey(), 1, 2_000)], &[&authority]);
    assert_eq!(protocol(&w).fee_bps[1].get(), 2_000);
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
    w.refuse(set_fee(authority.pubkey(), 0, 1), &[&authority], "NotAuthority");
    w.refuse(accept_authority(next.pubkey()), &[&next], "NotPendingAuthority");
}

#[test]
fn the_guardian_pauses_and_only_the_authority_goes_on() {
    let mut w = World::governed(Kind::Classic);
    let (authority, guardian) = (w.authority.insecure_clone(), w.guardian.insecure_clone());
    w.send(&[pause(guardian.pubkey(), 0), pause(authority.pubkey(), 3)], &[&guardian, &authority]);
    assert_eq!(protocol(&w).paused, 0b1001);
    w.refuse(unpause(guardian.pubkey(), 0), &[&guardian], "NotAuthority");
    w.send(&[unpause(authority.pubkey(), 0)], &[&authority]);
    assert_eq!(protocol(&w).paused, 0b1000);
    for service in [4, 8, 255] {
        w.refuse(pause(guardian.pubkey(), service), &[&guardian], "UnknownService");
        w.refuse(unpause(authority.pubkey(), service), &[&authority], "UnknownService");
        w.refuse(set_fee(authority.pubkey(), service, 1), &[&authority], "UnknownService");
    }
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
            set_fee(who, 0, 0),
            update_mint(who, mint, false, 1),
            unpause(who, 0),
            withdraw_fees(who, mint, target, program, 1),
        ] {
            w.refuse(instruction, &[thief], "NotAuthority");
        }
    }
    w.refuse(pause(mallory.pubkey(), 0), &[&mallory], "NotGuardian");
    let other = w.create_mint(Kind::Classic, &[], &[]);
    w.refuse(accept_mint(mallory.pubkey(), other, w.token_program, 1), &[&mallory], "NotAuthority");
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
        set_fee(who, 0, 0),
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
fn accept_mint_creates_the_fee_vault() {
    for kind in [Kind::Classic, Kind::Token2022] {
        let w = World::governed(kind);
        let accepted: AcceptedMint = w.get(&pda::accepted_mint(&w.mint));
        assert_eq!((accepted.mint, accepted.fee_vault), (w.mint, w.fee_vault()));
        assert_eq!((accepted.decimals, accepted.min_amount.get(), accepted.enabled), (6, 1_000, 1));
        let vault = w.svm.get_account(&w.fee_vault()).unwrap();
        assert_eq!(
            (vault.owner, &vault.data[..32], &vault.data[32..64]),
            (w.token_program, w.mint.as_ref(), pda::protocol().as_ref())
        );
    }
}

#[test]
fn a_mint_is_accepted_once_and_for_a_real_minimum() {
    let mut w = World::governed(Kind::Classic);
    let authority = w.authority.insecure_clone();
    assert!(w.attempt(&[accept_mint(authority.pubkey(), w.mint, w.token_program, 5)], &[&authority]).is_err());
    let other = w.create_mint(Kind::Classic, &[], &[]);
    w.refuse(accept_mint(authority.pubkey(), other, w.token_program, 0), &[&authority], "ZeroAmount");
    w.refuse(update_mint(authority.pubkey(), w.mint, true, 0), &[&authority], "ZeroAmount");
    w.send(&[update_mint(authority.pubkey(), w.mint, false, 9)], &[&authority]);
    let accepted: AcceptedMint = w.get(&pda::accepted_mint(&w.mint));
    assert_eq!((accepted.enabled, accepted.min_amount.get()), (0, 9));
}

/// How a mint gets an extension.
type Initialise = fn(&Pubkey) -> Instruction;

/// Extensions, each with an authority that does not matter here.
fn extensions() -> Vec<(ExtensionType, Initialise)> {
    use extension::*;
    const P: Pubkey = token_program::TOKEN_2022;
    const A: Pubkey = Pubkey::new_from_array([9; 32]);
    vec![
        (ExtensionType::TransferFeeConfig, |m| {
            transfer_fee::instruction::initialize_transfer_fee_config(&P, m, Some(&A), Some(&A), 100, 100).unwrap()
        }),
        (ExtensionType::MintCloseAuthority, |m| token::initialize_mint_close_authority(&P, m, Some(&A)).unwrap()),
        (ExtensionType::DefaultAccountState, |m| {
            use spl_token_2022_interface::state::AccountState::Frozen;
            default_account_state::instruction::initialize_default_account_state(&P, m, &Frozen).unwrap()
        }),
        (ExtensionType::NonTransferable, |m| token::initialize_non_transferable_mint(&P, m).unwrap()),
        (ExtensionType::InterestBearingConfig, |m| {
            interest_bearing_mint::instruction::initialize(&P, m, Some(A), 5).unwrap()
        }),
        (ExtensionType::PermanentDelegate, |m| token::initialize_permanent_delegate(&P, m, &A).unwrap()),
        (ExtensionType::TransferHook, |m| transfer_hook::instruction::initialize(&P, m, Some(A), Some(A)).unwrap()),
        (ExtensionType::Pausable, |m| pausable::instruction::initialize(&P, m, &A).unwrap()),
    ]
}

#[test]
fn mints_whose_extensions_can_touch_money_are_refused() {
    let mut w = World::governed(Kind::Token2022);
    let authority = w.authority.insecure_clone();
    for (extension, make) in extensions() {
        let mint = w.create_mint(Kind::Token2022, &[extension], &[make]);
        w.refuse(accept_mint(authority.pubkey(), mint, w.token_program, 1), &[&authority], "ForbiddenExtension");
    }
}

#[test]
fn a_mint_that_only_points_to_its_metadata_is_accepted() {
    let mut w = World::governed(Kind::Token2022);
    let authority = w.authority.insecure_clone();
    let mint = w.create_mint(
        Kind::Token2022,
        &[ExtensionType::MetadataPointer],
        &[|m| {
            extension::metadata_pointer::instruction::initialize(&token_program::TOKEN_2022, m, None, Some(*m)).unwrap()
        }],
    );
    w.send(&[accept_mint(authority.pubkey(), mint, w.token_program, 1)], &[&authority]);
}

#[test]
fn things_that_are_no_mints_are_refused() {
    let mut w = World::governed(Kind::Classic);
    let authority = w.authority.insecure_clone();
    let tokens = w.token_account(&w.alice.pubkey());
    for not_a_mint in [tokens, pda::protocol(), Pubkey::new_unique()] {
        assert!(w.attempt(&[accept_mint(authority.pubkey(), not_a_mint, w.token_program, 1)], &[&authority]).is_err());
        assert!(w.is_closed(&pda::accepted_mint(&not_a_mint)));
    }
}

#[test]
fn fees_go_where_the_authority_says_and_never_beyond_what_is_there() {
    let mut w = World::governed(Kind::Classic);
    let (authority, fees) = (w.authority.insecure_clone(), w.fee_vault());
    let target = w.token_account(&w.alice.pubkey());
    w.mint_to(&fees, 500);
    let withdraw = |amount| withdraw_fees(authority.pubkey(), w.mint, target, w.token_program, amount);
    let (some, rest, none) = (withdraw(200), withdraw(301), withdraw(0));
    w.send(&[some], &[&authority]);
    assert_eq!((w.balance(&target), w.balance(&fees)), (200, 300));
    w.refuse(rest, &[&authority], "TokenError::InsufficientFunds");
    w.refuse(none, &[&authority], "ZeroAmount");
}

#[test]
fn withdraw_takes_only_from_the_fee_vault_of_the_mint() {
    let mut w = World::new(Kind::Classic);
    let authority = w.authority.insecure_clone();
    let job = w.opened();
    let target = w.token_account(&authority.pubkey());
    let withdraw = withdraw_fees(authority.pubkey(), w.mint, target, w.token_program, 1);
    w.refuse(swap(withdraw.clone(), w.fee_vault(), pda::vault(&job)), &[&authority], "WrongFeeVault");
    w.refuse(swap(withdraw.clone(), w.fee_vault(), w.alice_tokens()), &[&authority], "WrongFeeVault");
    w.refuse(swap(withdraw, pda::accepted_mint(&w.mint), pda::protocol()), &[&authority], "InvalidAccountData");
}
