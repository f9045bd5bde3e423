//! Sending what a command is about, and saying what was done.

use crate::{amount, context::mint_info, context::Options, failure::Failure, output};
use joule_sdk::{pda, Chain, Instruction, Keypair, Pubkey, Signer};

/// Somebody who signs, and the cluster.
pub struct Actor {
    pub chain: Chain,
    pub signer: Keypair,
}

impl Actor {
    pub fn of(options: &Options) -> Result<Self, Failure> {
        Ok(Self { chain: options.chain()?, signer: options.signer()? })
    }

    pub fn key(&self) -> Pubkey {
        self.signer.pubkey()
    }

    /// Sends, and then says so: a line for people, an object for programs, whose field `what` names what it is about.
    pub async fn send(
        &self,
        options: &Options,
        instructions: &[Instruction],
        (what, about): (&str, &Pubkey),
        done: &str,
    ) -> Result<(), Failure> {
        let bar = output::spinner("sending");
        let signature = self.chain.send(instructions, &[&self.signer]).await?;
        bar.finish_and_clear();
        if options.json {
            return output::json(&serde_json::json!({ what: about.to_string(), "signature": signature.to_string() }));
        }
        println!("{done} {about}");
        Ok(())
    }
}

/// A token, as amounts in it are read and written.
pub struct Token {
    pub mint: Pubkey,
    pub program: Pubkey,
    pub decimals: u8,
}

impl Token {
    /// The one named, or the local network's.
    pub async fn of(options: &Options, chain: &Chain, named: Option<&str>) -> Result<Self, Failure> {
        let mint = options.mint(named)?;
        let (program, decimals) = mint_info(chain, &mint).await?;
        Ok(Self { mint, program, decimals })
    }

    /// In base units.
    pub fn amount(&self, text: &str) -> Result<u64, Failure> {
        amount::parse(text, self.decimals)
    }

    /// In tokens.
    pub fn format(&self, base_units: u64) -> String {
        amount::format(base_units, self.decimals)
    }

    /// The usual token account of `owner`.
    pub fn account_of(&self, owner: &Pubkey) -> Pubkey {
        pda::associated_token(owner, &self.mint, &self.program)
    }
}

/// A duration on the command line as seconds, between 1 and `most`.
pub fn seconds(flag: &str, window: humantime::Duration, most: u32) -> Result<u32, Failure> {
    match u32::try_from(window.as_secs()) {
        Ok(seconds) if (1..=most).contains(&seconds) => Ok(seconds),
        _ => {
            let most = humantime::format_duration(std::time::Duration::from_secs(most.into()));
            Err(Failure::Input(format!("{flag} {window} is not between 1 second and {most}")))
        }
    }
}

/// A hash, or the hash of a file.
pub fn hash_or_file(text: &str) -> Result<joule_artifacts::Hash, Failure> {
    match text.parse() {
        Ok(hash) => Ok(hash),
        Err(_) => Ok(joule_artifacts::Hash::of(&read(text.as_ref())?)),
    }
}

pub fn read(path: &std::path::Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|e| Failure::Input(format!("cannot read {}: {e}", path.display())))
}
