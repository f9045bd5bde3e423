//! Jobs and bids.

use joule_sdk::{
    escrow::state::{Bid, Job, JobStatus},
    Pubkey,
};

/// Base units for each party to a job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Parts {
    pub provider: u128,
    pub fee: u128,
    pub challenger: u128,
    pub jurors: u128,
    pub client: u128,
}

/// A job that has not been closed.
#[derive(Clone)]
pub struct Entry {
    pub address: Pubkey,
    /// The account, as it must be to the byte.
    pub job: Job,
    /// Base units that strangers sent to the vault.
    pub gifts: u128,
    /// Base units that a challenger and an appellant put there.
    pub deposits: u128,
    /// Base units that came from bonds.
    pub slashed: u128,
    /// Base units in the vault that are the client's, and came after the last payment.
    pub late: u128,
    /// What everybody but the client is to receive in all, however long it takes; known once the job is decided.
    pub due: Parts,
    pub paid: Parts,
}

impl Entry {
    /// What ever came into the vault.
    fn inflow(&self) -> u128 {
        self.job.budget.get() as u128 + self.gifts + self.deposits + self.slashed
    }

    /// What the vault must hold, in base units: the budget and deposits until the job is settled or refunded, and then what
    /// is owed.
    pub fn liabilities(&self) -> u128 {
        let job = &self.job;
        match is_decided(job) {
            false => job.budget.get() as u128 + self.gifts + self.deposits,
            true => {
                let owed = [job.owed_provider, job.owed_fee, job.owed_client, job.owed_challenger, job.owed_jurors];
                owed.iter().map(|part| part.get() as u128).sum::<u128>() + self.late
            }
        }
    }

    /// What everybody is to receive in all. The client's is whatever is nobody else's.
    pub fn entitled(&self) -> Parts {
        let jurors = self.paid.jurors + self.job.owed_jurors.get() as u128;
        let others = self.due.provider + self.due.fee + self.due.challenger + jurors;
        Parts { jurors, client: self.inflow().saturating_sub(others), ..self.due }
    }

    /// What everybody has received, and what the job and the vault say they will.
    pub fn received(&self) -> Parts {
        let job = &self.job;
        Parts {
            provider: self.paid.provider + job.owed_provider.get() as u128,
            fee: self.paid.fee + job.owed_fee.get() as u128,
            challenger: self.paid.challenger + job.owed_challenger.get() as u128,
            jurors: self.paid.jurors + job.owed_jurors.get() as u128,
            client: self.paid.client + job.owed_client.get() as u128 + self.late,
        }
    }

    /// The price is earned: the fee is rounded down, the rest is the provider's.
    pub fn earn(&mut self) {
        let (price, fee_bps) = (self.job.price.get() as u128, self.job.fee_bps.get() as u128);
        self.due.fee = price * fee_bps / 10_000;
        self.due.provider = price - self.due.fee;
    }

    /// By the second: what the reported seconds cost, at most the budget.
    pub fn meter(&mut self) {
        let job = &mut self.job;
        if job.pricing == 1 {
            let cost = job.rate.get() as u128 * job.reported.get() as u128;
            job.price = (cost.min(job.budget.get() as u128) as u64).into();
        }
    }

    /// Base units that whoever takes the job for `price` locks: a share of it, or of the budget if it is paid by the second,
    /// and at least a tenth of the budget.
    pub fn exposure(&self, price: u64) -> u128 {
        let budget = self.job.budget.get();
        let base = if self.job.pricing == 1 { budget } else { price };
        let share = |of: u64, bps: u16| (of as u128 * bps as u128).div_ceil(10_000);
        share(base, self.job.bond_bps.get()).max(share(budget, 1_000))
    }

    /// Whether the job may be taken for `price`.
    pub fn affords(&self, price: u64) -> bool {
        let job = &self.job;
        let most = if job.pricing == 1 { job.budget.get().min(job.max_rate.get()) } else { job.budget.get() };
        (1..=most).contains(&price)
    }
}

/// Whether it is known who gets the budget.
pub fn is_decided(job: &Job) -> bool {
    job.status == JobStatus::Settled as u8 || job.status == JobStatus::Refunded as u8
}

/// A bid that has not been closed.
#[derive(Clone, Copy)]
pub struct Offer {
    /// The account, as it must be to the byte.
    pub bid: Bid,
    pub mint: Pubkey,
}
