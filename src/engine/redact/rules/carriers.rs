//! Where WebSocket clients put tokens: lists of subprotocols and objects of credentials.

use super::Scan;
use super::places::Style;
use crate::engine::redact::SecretKind;
use crate::engine::redact::encodings::is_token_byte;
use crate::engine::redact::values::{
    is_location, is_placeholder, is_prose, is_subprotocol, looks_random,
};

impl Scan<'_> {
    /// The values of an object that exists to carry credentials: random ones go, whatever their
    /// names.
    pub(super) fn credentials(&mut self, from: usize) {
        let window = (from + 64).min(self.bytes.len());
        let Some(open) =
            memchr::memchr(b'{', &self.bytes[from..window]).map(|offset| from + offset)
        else {
            // `40{"` ends behind its brace.
            let back = from.saturating_sub(3);
            if let Some(open) = memchr::memrchr(b'{', &self.bytes[back..from]) {
                self.random_values(back + open);
            }
            return;
        };
        let back = from.saturating_sub(3);
        let open =
            memchr::memchr(b'{', &self.bytes[back..from]).map_or(open, |offset| back + offset);
        self.random_values(open);
    }

    pub(super) fn random_values(&mut self, open: usize) {
        if open < self.objects_done {
            return;
        }
        let done = self.done;
        for (from, to, is_value) in self.strings_in(open, 4096) {
            let value = self.slice(from, to);
            if is_value
                && looks_random(value)
                && !is_location(value)
                && !is_prose(value)
                && !is_placeholder(value)
                && !value.starts_with('[')
            {
                self.found_unordered(from, to);
            }
        }
        // Named values inside were not judged yet.
        self.done = done;
    }

    /// Claims a value without moving on, because names around it are still to be judged.
    pub(super) fn found_unordered(&mut self, from: usize, to: usize) {
        let done = std::mem::take(&mut self.done);
        self.claim(from, to, SecretKind::Token);
        self.done = done;
    }

    /// The quoted strings of a JSON-like object or list with whether each is a value, up to the
    /// matching bracket.
    pub(super) fn strings_in(&mut self, open: usize, limit: usize) -> Vec<(usize, usize, bool)> {
        let mut out = Vec::new();
        let mut depth = 0_usize;
        let mut index = open;
        let end = self.bytes.len().min(open + limit);
        let mut is_value = false;
        while index < end {
            match self.bytes[index] {
                b'{' | b'[' => {
                    if self.is_in_mark(index) {
                        index += 1;
                        continue;
                    }
                    depth += 1;
                    is_value = false;
                }
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        break;
                    }
                }
                b':' => is_value = true,
                b',' => is_value = false,
                b'"' | b'\'' => {
                    let Some((quote, length)) = self.quote_at(index) else {
                        index += 1;
                        continue;
                    };
                    let mut quote = quote;
                    quote.slashes = self.slashes_before(index, 16);
                    let from = index + length;
                    let Some(close) = self.closing(from, &quote, end) else {
                        index += 1;
                        continue;
                    };
                    out.push((from, close, is_value));
                    index = close + quote.slashes;
                }
                _ => {}
            }
            index += 1;
        }
        self.objects_done = self.objects_done.max(index);
        out
    }

    /// A list of subprotocols: tokens in it go, names stay and are a fact.
    pub(super) fn subprotocols(&mut self, start: usize, end: usize) {
        let flag_end = end - usize::from(matches!(self.byte(end - 1), b' ' | b'='));
        let Some(place) = self.place_after(start, flag_end) else {
            return;
        };
        let is_flag = self.bytes[start..end].starts_with(b"--");
        if place.style == Style::Space && !is_flag {
            return;
        }
        let from = place.value;
        let to = match place.quote {
            Some(_) => self.value_end(&place),
            None if is_flag => self.value_end(&place),
            None => self.line_value_end(start, from),
        };
        let to = to.min(from + 65_536);
        if start < self.lists_done {
            return;
        }
        self.lists_done = to;
        let text = self.text;
        let mut offered = Vec::new();
        let mut secrets = Vec::new();
        let mut after_carrier = false;
        let mut position = from;
        for item in self.slice(from, to).split(',') {
            let lead = item.len() - item.trim_start().len();
            let name = item.trim();
            let at = position + lead;
            position += item.len() + 1;
            if name.is_empty() {
                continue;
            }
            let skip = carrier_prefix(name);
            if is_placeholder(name) || name.contains(' ') {
                after_carrier = false;
            } else if skip > 0 && name.len() > skip {
                secrets.push((at + skip, at + name.len()));
                after_carrier = false;
            } else if (after_carrier && !is_subprotocol(name) && !is_carrier(name))
                || name.starts_with("eyJ")
                || (looks_random(name) && !is_subprotocol(name))
            {
                secrets.push((at, at + name.len()));
                after_carrier = false;
            } else {
                if !name.starts_with('[') {
                    offered.push(name.to_owned());
                }
                after_carrier = is_carrier(name);
            }
        }
        let offered = offered.join(", ");
        for (from, to) in secrets {
            if text
                .get(from..to)
                .is_some_and(|value| !is_placeholder(value))
            {
                self.claim_with(
                    from,
                    to,
                    SecretKind::Token,
                    vec![("subprotocol.offered", offered.clone())],
                );
            }
        }
    }
}

impl Scan<'_> {
    /// Chromium quotes a subprotocol that it refuses: `The subprotocol '...' is invalid.`
    pub(super) fn refused_protocol(&mut self, from: usize) {
        let window = self.bytes.len().min(from + 4096);
        let Some(length) = memchr::memchr2(b'\'', b'\n', &self.bytes[from..window]) else {
            return;
        };
        let value = self.slice(from, from + length).trim_end();
        if looks_random(value) && !is_subprotocol(value) {
            self.claim(from, from + value.len(), SecretKind::Token);
        }
    }

    /// The element of a list of subprotocols that follows one which announces a token:
    /// `['bearer', '...']`, `-s bearer -s ...`.
    pub(super) fn carried(&mut self, end: usize) {
        let rest = self.slice(end, end + 24);
        let Some(gap) = ["', '", "','", "\", \"", "\",\"", " -s ", " --subprotocol "]
            .iter()
            .find(|gap| rest.starts_with(**gap))
        else {
            return;
        };
        let from = end + gap.len();
        let run = |byte: &&u8| is_token_byte(**byte);
        let to = from + self.bytes[from..].iter().take_while(run).count();
        let value = self.slice(from, to);
        if looks_random(value) && !is_subprotocol(value) && !is_placeholder(value) {
            self.claim(from, to, SecretKind::Token);
        }
    }
}

/// A subprotocol after which the next one is a token.
fn is_carrier(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    matches!(
        lower.as_str(),
        "authentication" | "basic" | "ticket" | "key" | "csrf" | "session"
    ) || lower.len() <= 32
        && [
            "bearer",
            "token",
            "authorization",
            "jwt",
            "auth",
            "apikey",
            "api_key",
            "api-key",
            "secret",
        ]
        .iter()
        .any(|end| lower.ends_with(end))
}

/// How much of a subprotocol stands before the token in it.
fn carrier_prefix(name: &str) -> usize {
    const PREFIXES: &[&str] = &[
        "base64url.bearer.authorization.k8s.io.",
        "openai-insecure-api-key.",
        "authorization.bearer.",
        "authorization-",
        "authorization.",
        "access_token.",
        "access_token-",
        "access-token-",
        "bearer-",
        "bearer.",
        "bearer_",
        "token-",
        "token.",
        "token_",
        "jwt-",
        "jwt.",
        "jwt_",
        "auth-",
        "auth.",
        "apikey-",
        "apikey.",
        "api-key-",
        "api_key-",
        "header-authorization-",
    ];
    let lower = name.to_ascii_lowercase();
    PREFIXES
        .iter()
        .filter(|prefix| lower.starts_with(**prefix))
        .map(|prefix| prefix.len())
        .max()
        .unwrap_or(0)
}
