//! The knowledge: causes, symptoms, codes, search.

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;

use super::super::Shared;
use super::super::error::Problem;
use crate::app::AppError;
use crate::engine::timeouts::{by_length, of_length, typed_seconds};
use crate::json::{
    self, CauseEntryJson, CauseSummaryJson, CodeJson, SearchJson, SymptomJson, TimeoutJson,
};

pub(in crate::http) async fn causes(State(shared): State<Shared>) -> Json<Vec<CauseSummaryJson>> {
    let engine = shared.app.engine();
    Json(
        engine
            .graph()
            .causes
            .iter()
            .map(json::cause_summary)
            .collect(),
    )
}

pub(in crate::http) async fn cause(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<CauseEntryJson>, Problem> {
    let engine = shared.app.engine();
    let cause = engine
        .graph()
        .cause(&id)
        .ok_or_else(|| Problem::not_found(format!("There is no cause {id:?}.")))?;
    Ok(Json(json::cause_entry(engine.graph(), cause)))
}

pub(in crate::http) async fn symptom(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<SymptomJson>, Problem> {
    let engine = shared.app.engine();
    let symptom = engine
        .graph()
        .symptom(&id)
        .ok_or_else(|| Problem::not_found(format!("There is no symptom {id:?}.")))?;
    Ok(Json(json::symptom(engine.graph(), symptom)))
}

pub(in crate::http) async fn codes(
    State(shared): State<Shared>,
    Path(code): Path<String>,
) -> Result<Json<Vec<CodeJson>>, Problem> {
    let engine = shared.app.engine();
    let codes: Vec<CodeJson> = engine
        .graph()
        .codes_meant(&code)
        .into_iter()
        .map(json::code)
        .collect();
    if codes.is_empty() {
        return Err(Problem::not_found(format!(
            "The code {code:?} is not known."
        )));
    }
    Ok(Json(codes))
}

/// A length.
#[derive(Deserialize)]
pub(in crate::http) struct Length {
    #[serde(default)]
    seconds: Option<String>,
}

/// All limits of time, or those of a length.
pub(in crate::http) async fn timeouts(
    State(shared): State<Shared>,
    Query(length): Query<Length>,
) -> Result<Json<Vec<TimeoutJson>>, Problem> {
    let engine = shared.app.engine();
    let all = &engine.graph().timeouts;
    let found = match length.seconds {
        Some(typed) => {
            let seconds = typed_seconds(&typed).ok_or_else(|| {
                Problem::from(AppError::Invalid(
                    "seconds is a number above 0, or a duration such as 4m".to_owned(),
                ))
            })?;
            of_length(all, seconds)
        }
        None => by_length(all),
    };
    Ok(Json(found.into_iter().map(json::timeout).collect()))
}

/// What is looked for.
#[derive(Deserialize)]
pub(in crate::http) struct Wanted {
    #[serde(default)]
    q: String,
}

pub(in crate::http) async fn search(
    State(shared): State<Shared>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<SearchJson>, Problem> {
    let hits = shared.app.search(&wanted.q).await?;
    let hits = hits
        .into_iter()
        .map(|hit| (hit.kind, hit.id, hit.title, hit.url, hit.excerpt))
        .collect();
    Ok(Json(json::search(&wanted.q, hits)))
}
