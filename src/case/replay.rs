//! A stage of a case made again, held against what was said then.

use super::{Case, DiagnosedCase, Given};
use crate::engine::Engine;

/// What became of a revision when it was made again.
#[derive(Clone, Debug, PartialEq)]
pub struct Replayed {
    /// The revision.
    pub revision: i64,
    /// What was said then; `None` for a case from before this was kept.
    pub then: Option<Given>,
    /// What is said now.
    pub now: Given,
}

/// How likely a cause was said to be then and is said to be now.
#[derive(Clone, Debug, PartialEq)]
pub struct Shift {
    /// The cause's id.
    pub cause: String,
    /// Then; `None` if it was not listed.
    pub then: Option<f64>,
    /// Now; `None` if it is not listed.
    pub now: Option<f64>,
}

impl Replayed {
    /// Whether the same is said, byte by byte.
    pub fn is_identical(&self) -> bool {
        self.then
            .as_ref()
            .is_some_and(|then| then.digest == self.now.digest)
    }

    /// The causes whose probability changed, in the order in which they were listed.
    pub fn shifts(&self) -> Vec<Shift> {
        let Some(then) = &self.then else {
            return Vec::new();
        };
        let of = |given: &Given, id: &str| {
            given
                .causes
                .iter()
                .find(|(known, _)| known == id)
                .map(|(_, probability)| *probability)
        };
        let mut ids: Vec<&String> = then.causes.iter().map(|(id, _)| id).collect();
        for (id, _) in &self.now.causes {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids.into_iter()
            .map(|id| Shift {
                cause: id.clone(),
                then: of(then, id),
                now: of(&self.now, id),
            })
            .filter(|shift| shift.then != shift.now)
            .collect()
    }
}

/// Makes every revision of a case again with the present knowledge.
pub fn replay(engine: &Engine, case: &Case) -> Vec<Replayed> {
    (1..=case.revision)
        .filter_map(|revision| {
            let mut earlier = case.at(revision)?;
            let then = earlier.entries.last_mut()?.given.take();
            let again = DiagnosedCase::after_last_entry(engine, earlier);
            let now = again.case.entries.last()?.given.clone()?;
            Some(Replayed {
                revision,
                then,
                now,
            })
        })
        .collect()
}
