//! The records of a journal, and what they add up to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::store::Version;

/// A line of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Record {
    /// The first line: what is to be done. On disk before the first request.
    Header(Box<Header>),
    /// Who works on it from here on.
    Process {
        /// Its process id.
        id: u32,
        /// Which start of the machine it runs in.
        boot: Option<String>,
    },
    /// The source has changed: what is true of it from here on.
    Source { version: Option<Version> },
    /// The upload that parts go to from here on. On disk before the first part.
    Upload { id: String },
    /// A part that was confirmed.
    Part { number: u32, digest: Digest, tag: String },
    /// A part that has turned out not to be there.
    Lost { number: u32 },
    /// All parts are there, and the object is being made of them.
    Completing { digest: Digest },
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    /// The form of this file.
    pub(crate) version: u32,
    /// The id that the object carries when it is done.
    pub(crate) job: String,
    /// Milliseconds since 1970.
    pub(crate) begun: u64,
    pub(crate) part_size: u64,
    pub(crate) source: End,
    pub(crate) destination: End,
}

/// One side of a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct End {
    pub(crate) url: String,
    /// What the store itself calls it.
    pub(crate) key: String,
    /// The host and port that it is at: accounts and endpoints are not part of a URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) endpoint: Option<String>,
    /// Bytes; `None` for a destination, and for a source of unknown length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<Version>,
}

/// What the records of a journal add up to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) header: Option<Header>,
    pub(crate) process: Option<u32>,
    /// The starts of the machine in which parts were written.
    pub(crate) boots: Vec<Option<String>>,
    pub(crate) upload: Option<String>,
    pub(crate) parts: BTreeMap<u32, (Digest, String)>,
    pub(crate) completing: Option<Digest>,
}

impl Memory {
    pub(crate) fn note(&mut self, record: Record) {
        match record {
            Record::Header(header) => *self = Self { header: Some(*header), ..Self::default() },
            Record::Process { id, boot } => {
                self.process = Some(id);
                if !self.boots.contains(&boot) {
                    self.boots.push(boot);
                }
            }
            Record::Source { version } => {
                if let Some(header) = &mut self.header {
                    header.source.version = version;
                }
                self.completing = None;
            }
            Record::Upload { id } => {
                self.upload = Some(id);
                self.parts.clear();
                self.completing = None;
            }
            Record::Part { number, digest, tag } => {
                self.parts.insert(number, (digest, tag));
            }
            Record::Lost { number } => {
                self.parts.remove(&number);
            }
            Record::Completing { digest } => self.completing = Some(digest),
        }
    }

    /// Bytes that need not be sent again.
    pub(crate) fn confirmed(&self) -> u64 {
        self.parts.values().map(|(digest, _)| digest.length).sum()
    }
}

/// A record as a line.
pub(super) fn line(record: &Record) -> String {
    // Serializing these cannot fail: there are no maps with keys that are not strings.
    let json = serde_json::to_string(record).unwrap_or_default();
    format!("{:08x} {json}\n", Digest::of(json.as_bytes()).crc32c)
}

/// The record of a line without its end, if it is whole.
fn parse(line: &str) -> Option<Record> {
    let (checksum, json) = line.split_once(' ')?;
    let checksum = u32::from_str_radix(checksum, 16).ok()?;
    (Digest::of(json.as_bytes()).crc32c == checksum).then(|| serde_json::from_str(json).ok())?
}

/// What stands in a journal, and how many bytes of it are good.
pub(super) fn read(bytes: &[u8]) -> (Memory, usize) {
    let mut memory = Memory::default();
    let mut good = 0;
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        let text = line.strip_suffix(b"\n").and_then(|line| std::str::from_utf8(line).ok());
        let Some(record) = text.and_then(parse) else { break };
        memory.note(record);
        good += line.len();
    }
    (memory, good)
}
