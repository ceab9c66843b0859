//! What a case's evidence amounts to, and what each entry changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::contradictions::{Contradiction, contradictions};
use super::counting::Counted;
use super::verification::{FixResult, Verification, working};
use super::{Case, Happening};
use crate::engine::diagnosis::VerdictKind;
use crate::engine::graph::{Check, Who};
use crate::engine::next_step::{NextStep, StepKind, kind_of};
use crate::engine::{Diagnosis, Engine};

/// A cause that was at least this likely was among the likely ones.
pub const ONCE_LIKELY: f64 = 0.1;
/// Below this one that was likely is ruled out.
pub const NOW_UNLIKELY: f64 = 0.01;
/// The answer of whoever saw that it works: the case can be closed.
pub const CLOSE_AS_SOLVED: &str = "close-as-solved";

/// What was said at a revision, short: enough to show what changed and to tell whether the same is
/// said again.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// The hash of everything that was said.
    pub digest: String,
    /// The hash of the knowledge that it was made with.
    pub knowledge: String,
    /// How sure it was.
    pub verdict: VerdictKind,
    /// The listed causes with their probabilities, likeliest first.
    pub causes: Vec<(String, f64)>,
    /// Likely causes that this entry ruled out.
    pub ruled_out: Vec<RuledOut>,
    /// What came of the fix that waits for its proof.
    pub fix_result: Option<FixResult>,
}

impl Given {
    /// The likeliest cause and its probability; none where nothing was recognised or nothing is
    /// wrong.
    pub fn leading(&self) -> Option<&(String, f64)> {
        let is_telling = !matches!(
            self.verdict,
            VerdictKind::Unrecognised | VerdictKind::Healthy
        );
        self.causes.first().filter(|_| is_telling)
    }

    /// How likely a cause was said to be; less than what is listed counts as nothing.
    pub fn probability(&self, cause: &str) -> f64 {
        self.causes
            .iter()
            .find(|(id, _)| id == cause)
            .map_or(0.0, |(_, probability)| *probability)
    }
}

/// A cause that was likely once and is not any more.
#[derive(Clone, Debug, PartialEq)]
pub struct RuledOut {
    /// Its id.
    pub cause: String,
    /// How likely it was before.
    pub from: f64,
    /// How likely it is after.
    pub to: f64,
    /// The symptom that spoke most against it, if one of the new ones did.
    pub finding: Option<String>,
}

/// A case with what its evidence amounts to now.
#[derive(Clone, Debug)]
pub struct DiagnosedCase {
    /// The case.
    pub case: Case,
    /// What counts now, piece by piece, as the diagnosis numbers its evidence.
    pub counted: Counted,
    /// Made with the present knowledge.
    pub diagnosis: Diagnosis,
    /// The fix that was applied last, before and after.
    pub verification: Option<Verification>,
    /// Where entries contradict each other.
    pub contradictions: Vec<Contradiction>,
}

impl DiagnosedCase {
    /// Of a case as it is.
    pub fn of(engine: &Engine, case: Case) -> Self {
        let verification = Verification::of(engine, &case).map(Verification::settled);
        DiagnosedCase::with(engine, case, verification)
    }

    /// After the last entry was added: what came of a fix is judged, and what is said now is kept
    /// with the entry.
    pub fn after_last_entry(engine: &Engine, mut case: Case) -> Self {
        let verification = judged(engine, &mut case);
        let before = case.at(case.revision - 1);
        let mut found = DiagnosedCase::with(engine, case, verification);
        let given = found.given(engine, before.as_ref());
        if let Some(last) = found.case.entries.last_mut() {
            last.given = Some(given);
        }
        found
    }

    fn with(engine: &Engine, case: Case, verification: Option<Verification>) -> Self {
        let counted = case.counted();
        let mut diagnosis = engine.diagnose(&counted.pieces);
        if case.outcome().is_some() || verification.as_ref().is_some_and(|v| v.fix.is_waiting()) {
            diagnosis.along.clear();
            diagnosis.access = None;
        }
        if case.outcome().is_some() {
            diagnosis.next_step = closed_step();
        } else if let Some(verification) = verification.as_ref().filter(|v| v.fix.is_waiting()) {
            diagnosis.next_step = verifying_step(engine, verification, &diagnosis);
        }
        let proof = verification.as_ref().filter(|v| v.is_healthy());
        if let Some(proof) = proof {
            let minutes = diagnosis.next_step.minutes;
            diagnosis = working(diagnosis, "It works after the fix.", proof.after.is_some());
            diagnosis.expected_minutes = minutes;
        }
        if diagnosis.next_step.kind == StepKind::Fix {
            let applied = (
                "applied".to_owned(),
                "I applied it; look whether it helped".to_owned(),
            );
            let others = diagnosis.next_step.answers.iter().cloned();
            diagnosis.next_step.answers = std::iter::once(applied).chain(others).collect();
        }
        DiagnosedCase {
            contradictions: contradictions(engine.graph(), &case, &counted, &diagnosis),
            case,
            counted,
            diagnosis,
            verification,
        }
    }

    /// Whether it works after a fix.
    pub fn is_fixed(&self) -> bool {
        self.verification
            .as_ref()
            .is_some_and(Verification::is_healthy)
    }

    /// The address that the case is about, also where what counts now does not name it.
    pub fn url(&self) -> Option<String> {
        let before = self.verification.as_ref().map(|v| &v.before);
        let before = before.and_then(|before| before.subject.url());
        self.diagnosis.subject.url().or(before)
    }

    /// Whose part can be done without waiting, as it was said last; everybody's, if empty.
    pub fn can(&self) -> &[Who] {
        let said = self.counted.pieces.iter().map(|piece| &piece.context.can);
        said.rev()
            .find(|can| !can.is_empty())
            .map_or(&[], |can| can)
    }

    /// The position of the entry that a piece of the diagnosis' evidence came with.
    pub fn entry_of(&self, evidence: usize) -> Option<usize> {
        self.counted.entries.get(evidence).copied()
    }

    fn given(&self, engine: &Engine, before: Option<&Case>) -> Given {
        let diagnosis = &self.diagnosis;
        let mut given = Given {
            digest: diagnosis.digest(),
            knowledge: diagnosis.knowledge.hash.clone(),
            verdict: diagnosis.verdict,
            causes: diagnosis
                .causes
                .iter()
                .map(|cause| (cause.id.to_string(), cause.probability))
                .collect(),
            ruled_out: Vec::new(),
            fix_result: self
                .case
                .entries
                .last()
                .and_then(|last| last.given.as_ref()?.fix_result),
        };
        if let Some(before) = before {
            given.ruled_out = self.ruled_out(engine, before, &given);
        }
        given
    }

    fn ruled_out(&self, engine: &Engine, before: &Case, now: &Given) -> Vec<RuledOut> {
        let Some(earlier) = before.entries.last().and_then(|last| last.given.as_ref()) else {
            return Vec::new();
        };
        // After a fix that changed something another failure, or none, is looked at: what was
        // likely before was not ruled out, it was removed.
        if matches!(
            now.fix_result,
            Some(FixResult::Healthy | FixResult::Different)
        ) {
            return Vec::new();
        }
        let fallen: Vec<&(String, f64)> = earlier
            .causes
            .iter()
            .filter(|(id, from)| *from >= ONCE_LIKELY && now.probability(id) < NOW_UNLIKELY)
            .collect();
        if fallen.is_empty() {
            return Vec::new();
        }
        let known = engine.diagnose(&before.counted().pieces);
        let known: BTreeSet<&str> = known.symptoms.iter().map(|s| s.id.as_str()).collect();
        fallen
            .into_iter()
            .map(|(cause, from)| RuledOut {
                cause: cause.clone(),
                from: *from,
                to: now.probability(cause),
                finding: engine
                    .spoke_against(cause, &self.diagnosis, |s| !known.contains(s.id.as_str()))
                    .map(|symptom| symptom.id.to_string()),
            })
            .collect()
    }

    /// Whether a fix of the cause, or of a narrower one of it, is proven to have helped.
    fn was_fixed(&self, cause: &str) -> bool {
        let proof = self.verification.as_ref().filter(|v| v.is_healthy());
        proof.is_some_and(|proof| {
            let fixed = &proof.fix.cause;
            let mut before = proof.before.causes.iter();
            fixed == cause
                || before.any(|ranked| {
                    ranked.id == cause && ranked.variants.iter().any(|one| one.id == *fixed)
                })
        })
    }

    /// The causes that are ruled out by now, each with the position of the entry that did it. One
    /// that became likely again is not among them, nor the one whose fix helped.
    pub fn all_ruled_out(&self) -> Vec<(usize, RuledOut)> {
        let mut found: BTreeMap<&str, (usize, &RuledOut)> = BTreeMap::new();
        for (position, entry) in self.case.entries.iter().enumerate() {
            let ruled_out = entry.given.iter().flat_map(|given| &given.ruled_out);
            for one in ruled_out {
                found.insert(&one.cause, (position, one));
            }
        }
        let mut found: Vec<(usize, RuledOut)> = found
            .into_values()
            .filter(|(_, one)| {
                let now = self.diagnosis.causes.iter().find(|c| c.id == one.cause);
                !self.was_fixed(&one.cause)
                    && now.is_none_or(|cause| cause.probability < NOW_UNLIKELY)
            })
            .map(|(position, one)| (position, one.clone()))
            .collect();
        found.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.from.total_cmp(&a.1.from)));
        found
    }
}

/// Judges the fix that waits for its proof by what was added last, and keeps the result with it.
fn judged(engine: &Engine, case: &mut Case) -> Option<Verification> {
    let mut verification = Verification::of(engine, case)?;
    let is_news = case.entries.last().is_some_and(|last| {
        matches!(
            last.what,
            Happening::Evidence | Happening::Answer { .. } | Happening::Fix { .. }
        )
    });
    if !is_news || !verification.fix.is_waiting() {
        return Some(verification.settled());
    }
    let result = verification.judged(engine.graph(), case);
    if let Some(last) = case.entries.last_mut() {
        last.given = Some(Given {
            digest: String::new(),
            knowledge: String::new(),
            verdict: VerdictKind::Unrecognised,
            causes: Vec::new(),
            ruled_out: Vec::new(),
            fix_result: Some(result),
        });
    }
    case.state = case.standing();
    verification.fix.result = result;
    Some(verification.settled())
}

/// Nothing is to be done in a case that is closed.
fn closed_step() -> NextStep {
    NextStep {
        id: "closed".to_owned(),
        kind: StepKind::Question,
        title: "The case is closed".to_owned(),
        instruction: "Nothing is left to do. If it fails again, paste what you see: the case goes \
                      on, and success that was seen earlier does not count any more."
            .to_owned(),
        commands: BTreeMap::new(),
        minutes: 0.0,
        who: Who::Helpdesk,
        why: "Somebody said how it ended.".to_owned(),
        answers: Arc::default(),
    }
}

/// What to do while a fix waits for its proof: look whether it works, then close the case.
fn verifying_step(engine: &Engine, verification: &Verification, diagnosis: &Diagnosis) -> NextStep {
    let cause = &verification.fix.cause;
    let graph = engine.graph();
    if verification.fix.result == FixResult::Healthy {
        return NextStep {
            id: cause.clone(),
            kind: StepKind::Question,
            title: "It works: close the case as solved?".to_owned(),
            instruction: "What was seen after the fix shows the connection at work. If users say \
                          the same, close the case; that also teaches this service which cause it \
                          was."
                .to_owned(),
            commands: BTreeMap::new(),
            minutes: 1.0,
            who: Who::Helpdesk,
            why: "The fix is proven.".to_owned(),
            answers: Arc::new([
                (CLOSE_AS_SOLVED.to_owned(), "Yes, it is solved".to_owned()),
                ("still-fails".to_owned(), "No, it fails again".to_owned()),
            ]),
        };
    }
    let fix = graph.cause(cause).and_then(|cause| cause.fix.as_ref());
    let verify = fix.map_or("paste", |fix| fix.verify.as_str());
    let check = graph.check(verify);
    let why = "It shows whether the fix helped; what was seen before it does not count for that.";
    match check {
        Some(check) => check_step(check, diagnosis, why),
        None => again_step(cause, verify, fix.map_or(Who::User, |_| Who::Helpdesk), why),
    }
}

fn check_step(check: &Check, diagnosis: &Diagnosis, why: &str) -> NextStep {
    let subject = &diagnosis.subject;
    let commands = check.commands.iter();
    let answers = check.answers.iter();
    NextStep {
        id: check.id.clone(),
        kind: kind_of(check),
        title: check.title.clone(),
        instruction: subject.fill(&check.instruction),
        commands: commands
            .map(|(system, command)| (system.clone(), subject.fill(command)))
            .collect(),
        minutes: check.minutes,
        who: check.who,
        why: why.to_owned(),
        answers: answers
            .map(|answer| (answer.id.clone(), answer.title.clone()))
            .chain([("cannot-tell".to_owned(), "I cannot tell".to_owned())])
            .collect(),
    }
}

/// Nothing but the failing thing itself shows it.
fn again_step(cause: &str, verify: &str, who: Who, why: &str) -> NextStep {
    let how = if verify == "probe" {
        "Let the address be tested again, or do once more what failed before. Paste what you see \
         now, or the probe's report: it is looked at on its own."
    } else {
        "Do once more what failed before, and paste what you see now: it is looked at on its own."
    };
    NextStep {
        id: cause.to_owned(),
        kind: StepKind::Check,
        title: "See whether it works now".to_owned(),
        instruction: how.to_owned(),
        commands: BTreeMap::new(),
        minutes: 1.0,
        who,
        why: why.to_owned(),
        answers: Arc::new([
            ("it-works-now".to_owned(), "It works now".to_owned()),
            ("still-fails".to_owned(), "It still fails".to_owned()),
        ]),
    }
}
