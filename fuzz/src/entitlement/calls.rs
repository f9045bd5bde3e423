//! The instructions whose accounts or arguments say how the programs guard against wrongs; everything else is called where it
//! is needed.

use super::play::Play;
use joule_sdk::{
    escrow::{
        constants::PANEL_EPOCH,
        state::{Dispute, Job, Panel, Verification, Vote},
    },
    instruction::{
        billing,
        escrow::{self, Challenger, Provider},
        registry, staking,
    },
    pda,
    registry::state::Requirements,
    staking::state::Bond,
    treasury::state::Service,
    Instruction, Pubkey,
};

/// The number of the service that the gang has written.
pub const OWN_SERVICE: u8 = 2;

/// Has a new bond filled by its owner, ready for escrow and billing and for nobody else.
pub fn ready_bond(owner: Pubkey, tokens: Pubkey, mint: Pubkey, program: Pubkey, amount: u64) -> Vec<Instruction> {
    let bond = pda::bond(&owner, &mint);
    let deposit = staking::deposit_bond(owner, tokens, bond, mint, program, amount, owner);
    let named = [Service::Escrow, Service::Billing].map(|service| name(owner, bond, service as u8, true));
    [&[deposit], &named[..]].concat()
}

pub fn name(party: Pubkey, bond: Pubkey, number: u8, named: bool) -> Instruction {
    staking::name_service(party, bond, number, named)
}

pub fn deposit_bond(who: Pubkey, tokens: Pubkey, bond: &Bond, program: Pubkey, amount: u64) -> Instruction {
    let address = pda::bond(&bond.owner, &bond.mint);
    staking::deposit_bond(who, tokens, address, bond.mint, program, amount, bond.withdrawer)
}

/// A lock of a service's own program.
pub fn lock(payer: Pubkey, service: Pubkey, bond: Pubkey, subject: Pubkey, amount: u64, until: i64) -> Instruction {
    staking::lock(payer, (service, OWN_SERVICE), bond, subject, amount, until)
}

pub fn challenge(
    (who, tokens): (Pubkey, Pubkey),
    address: Pubkey,
    job: &Job,
    program: Pubkey,
    counter: [u8; 32],
    now: i64,
) -> Instruction {
    let who = Challenger { challenger: who, payer: who, source: tokens, account: tokens };
    let is_panel = job.verification == Verification::Panel as u8;
    let panel = is_panel.then(|| pda::panel(&job.mint, (now / PANEL_EPOCH) as u64));
    escrow::challenge(who, address, panel, program, counter)
}

/// Whether the documents say that a challenge may be refused for this reason: a panel must be there of which enough have staked
/// what is at risk, and at least half of all that others than the parties have.
pub fn may_refuse_challenge(play: &Play, job: &Job, challenger: &Pubkey) -> bool {
    if job.verification != Verification::Panel as u8 {
        return false;
    }
    let panel = play.read::<Panel>(&pda::panel(&job.mint, (play.now / PANEL_EPOCH) as u64));
    let Some(panel) = panel else { return true };
    let parties = [job.client, job.provider_authority, job.payout_owner, *challenger];
    let others = panel.enrolled().iter().filter(|entry| !parties.contains(&entry.resolver));
    let stakes: Vec<u64> = others.map(|entry| entry.stake.get()).collect();
    let enough = stakes.iter().filter(|stake| **stake >= job.exposure.get());
    let (count, strong) = (enough.clone().count(), enough.map(|stake| *stake as u128).sum::<u128>());
    count <= 3 * job.jurors as usize || 2 * strong < stakes.iter().map(|stake| *stake as u128).sum()
}

/// The claim behind a channel.
pub fn channel_claim(channel: &Pubkey) -> Pubkey {
    billing::claim(channel)
}

pub fn draw_panel(dispute: &Dispute) -> Instruction {
    escrow::draw_panel(pda::dispute(&dispute.job), dispute)
}

pub fn commit_seat(juror: Pubkey, tokens: Pubkey, dispute: &Dispute, seat: u8, sealed: [u8; 32]) -> Instruction {
    escrow::commit_seat(Provider::new(juror, tokens), dispute, seat, sealed)
}

pub fn close_vote(
    address: Pubkey,
    job: &Job,
    dispute: &Dispute,
    vote: Pubkey,
    state: &Vote,
    program: Pubkey,
) -> Instruction {
    escrow::close_vote(address, job, dispute.panel, vote, state, program)
}

pub fn enroll(resolver: Pubkey, mint: Pubkey, epoch: u64, stake: u64) -> Instruction {
    escrow::enroll(resolver, resolver, mint, epoch, stake)
}

/// Ways in which requirements may be got rid of.
pub fn discard_requirements(address: Pubkey, state: &Requirements) -> Vec<Instruction> {
    let retire = registry::retire_requirements(state.client, &state.criteria.hash());
    vec![retire, registry::close_requirements(address, state)]
}

/// The authority says that a program is a service.
pub fn admit(authority: Pubkey, program: Pubkey) -> Instruction {
    staking::admit_service(authority, program, OWN_SERVICE)
}
