//! What honest people do: they follow the documents, within the time that these give them, or now and then not at all.

mod bills;
mod jobs;
mod turn;
mod votes;

pub use bills::{
    channel_changed, channel_opened, disputing, dividing, known, opening as channel_opening, payers, settling, verify,
};
pub use jobs::{appeal_later, job_changed, job_opened, opening};
pub use turn::{draw_soon, punishing, turn};
pub use votes::seal;

use super::play::Play;
use joule_sdk::Pubkey;

/// Something that somebody honest does at a time.
#[derive(Clone, Copy, Debug)]
pub enum Duty {
    Open {
        client: Pubkey,
    },
    Accept {
        job: Pubkey,
        worker: Pubkey,
    },
    Submit {
        job: Pubkey,
    },
    Approve {
        job: Pubkey,
    },
    Challenge {
        job: Pubkey,
        who: Pubkey,
    },
    Vote {
        job: Pubkey,
        juror: Pubkey,
    },
    Seat {
        job: Pubkey,
        juror: Pubkey,
        seat: u8,
        round: u8,
    },
    Reveal {
        job: Pubkey,
        juror: Pubkey,
        round: u8,
    },
    Appeal {
        job: Pubkey,
        who: Pubkey,
    },
    Draw {
        job: Pubkey,
    },
    /// Whatever anybody may do about a job now.
    Turn {
        job: Pubkey,
    },
    Enrol {
        resolver: Pubkey,
    },
    Channel {
        owner: Pubkey,
    },
    Serve {
        channel: Pubkey,
    },
    Settle {
        channel: Pubkey,
    },
    Batch {
        channel: Pubkey,
    },
    Back {
        channel: Pubkey,
    },
    Divide {
        channel: Pubkey,
    },
    Dispute {
        channel: Pubkey,
    },
    Leave {
        channel: Pubkey,
    },
    Stake {
        who: Pubkey,
    },
    Attest {
        attestor: Pubkey,
        subject: Pubkey,
    },
}

pub fn perform(play: &mut Play, duty: Duty) {
    let is_new = matches!(
        duty,
        Duty::Open { .. } | Duty::Accept { .. } | Duty::Channel { .. } | Duty::Serve { .. } | Duty::Stake { .. }
    );
    if play.is_ending && is_new || play.is_lazy && matches!(duty, Duty::Turn { .. }) {
        return;
    }
    match duty {
        Duty::Open { client } => jobs::open(play, client),
        Duty::Accept { job, worker } => jobs::accept(play, job, worker),
        Duty::Submit { job } => jobs::submit(play, job),
        Duty::Approve { job } => jobs::approve(play, job),
        Duty::Challenge { job, who } => jobs::challenge(play, job, who),
        Duty::Vote { job, juror } => votes::vote(play, job, juror),
        Duty::Seat { job, juror, seat, round } => votes::seat(play, job, juror, seat, round),
        Duty::Reveal { job, juror, round } => votes::reveal(play, job, juror, round),
        Duty::Appeal { job, who } => jobs::appeal(play, job, who),
        Duty::Draw { job } => turn::draw(play, job),
        Duty::Turn { job } => turn::turn(play, &job),
        Duty::Enrol { resolver } => votes::enrol(play, resolver),
        Duty::Channel { owner } => bills::open(play, owner),
        Duty::Serve { channel } => bills::serve(play, channel),
        Duty::Settle { channel } => bills::settle(play, channel),
        Duty::Batch { channel } => bills::settle_batch(play, channel),
        Duty::Back { channel } => bills::back(play, channel),
        Duty::Divide { channel } => bills::divide(play, channel),
        Duty::Dispute { channel } => bills::dispute(play, channel),
        Duty::Leave { channel } => bills::leave(play, channel),
        Duty::Stake { who } => jobs::stake(play, who),
        Duty::Attest { attestor, subject } => jobs::attest(play, attestor, subject),
    }
}
