//! Who takes part in a local network, and their keys on disk.

use std::{collections::BTreeMap, fmt, path::Path};

use joule_sdk::{keys, Keypair, Pubkey, Signer};

use crate::LocalnetError;

/// The key file of the token's mint, beside the personas'.
const MINT_KEY: &str = "mint";

/// A role with a key of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Persona {
    /// Governs the protocol, may upgrade the programs, mints the token.
    Authority,
    /// May pause.
    Guardian,
    /// Clients: they post jobs.
    Alice,
    Bob,
    /// Providers: they do them.
    North,
    South,
    /// A provider too, and one that cheats.
    East,
    /// Looks at other people's results, and challenges what is wrong.
    Carol,
    /// Providers that judge.
    Uma,
    Vera,
    Wim,
}

impl Persona {
    /// Everybody.
    pub const ALL: [Persona; 11] = [
        Persona::Authority,
        Persona::Guardian,
        Persona::Alice,
        Persona::Bob,
        Persona::North,
        Persona::South,
        Persona::East,
        Persona::Carol,
        Persona::Uma,
        Persona::Vera,
        Persona::Wim,
    ];

    /// The name used for the key file and in `localnet.json`.
    pub fn name(self) -> &'static str {
        match self {
            Persona::Authority => "authority",
            Persona::Guardian => "guardian",
            Persona::Alice => "alice",
            Persona::Bob => "bob",
            Persona::North => "north",
            Persona::South => "south",
            Persona::East => "east",
            Persona::Carol => "carol",
            Persona::Uma => "uma",
            Persona::Vera => "vera",
            Persona::Wim => "wim",
        }
    }

    /// Clients pay with tokens, providers bond them, and challengers stake them; those who govern need none.
    pub fn has_tokens(self) -> bool {
        !matches!(self, Persona::Authority | Persona::Guardian)
    }
}

impl fmt::Display for Persona {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The keys of a local network.
pub struct Personas {
    keys: BTreeMap<Persona, Keypair>,
    mint: Keypair,
}

impl Personas {
    /// Reads the keys in `dir`; makes and writes those that are missing.
    pub fn load_or_create(dir: &Path) -> Result<Self, LocalnetError> {
        let key = |name: &str| -> Result<Keypair, LocalnetError> {
            let path = dir.join(format!("{name}.json"));
            if path.exists() {
                return Ok(keys::read(&path)?);
            }
            let key = Keypair::new();
            keys::write(&path, &key)?;
            Ok(key)
        };
        let keys = Persona::ALL
            .into_iter()
            .map(|persona| Ok((persona, key(persona.name())?)))
            .collect::<Result<_, LocalnetError>>()?;
        Ok(Self { keys, mint: key(MINT_KEY)? })
    }

    /// A persona's key.
    pub fn key(&self, persona: Persona) -> &Keypair {
        // `load_or_create` fills in every persona.
        &self.keys[&persona]
    }

    /// A persona's address.
    pub fn address(&self, persona: Persona) -> Pubkey {
        self.key(persona).pubkey()
    }

    /// The key that created the mint's address.
    pub(crate) fn mint_key(&self) -> &Keypair {
        &self.mint
    }

    /// The token's address.
    pub fn mint(&self) -> Pubkey {
        self.mint.pubkey()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let first = Personas::load_or_create(dir.path()).unwrap();
        let again = Personas::load_or_create(dir.path()).unwrap();
        for persona in Persona::ALL {
            assert_eq!(first.address(persona), again.address(persona));
            assert!(dir.path().join(format!("{persona}.json")).exists());
        }
        assert_eq!(first.mint(), again.mint());
    }

    #[test]
    fn a_damaged_key_file_is_an_error_that_names_it() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("alice.json"), "[1, 2").unwrap();
        let error = Personas::load_or_create(dir.path()).err().expect("refused").to_string();
        assert!(error.contains("alice.json"), "{error}");
    }
}
