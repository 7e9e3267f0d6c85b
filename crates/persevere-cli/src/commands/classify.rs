//! `persevere classify`: what error detection says, without running anything.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use persevere::detect::Detector;
use persevere::{Kind, Provider, Verdict};
use serde::Serialize;
use serde_json::Value;

use crate::error::{CliError, reason};
use crate::judge::Rules;
use crate::judge::ending::Ending;
use crate::output;
use crate::settings::Settings;
use crate::text;

/// Say whether a failure is worth a retry, and which rule says so.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(crate) struct ClassifyArgs {
    /// The message to classify, or - to classify each line of standard input
    #[arg(value_name = "TEXT")]
    text: Option<OsString>,

    /// Classify an HTTP answer by its status, with TEXT as its body
    #[arg(long, value_name = "N", allow_negative_numbers = true,
          conflicts_with_all = ["exit_status", "jsonl"])]
    http_status: Option<String>,

    /// Add a header of the HTTP answer, such as 'Retry-After: 7'; can be repeated
    #[arg(long = "header", value_name = "NAME: VALUE", requires = "http_status")]
    headers: Vec<String>,

    /// Classify a command by its exit status, with TEXT as its standard error, as `run` does
    #[arg(long, value_name = "N", allow_negative_numbers = true, conflicts_with = "jsonl")]
    exit_status: Option<String>,

    /// The program whose exit status it is, such as curl: for some, statuses have a meaning of their own
    #[arg(long, value_name = "NAME", requires = "exit_status")]
    program: Option<String>,

    /// Whose service it is, where the same answer means different things: aws, s3, azure, gcs, grpc, ssh,
    /// vsphere, postgres, mysql, redis, kafka, kubernetes or openstack
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,

    /// Read one JSON object per line from standard input, and classify its field "text"
    #[arg(long, conflicts_with = "text")]
    jsonl: bool,

    /// Take [[rules]] from this configuration file [default: as for `run`]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Print one JSON object per input: retryable, kind, rule, reason, retry_after_ms
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
Exit status:
  0 whatever the verdict is, 2 for bad input.

Examples:
  persevere classify 'curl: (7) Failed to connect: Connection refused'
  persevere classify --http-status 503 --header 'Retry-After: 7'
  persevere classify --http-status 403 '{\"error\": {\"errors\": [{\"reason\": \"rateLimitExceeded\"}]}}'
  persevere classify --http-status 408 --provider azure
  persevere classify --program curl --exit-status 28
  grep ERROR app.log | persevere classify --json -";

impl ClassifyArgs {
    pub(crate) fn settings(&self) -> Result<Settings, CliError> {
        Settings::load_file(self.config.as_deref())
    }

    pub(crate) fn run(&self, settings: &Settings) -> Result<(), CliError> {
        let detector = self.detector(settings)?;
        let text = self.text.as_deref().map(OsStr::to_string_lossy);
        if let Some(status) = &self.http_status {
            return self.tell(self.http_verdict(&detector, status, text.as_deref())?);
        }
        match (&self.exit_status, text.as_deref()) {
            (Some(_), Some("-")) => Err(CliError::usage(
                "--exit-status takes TEXT as an argument, not from standard input",
            )),
            (Some(status), text) => {
                let ending = Ending::Exited(exit_status(status)?);
                let program = self.program.clone().unwrap_or_default();
                let rules = Rules { program, detector, ..Rules::default() };
                self.tell(rules.judge(&ending, text.unwrap_or_default()))
            }
            (None, Some("-")) => self.each_line(&detector, |_, line| Ok(Some(line.to_owned()))),
            (None, Some(text)) => self.tell(detector.text(text)),
            (None, None) if self.jsonl => self.each_line(&detector, text_of_object),
            (None, None) => Err(CliError::usage(
                "classify needs a TEXT, - for standard input, --jsonl, --http-status or --exit-status",
            )),
        }
    }

    fn detector(&self, settings: &Settings) -> Result<Detector, CliError> {
        let detector = settings.detector();
        let Some(name) = &self.provider else { return Ok(detector) };
        let provider = name.parse().map_err(|_| {
            let names = Provider::ALL.map(Provider::name).join(", ");
            CliError::usage(format!("--provider is '{name}', but must be one of {names}"))
        })?;
        Ok(detector.provider(provider))
    }

    fn http_verdict(
        &self,
        detector: &Detector,
        status: &str,
        body: Option<&str>,
    ) -> Result<Verdict, CliError> {
        let refused = || {
            CliError::usage(format!(
                "--http-status is '{status}', but must be a number from 100 to 599"
            ))
        };
        let number: u16 = status.parse().map_err(|_| refused())?;
        let status = StatusCode::from_u16(number)
            .ok()
            .filter(|status| status.as_u16() < 600)
            .ok_or_else(refused)?;
        let mut headers = HeaderMap::new();
        for written in &self.headers {
            let (name, value) = header(written)?;
            headers.append(name, value);
        }
        let verdict = detector.answer(status.as_u16(), body.unwrap_or_default().as_bytes());
        Ok(persevere::http::with_headers(verdict, status, &headers, SystemTime::now()))
    }

    fn each_line(
        &self,
        detector: &Detector,
        text_of: fn(usize, &str) -> Result<Option<String>, CliError>,
    ) -> Result<(), CliError> {
        let mut input = io::stdin().lock();
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let read = input.read_until(b'\n', &mut line).map_err(|error| {
                let reason = reason(&error);
                CliError::usage(format!("cannot read standard input: {reason}"))
            })?;
            if read == 0 {
                break;
            }
            let line = String::from_utf8_lossy(&line);
            let Some(text) = text_of(number, line.trim_end_matches(['\n', '\r']))? else {
                continue;
            };
            let verdict = detector.text(&text);
            if !write_line(&match self.json {
                true => as_json(verdict)?,
                false => format!("{} | {}", with_rule(verdict), text::cut(&text, 120)),
            })? {
                break;
            }
        }
        Ok(())
    }

    fn tell(&self, verdict: Verdict) -> Result<(), CliError> {
        write_line(&match self.json {
            true => as_json(verdict)?,
            false => with_rule(verdict),
        })
        .map(drop)
    }
}

/// `false` when nobody reads any more.
fn write_line(line: &str) -> Result<bool, CliError> {
    let line = format!("{}\n", text::one_line(line));
    let written = io::stdout().write_all(line.as_bytes());
    let open = written.is_ok();
    output::ignore_closed(written, "standard output").map(|()| open)
}

/// The field `text`; an empty line is no input.
fn text_of_object(number: usize, line: &str) -> Result<Option<String>, CliError> {
    if line.trim().is_empty() {
        return Ok(None);
    }
    let refused = |problem: String| {
        CliError::usage(format!(
            "standard input, line {number}: must be a JSON object with a field \"text\", but {problem}"
        ))
    };
    let value: Value =
        serde_json::from_str(line).map_err(|error| refused(format!("it is no JSON: {error}")))?;
    match value.get("text") {
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(refused("its \"text\" is no string".to_owned())),
        None => Err(refused("there is no such field".to_owned())),
    }
}

fn exit_status(text: &str) -> Result<u8, CliError> {
    match text.parse() {
        Ok(0) | Err(_) => Err(CliError::usage(format!(
            "--exit-status is '{text}', but must be a number from 1 to 255 (0 is success)"
        ))),
        Ok(status) => Ok(status),
    }
}

fn header(written: &str) -> Result<(HeaderName, HeaderValue), CliError> {
    let parsed = written.split_once(':').and_then(|(name, value)| {
        let name = HeaderName::try_from(name.trim()).ok()?;
        Some((name, HeaderValue::try_from(value.trim()).ok()?))
    });
    parsed.ok_or_else(|| {
        CliError::usage(format!(
            "--header is '{written}', but must be a name and a value, such as 'Retry-After: 7'"
        ))
    })
}

/// What `--json` prints.
#[derive(Serialize)]
struct Classified {
    retryable: bool,
    kind: &'static str,
    rule: &'static str,
    reason: String,
    retry_after_ms: Option<u64>,
}

fn as_json(verdict: Verdict) -> Result<String, CliError> {
    let wait = verdict.hint().map(|wait| wait.as_millis());
    let classified = Classified {
        retryable: verdict.is_retryable(),
        kind: verdict.kind().name(),
        rule: verdict.rule(),
        reason: sentence(verdict),
        retry_after_ms: wait.map(|wait| u64::try_from(wait).unwrap_or(u64::MAX)),
    };
    output::json(&classified)
}

fn sentence(verdict: Verdict) -> String {
    match (verdict.kind(), verdict.http_status()) {
        (Kind::Unknown, Some(status)) if status < 400 => format!("HTTP {status}: no known error"),
        (Kind::Unknown, _) if verdict.is_retryable() => {
            "unknown, so retried unless --stop-unknown is set".to_owned()
        }
        _ => verdict.to_string(),
    }
}

fn with_rule(verdict: Verdict) -> String {
    match verdict.kind() {
        Kind::Unknown => sentence(verdict),
        kind => format!("{} [{kind}, rule {}]", sentence(verdict), verdict.rule()),
    }
}
