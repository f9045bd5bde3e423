//! SHA-256: a syscall on chain, `sha2` off it.

/// A sha256.
pub type Hash = [u8; 32];

/// The hash of the parts, one after the other.
#[inline(always)]
pub fn hashv(parts: &[&[u8]]) -> Hash {
    solana_sha256_hasher::hashv(parts).to_bytes()
}
