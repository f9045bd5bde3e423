//! `joule model show`, `joule model list`: as the indexer has them.

use super::share;
use crate::{
    context::{address, Options},
    failure::Failure,
    output,
    view::View,
};
use clap::{Args, ValueEnum};
use joule_api::{Model, ModelWithLineage, PriceList, Royalty};
use joule_sdk::Pubkey;

#[derive(Args)]
pub struct List {
    /// Only models of this creator
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    creator: Option<Pubkey>,
    /// Only models that derive from this one
    #[arg(long, value_name = "MODEL", value_parser = address)]
    base: Option<Pubkey>,
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

pub async fn one(options: &Options, model: &Pubkey) -> Result<(), Failure> {
    let found = options.index().model(&model.to_string()).await?;
    let view = View::of(options, found.prices.iter().map(|list| list.mint.as_str())).await;
    if options.json {
        return view.json(&found, None);
    }
    print(&found, &view);
    match &found.prices {
        Some(list) => print_prices(list, &view),
        None => println!("it has no price list yet: `joule model publish {}`", found.model.address),
    }
    Ok(())
}

fn print(found: &ModelWithLineage, view: &View) {
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
        ["created", &view.moment(m.created_at)],
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

fn print_prices(list: &PriceList, view: &View) {
    let amount = |units: u64| view.amount(&list.mint, units);
    let mut table = output::table(["price list", &format!("version {}, {}", list.version, list.address)]);
    let shares: Vec<String> = list.shares.iter().map(|s| format!("{} to {}", share(s.bps), s.owner)).collect();
    let shares = if shares.is_empty() { "nobody but whoever runs it".to_owned() } else { shares.join("\n") };
    table.add_rows([
        ["paid in", &list.mint],
        ["a request", &amount(list.per_request)],
        ["a million tokens of input", &amount(list.per_million_input)],
        ["a million tokens of output", &amount(list.per_million_output)],
        ["an image", &amount(list.per_image)],
        ["a second", &amount(list.per_second)],
        ["shared with", &shares],
        ["published", &view.moment(list.created_at)],
    ]);
    println!("{table}");
}

pub async fn list(options: &Options, args: List) -> Result<(), Failure> {
    let mut filter = vec![("limit", args.limit.to_string())];
    if let Some(creator) = &args.creator {
        filter.push(("creator", creator.to_string()));
    }
    if let Some(base) = &args.base {
        filter.push(("base", base.to_string()));
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
