//! The place of each labelled case's cause, committed in `tests/ranks.csv`, so that a change to
//! the knowledge shows what it did to whom.

use std::fs;
use std::path::Path;

use serde_json::Value;
use wsdoctor::engine::proof::{Labelled, judge};

use crate::support::{ENGINE, shared};

fn labelled(text: &str) -> Vec<Labelled> {
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .flat_map(|line| {
            let case: Value = serde_json::from_str(line).expect("a case");
            let word = |key: &str| case[key].as_str().unwrap_or_default().to_owned();
            let accept: Vec<String> = case["accept"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|id| id.as_str().map(str::to_owned))
                .collect();
            let one = |id: String, text: String| Labelled {
                id,
                text,
                cause: word("label"),
                accept: accept.clone(),
                group: word("id"),
            };
            let around = format!("{}\n\n{}", word("input"), word("situation"));
            [
                one(word("id"), word("input")),
                one(format!("{}+situation", word("id")), around),
            ]
        })
        .collect()
}

#[test]
fn the_places_of_labelled_cases_are_as_committed() {
    let Some(cases) = shared("evaluation/cases.jsonl") else {
        return;
    };
    let cases = labelled(&fs::read_to_string(cases).expect("cases"));
    let mut now = String::from("id,rank\n");
    for one in judge(&ENGINE, &cases) {
        now.push_str(&format!("{},{}\n", one.id, one.rank.unwrap_or(0)));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ranks.csv");
    if std::env::var_os("UPDATE_RANKS").is_some() {
        fs::write(&path, &now).expect("the ranks");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let changed: Vec<String> = now
        .lines()
        .filter(|line| !committed.lines().any(|other| other == *line))
        .map(|line| {
            let (id, _) = line.split_once(',').unwrap_or((line, ""));
            let before = committed
                .lines()
                .find(|other| other.split(',').next() == Some(id))
                .unwrap_or("not there");
            format!("{before} -> {line}")
        })
        .collect();
    assert!(
        changed.is_empty() && now == committed,
        "places changed; if that is meant, UPDATE_RANKS=1 cargo test --test it ranks writes them:\n{}",
        changed.join("\n")
    );
}
