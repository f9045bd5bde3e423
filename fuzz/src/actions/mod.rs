//! What may happen, one file a noun. Most of it is meant to succeed when it is planned; `sabotage` spoils some of it.

pub mod bids;
pub mod bills;
pub mod bonds;
pub mod channels;
pub mod disputes;
pub mod jobs;
pub mod models;
pub mod payers;
pub mod plans;
pub mod proofs;
pub mod races;
pub mod registry;
pub mod sabotage;
pub mod stakes;
pub mod time;
pub mod tokens;
pub mod treasury;
pub mod votes;
pub mod vouchers;

use crate::stage::Stage;
use joule_sdk::Instruction;

/// Something that somebody may do.
pub struct Action {
    pub name: &'static str,
    /// How often it is chosen, compared with the others.
    pub weight: u32,
    /// What is sent; `None` when there is nothing now that it could be done to.
    pub plan: fn(&mut Stage) -> Option<Vec<Instruction>>,
}

/// Every action. A new instruction is a function and a line in its noun's list.
const ALL: [&[Action]; 17] = [
    jobs::ACTIONS,
    bids::ACTIONS,
    disputes::ACTIONS,
    votes::ACTIONS,
    bonds::ACTIONS,
    stakes::ACTIONS,
    registry::ACTIONS,
    models::ACTIONS,
    treasury::ACTIONS,
    tokens::ACTIONS,
    payers::ACTIONS,
    channels::ACTIONS,
    vouchers::ACTIONS,
    bills::ACTIONS,
    plans::ACTIONS,
    proofs::ACTIONS,
    races::ACTIONS,
];

/// One transaction, and what it is called in the report.
pub struct Plan {
    pub name: &'static str,
    pub instructions: Vec<Instruction>,
}

/// Chooses what happens next.
pub fn next(stage: &mut Stage) -> Plan {
    let mut plan = single(stage);
    match stage.rng.u32(..100) {
        0..=10 => {
            let place = stage.rng.usize(..plan.instructions.len());
            sabotage::spoil(stage, &mut plan.instructions[place]);
            plan.name = "sabotage";
        }
        11..=14 => {
            let second = single(stage);
            plan.instructions.extend(second.instructions);
            plan.name = "two in one transaction";
        }
        15 => {
            plan.instructions.extend(plan.instructions.clone());
            plan.name = "twice in one transaction";
        }
        _ => {}
    }
    plan
}

fn single(stage: &mut Stage) -> Plan {
    let total: u32 = ALL.iter().flat_map(|list| list.iter()).map(|action| action.weight).sum();
    loop {
        let mut left = stage.rng.u32(..total);
        let chosen = ALL.iter().flat_map(|list| list.iter()).find(|action| {
            let is_it = left < action.weight;
            left = left.saturating_sub(action.weight);
            is_it
        });
        let Some(action) = chosen else { continue };
        if let Some(instructions) = (action.plan)(stage) {
            return Plan { name: action.name, instructions };
        }
    }
}
