//! Stories: several parts of the system together, on the local validator, through RPC and gRPC, with the programs' own
//! binaries and the services' own processes.
//!
//! They need what `make test` builds first: `target/deploy/*.so`, and the workspace's binaries beside this one.

mod bad_input;
mod bids;
mod billed;
mod bonds;
mod bought;
mod checked;
mod chosen;
mod cli;
mod cli_panel;
mod deploy_step;
mod exact;
mod judged;
mod killed;
mod metered;
mod node_killed;
mod outages;
mod owned;
mod paid;
mod panels;
mod restored;
mod served;
mod sold;
mod support;
mod typed;
mod version1;
mod watched;
