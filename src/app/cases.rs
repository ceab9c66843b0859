//! Cases: opened, gone on with, answered, taken back, closed.

use std::sync::Arc;

use jiff::Timestamp;

use super::{App, AppError, BLOCKING_FROM};
use crate::case::diagnosed::CLOSE_AS_SOLVED;
use crate::case::replies;
use crate::case::{
    Case, CaseState, DiagnosedCase, Entry, FixReport, FixResult, Happening, Outcome, OutcomeKind,
};
use crate::engine::diagnosis::{Explanation, StatedFact};
use crate::engine::evidence::Context;
use crate::engine::near::near_names;
use crate::engine::redact::redact;
use crate::engine::{Engine, Evidence};
use crate::store::{CaseSummary, StoreError};

/// A case takes at most that many pieces of evidence and answers.
const MOST_ENTRIES: usize = 200;
/// So many more entries are kept free for taking answers back and for closing.
const RESERVED_ENTRIES: usize = 50;
/// Whoever changes a case without naming a revision is added to whatever is there; somebody else
/// may be faster so many times.
const MOST_ATTEMPTS: usize = 20;
/// A reply to a step has at most that many bytes.
const LONGEST_REPLY: usize = 200;
/// A note has at most that many bytes.
const LONGEST_NOTE: usize = 20_000;

/// How somebody wants to close a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// How it ended.
    pub kind: OutcomeKind,
    /// The confirmed cause's id.
    pub cause: Option<String>,
    /// What was done: the id of the cause whose fix was applied, or words.
    pub fix: Option<String>,
    /// Words for whoever reads it later.
    pub note: Option<String>,
}

impl App {
    /// Opens a case; it is durable when this returns.
    ///
    /// # Errors
    /// The store fails or is busy.
    pub async fn open_case(
        &self,
        evidence: Evidence,
        now: Timestamp,
    ) -> Result<DiagnosedCase, AppError> {
        let kept = self.keep(evidence).await?;
        let case = Case::open(new_id()?, now, kept);
        let mut opened = self
            .in_engine(case, DiagnosedCase::after_last_entry)
            .await?;
        opened.case = self.store.create_case(opened.case).await?;
        Ok(opened)
    }

    /// The case of that id, diagnosed with the present knowledge.
    ///
    /// # Errors
    /// There is none, or the store fails.
    pub async fn case(&self, id: &str) -> Result<DiagnosedCase, AppError> {
        let case = self.find(id).await?;
        self.in_engine(case, DiagnosedCase::of).await
    }

    /// The case as it was at an earlier revision, diagnosed with the present knowledge.
    ///
    /// # Errors
    /// There is no such case or revision, or the store fails.
    pub async fn case_at(&self, id: &str, revision: i64) -> Result<DiagnosedCase, AppError> {
        let case = self.find(id).await?;
        let earlier = case.at(revision).ok_or_else(|| {
            AppError::NotFound(format!(
                "the case has the revisions 1 to {}, and not {revision}",
                case.revision
            ))
        })?;
        self.in_engine(earlier, DiagnosedCase::of).await
    }

    /// A case, and why the cause of that id is as likely in it as it is.
    ///
    /// # Errors
    /// There is no such case or cause, or the store fails.
    pub async fn explanation(
        &self,
        id: &str,
        cause: &str,
    ) -> Result<(DiagnosedCase, Explanation), AppError> {
        let case = self.find(id).await?;
        let engine = self.engine();
        if engine.graph().cause(cause).is_none() {
            return Err(AppError::NotFound(no_such_cause(&engine, cause)));
        }
        let cause = cause.to_owned();
        // Every answer of every check is weighed, which takes longer than a diagnosis.
        let work = move || {
            let found = DiagnosedCase::of(&engine, case);
            let explanation = engine.explain(&found.counted.pieces, &cause)?;
            Some((found, explanation))
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| AppError::Internal(error.to_string()))?
            .ok_or_else(|| AppError::NotFound("there is no such cause".to_owned()))
    }

    /// Cases, those that changed last first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn cases(
        &self,
        state: Option<CaseState>,
        most: usize,
    ) -> Result<Vec<CaseSummary>, AppError> {
        Ok(self.store.cases(state, most).await?)
    }

    /// Adds evidence to a case. Without a `revision` it is added to whatever is there. A short reply
    /// to the step that is next, such as "yes", counts as its answer.
    ///
    /// # Errors
    /// There is no such case, somebody else changed it since `revision`, or the store fails.
    pub async fn add_evidence(
        &self,
        id: &str,
        revision: Option<i64>,
        evidence: Evidence,
        now: Timestamp,
    ) -> Result<DiagnosedCase, AppError> {
        if let Some((step, answer)) = self.replied(id, &evidence).await? {
            return self.answer(id, &step, &answer, None, revision, now).await;
        }
        let evidence = self.keep(evidence).await?;
        let entry = |_: &Case| Ok(Entry::new(now, Happening::Evidence, evidence.clone()));
        self.go_on(id, revision, entry).await
    }

    /// The step and the answer that a text means which is nothing but a reply to the step that is next.
    async fn replied(
        &self,
        id: &str,
        evidence: &Evidence,
    ) -> Result<Option<(String, String)>, AppError> {
        let Some(text) = evidence.text.as_deref() else {
            return Ok(None);
        };
        let says_more = !evidence.facts.is_empty() || evidence.context != Context::default();
        if says_more || text.len() > LONGEST_REPLY {
            return Ok(None);
        }
        let step = self.case(id).await?.diagnosis.next_step;
        let answer = replies::meant(text, &step.answers).map(str::to_owned);
        Ok(answer.map(|answer| (step.id, answer)))
    }

    /// Adds the answer to a step to a case, and what was pasted with it. The step is a check, or the
    /// cause whose fix was applied.
    ///
    /// # Errors
    /// There is no such case, step or answer, somebody else changed the case since `revision`, or
    /// the store fails.
    pub async fn answer(
        &self,
        id: &str,
        step: &str,
        answer: &str,
        text: Option<String>,
        revision: Option<i64>,
        now: Timestamp,
    ) -> Result<DiagnosedCase, AppError> {
        if answer == CLOSE_AS_SOLVED {
            let closing = Closing {
                kind: OutcomeKind::Solved,
                cause: Some(step.to_owned()),
                fix: Some(step.to_owned()),
                note: text.filter(|text| !text.trim().is_empty()),
            };
            return self.close_case(id, revision, closing, now).await;
        }
        let evidence = self
            .keep(Evidence {
                text: text.filter(|text| !text.trim().is_empty()),
                ..Evidence::default()
            })
            .await?;
        let engine = self.engine();
        let entry = |case: &Case| {
            let (what, facts) = answered(&engine, case, step, answer)?;
            let mut evidence = evidence.clone();
            evidence.facts.extend(facts);
            Ok(Entry::new(now, what, evidence))
        };
        self.go_on(id, revision, entry).await
    }

    /// Takes an answer back. It stays among what happened, and does not count any more.
    ///
    /// # Errors
    /// There is no such case or answer, it was taken back already, somebody else changed the case
    /// since `revision`, or the store fails.
    pub async fn take_back(
        &self,
        id: &str,
        answer: &str,
        revision: Option<i64>,
        now: Timestamp,
    ) -> Result<DiagnosedCase, AppError> {
        let entry = |case: &Case| {
            let entry = answer
                .parse::<usize>()
                .ok()
                .and_then(|number| number.checked_sub(1))
                .filter(|position| case.entries.get(*position).is_some_and(Entry::is_answer))
                .filter(|position| !case.is_taken_back(*position))
                .ok_or_else(|| {
                    AppError::NotFound(format!(
                        "the case has no answer {answer:?} that could be taken back"
                    ))
                })?;
            let what = Happening::TakenBack { entry };
            Ok(Entry::new(now, what, Evidence::default()))
        };
        self.go_on(id, revision, entry).await
    }

    /// Closes a case. A cause that it confirms counts in later diagnoses.
    ///
    /// # Errors
    /// There is no such case or cause, a part is too long, somebody else changed the case since
    /// `revision`, or the store fails.
    pub async fn close_case(
        &self,
        id: &str,
        revision: Option<i64>,
        closing: Closing,
        now: Timestamp,
    ) -> Result<DiagnosedCase, AppError> {
        let engine = self.engine();
        let outcome = checked(&engine, closing)?;
        let entry = |case: &Case| {
            let mut outcome = outcome.clone();
            if outcome.kind == OutcomeKind::Solved && outcome.cause.is_none() {
                outcome.cause = proven(&engine, case, outcome.fix.as_deref());
            }
            let what = Happening::Closed(outcome);
            Ok(Entry::new(now, what, Evidence::default()))
        };
        self.go_on(id, revision, entry).await
    }

    pub(super) async fn find(&self, id: &str) -> Result<Case, AppError> {
        self.store
            .case(id)
            .await?
            .ok_or_else(|| AppError::NotFound("there is no such case".to_owned()))
    }

    /// Adds what `entry` makes of the case as it is. Without a `revision` somebody who was faster
    /// does no harm: it is tried again on what they left.
    pub(super) async fn go_on(
        &self,
        id: &str,
        revision: Option<i64>,
        entry: impl Fn(&Case) -> Result<Entry, AppError>,
    ) -> Result<DiagnosedCase, AppError> {
        let mut newest = 0;
        for _ in 0..MOST_ATTEMPTS {
            let mut case = self.find(id).await?;
            let stored = case.revision;
            if revision.is_some_and(|revision| revision != stored) {
                return Err(AppError::Conflict(stored));
            }
            let confirmed = confirmed(&case);
            let entry = entry(&case)?;
            check_room(&case, &entry)?;
            case.add(entry);
            let mut changed = self
                .in_engine(case, DiagnosedCase::after_last_entry)
                .await?;
            match self.store.update_case(changed.case.clone(), stored).await {
                Ok(case) => changed.case = case,
                Err(StoreError::Conflict { current }) => {
                    newest = current;
                    match revision {
                        Some(_) => break,
                        None => continue,
                    }
                }
                Err(error) => return Err(error.into()),
            }
            if self::confirmed(&changed.case) != confirmed {
                self.learn().await?;
            }
            return Ok(changed);
        }
        Err(AppError::Conflict(newest))
    }

    /// Does something with a case in the engine; on a thread that may block where it is long.
    async fn in_engine(
        &self,
        case: Case,
        work: fn(&Engine, Case) -> DiagnosedCase,
    ) -> Result<DiagnosedCase, AppError> {
        let engine: Arc<Engine> = self.engine();
        let size: usize = case
            .entries
            .iter()
            .map(|entry| entry.evidence.text.as_deref().map_or(0, str::len))
            .sum();
        if size < BLOCKING_FROM {
            return Ok(work(&engine, case));
        }
        tokio::task::spawn_blocking(move || work(&engine, case))
            .await
            .map_err(|error| AppError::Internal(error.to_string()))
    }

    /// What of evidence may be kept.
    pub(super) async fn keep(&self, mut evidence: Evidence) -> Result<Evidence, AppError> {
        // Replayed elsewhere it gives the same, whatever may be probed from there.
        if evidence.text.is_some() || !evidence.facts.is_empty() {
            evidence.context.reach = self.probes.reach();
        }
        if evidence.text.as_deref().map_or(0, str::len) < BLOCKING_FROM {
            return Ok(evidence.redacted());
        }
        tokio::task::spawn_blocking(move || evidence.redacted())
            .await
            .map_err(|error| AppError::Internal(error.to_string()))
    }
}

fn confirmed(case: &Case) -> Option<String> {
    Some(case.outcome()?.confirmed()?.to_owned())
}

fn check_room(case: &Case, entry: &Entry) -> Result<(), AppError> {
    let most = match entry.what {
        Happening::TakenBack { .. } | Happening::Closed(_) => MOST_ENTRIES + RESERVED_ENTRIES,
        _ => MOST_ENTRIES,
    };
    if case.entries.len() < most {
        return Ok(());
    }
    Err(AppError::Invalid(format!(
        "a case takes at most {MOST_ENTRIES} entries: open a new one"
    )))
}

/// What an answer says: of a check, or of the fix of a cause.
fn answered(
    engine: &Engine,
    case: &Case,
    step: &str,
    answer: &str,
) -> Result<(Happening, Vec<StatedFact>), AppError> {
    let graph = engine.graph();
    if let Some(check) = graph.check(step) {
        let what = Happening::Answer {
            step: step.to_owned(),
            answer: answer.to_owned(),
        };
        if answer == "cannot-tell" {
            return Ok((what, Vec::new()));
        }
        let chosen = check.answers.iter().find(|known| known.id == answer);
        if let Some(chosen) = chosen {
            let facts = chosen.facts.iter().map(|(key, value)| StatedFact {
                key: key.clone(),
                value: value.clone(),
                hop: chosen.hop,
                vantage: "user".to_owned(),
            });
            return Ok((what, facts.collect()));
        }
    }
    // A fix that was applied can be spoken of even if its cause left the knowledge since.
    let is_applied = || case.fixes().iter().any(|fix| fix.cause == step);
    let is_fix = graph.cause(step).is_some() || is_applied();
    match FixReport::from_word(answer) {
        Some(report) if is_fix => Ok((
            Happening::Fix {
                cause: step.to_owned(),
                report,
            },
            Vec::new(),
        )),
        _ if is_fix || graph.check(step).is_some() => Err(AppError::NotFound(format!(
            "the step {step:?} has no answer {answer:?}"
        ))),
        _ => Err(AppError::NotFound(format!("there is no step {step:?}"))),
    }
}

fn no_such_cause(engine: &Engine, cause: &str) -> String {
    let known = engine.graph().causes.iter().map(|cause| cause.id.as_str());
    let near = near_names(cause, known, 3);
    let hint = match near.as_slice() {
        [] => "GET /api/v1/causes lists the known ones".to_owned(),
        near => format!("did you mean {}?", near.join(" or ")),
    };
    format!("there is no such cause; {hint}")
}

/// An outcome that can be kept: its cause is known, its words are redacted.
fn checked(engine: &Engine, closing: Closing) -> Result<Outcome, AppError> {
    let graph = engine.graph();
    let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let cause = given(closing.cause).map(|cause| cause.trim().to_owned());
    if let Some(cause) = cause.as_deref().filter(|id| graph.cause(id).is_none()) {
        return Err(AppError::Faulty {
            pointer: "/cause",
            detail: no_such_cause(engine, cause),
        });
    }
    let words = |pointer, text: Option<String>| match given(text) {
        Some(text) if text.len() > LONGEST_NOTE => Err(AppError::Faulty {
            pointer,
            detail: format!("at most {LONGEST_NOTE} bytes"),
        }),
        text => Ok(text.map(|text| redact(text.trim()).text)),
    };
    Ok(Outcome {
        kind: closing.kind,
        cause,
        fix: words("/fix", closing.fix)?,
        note: words("/note", closing.note)?,
    })
}

/// The cause that a solved case proves where nobody names one: that of the fix that is named, else
/// that of the fix that was seen to help.
fn proven(engine: &Engine, case: &Case, fix: Option<&str>) -> Option<String> {
    let named = fix.filter(|fix| engine.graph().cause(fix).is_some());
    named.map(str::to_owned).or_else(|| {
        let last = case.last_fix()?;
        (last.result == FixResult::Healthy).then_some(last.cause)
    })
}

/// 130 random bits as 26 letters and digits without those that look alike.
pub(super) fn new_id() -> Result<String, AppError> {
    const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut random = [0_u8; 26];
    getrandom::fill(&mut random).map_err(|error| AppError::Internal(error.to_string()))?;
    Ok(random
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
        .collect())
}
