//! Vouchers are brought on chain by size, by age, and when they or their channel would soon be worth nothing; what they
//! pay is then backed and divided, and the accounts of channels that are over are closed. Everything is decided from what the
//! chain says, so that nothing depends on whether the last attempt got through, and a voucher stays in the ledger until the
//! chain has it.

mod claim;

use crate::{
    chain::{OnChain, State},
    config, crash, exact,
    gateway::Gateway,
    ledger::{Ledger, LedgerError, Write},
    telemetry,
};
use claim::{is_over, undivided, Claim};
use joule_sdk::{instruction::billing, registry::state::PriceList, Instruction, Keypair, Pubkey, SdkError};
use joule_settings::Token;
use joule_units::{Amount, UnixTime};
use joule_voucher::Format as _;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;

/// The longest that a channel waits after failures.
const MAX_WAIT: Duration = Duration::from_secs(300);

/// How often it is looked which channels are over: their accounts are kept as evidence for days, and nothing but somebody
/// else's rent waits for them.
const SWEEP: Duration = Duration::from_secs(3_600);

/// Seconds for which a channel is asked for that the chain no longer has, in case that a node was wrong.
const MISSED: i64 = 86_400;

/// What a round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    pub settled: usize,
    pub distributed: usize,
    pub closed: usize,
    pub failed: usize,
}

/// Settles for one provider.
pub struct Settler {
    chain: OnChain,
    key: Arc<Keypair>,
    ledger: Ledger,
    /// What amounts are shown in; base units where there are several.
    token: Option<Token>,
    settings: config::Settle,
    /// Seconds that must be left for a voucher; with less it is settled whatever it is worth.
    margin: i64,
    /// Channels whose last attempts failed: how often, and when to try again.
    failures: HashMap<Pubkey, (u32, Instant)>,
    /// Channels that were closed with a voucher unpaid.
    gone: HashSet<Pubkey>,
    /// Channels of which something may be left to divide.
    uncollected: HashSet<Pubkey>,
    /// Channels that have paid here, and whose accounts may be there still.
    living: HashSet<Pubkey>,
    /// When they were last looked at.
    swept: Option<Instant>,
}

impl Settler {
    pub fn new(
        chain: OnChain,
        key: Arc<Keypair>,
        ledger: Ledger,
        config: &config::Config,
    ) -> Result<Self, LedgerError> {
        let vouched: HashSet<_> = ledger.vouched()?.into_iter().collect();
        Ok(Self {
            uncollected: vouched.clone(),
            living: vouched,
            swept: None,
            chain,
            key,
            ledger,
            token: config.token.clone(),
            settings: config.settle,
            margin: config.risk.settle_margin,
            failures: HashMap::new(),
            gone: HashSet::new(),
        })
    }

    /// Until the gateway stops.
    pub async fn run(mut self, gateway: Arc<Gateway>) {
        let every = self.settings.every;
        loop {
            let stopping = tokio::select! {
                () = gateway.stopping.cancelled() => true,
                () = tokio::time::sleep(every) => false,
            };
            if stopping {
                return;
            }
            let now = gateway.clock.now();
            if let Err(error) = self.round(now, false).await {
                tracing::warn!(%error, "vouchers could not be looked at; they are tried again");
            }
            if let Some(exact) = gateway.exact.get() {
                exact::fill(exact, &self.chain, &self.key, &gateway.config.exact, now, |units| self.show(units)).await;
            }
        }
    }

    /// One look at all vouchers. `everything` settles them whatever they are worth, and however often they failed.
    pub async fn round(&mut self, now: UnixTime, everything: bool) -> anyhow::Result<Outcome> {
        let mut outcome = Outcome::default();
        let gone_by = if everything { i64::MIN } else { now.get().saturating_sub(MISSED) };
        let claims = self.claims(now, UnixTime::new(gone_by)).await?;
        let worth = claims.iter().map(Claim::worth).fold(0_u64, u64::saturating_add);
        metrics::gauge!(telemetry::UNSETTLED).set(worth as f64);
        let due: Vec<_> = claims.into_iter().filter(|claim| everything || self.is_due(claim, now)).collect();
        for some in due.chunks(self.per_transaction(due.len()).await) {
            if self.settle(some).await.is_ok() {
                outcome.settled += some.len();
                self.settled(some, now).await;
                continue;
            }
            // One that cannot be settled must not keep the others waiting.
            for one in some.chunks(1) {
                match self.settle(one).await {
                    Ok(()) => {
                        outcome.settled += 1;
                        self.settled(one, now).await;
                    }
                    Err(error) => {
                        outcome.failed += 1;
                        self.failed(one[0].due.channel, &error, "settle");
                    }
                }
            }
        }
        if self.settings.distribute {
            self.collect(everything, &mut outcome).await?;
        }
        if everything || self.swept.is_none_or(|at| at.elapsed() >= SWEEP) {
            self.swept = Some(Instant::now());
            self.sweep(everything, &mut outcome).await?;
        }
        Ok(outcome)
    }

    /// A node that does not say what its cluster takes has the vouchers as they fit anywhere.
    async fn per_transaction(&self, due: usize) -> usize {
        let most = self.settings.per_transaction;
        match due > config::PLAIN_VOUCHERS && self.chain.0.takes_v1().await.unwrap_or(false) {
            true => most,
            false => most.min(config::PLAIN_VOUCHERS),
        }
    }

    /// What the ledger has and the chain has not. What the chain has already is written down.
    async fn claims(&mut self, now: UnixTime, gone_by: UnixTime) -> anyhow::Result<Vec<Claim>> {
        let ledger = self.ledger.clone();
        let due = tokio::task::spawn_blocking(move || ledger.due(gone_by)).await??;
        let addresses: Vec<_> = due.iter().map(|due| due.channel).collect();
        let states = self.chain.states(&addresses).await?;
        let mut claims = Vec::new();
        for (due, state) in due.into_iter().zip(states) {
            match state {
                None if self.gone.insert(due.channel) => {
                    tracing::error!(channel = %due.channel, "a channel is gone that owes for a voucher");
                }
                None => {}
                Some(state) if state.settled.get() >= due.voucher.message.cumulative.get().get() => {
                    self.uncollected.insert(due.channel);
                    self.note(due.channel, Amount::new(state.settled.get()), now).await;
                }
                Some(state) => claims.push(Claim { due, state }),
            }
        }
        Ok(claims)
    }

    fn is_due(&self, claim: &Claim, now: UnixTime) -> bool {
        if self.failures.get(&claim.due.channel).is_some_and(|(_, until)| *until > Instant::now()) {
            return false;
        }
        claim.is_due(&self.settings, self.margin, now)
    }

    async fn settle(&self, claims: &[Claim]) -> Result<(), SdkError> {
        let mut instructions = Vec::new();
        for Claim { due, state } in claims {
            let message = due.voucher.message.as_bytes();
            let verify = billing::verify(&state.session.signer, &due.voucher.signature, message);
            instructions.push(verify.ok_or_else(|| SdkError::Signing("a voucher is too long".into()))?);
            instructions.push(billing::settle(due.channel));
        }
        self.send("settle", &instructions).await?;
        crash::point(crash::Point::AfterSettleSent);
        Ok(())
    }

    async fn settled(&mut self, claims: &[Claim], now: UnixTime) {
        for claim in claims {
            let (channel, cumulative) = (claim.due.channel, claim.due.voucher.message.cumulative.get());
            tracing::info!(%channel, cumulative = self.show(cumulative.get()), "a voucher is settled");
            metrics::counter!(telemetry::SETTLED).increment(claim.worth());
            self.failures.remove(&channel);
            self.uncollected.insert(channel);
            self.living.insert(channel);
            self.note(channel, cumulative, now).await;
        }
    }

    /// An amount for people, from base units.
    fn show(&self, units: u64) -> String {
        self.token.as_ref().map_or_else(|| format!("{units} units"), |token| token.show(units))
    }

    /// Writes down what the chain has. If that fails the chain is asked again next time.
    async fn note(&self, channel: Pubkey, amount: Amount, at: UnixTime) {
        // These writes build upon nothing, and nothing builds upon them.
        if let Err(error) = self.ledger.note(channel, Write::Settled { amount, at }).done().await {
            tracing::warn!(%channel, %error, "what was settled could not be written down");
        }
    }

    fn failed(&mut self, channel: Pubkey, error: &SdkError, what: &str) {
        let (times, until) = self.failures.entry(channel).or_insert((0, Instant::now()));
        *times += 1;
        let wait = Duration::from_secs(1 << (*times).min(9)).min(MAX_WAIT);
        *until = Instant::now() + wait;
        tracing::warn!(%channel, %error, times, what, "it did not go through; it is tried again");
    }

    /// Backs and divides what was earned.
    async fn collect(&mut self, everything: bool, outcome: &mut Outcome) -> anyhow::Result<()> {
        let ready = |channel: &&Pubkey| {
            everything || self.failures.get(*channel).is_none_or(|(_, until)| *until <= Instant::now())
        };
        let channels: Vec<_> = self.uncollected.iter().filter(ready).copied().collect();
        for (channel, state) in channels.iter().zip(self.chain.states(&channels).await?) {
            let Some(state) = state else {
                self.uncollected.remove(channel);
                continue;
            };
            // What is left waits for more of it.
            if !everything && undivided(&state) <= self.settings.fee {
                self.uncollected.remove(channel);
                continue;
            }
            match self.pay_out(*channel, &state).await {
                Ok(paid) => {
                    self.uncollected.remove(channel);
                    outcome.distributed += usize::from(paid);
                }
                // Somebody else has done the same meanwhile, whatever was said of ours.
                Err(_) if self.is_paid_out(channel).await => drop(self.uncollected.remove(channel)),
                Err(error) => {
                    outcome.failed += 1;
                    self.failed(*channel, &error, "distribute");
                }
            }
        }
        Ok(())
    }

    async fn is_paid_out(&self, channel: &Pubkey) -> bool {
        let states = self.chain.states(std::slice::from_ref(channel)).await;
        states.is_ok_and(|states| states.iter().flatten().all(|state| undivided(state) == 0))
    }

    /// Whether there was anything to pay.
    async fn pay_out(&self, channel: Pubkey, state: &State) -> Result<bool, SdkError> {
        if undivided(state) == 0 {
            return Ok(false);
        }
        let earned = state.settled.get().saturating_add(state.accrued.get());
        let must_back = state.backing_bps.get() > 0 && state.backed.get() < earned;
        let prices: PriceList = self.chain.0.get(&state.prices).await?;
        let token_program = self.chain.0.token_program_of(&state.mint).await?;
        let distribute = billing::distribute(channel, state, &prices, token_program);
        if must_back {
            use joule_sdk::Signer as _;
            let back = billing::back(self.key.pubkey(), channel, state);
            let Err(error) = self.send("distribute", &[back, distribute.clone()]).await else { return Ok(true) };
            // The provider's share waits for its bond, or until nobody can dispute it any more; the others' need not.
            if let Err(error) = self.send("distribute", &[distribute]).await {
                tracing::debug!(%channel, %error, "nothing can be divided before it is backed");
            }
            return Err(error);
        }
        self.send("distribute", &[distribute]).await?;
        Ok(true)
    }

    /// Closes the accounts of channels that are over.
    async fn sweep(&mut self, everything: bool, outcome: &mut Outcome) -> anyhow::Result<()> {
        let now = UnixTime::new(self.chain.0.now().await?);
        let channels: Vec<_> = self.living.iter().copied().collect();
        for (channel, state) in channels.iter().zip(self.chain.states(&channels).await?) {
            match state {
                None => drop(self.living.remove(channel)),
                // Whose rent it is may close the others.
                Some(state) if is_over(&state, now) && (everything || state.settled.get() > self.settings.fee) => {
                    match self.send("close", &[billing::close(*channel, &state)]).await {
                        Ok(()) => {
                            tracing::info!(%channel, "a channel is over, and its account is closed");
                            outcome.closed += 1;
                            self.living.remove(channel);
                        }
                        Err(error) => {
                            outcome.failed += 1;
                            tracing::warn!(%channel, %error, "a channel's account is not closed; it is tried again");
                        }
                    }
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    async fn send(&self, kind: &'static str, instructions: &[Instruction]) -> Result<(), SdkError> {
        let sent = self.chain.0.send(instructions, &[&*self.key]).await;
        let outcome = if sent.is_ok() { "confirmed" } else { "failed" };
        metrics::counter!(telemetry::TRANSACTIONS, "kind" => kind, "outcome" => outcome).increment(1);
        sent.map(|_| ())
    }
}
