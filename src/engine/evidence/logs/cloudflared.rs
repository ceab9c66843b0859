//! The console lines of cloudflared, which tell what the tunnel met behind it.
//! <https://github.com/cloudflare/cloudflared/blob/master/proxy/logger.go>

use super::fields::{Line, Request, find};
use super::journal::{Exchange, of_go_error};

/// Whether a line tells of a tunnel connection that was made.
pub(super) fn is_own(words: &str) -> bool {
    find(words, "INF Registered tunnel connection").is_some()
}

/// Reads `2026-10-11T18:02:44Z ERR  error="Unable to reach the origin service. ..." ...
/// originService=http://localhost:3000` and `ERR Request failed error=... dest=... type=http`.
pub(super) fn exchange<'a>(line: Line<'a>) -> Option<Exchange<'a>> {
    let words = line.words();
    let level = words.get(..words.len().min(48)).unwrap_or(words);
    let is_known = [" ERR ", " INF ", " DBG ", " WRN "]
        .iter()
        .any(|mark| find(level, mark).is_some());
    let is_request = find(words, "originService=").is_some()
        || (find(words, "dest=").is_some() && find(words, "connIndex=").is_some());
    if !is_known || !is_request {
        return None;
    }
    let destination = line.value("dest=", &[' ']).unwrap_or_default();
    let kind = line.value(" type=", &[' ']).unwrap_or_default();
    let mut exchange = Exchange {
        line: line.span,
        product: ("cloudflare", "cloudflared"),
        request: Request {
            method: "GET",
            target: destination.words,
            target_span: destination.span,
            ..Request::default()
        },
        // A line that names no request speaks of the service behind.
        is_upgrade: kind.words == "ws" || destination.is_none(),
        ..Exchange::default()
    };
    if let Some(error) = line.value("error=", &[' ']) {
        let mut part = line;
        part.span = error.span;
        of_go_error(&part, &mut exchange);
    }
    (!exchange.said.is_empty()).then_some(exchange)
}
