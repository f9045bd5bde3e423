//! What a channel's whole life costs the cluster's scheduler: signatures, write locks, instruction data, compute units and loaded
//! accounts, by Agave's own cost model. This is what a block has 60 million of, and what `costUnits` says of a transaction.
//!
//! The Solana Foundation's payment-channels (docs/005-channel-rearm.md) states for a session of its own, medians on mainnet:
//! open 36,086, settle_and_seal and distribute 23,875, reclaim 748. Its `open` takes the deposit in and its close gives the rest
//! back, so the first life here does too. It has no bonds.
//!
//! Every transaction is of version 1 with limits that are exactly what it uses, so that what the scheduler sets aside before it
//! runs is what it costs.

use crate::report;
use agave_reserved_account_keys::ReservedAccountKeys;
use anyhow::{ensure, Result};
use comfy_table::{presets::UTF8_FULL_CONDENSED, Table};
use joule_sdk::{
    billing::constants::DISPUTE_PERIOD,
    instruction::{billing, staking},
    pda, Instruction, Keypair, Pubkey, Signer,
};
use joule_tests::{Kind, World};
use litesvm::LiteSVM;
use serde::{Deserialize, Serialize};
use solana_cost_model::cost_model::CostModel;
use solana_message::SimpleAddressLoader;
use solana_runtime_transaction::runtime_transaction::RuntimeTransaction;
use solana_transaction::sanitized::MessageHash;

/// Of one of its sessions there.
const PEERS: u64 = 60_709;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Row {
    life: String,
    step: String,
    signatures: u64,
    write_locks: u64,
    data: u64,
    execution: u64,
    loaded: u64,
    cost_units: u64,
    /// Of the peer's session, in a row of a whole life.
    of_peers: Option<f64>,
    commit: String,
    cores: usize,
}

/// What a life has beside its channel.
#[derive(Clone, Copy)]
struct Life {
    name: &'static str,
    /// Pays in for this channel alone, and takes out what is left.
    deposits: bool,
    /// Its provider's bond stands behind its bills.
    backed: bool,
    at_most_half: bool,
}

const LIVES: [Life; 3] = [
    Life { name: "with its own deposit", deposits: true, backed: false, at_most_half: true },
    Life { name: "of a standing deposit", deposits: false, backed: false, at_most_half: true },
    Life { name: "of a standing deposit, backed by a bond", deposits: false, backed: true, at_most_half: false },
];

/// Base units.
const CAP: u64 = 1_000_000;
const SPENT: u64 = 777_777;

pub fn run(check: bool) -> Result<()> {
    let mut rows = Vec::new();
    for life in LIVES {
        rows.extend(live(life)?);
    }
    let mut table = Table::new();
    let header = ["life", "step", "signatures", "locks", "data", "execution", "loaded", "cost units", "of the peer's"];
    table.load_preset(UTF8_FULL_CONDENSED).set_header(header);
    for row in &rows {
        let figures = [row.signatures, row.write_locks, row.data, row.execution, row.loaded, row.cost_units];
        let ratio = row.of_peers.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
        let figures = figures.map(|figure| figure.to_string());
        table.add_row([vec![row.life.clone(), row.step.clone()], figures.into(), vec![ratio]].concat());
    }
    println!("{table}\nA session of the peer's: {PEERS} cost units.");
    match check {
        true => report::check("lifecycle", &rows),
        false => report::write("lifecycle", &rows),
    }
}

/// From the first transaction to the last lamport of rent.
fn live(life: Life) -> Result<Vec<Row>> {
    let mut world = World::paying(Kind::Classic);
    let (alice, north) = (world.alice.insecure_clone(), world.north.insecure_clone());
    // A first channel makes what all share, and is none of this one's business.
    world.channelled();
    let number = world.payer().next_channel.get();
    let channel = pda::channel(&world.payer_address(), number);
    let terms = joule_sdk::billing::state::ChannelTerms {
        cap: CAP,
        backing_bps: if life.backed { 10_000 } else { 0 },
        ..world.channel_terms()
    };
    let lamports = |world: &World| [&alice, &north].map(|of| world.svm.get_balance(&of.pubkey()).unwrap_or_default());
    let (before, mut fees, mut rows) = (lamports(&world), 0, Vec::new());
    let mut step = |world: &mut World, name: &str, payer: &Keypair, instructions: &[Instruction]| {
        let (row, fee) = step(world, life, name, payer, instructions)?;
        fees += fee;
        rows.push(row);
        anyhow::Ok(())
    };

    let mut opening = vec![world.open_channel(terms)];
    if life.deposits {
        opening.insert(0, world.deposit(CAP));
    }
    step(&mut world, if life.deposits { "deposit, open" } else { "open" }, &alice, &opening)?;

    let state = world.channel(&channel);
    let mut ending = world.settling(channel, &world.voucher(&channel, 9, SPENT)).to_vec();
    if life.backed {
        ending.push(world.back(channel));
    }
    ending.extend([
        world.distribute(channel),
        billing::request_close(north.pubkey(), channel),
        billing::close(channel, &state),
    ]);
    let name = if life.backed { "settle, back, distribute, close" } else { "settle, distribute, close" };
    step(&mut world, name, &north, &ending)?;

    if life.backed {
        let claim = billing::claim(&channel);
        let state: joule_sdk::staking::state::Claim = world.get(&claim);
        world.set_time(world.now() + i64::from(DISPUTE_PERIOD));
        let mut rest = vec![staking::release_expired(claim, &state)];
        if exists(&world, &channel) {
            rest.push(world.close(channel));
        }
        step(&mut world, "release, rent back", &north, &rest)?;
    }
    if life.deposits {
        let rest = world.reclaim(CAP - SPENT);
        step(&mut world, "reclaim the rest", &alice, &[rest])?;
    }

    ensure!(!exists(&world, &channel), "the channel is still there");
    let kept = before.iter().sum::<u64>() - lamports(&world).iter().sum::<u64>();
    ensure!(kept == fees, "{} lamports of rent did not come back", kept - fees);
    let mut whole = Row { life: life.name.into(), step: "whole life".into(), ..rows[0].clone() };
    let sum = |figure: fn(&Row) -> u64| rows.iter().map(figure).sum();
    (whole.signatures, whole.write_locks, whole.data) =
        (sum(|r| r.signatures), sum(|r| r.write_locks), sum(|r| r.data));
    (whole.execution, whole.loaded, whole.cost_units) =
        (sum(|r| r.execution), sum(|r| r.loaded), sum(|r| r.cost_units));
    whole.of_peers = Some((whole.cost_units as f64 / PEERS as f64 * 100.0).round() / 100.0);
    ensure!(!life.at_most_half || 2 * whole.cost_units <= PEERS, "{} cost units: more than half", whole.cost_units);
    rows.push(whole);
    Ok(rows)
}

fn exists(world: &World, address: &Pubkey) -> bool {
    world.svm.get_account(address).is_some_and(|account| !account.data.is_empty())
}

/// Sends them in one transaction, and says what it cost the scheduler, and its payer in lamports.
fn step(
    world: &mut World,
    life: Life,
    step: &str,
    payer: &Keypair,
    instructions: &[Instruction],
) -> Result<(Row, u64)> {
    world.svm.expire_blockhash();
    let Some(transaction) = world.tight(payer, instructions) else { anyhow::bail!("{step} does not fit") };
    let done = world.svm.send_transaction(transaction.clone());
    let done = done.map_err(|failed| anyhow::anyhow!("{step}: {:?} {:#?}", failed.err, failed.meta.logs))?;
    let (features, reserved) = (LiteSVM::mainnet_feature_set(), ReservedAccountKeys::new_all_activated().active);
    let loader = SimpleAddressLoader::Disabled;
    let transaction = RuntimeTransaction::try_create(transaction, MessageHash::Compute, None, loader, &reserved)?;
    let (units, bytes) = (done.compute_units_consumed, done.loaded_accounts_data_size);
    let cost = CostModel::calculate_cost_for_executed_transaction(&transaction, units, bytes, &features);
    let set_aside = CostModel::calculate_cost(&transaction, &features).sum();
    ensure!(set_aside == cost.sum(), "{step} costs {} and has {set_aside} set aside", cost.sum());
    let row = Row {
        life: life.name.into(),
        step: step.into(),
        signatures: cost.signature_cost(),
        write_locks: cost.write_lock_cost(),
        data: cost.data_bytes_cost().into(),
        execution: cost.programs_execution_cost(),
        loaded: cost.loaded_accounts_data_size_cost(),
        cost_units: cost.sum(),
        of_peers: None,
        commit: report::commit(),
        cores: std::thread::available_parallelism()?.get(),
    };
    Ok((row, done.fee))
}
