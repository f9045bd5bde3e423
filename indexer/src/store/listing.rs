//! Lists of nouns, for every engine: by time, then by address.

use super::{tables::Tables, Result};
use crate::{
    query::{Condition, Query},
    row::{
        cell::Cell,
        record::{Cells, First, Listing, Table},
    },
};
use std::collections::HashMap;

/// The rows that are asked for, in the table's order.
pub fn rows(tables: &mut dyn Tables, table: &'static Table, query: &Query) -> Result<Vec<Cells>> {
    let Some(listing) = &table.listing else { return Ok(Vec::new()) };
    let mut places = Vec::new();
    for query in by_index(listing, query) {
        places.extend(tables.places(table, listing, &query)?);
    }
    places.sort_unstable_by(|one, other| {
        let times = one.time.cmp(&other.time);
        let times = if listing.first == First::Newest { times.reverse() } else { times };
        times.then_with(|| one.address.cmp(&other.address))
    });
    places.truncate(query.page.limit);
    let addresses: Vec<Vec<Cell>> = places.iter().map(|place| vec![Cell::Key(place.address.0)]).collect();
    let found = tables.get(table, &["address"], &addresses)?;
    let mut found: HashMap<Cell, Cells> = found.into_iter().map(|cells| (cells.row[0].clone(), cells)).collect();
    Ok(addresses.iter().filter_map(|address| found.remove(&address[0])).collect())
}

/// Indexes end in status, time and address. So a list of any status is merged of those of each; but for conditions that have an index of
/// their own.
fn by_index(listing: &Listing, query: &Query) -> Vec<Query> {
    let conditions = &query.conditions;
    let names_status = conditions.iter().any(|condition| matches!(condition, Condition::Is("status", _)));
    let has_its_own = |condition: &Condition| matches!(condition, Condition::OneOf(..));
    if listing.statuses.is_empty() || names_status || (!conditions.is_empty() && conditions.iter().all(has_its_own)) {
        return vec![query.clone()];
    }
    let of = |status: &&'static str| {
        let mut query = query.clone();
        query.conditions.push(Condition::Is("status", Cell::Name((*status).into())));
        query
    };
    listing.statuses.iter().map(of).collect()
}
