//! Which tokens are admitted.

use crate::accepted;
use joule_sdk::{instruction::treasury::*, pda, token_program, Instruction, Pubkey, Signer};
use joule_tests::{Kind, World, BREAKER};
use spl_token_2022_interface::{
    extension::{self, ExtensionType},
    instruction as token,
};

#[test]
fn accept_mint_creates_the_fee_vault() {
    for kind in [Kind::Classic, Kind::Token2022] {
        let w = World::governed(kind);
        let accepted = accepted(&w);
        assert_eq!((accepted.mint, accepted.fee_vault), (w.mint, w.fee_vault()));
        assert_eq!((accepted.decimals, accepted.min_amount.get(), accepted.enabled), (6, 1_000, 1));
        assert_eq!((accepted.breaker(), accepted.reward_bps.get(), accepted.kept.get()), (BREAKER, 0, 0));
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
    assert!(w.attempt(&[accept_mint(authority.pubkey(), w.mint, w.token_program, 5, BREAKER)], &[&authority]).is_err());
    let other = w.create_mint(Kind::Classic, &[], &[]);
    w.refuse(accept_mint(authority.pubkey(), other, w.token_program, 0, BREAKER), &[&authority], "ZeroAmount");
    w.refuse(update_mint(authority.pubkey(), w.mint, true, 0), &[&authority], "ZeroAmount");
    w.send(&[update_mint(authority.pubkey(), w.mint, false, 9)], &[&authority]);
    let accepted = accepted(&w);
    assert_eq!((accepted.enabled, accepted.min_amount.get()), (0, 9));
}

#[test]
fn things_that_are_no_mints_are_refused() {
    let mut w = World::governed(Kind::Classic);
    let authority = w.authority.insecure_clone();
    let tokens = w.token_account(&w.alice.pubkey());
    for not_a_mint in [tokens, pda::protocol(), Pubkey::new_unique()] {
        assert!(w
            .attempt(&[accept_mint(authority.pubkey(), not_a_mint, w.token_program, 1, BREAKER)], &[&authority])
            .is_err());
        assert!(w.is_closed(&pda::accepted_mint(&not_a_mint)));
    }
}

#[test]
fn lamports_sent_ahead_do_not_keep_a_mint_out() {
    let mut w = World::governed(Kind::Classic);
    let (authority, mint) = (w.authority.insecure_clone(), w.create_mint(Kind::Classic, &[], &[]));
    for address in [pda::accepted_mint(&mint), pda::fee_vault(&mint)] {
        w.svm.airdrop(&address, 1_000_000).unwrap();
    }
    w.send(&[accept_mint(authority.pubkey(), mint, w.token_program, 1, BREAKER)], &[&authority]);
}

/// How a mint gets an extension.
type Initialise = fn(&Pubkey) -> Instruction;

const P: Pubkey = token_program::TOKEN_2022;
/// An authority that does not matter here.
const A: Pubkey = Pubkey::new_from_array([9; 32]);

/// What an extension means for a mint that services might take.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Describes the token and nothing more.
    Harmless,
    /// Can charge for, hook, block, hide, seize or rescale money, or let the mint come back with another nature.
    Refused,
    /// No mint has it: it belongs to token accounts.
    OfAccounts,
}

/// Every extension that Token-2022 has, by name, so that a new one does not compile until somebody has judged it.
fn verdict(extension: ExtensionType) -> Verdict {
    use ExtensionType as E;
    match extension {
        E::MetadataPointer
        | E::TokenMetadata
        | E::GroupPointer
        | E::TokenGroup
        | E::GroupMemberPointer
        | E::TokenGroupMember => Verdict::Harmless,
        E::TransferFeeConfig
        | E::MintCloseAuthority
        | E::ConfidentialTransferMint
        | E::DefaultAccountState
        | E::NonTransferable
        | E::InterestBearingConfig
        | E::PermanentDelegate
        | E::TransferHook
        | E::ConfidentialTransferFeeConfig
        | E::ConfidentialMintBurn
        | E::ScaledUiAmount
        | E::Pausable => Verdict::Refused,
        E::Uninitialized
        | E::TransferFeeAmount
        | E::ConfidentialTransferAccount
        | E::ImmutableOwner
        | E::MemoTransfer
        | E::CpiGuard
        | E::NonTransferableAccount
        | E::TransferHookAccount
        | E::ConfidentialTransferFeeAmount
        | E::PausableAccount => Verdict::OfAccounts,
    }
}

/// The mints that Token-2022 itself makes with each refused extension; some come with others that they need.
fn refused() -> Vec<Vec<(ExtensionType, Initialise)>> {
    use extension::*;
    let fee: (ExtensionType, Initialise) = (ExtensionType::TransferFeeConfig, |m| {
        transfer_fee::instruction::initialize_transfer_fee_config(&P, m, Some(&A), Some(&A), 100, 100).unwrap()
    });
    let confidential: (ExtensionType, Initialise) = (ExtensionType::ConfidentialTransferMint, |m| {
        confidential_transfer::instruction::initialize_mint(&P, m, Some(A), true, None).unwrap()
    });
    let one = |extension, make: Initialise| vec![(extension, make)];
    vec![
        vec![fee],
        vec![confidential],
        vec![
            fee,
            confidential,
            (ExtensionType::ConfidentialTransferFeeConfig, |m| {
                let key = Default::default();
                confidential_transfer_fee::instruction::initialize_confidential_transfer_fee_config(
                    &P,
                    m,
                    Some(A),
                    &key,
                )
                .unwrap()
            }),
        ],
        vec![
            confidential,
            (ExtensionType::ConfidentialMintBurn, |m| {
                confidential_mint_burn::instruction::initialize_mint(&P, m, &Default::default(), &Default::default())
                    .unwrap()
            }),
        ],
        one(ExtensionType::MintCloseAuthority, |m| token::initialize_mint_close_authority(&P, m, Some(&A)).unwrap()),
        one(ExtensionType::DefaultAccountState, |m| {
            use spl_token_2022_interface::state::AccountState::Frozen;
            default_account_state::instruction::initialize_default_account_state(&P, m, &Frozen).unwrap()
        }),
        one(ExtensionType::NonTransferable, |m| token::initialize_non_transferable_mint(&P, m).unwrap()),
        one(ExtensionType::InterestBearingConfig, |m| {
            interest_bearing_mint::instruction::initialize(&P, m, Some(A), 5).unwrap()
        }),
        one(ExtensionType::PermanentDelegate, |m| token::initialize_permanent_delegate(&P, m, &A).unwrap()),
        one(ExtensionType::TransferHook, |m| transfer_hook::instruction::initialize(&P, m, Some(A), Some(A)).unwrap()),
        one(ExtensionType::ScaledUiAmount, |m| scaled_ui_amount::instruction::initialize(&P, m, Some(A), 2.0).unwrap()),
        one(ExtensionType::Pausable, |m| pausable::instruction::initialize(&P, m, &A).unwrap()),
    ]
}

#[test]
fn mints_whose_extensions_can_touch_money_are_refused() {
    let mut w = World::governed(Kind::Token2022);
    let authority = w.authority.insecure_clone();
    let mut tried = Vec::new();
    for extensions in refused() {
        let types: Vec<ExtensionType> = extensions.iter().map(|(extension, _)| *extension).collect();
        let makes: Vec<Initialise> = extensions.iter().map(|(_, make)| *make).collect();
        let mint = w.create_mint(Kind::Token2022, &types, &makes);
        let accept = accept_mint(authority.pubkey(), mint, w.token_program, 1, BREAKER);
        w.refuse(accept, &[&authority], "ForbiddenExtension");
        tried.extend(types);
    }
    let all = (0..=u8::MAX as u16).filter_map(|number| ExtensionType::try_from(number).ok());
    for extension in all.filter(|extension| verdict(*extension) == Verdict::Refused) {
        assert!(tried.contains(&extension), "no mint with {extension:?} was tried");
    }
}

#[test]
fn each_refused_extension_is_refused_alone_and_so_is_one_that_nobody_knows_yet() {
    let mut w = World::governed(Kind::Token2022);
    let authority = w.authority.insecure_clone();
    let plain = w.svm.get_account(&w.mint).unwrap();
    for number in 1..=40u16 {
        let known = ExtensionType::try_from(number).ok().map(verdict);
        if known == Some(Verdict::Harmless) {
            continue;
        }
        // A mint as Token-2022 lays it out: base, padding, kind, then type, length and value.
        let mint = Pubkey::new_unique();
        let mut account = plain.clone();
        account.data.resize(165, 0);
        account.data.push(1);
        account.data.extend(number.to_le_bytes());
        account.data.extend(8u16.to_le_bytes());
        account.data.extend([0; 8]);
        account.lamports *= 2;
        w.svm.set_account(mint, account).unwrap();
        let accept = accept_mint(authority.pubkey(), mint, w.token_program, 1, BREAKER);
        assert!(w.attempt(&[accept], &[&authority]).is_err(), "extension {number} was accepted");
        assert!(w.is_closed(&pda::accepted_mint(&mint)));
    }
}

#[test]
fn mints_that_only_point_to_descriptions_are_accepted() {
    let mut w = World::governed(Kind::Token2022);
    let authority = w.authority.insecure_clone();
    let pointers: [(ExtensionType, Initialise); 3] = [
        (ExtensionType::MetadataPointer, |m| {
            extension::metadata_pointer::instruction::initialize(&P, m, None, Some(*m)).unwrap()
        }),
        (ExtensionType::GroupPointer, |m| {
            extension::group_pointer::instruction::initialize(&P, m, None, Some(*m)).unwrap()
        }),
        (ExtensionType::GroupMemberPointer, |m| {
            extension::group_member_pointer::instruction::initialize(&P, m, None, Some(*m)).unwrap()
        }),
    ];
    for (extension, make) in pointers {
        let mint = w.create_mint(Kind::Token2022, &[extension], &[make]);
        w.send(&[accept_mint(authority.pubkey(), mint, w.token_program, 1, BREAKER)], &[&authority]);
    }
}
