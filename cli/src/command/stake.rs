//! `joule stake`: lock tokens for a share of the fees and for lower ones.

use crate::{
    act::{seconds, Actor, Token},
    context::{address, Options},
    failure::Failure,
    output,
};
use clap::Subcommand;
use joule_sdk::{
    instruction::staking::{self, StakeAccounts},
    pda,
    staking::{
        constants::MAX_LOCK,
        state::{Pool, Stake},
    },
    units::UnixTime,
    Pubkey,
};

#[derive(Subcommand)]
pub enum Command {
    /// Stake tokens; all that is staked is locked for at least that long from now
    Add {
        amount: String,
        /// How long; the longer, the more it weighs
        #[arg(long, value_name = "DURATION")]
        lock: humantime::Duration,
        #[command(flatten)]
        which: Which,
    },
    /// Lock for longer
    Extend {
        #[arg(long, value_name = "DURATION")]
        lock: humantime::Duration,
        #[command(flatten)]
        which: Which,
    },
    /// Stop earning with a part whose lock has ended; it cools before it can be withdrawn
    Unstake {
        amount: String,
        #[command(flatten)]
        which: Which,
    },
    /// Take out what has cooled
    Withdraw {
        #[command(flatten)]
        which: Which,
    },
    /// Take the rewards
    Claim {
        #[command(flatten)]
        which: Which,
    },
    /// Show a stake
    Show {
        /// Whose [default: the signer's]
        #[arg(long, value_name = "ADDRESS")]
        owner: Option<String>,
        #[command(flatten)]
        which: Which,
    },
}

#[derive(clap::Args)]
pub struct Which {
    /// The token [default: the local network's]
    #[arg(long, value_name = "ADDRESS")]
    mint: Option<String>,
}

pub async fn run(options: &Options, command: Command) -> Result<(), Failure> {
    let which = match &command {
        Command::Add { which, .. }
        | Command::Extend { which, .. }
        | Command::Unstake { which, .. }
        | Command::Withdraw { which }
        | Command::Claim { which }
        | Command::Show { which, .. } => which,
    };
    let actor = Actor::of(options)?;
    let token = Token::of(options, &actor.chain, which.mint.as_deref()).await?;
    let (owner, mint) = (actor.key(), token.mint);
    let place = pda::stake(&pda::pool(&mint), &owner);
    let tokens = token.account_of(&owner);
    let (instruction, done) = match command {
        Command::Add { amount, lock, .. } => {
            let accounts = StakeAccounts { payer: owner, owner, source: tokens, mint, token_program: token.program };
            (staking::stake(accounts, token.amount(&amount)?, seconds("--lock", lock, MAX_LOCK)?), "added to stake")
        }
        Command::Extend { lock, .. } => {
            (staking::extend_lock(owner, mint, seconds("--lock", lock, MAX_LOCK)?), "locked for longer: stake")
        }
        Command::Unstake { amount, .. } => {
            (staking::unstake(owner, mint, token.amount(&amount)?), "cooling: a part of stake")
        }
        Command::Withdraw { .. } => {
            let stake = find(&actor, &place, &owner, &mint).await?;
            (staking::withdraw_stake(&stake, mint, tokens, token.program), "withdrew from stake")
        }
        Command::Claim { .. } => {
            (staking::claim_rewards(owner, mint, tokens, token.program), "took the rewards of stake")
        }
        Command::Show { owner: named, .. } => {
            let owner = named.as_deref().map(address).transpose()?.unwrap_or(owner);
            return show(options, &actor, &token, &owner).await;
        }
    };
    actor.send(options, &[instruction], ("stake", &place), done).await
}

async fn find(actor: &Actor, place: &Pubkey, owner: &Pubkey, mint: &Pubkey) -> Result<Stake, Failure> {
    let found = actor.chain.find::<Stake>(place).await?;
    found.ok_or_else(|| Failure::NotFound(format!("{owner} has no stake in {mint}: `joule stake add`")))
}

async fn show(options: &Options, actor: &Actor, token: &Token, owner: &Pubkey) -> Result<(), Failure> {
    let pool = pda::pool(&token.mint);
    let place = pda::stake(&pool, owner);
    let mut stake = find(actor, &place, owner, &token.mint).await?;
    let mut pool: Pool = actor.chain.get(&pool).await?;
    let now = UnixTime::new(actor.chain.now().await?);
    // As the program would before it pays: nothing is written.
    if stake.refresh(&mut pool, now).is_err() {
        return Err(Failure::Other(anyhow::anyhow!("stake {place} cannot be brought up to date")));
    }
    let discount = stake.discount(&pool, now).get();
    if options.json {
        return output::json(&serde_json::json!({
            "stake": place.to_string(),
            "owner": owner.to_string(),
            "mint": token.mint.to_string(),
            "amount": stake.amount.get().to_string(),
            "weight": stake.weight.get().to_string(),
            "lock_end": stake.lock_end.get(),
            "cooling": stake.cooling.get().to_string(),
            "cools_at": stake.cools_at.get(),
            "earned": stake.earned.get().to_string(),
            "discount_bps": discount,
        }));
    }
    let cooling = match stake.cooling.get() {
        0 => "-".to_owned(),
        amount => format!("{}, to be withdrawn from {} on", token.format(amount), output::time(stake.cools_at.get())),
    };
    let mut table = output::table(["stake", &place.to_string()]);
    table.add_rows([
        ["owner", &owner.to_string()],
        ["amount", &token.format(stake.amount.get())],
        ["weight", &token.format(stake.weight.get())],
        ["locked until", &output::time(stake.lock_end.get())],
        ["cooling", &cooling],
        ["rewards", &token.format(stake.earned.get())],
        ["discount on fees", &format!("{discount} basis points")],
    ]);
    println!("{table}");
    Ok(())
}
