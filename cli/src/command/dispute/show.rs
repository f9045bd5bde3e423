//! Disputes for people and for programs.

use crate::{
    context::Options,
    failure::Failure,
    output::{self, word},
    view::View,
};
use joule_api::{Case, Dispute, Side, Verdict};
use joule_sdk::Pubkey;

pub(super) async fn list(options: &Options, filter: &[(&str, String)]) -> Result<(), Failure> {
    let page = options.index().disputes(filter).await?;
    let view = View::of(options, page.items.iter().map(|case| case.job.mint.as_str())).await;
    if options.json {
        // A dispute's amounts are in its job's token.
        let mut page = serde_json::to_value(&page).map_err(anyhow::Error::from)?;
        for case in page["items"].as_array_mut().into_iter().flatten() {
            case["mint"] = case["job"]["mint"].clone();
        }
        return view.json(&page, None);
    }
    let mut table = output::table(["job", "status", "mode", "challenger", "deposit", "votes", "verdict"]);
    for Case { dispute: d, job } in &page.items {
        table.add_row([
            d.job.clone(),
            word(&d.status),
            word(&d.mode),
            output::short(&d.challenger),
            view.amount(&job.mint, d.deposit),
            d.votes.len().to_string(),
            d.verdict.map(explain).unwrap_or_default().to_owned(),
        ]);
    }
    println!("{table}");
    if let Some(cursor) = page.next_cursor {
        println!("more: --cursor {cursor}");
    }
    Ok(())
}

pub(super) async fn show(options: &Options, job: &Pubkey) -> Result<(), Failure> {
    let case = options.index().dispute(&job.to_string()).await?;
    let view = View::of(options, [case.job.mint.as_str()]).await;
    if options.json {
        return view.json(&case, Some(&case.job.mint));
    }
    println!("{}", table(&case, &view));
    Ok(())
}

/// A dispute, its panel and its votes, for people.
fn table(Case { dispute: d, job }: &Case, view: &View) -> String {
    let when = |moment: Option<i64>| view.when(moment);
    let amount = |units: u64| view.amount(&job.mint, units);
    let mut facts = output::table(["dispute", &d.address]);
    facts.add_rows([
        ["job", &d.job],
        ["status", &word(&d.status)],
        ["decided by", &word(&d.mode)],
        ["challenger", &d.challenger],
        ["deposit", &amount(d.deposit)],
        ["delivered", &d.result_hash],
        ["the challenger says", &d.counter_result],
    ]);
    if let Some(panel) = &d.panel {
        facts.add_rows([
            ["panel", panel],
            ["round", if d.round == 0 { "first" } else { "after an appeal" }],
            ["drawn until", &when(d.draw_by)],
        ]);
    }
    facts.add_rows([["votes until", &when(d.commit_by)], ["opened until", &when(d.reveal_by)]]);
    match d.appellant {
        Some(side) => facts.add_row(["appealed by", &format!("{} for {}", party(side), amount(d.appeal_deposit))]),
        None if d.panel.is_some() => facts.add_row(["appeals", &appeals(d, &job.mint, view)]),
        None => &mut facts,
    };
    facts.add_rows([["verdict from", &when(d.final_at)], ["verdict", d.verdict.map_or("-", explain)]]);
    let mut tables = vec![facts.to_string()];
    if !d.members.is_empty() {
        tables.push(members(d));
    }
    let mut votes = output::table(["juror", "round", "stake", "says", "paid", "slashed"]);
    for v in &d.votes {
        votes.add_row([
            v.juror.clone(),
            v.round.to_string(),
            amount(v.stake),
            v.choice.map_or("nothing yet", said).to_owned(),
            amount(v.paid),
            amount(v.slashed),
        ]);
    }
    tables.push(votes.to_string());
    tables.join("\n")
}

/// Who was drawn, and came.
fn members(d: &Dispute) -> String {
    let mut members = output::table(["seat", "member", "has voted"]);
    for m in &d.members {
        let came = match (m.committed, m.punished) {
            (true, _) => "yes",
            (false, true) => "never, and was slashed",
            (false, false) => "no",
        };
        members.add_row([m.seat.to_string(), m.resolver.clone(), came.to_owned()]);
    }
    members.to_string()
}

/// When a first panel's verdict can be appealed, and what that costs.
fn appeals(d: &Dispute, mint: &str, view: &View) -> String {
    let (Some(from), Some(until)) = (d.reveal_by, d.final_at) else { return "once it has voted".to_owned() };
    let price = d.deposit.saturating_mul(joule_sdk::escrow::constants::APPEAL_MULTIPLE);
    format!("after {} until {}, for {}", view.moment(from), view.moment(until), view.amount(mint, price))
}

fn party(side: Side) -> &'static str {
    match side {
        Side::Provider => "the provider",
        Side::Challenger => "the challenger",
        Side::Client => "the client",
    }
}

/// What a vote says.
fn said(choice: Verdict) -> &'static str {
    match choice {
        Verdict::Undecided => "could not run the job",
        choice => explain(choice),
    }
}

/// What a verdict means.
pub fn explain(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Stands => "the result is right",
        Verdict::Counter => "the challenger is right",
        Verdict::Neither => "both are wrong",
        Verdict::Undecided => "undecided",
    }
}
