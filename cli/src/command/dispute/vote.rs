//! Votes by hand: in a quorum, or from a seat in a panel.

use super::Found;
use crate::{act::hash_or_file, context::Options, failure::Failure, view::View};
use joule_artifacts::Hash;
use joule_sdk::{
    ballot::{Ballot, Ballots},
    escrow::state::Vote,
    instruction::{escrow, token},
    pda, Instruction, Pubkey, SdkError,
};

/// What a panel's member says that could not run the job.
const CANNOT_RUN: [u8; 32] = [0; 32];

impl Found {
    /// The signer's vote in this round.
    fn vote(&self) -> Pubkey {
        pda::vote(&self.place, self.dispute.round, &self.actor.key())
    }

    /// The signer's place among the members of this round's panel.
    fn seat(&self) -> Result<u8, Failure> {
        let (d, me) = (&self.dispute, self.actor.key());
        let first = if d.round == 0 { 0 } else { d.first_drawn };
        let found = (first..d.drawn).find(|seat| d.members[usize::from(*seat)] == me);
        found.ok_or_else(|| {
            Failure::Refused(format!("{me} was not drawn for this panel: `joule dispute show` says who was"))
        })
    }

    /// A panel's member need not be a provider; whoever is one is paid like one.
    async fn seated(&self, commitment: [u8; 32]) -> Result<Vec<Instruction>, Failure> {
        let (me, chain, mint) = (self.actor.key(), &self.actor.chain, self.job.mint);
        let seat = self.seat()?;
        let owner = chain.provider(&me).await?.map_or(me, |provider| provider.payout_owner);
        let token_program = chain.token_program_of(&mint).await?;
        let member = escrow::Provider::new(me, pda::associated_token(&owner, &mint, &token_program));
        let account = token::create_associated(me, owner, mint, token_program);
        Ok(vec![account, escrow::commit_seat(member, &self.dispute, seat, commitment)])
    }

    /// A quorum's voters are providers that meet what the job requires.
    async fn in_quorum(&self, commitment: [u8; 32]) -> Result<Vec<Instruction>, Failure> {
        let (me, chain, mint) = (self.actor.key(), &self.actor.chain, self.job.mint);
        let provider = chain.provider(&me).await?;
        let provider =
            provider.ok_or_else(|| Failure::Refused(format!("{me} is not a provider: `joule provider register`")))?;
        let token_program = chain.token_program_of(&mint).await?;
        let payout = pda::associated_token(&provider.payout_owner, &mint, &token_program);
        let attestations = pda::attestations(&me);
        let attested = chain.find::<joule_sdk::registry::state::Attestations>(&attestations).await?.is_some();
        let juror = escrow::Provider { attested, ..escrow::Provider::new(me, payout) };
        Ok(vec![escrow::commit_vote(juror, self.address, &self.job, commitment, self.dispute.deposit.get())])
    }
}

/// Without a result: a member of a panel that could not run the job.
pub(super) async fn vote(options: &Options, job: &Pubkey, result: Option<&str>) -> Result<(), Failure> {
    let result = result.map(hash_or_file).transpose()?;
    let found = Found::by(options, job).await?;
    let me = found.actor.key();
    if found.dispute.is_panel() {
        found.seat()?;
    } else if result.is_none() {
        return Err(Failure::Refused("a quorum decides about this job: whoever cannot run it does not vote".into()));
    }
    let result = result.unwrap_or(Hash::from_bytes(CANNOT_RUN));
    // On the disk before it is sent: a vote that cannot be opened loses its stake.
    let (ballots, opened_at) = (Ballots::beside(&options.key_file()?), found.dispute.opened_at.get());
    let kept = |error: std::io::Error| Failure::Other(error.into());
    let ballot = match ballots.find(&found.vote(), opened_at).map_err(kept)? {
        Some(ballot) if ballot.output != *result.as_bytes() => {
            let said = match ballot.output == CANNOT_RUN {
                true => "that says that the job could not be run".to_owned(),
                false => format!("for {}", Hash::from(ballot.output)),
            };
            return Err(Failure::Refused(format!("a vote {said} was made already, and may be on its way")));
        }
        Some(ballot) => ballot,
        None => Ballot::new(opened_at, *result.as_bytes()).map_err(kept)?,
    };
    ballots.keep(&found.vote(), &ballot).map_err(kept)?;
    let commitment = ballot.commitment(&found.address, &me);
    let commit = match found.dispute.is_panel() {
        true => found.seated(commitment).await?,
        false => found.in_quorum(commitment).await?,
    };
    let until = View::of(options, []).await.moment(found.dispute.commit_by.get());
    let done = format!("voted; open it after {until} with `joule dispute reveal`: job");
    let sent = found.send(options, &commit, &done).await;
    let was_refused = matches!(&sent, Err(Failure::Sdk(SdkError::Program(_) | SdkError::Refused { .. })));
    if was_refused && found.actor.chain.find::<Vote>(&found.vote()).await?.is_none() {
        // Nothing was committed, and the next try may say something else.
        ballots.forget(&found.vote());
    }
    sent
}

pub(super) async fn reveal(options: &Options, job: &Pubkey) -> Result<(), Failure> {
    let found = Found::by(options, job).await?;
    let vote = found.vote();
    let ballots = Ballots::beside(&options.key_file()?);
    let ballot = ballots.find(&vote, found.dispute.opened_at.get()).map_err(|e| Failure::Other(e.into()))?;
    let ballot = ballot.ok_or_else(|| {
        Failure::NotFound("there is no ballot of this vote beside the key: it was made elsewhere, or not at all".into())
    })?;
    let reveal = escrow::reveal_vote(found.address, vote, ballot.output, ballot.salt);
    found.send(options, &[reveal], "opened the vote about job").await
}
