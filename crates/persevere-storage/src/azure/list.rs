//! Lists of blobs.

use http::Method;
use percent_encoding::percent_decode_str;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::AzureStore;
use super::call::Call;
use super::headers::http_date;
use crate::error::StorageError;
use crate::store::{Entry, Page, Version};

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
        let what = self.container_url();
        parse(self.text(&document, &what)?).map_err(|reason| self.unreadable(&what, reason.into()))
    }
}

/// Read piece by piece: derived code would drop a name that is all spaces.
fn parse(document: &str) -> Result<Page, quick_xml::Error> {
    let mut reader = Reader::from_str(document);
    let (mut page, mut item, mut text) = (Page::default(), Item::default(), String::new());
    let mut depth = 0_usize;
    loop {
        match reader.read_event()? {
            Event::Start(tag) => {
                depth += 1;
                text.clear();
                item.open(&tag)?;
            }
            Event::Text(piece) => text.push_str(&piece),
            Event::CData(piece) => text.push_str(&piece),
            Event::GeneralRef(name) => push_reference(&mut text, &name)?,
            Event::End(tag) => {
                depth -= 1;
                match tag.name().as_ref() {
                    "Blob" | "BlobPrefix" => page.entries.extend(item.entry()),
                    "NextMarker" if !text.is_empty() => page.next = Some(text.clone()),
                    name => item.set(name, &text),
                }
                text.clear();
            }
            Event::Eof if depth > 0 => {
                let cut = std::io::ErrorKind::UnexpectedEof;
                return Err(std::io::Error::from(cut).into());
            }
            Event::Eof => return Ok(page),
            _ => {}
        }
    }
}

fn push_reference(text: &mut String, name: &BytesRef<'_>) -> Result<(), quick_xml::Error> {
    if let Some(character) = name.resolve_char_ref()? {
        text.push(character);
    } else if let Some(entity) = resolve_predefined_entity(name) {
        text.push_str(entity);
    }
    Ok(())
}

/// A blob or a prefix of which the description is being read.
#[derive(Default)]
struct Item {
    is_folder: bool,
    key: String,
    /// Whether the name has characters that XML cannot hold, and so is percent-encoded.
    is_encoded: bool,
    size: u64,
    modified: Option<String>,
    etag: Option<String>,
    /// "directory" in accounts with a hierarchical namespace.
    kind: String,
}

impl Item {
    fn open(&mut self, tag: &BytesStart<'_>) -> Result<(), quick_xml::Error> {
        match tag.name().as_ref() {
            "Blob" => *self = Self::default(),
            "BlobPrefix" => *self = Self { is_folder: true, ..Self::default() },
            "Name" => {
                let encoded = tag.try_get_attribute("Encoded")?;
                self.is_encoded = encoded.is_some_and(|it| it.value == "true");
            }
            _ => {}
        }
        Ok(())
    }

    fn set(&mut self, name: &str, text: &str) {
        match name {
            "Name" if self.is_encoded => {
                self.key = percent_decode_str(text).decode_utf8_lossy().into_owned();
            }
            "Name" => self.key = text.to_owned(),
            "Content-Length" => self.size = text.parse().unwrap_or_default(),
            "Last-Modified" => self.modified = Some(text.to_owned()),
            "Etag" => self.etag = Some(text.to_owned()),
            "ResourceType" => self.kind = text.to_owned(),
            _ => {}
        }
    }

    fn entry(&mut self) -> Option<Entry> {
        let item = std::mem::take(self);
        // Such a folder is listed as a prefix as well, or as the beginning of what is in it.
        if item.kind == "directory" && !item.is_folder {
            return None;
        }
        Some(Entry {
            key: item.key,
            size: if item.is_folder { 0 } else { item.size },
            modified: item.modified.as_deref().and_then(http_date).filter(|_| !item.is_folder),
            version: item.etag.map(quoted).filter(|_| !item.is_folder),
            is_folder: item.is_folder,
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
        let page = parse(LIST).unwrap();
        let names: Vec<_> =
            page.entries.iter().map(|entry| (entry.key.as_str(), entry.is_folder)).collect();
        let expected = [(" a & é ", false), (" a/", true), ("a\u{1}b%25", false), ("  ", true)];
        assert_eq!(names, expected);
        assert_eq!(page.next.as_deref(), Some("2!92!x"));
        let first = &page.entries[0];
        assert_eq!(first.size, 7);
        assert_eq!(first.version, Some(Version("\"0x8D\"".into())));
        let modified = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(60);
        assert_eq!(first.modified, Some(modified));
    }

    #[test]
    fn half_a_list_is_none() {
        for end in [LIST.len() / 2, LIST.len() - 3] {
            assert!(parse(&LIST[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn an_empty_list() {
        for blobs in ["<Blobs />", "<Blobs></Blobs>", ""] {
            let xml = format!("<EnumerationResults>{blobs}<NextMarker /></EnumerationResults>");
            let page = parse(&xml).unwrap();
            assert!(page.entries.is_empty() && page.next.is_none(), "{page:?}");
        }
    }
}
