//! The next step in words, with the case's own values in its commands.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::graph::{Cause, Check, CheckKind, Graph, Layer, Who};
use super::super::next_step::{ButtonWords, Choice, NextStep, Plan, StepKind, kind_of};
use super::super::prose::{Subject, sections, summary};
use super::verdict::LEAST_NAMED;
use super::{Engine, RankedCause, VerdictKind};

impl Engine {
    pub(super) fn next_step(
        &self,
        plan: &Plan,
        causes: &[RankedCause],
        subject: &Subject,
        edge: Option<&str>,
        verdict: VerdictKind,
    ) -> NextStep {
        if verdict == VerdictKind::Healthy {
            return nothing_to_do();
        }
        match plan.choice {
            Choice::Check(position, minutes) => {
                let why = self.why_check(position, causes, minutes);
                self.check_step(position, subject, why)
            }
            Choice::Fix(position) => {
                self.fix_step(&self.graph.causes[position], causes, subject, edge)
            }
            Choice::HandOver => self.hand_over(plan, causes),
        }
    }

    /// A check as a step.
    pub(super) fn check_step(&self, position: usize, subject: &Subject, why: String) -> NextStep {
        let check = &self.graph.checks[position];
        NextStep {
            id: check.id.clone(),
            kind: kind_of(check),
            title: check.title.clone(),
            instruction: subject.fill(&check.instruction),
            commands: check
                .commands
                .iter()
                .map(|(system, command)| (system.clone(), subject.fill(command)))
                .collect(),
            minutes: check.minutes,
            who: check.who,
            why,
            answers: self.check_answers[position].clone(),
        }
    }

    /// Why a check is offered beside the next one.
    pub(super) fn why_along(&self) -> String {
        "It needs the same at hand, and is worth its minutes whatever comes out of the first."
            .to_owned()
    }

    fn hand_over(&self, plan: &Plan, causes: &[RankedCause]) -> NextStep {
        let mut step = hand_over(&self.graph, causes);
        let Some(cause) = plan.fix_of_others.map(|cause| &self.graph.causes[cause]) else {
            return step;
        };
        let who = cause.fix.as_ref().map_or(Who::Developer, |fix| fix.who);
        let ranked = causes.iter().find(|ranked| ranked.id == cause.id);
        let title = ranked
            .and_then(RankedCause::narrower)
            .map_or(cause.title.as_str(), |variant| variant.title.as_str());
        step.title = format!("Hand this over to the {}", who.as_str());
        step.who = who;
        step.why = format!(
            "What is most worth trying next is the fix of \u{201c}{title}\u{201d}, {} of 100 such \
             cases, and that is for the {}.",
            ranked.map_or(0.0, |ranked| (ranked.probability * 100.0).round()),
            who.as_str()
        );
        step
    }

    /// In words: what the answers would separate.
    fn why_check(&self, check: usize, causes: &[RankedCause], minutes: f64) -> String {
        let saved = match minutes.round() {
            least if least < 1.0 => "It tells most for its minutes.".to_owned(),
            least if least < 2.0 => "It is expected to save a minute.".to_owned(),
            more => format!("It is expected to save {more} minutes."),
        };
        let position = |id: &str| self.graph.causes.iter().position(|cause| cause.id == id);
        if let [first, second, ..] = causes
            && first.probability >= LEAST_NAMED
            && let (Some(a), Some(b)) = (position(&first.id), position(&second.id))
        {
            let answers = self.graph.checks[check].answers.len();
            let separates = (0..answers).any(|answer| {
                let (p, q) = (
                    self.planner.answer_probability(check, answer, a),
                    self.planner.answer_probability(check, answer, b),
                );
                p.max(q) > 0.3 && p.max(q) > 3.0 * p.min(q)
            });
            if separates {
                return format!("It tells the two likeliest causes apart. {saved}");
            }
        }
        format!("It narrows the causes down. {saved}")
    }

    fn fix_step(
        &self,
        root: &Cause,
        causes: &[RankedCause],
        subject: &Subject,
        edge: Option<&str>,
    ) -> NextStep {
        let ranked = causes.iter().find(|ranked| ranked.id == root.id);
        let cause = ranked
            .and_then(RankedCause::narrower)
            .and_then(|variant| self.graph.cause(&variant.id))
            .unwrap_or(root);
        let all = sections(&cause.body);
        let fixes: Vec<_> = all
            .iter()
            .filter(|section| section.fix_system().is_some())
            .collect();
        // Of sections that name the system the shortest title is the one that is about it alone.
        let chosen = edge
            .and_then(|edge| {
                fixes
                    .iter()
                    .filter(|section| section.fix_system().is_some_and(|name| names(name, edge)))
                    .min_by_key(|section| section.title.len())
            })
            .or_else(|| fixes.first());
        let instruction = chosen.map_or_else(
            || summary(cause).to_owned(),
            |section| section.markdown.to_owned(),
        );
        let probability = ranked.map_or(0.0, |ranked| ranked.probability);
        NextStep {
            id: cause.id.clone(),
            kind: StepKind::Fix,
            title: cause.title.clone(),
            instruction: subject.fill(&instruction),
            commands: BTreeMap::new(),
            minutes: cause.fix.as_ref().map_or(20.0, |fix| fix.minutes),
            who: cause.fix.as_ref().map_or(Who::Developer, |fix| fix.who),
            why: format!(
                "No check is worth more than trying this: it is the cause in {} of 100 such cases.",
                (probability * 100.0).round()
            ),
            answers: Arc::new([
                ("it-works-now".to_owned(), "It works now".to_owned()),
                ("still-fails".to_owned(), "It still fails".to_owned()),
            ]),
        }
    }
}

/// What can be answered to a check.
pub(super) fn answers(check: &Check) -> ButtonWords {
    let own = check.answers.iter();
    own.map(|answer| (answer.id.clone(), answer.title.clone()))
        .chain([("cannot-tell".to_owned(), cannot_tell(check).to_owned())])
        .collect()
}

/// The words of the answer that tells nothing.
fn cannot_tell(check: &Check) -> &'static str {
    match check.kind {
        CheckKind::Check | CheckKind::Question => "I cannot tell",
        CheckKind::Probe => "Not now: go on without it",
    }
}

/// Whether a heading's words name the system. `ingress-nginx` is another system than `nginx`.
fn names(heading: &str, system: &str) -> bool {
    heading
        .to_lowercase()
        .split(|letter: char| letter.is_whitespace() || ",/()".contains(letter))
        .any(|word| word == system)
}

fn nothing_to_do() -> NextStep {
    NextStep {
        id: "nothing-to-do".to_owned(),
        kind: StepKind::Question,
        title: "Does anything go wrong that this text does not show?".to_owned(),
        instruction: "The connection worked and ended in the ordinary way. If something still \
                      goes wrong, paste what the user sees when it does."
            .to_owned(),
        commands: BTreeMap::new(),
        minutes: 1.0,
        who: Who::User,
        why: "Nothing in the evidence is a fault.".to_owned(),
        answers: Arc::default(),
    }
}

fn hand_over(graph: &Graph, causes: &[RankedCause]) -> NextStep {
    let owner = causes
        .first()
        .filter(|cause| cause.probability >= 0.5)
        .and_then(|cause| graph.cause(&cause.id)?.fix.as_ref())
        .map(|fix| fix.who);
    let by_layer = match causes.first().map(|cause| cause.layer) {
        Some(Layer::Dns | Layer::Tcp) => Who::NetworkTeam,
        Some(Layer::Tls | Layer::Proxy) => Who::ServerAdmin,
        _ => Who::Developer,
    };
    let who = owner.unwrap_or(by_layer);
    NextStep {
        id: "hand-over".to_owned(),
        kind: StepKind::HandOver,
        title: format!("Hand this over to the {}", who.as_str()),
        instruction: "Send the hand-over bundle to whoever looks after the part that is marked \
                      above: a message that is ready to send, everything that was found, and \
                      what was ruled out."
            .to_owned(),
        commands: BTreeMap::new(),
        minutes: 5.0,
        who,
        why: "No check or fix that is known here is worth its minutes: going on would take longer \
              than asking somebody who knows that part."
            .to_owned(),
        answers: Arc::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_heading_names_a_system_by_a_whole_word() {
        assert!(names("nginx", "nginx"));
        assert!(names("Envoy, Istio and Traefik", "traefik"));
        assert!(names("Go (gorilla)", "gorilla"));
        assert!(!names("ingress-nginx", "nginx"));
    }
}
