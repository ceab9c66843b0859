//! What is doubtful in the knowledge is found, and nothing in a twin without the fault.

use std::collections::BTreeSet;

use wsdoctor::engine::evidence::{AnyOf, STATED};
use wsdoctor::engine::graph::{Graph, Predicate};
use wsdoctor::engine::knowledge::{SourceFile, check, doubts, read};
use wsdoctor::engine::{Engine, Evidence};

use crate::samples::samples;
use crate::support::shipped;

fn file(name: &str, text: &str) -> SourceFile {
    SourceFile {
        name: name.to_owned(),
        text: text.to_owned(),
    }
}

fn doubts_of(files: &[SourceFile]) -> Vec<String> {
    let read = read(files);
    assert!(read.problems.is_empty(), "{:?}", read.problems);
    doubts(&read).iter().map(ToString::to_string).collect()
}

/// Doubts of one file of patterns over the keys `k` (values v, w) and `far` (only behind a proxy).
fn doubts_of_patterns(patterns: &str) -> Vec<String> {
    let symptom = |id: &str, when: &str| {
        format!("[[symptom]]\nid = \"{id}\"\ntitle = \"t\"\nwhen = {{ {when} }}\n")
    };
    let symptoms = [
        symptom("s", "key = \"k\", in = [\"v\", \"w\"]"),
        symptom("far", "key = \"far\", is = \"v\", hop = \"edge-origin\""),
    ];
    let always = "[[pattern]]\nid = \"p-far\"\nregex = 'far away'\nhop = \"edge-origin\"\n\
                  facts = { far = \"v\" }\nexamples = [\"far away\"]\n\
                  [[pattern]]\nid = \"p-k\"\nregex = 'always there'\n\
                  facts = { k = \"w\" }\nexamples = [\"always there\"]\n";
    doubts_of(&[
        file("symptoms/a.toml", &symptoms.concat()),
        file(
            "patterns/p.toml",
            &format!("title = \"P\"\n{always}{patterns}"),
        ),
    ])
}

fn pattern(id: &str, regex: &str, facts: &str, example: &str) -> String {
    format!(
        "[[pattern]]\nid = \"{id}\"\nregex = '{regex}'\nfacts = {{ {facts} }}\nexamples = [\"{example}\"]\n"
    )
}

#[test]
fn twins_are_found() {
    let one = pattern("one", "connection lost", "k = \"v\"", "connection lost");
    let twin = pattern(
        "two",
        "connection (?:lost|gone)",
        "k = \"v\"",
        "connection lost",
    );
    let found = doubts_of_patterns(&format!("{one}{twin}"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("patterns/p.toml:14: warning: "),
        "{found:?}"
    );
    assert!(found[0].contains("\"one\" and \"two\""), "{found:?}");
    let wider = pattern(
        "two",
        "connection (?:lost|gone)",
        "k = \"v\"",
        "connection gone",
    );
    let found = doubts_of_patterns(&format!("{one}{wider}"));
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn contradictions_are_errors() {
    let one = pattern("one", "connection lost", "k = \"v\"", "connection lost");
    let other = pattern("two", "(?i)connection lost", "k = \"w\"", "Connection lost");
    let found = doubts_of_patterns(&format!("{one}{other}"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("error: pattern \"one\" tells k = \"v\""),
        "{found:?}"
    );
    assert!(
        found[0].contains("\"two\" tells \"w\" of the same words"),
        "{found:?}"
    );
    // A longer wording knows better: that is no contradiction.
    let longer = pattern(
        "two",
        "the connection lost",
        "k = \"w\"",
        "the connection lost",
    );
    let found = doubts_of_patterns(&format!("{one}{longer}"));
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn patterns_that_never_count_are_found() {
    let short = |example| pattern("short", "connection lost", "k = \"v\"", example);
    let long = pattern(
        "long",
        "the connection lost",
        "k = \"w\"",
        "the connection lost",
    );
    let found = doubts_of_patterns(&format!("{}{long}", short("the connection lost")));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("pattern \"short\" never counts"),
        "{found:?}"
    );
    assert!(found[0].contains(" long know better"), "{found:?}");
    let found = doubts_of_patterns(&format!("{}{long}", short("my connection lost")));
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn patterns_that_nobody_hears_are_found() {
    let near = pattern("near", "far from here", "far = \"v\"", "far from here");
    let found = doubts_of_patterns(&near);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("pattern \"near\" is never heard"),
        "{found:?}"
    );
    let heard = near.replace("facts", "hop = \"edge-origin\"\nfacts");
    let found = doubts_of_patterns(&heard);
    assert!(found.is_empty(), "{found:?}");
}

fn cause(symptom: &str) -> SourceFile {
    let text = format!(
        "+++\nid = \"c\"\ntitle = \"t\"\nlayer = \"tcp\"\nprior = \"common\"\n\
         [symptoms]\n\"{symptom}\" = \"often\"\n+++\nText\n"
    );
    file("causes/c.md", &text)
}

#[test]
fn symptoms_and_causes_out_of_reach_are_found() {
    let symptoms = "[[symptom]]\nid = \"seen\"\ntitle = \"t\"\nwhen = { key = \"k\", is = \"v\" }\n\
                    [[symptom]]\nid = \"unseen\"\ntitle = \"t\"\nwhen = { key = \"k\", is = \"w\" }\n";
    let files = |second: &str, symptom: &str| {
        let one = pattern("one", "connection lost", "k = \"v\"", "connection lost");
        [
            file("symptoms/a.toml", symptoms),
            file("patterns/p.toml", &format!("title = \"P\"\n{one}{second}")),
            cause(symptom),
        ]
    };
    let found = doubts_of(&files("", "unseen"));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].contains("cause \"c\" cannot be reached"),
        "{found:?}"
    );
    assert!(
        found[1].starts_with("symptoms/a.toml:6: warning: symptom \"unseen\" is never seen"),
        "{found:?}"
    );
    assert_eq!(doubts_of(&files("", "seen")).len(), 1);
    let second = pattern("two", "line is dead", "k = \"w\"", "line is dead");
    assert!(doubts_of(&files(&second, "unseen")).is_empty());
}

fn doubts_of_prose(prose: &str) -> Vec<String> {
    let front = "+++\nid = \"a\"\ntitle = \"t\"\nsummary = \"s\"\n+++\n";
    doubts_of(&[file("advice/a.md", &format!("{front}{prose}"))])
}

#[test]
fn mixed_spelling_is_found() {
    let usual = "A time-out here, a time-out there, time-outs everywhere.\n";
    let found = doubts_of_prose(&format!("{usual}One timeout.\n"));
    assert_eq!(
        found,
        [
            "advice/a.md:7: warning: \"timeout\" is spelt timeout, and 3 others time-out: spell all alike"
        ]
    );
    let mixed = [
        ("WebSocket, WebSocket.", "A Websocket."),
        ("A websocket, a websocket.", "A web socket."),
        ("Its behaviour, a neighbour.", "The color."),
        ("We recognise and normalise.", "We organize."),
    ];
    for (usual, odd) in mixed {
        let found = doubts_of_prose(&format!("{usual}\n\n{odd}\n"));
        assert_eq!(found.len(), 1, "{odd}: {found:?}");
        assert!(found[0].starts_with("advice/a.md:8: warning"), "{found:?}");
        assert!(doubts_of_prose(&format!("{odd}\n")).is_empty(), "{odd}");
    }
}

#[test]
fn what_others_wrote_may_be_spelt_otherwise() {
    let usual = "A time-out here, a time-out there.\n";
    let theirs = [
        "Set `timeout`.",
        "It says \"ping timeout\".",
        "```text\ntimeout\n```",
        "See [it](/advice/timeout).",
        "Set proxy_timeout=3.",
        "An answer 504 Gateway Timeout.",
    ];
    for words in theirs {
        let found = doubts_of_prose(&format!("{usual}\n{words}\n"));
        assert!(found.is_empty(), "{words}: {found:?}");
    }
}

#[test]
fn a_cause_needs_tests_of_both_kinds() {
    let lacks = |expectations: [&str; 3]| {
        let tests: String = expectations
            .iter()
            .map(|expect| format!("[[tests]]\ninput = \"x\"\nexpect = \"{expect}\"\n"))
            .collect();
        let text = format!(
            "+++\nid = \"c\"\ntitle = \"t\"\nlayer = \"tcp\"\nprior = \"common\"\n{tests}+++\nText\n"
        );
        let problems = check(&read(&[file("causes/c.md", &text)]));
        problems
            .iter()
            .map(ToString::to_string)
            .find(|problem| problem.contains("lacks"))
            .unwrap_or_default()
    };
    assert!(lacks(["top 1", "top 3", "top 1"]).contains("a test of a near miss"));
    assert!(lacks(["absent", "absent", "absent"]).contains("a test that names it"));
    let both = lacks(["top 1", "top 3", "absent"]);
    assert!(!both.contains("test"), "{both}");
}

/// Whether a symptom asks for that value.
fn asks(predicate: &Predicate, key: &str, value: &str) -> bool {
    match predicate {
        Predicate::All { all: parts } | Predicate::Any { any: parts } => {
            parts.iter().any(|part| asks(part, key, value))
        }
        Predicate::Is { key: own, is, .. } => own == key && is == value,
        Predicate::In { key: own, r#in, .. } => own == key && r#in.iter().any(|one| one == value),
        Predicate::Within { key: own, .. } => own == key,
    }
}

#[test]
fn what_readers_state_is_listed() {
    let graph = read(&shipped()).graph;
    let texts = graph.causes.iter().flat_map(|cause| &cause.tests);
    let texts = texts.map(|test| test.input.clone());
    let samples = samples().into_values().flatten().map(|path| {
        let bytes = std::fs::read(path).expect("a sample");
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let readers = Engine::new(Graph {
        symptoms: graph.symptoms.clone(),
        ..Graph::default()
    });
    let mut missing = BTreeSet::new();
    for text in texts.chain(samples) {
        let diagnosis = readers.diagnose(&[Evidence {
            text: Some(text),
            ..Evidence::default()
        }]);
        for seen in diagnosis.facts {
            let (key, value) = (seen.fact.key.to_string(), seen.fact.value.to_string());
            let listed = STATED.iter().any(|(own, values)| {
                *own == key
                    && match values {
                        AnyOf::Everything => true,
                        AnyOf::Values(values) => values.contains(&value.as_str()),
                    }
            });
            if !listed && graph.symptoms.iter().any(|s| asks(&s.when, &key, &value)) {
                missing.insert((key, value));
            }
        }
    }
    assert!(missing.is_empty(), "write them into stated.rs: {missing:?}");
    assert!(STATED.is_sorted_by_key(|(key, _)| *key));
}
