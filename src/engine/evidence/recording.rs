//! A recording of network traffic: a HAR file or a network log of a browser, a probe's report.
//!
//! Only what happened to WebSockets matters in it; bodies and scripts are noise. So a recording's
//! reader says what it saw as facts, and gives the few words (errors, headers) that the known
//! wordings are looked for in.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::{Address, Fact, Span, addresses, har, netlog, report};
use crate::engine::graph::Hop;

/// More facts and words than this are not read from one recording.
const MOST: usize = 500;
/// Words are cut at that many bytes.
const LONGEST: usize = 2048;
/// Seconds without a message before the end: from here on it was idle, up to here it was busy.
const IDLE: f64 = 20.0;
const BUSY: f64 = 2.0;

/// Words of a recording, written as the known wordings expect them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// Such as `Server: nginx`.
    pub text: String,
    /// Where they stand in the text.
    pub span: Span,
    /// Which connection they speak of, a position in the recording's addresses.
    pub connection: Option<usize>,
}

/// What a recording tells.
#[derive(Debug, Default)]
pub struct Recording {
    /// The part of the text that it takes up.
    pub span: Span,
    /// The connections in it. Those of one address that opened are told from those that did not.
    pub addresses: Vec<Address>,
    /// What is known without looking at words.
    pub facts: Vec<Fact>,
    /// What is looked at with the known wordings.
    pub words: Vec<Words>,
    /// Lines of a terminal, read as if they had been pasted, each with its place in the text.
    pub transcript: Vec<(String, Span)>,
    /// The connection that shows a failure, if one does.
    pub failing: Option<usize>,
    seen: HashSet<(String, Option<usize>)>,
}

/// What kind of recording it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Archive,
    NetworkLog,
    Report,
}

/// Where the next recording begins, at or after a byte of the text.
pub(super) fn next_recording(text: &str, from: usize) -> Option<(Kind, usize)> {
    // All of them begin with a name in quotation marks, and most pastes hold no such mark.
    memchr::memchr(b'"', &text.as_bytes()[from..])?;
    let archive = har::start(text, from).map(|start| (Kind::Archive, start));
    let log = netlog::start(text, from).map(|start| (Kind::NetworkLog, start));
    let report = report::start(text, from).map(|start| (Kind::Report, start));
    archive
        .into_iter()
        .chain(log)
        .chain(report)
        .min_by_key(|(_, start)| *start)
}

/// Reads the recordings in a text, in their order. Facts are numbered with `evidence`.
pub fn recordings(text: &str, evidence: usize) -> Vec<Recording> {
    let mut all = Vec::new();
    let mut from = 0;
    while let Some((kind, start)) = next_recording(text, from) {
        let mut recording = match kind {
            Kind::Archive => har::read(text, start),
            Kind::NetworkLog => netlog::read(text, start),
            Kind::Report => report::read(text, start),
        };
        for fact in &mut recording.facts {
            fact.evidence = evidence;
        }
        recording.seen = HashSet::new();
        from = recording.span.end;
        all.push(recording);
    }
    all
}

impl Recording {
    pub(super) fn new() -> Self {
        Recording::default()
    }

    pub(super) fn fact(&mut self, key: &str, value: &str, connection: Option<usize>, span: Span) {
        // The same again tells nothing new; a marker keeps facts and words apart.
        let told = self.seen.insert((format!("{key}\u{0}{value}"), connection));
        if told && self.facts.len() < MOST {
            self.facts.push(Fact {
                key: Arc::from(key),
                value: Arc::from(value),
                hop: Hop::ClientEdge,
                vantage: Arc::from("user"),
                connection,
                evidence: 0,
                span: Some(span),
            });
        }
    }

    pub(super) fn words(&mut self, mut text: String, connection: Option<usize>, span: Span) {
        let mut end = text.len().min(LONGEST);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        if self.words.len() < MOST
            && !text.trim().is_empty()
            && self.seen.insert((text.clone(), connection))
        {
            self.words.push(Words {
                text,
                span,
                connection,
            });
        }
    }

    /// A connection's number; its address's own facts are told once.
    pub(super) fn connect(&mut self, address: Address) -> usize {
        let number = self.addresses.len();
        for (key, value) in address.facts() {
            self.fact(key, &value, Some(number), address.span);
        }
        self.addresses.push(address);
        number
    }

    /// The number of the connection to an address that opened, or of that which did not.
    pub(super) fn connection_of(
        &mut self,
        known: &mut Vec<(Address, bool, usize)>,
        address: &Address,
        opened: bool,
    ) -> usize {
        let found = known
            .iter()
            .find(|(other, was_opened, _)| *was_opened == opened && other.same_endpoint(address));
        if let Some((_, _, connection)) = found {
            return *connection;
        }
        let connection = self.connect(address.clone());
        known.push((address.clone(), opened, connection));
        connection
    }

    /// What the page's address tells.
    pub(super) fn page(&mut self, page: &Address) {
        self.fact("page.scheme", page.scheme, None, page.span);
        self.fact("page.host", &page.host, None, page.span);
        self.fact("page.url", &page.without_query(), None, page.span);
        self.fact("page.host.kind", page.host_kind().as_str(), None, page.span);
    }
}

/// How long the sockets of each connection lived, in seconds.
#[derive(Debug, Default)]
pub(super) struct Lives(BTreeMap<usize, Vec<(f64, Span)>>);

impl Lives {
    /// Tells of one life, and of the seconds from the last message to its end.
    pub(super) fn tell(
        &mut self,
        recording: &mut Recording,
        connection: usize,
        (seconds, span): (f64, Span),
        quiet: Option<f64>,
    ) {
        let here = Some(connection);
        recording.fact("open.seconds", &format!("{seconds:.1}"), here, span);
        match quiet {
            Some(quiet) if quiet >= IDLE => recording.fact("session.idle", "yes", here, span),
            Some(quiet) if quiet <= BUSY => recording.fact("session.idle", "no", here, span),
            _ => {}
        }
        self.0.entry(connection).or_default().push((seconds, span));
    }

    /// Three lives of the same length are no accident.
    pub(super) fn finish(self, recording: &mut Recording) {
        for (connection, lives) in self.0 {
            let Some((first, span)) = lives.first().copied() else {
                continue;
            };
            let is_same = |life: &(f64, Span)| (life.0 - first).abs() <= (first * 0.02).max(0.5);
            if lives.len() >= 3 && first > 5.0 && lives.iter().all(is_same) {
                recording.fact("ends.after", "fixed-time", Some(connection), span);
            }
        }
    }
}

/// What kind of endpoint libraries put at a path, such as `socket.io`.
pub(super) fn path_kind(address: &Address) -> Option<String> {
    address
        .facts()
        .into_iter()
        .find(|(key, _)| *key == "url.path.kind")
        .map(|(_, value)| value)
        .filter(|kind| kind != "dev-server")
}

/// The address that a value consists of, placed where the value stands.
pub(super) fn address_of(value: &str, span: Span) -> Option<Address> {
    let mut address = addresses(value).into_iter().next()?;
    if address.span.start != 0 {
        return None;
    }
    address.span = span;
    Some(address)
}

/// The same address as a socket's.
pub(super) fn as_socket(mut address: Address) -> Address {
    address.scheme = match address.scheme {
        "https" => "wss",
        "http" => "ws",
        other => other,
    };
    address
}

/// A header as it is written on the wire; `None` if it tells nothing about a handshake.
pub(super) fn telling_header(name: &str, value: &str) -> Option<String> {
    const TELLING: &[&str] = &[
        "alt-svc",
        "connection",
        "fly-request-id",
        "location",
        "ngrok-error-code",
        "proxy-authenticate",
        "retry-after",
        "rndr-id",
        "server",
        "upgrade",
        "via",
        "www-authenticate",
        "x-aspnet-version",
        "x-azure-ref",
        "x-cache",
        "x-cloud-trace-context",
        "x-do-app-origin",
        "x-msedge-ref",
        "x-powered-by",
        "x-served-by",
        "x-varnish",
    ];
    const BEGINNINGS: &[&str] = &[
        "cf-",
        "sec-websocket-",
        "x-amz-cf-",
        "x-akamai-",
        "x-amzn-",
        "x-appengine-",
        "x-envoy-",
        "x-nf-",
        "x-railway-",
        "x-ratelimit-",
        "x-render-",
        "x-vercel-",
    ];
    let lower = name.to_ascii_lowercase();
    (TELLING.contains(&lower.as_str())
        || BEGINNINGS
            .iter()
            .any(|beginning| lower.starts_with(beginning)))
    .then(|| format!("{name}: {value}"))
}

/// What a redirect of a handshake leads to.
pub(super) fn redirect(socket: &Address, location: &str) -> Option<&'static str> {
    let lower = location.to_ascii_lowercase();
    if ["login", "signin", "sign-in", "sign_in", "/auth", "/sso"]
        .iter()
        .any(|word| lower.contains(word))
    {
        return Some("login");
    }
    let trimmed = |path: &str| path.trim_end_matches('/').to_owned();
    let target = address_of(location, socket.span);
    let path = match &target {
        Some(target) if target.host != socket.host => return None,
        Some(target) if target.scheme.ends_with('s') && !socket.scheme.ends_with('s') => {
            return Some("https");
        }
        Some(target) => target.path.clone(),
        None => location
            .split(['?', '#'])
            .next()
            .unwrap_or_default()
            .to_owned(),
    };
    (path != socket.path && trimmed(&path) == trimmed(&socket.path)).then_some("slash")
}

/// Whether an error only repeats that a handshake was answered otherwise than with 101, or that
/// the page closed its socket.
pub(super) fn is_consequence(error: &str) -> bool {
    ["ERR_INVALID_RESPONSE", "ERR_FAILED", "ERR_ABORTED"]
        .iter()
        .any(|name| error.contains(name))
}
