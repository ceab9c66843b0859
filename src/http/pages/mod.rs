//! Pages for people: extractors, one use case, one template each.
//!
//! - [`form`]: the first page; [`fields`]: what forms send.
//! - [`case`]: a case's page; [`marks`]: the paste with what was read marked in it.
//! - [`probe`]: a probe's page; [`self_test`]: the user's own browser opens the socket.
//! - [`knowledge`]: causes, symptoms, codes, advice, checks, search; [`timeouts`]: limits of time.
//! - [`markdown`]: the one place where text becomes HTML; [`messages`]: every text by its key.

mod assets;
mod case;
mod error;
mod fields;
mod form;
mod headers;
mod knowledge;
mod markdown;
mod marks;
mod messages;
mod probe;
mod self_test;
mod timeouts;
mod words;

use std::fmt::Display;

use askama::Template;
use askama::filters::HtmlSafe;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;

pub(super) use error::not_found;
pub(super) use headers::{is_foreign, security_headers};

use super::Shared;
use crate::report::is_bidirectional;
use messages::Messages;

/// The routes for people.
pub(super) fn routes(shared: &Shared) -> Router<Shared> {
    let settings = &shared.settings;
    // A form's encoding makes a text up to three times as long.
    let largest = settings
        .maximum_upload_bytes
        .max(settings.maximum_text_bytes.saturating_mul(3));
    let evidence = Router::new()
        .route("/cases", post(form::create))
        .route("/cases/{id}/evidence", post(case::add_evidence))
        .layer(DefaultBodyLimit::max(largest));
    Router::new()
        .merge(evidence)
        .route("/", get(form::show))
        .route("/cases/{id}", get(case::show))
        .route("/cases/{id}/answers", post(case::answer))
        .route(
            "/cases/{id}/answers/{answer}/take-back",
            post(case::take_back),
        )
        .route("/cases/{id}/can", post(case::can))
        .route("/cases/{id}/outcome", get(case::closing).post(case::close))
        .route("/cases/{id}/why", get(case::ask_why))
        .route("/cases/{id}/why/{cause}", get(case::why))
        .route("/cases/{id}/handover", get(case::handover))
        .route("/cases/{id}/handover.md", get(case::handover_markdown))
        .route("/cases/{id}/handover.json", get(case::handover_json))
        .route("/cases/{id}/markdown", get(case::markdown))
        .route("/cases/{id}/probes", post(probe::create))
        .route("/check", get(self_test::show).post(self_test::take))
        .route("/check/echo", get(super::echo::open))
        .route("/probes/{id}", get(probe::show))
        .route("/probes/{id}/cancel", post(probe::cancel))
        .route("/causes", get(knowledge::causes))
        .route("/causes/{id}", get(knowledge::cause))
        .route("/symptoms/{id}", get(knowledge::symptom))
        .route("/codes", get(knowledge::codes))
        .route("/codes/{code}", get(knowledge::code))
        .route("/advice", get(knowledge::all_advice))
        .route("/advice/{id}", get(knowledge::advice))
        .route("/checks/{id}", get(knowledge::check))
        .route("/timeouts", get(timeouts::show))
        .route("/search", get(knowledge::search))
        .route("/assets/{name}", get(assets::show))
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(middleware::from_fn_with_state(
            shared.clone(),
            headers::same_site_posts,
        ))
}

/// What the layout of every page shows.
struct Page {
    /// In the browser's tab.
    title: String,
    /// Not for search engines.
    private: bool,
    /// The words of the search box.
    query: String,
    /// Version and hash of the knowledge in words, where it is known.
    knowledge: Option<String>,
    assets: &'static assets::Addresses,
}

impl Page {
    fn new(title: impl Into<String>) -> Self {
        Page {
            title: title.into(),
            private: false,
            query: String::new(),
            knowledge: None,
            assets: assets::Addresses::get(),
        }
    }

    /// With the knowledge that is in use in the footer.
    fn of(shared: &Shared, title: impl Into<String>) -> Self {
        let engine = shared.app.engine();
        let values: [(&str, &dyn Display); 2] = [
            ("version", &env!("CARGO_PKG_VERSION")),
            ("hash", &engine.hash()),
        ];
        Page {
            knowledge: Some(Messages::english().fill("common.knowledge", &values)),
            ..Page::new(title)
        }
    }

    fn private(mut self) -> Self {
        self.private = true;
        self
    }
}

/// A command for each system, each with its own name.
#[derive(Template)]
#[template(path = "parts/commands.html")]
struct Commands {
    commands: Vec<Command>,
}

/// Renders through the template engine, which escaped what was not safe.
impl HtmlSafe for Commands {}

struct Command {
    system: String,
    text: String,
    open: bool,
}

impl Commands {
    fn new(
        t: &Messages,
        commands: &std::collections::BTreeMap<String, String>,
        preferred: &str,
    ) -> Self {
        let position = commands.keys().position(|system| system == preferred);
        let commands = commands
            .iter()
            .enumerate()
            .map(|(at, (system, text))| Command {
                system: words::system(t, system),
                text: text.clone(),
                open: at == position.unwrap_or(0),
            })
            .collect();
        Commands { commands }
    }
}

/// A page as an answer.
fn respond(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(in_reading_order(html))).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Without the characters of a paste that turn the order of the text around them, and without NUL,
/// which is no HTML. The template engine's escaping lets both pass.
fn in_reading_order(html: String) -> String {
    let turns = |letter: char| letter == '\0' || is_bidirectional(letter);
    if html.contains(turns) {
        html.replace(turns, "\u{fffd}")
    } else {
        html
    }
}

/// An answer that nobody keeps and no search engine lists: whoever knows a case's address may read it.
fn unlisted(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        "x-robots-tag",
        HeaderValue::from_static("noindex, nofollow"),
    );
    response
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use regex::Regex;

    fn templates(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).expect("folder") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                templates(&path, found);
            } else {
                let text = std::fs::read_to_string(&path).expect("template");
                found.push((path.display().to_string(), text));
            }
        }
    }

    /// The engine escapes what it prints, which is enough only between elements and inside quotes.
    #[test]
    fn templates_leave_no_way_in() {
        let mut found = Vec::new();
        templates(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("templates"),
            &mut found,
        );
        assert!(found.len() > 10);
        let tag = Regex::new(r"<[a-zA-Z][^<>]*>").expect("regex");
        let print = Regex::new(r"\{\{.*?\}\}|\{%.*?%\}").expect("regex");
        let quoted = Regex::new(r#""[^"]*""#).expect("regex");
        let unquoted = Regex::new(r#"=\s*[^"\s>]"#).expect("regex");
        let handler = Regex::new(r"(?i)\s(on[a-z]+|style|srcdoc)\s*=").expect("regex");
        for (name, text) in found {
            assert!(
                !text.contains("|safe") && !text.contains("| safe"),
                "{name}: |safe"
            );
            assert!(!text.contains("autoescape"), "{name}: autoescape");
            assert!(
                !text.contains("<script>") && !text.contains("<style"),
                "{name}: inline script or style"
            );
            // Comparisons inside braces are no attributes.
            let plain = print.replace_all(&text, "x");
            for element in tag.find_iter(&plain) {
                let outside = quoted.replace_all(element.as_str(), "\"\"");
                assert!(
                    !unquoted.is_match(&outside),
                    "{name}: unquoted attribute in {outside}"
                );
                assert!(
                    !handler.is_match(&outside),
                    "{name}: handler or style in {outside}"
                );
            }
        }
    }
}
