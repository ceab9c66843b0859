//! What a view undoes must not take away what wordings look for.

use wsdoctor::engine::evidence::View;
use wsdoctor::engine::knowledge::read;
use wsdoctor::engine::matching::{compile, matches_somewhere};

use crate::support::shipped;

#[test]
fn every_example_is_found_in_its_view() {
    let graph = read(&shipped()).graph;
    let mut lost = Vec::new();
    for (_, pattern) in graph.patterns() {
        let regex = compile(&pattern.regex).expect("an expression");
        for example in &pattern.examples {
            let view = View::of(example);
            let spoken = View::unescaped(view.text());
            if !matches_somewhere(pattern, &regex, spoken.text()) {
                lost.push(format!(
                    "{}: {example:?} -> {:?}",
                    pattern.id,
                    spoken.text()
                ));
            }
        }
    }
    assert!(lost.is_empty(), "{}", lost.join("\n"));
}

#[test]
fn a_plain_log_is_as_given() {
    let line = "2026-11-20T12:00:00.123Z INFO [chat] client 203.0.113.7 connected to the room, 12 in all; session a1 [ok]\n";
    let text = line.repeat(10_000);
    assert!(View::of(&text).is_as_given());
}
