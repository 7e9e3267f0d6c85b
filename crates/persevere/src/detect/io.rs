//! `std::io::Error`, by its kind and by the operating system's number.

use std::io::{Error, ErrorKind};

use crate::verdict::{Kind, Verdict};

/// Kinds that say something. Left out on purpose: `Other`, which says nothing.
///
/// From the requirement's list of network and transient I/O errors, and the standard library's
/// descriptions of `ErrorKind`.
pub(super) fn judge(error: &Error) -> Option<Verdict> {
    by_kind(error.kind()).or_else(|| by_number(error.raw_os_error()?))
}

fn by_kind(kind: ErrorKind) -> Option<Verdict> {
    use Kind::{
        Conflict, ExhaustedResource, Invalid, Network, NotFound, Permission, Timeout, TransientIo,
        Unsupported,
    };
    let verdict = match kind {
        // An answer, if an unfriendly one: the network works, and nobody acted.
        ErrorKind::ConnectionRefused => {
            Verdict::retry(Network, "io.connection_refused").with_answer().with_unprocessed()
        }
        ErrorKind::ConnectionReset => Verdict::retry(Network, "io.connection_reset"),
        ErrorKind::ConnectionAborted => Verdict::retry(Network, "io.connection_aborted"),
        ErrorKind::NotConnected => Verdict::retry(Network, "io.not_connected"),
        ErrorKind::BrokenPipe => Verdict::retry(Network, "io.broken_pipe"),
        ErrorKind::UnexpectedEof => Verdict::retry(Network, "io.unexpected_eof"),
        ErrorKind::HostUnreachable => Verdict::retry(Network, "io.host_unreachable"),
        ErrorKind::NetworkUnreachable => Verdict::retry(Network, "io.network_unreachable"),
        ErrorKind::NetworkDown => Verdict::retry(Network, "io.network_down"),
        ErrorKind::TimedOut => Verdict::retry(Timeout, "io.timed_out"),
        ErrorKind::Interrupted => Verdict::retry(TransientIo, "io.interrupted"),
        ErrorKind::WouldBlock => Verdict::retry(TransientIo, "io.would_block"),
        ErrorKind::ResourceBusy => Verdict::retry(TransientIo, "io.resource_busy"),
        ErrorKind::NotFound => Verdict::stop(NotFound, "io.not_found"),
        ErrorKind::PermissionDenied => Verdict::stop(Permission, "io.permission_denied"),
        ErrorKind::AlreadyExists => Verdict::stop(Conflict, "io.already_exists"),
        ErrorKind::InvalidInput => Verdict::stop(Invalid, "io.invalid_input"),
        ErrorKind::InvalidData => Verdict::stop(Invalid, "io.invalid_data"),
        ErrorKind::InvalidFilename => Verdict::stop(Invalid, "io.invalid_filename"),
        ErrorKind::ArgumentListTooLong => Verdict::stop(Invalid, "io.argument_list_too_long"),
        ErrorKind::NotADirectory => Verdict::stop(Invalid, "io.not_a_directory"),
        ErrorKind::IsADirectory => Verdict::stop(Invalid, "io.is_a_directory"),
        ErrorKind::DirectoryNotEmpty => Verdict::stop(Conflict, "io.directory_not_empty"),
        ErrorKind::CrossesDevices => Verdict::stop(Invalid, "io.crosses_devices"),
        ErrorKind::NotSeekable => Verdict::stop(Invalid, "io.not_seekable"),
        ErrorKind::ReadOnlyFilesystem => Verdict::stop(Permission, "io.read_only_filesystem"),
        ErrorKind::StorageFull => Verdict::stop(ExhaustedResource, "io.storage_full"),
        ErrorKind::QuotaExceeded => Verdict::stop(ExhaustedResource, "io.quota_exceeded"),
        ErrorKind::FileTooLarge => Verdict::stop(ExhaustedResource, "io.file_too_large"),
        ErrorKind::OutOfMemory => Verdict::stop(ExhaustedResource, "io.out_of_memory"),
        ErrorKind::Unsupported => Verdict::stop(Unsupported, "io.unsupported"),
        _ => return None,
    };
    Some(verdict)
}

/// Numbers that have no `ErrorKind`, from each system's `errno.h`.
fn by_number(number: i32) -> Option<Verdict> {
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
    let retry = |kind, rule| Some(Verdict::retry(kind, rule));
    match number {
        0 => None,
        _ if number == host_down => retry(Kind::Network, "io.host_down"),
        _ if number == too_many_files => retry(Kind::TransientIo, "io.too_many_open_files"),
        _ if number == too_many_files_in_system => {
            retry(Kind::TransientIo, "io.too_many_open_files_in_system")
        }
        _ if number == no_buffers => retry(Kind::TransientIo, "io.no_buffer_space"),
        _ => None,
    }
}
