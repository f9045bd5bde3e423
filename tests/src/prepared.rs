//! Worlds are prepared once in each process and copied for each test: loading and compiling the programs, and everybody's first
//! transactions, take longer than most tests do.

use crate::{Kind, World};
use std::sync::OnceLock;

impl World {
    /// The programs, nothing initialised.
    pub fn bare() -> Self {
        static PREPARED: OnceLock<World> = OnceLock::new();
        PREPARED.get_or_init(Self::prepare_bare).clone()
    }
}

macro_rules! prepared {
    ($($(#[$doc:meta])* $name:ident, by $prepare:ident;)*) => {
        impl World {
            $(
                $(#[$doc])*
                pub fn $name(kind: Kind) -> Self {
                    static PREPARED: [OnceLock<World>; 2] = [const { OnceLock::new() }; 2];
                    PREPARED[kind as usize].get_or_init(|| Self::$prepare(kind)).clone()
                }
            )*
        }
    };
}

prepared! {
    /// The protocol and a mint, ready for clients and providers.
    governed, by prepare_governed;
    /// Everything a job needs: a client with tokens and an active provider with a bond.
    new, by prepare;
    /// Everything a job needs but the provider's bond.
    unbonded, by prepare_unbonded;
    /// Everything that `unbonded` has, and a pool.
    pooled, by prepare_pooled;
    /// Everything that `unbonded` has, two admitted services and an outlaw, and north's bond with `BOND` in it, which names both and only
    /// `north_payout` can take out.
    bonded, by prepare_bonded;
    /// Everything a channel needs: Alice's deposit, north with a bond, and a model with prices that two others share in.
    paying, by prepare_paying;
}
