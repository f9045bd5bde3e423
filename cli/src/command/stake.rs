//! `joule stake`: lock tokens for a share of the fees and for lower ones.

use crate::{
    act::{seconds, Actor},
    command::job::percent,
    context::{address, Options},
    failure::Failure,
    output,
    token::Token,
    view::View,
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
use joule_settings::{Amount, Span};
use serde_json::json;

#[derive(Subcommand)]
pub enum Command {
    /// Stake tokens; all that is staked is locked for at least that long from now
    Add {
        /// In tokens, such as 1000
        amount: Amount,
        /// How long; the longer, the more it weighs
        #[arg(long, value_name = "DURATION")]
        lock: Span,
    },
    /// Lock for longer
    Extend {
        /// How long from now
        #[arg(long, value_name = "DURATION")]
        lock: Span,
    },
    /// Stop earning with a part whose lock has ended; it cools before it can be withdrawn
    Unstake {
        /// In tokens, such as 1000
        amount: Amount,
    },
    /// Take out what has cooled
    Withdraw,
    /// Take the rewards
    Claim,
    /// Show a stake
    Show {
        /// Whose [default: the signer's]
        #[arg(long, value_name = "ADDRESS", value_parser = address)]
        owner: Option<Pubkey>,
    },
}

/// Somebody's stake in a token.
struct Place {
    actor: Actor,
    token: Token,
    address: Pubkey,
}

impl Place {
    async fn of(options: &Options) -> Result<Self, Failure> {
        let actor = Actor::of(options)?;
        let token = Token::of(options, &actor.chain).await?;
        let address = pda::stake(&pda::pool(&token.mint), &actor.key());
        Ok(Self { actor, token, address })
    }

    /// The signer's, with what it has earned by now.
    async fn now(&self, options: &Options, owner: &Pubkey) -> Result<(Stake, Pool, UnixTime), Failure> {
        let pool = pda::pool(&self.token.mint);
        let place = pda::stake(&pool, owner);
        let symbol = &self.token.unit.symbol;
        let mut stake = self.actor.chain.find::<Stake>(&place).await?.ok_or_else(|| {
            let who = if *owner == self.actor.key() { options.who(owner) } else { owner.to_string() };
            Failure::NotFound(format!("{who} has no stake in {symbol}: `joule stake add`"))
        })?;
        let mut pool: Pool = self.actor.chain.get(&pool).await?;
        let now = UnixTime::new(self.actor.chain.now().await?);
        // As the program would before it pays: nothing is written.
        if stake.refresh(&mut pool, now).is_err() {
            return Err(Failure::Other(anyhow::anyhow!("stake {place} cannot be brought up to date")));
        }
        Ok((stake, pool, now))
    }

    async fn tell(
        &self,
        options: &Options,
        instruction: joule_sdk::Instruction,
        done: &str,
        more: serde_json::Value,
    ) -> Result<(), Failure> {
        self.actor.tell(options, &[instruction], ("stake", &self.address), done, self.token.label(more)).await
    }
}

pub async fn run(options: &Options, command: Command) -> Result<(), Failure> {
    match command {
        Command::Add { amount, lock } => {
            let lock = seconds("--lock", lock, MAX_LOCK)?;
            add(options, &Place::of(options).await?, &amount, lock).await
        }
        Command::Extend { lock } => {
            let seconds = seconds("--lock", lock, MAX_LOCK)?;
            let place = Place::of(options).await?;
            let extend = staking::extend_lock(place.actor.key(), place.token.mint, seconds);
            let done = format!("locked for {lock} from now: stake {}", place.address);
            place.tell(options, extend, &done, json!({ "lock_seconds": seconds })).await
        }
        Command::Unstake { amount } => unstake(options, &Place::of(options).await?, &amount).await,
        Command::Withdraw => withdraw(options, &Place::of(options).await?).await,
        Command::Claim => claim(options, &Place::of(options).await?).await,
        Command::Show { owner } => show(options, &Place::of(options).await?, owner).await,
    }
}

async fn add(options: &Options, place: &Place, amount: &Amount, lock: u32) -> Result<(), Failure> {
    let (token, owner) = (&place.token, place.actor.key());
    let units = token.units(amount)?;
    place.actor.can_pay(options, token, units, "the stake").await?;
    let (mint, source) = (token.mint, token.account_of(&owner));
    let accounts = StakeAccounts { payer: owner, owner, source, mint, token_program: token.program };
    let done = format!("added {} to stake {}", token.show(units), place.address);
    place.tell(options, staking::stake(accounts, units, lock), &done, json!({ "amount": units.to_string() })).await
}

async fn unstake(options: &Options, place: &Place, amount: &Amount) -> Result<(), Failure> {
    let (token, owner) = (&place.token, place.actor.key());
    let units = token.units(amount)?;
    let (stake, pool, now) = place.now(options, &owner).await?;
    let view = View::of(options, []).await;
    if now.get() < stake.lock_end.get() {
        let message = format!(
            "{} is locked until {}: nothing of it can be unstaked before",
            token.show(stake.amount.get()),
            view.moment(stake.lock_end.get())
        );
        return Err(Failure::Rule { name: "StillLocked", message });
    }
    if units > stake.amount.get() {
        let (staked, asked) = (token.show(stake.amount.get()), token.show(units));
        let message = format!("{staked} is staked, and {asked} is to be unstaked");
        return Err(Failure::Rule { name: "NotStaked", message });
    }
    let (all, at) = (stake.cooling.get().saturating_add(units), now.get().saturating_add(pool.cool_down.get().into()));
    let done = format!(
        "{} of stake {} is cooling, {} in all: `joule stake withdraw` from {}",
        token.show(units),
        place.address,
        token.show(all),
        view.moment(at)
    );
    let unstake = staking::unstake(owner, token.mint, units);
    let more = json!({ "amount": units.to_string(), "cooling": all.to_string(), "cools_at": at });
    place.tell(options, unstake, &done, more).await
}

async fn withdraw(options: &Options, place: &Place) -> Result<(), Failure> {
    let (token, owner) = (&place.token, place.actor.key());
    let (stake, _, now) = place.now(options, &owner).await?;
    let (cooling, at) = (stake.cooling.get(), stake.cools_at.get());
    if cooling > 0 && now.get() < at {
        let view = View::of(options, []).await;
        let message = format!("{} can be withdrawn from {} on", token.show(cooling), view.moment(at));
        return Err(Failure::Rule { name: "StillCooling", message });
    }
    let withdraw = staking::withdraw_stake(&stake, token.mint, token.account_of(&owner), token.program);
    let done = format!("withdrew {} from stake {}", token.show(cooling), place.address);
    place.tell(options, withdraw, &done, json!({ "amount": cooling.to_string() })).await
}

async fn claim(options: &Options, place: &Place) -> Result<(), Failure> {
    let (token, owner) = (&place.token, place.actor.key());
    let (stake, _, _) = place.now(options, &owner).await?;
    let earned = stake.earned.get();
    let claim = staking::claim_rewards(owner, token.mint, token.account_of(&owner), token.program);
    let done = format!("took about {} of rewards from stake {}", token.show(earned), place.address);
    place.tell(options, claim, &done, json!({ "rewards": earned.to_string() })).await
}

async fn show(options: &Options, place: &Place, owner: Option<Pubkey>) -> Result<(), Failure> {
    let (token, owner) = (&place.token, owner.unwrap_or(place.actor.key()));
    let address = pda::stake(&pda::pool(&token.mint), &owner);
    let (stake, pool, now) = place.now(options, &owner).await?;
    let discount = stake.discount(&pool, now).get();
    if options.json {
        return output::json(&token.label(json!({
            "stake": address.to_string(),
            "owner": owner.to_string(),
            "mint": token.mint.to_string(),
            "amount": stake.amount.get().to_string(),
            "weight": stake.weight.get().to_string(),
            "lock_end": stake.lock_end.get(),
            "cooling": stake.cooling.get().to_string(),
            "cools_at": stake.cools_at.get(),
            "earned": stake.earned.get().to_string(),
            "discount_bps": discount,
        })));
    }
    let view = View::of(options, []).await;
    let cooling = match stake.cooling.get() {
        0 => "-".to_owned(),
        amount => format!("{}, can be withdrawn from {}", token.show(amount), view.moment(stake.cools_at.get())),
    };
    let mut table = output::table(["stake", &address.to_string()]);
    table.add_rows([
        ["owner", &owner.to_string()],
        ["amount", &token.show(stake.amount.get())],
        ["weight", &token.show(stake.weight.get())],
        ["locked until", &view.moment(stake.lock_end.get())],
        ["cooling", &cooling],
        ["rewards", &token.show(stake.earned.get())],
        ["discount on fees", &percent(discount)],
    ]);
    println!("{table}");
    Ok(())
}
