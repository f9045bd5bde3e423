//! Sums and products that may not fit into 64 bits, in as few of the VM's instructions as they need. What the compiler makes
//! of the standard library's takes about twice as many.

/// `a + b`, or `None` when it would not fit.
#[inline(always)]
pub const fn sum(a: u64, b: u64) -> Option<u64> {
    if b > !a {
        return None;
    }
    Some(a.wrapping_add(b))
}

/// `a * b`, or `None` when it would not fit.
#[inline(always)]
pub const fn times(a: u64, b: u64) -> Option<u64> {
    // What has 32 bits each always fits, and is what most rates and durations are.
    if (a | b) >> 32 == 0 {
        return Some(a.wrapping_mul(b));
    }
    match halves(product(a, b)) {
        (0, low) => Some(low),
        _ => None,
    }
}

/// The upper and the lower half of a number.
#[inline(always)]
pub const fn halves(number: u128) -> (u64, u64) {
    ((number >> 64) as u64, number as u64)
}

/// `a * b`, in halves of 32 bits: every sum below is of what is left of a product and of 32-bit numbers, and fits.
#[inline(always)]
pub const fn product(a: u64, b: u64) -> u128 {
    const LOW: u64 = u32::MAX as u64;
    let (a_high, a_low) = (a >> 32, a & LOW);
    let (b_high, b_low) = (b >> 32, b & LOW);
    let low = a_low.wrapping_mul(b_low);
    let middle = a_high.wrapping_mul(b_low).wrapping_add(low >> 32);
    let cross = a_low.wrapping_mul(b_high).wrapping_add(middle & LOW);
    let high = a_high.wrapping_mul(b_high).wrapping_add(middle >> 32).wrapping_add(cross >> 32);
    (high as u128) << 64 | (cross << 32 | low & LOW) as u128
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: [u64; 12] = [
        0,
        1,
        3,
        u32::MAX as u64,
        1 << 32,
        (1 << 32) + 1,
        0xffff_fffe_ffff_ffff,
        0x1234_5678_9abc_def0,
        1 << 63,
        u64::MAX - u32::MAX as u64,
        u64::MAX - 1,
        u64::MAX,
    ];

    #[test]
    fn sums_and_products_are_what_the_standard_library_says() {
        for a in NUMBERS {
            for b in NUMBERS {
                assert_eq!(sum(a, b), a.checked_add(b), "{a} + {b}");
                assert_eq!(product(a, b), a as u128 * b as u128, "{a} * {b}");
                assert_eq!(times(a, b), a.checked_mul(b), "{a} * {b}");
            }
        }
    }
}
