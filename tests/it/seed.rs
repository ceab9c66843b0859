//! What the source documents know must be answered. The questions lie beside the project; the test
//! runs where they are.

use regex::Regex;
use serde::Deserialize;
use wsdoctor::engine::graph::Graph;
use wsdoctor::store::Hit;

use crate::support::{ENGINE, TestApp, diagnose, shared};

#[derive(Deserialize)]
struct Question {
    row: String,
    via: String,
    ask: String,
    expect: Vec<String>,
    must_say: Vec<String>,
    must_not_say: Vec<String>,
}

/// What a person ends up reading: the ids offered, and the text of their pages.
struct Reading {
    causes: Vec<String>,
    text: String,
}

fn page_of_cause(graph: &Graph, id: &str) -> String {
    graph.cause(id).map_or(String::new(), |cause| {
        let checks: Vec<String> = cause
            .checks
            .iter()
            .filter_map(|check| graph.check(check))
            .map(|check| {
                let commands: Vec<&str> = check.commands.values().map(String::as_str).collect();
                format!(
                    "{}\n{}\n{}",
                    check.title,
                    check.instruction,
                    commands.join("\n")
                )
            })
            .collect();
        format!("{}\n{}\n{}", cause.title, cause.body, checks.join("\n"))
    })
}

fn after_diagnosis(text: &str) -> Reading {
    let diagnosis = diagnose(text);
    let causes: Vec<String> = diagnosis
        .causes
        .iter()
        .take(3)
        .map(|cause| cause.id.to_string())
        .collect();
    let graph = ENGINE.graph();
    let pages: Vec<String> = causes.iter().map(|id| page_of_cause(graph, id)).collect();
    Reading {
        text: format!(
            "{}\n{}\n{}",
            diagnosis.text,
            diagnosis.next_step.instruction,
            pages.join("\n")
        ),
        causes,
    }
}

fn after_search(hits: &[Hit]) -> Reading {
    let graph = ENGINE.graph();
    let first: Vec<&Hit> = hits.iter().take(3).collect();
    let text: Vec<String> = first
        .iter()
        .map(|hit| match hit.kind.as_str() {
            "cause" => page_of_cause(graph, &hit.id),
            "advice" => graph.advice(&hit.id).map_or(String::new(), |a| {
                format!("{}\n{}\n{}", a.title, a.summary, a.body)
            }),
            "check" => graph.check(&hit.id).map_or(String::new(), |c| {
                format!("{}\n{}\n{:?}", c.title, c.instruction, c.commands)
            }),
            _ => graph
                .codes(&hit.id)
                .map(|code| format!("{}\n{}\n", code.title, code.text))
                .collect(),
        })
        .collect();
    let mut causes: Vec<String> = Vec::new();
    for hit in first {
        match hit.kind.as_str() {
            "cause" => causes.push(hit.id.clone()),
            "advice" => causes.extend(
                graph
                    .advice(&hit.id)
                    .into_iter()
                    .flat_map(|a| a.causes.clone()),
            ),
            _ => {}
        }
    }
    Reading {
        causes,
        text: text.join("\n"),
    }
}

fn after_explain(what: &str) -> Reading {
    let graph = ENGINE.graph();
    Reading {
        causes: Vec::new(),
        text: graph
            .codes(what)
            .map(|code| format!("{}\n{}\n", code.title, code.text))
            .collect(),
    }
}

#[tokio::test]
async fn every_row_of_the_source_documents_is_answered() {
    let Some(path) = shared("seed-questions.jsonl") else {
        return;
    };
    let test = TestApp::start().await;
    let text = std::fs::read_to_string(path).expect("the questions");
    let mut failures = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let question: Question = serde_json::from_str(line).expect("a question");
        let reading = match question.via.as_str() {
            "diagnose" => after_diagnosis(&question.ask),
            "search" => after_search(&test.app.search(&question.ask).await.expect("a search")),
            _ => after_explain(&question.ask),
        };
        let mut complaints = Vec::new();
        if !question.expect.is_empty()
            && !question.expect.iter().any(|id| reading.causes.contains(id))
        {
            complaints.push(format!(
                "expected one of {:?}, got {:?}",
                question.expect, reading.causes
            ));
        }
        for wanted in &question.must_say {
            if !Regex::new(wanted).expect("a regex").is_match(&reading.text) {
                complaints.push(format!(
                    "does not say {wanted:?} (offered {:?})",
                    reading.causes
                ));
            }
        }
        for unwanted in &question.must_not_say {
            if Regex::new(unwanted)
                .expect("a regex")
                .is_match(&reading.text)
            {
                complaints.push(format!("says {unwanted:?}"));
            }
        }
        if !complaints.is_empty() {
            failures.push(format!(
                "{} {:?}: {}",
                question.row,
                question.ask.chars().take(80).collect::<String>(),
                complaints.join("; ")
            ));
        }
    }
    assert!(
        failures.is_empty(),
        "{} rows fail:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
