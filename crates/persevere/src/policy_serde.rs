//! [`RetryPolicy`] in configuration files, with durations as people write them, and every field
//! optional.

use std::time::Duration;

use serde::de::{Error as _, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::jitter::Jitter;
use crate::policy::RetryPolicy;

/// The policy as it is written. What is left out is taken from the preset.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    preset: Preset,
    max_attempts: Option<u32>,
    initial_delay: Option<WrittenDuration>,
    max_delay: Option<WrittenDuration>,
    multiplier: Option<f64>,
    jitter: Option<Jitter>,
    retry_unknown: Option<bool>,
    wait_for_network: Option<bool>,
    max_network_wait: Option<WrittenDuration>,
    max_retry_after: Option<WrittenDuration>,
}

#[derive(Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Preset {
    Conservative,
    #[default]
    Balanced,
    Aggressive,
}

#[derive(Serialize)]
struct Shown {
    max_attempts: u32,
    initial_delay: WrittenDuration,
    max_delay: WrittenDuration,
    multiplier: f64,
    jitter: Jitter,
    retry_unknown: bool,
    wait_for_network: bool,
    max_network_wait: WrittenDuration,
    max_retry_after: WrittenDuration,
}

impl<'de> Deserialize<'de> for RetryPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        let preset = match written.preset {
            Preset::Conservative => Self::conservative(),
            Preset::Balanced => Self::balanced(),
            Preset::Aggressive => Self::aggressive(),
        };
        let or = |written: Option<WrittenDuration>, preset| written.map_or(preset, |it| it.0);
        preset
            .to_builder()
            .max_attempts(written.max_attempts.unwrap_or(preset.max_attempts()))
            .initial_delay(or(written.initial_delay, preset.initial_delay()))
            .max_delay(or(written.max_delay, preset.max_delay()))
            .multiplier(written.multiplier.unwrap_or(preset.multiplier()))
            .jitter(written.jitter.unwrap_or(preset.jitter()))
            .retry_unknown(written.retry_unknown.unwrap_or(preset.retry_unknown()))
            .wait_for_network(written.wait_for_network.unwrap_or(preset.wait_for_network()))
            .max_network_wait(or(written.max_network_wait, preset.max_network_wait()))
            .max_retry_after(or(written.max_retry_after, preset.max_retry_after()))
            .build()
            .map_err(D::Error::custom)
    }
}

impl Serialize for RetryPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = Shown {
            max_attempts: self.max_attempts(),
            initial_delay: WrittenDuration(self.initial_delay()),
            max_delay: WrittenDuration(self.max_delay()),
            multiplier: self.multiplier(),
            jitter: self.jitter(),
            retry_unknown: self.retry_unknown(),
            wait_for_network: self.wait_for_network(),
            max_network_wait: WrittenDuration(self.max_network_wait()),
            max_retry_after: WrittenDuration(self.max_retry_after()),
        };
        shown.serialize(serializer)
    }
}

/// `"500ms"`, `"2s"`, `"1m 30s"`.
pub(crate) struct WrittenDuration(Duration);

impl From<WrittenDuration> for Duration {
    fn from(written: WrittenDuration) -> Self {
        written.0
    }
}

impl Serialize for WrittenDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Exact, unlike what is shown in logs.
        serializer.collect_str(&humantime::format_duration(self.0))
    }
}

impl<'de> Deserialize<'de> for WrittenDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let duration = humantime::parse_duration(&text).map_err(|_| {
            let allowed = "a duration such as \"500ms\", \"2s\" or \"1m 30s\"";
            D::Error::invalid_value(Unexpected::Str(&text), &allowed)
        })?;
        Ok(Self(duration))
    }
}

impl Serialize for Jitter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Jitter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JitterVisitor)
    }
}

/// Takes the names, and `true` and `false` as in the Go package.
struct JitterVisitor;

impl Visitor<'_> for JitterVisitor {
    type Value = Jitter;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the name of a jitter, true or false")
    }

    fn visit_bool<E>(self, jitter: bool) -> Result<Jitter, E> {
        Ok(if jitter { Jitter::default() } else { Jitter::None })
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Jitter, E> {
        name.parse().map_err(E::custom)
    }
}
