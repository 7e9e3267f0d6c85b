//! Logs on standard error, one line per event, as the requirement prints them:
//! `[WARN] operation failed, retrying | operation=sh, attempt=1, max_attempts=3, delay=1s`.

use std::env;
use std::fmt::{self, Write as _};
use std::io::{IsTerminal, stderr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use persevere::End;
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry;

use crate::cli::LogArgs;
use crate::error::CliError;
use crate::output;
use crate::settings::{Settings, key, value};
use crate::text;

/// Begins to log as the options say.
pub(crate) fn start(args: &LogArgs, settings: &Settings) -> Result<(), CliError> {
    let level = match (args.quiet, args.log_level.as_deref()) {
        (true, Some(level)) if level != "off" => {
            let message =
                format!("--quiet is --log-level off, so --log-level {level} contradicts it");
            return Err(CliError::usage(message));
        }
        (true, _) => Some("off"),
        (false, level) => level,
    };
    let level = settings.get(&key::LOG_LEVEL, level, value::log_level)?;
    let format = settings.get(&key::LOG_FORMAT, args.log_format.as_deref(), value::log_format)?;
    let lines = Lines {
        json: format.is_some_and(|json| json.value),
        colours: stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|it| it.is_empty()),
    };
    let level = level.map_or(LevelFilter::INFO, |level| level.value);
    // Nobody else sets one, so this is the first.
    let _first = tracing::subscriber::set_global_default(registry().with(level).with(lines));
    Ok(())
}

/// Whether the failure that the engine will log next comes from a signal to us.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The run has been told to end, and makes no further attempt for no other reason.
#[cfg_attr(not(unix), allow(dead_code))]
pub(crate) fn interrupted() {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

/// Whether the command that runs tells of ends by itself, in its own words.
static TELLS_ENDS: AtomicBool = AtomicBool::new(false);

/// From now on the engine's last words about a call are left out, where they only repeat what the
/// command will say: a first failure that is final, and the end of the whole command.
pub(crate) fn command_tells_ends() {
    TELLS_ENDS.store(true, Ordering::Relaxed);
}

/// What the program itself tells between the lines of the log: without a level, unless it is JSON.
pub(crate) const NARRATION: &str = "narration";

/// Writes each event as a line.
struct Lines {
    json: bool,
    colours: bool,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let target = event.metadata().target();
        if target.starts_with("s3s") {
            // The server that `demo` has within it: whoever asks it hears what it answers.
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        if TELLS_ENDS.load(Ordering::Relaxed) && fields.are_an_end() {
            return;
        }
        if INTERRUPTED.load(Ordering::Relaxed) {
            fields.tell_of_interruption();
        }
        let level = *event.metadata().level();
        let line = match (self.json, target == NARRATION, self.colours) {
            (true, true, _) if fields.message.is_empty() => return,
            (true, ..) => json_line(level, SystemTime::now(), &fields),
            (_, false, colours) => text_line(level, colours, &fields),
            (_, true, true) => format!("\x1b[1m{}\x1b[0m", text::one_line(&fields.message)),
            (_, true, false) => text::one_line(&fields.message),
        };
        output::error_line(&line);
    }
}

fn text_line(level: Level, colours: bool, fields: &Fields) -> String {
    let colour = match level {
        _ if !colours => None,
        Level::ERROR => Some("31"),
        Level::WARN => Some("33"),
        Level::INFO => Some("32"),
        _ => Some("2"),
    };
    let level = match colour {
        Some(colour) => format!("\x1b[{colour}m{level}\x1b[0m"),
        None => level.to_string(),
    };
    let mut line = format!("[{level}] {}", text::one_line(&fields.message));
    for (index, (name, value)) in fields.others.iter().enumerate() {
        let value = match value {
            Value::String(text) => text::one_line(text),
            other => other.to_string(),
        };
        let before = if index == 0 { " | " } else { ", " };
        // Writing to a string cannot fail.
        let _written = write!(line, "{before}{name}={value}");
    }
    line
}

fn json_line(level: Level, now: SystemTime, fields: &Fields) -> String {
    let mut line = format!(
        "{{\"timestamp\":\"{}\",\"level\":\"{level}\",\"message\":{}",
        text::timestamp(now),
        Value::from(fields.message.as_str()),
    );
    for (name, value) in &fields.others {
        let _written = write!(line, ",{}:{value}", Value::from(*name));
    }
    line.push('}');
    line
}

/// The fields of an event, in their order.
#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, Value)>,
}

impl Fields {
    fn push(&mut self, field: &Field, value: impl Into<Value>) {
        match (field.name(), value.into()) {
            ("message", Value::String(message)) => self.message = message,
            (name, value) => self.others.push((name, value)),
        }
    }
}

impl Fields {
    fn are_an_end(&self) -> bool {
        [End::NonRetryable, End::Cancelled, End::Deadline]
            .iter()
            .any(|end| self.message == end.message())
    }

    /// The engine knows only that the run says no to another attempt, and takes the error for hopeless.
    fn tell_of_interruption(&mut self) {
        if self.message != End::NonRetryable.message() {
            return;
        }
        self.message = End::Cancelled.message().to_owned();
        for (name, _) in &mut self.others {
            // As the engine names it in this event.
            if *name == "attempt" {
                *name = "attempts";
            }
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.push(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.push(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.push(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.push(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.push(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.push(field, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retrying() -> Fields {
        Fields {
            message: "operation failed, retrying".to_owned(),
            others: vec![
                ("operation", "sh".into()),
                ("attempt", 1.into()),
                ("error", "two\nlines \x1b[31mred".into()),
            ],
        }
    }

    #[test]
    fn an_event_is_one_line() {
        assert_eq!(
            text_line(Level::WARN, false, &retrying()),
            "[WARN] operation failed, retrying | operation=sh, attempt=1, error=two lines  [31mred"
        );
    }

    #[test]
    fn an_event_is_one_json_object() {
        let line = json_line(Level::WARN, SystemTime::UNIX_EPOCH, &retrying());
        assert!(!line.contains('\n'));
        let object: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(object["timestamp"], "1970-01-01T00:00:00.000Z");
        assert_eq!(object["level"], "WARN");
        assert_eq!(object["attempt"], 1);
        assert_eq!(object["error"], "two\nlines \x1b[31mred");
    }
}
