//! What a reader that understands a format by its structure made of a text.
//!
//! A wording sees a few words; a reader knows which field of a line or which block of a file they
//! stand in. So where a reader understood something, it knows better than the wordings.

use std::sync::Arc;

use super::configuration::{Draft, Sketch};
use super::contents::Contents;
use super::{Address, Fact, Span, vantage};
use crate::engine::graph::Hop;

/// Words that speak, with what they say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) key: &'static str,
    pub(super) value: String,
    pub(super) hop: Hop,
    /// `user`, `server`, `edge`.
    pub(super) vantage: &'static str,
    pub(super) span: Span,
}

/// What one reader found in a text.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) findings: Vec<Finding>,
    /// Where addresses are not what the client dials.
    pub(super) regions: Vec<Span>,
    /// Where wordings tell nothing: comments, and what was understood whole.
    pub(super) owned: Vec<Span>,
    /// Where wordings tell nothing about a proxy's configuration or about browsers, because what is said
    /// of them is known whole.
    pub(super) judged: Vec<Span>,
    /// What there is to say of configurations.
    pub(super) drafts: Vec<Draft>,
}

impl Reading {
    /// Adds what the client's side of the connection shows.
    pub(super) fn add(&mut self, key: &'static str, value: &str, span: Span) {
        self.add_on(Hop::ClientEdge, "user", key, value, span);
    }

    /// Adds what was seen on a hop from a vantage.
    pub(super) fn add_on(
        &mut self,
        hop: Hop,
        vantage: &'static str,
        key: &'static str,
        value: &str,
        span: Span,
    ) {
        self.findings.push(Finding {
            key,
            value: value.to_owned(),
            hop,
            vantage,
            span,
        });
    }
}

/// What is concluded from several lines or clauses, of which a wording sees one.
const JUDGED: &[&str] = &[
    "edge.config",
    "environment.host-header",
    "works.other-browser",
];

/// What all readers together found in a text.
#[derive(Debug, Default)]
pub struct Structures {
    /// What they say.
    pub facts: Vec<Fact>,
    /// What there is to say of configurations.
    pub sketches: Vec<Sketch>,
    regions: Vec<Span>,
    owned: Vec<Span>,
    judged: Vec<Span>,
}

/// Reads what has structure in a redacted text: configurations, logs, the output of commands.
/// `addresses` are those of the text, `earlier` is what the client dials according to texts given
/// before.
pub fn structures(
    contents: &Contents<'_>,
    addresses: &[Address],
    earlier: Option<&Address>,
    evidence: usize,
) -> Structures {
    let mut all = Structures::default();
    let text = contents.text();
    for reading in super::configuration::readings(contents, addresses)
        .into_iter()
        .chain(super::logs::readings(contents, addresses))
        .chain(super::commands::readings(contents, addresses, earlier))
        .chain(super::console::readings(contents, addresses))
        .chain([super::browsers::reading(contents)])
    {
        all.facts
            .extend(reading.findings.into_iter().map(|finding| Fact {
                key: Arc::from(finding.key),
                value: Arc::from(finding.value),
                hop: finding.hop,
                vantage: vantage(finding.vantage),
                connection: None,
                evidence,
                span: Some(finding.span),
            }));
        let drafts = reading.drafts.into_iter();
        all.sketches
            .extend(drafts.map(|draft| Sketch::of(text, draft)));
        all.regions.extend(reading.regions);
        all.owned.extend(reading.owned);
        all.judged.extend(reading.judged);
    }
    for spans in [&mut all.regions, &mut all.owned, &mut all.judged] {
        merge(spans);
    }
    all
}

impl Structures {
    /// Whether the words stand where an address is not what the client dials.
    pub fn covers(&self, span: Span) -> bool {
        is_within(&self.regions, span)
    }

    /// The lines in which wordings tell nothing, from the first byte of a line to the end of one.
    pub fn known_lines(&self, text: &str) -> Vec<Span> {
        whole_lines(text, &self.owned)
    }

    /// Whether a wording's fact says less than what was read here: a single line of a rule that is
    /// known whole, a line that is commented out, a field of a line that was read by its fields.
    pub fn know_better_than(&self, fact: &Fact) -> bool {
        fact.span.is_some_and(|span| {
            is_within(&self.owned, span)
                || (JUDGED.contains(&&*fact.key) && is_within(&self.judged, span))
        })
    }
}

/// Sorts spans and joins those that touch, so that one look finds the one that holds a place.
fn merge(spans: &mut Vec<Span>) {
    spans.sort_unstable();
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans.drain(..) {
        match merged.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    *spans = merged;
}

/// Whether the span begins in one of the spans, which are sorted and do not overlap.
pub(super) fn is_within(spans: &[Span], span: Span) -> bool {
    let after = spans.partition_point(|known| known.start <= span.start);
    after > 0 && span.start < spans[after - 1].end
}

/// Where a byte stands between two spaces; the place of the first of them.
pub(super) fn between_spaces(words: &[u8], byte: u8) -> Option<usize> {
    let mut spaces = memchr::memchr_iter(byte, words).filter_map(|at| at.checked_sub(1));
    spaces.find(|space| words[*space] == b' ' && words.get(space + 2) == Some(&b' '))
}

/// The lines of a text without the space around them, each with its place.
pub(super) fn lines_of(text: &str) -> impl Iterator<Item = (Span, &str)> {
    let ends = memchr::memchr_iter(b'\n', text.as_bytes()).chain(std::iter::once(text.len()));
    let mut next = 0;
    ends.map(move |end| {
        let start = next;
        next = end + 1;
        let line = text.get(start..end).unwrap_or_default();
        let start = start + (line.len() - trimmed_start(line).len());
        let line = trimmed_end(text.get(start..end).unwrap_or_default());
        let end = start + line.len();
        (Span { start, end }, line)
    })
}

/// Most lines begin and end with what is no space, which one look at a byte tells.
fn trimmed_start(line: &str) -> &str {
    match line.as_bytes().first() {
        Some(b'!'..=b'~') => line,
        _ => line.trim_start(),
    }
}

fn trimmed_end(line: &str) -> &str {
    match line.as_bytes().last() {
        Some(b'!'..=b'~') => line,
        _ => line.trim_end(),
    }
}

/// The whole lines that begin in one of the spans and end in the same, from the first byte of the
/// first to the end of the last. The spans are sorted and do not overlap.
pub(super) fn whole_lines(text: &str, spans: &[Span]) -> Vec<Span> {
    let bytes = text.as_bytes();
    let start_of = |at: usize| {
        let is_start = at
            .checked_sub(1)
            .is_none_or(|before| bytes.get(before) == Some(&b'\n'));
        if is_start {
            return Some(at);
        }
        memchr::memchr(b'\n', bytes.get(at..)?).map(|length| at + length + 1)
    };
    let end_of = |from: usize, at: usize| {
        let rest = bytes.get(at..).unwrap_or_default();
        let is_end = matches!(rest, [] | [b'\n', ..] | [b'\r', b'\n', ..]);
        if is_end {
            return Some(at);
        }
        memchr::memrchr(b'\n', bytes.get(from..at)?).map(|length| from + length)
    };
    spans
        .iter()
        .filter_map(|span| {
            let start = start_of(span.start)?;
            let end = end_of(start, span.end)?;
            (start < end).then_some(Span { start, end })
        })
        .collect()
}

/// Whether a path or a rule's pattern looks as if it were made for sockets.
pub(super) fn looks_like_socket(pattern: &str) -> bool {
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
