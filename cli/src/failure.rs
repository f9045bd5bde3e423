//! What went wrong, as an exit code, a line for people, or an object for programs.

use joule_api::ApiError;
use joule_artifacts::ArtifactError;
use joule_client::{Failed, WalletError};
use joule_sdk::SdkError;
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
    #[error("{0}")]
    Sdk(#[from] SdkError),
    #[error("{0}")]
    Api(#[from] ApiError),
    #[error("{0}")]
    Artifact(#[from] ArtifactError),
    #[error("{0}")]
    Bought(#[from] Failed),
    #[error("{0:#}")]
    Other(#[from] anyhow::Error),
}

impl Failure {
    fn kind(&self) -> (&'static str, u8) {
        match self {
            Self::Input(_) | Self::Sdk(SdkError::KeyFile { .. } | SdkError::Signing(_)) => ("input", 2),
            Self::NotFound(_) | Self::Sdk(SdkError::NoAccount(_)) => ("not_found", 3),
            Self::Artifact(ArtifactError::NotFound { .. }) => ("not_found", 3),
            Self::Api(error) if error.is_not_found() => ("not_found", 3),
            Self::Refused(_)
            | Self::Sdk(SdkError::Program(_) | SdkError::Refused { .. } | SdkError::NotThisAccount) => ("refused", 4),
            Self::Sdk(_) | Self::Api(_) | Self::Artifact(ArtifactError::Store { .. }) => ("unreachable", 5),
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
        let (kind, code) = self.kind();
        if json {
            let name = match self {
                Self::Sdk(error) => error.name(),
                _ => None,
            };
            let body = serde_json::json!({ "error": { "kind": kind, "exit_code": code, "name": name, "message": self.to_string() } });
            eprintln!("{body}");
            return;
        }
        eprintln!("error: {self}");
        if let Self::Sdk(SdkError::Refused { logs, .. }) = self {
            for line in logs {
                eprintln!("  {line}");
            }
        }
    }
}

impl From<WalletError> for Failure {
    fn from(error: WalletError) -> Self {
        Self::Bought(error.into())
    }
}
