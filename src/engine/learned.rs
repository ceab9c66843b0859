//! What closed cases taught: how often each cause was confirmed, as a weight on its prior.
//!
//! A Dirichlet distribution over the causes: the knowledge's own words count as much as
//! [`STRENGTH`] cases, a confirmed case counts one. Every later one takes a hundredth off the
//! weight of all before it, so that old cases fade, no clock is needed, and all together never
//! weigh more than a hundred: experience can shift the odds, and never drown the evidence.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::graph::Graph;

/// So many cases' worth are the priors as they are written.
pub const STRENGTH: f64 = 100.0;
/// What is left of a confirmed case's weight after the next one.
const FADING: f64 = 0.99;

/// The weights that confirmed cases give to causes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LearnedPriors {
    /// By the cause's id, in cases, rounded to four places.
    weights: BTreeMap<String, f64>,
}

impl LearnedPriors {
    /// Of the causes that were confirmed, oldest first.
    pub fn of<'a>(confirmed: impl DoubleEndedIterator<Item = &'a str>) -> Self {
        let mut weights: BTreeMap<String, f64> = BTreeMap::new();
        let mut weight = 1.0;
        for cause in confirmed.rev() {
            *weights.entry(cause.to_owned()).or_default() += weight;
            weight *= FADING;
        }
        LearnedPriors::with_weights(weights)
    }

    /// With weights as they were kept; what is no positive number is left out.
    pub fn with_weights(weights: BTreeMap<String, f64>) -> Self {
        let weights = weights
            .into_iter()
            .map(|(cause, weight)| (cause, (weight * 10_000.0).round() / 10_000.0))
            .filter(|(_, weight)| weight.is_finite() && *weight > 0.0)
            .collect();
        LearnedPriors { weights }
    }

    /// Whether nothing was learnt.
    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    /// By the cause's id, in cases.
    pub fn weights(&self) -> &BTreeMap<String, f64> {
        &self.weights
    }

    /// Shifts the priors of a graph's causes and leaves their sum as it is. What was learnt of causes
    /// that are no longer there counts for nothing.
    pub(super) fn shift(&self, graph: &Graph, priors: &mut [f64]) {
        let known: f64 = priors.iter().sum();
        let learnt = |id: &str| self.weights.get(id).copied().unwrap_or_default();
        let total: f64 = graph.causes.iter().map(|cause| learnt(&cause.id)).sum();
        if total <= 0.0 || known <= 0.0 {
            return;
        }
        for (prior, cause) in priors.iter_mut().zip(&graph.causes) {
            let written = STRENGTH * *prior / known;
            *prior = known * (written + learnt(&cause.id)) / (STRENGTH + total);
        }
    }

    /// The hash of knowledge with this learnt; the knowledge's own if nothing was.
    pub(super) fn stamp(&self, hash: &str) -> String {
        if self.is_empty() {
            return hash.to_owned();
        }
        let mut hasher = Sha256::new();
        hasher.update(hash);
        for (cause, weight) in &self.weights {
            hasher.update(format!("\n{cause} {weight:.4}"));
        }
        hasher.finalize()[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_cases_fade_and_all_together_are_bounded() {
        let many = vec!["a"; 10_000];
        let learned = LearnedPriors::of(many.into_iter());
        assert!((learned.weights()["a"] - 100.0).abs() < 0.001);
        let mixed = LearnedPriors::of(["a", "b"].into_iter());
        assert_eq!(mixed.weights()["a"], 0.99);
        assert_eq!(mixed.weights()["b"], 1.0);
    }

    #[test]
    fn what_was_learnt_changes_the_hash() {
        let hash = |confirmed: &[&str]| LearnedPriors::of(confirmed.iter().copied()).stamp("0123");
        assert_eq!(hash(&[]), "0123");
        assert_ne!(hash(&["a"]), hash(&["b"]));
        assert_ne!(hash(&["a"]), hash(&["a", "a"]));
        assert_eq!(hash(&["a"]).len(), 32);
    }

    #[test]
    fn weights_that_are_no_numbers_are_left_out() {
        let weights = [
            ("a", f64::NAN),
            ("b", -1.0),
            ("c", 0.5),
            ("d", f64::INFINITY),
        ];
        let weights = weights.map(|(cause, weight)| (cause.to_owned(), weight));
        let learned = LearnedPriors::with_weights(weights.into());
        assert_eq!(learned.weights().keys().collect::<Vec<_>>(), ["c"]);
    }
}
