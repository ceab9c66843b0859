use super::super::{Contents, addresses, structures};

/// The facts that the readers find, as `key=value` in the order of the text.
fn facts(text: &str) -> Vec<String> {
    let mut facts = structures(&Contents::of(text), &addresses(text), None, 0).facts;
    facts.sort_by_key(|fact| fact.span);
    facts
        .iter()
        .map(|fact| format!("{}={}", fact.key, fact.value))
        .collect()
}

#[test]
fn the_port_that_is_dialled_decides_about_a_table() {
    let table = "State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\n\
        LISTEN 0      511          0.0.0.0:22        0.0.0.0:*    users:((\"sshd\",pid=1,fd=3))\n\
        LISTEN 0      511        127.0.0.1:3000      0.0.0.0:*    users:((\"node\",pid=2,fd=20))\n";
    let of = |port: u16| facts(&format!("ws://app.example:{port}/ws failed\n{table}"));
    assert_eq!(of(3000), ["server.listening=loopback"]);
    assert_eq!(of(22), ["server.listening=all"]);
    assert_eq!(of(8080), ["server.listening=other-port"]);
    assert_eq!(facts(table), ["server.listening=loopback"]);
}

#[test]
fn a_text_given_earlier_tells_what_is_dialled() {
    let earlier = &addresses("wss://app.example:8080/ws")[0];
    let table = "NAMES   STATUS       PORTS\nchat    Up 2 hours   8080/tcp\n";
    let found = structures(&Contents::of(table), &[], Some(earlier), 0).facts;
    assert!(found.iter().any(|fact| *fact.value == *"unpublished"));
}

#[test]
fn only_the_first_answer_of_a_chain_counts() {
    let text = "ws://app.example/ws\nHTTP/1.1 301 Moved Permanently\nLocation: https://app.example/ws\n\n\
        HTTP/1.1 101 Switching Protocols\nContent-Type: text/html\n\n<html>";
    // The 101 behind the redirect would lack its headers, if it counted.
    assert_eq!(
        facts(text),
        [
            "handshake.redirect=https",
            "handshake.location=https://app.example/ws"
        ]
    );
}

#[test]
fn what_curl_reaches_where_a_browser_fails_is_another_clients() {
    let answer = |accept: &str| {
        format!(
            "$ curl -i -H 'Upgrade: websocket' https://app.example/ws\nHTTP/1.1 101 Switching Protocols\n\
            Connection: Upgrade\nUpgrade: websocket\n{accept}\n"
        )
    };
    let right = answer("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n");
    let failure = "WebSocket connection to 'wss://app.example/ws' failed: ";
    assert!(!facts(&right).contains(&"works.other-client=yes".to_owned()));
    assert!(facts(&(right + failure)).contains(&"works.other-client=yes".to_owned()));
    // What the answer lacks, it lacks for browsers as well.
    assert!(!facts(&(answer("") + failure)).contains(&"works.other-client=yes".to_owned()));
}

#[test]
fn strange_lines_do_no_harm() {
    for text in [
        "",
        "LISTEN",
        "LISTEN 0 0 :",
        "nc: connect to",
        "Trying ",
        "HTTP/1.1 ",
        "HTTP/1.1 999999",
        "CONTAINER ID\n0a1b2c3d4e5f Up\n3000/tcp -> :",
        "NAME READY STATUS RESTARTS AGE\n/ / / /",
        "Chain INPUT (policy DROP)",
        "ws://a.example:1/\nStatus: active\n1:/tcp ALLOW",
        "Tracing route to \n 1 ",
        "│ status │\n│ │",
        "\u{2028}é│ nc: é (é) open",
    ] {
        let _ = facts(text);
    }
}

#[test]
fn a_star_stands_for_one_label() {
    let of = |host: &str| {
        facts(&format!(
            "wss://{host}/\nX509v3 Subject Alternative Name: \n    DNS:*.example.org"
        ))
    };
    assert_eq!(of("chat.example.org"), ["tls.names=covered"]);
    assert_eq!(of("example.org"), ["tls.fault=name-mismatch"]);
    assert_eq!(of("a.chat.example.org"), ["tls.fault=name-mismatch"]);
}

#[test]
fn an_answer_that_ought_to_come_did_not() {
    let expected = "Expected response:\n\nHTTP/1.1 101 Switching Protocols\nUpgrade: websocket\n\n";
    let text = format!("{expected}Actual response:\n\nHTTP/1.1 502 Bad Gateway\n\n");
    let of = |text: &str| {
        facts(text)
            .into_iter()
            .filter(|fact| fact.contains("handshake"))
    };
    assert_eq!(of(&text).count(), 0, "{:?}", facts(&text));
    let got =
        "This is not what I expected:\nHTTP/1.1 101 Switching Protocols\nUpgrade: websocket\n\n";
    assert!(of(got).count() > 0);
}
