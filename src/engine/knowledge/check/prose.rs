//! Prose: links lead somewhere, code names its language.

use super::super::super::graph::Graph;
use super::Places;

/// Code names its language, so that it can be shown and checked as what it is.
pub(super) fn check_fences(places: &mut Places<'_>) {
    let read = places.read;
    for (file, text) in &read.texts {
        if !file.ends_with(".md") {
            continue;
        }
        let front = text.strip_prefix("+++\n");
        let prose = front.map_or(Some(text.as_str()), |rest| {
            rest.split_once("\n+++\n").map(|(_, prose)| prose)
        });
        let Some(prose) = prose else {
            continue;
        };
        let mut is_open = false;
        let mut lines = prose.lines().peekable();
        while let Some(line) = lines.next() {
            let Some(language) = line.trim_start().strip_prefix("```") else {
                continue;
            };
            is_open = !is_open;
            if is_open && language.trim().is_empty() {
                let needle = format!("{line}\n{}", lines.peek().unwrap_or(&""));
                let message =
                    "a fence without a language: write ```sh, ```text or another behind it";
                places.warning(file, &needle, message.to_owned());
            }
        }
    }
}

/// Links in prose to pages of our own must lead somewhere.
pub(super) fn check_links_in_prose(graph: &Graph, places: &mut Places<'_>) {
    let causes = graph
        .causes
        .iter()
        .map(|cause| (format!("causes/{}.md", cause.id), &cause.body));
    let advice = graph
        .advice
        .iter()
        .map(|advice| (format!("advice/{}.md", advice.id), &advice.body));
    for (file, body) in causes.chain(advice) {
        for part in body.split("](/").skip(1) {
            let target = part.split([')', '#', ' ']).next().unwrap_or_default();
            let known = match target.split_once('/') {
                Some(("causes", id)) => graph.cause(id).is_some(),
                Some(("advice", id)) => graph.advice(id).is_some(),
                Some(("codes", id)) => graph.codes(id).next().is_some(),
                Some(("symptoms", id)) => graph.symptom(id).is_some(),
                _ => matches!(target, "check" | "search" | "timeouts" | ""),
            };
            if !known {
                places.error(
                    &file,
                    target,
                    format!("the link to /{target} leads nowhere"),
                );
            }
        }
    }
    for entry in &graph.advice {
        for cause in &entry.causes {
            if graph.cause(cause).is_none() {
                places.error(
                    &format!("advice/{}.md", entry.id),
                    cause,
                    format!("cause {cause:?} is not defined"),
                );
            }
        }
    }
    for code in &graph.codes {
        for cause in &code.causes {
            if graph.cause(cause).is_none() {
                places.error(
                    &format!("codes/{}.toml", code.group),
                    &code.id,
                    format!(
                        "code {:?} points to the cause {cause:?}, which is not defined",
                        code.id
                    ),
                );
            }
        }
    }
}
