//! Numbers that look random and are the same for the same seed, in every version.

/// The n-th number of a seed's sequence of its own for each rule: SplitMix64,
/// <https://prng.di.unimi.it/splitmix64.c>.
pub(crate) fn number(seed: u64, rule: u64, n: u64) -> u64 {
    let mut state = mix(seed ^ mix(rule.wrapping_add(1)));
    state = state.wrapping_add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mix(state)
}

fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Uniform over `[0, 1)`.
pub(crate) fn share(number: u64) -> f64 {
    (number >> 11) as f64 / (1_u64 << 53) as f64
}

/// Uniform over `[start, end)`; `start` if there is nothing between.
pub(crate) fn within(number: u64, start: u64, end: u64) -> u64 {
    let span = u128::from(end.saturating_sub(start));
    // The product's upper half is below the span, so the cast keeps it whole.
    start + ((u128::from(number) * span) >> 64) as u64
}
