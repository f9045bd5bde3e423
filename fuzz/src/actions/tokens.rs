//! What token accounts go through: sent to, frozen, closed, made again, handed over; and lamports that nobody asked for.

use super::Action;
use crate::{
    cast::Cast,
    chain::{self, Purse},
    stage::Stage,
};
use joule_sdk::{instruction, pda, Instruction, Pubkey};
use solana_system_interface::instruction as system;
use spl_token_2022_interface::instruction::{self as token, AuthorityType};

/// Length of a token account without extensions, and what exempts it from rent.
const LEN: u64 = 165;
const RENT: u64 = 2_039_280;
const DECIMALS: u8 = 6;

pub const ACTIONS: &[Action] = &[
    Action { name: "token: send", weight: 6, plan: send },
    Action { name: "token: mint", weight: 2, plan: mint },
    Action { name: "token: burn", weight: 1, plan: burn },
    Action { name: "token: freeze", weight: 4, plan: freeze },
    Action { name: "token: thaw", weight: 12, plan: thaw },
    Action { name: "token: close", weight: 4, plan: close },
    Action { name: "token: create", weight: 8, plan: recreate },
    Action { name: "token: hand over", weight: 2, plan: hand_over },
    Action { name: "lamports: send", weight: 3, plan: send_lamports },
];

/// Creates one of a holder's token accounts.
pub fn create(cast: &Cast, holder: usize, token_number: usize, place: usize) -> Vec<Instruction> {
    let (holder, token) = (&cast.holders[holder], &cast.tokens[token_number]);
    match place {
        0 => vec![instruction::token::create_associated(cast.crank, holder.key, token.mint, token.program)],
        _ => create_at(cast, holder.accounts[token_number][1], holder.key, token_number),
    }
}

/// Creates a token account at an address whose key is at hand.
pub fn create_at(cast: &Cast, address: Pubkey, owner: Pubkey, token_number: usize) -> Vec<Instruction> {
    let of = &cast.tokens[token_number];
    let initialize = token::initialize_account3(&of.program, &address, &of.mint, &owner);
    vec![system::create_account(&cast.crank, &address, RENT, LEN, &of.program), built(initialize)]
}

pub fn mint_to(cast: &Cast, token_number: usize, account: Pubkey, amount: u64) -> Instruction {
    let of = &cast.tokens[token_number];
    built(token::mint_to(&of.program, &of.mint, &account, &cast.authority, &[], amount))
}

pub fn thaw_one(cast: &Cast, address: &Pubkey, purse: &Purse) -> Option<Instruction> {
    let of = &cast.tokens[cast.token(&purse.mint)?];
    Some(built(token::thaw_account(&of.program, address, &of.mint, &cast.authority, &[])))
}

/// The builders refuse only programs that are no token programs.
fn built<E: std::fmt::Debug>(instruction: Result<Instruction, E>) -> Instruction {
    instruction.expect("a token program")
}

/// A token account that exists, people's for the most part.
fn existing(stage: &mut Stage) -> Option<(Pubkey, Purse, usize)> {
    let token = stage.rng.usize(..2);
    let address = match (stage.rng.u32(..12), stage.job(&[])) {
        (0, Some((_, job))) => job.vault,
        (1, _) => some_vault(stage, token),
        _ => stage.any_account(token),
    };
    let purse = chain::purse(&stage.svm, &address)?;
    Some((address, purse, stage.cast.token(&purse.mint)?))
}

/// The vault of fees, a pool, a bond or a payer.
pub fn some_vault(stage: &mut Stage, token: usize) -> Pubkey {
    let mint = stage.cast.tokens[token].mint;
    let bonds = stage.model.bonds.values().filter(|bond| bond.mint == mint).map(|bond| bond.vault);
    let wallets = stage.model.wallets.values().map(|wallet| &wallet.payer);
    let wallets = wallets.filter(|payer| payer.mint == mint).map(|payer| payer.vault);
    let all: Vec<Pubkey> = bonds.chain(wallets).collect();
    match (stage.rng.u32(..6), stage.pick(&all)) {
        (0, _) | (_, None) => stage.cast.tokens[token].fee_vault,
        (1, _) => stage.cast.tokens[token].pool_vault,
        (_, Some(vault)) => vault,
    }
}

fn send(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (from, purse, number) = existing(stage)?;
    let to = match (stage.rng.u32(..4), stage.job(&[])) {
        (0..=1, Some((_, job))) => job.vault,
        (2, _) => some_vault(stage, number),
        _ => stage.any_account(number),
    };
    let amount = stage.rng.u64(..purse.amount.min(1_000_000) + 2);
    let of = &stage.cast.tokens[number];
    let owner = signer(stage, &purse)?;
    Some(vec![built(token::transfer_checked(&of.program, &from, &of.mint, &to, &owner, &[], amount, DECIMALS))])
}

/// The owner if it is a key; a thief for what a program owns.
fn signer(stage: &Stage, purse: &Purse) -> Option<Pubkey> {
    match stage.cast.holder(&purse.owner) {
        Some(holder) => Some(holder.key),
        None => stage.cast.people.last().map(|thief| thief.hot),
    }
}

fn mint(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (account, purse, number) = existing(stage)?;
    let amount = stage.rng.u64(..1_000_000_000);
    (purse.amount < u64::MAX / 1_000).then(|| vec![mint_to(&stage.cast, number, account, amount)])
}

fn burn(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (account, purse, number) = existing(stage)?;
    let amount = stage.rng.u64(..purse.amount / 10 + 2);
    let of = &stage.cast.tokens[number];
    let owner = signer(stage, &purse)?;
    Some(vec![built(token::burn(&of.program, &account, &of.mint, &owner, &[], amount))])
}

fn freeze(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (account, _, number) = existing(stage)?;
    let of = &stage.cast.tokens[number];
    Some(vec![built(token::freeze_account(&of.program, &account, &of.mint, &stage.cast.authority, &[]))])
}

fn thaw(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let vaults = stage.model.jobs.values().map(|entry| entry.job.vault);
    let bonds = stage.model.bonds.values().map(|bond| bond.vault);
    let wallets = stage.model.wallets.values().map(|wallet| wallet.payer.vault);
    let fees = stage.cast.tokens.iter().flat_map(|token| [token.fee_vault, token.pool_vault]);
    let purses = stage.cast.holders.iter().flat_map(|holder| holder.accounts.iter().flatten().copied());
    let frozen: Vec<(Pubkey, Purse)> = vaults
        .chain(bonds)
        .chain(wallets)
        .chain(fees)
        .chain(purses)
        .filter_map(|address| Some((address, chain::purse(&stage.svm, &address).filter(|purse| purse.is_frozen)?)))
        .collect();
    let (address, purse) = (!frozen.is_empty()).then(|| frozen[stage.rng.usize(..frozen.len())])?;
    Some(vec![thaw_one(&stage.cast, &address, &purse)?])
}

fn close(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (account, purse, number) = existing(stage)?;
    let of = &stage.cast.tokens[number];
    let owner = signer(stage, &purse)?;
    let close = built(token::close_account(&of.program, &account, &owner, &owner, &[]));
    let burn = built(token::burn(&of.program, &account, &of.mint, &owner, &[], purse.amount));
    Some(vec![burn, close])
}

fn recreate(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let missing: Vec<(usize, usize, usize)> = (0..stage.cast.holders.len())
        .flat_map(|holder| (0..4).map(move |place| (holder, place / 2, place % 2)))
        .filter(|(holder, token, place)| {
            chain::find(&stage.svm, &stage.cast.holders[*holder].accounts[*token][*place]).is_none()
        })
        .collect();
    let (holder, number, place) = (!missing.is_empty()).then(|| missing[stage.rng.usize(..missing.len())])?;
    let mut instructions = create(&stage.cast, holder, number, place);
    if stage.chance(80) {
        let account = stage.cast.holders[holder].accounts[number][place];
        instructions.push(mint_to(&stage.cast, number, account, 500_000_000));
    }
    Some(instructions)
}

fn hand_over(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let (account, purse, number) = existing(stage)?;
    let stranger = stage.rng.usize(..stage.cast.holders.len());
    let first = stage.cast.holders.iter().find(|holder| holder.accounts[number].contains(&account));
    // Back to whose it was at first, where it has been handed over before.
    let next = match first {
        Some(first) if first.key != purse.owner => first.key,
        _ => stage.cast.holders[stranger].key,
    };
    let owner = signer(stage, &purse)?;
    let program = stage.cast.tokens[number].program;
    let set = token::set_authority(&program, &account, Some(&next), AuthorityType::AccountOwner, &owner, &[]);
    Some(vec![built(set)])
}

fn send_lamports(stage: &mut Stage) -> Option<Vec<Instruction>> {
    let person = stage.person();
    let to = match (stage.rng.u32(..7), stage.job(&[])) {
        (0, Some((address, _))) => address,
        (1, Some((_, job))) => job.vault,
        (2, _) => stage.cast.people[person].client,
        (3, _) => stage.cast.people[person].provider,
        // A payer's, its vault's, its next channel's or that one's plan's.
        (4..=5, _) => {
            let mint = stage.cast.tokens[stage.rng.usize(..2)].mint;
            let payer = pda::payer(&stage.cast.people[person].hot, &mint);
            let next = stage.model.wallets.get(&payer).map_or(0, |wallet| wallet.payer.next_channel.get());
            let channel = pda::channel(&payer, next);
            [payer, pda::payer_vault(&payer), channel, pda::plan(&channel)][stage.rng.usize(..4)]
        }
        _ => {
            let client = stage.cast.people[person].hot;
            let next = stage.model.next_id.get(&client).copied().unwrap_or(0);
            let job = pda::job(&client, next);
            if stage.chance(50) {
                job
            } else {
                pda::vault(&job)
            }
        }
    };
    let amount = stage.rng.u64(890_880..2_000_000);
    Some(vec![system::transfer(&stage.cast.crank, &to, amount)])
}
