//! `joule attest`, `joule attestor`: what others say about a provider, and who may say it.

use crate::{
    act::{read, Actor},
    context::{address, Options},
    failure::Failure,
    output,
    view::View,
};
use clap::Subcommand;
use joule_artifacts::Hash;
use joule_sdk::{
    instruction::registry::{self, Statement},
    pda,
    registry::state::Attestations,
    Pubkey,
};
use joule_settings::Span;
use std::path::PathBuf;

#[derive(Subcommand)]
pub enum Command {
    /// Say something about a subject; the signer is an attestor
    Issue {
        /// Whom it is about; for a provider, its authority
        #[arg(value_parser = address)]
        subject: Pubkey,
        /// What is attested: a code that the attestor has published
        #[arg(long)]
        schema: u32,
        /// How long it holds
        #[arg(long, default_value = "90d", value_name = "DURATION")]
        valid: Span,
        /// A document that says it in full, of which the hash is attested
        #[arg(long, value_name = "FILE")]
        document: Option<PathBuf>,
    },
    /// Take back what the signer has said
    Revoke {
        /// Whom it is about
        #[arg(value_parser = address)]
        subject: Pubkey,
        /// What is attested
        #[arg(long)]
        schema: u32,
    },
    /// Show what is said about a subject
    Show {
        /// Whom it is about; for a provider, its authority
        #[arg(value_parser = address)]
        subject: Pubkey,
    },
}

#[derive(Subcommand)]
pub enum Attestor {
    /// Let somebody attest; the signer governs the protocol
    Admit {
        /// The key that signs for the attestor
        #[arg(value_parser = address)]
        authority: Pubkey,
        /// A document about the attestor, of which the hash is recorded
        #[arg(long, value_name = "FILE")]
        metadata: Option<PathBuf>,
    },
    /// Take the right to attest away; what was said stays until it expires or is revoked. The signer governs the protocol
    Disable {
        /// The key that signs for the attestor
        #[arg(value_parser = address)]
        authority: Pubkey,
    },
    /// Give it back
    Enable {
        /// The key that signs for the attestor
        #[arg(value_parser = address)]
        authority: Pubkey,
    },
}

/// All zero where there is no document.
fn document(path: Option<&PathBuf>) -> Result<[u8; 32], Failure> {
    Ok(path.map(|path| read(path)).transpose()?.map_or([0; 32], |bytes| *Hash::of(&bytes).as_bytes()))
}

pub async fn attestor(options: &Options, command: Attestor) -> Result<(), Failure> {
    let (authority, done) = match &command {
        Attestor::Admit { authority, .. } => (*authority, "admitted attestor"),
        Attestor::Disable { authority } => (*authority, "disabled attestor"),
        Attestor::Enable { authority } => (*authority, "enabled attestor"),
    };
    let actor = Actor::of(options)?;
    let instruction = match &command {
        Attestor::Admit { metadata, .. } => {
            registry::admit_attestor(actor.key(), actor.key(), authority, document(metadata.as_ref())?)
        }
        Attestor::Disable { .. } => registry::set_attestor(actor.key(), authority, false),
        Attestor::Enable { .. } => registry::set_attestor(actor.key(), authority, true),
    };
    actor.send(options, &[instruction], ("attestor", &pda::attestor(&authority)), done).await
}

pub async fn run(options: &Options, command: Command) -> Result<(), Failure> {
    match command {
        Command::Issue { subject, schema, valid, document: path } => {
            let value_hash = document(path.as_ref())?;
            let actor = Actor::of(options)?;
            let valid = i64::try_from(valid.0.as_secs()).unwrap_or(i64::MAX);
            let statement =
                Statement { subject, schema, value_hash, expires_at: actor.chain.now().await?.saturating_add(valid) };
            let attest = registry::attest(actor.key(), actor.key(), statement);
            actor.send(options, &[attest], ("subject", &subject), "attested about").await
        }
        Command::Revoke { subject, schema } => {
            let actor = Actor::of(options)?;
            let revoke = registry::revoke(actor.key(), actor.key(), subject, schema);
            actor.send(options, &[revoke], ("subject", &subject), "revoked what was said about").await
        }
        Command::Show { subject } => show(options, &subject).await,
    }
}

async fn show(options: &Options, subject: &Pubkey) -> Result<(), Failure> {
    let chain = options.chain()?;
    let found: Option<Attestations> = chain.find(&pda::attestations(subject)).await?;
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
    let view = View::of(options, []).await;
    let mut table = output::table(["attestor", "schema", "holds until", "document"]);
    for a in live {
        table.add_row([
            a.attestor.to_string(),
            a.schema.get().to_string(),
            view.moment(a.expires_at.get()),
            Hash::from(a.value_hash).to_string(),
        ]);
    }
    println!("{table}");
    Ok(())
}
