//! What the requests of sockets in a network log tell.

use std::collections::HashMap;

use super::super::recording::{
    Lives, Recording, address_of, as_socket, is_consequence, redirect, telling_header,
};
use super::super::scan::unescaped;
use super::super::{Address, Span};
use super::event::{Event, Log, Role, status_of};

/// Errors that have kept their numbers, for a log whose constants do not name them
/// (`net/base/net_error_list.h`).
const ERRORS: &[(i64, &str)] = &[
    (-7, "TIMED_OUT"),
    (-20, "BLOCKED_BY_CLIENT"),
    (-21, "NETWORK_CHANGED"),
    (-22, "BLOCKED_BY_ADMINISTRATOR"),
    (-100, "CONNECTION_CLOSED"),
    (-101, "CONNECTION_RESET"),
    (-102, "CONNECTION_REFUSED"),
    (-103, "CONNECTION_ABORTED"),
    (-104, "CONNECTION_FAILED"),
    (-105, "NAME_NOT_RESOLVED"),
    (-106, "INTERNET_DISCONNECTED"),
    (-107, "SSL_PROTOCOL_ERROR"),
    (-109, "ADDRESS_UNREACHABLE"),
    (-110, "SSL_CLIENT_AUTH_CERT_NEEDED"),
    (-111, "TUNNEL_CONNECTION_FAILED"),
    (-113, "SSL_VERSION_OR_CIPHER_MISMATCH"),
    (-118, "CONNECTION_TIMED_OUT"),
    (-130, "PROXY_CONNECTION_FAILED"),
    (-145, "WS_PROTOCOL_ERROR"),
    (-200, "CERT_COMMON_NAME_INVALID"),
    (-201, "CERT_DATE_INVALID"),
    (-202, "CERT_AUTHORITY_INVALID"),
    (-206, "CERT_REVOKED"),
    (-312, "UNSAFE_PORT"),
    (-324, "EMPTY_RESPONSE"),
];

/// Reads the log that begins at a byte of the text.
pub(in super::super) fn read(text: &str, start: usize) -> Recording {
    let log = Log::read(text, start);
    let mut recording = Reader { log: &log }.recording();
    recording.span = Span {
        start,
        end: log.end,
    };
    recording
}

struct Reader<'a> {
    log: &'a Log<'a>,
}

/// What the sources that worked for a socket's request tell, in the order of the log.
struct Story<'a> {
    told: Vec<(&'a Event, Role)>,
    is_answered: bool,
    /// Whether the browser says in words what was wrong with the handshake.
    is_refused: bool,
    opened: bool,
}

impl<'a> Reader<'a> {
    fn recording(&self) -> Recording {
        let mut recording = Recording::new();
        let mut known: Vec<(Address, bool, usize)> = Vec::new();
        let mut failures: Vec<usize> = Vec::new();
        let mut lives = Lives::default();
        let mut by_source: HashMap<i64, Vec<&Event>> = HashMap::new();
        for event in &self.log.events {
            if let Some(source) = self.log.source(event) {
                by_source.entry(source).or_default().push(event);
            }
        }
        for (source, url) in &self.log.sockets {
            let Some(address) = address_of(&unescaped(self.log.text, url.span, 4096), url.span)
            else {
                continue;
            };
            let address = as_socket(address);
            let story = self.story(*source, &by_source);
            let connection = recording.connection_of(&mut known, &address, story.opened);
            failures.resize(known.len().max(failures.len()), 0);
            let is_telling = story
                .told
                .iter()
                .any(|(_, role)| matches!(role, Role::Error(_) | Role::Refusal(_) | Role::Answer));
            failures[connection] += usize::from(!story.opened && is_telling);
            for (event, role) in &story.told {
                self.tell(&mut recording, connection, &address, &story, event, *role);
            }
            if story.opened {
                self.end(&mut recording, connection, &story, &mut lives);
            }
        }
        lives.finish(&mut recording);
        recording.failing = (0..failures.len())
            .max_by_key(|connection| (failures[*connection], usize::MAX - connection))
            .filter(|connection| failures[*connection] > 0);
        recording
    }

    fn story(&self, source: i64, by_source: &HashMap<i64, Vec<&'a Event>>) -> Story<'a> {
        let mut told: Vec<(&Event, Role)> = Vec::new();
        let mut has_own_error = false;
        for worker in self.log.workers(source) {
            for event in by_source.get(&worker).into_iter().flatten() {
                let roles = self.log.roles(event);
                has_own_error |=
                    worker == source && roles.iter().any(|role| matches!(role, Role::Error(_)));
                told.extend(roles.into_iter().map(|role| (*event, role)));
            }
        }
        if has_own_error {
            // What went wrong with its workers are details then.
            told.retain(|(event, role)| {
                !matches!(role, Role::Error(_)) || self.log.source(event) == Some(source)
            });
        }
        let answers: Vec<u16> = told
            .iter()
            .filter(|(_, role)| *role == Role::Answer)
            .flat_map(|(event, _)| &event.headers)
            .filter_map(|line| status_of(self.log.slice(line.span)))
            .collect();
        let is_refused = told
            .iter()
            .any(|(_, role)| matches!(role, Role::Refusal(_)));
        let has_frames = told
            .iter()
            .any(|(_, role)| matches!(role, Role::Frame { .. }));
        Story {
            is_answered: !answers.is_empty(),
            is_refused,
            // Over HTTP/2 a socket is opened with 200 (RFC 8441).
            opened: answers.contains(&101) || has_frames,
            told,
        }
    }

    fn tell(
        &self,
        recording: &mut Recording,
        connection: usize,
        address: &Address,
        story: &Story<'_>,
        event: &Event,
        role: Role,
    ) {
        let here = Some(connection);
        match role {
            Role::Error(span) => {
                // After the handshake, an error is how the socket ended.
                if let Some(name) = self
                    .error_name(span)
                    .filter(|_| !story.opened && !story.is_refused)
                    && !(story.is_answered && is_consequence(&name))
                {
                    recording.words(format!("net::{name}"), here, span);
                } else if story.opened
                    && self.error_name(span).as_deref() == Some("ERR_CONNECTION_RESET")
                {
                    recording.fact("session.fault", "reset", here, span);
                }
            }
            Role::Refusal(span) => {
                recording.words(unescaped(self.log.text, span, 1024), here, span);
            }
            Role::Answer => {
                for line in &event.headers {
                    self.header(recording, connection, address, story, line.span);
                }
            }
            Role::Question => {
                for line in &event.headers {
                    let text = unescaped(self.log.text, line.span, 1024);
                    if let Some((name, value)) = text.split_once(':')
                        && name.eq_ignore_ascii_case("origin")
                        && let Some(page) = address_of(value.trim(), line.span)
                    {
                        recording.page(&page);
                    }
                }
            }
            Role::Proxy(span) => {
                let first = self.log.slice(span).trim_start_matches(['[', ' ']);
                if !first.is_empty() && !first.to_ascii_lowercase().starts_with("direct") {
                    recording.fact("environment.outgoing-proxy", "yes", here, span);
                }
            }
            Role::Request | Role::Frame { .. } | Role::End | Role::Gone => {}
        }
    }

    /// `ERR_` and what an error is called.
    fn error_name(&self, span: Span) -> Option<String> {
        let name = match self.log.number(span) {
            None => self.log.slice(span),
            Some(number) => self.log.errors.get(&number).copied().or_else(|| {
                let known = ERRORS.iter().find(|(known, _)| *known == number);
                known.map(|(_, name)| *name)
            })?,
        };
        Some(format!("ERR_{}", name.strip_prefix("ERR_").unwrap_or(name)))
    }

    fn header(
        &self,
        recording: &mut Recording,
        connection: usize,
        address: &Address,
        story: &Story<'_>,
        span: Span,
    ) {
        let here = Some(connection);
        let line = unescaped(self.log.text, span, 1024).replace(['\n', '\r'], " ");
        if let Some(status) = status_of(&line) {
            if !(story.opened && status == 200) {
                recording.fact("handshake.status", &status.to_string(), here, span);
            }
            if story.opened {
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

    /// How an open socket ended: after how long, how idle, and by whom.
    fn end(
        &self,
        recording: &mut Recording,
        connection: usize,
        story: &Story<'_>,
        lives: &mut Lives,
    ) {
        let here = Some(connection);
        let times = |wanted: &dyn Fn(Role) -> bool| -> Vec<(f64, Span)> {
            let mut times: Vec<(f64, Span)> = story
                .told
                .iter()
                .filter(|(_, role)| wanted(*role))
                .filter_map(|(event, _)| self.log.time(event))
                .collect();
            times.sort_by(|a, b| a.0.total_cmp(&b.0));
            times
        };
        let Some((began, _)) = times(&|role| role == Role::Answer).first().copied() else {
            return;
        };
        let gone = times(&|role| role == Role::Gone);
        let Some((ended, span)) = gone.last().copied().filter(|(ended, _)| *ended > began) else {
            return;
        };
        let frames = times(&|role| {
            matches!(
                role,
                Role::Frame {
                    is_close: false,
                    ..
                }
            )
        });
        let quiet = ended - frames.last().map_or(began, |(last, _)| *last);
        lives.tell(recording, connection, (ended - began, span), Some(quiet));
        let closes: Vec<&(&Event, Role)> = story
            .told
            .iter()
            .filter(|(_, role)| matches!(role, Role::Frame { is_close: true, .. }))
            .collect();
        match closes.first() {
            Some((
                event,
                Role::Frame {
                    is_received: true, ..
                },
            )) => {
                let span = event.param("opcode").map_or(span, |opcode| opcode.span);
                recording.fact("close.initiator", "server", here, span);
            }
            Some(_) => {}
            None => {
                if times(&|role| role == Role::End).last().is_some() {
                    // The code that the browser gives to an end without a close frame.
                    recording.fact("close.code", "1006", here, span);
                }
            }
        }
    }
}
