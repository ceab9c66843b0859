//! The ways in which one value can be written.

use std::collections::BTreeSet;

use super::{SecretKind, values};

/// One way in which a found value may occur elsewhere in the text.
pub(super) struct Form {
    pub(super) bytes: Vec<u8>,
    kind: FormKind,
    shortened: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum FormKind {
    /// Written as it is, perhaps with escapes; needs a boundary on both sides when short.
    Plain {
        bounded: bool,
        word: bool,
    },
    /// A stretch of Base64 that holds the value: the whole run goes.
    Base64,
    Hex,
}

impl Form {
    /// What a hit takes with it, or nothing when it only resembles the value.
    pub(super) fn extent(
        &self,
        text: &str,
        start: usize,
        end: usize,
        floor: usize,
    ) -> Option<(usize, usize)> {
        let bytes = text.as_bytes();
        match self.kind {
            FormKind::Plain { bounded, word } => {
                let after = bytes.get(end).copied().unwrap_or(b' ');
                if bounded
                    && (!boundary_before(bytes, start)
                        || (after.is_ascii_alphanumeric() && !self.shortened))
                {
                    return None;
                }
                let before = start.checked_sub(1).map_or(b' ', |index| bytes[index]);
                // Hosts and paths survive: a password may be an ordinary word.
                if word
                    && (matches!(before, b'/' | b'.' | b'-' | b'@')
                        || matches!(after, b'.' | b'/' | b'-'))
                {
                    return None;
                }
                let mut end = end;
                if self.shortened {
                    while end < bytes.len() && is_token_byte(bytes[end]) {
                        end += 1;
                    }
                }
                Some((start, end))
            }
            FormKind::Base64 | FormKind::Hex => {
                let run = |byte: u8| match self.kind {
                    FormKind::Hex => byte.is_ascii_hexdigit(),
                    _ => {
                        byte.is_ascii_alphanumeric()
                            || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
                    }
                };
                let mut from = start;
                while self.kind == FormKind::Base64
                    && from > floor
                    && start - from < 4096
                    && run(bytes[from - 1])
                    && bytes[from - 1] != b'='
                {
                    from -= 1;
                }
                let mut to = end;
                while to < bytes.len()
                    && run(bytes[to])
                    && (self.kind == FormKind::Base64 || self.shortened)
                {
                    to += 1;
                }
                // A path around the value is not part of it.
                if self.kind == FormKind::Base64 {
                    let slash =
                        |range: &[u8]| range.iter().filter(|byte| **byte == b'/').count() > 4;
                    if slash(&bytes[from..start]) {
                        from = start;
                    }
                }
                Some((from, to))
            }
        }
    }
}

/// Cuts a long pattern to its beginning.
pub(super) fn shorten(bytes: &mut Vec<u8>, limit: usize) {
    bytes.truncate(limit);
}

/// The forms worth searching for; none for a value that is too short or too ordinary.
pub(super) fn forms(
    kind: SecretKind,
    identity: &str,
    raw: Option<&str>,
    encoded: bool,
) -> Vec<Form> {
    let mut seen: BTreeSet<Vec<u8>> = BTreeSet::new();
    let mut out = Vec::new();
    let mut add = |bytes: Vec<u8>, form: FormKind, least: usize| {
        if bytes.len() >= least && seen.insert(bytes.clone()) {
            let shortened = bytes.len() > super::PATTERN_BYTES;
            out.push(Form {
                bytes,
                kind: form,
                shortened,
            });
        }
    };
    let long_enough = is_worth_searching(kind, identity);
    let plain = FormKind::Plain {
        bounded: identity.len() < 20,
        word: kind == SecretKind::Email || values::is_word(identity),
    };
    let local = match kind {
        SecretKind::Email => identity.split('@').next().unwrap_or(identity),
        _ => identity,
    };
    if long_enough {
        if let Some(raw) = raw {
            add(raw.as_bytes().to_vec(), plain, 5);
        }
        add(local.as_bytes().to_vec(), plain, 5);
    }
    if !encoded || identity.len() < 6 || values::is_common(identity) || identity.len() > 16_384 {
        return out;
    }
    if long_enough {
        for all in [false, true] {
            for upper in [true, false] {
                let once = percent_encoded(local, all, upper);
                add(percent_encoded(&once, all, upper).into_bytes(), plain, 8);
                add(once.into_bytes(), plain, 5);
            }
        }
        for escaped in escaped(local) {
            add(escaped.into_bytes(), plain, 5);
        }
    }
    for alphabet in [STANDARD, URL_SAFE] {
        for skip in 0..3 {
            add(
                base64_inside(identity.as_bytes(), skip, alphabet),
                FormKind::Base64,
                8,
            );
        }
    }
    for upper in [true, false] {
        add(
            hex(identity.as_bytes(), upper).into_bytes(),
            FormKind::Hex,
            12,
        );
    }
    out
}

/// Removing `abc` everywhere would destroy the text, so short and ordinary values stay.
fn is_worth_searching(kind: SecretKind, value: &str) -> bool {
    if kind == SecretKind::Email {
        let local = value.split('@').next().unwrap_or_default();
        return local.len() >= 8 && local.contains(|c: char| !c.is_ascii_alphabetic());
    }
    if values::is_common(value) || values::is_location(value) {
        return false;
    }
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let mixed = value.bytes().any(|byte| byte.is_ascii_digit())
        && value.bytes().any(|byte| byte.is_ascii_alphabetic());
    match value.len() {
        _ if digits => value.len() >= 12,
        0..=4 => false,
        5..=7 => mixed && kind == SecretKind::Password,
        _ => true,
    }
}

/// What a value is, however it was written: percent-encoding and escapes undone.
pub(super) fn decoded(raw: &str) -> String {
    let mut value = raw.to_owned();
    for _ in 0..3 {
        if !value.contains('%') {
            break;
        }
        let next = percent_encoding::percent_decode_str(&value)
            .decode_utf8_lossy()
            .into_owned();
        if next == value {
            break;
        }
        value = next;
    }
    for _ in 0..3 {
        if !value.contains('\\') {
            break;
        }
        let next = unescaped(&value);
        if next == value {
            break;
        }
        value = next;
    }
    value
}

/// What a value may be when one or two levels of escapes are undone.
pub(super) fn unescaped_stepwise(raw: &str) -> Vec<String> {
    let once = unescaped(raw);
    let twice = unescaped(&once);
    vec![once, twice]
}

fn unescaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let Some(next) = after.chars().next() else {
            out.push('\\');
            rest = "";
            break;
        };
        let code = after
            .get(1..5)
            .filter(|_| next == 'u')
            .and_then(|hex| u32::from_str_radix(hex, 16).ok())
            .and_then(char::from_u32);
        match (next, code) {
            (_, Some(character)) => {
                out.push(character);
                rest = &after[5..];
                continue;
            }
            ('n', _) => out.push('\n'),
            ('r', _) => out.push('\r'),
            ('t', _) => out.push('\t'),
            (other, _) => out.push(other),
        }
        rest = &after[next.len_utf8()..];
    }
    out.push_str(rest);
    out
}

fn percent_encoded(value: &str, all: bool, upper: bool) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        let kept = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'_' | b'.' | b'~')
            || (!all && matches!(byte, b'!' | b'*' | b'\'' | b'(' | b')'));
        if kept {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&hex(&[byte], upper));
        }
    }
    out
}

/// As JSON strings, HTML and shells write it.
fn escaped(value: &str) -> Vec<String> {
    let json = value.replace('\\', "\\\\").replace('"', "\\\"");
    let twice = json.replace('\\', "\\\\").replace('"', "\\\"");
    let html = value
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;");
    let mut unicode = String::new();
    for character in value.chars() {
        if character.is_ascii_alphanumeric()
            || matches!(character, '-' | '_' | '.' | '~' | '/' | ' ')
        {
            unicode.push(character);
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                unicode.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    let angle = json
        .replace('&', "\\u0026")
        .replace('<', "\\u003c")
        .replace('>', "\\u003e");
    vec![
        json.replace('/', "\\/"),
        json,
        twice,
        html.replace('\'', "&#39;"),
        html,
        angle,
        unicode,
    ]
}

fn hex(bytes: &[u8], upper: bool) -> String {
    let digits = if upper {
        b"0123456789ABCDEF"
    } else {
        b"0123456789abcdef"
    };
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        out.push(char::from(digits[usize::from(byte >> 4)]));
        out.push(char::from(digits[usize::from(byte & 15)]));
    }
    out
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The characters that depend on the value alone when `skip` other bytes precede it.
fn base64_inside(value: &[u8], skip: usize, alphabet: &[u8; 64]) -> Vec<u8> {
    let bits = value.len() * 8;
    // The first character whose six bits all lie inside the value.
    let lead = (6 - (skip * 8) % 6) % 6;
    let mut out = Vec::with_capacity(value.len() * 4 / 3);
    let mut position = lead;
    while position + 6 <= bits {
        let index = position / 8;
        let wide =
            u16::from(value[index]) << 8 | u16::from(value.get(index + 1).copied().unwrap_or(0));
        let six = (wide >> (10 - position % 8)) & 63;
        out.push(alphabet[usize::from(six)]);
        position += 6;
    }
    out
}

/// Reads both alphabets of Base64, with or without padding.
pub(in crate::engine) fn base64_decoded(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let mut buffer = 0_u32;
    let mut filled = 0;
    for byte in text.trim_end_matches('=').bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        buffer = (buffer << 6 | u32::from(six)) & 0xff_ffff;
        filled += 6;
        if filled >= 8 {
            filled -= 8;
            out.push((buffer >> filled & 0xff) as u8);
        }
    }
    Some(out)
}

/// Whether a value can start here: not in the middle of a word, unless that word is the tail of
/// an escape such as `%3D`, `\n` or `\u0026`.
pub(super) fn boundary_before(bytes: &[u8], start: usize) -> bool {
    let Some(before) = start.checked_sub(1) else {
        return true;
    };
    if !bytes[before].is_ascii_alphanumeric() {
        return true;
    }
    let back = |count: usize| start.checked_sub(count).map(|index| bytes[index]);
    back(3) == Some(b'%') && bytes[start - 2..start].iter().all(u8::is_ascii_hexdigit)
        || back(5) == Some(b'%') && bytes[start - 4..start - 2] == *b"25"
        || back(2) == Some(b'\\') && matches!(bytes[before], b'n' | b'r' | b't')
        || back(6) == Some(b'\\') && bytes[start - 5] == b'u'
        || back(4) == Some(b'\\') && bytes[start - 3] == b'x'
}

/// What tokens are made of.
pub(super) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'+' | b'/' | b'=' | b'%')
}
