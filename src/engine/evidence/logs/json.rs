//! Lines of JSON: Caddy, Traefik, Envoy and Istio, cloudflared, and nginx where it was told to
//! write so; and pino-http, with the request under `req` and its headers in lower case; and Fastify,
//! which notes a request when it comes and its answer later, under the same number.
//! <https://caddyserver.com/docs/logging>, <https://github.com/pinojs/pino-http#example>
//! <https://doc.traefik.io/traefik/observability/access-logs/#limiting-the-fieldsincluding-headers>
//! <https://fastify.dev/docs/latest/Reference/Logging/>

use std::collections::HashMap;

use super::super::Span;
use super::super::scan::{Found, walk};
use super::envoy;
use super::fields::{Field, Line, Request, find};
use super::journal::{Exchange, of_go_error};

/// The fields of a line that speak of a request.
#[derive(Clone, Debug, Default)]
struct Record<'a> {
    method: Field<'a>,
    target: Field<'a>,
    /// Method, target and version in one.
    request: Field<'a>,
    version: Field<'a>,
    host: Field<'a>,
    status: Field<'a>,
    seconds: Field<'a>,
    nanoseconds: Field<'a>,
    milliseconds: Field<'a>,
    message: Field<'a>,
    logger: Field<'a>,
    /// Where the request was sent on to.
    upstream: Field<'a>,
    flags: Field<'a>,
    details: Field<'a>,
    transport: Field<'a>,
    router: Field<'a>,
    error: Field<'a>,
    service: Field<'a>,
    kind: Field<'a>,
    behind: Field<'a>,
    /// The number under which the request and its answer are noted.
    id: Field<'a>,
    is_upgrade: bool,
    is_traefik: bool,
    is_nginx: bool,
    /// The number of a tunnel's connection.
    has_index: bool,
}

/// More requests than this are not kept until their answers come.
const MOST_ASKED: usize = 1000;

/// Requests whose answers are noted on lines of their own, by their numbers.
#[derive(Default)]
pub(super) struct Asked<'a> {
    requests: HashMap<&'a str, Record<'a>>,
}

impl<'a> Asked<'a> {
    /// Keeps what was asked for, and gives it to the line with the answer.
    fn complete(&mut self, record: &mut Record<'a>) {
        if record.id.is_none() {
            return;
        }
        if !record.status.is_none() {
            if record.target.is_none()
                && let Some(asked) = self.requests.remove(record.id.words)
            {
                record.method = asked.method;
                record.target = asked.target;
                record.host = asked.host;
            }
        } else if !record.target.is_none() && self.requests.len() < MOST_ASKED {
            self.requests.insert(record.id.words, record.clone());
        }
    }
}

/// Reads an object of JSON that stands for a request; `None` for others.
pub(super) fn exchange<'a>(
    line: Line<'a>,
    writer: (&'static str, &'static str),
    asked: &mut Asked<'a>,
) -> Option<Exchange<'a>> {
    if !speaks_of_request(line.words()) {
        return None;
    }
    let mut record = Record::default();
    walk(line.words(), 0, |path, found| {
        let (Found::Text(span) | Found::Word(span)) = found else {
            return;
        };
        record.set(path, line.field(span.start, span.end));
    });
    if !writer.1.is_empty() && record.logger.words.is_empty() {
        record.logger.words = "http.log";
    }
    asked.complete(&mut record);
    record.exchange(line)
}

/// The status in a line of a log that names neither a request nor a socket: that of a job, or of
/// another request. A line of a log has a level and a time, as those of pino, zap, logrus, Serilog
/// and structlog; other JSON is an answer's body, whose status is the answer's.
pub(super) fn unrelated_status(line: Line<'_>) -> Option<Span> {
    let words = line.words();
    let has = |keys: &[&str]| keys.iter().any(|key| find(words, key).is_some());
    let is_log = has(&["\"level\"", "\"severity\"", "\"@l\""])
        && has(&[
            "\"time\"",
            "\"ts\"",
            "\"timestamp\"",
            "\"@timestamp\"",
            "\"@t\"",
        ]);
    if find(words, "\"logger\":\"tls.").is_some() {
        // What the authority answered that issues certificates.
        let at = find(words, "HTTP ").filter(|_| is_log)?;
        let key = "\"error\":\"";
        let start = match words[..at].ends_with(key) {
            true => at - key.len(),
            false => at,
        };
        return Some(line.field(start, at + "HTTP ".len()).span);
    }
    let key = "\"status\":";
    let at = find(words, key).filter(|_| is_log)?;
    let lower = words.to_ascii_lowercase();
    let speaks_of_socket = ["socket", "upgrade", "handshake", "ws:", "wss:", "/ws"]
        .iter()
        .any(|word| lower.contains(word));
    (!speaks_of_socket).then(|| line.field(at, at + key.len() + 4).span)
}

/// A cheap look before the walk.
fn speaks_of_request(words: &str) -> bool {
    [
        "\"status\"",
        "Status\"",
        "\"statusCode\"",
        "\"response_code\"",
        "\"originService\"",
        "\"dest\"",
        "\"request\"",
        "\"http.handlers.reverse_proxy\"",
        "\"reqId\"",
    ]
    .iter()
    .any(|key| find(words, key).is_some())
}

impl<'a> Record<'a> {
    fn set(&mut self, path: &[&'a str], field: Field<'a>) {
        let Some(key) = path.last() else { return };
        let slot = match (path.len(), *key) {
            (1, "request_method" | "method" | "RequestMethod") => &mut self.method,
            (2, "method") if matches!(path[0], "request" | "req") => &mut self.method,
            (1, "request_uri" | "uri" | "path" | "url" | "RequestPath" | "dest") => {
                &mut self.target
            }
            (2, "uri") if path[0] == "request" => &mut self.target,
            (2, "url") if path[0] == "req" => &mut self.target,
            (1, "request") => &mut self.request,
            (1, "protocol" | "server_protocol" | "RequestProtocol") => &mut self.version,
            (2, "proto") if path[0] == "request" => &mut self.version,
            (1, "host" | "authority" | "RequestHost" | "http_host") => &mut self.host,
            (2, "host") if path[0] == "request" => &mut self.host,
            (3, "host") if path[0] == "req" && path[1] == "headers" => &mut self.host,
            (2, "host" | "hostname") if path[0] == "req" => &mut self.host,
            (1, "reqId") => &mut self.id,
            (1, "status" | "statusCode" | "response_code" | "DownstreamStatus")
            | (2, "statusCode") => &mut self.status,
            (1, "request_time") => {
                self.is_nginx = true;
                &mut self.seconds
            }
            (1, "duration") => &mut self.seconds,
            (1, "responseTime") => &mut self.milliseconds,
            (1, "Duration") => &mut self.nanoseconds,
            (1, "msg" | "message") => &mut self.message,
            (1, "error" | "err") => &mut self.error,
            (1, "logger") => &mut self.logger,
            (1, "upstream") => &mut self.upstream,
            (1, "response_flags") => &mut self.flags,
            (1, "response_code_details") => &mut self.details,
            (1, "upstream_transport_failure_reason") => &mut self.transport,
            (1, "RouterName") => &mut self.router,
            (1, "originService") => &mut self.service,
            (1, "type") => &mut self.kind,
            (1, "upstream_status" | "upstream_addr" | "body_bytes_sent" | "remote_addr") => {
                self.is_nginx = true;
                &mut self.behind
            }
            (1, "connIndex") => {
                self.has_index = true;
                return;
            }
            (1, "OriginStatus" | "ServiceName" | "entryPointName") => {
                self.is_traefik = true;
                return;
            }
            (4, _) if path[2] == "Upgrade" => {
                self.is_upgrade |= field.words.eq_ignore_ascii_case("websocket");
                return;
            }
            (3, "upgrade") if path[1] == "headers" => {
                self.is_upgrade |= field.words.eq_ignore_ascii_case("websocket");
                return;
            }
            _ => return,
        };
        *slot = field;
    }

    fn exchange(mut self, line: Line<'a>) -> Option<Exchange<'a>> {
        if !self.flags.words.is_empty() && self.details.words.len() + self.method.words.len() > 0 {
            // Envoy and Istio write milliseconds.
            std::mem::swap(&mut self.milliseconds, &mut self.seconds);
        }
        let status = self.status.status();
        let request = Request::of(self.request).unwrap_or(Request {
            method: self.method.words,
            target: self.target.words,
            target_span: self.target.span,
            version: self.version.words,
            version_span: self.version.span,
        });
        let mut exchange = Exchange {
            line: line.span,
            product: self.product()?,
            request,
            host: Some(self.host).filter(|host| !host.is_none()),
            status,
            seconds: self
                .seconds
                .seconds(1.0)
                .or_else(|| self.seconds.written_seconds())
                .or_else(|| self.nanoseconds.seconds(1e9))
                .or_else(|| self.milliseconds.seconds(1e3)),
            is_upgrade: self.is_upgrade || self.kind.words == "ws",
            upstream: some(self.upstream),
            ..Exchange::default()
        };
        match exchange.product.1 {
            "envoy" => envoy::said(
                &mut exchange,
                &line,
                some(self.flags),
                some(self.details),
                some(self.transport),
            ),
            "traefik" if self.router.is_none() && status.is_some_and(|it| it.0 == 404) => {
                let span = status.map_or(line.span, |status| status.1);
                exchange.say("edge.config", "location-missing", span);
            }
            "caddy" if status.is_none_or(|(status, _)| status >= 500) => {
                said_in(&mut exchange, &line, self.message);
                said_in(&mut exchange, &line, self.error);
                said_of_backend(&mut exchange, self.message, self.error);
            }
            "cloudflared" => {
                exchange.is_upgrade |= exchange.request.target.is_empty();
                if exchange.request.method.is_empty() {
                    exchange.request.method = "GET";
                }
                said_in(&mut exchange, &line, self.error);
            }
            _ => {}
        }
        // Whoever shortens Caddy's lines leaves the request out first.
        let is_answer = exchange.product.1 == "caddy" && status.is_some();
        let is_asked = !exchange.request.method.is_empty() || exchange.is_upgrade;
        (is_asked || is_answer || !exchange.said.is_empty()).then_some(exchange)
    }

    /// Which program writes such fields.
    fn product(&self) -> Option<(&'static str, &'static str)> {
        let is_request = !self.status.words.is_empty();
        if self.logger.words.starts_with("http.log") || self.logger.words.starts_with("http.hand") {
            Some(("caddy", "caddy"))
        } else if !self.service.words.is_empty()
            || (!is_request && find(self.target.words, "://").is_some() && self.has_index)
        {
            Some(("cloudflare", "cloudflared"))
        } else if self.is_traefik && is_request {
            Some(("", "traefik"))
        } else if !self.flags.words.is_empty() || !self.details.words.is_empty() {
            Some(("envoy", "envoy"))
        } else if self.is_nginx && is_request {
            Some(("nginx", "nginx"))
        } else if is_request && !self.method.is_none() && !self.target.is_none() {
            // An application's own log of its requests.
            Some(("", ""))
        } else {
            None
        }
    }
}

fn some(field: Field<'_>) -> Option<Field<'_>> {
    Some(field).filter(|field| !field.is_none())
}

fn said_in<'a>(exchange: &mut Exchange<'a>, line: &Line<'a>, field: Field<'a>) {
    if field.is_none() {
        return;
    }
    let mut part = line.from(0);
    part.span = field.span;
    of_go_error(&part, exchange);
}

/// What Caddy says of an answer that it was passing on.
/// <https://github.com/caddyserver/caddy/blob/master/modules/caddyhttp/reverseproxy/reverseproxy.go>
fn said_of_backend<'a>(exchange: &mut Exchange<'a>, message: Field<'a>, error: Field<'a>) {
    let is_dialling = find(error.words, "dial ").is_some();
    if find(error.words, "i/o timeout").is_some() && !is_dialling {
        exchange.say("upstream.answer", "timed-out", error.span);
    }
    let is_left = find(error.words, "context canceled").is_some();
    if find(message.words, "aborting with incomplete response").is_some() && !is_left {
        exchange.say("upstream.session", "reset", message.span);
    }
}
