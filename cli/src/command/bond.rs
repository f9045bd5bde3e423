//! `joule provider bond`: the money that a provider answers with.

pub mod claims;
pub mod services;
mod show;

use crate::{
    act::Actor,
    context::{address, Options},
    failure::Failure,
    output,
    token::Token,
    view::View,
};
use clap::Subcommand;
use joule_sdk::{
    instruction::staking,
    pda,
    staking::{
        constants::UNBOND_DELAY,
        state::{Bond, Claim},
    },
    Instruction, Pubkey,
};
use joule_settings::Amount;
use serde_json::json;
use services::Name;

pub use claims::Held;

#[derive(Subcommand)]
pub enum Command {
    /// Open the signer's bond in a token, let services lock it, and put something into it
    Open {
        /// In tokens, such as 100
        #[arg(default_value = "0")]
        amount: Amount,
        #[command(flatten)]
        which: Which,
        /// The key that alone may take money out; a colder one than the node's is wise [default: the signer]
        #[arg(long, value_name = "ADDRESS", value_parser = address)]
        withdrawer: Option<Pubkey>,
        /// Whom to let lock it: jobs, votes and panels are the escrow's, metered sessions billing's
        #[arg(long, value_name = "NAME", value_delimiter = ',', default_values = ["escrow", "billing"])]
        services: Vec<Name>,
    },
    /// Say which services may lock a bond; as its owner or its withdrawer. What they hold already they keep until its end
    Services {
        /// Let this service lock it
        #[arg(long, value_name = "NAME", value_delimiter = ',')]
        name: Vec<Name>,
        /// Let this service lock it no longer
        #[arg(long, value_name = "NAME", value_delimiter = ',')]
        unname: Vec<Name>,
        #[command(flatten)]
        which: Which,
    },
    /// Put more into a bond; anybody may, for anybody
    Deposit {
        /// In tokens, such as 100
        amount: Amount,
        /// Refuse unless this key alone may take money out: one that you know, and not only read
        #[arg(long, value_name = "ADDRESS", value_parser = address)]
        withdrawer: Option<Pubkey>,
        #[command(flatten)]
        which: Which,
    },
    /// Send a part on its way out; it can be withdrawn a week later. Releases first what services can need no longer
    Unbond {
        /// In tokens, such as 20
        #[arg(required_unless_present = "cancel")]
        amount: Option<Amount>,
        /// Keep everything that is on its way out after all
        #[arg(long, conflicts_with = "amount")]
        cancel: bool,
        #[command(flatten)]
        which: Which,
    },
    /// Take out what has waited long enough, and release what services can need no longer
    Withdraw {
        #[command(flatten)]
        which: Which,
    },
    /// Release what services hold past its end; anybody may, for anybody
    Release {
        #[command(flatten)]
        which: Which,
    },
    /// Close an empty bond and get its rent back, once nothing is in it and nothing held of it; as its withdrawer
    Close {
        #[command(flatten)]
        which: Which,
    },
    /// Show a bond, and who holds what of it until when
    Show {
        #[command(flatten)]
        which: Which,
    },
}

#[derive(clap::Args)]
pub struct Which {
    /// Whose bond: the authority of a provider [default: the signer]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    owner: Option<Pubkey>,
}

/// A bond, and who asks for it.
struct Found {
    actor: Actor,
    token: Token,
    owner: Pubkey,
    address: Pubkey,
}

impl Found {
    async fn by(options: &Options, which: &Which) -> Result<Self, Failure> {
        let actor = Actor::of(options)?;
        let token = Token::of(options, &actor.chain).await?;
        let owner = which.owner.unwrap_or(actor.key());
        let address = pda::bond(&owner, &token.mint);
        Ok(Self { actor, token, owner, address })
    }

    async fn bond(&self) -> Result<Bond, Failure> {
        let found = self.actor.chain.find::<Bond>(&self.address).await?;
        let none = || {
            let (owner, symbol) = (self.owner, &self.token.unit.symbol);
            format!("{owner} has no bond in {symbol} ({}): `joule provider bond open`", self.token.mint)
        };
        found.ok_or_else(|| Failure::NotFound(none()))
    }

    fn deposit(&self, amount: u64, withdrawer: Pubkey) -> Instruction {
        let (who, mint, program) = (self.actor.key(), self.token.mint, self.token.program);
        staking::deposit_bond(who, self.token.account_of(&who), self.address, mint, program, amount, withdrawer)
    }

    /// What services hold past its end, by claim.
    async fn ended(&self) -> Result<Vec<Ended>, Failure> {
        let chain = &self.actor.chain;
        let now = chain.now().await?;
        let claims = chain.claims_on(&self.address).await?;
        Ok(claims.into_iter().filter_map(|(address, claim)| Ended::of(address, claim, now)).collect())
    }

    /// `last` goes with the last of what has ended, which is released first: money that is free to be sent away is what matters.
    async fn release_and(
        &self,
        options: &Options,
        last: Instruction,
        done: &str,
        more: serde_json::Value,
    ) -> Result<(), Failure> {
        let ended = self.ended().await?;
        let released: Vec<_> = ended.iter().map(Ended::release).collect();
        // As many as leave room for one more instruction.
        let whole = released.len() - released.len() % AT_ONCE;
        for some in released[..whole].chunks(AT_ONCE) {
            self.actor.only_send(options, some).await?;
        }
        let mut instructions = released[whole..].to_vec();
        instructions.push(last);
        self.tell(options, &instructions, done, more).await
    }

    async fn send(&self, options: &Options, instructions: &[Instruction], done: &str) -> Result<(), Failure> {
        self.actor.send(options, instructions, ("bond", &self.address), done).await
    }

    /// `more` is what programs are told, amounts in base units.
    async fn tell(
        &self,
        options: &Options,
        instructions: &[Instruction],
        done: &str,
        more: serde_json::Value,
    ) -> Result<(), Failure> {
        self.actor.tell(options, instructions, ("bond", &self.address), done, self.token.label(more)).await
    }

    /// Otherwise the withdrawer's signature would be missing, which says less.
    fn only_the_withdrawer(&self, bond: &Bond) -> Result<(), Failure> {
        if bond.withdrawer == self.actor.key() {
            return Ok(());
        }
        Err(Failure::Refused(format!("only {} may take money out of bond {}", bond.withdrawer, self.address)))
    }
}

/// How many claims are released in one transaction.
const AT_ONCE: usize = 8;

/// A claim that holds something past its end.
pub struct Ended {
    address: Pubkey,
    claim: Claim,
    /// Base units.
    pub amount: u64,
}

impl Ended {
    /// `now` in Unix seconds, by the chain's clock.
    pub fn of(address: Pubkey, claim: Claim, now: i64) -> Option<Self> {
        let used = claim.tranches.iter().take(usize::from(claim.count));
        let amount = used.filter(|tranche| tranche.until.get() <= now).map(|tranche| tranche.amount.get()).sum();
        (amount > 0).then_some(Self { address, claim, amount })
    }

    fn release(&self) -> Instruction {
        staking::release_expired(self.address, &self.claim)
    }
}

pub async fn run(options: &Options, command: Command) -> Result<(), Failure> {
    match command {
        Command::Open { amount, which, withdrawer, services } => {
            let found = Found::by(options, &which).await?;
            open(options, &found, &amount, withdrawer, &services).await
        }
        Command::Services { name, unname, which } => {
            services::change(options, &Found::by(options, &which).await?, &name, &unname).await
        }
        Command::Deposit { amount, withdrawer, which } => {
            deposit(options, &Found::by(options, &which).await?, &amount, withdrawer).await
        }
        Command::Unbond { amount: Some(amount), which, .. } => {
            unbond(options, &Found::by(options, &which).await?, &amount).await
        }
        Command::Unbond { amount: None, which, .. } => cancel(options, &Found::by(options, &which).await?).await,
        Command::Withdraw { which } => withdraw(options, &Found::by(options, &which).await?).await,
        Command::Release { which } => release(options, &Found::by(options, &which).await?).await,
        Command::Close { which } => close(options, &Found::by(options, &which).await?).await,
        Command::Show { which } => show::show(options, &Found::by(options, &which).await?).await,
    }
}

async fn open(
    options: &Options,
    found: &Found,
    amount: &Amount,
    withdrawer: Option<Pubkey>,
    services: &[Name],
) -> Result<(), Failure> {
    let (token, who) = (&found.token, found.owner);
    if who != found.actor.key() {
        return Err(Failure::Input("a bond is opened by its owner: sign as the provider".into()));
    }
    let units = token.units(amount)?;
    if found.actor.chain.find::<Bond>(&found.address).await?.is_some() {
        let (name, symbol) = (options.who(&who), &token.unit.symbol);
        return Err(Failure::Refused(format!(
            "{name} has a bond in {symbol} already: use `joule provider bond deposit {}`",
            token.unit.tokens(units)
        )));
    }
    found.actor.can_pay(options, token, units, "what goes into the bond").await?;
    let withdrawer = withdrawer.unwrap_or(who);
    let mut instructions = vec![staking::open_bond(who, who, token.mint, token.program, withdrawer)];
    instructions.extend(found.name(services, true));
    instructions.extend((units > 0).then(|| found.deposit(units, withdrawer)));
    let done = format!("opened bond {} with {}", found.address, token.show(units));
    found.tell(options, &instructions, &done, json!({ "amount": units.to_string() })).await
}

async fn deposit(options: &Options, found: &Found, amount: &Amount, withdrawer: Option<Pubkey>) -> Result<(), Failure> {
    let units = found.token.units(amount)?;
    let bond = found.bond().await?;
    let expected = withdrawer.unwrap_or(bond.withdrawer);
    if expected != bond.withdrawer {
        return Err(Failure::Refused(format!(
            "{} may take money out of bond {}, and not {expected}",
            bond.withdrawer, found.address
        )));
    }
    found.actor.can_pay(options, &found.token, units, "the deposit").await?;
    let (shown, address) = (found.token.show(units), found.address);
    let done = format!("paid {shown} into bond {address}; {} may take it out", bond.withdrawer);
    let more = json!({ "amount": units.to_string(), "withdrawer": bond.withdrawer.to_string() });
    found.tell(options, &[found.deposit(units, bond.withdrawer)], &done, more).await
}

async fn unbond(options: &Options, found: &Found, amount: &Amount) -> Result<(), Failure> {
    let (token, units) = (&found.token, found.token.units(amount)?);
    let bond = found.bond().await?;
    found.only_the_withdrawer(&bond)?;
    let ended = found.ended().await?.iter().fold(0u64, |sum, ended| sum.saturating_add(ended.amount));
    let free = bond.free().unwrap_or_default().saturating_add(ended);
    if units > free {
        return Err(Failure::Rule {
            name: "NotFree",
            message: format!(
                "{} of bond {} is free, and {} is to leave it: `joule provider bond show` says who holds the rest",
                token.show(free),
                found.address,
                token.show(units)
            ),
        });
    }
    let view = View::of(options, []).await;
    let at = found.actor.chain.now().await?.saturating_add(UNBOND_DELAY.into());
    let all = bond.unbonding.get().saturating_add(units);
    let done = format!(
        "{} on its way out of bond {}, {} in all: `joule provider bond withdraw` from {}",
        token.show(units),
        found.address,
        token.show(all),
        view.moment(at)
    );
    let more = json!({ "amount": units.to_string(), "unbonding": all.to_string(), "unbonds_at": at });
    found.release_and(options, staking::unbond(found.actor.key(), found.address, units), &done, more).await
}

async fn cancel(options: &Options, found: &Found) -> Result<(), Failure> {
    let bond = found.bond().await?;
    found.only_the_withdrawer(&bond)?;
    let amount = bond.unbonding.get();
    let cancel = staking::cancel_unbond(found.actor.key(), found.address);
    let done = format!("{} stays in bond {} after all", found.token.show(amount), found.address);
    found.tell(options, &[cancel], &done, json!({ "amount": amount.to_string() })).await
}

async fn withdraw(options: &Options, found: &Found) -> Result<(), Failure> {
    let (bond, who) = (found.bond().await?, found.actor.key());
    found.only_the_withdrawer(&bond)?;
    let (amount, at) = (bond.unbonding.get(), bond.unbonds_at.get());
    if amount > 0 && found.actor.chain.now().await? < at {
        let view = View::of(options, []).await;
        return Err(Failure::Rule {
            name: "StillUnbonding",
            message: format!("{} can be withdrawn from {} on", found.token.show(amount), view.moment(at)),
        });
    }
    let to = found.token.account_of(&who);
    let withdraw = staking::withdraw_bond(who, found.address, to, found.token.program);
    let done = format!("withdrew {} from bond {}", found.token.show(amount), found.address);
    found.release_and(options, withdraw, &done, json!({ "amount": amount.to_string() })).await
}

async fn release(options: &Options, found: &Found) -> Result<(), Failure> {
    found.bond().await?;
    let ended = found.ended().await?;
    let bar = output::spinner("releasing");
    for some in ended.chunks(AT_ONCE) {
        let instructions: Vec<_> = some.iter().map(Ended::release).collect();
        found.actor.only_send(options, &instructions).await?;
    }
    bar.finish_and_clear();
    let amount = ended.iter().fold(0u64, |sum, ended| sum.saturating_add(ended.amount));
    if options.json {
        return output::json(&found.token.label(json!({
            "bond": found.address.to_string(), "released": amount.to_string(), "claims": ended.len(),
        })));
    }
    println!("released {} of {} claims on bond {}", found.token.show(amount), ended.len(), found.address);
    Ok(())
}

async fn close(options: &Options, found: &Found) -> Result<(), Failure> {
    let (bond, who) = (found.bond().await?, found.actor.key());
    found.only_the_withdrawer(&bond)?;
    if bond.amount.get() > 0 || bond.claims.get() > 0 {
        return Err(Failure::Rule {
            name: "BondNotEmpty",
            message: format!(
                "bond {} still has {} in it, and {} claims on it: `joule provider bond unbond`, and a week later `withdraw`",
                found.address,
                found.token.show(bond.amount.get()),
                bond.claims.get()
            ),
        });
    }
    let close = staking::close_bond(found.address, &bond, found.token.account_of(&who), found.token.program);
    found.send(options, &[close], "closed bond").await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_past_its_end_is_released() {
        let mut claim = <Claim as bytemuck::Zeroable>::zeroed();
        for (place, (amount, until)) in [(5u64, 10i64), (7, 20), (9, 30)].into_iter().enumerate() {
            (claim.tranches[place].amount, claim.tranches[place].until) = (amount.into(), until.into());
        }
        claim.count = 2;
        let at = |now| Ended::of(Pubkey::default(), claim, now).map(|ended| ended.amount);
        assert_eq!([9, 10, 19, 20, 99].map(at), [None, Some(5), Some(5), Some(12), Some(12)]);
    }
}
