//! Writes `idl/<program>.json` and `idl/<program>.ts` with Anchor's own generator, or compares them with what is there.
//!
//! The generator is the library behind `anchor idl build`, so that nobody has to install the whole Anchor CLI for it.

mod printers;
mod typescript;

use anchor_lang_idl::build::IdlBuilder;
use anyhow::{bail, Context, Result};
use printers::Printers;
use std::{fs, path::Path};

const PROGRAMS: [&str; 5] = ["treasury", "registry", "escrow", "staking", "billing"];

fn main() -> Result<()> {
    let check = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--check") => true,
        Some(other) => bail!("unknown argument {other}; usage: joule-idl [--check]"),
    };
    // When rustup has set this variable, the generator takes it for a toolchain to install: it reaches for the network and
    // replaces the machine's compiler. It must never see it.
    std::env::remove_var("RUSTUP_TOOLCHAIN");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let printers = Printers::build(&root)?;
    let mut stale = Vec::new();
    for program in PROGRAMS {
        eprintln!("[idl] {program}");
        printers.select(program)?;
        let idl = IdlBuilder::new()
            .program_path(root.join("programs").join(program))
            .skip_lint(true)
            .build()
            .with_context(|| format!("generating the IDL of {program}"))?;
        let json = serde_json::to_string_pretty(&idl)? + "\n";
        for (extension, text) in [("ts", typescript::render(&idl, program)?), ("json", json)] {
            let path = root.join("idl").join(format!("{program}.{extension}"));
            if fs::read_to_string(&path).is_ok_and(|old| old == text) {
                continue;
            }
            if check {
                stale.push(path.strip_prefix(&root)?.display().to_string());
            } else {
                fs::create_dir_all(root.join("idl"))?;
                fs::write(&path, text)?;
                eprintln!("[idl] wrote {}", path.display());
            }
        }
    }
    if !stale.is_empty() {
        bail!("out of date: {}; run `make idl` and commit the result", stale.join(", "));
    }
    Ok(())
}
