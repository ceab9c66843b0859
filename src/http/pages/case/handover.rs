//! The bundle for whoever goes on with a case: a page, and the same as Markdown and JSON.

use askama::Template;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::super::super::Shared;
use super::super::error::PageError;
use super::super::messages::Messages;
use super::super::{Page, respond, unlisted, words};
use super::time;
use crate::app::DiagnosedCase;
use crate::case::handover::{Bundle, Team};
use crate::engine::diagnosis::VerdictKind;
use crate::json;
use crate::report::{bundle_markdown, percent};

#[derive(Template)]
#[template(path = "pages/handover.html")]
struct HandoverPage {
    t: &'static Messages,
    page: Page,
    id: String,
    team: String,
    minutes: String,
    is_closed: bool,
    bundle: Bundle,
    /// Cause and probability.
    causes: Vec<(String, String)>,
    findings: Vec<String>,
    ruled_out: Vec<String>,
    /// Time and words.
    told: Vec<(String, String, bool)>,
}

async fn found(shared: &Shared, id: &str) -> Result<(DiagnosedCase, Bundle, String), PageError> {
    let found = shared.app.case(id).await?;
    let base = shared.settings.public_url.as_deref().unwrap_or_default();
    let address = format!("{}/cases/{id}", base.trim_end_matches('/'));
    let engine = shared.app.engine();
    let bundle = Bundle::of(engine.graph(), &found, Some(&address));
    Ok((found, bundle, address))
}

/// `GET /cases/{id}/handover`.
pub(in crate::http) async fn show(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let t = Messages::english();
    let (found, bundle, _) = found(&shared, &id).await?;
    let team = match bundle.team {
        Team::Network => "team.network",
        Team::ServerAdmin => "team.server-admin",
        Team::Developers => "team.developers",
        Team::OwnIt => "team.own-it",
    };
    let diagnosis = &found.diagnosis;
    let page = HandoverPage {
        t,
        page: Page::of(&shared, t.get("handover.title")).private(),
        id,
        is_closed: found.case.outcome().is_some(),
        team: t.get(team).to_owned(),
        minutes: words::minutes(t, bundle.expected_minutes),
        causes: diagnosis
            .causes
            .iter()
            .filter(|_| {
                !matches!(
                    diagnosis.verdict,
                    VerdictKind::Healthy | VerdictKind::Unrecognised
                )
            })
            .take(3)
            .map(|cause| (cause.title.to_string(), percent(cause.probability)))
            .collect(),
        findings: diagnosis
            .seen()
            .map(|symptom| words::capitalised(&symptom.title))
            .collect(),
        ruled_out: bundle
            .ruled_out
            .iter()
            .map(|one| {
                let values: [(&str, &dyn std::fmt::Display); 4] = [
                    ("cause", &one.title),
                    ("from", &percent(one.from)),
                    ("to", &percent(one.to)),
                    ("by", &one.by),
                ];
                t.fill("handover.ruled-out-line", &values)
            })
            .collect(),
        told: bundle
            .told
            .iter()
            .map(|told| (time(told.at), told.what.clone(), told.is_taken_back))
            .collect(),
        bundle,
    };
    Ok(unlisted(respond(StatusCode::OK, &page)))
}

/// `GET /cases/{id}/handover.md`.
pub(in crate::http) async fn markdown(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let (found, bundle, address) = found(&shared, &id).await?;
    let document = bundle_markdown(&bundle, &found, Some(&address));
    let headers = [(header::CONTENT_TYPE, "text/markdown; charset=utf-8")];
    Ok(unlisted((headers, document).into_response()))
}

/// `GET /cases/{id}/handover.json`.
pub(in crate::http) async fn json(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let (found, bundle, _) = found(&shared, &id).await?;
    Ok(unlisted(
        Json(json::bundle(&bundle, &found)).into_response(),
    ))
}
