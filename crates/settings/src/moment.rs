//! Moments, on the reader's clock and from where it stands now.

use jiff::{civil::DateTime, tz::TimeZone, Timestamp, ZonedDateTime};
use serde::{de::Error as _, Deserialize, Deserializer};

const STEPS: [(i64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];

/// Unix seconds as local date and time, and how far from `now` it is: `2026-11-30 14:05:09 CET (in 3 h)`.
pub fn moment(unix_seconds: i64, now: i64) -> String {
    in_zone(unix_seconds, now, TimeZone::system())
}

fn in_zone(unix_seconds: i64, now: i64, zone: TimeZone) -> String {
    let Ok(moment) = Timestamp::from_second(unix_seconds) else { return "beyond all dates".into() };
    format!("{} ({})", ZonedDateTime::new(moment, zone).strftime("%Y-%m-%d %H:%M:%S %Z"), until(unix_seconds, now))
}

/// How far a moment is from `now`, in the largest unit of which it is at least two, or one second: `in 3 h`, `90 min ago`.
pub fn until(unix_seconds: i64, now: i64) -> String {
    let apart = unix_seconds.saturating_sub(now);
    let length = apart.unsigned_abs();
    let far = STEPS.iter().find(|(step, _)| length >= 2 * step.unsigned_abs());
    let length = far.map_or(format!("{length} s"), |(step, name)| format!("{} {name}", length / step.unsigned_abs()));
    match apart {
        0 => "now".into(),
        1.. => format!("in {length}"),
        _ => format!("{length} ago"),
    }
}

/// For `#[serde(deserialize_with)]`: a date and time as people write it, in Unix seconds.
pub fn unix_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text, TimeZone::system()).ok_or_else(|| {
        let example = "\"2026-11-30 14:05\" in local time, or \"2026-11-30T13:05:00Z\"";
        D::Error::custom(format!("{text:?} is no date and time; write it like {example}"))
    })
}

/// Local time where no other is named.
fn parse(text: &str, local: TimeZone) -> Option<i64> {
    let named = text.parse::<Timestamp>().ok();
    let moment = named.or_else(|| local.to_timestamp(text.parse::<DateTime>().ok()?).ok())?;
    Some(moment.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_local_and_says_how_far_it_is() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(in_zone(1_796_036_123, 1_796_036_123 - 3 * 3_600, zone), "2026-11-30 12:55:23 +02 (in 3 h)");
        assert_eq!(in_zone(i64::MAX, 0, TimeZone::UTC), "beyond all dates");
    }

    #[test]
    fn a_date_is_read_as_local_time_unless_it_says_another() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        for (text, is) in [
            ("2026-11-30 12:55:23", Some(1_796_036_123)),
            ("2026-11-30T12:55:23", Some(1_796_036_123)),
            ("2026-11-30T10:55:23Z", Some(1_796_036_123)),
            ("2026-11-30T12:55+02", Some(1_796_036_100)),
            ("2026-11-30 12:55", Some(1_796_036_100)),
            ("2026-11-30", Some(1_795_989_600)),
            ("1796036123", None),
            ("yesterday", None),
        ] {
            assert_eq!(parse(text, zone.clone()), is, "{text}");
        }
    }

    #[test]
    fn it_is_told_in_the_unit_that_fits() {
        for (at, shown) in [
            (0, "now"),
            (1, "in 1 s"),
            (119, "in 119 s"),
            (120, "in 2 min"),
            (7_199, "in 119 min"),
            (7_200, "in 2 h"),
            (172_800, "in 2 d"),
            (-90, "90 s ago"),
            (-86_400 * 40, "40 d ago"),
        ] {
            assert_eq!(until(at, 0), shown);
        }
    }
}
