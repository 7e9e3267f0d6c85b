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
    found: Found,
}

struct Place {
    name: &'static str,
    /// Nobody sets this up in passing: if it fails, what comes later is not what was meant.
    is_deliberate: bool,
    provider: Box<dyn ProvideCredentialDyn<Credential = Credential>>,
}

impl Entra {
    pub(super) fn new(found: Found) -> Self {
        Self { found }
    }
}

fn places(context: &Context) -> [Place; 6] {
    let set_up = |name, provider| Place { name, is_deliberate: true, provider };
    let in_passing = |name, provider| Place { name, is_deliberate: false, provider };
    // Named, for the library takes AZBLOB_ENDPOINT, which is the storage's, for that of the metadata.
    let metadata = context.env_var("AZURE_IMDS_ENDPOINT").filter(|it| !it.is_empty());
    let metadata = metadata.unwrap_or_else(|| METADATA.to_owned());
    [
        set_up(
            "the client secret in AZURE_CLIENT_SECRET",
            Box::new(ClientSecretCredentialProvider::new()),
        ),
        set_up(
            "the client certificate in AZURE_CLIENT_CERTIFICATE_PATH",
            Box::new(ClientCertificateCredentialProvider::new()),
        ),
        set_up(
            "the workload identity in AZURE_FEDERATED_TOKEN_FILE",
            Box::new(WorkloadIdentityCredentialProvider::new()),
        ),
        set_up(
            "the service connection in AZURE_SERVICE_CONNECTION_ID",
            Box::new(AzurePipelinesCredentialProvider::new()),
        ),
        in_passing(
            "the machine's managed identity",
            Box::new(ImdsCredentialProvider::new().with_endpoint(metadata)),
        ),
        in_passing("the login of the Azure CLI", Box::new(AzureCliCredentialProvider::new())),
    ]
}

/// <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>
const METADATA: &str = "http://169.254.169.254/metadata/identity/oauth2/token";

impl ProvideCredential for Entra {
    type Credential = Credential;

    async fn provide_credential(&self, context: &Context) -> Result<Option<Credential>, Error> {
        let mut failures = Vec::new();
        for place in places(context) {
            let error = match place.provider.provide_credential_dyn(context).await {
                Ok(Some(credential)) => {
                    *self.found.lock().unwrap_or_else(PoisonError::into_inner) = place.name;
                    return Ok(Some(credential));
                }
                Ok(None) => continue,
                Err(error) => error,
            };
            // The library keeps the status of an answer apart from its message.
            let details = error.context().join(", ");
            if place.is_deliberate {
                let message = format!("{} ({details})", place.name).replace(" ()", "");
                return Err(Error::new(error.kind(), message)
                    .set_retryable(error.is_retryable())
                    .with_source(error));
            }
            failures.push(format!("{}: {error} ({details})", place.name).replace(" ()", ""));
        }
        Err(Error::credential_invalid(failures.join("; ")))
    }
}
