//! A report is written as it is read.

use wsdoctor::case::Report;
use wsdoctor::engine::diagnosis::{SeenFact, VerdictKind};
use wsdoctor::engine::{Diagnosis, Evidence};
use wsdoctor::json::{self, EvidenceJson};
use wsdoctor::probe::{Order, Vantage};

use super::peers::{Peer, Script};
use super::{diagnosed, engine, prober, run};

#[tokio::test]
async fn a_report_handed_in_diagnoses_as_the_probe_did() {
    let peer = Peer::start(Script::Answer {
        status: "502 Bad Gateway",
        extra: "Server: nginx\r\n",
        body: "",
    })
    .await;
    let order = Order::of(format!(
        "ws://{}/ws?token=s3cr3t-value-123456789",
        peer.address
    ));
    let report = run(&prober(), &order).await.expect("allowed");
    let diagnosis = diagnosed(&report);
    let written = serde_json::to_value(json::report(&report, &diagnosis)).expect("JSON");
    assert!(!written.to_string().contains("s3cr3t-value"), "{written:#}");
    for key in [
        "url",
        "started_at",
        "stages",
        "variants",
        "facts",
        "diagnosis",
    ] {
        assert!(!written[key].is_null(), "{key}");
    }
    let evidence: EvidenceJson =
        serde_json::from_value(serde_json::json!({ "probe": written })).expect("evidence");
    let again = engine().diagnose(&[evidence.into_evidence().expect("evidence")]);
    assert_eq!(again.causes[0].id, diagnosis.causes[0].id);
    assert_eq!(again.causes[0].probability, diagnosis.causes[0].probability);
}

#[tokio::test]
async fn a_healthy_probe_beside_a_complaint_says_where_to_look() {
    let peer = Peer::start(Script::Healthy).await;
    let url = format!("ws://{}/ws", peer.address);
    let complaint = Evidence {
        text: Some(format!(
            "WebSocket connection to '{url}' failed: Error in connection establishment: \
             net::ERR_TUNNEL_CONNECTION_FAILED"
        )),
        ..Evidence::default()
    };
    let report = run(&prober(), &Order::of(&url)).await.expect("allowed");
    let diagnosis = engine().diagnose(&[complaint.clone(), report.evidence()]);
    assert_ne!(diagnosis.verdict, VerdictKind::Healthy);
    assert_eq!(diagnosis.causes[0].id, "proxy-corporate");
    let is_seen = |id: &str| diagnosis.symptoms.iter().any(|seen| seen.id == id);
    assert!(is_seen("only-server-reaches-it") && !is_seen("probe-healthy"));
    // From the user's own machine it says that another program works there.
    let own = Order {
        vantage: Vantage::User,
        ..Order::of(&url)
    };
    let report = run(&prober(), &own).await.expect("allowed");
    let diagnosis = engine().diagnose(&[complaint, report.evidence()]);
    let other = |seen: &SeenFact| *seen.fact.key == *"works.other-client";
    assert!(diagnosis.facts.iter().any(other));
    assert_ne!(diagnosis.verdict, VerdictKind::Healthy);
}

/// Headers that every page of a site carries. They speak of policies, origins and limits, and
/// nobody said any of it.
const ORDINARY_HEADERS: &str = "Content-Security-Policy: default-src 'self'; connect-src 'self'\r\n\
     Cross-Origin-Opener-Policy: same-origin\r\n\
     Cross-Origin-Resource-Policy: same-origin\r\n\
     Access-Control-Allow-Origin: https://app.example\r\n\
     Strict-Transport-Security: max-age=31536000\r\n\
     X-Frame-Options: SAMEORIGIN\r\n\
     Permissions-Policy: camera=()\r\n\
     Link: </login>; rel=\"preload\"\r\n\
     X-Note: timeout, certificate expired, bad gateway\r\n";

type Seen = (Report, Diagnosis, Diagnosis);

#[tokio::test]
async fn ordinary_headers_are_nobodys_words() {
    let answer = |extra| Script::Answer {
        status: "502 Bad Gateway",
        extra,
        body: "",
    };
    let plain = Peer::start(answer("Server: nginx\r\n")).await;
    let headers: &'static str = format!("Server: nginx\r\n{ORDINARY_HEADERS}").leak();
    let dressed = Peer::start(answer(headers)).await;
    let mut seen: Vec<Seen> = Vec::new();
    for peer in [&plain, &dressed] {
        let order = Order::of(format!("ws://{}/ws", peer.address));
        let report = run(&prober(), &order).await.expect("allowed");
        let diagnosis = diagnosed(&report);
        let pasted = serde_json::to_string(&json::report(&report, &diagnosis)).expect("JSON");
        let pasted = engine().diagnose(&[Evidence {
            text: Some(pasted),
            ..Evidence::default()
        }]);
        seen.push((report, diagnosis, pasted));
    }
    let (report, ..) = &seen[1];
    assert!(report.exchange.contains("Content-Security-Policy"));
    let symptoms = |of: fn(&Seen) -> &Diagnosis, number: usize| -> Vec<String> {
        let diagnosis = of(&seen[number]);
        let ids = diagnosis.symptoms.iter().map(|one| one.id.to_string());
        ids.collect()
    };
    assert_eq!(symptoms(|one| &one.1, 0), symptoms(|one| &one.1, 1));
    assert_eq!(symptoms(|one| &one.2, 0), symptoms(|one| &one.2, 1));
}
