//! From a challenge to the last vote being wound up.

use super::{backing, earnings, job_backing, job_bond_vault, locking, Provider};
use crate::{
    escrow,
    instruction::{build, SYSTEM_PROGRAM},
    pda,
};
use escrow::{
    accounts, instruction,
    state::{Dispute, Job, Panel, Vote},
    ID,
};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

const SLOT_HASHES: Pubkey = Pubkey::from_str_const("SysvarS1otHashes111111111111111111111111111");

/// Somebody who challenges a result.
#[derive(Debug, Clone, Copy)]
pub struct Challenger {
    pub challenger: Pubkey,
    /// Pays rent and gets it back; may be the challenger.
    pub payer: Pubkey,
    /// Token account that the deposit comes out of.
    pub source: Pubkey,
    /// Token account that the challenger is paid into.
    pub account: Pubkey,
}

/// The deposit is as much as the provider has locked: `Job::exposure`. `panel` is [`pda::panel`] of the present epoch where a panel
/// judges.
pub fn challenge(
    who: Challenger,
    job: Pubkey,
    panel: Option<Pubkey>,
    token_program: Pubkey,
    counter_result: [u8; 32],
) -> Instruction {
    let accounts = accounts::Challenge {
        payer: who.payer,
        challenger: who.challenger,
        job,
        dispute: pda::dispute(&job),
        panel,
        vault: pda::vault(&job),
        source: who.source,
        account: who.account,
        token_program,
        system_program: SYSTEM_PROGRAM,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Challenge { counter_result })
}

/// Needs no signature but the fee payer's.
pub fn draw_panel(dispute: Pubkey, state: &Dispute) -> Instruction {
    let accounts = accounts::DrawPanel {
        job: state.job,
        dispute,
        panel: state.panel,
        slot_hashes: SLOT_HASHES,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::DrawPanel {})
}

/// A vote in a quorum. `commitment` is [`escrow::state::commitment`] of job, output, salt and the provider's authority;
/// `stake` in base units, at least `Dispute::deposit`.
pub fn commit_vote(provider: Provider, job: Pubkey, state: &Job, commitment: [u8; 32], stake: u64) -> Instruction {
    let dispute = pda::dispute(&job);
    let vote = pda::vote(&dispute, 0, &provider.authority);
    let accounts = accounts::CommitVote {
        payer: provider.payer,
        candidate: provider.candidate(state, vote),
        job,
        dispute,
        vote,
        payout: provider.payout,
        system_program: SYSTEM_PROGRAM,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::CommitVote { commitment, stake })
}

/// A panel member's vote; `seat` is its place among the dispute's members. `member.authority` is whoever was drawn, who need not be
/// a provider. An output of zeros says that it could not run the job.
pub fn commit_seat(member: Provider, state: &Dispute, seat: u8, commitment: [u8; 32]) -> Instruction {
    let dispute = pda::dispute(&state.job);
    let vote = pda::vote(&dispute, state.round, &member.authority);
    let accounts = accounts::CommitSeat {
        payer: member.payer,
        juror: member.authority,
        job: state.job,
        dispute,
        vote,
        claim: pda::seat_claim(&state.panel, &member.authority),
        claim_signer: pda::claim_signer(&ID),
        payout: member.payout,
        system_program: SYSTEM_PROGRAM,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::CommitSeat { seat, commitment })
}

/// Needs no signature but the fee payer's.
pub fn reveal_vote(job: Pubkey, vote: Pubkey, output: [u8; 32], salt: [u8; 32]) -> Instruction {
    let accounts = accounts::RevealVote {
        job,
        dispute: pda::dispute(&job),
        vote,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::RevealVote { output, salt })
}

/// The deposit is `Dispute::appeal_price`; `source` is the appellant's token account.
pub fn appeal(appellant: Pubkey, source: Pubkey, job: Pubkey, token_program: Pubkey) -> Instruction {
    let accounts = accounts::Appeal {
        appellant,
        job,
        dispute: pda::dispute(&job),
        vault: pda::vault(&job),
        source,
        token_program,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Appeal {})
}

/// Needs no signature but the fee payer's.
pub fn resolve(job: Pubkey, state: &Job, token_program: Pubkey) -> Instruction {
    let accounts = accounts::Resolve {
        earnings: earnings(job, state, token_program),
        dispute: pda::dispute(&job),
        challenger: state.challenger_account,
        backing: job_backing(state),
        bond_vault: job_bond_vault(state),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Resolve {})
}

/// Needs no signature but the fee payer's. `panel` is `Dispute::panel`: all zero in a quorum.
pub fn close_vote(
    job: Pubkey,
    state: &Job,
    panel: Pubkey,
    vote: Pubkey,
    v: &Vote,
    token_program: Pubkey,
) -> Instruction {
    let accounts = accounts::CloseVote {
        job,
        dispute: v.dispute,
        vote,
        panel: (panel != Pubkey::default()).then_some(panel),
        vote_payer: v.rent_payer,
        vault: state.vault,
        payout: v.payout,
        backing: backing(&v.juror, &state.mint, v.claim, v.claim_payer),
        bond_vault: pda::bond_vault(&pda::bond(&v.juror, &state.mint)),
        token_program,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::CloseVote {})
}

/// Needs no signature but the fee payer's. `claim_payer` is `Claim::rent_payer` of the member's seat.
pub fn punish_absent(
    job: Pubkey,
    state: &Job,
    dispute: &Dispute,
    member: u8,
    claim_payer: Pubkey,
    token_program: Pubkey,
) -> Instruction {
    let resolver = dispute.members[member as usize];
    let accounts = accounts::PunishAbsent {
        job,
        dispute: pda::dispute(&job),
        panel: dispute.panel,
        vault: state.vault,
        backing: backing(&resolver, &state.mint, pda::seat_claim(&dispute.panel, &resolver), claim_payer),
        bond_vault: pda::bond_vault(&pda::bond(&resolver, &state.mint)),
        token_program,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::PunishAbsent { member })
}

/// Needs no signature but the fee payer's.
pub fn close_dispute(dispute: Pubkey, state: &Dispute) -> Instruction {
    let accounts = accounts::CloseDispute {
        job: state.job,
        dispute,
        rent_payer: state.rent_payer,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::CloseDispute {})
}

/// Enrols for `epoch`, which is the next one; `stake` in base units.
pub fn enroll(resolver: Pubkey, payer: Pubkey, mint: Pubkey, epoch: u64, stake: u64) -> Instruction {
    let panel = pda::panel(&mint, epoch);
    let subject = escrow::seat::subject(&panel, &resolver);
    let accounts = accounts::Enroll {
        payer,
        resolver,
        mint,
        panel,
        locking: locking(&resolver, &mint, subject),
        system_program: SYSTEM_PROGRAM,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Enroll { epoch, stake })
}

/// Needs no signature but the fee payer's.
pub fn close_panel(panel: Pubkey, state: &Panel) -> Instruction {
    let accounts = accounts::ClosePanel {
        panel,
        rent_payer: state.rent_payer,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::ClosePanel {})
}
