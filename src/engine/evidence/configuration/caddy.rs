//! Caddy: `reverse_proxy` is enough, unless a header is taken away or another rule takes the path.
//! <https://caddyserver.com/docs/caddyfile/directives/reverse_proxy#streaming>

use super::super::contents::Contents;
use super::review::{indent_of, line_end, span_of, whole_line};
use super::{Draft, Reading, Socket, Span, lines_of, looks_like_socket};

/// Deeper blocks are passed over.
const DEEPEST: usize = 16;
/// More rules than this are not compared with a path.
const MOST_RULES: usize = 500;

/// Whether a matcher takes the socket's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    /// With so many letters of the path.
    Yes(usize),
    No,
    Unknown,
}

/// A `reverse_proxy` with what stands around and in it.
#[derive(Debug)]
struct Rule<'a> {
    span: Span,
    upstreams: Vec<&'a str>,
    /// The matchers of the blocks around it and its own; the last is the innermost.
    matchers: Vec<&'a str>,
    strips: Option<(Span, &'a str)>,
    /// Lines that take headers of the upgrade away.
    headers: Vec<Span>,
    /// `versions` lines that leave HTTP/1.1 out.
    versions: Vec<Span>,
    is_uncertain: bool,
    /// The block of the site around it.
    site: Option<Span>,
    /// The outermost line within the site that leads to it.
    outermost: Span,
}

/// What the text has of a Caddyfile.
#[derive(Debug, Default)]
struct Caddy<'a> {
    rules: Vec<Rule<'a>>,
    /// Named matchers: the name, the words after it.
    named: Vec<(&'a str, Vec<&'a str>)>,
    import: Option<(Span, &'a str)>,
    comments: Vec<Span>,
}

/// Reads the `reverse_proxy` lines of a text.
pub(super) fn reading(contents: &Contents<'_>, socket: Option<Socket<'_>>) -> Reading {
    let mut reading = Reading::default();
    if !contents.holds("reverse_proxy") {
        return reading;
    }
    let text = contents.text();
    let caddy = Caddy::of(text);
    reading.owned.clone_from(&caddy.comments);
    let Some(rule) = caddy.serving(socket) else {
        if let Some(socket) = socket {
            caddy.miss(text, socket, &mut reading);
        }
        return reading;
    };
    let http2 = rule
        .upstreams
        .iter()
        .find(|upstream| upstream.starts_with("h2c://"))
        .map(|_| rule.span)
        .or(rule.versions.first().copied());
    if !rule.headers.is_empty() {
        reading.add("edge.config", "upgrade-missing", rule.headers[0]);
    } else if http2.is_none() && !rule.is_uncertain && caddy.import.is_none() {
        reading.add("edge.config", "upgrade-present", rule.span);
    }
    if let Some(span) = http2 {
        reading.add("edge.upstream-protocol", "http2", span);
    }
    if let (Some((span, prefix)), Some(_)) = (rule.strips, socket)
        && !prefix.is_empty()
    {
        reading.add("edge.config", "path-changed", span);
    }
    if !rule.is_uncertain {
        reading.drafts.push(caddy.review(text, rule));
    }
    reading
}

/// A block that is open.
#[derive(Debug)]
struct Open<'a> {
    words: Vec<&'a str>,
    span: Span,
    /// The rule whose block it is.
    rule: Option<usize>,
    /// The named matcher whose block it is.
    named: Option<usize>,
}

impl<'a> Caddy<'a> {
    fn of(text: &'a str) -> Self {
        let mut caddy = Caddy::default();
        let mut open: Vec<Open<'a>> = Vec::new();
        for (span, line) in lines_of(text) {
            if line.starts_with('#') {
                caddy.comments.push(span);
                continue;
            }
            let words: Vec<&str> = line
                .split_whitespace()
                .take_while(|word| !word.starts_with('#'))
                .take(64)
                .collect();
            let (opens, words) = match words.split_last() {
                Some((&"{", rest)) => (true, rest),
                _ => (false, words.as_slice()),
            };
            if words == ["}"] {
                open.pop();
                continue;
            }
            let before = (caddy.rules.len(), caddy.named.len());
            caddy.read(span, words, &open);
            if opens && open.len() < DEEPEST {
                open.push(Open {
                    words: words.to_vec(),
                    span,
                    rule: (caddy.rules.len() > before.0).then_some(before.0),
                    named: (caddy.named.len() > before.1).then_some(before.1),
                });
            }
        }
        caddy
    }

    fn read(&mut self, span: Span, words: &[&'a str], open: &[Open<'a>]) {
        let rule = open.iter().rev().find_map(|block| block.rule);
        let named = open.last().and_then(|block| block.named);
        match words {
            ["reverse_proxy", rest @ ..] if self.rules.len() < MOST_RULES => {
                self.add_rule(span, rest, open);
            }
            ["to", upstreams @ ..] => {
                if let Some(rule) = rule.and_then(|rule| self.rules.get_mut(rule)) {
                    rule.upstreams.extend(upstreams);
                }
            }
            ["header_up" | "request_header", name, value @ ..] => {
                let bare = name
                    .trim_start_matches(['-', '+', '?'])
                    .to_ascii_lowercase();
                let value = value.join(" ").to_ascii_lowercase();
                let is_kept = !name.starts_with('-')
                    && (value.contains("upgrade")
                        || value.contains("websocket")
                        || value.contains('{'));
                if matches!(bare.as_str(), "connection" | "upgrade") && !is_kept {
                    match rule.and_then(|rule| self.rules.get_mut(rule)) {
                        Some(rule) => rule.headers.push(span),
                        None => self
                            .rules
                            .iter_mut()
                            .for_each(|rule| rule.is_uncertain = true),
                    }
                }
            }
            ["versions", versions @ ..] if !versions.contains(&"1.1") => {
                if let Some(rule) = rule.and_then(|rule| self.rules.get_mut(rule)) {
                    rule.versions.push(span);
                }
            }
            ["import", file, ..] => self.import = self.import.or(Some((span, *file))),
            [name, rest @ ..] if name.starts_with('@') => {
                self.named.push((*name, rest.to_vec()));
            }
            words => {
                if let Some((_, known)) = named.and_then(|named| self.named.get_mut(named)) {
                    known.extend(words);
                }
            }
        }
    }

    fn add_rule(&mut self, span: Span, words: &[&'a str], open: &[Open<'a>]) {
        let mut matchers = Vec::new();
        let mut strips = None;
        let mut is_uncertain = false;
        for block in open {
            match block.words.as_slice() {
                [kind @ ("handle" | "handle_path" | "route"), matcher @ ..] => {
                    matchers.push(matcher.first().copied().unwrap_or("*"));
                    if *kind == "handle_path" {
                        let prefix = matcher
                            .first()
                            .map_or("", |first| first.trim_end_matches('*'));
                        strips = Some((block.span, prefix));
                    }
                }
                ["handle_errors", ..] => return,
                _ => {}
            }
        }
        let upstreams = match words.first().and_then(|first| first.chars().next()) {
            Some('/' | '@' | '*') => {
                matchers.push(words[0]);
                &words[1..]
            }
            _ => words,
        };
        is_uncertain |= matchers
            .iter()
            .any(|matcher| matcher.starts_with("@") && !self.is_named(matcher));
        let has_address = upstreams.iter().all(|upstream| {
            upstream.contains(':')
                || upstream.contains('.')
                || upstream.contains('/')
                || upstream.contains('{')
        });
        // A sentence that speaks of reverse_proxy.
        if !has_address && open.is_empty() {
            return;
        }
        self.rules.push(Rule {
            span,
            upstreams: upstreams.to_vec(),
            matchers,
            strips,
            headers: Vec::new(),
            versions: Vec::new(),
            is_uncertain,
            site: open
                .first()
                .filter(|block| !is_handler(block))
                .map(|block| block.span),
            outermost: open
                .iter()
                .find(|block| is_handler(block))
                .map_or(span, |block| block.span),
        });
    }

    /// Where no rule takes the path, a rule for it with the upstream that the others have. Only
    /// where the text has one site and nothing that is unclear.
    fn miss(&self, text: &str, socket: Socket<'_>, reading: &mut Reading) {
        let Some(first) = self.rules.first() else {
            return;
        };
        let is_clear = self.rules.iter().all(|rule| {
            let takes = |matcher: &&&str| self.takes(matcher, socket.path) == Takes::Unknown;
            rule.site == first.site
                && !rule.is_uncertain
                && !rule.matchers.iter().any(|matcher| takes(&matcher))
        });
        if !is_clear || self.import.is_some() || first.site.is_none() {
            return;
        }
        reading.add("edge.config", "location-missing", first.outermost);
        let mut draft = Draft::new("Caddy", first.outermost);
        draft.fault(
            format!("No reverse_proxy takes {}.", socket.path),
            first.outermost,
        );
        if let (true, Some(upstream)) = (socket.has_plain_path(), first.upstreams.first()) {
            let start = first.outermost.start;
            let indent = indent_of(text, start);
            let newline = line_end(text, start).1;
            let step = if indent.contains('\t') { "\t" } else { "    " };
            let rule = if first.outermost == first.span {
                format!("reverse_proxy {} {upstream}{newline}{indent}", socket.path)
            } else {
                format!(
                    "handle {} {{{newline}{indent}{step}reverse_proxy {upstream}{newline}{indent}}}{newline}{indent}",
                    socket.path
                )
            };
            draft.replace(Span { start, end: start }, rule);
        }
        reading.drafts.push(draft);
    }

    fn is_named(&self, matcher: &str) -> bool {
        self.named.iter().any(|(name, _)| *name == matcher)
    }

    fn takes(&self, matcher: &str, path: &str) -> Takes {
        if matcher == "*" {
            return Takes::Yes(0);
        }
        if matcher.starts_with('/') {
            return match fits(matcher, path) {
                true => Takes::Yes(matcher.len()),
                false => Takes::No,
            };
        }
        let Some((_, words)) = self.named.iter().find(|(name, _)| *name == matcher) else {
            return Takes::Unknown;
        };
        if words.iter().any(|word| {
            word.eq_ignore_ascii_case("*upgrade*") || word.eq_ignore_ascii_case("websocket")
        }) {
            return Takes::Yes(path.len());
        }
        match words.as_slice() {
            ["path", paths @ ..] => match paths.iter().find(|matcher| fits(matcher, path)) {
                Some(matcher) => Takes::Yes(matcher.len()),
                None => Takes::No,
            },
            _ => Takes::Unknown,
        }
    }

    /// The rule that takes the socket's path; without one, that which looks made for sockets or
    /// takes everything.
    fn serving(&self, socket: Option<Socket<'_>>) -> Option<&Rule<'a>> {
        let Some(socket) = socket else {
            let is_for_sockets = |rule: &&Rule<'a>| {
                rule.matchers.iter().any(|matcher| {
                    looks_like_socket(matcher)
                        || matches!(self.takes(matcher, "/ws"), Takes::Yes(1..))
                })
            };
            let takes_all = |rule: &&Rule<'a>| rule.matchers.iter().all(|matcher| *matcher == "*");
            return self
                .rules
                .iter()
                .find(is_for_sockets)
                .or_else(|| self.rules.iter().find(takes_all));
        };
        let mut best: Option<(usize, &Rule<'a>)> = None;
        for rule in &self.rules {
            let mut letters = 0;
            let mut takes = true;
            for matcher in &rule.matchers {
                match self.takes(matcher, socket.path) {
                    Takes::Yes(count) => letters = letters.max(count),
                    Takes::No => takes = false,
                    Takes::Unknown => return None,
                }
            }
            if takes && best.is_none_or(|(most, _)| letters > most) {
                best = Some((letters, rule));
            }
        }
        best.map(|(_, rule)| rule)
    }

    fn review(&self, text: &str, rule: &Rule<'a>) -> Draft {
        let mut draft = Draft::new("Caddy", rule.span);
        for header in &rule.headers {
            draft.fault("This line takes a header of the upgrade away; Caddy passes all of them on by itself.", *header);
            draft.replace(whole_line(text, *header), "");
        }
        for versions in &rule.versions {
            draft.fault(
                "Over HTTP/2 alone most servers take no WebSocket.",
                *versions,
            );
            draft.replace(*versions, "versions 1.1");
        }
        for upstream in rule
            .upstreams
            .iter()
            .filter(|upstream| upstream.starts_with("h2c://"))
        {
            draft.fault(
                "h2c:// speaks HTTP/2 only, over which most servers take no WebSocket.",
                rule.span,
            );
            let start = span_of(text, upstream).start;
            draft.replace(
                Span {
                    start,
                    end: start + "h2c".len(),
                },
                "http",
            );
        }
        if let Some((span, prefix)) = rule.strips.filter(|(_, prefix)| !prefix.is_empty()) {
            draft.hint(format!("handle_path takes {prefix} off: the server is asked for the rest of the path. With handle it would see all of it."), span);
        }
        if let Some((span, file)) = self.import {
            draft.unknown(
                format!(
                    "What {file} holds is not in the text, and it may change headers or paths."
                ),
                span,
            );
        }
        draft
    }
}

/// Whether a block stands within a site.
fn is_handler(block: &Open<'_>) -> bool {
    matches!(
        block.words.first(),
        Some(&("handle" | "handle_path" | "route" | "reverse_proxy"))
    )
}

fn fits(matcher: &str, path: &str) -> bool {
    match matcher.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => matcher == path,
    }
}
