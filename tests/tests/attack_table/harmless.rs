//! What looks like an attack and is meant to work: the one list, with the reason why nobody is hurt.

use std::collections::BTreeSet;

/// Attacks on some accounts in some scenes of a program: every one of them on every one.
struct Harmless {
    program: &'static str,
    scenes: &'static [&'static str],
    accounts: &'static [&'static str],
    mutations: &'static [&'static str],
    /// Whether whoever is put there is meant to receive something.
    gains: bool,
    reason: &'static str,
}

type Names = &'static [&'static str];

const fn row(
    program: &'static str,
    scenes: Names,
    accounts: Names,
    mutations: Names,
    reason: &'static str,
) -> Harmless {
    Harmless { program, scenes, accounts, mutations, gains: false, reason }
}

const fn gain(
    program: &'static str,
    scenes: Names,
    accounts: Names,
    mutations: Names,
    reason: &'static str,
) -> Harmless {
    Harmless { gains: true, ..row(program, scenes, accounts, mutations, reason) }
}

/// How an account is made unable to receive. The last two cannot happen on a chain.
const BROKEN: Names = &["Frozen", "Closed", "ClosedAndPrefunded", "Truncated", "Beheaded"];
const CLOSED: Names = &["Closed", "ClosedAndPrefunded"];
/// Somebody's account of the right mint.
const ANY_ACCOUNT: Names = &["OtherHolder", "Twin", "SomebodyElses"];
/// What is not the account at all.
const NOT_IT: Names = &["ForeignOwner", "OtherHolder", "OtherMint", "SomebodyElses", "Twin", "Uninitialised", "Wallet"];
const STOPPED: &str =
    "what is not paid now is owed, and `pay` pays it: a redirect in front of it must not keep the work going";
const OTHER_PROGRAM: Names = &["Wallet", "Uninitialised", "OtherProgram", "DuplicateOf(payer)"];
const OPENS: Names = &["open", "open (first of a client)", "open (requirements, stake)"];
const PLAIN_OPENS: Names = &["open", "open (first of a client)"];
const ACCEPTS: Names = &["accept", "accept (credential)", "accept (no credential)"];
const BIDS: Names = &["place_bid", "place_bid (credential)"];
const VOTES: Names = &["commit_vote", "commit_vote (attested)", "commit_seat", "commit_seat (appeal)"];
/// Runs in which an account is left out.
const PROGRAM_PASSED_TWICE: Names =
    &["open", "open (first of a client)", "accept", "accept (no credential)", "place_bid", "commit_vote", "challenge"];
const BROKEN_MINT: Names = &["Closed", "ClosedAndPrefunded", "Truncated", "Beheaded"];
/// Whatever is no claim, or another one.
const NO_CLAIM: Names = &[
    "Beheaded",
    "Closed",
    "ClosedAndPrefunded",
    "ForeignOwner",
    "SomebodyElses",
    "Truncated",
    "Uninitialised",
    "Wallet",
    "WrongDiscriminator",
];
const RESOLVES: Names = &["resolve (counter)", "resolve (stands)", "resolve (appeal)"];
const EARNED: Names = &["approve", "settle", "stop"];
const RIGHT_VOTES: Names = &["close_vote (right)", "close_vote (right, of a panel)"];
const LOST_VOTES: Names = &["close_vote (wrong)", "close_vote (wrong, of a panel)"];
const LET_GO: Names = &[
    "approve",
    "settle",
    "stop",
    "fail",
    "resolve (counter)",
    "resolve (stands)",
    "resolve (appeal)",
    "close_vote (right)",
    "close_vote (wrong)",
    "close_vote (wrong, of a panel)",
    "punish_absent",
    "withdraw_bid",
    "withdraw_bid (lost)",
];
const UNPAID: &str = "who cannot receive is owed, and keeps nobody else waiting";
const ANYWHERE: &str = "whoever is refunded or rewarded may name anybody's account, and answers for it";
const NOT_OWED: &str = "a later payment leaves out an account that the job does not name, and pays the others";
const OWN_SOURCE: &str = "whoever pays does so out of whichever account of its own it likes";
const OWN_PAYOUT: &str = "any account of the payout owner will do";
const SPONSOR: &str = "a sponsor may pay the rent, and signs for it";
const KEEPS_SEAT: &str = "a member that did nothing wrong keeps its seat, and nobody looks at the claim";
const NO_SLASH: &str = "nothing is slashed, and nobody looks at it";
const GOVERNS: &str = "the authority governs every one of them";
const CHOSEN: &str = "whoever may take it out may send it wherever it wants";
const UNDEMANDED: &str = "where nothing is demanded nobody looks at what is shown";
const LINEAGE: &str = "what a model derives from is its creator's word, which others can see and nobody proves";
const SHARED: &str = "any account of the share's owner will do";
const MADE_AGAIN: &str = "it is closed only when nothing counts in it, and then made again as the first one was";

#[rustfmt::skip]
const LIST: &[Harmless] = &[
    row("treasury", &["update_mint", "set_breaker (looser)", "set_breaker (tighter)"], &["accepted_mint"], &["SomebodyElses"], GOVERNS),
    gain("treasury", &["withdraw_fees"], &["destination"], &["OtherHolder", "HandedOver", "Twin", "SomebodyElses"], CHOSEN),
    row("treasury", &["set_rewards"], &["reward_vault"], &["OtherHolder", "HandedOver", "Twin", "SomebodyElses"], "the authority names the stakers' vault"),
    row("treasury", &["set_rewards"], &["fee_vault"], &["Frozen", "Truncated"], "only what it holds is looked at, and nothing is moved"),
    gain("treasury", &["share_fees"], &["reward_vault"], &["HandedOver"], "the authority names the stakers' vault, and answers for whose it is"),

    row("registry", &["register", "admit_attestor", "attest", "attest (first of a subject)", "define_requirements"], &["payer"], &["OtherSigner"], SPONSOR),
    row("registry", &["attest"], &["payer"], &["Uninitialised"], "there is no rent to pay"),
    row("registry", &["attest"], &["attestations"], CLOSED, MADE_AGAIN),
    row("registry", &["set_attestor"], &["attestor"], &["SomebodyElses"], GOVERNS),
    row("registry", &["create_model", "create_model (derived)", "publish_prices", "publish_prices (derived)"], &["payer"], &["OtherSigner"], SPONSOR),
    row("registry", &["create_model"], &["base"], &["PutIn"], LINEAGE),
    row("registry", &["create_model (derived)"], &["base"], &["LeftOut", "SomebodyElses"], LINEAGE),
    row("registry", &["create_model"], &["program"], OTHER_PROGRAM, "the runtime finds the program in the place of what was left out, and nobody else looks for it"),
    row("registry", &["publish_prices (derived)"], &["remaining 8", "remaining 9", "remaining 10"], &["Twin"], SHARED),
    row("registry", &["publish_prices"], &["remaining 8"], &["Twin"], SHARED),

    row("staking", &["open_bond", "stake", "stake (first of an owner)", "lock", "lock (first of a subject)"], &["payer"], &["OtherSigner"], SPONSOR),
    row("staking", &["stake", "lock"], &["payer"], &["Uninitialised"], "there is no rent to pay"),
    row("staking", &["stake", "stake (first of an owner)", "deposit_bond"], &["source"], &["Twin"], OWN_SOURCE),
    row("staking", &["stake"], &["stake"], CLOSED, MADE_AGAIN),
    row("staking", &["lock"], &["claim"], CLOSED, MADE_AGAIN),
    row("staking", &["refresh_stake"], &["stake"], &["SomebodyElses"], "anyone may bring any stake up to date"),
    row("staking", &["name_service"], &["service"], &["SomebodyElses"], "an owner names whichever service it likes"),
    row("staking", &["update_pool"], &["pool"], &["SomebodyElses"], GOVERNS),
    row("staking", &["sync_rewards"], &["vault"], &["Frozen", "Truncated"], "only what it holds is looked at, and nothing is moved"),
    gain("staking", &["claim_rewards", "withdraw_stake", "withdraw_bond", "close_bond (with a gift)"], &["destination"], &["OtherHolder", "HandedOver", "Twin", "SomebodyElses"], CHOSEN),
    gain("staking", &["slash"], &["destination"], ANY_ACCOUNT, "the service that signs divides what it slashes"),
    row("staking", &["close_bond"], &["destination"], NOT_IT, "the vault is empty, and nobody looks at it"),
    row("staking", &["close_bond"], &["destination"], BROKEN, "the vault is empty, and nobody looks at it"),
    row("staking", &["close_bond"], &["destination"], &["HandedOver", "MadeAgain"], "the vault is empty, and nobody looks at it"),
    row("staking", &["close_bond"], &["vault"], &["Frozen"], "an empty vault may be closed even if it is frozen"),

    row("escrow", OPENS, &["payer"], &["OtherSigner"], SPONSOR),
    row("escrow", &["challenge", "challenge (panel)", "enroll", "enroll (not the first)"], &["payer"], &["OtherSigner"], SPONSOR),
    row("escrow", ACCEPTS, &["payer"], &["OtherSigner"], SPONSOR),
    row("escrow", BIDS, &["payer"], &["OtherSigner"], SPONSOR),
    row("escrow", VOTES, &["payer"], &["OtherSigner"], SPONSOR),
    row("escrow", OPENS, &["source"], &["Twin"], OWN_SOURCE),
    row("escrow", &["challenge", "challenge (panel)", "appeal"], &["source"], &["Twin"], OWN_SOURCE),
    row("escrow", OPENS, &["refund"], ANY_ACCOUNT, ANYWHERE),
    row("escrow", &["challenge", "challenge (panel)", "redirect"], &["account"], ANY_ACCOUNT, ANYWHERE),
    row("escrow", &["challenge"], &["panel"], &["PutIn"], "where a quorum judges nobody looks at a panel"),
    row("escrow", &["enroll", "enroll (not the first)"], &["mint"], BROKEN_MINT, "only its address counts, which is the bond's"),
    row("escrow", &["redirect"], &["account"], &["HandedOver"], ANYWHERE),
    row("escrow", VOTES, &["payout"], ANY_ACCOUNT, ANYWHERE),
    row("escrow", VOTES, &["payout"], &["HandedOver"], ANYWHERE),
    row("escrow", ACCEPTS, &["payout"], &["Twin"], OWN_PAYOUT),
    row("escrow", BIDS, &["payout"], &["Twin"], OWN_PAYOUT),
    row("escrow", &["redirect (payout)"], &["account"], &["Twin"], OWN_PAYOUT),

    // What may be left out.
    row("escrow", PLAIN_OPENS, &["requirements"], &["PutIn"], "the client that signs demands what it likes"),
    row("escrow", &["open (requirements, stake)"], &["requirements"], &["LeftOut", "SomebodyElses"], "the client that signs demands what it likes"),
    row("escrow", PLAIN_OPENS, &["stake", "pool"], &["PutIn"], "without its pool a stake earns no discount, and the other way round"),
    row("escrow", &["open (requirements, stake)"], &["stake", "pool"], &["LeftOut"], "the client pays the full fee"),
    row("escrow", &["accept", "place_bid", "commit_vote"], &["requirements", "attestations"], &["PutIn"], UNDEMANDED),
    row("escrow", &["accept (no credential)"], &["attestations"], &["PutIn"], "the provider may show its own, and nobody else's"),
    row("escrow", &["commit_vote (attested)"], &["attestations"], &["LeftOut"], "the job demands a bond, and no credential"),
    row("escrow", PROGRAM_PASSED_TWICE, &["program"], OTHER_PROGRAM, "the runtime finds the program in the place of what was left out, and nobody else looks for it"),
    row("escrow", &["challenge"], &["program"], &["DuplicateOf(source)"], "the runtime finds the program in the place of what was left out, and nobody else looks for it"),
    row("escrow", &["close_vote (right)", "close_vote (wrong)"], &["program"], &["Wallet", "Uninitialised", "OtherProgram", "DuplicateOf(bond_vault)", "DuplicateOf(payout)", "DuplicateOf(vote_payer)"], "the runtime finds the program in the place of what was left out, and nobody else looks for it"),
    row("escrow", PLAIN_OPENS, &["program"], &["DuplicateOf(source)"], "the runtime finds the program in the place of what was left out, and nobody else looks for it"),

    // Payments.
    row("escrow", EARNED, &["payout", "fee_vault", "refund"], BROKEN, UNPAID),
    row("escrow", EARNED, &["payout"], &["HandedOver", "MadeAgain"], "the provider's part waits for an account that the payout owner owns"),
    row("escrow", EARNED, &["refund"], &["MadeAgain"], UNPAID),
    row("escrow", &["stop"], &["payout", "refund"], &["ForeignOwner", "OtherHolder", "OtherMint", "SomebodyElses", "Twin"], STOPPED),
    row("escrow", &["stop"], &["payout", "refund"], &["Uninitialised", "Wallet"], STOPPED),
    row("escrow", &["stop"], &["payout", "refund"], &["DuplicateOf(claim_payer)", "DuplicateOf(fee_vault)", "DuplicateOf(rent_payer)"], STOPPED),
    row("escrow", &["stop"], &["payout"], &["DuplicateOf(refund)"], STOPPED),
    row("escrow", &["stop"], &["refund"], &["DuplicateOf(payout)"], STOPPED),
    row("escrow", RESOLVES, &["payout", "fee_vault", "refund", "challenger"], BROKEN, UNPAID),
    row("escrow", RESOLVES, &["payout"], &["HandedOver", "MadeAgain"], "the provider's part waits for an account that the payout owner owns"),
    row("escrow", RESOLVES, &["refund", "challenger"], &["MadeAgain"], UNPAID),
    row("escrow", &["cancel", "expire", "fail"], &["refund"], BROKEN, UNPAID),
    row("escrow", &["cancel", "expire", "fail"], &["refund"], &["MadeAgain"], UNPAID),
    row("escrow", &["fail"], &["fee_vault"], BROKEN, UNPAID),
    gain("escrow", EARNED, &["refund"], &["HandedOver"], ANYWHERE),
    gain("escrow", RESOLVES, &["refund", "challenger"], &["HandedOver"], ANYWHERE),
    gain("escrow", &["cancel", "expire", "fail", "pay", "pay (refund)"], &["refund"], &["HandedOver"], ANYWHERE),
    gain("escrow", RIGHT_VOTES, &["payout"], &["HandedOver"], ANYWHERE),
    row("escrow", LOST_VOTES, &["payout"], BROKEN, "a vote that has lost earns nothing"),
    row("escrow", LOST_VOTES, &["payout"], &["HandedOver", "MadeAgain"], "a vote that has lost earns nothing"),
    row("escrow", &["pay"], &["payout", "refund", "challenger"], NOT_IT, NOT_OWED),
    row("escrow", &["pay"], &["payout", "refund", "challenger"], BROKEN, UNPAID),
    row("escrow", &["pay"], &["payout", "refund", "challenger"], &["MadeAgain", "DuplicateOf(fee_vault)", "DuplicateOf(rent_payer)"], NOT_OWED),
    row("escrow", &["pay"], &["payout"], &["HandedOver", "DuplicateOf(refund)"], NOT_OWED),
    row("escrow", &["pay"], &["refund", "challenger"], &["DuplicateOf(payout)"], NOT_OWED),
    row("escrow", &["pay", "pay (refund)"], &["fee_vault"], BROKEN, "no fee is owed"),
    row("escrow", &["pay (refund)"], &["payout", "challenger"], NOT_IT, NOT_OWED),
    row("escrow", &["pay (refund)"], &["payout", "challenger"], &["DuplicateOf(fee_vault)", "DuplicateOf(rent_payer)"], NOT_OWED),
    gain("escrow", &["pay (refund)"], &["payout", "challenger"], &["HandedOver"], "it is the refund account here, which may be anybody's"),
    gain("escrow", &["pay"], &["challenger"], &["HandedOver"], "it is the refund account here, which may be anybody's"),

    // Claims on bonds.
    row("escrow", LET_GO, &["claim"], CLOSED, "a claim that has lapsed keeps nobody waiting; before its time only the escrow lets go of it"),
    row("escrow", &["resolve (stands)", "close_vote (right)", "close_vote (right, of a panel)"], &["bond_vault"], BROKEN, NO_SLASH),
    row("escrow", &["resolve (stands)", "close_vote (right)", "close_vote (right, of a panel)"], &["bond_vault"], NOT_IT, NO_SLASH),
    row("escrow", &["resolve (stands)"], &["bond_vault"], &["DuplicateOf(challenger)", "DuplicateOf(claim_payer)", "DuplicateOf(fee_vault)", "DuplicateOf(payout)", "DuplicateOf(refund)", "DuplicateOf(rent_payer)"], NO_SLASH),
    row("escrow", RIGHT_VOTES, &["bond_vault"], &["DuplicateOf(payout)", "DuplicateOf(vote_payer)"], NO_SLASH),
    row("escrow", &["close_vote (right, of a panel)"], &["bond", "claim"], NO_CLAIM, KEEPS_SEAT),
    row("escrow", &["close_vote (right, of a panel)"], &["claim_payer"], &["Wallet", "Uninitialised", "DuplicateOf(bond_vault)", "DuplicateOf(payout)"], KEEPS_SEAT),
    row("escrow", &["close_vote (right, of a panel)"], &["staking_events"], &["Wallet", "Uninitialised", "OwnProgram", "DuplicateOf(bond_vault)", "DuplicateOf(payout)", "DuplicateOf(vote_payer)"], KEEPS_SEAT),
    row("escrow", &["withdraw_bid (lost)"], &["job"], CLOSED, "a bid for a job that is over binds nobody"),
    row("escrow", &["enroll (not the first)"], &["panel"], CLOSED, MADE_AGAIN),

    row("billing", &["create_payer", "open", "start_plan", "back", "back (first of a channel)"], &["rent_payer"], &["OtherSigner"], SPONSOR),
    row("billing", &["back"], &["rent_payer"], &["Uninitialised"], "there is no rent to pay"),
    row("billing", &["back"], &["claim"], CLOSED, MADE_AGAIN),
    row("billing", &["deposit"], &["source"], &["Twin"], OWN_SOURCE),
    row("billing", &["open"], &["payout"], &["Twin"], OWN_PAYOUT),
    gain("billing", &["reclaim"], &["destination"], &["OtherHolder", "HandedOver", "Twin", "SomebodyElses"], CHOSEN),
    gain("billing", &["claim_owed"], &["destination"], &["Twin"], "any account of the share's owner will do"),
    row("billing", &["distribute"], &["fee_vault", "payout", "remaining 9", "remaining 10"], BROKEN, UNPAID),
    row("billing", &["distribute"], &["payout", "remaining 9", "remaining 10"], &["HandedOver", "MadeAgain"], "a share waits for an account that its owner owns"),
    row("billing", &["dispute_receipt", "dispute_receipts"], &["claim"], CLOSED, "a claim that has lapsed cannot be slashed; before its time only billing lets go of it"),
    row("billing", &["settle_batch (3)"], &["remaining 1", "remaining 2", "remaining 3"], &["Beheaded", "ReadOnly", "Truncated", "WrongDiscriminator"], "what is no channel that can be written keeps the others of a batch from nothing"),
    row("billing", &["settle_batch (3)"], &["remaining 1", "remaining 2", "remaining 3"], CLOSED, "a closed channel keeps the others of a batch from nothing"),
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
