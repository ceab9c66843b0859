//! Whether a fix helped: what came after it, on its own, beside what was there before.

use std::collections::BTreeSet;

use super::counting::AppliedFix;
use super::{Case, FixReport, Happening};
use crate::engine::diagnosis::{SeenFact, StepState, VerdictKind};
use crate::engine::graph::{Graph, Layer, Stage, StageState};
use crate::engine::{Diagnosis, Engine};

/// From this probability on a cause explains what is seen after a fix.
const LEADING: f64 = 0.5;

/// What came of a fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FixResult {
    /// Nothing was seen since.
    Pending,
    /// It works.
    Healthy,
    /// The same failure as before: the fix did not help, or was not applied.
    Same,
    /// Another failure: the first one is gone.
    Different,
    /// What was seen since does not tell.
    Unclear,
}

impl FixResult {
    /// All results.
    pub const ALL: [FixResult; 5] = [
        FixResult::Pending,
        FixResult::Healthy,
        FixResult::Same,
        FixResult::Different,
        FixResult::Unclear,
    ];

    /// The word used in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            FixResult::Pending => "pending",
            FixResult::Healthy => "healthy",
            FixResult::Same => "same_failure",
            FixResult::Different => "different_failure",
            FixResult::Unclear => "unclear",
        }
    }

    /// The result of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        FixResult::ALL
            .into_iter()
            .find(|result| result.as_str() == word)
    }
}

/// A fix with what was there before and what was seen after it.
#[derive(Clone, Debug)]
pub struct Verification {
    /// The fix.
    pub fix: AppliedFix,
    /// What was wrong before.
    pub before: Diagnosis,
    /// What was seen since, on its own; `None` while nothing was.
    pub after: Option<Diagnosis>,
}

impl Verification {
    /// Of the fix that was applied last, with what is known of it so far.
    pub fn of(engine: &Engine, case: &Case) -> Option<Self> {
        let fix = case.last_fix()?;
        // Closing a case ends what there is to verify, until something new comes.
        if case.outcome().is_some() && fix.entry + 1 == case.entries.len() {
            return None;
        }
        let before = case.counted_until(fix.entry);
        let after = case.between(fix.entry, fix.until);
        Some(Verification {
            before: engine.diagnose_owned(before.pieces),
            after: (!after.is_empty()).then(|| engine.diagnose_owned(after.pieces)),
            fix,
        })
    }

    /// Whether it works.
    pub fn is_healthy(&self) -> bool {
        self.fix.result == FixResult::Healthy
    }

    /// With what was seen after the fix as what it shows: a connection that works.
    pub(super) fn settled(mut self) -> Self {
        if self.is_healthy() {
            self.after = self.after.map(|after| working(after, "It works.", true));
        }
        self
    }

    /// What came of the fix, judged by the entry that was added last.
    pub fn judged(&self, graph: &Graph, case: &Case) -> FixResult {
        let said = case.entries.last().and_then(|last| match &last.what {
            Happening::Fix { report, .. } => Some(*report),
            _ => None,
        });
        match (said, &self.after) {
            (Some(FixReport::Works), _) => FixResult::Healthy,
            (Some(FixReport::Fails), _) => FixResult::Same,
            (_, None) => FixResult::Pending,
            (_, Some(after)) => compare(graph, &self.fix.cause, &self.before, after),
        }
    }
}

/// A diagnosis of a connection that is known to work: what is likely in it is no longer the
/// question. `is_seen` says whether the details of the way were seen after the fix.
pub(super) fn working(mut diagnosis: Diagnosis, text: &str, is_seen: bool) -> Diagnosis {
    diagnosis.verdict = VerdictKind::Healthy;
    diagnosis.text = text.to_owned();
    diagnosis.layer = None;
    diagnosis.notes = Vec::new();
    for step in &mut diagnosis.path {
        step.state = StepState::Ok;
        if !is_seen {
            step.detail.clear();
        }
    }
    diagnosis
}

/// Holds what was seen after a fix against what was there before.
pub fn compare(graph: &Graph, fixed: &str, before: &Diagnosis, after: &Diagnosis) -> FixResult {
    let failed = failures(graph, after);
    if failed.is_empty() {
        return without_failure(graph, fixed, before, after);
    }
    let shared = failures(graph, before)
        .intersection(&failed)
        .next()
        .is_some();
    let is_same = shared
        || after.causes.first().is_some_and(|first| {
            first.probability >= LEADING && is_named(graph, fixed, before, &first.id)
        });
    if is_same {
        FixResult::Same
    } else {
        FixResult::Different
    }
}

/// Whether a family is the one that was fixed, or that led before.
fn is_named(graph: &Graph, fixed: &str, before: &Diagnosis, family: &str) -> bool {
    let root = graph
        .cause(fixed)
        .map_or(fixed, |cause| cause.parent.as_deref().unwrap_or(fixed));
    let led_before = before.causes.first().map(|cause| cause.id.as_str());
    family == root || Some(family) == led_before
}

/// Nothing that was seen says by itself that a stage failed.
fn without_failure(graph: &Graph, fixed: &str, before: &Diagnosis, after: &Diagnosis) -> FixResult {
    if after.verdict == VerdictKind::Healthy {
        return FixResult::Healthy;
    }
    // That it opens proves nothing of a connection that broke after it was open.
    let broke_open = before
        .path
        .iter()
        .any(|step| step.layer == Layer::Session && step.state == StepState::Failed);
    let lasts = |fact: &SeenFact| *fact.fact.key == *"open.lasting" && *fact.fact.value == *"yes";
    if passed(graph, after) >= Some(Stage::Handshake) {
        return if broke_open && !after.facts.iter().any(lasts) {
            FixResult::Unclear
        } else {
            FixResult::Healthy
        };
    }
    let first = after
        .causes
        .first()
        .filter(|first| first.probability >= LEADING)
        .filter(|_| after.verdict != VerdictKind::Unrecognised);
    match first {
        None => FixResult::Unclear,
        Some(first) if is_named(graph, fixed, before, &first.id) => FixResult::Same,
        Some(_) => FixResult::Different,
    }
}

/// The symptoms that say of a stage that it failed, without those that others say more exactly.
fn failures<'a>(graph: &Graph, diagnosis: &'a Diagnosis) -> BTreeSet<&'a str> {
    let seen: Vec<&str> = diagnosis
        .symptoms
        .iter()
        .map(|symptom| symptom.id.as_str())
        .collect();
    let general: BTreeSet<&str> = seen
        .iter()
        .filter_map(|id| graph.symptom(id)?.refines.as_deref())
        .collect();
    seen.iter()
        .copied()
        .filter(|id| !general.contains(id))
        .filter(|id| {
            graph
                .symptom(id)
                .is_some_and(|symptom| symptom.state == Some(StageState::Failed))
        })
        .collect()
}

/// The last stage that was seen to work.
fn passed(graph: &Graph, diagnosis: &Diagnosis) -> Option<Stage> {
    diagnosis
        .symptoms
        .iter()
        .filter_map(|symptom| graph.symptom(&symptom.id))
        .filter(|symptom| symptom.state == Some(StageState::Ok))
        .filter_map(|symptom| symptom.stage)
        .max()
}
