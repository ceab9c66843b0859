//! Proxy configurations in a text, read by their structure.
//!
//! A wording sees one line; whether a proxy passes the upgrade on stands in several, and in what
//! blocks inherit. Each file here reads one proxy's language and says what it makes of the
//! socket's path. What is not in the text for sure is not concluded.

mod apache;
mod caddy;
mod compose;
mod haproxy;
mod nginx;

use super::{Address, Fact, Span, fact};

/// A line of configuration that speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    key: &'static str,
    value: String,
    span: Span,
}

/// What one reader found in a text.
#[derive(Debug, Default)]
struct Reading {
    findings: Vec<Finding>,
    /// Where configuration stands.
    regions: Vec<Span>,
    /// Where it was understood as a whole, so that single lines tell nothing more.
    judged: Vec<Span>,
    /// Comments inside of it.
    comments: Vec<Span>,
}

/// The socket that a configuration is asked about.
#[derive(Clone, Copy, Debug)]
struct Socket<'a> {
    is_encrypted: bool,
    host: &'a str,
    port: u16,
    path: &'a str,
}

/// The configurations of a text.
#[derive(Debug, Default)]
pub struct Configurations {
    /// What they say.
    pub facts: Vec<Fact>,
    regions: Vec<Span>,
    judged: Vec<Span>,
    comments: Vec<Span>,
}

/// Reads the configurations of a redacted text. `addresses` are those of the text.
pub fn configurations(text: &str, addresses: &[Address], evidence: usize) -> Configurations {
    let nginx = nginx::Nginx::find(text);
    let socket = socket_of(addresses, nginx.regions());
    let readings = [
        nginx.reading(socket),
        apache::reading(text, socket),
        caddy::reading(text, socket),
        haproxy::reading(text),
        compose::reading(text),
    ];
    let mut all = Configurations::default();
    for reading in readings {
        for finding in reading.findings {
            let Finding { key, value, span } = finding;
            all.facts.push(fact(key, &value, None, evidence, span));
        }
        all.regions.extend(reading.regions);
        all.judged.extend(reading.judged);
        all.comments.extend(reading.comments);
    }
    all.regions.sort_unstable();
    all.judged.sort_unstable();
    all.comments.sort_unstable();
    all
}

impl Reading {
    fn add(&mut self, key: &'static str, value: &str, span: Span) {
        self.findings.push(Finding {
            key,
            value: value.to_owned(),
            span,
        });
    }
}

impl Configurations {
    /// Whether the words stand inside a configuration, so that an address there is not what the
    /// client dials.
    pub fn covers(&self, span: Span) -> bool {
        is_within(&self.regions, span)
    }

    /// Whether a wording's fact says less than what was read here: a single line of a rule that is
    /// known whole, or a line that is commented out.
    pub fn know_better_than(&self, fact: &Fact) -> bool {
        fact.span.is_some_and(|span| {
            is_within(&self.comments, span)
                || (*fact.key == *"edge.config" && is_within(&self.judged, span))
        })
    }
}

/// Whether the span begins in one of the spans, which are sorted and do not overlap.
fn is_within(spans: &[Span], span: Span) -> bool {
    let after = spans.partition_point(|known| known.start <= span.start);
    after > 0 && span.start < spans[after - 1].end
}

/// The socket that the text speaks of outside of its configurations. One on the developer's own
/// machine is hardly what the proxy is asked for.
fn socket_of<'a>(addresses: &'a [Address], regions: &[Span]) -> Option<Socket<'a>> {
    let mut sockets = addresses.iter().filter(|address| {
        let asks = address.is_websocket() || address.path.contains("/socket.io");
        asks && !address.is_page && !address.is_script && !is_within(regions, address.span)
    });
    let first = sockets.next()?;
    let address = std::iter::once(first)
        .chain(sockets)
        .find(|address| address.host_kind() != super::HostKind::Loopback)
        .unwrap_or(first);
    Some(Socket {
        is_encrypted: matches!(address.scheme, "wss" | "https"),
        host: &address.host,
        port: address.effective_port(),
        path: if address.path.is_empty() {
            "/"
        } else {
            &address.path
        },
    })
}

/// The lines of a text without the space around them, each with its place.
fn lines_of(text: &str) -> impl Iterator<Item = (Span, &str)> {
    let mut start = 0;
    text.split('\n').map(move |line| {
        let begin = start + (line.len() - line.trim_start().len());
        start += line.len() + 1;
        let line = line.trim();
        let end = begin + line.len();
        (Span { start: begin, end }, line)
    })
}

/// Whether a rule's pattern looks as if it were made for sockets.
fn looks_like_socket(pattern: &str) -> bool {
    let lower = pattern.to_ascii_lowercase();
    lower
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .any(|word| {
            matches!(word, "ws" | "wss" | "hub" | "hubs" | "live" | "cable")
                || word.contains("socket")
                || word.contains("sockjs")
                || word.contains("graphql")
                || word.contains("signalr")
        })
}

#[cfg(test)]
mod tests;
