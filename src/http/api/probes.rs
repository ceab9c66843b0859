//! Probes: order one, read it, follow it, stop it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive};
use axum::response::{AppendHeaders, IntoResponse, Sse};
use futures_util::Stream;
use serde::Deserialize;

use super::super::Shared;
use super::super::caller::From;
use super::super::error::{JsonBody, Problem};
use crate::app::{Following, Happened, Job, ProbeRequest, Step};
use crate::json::{self, ProbeJson};

/// Proxies close streams on which nothing comes, most after a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A probe that is ordered.
#[derive(Deserialize)]
pub(in crate::http) struct Ordered {
    url: String,
    #[serde(default)]
    origin: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    subprotocols: Vec<String>,
    #[serde(default)]
    hold_seconds: u64,
    #[serde(default)]
    all: bool,
    #[serde(default)]
    case: Option<String>,
}

pub(in crate::http) async fn create(
    State(shared): State<Shared>,
    From(caller): From,
    JsonBody(ordered): JsonBody<Ordered>,
) -> Result<impl IntoResponse, Problem> {
    let request = ProbeRequest {
        url: ordered.url,
        origin: ordered.origin,
        headers: ordered.headers.into_iter().collect(),
        subprotocols: ordered.subprotocols,
        hold_seconds: ordered.hold_seconds,
        all: ordered.all,
        case: ordered.case,
        browser: None,
    };
    let job = shared.app.probe(request, caller).await?;
    let location = format!("/api/v1/probes/{}", job.id);
    Ok((
        StatusCode::ACCEPTED,
        AppendHeaders([(header::LOCATION, location)]),
        Json(as_json(&job)),
    ))
}

pub(in crate::http) async fn show(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    let job = shared.app.find_probe(&id)?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(as_json(&job))))
}

/// `DELETE /api/v1/probes/{id}`: stops it; the answer says how it stands then.
pub(in crate::http) async fn cancel(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<ProbeJson>, Problem> {
    let job = shared.app.cancel_probe(&id).await?;
    Ok(Json(as_json(&job)))
}

/// `GET /api/v1/probes/{id}/events`: what happens, and first what happened before.
pub(in crate::http) async fn events(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let job = shared.app.find_probe(&id)?;
    // A browser whose connection broke says what it has.
    let from = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok())
        .map_or(0, |last| last.saturating_add(1));
    let stream = Sse::new(stream(job.follow(from)))
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE).text("waiting"));
    // Proxies collect answers before they pass them on, unless they are told not to.
    let headers = [
        (header::CACHE_CONTROL.as_str(), "no-store"),
        ("x-accel-buffering", "no"),
    ];
    Ok((headers, stream))
}

fn stream(following: Following) -> impl Stream<Item = Result<Event, Infallible>> {
    futures_util::stream::unfold(following, |mut following| async {
        let happened = following.next().await?;
        let event = match happened {
            Happened::Step(number, step) => written(&step).id(number.to_string()),
            Happened::Done => json_event("done", &as_json(following.job())),
        };
        Some((Ok(event), following))
    })
}

fn written(step: &Step) -> Event {
    match step {
        Step::Began(kind) => json_event("began", &serde_json::json!({"stage": kind.as_str()})),
        Step::Stage(stage) => json_event("stage", &json::stage(stage)),
        Step::Variant(variant) => json_event("variant", &json::variant(variant)),
    }
}

fn json_event(name: &str, value: &impl serde::Serialize) -> Event {
    let event = Event::default().event(name);
    // These types always become JSON.
    event.json_data(value).unwrap_or_default()
}

fn as_json(job: &Job) -> ProbeJson {
    let (probe, diagnosis) = job.probe();
    json::probe(&probe, diagnosis.as_deref())
}
