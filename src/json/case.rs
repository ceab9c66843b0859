//! Cases as callers get them, and how they close them.

use serde::{Deserialize, Serialize};

use super::{CauseJson, DiagnosisJson, Invalid, causes, diagnosis};
use crate::case::contradictions::Contradiction;
use crate::case::verification::Verification;
use crate::case::{Case, DiagnosedCase, Entry, Given, Happening, Outcome, OutcomeKind, RuledOut};
use crate::engine::Diagnosis;

/// How a caller closes a case.
#[derive(Debug, Deserialize)]
pub struct OutcomeJson {
    kind: String,
    /// The confirmed cause's id.
    #[serde(default)]
    pub cause: Option<String>,
    /// The id of the cause whose fix was applied, or what was done in words.
    #[serde(default)]
    pub fix: Option<String>,
    /// Words for whoever reads it later.
    #[serde(default)]
    pub note: Option<String>,
    /// The revision that this closes; whatever is there if it is left out.
    #[serde(default)]
    pub revision: Option<i64>,
}

impl OutcomeJson {
    /// How it ended.
    ///
    /// # Errors
    /// There is no such kind.
    pub fn kind(&self) -> Result<OutcomeKind, Invalid> {
        OutcomeKind::from_word(&self.kind).ok_or_else(|| Invalid {
            pointer: "/kind".to_owned(),
            detail: format!(
                "one of {}",
                OutcomeKind::ALL.map(OutcomeKind::as_str).join(", ")
            ),
        })
    }
}

/// A case as callers get it.
#[derive(Debug, Serialize)]
pub struct CaseJson {
    id: String,
    number: i64,
    state: &'static str,
    revision: i64,
    created_at: String,
    updated_at: String,
    diagnosis: DiagnosisJson,
    timeline: Vec<TimelineJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<ClosedJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification: Option<VerificationJson>,
    contradictions: Vec<ContradictionJson>,
    ruled_out: Vec<RuledOutJson>,
}

#[derive(Debug, Serialize)]
struct ClosedJson {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// Something that happened. Its `id` is that of the answer, where it is one.
#[derive(Debug, Serialize)]
struct TimelineJson {
    id: String,
    at: String,
    /// `evidence`, `answer`, `taken_back` or `outcome`.
    kind: &'static str,
    /// The revision that it led to: `GET /api/v1/cases/{id}?revision=`.
    revision: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
    /// The redacted text.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// Whether it was taken back later.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    taken_back: bool,
    /// The answer that this takes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    takes_back: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix_result: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<LeadJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<LeadJson>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ruled_out: Vec<RuledOutJson>,
}

/// The likeliest cause at a stage.
#[derive(Debug, Serialize)]
struct LeadJson {
    cause: String,
    probability: f64,
}

#[derive(Debug, Serialize)]
struct RuledOutJson {
    cause: String,
    /// How likely it was, and is.
    from: f64,
    to: f64,
    /// The symptom that spoke most against it.
    #[serde(skip_serializing_if = "Option::is_none")]
    finding: Option<String>,
    /// The id of the entry of the timeline that did it.
    entry: String,
}

#[derive(Debug, Serialize)]
struct VerificationJson {
    /// The cause whose fix was applied.
    fix: String,
    /// The id of the entry of the timeline.
    entry: String,
    /// `pending`, `healthy`, `same_failure`, `different_failure` or `unclear`.
    result: &'static str,
    before: StageJson,
    after: Option<StageJson>,
}

/// A diagnosis in short.
#[derive(Debug, Serialize)]
struct StageJson {
    verdict: &'static str,
    text: String,
    layer: Option<&'static str>,
    causes: Vec<CauseJson>,
    other_probability: f64,
}

#[derive(Debug, Serialize)]
struct ContradictionJson {
    key: String,
    hop: &'static str,
    vantage: String,
    values: Vec<SaidJson>,
}

#[derive(Debug, Serialize)]
struct SaidJson {
    value: String,
    /// The id of the entry of the timeline.
    entry: String,
    /// `paste`, `probe`, `answer` or `stated`.
    from: &'static str,
    /// Whether the diagnosis weighs it.
    counts: bool,
}

/// An entry's id: its number, from 1.
fn entry_id(position: usize) -> String {
    (position + 1).to_string()
}

/// A case as callers get it.
pub fn case(found: &DiagnosedCase) -> CaseJson {
    let case = &found.case;
    CaseJson {
        id: case.id.clone(),
        number: case.number,
        state: case.state.as_str(),
        revision: case.revision,
        created_at: case.created_at.to_string(),
        updated_at: case.updated_at.to_string(),
        diagnosis: diagnosis(&found.diagnosis),
        timeline: (0..case.entries.len())
            .map(|position| moment(case, position))
            .collect(),
        outcome: case.outcome().map(closed),
        verification: found.verification.as_ref().map(verification),
        contradictions: found.contradictions.iter().map(contradiction).collect(),
        ruled_out: found
            .all_ruled_out()
            .iter()
            .map(|(position, one)| ruled_out(*position, one))
            .collect(),
    }
}

fn closed(outcome: &Outcome) -> ClosedJson {
    ClosedJson {
        kind: outcome.kind.as_str(),
        cause: outcome.cause.clone(),
        fix: outcome.fix.clone(),
        note: outcome.note.clone(),
    }
}

fn kind(entry: &Entry) -> &'static str {
    match entry.what {
        Happening::Evidence => "evidence",
        Happening::Answer { .. } | Happening::Fix { .. } => "answer",
        Happening::TakenBack { .. } => "taken_back",
        Happening::Closed(_) => "outcome",
    }
}

fn moment(case: &Case, position: usize) -> TimelineJson {
    let entry = &case.entries[position];
    let (step, answer) = match &entry.what {
        Happening::Answer { step, answer } => (Some(step.clone()), Some(answer.clone())),
        Happening::Fix { cause, report } => (Some(cause.clone()), Some(report.as_str().to_owned())),
        _ => (None, None),
    };
    let given = entry.given.as_ref();
    let before = position
        .checked_sub(1)
        .and_then(|before| case.entries[before].given.as_ref());
    TimelineJson {
        id: entry_id(position),
        at: entry.at.to_string(),
        kind: kind(entry),
        revision: position + 1,
        step,
        answer,
        text: entry.evidence.text.clone(),
        taken_back: case.is_taken_back(position),
        takes_back: match entry.what {
            Happening::TakenBack { entry } => Some(entry_id(entry)),
            _ => None,
        },
        fix_result: given.and_then(|given| given.fix_result).map(|r| r.as_str()),
        before: before.and_then(lead),
        after: given.and_then(lead),
        ruled_out: given
            .iter()
            .flat_map(|given| &given.ruled_out)
            .map(|one| ruled_out(position, one))
            .collect(),
    }
}

fn lead(given: &Given) -> Option<LeadJson> {
    let (cause, probability) = given.leading()?;
    Some(LeadJson {
        cause: cause.clone(),
        probability: *probability,
    })
}

fn ruled_out(position: usize, one: &RuledOut) -> RuledOutJson {
    RuledOutJson {
        cause: one.cause.clone(),
        from: one.from,
        to: one.to,
        finding: one.finding.clone(),
        entry: entry_id(position),
    }
}

fn verification(verification: &Verification) -> VerificationJson {
    VerificationJson {
        fix: verification.fix.cause.clone(),
        entry: entry_id(verification.fix.entry),
        result: verification.fix.result.as_str(),
        before: stage(&verification.before),
        after: verification.after.as_ref().map(stage),
    }
}

fn stage(diagnosis: &Diagnosis) -> StageJson {
    StageJson {
        verdict: diagnosis.verdict.as_str(),
        text: diagnosis.text.clone(),
        layer: diagnosis.layer.map(crate::engine::graph::Layer::as_str),
        causes: causes(diagnosis),
        other_probability: diagnosis.other_probability,
    }
}

fn contradiction(contradiction: &Contradiction) -> ContradictionJson {
    ContradictionJson {
        key: contradiction.key.clone(),
        hop: contradiction.hop.as_str(),
        vantage: contradiction.vantage.clone(),
        values: contradiction
            .values
            .iter()
            .map(|said| SaidJson {
                value: said.value.clone(),
                entry: entry_id(said.entry),
                from: said.from.as_str(),
                counts: said.counts,
            })
            .collect(),
    }
}

/// A case in a list.
#[derive(Debug, Serialize)]
pub struct CaseSummaryJson {
    /// Unguessable.
    pub id: String,
    /// Short.
    pub number: i64,
    /// How it stands.
    pub state: &'static str,
    /// Counts changes.
    pub revision: i64,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub updated_at: String,
    /// The likeliest cause.
    pub cause: Option<String>,
}
