//! What calibration and simulation need of the engine: its weighing without its words.

use super::super::evidence::Fact;
use super::super::ranking::Source;
use super::engine::{Weighed, source};
use super::{Engine, Evidence};

impl Engine {
    /// The symptoms that a text shows, with where each was read: what the causes are weighed by.
    pub fn findings(&self, text: &str) -> Vec<(usize, Source)> {
        let gathered = self.gathered(vec![Evidence {
            text: Some(text.to_owned()),
            ..Evidence::default()
        }]);
        let counted: Vec<(usize, &Fact)> = gathered.counted().collect();
        self.symptoms(&counted)
            .iter()
            .map(|(row, fact)| (*row, source(&gathered.facts[*fact])))
            .collect()
    }

    /// What facts make of the causes and of their families.
    pub(super) fn weigh(&self, facts: &[Fact]) -> Weighed {
        self.weighed(&facts.iter().enumerate().collect::<Vec<_>>())
    }
}
