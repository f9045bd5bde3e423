//! A chain with the programs on it, and an indexer that follows it.

use joule_api::{Client, Commitment, JobStatus};
use joule_indexer::{config::Settings, source::rpc::Rpc, store::Sqlite, verify, Indexer};
use joule_localnet::{Config, Localnet, Persona};
use joule_sdk::{
    escrow::state::{Terms, Verification},
    instruction::{escrow, registry, staking},
    pda,
    registry::state::{Attributes, Profile},
    token_program,
    treasury::state::Service,
    Chain, Keypair, Pubkey,
};
use std::{
    future::Future,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;
use yellowstone_grpc_client::GeyserGrpcClient;

/// Long enough for a loaded machine; only failures wait for it.
pub const PATIENCE: Duration = Duration::from_secs(90);
pub const BUDGET: u64 = 1_000_000;
pub const PRICE: u64 = 900_000;
/// What each provider and juror answers with.
pub const BOND: u64 = 10_000_000;
pub const RESULT: [u8; 32] = [7; 32];

pub struct World {
    pub localnet: Localnet,
    pub chain: Chain,
    pub folder: tempfile::TempDir,
}

pub struct Following {
    pub indexer: Indexer,
    pub client: Client,
    pub stop: CancellationToken,
}

impl World {
    pub async fn start(replay_slots: usize) -> Self {
        Self::start_with(|config| Config { replay_slots, ..config }).await
    }

    pub async fn start_with(change: impl FnOnce(Config) -> Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let programs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/deploy");
        let config = change(Config::ephemeral(programs, folder.path().join("state")));
        let localnet = Localnet::start(config).await.expect("localnet starts; the programs are built by `make build`");
        let chain = Chain::new(localnet.rpc_url());
        Self { localnet, chain, folder }
    }

    pub fn database(&self) -> PathBuf {
        self.folder.path().join("indexer.sqlite")
    }

    /// Of an indexer with this database.
    pub fn settings(&self, database: &Path) -> Settings {
        Settings {
            grpc: self.localnet.grpc_url().into(),
            rpc: self.localnet.rpc_url().into(),
            database: database.to_owned().into(),
            listen: ([127, 0, 0, 1], 0).into(),
            ..Settings::default()
        }
    }

    pub async fn follow(&self, database: &Path) -> Following {
        Following::start(&self.settings(database)).await
    }

    /// With another RPC node.
    pub async fn follow_by(&self, database: &Path, rpc: &str) -> Following {
        Following::start(&Settings { rpc: rpc.into(), ..self.settings(database) }).await
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

    pub fn bond(&self, persona: Persona) -> Pubkey {
        pda::bond(&self.address(persona), &self.localnet.mint())
    }

    /// As a provider, with a bond.
    pub async fn register(&self, persona: Persona) -> Pubkey {
        let authority = self.address(persona);
        let profile = Profile {
            payout_owner: authority,
            capacity: 4,
            endpoint_hash: [1; 32],
            metadata_hash: [2; 32],
            attributes: Attributes { cpu_cores: 2, ..Attributes::default() },
        };
        let (mint, bond) = (self.localnet.mint(), self.bond(persona));
        let instructions = [
            registry::register(authority, authority, profile),
            staking::open_bond(authority, authority, mint, token_program::CLASSIC, authority),
            staking::name_service(authority, bond, Service::Escrow as u8, true),
            staking::deposit_bond(authority, self.tokens(persona), bond, mint, token_program::CLASSIC, BOND, authority),
        ];
        self.chain.send(&instructions, &[self.key(persona)]).await.unwrap();
        self.provider(persona)
    }

    pub async fn open(&self, persona: Persona) -> Pubkey {
        self.open_with(persona, Verification::Review, 3_600).await
    }

    /// `window` is each of the job's own, in seconds.
    pub async fn open_with(&self, persona: Persona, verification: Verification, window: u32) -> Pubkey {
        let client = self.address(persona);
        let id = self.chain.next_job_id(&client).await.unwrap();
        let accounts = escrow::OpenAccounts {
            payer: client,
            client,
            source: self.tokens(persona),
            refund: self.tokens(persona),
            mint: self.localnet.mint(),
            token_program: token_program::CLASSIC,
            requirements: None,
            staked_in: None,
        };
        let is_judged = verification != Verification::Review;
        let terms = Terms {
            budget: BUDGET,
            spec_hash: [3; 32],
            input_hash: [4; 32],
            accept_window: window,
            bid_window: 0,
            work_window: window,
            review_window: window,
            vote_window: if is_judged { 60 } else { 0 },
            bond_bps: 10_000,
            verification: verification as u8,
            pricing: 0,
            jurors: is_judged.into(),
            max_rate: 0,
        };
        self.chain.send(&[escrow::open(accounts, id, terms)], &[self.key(persona)]).await.unwrap();
        pda::job(&client, id)
    }

    pub async fn accept(&self, provider: Persona, job: Pubkey) {
        let state = self.chain.job(&job).await.unwrap().unwrap();
        let who = escrow::Provider::new(self.address(provider), self.tokens(provider));
        let accept = escrow::accept(who, job, &state, PRICE);
        self.chain.send(&[accept], &[self.key(provider)]).await.unwrap();
    }

    pub async fn submit(&self, provider: Persona, job: Pubkey) {
        let submit = escrow::submit(self.address(provider), job, RESULT);
        self.chain.send(&[submit], &[self.key(provider)]).await.unwrap();
    }

    pub async fn approve(&self, client: Persona, job: Pubkey) {
        let state = self.chain.job(&job).await.unwrap().unwrap();
        let approve = escrow::approve(job, &state, token_program::CLASSIC, RESULT);
        self.chain.send(&[approve], &[self.key(client)]).await.unwrap();
    }

    pub async fn cancel(&self, client: Persona, job: Pubkey) {
        let state = self.chain.job(&job).await.unwrap().unwrap();
        self.chain.send(&[escrow::cancel(job, &state, token_program::CLASSIC)], &[self.key(client)]).await.unwrap();
    }

    /// Waits until the stream itself says that it no longer reaches back to a slot.
    pub async fn cannot_replay_from(&self, slot: u64) {
        let grpc = GeyserGrpcClient::build_from_shared(self.localnet.grpc_url().to_owned()).unwrap();
        let mut grpc = grpc.connect().await.unwrap();
        let started = Instant::now();
        while grpc.subscribe_replay_info().await.unwrap().first_available.unwrap_or_default() <= slot {
            assert!(started.elapsed() < PATIENCE, "the chain stands still");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub async fn equals_the_chain(&self, database: &Path) {
        let store = Sqlite::open_existing(database).unwrap();
        let rpc = Rpc::new(self.localnet.rpc_url().to_owned(), false);
        let report = verify::run(&store, &rpc, PATIENCE).await.unwrap();
        assert!(report.differences.is_empty(), "{report}");
        assert!(report.accounts > 2 && report.reputations > 0 && report.unknown_reputations == 0, "{report}");
    }
}

impl Following {
    pub async fn start(settings: &Settings) -> Self {
        let stop = CancellationToken::new();
        let indexer = Indexer::start(settings, stop.clone()).await.unwrap();
        let client = Client::new(format!("http://{}", indexer.address()));
        Self { indexer, client, stop }
    }

    /// Until it is, and says nothing else.
    pub async fn well(&self) {
        self.until("well", |client| async move { client.health().await.is_ok_and(|health| health.ok) }).await;
    }

    /// Until it says that it is not, for a reason that has these words in it.
    pub async fn unwell(&self, words: &str) {
        self.until(words, |client| async move {
            let health = client.health().await.unwrap();
            !health.ok && health.reason.is_some_and(|reason| reason.contains(words))
        })
        .await;
    }

    pub async fn job_is(&self, job: Pubkey, status: JobStatus, commitment: Commitment) -> joule_api::Job {
        let started = Instant::now();
        loop {
            if let Ok(found) = self.client.job(&job.to_string()).await {
                if found.status == status && found.commitment >= commitment {
                    return found;
                }
            }
            let health = self.client.health().await.unwrap();
            assert!(started.elapsed() < PATIENCE, "{job} never became {status:?}; {health:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn until<F: Future<Output = bool>>(&self, what: &str, holds: impl Fn(Client) -> F) {
        let started = Instant::now();
        while !holds(self.client.clone()).await {
            let health = self.client.health().await.unwrap();
            assert!(started.elapsed() < PATIENCE, "never: {what}; {health:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Until an endpoint is not followed, for a reason with these words: before its first try it is not followed for none.
    pub async fn endpoint_is_left(&self, place: usize, words: &str) {
        self.until(&format!("endpoint {place} is left: {words}"), |client| async move {
            let endpoint = client.health().await.unwrap().endpoints.remove(place);
            !endpoint.live && endpoint.reason.is_some_and(|reason| reason.contains(words))
        })
        .await;
    }

    pub async fn stop(self) {
        self.stop.cancel();
        self.indexer.finished().await.unwrap();
    }
}
