//! Who signs: ssh-agent, or nobody.

use std::path::Path;
use std::time::Duration;

use russh::keys::HashAlg;
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::{AgentClient, AgentStream};
use russh::{SendError, Signer};

type Client = AgentClient<Box<dyn AgentStream + Send + Unpin>>;

/// An agent that hangs must not hold up the keys in files.
const PATIENCE: Duration = Duration::from_secs(5);

/// The agent, if there is one.
pub(super) struct Agent {
    client: Option<Client>,
    identities: Vec<AgentIdentity>,
}

impl Agent {
    pub(super) async fn connect(socket: Option<&Path>, tried: &mut Vec<String>) -> Self {
        let Some(socket) = socket else { return Self { client: None, identities: Vec::new() } };
        match tokio::time::timeout(PATIENCE, identities(socket)).await {
            Ok(Ok((client, identities))) => Self { client: Some(client), identities },
            result => {
                let reason = match result {
                    Ok(Err(error)) => error.to_string(),
                    _ => "no answer".to_owned(),
                };
                tried.push(format!("the agent at {} ({reason})", socket.display()));
                Self { client: None, identities: Vec::new() }
            }
        }
    }

    pub(super) fn take_identities(&mut self) -> Vec<AgentIdentity> {
        std::mem::take(&mut self.identities)
    }

    pub(super) fn signer(&mut self) -> Option<&mut Client> {
        self.client.as_mut()
    }
}

async fn identities(socket: &Path) -> Result<(Client, Vec<AgentIdentity>), russh::keys::Error> {
    let mut client = connect(socket).await?;
    let identities = client.request_identities().await?;
    Ok((client, identities))
}

#[cfg(unix)]
async fn connect(socket: &Path) -> Result<Client, russh::keys::Error> {
    Ok(AgentClient::connect_uds(socket).await?.dynamic())
}

#[cfg(windows)]
async fn connect(socket: &Path) -> Result<Client, russh::keys::Error> {
    Ok(AgentClient::connect_named_pipe(socket).await?.dynamic())
}

/// A key of the agent, as people know it.
pub(super) fn describe(identity: &AgentIdentity) -> String {
    let key = identity.public_key();
    let fingerprint = key.fingerprint(HashAlg::Sha256);
    let (AgentIdentity::PublicKey { comment, .. } | AgentIdentity::Certificate { comment, .. }) =
        identity;
    format!("{fingerprint} ({comment})")
}

/// Finds out whether a key would be accepted: then, and only then, it is asked to sign.
pub(super) struct Probe;

/// That it was asked; or that the connection is gone, which the next step finds out.
pub(super) struct Asked;

impl From<SendError> for Asked {
    fn from(_: SendError) -> Self {
        Self
    }
}

impl Signer for Probe {
    type Error = Asked;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        _: Option<HashAlg>,
        _: Vec<u8>,
    ) -> Result<Vec<u8>, Asked> {
        Err(Asked)
    }
}
