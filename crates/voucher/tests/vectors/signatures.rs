//! Signatures on which verifiers differ: what the chain's precompile accepts of them.

use crate::{hex, key, named};
use curve25519_dalek::{
    constants::{ED25519_BASEPOINT_POINT as BASE, EIGHT_TORSION},
    edwards::{CompressedEdwardsY, EdwardsPoint},
    scalar::Scalar,
    traits::{Identity, IsIdentity},
};
use ed25519_dalek::{Verifier as _, VerifyingKey};
use joule_voucher::{hashv, sign, Key, Signature, Verifier};
use serde_json::{json, Value};
use sha2::{Digest, Sha512};

/// The order of the base point.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

struct Case {
    what: String,
    key: Key,
    message: Vec<u8>,
    signature: Signature,
}

pub fn all() -> Vec<Value> {
    let cases = ordinary().into_iter().chain(small_order()).chain(mixed_order());
    let row = |case: Case| {
        let verifier = Verifier::new(&case.key);
        let accepted = verifier.is_some_and(|key| key.verify(&case.message, &case.signature).is_ok());
        json!({
            "what": case.what, "key": hex(case.key), "message": hex(case.message), "signature": hex(case.signature),
            "accepted": accepted,
        })
    };
    cases.map(row).collect()
}

fn ordinary() -> Vec<Case> {
    let (signer, message) = (key("session key"), b"a message".to_vec());
    let (public, good) = (signer.verifying_key().to_bytes(), sign(&signer, b"a message"));
    let case = |what: &str, key: Key, signature: Signature| Case {
        what: what.into(),
        key,
        message: message.clone(),
        signature,
    };
    let with = |change: fn(&mut Signature)| {
        let mut signature = good;
        change(&mut signature);
        signature
    };
    let off_curve =
        (0..).map(|n| named(&format!("off the curve {n}"))).find(|y| CompressedEdwardsY(*y).decompress().is_none());
    let off_curve = off_curve.unwrap();
    vec![
        case("good", public, good),
        case("of another message", public, sign(&signer, b"another message")),
        case("with another key", key("stranger").verifying_key().to_bytes(), good),
        case("a bit of R changed", public, with(|s| s[3] ^= 4)),
        case("a bit of S changed", public, with(|s| s[40] ^= 4)),
        case("S not reduced", public, with(add_order)),
        case("S above 2^253", public, with(|s| s[63] |= 0x20)),
        case("zeros", public, [0; 64]),
        case("zeros with a key of zeros", [0; 32], [0; 64]),
        case("a key off the curve", off_curve, good),
        case("R off the curve", public, [&off_curve, &good[32..]].concat().try_into().unwrap()),
    ]
}

/// S and the group's order: the same number to whoever does not look.
fn add_order(signature: &mut Signature) {
    let mut carry = 0;
    for (byte, add) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        (*byte, carry) = (sum as u8, sum >> 8);
    }
    assert_eq!(carry, 0);
}

/// Every encoding of a point of small order, the six that are not canonical too.
fn small_order_encodings() -> Vec<Key> {
    let flipped = |mut encoding: Key| {
        encoding[31] ^= 0x80;
        encoding
    };
    let mut prime = [0xff; 32];
    (prime[0], prime[31]) = (0xed, 0x7f);
    let (mut above, mut below) = (prime, prime);
    above[0] += 1;
    below[0] -= 1;
    let one = EdwardsPoint::identity().compress().to_bytes();
    let mut all: Vec<Key> = EIGHT_TORSION.iter().map(|point| point.compress().to_bytes()).collect();
    all.extend([prime, flipped(prime), above, flipped(above), flipped(one), flipped(below)]);
    all
}

/// What the signer's number is multiplied with.
fn challenge(r: &[u8; 32], key: &Key, message: &[u8]) -> Scalar {
    Scalar::from_bytes_mod_order_wide(
        &Sha512::new().chain_update(r).chain_update(key).chain_update(message).finalize().into(),
    )
}

fn join(r: &[u8; 32], s: Scalar) -> Signature {
    [&r[..], s.as_bytes()].concat().try_into().unwrap()
}

/// The first of many messages that `fits`.
fn find(mut fits: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    (0..10_000).map(|n: u32| format!("message {n}").into_bytes()).find(|message| fits(message)).unwrap()
}

/// `R = sB - kA` with a key that anyone can sign for, and with an R that fits many messages: what plain verifiers accept.
fn small_order() -> Vec<Case> {
    let s = Scalar::from_bytes_mod_order(named("s"));
    let r = (s * BASE).compress().to_bytes();
    let mut cases: Vec<Case> = small_order_encodings()
        .into_iter()
        .map(|key| {
            let point = CompressedEdwardsY(key).decompress().unwrap();
            assert!(point.is_small_order());
            let message = find(|message| (challenge(&r, &key, message) * point).is_identity());
            Case { what: "a key of small order".into(), key, message, signature: join(&r, s) }
        })
        .collect();
    let secret = Scalar::from_bytes_mod_order(named("secret"));
    for torsion in EIGHT_TORSION {
        // A key with a torsion part, so that R may have any.
        let point = secret * BASE + EIGHT_TORSION[1];
        let (key, r) = (point.compress().to_bytes(), torsion.compress().to_bytes());
        let message = find(|message| challenge(&r, &key, message) * EIGHT_TORSION[1] == -torsion);
        let s = challenge(&r, &key, &message) * secret;
        cases.push(Case { what: "R of small order".into(), key, message, signature: join(&r, s) });
    }
    for Case { key, message, signature, .. } in &cases {
        let plain = VerifyingKey::from_bytes(key).unwrap().verify(message, &signature.into());
        assert!(plain.is_ok(), "refused for something else");
    }
    cases
}

/// Keys with a torsion part: with the cofactor in the equation every such signature is good, without it one in eight.
fn mixed_order() -> Vec<Case> {
    let secret = Scalar::from_bytes_mod_order(named("secret"));
    let nonce = Scalar::from_bytes_mod_order(hashv(&[b"nonce"]));
    let (key, r) = ((secret * BASE + EIGHT_TORSION[1]).compress().to_bytes(), (nonce * BASE).compress().to_bytes());
    [("a key of mixed order, torsion cancelled", true), ("a key of mixed order, torsion left", false)]
        .map(|(what, cancelled)| {
            let message = find(|message| (challenge(&r, &key, message) * EIGHT_TORSION[1]).is_identity() == cancelled);
            let s = nonce + challenge(&r, &key, &message) * secret;
            Case { what: what.into(), key, message, signature: join(&r, s) }
        })
        .into()
}
