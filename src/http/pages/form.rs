//! The first page: one box that takes anything.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;

use super::super::Shared;
use super::error::PageError;
use super::fields::Fields;
use super::messages::Messages;
use super::{Page, respond, unlisted};
use crate::engine::Evidence;
use crate::engine::evidence::Context;

/// What may stand in front of a server: the value and its words.
const EDGES: [(&str, &str); 9] = [
    ("none", "edge.none"),
    ("nginx", "edge.nginx"),
    ("apache", "edge.apache"),
    ("haproxy", "edge.haproxy"),
    ("caddy", "edge.caddy"),
    ("traefik", "edge.traefik"),
    ("cloudflare", "edge.cloudflare"),
    ("aws", "edge.aws"),
    ("other", "edge.other"),
];
/// Where alone it may fail: the value and its words.
const PLACES: [(&str, &str); 4] = [
    ("company network", "place.company"),
    ("chrome", "place.browser"),
    ("mobile", "place.mobile"),
    ("vpn", "place.vpn"),
];
const WORKS: [(&str, &str); 3] = [
    ("", "works.unknown"),
    ("yes", "works.yes"),
    ("no", "works.no"),
];

#[derive(Template)]
#[template(path = "pages/form.html")]
struct FormPage {
    t: &'static Messages,
    page: Page,
    text: String,
    complaint: Option<&'static str>,
    edges: Vec<Choice>,
    works: Vec<Choice>,
    places: Vec<Choice>,
    seconds: String,
    /// How long a case is kept, in words.
    kept: String,
    /// Whether anything of the optional part was filled in.
    open: bool,
}

/// A box or a button that can be chosen.
struct Choice {
    value: &'static str,
    words: &'static str,
    chosen: bool,
}

impl FormPage {
    fn new(shared: &Shared, fields: &Fields) -> Self {
        let t = Messages::english();
        let choices = |known: &[(&'static str, &'static str)], name: &str| -> Vec<Choice> {
            known
                .iter()
                .map(|(value, key)| Choice {
                    value,
                    words: t.get(key),
                    chosen: fields.all(name).any(|chosen| chosen == *value),
                })
                .collect()
        };
        let mut works = choices(&WORKS, "works_locally");
        if !works.iter().any(|choice| choice.chosen) {
            works[0].chosen = true;
        }
        FormPage {
            t,
            page: Page::of(shared, t.get("form.title")),
            text: fields.get("text").to_owned(),
            complaint: None,
            edges: choices(&EDGES, "edge"),
            works,
            places: choices(&PLACES, "only_in"),
            seconds: fields.get("seconds").to_owned(),
            kept: t.with("form.kept", "days", shared.settings.retention_days),
            open: context(fields) != Context::default(),
        }
    }
}

/// `GET /`.
pub(in crate::http) async fn show(State(shared): State<Shared>) -> Response {
    respond(StatusCode::OK, &FormPage::new(&shared, &Fields::default()))
}

/// `POST /cases`: opens a case and leads to its page.
pub(in crate::http) async fn create(
    State(shared): State<Shared>,
    fields: Fields,
) -> Result<Response, PageError> {
    let text = fields.evidence_text();
    if text.trim().is_empty() {
        let page = FormPage {
            complaint: Some("form.empty"),
            ..FormPage::new(&shared, &fields)
        };
        return Ok(unlisted(respond(StatusCode::UNPROCESSABLE_ENTITY, &page)));
    }
    let evidence = Evidence {
        text: Some(text),
        context: context(&fields),
        ..Evidence::default()
    };
    let opened = shared.app.open_case(evidence, Timestamp::now()).await?;
    Ok(Redirect::to(&format!("/cases/{}", opened.case.id)).into_response())
}

/// What the optional part says of the situation.
fn context(fields: &Fields) -> Context {
    let known = |name: &str, choices: &[(&str, &str)]| -> Vec<String> {
        fields
            .all(name)
            .filter(|chosen| choices.iter().any(|(value, _)| value == chosen))
            .map(str::to_owned)
            .collect()
    };
    Context {
        edge: known("edge", &EDGES),
        works_locally: match fields.get("works_locally") {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        },
        fails_after_seconds: fields
            .get("seconds")
            .trim()
            .replace(',', ".")
            .parse()
            .ok()
            .filter(|seconds: &f64| seconds.is_finite() && *seconds >= 0.0),
        only_in: known("only_in", &PLACES),
        since: None,
        ..Context::default()
    }
}
