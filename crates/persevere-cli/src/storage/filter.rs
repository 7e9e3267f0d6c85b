//! Patterns: which names they mean.

use globset::{GlobBuilder, GlobMatcher, GlobSet, GlobSetBuilder};

use crate::error::CliError;

/// `--include` and `--exclude`.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    include: Option<GlobSet>,
    exclude: Option<GlobSet>,
}

impl Filter {
    pub(crate) fn new(include: &[String], exclude: &[String]) -> Result<Self, CliError> {
        Ok(Self { include: set("--include", include)?, exclude: set("--exclude", exclude)? })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.include.is_none() && self.exclude.is_none()
    }

    /// Whether a path below the source is meant: it, or a folder that it is in, is included, and none
    /// of them excluded.
    pub(crate) fn takes(&self, relative: &str) -> bool {
        let any = |set: &GlobSet| with_folders(relative).any(|path| set.is_match(path));
        self.include.as_ref().is_none_or(any) && !self.exclude.as_ref().is_some_and(any)
    }
}

/// `a`, `a/b` and `a/b/c` of `a/b/c`.
fn with_folders(path: &str) -> impl Iterator<Item = &str> {
    let folders = path.match_indices('/').map(|(slash, _)| &path[..slash]);
    folders.chain([path]).filter(|path| !path.is_empty())
}

fn set(option: &str, patterns: &[String]) -> Result<Option<GlobSet>, CliError> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let mut set = GlobSetBuilder::new();
    for written in patterns {
        let pattern = written.trim_end_matches('/');
        // Without a `/` it is a name, wherever it stands.
        let pattern = match pattern.strip_prefix('/') {
            Some(anchored) => anchored.to_owned(),
            None if pattern.contains('/') => pattern.to_owned(),
            None => format!("**/{pattern}"),
        };
        let refuse = |error: &globset::Error| refused(option, written, error);
        set.add(builder(&pattern).build().map_err(|error| refuse(&error))?);
    }
    set.build().map(Some).map_err(|error| refused(option, &patterns.join(" "), &error))
}

fn builder(pattern: &str) -> GlobBuilder<'_> {
    let mut builder = GlobBuilder::new(pattern);
    // The same on every system, for keys are.
    builder.literal_separator(true).backslash_escape(true);
    builder
}

fn refused(what: &str, written: &str, error: &globset::Error) -> CliError {
    CliError::usage(format!("{what} is '{written}', but must be a pattern: {}", error.kind()))
}

/// A place written with wildcards, such as `logs/2026-*/app.log`.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// What comes before the first component with a wildcard; it is empty or ends with `/`.
    pub(crate) folder: String,
    matcher: GlobMatcher,
    /// Whether it looks into folders.
    is_deep: bool,
}

impl Pattern {
    /// `None` if there is no wildcard in it.
    pub(crate) fn parse(key: &str) -> Result<Option<Self>, CliError> {
        let Some(first) = key.find(['*', '?', '[', '{']) else { return Ok(None) };
        let cut = key[..first].rfind('/').map_or(0, |slash| slash + 1);
        let (folder, pattern) = key.split_at(cut);
        let glob = builder(pattern).build().map_err(|error| refused("a name", key, &error))?;
        Ok(Some(Self {
            folder: folder.to_owned(),
            matcher: glob.compile_matcher(),
            is_deep: pattern.contains('/') || pattern.contains("**"),
        }))
    }

    pub(crate) fn is_deep(&self) -> bool {
        self.is_deep
    }

    /// Whether a path below the folder is meant, or with `recursive` one of the folders it is in.
    pub(crate) fn takes(&self, relative: &str, recursive: bool) -> bool {
        match recursive {
            true => with_folders(relative).any(|path| self.matcher.is_match(path)),
            false => self.matcher.is_match(relative),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(include: &[&str], exclude: &[&str]) -> Filter {
        let owned =
            |patterns: &[&str]| patterns.iter().map(|&it| it.to_owned()).collect::<Vec<_>>();
        Filter::new(&owned(include), &owned(exclude)).unwrap()
    }

    #[test]
    fn a_name_is_meant_wherever_it_stands() {
        let logs = filter(&["*.log"], &["old"]);
        assert!(logs.takes("a.log") && logs.takes("x/y/a.log"));
        assert!(!logs.takes("a.txt") && !logs.takes("old/a.log") && !logs.takes("x/old/a.log"));
    }

    #[test]
    fn a_path_is_meant_from_the_source_on() {
        let filter = filter(&[], &["a/*.log", "/b", "c/**/d/"]);
        assert!(!filter.takes("a/x.log") && !filter.takes("b") && !filter.takes("b/x"));
        assert!(!filter.takes("c/1/2/d/x"));
        assert!(filter.takes("a/b/x.log") && filter.takes("x/a/x.log") && filter.takes("x/b"));
    }

    #[test]
    fn a_bad_pattern_is_refused_with_the_option() {
        let error = Filter::new(&[], &["[".to_owned()]).unwrap_err().to_string();
        assert!(error.starts_with("--exclude is '[', but must be a pattern"), "{error}");
    }

    #[test]
    fn wildcards_end_at_folders_unless_asked() {
        let pattern = Pattern::parse("logs/2026-*").unwrap().unwrap();
        assert_eq!(pattern.folder, "logs/");
        assert!(pattern.takes("2026-01", false) && !pattern.takes("2026-01/x", false));
        assert!(pattern.takes("2026-01/x", true) && !pattern.is_deep());
        assert!(Pattern::parse("**/x").unwrap().unwrap().takes("a/b/x", false));
        assert!(Pattern::parse("a/b").unwrap().is_none());
    }
}
