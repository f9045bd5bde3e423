//! `joule provider bond`: the money that a provider answers with.

mod services;
mod show;

use crate::{
    act::{Actor, Token},
    context::{address, Options},
    failure::Failure,
    output,
};
use clap::Subcommand;
use joule_sdk::{
    instruction::staking,
    pda,
    staking::state::{Bond, Claim},
    Instruction, Pubkey,
};
use services::Name;

#[derive(Subcommand)]
pub enum Command {
    /// Open the signer's bond in a token, let services lock it, and put something into it
    Open {
        /// In tokens, such as 100
        #[arg(default_value = "0")]
        amount: String,
        #[command(flatten)]
        which: Which,
        /// The key that alone may take money out; a colder one than the node's is wise [default: the signer]
        #[arg(long, value_name = "ADDRESS")]
        withdrawer: Option<String>,
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
        amount: String,
        /// Refuse unless this key alone may take money out: one that you know, and not only read
        #[arg(long, value_name = "ADDRESS")]
        withdrawer: Option<String>,
        #[command(flatten)]
        which: Which,
    },
    /// Send a part on its way out; it can be withdrawn a week later. Releases first what services can need no longer
    Unbond {
        #[arg(required_unless_present = "cancel")]
        amount: Option<String>,
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
    /// Show a bond
    Show {
        #[command(flatten)]
        which: Which,
    },
}

#[derive(clap::Args)]
pub struct Which {
    /// Whose bond: the authority of a provider [default: the signer]
    #[arg(long, value_name = "ADDRESS")]
    owner: Option<String>,
    /// The token [default: the local network's]
    #[arg(long, value_name = "ADDRESS")]
    mint: Option<String>,
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
        let token = Token::of(options, &actor.chain, which.mint.as_deref()).await?;
        let owner = which.owner.as_deref().map(address).transpose()?.unwrap_or(actor.key());
        let address = pda::bond(&owner, &token.mint);
        Ok(Self { actor, token, owner, address })
    }

    async fn bond(&self) -> Result<Bond, Failure> {
        let found = self.actor.chain.find::<Bond>(&self.address).await?;
        let none = || format!("{} has no bond in {}: `joule provider bond open`", self.owner, self.token.mint);
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
    async fn release_and(&self, options: &Options, last: Instruction, done: &str) -> Result<(), Failure> {
        let ended = self.ended().await?;
        let released: Vec<_> = ended.iter().map(Ended::release).collect();
        // As many as leave room for one more instruction.
        let whole = released.len() - released.len() % AT_ONCE;
        for some in released[..whole].chunks(AT_ONCE) {
            self.actor.chain.send(some, &[&self.actor.signer]).await?;
        }
        let mut instructions = released[whole..].to_vec();
        instructions.push(last);
        self.send(options, &instructions, done).await
    }

    async fn send(&self, options: &Options, instructions: &[Instruction], done: &str) -> Result<(), Failure> {
        self.actor.send(options, instructions, ("bond", &self.address), done).await
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
struct Ended {
    address: Pubkey,
    claim: Claim,
    /// Base units.
    amount: u64,
}

impl Ended {
    /// `now` in Unix seconds, by the chain's clock.
    fn of(address: Pubkey, claim: Claim, now: i64) -> Option<Self> {
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
            if found.owner != found.actor.key() {
                return Err(Failure::Input("a bond is opened by its owner: sign as the provider".into()));
            }
            let (amount, who) = (found.token.amount(&amount)?, found.owner);
            let withdrawer = withdrawer.as_deref().map(address).transpose()?.unwrap_or(who);
            let mut instructions =
                vec![staking::open_bond(who, who, found.token.mint, found.token.program, withdrawer)];
            instructions.extend(found.name(&services, true));
            instructions.extend((amount > 0).then(|| found.deposit(amount, withdrawer)));
            found.send(options, &instructions, "opened bond").await
        }
        Command::Services { name, unname, which } => {
            services::change(options, &Found::by(options, &which).await?, &name, &unname).await
        }
        Command::Deposit { amount, withdrawer, which } => {
            let found = Found::by(options, &which).await?;
            let (bond, amount) = (found.bond().await?, found.token.amount(&amount)?);
            let expected = withdrawer.as_deref().map(address).transpose()?.unwrap_or(bond.withdrawer);
            if expected != bond.withdrawer {
                return Err(Failure::Refused(format!(
                    "{} may take money out of bond {}, and not {expected}",
                    bond.withdrawer, found.address
                )));
            }
            let done = format!("paid for withdrawer {} into bond", bond.withdrawer);
            found.send(options, &[found.deposit(amount, bond.withdrawer)], &done).await
        }
        Command::Unbond { amount, cancel: _, which } => {
            let found = Found::by(options, &which).await?;
            found.only_the_withdrawer(&found.bond().await?)?;
            let who = found.actor.key();
            match amount {
                Some(amount) => {
                    let unbond = staking::unbond(who, found.address, found.token.amount(&amount)?);
                    found.release_and(options, unbond, "on its way out of bond").await
                }
                None => {
                    let cancel = staking::cancel_unbond(who, found.address);
                    found.send(options, &[cancel], "everything stays in bond").await
                }
            }
        }
        Command::Withdraw { which } => {
            let found = Found::by(options, &which).await?;
            found.only_the_withdrawer(&found.bond().await?)?;
            let who = found.actor.key();
            let withdraw =
                staking::withdraw_bond(who, found.address, found.token.account_of(&who), found.token.program);
            found.release_and(options, withdraw, "withdrew from bond").await
        }
        Command::Release { which } => release(options, &Found::by(options, &which).await?).await,
        Command::Show { which } => show::show(options, &Found::by(options, &which).await?).await,
    }
}

async fn release(options: &Options, found: &Found) -> Result<(), Failure> {
    found.bond().await?;
    let ended = found.ended().await?;
    let bar = output::spinner("releasing");
    for some in ended.chunks(AT_ONCE) {
        let instructions: Vec<_> = some.iter().map(Ended::release).collect();
        found.actor.chain.send(&instructions, &[&found.actor.signer]).await?;
    }
    bar.finish_and_clear();
    let amount = ended.iter().fold(0u64, |sum, ended| sum.saturating_add(ended.amount));
    if options.json {
        return output::json(&serde_json::json!({
            "bond": found.address.to_string(), "released": amount.to_string(), "claims": ended.len(),
        }));
    }
    println!("released {} of {} claims on bond {}", found.token.format(amount), ended.len(), found.address);
    Ok(())
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
