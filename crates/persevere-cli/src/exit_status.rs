//! What exit statuses say, as far as there is a convention.

use persevere::{Kind, Verdict};

/// POSIX.1-2017, Shell Command Language 2.8.2: found, but not a program that can be run.
pub(crate) const CANNOT_RUN: u8 = 126;
/// The same: not found.
pub(crate) const NOT_FOUND: u8 = 127;
/// GNU coreutils, `timeout`: the command ran out of time.
pub(crate) const TIMED_OUT: u8 = 124;
/// POSIX.1-2017, the same section: a command that a signal ended has a status above 128; shells
/// add the number of the signal to it.
pub(crate) const SIGNALLED: u8 = 128;

/// What an exit status says by itself, if anything.
pub(crate) fn judge(status: u8) -> Option<Verdict> {
    let known = STATUSES.iter().find(|known| known.0 == status);
    known.map(|&(_, retry, kind, rule)| match retry {
        true => Verdict::retry(kind, rule),
        false => Verdict::stop(kind, rule),
    })
}

/// Status, whether to retry, kind, rule.
///
/// 64 to 78 are those of `sysexits.h` (4.3BSD; FreeBSD's sysexits(3)), which mail programs and many
/// others use. Retried are EX_TEMPFAIL, which the page calls a temporary failure that invites the
/// user to try again, and what can pass by itself: EX_UNAVAILABLE, EX_OSERR ("cannot fork"),
/// EX_IOERR. The others blame the input, the user or the installation.
const STATUSES: [(u8, bool, Kind, &str); 17] = [
    (64, false, Kind::Invalid, "exit.usage"),
    (65, false, Kind::Invalid, "exit.dataerr"),
    (66, false, Kind::NotFound, "exit.noinput"),
    (67, false, Kind::NotFound, "exit.nouser"),
    (68, false, Kind::NotFound, "exit.nohost"),
    (69, true, Kind::Server, "exit.unavailable"),
    (70, false, Kind::Other, "exit.software"),
    (71, true, Kind::TransientIo, "exit.oserr"),
    (72, false, Kind::NotFound, "exit.osfile"),
    (73, false, Kind::Permission, "exit.cantcreat"),
    (74, true, Kind::TransientIo, "exit.ioerr"),
    (75, true, Kind::Other, "exit.tempfail"),
    (76, false, Kind::Invalid, "exit.protocol"),
    (77, false, Kind::Permission, "exit.noperm"),
    (78, false, Kind::Invalid, "exit.config"),
    (CANNOT_RUN, false, Kind::Invalid, "exit.cannot_run"),
    (NOT_FOUND, false, Kind::NotFound, "exit.not_found"),
];
