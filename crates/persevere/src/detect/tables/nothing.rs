//! Words that say nothing, where a part of them alone would.

use super::Entry;
use crate::detect::evidence::Rank::Vague;
use crate::verdict::Verdict;

#[rustfmt::skip]
pub(super) const PHRASES: &[Entry] = &[
    Entry::new(Vague, Verdict::unknown(),
        &["unknown error", "unknown failure", "unknown reason", "unknown status", "unknown exception", "unknown cause",
          "for an unknown", "unknown problem"]),
];
