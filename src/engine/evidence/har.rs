//! HTTP Archive 1.2 as the developer tools of Chromium and Firefox write it.
//!
//! Of all that a page loaded, only WebSockets matter, and requests to the same host that failed
//! beside them (Socket.IO polls before it opens a socket).

use jiff::Timestamp;

use super::recording::{
    Recording, address_of, as_socket, is_consequence, redirect, telling_header,
};
use super::scan::{ELEMENT, Found, unescaped, walk};
use super::{Address, Span};

/// More WebSockets, failed requests and headers of one request than this are not kept.
const MOST_ENTRIES: usize = 500;
const MOST_HEADERS: usize = 100;
/// Errors that are kept of one socket.
const MOST_ERRORS: usize = 8;
/// A file says within so many bytes that it is an archive.
const HEAD: usize = 64 << 10;
/// Longer waits without an answer are time-outs, in milliseconds.
const LONG_WAIT: f64 = 15_000.0;
/// A socket without messages for so many seconds was idle.
const IDLE: f64 = 20.0;

/// Reads the archive in a text; `None` if there is none.
pub(super) fn read(text: &str) -> Option<Recording> {
    let start = start(text)?;
    let mut reader = Reader {
        text,
        sockets: Vec::new(),
        failed: Vec::new(),
        page: None,
        is_firefox: false,
        entry: Entry::default(),
        name: None,
        value: None,
        message: Message::default(),
    };
    let end = walk(text, start, |path, found| reader.visit(path, found));
    let mut recording = reader.recording();
    recording.span = Span { start, end };
    Some(recording)
}

/// Where `{"log": {` stands and what follows belongs to an archive.
fn start(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    memchr::memmem::find_iter(bytes, b"\"log\"")
        .take(16)
        .find_map(|at| {
            let before = text[..at].trim_end();
            let start = before.len().checked_sub(1)?;
            let rest = text[at + 5..].trim_start().strip_prefix(':')?;
            let head = &rest.as_bytes()[..rest.len().min(HEAD)];
            let is_archive = rest.trim_start().starts_with('{')
                && [&b"\"entries\""[..], b"\"creator\"", b"\"pages\""]
                    .iter()
                    .any(|word| memchr::memmem::find(head, word).is_some());
            (bytes[start] == b'{' && is_archive).then_some(start)
        })
}

#[derive(Debug, Default)]
struct Message {
    time: Option<f64>,
    kind: Option<Span>,
    opcode: Option<Span>,
    data: Option<Span>,
}

/// What is kept of a request: places, no copies.
#[derive(Debug, Default)]
struct Entry {
    url: Option<Span>,
    is_socket: bool,
    version: Option<Span>,
    status: Option<Span>,
    error: Option<Span>,
    body: Option<Span>,
    request_headers: Vec<(Span, Span)>,
    response_headers: Vec<(Span, Span)>,
    server_address: Option<Span>,
    started: Option<Span>,
    initiator: Option<Span>,
    connect: f64,
    wait: f64,
    receive: Option<(f64, Span)>,
    messages: usize,
    first_message: Option<f64>,
    last_message: Option<f64>,
    errors: Vec<Span>,
    closes: Vec<Span>,
}

struct Reader<'a> {
    text: &'a str,
    sockets: Vec<Entry>,
    failed: Vec<Entry>,
    page: Option<Address>,
    is_firefox: bool,
    entry: Entry,
    name: Option<Span>,
    value: Option<Span>,
    message: Message,
}

impl<'a> Reader<'a> {
    fn visit(&mut self, path: &[&'a str], found: Found) {
        let ["log", rest @ ..] = path else { return };
        match rest {
            ["entries", ELEMENT, inside @ ..] => match (inside, found) {
                ([], Found::Enter) => self.entry = Entry::default(),
                ([], Found::Leave) => self.finish(),
                (_, Found::Enter | Found::Leave) => self.bracket(inside, found),
                (_, Found::Text(span) | Found::Word(span)) => self.scalar(inside, span),
            },
            ["pages", ELEMENT, "title"] => {
                if let (None, Found::Text(span)) = (&self.page, found) {
                    self.page = address_of(&unescaped(self.text, span, 4096), span)
                        .filter(|address| !address.is_websocket());
                }
            }
            ["creator" | "browser", "name"] => {
                if let Found::Text(span) = found {
                    self.is_firefox |= self.slice(span).eq_ignore_ascii_case("firefox");
                }
            }
            _ => {}
        }
    }

    fn bracket(&mut self, inside: &[&str], found: Found) {
        match (inside, found) {
            (["request" | "response", "headers", ELEMENT], Found::Enter) => {
                self.name = None;
                self.value = None;
            }
            ([side @ ("request" | "response"), "headers", ELEMENT], Found::Leave) => {
                if let (Some(name), Some(value)) = (self.name, self.value) {
                    let headers = match *side {
                        "request" => &mut self.entry.request_headers,
                        _ => &mut self.entry.response_headers,
                    };
                    if headers.len() < MOST_HEADERS {
                        headers.push((name, value));
                    }
                }
            }
            (["_webSocketMessages"], Found::Enter) => self.entry.is_socket = true,
            (["_webSocketMessages", ELEMENT], Found::Enter) => self.message = Message::default(),
            (["_webSocketMessages", ELEMENT], Found::Leave) => self.message(),
            _ => {}
        }
    }

    fn scalar(&mut self, inside: &[&str], span: Span) {
        let text = self.text;
        let number = |span: Span| number(&text[span.start..span.end]);
        let entry = &mut self.entry;
        match inside {
            ["request", "url"] => entry.url = Some(span),
            ["_resourceType"] => {
                entry.is_socket |= &text[span.start..span.end] == "websocket";
            }
            ["request" | "response", "httpVersion"] if span.end > span.start => {
                entry.version = Some(span);
            }
            ["request" | "response", "headers", ELEMENT, "name"] => self.name = Some(span),
            ["request" | "response", "headers", ELEMENT, "value"] => self.value = Some(span),
            ["response", "status"] => entry.status = Some(span),
            ["response", "_error"] | ["_error"] => entry.error = Some(span),
            ["response", "content", "text"] => entry.body = Some(span),
            ["serverIPAddress"] => entry.server_address = Some(span),
            ["startedDateTime"] => entry.started = Some(span),
            ["_initiator", "url"] => entry.initiator = Some(span),
            ["timings", "connect"] => entry.connect = number(span).unwrap_or(-1.0),
            ["timings", "wait"] => entry.wait = number(span).unwrap_or(-1.0),
            ["timings", "receive"] => {
                entry.receive = number(span).map(|number| (number, span));
            }
            ["_webSocketMessages", ELEMENT, "time"] => self.message.time = number(span),
            ["_webSocketMessages", ELEMENT, "type"] => self.message.kind = Some(span),
            ["_webSocketMessages", ELEMENT, "opcode"] => self.message.opcode = Some(span),
            ["_webSocketMessages", ELEMENT, "data"] => self.message.data = Some(span),
            _ => {}
        }
    }

    fn message(&mut self) {
        let message = std::mem::take(&mut self.message);
        let kind = message.kind.map_or("", |span| self.slice(span));
        let opcode = message.opcode.map_or("", |span| self.slice(span));
        let (is_error, is_close) = (kind == "error" || opcode == "-1", opcode == "8");
        let entry = &mut self.entry;
        if is_error || is_close {
            let kept = if is_error {
                &mut entry.errors
            } else {
                &mut entry.closes
            };
            kept.extend(message.data.filter(|_| kept.len() < MOST_ERRORS));
            return;
        }
        entry.messages += 1;
        if let Some(time) = message.time {
            entry.first_message = entry.first_message.or(Some(time));
            entry.last_message = Some(time);
        }
    }

    fn slice(&self, span: Span) -> &'a str {
        &self.text[span.start..span.end]
    }

    fn status(&self, entry: &Entry) -> Option<(u16, Span)> {
        let span = entry.status?;
        let status: u16 = self.slice(span).parse().ok()?;
        (100..1000).contains(&status).then_some((status, span))
    }

    fn header(&self, headers: &[(Span, Span)], name: &str) -> Option<Span> {
        headers
            .iter()
            .find(|(known, _)| self.slice(*known).eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    }

    fn finish(&mut self) {
        let mut entry = std::mem::take(&mut self.entry);
        let Some(url) = entry.url else { return };
        let raw = self.slice(url);
        let upgrades = |headers| {
            self.header(headers, "upgrade")
                .is_some_and(|value| self.slice(value).eq_ignore_ascii_case("websocket"))
        };
        let is_socket = entry.is_socket
            || raw
                .get(..2)
                .is_some_and(|scheme| scheme.eq_ignore_ascii_case("ws"))
            || upgrades(&entry.request_headers)
            || (upgrades(&entry.response_headers)
                && self.status(&entry).is_some_and(|(status, _)| status == 101));
        entry.is_socket = is_socket;
        let has_failed = match self.status(&entry) {
            Some((status, _)) => status >= 400,
            None => entry.error.is_some_and(|error| error.end > error.start),
        };
        if is_socket && self.sockets.len() < MOST_ENTRIES {
            self.sockets.push(entry);
        } else if !is_socket && has_failed && self.failed.len() < MOST_ENTRIES {
            self.failed.push(entry);
        }
    }

    fn address(&self, entry: &Entry) -> Option<Address> {
        let span = entry.url?;
        address_of(&unescaped(self.text, span, 4096), span)
    }

    fn has_opened(&self, entry: &Entry) -> bool {
        let over_http2 = entry
            .version
            .is_some_and(|version| is_http2(self.slice(version)));
        match self.status(entry) {
            Some((101, _)) => true,
            // Over HTTP/2 a socket is opened with 200 (RFC 8441).
            Some((200, _)) => over_http2 && entry.errors.is_empty(),
            _ => entry.messages > 0,
        }
    }

    fn recording(mut self) -> Recording {
        let mut recording = Recording::new();
        let sockets = std::mem::take(&mut self.sockets);
        let mut known: Vec<(Address, bool, usize)> = Vec::new();
        let mut weights: Vec<usize> = Vec::new();
        let mut lives: Vec<Vec<(f64, Span)>> = Vec::new();
        for entry in &sockets {
            let Some(address) = self.address(entry).map(as_socket) else {
                continue;
            };
            let opened = self.has_opened(entry);
            let connection = known
                .iter()
                .find(|(other, was_opened, _)| {
                    *was_opened == opened && other.same_endpoint(&address)
                })
                .map(|(_, _, connection)| *connection)
                .unwrap_or_else(|| {
                    let connection = recording.connect(address.clone());
                    known.push((address.clone(), opened, connection));
                    weights.push(0);
                    lives.push(Vec::new());
                    connection
                });
            // That a socket failed to open says more than that it ended.
            weights[connection] += if !opened {
                100
            } else {
                usize::from(!entry.errors.is_empty()) * 10
                    + usize::from(!entry.closes.is_empty()) * 5
                    + 1
            };
            self.socket(&mut recording, connection, entry, &address, opened);
            if let Some(life) = self.life(entry).filter(|_| opened) {
                lives[connection].push(life);
            }
        }
        for (connection, lives) in lives.iter().enumerate() {
            fixed_time(&mut recording, connection, lives);
        }
        let failing = (0..weights.len())
            .max_by_key(|connection| (weights[*connection], usize::MAX - connection));
        recording.failing = failing.filter(|connection| weights[*connection] > 1);
        self.polls(&mut recording, &known);
        if let Some(page) = &self.page {
            recording.page(page);
        }
        recording
    }

    fn socket(
        &mut self,
        recording: &mut Recording,
        connection: usize,
        entry: &Entry,
        address: &Address,
        opened: bool,
    ) {
        let here = Some(connection);
        let status = self.status(entry);
        if let Some((status, span)) = status.filter(|(status, _)| !(opened && *status == 200)) {
            recording.fact("handshake.status", &status.to_string(), here, span);
        }
        if opened && let Some(span) = status.map(|(_, span)| span).or(entry.url) {
            recording.fact("handshake.opened", "yes", here, span);
        }
        if let Some(version) = entry.version
            && is_http2(self.slice(version))
            && !opened
        {
            recording.fact("handshake.request", "http-2", here, version);
        }
        if status.is_none() && !opened {
            self.silence(recording, connection, entry, address);
        }
        self.wordings(recording, here, entry, !opened);
        if let Some(location) = self.header(&entry.response_headers, "location")
            && status.is_some_and(|(status, _)| (300..400).contains(&status))
            && let Some(kind) = redirect(address, &unescaped(self.text, location, 4096))
        {
            recording.fact("handshake.redirect", kind, here, location);
        }
        self.subprotocols(recording, connection, entry);
        for close in &entry.closes {
            let data = self.slice(*close);
            if let Some(code) = data.get(..4)
                && code
                    .parse::<u16>()
                    .is_ok_and(|code| (1000..5000).contains(&code))
            {
                recording.fact("close.code", code, here, *close);
            }
        }
        if let Some((seconds, span)) = self.life(entry).filter(|_| opened) {
            let seconds_text = format!("{seconds:.1}");
            recording.fact("open.seconds", &seconds_text, here, span);
            if let Some(quiet) = self.quiet(entry, seconds) {
                if quiet >= IDLE {
                    recording.fact("session.idle", "yes", here, span);
                } else if quiet <= 2.0 {
                    recording.fact("session.idle", "no", here, span);
                }
            }
        }
        let origin = self
            .header(&entry.request_headers, "origin")
            .or_else(|| self.header(&entry.request_headers, "referer"));
        for span in [origin, entry.initiator].into_iter().flatten() {
            if self.page.is_none() || Some(span) == origin {
                let page = address_of(&unescaped(self.text, span, 4096), span).filter(|page| {
                    !page.is_websocket() && (Some(span) == origin || !page.is_script)
                });
                if page.is_some() {
                    self.page = page;
                    break;
                }
            }
        }
    }

    /// What can be said where nothing was answered: whether the connection or the answer was
    /// waited for.
    fn silence(
        &self,
        recording: &mut Recording,
        connection: usize,
        entry: &Entry,
        address: &Address,
    ) {
        let Some(span) = entry.status.or(entry.url) else {
            return;
        };
        if entry.wait >= LONG_WAIT {
            recording.fact("handshake.answer", "timed-out", Some(connection), span);
        } else if entry.connect >= LONG_WAIT {
            recording.fact("tcp.connect", "timed-out", Some(connection), span);
        }
        if let Some(span) = entry.server_address
            && self.slice(span).trim_matches(['[', ']']) == "::1"
            && address.host == "localhost"
        {
            recording.fact("tcp.address.kind", "ipv6-loopback", Some(connection), span);
        }
    }

    /// Errors, headers and the beginning of a refusal's body are looked at with the known wordings.
    fn wordings(
        &self,
        recording: &mut Recording,
        connection: Option<usize>,
        entry: &Entry,
        has_failed: bool,
    ) {
        for error in entry.error.iter().chain(&entry.errors) {
            let words = unescaped(self.text, *error, 1024);
            if self.status(entry).is_none() || !is_consequence(&words) {
                recording.words(words, connection, *error);
            }
        }
        for (name, value) in &entry.response_headers {
            let name = unescaped(self.text, *name, 64);
            let words = unescaped(self.text, *value, 512).replace(['\n', '\r'], " ");
            if let Some(header) = telling_header(&name, &words) {
                recording.words(header, connection, *value);
            }
        }
        if let Some(body) = entry.body.filter(|_| has_failed) {
            recording.words(unescaped(self.text, body, 2048), connection, body);
        }
    }

    /// Compares the subprotocols that were asked for with the one that was named.
    fn subprotocols(&self, recording: &mut Recording, connection: usize, entry: &Entry) {
        // Headers that the browser does not know of are no sign of anything.
        let is_whole = self.status(entry).is_some_and(|(status, _)| status == 101)
            && self
                .header(&entry.request_headers, "sec-websocket-key")
                .is_some()
            && self
                .header(&entry.response_headers, "sec-websocket-accept")
                .is_some();
        if !is_whole {
            return;
        }
        let asked = self.header(&entry.request_headers, "sec-websocket-protocol");
        let named = self.header(&entry.response_headers, "sec-websocket-protocol");
        let fault = match (asked, named) {
            (Some(asked), None) if entry.messages == 0 => Some(("subprotocol-missing", asked)),
            (None, Some(named)) => Some(("subprotocol-unexpected", named)),
            (Some(asked), Some(named)) => {
                let is_among = self
                    .slice(asked)
                    .split(',')
                    .any(|one| one.trim() == self.slice(named).trim());
                (!is_among).then_some(("subprotocol-unexpected", named))
            }
            _ => None,
        };
        if let Some((fault, span)) = fault {
            recording.fact("handshake.fault", fault, Some(connection), span);
        }
    }

    /// How many seconds an opened socket lived. A socket that was still open when the file was
    /// written has none; Firefox does not tell.
    fn life(&self, entry: &Entry) -> Option<(f64, Span)> {
        let (receive, span) = entry.receive.filter(|_| !self.is_firefox)?;
        let seconds = receive / 1000.0;
        let outlived = entry
            .last_message
            .zip(entry.first_message)
            .is_some_and(|(last, first)| last - first > seconds + 1.0);
        (receive > 1.0 && !outlived).then_some((seconds, span))
    }

    /// Seconds from the last message to the end.
    fn quiet(&self, entry: &Entry, seconds: f64) -> Option<f64> {
        let started: Timestamp = self.slice(entry.started?).parse().ok()?;
        let Some(last) = entry.last_message else {
            return Some(seconds);
        };
        let before = entry.connect.max(0.0) + entry.wait.max(0.0);
        let end = started.as_millisecond() as f64 / 1000.0 + before / 1000.0 + seconds;
        // A file whose clocks do not agree tells nothing.
        Some(end - last).filter(|quiet| (-5.0..=seconds + 5.0).contains(quiet))
    }

    /// Requests to a socket's host that failed, and polling where no socket was tried.
    fn polls(&self, recording: &mut Recording, known: &[(Address, bool, usize)]) {
        let mut alone: Vec<(Address, usize)> = Vec::new();
        for entry in &self.failed {
            let Some(address) = self.address(entry) else {
                continue;
            };
            let as_one = as_socket(address.clone());
            let same_host = |other: &Address| {
                other.host == as_one.host && other.effective_port() == as_one.effective_port()
            };
            let kind = |address: &Address| {
                address
                    .facts()
                    .into_iter()
                    .find(|(key, _)| *key == "url.path.kind")
                    .map(|(_, value)| value)
                    .filter(|kind| kind != "dev-server")
            };
            let own_kind = kind(&address);
            let belongs = |other: &Address| {
                same_host(other)
                    && (self.status(entry).is_none()
                        || other.same_endpoint(&as_one)
                        || (own_kind.is_some() && kind(other) == own_kind))
            };
            let mut of: Vec<usize> = known
                .iter()
                .filter(|(other, _, _)| belongs(other))
                .map(|(_, _, connection)| *connection)
                .collect();
            of.sort_by_key(|connection| Some(*connection) != recording.failing);
            let connection = of.first().copied().or_else(|| {
                // A library that polls first never comes to its socket if polling fails.
                own_kind.as_ref().filter(|_| known.is_empty())?;
                let seen = alone
                    .iter()
                    .find(|(other, _)| other.same_endpoint(&address));
                Some(seen.map(|(_, connection)| *connection).unwrap_or_else(|| {
                    let connection = recording.connect(address.clone());
                    alone.push((address.clone(), connection));
                    connection
                }))
            });
            if connection.is_none() {
                continue;
            }
            if recording.failing.is_none() {
                recording.failing = connection;
            }
            if let Some((status, span)) = self.status(entry) {
                recording.fact("handshake.status", &status.to_string(), connection, span);
            }
            if own_kind.as_deref() == Some("socket.io") && address.query.contains("polling") {
                let span = entry.status.unwrap_or(address.span);
                recording.fact("client.fault", "polling-error", connection, span);
            }
            self.wordings(recording, connection, entry, true);
        }
    }
}

/// Three lives of the same length are no accident.
fn fixed_time(recording: &mut Recording, connection: usize, lives: &[(f64, Span)]) {
    let Some((first, span)) = lives.first() else {
        return;
    };
    let is_same = |life: &(f64, Span)| (life.0 - first).abs() <= (first * 0.02).max(0.5);
    if lives.len() >= 3 && *first > 5.0 && lives.iter().all(is_same) {
        recording.fact("ends.after", "fixed-time", Some(connection), *span);
    }
}

/// A number that a number can hold.
fn number(word: &str) -> Option<f64> {
    word.parse().ok().filter(|number: &f64| number.is_finite())
}

fn is_http2(version: &str) -> bool {
    let version = version.to_ascii_lowercase();
    matches!(version.as_str(), "h2" | "http/2" | "http/2.0")
}
