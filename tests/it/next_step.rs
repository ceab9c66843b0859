//! Who is at hand counts, steps that need the same at hand are done together, and nothing is asked
//! twice.

use serde_json::json;
use wsdoctor::engine::evidence::{Context, Reach};
use wsdoctor::engine::graph::{CheckKind, Who};
use wsdoctor::engine::next_step::StepKind;
use wsdoctor::engine::{Diagnosis, Evidence};

use crate::support::{ENGINE, TestApp};

const REFUSED: &str = "WebSocket connection to 'ws://app.example:8080/ws' failed: Error in \
                       connection establishment: net::ERR_CONNECTION_REFUSED";
const NOT_PASSED_ON: &str = "Unexpected server response: 426\nServer: nginx\n\
                             proxy_pass http://127.0.0.1:8080; without upgrade headers";

fn with(text: &str, can: &[Who], answered: &[&str]) -> Diagnosis {
    ENGINE.diagnose(&[Evidence {
        text: Some(text.to_owned()),
        context: Context {
            can: can.to_vec(),
            ..Context::default()
        },
        answered: answered.iter().map(|id| (*id).to_owned()).collect(),
        ..Evidence::default()
    }])
}

#[test]
fn every_check_says_what_it_needs() {
    for check in &ENGINE.graph().checks {
        assert!(check.access.is_some(), "{}", check.id);
    }
}

#[test]
fn the_causes_do_not_depend_on_who_is_at_hand() {
    let (all, one) = (with(REFUSED, &[], &[]), with(REFUSED, &[Who::User], &[]));
    assert_eq!(all.causes, one.causes);
}

#[test]
fn those_at_hand_are_asked_first() {
    // What people know out of their heads was asked already.
    let questions = ENGINE.graph().checks.iter();
    let asked: Vec<&str> = questions
        .filter(|check| check.kind == CheckKind::Question)
        .map(|check| check.id.as_str())
        .collect();
    let step = |can: &[Who]| with(REFUSED, can, &asked).next_step;
    assert_eq!(step(&[]).who, Who::ServerAdmin);
    let helpdesk = step(&[Who::Helpdesk, Who::User]);
    let is_theirs = matches!(helpdesk.who, Who::Helpdesk | Who::User);
    assert!(
        is_theirs || helpdesk.kind == StepKind::HandOver,
        "{helpdesk:?}"
    );
}

#[test]
fn a_fix_of_others_is_handed_over_to_them() {
    let everybody = with(NOT_PASSED_ON, &[], &[]);
    assert_eq!(
        everybody.next_step.kind,
        StepKind::Fix,
        "{:?}",
        everybody.next_step
    );
    let user = with(NOT_PASSED_ON, &[Who::User], &[]).next_step;
    assert_eq!(
        (user.kind, user.who),
        (StepKind::HandOver, Who::ServerAdmin)
    );
    assert!(user.why.contains("server admin"), "{}", user.why);
}

#[test]
fn nothing_is_asked_twice() {
    let mut answered: Vec<String> = Vec::new();
    for _ in 0..12 {
        let known: Vec<&str> = answered.iter().map(String::as_str).collect();
        let found = with(REFUSED, &[], &known);
        let step = &found.next_step;
        if !matches!(step.kind, StepKind::Check | StepKind::Question) {
            break;
        }
        assert!(!answered.contains(&step.id), "{}", step.id);
        assert!(
            found
                .along
                .iter()
                .all(|other| !answered.contains(&other.id) && other.id != step.id)
        );
        answered.push(step.id.clone());
    }
    assert!(!answered.is_empty());
}

#[test]
fn what_was_told_unasked_is_not_asked() {
    for text in [
        "The socket fails in production. On my machine it works.",
        "It closes with 1006. It works without nginx.",
        "The socket fails. In Chrome it works, in Firefox it does not.",
    ] {
        let step = with(text, &[], &[]).next_step;
        assert_ne!(step.id, "where-does-it-work", "{text}");
    }
    let nothing_told = with("It disconnects with 1006 every time", &[], &[]);
    assert_eq!(nothing_told.next_step.id, "where-does-it-work");
}

#[test]
fn what_is_done_along_needs_the_same_at_hand() {
    let mut offered = 0;
    for cause in &ENGINE.graph().causes {
        for test in cause.tests.iter().take(1) {
            let found = with(&test.input, &[], &[]);
            for other in &found.along {
                offered += 1;
                let check = ENGINE.graph().check(&other.id).expect("a check");
                assert_eq!(Some(check.access()), found.access, "{}", cause.id);
            }
        }
    }
    assert!(offered > 0, "nothing is ever bundled");
}

#[tokio::test]
async fn a_case_keeps_who_is_at_hand_and_asks_nothing_twice() {
    let test = TestApp::start().await;
    let body = json!({"text": REFUSED, "context": {"can": ["helpdesk"]}});
    let opened = test.post_json("/api/v1/cases", &body).await.json();
    let id = opened["id"].as_str().expect("an id");
    let step = opened["diagnosis"]["next_step"]["id"]
        .as_str()
        .expect("a step");
    let form = "application/x-www-form-urlencoded";
    let path = format!("/cases/{id}/can");
    let sent = test
        .post(&path, form, "can=server+admin&can=nobody".to_owned())
        .await;
    assert_eq!(
        sent.status,
        axum::http::StatusCode::SEE_OTHER,
        "{}",
        sent.body
    );
    let page = test.get(&format!("/cases/{id}")).await.body;
    assert!(page.contains("value=\"server admin\" checked"), "{page}");
    assert!(page.contains("At hand: whoever runs the server"), "{page}");
    let case = test.get(&format!("/api/v1/cases/{id}")).await.json();
    let step = case["diagnosis"]["next_step"]["id"]
        .as_str()
        .unwrap_or(step)
        .to_owned();
    let path = format!("/api/v1/cases/{id}/answers");
    let body = json!({"step": step, "answer": "cannot-tell", "revision": case["revision"]});
    let after = test.post_json(&path, &body).await.json();
    assert_ne!(
        after["diagnosis"]["next_step"]["id"],
        json!(step),
        "{after}"
    );
    let wrong = json!({"text": REFUSED, "context": {"can": ["the cat"]}});
    let refused = test.post_json("/api/v1/diagnoses", &wrong).await;
    assert_eq!(refused.status, axum::http::StatusCode::UNPROCESSABLE_ENTITY);
}

/// A browser's line that hides the reason, of a host that can be looked at.
const HIDDEN: &str = "WebSocket connection to 'wss://chat.acme.io/ws' failed: ";

fn within(reach: Reach, text: &str, answered: &[&str]) -> StepKind {
    let found = ENGINE.diagnose(&[Evidence {
        text: Some(text.to_owned()),
        context: Context {
            reach,
            ..Context::default()
        },
        answered: answered.iter().map(|id| (*id).to_owned()).collect(),
        ..Evidence::default()
    }]);
    assert!(found.along.iter().all(|step| step.kind != StepKind::Probe));
    found.next_step.kind
}

#[test]
fn where_the_reason_is_hidden_the_service_looks_for_itself() {
    assert_eq!(within(Reach::Public, HIDDEN, &[]), StepKind::Probe);
    for line in [
        "WebSocket connection to 'ws://localhost:8080/ws' failed: ",
        "WebSocket connection to 'ws://192.168.1.7:8080/ws' failed: ",
        "WebSocket connection to 'wss://chat.example.com/ws' failed: ",
        "WebSocket connection to 'wss://backend/ws' failed: ",
        "WebSocket connection failed: ",
    ] {
        assert_ne!(within(Reach::Public, line, &[]), StepKind::Probe, "{line}");
    }
    let inside = HIDDEN.replace("wss://chat.acme.io", "ws://192.168.1.7:8080");
    assert_eq!(within(Reach::Inside, &inside, &[]), StepKind::Probe);
}

#[test]
fn no_probe_is_asked_for_where_none_is_possible_or_one_was_made() {
    assert_ne!(within(Reach::Nowhere, HIDDEN, &[]), StepKind::Probe);
    // One probe tells all that probes tell.
    for check in ["probe-the-address", "probe-the-handshake"] {
        let kind = within(Reach::Public, HIDDEN, &[check]);
        assert_ne!(kind, StepKind::Probe, "{check}");
    }
}

#[test]
fn what_a_probe_would_most_likely_see_again_is_no_reason_for_one() {
    let known = "WebSocket connection to 'wss://chat.acme.io/ws' failed: Error in connection \
                 establishment: net::ERR_CERT_DATE_INVALID";
    assert_ne!(within(Reach::Public, known, &[]), StepKind::Probe);
    let refused = "WebSocket connection to 'wss://chat.acme.io/ws' failed: Error during WebSocket \
                   handshake: Unexpected response code: 403";
    assert_eq!(within(Reach::Public, refused, &[]), StepKind::Probe);
}

#[test]
fn nobody_is_waited_for_to_probe() {
    let found = ENGINE.diagnose(&[Evidence {
        text: Some(HIDDEN.to_owned()),
        context: Context {
            reach: Reach::Public,
            can: vec![Who::User],
            ..Context::default()
        },
        ..Evidence::default()
    }]);
    assert_eq!(found.next_step.kind, StepKind::Probe);
}

/// Whoever pastes a browser's bare message is first asked what they know anyway, and sent to a command
/// line or a server only then.
#[test]
fn what_people_know_is_asked_first() {
    let bare = [
        "WebSocket connection to 'wss://app.example/ws' failed: ",
        "WebSocket connection to 'wss://app.example/ws' failed: Error during WebSocket handshake: \
         Unexpected response code: 404",
        "code: 1006, wasClean: false",
        REFUSED,
    ];
    for text in bare {
        let mut answered: Vec<&str> = Vec::new();
        let mut steps = Vec::new();
        for _ in 0..2 {
            let step = with(text, &[], &answered).next_step;
            let check = ENGINE.graph().checks.iter().find(|c| c.id == step.id);
            let check = check.unwrap_or_else(|| panic!("{text}: {step:?}"));
            answered.push(&check.id);
            steps.push((step.kind, step.minutes));
        }
        let questions = steps.iter().filter(|(kind, _)| *kind == StepKind::Question);
        assert_eq!(questions.count(), 2, "{text}: {answered:?}");
        assert!(
            steps.iter().all(|(_, minutes)| *minutes <= 0.5),
            "{answered:?}"
        );
    }
}

/// Where a cause is as good as certain nobody is asked for the sake of asking.
#[test]
fn the_certain_is_fixed_without_questions() {
    for text in [
        "net::ERR_CERT_COMMON_NAME_INVALID",
        "Refused to connect to 'wss://a.example/ws' because it violates the following Content \
         Security Policy directive: \"connect-src 'self'\".",
    ] {
        let found = with(text, &[], &[]);
        let is_clear = found.causes.first().is_some_and(|c| c.probability >= 0.95);
        if is_clear {
            assert_ne!(
                found.next_step.kind,
                StepKind::Question,
                "{:?}",
                found.next_step
            );
        }
    }
}
