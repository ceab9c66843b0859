//! Gathers the events of the requests of sockets: places in the text, no copies.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::super::Span;
use super::super::condensed::Value;
use super::super::scan::{ELEMENT, Found, walk};

/// More sockets, ties between sources and events are not kept.
const MOST_SOCKETS: usize = 200;
const MOST_TIES: usize = 1_000_000;
const MOST_EVENTS: usize = 4_000;
/// So far are sources followed that worked for a socket's request, and so many of them.
const FARTHEST: usize = 5;
const MOST_WORKERS: usize = 64;
/// Headers that are kept of one event.
const MOST_HEADERS: usize = 100;

/// Members of an event's `params` that are kept.
pub(super) const PARAMS: [&str; 10] = [
    "url",
    "net_error",
    "os_error",
    "message",
    "proxy_info",
    "proxy_chain",
    "proxy_server",
    "pac_string",
    "opcode",
    "byte_count",
];

/// An event.
#[derive(Clone, Debug, Default)]
pub(super) struct Event {
    pub(super) kind: Option<Value>,
    pub(super) time: Option<Value>,
    pub(super) phase: Option<Value>,
    pub(super) source: Option<Value>,
    pub(super) tie: Option<Value>,
    pub(super) params: [Option<Value>; PARAMS.len()],
    pub(super) headers: Vec<Value>,
}

impl Event {
    pub(super) fn param(&self, name: &str) -> Option<Value> {
        let place = PARAMS.iter().position(|known| *known == name)?;
        self.params[place]
    }

    fn proxy(&self) -> Option<Value> {
        ["proxy_info", "proxy_chain", "proxy_server", "pac_string"]
            .iter()
            .find_map(|name| self.param(name))
    }
}

/// What an event tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The request begins; it names the address.
    Request,
    /// Something ended with an error.
    Error(Span),
    /// What the browser says of a handshake that failed.
    Refusal(Span),
    /// The handshake's headers.
    Question,
    Answer,
    /// Which proxy is used.
    Proxy(Span),
    /// A WebSocket frame.
    Frame {
        is_received: bool,
        is_close: bool,
    },
    /// The other side closed the connection.
    End,
    /// A connection is no more.
    Gone,
}

/// What matters of a network log.
pub(super) struct Log<'a> {
    pub(super) text: &'a str,
    /// The names of the kinds of events, and of errors, by their numbers.
    pub(super) types: HashMap<i64, &'a str>,
    pub(super) errors: HashMap<i64, &'a str>,
    /// The places of sockets' addresses by their sources.
    pub(super) sockets: BTreeMap<i64, Value>,
    /// In the order of the text.
    pub(super) events: Vec<Event>,
    /// The byte after it.
    pub(super) end: usize,
    /// Which sources a source names.
    ties: HashMap<i64, Vec<i64>>,
    tie_count: usize,
    event: Event,
    /// The last frame of each source.
    last_frames: HashMap<i64, Event>,
}

impl<'a> Log<'a> {
    /// Reads the log that begins at a byte of the text: first for the sockets and who worked for
    /// them, then for what happened to those.
    pub(super) fn read(text: &'a str, start: usize) -> Self {
        let mut log = Log {
            text,
            types: HashMap::new(),
            errors: HashMap::new(),
            sockets: BTreeMap::new(),
            events: Vec::new(),
            end: start,
            ties: HashMap::new(),
            tie_count: 0,
            event: Event::default(),
            last_frames: HashMap::new(),
        };
        log.end = walk(text, start, |path, found| match (path, found) {
            (["events", ELEMENT], Found::Leave) => log.tie(),
            _ => log.visit(path, found),
        });
        let relevant: HashSet<i64> = log
            .sockets
            .keys()
            .flat_map(|source| log.workers(*source))
            .collect();
        walk(&text[..log.end], start, |path, found| match (path, found) {
            (["events", ELEMENT], Found::Leave) => log.keep(&relevant),
            (["events", ..], _) => log.visit(path, found),
            _ => {}
        });
        log.events
            .extend(log.last_frames.drain().map(|(_, event)| event));
        log.events
            .sort_by_key(|event| event.source.map(|source| source.span.start));
        log
    }

    fn visit(&mut self, path: &[&'a str], found: Found) {
        let (span, is_text) = match found {
            Found::Text(span) => (span, true),
            Found::Word(span) => (span, false),
            Found::Enter => {
                if matches!(path, ["events", ELEMENT]) {
                    self.event = Event::default();
                }
                return;
            }
            Found::Leave => return,
        };
        let value = Value { span, is_text };
        match path {
            ["events", ELEMENT, inside @ ..] => self.member(inside, value),
            ["constants", "logEventTypes", name] => {
                let number = self.number(span);
                self.types.extend(number.map(|number| (number, *name)));
            }
            ["constants", "netError", name] => {
                let number = self.number(span);
                self.errors.extend(number.map(|number| (number, *name)));
            }
            _ => {}
        }
    }

    fn member(&mut self, inside: &[&str], value: Value) {
        let event = &mut self.event;
        match inside {
            ["type"] => event.kind = Some(value),
            ["time"] => event.time = Some(value),
            ["phase"] => event.phase = Some(value),
            ["source", "id"] => event.source = Some(value),
            ["params", "source_dependency", "id"] => event.tie = Some(value),
            ["params", "headers", ELEMENT] if event.headers.len() < MOST_HEADERS => {
                event.headers.push(value);
            }
            ["params", name] => {
                if let Some(place) = PARAMS.iter().position(|known| known == name) {
                    event.params[place] = Some(value);
                }
            }
            _ => {}
        }
    }

    pub(super) fn slice(&self, span: Span) -> &'a str {
        &self.text[span.start..span.end]
    }

    pub(super) fn number(&self, span: Span) -> Option<i64> {
        self.slice(span).parse().ok()
    }

    pub(super) fn source(&self, event: &Event) -> Option<i64> {
        self.number(event.source?.span)
    }

    /// Seconds.
    pub(super) fn time(&self, event: &Event) -> Option<(f64, Span)> {
        let span = event.time?.span;
        let milliseconds = self.number(span)?;
        Some((milliseconds as f64 / 1000.0, span))
    }

    /// What its kind is called.
    pub(super) fn kind(&self, event: &Event) -> &'a str {
        event
            .kind
            .and_then(|kind| self.number(kind.span))
            .and_then(|kind| self.types.get(&kind))
            .copied()
            .unwrap_or_default()
    }

    /// Notes a socket's request and who works for whom.
    fn tie(&mut self) {
        let event = std::mem::take(&mut self.event);
        let Some(source) = self.source(&event) else {
            return;
        };
        if let Some(tie) = event.tie.and_then(|tie| self.number(tie.span))
            && self.tie_count < MOST_TIES
        {
            self.tie_count += 1;
            self.ties.entry(source).or_default().push(tie);
        }
        if let Some(url) = event.param("url")
            && self.sockets.len() < MOST_SOCKETS
            && self.roles(&event).contains(&Role::Request)
        {
            self.sockets.entry(source).or_insert(url);
        }
    }

    /// Keeps what tells something of the relevant sources.
    fn keep(&mut self, relevant: &HashSet<i64>) {
        let event = std::mem::take(&mut self.event);
        let Some(source) = self
            .source(&event)
            .filter(|source| relevant.contains(source))
        else {
            return;
        };
        let roles = self.roles(&event);
        let is_last = roles.iter().any(|role| {
            matches!(
                role,
                Role::Frame {
                    is_close: false,
                    ..
                }
            )
        });
        if is_last {
            self.last_frames.insert(source, event);
        } else if (!roles.is_empty() || event.tie.is_some()) && self.events.len() < MOST_EVENTS {
            self.events.push(event);
        }
    }

    /// The source itself and those that it names, and those that they name.
    pub(super) fn workers(&self, source: i64) -> Vec<i64> {
        let mut seen = HashSet::from([source]);
        let mut all = vec![source];
        let mut newest = 0..1;
        for _ in 0..FARTHEST {
            let from = all.len();
            for at in newest.clone() {
                for tie in self.ties.get(&all[at]).into_iter().flatten() {
                    // What worked for another socket's request tells nothing of this one.
                    if all.len() < MOST_WORKERS
                        && !self.sockets.contains_key(tie)
                        && seen.insert(*tie)
                    {
                        all.push(*tie);
                    }
                }
            }
            newest = from..all.len();
        }
        all
    }

    /// What an event tells; the names are those of `net/log/net_log_event_type_list.h`.
    pub(super) fn roles(&self, event: &Event) -> Vec<Role> {
        let kind = self.kind(event);
        let mut roles = Vec::new();
        if let Some(url) = event.param("url")
            && matches!(kind, "REQUEST_ALIVE" | "URL_REQUEST_START_JOB")
            && self
                .slice(url.span)
                .get(..2)
                .is_some_and(|scheme| scheme.eq_ignore_ascii_case("ws"))
        {
            roles.push(Role::Request);
        }
        if let Some(error) = event.param("net_error")
            && self.is_error(kind, error.span)
        {
            roles.push(Role::Error(error.span));
        }
        if kind == "WEBSOCKET_UPGRADE_FAILURE" {
            let message = event.param("message");
            roles.extend(message.map(|message| Role::Refusal(message.span)));
        }
        if kind.contains("SEND_REQUEST_HEADERS") && !event.headers.is_empty() {
            roles.push(Role::Question);
        }
        if self.is_answer(kind, event) {
            roles.push(Role::Answer);
        }
        if kind.starts_with("PROXY_RESOLUTION") || kind.contains("PROXY_SERVER_RESOLVED") {
            roles.extend(event.proxy().map(|proxy| Role::Proxy(proxy.span)));
        }
        let is_received = kind == "WEBSOCKET_RECV_FRAME_HEADER";
        if is_received || kind == "WEBSOCKET_SENT_FRAME_HEADER" {
            let is_close = event
                .param("opcode")
                .is_some_and(|opcode| self.slice(opcode.span) == "8");
            roles.push(Role::Frame {
                is_received,
                is_close,
            });
        }
        let received = event.param("byte_count");
        if kind == "SOCKET_BYTES_RECEIVED"
            && received.is_some_and(|count| self.slice(count.span) == "0")
        {
            roles.push(Role::End);
        }
        let is_end = event
            .phase
            .is_some_and(|phase| self.slice(phase.span) == "2");
        if kind == "SOCKET_ALIVE" && is_end {
            roles.push(Role::Gone);
        }
        roles
    }

    /// Reads of a closed cache and the like end with errors that mean nothing, single questions to
    /// name servers and single attempts with errors that others make up for. A socket that opens
    /// ends its request with `ERR_WS_UPGRADE`.
    fn is_error(&self, kind: &str, error: Span) -> bool {
        let is_failure = match self.number(error) {
            Some(number) => number < -1 && number != -173,
            None => self.slice(error).starts_with("ERR_"),
        };
        let is_detail = kind.starts_with("HTTP_CACHE")
            || kind.starts_with("DNS_TRANSACTION")
            || kind.starts_with("TCP_CONNECT_JOB_CONNECTOR")
            || kind.starts_with("PAC_FILE");
        is_failure && !is_detail
    }

    /// A tunnel through a proxy that was set up is no answer to the handshake.
    fn is_answer(&self, kind: &str, event: &Event) -> bool {
        let is_set_up = kind.contains("TUNNEL")
            && event
                .headers
                .first()
                .and_then(|line| status_of(self.slice(line.span)))
                .is_none_or(|status| status < 300);
        let is_answer = kind.contains("READ_RESPONSE_HEADERS")
            || kind.contains("READ_TUNNEL_RESPONSE_HEADERS")
            || kind.contains("TUNNEL_READ_HEADERS");
        is_answer && !is_set_up && !event.headers.is_empty()
    }
}

/// The status of an answer's first line.
pub(super) fn status_of(line: &str) -> Option<u16> {
    let rest = line.strip_prefix("HTTP/")?;
    rest.split_ascii_whitespace().nth(1)?.parse().ok()
}
