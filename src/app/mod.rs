//! The use cases, for every face alike.

mod cases;
mod knowledge;
mod learning;
mod probes;

pub use crate::case::DiagnosedCase;
pub use crate::probe::accept_of;
pub use cases::Closing;
pub use knowledge::{ChangeError, Changed, LocalEntry};
pub use learning::{CaseReplay, Learned};
pub use probes::{
    Caller, Dialled, Following, Happened, Job, ProbeRequest, ProbeSettingsError, Step, limits,
    policy,
};

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;

use crate::config::Settings;
use crate::engine::graph::Graph;
use crate::engine::knowledge::{Problem, SourceFile};
use crate::engine::prose::Subject;
use crate::engine::{Diagnosis, Engine, Evidence};
use crate::store::{Hit, Store, StoreError, files};

/// Texts longer than this are diagnosed on a thread that may block, in bytes.
const BLOCKING_FROM: usize = 16 << 10;
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
    /// One part of the request is wrong.
    #[error("{detail}")]
    Faulty {
        /// Which part, as a JSON pointer.
        pointer: &'static str,
        /// What to write instead.
        detail: String,
    },
    /// The policy does not allow the probe.
    #[error("{detail}")]
    Refused {
        /// Which rule.
        rule: &'static str,
        /// What it says, and what to do.
        detail: String,
    },
    /// The caller, or what they want probed, had enough for now.
    #[error("{detail}")]
    TooMany {
        /// What there is too much of.
        detail: String,
        /// When to try again.
        retry_after: Duration,
    },
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
    /// Compiling the knowledge broke off.
    #[error("the knowledge could not be compiled: {0}")]
    Compile(String),
    /// The settings of probes cannot be used.
    #[error(transparent)]
    Probes(#[from] ProbeSettingsError),
}

/// The running service: compiled knowledge and a store.
pub struct App {
    /// Swapped whole when the knowledge changes; requests that run keep the one they began with.
    engine: ArcSwap<Engine>,
    store: Arc<dyn Store>,
    /// Held while the knowledge is changed.
    changing: tokio::sync::Mutex<()>,
    probes: probes::Probes,
}

impl App {
    /// Imports the shipped knowledge if it changed, and compiles what the store holds.
    ///
    /// # Errors
    /// The files have errors, in which case nothing is changed, or the store fails.
    pub async fn start(store: Arc<dyn Store>, shipped: &[SourceFile]) -> Result<Self, StartError> {
        let new = Self::not_yet_imported(&store, shipped).await?;
        let learned = learning::learned(&store).await?;
        let compile = |graph: Graph, kept: Option<Vec<u8>>| {
            tokio::task::spawn_blocking(move || {
                let kept = kept.unwrap_or_default();
                Engine::with_kept_index(graph, learned, &[files::shipped_index(), &kept])
            })
        };
        let compiled = match new {
            Some((graph, hash)) => {
                let compiling = compile(graph.clone(), None);
                store.import(&graph, &hash, &[]).await?;
                compiling.await
            }
            None => compile(store.graph().await?, store.kept_index().await?).await,
        };
        let (engine, index) = compiled.map_err(|error| StartError::Compile(error.to_string()))?;
        if let Some(index) = index {
            // Without it the next start takes a little longer, and that is all.
            if let Err(error) = store.keep_index(&index).await {
                tracing::warn!(%error, "the compiled knowledge could not be kept");
            }
        }
        let app = App {
            engine: ArcSwap::from_pointee(engine),
            store,
            changing: tokio::sync::Mutex::new(()),
            probes: probes::Probes::new(&Settings::default())?,
        };
        app.remember_knowledge().await?;
        Ok(app)
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
    pub async fn diagnose(&self, mut evidence: Vec<Evidence>) -> Result<Diagnosis, AppError> {
        for piece in &mut evidence {
            piece.context.reach = self.probes.reach();
        }
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

    /// Pages that speak of the words, best first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn search(&self, words: &str) -> Result<Vec<Hit>, AppError> {
        let mut hits = self.store.search(words, MOST_HITS).await?;
        let no_case = Subject::default();
        for hit in &mut hits {
            hit.excerpt = no_case.fill(&hit.excerpt);
        }
        Ok(hits)
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
        self.stop_probes().await;
        self.store.close().await;
    }
}
