//! The first pass: the places in which secrets sit.
//!
//! One automaton looks for trigger words; only where one stands does a rule look closer. A rule
//! either claims what it read, so that no later trigger reads it again, or reads a bounded
//! stretch: that keeps the work linear on any text.

mod assignments;
mod authorization;
mod carriers;
mod cookies;
mod free;
mod places;
mod shapes;

use std::cell::Cell;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::encodings::{decoded, is_token_byte, unescaped_stepwise};
use super::values::{is_placeholder, is_uuid};
use super::{Mark, SecretKind};

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
    /// A flag that stands for a password in one tool only.
    PasswordFlag(&'static str),
    RefusedProtocol,
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
        "--auth ",
        "--basic-auth ",
        "--basic-auth=",
        "stats auth ",
    ] {
        words.push((flag, UserFlag));
    }
    words.push((" -p ", PasswordFlag("mosquitto")));
    words.push((" --pw ", PasswordFlag("mosquitto")));
    words.push((" -a ", PasswordFlag("redis-cli")));
    words.push(("subprotocol '", RefusedProtocol));
    for flag in [
        "--protocol ",
        "--protocol=",
        "--subprotocol ",
        "--subprotocol=",
    ] {
        words.push((flag, Subprotocols));
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
        lists_done: 0,
        line: Cell::new((0, 0, None)),
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
            Trigger::Shape(index) => {
                scan.shape(&shapes::SHAPES[index], start, end);
                // A prefix in another case may hide a name: `SKe` in AccessKey.
                if scan.done < end {
                    scan.name(start, end);
                }
            }
            Trigger::PrivateKey => scan.private_key(start, end),
            Trigger::SaslPlain => scan.sasl_plain(end),
            Trigger::UserFlag => scan.user_flag(end),
            Trigger::PasswordFlag(tool) => scan.password_flag(tool, start, end),
            Trigger::RefusedProtocol => scan.refused_protocol(end),
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
    /// Lists of subprotocols before were judged.
    lists_done: usize,
    /// The last header's value: where it began and ended, and the quote around it.
    line: Cell<(usize, usize, Option<u8>)>,
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
        let start = self.text.floor_char_boundary(start.max(self.done));
        let end = self.text.ceil_char_boundary(end);
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
            // A backslash may be an escape or itself: either reading is searched for.
            if raw.contains('\\') && raw.len() <= 256 {
                for value in unescaped_stepwise(raw) {
                    self.found.hidden.push(Hidden { kind, value });
                }
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
        let end = self.text.floor_char_boundary(end);
        let start = self.text.ceil_char_boundary(start).min(end);
        &self.text[start..end]
    }

    fn byte(&self, index: usize) -> u8 {
        self.bytes.get(index).copied().unwrap_or(0)
    }

    fn byte_before(&self, index: usize) -> u8 {
        index.checked_sub(1).map_or(0, |before| self.bytes[before])
    }

    fn is_in_mark(&self, index: usize) -> bool {
        let at = self.marks.partition_point(|mark| mark.end <= index);
        self.marks.get(at).is_some_and(|mark| mark.start <= index)
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
            // The next setting is no more of this one.
            let is_setting = part.trim_end_matches('=').contains('=');
            if part.len() < 4 || !alone || !irregular || is_setting || part.starts_with('/') {
                break;
            }
            end = line_end;
        }
        end
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

/// Whether a value is worth more than a look: used by shapes.
pub(super) fn has_digit(value: &str) -> bool {
    value.bytes().any(|byte| byte.is_ascii_digit()) && !is_uuid(value)
}
