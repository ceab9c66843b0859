//! Ids: well formed, each given once, and the name of the file where an entry has one of its own.

use std::collections::BTreeMap;

use super::super::super::graph::Graph;
use super::Places;

pub(super) fn check_ids(graph: &Graph, places: &mut Places<'_>) {
    let mut seen: BTreeMap<(&str, String), String> = BTreeMap::new();
    let symptoms = graph.symptoms.iter().map(|s| {
        (
            "symptom",
            s.id.clone(),
            format!("symptoms/{}.toml", s.group),
        )
    });
    let patterns = graph.patterns().map(|(system, p)| {
        (
            "pattern",
            p.id.clone(),
            format!("patterns/{}.toml", system.system),
        )
    });
    let causes = graph
        .causes
        .iter()
        .map(|c| ("cause", c.id.clone(), format!("causes/{}.md", c.id)));
    let checks = graph
        .checks
        .iter()
        .map(|c| ("check", c.id.clone(), format!("checks/{}.toml", c.group)));
    let codes = graph.codes.iter().map(|c| {
        (
            "code",
            format!("{}/{}", c.family, c.id),
            format!("codes/{}.toml", c.group),
        )
    });
    let advice = graph
        .advice
        .iter()
        .map(|a| ("advice", a.id.clone(), format!("advice/{}.md", a.id)));
    let timeouts = graph.timeouts.iter().map(|t| {
        (
            "timeout",
            t.id.clone(),
            format!("timeouts/{}.toml", t.group),
        )
    });
    for (kind, id, file) in symptoms
        .chain(patterns)
        .chain(causes)
        .chain(checks)
        .chain(codes)
        .chain(advice)
        .chain(timeouts)
    {
        if kind != "code" && !is_well_formed(&id) {
            places.error(
                &file,
                &id,
                format!("the id {id:?} must be lower case words joined by hyphens"),
            );
        }
        if matches!(kind, "cause" | "advice") && !places.read.texts.contains_key(&file) {
            places.error(
                &file,
                &id,
                format!("the {kind} {id:?} must stand in a file of that name"),
            );
        }
        if let Some(other) = seen.insert((kind, id.clone()), file.clone()) {
            places.error(
                &file,
                &id,
                format!("the {kind} {id:?} is already defined in {other}: choose another id"),
            );
        }
    }
}

fn is_well_formed(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= 80
        && id.split('-').all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.')
        })
}
