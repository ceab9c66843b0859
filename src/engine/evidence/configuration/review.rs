//! What is said of a configuration: what its block for the socket lacks, and the lines that put it
//! right, as a difference of lines.

use super::Span;
use super::difference::{Edit, LineKind, RawLine, difference, line_start, past_line};

/// Something to know about a configuration, with the words that show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Remark {
    pub(in super::super) text: String,
    pub(in super::super) span: Span,
    pub(in super::super) weight: Weight,
}

/// How much a remark matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// With this the socket fails.
    Fault,
    /// The socket opens, and may fail later or for some clients.
    Hint,
    /// What matters stands in a file that is not in the text.
    Unknown,
}

impl Weight {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Weight::Fault => "fault",
            Weight::Hint => "hint",
            Weight::Unknown => "unknown",
        }
    }
}

/// What a reader makes of the block that serves the socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Draft {
    pub(in super::super) system: &'static str,
    pub(in super::super) place: Span,
    pub(in super::super) remarks: Vec<Remark>,
    pub(in super::super) edits: Vec<Edit>,
    /// After so many silent seconds it ends a socket, and the words that say so.
    pub(in super::super) silence: Option<(u64, Span)>,
}

impl Draft {
    pub(super) fn new(system: &'static str, place: Span) -> Self {
        Draft {
            system,
            place,
            remarks: Vec::new(),
            edits: Vec::new(),
            silence: None,
        }
    }

    pub(super) fn fault(&mut self, text: impl Into<String>, span: Span) {
        self.remark(Weight::Fault, text.into(), span);
    }

    pub(super) fn hint(&mut self, text: impl Into<String>, span: Span) {
        self.remark(Weight::Hint, text.into(), span);
    }

    pub(super) fn unknown(&mut self, text: impl Into<String>, span: Span) {
        self.remark(Weight::Unknown, text.into(), span);
    }

    fn remark(&mut self, weight: Weight, text: String, span: Span) {
        let remark = Remark { text, span, weight };
        if !self.remarks.contains(&remark) {
            self.remarks.push(remark);
        }
    }

    pub(super) fn replace(&mut self, span: Span, text: impl Into<String>) {
        self.edits.push(Edit {
            span,
            text: text.into(),
        });
    }

    /// Adds whole lines after the line that holds the byte `at`, with its line ending.
    pub(super) fn add_lines_after(&mut self, text: &str, at: usize, lines: &[String]) {
        if lines.is_empty() {
            return;
        }
        let (end, newline) = line_end(text, at);
        let added: String = lines
            .iter()
            .map(|line| format!("{newline}{line}"))
            .collect();
        self.replace(Span { start: end, end }, added);
    }
}

/// Where the line that holds the byte `at` ends, and what its text breaks lines with.
pub(super) fn line_end(text: &str, at: usize) -> (usize, &'static str) {
    let at = at.min(text.len());
    let end = memchr::memchr(b'\n', &text.as_bytes()[at..]).map_or(text.len(), |found| at + found);
    if text.as_bytes()[..end].ends_with(b"\r") && end > at {
        (end - 1, "\r\n")
    } else {
        (end, "\n")
    }
}

/// The space with which the line that holds the byte `at` begins.
pub(super) fn indent_of(text: &str, at: usize) -> &str {
    let before = &text.as_bytes()[..at.min(text.len())];
    let start = memchr::memrchr(b'\n', before).map_or(0, |found| found + 1);
    let line = &text[start..];
    let length = line
        .bytes()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    &line[..length]
}

/// Where a part of a text stands in it.
pub(super) fn span_of(text: &str, part: &str) -> Span {
    let start = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    let start = start.min(text.len());
    Span {
        start,
        end: (start + part.len()).min(text.len()),
    }
}

/// The lines of a span from their first byte to one past the last newline.
pub(super) fn whole_line(text: &str, span: Span) -> Span {
    Span {
        start: line_start(text, span.start),
        end: past_line(text, span.end),
    }
}

/// What a whole configuration's block for the socket does, as faces show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Such as `nginx`.
    pub system: &'static str,
    /// Which piece of evidence holds it.
    pub evidence: usize,
    /// The line of the block that serves the socket, from 1.
    pub line: usize,
    /// The words of that line.
    pub quote: String,
    /// What is to be known of it, in the order of the lines. Without any there is nothing wrong.
    pub findings: Vec<ReviewFinding>,
    /// What puts it right: stretches of lines that follow each other.
    pub difference: Vec<Vec<DifferenceLine>>,
}

impl Review {
    /// Whether nothing in it makes a socket fail, for all that is in the text.
    pub fn is_right(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.weight == Weight::Hint)
    }
}

/// Something to know about a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewFinding {
    /// A sentence.
    pub text: String,
    /// The line that shows it, from 1.
    pub line: usize,
    /// How much it matters.
    pub weight: Weight,
}

/// A line of a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DifferenceLine {
    /// What becomes of it.
    pub kind: LineKind,
    /// Its number in the text that was given, from 1; an added line has none.
    pub number: Option<usize>,
    /// The line itself.
    pub text: String,
}

/// A draft with its difference, still with bytes of the text that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sketch {
    draft: Draft,
    difference: Vec<Vec<RawLine>>,
    quote: String,
}

impl Sketch {
    pub(in super::super) fn of(text: &str, draft: Draft) -> Self {
        let words = &text[draft.place.start..draft.place.end];
        let quote = words.lines().next().unwrap_or_default().trim();
        Sketch {
            difference: difference(text, &draft.edits),
            quote: quote.chars().take(200).collect(),
            draft,
        }
    }

    /// The same where the text stands elsewhere.
    pub fn placed(mut self, place: impl Fn(Span) -> Span) -> Self {
        self.draft.place = place(self.draft.place);
        for remark in &mut self.draft.remarks {
            remark.span = place(remark.span);
        }
        for (_, at, _) in self.difference.iter_mut().flatten() {
            *at = at.map(|at| place(Span { start: at, end: at }).start);
        }
        self.draft.silence = self
            .draft
            .silence
            .map(|(seconds, span)| (seconds, place(span)));
        self
    }

    /// The words that let the proxy end a silent socket after about so many seconds. A silence
    /// begins some time after the opening, so that a connection lives a little longer.
    pub fn ends_silence_after(&self, seconds: f64) -> Option<Span> {
        let (limit, span) = self.draft.silence?;
        let limit = limit as f64;
        let earliest = limit - (limit * 0.02).clamp(0.5, 2.0);
        let latest = limit + (limit * 0.05).clamp(1.5, 15.0);
        (limit > 0.0 && (earliest..=latest).contains(&seconds)).then_some(span)
    }

    /// The review, with the line for each byte.
    pub fn review(&self, evidence: usize, line_of: impl Fn(usize) -> usize) -> Review {
        let mut findings: Vec<ReviewFinding> = self
            .draft
            .remarks
            .iter()
            .map(|remark| ReviewFinding {
                text: remark.text.clone(),
                line: line_of(remark.span.start),
                weight: remark.weight,
            })
            .collect();
        findings.sort_by_key(|finding| finding.line);
        Review {
            system: self.draft.system,
            evidence,
            line: line_of(self.draft.place.start),
            quote: self.quote.clone(),
            findings,
            difference: self
                .difference
                .iter()
                .map(|lines| {
                    lines
                        .iter()
                        .map(|(kind, at, text)| DifferenceLine {
                            kind: *kind,
                            number: at.map(&line_of),
                            text: text.clone(),
                        })
                        .collect()
                })
                .collect(),
        }
    }
}
