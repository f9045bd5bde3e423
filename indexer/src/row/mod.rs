//! What things are, apart from where they are kept: from accounts and events to rows. One file a noun, and nothing here reads or
//! writes a store.

pub mod account;
pub mod bid;
pub mod bond;
pub mod cell;
pub mod channel;
pub mod checkpoint;
pub mod dead_letter;
pub mod dispute;
pub mod distribution;
pub mod event;
pub mod governed;
pub mod job;
pub mod model;
pub mod payer;
pub mod plan;
pub mod provider;
pub mod record;
pub mod revenue;
pub mod totals;

pub use account::AccountRow;
pub use dead_letter::UnreadRow;
pub use event::EventRow;

use record::{Kept as _, Table};

/// Every noun that has a table of its own.
pub fn tables() -> [&'static Table; 7] {
    [
        joule_api::Job::table(),
        joule_api::Provider::table(),
        joule_api::Dispute::table(),
        joule_api::Model::table(),
        joule_api::Channel::table(),
        joule_api::Plan::table(),
        distribution::Divided::table(),
    ]
}

/// Every other table.
pub fn inner_tables() -> [&'static Table; 15] {
    [
        AccountRow::table(),
        event::Filed::table(),
        &event::EVENT_ACCOUNTS,
        &event::ROW_EVENTS,
        account::Member::table(),
        payer::PayerRow::table(),
        revenue::DayRow::table(),
        revenue::RevenueRow::table(),
        totals::Total::table(),
        dead_letter::LetterRow::table(),
        governed::ClientRow::table(),
        governed::ProtocolRow::table(),
        governed::MintRow::table(),
        checkpoint::CheckpointRow::table(),
        checkpoint::ChainRow::table(),
    ]
}
