//! Two faults at once are named, in the order in which they show; one fault never becomes two.

use std::path::Path;

use serde_json::Value;
use wsdoctor::engine::{Diagnosis, Evidence};

use crate::support::ENGINE;

fn diagnosed(text: &str) -> Diagnosis {
    ENGINE.diagnose(&[Evidence {
        text: Some(text.to_owned()),
        ..Evidence::default()
    }])
}

const TWO: &[(&str, &str, &str)] = &[
    (
        "$ curl -i https://chat.example.org/live\n\
         curl: (60) SSL certificate problem: certificate has expired\n\
         $ curl -k -i -H 'Connection: Upgrade' -H 'Upgrade: websocket' https://chat.example.org/live\n\
         HTTP/1.1 426 Upgrade Required\n\
         Server: nginx\n",
        "tls-cert-expired",
        "proxy-upgrade-not-forwarded",
    ),
    (
        "WebSocket connection to 'wss://old.example.org/a' failed: Error in connection \
         establishment: net::ERR_NAME_NOT_RESOLVED\n\
         WebSocket connection to 'wss://new.example.org/b' failed: Error during WebSocket \
         handshake: Unexpected response code: 426\n",
        "dns-name-not-found",
        "proxy-upgrade-not-forwarded",
    ),
    (
        "WebSocket connection to 'wss://new.example.org/b' failed: Error during WebSocket \
         handshake: Unexpected response code: 401\n\
         WebSocket connection to 'wss://old.example.org/a' failed: Error in connection \
         establishment: net::ERR_CERT_DATE_INVALID\n",
        "tls-cert-expired",
        "handshake-auth",
    ),
];

#[test]
fn two_faults_are_named_the_earlier_one_first() {
    for (text, first, second) in TWO {
        let found = diagnosed(text);
        let seen: Vec<&str> = found.symptoms.iter().map(|s| s.id.as_str()).collect();
        assert_eq!(found.causes[0].id, *first, "{text}: {seen:?}");
        let also: Vec<&str> = found.also.iter().map(|also| also.cause.as_str()).collect();
        assert_eq!(also, [*second], "{text}: {seen:?}");
        assert!(found.text.contains("two faults"), "{}", found.text);
    }
}

#[test]
fn one_fault_is_one() {
    let (mut fired, mut count) = (Vec::new(), 0);
    for cause in &ENGINE.graph().causes {
        for (number, test) in cause.tests.iter().enumerate() {
            count += 1;
            if !diagnosed(&test.input).also.is_empty() {
                fired.push(format!("{} {number}", cause.id));
            }
        }
    }
    assert!(
        fired.len() * 50 <= count,
        "{} of {count}: {fired:?}",
        fired.len()
    );
    // The labelled cases, where they are there.
    for file in ["cases.jsonl", "captures.jsonl"] {
        let folder = std::env::var("WSDOCTOR_EVALUATION").unwrap_or_default();
        let Ok(lines) = std::fs::read_to_string(Path::new(&folder).join(file)) else {
            continue;
        };
        let cases: Vec<Value> = lines
            .lines()
            .filter_map(|l| serde_json::from_str(l).ok())
            .collect();
        let fires = |case: &&Value| {
            !diagnosed(case["input"].as_str().unwrap_or_default())
                .also
                .is_empty()
        };
        let fired: Vec<String> = cases
            .iter()
            .filter(fires)
            .map(|case| case["id"].to_string())
            .collect();
        assert!(fired.len() * 50 <= cases.len(), "{file}: {fired:?}");
    }
}
