//! The first pass: the places in which secrets sit.
//!
//! One automaton looks for trigger words; only where one stands does a rule look closer. A rule
//! either claims what it read, so that no later trigger reads it again, or reads a bounded
//! stretch: that keeps the work linear on any text.

mod places;
mod shapes;

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::encodings::{base64_decoded, boundary_before, decoded, is_token_byte};
use super::names::{Name, classify};
use super::values::{
    is_code, is_location, is_placeholder, is_prose, is_state, is_subprotocol, is_uuid, is_word,
    looks_random, looks_secret,
};
use super::{Mark, SecretKind, ceil_boundary, floor_boundary};
use places::{Place, Style};

/// A stretch of the text that is a secret.
pub(super) struct Claim {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: SecretKind,
    /// The secret with its encodings undone; equal secrets get equal marks.
    pub(super) identity: String,
    pub(super) facts: Vec<(&'static str, String)>,
}

impl Claim {
    /// The secret as written, unless only its surroundings make it one (an e-mail's local part).
    pub(super) fn raw<'a>(&self, text: &'a str) -> Option<&'a str> {
        match self.kind {
            SecretKind::Email => None,
            _ => text.get(self.start..self.end),
        }
    }
}

/// A secret that was read inside another one, such as the password of a Basic credential.
pub(super) struct Hidden {
    pub(super) kind: SecretKind,
    pub(super) value: String,
}

/// What the rules found in a text.
pub(super) struct Found {
    pub(super) claims: Vec<Claim>,
    pub(super) hidden: Vec<Hidden>,
}

#[derive(Clone, Copy)]
enum Trigger {
    Name,
    Scheme,
    Jwt,
    At,
    Shape(usize),
    PrivateKey,
    SaslPlain,
    UserFlag,
    CookieFlag,
    Subprotocols,
    Credentials,
    Webhook,
}

struct Triggers {
    automaton: Option<AhoCorasick>,
    kinds: Vec<Trigger>,
}

static TRIGGERS: LazyLock<Triggers> = LazyLock::new(|| {
    use Trigger::*;
    let mut words: Vec<(&str, Trigger)> = Vec::new();
    for name in [
        "token",
        "secret",
        "passw",
        "passphrase",
        "passcode",
        "pass=",
        "pass:",
        "pass\"",
        "pass'",
        "pass%3d",
        "requirepass",
        "pwd",
        "key",
        "auth",
        "jwt",
        "cookie",
        "sess",
        "sid",
        "sig=",
        "sig%3d",
        "sig\"",
        "signature",
        "hmac",
        "ticket",
        "credential",
        "code=",
        "code%3d",
        "login:",
        "login\"",
        "?id=",
        "&id=",
    ] {
        words.push((name, Name));
    }
    for scheme in ["bearer", "basic "] {
        words.push((scheme, Scheme));
    }
    for at in ["@", "%40", "%2540", "\\u0040", "\\x40", "&#64;", "&#x40;"] {
        words.push((at, At));
    }
    for (index, shape) in shapes::SHAPES.iter().enumerate() {
        words.push((shape.prefix, Shape(index)));
    }
    words.push(("eyj", Jwt));
    words.push(("-----begin ", PrivateKey));
    words.push(("plain", SaslPlain));
    for flag in [
        " -u ",
        " -u\"",
        " -u'",
        "--user ",
        "--user=",
        "--proxy-user ",
    ] {
        words.push((flag, UserFlag));
    }
    for flag in [" -b \"", " -b '", " -b \\\""] {
        words.push((flag, CookieFlag));
    }
    words.push(("sec-websocket-protocol", Subprotocols));
    for start in ["connection_init", "40{\"", "40{\\\"", "40/"] {
        words.push((start, Credentials));
    }
    for hook in [
        "hooks.slack.com/",
        "/api/webhooks/",
        "webhook.office.com/",
        "/bot",
    ] {
        words.push((hook, Webhook));
    }
    Triggers {
        automaton: AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .kind(Some(AhoCorasickKind::DFA))
            .build(words.iter().map(|word| word.0))
            .ok(),
        kinds: words.iter().map(|word| word.1).collect(),
    }
});

/// Finds the secrets that stand in the usual places.
pub(super) fn find(text: &str, marks: &[Mark]) -> Found {
    let mut scan = Scan {
        text,
        bytes: text.as_bytes(),
        marks,
        found: Found {
            claims: Vec::new(),
            hidden: Vec::new(),
        },
        done: 0,
        names_done: 0,
        objects_done: 0,
    };
    let triggers = &*TRIGGERS;
    let Some(automaton) = &triggers.automaton else {
        return scan.found;
    };
    for hit in automaton.find_iter(text) {
        if hit.end() <= scan.done {
            continue;
        }
        let (start, end) = (hit.start(), hit.end());
        match triggers.kinds[hit.pattern().as_usize()] {
            Trigger::Name => scan.name(start, end),
            Trigger::Scheme => {
                scan.scheme(start, end);
                scan.name(start, end);
            }
            Trigger::Jwt => scan.jwt(start),
            Trigger::At => scan.at(start, end),
            Trigger::Shape(index) => scan.shape(&shapes::SHAPES[index], start, end),
            Trigger::PrivateKey => scan.private_key(start, end),
            Trigger::SaslPlain => scan.sasl_plain(end),
            Trigger::UserFlag => scan.user_flag(end),
            Trigger::CookieFlag => {
                let quote = scan.bytes[end - 1];
                scan.cookies(end, Some(quote), false);
            }
            Trigger::Subprotocols => scan.subprotocols(start, end),
            Trigger::Credentials => scan.credentials(end),
            Trigger::Webhook => scan.webhook(end),
        }
    }
    scan.found
}

struct Scan<'a> {
    text: &'a str,
    bytes: &'a [u8],
    marks: &'a [Mark],
    found: Found,
    /// Everything before was read and claimed or refused.
    done: usize,
    /// Names before were judged.
    names_done: usize,
    /// Objects before were searched for credentials.
    objects_done: usize,
}

impl Scan<'_> {
    /// Claims a stretch, leaving out the marks in it. Says whether anything was claimed.
    fn claim(&mut self, start: usize, end: usize, kind: SecretKind) -> bool {
        self.claim_with(start, end, kind, Vec::new())
    }

    fn claim_with(
        &mut self,
        start: usize,
        end: usize,
        kind: SecretKind,
        facts: Vec<(&'static str, String)>,
    ) -> bool {
        let start = floor_boundary(self.text, start.max(self.done));
        let end = ceil_boundary(self.text, end);
        if start >= end {
            return false;
        }
        self.done = self.done.max(end);
        let first = self.marks.partition_point(|mark| mark.end <= start);
        let inside = self.marks[first..]
            .iter()
            .take_while(|mark| mark.start < end);
        let mut pieces = Vec::new();
        let mut position = start;
        for mark in inside {
            pieces.push((position, mark.start));
            position = mark.end;
        }
        let whole = position == start;
        pieces.push((position, end));
        let mut claimed = false;
        for (start, end) in pieces {
            // What is left around a mark was judged when the mark was made.
            if start >= end
                || (!whole && (end - start < 8 || is_placeholder(&self.text[start..end])))
            {
                continue;
            }
            let raw = &self.text[start..end];
            let mut facts = facts.clone();
            if let Some(at) = raw.find("eyJ").filter(|at| *at < 64) {
                facts.extend(shapes::jwt_facts(&raw[at..]));
            }
            self.found.claims.push(Claim {
                start,
                end,
                kind,
                identity: decoded(raw),
                facts,
            });
            claimed = true;
        }
        claimed
    }

    fn slice(&self, start: usize, end: usize) -> &str {
        let end = floor_boundary(self.text, end);
        let start = ceil_boundary(self.text, start).min(end);
        &self.text[start..end]
    }

    fn byte(&self, index: usize) -> u8 {
        self.bytes.get(index).copied().unwrap_or(0)
    }

    fn byte_before(&self, index: usize) -> u8 {
        index.checked_sub(1).map_or(0, |before| self.bytes[before])
    }

    /// A name: what it says decides how its value is judged.
    fn name(&mut self, at: usize, hit_end: usize) {
        if at < self.names_done {
            return;
        }
        let Some((start, end)) = self.identifier(at, hit_end) else {
            return;
        };
        self.names_done = end;
        let Some(mut place) = self.place_after(start, end) else {
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
                let (from, to) = (place.value, self.value_end(&place));
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

    fn strong(&mut self, start: usize, end: usize, place: &Place, kind: SecretKind) {
        let (from, to) = (place.value, self.value_end(place));
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

    fn accepts(
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
        if !quoted && self.byte(to) == b'(' || is_code(value) && !quoted {
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
        !(quoted && !password && is_prose(value) && !is_scheme(value))
    }

    fn is_followed_by_word(&self, end: usize) -> bool {
        matches!(self.byte(end), b' ' | b',') && {
            let next = if self.byte(end) == b',' { end + 1 } else { end };
            self.byte(next) == b' ' && self.byte(next + 1).is_ascii_alphabetic()
        }
    }

    fn weak(&mut self, start: usize, end: usize, place: &Place, kind: SecretKind) {
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
    fn code(&mut self, start: usize, place: &Place) {
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
        if login || looks_random(value) {
            self.claim(from, to, SecretKind::Token);
        }
    }

    /// A STOMP frame's `login:`, which stands beside a `passcode:`.
    fn login(&mut self, start: usize, place: &Place) {
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

    /// The value of an Authorization header: a scheme stays, credentials go.
    fn authorization(&mut self, start: usize, place: &Place) {
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
    fn scheme_word(&self, from: usize, to: usize) -> (usize, Option<String>) {
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
    fn hide_basic(&mut self, scheme: &str, from: usize, to: usize) {
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
    fn scheme(&mut self, start: usize, hit_end: usize) {
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
        if from == scheme_end {
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

    fn cookie_name(&mut self, start: usize, place: &Place, set: bool) {
        if place.style == Style::Element || place.style == Style::Space {
            return;
        }
        let at = place.value;
        // HAR's list of cookies and Python's dictionary of them.
        if place.quote.is_none() && matches!(self.byte(at), b'[' | b'{')
            || self.byte_before(at) == b'['
        {
            let open = if matches!(self.byte(at), b'[' | b'{') {
                at
            } else {
                at - 1
            };
            let pairs = self.byte(open) == b'{'
                && !matches!(self.byte(open + 1), b'"' | b'\'' | b' ' | b'\n' | b'\\');
            if !pairs && self.byte(at) != b'"' && matches!(self.byte(at), b'[' | b'{') {
                return self.cookie_list(open);
            }
        }
        let enclosing = match place.quote {
            Some(_) => Some(self.byte_before(at)),
            None => Some(self.byte_before(start)).filter(|byte| matches!(byte, b'"' | b'\'')),
        };
        self.cookies(at, enclosing, set);
    }

    /// `a=1; b=2`, each value on its own; names and attributes stay.
    fn cookies(&mut self, from: usize, enclosing: Option<u8>, set: bool) {
        let mut position = from;
        if matches!(self.byte(position), b'{' | b'[') {
            position += 1;
        }
        let first_claim = self.found.claims.len();
        let mut first = true;
        let mut end = position;
        loop {
            while matches!(self.byte(position), b' ' | b'\t') {
                position += 1;
            }
            let name_start = position;
            while position - name_start < 256 && is_cookie_name_byte(self.byte(position)) {
                position += 1;
            }
            if position == name_start || self.byte(position) != b'=' {
                // An attribute without a value, such as Secure.
                if set && !first && position > name_start {
                    end = position;
                    if self.byte(position) == b';' {
                        position += 1;
                        continue;
                    }
                    if self.byte(position) == b',' {
                        position += 1;
                        first = true;
                        continue;
                    }
                }
                break;
            }
            position += 1;
            let attribute = set && !first && is_attribute(&self.text[name_start..position - 1]);
            let value_start = position;
            let mut value_end = self.cookie_value_end(position, enclosing, attribute);
            position = value_end;
            end = value_end;
            let mut value_from = value_start;
            if self.byte(value_from) == b'"'
                && value_end > value_from + 1
                && self.byte(value_end - 1) == b'"'
            {
                value_from += 1;
                value_end -= 1;
            }
            let value = self.slice(value_from, value_end);
            if !attribute && !value.is_empty() && !is_placeholder(value) {
                self.claim(value_from, value_end, SecretKind::Cookie);
            }
            first = false;
            match self.byte(position) {
                b';' => position += 1,
                b',' if set => {
                    position += 1;
                    first = true;
                }
                _ => break,
            }
        }
        if let Some(claim) = self.found.claims.get_mut(first_claim).filter(|_| !set) {
            claim.facts.push(("cookie.bytes", (end - from).to_string()));
        }
        self.done = self.done.max(end);
    }

    fn cookie_value_end(&self, from: usize, enclosing: Option<u8>, attribute: bool) -> usize {
        let mut end = from;
        while end < self.bytes.len() {
            let byte = self.bytes[end];
            let stops = match byte {
                b';' | b'\n' | b'\r' => true,
                // An attribute's date has spaces and one comma.
                b' ' | b'\t' => !attribute,
                b',' => {
                    attribute
                        && !self.bytes[from..end].iter().any(u8::is_ascii_whitespace)
                        && end > from + 3
                        || self.byte(end + 1) == b' ' && !attribute
                        || attribute && self.bytes[from..end].ends_with(b"GMT")
                }
                b'"' | b'\'' => enclosing == Some(byte) || (enclosing.is_none() && end > from),
                b'\\' => matches!(self.byte(end + 1), b'r' | b'n' | b'"' | b'\'' | b'\\'),
                b'}' | b']' => {
                    matches!(self.byte(end + 1), b'\n' | b'\r' | b' ' | b',' | 0)
                        && !self.is_in_mark(end)
                }
                _ => false,
            };
            if stops {
                break;
            }
            end += 1;
        }
        end
    }

    fn is_in_mark(&self, index: usize) -> bool {
        let at = self.marks.partition_point(|mark| mark.end <= index);
        self.marks.get(at).is_some_and(|mark| mark.start <= index)
    }

    /// Every value of a list or dictionary of cookies.
    fn cookie_list(&mut self, open: usize) {
        if open < self.objects_done {
            return;
        }
        let named = self.byte(open) == b'[';
        let strings = self.strings_in(open, 65_536);
        let mut name = "";
        let text = self.text;
        for (from, to, is_value) in strings {
            let string = &text[from..to];
            if !is_value {
                name = string;
                continue;
            }
            let secret = if named {
                name == "value"
            } else {
                !matches!(name, "path" | "domain" | "expires")
            };
            if secret && !string.is_empty() && !is_placeholder(string) {
                self.claim(from, to, SecretKind::Cookie);
            }
        }
    }

    /// The values of an object that exists to carry credentials: random ones go, whatever their
    /// names.
    fn credentials(&mut self, from: usize) {
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

    fn random_values(&mut self, open: usize) {
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
    fn found_unordered(&mut self, from: usize, to: usize) {
        let done = std::mem::take(&mut self.done);
        self.claim(from, to, SecretKind::Token);
        self.done = done;
    }

    /// The quoted strings of a JSON-like object or list with whether each is a value, up to the
    /// matching bracket.
    fn strings_in(&mut self, open: usize, limit: usize) -> Vec<(usize, usize, bool)> {
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
    fn subprotocols(&mut self, start: usize, end: usize) {
        let Some(place) = self.place_after(start, end) else {
            return;
        };
        if place.style == Style::Space {
            return;
        }
        let from = place.value;
        let to = match place.quote {
            Some(_) => self.value_end(&place),
            None => self.line_value_end(start, from),
        };
        let to = to.min(from + 65_536);
        let text = self.text;
        let mut offered = Vec::new();
        let mut secrets = Vec::new();
        let mut after_carrier = false;
        let mut position = from;
        for item in self.slice(from, to).to_owned().split(',') {
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

    /// `-u name:password`.
    fn user_flag(&mut self, end: usize) {
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

    /// `PLAIN` of SASL with its Base64 of name and password.
    fn sasl_plain(&mut self, end: usize) {
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

    /// The text after the last line break, wrapped by a terminal: `from..to` reaches the end of
    /// a long line and the next line is nothing but more of it.
    fn wrapped_end(&self, from: usize, to: usize) -> usize {
        let mut end = to;
        while self.byte(end) == b'\n' || (self.byte(end) == b'\r' && self.byte(end + 1) == b'\n') {
            let next =
                memchr::memchr(b'\n', &self.bytes[end..]).map_or(end, |offset| end + offset + 1);
            let line_start = self.bytes[..end]
                .iter()
                .rev()
                .take(400)
                .position(|byte| *byte == b'\n')
                .map_or(end.saturating_sub(400), |offset| end - offset);
            if end - line_start < 60 || end - from < 8 {
                break;
            }
            let mut line_end = next;
            while line_end < self.bytes.len() && is_token_byte(self.bytes[line_end]) {
                line_end += 1;
            }
            let part = self.slice(next, line_end);
            let alone = matches!(self.byte(line_end), b'\n' | b'\r' | 0 | b'"' | b'\'');
            let irregular = part.bytes().any(|byte| byte.is_ascii_digit())
                || part.bytes().any(|byte| byte.is_ascii_uppercase());
            if part.len() < 4 || !alone || !irregular || part.starts_with('/') {
                break;
            }
            end = line_end;
        }
        end
    }
}

/// The end of a text in lower case, without lowering all of it.
trait LowerTail {
    fn to_ascii_lowercase_tail(&self, count: usize) -> String;
}

impl LowerTail for str {
    fn to_ascii_lowercase_tail(&self, count: usize) -> String {
        self[floor_boundary(self, self.len().saturating_sub(count))..].to_ascii_lowercase()
    }
}

fn is_scheme_name(word: &str) -> bool {
    const SCHEMES: &[&str] = &[
        "apikey",
        "aws4-hmac-sha256",
        "basic",
        "bearer",
        "bot",
        "digest",
        "dpop",
        "hawk",
        "hmac",
        "jwt",
        "key",
        "mac",
        "negotiate",
        "ntlm",
        "oauth",
        "privatetoken",
        "scram-sha-256",
        "sharedaccesssignature",
        "signature",
        "token",
    ];
    word.len() <= 24
        && SCHEMES
            .iter()
            .any(|scheme| word.eq_ignore_ascii_case(scheme))
}

/// Whether a value begins with a scheme and a space.
fn is_scheme(value: &str) -> bool {
    value
        .split_once(' ')
        .is_some_and(|(word, rest)| is_scheme_name(word) && !rest.contains(' '))
}

fn is_cookie_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'|'
                | b'~'
        )
}

fn is_attribute(name: &str) -> bool {
    [
        "path", "domain", "expires", "max-age", "samesite", "priority",
    ]
    .iter()
    .any(|attribute| name.eq_ignore_ascii_case(attribute))
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

/// Whether a value is worth more than a look: used by shapes.
pub(super) fn has_digit(value: &str) -> bool {
    value.bytes().any(|byte| byte.is_ascii_digit()) && !is_uuid(value)
}
