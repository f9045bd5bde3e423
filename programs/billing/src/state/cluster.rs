//! Which chain this is.

use anchor_lang::prelude::*;

/// PDA `["cluster"]`; there is one, and it is never closed. Owner and discriminator therefore prove that an account is it.
#[account]
pub struct Cluster {
    /// Of the cluster's genesis: everything that is signed off chain is bound to it. Written by `initialize`.
    pub genesis_hash: [u8; 32],
    pub bump: u8,
    pub unused: [u8; 31],
}
