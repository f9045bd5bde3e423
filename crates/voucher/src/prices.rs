//! What usage costs.

use joule_units::Amount;

/// What one request used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub images: u64,
    pub milliseconds: u64,
}

impl Usage {
    /// All of it in one number: tokens, images and whole seconds. Stops at the largest number.
    #[inline(always)]
    pub const fn units(&self) -> u64 {
        self.input_tokens
            .saturating_add(self.output_tokens)
            .saturating_add(self.images)
            .saturating_add(self.milliseconds / 1_000)
    }

    /// Both together, to be counted before seconds are rounded. Stops at the largest numbers.
    #[inline(always)]
    pub const fn plus(&self, other: &Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            images: self.images.saturating_add(other.images),
            milliseconds: self.milliseconds.saturating_add(other.milliseconds),
        }
    }
}

/// A price list, in base units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prices {
    pub per_request: Amount,
    pub per_million_input: Amount,
    pub per_million_output: Amount,
    pub per_image: Amount,
    pub per_second: Amount,
}

impl Prices {
    /// `per_request + ceil((input * per_million_input + output * per_million_output) / 1_000_000) + images * per_image +
    /// ceil(milliseconds * per_second / 1_000)`: the payee keeps the dust. `None` when no `Amount` holds it.
    #[inline(always)]
    pub fn amount(&self, usage: &Usage) -> Option<Amount> {
        // Two products of 64 bits fit into 128 each, but their sum may not.
        let of = |count: u64, price: Amount| count as u128 * price.get() as u128;
        let tokens = of(usage.input_tokens, self.per_million_input)
            .checked_add(of(usage.output_tokens, self.per_million_output))?;
        let tokens = ceil(tokens, 1_000_000);
        let seconds = ceil(of(usage.milliseconds, self.per_second), 1_000);
        let images = of(usage.images, self.per_image);
        let total = tokens.checked_add(seconds)?.checked_add(images)?.checked_add(self.per_request.get() as u128)?;
        u64::try_from(total).ok().map(Amount::new)
    }
}

/// `ceil(number / by)`. Nearly all numbers fit into 64 bits, and dividing 128 costs the VM thousands of compute units.
#[inline(always)]
fn ceil(number: u128, by: u64) -> u128 {
    match u64::try_from(number) {
        Ok(number) => number.div_ceil(by) as u128,
        Err(_) => number.div_ceil(by as u128),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prices(all: [u64; 5]) -> Prices {
        let [per_request, per_million_input, per_million_output, per_image, per_second] = all.map(Amount::new);
        Prices { per_request, per_million_input, per_million_output, per_image, per_second }
    }

    fn amount(all: [u64; 5], usage: [u64; 4]) -> Option<u64> {
        let [input_tokens, output_tokens, images, milliseconds] = usage;
        prices(all).amount(&Usage { input_tokens, output_tokens, images, milliseconds }).map(Amount::get)
    }

    #[test]
    fn every_part_is_charged_for_itself() {
        assert_eq!(amount([5, 0, 0, 0, 0], [9, 9, 9, 9]), Some(5));
        assert_eq!(amount([0, 2_000_000, 0, 0, 0], [9, 0, 0, 0]), Some(18));
        assert_eq!(amount([0, 0, 3_000_000, 0, 0], [0, 9, 0, 0]), Some(27));
        assert_eq!(amount([0, 0, 0, 4, 0], [0, 0, 9, 0]), Some(36));
        assert_eq!(amount([0, 0, 0, 0, 5], [0, 0, 0, 9_000]), Some(45));
    }

    #[test]
    fn the_payee_keeps_the_dust_once_for_all_tokens_and_once_for_time() {
        assert_eq!(amount([0, 1, 1, 0, 0], [1, 1, 0, 0]), Some(1));
        assert_eq!(amount([0, 1, 1, 0, 0], [500_000, 500_000, 0, 0]), Some(1));
        assert_eq!(amount([0, 1, 1, 0, 1], [500_000, 500_001, 0, 1]), Some(3));
    }

    #[test]
    fn nothing_costs_nothing_but_the_request() {
        assert_eq!(amount([0; 5], [u64::MAX; 4]), Some(0));
        assert_eq!(amount([1, u64::MAX, u64::MAX, u64::MAX, u64::MAX], [0; 4]), Some(1));
    }

    #[test]
    fn what_no_amount_holds_has_no_price() {
        assert_eq!(amount([u64::MAX, 0, 0, 0, 0], [0; 4]), Some(u64::MAX));
        assert_eq!(amount([u64::MAX, 1, 0, 0, 0], [1, 0, 0, 0]), None);
        assert_eq!(amount([u64::MAX; 5], [u64::MAX; 4]), None);
        assert_eq!(amount([0, u64::MAX, u64::MAX, 0, 0], [u64::MAX; 4]), None);
        assert_eq!(amount([0, 0, 0, u64::MAX, 0], [0, 0, 1, 0]), Some(u64::MAX));
        assert_eq!(amount([0, 0, 0, u64::MAX, 0], [0, 0, 2, 0]), None);
    }

    #[test]
    fn units_count_seconds_that_are_whole() {
        let usage = Usage { input_tokens: 1, output_tokens: 2, images: 3, milliseconds: 1_999 };
        assert_eq!(usage.units(), 7);
        assert_eq!(usage.plus(&usage).units(), 15);
        assert_eq!(Usage { input_tokens: u64::MAX, ..usage }.units(), u64::MAX);
    }
}
