//! The registry's instructions.

use super::{Pda, Scene, Syscalls, CLOCK, NONE};
use crate::{Kind, World};
use joule_sdk::{
    instruction::registry::*,
    registry::{self, state::ProviderStatus, ID},
    Instruction, Signer,
};

pub fn scenes(kind: Kind) -> Vec<Scene> {
    let make = |name, world: World, instruction: Instruction, syscalls| {
        let north = world.north.insecure_clone();
        let seeds = vec![
            Pda::new(&ID, &[registry::constants::PROVIDER_SEED, north.pubkey().as_ref()]),
            Pda::new(&ID, &[joule_events::AUTHORITY_SEED]),
        ];
        Scene { program: "registry", name, world, instruction, signers: vec![north], syscalls, seeds }
    };
    let w = World::governed(kind);
    let north = w.north.pubkey();
    let enrol = register(north, north, w.profile());
    let mut all = vec![make("register", w, enrol, Syscalls { clock: 1, rent: 1, derive: 1 })];
    let w = World::new(kind);
    let change = update(north, w.profile());
    all.push(make("update", w, change, CLOCK));
    all.push(make("set_status", World::new(kind), set_status(north, ProviderStatus::Paused), CLOCK));
    all.push(make("retire", World::new(kind), retire(north, north), NONE));
    all
}
