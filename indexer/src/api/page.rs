//! Pages: how many, and from where.

use super::ApiError;
use crate::query::{Cursor, PageRequest};

/// Items of a page when nobody says.
pub const DEFAULT_LIMIT: u32 = 50;
/// Most items of a page.
pub const MAX_LIMIT: u32 = 500;

/// Checks the bounds of a page.
pub fn request(limit: Option<u32>, cursor: Option<&str>) -> Result<PageRequest, ApiError> {
    let after = cursor.map(|text| Cursor::decode(text).ok_or(ApiError::BadCursor)).transpose()?;
    Ok(PageRequest { after, limit: self::limit(limit)? })
}

pub fn limit(limit: Option<u32>) -> Result<usize, ApiError> {
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(ApiError::BadRequest(format!("limit must lie between 1 and {MAX_LIMIT}")));
    }
    Ok(limit as usize)
}
