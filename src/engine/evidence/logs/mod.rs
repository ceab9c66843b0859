//! Logs of servers and proxies, read by their fields.
//!
//! A proxy's log speaks of two hops: what it answered the client, and what the server behind it
//! did. Each file here reads one product's lines; which reader a line is given to is decided from
//! its first bytes. Which requests are the socket's is known when all lines are read.

mod access;
mod alb;
mod cloudflared;
mod envoy;
mod fields;
mod haproxy;
mod heroku;
mod journal;
mod json;
mod w3c;

use super::contents::Contents;
use super::reading::{Reading, lines_of};
use super::{Address, time};
use access::Writer;
use fields::{Line, find, without_prefix};
use journal::Journal;
use json::Asked;

use w3c::Columns;

/// That much of a text is looked at for who wrote it.
const HEAD: usize = 64 * 1024;

/// Reads the logs of a redacted text. `addresses` are those of the text.
pub(super) fn readings(contents: &Contents<'_>, addresses: &[Address]) -> Vec<Reading> {
    let text = contents.text();
    let mut journal = Journal::new(addresses);
    let mut columns = Columns::default();
    let mut asked = Asked::default();
    let writer = writer_of(contents);
    for (span, words) in lines_of(text) {
        // The shortest line of any log is longer.
        if words.len() < 30 {
            continue;
        }
        if words.starts_with('#') {
            if let Some(named) = Columns::of(words) {
                columns = named;
                journal.own(span);
            }
            continue;
        }
        read_line(
            without_prefix(Line::new(text, span)),
            writer,
            &columns,
            &mut asked,
            &mut journal,
        );
    }
    let logs = journal.finish();
    let times = time::reading(text, &logs.owned);
    vec![logs, times]
}

fn writer_of(contents: &Contents<'_>) -> Writer {
    let text = contents.text();
    let head = &text[..text.floor_char_boundary(HEAD)];
    let names = |word: &&str| contents.may_hold(word) && find(head, word).is_some();
    if ["apache", "Apache", "httpd", "AH0", "[proxy:"]
        .iter()
        .any(names)
    {
        Writer::Apache
    } else if names(&"nginx") {
        Writer::Nginx
    } else {
        Writer::Unknown
    }
}

/// Gives a line to the reader of its format.
fn read_line<'a>(
    line: Line<'a>,
    writer: Writer,
    columns: &Columns<'a>,
    asked: &mut Asked<'a>,
    journal: &mut Journal<'a>,
) {
    let words = line.words();
    let bytes = words.as_bytes();
    let exchange = match bytes.first() {
        Some(b'{') => {
            let exchange = json::exchange(line, ("", ""), asked);
            if exchange.is_none()
                && let Some(status) = json::unrelated_status(line)
            {
                journal.set_aside(status);
            }
            exchange
        }
        Some(b'[') => match bytes.get(1) {
            Some(b'0'..=b'9') => envoy::exchange(line),
            _ => {
                apache_error(line, journal);
                None
            }
        },
        Some(b'h' | b'w') if is_balancer(words) => alb::exchange(line),
        Some(b'2') if bytes.get(4) == Some(&b'/') && bytes.get(7) == Some(&b'/') => {
            if bytes.get(20) == Some(&b'[') {
                nginx_error(line, journal);
                None
            } else {
                caddy_console(line, asked)
            }
        }
        Some(b'2') if bytes.get(4) == Some(&b'-') && bytes.get(7) == Some(&b'-') => {
            if bytes.get(10) == Some(&b'T') && cloudflared::is_own(words) {
                // Also what it says of the tunnel's own connections is not about the socket.
                journal.own(line.span);
            }
            dated(line, columns)
        }
        Some(_) => access::exchange(line, writer).or_else(|| haproxy_line(line)),
        None => None,
    };
    if let Some(exchange) = exchange {
        journal.take(exchange);
    }
}

fn is_balancer(words: &str) -> bool {
    ["http ", "https ", "h2 ", "ws ", "wss "]
        .iter()
        .any(|kind| {
            words
                .strip_prefix(kind)
                .is_some_and(|rest| rest.starts_with("20"))
        })
}

/// HAProxy's lines begin with the client's address and port.
fn haproxy_line(line: Line<'_>) -> Option<journal::Exchange<'_>> {
    let words = line.words().as_bytes();
    let first = memchr::memchr2(b':', b' ', words)?;
    (words[first] == b':')
        .then(|| haproxy::exchange(line))
        .flatten()
}

/// A line that begins with an ISO date.
fn dated<'a>(line: Line<'a>, columns: &Columns<'a>) -> Option<journal::Exchange<'a>> {
    let words = line.words();
    match words.as_bytes().get(10) {
        Some(b'T') if find(words, "heroku[router]").is_some() || is_router(words) => {
            heroku::exchange(line)
        }
        Some(b'T') => cloudflared::exchange(line),
        Some(b' ' | b'\t') => columns.exchange(line),
        _ => None,
    }
}

fn is_router(words: &str) -> bool {
    find(words, "router: at=").is_some() || find(words, " at=error code=H").is_some()
}

/// Caddy's console encoder: time, level, logger and message, then JSON.
fn caddy_console<'a>(line: Line<'a>, asked: &mut Asked<'a>) -> Option<journal::Exchange<'a>> {
    let words = line.words();
    let logger = find(words, "http.log.").or_else(|| find(words, "http.handlers."))?;
    let brace = memchr::memchr(b'{', words.as_bytes())?;
    if logger > brace {
        return None;
    }
    let mut exchange = json::exchange(line.from(brace), ("caddy", "caddy"), asked)?;
    exchange.line = line.span;
    if exchange.status.is_none_or(|(status, _)| status >= 500) {
        let mut message = line;
        message.span.end = line.span.start + brace;
        journal::of_go_error(&message, &mut exchange);
    }
    Some(exchange)
}

/// `2026/10/11 18:02:44 [error] 31#31: *7 connect() failed (...) ..., client: ..., request: ...`.
fn nginx_error<'a>(line: Line<'a>, journal: &mut Journal<'a>) {
    let (tail, request) = access::error_tail(&line);
    if !tail.words().is_empty() {
        journal.take_error(line.span, tail.span, request);
    }
}

/// `[Sun Oct 11 18:02:44.123456 2026] [proxy:error] [pid 1] ... AH00957: ..., referer: ...`.
fn apache_error<'a>(line: Line<'a>, journal: &mut Journal<'a>) {
    let words = line.words();
    let is_apache = words.as_bytes().get(4) == Some(&b' ') && find(words, "] [").is_some();
    if is_apache && let Some(at) = find(words, ", referer: ") {
        journal.own(line.from(at).span);
    }
}

#[cfg(test)]
mod tests;
