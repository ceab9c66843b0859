//! Logs with a `#Fields:` line: IIS and Amazon CloudFront.
//! <https://learn.microsoft.com/en-us/windows/win32/http/w3c-logging>
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html>

use super::fields::{Field, Line, Request};
use super::journal::Exchange;
use crate::engine::graph::Hop;

const NEAR: Hop = Hop::ClientEdge;

/// What IIS writes unless it was told otherwise.
const IIS: &str = "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip \
                   cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken";
/// CloudFront's standard log.
const CLOUDFRONT: &str = "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem \
                          sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) \
                          x-edge-result-type x-edge-request-id x-host-header cs-protocol \
                          cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher \
                          x-edge-response-result-type cs-protocol-version fle-status \
                          fle-encrypted-fields c-port time-to-first-byte \
                          x-edge-detailed-result-type";

/// The names of the columns, from the last `#Fields:` line.
#[derive(Clone, Debug, Default)]
pub(super) struct Columns<'a>(Vec<&'a str>);

impl<'a> Columns<'a> {
    /// Reads `#Fields: date time ...`.
    pub(super) fn of(line: &'a str) -> Option<Self> {
        let names = line.strip_prefix("#Fields:")?;
        Some(Columns(names.split_whitespace().take(64).collect()))
    }

    /// Reads a line that begins with a date and a time.
    pub(super) fn exchange(&self, line: Line<'a>) -> Option<Exchange<'a>> {
        let has_tabs = memchr::memchr(b'\t', line.words().as_bytes()).is_some();
        let fields: Vec<Field<'a>> = line.take(64).collect();
        let known: Vec<&str>;
        let names = if self.0.is_empty() {
            let usual = if has_tabs { CLOUDFRONT } else { IIS };
            known = usual.split_whitespace().collect();
            if has_tabs {
                is_time(fields.get(1)?).then_some(())?;
            } else {
                (known.len() == fields.len()).then_some(())?;
            }
            &known
        } else {
            &self.0
        };
        let column = |name: &str| {
            let at = names.iter().position(|known| *known == name)?;
            fields.get(at).copied()
        };
        let method = column("cs-method")?;
        if method.words.is_empty() || !method.words.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        let path = column("cs-uri-stem")?;
        let version = column("cs-version")
            .or_else(|| column("cs-protocol-version"))
            .unwrap_or_default();
        let mut exchange = Exchange {
            line: line.span,
            request: Request {
                method: method.words,
                target: path.words,
                target_span: path.span,
                version: version.words,
                version_span: version.span,
            },
            status: column("sc-status").and_then(|field| field.status()),
            ..Exchange::default()
        };
        if names.contains(&"x-edge-location") {
            cloudfront(&mut exchange, &column);
        } else {
            iis(&mut exchange, &column);
        }
        Some(exchange)
    }
}

fn is_time(field: &Field<'_>) -> bool {
    let bytes = field.words.as_bytes();
    bytes.len() >= 8 && bytes.get(2) == Some(&b':') && bytes.get(5) == Some(&b':')
}

/// Substatus and Windows' own error tell what the status does not.
/// <https://learn.microsoft.com/en-us/troubleshoot/developer/webapps/iis/health-diagnostic-performance/http-status-code>
fn iis<'a>(exchange: &mut Exchange<'a>, column: &impl Fn(&str) -> Option<Field<'a>>) {
    exchange.product = ("iis", "iis");
    exchange.host = column("cs-host").filter(|host| !host.is_none());
    exchange.seconds = column("time-taken").and_then(|field| field.seconds(1000.0));
    let substatus = column("sc-substatus").unwrap_or_default();
    let error = column("sc-win32-status").unwrap_or_default();
    let status = exchange.status.map_or(0, |(status, _)| status);
    let said = match (status, substatus.words, error.words) {
        (502, _, "12002") => Some(("upstream.answer", "timed-out", NEAR)),
        (502, _, "12029") => Some(("tcp.connect", "refused", Hop::EdgeOrigin)),
        (502, _, "12030" | "12031") => Some(("upstream.answer", "reset", NEAR)),
        (502, _, "12152") => Some(("upstream.answer", "invalid", NEAR)),
        (502, _, "12007") => Some(("dns.lookup", "not-found", Hop::EdgeOrigin)),
        (502, _, error) if error == "12175" || error.starts_with("2148074") => {
            Some(("tls.upstream", "failed", NEAR))
        }
        (101 | 200 | 500, _, "64" | "995" | "1236") => {
            Some(("edge.termination", "client-aborted", NEAR))
        }
        _ => None,
    };
    if let Some((key, value, hop)) = said {
        exchange.said.push((key, value, hop, error.span));
    }
    match (status, substatus.words) {
        (403, "7" | "13" | "16" | "17") => {
            exchange.say("tls.fault", "client-certificate-required", substatus.span);
        }
        (502, "4" | "5") => exchange.say("upstream.health", "none", substatus.span),
        (500, words) if words.len() == 2 && words.starts_with('3') => {
            // The module's answer while the application cannot start.
            exchange.say("server.says", "exception-in-handshake", substatus.span);
        }
        (404, "10" | "15") => exchange.say("edge.limit", "header", substatus.span),
        _ => {}
    }
}

fn cloudfront<'a>(exchange: &mut Exchange<'a>, column: &impl Fn(&str) -> Option<Field<'a>>) {
    exchange.product = ("aws", "cloudfront");
    exchange.host = column("x-host-header").filter(|host| !host.is_none());
    exchange.seconds = column("time-taken").and_then(|field| field.seconds(1.0));
    exchange.is_upgrade =
        column("cs-protocol").is_some_and(|field| matches!(field.words, "ws" | "wss"));
    // 000: the client went away before it was answered; that is told by the result's type.
    let kind = column("x-edge-detailed-result-type").unwrap_or_default();
    let said = match kind.words {
        "OriginConnectError" => Some(("tcp.connect", "refused", Hop::EdgeOrigin)),
        "OriginDnsError" => Some(("dns.lookup", "not-found", Hop::EdgeOrigin)),
        "OriginCommError" => Some(("upstream.answer", "timed-out", NEAR)),
        "OriginReadError" | "OriginWriteError" => Some(("upstream.answer", "closed", NEAR)),
        "OriginHeaderTooBigError" => Some(("upstream.answer", "header-too-big", NEAR)),
        "OriginInvalidResponseError" => Some(("upstream.answer", "invalid", NEAR)),
        "InvalidRequestBlocked" | "ClientGeoBlocked" => Some(("cdn.error", "blocked", NEAR)),
        "InvalidRequestHeader" | "InvalidRequest" => Some(("handshake.request", "malformed", NEAR)),
        "ClientHungUpRequest" | "ClientCommError" => {
            Some(("edge.termination", "client-aborted", NEAR))
        }
        _ => None,
    };
    if let Some((key, value, hop)) = said {
        exchange.said.push((key, value, hop, kind.span));
    }
    if kind.words.starts_with("Origin") && kind.words.ends_with("Error") {
        exchange.say("cdn.error", "origin", kind.span);
    }
}
