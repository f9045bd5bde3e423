//! `accounts_data_slice`: the parts of an account's data a subscriber wants, joined in order.

use std::ops::Range;

use yellowstone_grpc_proto::geyser::SubscribeRequestAccountsDataSlice;

use super::FilterError;

/// Ranges in ascending order without overlap; none means all of the data.
#[derive(Debug, Default)]
pub(super) struct DataSlices(Vec<Range<usize>>);

impl DataSlices {
    pub fn new(slices: &[SubscribeRequestAccountsDataSlice]) -> Result<Self, FilterError> {
        let mut ranges: Vec<Range<usize>> = Vec::with_capacity(slices.len());
        for slice in slices {
            let end = slice.offset.checked_add(slice.length).ok_or(FilterError::SliceTooLong)?;
            let bound = |n: u64| usize::try_from(n).map_err(|_| FilterError::SliceTooLong);
            let range = bound(slice.offset)?..bound(end)?;
            if let Some(last) = ranges.last() {
                if range.start < last.start {
                    return Err(FilterError::SlicesOutOfOrder);
                }
                if range.start < last.end {
                    return Err(FilterError::SlicesOverlap);
                }
            }
            ranges.push(range);
        }
        Ok(Self(ranges))
    }

    /// A slice that ends beyond the data contributes nothing.
    pub fn apply(&self, data: Vec<u8>) -> Vec<u8> {
        if self.0.is_empty() {
            return data;
        }
        self.0.iter().filter_map(|range| data.get(range.clone())).flatten().copied().collect()
    }
}
