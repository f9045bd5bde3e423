//! The Merkle tree of RFC 6962 over receipts: `leaf = sha256(0x00 || receipt)`, `node = sha256(0x01 || left || right)`, and
//! of nothing the root is `sha256("")`.

#[cfg(feature = "std")]
mod frontier;

#[cfg(feature = "std")]
pub use frontier::{prove, Frontier};

use crate::{hashv, Hash};

/// The hash of one entry.
#[inline(always)]
pub fn leaf(entry: &[u8]) -> Hash {
    hashv(&[&[0], entry])
}

/// The hash of two subtrees.
#[inline(always)]
pub fn node(left: &Hash, right: &Hash) -> Hash {
    hashv(&[&[1], left, right])
}

/// Whether `proof` leads from `entry`, at `index` of `size` leaves, to `root` (RFC 9162, 2.1.3.2).
///
/// Takes the entry and not its hash, since the hash of a node would pass for a leaf's. Where the size is not known from the
/// voucher, as for a batch, take it from whoever proves: with a wrong one a proof may be right about another index than the
/// one it names, but never for an entry that is not in the tree.
#[inline(always)]
pub fn verify(root: &Hash, entry: &[u8], index: u64, size: u64, proof: &[Hash]) -> bool {
    if index >= size {
        return false;
    }
    // Where the path is on its level, and the last node there.
    let (mut at, mut last) = (index, size - 1);
    let mut hash = leaf(entry);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node(sibling, &hash);
            // A last node without a sibling is its own parent.
            while at & 1 == 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}
