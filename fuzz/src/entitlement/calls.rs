//! The instructions whose accounts or arguments say how the programs guard against wrongs; everything else is called where it
//! is needed.

use joule_sdk::{
    escrow::state::{Dispute, Job, Vote},
    instruction::{
        escrow::{self, Challenger, Provider},
        registry, staking,
    },
    pda,
    staking::state::Bond,
    Instruction, Pubkey,
};

/// Has a new bond filled by its owner, ready for every service.
pub fn ready_bond(owner: Pubkey, tokens: Pubkey, mint: Pubkey, program: Pubkey, amount: u64) -> Vec<Instruction> {
    vec![staking::deposit_bond(owner, tokens, pda::bond(&owner, &mint), mint, program, amount)]
}

pub fn deposit_bond(who: Pubkey, tokens: Pubkey, bond: &Bond, program: Pubkey, amount: u64) -> Instruction {
    staking::deposit_bond(who, tokens, pda::bond(&bond.owner, &bond.mint), bond.mint, program, amount)
}

/// A lock of a service's own program.
pub fn lock(payer: Pubkey, service: Pubkey, bond: Pubkey, subject: Pubkey, amount: u64, until: i64) -> Instruction {
    staking::lock(payer, service, bond, subject, amount, until)
}

pub fn challenge(
    who: Pubkey,
    tokens: Pubkey,
    address: Pubkey,
    _job: &Job,
    program: Pubkey,
    counter: [u8; 32],
) -> Instruction {
    let who = Challenger { challenger: who, payer: who, source: tokens, account: tokens };
    escrow::challenge(who, address, program, counter)
}

pub fn commit_seat(
    juror: Pubkey,
    tokens: Pubkey,
    dispute: &Dispute,
    mint: &Pubkey,
    seat: u8,
    sealed: [u8; 32],
) -> Instruction {
    escrow::commit_seat(Provider::new(juror, tokens), dispute, mint, seat, sealed)
}

pub fn close_vote(
    address: Pubkey,
    job: &Job,
    _dispute: &Dispute,
    vote: Pubkey,
    state: &Vote,
    program: Pubkey,
) -> Instruction {
    escrow::close_vote(address, job, vote, state, program)
}

pub fn enroll(resolver: Pubkey, mint: Pubkey, epoch: u64, stake: u64) -> Instruction {
    escrow::enroll(resolver, resolver, mint, epoch, stake)
}

/// What a resolver can enrol of a bond: the documents ask it to keep as much free.
pub fn seat(bond: u64) -> u64 {
    bond / 2
}

/// Ways in which somebody who published requirements may try to be rid of them.
pub fn discard_requirements(client: Pubkey, hash: &[u8; 32], rent_payer: Pubkey) -> Vec<Instruction> {
    vec![registry::drop_requirements(client, hash, rent_payer)]
}

/// The authority says that a program is a service, or is not any more.
pub fn admit(authority: Pubkey, program: Pubkey, number: u8) -> Vec<Instruction> {
    vec![staking::admit_service(authority, program, number)]
}

pub fn dismiss(authority: Pubkey, program: Pubkey, enabled: bool) -> Option<Instruction> {
    Some(staking::set_service(authority, program, enabled))
}

/// What of a challenger's deposit the documents say is lost when nothing was decided.
pub fn waiting(deposit: u64) -> u64 {
    deposit / 10
}

/// Whether the documents say that a challenge may be refused for this reason.
pub fn may_refuse_challenge(_play: &super::play::Play, _job: &Job, _why: &str) -> bool {
    false
}

pub fn draw_panel(dispute: &Dispute) -> Instruction {
    escrow::draw_panel(pda::dispute(&dispute.job), dispute)
}
