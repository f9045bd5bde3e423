//! Tables for people, JSON for programs, and bars for whatever takes longer than a second.

use crate::failure::Failure;
use comfy_table::{presets::UTF8_FULL_CONDENSED, Table};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::{fmt::Arguments, io::Write as _, time::Duration};

/// As the standard one, but whoever stops reading, such as `head`, ends the command, and is no failure.
macro_rules! println {
    ($($arg:tt)*) => { $crate::output::say(format_args!("{}\n", format_args!($($arg)*))) };
}

pub fn say(text: Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    if let Err(error) = out.write_fmt(text).and_then(|()| out.flush()) {
        if error.kind() != std::io::ErrorKind::BrokenPipe {
            eprintln!("joule: cannot write: {error}");
            std::process::exit(1);
        }
        std::process::exit(0);
    }
}

pub fn json<T: Serialize>(value: &T) -> Result<(), Failure> {
    println!("{}", serde_json::to_string_pretty(value).map_err(anyhow::Error::from)?);
    Ok(())
}

pub fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_header(header);
    table
}

/// A spinner with a message; hidden where standard error is no terminal.
pub fn spinner(message: impl Into<String>) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(message.into());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed:>4} {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// A name as the API writes it.
pub fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The first and last characters of an address or hash, enough to tell one from another at a glance.
pub fn short(text: &str) -> String {
    match text.len() {
        0..=12 => text.to_owned(),
        len => format!("{}..{}", &text[..5], &text[len - 4..]),
    }
}

/// Seconds as people say them: `1h 30m`.
pub fn duration(seconds: u64) -> String {
    humantime::format_duration(Duration::from_secs(seconds)).to_string()
}

/// The day in UTC that Unix seconds fall into.
pub fn day(unix_seconds: i64) -> String {
    let since = Duration::from_secs(u64::try_from(unix_seconds).unwrap_or_default());
    let text = humantime::format_rfc3339_seconds(std::time::UNIX_EPOCH + since).to_string();
    text.split('T').next().unwrap_or_default().to_owned()
}
