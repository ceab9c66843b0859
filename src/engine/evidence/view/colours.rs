//! The sequences with which programs colour a terminal, as such or as other programs print them.
//!
//! ECMA-48 5.4: a control sequence is ESC `[`, parameters, and a final letter. Log collectors and
//! browsers' consoles print the ESC as `^[`, `\x1b`, `\u001b`, `\033`, `#033` or not at all.

use super::Edit;

/// How ESC is written where it is printed.
const PRINTED_ESCAPES: &[&[u8]] = &[
    b"\x1b",
    b"^[",
    b"\\x1b",
    b"\\x1B",
    b"\\u001b",
    b"\\u001B",
    b"\\033",
    b"\\e",
    b"#033",
    b"#x1B",
    b"\\u{1b}",
    "␛".as_bytes(),
    "\u{fffd}".as_bytes(),
];

/// More parameters than this are no colour.
const LONGEST_PARAMETERS: usize = 24;

/// Finds the control sequences of a text.
pub(super) fn find(text: &str, edits: &mut Vec<Edit>) {
    let bytes = text.as_bytes();
    for bracket in memchr::memchr_iter(b'[', bytes) {
        if let Some(edit) = sequence_at(bytes, bracket) {
            edits.push(edit);
        }
    }
    for escape in memchr::memchr_iter(b'\x1b', bytes) {
        if let Some(end) = other_sequence_end(bytes, escape) {
            edits.push(Edit::remove(escape, end));
        }
    }
}

/// The control sequence whose bracket stands there.
fn sequence_at(bytes: &[u8], bracket: usize) -> Option<Edit> {
    let after = &bytes[bracket + 1..];
    let length = after
        .iter()
        .take(LONGEST_PARAMETERS)
        .position(|byte| !matches!(byte, b'0'..=b'9' | b';' | b'?' | b':'))?;
    let last = *after.get(length)?;
    if !last.is_ascii_alphabetic() {
        return None;
    }
    let end = bracket + 1 + length + 1;
    let before = &bytes[..bracket];
    let escape = PRINTED_ESCAPES
        .iter()
        .find(|written| before.ends_with(written));
    match escape {
        Some(written) => {
            // Regular expressions look alike: `^[[A-Z]`.
            let is_known = last == b'm' || last == b'K' || length > 0;
            is_known.then(|| Edit::remove(bracket - written.len(), end))
        }
        None => {
            let parameters = &after[..length];
            let is_colour = last == b'm' && is_colour(parameters);
            (is_colour && bytes.get(end) != Some(&b']')).then(|| Edit::remove(bracket, end))
        }
    }
}

/// Whether parameters select a colour or a style: without ESC, other brackets look alike.
fn is_colour(parameters: &[u8]) -> bool {
    parameters.split(|byte| *byte == b';').all(|part| {
        matches!(
            part,
            b"0" | b"00" | b"1" | b"01" | b"2" | b"3" | b"4" | b"7" | b"22" | b"23" | b"24" | b"27"
        ) || matches!(part, [b'3' | b'4' | b'9', digit] if digit.is_ascii_digit())
            || matches!(part, [b'1', b'0', b'0'..=b'7'])
    })
}

/// Where a sequence that is not a control sequence ends: the title of a window, a link, a
/// character set.
fn other_sequence_end(bytes: &[u8], escape: usize) -> Option<usize> {
    match bytes.get(escape + 1)? {
        b'[' => None,
        b']' => {
            let body = &bytes[escape + 2..bytes.len().min(escape + 2 + 2048)];
            let end = body
                .iter()
                .position(|byte| matches!(byte, b'\x07' | b'\x1b' | b'\n'))?;
            let at = escape + 2 + end;
            match (bytes.get(at), bytes.get(at + 1)) {
                (Some(b'\x07'), _) => Some(at + 1),
                (Some(b'\x1b'), Some(b'\\')) => Some(at + 2),
                _ => None,
            }
        }
        b'(' | b')' if bytes.get(escape + 2).is_some_and(u8::is_ascii_alphanumeric) => {
            Some(escape + 3)
        }
        b'7' | b'8' | b'=' | b'>' | b'\\' => Some(escape + 2),
        _ => None,
    }
}
