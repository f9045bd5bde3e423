//! How much fits into one transaction, of version 0 with a lookup table and of version 1.

use joule_sdk::{transaction, v1, Signer};
use joule_tests::together::{Together, Version};

/// The most that fit, by the version.
const MOST_CHANNELS: [usize; 2] = [42, 60];
const MOST_VOUCHERS: [usize; 2] = [4, 15];
/// Hashes: of two million receipts, and of more than there can be.
const MOST_LEVELS: [u8; 2] = [21, 63];

const VERSIONS: [(Version, usize); 2] = [(Version::Zero, transaction::MAX_BYTES), (Version::One, v1::MAX_BYTES)];

#[test]
fn the_most_channels_that_settle_in_one_transaction_are_known() {
    for ((version, longest), most) in VERSIONS.into_iter().zip(MOST_CHANNELS) {
        let mut batch = Together::batch(most);
        let fitted = batch.fit(version).expect("it fits");
        println!("{most} channels in {version:?}: {fitted:?}, {} CU a channel", fitted.cu / most as u64);
        assert!(batch.is_settled());
        assert!(fitted.bytes <= longest && fitted.cu / most as u64 <= 300, "{fitted:?}");
        assert_eq!(Together::batch(most + 1).fit(version), None);
    }
}

#[test]
fn the_most_vouchers_of_different_payers_that_settle_in_one_transaction_are_known() {
    for ((version, longest), most) in VERSIONS.into_iter().zip(MOST_VOUCHERS) {
        let mut vouchers = Together::vouchers(most);
        let fitted = vouchers.fit(version).expect("it fits");
        println!("{most} vouchers in {version:?}: {fitted:?}, {} CU each", fitted.cu / most as u64);
        assert!(vouchers.is_settled());
        assert!(fitted.bytes <= longest && fitted.cu / most as u64 <= 300, "{fitted:?}");
        assert_eq!(Together::vouchers(most + 1).fit(version), None);
    }
}

#[test]
fn an_overcharge_is_proven_in_one_transaction_among_as_many_receipts_as_are_promised() {
    for ((version, longest), levels) in VERSIONS.into_iter().zip(MOST_LEVELS) {
        let mut proof = Together::overcharge(levels);
        let fitted = proof.fit(version).expect("it fits");
        println!("a proof of {levels} hashes in {version:?}: {fitted:?}");
        assert!(fitted.bytes <= longest && proof.world.channel(&proof.channels[0]).disputed == 1, "{fitted:?}");
    }
    assert_eq!(Together::overcharge(MOST_LEVELS[0] + 1).fit(Version::Zero), None);
}

#[test]
fn a_limit_of_version_1_that_is_one_short_stops_the_transaction() {
    use joule_sdk::v1::Limits;
    use solana_transaction::versioned::VersionedTransaction;

    let mut vouchers = Together::vouchers(1);
    let before = vouchers.world.svm.clone();
    let fitted = vouchers.fit(Version::One).expect("it fits");
    let used = u32::try_from(fitted.cu).expect("what a transaction can use");
    let exact = Limits { compute_units: used, loaded_bytes: fitted.loaded_bytes, ..Limits::MOST };
    for (limits, wanted) in [
        (exact, None),
        (Limits { compute_units: used - 1, ..exact }, Some("InstructionError(1, ")),
        (Limits { compute_units: 0, ..exact }, Some("InstructionError(1, ")),
        (Limits { loaded_bytes: exact.loaded_bytes - 1, ..exact }, Some("MaxLoadedAccountsDataSizeExceeded")),
        (Limits { loaded_bytes: 0, ..exact }, Some("MaxLoadedAccountsDataSizeExceeded")),
    ] {
        let (mut svm, payer) = (before.clone(), &vouchers.world.stranger);
        svm.expire_blockhash();
        let message = v1::message(&payer.pubkey(), &vouchers.instructions, limits, svm.latest_blockhash()).unwrap();
        let done = svm.send_transaction(VersionedTransaction::try_new(message, &[payer]).unwrap());
        let error = done.err().map(|failed| format!("{:?}", failed.err));
        let as_wanted = match (&error, wanted) {
            (Some(error), Some(wanted)) => error.starts_with(wanted),
            (error, wanted) => error.is_none() && wanted.is_none(),
        };
        assert!(as_wanted, "{limits:?}: {error:?}");
    }
}

#[test]
fn without_a_lookup_table_a_proof_of_seven_hashes_fits_and_none_of_eight() {
    for (levels, fits) in [(7, true), (8, false)] {
        let proof = Together::overcharge(levels);
        let bytes = joule_sdk::table::plain_len(&proof.instructions, &proof.world.stranger.pubkey());
        assert_eq!(bytes <= transaction::MAX_BYTES, fits, "{levels} hashes: {bytes} bytes");
    }
}
