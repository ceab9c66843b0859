//! A troubleshooting session as a value, and a probe's report as one.
//!
//! A case is the list of what happened in it; everything else (how it stands, what counts, what was
//! ruled out) follows from that list, so every stage of it can be looked at again. Revision n is
//! the case after its first n entries.
//!
//! - [`counting`]: which evidence counts at the moment, after answers taken back and fixes applied.
//! - [`diagnosed`]: what the evidence amounts to, and what each entry changed.
//! - [`verification`]: whether a fix helped.
//! - [`contradictions`]: what entries say against each other.
//! - [`handover`]: what whoever goes on needs.
//! - [`replay`]: a stage made again, held against what was said then.

pub mod contradictions;
pub mod counting;
pub mod diagnosed;
pub mod handover;
mod probe;
pub mod replay;
pub mod replies;
pub mod verification;

use jiff::Timestamp;

use crate::engine::Evidence;
pub use diagnosed::{DiagnosedCase, Given, RuledOut};
pub use probe::{
    Compared, Probe, ProbeState, Probed, Report, SelfTest, Stage, StageKind, StageState, Variant,
};
pub use verification::FixResult;

/// How a case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseState {
    /// Being worked on.
    Open,
    /// A fix was applied and waits for its proof.
    Verifying,
    /// The fix is proven.
    Solved,
    /// It works by another way.
    WorkedAround,
    /// Nobody goes on.
    GivenUp,
    /// Somebody else goes on.
    HandedOver,
}

impl CaseState {
    /// All states.
    pub const ALL: [CaseState; 6] = [
        CaseState::Open,
        CaseState::Verifying,
        CaseState::Solved,
        CaseState::WorkedAround,
        CaseState::GivenUp,
        CaseState::HandedOver,
    ];

    /// The word used in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            CaseState::Open => "open",
            CaseState::Verifying => "verifying",
            CaseState::Solved => "solved",
            CaseState::WorkedAround => "worked_around",
            CaseState::GivenUp => "given_up",
            CaseState::HandedOver => "handed_over",
        }
    }

    /// The state of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        CaseState::ALL
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutcomeKind {
    /// It works again.
    Solved,
    /// It works by another way; the fault is still there.
    WorkedAround,
    /// Nobody goes on.
    GivenUp,
    /// Somebody else goes on.
    HandedOver,
    /// The fault was another one than was said here.
    WrongDiagnosis,
}

impl OutcomeKind {
    /// All kinds.
    pub const ALL: [OutcomeKind; 5] = [
        OutcomeKind::Solved,
        OutcomeKind::WorkedAround,
        OutcomeKind::GivenUp,
        OutcomeKind::HandedOver,
        OutcomeKind::WrongDiagnosis,
    ];

    /// The word used in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            OutcomeKind::Solved => "solved",
            OutcomeKind::WorkedAround => "worked_around",
            OutcomeKind::GivenUp => "given_up",
            OutcomeKind::HandedOver => "handed_over",
            OutcomeKind::WrongDiagnosis => "wrong_diagnosis",
        }
    }

    /// The kind of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        OutcomeKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

/// How a case ended, and what is worth keeping of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub kind: OutcomeKind,
    /// The confirmed cause's id.
    pub cause: Option<String>,
    /// What was done: the id of the cause whose fix was applied, or words, redacted.
    pub fix: Option<String>,
    /// Words for whoever reads it later, redacted.
    pub note: Option<String>,
}

impl Outcome {
    /// The state of a case that ended so. A wrong diagnosis whose right cause was found is a case
    /// that was solved elsewhere; without a cause nobody goes on with it.
    pub fn state(&self) -> CaseState {
        match (self.kind, &self.cause) {
            (OutcomeKind::Solved, _) | (OutcomeKind::WrongDiagnosis, Some(_)) => CaseState::Solved,
            (OutcomeKind::WorkedAround, _) => CaseState::WorkedAround,
            (OutcomeKind::GivenUp, _) | (OutcomeKind::WrongDiagnosis, None) => CaseState::GivenUp,
            (OutcomeKind::HandedOver, _) => CaseState::HandedOver,
        }
    }

    /// The cause that this proves, if it proves one: what was handed over or given up proves none.
    pub fn confirmed(&self) -> Option<&str> {
        match self.kind {
            OutcomeKind::Solved | OutcomeKind::WorkedAround | OutcomeKind::WrongDiagnosis => {
                self.cause.as_deref()
            }
            OutcomeKind::GivenUp | OutcomeKind::HandedOver => None,
        }
    }
}

/// What somebody says of a fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FixReport {
    /// It was applied; whether it helps must be seen.
    Applied,
    /// It was applied, and it works now.
    Works,
    /// It was applied, and it fails still.
    Fails,
}

impl FixReport {
    /// All reports.
    pub const ALL: [FixReport; 3] = [FixReport::Applied, FixReport::Works, FixReport::Fails];

    /// The id of the answer that says so.
    pub fn as_str(self) -> &'static str {
        match self {
            FixReport::Applied => "applied",
            FixReport::Works => "it-works-now",
            FixReport::Fails => "still-fails",
        }
    }

    /// The report of that answer.
    pub fn from_word(word: &str) -> Option<Self> {
        FixReport::ALL
            .into_iter()
            .find(|report| report.as_str() == word)
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// Something was pasted, stated or probed.
    Evidence,
    /// A step was answered.
    Answer {
        /// The check's id.
        step: String,
        /// The answer's id.
        answer: String,
    },
    /// Somebody said something of a fix.
    Fix {
        /// The id of the cause that it removes.
        cause: String,
        /// What was said.
        report: FixReport,
    },
    /// An earlier answer was taken back.
    TakenBack {
        /// The position of that entry.
        entry: usize,
    },
    /// The case was closed.
    Closed(Outcome),
}

/// One thing that happened in a case. Evidence is redacted before it gets here.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// What was given.
    pub evidence: Evidence,
    /// What it was.
    pub what: Happening,
    /// What was said after it; older cases do not have it.
    pub given: Option<Given>,
    /// The probe that the evidence comes from.
    pub probed: Option<Box<Probed>>,
}

impl Entry {
    /// An entry of which nothing was said yet.
    pub fn new(at: Timestamp, what: Happening, evidence: Evidence) -> Self {
        Entry {
            at,
            evidence,
            what,
            given: None,
            probed: None,
        }
    }

    /// What a probe saw.
    pub fn of_probe(at: Timestamp, probed: Probed, evidence: Evidence) -> Self {
        Entry {
            probed: Some(Box::new(probed)),
            ..Entry::new(at, Happening::Evidence, evidence)
        }
    }

    /// Whether it may be taken back.
    pub fn is_answer(&self) -> bool {
        matches!(self.what, Happening::Answer { .. } | Happening::Fix { .. })
    }
}

/// A case.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Unguessable: whoever knows it may read the case.
    pub id: String,
    /// Short, for people who are logged in; 0 until the store has given one.
    pub number: i64,
    /// How it stands.
    pub state: CaseState,
    /// Counts changes, from 1.
    pub revision: i64,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// What happened, oldest first.
    pub entries: Vec<Entry>,
}

impl Case {
    /// Opens a case.
    pub fn open(id: String, now: Timestamp, evidence: Evidence) -> Self {
        Case {
            id,
            number: 0,
            state: CaseState::Open,
            revision: 1,
            created_at: now,
            updated_at: now,
            entries: vec![Entry::new(now, Happening::Evidence, evidence)],
        }
    }

    /// Adds what happened next.
    pub fn add(&mut self, entry: Entry) {
        self.updated_at = entry.at;
        self.revision += 1;
        self.entries.push(entry);
        self.state = self.standing();
    }

    /// The case as it was at an earlier revision; `None` if it never had that one.
    pub fn at(&self, revision: i64) -> Option<Case> {
        let length = usize::try_from(revision).ok()?;
        if length == 0 || length > self.entries.len() {
            return None;
        }
        let mut earlier = Case {
            revision,
            entries: self.entries[..length].to_vec(),
            ..self.clone()
        };
        earlier.updated_at = earlier.entries[length - 1].at;
        earlier.state = earlier.standing();
        Some(earlier)
    }

    /// Whether the entry at that position was taken back.
    pub fn is_taken_back(&self, position: usize) -> bool {
        self.taken_back_by(position).is_some()
    }

    /// The position of the entry that took that one back.
    pub fn taken_back_by(&self, position: usize) -> Option<usize> {
        self.entries
            .iter()
            .position(|entry| entry.what == Happening::TakenBack { entry: position })
    }

    /// How it ended, if it is closed.
    pub fn outcome(&self) -> Option<&Outcome> {
        let last = self
            .entries
            .iter()
            .rfind(|entry| !matches!(entry.what, Happening::TakenBack { .. }))?;
        match &last.what {
            Happening::Closed(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// The state that follows from what happened.
    pub(crate) fn standing(&self) -> CaseState {
        if let Some(outcome) = self.outcome() {
            return outcome.state();
        }
        match self.last_fix() {
            Some(fix) if fix.is_waiting() => CaseState::Verifying,
            _ => CaseState::Open,
        }
    }
}
