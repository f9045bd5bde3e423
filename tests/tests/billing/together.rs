//! How much settling fits into one transaction: real version 0 transactions with an address lookup table.

use joule_sdk::{
    instruction::billing as build,
    pda,
    table::MAX_TRANSACTION as MOST,
    units::Amount,
    voucher::{tree, Format, Voucher},
    Instruction, Keypair, Pubkey, Signer,
};
use joule_tests::{
    billing::{session, verifying},
    Kind, World,
};
use solana_account::Account;
use solana_message::{v0, AddressLookupTableAccount, VersionedMessage};
use solana_transaction::versioned::VersionedTransaction;

/// Bytes of a lookup table in front of its addresses.
const TABLE_HEAD: usize = 56;

/// A lookup table with everything that the instructions name and that may be looked up.
fn table(w: &mut World, instructions: &[Instruction]) -> AddressLookupTableAccount {
    let key = w.new_key().pubkey();
    let mut addresses: Vec<Pubkey> = instructions.iter().flat_map(|i| &i.accounts).map(|a| a.pubkey).collect();
    addresses.sort();
    addresses.dedup();
    // A table that is never deactivated (u32 and u64), was last extended in slot 0 from place 0, and has no authority.
    let mut data = [1u32.to_le_bytes().as_slice(), &u64::MAX.to_le_bytes()].concat();
    data.resize(TABLE_HEAD, 0);
    data.extend(addresses.iter().flat_map(|address| address.to_bytes()));
    let owner = "AddressLookupTab1e1111111111111111111111111".parse().unwrap();
    w.svm.set_account(key, Account { lamports: 1_000_000_000, data, owner, ..Account::default() }).unwrap();
    AddressLookupTableAccount { key, addresses }
}

/// Its length in bytes and what it costs, if it is run.
fn run(w: &mut World, instructions: &[Instruction]) -> (usize, Option<u64>) {
    let table = table(w, instructions);
    // A table can be read from in the slot after it was written.
    let slot = w.svm.get_sysvar::<solana_clock::Clock>().slot;
    w.svm.warp_to_slot(slot + 2);
    w.svm.expire_blockhash();
    let fee_payer = w.stranger.insecure_clone();
    let message =
        v0::Message::try_compile(&fee_payer.pubkey(), instructions, &[table], w.svm.latest_blockhash()).unwrap();
    let transaction = VersionedTransaction::try_new(VersionedMessage::V0(message), &[&fee_payer]).unwrap();
    let len = bincode::serialize(&transaction).unwrap().len();
    if len > MOST {
        return (len, None);
    }
    let done = w.svm.send_transaction(transaction).unwrap_or_else(|e| panic!("{:?} {:#?}", e.err, e.meta.logs));
    (len, Some(done.compute_units_consumed))
}

fn batched(count: usize) -> (usize, Option<u64>) {
    let mut w = World::paying(Kind::Classic);
    let mut terms = w.channel_terms();
    terms.cap = 10_000;
    let channels: Vec<_> = (0..count).map(|_| w.channelled_as(terms)).collect();
    let message = w.batch(&channels, &vec![(1, 5_000); count]);
    let both = [verifying(&session(), &message), build::settle_batch(w.payer_address(), &channels)];
    let (len, cost) = run(&mut w, &both);
    if cost.is_some() {
        assert!(channels.iter().all(|c| w.channel(c).settled.get() == 5_000));
    }
    (len, cost)
}

#[test]
fn forty_channels_settle_in_one_transaction() {
    let (len, cost) = batched(40);
    let cost = cost.expect("it fits");
    println!("40 channels: {len} bytes, {cost} CU, {} a channel", cost / 40);
    assert!(len <= MOST && cost / 40 <= 300, "{len} bytes, {cost} CU");
}

#[test]
fn the_most_channels_that_fit_are_known() {
    let most = (40..).take_while(|count| batched(*count).1.is_some()).last();
    println!("most channels in a batch: {most:?}");
    assert_eq!(most, Some(MOST_CHANNELS));
}

const MOST_CHANNELS: usize = 44;
const MOST_PAIRS: usize = 4;

/// Pairs of precompile and settle, of channels of as many payers.
fn paired(count: usize) -> (usize, Option<u64>) {
    let mut w = World::paying(Kind::Classic);
    let owners: Vec<Keypair> = (0..count).map(|_| w.holder(1_000_000)).collect();
    let mut all = Vec::new();
    for owner in &owners {
        let payer = pda::payer(&owner.pubkey(), &w.mint);
        let create = build::create_payer(owner.pubkey(), owner.pubkey(), w.mint, w.token_program);
        let deposit = build::deposit(owner.pubkey(), payer, w.tokens_of(owner), w.token_program, 1_000_000);
        let mut accounts = w.open_accounts();
        (accounts.owner, accounts.rent_payer) = (owner.pubkey(), owner.pubkey());
        let open = build::open(accounts, 0, w.channel_terms());
        w.send(&[create, deposit, open], &[owner]);
        let channel = pda::channel(&payer, 0);
        let voucher = w.voucher(&channel, 1, 5_000);
        all.extend([verifying(&session(), voucher.as_bytes()), build::settle(channel)]);
    }
    run(&mut w, &all)
}

#[test]
fn the_most_pairs_that_fit_are_known() {
    let most = (1..).take_while(|count| paired(*count).1.is_some()).last();
    let (len, cost) = paired(MOST_PAIRS);
    println!("most pairs: {most:?}; {len} bytes, {} CU each", cost.unwrap_or_default() / MOST_PAIRS as u64);
    assert_eq!(most, Some(MOST_PAIRS));
}

/// As long a proof as a transaction holds: 21 hashes, of which each stands for half of what is left of two million receipts.
#[test]
fn an_overcharge_among_two_million_receipts_is_proven_in_one_transaction() {
    const LEVELS: u8 = 21;
    let mut w = World::paying(Kind::Classic);
    let channel = w.channelled();
    let mut receipt = w.receipt(&channel, 1);
    receipt.amount = Amount::new(2_011).into();
    let siblings: Vec<_> = (0..LEVELS).map(|level| [level; 32]).collect();
    let usage_root = siblings.iter().fold(tree::leaf(receipt.as_bytes()), |hash, sibling| tree::node(&hash, sibling));
    let voucher = Voucher { usage_root, ..w.voucher(&channel, 1 << LEVELS, 10_000) };
    let settling = w.settling(channel, &voucher);
    w.send(&settling, &[]);
    w.backed(channel);
    let (state, claim_payer) = (w.channel(&channel), w.north.pubkey());
    let proof = (0, 1 << LEVELS, siblings);
    let dispute = build::dispute_receipt(channel, &state, claim_payer, w.token_program, proof);
    let shown = [verifying(&w.north, receipt.as_bytes()), dispute];
    let (len, cost) = run(&mut w, &shown);
    println!("a proof of {LEVELS} hashes: {len} bytes, {cost:?} CU");
    assert!(len <= MOST && w.channel(&channel).disputed == 1, "{len} bytes");
}
