//! Times as readers of files know them.

use jiff::{civil::DateTime, SignedDuration};

/// The first and the last second that every reader has: those of the years 1 and 9999.
const FIRST: i64 = -62_135_596_800;
const LAST: i64 = 253_402_300_799;

/// Unix seconds, within the years 1 to 9999: a time beyond, which anybody may write into a deadline, is their first or last second.
pub fn within(unix_seconds: i64) -> i64 {
    unix_seconds.clamp(FIRST, LAST)
}

/// As RFC 3339, in UTC. By a calendar without time zones: jiff's `Timestamp` ends a day before the year 9999 does.
pub fn rfc3339(unix_seconds: i64) -> String {
    let since = SignedDuration::from_secs(within(unix_seconds));
    format!("{}Z", DateTime::constant(1970, 1, 1, 0, 0, 0, 0).saturating_add(since))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_of_the_years_that_all_readers_know() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_796_036_123), "2026-11-30T10:55:23Z");
        assert_eq!([rfc3339(i64::MIN), rfc3339(FIRST)], ["0001-01-01T00:00:00Z"; 2]);
        assert_eq!([rfc3339(i64::MAX), rfc3339(LAST)], ["9999-12-31T23:59:59Z"; 2]);
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59Z");
    }
}
