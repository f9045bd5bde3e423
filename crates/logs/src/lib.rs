//! Log lines of the services, on standard error: text for people, or one JSON object a line for programs.

mod bar;

pub use bar::Bar;

use bar::Above;
use std::{
    ffi::OsStr,
    io::IsTerminal as _,
    sync::atomic::{AtomicBool, Ordering},
};
use tracing_subscriber::EnvFilter;

/// Whether lines are for programs.
static JSON: AtomicBool = AtomicBool::new(false);

/// Starts logging. `RUST_LOG` says what is logged; without it, `usual` does, in the same words. A second call in one process
/// changes nothing.
pub fn init(json: bool, usual: &str) {
    JSON.store(json, Ordering::Relaxed);
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| Above).with_target(false);
    let _ = if json {
        builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    } else {
        let colours = has_colours(std::io::stderr().is_terminal(), std::env::var_os("NO_COLOR").as_deref());
        builder.with_ansi(colours).try_init()
    };
}

/// Draws a bar, if people look: on a terminal, with lines that are text. Otherwise log lines are the way to say it.
pub fn bar(total: u64) -> Option<Bar> {
    (std::io::stderr().is_terminal() && !JSON.load(Ordering::Relaxed)).then(|| Bar::drawn(total))
}

/// On a terminal, unless `NO_COLOR` is set to something.
fn has_colours(is_terminal: bool, no_color: Option<&OsStr>) -> bool {
    is_terminal && no_color.is_none_or(OsStr::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_terminals_have_colours_and_no_color_takes_them_away() {
        assert!(has_colours(true, None));
        assert!(has_colours(true, Some(OsStr::new(""))));
        assert!(!has_colours(true, Some(OsStr::new("1"))));
        assert!(!has_colours(false, None));
    }
}
