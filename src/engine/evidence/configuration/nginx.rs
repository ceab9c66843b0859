//! nginx: blocks, directives, what a location inherits, which location serves a path.
//!
//! The rules are nginx' own: the longest prefix wins unless a regular expression fits, and a block
//! with any `proxy_set_header` of its own inherits none from outside.
//! <https://nginx.org/en/docs/http/ngx_http_core_module.html#location>

use std::borrow::Cow;

use regex::RegexBuilder;

use super::{Reading, Socket, Span, looks_like_socket};

/// Blocks deeper than this are not configuration that people write.
const DEEPEST: usize = 16;
/// A directive longer than this, in bytes, ends the fragment.
const LONGEST_DIRECTIVE: usize = 4096;
/// A directive with more words than this ends the fragment.
const MOST_WORDS: usize = 128;
/// After so many words that only looked like a beginning the text is not configuration.
const MOST_FALSE_STARTS: usize = 1000;
/// More fragments than this are not read from one text.
const MOST_FRAGMENTS: usize = 1000;
/// More servers or locations than this are not compared with a socket.
const MOST_SERVERS: usize = 20;
const MOST_LOCATIONS: usize = 200;
/// More expressions than this are not compiled for one text, and no longer ones, in bytes.
const MOST_EXPRESSIONS: usize = 64;
const LONGEST_EXPRESSION: usize = 200;

/// Words with which a fragment may begin.
const BEGINNINGS: &[&str] = &[
    "location",
    "server",
    "http",
    "upstream",
    "map",
    "proxy_pass",
    "proxy_set_header",
    "proxy_http_version",
    "proxy_read_timeout",
    "proxy_send_timeout",
    "listen",
    "server_name",
];

/// Further words that may stand outside of every block of a fragment.
const OUTSIDE: &[&str] = &[
    "include",
    "proxy_buffering",
    "proxy_redirect",
    "proxy_connect_timeout",
    "proxy_cache_bypass",
    "proxy_ssl_verify",
    "proxy_ssl_server_name",
    "root",
    "index",
    "try_files",
    "return",
    "rewrite",
    "if",
    "add_header",
    "client_max_body_size",
    "keepalive_timeout",
    "resolver",
    "set",
    "error_page",
    "access_log",
    "error_log",
    "ssl_certificate",
    "ssl_certificate_key",
    "ssl_protocols",
    "ssl_ciphers",
    "events",
    "user",
    "worker_processes",
    "pid",
    "gzip",
    "log_format",
    "limit_req_zone",
    "proxy_cache_path",
];

/// Blocks whose lines are data, not directives.
const TABLES: &[&str] = &["map", "geo", "split_clients", "types"];

/// Included files that hold nothing about how requests are passed on.
const HARMLESS_INCLUDES: &[&str] = &[
    "mime.types",
    "options-ssl",
    "letsencrypt",
    "ssl-",
    "ssl_",
    "ssl.conf",
    "fastcgi",
    "uwsgi_params",
    "modules-enabled",
    "sites-enabled",
    "acme",
    "gzip",
];

#[derive(Debug)]
struct Directive<'a> {
    name: &'a str,
    arguments: Vec<Cow<'a, str>>,
    span: Span,
    block: Option<Block<'a>>,
}

#[derive(Debug, Default)]
struct Block<'a> {
    directives: Vec<Directive<'a>>,
    /// Lines are missing: left out with dots, or the paste ends before the brace.
    has_gap: bool,
}

/// The nginx configuration of a text.
#[derive(Debug, Default)]
pub(super) struct Nginx<'a> {
    text: &'a str,
    /// What stands outside of every block. Fragments with prose between them are one configuration.
    root: Block<'a>,
    regions: Vec<Span>,
    comments: Vec<Span>,
}

enum Step<'a> {
    Simple(Directive<'a>),
    Open(Directive<'a>),
    Close,
    Gap,
    End,
    Broken,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    comments: Vec<Span>,
    saw_gap: bool,
}

impl<'a> Parser<'a> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self, limit: usize) {
        while let Some(byte) = self.byte().filter(|_| self.at < limit) {
            if byte == b'#' {
                let start = self.at;
                self.skip_line();
                let words = &self.text[start..self.at];
                self.saw_gap |= words.contains("...") || words.contains('…');
                self.comments.push(Span {
                    start,
                    end: self.at,
                });
            } else if byte.is_ascii_whitespace() {
                self.at += 1;
            } else {
                break;
            }
        }
    }

    fn skip_line(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    }

    /// One word, quotes taken off; `None` where there is none or its quote does not end.
    fn word(&mut self, limit: usize) -> Option<Cow<'a, str>> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        if let Some(quote @ (b'"' | b'\'')) = self.byte() {
            self.at += 1;
            let mut has_escape = false;
            while self.at < limit {
                match bytes[self.at] {
                    b'\\' => {
                        has_escape = true;
                        self.at = (self.at + 2).min(bytes.len());
                    }
                    byte if byte == quote => {
                        let inner = &self.text[start + 1..self.at];
                        self.at += 1;
                        return Some(if has_escape {
                            Cow::Owned(inner.replace("\\\"", "\"").replace("\\'", "'"))
                        } else {
                            Cow::Borrowed(inner)
                        });
                    }
                    _ => self.at += 1,
                }
            }
            return None;
        }
        while self.at < limit {
            match bytes[self.at] {
                b'{' if self.at > start && bytes[self.at - 1] == b'$' => {
                    // ${name}
                    while self.at < limit && bytes[self.at] != b'}' {
                        self.at += 1;
                    }
                    self.at = (self.at + 1).min(limit);
                }
                b';' | b'{' | b'}' => break,
                byte if byte.is_ascii_whitespace() => break,
                b'\\' => self.at = (self.at + 2).min(limit),
                _ => self.at += 1,
            }
        }
        while !self.text.is_char_boundary(self.at) {
            self.at += 1;
        }
        (self.at > start).then(|| Cow::Borrowed(&self.text[start..self.at]))
    }

    fn step(&mut self, in_table: bool) -> Step<'a> {
        self.skip_space(self.text.len());
        let start = self.at;
        let limit = (start + LONGEST_DIRECTIVE).min(self.text.len());
        match self.byte() {
            None => return Step::End,
            Some(b'}') => {
                self.at += 1;
                return Step::Close;
            }
            Some(b'.') if self.text[self.at..].starts_with("...") => {
                self.skip_line();
                return Step::Gap;
            }
            Some(_) if self.text[self.at..].starts_with('…') => {
                self.skip_line();
                return Step::Gap;
            }
            Some(b';') => {
                self.at += 1;
                return self.step_after_stray(in_table);
            }
            Some(_) => {}
        }
        let Some(first) = self.word(limit) else {
            return Step::Broken;
        };
        let name: &'a str = if in_table {
            ""
        } else {
            match first {
                Cow::Borrowed(name) if is_name(name) && self.at == start + name.len() => name,
                _ => return Step::Broken,
            }
        };
        let mut arguments = if in_table { vec![first] } else { Vec::new() };
        loop {
            self.skip_space(limit);
            let end = self.at;
            if end >= limit || arguments.len() > MOST_WORDS {
                return Step::Broken;
            }
            let directive = |arguments| Directive {
                name,
                arguments,
                span: Span { start, end },
                block: None,
            };
            match self.byte() {
                None | Some(b'}') => return Step::Broken,
                Some(b';') => {
                    self.at += 1;
                    return Step::Simple(directive(arguments));
                }
                Some(b'{') => {
                    self.at += 1;
                    return Step::Open(directive(arguments));
                }
                Some(_) => match self.word(limit) {
                    Some(word) => arguments.push(word),
                    None => return Step::Broken,
                },
            }
        }
    }

    /// A second semicolon is a slip that changes nothing.
    fn step_after_stray(&mut self, in_table: bool) -> Step<'a> {
        while matches!(self.byte(), Some(b';' | b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        self.step(in_table)
    }

    /// Directives up to the brace that closes them, or as far as they can be read outside.
    fn block(&mut self, depth: usize, in_table: bool) -> (Block<'a>, bool) {
        let mut block = Block::default();
        loop {
            let before = self.at;
            let comments = self.comments.len();
            let step = self.step(in_table);
            block.has_gap |= std::mem::take(&mut self.saw_gap);
            match step {
                Step::Simple(directive) if depth > 0 || may_stand_outside(&directive) => {
                    block.directives.push(directive);
                }
                Step::Open(mut directive)
                    if depth < DEEPEST && (depth > 0 || may_stand_outside(&directive)) =>
                {
                    let is_table = TABLES.contains(&directive.name);
                    let (inner, is_closed) = self.block(depth + 1, is_table);
                    directive.block = Some(inner);
                    block.directives.push(directive);
                    if !is_closed {
                        block.has_gap = true;
                        return (block, false);
                    }
                }
                // Outside: the brace of a block whose beginning is not in the text.
                Step::Close => return (block, true),
                Step::Gap => block.has_gap = true,
                Step::End if depth == 0 => return (block, true),
                _ => {
                    self.at = before;
                    self.comments.truncate(comments);
                    block.has_gap |= depth > 0;
                    return (block, false);
                }
            }
        }
    }
}

fn is_name(word: &str) -> bool {
    word.bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && word.starts_with(|letter: char| letter.is_ascii_lowercase())
}

/// Whether a directive outside of every block is one, and not a sentence that ends in a semicolon.
fn may_stand_outside(directive: &Directive<'_>) -> bool {
    let count = directive.arguments.len();
    let first = directive.arguments.first().map_or("", |first| first);
    match directive.name {
        "location" => match count {
            1 => is_location_pattern(first),
            2 => matches!(first, "=" | "~" | "~*" | "^~"),
            _ => false,
        },
        "server" | "http" | "events" => count == 0,
        "upstream" | "proxy_pass" | "proxy_http_version" | "proxy_read_timeout"
        | "proxy_send_timeout" | "include" => count == 1,
        "map" => count == 2 && first.contains('$'),
        "proxy_set_header" => count == 2,
        "if" => first.starts_with('('),
        name => {
            (BEGINNINGS.contains(&name) || OUTSIDE.contains(&name)) && (1..=24).contains(&count)
        }
    }
}

fn is_location_pattern(pattern: &str) -> bool {
    pattern.starts_with(['/', '@', '=', '~', '^', '$'])
}

impl<'a> Nginx<'a> {
    /// Finds the fragments of nginx configuration in a text, whole or cut.
    pub(super) fn find(text: &'a str) -> Self {
        let mut found = Nginx {
            text,
            ..Nginx::default()
        };
        let telling = ["proxy_", "_pass", "try_files"];
        if !telling
            .iter()
            .any(|word| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some())
        {
            return found;
        }
        let mut parser = Parser {
            text,
            at: 0,
            comments: Vec::new(),
            saw_gap: false,
        };
        let mut false_starts = 0;
        while let Some(start) = next_beginning(text, parser.at) {
            parser.at = start;
            let comments = parser.comments.len();
            parser.saw_gap = false;
            let (block, _) = parser.block(0, false);
            if parser.at > start && is_nginx(&block.directives) {
                found.regions.push(Span {
                    start,
                    end: parser.at,
                });
                found.root.has_gap |= block.has_gap;
                found.root.directives.extend(block.directives);
                if found.regions.len() == MOST_FRAGMENTS {
                    break;
                }
                continue;
            }
            parser.comments.truncate(comments);
            parser.at = start + 1;
            false_starts += 1;
            if false_starts == MOST_FALSE_STARTS {
                break;
            }
        }
        found.comments = parser.comments;
        found
    }

    pub(super) fn regions(&self) -> &[Span] {
        &self.regions
    }
}

/// The next place at which a word stands with which a fragment may begin, outside of comments.
fn next_beginning(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    let mut is_boundary = at == 0 || !is_word(bytes[at - 1]);
    let mut is_line_empty = at == 0 || bytes[at - 1] == b'\n';
    while at < bytes.len() {
        let byte = bytes[at];
        if byte == b'#' && is_line_empty {
            at += memchr::memchr(b'\n', &bytes[at..])?;
        } else if is_boundary && matches!(byte, b'h' | b'l' | b'm' | b'p' | b's' | b'u') {
            let rest = &bytes[at..];
            let is_beginning = BEGINNINGS.iter().any(|word| {
                rest.starts_with(word.as_bytes())
                    && rest
                        .get(word.len())
                        .is_some_and(|next| next.is_ascii_whitespace() || *next == b'{')
            });
            if is_beginning {
                return Some(at);
            }
        }
        is_boundary = !is_word(bytes[at]);
        is_line_empty = bytes[at] == b'\n' || (is_line_empty && bytes[at].is_ascii_whitespace());
        at += 1;
    }
    None
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'$') || byte > 127
}

/// Whether there is anything in it that only nginx has.
fn is_nginx(directives: &[Directive<'_>]) -> bool {
    directives.iter().any(|directive| {
        directive.name.starts_with("proxy_")
            || directive.name == "map"
            || (directive.name == "upstream" && directive.block.is_some())
            || (directive.name == "location" && directive.block.is_some())
            || directive
                .block
                .as_ref()
                .is_some_and(|block| is_nginx(&block.directives))
    })
}

/// What is known of a header or of the version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Right,
    Wrong,
    Absent,
    Unknown,
}

/// What a location does to a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It passes the upgrade on.
    Present,
    /// It does, but over HTTP/1.0 before nginx 1.29.7.
    VersionMissing,
    /// It does not.
    Missing,
    /// The request does not leave nginx.
    NotPassed,
    Unknown,
}

/// A location with the blocks around it, outermost first.
#[derive(Clone, Debug)]
struct Place<'t, 'a> {
    around: Vec<&'t Block<'a>>,
    location: Option<&'t Directive<'a>>,
}

impl<'a> Block<'a> {
    fn named(&self, name: &'static str) -> impl Iterator<Item = &Directive<'a>> {
        self.directives
            .iter()
            .filter(move |directive| directive.name == name)
    }

    /// Whether lines that matter may stand elsewhere.
    fn is_open(&self) -> bool {
        self.has_gap
            || self.named("include").any(|include| {
                let file = include.arguments.first().map_or("", |file| file);
                !HARMLESS_INCLUDES.iter().any(|known| file.contains(known))
            })
    }

    /// The directive that passes requests on, here or in an `if` of this block.
    fn pass(&self) -> Option<&Directive<'a>> {
        let is_pass = |directive: &&Directive<'a>| {
            matches!(
                directive.name,
                "proxy_pass" | "grpc_pass" | "fastcgi_pass" | "uwsgi_pass" | "scgi_pass"
            ) && !directive.arguments.is_empty()
        };
        self.directives.iter().find(is_pass).or_else(|| {
            self.named("if")
                .filter_map(|branch| branch.block.as_ref())
                .find_map(|block| block.directives.iter().find(is_pass))
        })
    }

    fn has_pass_within(&self) -> bool {
        self.pass().is_some()
            || self
                .named("location")
                .filter_map(|location| location.block.as_ref())
                .any(Block::has_pass_within)
    }
}

impl<'t, 'a> Place<'t, 'a> {
    fn block(&self) -> Option<&'t Block<'a>> {
        self.around.last().copied()
    }

    /// Lines that stand in no block tell what is there and not what is missing.
    fn is_loose(&self) -> bool {
        self.location.is_none() && self.around.len() == 1
    }

    fn is_within_server(&self) -> bool {
        self.around.len() > 1 + usize::from(self.location.is_some())
    }

    /// The words of a location's pattern without its modifier.
    fn pattern(&self) -> &'t str {
        self.location
            .and_then(|location| location.arguments.last())
            .map_or("", |pattern| {
                pattern.trim_start_matches(['=', '~', '^', '*'])
            })
    }

    /// Inherited as a whole, and only where a block has none of its own.
    fn header(&self, name: &str, judge: impl Fn(&str) -> State) -> State {
        let mut may_be_elsewhere = false;
        for block in self.around.iter().rev() {
            let mut headers = block
                .named("proxy_set_header")
                .filter(|header| header.arguments.len() == 2)
                .peekable();
            may_be_elsewhere |= block.is_open();
            if headers.peek().is_none() {
                continue;
            }
            let states: Vec<State> = headers
                .filter(|header| header.arguments[0].eq_ignore_ascii_case(name))
                .map(|header| judge(&header.arguments[1]))
                .collect();
            return match states.as_slice() {
                states if states.contains(&State::Right) => State::Right,
                states if states.contains(&State::Unknown) => State::Unknown,
                [] if may_be_elsewhere => State::Unknown,
                [] => State::Absent,
                _ => State::Wrong,
            };
        }
        if may_be_elsewhere {
            State::Unknown
        } else {
            State::Absent
        }
    }

    fn version(&self) -> State {
        let mut may_be_elsewhere = false;
        for block in self.around.iter().rev() {
            if let Some(version) = block.named("proxy_http_version").last() {
                return match version.arguments.first().map_or("", |version| version) {
                    "1.1" => State::Right,
                    "1.0" => State::Absent,
                    _ => State::Wrong,
                };
            }
            may_be_elsewhere |= block.is_open();
        }
        if may_be_elsewhere {
            State::Unknown
        } else {
            State::Absent
        }
    }
}

impl<'a> Nginx<'a> {
    /// What the configuration does to the socket, or to whatever sockets it seems made for.
    pub(super) fn reading(&self, socket: Option<Socket<'_>>) -> Reading {
        let mut reading = Reading {
            regions: self.regions.clone(),
            judged: self.regions.clone(),
            owned: self.comments.clone(),
            ..Reading::default()
        };
        let mut passes = Vec::new();
        collect_passes(&self.root, &mut passes);
        if let Some(pass) = passes.first() {
            reading.add("edge.server", "nginx", pass.span);
            reading.add("edge.present", "yes", pass.span);
        }
        let (places, by_path) = self.serving(socket);
        let verdicts: Vec<(Verdict, &Place<'_, 'a>)> = places
            .iter()
            .map(|place| (self.verdict(place), place))
            .collect();
        self.conclude(&verdicts, by_path, &mut reading);
        if let Some((_, place)) = verdicts.first() {
            self.note_pass(place, socket, &mut reading);
        }
        reading
    }

    fn conclude(
        &self,
        verdicts: &[(Verdict, &Place<'_, 'a>)],
        by_path: bool,
        reading: &mut Reading,
    ) {
        let of = |wanted: Verdict| verdicts.iter().find(|(verdict, _)| *verdict == wanted);
        let like_a_socket = verdicts
            .iter()
            .any(|(_, place)| looks_like_socket(place.pattern()));
        let all_agree = verdicts.windows(2).all(|pair| pair[0].0 == pair[1].0);
        // Of rules that might serve the socket one that passes it on is the one; of rules made for
        // sockets that differ nobody knows which is meant.
        let chosen = if all_agree {
            verdicts.first()
        } else if by_path || like_a_socket {
            None
        } else {
            of(Verdict::Present)
                .or_else(|| of(Verdict::VersionMissing))
                .filter(|_| of(Verdict::Unknown).is_none() || of(Verdict::Present).is_some())
        };
        let Some((verdict, place)) = chosen else {
            return;
        };
        let value = match verdict {
            // A few lines without their block: the others may stand there too.
            Verdict::Present | Verdict::VersionMissing | Verdict::Unknown
                if place.is_loose() && self.says_upgrade(place) =>
            {
                "complete"
            }
            Verdict::Present => "upgrade-present",
            Verdict::VersionMissing => "http-1.0",
            Verdict::Missing => "upgrade-missing",
            // A server is known whole; around a lone location there may be others.
            Verdict::NotPassed if by_path && place.is_within_server() => "location-missing",
            Verdict::NotPassed | Verdict::Unknown => return,
        };
        reading.add("edge.config", value, self.line_of(place));
    }

    fn says_upgrade(&self, place: &Place<'_, 'a>) -> bool {
        place.header("upgrade", judge_upgrade) == State::Right
            || place.header("connection", |value| self.judge_connection(value)) == State::Right
    }

    /// The rule's own line.
    fn line_of(&self, place: &Place<'_, 'a>) -> Span {
        let directive = place.location.or_else(|| {
            let block = place.block()?;
            block
                .directives
                .iter()
                .find(|directive| directive.name.starts_with("proxy_"))
                .or(block.directives.first())
        });
        let span = directive.map_or(Span { start: 0, end: 0 }, |directive| directive.span);
        let words = self.text[span.start..span.end].trim_end();
        let line = words.find('\n').unwrap_or(words.len());
        Span {
            start: span.start,
            end: span.start + line,
        }
    }

    fn verdict(&self, place: &Place<'_, 'a>) -> Verdict {
        let Some(block) = place.block() else {
            return Verdict::Unknown;
        };
        match block.pass() {
            Some(pass) if pass.name != "proxy_pass" => return Verdict::Missing,
            Some(_) => {}
            None if place.is_loose() => {}
            None => {
                let goes_elsewhere = block.directives.iter().any(|directive| {
                    matches!(directive.name, "rewrite" | "return" | "error_page")
                        || directive.name.contains("_by_lua")
                        || directive.name == "js_content"
                });
                let is_open = place.around.iter().any(|block| block.is_open());
                return if goes_elsewhere || is_open {
                    Verdict::Unknown
                } else {
                    Verdict::NotPassed
                };
            }
        }
        let upgrade = place.header("upgrade", judge_upgrade);
        let connection = place.header("connection", |value| self.judge_connection(value));
        let is_lost =
            |state: State| state == State::Wrong || (state == State::Absent && !place.is_loose());
        if is_lost(upgrade) || is_lost(connection) {
            return Verdict::Missing;
        }
        match (upgrade, connection, place.version()) {
            (State::Right, State::Right, State::Right) => Verdict::Present,
            (State::Right, State::Right, State::Absent) => Verdict::VersionMissing,
            (State::Right, State::Right, State::Wrong) => Verdict::Missing,
            _ => Verdict::Unknown,
        }
    }

    fn judge_connection(&self, value: &str) -> State {
        let lower = value.trim().to_ascii_lowercase();
        if lower.contains("upgrade") && !lower.contains('$') {
            return State::Right;
        }
        if !lower.contains('$') {
            return State::Wrong;
        }
        if lower == "$http_connection" {
            return State::Right;
        }
        let name = lower.trim_matches(['$', '{', '}']);
        match self.map_onto(name) {
            Some(map) => map,
            None if name == "connection_upgrade" => State::Right,
            None => State::Unknown,
        }
    }

    /// Blocks that stand beside the servers.
    fn outside_servers(&self, name: &'static str) -> impl Iterator<Item = &Directive<'a>> {
        let inner = self
            .root
            .named("http")
            .filter_map(|http| http.block.as_ref())
            .flat_map(move |http| http.named(name));
        self.root.named(name).chain(inner)
    }

    /// What a map of `$http_upgrade` onto the variable makes of a handshake.
    fn map_onto(&self, name: &str) -> Option<State> {
        for map in self.outside_servers("map") {
            let (Some(from), Some(onto), Some(block)) =
                (map.arguments.first(), map.arguments.get(1), &map.block)
            else {
                continue;
            };
            if !onto
                .trim_matches(['$', '{', '}'])
                .eq_ignore_ascii_case(name)
            {
                continue;
            }
            if !from.eq_ignore_ascii_case("$http_upgrade") {
                return Some(State::Unknown);
            }
            let onto_upgrade = block.directives.iter().any(|entry| {
                let (Some(key), Some(value)) = (entry.arguments.first(), entry.arguments.get(1))
                else {
                    return false;
                };
                let is_for_sockets = key == "default"
                    || key.to_ascii_lowercase().contains("websocket")
                    || key.starts_with('~');
                is_for_sockets
                    && (value.eq_ignore_ascii_case("upgrade")
                        || value.eq_ignore_ascii_case("$http_connection"))
            });
            return Some(match (onto_upgrade, block.is_open()) {
                (true, _) => State::Right,
                (false, true) => State::Unknown,
                (false, false) => State::Wrong,
            });
        }
        None
    }

    /// The places that may serve the socket, and whether its path chose them.
    fn serving(&self, socket: Option<Socket<'_>>) -> (Vec<Place<'_, 'a>>, bool) {
        let mut servers = Vec::new();
        collect_servers(&self.root, &[], &mut servers);
        // A socket on a port on which no server listens does not come this way, or comes through
        // another mapping; its path still may be the one.
        let socket = socket.filter(|socket| {
            let all: Vec<&Block<'a>> = servers.iter().filter_map(Place::block).collect();
            all.iter()
                .all(|block| block.named("listen").next().is_none())
                || socket.port == 443
                || socket.port == 80
                || all.iter().any(|block| listens_on(block, socket.port))
        });
        if let Some(socket) = socket {
            keep_if_any(&mut servers, |server| {
                server
                    .block()
                    .is_some_and(|block| listens_on(block, socket.port))
            });
            keep_if_any(&mut servers, |server| names_host(server, socket.host));
            keep_if_any(&mut servers, |server| {
                is_encrypted(server) == socket.is_encrypted
            });
        }
        keep_if_any(&mut servers, |server| {
            server.block().is_some_and(Block::has_pass_within)
        });
        servers.truncate(MOST_SERVERS);
        let mut places = Vec::new();
        for server in &servers {
            collect_places(server, &mut places);
        }
        places.truncate(MOST_LOCATIONS);
        if let Some(socket) = socket {
            let mut expressions = MOST_EXPRESSIONS;
            let chosen = servers
                .iter()
                .flat_map(|server| locate(server, socket.path, &mut expressions))
                .take(MOST_LOCATIONS)
                .collect();
            return (chosen, true);
        }
        places.retain(|place| {
            place.block().is_some_and(|block| block.pass().is_some())
                || (place.is_loose() && self.says_upgrade(place))
        });
        keep_if_any(&mut places, |place| looks_like_socket(place.pattern()));
        if !places
            .iter()
            .any(|place| looks_like_socket(place.pattern()))
        {
            // Scripts have rules of their own, beside those that sockets may take.
            places.retain(|place| {
                place
                    .block()
                    .and_then(Block::pass)
                    .is_none_or(|pass| pass.name == "proxy_pass")
            });
        }
        (places, false)
    }

    /// Where the requests go, how long a silence may last, and whether the path changes.
    fn note_pass(&self, place: &Place<'_, 'a>, socket: Option<Socket<'_>>, reading: &mut Reading) {
        let Some(pass) = place.block().and_then(Block::pass) else {
            return;
        };
        let Some(target) = pass.arguments.first() else {
            return;
        };
        let rest = target.split_once("://").map_or(&**target, |(_, rest)| rest);
        let (host, uri) = rest
            .find('/')
            .map_or((rest, ""), |slash| rest.split_at(slash));
        let upstream = self.upstream(host).unwrap_or(host);
        if !upstream.is_empty() && !upstream.contains('$') {
            reading.add("edge.upstream", upstream, pass.span);
        }
        if pass.name != "proxy_pass" || uri.is_empty() || target.contains('$') {
            return;
        }
        let prefix = place.pattern();
        let is_plain = place.location.is_some_and(|location| {
            location
                .arguments
                .first()
                .is_some_and(|first| !first.starts_with('~'))
        });
        let Some(path) = socket.map(|socket| socket.path).filter(|_| is_plain) else {
            return;
        };
        let Some(after) = path.strip_prefix(prefix) else {
            return;
        };
        let sent = format!("{uri}{after}");
        if sent.contains("//") && !path.contains("//") {
            reading.add("edge.config", "prefix-stripped", pass.span);
        } else if sent != path {
            reading.add("edge.config", "path-changed", pass.span);
        }
    }

    /// The first server of an upstream.
    fn upstream(&self, name: &str) -> Option<&str> {
        self.outside_servers("upstream")
            .find(|upstream| {
                upstream
                    .arguments
                    .first()
                    .is_some_and(|known| known == name)
            })?
            .block
            .as_ref()?
            .named("server")
            .find_map(|server| server.arguments.first())
            .map(|address| &**address)
    }
}

fn judge_upgrade(value: &str) -> State {
    let lower = value.trim().to_ascii_lowercase();
    match lower.as_str() {
        "$http_upgrade" | "${http_upgrade}" | "websocket" => State::Right,
        _ if lower.contains('$') => State::Unknown,
        _ => State::Wrong,
    }
}

/// Keeps what fits, or everything if nothing does.
fn keep_if_any<T>(items: &mut Vec<T>, fits: impl Fn(&T) -> bool) {
    if items.iter().any(&fits) {
        items.retain(fits);
    }
}

fn collect_passes<'t, 'a>(block: &'t Block<'a>, passes: &mut Vec<&'t Directive<'a>>) {
    for directive in &block.directives {
        if directive.name == "proxy_pass" || directive.name.starts_with("proxy_set_header") {
            passes.push(directive);
        }
        if let Some(inner) = &directive.block {
            collect_passes(inner, passes);
        }
    }
}

/// The servers, and what stands outside of every server: lone locations and lone lines.
fn collect_servers<'t, 'a>(
    block: &'t Block<'a>,
    around: &[&'t Block<'a>],
    servers: &mut Vec<Place<'t, 'a>>,
) {
    let mut around = around.to_vec();
    around.push(block);
    for directive in &block.directives {
        let Some(inner) = &directive.block else {
            continue;
        };
        match directive.name {
            "http" => collect_servers(inner, &around, servers),
            "server" => {
                let mut around = around.clone();
                around.push(inner);
                servers.push(Place {
                    around,
                    location: None,
                });
            }
            _ => {}
        }
    }
    let is_loose = block.directives.iter().any(|directive| {
        directive.name == "location" || matches!(directive.name, "proxy_pass" | "proxy_set_header")
    });
    if is_loose && around.len() == 1 {
        servers.push(Place {
            around,
            location: None,
        });
    }
}

/// Whether a server says that it serves the host.
fn names_host(server: &Place<'_, '_>, host: &str) -> bool {
    server.block().is_some_and(|block| {
        block
            .named("server_name")
            .flat_map(|names| &names.arguments)
            .any(|name| {
                let suffix = name
                    .strip_prefix('*')
                    .or(name.starts_with('.').then_some(name));
                name.eq_ignore_ascii_case(host)
                    || suffix.is_some_and(|suffix| {
                        host.ends_with(suffix) || host == suffix.trim_start_matches('.')
                    })
            })
    })
}

fn is_encrypted(server: &Place<'_, '_>) -> bool {
    server.block().is_some_and(|block| {
        block.named("listen").any(|listen| {
            listen
                .arguments
                .iter()
                .any(|word| word == "ssl" || word == "quic" || word.ends_with("443"))
        })
    })
}

fn listens_on(server: &Block<'_>, port: u16) -> bool {
    server
        .named("listen")
        .filter_map(|listen| listen.arguments.first())
        .any(|address| {
            let written = address.rsplit(':').next().unwrap_or(address);
            written.parse() == Ok(port)
        })
}

/// Every location of a server, and the lines that stand in none.
fn collect_places<'t, 'a>(place: &Place<'t, 'a>, places: &mut Vec<Place<'t, 'a>>) {
    let Some(block) = place.block() else { return };
    if places.len() > MOST_LOCATIONS {
        return;
    }
    for inner in inner_locations(place, block) {
        collect_places(&inner, places);
    }
    places.push(place.clone());
}

fn inner_locations<'t, 'a>(
    place: &Place<'t, 'a>,
    block: &'t Block<'a>,
) -> impl Iterator<Item = Place<'t, 'a>> {
    let around = place.around.clone();
    block.named("location").filter_map(move |location| {
        let mut around = around.clone();
        around.push(location.block.as_ref()?);
        Some(Place {
            around,
            location: Some(location),
        })
    })
}

/// The place that serves a path, as nginx chooses it; none if that cannot be told, several if the
/// text has several rules for it.
fn locate<'t, 'a>(
    place: &Place<'t, 'a>,
    path: &str,
    expressions: &mut usize,
) -> Vec<Place<'t, 'a>> {
    let Some(block) = place.block() else {
        return Vec::new();
    };
    let candidates: Vec<Place<'t, 'a>> =
        inner_locations(place, block).take(MOST_LOCATIONS).collect();
    let chosen = match choose(&candidates, path, expressions) {
        Choice::Rule(modifier, pattern) => {
            // An included file may have a rule that fits better than the one for everything.
            if block.is_open() && pattern.len() <= 1 && path.len() > 1 {
                return Vec::new();
            }
            (modifier, pattern)
        }
        Choice::Unclear => return Vec::new(),
        Choice::None => {
            let is_known_whole = !block.is_open() && (candidates.is_empty() || !place.is_loose());
            return if is_known_whole || place.location.is_some() {
                vec![place.clone()]
            } else {
                Vec::new()
            };
        }
    };
    candidates
        .iter()
        .filter(|candidate| modifier_of(candidate) == chosen)
        .filter_map(|candidate| follow(candidate, place))
        .flat_map(|followed| {
            if followed
                .block()
                .is_some_and(|block| block.named("location").next().is_some())
            {
                locate(&followed, path, expressions)
            } else {
                vec![followed]
            }
        })
        .collect()
}

enum Choice<'t> {
    /// Modifier and pattern.
    Rule(&'t str, &'t str),
    None,
    /// An expression cannot be read.
    Unclear,
}

fn choose<'t>(candidates: &[Place<'t, '_>], path: &str, left: &mut usize) -> Choice<'t> {
    let mut best: Option<(&str, &str)> = None;
    for (modifier, pattern) in candidates.iter().map(modifier_of) {
        match modifier {
            "=" if pattern == path => return Choice::Rule(modifier, pattern),
            "" | "^~"
                if path.starts_with(pattern)
                    && best.is_none_or(|(_, longest)| pattern.len() > longest.len()) =>
            {
                best = Some((modifier, pattern));
            }
            _ => {}
        }
    }
    if best.is_none_or(|(modifier, _)| modifier != "^~") {
        let expressions = candidates
            .iter()
            .map(modifier_of)
            .filter(|(modifier, _)| modifier.starts_with('~'));
        for (modifier, pattern) in expressions {
            if *left == 0 || pattern.len() > LONGEST_EXPRESSION {
                return Choice::Unclear;
            }
            *left -= 1;
            let expression = RegexBuilder::new(pattern)
                .case_insensitive(modifier == "~*")
                .size_limit(1 << 17)
                .build();
            match expression {
                Ok(expression) if expression.is_match(path) => {
                    return Choice::Rule(modifier, pattern);
                }
                Ok(_) => {}
                Err(_) => return Choice::Unclear,
            }
        }
    }
    best.map_or(Choice::None, |(modifier, pattern)| {
        Choice::Rule(modifier, pattern)
    })
}

/// To the named location that `try_files` ends in.
fn follow<'t, 'a>(chosen: &Place<'t, 'a>, outer: &Place<'t, 'a>) -> Option<Place<'t, 'a>> {
    let block = chosen.block()?;
    if block.pass().is_none()
        && let Some(named) = block
            .named("try_files")
            .filter_map(|files| files.arguments.last())
            .find(|last| last.starts_with('@'))
    {
        let server = outer.block()?;
        return inner_locations(outer, server).find(|place| modifier_of(place).1 == &**named);
    }
    Some(chosen.clone())
}

fn modifier_of<'t>(place: &Place<'t, '_>) -> (&'t str, &'t str) {
    let Some(location) = place.location else {
        return ("", "");
    };
    let first = location.arguments.first().map_or("", |first| &**first);
    match location.arguments.get(1) {
        Some(pattern) => (first, pattern),
        None => ["=", "~*", "~", "^~"]
            .into_iter()
            .find_map(|modifier| Some((modifier, first.strip_prefix(modifier)?)))
            .unwrap_or(("", first)),
    }
}
