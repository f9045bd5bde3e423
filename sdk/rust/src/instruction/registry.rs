//! The registry's instructions.

use super::{build, SYSTEM_PROGRAM};
use crate::{pda, registry};
use registry::{
    accounts, instruction,
    state::{Profile, ProviderStatus, Requirements, Wanted},
    ID,
};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

/// `payer` pays the rent and gets it back when the provider retires.
pub fn register(payer: Pubkey, authority: Pubkey, profile: Profile) -> Instruction {
    let accounts = accounts::Register {
        payer,
        authority,
        provider: pda::provider(&authority),
        system_program: SYSTEM_PROGRAM,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Register { profile })
}

pub fn update(authority: Pubkey, profile: Profile) -> Instruction {
    let accounts = accounts::Update {
        authority,
        provider: pda::provider(&authority),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Update { profile })
}

pub fn set_status(authority: Pubkey, status: ProviderStatus) -> Instruction {
    let accounts = accounts::SetStatus {
        authority,
        provider: pda::provider(&authority),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::SetStatus { status: status as u8 })
}

/// `rent_payer` is `Provider::rent_payer`.
pub fn retire(authority: Pubkey, rent_payer: Pubkey) -> Instruction {
    let accounts = accounts::Retire {
        authority,
        provider: pda::provider(&authority),
        rent_payer,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Retire {})
}

/// `governor` is the protocol's authority; `authority` will sign for the attestor; `payer` pays the rent.
pub fn admit_attestor(payer: Pubkey, governor: Pubkey, authority: Pubkey, metadata_hash: [u8; 32]) -> Instruction {
    let accounts = accounts::AdmitAttestor {
        payer,
        governor,
        protocol: pda::protocol(),
        authority,
        attestor: pda::attestor(&authority),
        system_program: SYSTEM_PROGRAM,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::AdmitAttestor { metadata_hash })
}

/// `governor` is the protocol's authority; `authority` the attestor's.
pub fn set_attestor(governor: Pubkey, authority: Pubkey, enabled: bool) -> Instruction {
    let accounts = accounts::SetAttestor {
        governor,
        protocol: pda::protocol(),
        attestor: pda::attestor(&authority),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::SetAttestor { enabled })
}

/// What an attestor says of a subject.
#[derive(Debug, Clone, Copy)]
pub struct Statement {
    /// Whom it is about; for a provider its authority.
    pub subject: Pubkey,
    /// A code from `docs/schemas.md`.
    pub schema: u32,
    /// SHA-256 of the document that says it in full; all zero when the schema says it all.
    pub value_hash: [u8; 32],
    /// Unix seconds.
    pub expires_at: i64,
}

/// `payer` pays the rent if the subject has no credentials yet, and gets it back; `authority` is the attestor's.
pub fn attest(payer: Pubkey, authority: Pubkey, s: Statement) -> Instruction {
    let accounts = accounts::Attest {
        payer,
        authority,
        attestor: pda::attestor(&authority),
        subject: s.subject,
        attestations: pda::attestations(&s.subject),
        system_program: SYSTEM_PROGRAM,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    let Statement { schema, value_hash, expires_at, .. } = s;
    build(ID, accounts, instruction::Attest { schema, value_hash: &value_hash, expires_at })
}

/// `signer` is the attestor's `authority` or, once it is disabled, the protocol's.
pub fn revoke(signer: Pubkey, authority: Pubkey, subject: Pubkey, schema: u32) -> Instruction {
    let accounts = accounts::Revoke {
        authority: signer,
        attestor: pda::attestor(&authority),
        attestations: pda::attestations(&subject),
        protocol: pda::protocol(),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Revoke { schema })
}

/// `rent_payer` is `Attestations::rent_payer`. Needs no signature but the fee payer's.
pub fn close_attestations(subject: Pubkey, rent_payer: Pubkey) -> Instruction {
    let accounts = accounts::CloseAttestations {
        attestations: pda::attestations(&subject),
        rent_payer,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::CloseAttestations {})
}

/// `payer` pays the rent and gets it back.
pub fn define_requirements(payer: Pubkey, client: Pubkey, wanted: Wanted) -> Instruction {
    let accounts = accounts::DefineRequirements {
        payer,
        client,
        requirements: pda::requirements(&client, &wanted.hash()),
        system_program: SYSTEM_PROGRAM,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::DefineRequirements { wanted })
}

/// No new job can name them from then on. `hash` is `Wanted::hash`.
pub fn retire_requirements(client: Pubkey, hash: &[u8; 32]) -> Instruction {
    let accounts = accounts::RetireRequirements {
        client,
        requirements: pda::requirements(&client, hash),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::RetireRequirements {})
}

/// Needs no signature but the fee payer's, `REQUIREMENTS_NOTICE` seconds after they were retired.
pub fn close_requirements(requirements: Pubkey, state: &Requirements) -> Instruction {
    let accounts = accounts::CloseRequirements {
        requirements,
        rent_payer: state.rent_payer,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::CloseRequirements {})
}
