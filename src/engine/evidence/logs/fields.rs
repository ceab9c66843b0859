//! A line of a log cut into its fields: words, `"quoted"`, `[bracketed]`, and what writers of
//! logs put in front of a line.

use super::super::Span;
use super::super::reading::between_spaces;

/// A field of a line and where it stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Field<'a> {
    /// Without its quotation marks or brackets.
    pub(super) words: &'a str,
    pub(super) span: Span,
    /// What it began with: `"`, `[`, or 0 for a plain word.
    pub(super) mark: u8,
}

impl Field<'_> {
    /// Whether it says that there is nothing.
    pub(super) fn is_none(&self) -> bool {
        matches!(self.words, "" | "-")
    }

    /// A status of HTTP.
    pub(super) fn status(&self) -> Option<(u16, Span)> {
        let status: u16 = self.words.parse().ok().filter(|_| self.words.len() == 3)?;
        (100..1000).contains(&status).then_some((status, self.span))
    }

    /// A number of units, in seconds.
    pub(super) fn seconds(&self, units_per_second: f64) -> Option<(f64, Span)> {
        let number: f64 = self.words.trim_start_matches('+').parse().ok()?;
        (number.is_finite() && number >= 0.0).then_some((number / units_per_second, self.span))
    }

    /// A duration with its units, `1m0.5s`, in seconds.
    pub(super) fn written_seconds(&self) -> Option<(f64, Span)> {
        let is_written =
            self.words.ends_with('s') && self.words.starts_with(|it: char| it.is_ascii_digit());
        let seconds = is_written.then(|| super::super::seconds(self.words))??;
        Some((seconds, self.span))
    }
}

/// A line, or what is left of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    text: &'a str,
    pub(super) span: Span,
}

impl<'a> Line<'a> {
    /// A stretch of a text.
    pub(super) fn new(text: &'a str, span: Span) -> Self {
        Line { text, span }
    }

    /// What is left.
    pub(super) fn words(&self) -> &'a str {
        self.text
            .get(self.span.start..self.span.end)
            .unwrap_or_default()
    }

    /// Leaves out bytes at the beginning, and the space after them.
    pub(super) fn advance(&mut self, bytes: usize) {
        let rest = self.words().get(bytes..).unwrap_or_default();
        let rest = rest.trim_start_matches(' ');
        self.span.start = self.span.end - rest.len();
    }

    /// What stands from a byte of it on.
    pub(super) fn from(&self, bytes: usize) -> Line<'a> {
        let mut rest = *self;
        rest.advance(bytes);
        rest
    }

    /// A part of it as a field; `part` must be cut out of it.
    pub(super) fn field(&self, start: usize, end: usize) -> Field<'a> {
        Field {
            words: self.words().get(start..end).unwrap_or_default(),
            span: Span {
                start: self.span.start + start,
                end: self.span.start + end,
            },
            mark: 0,
        }
    }

    /// The value behind `name` up to the next of `ends` (or the line's end); in quotation marks,
    /// without them.
    pub(super) fn value(&self, name: &str, ends: &[char]) -> Option<Field<'a>> {
        let start = find(self.words(), name)? + name.len();
        let mut rest = *self;
        rest.span.start += start;
        if rest.words().starts_with('"') {
            return rest.next();
        }
        let length = rest.words().find(ends).unwrap_or(rest.words().len());
        Some(rest.field(0, length))
    }
}

/// The fields one after the other. A quoted field ends at the next quotation mark that is not
/// escaped; one without an end goes to the end of the line.
impl<'a> Iterator for Line<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        self.advance(0);
        let words = self.words();
        let bytes = words.as_bytes();
        let mark = *bytes.first()?;
        let (start, end, next) = match mark {
            b'"' => {
                let end = quote_end(bytes, 1);
                (1, end, end + 1)
            }
            b'[' => {
                let end = memchr::memchr(b']', bytes).unwrap_or(bytes.len());
                (1, end, end + 1)
            }
            _ => {
                let end = memchr::memchr2(b' ', b'\t', bytes).unwrap_or(bytes.len());
                (0, end, end)
            }
        };
        let field = Field {
            mark: if start == 1 { mark } else { 0 },
            ..self.field(start, end)
        };
        self.span.start += next.min(bytes.len());
        if self.words().starts_with('\t') {
            self.span.start += 1;
        }
        Some(field)
    }
}

fn quote_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(next) = bytes
        .get(at..)
        .and_then(|rest| memchr::memchr2(b'"', b'\\', rest))
    {
        if bytes[at + next] == b'"' {
            return at + next;
        }
        at += next + 2;
    }
    bytes.len()
}

/// Where a few words stand in a line.
pub(super) fn find(line: &str, words: &str) -> Option<usize> {
    memchr::memmem::find(line.as_bytes(), words.as_bytes())
}

/// What a method, a target and a version are written as: `GET /ws HTTP/1.1`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    /// Path and query, or a whole address.
    pub(super) target: &'a str,
    pub(super) target_span: Span,
    pub(super) version: &'a str,
    pub(super) version_span: Span,
}

impl<'a> Request<'a> {
    /// Reads a request line; `None` if it is none.
    pub(super) fn of(field: Field<'a>) -> Option<Self> {
        let (method, rest) = field.words.split_once(' ')?;
        if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        let (target, version) = match rest.rsplit_once(' ') {
            Some((target, version)) if version.starts_with("HTTP/") => (target, version),
            _ => (rest, ""),
        };
        let start = field.span.start + method.len() + 1;
        let end = field.span.end;
        Some(Request {
            method,
            target,
            target_span: Span {
                start,
                end: start + target.len(),
            },
            version,
            version_span: Span {
                start: end - version.len(),
                end,
            },
        })
    }
}

/// Leaves out what stands in front of a line's own words: journald's and syslog's time, host and
/// program, docker's and compose's, PM2's, kubectl's.
pub(super) fn without_prefix(line: Line<'_>) -> Line<'_> {
    let mut rest = line;
    for _ in 0..3 {
        match prefix(rest.words()) {
            Some(length) if length > 0 => rest.advance(length),
            _ => break,
        }
    }
    rest
}

fn prefix(words: &str) -> Option<usize> {
    let bytes = words.as_bytes();
    match bytes.first()? {
        b'[' if words.starts_with("[pod/") => after(words, "] "),
        b'<' => {
            // A priority of syslog.
            let end = memchr::memchr(b'>', bytes.get(..6)?)?;
            (bytes.get(1)?.is_ascii_digit()).then_some(end + 1)
        }
        b'0'..=b'9' => iso_prefix(words).or_else(|| pipe_prefix(words)),
        first if first.is_ascii_alphabetic() => syslog_prefix(words).or_else(|| pipe_prefix(words)),
        _ => None,
    }
}

fn after(words: &str, mark: &str) -> Option<usize> {
    let window = words.as_bytes().get(..words.len().min(200))?;
    memchr::memmem::find(window, mark.as_bytes()).map(|at| at + mark.len())
}

/// `app-1  | ` of docker compose, `0|app  | ` of PM2.
fn pipe_prefix(words: &str) -> Option<usize> {
    let window = words.as_bytes().get(..words.len().min(64))?;
    let bar = between_spaces(window, b'|')?;
    let name = std::str::from_utf8(&window[..bar]).ok()?.trim_end();
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'|'));
    is_name.then_some(bar + 3)
}

/// `2026-10-11T18:02:44.123456789Z ` of `docker logs -t`, and journald's and rsyslog's with host
/// and program behind it.
fn iso_prefix(words: &str) -> Option<usize> {
    let bytes = words.as_bytes();
    let is_iso = bytes.len() > 24
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && bytes[10] == b'T'
        && bytes[13] == b':';
    if !is_iso {
        return None;
    }
    let time = memchr::memchr(b' ', &bytes[..bytes.len().min(42)])?;
    let rest = words.get(time + 1..)?;
    if let Some(program) = program_prefix(rest) {
        return Some(time + 1 + program);
    }
    let goes_on = rest.starts_with(['{', '[', '*', '/', '<'])
        || iso_prefix(rest).is_some()
        || pipe_prefix(rest).is_some()
        || rest
            .as_bytes()
            .first()
            .is_some_and(|byte| byte.is_ascii_digit() || rest.starts_with('-'))
        || ["http ", "https ", "ws ", "wss ", "h2 "]
            .iter()
            .any(|kind| rest.starts_with(kind))
        || find(&rest[..rest.floor_char_boundary(200)], " - ").is_some();
    goes_on.then_some(time + 1)
}

/// `Oct 11 18:02:44 host nginx[123]: `.
fn syslog_prefix(words: &str) -> Option<usize> {
    let bytes = words.as_bytes();
    let is_syslog = bytes.len() > 18
        && bytes[3] == b' '
        && bytes[6] == b' '
        && bytes[9] == b':'
        && bytes[12] == b':';
    if !is_syslog {
        return None;
    }
    let time = 3 + 13 + memchr::memchr(b' ', &bytes[15..])?;
    let rest = words.get(time..)?;
    Some(time + program_prefix(rest)?)
}

/// `host nginx[123]: `.
fn program_prefix(words: &str) -> Option<usize> {
    let colon = after(words, ": ")?;
    let before = words.get(..colon - 2)?;
    let mut parts = before.split(' ');
    let (host, program) = (parts.next()?, parts.next()?);
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.[]/".contains(&byte))
    };
    // nginx itself writes `host nginx: ` without a number, others put one in brackets.
    (parts.next().is_none()
        && is_name(host)
        && is_name(program)
        && (program.ends_with(']') || program.bytes().all(|byte| byte.is_ascii_lowercase())))
    .then_some(colon)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line<'_> {
        Line::new(
            text,
            Span {
                start: 0,
                end: text.len(),
            },
        )
    }

    #[test]
    fn fields_keep_their_places() {
        let text = r#"a [b c] "GET /\"x HTTP/1.1"  7 "cut"#;
        let fields: Vec<&str> = line(text).map(|field| field.words).collect();
        assert_eq!(fields, ["a", "b c", r#"GET /\"x HTTP/1.1"#, "7", "cut"]);
        for field in line(text) {
            assert_eq!(&text[field.span.start..field.span.end], field.words);
        }
    }

    #[test]
    fn prefixes_are_left_out() {
        let own = r#"203.0.113.7 - - [11/Oct/2026:18:02:44 +0000] "GET / HTTP/1.1" 200 5"#;
        for prefix in [
            "",
            "nginx-1  | ",
            "0|app  | ",
            "Oct 11 18:02:44 web-1 nginx[123]: ",
            "Oct  1 18:02:44 web-1 nginx: ",
            "<190>Oct 11 18:02:44 web-1 nginx: ",
            "2026-10-11T18:02:44.123456789Z ",
            "2026-10-11T18:02:44+00:00 web-1 nginx[1]: ",
            "[pod/web-7c9/nginx] ",
            "proxy-1  | 2026-10-11T18:02:44.123456789Z ",
        ] {
            let text = format!("{prefix}{own}");
            assert_eq!(without_prefix(line(&text)).words(), own, "{prefix}");
        }
        for other in [
            "2026-10-11T18:02:44Z ERR  error=\"x: y\"",
            "2026-10-11T18:02:44+00:00 heroku[router]: at=info",
            "Error: x",
        ] {
            assert_eq!(without_prefix(line(other)).words(), other);
        }
    }
}
