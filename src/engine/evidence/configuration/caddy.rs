//! Caddy: `reverse_proxy` is enough, unless a header is taken away.
//! <https://caddyserver.com/docs/caddyfile/directives/reverse_proxy#streaming>

use super::{Reading, Socket, lines_of};

/// Reads the `reverse_proxy` lines of a text.
pub(super) fn reading(text: &str, socket: Option<Socket<'_>>) -> Reading {
    let mut reading = Reading::default();
    let mut passing = None;
    let mut is_certain = true;
    for (span, line) in lines_of(text) {
        let words: Vec<&str> = line.split_whitespace().take(64).collect();
        match words.as_slice() {
            ["reverse_proxy", first, rest @ ..] => {
                // A matcher stands before the upstreams: a path, or a name that stands elsewhere.
                let takes_it = match first.chars().next() {
                    Some('/') => socket.is_some_and(|socket| fits(first, socket.path)),
                    Some('@') => false,
                    _ => first.contains(':') || (*first == "*" && !rest.is_empty()),
                };
                if takes_it {
                    passing = passing.or(Some(span));
                }
            }
            ["header_up" | "request_header", name, ..] => {
                let name = name
                    .trim_start_matches(['-', '+', '?'])
                    .to_ascii_lowercase();
                is_certain &= !matches!(name.as_str(), "connection" | "upgrade");
            }
            [
                "handle" | "handle_path" | "route" | "import" | "rewrite" | "uri",
                ..,
            ] => {
                is_certain = false;
            }
            _ => {}
        }
    }
    if let Some(span) = passing.filter(|_| is_certain) {
        reading.add("edge.config", "upgrade-present", span);
    }
    reading
}

fn fits(matcher: &str, path: &str) -> bool {
    match matcher.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => matcher == path,
    }
}
