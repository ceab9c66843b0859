//! Envoy's default access log and Istio's.
//! <https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage>
//! <https://istio.io/latest/docs/tasks/observability/logs/access-log/>

use super::fields::{Field, Line, Request, find};
use super::journal::Exchange;
use crate::engine::graph::Hop;

/// Reads `[2026-10-11T18:02:44.123Z] "GET /ws HTTP/1.1" 101 - 0 5 60004 - "-" "..." ...`.
pub(super) fn exchange<'a>(line: Line<'a>) -> Option<Exchange<'a>> {
    let mut rest = line;
    let time = rest.next().filter(|field| field.mark == b'[')?;
    if time.words.as_bytes().get(10) != Some(&b'T') {
        return None;
    }
    let quoted = rest.next().filter(|field| field.mark == b'"')?;
    let status = rest.next()?;
    let flags = rest.next()?;
    let mut exchange = Exchange {
        line: line.span,
        product: ("envoy", "envoy"),
        request: Request::of(quoted).unwrap_or_default(),
        status: status.status(),
        ..Exchange::default()
    };
    if exchange.status.is_none() && status.words != "0" {
        return None;
    }
    let mut received = rest.next()?;
    let (mut details, mut transport) = (None, None);
    if !received.words.bytes().all(|byte| byte.is_ascii_digit()) {
        details = Some(received);
        let _termination = rest.next()?;
        transport = rest.next();
        received = rest.next()?;
    }
    let _sizes = (received, rest.next());
    let duration = rest.next();
    let _service_time = rest.next();
    let tail: Vec<Field<'a>> = rest.take(5).collect();
    exchange.seconds = duration.and_then(|field| field.seconds(1000.0));
    exchange.host = tail.get(3).copied().filter(|host| !host.is_none());
    said(&mut exchange, &line, Some(flags), details, transport);
    Some(exchange)
}

/// What flags, details and the reason of the transport's failure tell.
pub(super) fn said<'a>(
    exchange: &mut Exchange<'a>,
    line: &Line<'a>,
    flags: Option<Field<'a>>,
    details: Option<Field<'a>>,
    transport: Option<Field<'a>>,
) {
    let reason = [transport, details]
        .into_iter()
        .flatten()
        .find_map(|field| of_reason(&field).map(|said| (said, field.span)));
    let mut has_connect = false;
    if let Some(((key, value, hop), span)) = reason {
        has_connect = key == "tcp.connect" || key == "tls.upstream";
        exchange.said.push((key, value, hop, span));
    }
    for flag in flags.iter().flat_map(|flags| flags.words.split(',')) {
        let Some((key, value, hop)) = of_flag(flag) else {
            continue;
        };
        // UF says only that it failed; the reason says how.
        if flag == "UF" && has_connect {
            continue;
        }
        let span = flags.map_or(line.span, |flags| flags.span);
        exchange.said.push((key, value, hop, span));
    }
}

const NEAR: Hop = Hop::ClientEdge;

/// <https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#command-operators>
fn of_flag(flag: &str) -> Option<(&'static str, &'static str, Hop)> {
    Some(match flag {
        "UH" | "LH" => ("upstream.health", "none", NEAR),
        "UF" => ("tcp.connect", "refused", Hop::EdgeOrigin),
        "UO" => ("server.says", "limit-reached", NEAR),
        "NR" => ("edge.config", "location-missing", NEAR),
        "NC" => ("upstream.health", "no-server", NEAR),
        "URX" | "LR" | "UR" => ("upstream.answer", "reset", NEAR),
        "DT" | "UMSDR" => ("session.fault", "lifetime", NEAR),
        "DC" | "DR" => ("edge.termination", "client-aborted", NEAR),
        "UT" => ("upstream.answer", "timed-out", NEAR),
        "UC" => ("upstream.answer", "closed", NEAR),
        "RL" => ("server.says", "rate-limited", NEAR),
        "UAEX" => ("server.says", "credentials-refused", NEAR),
        "IH" | "DPE" => ("handshake.request", "malformed", NEAR),
        "SI" => ("upstream.answer", "idle-cut", NEAR),
        "UPE" => ("upstream.answer", "invalid", NEAR),
        "OM" => ("session.fault", "overloaded", NEAR),
        "DF" => ("dns.lookup", "failing", Hop::EdgeOrigin),
        "FI" => ("server.says", "exception-in-handshake", NEAR),
        _ => return None,
    })
}

/// Response code details and transport failures, in the order in which they say most.
/// <https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/response_code_details>
fn of_reason(field: &Field<'_>) -> Option<(&'static str, &'static str, Hop)> {
    const REASONS: &[(&str, &str, &str, Hop)] = &[
        ("TLS_error", "tls.upstream", "failed", NEAR),
        ("TLS error", "tls.upstream", "failed", NEAR),
        (
            "Connection refused",
            "tcp.connect",
            "refused",
            Hop::EdgeOrigin,
        ),
        (
            "Connection_refused",
            "tcp.connect",
            "refused",
            Hop::EdgeOrigin,
        ),
        (
            "connect_error:_111",
            "tcp.connect",
            "refused",
            Hop::EdgeOrigin,
        ),
        (
            "connect error: 111",
            "tcp.connect",
            "refused",
            Hop::EdgeOrigin,
        ),
        (
            "connect_error:_113",
            "tcp.connect",
            "host-unreachable",
            Hop::EdgeOrigin,
        ),
        (
            "connect error: 113",
            "tcp.connect",
            "host-unreachable",
            Hop::EdgeOrigin,
        ),
        (
            "connect_error:_110",
            "tcp.connect",
            "timed-out",
            Hop::EdgeOrigin,
        ),
        (
            "connection_timeout",
            "tcp.connect",
            "timed-out",
            Hop::EdgeOrigin,
        ),
        (
            "connection timeout",
            "tcp.connect",
            "timed-out",
            Hop::EdgeOrigin,
        ),
        ("connection_termination", "upstream.answer", "closed", NEAR),
        ("remote_reset", "upstream.answer", "reset", NEAR),
        ("remote_refused_stream", "upstream.answer", "reset", NEAR),
        ("overflow", "server.says", "limit-reached", NEAR),
        ("protocol_error", "upstream.answer", "invalid", NEAR),
        ("cluster_not_found", "upstream.health", "no-server", NEAR),
        ("no_healthy_upstream", "upstream.health", "none", NEAR),
        ("route_not_found", "edge.config", "location-missing", NEAR),
        ("upgrade_failed", "edge.config", "upgrade-missing", NEAR),
        ("idle_timeout", "upstream.answer", "idle-cut", NEAR),
        ("duration_timeout", "session.fault", "lifetime", NEAR),
        (
            "upstream_response_timeout",
            "upstream.answer",
            "timed-out",
            NEAR,
        ),
        ("per_try_timeout", "upstream.answer", "timed-out", NEAR),
        (
            "downstream_remote_disconnect",
            "edge.termination",
            "client-aborted",
            NEAR,
        ),
        ("low_version", "handshake.request", "http-1.0", NEAR),
        (
            "missing_host_header",
            "handshake.request",
            "malformed",
            NEAR,
        ),
        ("headers_too_large", "edge.limit", "header", NEAR),
        (
            "rbac_access_denied",
            "server.says",
            "credentials-refused",
            NEAR,
        ),
        (
            "connection_failure",
            "tcp.connect",
            "refused",
            Hop::EdgeOrigin,
        ),
    ];
    REASONS
        .iter()
        .find(|reason| find(field.words, reason.0).is_some())
        .map(|(_, key, value, hop)| (*key, *value, *hop))
}
