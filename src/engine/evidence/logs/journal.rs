//! What a log's lines say together. Each line tells of one request; which of them are the
//! socket's is known only when all are read.

use super::super::reading::{Reading, looks_like_socket};
use super::super::time::steady;
use super::super::{Address, Span};
use super::fields::{Field, Line, Request, find};
use crate::engine::graph::Hop;

/// Things said of one request beyond its status.
pub(super) type Said = (&'static str, &'static str, Hop, Span);

/// A request and what became of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Exchange<'a> {
    /// The product that wrote the line: `edge.server` and `edge.product`.
    pub(super) product: (&'static str, &'static str),
    /// What was understood.
    pub(super) line: Span,
    pub(super) request: Request<'a>,
    /// What the client asked for, where it is known.
    pub(super) host: Option<Field<'a>>,
    /// What the client was answered.
    pub(super) status: Option<(u16, Span)>,
    /// From the request to the end of the answer.
    pub(super) seconds: Option<(f64, Span)>,
    /// The line itself says that it speaks of a WebSocket.
    pub(super) is_upgrade: bool,
    /// It had been open, whatever status is written down.
    pub(super) is_opened: bool,
    /// The server behind it that was to answer.
    pub(super) upstream: Option<Field<'a>>,
    pub(super) said: Vec<Said>,
}

impl Exchange<'_> {
    /// Adds what happened between the client and the proxy.
    pub(super) fn say(&mut self, key: &'static str, value: &'static str, span: Span) {
        self.said.push((key, value, Hop::ClientEdge, span));
    }

    /// Whether it says what went wrong without naming the request, as Caddy's handlers do.
    fn is_bare_complaint(&self) -> bool {
        let names_none = self.status.is_none() && self.request.target.is_empty();
        names_none && self.product.1 == "caddy" && !self.said.is_empty()
    }

    /// Adds what happened between the proxy and the server behind it.
    pub(super) fn say_behind(&mut self, key: &'static str, value: &'static str, span: Span) {
        self.said.push((key, value, Hop::EdgeOrigin, span));
    }
}

/// More requests than this are not kept while it is open whether they are the socket's.
const MOST_UNDECIDED: usize = 50;
/// More requests than this are not compared with a new one.
const MOST_RECORDED: usize = 16;
/// More durations than this are not compared.
const MOST_DURATIONS: usize = 1000;
/// More findings than this say nothing new.
const MOST_FINDINGS: usize = 200;

/// The requests of a text's logs.
#[derive(Debug)]
pub(super) struct Journal<'a> {
    /// Paths of the sockets that the text names.
    paths: Vec<&'a str>,
    has_address: bool,
    /// What was asked for lately, with the host: the same again tells nothing new.
    recorded: Vec<(&'a str, Option<&'a str>)>,
    reading: Reading,
    /// A request of the socket was seen.
    is_found: bool,
    has_bad_gateway: bool,
    /// Requests that may be the socket's if no other is.
    undecided: Vec<Exchange<'a>>,
    is_one_path: bool,
    /// How long upgraded connections lived.
    lives: Vec<(f64, Span)>,
    /// Lines of error logs about the socket's request, and about others.
    has_error: bool,
    other_errors: Vec<Span>,
}

impl<'a> Journal<'a> {
    /// An empty journal. `addresses` are those of the text.
    pub(super) fn new(addresses: &'a [Address]) -> Self {
        let sockets = addresses.iter().filter(|address| {
            address.is_websocket() && !address.is_script && !address.is_announced
        });
        Journal {
            has_address: sockets.clone().next().is_some(),
            paths: sockets
                .map(|address| address.path.trim_end_matches('/'))
                .filter(|path| !path.is_empty())
                .take(8)
                .collect(),
            recorded: Vec::new(),
            reading: Reading::default(),
            is_found: false,
            has_bad_gateway: false,
            undecided: Vec::new(),
            is_one_path: true,
            lives: Vec::new(),
            has_error: false,
            other_errors: Vec::new(),
        }
    }

    /// Takes a line that was understood whole.
    pub(super) fn take(&mut self, exchange: Exchange<'a>) {
        own(&mut self.reading.owned, exchange.line);
        own(&mut self.reading.regions, exchange.line);
        if self.is_socket(&exchange) {
            self.record(exchange);
        } else if exchange.is_bare_complaint() {
            self.record_writer(&exchange);
            self.record_said(&exchange);
        } else if !self.is_found && self.is_one_path && may_be_socket(&exchange) {
            self.is_one_path = self
                .undecided
                .first()
                .is_none_or(|first| path_of(first) == path_of(&exchange));
            if self.is_one_path && self.undecided.len() < MOST_UNDECIDED {
                self.undecided.push(exchange);
            }
        }
    }

    /// Takes a line of an error log, whose words are left to the wordings unless it speaks of
    /// another request. `tail` is where it names client, request and upstream.
    pub(super) fn take_error(&mut self, line: Span, tail: Span, request: Option<Request<'a>>) {
        own(&mut self.reading.owned, tail);
        own(&mut self.reading.regions, line);
        let Some(request) = request else { return };
        let exchange = Exchange {
            request,
            ..Exchange::default()
        };
        if self.is_socket(&exchange) {
            self.has_error = true;
            self.is_found = true;
        } else {
            own(&mut self.other_errors, line);
        }
    }

    /// Adds what does not depend on a request.
    fn add(&mut self, key: &'static str, value: &str, hop: Hop, span: Span) {
        let findings = &mut self.reading.findings;
        let is_known = findings
            .iter()
            .any(|known| known.key == key && known.value == value && known.hop == hop);
        if !is_known && findings.len() < MOST_FINDINGS {
            self.reading.add_on(hop, "edge", key, value, span);
        }
    }

    /// Takes a line that says something whatever it was asked for.
    pub(super) fn own(&mut self, span: Span) {
        own(&mut self.reading.owned, span);
        own(&mut self.reading.regions, span);
    }

    /// Words that are known to tell of something else.
    pub(super) fn set_aside(&mut self, span: Span) {
        own(&mut self.reading.owned, span);
    }

    fn is_socket(&self, exchange: &Exchange<'_>) -> bool {
        if exchange.is_upgrade || exchange.status.is_some_and(|(status, _)| status == 101) {
            return true;
        }
        let path = path_of(exchange);
        if !may_be_socket(exchange) {
            return false;
        }
        if self.paths.contains(&path.trim_end_matches('/')) {
            return true;
        }
        self.paths.is_empty() && looks_like_socket(path) || is_socketio(path)
    }

    fn record(&mut self, exchange: Exchange<'a>) {
        if !self.is_found {
            self.undecided.clear();
        }
        self.is_found = true;
        self.record_writer(&exchange);
        self.record_address(&exchange);
        self.record_status(&exchange);
        self.record_said(&exchange);
    }

    fn record_writer(&mut self, exchange: &Exchange<'a>) {
        let (server, product) = exchange.product;
        if !server.is_empty() {
            self.add("edge.server", server, Hop::ClientEdge, exchange.line);
        }
        if !product.is_empty() {
            self.add("edge.product", product, Hop::ClientEdge, exchange.line);
            self.add("edge.present", "yes", Hop::ClientEdge, exchange.line);
        }
        if product == "cloudflared" {
            self.add("environment.tunnel", "yes", Hop::ClientEdge, exchange.line);
        }
    }

    /// What it says beyond its status.
    fn record_said(&mut self, exchange: &Exchange<'a>) {
        if let Some(upstream) = exchange.upstream {
            self.add(
                "edge.upstream",
                upstream.words,
                Hop::ClientEdge,
                upstream.span,
            );
        }
        for (key, value, hop, span) in &exchange.said {
            self.add(key, value, *hop, *span);
        }
    }

    /// What was asked for, where the text does not name the socket's address itself.
    fn record_address(&mut self, exchange: &Exchange<'a>) {
        if self.has_address || exchange.request.target.is_empty() {
            return;
        }
        let asked = (
            exchange.request.target,
            exchange.host.map(|host| host.words),
        );
        if self.recorded.contains(&asked) {
            return;
        }
        if self.recorded.len() < MOST_RECORDED {
            self.recorded.push(asked);
        }
        let address = Address {
            scheme: "wss",
            host: exchange
                .host
                .map_or(String::new(), |host| host.words.to_ascii_lowercase()),
            port: None,
            is_port_unknown: false,
            path: path_of(exchange).to_owned(),
            query: exchange
                .request
                .target
                .split_once('?')
                .map_or(String::new(), |(_, query)| query.to_owned()),
            span: exchange.request.target_span,
            is_page: false,
            is_script: false,
            is_example: false,
            is_aside: false,
            is_announced: false,
        };
        for (key, value) in address.facts() {
            match key {
                "url.path" | "url.path.kind" => {
                    self.add(key, &value, Hop::ClientEdge, exchange.request.target_span);
                }
                "url.host" => {
                    if let Some(host) = exchange.host.filter(|host| is_host(host.words)) {
                        self.add(key, &value, Hop::ClientEdge, host.span);
                    }
                }
                _ => {}
            }
        }
    }

    fn record_status(&mut self, exchange: &Exchange<'_>) {
        let Some((status, span)) = exchange.status else {
            if exchange.is_opened {
                self.record_life(exchange);
            }
            return;
        };
        let is_polling = find(exchange.request.target, "transport=polling").is_some();
        let is_upgraded = status == 101 || (exchange.request.method == "CONNECT" && status == 200);
        if is_upgraded {
            self.add("handshake.status", "101", Hop::ClientEdge, span);
            self.record_life(exchange);
            return;
        }
        self.has_bad_gateway |= matches!(status, 500 | 502..=504);
        if is_polling && status < 400 {
            return;
        }
        // Engine.IO answers 400 to a session that it does not know:
        // https://github.com/socketio/engine.io/blob/main/lib/server.ts
        if is_polling && status == 400 && find(exchange.request.target, "sid=").is_some() {
            self.add("server.says", "session-id-unknown", Hop::ClientEdge, span);
        }
        if let (408 | 499 | 504, Some((seconds, span))) = (status, exchange.seconds) {
            let seconds = format!("{seconds:.1}");
            self.add("handshake.seconds", &seconds, Hop::ClientEdge, span);
        }
        if status != 444 {
            let status = status.to_string();
            self.add("handshake.status", &status, Hop::ClientEdge, span);
        }
        self.record_special(exchange, status, span, is_polling);
    }

    fn record_life(&mut self, exchange: &Exchange<'_>) {
        if self.lives.len() < MOST_DURATIONS {
            self.lives.extend(exchange.seconds);
        }
    }

    /// Statuses that are nginx's own, and versions of the protocol in which there is no upgrade.
    /// <https://github.com/nginx/nginx/blob/master/src/http/ngx_http_request.h>
    fn record_special(
        &mut self,
        exchange: &Exchange<'_>,
        status: u16,
        span: Span,
        is_polling: bool,
    ) {
        match status {
            460 | 499 => self.add("edge.termination", "client-aborted", Hop::ClientEdge, span),
            444 => self.add("handshake.answer", "closed", Hop::ClientEdge, span),
            494 => self.add("edge.limit", "header", Hop::ClientEdge, span),
            495 | 496 => self.add(
                "tls.fault",
                "client-certificate-required",
                Hop::ClientEdge,
                span,
            ),
            497 => self.add("tls.plain-request", "yes", Hop::ClientEdge, span),
            _ => {}
        }
        let version = exchange.request.version;
        if is_polling || exchange.request.method != "GET" {
            return;
        }
        let span = exchange.request.version_span;
        if version.starts_with("HTTP/2") || version.starts_with("HTTP/3") {
            if (300..500).contains(&status) || status == 501 {
                self.add("handshake.request", "http-2", Hop::ClientEdge, span);
            }
        } else if version == "HTTP/1.0" && status != 101 {
            self.add("handshake.request", "http-1.0", Hop::ClientEdge, span);
        }
    }

    /// All that was found.
    pub(super) fn finish(mut self) -> Reading {
        if !self.is_found && self.is_one_path {
            for exchange in std::mem::take(&mut self.undecided) {
                self.record(exchange);
            }
        }
        if self.has_error || (self.is_found && !self.has_bad_gateway) {
            self.reading.owned.append(&mut self.other_errors);
        }
        if let Some((seconds, span)) = steady(&self.lives) {
            self.add(
                "open.seconds",
                &format!("{seconds:.1}"),
                Hop::ClientEdge,
                span,
            );
        }
        self.reading
    }
}

/// Adds a span, joined with the last one where only a line's end lies between them.
fn own(spans: &mut Vec<Span>, span: Span) {
    match spans.last_mut() {
        Some(last) if span.start >= last.start && span.start <= last.end + 2 => {
            last.end = last.end.max(span.end);
        }
        _ => spans.push(span),
    }
}

/// The path without query, also of a whole address.
fn path_of<'a>(exchange: &Exchange<'a>) -> &'a str {
    let target = exchange.request.target;
    let target = match find(target, "://") {
        Some(scheme) if scheme < 8 => {
            let rest = target.get(scheme + 3..).unwrap_or_default();
            rest.find('/')
                .map_or("/", |slash| rest.get(slash..).unwrap_or_default())
        }
        _ => target,
    };
    target
        .split_once(['?', '#'])
        .map_or(target, |(path, _)| path)
}

/// Polling transports ask for the same path with POST as well.
fn is_socketio(path: &str) -> bool {
    find(path, "/socket.io").is_some() || find(path, "/engine.io").is_some()
}

/// Whether a request can be a handshake (or a polling transport's) at all.
fn may_be_socket(exchange: &Exchange<'_>) -> bool {
    let path = path_of(exchange);
    let is_asked = match exchange.request.method {
        "GET" | "CONNECT" => true,
        "POST" => is_socketio(path),
        _ => exchange.request.target.is_empty(),
    };
    is_asked && !is_other(path)
}

/// Files of a page, checks of health, and what comes before a handshake.
fn is_other(path: &str) -> bool {
    let last = path
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default();
    let is_file = last.rsplit_once('.').is_some_and(|(name, ending)| {
        !name.is_empty()
            && matches!(
                ending,
                "js" | "mjs"
                    | "css"
                    | "map"
                    | "png"
                    | "jpg"
                    | "jpeg"
                    | "gif"
                    | "svg"
                    | "ico"
                    | "woff"
                    | "woff2"
                    | "ttf"
                    | "html"
                    | "txt"
                    | "xml"
                    | "json"
                    | "webp"
                    | "webmanifest"
            )
    });
    is_file
        || matches!(
            last,
            "info" | "negotiate" | "livez" | "readyz" | "healthz" | "health" | "ping" | "status"
        )
        || find(path, "/health").is_some()
}

/// Whether it can be a host's name: no placeholder of a log.
fn is_host(words: &str) -> bool {
    !words.is_empty() && words != "-" && words != "_" && words.contains('.')
}

/// What a Go program's error about its upstream says.
pub(super) fn of_go_error(line: &Line<'_>, exchange: &mut Exchange<'_>) {
    const ERRORS: &[(&str, &str, &str, Hop)] = &[
        (
            "connection refused",
            "tcp.connect",
            "refused",
            Hop::EdgeOrigin,
        ),
        (
            "actively refused",
            "tcp.connect",
            "refused",
            Hop::EdgeOrigin,
        ),
        (
            "connect: no such file",
            "tcp.connect",
            "refused",
            Hop::EdgeOrigin,
        ),
        (
            "no route to host",
            "tcp.connect",
            "host-unreachable",
            Hop::EdgeOrigin,
        ),
        (
            "network is unreachable",
            "tcp.connect",
            "host-unreachable",
            Hop::EdgeOrigin,
        ),
        (
            "connection timed out",
            "tcp.connect",
            "timed-out",
            Hop::EdgeOrigin,
        ),
        ("i/o timeout", "tcp.connect", "timed-out", Hop::EdgeOrigin),
        ("no such host", "dns.lookup", "not-found", Hop::EdgeOrigin),
        ("x509:", "tls.upstream", "failed", Hop::ClientEdge),
        ("tls: ", "tls.upstream", "failed", Hop::ClientEdge),
        (
            "connection reset by peer",
            "upstream.answer",
            "reset",
            Hop::ClientEdge,
        ),
        ("EOF", "upstream.answer", "closed", Hop::ClientEdge),
        (
            "timeout awaiting response headers",
            "upstream.answer",
            "timed-out",
            Hop::ClientEdge,
        ),
        (
            "context deadline exceeded",
            "upstream.answer",
            "timed-out",
            Hop::ClientEdge,
        ),
        (
            "malformed HTTP",
            "upstream.answer",
            "invalid",
            Hop::ClientEdge,
        ),
        (
            "no upstreams available",
            "upstream.health",
            "none",
            Hop::ClientEdge,
        ),
        (
            "context canceled",
            "edge.termination",
            "client-aborted",
            Hop::ClientEdge,
        ),
        (
            "permission denied",
            "tcp.connect",
            "denied",
            Hop::EdgeOrigin,
        ),
    ];
    let words = line.words();
    let is_dialling = find(words, "dial ").is_some();
    let known = ERRORS
        .iter()
        .filter(|error| is_dialling || error.0 != "i/o timeout")
        .find_map(|error| find(words, error.0).map(|at| (error, at)));
    if let Some(((wording, key, value, hop), at)) = known {
        let span = line.field(at, at + wording.len()).span;
        exchange.said.push((key, value, *hop, span));
    }
    if let Some(at) = find(words, "dial tcp [::1]:") {
        let span = line.field(at + 9, at + 14).span;
        exchange.say_behind("tcp.address.kind", "ipv6-loopback", span);
    }
}
