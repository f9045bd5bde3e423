//! What nobody asked for: lamports to addresses that are about to be somebody's account, and tokens to vaults.

use super::{some, Action};
use crate::entitlement::{
    calls,
    play::{Play, What},
};
use joule_sdk::{
    billing::state::Payer,
    escrow::{
        self,
        constants::PANEL_EPOCH,
        state::{Client, Job as State},
    },
    pda, Instruction, Pubkey,
};
use solana_system_interface::instruction as system;
use spl_token_2022_interface::instruction as token;

type Planned = Option<Vec<Instruction>>;

pub const ACTIONS: &[Action] =
    &[("send lamports ahead", 6, send_lamports), ("send tokens", 2, send_tokens), ("fund a pool", 1, fund_pool)];

/// Every token here has six decimals.
const DECIMALS: u8 = 6;

/// Where an account will be, if somebody goes on as it may.
fn address(play: &mut Play) -> Option<Pubkey> {
    let (somebody, _) = play.anybody();
    let mint = play.cast.mint;
    let job = some(play, What::Job);
    let dispute = job.map(|job| pda::dispute(&job));
    let signer = pda::claim_signer(&escrow::ID);
    let round = play.rng.u8(..2);
    Some(match play.rng.u32(..12) {
        0 => dispute?,
        1 => pda::vote(&dispute?, round, &somebody),
        2 => pda::claim(&signer, &pda::vote(&dispute?, 0, &somebody)),
        3 => pda::claim(&signer, &job?),
        4 => pda::bid(&job?, &pda::provider(&somebody)),
        5 => pda::panel(&mint, (play.now / PANEL_EPOCH) as u64 + 1),
        6 => pda::seat_claim(&pda::panel(&mint, (play.now / PANEL_EPOCH) as u64 + 1), &somebody),
        7 | 8 => {
            let next = play.read::<Client>(&pda::client(&somebody)).map_or(0, |client| client.next_job.get());
            let job = pda::job(&somebody, next);
            [job, pda::vault(&job), pda::client(&somebody)][play.rng.usize(..3)]
        }
        9 => {
            let payer = pda::payer(&somebody, &mint);
            pda::channel(&payer, play.read::<Payer>(&payer)?.next_channel.get())
        }
        10 => {
            let channel = some(play, What::Channel)?;
            [pda::plan(&channel), calls::channel_claim(&channel)][play.rng.usize(..2)]
        }
        _ => [pda::attestations(&somebody), pda::provider(&somebody), pda::stake(&pda::pool(&mint), &somebody)]
            [play.rng.usize(..3)],
    })
}

fn send_lamports(play: &mut Play) -> Planned {
    let (from, _) = play.rogue()?;
    let to = address(play)?;
    Some(vec![system::transfer(&from, &to, play.rng.u64(890_880..5_000_000))])
}

fn transfer(play: &mut Play, to: &Pubkey) -> Planned {
    let (owner, from) = play.rogue()?;
    let (mint, program, amount) = (play.cast.mint, play.cast.program, play.rng.u64(1..100_000));
    Some(vec![token::transfer_checked(&program, &from, &mint, to, &owner, &[], amount, DECIMALS).ok()?])
}

fn send_tokens(play: &mut Play) -> Planned {
    let job = play.focus.and_then(|focus| play.read::<State>(&focus)).map(|job| job.vault);
    let all = play.all(What::Vault);
    let to = job.filter(|_| play.rng.u32(..2) == 0).or_else(|| play.pick(&all))?;
    transfer(play, &to)
}

fn fund_pool(play: &mut Play) -> Planned {
    let mint = play.cast.mint;
    let mut fund = transfer(play, &pda::pool_vault(&pda::pool(&mint)))?;
    fund.push(joule_sdk::instruction::staking::sync_rewards(mint));
    Some(fund)
}
