//! `wsdoctor explain WHAT`: a code, an error's name, a cause, a symptom, a check, advice or a
//! duration.

use std::process::ExitCode;

use crate::engine::evidence;
use crate::engine::graph::{Graph, Timeout};
use crate::engine::knowledge::read;
use crate::engine::near::near_names;
use crate::engine::timeouts::{in_words, of_length};
use crate::store::files;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Such as 1006, ECONNREFUSED, 502, proxy-idle-timeout; or a duration such as 60s
    #[arg(allow_hyphen_values = true)]
    what: String,
}

/// At most that many near names are offered.
const MOST_NEAR: usize = 5;

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let graph = read(&files::shipped()).graph;
    let pages = pages(&graph, arguments.what.trim());
    if pages.is_empty() {
        eprintln!("wsdoctor: {:?} is not known", arguments.what);
        let near = near(&graph, &arguments.what);
        if !near.is_empty() {
            eprintln!("Near names: {}", near.join(", "));
        }
        return ExitCode::FAILURE;
    }
    println!("{}", pages.join("\n\n"));
    ExitCode::SUCCESS
}

/// Everything that bears the name; numbers are shared between families.
fn pages(graph: &Graph, what: &str) -> Vec<String> {
    let mut pages = Vec::new();
    for code in graph.codes_meant(what) {
        let mut page = format!("{} ({})\n\n{}", code.title, code.family, code.text.trim());
        for id in &code.causes {
            if let Some(cause) = graph.cause(id) {
                page.push_str(&format!("\n- {} [{id}]", cause.title));
            }
        }
        pages.push(page);
    }
    let id = what.to_lowercase();
    if let Some(cause) = graph.cause(&id) {
        pages.push(format!("{}\n\n{}", cause.title, cause.body));
    }
    if let Some(symptom) = graph.symptom(&id) {
        let mut page = format!("Seen: {}\n", symptom.title);
        for cause in &graph.causes {
            if let Some(frequency) = cause.symptoms.get(&id) {
                page.push_str(&format!(
                    "\n- {}: {} [{}]",
                    frequency.as_str(),
                    cause.title,
                    cause.id
                ));
            }
        }
        pages.push(page);
    }
    if let Some(check) = graph.check(&id) {
        pages.push(format!("{}\n\n{}", check.title, check.instruction));
    }
    if let Some(advice) = graph.advice(&id) {
        pages.push(format!(
            "{}\n\n{}\n\n{}",
            advice.title, advice.summary, advice.body
        ));
    }
    if let Some(timeout) = graph.timeouts.iter().find(|timeout| timeout.id == id) {
        pages.push(timeout_entry(timeout));
    }
    pages.extend(timeouts(graph, &id));
    pages
}

/// The limits of a length such as "60s" or "4 minutes".
fn timeouts(graph: &Graph, what: &str) -> Option<String> {
    if !what.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let seconds = evidence::seconds(what)?;
    let found = of_length(&graph.timeouts, seconds);
    if found.is_empty() {
        return None;
    }
    let entries: Vec<String> = found.into_iter().map(timeout_entry).collect();
    Some(format!(
        "Limits of {}:\n\n{}",
        in_words(seconds),
        entries.join("\n")
    ))
}

fn timeout_entry(timeout: &Timeout) -> String {
    let mut entry = format!(
        "- {}: {} ({}, {}) [{}]",
        timeout.title,
        in_words(timeout.seconds),
        timeout.kind.as_str(),
        timeout.side.as_str(),
        timeout.cause
    );
    let setting = if timeout.setting.is_empty() {
        "fixed"
    } else {
        &timeout.setting
    };
    entry.push_str(&format!("\n    {setting}"));
    if !timeout.note.is_empty() {
        entry.push_str(&format!("\n    {}", timeout.note));
    }
    entry
}

/// Names that people may have meant.
fn near(graph: &Graph, what: &str) -> Vec<String> {
    let names = (graph.codes.iter().map(|code| code.id.as_str()))
        .chain(graph.causes.iter().map(|cause| cause.id.as_str()))
        .chain(graph.advice.iter().map(|advice| advice.id.as_str()))
        .chain(graph.checks.iter().map(|check| check.id.as_str()));
    near_names(what, names, MOST_NEAR)
        .into_iter()
        .map(str::to_owned)
        .collect()
}
