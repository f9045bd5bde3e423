//! A chain that takes transactions, with every fault; and the transactions that clients pay with.

use super::{key, World, CLUSTER};
use base64::{engine::general_purpose::STANDARD, Engine as _};
use futures::future::BoxFuture;
use joule_gateway::{Cashier, House, Purse};
use joule_sdk::{
    token_program,
    transaction::{self, v0, CompiledInstruction, Fate, MessageHeader, VersionedMessage, VersionedTransaction},
    Pubkey, SdkError, Signature,
};
use joule_units::Amount;
use joule_voucher::sign;
use joule_x402::{decode, exact, network, PaymentRequired, PAYMENT_REQUIRED};
use serde_json::{json, Value};
use std::{
    collections::HashSet,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc, Mutex,
    },
};

/// What a chain does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    Fair,
    /// Answers nobody.
    Down,
    /// Says beforehand that it will come to nothing.
    Forbidding,
    /// Turns away what it had let through when it was asked.
    Fickle,
    /// Takes it into a block, where it fails.
    Failing,
    /// Takes it, and is not heard of again.
    Silent,
    /// Breaks off while it takes it, and has taken it all the same.
    Breaking,
}

/// What was sent lies here, and outlives a gateway.
pub struct Chain {
    pub weather: Mutex<Weather>,
    landed: Mutex<HashSet<Signature>>,
    /// Transactions in the order in which they came.
    pub sent: Mutex<Vec<VersionedTransaction>>,
    rehearsed: AtomicUsize,
}

impl Chain {
    pub fn new(weather: Weather) -> Arc<Self> {
        Arc::new(Self {
            weather: weather.into(),
            landed: Mutex::default(),
            sent: Mutex::default(),
            rehearsed: AtomicUsize::default(),
        })
    }

    pub fn times_sent(&self) -> usize {
        self.sent.lock().unwrap().len()
    }

    pub fn times_rehearsed(&self) -> usize {
        self.rehearsed.load(Ordering::SeqCst)
    }

    fn weather(&self) -> Weather {
        *self.weather.lock().unwrap()
    }
}

fn refused(reason: &str) -> SdkError {
    SdkError::Refused { reason: reason.into(), logs: Vec::new() }
}

fn unreachable() -> SdkError {
    SdkError::Unconfirmed { signature: "nobody answers".into() }
}

/// The token account of the client with this seed.
fn source(client: u8) -> Pubkey {
    let mut address = [41; 32];
    address[1] = client;
    Pubkey::new_from_array(address)
}

/// Clients from this one on have no tokens.
pub const POOR: u8 = 100;

impl Cashier for Chain {
    fn purses<'a>(&'a self, addresses: &'a [Pubkey]) -> BoxFuture<'a, Result<Vec<Option<Purse>>, SdkError>> {
        let all = addresses.iter().map(|found| {
            let client = found.to_bytes()[1];
            (*found == source(client) && client < POOR).then(|| Purse {
                program: token_program::CLASSIC,
                mint: address(4),
                owner: public(client),
                delegate: None,
                amount: Amount::new(u64::MAX),
            })
        });
        let all = all.collect();
        Box::pin(async move {
            match self.weather() {
                Weather::Down => Err(unreachable()),
                _ => Ok(all),
            }
        })
    }

    fn fate<'a>(&'a self, signature: &'a Signature) -> BoxFuture<'a, Result<Fate, SdkError>> {
        Box::pin(async move {
            let landed = self.landed.lock().unwrap().contains(signature);
            match self.weather() {
                Weather::Down => Err(unreachable()),
                Weather::Failing if landed => Ok(Fate::Failed(refused("insufficient funds"))),
                _ if landed => Ok(Fate::Confirmed),
                _ => Ok(Fate::Unknown),
            }
        })
    }

    fn rehearse<'a>(&'a self, _: &'a VersionedTransaction) -> BoxFuture<'a, Result<(), SdkError>> {
        self.rehearsed.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            match self.weather() {
                Weather::Down => Err(unreachable()),
                Weather::Forbidding => Err(refused("insufficient funds")),
                _ => Ok(()),
            }
        })
    }

    fn hand_in<'a>(&'a self, transaction: &'a VersionedTransaction) -> BoxFuture<'a, Result<(), SdkError>> {
        Box::pin(async move {
            self.sent.lock().unwrap().push(transaction.clone());
            match self.weather() {
                Weather::Fickle => return Err(refused("insufficient funds")),
                Weather::Silent => return Ok(()),
                _ => drop(self.landed.lock().unwrap().insert(transaction.signatures[0])),
            }
            match self.weather() {
                Weather::Breaking => Err(unreachable()),
                _ => Ok(()),
            }
        })
    }
}

/// The channel with this seed is a house's.
pub const HOUSE: u8 = 30;
/// Base units that it can carry.
pub const ROOM: u64 = 10_000;

fn address(seed: u8) -> Pubkey {
    Pubkey::new_from_array([seed; 32])
}

fn public(seed: u8) -> Pubkey {
    Pubkey::new_from_array(key(seed).verifying_key().to_bytes())
}

pub fn house() -> House {
    House {
        channel: address(HOUSE),
        mint: address(4),
        token_program: token_program::CLASSIC,
        decimals: 6,
        destination: address(40),
    }
}

impl World {
    /// A client without a channel is told these terms; `None` when it cannot pay so.
    pub async fn exact_terms(&self, body: &Value) -> Option<exact::Requirements> {
        let call = self.http.post(format!("{}/v1/chat/completions", self.url)).body(body.to_string());
        let answer = call.send().await.unwrap();
        let required: PaymentRequired = decode(answer.headers()[PAYMENT_REQUIRED].as_bytes()).unwrap();
        required.accepts.iter().find_map(|terms| terms.exact()).cloned()
    }
}

/// A transfer of `amount` by the client with this seed; `nonce` makes it another one than the last.
pub fn transfer(client: u8, amount: u64, nonce: u8) -> String {
    guarded(client, amount, nonce, 0)
}

/// The same with so many assertions of Lighthouse: that the fee payer has at least 1,000 lamports.
pub fn guarded(client: u8, amount: u64, nonce: u8, guards: usize) -> String {
    let program = |name: &str| name.parse::<Pubkey>().unwrap();
    let keys = vec![
        public(200),
        public(client),
        source(client),
        address(40),
        address(4),
        program("ComputeBudget111111111111111111111111111111"),
        token_program::CLASSIC,
        program("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"),
        program("L2TExMFKdjpN9kozasaurPirfHy9P8sbXoAN1qA3S95"),
    ];
    let instruction = |program_id_index, accounts: &[u8], data: &[&[u8]]| CompiledInstruction {
        program_id_index,
        accounts: accounts.to_vec(),
        data: data.concat(),
    };
    let guard = instruction(8, &[0], &[&[5, 4, 0], &1_000_u64.to_le_bytes(), &[4]]);
    let instructions = [
        vec![
            instruction(5, &[], &[&[2], &20_000_u32.to_le_bytes()]),
            instruction(5, &[], &[&[3], &1_u64.to_le_bytes()]),
            instruction(6, &[2, 4, 3, 1], &[&[12], &amount.to_le_bytes(), &[6]]),
            instruction(7, &[], &[&[b'0' + nonce / 10, b'0' + nonce % 10]]),
        ],
        vec![guard; guards],
    ];
    let message = VersionedMessage::V0(v0::Message {
        header: MessageHeader {
            num_required_signatures: 2,
            num_readonly_signed_accounts: 1,
            num_readonly_unsigned_accounts: 5,
        },
        account_keys: keys,
        instructions: instructions.concat(),
        ..v0::Message::default()
    });
    let signature = sign(&key(client), &message.serialize());
    let transaction = VersionedTransaction { signatures: vec![[0; 64].into(), signature.into()], message };
    STANDARD.encode(transaction::write(&transaction))
}

/// As a header's value.
pub fn payment(transaction: &str) -> String {
    let accepted = json!({"scheme": "exact", "network": network(&CLUSTER.genesis), "extra": {"feePayer": "repeated"}});
    joule_x402::encode(&json!({"x402Version": 2, "accepted": accepted, "payload": {"transaction": transaction}}))
}
