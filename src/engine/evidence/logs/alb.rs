//! AWS Application Load Balancer.
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html>

use super::super::Span;
use super::super::time::iso_seconds;
use super::fields::{Field, Line, Request};
use super::journal::Exchange;

/// Reads `wss 2026-10-11T18:02:44.123456Z app/chat/50dc6c495c0c9188 203.0.113.7:51234 ...`.
pub(super) fn exchange<'a>(line: Line<'a>) -> Option<Exchange<'a>> {
    let fields: Vec<Field<'a>> = line.take(32).collect();
    let [kind, time, balancer, _client, target, ..] = fields.as_slice() else {
        return None;
    };
    let is_known = matches!(kind.words, "http" | "https" | "h2" | "grpcs" | "ws" | "wss")
        && balancer.words.starts_with("app/");
    let answer = fields.get(5..12)?;
    let [_, target_time, _, status, target_status, ..] = answer else {
        return None;
    };
    let request = fields
        .get(12)
        .filter(|field| is_known && field.mark == b'"')?;
    let mut exchange = Exchange {
        line: line.span,
        product: ("aws", "aws"),
        request: Request::of(*request).unwrap_or_default(),
        host: fields.get(18).copied().filter(|host| !host.is_none()),
        status: status.status(),
        is_upgrade: kind.words.starts_with("ws"),
        ..Exchange::default()
    };
    if kind.words == "h2" {
        exchange.request.version = "HTTP/2.0";
        exchange.request.version_span = kind.span;
    }
    exchange.seconds = life(time, fields.get(21));
    if let Some((status, span)) = exchange.status {
        unanswered(
            &mut exchange,
            status,
            span,
            target,
            target_time,
            target_status,
        );
    }
    if let Some(reason) = fields.get(24)
        && reason.words.starts_with("Target")
    {
        exchange.say("upstream.answer", "invalid", reason.span);
    }
    Some(exchange)
}

/// For a WebSocket `time` is when it was closed; `request_creation_time` is when it was asked for.
fn life(closed: &Field<'_>, asked: Option<&Field<'_>>) -> Option<(f64, Span)> {
    let asked = asked?;
    let seconds = iso_seconds(closed.words)? - iso_seconds(asked.words)?;
    (seconds >= 0.0).then_some((seconds, closed.span))
}

/// What it means that the load balancer answered and the target did not.
fn unanswered(
    exchange: &mut Exchange<'_>,
    status: u16,
    span: Span,
    target: &Field<'_>,
    target_time: &Field<'_>,
    target_status: &Field<'_>,
) {
    if !target_status.is_none() {
        return;
    }
    match status {
        503 if target.is_none() => exchange.say("upstream.health", "none", target.span),
        504 => exchange.say("upstream.answer", "timed-out", span),
        500..=503 if !target.is_none() && target_time.words == "-1" => {
            exchange.say("upstream.answer", "closed", span);
        }
        404 if target.is_none() => exchange.say("edge.config", "location-missing", target.span),
        _ => {}
    }
}
