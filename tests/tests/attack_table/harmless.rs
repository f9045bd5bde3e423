//! What looks like an attack and is meant to work: the one list, with the reason why nobody is hurt.

use std::collections::BTreeSet;

/// Attacks on some accounts in some scenes of a program.
struct Harmless {
    program: &'static str,
    scenes: &'static [&'static str],
    accounts: &'static [&'static str],
    mutations: &'static [&'static str],
    /// Whether whoever is put there is meant to receive something.
    gains: bool,
    reason: &'static str,
}

/// How an account is made unable to receive. The last two cannot happen on a chain.
const BROKEN: &[&str] = &["Frozen", "Closed", "ClosedAndPrefunded", "Truncated", "Beheaded"];
/// What may stand in the place of a payee that was not paid at once.
const NOT_NAMED: &[&str] = &[
    "ForeignOwner",
    "OtherHolder",
    "OtherMint",
    "SomebodyElses",
    "Twin",
    "Uninitialised",
    "Wallet",
    "DuplicateOf(fee_vault)",
    "DuplicateOf(rent_payer)",
];

#[rustfmt::skip]
const LIST: &[Harmless] = &[
    Harmless {
        program: "treasury", scenes: &["update_mint"], accounts: &["accepted_mint"],
        mutations: &["SomebodyElses"], gains: false,
        reason: "the authority governs every accepted mint",
    },
    Harmless {
        program: "treasury", scenes: &["withdraw_fees"], accounts: &["destination"],
        mutations: &["OtherHolder", "HandedOver", "Twin", "SomebodyElses"], gains: true,
        reason: "the authority may send fees wherever it wants",
    },
    Harmless {
        program: "registry", scenes: &["register"], accounts: &["payer"],
        mutations: &["OtherSigner"], gains: false,
        reason: "a sponsor may pay the rent, and signs for it",
    },
    Harmless {
        program: "escrow", scenes: &["open", "open (first of a client)"], accounts: &["payer"],
        mutations: &["OtherSigner"], gains: false,
        reason: "a sponsor may pay the rent, and signs for it",
    },
    Harmless {
        program: "escrow", scenes: &["open", "open (first of a client)"], accounts: &["source"],
        mutations: &["Twin"], gains: false,
        reason: "the client pays out of whichever account of its own it likes",
    },
    Harmless {
        program: "escrow", scenes: &["open", "open (first of a client)"], accounts: &["refund"],
        mutations: &["OtherHolder", "Twin", "SomebodyElses"], gains: false,
        reason: "the client may name anybody's account for its refund, and answers for it",
    },
    Harmless {
        program: "escrow", scenes: &["accept"], accounts: &["job"],
        mutations: &["SomebodyElses"], gains: false,
        reason: "a provider may accept any open job",
    },
    Harmless {
        program: "escrow", scenes: &["accept"], accounts: &["payout"],
        mutations: &["Twin"], gains: false,
        reason: "any account of the payout owner will do",
    },
    Harmless {
        program: "escrow", scenes: &["redirect"], accounts: &["account"],
        mutations: &["OtherHolder", "HandedOver", "Twin", "SomebodyElses"], gains: false,
        reason: "the client may name anybody's account for its refund, and answers for it",
    },
    Harmless {
        program: "escrow", scenes: &["redirect (payout)"], accounts: &["account"],
        mutations: &["Twin"], gains: false,
        reason: "any account of the payout owner will do",
    },
    Harmless {
        program: "escrow", scenes: &["approve", "settle", "settle (debts)"], accounts: &["payout", "fee_vault", "refund"],
        mutations: BROKEN, gains: false,
        reason: "who cannot receive is owed, and keeps nobody else waiting",
    },
    Harmless {
        program: "escrow", scenes: &["cancel", "expire"], accounts: &["refund"],
        mutations: BROKEN, gains: false,
        reason: "who cannot receive is owed, and keeps nobody else waiting",
    },
    Harmless {
        program: "escrow", scenes: &["approve", "settle", "settle (debts)"], accounts: &["payout"],
        mutations: &["HandedOver", "MadeAgain"], gains: false,
        reason: "the provider's part waits for an account that the payout owner owns",
    },
    Harmless {
        program: "escrow", scenes: &["approve", "settle", "settle (debts)", "cancel", "expire"], accounts: &["refund"],
        mutations: &["MadeAgain"], gains: false,
        reason: "who cannot receive is owed, and keeps nobody else waiting",
    },
    Harmless {
        program: "escrow", scenes: &["approve", "settle", "settle (debts)", "cancel", "expire", "expire (debts)"],
        accounts: &["refund"], mutations: &["HandedOver"], gains: true,
        reason: "the client may name anybody's account for its refund, and answers for it",
    },
    Harmless {
        program: "escrow", scenes: &["settle (debts)"], accounts: &["payout", "refund"],
        mutations: NOT_NAMED, gains: false,
        reason: "a later payment leaves out an account that the job does not name, and pays the other payee",
    },
    Harmless {
        program: "escrow", scenes: &["settle (debts)"], accounts: &["payout"],
        mutations: &["DuplicateOf(refund)"], gains: false,
        reason: "a later payment leaves out an account that the job does not name, and pays the other payee",
    },
    Harmless {
        program: "escrow", scenes: &["settle (debts)"], accounts: &["refund"],
        mutations: &["DuplicateOf(payout)"], gains: false,
        reason: "a later payment leaves out an account that the job does not name, and pays the other payee",
    },
];

impl Harmless {
    /// Program, scene, account, mutation.
    fn keys(&self) -> Vec<[String; 4]> {
        let mut keys = Vec::new();
        for scene in self.scenes {
            for account in self.accounts {
                for mutation in self.mutations {
                    keys.push([self.program, scene, account, mutation].map(str::to_owned));
                }
            }
        }
        keys
    }
}

pub fn is_listed(key: &[String; 4]) -> bool {
    LIST.iter().any(|entry| entry.keys().contains(key))
}

/// Whether the account that is put there is meant to receive something.
pub fn may_gain(key: &[String; 4]) -> bool {
    LIST.iter().any(|entry| entry.gains && entry.keys().contains(key))
}

/// Entries that call harmless what is in fact refused.
pub fn untrue(succeeded: &BTreeSet<[String; 4]>) -> Vec<String> {
    let said = |entry: &'static Harmless| entry.keys().into_iter().map(|key| (key, entry.reason));
    LIST.iter()
        .flat_map(said)
        .filter(|(key, _)| !succeeded.contains(key))
        .map(|(key, reason)| {
            format!("{}: harmless.rs says \"{reason}\", but it is refused or not tried", key.join(", "))
        })
        .collect()
}
