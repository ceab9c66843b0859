//! A recording cut down to what matters in it, before anything else reads it.
//!
//! A HAR file of a minute weighs 50 MB and holds every token that the page knew; of that, the
//! WebSockets and the requests that failed beside them tell something. So every recording in a
//! text is written anew with those alone, as valid JSON in one shape, and only this is redacted,
//! read, stored and shown. What was left out cannot leak.

use std::borrow::Cow;

use super::recording::{Kind, next_recording};
use super::{Span, har, netlog, report};

/// Stands first in a condensed recording. One that has it is kept as it is, so that condensing
/// twice changes nothing.
const COMMENT: &str = "Only WebSockets and requests that failed beside them are kept.";

/// The text with every recording in it condensed.
pub fn condensed(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut out = String::new();
    let mut copied = 0;
    let mut from = 0;
    while let Some((kind, start)) = next_recording(text, from) {
        if text[start..].starts_with(&kind.beginning()) {
            from = super::scan::walk(text, start, |_, _| {});
            continue;
        }
        let mut writer = Writer::new(text);
        from = match kind {
            Kind::Archive => har::condense(&mut writer, start),
            Kind::NetworkLog => netlog::condense(&mut writer, start),
            Kind::Report => report::condense(&mut writer, start),
        };
        out.push_str(&text[copied..start]);
        out.push_str(&writer.out);
        copied = from;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

impl Kind {
    /// How a condensed recording begins.
    fn beginning(self) -> String {
        let mut writer = Writer::new("");
        self.begin(&mut writer);
        writer.out
    }

    /// Writes the beginning of a condensed recording, with its comment.
    pub(super) fn begin(self, writer: &mut Writer<'_>) {
        writer.open(None, '{');
        if self == Kind::Archive {
            writer.open(Some("log"), '{');
        }
        let comment = match self {
            Kind::Archive | Kind::NetworkLog => COMMENT,
            Kind::Report => report::COMMENT,
        };
        writer.own("comment", comment);
    }
}

/// A value of the recording: where it stands and whether it is a string.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    pub(super) span: Span,
    pub(super) is_text: bool,
}

/// Writes JSON, one member a line.
pub(super) struct Writer<'a> {
    source: &'a str,
    out: String,
    open: Vec<char>,
    is_first: bool,
}

impl<'a> Writer<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        Writer {
            source,
            out: String::new(),
            open: Vec::new(),
            is_first: true,
        }
    }

    pub(super) fn source(&self) -> &'a str {
        self.source
    }

    /// Begins an object or a list.
    pub(super) fn open(&mut self, key: Option<&str>, bracket: char) {
        if !self.open.is_empty() {
            self.line();
        }
        if let Some(key) = key {
            self.key(key);
        }
        self.out.push(bracket);
        self.open.push(if bracket == '{' { '}' } else { ']' });
        self.is_first = true;
    }

    /// Ends the innermost object or list.
    pub(super) fn close(&mut self) {
        let Some(bracket) = self.open.pop() else {
            return;
        };
        if !self.is_first {
            self.out.push('\n');
            self.indent();
        }
        self.out.push(bracket);
        self.is_first = false;
    }

    pub(super) fn close_all(&mut self) {
        while !self.open.is_empty() {
            self.close();
        }
    }

    /// A member whose value is known here; neither needs escapes.
    pub(super) fn own(&mut self, key: &str, value: &str) {
        self.line();
        self.key(key);
        self.out.push('"');
        self.out.push_str(value);
        self.out.push('"');
    }

    /// A number known here under a key that needs no escapes.
    pub(super) fn number(&mut self, key: &str, value: i64) {
        self.line();
        self.key(key);
        self.out.push_str(&value.to_string());
    }

    /// A member of the recording; of a string at most about `most` bytes.
    pub(super) fn member(&mut self, key: &str, value: Option<Value>, most: usize) {
        if let Some(value) = value {
            self.line();
            self.key(key);
            self.value(value, most);
        }
    }

    /// An element of a list.
    pub(super) fn element(&mut self, value: Value, most: usize) {
        self.line();
        self.value(value, most);
    }

    /// Several members as one object on one line.
    pub(super) fn row(&mut self, members: &[(&str, Option<Value>)], most: usize) {
        self.line();
        self.out.push('{');
        let mut separator = "";
        for (key, value) in members {
            if let Some(value) = value {
                self.out.push_str(separator);
                self.key(key);
                self.value(*value, most);
                separator = ", ";
            }
        }
        self.out.push('}');
    }

    fn line(&mut self) {
        if !self.is_first {
            self.out.push(',');
        }
        self.is_first = false;
        self.out.push('\n');
        self.indent();
    }

    fn indent(&mut self) {
        for _ in 0..self.open.len() {
            self.out.push_str("  ");
        }
    }

    fn key(&mut self, key: &str) {
        self.out.push('"');
        self.out.push_str(key);
        self.out.push_str("\": ");
    }

    fn value(&mut self, value: Value, most: usize) {
        let raw = cut(&self.source[value.span.start..value.span.end], most);
        let is_word = !value.is_text && is_json_word(raw);
        if is_word {
            self.out.push_str(raw);
        } else {
            self.out.push('"');
            mend(raw, &mut self.out);
            self.out.push('"');
        }
    }
}

/// The beginning of a string of at most `most` bytes. The word that the cut would divide goes
/// whole, because half of a secret is not recognised as one.
fn cut(raw: &str, most: usize) -> &str {
    if raw.len() <= most {
        return raw;
    }
    raw[..raw.floor_char_boundary(most)]
        .trim_end_matches(|letter: char| {
            !letter.is_whitespace() && !matches!(letter, '"' | '\'' | ',' | ';' | '<' | '>' | '\\')
        })
        .trim_end_matches('\\')
}

/// Whether JSON allows the word without quotation marks.
fn is_json_word(word: &str) -> bool {
    if matches!(word, "true" | "false" | "null") {
        return true;
    }
    let digits = |text: &str| -> usize { text.bytes().take_while(u8::is_ascii_digit).count() };
    let rest = word.strip_prefix('-').unwrap_or(word);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.starts_with('0')) {
        return false;
    }
    let mut rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix('.') {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = &fraction[length..];
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let length = digits(exponent);
        return length > 0 && length == exponent.len();
    }
    rest.is_empty()
}

/// Copies what stands between quotation marks, and makes escapes of what JSON does not allow
/// there: raw line breaks of a wrapped paste, a backslash that escapes nothing.
fn mend(raw: &str, out: &mut String) {
    let mut letters = raw.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '"' => out.push_str("\\\""),
            '\u{0}'..='\u{1f}' => out.push_str("\\u0020"),
            '\\' => {
                let rest = letters.as_str();
                let is_unicode = rest.strip_prefix('u').is_some_and(|digits| {
                    digits.len() >= 4 && digits.bytes().take(4).all(|byte| byte.is_ascii_hexdigit())
                });
                let is_short = rest.starts_with(['"', '\\', '/', 'b', 'f', 'n', 'r', 't']);
                out.push('\\');
                if is_unicode || is_short {
                    out.extend(letters.next());
                } else {
                    out.push('\\');
                }
            }
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_json() {
        for word in ["0", "-1", "1.5", "1e999", "1.25E-3", "true", "null", "100"] {
            assert!(is_json_word(word), "{word}");
        }
        for word in ["", "-", "01", "1.", ".5", "1e", "NaN", "undefined", "0x1"] {
            assert!(!is_json_word(word), "{word}");
        }
    }

    #[test]
    fn a_cut_divides_no_word() {
        assert_eq!(cut("token eyJhbGciOi.eyJzdWIi", 12), "token ");
        assert_eq!(cut(r"say \u00e9t\u00e9", 9), "say ");
        assert_eq!(cut("short", 9), "short");
        assert_eq!(cut("onewordalone", 5), "");
    }

    #[test]
    fn strings_become_valid() {
        let mut out = String::new();
        mend("a\nb\\x \\u12 \\\" \\ud83d \\", &mut out);
        let text: String = format!("\"{out}\"").replace("\\ud83d", "");
        assert_eq!(
            serde_json::from_str::<String>(&text).ok().as_deref(),
            Some("a\nb\\x \\u12 \"  \\")
        );
    }
}
