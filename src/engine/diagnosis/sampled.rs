//! What calibration and simulation need of the engine: its weighing without its words.

use super::super::evidence::Fact;
use super::super::ranking::{Posterior, Source};
use super::engine::source;
use super::gathered::Gathered;
use super::{Engine, Evidence};

impl Engine {
    /// The symptoms that a text shows, with where each was read: what the causes are weighed by.
    pub fn findings(&self, text: &str) -> Vec<(usize, Source)> {
        let mut gathered = Gathered::default();
        let evidence = Evidence {
            text: Some(text.to_owned()),
            ..Evidence::default()
        };
        gathered.read(&self.matcher, evidence, 0);
        gathered.settle();
        let counted: Vec<(usize, &Fact)> = gathered.counted().collect();
        self.symptoms(&counted)
            .iter()
            .map(|(row, fact)| (*row, source(&gathered.facts[*fact])))
            .collect()
    }

    /// What facts make of the causes and of their families.
    pub(super) fn weigh_stated(&self, facts: &[Fact]) -> (Posterior, Vec<f64>) {
        let counted: Vec<(usize, &Fact)> = facts.iter().enumerate().collect();
        let symptoms = self.symptoms(&counted);
        let seen: Vec<(usize, Source)> = symptoms
            .iter()
            .map(|(row, fact)| (*row, source(&facts[*fact])))
            .collect();
        let tried = self.tried_in_vain(&counted);
        let posterior = self.model.posterior(&seen);
        let posterior = posterior.without_fixed(tried, super::engine::FIX_IN_VAIN);
        let families = self.families(&posterior);
        (posterior, families)
    }
}
