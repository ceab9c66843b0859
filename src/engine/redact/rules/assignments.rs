//! Names and their values: queries, headers, JSON, settings, flags.

use super::places::{Place, Style};
use super::{Scan, is_scheme};
use crate::engine::redact::SecretKind;
use crate::engine::redact::names::{Name, classify};
use crate::engine::redact::values::{
    is_code, is_location, is_placeholder, is_prose, is_state, is_word, looks_random, looks_secret,
};

impl Scan<'_> {
    /// A name: what it says decides how its value is judged.
    pub(super) fn name(&mut self, at: usize, hit_end: usize) {
        if at < self.names_done {
            return;
        }
        let Some((start, end)) = self.identifier(at, hit_end) else {
            return;
        };
        self.names_done = end;
        let before = self.pair_before(start);
        let Some(mut place) = before.or_else(|| self.place_after(start, end)) else {
            return;
        };
        let mut name = classify(&self.text[start..end]);
        if place.style == Style::Space {
            // "Session ID: ..." is one name in two words.
            let id = self
                .bytes
                .get(end + 1..end + 3)
                .is_some_and(|id| id.eq_ignore_ascii_case(b"id"));
            if id && name == Name::Weak(SecretKind::Session) {
                let Some(further) = self.place_after(start, end + 3) else {
                    return;
                };
                if further.style == Style::Space {
                    return;
                }
                place = further;
                name = Name::Strong(SecretKind::Session);
            }
        }
        match name {
            Name::Plain => {}
            Name::Authorization => self.authorization(start, &place),
            Name::Cookie | Name::SetCookie => {
                self.cookie_name(start, &place, name == Name::SetCookie)
            }
            Name::Strong(kind) => self.strong(start, end, &place, kind),
            Name::Weak(kind) => self.weak(start, end, &place, kind),
            Name::Code => self.code(start, &place),
            Name::Id => {
                // Bounded, because most values of this name are refused.
                let from = place.value;
                let run = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
                let to = from + self.bytes[from..].iter().take(128).take_while(run).count();
                let value = self.slice(from, to);
                let mixed = value.bytes().any(|byte| byte.is_ascii_uppercase())
                    && value.bytes().any(|byte| byte.is_ascii_lowercase());
                if place.in_query
                    && place.style == Style::Equals
                    && value.len() >= 20
                    && mixed
                    && looks_random(value)
                {
                    self.claim(from, to, SecretKind::Session);
                }
            }
            Name::Login => self.login(start, &place),
        }
    }

    pub(super) fn strong(&mut self, start: usize, end: usize, place: &Place, kind: SecretKind) {
        let free = self.free_end(start, end, place, kind);
        let (from, to) = (place.value, free.unwrap_or_else(|| self.value_end(place)));
        if from >= to {
            return;
        }
        let value = self.slice(from, to);
        if !self.accepts(start, end, place, kind, value, to) {
            return;
        }
        let (scheme_end, _) = self.scheme_word(from, to);
        let to = match place.quote {
            Some(_) => to,
            None => self.wrapped_end(from, to),
        };
        self.claim(scheme_end, to, kind);
    }

    pub(super) fn accepts(
        &self,
        start: usize,
        end: usize,
        place: &Place,
        kind: SecretKind,
        value: &str,
        to: usize,
    ) -> bool {
        if value.len() > 256 {
            return true;
        }
        let password = kind == SecretKind::Password;
        if is_placeholder(value) || is_state(value) || value.starts_with(['{', '(']) {
            return false;
        }
        if is_location(value) && !(password && place.quote.is_some() && !value.contains("://")) {
            return false;
        }
        let quoted = place.quote.is_some();
        if !quoted && (self.byte(to) == b'(' || is_code(value)) {
            return false;
        }
        let digits = value.bytes().all(|byte| byte.is_ascii_digit());
        if digits
            && (value.len() < 4
                || (!quoted
                    && !place.in_query
                    && place.style == Style::Colon
                    && value.len() < 6
                    && place.value == end + 1))
        {
            return false;
        }
        if !value.bytes().any(|byte| byte.is_ascii_alphanumeric()) && value.len() < 3 {
            return false;
        }
        match place.style {
            Style::Space => {
                let before = self.byte_before(start);
                let flag = before == b'-' || self.text[start..].starts_with("--");
                let listed = before == b'[' || before == b'(';
                let header = ["header ", "set ", "Header "]
                    .iter()
                    .any(|word| self.text[..start].ends_with(word));
                let netrc = password && {
                    let back = start.saturating_sub(64);
                    self.slice(back, start).contains("login ")
                };
                // A token alone may be spoken of: "with token 3f2a...".
                if flag || netrc {
                    return !value.starts_with('-');
                }
                if listed || header || quoted || password {
                    return looks_secret(value);
                }
                return looks_random(value) && !value.contains('/');
            }
            Style::List => return looks_secret(value) || is_scheme(value),
            Style::Element => return !value.contains('<'),
            _ => {}
        }
        if place.in_query {
            return true;
        }
        // A name for a secret in the place of its value: a variable.
        if !quoted && is_word(value) && !matches!(classify(value), Name::Plain | Name::Id) {
            return false;
        }
        let spoken = !quoted
            && place.style == Style::Colon
            && self.byte(place.value.wrapping_sub(1)) == b' ';
        if spoken && is_word(value) && self.is_followed_by_word(to) {
            return false;
        }
        if self.text[..start]
            .to_ascii_lowercase_tail(12)
            .ends_with("unexpected ")
        {
            return false;
        }
        !quoted || password || !is_prose(value) || is_scheme(value)
    }

    pub(super) fn is_followed_by_word(&self, end: usize) -> bool {
        matches!(self.byte(end), b' ' | b',') && {
            let next = if self.byte(end) == b',' { end + 1 } else { end };
            self.byte(next) == b' ' && self.byte(next + 1).is_ascii_alphabetic()
        }
    }

    pub(super) fn weak(&mut self, start: usize, end: usize, place: &Place, kind: SecretKind) {
        if place.in_query && place.style == Style::Equals {
            return self.strong(start, end, place, kind);
        }
        if self.byte(place.value) == b'{' {
            // Socket.IO's `auth: { ... }`.
            return self.credentials(place.value.saturating_sub(1));
        }
        if matches!(place.style, Style::Space | Style::List | Style::Element) {
            return;
        }
        let (from, to) = (place.value, self.value_end(place));
        let value = self.slice(from, to);
        if value.len() > 256 && !value.contains(' ')
            || (looks_random(value)
                && !is_prose(value)
                && !is_location(value)
                && !is_placeholder(value))
        {
            self.claim(from, to, kind);
        }
    }

    /// `code=` is a secret in the URL of a login and a status everywhere else.
    pub(super) fn code(&mut self, start: usize, place: &Place) {
        if !place.in_query || place.style != Style::Equals {
            return;
        }
        let (from, to) = (place.value, self.value_end(place));
        let value = self.slice(from, to);
        if value.len() < 6 || is_placeholder(value) || is_state(value) {
            return;
        }
        let around = self
            .slice(start.saturating_sub(200), (to.min(start + 512)) + 100)
            .to_ascii_lowercase();
        let login = [
            "callback", "oauth", "login", "signin", "sign-in", "auth", "redirect", "state=",
        ]
        .iter()
        .any(|word| around.contains(word));
        if login || looks_random(value) || value.len() > 256 {
            self.claim(from, to, SecretKind::Token);
        }
    }

    /// A STOMP frame's `login:`, which stands beside a `passcode:`.
    pub(super) fn login(&mut self, start: usize, place: &Place) {
        if place.style != Style::Colon {
            return;
        }
        let around = self
            .slice(start.saturating_sub(160), place.value + 200)
            .to_ascii_lowercase();
        if !around.contains("passcode") {
            return;
        }
        let (from, to) = (place.value, self.value_end(place));
        let value = self.slice(from, to);
        if !is_placeholder(value) && !is_state(value) && value.len() <= 256 {
            self.claim(from, to, SecretKind::Login);
        }
    }
}

/// The end of a text in lower case, without lowering all of it.
trait LowerTail {
    fn to_ascii_lowercase_tail(&self, count: usize) -> String;
}

impl LowerTail for str {
    fn to_ascii_lowercase_tail(&self, count: usize) -> String {
        self[self.floor_char_boundary(self.len().saturating_sub(count))..].to_ascii_lowercase()
    }
}
