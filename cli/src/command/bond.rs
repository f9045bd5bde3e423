//! `joule provider bond`: the money that a provider answers with.

use crate::{
    act::{Actor, Token},
    context::{address, Options},
    failure::Failure,
    output,
};
use clap::Subcommand;
use joule_sdk::{instruction::staking, pda, staking::state::Bond, Instruction, Pubkey};

#[derive(Subcommand)]
pub enum Command {
    /// Open the signer's bond in a token, and put something into it
    Open {
        /// In tokens, such as 100
        #[arg(default_value = "0")]
        amount: String,
        #[command(flatten)]
        which: Which,
        /// The key that alone may take money out; a colder one than the node's is wise [default: the signer]
        #[arg(long, value_name = "ADDRESS")]
        withdrawer: Option<String>,
    },
    /// Put more into a bond; anybody may, for anybody
    Deposit {
        amount: String,
        #[command(flatten)]
        which: Which,
    },
    /// Send a part on its way out; it can be withdrawn a week later
    Unbond {
        #[arg(required_unless_present = "cancel")]
        amount: Option<String>,
        /// Keep everything that is on its way out after all
        #[arg(long, conflicts_with = "amount")]
        cancel: bool,
        #[command(flatten)]
        which: Which,
    },
    /// Take out what has waited long enough
    Withdraw {
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

    fn deposit(&self, amount: u64) -> Instruction {
        let (who, mint, program) = (self.actor.key(), self.token.mint, self.token.program);
        staking::deposit_bond(who, self.token.account_of(&who), self.address, mint, program, amount)
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

pub async fn run(options: &Options, command: Command) -> Result<(), Failure> {
    match command {
        Command::Open { amount, which, withdrawer } => {
            let found = Found::by(options, &which).await?;
            if found.owner != found.actor.key() {
                return Err(Failure::Input("a bond is opened by its owner: sign as the provider".into()));
            }
            let (amount, who) = (found.token.amount(&amount)?, found.owner);
            let withdrawer = withdrawer.as_deref().map(address).transpose()?.unwrap_or(who);
            let mut instructions =
                vec![staking::open_bond(who, who, found.token.mint, found.token.program, withdrawer)];
            instructions.extend((amount > 0).then(|| found.deposit(amount)));
            found.send(options, &instructions, "opened bond").await
        }
        Command::Deposit { amount, which } => {
            let found = Found::by(options, &which).await?;
            found.bond().await?;
            let deposit = found.deposit(found.token.amount(&amount)?);
            found.send(options, &[deposit], "paid into bond").await
        }
        Command::Unbond { amount, cancel: _, which } => {
            let found = Found::by(options, &which).await?;
            found.only_the_withdrawer(&found.bond().await?)?;
            let who = found.actor.key();
            match amount {
                Some(amount) => {
                    let unbond = staking::unbond(who, found.address, found.token.amount(&amount)?);
                    found.send(options, &[unbond], "on its way out of bond").await
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
            found.send(options, &[withdraw], "withdrew from bond").await
        }
        Command::Show { which } => show(options, &Found::by(options, &which).await?).await,
    }
}

async fn show(options: &Options, found: &Found) -> Result<(), Failure> {
    let bond = found.bond().await?;
    let free = bond.free().unwrap_or_default();
    if options.json {
        return output::json(&serde_json::json!({
            "bond": found.address.to_string(),
            "owner": bond.owner.to_string(),
            "mint": bond.mint.to_string(),
            "withdrawer": bond.withdrawer.to_string(),
            "amount": bond.amount.get().to_string(),
            "locked": bond.locked.get().to_string(),
            "unbonding": bond.unbonding.get().to_string(),
            "unbonds_at": bond.unbonds_at.get(),
            "free": free.to_string(),
            "kept": bond.kept.get().to_string(),
            "failed": bond.failed.get().to_string(),
            "open_claims": bond.claims.get(),
        }));
    }
    let tokens = |amount| found.token.format(amount);
    let unbonding = match bond.unbonding.get() {
        0 => "-".to_owned(),
        amount => format!("{}, to be withdrawn from {} on", tokens(amount), output::time(bond.unbonds_at.get())),
    };
    let mut table = output::table(["bond", &found.address.to_string()]);
    table.add_rows([
        ["owner", &bond.owner.to_string()],
        ["token", &bond.mint.to_string()],
        ["withdrawer", &bond.withdrawer.to_string()],
        ["amount", &tokens(bond.amount.get())],
        ["locked", &format!("{} by {} claims", tokens(bond.locked.get()), bond.claims.get())],
        ["on its way out", &unbonding],
        ["free", &tokens(free)],
        ["kept", &tokens(bond.kept.get())],
        ["failed", &tokens(bond.failed.get())],
    ]);
    println!("{table}");
    Ok(())
}
