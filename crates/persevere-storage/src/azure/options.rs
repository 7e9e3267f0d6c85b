//! Settings, and the environment variables that they come from.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

use super::connection_string::ConnectionString;
use crate::error::StorageError;

/// Which account of Azure Blob Storage, and on whose behalf.
///
/// Without a key, a token or [`anonymous`](Self::anonymous), credentials come from Microsoft Entra, by
/// the first of these that there is: a client secret or a client certificate (`AZURE_TENANT_ID`,
/// `AZURE_CLIENT_ID`, and `AZURE_CLIENT_SECRET` or `AZURE_CLIENT_CERTIFICATE_PATH`), a workload identity
/// (`AZURE_FEDERATED_TOKEN_FILE`), a service connection of Azure Pipelines
/// (`AZURE_SERVICE_CONNECTION_ID`), the machine's managed identity, and the login of the Azure CLI.
///
/// ```
/// use persevere_storage::AzureOptions;
///
/// let mut options = AzureOptions::from_environment()?;
/// options.account = Some("backups".into());
/// # Ok::<(), persevere_storage::StorageError>(())
/// ```
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct AzureOptions {
    /// The storage account's name.
    pub account: Option<String>,
    /// Where its Blob service is, if not at `https://ACCOUNT.blob.core.windows.net`: another cloud, a
    /// domain of your own, or an emulator. An emulator's has the account in its path:
    /// `http://127.0.0.1:10000/devstoreaccount1`.
    pub endpoint: Option<String>,
    /// Ask without credentials, which containers with public access allow.
    pub anonymous: bool,
    pub(super) secret: Option<Secret>,
}

/// Something to sign with.
#[derive(Clone)]
pub(super) struct Secret {
    pub(super) kind: SecretKind,
    pub(super) text: String,
    /// Where it came from, for messages.
    pub(super) origin: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SecretKind {
    Key,
    Sas,
}

/// Without the secret.
impl fmt::Debug for AzureOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = self.secret.as_ref().map(|secret| (secret.kind, secret.origin));
        f.debug_struct("AzureOptions")
            .field("account", &self.account)
            .field("endpoint", &self.endpoint)
            .field("anonymous", &self.anonymous)
            .field("secret", &secret)
            .finish()
    }
}

const ACCOUNTS: [&str; 2] = ["AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME"];
const KEYS: [&str; 2] = ["AZURE_STORAGE_KEY", "AZURE_STORAGE_ACCOUNT_KEY"];
const ENDPOINT: &str = "AZURE_STORAGE_ENDPOINT";
const SAS: &str = "AZURE_STORAGE_SAS_TOKEN";
const CONNECTION: &str = "AZURE_STORAGE_CONNECTION_STRING";

impl AzureOptions {
    /// What the environment says.
    ///
    /// | variable | means |
    /// |---|---|
    /// | `AZURE_STORAGE_CONNECTION_STRING` | account, endpoint, and key or SAS token at once; what it has goes before the others, and must not contradict them |
    /// | `AZURE_STORAGE_ACCOUNT`, `AZURE_STORAGE_ACCOUNT_NAME` | [`account`](Self::account) |
    /// | `AZURE_STORAGE_ENDPOINT` | [`endpoint`](Self::endpoint) |
    /// | `AZURE_STORAGE_KEY`, `AZURE_STORAGE_ACCOUNT_KEY` | the account's key |
    /// | `AZURE_STORAGE_SAS_TOKEN` | a shared access signature, used if there is no key |
    ///
    /// # Errors
    ///
    /// If the connection string is none, or names another account or endpoint than the other variables.
    pub fn from_environment() -> Result<Self, StorageError> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    pub(super) fn from_variables(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, StorageError> {
        let set = |name: &'static str| {
            let value = variable(name)?.trim().to_owned();
            (!value.is_empty()).then_some((name, value))
        };
        let first = |names: [&'static str; 2]| names.into_iter().find_map(set);
        let connection = match set(CONNECTION) {
            Some((_, text)) => ConnectionString::parse(&text)
                .map_err(|reason| StorageError::setup(format!("{CONNECTION} {reason}")))?,
            None => ConnectionString::default(),
        };
        let secret = |kind, found: Option<(&'static str, String)>| {
            found.map(|(origin, text)| Secret { kind, text, origin })
        };
        let of_connection = |text: Option<String>| text.map(|text| (CONNECTION, text));
        Ok(Self {
            account: agreed(first(ACCOUNTS), connection.account)?,
            endpoint: agreed(set(ENDPOINT), connection.endpoint)?.or(connection.public),
            anonymous: false,
            secret: secret(SecretKind::Key, of_connection(connection.key))
                .or_else(|| secret(SecretKind::Sas, of_connection(connection.sas)))
                .or_else(|| secret(SecretKind::Key, first(KEYS)))
                .or_else(|| secret(SecretKind::Sas, set(SAS))),
        })
    }

    /// Signs with this key of the account.
    ///
    /// ```
    /// use persevere_storage::AzureOptions;
    ///
    /// let options = AzureOptions::default().with_key("c2VjcmV0");
    /// assert!(!format!("{options:?}").contains("c2VjcmV0"));
    /// ```
    pub fn with_key(mut self, key: impl Into<String>) -> Self {
        let (kind, origin) = (SecretKind::Key, "the settings");
        self.secret = Some(Secret { kind, text: key.into(), origin });
        self
    }

    /// Uses this shared access signature, with or without the `?` before it.
    ///
    /// ```
    /// use persevere_storage::AzureOptions;
    ///
    /// let options = AzureOptions::default().with_sas_token("sv=2021-12-02&sig=c2VjcmV0");
    /// assert!(!format!("{options:?}").contains("c2VjcmV0"));
    /// ```
    pub fn with_sas_token(mut self, token: impl Into<String>) -> Self {
        let (kind, origin) = (SecretKind::Sas, "the settings");
        self.secret = Some(Secret { kind, text: token.into(), origin });
        self
    }

    /// Where the Blob service of the account is.
    pub(super) fn service(&self) -> Result<Service, StorageError> {
        let Some(endpoint) = &self.endpoint else {
            let account = self.account.as_deref().ok_or_else(|| {
                StorageError::setup(format!(
                    "the Azure storage account is not named: set {}, {} or {CONNECTION}",
                    ACCOUNTS[0], ACCOUNTS[1]
                ))
            })?;
            return Ok(Service {
                endpoint: public_endpoint(account, "core.windows.net")?,
                account: Some(account.to_owned()),
            });
        };
        let mut url = endpoint_url(endpoint)
            .map_err(|reason| StorageError::setup(format!("the Azure endpoint {reason}")))?;
        let host = url.host_str().unwrap_or_default();
        let is_emulator =
            host.parse::<IpAddr>().is_ok() || host.starts_with('[') || !host.contains('.');
        let path = url.path().trim_matches('/').to_owned();
        let account = self.account.clone().or_else(|| match is_emulator {
            true => path.split('/').next().filter(|it| !it.is_empty()).map(str::to_owned),
            false => host.split_once(".blob.").map(|(account, _)| account.to_owned()),
        });
        // An emulator takes the account from the path.
        if let (true, "", Some(account)) = (is_emulator, path.as_str(), &account) {
            url.set_path(account);
        }
        Ok(Service { endpoint: url.as_str().trim_end_matches('/').to_owned(), account })
    }
}

/// The Blob service of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Service {
    /// Without a `/` at the end.
    pub(super) endpoint: String,
    pub(super) account: Option<String>,
}

/// What two places say, if they do not contradict each other.
fn agreed(
    variable: Option<(&str, String)>,
    connection: Option<String>,
) -> Result<Option<String>, StorageError> {
    match (variable, connection) {
        (Some((name, value)), Some(other))
            if value.trim_end_matches('/') != other.trim_end_matches('/') =>
        {
            Err(StorageError::setup(format!(
                "{name} is `{value}`, but {CONNECTION} is for `{other}`: unset one of them"
            )))
        }
        (Some((_, value)), _) => Ok(Some(value)),
        (None, connection) => Ok(connection),
    }
}

/// Of an account in a public cloud.
pub(super) fn public_endpoint(account: &str, suffix: &str) -> Result<String, StorageError> {
    // <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules>
    let is_name = (3..=24).contains(&account.len())
        && account.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if !is_name {
        return Err(StorageError::setup(format!(
            "the Azure storage account is `{account}`, but must have 3 to 24 lowercase letters and digits"
        )));
    }
    Ok(format!("https://{account}.blob.{suffix}"))
}

/// The text is not repeated where it may hold a secret.
fn endpoint_url(endpoint: &str) -> Result<Url, String> {
    let example = "it must look like https://account.blob.core.windows.net";
    let url = Url::parse(endpoint).map_err(|error| format!("is no URL: {error}; {example}"))?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("has a `?` or `#` in it; {example}, and a SAS token belongs in {SAS}"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("has a user or a password in it; {example}"));
    }
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(format!("is `{endpoint}`, but {example}"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(variables: &[(&str, &str)]) -> Result<AzureOptions, StorageError> {
        AzureOptions::from_variables(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name)?;
            Some(found.1.to_owned())
        })
    }

    fn service(variables: &[(&str, &str)]) -> (String, Option<String>) {
        let service = options(variables).unwrap().service().unwrap();
        (service.endpoint, service.account)
    }

    fn at(endpoint: &str, account: Option<&str>) -> (String, Option<String>) {
        (endpoint.to_owned(), account.map(str::to_owned))
    }

    #[test]
    fn where_the_service_is() {
        let public = at("https://acme.blob.core.windows.net", Some("acme"));
        assert_eq!(service(&[("AZURE_STORAGE_ACCOUNT", "acme")]), public);
        assert_eq!(service(&[("AZURE_STORAGE_ACCOUNT_NAME", " acme\n")]), public);
        let key = "AccountName=acme;AccountKey=c2VjcmV0";
        assert_eq!(service(&[("AZURE_STORAGE_CONNECTION_STRING", key)]), public);
        let endpoint = |url| service(&[("AZURE_STORAGE_ENDPOINT", url)]);
        assert_eq!(endpoint("https://acme.blob.core.windows.net/"), public);
        assert_eq!(endpoint("https://blobs.acme.org"), at("https://blobs.acme.org", None));
        let emulator = at("http://127.0.0.1:10000/dev", Some("dev"));
        assert_eq!(endpoint("http://127.0.0.1:10000/dev"), emulator);
    }

    #[test]
    fn an_emulator_has_the_account_in_its_path() {
        let with_account =
            |url| service(&[("AZURE_STORAGE_ENDPOINT", url), ("AZURE_STORAGE_ACCOUNT", "dev")]).0;
        assert_eq!(with_account("http://127.0.0.1:10000"), "http://127.0.0.1:10000/dev");
        assert_eq!(with_account("http://azurite:10000/"), "http://azurite:10000/dev");
        assert_eq!(with_account("http://[::1]:10000"), "http://[::1]:10000/dev");
        assert_eq!(with_account("http://dev.localhost.test:1"), "http://dev.localhost.test:1");
        let storage = [("AZURE_STORAGE_CONNECTION_STRING", "UseDevelopmentStorage=true")];
        let place = at("http://127.0.0.1:10000/devstoreaccount1", Some("devstoreaccount1"));
        assert_eq!(service(&storage), place);
    }

    #[test]
    fn which_secret() {
        let secret = |variables: &[(&str, &str)]| {
            let secret = options(variables).unwrap().secret.unwrap();
            (secret.origin, secret.text)
        };
        let (key, sas) = (("AZURE_STORAGE_KEY", "a2V5"), ("AZURE_STORAGE_SAS_TOKEN", "sig=x"));
        assert_eq!(secret(&[sas]), ("AZURE_STORAGE_SAS_TOKEN", "sig=x".to_owned()));
        assert_eq!(secret(&[sas, key]), ("AZURE_STORAGE_KEY", "a2V5".to_owned()));
        let text = "BlobEndpoint=https://a.blob.core.windows.net;SharedAccessSignature=sv=1&sig=y";
        let connection = ("AZURE_STORAGE_CONNECTION_STRING", text);
        let found = secret(&[sas, key, connection]);
        assert_eq!(found, ("AZURE_STORAGE_CONNECTION_STRING", "sv=1&sig=y".to_owned()));
    }

    #[test]
    fn what_is_wrong_is_said_and_no_secret() {
        let refused = |variables: &[(&str, &str)]| {
            let error = options(variables).and_then(|options| options.service()).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(!text.contains("hunter2"), "{text}");
            text
        };
        assert!(refused(&[]).contains("set AZURE_STORAGE_ACCOUNT"));
        assert!(refused(&[("AZURE_STORAGE_ACCOUNT", "My_Account")]).contains("lowercase"));
        let endpoint = |url| refused(&[("AZURE_STORAGE_ENDPOINT", url)]);
        assert!(endpoint("https://a.blob.core.windows.net/?sig=hunter2").contains("SAS_TOKEN"));
        assert!(endpoint("https://me:hunter2@host").contains("password"));
        assert!(endpoint("ftp://host").contains("`ftp://host`"));
        assert!(endpoint("acme").contains("must look like"));
        let connection = |text| refused(&[("AZURE_STORAGE_CONNECTION_STRING", text)]);
        assert!(connection("hunter2").contains("NAME=VALUE;"));
        let other = "AccountName=acme;AccountKey=hunter2";
        let both = [("AZURE_STORAGE_ACCOUNT", "b"), ("AZURE_STORAGE_CONNECTION_STRING", other)];
        assert!(refused(&both).contains("AZURE_STORAGE_ACCOUNT is `b`"));
    }
}
