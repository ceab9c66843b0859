//! Gathers the requests that matter: places in the text, no copies.

use std::collections::HashMap;

use super::super::condensed::Value;
use super::super::recording::{address_of, path_kind};
use super::super::scan::{ELEMENT, Found, unescaped, walk};
use super::super::{Address, Span};

/// More requests than this are not kept; of those that are alike fewer.
const MOST_ENTRIES: usize = 200;
const MOST_ALIKE: usize = 8;
/// More headers of one request than this are not kept.
const MOST_HEADERS: usize = 100;
/// Errors and close frames that are kept of one socket.
const MOST_TOLD: usize = 8;

/// A member of a request that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Started,
    Time,
    ResourceType,
    ServerAddress,
    SecurityState,
    Error,
    InitiatorUrl,
    Method,
    Url,
    RequestVersion,
    Status,
    StatusText,
    ResponseVersion,
    ResponseError,
    TransferSize,
    Body,
    Blocked,
    Dns,
    Connect,
    Ssl,
    Send,
    Wait,
    Receive,
}

/// Every field, by the object that it stands in, in the order in which they are written.
pub(super) const FIELDS: &[(&[&str], Field)] = &[
    (&["startedDateTime"], Field::Started),
    (&["time"], Field::Time),
    (&["_resourceType"], Field::ResourceType),
    (&["serverIPAddress"], Field::ServerAddress),
    (&["_securityState"], Field::SecurityState),
    (&["_error"], Field::Error),
    (&["_initiator", "url"], Field::InitiatorUrl),
    (&["request", "method"], Field::Method),
    (&["request", "url"], Field::Url),
    (&["request", "httpVersion"], Field::RequestVersion),
    (&["response", "status"], Field::Status),
    (&["response", "statusText"], Field::StatusText),
    (&["response", "httpVersion"], Field::ResponseVersion),
    (&["response", "_error"], Field::ResponseError),
    (&["response", "_transferSize"], Field::TransferSize),
    (&["response", "content", "text"], Field::Body),
    (&["timings", "blocked"], Field::Blocked),
    (&["timings", "dns"], Field::Dns),
    (&["timings", "connect"], Field::Connect),
    (&["timings", "ssl"], Field::Ssl),
    (&["timings", "send"], Field::Send),
    (&["timings", "wait"], Field::Wait),
    (&["timings", "receive"], Field::Receive),
];

fn field_of(inside: &[&str]) -> Option<Field> {
    let (last, objects) = inside.split_last()?;
    // Most values of a file are those of headers: they are told by their depth.
    FIELDS
        .iter()
        .find(|(path, _)| {
            path.len() == inside.len() && path.last() == Some(last) && path.starts_with(objects)
        })
        .map(|(_, field)| *field)
}

/// A message of a socket.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Message {
    pub(super) time: Option<Value>,
    pub(super) kind: Option<Value>,
    pub(super) opcode: Option<Value>,
    pub(super) data: Option<Value>,
    pub(super) code: Option<Value>,
}

impl Message {
    /// Where it stands among the others.
    pub(super) fn place(&self) -> usize {
        [self.time, self.kind, self.opcode, self.data, self.code]
            .into_iter()
            .flatten()
            .map(|value| value.span.start)
            .min()
            .unwrap_or_default()
    }
}

/// What is kept of a request.
#[derive(Debug, Default)]
pub(super) struct Entry {
    fields: [Option<Value>; FIELDS.len()],
    pub(super) is_socket: bool,
    pub(super) request_headers: Vec<(Value, Value)>,
    pub(super) response_headers: Vec<(Value, Value)>,
    pub(super) messages: usize,
    pub(super) first: Option<Message>,
    pub(super) last_sent: Option<Message>,
    pub(super) last_received: Option<Message>,
    pub(super) errors: Vec<Message>,
    pub(super) closes: Vec<Message>,
}

impl Entry {
    pub(super) fn value(&self, field: Field) -> Option<Value> {
        self.fields.get(field as usize).copied().flatten()
    }

    pub(super) fn get(&self, field: Field) -> Option<Span> {
        self.value(field).map(|value| value.span)
    }

    /// A value that says something: neither empty nor `null`.
    pub(super) fn said(&self, text: &str, field: Field) -> Option<Span> {
        self.value(field)
            .filter(|value| {
                let word = &text[value.span.start..value.span.end];
                !word.is_empty() && (value.is_text || word != "null")
            })
            .map(|value| value.span)
    }

    /// The status, unless nothing was answered.
    pub(super) fn status(&self, text: &str) -> Option<(u16, Span)> {
        let span = self.get(Field::Status)?;
        let status: u16 = text[span.start..span.end].parse().ok()?;
        (100..1000).contains(&status).then_some((status, span))
    }

    pub(super) fn address(&self, text: &str) -> Option<Address> {
        let span = self.get(Field::Url)?;
        address_of(&unescaped(text, span, 4096), span)
    }

    /// When the last message went either way, in seconds since 1970.
    pub(super) fn last_time(&self, text: &str) -> Option<f64> {
        [self.last_sent, self.last_received]
            .iter()
            .flatten()
            .filter_map(|message| number_of(text, message.time?.span))
            .max_by(f64::total_cmp)
    }
}

/// A number that a number can hold.
pub(super) fn number_of(text: &str, span: Span) -> Option<f64> {
    text[span.start..span.end]
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
}

/// The value of a header.
pub(super) fn header(text: &str, headers: &[(Value, Value)], name: &str) -> Option<Span> {
    headers
        .iter()
        .find(|(known, _)| text[known.span.start..known.span.end].eq_ignore_ascii_case(name))
        .map(|(_, value)| value.span)
}

/// What matters of an archive.
#[derive(Debug)]
pub(super) struct Archive<'a> {
    pub(super) text: &'a str,
    pub(super) creator: Option<Value>,
    /// The first page's title, which is its address.
    pub(super) page: Option<Value>,
    pub(super) sockets: Vec<Entry>,
    /// Requests of other kinds that failed.
    pub(super) failed: Vec<Entry>,
    /// The byte after it.
    pub(super) end: usize,
    alike: HashMap<(&'a str, &'a str), usize>,
    entry: Entry,
    name: Option<Value>,
    value: Option<Value>,
    message: Message,
}

impl<'a> Archive<'a> {
    /// Reads the archive that begins at a byte of the text.
    pub(super) fn read(text: &'a str, start: usize) -> Self {
        let mut archive = Archive {
            text,
            creator: None,
            page: None,
            sockets: Vec::new(),
            failed: Vec::new(),
            end: start,
            alike: HashMap::new(),
            entry: Entry::default(),
            name: None,
            value: None,
            message: Message::default(),
        };
        archive.end = walk(text, start, |path, found| archive.visit(path, found));
        archive.keep_related();
        archive
    }

    pub(super) fn slice(&self, span: Span) -> &'a str {
        &self.text[span.start..span.end]
    }

    fn visit(&mut self, path: &[&'a str], found: Found) {
        let ["log", rest @ ..] = path else { return };
        let value = match found {
            Found::Text(span) => Some((span, true)),
            Found::Word(span) => Some((span, false)),
            Found::Enter | Found::Leave => None,
        }
        .map(|(span, is_text)| Value { span, is_text });
        match (rest, value) {
            (["entries", ELEMENT, inside @ ..], Some(value)) => self.scalar(inside, value),
            (["entries", ELEMENT], None) if found == Found::Enter => {
                self.entry = Entry::default();
            }
            (["entries", ELEMENT], None) => self.finish(),
            (["entries", ELEMENT, inside @ ..], None) => self.bracket(inside, found),
            (["pages", ELEMENT, "title"], Some(value)) if self.page.is_none() => {
                self.page = Some(value);
            }
            (["creator" | "browser", "name"], Some(value)) => self.creator = Some(value),
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

    fn scalar(&mut self, inside: &[&str], value: Value) {
        match inside {
            ["request" | "response", "headers", ELEMENT, key] => match *key {
                "name" => self.name = Some(value),
                "value" => self.value = Some(value),
                _ => {}
            },
            ["_webSocketMessages", ELEMENT, key] => match *key {
                "time" => self.message.time = Some(value),
                "type" => self.message.kind = Some(value),
                "opcode" => self.message.opcode = Some(value),
                "data" => self.message.data = Some(value),
                "code" => self.message.code = Some(value),
                _ => {}
            },
            _ => {
                if inside.len() <= 3
                    && let Some(field) = field_of(inside)
                    && let Some(place) = self.entry.fields.get_mut(field as usize)
                {
                    *place = Some(value);
                }
            }
        }
    }

    fn message(&mut self) {
        let message = std::mem::take(&mut self.message);
        let word = |value: Option<Value>| value.map_or("", |value| self.slice(value.span));
        let (kind, opcode) = (word(message.kind), word(message.opcode));
        let (is_error, is_close) = (kind == "error" || opcode == "-1", opcode == "8");
        let is_sent = matches!(kind, "send" | "sent" | "request");
        let entry = &mut self.entry;
        if is_error || is_close {
            let told = if is_error {
                &mut entry.errors
            } else {
                &mut entry.closes
            };
            if told.len() < MOST_TOLD {
                told.push(message);
            }
            return;
        }
        entry.messages += 1;
        entry.first.get_or_insert(message);
        if is_sent {
            entry.last_sent = Some(message);
        } else {
            entry.last_received = Some(message);
        }
    }

    fn finish(&mut self) {
        let mut entry = std::mem::take(&mut self.entry);
        let Some(url) = entry.get(Field::Url) else {
            return;
        };
        let text = self.text;
        let raw = self.slice(url);
        let status = entry.status(text);
        let upgrades = |headers| {
            header(text, headers, "upgrade")
                .is_some_and(|value| text[value.start..value.end].eq_ignore_ascii_case("websocket"))
        };
        entry.is_socket |= entry
            .get(Field::ResourceType)
            .is_some_and(|kind| self.slice(kind) == "websocket")
            || raw
                .get(..2)
                .is_some_and(|scheme| scheme.eq_ignore_ascii_case("ws"))
            || upgrades(&entry.request_headers)
            || (upgrades(&entry.response_headers)
                && status.is_some_and(|(status, _)| status == 101));
        let has_failed = match status {
            Some((status, _)) => status >= 400,
            None => [Field::ResponseError, Field::Error]
                .iter()
                .any(|field| entry.said(text, *field).is_some()),
        };
        if !entry.is_socket && !has_failed {
            return;
        }
        let endpoint = raw.split(['?', '#']).next().unwrap_or(raw);
        let outcome = entry
            .get(Field::Status)
            .map_or("", |status| &text[status.start..status.end]);
        let alike = self.alike.entry((endpoint, outcome)).or_default();
        *alike += 1;
        let kept = if entry.is_socket {
            &mut self.sockets
        } else {
            &mut self.failed
        };
        if *alike <= MOST_ALIKE && kept.len() < MOST_ENTRIES {
            kept.push(entry);
        }
    }

    /// Keeps of the failed requests those to a socket's host, and those of libraries that poll
    /// before they open a socket.
    fn keep_related(&mut self) {
        let text = self.text;
        let hosts: Vec<String> = self
            .sockets
            .iter()
            .filter_map(|entry| Some(entry.address(text)?.host))
            .collect();
        self.failed.retain(|entry| {
            entry.address(text).is_some_and(|address| {
                hosts.contains(&address.host) || path_kind(&address).is_some()
            })
        });
    }
}
