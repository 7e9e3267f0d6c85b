//! What a name on the command line selects: an object, a folder, what a pattern matches.

use std::pin::Pin;

use futures_util::stream::{self, Stream};
use futures_util::{StreamExt, TryStreamExt, future};
use persevere_storage::{Entry, StorageError};

use super::filter::{Filter, Pattern};
use super::place::{Found, Place, Seen, folder_prefix, last_component};
use super::session::{Failure, Session};
use crate::error::CliError;

/// What a name on the command line selects.
#[derive(Debug)]
pub(crate) struct Selection {
    pub(crate) place: Place,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Object(Seen),
    /// All that is in a folder, and its name, unless only its contents are meant: `dir/`.
    Folder {
        prefix: String,
        name: Option<String>,
    },
    Pattern {
        pattern: Pattern,
        recursive: bool,
    },
}

/// One object of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) key: String,
    /// From the folder on that was named, or of an object its name.
    pub(crate) relative: String,
    pub(crate) seen: Seen,
}

pub(crate) type Items = Pin<Box<dyn Stream<Item = Result<Item, StorageError>> + Send>>;

impl Selection {
    /// Looks what is there. A folder needs `recursive`.
    pub(crate) async fn find(
        session: &Session,
        written: &str,
        recursive: bool,
    ) -> Result<Self, Failure> {
        let place = session.open(written).await?;
        let kind = match session.until_stopped(place.find()).await?? {
            Found::Object(seen) => Kind::Object(seen),
            Found::Folder if recursive => {
                let name = last_component(&place.key);
                let is_named = !place.names_folder();
                let name = is_named.then(|| name.to_owned());
                Kind::Folder { prefix: place.prefix(), name }
            }
            Found::Folder => {
                return Err(CliError::usage(format!(
                    "{} is a folder: to take all that is in it, add --recursive",
                    place.url()
                ))
                .into());
            }
            Found::Nothing => match Pattern::parse(&place.key)? {
                Some(pattern) => Kind::Pattern { pattern, recursive },
                None => return Err(not_found(&place).into()),
            },
        };
        Ok(Self { place, kind })
    }

    /// All objects of it, as the provider lists them.
    pub(crate) fn items(&self, filter: &Filter) -> Items {
        match &self.kind {
            Kind::Object(seen) => {
                let relative = last_component(&self.place.key).to_owned();
                let item = Item { key: self.place.key.clone(), relative, seen: seen.clone() };
                let item = filter.takes(&item.relative).then_some(Ok(item));
                stream::iter(item).boxed()
            }
            Kind::Folder { prefix, .. } => self.list(prefix, true),
            Kind::Pattern { pattern, recursive } => {
                self.list(&pattern.folder, *recursive || pattern.is_deep())
            }
        }
    }

    fn list(&self, prefix: &str, recursive: bool) -> Items {
        let entries = self.place.storage.list(prefix, recursive);
        let prefix = prefix.to_owned();
        entries.try_filter_map(move |entry| future::ok(item(entry, &prefix))).boxed()
    }

    /// Whether one of [`items`](Self::items) is meant at all.
    pub(crate) fn takes(&self, item: &Item, filter: &Filter) -> bool {
        let matches = match &self.kind {
            Kind::Pattern { pattern, recursive } => pattern.takes(&item.relative, *recursive),
            _ => true,
        };
        matches && filter.takes(&item.relative)
    }
}

/// `None` for a folder, and for the empty object that some programs put in the place of one.
fn item(entry: Entry, prefix: &str) -> Option<Item> {
    let is_marker = entry.size == 0 && entry.key.ends_with('/');
    if entry.is_folder || is_marker {
        return None;
    }
    let relative = entry.key.strip_prefix(prefix).unwrap_or(&entry.key).to_owned();
    let seen = Seen { size: entry.size, modified: entry.modified };
    Some(Item { key: entry.key, relative, seen })
}

pub(crate) fn not_found(place: &Place) -> CliError {
    let hint = match place.has_folders || place.key.is_empty() {
        true => String::new(),
        false => format!("; for all keys that begin so, write '{}*' and quote it", place.url()),
    };
    CliError::failed(format!("{} does not exist{hint}", place.url()))
}

/// The folder that a key is taken for.
pub(crate) fn below(prefix: &str, relative: &str) -> String {
    format!("{}{relative}", folder_prefix(prefix))
}
