//! `joule channel dispute`: has a provider slashed for what it has signed.
//!
//! Everything that can be known beforehand is looked at before anything is paid: whether there is a proof, whether the chain
//! has settled these receipts, whether the transaction holds it. Only then is the overcharge paid, which is what the
//! chain wants to see, and settled.

use super::{
    evidence::{verify, Evidence},
    place::Own,
};
use crate::{
    act::Actor,
    context::{address, Options},
    failure::Failure,
    output,
};
use joule_sdk::{
    billing::state::{Channel, Verdict},
    instruction::billing,
    staking::state::Claim,
    table::{self, Retired, Table},
    transaction::MAX_BYTES,
    voucher::{tree, Format, Hash, Receipt},
    Chain, Instruction, Pubkey, SdkError, Signature,
};
use joule_x402::Signed;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Args {
    /// The channel's address
    #[arg(value_parser = address)]
    channel: Pubkey,
    /// What another program has caught the provider with, such as the TypeScript SDK's `proof()` [default: what `joule pay` has]
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    /// Write the proof into a file, for whoever brings it on chain. It has the voucher that pays for all receipts, the overcharge too
    #[arg(long, value_name = "FILE", conflicts_with = "proof")]
    save: Option<PathBuf>,
}

/// What convicts the provider, and what must be done before it does.
struct Proof {
    shown: Vec<Instruction>,
    /// The root of the voucher that must be settled first; `None` when all is settled.
    settles: Option<Hash>,
}

impl Proof {
    async fn of(chain: &Chain, own: &Own, evidence: &Evidence) -> Result<Self, Failure> {
        match &evidence.both {
            Some(both) => Self::of_contradiction(chain, own, both).await,
            None => Self::of_overcharge(chain, own, evidence).await,
        }
    }

    /// The first of all overcharges that are settled, or that can be.
    async fn of_overcharge(chain: &Chain, own: &Own, evidence: &Evidence) -> Result<Self, Failure> {
        let (prices, receipts) = (own.channel().prices, &evidence.receipts);
        let index = receipts.iter().position(|signed| signed.message.overcharges(&prices));
        let index = index.ok_or_else(|| Failure::NotFound(evidence.otherwise.clone()))?;
        let leaves: Vec<_> = receipts.iter().map(|signed| tree::leaf(signed.message.as_bytes())).collect();
        let settled = usize::try_from(own.state.sequence.get()).unwrap_or(usize::MAX);
        let root = |leaves: &[Hash]| leaves.iter().copied().collect::<tree::Frontier>().root();
        if settled > 0 && leaves.get(..settled).map(root) != Some(own.state.usage_root) {
            return Err(Failure::NotFound(format!(
                "the voucher that channel {} has settled is not of these receipts",
                own.address
            )));
        }
        let (leaves, settles) = match index < settled {
            true => (&leaves[..settled], None),
            false => (leaves.as_slice(), Some(root(&leaves))),
        };
        let proof = tree::prove(leaves, index).ok_or_else(|| Failure::NotFound("the receipt is not there".into()))?;
        let (claim_payer, token_program) = others(chain, &own.state).await?;
        let proof = (index as u64, leaves.len() as u64, proof);
        let dispute = billing::dispute_receipt(own.address, &own.state, claim_payer, token_program, proof);
        Ok(Self { shown: vec![verify(&own.state.authority, &receipts[index])?, dispute], settles })
    }

    /// Two receipts of one number: nothing has to be paid to show them.
    async fn of_contradiction(chain: &Chain, own: &Own, both: &[Signed<Receipt>; 2]) -> Result<Self, Failure> {
        let (claim_payer, token_program) = others(chain, &own.state).await?;
        let [one, other] = both.each_ref().map(|signed| verify(&own.state.authority, signed));
        let dispute = billing::dispute_receipts(own.address, &own.state, claim_payer, token_program);
        Ok(Self { shown: vec![one?, other?, dispute], settles: None })
    }

    /// A table for it, if it needs one: where the cluster takes version 1 it does not.
    async fn table(&self, actor: &Actor) -> Result<Option<Table>, Failure> {
        if actor.chain.can_send(&self.shown, &actor.key()).await? {
            return Ok(None);
        }
        let len = table::len_with_table(&self.shown, &actor.key())?;
        if len > MAX_BYTES {
            return Err(Failure::Refused(format!(
                "the proof comes to {len} bytes and a transaction holds {MAX_BYTES} here: nothing was paid"
            )));
        }
        Ok(Some(actor.chain.make_table(&self.shown, &actor.signer).await?))
    }
}

/// Who else is named: whoever paid the claim's rent, and the token program.
async fn others(chain: &Chain, state: &Channel) -> Result<(Pubkey, Pubkey), Failure> {
    // All zero until the provider has locked something for it.
    let claim: Option<Claim> = match state.claim == Pubkey::default() {
        true => None,
        false => chain.find(&state.claim).await?,
    };
    let claim_payer = claim.map_or(state.owner, |claim| claim.rent_payer);
    Ok((claim_payer, chain.token_program_of(&state.mint).await?))
}

/// Proves on chain that the provider has contradicted itself, or has asked for too much.
pub async fn dispute(options: &Options, args: &Args) -> Result<(), Failure> {
    let actor = Actor::of(options)?;
    let own = Own::find(options, &actor.chain, args.channel).await?;
    if own.state.is_convicted(Verdict::AgainstProvider) {
        let why = format!("the provider was convicted on channel {} before, and that is done once", own.address);
        return Err(Failure::Refused(why));
    }
    let evidence = match &args.proof {
        Some(file) => Evidence::read(file, &own)?,
        None => Evidence::kept(&own)?,
    };
    let proof = Proof::of(&actor.chain, &own, &evidence).await?;
    if let Some(file) = &args.save {
        return evidence.save(options, &own, file).await;
    }
    let bar = output::spinner("proving");
    if proof.settles.is_some() {
        can_settle(&actor.chain, &own).await?;
    }
    let table = proof.table(&actor).await?;
    let shown = show(&actor, &own, &evidence, &proof, table.as_ref()).await;
    // Whatever came of it, the table is of no more use.
    let retired = match &table {
        Some(table) => Some((table.address(), actor.chain.retire_table(&table.address(), &actor.signer).await)),
        None => None,
    };
    bar.finish_and_clear();
    let signature = shown.inspect_err(|_| {
        if let Some((table, _)) = &retired {
            eprintln!("{}", rent_waits(table));
        }
    })?;
    report(options, &own.address, &signature, retired.as_ref())
}

/// What would keep the voucher from being settled, once the overcharge is in it.
async fn can_settle(chain: &Chain, own: &Own) -> Result<(), Failure> {
    let (now, state) = (chain.now().await?, &own.state);
    let refused = |why: &str| Err(Failure::Refused(format!("channel {} {why}: nothing was paid", own.address)));
    match (state.closes_at.get(), state.session.expires_at.get()) {
        (closes_at, _) if closes_at != 0 && closes_at <= now => refused("is over, and settles nothing more"),
        (_, expires_at) if expires_at <= now => {
            refused("has a session that is over, and settles nothing that it signs")
        }
        _ => Ok(()),
    }
}

/// Pays and settles the overcharge if that is still to be done, and shows the proof.
async fn show(
    actor: &Actor,
    own: &Own,
    evidence: &Evidence,
    proof: &Proof,
    table: Option<&Table>,
) -> Result<Signature, Failure> {
    if let Some(root) = proof.settles {
        let voucher = evidence.voucher(&own.address).await?;
        let voucher = voucher.filter(|voucher| voucher.message.usage_root == root);
        let none = || Failure::NotFound("the voucher is not there that pays for these receipts: try again".into());
        let voucher = voucher.ok_or_else(none)?;
        let settle = [verify(&own.state.session.signer, &voucher)?, billing::settle(own.address)];
        actor.chain.send(&settle, &[&actor.signer]).await?;
    }
    let mut shown = bring(actor, proof, table).await;
    // Once the voucher is settled the provider locks for it: whoever it names by then is named anew.
    for _ in 0..RACES {
        match &shown {
            Err(SdkError::Program(rule)) if RACED.contains(&&*rule.name) => {
                let own = own.again(&actor.chain).await?;
                shown = bring(actor, &Proof::of(&actor.chain, &own, evidence).await?, table).await;
            }
            _ => break,
        }
    }
    Ok(shown?)
}

/// How often the provider may have been quicker.
const RACES: usize = 5;
/// What a proof is refused with that names the claim, or who has paid for it, as they were.
const RACED: [&str; 2] = ["WrongClaim", "WrongRentPayer"];

async fn bring(actor: &Actor, proof: &Proof, table: Option<&Table>) -> Result<Signature, SdkError> {
    match table {
        Some(table) => actor.chain.send_with_table(&proof.shown, &[&actor.signer], table).await,
        None => actor.chain.send(&proof.shown, &[&actor.signer]).await,
    }
}

fn rent_waits(table: &Pubkey) -> String {
    format!(
        "lookup table {table} still holds its rent: `joule channel reclaim-table {table}` brings it back in about {} blocks",
        table::COOLING_BLOCKS
    )
}

fn report(
    options: &Options,
    channel: &Pubkey,
    signature: &Signature,
    retired: Option<&(Pubkey, Result<Retired, SdkError>)>,
) -> Result<(), Failure> {
    if options.json {
        return output::json(&serde_json::json!({
            "channel": channel.to_string(),
            "signature": signature.to_string(),
            "table": retired.map(|(table, _)| table.to_string()),
        }));
    }
    println!("the provider is convicted and pays for it on channel {channel}");
    if let Some((table, _)) = retired {
        println!("{}", rent_waits(table));
    }
    Ok(())
}

pub async fn reclaim_table(options: &Options, table: &Pubkey) -> Result<(), Failure> {
    let actor = Actor::of(options)?;
    let bar = output::spinner("reclaiming");
    let retired = actor.chain.retire_table(table, &actor.signer).await?;
    bar.finish_and_clear();
    let until = match retired {
        Retired::Cooling { until } => Some(until),
        Retired::Closed => None,
    };
    if options.json {
        return output::json(
            &serde_json::json!({ "table": table.to_string(), "closed": until.is_none(), "not_before": until }),
        );
    }
    match until {
        Some(slot) => println!("table {table} is given up; run this again after slot {slot}, and its rent comes back"),
        None => println!("closed table {table}: its rent is back"),
    }
    Ok(())
}
