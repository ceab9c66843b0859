//! A handshake as it arrives at the server, captured by `tcpdump -A`, and who sends a reset.
//!
//! <https://www.tcpdump.org/manpages/tcpdump.1.html>,
//! <https://www.rfc-editor.org/rfc/rfc6455#section-4.2.1>

use super::{Line, Output, Reading, add_on_server};

/// Reads what `tcpdump` captured in a text.
pub(super) fn reading(output: &Output<'_>) -> Reading {
    let mut reading = Reading::default();
    if output.holds("Flags [") {
        resets(output, &mut reading);
    }
    if output.holds("HTTP/1.") && output.holds("GET ") {
        handshakes(output, &mut reading);
    }
    reading
}

/// Packets with the reset flag: `eth0  Out IP 203.0.113.7.3000 > 192.0.2.2.50000: Flags [R.]`.
fn resets(output: &Output<'_>, reading: &mut Reading) {
    for line in output.lines() {
        if !(line.text.contains("Flags [R") && line.text.contains(" IP")) {
            continue;
        }
        let words = line.words();
        let direction = words.iter().find(|word| matches!(word.text, "In" | "Out"));
        let sender = words
            .iter()
            .position(|word| word.text == ">")
            .and_then(|arrow| words.get(arrow.checked_sub(1)?));
        let is_from_port = sender
            .and_then(|sender| sender.text.rsplit('.').next()?.parse::<u16>().ok())
            .zip(output.port())
            .map(|(from, port)| from == port);
        let value = match (direction.map(|word| word.text), is_from_port) {
            (Some("Out"), Some(true) | None) | (None, Some(true)) => "server",
            (Some("In"), _) => "on-the-way",
            _ => continue,
        };
        add_on_server(reading, "reset.sender", value, line.span());
        return;
    }
}

/// The request line with its headers, where other lines than headers were filtered out.
fn handshakes(output: &Output<'_>, reading: &mut Reading) {
    let Some((index, line)) = output
        .lines()
        .iter()
        .enumerate()
        .find(|(_, line)| is_captured_request(line.text))
    else {
        return;
    };
    let headers: Vec<(String, &str, &Line<'_>)> = output.lines()[index + 1..]
        .iter()
        .map_while(|line| {
            let (name, value) = line.text.trim().split_once(':')?;
            (!name.contains(' ')).then(|| (name.to_ascii_lowercase(), value.trim(), line))
        })
        .collect();
    let find = |name: &str| headers.iter().find(|(known, ..)| known == name);
    if find("host").is_none() {
        return;
    }
    let has = |name: &str, token: &str| {
        find(name).is_some_and(|(_, value, _)| value.to_ascii_lowercase().contains(token))
    };
    let mut add = |key: &'static str, value: &str| add_on_server(reading, key, value, line.span());
    if line.text.contains("HTTP/1.0") {
        add("handshake.request", "http-1.0");
    } else if !has("upgrade", "websocket") || !has("connection", "upgrade") {
        add("handshake.request", "no-upgrade");
    } else if find("sec-websocket-key").is_none() {
        add("handshake.request", "key-missing");
    } else if !has("sec-websocket-version", "13") {
        add("handshake.fault", "version-unsupported");
    } else if find("content-length").is_some_and(|(_, value, _)| *value != "0") {
        add("handshake.request", "method");
    } else {
        add("handshake.request", "complete");
    }
}

/// The packet's bytes before the request are printed as dots, as in `E..|..@.@.....GET /ws HTTP/1.1`.
fn is_captured_request(text: &str) -> bool {
    let text = text.trim();
    let Some(at) = text.find("GET /") else {
        return false;
    };
    (text.ends_with("HTTP/1.1") || text.ends_with("HTTP/1.0"))
        && at >= 8
        && text.starts_with(['E', '`', '.'])
        && text[..at].contains("..")
}
