//! Where a setting comes from: an option, else an environment variable, else the configuration
//! file.

mod file;
pub(crate) mod key;
mod rules;
pub(crate) mod value;
pub(crate) mod variables;

use std::env;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

pub(crate) use file::ConfigFile;
use key::Key;
use persevere::detect::Detector;

use crate::error::CliError;

/// A setting as it was written.
#[derive(Debug, Clone)]
pub(crate) struct Raw {
    pub(crate) text: String,
    pub(crate) source: Source,
}

/// A setting that was understood, and where it stood.
#[derive(Debug, Clone)]
pub(crate) struct Set<T> {
    pub(crate) value: T,
    /// For messages, which show what was written and no rounded form of it.
    pub(crate) written: String,
    pub(crate) source: Source,
}

/// Where a setting stood.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Option(&'static Key),
    Variable(&'static Key),
    File { place: Place, key: &'static Key },
}

/// A line of a file.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    path: Arc<Path>,
    line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path.display(), self.line)
    }
}

/// Begins a sentence about the setting: `--attempts`, `PERSEVERE_ATTEMPTS`, `FILE:3: attempts`.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(key) => f.write_str(&key.option()),
            Self::Variable(key) => f.write_str(&key.variable()),
            Self::File { place, key } => write!(f, "{place}: {}", key.name),
        }
    }
}

impl Source {
    /// A value that cannot be, and what can; `allowed` is read after "must be".
    pub(crate) fn refuse(&self, value: &str, allowed: &str) -> CliError {
        let value = self.key().shown(value);
        CliError::usage(format!("{self} is '{value}', but must be {allowed}"))
    }

    fn key(&self) -> &'static Key {
        match self {
            Self::Option(key) | Self::Variable(key) | Self::File { key, .. } => key,
        }
    }

    /// The higher wins.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::Option(_) => 3,
            Self::Variable(_) => 2,
            Self::File { .. } => 1,
        }
    }
}

impl Raw {
    /// Understands it, or says what is wrong with it.
    pub(crate) fn parse<T>(self, parse: fn(&str) -> Result<T, String>) -> Result<Set<T>, CliError> {
        let Self { text, source } = self;
        match parse(&text) {
            Ok(value) => Ok(Set { value, written: text, source }),
            Err(allowed) => Err(source.refuse(&text, &allowed)),
        }
    }
}

/// What stands below the options.
#[derive(Debug)]
pub(crate) struct Settings {
    file: ConfigFile,
}

impl Settings {
    /// Reads the configuration file, if there is one, and checks all of it, and the names of the
    /// variables.
    pub(crate) fn load(config: Option<&Path>) -> Result<Self, CliError> {
        variables::check()?;
        let file = ConfigFile::load(config)?;
        Ok(Self { file })
    }

    /// Only the configuration file: for commands that have no other settings.
    pub(crate) fn load_file(config: Option<&Path>) -> Result<Self, CliError> {
        Ok(Self { file: ConfigFile::load(config)? })
    }

    /// Error detection with the rules of the configuration file.
    pub(crate) fn detector(&self) -> Detector {
        match self.file.rules() {
            Some(rules) => Detector::new().rules(rules.clone()),
            None => Detector::new(),
        }
    }

    /// No configuration file: for commands that need none.
    pub(crate) fn without_file() -> Self {
        Self { file: ConfigFile::default() }
    }

    /// The setting by its highest source.
    pub(crate) fn get<T>(
        &self,
        key: &'static Key,
        option: Option<&str>,
        parse: fn(&str) -> Result<T, String>,
    ) -> Result<Option<Set<T>>, CliError> {
        let written = self.list(key, option)?.pop();
        written.map(|raw| raw.parse(parse)).transpose()
    }

    /// The same for a setting that has several values: the highest source gives all of them.
    pub(crate) fn list(
        &self,
        key: &'static Key,
        options: impl IntoIterator<Item: Into<String>>,
    ) -> Result<Vec<Raw>, CliError> {
        let raw = |text: String, source: Source| Raw { text, source };
        let given: Vec<_> =
            options.into_iter().map(|text| raw(text.into(), Source::Option(key))).collect();
        if !given.is_empty() {
            return Ok(given);
        }
        match variable(key)? {
            Some(text) => Ok(vec![raw(text, Source::Variable(key))]),
            None => Ok(self.file.get(key)),
        }
    }
}

/// An empty variable is as good as none.
fn variable(key: &'static Key) -> Result<Option<String>, CliError> {
    let name = key.variable();
    match env::var(&name) {
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => Ok(Some(text)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(text)) => {
            let text = text.to_string_lossy();
            Err(Source::Variable(key).refuse(&text, "valid UTF-8"))
        }
    }
}
