//! Amazon S3, and services that speak its protocol.

mod checksum;
mod copy;
mod options;
mod place;
mod profile;
mod sign;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use http::request::Parts;
use http::{HeaderValue, Method, Request};
use persevere::Provider;
use reqsign_aws_v4::Credential;

pub use self::options::{S3AccessKey, S3Addressing, S3Options};
use self::options::{Variables, ignores_endpoints};
use self::place::Place;
use self::profile::Profile;
use self::sign::Region;
use crate::error::{ProviderError, StorageError};
use crate::http::{Credentials, HttpAnswer, HttpClient, HttpOptions, Outgoing, context};
use crate::meter::Meter;
use crate::store::{
    Answer, Attributes, ByteStream, Limits, ObjectInfo, Page, PartPlace, Payload, SeenPart,
    SeenUpload, SentPart, Store, Stored, Upload, Version, Whole,
};
use crate::xml_api::{self, Ask, Bucket, Dialect, etag, judged};

/// One bucket.
#[derive(Debug)]
pub(crate) struct S3 {
    bucket: String,
    client: HttpClient,
    credentials: Option<Credentials<Credential>>,
    place: RwLock<Place>,
    requester_pays: bool,
    /// Until the store says that it does not know them.
    checksums: AtomicBool,
    largest_copy: u64,
    page_size: Option<u32>,
}

static DIALECT: Dialect = Dialect {
    job: "x-amz-meta-persevere-job",
    crc64nvme: "x-amz-meta-persevere-crc64nvme",
    metadata: "x-amz-meta-",
    version: |headers| etag(headers).map(Version),
    checksums: checksum::in_headers,
    accept_encoding: None,
};

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const LIMITS: Limits = Limits {
    min_part: 5 * 1024 * 1024,
    max_part: 5 * 1024 * 1024 * 1024,
    max_parts: 10_000,
    max_put: 5 * 1024 * 1024 * 1024,
    part_multiple: 1,
    is_local: false,
    coarse_times: false,
};

impl S3 {
    pub(crate) fn new(
        bucket: &str,
        options: &S3Options,
        http: &HttpOptions,
    ) -> Result<Self, StorageError> {
        Self::with_variables(bucket, options, http, &|name| std::env::var(name).ok())
    }

    fn with_variables(
        bucket: &str,
        options: &S3Options,
        http: &HttpOptions,
        variable: Variables<'_>,
    ) -> Result<Self, StorageError> {
        if matches!(bucket, "" | "." | "..") || bucket.contains('/') {
            return Err(StorageError::setup(format!("`{bucket}` cannot be the name of a bucket")));
        }
        let mut http = http.clone();
        http.ca_files.extend(options.ca_bundle.clone());
        // Whoever needs no credentials needs no profile either, unless one is asked for.
        let profile = match (options.anonymous || options.access_key.is_some(), &options.profile) {
            (true, None) => Profile::load(None, variable).unwrap_or_default(),
            (_, wanted) => Profile::load(wanted.as_deref(), variable)?,
        };
        let place = Place::new(bucket, options, &profile, ignores_endpoints(variable))?;
        let credentials = match options.anonymous {
            true => None,
            false => Some(sign::credentials(options, &profile, context(&http)?, variable)),
        };
        Ok(Self {
            bucket: bucket.to_owned(),
            client: HttpClient::new(Provider::S3, "S3", &http)?,
            credentials,
            place: RwLock::new(place),
            requester_pays: options.requester_pays,
            checksums: AtomicBool::new(true),
            largest_copy: copy::LARGEST_COPY,
            page_size: None,
        })
    }

    fn place(&self) -> Place {
        self.place.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// One request, signed, and which generation of credentials that was.
    async fn signed(
        &self,
        ask: Ask<'_>,
        place: &Place,
    ) -> Result<(Request<Outgoing>, u64), StorageError> {
        let (mut parts, body) = ask.request(&place.address)?.into_parts();
        if self.requester_pays {
            parts.headers.insert("x-amz-request-payer", HeaderValue::from_static("requester"));
        }
        let generation = match &self.credentials {
            Some(credentials) => self.sign(credentials, &mut parts, &body, place).await?,
            None => 0,
        };
        Ok((Request::from_parts(parts, body), generation))
    }

    async fn sign(
        &self,
        credentials: &Credentials<Credential>,
        parts: &mut Parts,
        body: &Outgoing,
        place: &Place,
    ) -> Result<u64, StorageError> {
        // TLS protects the body already.
        if !place.address.is_encrypted {
            let hash = sign::sha256(body.bytes.clone()).await;
            parts.headers.insert("x-amz-content-sha256", hash);
        }
        parts.extensions.insert(Region(place.region.clone()));
        let missing = || {
            format!(
                "no credentials for {}: looked in {}. Set AWS_ACCESS_KEY_ID and \
                 AWS_SECRET_ACCESS_KEY or AWS_PROFILE, or ask without credentials",
                self.shown(""),
                credentials.places()
            )
        };
        credentials.sign(parts, &missing()).await
    }

    fn head<'a>(&self, key: &'a str) -> Result<Ask<'a>, StorageError> {
        Ask::object(Method::HEAD, key, || self.shown(key))?.optional(checksum::MODE, "ENABLED")
    }

    fn begin<'a>(&self, key: &'a str, attributes: &Attributes) -> Result<Ask<'a>, StorageError> {
        let ask = Ask::object(Method::POST, key, || self.shown(key))?.query("uploads", "");
        self.described(ask, attributes)?
            .optional(checksum::ALGORITHM, checksum::NAME)?
            .optional(checksum::TYPE, checksum::WHOLE)
    }

    /// Checksums stand in the document and in the headers, or in neither.
    async fn finish(
        &self,
        upload: Upload<'_>,
        parts: &[SentPart],
        whole: &Whole<'_>,
        with_checksums: bool,
    ) -> Result<Stored, StorageError> {
        let document = xml_api::complete(parts.iter().map(|part| {
            let checksum = checksum::written(part.digest.crc64nvme);
            (part.place.number, part.tag.as_str(), with_checksums.then_some(checksum))
        }));
        let mut ask = xml_api::finish_upload_ask(self, upload, document)?;
        if with_checksums {
            ask = ask
                .header(checksum::VALUE, &checksum::written(whole.digest.crc64nvme))?
                .header(checksum::TYPE, checksum::WHOLE)?;
        }
        let (_, result) = xml_api::finish_upload(self, ask).await?;
        Ok(copy::stored(result))
    }

    fn described<'a>(
        &self,
        ask: Ask<'a>,
        attributes: &Attributes,
    ) -> Result<Ask<'a>, StorageError> {
        ask.header(DIALECT.job, &attributes.job)?.content_type(attributes.content_type.as_deref())
    }
}

/// The codes for credentials that were good once.
const EXPIRED: [&str; 4] =
    ["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken"];

fn has_expired(error: &ProviderError, method: &Method) -> bool {
    match error.code.as_deref() {
        Some(code) => EXPIRED.contains(&code),
        // To HEAD it is said without a word.
        None => *method == Method::HEAD && error.status == 400,
    }
}

impl Bucket for S3 {
    fn send<'a>(&'a self, ask: Ask<'a>) -> Answer<'a, HttpAnswer> {
        Box::pin(async move {
            let doing = ask.doing(&self.shown(ask.key));
            let mut has_moved = false;
            loop {
                let place = self.place();
                let with_checksums =
                    !ask.optional.is_empty() && self.checksums.load(Ordering::Relaxed);
                let asked = if with_checksums { ask.clone().with_optional() } else { ask.clone() };
                let (request, generation) = self.signed(asked, &place).await?;
                let answer = self.client.send(request, &doing).await?;
                if answer.status.is_success() {
                    return Ok(answer);
                }
                let failure = answer.failure(&self.client).await;
                if with_checksums && checksum::are_refused(&failure.error) {
                    tracing::info!(bucket = self.bucket, "no CRC64NVME here: going on without");
                    self.checksums.store(false, Ordering::Relaxed);
                    continue;
                }
                match place.after(&self.bucket, &failure)? {
                    Some(next) if !has_moved => {
                        tracing::info!(
                            bucket = self.bucket,
                            region = next.region,
                            "another region"
                        );
                        *self.place.write().unwrap_or_else(PoisonError::into_inner) = next;
                        has_moved = true;
                    }
                    _ => {
                        let has_expired = has_expired(&failure.error, &ask.method);
                        let signed = self.credentials.as_ref().map(|it| (it, generation));
                        return Err(judged(self, signed, failure.error, has_expired, ask.key).await);
                    }
                }
            }
        })
    }

    fn client(&self) -> &HttpClient {
        &self.client
    }

    fn shown(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }

    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    fn page_size(&self) -> Option<u32> {
        self.page_size
    }
}

impl Store for S3 {
    fn name(&self) -> &'static str {
        "S3"
    }

    fn url(&self, key: &str) -> String {
        self.shown(key)
    }

    fn limits(&self) -> Limits {
        LIMITS
    }

    fn peer(&self) -> Option<(String, u16)> {
        let no_query: [(&str, &str); 0] = [];
        self.client.peer(&self.place().address.uri("", &no_query).ok()?)
    }

    fn stat<'a>(&'a self, key: &'a str) -> Answer<'a, Option<ObjectInfo>> {
        Box::pin(
            async move { Ok(xml_api::stat(self, self.head(key)?).await?.map(|(info, _)| info)) },
        )
    }

    fn read<'a>(
        &'a self,
        key: &'a str,
        range: Range<u64>,
        version: Option<&'a Version>,
    ) -> Answer<'a, ByteStream> {
        Box::pin(async move {
            let mut ask = Ask::object(Method::GET, key, || self.shown(key))?;
            if let Some(version) = version {
                ask = ask.header("if-match", &format!("\"{version}\""))?;
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
            let ask = Ask::object(Method::PUT, key, || self.shown(key))?;
            let ask = self
                .described(ask, attributes)?
                .header(DIALECT.crc64nvme, &format!("{:016x}", data.digest.crc64nvme))?
                .optional(checksum::VALUE, &checksum::written(data.digest.crc64nvme))?
                .body(Outgoing::metered(data.bytes.clone(), meter));
            let answer = self.send(ask).await?;
            let version = etag(&answer.headers).map(Version);
            Ok(Stored { version, checksums: checksum::in_headers(&answer.headers) })
        })
    }

    fn begin_upload<'a>(&'a self, key: &'a str, attributes: &'a Attributes) -> Answer<'a, String> {
        Box::pin(async move { xml_api::begin_upload(self, self.begin(key, attributes)?).await })
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
            let ask = ask.optional(checksum::VALUE, &checksum::written(data.digest.crc64nvme))?;
            xml_api::part_tag(&self.send(ask).await?, &doing)
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
        whole: &'a Whole<'a>,
    ) -> Answer<'a, Stored> {
        Box::pin(async move {
            let knows_checksums = self.checksums.load(Ordering::Relaxed);
            match self.finish(upload, parts, whole, knows_checksums).await {
                // It may have been begun without them.
                Err(StorageError::Provider(error))
                    if knows_checksums && checksum::are_refused(&error) =>
                {
                    self.finish(upload, parts, whole, false).await
                }
                result => result,
            }
        })
    }

    fn abort_upload<'a>(&'a self, upload: Upload<'a>) -> Answer<'a, ()> {
        Box::pin(xml_api::abort_upload(self, upload))
    }

    fn delete<'a>(&'a self, key: &'a str) -> Answer<'a, bool> {
        Box::pin(async move {
            let ask = Ask::object(Method::DELETE, key, || self.shown(key))?;
            xml_api::delete(self, ask).await
        })
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
