//! The keys and values of an object in a script, wherever it stands in a text.

use super::string_end;
use crate::engine::evidence::Span;

/// Deeper objects are passed over.
const DEEPEST: usize = 16;
/// More settings are not read.
const MOST_SETTINGS: usize = 2000;

/// A key with its value: a string, a word or a number, or a whole list.
#[derive(Debug)]
pub(super) struct Setting<'a> {
    /// The keys around it, outermost first, and its own.
    pub(super) path: Vec<&'a str>,
    /// As written, without the quotes of a string.
    pub(super) value: &'a str,
    /// The value with its quotes or brackets.
    pub(super) span: Span,
}

impl Setting<'_> {
    pub(super) fn ends_with(&self, keys: &[&str]) -> bool {
        self.path.ends_with(keys)
    }

    /// Whether a script works it out, so that its value is not in the text.
    pub(super) fn is_computed(&self, text: &str) -> bool {
        !matches!(
            text.as_bytes().get(self.span.start),
            Some(b'"' | b'\'' | b'[' | b'0'..=b'9')
        ) && !matches!(self.value, "true" | "false")
    }
}

/// Where the reader is.
#[derive(Debug, Default)]
struct Reader<'a> {
    /// The keys of the braces and brackets that are open, and the list that a bracket is.
    open: Vec<(&'a str, Option<usize>)>,
    /// A key whose value has not begun.
    key: Option<&'a str>,
    found: Vec<Setting<'a>>,
}

impl<'a> Reader<'a> {
    fn add(&mut self, span: Span, value: &'a str) -> Option<usize> {
        let key = self.key.take()?;
        if self.open.len() >= DEEPEST || self.found.len() >= MOST_SETTINGS {
            return None;
        }
        let around = self.open.iter().map(|(key, _)| *key);
        self.found.push(Setting {
            path: around.filter(|key| !key.is_empty()).chain([key]).collect(),
            value,
            span,
        });
        Some(self.found.len() - 1)
    }

    fn open(&mut self, text: &'a str, at: usize) {
        let key = self.key.unwrap_or_default();
        let span = Span {
            start: at,
            end: at + 1,
        };
        let list = match text.as_bytes().get(at) {
            Some(b'[') => self.add(span, &text[at..=at]),
            _ => None,
        };
        self.key = None;
        self.open.push((key, list));
    }

    fn close(&mut self, text: &'a str, at: usize) {
        self.key = None;
        let list = self.open.pop().and_then(|(_, list)| list);
        if let Some(setting) = list.and_then(|list| self.found.get_mut(list)) {
            setting.span.end = at + 1;
            setting.value = &text[setting.span.start..=at];
        }
    }
}

/// The settings of a text, in its order. Comments hold none.
pub(super) fn settings(text: &str) -> Vec<Setting<'_>> {
    let bytes = text.as_bytes();
    let mut reader = Reader::default();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => at = super::line_end(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                let end = memchr::memmem::find(&bytes[at..], b"*/");
                at = end.map_or(bytes.len(), |end| at + end + 2);
            }
            b'{' | b'[' | b'(' => {
                reader.open(text, at);
                at += 1;
            }
            b'}' | b']' | b')' => {
                reader.close(text, at);
                at += 1;
            }
            quote @ (b'"' | b'\'' | b'`') => match string_end(bytes, at, quote) {
                Some(end) => at = word(text, at, end + 1, 1, &mut reader),
                None => at += 1,
            },
            byte if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') => {
                let length = bytes[at..]
                    .iter()
                    .take_while(|byte| {
                        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'.')
                    })
                    .count();
                at = word(text, at, at + length, 0, &mut reader);
            }
            byte => {
                if !byte.is_ascii_whitespace() {
                    reader.key = None;
                }
                at += 1;
            }
        }
    }
    reader.found
}

/// A word or a string: a key if a colon follows, else perhaps a key's value. Where to read on.
fn word<'a>(
    text: &'a str,
    start: usize,
    end: usize,
    quotes: usize,
    reader: &mut Reader<'a>,
) -> usize {
    let Some(inner) = text.get(start + quotes..end - quotes) else {
        return end;
    };
    let rest = &text[end..];
    let spaces = rest.len() - rest.trim_start().len();
    // The colon of an address makes no key.
    let is_key = rest[spaces..].starts_with(':') && !rest.starts_with("://");
    if reader.key.is_none() && is_key {
        reader.key = Some(inner);
        return end + spaces + 1;
    }
    reader.add(Span { start, end }, inner);
    end
}
