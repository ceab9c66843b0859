//! The curator's compiler: references between entries, form of ids, patterns against their own
//! examples.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::graph::{Cause, Graph, Pattern, Predicate, System};
use super::super::literals::requirements;
use super::super::matching;
use super::{Problem, Read, Severity, line_of_offset, timeouts};

/// Where an entry stands, for messages.
struct Places<'a> {
    read: &'a Read,
    problems: Vec<Problem>,
}

impl Places<'_> {
    fn add(&mut self, severity: Severity, file: &str, needle: &str, message: String) {
        let line = self
            .read
            .texts
            .get(file)
            .and_then(|text| text.find(needle).map(|at| line_of_offset(text, at)))
            .unwrap_or(0);
        self.problems.push(Problem {
            file: file.to_owned(),
            line,
            severity,
            message,
        });
    }

    fn error(&mut self, file: &str, needle: &str, message: String) {
        self.add(Severity::Error, file, needle, message);
    }

    fn warning(&mut self, file: &str, needle: &str, message: String) {
        self.add(Severity::Warning, file, needle, message);
    }
}

/// Checks what was read: references between entries, form of ids, patterns against their own
/// examples. What needs a whole diagnosis (the entries' own tests) is the engine's part.
pub fn check(read: &Read) -> Vec<Problem> {
    let graph = &read.graph;
    let mut places = Places {
        read,
        problems: read.problems.clone(),
    };
    check_ids(graph, &mut places);
    check_symptoms(graph, &mut places);
    check_patterns(graph, &mut places);
    check_causes(graph, &mut places);
    check_checks(graph, &mut places);
    check_timeouts(graph, &mut places);
    check_links_in_prose(graph, &mut places);
    check_fences(&mut places);
    places.problems.sort();
    places.problems.dedup();
    places.problems
}

fn check_ids(graph: &Graph, places: &mut Places<'_>) {
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

fn check_symptoms(graph: &Graph, places: &mut Places<'_>) {
    let linked: BTreeSet<&str> = graph
        .causes
        .iter()
        .flat_map(|cause| cause.symptoms.keys().map(String::as_str))
        .collect();
    for symptom in &graph.symptoms {
        let file = format!("symptoms/{}.toml", symptom.group);
        if symptom.stage.is_some() != symptom.state.is_some() {
            places.error(
                &file,
                &symptom.id,
                format!(
                    "symptom {:?} needs both stage and state, or neither",
                    symptom.id
                ),
            );
        }
        if let Some(general) = &symptom.refines
            && graph.symptom(general).is_none()
        {
            places.error(
                &file,
                &symptom.id,
                format!(
                    "symptom {:?} refines {general:?}, which is not defined",
                    symptom.id
                ),
            );
        }
        if symptom.refines.as_ref() == Some(&symptom.id) {
            places.error(
                &file,
                &symptom.id,
                format!("symptom {:?} refines itself", symptom.id),
            );
        }
        if symptom.otherwise.is_none()
            && symptom.stage.is_none()
            && !linked.contains(symptom.id.as_str())
        {
            places.warning(&file, &symptom.id, format!(
                "no cause speaks of symptom {:?}: link it from a cause, or say how often it is seen with `otherwise`",
                symptom.id
            ));
        }
    }
}

/// The keys that any symptom speaks of, and the literal values where all are listed.
fn vocabulary(graph: &Graph) -> BTreeMap<String, Option<BTreeSet<String>>> {
    fn visit(predicate: &Predicate, into: &mut BTreeMap<String, Option<BTreeSet<String>>>) {
        match predicate {
            Predicate::All { all: parts } | Predicate::Any { any: parts } => {
                for part in parts {
                    visit(part, into);
                }
            }
            Predicate::Is { key, is, .. } => add(key, std::slice::from_ref(is), into),
            Predicate::In { key, r#in, .. } => add(key, r#in, into),
            Predicate::Within { key, .. } => {
                into.insert(key.clone(), None);
            }
        }
    }
    fn add(key: &str, values: &[String], into: &mut BTreeMap<String, Option<BTreeSet<String>>>) {
        if let Some(known) = into
            .entry(key.to_owned())
            .or_insert_with(|| Some(BTreeSet::new()))
        {
            known.extend(values.iter().cloned());
        }
    }
    let mut keys = BTreeMap::new();
    for symptom in &graph.symptoms {
        visit(&symptom.when, &mut keys);
    }
    keys
}

/// Keys that are shown to people or used in commands, and that no symptom needs to speak of.
const DISPLAY_KEYS: &[&str] = &[
    "client.engine",
    "client.library",
    "client.runtime",
    "server.library",
    "edge.product",
    "close.reason",
    "handshake.location",
    "handshake.status",
    "close.code",
    "url.host",
    "url.port",
    "url.path",
    "url.scheme",
    "page.url",
    "page.scheme",
    "page.host",
    "open.seconds",
    "handshake.seconds",
    "tcp.address",
];

/// Checks one fact against the vocabulary; the answer is the complaint.
fn complaint_about_fact(
    keys: &BTreeMap<String, Option<BTreeSet<String>>>,
    key: &str,
    value: &str,
) -> Option<String> {
    if DISPLAY_KEYS.contains(&key) || value.starts_with('$') {
        return (!DISPLAY_KEYS.contains(&key) && !keys.contains_key(key))
            .then(|| format!("no symptom speaks of the fact {key:?}"));
    }
    match keys.get(key) {
        None => Some(format!("no symptom speaks of the fact {key:?}")),
        Some(Some(values)) if !values.contains(value) => {
            let known: Vec<&str> = values.iter().map(String::as_str).collect();
            Some(format!(
                "no symptom speaks of {key} = {value:?}; write one of {}",
                known.join(", ")
            ))
        }
        _ => None,
    }
}

fn check_patterns(graph: &Graph, places: &mut Places<'_>) {
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

fn check_causes(graph: &Graph, places: &mut Places<'_>) {
    for cause in &graph.causes {
        let file = format!("causes/{}.md", cause.id);
        for symptom in cause.symptoms.keys() {
            if graph.symptom(symptom).is_none() {
                places.error(
                    &file,
                    symptom,
                    format!("symptom {symptom:?} is not defined in symptoms/"),
                );
            }
        }
        for check in &cause.checks {
            if graph.check(check).is_none() {
                places.error(
                    &file,
                    check,
                    format!("check {check:?} is not defined in checks/"),
                );
            }
        }
        check_family(graph, cause, &file, places);
        if let Some(fix) = &cause.fix
            && !matches!(fix.verify.as_str(), "probe" | "paste")
            && graph.check(&fix.verify).is_none()
        {
            places.error(
                &file,
                "verify",
                format!(
                    "verify = {:?} must be \"probe\", \"paste\" or the id of a check",
                    fix.verify
                ),
            );
        }
        for reference in &cause.references {
            if !reference.starts_with("https://") && !reference.starts_with("http://") {
                places.error(
                    &file,
                    reference,
                    format!("reference {reference:?} must be an https address"),
                );
            }
        }
        warn_about_gaps(cause, &file, places);
    }
}

fn check_family(graph: &Graph, cause: &Cause, file: &str, places: &mut Places<'_>) {
    if cause.parent.is_some() != cause.share.is_some() {
        places.error(
            file,
            "parent",
            "a narrower cause has both parent and share".to_owned(),
        );
    }
    if let Some(share) = cause.share
        && !(share > 0.0 && share < 1.0)
    {
        places.error(
            file,
            "share",
            format!("share = {share} must lie between 0 and 1"),
        );
    }
    if let Some(parent) = &cause.parent {
        match graph.cause(parent) {
            None => places.error(file, "parent", format!("parent {parent:?} is not a cause")),
            Some(parent) if parent.parent.is_some() => places.error(
                file,
                "parent",
                format!(
                    "parent {:?} is itself a narrower cause: families have two levels",
                    parent.id
                ),
            ),
            Some(_) => {}
        }
    }
    let shares: f64 = graph
        .causes
        .iter()
        .filter(|other| other.parent.as_ref() == Some(&cause.id))
        .filter_map(|other| other.share)
        .sum();
    if shares > 0.95 {
        places.error(file, "id", format!(
            "the shares of the narrower causes of {:?} add up to {shares:.2}: leave at least 0.05", cause.id
        ));
    }
}

fn warn_about_gaps(cause: &Cause, file: &str, places: &mut Places<'_>) {
    let mut gaps = Vec::new();
    if cause.symptoms.is_empty() && cause.parent.is_none() {
        gaps.push("a symptom");
    }
    if cause.shows_at.is_empty() {
        gaps.push("shows_at");
    }
    if cause.checks.is_empty() {
        gaps.push("a check");
    }
    if cause.fix.is_none() {
        gaps.push("[fix] with its verification");
    }
    if cause.references.is_empty() {
        gaps.push("a reference");
    }
    if cause.tests.len() < 3 {
        gaps.push("three [[tests]]");
    }
    if !cause.body.contains("## Fix") {
        gaps.push("a section \"## Fix\"");
    }
    if !gaps.is_empty() {
        places.warning(
            file,
            "id",
            format!("cause {:?} lacks {}", cause.id, gaps.join(", ")),
        );
    }
}

fn check_checks(graph: &Graph, places: &mut Places<'_>) {
    let keys = vocabulary(graph);
    for check in &graph.checks {
        let file = format!("checks/{}.toml", check.group);
        let mut ids = BTreeSet::new();
        for answer in &check.answers {
            if !ids.insert(&answer.id) {
                places.error(
                    &file,
                    &check.id,
                    format!("check {:?} has two answers {:?}", check.id, answer.id),
                );
            }
            for (key, value) in &answer.facts {
                if let Some(complaint) = complaint_about_fact(&keys, key, value) {
                    places.error(
                        &file,
                        &check.id,
                        format!("check {:?}, answer {:?}: {complaint}", check.id, answer.id),
                    );
                }
            }
        }
        if check.answers.len() < 2 {
            places.warning(
                &file,
                &check.id,
                format!("check {:?} needs two answers or more", check.id),
            );
        }
        for system in check.commands.keys() {
            if !matches!(system.as_str(), "linux" | "macos" | "windows" | "devtools") {
                places.error(&file, &check.id, format!(
                    "check {:?}: write commands for linux, macos, windows or devtools, not {system:?}", check.id
                ));
            }
        }
        if !graph
            .causes
            .iter()
            .any(|cause| cause.checks.contains(&check.id))
        {
            places.warning(
                &file,
                &check.id,
                format!("no cause uses check {:?}", check.id),
            );
        }
    }
}

fn check_timeouts(graph: &Graph, places: &mut Places<'_>) {
    for timeout in &graph.timeouts {
        let file = format!("timeouts/{}.toml", timeout.group);
        let place = format!("\"{}\"", timeout.id);
        for message in timeouts::errors(graph, timeout) {
            places.error(
                &file,
                &place,
                format!("timeout {:?}: {message}", timeout.id),
            );
        }
        if !timeout.verified {
            let message = format!(
                "timeout {:?} is not verified: look its number up in the source",
                timeout.id
            );
            places.warning(&file, &place, message);
        }
    }
}

/// Links in prose to pages of our own must lead somewhere.
/// Code names its language, so that it can be shown and checked as what it is.
fn check_fences(places: &mut Places<'_>) {
    let read = places.read;
    for (file, text) in &read.texts {
        let prose = text.splitn(3, "+++\n").nth(2);
        let Some(prose) = prose.filter(|_| file.ends_with(".md")) else {
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

fn check_links_in_prose(graph: &Graph, places: &mut Places<'_>) {
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
