//! The policy options, which all commands share, and the policy that they make.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;
use persevere::{Jitter, PolicyError, RetryPolicy};

use crate::error::CliError;
use crate::settings::value::{self, PRESETS};
use crate::settings::{Set, Settings, Source, key};

/// How often to try, how long to wait, when to stop.
#[derive(Debug, Args)]
#[command(next_help_heading = "Policy options")]
pub(crate) struct PolicyArgs {
    /// Start from a named policy [default: balanced]: conservative (2 attempts, first delay 500ms,
    /// longest 5s), balanced (3, 1s, 30s) or aggressive (10, 1s, 60s)
    #[arg(long, value_name = "NAME", hide_possible_values = true,
          value_parser = PossibleValuesParser::new(PRESETS.map(|(name, _)| name)))]
    preset: Option<String>,

    /// Make at most this many attempts, the first one included, or "unlimited" [default: 3]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    attempts: Option<String>,

    /// Wait this long after the first failure, before jitter [default: 1s]
    #[arg(long, value_name = "DURATION")]
    initial_delay: Option<String>,

    /// Never wait longer than this, except where a server asks for it [default: 30s]
    #[arg(long, value_name = "DURATION")]
    max_delay: Option<String>,

    /// Multiply the delay by this after each further failure [default: 2]
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true)]
    multiplier: Option<String>,

    /// Spread the delays at random [default: proportional]: proportional (±25%), full, equal,
    /// decorrelated or none
    #[arg(long, value_name = "NAME", hide_possible_values = true,
          value_parser = PossibleValuesParser::new(Jitter::ALL.map(Jitter::name)))]
    jitter: Option<String>,

    /// Wait exactly the exponential delay, the same as --jitter none [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    no_jitter: Option<String>,

    /// Give up when this much time has passed since the start, waits included [default: none]
    #[arg(long, value_name = "DURATION")]
    deadline: Option<String>,

    /// Stop an attempt that takes longer than this, and retry it [default: none]
    #[arg(long, value_name = "DURATION")]
    attempt_timeout: Option<String>,

    /// Give up if a server asks for a longer wait than this [default: 5m]
    #[arg(long, value_name = "DURATION")]
    max_retry_after: Option<String>,

    /// Do not retry failures that nothing is known about [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    stop_unknown: Option<String>,

    /// While the network is down, wait for it in place of using up attempts [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    wait_for_network: Option<String>,

    /// Give up when one outage lasts longer than this; at most 10 attempts are repeated after outages
    /// without being counted [default: 10m]
    #[arg(long, value_name = "DURATION")]
    max_network_wait: Option<String>,

    /// Read settings from this file [default: ~/.config/persevere/config.toml, if it exists]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// The policy, and what belongs to a single call.
#[derive(Debug)]
pub(crate) struct Limits {
    pub(crate) policy: RetryPolicy,
    pub(crate) preset: &'static str,
    pub(crate) deadline: Option<Duration>,
    pub(crate) attempt_timeout: Option<Duration>,
    /// Whether somebody has set how long the network is waited for.
    pub(crate) network_wait_is_set: bool,
    /// Who asked for attempts without limit.
    pub(crate) unlimited: Option<Source>,
    /// What stands in the environment and the file: `PERSEVERE_ATTEMPTS`, `FILE:3: attempts`.
    pub(crate) inherited: Vec<String>,
}

impl PolicyArgs {
    /// The environment and the configuration file that stand below these options.
    pub(crate) fn settings(&self) -> Result<Settings, CliError> {
        Settings::load(self.config.as_deref())
    }

    /// Checks everything, and makes the policy.
    pub(crate) fn limits(&self, settings: &Settings) -> Result<Limits, CliError> {
        let written = Written::read(self, settings)?;
        let preset = written.preset.as_ref().map_or(1, |preset| preset.value);
        let (preset, base) = PRESETS[preset];
        let policy = written.policy(preset, base)?;
        let unlimited = policy.max_attempts() == RetryPolicy::UNLIMITED_ATTEMPTS;
        let attempts = written.attempts.as_ref().filter(|_| unlimited);
        Ok(Limits {
            policy,
            preset,
            deadline: written.deadline.as_ref().map(|set| set.value),
            attempt_timeout: written.attempt_timeout.as_ref().map(|set| set.value),
            network_wait_is_set: written.max_network_wait.is_some(),
            unlimited: attempts.map(|set| set.source.clone()),
            inherited: written.inherited(),
        })
    }
}

/// The policy as it was written, by whoever comes first: option, variable, file.
struct Written {
    preset: Option<Set<usize>>,
    attempts: Option<Set<u32>>,
    initial_delay: Option<Set<Duration>>,
    max_delay: Option<Set<Duration>>,
    multiplier: Option<Set<f64>>,
    jitter: Option<Set<Jitter>>,
    deadline: Option<Set<Duration>>,
    attempt_timeout: Option<Set<Duration>>,
    max_retry_after: Option<Set<Duration>>,
    stop_unknown: Option<Set<bool>>,
    wait_for_network: Option<Set<bool>>,
    max_network_wait: Option<Set<Duration>>,
}

impl Written {
    fn read(args: &PolicyArgs, settings: &Settings) -> Result<Self, CliError> {
        let duration = |key, option: &Option<String>, parse| {
            settings.get::<Duration>(key, option.as_deref(), parse)
        };
        Ok(Self {
            preset: settings.get(&key::PRESET, args.preset.as_deref(), value::preset)?,
            attempts: settings.get(&key::ATTEMPTS, args.attempts.as_deref(), value::attempts)?,
            initial_delay: duration(&key::INITIAL_DELAY, &args.initial_delay, value::duration)?,
            max_delay: duration(&key::MAX_DELAY, &args.max_delay, value::duration)?,
            multiplier: settings.get(
                &key::MULTIPLIER,
                args.multiplier.as_deref(),
                value::number,
            )?,
            jitter: read_jitter(args, settings)?,
            deadline: duration(&key::DEADLINE, &args.deadline, value::time_limit)?,
            attempt_timeout: duration(
                &key::ATTEMPT_TIMEOUT,
                &args.attempt_timeout,
                value::time_limit,
            )?,
            max_retry_after: duration(
                &key::MAX_RETRY_AFTER,
                &args.max_retry_after,
                value::duration,
            )?,
            stop_unknown: settings.get(
                &key::STOP_UNKNOWN,
                args.stop_unknown.as_deref(),
                value::flag,
            )?,
            wait_for_network: settings.get(
                &key::WAIT_FOR_NETWORK,
                args.wait_for_network.as_deref(),
                value::flag,
            )?,
            max_network_wait: duration(
                &key::MAX_NETWORK_WAIT,
                &args.max_network_wait,
                value::duration,
            )?,
        })
    }

    fn policy(&self, preset: &'static str, base: RetryPolicy) -> Result<RetryPolicy, CliError> {
        fn or<T: Copy>(set: &Option<Set<T>>, base: T) -> T {
            set.as_ref().map_or(base, |set| set.value)
        }
        base.to_builder()
            .max_attempts(or(&self.attempts, base.max_attempts()))
            .initial_delay(or(&self.initial_delay, base.initial_delay()))
            .max_delay(or(&self.max_delay, base.max_delay()))
            .multiplier(or(&self.multiplier, base.multiplier()))
            .jitter(or(&self.jitter, base.jitter()))
            .max_retry_after(or(&self.max_retry_after, base.max_retry_after()))
            .retry_unknown(!or(&self.stop_unknown, false))
            .wait_for_network(or(&self.wait_for_network, false))
            .max_network_wait(or(&self.max_network_wait, base.max_network_wait()))
            .build()
            .map_err(|error| self.refused(preset, &error))
    }

    /// The engine's words, with the names that stand in options.
    fn refused(&self, preset: &'static str, error: &PolicyError) -> CliError {
        fn set<T>(set: &Option<Set<T>>) -> Option<(&Source, &str)> {
            set.as_ref().map(|set| (&set.source, set.written.as_str()))
        }
        let allowed = match (error.field(), &self.max_delay) {
            ("initial_delay", Some(max)) => {
                format!("at most {}, which is {}", max.source, max.written)
            }
            _ => error.allowed().replace("max_delay", "--max-delay"),
        };
        let set = match error.field() {
            "initial_delay" => set(&self.initial_delay),
            "max_delay" => set(&self.max_delay),
            "multiplier" => set(&self.multiplier),
            "max_retry_after" => set(&self.max_retry_after),
            "max_network_wait" => set(&self.max_network_wait),
            _ => None,
        };
        match set {
            Some((source, written)) => source.refuse(written, &allowed),
            // Only an initial delay that is above a given maximum.
            None => CliError::usage(format!(
                "--{} is '{}' by the preset {preset}, but must be {allowed}; set it as well",
                error.field().replace('_', "-"),
                error.value(),
            )),
        }
    }

    fn inherited(&self) -> Vec<String> {
        let sources = [
            source(&self.preset),
            source(&self.attempts),
            source(&self.initial_delay),
            source(&self.max_delay),
            source(&self.multiplier),
            source(&self.jitter),
            source(&self.deadline),
            source(&self.attempt_timeout),
            source(&self.max_retry_after),
            source(&self.stop_unknown),
            source(&self.wait_for_network),
            source(&self.max_network_wait),
        ];
        let sources = sources.into_iter().flatten();
        sources
            .filter(|source| !matches!(source, Source::Option(_)))
            .map(ToString::to_string)
            .collect()
    }
}

fn source<T>(set: &Option<Set<T>>) -> Option<&Source> {
    set.as_ref().map(|set| &set.source)
}

/// `jitter` and `no-jitter` say the same thing twice: the higher source wins.
fn read_jitter(args: &PolicyArgs, settings: &Settings) -> Result<Option<Set<Jitter>>, CliError> {
    let jitter = settings.get(&key::JITTER, args.jitter.as_deref(), value::jitter)?;
    let none = settings
        .get(&key::NO_JITTER, args.no_jitter.as_deref(), value::flag)?
        .filter(|no_jitter| no_jitter.value)
        .map(|Set { written, source, .. }| Set { value: Jitter::None, written, source });
    match (jitter, none) {
        (Some(jitter), Some(none)) if jitter.source.rank() == none.source.rank() => {
            contradiction(&jitter, none)
        }
        (Some(jitter), Some(none)) if jitter.source.rank() > none.source.rank() => Ok(Some(jitter)),
        (jitter, none) => Ok(none.or(jitter)),
    }
}

fn contradiction(jitter: &Set<Jitter>, none: Set<Jitter>) -> Result<Option<Set<Jitter>>, CliError> {
    match jitter.value {
        Jitter::None => Ok(Some(none)),
        other => Err(CliError::usage(format!(
            "{} is '{other}', but {} asks for none: leave one of them out",
            jitter.source, none.source
        ))),
    }
}
