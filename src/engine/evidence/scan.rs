//! Walks through JSON that may be damaged: cut off, with numbers that no number can hold, with
//! halves of surrogate pairs. Nothing is built; a visitor sees every value with its path and its
//! place, so a file costs the memory of its text and no more.

use super::Span;

/// What stands for a list's element in a path.
pub(super) const ELEMENT: &str = "[]";
/// Deeper levels are passed over.
const DEEPEST: usize = 64;

/// What the walk comes upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A string, without its quotation marks.
    Text(Span),
    /// A number, `true`, `false`, `null`, or what stands in the place of one.
    Word(Span),
    /// An object or a list begins.
    Enter,
    /// An object or a list ends, or the text does.
    Leave,
}

struct Level<'a> {
    is_list: bool,
    key: &'a str,
    /// In an object: a string that comes next is a key.
    wants_key: bool,
}

/// Walks from the first bracket at or after `from` to the one that closes it. Returns the byte
/// after it; the length of the text if it is missing.
pub(super) fn walk<'a>(
    text: &'a str,
    from: usize,
    mut visit: impl FnMut(&[&'a str], Found),
) -> usize {
    let bytes = text.as_bytes();
    let mut levels: Vec<Level<'a>> = Vec::new();
    let mut path: Vec<&'a str> = Vec::new();
    let mut too_deep = 0_usize;
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' if levels.len() >= DEEPEST => {
                too_deep += 1;
                at += 1;
            }
            b'}' | b']' if too_deep > 0 => {
                too_deep -= 1;
                at += 1;
            }
            b'{' | b'[' => {
                if let Some(level) = levels.last() {
                    path.push(level.key);
                }
                visit(&path, Found::Enter);
                levels.push(Level {
                    is_list: byte == b'[',
                    key: if byte == b'[' { ELEMENT } else { "" },
                    wants_key: byte == b'{',
                });
                at += 1;
            }
            b'}' | b']' => {
                at += 1;
                // A bracket that was lost is closed with the one around it.
                let is_list = byte == b']';
                if levels.iter().any(|level| level.is_list == is_list) {
                    while let Some(level) = levels.pop() {
                        visit(&path, Found::Leave);
                        path.pop();
                        if level.is_list == is_list {
                            break;
                        }
                    }
                }
                if levels.is_empty() {
                    return at;
                }
            }
            b'"' => {
                let end = string_end(bytes, at + 1);
                let span = Span { start: at + 1, end };
                at = (end + 1).min(bytes.len());
                if too_deep > 0 {
                    continue;
                }
                match levels.last_mut() {
                    Some(level) if level.wants_key => {
                        level.key = &text[span.start..span.end];
                        level.wants_key = false;
                    }
                    Some(level) => value(&mut path, level, Found::Text(span), &mut visit),
                    None => {}
                }
            }
            b',' => {
                if too_deep == 0
                    && let Some(level) = levels.last_mut()
                {
                    level.wants_key = !level.is_list;
                }
                at += 1;
            }
            b':' | b' ' | b'\t' | b'\r' | b'\n' => at += 1,
            _ => {
                let end = memchr_any(bytes, at + 1);
                if too_deep == 0
                    && let Some(level) = levels.last_mut()
                {
                    value(
                        &mut path,
                        level,
                        Found::Word(Span { start: at, end }),
                        &mut visit,
                    );
                }
                at = end;
            }
        }
    }
    while levels.pop().is_some() {
        visit(&path, Found::Leave);
        path.pop();
    }
    bytes.len()
}

fn value<'a>(
    path: &mut Vec<&'a str>,
    level: &Level<'a>,
    found: Found,
    visit: &mut impl FnMut(&[&'a str], Found),
) {
    path.push(level.key);
    visit(path, found);
    path.pop();
}

/// Where a string that begins at `from` ends: at its quotation mark or with the text.
fn string_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(next) = memchr::memchr2(b'"', b'\\', &bytes[at..]) {
        if bytes[at + next] == b'"' {
            return at + next;
        }
        at = at + next + 2;
        if at >= bytes.len() {
            break;
        }
    }
    bytes.len()
}

/// Where a word without quotation marks ends.
fn memchr_any(bytes: &[u8], from: usize) -> usize {
    bytes[from..]
        .iter()
        .position(|byte| {
            byte.is_ascii_whitespace()
                || matches!(byte, b',' | b':' | b'"' | b'{' | b'}' | b'[' | b']')
        })
        .map_or(bytes.len(), |length| from + length)
}

/// A string's value, at most about `most` bytes of it. What is no valid escape is replaced.
pub(super) fn unescaped(text: &str, span: Span, most: usize) -> String {
    let raw = &text[span.start..span.end];
    let mut out = String::new();
    let mut letters = raw.chars();
    while let Some(letter) = letters.next() {
        if out.len() >= most {
            break;
        }
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('b' | 'f') => out.push(' '),
            Some('u') => {
                let unit = code_unit(&mut letters);
                let ahead = letters.clone();
                let pair = unit
                    .filter(|unit| (0xd800..0xdc00).contains(unit))
                    .and_then(|high| -> Option<char> {
                        let low = (letters.next() == Some('\\') && letters.next() == Some('u'))
                            .then(|| code_unit(&mut letters))
                            .flatten()
                            .filter(|low| (0xdc00..0xe000).contains(low))?;
                        char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
                    });
                if pair.is_none() {
                    letters = ahead;
                }
                out.push(
                    pair.or_else(|| unit.and_then(char::from_u32))
                        .unwrap_or(char::REPLACEMENT_CHARACTER),
                );
            }
            Some(other) => out.push(other),
            None => break,
        }
    }
    out
}

fn code_unit(letters: &mut std::str::Chars<'_>) -> Option<u32> {
    let digits = letters.as_str().get(..4)?;
    let unit = u32::from_str_radix(digits, 16).ok()?;
    letters.nth(3);
    Some(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> Vec<String> {
        let mut seen = Vec::new();
        walk(text, 0, |path, found| {
            if let Found::Text(span) | Found::Word(span) = found {
                seen.push(format!(
                    "{}={}",
                    path.join("."),
                    &text[span.start..span.end]
                ));
            }
        });
        seen
    }

    #[test]
    fn values_have_paths() {
        assert_eq!(
            seen(r#"{"a": {"b": [1, "x\"y", null]}, "c": 1e999} {"d": 1}"#),
            ["a.b.[]=1", r#"a.b.[]=x\"y"#, "a.b.[]=null", "c=1e999"]
        );
    }

    #[test]
    fn damage_does_not_stop_it() {
        assert_eq!(
            seen(r#"{"a": ["x", {"b": "cut of"#),
            ["a.[]=x", "a.[].b=cut of"]
        );
        assert_eq!(seen(r#"{"a": [{"b": 1], "c": 2}"#), ["a.[].b=1", "c=2"]);
        assert_eq!(seen(r#"{"a": "\"#), [r"a=\"]);
        assert!(seen("}]").is_empty());
    }

    #[test]
    fn every_enter_has_its_leave() {
        for text in [
            "{[{[",
            "{\"a\":[1,{\"b\":",
            &"[".repeat(500),
            "[[]]]",
            "[{]",
        ] {
            let mut depth = 0_i32;
            walk(text, 0, |_, found| match found {
                Found::Enter => depth += 1,
                Found::Leave => depth -= 1,
                _ => {}
            });
            assert_eq!(depth, 0, "{text}");
        }
    }

    #[test]
    fn escapes_are_undone() {
        let value = |raw: &str| {
            unescaped(
                raw,
                Span {
                    start: 0,
                    end: raw.len(),
                },
                100,
            )
        };
        assert_eq!(value(r"wss:\/\/a\u002eb\n"), "wss://a.b\n");
        assert_eq!(
            value(r"\ud83d\ude00 \ud83d x \ude00 \u12"),
            "😀 \u{fffd} x \u{fffd} \u{fffd}12"
        );
        assert_eq!(value(r"\ud83d\u0041"), "\u{fffd}A");
        assert_eq!(value("\\"), "");
    }
}
