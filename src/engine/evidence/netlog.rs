//! Chromium's network log, as `chrome://net-export` writes it.
//!
//! It is a list of events of numbered sources; its constants say what the numbers mean. A socket's
//! request is a source, and names the sources that worked for it (connections, name look-ups).

use std::collections::{BTreeMap, HashMap, HashSet};

use super::recording::{
    Recording, address_of, as_socket, is_consequence, redirect, telling_header,
};
use super::scan::{ELEMENT, Found, unescaped, walk};
use super::{Address, Span};

/// A file says within so many bytes that it is a log.
const HEAD: usize = 256 << 10;
/// More sockets, events that tell something, and ties between sources are not kept.
const MOST_SOCKETS: usize = 500;
const MOST_FINDINGS: usize = 20_000;
const MOST_TIES: usize = 200_000;
/// So far are sources followed that worked for a socket's request.
const FARTHEST: usize = 5;
/// Headers that are kept of one event.
const MOST_HEADERS: usize = 100;

/// Reads the log in a text; `None` if there is none.
pub(super) fn read(text: &str) -> Option<Recording> {
    let start = start(text)?;
    let mut reader = Reader {
        text,
        types: HashMap::new(),
        errors: HashMap::new(),
        event: Event::default(),
        sockets: BTreeMap::new(),
        findings: Vec::new(),
        ties: HashMap::new(),
        tie_count: 0,
    };
    let end = walk(text, start, |path, found| reader.visit(path, found));
    let mut recording = reader.recording();
    recording.span = Span { start, end };
    Some(recording)
}

/// Where the object stands that holds the constants.
fn start(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    memchr::memmem::find_iter(bytes, b"\"constants\"")
        .take(16)
        .find_map(|at| {
            let start = text[..at].trim_end().len().checked_sub(1)?;
            let rest = text[at + 11..].trim_start().strip_prefix(':')?;
            let head = &rest.as_bytes()[..rest.len().min(HEAD)];
            let is_log = memchr::memmem::find(head, b"\"logEventTypes\"").is_some();
            (bytes[start] == b'{' && is_log && rest.trim_start().starts_with('{')).then_some(start)
        })
}

#[derive(Debug, Default)]
struct Event {
    kind: Option<i64>,
    source: Option<i64>,
    tie: Option<i64>,
    url: Option<Span>,
    net_error: Option<Span>,
    proxy: Option<Span>,
    headers: Vec<Span>,
}

#[derive(Clone, Copy, Debug)]
enum Finding {
    NetError(Span),
    Header(Span),
    Proxy(Span),
}

struct Reader<'a> {
    text: &'a str,
    /// The names of the kinds of events, and of errors, by their numbers.
    types: HashMap<i64, &'a str>,
    errors: HashMap<i64, &'a str>,
    event: Event,
    /// The places of sockets' addresses by their sources.
    sockets: BTreeMap<i64, Span>,
    findings: Vec<(i64, Finding)>,
    /// Which sources a source names.
    ties: HashMap<i64, Vec<i64>>,
    tie_count: usize,
}

impl<'a> Reader<'a> {
    fn visit(&mut self, path: &[&'a str], found: Found) {
        match (path, found) {
            (["constants", "logEventTypes", name], Found::Word(span)) => {
                let number = self.number(span);
                self.types.extend(number.map(|number| (number, *name)));
            }
            (["constants", "netError", name], Found::Word(span)) => {
                let number = self.number(span);
                self.errors.extend(number.map(|number| (number, *name)));
            }
            (["events", ELEMENT], Found::Enter) => self.event = Event::default(),
            (["events", ELEMENT], Found::Leave) => self.finish(),
            (["events", ELEMENT, inside @ ..], Found::Text(span) | Found::Word(span)) => {
                let number = self.number(span);
                let event = &mut self.event;
                match inside {
                    ["type"] => event.kind = number,
                    ["source", "id"] => event.source = number,
                    ["params", "source_dependency", "id"] => event.tie = number,
                    ["params", "url"] => event.url = Some(span),
                    ["params", "net_error"] => event.net_error = Some(span),
                    ["params", "proxy_info" | "proxy_server" | "proxy_chain"] => {
                        event.proxy = Some(span);
                    }
                    ["params", "headers", ELEMENT] if event.headers.len() < MOST_HEADERS => {
                        event.headers.push(span);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn slice(&self, span: Span) -> &'a str {
        &self.text[span.start..span.end]
    }

    fn number(&self, span: Span) -> Option<i64> {
        self.slice(span).parse().ok()
    }

    fn finish(&mut self) {
        let event = std::mem::take(&mut self.event);
        let Some(source) = event.source else { return };
        let kind = event
            .kind
            .and_then(|kind| self.types.get(&kind))
            .copied()
            .unwrap_or_default();
        if let Some(tie) = event.tie
            && self.tie_count < MOST_TIES
        {
            self.tie_count += 1;
            self.ties.entry(source).or_default().push(tie);
        }
        if let Some(url) = event.url
            && self.sockets.len() < MOST_SOCKETS
            && self
                .slice(url)
                .get(..2)
                .is_some_and(|scheme| scheme.eq_ignore_ascii_case("ws"))
        {
            self.sockets.entry(source).or_insert(url);
        }
        let mut found = Vec::new();
        // Reads of a closed cache and the like end with errors that mean nothing.
        if let Some(error) = event.net_error
            && self.number(error).is_some_and(|number| number < -1)
            && !kind.starts_with("HTTP_CACHE")
        {
            found.push(Finding::NetError(error));
        }
        // A tunnel through a proxy that was set up is no answer to the handshake.
        let is_tunnel = kind.contains("TUNNEL")
            && event
                .headers
                .first()
                .and_then(|line| status(self.slice(*line)))
                .is_none_or(|status| status < 300);
        let is_answer = kind.contains("READ_RESPONSE_HEADERS")
            || kind.contains("READ_TUNNEL_RESPONSE_HEADERS")
            || kind.contains("TUNNEL_READ_HEADERS");
        if is_answer && !is_tunnel {
            found.extend(event.headers.into_iter().map(Finding::Header));
        }
        if kind.starts_with("PROXY_RESOLUTION") || kind.contains("PROXY_SERVER_RESOLVED") {
            found.extend(event.proxy.map(Finding::Proxy));
        }
        for finding in found {
            if self.findings.len() < MOST_FINDINGS {
                self.findings.push((source, finding));
            }
        }
    }

    fn recording(self) -> Recording {
        let mut recording = Recording::new();
        let mut by_source: HashMap<i64, Vec<Finding>> = HashMap::new();
        for (source, finding) in &self.findings {
            by_source.entry(*source).or_default().push(*finding);
        }
        let mut known: Vec<(Address, bool, usize)> = Vec::new();
        let mut failures: Vec<usize> = Vec::new();
        for (source, url) in &self.sockets {
            let Some(address) = address_of(&unescaped(self.text, *url, 4096), *url) else {
                continue;
            };
            let address = as_socket(address);
            let findings: Vec<Finding> = self
                .workers(*source)
                .into_iter()
                .filter_map(|worker| by_source.get(&worker))
                .flatten()
                .copied()
                .collect();
            let answers: Vec<u16> = findings
                .iter()
                .filter_map(|finding| match finding {
                    Finding::Header(span) => status(self.slice(*span)),
                    _ => None,
                })
                .collect();
            let (answered, opened) = (!answers.is_empty(), answers.contains(&101));
            let connection = known
                .iter()
                .find(|(other, was_opened, _)| {
                    *was_opened == opened && other.same_endpoint(&address)
                })
                .map(|(_, _, connection)| *connection)
                .unwrap_or_else(|| {
                    let connection = recording.connect(address.clone());
                    known.push((address.clone(), opened, connection));
                    failures.push(0);
                    connection
                });
            let is_telling = findings
                .iter()
                .any(|finding| !matches!(finding, Finding::Proxy(_)));
            failures[connection] += usize::from(!opened && is_telling);
            for finding in findings {
                self.tell(&mut recording, connection, &address, finding, answered);
            }
        }
        recording.failing = (0..failures.len())
            .max_by_key(|connection| (failures[*connection], usize::MAX - connection))
            .filter(|connection| failures[*connection] > 0);
        recording
    }

    /// The source itself and those that it names, and those that they name.
    fn workers(&self, source: i64) -> Vec<i64> {
        let mut seen = HashSet::from([source]);
        let mut all = vec![source];
        let mut newest = 0..1;
        for _ in 0..FARTHEST {
            let from = all.len();
            for at in newest.clone() {
                for tie in self.ties.get(&all[at]).into_iter().flatten() {
                    // What worked for another socket's request tells nothing of this one.
                    if all.len() < 64 && !self.sockets.contains_key(tie) && seen.insert(*tie) {
                        all.push(*tie);
                    }
                }
            }
            newest = from..all.len();
        }
        all
    }

    fn tell(
        &self,
        recording: &mut Recording,
        connection: usize,
        address: &Address,
        finding: Finding,
        answered: bool,
    ) {
        let here = Some(connection);
        match finding {
            Finding::NetError(span) => {
                let name = self
                    .number(span)
                    .and_then(|number| self.errors.get(&number));
                if let Some(name) = name.filter(|name| !(answered && is_consequence(name))) {
                    let prefix = if name.starts_with("ERR_") { "" } else { "ERR_" };
                    recording.words(format!("net::{prefix}{name}"), here, span);
                }
            }
            Finding::Header(span) => {
                let line = unescaped(self.text, span, 1024).replace(['\n', '\r'], " ");
                if let Some(status) = status(&line) {
                    recording.fact("handshake.status", &status.to_string(), here, span);
                    if status == 101 {
                        recording.fact("handshake.opened", "yes", here, span);
                    }
                } else if let Some((name, value)) = line.split_once(':') {
                    let value = value.trim();
                    if let Some(header) = telling_header(name, value) {
                        recording.words(header, here, span);
                    }
                    if name.eq_ignore_ascii_case("location")
                        && let Some(kind) = redirect(address, value)
                    {
                        recording.fact("handshake.redirect", kind, here, span);
                    }
                }
            }
            Finding::Proxy(span) => {
                let first = self.slice(span).trim_start_matches(['[', ' ']);
                if !first.is_empty() && !first.to_ascii_lowercase().starts_with("direct") {
                    recording.fact("environment.outgoing-proxy", "yes", here, span);
                }
            }
        }
    }
}

/// The status of an answer's first line.
fn status(line: &str) -> Option<u16> {
    let rest = line.strip_prefix("HTTP/")?;
    rest.split_ascii_whitespace().nth(1)?.parse().ok()
}
