//! Files of a host, by SFTP. A key is a path: absolute, or from the user's home.
//!
//! A file that is written grows as `NAME.part` beside its target, and takes the target's place in one
//! step when it is whole. The name of the partial file is the upload's id.

mod agent;
mod call;
mod config;
mod connection;
mod failure;
mod host_key;
mod key_file;
mod list;
mod login;
mod options;
mod passwords;
mod pulse;
mod read;
mod shared;
#[cfg(test)]
mod tests;
mod write;

use std::fmt;
use std::ops::Range;
use std::sync::Mutex;

pub use options::{Ask, SftpOptions};

use self::call::{Call, info};
use self::config::Target;
use self::login::Secrets;
use self::shared::Shared;
use self::write::Place;
use crate::error::StorageError;
use crate::location::Location;
use crate::meter::Meter;
use crate::store::{
    Answer, Attributes, ByteStream, Limits, ObjectInfo, Page, PartPlace, Payload, SeenPart,
    SeenUpload, SentPart, Store, Stored, Upload, Version, Whole,
};

/// A host, and whom we are there.
pub(crate) struct SftpStore {
    target: Target,
    options: SftpOptions,
    secrets: Secrets,
    shared: Shared,
    /// Where the last page of a list ended, so that the next one need not read the folder again.
    list: Mutex<Option<list::Place>>,
}

impl SftpStore {
    /// Nothing is connected yet, but ssh is asked what its configuration says.
    pub(crate) fn new(
        user: Option<&str>,
        host: &str,
        port: Option<u16>,
        options: SftpOptions,
    ) -> Result<Self, StorageError> {
        Ok(Self {
            target: Target::new(host, user, port, &options)?,
            options,
            secrets: Secrets::default(),
            shared: Shared::default(),
            list: Mutex::default(),
        })
    }

    async fn call(&self, doing: &str, key: &str) -> Result<Call, StorageError> {
        let url = self.url(key);
        if key.contains('\0') {
            let what = format!("{url:?} has a zero byte in it, which no path can have");
            return Err(StorageError::Unsupported { what });
        }
        let connection = self.shared.get(&self.target, &self.options, &self.secrets).await?;
        Ok(Call { connection, doing: format!("{doing} {url}"), url })
    }

    async fn upload<'a>(
        &self,
        doing: &str,
        upload: Upload<'a>,
    ) -> Result<(Call, Place<'a>), StorageError> {
        let call = self.call(doing, upload.key).await?;
        let place = Place::of(&call, upload)?;
        Ok((call, place))
    }
}

impl fmt::Debug for SftpStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SftpStore").field(&self.url("")).finish()
    }
}

impl Store for SftpStore {
    fn name(&self) -> &'static str {
        "SFTP"
    }

    fn url(&self, key: &str) -> String {
        let port = Some(self.target.port).filter(|&port| port != 22);
        let (user, host) = (Some(self.target.user.clone()), self.target.host.clone());
        Location::Sftp { user, host, port, path: key.to_owned() }.to_string()
    }

    fn limits(&self) -> Limits {
        Limits {
            min_part: 1,
            max_part: i64::MAX as u64,
            max_parts: u32::MAX,
            max_put: i64::MAX as u64,
            part_multiple: 1,
            is_local: false,
            coarse_times: true,
        }
    }

    fn peer(&self) -> Option<(String, u16)> {
        Some((self.target.address.clone(), self.target.port))
    }

    fn stat<'a>(&'a self, key: &'a str) -> Answer<'a, Option<ObjectInfo>> {
        Box::pin(async move {
            let call = self.call("look at", key).await?;
            Ok(call.regular(path(key)).await?.as_ref().map(info))
        })
    }

    fn read<'a>(
        &'a self,
        key: &'a str,
        range: Range<u64>,
        version: Option<&'a Version>,
    ) -> Answer<'a, ByteStream> {
        Box::pin(async move {
            let call = self.call("read", key).await?;
            read::open(call, path(key), range, version).await
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        data: &'a Payload,
        attributes: &'a Attributes,
        meter: &'a Meter,
    ) -> Answer<'a, Stored> {
        Box::pin(async move {
            let call = self.call("write", key).await?;
            write::put(&call, key, &attributes.job, &data.bytes, meter).await
        })
    }

    fn begin_upload<'a>(&'a self, key: &'a str, attributes: &'a Attributes) -> Answer<'a, String> {
        Box::pin(async move {
            let call = self.call("write", key).await?;
            let (id, _, file) = write::begin(&call, key, &attributes.job).await?;
            file.close().await.map(|()| id)
        })
    }

    fn put_part<'a>(
        &'a self,
        upload: Upload<'a>,
        part: PartPlace,
        data: &'a Payload,
        meter: &'a Meter,
    ) -> Answer<'a, String> {
        Box::pin(async move {
            let (call, place) = self.upload("write", upload).await?;
            write::part(&call, &place, part.offset, &data.bytes, meter).await?;
            Ok(String::new())
        })
    }

    fn sync_upload<'a>(&'a self, upload: Upload<'a>) -> Answer<'a, ()> {
        Box::pin(async move {
            let (call, place) = self.upload("sync", upload).await?;
            let file = write::open(&call, &place).await?;
            file.sync().await?;
            file.close().await
        })
    }

    fn list_parts<'a>(&'a self, upload: Upload<'a>) -> Answer<'a, Vec<SeenPart>> {
        Box::pin(async move {
            let (call, place) = self.upload("look at the upload of", upload).await?;
            write::open(&call, &place).await?.close().await.map(|()| Vec::new())
        })
    }

    fn knows_parts(&self) -> bool {
        false
    }

    fn list_uploads<'a>(&'a self, key: &'a str) -> Answer<'a, Vec<SeenUpload>> {
        Box::pin(async move {
            let call = self.call("look for uploads of", key).await?;
            write::uploads(&call, key).await
        })
    }

    fn finish_upload<'a>(
        &'a self,
        upload: Upload<'a>,
        _: &'a [SentPart],
        whole: &'a Whole<'a>,
    ) -> Answer<'a, Stored> {
        Box::pin(async move {
            let (call, place) = self.upload("finish", upload).await?;
            write::finish(&call, &place, whole.digest.length).await
        })
    }

    fn abort_upload<'a>(&'a self, upload: Upload<'a>) -> Answer<'a, ()> {
        Box::pin(async move {
            let (call, place) = self.upload("remove the upload of", upload).await?;
            write::abort(&call, &place).await
        })
    }

    fn delete<'a>(&'a self, key: &'a str) -> Answer<'a, bool> {
        Box::pin(async move {
            let call = self.call("remove", key).await?;
            write::delete(&call, path(key)).await
        })
    }

    fn list_page<'a>(
        &'a self,
        prefix: &'a str,
        recursive: bool,
        page: Option<&'a str>,
    ) -> Answer<'a, Page> {
        Box::pin(async move {
            let call = self.call("list", prefix).await?;
            list::page(&call, prefix, recursive, page, &self.list).await
        })
    }

    fn copy<'a>(
        &'a self,
        from: &'a str,
        version: Option<&'a Version>,
        to: &'a str,
        attributes: &'a Attributes,
    ) -> Answer<'a, Stored> {
        Box::pin(async move {
            let call = self.call("copy", from).await?;
            write::copy(&call, from, version, to, &attributes.job).await
        })
    }
}

/// As the server takes it: the empty path is home.
fn path(key: &str) -> &str {
    if key.is_empty() { "." } else { key }
}
