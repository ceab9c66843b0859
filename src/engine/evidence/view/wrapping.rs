//! Messages that a terminal, a mail program or a chat wrapped at a width.
//!
//! A line is joined with the next only where a greedy wrap would have broken there, where neither
//! looks like a line of its own (a log's prefix, a stack frame, a field, code), and where the words
//! themselves say that the sentence goes on.

use super::Edit;

/// A shorter line was hardly wrapped.
const SHORTEST: usize = 16;
/// A longer line was hardly wrapped, and neither was one of a text with lines that long beside it.
const LONGEST: usize = 240;
/// A line this long that breaks off before a word in lower case was wrapped.
const LONG: usize = 60;

/// A line of the text.
#[derive(Clone, Copy)]
struct Line<'a> {
    start: usize,
    /// Without the space around it.
    words: &'a str,
    /// Letters of space before the words.
    indent: usize,
}

impl Line<'_> {
    fn first_word(&self) -> &str {
        self.words.split_ascii_whitespace().next().unwrap_or("")
    }

    fn last_word(&self) -> &str {
        self.words
            .rsplit(|letter: char| letter.is_ascii_whitespace())
            .next()
            .unwrap_or("")
    }

    /// Where the words begin and end in the text.
    fn words_start(&self) -> usize {
        self.start + self.indent
    }

    fn words_end(&self) -> usize {
        self.words_start() + self.words.len()
    }

    fn width(&self) -> usize {
        self.indent + self.words.chars().count()
    }
}

/// Where lines have to be joined: what stands between their words becomes one space.
pub(super) fn joints(text: &str) -> Vec<Edit> {
    let mut joints = Vec::new();
    let mut paragraph: Vec<Line<'_>> = Vec::new();
    let mut start = 0;
    for line in text.split('\n') {
        let words = line.trim();
        if words.is_empty() || words.len() > 4 * LONGEST {
            of_paragraph(&paragraph, &mut joints);
            paragraph.clear();
        } else {
            paragraph.push(Line {
                start,
                words,
                indent: line.len() - line.trim_start().len(),
            });
        }
        start += line.len() + 1;
    }
    of_paragraph(&paragraph, &mut joints);
    joints
}

fn of_paragraph(lines: &[Line<'_>], joints: &mut Vec<Edit>) {
    if !lines
        .windows(2)
        .any(|pair| is_candidate(&pair[0], &pair[1]))
    {
        return;
    }
    for run in stretches(lines) {
        let width = run.iter().map(Line::width).max().unwrap_or(0);
        if width > LONGEST {
            continue;
        }
        let is_prose = is_wrapped_prose(run, width);
        for pair in run.windows(2) {
            let [line, next] = pair else { continue };
            if breaks_greedily(line, next, width)
                && is_candidate(line, next)
                && (is_prose && !begins_anew(line, next) || goes_on(line, next))
            {
                joints.push(Edit {
                    start: line.words_end(),
                    end: next.words_start(),
                    with: " ",
                });
            }
        }
    }
}

/// The stretches of lines that can belong together: a line of its own kind begins a new one.
fn stretches<'a, 'b>(lines: &'b [Line<'a>]) -> impl Iterator<Item = &'b [Line<'a>]> {
    lines.chunk_by(|line, next| !stands_alone(next) && !is_structure(line))
}

/// Whether the line was so long that the next word did not fit in.
fn breaks_greedily(line: &Line<'_>, next: &Line<'_>, width: usize) -> bool {
    line.width() + 1 + next.first_word().chars().count() > width
}

/// What a cheap look at both lines says.
fn is_candidate(line: &Line<'_>, next: &Line<'_>) -> bool {
    // What refuses most lines comes first.
    line.words.len() >= SHORTEST
        && next.indent <= line.indent + 1
        && !matches!(
            line.words.as_bytes().last(),
            Some(b'.' | b';' | b'{' | b'}' | b'!' | b'?' | b'>' | b'\\' | b'$')
        )
        && !stands_alone(next)
        && !is_structure(line)
        && memchr::memchr(b' ', line.words.as_bytes()).is_some()
        && (line.first_word() != next.first_word() || begins_known_words(next.words))
        && (is_split_code(line, next)
            || !(is_field(line.first_word()) && is_field(next.first_word())))
        && !(line.words.contains("://") && next.words.contains("://"))
        && !has_columns(line.words)
        && !has_columns(next.words)
}

/// `Unexpected response` and `code: 400`.
fn is_split_code(line: &Line<'_>, next: &Line<'_>) -> bool {
    line.last_word().eq_ignore_ascii_case("response") && next.words.starts_with("code")
}

/// `code:` or `code=1006`; an address is none.
fn is_field(word: &str) -> bool {
    let name = word.trim_start_matches(['"', '\'', '-']);
    let length = name
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        .count();
    let rest = &name[length..];
    length > 0 && rest.starts_with([':', '=', '"', '\'']) && !rest.starts_with("://")
}

/// Whether words stand in columns, as in a command's output: nothing there was wrapped.
fn has_columns(words: &str) -> bool {
    words.contains("   ") || words.contains('\t')
}

/// Whether the line begins something: a log's line, a frame, an item, a command, code.
fn stands_alone(line: &Line<'_>) -> bool {
    let words = line.words;
    let first = line.first_word();
    if begins_with_a_number(first) {
        return true;
    }
    if begins_known_words(words) {
        return false;
    }
    begins_with_a_mark(words)
        || words.ends_with(['{', ';'])
        || is_frame(words, first)
        || is_level(first)
        || holds(words, b'=', " = ", 1)
}

/// Whether an item, a tag, a prompt or an arrow stands at the beginning.
fn begins_with_a_mark(words: &str) -> bool {
    match words.as_bytes().first() {
        Some(first) if first.is_ascii() => b"[{}<>#*$|+=@/\\%-&\";".contains(first),
        _ => words.starts_with(['•', '⚠', '✖', '✗', '→', '─', '▶', '▸', 'ⓘ']),
    }
}

/// Whether a sequence stands in the words, found by its rarest byte, which is the one at `offset`. A
/// general search costs more to begin than these lines are long.
fn holds(words: &str, rarest: u8, sequence: &str, offset: usize) -> bool {
    memchr::memchr_iter(rarest, words.as_bytes()).any(|at| {
        at.checked_sub(offset)
            .and_then(|start| words.as_bytes().get(start..start + sequence.len()))
            == Some(sequence.as_bytes())
    })
}

/// A date, a time, a number of a line; a status code alone may end a sentence.
fn begins_with_a_number(first: &str) -> bool {
    let bare = first.trim_end_matches(['.', ',', ')']);
    first.starts_with(|letter: char| letter.is_ascii_digit())
        && !(bare.len() <= 4 && bare.bytes().all(|digit| digit.is_ascii_digit()))
}

/// A stack's frame or the place of a script.
fn is_frame(words: &str, first: &str) -> bool {
    matches!(first, "at" if words.contains(['(', '/', ':']) || words.contains("<anonymous>"))
        || matches!(first, "File" | "Caused" | "Traceback" | "from" if words.contains(['"', ':', '/']))
        || holds(words, b':', ".js:", 3)
        || holds(first, b'.', ".ts", 0)
        || first.starts_with("VM")
        || words.starts_with("(anonymous)")
        || first.contains('@')
}

/// The length of "websocket".
const LONGEST_LEVEL: usize = 9;

fn is_level(first: &str) -> bool {
    let word = first.trim_matches(|letter: char| !letter.is_ascii_alphabetic());
    (3..=LONGEST_LEVEL).contains(&word.len())
        && [
            "error",
            "warn",
            "warning",
            "info",
            "debug",
            "fatal",
            "trace",
            "notice",
            "critical",
            "err",
            "log",
            "uncaught",
            "console",
            "get",
            "post",
            "put",
            "options",
            "curl",
            "http",
            "server",
            "location",
            "websocket",
        ]
        .iter()
        .any(|level| word.eq_ignore_ascii_case(level))
        && !first.starts_with(|letter: char| letter.is_ascii_lowercase())
        || is_level_in_lower_case(first)
}

fn is_level_in_lower_case(first: &str) -> bool {
    matches!(
        first,
        "error:"
            | "warn:"
            | "info:"
            | "debug:"
            | "warning:"
            | "fatal:"
            | "curl"
            | "curl:"
            | "server"
            | "location"
            | "upstream"
            | "proxy_pass"
            | "const"
            | "let"
            | "var"
            | "import"
            | "return"
            | "if"
            | "function"
            | "ws."
            | "socket."
            | "await"
            | "export"
    ) || first.contains('(') && first.contains('.')
}

/// Whether nothing that follows the line can belong to it.
fn is_structure(line: &Line<'_>) -> bool {
    let words = line.words;
    words.starts_with(['#', '|', '$', '%', '}', '{'])
        || words.starts_with("//")
        || words.starts_with("```")
        || words.ends_with(['{', '}', ';', '|', '\\'])
        || words.ends_with("=>")
        || is_frame(words, line.first_word())
        || holds(words, b'/', "HTTP/1", 4)
}

/// Whether the words of either line say that the sentence goes on.
fn goes_on(line: &Line<'_>, next: &Line<'_>) -> bool {
    let ends_open = line.words.ends_with([',', '(', ':'])
        && !line.words.ends_with("::")
        && is_known_opening(line)
        || is_function_word(line.last_word());
    let next_word = next.first_word();
    let bare = next_word.trim_end_matches([':', ',', '.', ')', '\'', '"']);
    let is_header = next_word.ends_with(':')
        && !matches!(
            bare,
            "failed" | "handshake" | "establishment" | "directive" | "peer"
        );
    let continues = is_split_code(line, next)
        || !is_header && (CONTINUATIONS.contains(&bare) || is_function_word(bare));
    let is_lower = next_word.starts_with(|letter: char| letter.is_ascii_lowercase());
    // Browsers leave the reason empty; what somebody writes below it is none.
    let said = line.words.trim_end_matches(':');
    let is_whole = ["' failed", "\" failed"]
        .iter()
        .any(|end| said.ends_with(end));
    if is_lower && is_whole && !next.words.starts_with("net::") {
        return false;
    }
    ends_open
        && !is_field_alone(next)
        && (may_continue(next.words) || is_lower && !line.words.ends_with(':'))
        || continues
        || (line.width() >= LONG
            && is_lower
            && !is_field(next_word)
            && !is_field(line.first_word()))
}

/// A comma always goes on; a colon only where it stands in the middle of a known message.
fn is_known_opening(line: &Line<'_>) -> bool {
    let words = line.words;
    !words.ends_with(':')
        || [
            "failed:",
            "handshake:",
            "establishment:",
            "directive:",
            "code:",
            "policy:",
        ]
        .iter()
        .any(|known| words.ends_with(known))
}

fn is_field_alone(next: &Line<'_>) -> bool {
    is_field(next.first_word()) && next.words.split_ascii_whitespace().count() <= 3
}

/// Whether the words go on though they begin with a digit or a mark.
fn may_continue(words: &str) -> bool {
    words.starts_with(|letter: char| letter.is_ascii_digit() || letter == '\'')
        || begins_known_words(words)
}

/// How the reasons begin that browsers print after a colon, and other words of known messages that
/// begin with a capital.
fn begins_known_words(words: &str) -> bool {
    let may_begin = matches!(
        words.as_bytes().first(),
        Some(b'E' | b'U' | b'C' | b'n' | b'W' | b'H' | b'I' | b'O' | b'A' | b'S' | b'R')
    );
    may_begin
        && [
            "Error during WebSocket",
            "Error in connection establishment",
            "Unexpected response",
            "Connection closed before receiving",
            "Connection refused",
            "Connection timed out",
            "net::ERR_",
            "Establishing a tunnel",
            "WebSocket handshake",
            "WebSocket is closed before",
            "WebSocket opening handshake",
            "HTTP Authentication failed",
            "Invalid frame header",
            "Invalid status line",
            "One or more reserved bits",
            "Could not decode a text frame",
            "A server must not mask",
            "Sent non-empty",
            "Response must not include",
            "Incorrect 'Sec-WebSocket",
            "Content Security Policy",
            "Security Policy",
            "HTTPS",
            "CONNECTING",
            "CLOSING",
        ]
        .iter()
        .any(|known| words.starts_with(known))
}

/// Whether the stretch as a whole looks wrapped: three lines or more, all but the last as wide as
/// a greedy wrap makes them.
fn is_wrapped_prose(run: &[Line<'_>], width: usize) -> bool {
    run.len() >= 3
        && width >= 40
        && run.windows(2).all(|pair| {
            breaks_greedily(&pair[0], &pair[1], width) && is_candidate(&pair[0], &pair[1])
        })
}

/// Whether the next line begins a sentence of its own.
fn begins_anew(line: &Line<'_>, next: &Line<'_>) -> bool {
    line.words.ends_with(['.', '!', '?', ':'])
        || next.words.starts_with(|letter: char| letter.is_uppercase())
}

fn is_function_word(word: &str) -> bool {
    matches!(
        word,
        "a" | "an"
            | "the"
            | "to"
            | "of"
            | "in"
            | "on"
            | "at"
            | "by"
            | "for"
            | "from"
            | "with"
            | "and"
            | "or"
            | "but"
            | "is"
            | "are"
            | "was"
            | "were"
            | "be"
            | "been"
            | "has"
            | "have"
            | "had"
            | "not"
            | "during"
            | "because"
            | "that"
            | "which"
            | "this"
            | "it"
            | "its"
            | "as"
            | "than"
            | "while"
            | "does"
            | "did"
            | "can't"
            | "cannot"
            | "may"
            | "must"
            | "any"
            | "over"
            | "if"
    )
}

/// Words that no message begins with but many go on with.
const CONTINUATIONS: &[&str] = &[
    "failed",
    "handshake",
    "response",
    "code",
    "establishment",
    "header",
    "directive",
    "endpoint",
    "refused",
    "timed",
    "out",
    "found",
    "received",
    "interrupted",
    "establish",
    "established",
    "loaded",
    "loading",
    "page",
    "origin",
    "status",
    "secure",
    "insecure",
    "value",
    "violates",
    "following",
    "reset",
    "peer",
    "issuer",
    "certificate",
    "frame",
    "field",
    "before",
    "after",
    "state",
    "properly",
    "abnormally",
    "upgrade",
    "upgraded",
];

#[cfg(test)]
mod tests {
    use super::super::View;

    fn joined(text: &str) -> String {
        View::of(text).text().to_owned()
    }

    #[test]
    fn a_wrapped_message_is_rejoined() {
        assert_eq!(
            joined("Error during WebSocket\nhandshake: Unexpected response\n code: 400"),
            "Error during WebSocket handshake: Unexpected response code: 400"
        );
        assert_eq!(
            joined(
                "WebSocket connection to\n'wss://app.example/ws' failed:\nError during WebSocket handshake:\nUnexpected response code: 502"
            ),
            "WebSocket connection to 'wss://app.example/ws' failed: Error during WebSocket handshake: Unexpected response code: 502"
        );
    }

    #[test]
    fn lines_of_their_own_stay() {
        for text in [
            "2026-11-20 12:00:01 connection to the server opened\n2026-11-20 12:01:01 connection closed",
            "websocket connection opened\nwebsocket connection closed",
            "Connecting to the server\nConnection failed with code 1006",
            "client connected from 10.0.0.1\nsocket closed unexpectedly 1006",
            "    proxy_pass http://app:3000;\n    proxy_set_header Host $host;",
            "code: 1006\nreason: \"\"\nwasClean: false",
            "Error: connect ECONNREFUSED 127.0.0.1:8080\n    at TCPConnectWrap.afterConnect (node:net:1555:16)",
            "HTTP/1.1 101 Switching Protocols\nupgrade: websocket\nconnection: Upgrade",
            "Connected to wss://a.example/ws as a client\nfailed wss://b.example/ws after 3 seconds",
            "NAME                READY   STATUS    AGE\nchat-6d5f8b7c9d-abcde   1/1   Running   3d",
            "WebSocket connection to 'ws://app.example:3000/ws' failed: \npublic (active)\n  target: default",
            "WebSocket connection to 'wss://chat.app.example/live/socket' failed: \nit works without nginx",
            "$ node server.js and some more words here\nlistening on port 8080 for connections",
        ] {
            assert_eq!(joined(text), text);
        }
    }

    #[test]
    fn wrapped_prose_is_rejoined_paragraph_by_paragraph() {
        let text = "My app connects to the chat server over a socket and it works on\nmy own machine, but behind the proxy of our company the connection\nends after about a minute.\n\nWhat can I do?";
        let view = joined(text);
        assert!(view.contains("works on my own machine"));
        assert!(view.contains("the connection ends after"));
        assert!(view.contains(".\n\nWhat"));
    }
}
