//! `std::io::Error`, by its kind and by the operating system's number.

use std::io::{Error, ErrorKind};

use crate::detect::evidence::{Evidence, Rank};
use crate::verdict::{Kind, Verdict};

/// Kinds that say something. Left out on purpose: `Other`, which says nothing.
///
/// From the requirement's list of network and transient I/O errors, and the standard library's
/// descriptions of `ErrorKind`.
pub(super) fn judge(error: &Error) -> Option<Evidence> {
    by_kind(error.kind()).or_else(|| by_number(error.raw_os_error()?))
}

const fn retry(kind: Kind, rule: &'static str, words: &'static str) -> Evidence {
    Evidence::new(Rank::Phrase, Verdict::retry(kind, rule).with_evidence(words))
}

const fn stop(kind: Kind, rule: &'static str, words: &'static str) -> Evidence {
    Evidence::new(Rank::Phrase, Verdict::stop(kind, rule).with_evidence(words))
}

/// Libraries put any error of theirs into these, so that what is inside may say more.
const fn wrapper(kind: Kind, rule: &'static str, words: &'static str) -> Evidence {
    Evidence::new(Rank::Word, Verdict::stop(kind, rule).with_evidence(words))
}

fn by_kind(kind: ErrorKind) -> Option<Evidence> {
    use Kind::{
        Conflict, ExhaustedResource, Invalid, Network, NotFound, Permission, Timeout, TransientIo,
        Unsupported,
    };
    let evidence = match kind {
        // An answer, if an unfriendly one: the network works, and nobody acted.
        ErrorKind::ConnectionRefused => {
            let Evidence { rank, verdict } =
                retry(Network, "io.connection_refused", "connection refused");
            Evidence::new(rank, verdict.with_answer().with_unprocessed())
        }
        ErrorKind::ConnectionReset => retry(Network, "io.connection_reset", "connection reset"),
        ErrorKind::ConnectionAborted => {
            retry(Network, "io.connection_aborted", "connection aborted")
        }
        ErrorKind::NotConnected => retry(Network, "io.not_connected", "not connected"),
        ErrorKind::BrokenPipe => retry(Network, "io.broken_pipe", "broken pipe"),
        ErrorKind::UnexpectedEof => retry(Network, "io.unexpected_eof", "unexpected end of file"),
        ErrorKind::HostUnreachable => retry(Network, "io.host_unreachable", "host unreachable"),
        ErrorKind::NetworkUnreachable => {
            retry(Network, "io.network_unreachable", "network unreachable")
        }
        ErrorKind::NetworkDown => retry(Network, "io.network_down", "network down"),
        ErrorKind::TimedOut => retry(Timeout, "io.timed_out", "timed out"),
        ErrorKind::Interrupted => retry(TransientIo, "io.interrupted", "interrupted"),
        ErrorKind::WouldBlock => retry(TransientIo, "io.would_block", "would block"),
        ErrorKind::ResourceBusy => retry(TransientIo, "io.resource_busy", "resource busy"),
        ErrorKind::NotFound => stop(NotFound, "io.not_found", "not found"),
        ErrorKind::PermissionDenied => {
            stop(Permission, "io.permission_denied", "permission denied")
        }
        ErrorKind::AlreadyExists => stop(Conflict, "io.already_exists", "already exists"),
        ErrorKind::InvalidInput => wrapper(Invalid, "io.invalid_input", "invalid input"),
        ErrorKind::InvalidData => wrapper(Invalid, "io.invalid_data", "invalid data"),
        ErrorKind::InvalidFilename => stop(Invalid, "io.invalid_filename", "invalid filename"),
        ErrorKind::ArgumentListTooLong => {
            stop(Invalid, "io.argument_list_too_long", "argument list too long")
        }
        ErrorKind::NotADirectory => stop(Invalid, "io.not_a_directory", "not a directory"),
        ErrorKind::IsADirectory => stop(Invalid, "io.is_a_directory", "is a directory"),
        ErrorKind::DirectoryNotEmpty => {
            stop(Conflict, "io.directory_not_empty", "directory not empty")
        }
        ErrorKind::CrossesDevices => stop(Invalid, "io.crosses_devices", "crosses devices"),
        ErrorKind::NotSeekable => stop(Invalid, "io.not_seekable", "not seekable"),
        ErrorKind::ReadOnlyFilesystem => {
            stop(Permission, "io.read_only_filesystem", "read only filesystem")
        }
        ErrorKind::StorageFull => stop(ExhaustedResource, "io.storage_full", "storage full"),
        ErrorKind::QuotaExceeded => stop(ExhaustedResource, "io.quota_exceeded", "quota exceeded"),
        ErrorKind::FileTooLarge => stop(ExhaustedResource, "io.file_too_large", "file too large"),
        ErrorKind::OutOfMemory => stop(ExhaustedResource, "io.out_of_memory", "out of memory"),
        ErrorKind::Unsupported => stop(Unsupported, "io.unsupported", "unsupported"),
        _ => return None,
    };
    Some(evidence)
}

/// Whether this rule is about an error by which the system says itself that the network, or the host,
/// cannot be reached.
pub(crate) fn says_unreachable(rule: &str) -> bool {
    ["io.host_unreachable", "io.network_unreachable", "io.network_down", "io.host_down"]
        .contains(&rule)
}

/// Numbers that have no `ErrorKind`, from each system's `errno.h`.
fn by_number(number: i32) -> Option<Evidence> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const NUMBERS: [i32; 4] = [112, 24, 23, 105];
    #[cfg(target_vendor = "apple")]
    const NUMBERS: [i32; 4] = [64, 24, 23, 55];
    // WSAEHOSTDOWN, WSAEMFILE, ERROR_TOO_MANY_OPEN_FILES, WSAENOBUFS.
    #[cfg(windows)]
    const NUMBERS: [i32; 4] = [10064, 10024, 4, 10055];
    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple", windows)))]
    const NUMBERS: [i32; 4] = [0; 4];

    let [host_down, too_many_files, too_many_files_in_system, no_buffers] = NUMBERS;
    let evidence = match number {
        0 => return None,
        _ if number == host_down => retry(Kind::Network, "io.host_down", "host is down"),
        _ if number == too_many_files => {
            retry(Kind::TransientIo, "io.too_many_open_files", "too many open files")
        }
        _ if number == too_many_files_in_system => {
            retry(Kind::TransientIo, "io.too_many_open_files_in_system", "too many open files")
        }
        _ if number == no_buffers => {
            retry(Kind::TransientIo, "io.no_buffer_space", "no buffer space available")
        }
        _ => return None,
    };
    Some(evidence)
}
