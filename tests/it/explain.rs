//! Why a cause is as likely as it is, and what would change that.

use axum::http::StatusCode;
use wsdoctor::engine::Evidence;
use wsdoctor::engine::diagnosis::StatedFact;
use wsdoctor::engine::ranking::Numbers;

use crate::support::{ENGINE, TestApp};

const LINE: &str = "WebSocket connection to 'wss://app.example/ws' failed: Error during WebSocket \
                    handshake: Unexpected response code: 400";

fn pasted(text: &str) -> Evidence {
    Evidence {
        text: Some(text.to_owned()),
        ..Evidence::default()
    }
}

/// The factors that are given are all there is: the prior odds times them are the odds, before the
/// last step raises all to the same power.
#[test]
fn the_factors_make_the_odds() {
    let texts = [
        LINE,
        "connect ECONNREFUSED 127.0.0.1:8080",
        "the socket closes after 60 seconds behind nginx with code 1006",
    ];
    for text in texts {
        let evidence = [pasted(text)];
        let odds = |id: &str| {
            let of = ENGINE.explain(&evidence, id).expect("a cause");
            let factors: f64 = of.reasons.iter().map(|e| e.factor.ln()).sum();
            of.probability.ln() / Numbers::default().temperature - of.prior.ln() - factors
        };
        // What is the same for all causes is what "something else" has become.
        let ids = ["tls-cert-expired", "client-offline", "dns-wrong-record"];
        let diagnosis = ENGINE.diagnose(&evidence);
        let likely = diagnosis.causes.iter().filter(|c| c.variants.is_empty());
        let mut all: Vec<(String, f64)> = likely
            .filter(|cause| cause.probability > 0.02)
            .map(|cause| (cause.id.to_string(), odds(&cause.id)))
            .collect();
        all.extend(ids.iter().filter_map(|id| {
            let cause = ENGINE.explain(&evidence, id)?;
            (cause.probability > 0.02).then(|| ((*id).to_owned(), odds(id)))
        }));
        for (id, rest) in &all {
            assert!((rest - all[0].1).abs() < 0.25, "{text}: {id}: {all:?}");
        }
    }
}

/// An answer that is said to make a cause likelier does, by as much as is said.
#[test]
fn what_would_change_the_mind_does() {
    for id in [
        "proxy-upgrade-not-forwarded",
        "handshake-origin-rejected",
        "tls-cert-expired",
    ] {
        let of = ENGINE.explain(&[pasted(LINE)], id).expect("a cause");
        assert!(!of.raises.is_empty(), "{id}");
        for change in of.raises.iter().chain(&of.lowers) {
            let check = ENGINE.graph().check(&change.check).expect("a check");
            let answer = check
                .answers
                .iter()
                .find(|a| a.id == change.answer)
                .expect("an answer");
            let facts = answer.facts.iter().map(|(key, value)| StatedFact {
                key: key.clone(),
                value: value.clone(),
                hop: answer.hop,
                ..StatedFact::default()
            });
            let told = Evidence {
                facts: facts.collect(),
                ..Evidence::default()
            };
            let after = ENGINE.explain(&[pasted(LINE), told], id).expect("a cause");
            assert!(
                (after.probability - change.probability).abs() < 1e-9,
                "{id}, {}: {} is not {}",
                change.check,
                after.probability,
                change.probability
            );
        }
        assert!(
            of.raises
                .iter()
                .all(|change| change.probability > of.probability),
            "{id}"
        );
        assert!(
            of.lowers
                .iter()
                .all(|change| change.probability < of.probability),
            "{id}"
        );
    }
}

/// Every cause has an explanation of every text, also of none.
#[test]
fn every_cause_is_explained() {
    for text in [LINE, "", "no such thing as a socket"] {
        for cause in ENGINE.graph().causes.iter().step_by(17) {
            let of = ENGINE.explain(&[pasted(text)], &cause.id).expect("a cause");
            assert!(of.place >= 1 && of.place <= of.families, "{}", cause.id);
            assert!(of.prior > 0.0 && !of.stage.is_empty(), "{}", cause.id);
            assert!(
                of.rival.is_some_and(|rival| rival.id != cause.id),
                "{}",
                cause.id
            );
        }
    }
    assert!(ENGINE.explain(&[pasted(LINE)], "no-such-cause").is_none());
}

#[test]
fn the_same_line_twice_is_one_connection() {
    let once = ENGINE.diagnose(&[pasted(LINE)]);
    let twice = ENGINE.diagnose(&[pasted(LINE), pasted(LINE)]);
    assert!(twice.notes.is_empty(), "{:?}", twice.notes);
    assert_eq!(once.causes, twice.causes);
    let other = LINE.replace("app.example", "b.example");
    let both = ENGINE.diagnose(&[pasted(LINE), pasted(&other)]);
    assert!(
        both.text.contains("speaks of 2 connections"),
        "{}",
        both.text
    );
    // What another piece says of the same connection counts for it.
    let more = "wss://app.example/ws\nServer: nginx";
    let more = ENGINE.diagnose(&[pasted(LINE), pasted(more)]);
    assert_eq!(more.edge.as_deref(), Some("nginx"));
}

#[tokio::test]
async fn a_case_says_why_not() {
    let test = TestApp::start().await;
    let sent = serde_json::json!({ "text": LINE }).to_string();
    let opened = test.post("/api/v1/cases", "application/json", sent).await;
    let id = opened.json()["id"].as_str().expect("an id").to_owned();
    let api = format!("/api/v1/cases/{id}/causes");
    let answer = test.get(&format!("{api}/tls-cert-expired")).await;
    assert_eq!(answer.status, StatusCode::OK);
    let of = answer.json();
    assert_eq!(of["id"], "tls-cert-expired");
    assert!(of["probability"].as_f64() < Some(0.01), "{of}");
    assert!(
        of["stage"]
            .as_str()
            .is_some_and(|words| words.contains("less likely")),
        "{of}"
    );
    assert!(
        of["raises"]
            .as_array()
            .is_some_and(|raises| !raises.is_empty()),
        "{of}"
    );
    let missing = test.get(&format!("{api}/tls-cert-expird")).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert!(
        missing.body.contains("tls-cert-expired"),
        "{}",
        missing.body
    );
    let missing = test
        .get("/api/v1/cases/nosuchcase/causes/tls-cert-expired")
        .await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);

    let page = test.get(&format!("/cases/{id}/why/tls-cert-expired")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("Why not"), "{}", page.body);
    // The form takes a title, an id, or words.
    let asked = test
        .get(&format!("/cases/{id}/why?cause=TLS-cert-expired"))
        .await;
    assert_eq!(asked.status, StatusCode::SEE_OTHER);
    assert_eq!(
        asked.header("location"),
        format!("/cases/{id}/why/tls-cert-expired")
    );
    let asked = test
        .get(&format!("/cases/{id}/why?cause=certificate+expired"))
        .await;
    assert_eq!(asked.status, StatusCode::OK);
    assert!(
        asked
            .body
            .contains(&format!("/cases/{id}/why/tls-cert-expired"))
    );
    let asked = test
        .get(&format!("/cases/{id}/why?cause=%3Cscript%3E"))
        .await;
    assert_eq!(asked.status, StatusCode::OK);
    assert!(!asked.body.contains("<script>"), "{}", asked.body);
    let missing = test
        .get(&format!("/cases/{id}/why/certificate-expired"))
        .await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert!(
        missing.body.contains("tls-cert-expired"),
        "{}",
        missing.body
    );
}

/// What the factors make, raised to the power that is named, stands to what others make as the
/// probabilities that are said.
#[test]
fn the_number_follows_from_the_factors_by_the_last_step() {
    let evidence = [pasted(
        "Error during WebSocket handshake: Unexpected response code: 404",
    )];
    let causes = ENGINE.diagnose(&evidence).causes;
    let explained: Vec<_> = causes
        .iter()
        .filter(|cause| cause.probability > 0.01)
        .map(|cause| ENGINE.explain(&evidence, &cause.id).expect("a cause"))
        .collect();
    assert!(explained.len() > 1);
    let first = &explained[0];
    for other in &explained[1..] {
        let said = (first.probability / other.probability).ln();
        let made = (first.weighed / other.weighed).ln() * first.last_step.power;
        assert!((said - made).abs() < 0.05, "{said} {made} {}", other.id);
    }
}
