//! Lists of blobs.

use http::Method;
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::call::Call;
use super::{AzureStore, http_date};
use crate::error::StorageError;
use crate::store::{Entry, Page, Version};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Results {
    #[serde(default)]
    blobs: Items,
    #[serde(default)]
    next_marker: Option<String>,
}

/// Blobs and prefixes, as they come.
#[derive(Debug, Default, Deserialize)]
struct Items {
    #[serde(rename = "$value", default)]
    items: Vec<Item>,
}

#[derive(Debug, Deserialize)]
enum Item {
    Blob(Blob),
    BlobPrefix(Prefix),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Blob {
    name: Name,
    properties: Properties,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Prefix {
    name: Name,
}

#[derive(Debug, Deserialize)]
struct Name {
    /// Whether it has characters that XML cannot hold, and so is percent-encoded.
    #[serde(rename = "@Encoded", default)]
    is_encoded: bool,
    #[serde(rename = "$text", default)]
    text: String,
}

#[derive(Debug, Deserialize)]
struct Properties {
    #[serde(rename = "Content-Length", default)]
    length: u64,
    #[serde(rename = "Last-Modified", default)]
    modified: Option<String>,
    #[serde(rename = "Etag", default)]
    etag: Option<String>,
    /// "directory" in accounts with a hierarchical namespace.
    #[serde(rename = "ResourceType", default)]
    kind: Option<String>,
}

impl Name {
    fn decoded(self) -> String {
        match self.is_encoded {
            true => percent_decode_str(&self.text).decode_utf8_lossy().into_owned(),
            false => self.text,
        }
    }
}

impl Item {
    fn entry(self) -> Option<Entry> {
        let Blob { name, properties } = match self {
            Self::Blob(blob) => blob,
            Self::BlobPrefix(prefix) => {
                let key = prefix.name.decoded();
                return Some(Entry { key, size: 0, modified: None, version: None, is_folder: true });
            }
        };
        // Such a folder is listed as a prefix as well, or as the beginning of what is in it.
        if properties.kind.as_deref() == Some("directory") {
            return None;
        }
        Some(Entry {
            key: name.decoded(),
            size: properties.length,
            modified: properties.modified.as_deref().and_then(http_date),
            version: properties.etag.map(quoted),
            is_folder: false,
        })
    }
}

/// Lists have ETags without the quotes that headers have them with.
fn quoted(etag: String) -> Version {
    Version(match etag.contains('"') {
        true => etag,
        false => format!("\"{etag}\""),
    })
}

impl AzureStore {
    pub(super) async fn page(
        &self,
        prefix: &str,
        recursive: bool,
        page: Option<&str>,
    ) -> Result<Page, StorageError> {
        let mut call = Call::container(Method::GET).query("restype", "container");
        call = call.query("comp", "list");
        if !prefix.is_empty() {
            call = call.query("prefix", prefix);
        }
        if !recursive {
            call = call.query("delimiter", "/");
        }
        if let Some(marker) = page {
            call = call.query("marker", marker);
        }
        let limit = self.page_size.map(|size| size.to_string());
        if let Some(limit) = &limit {
            call = call.query("maxresults", limit);
        }
        let document = self.send(call).await?.document(&self.client).await?;
        parse(&document).map_err(|reason| self.unreadable(&self.container_url(), reason))
    }
}

fn parse(document: &[u8]) -> Result<Page, quick_xml::DeError> {
    let results: Results = quick_xml::de::from_reader(document)?;
    let entries = results.blobs.items.into_iter().filter_map(Item::entry).collect();
    Ok(Page { entries, next: results.next_marker.filter(|marker| !marker.is_empty()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the service writes it, <https://learn.microsoft.com/rest/api/storageservices/list-blobs>.
    const LIST: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<EnumerationResults ServiceEndpoint="https://acme.blob.core.windows.net/" ContainerName="c"><Prefix> a</Prefix><Delimiter>/</Delimiter><Blobs>
<Blob><Name> a &amp; é </Name><Properties><Creation-Time>Thu, 01 Jan 1970 00:00:00 GMT</Creation-Time><Last-Modified>Thu, 01 Jan 1970 00:01:00 GMT</Last-Modified><Etag>0x8D</Etag><Content-Length>7</Content-Length><Content-Type>text/plain</Content-Type><Content-MD5 /><BlobType>BlockBlob</BlobType></Properties><OrMetadata /></Blob>
<BlobPrefix><Name> a/</Name></BlobPrefix>
<Blob><Name Encoded="true">a%01b%2525</Name><Properties><Etag>0x8E</Etag><Content-Length>0</Content-Length><ResourceType>file</ResourceType></Properties></Blob>
<Blob><Name>a</Name><Properties><ResourceType>directory</ResourceType><Content-Length>0</Content-Length></Properties></Blob>
<BlobPrefix><Name>  </Name></BlobPrefix>
</Blobs><NextMarker>2!92!x</NextMarker></EnumerationResults>"#;

    #[test]
    fn names_come_as_they_are() {
        let page = parse(LIST.as_bytes()).unwrap();
        let names: Vec<_> =
            page.entries.iter().map(|entry| (entry.key.as_str(), entry.is_folder)).collect();
        let expected =
            [(" a & é ", false), (" a/", true), ("a\u{1}b%25", false), ("  ", true)];
        assert_eq!(names, expected);
        assert_eq!(page.next.as_deref(), Some("2!92!x"));
        let first = &page.entries[0];
        assert_eq!(first.size, 7);
        assert_eq!(first.version, Some(Version("\"0x8D\"".into())));
        let modified = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(60);
        assert_eq!(first.modified, Some(modified));
    }

    #[test]
    fn an_empty_list() {
        for blobs in ["<Blobs />", "<Blobs></Blobs>", ""] {
            let xml = format!("<EnumerationResults>{blobs}<NextMarker /></EnumerationResults>");
            let page = parse(xml.as_bytes()).unwrap();
            assert!(page.entries.is_empty() && page.next.is_none(), "{page:?}");
        }
    }
}
