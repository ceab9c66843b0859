//! What closed cases taught, and what is said again with other knowledge.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::knowledge::last_versions;
use super::{App, AppError};
use crate::case::Case;
use crate::case::replay::{Replayed, replay};
use crate::engine::learned::LearnedPriors;
use crate::store::{Confirmation, KnowledgeRecord, Store, StoreError};

/// What closed cases taught.
#[derive(Clone, Debug, PartialEq)]
pub struct Learned {
    /// The confirmed causes, oldest first.
    pub confirmations: Vec<Confirmation>,
    /// What they weigh now, in cases.
    pub weights: BTreeMap<String, f64>,
}

/// A case made again, revision by revision, with what stood behind each knowledge then and now.
#[derive(Clone, Debug)]
pub struct CaseReplay {
    /// The case.
    pub case: Case,
    /// Its revisions.
    pub revisions: Vec<Replayed>,
    /// The present knowledge.
    pub now: KnowledgeRecord,
    /// The knowledge of each hash that the revisions name, where it is remembered.
    pub then: BTreeMap<String, KnowledgeRecord>,
}

/// What the store's confirmations amount to.
pub(super) async fn learned(store: &Arc<dyn Store>) -> Result<LearnedPriors, StoreError> {
    let confirmations = store.confirmations().await?;
    let causes = confirmations.iter().map(|one| one.cause.as_str());
    Ok(LearnedPriors::of(causes))
}

impl App {
    /// Takes what closed cases taught into the engine. Several that close together do it once.
    pub(super) async fn learn(&self) -> Result<(), AppError> {
        let _one_at_a_time = self.changing.lock().await;
        let learned = learned(&self.store).await?;
        let engine = self.engine();
        if *engine.learned() == learned {
            return Ok(());
        }
        let engine = tokio::task::spawn_blocking(move || engine.with_other_priors(learned))
            .await
            .map_err(|error| AppError::Internal(error.to_string()))?;
        self.engine.store(Arc::new(engine));
        Ok(self.remember_knowledge().await?)
    }

    /// What closed cases taught.
    ///
    /// # Errors
    /// The store fails.
    pub async fn learned(&self) -> Result<Learned, AppError> {
        Ok(Learned {
            confirmations: self.store.confirmations().await?,
            weights: self.engine().learned().weights().clone(),
        })
    }

    /// Forgets what closed cases taught; how many did.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget_learned(&self) -> Result<u64, AppError> {
        let forgotten = self.store.forget_confirmations().await?;
        self.learn().await?;
        Ok(forgotten)
    }

    /// Makes every revision of a case again with the present knowledge.
    ///
    /// # Errors
    /// There is no such case, or the store fails.
    pub async fn replay(&self, id: &str) -> Result<CaseReplay, AppError> {
        let case = self.find(id).await?;
        let engine = self.engine();
        let (case, revisions) = tokio::task::spawn_blocking(move || {
            let revisions = replay(&engine, &case);
            (case, revisions)
        })
        .await
        .map_err(|error| AppError::Internal(error.to_string()))?;
        let mut then = BTreeMap::new();
        for given in revisions.iter().filter_map(|one| one.then.as_ref()) {
            if !then.contains_key(&given.knowledge)
                && let Some(record) = self.store.knowledge(&given.knowledge).await?
            {
                then.insert(given.knowledge.clone(), record);
            }
        }
        Ok(CaseReplay {
            case,
            revisions,
            now: self.knowledge_record().await?,
            then,
        })
    }

    /// Keeps what stands behind the hash that diagnoses carry from now on.
    pub(super) async fn remember_knowledge(&self) -> Result<(), StoreError> {
        let record = self.knowledge_record().await?;
        self.store.keep_knowledge(&record).await
    }

    async fn knowledge_record(&self) -> Result<KnowledgeRecord, StoreError> {
        let engine = self.engine();
        let revisions = self.store.entry_revisions().await?;
        let entries = last_versions(&revisions)
            .iter()
            .map(|entry| {
                let last = revisions
                    .iter()
                    .filter(|one| one.change.kind == entry.kind && one.change.id == entry.id)
                    .map(|one| one.revision)
                    .max()
                    .unwrap_or_default();
                (format!("{} {}", entry.kind, entry.id), last)
            })
            .collect();
        Ok(KnowledgeRecord {
            hash: engine.hash().to_owned(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            files: self.store.imported_files().await?.unwrap_or_default(),
            entries,
            learned: engine.learned().weights().clone(),
        })
    }
}
