//! What was given, and the facts that stand in it.
//!
//! Input is a redacted text, facts that a caller states, and what a form asks about the
//! situation. Strange input yields what could be read; nothing here can fail.

mod address;
mod attribution;
mod browsers;
mod bytes;
mod clauses;
mod commands;
mod condensed;
mod configuration;
mod console;
mod contents;
mod context;
mod durations;
mod har;
mod listening;
mod logs;
mod netlog;
mod reading;
mod recording;
mod report;
mod scan;
mod sentences;
mod stated;
mod time;
mod traceback;
mod view;
mod vocabulary;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use vocabulary::Phrases;

pub use address::{Address, HostKind, addresses};
pub use attribution::as_meant;
pub use bytes::decoded;
pub use condensed::condensed;
pub use configuration::{DifferenceLine, LineKind, Review, ReviewFinding, Sketch, Weight};
pub use contents::Contents;
pub use context::{Context, Reach, facts_of_context};
pub use durations::seconds;
pub use listening::announced_ports;
pub use reading::{Structures, structures};
pub use recording::{Recording, Words, recordings};
pub use report::told_of;
pub use sentences::{Stance, stance};
pub use stated::{AnyOf, STATED};
pub use traceback::quoted_source;
pub use view::View;

use super::graph::Hop;

/// Where a fact was read: bytes of the redacted text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// A typed key and value taken from evidence, with its subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Such as `handshake.status`.
    pub key: Arc<str>,
    /// Such as `400`.
    pub value: Arc<str>,
    /// On which hop it was seen.
    pub hop: Hop,
    /// Who saw it: `user`, `server`, `edge` or a name.
    pub vantage: Arc<str>,
    /// Which of the paste's connections it speaks of; `None` if of all of them.
    pub connection: Option<usize>,
    /// Which piece of evidence it was read from.
    pub evidence: usize,
    /// Where in that piece's text.
    pub span: Option<Span>,
}

/// A text cut into lines, so that offsets become lines and columns.
#[derive(Debug)]
pub struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// Cuts a text at its newlines.
    pub fn new(text: &'a str) -> Self {
        let starts = std::iter::once(0)
            .chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1))
            .collect();
        Lines { text, starts }
    }

    /// The number of the line that holds the byte, from 0.
    pub fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset) - 1
    }

    /// First byte of a line, and one past its last (its newline not counted).
    pub fn bounds(&self, line: usize) -> (usize, usize) {
        let start = self.starts[line];
        let end = self
            .starts
            .get(line + 1)
            .map_or(self.text.len(), |next| next - 1);
        (start, end)
    }

    /// The words of a line.
    pub fn words(&self, line: usize) -> &'a str {
        let (start, end) = self.bounds(line);
        &self.text[start..end]
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// A text has always one line.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Line and column, both from 1; a column counts Unicode scalar values.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.line_of(offset);
        let column = self.text[self.starts[line]..offset].chars().count() + 1;
        (line + 1, column)
    }
}

/// Which connections a text speaks of, and which of them each line belongs to.
#[derive(Debug, Default)]
pub struct Connections {
    /// The distinct WebSocket addresses, in the order of their first mention.
    pub addresses: Vec<Address>,
    /// Which of them are sockets of tools.
    are_of_tools: Vec<bool>,
    /// Pairs of a line and the connection that is named there, in the order of lines.
    mentions: Vec<(usize, usize)>,
}

impl Connections {
    /// Tells apart the connections by their address without its query.
    pub fn of(addresses: &[Address], lines: &Lines<'_>) -> Self {
        let mut found = Connections::default();
        let mut known = HashMap::new();
        let dialled = || addresses.iter().filter(|it| it.is_dialled_socket());
        let is_left = dialled().any(|address| !address.is_aside && !address.is_of_a_tool());
        for address in dialled().filter(|address| !(is_left && address.is_aside)) {
            let connection = *known.entry(address.endpoint()).or_insert_with(|| {
                found.addresses.push(address.clone());
                found.are_of_tools.push(address.is_of_a_tool());
                found.addresses.len() - 1
            });
            let line = lines.line_of(address.span.start);
            if is_tools_line(lines.words(line))
                && let Some(is_of_a_tool) = found.are_of_tools.get_mut(connection)
            {
                *is_of_a_tool = true;
            }
            found.mentions.push((line, connection));
        }
        found.note_tools_lines(lines);
        found
    }

    /// Whether the connection is a tool's own: a development server's or a debugger's.
    pub fn is_of_a_tool(&self, connection: usize) -> bool {
        self.are_of_tools.get(connection).copied().unwrap_or(false)
    }

    /// The first address that is no tool's, else the first.
    pub fn foremost(&self) -> Option<&Address> {
        let own = self.are_of_tools.iter().position(|is_tools| !is_tools);
        self.addresses.get(own.unwrap_or(0))
    }

    /// Lines of a tool speak of its connection, whatever connection was named before.
    fn note_tools_lines(&mut self, lines: &Lines<'_>) {
        let Some(tools) = self.are_of_tools.iter().position(|is_tools| *is_tools) else {
            return;
        };
        if self.are_of_tools.iter().all(|is_tools| *is_tools) {
            return;
        }
        let named: Vec<(usize, usize)> = std::mem::take(&mut self.mentions);
        let mut left = named.into_iter().peekable();
        let mut before = None;
        for line in 0..lines.len() {
            let mut names = false;
            while let Some(mention) = left.next_if(|(at, _)| *at == line) {
                before = Some(mention.1);
                names = true;
                self.mentions.push(mention);
            }
            if !names && is_tools_line(lines.words(line)) {
                self.mentions.push((line, tools));
                // What follows belongs to the connection that was named before.
                let after = before.or(left.peek().map(|(_, connection)| *connection));
                if let Some(connection) = after {
                    self.mentions.push((line + 1, connection));
                }
            }
        }
    }

    /// The connection that a line speaks of: the one that it names, else the one named last
    /// before it, else the first.
    pub fn of_line(&self, line: usize) -> Option<usize> {
        let after = self.mentions.partition_point(|(at, _)| *at <= line);
        let mention = self.mentions.get(after.checked_sub(1).unwrap_or(after))?;
        Some(mention.1)
    }
}

/// What stands only in the lines of development servers' clients and debuggers.
static TOOLS_MARKS: LazyLock<Phrases> = LazyLock::new(|| {
    Phrases::of(&[
        "[vite]",
        "[hmr]",
        "[HMR]",
        "[webpack-dev-server]",
        "[WDS]",
        "[Fast Refresh]",
        "WebSocketClient.js",
        "webpackHotDevClient",
        "hot-dev-client",
        "use-websocket.ts",
        "React DevTools",
    ])
});

/// Whether a development server's client or a debugger wrote the line.
fn is_tools_line(line: &str) -> bool {
    // A longer line is no console's, and looking through it for each address would take long.
    if line.len() > 2000 {
        return false;
    }
    TOOLS_MARKS.stand_in(line)
        || line.contains("WebSocket")
            && [
                "client:",
                "client.mjs:",
                "client.ts:",
                "refresh.js:",
                "@vite/client",
            ]
            .iter()
            .any(|script| line.trim_start().starts_with(script) || line.ends_with(script))
}

/// The facts that an address itself tells.
pub fn facts_of_addresses(
    connections: &Connections,
    all: &[Address],
    evidence: usize,
) -> Vec<Fact> {
    let mut facts = Vec::new();
    for (index, address) in connections.addresses.iter().enumerate() {
        for (key, value) in address.facts() {
            facts.push(fact(key, &value, Some(index), evidence, address.span));
        }
    }
    for page in all.iter().filter(|address| address.is_page).take(4) {
        facts.push(fact("page.scheme", page.scheme, None, evidence, page.span));
        facts.push(fact("page.host", &page.host, None, evidence, page.span));
        facts.push(fact(
            "page.url",
            &page.without_query(),
            None,
            evidence,
            page.span,
        ));
        // A full name that stands for the real one is a full name all the same.
        let kind = match page.host_kind() {
            HostKind::Placeholder if page.host.contains('.') => HostKind::Name,
            kind => kind,
        };
        facts.push(fact(
            "page.host.kind",
            kind.as_str(),
            None,
            evidence,
            page.span,
        ));
    }
    if connections.addresses.is_empty() {
        // Polling transports and curl name the same endpoint by its http address.
        let dialled = || all.iter().filter(|address| is_dialled(address));
        let fails = dialled().find(|address| !address.is_aside);
        if let Some(address) = fails.or_else(|| dialled().next()) {
            for (key, value) in address.facts() {
                if key != "url.scheme" && key != "url.port.kind" {
                    facts.push(fact(key, &value, None, evidence, address.span));
                }
            }
        } else if let Some(own) = all.iter().find(|address| address.is_announced) {
            facts.extend(facts_of_announcement(own, evidence));
        }
    }
    facts
}

/// What a server says of its own address tells of the client's, where that is not known: the server's
/// port and path, and the host only where it is one that other machines find.
fn facts_of_announcement(own: &Address, evidence: usize) -> Vec<Fact> {
    let is_found = matches!(own.host_kind(), HostKind::Private | HostKind::SingleLabel);
    own.facts()
        .into_iter()
        .filter(|(key, value)| match *key {
            "url.port" => own.port.is_some(),
            "url.path" => value != "/",
            "url.path.kind" => true,
            "url.host" | "url.host.kind" => is_found,
            _ => false,
        })
        .map(|(key, value)| fact(key, &value, None, evidence, own.span))
        .collect()
}

/// Whether an address may be what the client dials, where no socket is named.
fn is_dialled(address: &Address) -> bool {
    let is_other = address.is_page || address.is_script || address.is_example;
    !(is_other || address.is_announced || address.is_reference())
}

fn fact(key: &str, value: &str, connection: Option<usize>, evidence: usize, span: Span) -> Fact {
    Fact {
        key: key.into(),
        value: value.into(),
        hop: Hop::ClientEdge,
        vantage: vantage("user"),
        connection,
        evidence,
        span: Some(span),
    }
}

static USER: LazyLock<Arc<str>> = LazyLock::new(|| "user".into());

/// The name of a vantage; nearly all facts share the user's.
fn vantage(name: &str) -> Arc<str> {
    match name {
        "user" => Arc::clone(&USER),
        _ => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let lines = Lines::new("ab\ncän’t x");
        assert_eq!(lines.position(0), (1, 1));
        assert_eq!(lines.position("ab\ncän’t ".len()), (2, 7));
    }

    #[test]
    fn lines_belong_to_the_connection_named_last() {
        let text = "intro\nws://a.example/x\nfailed\nwss://b.example/y\nclosed";
        let lines = Lines::new(text);
        let connections = Connections::of(&addresses(text), &lines);
        let of: Vec<Option<usize>> = (0..5).map(|line| connections.of_line(line)).collect();
        assert_eq!(of, [Some(0), Some(0), Some(0), Some(1), Some(1)]);
    }

    /// What the addresses of a text tell, as `key=value`.
    fn told(text: &str) -> Vec<String> {
        let all = addresses(text);
        let connections = Connections::of(&all, &Lines::new(text));
        let facts = facts_of_addresses(&connections, &all, 0);
        let told = facts.iter();
        told.map(|fact| format!("{}={}", fact.key, fact.value))
            .collect()
    }

    #[test]
    fn a_servers_own_address_gives_way_to_the_one_that_is_dialled() {
        let found = told(
            "WebSocket server started at ws://localhost:3000\n\
             WebSocket connection to 'wss://chat.example.org/live' failed: ",
        );
        assert!(found.contains(&"url.host=chat.example.org".to_owned()));
        assert!(!found.contains(&"url.host=localhost".to_owned()));
        assert!(!found.contains(&"url.port=3000".to_owned()));
    }

    #[test]
    fn alone_a_servers_own_address_tells_only_what_clients_share_with_it() {
        assert_eq!(
            told("Server listening on ws://0.0.0.0:8080/live"),
            ["url.port=8080", "url.path=/live"]
        );
        assert_eq!(told("running on http://localhost:5000"), ["url.port=5000"]);
        assert_eq!(
            told("var server = new WebSocketServer(\"ws://127.0.0.1:4649\");"),
            ["url.port=4649"]
        );
        let private = told("Server started on ws://192.168.1.7:8080");
        assert!(private.contains(&"url.host=192.168.1.7".to_owned()));
    }
}
