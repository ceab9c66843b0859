//! HAProxy's `httplog`, `httpslog` and `tcplog`.
//! <https://docs.haproxy.org/3.2/configuration.html#8.2>
//! The two letters of the termination state say who ended the session, and in what phase:
//! <https://docs.haproxy.org/3.2/configuration.html#8.5>

use super::fields::{Field, Line, Request};
use super::journal::Exchange;
use crate::engine::graph::Hop;

/// Reads `203.0.113.7:51234 [11/Oct/2026:18:02:44.123] https~ ws/ws1 0/0/1/2/60004 101 ...`.
pub(super) fn exchange<'a>(line: Line<'a>) -> Option<Exchange<'a>> {
    let mut rest = line;
    let client = rest.next()?;
    let time = rest.next().filter(|field| field.mark == b'[')?;
    if !client.words.contains(':') || time.words.as_bytes().get(2) != Some(&b'/') {
        return None;
    }
    let _frontend = rest.next()?;
    let server = rest.next().filter(|field| field.words.contains('/'))?;
    let timers = rest.next()?;
    let mut exchange = Exchange {
        line: line.span,
        product: ("haproxy", "haproxy"),
        ..Exchange::default()
    };
    let state = match timers.words.split('/').count() {
        5 => {
            exchange.status = rest.next()?.status();
            let (_size, _cookie, _set_cookie) = (rest.next()?, rest.next()?, rest.next()?);
            rest.next()?
        }
        // In tcp mode the whole session is the tunnel.
        3 => {
            let _size = rest.next()?;
            rest.next()?
        }
        _ => return None,
    };
    let is_tcp = timers.words.split('/').count() == 3;
    let total = timers.words.rsplit('/').next().unwrap_or_default();
    let span = super::super::Span {
        start: timers.span.end - total.len(),
        end: timers.span.end,
    };
    let total = Field {
        words: total,
        span,
        mark: 0,
    };
    let is_tunnel = is_tcp || exchange.status.is_some_and(|(status, _)| status == 101);
    exchange.is_opened = is_tcp && !total.is_none() && state.words.as_bytes().get(1) == Some(&b'D');
    exchange.seconds = total.seconds(1000.0).filter(|_| is_tunnel);
    if let Some(request) = request_of(rest) {
        exchange.is_upgrade = request.words == "<BADREQ>";
        if exchange.is_upgrade {
            exchange.say("handshake.request", "malformed", request.span);
        }
        exchange.request = Request::of(request).unwrap_or_default();
    }
    if server.words.ends_with("/<NOSRV>") && state.words.starts_with('S') {
        exchange.say("upstream.health", "no-server", server.span);
    } else {
        ended(&mut exchange, state, is_tunnel);
    }
    Some(exchange)
}

/// The quoted request behind the counters, the queues and the `{captured headers}`.
fn request_of(rest: Line<'_>) -> Option<Field<'_>> {
    let (mut at, mut depth) = (0, 0_u32);
    for byte in rest.words().bytes() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b'"' if depth == 0 => return rest.from(at).next(),
            _ => {}
        }
        at += 1;
    }
    None
}

/// What the termination state tells.
fn ended(exchange: &mut Exchange<'_>, state: Field<'_>, is_tunnel: bool) {
    const NEAR: Hop = Hop::ClientEdge;
    let Some(letters) = state.words.get(..2) else {
        return;
    };
    let (key, value, hop) = match letters {
        "SC" => ("tcp.connect", "refused", Hop::EdgeOrigin),
        "sC" => ("tcp.connect", "timed-out", Hop::EdgeOrigin),
        "SH" => ("upstream.answer", "closed", NEAR),
        "sH" | "cH" => ("upstream.answer", "timed-out", NEAR),
        "SD" | "DD" | "UD" | "KD" => ("edge.termination", "server-aborted", NEAR),
        "sD" | "cD" => ("edge.termination", "tunnel-timeout", NEAR),
        "CD" | "CC" | "CH" | "CQ" | "CT" => ("edge.termination", "client-aborted", NEAR),
        "CR" | "PR" => ("handshake.request", "malformed", NEAR),
        "cR" => ("handshake.answer", "timed-out", NEAR),
        "sQ" => ("server.says", "limit-reached", NEAR),
        "SQ" => ("upstream.health", "no-server", NEAR),
        "PC" | "RC" => ("server.limit", "connections", NEAR),
        "PH" | "PD" => ("upstream.answer", "invalid", NEAR),
        "PT" => ("server.says", "rate-limited", NEAR),
        "LC" => ("handshake.fault", "redirect", NEAR),
        "ID" => ("server.says", "exception", NEAR),
        _ => return,
    };
    exchange.said.push((key, value, hop, state.span));
    // The timer that cuts a tunnel runs only while nothing is sent.
    if is_tunnel && value == "tunnel-timeout" {
        exchange.say("session.idle", "yes", state.span);
    }
}
