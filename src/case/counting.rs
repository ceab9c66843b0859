//! Which evidence counts at the moment.
//!
//! - An answer that was taken back does not count.
//! - Of statements about one key by the same kind of source (answers, a caller's facts, probes) the
//!   newest counts: people correct themselves, and things change. What a text or a probe shows is
//!   never outdone by a statement.
//! - After a fix that changed something, only what came after it counts. After one that did not,
//!   everything counts, and that it did not help counts too.

use super::{Case, Entry, FixReport, FixResult, Happening, OutcomeKind};
use crate::engine::Evidence;
use crate::engine::diagnosis::{FIX_FAILED, StatedFact};

/// A fix that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedFix {
    /// The position of the entry that tells of it.
    pub entry: usize,
    /// One past the last entry before the next fix.
    pub until: usize,
    /// The id of the cause that it removes.
    pub cause: String,
    /// What came of it, as far as it is known.
    pub result: FixResult,
}

impl AppliedFix {
    /// Whether it must still be seen that it helped.
    pub fn is_waiting(&self) -> bool {
        !matches!(self.result, FixResult::Same | FixResult::Different)
    }
}

/// Evidence that counts, each piece with the position of its entry.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counted {
    /// Positions of entries, in the order of the pieces.
    pub entries: Vec<usize>,
    /// The pieces.
    pub pieces: Vec<Evidence>,
}

impl Counted {
    fn of<'a>(entries: impl Iterator<Item = (usize, &'a Entry)>) -> Self {
        let (entries, pieces) = entries
            .map(|(position, entry)| {
                let mut evidence = entry.evidence.clone();
                if let Happening::Answer { step, .. } = &entry.what {
                    evidence.answered.push(step.clone());
                }
                (position, evidence)
            })
            .unzip();
        Counted { entries, pieces }
    }

    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.pieces.iter().all(|piece| {
            let nothing = Evidence::default();
            piece.text.is_none() && piece.facts.is_empty() && piece.context == nothing.context
        })
    }
}

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Words of a text.
    Paste,
    /// What a probe saw.
    Probe,
    /// The answer to a step.
    Answer,
    /// Facts or circumstances that a caller or the form states.
    Stated,
}

impl Source {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Paste => "paste",
            Source::Probe => "probe",
            Source::Answer => "answer",
            Source::Stated => "stated",
        }
    }

    /// Of what an entry states beside its text.
    pub fn of_statement(entry: &Entry) -> Self {
        if entry.probed.is_some() {
            Source::Probe
        } else if entry.is_answer() {
            Source::Answer
        } else {
            Source::Stated
        }
    }
}

/// Whether two statements speak of the same thing.
fn is_of_the_same(one: &StatedFact, other: &StatedFact) -> bool {
    let vantage = |fact: &StatedFact| match fact.vantage.as_str() {
        "" => "user".to_owned(),
        other => other.to_owned(),
    };
    one.key == other.key && one.hop == other.hop && vantage(one) == vantage(other)
}

impl Case {
    /// Entries whose evidence is in force: not taken back, and no mere note of the case.
    fn in_force(&self) -> impl DoubleEndedIterator<Item = (usize, &Entry)> {
        self.entries.iter().enumerate().filter(|(position, entry)| {
            !matches!(entry.what, Happening::TakenBack { .. }) && !self.is_taken_back(*position)
        })
    }

    /// The fixes that were applied, oldest first. A case that was closed as solved and goes on had
    /// its fix applied when it was closed.
    pub fn fixes(&self) -> Vec<AppliedFix> {
        let mut fixes: Vec<AppliedFix> = Vec::new();
        for (position, entry) in self.in_force() {
            let (cause, begins) = match &entry.what {
                Happening::Fix { cause, report } => (cause, *report == FixReport::Applied),
                Happening::Closed(outcome) if outcome.kind == OutcomeKind::Solved => {
                    match &outcome.cause {
                        Some(cause) => (cause, false),
                        None => continue,
                    }
                }
                _ => continue,
            };
            let goes_on = |fix: &AppliedFix| !begins && fix.cause == *cause;
            if fixes.last().is_some_and(goes_on) {
                continue;
            }
            if let Some(last) = fixes.last_mut() {
                last.until = position;
            }
            fixes.push(AppliedFix {
                entry: position,
                until: self.entries.len(),
                cause: cause.clone(),
                result: FixResult::Pending,
            });
        }
        for fix in &mut fixes {
            fix.result = self.result_of(fix.entry, fix.until);
        }
        fixes
    }

    /// The fix that was applied last.
    pub fn last_fix(&self) -> Option<AppliedFix> {
        self.fixes().pop()
    }

    fn result_of(&self, from: usize, until: usize) -> FixResult {
        self.in_force()
            .filter(|(position, _)| (from..until).contains(position))
            .filter_map(|(_, entry)| entry.given.as_ref()?.fix_result)
            .next_back()
            .unwrap_or(FixResult::Pending)
    }

    /// The evidence that counts now.
    pub fn counted(&self) -> Counted {
        self.counted_until(self.entries.len())
    }

    /// The evidence of the entries before a position that counted there, without what was taken
    /// back since.
    pub fn counted_until(&self, until: usize) -> Counted {
        let mut fixes = self.fixes();
        fixes.retain(|fix| fix.entry < until);
        let mut from = 0;
        let mut in_vain: Vec<&AppliedFix> = Vec::new();
        for fix in &fixes {
            let after = self.between(fix.entry, fix.until);
            match fix.result {
                FixResult::Different => (from, in_vain) = (fix.entry, Vec::new()),
                FixResult::Healthy if !after.is_empty() => {
                    (from, in_vain) = (fix.entry, Vec::new());
                }
                FixResult::Same => in_vain.push(fix),
                _ => {}
            }
        }
        let mut counted = self.between(from, until);
        for fix in in_vain {
            let piece = counted
                .entries
                .iter()
                .position(|entry| *entry == fix.entry)
                .and_then(|place| counted.pieces.get_mut(place));
            if let Some(piece) = piece {
                piece.facts.push(StatedFact {
                    key: FIX_FAILED.to_owned(),
                    value: fix.cause.clone(),
                    ..StatedFact::default()
                });
            }
        }
        counted
    }

    /// The evidence of the entries from one position to before another.
    pub fn between(&self, from: usize, until: usize) -> Counted {
        let chosen = self
            .in_force()
            .filter(|(position, _)| (from..until).contains(position));
        let mut counted = Counted::of(chosen);
        self.drop_corrected(&mut counted);
        counted
    }

    fn drop_corrected(&self, counted: &mut Counted) {
        if counted.entries.len() < 2 {
            return;
        }
        for older in 0..counted.entries.len() {
            let source = Source::of_statement(&self.entries[counted.entries[older]]);
            let (before, after) = counted.pieces.split_at_mut(older + 1);
            let newer: Vec<&StatedFact> = after
                .iter()
                .zip(&counted.entries[older + 1..])
                .filter(|(_, entry)| Source::of_statement(&self.entries[**entry]) == source)
                .flat_map(|(piece, _)| &piece.facts)
                .collect();
            before[older]
                .facts
                .retain(|fact| !newer.iter().any(|other| is_of_the_same(fact, other)));
        }
    }
}
