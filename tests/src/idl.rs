//! What the IDLs say there is.

use crate::scenes::Scene;
use anchor_lang_idl_spec::{Idl, IdlInstruction, IdlInstructionAccount, IdlInstructionAccountItem, IdlSeed};
use joule_sdk::{Instruction, Pubkey};
use std::{collections::BTreeSet, path::Path};

/// Every program's IDL.
pub struct Listing {
    idls: Vec<(Pubkey, Idl)>,
}

/// Reads `idl/*.json`, all of it, so that no program can be forgotten.
pub fn all() -> Listing {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../idl");
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder idl")
        .map(|entry| entry.expect("a file in idl").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).expect("an IDL");
        let idl: Idl = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        (idl.address.parse().expect("an address"), idl)
    };
    Listing { idls: paths.iter().map(read).collect() }
}

impl Listing {
    /// The program's name without its prefix, and what the IDL says about the instruction.
    pub fn find(&self, instruction: &Instruction) -> Option<(&str, &IdlInstruction)> {
        let (_, idl) = self.idls.iter().find(|(address, _)| *address == instruction.program_id)?;
        let found = idl.instructions.iter().find(|listed| instruction.data.starts_with(&listed.discriminator))?;
        Some((name(idl), found))
    }

    /// The instruction's account of that name.
    pub fn account(&self, instruction: &Instruction, name: &str) -> Option<Pubkey> {
        let (_, listed) = self.find(instruction)?;
        let place = flat(&listed.accounts).iter().position(|account| account.name == name)?;
        Some(instruction.accounts.get(place)?.pubkey)
    }

    /// The instructions that no scene runs.
    pub fn without_scene(&self, scenes: &[Scene]) -> Vec<String> {
        let staged: BTreeSet<_> = scenes
            .iter()
            .filter_map(|scene| self.find(&scene.instruction))
            .map(|(program, instruction)| (program, instruction.name.as_str()))
            .collect();
        let all =
            self.idls.iter().flat_map(|(_, idl)| idl.instructions.iter().map(move |i| (name(idl), i.name.as_str())));
        all.filter(|pair| !staged.contains(pair)).map(|(program, name)| format!("{program}::{name}")).collect()
    }

    /// Whether an account with this name lies at an address that depends on nothing, so that there can only be one.
    pub fn is_single(&self, account: &str) -> bool {
        let mut all = self.idls.iter().flat_map(|(_, idl)| &idl.instructions).flat_map(|i| flat(&i.accounts));
        all.any(|listed| {
            let constant = |seed: &IdlSeed| matches!(seed, IdlSeed::Const(_));
            listed.name == account && listed.pda.as_ref().is_some_and(|pda| pda.seeds.iter().all(constant))
        })
    }

    /// Whether a program's accounts with this discriminator are of the kind with this name, in lower case.
    pub fn is_of_kind(&self, program: &Pubkey, discriminator: &[u8], name: &str) -> bool {
        let mut kinds = self.idls.iter().filter(|(address, _)| address == program).flat_map(|(_, idl)| &idl.accounts);
        // The one account whose name says what it is to the instruction, and not of what kind it is.
        let kind_named = if name == "base" { "model" } else { name };
        kinds.any(|kind| kind.discriminator == discriminator && kind.name.to_lowercase() == kind_named)
    }

    /// Whether a program is one of ours.
    pub fn is_ours(&self, program: &Pubkey) -> bool {
        self.idls.iter().any(|(address, _)| address == program)
    }
}

fn name(idl: &Idl) -> &str {
    idl.metadata.name.trim_start_matches("joule_")
}

/// The accounts of an instruction in their order, out of their groups.
pub fn flat(items: &[IdlInstructionAccountItem]) -> Vec<&IdlInstructionAccount> {
    items
        .iter()
        .flat_map(|item| match item {
            IdlInstructionAccountItem::Composite(group) => flat(&group.accounts),
            IdlInstructionAccountItem::Single(account) => vec![account],
        })
        .collect()
}
