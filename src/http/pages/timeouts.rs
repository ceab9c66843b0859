//! Limits of time: a page with all of them, and those that fit a case.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::super::Shared;
use super::markdown::is_safe_address;
use super::messages::Messages;
use super::{Page, respond, words};
use crate::engine::Diagnosis;
use crate::engine::graph::{Graph, Timeout};
use crate::engine::timeouts::{Match, by_length, in_words, of_length, typed_seconds};

/// A row of the table.
struct Row {
    id: String,
    length: String,
    title: String,
    kind: &'static str,
    side: &'static str,
    setting: String,
    versions: String,
    note: String,
    cause: Option<(String, String)>,
    source: Option<String>,
}

impl Row {
    fn of(t: &'static Messages, graph: &Graph, timeout: &Timeout) -> Self {
        Row {
            id: timeout.id.clone(),
            length: in_words(timeout.seconds),
            title: timeout.title.clone(),
            kind: t.get(words::timeout_kind(timeout.kind)),
            side: t.get(words::timeout_side(timeout.side)),
            setting: timeout.setting.clone(),
            versions: timeout.versions.clone(),
            note: timeout.note.clone(),
            cause: graph
                .cause(&timeout.cause)
                .map(|cause| (format!("/causes/{}", cause.id), cause.title.clone())),
            source: Some(timeout.source.clone()).filter(|source| is_safe_address(source)),
        }
    }
}

#[derive(Template)]
#[template(path = "pages/timeouts.html")]
struct TimeoutsPage {
    t: &'static Messages,
    page: Page,
    /// What was looked for, as it was typed.
    typed: String,
    /// Whether the table holds only what fits it.
    is_filtered: bool,
    rows: Vec<Row>,
}

/// Of which length.
#[derive(Deserialize)]
pub(in crate::http) struct Wanted {
    #[serde(default)]
    seconds: String,
}

/// `GET /timeouts?seconds=60`.
pub(in crate::http) async fn show(
    State(shared): State<Shared>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let t = Messages::english();
    let engine = shared.app.engine();
    let graph = engine.graph();
    let typed = wanted.seconds.trim();
    let seconds = typed_seconds(typed);
    let found = match seconds {
        Some(seconds) => of_length(&graph.timeouts, seconds),
        None => by_length(&graph.timeouts),
    };
    let page = TimeoutsPage {
        t,
        page: Page::of(&shared, t.get("timeouts.title")),
        is_filtered: seconds.is_some(),
        typed: typed.to_owned(),
        rows: found
            .into_iter()
            .map(|timeout| Row::of(t, graph, timeout))
            .collect(),
    };
    respond(StatusCode::OK, &page)
}

/// The limits that fit how long a case's connection lasted.
pub(super) struct CaseTimeouts {
    pub(super) heading: String,
    pub(super) rows: Vec<CaseTimeout>,
}

/// One of them.
pub(super) struct CaseTimeout {
    pub(super) title: String,
    pub(super) address: String,
    pub(super) length: String,
    pub(super) kind: &'static str,
    pub(super) setting: String,
    pub(super) remark: &'static str,
    pub(super) cause: Option<(String, String)>,
}

impl CaseTimeouts {
    /// `None` where nothing fits or the length is not known.
    pub(super) fn of(
        t: &'static Messages,
        graph: &Graph,
        case: &str,
        diagnosis: &Diagnosis,
    ) -> Option<Self> {
        let lasted = diagnosis
            .lasted
            .filter(|_| !diagnosis.timeouts.is_empty())?;
        let key = if lasted.opened {
            "timeouts.lived"
        } else {
            "timeouts.attempted"
        };
        let rows = diagnosis.timeouts.iter().map(|candidate| {
            let timeout = &candidate.timeout;
            CaseTimeout {
                title: timeout.title.clone(),
                address: format!("/timeouts#{}", timeout.id),
                length: in_words(timeout.seconds),
                kind: t.get(words::timeout_kind(timeout.kind)),
                setting: timeout.setting.clone(),
                remark: match candidate.matching {
                    Match::Named => t.get("timeouts.named"),
                    Match::Possible => "",
                    Match::Unlikely => t.get("timeouts.unlikely"),
                },
                cause: graph.cause(&timeout.cause).map(|cause| {
                    (
                        format!("/causes/{}?case={case}", cause.id),
                        cause.title.clone(),
                    )
                }),
            }
        });
        Some(CaseTimeouts {
            heading: t.with(key, "seconds", format!("{:.1}", lasted.seconds)),
            rows: rows.collect(),
        })
    }
}
