//! Each pattern against its own examples and near misses, and its facts against the vocabulary.

use std::collections::{BTreeSet, HashMap};

use super::super::super::graph::{Graph, Pattern, System};
use super::super::super::literals::requirements;
use super::super::super::matching;
use super::Places;
use super::symptoms::{complaint_about_fact, vocabulary};

pub(super) fn check_patterns(graph: &Graph, places: &mut Places<'_>) {
    let keys = vocabulary(graph);
    let mut wordings: HashMap<(&str, &str), &str> = HashMap::new();
    for (system, pattern) in graph.patterns() {
        let file = format!("patterns/{}.toml", system.system);
        if let Some(other) = wordings.insert((&pattern.regex, pattern.hop.as_str()), &pattern.id) {
            places.error(
                &file,
                &pattern.id,
                format!(
                    "pattern {:?} has the same wording as {other:?}: keep one of them",
                    pattern.id
                ),
            );
        }
        let facts = system.facts.iter().chain(&pattern.facts);
        for (key, value) in facts.chain(&pattern.negated) {
            if let Some(complaint) = complaint_about_fact(&keys, key, value) {
                places.error(
                    &file,
                    &pattern.id,
                    format!("pattern {:?}: {complaint}", pattern.id),
                );
            }
        }
        check_pattern(pattern, &file, places);
        check_origin(system, pattern, &file, places);
    }
}

/// Vendors' words have a source, of their own or their system's; people's words have none, and only
/// theirs are negated.
fn check_origin(system: &System, pattern: &Pattern, file: &str, places: &mut Places<'_>) {
    let id = &pattern.id;
    if pattern.source.is_empty() && system.source.is_empty() && !system.spoken {
        places.warning(file, id, format!("pattern {id:?} names no source"));
    }
    if pattern.negated.values().any(|value| value.starts_with('$')) {
        let message = format!("pattern {id:?}: what `negated` tells are words, not captures");
        places.error(file, id, message);
    }
    if !pattern.negated.is_empty() && !system.spoken {
        places.error(
            file,
            id,
            format!("pattern {id:?} has `negated`, which only spoken words have: say `spoken = true` above the patterns, or leave it out"),
        );
    }
}

fn check_pattern(pattern: &Pattern, file: &str, places: &mut Places<'_>) {
    let id = &pattern.id;
    let regex = match matching::compile(&pattern.regex) {
        Ok(regex) => regex,
        Err(error) => {
            let message = error.to_string().replace('\n', " ");
            places.error(file, id, format!("pattern {id:?}: {message}"));
            return;
        }
    };
    if requirements(&pattern.regex).is_empty() {
        places.error(file, id, format!(
            "pattern {id:?} requires no literal text of three characters or more: write a word that always stands there"
        ));
    }
    if regex.is_match("") {
        places.error(file, id, format!("pattern {id:?} matches the empty text"));
    }
    if pattern.facts.is_empty() {
        places.error(file, id, format!("pattern {id:?} yields no facts"));
    }
    let names: BTreeSet<&str> = regex.capture_names().flatten().collect();
    for (key, value) in &pattern.facts {
        if let Some(name) = matching::capture_name(value)
            && !names.contains(name)
        {
            places.error(
                file,
                id,
                format!(
                    "pattern {id:?}: {key} uses ${name}, but the expression has no (?P<{name}>..)"
                ),
            );
        }
    }
    for value in pattern.facts.values() {
        if let Some((_, operation)) = value.split_once(':')
            && value.starts_with('$')
            && operation != "seconds"
        {
            places.error(
                file,
                id,
                format!("pattern {id:?}: {value:?} is not known: write \"$name:seconds\" for a duration in words"),
            );
        }
    }
    for example in &pattern.examples {
        if !matching::matches_somewhere(pattern, &regex, example) {
            places.error(
                file,
                id,
                format!("pattern {id:?} does not match its example {example:?}"),
            );
        }
    }
    for near_miss in &pattern.near_misses {
        if matching::matches_somewhere(pattern, &regex, near_miss) {
            places.error(
                file,
                id,
                format!("pattern {id:?} matches its near miss {near_miss:?}"),
            );
        }
    }
    if pattern.examples.is_empty() {
        places.warning(file, id, format!("pattern {id:?} has no example"));
    }
    if pattern.near_misses.is_empty() {
        places.warning(file, id, format!("pattern {id:?} has no near miss"));
    }
}
