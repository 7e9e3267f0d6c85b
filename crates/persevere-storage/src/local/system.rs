//! What the standard library leaves to each system.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

use crate::store::Version;

/// Opens what is no link: whoever can write to the folder could have put one there.
#[cfg(unix)]
pub(super) fn without_links(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
}

#[cfg(not(unix))]
pub(super) fn without_links(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Makes a file that shows itself to nobody who could not see the one that it is to replace.
#[cfg(unix)]
pub(super) fn as_private_as(options: &mut OpenOptions, replaced: &Metadata) {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    // Ours to write, whatever comes.
    options.mode(replaced.permissions().mode() & 0o777 | 0o600);
}

#[cfg(not(unix))]
pub(super) fn as_private_as(_: &mut OpenOptions, _: &Metadata) {}

/// Opens for reading without waiting for whoever writes into a fifo.
#[cfg(unix)]
pub(super) fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

#[cfg(not(unix))]
pub(super) fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Whether an error is that of [`without_links`], or of a link that leads to itself.
#[cfg(unix)]
pub(super) fn is_link(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

#[cfg(not(unix))]
pub(super) fn is_link(_: &io::Error) -> bool {
    false
}

/// Up to `length` bytes from `offset` on, into a buffer that is empty and has room for them, to which nobody
/// has written zeros before.
#[cfg(unix)]
pub(super) fn read(
    file: &File,
    offset: u64,
    length: usize,
    mut bytes: Vec<u8>,
) -> io::Result<Vec<u8>> {
    use rustix::buffer::spare_capacity;
    while bytes.len() < length {
        let offset = offset + bytes.len() as u64;
        match rustix::io::pread(file, spare_capacity(&mut bytes), offset) {
            Ok(0) => break,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    bytes.truncate(length);
    Ok(bytes)
}

#[cfg(not(unix))]
pub(super) fn read(
    mut file: &File,
    offset: u64,
    length: usize,
    mut bytes: Vec<u8>,
) -> io::Result<Vec<u8>> {
    use std::io::{Read, Seek, SeekFrom};
    file.seek(SeekFrom::Start(offset))?;
    file.take(length as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Makes a rename in a folder survive a loss of power.
#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        // Some network file systems cannot, and need not.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        result => result,
    }
}

#[cfg(not(unix))]
pub(super) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// By inode, size and time in nanoseconds. Not by device: its number may change when the machine
/// starts again, and a transfer goes on after that.
#[cfg(unix)]
pub(super) fn version(metadata: &Metadata) -> Version {
    use std::os::unix::fs::MetadataExt;
    let nanoseconds =
        i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
    Version(format!("{}-{}-{nanoseconds}", metadata.ino(), metadata.len()))
}

#[cfg(not(unix))]
pub(super) fn version(metadata: &Metadata) -> Version {
    let modified = metadata.modified().ok();
    let modified = modified.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    Version(format!("0-{}-{}", metadata.len(), modified.unwrap_or_default().as_nanos()))
}
