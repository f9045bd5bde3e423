//! What a signature is for.

use crate::{hashv, Hash, Key, MAX_ENTRIES};
use bytemuck::{Pod, Zeroable};

/// The first bytes under a context: which format, and which version of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    Voucher,
    Batch,
    Receipt,
    Order,
}

impl Domain {
    #[inline(always)]
    pub const fn bytes(self) -> &'static [u8; 16] {
        match self {
            Self::Voucher => b"joule voucher v1",
            Self::Batch => b"joule batch v1\0\0",
            Self::Receipt => b"joule receipt v1",
            Self::Order => b"joule order v1\0\0",
        }
    }
}

/// `sha256(domain || genesis hash || billing program || subject)`: one comparison of 32 bytes tells format, version, cluster,
/// program and channel. Every signed message begins with one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Pod, Zeroable)]
#[repr(transparent)]
pub struct Context([u8; 32]);

impl Context {
    /// Of one channel's vouchers, receipts or orders. For batches see `batch`.
    #[inline(always)]
    pub fn of(domain: Domain, genesis: &Hash, program: &Key, channel: &Key) -> Self {
        Self(hashv(&[domain.bytes(), genesis, program, channel]))
    }

    /// Of a batch for these channels of one payer account, in this order. `None` for more of them than `MAX_ENTRIES`.
    #[inline(always)]
    pub fn batch<'a>(
        genesis: &Hash,
        program: &Key,
        payer: &Key,
        channels: impl IntoIterator<Item = &'a Key>,
    ) -> Option<Self> {
        const FIXED: usize = 4;
        let mut parts: [&[u8]; FIXED + MAX_ENTRIES] = [&[]; FIXED + MAX_ENTRIES];
        parts[..FIXED].copy_from_slice(&[Domain::Batch.bytes(), genesis, program, payer]);
        let mut count = FIXED;
        for channel in channels {
            *parts.get_mut(count)? = channel;
            count += 1;
        }
        Some(Self(hashv(&parts[..count])))
    }

    #[inline(always)]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    #[inline(always)]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const DOMAINS: [Domain; 4] = [Domain::Voucher, Domain::Batch, Domain::Receipt, Domain::Order];

    #[test]
    fn format_cluster_program_and_channel_each_make_another_context() {
        let mut seen = HashSet::new();
        for domain in DOMAINS {
            for genesis in [[1; 32], [2; 32]] {
                for program in [[1; 32], [2; 32]] {
                    for channel in [[1; 32], [2; 32]] {
                        assert!(seen.insert(Context::of(domain, &genesis, &program, &channel)));
                    }
                }
            }
        }
        assert_eq!(seen.len(), 32);
    }

    #[test]
    fn a_batch_is_for_its_channels_in_their_order() {
        let of = |channels: &[Key]| Context::batch(&[1; 32], &[2; 32], &[3; 32], channels).unwrap();
        let (a, b) = ([4; 32], [5; 32]);
        let different = [of(&[a]), of(&[b]), of(&[a, b]), of(&[b, a]), of(&[a, b, a]), of(&[])];
        assert_eq!(different.iter().collect::<HashSet<_>>().len(), different.len());
    }

    #[test]
    fn a_batch_of_more_than_the_most_channels_has_no_context() {
        let of = |count| Context::batch(&[1; 32], &[2; 32], &[3; 32], &std::vec![[4; 32]; count]);
        assert!(of(MAX_ENTRIES).is_some());
        assert!(of(MAX_ENTRIES + 1).is_none());
    }
}
