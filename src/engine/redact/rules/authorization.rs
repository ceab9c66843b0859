//! Credentials behind a scheme: Authorization headers, `Bearer` and `Basic` anywhere, SASL,
//! `-u name:password`.

use super::places::{Place, Style};
use super::{Hidden, Scan, is_scheme_name};
use crate::engine::redact::SecretKind;
use crate::engine::redact::encodings::{base64_decoded, boundary_before, decoded, is_token_byte};
use crate::engine::redact::names::{Name, classify};
use crate::engine::redact::values::{
    is_code, is_location, is_placeholder, is_state, is_word, looks_random, looks_secret,
};

impl Scan<'_> {
    /// The value of an Authorization header: a scheme stays, credentials go.
    pub(super) fn authorization(&mut self, start: usize, place: &Place) {
        let from = place.value;
        if place.style == Style::Element || matches!(self.byte(from), b'{' | b'$') {
            return;
        }
        let to = match place.quote {
            Some(_) => self.value_end(place),
            None => self.line_value_end(start, from),
        };
        let (credentials, scheme) = self.scheme_word(from, to);
        if let Some(scheme) = scheme {
            let rest_of_line = matches!(
                scheme.as_str(),
                "digest" | "hawk" | "hmac" | "signature" | "oauth" | "mac"
            ) || scheme.starts_with("aws4");
            let end = if rest_of_line {
                to
            } else {
                let mut end = credentials;
                while end < to && !self.bytes[end].is_ascii_whitespace() && self.bytes[end] != b','
                {
                    end += 1;
                }
                self.wrapped_end(credentials, self.trimmed(credentials, end))
            };
            let value = self.slice(credentials, end);
            let status =
                is_state(value) || value.starts_with("realm=") || value.starts_with("error=");
            if credentials < end && !is_placeholder(value) && !status {
                self.hide_basic(&scheme, credentials, end);
                let kind = if scheme == "basic" {
                    SecretKind::Password
                } else {
                    SecretKind::Token
                };
                self.claim(credentials, end, kind);
            }
            return;
        }
        let mut end = from;
        while end < to && !self.bytes[end].is_ascii_whitespace() && self.bytes[end] != b',' {
            end += 1;
        }
        let end = self.trimmed(from, end);
        let value = self.slice(from, end);
        let random = looks_secret(value) || looks_random(value);
        let accepted = match place.style {
            Style::Space | Style::List => random,
            _ => random || !self.is_followed_by_word(end),
        };
        let plain = is_placeholder(value)
            || is_state(value)
            || is_location(value)
            || is_code(value)
            || self.byte(end) == b'('
            || (place.quote.is_none() && is_word(value) && !matches!(classify(value), Name::Plain))
            || is_scheme_name(value);
        if from < end && accepted && (!plain || value.len() > 256) {
            let end = self.wrapped_end(from, end);
            self.claim(from, end, SecretKind::Token);
        }
    }

    /// Skips a leading scheme such as `Bearer `; gives the credentials' start and the scheme.
    pub(super) fn scheme_word(&self, from: usize, to: usize) -> (usize, Option<String>) {
        let head = self.slice(from, to.min(from + 32));
        let length = head
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
            .count();
        if !is_scheme_name(&head[..length]) {
            return (from, None);
        }
        let rest = &head[length..];
        let gap = if rest.starts_with("%20") {
            3
        } else if rest.starts_with("%2520") {
            5
        } else if rest.starts_with("\\u0020") {
            6
        } else {
            rest.bytes()
                .take_while(|byte| matches!(byte, b' ' | b'+' | b'\t'))
                .count()
        };
        if gap == 0 {
            return (from, None);
        }
        (
            (from + length + gap).min(to),
            Some(head[..length].to_ascii_lowercase()),
        )
    }

    /// The password inside a Basic credential is searched for everywhere, too.
    pub(super) fn hide_basic(&mut self, scheme: &str, from: usize, to: usize) {
        if scheme != "basic" || to - from > 1024 {
            return;
        }
        let value = decoded(self.slice(from, to));
        let Some(plain) = base64_decoded(&value).and_then(|bytes| String::from_utf8(bytes).ok())
        else {
            return;
        };
        if let Some((_, password)) = plain.split_once(':') {
            self.found.hidden.push(Hidden {
                kind: SecretKind::Password,
                value: password.to_owned(),
            });
        }
    }

    /// `Bearer` and `Basic` with credentials, wherever they stand.
    pub(super) fn scheme(&mut self, start: usize, hit_end: usize) {
        if !boundary_before(self.bytes, start) {
            return;
        }
        let basic = self.bytes[start..hit_end].eq_ignore_ascii_case(b"basic ");
        let scheme_end = if basic { hit_end - 1 } else { hit_end };
        let mut from = scheme_end;
        for gap in ["%20", "%2520", "\\u0020", "&#32;"] {
            if self.bytes[from..].starts_with(gap.as_bytes()) {
                from += gap.len();
                break;
            }
        }
        if from == scheme_end {
            while from < scheme_end + 4 && matches!(self.byte(from), b' ' | b'+' | b'\t') {
                from += 1;
            }
        }
        if from == scheme_end || self.byte(from) == b'-' {
            self.carried(scheme_end);
            return;
        }
        let mut to = from;
        while to < self.bytes.len() && is_token_byte(self.bytes[to]) {
            to += 1;
        }
        let to = self.trimmed(from, to);
        let value = self.slice(from, to);
        let parameter = value.len() < 24
            && value.ends_with('=')
            && matches!(self.byte(to), b'"' | b'\'' | b'\\');
        if value.is_empty()
            || parameter
            || (value.len() <= 256
                && (is_placeholder(value) || is_state(value) || is_code(value) && value.len() < 24))
        {
            return;
        }
        let quote = self.byte_before(start);
        let alone = matches!(quote, b'"' | b'\'' | b'`') && self.byte(to) == quote;
        let certain = if basic {
            base64_decoded(value)
                .is_some_and(|plain| plain.contains(&b':') && std::str::from_utf8(&plain).is_ok())
        } else {
            looks_random(value)
                || looks_secret(value)
                || value.len() >= 20 && !value.contains('/')
                || (alone && value != "token" && value != "auth")
        };
        if certain {
            self.hide_basic(if basic { "basic" } else { "bearer" }, from, to);
            let end = self.wrapped_end(from, to);
            self.claim(
                from,
                end,
                if basic {
                    SecretKind::Password
                } else {
                    SecretKind::Token
                },
            );
        } else if value.len() > 256 {
            self.done = self.done.max(to);
        }
    }

    /// `-u name:password`.
    pub(super) fn user_flag(&mut self, end: usize) {
        let quote = self.byte(end.wrapping_sub(1));
        let (from, quote) = match (quote, self.byte(end)) {
            (b'"' | b'\'', _) => (end, Some(quote)),
            (_, next @ (b'"' | b'\'')) => (end + 1, Some(next)),
            _ => (end, None),
        };
        let mut to = from;
        while to < self.bytes.len() && to - from < 1024 {
            let byte = self.bytes[to];
            if byte == b'\n'
                || quote.map_or(
                    byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\''),
                    |quote| byte == quote,
                )
            {
                break;
            }
            to += 1;
        }
        let Some(colon) = memchr::memchr(b':', &self.bytes[from..to]) else {
            return;
        };
        let value = self.slice(from + colon + 1, to);
        let numeric = self
            .slice(from, to)
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b':');
        if !value.is_empty() && !numeric && !is_placeholder(value) && !value.starts_with("//") {
            self.claim(from + colon + 1, to, SecretKind::Password);
        }
    }

    /// A flag that gives a password to one tool: `mosquitto_sub -P`, `redis-cli -a`.
    pub(super) fn password_flag(&mut self, tool: &str, start: usize, end: usize) {
        if tool == "mosquitto" && self.byte(end - 2) == b'p' {
            return;
        }
        let before = self.slice(start.saturating_sub(400), start);
        let line = before.rsplit('\n').next().unwrap_or_default();
        if !line.contains(tool) {
            return;
        }
        let (from, quote) = match self.byte(end) {
            quote @ (b'"' | b'\'') => (end + 1, Some(quote)),
            _ => (end, None),
        };
        let ends = |byte: &u8| {
            *byte == b'\n'
                || quote.map_or_else(|| byte.is_ascii_whitespace(), |quote| *byte == quote)
        };
        let length = self.bytes[from.min(self.bytes.len())..].iter().take(1024);
        let to = from + length.take_while(|byte| !ends(byte)).count();
        if from < to && !is_placeholder(self.slice(from, to)) {
            self.claim(from, to, SecretKind::Password);
        }
    }

    /// `PLAIN` of SASL with its Base64 of name and password.
    pub(super) fn sasl_plain(&mut self, end: usize) {
        let mut from = end;
        while from < end + 8
            && matches!(
                self.byte(from),
                b' ' | b'"' | b'\'' | b'>' | b',' | b':' | b'\n' | b'\r'
            )
        {
            from += 1;
        }
        if from == end {
            return;
        }
        let mut to = from;
        while to < self.bytes.len()
            && to - from < 1024
            && (self.bytes[to].is_ascii_alphanumeric()
                || matches!(self.bytes[to], b'+' | b'/' | b'='))
        {
            to += 1;
        }
        if to - from < 6 {
            return;
        }
        let Some(plain) = base64_decoded(self.slice(from, to)) else {
            return;
        };
        let parts: Vec<&[u8]> = plain.split(|byte| *byte == 0).collect();
        if parts.len() != 3 || parts[2].is_empty() {
            return;
        }
        if let Ok(password) = std::str::from_utf8(parts[2]) {
            self.found.hidden.push(Hidden {
                kind: SecretKind::Password,
                value: password.to_owned(),
            });
        }
        self.claim(from, to, SecretKind::Password);
    }
}
