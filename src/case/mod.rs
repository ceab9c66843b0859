//! A troubleshooting session as a value.

use jiff::Timestamp;

use crate::engine::Evidence;

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
        [
            CaseState::Open,
            CaseState::Verifying,
            CaseState::Solved,
            CaseState::WorkedAround,
            CaseState::GivenUp,
            CaseState::HandedOver,
        ]
        .into_iter()
        .find(|state| state.as_str() == word)
    }
}

/// One thing that happened in a case. Evidence is redacted before it gets here.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// What was given.
    pub evidence: Evidence,
    /// The check and the answer that were chosen, for an answer to a step.
    pub answer: Option<(String, String)>,
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
            entries: vec![Entry {
                at: now,
                evidence,
                answer: None,
            }],
        }
    }

    /// Adds what happened next.
    pub fn add(&mut self, entry: Entry) {
        self.updated_at = entry.at;
        self.revision += 1;
        self.entries.push(entry);
    }

    /// All evidence, oldest first.
    pub fn evidence(&self) -> Vec<Evidence> {
        self.entries
            .iter()
            .map(|entry| entry.evidence.clone())
            .collect()
    }
}
