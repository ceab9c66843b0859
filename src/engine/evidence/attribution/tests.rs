use std::sync::Arc;

use super::*;

/// Facts that are read where the words stand, given as `key=value` and the words.
fn facts(text: &str, said: &[(&str, &str)]) -> Vec<Fact> {
    let fact = |(told, words): &(&str, &str)| {
        let (key, value) = told.split_once('=').expect("key=value");
        let start = text.find(words).expect(words);
        Fact {
            key: Arc::from(key),
            value: Arc::from(value),
            hop: Hop::ClientEdge,
            vantage: Arc::from("user"),
            connection: None,
            evidence: 0,
            span: Some(Span {
                start,
                end: start + words.len(),
            }),
        }
    };
    said.iter().map(fact).collect()
}

/// What the facts say as they are meant, as `key=value`.
pub(super) fn meant(text: &str, said: &[(&str, &str)]) -> Vec<String> {
    let facts = as_meant(facts(text, said), &Contents::of(text)).into_iter();
    facts
        .map(|fact| format!("{}={}", fact.key, fact.value))
        .collect()
}

#[test]
fn what_is_only_expected_is_not_said_to_be_so() {
    let text = "it should return 101 but returns 200";
    let said = [
        ("handshake.status=101", "101"),
        ("handshake.status=200", "200"),
    ];
    assert_eq!(meant(text, &said), ["handshake.status=200"]);
}
