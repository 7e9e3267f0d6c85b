//! What operations find out about the network, and tell its monitor.

use crate::detect::says_unreachable;
use crate::verdict::{Kind, Verdict};

/// What an attempt has found out about the network, for its monitor:
/// [`NetworkMonitor::report`](crate::NetworkMonitor::report).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NetworkReport {
    /// The operation succeeded.
    Succeeded,
    /// It failed, but an answer came back, if only that nobody listens there: the network works.
    Answered,
    /// The system said that the network or the host cannot be reached: strong evidence.
    Unreachable,
    /// It was cut off, got no answer in time, or a name could not be resolved: weak evidence, for it
    /// may be the other side's fault.
    Failed,
}

impl NetworkReport {
    /// What a failure says of the network, if it says anything.
    pub(crate) fn of(verdict: &Verdict) -> Option<Self> {
        match verdict.kind() {
            _ if verdict.has_answer() => Some(Self::Answered),
            Kind::Network if says_unreachable(verdict.rule()) => Some(Self::Unreachable),
            Kind::Network | Kind::Timeout => Some(Self::Failed),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;
    use crate::detect::Detector;

    #[test]
    fn failures_say_what_they_say() {
        for (kind, report) in [
            (ErrorKind::ConnectionRefused, Some(NetworkReport::Answered)),
            (ErrorKind::NetworkUnreachable, Some(NetworkReport::Unreachable)),
            (ErrorKind::HostUnreachable, Some(NetworkReport::Unreachable)),
            (ErrorKind::NetworkDown, Some(NetworkReport::Unreachable)),
            (ErrorKind::ConnectionReset, Some(NetworkReport::Failed)),
            (ErrorKind::TimedOut, Some(NetworkReport::Failed)),
            (ErrorKind::NotFound, None),
            (ErrorKind::Other, None),
        ] {
            let verdict = Detector::new().error(&Error::from(kind));
            assert_eq!(NetworkReport::of(&verdict), report, "{kind}");
        }
    }
}
