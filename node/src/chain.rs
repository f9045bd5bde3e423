//! The chain as one provider sees it: its jobs, and what it does with them.

use crate::{
    electorate::{self, Narrowed},
    tokens::Tokens,
};
use joule_artifacts::Hash;
pub use joule_sdk::{
    escrow::state::{JobStatus, Verification},
    Pubkey as Address, SdkError as ChainError,
};
use joule_sdk::{
    escrow::{
        math,
        state::{Bid, Job as State, Pricing},
    },
    instruction::{
        escrow::{self, Provider},
        token,
    },
    keys, pda,
    registry::state::{Attestations, Attestor, Requirements},
    staking::state::{Bond, Claim},
    units::Amount,
    Chain, Instruction, Keypair, Signer,
};
use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

/// What the node needs to know of a job; the fields are the program's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub address: Address,
    pub client: Address,
    pub id: u64,
    pub status: JobStatus,
    pub verification: Verification,
    /// All zero while it is open.
    pub provider_authority: Address,
    pub mint: Address,
    /// All zero where anybody may take it and, in a quorum, judge it.
    pub requirements: Address,
    /// Base units, like `price` and `owed_provider`.
    pub budget: u64,
    pub price: u64,
    pub owed_provider: u64,
    /// Base units for a second where it is paid by the second and taken.
    pub rate: u64,
    /// Base units locked of the provider's bond, which is what a challenge costs.
    pub exposure: u64,
    pub spec_hash: Hash,
    pub input_hash: Hash,
    pub result_hash: Hash,
    /// Unix seconds of the chain's clock, like the three below; 0 until it is known.
    pub accept_by: i64,
    /// 0 when it takes no bids.
    pub bid_until: i64,
    pub deliver_by: i64,
    pub settle_after: i64,
    /// Seconds, like the next.
    pub work_window: u32,
    pub review_window: u32,
    /// Seconds of each step of a dispute.
    pub vote_window: u32,
    /// Seconds of work reported so far.
    pub reported: u32,
    /// What is locked of a bond, in basis points of the price, or of the budget where it is paid by the second.
    pub bond_bps: u16,
    pub jurors: u8,
    pub per_second: bool,
    /// The most that a second may cost; 0 where the price is fixed.
    pub max_rate: u64,
}

impl Job {
    /// None when it is one that this version does not know how to read.
    pub(crate) fn from_state(address: Address, state: &State) -> Option<Self> {
        Some(Self {
            address,
            client: state.client,
            id: state.id.get(),
            status: state.status().ok()?,
            verification: Verification::from_number(state.verification).ok()?,
            provider_authority: state.provider_authority,
            mint: state.mint,
            requirements: state.requirements,
            budget: state.budget.get(),
            price: state.price.get(),
            owed_provider: state.owed_provider.get(),
            rate: state.rate.get(),
            exposure: state.exposure.get(),
            spec_hash: state.spec_hash.into(),
            input_hash: state.input_hash.into(),
            result_hash: state.result_hash.into(),
            accept_by: state.accept_by.get(),
            bid_until: state.bid_until.get(),
            deliver_by: state.deliver_by.get(),
            settle_after: state.settle_after.get(),
            work_window: state.work_window.get(),
            review_window: state.review_window.get(),
            vote_window: state.vote_window.get(),
            reported: state.reported.get(),
            bond_bps: state.bond_bps.get(),
            jurors: state.jurors,
            per_second: state.pricing == Pricing::PerSecond as u8,
            max_rate: state.max_rate.get(),
        })
    }

    pub fn takes_bids(&self) -> bool {
        self.bid_until > 0
    }

    /// What it pays when it is delivered, the protocol's fee included, in base units.
    pub fn pays(&self) -> u64 {
        match self.per_second {
            true => self.rate.saturating_mul(self.reported.into()).min(self.budget),
            false => self.price,
        }
    }

    /// Seconds that the budget pays for, the last one perhaps in part.
    pub fn seconds_paid(&self) -> u64 {
        self.budget.div_ceil(self.rate.max(1))
    }

    /// What whoever takes it for `price` locks, in base units; `None` beyond 64 bits.
    pub fn bond_for(&self, price: u64) -> Option<u64> {
        let (price, budget) = (Amount::new(price), Amount::new(self.budget));
        math::bond_for(price, budget, self.bond_bps, self.per_second).map(Amount::get)
    }
}

/// Reads and writes as one provider. Cheap to clone.
#[derive(Clone)]
pub struct ProviderClient {
    chain: Chain,
    key: Arc<Keypair>,
    authority: Address,
    address: Address,
    /// Which token program each mint belongs to; it never changes.
    token_programs: Arc<Mutex<HashMap<Address, Address>>>,
    tokens: Arc<OnceLock<Tokens>>,
}

impl ProviderClient {
    /// Reads the authority's key file. The cluster is not contacted yet.
    pub fn new(rpc: &str, key: &Path) -> Result<Self, ChainError> {
        let key = keys::read(key)?;
        let authority = key.pubkey();
        Ok(Self {
            chain: Chain::new(rpc),
            key: Arc::new(key),
            authority,
            address: pda::provider(&authority),
            token_programs: Arc::default(),
            tokens: Arc::default(),
        })
    }

    pub fn authority(&self) -> Address {
        self.authority
    }

    /// Of the `Provider` account.
    pub fn address(&self) -> Address {
        self.address
    }

    /// Asks the chain, once, what the tokens are that are taken as pay.
    pub async fn learn_tokens(&self, mints: &[Address], symbol: Option<&str>) -> Result<&Tokens, ChainError> {
        if let Some(known) = self.tokens.get() {
            return Ok(known);
        }
        let read = Tokens::read(&self.chain, mints, symbol).await?;
        Ok(self.tokens.get_or_init(|| read))
    }

    /// An amount for people, from base units.
    pub fn show(&self, mint: &Address, units: u64) -> String {
        match self.tokens.get() {
            Some(tokens) => tokens.show(mint, units),
            None => Tokens::default().show(mint, units),
        }
    }

    /// What else can be read.
    pub(crate) fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The chain's time, in Unix seconds.
    pub async fn now(&self) -> Result<i64, ChainError> {
        self.chain.now().await
    }

    /// None once it is closed.
    pub async fn job(&self, address: &Address) -> Result<Option<Job>, ChainError> {
        Ok(self.chain.job(address).await?.and_then(|state| Job::from_state(*address, &state)))
    }

    /// The jobs that this provider has accepted and that are not closed.
    pub async fn jobs(&self) -> Result<Vec<Job>, ChainError> {
        let found = self.chain.jobs_of(&self.authority).await?;
        Ok(found.iter().filter_map(|(address, state)| Job::from_state(*address, state)).collect())
    }

    /// The jobs that this provider has an open bid for.
    pub async fn bid_for(&self) -> Result<Vec<Address>, ChainError> {
        Ok(self.chain.bids_of(&self.authority).await?.into_iter().map(|(_, bid)| bid.job).collect())
    }

    /// This provider's bid for a job, if there is one.
    pub async fn bid(&self, job: &Address) -> Result<Option<Bid>, ChainError> {
        self.chain.find(&pda::bid(job, &self.address)).await
    }

    /// Whether this provider can accept jobs paid in one of `mints`, or why not.
    pub async fn may_accept(&self, mints: &[Address]) -> Result<Result<(), String>, ChainError> {
        match self.chain.provider(&self.authority).await? {
            None => return Ok(Err(format!("{} is not registered: `joule provider register`", self.authority))),
            Some(provider) if !provider.is_active() => {
                return Ok(Err("the provider is paused: `joule provider status --set active` opens it again".into()));
            }
            Some(_) => {}
        }
        for mint in mints {
            if self.bond(mint).await?.is_some_and(|bond| bond.amount.get() > 0) {
                return Ok(Ok(()));
            }
        }
        Ok(Err("it has no bond in any of its tokens, and every job wants one: `joule provider bond open` and \
            `joule provider bond deposit`"
            .into()))
    }

    /// This provider's bond in a token.
    pub async fn bond(&self, mint: &Address) -> Result<Option<Bond>, ChainError> {
        self.chain.find(&pda::bond(&self.authority, mint)).await
    }

    /// What of its bond can be locked, in base units: what is on its way out still backs new claims.
    pub async fn lockable(&self, mint: &Address) -> Result<u64, ChainError> {
        Ok(self.bond(mint).await?.map_or(0, |bond| bond.amount.get().saturating_sub(bond.locked.get())))
    }

    /// Accepts for `price` base units, or base units a second.
    pub async fn accept(&self, job: &Address, price: u64) -> Result<(), ChainError> {
        let Some(state) = self.chain.job(job).await? else { return Ok(()) };
        let (me, mut instructions) = self.candidate(&state.mint).await?;
        instructions.push(escrow::accept(me, *job, &state, price));
        self.send(&instructions).await
    }

    /// Offers to do it for `price` base units, or base units a second.
    pub async fn place_bid(&self, job: &Address, price: u64) -> Result<(), ChainError> {
        let Some(state) = self.chain.job(job).await? else { return Ok(()) };
        let (me, mut instructions) = self.candidate(&state.mint).await?;
        instructions.push(escrow::place_bid(me, *job, &state, price));
        self.send(&instructions).await
    }

    /// Gives the job to its cheapest bidder, whoever that is.
    pub async fn award_bid(&self, job: &Address) -> Result<(), ChainError> {
        let Some(state) = self.chain.job(job).await? else { return Ok(()) };
        let Some(bid) = self.chain.find::<Bid>(&state.best_bid).await? else { return Ok(()) };
        self.send(&[escrow::award_bid(state.best_bid, &bid)]).await
    }

    /// Gives the budget of a job back that nobody accepted in time.
    pub async fn expire(&self, job: &Address) -> Result<(), ChainError> {
        let Some(state) = self.chain.job(job).await? else { return Ok(()) };
        self.send(&[escrow::expire(*job, &state, self.token_program(&state.mint).await?)]).await
    }

    /// Takes back a bid that did not win.
    pub async fn withdraw_bid(&self, job: &Address, bid: &Bid) -> Result<(), ChainError> {
        // The job may be gone, and the claim with it if nobody came for it in time; then any bond will do.
        let bond = match self.chain.find::<Claim>(&bid.claim).await? {
            Some(claim) => self.chain.find::<Bond>(&claim.bond).await?,
            None => None,
        };
        let mint = bond.map_or_else(Address::default, |bond| bond.mint);
        self.send(&[escrow::withdraw_bid(pda::bid(job, &self.address), bid, mint)]).await
    }

    pub async fn report(&self, job: &Address, seconds: u32, progress: Hash) -> Result<(), ChainError> {
        self.send(&[escrow::report(self.authority, *job, seconds, progress.into())]).await
    }

    pub async fn submit(&self, job: &Address, result: Hash) -> Result<(), ChainError> {
        self.send(&[escrow::submit(self.authority, *job, result.into())]).await
    }

    pub async fn settle(&self, job: &Address) -> Result<(), ChainError> {
        let Some(state) = self.chain.job(job).await? else { return Ok(()) };
        self.send(&[escrow::settle(*job, &state, self.token_program(&state.mint).await?)]).await
    }

    /// Has paid what a settled job still owes.
    pub async fn pay(&self, job: &Address) -> Result<(), ChainError> {
        let Some(state) = self.chain.job(job).await? else { return Ok(()) };
        self.send(&[escrow::pay(*job, &state, self.token_program(&state.mint).await?)]).await
    }

    /// This provider as one who wants a job or a vote, paid into the usual token account of its payout owner; and what makes
    /// that account when it is missing.
    pub(crate) async fn candidate(&self, mint: &Address) -> Result<(Provider, Vec<Instruction>), ChainError> {
        let provider = self.chain.provider(&self.authority).await?.ok_or(ChainError::NoAccount(self.address))?;
        let (payout, instructions) = self.payout(&provider.payout_owner, mint).await?;
        let attested = self.is_there(&pda::attestations(&self.authority)).await?;
        Ok((Provider { attested, ..Provider::new(self.authority, payout) }, instructions))
    }

    /// Whether this provider may vote in a quorum about a job, by what it was at that moment, before the dispute opened, or why not.
    pub(crate) async fn may_vote(&self, job: &State, at: i64) -> Result<Result<(), String>, ChainError> {
        let provider = self.chain.provider(&self.authority).await?.ok_or(ChainError::NoAccount(self.address))?;
        if provider.stated_at.get() > at {
            return Ok(Err(
                "it has said something new about itself since before the dispute opened, and is no juror in it".into(),
            ));
        }
        if job.requirements == Address::default() {
            return Ok(Ok(()));
        }
        let requirements = self.chain.get::<Requirements>(&job.requirements).await?;
        let attestations = self.chain.find::<Attestations>(&pda::attestations(&self.authority)).await?;
        let free = self.bond(&job.mint).await?.and_then(|bond| bond.free().ok()).unwrap_or_default();
        let meets = requirements.check(&self.address, &provider, free, attestations.as_ref(), at);
        Ok(meets.map_err(|error| format!("before the dispute opened it did not meet what the job requires: {error}")))
    }

    /// Whether a quorum is open to others than whom its client lets vote with as much as `stake` base units; `trusted` are
    /// requirements that may choose.
    pub(crate) async fn is_open(
        &self,
        requirements: Address,
        stake: u64,
        trusted: &[Address],
    ) -> Result<Result<(), Narrowed>, ChainError> {
        if requirements == Address::default() || trusted.contains(&requirements) {
            return Ok(Ok(()));
        }
        let criteria = self.chain.get::<Requirements>(&requirements).await?.criteria;
        let mut known = Vec::new();
        for address in electorate::attestors(&criteria) {
            if self.chain.find::<Attestor>(&address).await?.is_some_and(|attestor| attestor.is_enabled()) {
                known.push(address);
            }
        }
        Ok(electorate::check(&criteria, stake, &known).map_err(|how| Narrowed { requirements, how }))
    }

    /// This node as a member of a panel, who need not be a provider: paid like one if it is, and into its own account if not.
    pub(crate) async fn member(&self, mint: &Address) -> Result<(Provider, Vec<Instruction>), ChainError> {
        let provider = self.chain.provider(&self.authority).await?;
        let owner = provider.map_or(self.authority, |provider| provider.payout_owner);
        let (payout, instructions) = self.payout(&owner, mint).await?;
        Ok((Provider::new(self.authority, payout), instructions))
    }

    /// The usual token account of `owner`, and what makes it when it is missing.
    async fn payout(&self, owner: &Address, mint: &Address) -> Result<(Address, Vec<Instruction>), ChainError> {
        let token_program = self.token_program(mint).await?;
        let payout = pda::associated_token(owner, mint, &token_program);
        let mut instructions = Vec::new();
        if !self.is_there(&payout).await? {
            instructions.push(token::create_associated(self.authority, *owner, *mint, token_program));
        }
        Ok((payout, instructions))
    }

    async fn is_there(&self, address: &Address) -> Result<bool, ChainError> {
        let answer = self.chain.rpc().get_account_with_commitment(address, self.chain.rpc().commitment()).await?;
        Ok(answer.value.is_some_and(|account| !account.data.is_empty()))
    }

    pub(crate) async fn send(&self, instructions: &[Instruction]) -> Result<(), ChainError> {
        self.chain.send(instructions, &[&*self.key]).await?;
        Ok(())
    }

    pub(crate) async fn token_program(&self, mint: &Address) -> Result<Address, ChainError> {
        let known = self.token_programs.lock().unwrap_or_else(PoisonError::into_inner).get(mint).copied();
        if let Some(program) = known {
            return Ok(program);
        }
        let program = self.chain.token_program_of(mint).await?;
        self.token_programs.lock().unwrap_or_else(PoisonError::into_inner).insert(*mint, program);
        Ok(program)
    }
}
