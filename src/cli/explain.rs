//! `wsdoctor explain WHAT`: a code, an error's name, a cause, a symptom, a check or advice.

use std::process::ExitCode;

use crate::engine::graph::Graph;
use crate::engine::knowledge::read;
use crate::engine::near::near_names;
use crate::store::files;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Such as 1006, ECONNREFUSED, 502, proxy-idle-timeout
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
    for code in graph.codes(what) {
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
    pages
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
