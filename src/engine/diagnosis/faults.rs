//! Two faults at once: evidence that no single cause explains.
//!
//! Where it was seen to break at two stages, and the likeliest cause explains what was seen at one of
//! them no better than chance while another cause explains just that, and not the rest, both are
//! there. What belongs to the earlier stage is dealt with first; then the case goes on.

use std::collections::BTreeSet;

use super::super::evidence::Fact;
use super::super::graph::{Stage, StageState};
use super::engine::Weighed;
use super::gathered::Gathered;
use super::{AlsoFault, Engine, SeenSymptom, round};

/// Both must be this likely when what belongs to the other is left out, before calibration: what is
/// left of one text would seem surer the less is left.
const LEAST_LIKELY: f64 = 0.55;
/// A finding belongs to a cause that explains it this much better than chance, ln of the factor ...
const EXPLAINED: f64 = 1.2;
/// ... and that the other one explains no better than this.
const UNEXPLAINED: f64 = 0.2;

impl Engine {
    /// The evidence of the earlier fault weighed without that of the later one, and the later one;
    /// `None` where one fault explains everything.
    pub(super) fn two_faults(
        &self,
        facts: &[(usize, &Fact)],
        all: &Weighed,
    ) -> Option<(Weighed, AlsoFault)> {
        let failed = self.failed_stages(all);
        if failed.len() < 2 {
            return None;
        }
        let mut stages = failed.into_iter();
        let mut earlier = stages.next()?;
        for later in stages {
            let found = self.faults_of(facts, all, earlier, later);
            if found.is_some() {
                return found;
            }
            earlier = later;
        }
        None
    }

    fn failed_stages(&self, weighed: &Weighed) -> BTreeSet<Stage> {
        let symptoms = weighed.symptoms.iter();
        symptoms
            .filter_map(|(row, _)| match self.model.stage_of(*row) {
                Some((stage, StageState::Failed)) if self.model.is_informative(*row) => Some(stage),
                _ => None,
            })
            .collect()
    }

    /// Whether what was seen up to the earlier stage and what was seen at the later one are two
    /// faults.
    fn faults_of(
        &self,
        facts: &[(usize, &Fact)],
        all: &Weighed,
        earlier: Stage,
        later: Stage,
    ) -> Option<(Weighed, AlsoFault)> {
        // The facts that show a failure at a stage after the earlier one, and those at one before
        // the later one.
        let shown = |is_of: &dyn Fn(Stage) -> bool| -> BTreeSet<usize> {
            let symptoms = all.symptoms.iter();
            symptoms
                .filter(|(row, _)| match self.model.stage_of(*row) {
                    Some((stage, StageState::Failed)) => is_of(stage),
                    _ => false,
                })
                .map(|(_, fact)| *fact)
                .collect()
        };
        let late = shown(&|stage| stage >= later);
        let early = shown(&|stage| stage <= earlier);
        if late.iter().any(|fact| early.contains(fact)) {
            return None;
        }
        let without = |left_out: &BTreeSet<usize>| {
            let left: Vec<(usize, &Fact)> = facts
                .iter()
                .filter(|(position, _)| !left_out.contains(position))
                .copied()
                .collect();
            self.weighed(&left)
        };
        let (first, second) = (without(&late), without(&early));
        let (one, other) = (self.leading(&first)?, self.leading(&second)?);
        if one == other || is_unlikely(&first, one) || is_unlikely(&second, other) {
            return None;
        }
        let (one_speaks, other_speaks) = (
            self.speaker(one, &first.posterior),
            self.speaker(other, &second.posterior),
        );
        let belongs = |own: usize, rival: usize, facts: &BTreeSet<usize>| {
            all.posterior.contributions.iter().any(|contribution| {
                let is_of = contribution.symptoms.iter().any(|row| {
                    let seen = all.symptoms.iter().find(|(seen, _)| seen == row);
                    seen.is_some_and(|(_, fact)| facts.contains(fact))
                });
                is_of
                    && contribution.weights[own] > EXPLAINED
                    && contribution.weights[rival] < UNEXPLAINED
            })
        };
        if !belongs(one_speaks, other_speaks, &early) || !belongs(other_speaks, one_speaks, &late) {
            return None;
        }
        // What explains all of it on its own is one fault.
        let explains_all = |cause: usize| {
            let weights = all.posterior.contributions.iter();
            let least = weights.map(|contribution| contribution.weights[cause]);
            self.model.shows_at(cause, earlier)
                && self.model.shows_at(cause, later)
                && least.fold(f64::INFINITY, f64::min) > UNEXPLAINED
        };
        if (0..self.graph.causes.len()).any(explains_all) {
            return None;
        }
        let (one, cause) = (&self.graph.causes[one], &self.graph.causes[other]);
        let seen = second
            .symptoms
            .iter()
            .filter(|(_, fact)| late.contains(fact));
        let symptoms: Vec<SeenSymptom> = seen.map(|seen| self.seen_symptom(seen)).collect();
        let seen = symptoms.iter().map(|seen| seen.title.as_str());
        let seen: Vec<&str> = seen.take(2).collect();
        let why = format!(
            "There are two faults: \u{201c}{}\u{201d} does not explain that {}. That fits \
             \u{201c}{}\u{201d}, which shows later on the way: deal with the first one, then \
             look again.",
            one.title,
            seen.join(" and that "),
            cause.title
        );
        let also = self.also_fault(other, second.families[other], symptoms, why);
        Some((first, also))
    }

    /// A second fault of that root cause.
    fn also_fault(
        &self,
        root: usize,
        probability: f64,
        symptoms: Vec<SeenSymptom>,
        why: String,
    ) -> AlsoFault {
        let cause = &self.graph.causes[root];
        AlsoFault {
            cause: cause.id.clone(),
            title: cause.title.clone(),
            layer: cause.layer,
            probability: round(probability),
            why,
            symptoms,
        }
    }

    fn leading(&self, weighed: &Weighed) -> Option<usize> {
        let families = weighed.families.iter().enumerate();
        families
            .max_by(|a, b| a.1.total_cmp(b.1))
            .map(|(root, _)| root)
    }

    /// Another connection of the same evidence that fails for another reason, and its number if it
    /// breaks earlier on the way.
    pub(super) fn fault_of_another_connection(
        &self,
        gathered: &Gathered,
        all: &Weighed,
    ) -> Option<(AlsoFault, Option<usize>)> {
        let own = gathered.connection?;
        let main = self.leading(all)?;
        let main_stage = *self.failed_stages(all).first()?;
        if is_unlikely(all, main) {
            return None;
        }
        (0..gathered.connections)
            .filter(|other| *other != own && !gathered.is_of_a_tool(*other))
            .find_map(|connection| {
                let facts: Vec<(usize, &Fact)> = gathered.of_connection(connection).collect();
                let weighed = self.weighed(&facts);
                let stage = *self.failed_stages(&weighed).first()?;
                let root = self.leading(&weighed)?;
                let speaks = self.speaker(main, &all.posterior);
                let explained = weighed.posterior.contributions.iter();
                let explained: f64 = explained.map(|found| found.weights[speaks]).sum();
                let is_another = root != main
                    && stage != main_stage
                    && !is_unlikely(&weighed, root)
                    && explained < UNEXPLAINED;
                is_another.then(|| {
                    let address = gathered.address_of(connection).unwrap_or_default();
                    let why = format!(
                        "There are two faults: the connection to {address} fails for another \
                         reason, which fits \u{201c}{}\u{201d} and shows later on the way. \
                         Deal with the first one, then look again.",
                        self.graph.causes[root].title
                    );
                    let seen = weighed.symptoms.iter();
                    let symptoms = seen.map(|seen| self.seen_symptom(seen)).collect();
                    let also = self.also_fault(root, weighed.families[root], symptoms, why);
                    (also, (stage < main_stage).then_some(connection))
                })
            })
    }
}

fn is_unlikely(weighed: &Weighed, root: usize) -> bool {
    weighed.posterior.families_as_weighed()[root] < LEAST_LIKELY
}
