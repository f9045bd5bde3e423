//! Numbers that a seed determines: what is drawn one after another, and what is made of a name.

/// SplitMix64, as Steele, Lea and Flood have it.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        finish(self.0)
    }

    /// Less than `bound`; 0 if that is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.draw()) * u128::from(bound)) >> 64) as u64
    }

    pub fn chance(&mut self, share: f64) -> bool {
        share > 0.0 && ((self.draw() >> 11) as f64) < share * (1u64 << 53) as f64
    }
}

fn finish(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// 32 bytes of a name, such as an address: different for different names.
pub fn mixed(name: [u64; 4]) -> [u8; 32] {
    let state = name.into_iter().fold(0, |state, part| finish(state ^ part.wrapping_add(0x9e37_79b9_7f4a_7c15)));
    let mut random = Random::new(state);
    let mut bytes = [0; 32];
    for part in bytes.chunks_exact_mut(8) {
        part.copy_from_slice(&random.draw().to_le_bytes());
    }
    bytes
}

/// The same for a signature.
pub fn signature(name: [u64; 4]) -> [u8; 64] {
    let mut bytes = [0; 64];
    let [a, b, c, d] = name;
    bytes[..32].copy_from_slice(&mixed(name));
    bytes[32..].copy_from_slice(&mixed([d, c, b, a ^ 0x5167]));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_and_shares_are_kept() {
        let draw = |seed| {
            std::iter::repeat_with({
                let mut random = Random::new(seed);
                move || random.below(10)
            })
        };
        assert!(draw(1).take(100).eq(draw(1).take(100)) && !draw(1).take(100).eq(draw(2).take(100)));
        assert!(draw(3).take(1_000).all(|value| value < 10));
        let mut random = Random::new(4);
        let hits = (0..10_000).filter(|_| random.chance(0.25)).count();
        assert!((2_300..2_700).contains(&hits), "{hits}");
        assert!(!random.chance(0.0) && random.chance(1.0));
    }

    #[test]
    fn names_that_differ_anywhere_make_other_bytes() {
        let names = (0..4).flat_map(|place| {
            (1..100).map(move |value| {
                let mut name = [0; 4];
                name[place] = value;
                name
            })
        });
        let made: std::collections::HashSet<_> = names.map(mixed).collect();
        assert_eq!(made.len(), 4 * 99);
    }
}
