//! Development servers' proxies: Vite, webpack, Angular, Create React App, Next. All but Next's
//! pass a socket on where its rule says `ws: true`.
//! <https://vite.dev/config/server-options#server-proxy>,
//! <https://webpack.js.org/configuration/dev-server/#devserverproxy>,
//! <https://angular.dev/tools/cli/serve#proxying-to-a-backend-server>

mod options;
mod settings;

use super::super::contents::Contents;
use super::review::{indent_of, span_of};
use super::{Address, Draft, Reading, Socket, Span, is_within, looks_like_socket};

/// More rules are not read.
const MOST_RULES: usize = 100;
/// A rule is not longer than this, in bytes.
const LONGEST_RULE: usize = 4000;

/// A proxy's rule: which paths, whereto, and whether sockets are passed on.
#[derive(Debug)]
struct Rule<'a> {
    path: &'a str,
    target: &'a str,
    /// From its `target` key on; of a short form the quoted target.
    span: Span,
    is_short: bool,
    passes_sockets: bool,
    /// Whether keys are quoted, as JSON has them.
    is_json: bool,
}

/// Reads the development servers' configurations of a text. `aside` are its comments.
pub(super) fn reading(
    contents: &Contents<'_>,
    addresses: &[Address],
    aside: &[Span],
    socket: Option<Socket<'_>>,
) -> Reading {
    let Some(system) = system(contents) else {
        return Reading::default();
    };
    let text = contents.text();
    let page = addresses
        .iter()
        .find(|address| address.is_page && !is_within(aside, address.span));
    let mut reading = options::reading(text, system, page, socket);
    let proxy = proxy_reading(text, system, socket);
    reading.findings.extend(proxy.findings);
    match (reading.drafts.first_mut(), proxy.drafts.into_iter().next()) {
        (Some(draft), Some(other)) => {
            draft.place = draft.place.min(other.place);
            draft.remarks.extend(other.remarks);
            draft.edits.extend(other.edits);
        }
        (None, other) => reading.drafts.extend(other),
        _ => {}
    }
    if !reading.drafts.is_empty() {
        reading.owned = script_comments(text);
        reading.regions.extend_from_slice(&reading.owned);
    }
    reading
}

/// Comments of scripts, whole lines or not.
fn script_comments(text: &str) -> Vec<Span> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        match bytes[at] {
            quote @ (b'"' | b'\'' | b'`') => {
                at = string_end(bytes, at, quote).map_or(at + 1, |end| end + 1);
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') && (at == 0 || bytes[at - 1] != b':') => {
                at = line_end(bytes, at);
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                let end = memchr::memmem::find(&bytes[at..], b"*/");
                at = end.map_or(bytes.len(), |end| at + end + 2);
            }
            _ => {
                at += 1;
                continue;
            }
        }
        found.push(Span { start, end: at });
    }
    found
}

/// The rule of a proxy that takes the socket.
fn proxy_reading(text: &str, system: &'static str, socket: Option<Socket<'_>>) -> Reading {
    let mut reading = Reading::default();
    let rules = rules(text);
    let Some(rule) = serving(&rules, socket) else {
        return reading;
    };
    let mut draft = Draft::new(system, rule.span);
    if rule.passes_sockets || rule.target.starts_with("ws") {
        reading.drafts.push(draft);
        return reading;
    }
    reading.add("dev-server.fault", "socket-not-passed", rule.span);
    draft.fault(
        "The rule passes ordinary requests on, but no sockets: ws: true is missing.",
        rule.span,
    );
    let key = if rule.is_json {
        "\"ws\": true"
    } else {
        "ws: true"
    };
    if rule.is_short {
        let words = &text[rule.span.start..rule.span.end];
        draft.replace(rule.span, format!("{{ target: {words}, {key} }}"));
    } else {
        let indent = indent_of(text, rule.span.start);
        let begin = text[..rule.span.start]
            .rfind('\n')
            .map_or(0, |found| found + 1);
        let is_first = text[begin..rule.span.start].trim().is_empty();
        let between = if is_first {
            format!(",\n{indent}")
        } else {
            ", ".to_owned()
        };
        let at = Span {
            start: rule.span.start,
            end: rule.span.start,
        };
        draft.replace(at, format!("{key}{between}"));
    }
    reading.drafts.push(draft);
    reading
}

/// Which development server the text configures.
fn system(contents: &Contents<'_>) -> Option<&'static str> {
    let has = |word: &str| contents.holds(word);
    if has("destination") && has("rewrites") {
        return Some("Next.js");
    }
    let has_options = ["hmr", "clientPort", "allowedHosts", "webSocketURL", "host"]
        .into_iter()
        .any(has);
    if !has("target") && !has("proxy") && !has_options {
        return None;
    }
    if has("createProxyMiddleware") {
        Some("http-proxy-middleware")
    } else if has("devServer") {
        Some("webpack-dev-server")
    } else if has("defineConfig") || has("vite.config") {
        Some("Vite")
    } else if has("proxy.conf")
        || (has("\"target\"")
            && (has("\"secure\"") || has("\"changeOrigin\"") || has("\"pathRewrite\"")))
    {
        Some("Angular CLI")
    } else {
        None
    }
}

/// The rules: objects with a `target`, and the short form `'/path': 'http://target'`.
fn rules(text: &str) -> Vec<Rule<'_>> {
    let mut rules = Vec::new();
    let mut at = 0;
    let bytes = text.as_bytes();
    // Where the innermost blocks began.
    let mut open: Vec<usize> = Vec::new();
    while at < bytes.len() && rules.len() < MOST_RULES {
        match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => at = line_end(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                let end = memchr::memmem::find(&bytes[at..], b"*/");
                at = end.map_or(bytes.len(), |end| at + end + 2);
            }
            quote @ (b'"' | b'\'' | b'`') => {
                let Some(end) = string_end(bytes, at, quote) else {
                    at += 1;
                    continue;
                };
                if text.get(at + 1..end) == Some("target") {
                    rules.extend(rule_at(text, at, end + 1, open.last().copied(), true));
                } else if let Some(short) = short_rule(text, at, end) {
                    rules.push(short);
                }
                at = end + 1;
            }
            b'{' => {
                open.push(at);
                at += 1;
            }
            b'}' => {
                open.pop();
                at += 1;
            }
            b't' if bytes[at..].starts_with(b"target")
                && at
                    .checked_sub(1)
                    .is_none_or(|before| !bytes[before].is_ascii_alphanumeric()) =>
            {
                rules.extend(rule_at(
                    text,
                    at,
                    at + "target".len(),
                    open.last().copied(),
                    false,
                ));
                at += "target".len();
            }
            _ => at += 1,
        }
    }
    rules
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |found| at + found)
}

/// Where a string ends that begins at `at`; on its line, or it is none.
fn string_end(bytes: &[u8], at: usize, quote: u8) -> Option<usize> {
    let window = &bytes[at + 1..bytes.len().min(at + 1 + 300)];
    let end = window
        .iter()
        .position(|byte| *byte == quote || *byte == b'\n')?;
    (window[end] == quote).then_some(at + 1 + end)
}

/// The string that follows a colon.
fn string_after(text: &str, at: usize) -> Option<&str> {
    let rest = text.get(at..)?.trim_start();
    let rest = rest.strip_prefix(':')?.trim_start();
    let quote = rest
        .bytes()
        .next()
        .filter(|byte| matches!(byte, b'"' | b'\'' | b'`'))?;
    let end = string_end(rest.as_bytes(), 0, quote)?;
    rest.get(1..end)
}

/// The rule whose `target` stands at `at`, in the block that begins at `block`.
fn rule_at(
    text: &str,
    at: usize,
    after: usize,
    block: Option<usize>,
    is_json: bool,
) -> Option<Rule<'_>> {
    let target = string_after(text, after)?;
    if !target.contains("://") {
        return None;
    }
    let block = block?;
    let mut limit = (block + LONGEST_RULE).min(text.len());
    while !text.is_char_boundary(limit) {
        limit -= 1;
    }
    let body = &text[block..block_end(text, block, limit)];
    let path = key_before(text, block)
        .or_else(|| string_of(body, "context"))
        .or_else(|| string_of(body, "pathFilter"))
        .unwrap_or("");
    Some(Rule {
        path,
        target,
        span: Span {
            start: at,
            end: span_of(text, target).end,
        },
        is_short: false,
        passes_sockets: says_sockets(body),
        is_json,
    })
}

/// One past the brace that closes the block at `block`.
fn block_end(text: &str, block: usize, limit: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in text.as_bytes()[block..limit].iter().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return block + at + 1;
                }
            }
            _ => {}
        }
    }
    limit
}

/// The quoted key before a block: `'/ws': {`.
fn key_before(text: &str, block: usize) -> Option<&str> {
    let before = text[..block].trim_end().strip_suffix(':')?.trim_end();
    let quote = before
        .chars()
        .next_back()
        .filter(|letter| matches!(letter, '"' | '\'' | '`'))?;
    let inner = &before[..before.len() - 1];
    let start = inner.rfind(quote)?;
    Some(&inner[start + 1..])
}

/// The first string of a key in a block.
fn string_of<'a>(body: &'a str, key: &str) -> Option<&'a str> {
    let at = body.find(key)?;
    let rest = body[at + key.len()..]
        .trim_start_matches(['"', '\''])
        .trim_start();
    let rest = rest
        .strip_prefix(':')?
        .trim_start()
        .trim_start_matches('[')
        .trim_start();
    let quote = rest
        .bytes()
        .next()
        .filter(|byte| matches!(byte, b'"' | b'\'' | b'`'))?;
    let end = string_end(rest.as_bytes(), 0, quote)?;
    rest.get(1..end)
}

/// Whether a block says `ws: true`, outside of comments.
fn says_sockets(body: &str) -> bool {
    body.lines().any(|line| {
        // The slashes of an address begin no comment.
        let comment = line
            .match_indices("//")
            .map(|(at, _)| at)
            .find(|at| !line[..*at].ends_with(':'));
        let code = &line[..comment.unwrap_or(line.len())];
        let mut rest = code;
        while let Some(at) = rest.find("ws") {
            let before = rest[..at].chars().next_back();
            let after = rest[at + 2..].trim_start_matches(['"', '\'']).trim_start();
            let is_key = before.is_none_or(|letter| !letter.is_alphanumeric());
            if is_key
                && after
                    .strip_prefix(':')
                    .is_some_and(|value| value.trim_start().starts_with("true"))
            {
                return true;
            }
            rest = &rest[at + 2..];
        }
        false
    })
}

/// `'/path': 'http://target'`.
fn short_rule(text: &str, at: usize, end: usize) -> Option<Rule<'_>> {
    let path = text.get(at + 1..end)?;
    if !path.starts_with(['/', '^']) {
        return None;
    }
    let target = string_after(text, end + 1)?;
    let inner = span_of(text, target);
    target.starts_with("http").then_some(Rule {
        path,
        target,
        span: Span {
            start: inner.start - 1,
            end: inner.end + 1,
        },
        is_short: true,
        passes_sockets: false,
        is_json: false,
    })
}

/// The rule that takes the socket's path; without a socket one made for sockets.
fn serving<'r, 'a>(rules: &'r [Rule<'a>], socket: Option<Socket<'_>>) -> Option<&'r Rule<'a>> {
    let made = rules.iter().find(|rule| {
        looks_like_socket(rule.path)
            || rule.path.contains("socket.io")
            || rule.target.starts_with("ws")
    });
    match socket {
        Some(socket) => rules
            .iter()
            .find(|rule| {
                let prefix = rule.path.trim_start_matches('^').trim_end_matches('*');
                !prefix.is_empty() && socket.path.starts_with(prefix)
            })
            .or(made),
        None => made.or(rules.iter().find(|rule| rule.passes_sockets)),
    }
}
