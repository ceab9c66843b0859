//! How a case ended: the form, and what is sent from it.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;

use super::super::super::Shared;
use super::super::error::PageError;
use super::super::fields::Fields;
use super::super::messages::Messages;
use super::super::{Page, respond, unlisted};
use super::actions::{Late, conflict, to_case};
use super::history::{cause_title, outcome_kind};
use crate::app::{AppError, Closing, DiagnosedCase};
use crate::case::{FixResult, OutcomeKind};
use crate::engine::graph::Graph;
use crate::engine::redact::redact;

#[derive(Template)]
#[template(path = "pages/closing.html")]
struct ClosingPage {
    t: &'static Messages,
    page: Page,
    id: String,
    revision: i64,
    kinds: Vec<Kind>,
    /// The causes that the case speaks of: id and title.
    likely: Vec<Choice>,
    others: Vec<Choice>,
    note: String,
    fix: String,
    complaint: Option<String>,
}

struct Kind {
    word: &'static str,
    title: &'static str,
    hint: &'static str,
    chosen: bool,
}

struct Choice {
    id: String,
    title: String,
    chosen: bool,
}

/// `GET /cases/{id}/outcome`: the form.
pub(in crate::http) async fn closing(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let found = shared.app.case(&id).await?;
    let engine = shared.app.engine();
    let page = ClosingPage::new(&shared, engine.graph(), &found);
    Ok(unlisted(respond(StatusCode::OK, &page)))
}

/// `POST /cases/{id}/outcome`.
pub(in crate::http) async fn close(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, PageError> {
    let optional = |name: &str| {
        let text = fields.get(name).trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let revision = fields.revision();
    let Some(kind) = OutcomeKind::from_word(fields.get("kind")) else {
        return again(&shared, &id, &fields, "closing.no-kind").await;
    };
    let closing = Closing {
        kind,
        cause: optional("cause"),
        fix: optional("fix"),
        note: optional("note"),
    };
    let closed = shared
        .app
        .close_case(&id, revision, closing, Timestamp::now())
        .await;
    match closed {
        Ok(_) => Ok(to_case(&id)),
        Err(AppError::Conflict(_)) => conflict(&shared, &id, revision, Late::Outcome).await,
        Err(AppError::Faulty { .. }) => again(&shared, &id, &fields, "closing.faulty").await,
        Err(error) => Err(error.into()),
    }
}

/// The form once more, with what was typed and what is wrong with it.
async fn again(
    shared: &Shared,
    id: &str,
    fields: &Fields,
    complaint: &'static str,
) -> Result<Response, PageError> {
    let found = shared.app.case(id).await?;
    let engine = shared.app.engine();
    let mut page = ClosingPage::new(shared, engine.graph(), &found);
    for kind in &mut page.kinds {
        kind.chosen = kind.word == fields.get("kind");
    }
    for choice in page.likely.iter_mut().chain(&mut page.others) {
        choice.chosen = choice.id == fields.get("cause");
    }
    page.note = redact(fields.get("note")).text;
    page.fix = redact(fields.get("fix")).text;
    page.complaint = Some(page.t.get(complaint).to_owned());
    Ok(unlisted(respond(StatusCode::UNPROCESSABLE_ENTITY, &page)))
}

impl ClosingPage {
    fn new(shared: &Shared, graph: &Graph, found: &DiagnosedCase) -> Self {
        let t = Messages::english();
        let fix = found.verification.as_ref().map(|v| &v.fix);
        let proven = fix.filter(|fix| fix.result == FixResult::Healthy);
        let kinds = OutcomeKind::ALL.map(|kind| Kind {
            word: kind.as_str(),
            title: t.get(outcome_kind(kind)),
            hint: t.get(match kind {
                OutcomeKind::Solved => "outcome.solved-hint",
                OutcomeKind::WorkedAround => "outcome.worked-around-hint",
                OutcomeKind::GivenUp => "outcome.given-up-hint",
                OutcomeKind::HandedOver => "outcome.handed-over-hint",
                OutcomeKind::WrongDiagnosis => "outcome.wrong-diagnosis-hint",
            }),
            chosen: proven.is_some() && kind == OutcomeKind::Solved,
        });
        let mut ids: Vec<String> = fix.iter().map(|fix| fix.cause.clone()).collect();
        for cause in &found.diagnosis.causes {
            let variants = cause.variants.iter().filter(|v| v.probability >= 0.01);
            for id in std::iter::once(&cause.id).chain(variants.map(|variant| &variant.id)) {
                if !ids.iter().any(|known| *id == *known) {
                    ids.push(id.to_string());
                }
            }
        }
        ids.retain(|id| graph.cause(id).is_some());
        let mut others: Vec<Choice> = graph
            .causes
            .iter()
            .filter(|cause| !ids.contains(&cause.id))
            .map(|cause| Choice {
                id: cause.id.clone(),
                title: cause.title.clone(),
                chosen: false,
            })
            .collect();
        others.sort_by(|a, b| a.title.cmp(&b.title));
        ClosingPage {
            t,
            page: Page::of(shared, t.get("closing.title")).private(),
            id: found.case.id.clone(),
            revision: found.case.revision,
            kinds: kinds.into(),
            likely: ids
                .into_iter()
                .map(|id| Choice {
                    title: cause_title(graph, &id),
                    chosen: proven.is_some_and(|fix| fix.cause == id),
                    id,
                })
                .collect(),
            others,
            note: String::new(),
            fix: String::new(),
            complaint: None,
        }
    }
}
