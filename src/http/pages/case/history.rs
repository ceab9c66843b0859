//! What happened in a case and what it changed: the timeline, what was ruled out and by what, what
//! contradicts what, and what came of a fix.

use super::super::messages::Messages;
use super::super::words;
use super::time;
use crate::app::DiagnosedCase;
use crate::case::contradictions::Said;
use crate::case::counting::Source;
use crate::case::verification::Verification;
use crate::case::{Case, Entry, FixReport, FixResult, Given, Happening, Outcome, OutcomeKind};
use crate::engine::Diagnosis;
use crate::engine::diagnosis::{StepState, VerdictKind};
use crate::engine::graph::{Graph, introduced};
use crate::report::{self, percent};

/// Something that happened.
pub(super) struct Moment {
    pub(super) at: String,
    pub(super) what: String,
    /// What came of a fix, if this tells.
    pub(super) result: Option<&'static str>,
    /// What it changed.
    pub(super) change: Option<String>,
    pub(super) ruled_out: Vec<String>,
    pub(super) is_taken_back: bool,
    /// The number of the stage that it led to.
    pub(super) stage: usize,
    /// Whether it can be taken back.
    pub(super) is_answer: bool,
}

/// A likely cause that was ruled out.
pub(super) struct RuledOutView {
    pub(super) address: String,
    pub(super) title: String,
    pub(super) why: String,
}

/// What entries say against each other.
pub(super) struct ContradictionView {
    pub(super) key: String,
    pub(super) values: Vec<String>,
    /// Which of them is weighed.
    pub(super) rule: &'static str,
}

/// How a case ended.
pub(super) struct ClosedView {
    pub(super) kind: &'static str,
    pub(super) cause: Option<(String, String)>,
    pub(super) fix: Option<String>,
    pub(super) note: Option<String>,
}

/// What came of a fix: before and after, side by side.
pub(super) struct VerificationView {
    pub(super) class: &'static str,
    pub(super) heading: &'static str,
    pub(super) text: &'static str,
    pub(super) fix: (String, String),
    pub(super) applied: String,
    pub(super) before: Side,
    pub(super) after: Option<Side>,
}

/// A diagnosis in short.
pub(super) struct Side {
    pub(super) verdict: String,
    pub(super) broken: Option<&'static str>,
    pub(super) findings: Vec<String>,
    pub(super) cause: Option<(String, String)>,
}

/// The title of a cause; its id if it left the knowledge since.
pub(super) fn cause_title(graph: &Graph, id: &str) -> String {
    graph
        .cause(id)
        .map_or_else(|| id.to_owned(), |cause| cause.title.clone())
}

fn cause_address(case: &str, id: &str) -> String {
    format!("/causes/{id}?case={case}")
}

/// What happened in a case, oldest first.
pub(super) fn moments(t: &'static Messages, graph: &Graph, case: &Case) -> Vec<Moment> {
    (0..case.entries.len())
        .map(|position| moment(t, graph, case, position))
        .collect()
}

fn moment(t: &'static Messages, graph: &Graph, case: &Case, position: usize) -> Moment {
    let entry = &case.entries[position];
    let given = entry.given.as_ref();
    let before = position
        .checked_sub(1)
        .and_then(|before| case.entries[before].given.as_ref());
    let is_taken_back = case.is_taken_back(position);
    Moment {
        at: time(entry.at),
        what: happened(t, graph, case, position),
        result: given
            .and_then(|given| given.fix_result)
            .filter(|result| *result != FixResult::Pending)
            .map(|result| t.get(heading(result))),
        change: given.and_then(|given| change(t, graph, before, given)),
        ruled_out: given
            .iter()
            .flat_map(|given| &given.ruled_out)
            .map(|one| {
                let title = cause_title(graph, &one.cause);
                t.with("timeline.ruled-out", "cause", title)
            })
            .collect(),
        is_taken_back,
        stage: position + 1,
        is_answer: entry.is_answer() && !is_taken_back,
    }
}

/// The likeliest cause before and after.
fn change(t: &Messages, graph: &Graph, before: Option<&Given>, after: &Given) -> Option<String> {
    let lead = |given: &Given| {
        given
            .leading()
            .map(|(id, probability)| (cause_title(graph, id), percent(*probability)))
    };
    let after = lead(after)?;
    match before.and_then(lead) {
        Some(before) if before == after => None,
        Some(before) if before.0 == after.0 => Some(t.fill(
            "timeline.shifted",
            &[("cause", &after.0), ("from", &before.1), ("to", &after.1)],
        )),
        Some(before) => Some(t.fill(
            "timeline.overtaken",
            &[
                ("before", &before.0),
                ("from", &before.1),
                ("cause", &after.0),
                ("to", &after.1),
            ],
        )),
        None => Some(t.fill("timeline.led", &[("cause", &after.0), ("to", &after.1)])),
    }
}

/// What an entry is, in words.
pub(super) fn happened(t: &Messages, graph: &Graph, case: &Case, position: usize) -> String {
    let entry = &case.entries[position];
    match &entry.what {
        Happening::Evidence => pasted(t, position, entry),
        Happening::Answer { step, answer } => {
            let (step, answer) = answer_titles(t, graph, step, answer);
            t.fill("timeline.answer", &[("step", &step), ("answer", &answer)])
        }
        Happening::Fix { cause, report } => {
            let key = match report {
                FixReport::Applied => "timeline.fix-applied",
                FixReport::Works => "timeline.fix-works",
                FixReport::Fails => "timeline.fix-fails",
            };
            t.with(key, "cause", cause_title(graph, cause))
        }
        Happening::TakenBack { entry } => {
            let what = match *entry < position {
                true => happened(t, graph, case, *entry),
                false => String::new(),
            };
            t.with("timeline.taken-back", "what", what)
        }
        Happening::Closed(outcome) => match &outcome.cause {
            Some(cause) => t.fill(
                "timeline.closed-by",
                &[
                    ("kind", &t.get(outcome_kind(outcome.kind))),
                    ("cause", &cause_title(graph, cause)),
                ],
            ),
            None => t.with("timeline.closed", "kind", t.get(outcome_kind(outcome.kind))),
        },
    }
}

fn pasted(t: &Messages, position: usize, entry: &Entry) -> String {
    if let Some(probed) = &entry.probed {
        let result = super::probes::result(t, probed);
        return t.fill(
            "timeline.probed",
            &[("url", &probed.url), ("result", &result)],
        );
    }
    let text = entry.evidence.text.as_deref();
    let lines = text.map_or(0, |text| text.lines().count());
    let key = match (position, text) {
        (0, _) => "timeline.opened",
        (_, Some(_)) => "timeline.pasted",
        (_, None) if !entry.evidence.context.can.is_empty() => {
            let can = &entry.evidence.context.can;
            let parts: Vec<&str> = can.iter().map(|who| t.get(words::part(*who))).collect();
            return t.with("timeline.can", "who", words::listed(t, &parts));
        }
        (_, None) => {
            return t.count(
                "timeline.stated-one",
                "timeline.stated-many",
                entry.evidence.facts.len(),
            );
        }
    };
    let size = t.count("timeline.line-one", "timeline.line-many", lines);
    t.with(key, "size", size)
}

/// The words of a step and of its answer; their ids if they left the knowledge since.
pub(super) fn answer_titles(
    t: &Messages,
    graph: &Graph,
    step: &str,
    answer: &str,
) -> (String, String) {
    if graph.check(step).is_none() {
        let key = match FixReport::from_word(answer) {
            Some(FixReport::Applied) => "fix.applied",
            Some(FixReport::Works) => "fix.works",
            Some(FixReport::Fails) => "fix.fails",
            None => return (introduced(step), answer.to_owned()),
        };
        let title = cause_title(graph, step);
        return (introduced(&title), t.get(key).to_owned());
    }
    let check = graph.check(step);
    let title = check.map_or(step, |check| check.title.as_str());
    let chosen = check.and_then(|check| check.answers.iter().find(|known| known.id == answer));
    let words = match chosen {
        Some(chosen) => chosen.title.as_str(),
        None if answer == "cannot-tell" => t.get("timeline.cannot-tell"),
        None => answer,
    };
    (introduced(title), words.to_owned())
}

/// A kind of ending in words.
pub(super) fn outcome_kind(kind: OutcomeKind) -> &'static str {
    match kind {
        OutcomeKind::Solved => "outcome.solved",
        OutcomeKind::WorkedAround => "outcome.worked-around",
        OutcomeKind::GivenUp => "outcome.given-up",
        OutcomeKind::HandedOver => "outcome.handed-over",
        OutcomeKind::WrongDiagnosis => "outcome.wrong-diagnosis",
    }
}

/// Likely causes that were ruled out, and by what.
pub(super) fn ruled_out(t: &Messages, graph: &Graph, found: &DiagnosedCase) -> Vec<RuledOutView> {
    found
        .all_ruled_out()
        .into_iter()
        .map(|(position, one)| {
            let finding = one.finding.as_deref().and_then(|id| graph.symptom(id));
            let by = happened(t, graph, &found.case, position);
            let values: [(&str, &dyn std::fmt::Display); 4] = [
                ("from", &percent(one.from)),
                ("to", &percent(one.to)),
                ("by", &by),
                (
                    "finding",
                    &finding.map_or("", |symptom| symptom.title.as_str()),
                ),
            ];
            let key = match finding {
                Some(_) => "ruled.by-finding",
                None => "ruled.by-entry",
            };
            RuledOutView {
                address: cause_address(&found.case.id, &one.cause),
                title: cause_title(graph, &one.cause),
                why: t.fill(key, &values),
            }
        })
        .collect()
}

/// What entries say against each other.
pub(super) fn contradictions(
    t: &'static Messages,
    graph: &Graph,
    found: &DiagnosedCase,
) -> Vec<ContradictionView> {
    found
        .contradictions
        .iter()
        .map(|contradiction| {
            let corrected = contradiction.values.iter().any(|said| !said.counts);
            ContradictionView {
                key: contradiction.key.clone(),
                values: contradiction
                    .values
                    .iter()
                    .map(|said| said_so(t, graph, &found.case, said))
                    .collect(),
                rule: t.get(if corrected {
                    "contradiction.newest"
                } else {
                    "contradiction.all"
                }),
            }
        })
        .collect()
}

fn said_so(t: &Messages, graph: &Graph, case: &Case, said: &Said) -> String {
    let key = match said.from {
        Source::Paste => "contradiction.paste",
        Source::Probe => "contradiction.probe",
        Source::Answer => "contradiction.answer",
        Source::Stated => "contradiction.stated",
    };
    let values: [(&str, &dyn std::fmt::Display); 4] = [
        ("value", &said.value),
        ("number", &(said.entry + 1)),
        ("time", &time(case.entries[said.entry].at)),
        ("what", &happened(t, graph, case, said.entry)),
    ];
    t.fill(key, &values)
}

impl ClosedView {
    pub(super) fn new(t: &'static Messages, graph: &Graph, case: &str, outcome: &Outcome) -> Self {
        let fix = outcome.fix.as_deref();
        let of_cause = fix.filter(|fix| Some(*fix) == outcome.cause.as_deref());
        ClosedView {
            kind: t.get(outcome_kind(outcome.kind)),
            cause: outcome
                .cause
                .as_deref()
                .map(|id| (cause_address(case, id), cause_title(graph, id))),
            fix: fix
                .filter(|_| of_cause.is_none())
                .map(|fix| cause_title(graph, fix)),
            note: outcome.note.clone(),
        }
    }
}

fn heading(result: FixResult) -> &'static str {
    match result {
        FixResult::Pending => "verify.pending",
        FixResult::Healthy => "verify.healthy",
        FixResult::Same => "verify.same",
        FixResult::Different => "verify.different",
        FixResult::Unclear => "verify.unclear",
    }
}

impl VerificationView {
    pub(super) fn new(
        t: &'static Messages,
        graph: &Graph,
        case: &Case,
        verification: &Verification,
    ) -> Self {
        let fix = &verification.fix;
        let text = match fix.result {
            FixResult::Pending => "verify.pending-text",
            FixResult::Healthy => "verify.healthy-text",
            FixResult::Same => "verify.same-text",
            FixResult::Different => "verify.different-text",
            FixResult::Unclear => "verify.unclear-text",
        };
        VerificationView {
            class: fix.result.as_str(),
            heading: t.get(heading(fix.result)),
            text: t.get(text),
            fix: (
                cause_address(&case.id, &fix.cause),
                cause_title(graph, &fix.cause),
            ),
            applied: time(case.entries[fix.entry].at),
            before: side(t, &verification.before),
            after: verification.after.as_ref().map(|after| side(t, after)),
        }
    }
}

fn side(t: &'static Messages, diagnosis: &Diagnosis) -> Side {
    let recognised = diagnosis.verdict != VerdictKind::Unrecognised;
    Side {
        verdict: report::verdict(diagnosis).to_owned(),
        broken: diagnosis
            .path
            .iter()
            .find(|step| step.state == StepState::Failed)
            .map(|step| t.get(words::layer(step.layer))),
        findings: diagnosis
            .symptoms
            .iter()
            .map(|symptom| words::capitalised(&symptom.title))
            .collect(),
        cause: diagnosis
            .causes
            .first()
            .filter(|_| recognised && diagnosis.verdict != VerdictKind::Healthy)
            .map(|cause| (cause.title.to_string(), percent(cause.probability))),
    }
}
