//! Programs as the upgradeable loader keeps them: a program account, and beside it the code with
//! its upgrade authority.
//!
//! A deployment by transactions would take hundreds of them; the outcome is the same accounts, so
//! they are written directly. The treasury checks the upgrade authority when it is initialised.

use std::{
    fs,
    path::{Path, PathBuf},
};

use joule_sdk::{pda, Pubkey};
use solana_account::Account;
use surfpool_core::surfnet::locker::SurfnetSvmLocker;

use crate::LocalnetError;

const LOADER: Pubkey = Pubkey::from_str_const("BPFLoaderUpgradeab1e11111111111111111111111");
/// `UpgradeableLoaderState::Program`: variant 2, then the address of the code.
const PROGRAM: u32 = 2;
/// `UpgradeableLoaderState::ProgramData`: variant 3, slot, an optional authority, then the code.
const PROGRAM_DATA: u32 = 3;

/// A program to deploy.
#[derive(Debug, Clone)]
pub struct Program {
    pub name: &'static str,
    pub id: Pubkey,
}

impl Program {
    /// Joule's programs at their declared addresses.
    pub fn all() -> [Program; 5] {
        [
            Program { name: "treasury", id: joule_sdk::treasury::ID },
            Program { name: "registry", id: joule_sdk::registry::ID },
            Program { name: "escrow", id: joule_sdk::escrow::ID },
            Program { name: "staking", id: joule_sdk::staking::ID },
            Program { name: "billing", id: joule_sdk::billing::ID },
        ]
    }

    /// The file the build puts it in.
    pub fn file(&self, dir: &Path) -> PathBuf {
        dir.join(format!("joule_{}.so", self.name))
    }
}

/// Reads every program before anything is started, so that a missing one costs nothing.
pub fn read_all(dir: &Path) -> Result<Vec<(Program, PathBuf, Vec<u8>)>, LocalnetError> {
    Program::all()
        .into_iter()
        .map(|program| {
            let path = program.file(dir);
            match fs::read(&path) {
                Ok(code) => Ok((program, path, code)),
                Err(source) => Err(LocalnetError::Program { path, source }),
            }
        })
        .collect()
}

/// Puts a program on the chain, upgradeable by `authority`.
pub fn deploy(
    svm: &SurfnetSvmLocker,
    program: &Program,
    path: &Path,
    code: &[u8],
    authority: Pubkey,
) -> Result<(), LocalnetError> {
    let data_address = pda::program_data(&program.id);
    let id = program.id;
    let written = svm.with_svm_writer(|svm| -> Result<(), String> {
        let slot = svm.latest_epoch_info.absolute_slot;
        let account = |data: Vec<u8>, executable| Account {
            lamports: svm.inner.minimum_balance_for_rent_exemption(data.len()),
            data,
            owner: LOADER,
            executable,
            rent_epoch: u64::MAX,
        };
        let code_account = account(program_data(slot, &authority, code), false);
        let program_account = account(program_pointer(&data_address), true);
        // The code first: writing the program account loads it.
        svm.set_account(&data_address, code_account).map_err(|e| e.to_string())?;
        svm.set_account(&id, program_account).map_err(|e| e.to_string())
    });
    written.map_err(|reason| LocalnetError::Load { path: path.to_owned(), reason })
}

fn program_pointer(data_address: &Pubkey) -> Vec<u8> {
    let mut data = PROGRAM.to_le_bytes().to_vec();
    data.extend_from_slice(data_address.as_ref());
    data
}

fn program_data(slot: u64, authority: &Pubkey, code: &[u8]) -> Vec<u8> {
    let mut data = PROGRAM_DATA.to_le_bytes().to_vec();
    data.extend_from_slice(&slot.to_le_bytes());
    data.push(1); // Some(authority)
    data.extend_from_slice(authority.as_ref());
    data.extend_from_slice(code);
    data
}
