//! Cases: open one, read it, go on with it.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use jiff::Timestamp;
use serde::Deserialize;

use super::super::Shared;
use super::super::error::{JsonBody, Problem};
use crate::app::Closing;
use crate::json::{self, CaseJson, EvidenceJson, ExplanationJson, Invalid, OutcomeJson};

pub(in crate::http) async fn create(
    State(shared): State<Shared>,
    JsonBody(evidence): JsonBody<EvidenceJson>,
) -> Result<impl IntoResponse, Problem> {
    let evidence = evidence.into_evidence().map_err(Problem::invalid)?;
    let opened = shared.app.open_case(evidence, Timestamp::now()).await?;
    let location = format!("/api/v1/cases/{}", opened.case.id);
    let case = json::case(&opened);
    Ok((
        StatusCode::CREATED,
        AppendHeaders([(header::LOCATION, location)]),
        Json(case),
    ))
}

/// Which stage of a case is asked for.
#[derive(Deserialize)]
pub(in crate::http) struct Stage {
    #[serde(default)]
    revision: Option<i64>,
}

pub(in crate::http) async fn show(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Query(stage): Query<Stage>,
) -> Result<Json<CaseJson>, Problem> {
    let found = match stage.revision {
        Some(revision) => shared.app.case_at(&id, revision).await?,
        None => shared.app.case(&id).await?,
    };
    Ok(Json(json::case(&found)))
}

/// `GET /api/v1/cases/{id}/causes/{cause}`: why a cause is as likely as it is.
pub(in crate::http) async fn explanation(
    State(shared): State<Shared>,
    Path((id, cause)): Path<(String, String)>,
) -> Result<Json<ExplanationJson>, Problem> {
    let (_, explanation) = shared.app.explanation(&id, &cause).await?;
    Ok(Json(json::explanation(&explanation)))
}

/// Evidence for a case that exists.
#[derive(Deserialize)]
pub(in crate::http) struct MoreEvidence {
    #[serde(default)]
    revision: Option<i64>,
    #[serde(flatten)]
    evidence: EvidenceJson,
}

pub(in crate::http) async fn add_evidence(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    JsonBody(more): JsonBody<MoreEvidence>,
) -> Result<Json<CaseJson>, Problem> {
    let revision = more.revision.ok_or_else(missing_revision)?;
    let evidence = more.evidence.into_evidence().map_err(Problem::invalid)?;
    let now = Timestamp::now();
    let changed = shared
        .app
        .add_evidence(&id, Some(revision), evidence, now)
        .await?;
    Ok(Json(json::case(&changed)))
}

/// The answer to a step.
#[derive(Deserialize)]
pub(in crate::http) struct Answer {
    step: String,
    answer: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    revision: Option<i64>,
}

pub(in crate::http) async fn answer(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    JsonBody(given): JsonBody<Answer>,
) -> Result<Json<CaseJson>, Problem> {
    let revision = given.revision.ok_or_else(missing_revision)?;
    let changed = shared
        .app
        .answer(
            &id,
            &given.step,
            &given.answer,
            given.text,
            Some(revision),
            Timestamp::now(),
        )
        .await?;
    Ok(Json(json::case(&changed)))
}

/// `DELETE /api/v1/cases/{id}/answers/{answer_id}`: the answer does not count any more.
pub(in crate::http) async fn take_back(
    State(shared): State<Shared>,
    Path((id, answer)): Path<(String, String)>,
    Query(stage): Query<Stage>,
) -> Result<Json<CaseJson>, Problem> {
    let now = Timestamp::now();
    let changed = shared
        .app
        .take_back(&id, &answer, stage.revision, now)
        .await?;
    Ok(Json(json::case(&changed)))
}

/// `POST /api/v1/cases/{id}/outcome`: the case is closed.
pub(in crate::http) async fn close(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    JsonBody(outcome): JsonBody<OutcomeJson>,
) -> Result<Json<CaseJson>, Problem> {
    let closing = Closing {
        kind: outcome
            .kind()
            .map_err(|error| Problem::invalid(vec![error]))?,
        cause: outcome.cause,
        fix: outcome.fix,
        note: outcome.note,
    };
    let changed = shared
        .app
        .close_case(&id, outcome.revision, closing, Timestamp::now())
        .await?;
    Ok(Json(json::case(&changed)))
}

fn missing_revision() -> Problem {
    Problem::invalid(vec![Invalid {
        pointer: "/revision".to_owned(),
        detail: "the revision of the case that this answers; read the case to learn it".to_owned(),
    }])
}
