//! What strangers do at our programs' addresses, and what nobody can read: none of it may stop or mislead whoever follows.

use super::{Engine, Fate};
use crate::{
    kinds, programs,
    scale::{
        blob::{Blob, Filling},
        random::{mixed, signature},
        slots::{Content, Place},
        updates::{put_account, put_transaction, Account},
    },
    truth::{EventRow, Letter},
};
use anchor_lang::event::EVENT_IX_TAG_LE;
use anyhow::Result;
use yellowstone_grpc_proto::{
    prelude::{
        CompiledInstruction, InnerInstruction, InnerInstructions, Message, MessageHeader,
        SubscribeUpdateTransactionInfo, Transaction, TransactionError, TransactionStatusMeta,
    },
    prost::Message as _,
};

/// Strangers' accounts that are written again.
const KNOWN: usize = 64;
/// Places of a stranger's transaction among its addresses.
const PAYER: u8 = 0;
const BYSTANDER: u8 = 1;
const OWN_PROGRAM: u8 = 2;
const OUR_PROGRAM: u8 = 3;
const AUTHORITY: u8 = 4;

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// Names one of our programs and calls its own, with what would be an event if it were ours.
    Names,
    /// Calls one of ours with bytes that mean nothing, and fails, an event among what it did before.
    Fails,
    /// A program of ours is called with bytes that mean nothing, and with an event that another account signs.
    Forges,
    /// Our program states what only a later version of it knows.
    LaterEvent,
    /// Our program states a known event that is too short or too long.
    MalformedEvent,
    /// The transaction has a form that nobody knows yet: what it calls stands elsewhere.
    LaterForm,
    /// An account of our program that it never made: anybody may make one.
    Account,
    /// The same, or lamports for one, without a word of our program: the system program does both.
    Unnamed,
}

const DOINGS: [Doing; 7] = [
    Doing::Names,
    Doing::Fails,
    Doing::Forges,
    Doing::LaterEvent,
    Doing::MalformedEvent,
    Doing::LaterForm,
    Doing::Account,
];

impl Engine<'_> {
    /// One thing that a stranger does, in a transaction of its own.
    pub(super) fn strange(&mut self, place: &Place, content: &mut Content, fate: Fate) -> Result<()> {
        let doing = match self.random.chance(self.mix.unnamed) {
            true => Doing::Unnamed,
            false => DOINGS[self.random.below(DOINGS.len() as u64) as usize],
        };
        self.signatures += 1;
        let name = [self.seed, self.signatures, 0x5742, 2];
        let signature = signature(name);
        let program = self.random.below(programs::ALL.len() as u64) as usize;
        let mut info = self.transaction(doing, program, name, signature);
        if matches!(doing, Doing::Account | Doing::Unnamed) {
            let is_new = self.strangers.is_empty() || self.random.chance(0.5);
            // Only its program writes what is there; lamports anybody may give.
            let gives = doing == Doing::Unnamed && !is_new;
            let address = self.account(program, is_new, gives, &signature, name, place, content, fate)?;
            if let Some(message) = info.transaction.as_mut().and_then(|transaction| transaction.message.as_mut()) {
                message.account_keys[usize::from(BYSTANDER)] = address.to_vec();
            }
        }
        let of = (self.random.draw() >> 11) as f64 / (1u64 << 53) as f64;
        let info = self.mix.version(of).of(&info);
        let filling = Filling { seed: self.seed, world: 0, story: 0, shift: 0, signature };
        put_transaction(content, place, &Blob::fixed(info.encode_to_vec()), &filling);
        if fate == Fate::Dies {
            return Ok(());
        }
        self.summary.transactions += 1;
        match doing {
            Doing::LaterEvent | Doing::MalformedEvent => {
                self.truth.event(&EventRow { signature, instruction: 0, inner: 0 })?;
                self.truth.letter(&Letter::Event { signature, instruction: 0, inner: 0 })
            }
            Doing::LaterForm => self.truth.letter(&Letter::Transaction(signature)),
            _ => Ok(()),
        }
    }

    fn transaction(
        &mut self,
        doing: Doing,
        program: usize,
        name: [u64; 4],
        signature: [u8; 64],
    ) -> SubscribeUpdateTransactionInfo {
        let key = |n: u64| mixed([name[0], name[1], n, 0x57a6]).to_vec();
        let (ours, authority) = match doing {
            Doing::Unnamed => (key(4), key(5)),
            _ => (programs::ALL[program].to_vec(), programs::event_authorities()[program].to_vec()),
        };
        let account_keys = vec![key(0), key(1), key(2), ours, authority];
        let (instruction, event) = (self.bytes(40), self.event(doing));
        let calls = |program_id_index: u8, accounts: &[u8], data: &[u8]| InnerInstruction {
            program_id_index: program_id_index.into(),
            accounts: accounts.to_vec(),
            data: data.to_vec(),
            stack_height: Some(2),
        };
        let (called, inner) = match doing {
            Doing::Names | Doing::Account | Doing::Unnamed => {
                (OWN_PROGRAM, vec![calls(OWN_PROGRAM, &[AUTHORITY], &event)])
            }
            Doing::Fails => (OUR_PROGRAM, vec![calls(OUR_PROGRAM, &[AUTHORITY], &event)]),
            Doing::Forges => (
                OWN_PROGRAM,
                vec![
                    calls(OUR_PROGRAM, &[BYSTANDER, PAYER], &instruction),
                    calls(OUR_PROGRAM, &[BYSTANDER], &event),
                    calls(OUR_PROGRAM, &[AUTHORITY, BYSTANDER], &event),
                    calls(OUR_PROGRAM, &[], EVENT_IX_TAG_LE),
                ],
            ),
            Doing::LaterEvent | Doing::MalformedEvent => {
                (OUR_PROGRAM, vec![calls(OUR_PROGRAM, &[AUTHORITY], &event), calls(OWN_PROGRAM, &[], &instruction)])
            }
            Doing::LaterForm => (OUR_PROGRAM, vec![calls(200, &[AUTHORITY], &event)]),
        };
        let outer = CompiledInstruction {
            program_id_index: called.into(),
            accounts: vec![PAYER, BYSTANDER, OUR_PROGRAM],
            data: instruction,
        };
        let message = Message {
            header: Some(MessageHeader {
                num_required_signatures: 1,
                num_readonly_signed_accounts: 0,
                num_readonly_unsigned_accounts: 3,
            }),
            account_keys,
            recent_blockhash: key(3),
            instructions: vec![outer],
            ..Default::default()
        };
        let meta = TransactionStatusMeta {
            // `InstructionError(0, Custom(1))`, as bincode has it.
            err: (doing == Doing::Fails)
                .then(|| TransactionError { err: vec![8, 0, 0, 0, 0, 25, 0, 0, 0, 1, 0, 0, 0] }),
            fee: 5_000,
            inner_instructions: vec![InnerInstructions { index: 0, instructions: inner }],
            ..Default::default()
        };
        SubscribeUpdateTransactionInfo {
            signature: signature.to_vec(),
            is_vote: false,
            transaction: Some(Transaction { signatures: vec![signature.to_vec()], message: Some(message) }),
            meta: Some(meta),
            index: 0,
        }
    }

    /// What follows in an instruction that states an event, or would.
    fn event(&mut self, doing: Doing) -> Vec<u8> {
        let opened = <joule_escrow::event::JobOpened as anchor_lang::Discriminator>::DISCRIMINATOR;
        let whole = size_of::<joule_escrow::event::JobOpened>();
        let (head, length) = match doing {
            Doing::LaterEvent => (&b"later on"[..], self.random.below(300) as usize),
            Doing::MalformedEvent if self.random.chance(0.5) => (opened, self.random.below(whole as u64) as usize),
            Doing::MalformedEvent => (opened, whole + 1 + self.random.below(64) as usize),
            _ => (opened, whole),
        };
        [EVENT_IX_TAG_LE, head, &self.bytes(length)].concat()
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.random.draw() as u8).collect()
    }

    /// Writes an account that no program of ours has made, a new one or one of before, and says which. Where it `gives`, what is there
    /// keeps its bytes.
    #[allow(clippy::too_many_arguments)]
    fn account(
        &mut self,
        program: usize,
        is_new: bool,
        gives: bool,
        signature: &[u8; 64],
        name: [u64; 4],
        place: &Place,
        content: &mut Content,
        fate: Fate,
    ) -> Result<[u8; 32]> {
        let place_of = self.random.below(self.strangers.len() as u64) as usize;
        let (address, program, before) = match is_new {
            true => (mixed([name[0], name[1], 0, 0xacc0]), program, Vec::new()),
            false => self.strangers[place_of].clone(),
        };
        // Nothing, a kind that nobody knows, or a known one that is too short or too long.
        let job = <joule_escrow::state::Job as anchor_lang::Discriminator>::DISCRIMINATOR;
        let length = self.random.below(900) as usize;
        let data = match self.random.below(3) {
            _ if gives => before,
            0 => vec![0; length],
            1 => [&b"later on"[..], &self.bytes(length)].concat(),
            _ => [job, &self.bytes(length.min(size_of::<joule_escrow::state::Job>() - 1))].concat(),
        };
        debug_assert!(data.len() < 8 || kinds::account(&data).is_none() || data.starts_with(job));
        self.writes += 1;
        let lamports = 890_880 + self.random.below(1 << 40);
        let owner = programs::ALL[program];
        let write_version = self.writes;
        let account = Account { address, owner, lamports, data: &data, write_version, signature: Some(signature) };
        put_account(&mut content.bytes, place, &account);
        content.end();
        if fate == Fate::Dies {
            return Ok(address);
        }
        let (last, first) = self.shared.get(address);
        last.write(place.slot, self.writes, Some((lamports, &data)), false);
        self.summary.account_updates += 1;
        self.new += u64::from(first);
        let made = (address, program, data);
        if !first {
            self.strangers[place_of] = made;
            return Ok(address);
        }
        self.truth.letter(&Letter::Account(address))?;
        let kept = self.strangers.len();
        if kept < KNOWN {
            self.strangers.push(made);
        } else {
            self.strangers[self.random.below(kept as u64) as usize] = made;
        }
        Ok(address)
    }
}
