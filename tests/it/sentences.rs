//! What people write around an error, and other languages' wordings, each read by itself.

use std::collections::BTreeSet;

use wsdoctor::engine::knowledge::read;

use crate::support::{diagnose, shipped};

/// A sentence with the facts that it tells and the keys that it must not.
struct Sentence {
    text: &'static str,
    told: Vec<(&'static str, &'static str)>,
    untold: Vec<&'static str>,
}

/// The sentences under a heading of the list.
fn sentences(heading: &str) -> Vec<Sentence> {
    include_str!("fixtures/sentences.txt")
        .split("\n## ")
        .find_map(|part| part.strip_prefix(heading))
        .expect("the heading")
        .lines()
        .filter_map(|line| line.split_once(" => "))
        .map(|(text, expected)| Sentence {
            text,
            told: expected
                .split_whitespace()
                .filter_map(|word| word.split_once('='))
                .collect(),
            untold: expected
                .split_whitespace()
                .filter_map(|word| word.strip_prefix('-'))
                .collect(),
        })
        .collect()
}

/// What is missing or too much; empty if the sentence was read as meant.
fn complaints(sentence: &Sentence) -> Vec<String> {
    let diagnosis = diagnose(sentence.text);
    let facts: BTreeSet<(&str, &str)> = diagnosis
        .facts
        .iter()
        .map(|seen| (&*seen.fact.key, &*seen.fact.value))
        .collect();
    let missing = sentence
        .told
        .iter()
        .filter(|fact| !facts.contains(fact))
        .map(|(key, value)| format!("{:?} does not tell {key} = {value}", sentence.text));
    let surplus = facts
        .iter()
        .filter(|(key, _)| sentence.untold.contains(key))
        .map(|(key, value)| format!("{:?} tells {key} = {value}", sentence.text));
    missing.chain(surplus).collect()
}

fn share_read(heading: &str) -> (f64, Vec<String>) {
    let sentences = sentences(heading);
    let unread: Vec<Vec<String>> = sentences
        .iter()
        .map(complaints)
        .filter(|complaints| !complaints.is_empty())
        .collect();
    let share = 1.0 - unread.len() as f64 / sentences.len() as f64;
    (share, unread.concat())
}

#[test]
fn sentences_are_read_as_meant() {
    let (share, complaints) = share_read("consulted");
    assert!(share >= 0.97, "{share:.2}\n{}", complaints.join("\n"));
}

#[test]
fn sentences_that_were_not_looked_at_are_mostly_read() {
    let (share, complaints) = share_read("held out");
    assert!(share >= 0.75, "{share:.2}\n{}", complaints.join("\n"));
}

/// What people write back when they were asked says the same as the buttons of the step do.
#[test]
fn what_is_written_back_says_what_a_button_says() {
    let (share, complaints) = share_read("written back");
    assert!(share >= 1.0, "{share:.2}\n{}", complaints.join("\n"));
    let graph = read(&shipped()).graph;
    let answers = || graph.checks.iter().flat_map(|check| &check.answers);
    for sentence in sentences("written back") {
        for (key, value) in sentence.told {
            let is_a_buttons = answers().any(|answer| {
                let facts = answer.facts.iter();
                facts
                    .filter(|(told, _)| *told == key)
                    .any(|(_, told)| told == value)
            });
            assert!(is_a_buttons, "{}: {key} = {value}", sentence.text);
        }
    }
}

/// Every language's text is found in a paste, and not only matched by its expression.
#[test]
fn every_language_is_read() {
    let graph = read(&shipped()).graph;
    let mut unread = Vec::new();
    for system in &graph.systems {
        if !matches!(
            system.system.as_str(),
            "firefox-languages" | "libc-languages" | "errno-languages"
        ) {
            continue;
        }
        for pattern in &system.patterns {
            for example in &pattern.examples {
                let facts = diagnose(example).facts;
                let is_told = pattern.facts.iter().all(|(key, value)| {
                    facts
                        .iter()
                        .any(|seen| *seen.fact.key == **key && *seen.fact.value == **value)
                });
                if !is_told {
                    unread.push(format!("{}: {example}", pattern.id));
                }
            }
        }
    }
    assert!(unread.is_empty(), "{}", unread.join("\n"));
}

#[test]
fn what_people_type_in_a_word_or_two_is_read() {
    let wrong: Vec<String> = include_str!("fixtures/in-short.txt")
        .lines()
        .filter_map(|line| line.split_once(": "))
        .filter_map(|(expected, text)| {
            let diagnosis = diagnose(text);
            let first = diagnosis.causes.first().map_or("", |cause| &cause.id);
            let is_read = match expected {
                "recognised" => !diagnosis.symptoms.is_empty(),
                cause => first == cause,
            };
            (!is_read).then(|| format!("{text}: {first} instead of {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
