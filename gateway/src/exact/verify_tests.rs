//! One payment that is good, and every way to make it another one.

use super::*;
use crate::exact::guard::LIGHTHOUSE;
use joule_sdk::transaction::{v0, Message, MessageHeader};
use joule_voucher::{sign, SigningKey};

const PRICE: u64 = 700;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn public(seed: u8) -> Pubkey {
    Pubkey::new_from_array(key(seed).verifying_key().to_bytes())
}

fn address(seed: u8) -> Pubkey {
    Pubkey::new_from_array([seed; 32])
}

fn rules() -> Rules {
    Rules {
        fee_payer: public(1),
        mint: address(10),
        token_program: token_program::CLASSIC,
        decimals: 6,
        destination: address(11),
        amount: Amount::new(PRICE),
        max_unit_price: 5_000,
        max_unit_limit: 100_000,
    }
}

/// A message before its signatures. Its accounts by their places:
/// 0 fee payer, 1 authority, 2 source, 3 destination, 4 mint, 5 compute budget, 6 token program, 7 memo, 8 Lighthouse, 9 Token-2022.
#[derive(Clone)]
struct Draft {
    keys: Vec<Pubkey>,
    signers: u8,
    instructions: Vec<CompiledInstruction>,
    tables: Vec<v0::MessageAddressTableLookup>,
}

fn instruction(program: u8, accounts: &[u8], data: &[&[u8]]) -> CompiledInstruction {
    CompiledInstruction { program_id_index: program, accounts: accounts.to_vec(), data: data.concat() }
}

fn limit(units: u32) -> CompiledInstruction {
    instruction(5, &[], &[&[SET_UNIT_LIMIT], &units.to_le_bytes()])
}

fn price(micro_lamports: u64) -> CompiledInstruction {
    instruction(5, &[], &[&[SET_UNIT_PRICE], &micro_lamports.to_le_bytes()])
}

fn transfer(program: u8, accounts: &[u8], amount: u64, decimals: u8) -> CompiledInstruction {
    instruction(program, accounts, &[&[TRANSFER_CHECKED], &amount.to_le_bytes(), &[decimals]])
}

/// An assertion of Lighthouse about the lamports of one account.
fn guard(account: u8) -> CompiledInstruction {
    instruction(8, &[account], &[&[6, 4, 1, 0], &1_000_u64.to_le_bytes(), &[4]])
}

fn memo(text: &[u8]) -> CompiledInstruction {
    instruction(7, &[], &[text])
}

const TRANSFERRED: &[u8] = &[2, 4, 3, 1];

fn good() -> Draft {
    let keys = vec![
        public(1),
        public(2),
        address(12),
        address(11),
        address(10),
        COMPUTE_BUDGET,
        token_program::CLASSIC,
        MEMO,
        LIGHTHOUSE,
        token_program::TOKEN_2022,
    ];
    let instructions = vec![limit(20_000), price(1), transfer(6, TRANSFERRED, PRICE, 6), memo(b"0123456789abcdef")];
    Draft { keys, signers: 2, instructions, tables: Vec::new() }
}

impl Draft {
    fn message(&self) -> VersionedMessage {
        VersionedMessage::V0(v0::Message {
            header: MessageHeader {
                num_required_signatures: self.signers,
                num_readonly_signed_accounts: 0,
                num_readonly_unsigned_accounts: 5,
            },
            account_keys: self.keys.clone(),
            instructions: self.instructions.clone(),
            address_table_lookups: self.tables.clone(),
            ..v0::Message::default()
        })
    }

    fn verify(&self) -> Result<Payment, Refusal> {
        verify(self.message(), &key(2))
    }
}

fn signed(message: VersionedMessage, payer: &SigningKey) -> VersionedTransaction {
    let mut signatures = vec![[0; 64].into(); usize::from(message.header().num_required_signatures)];
    if let Some(second) = signatures.get_mut(1) {
        *second = sign(payer, &message.serialize()).into();
    }
    VersionedTransaction { signatures, message }
}

fn verify(message: VersionedMessage, payer: &SigningKey) -> Result<Payment, Refusal> {
    Payment::verify(&STANDARD.encode(transaction::write(&signed(message, payer))), &rules())
}

fn refused(change: impl FnOnce(&mut Draft)) -> Refusal {
    let mut draft = good();
    change(&mut draft);
    draft.verify().expect_err("it is no payment")
}

#[test]
fn what_the_specification_describes_is_a_payment() {
    let payment = good().verify().unwrap();
    assert_eq!(payment.authority, public(2));
    let mut bare = good();
    bare.instructions.truncate(3);
    assert!(bare.verify().is_ok(), "three instructions");
    let VersionedMessage::V0(v0) = good().message() else { unreachable!() };
    let legacy = Message {
        header: v0.header,
        account_keys: v0.account_keys,
        recent_blockhash: v0.recent_blockhash,
        instructions: v0.instructions,
    };
    assert!(verify(VersionedMessage::Legacy(legacy), &key(2)).is_ok(), "before there were versions");
}

/// `[limit, price, guard, guard, guard, transfer, memo, guard]`, one of them about the fee payer, as Phantom sends it.
#[test]
fn what_wallets_make_of_a_payment_is_one() {
    let mut phantoms = good();
    for (place, account) in [(2, 0), (3, 2), (4, 1), (7, 2)] {
        phantoms.instructions.insert(place, guard(account));
    }
    assert_eq!(phantoms.instructions.len(), 8);
    let payment = phantoms.verify().unwrap();
    assert_eq!((payment.authority, payment.source), (public(2), address(12)));
    assert!(payment.is_guarded && !good().verify().unwrap().is_guarded);
    // Wherever they stand.
    for place in 0..=4 {
        for account in 0..3 {
            let mut guarded = good();
            guarded.instructions.insert(place, guard(account));
            assert!(guarded.verify().is_ok(), "at {place} about {account}");
        }
    }
}

/// What holds when it is tried and not in the block costs the gateway its fee, and whoever sent it nothing.
#[test]
fn a_guard_that_others_or_time_can_break_is_refused() {
    for account in 3..10 {
        assert_eq!(refused(|draft| draft.instructions.push(guard(account))), Refusal::GuardAccount(4), "{account}");
    }
    // The slot is at most so much.
    let clock = instruction(8, &[], &[&[15, 4, 0], &7_u64.to_le_bytes(), &[5]]);
    for place in 0..=4 {
        let refusal = refused(|draft| draft.instructions.insert(place, clock.clone()));
        assert!(
            matches!(
                refusal,
                Refusal::NoUnitLimit | Refusal::NoUnitPrice | Refusal::NoTransfer | Refusal::UnknownInstruction(_)
            ),
            "at {place}: {refusal}"
        );
    }
}

/// It reads what others have written before, opens accounts, or calls other programs.
#[test]
fn nothing_else_of_lighthouse_is_taken_behind_the_transfer() {
    for data in [&[0, 1, 255, 0][..], &[1, 1, 255], &[4, 4, 1], &[16, 4, 1], &[17, 4, 1], &[6, 3, 1], &[6]] {
        for accounts in [&[2][..], &[2, 1]] {
            let other = instruction(8, accounts, &[data]);
            assert_eq!(refused(|draft| draft.instructions.push(other)), Refusal::UnknownInstruction(4), "{data:?}");
        }
    }
}

#[test]
fn guards_are_bounded() {
    let add = |count| move |draft: &mut Draft| draft.instructions.splice(2..2, vec![guard(0); count]).for_each(drop);
    let mut most = good();
    add(6)(&mut most);
    assert!(most.verify().is_ok());
    assert_eq!(refused(add(7)), Refusal::Guards { count: 7, most: 6 });
    let long = instruction(8, &[0], &[&[6, 4, 9], &[0; 126]]);
    assert_eq!(refused(|draft| draft.instructions.push(long)), Refusal::FeePayerUsed);
    assert_eq!(refused(|draft| draft.instructions.push(guard(99))), Refusal::Encoding, "an account from nowhere");
}

/// Guards change nothing about what everything else must be.
#[test]
fn what_is_no_payment_is_none_with_guards_around_it() {
    let around = |change: fn(&mut Draft)| {
        refused(|draft| {
            change(draft);
            draft.instructions.insert(2, guard(0));
            draft.instructions.push(guard(0));
        })
    };
    assert_eq!(around(|draft| draft.instructions[2].accounts[3] = 0), Refusal::FeePayerUsed);
    assert_eq!(
        around(|draft| draft.instructions[2] = transfer(6, TRANSFERRED, PRICE - 1, 6)),
        Refusal::Amount { paid: PRICE - 1, wanted: PRICE }
    );
    assert_eq!(around(|draft| draft.instructions.swap(0, 1)), Refusal::NoUnitLimit);
    assert_eq!(around(|draft| draft.instructions.truncate(2)), Refusal::Count(2));
    assert_eq!(
        around(|draft| draft.instructions.push(price(1))),
        Refusal::UnknownInstruction(5),
        "its place as it came"
    );
    assert_eq!(around(|draft| draft.instructions[2].accounts[2] = 2), Refusal::Destination);
}

#[test]
fn bytes_that_are_no_transaction_are_refused() {
    let whole = transaction::write(&signed(good().message(), &key(2)));
    for bytes in [&b""[..], b"x", &whole[..whole.len() - 1], &[&whole[..], b"x"].concat(), &[0; 2_000]] {
        assert_eq!(Payment::verify(&STANDARD.encode(bytes), &rules()), Err(Refusal::Encoding));
    }
    assert_eq!(Payment::verify("%", &rules()), Err(Refusal::Encoding));
    assert_eq!(
        refused(|draft| draft.instructions[3].accounts = vec![99]),
        Refusal::Encoding,
        "an account from nowhere"
    );
}

#[test]
fn accounts_from_a_lookup_table_are_refused() {
    let table = v0::MessageAddressTableLookup {
        account_key: address(30),
        writable_indexes: vec![0],
        readonly_indexes: Vec::new(),
    };
    assert_eq!(refused(|draft| draft.tables.push(table)), Refusal::LookupTables);
}

#[test]
fn a_fee_payer_that_is_not_ours_is_refused() {
    assert_eq!(refused(|draft| draft.keys[0] = public(3)), Refusal::Signers);
}

#[test]
fn a_signature_of_anybody_else_is_not_asked_for() {
    assert_eq!(refused(|draft| draft.signers = 3), Refusal::Signers);
    assert_eq!(refused(|draft| draft.signers = 1), Refusal::Signers);
}

#[test]
fn a_payer_that_has_not_signed_is_refused() {
    assert_eq!(verify(good().message(), &key(3)), Err(Refusal::Signature), "somebody else has");
    let mut changed = signed(good().message(), &key(2));
    let VersionedMessage::V0(message) = &mut changed.message else { unreachable!() };
    message.recent_blockhash = [9; 32].into();
    let text = STANDARD.encode(transaction::write(&changed));
    assert_eq!(Payment::verify(&text, &rules()), Err(Refusal::Signature), "something else was signed");
    assert_eq!(refused(|draft| draft.keys[1] = Pubkey::default()), Refusal::Signature, "a key of small order");
}

#[test]
fn two_instructions_and_seven_are_refused() {
    assert_eq!(refused(|draft| draft.instructions.truncate(2)), Refusal::Count(2));
    assert_eq!(refused(|draft| draft.instructions.extend(vec![memo(b"x"); 3])), Refusal::Count(7));
}

#[test]
fn a_compute_unit_limit_that_is_missing_or_too_high_is_refused() {
    assert_eq!(refused(|draft| draft.instructions.swap(0, 1)), Refusal::NoUnitLimit);
    assert_eq!(refused(|draft| draft.instructions[0].program_id_index = 7), Refusal::NoUnitLimit);
    assert_eq!(refused(|draft| draft.instructions[0].data.push(0)), Refusal::NoUnitLimit);
    assert_eq!(refused(|draft| draft.instructions[0].accounts = vec![2]), Refusal::NoUnitLimit);
    let limit = limit(100_001);
    assert_eq!(refused(|draft| draft.instructions[0] = limit), Refusal::UnitLimit { asked: 100_001, most: 100_000 });
}

/// Else the gateway's lamports would go to whoever makes the block.
#[test]
fn a_compute_unit_price_that_is_missing_or_too_high_is_refused() {
    assert_eq!(refused(|draft| draft.instructions[1] = limit(1)), Refusal::NoUnitPrice);
    assert_eq!(refused(|draft| draft.instructions[1].data.truncate(8)), Refusal::NoUnitPrice);
    assert_eq!(refused(|draft| draft.instructions[1] = price(5_001)), Refusal::UnitPrice { asked: 5_001, most: 5_000 });
}

/// A durable nonce would let a transaction land long after it was given up.
#[test]
fn a_durable_nonce_is_refused() {
    let advance = instruction(8, &[2, 3, 1], &[&4_u32.to_le_bytes()]);
    assert_eq!(refused(|draft| draft.instructions.insert(0, advance)), Refusal::NoUnitLimit);
}

#[test]
fn a_fee_payer_in_any_instructions_accounts_is_refused() {
    for place in 0..4 {
        assert_eq!(refused(|draft| draft.instructions[place].accounts.push(0)), Refusal::FeePayerUsed, "{place}");
        // As a program it does not even read as a transaction.
        assert_eq!(refused(|draft| draft.instructions[place].program_id_index = 0), Refusal::Encoding, "{place}");
    }
    // What opens accounts of Lighthouse, closes them, or calls others.
    for data in [&[0, 1, 255, 0][..], &[1, 1, 255], &[4, 4, 1], &[16, 4, 1], &[17, 4, 1], &[6, 3, 1], &[6, 6, 1], &[6]]
    {
        for place in 0..=4 {
            let write = instruction(8, &[0], &[data]);
            let refusal = refused(|draft| draft.instructions.insert(place, write));
            assert_eq!(refusal, Refusal::FeePayerUsed, "by Lighthouse: {data:?}");
        }
    }
    let two = instruction(8, &[2, 0], &[&[6, 4, 1]]);
    assert_eq!(
        refused(|draft| draft.instructions.push(two)),
        Refusal::FeePayerUsed,
        "an assertion is about one account"
    );
    // The same key once more, under a place of its own.
    let hidden = |draft: &mut Draft| {
        draft.keys.push(public(1));
        draft.instructions[2].accounts[0] = 10;
    };
    assert_eq!(refused(hidden), Refusal::FeePayerUsed);
}

#[test]
fn a_transfer_of_the_fee_payers_own_tokens_is_refused() {
    assert_eq!(refused(|draft| draft.instructions[2].accounts[3] = 0), Refusal::FeePayerUsed, "it as the authority");
    assert_eq!(refused(|draft| draft.instructions[2].accounts[0] = 3), Refusal::Source, "from the account it goes to");
}

#[test]
fn a_transfer_by_anybody_but_the_signer_is_refused() {
    assert_eq!(refused(|draft| draft.instructions[2].accounts[3] = 2), Refusal::Authority);
}

#[test]
fn what_is_no_checked_transfer_is_refused() {
    let plain = instruction(6, &[2, 3, 1], &[&[3], &PRICE.to_le_bytes()]);
    assert_eq!(refused(|draft| draft.instructions[2] = plain), Refusal::NoTransfer, "the one without the mint");
    assert_eq!(refused(|draft| draft.instructions[2].data[0] = 13), Refusal::NoTransfer, "an approval");
    assert_eq!(refused(|draft| draft.instructions[2].data.push(0)), Refusal::NoTransfer, "a longer one");
    assert_eq!(refused(|draft| draft.instructions[2].accounts.push(2)), Refusal::NoTransfer, "a multisig's");
    assert_eq!(refused(|draft| draft.instructions[2].program_id_index = 8), Refusal::NoTransfer, "another program's");
    assert_eq!(refused(|draft| draft.instructions.swap(2, 3)), Refusal::UnknownInstruction(3), "not in its place");
}

#[test]
fn a_transfer_of_another_token_is_refused() {
    assert_eq!(refused(|draft| draft.instructions[2].accounts[1] = 2), Refusal::Mint);
}

#[test]
fn a_transfer_under_the_other_token_program_is_refused() {
    assert_eq!(refused(|draft| draft.instructions[2].program_id_index = 9), Refusal::TokenProgram);
}

#[test]
fn a_transfer_with_other_decimals_is_refused() {
    let decimals = transfer(6, TRANSFERRED, PRICE, 9);
    assert_eq!(refused(|draft| draft.instructions[2] = decimals), Refusal::Decimals { said: 9, are: 6 });
}

#[test]
fn a_transfer_to_somebody_else_is_refused() {
    assert_eq!(refused(|draft| draft.instructions[2].accounts[2] = 2), Refusal::Destination);
}

#[test]
fn one_base_unit_too_little_or_too_much_is_refused() {
    for paid in [PRICE - 1, PRICE + 1, 0, u64::MAX] {
        let transfer = transfer(6, TRANSFERRED, paid, 6);
        assert_eq!(refused(|draft| draft.instructions[2] = transfer), Refusal::Amount { paid, wanted: PRICE });
    }
}

#[test]
fn nothing_but_guards_and_memos_may_follow_the_transfer() {
    let second = transfer(6, TRANSFERRED, 1, 6);
    assert_eq!(refused(|draft| draft.instructions.push(second)), Refusal::UnknownInstruction(4));
    assert_eq!(refused(|draft| draft.instructions.push(price(1))), Refusal::UnknownInstruction(4));
}

#[test]
fn a_memo_that_is_too_long_or_no_text_or_somebody_elses_is_refused() {
    assert_eq!(refused(|draft| draft.instructions[3] = memo(&[b'x'; 257])), Refusal::Memo);
    assert_eq!(refused(|draft| draft.instructions[3] = memo(&[0xff])), Refusal::Memo);
    assert_eq!(refused(|draft| draft.instructions[3].accounts = vec![2]), Refusal::Memo);
    let mut own = good();
    own.instructions[3].accounts = vec![1];
    assert!(own.verify().is_ok(), "the payer may sign it");
}
