//! The smallest service: a program that locks bonds when it is told to, and signs whatever it is given.
//!
//! Instruction data is the bump of its PDA `["claims"]`, one of [`way`], and what the way takes. Tests admit it as the
//! protocol's authority would admit any service; installed at a second address it is another service.

/// What it does, by the second byte.
pub mod way {
    /// Passes on: first the program to call, then its accounts as they are, with the PDA as a signer; the rest of the data
    /// is the data.
    pub const PASS: u8 = 0;
    /// `call::Lock` with the accounts in its order: subject, amount (u64), until (i64).
    pub const LOCK: u8 = 1;
    /// `call::Release` with the accounts in its order: amount (u64), kept (u64).
    pub const RELEASE: u8 = 2;
    /// `call::Slash` with the accounts in its order: amount (u64), release the rest (u8).
    pub const SLASH: u8 = 3;
}

#[cfg(all(target_os = "solana", not(feature = "no-entrypoint")))]
mod program {
    use super::way;
    use joule_staking::{
        call::{Lock, Release, Slash},
        constants::CLAIM_SIGNER_SEED,
    };
    use pinocchio::{
        cpi::{invoke_signed_with_bounds, Seed, Signer},
        error::ProgramError,
        instruction::{InstructionAccount, InstructionView},
        AccountView, Address, ProgramResult,
    };

    pinocchio::entrypoint!(process);

    fn process(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
        let [bump, way, data @ ..] = data else { return Err(ProgramError::InvalidInstructionData) };
        let bump = [*bump];
        let seeds = [Seed::from(CLAIM_SIGNER_SEED), Seed::from(&bump)];
        let signers = [Signer::from(&seeds)];
        match *way {
            way::PASS => {
                let own = Address::derive_address(&[CLAIM_SIGNER_SEED], Some(bump[0]), program);
                pass(&own, accounts, data, &signers)
            }
            way::LOCK => lock(accounts, data, &signers),
            way::RELEASE => release(accounts, data, &signers),
            way::SLASH => slash(accounts, data, &signers),
            _ => Err(ProgramError::InvalidInstructionData),
        }
    }

    fn pass(own: &Address, accounts: &[AccountView], data: &[u8], signers: &[Signer]) -> ProgramResult {
        let [callee, accounts @ ..] = accounts else { return Err(ProgramError::NotEnoughAccountKeys) };
        let signs = |view: &AccountView| view.is_signer() || view.address() == own;
        let metas: Vec<_> =
            accounts.iter().map(|v| InstructionAccount::new(v.address(), v.is_writable(), signs(v))).collect();
        let views: Vec<&AccountView> = accounts.iter().collect();
        let instruction = InstructionView { program_id: callee.address(), accounts: &metas, data };
        invoke_signed_with_bounds::<16, _>(&instruction, &views, signers)
    }

    fn number(data: &[u8], at: usize) -> Result<[u8; 8], ProgramError> {
        let bytes = data.get(at..at + 8).ok_or(ProgramError::InvalidInstructionData)?;
        bytes.try_into().map_err(|_| ProgramError::InvalidInstructionData)
    }

    fn flag(data: &[u8], at: usize) -> Result<bool, ProgramError> {
        Ok(*data.get(at).ok_or(ProgramError::InvalidInstructionData)? == 1)
    }

    fn lock(accounts: &[AccountView], data: &[u8], signers: &[Signer]) -> ProgramResult {
        let [payer, service, signer, bond, claim, system_program, event_authority, program, ..] = accounts else {
            return Err(ProgramError::NotEnoughAccountKeys);
        };
        let subject: [u8; 32] =
            data.get(..32).and_then(|b| b.try_into().ok()).ok_or(ProgramError::InvalidInstructionData)?;
        Lock {
            payer,
            service,
            signer,
            bond,
            claim,
            system_program,
            event_authority,
            program,
            subject: Address::from(subject),
            amount: u64::from_le_bytes(number(data, 32)?),
            until: i64::from_le_bytes(number(data, 40)?),
        }
        .invoke_signed(signers)
    }

    fn release(accounts: &[AccountView], data: &[u8], signers: &[Signer]) -> ProgramResult {
        let [signer, bond, claim, rent_payer, event_authority, program, ..] = accounts else {
            return Err(ProgramError::NotEnoughAccountKeys);
        };
        let (amount, kept) = (u64::from_le_bytes(number(data, 0)?), u64::from_le_bytes(number(data, 8)?));
        Release { signer, bond, claim, rent_payer, event_authority, program, amount, kept }.invoke_signed(signers)
    }

    fn slash(accounts: &[AccountView], data: &[u8], signers: &[Signer]) -> ProgramResult {
        let [signer, bond, claim, bond_vault, destination, rent_payer, token_program, event_authority, program, ..] =
            accounts
        else {
            return Err(ProgramError::NotEnoughAccountKeys);
        };
        Slash {
            signer,
            bond,
            claim,
            bond_vault,
            destination,
            rent_payer,
            token_program,
            event_authority,
            program,
            amount: u64::from_le_bytes(number(data, 0)?),
            release_rest: flag(data, 8)?,
        }
        .invoke_signed(signers)
    }
}
