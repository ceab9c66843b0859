//! HAProxy: it passes upgrades on by itself; its time-outs and its servers' protocol matter.
//! <https://docs.haproxy.org/3.2/configuration.html#4-timeout%20tunnel>

use super::{Reading, Span, lines_of};

/// Reads the HAProxy sections of a text.
pub(super) fn reading(text: &str) -> Reading {
    let mut reading = Reading::default();
    let mut is_inside = false;
    let mut section: Option<Span> = None;
    let (mut timeout, mut has_tunnel, mut speaks_http2) = (None, false, None);
    for (span, line) in lines_of(text) {
        let words: Vec<&str> = line.split_whitespace().take(64).collect();
        match words.as_slice() {
            ["frontend" | "backend" | "listen", name, ..] if !name.ends_with(['{', ';']) => {
                is_inside = true;
                section = section.or(Some(span));
            }
            ["global" | "defaults"] => is_inside = true,
            ["timeout", "tunnel", ..] => has_tunnel = true,
            ["timeout", "server" | "client", value, ..]
                if is_inside && value.starts_with(|first: char| first.is_ascii_digit()) =>
            {
                timeout = timeout.or(Some(span));
            }
            ["server", _, _, options @ ..] if is_inside => {
                let is_http2 = options
                    .windows(2)
                    .any(|pair| matches!(pair, ["alpn" | "proto", "h2"]));
                let is_told = options.windows(2).any(|pair| matches!(pair, ["ws", "h1"]));
                if is_http2 && !is_told {
                    speaks_http2 = Some(span);
                }
            }
            _ => {}
        }
    }
    if let (Some(section), Some(timeout)) = (section, timeout) {
        reading.add("edge.server", "haproxy", section);
        reading.add("edge.present", "yes", section);
        if !has_tunnel {
            reading.add("edge.tunnel-timeout", "absent", timeout);
        }
    }
    if let (Some(_), Some(span)) = (section, speaks_http2) {
        reading.add("edge.upstream-protocol", "http2", span);
    }
    reading
}
