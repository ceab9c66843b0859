//! `POST /api/v1/diagnoses`: evidence in, a diagnosis out, nothing kept.

use axum::Json;
use axum::extract::State;

use super::super::Shared;
use super::super::error::{JsonBody, Problem};
use crate::json::{self, DiagnosisJson, EvidenceJson};

pub(in crate::http) async fn create(
    State(shared): State<Shared>,
    JsonBody(evidence): JsonBody<EvidenceJson>,
) -> Result<Json<DiagnosisJson>, Problem> {
    let evidence = evidence.into_evidence().map_err(Problem::invalid)?;
    let diagnosis = shared.app.diagnose(vec![evidence]).await?;
    Ok(Json(json::diagnosis(&diagnosis)))
}
