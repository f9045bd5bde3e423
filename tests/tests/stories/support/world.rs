//! A local network with people on it, and what people do.

use super::{root, until, Indexer, Order, Process};
use joule_api::JobStatus;
use joule_artifacts::{ArtifactStore, Hash};
use joule_localnet::{Config, Localnet, Persona};
use joule_sdk::{
    escrow::state::{epoch_at, Pricing, Terms, Verification},
    instruction::{
        escrow::{self, Provider},
        registry, staking,
        token::create_associated,
    },
    pda,
    registry::state::{Attributes, Profile},
    staking::state::Bond,
    token_program,
    treasury::state::Service,
    units::UnixTime,
    Chain, Instruction, Keypair, Pubkey,
};
use std::path::PathBuf;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Base units that a provider answers with.
pub const BOND: u64 = 100_000_000;

/// Worlds that may exist at once, so that a small machine is not asked for everything together.
static ROOM: Semaphore = Semaphore::const_new(2);

pub struct World {
    pub localnet: Localnet,
    pub chain: Chain,
    pub folder: tempfile::TempDir,
    _room: SemaphorePermit<'static>,
}

impl World {
    pub async fn start() -> Self {
        Self::start_with(|config| config).await
    }

    pub async fn start_with(change: impl FnOnce(Config) -> Config) -> Self {
        let room = ROOM.acquire().await.expect("nobody closes it");
        let folder = tempfile::tempdir().expect("a folder for the story");
        let config = change(Config::ephemeral(root().join("target/deploy"), folder.path().join("state")));
        let localnet = Localnet::start(config).await.unwrap_or_else(|error| panic!("{error}"));
        let chain = Chain::new(localnet.rpc_url());
        Self { localnet, chain, folder, _room: room }
    }

    /// Stops the network; what still runs elsewhere ends with its owner.
    pub async fn stop(self) {
        self.localnet.stop().await.unwrap_or_else(|error| panic!("{error}"));
    }

    pub fn state_dir(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub fn store(&self) -> ArtifactStore {
        ArtifactStore::open(self.artifacts().to_str().expect("utf-8")).expect("a folder can be opened")
    }

    pub fn artifacts(&self) -> PathBuf {
        self.state_dir().join("artifacts")
    }

    pub fn key_file(&self, persona: Persona) -> PathBuf {
        self.state_dir().join("keys").join(format!("{persona}.json"))
    }

    pub fn key(&self, persona: Persona) -> &Keypair {
        self.localnet.personas().key(persona)
    }

    pub fn address(&self, persona: Persona) -> Pubkey {
        self.localnet.personas().address(persona)
    }

    pub fn tokens(&self, owner: Persona) -> Pubkey {
        pda::associated_token(&self.address(owner), &self.localnet.mint(), &token_program::CLASSIC)
    }

    pub fn provider(&self, persona: Persona) -> Pubkey {
        pda::provider(&self.address(persona))
    }

    pub async fn balance(&self, owner: Persona) -> u64 {
        self.chain.token_balance(&self.tokens(owner)).await.expect("a balance")
    }

    pub async fn fees(&self) -> u64 {
        self.chain.token_balance(&pda::fee_vault(&self.localnet.mint())).await.expect("a balance")
    }

    /// An indexer of this network.
    pub async fn indexer(&self, name: &str, crash_at: Option<&str>) -> Indexer {
        Indexer::start(self.folder.path(), name, self.localnet.grpc_url(), self.localnet.rpc_url(), crash_at).await
    }

    /// The daemon of a provider.
    pub fn node(&self, persona: Persona, rpc: &str, indexer: &str, more: &[&str]) -> Process {
        self.node_with(&self.artifacts().display().to_string(), persona, rpc, indexer, more)
    }

    /// With artifacts at another place.
    pub fn node_with(&self, artifacts: &str, persona: Persona, rpc: &str, indexer: &str, more: &[&str]) -> Process {
        let key = self.key_file(persona).display().to_string();
        let mint = self.localnet.mint().to_string();
        let mut args = vec![
            "run",
            "--rpc",
            rpc,
            "--indexer",
            indexer,
            "--artifacts",
            artifacts,
            "--key",
            &key,
            "--mint",
            &mint,
            "--listen",
            "off",
            "--poll",
            "200ms",
        ];
        args.extend(more);
        Process::start(self.folder.path(), persona.name(), "joule-node", &args, &[])
    }

    pub async fn send(&self, what: &str, who: Persona, instructions: &[Instruction]) {
        let sent = self.chain.send(instructions, &[self.key(who)]).await;
        sent.unwrap_or_else(|error| panic!("{who} cannot {what}: {error}"));
    }

    fn profile(&self, persona: Persona, capacity: u32) -> Profile {
        Profile {
            payout_owner: self.address(persona),
            capacity,
            endpoint_hash: [1; 32],
            metadata_hash: [2; 32],
            attributes: Attributes { cpu_cores: 2, memory_mib: 1_024, ..Attributes::default() },
        }
    }

    /// With a bond.
    pub async fn register(&self, persona: Persona) {
        self.register_without_bond(persona).await;
        self.open_bond(persona).await;
    }

    pub async fn open_bond(&self, persona: Persona) {
        let (who, mint, program) = (self.address(persona), self.localnet.mint(), token_program::CLASSIC);
        let open = staking::open_bond(who, who, mint, program, who);
        let bond = pda::bond(&who, &mint);
        let [escrow, billing] =
            [Service::Escrow, Service::Billing].map(|service| staking::name_service(who, bond, service as u8, true));
        let deposit = staking::deposit_bond(who, self.tokens(persona), bond, mint, program, BOND, who);
        self.send("open a bond", persona, &[open, escrow, billing, deposit]).await;
    }

    /// Moves the chain's clock on to just after a moment, if it is not past it.
    pub async fn after(&self, unix_seconds: i64) {
        if self.chain.now().await.expect("the chain's clock") <= unix_seconds {
            self.localnet.time_travel(unix_seconds + 1).await.unwrap_or_else(|error| panic!("{error}"));
        }
        until("the clock moves on", async || (self.chain.now().await.ok()? > unix_seconds).then_some(())).await;
    }

    pub async fn bond(&self, persona: Persona) -> Bond {
        let bond = pda::bond(&self.address(persona), &self.localnet.mint());
        self.chain.get(&bond).await.expect("a bond")
    }

    pub async fn register_without_bond(&self, persona: Persona) {
        let who = self.address(persona);
        let account = create_associated(who, who, self.localnet.mint(), token_program::CLASSIC);
        let register = registry::register(who, who, self.profile(persona, 4));
        self.send("register", persona, &[account, register]).await;
    }

    pub async fn update(&self, persona: Persona, capacity: u32) {
        let update = registry::update(self.address(persona), self.profile(persona, capacity));
        self.send("update", persona, &[update]).await;
    }

    pub async fn retire(&self, persona: Persona) {
        let who = self.address(persona);
        self.send("retire", persona, &[registry::retire(who, who)]).await;
    }

    pub async fn open(&self, client: Persona, order: Order) -> Pubkey {
        let who = self.address(client);
        let id = self.chain.next_job_id(&who).await.expect("the client's number");
        let accounts = escrow::OpenAccounts {
            payer: who,
            client: who,
            source: self.tokens(client),
            refund: self.tokens(client),
            mint: self.localnet.mint(),
            token_program: token_program::CLASSIC,
            requirements: order.requirements,
            staked_in: None,
        };
        let terms = Terms {
            budget: order.budget,
            spec_hash: *order.spec.as_bytes(),
            input_hash: *order.input.as_bytes(),
            accept_window: order.accept_window,
            work_window: order.work_window,
            review_window: order.review_window,
            bid_window: order.bid_window,
            vote_window: order.vote_window,
            bond_bps: 10_000,
            verification: match (order.jurors, order.by_panel) {
                (0, _) => Verification::Review,
                (_, false) => Verification::Quorum,
                (_, true) => Verification::Panel,
            } as u8,
            pricing: if order.per_second { Pricing::PerSecond } else { Pricing::Fixed } as u8,
            jurors: order.jurors,
            max_rate: if order.per_second { order.budget } else { 0 },
        };
        self.send("open a job", client, &[escrow::open(accounts, id, terms)]).await;
        pda::job(&who, id)
    }

    pub async fn accept(&self, provider: Persona, job: Pubkey, price: u64) {
        let me = Provider::new(self.address(provider), self.tokens(provider));
        let accept = escrow::accept(me, job, &self.job(job).await, price);
        self.send("accept", provider, &[accept]).await;
    }

    pub async fn submit(&self, provider: Persona, job: Pubkey, result: Hash) {
        let submit = escrow::submit(self.address(provider), job, *result.as_bytes());
        self.send("submit", provider, &[submit]).await;
    }

    pub async fn approve(&self, client: Persona, job: Pubkey) {
        let state = self.job(job).await;
        let approve = escrow::approve(job, &state, token_program::CLASSIC, state.result_hash);
        self.send("approve", client, &[approve]).await;
    }

    /// Puts in as much as the provider has locked. Who may vote is what it was in the second before the dispute opens: what anybody
    /// has said of itself until now counts.
    pub async fn challenge(&self, who: Persona, job: Pubkey, counter: Hash) {
        self.after(self.chain.now().await.expect("the chain's clock")).await;
        let (me, tokens) = (self.address(who), self.tokens(who));
        let challenger = escrow::Challenger { challenger: me, payer: me, source: tokens, account: tokens };
        let epoch = epoch_at(UnixTime::new(self.chain.now().await.expect("the chain's clock")));
        let by_panel = self.job(job).await.verification == Verification::Panel as u8;
        let panel = by_panel.then(|| pda::panel(&self.localnet.mint(), epoch));
        let challenge = escrow::challenge(challenger, job, panel, token_program::CLASSIC, *counter.as_bytes());
        self.send("challenge", who, &[challenge]).await;
    }

    pub async fn cancel(&self, client: Persona, job: Pubkey) {
        let cancel = escrow::cancel(job, &self.job(job).await, token_program::CLASSIC);
        self.send("cancel", client, &[cancel]).await;
    }

    pub async fn job(&self, job: Pubkey) -> joule_sdk::escrow::state::Job {
        self.chain.job(&job).await.expect("an answer").unwrap_or_else(|| panic!("job {job} is not on the chain"))
    }
}

impl Indexer {
    /// Waits until a job stands there, confirmed.
    pub async fn job_is(&self, job: Pubkey, status: JobStatus) -> joule_api::Job {
        let address = job.to_string();
        until(&format!("job {job} is {status:?}"), async || {
            let found = self.api.job(&address).await.ok()?;
            (found.status == status && found.commitment >= joule_api::Commitment::Confirmed).then_some(found)
        })
        .await
    }

    /// The names of what happened to an account, oldest first.
    pub async fn history(&self, address: Pubkey) -> Vec<String> {
        let account = self.api.account(&address.to_string()).await.unwrap_or_else(|error| panic!("{address}: {error}"));
        account.history.into_iter().rev().map(|event| event.name).collect()
    }
}
