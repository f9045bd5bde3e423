//! Asking for a second panel, where a first one was wrong and it costs this node's money.

use super::{Court, Obstacle};
use crate::{chain::Address, executor::Tie, telemetry, work::Ended};
use joule_artifacts::Hash;
use joule_sdk::{
    escrow::{
        math::Side,
        state::{Dispute, Job as State},
    },
    instruction::escrow,
    pda,
};
use tracing::info;

impl Court {
    /// Runs the job again first: a node that was wrong itself must not pay twice for it.
    pub(super) async fn appeal(
        &self,
        address: Address,
        job: &State,
        dispute: &Dispute,
        side: Side,
    ) -> Result<Ended, Obstacle> {
        let price = dispute.appeal_price().map_or(u64::MAX, |price| price.get());
        match self.duty.max_appeal {
            Some(most) if price > most => {
                let [price, most] = [price, most].map(|units| self.chain.show(&job.mint, units));
                return Ok(Ended::Refused(format!("an appeal costs {price}; this node risks {most}")));
            }
            _ => {}
        }
        let token_program = self.chain.token_program(&job.mint).await?;
        let tokens = pda::associated_token(&self.chain.authority(), &job.mint, &token_program);
        let has = self.chain.chain().token_balance(&tokens).await?;
        if has < price {
            let [price, has] = [price, has].map(|units| self.chain.show(&job.mint, units));
            return Ok(Ended::Later(format!("an appeal costs {price}; {tokens} has {has}")));
        }
        let answer = self.run(address, job, Tie::Bound).await?;
        let output = answer.hash();
        if !is_right(side, job, dispute, &output) {
            return Ok(Ended::Refused(format!(
                "ran it once more, and it comes to {output}: there is nothing to appeal"
            )));
        }
        let appeal = escrow::appeal(self.chain.authority(), tokens, address, token_program);
        let sent = self.chain.send(&[appeal]).await;
        match self.chain.chain().find::<Dispute>(&pda::dispute(&address)).await? {
            Some(after) if after.round == dispute.round => sent?,
            _ => {
                let deposit = self.chain.show(&job.mint, price);
                info!(job = %address, deposit, "appealed: a second panel looks at it");
                telemetry::court("appealed");
            }
        }
        Ok(Ended::Over)
    }
}

/// Whether what a job comes to is what `side` has said.
fn is_right(side: Side, job: &State, dispute: &Dispute, output: &Hash) -> bool {
    match side {
        Side::Provider => job.result_hash == *output.as_bytes(),
        Side::Challenger => dispute.counter_result == *output.as_bytes(),
        Side::Client => job.result_hash != *output.as_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whoever_was_right_appeals() {
        let mut job = <State as bytemuck::Zeroable>::zeroed();
        let mut dispute = <Dispute as bytemuck::Zeroable>::zeroed();
        (job.result_hash, dispute.counter_result) = ([1; 32], [2; 32]);
        let is = |side, output: u8| is_right(side, &job, &dispute, &Hash::from_bytes([output; 32]));
        assert_eq!([1, 2, 3].map(|output| is(Side::Provider, output)), [true, false, false]);
        assert_eq!([1, 2, 3].map(|output| is(Side::Challenger, output)), [false, true, false]);
        assert_eq!([1, 2, 3].map(|output| is(Side::Client, output)), [false, true, true]);
    }
}
