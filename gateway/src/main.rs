//! `joule-gateway`: see `joule-gateway --help`.

fn main() {}
