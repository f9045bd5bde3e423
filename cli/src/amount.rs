//! Amounts as people write them: tokens with a decimal point, on the chain base units.

use crate::failure::Failure;

/// `12.5` of a token with 6 decimals is 12,500,000 base units. Digits that the token does not have are refused.
pub fn parse(text: &str, decimals: u8) -> Result<u64, Failure> {
    let bad = |why: &str| Failure::Input(format!("{text:?} is not an amount: {why}"));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
        return Err(bad("write digits with at most one point, such as 12.5"));
    }
    if fraction.len() > decimals as usize {
        return Err(bad(&format!("the token has {decimals} decimals")));
    }
    let base_units = format!("{whole}{fraction:0<width$}", width = decimals as usize);
    base_units.parse().map_err(|_| bad("it does not fit into 64 bits"))
}

/// The inverse of [`parse`], with all decimals.
pub fn format(base_units: u64, decimals: u8) -> String {
    if decimals == 0 {
        return base_units.to_string();
    }
    let digits = format!("{base_units:0>width$}", width = decimals as usize + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals as usize);
    format!("{whole}.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_written_to_the_last_unit() {
        for (text, units) in
            [("0", 0), ("1", 1_000_000), ("12.5", 12_500_000), (".000001", 1), ("18446744073709.551615", u64::MAX)]
        {
            assert_eq!(parse(text, 6).unwrap(), units, "{text}");
        }
        assert_eq!(
            (format(1, 6), format(12_500_000, 6), format(7, 0)),
            ("0.000001".into(), "12.500000".into(), "7".into())
        );
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", ".", "-1", "1.2.3", "1e3", "1,5", "0.0000001", "18446744073709.551616", "٣"] {
            assert!(parse(text, 6).is_err(), "{text}");
        }
    }
}
