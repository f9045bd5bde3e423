//! Trees over receipts, proofs that hold and proofs that do not.

use crate::{hex, messages::receipt, named};
use joule_voucher::{
    tree::{leaf, prove, verify, Frontier},
    Format, Hash,
};
use serde_json::{json, Value};

const SIZES: [usize; 9] = [0, 1, 2, 3, 4, 5, 7, 8, 13];

fn leaves(size: usize) -> Vec<Hash> {
    (1..=size as u64).map(|sequence| leaf(receipt(sequence).as_bytes())).collect()
}

/// Over the receipts 1 to `size`, whose leaves are in the largest tree.
pub fn trees() -> Vec<Value> {
    SIZES
        .map(|size| {
            let leaves = leaves(size);
            let frontier: Frontier = leaves.iter().copied().collect();
            json!({
                "leaves": leaves.iter().map(hex).collect::<Vec<_>>(), "root": hex(frontier.root()),
                "peaks": frontier.peaks().iter().map(hex).collect::<Vec<_>>(),
            })
        })
        .into()
}

fn row(what: &str, root: Hash, entry: &[u8], index: u64, size: u64, proof: &[Hash]) -> Value {
    json!({
        "what": what, "root": hex(root), "entry": hex(entry), "index": index, "size": size,
        "proof": proof.iter().map(hex).collect::<Vec<_>>(), "holds": verify(&root, entry, index, size, proof),
    })
}

pub fn proofs() -> Vec<Value> {
    let mut rows = Vec::new();
    for size in [1, 2, 3, 5, 8, 13] {
        let leaves = leaves(size);
        let root = leaves.iter().copied().collect::<Frontier>().root();
        for index in [0, 1, 2, 4, 6, 9, 12].into_iter().filter(|index| *index < size) {
            let (entry, proof) = (receipt(index as u64 + 1), prove(&leaves, index).unwrap());
            rows.push(row("good", root, entry.as_bytes(), index as u64, size as u64, &proof));
        }
    }
    let leaves = leaves(13);
    let root = leaves.iter().copied().collect::<Frontier>().root();
    let (tenth, proof) = (receipt(10), prove(&leaves, 9).unwrap());
    let entry = tenth.as_bytes();
    let mut swapped = proof.clone();
    swapped.swap(0, 1);
    rows.push(row("of another index", root, entry, 8, 13, &proof));
    rows.push(row("of another receipt", root, receipt(9).as_bytes(), 9, 13, &proof));
    rows.push(row("of another root", named("root"), entry, 9, 13, &proof));
    rows.push(row("too short", root, entry, 9, 13, &proof[..proof.len() - 1]));
    rows.push(row("too long", root, entry, 9, 13, &[&proof[..], &[named("more")]].concat()));
    rows.push(row("out of order", root, entry, 9, 13, &swapped));
    rows.push(row("beyond the end", root, entry, 13, 13, &proof));
    rows.push(row("in an empty tree", Frontier::default().root(), entry, 0, 0, &[]));
    let pair = [leaves[0], leaves[1]];
    let root = pair.into_iter().collect::<Frontier>().root();
    rows.push(row("two leaves' hashes as the only entry", root, pair.as_flattened(), 0, 1, &[]));
    rows
}
