//! Cases: open one, read it, go on with it.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use jiff::Timestamp;
use serde::Deserialize;

use super::super::Shared;
use super::super::error::{JsonBody, Problem};
use crate::json::{self, CaseJson, EvidenceJson, Invalid};

pub(in crate::http) async fn create(
    State(shared): State<Shared>,
    JsonBody(evidence): JsonBody<EvidenceJson>,
) -> Result<impl IntoResponse, Problem> {
    let evidence = evidence.into_evidence().map_err(Problem::invalid)?;
    let opened = shared.app.open_case(evidence, Timestamp::now()).await?;
    let location = format!("/api/v1/cases/{}", opened.case.id);
    let case = json::case(&opened.case, &opened.diagnosis);
    Ok((
        StatusCode::CREATED,
        AppendHeaders([(header::LOCATION, location)]),
        Json(case),
    ))
}

pub(in crate::http) async fn show(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<CaseJson>, Problem> {
    let found = shared.app.case(&id).await?;
    Ok(Json(json::case(&found.case, &found.diagnosis)))
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
    Ok(Json(json::case(&changed.case, &changed.diagnosis)))
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
    Ok(Json(json::case(&changed.case, &changed.diagnosis)))
}

fn missing_revision() -> Problem {
    Problem::invalid(vec![Invalid {
        pointer: "/revision".to_owned(),
        detail: "the revision of the case that this answers; read the case to learn it".to_owned(),
    }])
}
