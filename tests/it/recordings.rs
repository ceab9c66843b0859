//! HAR files and network logs, read as they come out of browsers.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use wsdoctor::engine::{Diagnosis, Evidence};

use super::support::{ENGINE, diagnose};

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
        shown.contains("wss://a.example/ws") && shown.contains("\"status\": 403"),
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

/// A socket's request with a secret in every place where one can stand.
const SECRETS: &str = r#"{"log":{"version":"1.2","creator":{"name":"WebInspector"},"pages":[{"title":"https://app.example/room?access_token=p0x86d081884c7d659a2feaa0"}],"entries":[
{"startedDateTime":"2026-03-02T10:14:59.000Z","_resourceType":"websocket","request":{"method":"GET","url":"wss://app.example/ws?token=p1x86d081884c7d659a2feaa0&room=7","headers":[
{"name":"Host","value":"app.example"},
{"name":"Authorization","value":"Bearer p2x86d081884c7d659a2feaa0"},
{"name":"Cookie","value":"sid=p3x86d081884c7d659a2feaa0; theme=dark"},
{"name":"Proxy-Authorization","value":"Basic dXNlcjpwNHg4NmQwODE4ODRjN2Q2NTlhMmZlYWEw"},
{"name":"X-Api-Key","value":"p5x86d081884c7d659a2feaa0"},
{"name":"Sec-WebSocket-Key","value":"SAVgEIk8mnqxWDxz2BdO0g=="},
{"name":"Sec-WebSocket-Protocol","value":"bearer, p6x86d081884c7d659a2feaa0"}],
"queryString":[{"name":"token","value":"p1x86d081884c7d659a2feaa0"},{"name":"access_token","value":"p7x86d081884c7d659a2feaa0"}],
"cookies":[{"name":"sid","value":"p3x86d081884c7d659a2feaa0"}],
"postData":{"mimeType":"application/json","params":[{"name":"password","value":"p8x86d081884c7d659a2feaa0"}],"text":"{\"password\":\"p8x86d081884c7d659a2feaa0\"}"}},
"response":{"status":403,"headers":[{"name":"Server","value":"nginx"},{"name":"Set-Cookie","value":"session=p9x86d081884c7d659a2feaa0; HttpOnly"}],"content":{"text":"{\"error\":\"forbidden\",\"refresh_token\":\"pax86d081884c7d659a2feaa0\"}"}},
"timings":{"receive":1200},
"_webSocketMessages":[
{"type":"send","time":1.5,"opcode":1,"data":"{\"type\":\"connection_init\",\"payload\":{\"authToken\":\"pbx86d081884c7d659a2feaa0\"}}"},
{"type":"send","time":1.6,"opcode":1,"data":"40{\"token\":\"pcx86d081884c7d659a2feaa0\"}"},
{"type":"send","time":1.7,"opcode":1,"data":"CONNECT\nlogin:bob\npasscode:pdx86d081884c7d659a2feaa0\n\n\u0000"},
{"type":"receive","time":1.8,"opcode":1,"data":"{\"error\":\"expired\",\"token\":\"pex86d081884c7d659a2feaa0\"}"}]},
{"request":{"url":"https://app.example/login","headers":[{"name":"Authorization","value":"Bearer pfx86d081884c7d659a2feaa0"}],"postData":{"text":"password=pgx86d081884c7d659a2feaa0"}},"response":{"status":200,"content":{"text":"{\"token\":\"phx86d081884c7d659a2feaa0\"}"}}}
]}}"#;

#[test]
fn no_secret_of_a_recording_is_left() {
    let shown = &diagnose(SECRETS).texts[0];
    assert!(!shown.contains("x86d081884c7d659a2feaa0"), "{shown}");
    assert!(!shown.contains("dXNlcjpw"), "{shown}");
    for kept in [
        "wss://app.example/ws?token=[",
        "room=7",
        "\"status\": 403",
        "SAVgEIk8mnqxWDxz2BdO0g==",
        "nginx",
        "https://app.example/room",
    ] {
        assert!(shown.contains(kept), "{kept} in {shown}");
    }
}

#[test]
fn no_secret_of_a_network_log_is_left() {
    let text = file("netlog/chromium-403.json")
        .replace("ws://app.example:8080/403", "ws://app.example:8080/403?token=p1x86d081884c7d659a2feaa0")
        .replace(
            "\"Upgrade: websocket\"",
            "\"Upgrade: websocket\",\"Cookie: sid=p2x86d081884c7d659a2feaa0; a=b\",\"Authorization: Bearer p3x86d081884c7d659a2feaa0\",\"Sec-WebSocket-Protocol: bearer, p4x86d081884c7d659a2feaa0\",\"X-Auth-Token: p5x86d081884c7d659a2feaa0\"",
        );
    let shown = &diagnose(&text).texts[0];
    assert!(!shown.contains("x86d081884c7d659a2feaa0"), "{shown}");
    assert!(
        shown.contains("ws://app.example:8080/403?token=["),
        "{shown}"
    );
    assert!(shown.contains("Sec-WebSocket-Key: "), "{shown}");
}

#[test]
fn what_chromium_writes() {
    for (har, netlog, fact, cause) in [
        (
            "refused",
            "refused",
            "tcp.connect=refused",
            "tcp-server-not-running",
        ),
        (
            "403",
            "403",
            "handshake.status=403",
            "handshake-origin-rejected",
        ),
        (
            "redirect",
            "redirect",
            "handshake.status=302",
            "handshake-redirect",
        ),
        (
            "closed-unanswered",
            "closed-unanswered",
            "handshake.answer=closed",
            "",
        ),
        ("certificate", "certificate", "tls.fault=untrusted", "tls-"),
        (
            "no-such-name",
            "no-such-name",
            "dns.lookup=not-found",
            "dns-",
        ),
    ] {
        for name in [
            format!("har/devtools-{har}.har"),
            format!("netlog/chromium-{netlog}.json"),
        ] {
            let (diagnosis, told) = told(&name);
            assert!(
                told.iter().any(|one| one.starts_with(fact)),
                "{name}: {told:#?}"
            );
            assert!(
                diagnosis.causes[0].id.starts_with(cause),
                "{name}: {:?}",
                diagnosis.causes[0]
            );
            assert_eq!(
                diagnosis
                    .subject
                    .scheme
                    .as_deref()
                    .map(|scheme| &scheme[..2]),
                Some("ws")
            );
            let wrong = |one: &String| {
                (one.starts_with("dns.lookup") && har != "no-such-name")
                    || one.contains("=timed-out")
                    || one.starts_with("open.seconds")
            };
            assert!(!told.iter().any(wrong), "{name}: {told:#?}");
        }
    }
}

#[test]
fn how_an_open_socket_ended() {
    for (name, expected) in [
        (
            "har/devtools-idle-25-seconds.har",
            &["open.seconds=25.0", "session.idle=yes"][..],
        ),
        (
            "har/devtools-closed-by-server.har",
            &["open.seconds=1.5", "session.idle=no"],
        ),
        (
            "netlog/chromium-idle-25-seconds.json",
            &["open.seconds=25.0", "session.idle=yes", "close.code=1006"],
        ),
        (
            "netlog/chromium-closed-by-server.json",
            &[
                "open.seconds=1.5",
                "session.idle=no",
                "close.initiator=server",
            ],
        ),
    ] {
        let (_, told) = told(name);
        for fact in expected {
            assert!(
                told.iter().any(|one| one.starts_with(fact)),
                "{name}: no {fact} in {told:#?}"
            );
        }
    }
}

#[test]
fn close_frames_have_codes() {
    for (member, code) in [
        (r#""data":"4401 token expired""#, "4401"),
        (r#""data":"","code":1013"#, "1013"),
        ("\"data\":\"\\u0003\\u00f3oops\"", "1011"),
        (r#""data":"EZFiYWQ=""#, "4497"),
    ] {
        let text = format!(
            r#"{{"log":{{"creator":{{"name":"mitmproxy"}},"entries":[{{"request":{{"url":"https://a.example/ws"}},"response":{{"status":101}},"_webSocketMessages":[{{"type":"receive","time":1.0,"opcode":8,{member}}}]}}]}}}}"#
        );
        let diagnosis = diagnose(&text);
        let found = diagnosis
            .facts
            .iter()
            .find(|seen| &*seen.fact.key == "close.code");
        assert_eq!(found.map(|seen| &*seen.fact.value), Some(code), "{member}");
    }
}

#[test]
fn several_recordings_in_one_text() {
    let text = format!(
        "\u{feff}This one fails:\n{}\nand with Firefox:\n{}\nand the log\n{}\nthanks",
        file("har/devtools-403.har"),
        file("har/firefox-401.har"),
        file("netlog/chromium-refused.json"),
    );
    let diagnosis = diagnose(&text);
    for (key, value) in [
        ("handshake.status", "403"),
        ("handshake.status", "401"),
        ("tcp.connect", "refused"),
    ] {
        assert!(
            diagnosis
                .facts
                .iter()
                .any(|seen| &*seen.fact.key == key && &*seen.fact.value == value),
            "{key}={value}"
        );
    }
    let kept = &diagnosis.texts[0];
    assert!(kept.starts_with("This one fails:\n{"), "{kept}");
    assert!(kept.ends_with("}\n\nthanks"), "{kept}");
}

#[test]
fn odd_members_lose_nothing() {
    let text = r#"{"log":{"creator":{"name":"WebInspector"},"entries":[{"request":{"url":"wss://a.example/old","url":"wss://a.example/ws","x":1e999},"response":{"status":0,"status":502,"headers":[{"name":"Server","value":"nginx \ud83d"}]},"timings":{"wait":-1e999,"receive":1e999},"time":NaN}]}}"#;
    let diagnosis = diagnose(text);
    assert!(
        diagnosis
            .facts
            .iter()
            .any(|seen| &*seen.fact.value == "502")
    );
    assert_eq!(diagnosis.subject.path.as_deref(), Some("/ws"));
}

#[test]
fn a_condensed_recording_is_json() {
    for name in [
        "har/devtools-403.har",
        "har/truncated.har",
        "har/number-too-large.har",
        "har/chromium-polling-400-then-socket.har",
        "netlog/chromium-idle-25-seconds.json",
        "netlog/two-connections-truncated.json",
    ] {
        let condensed = wsdoctor::engine::evidence::condensed(&file(name)).into_owned();
        let read: Result<serde::de::IgnoredAny, _> = serde_json::from_str(&condensed);
        assert!(read.is_ok(), "{name}: {read:?}\n{condensed}");
        assert!(condensed.len() < file(name).len(), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_kept_of_a_recording_diagnoses_the_same(name in proptest::sample::select(vec!["har/devtools-403.har", "har/chromium-polling-400-then-socket.har", "har/lone-surrogate.har", "netlog/chromium-closed-by-server.json", "netlog/403-behind-a-proxy.json"]), cut in 0_usize..30_000, words in "[a-z {}\",:=\\\\]{0,40}") {
        let whole: String = file(name).chars().take(cut).collect();
        let evidence = Evidence { text: Some(format!("{words}{whole}{words}")), ..Evidence::default() };
        let kept = evidence.redacted();
        prop_assert_eq!(&kept.redacted(), &kept);
        let (first, again) = (ENGINE.diagnose(&[evidence]), ENGINE.diagnose(&[kept]));
        prop_assert_eq!(first.causes, again.causes);
        prop_assert_eq!(first.text, again.text);
        prop_assert_eq!(first.texts, again.texts);
    }

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
