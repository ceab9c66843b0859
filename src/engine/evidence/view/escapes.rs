//! Escapes in the strings of JSON lines: RFC 8259, section 7.

use super::Edit;

/// Finds the escapes of the lines that hold JSON.
pub(super) fn find(text: &str) -> Vec<Edit> {
    let bytes = text.as_bytes();
    let mut edits = Vec::new();
    let mut line_end = 0;
    let mut kind = Kind::Other;
    let mut done = 0;
    for at in memchr::memchr_iter(b'\\', bytes) {
        if at >= line_end {
            let start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |newline| newline + 1);
            line_end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end);
            kind = Kind::of(&bytes[start..line_end]);
        }
        if at < done {
            continue;
        }
        let count = bytes[at..]
            .iter()
            .take_while(|byte| **byte == b'\\')
            .count();
        done = at + count;
        if let Some(edit) = escape_at(bytes, at, count, kind) {
            done = edit.end;
            edits.push(edit);
        }
    }
    edits
}

/// What a line holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// JSON in a string of JSON.
    Nested,
    Json,
    Other,
}

impl Kind {
    fn of(line: &[u8]) -> Self {
        let has = |words: &[u8]| memchr::memmem::find(line, words).is_some();
        if has(b"\\\\\\\"") {
            Kind::Nested
        } else if has(b"\":") || has(b"\" :") || has(b"\\\":") {
            Kind::Json
        } else {
            Kind::Other
        }
    }
}

/// Names of the escapes of four hexadecimal digits that encoders write for letters of URLs and
/// of pages, which need none.
const BY_NUMBER: &[(&[u8], &str)] = &[
    (b"0026", "&"),
    (b"003c", "<"),
    (b"003e", ">"),
    (b"003d", "="),
    (b"0027", "'"),
    (b"0022", "\""),
    (b"002f", "/"),
    (b"0020", " "),
    (b"00a0", " "),
    (b"000a", "\n"),
    (b"2018", "'"),
    (b"2019", "'"),
    (b"201c", "\""),
    (b"201d", "\""),
];

/// The escape that begins there with so many backslashes.
fn escape_at(bytes: &[u8], at: usize, count: usize, kind: Kind) -> Option<Edit> {
    let letter = at + count;
    let edit = |with, length| {
        Some(Edit {
            start: at,
            end: letter + length,
            with,
        })
    };
    let next = *bytes.get(letter)?;
    if next == b'/' && (kind != Kind::Other || is_after_scheme(bytes, at)) {
        return edit("/", 1);
    }
    if kind == Kind::Other {
        return None;
    }
    // An even number of backslashes in plain JSON is one of its own, as in a Windows path.
    let is_escape = count % 2 == 1 || kind == Kind::Nested;
    match next {
        b'"' if is_escape => edit("\"", 1),
        b'\'' if is_escape => edit("'", 1),
        b'n' | b'r' if is_escape => edit("\n", 1),
        b't' if is_escape => edit("\t", 1),
        b'u' if is_escape => {
            let digits = bytes.get(letter + 1..letter + 5)?;
            let (_, with) = BY_NUMBER
                .iter()
                .find(|(number, _)| number.eq_ignore_ascii_case(digits))?;
            edit(with, 5)
        }
        _ => None,
    }
}

/// Whether the slashes of an address stand there: `wss:\/\/`.
fn is_after_scheme(bytes: &[u8], at: usize) -> bool {
    let before = &bytes[..at];
    [
        &b"wss:"[..],
        b"ws:",
        b"wss:\\/",
        b"ws:\\/",
        b"http:",
        b"https:",
        b"http:\\/",
        b"https:\\/",
    ]
    .iter()
    .any(|scheme| before.ends_with(scheme))
}
