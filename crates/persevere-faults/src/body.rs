//! Where a body ends, and how much of it has gone by. Nothing is taken out of its framing: bytes are passed on as
//! they came.

use std::io;

/// How a body's end is told.
#[derive(Debug)]
pub(crate) enum Framing {
    /// So many bytes are left.
    Length(u64),
    /// <https://www.rfc-editor.org/rfc/rfc9112#section-7.1>
    Chunked(Chunks),
    /// The connection's end is the body's.
    UntilClose,
}

/// What of a buffer may be passed on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Scan {
    /// So many bytes from its start,
    pub(crate) bytes: usize,
    /// of which so many are the body's own, without framing.
    pub(crate) data: u64,
    /// Whether the body ends there.
    pub(crate) end: bool,
}

/// A state in the reading of chunks.
#[derive(Debug)]
pub(crate) enum Chunks {
    /// In the digits of a chunk's size.
    Size(u64),
    /// In what comes after the digits in their line.
    Extension(u64),
    /// In a chunk's data, so many bytes before its end.
    Data(u64),
    /// In the line break after a chunk's data.
    AfterData,
    /// In the lines after the last chunk; whether the present one is empty so far.
    Trailer { empty: bool },
}

impl Framing {
    pub(crate) fn chunked() -> Self {
        Self::Chunked(Chunks::Size(0))
    }

    /// How long the body is, if the head tells.
    pub(crate) fn length(&self) -> Option<u64> {
        match self {
            Self::Length(length) => Some(*length),
            Self::Chunked(_) | Self::UntilClose => None,
        }
    }

    /// Takes note of the start of the buffer: at most `most` bytes of data.
    pub(crate) fn scan(&mut self, buffer: &[u8], most: u64) -> io::Result<Scan> {
        match self {
            Self::Length(left) => {
                let data = (*left).min(most).min(buffer.len() as u64);
                *left -= data;
                Ok(Scan { bytes: data as usize, data, end: *left == 0 })
            }
            Self::Chunked(chunks) => chunks.scan(buffer, most),
            Self::UntilClose => {
                let data = most.min(buffer.len() as u64);
                Ok(Scan { bytes: data as usize, data, end: false })
            }
        }
    }
}

impl Chunks {
    fn scan(&mut self, buffer: &[u8], most: u64) -> io::Result<Scan> {
        let mut scan = Scan { bytes: 0, data: 0, end: false };
        while let Some(&byte) = buffer.get(scan.bytes) {
            if let Self::Data(left) = self {
                let there = (buffer.len() - scan.bytes) as u64;
                let data = (*left).min(most - scan.data).min(there);
                scan.bytes += data as usize;
                scan.data += data;
                *left -= data;
                match *left {
                    0 => *self = Self::AfterData,
                    _ => break,
                }
                continue;
            }
            // All the data that may pass has passed; of the framing no more than needed passes with it.
            if scan.data == most && most != 0 {
                break;
            }
            scan.bytes += 1;
            if self.framing_byte(byte)? {
                scan.end = true;
                break;
            }
        }
        Ok(scan)
    }

    /// Whether this byte is the body's last.
    fn framing_byte(&mut self, byte: u8) -> io::Result<bool> {
        *self = match (&*self, byte) {
            (Self::Size(size), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = u64::from((byte as char).to_digit(16).unwrap_or_default());
                let size = size.checked_mul(16).and_then(|size| size.checked_add(digit));
                Self::Size(size.ok_or_else(|| unreadable("a size of more than 64 bits"))?)
            }
            (Self::Size(0) | Self::Extension(0), b'\n') => Self::Trailer { empty: true },
            (Self::Size(size) | Self::Extension(size), b'\n') => Self::Data(*size),
            (Self::Size(size), b'\r' | b';' | b' ' | b'\t') => Self::Extension(*size),
            (Self::Size(_), _) => return Err(unreadable("a size that is not hexadecimal")),
            (Self::Extension(size), _) => Self::Extension(*size),
            (Self::AfterData, b'\r') => Self::AfterData,
            (Self::AfterData, b'\n') => Self::Size(0),
            (Self::AfterData, _) => return Err(unreadable("a chunk longer than its size")),
            (Self::Trailer { empty: true }, b'\n') => return Ok(true),
            (Self::Trailer { .. }, b'\n') => Self::Trailer { empty: true },
            (Self::Trailer { empty }, b'\r') => Self::Trailer { empty: *empty },
            (Self::Trailer { .. }, _) => Self::Trailer { empty: false },
            (Self::Data(_), _) => return Err(unreadable("data where framing was due")),
        };
        Ok(false)
    }
}

fn unreadable(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("in a chunked body, {what}"))
}

#[cfg(test)]
mod tests;
