//! What entries say against each other. It is pointed out, not averaged away.
//!
//! Of one kind of source the newest statement is weighed (see [`super::counting`]); where a
//! statement stands against what a text shows, both are. Either way all values are named, with
//! where they come from.

use std::collections::{BTreeMap, BTreeSet};

use super::Case;
use super::counting::{Counted, Source};
use crate::engine::Diagnosis;
use crate::engine::diagnosis::SeenFact;
use crate::engine::graph::{Graph, Hop};

/// Keys that may have several values at once, or another one each time.
const OF_MANY_VALUES: &[&str] = &[
    "server.says",
    "server.limit",
    "session.fault",
    "client.fault",
    "client.reason",
    "edge.config",
    "edge.server",
    "handshake.request",
    "fails.when",
    "tls.fault",
    "since",
];

/// One key with the different values that entries give it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// The fact's key.
    pub key: String,
    /// On which hop.
    pub hop: Hop,
    /// Who saw it.
    pub vantage: String,
    /// The values, oldest first.
    pub values: Vec<Said>,
}

/// Who gave which value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The value.
    pub value: String,
    /// The position of the entry.
    pub entry: usize,
    /// From where in it.
    pub from: Source,
    /// Whether the diagnosis weighs it.
    pub counts: bool,
}

/// Host, port and path of a connection, as far as they are known.
type Endpoint = Vec<String>;

/// Which connection a statement speaks of; none if of all.
type Subject = Option<Endpoint>;

/// Whether a key has one value at a time, by what checks ask for.
fn has_one_value(graph: &Graph, key: &str) -> bool {
    let is_measure = key.ends_with(".seconds") || key.ends_with(".size");
    let is_of_many = ["url.", "page.", "close.", "ends."]
        .iter()
        .any(|beginning| key.starts_with(beginning));
    if is_measure || is_of_many || OF_MANY_VALUES.contains(&key) {
        return false;
    }
    key.starts_with("works.")
        || graph
            .checks
            .iter()
            .flat_map(|check| &check.answers)
            .any(|answer| answer.facts.contains_key(key))
}

/// Every contradiction between entries of one side of the last fix.
pub fn contradictions(
    graph: &Graph,
    case: &Case,
    counted: &Counted,
    diagnosis: &Diagnosis,
) -> Vec<Contradiction> {
    if counted.entries.len() < 2 {
        return Vec::new();
    }
    let mut said: BTreeMap<(String, Hop, String), Vec<(Said, Subject)>> = BTreeMap::new();
    let endpoints = endpoints(diagnosis);
    for seen in &diagnosis.facts {
        let fact = &seen.fact;
        let Some(&entry) = counted.entries.get(fact.evidence) else {
            continue;
        };
        let subject = fact.connection.and_then(|c| endpoints.get(&c).cloned());
        let from = match fact.span {
            Some(_) => Source::Paste,
            None => Source::of_statement(&case.entries[entry]),
        };
        let one = Said {
            value: fact.value.to_string(),
            entry,
            from,
            counts: true,
        };
        let key = (fact.key.to_string(), fact.hop, fact.vantage.to_string());
        said.entry(key).or_default().push((one, subject));
    }
    for (key, one) in corrected(case, counted) {
        said.entry(key).or_default().push((one, None));
    }
    said.into_iter()
        .filter(|((key, ..), _)| has_one_value(graph, key))
        .filter_map(|((key, hop, vantage), values)| {
            Some(Contradiction {
                key,
                hop,
                vantage,
                values: opposed(case, values)?,
            })
        })
        .collect()
}

/// Statements that do not count because the same source said otherwise later.
fn corrected(case: &Case, counted: &Counted) -> Vec<((String, Hop, String), Said)> {
    let mut found = Vec::new();
    for (entry, piece) in counted.entries.iter().zip(&counted.pieces) {
        for fact in &case.entries[*entry].evidence.facts {
            if piece.facts.contains(fact) {
                continue;
            }
            let vantage = match fact.vantage.as_str() {
                "" => "user".to_owned(),
                other => other.to_owned(),
            };
            let one = Said {
                value: fact.value.clone(),
                entry: *entry,
                from: Source::of_statement(&case.entries[*entry]),
                counts: false,
            };
            found.push(((fact.key.clone(), fact.hop, vantage), one));
        }
    }
    found
}

/// The values of one key if entries give it different ones: no two of them share a value, and they
/// speak of the same connection.
fn opposed(case: &Case, mut values: Vec<(Said, Subject)>) -> Option<Vec<Said>> {
    let last_fix = case.last_fix().map_or(0, |fix| fix.entry);
    let is_after = |said: &Said| said.entry >= last_fix;
    // The newest entry speaks of one side of the fix; the other is another time.
    let side = values.iter().any(|(said, _)| is_after(said));
    values.retain(|(said, _)| is_after(said) == side);
    let mut by_entry: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    for (said, _) in &values {
        by_entry.entry(said.entry).or_default().insert(&said.value);
    }
    let sets: Vec<&BTreeSet<&str>> = by_entry.values().collect();
    let is_opposed = sets.iter().enumerate().any(|(number, one)| {
        sets[number + 1..]
            .iter()
            .any(|other| one.is_disjoint(other))
    });
    let subjects: BTreeSet<&Endpoint> = values.iter().filter_map(|(_, s)| s.as_ref()).collect();
    if !is_opposed || subjects.len() > 1 {
        return None;
    }
    let mut said: Vec<Said> = values.into_iter().map(|(said, _)| said).collect();
    said.sort_by(|a, b| a.entry.cmp(&b.entry).then_with(|| a.value.cmp(&b.value)));
    said.dedup_by(|a, b| a.entry == b.entry && a.value == b.value);
    Some(said)
}

/// What each connection of a diagnosis dials.
fn endpoints(diagnosis: &Diagnosis) -> BTreeMap<usize, Endpoint> {
    let mut found: BTreeMap<usize, Endpoint> = BTreeMap::new();
    let is_of_endpoint =
        |seen: &&SeenFact| ["url.host", "url.port", "url.path"].contains(&&*seen.fact.key);
    for seen in diagnosis.facts.iter().filter(is_of_endpoint) {
        if let Some(connection) = seen.fact.connection {
            let part = format!("{}={}", seen.fact.key, seen.fact.value);
            found.entry(connection).or_default().push(part);
        }
    }
    for parts in found.values_mut() {
        parts.sort();
    }
    found
}
