//! What the chain says of a provider.

use joule_sdk::{escrow, pda, staking::state::Bond, treasury::state::Service, Chain, Pubkey, SdkError};
use joule_settings::{Report, Token};

/// Clusters by their genesis.
const CLUSTERS: [(&str, &str); 3] = [
    ("5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d", "mainnet-beta"),
    ("4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY", "testnet"),
    ("EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxkPZBnL", "devnet"),
];
/// Lamports for about a hundred transactions.
const FEW: u64 = 1_000_000;

/// Which cluster it is, and whether Joule's programs are there. An error if the RPC node does not answer: whether that is waited
/// for, the service knows.
pub async fn cluster(report: &mut Report, rpc: &str, chain: &Chain) -> Result<(), SdkError> {
    let genesis = chain.rpc().get_genesis_hash().await?.to_string();
    let known = CLUSTERS.iter().find(|(hash, _)| *hash == genesis).map(|(_, name)| *name);
    let name = known.map_or_else(|| format!("a private cluster, genesis {genesis}"), str::to_owned);
    let program = chain.rpc().get_account_with_commitment(&escrow::ID, chain.rpc().commitment()).await?.value;
    match program.is_some_and(|account| account.executable) {
        true => report.good("rpc", format_args!("{rpc} is {name}")),
        false => report.wrong(
            "rpc",
            format_args!("{rpc} is {name}, and Joule's programs are not there"),
            "name a node of another cluster by --rpc or `rpc`",
        ),
    }
    Ok(())
}

/// Whether `who` can pay for transactions.
pub async fn fees(report: &mut Report, chain: &Chain, who: &Pubkey) -> Result<(), SdkError> {
    let answer = chain.rpc().get_balance_with_commitment(who, chain.rpc().commitment()).await?;
    let sol = format!("{} has {}", who, Token::new("SOL", 9).show(answer.value));
    let advice = format!("send it some: every transaction costs a fee; {who}");
    match answer.value {
        0 => report.waits("fees", sol, advice),
        few if few < FEW => report.warning("fees", sol, advice),
        _ => report.good("fees", sol),
    }
    Ok(())
}

/// Whether `authority` is a provider, and open for work.
pub async fn registered(report: &mut Report, chain: &Chain, authority: &Pubkey) -> Result<(), SdkError> {
    let address = pda::provider(authority);
    match chain.provider(authority).await? {
        None => report.waits("provider", format_args!("{authority} is not registered"), "`joule provider register`"),
        Some(provider) if !provider.is_active() => {
            let advice = "`joule provider status --set active` opens it again";
            report.waits("provider", format_args!("{address} is paused"), advice);
        }
        Some(_) => report.good("provider", format_args!("{address} is registered and active")),
    }
    Ok(())
}

/// Whether the bond in a token is there, has something that can be locked, and lets `service` lock it.
pub async fn bond(
    report: &mut Report,
    chain: &Chain,
    (owner, mint): (&Pubkey, &Pubkey),
    token: &Token,
    service: Service,
) -> Result<(), SdkError> {
    let name = match service {
        Service::Escrow => "escrow",
        Service::Billing => "billing",
        Service::DataMarket => "data-market",
        Service::Depin => "depin",
    };
    let Some(bond) = chain.find::<Bond>(&pda::bond(owner, mint)).await? else {
        let advice = format!("`joule provider bond open <amount> --mint {mint}`");
        report.waits("bond", format_args!("there is none in {}, and every job wants one", token.symbol), advice);
        return Ok(());
    };
    let (amount, locked) = (bond.amount.get(), bond.locked.get());
    let said = format!("{}, of which {} are locked", token.show(amount), token.show(locked));
    if bond.services >> service as u8 & 1 == 0 {
        let advice = format!("`joule provider bond services --name {name}`");
        report.waits("bond", format_args!("{said}; {name} may not lock it"), advice);
    } else if amount.saturating_sub(locked) == 0 {
        report.waits(
            "bond",
            format_args!("{said}: nothing more can be locked"),
            "`joule provider bond deposit <amount>`",
        );
    } else {
        report.good("bond", format_args!("{said}; {name} may lock the rest"));
    }
    Ok(())
}
