//! Every instruction in the state that it is normally run in, one file a program. `benches/runner` measures these scenes and
//! `tests/tests/attack_table` attacks them, so that a new instruction is staged once: add a scene to its program's file, and
//! a new program's file to [`all`]. What else an instruction may be run with, [`rarer()`] has for the attacks alone.

mod billing;
mod dispute;
mod escrow;
mod rarer;
mod registry;
mod staking;
mod treasury;

use crate::{Kind, World};
use joule_sdk::{Instruction, Keypair, Pubkey};

/// The syscalls that an instruction cannot do without.
#[derive(Clone, Copy, Default)]
pub struct Syscalls {
    pub clock: usize,
    pub rent: usize,
    /// Addresses derived, once each: those of the accounts it creates.
    pub derive: usize,
    /// Lengths of what it hashes, in bytes.
    pub hashes: &'static [u16],
}

const CLOCK: Syscalls = Syscalls { clock: 1, rent: 0, derive: 0, hashes: &[] };
const NONE: Syscalls = Syscalls { clock: 0, rent: 0, derive: 0, hashes: &[] };

/// An address that a program can sign for.
pub struct Pda {
    pub address: Pubkey,
    /// Bump included.
    pub seeds: Vec<Vec<u8>>,
}

impl Pda {
    fn new(program: &Pubkey, seeds: &[&[u8]]) -> Self {
        let (address, bump) = Pubkey::find_program_address(seeds, program);
        let mut seeds: Vec<Vec<u8>> = seeds.iter().map(|s| s.to_vec()).collect();
        seeds.push(vec![bump]);
        Self { address, seeds }
    }

    /// In calls to the program itself only the event authority signs; in others whoever can.
    pub fn signs_for(&self, callee: &Pubkey, program: &Pubkey) -> bool {
        callee != program || self.seeds[0] == joule_events::AUTHORITY_SEED
    }
}

/// An instruction that succeeds, and the world in which it does.
pub struct Scene {
    pub program: &'static str,
    /// The instruction's name, and what is special about this run of it where there are several.
    pub name: &'static str,
    pub world: World,
    /// What must come before it in one transaction: signatures to be verified.
    pub before: Vec<Instruction>,
    pub instruction: Instruction,
    pub signers: Vec<Keypair>,
    pub syscalls: Syscalls,
    /// Those that the instruction creates come first.
    pub seeds: Vec<Pda>,
}

impl Scene {
    /// Everything in the scene's transaction.
    pub fn instructions(&self) -> Vec<Instruction> {
        self.before.iter().chain([&self.instruction]).cloned().collect()
    }
}

/// Every scene, with tokens of one kind.
pub fn all(kind: Kind) -> Vec<Scene> {
    let mut all = treasury::scenes(kind);
    all.extend(registry::scenes(kind));
    all.extend(escrow::scenes(kind));
    all.extend(dispute::scenes(kind));
    all.extend(staking::scenes(kind));
    all.extend(billing::scenes(kind));
    all
}

/// Scenes that differ from those in [`all`] by what an instruction is run with: accounts that may be left out, an appeal's
/// round, something to sweep. They are attacked, and not measured.
pub fn rarer(kind: Kind) -> Vec<Scene> {
    rarer::scenes(kind)
}
