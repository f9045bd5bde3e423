//! `joule model show`, `joule model list`: as the indexer has them.

use super::share;
use crate::{
    act::Token,
    context::{address, Options},
    failure::Failure,
    output,
};
use clap::{Args, ValueEnum};
use joule_api::{Model, ModelWithLineage, PriceList, Royalty};

#[derive(Args)]
pub struct List {
    /// Only models of this creator
    #[arg(long, value_name = "ADDRESS")]
    creator: Option<String>,
    /// Only models that derive from this one
    #[arg(long, value_name = "MODEL")]
    base: Option<String>,
    #[arg(long)]
    status: Option<Status>,
    #[arg(long, default_value_t = 20)]
    limit: u32,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Status {
    Active,
    Retired,
}

pub async fn one(options: &Options, model: &str) -> Result<(), Failure> {
    let found = options.index().model(&address(model)?.to_string()).await?;
    if options.json {
        return output::json(&found);
    }
    let token = match &found.prices {
        Some(list) => Some(Token::of(options, &options.chain()?, Some(&list.mint)).await?),
        None => None,
    };
    print(&found);
    match found.prices.as_ref().zip(token) {
        Some((list, token)) => print_prices(list, &token),
        None => println!("it has no price list yet: `joule model publish {}`", found.model.address),
    }
    Ok(())
}

fn print(found: &ModelWithLineage) {
    let (m, mut table) = (&found.model, output::table(["model", &found.model.address]));
    let bases: Vec<String> = found.bases.iter().map(|base| base.address.clone()).collect();
    let owes: Vec<String> =
        m.lineage.iter().map(|Royalty { owner, bps }| format!("{} to {owner}", share(*bps))).collect();
    let or = |lines: Vec<String>, nothing: &str| match lines.is_empty() {
        true => nothing.to_owned(),
        false => lines.join("\n"),
    };
    table.add_rows([
        ["status", &status(m)],
        ["creator", &m.creator],
        ["paid to", &m.payout_owner],
        ["derives from", &or(bases, "nothing that it declares")],
        ["owes", &or(owes, "nobody")],
        ["royalty", &share(m.royalty_bps)],
        ["endpoint document", document(&m.endpoint_hash)],
        ["description", document(&m.metadata_hash)],
        ["created", &output::time(m.created_at)],
    ]);
    println!("{table}");
}

/// The hash of a document, where there is one.
fn document(hash: &str) -> &str {
    match hash.chars().all(|digit| digit == '0') {
        true => "none",
        false => hash,
    }
}

fn print_prices(list: &PriceList, token: &Token) {
    let mut table = output::table(["price list", &format!("version {}, {}", list.version, list.address)]);
    let shares: Vec<String> = list.shares.iter().map(|s| format!("{} to {}", share(s.bps), s.owner)).collect();
    let shares = if shares.is_empty() { "nobody but whoever runs it".to_owned() } else { shares.join("\n") };
    table.add_rows([
        ["paid in", &list.mint],
        ["a request", &token.format(list.per_request)],
        ["a million tokens of input", &token.format(list.per_million_input)],
        ["a million tokens of output", &token.format(list.per_million_output)],
        ["an image", &token.format(list.per_image)],
        ["a second", &token.format(list.per_second)],
        ["shared with", &shares],
        ["published", &output::time(list.created_at)],
    ]);
    println!("{table}");
}

pub async fn list(options: &Options, args: List) -> Result<(), Failure> {
    let mut filter = vec![("limit", args.limit.to_string())];
    if let Some(creator) = &args.creator {
        filter.push(("creator", address(creator)?.to_string()));
    }
    if let Some(base) = &args.base {
        filter.push(("base", address(base)?.to_string()));
    }
    match args.status {
        Some(Status::Active) => filter.push(("status", "active".into())),
        Some(Status::Retired) => filter.push(("status", "retired".into())),
        None => {}
    }
    let page = options.index().models(&filter).await?;
    if options.json {
        return output::json(&page);
    }
    let mut table = output::table(["model", "creator", "derives from", "royalty", "prices", "status"]);
    for m in &page.items {
        table.add_row([
            m.address.clone(),
            output::short(&m.creator),
            m.base.as_deref().map_or("-".into(), output::short),
            share(m.royalty_bps),
            if m.version == 0 { "none".into() } else { format!("version {}", m.version) },
            status(m),
        ]);
    }
    println!("{table}");
    Ok(())
}

fn status(model: &Model) -> String {
    format!("{:?}", model.status).to_lowercase()
}
