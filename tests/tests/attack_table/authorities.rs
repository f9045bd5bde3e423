//! What each authority can move at once: nothing of anybody else's.
//!
//! Whatever protocol authority, guardian or an attestor signs is run as it is meant to be, and then every token account on the chain
//! holds what it held, but for the fees that the authority may take out of the treasury; nobody's lamports became fewer but
//! those of who signed; and no bond, stake, job or channel is another byte.

use joule_sdk::{billing, escrow, staking, Pubkey, Signer};
use joule_tests::{
    scenes::{self, Scene},
    Kind, World,
};
use std::collections::{BTreeMap, BTreeSet};

/// Where a token account says how much is in it.
const AMOUNT: std::ops::Range<usize> = 64..72;

/// What an attestor alone signs.
const ATTESTORS: [&str; 3] = ["attest", "attest (first of a subject)", "revoke"];

fn is_an_authoritys(scene: &Scene) -> bool {
    let governs = [scene.world.authority.pubkey(), scene.world.guardian.pubkey()];
    let is_signed = |key: &Pubkey| scene.signers.iter().any(|signer| signer.pubkey() == *key);
    governs.iter().any(is_signed) || scene.program == "registry" && ATTESTORS.contains(&scene.name)
}

#[derive(Debug, PartialEq, Eq)]
struct Holding {
    lamports: u64,
    tokens: Option<u64>,
    /// The bytes of what is somebody's: a bond, a stake, a job, a channel, not what the protocol governs itself.
    own: Option<Vec<u8>>,
}

fn holdings(w: &World) -> BTreeMap<Pubkey, Holding> {
    // Pools and services are governed; what lies in them is in their vaults.
    let governed: BTreeSet<&[u8]> = [
        <staking::state::Pool as anchor_lang::Discriminator>::DISCRIMINATOR,
        <staking::state::Service as anchor_lang::Discriminator>::DISCRIMINATOR,
        <billing::state::Cluster as anchor_lang::Discriminator>::DISCRIMINATOR,
    ]
    .into();
    let all = w.svm.accounts_db().inner.iter();
    all.map(|(address, account)| {
        let account: solana_account::Account = account.clone().into();
        let is_tokens = [Kind::Classic, Kind::Token2022].iter().any(|kind| kind.program() == account.owner);
        let tokens = (is_tokens && account.data.len() >= 165)
            .then(|| u64::from_le_bytes(account.data[AMOUNT].try_into().expect("eight bytes")));
        let is_ours = [staking::ID, escrow::ID, billing::ID].contains(&account.owner);
        let own =
            (is_ours && account.data.len() >= 8 && !governed.contains(&account.data[..8])).then_some(account.data);
        (*address, Holding { lamports: account.lamports, tokens, own })
    })
    .collect()
}

#[test]
fn what_an_authority_signs_moves_nothing_of_anybody_elses() {
    let mut walked = BTreeSet::new();
    for kind in [Kind::Classic, Kind::Token2022] {
        for mut scene in scenes::all(kind).into_iter().chain(scenes::rarer(kind)).filter(is_an_authoritys) {
            let made: Vec<Pubkey> = scene.seeds.iter().map(|pda| pda.address).collect();
            scene.world.crowd(&made);
            let before = holdings(&scene.world);
            let signers: Vec<_> = scene.signers.iter().collect();
            scene.world.send(&scene.instructions(), &signers);
            let after = holdings(&scene.world);
            let name = format!("{} {}", scene.program, scene.name);
            let signed: BTreeSet<Pubkey> =
                scene.signers.iter().map(Signer::pubkey).chain([scene.world.stranger.pubkey()]).collect();
            let fees = scene.world.fee_vault();
            for (address, had) in &before {
                let has = after.get(address).unwrap_or_else(|| panic!("{name}: {address} is gone"));
                assert!(signed.contains(address) || has.lamports >= had.lamports, "{name}: lamports of {address}");
                let is_fees = *address == fees && scene.name == "withdraw_fees";
                assert!(is_fees || has.tokens >= had.tokens, "{name}: tokens of {address}");
                assert_eq!(has.own, had.own, "{name}: {address} is somebody's own");
            }
            walked.insert(name);
        }
    }
    // Every instruction of theirs, or this would pass by walking none.
    let expected = [
        "registry admit_attestor",
        "registry attest",
        "registry revoke",
        "registry revoke (by the authority)",
        "registry set_attestor",
        "staking admit_service",
        "staking create_pool",
        "staking update_pool",
        "billing initialize",
        "treasury accept_mint",
        "treasury pause",
        "treasury set_breaker (looser)",
        "treasury set_breaker (tighter)",
        "treasury set_guardian",
        "treasury set_rewards",
        "treasury stage_fee",
        "treasury cancel_fee",
        "treasury unpause",
        "treasury update_mint",
        "treasury withdraw_fees",
        "treasury propose_authority",
        "treasury initialize_protocol",
    ];
    for name in expected {
        assert!(walked.contains(name), "{name} was not walked: {walked:?}");
    }
}
