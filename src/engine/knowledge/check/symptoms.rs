//! Symptoms, and the vocabulary of facts that they speak of.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::graph::{Graph, Predicate};
use super::Places;

pub(super) fn check_symptoms(graph: &Graph, places: &mut Places<'_>) {
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
pub(super) fn vocabulary(graph: &Graph) -> BTreeMap<String, Option<BTreeSet<String>>> {
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
pub(super) const DISPLAY_KEYS: &[&str] = &[
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
    "probe.result",
];

/// Checks one fact against the vocabulary; the answer is the complaint.
pub(super) fn complaint_about_fact(
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
