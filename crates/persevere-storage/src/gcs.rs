//! Google Cloud Storage, by its XML interface,
//! <https://cloud.google.com/storage/docs/xml-api/overview>.

mod options;
mod sign;
#[cfg(test)]
mod tests;

use std::ops::Range;

use http::{HeaderMap, Method, Request};
use persevere::Provider;
use reqsign_google::Credential;

use self::options::Variables;
pub use self::options::{GcsAccessToken, GcsOptions};
use crate::error::StorageError;
use crate::http::{Credentials, HttpAnswer, HttpClient, HttpOptions, Outgoing, context};
use crate::meter::Meter;
use crate::store::{
    Answer, Attributes, ByteStream, Checksums, Limits, ObjectInfo, Page, PartPlace, Payload,
    SeenPart, SeenUpload, SentPart, Store, Stored, Upload, Version, Whole,
};
use crate::xml_api::{
    self, Address, Ask, Bucket, Dialect, Endpoint, concerning, copied_headers, decoded_crc,
    document, encoded, encoded_crc, etag, judged,
};

/// One bucket.
#[derive(Debug)]
pub(crate) struct Gcs {
    bucket: String,
    client: HttpClient,
    credentials: Option<Credentials<Credential>>,
    address: Address,
    user_project: Option<String>,
    page_size: Option<u32>,
}

static DIALECT: Dialect = Dialect {
    job: "x-goog-meta-persevere-job",
    crc64nvme: "x-goog-meta-persevere-crc64nvme",
    metadata: "x-goog-meta-",
    version: |headers| generation(headers).or_else(|| etag(headers).map(Version)),
    checksums,
    // Without it, what is stored compressed arrives decompressed, and ranges are of that.
    accept_encoding: Some("gzip"),
};

/// <https://cloud.google.com/storage/quotas#objects>, <https://cloud.google.com/storage/docs/multipart-uploads>
const LIMITS: Limits = Limits {
    min_part: 5 * 1024 * 1024,
    max_part: 5 * 1024 * 1024 * 1024,
    max_parts: 10_000,
    max_put: 5 * 1024 * 1024 * 1024,
    part_multiple: 1,
    is_local: false,
    coarse_times: false,
};

const HASH: &str = "x-goog-hash";
const GENERATION: &str = "x-goog-generation";

impl Gcs {
    pub(crate) fn new(
        bucket: &str,
        options: &GcsOptions,
        http: &HttpOptions,
    ) -> Result<Self, StorageError> {
        Self::with_variables(bucket, options, http, &|name| std::env::var(name).ok())
    }

    fn with_variables(
        bucket: &str,
        options: &GcsOptions,
        http: &HttpOptions,
        variable: Variables<'_>,
    ) -> Result<Self, StorageError> {
        if matches!(bucket, "" | "." | "..") || bucket.contains('/') {
            return Err(StorageError::setup(format!("`{bucket}` cannot be the name of a bucket")));
        }
        let endpoint = options.endpoint.as_deref().unwrap_or("https://storage.googleapis.com");
        let endpoint = Endpoint::parse(endpoint, "the endpoint of GCS (STORAGE_EMULATOR_HOST)")?;
        let credentials = match options.anonymous {
            true => None,
            false => Some(sign::credentials(options, context(http)?, variable)),
        };
        Ok(Self {
            bucket: bucket.to_owned(),
            client: HttpClient::new(Provider::Gcs, "GCS", http)?,
            credentials,
            address: Address::path_style(&endpoint, bucket),
            user_project: options.user_project.clone(),
            page_size: None,
        })
    }

    async fn signed(&self, mut ask: Ask<'_>) -> Result<(Request<Outgoing>, u64), StorageError> {
        if let Some(project) = &self.user_project {
            ask = ask.header("x-goog-user-project", project)?;
        }
        let (mut parts, body) = ask.with_optional().request(&self.address)?.into_parts();
        let Some(credentials) = &self.credentials else {
            return Ok((Request::from_parts(parts, body), 0));
        };
        let missing = format!(
            "no credentials for {}: looked in {}. Set GOOGLE_APPLICATION_CREDENTIALS, run `gcloud \
             auth application-default login`, or ask without credentials",
            self.shown(""),
            credentials.places()
        );
        let generation = credentials.sign(&mut parts, &missing).await?;
        Ok((Request::from_parts(parts, body), generation))
    }

    fn described<'a>(
        &self,
        ask: Ask<'a>,
        attributes: &Attributes,
    ) -> Result<Ask<'a>, StorageError> {
        ask.header(DIALECT.job, &attributes.job)?.content_type(attributes.content_type.as_deref())
    }

    fn ask<'a>(&self, method: Method, key: &'a str) -> Result<Ask<'a>, StorageError> {
        Ask::object(method, key, || self.shown(key))
    }

    async fn copy_object(
        &self,
        from: &str,
        version: Option<&Version>,
        to: &str,
        attributes: &Attributes,
    ) -> Result<Stored, StorageError> {
        let found = xml_api::stat(self, self.ask(Method::HEAD, from)?).await?;
        let Some((info, headers)) = found else {
            return Err(StorageError::NotFound { what: self.shown(from), source: None });
        };
        if version.is_some() && version != info.version.as_ref() {
            return Err(StorageError::Changed { what: self.shown(from) });
        }
        let place = format!("{}/{}", encoded(&self.bucket), encoded(from));
        let ask = self.ask(Method::PUT, to)?.headers(copied_headers(&headers, &DIALECT));
        let mut ask = self
            .described(ask, attributes)?
            .header("x-goog-copy-source", &place)?
            .header("x-goog-metadata-directive", "REPLACE")?;
        if let Some(version) = &info.version {
            ask = match is_generation(&version.0) {
                true => ask.header("x-goog-copy-source-if-generation-match", &version.0)?,
                false => ask.header("x-goog-copy-source-if-match", &format!("\"{version}\""))?,
            };
        }
        let copied = document(self, ask).await.map_err(|error| concerning(self, error, from))?;
        Ok(Stored { version: generation(&copied.0), checksums: checksums(&copied.0) })
    }
}

fn generation(headers: &HeaderMap) -> Option<Version> {
    let generation = headers.get(GENERATION)?.to_str().ok()?.trim();
    Some(Version(generation.to_owned()))
}

/// A number of 64 bits, and no ETag: those have 32 digits or more.
fn is_generation(version: &str) -> bool {
    version.parse::<u64>().is_ok()
}

/// `x-goog-hash: crc32c=n03x6A==,md5=...`, or each in a header of its own.
fn checksums(headers: &HeaderMap) -> Checksums {
    let values = headers.get_all(HASH).into_iter().filter_map(|value| value.to_str().ok());
    let mut hashes = values.flat_map(|value| value.split(','));
    let crc32c = hashes.find_map(|hash| decoded_crc(hash.trim().strip_prefix("crc32c=")?));
    Checksums { crc64nvme: None, crc32c: crc32c.map(u32::from_be_bytes) }
}

fn hash(data: &Payload) -> String {
    format!("crc32c={}", encoded_crc(&data.digest.crc32c.to_be_bytes()))
}

impl Bucket for Gcs {
    fn send<'a>(&'a self, ask: Ask<'a>) -> Answer<'a, HttpAnswer> {
        Box::pin(async move {
            let (doing, key) = (ask.doing(&self.shown(ask.key)), ask.key);
            let (request, generation) = self.signed(ask).await?;
            let answer = self.client.send(request, &doing).await?;
            if answer.status.is_success() {
                return Ok(answer);
            }
            let error = answer.failure(&self.client).await.error;
            let signed = self.credentials.as_ref().map(|it| (it, generation));
            let has_expired = error.status == 401;
            Err(judged(self, signed, error, has_expired, key).await)
        })
    }

    fn client(&self) -> &HttpClient {
        &self.client
    }

    fn shown(&self, key: &str) -> String {
        format!("gs://{}/{key}", self.bucket)
    }

    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    fn page_size(&self) -> Option<u32> {
        self.page_size
    }
}

impl Store for Gcs {
    fn name(&self) -> &'static str {
        "GCS"
    }

    fn url(&self, key: &str) -> String {
        self.shown(key)
    }

    fn limits(&self) -> Limits {
        LIMITS
    }

    fn peer(&self) -> Option<(String, u16)> {
        let no_query: [(&str, &str); 0] = [];
        self.client.peer(&self.address.uri("", &no_query).ok()?)
    }

    fn stat<'a>(&'a self, key: &'a str) -> Answer<'a, Option<ObjectInfo>> {
        Box::pin(async move {
            let found = xml_api::stat(self, self.ask(Method::HEAD, key)?).await?;
            Ok(found.map(|(info, _)| info))
        })
    }

    fn read<'a>(
        &'a self,
        key: &'a str,
        range: Range<u64>,
        version: Option<&'a Version>,
    ) -> Answer<'a, ByteStream> {
        Box::pin(async move {
            let mut ask = self.ask(Method::GET, key)?;
            if let Some(Version(version)) = version {
                ask = match is_generation(version) {
                    true => ask.header("x-goog-if-generation-match", version)?,
                    false => ask.header("if-match", &format!("\"{version}\""))?,
                };
            }
            xml_api::read(self, ask, range, version).await
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
            let ask = self
                .described(self.ask(Method::PUT, key)?, attributes)?
                .header(DIALECT.crc64nvme, &format!("{:016x}", data.digest.crc64nvme))?
                .header(HASH, &hash(data))?
                .body(Outgoing::metered(data.bytes.clone(), meter));
            let headers = self.send(ask).await?.headers;
            Ok(Stored { version: (DIALECT.version)(&headers), checksums: checksums(&headers) })
        })
    }

    fn begin_upload<'a>(&'a self, key: &'a str, attributes: &'a Attributes) -> Answer<'a, String> {
        Box::pin(async move {
            let ask = self.ask(Method::POST, key)?.query("uploads", "");
            xml_api::begin_upload(self, self.described(ask, attributes)?).await
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
            let ask = xml_api::put_part(self, upload, part, data, meter)?;
            let doing = ask.doing(&self.shown(upload.key));
            let answer = self.send(ask.header(HASH, &hash(data))?).await?;
            let expected = data.digest.crc32c;
            match checksums(&answer.headers).crc32c {
                Some(found) if found != expected => Err(StorageError::Damaged {
                    what: format!("part {} of {}", part.number, self.shown(upload.key)),
                    found: format!("{found:08x}"),
                    expected: format!("{expected:08x}"),
                }),
                _ => xml_api::part_tag(&answer, &doing),
            }
        })
    }

    fn list_parts<'a>(&'a self, upload: Upload<'a>) -> Answer<'a, Vec<SeenPart>> {
        Box::pin(xml_api::list_parts(self, upload))
    }

    fn list_uploads<'a>(&'a self, key: &'a str) -> Answer<'a, Vec<SeenUpload>> {
        Box::pin(xml_api::list_uploads(self, key))
    }

    fn finish_upload<'a>(
        &'a self,
        upload: Upload<'a>,
        parts: &'a [SentPart],
        _whole: &'a Whole<'a>,
    ) -> Answer<'a, Stored> {
        Box::pin(async move {
            let parts = parts.iter().map(|part| (part.place.number, part.tag.as_str(), None));
            let ask = xml_api::finish_upload_ask(self, upload, xml_api::complete(parts))?;
            let (headers, _) = xml_api::finish_upload(self, ask).await?;
            Ok(Stored { version: generation(&headers), checksums: checksums(&headers) })
        })
    }

    fn abort_upload<'a>(&'a self, upload: Upload<'a>) -> Answer<'a, ()> {
        Box::pin(xml_api::abort_upload(self, upload))
    }

    fn delete<'a>(&'a self, key: &'a str) -> Answer<'a, bool> {
        Box::pin(async move { xml_api::delete(self, self.ask(Method::DELETE, key)?).await })
    }

    fn list_page<'a>(
        &'a self,
        prefix: &'a str,
        recursive: bool,
        page: Option<&'a str>,
    ) -> Answer<'a, Page> {
        Box::pin(xml_api::list_page(self, prefix, recursive, page))
    }

    fn copy<'a>(
        &'a self,
        from: &'a str,
        version: Option<&'a Version>,
        to: &'a str,
        attributes: &'a Attributes,
    ) -> Answer<'a, Stored> {
        Box::pin(self.copy_object(from, version, to, attributes))
    }
}
