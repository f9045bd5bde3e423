//! Revenue.

use crate::types::Address;
use joule_api::RevenueBy;

/// Which revenue to sum, and by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RevenueFilter {
    pub by: RevenueBy,
    /// Numbers of days; the second is not counted any more.
    pub days: (Option<i64>, Option<i64>),
    pub mint: Option<Address>,
}
