//! Where the services are and who is asking, from flags, environment, or the local network that runs here.

use crate::failure::Failure;
use anyhow::Context as _;
use clap::Args;
use joule_artifacts::ArtifactStore;
use joule_sdk::{keys, Chain, Keypair, Pubkey};
use serde::Deserialize;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub struct Options {
    /// RPC of a Solana node [default: the local network's]
    #[arg(long, global = true, env = "JOULE_RPC_URL", value_name = "URL")]
    pub rpc: Option<String>,
    /// The indexer's API
    #[arg(long, global = true, env = "JOULE_INDEXER_URL", value_name = "URL", default_value = "http://127.0.0.1:7700")]
    pub indexer: String,
    /// Where specs, modules, inputs and outputs lie: a folder, or s3://bucket/prefix [default: the local network's]
    #[arg(long, global = true, env = "JOULE_ARTIFACTS", value_name = "PLACE")]
    pub artifacts: Option<String>,
    /// Key file of whoever signs [default: ~/.config/solana/id.json]
    #[arg(long, short, global = true, env = "JOULE_KEYPAIR", value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Sign as a persona of the local network, such as alice
    #[arg(long = "as", global = true, value_name = "PERSONA", conflicts_with = "key")]
    pub persona: Option<String>,
    /// Folder of the local network [default: .localnet]
    #[arg(long, global = true, env = "JOULE_STATE_DIR", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Print JSON for programs
    #[arg(long, global = true)]
    pub json: bool,
}

/// What `joule-localnet` writes about itself.
#[derive(Debug, Deserialize)]
pub struct Network {
    pub rpc_url: String,
    pub grpc_url: String,
    pub mint: String,
    pub mint_decimals: u8,
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
        is_named || rpc.is_none_or(|rpc| rpc.trim_end_matches('/') == self.rpc_url.trim_end_matches('/'))
    }
}

impl Options {
    /// The local network, if that is the one that is talked to.
    pub fn network(&self) -> Result<Option<Network>, Failure> {
        let network = Network::read(self.state_dir())?;
        Ok(network.filter(|network| network.is_meant(self.rpc.as_deref(), self.state_dir.is_some())))
    }

    pub fn state_dir(&self) -> &Path {
        self.state_dir.as_deref().unwrap_or(Path::new(".localnet"))
    }

    pub fn chain(&self) -> Result<Chain, Failure> {
        let url = match &self.rpc {
            Some(url) => url.clone(),
            None => self.network()?.map_or_else(|| "http://127.0.0.1:8899".into(), |n| n.rpc_url),
        };
        Ok(Chain::new(url))
    }

    pub fn index(&self) -> joule_api::Client {
        joule_api::Client::new(self.indexer.clone())
    }

    pub fn store(&self) -> Result<ArtifactStore, Failure> {
        let place = self.artifacts.clone().unwrap_or_else(|| self.state_dir().join("artifacts").display().to_string());
        ArtifactStore::open(&place).map_err(|e| Failure::Input(e.to_string()))
    }

    pub fn signer(&self) -> Result<Keypair, Failure> {
        Ok(keys::read(&self.key_file()?)?)
    }

    /// Where the signer's key lies.
    pub fn key_file(&self) -> Result<PathBuf, Failure> {
        Ok(match (&self.key, &self.persona) {
            (Some(path), _) => path.clone(),
            (None, Some(persona)) => self.state_dir().join("keys").join(format!("{persona}.json")),
            (None, None) => {
                let home =
                    std::env::var_os("HOME").ok_or_else(|| Failure::Input("no key: give --key or --as".into()))?;
                Path::new(&home).join(".config/solana/id.json")
            }
        })
    }

    /// The mint named, or the local network's.
    pub fn mint(&self, named: Option<&str>) -> Result<Pubkey, Failure> {
        match (named, self.network()?) {
            (Some(mint), _) => address(mint),
            (None, Some(network)) => address(&network.mint),
            (None, None) => Err(Failure::Input("which token? give --mint".into())),
        }
    }
}

/// Reads a base58 address.
pub fn address(text: &str) -> Result<Pubkey, Failure> {
    text.parse().map_err(|_| Failure::Input(format!("{text:?} is not an address: it should be 32 bytes in base58")))
}

/// A mint's token program and decimals.
pub async fn mint_info(chain: &Chain, mint: &Pubkey) -> Result<(Pubkey, u8), Failure> {
    let program = chain.token_program_of(mint).await?;
    let account = chain.rpc().get_account(mint).await.map_err(joule_sdk::SdkError::from)?;
    // Byte 44 of a mint, in both token programs.
    let decimals = account.data.get(44).ok_or_else(|| Failure::Input(format!("{mint} is not a mint")))?;
    Ok((program, *decimals))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_that_runs_here_is_not_the_one_behind_another_address() {
        let text = r#"{"rpc_url": "http://127.0.0.1:8899", "grpc_url": "", "mint": "", "mint_decimals": 6}"#;
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
}
