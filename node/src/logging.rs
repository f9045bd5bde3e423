//! Log lines on standard error: for people, or as JSON for programs.

use tracing_subscriber::EnvFilter;

/// `RUST_LOG` decides what is logged; without it, what the node itself has to say from `info` on.
pub fn init(json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,joule_node=info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // A second call changes nothing: the first one's choice stands.
    let _ = if json {
        builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    } else {
        builder.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init()
    };
}
