//! Folders in the order of their keys, page by page.

use std::cmp::Ordering;

/// How many entries a page of files has.
pub(crate) const PAGE: usize = 1000;

/// A walk through folders, which the caller reads: `T` is what is known of a child, and `I` what a
/// folder is known by, whichever way it was come by.
///
/// Keys come sorted by their bytes, as in an object store, since a folder counts with the `/` at its
/// end. So the last key of a page says all about where the next one begins.
#[derive(Debug)]
pub(crate) struct Walk<T, I> {
    levels: Vec<Level<T, I>>,
    recursive: bool,
    after: Option<String>,
}

#[derive(Debug)]
struct Level<T, I> {
    prefix: String,
    identity: I,
    /// The next one is the last.
    children: Vec<(String, T)>,
}

impl<T, I: PartialEq> Walk<T, I> {
    pub(crate) fn new(recursive: bool, after: Option<&str>) -> Self {
        Self { levels: Vec::new(), recursive, after: after.map(str::to_owned) }
    }

    /// Goes into a folder, whose name was the last to come. Its own folders end with `/`.
    pub(crate) fn enter(&mut self, prefix: String, identity: I, mut children: Vec<(String, T)>) {
        children.sort_unstable_by(|(a, _), (b, _)| b.cmp(a));
        self.levels.push(Level { prefix, identity, children });
    }

    /// Whether this folder is one of those that we are in: to enter it would never end.
    pub(crate) fn is_inside(&self, identity: &I) -> bool {
        self.levels.iter().any(|level| level.identity == *identity)
    }

    /// The next key, and what is known of it.
    pub(crate) fn next(&mut self) -> Option<(String, T)> {
        while let Some(level) = self.levels.last_mut() {
            let Some((name, child)) = level.children.pop() else {
                self.levels.pop();
                continue;
            };
            let key = format!("{}{name}", level.prefix);
            if !self.is_done(&key) {
                return Some((key, child));
            }
        }
        None
    }

    fn is_done(&mut self, key: &str) -> bool {
        let Some(after) = &self.after else { return false };
        match key.cmp(after) {
            Ordering::Greater => {
                self.after = None;
                false
            }
            _ => !(self.recursive && key.ends_with('/') && after.starts_with(key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const KEYS: [&str; 8] = ["a-b", "a/b", "a/c/d", "a0", "b/c/d/e", "b/cc", "b0", "é/x"];

    fn walk(recursive: bool, after: Option<&str>) -> Vec<String> {
        let mut walk = Walk::new(recursive, after);
        walk.enter(String::new(), String::new(), children(""));
        let mut keys = Vec::new();
        while let Some((key, ())) = walk.next() {
            if recursive && key.ends_with('/') {
                walk.enter(key.clone(), key.clone(), children(&key));
            } else {
                keys.push(key);
            }
        }
        keys
    }

    /// As a file system would say it, which is in no order.
    fn children(folder: &str) -> Vec<(String, ())> {
        let below = KEYS.iter().filter_map(|key| key.strip_prefix(folder));
        let names: BTreeSet<_> =
            below.map(|key| key.split_inclusive('/').next().unwrap_or_default()).collect();
        names.into_iter().rev().map(|name| (name.to_owned(), ())).collect()
    }

    #[test]
    fn keys_come_in_the_order_of_their_bytes() {
        assert_eq!(walk(true, None), KEYS);
        assert_eq!(walk(false, None), ["a-b", "a/", "a0", "b/", "b0", "é/"]);
    }

    #[test]
    fn a_walk_goes_on_after_any_key() {
        for recursive in [true, false] {
            let all = walk(recursive, None);
            for (index, key) in all.iter().enumerate() {
                assert_eq!(walk(recursive, Some(key)), all[index + 1..], "{key}");
            }
        }
    }

    #[test]
    fn it_goes_on_after_a_key_that_is_gone() {
        assert_eq!(walk(true, Some("a/bb")), KEYS[2..]);
        assert_eq!(walk(true, Some("b/c/")), KEYS[4..]);
    }

    #[test]
    fn a_folder_inside_itself_is_known() {
        let mut walk: Walk<(), u32> = Walk::new(true, None);
        walk.enter("a/".into(), 1, vec![]);
        walk.enter("a/b/".into(), 2, vec![]);
        assert!(walk.is_inside(&1));
        assert!(!walk.is_inside(&3));
    }
}
