//! A report is written as it is read.

use wsdoctor::json::{self, EvidenceJson};
use wsdoctor::probe::Order;

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
