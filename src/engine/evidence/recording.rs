//! A recording of a browser's network traffic: a HAR file or a network log.
//!
//! Only what happened to WebSockets matters in it; bodies and scripts are noise. So a recording's
//! reader says what it saw as facts, and gives the few words (errors, headers) that the known
//! wordings are looked for in.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Address, Fact, Span, addresses, har, netlog};
use crate::engine::graph::Hop;

/// More facts and words than this are not read from one recording.
const MOST: usize = 500;
/// Words are cut at that many bytes.
const LONGEST: usize = 2048;

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
    /// The connection that shows a failure, if one does.
    pub failing: Option<usize>,
    seen: HashSet<(String, Option<usize>)>,
}

/// Reads the recording in a text; `None` if there is none. Facts are numbered with `evidence`.
pub fn recording(text: &str, evidence: usize) -> Option<Recording> {
    let mut recording = har::read(text).or_else(|| netlog::read(text))?;
    for fact in &mut recording.facts {
        fact.evidence = evidence;
    }
    recording.seen = HashSet::new();
    Some(recording)
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

    /// What the page's address tells.
    pub(super) fn page(&mut self, page: &Address) {
        self.fact("page.scheme", page.scheme, None, page.span);
        self.fact("page.host", &page.host, None, page.span);
        self.fact("page.url", &page.without_query(), None, page.span);
        self.fact("page.host.kind", page.host_kind().as_str(), None, page.span);
    }
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
        "proxy-authenticate",
        "retry-after",
        "server",
        "upgrade",
        "via",
        "www-authenticate",
        "x-azure-ref",
        "x-cache",
        "x-powered-by",
        "x-served-by",
    ];
    const BEGINNINGS: &[&str] = &[
        "cf-",
        "sec-websocket-",
        "x-amz-cf-",
        "x-amzn-",
        "x-envoy-",
        "x-nf-",
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
