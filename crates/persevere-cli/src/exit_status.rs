//! What exit statuses say, as far as there is a convention.

mod programs;

use std::path::Path;

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

/// What an exit status says of a program that we know, by its name or its path.
pub(crate) fn judge_of(program: &str, status: u8) -> Option<Verdict> {
    let name = Path::new(program).file_name()?.to_str()?;
    let name = name.strip_suffix(".exe").unwrap_or(name);
    let program = programs::PROGRAMS.iter().find(|program| program.names.contains(&name))?;
    let known = program.statuses.iter().find(|known| known.0.contains(&status));
    known.map(|&(_, retry, kind, meaning)| {
        let verdict = match retry {
            true => Verdict::retry(kind, program.rule),
            false => Verdict::stop(kind, program.rule),
        };
        verdict.with_evidence(meaning)
    })
}

/// What an exit status says by itself, if anything.
pub(crate) fn judge(status: u8) -> Option<Verdict> {
    let known = STATUSES.iter().find(|known| known.0 == status);
    known.map(|&(_, retry, kind, rule, name)| {
        let verdict = match retry {
            true => Verdict::retry(kind, rule),
            false => Verdict::stop(kind, rule),
        };
        verdict.with_evidence(name)
    })
}

/// Status, whether to retry, kind, rule, name.
///
/// 64 to 78 are those of `sysexits.h` (4.3BSD; FreeBSD's sysexits(3)), which mail programs and many
/// others use. Retried are EX_TEMPFAIL, which the page calls a temporary failure that invites the
/// user to try again, and what can pass by itself: EX_UNAVAILABLE, EX_OSERR ("cannot fork"),
/// EX_IOERR. The others blame the input, the user or the installation.
const STATUSES: [(u8, bool, Kind, &str, &str); 17] = [
    (64, false, Kind::Invalid, "exit.usage", "EX_USAGE"),
    (65, false, Kind::Invalid, "exit.dataerr", "EX_DATAERR"),
    (66, false, Kind::NotFound, "exit.noinput", "EX_NOINPUT"),
    (67, false, Kind::NotFound, "exit.nouser", "EX_NOUSER"),
    (68, false, Kind::NotFound, "exit.nohost", "EX_NOHOST"),
    (69, true, Kind::Server, "exit.unavailable", "EX_UNAVAILABLE"),
    (70, false, Kind::Other, "exit.software", "EX_SOFTWARE"),
    (71, true, Kind::TransientIo, "exit.oserr", "EX_OSERR"),
    (72, false, Kind::NotFound, "exit.osfile", "EX_OSFILE"),
    (73, false, Kind::Permission, "exit.cantcreat", "EX_CANTCREAT"),
    (74, true, Kind::TransientIo, "exit.ioerr", "EX_IOERR"),
    (75, true, Kind::Other, "exit.tempfail", "EX_TEMPFAIL"),
    (76, false, Kind::Invalid, "exit.protocol", "EX_PROTOCOL"),
    (77, false, Kind::Permission, "exit.noperm", "EX_NOPERM"),
    (78, false, Kind::Invalid, "exit.config", "EX_CONFIG"),
    (CANNOT_RUN, false, Kind::Invalid, "exit.cannot_run", "the command cannot be run"),
    (NOT_FOUND, false, Kind::NotFound, "exit.not_found", "the command"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_known_by_their_names() {
        let retryable = |program, status| judge_of(program, status).map(|it| it.is_retryable());
        assert_eq!(retryable("curl", 7), Some(true));
        assert_eq!(retryable("/usr/bin/curl", 60), Some(false));
        assert_eq!(retryable("curl.exe", 28), Some(true));
        assert_eq!(retryable("curl", 22), None);
        assert_eq!(retryable("my-curl", 7), None);
    }

    #[test]
    fn no_status_of_a_program_stands_twice() {
        for program in programs::PROGRAMS {
            let mut statuses: Vec<u8> =
                program.statuses.iter().flat_map(|known| known.0.iter().copied()).collect();
            let count = statuses.len();
            statuses.sort_unstable();
            statuses.dedup();
            assert_eq!(statuses.len(), count, "{}", program.rule);
        }
    }
}
