//! Key files in Solana's format: a JSON list of 64 bytes.

use crate::{Keypair, SdkError};
use std::{io::Write, path::Path};

pub fn read(path: &Path) -> Result<Keypair, SdkError> {
    let fail = |reason: String| SdkError::KeyFile { path: path.display().to_string(), reason };
    let text = std::fs::read_to_string(path).map_err(|e| fail(e.to_string()))?;
    let bytes: Vec<u8> = serde_json::from_str(&text).map_err(|e| fail(e.to_string()))?;
    Keypair::try_from(bytes.as_slice()).map_err(|e| fail(e.to_string()))
}

/// Writes a key that only this user can read, and never over an existing file.
pub fn write(path: &Path, key: &Keypair) -> Result<(), SdkError> {
    use std::os::unix::fs::OpenOptionsExt;
    let fail = |reason: String| SdkError::KeyFile { path: path.display().to_string(), reason };
    let text = serde_json::to_string(&key.to_bytes().to_vec()).map_err(|e| fail(e.to_string()))?;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|e| fail(e.to_string()))?;
    file.write_all(text.as_bytes()).map_err(|e| fail(e.to_string()))
}
