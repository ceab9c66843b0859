//! A probe's report as `wsdoctor probe --format json` prints it, in any text.
//!
//! Its facts are facts, and the handshake in it (`exchange`) is read as the output of a command is,
//! without the headers that every page carries: their words are no person's. The diagnosis in it is
//! not read: it is made again, with the knowledge of this service.

use std::collections::HashSet;
use std::sync::Arc;

use super::condensed::{Value, Writer};
use super::recording::{Kind, telling_header};
use super::scan::{ELEMENT, Found, unescaped, walk};
use super::{Fact, Recording, Span};
use crate::engine::graph::Hop;

/// Stands first in a condensed report.
pub(super) const COMMENT: &str = "A probe's report without its diagnosis.";
/// More facts, stages and variants are not taken.
const MOST: usize = 500;
/// Values and sentences are cut at that many bytes, the exchange at more.
const LONGEST: usize = 2048;
const LONGEST_EXCHANGE: usize = 72 << 10;
/// So many places are looked at that could be the beginning of one.
const MOST_BEGINNINGS: usize = 200;

/// Where, at or after `from`, a report begins: with its address and its time.
pub(super) fn start(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    memchr::memmem::find_iter(&bytes[from..], b"\"url\"")
        .take(MOST_BEGINNINGS)
        .find_map(|at| {
            let at = from + at;
            let rest = text[at + 5..].trim_start().strip_prefix(':')?;
            let rest = rest.trim_start().strip_prefix('"')?;
            let (_, rest) = rest.split_once('"')?;
            let rest = rest.trim_start().strip_prefix(',')?.trim_start();
            if !rest.starts_with("\"started_at\"") {
                return None;
            }
            let before = text[from..at].trim_end();
            let comment = format!("\"comment\": \"{COMMENT}\",");
            let before = before.strip_suffix(&comment).unwrap_or(before).trim_end();
            before.ends_with('{').then(|| from + before.len() - 1)
        })
}

/// A fact, a stage or a variant: its members by their names.
type Row<'a> = Vec<(&'a str, Value)>;

/// What is kept of a report.
#[derive(Default)]
struct Kept<'a> {
    url: Option<Value>,
    started_at: Option<Value>,
    exchange: Option<Value>,
    stages: Vec<Row<'a>>,
    variants: Vec<Row<'a>>,
    facts: Vec<Row<'a>>,
    end: usize,
}

impl<'a> Kept<'a> {
    fn of(text: &'a str, start: usize) -> Self {
        let mut kept = Kept::default();
        kept.end = walk(text, start, |path, found| {
            match (path, found) {
                (["stages", ELEMENT], Found::Enter) => begin(&mut kept.stages),
                (["variants", ELEMENT], Found::Enter) => begin(&mut kept.variants),
                (["facts", ELEMENT] | ["stages", ELEMENT, "facts", ELEMENT], Found::Enter) => {
                    begin(&mut kept.facts);
                }
                _ => {}
            }
            let value = match found {
                Found::Text(span) => Value {
                    span,
                    is_text: true,
                },
                Found::Word(span) => Value {
                    span,
                    is_text: false,
                },
                Found::Enter | Found::Leave => return,
            };
            match path {
                ["url"] => kept.url = Some(value),
                ["started_at"] => kept.started_at = Some(value),
                ["exchange"] => kept.exchange = Some(value),
                ["stages", ELEMENT, name] => add(&mut kept.stages, name, value),
                ["variants", ELEMENT, name] => add(&mut kept.variants, name, value),
                ["facts", ELEMENT, name] | ["stages", ELEMENT, "facts", ELEMENT, name] => {
                    add(&mut kept.facts, name, value);
                }
                _ => {}
            }
        });
        let mut seen = HashSet::new();
        kept.facts.retain(|row| {
            let words: Vec<&str> = row
                .iter()
                .map(|(_, value)| &text[value.span.start..value.span.end])
                .collect();
            seen.insert(words)
        });
        kept
    }
}

fn begin(rows: &mut Vec<Row<'_>>) {
    if rows.len() < MOST {
        rows.push(Vec::new());
    }
}

fn add<'a>(rows: &mut [Row<'a>], name: &'a str, value: Value) {
    if let Some(row) = rows.last_mut()
        && row.len() < 10
    {
        row.push((name, value));
    }
}

fn member(row: &Row<'_>, wanted: &str) -> Option<Value> {
    let found = row.iter().find(|(name, _)| *name == wanted)?;
    Some(found.1)
}

/// Writes a report anew without its diagnosis; the byte after the original.
pub(super) fn condense(writer: &mut Writer<'_>, start: usize) -> usize {
    let kept = Kept::of(writer.source(), start);
    Kind::Report.begin(writer);
    writer.member("url", kept.url, LONGEST);
    writer.member("started_at", kept.started_at, LONGEST);
    let lists: [(&str, &[Row<'_>], &[&str]); 3] = [
        (
            "stages",
            &kept.stages,
            &["stage", "state", "started_ms", "took_ms", "detail"],
        ),
        (
            "variants",
            &kept.variants,
            &[
                "id", "changed", "outcome", "accepted", "status", "finding", "took_ms",
            ],
        ),
        ("facts", &kept.facts, &["key", "value", "hop", "vantage"]),
    ];
    for (name, rows, members) in lists {
        writer.open(Some(name), '[');
        for row in rows {
            let members: Vec<(&str, Option<Value>)> = members
                .iter()
                .map(|name| (*name, member(row, name)))
                .collect();
            writer.row(&members, LONGEST);
        }
        writer.close();
    }
    writer.member("exchange", kept.exchange, LONGEST_EXCHANGE);
    writer.close_all();
    kept.end
}

/// Reads a report.
pub(super) fn read(text: &str, start: usize) -> Recording {
    let kept = Kept::of(text, start);
    let mut recording = Recording::new();
    recording.span = Span {
        start,
        end: kept.end,
    };
    for row in &kept.facts {
        recording.facts.extend(fact(text, row));
    }
    for value in [kept.url, kept.exchange].into_iter().flatten() {
        lines(text, value.span, &mut recording.transcript);
    }
    recording
}

fn fact(text: &str, row: &Row<'_>) -> Option<Fact> {
    let words = |name: &str| -> Option<(String, Span)> {
        let span = member(row, name)?.span;
        Some((unescaped(text, span, LONGEST), span))
    };
    let (key, _) = words("key")?;
    let (value, span) = words("value")?;
    let hop = match words("hop") {
        Some((word, _)) if word == Hop::EdgeOrigin.as_str() => Hop::EdgeOrigin,
        _ => Hop::ClientEdge,
    };
    let vantage = words("vantage").map_or_else(|| "user".to_owned(), |(word, _)| word);
    Some(Fact {
        key: Arc::from(key),
        value: Arc::from(value),
        hop,
        vantage: Arc::from(vantage),
        connection: None,
        evidence: 0,
        span: Some(span),
    })
}

/// A handshake as it went over the wire, without the headers that tell nothing of it.
pub fn told_of(exchange: &str) -> String {
    let kept: Vec<&str> = exchange.lines().filter(|line| is_telling(line)).collect();
    kept.join("\n")
}

/// Whether a line of an exchange is read: start lines, bodies and the headers that tell something.
fn is_telling(line: &str) -> bool {
    /// What frames an answer, and when it was given.
    const FRAMING: &[&str] = &[
        "content-length",
        "content-type",
        "date",
        "transfer-encoding",
    ];
    /// What a request says of the handshake.
    const ASKING: &[&str] = &["host", "origin", "connection", "upgrade"];
    let header = |rest: &str| -> Option<(String, String)> {
        let (name, value) = rest.split_once(':')?;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        (!name.is_empty() && name.bytes().all(is_name))
            .then(|| (name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    if let Some((name, _)) = line.strip_prefix("> ").and_then(header) {
        return ASKING.contains(&&*name) || name.starts_with("sec-websocket-");
    }
    if let Some((name, value)) = line.strip_prefix("< ").and_then(header) {
        return FRAMING.contains(&&*name) || telling_header(&name, &value).is_some();
    }
    true
}

/// The lines of a string that are read, each with its place.
fn lines(text: &str, span: Span, out: &mut Vec<(String, Span)>) {
    let mut start = span.start;
    for raw in text[span.start..span.end].split("\\n") {
        let place = Span {
            start,
            end: start + raw.len(),
        };
        let line = unescaped(text, place, LONGEST_EXCHANGE);
        if is_telling(&line) {
            out.push((line, place));
        }
        start = place.end + 2;
    }
    out.push((
        String::new(),
        Span {
            start: span.end,
            end: span.end,
        },
    ));
}
