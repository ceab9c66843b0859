//! Values that end with their line or at white space: settings, YAML, flags, connection strings.
//!
//! Elsewhere a bracket or a bar ends a value, because it belongs to the text around. Here it is
//! part of the password.

use super::Scan;
use super::places::{Place, Style};
use crate::engine::redact::SecretKind;
use crate::engine::redact::names::is_variable;

impl Scan<'_> {
    /// Where the value of the name `start..end` ends, when only white space ends it.
    pub(super) fn free_end(
        &self,
        start: usize,
        end: usize,
        place: &Place,
        kind: SecretKind,
    ) -> Option<usize> {
        let from = place.value;
        if place.quote.is_some() || place.in_query || place.encoded {
            return None;
        }
        if matches!(self.byte(from), b'<' | b'{' | b'[' | b'(' | b'$') {
            return None;
        }
        let before = self.byte_before(start);
        let in_list = before == b';' && place.style == Style::Equals;
        let is_free = match place.style {
            _ if in_list => true,
            Style::Equals => {
                is_variable(self.slice(start, end))
                    && (before.is_ascii_whitespace() || matches!(before, 0 | b'"' | b'\''))
            }
            Style::Colon => {
                self.begins_line(start) || self.slice(from.saturating_sub(7), from) == "value: "
            }
            Style::Space => before == b'-' || kind == SecretKind::Password,
            _ => false,
        };
        if !is_free {
            return None;
        }
        let mut to = from;
        while to < self.bytes.len() && !self.ends_free(to, in_list) {
            to += 1;
        }
        let value = self.slice(from, to);
        let is_call = value.split_once('(').is_some_and(|(name, _)| {
            name.bytes()
                .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.'))
        });
        if is_call || value.contains("{{") || value.contains("${") {
            return None;
        }
        Some(self.without_closers(from, to))
    }

    /// Whether nothing but indentation or a list's dash stands before it on its line.
    fn begins_line(&self, start: usize) -> bool {
        let head = &self.bytes[start.saturating_sub(64)..start];
        if head.ends_with(b"\\n") {
            return true;
        }
        let head = head.trim_ascii_end();
        let bare = &self.bytes[start.saturating_sub(64) + head.len()..start];
        let head = head.strip_suffix(b"-").unwrap_or(head);
        let line = memchr::memrchr(b'\n', head).map_or(head, |at| &head[at + 1..]);
        bare.contains(&b'\n')
            || line.trim_ascii().is_empty() && (line.len() < head.len() || start <= 64)
    }

    fn ends_free(&self, at: usize, in_list: bool) -> bool {
        let byte = self.bytes[at];
        let next = self.byte(at + 1);
        match byte {
            byte if byte.is_ascii_whitespace() || byte.is_ascii_control() => true,
            b'"' | b'`' | b'<' | b'>' => true,
            b'\'' => !in_list || !next.is_ascii_alphanumeric(),
            b'\\' => next != b'/',
            b';' if in_list => true,
            b'[' => self.is_in_mark(at),
            b',' | b';' | b'&' => self.is_next_pair(at + 1),
            0xe2 | 0xc2 => self.is_typographic(at),
            _ => false,
        }
    }

    /// Without the punctuation and the brackets that something before the value opened.
    fn without_closers(&self, from: usize, mut to: usize) -> usize {
        loop {
            to = self.trimmed(from, to);
            let open = match self.byte_before(to) {
                b')' => b'(',
                b']' => b'[',
                b'}' => b'{',
                _ => return to,
            };
            if to <= from + 1 || self.bytes[from..to].contains(&open) {
                return to;
            }
            to -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::redact::redact;

    #[track_caller]
    fn becomes(text: &str, redacted: &str) {
        assert_eq!(redact(text).text, redacted);
    }

    #[test]
    fn brackets_and_bars_are_part_of_a_setting() {
        becomes(
            "DB_PASSWORD=x4}Z5[c|9)q\nA=b",
            "DB_PASSWORD=[password:1]\nA=b",
        );
        becomes("  passcode: a1(b)c|d\n", "  passcode: [password:1]\n");
        becomes(
            "[\"A=b\", \"DB_PASSWORD=x4}Z5\"]",
            "[\"A=b\", \"DB_PASSWORD=[password:1]\"]",
        );
        becomes(
            "User ID=bob;Password=a1]b|2;Encrypt=true",
            "User ID=bob;Password=[password:1];Encrypt=true",
        );
        becomes(
            "--requirepass a1{b2&c --port 1",
            "--requirepass [password:1] --port 1",
        );
    }

    #[test]
    fn brackets_around_a_value_stay() {
        becomes(
            "f({\n  password: abc123def})",
            "f({\n  password: [password:1]})",
        );
        becomes("token: getToken(\"abc\")", "token: getToken(\"abc\")");
        becomes("API_TOKEN=$(cat token)", "API_TOKEN=$(cat token)");
        becomes(
            "password: {{ vault.password }}",
            "password: {{ vault.password }}",
        );
    }

    #[test]
    fn a_list_of_cookies_hides_nothing_inside_it() {
        let token = "d37143ac5fa7d77c4b07255678f8b706d1bad3a9";
        let text = format!(
            "\"cookies\": [\nSec-WebSocket-Protocol: bearer, {token}\n{{\"name\":\"a\",\"value\":\"b1c2d3e4\"}}]"
        );
        assert!(!redact(&text).text.contains(token));
    }

    #[test]
    fn a_long_setting_does_not_take_the_next() {
        let token = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        becomes(
            &format!("API_TOKEN={token}\nGIT_COMMIT=3f349ec9\n"),
            "API_TOKEN=[token:1]\nGIT_COMMIT=3f349ec9\n",
        );
    }
}
