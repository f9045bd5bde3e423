//! Numbers that lie in a message: little endian, and aligned to nothing.

use bytemuck::{Pod, Zeroable};
use joule_units::{Amount, UnixTime};

macro_rules! little_endian {
    ($(#[$doc:meta])* $name:ident is $number:ty, as $meaning:ty, by $get:expr, $new:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Pod, Zeroable)]
        #[repr(transparent)]
        pub struct $name([u8; 8]);

        impl $name {
            #[inline(always)]
            pub const fn new(value: $meaning) -> Self {
                Self($get(value).to_le_bytes())
            }

            #[inline(always)]
            pub const fn get(self) -> $meaning {
                $new(<$number>::from_le_bytes(self.0))
            }
        }

        impl From<$meaning> for $name {
            #[inline(always)]
            fn from(value: $meaning) -> Self {
                Self::new(value)
            }
        }
    };
}

const fn same(number: u64) -> u64 {
    number
}

little_endian!(
    /// A count.
    LeU64 is u64, as u64, by same, same
);
little_endian!(
    /// Base units.
    LeAmount is u64, as Amount, by Amount::get, Amount::new
);
little_endian!(
    /// Unix seconds.
    LeTime is i64, as UnixTime, by UnixTime::get, UnixTime::new
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_byte_comes_first() {
        assert_eq!(bytemuck::bytes_of(&LeU64::new(0x0102)), [2, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytemuck::bytes_of(&LeTime::new(UnixTime::new(-2))), [254, 255, 255, 255, 255, 255, 255, 255]);
    }

    #[test]
    fn extremes_come_back() {
        for number in [0, 1, u64::MAX - 1, u64::MAX] {
            assert_eq!(LeU64::from(number).get(), number);
            assert_eq!(LeAmount::from(Amount::new(number)).get().get(), number);
            assert_eq!(LeTime::from(UnixTime::new(number as i64)).get().get(), number as i64);
        }
    }
}
