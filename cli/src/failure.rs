//! What went wrong, as an exit code, a line for people, or an object for programs.

use joule_api::ApiError;
use joule_artifacts::ArtifactError;
use joule_client::{Failed, WalletError};
use joule_sdk::{refusal, SdkError};
use std::process::ExitCode;

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{0}")]
    Input(String),
    #[error("{0}")]
    NotFound(String),
    #[error("{0}")]
    Outcome(String),
    /// A program would refuse it, for a reason that can be said better beforehand.
    #[error("{0}")]
    Refused(String),
    /// The same, by a rule of the programs that has a name.
    #[error("{message}")]
    Rule { name: &'static str, message: String },
    #[error("{0}")]
    Sdk(#[from] SdkError),
    #[error("{}", of_indexer(.0))]
    Api(#[from] ApiError),
    #[error("{0}")]
    Artifact(#[from] ArtifactError),
    #[error("{0}")]
    Bought(#[from] Failed),
    #[error("{}", joule_settings::Causes(.0.as_ref()))]
    Other(#[from] anyhow::Error),
}

impl Failure {
    fn kind(&self) -> (&'static str, u8) {
        match self {
            Self::Input(_) | Self::Sdk(SdkError::KeyFile { .. } | SdkError::Signing(_)) => ("input", 2),
            Self::NotFound(_) | Self::Sdk(SdkError::NoAccount(_)) => ("not_found", 3),
            Self::Artifact(ArtifactError::NotFound { .. }) => ("not_found", 3),
            Self::Api(error) if error.is_not_found() => ("not_found", 3),
            // Its own word for what it was asked wrongly.
            Self::Api(ApiError::Refused { status: 400, .. }) => ("input", 2),
            Self::Refused(_)
            | Self::Rule { .. }
            | Self::Sdk(SdkError::Program(_) | SdkError::Refused { .. } | SdkError::NotThisAccount) => ("refused", 4),
            Self::Sdk(_) | Self::Api(_) | Self::Artifact(ArtifactError::Store { .. } | ArtifactError::Place { .. }) => {
                ("unreachable", 5)
            }
            Self::Bought(Failed::Unreachable { .. } | Failed::Unavailable(_)) => ("unreachable", 5),
            Self::Bought(Failed::Refused(_) | Failed::Terms(_) | Failed::Model { .. }) => ("refused", 4),
            // The budget, a provider that was caught, answers that are lost.
            Self::Bought(_) => ("outcome", 6),
            Self::Outcome(_) => ("outcome", 6),
            Self::Artifact(_) | Self::Other(_) => ("failed", 1),
        }
    }

    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.kind().1)
    }

    /// Writes to standard error; as an object when the user asked for JSON.
    pub fn report(&self, json: bool) {
        if !json {
            eprintln!("error: {self}");
            return;
        }
        let (kind, code) = self.kind();
        let name = match self {
            Self::Sdk(error) => error.name(),
            Self::Rule { name, .. } => Some(*name),
            _ => None,
        };
        let message = self.to_string();
        eprintln!(
            "{}",
            serde_json::json!({ "error": { "kind": kind, "exit_code": code, "name": name, "message": message } })
        );
    }
}

fn of_indexer(error: &ApiError) -> String {
    match error {
        ApiError::Unreachable { url, source } => {
            format!("the indexer at {url} does not answer: {}", refusal::last_cause(source))
        }
        ApiError::Refused { message, .. } => format!("the indexer says: {message}"),
        error => error.to_string(),
    }
}

impl From<WalletError> for Failure {
    fn from(error: WalletError) -> Self {
        Self::Bought(error.into())
    }
}

impl From<joule_settings::FileError> for Failure {
    fn from(error: joule_settings::FileError) -> Self {
        Self::Input(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn a_cause_is_said_once_and_without_its_number() {
        let error = std::fs::read("/nowhere").context("reading /nowhere").unwrap_err();
        assert_eq!(Failure::from(error).to_string(), "reading /nowhere: No such file or directory");
        let twice = anyhow::anyhow!("it broke").context("at once: it broke");
        assert_eq!(Failure::from(twice).to_string(), "at once: it broke");
    }
}
