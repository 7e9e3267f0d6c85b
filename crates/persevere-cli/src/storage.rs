//! What the commands for storage share: settings, places, what is selected there, and how it all ends.

pub(crate) mod filter;
pub(crate) mod format;
pub(crate) mod place;
pub(crate) mod question;
pub(crate) mod selection;
pub(crate) mod session;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use persevere_storage::{
    AzureOptions, GcsOptions, HttpOptions, S3Options, SftpOptions, StorageBuilder, StorageError,
};

use crate::error::CliError;
use crate::settings::{Raw, Settings, key, value};

/// How to reach a store. What is not said here comes from where each provider's own tools look.
#[derive(Debug, Args)]
#[command(next_help_heading = "Storage options")]
pub(crate) struct StorageArgs {
    /// Talk to this server in place of the provider's own: S3, Azure and GCS
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,

    /// Sign requests for this region: S3 [default: as the AWS tools find it]
    #[arg(long, value_name = "NAME")]
    region: Option<String>,

    /// Take credentials from this profile of the AWS configuration
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,

    /// Use no credentials, for what everybody may read [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    no_sign_request: Option<String>,

    /// Trust the certificate authorities in this PEM file too; can be repeated
    #[arg(long, value_name = "FILE")]
    ca_file: Vec<String>,

    /// Log in with this private key: SFTP [default: the agent's keys, and those in ~/.ssh]
    #[arg(long, value_name = "FILE")]
    identity: Option<String>,

    /// Know hosts by this file: SFTP [default: ~/.ssh/known_hosts]
    #[arg(long, value_name = "FILE")]
    known_hosts: Option<String>,

    /// Trust a host that is seen for the first time, and remember it: SFTP [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    accept_new_host_key: Option<String>,

    /// Log in with the password in the first line of this file: SFTP
    #[arg(long, value_name = "FILE")]
    password_file: Option<String>,

    /// Give a request up when nothing has moved for so long [default: 60s]
    #[arg(long, value_name = "DURATION")]
    stalled_after: Option<String>,
}

/// The same, checked, and with what the environment and the file say.
#[derive(Debug, Default)]
pub(crate) struct StorageSettings {
    pub(crate) endpoint: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) profile: Option<String>,
    pub(crate) anonymous: bool,
    pub(crate) ca_files: Vec<PathBuf>,
    pub(crate) identity: Option<PathBuf>,
    pub(crate) known_hosts: Option<PathBuf>,
    pub(crate) accept_new_host_key: bool,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) stalled_after: Option<Duration>,
}

impl StorageArgs {
    pub(crate) fn read(&self, settings: &Settings) -> Result<StorageSettings, CliError> {
        let text = |key, option: &Option<String>, parse| {
            let set = settings.get::<String>(key, option.as_deref(), parse)?;
            Ok::<_, CliError>(set.map(|set| set.value))
        };
        let path = |key, option: &Option<String>| {
            let set = settings.get(key, option.as_deref(), value::path)?;
            Ok::<_, CliError>(set.map(|set| set.value))
        };
        let flag = |key, option: &Option<String>| {
            let set = settings.get(key, option.as_deref(), value::flag)?;
            Ok::<_, CliError>(set.is_some_and(|set| set.value))
        };
        let ca_files = settings.list(&key::CA_FILE, &self.ca_file)?.into_iter();
        let stalled_after = self.stalled_after.as_deref();
        Ok(StorageSettings {
            endpoint: text(&key::ENDPOINT, &self.endpoint, value::endpoint)?,
            region: text(&key::REGION, &self.region, value::text)?,
            profile: text(&key::PROFILE, &self.profile, value::text)?,
            anonymous: flag(&key::NO_SIGN_REQUEST, &self.no_sign_request)?,
            ca_files: ca_files.map(file).collect::<Result<_, _>>()?,
            identity: path(&key::IDENTITY, &self.identity)?,
            known_hosts: path(&key::KNOWN_HOSTS, &self.known_hosts)?,
            accept_new_host_key: flag(&key::ACCEPT_NEW_HOST_KEY, &self.accept_new_host_key)?,
            password_file: path(&key::PASSWORD_FILE, &self.password_file)?,
            stalled_after: settings
                .get(&key::STALLED_AFTER, stalled_after, value::time_limit)?
                .map(|set| set.value),
        })
    }
}

fn file(raw: Raw) -> Result<PathBuf, CliError> {
    Ok(raw.parse(value::path)?.value)
}

impl StorageSettings {
    /// What opens places the way these settings say. The one place where they meet the library.
    pub(crate) fn builder(self) -> Result<StorageBuilder, StorageError> {
        let Self {
            endpoint,
            region,
            profile,
            anonymous,
            ca_files,
            identity,
            known_hosts,
            accept_new_host_key,
            password_file,
            stalled_after,
        } = self;
        let mut http = HttpOptions::default();
        http.ca_files = ca_files;
        if let Some(stalled_after) = stalled_after {
            http.stalled_after = stalled_after;
        }
        let mut s3 = S3Options::from_environment();
        s3.endpoint = endpoint.clone().or(s3.endpoint);
        s3.region = region.or(s3.region);
        s3.profile = profile.or(s3.profile);
        s3.anonymous |= anonymous;
        let mut gcs = GcsOptions::from_environment();
        gcs.endpoint = endpoint.clone().or(gcs.endpoint);
        gcs.anonymous |= anonymous;
        let mut sftp = SftpOptions::from_environment();
        sftp.identity_files.splice(0..0, identity);
        if let Some(known_hosts) = known_hosts {
            sftp.known_hosts = vec![known_hosts];
        }
        sftp.accept_new_host_keys |= accept_new_host_key;
        sftp.password_file = password_file.or(sftp.password_file);
        if let Some(stalled_after) = stalled_after {
            sftp.stalled_after = stalled_after;
        }
        let builder = StorageBuilder::new().http(http).s3(s3).gcs(gcs).sftp(sftp);
        if endpoint.is_none() && !anonymous {
            return Ok(builder);
        }
        // What is wrong with Azure's variables is no concern of those who do not use it.
        let mut azure = AzureOptions::from_environment()?;
        azure.endpoint = endpoint.or(azure.endpoint);
        azure.anonymous |= anonymous;
        Ok(builder.azure(azure))
    }
}
