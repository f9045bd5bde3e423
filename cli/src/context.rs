//! Where the services are and who is asking: from flags, then the environment, then `joule.toml`, then the local network that runs
//! here.

use crate::failure::Failure;
use anyhow::Context as _;
use clap::{builder::FalseyValueParser, Args};
use joule_artifacts::ArtifactStore;
use joule_sdk::{keys, Chain, Keypair, Pubkey};
use joule_settings::{or_nearest, File};
use serde::Deserialize;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

const INDEXER: &str = "http://127.0.0.1:7700";
const STATE_DIR: &str = ".localnet";
/// What amounts are in where nobody says what the token is called.
const NAMELESS: &str = "tokens";
/// How long the chain may take to say what time it is, where that is only for showing.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Args, Default)]
#[command(next_help_heading = "Global options")]
pub struct Options {
    /// Settings of the command line and the services [default: ./joule.toml, where there is one]
    #[arg(long, global = true, env = "JOULE_CONFIG", value_name = "FILE", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// URL of a Solana RPC node [default: the local network's]
    #[arg(long, global = true, env = "JOULE_RPC", value_name = "URL", hide_env_values = true)]
    pub rpc: Option<String>,
    /// URL of the indexer's API [default: http://127.0.0.1:7700]
    #[arg(long, global = true, env = "JOULE_INDEXER", value_name = "URL", hide_env_values = true)]
    pub indexer: Option<String>,
    /// Where specs, modules, inputs and outputs lie: a folder, s3://bucket/prefix, or the address of an artifact service
    /// [default: the local network's]
    #[arg(long, global = true, env = "JOULE_ARTIFACTS", value_name = "PLACE", hide_env_values = true)]
    pub artifacts: Option<String>,
    /// Key file of whoever signs [default: ~/.config/solana/id.json]
    #[arg(long, short, global = true, env = "JOULE_KEY", value_name = "FILE", hide_env_values = true)]
    pub key: Option<PathBuf>,
    /// Sign as a persona of the local network, such as alice
    #[arg(long = "as", global = true, value_name = "PERSONA")]
    pub persona: Option<String>,
    /// The token that amounts are in [default: the local network's]
    #[arg(long, global = true, env = "JOULE_MINT", value_name = "ADDRESS", value_parser = address, hide_env_values = true)]
    pub mint: Option<Pubkey>,
    /// Folder of the local network [default: .localnet]
    #[arg(long, global = true, env = "JOULE_STATE_DIR", value_name = "DIR", hide_env_values = true)]
    pub state_dir: Option<PathBuf>,
    /// Print JSON for programs
    #[arg(long, global = true, env = "JOULE_JSON", value_parser = FalseyValueParser::new(), hide_env_values = true)]
    pub json: bool,
    /// What `joule.toml` says of the token.
    #[arg(skip)]
    filed: Filed,
}

/// A token as `joule.toml` has it.
#[derive(Default)]
struct Filed {
    mint: Option<Pubkey>,
    symbol: Option<String>,
}

/// The keys of `joule.toml` that are for everybody, as far as they are for the command line.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Shared {
    rpc: Option<String>,
    indexer: Option<String>,
    artifacts: Option<String>,
    key: Option<PathBuf>,
    mint: Option<toml::Value>,
    symbol: Option<String>,
    state_dir: Option<PathBuf>,
    json: Option<bool>,
}

const TAKES: [&str; 8] = ["rpc", "indexer", "artifacts", "key", "mint", "symbol", "state_dir", "json"];

/// What `joule-localnet` writes about itself.
#[derive(Debug, Deserialize)]
pub struct Network {
    pub rpc: String,
    pub grpc: String,
    pub mint: String,
    pub decimals: u8,
    #[serde(default)]
    pub symbol: Option<String>,
}

impl Network {
    /// `None` when no local network runs from this folder.
    pub fn read(state_dir: &Path) -> Result<Option<Self>, Failure> {
        let path = state_dir.join("localnet.json");
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Some(serde_json::from_str(&text).with_context(|| format!("reading {}", path.display()))?)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(anyhow::Error::new(error).context(format!("reading {}", path.display())).into()),
        }
    }

    /// Whether it is the one that is talked to: nobody named another, or somebody named its folder, through whatever address.
    fn is_meant(&self, rpc: Option<&str>, is_named: bool) -> bool {
        is_named || rpc.is_none_or(|rpc| rpc.trim_end_matches('/') == self.rpc.trim_end_matches('/'))
    }
}

impl Options {
    /// Takes from `joule.toml` what neither flag nor environment says.
    pub fn fill(&mut self) -> Result<(), Failure> {
        let Some(file) = File::find(self.config.as_deref())? else { return Ok(()) };
        let said: Shared = file.section("", &TAKES)?;
        let relative = |path: PathBuf| file.join(&path);
        self.rpc = self.rpc.take().or(said.rpc);
        self.indexer = self.indexer.take().or(said.indexer);
        self.artifacts = self.artifacts.take().or(said.artifacts.map(|place| file.place(place)));
        self.key = self.key.take().or(said.key.map(relative));
        self.state_dir = self.state_dir.take().or(said.state_dir.map(relative));
        self.json |= said.json.unwrap_or_default();
        self.filed = Filed { mint: said.mint.map(|mint| only(&mint)).transpose()?.flatten(), symbol: said.symbol };
        Ok(())
    }

    /// The local network, if that is the one that is talked to.
    pub fn network(&self) -> Result<Option<Network>, Failure> {
        let network = Network::read(self.state_dir())?;
        Ok(network.filter(|network| network.is_meant(self.rpc.as_deref(), self.state_dir.is_some())))
    }

    pub fn state_dir(&self) -> &Path {
        self.state_dir.as_deref().unwrap_or(Path::new(STATE_DIR))
    }

    pub fn chain(&self) -> Result<Chain, Failure> {
        let url = match &self.rpc {
            Some(url) => url.clone(),
            None => self.network()?.map_or_else(|| "http://127.0.0.1:8899".into(), |n| n.rpc),
        };
        match url.parse::<url::Url>() {
            Ok(parsed) if matches!(parsed.scheme(), "http" | "https") => Ok(Chain::new(url)),
            _ => Err(Failure::Input(format!("--rpc {url:?} is not an address such as https://rpc.example.org"))),
        }
    }

    pub fn index(&self) -> joule_api::Client {
        joule_api::Client::new(self.indexer.clone().unwrap_or_else(|| INDEXER.to_owned()))
    }

    pub fn store(&self) -> Result<ArtifactStore, Failure> {
        let place = self.artifacts.clone().unwrap_or_else(|| self.state_dir().join("artifacts").display().to_string());
        ArtifactStore::open(&place).map_err(|e| Failure::Input(e.to_string()))
    }

    pub fn signer(&self) -> Result<Keypair, Failure> {
        let file = self.key_file()?;
        match &self.persona {
            Some(persona) if !file.exists() => Err(self.nobody(persona)),
            _ => Ok(keys::read(&file)?),
        }
    }

    /// Where the signer's key lies.
    pub fn key_file(&self) -> Result<PathBuf, Failure> {
        Ok(match (&self.persona, &self.key) {
            (Some(persona), _) => self.keys().join(format!("{persona}.json")),
            (None, Some(path)) => path.clone(),
            (None, None) => {
                let home =
                    std::env::var_os("HOME").ok_or_else(|| Failure::Input("no key: give --key or --as".into()))?;
                Path::new(&home).join(".config/solana/id.json")
            }
        })
    }

    fn keys(&self) -> PathBuf {
        self.state_dir().join("keys")
    }

    fn nobody(&self, persona: &str) -> Failure {
        let folder = self.keys();
        let names = std::fs::read_dir(&folder)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".json")?.to_owned()));
        let mut names: Vec<String> = names.collect();
        names.sort();
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        match known.is_empty() {
            true => Failure::Input(format!("--as {persona}: there are no personas in {}", folder.display())),
            false => Failure::Input(format!("--as {persona}: {}", or_nearest(persona, &known))),
        }
    }

    /// What somebody is called: a persona by its name, and others by their address.
    pub fn who(&self, signer: &Pubkey) -> String {
        self.persona.clone().unwrap_or_else(|| signer.to_string())
    }

    /// The mint that flag or environment name, or else `joule.toml`, or else the local network's.
    pub fn mint(&self) -> Result<Pubkey, Failure> {
        match (self.mint.or(self.filed.mint), self.network()?) {
            (Some(mint), _) => Ok(mint),
            (None, Some(network)) => network
                .mint
                .parse()
                .map_err(|_| Failure::Input(format!("{}/localnet.json names no mint", self.state_dir().display()))),
            (None, None) => Err(Failure::Input("which token? give --mint, or mint in joule.toml".into())),
        }
    }

    /// What the token at `mint` is called.
    pub fn symbol(&self, mint: &str) -> String {
        let network = self.network().ok().flatten().filter(|network| network.mint == mint);
        if let Some(symbol) = network.and_then(|network| network.symbol) {
            return symbol;
        }
        let usual = self.filed.mint.or(self.mint).is_none_or(|usual| usual.to_string() == mint);
        self.filed.symbol.clone().filter(|_| usual).unwrap_or_else(|| NAMELESS.to_owned())
    }

    /// Unix seconds by the chain's clock, or by this machine's where the chain does not say.
    pub async fn now(&self) -> i64 {
        let chain = async { self.chain().ok()?.now().await.ok() };
        let here = || std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs().cast_signed());
        tokio::time::timeout(PATIENCE, chain).await.ok().flatten().unwrap_or_else(here)
    }
}

/// The mint that `joule.toml` names; a node's list says nothing to the command line unless it has one entry.
fn only(mint: &toml::Value) -> Result<Option<Pubkey>, Failure> {
    let text = match mint {
        toml::Value::Array(list) if list.len() != 1 => return Ok(None),
        toml::Value::Array(list) => list[0].as_str(),
        other => other.as_str(),
    };
    let text = text.ok_or_else(|| Failure::Input("joule.toml: mint is an address, or a list of them".into()))?;
    address(text).map(Some).map_err(|why| Failure::Input(format!("joule.toml: mint {text:?}: {why}")))
}

/// Reads a base58 address.
pub fn address(text: &str) -> Result<Pubkey, String> {
    text.parse().map_err(|_| "an address is 32 bytes in base58".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_that_runs_here_is_not_the_one_behind_another_address() {
        let text = r#"{"rpc": "http://127.0.0.1:8899", "grpc": "", "mint": "", "decimals": 6}"#;
        let network: Network = serde_json::from_str(text).unwrap();
        for (rpc, is_named, meant) in [
            (None, false, true),
            (Some("http://127.0.0.1:8899/"), false, true),
            (Some("https://rpc.example.org"), false, false),
            (Some("https://rpc.example.org"), true, true),
        ] {
            assert_eq!(network.is_meant(rpc, is_named), meant, "{rpc:?} {is_named}");
        }
    }

    #[test]
    fn joule_toml_says_what_flags_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("joule.toml");
        let mint = Pubkey::new_from_array([7; 32]);
        let text = format!(
            "rpc = 'http://filed:1'\nindexer = 'http://filed:2'\nkey = 'k.json'\nartifacts = 'a'\nmint = ['{mint}']\nsymbol = 'WATT'\n\
             json = true\n[node]\nanything = 1\n"
        );
        std::fs::write(&path, text).unwrap();
        let mut options =
            Options { config: Some(path.clone()), rpc: Some("http://said:1".into()), ..Options::default() };
        options.fill().unwrap();
        assert_eq!(options.rpc.as_deref(), Some("http://said:1"), "a flag is stronger");
        assert_eq!(options.index().base(), "http://filed:2");
        assert_eq!(options.key_file().unwrap(), folder.path().join("k.json"), "paths start from the file's folder");
        assert_eq!(options.artifacts, Some(folder.path().join("a").display().to_string()));
        assert_eq!((options.mint().unwrap(), options.symbol(&mint.to_string())), (mint, "WATT".to_owned()));
        assert_eq!(options.symbol(&Pubkey::default().to_string()), NAMELESS, "another token's name is not known");
        assert!(options.json);
        std::fs::write(&path, "rcp = 'x'\n").unwrap();
        let error = Options { config: Some(path), ..Options::default() }.fill().unwrap_err().to_string();
        assert!(error.contains("line 1") && error.contains("did you mean \"rpc\"?"), "{error}");
    }
}
