//! What the words around an address say of it; those before it are given in lower case.

use super::super::Span;
use super::super::clauses::{clauses, holds, may_work, words, works_plainly};
use super::super::sentences::sentence_around;

/// Whether the words before an address say that it is a proxy's way to its server, which is not
/// what the client dials.
pub(super) fn is_behind_a_proxy(lead: &str) -> bool {
    let lead = lead.trim_end_matches([' ', '\'', '"', ':', '=', '\t']);
    [
        "upstream",
        "proxy_pass",
        "proxypass",
        "reverse_proxy",
        "backend",
        "fastcgi_pass",
    ]
    .iter()
    .any(|word| lead.ends_with(word))
}

/// Whether the words before an address say that it is the page that opens the socket.
pub(super) fn says_page(lead: &str) -> bool {
    let lead = lead.trim_end_matches([' ', '\'', '"', ':', '‘', '“', '=', '`']);
    [
        "page at",
        "origin",
        "the page",
        "page is",
        "page url",
        "page_url",
        "loaded from",
        "document",
        "referer",
        "site is",
        "page",
        "website",
        "origin not allowed",
        "origin is not allowed",
        "disallowed origin",
        "invalid origin",
        "unexpected origin",
    ]
    .iter()
    .any(|word| lead.ends_with(word))
}

/// Whether the words before an address say that it is an example, or a comment begins in them.
pub(super) fn is_example(lead: &str, is_first_line: bool) -> bool {
    let trimmed = lead.trim_start();
    let is_comment = (!is_first_line && trimmed.starts_with("# "))
        || trimmed.starts_with("//")
        || lead.contains("<!--")
        || lead.contains("/*")
        || lead.contains(" // ");
    let lead = lead.trim_end_matches([' ', '\'', '"', ':', '`', '(', '=', ',']);
    is_comment
        || ["e.g.", "e.g", "example", "for instance", "such as", "usage"]
            .iter()
            .any(|word| lead.ends_with(word))
}

/// What servers do where they say that they listen, before "on", "at" and their like.
const LISTENING: &[&str] = &[
    "listening",
    "listens",
    "listen",
    "started",
    "starting",
    "running",
    "runs",
    "ready",
    "serving",
    "served",
    "available",
    "bound",
    "bind",
    "binding",
    "up",
    "live",
    "launched",
    "launching",
    "connections",
    "lauscht",
    "läuft",
    "gestartet",
    "bereit",
];

/// What makes a server in code, before the address that it is given.
const SERVERS: &[&str] = &[
    "websocketserver",
    "websocket.server",
    "websockets.serve",
    "server.listen",
    "app.listen",
];

/// Whether a server says before an address that it listens there ("listening on", "started at"), or
/// is made to in code.
pub(super) fn is_announced(lead: &str) -> bool {
    let mark = |letter: char| !letter.is_alphanumeric();
    let lead = lead.trim_end_matches(mark);
    if SERVERS.iter().any(|words| lead.ends_with(words)) {
        return true;
    }
    let mut words = lead
        .rsplit(|letter: char| letter.is_whitespace() || matches!(letter, '"' | '[' | ']' | '='))
        .map(|word| word.trim_matches(mark))
        .filter(|word| !word.is_empty());
    let last = words.next().unwrap_or_default();
    match last {
        // The banners of development servers.
        "listening" | "local" | "network" => words.next().is_none_or(|word| word == "now"),
        "url" => lead.contains("started server on"),
        "on" | "at" | "to" | "under" | "auf" | "unter" => {
            words.next().is_some_and(|word| LISTENING.contains(&word))
        }
        _ => false,
    }
}

/// Words before an address in whose place another one came.
const SUPERSEDED: &[&str] = &[
    "instead of",
    "rather than",
    "changed from",
    "changed it from",
    "switched from",
    "moved from",
    "url from",
    "address from",
    "used to be",
    "previously",
    "docs say",
    "docs say to use",
    "documentation says",
    "documentation says to use",
    "anstatt",
    "statt",
    "früher",
];

/// Words before an address that works.
const WORKS_ON: &[&str] = &[
    "works on",
    "works with",
    "works at",
    "works via",
    "fine on",
    "fine with",
    "funktioniert mit",
    "geht mit",
    "klappt mit",
];

/// Words behind an address that works.
const WORKS: &[&str] = &[
    "works",
    "connects",
    "is fine",
    "is ok",
    "opens fine",
    "funktioniert",
    "geht",
    "klappt",
];

/// Whether the words around an address say that it works, or that another one took its place.
pub(super) fn is_set_aside(lead: &str, after: &str) -> bool {
    let lead = lead.trim_end_matches(|letter: char| !letter.is_alphanumeric());
    let denies = |word| matches!(word, "no" | "never" | "not" | "longer" | "nicht" | "only");
    let works_on = WORKS_ON.iter().filter_map(|words| lead.strip_suffix(words));
    let is_where_it_works = works_on
        .map(|before| before.split_whitespace().rev().take(2))
        .any(|mut before| !before.any(denies));
    let line = after.lines().next().unwrap_or_default();
    let after = line.trim_start_matches([' ', '\'', '"', '`', '’', ')']);
    let works = WORKS.iter().find_map(|words| after.strip_prefix(words));
    let works = works.filter(|rest| !rest.starts_with(char::is_alphanumeric));
    SUPERSEDED.iter().any(|words| lead.ends_with(words))
        || is_where_it_works
        || works.is_some_and(|rest| !rest.split_whitespace().take(2).any(denies))
}

/// Words with which something is not said to work as it should: "works for a minute", "should work".
const LIMITED: &[&str] = &[
    "for",
    "until",
    "till",
    "sometimes",
    "first",
    "initially",
    "then",
    "once",
    "after",
    "before",
    "should",
    "would",
    "used",
    "longer",
    "except",
    "now",
    "only",
];

/// Nobody names the place where it works in a longer clause.
const MOST_WORDS: usize = 14;
/// "On https://a.example, everything works": what only names the place has at most so many words.
const MOST_WORDS_OF_PLACE: usize = 4;

/// Whether the clause around an address says that it works there: "on ws://localhost:3000 everything
/// is fine".
pub(super) fn works_there(text: &str, address: Span) -> bool {
    let sentence = sentence_around(text, address);
    if !may_work(&text[sentence.start..sentence.end]) {
        return false;
    }
    let words = words(&text[sentence.start..sentence.end]);
    let is_address = |at: &usize| {
        let word = &words[*at];
        text[sentence.start + word.start..sentence.start + word.end].contains("://")
    };
    let start = address.start - sentence.start;
    let Some(own) = words.iter().position(|word| start < word.end) else {
        return false;
    };
    let mut clauses = clauses(&words).into_iter().skip_while(|it| it.end <= own);
    let Some(mut clause) = clauses.next() else {
        return false;
    };
    if clause.end == own + 1 && clause.len() <= MOST_WORDS_OF_PLACE {
        clause.end = clauses.next().map_or(clause.end, |next| next.end);
    }
    let from = (clause.start..own).rev().find(is_address);
    let to = (own + 1..clause.end).find(is_address);
    let clause = &words[from.map_or(clause.start, |other| other + 1)..to.unwrap_or(clause.end)];
    clause.len() <= MOST_WORDS && works_plainly(clause) && !holds(clause, LIMITED)
}
