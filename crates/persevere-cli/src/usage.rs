//! What clap says over many lines, in one.

use std::env;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory};

use crate::cli::Cli;
use crate::settings::key::Key;

/// What is wrong with the command line, without the word `error`.
pub(crate) fn one_line(error: &clap::Error) -> String {
    match error.kind() {
        ErrorKind::InvalidValue => invalid_value(error),
        ErrorKind::UnknownArgument => unknown_argument(error),
        ErrorKind::InvalidSubcommand => unknown_command(error),
        ErrorKind::MissingRequiredArgument => missing(error),
        ErrorKind::ArgumentConflict => conflict(error),
        ErrorKind::TooManyValues => superfluous(error),
        ErrorKind::InvalidUtf8 => no_text(),
        _ => None,
    }
    .unwrap_or_else(|| folded(error))
}

fn invalid_value(error: &clap::Error) -> Option<String> {
    let option = option_name(text(error, ContextKind::InvalidArg)?);
    let value = text(error, ContextKind::InvalidValue).unwrap_or_default();
    let allowed = names(error, ContextKind::ValidValue)
        .filter(|names| !names.is_empty())
        .map(|names| format!("one of {}", names.join(", ")));
    Some(match (value, allowed) {
        ("", Some(allowed)) => format!("{option} needs a value, {allowed}"),
        ("", None) => format!("{option} needs a value, see --help"),
        (value, allowed) => format!("{option} is '{value}', but must be {}", allowed?),
    })
}

fn unknown_argument(error: &clap::Error) -> Option<String> {
    let argument = text(error, ContextKind::InvalidArg)?;
    if let Some(message) = negative_value(argument) {
        return Some(message);
    }
    let what = if argument.starts_with('-') { "unknown option" } else { "unexpected argument" };
    let next = match text(error, ContextKind::SuggestedArg) {
        Some(similar) => format!("did you mean {}?", option_name(similar)),
        None => "see --help".to_owned(),
    };
    Some(format!("{what} '{argument}', {next}"))
}

/// To clap the value in `--deadline -5s` is an option `-5`. Were it allowed to take such values, it would
/// also take the option that follows where a value was forgotten.
fn negative_value(refused: &str) -> Option<String> {
    let arguments: Vec<String> =
        env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let is_it = |value: &str| value.starts_with(refused) && is_negative_number(value);
    arguments.windows(2).find_map(|pair| {
        let key = Key::of_option(&pair[0]).filter(|_| is_it(&pair[1]))?;
        let allowed = key.check(&pair[1]).err()?;
        Some(format!("{} is '{}', but must be {allowed}", pair[0], pair[1]))
    })
}

fn is_negative_number(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(|rest| {
        let named = ["inf", "infinity", "nan"];
        rest.starts_with(|first: char| first.is_ascii_digit() || first == '.')
            || named.iter().any(|name| rest.eq_ignore_ascii_case(name))
    })
}

fn unknown_command(error: &clap::Error) -> Option<String> {
    let command = text(error, ContextKind::InvalidSubcommand)?;
    let similar = names(error, ContextKind::SuggestedSubcommand).and_then(<[_]>::first);
    let next = match similar {
        Some(similar) => format!("did you mean '{similar}'?"),
        None => format!("but must be one of {}", commands()),
    };
    Some(format!("unknown command '{command}', {next}"))
}

fn commands() -> String {
    let program = Cli::command();
    let names: Vec<_> = program.get_subcommands().map(Command::get_name).collect();
    names.join(", ")
}

fn missing(error: &clap::Error) -> Option<String> {
    let missing = names(error, ContextKind::InvalidArg)?;
    let missing: Vec<_> = missing.iter().map(|name| option_name(name)).collect();
    Some(format!("{} is missing, see --help", missing.join(" and ")))
}

fn conflict(error: &clap::Error) -> Option<String> {
    let option = option_name(text(error, ContextKind::InvalidArg)?);
    let other = text(error, ContextKind::PriorArg)
        .or_else(|| Some(names(error, ContextKind::PriorArg)?.first()?.as_str()))?;
    let other = option_name(other);
    Some(format!("{option} cannot be used with {other}: leave one of them out"))
}

fn superfluous(error: &clap::Error) -> Option<String> {
    let option = option_name(text(error, ContextKind::InvalidArg)?);
    let value = text(error, ContextKind::InvalidValue)?;
    Some(format!("{option} takes no value, but was given '{value}'"))
}

/// clap does not say where. Paths may be anything, and what follows `--` is not for us.
fn no_text() -> Option<String> {
    let arguments: Vec<_> =
        env::args_os().skip(1).take_while(|argument| argument != "--").collect();
    let shown: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
    let broken = (0..arguments.len()).filter(|&at| arguments[at].to_str().is_none());
    let of = |at: usize| match (shown[at].split_once('='), at.checked_sub(1)) {
        (Some((option, value)), _) if option.starts_with("--") => (option, value),
        (_, Some(before)) => (shown[before].as_ref(), shown[at].as_ref()),
        (_, None) => ("an argument", shown[at].as_ref()),
    };
    let takes_path = |option: &str| ["--config", "--report", "--svg", "--png"].contains(&option);
    let (option, value) = broken.map(of).find(|(option, _)| !takes_path(option))?;
    let option = if option.starts_with('-') { option } else { "an argument" };
    Some(format!("{option} is '{value}', but must be valid UTF-8"))
}

/// `--preset <NAME>` is known as `--preset`, and `<COMMAND>...` as `COMMAND`.
fn option_name(shown: &str) -> &str {
    let first = shown.split([' ', '=']).next().unwrap_or(shown);
    let name = match first.split_once('[') {
        Some((name, _)) if !name.is_empty() => name,
        _ => first,
    };
    name.trim_end_matches('.').trim_matches(['<', '>', '[', ']'])
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text),
        _ => None,
    }
}

fn names(error: &clap::Error, kind: ContextKind) -> Option<&[String]> {
    match error.get(kind)? {
        ContextValue::Strings(names) => Some(names),
        _ => None,
    }
}

/// The first paragraph: what follows is usage and tips.
fn folded(error: &clap::Error) -> String {
    let rendered = error.render().to_string();
    let lines = rendered.lines().map(str::trim);
    let paragraph: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    let message = paragraph.join(" ");
    message.strip_prefix("error: ").unwrap_or(&message).to_owned()
}
