//! What is sent from a case's page: answers, more evidence, taking back.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;

use super::super::super::Shared;
use super::super::error::PageError;
use super::super::fields::Fields;
use super::super::messages::Messages;
use super::super::{Page, respond, unlisted};
use super::history::{Moment, answer_titles, moments};
use crate::app::AppError;
use crate::engine::Evidence;
use crate::engine::evidence::Context;
use crate::engine::graph::Who;
use crate::engine::redact::redact;

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
        Err(AppError::Conflict(_)) => {
            let late = Late::Answer(step.to_owned(), answer.to_owned());
            conflict(&shared, &id, revision, late).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /cases/{id}/can`: whose part can be done without waiting for somebody else.
pub(in crate::http) async fn can(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, PageError> {
    let mut can: Vec<Who> = fields.all("can").filter_map(Who::from_word).collect();
    can.dedup();
    if can.is_empty() {
        can = Who::ALL.to_vec();
    }
    let found = shared.app.case(&id).await?;
    if found.can() != can {
        let context = Context {
            can,
            ..Context::default()
        };
        let evidence = Evidence {
            context,
            ..Evidence::default()
        };
        // It contradicts nothing that somebody else may have added meanwhile.
        let now = Timestamp::now();
        shared.app.add_evidence(&id, None, evidence, now).await?;
    }
    Ok(to_case(&id))
}

/// `POST /cases/{id}/answers/{answer}/take-back`: an answer was wrong.
pub(in crate::http) async fn take_back(
    State(shared): State<Shared>,
    Path((id, answer)): Path<(String, String)>,
    _: Fields,
) -> Result<Response, PageError> {
    // Whoever takes an answer back means that answer, whatever else happened meanwhile.
    let now = Timestamp::now();
    match shared.app.take_back(&id, &answer, None, now).await {
        Ok(_) => Ok(to_case(&id)),
        // Somebody took it back already, and that is what was wanted.
        Err(AppError::NotFound(_)) if shared.app.case(&id).await.is_ok() => Ok(to_case(&id)),
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
        Err(AppError::Conflict(_)) => conflict(&shared, &id, revision, Late::Text(text)).await,
        Err(error) => Err(error.into()),
    }
}

pub(super) fn to_case(id: &str) -> Response {
    Redirect::to(&format!("/cases/{id}")).into_response()
}

/// What came too late.
pub(super) enum Late {
    Text(String),
    /// A step and its answer.
    Answer(String, String),
    Outcome,
}

/// An answer that is offered again.
struct Again {
    step: String,
    step_title: String,
    answer: String,
    answer_title: String,
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
    again: Option<Again>,
}

/// Somebody else was faster: what they did, and what was sent, to be sent again.
pub(super) async fn conflict(
    shared: &Shared,
    id: &str,
    seen: Option<i64>,
    late: Late,
) -> Result<Response, PageError> {
    let t = Messages::english();
    let found = shared.app.case(id).await?;
    let known = seen
        .and_then(|seen| usize::try_from(seen).ok())
        .unwrap_or(0);
    let engine = shared.app.engine();
    let graph = engine.graph();
    let (text, again) = match late {
        // Not even to the one who typed it: the page may be shown to others.
        Late::Text(text) => (redact(&text).text, None),
        Late::Answer(step, answer) => {
            let (step_title, answer_title) = answer_titles(t, graph, &step, &answer);
            let again = Again {
                step,
                step_title,
                answer,
                answer_title,
            };
            (String::new(), Some(again))
        }
        Late::Outcome => (String::new(), None),
    };
    let page = ConflictPage {
        t,
        page: Page::of(shared, t.get("conflict.title")).private(),
        id: id.to_owned(),
        revision: found.case.revision,
        news: moments(t, graph, &found.case)
            .into_iter()
            .skip(known)
            .collect(),
        text,
        again,
    };
    Ok(unlisted(respond(StatusCode::CONFLICT, &page)))
}
