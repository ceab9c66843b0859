//! What the ranking promises, on a knowledge so small that every number can be followed.

use wsdoctor::engine::diagnosis::{StatedFact, VerdictKind};
use wsdoctor::engine::graph::Graph;
use wsdoctor::engine::knowledge::{Severity, check, read};
use wsdoctor::engine::{Diagnosis, Engine, Evidence};

use crate::support::small_knowledge;

fn graph() -> Graph {
    read(&small_knowledge()).graph
}

fn diagnose(graph: Graph, text: &str) -> Diagnosis {
    Engine::new(graph).diagnose(&[Evidence {
        text: Some(text.to_owned()),
        ..Evidence::default()
    }])
}

fn probability(diagnosis: &Diagnosis, id: &str) -> f64 {
    diagnosis
        .causes
        .iter()
        .find(|cause| cause.id == id)
        .map_or(0.0, |cause| cause.probability)
}

/// Without the narrower cause.
fn without_variant() -> Graph {
    let mut graph = graph();
    graph.causes.retain(|cause| cause.parent.is_none());
    graph
}

const STATUS_400: &str = "Unexpected response code: 400";

#[test]
fn the_small_knowledge_is_right() {
    let errors: Vec<String> = check(&read(&small_knowledge()))
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .map(ToString::to_string)
        .collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

#[test]
fn a_family_has_one_entry_and_its_split_makes_it_no_likelier() {
    let split = diagnose(graph(), STATUS_400);
    let whole = diagnose(without_variant(), STATUS_400);
    let ids: Vec<&str> = split.causes.iter().map(|cause| cause.id.as_str()).collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
    assert_eq!(ids[0], "upgrade-lost");
    let difference = probability(&split, "upgrade-lost") - probability(&whole, "upgrade-lost");
    assert!(difference.abs() < 0.001, "{difference}");
    assert_eq!(split.causes[0].variants[0].id, "upgrade-lost-nginx");
    assert!(split.causes[0].variants[0].probability < split.causes[0].probability);
}

#[test]
fn a_narrower_cause_is_named_once_it_holds_most_of_its_family() {
    let before = diagnose(graph(), STATUS_400);
    assert!(
        before.text.contains("does not pass the upgrade on"),
        "{}",
        before.text
    );
    let after = diagnose(graph(), &format!("{STATUS_400}\nServer: nginx"));
    assert!(
        after.text.contains("nginx lacks the lines"),
        "{}",
        after.text
    );
    assert_eq!(after.causes[0].id, "upgrade-lost");
}

#[test]
fn of_more_and_less_exact_findings_the_most_exact_counts() {
    let mut exact_only = graph();
    exact_only
        .symptoms
        .retain(|symptom| symptom.id != "answered-with-error");
    for symptom in &mut exact_only.symptoms {
        symptom.refines = None;
    }
    let both = diagnose(graph(), STATUS_400);
    let seen: Vec<&str> = both
        .symptoms
        .iter()
        .map(|symptom| symptom.id.as_str())
        .collect();
    assert!(
        seen.contains(&"answered-with-error") && seen.contains(&"status-400"),
        "{seen:?}"
    );
    for cause in &both.causes {
        for reason in &cause.reasons {
            assert_ne!(reason.symptom, "answered-with-error", "{}", cause.id);
        }
    }
    // The general finding adds nothing where the exact one is there.
    let alone = diagnose(exact_only, STATUS_400);
    let difference = probability(&both, "upgrade-lost") - probability(&alone, "upgrade-lost");
    assert!(difference.abs() < 0.02, "{difference}");
}

#[test]
fn one_value_of_a_key_is_no_evidence_that_the_others_are_absent() {
    let diagnosis = diagnose(graph(), STATUS_400);
    for cause in &diagnosis.causes {
        for reason in &cause.reasons {
            assert_ne!(reason.symptom, "status-403", "{}", cause.id);
        }
    }
    assert!(
        probability(
            &diagnose(graph(), "Unexpected response code: 403"),
            "origin-refused"
        ) > 0.5
    );
}

#[test]
fn everything_adds_up_to_one_and_something_else_keeps_its_share() {
    for text in [
        "",
        STATUS_400,
        "ECONNREFUSED",
        "ECONNREFUSED\nsocket opened\nUnexpected response code: 403\nServer: nginx",
    ] {
        let diagnosis = diagnose(graph(), text);
        let causes: f64 = diagnosis.causes.iter().map(|cause| cause.probability).sum();
        assert!(
            (causes + diagnosis.other_probability - 1.0).abs() < 0.001,
            "{text}"
        );
        assert!(diagnosis.other_probability > 0.0, "{text}");
    }
    let nothing = diagnose(graph(), "the cat sat on the mat");
    assert_eq!(nothing.verdict, VerdictKind::Unrecognised);
}

#[test]
fn a_status_that_no_cause_speaks_of_makes_something_else_likelier() {
    let known = diagnose(graph(), STATUS_400);
    let unknown = diagnose(graph(), "Unexpected response code: 418");
    assert!(unknown.other_probability > known.other_probability);
}

#[test]
fn causes_of_other_stages_become_unlikely_but_never_impossible() {
    let handshake = diagnose(graph(), STATUS_400);
    assert!(probability(&handshake, "server-down") < 0.02);
    // Against the stage, a finding still counts: contradictions leave everything possible.
    let both = diagnose(graph(), "ECONNREFUSED\nsocket opened");
    assert!(probability(&both, "server-down") > 0.0);
    let network = diagnose(graph(), "ECONNREFUSED");
    assert_eq!(network.causes[0].id, "server-down");
    assert!(probability(&both, "server-down") < probability(&network, "server-down"));
}

#[test]
fn answers_move_the_causes_that_speak_of_them() {
    let engine = Engine::new(graph());
    let with = |value: &str| {
        engine.diagnose(&[
            Evidence {
                text: Some(STATUS_400.to_owned()),
                ..Evidence::default()
            },
            Evidence {
                facts: vec![StatedFact {
                    key: "works.directly".to_owned(),
                    value: value.to_owned(),
                    ..Default::default()
                }],
                ..Evidence::default()
            },
        ])
    };
    let (works, fails) = (with("yes"), with("no"));
    assert!(probability(&works, "upgrade-lost") > 0.9);
    assert!(probability(&fails, "upgrade-lost") < probability(&works, "upgrade-lost"));
    assert!(probability(&fails, "origin-refused") > probability(&works, "origin-refused"));
}
