//! HAR files and network logs, read as they come out of browsers.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use wsdoctor::engine::Diagnosis;

use super::support::diagnose;

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/evidence")
        .join(name);
    fs::read_to_string(path).expect("the sample is there")
}

/// What is said of the diagnosed connection and of all: `key=value "words"`.
fn told(name: &str) -> (Diagnosis, Vec<String>) {
    let diagnosis = diagnose(&file(name));
    let told = diagnosis
        .facts
        .iter()
        .map(|seen| {
            let span = seen.fact.span.expect("a recording's facts have places");
            let words = &diagnosis.texts[0][span.start..span.end];
            format!("{}={} {words:?}", seen.fact.key, seen.fact.value)
        })
        .collect();
    (diagnosis, told)
}

#[track_caller]
fn tells(name: &str, expected: &[&str], cause: &str) {
    let (diagnosis, told) = told(name);
    for fact in expected {
        assert!(
            told.iter().any(|one| one == fact),
            "{name}: no {fact} in {told:#?}"
        );
    }
    let names: Vec<&str> = diagnosis
        .causes
        .iter()
        .take(3)
        .map(|cause| cause.id.as_str())
        .collect();
    assert!(names.contains(&cause), "{name}: {names:?} {told:#?}");
    assert!(
        !told
            .iter()
            .any(|fact| fact.contains("504") || fact.starts_with("tls.fault")),
        "{name}: bodies are not read: {told:#?}"
    );
}

#[test]
fn a_socket_that_was_closed() {
    tells(
        "har/chromium-closed-after-60-seconds.har",
        &[
            "url.scheme=wss \"wss://app.example/ws\"",
            "handshake.status=101 \"101\"",
            "handshake.opened=yes \"101\"",
            "edge.server=nginx \"nginx/1.28.0\"",
            "open.seconds=60.0 \"60012.5\"",
            "session.idle=yes \"60012.5\"",
            "page.scheme=https \"https://app.example\"",
        ],
        "proxy-idle-timeout",
    );
    let (_, told) = told("har/chromium-closed-after-60-seconds.har");
    assert!(
        !told.iter().any(|fact| fact.starts_with("tcp.connect")),
        "{told:#?}"
    );
}

#[test]
fn sockets_that_did_not_open() {
    tells(
        "har/chromium-refused.har",
        &["tcp.connect=refused \"Error in connection establishment: net::ERR_CONNECTION_REFUSED\""],
        "tcp-server-not-running",
    );
    tells(
        "har/chromium-refused-ipv6.har",
        &[
            "tcp.connect=refused \"net::ERR_CONNECTION_REFUSED\"",
            "tcp.address.kind=ipv6-loopback \"[::1]\"",
            "url.host.kind=loopback \"ws://localhost:8080/ws\"",
        ],
        "tcp-server-not-running",
    );
    tells(
        "har/chromium-403.har",
        &[
            "handshake.status=403 \"403\"",
            "edge.server=cloudflare \"cloudflare\"",
            "url.path=/ws \"wss://app.example/ws?token=[token:1]\"",
        ],
        "handshake-origin-rejected",
    );
    tells(
        "har/chromium-502.har",
        &[
            "handshake.status=502 \"502\"",
            "edge.server=nginx \"nginx/1.28.0\"",
        ],
        "proxy-upstream-down",
    );
    tells(
        "har/chromium-redirect.har",
        &[
            "handshake.status=301 \"301\"",
            "handshake.redirect=https \"https://app.example/ws\"",
        ],
        "handshake-redirect",
    );
}

#[test]
fn the_connection_that_fails_is_diagnosed() {
    let (diagnosis, _) = told("har/chromium-two-connections.har");
    assert_eq!(diagnosis.subject.path.as_deref(), Some("/chat"));
    assert_eq!(
        diagnosis
            .symptoms
            .iter()
            .filter(|symptom| symptom.id.starts_with("handshake-"))
            .count(),
        1
    );
    let (diagnosis, told) = told("har/chromium-h2.har");
    assert_eq!(diagnosis.subject.path.as_deref(), Some("/other"));
    assert!(
        told.contains(&"handshake.request=http-2 \"h2\"".to_owned()),
        "{told:#?}"
    );
    assert!(
        !told
            .iter()
            .any(|fact| fact.starts_with("handshake.status=200"))
    );
}

#[test]
fn polling_before_the_socket() {
    for name in [
        "har/chromium-polling-400-then-socket.har",
        "har/chromium-polling-only.har",
    ] {
        tells(
            name,
            &[
                "handshake.status=400 \"400\"",
                "client.fault=polling-error \"400\"",
            ],
            "proxy-sticky-sessions",
        );
    }
}

#[test]
fn firefox() {
    tells(
        "har/firefox-401.har",
        &[
            "handshake.status=401 \"401\"",
            "edge.server=application \"uvicorn\"",
        ],
        "handshake-auth",
    );
    tells(
        "har/firefox-no-answer.har",
        &["tcp.connect=timed-out \"0\""],
        "tcp-firewall-drop",
    );
    let (diagnosis, told) = told("har/firefox-101.har");
    assert!(told.contains(&"url.scheme=wss \"https://app.example/ws\"".to_owned()));
    assert!(!told.iter().any(|fact| fact.starts_with("open.seconds")));
    assert_eq!(diagnosis.subject.host.as_deref(), Some("app.example"));
}

#[test]
fn damaged_files_lose_nothing_else() {
    for name in [
        "har/truncated.har",
        "har/number-too-large.har",
        "har/lone-surrogate.har",
    ] {
        tells(
            name,
            &[
                "handshake.status=502 \"502\"",
                "edge.server=nginx \"nginx/1.28.0\"",
            ],
            "proxy-upstream-down",
        );
    }
}

#[test]
fn network_logs() {
    tells(
        "netlog/refused.json",
        &[
            "tcp.connect=refused \"-102\"",
            "url.host=app.example \"wss://app.example/ws\"",
        ],
        "tcp-server-not-running",
    );
    let (diagnosis, told) = told("netlog/certificate.json");
    assert!(
        told.iter()
            .any(|fact| fact.starts_with("tls.fault=") && fact.ends_with("\"-201\"")),
        "{told:#?}"
    );
    assert!(
        diagnosis.causes[0].id.starts_with("tls-"),
        "{:?}",
        diagnosis.causes[0].id
    );
    tells(
        "netlog/403-behind-a-proxy.json",
        &[
            "handshake.status=403 \"HTTP/1.1 403 Forbidden\"",
            "edge.server=nginx \"server: nginx/1.28.0\"",
            "environment.outgoing-proxy=yes \"PROXY proxy.corp.example:3128;DIRECT\"",
        ],
        "handshake-origin-rejected",
    );
    tells(
        "netlog/two-connections-truncated.json",
        &[
            "handshake.status=404 \"HTTP/1.1 404 Not Found\"",
            "handshake.opened=yes \"HTTP/1.1 101 Switching Protocols\"",
        ],
        "proxy-path-routing",
    );
    let cut = diagnose(&file("netlog/two-connections-truncated.json"));
    assert_eq!(cut.subject.path.as_deref(), Some("/chat"));
    assert!(!cut.facts.iter().any(|seen| &*seen.fact.key == "dns.lookup"));
}

#[test]
fn secrets_of_a_recording_are_taken_out() {
    let secret = "9f86d081884c7d659a2feaa0c55ad015";
    for name in [
        "har/chromium-403.har",
        "har/firefox-401.har",
        "netlog/403-behind-a-proxy.json",
    ] {
        let (diagnosis, _) = told(name);
        assert!(!diagnosis.texts[0].contains(secret), "{name}");
        assert!(!diagnosis.texts[0].contains("aGVsbG8td29ybGQ"), "{name}");
    }
    // Minified, and the value before the name.
    let text = r#"{"log":{"version":"1.2","creator":{"name":"x"},"entries":[{"request":{"url":"wss://a.example/ws","cookies":[{"value":"9f86d081884c7d659a2feaa0c55ad015","name":"session"},{"path":"/","name":"sid","value":"zz86d081884c7d659a2feaa0c55ad0zz"}],"headers":[{"value":"Bearer qq86d081884c7d659a2feaa0c55ad0qq","name":"Authorization"},{"value":"pp86d081884c7d659a2feaa0c55ad0pp","name":"X-Api-Key"}],"queryString":[{"name":"token","value":"ww86d081884c7d659a2feaa0c55ad0ww"},{"value":"vv86d081884c7d659a2feaa0c55ad0vv","name":"access_token"}],"postData":{"mimeType":"application/x-www-form-urlencoded","params":[{"name":"password","value":"tt86d081884c7d659a2feaa0c55ad0tt"}],"text":"user=a&password=ss86d081884c7d659a2feaa0c55ad0ss"}},"response":{"status":403}}]}}"#;
    let shown = &diagnose(text).texts[0];
    assert!(!shown.contains("86d081884c7d659a2feaa0c55ad0"), "{shown}");
    assert!(
        shown.contains("wss://a.example/ws") && shown.contains("\"status\":403"),
        "{shown}"
    );
}

#[test]
fn what_is_written_around_it_is_read_too() {
    let text = format!(
        "It works on localhost, but behind nginx it fails.\n{}\nnginx: connect() failed (111: Connection refused) while connecting to upstream\n",
        file("har/chromium-502.har")
    );
    let diagnosis = diagnose(&text);
    let upstream = diagnosis
        .facts
        .iter()
        .find(|seen| &*seen.fact.key == "tcp.connect")
        .expect("the words behind the recording");
    assert!(
        upstream
            .quote
            .as_deref()
            .is_some_and(|words| words.contains("refused"))
    );
    assert!(
        diagnosis
            .facts
            .iter()
            .any(|seen| &*seen.fact.key == "handshake.status")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_cut_is_read(name in proptest::sample::select(vec!["har/chromium-403.har", "har/chromium-polling-400-then-socket.har", "har/firefox-401.har", "har/lone-surrogate.har", "netlog/403-behind-a-proxy.json"]), from in 0_usize..12_000, length in 0_usize..12_000, gone in 0_usize..200) {
        let letters: Vec<char> = file(name).chars().collect();
        let mut text: String = letters.iter().skip(from.saturating_sub(6_000)).take(length).collect();
        text.extend(letters.iter().skip(from + length + gone));
        let diagnosis = diagnose(&text);
        for seen in &diagnosis.facts {
            if let Some(span) = seen.fact.span {
                prop_assert!(diagnosis.texts[0].get(span.start..span.end).is_some());
            }
        }
    }
}
