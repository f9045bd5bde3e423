//! What is asked, once for every engine, and of what is not confirmed yet too. One file a noun.

mod channel;
mod dispute;
mod distribution;
mod job;
mod model;
pub mod overlay;
mod page;
mod plan;
mod provider;
mod revenue;
mod view;

pub use channel::ChannelFilter;
pub use dispute::DisputeFilter;
pub use distribution::DistributionFilter;
pub use job::JobFilter;
pub use model::ModelFilter;
pub use overlay::{Changes, Overlay, Unconfirmed};
pub use page::{Cursor, PageRequest};
pub use plan::PlanFilter;
pub use provider::ProviderFilter;
pub use revenue::RevenueFilter;
pub use view::View;

use crate::{
    row::{
        cell::{Cell, Named},
        record::Noun,
    },
    types::Address,
};

/// A condition on a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    Is(&'static str, Cell),
    /// One of some names.
    OneOf(&'static str, &'static [&'static str]),
    /// At least.
    From(&'static str, Cell),
    /// Less than.
    Below(&'static str, Cell),
}

/// Which rows of a table, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    pub conditions: Vec<Condition>,
    pub page: PageRequest,
    /// Rows that are known better elsewhere.
    pub without: Vec<Address>,
}

/// Conditions, as they are collected from what was asked for.
#[derive(Debug, Default)]
pub struct Conditions(pub Vec<Condition>);

impl Conditions {
    pub fn name<T: Named>(mut self, column: &'static str, name: Option<T>) -> Self {
        self.0.extend(name.map(|name| Condition::Is(column, Cell::Name(name.name().into()))));
        self
    }

    pub fn address(mut self, column: &'static str, address: Option<Address>) -> Self {
        self.0.extend(address.map(|address| Condition::Is(column, Cell::Key(address.0))));
        self
    }

    pub fn one_of(mut self, column: &'static str, names: Option<&'static [&'static str]>) -> Self {
        self.0.extend(names.map(|names| Condition::OneOf(column, names)));
        self
    }
}

/// What may be asked of a noun. Empty fields match everything.
pub trait Filter {
    type Noun: Noun;

    fn conditions(&self) -> Conditions;

    /// The same of a row that is at hand.
    fn matches(&self, noun: &Self::Noun) -> bool {
        self.conditions().0.iter().all(|condition| match condition {
            Condition::Is(column, wanted) => noun.cell(column).is_ok_and(|cell| cell == *wanted),
            Condition::OneOf(column, names) => {
                noun.cell(column).is_ok_and(|cell| matches!(cell, Cell::Name(name) if names.contains(&&*name)))
            }
            Condition::From(column, least) => noun.cell(column).is_ok_and(|cell| cell >= *least),
            Condition::Below(column, bound) => noun.cell(column).is_ok_and(|cell| cell < *bound),
        })
    }
}
