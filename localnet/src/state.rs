//! The files under the state folder: `keys/`, and `localnet.json` while the network runs.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::LocalnetError;

/// What the CLI, the node and the indexer read to find the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkFile {
    /// URL of the JSON-RPC server.
    pub rpc: String,
    /// Of its subscriptions, over WebSocket.
    pub ws: String,
    /// Of the Yellowstone gRPC endpoint.
    pub grpc: String,
    /// The token's address, base58.
    pub mint: String,
    /// What people call it.
    pub symbol: String,
    /// Base units per token are 10 to this power.
    pub decimals: u8,
    /// The folder of keys and of this file, absolute.
    pub state_dir: PathBuf,
    /// URL of the service that has job specs, modules, inputs and outputs: those of the folder `artifacts` in `state_dir`.
    pub artifacts: String,
    /// Program name to address.
    pub programs: BTreeMap<String, String>,
    /// Persona to address.
    pub personas: BTreeMap<String, String>,
}

/// The state folder.
#[derive(Debug, Clone)]
pub struct StateDir {
    root: PathBuf,
}

impl StateDir {
    /// Opens the folder, making it if needed. With `reset`, keys and artifacts of earlier runs go;
    /// nothing else in it is touched. A `localnet.json` left by a killed run always goes.
    pub fn open(root: &Path, reset: bool) -> Result<Self, LocalnetError> {
        fs::create_dir_all(root).map_err(LocalnetError::state(root))?;
        // Absolute, so that it stays right whatever the working folder becomes.
        let root = root.canonicalize().map_err(LocalnetError::state(root))?;
        let state = Self { root };
        if reset {
            for name in ["keys", "artifacts"] {
                let path = state.root.join(name);
                absent_is_fine(fs::remove_dir_all(&path)).map_err(LocalnetError::state(path))?;
            }
        }
        state.clear()?;
        Ok(state)
    }

    /// Itself, absolute.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the keys are.
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// Where artifacts are.
    pub fn artifacts(&self) -> PathBuf {
        self.root.join("artifacts")
    }

    /// Where the description of the running network is.
    pub fn network_file(&self) -> PathBuf {
        self.root.join("localnet.json")
    }

    /// Writes `localnet.json`: readers see all of it or none.
    pub fn publish(&self, network: &NetworkFile) -> Result<(), LocalnetError> {
        let path = self.network_file();
        let partial = self.root.join(".localnet.json.partial");
        let write = || {
            let mut text = serde_json::to_vec_pretty(network).map_err(io::Error::other)?;
            text.push(b'\n');
            fs::write(&partial, text)?;
            fs::rename(&partial, &path)
        };
        write().map_err(LocalnetError::state(&path))
    }

    /// Removes `localnet.json`: nothing runs (any more).
    pub fn clear(&self) -> Result<(), LocalnetError> {
        let path = self.network_file();
        absent_is_fine(fs::remove_file(&path)).map_err(LocalnetError::state(path))
    }
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reset_removes_keys_and_artifacts_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["keys", "artifacts", "mine"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        StateDir::open(dir.path(), true).unwrap();
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["mine"]);
    }

    #[test]
    fn the_network_file_is_written_whole_and_removed() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(dir.path(), false).unwrap();
        let network = NetworkFile {
            rpc: "http://127.0.0.1:1".into(),
            ws: "ws://127.0.0.1:2".into(),
            grpc: "http://127.0.0.1:3".into(),
            mint: "m".into(),
            symbol: "JOULE".into(),
            decimals: 6,
            state_dir: state.root().into(),
            artifacts: "http://127.0.0.1:4".into(),
            programs: BTreeMap::new(),
            personas: BTreeMap::new(),
        };
        state.publish(&network).unwrap();
        let read: NetworkFile = serde_json::from_slice(&fs::read(state.network_file()).unwrap()).unwrap();
        assert_eq!(read, network);
        state.clear().unwrap();
        state.clear().unwrap();
        assert!(!state.network_file().exists());
    }
}
