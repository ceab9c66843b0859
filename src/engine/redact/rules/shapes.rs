//! Secrets that are known by their own shape, wherever they stand.

use serde_json::Value;

use super::{Claim, Scan, has_digit};
use crate::engine::redact::SecretKind;
use crate::engine::redact::encodings::base64_decoded;
use crate::engine::redact::values::is_placeholder;

/// A published shape of keys: a prefix and what follows it.
pub(super) struct Shape {
    pub(super) prefix: &'static str,
    least: usize,
    body: Body,
}

#[derive(Clone, Copy)]
enum Body {
    /// Letters, digits, `-` and `_`.
    Word,
    /// The same and `.`.
    Dotted,
    /// Exactly so many upper-case letters and digits.
    Upper,
    /// Exactly so many hexadecimal digits; the prefix's last character is one of them.
    Hex,
}

const fn shape(prefix: &'static str, least: usize, body: Body) -> Shape {
    Shape {
        prefix,
        least,
        body,
    }
}

/// GitHub, GitLab, AWS, Slack, OpenAI, Stripe, Google, npm and others, as they publish them.
pub(super) const SHAPES: &[Shape] = &[
    shape("AKIA", 16, Body::Upper),
    shape("ASIA", 16, Body::Upper),
    shape("AGPA", 16, Body::Upper),
    shape("AROA", 16, Body::Upper),
    shape("AIDA", 16, Body::Upper),
    shape("ghp_", 20, Body::Word),
    shape("gho_", 20, Body::Word),
    shape("ghu_", 20, Body::Word),
    shape("ghs_", 20, Body::Word),
    shape("ghr_", 20, Body::Word),
    shape("github_pat_", 20, Body::Word),
    shape("glpat-", 16, Body::Dotted),
    shape("gldt-", 16, Body::Word),
    shape("glrt-", 16, Body::Dotted),
    shape("glsa_", 20, Body::Word),
    shape("xoxa-", 10, Body::Word),
    shape("xoxb-", 10, Body::Word),
    shape("xoxe-", 10, Body::Word),
    shape("xoxe.", 10, Body::Dotted),
    shape("xoxp-", 10, Body::Word),
    shape("xoxr-", 10, Body::Word),
    shape("xoxs-", 10, Body::Word),
    shape("xapp-", 10, Body::Word),
    shape("sk-", 20, Body::Word),
    shape("sk_live_", 10, Body::Word),
    shape("sk_test_", 10, Body::Word),
    shape("rk_live_", 10, Body::Word),
    shape("rk_test_", 10, Body::Word),
    shape("whsec_", 10, Body::Word),
    shape("AIza", 30, Body::Word),
    shape("ya29.", 20, Body::Dotted),
    shape("GOCSPX-", 20, Body::Word),
    shape("npm_", 30, Body::Word),
    shape("pypi-", 40, Body::Word),
    shape("SG.", 20, Body::Dotted),
    shape("hf_", 20, Body::Word),
    shape("dop_v1_", 32, Body::Word),
    shape("doo_v1_", 32, Body::Word),
    shape("shpat_", 20, Body::Word),
    shape("shpss_", 20, Body::Word),
    shape("shpca_", 20, Body::Word),
    shape("dckr_pat_", 20, Body::Word),
    shape("hvs.", 20, Body::Word),
    shape("sbp_", 30, Body::Word),
    shape("sb_secret_", 16, Body::Word),
    shape("lin_api_", 20, Body::Word),
    shape("figd_", 20, Body::Word),
    shape("PMAK-", 20, Body::Word),
    shape("NRAK-", 20, Body::Word),
    shape("ATATT3", 30, Body::Word),
    shape("rnd_", 24, Body::Word),
    shape("sq0csp-", 20, Body::Word),
    shape("AGE-SECRET-KEY-1", 30, Body::Word),
    shape("AC0", 31, Body::Hex),
    shape("AC1", 31, Body::Hex),
    shape("AC2", 31, Body::Hex),
    shape("AC3", 31, Body::Hex),
    shape("AC4", 31, Body::Hex),
    shape("AC5", 31, Body::Hex),
    shape("AC6", 31, Body::Hex),
    shape("AC7", 31, Body::Hex),
    shape("AC8", 31, Body::Hex),
    shape("AC9", 31, Body::Hex),
    shape("ACa", 31, Body::Hex),
    shape("ACb", 31, Body::Hex),
    shape("ACc", 31, Body::Hex),
    shape("ACd", 31, Body::Hex),
    shape("ACe", 31, Body::Hex),
    shape("ACf", 31, Body::Hex),
    shape("SK0", 31, Body::Hex),
    shape("SK1", 31, Body::Hex),
    shape("SK2", 31, Body::Hex),
    shape("SK3", 31, Body::Hex),
    shape("SK4", 31, Body::Hex),
    shape("SK5", 31, Body::Hex),
    shape("SK6", 31, Body::Hex),
    shape("SK7", 31, Body::Hex),
    shape("SK8", 31, Body::Hex),
    shape("SK9", 31, Body::Hex),
    shape("SKa", 31, Body::Hex),
    shape("SKb", 31, Body::Hex),
    shape("SKc", 31, Body::Hex),
    shape("SKd", 31, Body::Hex),
    shape("SKe", 31, Body::Hex),
    shape("SKf", 31, Body::Hex),
];

/// Ends of file names and of systemd units: `emit@socket.io.js` is a line of a stack trace.
const FILE_ENDS: &[&str] = &[
    "c", "cjs", "cpp", "cs", "css", "dll", "erl", "ex", "exs", "gem", "gif", "go", "h", "html",
    "jar", "java", "jpg", "js", "json", "jsx", "kt", "lua", "map", "mjs", "mount", "php", "png",
    "pm", "py", "rb", "rs", "scala", "service", "so", "socket", "svelte", "svg", "swift", "target",
    "timer", "ts", "tsx", "vue", "wasm", "whl", "tgz", "zip", "gz",
];

impl Scan<'_> {
    /// A JSON Web Token: two or more Base64 parts of which the first is an object.
    pub(super) fn jwt(&mut self, start: usize) {
        if !self.bytes[start..].starts_with(b"eyJ") || !self.is_boundary(start) || start < self.done
        {
            return;
        }
        let mut end = start;
        while end < self.bytes.len()
            && (self.bytes[end].is_ascii_alphanumeric()
                || matches!(self.bytes[end], b'-' | b'_' | b'.' | b'='))
        {
            end += 1;
        }
        let end = self.trimmed(start, end);
        if end - start < 12 {
            return;
        }
        let end = self.wrapped_end(start, end);
        self.claim(start, end, SecretKind::Token);
    }

    /// A key by its prefix.
    pub(super) fn shape(&mut self, shape: &Shape, start: usize, hit_end: usize) {
        if !self.bytes[start..].starts_with(shape.prefix.as_bytes())
            || !self.is_boundary(start)
            || start < self.done
        {
            return;
        }
        let part = |byte: &&u8| match shape.body {
            Body::Word => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
            Body::Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'),
            Body::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Body::Hex => byte.is_ascii_hexdigit(),
        };
        let run = |most: usize| {
            hit_end
                + self.bytes[hit_end..]
                    .iter()
                    .take(most)
                    .take_while(part)
                    .count()
        };
        // The beginning is judged, so that refusing a long run many times costs little.
        let end = run(128);
        let end = self.trimmed(start, end);
        let length = end.saturating_sub(hit_end);
        let exact = matches!(shape.body, Body::Upper | Body::Hex);
        if length < shape.least
            || (exact && length != shape.least)
            || is_placeholder(&self.text[hit_end..end])
        {
            return;
        }
        // Words joined by hyphens are a name, not a key.
        if !exact && !has_digit(&self.text[hit_end..end]) {
            return;
        }
        let end = self.trimmed(start, run(usize::MAX));
        self.claim(start, end, SecretKind::Key);
    }

    /// A private key in PEM, whole. Certificates are public and stay.
    pub(super) fn private_key(&mut self, start: usize, hit_end: usize) {
        let label = self.slice(hit_end, hit_end + 48);
        let Some(dashes) = label.find("-----") else {
            return;
        };
        if !label[..dashes].to_ascii_uppercase().contains("PRIVATE KEY") {
            return;
        }
        let body = hit_end + dashes + 5;
        let mut end = memchr::memmem::find(&self.bytes[body..], b"-----")
            .map_or(self.bytes.len(), |offset| body + offset);
        if self.bytes[end..].starts_with(b"-----END ") {
            let label = self.slice(end + 9, end + 64);
            end = end + 9 + label.find("-----").map_or(0, |dashes| dashes + 5);
        } else {
            // Cut off: the key goes as far as it looks like one.
            end = body
                + self.bytes[body..end]
                    .iter()
                    .take_while(|byte| {
                        byte.is_ascii_alphanumeric()
                            || matches!(byte, b'+' | b'/' | b'=' | b'\n' | b'\r' | b'\\')
                    })
                    .count();
        }
        if end > body {
            self.claim(start, end, SecretKind::Key);
        }
    }

    /// The secret end of a webhook's URL.
    pub(super) fn webhook(&mut self, hit_end: usize) {
        let mut end = hit_end;
        while end < self.bytes.len()
            && end - hit_end < 512
            && (self.bytes[end].is_ascii_alphanumeric()
                || matches!(self.bytes[end], b'/' | b'-' | b'_' | b':' | b'@'))
        {
            end += 1;
        }
        let path = self.slice(hit_end, end);
        let slack = self.bytes[..hit_end].ends_with(b"hooks.slack.com/");
        let from = if slack {
            path.find('/').map(|slash| slash + 1)
        } else if self.bytes[..hit_end].ends_with(b"/bot") {
            path.split_once(':')
                .filter(|(id, _)| id.len() >= 6 && id.bytes().all(|byte| byte.is_ascii_digit()))
                .map(|(id, _)| id.len() + 1)
        } else {
            path.rfind('/').map(|slash| slash + 1)
        };
        if let Some(from) = from.filter(|from| path.len() - from >= 16) {
            self.claim(hit_end + from, end, SecretKind::Key);
        }
    }

    /// An @: credentials in a URL, or an e-mail address.
    pub(super) fn at(&mut self, at: usize, hit_end: usize) {
        if !self.user_information(at, hit_end) {
            self.email(at, hit_end);
        }
    }

    /// `scheme://user:password@host`.
    fn user_information(&mut self, at: usize, hit_end: usize) -> bool {
        let floor = at.saturating_sub(256).max(self.done);
        let mut back = at;
        while back > floor
            && !self.bytes[back - 1].is_ascii_whitespace()
            && !matches!(
                self.bytes[back - 1],
                b'"' | b'\'' | b'`' | b'<' | b'>' | b'@'
            )
        {
            back -= 1;
        }
        let window = &self.bytes[back..at];
        let Some(slashes) = ["://", "%3A%2F%2F", "%3a%2f%2f", ":\\/\\/"]
            .iter()
            .filter_map(|mark| {
                memchr::memmem::rfind(window, mark.as_bytes()).map(|offset| offset + mark.len())
            })
            .max()
        else {
            return false;
        };
        let from = back + slashes;
        // An escaped @ may be part of a password before the real one.
        let plain =
            &self.bytes[hit_end - 1..hit_end] == b"@" || self.bytes[..from].ends_with(b"//");
        let mut last = at;
        if plain {
            // A password may hold an @ itself: the last one before the path counts.
            for index in hit_end..self.bytes.len().min(hit_end + 128) {
                match self.bytes[index] {
                    b'@' => last = index,
                    byte if byte.is_ascii_whitespace()
                        || matches!(
                            byte,
                            b'/' | b'?'
                                | b'#'
                                | b'"'
                                | b'\''
                                | b'`'
                                | b'<'
                                | b'>'
                                | b')'
                                | b','
                                | b'\\'
                        ) =>
                    {
                        break;
                    }
                    _ => {}
                }
            }
        }
        let information = self.slice(from, last).to_owned();
        if information
            .bytes()
            .any(|byte| matches!(byte, b'/' | b'?' | b'#' | b'\\'))
            || (information.contains("%2F") && !(plain && self.bytes[..from].ends_with(b"/")))
            || information.is_empty()
        {
            return false;
        }
        let colon = information.find(':').map(|index| (index, 1)).or_else(|| {
            information
                .find("%3A")
                .filter(|_| !plain)
                .map(|index| (index, 3))
        });
        match colon {
            Some((index, length)) => {
                let password = &information[index + length..];
                if !password.is_empty() && !is_placeholder(password) {
                    self.claim(from + index + length, last, SecretKind::Password);
                }
                self.done = self.done.max(last);
                true
            }
            // A name alone may be a token: https://TOKEN@host.
            None if information.len() >= 16 && has_digit(&information) => {
                self.claim(from, last, SecretKind::Token)
            }
            None => false,
        }
    }

    /// The part of an e-mail address before the @.
    fn email(&mut self, at: usize, hit_end: usize) {
        // A secret that ends within an escaped @ holds what stands before it.
        if self.done > at {
            return;
        }
        let floor = self
            .text
            .floor_char_boundary(at.saturating_sub(64).max(self.done));
        let mut start = at;
        for (index, character) in self.text[floor..at].char_indices().rev() {
            let part = character.is_alphanumeric() || matches!(character, '.' | '_' | '-' | '+');
            let plus = character == '%'
                && self.bytes[floor + index + 1..at].starts_with(b"2")
                && matches!(self.byte(floor + index + 2), b'b' | b'B');
            if !part && !plus {
                start = floor + index + character.len_utf8();
                let tail = &self.bytes[start..at];
                // The tail of an escape is no part of the address, unless it escapes a plus.
                start += match character {
                    '%' if tail.starts_with(b"25") && tail.len() > 4 => 4,
                    '%' if tail.len() > 2 && tail[..2].iter().all(u8::is_ascii_hexdigit) => 2,
                    '\\' if tail.first() == Some(&b'u') && tail.len() > 5 => 5,
                    '\\' if matches!(tail.first(), Some(b'n' | b'r' | b't')) => 1,
                    _ => 0,
                };
                break;
            }
            start = floor + index;
        }
        while start < at && matches!(self.bytes[start], b'.' | b'-' | b'+') {
            start += 1;
        }
        let start = self.text.ceil_char_boundary(start);
        if start >= at || matches!(self.bytes[at - 1], b'.' | b'-') {
            return;
        }
        let mut end = hit_end;
        while end < self.bytes.len()
            && end - hit_end < 253
            && (self.bytes[end].is_ascii_alphanumeric() || matches!(self.bytes[end], b'-' | b'.'))
        {
            end += 1;
        }
        while end > hit_end && matches!(self.bytes[end - 1], b'.' | b'-') {
            end -= 1;
        }
        let domain = self.slice(hit_end, end);
        let Some((labels, top)) = domain.rsplit_once('.') else {
            return;
        };
        let top_level = top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_alphabetic());
        let version = labels
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_digit())
            && labels
                .as_bytes()
                .get(1)
                .is_some_and(|byte| matches!(byte, b'.' | b'x'));
        let local = &self.text[start..at];
        if labels.is_empty()
            || !top_level
            || version
            || local == "git"
            || FILE_ENDS.contains(&top.to_ascii_lowercase().as_str())
            || labels.starts_with('.')
        {
            return;
        }
        let decoded = crate::engine::redact::encodings::decoded(local);
        if decoded.is_empty() {
            return;
        }
        let identity = format!("{}@{}", decoded, domain.to_ascii_lowercase());
        self.done = self.done.max(at);
        if self.is_in_mark(start) || self.is_in_mark(at - 1) {
            return;
        }
        self.found.claims.push(Claim {
            start,
            end: at,
            kind: SecretKind::Email,
            identity,
            facts: Vec::new(),
        });
    }
}

/// When a JWT was issued, when it expires and how it is signed. Nothing else leaves it.
pub(super) fn jwt_facts(token: &str) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if token.len() > 16_384 {
        return facts;
    }
    let bare: String = token.chars().filter(|c| !c.is_whitespace()).collect();
    let mut parts = bare.split('.');
    let object = |part: Option<&str>| {
        part.and_then(base64_decoded)
            .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok())
    };
    let header = object(parts.next());
    let payload = object(parts.next());
    let algorithm = header
        .as_ref()
        .and_then(|header| header.get("alg"))
        .and_then(Value::as_str);
    if let Some(algorithm) = algorithm.filter(|name| {
        name.len() <= 16
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    }) {
        facts.push(("token.algorithm", algorithm.to_owned()));
    }
    for (claim, key) in [("exp", "token.expires"), ("iat", "token.issued")] {
        let seconds = payload
            .as_ref()
            .and_then(|payload| payload.get(claim))
            .and_then(|value| {
                value
                    .as_i64()
                    .or_else(|| value.as_f64().map(|seconds| seconds as i64))
            });
        if let Some(time) = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok()) {
            facts.push((key, time.to_string()));
        }
    }
    facts
}
