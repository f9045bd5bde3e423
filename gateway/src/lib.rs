//! Sells requests to models one by one: an OpenAI-compatible proxy that takes signed vouchers and settles them on chain.
//!
//! `server` accepts, `serve` leads one request to its answer, `admit` decides, `book` is a channel's account and `ledger`
//! the same on disk, `meter` counts, `quote` bounds, `settle` brings vouchers on chain, `alive` watches the upstreams, `line` is the request log, `look` checks settings, `chain` says what it holds.
//! `exact` is for clients without a channel.

mod account;
mod admit;
pub mod alive;
mod answer;
mod bodies;
mod book;
mod bought;
mod chain;
mod channel;
mod clock;
mod complaint;
pub mod config;
pub mod crash;
mod events;
mod exact;
mod fields;
mod forward;
mod gateway;
mod hold;
mod ledger;
mod limits;
mod line;
pub mod look;
mod lookups;
pub mod meter;
pub mod openai;
mod pay;
mod probe;
mod quote;
mod refusal;
mod reply;
mod said;
mod serve;
mod server;
mod settle;
mod shop;
mod stream;
mod tab;
pub mod telemetry;
pub mod upstream;

pub use chain::{follow, OnChain};
pub use channel::{Channel, Cluster};
pub use exact::{houses, Cashier, House, Purse};
pub use gateway::{Channels, Gateway};
pub use ledger::Ledger;
pub use server::Server;
pub use settle::{Outcome, Settler};
pub use shop::{PriceList, Seller, Shop};
