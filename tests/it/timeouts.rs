//! Limits of time: those that fit a diagnosis, and where they are listed.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde_json::json;
use wsdoctor::engine::diagnosis::StatedFact;
use wsdoctor::engine::graph::TimeoutKind;
use wsdoctor::engine::timeouts::Match;
use wsdoctor::engine::{Diagnosis, Evidence};
use wsdoctor::report;

use crate::support::{ENGINE, TestApp};

fn diagnosed(facts: &[(&str, &str)]) -> Diagnosis {
    let facts = facts
        .iter()
        .map(|(key, value)| StatedFact {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
            ..StatedFact::default()
        })
        .collect();
    ENGINE.diagnose(&[Evidence {
        facts,
        ..Evidence::default()
    }])
}

fn first(facts: &[(&str, &str)]) -> String {
    diagnosed(facts)
        .timeouts
        .first()
        .map(|candidate| candidate.timeout.id.clone())
        .unwrap_or_default()
}

#[test]
fn there_are_many_and_their_causes_agree_with_their_seconds() {
    // That each limit lies in the ranges of its cause's symptoms, or says why not, is an error of
    // the check; the shipped knowledge has none.
    let timeouts = &ENGINE.graph().timeouts;
    assert!(timeouts.len() >= 80, "{}", timeouts.len());
    let unexplained: Vec<&str> = timeouts
        .iter()
        .filter(|timeout| ENGINE.graph().cause(&timeout.cause).is_none())
        .map(|timeout| timeout.id.as_str())
        .collect();
    assert!(unexplained.is_empty(), "{unexplained:?}");
}

#[test]
fn the_product_that_is_named_comes_first() {
    let lived = |edge: &str, seconds: &str| {
        first(&[
            ("handshake.status", "101"),
            ("edge.server", edge),
            ("open.seconds", seconds),
        ])
    };
    assert_eq!(lived("nginx", "60.1"), "nginx-proxy-read-timeout");
    assert_eq!(lived("apache", "60.0"), "apache-timeout");
    assert_eq!(lived("aws", "600.2"), "aws-api-gateway-idle");
    assert_eq!(lived("aws", "7200"), "aws-api-gateway-lifetime");
    assert_eq!(
        lived("cloudflare", "100.4"),
        "cloudflare-proxy-read-timeout"
    );
    assert_eq!(lived("haproxy", "50.0"), "haproxy-timeout-client-50");
    assert_eq!(lived("envoy", "300"), "envoy-stream-idle-timeout");
    let heroku = [
        ("edge.server", "platform"),
        ("edge.product", "heroku"),
        ("open.seconds", "55.2"),
    ];
    assert_eq!(first(&heroku), "heroku-idle");
    let diagnosis = diagnosed(&heroku);
    assert_eq!(diagnosis.timeouts[0].matching, Match::Named);
    assert!(diagnosis.timeouts.len() <= 6);
}

#[test]
fn attempts_and_open_connections_meet_different_limits() {
    let attempt = diagnosed(&[
        ("client.engine", "firefox"),
        ("handshake.answer", "timed-out"),
        ("handshake.seconds", "20.0"),
    ]);
    assert_eq!(attempt.timeouts[0].timeout.id, "firefox-handshake");
    let kinds: BTreeSet<TimeoutKind> = attempt
        .timeouts
        .iter()
        .map(|candidate| candidate.timeout.kind)
        .collect();
    assert_eq!(kinds, BTreeSet::from([TimeoutKind::Handshake]));
    let open = diagnosed(&[("open.seconds", "20.0")]);
    assert!(
        open.timeouts
            .iter()
            .all(|candidate| candidate.timeout.kind != TimeoutKind::Handshake)
    );
    assert!(diagnosed(&[("close.code", "1006")]).timeouts.is_empty());
}

#[test]
fn reports_tell_them() {
    let diagnosis = diagnosed(&[("edge.server", "nginx"), ("open.seconds", "60.0")]);
    let text = report::text(&diagnosis);
    assert!(
        text.contains("It lived 60.0 seconds. Limits of that length:")
            && text.contains("proxy_read_timeout"),
        "{text}"
    );
    let markdown = report::markdown(&diagnosis, None);
    assert!(markdown.contains("## Time-outs"), "{markdown}");
}

#[tokio::test]
async fn programs_and_people_can_look_them_up() {
    let test = TestApp::start().await;
    let listed = test.get("/api/v1/timeouts?seconds=60").await.json();
    let listed = listed.as_array().expect("a list");
    assert!(listed.len() > 10);
    assert!(
        listed
            .iter()
            .all(|timeout| (57.0..=61.0).contains(&timeout["seconds"].as_f64().expect("a number")))
    );
    let all = test.get("/api/v1/timeouts").await.json();
    assert_eq!(
        all.as_array().expect("a list").len(),
        ENGINE.graph().timeouts.len()
    );
    let wrong = test.get("/api/v1/timeouts?seconds=soon").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);

    let page = test.get("/timeouts").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("id=\"heroku-idle\""));
    let page = test.get("/timeouts?seconds=4+minutes").await;
    assert!(page.body.contains("Azure Load Balancer"));
    assert!(!page.body.contains("id=\"heroku-idle\""));

    let found = test.get("/api/v1/search?q=heroku+idle+55").await.body;
    assert!(found.contains("/timeouts#heroku-idle"), "{found}");
}

#[tokio::test]
async fn a_case_shows_the_limits_that_fit() {
    let test = TestApp::start().await;
    let evidence = json!({
        "text": "WebSocket closed 1006",
        "context": { "edge": ["nginx"], "fails_after_seconds": 60 },
    });
    let case = test.post_json("/api/v1/cases", &evidence).await.json();
    let timeouts = &case["diagnosis"]["timeouts"];
    assert_eq!(timeouts[0]["match"], "named");
    assert_eq!(timeouts[0]["cause"], "proxy-idle-timeout-nginx");
    let id = case["id"].as_str().expect("an id");
    let page = test.get(&format!("/cases/{id}")).await.body;
    assert!(page.contains("It lived 60.0 seconds. Limits of that length:"));
    assert!(page.contains("/timeouts#nginx-proxy-read-timeout"));
}
