//! The end of a world: every state has an exit by time, and every debt a way to be paid. Whoever is left gets there.

use crate::{actions::tokens, chain, check::Violation, model::Entry, stage::Stage};
use joule_sdk::{escrow::state::JobStatus, instruction::escrow, Instruction, Pubkey, Signer};

/// Longer than all windows of a job together, in seconds.
const LONG: i64 = 400 * 24 * 60 * 60;

/// Waits until all deadlines have passed, thaws what is frozen, and has every job closed: by its clock, and where a payee
/// has lost its account, by redirecting.
pub fn let_out(stage: &mut Stage) -> Result<(), Violation> {
    stage.set_time(stage.now + LONG);
    let accounts = stage.svm.accounts_db().inner.iter();
    let mut frozen: Vec<(Pubkey, chain::Purse)> =
        accounts.filter_map(|(address, account)| Some((*address, chain::as_purse(account)?))).collect();
    frozen.retain(|(_, purse)| purse.is_frozen);
    frozen.sort_by_key(|(address, _)| *address);
    for (address, purse) in frozen {
        let thaw = tokens::thaw_one(&stage.cast, &address, &purse);
        must(stage, thaw.into_iter().collect())?;
    }
    let jobs: Vec<Entry> = stage.model.jobs().cloned().collect();
    for (number, entry) in jobs.iter().enumerate() {
        turn(stage, &entry.address)?;
        if stage.model.entry(&entry.address).is_none() {
            continue;
        }
        // Somebody could not be paid.
        for (payee, name) in [(entry.job.client, "client"), (entry.job.payout_owner, "provider")] {
            if payee == Pubkey::default() {
                continue;
            }
            let address = joule_tests::key(&format!("{name} at last {number}")).pubkey();
            let token = stage.cast.token(&entry.job.mint).ok_or_else(|| Violation::new("a job in no token of ours"))?;
            must(stage, tokens::create_at(&stage.cast, address, payee, token))?;
            // Refused to whoever is owed nothing.
            let _ = stage.send(&[escrow::redirect(payee, entry.address, address)])?;
        }
        turn(stage, &entry.address)?;
    }
    let left = stage.model.jobs().count();
    Violation::unless(left == 0, "a job has no way out")
}

/// Has a job settled or refunded, as its state wants it; or paid, where it is owed something.
fn turn(stage: &mut Stage, address: &Pubkey) -> Result<(), Violation> {
    let Some(entry) = stage.model.entry(address) else { return Ok(()) };
    let (job, program) = (entry.job, stage.program_of(&entry.job));
    let is_earned = job.status == JobStatus::Delivered as u8 || job.status == JobStatus::Settled as u8;
    let crank = if is_earned { escrow::settle } else { escrow::expire };
    // Refused when nobody can be paid yet.
    stage.send(&[crank(*address, &job, program)]).map(|_| ())
}

fn must(stage: &mut Stage, instructions: Vec<Instruction>) -> Result<(), Violation> {
    stage.send(&instructions)?.map_err(|name| Violation::new(format!("an exit is closed: {name}")))
}
