//! A program that does what it is told: the calls and syscalls that an instruction cannot avoid, each measured alone.
//!
//! The bench installs it in the place of a real program, so that it may sign for the same addresses. Instruction data is
//! 1, or 0 for a dry run that does everything but the operations themselves, and a list of operations (see [`op`]). What
//! a real run costs more than a dry one is what the operations cost.

#![cfg_attr(target_os = "solana", no_std)]

/// The operations, by their first byte.
pub mod op {
    /// Reads the Clock sysvar.
    pub const CLOCK: u8 = 0;
    /// Reads the Rent sysvar.
    pub const RENT: u8 = 1;
    /// Derives an address once: hash and curve check. Followed by the seeds: count, then length and bytes of each.
    pub const DERIVE: u8 = 2;
    /// Calls a program: its account's index; the number of accounts, each an index and flags (1 writable, 2 signer); the
    /// length of the data (u16) and the data; the number of signers, each as seeds.
    pub const CALL: u8 = 3;
    /// Hashes with SHA-256. Followed by the length (u16) of what is hashed.
    pub const HASH: u8 = 4;
}

/// Data that begins like this is an event of the program whose place is taken: it is answered with nothing.
pub const EVENT_TAG: [u8; 8] = 0x1d9a_cb51_2ea5_45e4_u64.to_le_bytes();

#[cfg(all(target_os = "solana", not(feature = "no-entrypoint")))]
mod program {
    extern crate alloc;

    use super::{op, EVENT_TAG};
    use alloc::vec::Vec;
    use pinocchio::{
        cpi::{invoke_signed_with_bounds, Seed, Signer},
        error::ProgramError,
        instruction::{InstructionAccount, InstructionView},
        sysvars::{clock::Clock, rent::Rent, Sysvar},
        AccountView, Address, ProgramResult,
    };

    pinocchio::program_entrypoint!(process);
    pinocchio::default_allocator!();
    pinocchio::nostd_panic_handler!();

    struct Reader<'a>(&'a [u8]);

    impl<'a> Reader<'a> {
        fn take(&mut self, len: usize) -> Result<&'a [u8], ProgramError> {
            if self.0.len() < len {
                return Err(ProgramError::InvalidInstructionData);
            }
            let (taken, rest) = self.0.split_at(len);
            self.0 = rest;
            Ok(taken)
        }

        fn byte(&mut self) -> Result<u8, ProgramError> {
            Ok(self.take(1)?[0])
        }

        fn seeds(&mut self) -> Result<Vec<&'a [u8]>, ProgramError> {
            let count = self.byte()?;
            (0..count).map(|_| self.byte().and_then(|len| self.take(len as usize))).collect()
        }
    }

    fn process(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
        if data.starts_with(&EVENT_TAG) {
            return Ok(());
        }
        let mut reader = Reader(data);
        let real = reader.byte()? == 1;
        while let Ok(operation) = reader.byte() {
            match operation {
                op::CLOCK if real => {
                    core::hint::black_box(Clock::get()?.unix_timestamp);
                }
                op::RENT if real => {
                    core::hint::black_box(&Rent::get()?);
                }
                op::CLOCK | op::RENT => {}
                op::DERIVE => derive(&reader.seeds()?, program, real),
                op::CALL => call(&mut reader, accounts, real)?,
                op::HASH => hash(u16::from_le_bytes([reader.byte()?, reader.byte()?]), real),
                _ => return Err(ProgramError::InvalidInstructionData),
            }
        }
        Ok(())
    }

    fn derive(seeds: &[&[u8]], program: &Address, real: bool) {
        let mut parts: Vec<&[u8]> = seeds.to_vec();
        parts.push(program.as_ref());
        parts.push(b"ProgramDerivedAddress");
        let mut hash = [0u8; 32];
        if core::hint::black_box(real) {
            // SAFETY: `parts` is a list of slices, as the syscall expects, and `hash` has the 32 bytes that it writes.
            unsafe {
                pinocchio::syscalls::sol_sha256(parts.as_ptr() as *const u8, parts.len() as u64, hash.as_mut_ptr());
                pinocchio::syscalls::sol_curve_validate_point(0, hash.as_ptr(), core::ptr::null_mut());
            }
        }
    }

    fn hash(len: u16, real: bool) {
        let message = alloc::vec![0u8; len as usize];
        let parts: [&[u8]; 1] = [&message];
        let mut hash = [0u8; 32];
        if core::hint::black_box(real) {
            // SAFETY: `parts` is a list of slices, as the syscall expects, and `hash` has the 32 bytes that it writes.
            unsafe { pinocchio::syscalls::sol_sha256(parts.as_ptr() as *const u8, 1, hash.as_mut_ptr()) };
        }
    }

    fn call(reader: &mut Reader, accounts: &[AccountView], real: bool) -> ProgramResult {
        let account = |place: u8| accounts.get(place as usize).ok_or(ProgramError::NotEnoughAccountKeys);
        let callee = account(reader.byte()?)?;
        let mut metas = Vec::new();
        let mut views = Vec::new();
        for _ in 0..reader.byte()? {
            let (view, flags) = (account(reader.byte()?)?, reader.byte()?);
            metas.push(InstructionAccount::new(view.address(), flags & 1 != 0, flags & 2 != 0));
            views.push(view);
        }
        let len = u16::from_le_bytes([reader.byte()?, reader.byte()?]);
        let data = reader.take(len as usize)?;
        let signers: Vec<Vec<Seed>> = (0..reader.byte()?)
            .map(|_| Ok(reader.seeds()?.into_iter().map(Seed::from).collect()))
            .collect::<Result<_, ProgramError>>()?;
        let signers: Vec<Signer> = signers.iter().map(|seeds| Signer::from(seeds.as_slice())).collect();
        let instruction = InstructionView { program_id: callee.address(), accounts: &metas, data };
        if core::hint::black_box(real) {
            invoke_signed_with_bounds::<16, _>(&instruction, &views, &signers)?;
        }
        Ok(())
    }
}
