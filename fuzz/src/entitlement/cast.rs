//! Who is there: people by what they do, some of them honest, the others one gang that signs for one another.

use fastrand::Rng;
use joule_sdk::{pda, Keypair, Pubkey, Signer};
use joule_tests::key;

/// What somebody does when honest. A rogue does whatever its key can sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Client,
    /// Runs jobs, sells by the request, and judges in quorums.
    Worker,
    /// Judges in panels.
    Resolver,
    Challenger,
    Payer,
    Staker,
    /// Publishes requirements that others use.
    Publisher,
    Attestor,
    /// Governs the protocol.
    Authority,
    Guardian,
    /// Of models.
    Creator,
    /// Never honest, with a bond.
    Accomplice,
}

use Role::*;

const CROWD: [(Role, &str, usize); 12] = [
    (Client, "client", 2),
    (Worker, "worker", 6),
    (Resolver, "resolver", 8),
    (Challenger, "challenger", 2),
    (Payer, "payer", 2),
    (Staker, "staker", 1),
    (Publisher, "publisher", 1),
    (Attestor, "attestor", 2),
    (Authority, "authority", 1),
    (Guardian, "guardian", 1),
    (Creator, "creator", 1),
    (Accomplice, "accomplice", 3),
];

pub struct Person {
    pub role: Role,
    pub name: String,
    pub key: Pubkey,
    /// The one token account.
    pub tokens: Pubkey,
    /// Signs what is promised off chain to be paid.
    pub session: Pubkey,
    pub is_rogue: bool,
    pen: Keypair,
    session_pen: Keypair,
}

impl Person {
    pub fn has_bond(&self) -> bool {
        matches!(self.role, Worker | Resolver | Accomplice)
    }

    pub fn is_provider(&self) -> bool {
        matches!(self.role, Worker | Accomplice)
    }

    pub fn pays_by_request(&self) -> bool {
        matches!(self.role, Payer | Accomplice)
    }
}

pub struct Cast {
    pub people: Vec<Person>,
    /// Pays the transactions' fees, and is nobody.
    pub crank: Pubkey,
    pub mint: Pubkey,
    pub program: Pubkey,
}

impl Cast {
    pub fn new(mint: Pubkey, program: Pubkey, crank: Pubkey) -> Self {
        let people = CROWD.iter().flat_map(|(role, name, count)| {
            (0..*count).map(move |number| {
                // The authority and the guardian are those that the world was made with.
                let name = if *count == 1 { name.to_string() } else { format!("{name} {number}") };
                let (pen, session_pen) = (key(&name), key(&format!("{name}'s session")));
                Person {
                    role: *role,
                    key: pen.pubkey(),
                    tokens: pda::associated_token(&pen.pubkey(), &mint, &program),
                    session: session_pen.pubkey(),
                    name,
                    is_rogue: *role == Accomplice,
                    pen,
                    session_pen,
                }
            })
        });
        Self { people: people.collect(), crank, mint, program }
    }

    /// Decides who is in the gang this time.
    pub fn corrupt(&mut self, rng: &mut Rng) {
        let percent = [0, 15, 30, 50][rng.usize(..4)];
        for person in &mut self.people {
            let percent = match person.role {
                Accomplice => 100,
                Authority | Attestor | Publisher | Guardian => 60,
                Creator => 25,
                _ => percent,
            };
            person.is_rogue = rng.u32(..100) < percent;
        }
    }

    pub fn of(&self, key: &Pubkey) -> Option<&Person> {
        self.people.iter().find(|person| person.key == *key)
    }

    /// Whether somebody with this key has sworn to do as the documents ask.
    pub fn is_honest(&self, key: &Pubkey) -> bool {
        self.of(key).is_some_and(|person| !person.is_rogue)
    }

    pub fn is_rogue(&self, key: &Pubkey) -> bool {
        self.of(key).is_some_and(|person| person.is_rogue)
    }

    pub fn name(&self, key: &Pubkey) -> String {
        self.of(key).map_or_else(|| key.to_string(), |person| person.name.clone())
    }

    pub fn with(&self, role: Role) -> impl Iterator<Item = &Person> {
        self.people.iter().filter(move |person| person.role == role)
    }

    pub fn one(&self, role: Role) -> &Person {
        self.with(role).next().expect("everybody has a part")
    }

    /// The key itself, of whoever signs messages.
    pub fn pen(&self, key: &Pubkey) -> Option<&Keypair> {
        self.people.iter().find_map(|person| match (person.key == *key, person.session == *key) {
            (true, _) => Some(&person.pen),
            (_, true) => Some(&person.session_pen),
            _ => None,
        })
    }
}
