//! What went wrong.

use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use persevere::{Kind, Verdict, detect};
use russh_sftp::protocol::{Status, StatusCode};

use crate::error::{ProviderError, StorageError};

/// How a connection was lost, once it was: russh tells it to its handler alone.
#[derive(Clone, Default)]
pub(super) struct Ended(Arc<Mutex<Option<Lost>>>);

pub(super) enum Lost {
    /// The server has said why.
    Told {
        reason: u32,
        message: String,
    },
    Failed(russh::Error),
}

/// How long the reason may come after the loss itself.
const PATIENCE: Duration = Duration::from_millis(200);

impl Ended {
    pub(super) fn set(&self, lost: Lost) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(lost);
    }

    /// The error that it was, or this one if nothing more is known.
    pub(super) fn error(&self, doing: &str, otherwise: Option<russh::Error>) -> StorageError {
        let source = match self.take() {
            Some(Lost::Told { reason, message }) => return told(doing, reason, message),
            Some(Lost::Failed(error)) => Some(error),
            None => otherwise,
        };
        let ended = |what| io::Error::new(io::ErrorKind::UnexpectedEof, what);
        let source = match source {
            None => ended("the server ended the SFTP session").into(),
            // Where it does so without a word, it may have had no time for us.
            Some(russh::Error::Disconnect | russh::Error::HUP) => {
                ended("the server closed the connection").into()
            }
            Some(russh::Error::IO(error)) => error.into(),
            Some(error) => error.into(),
        };
        StorageError::Transport { doing: doing.to_owned(), source }
    }

    /// The same, when the loss was seen elsewhere first.
    pub(super) async fn error_soon(&self, doing: &str) -> StorageError {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !self.is_set() && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(PATIENCE / 20).await;
        }
        self.error(doing, None)
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Leaves something behind, for others that ask.
    fn take(&self) -> Option<Lost> {
        let mut lost = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*lost {
            Some(Lost::Told { reason, message }) => {
                Some(Lost::Told { reason: *reason, message: message.clone() })
            }
            Some(Lost::Failed(_)) => lost.replace(Lost::Failed(russh::Error::Disconnect)),
            None => None,
        }
    }
}

/// The server ended the connection, and said why.
fn told(doing: &str, reason: u32, message: String) -> StorageError {
    let verdict = detect::ssh_disconnect(reason);
    StorageError::Provider(Box::new(ProviderError {
        answer: None,
        provider: "SFTP",
        doing: doing.to_owned(),
        status: reason as u16,
        code: Some(verdict.evidence().to_owned()).filter(|code| !code.is_empty()),
        message: Some(message).filter(|message| !message.is_empty()),
        request_id: None,
        verdict,
    }))
}

/// The server answered with an error.
pub(super) fn of_status(doing: &str, status: Status) -> StorageError {
    let code = status.status_code as u32;
    let verdict = detect::sftp_status(code);
    StorageError::Provider(Box::new(ProviderError {
        answer: None,
        provider: "SFTP",
        doing: doing.to_owned(),
        status: code as u16,
        code: Some(name(status.status_code).to_owned()),
        // OpenSSH says no more than the code does.
        message: Some(status.error_message).filter(|message| !says_nothing(message)),
        request_id: None,
        verdict,
    }))
}

fn says_nothing(message: &str) -> bool {
    ["", "Failure", "No such file", "Permission denied", "Bad message", "Operation unsupported"]
        .contains(&message.trim_end_matches('.'))
}

/// draft-ietf-secsh-filexfer-02 section 7.
fn name(code: StatusCode) -> &'static str {
    match code {
        StatusCode::Ok => "SSH_FX_OK",
        StatusCode::Eof => "SSH_FX_EOF",
        StatusCode::NoSuchFile => "SSH_FX_NO_SUCH_FILE",
        StatusCode::PermissionDenied => "SSH_FX_PERMISSION_DENIED",
        StatusCode::Failure => "SSH_FX_FAILURE",
        StatusCode::BadMessage => "SSH_FX_BAD_MESSAGE",
        StatusCode::NoConnection => "SSH_FX_NO_CONNECTION",
        StatusCode::ConnectionLost => "SSH_FX_CONNECTION_LOST",
        StatusCode::OpUnsupported => "SSH_FX_OP_UNSUPPORTED",
    }
}

/// Whether the server answered with this status.
pub(super) fn is(error: &StorageError, code: StatusCode) -> bool {
    matches!(error, StorageError::Provider(error) if error.status == code as u16
        && error.code.as_deref() == Some(name(code)))
}

/// The same error, with what was found out about it.
pub(super) fn explained(error: StorageError, message: &str, verdict: Verdict) -> StorageError {
    match error {
        StorageError::Provider(mut error) => {
            error.message = Some(message.to_owned());
            error.verdict = verdict;
            StorageError::Provider(error)
        }
        error => error,
    }
}

pub(super) fn disk_full() -> Verdict {
    Verdict::stop(Kind::ExhaustedResource, "sftp.full")
}

pub(super) fn transport<E: Into<crate::error::Cause>>(
    doing: &str,
) -> impl FnOnce(E) -> StorageError {
    let doing = doing.to_owned();
    move |source| StorageError::Transport { doing, source: source.into() }
}

/// An error for those who have waited for the attempt of another.
#[derive(Debug)]
pub(super) struct Retold {
    text: String,
    is_retryable: bool,
}

impl Retold {
    pub(super) fn of(error: &StorageError) -> Self {
        let verdict = error.verdict();
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        Self { text, is_retryable: verdict.is_retryable() }
    }

    pub(super) fn again(&self) -> StorageError {
        match self.is_retryable {
            true => transport(&self.text)(io::Error::from(io::ErrorKind::NotConnected)),
            false => StorageError::setup(self.text.clone()),
        }
    }
}
