//! Which object goes where.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use persevere_storage::StorageError;
use tokio::sync::mpsc::Sender;

use super::Wishes;
use super::bars::Bars;
use super::landing::{Conflicts, Landing};
use crate::error::CliError;
use crate::storage::place::{Found, Place, folder_prefix};
use crate::storage::selection::{Item, Kind, Selection};
use crate::storage::session::{Failure, Session};

/// An object and where it goes, or why it cannot.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) from: Place,
    pub(super) to: Place,
    pub(super) item: Item,
    pub(super) refused: Option<String>,
}

/// What was asked for, looked up.
pub(super) struct Plan {
    selections: Vec<Selection>,
    to: Place,
    landing: Landing,
    /// What could not be found, and why.
    pub(super) failed: Vec<(String, Failure)>,
}

impl Plan {
    pub(super) async fn new(session: &Session, wishes: &Wishes) -> Result<Self, Failure> {
        let to = session.open(&wishes.destination).await?;
        let (mut selections, mut failed) = (Vec::new(), Vec::new());
        for source in &wishes.sources {
            match Selection::find(session, source, wishes.recursive).await {
                Ok(selection) => selections.push(selection),
                Err(ended @ (Failure::Interrupted | Failure::OutOfTime)) => return Err(ended),
                Err(failure) if wishes.sources.len() == 1 => return Err(failure),
                Err(failure) => failed.push((source.clone(), failure)),
            }
        }
        let is_pattern = |it: &Selection| matches!(it.kind, Kind::Pattern { .. });
        let takes_many = wishes.sources.len() > 1 || selections.iter().any(is_pattern);
        let mut landing = Landing::written(&to, takes_many);
        let is_object = |it: &Selection| matches!(it.kind, Kind::Object(_));
        if landing == Landing::As(to.key.clone())
            && to.has_folders
            && selections.iter().all(is_object)
            && session.until_stopped(to.find()).await?? == Found::Folder
        {
            // A file cannot take the place of a folder, so only this can be meant.
            landing = Landing::Into(folder_prefix(&to.key));
        }
        let plan = Self { selections, to, landing, failed };
        plan.selections.iter().try_for_each(|it| plan.refuse_circle(it))?;
        Ok(plan)
    }

    /// A folder that is copied into itself would never end.
    fn refuse_circle(&self, selection: &Selection) -> Result<(), Failure> {
        let Kind::Folder { prefix, name } = &selection.kind else { return Ok(()) };
        let into = match (&self.landing, name) {
            (Landing::Into(folder), Some(name)) => format!("{folder}{name}"),
            (Landing::As(folder) | Landing::Into(folder), _) => folder.clone(),
        };
        let (from, to) = (selection.place.at(prefix.as_str()), self.to.at(into));
        if !same_space(&from, &to) {
            return Ok(());
        }
        let (from_real, to_real) = (folder_prefix(&real(&from)), folder_prefix(&real(&to)));
        match to_real.starts_with(&from_real) {
            true => Err(CliError::usage(format!(
                "{} cannot be copied into itself, to {}",
                from.url(),
                to.url()
            ))
            .into()),
            false => Ok(()),
        }
    }

    /// Sends all that is to be copied, as lists bring it. Returns failures of lists.
    pub(super) async fn send(
        &self,
        session: &Session,
        wishes: &Wishes,
        bars: &Bars,
        to: Sender<Planned>,
    ) -> Result<Vec<(String, StorageError)>, Failure> {
        let mut failed = Vec::new();
        let mut taken = (self.selections.len() > 1).then(HashSet::new);
        for selection in &self.selections {
            let mut sender = Sending { plan: self, selection, bars, to: &to, taken: &mut taken };
            let sent = session.until_stopped(sender.send(wishes)).await?;
            if let Err(error) = sent {
                let failure = Failure::from(error);
                match failure {
                    Failure::Storage(error) => failed.push((selection.place.url(), error)),
                    ended => return Err(ended),
                }
            }
        }
        bars.all_known();
        Ok(failed)
    }
}

/// One selection on its way.
struct Sending<'a> {
    plan: &'a Plan,
    selection: &'a Selection,
    bars: &'a Bars,
    to: &'a Sender<Planned>,
    /// What other selections have taken already.
    taken: &'a mut Option<HashSet<String>>,
}

impl Sending<'_> {
    async fn send(&mut self, wishes: &Wishes) -> Result<(), StorageError> {
        let selection = self.selection;
        // Only names from where there are no folders can be a file and a folder at once.
        let can_conflict = self.plan.to.has_folders && !selection.place.has_folders;
        let mut conflicts = Conflicts::new();
        let mut found_any = false;
        let mut items = selection.items(&wishes.filter);
        while let Some(item) = items.next().await {
            let item = item?;
            if !selection.takes(&item, &wishes.filter) {
                continue;
            }
            found_any = true;
            if !can_conflict {
                self.one(item, false).await;
                continue;
            }
            let key = item.key.clone();
            for (item, is_folder) in conflicts.push(&key, item) {
                self.one(item, is_folder).await;
            }
        }
        for (item, is_folder) in conflicts.finish() {
            self.one(item, is_folder).await;
        }
        match (found_any, &selection.kind) {
            (false, Kind::Pattern { .. }) => {
                let what = selection.place.url();
                Err(StorageError::NotFound { what, source: None })
            }
            _ => Ok(()),
        }
    }

    async fn one(&mut self, item: Item, is_folder: bool) {
        let from = self.selection.place.at(item.key.as_str());
        let key = self.plan.landing.key(self.selection, &item.relative, &self.plan.to);
        let (key, mut refused) = match key {
            Ok(key) => (key, None),
            Err(reason) => (String::new(), Some(reason)),
        };
        let to = self.plan.to.at(key);
        if refused.is_none() && is_folder {
            let reason =
                "it is a folder as well, for there are keys below it, and no path can be both";
            refused = Some(reason.to_owned());
        }
        if refused.is_none() && same_space(&from, &to) && real(&from) == real(&to) {
            refused = Some("it would be copied to itself".to_owned());
        }
        if let (None, Some(taken)) = (&refused, &mut *self.taken)
            && !taken.insert(to.key.clone())
        {
            refused = Some(format!("another source is copied to {} already", to.url()));
        }
        if refused.is_none() {
            self.bars.expect(item.seen.size);
        }
        // Nobody listens any more only if all was ended.
        let _ended = self.to.send(Planned { from, to, item, refused }).await;
    }
}

/// Whether both are in one space of names.
fn same_space(one: &Place, other: &Place) -> bool {
    one.is_local == other.is_local && one.storage.peer() == other.storage.peer()
}

/// The name by which it is known whether two are one: of paths of this machine without links.
fn real(place: &Place) -> String {
    match place.is_local {
        true => real_path(Path::new(&place.key)).to_string_lossy().into_owned(),
        false => place.url(),
    }
}

/// As far as there is something; the rest stays as it is written.
fn real_path(path: &Path) -> PathBuf {
    let existing = path.ancestors().find_map(|it| Some((it, std::fs::canonicalize(it).ok()?)));
    match existing {
        Some((ancestor, real)) => match path.strip_prefix(ancestor) {
            Ok(rest) if rest != Path::new("") => real.join(rest),
            _ => real,
        },
        None => path.to_owned(),
    }
}
