//! Writes an archive anew with the requests that matter.

use super::super::condensed::{Value, Writer};
use super::super::recording::Kind;
use super::entry::{Archive, Entry, FIELDS, Field, Message};

/// Bytes that are kept of a header or an address (the length of a cookie tells something), of an
/// answer's body or a message, and of anything else.
const LONGEST_HEADER: usize = 32 << 10;
const LONGEST_BODY: usize = 2048;
const LONGEST: usize = 512;

/// Writes the archive that begins at a byte of the text; returns the byte after it.
pub(in super::super) fn condense(writer: &mut Writer<'_>, start: usize) -> usize {
    let archive = Archive::read(writer.source(), start);
    Kind::Archive.begin(writer);
    writer.own("version", "1.2");
    writer.open(Some("creator"), '{');
    writer.member("name", archive.creator, LONGEST);
    writer.close();
    writer.open(Some("pages"), '[');
    if archive.page.is_some() {
        writer.open(None, '{');
        writer.member("title", archive.page, LONGEST_BODY);
        writer.close();
    }
    writer.close();
    writer.open(Some("entries"), '[');
    for entry in archive.sockets.iter().chain(&archive.failed) {
        write(writer, entry);
    }
    writer.close_all();
    archive.end
}

fn write(writer: &mut Writer<'_>, entry: &Entry) {
    writer.open(None, '{');
    members(writer, entry, &[]);
    writer.open(Some("_initiator"), '{');
    members(writer, entry, &["_initiator"]);
    writer.close();
    for (side, headers) in [
        ("request", &entry.request_headers),
        ("response", &entry.response_headers),
    ] {
        writer.open(Some(side), '{');
        members(writer, entry, &[side]);
        writer.open(Some("headers"), '[');
        for (name, value) in headers {
            writer.row(
                &[("name", Some(*name)), ("value", Some(*value))],
                LONGEST_HEADER,
            );
        }
        writer.close();
        if side == "response" {
            writer.open(Some("content"), '{');
            members(writer, entry, &["response", "content"]);
            writer.close();
        }
        writer.close();
    }
    writer.open(Some("timings"), '{');
    members(writer, entry, &["timings"]);
    writer.close();
    if entry.is_socket {
        messages(writer, entry);
    }
    writer.close();
}

/// The members of one of a request's objects.
fn members(writer: &mut Writer<'_>, entry: &Entry, object: &[&str]) {
    let text = writer.source();
    for (path, field) in FIELDS {
        let Some((name, inside)) = path.split_last() else {
            continue;
        };
        // Only what was answered to a refused request tells something.
        let is_told =
            *field != Field::Body || entry.status(text).is_none_or(|(status, _)| status >= 300);
        if inside == object && is_told {
            let most = match field {
                Field::Url => LONGEST_HEADER,
                Field::Body => LONGEST_BODY,
                _ => LONGEST,
            };
            writer.member(name, entry.value(*field), most);
        }
    }
}

/// The first and the last messages by their times, errors and close frames in their words, and
/// the last message that came if it speaks of an error.
fn messages(writer: &mut Writer<'_>, entry: &Entry) {
    let text = writer.source();
    let silent = |message: &Message| Message {
        data: None,
        ..*message
    };
    let received = entry.last_received.map(|message| match message.data {
        Some(data) if speaks_of_error(text, data) => message,
        _ => silent(&message),
    });
    let mut kept: Vec<Message> = entry
        .errors
        .iter()
        .chain(&entry.closes)
        .copied()
        .chain(received)
        .chain(entry.first.as_ref().map(silent))
        .chain(entry.last_sent.as_ref().map(silent))
        .collect();
    // The one with its words comes before the same without.
    kept.sort_by_key(Message::place);
    kept.dedup_by_key(|message| message.place());
    writer.open(Some("_webSocketMessages"), '[');
    for message in kept {
        let members = [
            ("type", message.kind),
            ("time", message.time),
            ("opcode", message.opcode),
            ("data", message.data),
            ("code", message.code),
        ];
        writer.row(&members, LONGEST_BODY);
    }
    writer.close();
}

/// Whether a message is what libraries send before they end a socket: Socket.IO's `44{...}`,
/// STOMP's `ERROR`, GraphQL's `connection_error`, Action Cable's `reject_subscription` and
/// `disconnect`. Any other message may speak of anything.
pub(super) fn speaks_of_error(text: &str, data: Value) -> bool {
    let raw = &text[data.span.start..data.span.end];
    let head = &raw[..raw.floor_char_boundary(256)];
    raw.starts_with(r#"44{\""#)
        || raw.starts_with(r"ERROR\n")
        || [
            r#"\"connection_error\""#,
            r#"\"reject_subscription\""#,
            r#"\"type\":\"disconnect\""#,
        ]
        .iter()
        .any(|word| head.contains(word))
}
