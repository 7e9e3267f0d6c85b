//! What a transfer remembers across its own death.
//!
//! A file of lines, each a record with its checksum, only ever appended to. What a killed process or a
//! torn write leaves behind the last good line is dropped. There are no credentials in it.

mod file;
mod folder;
mod record;
#[cfg(test)]
mod tests;

pub(crate) use file::{Journal, Opened, this_boot};
pub(crate) use folder::{Found, Jobs};
pub(crate) use record::{End, Header, Memory, Record};
