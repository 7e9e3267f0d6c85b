//! Where credentials come from, and the tokens that they are exchanged for.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::time::Duration;

use http::request::Parts;
use reqsign_core::time::Timestamp;
use reqsign_core::{Context, ProvideCredential, SignRequest};
use reqsign_google::{
    Credential, FileCredentialProvider, RequestSigner, ServiceAccountTokenCredentialProvider,
    TokenCredentialProvider, VmMetadataCredentialProvider,
};

use super::options::{GcsOptions, Variables};
use crate::http::{Chain, Credentials, Source};

/// Puts the token into requests.
#[derive(Debug, Clone)]
struct Bearer;

impl SignRequest for Bearer {
    type Credential = Credential;

    fn required_valid_until(
        &self,
        credential: &Credential,
        expires_in: Option<Duration>,
    ) -> Timestamp {
        RequestSigner::new("storage").required_valid_until(credential, expires_in)
    }

    async fn sign_request(
        &self,
        context: &Context,
        request: &mut Parts,
        credential: Option<&Credential>,
        expires_in: Option<Duration>,
    ) -> reqsign_core::Result<()> {
        let signer = RequestSigner::new("storage");
        signer.sign_request(context, request, credential, expires_in).await
    }
}

/// Application Default Credentials: <https://cloud.google.com/docs/authentication/application-default-credentials>.
pub(super) fn credentials(
    options: &GcsOptions,
    context: Context,
    variable: Variables<'_>,
) -> Credentials<Credential> {
    Credentials::of_chain(context, Chain::new(sources(options, variable), fingerprint), Bearer)
}

fn sources(options: &GcsOptions, variable: Variables<'_>) -> Vec<Source<Credential>> {
    if let Some(token) = &options.access_token {
        let provider = TokenCredentialProvider::new(&token.token);
        return vec![Source::named(token.origin.clone(), provider)];
    }
    let from_file = |name: String, path: String| {
        Source::named(name, Exchanged(FileCredentialProvider::new(path)))
    };
    if let Some(path) = &options.credentials_file {
        let path = path.display().to_string();
        return vec![from_file(format!("the file {path}"), path)];
    }
    let get = |name: &str| variable(name).filter(|value| !value.is_empty());
    if let Some(path) = get("GOOGLE_APPLICATION_CREDENTIALS") {
        let name = format!("the file {path} (GOOGLE_APPLICATION_CREDENTIALS)");
        return vec![from_file(name, path)];
    }
    let mut sources = Vec::new();
    let left_by_gcloud =
        well_known(variable).map(|path| (path.exists(), path.display().to_string()));
    if let Some((exists, path)) = left_by_gcloud {
        let name = format!("{path} (gcloud auth application-default login)");
        sources.push(match exists {
            true => from_file(name, path),
            false => Source::named(name, Nothing),
        });
    }
    if get("NO_GCE_CHECK").is_none() {
        let name = "the metadata service of Google Cloud";
        sources.push(Source::perhaps(name, VmMetadataCredentialProvider::new()));
    }
    sources
}

fn well_known(variable: Variables<'_>) -> Option<PathBuf> {
    let below = |name: &str, path: &str| Some(PathBuf::from(variable(name)?).join(path));
    let folder = below("CLOUDSDK_CONFIG", "")
        .or_else(|| below("APPDATA", "gcloud"))
        .or_else(|| below("HOME", ".config/gcloud"))?;
    Some(folder.join("application_default_credentials.json"))
}

/// A token for a service account: the library would fetch another one for each request.
#[derive(Debug)]
struct Exchanged<P>(P);

impl<P: ProvideCredential<Credential = Credential>> ProvideCredential for Exchanged<P> {
    type Credential = Credential;

    async fn provide_credential(
        &self,
        context: &Context,
    ) -> reqsign_core::Result<Option<Credential>> {
        let found = self.0.provide_credential(context).await?;
        match found {
            Some(Credential { service_account: Some(account), .. }) => {
                let exchange = ServiceAccountTokenCredentialProvider::new(account);
                exchange.provide_credential(context).await
            }
            found => Ok(found),
        }
    }
}

/// A file that is not there, in the list of where was looked.
#[derive(Debug)]
struct Nothing;

impl ProvideCredential for Nothing {
    type Credential = Credential;

    async fn provide_credential(&self, _: &Context) -> reqsign_core::Result<Option<Credential>> {
        Ok(None)
    }
}

fn fingerprint(credential: &Credential) -> u64 {
    let mut hasher = DefaultHasher::new();
    credential.token.as_ref().map(|token| &token.access_token).hash(&mut hasher);
    hasher.finish()
}
