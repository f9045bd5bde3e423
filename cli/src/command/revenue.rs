//! `joule revenue`: what channels have earned.

use crate::{
    context::Options,
    failure::Failure,
    output::{self, word},
    view::View,
};
use clap::ValueEnum;
use joule_api::{Revenue, RevenueBy};
use std::time::UNIX_EPOCH;

#[derive(clap::Args)]
pub struct Args {
    /// What to sum by
    #[arg(long, value_enum, default_value = "model")]
    by: By,
    /// The first day, such as 2026-01-31, in UTC
    #[arg(long, value_name = "DAY", value_parser = day)]
    from: Option<i64>,
    /// The first day that is not counted any more
    #[arg(long, value_name = "DAY", value_parser = day)]
    to: Option<i64>,
    /// So many rows
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: u32,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum By {
    Model,
    Creator,
    Provider,
    Day,
}

impl By {
    const fn revenue(self) -> RevenueBy {
        match self {
            Self::Model => RevenueBy::Model,
            Self::Creator => RevenueBy::Creator,
            Self::Provider => RevenueBy::Provider,
            Self::Day => RevenueBy::Day,
        }
    }
}

/// A day's first second in Unix seconds.
fn day(text: &str) -> Result<i64, String> {
    let wrong = |_| format!("{text:?} is not a day: write it as 2026-01-31");
    let moment = humantime::parse_rfc3339(&format!("{text}T00:00:00Z")).map_err(wrong)?;
    Ok(moment.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64))
}

pub async fn run(options: &Options, args: Args) -> Result<(), Failure> {
    let by = args.by.revenue();
    let mut filter = vec![("by", word(&by)), ("limit", args.limit.to_string())];
    filter.extend(args.from.map(|from| ("from", from.to_string())));
    filter.extend(args.to.map(|to| ("to", to.to_string())));
    // Only if it was said: without, all tokens are summed, each by itself.
    filter.extend(options.mint.map(|mint| ("mint", mint.to_string())));
    let report = options.index().revenue(&filter).await?;
    let view = View::of(options, report.rows.iter().map(|row| row.mint.as_str())).await;
    if options.json {
        return view.json(&report, None);
    }
    println!("{}", table(by, &report.rows, &view));
    if report.left_out > 0 {
        println!("{} more: --limit, --from, --to or --mint", report.left_out);
    }
    Ok(())
}

fn table(by: RevenueBy, rows: &[Revenue], view: &View) -> comfy_table::Table {
    let mut table = output::table([
        word(&by).as_str(),
        "token",
        "requests",
        "tokens, images, seconds",
        "earned",
        "to sharers",
        "fees",
        "to providers",
        "returned",
    ]);
    for r in rows {
        let amount = |units: u128| view.amount(&r.mint, units);
        let key = match (&r.key, r.day) {
            (_, Some(day)) => output::day(day),
            (Some(key), None) => key.clone(),
            (None, None) => "unknown".to_owned(),
        };
        table.add_row([
            key,
            output::short(&r.mint),
            r.requests.to_string(),
            r.units.to_string(),
            amount(r.amount),
            amount(r.paid.shares),
            amount(r.paid.fee),
            amount(r.paid.provider),
            amount(r.returned),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_their_first_second_and_nothing_else_is_a_day() {
        assert_eq!(day("1970-01-02"), Ok(86_400));
        assert_eq!(day("2026-01-31").unwrap() % 86_400, 0);
        for text in ["", "today", "2026-02-30", "2026-1-1", "2026-01-01T00:00:00Z"] {
            assert!(day(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_is_shown_as_a_date_and_a_creator_that_nobody_knows_as_unknown() {
        let row = Revenue { day: Some(86_400), mint: "M".into(), amount: 2_500_000, requests: 7, ..Revenue::default() };
        let view = View::known([("M", joule_settings::Token::new("JOULE", 6))], 0);
        let days = table(RevenueBy::Day, &[row], &view).to_string();
        assert!(days.contains("1970-01-02") && !days.contains("T00") && days.contains("2.5 JOULE"), "{days}");
        let creators = table(RevenueBy::Creator, &[Revenue::default()], &view).to_string();
        assert!(creators.contains("creator") && creators.contains("unknown"), "{creators}");
    }
}
