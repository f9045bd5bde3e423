//! Who plays: people, their keys, and the token accounts they use.

use joule_sdk::{pda, Keypair, Pubkey, Signer};
use joule_tests::key;
use std::collections::BTreeMap;

/// How many people there are.
pub const PEOPLE: usize = 10;
/// Tokens: one of each token program.
pub const TOKENS: usize = 2;

/// A token that the protocol accepts.
#[derive(Clone, Copy)]
pub struct Token {
    pub mint: Pubkey,
    pub program: Pubkey,
    pub accepted: Pubkey,
    pub fee_vault: Pubkey,
    pub pool: Pubkey,
    pub pool_vault: Pubkey,
}

/// A key that owns token accounts, two of each token: the usual one, and one at an address of its own.
pub struct Holder {
    pub key: Pubkey,
    pub accounts: [[Pubkey; 2]; TOKENS],
}

/// Somebody with a hot key that signs for work and a cold one that is paid. Everybody may be client, provider and thief.
#[derive(Clone, Copy)]
pub struct Person {
    pub hot: Pubkey,
    pub cold: Pubkey,
    pub client: Pubkey,
    pub provider: Pubkey,
}

/// Everybody. The holders are the people's hot and cold keys in turn.
pub struct Cast {
    pub tokens: Vec<Token>,
    pub people: Vec<Person>,
    pub holders: Vec<Holder>,
    /// Sign what people promise off chain, one for each.
    pub sessions: Vec<Pubkey>,
    /// Of sessions and hot keys, which sign more than transactions.
    pens: BTreeMap<Pubkey, Keypair>,
    /// Pays every transaction fee, and the rent of token accounts.
    pub crank: Pubkey,
    /// Governs the protocol at first, and issues the tokens for ever.
    pub authority: Pubkey,
    /// Whom the authority may hand the protocol over to.
    pub deputy: Pubkey,
    pub guardian: Pubkey,
    /// Whose word about providers counts.
    pub attestors: [Pubkey; 2],
}

impl Cast {
    pub fn new(tokens: Vec<Token>, crank: Pubkey, authority: Pubkey, guardian: Pubkey) -> Self {
        let person = |number: usize| {
            let (hot, cold) = (key(&format!("hot {number}")).pubkey(), key(&format!("cold {number}")).pubkey());
            Person { hot, cold, client: pda::client(&hot), provider: pda::provider(&hot) }
        };
        let people: Vec<Person> = (0..PEOPLE).map(person).collect();
        let holder = |key: Pubkey, name: String| {
            let extra = |token: usize| joule_tests::key(&format!("{name} {token}")).pubkey();
            let usual = |token: usize| {
                let Token { mint, program, .. } = &tokens[token];
                pda::associated_token(&key, mint, program)
            };
            Holder { key, accounts: [0, 1].map(|token| [usual(token), extra(token)]) }
        };
        let holders = people.iter().enumerate().flat_map(|(number, person)| {
            [holder(person.hot, format!("hot {number} extra")), holder(person.cold, format!("cold {number} extra"))]
        });
        let holders = holders.collect();
        let sessions: Vec<Keypair> = (0..PEOPLE).map(|number| key(&format!("session {number}"))).collect();
        let hot = (0..PEOPLE).map(|number| key(&format!("hot {number}")));
        let pens = sessions.iter().map(|session| session.insecure_clone()).chain(hot);
        let pens = pens.map(|pen| (pen.pubkey(), pen)).collect();
        let sessions = sessions.iter().map(|session| session.pubkey()).collect();
        let attestors = ["first attestor", "second attestor"].map(|name| key(name).pubkey());
        let deputy = key("deputy").pubkey();
        Self { people, holders, sessions, pens, crank, authority, deputy, guardian, attestors, tokens }
    }

    pub fn holder(&self, key: &Pubkey) -> Option<&Holder> {
        self.holders.iter().find(|holder| holder.key == *key)
    }

    /// The key itself, of whoever signs messages.
    pub fn pen(&self, key: &Pubkey) -> Option<&Keypair> {
        self.pens.get(key)
    }

    /// Which token a mint is.
    pub fn token(&self, mint: &Pubkey) -> Option<usize> {
        self.tokens.iter().position(|token| token.mint == *mint)
    }

    /// Everybody whose signature can be had.
    pub fn keys(&self) -> Vec<Pubkey> {
        let mut keys: Vec<Pubkey> = self.holders.iter().map(|holder| holder.key).collect();
        keys.extend([self.crank, self.authority, self.deputy, self.guardian]);
        keys.extend(self.attestors);
        keys
    }
}
