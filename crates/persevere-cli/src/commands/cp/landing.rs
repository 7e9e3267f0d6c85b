//! Where things land: from what was written, and from the names that a server gives.

use crate::storage::place::{Place, folder_prefix};
use crate::storage::selection::{Kind, Selection, below};

/// What the destination stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Landing {
    /// The copy gets this name.
    As(String),
    /// Copies go into this folder, under their own names.
    Into(String),
}

impl Landing {
    /// By what was written alone, so that the same command means the same when it is run again:
    /// `DST/` is a folder to copy into, and so is whatever takes more than one thing.
    pub(super) fn written(to: &Place, takes_many: bool) -> Self {
        match to.names_folder() || takes_many {
            true => Self::Into(folder_prefix(&to.key)),
            false => Self::As(to.key.clone()),
        }
    }

    /// The key that an item of a selection gets, or why it cannot have one.
    pub(super) fn key(
        &self,
        selection: &Selection,
        relative: &str,
        to: &Place,
    ) -> Result<String, String> {
        let named = |name: &Option<String>| match name {
            Some(name) => below(name, relative),
            None => relative.to_owned(),
        };
        let relative = match (self, &selection.kind) {
            // Somebody wrote the whole name.
            (Self::As(key), Kind::Object(_)) => return Ok(key.clone()),
            (Self::Into(_), Kind::Folder { name, .. }) => named(name),
            _ => relative.to_owned(),
        };
        if to.has_folders {
            safe(&relative, cfg!(windows))?;
        } else if relative.is_empty() || relative.ends_with('/') {
            return Err("its name is that of a folder".to_owned());
        }
        Ok(match self {
            Self::As(folder) | Self::Into(folder) => below(folder, &relative),
        })
    }
}

/// Whether a key, or the end of one, can be a path below a folder, and stays there.
pub(super) fn safe(relative: &str, on_windows: bool) -> Result<(), String> {
    let refuse = |why: &str| Err(format!("its name {relative:?} cannot be a path: {why}"));
    if relative.contains('\0') {
        return refuse("there is a NUL in it");
    }
    for component in relative.split('/') {
        match component {
            "" if relative.starts_with('/') => return refuse("it begins with `/`"),
            "" if relative.ends_with('/') => return refuse("it ends with `/`, as a folder does"),
            "" => return refuse("there is nothing between two `/`"),
            "." | ".." => {
                return refuse(&format!("`{component}` has a meaning of its own in paths"));
            }
            _ if on_windows => {
                if let Some(why) = refused_by_windows(component) {
                    return refuse(&why);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// <https://learn.microsoft.com/windows/win32/fileio/naming-a-file>
fn refused_by_windows(component: &str) -> Option<String> {
    const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
    let wrong = |it: char| it.is_control() || "<>:\"\\|?*".contains(it);
    if let Some(wrong) = component.chars().find(|&it| wrong(it)) {
        return Some(format!("{wrong:?} cannot stand in a name on Windows"));
    }
    if component.ends_with(['.', ' ']) {
        return Some("Windows drops a dot or a space at the end".to_owned());
    }
    let stem = component.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = |name: &str| {
        let number = stem.strip_prefix(name);
        number.is_some_and(|it| it.chars().count() == 1 && it.contains(|it: char| it.is_numeric()))
    };
    (DEVICES.contains(&&*stem) || numbered("COM") || numbered("LPT"))
        .then(|| format!("{stem} is a device on Windows"))
}

/// Finds keys that would have to be a file and a folder at once, in a sorted list as it comes.
///
/// Between `a` and `a/b` there can be others, such as `a-b`, and all of them begin with `a`. So what
/// waits for its turn is as short as the longest key.
#[derive(Debug)]
pub(super) struct Conflicts<T> {
    waiting: Vec<(String, T, bool)>,
}

impl<T> Conflicts<T> {
    pub(super) fn new() -> Self {
        Self { waiting: Vec::new() }
    }

    /// Takes the next key, and gives back those that are decided: whether each is a folder as well.
    pub(super) fn push(&mut self, key: &str, value: T) -> Vec<(T, bool)> {
        let mut decided = Vec::new();
        while let Some((last, _, is_folder)) = self.waiting.last_mut() {
            match key.strip_prefix(last.as_str()) {
                Some(rest) if rest.starts_with('/') => *is_folder = true,
                // Its folder would come later.
                Some(rest) if !rest.is_empty() && rest < "/" => {}
                _ => {
                    decided
                        .extend(self.waiting.pop().map(|(_, value, is_folder)| (value, is_folder)));
                    continue;
                }
            }
            break;
        }
        // One below may have its folder here as well: `a`, `a-b`, and then only `a/b`.
        self.waiting.push((key.to_owned(), value, false));
        decided
    }

    /// There are no more.
    pub(super) fn finish(&mut self) -> Vec<(T, bool)> {
        self.waiting.drain(..).map(|(_, value, is_folder)| (value, is_folder)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    fn conflicts(keys: &[&str]) -> Vec<String> {
        let mut conflicts = Conflicts::new();
        let mut decided: Vec<_> = keys.iter().flat_map(|key| conflicts.push(key, *key)).collect();
        decided.extend(conflicts.finish());
        assert_eq!(decided.len(), keys.len());
        decided.into_iter().filter(|(_, both)| *both).map(|(key, _)| key.to_owned()).collect()
    }

    #[test]
    fn a_key_that_is_a_folder_too_is_found() {
        assert_eq!(conflicts(&["a", "a/b", "a/c", "b"]), ["a"]);
        assert_eq!(conflicts(&["a", "a-b", "a-b/c", "a.b", "a/b"]), ["a-b", "a"]);
        assert_eq!(conflicts(&["a", "a/b", "a/b/c"]), ["a", "a/b"]);
        assert_eq!(conflicts(&["a", "a-b", "a0", "b/c"]), Vec::<String>::new());
        assert_eq!(conflicts(&["a", "a!", "a!!", "a!/x", "a/x"]), ["a!", "a"]);
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for key in ["", "/a", "a//b", "a/", "..", "a/../b", "./a", "a/.", "a\0b"] {
            assert!(safe(key, false).is_err(), "{key:?}");
        }
        for key in ["a", "a/b", "...", "a..b", "a\\b", "C:", " ", "-rf", "é", ".a"] {
            assert!(safe(key, false).is_ok(), "{key:?}");
        }
        for key in ["a\\b", "C:", "..\\x", "a:b", "nul", "NUL.txt", "com1", "a.", "a ", "a\nb"] {
            assert!(safe(key, true).is_err(), "{key:?}");
        }
        assert!(safe("com/community.txt", true).is_ok());
    }

    /// Keys of the letters that make trouble.
    fn keys() -> impl Strategy<Value = String> {
        prop_oneof!["[a./\\\\:\0~ é-]{0,12}", any::<String>()]
    }

    proptest! {
        #[test]
        fn what_a_server_names_stays_below_the_destination(key in keys(), on_windows: bool) {
            if safe(&key, on_windows).is_ok() {
                let path = below("/destination", &key);
                let mut depth = 0;
                for component in Path::new(&path).strip_prefix("/destination").unwrap().components() {
                    prop_assert!(matches!(component, Component::Normal(_)), "{path:?}");
                    depth += 1;
                }
                // No two keys are one path.
                prop_assert_eq!(depth, key.split('/').count());
                prop_assert!(!path.contains('\0'));
                prop_assert!(!on_windows || !path.contains(['\\', ':']));
            }
        }

        #[test]
        fn every_conflict_is_found_and_nothing_else(
            keys in proptest::collection::btree_set("[a./-]{1,6}", 0..12)
        ) {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let mut found = conflicts(&keys);
            found.sort();
            let is_folder = |key: &str| keys.iter().any(|it| it.starts_with(&format!("{key}/")));
            let expected: Vec<_> = keys.iter().filter(|key| is_folder(key)).copied().collect();
            prop_assert_eq!(found, expected);
        }
    }
}
