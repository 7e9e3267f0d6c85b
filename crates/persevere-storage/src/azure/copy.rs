//! Copies that the service makes itself.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::call::{Call, JOB};
use super::headers::version_of;
use super::{AzureStore, failure};
use crate::error::StorageError;
use crate::http::HttpAnswer;
use crate::store::{Attributes, Checksums, Stored, Version};

/// How long to wait at most before asking how far a copy is.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl AzureStore {
    /// A copy that breaks off is never aborted: that would leave an empty blob in the place of what was
    /// there. The service goes on with it, and the next attempt finds it by the job and waits for it.
    pub(super) async fn copied(
        &self,
        from: &str,
        version: Option<&Version>,
        to: &str,
        attributes: &Attributes,
    ) -> Result<Stored, StorageError> {
        let source = self.send(Call::of(Method::HEAD, from)).await?;
        let seen = version_of(&source.headers);
        if version.is_some() && seen.as_ref() != version {
            return Err(StorageError::Changed { what: self.url_of(from) });
        }
        let begun = self.begin_copy(from, seen.as_ref(), to, &source.headers, attributes).await;
        let answer = match begun {
            Ok(answer) => answer,
            Err(error) if failure::has_code(&error, "PendingCopyOperation") => {
                let pending = self.send(Call::of(Method::HEAD, to)).await?;
                let is_ours = pending.header(JOB) == Some(attributes.job.as_str());
                if !is_ours || attributes.job.is_empty() {
                    return Err(error);
                }
                pending
            }
            Err(StorageError::NotFound { source, .. }) => {
                return Err(StorageError::NotFound { what: self.url_of(from), source });
            }
            Err(StorageError::Changed { .. }) => {
                return Err(StorageError::Changed { what: self.url_of(from) });
            }
            Err(error) => return Err(error),
        };
        let mut stored = self.finished(to, answer).await?;
        let wanted = attributes.content_type.as_deref();
        if let Some(content_type) = wanted.filter(|_| wanted != source.header("content-type")) {
            stored = self.retyped(to, &stored, &source.headers, content_type).await?;
        }
        Ok(stored)
    }

    async fn begin_copy(
        &self,
        from: &str,
        seen: Option<&Version>,
        to: &str,
        source: &HeaderMap,
        attributes: &Attributes,
    ) -> Result<HttpAnswer, StorageError> {
        let mut call = Call::of(Method::PUT, to);
        let (name, url) = (HeaderName::from_static("x-ms-copy-source"), self.source_url(from)?);
        call = call.raw_header(name, url);
        if let Some(Version(etag)) = seen {
            call = call.header("x-ms-source-if-match", etag)?;
        }
        // With metadata of ours, the service copies none of the source's.
        for (name, value) in source {
            if name.as_str().starts_with("x-ms-meta-") && name != JOB {
                call = call.raw_header(name.clone(), value.clone());
            }
        }
        if !attributes.job.is_empty() {
            call = call.header(JOB, &attributes.job)?;
        }
        self.send(call).await
    }

    /// What the service reads from by itself. A SAS token is good for one URL only.
    fn source_url(&self, from: &str) -> Result<HeaderValue, StorageError> {
        let mut url = self.wire_url(Some(from));
        if let Some(token) = self.access.sas_token() {
            url.push('?');
            url.push_str(token);
        }
        let mut value = HeaderValue::from_str(&url).map_err(|_| StorageError::Unsupported {
            what: format!("{}: its URL cannot stand in a header", self.url_of(from)),
        })?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Waits until the copy is there.
    async fn finished(&self, to: &str, mut answer: HttpAnswer) -> Result<Stored, StorageError> {
        let id = answer.header("x-ms-copy-id").map(str::to_owned);
        let mut pause = self.first_look;
        loop {
            let status = answer.header("x-ms-copy-status").unwrap_or("success");
            match status {
                "success" => {
                    let (version, checksums) = (version_of(&answer.headers), Checksums::default());
                    return Ok(Stored { version, checksums });
                }
                "pending" => {}
                status => {
                    let reason = answer.header("x-ms-copy-status-description").unwrap_or("");
                    return Err(broken(&self.url_of(to), status, reason));
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            answer = self.send(Call::of(Method::HEAD, to)).await?;
            if answer.header("x-ms-copy-id").map(str::to_owned) != id {
                return Err(StorageError::Changed { what: self.url_of(to) });
            }
        }
    }

    /// Says the media type anew, and all else as it was: what is not said would be removed.
    async fn retyped(
        &self,
        to: &str,
        stored: &Stored,
        source: &HeaderMap,
        content_type: &str,
    ) -> Result<Stored, StorageError> {
        const KEPT: [(&str, &str); 5] = [
            ("cache-control", "x-ms-blob-cache-control"),
            ("content-disposition", "x-ms-blob-content-disposition"),
            ("content-encoding", "x-ms-blob-content-encoding"),
            ("content-language", "x-ms-blob-content-language"),
            ("content-md5", "x-ms-blob-content-md5"),
        ];
        let mut call = Call::of(Method::PUT, to).query("comp", "properties");
        call = call.header("x-ms-blob-content-type", content_type)?;
        for (name, kept) in KEPT {
            if let Some(value) = source.get(name) {
                call = call.raw_header(HeaderName::from_static(kept), value.clone());
            }
        }
        if let Some(Version(etag)) = &stored.version {
            call = call.header("if-match", etag)?;
        }
        let answer = self.send(call).await?;
        Ok(Stored { version: version_of(&answer.headers), ..Stored::default() })
    }
}

/// The service gave the copy up. It does so when the source could not be read, and the next copy may be
/// luckier.
fn broken(to: &str, status: &str, reason: &str) -> StorageError {
    let reason = if reason.is_empty() { "without a reason" } else { reason };
    StorageError::Transport {
        doing: format!("copy to {to}"),
        source: std::io::Error::other(format!("the service's copy was {status}: {reason}")).into(),
    }
}
