//! nginx: blocks, directives, what a location inherits, which location serves a path.
//!
//! The rules are nginx' own: the longest prefix wins unless a regular expression fits, and a block
//! with any `proxy_set_header` of its own inherits none from outside.
//! <https://nginx.org/en/docs/http/ngx_http_core_module.html#location>

mod parser;
mod place;
mod review;
mod serving;
mod verdict;

use super::super::contents::Contents;
use super::review::{indent_of, line_end};
use super::{Draft, Reading, Socket, Span, looks_like_socket};
use parser::{BEGINNINGS, Block, Directive, Parser};
use place::Place;
use verdict::Verdict;

/// After so many words that only looked like a beginning the text is not configuration.
const MOST_FALSE_STARTS: usize = 1000;
/// More fragments than this are not read from one text.
const MOST_FRAGMENTS: usize = 1000;
/// The nginx configuration of a text.
#[derive(Debug, Default)]
pub(super) struct Nginx<'a> {
    text: &'a str,
    /// What stands outside of every block. Fragments with prose between them are one configuration.
    root: Block<'a>,
    regions: Vec<Span>,
    comments: Vec<Span>,
}

impl<'a> Nginx<'a> {
    /// Finds the fragments of nginx configuration in a text, whole or cut.
    pub(super) fn find(contents: &Contents<'a>) -> Self {
        let text = contents.text();
        let mut found = Nginx {
            text,
            ..Nginx::default()
        };
        if !contents.holds_one_of(&["proxy_", "_pass", "try_files"]) {
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

impl<'a> Nginx<'a> {
    /// What the configuration does to the socket, or to whatever sockets it seems made for.
    pub(super) fn reading(&self, socket: Option<Socket<'_>>) -> Reading {
        let mut reading = Reading {
            regions: self.regions.clone(),
            judged: self.regions.clone(),
            owned: self.comments.clone(),
            ..Reading::default()
        };
        collect_listeners(&self.root, &mut reading.owned);
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
        self.conclude(&verdicts, by_path, socket, &mut reading);
        if let Some((_, place)) = verdicts.first() {
            self.note_pass(place, socket, &mut reading);
        }
        reading
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

/// Where nginx listens says nothing of the handshake: a socket comes over HTTP/1.1 there too.
fn collect_listeners(block: &Block<'_>, spans: &mut Vec<Span>) {
    for directive in &block.directives {
        if matches!(directive.name, "listen" | "server_name" | "http2") {
            spans.push(directive.span);
        }
        if let Some(inner) = &directive.block {
            collect_listeners(inner, spans);
        }
    }
}
