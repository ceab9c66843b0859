//! The ports on which servers say that they listen.

use super::{Contents, Lines, Span};

/// A longer line is no server's word about itself.
const LONGEST: usize = 400;
/// The port stands within so many bytes behind the word.
const REACH: usize = 60;

/// Words that may say so are not looked at any further on.
const MOST_PLACES: usize = 200;

/// What servers say of themselves when they begin to listen.
const WORDS: &[&str] = &["listening", "listens", "running", "started", "serving"];

/// Lines with one of these say that it went wrong, ask, or speak of something beside the server.
const OTHERWISE: &[&str] = &[
    "?",
    "not ",
    "n't",
    "fail",
    "error",
    "cannot",
    "unable",
    "in use",
    "eaddr",
    "proxy",
    "upstream",
    "debugger",
    "inspector",
    "metrics",
    "admin",
    "health",
    "grpc",
    "database",
    "postgres",
    "mysql",
    "redis",
    "mongo",
];

/// The ports that servers announce in a text, each with its place.
pub fn announced_ports(contents: &Contents<'_>, lines: &Lines<'_>) -> Vec<(u16, Span)> {
    let places = |tail: &'static str| {
        let text = contents.text().as_bytes();
        let found = memchr::memmem::find_iter(text, tail.as_bytes());
        found.take(MOST_PLACES)
    };
    let tails = ["isten", "unning", "tarted", "erving"];
    let tails = tails.into_iter().filter(|tail| contents.may_hold(tail));
    let at = tails.flat_map(places);
    let mut numbers: Vec<usize> = at.map(|at| lines.line_of(at)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
        .into_iter()
        .filter_map(|number| {
            let (start, _) = lines.bounds(number);
            let (port, at, end) = announced_in(lines.words(number))?;
            let span = Span {
                start: start + at,
                end: start + end,
            };
            Some((port, span))
        })
        .collect()
}

/// The port that a line announces, and where the words that say so begin and end.
fn announced_in(line: &str) -> Option<(u16, usize, usize)> {
    if line.len() > LONGEST {
        return None;
    }
    let lower = line.to_ascii_lowercase();
    let found = WORDS
        .iter()
        .filter_map(|word| Some((lower.find(word)?, *word)));
    let (at, word) = found.min()?;
    if OTHERWISE.iter().any(|word| lower.contains(word)) {
        return None;
    }
    let from = at + word.len();
    let rest = &lower[from..lower.floor_char_boundary(from + REACH)];
    let (port, end) = port_in(rest)?;
    Some((port, at, from + end))
}

/// The first port in some words, and where it ends.
fn port_in(words: &str) -> Option<(u16, usize)> {
    let mut from = 0;
    loop {
        let start = from + words[from..].find(|letter: char| letter.is_ascii_digit())?;
        let length = words[start..]
            .find(|letter: char| !letter.is_ascii_digit())
            .unwrap_or(words.len() - start);
        let end = start + length;
        if is_port(&words[..start], &words[end..])
            && let Ok(port) = words[start..end].parse()
            && length >= 2
        {
            return Some((port, end));
        }
        from = end;
    }
}

/// Whether a number between these words is a port: behind "port", or behind a host and a colon.
fn is_port(before: &str, after: &str) -> bool {
    let mut next = after.chars();
    let goes_on = match next.next() {
        Some('.' | ':') => next.next().is_some_and(|letter| letter.is_ascii_digit()),
        Some(letter) => letter.is_alphanumeric() || letter == '_',
        None => false,
    };
    if goes_on {
        return false;
    }
    let marks = [' ', ':', '=', '#', '"', '\''];
    let lead = before.trim_end_matches(marks);
    if ["port", "ports", "port(s)"]
        .iter()
        .any(|word| lead.ends_with(word))
    {
        return true;
    }
    let Some(host) = before.strip_suffix(':') else {
        return false;
    };
    let host = host
        .rsplit([' ', '"', '\'', '(', '/'])
        .next()
        .unwrap_or_default();
    let is_address = host.contains('.')
        && host
            .bytes()
            .all(|byte| byte == b'.' || byte.is_ascii_digit());
    is_address || matches!(host, "" | "*" | "localhost" | "[::]" | "::" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports(text: &str) -> Vec<u16> {
        let found = announced_ports(&Contents::of(text), &Lines::new(text)).into_iter();
        found.map(|(port, _)| port).collect()
    }

    #[test]
    fn servers_say_where_they_listen() {
        for (line, port) in [
            ("Server listening on port 8080", 8080),
            ("[nodemon] app listening at http://localhost:3001", 3001),
            (
                "Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)",
                8000,
            ),
            ("2026/11/21 10:00:00 listening on :9001", 9001),
            ("Now listening on: http://[::]:5000", 5000),
            (
                "Tomcat started on port(s): 8081 (http) with context path ''",
                8081,
            ),
            (
                "{\"msg\":\"Server listening at http://0.0.0.0:3000\"}",
                3000,
            ),
            ("Listening on TCP address 0.0.0.0:4000", 4000),
        ] {
            assert_eq!(ports(line), [port], "{line}");
        }
    }

    #[test]
    fn other_numbers_and_what_went_wrong_announce_nothing() {
        for line in [
            "the job started at 10:22:31",
            "started server process [31337]",
            "is the server running on port 5432?",
            "listen EADDRINUSE: address already in use :::8080, not listening on port 8080",
            "running 12 tests in 3.5 s",
            "Debugger listening on ws://127.0.0.1:9229/1f2e",
            "listening",
        ] {
            assert_eq!(ports(line), [0_u16; 0], "{line}");
        }
    }

    #[test]
    fn the_place_is_the_words_themselves() {
        let text = "first line\nServer is listening on port 8080 now";
        let found = announced_ports(&Contents::of(text), &Lines::new(text));
        assert_eq!(found.len(), 1);
        let (_, span) = found[0];
        assert_eq!(&text[span.start..span.end], "listening on port 8080");
    }
}
