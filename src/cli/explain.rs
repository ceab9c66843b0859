//! `wsdoctor explain WHAT`: a code, an error's name, a cause, a symptom, a check or advice.

use std::process::ExitCode;

use crate::engine::graph::Graph;
use crate::engine::knowledge::read;
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
        let near = near_names(&graph, &arguments.what);
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

/// Names that differ by little, nearest first.
pub(crate) fn near_names(graph: &Graph, what: &str) -> Vec<String> {
    let what = what.to_lowercase();
    let mut names: Vec<&str> = graph
        .codes
        .iter()
        .map(|code| code.id.as_str())
        .chain(graph.causes.iter().map(|cause| cause.id.as_str()))
        .chain(graph.advice.iter().map(|advice| advice.id.as_str()))
        .chain(graph.checks.iter().map(|check| check.id.as_str()))
        .collect();
    names.sort_unstable();
    names.dedup();
    let mut near: Vec<(usize, &str)> = names
        .into_iter()
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let distance = if what.len() >= 3 && lower.contains(&what) {
                1
            } else {
                distance(&what, &lower)
            };
            (distance <= 1 + what.len() / 4).then_some((distance, name))
        })
        .collect();
    near.sort_unstable();
    near.into_iter()
        .take(MOST_NEAR)
        .map(|(_, name)| name.to_owned())
        .collect()
}

/// How many letters must be changed, added or left out (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(100).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().take(100).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn distances() {
        assert_eq!(distance("econrefused", "econnrefused"), 1);
        assert_eq!(distance("", "abc"), 3);
    }
}
