//! Key files in Solana's format: a JSON list of 64 bytes.

use crate::{refusal::last_cause, Keypair, SdkError};
use std::path::Path;

pub fn read(path: &Path) -> Result<Keypair, SdkError> {
    let fail = |reason: String| SdkError::KeyFile { path: path.display().to_string(), reason };
    let text = std::fs::read_to_string(path).map_err(|e| fail(last_cause(&e)))?;
    let none = || fail("it is not a key of Solana's, which is a JSON list of 64 bytes".into());
    let bytes: Vec<u8> = serde_json::from_str(&text).map_err(|_| none())?;
    Keypair::try_from(bytes.as_slice()).map_err(|_| none())
}

/// Writes a key that only this user can read, and never over an existing file. On return it is on the disk, in a folder that was
/// made if it was missing: it may be named on the chain.
pub fn write(path: &Path, key: &Keypair) -> Result<(), SdkError> {
    let fail = |reason: String| SdkError::KeyFile { path: path.display().to_string(), reason };
    let text = serde_json::to_string(&key.to_bytes().to_vec()).map_err(|e| fail(e.to_string()))?;
    joule_private::create(path, text.as_bytes()).map_err(|e| fail(last_cause(&e)))
}

/// As [`read`], of a key that an earlier process has made and may not have brought to the disk.
pub fn adopt(path: &Path) -> Result<Keypair, SdkError> {
    let fail = |e: std::io::Error| SdkError::KeyFile { path: path.display().to_string(), reason: last_cause(&e) };
    joule_private::sync(path).map_err(fail)?;
    read(path)
}
