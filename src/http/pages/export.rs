//! A case as Markdown, for a ticket or a chat. Nothing of it is live there: text from the paste
//! stands in fences, everything else is escaped.

use std::fmt::Write as _;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::super::Shared;
use super::error::PageError;
use super::markdown::{code_span, fenced, literal, quoted};
use super::messages::Messages;
use super::{case, unlisted, words};
use crate::engine::Diagnosis;
use crate::engine::diagnosis::VerdictKind;

/// Of a text so much is quoted, in bytes.
const LONGEST_TEXT: usize = 20_000;

/// `GET /cases/{id}/markdown`.
pub(in crate::http) async fn show(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let found = shared.app.case(&id).await?;
    let base = shared.settings.public_url.as_deref().unwrap_or_default();
    let address = format!("{}/cases/{id}", base.trim_end_matches('/'));
    let document = document(Messages::english(), &found.diagnosis, &address);
    let headers = [(header::CONTENT_TYPE, "text/markdown; charset=utf-8")];
    Ok(unlisted((headers, document).into_response()))
}

fn document(t: &Messages, diagnosis: &Diagnosis, address: &str) -> String {
    let mut out = format!("# {}\n\n", literal(&case::verdict(t, diagnosis)));
    // Writing to a string does not fail.
    let _ = writeln!(out, "{}\n", literal(&case::story(t, diagnosis).join(" ")));
    if let Some(url) = diagnosis.subject.url() {
        let _ = writeln!(
            out,
            "{} {}\n",
            literal(t.get("case.address")),
            code_span(&url)
        );
    }
    for stop in &diagnosis.path {
        let name = t.get(words::layer(stop.layer));
        let state = t.get(words::state(stop.state));
        let detail = if stop.detail.is_empty() {
            String::new()
        } else {
            format!(" {}", code_span(&stop.detail))
        };
        let _ = writeln!(
            out,
            "- {} {}: {}{detail}",
            words::sign(stop.state),
            literal(name),
            literal(state)
        );
    }
    let step = &diagnosis.next_step;
    let _ = writeln!(
        out,
        "\n## {}\n\n**{}** ({}, {})\n\n{}\n",
        literal(t.get("step.heading")),
        literal(&step.title),
        literal(&words::minutes(t, step.minutes)),
        literal(t.get(words::who(step.who))),
        quoted(&step.instruction),
    );
    for (system, command) in &step.commands {
        let _ = writeln!(
            out,
            "{}\n\n{}",
            literal(&words::system(t, system)),
            fenced(command)
        );
    }
    if diagnosis.verdict != VerdictKind::Unrecognised {
        causes(t, diagnosis, &mut out);
    }
    let _ = writeln!(out, "## {}\n", literal(t.get("paste.heading")));
    for text in diagnosis.texts.iter().filter(|text| !text.is_empty()) {
        let mut end = text.len().min(LONGEST_TEXT);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let _ = writeln!(out, "{}", fenced(&text[..end]));
        if end < text.len() {
            let _ = writeln!(
                out,
                "{}\n",
                literal(&t.with("paste.omitted", "bytes", text.len() - end))
            );
        }
    }
    if let Some(secrets) = words::secrets(t, &diagnosis.redacted) {
        let _ = writeln!(out, "{}\n", literal(&secrets));
    }
    let _ = writeln!(
        out,
        "{} {}, {}",
        literal(t.get("case.page")),
        code_span(address),
        literal(&t.fill(
            "common.knowledge",
            &[
                ("version", &diagnosis.knowledge.version),
                ("hash", &diagnosis.knowledge.hash)
            ],
        )),
    );
    out
}

fn causes(t: &Messages, diagnosis: &Diagnosis, out: &mut String) {
    let _ = writeln!(out, "## {}\n", literal(t.get("causes.likely")));
    for cause in diagnosis.causes.iter().take(5) {
        let percent = words::percent(cause.probability);
        let _ = writeln!(
            out,
            "- **{}**: {}",
            literal(&cause.title),
            literal(&percent)
        );
        for reason in &cause.reasons {
            let strength = t.get(words::strength(reason.speaks_for, reason.weight));
            let line = reason
                .fact
                .and_then(|fact| diagnosis.facts[fact].place)
                .map(|(line, _)| format!(" ({})", t.with("source.line", "line", line)))
                .unwrap_or_default();
            let _ = writeln!(
                out,
                "  - {}: {}{}",
                literal(strength),
                literal(&reason.title),
                literal(&line)
            );
        }
    }
    let other = words::percent(diagnosis.other_probability);
    let _ = writeln!(
        out,
        "- {}: {}\n",
        literal(t.get("causes.other")),
        literal(&other)
    );
}
