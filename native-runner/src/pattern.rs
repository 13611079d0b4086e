//! Bytes that say where they belong: what a buffer is filled with before its bytes are moved.
//!
//! Every word is a hash of a seed and of its own place, so a byte that lands anywhere but at its
//! place, or that never arrives, reads wrong (with a chance of 1 in 256 that it does not, which
//! a whole page of them does not have).

use std::{
    ops::Range,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

const WORD: u64 = size_of::<u64>() as u64;

/// A sequence of bytes, endless, drawn from a seed.
#[derive(Clone, Copy, Debug)]
pub struct Pattern {
    seed: u64,
}

impl Pattern {
    /// The pattern of `seed`.
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Bytes 8·`index` to 8·`index` + 7, as they lie in memory.
    pub const fn word(self, index: u64) -> u64 {
        // SplitMix64 (Steele, Lea, Flood 2014): a bijection of the counter, so no two words of
        // one pattern are equal.
        let z = self
            .seed
            .wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Fills `words` with the pattern, from its beginning.
    pub fn fill(self, words: &[AtomicU64]) {
        for (index, word) in (0..).zip(words) {
            word.store(self.word(index), Relaxed);
        }
    }

    /// The first word that is not the pattern's, among the `bytes` of memory that was filled with it; where it begins.
    pub fn first_difference(self, memory: &[AtomicU64], bytes: Range<u64>) -> Option<u64> {
        let index = (bytes.start / WORD..bytes.end / WORD)
            .find(|index| memory[*index as usize].load(Relaxed) != self.word(*index));
        index.map(|index| index * WORD)
    }
}

/// What memory should hold: the bytes of `inside` at `offset` and for `length` bytes, as if that
/// pattern began at byte `origin`; the bytes of `outside` everywhere else.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    /// The pattern inside.
    pub inside: Pattern,
    /// Where byte 0 of `inside` would lie: a multiple of 8.
    pub origin: u64,
    /// Where the inside begins. `origin` or later.
    pub offset: u64,
    /// How long it is.
    pub length: u64,
    /// The pattern around it, beginning at byte 0 of the memory.
    pub outside: Pattern,
}

impl Expected {
    /// What differs in `words` from what is expected; `None` if nothing does.
    pub fn compare(&self, words: &[AtomicU64]) -> Option<Mismatch> {
        assert!(
            self.origin.is_multiple_of(WORD) && self.origin <= self.offset,
            "{self:?}"
        );
        let mut mismatch: Option<Mismatch> = None;
        for (index, word) in (0..).zip(words) {
            let wrong = word.load(Relaxed) ^ self.word(index);
            if wrong != 0 {
                let wrong = wrong.to_ne_bytes();
                let bytes = wrong.iter().filter(|byte| **byte != 0).count() as u64;
                let first = wrong
                    .iter()
                    .position(|byte| *byte != 0)
                    .expect("a wrong word has a wrong byte");
                let first = index * WORD + first as u64;
                mismatch.get_or_insert(Mismatch { first, bytes: 0 }).bytes += bytes;
            }
        }
        mismatch
    }

    fn word(&self, index: u64) -> u64 {
        let (start, end) = (self.offset, self.offset + self.length);
        let at = index * WORD;
        let outside = || self.outside.word(index);
        let inside = || self.inside.word((at - self.origin) / WORD);
        match at {
            _ if at + WORD <= start || at >= end => outside(),
            _ if at >= start && at + WORD <= end => inside(),
            // The words at the edges, when the edge lies inside a word.
            _ => {
                let (mut bytes, inside) = (outside().to_ne_bytes(), inside().to_ne_bytes());
                for (place, (byte, inner)) in (at..).zip(bytes.iter_mut().zip(inside)) {
                    if (start..end).contains(&place) {
                        *byte = inner;
                    }
                }
                u64::from_ne_bytes(bytes)
            }
        }
    }
}

/// Where memory differs from what is expected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mismatch {
    /// The first byte that differs.
    pub first: u64,
    /// How many differ.
    pub bytes: u64,
}

/// Changes every bit of the byte at `offset`.
pub fn flip_byte(words: &[AtomicU64], offset: u64) {
    let mut mask = [0; WORD as usize];
    mask[(offset % WORD) as usize] = 0xff;
    words[(offset / WORD) as usize].fetch_xor(u64::from_ne_bytes(mask), Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(words: u64) -> Vec<AtomicU64> {
        (0..words).map(|_| AtomicU64::new(0)).collect()
    }

    /// The slow twin: byte by byte, from what the fields of `Expected` say.
    fn byte(expected: &Expected, at: u64) -> u8 {
        let of = |pattern: Pattern, place: u64| {
            pattern.word(place / 8).to_ne_bytes()[(place % 8) as usize]
        };
        if at >= expected.offset && at < expected.offset + expected.length {
            of(expected.inside, at - expected.origin)
        } else {
            of(expected.outside, at)
        }
    }

    #[test]
    fn every_byte_is_expected_as_the_fields_say() {
        for (origin, offset, length) in [
            (16, 16, 32),
            (16, 21, 30),
            (0, 3, 4),
            (8, 9, 1),
            (24, 24, 0),
            (0, 0, 80),
        ] {
            let expected = Expected {
                inside: Pattern::new(1),
                origin,
                offset,
                length,
                outside: Pattern::new(2),
            };
            let words = memory(10);
            for (index, word) in (0..).zip(&words) {
                let bytes: Vec<u8> = (0..8)
                    .map(|place| byte(&expected, index * 8 + place))
                    .collect();
                word.store(u64::from_ne_bytes(bytes.try_into().unwrap()), Relaxed);
            }
            assert_eq!(expected.compare(&words), None, "{expected:?}");
        }
    }

    #[test]
    fn one_wrong_byte_is_found_wherever_it_is() {
        let expected = Expected {
            inside: Pattern::new(1),
            origin: 8,
            offset: 13,
            length: 40,
            outside: Pattern::new(2),
        };
        let words = memory(8);
        words
            .iter()
            .zip(0..)
            .for_each(|(word, index)| word.store(expected.word(index), Relaxed));
        for at in 0..64 {
            flip_byte(&words, at);
            assert_eq!(
                expected.compare(&words),
                Some(Mismatch {
                    first: at,
                    bytes: 1
                })
            );
            flip_byte(&words, at);
        }
        assert_eq!(expected.compare(&words), None);
        flip_byte(&words, 5);
        flip_byte(&words, 60);
        assert_eq!(
            expected.compare(&words),
            Some(Mismatch { first: 5, bytes: 2 })
        );
    }

    /// The first numbers that SplitMix64 yields from this seed, as its author's C code prints them (prng.di.unimi.it).
    #[test]
    fn words_are_those_of_split_mix_64() {
        let pattern = Pattern::new(1_234_567);
        assert_eq!(
            [1, 2, 3, 4, 5].map(|index| pattern.word(index)),
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821,
            ]
        );
    }

    /// The place of a word, from the word alone: what `Pattern::word` does, undone step by step. So no two places have
    /// one word, which comparing some of them would not show.
    fn place(pattern: Pattern, word: u64) -> u64 {
        // Of an odd number by Newton's iteration, each step of which doubles the bits that are right.
        let inverse = |odd: u64| {
            (0..6).fold(odd, |found, _| {
                found.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(found)))
            })
        };
        let unshift = |z: u64, by: u32| (0..64 / by).fold(z, |found, _| z ^ (found >> by));
        let z = unshift(word, 31).wrapping_mul(inverse(0x94d0_49bb_1331_11eb));
        let z = unshift(z, 27).wrapping_mul(inverse(0xbf58_476d_1ce4_e5b9));
        unshift(z, 30)
            .wrapping_sub(pattern.seed)
            .wrapping_mul(inverse(0x9e37_79b9_7f4a_7c15))
    }

    proptest::proptest! {
        #[test]
        fn every_place_has_a_word_of_its_own(seed: u64, index: u64) {
            let pattern = Pattern::new(seed);
            proptest::prop_assert_eq!(place(pattern, pattern.word(index)), index);
        }
    }
}
