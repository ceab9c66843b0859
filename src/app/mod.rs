//! The use cases, for every face alike.

mod knowledge;

pub use knowledge::{ChangeError, Changed, LocalEntry};

use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;

use crate::case::{Case, Entry};
use crate::engine::diagnosis::StatedFact;
use crate::engine::knowledge::{Problem, SourceFile};
use crate::engine::{Diagnosis, Engine, Evidence};
use crate::store::{Hit, Store, StoreError};

/// Texts longer than this are diagnosed on a thread that may block, in bytes.
const BLOCKING_FROM: usize = 16 << 10;
/// A case takes at most that many entries.
const MOST_ENTRIES: usize = 200;
/// A search lists at most that many pages.
const MOST_HITS: usize = 30;

/// Why a use case could not be done.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// There is no such case, step or answer.
    #[error("{0}")]
    NotFound(String),
    /// The case was changed in the meantime; its revision is now this.
    #[error("the case was changed in the meantime; its revision is now {0}")]
    Conflict(i64),
    /// The request cannot be carried out as it is.
    #[error("{0}")]
    Invalid(String),
    /// Too much to do, or shutting down.
    #[error("the service is busy")]
    Unavailable,
    /// Anything else; the text is for the log.
    #[error("{0}")]
    Internal(String),
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { current } => AppError::Conflict(current),
            StoreError::NotFound => AppError::NotFound("there is no such case".to_owned()),
            StoreError::Unavailable => AppError::Unavailable,
            StoreError::Other(message) => AppError::Internal(message),
        }
    }
}

/// The shipped or stored knowledge cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The knowledge has errors.
    #[error("the knowledge has {} errors, the first: {}", .0.len(), .0.first().map(ToString::to_string).unwrap_or_default())]
    Knowledge(Vec<Problem>),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A case with what its evidence amounts to now.
#[derive(Debug)]
pub struct DiagnosedCase {
    /// The case.
    pub case: Case,
    /// Made with the present knowledge.
    pub diagnosis: Diagnosis,
}

/// The running service: compiled knowledge and a store.
pub struct App {
    /// Swapped whole when the knowledge changes; requests that run keep the one they began with.
    engine: ArcSwap<Engine>,
    store: Arc<dyn Store>,
    /// Held while the knowledge is changed.
    changing: tokio::sync::Mutex<()>,
}

impl App {
    /// Imports the shipped knowledge if it changed, and compiles what the store holds.
    ///
    /// # Errors
    /// The files have errors, in which case nothing is changed, or the store fails.
    pub async fn start(store: Arc<dyn Store>, files: &[SourceFile]) -> Result<Self, StartError> {
        Self::bring_up_to_date(&store, files).await?;
        let engine = Engine::new(store.graph().await?);
        Ok(App {
            engine: ArcSwap::from_pointee(engine),
            store,
            changing: tokio::sync::Mutex::new(()),
        })
    }

    /// The compiled knowledge.
    pub fn engine(&self) -> Arc<Engine> {
        self.engine.load_full()
    }

    /// Whether the service can do its work.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn ready(&self) -> Result<(), AppError> {
        Ok(self.store.ping().await?)
    }

    /// Diagnoses evidence and keeps nothing.
    ///
    /// # Errors
    /// The service shuts down.
    pub async fn diagnose(&self, evidence: Vec<Evidence>) -> Result<Diagnosis, AppError> {
        let engine = self.engine();
        let size: usize = evidence
            .iter()
            .map(|piece| piece.text.as_deref().map_or(0, str::len))
            .sum();
        if size < BLOCKING_FROM {
            return Ok(engine.diagnose_owned(evidence));
        }
        tokio::task::spawn_blocking(move || engine.diagnose_owned(evidence))
            .await
            .map_err(|error| AppError::Internal(error.to_string()))
    }

    /// Opens a case; it is durable when this returns.
    ///
    /// # Errors
    /// The store fails or is busy.
    pub async fn open_case(
        &self,
        evidence: Evidence,
        now: Timestamp,
    ) -> Result<DiagnosedCase, AppError> {
        let kept = self.keep(evidence).await?;
        let diagnosis = self.diagnose(vec![kept.clone()]).await?;
        let case = self
            .store
            .create_case(Case::open(new_id()?, now, kept))
            .await?;
        Ok(DiagnosedCase { case, diagnosis })
    }

    /// The case of that id, diagnosed with the present knowledge.
    ///
    /// # Errors
    /// There is none, or the store fails.
    pub async fn case(&self, id: &str) -> Result<DiagnosedCase, AppError> {
        let case = self.find(id).await?;
        self.diagnosed(case).await
    }

    /// Adds evidence to a case. Without a `revision` it is added to whatever is there.
    ///
    /// # Errors
    /// There is no such case, somebody else changed it since `revision`, or the store fails.
    pub async fn add_evidence(
        &self,
        id: &str,
        revision: Option<i64>,
        evidence: Evidence,
        now: Timestamp,
    ) -> Result<DiagnosedCase, AppError> {
        let case = self.find(id).await?;
        let entry = Entry {
            at: now,
            evidence: self.keep(evidence).await?,
            answer: None,
        };
        self.append(case, revision, entry).await
    }

    /// Adds the answer to a step to a case, and what was pasted with it.
    ///
    /// # Errors
    /// There is no such case, step or answer, somebody else changed the case since `revision`, or
    /// the store fails.
    pub async fn answer(
        &self,
        id: &str,
        step: &str,
        answer: &str,
        text: Option<String>,
        revision: Option<i64>,
        now: Timestamp,
    ) -> Result<DiagnosedCase, AppError> {
        let case = self.find(id).await?;
        let facts = self.facts_of_answer(step, answer)?;
        let entry = Entry {
            at: now,
            evidence: self
                .keep(Evidence {
                    text: text.filter(|text| !text.trim().is_empty()),
                    facts,
                    ..Evidence::default()
                })
                .await?,
            answer: Some((step.to_owned(), answer.to_owned())),
        };
        self.append(case, revision, entry).await
    }

    fn facts_of_answer(&self, step: &str, answer: &str) -> Result<Vec<StatedFact>, AppError> {
        let engine = self.engine();
        let check = engine
            .graph()
            .check(step)
            .ok_or_else(|| AppError::NotFound(format!("there is no step {step:?}")))?;
        if answer == "cannot-tell" {
            return Ok(Vec::new());
        }
        let chosen = check
            .answers
            .iter()
            .find(|known| known.id == answer)
            .ok_or_else(|| {
                AppError::NotFound(format!("the step {step:?} has no answer {answer:?}"))
            })?;
        Ok(chosen
            .facts
            .iter()
            .map(|(key, value)| StatedFact {
                key: key.clone(),
                value: value.clone(),
                hop: chosen.hop,
                vantage: "user".to_owned(),
            })
            .collect())
    }

    /// Pages that speak of the words, best first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn search(&self, words: &str) -> Result<Vec<Hit>, AppError> {
        Ok(self.store.search(words, MOST_HITS).await?)
    }

    /// Removes cases that last changed more than `days` days before `now`; how many.
    ///
    /// # Errors
    /// The store fails.
    pub async fn purge(&self, days: u32, now: Timestamp) -> Result<u64, AppError> {
        let before = now.as_second() - i64::from(days) * 86_400;
        Ok(self.store.purge_cases(before).await?)
    }

    /// Finishes what was begun.
    pub async fn close(&self) {
        self.store.close().await;
    }

    async fn find(&self, id: &str) -> Result<Case, AppError> {
        self.store
            .case(id)
            .await?
            .ok_or_else(|| AppError::NotFound("there is no such case".to_owned()))
    }

    async fn append(
        &self,
        mut case: Case,
        revision: Option<i64>,
        entry: Entry,
    ) -> Result<DiagnosedCase, AppError> {
        let stored = case.revision;
        if revision.is_some_and(|revision| revision != stored) {
            return Err(AppError::Conflict(stored));
        }
        if case.entries.len() >= MOST_ENTRIES {
            return Err(AppError::Invalid(format!(
                "a case takes at most {MOST_ENTRIES} entries: open a new one"
            )));
        }
        case.add(entry);
        let case = self.store.update_case(case, stored).await?;
        self.diagnosed(case).await
    }

    async fn diagnosed(&self, case: Case) -> Result<DiagnosedCase, AppError> {
        let diagnosis = self.diagnose(case.evidence()).await?;
        Ok(DiagnosedCase { case, diagnosis })
    }

    /// What of evidence may be kept.
    async fn keep(&self, evidence: Evidence) -> Result<Evidence, AppError> {
        if evidence.text.as_deref().map_or(0, str::len) < BLOCKING_FROM {
            return Ok(evidence.redacted());
        }
        tokio::task::spawn_blocking(move || evidence.redacted())
            .await
            .map_err(|error| AppError::Internal(error.to_string()))
    }
}

/// 130 random bits as 26 letters and digits without those that look alike.
fn new_id() -> Result<String, AppError> {
    const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut random = [0_u8; 26];
    getrandom::fill(&mut random).map_err(|error| AppError::Internal(error.to_string()))?;
    Ok(random
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
        .collect())
}
