//! How fast a body goes.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::body::FRAME;

/// What Linux lets a connection hold back at most, by default: the last number in `tcp_wmem`,
/// <https://docs.kernel.org/networking/ip-sysctl.html>. macOS and Windows hold back less.
const LARGEST_BUFFER: usize = 4 * 1024 * 1024;
const FRAMES: usize = LARGEST_BUFFER / FRAME;

/// When the last frames of a body were taken.
///
/// The system takes the last ones long before they have gone out on a slow line, and says nothing of
/// when they have. A full buffer empties as fast as it was refilled: so that long is waited besides.
pub(super) struct Pace(VecDeque<Instant>);

impl Pace {
    pub(super) fn from(start: Instant) -> Self {
        Self(VecDeque::from([start]))
    }

    pub(super) fn beat(&mut self, now: Instant) {
        if self.0.len() > FRAMES {
            self.0.pop_front();
        }
        self.0.push_back(now);
    }

    /// How long what is still in the buffers may take.
    pub(super) fn buffered(&self, now: Instant) -> Duration {
        self.0.front().map_or(Duration::ZERO, |first| now - *first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_long_as_the_last_full_buffer_took() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut pace = Pace::from(start);
        assert_eq!(pace.buffered(start + second), second);
        // A frame each second, so the buffer takes 64 s.
        let end = start + 1_000 * second;
        for frame in 1..=1_000 {
            pace.beat(start + frame * second);
        }
        assert_eq!(pace.buffered(end), FRAMES as u32 * second);
    }
}
