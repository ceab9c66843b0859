//! Writes a network log anew with the events of the sockets' requests.

use super::super::condensed::Writer;
use super::super::recording::Kind;
use super::event::{Event, Log, PARAMS};

/// Bytes that are kept of a header or an address, and of anything else.
const LONGEST_HEADER: usize = 32 << 10;
const LONGEST: usize = 1024;

/// Writes the log that begins at a byte of the text; returns the byte after it.
pub(in super::super) fn condense(writer: &mut Writer<'_>, start: usize) -> usize {
    let log = Log::read(writer.source(), start);
    Kind::NetworkLog.begin(writer);
    let mut kinds: Vec<i64> = log
        .events
        .iter()
        .filter_map(|event| log.number(event.kind?.span))
        .collect();
    let mut errors: Vec<i64> = log
        .events
        .iter()
        .filter_map(|event| log.number(event.param("net_error")?.span))
        .collect();
    writer.open(Some("constants"), '{');
    for (name, numbers, names) in [
        ("logEventTypes", &mut kinds, &log.types),
        ("netError", &mut errors, &log.errors),
    ] {
        numbers.sort_unstable();
        numbers.dedup();
        writer.open(Some(name), '{');
        for number in numbers.iter() {
            let name = names.get(number).filter(|name| is_name(name));
            if let Some(name) = name {
                writer.number(name, *number);
            }
        }
        writer.close();
    }
    writer.close();
    writer.open(Some("events"), '[');
    for event in &log.events {
        write(writer, event);
    }
    writer.close_all();
    log.end
}

fn is_name(name: &str) -> bool {
    name.len() < 100
        && name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

fn write(writer: &mut Writer<'_>, event: &Event) {
    writer.open(None, '{');
    writer.member("time", event.time, LONGEST);
    writer.member("type", event.kind, LONGEST);
    writer.member("phase", event.phase, LONGEST);
    writer.open(Some("source"), '{');
    writer.member("id", event.source, LONGEST);
    writer.close();
    writer.open(Some("params"), '{');
    if event.tie.is_some() {
        writer.open(Some("source_dependency"), '{');
        writer.member("id", event.tie, LONGEST);
        writer.close();
    }
    for (name, value) in PARAMS.iter().zip(event.params) {
        let most = if *name == "url" {
            LONGEST_HEADER
        } else {
            LONGEST
        };
        writer.member(name, value, most);
    }
    if !event.headers.is_empty() {
        writer.open(Some("headers"), '[');
        for header in &event.headers {
            writer.element(*header, LONGEST_HEADER);
        }
        writer.close();
    }
    writer.close();
    writer.close();
}
