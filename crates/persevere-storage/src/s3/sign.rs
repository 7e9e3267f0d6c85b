//! Where credentials come from, and how requests are signed by them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use http::HeaderValue;
use http::request::Parts;
use reqsign_aws_v4::{
    AssumeRoleWithWebIdentityCredentialProvider, Credential, ECSCredentialProvider,
    EnvCredentialProvider, IMDSv2CredentialProvider, ProcessCredentialProvider,
    ProfileCredentialProvider, RequestSigner, SSOCredentialProvider, StaticCredentialProvider,
};
use reqsign_core::time::Timestamp;
use reqsign_core::{Context, ProvideCredential, SignRequest};
use sha2::{Digest, Sha256};

use super::options::{S3AccessKey, S3Options, Variables};
use super::profile::Profile;
use crate::http::{Chain, Credentials, Source};

/// The region that a request is for, in its extensions: another bucket's may be another.
#[derive(Debug, Clone)]
pub(super) struct Region(pub(super) String);

/// Signature Version 4.
#[derive(Debug, Clone)]
struct Sign;

impl SignRequest for Sign {
    type Credential = Credential;

    fn required_valid_until(
        &self,
        credential: &Credential,
        expires_in: Option<Duration>,
    ) -> Timestamp {
        RequestSigner::new("s3", "").required_valid_until(credential, expires_in)
    }

    async fn sign_request(
        &self,
        context: &Context,
        request: &mut Parts,
        credential: Option<&Credential>,
        expires_in: Option<Duration>,
    ) -> reqsign_core::Result<()> {
        let region = request.extensions.get().map_or("us-east-1", |Region(region)| region);
        let signer = RequestSigner::new("s3", region);
        signer.sign_request(context, request, credential, expires_in).await
    }
}

/// The chain of AWS's tools: <https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html>.
pub(super) fn credentials(
    options: &S3Options,
    profile: &Profile,
    context: Context,
    variable: Variables<'_>,
) -> Credentials<Credential> {
    let sources = match &options.access_key {
        Some(key) => vec![Source::named("the settings", fixed(key))],
        None => sources(options, profile, variable),
    };
    Credentials::of_chain(context, Chain::new(sources, fingerprint), Sign)
}

fn fixed(key: &S3AccessKey) -> StaticCredentialProvider {
    let provider = StaticCredentialProvider::new(&key.id, &key.secret);
    match &key.session_token {
        Some(token) => provider.with_session_token(token),
        None => provider,
    }
}

fn sources(
    options: &S3Options,
    profile: &Profile,
    variable: Variables<'_>,
) -> Vec<Source<Credential>> {
    let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    let mut sources = Vec::new();
    if options.profile.is_none() {
        let name = "the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN)";
        sources.push(Source::named(name, EnvCredentialProvider::new()));
    }
    if is_set("AWS_WEB_IDENTITY_TOKEN_FILE") {
        let name = "the web identity (AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN)";
        let provider = AssumeRoleWithWebIdentityCredentialProvider::new();
        sources.push(Source::named(name, provider));
    }
    let name = &profile.name;
    let provider = ProfileCredentialProvider::new().with_profile(name);
    sources.push(Source::named(profile.description.clone(), provider));
    if profile.get("sso_start_url").is_some() {
        let provider = SSOCredentialProvider::new().with_profile(name);
        sources.push(Source::named(format!("single sign-on of the profile `{name}`"), provider));
    }
    if profile.get("credential_process").is_some() {
        let provider = ProcessCredentialProvider::new().with_profile(name);
        sources
            .push(Source::named(format!("credential_process of the profile `{name}`"), provider));
    }
    if let Some(unknown) = unknown_kind(profile) {
        sources.push(Source::named(format!("the profile `{name}`"), unknown));
    }
    if is_set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
        || is_set("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    {
        let name = "the container's service (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI)";
        sources.push(Source::named(name, ECSCredentialProvider::new()));
    }
    if !variable("AWS_EC2_METADATA_DISABLED").is_some_and(|it| it.eq_ignore_ascii_case("true")) {
        let name = "the metadata service of EC2";
        sources.push(Source::perhaps(name, IMDSv2CredentialProvider::new()));
    }
    sources
}

/// What AWS's own tool understands in a profile and we do not, but which it can turn into what we do.
fn unknown_kind(profile: &Profile) -> Option<Unknown> {
    let can_be_used = ["aws_access_key_id", "credential_process", "sso_start_url"];
    if can_be_used.iter().any(|setting| profile.get(setting).is_some()) {
        return None;
    }
    let unknown = ["role_arn", "sso_session", "login_session"];
    let setting = unknown.iter().find(|setting| profile.get(setting).is_some())?;
    Some(Unknown(format!(
        "it has `{setting}`, which is not supported as such: use another profile, with \
         `credential_process = aws configure export-credentials --profile {} --format process`",
        profile.name
    )))
}

/// Says why there are no credentials, if it comes to that.
#[derive(Debug)]
struct Unknown(String);

impl ProvideCredential for Unknown {
    type Credential = Credential;

    async fn provide_credential(&self, _: &Context) -> reqsign_core::Result<Option<Credential>> {
        Err(reqsign_core::Error::config_invalid(self.0.clone()))
    }
}

fn fingerprint(credential: &Credential) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&credential.access_key_id, &credential.session_token).hash(&mut hasher);
    hasher.finish()
}

/// What the body is signed by.
pub(super) async fn sha256(bytes: bytes::Bytes) -> HeaderValue {
    /// Hashing more than this would hold up other transfers of the same thread.
    const LONG: usize = 256 * 1024;
    let hash = |bytes: &[u8]| {
        let digits: String =
            Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        // Digits and letters can stand in a header.
        HeaderValue::try_from(digits).unwrap_or(HeaderValue::from_static("UNSIGNED-PAYLOAD"))
    };
    if bytes.len() < LONG {
        return hash(&bytes);
    }
    let hashed = bytes.clone();
    match tokio::task::spawn_blocking(move || hash(&hashed)).await {
        Ok(hash) => hash,
        Err(_) => hash(&bytes),
    }
}
