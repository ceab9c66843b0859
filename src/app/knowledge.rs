//! The knowledge as it is shipped and as it was changed in the database.
//!
//! Entries of the database take the place of shipped ones of the same name, keep every version,
//! and stay when a newer program ships other knowledge.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::{App, AppError};
use crate::engine::Engine;
use crate::engine::graph::Graph;
use crate::engine::knowledge::entries::{Entry, EntryKind, entries, overlay};
use crate::engine::knowledge::{self, Problem, Severity, SourceFile};
use crate::engine::learned::LearnedPriors;
use crate::engine::proof::failed_tests;
use crate::store::{EntryChange, EntryRevision};

/// Why a change to the knowledge was refused. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The knowledge would have errors.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Faulty(Vec<Problem>),
    /// Anything else.
    #[error(transparent)]
    App(#[from] AppError),
}

/// An entry that differs from what is shipped.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalEntry {
    /// As it is now.
    pub entry: Entry,
    /// The shipped one of the same name, as it is now.
    pub shipped: Option<String>,
    /// Whether the shipped one is another than when the entry was changed.
    pub shipped_changed_since: bool,
    /// Every version, oldest first.
    pub versions: Vec<EntryRevision>,
}

/// What a change did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Entries that are new or have a new text.
    pub changed: usize,
    /// Entries that are as shipped again.
    pub taken_back: usize,
}

/// Knowledge that can be compiled.
struct Usable {
    graph: Graph,
    hash: String,
}

/// The texts that count: the last version of each entry that has one.
pub(super) fn last_versions(revisions: &[EntryRevision]) -> Vec<Entry> {
    let mut last: BTreeMap<(EntryKind, &str), &EntryChange> = BTreeMap::new();
    for revision in revisions {
        let change = &revision.change;
        last.insert((change.kind, &change.id), change);
    }
    last.into_values()
        .filter_map(|change| {
            Some(Entry {
                kind: change.kind,
                id: change.id.clone(),
                file: change.file.clone(),
                text: change.text.clone()?,
            })
        })
        .collect()
}

fn errors_of(problems: Vec<Problem>) -> Vec<Problem> {
    problems
        .into_iter()
        .filter(|problem| problem.severity == Severity::Error)
        .collect()
}

/// What the shipped files amount to with the local entries in them. Entries that no longer fit what is shipped
/// now are set aside, so that an upgrade never keeps the service from starting; they stay in the
/// database.
///
/// # Errors
/// The shipped files themselves have errors.
fn usable(
    shipped: &[SourceFile],
    revisions: &[EntryRevision],
) -> Result<(Graph, Vec<Problem>), Vec<Problem>> {
    let mut local = last_versions(revisions);
    let mut aside = Vec::new();
    loop {
        let files = overlay(shipped, &local);
        let read = knowledge::read(&files);
        // What travels in the binary passed the whole check before it was shipped, and compiling
        // every expression costs a second, so without local entries only the form is looked at.
        let problems = if local.is_empty() {
            read.problems.clone()
        } else {
            knowledge::check(&read)
        };
        let errors = errors_of(problems);
        if errors.is_empty() {
            return Ok((read.graph, aside));
        }
        if local.is_empty() {
            return Err(errors);
        }
        let faulty: BTreeSet<&str> = errors.iter().map(|error| error.file.as_str()).collect();
        let before = local.len();
        local.retain(|entry| !faulty.contains(entry.file.as_str()));
        if local.len() == before {
            // A shipped entry misses what a local one took away: only the shipped ones fit together.
            local.clear();
        }
        aside.extend(errors);
    }
}

impl App {
    /// What is shipped with what was changed here, and the hash of its files, if it is not what was
    /// imported last.
    pub(super) async fn not_yet_imported(
        store: &Arc<dyn crate::store::Store>,
        shipped: &[SourceFile],
    ) -> Result<Option<(Graph, String)>, super::StartError> {
        let revisions = store.entry_revisions().await?;
        let imported = store.imported_files().await?;
        let wanted = knowledge::files_hash(&overlay(shipped, &last_versions(&revisions)));
        if imported.as_deref() == Some(&wanted) {
            return Ok(None);
        }
        let (graph, aside) = usable(shipped, &revisions).map_err(super::StartError::Knowledge)?;
        for problem in aside {
            tracing::warn!(%problem, "a changed entry of the knowledge was set aside");
        }
        Ok(Some((graph, wanted)))
    }

    /// The files as they count now: those that are shipped, with what was changed here.
    ///
    /// # Errors
    /// The store fails.
    pub async fn knowledge_files(
        &self,
        shipped: &[SourceFile],
    ) -> Result<Vec<SourceFile>, AppError> {
        let revisions = self.store.entry_revisions().await?;
        Ok(overlay(shipped, &last_versions(&revisions)))
    }

    /// The entries that differ from what is shipped, and those that once did.
    ///
    /// # Errors
    /// The store fails.
    pub async fn local_entries(&self, shipped: &[SourceFile]) -> Result<Vec<LocalEntry>, AppError> {
        let revisions = self.store.entry_revisions().await?;
        let shipped = texts(shipped);
        let mut versions: BTreeMap<(EntryKind, String), Vec<EntryRevision>> = BTreeMap::new();
        for revision in &revisions {
            let key = (revision.change.kind, revision.change.id.clone());
            versions.entry(key).or_default().push(revision.clone());
        }
        Ok(last_versions(&revisions)
            .into_iter()
            .map(|entry| {
                let key = entry.key();
                let now = shipped.get(&key).cloned();
                let versions = versions.remove(&key).unwrap_or_default();
                let then = versions.last().and_then(|last| last.change.shipped.clone());
                LocalEntry {
                    entry,
                    shipped_changed_since: then != now,
                    shipped: now,
                    versions,
                }
            })
            .collect())
    }

    /// Takes over what a folder's files say otherwise than the shipped ones. What is the same as
    /// shipped is shipped again; what the folder does not have stays as it is.
    ///
    /// # Errors
    /// The knowledge would have errors, with file, line and what to write; nothing is changed then.
    pub async fn import_knowledge(
        &self,
        shipped: &[SourceFile],
        given: &[SourceFile],
        author: &str,
        note: &str,
        now: Timestamp,
    ) -> Result<Changed, ChangeError> {
        let _one_at_a_time = self.changing.lock().await;
        let given = entries(given).map_err(ChangeError::Faulty)?;
        let revisions = self.store.entry_revisions().await.map_err(AppError::from)?;
        let local: BTreeMap<(EntryKind, String), Entry> = last_versions(&revisions)
            .into_iter()
            .map(|entry| (entry.key(), entry))
            .collect();
        let shipped_texts = texts(shipped);
        let change = |entry: Entry, text: Option<String>| EntryChange {
            shipped: shipped_texts.get(&entry.key()).cloned(),
            kind: entry.kind,
            id: entry.id,
            file: entry.file,
            text,
            author: author.to_owned(),
            note: note.to_owned(),
            at: now,
        };
        let changes: Vec<EntryChange> = given
            .into_iter()
            .filter_map(|entry| {
                let key = entry.key();
                let is_shipped = shipped_texts.get(&key) == Some(&entry.text);
                match local.get(&key) {
                    Some(own) if own.text == entry.text => None,
                    Some(_) if is_shipped => Some(change(entry, None)),
                    None if is_shipped => None,
                    _ => {
                        let text = entry.text.clone();
                        Some(change(entry, Some(text)))
                    }
                }
            })
            .collect();
        self.change(shipped, &revisions, &changes).await
    }

    async fn change(
        &self,
        shipped: &[SourceFile],
        revisions: &[EntryRevision],
        changes: &[EntryChange],
    ) -> Result<Changed, ChangeError> {
        if changes.is_empty() {
            return Ok(Changed::default());
        }
        let mut all = revisions.to_vec();
        all.extend(changes.iter().map(|change| EntryRevision {
            revision: i64::MAX,
            change: change.clone(),
        }));
        let files = overlay(shipped, &last_versions(&all));
        let learned = self.engine().learned().clone();
        let (usable, engine) = tokio::task::spawn_blocking(move || compile(&files, learned))
            .await
            .map_err(|error| AppError::Internal(error.to_string()))?
            .map_err(ChangeError::Faulty)?;
        self.store
            .import(&usable.graph, &usable.hash, changes)
            .await
            .map_err(AppError::from)?;
        self.engine.store(Arc::new(engine));
        self.remember_knowledge().await.map_err(AppError::from)?;
        let taken_back = changes
            .iter()
            .filter(|change| change.text.is_none())
            .count();
        Ok(Changed {
            changed: changes.len() - taken_back,
            taken_back,
        })
    }
}

/// The entries' texts by their names.
fn texts(files: &[SourceFile]) -> BTreeMap<(EntryKind, String), String> {
    entries(files)
        .unwrap_or_default()
        .into_iter()
        .map(|entry| (entry.key(), entry.text))
        .collect()
}

/// Checks files as a curator's compiler does, the entries' own tests included.
///
/// The tests run without what closed cases taught, so that they say the same everywhere.
fn compile(files: &[SourceFile], learned: LearnedPriors) -> Result<(Usable, Engine), Vec<Problem>> {
    let read = knowledge::read(files);
    let errors = errors_of(knowledge::check(&read));
    if !errors.is_empty() {
        return Err(errors);
    }
    let engine = Engine::new(read.graph.clone());
    let failed = errors_of(failed_tests(&engine));
    if !failed.is_empty() {
        return Err(failed);
    }
    let engine = if learned.is_empty() {
        engine
    } else {
        engine.with_other_priors(learned)
    };
    let usable = Usable {
        graph: read.graph,
        hash: knowledge::files_hash(files),
    };
    Ok((usable, engine))
}
