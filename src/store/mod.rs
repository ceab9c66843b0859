//! Where knowledge and cases are kept, behind one small trait.

pub mod files;
mod rows;
pub mod sqlite;
mod writer;

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::case::{Case, CaseState};
use crate::engine::graph::Graph;
use crate::engine::knowledge::entries::EntryKind;

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The case was changed by somebody else in the meantime.
    #[error("the case was changed in the meantime; its revision is now {current}")]
    Conflict {
        /// The revision that is stored.
        current: i64,
    },
    /// There is no such case.
    #[error("there is no such case")]
    NotFound,
    /// The store shuts down or has too much to do.
    #[error("the store does not take anything at the moment")]
    Unavailable,
    /// Anything else; the text is for the log, not for callers.
    #[error("the database failed: {0}")]
    Other(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        StoreError::Other(error.to_string())
    }
}

/// Why a database cannot be opened. The message says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OpenError(pub String);

/// A page that a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// `cause`, `advice`, `code`, `symptom`, `check` or `timeout`.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// Where it is shown.
    pub url: String,
    /// Words around what was found, plain text.
    pub excerpt: String,
}

/// A change to one entry of the knowledge.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryChange {
    /// What the entry is.
    pub kind: EntryKind,
    /// Its permanent name.
    pub id: String,
    /// The file in which it is exported.
    pub file: String,
    /// Its new text; `None` takes the local version back, so that the shipped one counts again.
    pub text: Option<String>,
    /// The shipped entry of that name as it was then.
    pub shipped: Option<String>,
    /// Who changed it.
    pub author: String,
    /// Why.
    pub note: String,
    /// When.
    pub at: Timestamp,
}

/// A version of an entry.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryRevision {
    /// Counts from 1 for each entry.
    pub revision: i64,
    /// What was changed.
    pub change: EntryChange,
}

/// A case in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseSummary {
    /// Unguessable.
    pub id: String,
    /// Short.
    pub number: i64,
    /// How it stands.
    pub state: CaseState,
    /// Counts changes, from 1.
    pub revision: i64,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The id of the cause that was the likeliest when it last changed.
    pub cause: Option<String>,
}

/// A cause that a closed case confirmed. It outlives the case, and holds nothing of it but its
/// number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// The case's number.
    pub case: i64,
    /// The cause's id.
    pub cause: String,
    /// When the case was closed.
    pub at: Timestamp,
}

/// What stood behind a hash of the knowledge, so that two of them can be compared later.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KnowledgeRecord {
    /// The hash that diagnoses carry.
    pub hash: String,
    /// The program's version.
    pub program: String,
    /// The hash of the files.
    pub files: String,
    /// The last version of each entry that was changed in the database, by kind and id.
    pub entries: BTreeMap<String, i64>,
    /// What closed cases taught, in cases, by the cause's id.
    pub learned: BTreeMap<String, f64>,
}

/// What the service needs of a database. Every write is durable when its answer comes.
#[async_trait]
pub trait Store: Send + Sync {
    /// The hash of the knowledge files that were imported last.
    async fn imported_files(&self) -> Result<Option<String>, StoreError>;
    /// Every version of the entries that were changed here, by kind and id, oldest first.
    async fn entry_revisions(&self) -> Result<Vec<EntryRevision>, StoreError>;
    /// Replaces the knowledge and keeps what was changed, in one transaction.
    async fn import(
        &self,
        graph: &Graph,
        files_hash: &str,
        changes: &[EntryChange],
    ) -> Result<(), StoreError>;
    /// The knowledge as it is stored.
    async fn graph(&self) -> Result<Graph, StoreError>;
    /// What compiling the knowledge worked out last, if it was kept.
    async fn kept_index(&self) -> Result<Option<Vec<u8>>, StoreError>;
    /// Keeps it for the next start, in the place of what was kept before.
    async fn keep_index(&self, bytes: &[u8]) -> Result<(), StoreError>;
    /// Pages that speak of the words, best first.
    async fn search(&self, words: &str, most: usize) -> Result<Vec<Hit>, StoreError>;
    /// Keeps a new case and gives it its number.
    async fn create_case(&self, case: Case) -> Result<Case, StoreError>;
    /// Keeps a changed case if nobody changed it since `revision`.
    async fn update_case(&self, case: Case, revision: i64) -> Result<Case, StoreError>;
    /// The case of that id.
    async fn case(&self, id: &str) -> Result<Option<Case>, StoreError>;
    /// Cases, those that changed last first.
    async fn cases(
        &self,
        state: Option<CaseState>,
        most: usize,
    ) -> Result<Vec<CaseSummary>, StoreError>;
    /// The causes that closed cases confirmed, oldest first.
    async fn confirmations(&self) -> Result<Vec<Confirmation>, StoreError>;
    /// Forgets what closed cases confirmed; how many did.
    async fn forget_confirmations(&self) -> Result<u64, StoreError>;
    /// Keeps what stands behind a hash of the knowledge.
    async fn keep_knowledge(&self, record: &KnowledgeRecord) -> Result<(), StoreError>;
    /// What stood behind a hash of the knowledge.
    async fn knowledge(&self, hash: &str) -> Result<Option<KnowledgeRecord>, StoreError>;
    /// Removes cases that last changed before a time (seconds since 1970); how many.
    async fn purge_cases(&self, before: i64) -> Result<u64, StoreError>;
    /// Whether the database answers.
    async fn ping(&self) -> Result<(), StoreError>;
    /// Finishes what was begun and closes the files.
    async fn close(&self);
}
