//! What a job asks for: a module and the limits it runs under.

use crate::Hash;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// The job spec, version 1. Its JSON lies in the artifact store under its sha256, which is the job's `spec_hash`.
///
/// Limits are part of what was agreed: a provider stops the module at them, and so does whoever checks its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobSpec {
    version: u64,
    /// sha256 of the WebAssembly module.
    pub module: Hash,
    /// Units of wasmtime fuel, about one for each instruction.
    pub fuel: u64,
    /// Largest size of the module's memory.
    pub memory_bytes: u64,
    /// Longest time the module may run. Unlike the others this limit depends on the machine: it protects the provider.
    pub timeout_ms: u64,
}

/// Why a spec is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    #[error("the job spec has {0} bytes; at most {max} are read", max = JobSpec::MAX_BYTES)]
    TooLong(usize),
    #[error("the job spec is not the JSON it should be: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the job spec has version {0}; this software reads version {known}", known = JobSpec::VERSION)]
    Version(u64),
    #[error("the job spec's {field} is {value}; it must be from {min} to {max}")]
    Limit { field: &'static str, value: u64, min: u64, max: u64 },
}

impl JobSpec {
    pub const VERSION: u64 = 1;
    /// Longest spec that is read, in bytes.
    pub const MAX_BYTES: usize = 4096;
    pub const MAX_FUEL: u64 = 100_000_000_000_000;
    /// One WebAssembly page.
    pub const MIN_MEMORY_BYTES: u64 = 65_536;
    /// All that a 32-bit module can address.
    pub const MAX_MEMORY_BYTES: u64 = 4 << 30;
    /// One day.
    pub const MAX_TIMEOUT_MS: u64 = 86_400_000;

    pub fn new(module: Hash, fuel: u64, memory_bytes: u64, timeout_ms: u64) -> Result<Self, SpecError> {
        let spec = Self { version: Self::VERSION, module, fuel, memory_bytes, timeout_ms };
        spec.check()?;
        Ok(spec)
    }

    /// Reads a spec. Unknown and repeated fields are refused: what one reader ignores another might act on.
    pub fn parse(bytes: &[u8]) -> Result<Self, SpecError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u64,
        }
        if bytes.len() > Self::MAX_BYTES {
            return Err(SpecError::TooLong(bytes.len()));
        }
        // The version first, so that a newer spec is called newer and not malformed.
        let Versioned { version } = serde_json::from_slice(bytes)?;
        if version != Self::VERSION {
            return Err(SpecError::Version(version));
        }
        let spec: Self = serde_json::from_slice(bytes)?;
        spec.check()?;
        Ok(spec)
    }

    /// The one way this software writes a spec: compact, fields in the order above.
    pub fn to_bytes(&self) -> Bytes {
        Bytes::from(format!(
            r#"{{"version":{},"module":"{}","fuel":{},"memory_bytes":{},"timeout_ms":{}}}"#,
            self.version, self.module, self.fuel, self.memory_bytes, self.timeout_ms
        ))
    }

    /// The sha256 of `to_bytes`.
    pub fn hash(&self) -> Hash {
        Hash::of(&self.to_bytes())
    }

    fn check(&self) -> Result<(), SpecError> {
        for (field, value, min, max) in [
            ("fuel", self.fuel, 1, Self::MAX_FUEL),
            ("memory_bytes", self.memory_bytes, Self::MIN_MEMORY_BYTES, Self::MAX_MEMORY_BYTES),
            ("timeout_ms", self.timeout_ms, 1, Self::MAX_TIMEOUT_MS),
        ] {
            if !(min..=max).contains(&value) {
                return Err(SpecError::Limit { field, value, min, max });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spec() -> JobSpec {
        JobSpec::new(Hash::of(b"module"), 5_000_000, 1 << 20, 2_000).unwrap()
    }

    fn with(from: &str, to: &str) -> Result<JobSpec, SpecError> {
        let text = String::from_utf8(spec().to_bytes().to_vec()).unwrap();
        assert!(text.contains(from), "{text}");
        JobSpec::parse(text.replace(from, to).as_bytes())
    }

    #[test]
    fn canonical_bytes_are_what_serde_writes_and_parse_back() {
        assert_eq!(&spec().to_bytes()[..], serde_json::to_vec(&spec()).unwrap());
        assert_eq!(JobSpec::parse(&spec().to_bytes()).unwrap(), spec());
    }

    #[test]
    fn a_newer_version_is_called_so_whatever_else_it_holds() {
        assert!(matches!(JobSpec::parse(br#"{"version":2,"image":"x"}"#), Err(SpecError::Version(2))));
    }

    #[test]
    fn limits_are_named_with_their_range() {
        let error = with("\"fuel\":5000000", "\"fuel\":0").unwrap_err();
        assert_eq!(error.to_string(), "the job spec's fuel is 0; it must be from 1 to 100000000000000");
        assert!(matches!(with("1048576", "65535"), Err(SpecError::Limit { field: "memory_bytes", .. })));
        assert!(matches!(with("2000", "86400001"), Err(SpecError::Limit { field: "timeout_ms", .. })));
    }

    #[test]
    fn unknown_missing_repeated_and_mistyped_fields_are_refused() {
        assert!(matches!(with("{", "{\"gpu\":1,"), Err(SpecError::Json(_))));
        assert!(matches!(with(",\"timeout_ms\":2000", ""), Err(SpecError::Json(_))));
        assert!(matches!(with("\"fuel\":5000000", "\"fuel\":1,\"fuel\":2"), Err(SpecError::Json(_))));
        assert!(matches!(with("\"fuel\":5000000", "\"fuel\":\"5\""), Err(SpecError::Json(_))));
        assert!(matches!(with("\"fuel\":5000000", "\"fuel\":-5"), Err(SpecError::Json(_))));
        assert!(matches!(with("}", "} x"), Err(SpecError::Json(_))));
        assert!(matches!(JobSpec::parse(&[b' '; 5000]), Err(SpecError::TooLong(5000))));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = JobSpec::parse(&bytes);
        }

        #[test]
        fn valid_specs_survive_a_round_trip(
            module: [u8; 32],
            fuel in 1..=JobSpec::MAX_FUEL,
            memory in JobSpec::MIN_MEMORY_BYTES..=JobSpec::MAX_MEMORY_BYTES,
            timeout in 1..=JobSpec::MAX_TIMEOUT_MS,
        ) {
            let spec = JobSpec::new(module.into(), fuel, memory, timeout).unwrap();
            prop_assert_eq!(JobSpec::parse(&spec.to_bytes()).unwrap(), spec);
        }
    }
}
