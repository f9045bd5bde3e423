//! What holds for any message, any price list, any tree.

use ct_merkle::{mem_backed_tree::MemoryBackedTree, InclusionProof, RootHash};
use joule_units::{Amount, UnixTime};
use joule_voucher::{
    precompile, sign,
    tree::{leaf, prove, verify, Frontier},
    Batch, Context, Entry, Format, Hash, Limits, Order, Prices, Receipt, Refusal, SigningKey, Usage, Verifier, Voucher,
};
use num_bigint::BigUint;
use proptest::prelude::*;
use sha2::Sha256;

fn bytes(len: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), len)
}

/// Numbers of all lengths.
fn wide() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0..64u32).prop_map(|(number, shift)| number >> shift)
}

fn ct_tree(entries: &[Vec<u8>]) -> MemoryBackedTree<Sha256, Vec<u8>> {
    let mut tree = MemoryBackedTree::new();
    entries.iter().for_each(|entry| tree.push(entry.clone()));
    tree
}

proptest! {
    #[test]
    fn any_bytes_of_the_right_size_are_a_message_and_no_others(
        message in prop_oneof![bytes(0..200), bytes(86..98), bytes(150..154)],
    ) {
        fn reads<M: Format>(message: &[u8]) -> bool {
            M::from_bytes(message).is_some_and(|read| read.as_bytes() == message)
        }
        prop_assert_eq!(reads::<Voucher>(&message), message.len() == 96);
        prop_assert_eq!(reads::<Receipt>(&message), message.len() == 152);
        prop_assert_eq!(reads::<Order>(&message), message.len() == 88);
        let batch = Batch::from_bytes(&message).map(|(head, entries)| head.to_bytes(entries).unwrap());
        let fits = message.len() > 72 && message.len() % 16 == 72 % 16;
        prop_assert_eq!(batch, fits.then_some(message));
    }

    #[test]
    fn a_voucher_is_its_fields_one_after_the_other(
        context: [u8; 32], sequence: u64, cumulative: u64, units: u64, expires_at: i64, usage_root: [u8; 32],
    ) {
        let voucher = Voucher {
            context: Context::new(context),
            sequence: sequence.into(),
            cumulative: Amount::new(cumulative).into(),
            units: units.into(),
            expires_at: UnixTime::new(expires_at).into(),
            usage_root,
        };
        let numbers = [sequence, cumulative, units, expires_at as u64].map(u64::to_le_bytes);
        prop_assert_eq!(voucher.as_bytes(), [&context[..], numbers.as_flattened(), &usage_root].concat());
    }

    #[test]
    fn amounts_are_what_big_integers_say(
        prices in prop::array::uniform5(wide()), usage in prop::array::uniform4(wide()),
    ) {
        let [request, input, output, image, second] = prices.map(BigUint::from);
        let [tokens_in, tokens_out, images, ms] = usage.map(BigUint::from);
        let up = |number: BigUint, by: u32| (number + (by - 1)) / by;
        let expected = request + up(tokens_in * input + tokens_out * output, 1_000_000) + images * image + up(ms * second, 1_000);

        let [per_request, per_million_input, per_million_output, per_image, per_second] = prices.map(Amount::new);
        let list = Prices { per_request, per_million_input, per_million_output, per_image, per_second };
        let [input_tokens, output_tokens, images, milliseconds] = usage;
        let amount = list.amount(&Usage { input_tokens, output_tokens, images, milliseconds });
        prop_assert_eq!(amount.map(Amount::get), u64::try_from(expected).ok());
    }

    #[test]
    fn roots_and_proofs_are_those_of_another_implementation(entries in prop::collection::vec(bytes(0..40), 1..70), at: prop::sample::Index) {
        let index = at.index(entries.len());
        let theirs = ct_tree(&entries);
        let leaves: Vec<Hash> = entries.iter().map(|entry| leaf(entry)).collect();
        let frontier: Frontier = leaves.iter().copied().collect();
        let (root, size) = (frontier.root(), entries.len() as u64);
        prop_assert_eq!(root.to_vec(), theirs.root().as_bytes().to_vec());
        let proof = prove(&leaves, index).unwrap();
        prop_assert_eq!(proof.as_flattened().to_vec(), theirs.prove_inclusion(index).as_bytes().to_vec());
        prop_assert!(verify(&root, &entries[index], index as u64, size, &proof));
        prop_assert_eq!(prove(&leaves, entries.len()), None);
        prop_assert_eq!(Frontier::restore(size, frontier.peaks().to_vec()), Some(frontier));
    }

    #[test]
    fn a_proof_with_any_bit_changed_holds_for_nothing(size in 2..70usize, at: prop::sample::Index, byte: prop::sample::Index, bit in 0..8u8) {
        let entries: Vec<Vec<u8>> = (0..size).map(|n| vec![n as u8; 5]).collect();
        let leaves: Vec<Hash> = entries.iter().map(|entry| leaf(entry)).collect();
        let root = leaves.iter().copied().collect::<Frontier>().root();
        let index = at.index(size);
        let mut proof = prove(&leaves, index).unwrap();
        let bytes = proof.as_flattened_mut();
        bytes[byte.index(bytes.len())] ^= 1 << bit;
        prop_assert!(!verify(&root, &entries[index], index as u64, size as u64, &proof));
    }

    /// Of proofs that nobody made for that tree, and of sizes that it does not have.
    #[test]
    fn a_proof_holds_just_where_another_implementation_says(
        size in 1..40u64, index in 0..40u64, real in 0..40usize, leaves in 1..40usize,
    ) {
        let entries: Vec<Vec<u8>> = (0..leaves).map(|n| vec![n as u8; 5]).collect();
        let hashes: Vec<Hash> = entries.iter().map(|entry| leaf(entry)).collect();
        let real = real % leaves;
        let proof = prove(&hashes, real).unwrap();
        let root = hashes.iter().copied().collect::<Frontier>().root();
        let theirs = RootHash::<Sha256>::new(root.into(), size)
            .verify_inclusion(&entries[real], index, &InclusionProof::from_bytes(proof.as_flattened().to_vec()));
        prop_assert_eq!(verify(&root, &entries[real], index, size, &proof), theirs.is_ok());
    }

    #[test]
    fn a_program_reads_just_what_the_builder_wrote(key: [u8; 32], message in bytes(0..200), at in 0..16usize, bit in 0..8u8) {
        let signature = [7; 64];
        let mut data = precompile::data(&key, &signature, &message).unwrap();
        prop_assert_eq!(precompile::read(&data), Some((&key, &message[..])));
        data[at] ^= 1 << bit;
        prop_assert_eq!(precompile::read(&data), None);
        prop_assert_eq!(precompile::read_format::<Voucher>(&data).map(|_| ()), None);
    }

    #[test]
    fn a_signed_voucher_passes_and_with_any_bit_changed_does_not(seed: [u8; 32], byte in 0..96usize, bit in 0..8u8) {
        let key = SigningKey::from_bytes(&seed);
        let verifier = Verifier::new(key.verifying_key().as_bytes()).unwrap();
        let limits = Limits {
            context: Context::new([1; 32]),
            settled: Amount::ZERO,
            most: Amount::new(u64::MAX),
            session_expires_at: UnixTime::new(i64::MAX),
        };
        let voucher = Voucher { context: limits.context, sequence: 1.into(), cumulative: Amount::new(1).into(), ..Voucher::default() };
        let mut bytes = voucher.as_bytes().to_vec();
        let signature = sign(&key, &bytes);
        let check = |bytes: &[u8]| verifier.voucher(&limits, bytes, &signature, UnixTime::new(-1)).copied();
        prop_assert_eq!(check(&bytes), Ok(voucher));
        prop_assert_eq!(check(&bytes[1..]), Err(Refusal::NotAVoucher));
        bytes[byte] ^= 1 << bit;
        prop_assert!(check(&bytes).is_err());
    }
}

#[test]
fn a_message_too_long_for_the_header_is_neither_written_nor_read() {
    let message = vec![0; 1 << 16];
    assert_eq!(precompile::data(&[1; 32], &[2; 64], &message), None);
    // The length's 17th bit would fall on a bit that is set anyway.
    let mut data = precompile::data(&[1; 32], &[2; 64], &[]).unwrap();
    data.extend(message);
    assert_eq!(precompile::read(&data), None);
}

#[test]
fn a_batch_has_from_1_to_64_entries() {
    let batch = |count| Batch::default().to_bytes(&vec![Entry::default(); count]);
    assert!(batch(0).is_none() && batch(1).is_some() && batch(64).is_some() && batch(65).is_none());
}

#[test]
fn a_frontier_is_restored_only_with_as_many_peaks_as_its_size_has() {
    assert!(Frontier::restore(5, vec![[0; 32]; 2]).is_some());
    assert!(Frontier::restore(5, vec![[0; 32]; 3]).is_none());
    assert!(Frontier::restore(0, vec![]).is_some());
}
