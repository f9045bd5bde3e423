//! `joule channel plan`: a standing payment on a channel, by the second.

use crate::{
    act::{seconds, Actor},
    context::{address, Options},
    failure::Failure,
    token::Token,
    view::View,
};
use clap::Subcommand;
use joule_sdk::{
    billing::{
        constants::MAX_PERIOD,
        state::{Channel, Payer, Plan, PlanStatus},
    },
    instruction::billing,
    pda,
    units::UnixTime,
    Instruction, Pubkey,
};
use joule_settings::{Amount, Span};
use serde_json::{json, Value};

#[derive(Subcommand)]
pub enum Command {
    /// Pay the channel's provider by the second from now on, out of the deposit; as the channel's owner
    Start {
        /// The channel's address
        #[arg(value_parser = address)]
        channel: Pubkey,
        /// What a second costs, in tokens, such as 0.001
        rate: Amount,
        /// How long it goes on being paid after you end it; that much is reserved at once
        #[arg(long, default_value = "1d", value_name = "DURATION")]
        notice: Span,
    },
    /// Stop the flow until the owner resumes it; as the provider
    Pause {
        /// The channel's address
        #[arg(value_parser = address)]
        channel: Pubkey,
    },
    /// Let a paused plan go on; as the channel's owner
    Resume {
        /// The channel's address
        #[arg(value_parser = address)]
        channel: Pubkey,
    },
    /// End a plan: as the owner after its notice, as the provider at once
    Terminate {
        /// The channel's address
        #[arg(value_parser = address)]
        channel: Pubkey,
    },
    /// Bring what a plan has made to its channel, and close it if it has ended; anyone may
    Settle {
        /// The channel's address
        #[arg(value_parser = address)]
        channel: Pubkey,
    },
}

/// A channel on the chain, and whoever asks.
struct Found {
    actor: Actor,
    token: Token,
    address: Pubkey,
    state: Channel,
}

impl Found {
    async fn by(options: &Options, channel: Pubkey) -> Result<Self, Failure> {
        let actor = Actor::of(options)?;
        let state: Option<Channel> = actor.chain.find(&channel).await?;
        let gone = || Failure::NotFound(format!("no channel {channel} on the chain: it is closed, or never was"));
        let state = state.ok_or_else(gone)?;
        let token = Token::at(options, &actor.chain, state.mint).await?;
        Ok(Self { actor, token, address: channel, state })
    }

    async fn plan(&self) -> Result<Plan, Failure> {
        let none = || Failure::NotFound(format!("channel {} has no plan: `joule channel plan start`", self.address));
        self.actor.chain.find(&pda::plan(&self.address)).await?.ok_or_else(none)
    }

    /// Otherwise a signature would be missing, which says less.
    fn only(&self, who: &Pubkey, what: &str) -> Result<(), Failure> {
        match *who == self.actor.key() {
            true => Ok(()),
            false => Err(Failure::Refused(format!("only {what} {who} may do that on channel {}", self.address))),
        }
    }

    async fn tell(&self, options: &Options, instruction: Instruction, done: &str, more: Value) -> Result<(), Failure> {
        let more = self.token.label(more);
        self.actor.tell(options, &[instruction], ("channel", &self.address), done, more).await
    }
}

pub async fn run(options: &Options, command: Command) -> Result<(), Failure> {
    match command {
        Command::Start { channel, rate, notice } => {
            let notice = seconds("--notice", notice, MAX_PERIOD)?;
            start(options, &Found::by(options, channel).await?, &rate, notice).await
        }
        Command::Pause { channel } => {
            let found = Found::by(options, channel).await?;
            found.only(&found.state.authority, "its provider")?;
            standing(&found.plan().await?, PlanStatus::Running, "is not running, and cannot be paused")?;
            let pause = billing::pause_plan(channel, &found.state);
            found.tell(options, pause, &format!("paused the plan of channel {channel}"), json!({})).await
        }
        Command::Resume { channel } => {
            let found = Found::by(options, channel).await?;
            found.only(&found.state.owner, "its owner")?;
            standing(&found.plan().await?, PlanStatus::Paused, "is not paused, and cannot be resumed")?;
            let resume = billing::resume_plan(channel, &found.state);
            found.tell(options, resume, &format!("the plan of channel {channel} goes on"), json!({})).await
        }
        Command::Terminate { channel } => terminate(options, &Found::by(options, channel).await?).await,
        Command::Settle { channel } => {
            let found = Found::by(options, channel).await?;
            let settle = billing::settle_plan(channel, &found.state, &found.plan().await?);
            found.tell(options, settle, &format!("settled the plan of channel {channel}"), json!({})).await
        }
    }
}

fn standing(plan: &Plan, wanted: PlanStatus, otherwise: &str) -> Result<(), Failure> {
    match plan.status().is_ok_and(|status| status == wanted) {
        true => Ok(()),
        false => Err(Failure::Refused(format!("the plan {otherwise}: `joule channel show` says where it stands"))),
    }
}

async fn start(options: &Options, found: &Found, rate: &Amount, notice: u32) -> Result<(), Failure> {
    let (token, state) = (&found.token, &found.state);
    let rate = token.units(rate)?;
    if rate == 0 {
        return Err(Failure::Input("a plan that pays nothing is none: say what a second costs".into()));
    }
    found.only(&state.owner, "its owner")?;
    if state.has_plan == 1 {
        return Err(Failure::Refused(format!("channel {} has a plan already: end that one first", found.address)));
    }
    let lockup = u128::from(rate) * u128::from(notice);
    let payer: Payer = found.actor.chain.get(&state.payer).await?;
    let now = UnixTime::new(found.actor.chain.now().await?);
    let mut synced = payer;
    let free = synced.sync(now).and_then(|()| synced.free()).unwrap_or_default();
    if lockup > u128::from(free) {
        let wants = u64::try_from(lockup).map_or_else(|_| "more than there is".to_owned(), |units| token.show(units));
        return Err(Failure::Refused(format!(
            "{} of the deposit is free, the notice comes to {wants}: `joule channel deposit`, or a shorter --notice",
            token.show(free)
        )));
    }
    let me = found.actor.key();
    let start = billing::start_plan(me, found.address, state, rate, notice);
    let done = format!(
        "channel {} pays {} a second from now on; {} stays for the notice",
        found.address,
        token.show(rate),
        token.show(u64::try_from(lockup).unwrap_or(u64::MAX))
    );
    let more = json!({ "rate": rate.to_string(), "lockup": lockup.to_string(), "notice_seconds": notice });
    found.tell(options, start, &done, more).await
}

async fn terminate(options: &Options, found: &Found) -> Result<(), Failure> {
    let (me, state) = (found.actor.key(), &found.state);
    if ![state.owner, state.authority].contains(&me) {
        let (owner, authority) = (state.owner, state.authority);
        return Err(Failure::Refused(format!("only its owner {owner} and its provider {authority} may end a plan")));
    }
    let plan = found.plan().await?;
    let terminate = billing::terminate_plan(me, found.address, state, &plan);
    let ends_at = match me == state.owner {
        true => found.actor.chain.now().await?.saturating_add(plan.period.get().into()),
        false => found.actor.chain.now().await?,
    };
    let done = match me == state.owner {
        true => format!(
            "the plan of channel {} ends {}; then `joule channel plan settle` closes it",
            found.address,
            View::of(options, []).await.moment(ends_at)
        ),
        false => format!("ended the plan of channel {}", found.address),
    };
    found.tell(options, terminate, &done, json!({ "ends_at": ends_at })).await
}
