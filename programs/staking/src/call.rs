//! How other programs lock, release and slash: one call each, built on the stack.
//!
//! Every account must come from the caller's own instruction, unborrowed where the call writes it; `signers` hold the seeds
//! `["claims", bump]` of the calling program.

use crate::{constants::CLAIM_SIGNER_SEED, ID};
use pinocchio::{
    cpi::{invoke_signed_unchecked, CpiAccount, Signer},
    instruction::{InstructionAccount, InstructionView},
    AccountView, Address, ProgramResult,
};

/// What the first eight bytes of an instruction are: `sha256("global:<name>")`, cut off.
const LOCK: [u8; 8] = [21, 19, 208, 43, 237, 62, 255, 87];
const RELEASE: [u8; 8] = [253, 249, 15, 206, 28, 127, 193, 241];
const SLASH: [u8; 8] = [204, 141, 18, 161, 8, 177, 92, 142];

/// Release or slash whatever the claim holds.
pub const ALL: u64 = u64::MAX;

/// The address that signs for a program's claims, and its bump.
pub fn claim_signer(program: &Address) -> (Address, u8) {
    anchor_lang::find_program_address(&[CLAIM_SIGNER_SEED], program)
}

/// Locks a part of a bond for `subject`. The caller answers for the owner's consent.
pub struct Lock<'a> {
    /// Signs, and pays the claim's rent, if this is the first lock for the subject.
    pub payer: &'a AccountView,
    pub service: &'a AccountView,
    /// The caller's PDA `["claims"]`.
    pub signer: &'a AccountView,
    pub bond: &'a AccountView,
    /// PDA `["claim", signer, subject]`.
    pub claim: &'a AccountView,
    pub system_program: &'a AccountView,
    pub event_authority: &'a AccountView,
    pub program: &'a AccountView,
    pub subject: Address,
    /// Base units.
    pub amount: u64,
    /// Unix seconds from which anyone may release it.
    pub until: i64,
}

impl Lock<'_> {
    #[inline(always)]
    pub fn invoke_signed(&self, signers: &[Signer]) -> ProgramResult {
        let mut data = [0; 56];
        data[..8].copy_from_slice(&LOCK);
        data[8..40].copy_from_slice(self.subject.as_ref());
        data[40..48].copy_from_slice(&self.amount.to_le_bytes());
        data[48..].copy_from_slice(&self.until.to_le_bytes());
        invoke(
            [
                (self.payer, WRITABLE | SIGNER),
                (self.service, 0),
                (self.signer, SIGNER),
                (self.bond, WRITABLE),
                (self.claim, WRITABLE),
                (self.system_program, 0),
                (self.event_authority, 0),
                (self.program, 0),
            ],
            &data,
            signers,
        )
    }
}

/// Gives a part of a claim back to its bond, the oldest tranche first; an empty claim is closed.
pub struct Release<'a> {
    /// The caller's PDA `["claims"]`.
    pub signer: &'a AccountView,
    pub bond: &'a AccountView,
    pub claim: &'a AccountView,
    pub rent_payer: &'a AccountView,
    pub event_authority: &'a AccountView,
    pub program: &'a AccountView,
    /// Base units; more than there is means all of it.
    pub amount: u64,
    /// Base units that count to the owner's reputation: what the service has seen paid for the promise. More than was released
    /// counts as what was released; 0 where the promise was not kept, or none was made.
    pub kept: u64,
}

impl Release<'_> {
    #[inline(always)]
    pub fn invoke_signed(&self, signers: &[Signer]) -> ProgramResult {
        let mut data = [0; 24];
        data[..8].copy_from_slice(&RELEASE);
        data[8..16].copy_from_slice(&self.amount.to_le_bytes());
        data[16..].copy_from_slice(&self.kept.to_le_bytes());
        invoke(
            [
                (self.signer, SIGNER),
                (self.bond, WRITABLE),
                (self.claim, WRITABLE),
                (self.rent_payer, WRITABLE),
                (self.event_authority, 0),
                (self.program, 0),
            ],
            &data,
            signers,
        )
    }
}

/// Takes a part of a claim out of its bond, the oldest tranche first, into a token account of the caller's choosing.
pub struct Slash<'a> {
    /// The caller's PDA `["claims"]`.
    pub signer: &'a AccountView,
    pub bond: &'a AccountView,
    pub claim: &'a AccountView,
    pub bond_vault: &'a AccountView,
    pub destination: &'a AccountView,
    pub rent_payer: &'a AccountView,
    pub token_program: &'a AccountView,
    pub event_authority: &'a AccountView,
    pub program: &'a AccountView,
    /// Base units; more than there is means all of it.
    pub amount: u64,
    /// Gives the rest back to the bond and closes the claim.
    pub release_rest: bool,
}

impl Slash<'_> {
    #[inline(always)]
    pub fn invoke_signed(&self, signers: &[Signer]) -> ProgramResult {
        let mut data = [0; 17];
        data[..8].copy_from_slice(&SLASH);
        data[8..16].copy_from_slice(&self.amount.to_le_bytes());
        data[16] = self.release_rest as u8;
        invoke(
            [
                (self.signer, SIGNER),
                (self.bond, WRITABLE),
                (self.claim, WRITABLE),
                (self.bond_vault, WRITABLE),
                (self.destination, WRITABLE),
                (self.rent_payer, WRITABLE),
                (self.token_program, 0),
                (self.event_authority, 0),
                (self.program, 0),
            ],
            &data,
            signers,
        )
    }
}

const WRITABLE: u8 = 1;
const SIGNER: u8 = 2;

/// Calls this program. Accounts that the call writes must not be borrowed by the caller; the others it only reads.
#[inline(always)]
fn invoke<const N: usize>(accounts: [(&AccountView, u8); N], data: &[u8], signers: &[Signer]) -> ProgramResult {
    for (view, flags) in &accounts {
        if flags & WRITABLE != 0 {
            view.check_borrow_mut()?;
        }
    }
    let metas = accounts
        .map(|(view, flags)| InstructionAccount::new(view.address(), flags & WRITABLE != 0, flags & SIGNER != 0));
    let views = accounts.map(|(view, _)| CpiAccount::from(view));
    let instruction = InstructionView { program_id: &ID, accounts: &metas, data };
    // SAFETY: whatever the call writes is not borrowed, as was just checked.
    unsafe { invoke_signed_unchecked(&instruction, &views, signers) };
    Ok(())
}
