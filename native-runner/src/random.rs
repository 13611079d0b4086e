//! Numbers that look random and come again with their seed.

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The numbers of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not 0. (The smallest numbers come a little more often: nobody counts them.)
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True so many times in a hundred.
    pub fn percent(&mut self, times: u64) -> bool {
        self.below(100) < times
    }

    /// One of them.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    /// From 2^`low` to 2^`high`, each power of two as likely as the others: exactly a power, 1 or `step` beside it, or
    /// anything up to the next.
    pub fn magnitude(&mut self, low: u32, high: u32, step: u64) -> u64 {
        let power = 1u64 << self.between(low.into(), high.into());
        let limit = 1u64 << high;
        let size = match self.below(10) {
            0 | 1 => power,
            2 => power + 1,
            3 => power - 1,
            4 => power + step,
            5 => power.saturating_sub(step),
            _ => power + self.below(power),
        };
        size.clamp(1 << low, limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_for_ever() {
        // The first numbers of seed 1234567, as published with the reference code.
        let mut random = Random::new(1_234_567);
        assert_eq!(
            [random.next(), random.next(), random.next()],
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn magnitudes_reach_both_ends_and_no_further() {
        let mut random = Random::new(1);
        let sizes: Vec<u64> = (0..10_000).map(|_| random.magnitude(8, 42, 4096)).collect();
        assert_eq!(
            (sizes.iter().min(), sizes.iter().max()),
            (Some(&256), Some(&(1 << 42)))
        );
        let huge = sizes.iter().filter(|size| **size >= 1 << 32).count();
        assert!(
            (2000..4500).contains(&huge),
            "{huge} of 10,000 are of 4G or more"
        );
    }
}
