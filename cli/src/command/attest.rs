//! `joule attest`, `joule attestor`: what others say about a provider, and who may say it.

use crate::{
    act::{read, Actor},
    context::{address, Options},
    failure::Failure,
    output,
};
use clap::Subcommand;
use joule_artifacts::Hash;
use joule_sdk::{
    instruction::registry::{self, Statement},
    pda,
    registry::state::Attestations,
};
use std::path::PathBuf;

#[derive(Subcommand)]
pub enum Command {
    /// Say something about a subject; the signer is an attestor
    Issue {
        /// Whom it is about; for a provider, its authority
        subject: String,
        /// What is attested: a code that the attestor has published
        #[arg(long)]
        schema: u32,
        /// How long it holds
        #[arg(long, default_value = "90d", value_name = "DURATION")]
        valid: humantime::Duration,
        /// A document that says it in full, of which the hash is attested
        #[arg(long, value_name = "FILE")]
        document: Option<PathBuf>,
    },
    /// Take back what the signer has said
    Revoke {
        subject: String,
        #[arg(long)]
        schema: u32,
    },
    /// Show what is said about a subject
    Show { subject: String },
}

#[derive(Subcommand)]
pub enum Attestor {
    /// Let somebody attest; the signer governs the protocol
    Admit {
        /// The key that signs for the attestor
        authority: String,
        /// A document about the attestor, of which the hash is recorded
        #[arg(long, value_name = "FILE")]
        metadata: Option<PathBuf>,
    },
}

/// All zero where there is no document.
fn document(path: Option<&PathBuf>) -> Result<[u8; 32], Failure> {
    Ok(path.map(|path| read(path)).transpose()?.map_or([0; 32], |bytes| *Hash::of(&bytes).as_bytes()))
}

pub async fn attestor(options: &Options, command: Attestor) -> Result<(), Failure> {
    let Attestor::Admit { authority, metadata } = command;
    let actor = Actor::of(options)?;
    let authority = address(&authority)?;
    let admit = registry::admit_attestor(actor.key(), actor.key(), authority, document(metadata.as_ref())?);
    actor.send(options, &[admit], ("attestor", &pda::attestor(&authority)), "admitted attestor").await
}

pub async fn run(options: &Options, command: Command) -> Result<(), Failure> {
    match command {
        Command::Issue { subject, schema, valid, document: path } => {
            let actor = Actor::of(options)?;
            let subject = address(&subject)?;
            let valid = i64::try_from(valid.as_secs()).unwrap_or(i64::MAX);
            let statement = Statement {
                subject,
                schema,
                value_hash: document(path.as_ref())?,
                expires_at: actor.chain.now().await?.saturating_add(valid),
            };
            let attest = registry::attest(actor.key(), actor.key(), statement);
            actor.send(options, &[attest], ("subject", &subject), "attested about").await
        }
        Command::Revoke { subject, schema } => {
            let (actor, subject) = (Actor::of(options)?, address(&subject)?);
            let revoke = registry::revoke(actor.key(), actor.key(), subject, schema);
            actor.send(options, &[revoke], ("subject", &subject), "revoked what was said about").await
        }
        Command::Show { subject } => show(options, &subject).await,
    }
}

async fn show(options: &Options, subject: &str) -> Result<(), Failure> {
    let (chain, subject) = (options.chain()?, address(subject)?);
    let found: Option<Attestations> = chain.find(&pda::attestations(&subject)).await?;
    let found = found.ok_or_else(|| Failure::NotFound(format!("nobody has attested anything about {subject}")))?;
    let now = chain.now().await?;
    let live: Vec<_> = found.places.iter().filter(|place| place.is_live(now)).collect();
    if options.json {
        let live: Vec<_> = live
            .iter()
            .map(|a| {
                serde_json::json!({
                    "attestor": a.attestor.to_string(),
                    "schema": a.schema.get(),
                    "expires_at": a.expires_at.get(),
                    "value_hash": Hash::from(a.value_hash).to_string(),
                })
            })
            .collect();
        return output::json(&serde_json::json!({ "subject": subject.to_string(), "attestations": live }));
    }
    let mut table = output::table(["attestor", "schema", "holds until", "document"]);
    for a in live {
        table.add_row([
            a.attestor.to_string(),
            a.schema.get().to_string(),
            output::time(a.expires_at.get()),
            Hash::from(a.value_hash).to_string(),
        ]);
    }
    println!("{table}");
    Ok(())
}
