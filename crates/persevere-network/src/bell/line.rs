//! A pair of sockets that leads to ourselves, so that a thread can poll for the bell.
//!
//! Somebody may close its descriptors, as programs do that close all they do not know; and what has
//! their numbers then is not ours to write to, to read from, or to close.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;

use rustix::net::{RecvFlags, SendFlags};

#[derive(Debug)]
pub(crate) struct Line {
    near: End,
    far: End,
}

impl Line {
    pub(super) fn open() -> io::Result<Self> {
        let (near, far) = UnixStream::pair()?;
        Ok(Self { near: End::new(near)?, far: End::new(far)? })
    }

    pub(super) fn is_ours(&self) -> bool {
        self.near.ours().is_some() && self.far.ours().is_some()
    }

    pub(super) fn ring(&self) {
        // Full: then the thread is awake. Gone: it notices when it looks the next time.
        if let Some(far) = self.far.ours() {
            let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
            let _rung = rustix::net::send(far, &[1], flags);
        }
    }

    pub(super) fn silence(&self) {
        let mut heard = [0; 64];
        while let Some(near) = self.near.ours()
            && let Ok((64, _)) = rustix::net::recv(near, &mut heard, RecvFlags::DONTWAIT)
        {}
    }

    /// What to poll for it, if it is still there.
    pub(crate) fn near(&self) -> Option<BorrowedFd<'_>> {
        self.near.ours()
    }
}

#[derive(Debug)]
struct End {
    /// A file, for files can be asked who they are.
    file: Option<File>,
    identity: Option<(u64, u64)>,
}

impl End {
    fn new(stream: UnixStream) -> io::Result<Self> {
        let file = File::from(OwnedFd::from(stream));
        let identity = Some(identity(&file)?);
        Ok(Self { file: Some(file), identity })
    }

    fn ours(&self) -> Option<BorrowedFd<'_>> {
        let file = self.file.as_ref()?;
        (identity(file).ok() == self.identity).then(|| file.as_fd())
    }
}

impl Drop for End {
    fn drop(&mut self) {
        if self.ours().is_none() {
            std::mem::forget(self.file.take());
        }
    }
}

/// The device, and the number on it.
fn identity(file: &File) -> io::Result<(u64, u64)> {
    let metadata = file.metadata()?;
    Ok((metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::fd::AsRawFd;

    use super::*;

    /// Somebody has closed both ends, and other sockets have their numbers.
    #[test]
    fn what_has_our_numbers_now_is_neither_written_to_nor_read_nor_closed() {
        let mut line = Line::open().unwrap();
        line.ring();
        line.silence();
        assert!(line.is_ours());
        let (mut other, mut writer) = UnixStream::pair().unwrap();
        other.set_nonblocking(true).unwrap();
        writer.write_all(b"a letter").unwrap();
        let mut numbers = Vec::new();
        for (end, taken_by) in [(&mut line.near, &other), (&mut line.far, &writer)] {
            let mut number = OwnedFd::from(end.file.take().unwrap());
            rustix::io::dup2(taken_by, &mut number).unwrap();
            numbers.push(number.as_raw_fd());
            end.file = Some(number.into());
        }
        assert!(!line.is_ours());
        line.ring();
        line.silence();
        drop(line);
        let open = |number| std::fs::read_link(format!("/proc/self/fd/{number}")).is_ok();
        assert!(numbers.into_iter().all(open), "what is not ours is not closed");
        let mut letter = [0; 9];
        assert_eq!(other.read(&mut letter).unwrap(), 8);
        assert_eq!(&letter[..8], b"a letter");
    }
}
