//! A report is written as it is read.

use wsdoctor::engine::Evidence;
use wsdoctor::engine::diagnosis::{SeenFact, VerdictKind};
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
