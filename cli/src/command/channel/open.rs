//! `joule channel open` and `top-up`: reserving money for a provider.

use super::place::Place;
use crate::{
    act::{seconds, Actor},
    context::{address, Options},
    failure::Failure,
    output,
    token::Token,
};
use joule_sdk::{
    billing::{
        constants::{MAX_BACKING_BPS, MAX_GRACE, MIN_GRACE},
        state::{Channel, ChannelTerms, Payer},
    },
    instruction::{
        billing::{self, OpenAccounts},
        token::create_associated,
    },
    pda,
    registry::state::{Model, Provider},
    treasury::state::{Protocol, Service},
    units::UnixTime,
    Instruction, Pubkey, Signer as _,
};
use joule_settings::{Amount, Span};
use serde_json::json;

#[derive(clap::Args)]
pub struct Open {
    /// The model's address
    #[arg(value_parser = address)]
    model: Pubkey,
    /// Who runs it: the authority of a provider
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    provider: Pubkey,
    /// What is reserved, in tokens; a deposit makes up what is missing
    amount: Amount,
    #[command(flatten)]
    terms: Terms,
    /// The key that signs for requests, such as a provider's own for a house channel [default: a new one]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    session_signer: Option<Pubkey>,
    /// Do not ask before spending
    #[arg(long, short)]
    yes: bool,
}

#[derive(clap::Args)]
pub struct TopUp {
    /// The channel's address
    #[arg(value_parser = address)]
    channel: Pubkey,
    /// What is reserved beside what is, in tokens; a deposit makes up what is missing
    amount: Amount,
    /// Do not ask before spending
    #[arg(long, short)]
    yes: bool,
}

#[derive(clap::Args)]
pub struct Deposit {
    /// In tokens, such as 10
    amount: Amount,
}

/// How a channel is opened.
#[derive(clap::Args)]
pub struct Terms {
    /// How long the key that signs for requests is good
    #[arg(long, default_value = "1d", value_name = "DURATION")]
    session: Span,
    /// How long the provider may take to settle once the channel is to close [default: what it asks for, up to a day]
    #[arg(long, value_name = "DURATION")]
    grace: Option<Span>,
    /// What the provider locks of its bond before it collects, in percent of what it earns
    #[arg(long, default_value_t = 100.0, value_name = "PERCENT")]
    backing: f64,
}

/// Whom and what a channel is for.
pub struct Wanted {
    pub model: Pubkey,
    pub prices: Pubkey,
    pub authority: Pubkey,
    /// Base units.
    pub cap: u64,
    /// Base units that one request may cost, as far as that is known.
    pub quote: Option<u64>,
    /// The least grace that the provider takes, in seconds.
    pub min_grace: u32,
    /// Somebody's key for the session, instead of a new one.
    pub signer: Option<Pubkey>,
    /// Seconds for which a session must still be good, or the provider sells it nothing.
    pub margin: i64,
}

/// Seconds of grace that a provider gets without having to be named: so long the rest of the money may be away.
const USUAL_GRACE: u32 = 86_400;

/// What was said, or what the provider asks for if that is usual.
fn grace(said: Option<u32>, wanted: u32) -> Result<u32, Failure> {
    if said.is_none() && wanted > USUAL_GRACE {
        let wanted = output::duration(wanted.into());
        return Err(Failure::Refused(format!(
            "the provider wants {wanted} to settle once the channel closes, and the rest is not free before: --grace '{wanted}' says yes to it"
        )));
    }
    Ok(said.unwrap_or(wanted).max(MIN_GRACE))
}

/// Asks on the terminal; `--yes` answers for whoever has none.
pub fn confirm(question: &str, yes: bool) -> Result<(), Failure> {
    use std::io::{IsTerminal as _, Write as _};
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Input(format!("{question}? There is nobody to ask: --yes says so")));
    }
    eprint!("{question}? [y/N] ");
    std::io::stderr().flush().map_err(anyhow::Error::from)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(anyhow::Error::from)?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Failure::Outcome("nothing was spent".into())),
    }
}

/// What must be paid in before `amount` can be reserved, and the instructions for it; and the deposit's account, if there is
/// one.
async fn deposit(
    options: &Options,
    actor: &Actor,
    token: &Token,
    amount: u64,
) -> Result<(u64, Vec<Instruction>, Option<Payer>), Failure> {
    let (owner, mint) = (actor.key(), token.mint);
    let (address, source) = (pda::payer(&owner, &mint), token.account_of(&owner));
    let known: Option<Payer> = actor.chain.find(&address).await?;
    let mut instructions = Vec::new();
    if known.is_none() {
        instructions.push(billing::create_payer(owner, owner, mint, token.program));
    }
    let mut free = 0;
    if let Some(mut payer) = known {
        // As the program will, before it reserves anything.
        let now = UnixTime::new(actor.chain.now().await?);
        let synced = payer.sync(now).and_then(|()| payer.free());
        free = synced.map_err(|_| Failure::Other(anyhow::anyhow!("deposit {address} cannot be brought up to date")))?;
    }
    let missing = amount.saturating_sub(free);
    if missing > 0 {
        let has = actor.chain.token_balance(&source).await?;
        if has < missing {
            let (who, has, missing) = (options.who(&owner), token.show(has), token.show(missing));
            return Err(Failure::Refused(format!("{who} has {has}, the deposit that is missing is {missing}")));
        }
        instructions.push(billing::deposit(owner, address, source, token.program, missing));
    }
    Ok((missing, instructions, known))
}

impl Terms {
    /// Makes the deposit that is missing, a key for the session, and the channel.
    pub async fn open(
        &self,
        options: &Options,
        actor: &Actor,
        token: &Token,
        wanted: &Wanted,
        yes: bool,
    ) -> Result<Pubkey, Failure> {
        let (owner, mint) = (actor.key(), token.mint);
        let said = self.grace.map(|grace| seconds("--grace", grace, MAX_GRACE)).transpose()?;
        let grace = grace(said, wanted.min_grace)?;
        let session = seconds("--session", self.session, u32::MAX)?;
        if wanted.margin >= i64::from(session) {
            return Err(Failure::Refused(format!(
                "the provider sells only to sessions that last {} more, and --session is {}",
                output::duration(wanted.margin.unsigned_abs()),
                self.session
            )));
        }
        let bps = (self.backing * 100.0).round();
        if !(0.0..=f64::from(MAX_BACKING_BPS)).contains(&bps) {
            return Err(Failure::Input(format!(
                "--backing {} is not between 0 and {} percent",
                self.backing,
                MAX_BACKING_BPS / 100
            )));
        }
        let provider: Option<Provider> = actor.chain.find(&pda::provider(&wanted.authority)).await?;
        let provider = provider.ok_or_else(|| {
            Failure::NotFound(format!("{} runs no provider: --provider is the key that does", wanted.authority))
        })?;
        let protocol: Protocol = actor.chain.get(&pda::protocol()).await?;
        let fee = protocol
            .fee(Service::Billing)
            .map_err(|_| Failure::Other(anyhow::anyhow!("the protocol's fee cannot be read")))?;
        let (missing, instructions, known) = deposit(options, actor, token, wanted.cap).await?;
        let (cap, deposit) = (token.show(wanted.cap), token.show(missing));
        let quote = wanted
            .quote
            .map_or_else(String::new, |quote| format!(", of which the first may cost {}", token.show(quote)));
        let time = output::duration(grace.into());
        let question = format!(
            "deposit {deposit} and reserve {cap} (token {mint}) for requests to {}{quote}; what is left comes back {time} after notice",
            wanted.authority
        );
        confirm(&question, yes)?;
        let bar = output::spinner("opening a channel");
        if !instructions.is_empty() {
            actor.only_send(options, &instructions).await?;
        }
        let payer = pda::payer(&owner, &mint);
        let number = known.map_or(0, |payer| payer.next_channel.get());
        let channel = pda::channel(&payer, number);
        let signer = match wanted.signer {
            Some(signer) => signer,
            None => Place::of(options, &channel)?.make_key()?.pubkey(),
        };
        let terms = ChannelTerms {
            cap: wanted.cap,
            signer,
            limit: wanted.cap,
            session_expires_at: actor.chain.now().await? + i64::from(session),
            grace,
            backing_bps: bps as u16,
            max_fee_bps: fee.get(),
        };
        let accounts = OpenAccounts {
            rent_payer: owner,
            owner,
            mint,
            authority: wanted.authority,
            payout: token.account_of(&provider.payout_owner),
            model: wanted.model,
            prices: wanted.prices,
        };
        let payout = create_associated(owner, provider.payout_owner, mint, token.program);
        actor.only_send(options, &[payout, billing::open(accounts, number, terms)]).await?;
        bar.finish_and_clear();
        Ok(channel)
    }
}

pub async fn open(options: &Options, args: Open) -> Result<(), Failure> {
    let actor = Actor::of(options)?;
    let token = Token::of(options, &actor.chain).await?;
    let (model, cap) = (args.model, token.units(&args.amount)?);
    let state: Option<Model> = actor.chain.find(&model).await?;
    let version = state.ok_or_else(|| Failure::NotFound(format!("there is no model {model}")))?.version.get();
    if version == 0 {
        return Err(Failure::Refused(format!("model {model} has no price list yet")));
    }
    let wanted = Wanted {
        model,
        prices: pda::price_list(&model, version),
        authority: args.provider,
        cap,
        quote: None,
        min_grace: 3_600,
        signer: args.session_signer,
        margin: 0,
    };
    let channel = args.terms.open(options, &actor, &token, &wanted, args.yes).await?;
    if options.json {
        let said = json!({ "channel": channel.to_string(), "mint": token.mint.to_string(), "cap": cap.to_string() });
        return output::json(&token.label(said));
    }
    println!("opened channel {channel} with {} reserved", token.show(cap));
    Ok(())
}

pub async fn pay_in(options: &Options, args: Deposit) -> Result<(), Failure> {
    let actor = Actor::of(options)?;
    let token = Token::of(options, &actor.chain).await?;
    let (owner, units) = (actor.key(), token.units(&args.amount)?);
    actor.can_pay(options, &token, units, "the deposit").await?;
    let (payer, source) = (pda::payer(&owner, &token.mint), token.account_of(&owner));
    let is_new = actor.chain.find::<Payer>(&payer).await?.is_none();
    let make = is_new.then(|| billing::create_payer(owner, owner, token.mint, token.program));
    let pay = billing::deposit(owner, payer, source, token.program, units);
    let instructions: Vec<_> = make.into_iter().chain([pay]).collect();
    let done = format!("paid {} into deposit {payer}", token.show(units));
    let more = token.label(json!({ "amount": units.to_string() }));
    actor.tell(options, &instructions, ("payer", &payer), &done, more).await
}

pub async fn top_up(options: &Options, args: TopUp) -> Result<(), Failure> {
    let (actor, channel) = (Actor::of(options)?, args.channel);
    let state: Option<Channel> = actor.chain.find(&channel).await?;
    let state = state.ok_or_else(|| Failure::NotFound(format!("no channel {channel} on the chain")))?;
    if state.owner != actor.key() {
        return Err(Failure::Refused(format!("channel {channel} is {}'s", state.owner)));
    }
    let token = Token::at(options, &actor.chain, state.mint).await?;
    let amount = token.units(&args.amount)?;
    let (missing, mut instructions, _) = deposit(options, &actor, &token, amount).await?;
    let (more, paid_in) = (token.show(amount), token.show(missing));
    confirm(&format!("deposit {paid_in} and reserve {more} more for {}", state.authority), args.yes)?;
    let session = &state.session;
    let limit = session.limit.get().saturating_add(amount);
    instructions.push(billing::top_up(channel, &state, amount));
    instructions.push(billing::set_session(actor.key(), channel, session.signer, limit, session.expires_at.get()));
    let done = format!("reserved {more} more on channel {channel}");
    let said = token.label(json!({ "amount": amount.to_string() }));
    actor.tell(options, &instructions, ("channel", &channel), &done, said).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_grace_has_to_be_said() {
        assert_eq!(grace(None, 0).unwrap(), MIN_GRACE);
        assert_eq!(grace(None, 86_400).unwrap(), 86_400);
        let refused = grace(None, 30 * 86_400).unwrap_err().to_string();
        assert!(refused.contains("--grace '30days'"), "{refused}");
        assert_eq!("30days".parse::<Span>().unwrap().0.as_secs(), 30 * 86_400);
        assert_eq!(grace(Some(30 * 86_400), 30 * 86_400).unwrap(), 30 * 86_400);
        assert_eq!(grace(Some(7_200), 30 * 86_400).unwrap(), 7_200);
    }
}
