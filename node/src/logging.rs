//! Log lines on standard error: for people, or as JSON for programs.

/// `RUST_LOG` decides what is logged; without it, what the node itself has to say from `info` on.
pub fn init(json: bool) {
    joule_logs::init(json, "warn,joule_node=info");
}
