//! Questions: a password, or what the server asks.

use std::sync::PoisonError;

use russh::MethodKind;
use russh::client::{AuthResult, KeyboardInteractiveAuthResponse as Reply};

use super::login::{Login, Progress, QUESTIONS, Session};
use super::options::Secret;
use crate::error::StorageError;

impl Login<'_> {
    pub(super) async fn by_keyboard(
        &self,
        ssh: &mut Session,
        progress: &mut Progress,
    ) -> Result<bool, StorageError> {
        let mut secrets = self.passwords()?;
        while progress.accepts(MethodKind::KeyboardInteractive) {
            let user = &self.target.user;
            let mut reply =
                self.watched(ssh.authenticate_keyboard_interactive_start(user, None)).await?;
            let mut was_asked = false;
            let result = loop {
                let prompts = match reply {
                    Reply::Success => break AuthResult::Success,
                    Reply::Failure { remaining_methods, partial_success } => {
                        break AuthResult::Failure { remaining_methods, partial_success };
                    }
                    Reply::InfoRequest { prompts, .. } => prompts,
                };
                let mut answers = Vec::new();
                for prompt in prompts {
                    was_asked = true;
                    // A question whose answer is not shown is for the password.
                    let secret = if prompt.echo { None } else { secrets.pop() };
                    let secret = match (secret, &self.options.ask) {
                        (Some(secret), _) => Some(secret),
                        (None, Some(ask)) => {
                            let login = self.target.login();
                            ask.ask(format!("{login}: {}", printable(&prompt.prompt))).await
                        }
                        (None, None) => None,
                    };
                    match secret {
                        Some(Secret(answer)) => answers.push(answer),
                        None => return Ok(false),
                    }
                }
                let respond = ssh.authenticate_keyboard_interactive_respond(answers);
                reply = self.watched(respond).await?;
            };
            let name = "keyboard-interactive".to_owned();
            if self.is_in(ssh, progress, result, Some(name))? {
                return Ok(true);
            }
            let is_over = secrets.is_empty() && self.options.ask.is_none();
            let times =
                progress.tried.iter().filter(|name| *name == "keyboard-interactive").count();
            if !was_asked || is_over || times >= QUESTIONS {
                break;
            }
        }
        Ok(false)
    }

    pub(super) async fn by_password(
        &self,
        ssh: &mut Session,
        progress: &mut Progress,
    ) -> Result<bool, StorageError> {
        let mut secrets = self.passwords()?;
        for _ in 0..QUESTIONS {
            if !progress.accepts(MethodKind::Password) {
                return Ok(false);
            }
            let (secret, from) = match (secrets.pop(), &self.options.ask) {
                (Some(secret), _) => (secret, self.password_source()),
                (None, Some(ask)) => {
                    match ask.ask(format!("Password of {}", self.target.login())).await {
                        Some(secret) => (secret, "the password".to_owned()),
                        None => return Ok(false),
                    }
                }
                (None, None) => return Ok(false),
            };
            let password = ssh.authenticate_password(&self.target.user, secret.0.clone());
            let result = self.watched(password).await?;
            if self.is_in(ssh, progress, result, Some(from))? {
                let mut known =
                    self.secrets.password.lock().unwrap_or_else(PoisonError::into_inner);
                *known = Some(secret);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The passwords that we have, the best one last.
    fn passwords(&self) -> Result<Vec<Secret>, StorageError> {
        let known = self.secrets.password.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match (&self.options.password_file, known) {
            (_, Some(known)) => Ok(vec![known]),
            (Some(file), None) => Ok(vec![Secret::read(file, "password")?]),
            (None, None) => Ok(Vec::new()),
        }
    }

    fn password_source(&self) -> String {
        match &self.options.password_file {
            Some(file) => format!("the password in {}", file.display()),
            None => "the password".to_owned(),
        }
    }
}

/// What a server may print on somebody's terminal.
fn printable(text: &str) -> String {
    text.trim().chars().filter(|letter| !letter.is_control()).take(200).collect()
}
