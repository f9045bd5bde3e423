//! Running the attacks and judging what came of them.

use crate::{
    harmless,
    mutation::{cases, Case, Mutation},
    stage::{is_token_program, Stage},
};
use joule_sdk::{account::token_amount, Instruction, Pubkey};
use joule_tests::Refusal;
use litesvm::LiteSVM;
use solana_account::{AccountSharedData, ReadableAccount};
use solana_transaction::{Message, Transaction};
use std::collections::{BTreeMap, BTreeSet};

/// What came of one attack.
pub struct Outcome {
    pub account: String,
    pub mutation: String,
    /// `None` when it succeeded.
    pub refused: Option<String>,
    /// Addresses that a refused attack has changed.
    pub changed: Vec<Pubkey>,
    /// Whether the account that was put there has more lamports or tokens than before. An account that has another place
    /// in the instruction as well may have been paid for that.
    pub gained: bool,
}

/// Runs every attack on a scene; before them the instruction itself, which must succeed.
pub fn attack(stage: &Stage) -> Vec<Outcome> {
    let mut svm = stage.svm.clone();
    if let Err(refusal) = send(&mut svm, stage, &stage.instruction) {
        panic!("{} fails before anything is done to it: {} {:#?}", stage.scene_name, refusal.name, refusal.logs);
    }
    svm = stage.svm.clone();
    (0..stage.slots.len()).flat_map(|slot| cases(stage, slot)).map(|case| run(&mut svm, stage, case)).collect()
}

/// Leaves the chain as it was, but for what the payer has paid in fees.
fn run(svm: &mut LiteSVM, stage: &Stage, case: Case) -> Outcome {
    let mut put_there = Vec::new();
    for (address, account) in case.changes {
        svm.set_account(address, account).expect("an account that anybody could have made");
        put_there.push(address);
    }
    let mut touched: Vec<Pubkey> = case.instruction.accounts.iter().map(|meta| meta.pubkey).collect();
    touched.push(stage.payer);
    let look = |svm: &LiteSVM| -> Vec<AccountSharedData> {
        touched.iter().map(|a| svm.accounts_db().get_account_ref(a).cloned().unwrap_or_default()).collect()
    };
    let before = look(svm);
    let sent = send(svm, stage, &case.instruction);
    let after = look(svm);
    let put = case.instruction.accounts[case.slot].pubkey;
    let is_another = match case.mutation {
        Mutation::DuplicateOf(_) => false,
        Mutation::HandedOver => true,
        _ => put != stage.slots[case.slot].address,
    };
    let held = |accounts: &[AccountSharedData]| (accounts[case.slot].lamports(), tokens(&accounts[case.slot]));
    let (held_before, held_after) = (held(&before), held(&after));
    let is_same = |place: usize| match touched[place] == stage.payer {
        true => same_but_for_lamports(&before[place], &after[place]),
        false => before[place] == after[place],
    };
    let changed = match sent.is_err() {
        true => (0..touched.len()).filter(|place| !is_same(*place)).map(|place| touched[place]).collect(),
        false => Vec::new(),
    };
    if sent.is_ok() || !changed.is_empty() {
        *svm = stage.svm.clone();
    } else {
        for address in put_there {
            let account = stage.svm.get_account(&address).unwrap_or_default();
            svm.set_account(address, account).expect("what was there before");
        }
    }
    Outcome {
        account: stage.slots[case.slot].name.clone(),
        mutation: case.mutation.to_string(),
        changed,
        gained: is_another && (held_after.0 > held_before.0 || held_after.1 > held_before.1),
        refused: sent.err().map(|refusal| refusal.name),
    }
}

/// Nobody signs, since checking signatures is what would take longest: an account may sign only if the stage or the
/// mutation says that somebody has its key.
fn send(svm: &mut LiteSVM, stage: &Stage, instruction: &Instruction) -> Result<(), Refusal> {
    let instructions: Vec<_> = stage.before.iter().chain([instruction]).cloned().collect();
    let mut message = Message::new(&instructions, Some(&stage.payer));
    message.recent_blockhash = svm.latest_blockhash();
    svm.send_transaction(Transaction::new_unsigned(message)).map(|_| ()).map_err(Refusal::from)
}

fn tokens(account: &AccountSharedData) -> u64 {
    match is_token_program(account.owner()) {
        true => token_amount(account.data()).unwrap_or(0),
        false => 0,
    }
}

fn same_but_for_lamports(old: &AccountSharedData, new: &AccountSharedData) -> bool {
    (old.data(), old.owner(), old.executable()) == (new.data(), new.owner(), new.executable())
}

/// How the attacks on one scene ended.
#[derive(Default)]
pub struct Count {
    pub cases: usize,
    pub refused: usize,
}

/// How all attacks ended.
#[derive(Default)]
pub struct Tally {
    /// By program and scene.
    pub scenes: BTreeMap<(String, &'static str), Count>,
    /// How many attacks each error refused.
    pub errors: BTreeMap<String, usize>,
    /// Every attack, its parts and its end with tabs between them.
    lines: Vec<String>,
    /// Attacks that succeeded: program, scene, account, mutation.
    succeeded: BTreeSet<[String; 4]>,
    problems: Vec<String>,
}

impl Tally {
    pub fn add(&mut self, stage: &Stage, outcomes: Vec<Outcome>) {
        let refused = outcomes.iter().filter(|outcome| outcome.refused.is_some()).count();
        let count = self.scenes.entry((stage.program.clone(), stage.scene_name)).or_default();
        count.cases += outcomes.len();
        count.refused += refused;
        for outcome in outcomes {
            let scene = stage.scene_name.to_owned();
            let key = [stage.program.clone(), scene, outcome.account.clone(), outcome.mutation.clone()];
            let what = key.join(", ");
            let end = outcome.refused.as_deref().unwrap_or("succeeded");
            self.lines.push(format!("{}\t{}\t{end}", stage.tokens, key.join("\t")));
            if !outcome.changed.is_empty() {
                self.problems.push(format!("{what}: refused, and yet it changed {:?}", outcome.changed));
            }
            match outcome.refused {
                Some(name) if is_anonymous(&name) => {
                    self.problems.push(format!("{what}: refused with {name}, which names no rule"))
                }
                Some(name) => *self.errors.entry(name).or_default() += 1,
                None => {
                    if outcome.gained && !harmless::may_gain(&key) {
                        self.problems.push(format!("{what}: the account that was put there has gained by it"));
                    }
                    self.succeeded.insert(key);
                }
            }
        }
    }

    /// What is wrong: holes, entries in the list of harmless attacks that are refused, and errors without a name.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.problems.clone();
        let unlisted = self.succeeded.iter().filter(|key| !harmless::is_listed(key));
        problems
            .extend(unlisted.map(|key| format!("{}: it succeeded, and harmless.rs does not say why", key.join(", "))));
        problems.extend(harmless::untrue(&self.succeeded));
        problems
    }

    /// The table itself: one line an attack.
    pub fn table(mut self) -> String {
        self.lines.sort();
        format!("tokens\tprogram\tscene\taccount\tmutation\tend\n{}\n", self.lines.join("\n"))
    }
}

/// A number without a name, or a program that stopped without saying why.
fn is_anonymous(name: &str) -> bool {
    ["Custom(", "ProgramFailedToComplete", "ComputationalBudgetExceeded", "GenericError"]
        .iter()
        .any(|anonymous| name.starts_with(anonymous))
}
