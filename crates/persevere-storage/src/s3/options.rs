//! Settings, and the environment that they come from.

use std::fmt;
use std::path::PathBuf;

use crate::error::StorageError;

/// How a bucket of S3 is reached.
///
/// [`from_environment`](Self::from_environment) reads what AWS's own tools read. What is set here
/// comes before what a profile in `~/.aws/config` says.
///
/// ```
/// use persevere_storage::S3Options;
///
/// let mut options = S3Options::from_environment();
/// options.endpoint = Some("https://minio.example.com:9000".into());
/// options.region = Some("eu-central-1".into());
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct S3Options {
    /// The URL of the service, for one that is not Amazon's: `AWS_ENDPOINT_URL_S3`,
    /// `AWS_ENDPOINT_URL`, or `endpoint_url` of the profile.
    pub endpoint: Option<String>,
    /// The region: `AWS_REGION`, `AWS_DEFAULT_REGION`, or `region` of the profile. Default:
    /// us-east-1; a bucket that is elsewhere says so, and is then asked there.
    pub region: Option<String>,
    /// The profile in `~/.aws/config` and `~/.aws/credentials`, which then comes before keys in the
    /// environment. Without it: `AWS_PROFILE`, after keys in the environment.
    pub profile: Option<String>,
    /// Whether the bucket's name stands in the host or in the path. Default: in the host if the
    /// service is Amazon's and the name can stand there.
    pub addressing: Option<S3Addressing>,
    /// Whether requests are sent without a signature, as to public buckets.
    pub anonymous: bool,
    /// Whether whoever asks pays for it, which some buckets demand.
    pub requester_pays: bool,
    /// Keys, in place of those that AWS's chain finds.
    pub access_key: Option<S3AccessKey>,
    /// A file with certificate authorities to trust besides the system's: `AWS_CA_BUNDLE`.
    pub ca_bundle: Option<PathBuf>,
}

/// Where the bucket's name stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum S3Addressing {
    /// `https://bucket.host/key`
    VirtualHosted,
    /// `https://host/bucket/key`
    Path,
}

/// Keys of S3. They are never shown.
///
/// ```
/// use persevere_storage::S3AccessKey;
///
/// let key = S3AccessKey::new("AKIDEXAMPLE", "wJalrXUtnFEMI");
/// assert!(!format!("{key:?}").contains("wJalrXUtnFEMI"));
/// ```
#[derive(Clone)]
pub struct S3AccessKey {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) session_token: Option<String>,
}

impl S3AccessKey {
    /// An access key's id and its secret.
    pub fn new(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { id: id.into(), secret: secret.into(), session_token: None }
    }

    /// The token that belongs to keys which are good for a time only.
    #[must_use]
    pub fn with_session_token(self, token: impl Into<String>) -> Self {
        Self { session_token: Some(token.into()), ..self }
    }
}

impl fmt::Debug for S3AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("S3AccessKey")
    }
}

impl S3Options {
    /// What the environment says. Credentials and profiles are read when they are needed.
    pub fn from_environment() -> Self {
        Self::from_variables(&|name| std::env::var(name).ok())
    }

    pub(super) fn from_variables(variable: Variables<'_>) -> Self {
        let first = |names: &[&str]| {
            names.iter().find_map(|name| variable(name).filter(|it| !it.is_empty()))
        };
        let endpoint = first(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]);
        Self {
            endpoint: endpoint.filter(|_| !ignores_endpoints(variable)),
            region: first(&["AWS_REGION", "AWS_DEFAULT_REGION"]),
            ca_bundle: first(&["AWS_CA_BUNDLE"]).map(PathBuf::from),
            ..Self::default()
        }
    }
}

/// The environment.
pub(super) type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Whether only what is set by hand counts,
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>.
pub(super) fn ignores_endpoints(variable: Variables<'_>) -> bool {
    variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
        .is_some_and(|it| it.eq_ignore_ascii_case("true"))
}

/// A bucket's name as a part of a host's name, under a certificate for `*.host`,
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>.
pub(super) fn can_stand_in_a_host(bucket: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (3..=63).contains(&bucket.len())
        && bucket.bytes().all(allowed)
        && !bucket.starts_with('-')
        && !bucket.ends_with('-')
}

/// A region's name, which becomes a part of a host's.
pub(super) fn checked_region(region: &str) -> Result<&str, StorageError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if region.is_empty() || !region.bytes().all(allowed) {
        let shown = region.escape_debug();
        return Err(StorageError::setup(format!(
            "the region is `{shown}`, but must be a name like us-east-1"
        )));
    }
    Ok(region)
}
