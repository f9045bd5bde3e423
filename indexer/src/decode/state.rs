//! Accounts: what kinds there are, what they belong to, and their fields for people.

use super::fields::{self, fields};
use crate::types::Address;
use joule_billing::state::{Channel, Cluster, Payer, Plan, Session};
use joule_escrow::state::{Bid, Client, Dispute, Job, Panel, Vote};
use joule_registry::state::{Attestations, Attestor, CredentialRule, Model, PriceList, Provider, Requirements};
use joule_staking::state::{Bond, Claim, Pool, Service, Stake};
use joule_treasury::state::{AcceptedMint, Protocol};
use serde_json::{json, Value};

/// An account of ours, decoded.
#[derive(Clone)]
#[allow(clippy::large_enum_variant)]
pub enum State {
    Job(Job),
    Client(Client),
    Bid(Bid),
    Dispute(Dispute),
    Vote(Vote),
    Panel(Box<Panel>),
    Channel(Channel),
    Payer(Payer),
    Plan(Plan),
    Cluster(Cluster),
    Provider(Provider),
    Attestor(Attestor),
    Attestations(Attestations),
    Requirements(Requirements),
    Model(Model),
    PriceList(PriceList),
    Bond(Bond),
    Claim(Claim),
    Pool(Pool),
    Stake(Stake),
    Service(Service),
    Protocol(Protocol),
    AcceptedMint(AcceptedMint),
}

impl State {
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Job(_) => "job",
            Self::Client(_) => "client",
            Self::Bid(_) => "bid",
            Self::Dispute(_) => "dispute",
            Self::Vote(_) => "vote",
            Self::Panel(_) => "panel",
            Self::Channel(_) => "channel",
            Self::Payer(_) => "payer",
            Self::Plan(_) => "plan",
            Self::Cluster(_) => "cluster",
            Self::Provider(_) => "provider",
            Self::Attestor(_) => "attestor",
            Self::Attestations(_) => "attestations",
            Self::Requirements(_) => "requirements",
            Self::Model(_) => "model",
            Self::PriceList(_) => "price_list",
            Self::Bond(_) => "bond",
            Self::Claim(_) => "claim",
            Self::Pool(_) => "pool",
            Self::Stake(_) => "stake",
            Self::Service(_) => "service",
            Self::Protocol(_) => "protocol",
            Self::AcceptedMint(_) => "accepted_mint",
        }
    }

    /// What an account is listed under: a bid under its job, a bond under its owner, a claim under its bond, a price list under
    /// its model.
    pub fn parent(&self) -> Option<Address> {
        match self {
            Self::Bid(bid) => Some((&bid.job).into()),
            Self::Bond(bond) => Some((&bond.owner).into()),
            Self::Claim(claim) => Some((&claim.bond).into()),
            Self::PriceList(list) => Some((&list.model).into()),
            _ => None,
        }
    }

    /// The fields for people. What only the programs need is left out: bumps, reserved bytes.
    pub fn fields(&self) -> Value {
        match self {
            Self::Job(s) => fields!(s; client: key, provider: known, provider_authority: known, payout_owner: known,
                payout: known, refund: key, fee_vault: key, mint: key, vault: key, rent_payer: key, requirements: known,
                claim: known, claim_payer: known, challenger: known, challenger_account: known, best_bid: known,
                spec_hash: hash, input_hash: hash, result_hash: hash, id: text, budget: text, price: text, rate: text, max_rate: text,
                exposure: text, best_price: text, owed_provider: text, owed_fee: text, owed_client: text,
                owed_challenger: text, owed_jurors: text, opened_at: number, accept_by: number, bid_until: number,
                accepted_at: number, deliver_by: number, settle_after: number, work_window: number,
                review_window: number, vote_window: number, reported: number, bond_bps: number, fee_bps: number,
                status: number, verification: number, pricing: number, jurors: number, disputed: flag),
            Self::Client(s) => fields!(s; client: key, next_job: text),
            Self::Bid(s) => fields!(s; job: key, provider: key, authority: key, payout_owner: key, payout: key,
                claim: key, claim_payer: key, rent_payer: key, price: text, exposure: text, placed_at: number),
            Self::Dispute(s) => dispute(s),
            Self::Vote(s) => fields!(s; dispute: key, juror: key, payout: key, claim: key, claim_payer: key,
                rent_payer: key, commitment: hash, output: filled, stake: text, round: number, choice: number),
            Self::Panel(s) => json!({
                "mint": fields::key(&s.mint), "rent_payer": fields::key(&s.rent_payer), "epoch": s.epoch.get(),
                "resolvers": s.enrolled().iter().map(|r| fields!(r; resolver: key, stake: text, left: text, engaged: text)).collect::<Value>(),
            }),
            Self::Channel(s) => channel(s),
            Self::Payer(s) => fields!(s; owner: key, mint: key, vault: key, balance: text, reserved: text, rate: text,
                synced_at: number, next_channel: text, channels: number),
            Self::Plan(s) => fields!(s; channel: key, payer: key, rent_payer: key, rate: text, lockup: text,
                started_at: number, settled_until: number, ends_at: number, period: number, status: number),
            Self::Cluster(s) => fields!(s; genesis_hash: hash, bump: number),
            Self::Provider(s) => fields!(s; authority: key, payout_owner: key, rent_payer: key, endpoint_hash: hash,
                metadata_hash: hash, registered_at: number, updated_at: number, stated_at: number, capacity: number, status: number,
                gpu_model: number, gpu_count: number, vram_mib: number, cpu_cores: number, region: number,
                memory_mib: number, disk_gib: number, bandwidth_mbps: number),
            Self::Attestor(s) => {
                fields!(s; authority: key, metadata_hash: hash, admitted_at: number, enabled: flag)
            }
            Self::Attestations(s) => {
                let used = s.places.iter().filter(|place| place.expires_at.get() != 0);
                let places = used.map(
                    |a| fields!(a; attestor: key, schema: number, since: number, expires_at: number, value_hash: hash),
                );
                json!({
                    "subject": fields::key(&s.subject), "rent_payer": fields::key(&s.rent_payer),
                    "places": places.collect::<Value>(),
                })
            }
            Self::Requirements(s) => requirements(s),
            Self::Model(s) => model(s),
            Self::PriceList(s) => price_list(s),
            Self::Bond(s) => {
                fields!(s; owner: key, mint: key, vault: key, withdrawer: key, rent_payer: key, amount: text,
                locked: text, unbonding: text, unbonds_at: number, kept: text, failed: text, scored_at: number,
                claims: number, services: number)
            }
            Self::Claim(s) => json!({
                "bond": fields::key(&s.bond), "signer": fields::key(&s.signer), "subject": fields::key(&s.subject),
                "rent_payer": fields::key(&s.rent_payer), "total": fields::text(&s.total),
                "tranches": s.tranches.iter().take(usize::from(s.count))
                    .map(|t| fields!(t; amount: text, until: number)).collect::<Value>(),
            }),
            Self::Pool(s) => fields!(s; mint: key, vault: key, staked: text, cooling: text, pending: text, owed: text,
                dust: text, total_weight: text, accumulator: wide, dripped_at: number, tier_weights: texts,
                tier_discounts_bps: numbers, max_lock: number, cool_down: number, drip: number),
            Self::Stake(s) => fields!(s; pool: key, owner: key, rent_payer: key, amount: text, weight: text,
                lock_end: number, cooling: text, cools_at: number, earned: text, fraction: text, accrued: wide),
            Self::Service(s) => {
                fields!(s; program: key, signer: key, admitted_at: number, in_force_at: number, number: number)
            }
            Self::Protocol(s) => fields!(s; authority: key, pending_authority: known, guardian: key, fee_bps: numbers,
                staged_fee_bps: numbers, staged_fee_at: numbers, paused_until: numbers, initialized_at: number),
            Self::AcceptedMint(s) => fields!(s; mint: key, fee_vault: key, reward_vault: known, min_amount: text,
                kept: text, owed_rewards: text, outflow_limit: text, outflow: text, outflow_at: number,
                staged_limit: text, staged_at: number, outflow_window: number, staged_window: number,
                reward_bps: number, enabled: flag, decimals: number),
        }
    }
}

fn channel(s: &Channel) -> Value {
    let mut value = fields!(s; payer: key, owner: key, provider: key, authority: key, payout_owner: key, payout: key,
        model: key, prices: key, mint: key, fee_vault: key, rent_payer: key, claim: known, context: hash,
        usage_root: hash, staged_at: number, cap: text, settled: text, sequence: text, units: text, accrued: text,
        backed: text, paid: text, collected: text, owed: texts, held: text, number: text,
        opened_at: number, closes_at: number, grace: number, fee_bps: number, share_bps: number, backing_bps: number,
        disputed: number, has_plan: flag, claimed_until: number);
    let session = |of: &Session| fields!(of; signer: known, limit: text, expires_at: number);
    value["session"] = session(&s.session);
    value["staged"] = session(&s.staged);
    value
}

fn dispute(s: &Dispute) -> Value {
    let mut value = fields!(s; job: key, challenger: key, rent_payer: key, panel: known, counter_result: hash,
        deposit: text, appeal_deposit: text, lot: filled, third: filled, patient_until: number, opened_at: number, draw_by: number, commit_by: number, reveal_by: number,
        final_at: number, resolved_at: number, vote_window: number, votes_open: number, status: number, mode: number,
        round: number, jurors: number, appellant: number, verdict: number);
    value["draw_slot"] = s.draw_slot.get().into();
    value["rounds"] = s
        .rounds
        .iter()
        .map(|r| fields!(r; tally: texts, weight: text, pot: text, committed: number, revealed: number))
        .collect();
    let drawn = s.members.iter().take(usize::from(s.drawn)).enumerate();
    value["members"] = drawn
        .map(|(seat, member)| {
            let mut fields = serde_json::json!({ "resolver": Address::from(member).to_string() });
            fields["committed"] = (s.committed.get() >> seat & 1 == 1).into();
            fields["punished"] = (s.punished.get() >> seat & 1 == 1).into();
            fields
        })
        .collect();
    value
}

fn requirements(s: &Requirements) -> Value {
    let c = &s.criteria;
    let mut value = fields!(c; gpu_model: number, gpu_count: number, vram_mib: number, cpu_cores: number,
        memory_mib: number, disk_gib: number, bandwidth_mbps: number, min_bond: text, allowed: keys);
    let credentials = |rules: &[CredentialRule]| -> Value {
        let used = rules.iter().filter(|rule| Address::from(&rule.attestor) != Address::SYSTEM);
        used.map(|rule| fields!(rule; attestor: key, schema: number)).collect()
    };
    value["retired_at"] = fields::number(&s.retired_at);
    value["client"] = fields::key(&s.client);
    value["rent_payer"] = fields::key(&s.rent_payer);
    value["hash"] = fields::hash(&c.hash());
    value["regions"] = c.regions.iter().filter(|region| region.get() != 0).map(fields::number).collect();
    value["all_of"] = credentials(&c.all_of);
    value["any_of"] = credentials(&c.any_of);
    value
}

fn model(s: &Model) -> Value {
    let mut value = fields!(s; creator: key, payout_owner: key, base: known, endpoint_hash: hash, metadata_hash: hash,
        id: text, created_at: number, updated_at: number, version: number, royalty_bps: number, depth: number,
        status: number);
    value["lineage"] = s.royalties().iter().map(|royalty| fields!(royalty; owner: key, bps: number)).collect();
    value
}

fn price_list(s: &PriceList) -> Value {
    let mut value = fields!(s; model: key, mint: key, version: number, created_at: number);
    let prices = &s.prices;
    value["prices"] = fields!(prices; per_request: text, per_million_input: text, per_million_output: text,
        per_image: text, per_second: text);
    value["shares"] = s.parties().iter().map(|share| fields!(share; owner: key, account: key, bps: number)).collect();
    value
}
