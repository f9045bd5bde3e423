//! Who holds what of a bond, what for, and until when.

use crate::{failure::Failure, output, view::View};
use joule_sdk::{
    account::decode,
    billing::{self, state::Channel},
    escrow::{
        self, seat,
        state::{epoch_at, Bid, Job, Vote},
    },
    pda,
    staking::state::{Bond, Claim},
    units::UnixTime,
    Chain, Pubkey,
};
use serde_json::{json, Value};

/// Past epochs in whose panels somebody may still have a seat.
pub const PAST_EPOCHS: u64 = 16;

/// A claim, as people understand it.
pub struct Held {
    pub address: Pubkey,
    /// `escrow` or `billing`.
    service: &'static str,
    /// Such as `job`.
    what: String,
    subject: Pubkey,
    /// Base units and Unix seconds, of each part.
    parts: Vec<(u64, i64)>,
    now: i64,
}

/// What each of a bond's claims is for.
pub async fn explain(chain: &Chain, bond: &Bond, claims: &[(Pubkey, Claim)]) -> Result<Vec<Held>, Failure> {
    let now = chain.now().await?;
    let subjects: Vec<Pubkey> = claims.iter().map(|(_, claim)| claim.subject).collect();
    let accounts = chain.accounts(&subjects).await?;
    let seats = seats(bond, now);
    let held = claims.iter().zip(accounts).map(|((address, claim), account)| {
        let seat = seats.iter().find(|(subject, _)| *subject == claim.subject);
        let what = match (seat, account) {
            (Some((_, epoch)), _) => format!("a seat in the panel of epoch {epoch}"),
            (None, Some((owner, data))) => kind(&owner, &data).to_owned(),
            (None, None) => "something that has ended".to_owned(),
        };
        let parts = claim.tranches.iter().take(usize::from(claim.count));
        Held {
            address: *address,
            service: service(&claim.signer),
            what,
            subject: claim.subject,
            parts: parts.map(|part| (part.amount.get(), part.until.get())).collect(),
            now,
        }
    });
    let mut held: Vec<_> = held.collect();
    held.sort_by_key(Held::until);
    Ok(held)
}

fn service(signer: &Pubkey) -> &'static str {
    match signer {
        signer if *signer == pda::claim_signer(&escrow::ID) => "escrow",
        signer if *signer == pda::claim_signer(&billing::ID) => "billing",
        _ => "another service",
    }
}

/// What the seats of a bond's owner would be held for, by epoch.
fn seats(bond: &Bond, now: i64) -> Vec<(Pubkey, u64)> {
    let epoch = epoch_at(UnixTime::new(now));
    let epochs = epoch.saturating_sub(PAST_EPOCHS)..=epoch + 1;
    epochs.map(|epoch| (seat::subject(&pda::panel(&bond.mint, epoch), &bond.owner), epoch)).collect()
}

fn kind(owner: &Pubkey, data: &[u8]) -> &'static str {
    match *owner {
        escrow::ID if decode::<Job>(data).is_ok() => "job",
        escrow::ID if decode::<Bid>(data).is_ok() => "bid",
        escrow::ID if decode::<Vote>(data).is_ok() => "vote",
        billing::ID if decode::<Channel>(data).is_ok() => "channel",
        _ => "something that this version does not know",
    }
}

impl Held {
    /// When the last of it is free.
    fn until(&self) -> i64 {
        self.parts.iter().map(|(_, until)| *until).max().unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        let parts = self.parts.iter().map(|(amount, until)| {
            json!({ "amount": amount.to_string(), "until": until, "can_be_released": *until <= self.now })
        });
        json!({
            "address": self.address.to_string(),
            "service": self.service,
            "for": self.what,
            "subject": self.subject.to_string(),
            "parts": parts.collect::<Vec<_>>(),
        })
    }
}

pub fn table(held: &[Held], mint: &str, view: &View) -> comfy_table::Table {
    let mut table = output::table(["held by", "for", "amount", "until"]);
    for claim in held {
        for (amount, until) in &claim.parts {
            let until = match *until <= claim.now {
                true => "nobody needs it: can be released".to_owned(),
                false => view.moment(*until),
            };
            let what = match claim.what.starts_with("a seat") {
                true => claim.what.clone(),
                false => format!("{} {}", claim.what, claim.subject),
            };
            table.add_row([claim.service.to_owned(), what, view.amount(mint, *amount), until]);
        }
    }
    table
}
