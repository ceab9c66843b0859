//! The exchanges of a text: requests and answers as curl prints them, in their order.
//!
//! <https://curl.se/docs/manpage.html#-v>

use super::{Address, Line, Output, Span, ip};

/// Names and values of headers with their places.
pub(super) type Headers<'a> = Vec<(&'a str, &'a str, Span)>;

/// A request as `curl -v` prints it.
#[derive(Clone, Debug, Default)]
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) target: &'a str,
    pub(super) headers: Headers<'a>,
}

/// An answer with the request before it.
#[derive(Debug)]
pub(super) struct Exchange<'a> {
    pub(super) request: Option<Request<'a>>,
    /// The address of the curl command that stands before it.
    pub(super) command: Option<&'a Address>,
    /// The address that curl says it is connected to is this machine's own.
    pub(super) is_local: bool,
    pub(super) is_encrypted: bool,
    pub(super) status: u16,
    /// Where the connection or the request before it begins.
    pub(super) begin: usize,
    pub(super) line: Line<'a>,
    pub(super) headers: Headers<'a>,
    /// An empty line ended the headers, so that what is missing is missing.
    pub(super) is_whole: bool,
    /// The first line after the headers.
    pub(super) body: Option<Line<'a>>,
    /// The line above says that it ought to come.
    pub(super) is_expected: bool,
    /// It follows the answer before it at once, as with `curl -L`.
    pub(super) is_follow_up: bool,
}

/// The part of a line behind curl's mark, and the mark.
pub(super) fn unmarked(text: &str) -> (char, &str) {
    let text = text.trim();
    // The progress meter has no newline at its end.
    let text = match memchr::memchr(b'*', text.as_bytes()) {
        Some(_) => text.find("*   Trying ").map_or(text, |at| &text[at..]),
        None => text,
    };
    for mark in ['<', '>', '*'] {
        if let Some(rest) = text.strip_prefix(mark)
            && (rest.is_empty() || rest.starts_with(' '))
        {
            return (mark, rest.trim());
        }
    }
    (' ', text)
}

/// `HTTP/1.1 101 Switching Protocols`: the status.
fn status_of(text: &str) -> Option<u16> {
    let rest = text.strip_prefix("HTTP/")?;
    let (version, rest) = rest.split_once(' ')?;
    if version.is_empty() || version.len() > 3 {
        return None;
    }
    let status = rest.split_whitespace().next()?;
    (status.len() == 3).then(|| status.parse().ok()).flatten()
}

/// `Name: value` of a header, not a sentence.
fn header_of(line: Line<'_>) -> Option<(&str, &str, Span)> {
    let (_, text) = unmarked(line.text);
    let (name, value) = text.split_once(':')?;
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    is_name.then(|| (name, value.trim(), line.span_of(text)))
}

/// The exchanges in the order of the text.
pub(super) fn exchanges<'a>(output: &Output<'a>, addresses: &'a [Address]) -> Vec<Exchange<'a>> {
    let mut found: Vec<Exchange<'a>> = Vec::new();
    let mut request: Option<Request<'a>> = None;
    let (mut command, mut is_local, mut is_encrypted) = (None, false, false);
    let mut begin = 0;
    let mut is_in_headers = false;
    let mut after_blank = false;
    let mut heading = "";
    for line in output.lines() {
        let (mark, text) = unmarked(line.text);
        if let Some(status) = status_of(text).filter(|_| mark != '>' && mark != '*') {
            found.push(Exchange {
                request: request.take(),
                command,
                is_local,
                is_encrypted,
                status,
                begin,
                line: *line,
                headers: Vec::new(),
                is_whole: false,
                body: None,
                is_expected: says_expected(heading),
                is_follow_up: after_blank,
            });
            heading = "";
            (is_in_headers, after_blank) = (true, false);
            continue;
        }
        if mark == ' ' && !text.is_empty() && !text.starts_with("```") {
            heading = text;
        }
        match mark {
            '>' => {
                if let Some((method, target)) = request_line(text) {
                    request = Some(Request {
                        method,
                        target,
                        headers: Vec::new(),
                    });
                } else if let Some(request) = &mut request {
                    request.headers.extend(header_of(*line));
                }
                is_in_headers = false;
            }
            '*' => {
                if text.starts_with("Trying ") {
                    (request, is_encrypted, begin) = (None, false, line.start);
                }
                if text.starts_with("Trying ") || text.starts_with("Connected to ") {
                    is_local = is_loopback(text);
                }
                is_encrypted |= text.starts_with("SSL connection using");
                if text.starts_with("Issue another request") {
                    after_blank = true;
                }
            }
            _ if is_in_headers => {
                let Some(last) = found.last_mut() else {
                    continue;
                };
                if let Some(header) = header_of(*line) {
                    last.headers.push(header);
                } else {
                    last.is_whole = text.is_empty();
                    is_in_headers = false;
                    after_blank = text.is_empty();
                }
            }
            _ => {
                if is_command(text) {
                    command = addresses
                        .iter()
                        .find(|address| {
                            address.span.start >= line.start
                                && address.span.end <= line.start + line.text.len()
                        })
                        .or(command);
                    is_local = false;
                    after_blank = false;
                } else if !text.is_empty() && after_blank {
                    after_blank = false;
                    if let Some(last) = found.last_mut() {
                        last.body = last.body.or(Some(*line));
                    }
                }
            }
        }
    }
    found
}

/// Whether a line announces what ought to come: "Expected response:", "A good answer looks like this:".
fn says_expected(heading: &str) -> bool {
    let lower = heading.to_lowercase();
    let is_heading = heading.len() <= 80 && heading.ends_with(':') && !heading.contains("://");
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    is_heading
        && has(&[
            "expect",
            "should",
            "good ",
            "correct",
            "example of",
            "erwartet",
            "sollte",
        ])
        && !has(&[
            "unexpect", "but ", "got", "actual", "instead", "not ", "n't ",
        ])
}

fn request_line(text: &str) -> Option<(&str, &str)> {
    let mut words = text.split_whitespace();
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    (version.starts_with("HTTP/") && method.bytes().all(|byte| byte.is_ascii_uppercase()))
        .then_some((method, target))
}

fn is_command(text: &str) -> bool {
    text.split_whitespace()
        .take(4)
        .any(|word| matches!(word, "curl" | "curl.exe"))
        && text.contains("://")
}

/// Whether curl's line names a loopback address: `Trying 127.0.0.1:3000...`,
/// `Connected to localhost (127.0.0.1) port 3000`.
fn is_loopback(text: &str) -> bool {
    text.split([' ', '(', ')'])
        .filter_map(|word| {
            let word = word.trim_end_matches("...");
            ip(word).or_else(|| word.rsplit_once(':').and_then(|(host, _)| ip(host)))
        })
        .any(|address| address.is_loopback())
}

impl<'a> Exchange<'a> {
    pub(super) fn header(&self, name: &str) -> Option<(&'a str, Span)> {
        header(&self.headers, name)
    }

    pub(super) fn asks_for_upgrade(&self) -> Option<bool> {
        let request = self.request.as_ref()?;
        Some(
            header(&request.headers, "upgrade").is_some()
                || header(&request.headers, "sec-websocket-key").is_some(),
        )
    }
}

pub(super) fn header<'a>(headers: &Headers<'a>, name: &str) -> Option<(&'a str, Span)> {
    headers
        .iter()
        .find(|(known, _, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value, span)| (*value, *span))
}
