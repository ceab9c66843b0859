//! A probe's page: how it goes on, and what it saw. Orders come from a case's page.

mod ladder;
mod vantages;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::super::Shared;
use super::super::caller::From;
use super::error::PageError;
use super::fields::Fields;
use super::messages::Messages;
use super::{Page, respond, unlisted};
use crate::app::{AppError, Job, ProbeRequest};
use crate::case::ProbeState;
use crate::engine::Diagnosis;
use crate::engine::diagnosis::VerdictKind;
use crate::report::{self, percent};
pub(super) use ladder::{Ladder, stage_name};
pub(super) use vantages::Vantages;

/// So many causes are named.
const MOST_CAUSES: usize = 3;

#[derive(Template)]
#[template(path = "pages/probe.html")]
struct ProbePage {
    t: &'static Messages,
    page: Page,
    id: String,
    url: String,
    state: &'static str,
    heading: String,
    /// What to do, or why it was refused.
    text: String,
    is_under_way: bool,
    case: Option<String>,
    ladder: Option<Ladder>,
    causes: Vec<(String, String, String)>,
    facts: Vec<(String, String)>,
}

/// `POST /cases/{id}/probes`: this service looks for itself.
pub(super) async fn create(
    State(shared): State<Shared>,
    Path(case): Path<String>,
    From(caller): From,
    fields: Fields,
) -> Result<Response, PageError> {
    let given = |name: &str| {
        let text = fields.get(name).trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let subprotocols = fields.get("subprotocols");
    let request = ProbeRequest {
        url: fields.get("url").trim().to_owned(),
        // The page's address is as good: people copy what they see.
        origin: given("origin").map(|origin| origin.trim_end_matches('/').to_owned()),
        subprotocols: subprotocols
            .split([',', ' '])
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
        hold_seconds: fields.get("hold").trim().parse().unwrap_or(0),
        case: Some(case),
        ..ProbeRequest::default()
    };
    let ordered = shared.app.probe(request, caller).await;
    let job = ordered.map_err(|error| match error {
        AppError::Faulty {
            pointer: "/case", ..
        } => PageError::no_case(),
        error => error.into(),
    })?;
    Ok(Redirect::to(&address(&job)).into_response())
}

/// Where a probe is looked at; with its case, which outlives it.
pub(super) fn address(job: &Job) -> String {
    match job.case() {
        Some(case) => format!("/probes/{}?case={case}", job.id),
        None => format!("/probes/{}", job.id),
    }
}

/// The case that a probe belongs to.
#[derive(Deserialize)]
pub(super) struct Belongs {
    #[serde(default)]
    case: Option<String>,
}

/// `GET /probes/{id}`.
pub(super) async fn show(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Query(belongs): Query<Belongs>,
) -> Result<Response, PageError> {
    let job = match shared.app.find_probe(&id) {
        Ok(job) => job,
        Err(_) => return forgotten(&shared, belongs.case.as_deref()).await,
    };
    // What two vantage points say together stands in the case.
    if let (false, Some(_), Some(case)) = (job.is_under_way(), &job.request.browser, job.case()) {
        return Ok(Redirect::to(&format!("/cases/{case}#probes")).into_response());
    }
    let page = ProbePage::new(&shared, &job);
    Ok(unlisted(respond(StatusCode::OK, &page)))
}

/// The probe is not kept any more; what it saw is in its case.
async fn forgotten(shared: &Shared, case: Option<&str>) -> Result<Response, PageError> {
    let known = match case {
        Some(case) => shared.app.case(case).await.ok(),
        None => None,
    };
    let known = known.ok_or_else(PageError::no_probe)?;
    Ok(Redirect::to(&format!("/cases/{}#probes", known.case.id)).into_response())
}

/// `POST /probes/{id}/cancel`.
pub(super) async fn cancel(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    _: Fields,
) -> Result<Response, PageError> {
    let cancelled = shared.app.cancel_probe(&id).await;
    let job = cancelled.map_err(|_| PageError::no_probe())?;
    Ok(Redirect::to(&address(&job)).into_response())
}

impl ProbePage {
    fn new(shared: &Shared, job: &Job) -> Self {
        let t = Messages::english();
        let (probe, diagnosis) = job.probe();
        let is_under_way = matches!(probe.state, ProbeState::Queued | ProbeState::Running);
        let heading = match (&diagnosis, probe.state) {
            (_, ProbeState::Cancelled) => t.get("probe.cancelled").to_owned(),
            (Some(diagnosis), _) => verdict(t, diagnosis),
            (None, ProbeState::Queued) => t.get("probe.queued").to_owned(),
            (None, ProbeState::Refused) => t.get("error.refused").to_owned(),
            (None, ProbeState::Running) => t.get("probe.under-way").to_owned(),
            (None, _) => t.get("probe.failed").to_owned(),
        };
        let text = match probe.state {
            ProbeState::Refused => probe.message.clone(),
            ProbeState::Queued => t.get("probe.queued-text").to_owned(),
            ProbeState::Running => t.get("probe.under-way-text").to_owned(),
            ProbeState::Failed => t.get("probe.failed-text").to_owned(),
            ProbeState::Done | ProbeState::Cancelled => String::new(),
        };
        let ladder = match &probe.report {
            Some(seen) => Some(Ladder::of(t, &seen.stages, &seen.variants)),
            None if probe.state == ProbeState::Refused => None,
            None => Some(Ladder::running(t, &job.steps())),
        };
        let facts = probe.report.iter().flat_map(|seen| seen.all_facts());
        ProbePage {
            t,
            page: Page::of(shared, heading.as_str()).private(),
            id: probe.id,
            url: probe.url,
            state: probe.state.as_str(),
            heading,
            text,
            is_under_way,
            case: job.case().map(str::to_owned),
            ladder,
            causes: diagnosis.iter().flat_map(|found| causes(found)).collect(),
            facts: facts.map(|fact| (fact.key, fact.value)).collect(),
        }
    }
}

fn verdict(t: &Messages, diagnosis: &Diagnosis) -> String {
    match diagnosis.verdict {
        VerdictKind::Healthy => t.get("probe.healthy").to_owned(),
        VerdictKind::Unrecognised => t.get("probe.unclear").to_owned(),
        _ => report::verdict(diagnosis).to_owned(),
    }
}

fn causes(diagnosis: &Diagnosis) -> Vec<(String, String, String)> {
    let is_telling = !matches!(
        diagnosis.verdict,
        VerdictKind::Healthy | VerdictKind::Unrecognised
    );
    diagnosis
        .causes
        .iter()
        .filter(|cause| is_telling && cause.probability >= 0.01)
        .take(MOST_CAUSES)
        .map(|cause| {
            let address = format!("/causes/{}", cause.id);
            (address, cause.title.to_string(), percent(cause.probability))
        })
        .collect()
}
