//! Any text: no panic, spans that point at their words, the same again after redaction.

use std::collections::BTreeSet;
use std::fs;
use std::sync::LazyLock;

use proptest::prelude::*;
use wsdoctor::engine::{Diagnosis, Evidence};

use crate::samples::samples;
use crate::support::{ENGINE, diagnose};

/// Pieces of which pastes are made.
const PIECES: &[&str] = &[
    "WebSocket connection to 'wss://app.example:8443/ws?token=abcdef1234567890' failed: ",
    "Error during WebSocket handshake: Unexpected response code: 502\n",
    "net::ERR_CONNECTION_REFUSED",
    "connect ECONNREFUSED ::1:8080\n",
    "code=1006 reason=\"\" wasClean=false\n",
    "Firefox can’t establish a connection to the server at ws://localhost:8080/ws.",
    "\u{0}",
    "é漢字\u{202e}",
    "\r\n",
    "2026/11/20 20:52:22 [error] 1#1: *1 upstream timed out (110: Connection timed out) while reading response header from upstream\n",
    "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl\n",
    "http://[::1",
    "://",
    "wss://",
    "ws://[::1]:99999/",
    "'",
    "\"",
    "{",
    "}",
    "certificate has expired",
    " works locally but not in production ",
    "websockets.exceptions.ConnectionClosedError: received 1011",
];

/// The texts of all samples.
static SAMPLES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let files = samples().into_values().flatten();
    files
        .map(|file| String::from_utf8_lossy(&fs::read(file).expect("a sample")).into_owned())
        .collect()
});

/// Large recordings cost a whole property test's time; the fuzzer has them too.
const LONGEST_SAMPLE: usize = 20_000;

fn any_sample() -> impl Strategy<Value = &'static str> {
    let short: Vec<&str> = SAMPLES
        .iter()
        .map(String::as_str)
        .filter(|sample| sample.len() <= LONGEST_SAMPLE)
        .collect();
    proptest::sample::select(short)
}

fn spans_point_at_their_words(text: &str) -> Diagnosis {
    let diagnosis = diagnose(text);
    for seen in &diagnosis.facts {
        let (Some(span), Some((line, column)), Some(length)) =
            (seen.fact.span, seen.place, seen.length)
        else {
            continue;
        };
        let whole = &diagnosis.texts[seen.fact.evidence];
        let words = &whole[span.start..span.end];
        let at: String = whole
            .split('\n')
            .skip(line - 1)
            .collect::<Vec<_>>()
            .join("\n")
            .chars()
            .skip(column - 1)
            .take(length)
            .collect();
        assert_eq!(at, words);
    }
    let sum: f64 = diagnosis
        .causes
        .iter()
        .map(|cause| cause.probability)
        .sum::<f64>()
        + diagnosis.other_probability;
    assert!((sum - 1.0).abs() < 0.001, "{sum}");
    diagnosis
}

/// Key, value and place of every fact that was read from the text before `end`.
fn facts_before(diagnosis: &Diagnosis, end: usize) -> BTreeSet<(String, String, usize)> {
    let facts = diagnosis.facts.iter().map(|seen| &seen.fact);
    facts
        .filter_map(|fact| {
            let span = fact.span.filter(|span| span.end <= end)?;
            // What was observed stays so. Which addresses tell something, and what a configuration
            // amounts to, depends on the rest of the text.
            let observed = ["dns.", "tcp.", "tls.", "handshake.", "close."];
            if !observed.iter().any(|key| fact.key.starts_with(key)) {
                return None;
            }
            Some((fact.key.to_string(), fact.value.to_string(), span.start))
        })
        .collect()
}

/// What is kept of a text tells the same as the text.
fn kept_tells_the_same(text: &str) {
    let evidence = Evidence {
        text: Some(text.to_owned()),
        ..Evidence::default()
    };
    let (first, again) = (
        ENGINE.diagnose(std::slice::from_ref(&evidence)),
        ENGINE.diagnose(&[evidence.redacted()]),
    );
    assert_eq!(first.texts, again.texts);
    assert_eq!(first.causes, again.causes);
    assert_eq!(first.text, again.text);
    let facts = |diagnosis: &Diagnosis| {
        let facts = diagnosis.facts.iter().map(|seen| &seen.fact);
        facts
            .map(|fact| (fact.key.to_string(), fact.value.to_string()))
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(facts(&first), facts(&again));
}

/// A diagnosis costs more than a property test expects; PROPTEST_CASES asks for more of them.
fn few_cases() -> ProptestConfig {
    let usual = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() {
        usual.cases
    } else {
        96
    };
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..usual
    }
}

/// What consoles print. What a log or a command's output tells depends on which socket the rest of
/// the text speaks of; a message tells what it tells.
fn any_message() -> impl Strategy<Value = &'static str> {
    let consoles = [
        "chromium",
        "electron",
        "firefox",
        "flutter",
        "node",
        "react-native",
        "safari",
    ];
    let messages: Vec<&str> = samples()
        .into_iter()
        .filter(|(kind, _)| consoles.contains(&kind.as_str()))
        .flat_map(|(_, files)| files)
        .map(|file| -> &str {
            let text = fs::read(file).expect("a sample");
            String::from_utf8_lossy(&text).into_owned().leak()
        })
        .collect();
    proptest::sample::select(messages)
}

proptest! {
    #![proptest_config(few_cases())]

    #[test]
    fn any_text_is_read(text in "\\PC{0,400}") {
        spans_point_at_their_words(&text);
    }

    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        spans_point_at_their_words(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_mixture_is_read(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..12), cut in 0_usize..2000) {
        let text: String = pieces.concat().chars().skip(cut % 50).take(cut).collect();
        spans_point_at_their_words(&text);
        spans_point_at_their_words(&pieces.concat());
    }

    #[test]
    fn what_is_kept_diagnoses_the_same(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 1..10)) {
        let evidence = Evidence { text: Some(pieces.concat()), ..Evidence::default() };
        let kept = evidence.redacted();
        prop_assert_eq!(&kept.redacted(), &kept);
        let (first, again) = (ENGINE.diagnose(&[evidence]), ENGINE.diagnose(&[kept]));
        prop_assert_eq!(first.causes, again.causes);
        prop_assert_eq!(first.text, again.text);
        prop_assert_eq!(first.texts, again.texts);
    }

    #[test]
    fn any_cut_of_a_sample_is_read(sample in any_sample(), from in any::<prop::sample::Index>(), length in any::<prop::sample::Index>()) {
        let from = sample.floor_char_boundary(from.index(sample.len() + 1));
        let to = sample.floor_char_boundary(from + length.index(sample.len() - from + 1));
        let cut = &sample[from..to];
        spans_point_at_their_words(cut);
        kept_tells_the_same(cut);
    }

    #[test]
    fn any_noise_in_a_sample_is_read(sample in any_sample(), noise in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40)) {
        let mut bytes = sample.as_bytes().to_vec();
        for (at, byte) in noise {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        spans_point_at_their_words(&text);
        kept_tells_the_same(&text);
    }

    #[test]
    fn any_two_messages_together_are_read(first in any_message(), second in any_message()) {
        let alone = spans_point_at_their_words(first);
        let both = spans_point_at_their_words(&format!("{first}\n\n{second}"));
        // A secret of the second text may go from the first one, too.
        let text = &alone.texts[0];
        // Where the second names a socket, lines about other requests do not count any more.
        let names_a_socket = |text: &str| text.contains("ws://") || text.contains("wss://");
        let is_alike = names_a_socket(first) || !names_a_socket(second);
        if is_alike && both.texts[0].starts_with(text.as_str()) {
            let missing: Vec<_> = facts_before(&alone, text.len())
                .difference(&facts_before(&both, text.len()))
                .cloned()
                .collect();
            prop_assert!(missing.is_empty(), "{missing:?} of {first}");
        }
        kept_tells_the_same(&format!("{second}\n{first}"));
    }
}

#[test]
fn every_sample_holds_what_all_texts_hold() {
    for sample in SAMPLES.iter() {
        let diagnosis = spans_point_at_their_words(sample);
        assert_eq!(diagnosis, diagnose(sample), "the same result twice");
        kept_tells_the_same(sample);
    }
}

/// Keys and values of what a text tells.
fn told(text: &str) -> BTreeSet<(String, String)> {
    let diagnosis = spans_point_at_their_words(text);
    let facts = diagnosis.facts.iter().map(|seen| &seen.fact);
    facts
        .map(|fact| (fact.key.to_string(), fact.value.to_string()))
        .collect()
}

#[test]
fn every_sample_tells_the_same_with_other_line_ends() {
    let patterns = ENGINE.graph().patterns();
    let examples = patterns.flat_map(|(_, pattern)| &pattern.examples);
    for text in SAMPLES.iter().chain(examples) {
        if text.contains('\n') && !text.contains('\r') {
            assert_eq!(told(text), told(&text.replace('\n', "\r\n")), "{text}");
        }
    }
}

#[test]
fn two_connections_are_told_apart() {
    let diagnosis = diagnose(
        "WebSocket connection to 'ws://a.example/x' failed: Error in connection establishment: net::ERR_CONNECTION_REFUSED\n\
         WebSocket connection to 'wss://b.example/y' failed: Error during WebSocket handshake: Unexpected response code: 404\n",
    );
    let of = |key: &str, value: &str| {
        diagnosis
            .facts
            .iter()
            .find(|seen| &*seen.fact.key == key && &*seen.fact.value == value)
            .and_then(|seen| seen.fact.connection)
    };
    assert_eq!(of("tcp.connect", "refused"), of("url.host", "a.example"));
    assert_eq!(of("handshake.status", "404"), of("url.host", "b.example"));
    assert_ne!(of("url.host", "a.example"), of("url.host", "b.example"));
    assert!(
        diagnosis
            .notes
            .iter()
            .any(|note| note.contains("2 connections"))
    );
}

#[test]
fn a_proxys_log_speaks_of_the_hop_behind_it() {
    let diagnosis = diagnose(
        "2026/11/20 20:52:22 [error] 1#1: *1 connect() failed (111: Connection refused) while connecting to upstream, client: 203.0.113.9, server: app.example, request: \"GET /ws HTTP/1.1\", upstream: \"http://127.0.0.1:3000/ws\"",
    );
    assert!(diagnosis.facts.iter().any(|seen| &*seen.fact.key == "tcp.connect" && seen.fact.hop.as_str() == "edge-origin"));
    assert_eq!(diagnosis.causes[0].id, "proxy-upstream-down");
}

#[test]
fn a_pasted_configuration_is_read() {
    let paste = |upgrade: &str| {
        format!(
            "WebSocket connection to 'wss://app.example/live' failed: Error during WebSocket handshake: Unexpected response code: 426\n\n\
             server {{\n    listen 443 ssl;\n    server_name app.example;\n    location /live {{\n        \
             proxy_pass http://127.0.0.1:8080;\n        proxy_set_header Host $host;\n{upgrade}    }}\n}}\n"
        )
    };
    let broken = diagnose(&paste(
        "        # proxy_set_header Upgrade $http_upgrade;\n",
    ));
    assert_eq!(broken.causes[0].id, "proxy-upgrade-not-forwarded");
    let symptoms = |diagnosis: &wsdoctor::engine::Diagnosis| -> Vec<String> {
        let seen = diagnosis.symptoms.iter();
        seen.map(|symptom| symptom.id.to_string()).collect()
    };
    assert!(symptoms(&broken).contains(&"config-upgrade-missing".to_owned()));
    assert!(!symptoms(&broken).contains(&"config-complete".to_owned()));
    let right = diagnose(&paste(
        "        proxy_http_version 1.1;\n        proxy_set_header Upgrade $http_upgrade;\n        proxy_set_header Connection \"upgrade\";\n",
    ));
    assert!(symptoms(&right).contains(&"config-upgrade-present".to_owned()));
    assert_ne!(right.causes[0].id, "proxy-upgrade-not-forwarded");
    assert_eq!(right.subject.host.as_deref(), Some("app.example"));
}
