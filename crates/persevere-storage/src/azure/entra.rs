//! Tokens of Microsoft Entra, from the first place that has them.

use std::sync::{Arc, Mutex, PoisonError};

use reqsign_azure_storage::{
    AzureCliCredentialProvider, AzurePipelinesCredentialProvider,
    ClientCertificateCredentialProvider, ClientSecretCredentialProvider, Credential,
    ImdsCredentialProvider, WorkloadIdentityCredentialProvider,
};
use reqsign_core::{Context, Error, ProvideCredential, ProvideCredentialDyn};

/// Where the token came from that is used now.
pub(super) type Found = Arc<Mutex<&'static str>>;

/// The places that are asked, in the order of Azure's own libraries,
/// <https://learn.microsoft.com/azure/developer/python/sdk/authentication/credential-chains>.
///
/// The library's own chain goes on after any failure, and forgets it: a wrong client secret would be
/// reported as no credentials at all.
#[derive(Debug)]
pub(super) struct Entra {
    places: Vec<Place>,
    found: Found,
}

#[derive(Debug)]
struct Place {
    name: &'static str,
    /// Nobody sets this up in passing: if it fails, what comes later is not what was meant.
    is_deliberate: bool,
    provider: Box<dyn ProvideCredentialDyn<Credential = Credential>>,
}

impl Entra {
    pub(super) fn new(found: Found) -> Self {
        let place = |is_deliberate, name, provider| Place { name, is_deliberate, provider };
        // Named, for the library takes AZBLOB_ENDPOINT, which is the storage's, for that of the metadata.
        let metadata = std::env::var("AZURE_IMDS_ENDPOINT").ok().filter(|it| !it.is_empty());
        let metadata = metadata.unwrap_or_else(|| METADATA.to_owned());
        let places = vec![
            place(
                true,
                "the client secret in AZURE_CLIENT_SECRET",
                Box::new(ClientSecretCredentialProvider::new()) as _,
            ),
            place(
                true,
                "the client certificate in AZURE_CLIENT_CERTIFICATE_PATH",
                Box::new(ClientCertificateCredentialProvider::new()) as _,
            ),
            place(
                true,
                "the workload identity in AZURE_FEDERATED_TOKEN_FILE",
                Box::new(WorkloadIdentityCredentialProvider::new()) as _,
            ),
            place(
                true,
                "the service connection in AZURE_SERVICE_CONNECTION_ID",
                Box::new(AzurePipelinesCredentialProvider::new()) as _,
            ),
            place(
                false,
                "the machine's managed identity",
                Box::new(ImdsCredentialProvider::new().with_endpoint(metadata)) as _,
            ),
            place(
                false,
                "the login of the Azure CLI",
                Box::new(AzureCliCredentialProvider::new()) as _,
            ),
        ];
        Self { places, found }
    }
}

/// <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>
const METADATA: &str = "http://169.254.169.254/metadata/identity/oauth2/token";

impl ProvideCredential for Entra {
    type Credential = Credential;

    async fn provide_credential(&self, context: &Context) -> Result<Option<Credential>, Error> {
        let mut failures = Vec::new();
        for place in &self.places {
            match place.provider.provide_credential_dyn(context).await {
                Ok(Some(credential)) => {
                    *self.found.lock().unwrap_or_else(PoisonError::into_inner) = place.name;
                    return Ok(Some(credential));
                }
                Ok(None) => {}
                Err(error) if place.is_deliberate => {
                    return Err(Error::new(error.kind(), told(place.name, &error))
                        .set_retryable(error.is_retryable())
                        .with_source(error));
                }
                Err(error) => failures.push(told(place.name, &error)),
            }
        }
        Err(Error::credential_invalid(failures.join("; ")))
    }
}

/// The library keeps the status of an answer apart from its message.
fn told(name: &str, error: &Error) -> String {
    let mut text = format!("{name}: {error}");
    for detail in error.context() {
        text.push_str(", ");
        text.push_str(detail);
    }
    text
}
