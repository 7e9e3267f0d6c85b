//! A small source of randomness: fast, seedable, good enough to spread delays, not for secrets.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug, Clone)]
pub(crate) struct Random {
    state: u64,
}

const GOLDEN_GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

impl Random {
    /// The same seed gives the same sequence.
    pub(crate) fn seeded(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Sequence number `stream` of a seed: sequences of one seed do not follow each other.
    pub(crate) fn stream(seed: u64, stream: u64) -> Self {
        let mut root = Self::seeded(seed ^ mix(stream.wrapping_mul(GOLDEN_GAMMA)));
        Self::seeded(root.next())
    }

    /// A sequence that no other call has: each thread seeds its own from the operating system.
    pub(crate) fn fresh() -> Self {
        thread_local! {
            static THREAD: Cell<u64> = Cell::new(RandomState::new().hash_one(0u8));
        }
        let seed = THREAD.try_with(|cell| {
            let mut random = Self::seeded(cell.get());
            let seed = random.next();
            cell.set(random.state);
            seed
        });
        // A thread that is being torn down has no cell left.
        Self::seeded(seed.unwrap_or_else(|_| RandomState::new().hash_one(0u8)))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN_GAMMA);
        mix(self.state)
    }

    /// Uniform over `low..=high`, by Lemire's multiply-and-shift: the bias is below 2⁻⁶⁴ × the width.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        let width = u128::from(high.saturating_sub(low)) + 1;
        let offset = (u128::from(self.next()) * width) >> 64;
        // The offset is below the width, which fits.
        low + offset as u64
    }
}

const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_the_published_sequence() {
        // The reference implementation's first outputs for the seed 1234567.
        let mut random = Random::seeded(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn between_reaches_both_ends() {
        let mut random = Random::seeded(1);
        let drawn: Vec<u64> = (0..1_000).map(|_| random.between(3, 6)).collect();
        assert_eq!(drawn.iter().min(), Some(&3));
        assert_eq!(drawn.iter().max(), Some(&6));
        assert_eq!(random.between(7, 7), 7);
        random.between(0, u64::MAX);
    }

    #[test]
    fn fresh_sequences_differ() {
        assert_ne!(Random::fresh().next(), Random::fresh().next());
    }
}
