//! A case's page, and what is sent from it.
//!
//! - [`sight`]: what was read from the texts; [`history`]: what happened, and what it changed.
//! - [`actions`]: answers, more evidence, taking back; [`closing`]: how it ended.
//! - [`probes`]: what probes saw, and how to order one.
//! - [`why`]: why a cause is as likely as it is, or not.
//! - [`handover`]: the bundle for whoever goes on.

mod actions;
mod closing;
mod handover;
mod history;
mod probes;
mod sight;
mod why;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;

pub(super) use actions::{add_evidence, answer, can, take_back};
pub(super) use closing::{close, closing};
pub(super) use handover::{json as handover_json, markdown as handover_markdown, show as handover};
pub(super) use why::{ask as ask_why, show as why};

use super::super::Shared;
use super::error::PageError;
use super::markdown::{Html, render};
use super::messages::Messages;
use super::timeouts::CaseTimeouts;
use super::{Commands, Page, respond, unlisted, words};
use crate::app::DiagnosedCase;
use crate::engine::Diagnosis;
use crate::engine::diagnosis::{PathStep, RULED_OUT, RankedCause, StepState, VerdictKind};
use crate::engine::evidence::LineKind;
use crate::engine::graph::{Graph, Layer, Who};
use crate::engine::next_step::{NextStep, StepKind};
use crate::report::{self, percent};
use history::{ClosedView, ContradictionView, Moment, RuledOutView, VerificationView};
use probes::{Offer, Seen};
use sight::{FactRow, Finding, ReviewView, Sight, TextView};

/// So many causes are shown with their reasons; the others are folded.
const IN_FULL: usize = 3;
/// Asks for a WebSocket and shows every stage on the way.
const COMMAND: &str = "curl -sv -o /dev/null --http1.1 --max-time 10 \
    -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' \
    -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' {http_url}";

#[derive(Template)]
#[template(path = "pages/case.html")]
struct CasePage {
    t: &'static Messages,
    page: Page,
    id: String,
    revision: i64,
    address: Option<String>,
    opened: String,
    verdict: String,
    story: Vec<String>,
    path: Vec<Stop>,
    step: Step,
    /// What needs the same at hand as the step, and the words before it.
    along: Vec<Step>,
    /// A second fault.
    also: Vec<Also>,
    along_heading: &'static str,
    /// Who can be chosen: the value, its words, and whether it is.
    can: Vec<(&'static str, &'static str, bool)>,
    is_can_open: bool,
    recognised: bool,
    /// It works after a fix: causes are no longer the question.
    is_fixed: bool,
    /// Nothing was recognised and no step is known: more must be pasted.
    is_stuck: bool,
    is_path_known: bool,
    /// What to run when nothing was recognised.
    command: String,
    causes: Vec<CauseView>,
    less_likely: Vec<CauseView>,
    other: CauseBar,
    ruled_out: usize,
    configurations: Vec<ReviewView>,
    timeouts: Option<CaseTimeouts>,
    texts: Vec<TextView>,
    secrets: Option<String>,
    findings: Vec<Finding>,
    facts: Vec<FactRow>,
    more_facts: usize,
    timeline: Vec<Moment>,
    /// Which stage this is, where it is not the last one.
    earlier: Option<String>,
    closed: Option<ClosedView>,
    verification: Option<VerificationView>,
    contradictions: Vec<ContradictionView>,
    once_likely: Vec<RuledOutView>,
    probes: Vec<Seen>,
    /// None at an earlier stage.
    offer: Option<Offer>,
    /// The probe that waits or runs.
    under_way: Option<String>,
    every_cause: Vec<String>,
}

/// One stop of the connection's way.
struct Stop {
    name: &'static str,
    class: &'static str,
    sign: &'static str,
    state: &'static str,
    detail: String,
}

/// A second fault, which is dealt with after the first one.
struct Also {
    why: String,
    address: String,
    title: String,
    findings: Vec<String>,
}

struct Step {
    id: String,
    class: &'static str,
    kind: &'static str,
    minutes: String,
    who: &'static str,
    title: String,
    instruction: Html,
    commands: Commands,
    why: String,
    /// Buttons that can be pressed.
    answers: Vec<(String, String)>,
    /// The page with everything on the fix.
    fix: Option<String>,
    is_hand_over: bool,
    paste_label: &'static str,
}

struct CauseBar {
    percent: String,
    width: u32,
}

struct CauseView {
    address: String,
    /// The page that says why it is as likely as it is.
    why: String,
    title: String,
    bar: CauseBar,
    reasons: Vec<ReasonView>,
    variants: Vec<(String, String, String)>,
}

struct ReasonView {
    /// The place of the page by which its mark leads here; empty if another reason has it.
    place: String,
    class: &'static str,
    sign: &'static str,
    strength: &'static str,
    title: String,
    quote: Option<String>,
    source: String,
    number: Option<usize>,
}

/// Which stage of a case is looked at.
#[derive(Deserialize)]
pub(in crate::http) struct Stage {
    #[serde(default)]
    revision: Option<String>,
}

/// `GET /cases/{id}`, or an earlier stage of it with `?revision=`.
pub(in crate::http) async fn show(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Query(stage): Query<Stage>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let whole = shared.app.case(&id).await?;
    let engine = shared.app.engine();
    let system = preferred_system(&headers);
    let newest = whole.case.revision;
    let page = match stage.revision {
        None => CasePage::new(&shared, engine.graph(), &whole, system),
        Some(word) => {
            let revision: i64 = word.parse().map_err(|_| PageError::not_found())?;
            let earlier = shared.app.case_at(&id, revision).await;
            let earlier = earlier.map_err(|_| PageError::not_found())?;
            let mut page = CasePage::new(&shared, engine.graph(), &earlier, system);
            page.earlier = (revision < newest).then(|| {
                let values: [(&str, &dyn std::fmt::Display); 2] =
                    [("number", &revision), ("count", &newest)];
                page.t.fill("stage.text", &values)
            });
            if page.earlier.is_some() {
                (page.offer, page.under_way) = (None, None);
            }
            page
        }
    };
    Ok(unlisted(respond(StatusCode::OK, &page)))
}

/// `GET /cases/{id}/markdown`: for a ticket or a chat.
pub(in crate::http) async fn markdown(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let found = shared.app.case(&id).await?;
    let base = shared.settings.public_url.as_deref().unwrap_or_default();
    let address = format!("{}/cases/{id}", base.trim_end_matches('/'));
    let document = report::markdown(&found.diagnosis, Some(&address));
    let headers = [(header::CONTENT_TYPE, "text/markdown; charset=utf-8")];
    Ok(unlisted((headers, document).into_response()))
}

/// The system whose commands are opened first: the one that the browser runs on.
fn preferred_system(headers: &HeaderMap) -> &'static str {
    let agent = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if agent.contains("Windows") {
        "windows"
    } else if agent.contains("Mac OS") {
        "macos"
    } else {
        "linux"
    }
}

impl CasePage {
    fn new(shared: &Shared, graph: &Graph, found: &DiagnosedCase, system: &str) -> Self {
        let t = Messages::english();
        let DiagnosedCase {
            case, diagnosis, ..
        } = found;
        let sight = Sight::new(t, found);
        let is_fixed = found.is_fixed();
        let recognised = diagnosis.verdict != VerdictKind::Unrecognised && !is_fixed;
        let mut causes: Vec<CauseView> = Vec::new();
        let mut taken = Vec::new();
        for cause in diagnosis.causes.iter().filter(|_| recognised) {
            let in_full = causes.len() < IN_FULL;
            causes.push(cause_view(&sight, &case.id, cause, in_full, &mut taken));
        }
        let less_likely = causes.split_off(causes.len().min(IN_FULL));
        let verdict = verdict(t, diagnosis, is_fixed);
        CasePage {
            t,
            page: Page::of(shared, verdict.as_str()).private(),
            id: case.id.clone(),
            revision: case.revision,
            address: found.url(),
            opened: time(case.created_at),
            story: story(t, diagnosis),
            verdict,
            path: path(t, diagnosis),
            step: step(t, &case.id, &diagnosis.next_step, system),
            along: diagnosis
                .along
                .iter()
                .map(|other| step(t, &case.id, other, system))
                .collect(),
            also: diagnosis
                .also
                .iter()
                .map(|fault| Also {
                    why: fault.why.clone(),
                    address: format!("/causes/{}?case={}", fault.cause, case.id),
                    title: fault.title.clone(),
                    findings: fault
                        .symptoms
                        .iter()
                        .map(|symptom| words::capitalised(&symptom.title))
                        .collect(),
                })
                .collect(),
            along_heading: t.get(along_heading(diagnosis)),
            is_can_open: !found.can().is_empty(),
            can: Who::ALL
                .into_iter()
                .map(|who| {
                    let chosen = found.can();
                    let is_chosen = chosen.is_empty() || chosen.contains(&who);
                    (who.as_str(), t.get(words::part(who)), is_chosen)
                })
                .collect(),
            recognised,
            is_fixed,
            is_stuck: !is_fixed && !recognised && diagnosis.next_step.kind == StepKind::HandOver,
            is_path_known: diagnosis
                .path
                .iter()
                .any(|step| step.state != StepState::Unknown),
            command: diagnosis.subject.fill(COMMAND),
            causes,
            less_likely,
            other: bar(diagnosis.other_probability),
            ruled_out: ruled_out_besides(diagnosis),
            configurations: diagnosis
                .configurations
                .iter()
                .map(|review| sight.review(review))
                .collect(),
            timeouts: CaseTimeouts::of(t, graph, &case.id, diagnosis),
            texts: sight.texts(&taken),
            secrets: words::secrets(t, &diagnosis.redacted),
            findings: sight.findings(),
            facts: sight.facts(),
            more_facts: diagnosis.facts.len().saturating_sub(sight::MOST_FACTS),
            timeline: history::moments(t, graph, case),
            earlier: None,
            closed: case
                .outcome()
                .map(|outcome| ClosedView::new(t, graph, &case.id, outcome)),
            verification: found
                .verification
                .as_ref()
                .map(|verification| VerificationView::new(t, graph, case, verification)),
            contradictions: history::contradictions(t, graph, found),
            once_likely: history::ruled_out(t, graph, found),
            probes: probes::seen(t, case),
            offer: Some(Offer::new(t, shared, graph, found)),
            under_way: probes::under_way(shared, &case.id),
            every_cause: why::every_cause(graph),
        }
    }
}

/// How many causes are ruled out that are not among the listed: the first three are listed always.
fn ruled_out_besides(diagnosis: &Diagnosis) -> usize {
    let listed = diagnosis
        .causes
        .iter()
        .filter(|cause| cause.probability < RULED_OUT);
    diagnosis.ruled_out.saturating_sub(listed.count())
}

/// The verdict without the notes, which stand below it.
fn verdict(t: &Messages, diagnosis: &Diagnosis, is_fixed: bool) -> String {
    match diagnosis.verdict {
        VerdictKind::Unrecognised => t.get("verdict.unrecognised").to_owned(),
        VerdictKind::Healthy if !is_fixed => t.get("verdict.healthy").to_owned(),
        _ => report::verdict(diagnosis).to_owned(),
    }
}

/// What worked, where it broke and how long it will take, in plain sentences.
fn story(t: &Messages, diagnosis: &Diagnosis) -> Vec<String> {
    let mut sentences = Vec::new();
    if diagnosis.verdict == VerdictKind::Unrecognised {
        sentences.push(t.get("story.unrecognised").to_owned());
    }
    let worked: Vec<&str> = diagnosis
        .path
        .iter()
        .filter(|step| step.state == StepState::Ok)
        .map(|step| t.get(words::layer_inline(step.layer)))
        .collect();
    if !worked.is_empty() {
        sentences.push(t.with("story.worked", "what", words::listed(t, &worked)));
    }
    let broken = diagnosis
        .path
        .iter()
        .find(|step| step.state == StepState::Failed);
    if let Some(broken) = broken {
        sentences.push(t.fill(
            "story.broke",
            &[
                ("where", &t.get(words::layer_inline(broken.layer))),
                ("explained", &t.get(words::layer_explained(broken.layer))),
            ],
        ));
    }
    // A second fault has a notice of its own.
    let is_of_it = |note: &&String| diagnosis.also.iter().all(|fault| fault.why != **note);
    sentences.extend(diagnosis.notes.iter().filter(is_of_it).cloned());
    let is_worked_on = !matches!(
        diagnosis.verdict,
        VerdictKind::Healthy | VerdictKind::Unrecognised
    );
    if is_worked_on {
        let minutes = words::minutes(t, diagnosis.expected_minutes);
        sentences.push(t.with("story.minutes", "minutes", minutes));
    }
    sentences
}

fn path(t: &'static Messages, diagnosis: &Diagnosis) -> Vec<Stop> {
    let status = diagnosis
        .path
        .iter()
        .find(|step| step.layer == Layer::Handshake && step.state == StepState::NotReached)
        .map_or("", |step| step.detail.as_str());
    let detail = |step: &PathStep| match (step.layer, step.state) {
        // A proxy that answers in the server's place gives the status.
        (Layer::Proxy, StepState::Failed) => {
            let known = [step.detail.as_str(), status];
            let known: Vec<&str> = known
                .into_iter()
                .filter(|words| !words.is_empty())
                .collect();
            known.join(", ")
        }
        (_, StepState::NotReached) => String::new(),
        _ => step.detail.clone(),
    };
    diagnosis
        .path
        .iter()
        .map(|step| Stop {
            name: t.get(words::layer(step.layer)),
            class: step.state.as_str(),
            sign: words::sign(step.state),
            state: t.get(words::state(step.state)),
            detail: detail(step),
        })
        .collect()
}

fn step(t: &'static Messages, case: &str, step: &NextStep, system: &str) -> Step {
    let NextStep { kind, who, .. } = *step;
    // Commands for a server are most often for Linux, whatever the reader sits at.
    let system = if who == Who::ServerAdmin {
        "linux"
    } else {
        system
    };
    let is_fix = kind == StepKind::Fix;
    Step {
        id: step.id.clone(),
        class: kind.as_str(),
        kind: t.get(words::kind(kind)),
        minutes: words::minutes(t, step.minutes),
        who: t.get(words::who(who)),
        title: step.title.clone(),
        instruction: render(&step.instruction),
        commands: Commands::new(t, &step.commands, system),
        why: step.why.clone(),
        answers: pressed(step),
        fix: is_fix.then(|| format!("/causes/{}?case={case}#fix", step.id)),
        is_hand_over: kind == StepKind::HandOver,
        paste_label: t.get(match kind {
            StepKind::Fix => "step.paste-after-fix",
            StepKind::Check => "step.paste-output",
            StepKind::Probe => "step.paste-probe",
            StepKind::Question | StepKind::HandOver => "step.paste-more",
        }),
    }
}

/// The answers that have a button. What a probe finds it says itself.
fn pressed(step: &NextStep) -> Vec<(String, String)> {
    let is_pressed = |id: &str| step.kind != StepKind::Probe || id == "cannot-tell";
    let answers = step.answers.iter();
    answers.filter(|(id, _)| is_pressed(id)).cloned().collect()
}

fn bar(probability: f64) -> CauseBar {
    CauseBar {
        percent: percent(probability),
        width: words::width(probability),
    }
}

/// `taken` holds the numbers of findings that a reason was already given for.
fn cause_view(
    sight: &Sight<'_>,
    case: &str,
    cause: &RankedCause,
    in_full: bool,
    taken: &mut Vec<usize>,
) -> CauseView {
    let t = sight.t;
    let mut reasons = Vec::new();
    for reason in cause.reasons.iter().filter(|_| in_full) {
        let number = reason.fact.and_then(|fact| sight.number(fact));
        let is_first = number.is_some_and(|number| !taken.contains(&number));
        let place = match number {
            Some(number) if is_first => {
                taken.push(number);
                format!("why-{number}")
            }
            _ => String::new(),
        };
        reasons.push(ReasonView {
            place,
            class: if reason.speaks_for { "for" } else { "against" },
            sign: if reason.speaks_for { "+" } else { "−" },
            strength: t.get(words::strength(reason)),
            title: reason.title.to_string(),
            quote: reason
                .fact
                .and_then(|fact| sight.diagnosis.facts[fact].quote.clone())
                .filter(|_| is_first),
            source: reason
                .fact
                .map(|fact| sight.source(fact))
                .unwrap_or_default(),
            number,
        });
    }
    CauseView {
        why: why::address(case, &cause.id),
        address: format!("/causes/{}?case={case}", cause.id),
        title: cause.title.to_string(),
        bar: bar(cause.probability),
        reasons,
        variants: cause
            .variants
            .iter()
            .filter(|variant| in_full && variant.probability >= 0.01)
            .map(|variant| {
                (
                    format!("/causes/{}?case={case}", variant.id),
                    variant.title.to_string(),
                    percent(variant.probability),
                )
            })
            .collect(),
    }
}

/// To the minute, in UTC.
fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// What stands above the steps that are offered beside the chosen one.
fn along_heading(diagnosis: &Diagnosis) -> &'static str {
    let is_question = |step: &NextStep| step.kind == StepKind::Question;
    if is_question(&diagnosis.next_step) && diagnosis.along.iter().all(is_question) {
        return "along.questions";
    }
    diagnosis
        .access
        .map_or("along.anywhere", words::while_there)
}
