//! The output of commands, read by its columns and sections, also where the command itself was
//! not pasted. Each file here reads one family of commands.
//!
//! What a table means depends on what the client dials: a port that is missing in a list of
//! listening ports matters only if it is the one. So the readers know the socket of the text, or
//! of a text given earlier in the same case.

mod certificates;
mod clock;
mod containers;
mod exchanges;
mod firewall;
mod kubernetes;
mod names;
mod processes;
mod reach;
mod requests;
mod routes;
mod sockets;

use std::cell::OnceCell;
use std::net::IpAddr;

use super::contents::Contents;
use super::reading::Reading;
use super::{Address, HostKind, Span};
use crate::engine::graph::Hop;

/// Longer texts than this many lines are not the output of commands alone; the rest is left to
/// the wordings.
const MOST_LINES: usize = 20_000;

/// A line with its place.
#[derive(Clone, Copy, Debug)]
struct Line<'a> {
    /// Its first byte in the text.
    start: usize,
    /// As it stands there, without the newline and the space before it.
    text: &'a str,
}

/// A word of a line with its place.
#[derive(Clone, Copy, Debug)]
struct Word<'a> {
    text: &'a str,
    span: Span,
}

impl<'a> Line<'a> {
    /// The line without the space around it.
    fn span(self) -> Span {
        self.span_of(self.text.trim())
    }

    /// Where a part of this line stands.
    fn span_of(self, part: &str) -> Span {
        let offset = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let start = self.start + offset.min(self.text.len());
        Span {
            start,
            end: start + part.len(),
        }
    }

    fn words(self) -> Vec<Word<'a>> {
        self.text
            .split_whitespace()
            .map(|text| Word {
                text,
                span: self.span_of(text),
            })
            .collect()
    }

    fn is_blank(self) -> bool {
        self.text.trim().is_empty()
    }
}

/// What is asked of an output: its lines, and what the client dials.
struct Output<'a> {
    text: &'a str,
    contents: &'a Contents<'a>,
    /// Most texts hold nothing that any of the readers knows, and are not cut into lines.
    lines: OnceCell<Vec<Line<'a>>>,
    dialled: Option<&'a Address>,
}

impl<'a> Output<'a> {
    fn of(contents: &'a Contents<'a>, dialled: Option<&'a Address>) -> Self {
        let text = contents.text();
        let end = memchr::memchr_iter(b'\n', text.as_bytes()).nth(MOST_LINES - 1);
        Output {
            // What stands behind the last line that is read would only cost time.
            text: end.and_then(|end| text.get(..end)).unwrap_or(text),
            contents,
            lines: OnceCell::new(),
            dialled,
        }
    }

    fn lines(&self) -> &[Line<'a>] {
        self.lines.get_or_init(|| {
            let mut start = 0;
            let cut = self.text.split('\n').map(|line| {
                let begin = start;
                start += line.len() + 1;
                Line {
                    start: begin,
                    text: line.trim_end(),
                }
            });
            cut.collect()
        })
    }

    /// Whether the words stand anywhere in the text.
    fn holds(&self, words: &str) -> bool {
        self.contents.may_hold(words)
            && memchr::memmem::find(self.text.as_bytes(), words.as_bytes()).is_some()
    }

    /// Whether any of the words stands anywhere in the text.
    fn holds_one_of(&self, words: &[&str]) -> bool {
        words.iter().any(|words| self.holds(words))
    }

    /// The port that the client dials.
    fn port(&self) -> Option<u16> {
        self.dialled.map(Address::effective_port)
    }

    /// The port that the client dials, where it is not the web's own, behind which a proxy would
    /// stand.
    fn own_port(&self) -> Option<u16> {
        self.port().filter(|port| !matches!(port, 80 | 443))
    }

    fn host(&self) -> Option<&str> {
        self.dialled.map(|address| address.host.as_str())
    }

    /// Whether the client is known to dial another machine than the one it runs on.
    fn dials_elsewhere(&self) -> bool {
        self.dialled
            .is_some_and(|address| address.host_kind() != HostKind::Loopback)
    }
}

/// Reads the output of commands in a redacted text, of which the contents are known. `addresses` are those of the text, `earlier`
/// is what the client dials according to texts given before.
pub(super) fn readings(
    contents: &Contents<'_>,
    addresses: &[Address],
    earlier: Option<&Address>,
) -> Vec<Reading> {
    let output = Output::of(contents, dialled(addresses, earlier));
    vec![
        sockets::reading(&output),
        containers::reading(&output),
        kubernetes::reading(&output),
        processes::reading(&output),
        reach::reading(&output),
        exchanges::reading(&output, addresses),
        requests::reading(&output),
        certificates::reading(&output),
        names::reading(&output),
        firewall::reading(&output),
        clock::reading(&output),
    ]
}

/// What the client dials: the text's own socket, the one known before, or at least an address of
/// the web in the text.
fn dialled<'a>(addresses: &'a [Address], earlier: Option<&'a Address>) -> Option<&'a Address> {
    addresses
        .iter()
        .find(|address| address.is_websocket() && !address.is_announced)
        .or(earlier)
        .or_else(|| {
            addresses
                .iter()
                .find(|address| !(address.is_page || address.is_script || address.is_announced))
        })
}

/// Adds what was seen on the server's machine.
fn add_on_server(reading: &mut Reading, key: &'static str, value: &str, span: Span) {
    reading.add_on(Hop::ClientEdge, "server", key, value, span);
}

/// An IP address as commands print it: in brackets, with a zone.
fn ip(text: &str) -> Option<IpAddr> {
    let text = text.trim_matches(['[', ']']);
    text.split('%').next().unwrap_or_default().parse().ok()
}

#[cfg(test)]
mod tests;
