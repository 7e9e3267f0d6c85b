//! The configuration file.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use persevere::detect::RuleSet;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::key::{Key, TABLES, Takes};
use super::variables::CONFIG;
use super::{Place, Raw, Source, rules};
use crate::error::{CliError, reason};
use crate::text;

/// What the configuration file sets: nothing, if there is none.
#[derive(Debug, Default)]
pub(crate) struct ConfigFile {
    set: Vec<(&'static Key, Vec<Raw>)>,
    rules: Option<RuleSet>,
}

impl ConfigFile {
    /// Reads the file that was asked for, else the one at its usual place if there is one.
    pub(super) fn load(asked: Option<&Path>) -> Result<Self, CliError> {
        if let Some(path) = asked {
            return Self::read(path, "--config");
        }
        if let Some(path) = env::var_os(CONFIG).filter(|path| !path.is_empty()) {
            return Self::read(Path::new(&path), CONFIG);
        }
        match usual_place() {
            Some(path) if is_there(&path) => Self::read(&path, "the configuration file"),
            _ => Ok(Self::default()),
        }
    }

    fn read(path: &Path, asked_by: &str) -> Result<Self, CliError> {
        let shown = path.display();
        let content = fs::read_to_string(path).map_err(|error| match error.kind() {
            ErrorKind::InvalidData => {
                CliError::usage(format!("{asked_by} is '{shown}', but must be UTF-8 text"))
            }
            _ => CliError::usage(format!(
                "{asked_by} is '{shown}', but must be a file that can be read: {}",
                reason(&error)
            )),
        })?;
        Reader { path: path.into(), content: &content }.read()
    }

    pub(super) fn rules(&self) -> Option<&RuleSet> {
        self.rules.as_ref()
    }

    /// The values of a key, in order.
    pub(super) fn get(&self, key: &Key) -> Vec<Raw> {
        let found = self.set.iter().find(|(set, _)| std::ptr::eq(*set, key));
        found.map(|(_, values)| values.clone()).unwrap_or_default()
    }
}

/// Whether there is a file, or at least something that keeps us from knowing: reading tells which.
fn is_there(path: &Path) -> bool {
    match path.try_exists() {
        Ok(exists) => exists,
        // Something on the way is no folder, so nothing can be there.
        Err(error) => error.kind() != ErrorKind::NotADirectory,
    }
}

/// `$XDG_CONFIG_HOME/persevere/config.toml`, else `~/.config/persevere/config.toml`.
fn usual_place() -> Option<PathBuf> {
    // The XDG specification: a relative path is to be ignored.
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(folder.join("persevere").join("config.toml"))
}

struct Reader<'a> {
    path: Arc<Path>,
    content: &'a str,
}

impl Reader<'_> {
    fn read(&self) -> Result<ConfigFile, CliError> {
        let top = DeTable::parse(self.content).map_err(|error| {
            let place = self.place(error.span().unwrap_or_default());
            CliError::usage(format!("{place}: {}", error.message()))
        })?;
        let mut file = ConfigFile::default();
        for (name, value) in top.get_ref() {
            match (name.get_ref().as_ref(), value.get_ref()) {
                ("rules", DeValue::Array(_)) => {}
                ("rules", _) => {
                    return Err(self.refuse(name.span(), "rules", value, "tables, [[rules]]"));
                }
                (table, DeValue::Table(entries)) if TABLES.contains(&table) => {
                    self.read_table(table, entries, &mut file)?;
                }
                (table, _) if TABLES.contains(&table) => {
                    let allowed = format!("a table, [{table}]");
                    return Err(self.refuse(name.span(), table, value, &allowed));
                }
                _ => self.read_entry("", name, value, &mut file)?,
            }
        }
        file.rules = rules::read(self.content).map_err(|(span, problem)| {
            CliError::usage(format!("{}: {problem}", self.place(span)))
        })?;
        Ok(file)
    }

    fn read_table(
        &self,
        table: &str,
        entries: &DeTable<'_>,
        file: &mut ConfigFile,
    ) -> Result<(), CliError> {
        for (name, value) in entries {
            self.read_entry(table, name, value, file)?;
        }
        Ok(())
    }

    fn read_entry(
        &self,
        table: &str,
        name: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        file: &mut ConfigFile,
    ) -> Result<(), CliError> {
        let Some(key) = Key::in_file(table, name.get_ref()) else {
            return Err(self.unknown(table, name));
        };
        if file.set.iter().any(|(set, _)| std::ptr::eq(*set, key)) {
            let message = format!("{}: {} is set twice", self.place(name.span()), key.name);
            return Err(CliError::usage(message));
        }
        let values = self.values(key, value)?;
        for raw in &values {
            key.check(&raw.text).map_err(|allowed| raw.source.refuse(&raw.text, &allowed))?;
        }
        file.set.push((key, values));
        Ok(())
    }

    /// The values as they would stand on the command line.
    fn values(
        &self,
        key: &'static Key,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Vec<Raw>, CliError> {
        if let (Takes::List, DeValue::Array(array)) = (key.takes, value.get_ref()) {
            return array.iter().map(|item| self.value(key, item)).collect();
        }
        Ok(vec![self.value(key, value)?])
    }

    fn value(&self, key: &'static Key, value: &Spanned<DeValue<'_>>) -> Result<Raw, CliError> {
        use Takes::{Flag, List, Number, Text, WholeOrText};
        let text = match (key.takes, value.get_ref()) {
            (Text | WholeOrText | List, DeValue::String(text)) => text.to_string(),
            (WholeOrText | Number | List, DeValue::Integer(number)) => self.decimal(number, value),
            (Number, DeValue::Float(number)) => number.to_string(),
            (Flag, DeValue::Boolean(flag)) => flag.to_string(),
            (takes, _) => {
                let written = self.written(value.span());
                let allowed = key.check(&written).err().unwrap_or_default();
                let allowed = takes.described(&allowed, key.table);
                return Err(self.refuse(value.span(), key.name, value, &allowed));
            }
        };
        let place = self.place(value.span());
        let source = Source::File { place, key };
        Ok(Raw { text, source })
    }

    /// `1_000` and `0x3e8` are 1000.
    fn decimal(&self, number: &toml::de::DeInteger<'_>, value: &Spanned<DeValue<'_>>) -> String {
        let parsed = i64::from_str_radix(number.as_str(), number.radix());
        parsed.map_or_else(|_| self.written(value.span()), |number| number.to_string())
    }

    fn unknown(&self, table: &str, name: &Spanned<std::borrow::Cow<'_, str>>) -> CliError {
        let place = self.place(name.span());
        let (name, names) = (name.get_ref(), Key::names(table));
        let (of, tables) = match table {
            "" => (String::new(), " and the tables [run], [storage] and [[rules]]"),
            _ => (format!(" in [{table}]"), ""),
        };
        CliError::usage(format!(
            "{place}: unknown key '{name}'{of}, but there are only {names}{tables}"
        ))
    }

    fn refuse(
        &self,
        span: Range<usize>,
        name: &str,
        value: &Spanned<DeValue<'_>>,
        allowed: &str,
    ) -> CliError {
        let place = self.place(span);
        let written = self.written(value.span());
        CliError::usage(format!("{place}: {name} is {written}, but must be {allowed}"))
    }

    /// As it stands in the file, if it is not too long for a message.
    fn written(&self, span: Range<usize>) -> String {
        text::cut(self.content.get(span).unwrap_or_default(), 60)
    }

    fn place(&self, span: Range<usize>) -> Place {
        let before = self.content.get(..span.start).unwrap_or_default();
        Place { path: self.path.clone(), line: before.matches('\n').count() + 1 }
    }
}

impl Takes {
    /// Read after "must be"; `allowed` is what the key itself says.
    fn described(self, allowed: &str, table: &str) -> String {
        match (self, allowed) {
            (Self::List, _) if table == "storage" => "text in quotes, or a list of such".to_owned(),
            (Self::List, _) => {
                "a list of exit statuses and patterns, such as [7, \"connection lost\"]".to_owned()
            }
            (Self::Text, "") => "text in quotes".to_owned(),
            (Self::Text, allowed) => format!("{allowed} (in quotes)"),
            (_, allowed) => allowed.to_owned(),
        }
    }
}
