//! What is written: in `joule.toml`, and over it as flags, which may come from the environment.

use super::{ConfigError, Listen, SECTION, SHARED};
use clap::Args;
use joule_settings::{Amount, File, Size, Span};
use serde::{Deserialize, Deserializer};
use std::path::PathBuf;

/// Where a value may come from; every key of the file has a flag and a variable of the same name.
#[derive(Debug, Clone, Default, Deserialize, Args)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// URL of a Solana RPC node [default: http://127.0.0.1:8899]
    #[arg(long, env = "JOULE_RPC", value_name = "URL")]
    pub rpc: Option<String>,
    /// The indexer's API, which knows the open jobs [default: http://127.0.0.1:7700]
    #[arg(long, env = "JOULE_INDEXER", value_name = "URL")]
    pub indexer: Option<String>,
    /// Where specs, modules, inputs and outputs lie: a folder, s3://bucket/prefix, or the http(s):// of a joule-store [default: .localnet/artifacts]
    #[arg(long, env = "JOULE_ARTIFACTS", value_name = "PLACE")]
    pub artifacts: Option<String>,
    /// The provider's authority: a Solana key file
    #[arg(long, env = "JOULE_KEY", value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// A token that is taken as pay; give it several times for several tokens
    #[arg(long, env = "JOULE_MINT", value_delimiter = ',', value_name = "ADDRESS")]
    #[serde(default, deserialize_with = "one_or_many")]
    pub mint: Vec<String>,
    /// What people call the token, such as JOULE
    #[arg(long, env = "JOULE_SYMBOL", value_name = "SYMBOL")]
    pub symbol: Option<String>,
    /// Log as JSON, one object a line: [`crate::logging`]
    #[arg(skip)]
    pub json: Option<bool>,
    /// Lowest price; less is not worth the fees [default: 0.01 tokens; with several tokens 10000 units]
    #[arg(long, env = "JOULE_NODE_MIN_PRICE", value_name = "AMOUNT")]
    pub min_price: Option<Amount>,
    /// Price of 10^9 units of the fuel that a job's spec allows; without it, a job's whole budget is asked
    #[arg(long, env = "JOULE_NODE_PRICE_PER_GIGAFUEL", value_name = "AMOUNT")]
    pub price_per_gigafuel: Option<Amount>,
    /// Jobs that are taken at the same time, those won by bids aside [default: 2]
    #[arg(long, env = "JOULE_NODE_MAX_JOBS", value_name = "N")]
    pub max_jobs: Option<usize>,
    /// Open bids at the same time, in places of their own: if all of them win, so many jobs more run at once [default: 2]
    #[arg(long, env = "JOULE_NODE_MAX_BIDS", value_name = "N")]
    pub max_bids: Option<usize>,
    /// Largest fuel limit that is taken on [default: 10^12]
    #[arg(long, env = "JOULE_NODE_MAX_FUEL", value_name = "FUEL")]
    pub max_fuel: Option<u64>,
    /// Largest memory limit that is taken on [default: 1 GiB]
    #[arg(long, env = "JOULE_NODE_MAX_MEMORY", value_name = "SIZE")]
    pub max_memory: Option<Size>,
    /// Longest time limit that is taken on [default: 10m]
    #[arg(long, env = "JOULE_NODE_MAX_TIMEOUT", value_name = "TIME")]
    pub max_timeout: Option<Span>,
    /// Largest module that is fetched and compiled [default: 16 MiB]
    #[arg(long, env = "JOULE_NODE_MAX_MODULE", value_name = "SIZE")]
    pub max_module: Option<Size>,
    /// Largest input that is fetched [default: 256 MiB]
    #[arg(long, env = "JOULE_NODE_MAX_INPUT", value_name = "SIZE")]
    pub max_input: Option<Size>,
    /// How long compiling a module may take before its job is taken [default: 15s]
    #[arg(long, env = "JOULE_NODE_MAX_COMPILE", value_name = "TIME")]
    pub max_compile: Option<Span>,
    /// Price of a second of work; without it, jobs that are paid by the second are not taken
    #[arg(long, env = "JOULE_NODE_PRICE_PER_SECOND", value_name = "AMOUNT")]
    pub price_per_second: Option<Amount>,
    /// How often to report the seconds worked; each report is a transaction [default: 10s]
    #[arg(long, env = "JOULE_NODE_REPORT_EVERY", value_name = "TIME")]
    pub report_every: Option<Span>,
    /// A way of verifying that is put up with: review, quorum or panel; give it several times for several [default: all]
    #[arg(long, env = "JOULE_NODE_MODE", value_delimiter = ',', value_name = "MODE")]
    #[serde(default, deserialize_with = "one_or_many")]
    pub mode: Vec<String>,
    /// The least time that jurors must have for each step [default: 1h]
    #[arg(long, env = "JOULE_NODE_MIN_VOTE_WINDOW", value_name = "TIME")]
    pub min_vote_window: Option<Span>,
    /// The fewest votes that may decide about a result [default: 3]
    #[arg(long, env = "JOULE_NODE_MIN_QUORUM", value_name = "VOTES")]
    pub min_quorum: Option<u8>,
    /// The fewest members of a first panel that may decide about a result [default: 3]
    #[arg(long, env = "JOULE_NODE_MIN_PANEL", value_name = "MEMBERS")]
    pub min_panel: Option<u8>,
    /// A client's requirements that may choose who votes in a quorum, by a list of providers, a large bond, or an attestor that is
    /// none any longer; give it several times for several [default: none]
    #[arg(long, env = "JOULE_NODE_TRUSTED_REQUIREMENTS", value_delimiter = ',', value_name = "ADDRESS")]
    #[serde(default, deserialize_with = "one_or_many")]
    pub trusted_requirements: Vec<String>,
    /// The most that is locked of the bond for a job, in basis points of what the job can earn; a tenth of its budget is always
    /// locked, and as many percent of the whole budget as it wants where it is paid by the second [default: 20000]
    #[arg(long, env = "JOULE_NODE_MAX_BOND_BPS", value_name = "BPS")]
    pub max_bond_bps: Option<u16>,
    /// The longest that bids may be taken for a job that is bid for [default: 1h]
    #[arg(long, env = "JOULE_NODE_MAX_BID_WINDOW", value_name = "TIME")]
    pub max_bid_window: Option<Span>,
    /// The longest that a bid may bind if nobody awards the job [default: 1d]
    #[arg(long, env = "JOULE_NODE_MAX_ACCEPT_WINDOW", value_name = "TIME")]
    pub max_accept_window: Option<Span>,
    /// The longest that a client may review a result while the bond stays locked [default: 30d]
    #[arg(long, env = "JOULE_NODE_MAX_REVIEW_WINDOW", value_name = "TIME")]
    pub max_review_window: Option<Span>,
    /// Takes new jobs; `false` for a node that only verifies or votes [default: true]
    #[arg(long, env = "JOULE_NODE_PROVIDE", value_name = "BOOL")]
    pub provide: Option<bool>,
    /// Runs others' delivered jobs again, and challenges results that are wrong
    #[arg(long, env = "JOULE_NODE_VERIFY", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub verify: Option<bool>,
    /// Votes in disputes that a quorum decides
    #[arg(long, env = "JOULE_NODE_VOTE", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub vote: Option<bool>,
    /// Enrols for the panels of every coming epoch with this much of its bond, and votes whenever it is drawn; as much must stay
    /// free for the vote, and a seat's stake stays locked for up to 52 days
    #[arg(long, env = "JOULE_NODE_PANEL_STAKE", value_name = "AMOUNT")]
    pub panel_stake: Option<Amount>,
    /// Asks for a second panel where a first one was wrong, running the job again says so, and it costs this node's money
    #[arg(long, env = "JOULE_NODE_APPEAL", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub appeal: Option<bool>,
    /// The most that an appeal may cost: twice the challenger's deposit, lost unless it is won; needed for appeals
    #[arg(long, env = "JOULE_NODE_MAX_APPEAL", value_name = "AMOUNT")]
    pub max_appeal: Option<Amount>,
    /// The least that must be at stake in a dispute: about less, which is not worth the fees, nothing is run again, and nobody
    /// challenged or voted for; a seat votes all the same [default: 0.1 tokens; with several tokens 100000 units]
    #[arg(long, env = "JOULE_NODE_MIN_DEPOSIT", value_name = "AMOUNT")]
    pub min_deposit: Option<Amount>,
    /// The most that is put at risk in one dispute, as a challenger's deposit or behind a quorum's vote; needed for both
    #[arg(long, env = "JOULE_NODE_MAX_DEPOSIT", value_name = "AMOUNT")]
    pub max_deposit: Option<Amount>,
    /// Where votes are written down before they are sent, which must survive a restart [default: beside the key, with `.votes`
    /// instead of its ending]
    #[arg(long, env = "JOULE_NODE_VOTES", value_name = "FOLDER")]
    pub votes: Option<PathBuf>,
    /// Where spec, module and input of promised jobs lie until nobody can need them [default: beside the key, with `.kept` instead
    /// of its ending]
    #[arg(long, env = "JOULE_NODE_KEPT", value_name = "FOLDER")]
    pub kept: Option<PathBuf>,
    /// What may be kept there, beyond which nothing new is promised, and once more so much for others' disputes [default: 8 GiB]
    #[arg(long, env = "JOULE_NODE_MAX_KEPT", value_name = "SIZE")]
    pub max_kept: Option<Size>,
    /// Where `/metrics` and `/healthz` are; "off" for nowhere [default: 127.0.0.1:7720]
    #[arg(long, env = "JOULE_NODE_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<Listen>,
    /// How often to look for work when the indexer's feed is silent [default: 2s]
    #[arg(long, env = "JOULE_NODE_POLL", value_name = "TIME")]
    pub poll: Option<Span>,
}
impl Settings {
    /// What a file says to the node; relative paths in it start from the file's folder.
    pub fn read(file: &File) -> Result<Self, ConfigError> {
        let mut settings: Self = file.section(SECTION, &SHARED)?;
        for path in [&mut settings.key, &mut settings.votes, &mut settings.kept] {
            *path = path.take().map(|path| file.join(&path));
        }
        settings.artifacts = settings.artifacts.map(|place| file.place(place));
        Ok(settings)
    }

    /// These, and where they say nothing, `other`'s.
    pub fn or(self, other: Self) -> Self {
        Self {
            rpc: self.rpc.or(other.rpc),
            indexer: self.indexer.or(other.indexer),
            artifacts: self.artifacts.or(other.artifacts),
            key: self.key.or(other.key),
            mint: if self.mint.is_empty() { other.mint } else { self.mint },
            symbol: self.symbol.or(other.symbol),
            json: self.json.or(other.json),
            min_price: self.min_price.or(other.min_price),
            price_per_gigafuel: self.price_per_gigafuel.or(other.price_per_gigafuel),
            max_jobs: self.max_jobs.or(other.max_jobs),
            max_bids: self.max_bids.or(other.max_bids),
            max_fuel: self.max_fuel.or(other.max_fuel),
            max_memory: self.max_memory.or(other.max_memory),
            max_timeout: self.max_timeout.or(other.max_timeout),
            max_module: self.max_module.or(other.max_module),
            max_input: self.max_input.or(other.max_input),
            max_compile: self.max_compile.or(other.max_compile),
            price_per_second: self.price_per_second.or(other.price_per_second),
            report_every: self.report_every.or(other.report_every),
            mode: if self.mode.is_empty() { other.mode } else { self.mode },
            min_vote_window: self.min_vote_window.or(other.min_vote_window),
            min_quorum: self.min_quorum.or(other.min_quorum),
            min_panel: self.min_panel.or(other.min_panel),
            trusted_requirements: if self.trusted_requirements.is_empty() {
                other.trusted_requirements
            } else {
                self.trusted_requirements
            },
            max_bond_bps: self.max_bond_bps.or(other.max_bond_bps),
            max_bid_window: self.max_bid_window.or(other.max_bid_window),
            max_accept_window: self.max_accept_window.or(other.max_accept_window),
            max_review_window: self.max_review_window.or(other.max_review_window),
            provide: self.provide.or(other.provide),
            verify: self.verify.or(other.verify),
            vote: self.vote.or(other.vote),
            panel_stake: self.panel_stake.or(other.panel_stake),
            appeal: self.appeal.or(other.appeal),
            max_appeal: self.max_appeal.or(other.max_appeal),
            min_deposit: self.min_deposit.or(other.min_deposit),
            max_deposit: self.max_deposit.or(other.max_deposit),
            votes: self.votes.or(other.votes),
            kept: self.kept.or(other.kept),
            max_kept: self.max_kept.or(other.max_kept),
            listen: self.listen.or(other.listen),
            poll: self.poll.or(other.poll),
        }
    }

    pub(super) fn amounts(&self) -> impl Iterator<Item = (&'static str, &Amount)> {
        let all = [
            ("min_price", &self.min_price),
            ("price_per_gigafuel", &self.price_per_gigafuel),
            ("price_per_second", &self.price_per_second),
            ("panel_stake", &self.panel_stake),
            ("max_appeal", &self.max_appeal),
            ("min_deposit", &self.min_deposit),
            ("max_deposit", &self.max_deposit),
        ];
        all.into_iter().filter_map(|(field, amount)| Some((field, amount.as_ref()?)))
    }
    /// What people call the token.
    pub fn symbol(&self) -> Result<Option<String>, ConfigError> {
        joule_settings::symbol(self.symbol.as_deref(), self.amounts())
            .map_err(|(field, source)| ConfigError::Amount { field, source })
    }
}

fn one_or_many<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a text, or a list of them")]
    enum Given {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Given::deserialize(from)? {
        Given::One(one) => vec![one],
        Given::Many(many) => many,
    })
}
