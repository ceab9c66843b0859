//! Heroku's router.
//! <https://devcenter.heroku.com/articles/http-routing#heroku-router-log-format>
//! <https://devcenter.heroku.com/articles/error-codes>

use super::super::Span;
use super::fields::{Field, Line, Request, find};
use super::journal::Exchange;
use crate::engine::graph::Hop;

/// Reads `... heroku[router]: at=error code=H15 desc="Idle connection" method=GET path="/ws" ...`.
pub(super) fn exchange<'a>(line: Line<'a>) -> Option<Exchange<'a>> {
    let start = find(line.words(), "at=")?;
    let rest = line.from(start);
    let value = |name: &str| rest.value(name, &[' ']);
    let method = value(" method=")?;
    let path = value(" path=")?;
    let mut exchange = Exchange {
        line: line.span,
        product: ("platform", "heroku"),
        request: Request {
            method: method.words,
            target: path.words,
            target_span: path.span,
            ..Request::default()
        },
        host: value(" host=").filter(|host| !host.is_none()),
        status: value(" status=").and_then(|field| field.status()),
        seconds: value(" service=").and_then(milliseconds),
        ..Exchange::default()
    };
    if let Some(code) = value(" code=")
        && let Some((key, value, hop)) = of_code(code.words)
    {
        exchange.said.push((key, value, hop, code.span));
        // A connection that the router cut for its silence had been open until then.
        if code.words == "H15" {
            exchange.say("session.idle", "yes", code.span);
            exchange.status = None;
            exchange.is_opened = true;
        }
    }
    Some(exchange)
}

fn milliseconds(field: Field<'_>) -> Option<(f64, Span)> {
    let words = field.words.strip_suffix("ms")?;
    Field { words, ..field }.seconds(1000.0)
}

fn of_code(code: &str) -> Option<(&'static str, &'static str, Hop)> {
    const NEAR: Hop = Hop::ClientEdge;
    Some(match code {
        "H10" | "H81" => ("server.process", "stopped", NEAR),
        "H11" => ("server.says", "limit-reached", NEAR),
        "H12" => ("upstream.answer", "timed-out", NEAR),
        "H13" => ("upstream.answer", "closed", NEAR),
        "H14" | "H16" | "H20" | "H80" => ("upstream.health", "none", NEAR),
        "H15" => ("upstream.answer", "idle-cut", NEAR),
        "H17" => ("upstream.answer", "invalid", NEAR),
        "H18" => ("upstream.session", "reset", NEAR),
        "H19" => ("tcp.connect", "timed-out", Hop::EdgeOrigin),
        "H21" => ("tcp.connect", "refused", Hop::EdgeOrigin),
        "H22" => ("server.limit", "connections", NEAR),
        "H23" => ("server.says", "route-missing", NEAR),
        "H27" => ("edge.termination", "client-aborted", NEAR),
        "H28" => ("session.fault", "idle", NEAR),
        "H99" => ("server.says", "exception-in-handshake", NEAR),
        _ => return None,
    })
}
