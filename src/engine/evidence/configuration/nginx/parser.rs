//! nginx' language: words, directives, blocks, comments.
//! <https://nginx.org/en/docs/beginners_guide.html#conf_structure>

use std::borrow::Cow;

use super::Span;

/// Blocks deeper than this are not configuration that people write.
pub(super) const DEEPEST: usize = 16;
/// A directive longer than this, in bytes, ends the fragment.
pub(super) const LONGEST_DIRECTIVE: usize = 4096;
/// A directive with more words than this ends the fragment.
pub(super) const MOST_WORDS: usize = 128;

/// Words with which a fragment may begin.
pub(super) const BEGINNINGS: &[&str] = &[
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
pub(super) const OUTSIDE: &[&str] = &[
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
pub(super) const TABLES: &[&str] = &["map", "geo", "split_clients", "types"];

#[derive(Debug)]
pub(super) struct Directive<'a> {
    pub(super) name: &'a str,
    pub(super) arguments: Vec<Cow<'a, str>>,
    /// Its words, without the semicolon or the brace.
    pub(super) span: Span,
    /// One past its semicolon or its closing brace.
    pub(super) end: usize,
    pub(super) block: Option<Block<'a>>,
}

#[derive(Debug, Default)]
pub(super) struct Block<'a> {
    pub(super) directives: Vec<Directive<'a>>,
    /// Lines are missing: left out with dots, or the paste ends before the brace.
    pub(super) has_gap: bool,
}

pub(super) enum Step<'a> {
    Simple(Directive<'a>),
    Open(Directive<'a>),
    Close,
    Gap,
    End,
    Broken,
}

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    pub(super) comments: Vec<Span>,
    pub(super) saw_gap: bool,
}

impl<'a> Parser<'a> {
    pub(super) fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn skip_space(&mut self, limit: usize) {
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

    pub(super) fn skip_line(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    }

    /// One word, quotes taken off; `None` where there is none or its quote does not end.
    pub(super) fn word(&mut self, limit: usize) -> Option<Cow<'a, str>> {
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

    pub(super) fn step(&mut self, in_table: bool) -> Step<'a> {
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
                end: end + 1,
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
    pub(super) fn step_after_stray(&mut self, in_table: bool) -> Step<'a> {
        while matches!(self.byte(), Some(b';' | b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        self.step(in_table)
    }

    /// Directives up to the brace that closes them, or as far as they can be read outside.
    pub(super) fn block(&mut self, depth: usize, in_table: bool) -> (Block<'a>, bool) {
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
                    directive.end = self.at;
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

pub(super) fn is_name(word: &str) -> bool {
    word.bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && word.starts_with(|letter: char| letter.is_ascii_lowercase())
}

/// Whether a directive outside of every block is one, and not a sentence that ends in a semicolon.
pub(super) fn may_stand_outside(directive: &Directive<'_>) -> bool {
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

pub(super) fn is_location_pattern(pattern: &str) -> bool {
    pattern.starts_with(['/', '@', '=', '~', '^', '$'])
}
