//! What was tried, and what a finding did to a cause.

use super::super::evidence::Fact;
use super::{Diagnosis, Engine, FIX_FAILED, SeenSymptom};

/// A finding must halve a cause's odds against the likeliest to count as what ruled it out.
const LEAST_AGAINST: f64 = 0.7;

impl Engine {
    /// Positions of the causes whose fix was applied in vain, a root with its narrower causes.
    pub(super) fn tried_in_vain(&self, facts: &[(usize, &Fact)]) -> Vec<usize> {
        let mut tried = Vec::new();
        for (_, fact) in facts.iter().filter(|(_, fact)| *fact.key == *FIX_FAILED) {
            let found = self
                .graph
                .causes
                .binary_search_by(|cause| cause.id.as_str().cmp(&fact.value));
            if let Ok(named) = found {
                tried.extend(
                    (0..self.graph.causes.len())
                        .filter(|cause| *cause == named || self.model.root_of(*cause) == named),
                );
            }
        }
        tried.sort_unstable();
        tried.dedup();
        tried
    }

    /// Of the symptoms that a diagnosis saw, of which `is_new` tells the new ones, the one that
    /// spoke most against a cause, held against the likeliest cause.
    pub fn spoke_against<'a>(
        &self,
        cause: &str,
        diagnosis: &'a Diagnosis,
        is_new: impl Fn(&SeenSymptom) -> bool,
    ) -> Option<&'a SeenSymptom> {
        let position = |id: &str| {
            self.graph
                .causes
                .binary_search_by(|known| known.id.as_str().cmp(id))
                .ok()
        };
        let own = position(cause)?;
        let first = position(&diagnosis.causes.first()?.id)?;
        diagnosis
            .symptoms
            .iter()
            .filter(|symptom| is_new(symptom))
            .filter_map(|symptom| {
                let row = self
                    .graph
                    .symptoms
                    .binary_search_by(|known| known.id.as_str().cmp(&symptom.id))
                    .ok()
                    .filter(|row| self.model.is_informative(*row))?;
                let against =
                    (self.model.likelihood(row, first) / self.model.likelihood(row, own)).ln();
                (against >= LEAST_AGAINST).then_some((against, symptom))
            })
            .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.id.cmp(&a.1.id)))
            .map(|(_, symptom)| symptom)
    }
}
