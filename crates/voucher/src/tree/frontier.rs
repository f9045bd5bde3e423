//! Trees that grow: what both sides keep, and proofs where all leaves are kept.

use super::node;
use crate::{hashv, Hash};
use std::vec::Vec;

/// As much of a tree as is needed to add to it: one hash for each bit of its size that is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// Roots of the complete subtrees, the largest and oldest first.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// What `size` and `peaks` said. `None` when there are not as many peaks as such a tree has.
    pub fn restore(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }

    /// How many leaves there are.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the complete subtrees, the largest and oldest first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Adds a leaf, by its hash.
    pub fn append(&mut self, leaf: Hash) {
        let complete = self.size.trailing_ones() as usize;
        let joined = self.peaks.drain(self.peaks.len() - complete..).rev().fold(leaf, |hash, peak| node(&peak, &hash));
        self.peaks.push(joined);
        self.size += 1;
    }

    pub fn root(&self) -> Hash {
        let mut smallest_first = self.peaks.iter().rev();
        let Some(smallest) = smallest_first.next() else { return hashv(&[]) };
        smallest_first.fold(*smallest, |hash, peak| node(peak, &hash))
    }
}

impl FromIterator<Hash> for Frontier {
    fn from_iter<I: IntoIterator<Item = Hash>>(leaves: I) -> Self {
        let mut frontier = Self::default();
        leaves.into_iter().for_each(|leaf| frontier.append(leaf));
        frontier
    }
}

/// The proof that the leaf at `index` is one of `leaves`, given by their hashes: the siblings on its way to the root, the
/// nearest first. `None` when there is no such leaf.
pub fn prove(mut leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    leaves.get(index)?;
    let (mut index, mut siblings) = (index, Vec::new());
    while leaves.len() > 1 {
        // The largest power of two that is less than the number of leaves.
        let split = leaves.len().next_power_of_two() / 2;
        let (left, right) = leaves.split_at(split);
        let (own, other) = if index < split { (left, right) } else { (right, left) };
        index %= split;
        leaves = own;
        siblings.push(other.iter().copied().collect::<Frontier>().root());
    }
    siblings.reverse();
    Some(siblings)
}
