//! Blocks: their ids, and the lists of them.

use std::collections::hash_map::RandomState;
use std::fmt::Write;
use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::AzureStore;
use super::call::Call;
use crate::error::StorageError;
use crate::store::{SeenPart, SeenUpload, SentPart};

/// What our upload ids begin with.
const OURS: &str = "persevere-";

/// Bytes of an upload id, and of the part number that follows it in a block id. Together they are 48,
/// which base64 writes without padding; 64 are allowed.
const UPLOAD_ID: usize = 43;
const NUMBER: usize = 5;

/// An upload id: whose it is, when it was begun, and something nobody else has. The service hears of it
/// only with the first block.
pub(super) fn new_upload_id(job: &str, now: SystemTime) -> String {
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let job = Sha256::digest(job.as_bytes());
    let job = u64::from_be_bytes(std::array::from_fn(|index| job[index])) >> 16;
    // Seeded by the system for every map, against attacks on hashes.
    let random = RandomState::new().build_hasher().finish() >> 16;
    // Eight digits of seconds last until 2106.
    format!("{OURS}{job:012x}-{:08x}{random:012x}", seconds as u32)
}

/// Whether it is an upload id of ours.
pub(super) fn is_upload_id(id: &str) -> bool {
    id.len() == UPLOAD_ID && id.starts_with(OURS)
}

/// When an upload was begun.
fn begun(id: &str) -> Option<SystemTime> {
    let seconds = u64::from_str_radix(id.get(23..31)?, 16).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

pub(super) fn block_id(upload: &str, number: u32) -> String {
    STANDARD.encode(format!("{upload}{number:0NUMBER$}"))
}

/// The upload and the part number in a block id, if it is one of ours.
fn parse(block: &str) -> Option<(String, u32)> {
    let mut text = String::from_utf8(STANDARD.decode(block).ok()?).ok()?;
    if text.len() != UPLOAD_ID + NUMBER || !text.is_char_boundary(UPLOAD_ID) {
        return None;
    }
    let number = text.split_off(UPLOAD_ID).parse().ok()?;
    is_upload_id(&text).then_some((text, number))
}

/// The body of Put Block List. Only blocks that are not committed yet will do: so a second commit fails,
/// and does not give the blob a new version under the hands of those who are reading it.
pub(super) fn commit(parts: &[SentPart]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>");
    for part in parts {
        // Base64 needs no escapes. Writing to a string does not fail.
        let _infallible = write!(xml, "<Uncommitted>{}</Uncommitted>", part.tag);
    }
    xml.push_str("</BlockList>");
    xml
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct BlockList {
    uncommitted_blocks: Blocks,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Blocks {
    block: Vec<Block>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Block {
    name: String,
    size: u64,
}

impl AzureStore {
    /// The blocks of unfinished uploads of ours: which upload, and which part.
    async fn uncommitted(&self, key: &str) -> Result<Vec<(String, SeenPart)>, StorageError> {
        let call = Call::of(Method::GET, key).query("comp", "blocklist");
        let answer = match self.send(call.query("blocklisttype", "uncommitted")).await {
            Ok(answer) => answer,
            Err(StorageError::NotFound { what, .. }) if what == self.url_of(key) => {
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        };
        let document = answer.document(&self.client).await?;
        let what = self.url_of(key);
        let list: BlockList = quick_xml::de::from_str(self.text(&document, &what)?)
            .map_err(|reason| self.unreadable(&what, reason.into()))?;
        let ours = list.uncommitted_blocks.block.into_iter().filter_map(|block| {
            let (upload, number) = parse(&block.name)?;
            Some((upload, SeenPart { number, size: block.size, tag: block.name }))
        });
        Ok(ours.collect())
    }

    pub(super) async fn parts_of(
        &self,
        key: &str,
        upload: &str,
    ) -> Result<Vec<SeenPart>, StorageError> {
        let blocks = self.uncommitted(key).await?;
        let ours = blocks.into_iter().filter(|(of, _)| of == upload).map(|(_, part)| part);
        let mut parts: Vec<SeenPart> = ours.collect();
        if parts.is_empty() {
            return Err(StorageError::UploadGone { what: self.url_of(key) });
        }
        parts.sort_unstable_by_key(|part| part.number);
        Ok(parts)
    }

    pub(super) async fn uploads_of(&self, key: &str) -> Result<Vec<SeenUpload>, StorageError> {
        let blocks = self.uncommitted(key).await?;
        let mut ids: Vec<String> = blocks.into_iter().map(|(upload, _)| upload).collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(ids.into_iter().map(|id| SeenUpload { begun: begun(&id), id }).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_ids_have_one_length_and_can_be_read_back() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let upload = new_upload_id("job", now);
        assert!(is_upload_id(&upload), "{upload}");
        assert_eq!(begun(&upload), Some(now));
        for number in [1, 9_999, 50_000] {
            let block = block_id(&upload, number);
            assert_eq!(block.len(), 64);
            assert_eq!(parse(&block), Some((upload.clone(), number)));
        }
        assert_ne!(upload, new_upload_id("job", now), "two uploads of one job");
    }

    #[test]
    fn block_ids_of_others_are_no_ours() {
        let other = |text: &str| STANDARD.encode(text);
        let é = format!("persevere-{}é0001", "x".repeat(32));
        for block in ["", "%%%", &other("00001"), &other(&"x".repeat(48)), &other(&é)] {
            assert_eq!(parse(block), None, "{block}");
        }
    }
}
