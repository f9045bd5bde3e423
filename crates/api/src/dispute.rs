//! Disputes: what a juror needs to vote, and what became of it.

use crate::{decimal, Commitment, Job, Verification};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a dispute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStatus {
    /// A panel's members are to be drawn, until `draw_by`.
    Drawing,
    /// Votes are taken until `commit_by` and opened until `reveal_by`; it can be resolved after `final_at`.
    Voting,
    /// Decided; votes are wound up one by one.
    Resolved,
    /// Wound up, its account gone.
    Closed,
}

/// What a dispute, a round or a vote says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The result is right.
    Stands,
    /// The challenger's is.
    Counter,
    /// Another one is.
    Neither,
    /// Too few votes, or no majority: the result stands.
    Undecided,
}

/// Who asked for a second panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Provider,
    Challenger,
    /// Against the result, like the challenger.
    Client,
}

/// A challenged result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Dispute {
    /// The dispute's account.
    pub address: String,
    /// Address of the job.
    pub job: String,
    /// Where it stands.
    pub status: DisputeStatus,
    /// `quorum` or `panel`.
    pub mode: Verification,
    /// Who says that the result is wrong.
    pub challenger: String,
    /// What the provider delivered.
    pub result_hash: String,
    /// What the challenger says is right.
    pub counter_result: String,
    /// What the challenger put in, in base units; a juror in a quorum stakes at least as much.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub deposit: u64,
    /// 0, or 1 after an appeal.
    pub round: u8,
    /// Who has appealed, where somebody has.
    pub appellant: Option<Side>,
    /// What the appellant put in, in base units.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub appeal_deposit: u64,
    /// Address of the `Panel` that members are drawn from.
    pub panel: Option<String>,
    /// The slot whose hash draws the panel.
    pub draw_slot: u64,
    /// When the result was challenged.
    pub opened_at: i64,
    /// Until when a panel can be drawn.
    pub draw_by: Option<i64>,
    /// Until when votes are committed.
    pub commit_by: Option<i64>,
    /// Until when votes are revealed.
    pub reveal_by: Option<i64>,
    /// It can be resolved after this moment.
    pub final_at: Option<i64>,
    /// When it was decided.
    pub resolved_at: Option<i64>,
    /// How it ended.
    pub verdict: Option<Verdict>,
    /// Weight revealed, by round.
    pub tallies: Vec<Tally>,
    /// A panel's members so far, in the order of their seats.
    pub members: Vec<Member>,
    /// Every vote so far, by round and juror.
    pub votes: Vec<Vote>,
    /// Slot of the newest change.
    pub slot: u64,
    pub commitment: Commitment,
}

/// What a round's revealed votes weigh, in base units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tally {
    /// Weight for the provider's result.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub stands: u64,
    /// Weight for the challenger's.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub counter: u64,
    /// For the third output that has most.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub neither: u64,
    /// Votes revealed, those included whose juror could not run the job.
    pub revealed: u32,
}

/// Somebody who was drawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Member {
    /// Number of the seat.
    pub seat: u8,
    /// Who sits there.
    pub resolver: String,
    /// Whether it has committed a vote.
    pub committed: bool,
    /// It was slashed because it never voted.
    pub punished: bool,
}

/// What one juror says in one round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Vote {
    /// The vote's account.
    pub address: String,
    /// Who votes.
    pub juror: String,
    /// Which round, from 0 on.
    pub round: u8,
    /// Hash of the hidden vote.
    pub commitment: String,
    /// What it weighs, and loses if it is wrong or never opened, in base units.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub stake: u64,
    /// The output it was for, once revealed.
    pub output: Option<String>,
    /// `undecided` is a member of a panel that could not run the job.
    pub choice: Option<Verdict>,
    /// What it was paid, in base units.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub paid: u64,
    /// What was slashed off its bond, in base units.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub slashed: u64,
    /// True once its account is gone.
    pub closed: bool,
}

/// A dispute with the job that it is about: all that a juror needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Case {
    pub dispute: Dispute,
    pub job: Job,
}
