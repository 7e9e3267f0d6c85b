//! Every setting that can stand in the environment and in the configuration file, in one list.

use std::borrow::Cow;

use super::value;
use crate::judge::matcher;
use crate::network_target::{self, NetworkTarget};

/// One setting. Its name makes the option (`--max-delay`), the variable (`PERSEVERE_MAX_DELAY`) and
/// the key in the file (`max-delay`).
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    /// The table it stands in; empty for the top of the file.
    pub(super) table: &'static str,
    pub(super) takes: Takes,
    pub(super) check: fn(&str) -> Result<(), String>,
}

/// How a value is written in TOML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// `preset = "balanced"`, `deadline = "5m"`.
    Text,
    /// `attempts = 5`, and `"unlimited"`.
    WholeOrText,
    /// `multiplier = 1.5`.
    Number,
    /// `no-jitter = true`.
    Flag,
    /// `retry-on = [7, "28-30", "connection lost"]`.
    List,
}

/// Makes a key, with a check that only drops the value of the parser.
macro_rules! key {
    ($table:literal, $name:literal, $takes:ident, $parse:path) => {
        Key {
            name: $name,
            table: $table,
            takes: Takes::$takes,
            check: |text| $parse(text).map(drop),
        }
    };
}

pub(crate) static PRESET: Key = key!("", "preset", Text, value::preset);
pub(crate) static ATTEMPTS: Key = key!("", "attempts", WholeOrText, value::attempts);
pub(crate) static INITIAL_DELAY: Key = key!("", "initial-delay", Text, value::duration);
pub(crate) static MAX_DELAY: Key = key!("", "max-delay", Text, value::duration);
pub(crate) static MULTIPLIER: Key = key!("", "multiplier", Number, value::number);
pub(crate) static JITTER: Key = key!("", "jitter", Text, value::jitter);
pub(crate) static NO_JITTER: Key = key!("", "no-jitter", Flag, value::flag);
pub(crate) static DEADLINE: Key = key!("", "deadline", Text, value::time_limit);
pub(crate) static ATTEMPT_TIMEOUT: Key = key!("", "attempt-timeout", Text, value::time_limit);
pub(crate) static MAX_RETRY_AFTER: Key = key!("", "max-retry-after", Text, value::duration);
pub(crate) static STOP_UNKNOWN: Key = key!("", "stop-unknown", Flag, value::flag);
pub(crate) static WAIT_FOR_NETWORK: Key = key!("", "wait-for-network", Flag, value::flag);
pub(crate) static MAX_NETWORK_WAIT: Key = key!("", "max-network-wait", Text, value::duration);
pub(crate) static LOG_FORMAT: Key = key!("", "log-format", Text, value::log_format);
pub(crate) static LOG_LEVEL: Key = key!("", "log-level", Text, value::log_level);
pub(crate) static RETRY_ON: Key = key!("run", "retry-on", List, matcher::parse);
pub(crate) static STOP_ON: Key = key!("run", "stop-on", List, matcher::parse);
pub(crate) static QUIET_FAILURES: Key = key!("run", "quiet-failures", Flag, value::flag);
pub(crate) static INHERIT_STDERR: Key = key!("run", "inherit-stderr", Flag, value::flag);
pub(crate) static KILL_AFTER: Key = key!("run", "kill-after", Text, value::duration);

pub(crate) static NETWORK_TARGET: Key = key!("run", "network-target", Text, NetworkTarget::parse);
pub(crate) static ENDPOINT: Key = key!("storage", "endpoint", Text, value::endpoint);
pub(crate) static REGION: Key = key!("storage", "region", Text, value::text);
pub(crate) static PROFILE: Key = key!("storage", "profile", Text, value::text);
pub(crate) static NO_SIGN_REQUEST: Key = key!("storage", "no-sign-request", Flag, value::flag);
pub(crate) static CA_FILE: Key = key!("storage", "ca-file", List, value::path);
pub(crate) static IDENTITY: Key = key!("storage", "identity", Text, value::path);
pub(crate) static KNOWN_HOSTS: Key = key!("storage", "known-hosts", Text, value::path);
pub(crate) static ACCEPT_NEW_HOST_KEY: Key =
    key!("storage", "accept-new-host-key", Flag, value::flag);
pub(crate) static PASSWORD_FILE: Key = key!("storage", "password-file", Text, value::path);
pub(crate) static STALLED_AFTER: Key = key!("storage", "stalled-after", Text, value::time_limit);
pub(crate) static PART_SIZE: Key = key!("storage", "part-size", WholeOrText, value::size);
pub(crate) static CONCURRENCY: Key = key!("storage", "concurrency", WholeOrText, value::count);
pub(crate) static JOBS: Key = key!("storage", "jobs", WholeOrText, value::count);
pub(crate) static NO_PROGRESS: Key = key!("storage", "no-progress", Flag, value::flag);

pub(super) static ALL: [&Key; 35] = [
    &PRESET,
    &ATTEMPTS,
    &INITIAL_DELAY,
    &MAX_DELAY,
    &MULTIPLIER,
    &JITTER,
    &NO_JITTER,
    &DEADLINE,
    &ATTEMPT_TIMEOUT,
    &MAX_RETRY_AFTER,
    &STOP_UNKNOWN,
    &WAIT_FOR_NETWORK,
    &MAX_NETWORK_WAIT,
    &LOG_FORMAT,
    &LOG_LEVEL,
    &RETRY_ON,
    &STOP_ON,
    &QUIET_FAILURES,
    &INHERIT_STDERR,
    &KILL_AFTER,
    &NETWORK_TARGET,
    &ENDPOINT,
    &REGION,
    &PROFILE,
    &NO_SIGN_REQUEST,
    &CA_FILE,
    &IDENTITY,
    &KNOWN_HOSTS,
    &ACCEPT_NEW_HOST_KEY,
    &PASSWORD_FILE,
    &STALLED_AFTER,
    &PART_SIZE,
    &CONCURRENCY,
    &JOBS,
    &NO_PROGRESS,
];

/// The tables of the file that hold settings.
pub(super) const TABLES: [&str; 2] = ["run", "storage"];

/// The names of all variables.
pub(super) fn variables() -> impl Iterator<Item = String> {
    ALL.into_iter().map(Key::variable)
}

impl Key {
    pub(crate) fn option(&self) -> String {
        format!("--{}", self.name)
    }

    pub(crate) fn variable(&self) -> String {
        format!("PERSEVERE_{}", self.name.to_ascii_uppercase().replace('-', "_"))
    }

    /// Checks a value without keeping it; the error says what is allowed.
    pub(crate) fn check(&self, text: &str) -> Result<(), String> {
        (self.check)(text)
    }

    /// A value as it can be repeated in a message.
    pub(super) fn shown<'a>(&self, value: &'a str) -> Cow<'a, str> {
        match self.name {
            name if name == NETWORK_TARGET.name => network_target::shown(value),
            // It may hold a password or a signature.
            name if name == ENDPOINT.name && value.contains(['@', '?']) => {
                network_target::shown(value)
            }
            _ => value.into(),
        }
    }

    /// Whether its option can stand without a value.
    pub(crate) fn is_flag(&self) -> bool {
        self.takes == Takes::Flag
    }

    /// The key that `--max-delay` sets.
    pub(crate) fn of_option(written: &str) -> Option<&'static Self> {
        ALL.into_iter().find(|key| key.option() == written)
    }

    /// The key of this name in a table of the file, written with `-` or with `_`.
    pub(super) fn in_file(table: &str, written: &str) -> Option<&'static Self> {
        let name = written.replace('_', "-");
        let same = |key: &&Self| key.table == table && key.name == name;
        ALL.into_iter().find(same)
    }

    /// The names that a table of the file can have.
    pub(super) fn names(table: &str) -> String {
        let names: Vec<_> =
            ALL.iter().filter(|key| key.table == table).map(|key| key.name).collect();
        names.join(", ")
    }
}
