//! Settings, and the environment that they come from.

use std::fmt;
use std::path::PathBuf;

/// How a bucket of Google Cloud Storage is reached.
///
/// ```
/// use persevere_storage::GcsOptions;
///
/// let mut options = GcsOptions::from_environment();
/// options.credentials_file = Some("/etc/backup/service-account.json".into());
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct GcsOptions {
    /// The URL of the service. Default: `STORAGE_EMULATOR_HOST`, which is then asked without
    /// credentials, or else Google's.
    pub endpoint: Option<String>,
    /// A token, in place of credentials that Google's chain finds: `GOOGLE_OAUTH_ACCESS_TOKEN`, or
    /// `CLOUDSDK_AUTH_ACCESS_TOKEN`. It is good for an hour or so.
    pub access_token: Option<GcsAccessToken>,
    /// The file of a service account or of another kind of credentials. Default:
    /// `GOOGLE_APPLICATION_CREDENTIALS`, then what `gcloud auth application-default login` has left,
    /// then the metadata service of the virtual machine.
    pub credentials_file: Option<PathBuf>,
    /// Whether requests are sent without credentials, as to public buckets.
    pub anonymous: bool,
    /// The project that pays: `GOOGLE_CLOUD_QUOTA_PROJECT`.
    pub user_project: Option<String>,
}

/// A token of Google's OAuth. It is never shown.
///
/// ```
/// use persevere_storage::GcsAccessToken;
///
/// let token = GcsAccessToken::new("ya29.a0AfH6SM");
/// assert!(!format!("{token:?}").contains("ya29"));
/// ```
#[derive(Clone)]
pub struct GcsAccessToken {
    pub(super) token: String,
    /// Where it comes from.
    pub(super) origin: String,
}

impl GcsAccessToken {
    /// A token that was had elsewhere.
    pub fn new(token: impl Into<String>) -> Self {
        Self { token: token.into(), origin: "the settings".into() }
    }
}

impl fmt::Debug for GcsAccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GcsAccessToken")
    }
}

impl GcsOptions {
    /// What the environment says. Credentials in files are read when they are needed.
    pub fn from_environment() -> Self {
        Self::from_variables(&|name| std::env::var(name).ok())
    }

    pub(super) fn from_variables(variable: Variables<'_>) -> Self {
        let get = |name: &str| variable(name).filter(|value| !value.is_empty());
        let token = |name: &str| {
            Some(GcsAccessToken { token: get(name)?, origin: format!("the environment ({name})") })
        };
        let access_token =
            token("GOOGLE_OAUTH_ACCESS_TOKEN").or_else(|| token("CLOUDSDK_AUTH_ACCESS_TOKEN"));
        let emulator = get("STORAGE_EMULATOR_HOST").map(|host| match host.contains("://") {
            true => host,
            false => format!("http://{host}"),
        });
        Self {
            anonymous: emulator.is_some() && access_token.is_none(),
            endpoint: emulator,
            access_token,
            credentials_file: None,
            user_project: get("GOOGLE_CLOUD_QUOTA_PROJECT"),
        }
    }
}

/// The environment.
pub(super) type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;
