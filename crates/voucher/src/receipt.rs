//! The bill for one request.

use crate::{Context, Hash, LeAmount, LeTime, LeU64, Prices, Usage};
use bytemuck::{Pod, Zeroable};

/// What was done for one request, and what it costs. Signed by the channel's authority, the provider's key; 152 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Receipt {
    /// `Domain::Receipt` of the channel.
    pub context: Context,
    /// From 1, each number once: the next voucher has it as its own.
    pub sequence: LeU64,
    /// sha256 of the request's body as it was sent.
    pub request_hash: Hash,
    /// sha256 of the response's body; of a stream, of all its bytes before this receipt.
    pub response_hash: Hash,
    pub input_tokens: LeU64,
    pub output_tokens: LeU64,
    pub images: LeU64,
    pub milliseconds: LeU64,
    /// What the channel's price list says of that usage.
    pub amount: LeAmount,
    /// When it was signed.
    pub at: LeTime,
}

const _: () = assert!(size_of::<Receipt>() == 152);

impl Receipt {
    #[inline(always)]
    pub fn usage(&self) -> Usage {
        Usage {
            input_tokens: self.input_tokens.get(),
            output_tokens: self.output_tokens.get(),
            images: self.images.get(),
            milliseconds: self.milliseconds.get(),
        }
    }

    /// Whether it asks for more than `prices` make of its own usage: what a provider loses its claim for. Usage whose price no
    /// number holds cannot be overcharged.
    #[inline(always)]
    pub fn overcharges(&self, prices: &Prices) -> bool {
        prices.amount(&self.usage()).is_some_and(|fair| self.amount.get() > fair)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use joule_units::Amount;

    #[test]
    fn one_unit_above_the_price_list_is_an_overcharge() {
        let prices = Prices { per_image: Amount::new(7), ..Prices::default() };
        let receipt = |amount, images| Receipt {
            images: LeU64::new(images),
            amount: Amount::new(amount).into(),
            ..Receipt::default()
        };
        assert!(!receipt(20, 3).overcharges(&prices), "less is a gift");
        assert!(!receipt(21, 3).overcharges(&prices));
        assert!(receipt(22, 3).overcharges(&prices));
        assert!(!receipt(u64::MAX, u64::MAX).overcharges(&prices), "the price does not fit into the receipt");
    }
}
