//! What an answer means.

use super::super::bytes;
use super::super::policy::{Scheme, Target};
use super::{Answer, Ending, Request};

/// Facts and words for one answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Judged {
    /// Keys and values.
    pub(crate) facts: Vec<(&'static str, String)>,
    /// One line for people.
    pub(crate) detail: String,
    /// The handshake was accepted without a fault: frames may follow.
    pub(crate) accepted: bool,
}

/// RFC 6455 section 1.3.
const ACCEPT_SUFFIX: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Judges the answer to a request that asks for a WebSocket.
pub(crate) fn judge(answer: &Answer, request: &Request, target: &Target) -> Judged {
    let mut judged = Judged::default();
    match &answer.parsed {
        Some(parsed) if answer.ending == Ending::Complete && !parsed.is_malformed => {
            judged.add("handshake.status", &parsed.status.to_string());
            if parsed.status == 101 {
                switched(answer, request, parsed.version, &mut judged);
            } else {
                refused(answer, target, parsed.status, &mut judged);
            }
        }
        Some(parsed) if answer.ending == Ending::Complete => {
            judged.add("handshake.answer", "malformed");
            judged.detail = format!(
                "the header of the answer (status {}) is malformed: {}",
                parsed.status,
                bytes::shown(&answer.raw, 120)
            );
        }
        _ => {
            unreadable(answer, &mut judged);
            let is_plain = answer.raw.starts_with(b"HTTP/") && target.scheme == Scheme::Ws;
            if is_plain && answer.ending.is_broken_off() {
                // What began to answer in plain HTTP was asked rightly.
                judged.add("port.speaks", "plain");
                judged.add("works.other-scheme", "no");
            }
        }
    }
    judged
}

impl Judged {
    fn add(&mut self, key: &'static str, value: &str) {
        self.facts.push((key, value.to_owned()));
    }

    fn fault(&mut self, fault: &str, words: &str) {
        self.add("handshake.fault", fault);
        if !self.detail.is_empty() {
            self.detail.push_str("; ");
        }
        self.detail.push_str(words);
    }
}

/// A 101: does it keep to the rules?
fn switched(answer: &Answer, request: &Request, version: u8, judged: &mut Judged) {
    judged.detail = "101 Switching Protocols".to_owned();
    let has = |name: &str, token: &str| {
        answer
            .headers(name)
            .flat_map(|value| value.split(','))
            .any(|part| part.trim().eq_ignore_ascii_case(token))
    };
    if version == 0 {
        judged.add("handshake.answer", "old-http");
        judged.detail.push_str("; a 101 in HTTP/1.0");
    }
    if !has("upgrade", "websocket") {
        judged.fault("upgrade-missing", "without Upgrade: websocket");
    }
    if !has("connection", "upgrade") {
        judged.fault("connection-missing", "without Connection: Upgrade");
    }
    match answer.header("sec-websocket-accept") {
        None => judged.fault("accept-missing", "without Sec-WebSocket-Accept"),
        Some(value) if value.trim() != accept_of(&request.key) => {
            judged.fault("accept-wrong", "Sec-WebSocket-Accept does not fit the key");
        }
        Some(_) => judged.add("accept.value", "right"),
    }
    subprotocol(answer, request, judged);
    extensions(answer, request, judged);
    let is_fine =
        |fact: &(&str, String)| !["handshake.fault", "handshake.answer"].contains(&fact.0);
    judged.accepted = judged.facts.iter().all(is_fine);
    if judged.accepted {
        judged.add("handshake.opened", "yes");
    }
}

fn subprotocol(answer: &Answer, request: &Request, judged: &mut Judged) {
    if answer.headers("sec-websocket-protocol").count() > 1 {
        return judged.fault(
            "subprotocol-unexpected",
            "Sec-WebSocket-Protocol stands more than once: browsers end the connection",
        );
    }
    match answer.header("sec-websocket-protocol").map(str::trim) {
        None if !request.subprotocols.is_empty() => judged.fault(
            "subprotocol-missing",
            "a subprotocol was asked for and none is named: browsers end the connection",
        ),
        Some(name) if !request.subprotocols.iter().any(|asked| asked == name) => {
            let words = format!("the subprotocol {name:?} was not asked for");
            judged.fault("subprotocol-unexpected", &words);
        }
        Some(name) => {
            judged.add("handshake.subprotocol", name);
            judged.detail.push_str(&format!(", subprotocol {name}"));
        }
        None => {}
    }
}

fn extensions(answer: &Answer, request: &Request, judged: &mut Judged) {
    for extension in answer
        .headers("sec-websocket-extensions")
        .flat_map(|value| value.split(','))
    {
        let mut parts = extension.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        if name.is_empty() {
            continue;
        }
        if !request.offers_deflate || name != "permessage-deflate" {
            let words = format!("the extension {name:?} was not asked for");
            judged.fault("extension-unexpected", &words);
        } else if let Some(wrong) = parts.find(|parameter| !is_deflate_parameter(parameter)) {
            let words = format!("permessage-deflate knows no parameter {wrong:?}");
            judged.fault("extension-parameters", &words);
        } else {
            judged.detail.push_str(", permessage-deflate");
        }
    }
}

/// Whether an answer may carry that parameter of permessage-deflate, RFC 7692 section 7.1.
fn is_deflate_parameter(parameter: &str) -> bool {
    let (name, value) = match parameter.split_once('=') {
        Some((name, value)) => (name.trim(), Some(value.trim().trim_matches('"'))),
        None => (parameter, None),
    };
    let is_window = |value: Option<&str>| {
        value.is_some_and(|value| value.parse().is_ok_and(|bits| (8..=15_u8).contains(&bits)))
    };
    match name {
        "server_no_context_takeover" | "client_no_context_takeover" => value.is_none(),
        "server_max_window_bits" | "client_max_window_bits" => is_window(value),
        _ => false,
    }
}

/// Any other status.
fn refused(answer: &Answer, target: &Target, status: u16, judged: &mut Judged) {
    judged.detail = format!("status {status}");
    if let Some(server) = answer.header("server") {
        judged.detail.push_str(&format!(" from {server}"));
    }
    if let Some(location) = answer
        .header("location")
        .filter(|_| (300..400).contains(&status))
    {
        judged.add("handshake.redirect", redirect_kind(location, target));
        judged.add("handshake.location", location);
        judged
            .detail
            .push_str(&format!(", leads to {location} (not followed)"));
    }
    // It is sent only by a server that did not find the one that it speaks.
    let mut versions = answer
        .headers("sec-websocket-version")
        .flat_map(|value| value.split(','))
        .peekable();
    if versions.peek().is_some() && versions.all(|version| version.trim() != "13") {
        judged.fault("version-unsupported", "speaks other versions of WebSocket");
    }
    let body = String::from_utf8_lossy(&answer.rest).to_lowercase();
    // The size of a chunk may stand before the first tag.
    let is_named_html = answer
        .header("content-type")
        .is_some_and(|kind| kind.to_lowercase().starts_with("text/html"));
    if bytes::is_markup(&answer.rest) || is_named_html && body.contains('<') {
        judged.add("handshake.body", "html");
    }
    let is_for_tls = [
        "plain http request was sent to https port",
        "speaking plain http to an ssl-enabled server port",
        "client sent an http request to an https server",
    ]
    .iter()
    .any(|words| body.contains(words));
    if is_for_tls {
        speaks_tls(judged);
    }
    if body.contains("no required ssl certificate was sent") {
        judged.add("tls.fault", "client-certificate-required");
        judged.detail.push_str(", demands a client certificate");
    }
}

fn speaks_tls(judged: &mut Judged) {
    judged.add("port.speaks", "tls");
    judged.add("tls.plain-request", "yes");
    judged.detail.push_str(" (the port speaks TLS)");
}

/// What a redirect is about.
fn redirect_kind(location: &str, target: &Target) -> &'static str {
    let lower = location.to_ascii_lowercase();
    let is_login = [
        "login", "signin", "sign-in", "sign_in", "logon", "/auth", "oauth", "/sso", "saml",
    ]
    .iter()
    .any(|word| lower.contains(word));
    let Ok(resolved) = url::Url::parse(&format!(
        "{}://{}{}",
        target.scheme.of_page(),
        target.authority(),
        target.path
    ))
    .and_then(|base| base.join(location)) else {
        return "elsewhere";
    };
    let is_same_host = resolved
        .host_str()
        .is_some_and(|host| host.trim_matches(['[', ']']) == target.host);
    let is_encrypted = matches!(resolved.scheme(), "https" | "wss");
    let (from, to) = (target.bare_path(), resolved.path());
    if is_login {
        "login"
    } else if !is_same_host {
        "elsewhere"
    } else if from != to && from.trim_end_matches('/') == to.trim_end_matches('/') {
        "slash"
    } else if is_encrypted && target.scheme == Scheme::Ws {
        "https"
    } else {
        "elsewhere"
    }
}

/// No header that ends.
fn unreadable(answer: &Answer, judged: &mut Judged) {
    let raw = &answer.raw;
    if bytes::is_tls_alert(raw) {
        judged.detail = "the port answers in TLS".to_owned();
        speaks_tls(judged);
        return;
    }
    if !raw.is_empty() && !b"HTTP/".starts_with(&raw[..raw.len().min(5)]) {
        let kind = if bytes::is_http2(raw) {
            "http2"
        } else if bytes::is_other_service(raw) {
            "other-service"
        } else {
            "not-http"
        };
        judged.add("handshake.answer", kind);
        judged.detail = format!("the answer is not HTTP: {}", bytes::shown(raw, 80));
        return;
    }
    let (value, words) = match (&answer.ending, raw.is_empty()) {
        (Ending::TimedOut, true) => ("timed-out", "the handshake was never answered".to_owned()),
        (Ending::TimedOut, false) => (
            "timed-out",
            format!("the answer did not end in time ({} bytes came)", raw.len()),
        ),
        (Ending::Closed, true) => ("empty", "closed without a single byte".to_owned()),
        (Ending::Closed, false) => (
            "closed",
            format!(
                "closed in the middle of the answer: {}",
                bytes::shown(raw, 80)
            ),
        ),
        (Ending::Reset, _) => ("reset", "reset instead of an answer".to_owned()),
        (Ending::Failed(error), _) => ("closed", format!("the connection failed: {error}")),
        (Ending::TooLong | Ending::Complete, _) => (
            "malformed",
            format!("the header did not end within {} bytes", raw.len()),
        ),
    };
    match answer.ending {
        Ending::TooLong => judged.add("handshake.header", "endless"),
        _ => judged.add("handshake.answer", value),
    }
    judged.detail = words;
}

/// The value of Sec-WebSocket-Accept that belongs to a key.
pub fn accept_of(key: &str) -> String {
    let text = format!("{key}{ACCEPT_SUFFIX}");
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    base64(digest.as_ref())
}

/// Base64 with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0_u32, |group, at| {
            group << 8 | u32::from(chunk.get(at).copied().unwrap_or(0))
        });
        for position in 0..4 {
            let index = (group >> (18 - 6 * position)) & 63;
            let is_padding = position > chunk.len();
            out.push(if is_padding {
                '='
            } else {
                char::from(LETTERS[index as usize])
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_own_example_is_accepted() {
        assert_eq!(
            accept_of("dGhlIHNhbXBsZSBub25jZQ=="),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }

    #[test]
    fn redirects_are_told_apart() {
        let target = Target::read("ws://a.example/ws").expect("target");
        for (location, expected) in [
            ("https://a.example/ws", "https"),
            ("/ws/", "slash"),
            ("http://a.example/ws/", "slash"),
            ("https://a.example/login?next=/ws", "login"),
            ("https://b.example/ws", "elsewhere"),
            ("/other", "elsewhere"),
            ("", "elsewhere"),
        ] {
            assert_eq!(redirect_kind(location, &target), expected, "{location}");
        }
    }
}
