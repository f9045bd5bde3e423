//! The chain as one provider sees it: its jobs, and the four things it does with them.

use joule_artifacts::Hash;
use joule_sdk::{
    escrow::state::Job as State,
    instruction::{escrow, token},
    keys, pda, Chain, Instruction, Keypair, Signer,
};
pub use joule_sdk::{escrow::state::JobStatus, Pubkey as Address, SdkError as ChainError};
use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

/// What the node needs to know of a job; the fields are the program's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub address: Address,
    pub client: Address,
    pub id: u64,
    pub status: JobStatus,
    /// All zero while it is open.
    pub provider_authority: Address,
    pub mint: Address,
    /// Base units, like `price` and `owed_provider`.
    pub budget: u64,
    pub price: u64,
    pub owed_provider: u64,
    pub spec_hash: Hash,
    pub input_hash: Hash,
    pub result_hash: Hash,
    /// Unix seconds of the chain's clock, like the two below; 0 until it is known.
    pub accept_by: i64,
    pub deliver_by: i64,
    pub settle_after: i64,
    /// Seconds.
    pub work_window: u32,
}

impl Job {
    /// None when the status is one that this version does not know.
    fn from_state(address: Address, state: &State) -> Option<Self> {
        Some(Self {
            address,
            client: state.client,
            id: state.id.get(),
            status: state.status().ok()?,
            provider_authority: state.provider_authority,
            mint: state.mint,
            budget: state.budget.get(),
            price: state.price.get(),
            owed_provider: state.owed_provider.get(),
            spec_hash: state.spec_hash.into(),
            input_hash: state.input_hash.into(),
            result_hash: state.result_hash.into(),
            accept_by: state.accept_by.get(),
            deliver_by: state.deliver_by.get(),
            settle_after: state.settle_after.get(),
            work_window: state.work_window.get(),
        })
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
}

impl ProviderClient {
    /// Reads the authority's keypair file. The cluster is not contacted yet.
    pub fn new(rpc_url: &str, keypair: &Path) -> Result<Self, ChainError> {
        let key = keys::read(keypair)?;
        let authority = key.pubkey();
        Ok(Self {
            chain: Chain::new(rpc_url),
            key: Arc::new(key),
            authority,
            address: pda::provider(&authority),
            token_programs: Arc::default(),
        })
    }

    pub fn authority(&self) -> Address {
        self.authority
    }

    /// Of the `Provider` account.
    pub fn address(&self) -> Address {
        self.address
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

    /// Whether the registry lets this provider accept jobs, or why not.
    pub async fn may_accept(&self) -> Result<Result<(), String>, ChainError> {
        Ok(match self.chain.provider(&self.authority).await? {
            None => Err(format!("{} is not registered: `joule provider register`", self.authority)),
            Some(provider) if !provider.is_active() => {
                Err("the provider is paused: `joule provider status --set active` opens it again".into())
            }
            Some(_) => Ok(()),
        })
    }

    /// Accepts for `price` base units, to be paid into the usual token account of the provider's payout owner, which is
    /// created when it is missing.
    pub async fn accept(&self, job: &Job, price: u64) -> Result<(), ChainError> {
        let provider = self.chain.provider(&self.authority).await?.ok_or(ChainError::NoAccount(self.address))?;
        let token_program = self.token_program(&job.mint).await?;
        let payout = pda::associated_token(&provider.payout_owner, &job.mint, &token_program);
        let mut instructions = Vec::new();
        let there = self.chain.rpc().get_account_with_commitment(&payout, self.chain.rpc().commitment()).await?;
        if there.value.is_none_or(|account| account.data.is_empty()) {
            instructions.push(token::create_associated(self.authority, provider.payout_owner, job.mint, token_program));
        }
        instructions.push(escrow::accept(self.authority, job.address, payout, price));
        self.send(&instructions).await
    }

    pub async fn submit(&self, job: &Address, result: Hash) -> Result<(), ChainError> {
        self.send(&[escrow::submit(self.authority, *job, result.into())]).await
    }

    pub async fn settle(&self, job: &Job) -> Result<(), ChainError> {
        let Some(state) = self.chain.job(&job.address).await? else { return Ok(()) };
        self.send(&[escrow::settle(job.address, &state, self.token_program(&state.mint).await?)]).await
    }

    pub async fn expire(&self, job: &Job) -> Result<(), ChainError> {
        let Some(state) = self.chain.job(&job.address).await? else { return Ok(()) };
        self.send(&[escrow::expire(job.address, &state, self.token_program(&state.mint).await?)]).await
    }

    async fn send(&self, instructions: &[Instruction]) -> Result<(), ChainError> {
        self.chain.send(instructions, &[&*self.key]).await?;
        Ok(())
    }

    async fn token_program(&self, mint: &Address) -> Result<Address, ChainError> {
        let known = self.token_programs.lock().unwrap_or_else(PoisonError::into_inner).get(mint).copied();
        if let Some(program) = known {
            return Ok(program);
        }
        let program = self.chain.token_program_of(mint).await?;
        self.token_programs.lock().unwrap_or_else(PoisonError::into_inner).insert(*mint, program);
        Ok(program)
    }
}
