use super::super::reading::is_within;
use super::super::{Span, addresses};
use super::*;

fn read(text: &str) -> Reading {
    let mut all = readings(&Contents::of(text), &addresses(text));
    all.pop().unwrap_or_default()
}

/// Whether wordings tell nothing on the line that holds the words.
fn is_silent(text: &str, words: &str) -> bool {
    let mut spans = read(text).owned;
    spans.sort_unstable();
    let start = text.find(words).expect(words);
    is_within(
        &spans,
        Span {
            start,
            end: start + words.len(),
        },
    )
}

const SOCKET: &str = "WebSocket connection to 'wss://app.example/ws' failed: \n";

#[test]
fn frames_are_told_from_messages() {
    for frame in [
        "at new Live (https://www.example.org/static/app.js:23:17)",
        "at https://www.example.org/static/app.js:99:1",
        "connect@https://app.example/x.js:3:14",
        "(anonymous) @ main.4f2a.js:1",
        "open @ VM56:35",
    ] {
        assert!(is_frame(frame), "{frame}");
    }
    for message in [
        "connect ECONNREFUSED 127.0.0.1:8080",
        "WebSocket connection to 'ws://a.example/x' failed:",
        "listening at 127.0.0.1:8080",
        "dial tcp a@203.0.113.7:80",
        "closed: 1006",
    ] {
        assert!(!is_frame(message), "{message}");
    }
}

#[test]
fn other_requests_tell_nothing_of_the_socket() {
    for other in [
        "POST https://stats.example.net/e net::ERR_BLOCKED_BY_CLIENT",
        "GET https://app.example/favicon.ico 404 (Not Found)",
        "GET https://api.example/me 401 (Unauthorized)",
        "DevTools failed to load source map: net::ERR_FILE_NOT_FOUND",
        "[Error] Failed to load resource: the server responded with a status of 404 () (a.png, line 0)",
    ] {
        assert!(is_silent(&format!("{SOCKET}{other}"), other), "{other}");
    }
    for own in [
        "GET https://app.example/socket.io/?EIO=4&transport=polling 400 (Bad Request)",
        "GET https://app.example/api/me net::ERR_CONNECTION_REFUSED",
        "GET https://app.example/ws 426 (Upgrade Required)",
        "closed with code 1006",
    ] {
        assert!(!is_silent(&format!("{SOCKET}{own}"), own), "{own}");
    }
    let alone = "GET https://app.example/live 404 (Not Found)";
    assert!(!is_silent(alone, alone));
}

#[test]
fn a_refusal_gives_way_to_the_report_on_why_also_in_its_own_line() {
    let report = "Mixed Content: attempted to connect to the insecure WebSocket endpoint 'ws://a.example/ws'.\n";
    let bare = "Uncaught DOMException: The operation is insecure.";
    assert!(is_silent(&format!("{report}{bare}"), bare));
    assert!(!is_silent(&format!("{SOCKET}{bare}"), bare));
    for telling in [
        "SecurityError: An insecure WebSocket connection may not be initiated. The operation is insecure.",
        "Refused, because it violates the following directive: The operation is insecure",
        "The certificate is not trusted. The operation is insecure.",
    ] {
        assert!(
            !is_silent(&format!("{report}{telling}"), telling),
            "{telling}"
        );
    }
}

#[test]
fn a_policy_that_lacks_the_address_is_told() {
    let report = |directive: &str| {
        let text = format!(
            "Refused to connect to 'wss://live.example.org/socket' because it violates the following Content Security Policy directive: \"{directive}\"."
        );
        let reading = read(&text);
        let findings = reading.findings.iter();
        let values: Vec<String> = findings.map(|finding| finding.value.clone()).collect();
        (values, reading.regions.len())
    };
    assert_eq!(
        report("connect-src 'self' wss://chat.example.org"),
        (vec!["missing".to_owned()], 1)
    );
    assert_eq!(report("default-src https:").0, Vec::<String>::new());
    assert_eq!(
        report("connect-src wss://*.example.org").0,
        Vec::<String>::new()
    );
    assert_eq!(report("connect-src ws://live.example.com:*").0, ["missing"]);
}
