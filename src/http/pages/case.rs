//! A case's page, and what is sent from it.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;

use super::super::Shared;
use super::error::PageError;
use super::fields::Fields;
use super::markdown::{Html, render};
use super::marks::{Block, Mark, Marker};
use super::messages::Messages;
use super::timeouts::CaseTimeouts;
use super::{Commands, Page, respond, unlisted, words};
use crate::app::{AppError, DiagnosedCase};
use crate::case::{Case, Entry};
use crate::engine::diagnosis::{PathStep, RULED_OUT, RankedCause, StepState, VerdictKind};
use crate::engine::evidence::{DifferenceLine, LineKind, Review, Weight};
use crate::engine::graph::{Graph, Layer, Who};
use crate::engine::next_step::{NextStep, StepKind};
use crate::engine::redact::redact;
use crate::engine::{Diagnosis, Evidence};
use crate::report::{self, percent};

/// So many causes are shown with their reasons; the others are folded.
const IN_FULL: usize = 3;
/// More facts are not listed.
const MOST_FACTS: usize = 200;
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
    recognised: bool,
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
    texts: Vec<Vec<Block>>,
    secrets: Option<String>,
    findings: Vec<Finding>,
    facts: Vec<FactRow>,
    more_facts: usize,
    timeline: Vec<Moment>,
}

/// One stop of the connection's way.
struct Stop {
    name: &'static str,
    class: &'static str,
    sign: &'static str,
    state: &'static str,
    detail: String,
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

/// What there is to say of a configuration.
struct ReviewView {
    title: String,
    quote: String,
    place: String,
    verdict: &'static str,
    findings: Vec<RemarkView>,
    difference: Vec<Vec<DifferenceLine>>,
}

struct RemarkView {
    text: String,
    place: String,
}

/// Something that was read, with its number in the text.
struct Finding {
    number: Option<usize>,
    /// Whether it is the first of its number, to which the mark leads.
    is_first: bool,
    title: String,
    address: String,
    source: String,
}

struct FactRow {
    key: String,
    value: String,
    source: String,
}

struct Moment {
    at: String,
    what: String,
}

/// `GET /cases/{id}`.
pub(in crate::http) async fn show(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let found = shared.app.case(&id).await?;
    let engine = shared.app.engine();
    let page = CasePage::new(&shared, engine.graph(), &found, preferred_system(&headers));
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

/// `POST /cases/{id}/answers`: the answer to a step.
pub(in crate::http) async fn answer(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, PageError> {
    let (step, answer) = (fields.get("step"), fields.get("answer"));
    let revision = fields.revision();
    let given = shared
        .app
        .answer(&id, step, answer, None, revision, Timestamp::now())
        .await;
    match given {
        Ok(_) => Ok(to_case(&id)),
        Err(AppError::Conflict(_)) => conflict(&shared, &id, revision, String::new()).await,
        Err(error) => Err(error.into()),
    }
}

/// `POST /cases/{id}/evidence`: more of what was seen.
pub(in crate::http) async fn add_evidence(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, PageError> {
    let text = fields.evidence_text();
    if text.trim().is_empty() {
        shared.app.case(&id).await?;
        return Ok(to_case(&id));
    }
    let revision = fields.revision();
    let evidence = Evidence {
        text: Some(text.clone()),
        ..Evidence::default()
    };
    let given = shared
        .app
        .add_evidence(&id, revision, evidence, Timestamp::now())
        .await;
    match given {
        Ok(_) => Ok(to_case(&id)),
        Err(AppError::Conflict(_)) => conflict(&shared, &id, revision, text).await,
        Err(error) => Err(error.into()),
    }
}

fn to_case(id: &str) -> Response {
    Redirect::to(&format!("/cases/{id}")).into_response()
}

#[derive(Template)]
#[template(path = "pages/conflict.html")]
struct ConflictPage {
    t: &'static Messages,
    page: Page,
    id: String,
    revision: i64,
    news: Vec<Moment>,
    text: String,
}

/// Somebody else was faster: what they did, and what was typed, to be sent again.
async fn conflict(
    shared: &Shared,
    id: &str,
    seen: Option<i64>,
    text: String,
) -> Result<Response, PageError> {
    let t = Messages::english();
    let found = shared.app.case(id).await?;
    let known = seen
        .and_then(|seen| usize::try_from(seen).ok())
        .unwrap_or(0);
    let engine = shared.app.engine();
    let page = ConflictPage {
        t,
        page: Page::of(shared, t.get("conflict.title")).private(),
        id: id.to_owned(),
        revision: found.case.revision,
        news: moments(t, engine.graph(), &found.case)
            .into_iter()
            .skip(known)
            .collect(),
        // Not even to the one who typed it: the page may be shown to others.
        text: redact(&text).text,
    };
    Ok(unlisted(respond(StatusCode::CONFLICT, &page)))
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
        let DiagnosedCase { case, diagnosis } = found;
        let sight = Sight::new(t, case, diagnosis);
        let recognised = diagnosis.verdict != VerdictKind::Unrecognised;
        let mut causes: Vec<CauseView> = Vec::new();
        let mut taken = Vec::new();
        for cause in diagnosis.causes.iter().filter(|_| recognised) {
            let in_full = causes.len() < IN_FULL;
            causes.push(cause_view(&sight, &case.id, cause, in_full, &mut taken));
        }
        let less_likely = causes.split_off(causes.len().min(IN_FULL));
        let verdict = verdict(t, diagnosis);
        CasePage {
            t,
            page: Page::of(shared, verdict.as_str()).private(),
            id: case.id.clone(),
            revision: case.revision,
            address: diagnosis.subject.url(),
            opened: time(case.created_at),
            story: story(t, diagnosis),
            verdict,
            path: path(t, diagnosis),
            step: step(t, &case.id, diagnosis, system),
            recognised,
            is_stuck: !recognised && diagnosis.next_step.kind == StepKind::HandOver,
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
            more_facts: diagnosis.facts.len().saturating_sub(MOST_FACTS),
            timeline: moments(t, graph, case),
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
fn verdict(t: &Messages, diagnosis: &Diagnosis) -> String {
    match diagnosis.verdict {
        VerdictKind::Unrecognised => t.get("verdict.unrecognised").to_owned(),
        VerdictKind::Healthy => t.get("verdict.healthy").to_owned(),
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
    sentences.extend(diagnosis.notes.iter().cloned());
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

fn step(t: &'static Messages, case: &str, diagnosis: &Diagnosis, system: &str) -> Step {
    let NextStep { kind, who, .. } = diagnosis.next_step;
    let step = &diagnosis.next_step;
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
        answers: if is_fix {
            Vec::new()
        } else {
            step.answers.clone()
        },
        fix: is_fix.then(|| format!("/causes/{}?case={case}#fix", step.id)),
        is_hand_over: kind == StepKind::HandOver,
        paste_label: t.get(match kind {
            StepKind::Fix => "step.paste-after-fix",
            StepKind::Check => "step.paste-output",
            StepKind::Question | StepKind::HandOver => "step.paste-more",
        }),
    }
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
            title: reason.title.clone(),
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
        address: format!("/causes/{}?case={case}", cause.id),
        title: cause.title.clone(),
        bar: bar(cause.probability),
        reasons,
        variants: cause
            .variants
            .iter()
            .filter(|variant| in_full && variant.probability >= 0.01)
            .map(|variant| {
                (
                    format!("/causes/{}?case={case}", variant.id),
                    variant.title.clone(),
                    percent(variant.probability),
                )
            })
            .collect(),
    }
}

/// The findings of a diagnosis, numbered in the order of the texts.
struct Sight<'a> {
    t: &'static Messages,
    case: &'a Case,
    diagnosis: &'a Diagnosis,
    /// Positions of facts that show a symptom and stand in a text.
    numbered: Vec<usize>,
}

impl<'a> Sight<'a> {
    fn new(t: &'static Messages, case: &'a Case, diagnosis: &'a Diagnosis) -> Self {
        let mut numbered: Vec<usize> = diagnosis
            .symptoms
            .iter()
            .filter_map(|symptom| symptom.fact)
            .filter(|fact| diagnosis.facts[*fact].fact.span.is_some())
            .collect();
        numbered.sort_by_key(|fact| {
            let fact = &diagnosis.facts[*fact].fact;
            (fact.evidence, fact.span)
        });
        // Facts that were read from the same words share a number.
        numbered.dedup_by_key(|fact| {
            let fact = &diagnosis.facts[*fact].fact;
            (fact.evidence, fact.span)
        });
        Sight {
            t,
            case,
            diagnosis,
            numbered,
        }
    }

    /// The number of the words that a fact was read from.
    fn number(&self, fact: usize) -> Option<usize> {
        let of = |fact: usize| {
            let fact = &self.diagnosis.facts[fact].fact;
            fact.span.map(|span| (fact.evidence, span))
        };
        let wanted = of(fact)?;
        self.numbered
            .iter()
            .position(|numbered| of(*numbered) == Some(wanted))
            .map(|position| position + 1)
    }

    /// A line of a piece of evidence, in words.
    fn place(&self, line: usize, evidence: usize) -> String {
        if self.pastes() > 1 {
            self.t.fill(
                "source.line-of",
                &[("line", &line), ("paste", &(evidence + 1))],
            )
        } else {
            self.t.with("source.line", "line", line)
        }
    }

    /// What there is to say of a configuration.
    fn review(&self, review: &Review) -> ReviewView {
        let has = |weight| {
            review
                .findings
                .iter()
                .any(|finding| finding.weight == weight)
        };
        let verdict = if has(Weight::Fault) {
            "configuration.fault"
        } else if has(Weight::Unknown) {
            "configuration.unknown"
        } else if has(Weight::Hint) {
            "configuration.hint"
        } else {
            "configuration.right"
        };
        ReviewView {
            title: self.t.with("configuration.title", "system", review.system),
            quote: review.quote.clone(),
            place: self.place(review.line, review.evidence),
            verdict: self.t.get(verdict),
            findings: review
                .findings
                .iter()
                .map(|finding| RemarkView {
                    text: finding.text.clone(),
                    place: self.place(finding.line, review.evidence),
                })
                .collect(),
            difference: review.difference.clone(),
        }
    }

    /// Where a fact comes from, in words.
    fn source(&self, fact: usize) -> String {
        let seen = &self.diagnosis.facts[fact];
        match seen.place {
            Some((line, _)) => self.place(line, seen.fact.evidence),
            None => {
                let entry = self.case.entries.get(seen.fact.evidence);
                let is_answer = entry.is_some_and(|entry| entry.answer.is_some());
                let key = if is_answer {
                    "source.answer"
                } else {
                    "source.form"
                };
                self.t.get(key).to_owned()
            }
        }
    }

    fn pastes(&self) -> usize {
        let is_paste = |text: &&String| !text.is_empty();
        self.diagnosis.texts.iter().filter(is_paste).count()
    }

    /// What the words of a number show.
    fn titles(&self, number: usize) -> String {
        let titles: Vec<&str> = self
            .diagnosis
            .symptoms
            .iter()
            .filter(|symptom| symptom.fact.and_then(|fact| self.number(fact)) == Some(number))
            .map(|symptom| symptom.title.as_str())
            .collect();
        titles.join("; ")
    }

    fn texts(&self, with_reason: &[usize]) -> Vec<Vec<Block>> {
        let mut marks: Vec<Vec<Mark>> = vec![Vec::new(); self.diagnosis.texts.len()];
        let mut seen = std::collections::HashSet::new();
        for (position, fact) in self.diagnosis.facts.iter().enumerate() {
            let (Some(span), evidence) = (fact.fact.span, fact.fact.evidence) else {
                continue;
            };
            if !seen.insert((evidence, span)) {
                continue;
            }
            let number = self.number(position);
            let (title, finding) = match number {
                Some(number) => {
                    let place = if with_reason.contains(&number) {
                        "why"
                    } else {
                        "seen"
                    };
                    (
                        self.titles(number),
                        Some((number, format!("{place}-{number}"))),
                    )
                }
                None => (format!("{}: {}", fact.fact.key, fact.fact.value), None),
            };
            if let Some(marks) = marks.get_mut(evidence) {
                marks.push(Mark {
                    start: span.start,
                    end: span.end,
                    title,
                    finding,
                });
            }
        }
        let mut marker = Marker::new(self.t);
        self.diagnosis
            .texts
            .iter()
            .zip(&marks)
            .filter(|(text, _)| !text.is_empty())
            .map(|(text, marks)| marker.blocks(text, marks))
            .collect()
    }

    fn findings(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self
            .diagnosis
            .symptoms
            .iter()
            .map(|symptom| Finding {
                number: symptom.fact.and_then(|fact| self.number(fact)),
                is_first: false,
                title: words::capitalised(&symptom.title),
                address: format!("/symptoms/{}", symptom.id),
                source: symptom
                    .fact
                    .map(|fact| self.source(fact))
                    .unwrap_or_default(),
            })
            .collect();
        findings.sort_by_key(|finding| finding.number.unwrap_or(usize::MAX));
        let mut last = None;
        for finding in &mut findings {
            finding.is_first = finding.number.is_some() && finding.number != last;
            last = finding.number;
        }
        findings
    }

    fn facts(&self) -> Vec<FactRow> {
        self.diagnosis
            .facts
            .iter()
            .enumerate()
            .take(MOST_FACTS)
            .map(|(position, seen)| FactRow {
                key: seen.fact.key.to_string(),
                value: seen.fact.value.to_string(),
                source: self.source(position),
            })
            .collect()
    }
}

/// What happened in a case, oldest first.
fn moments(t: &Messages, graph: &Graph, case: &Case) -> Vec<Moment> {
    case.entries
        .iter()
        .enumerate()
        .map(|(number, entry)| Moment {
            at: time(entry.at),
            what: happened(t, graph, number, entry),
        })
        .collect()
}

fn happened(t: &Messages, graph: &Graph, number: usize, entry: &Entry) -> String {
    if let Some((step, answer)) = &entry.answer {
        let check = graph.check(step);
        let title = check.map_or(step.as_str(), |check| check.title.as_str());
        let chosen = check
            .and_then(|check| check.answers.iter().find(|known| known.id == *answer))
            .map_or(t.get("timeline.cannot-tell"), |known| known.title.as_str());
        return t.fill("timeline.answer", &[("step", &title), ("answer", &chosen)]);
    }
    let lines = entry
        .evidence
        .text
        .as_deref()
        .map_or(0, |text| text.lines().count());
    let key = if number == 0 {
        "timeline.opened"
    } else {
        "timeline.pasted"
    };
    let size = t.count("timeline.line-one", "timeline.line-many", lines);
    t.with(key, "size", size)
}

/// To the minute, in UTC.
fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
