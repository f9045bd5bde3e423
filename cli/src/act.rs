//! Sending what a command is about, and saying what was done.

use crate::{context::Options, failure::Failure, output, token::Token};
use joule_sdk::{refusal, Chain, Instruction, Keypair, Pubkey, SdkError, Signature, Signer};
use joule_settings::Span;
use serde_json::{json, Value};

/// Somebody who signs, and the cluster.
pub struct Actor {
    pub chain: Chain,
    pub signer: Keypair,
}

impl Actor {
    pub fn of(options: &Options) -> Result<Self, Failure> {
        Ok(Self { signer: options.signer()?, chain: options.chain()? })
    }

    pub fn key(&self) -> Pubkey {
        self.signer.pubkey()
    }

    /// Sends, and then says so: a line for people that ends in the address, an object for programs, whose field `what` names what
    /// it is about.
    pub async fn send(
        &self,
        options: &Options,
        instructions: &[Instruction],
        (what, about): (&str, &Pubkey),
        done: &str,
    ) -> Result<(), Failure> {
        self.tell(options, instructions, (what, about), &format!("{done} {about}"), json!({})).await
    }

    /// The same with a sentence of its own for people, and more fields for programs.
    pub async fn tell(
        &self,
        options: &Options,
        instructions: &[Instruction],
        (what, about): (&str, &Pubkey),
        done: &str,
        more: Value,
    ) -> Result<(), Failure> {
        let bar = output::spinner("sending");
        let signature = self.only_send(options, instructions).await?;
        bar.finish_and_clear();
        if options.json {
            let mut said = json!({ what: about.to_string(), "signature": signature.to_string() });
            if let (Value::Object(said), Value::Object(more)) = (&mut said, more) {
                said.extend(more);
            }
            return output::json(&said);
        }
        println!("{done}");
        Ok(())
    }

    pub async fn only_send(&self, options: &Options, instructions: &[Instruction]) -> Result<Signature, Failure> {
        match self.chain.send(instructions, &[&self.signer]).await {
            Ok(signature) => Ok(signature),
            Err(error @ SdkError::Refused { .. }) => Err(self.explained(options, error).await),
            Err(error) => Err(error.into()),
        }
    }

    /// Where the signer has nothing to pay a fee with, that is the reason.
    async fn explained(&self, options: &Options, error: SdkError) -> Failure {
        match self.chain.rpc().get_balance(&self.key()).await {
            Ok(0) => {
                let who = options.who(&self.key());
                Failure::Refused(format!("{who} has {}, and every transaction costs a fee", refusal::sol(0)))
            }
            _ => error.into(),
        }
    }

    /// Refuses where the signer has fewer tokens than `what` comes to.
    pub async fn can_pay(&self, options: &Options, token: &Token, amount: u64, what: &str) -> Result<(), Failure> {
        let has = self.chain.token_balance(&token.account_of(&self.key())).await?;
        if has >= amount {
            return Ok(());
        }
        let (who, has, amount) = (options.who(&self.key()), token.show(has), token.show(amount));
        Err(Failure::Refused(format!("{who} has {has}, {what} is {amount}")))
    }
}

/// A duration on the command line as seconds, between 1 and `most`.
pub fn seconds(flag: &str, window: Span, most: u32) -> Result<u32, Failure> {
    match u32::try_from(window.0.as_secs()) {
        Ok(seconds) if (1..=most).contains(&seconds) => Ok(seconds),
        _ => {
            let most = output::duration(most.into());
            Err(Failure::Input(format!("{flag} {window} is not between 1 second and {most}")))
        }
    }
}

/// A hash, or the hash of a file.
pub fn hash_or_file(text: &str) -> Result<joule_artifacts::Hash, Failure> {
    match text.parse() {
        Ok(hash) => Ok(hash),
        Err(_) => Ok(joule_artifacts::Hash::of(&hashless(text)?)),
    }
}

/// The file that is meant where there is no hash.
pub fn hashless(text: &str) -> Result<Vec<u8>, Failure> {
    read(text.as_ref())
        .map_err(|error| Failure::Input(format!("{text:?} is not a hash (64 digits in hex), and {error}")))
}

pub fn read(path: &std::path::Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path)
        .map_err(|e| Failure::Input(format!("cannot read {}: {}", path.display(), refusal::last_cause(&e))))
}
