//! Randomness in the delay, so that clients that failed together do not come back together.

use std::fmt;
use std::str::FromStr;

use crate::random::Random;

/// How a delay is spread at random around the exponential backoff.
///
/// With *d* for the exponential delay after a failure, `initial_delay × multiplier^(n-1)`:
///
/// | variant | delay | source |
/// |---|---|---|
/// | `Proportional` | uniform over `[0.75·d, 1.25·d]`, `d` capped at `max_delay / 1.25` | the project's requirement, ±25 % |
/// | `Full` | uniform over `[0, d]`, `d` capped at `max_delay` | [AWS] |
/// | `Equal` | `d/2` plus uniform over `[0, d/2]`, `d` capped at `max_delay` | [AWS] |
/// | `Decorrelated` | `min(max_delay, uniform over [initial_delay, 3 × the delay before])` | [AWS] |
/// | `None` | `d`, capped at `max_delay` | |
///
/// `Proportional` caps *d* below `max_delay`, so that the spread stays whole at the cap: nobody
/// waits longer than `max_delay`, and no crowd gathers at exactly that delay. `Decorrelated` draws
/// from the delay before, so it ignores the multiplier.
///
/// [AWS]: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
///
/// ```
/// use persevere::Jitter;
///
/// assert_eq!("full".parse(), Ok(Jitter::Full));
/// assert_eq!(Jitter::Proportional.to_string(), "proportional");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Jitter {
    /// ±25 % of the delay.
    #[default]
    Proportional,
    /// Anything from nothing to the whole delay.
    Full,
    /// Half of the delay for sure, the other half at random.
    Equal,
    /// Anything from the first delay to three times the delay before.
    Decorrelated,
    /// No randomness. For tests, and for a client that is alone.
    None,
}

impl Jitter {
    /// Every variant, for menus and help texts.
    pub const ALL: [Self; 5] =
        [Self::Proportional, Self::Full, Self::Equal, Self::Decorrelated, Self::None];

    /// The name in configuration files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proportional => "proportional",
            Self::Full => "full",
            Self::Equal => "equal",
            Self::Decorrelated => "decorrelated",
            Self::None => "none",
        }
    }

    /// The largest exponential delay, in nanoseconds, that this jitter cannot push past `max_delay`.
    pub(crate) const fn base_cap(self, max_delay: u64) -> u64 {
        match self {
            // max / 1.25, without leaving the integers.
            Self::Proportional => max_delay - max_delay.div_ceil(5),
            _ => max_delay,
        }
    }

    /// The shortest and the longest delay for the exponential delay `base`, in nanoseconds.
    /// `Decorrelated` does not depend on `base`; its caller knows its range.
    pub(crate) const fn range(self, base: u64) -> (u64, u64) {
        match self {
            Self::Proportional => (base - base / 4, base + base / 4),
            Self::Full => (0, base),
            Self::Equal => (base - base / 2, base),
            Self::Decorrelated | Self::None => (base, base),
        }
    }
}

/// A hint is never undercut: the server's wait, and up to a quarter of it on top.
pub(crate) fn spread_hint(hint: u64, jitter: Jitter, random: &mut Random) -> u64 {
    match jitter {
        Jitter::None => hint,
        _ => random.between(hint, hint.saturating_add(hint / 4)),
    }
}

impl fmt::Display for Jitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Jitter {
    type Err = UnknownJitter;

    fn from_str(name: &str) -> Result<Self, UnknownJitter> {
        let known = Self::ALL.into_iter().find(|jitter| jitter.name() == name);
        known.ok_or_else(|| UnknownJitter { name: name.to_owned() })
    }
}

/// A name that no [`Jitter`] has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownJitter {
    name: String,
}

impl fmt::Display for UnknownJitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "jitter is `{}`, but must be one of", self.name)?;
        for (index, jitter) in Jitter::ALL.iter().enumerate() {
            write!(f, "{}{jitter}", if index == 0 { " " } else { ", " })?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownJitter {}
