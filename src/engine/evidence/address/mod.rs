//! Addresses in a text: `ws://`, `wss://`, `http://`, `https://`, split into their parts.

mod hosts;
mod lead;

use std::sync::LazyLock;

use super::Span;
use super::vocabulary::Phrases;
pub use hosts::HostKind;
pub(super) use hosts::host_kind;
use lead::{is_announced, is_behind_a_proxy, is_example, is_set_aside, says_page, works_there};

/// An address as it stands in a text. Parts are kept as they were written, lower-cased where the
/// standard says that case does not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// `ws`, `wss`, `http` or `https`.
    pub scheme: &'static str,
    /// Lower case, brackets of IPv6 addresses removed.
    pub host: String,
    /// As written; `None` where the scheme's own port is meant, or where it is not known.
    pub port: Option<u16>,
    /// A word stands in the place of the port: `PORT`, `<port>`, `undefined`.
    pub is_port_unknown: bool,
    /// From the slash to the query; empty if there is none.
    pub path: String,
    /// After the question mark, without it.
    pub query: String,
    /// Where it stands.
    pub span: Span,
    /// The text around it says that it is the page's address or origin.
    pub is_page: bool,
    /// It ends like a script's place in a stack trace.
    pub is_script: bool,
    /// It stands in a comment or is given as an example: nobody dials it.
    pub is_example: bool,
    /// The words around it say that it works or is no longer dialled, so that another one fails.
    pub is_aside: bool,
    /// A server says that it listens there, which need not be where clients find it.
    pub is_announced: bool,
}

const SCHEMES: [(&str, &str); 4] = [
    ("wss", "wss"),
    ("ws", "ws"),
    ("https", "https"),
    ("http", "http"),
];

/// An address is cut there; longer ones are cut at this many bytes.
const LONGEST: usize = 4096;

/// What stands for a host or a port is no longer than that.
const LONGEST_PLACEHOLDER: usize = 40;

/// More addresses than this are not read from one text.
const MOST: usize = 2000;

/// Nobody names more addresses in sentences; a text with more is mostly a log.
const MOST_IN_SENTENCES: usize = 50;

/// Finds the addresses of a text, in order.
pub fn addresses(text: &str) -> Vec<Address> {
    let mut found = Vec::new();
    for at in memchr::memmem::find_iter(text.as_bytes(), b"://") {
        if let Some(mut address) = address_at(text, at) {
            address.is_aside |= found.len() < MOST_IN_SENTENCES && works_there(text, address.span);
            found.push(address);
            if found.len() == MOST {
                break;
            }
        }
    }
    found
}

fn address_at(text: &str, colon: usize) -> Option<Address> {
    let before = &text.as_bytes()[..colon];
    let (written, scheme) = SCHEMES.into_iter().find(|(written, _)| {
        before.len() >= written.len()
            && before[before.len() - written.len()..].eq_ignore_ascii_case(written.as_bytes())
            && !before
                .get(before.len().wrapping_sub(written.len() + 1))
                .is_some_and(u8::is_ascii_alphanumeric)
    })?;
    let start = colon - written.len();
    let rest = &text[colon + 3..];
    let filled_in_later = placeholders_end(rest);
    let mut length = rest
        .char_indices()
        .find(|(at, letter)| *at >= filled_in_later && ends_address(*letter) || *at > LONGEST)
        .map_or(rest.len(), |(at, _)| at);
    while rest[..length].ends_with(['.', ',', ';', ':', '!', '…', ']', ')'])
        && !(rest[..length].ends_with(']') && rest[..length].contains('['))
    {
        let last = rest[..length].chars().next_back().map_or(1, char::len_utf8);
        length -= last;
    }
    let body = &rest[..length];
    let authority_end = body.find(['/', '?', '#']).unwrap_or(body.len());
    let authority = &body[..authority_end];
    let authority = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let (host, port) = match split_port(authority) {
        // Nobody dials such an address, whatever host it names.
        (_, Some(port)) if is_mistake(port) => (authority, Some(port)),
        parts => parts,
    };
    let is_port_unknown = port.is_some_and(|port| !is_number(port));
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    let after = &body[authority_end..];
    let (path, query) = after
        .split('#')
        .next()
        .unwrap_or_default()
        .split_once('?')
        .unwrap_or((after.split('#').next().unwrap_or_default(), ""));
    let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let lead_start = text.floor_char_boundary(start.saturating_sub(48).max(line_start));
    let lead = text[lead_start..start].to_lowercase();
    if is_behind_a_proxy(&lead) {
        return None;
    }
    Some(Address {
        scheme,
        is_aside: is_set_aside(&lead, &rest[length..]),
        is_announced: is_announced(&lead) && !is_found_everywhere(&host),
        host,
        port: port.and_then(|port| port.parse().ok()),
        is_port_unknown,
        path: path.to_owned(),
        query: query.to_owned(),
        span: Span {
            start,
            end: colon + 3 + length,
        },
        is_page: scheme.starts_with("http") && says_page(&lead),
        is_script: is_script(path, body),
        is_example: is_example(&lead, line_start == 0),
    })
}

fn ends_address(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || matches!(
            letter,
            '"' | '\''
                | '`'
                | '<'
                | '>'
                | '('
                | ')'
                | '{'
                | '}'
                | '|'
                | '\\'
                | '^'
                | '’'
                | '‘'
                | '“'
                | '”'
                | '«'
                | '»'
                | '，'
                | '。'
                | '」'
                | '、'
        )
}

/// One past the last byte of the placeholders in the authority at the beginning of a text, where they
/// hold letters that end an address: `<host>:<port>`, `{host}`, `localhost:${port}`.
fn placeholders_end(rest: &str) -> usize {
    let mut end = 0;
    let mut at = 0;
    let bytes = rest.as_bytes();
    while let Some(letter) = bytes.get(at) {
        let closing = match letter {
            b'<' => b'>',
            b'{' => b'}',
            b'(' if at == 0 => b')',
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b':' | b'$' => {
                at += 1;
                continue;
            }
            _ => break,
        };
        let begins = at == 0 || matches!(bytes[at - 1], b'.' | b'-' | b':' | b'$' | b'{');
        let inner = &bytes[at + 1..bytes.len().min(at + 1 + LONGEST_PLACEHOLDER)];
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-. {".contains(byte);
        let length = inner.iter().take_while(|byte| is_name(byte)).count();
        if !begins || length == 0 || inner.get(length) != Some(&closing) {
            break;
        }
        at += length + 2;
        while bytes.get(at) == Some(&b'}') {
            at += 1;
        }
        end = at;
    }
    end
}

/// Cuts what stands in the place of the port off, if anything does.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') && is_number(port) => {
            (host, Some(port).filter(|port| !port.is_empty()))
        }
        _ => (authority, None),
    }
}

/// Whether a script wrote a value that it did not have.
fn is_mistake(port: &str) -> bool {
    ["undefined", "null", "nan"]
        .iter()
        .any(|word| port.eq_ignore_ascii_case(word))
}

fn is_number(port: &str) -> bool {
    port.bytes().all(|digit| digit.is_ascii_digit())
}

/// Whether clients elsewhere find a machine by such a host, so that who says where a server listens
/// says where it is dialled as well.
fn is_found_everywhere(host: &str) -> bool {
    matches!(
        host_kind(host),
        HostKind::Name | HostKind::PublicAddress | HostKind::Placeholder
    )
}

fn is_script(path: &str, body: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or_default();
    let script = [
        ".js", ".mjs", ".ts", ".tsx", ".jsx", ".vue", ".html", ".css",
    ];
    script.iter().any(|ending| file.contains(ending))
        && (body.contains(".js:") || script.iter().any(|ending| file.contains(ending)))
}

impl Address {
    /// Whether it is the address of a WebSocket.
    pub fn is_websocket(&self) -> bool {
        self.scheme.starts_with("ws")
    }

    /// Whether a client may dial it: it is the address of a WebSocket, no example, and not merely
    /// where a server says that it listens.
    pub(super) fn is_dialled_socket(&self) -> bool {
        self.is_websocket() && !self.is_example && !self.is_announced
    }

    /// The port that is dialled.
    pub fn effective_port(&self) -> u16 {
        self.port.unwrap_or(match self.scheme {
            "wss" | "https" => 443,
            _ => 80,
        })
    }

    /// What two addresses share that lead to the same place on the same host.
    pub(super) fn endpoint(&self) -> (&str, &str, u16, &str) {
        let path = self.path.trim_end_matches('/');
        (self.scheme, &self.host, self.effective_port(), path)
    }

    /// Whether both lead to the same place on the same host.
    pub fn same_endpoint(&self, other: &Address) -> bool {
        self.endpoint() == other.endpoint()
    }

    /// Scheme, host, port and path.
    pub fn without_query(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        let port = self.port.map_or(String::new(), |port| format!(":{port}"));
        format!("{}://{host}{port}{}", self.scheme, self.path)
    }

    /// What kind of host it names.
    pub fn host_kind(&self) -> HostKind {
        host_kind(&self.host)
    }

    /// Whether it is a link to something to read, as error messages carry.
    pub(super) fn is_reference(&self) -> bool {
        let path = self.path.to_ascii_lowercase();
        matches!(
            self.host.as_str(),
            "github.com"
                | "stackoverflow.com"
                | "developer.mozilla.org"
                | "developer.chrome.com"
                | "chromestatus.com"
                | "www.chromestatus.com"
                | "goo.gl"
                | "aka.ms"
                | "bit.ly"
                | "socket.io"
                | "nodejs.org"
                | "react.dev"
                | "reactjs.org"
                | "reactnative.dev"
                | "www.w3.org"
                | "nextjs.org"
                | "vite.dev"
                | "vitejs.dev"
        ) || self.host.starts_with("docs.")
            || ["/docs/", "/wiki/", "/questions/", "/documentation/"]
                .iter()
                .any(|part| path.contains(part))
    }

    /// Whether it is a tool's own socket beside the application's: a development server's, a
    /// debugger's.
    pub(super) fn is_of_a_tool(&self) -> bool {
        let path = self.path.as_str();
        let port = self.effective_port();
        // An application's own path goes through the development server's port as well.
        let is_bare = matches!(path, "" | "/");
        let is_of_metro = || METRO_PATHS.iter().any(|metro| path.starts_with(metro));
        let may_be_local = matches!(port, 8097 | 9222 | 9229)
            || path == "/" && self.query.starts_with("token=")
            || port == 8081 && is_of_metro();
        path.starts_with("/devtools/")
            || may_be_local && self.is_nearby()
            || (is_bare || !matches!(port, 5173 | 24678)) && self.path_kind() == Some("dev-server")
    }

    /// Whether it is on the user's own machine or network.
    fn is_nearby(&self) -> bool {
        matches!(
            self.host_kind(),
            HostKind::Loopback | HostKind::Private | HostKind::Unspecified
        )
    }

    /// What the address itself tells: its parts and their kinds.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = vec![
            ("url.scheme", self.scheme.to_owned()),
            ("url.host", self.host.clone()),
            (
                "url.path",
                if self.path.is_empty() {
                    "/".to_owned()
                } else {
                    self.path.clone()
                },
            ),
            ("url.host.kind", self.host_kind().as_str().to_owned()),
        ];
        if !self.is_port_unknown {
            facts.insert(2, ("url.port", self.effective_port().to_string()));
        }
        if let Some(kind) = self.path_kind() {
            facts.push(("url.path.kind", kind.to_owned()));
        }
        match (self.scheme, self.port) {
            ("ws", Some(443 | 8443 | 9443)) => {
                facts.push(("url.port.kind", "tls-with-ws".to_owned()));
            }
            ("wss", Some(80 | 8080 | 8000 | 3000 | 5000 | 8765 | 8081)) => {
                facts.push(("url.port.kind", "plain-with-wss".to_owned()));
            }
            _ => {}
        }
        facts
    }

    /// Which library or tool serves such paths.
    fn path_kind(&self) -> Option<&'static str> {
        let named = PATHS.all_in(&self.path).min();
        let named = named.map(|first| PATH_KINDS[first].1);
        if named == Some("socket.io") || self.query.contains("EIO=") {
            return Some("socket.io");
        }
        let is_dev_server = matches!(self.effective_port(), 24678 | 5173 | 35729);
        if is_dev_server || named == Some("dev-server") {
            return Some("dev-server");
        }
        match is_of_sockjs(&self.path) {
            true => Some("sockjs"),
            false => named,
        }
    }
}

/// Paths of the server that bundles React Native's scripts.
const METRO_PATHS: &[&str] = &[
    "/hot",
    "/message",
    "/debugger-proxy",
    "/inspector",
    "/events",
];

/// What stands in paths, and the kind that it tells, the first of which counts.
const PATH_KINDS: &[(&str, &str)] = &[
    ("/socket.io", "socket.io"),
    ("/sockjs-node", "dev-server"),
    ("/_next/webpack-hmr", "dev-server"),
    ("/_next/hmr", "dev-server"),
    ("/ng-cli-ws", "dev-server"),
    ("/__webpack_hmr", "dev-server"),
    ("/_hmr", "dev-server"),
    ("/_nuxt", "dev-server"),
    ("/figwheel-ws", "dev-server"),
    ("/livereload", "dev-server"),
    ("/live_reload", "dev-server"),
    ("/__vite", "dev-server"),
    ("/vite-hmr", "dev-server"),
    ("/browser-sync", "dev-server"),
    ("/cable", "actioncable"),
    ("graphql", "graphql"),
    ("/subscriptions", "graphql"),
    ("signalr", "signalr"),
    ("hub", "signalr"),
    ("/negotiate", "signalr"),
];

static PATHS: LazyLock<Phrases> = LazyLock::new(|| {
    let words: Vec<&str> = PATH_KINDS.iter().map(|(word, _)| *word).collect();
    Phrases::in_any_case(&words)
});

/// Whether a path ends as SockJS' do: a server's number, a session, the transport:
/// <https://sockjs.github.io/sockjs-protocol/sockjs-protocol-0.3.3.html#section-36>.
fn is_of_sockjs(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let is_transport = |last: &str| last.eq_ignore_ascii_case("websocket");
    parts.next().is_some_and(is_transport)
        && parts.next().is_some_and(|session| !session.is_empty())
        && parts.next().is_some_and(|server| {
            !server.is_empty() && server.bytes().all(|byte| byte.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_split() {
        let text = "WebSocket connection to 'wss://user@App.Example:8443/chat/ws?x=1#y' failed: ";
        let address = &addresses(text)[0];
        assert_eq!(address.scheme, "wss");
        assert_eq!(address.host, "app.example");
        assert_eq!(address.port, Some(8443));
        assert_eq!(address.path, "/chat/ws");
        assert_eq!(address.query, "x=1");
        assert_eq!(
            &text[address.span.start..address.span.end],
            "wss://user@App.Example:8443/chat/ws?x=1#y"
        );
    }

    #[test]
    fn punctuation_of_the_sentence_is_not_part_of_it() {
        assert_eq!(addresses("server at ws://a.example/ws.")[0].path, "/ws");
        assert_eq!(addresses("at wss://[::1]:80/x, then")[0].host, "::1");
        assert_eq!(addresses("(see ws://[::1])")[0].host, "::1");
    }

    #[test]
    fn a_word_in_the_place_of_the_port_is_no_part_of_the_host() {
        for (text, host, kind) in [
            (
                "ws://localhost:undefined/ws",
                "localhost:undefined",
                HostKind::Placeholder,
            ),
            ("ws://localhost:PORT/ws", "localhost", HostKind::Loopback),
            ("ws://host:port/ws", "host", HostKind::Placeholder),
            ("wss://<host>:<port>/ws", "<host>", HostKind::Placeholder),
            ("ws://example.com:PORT/ws", "example.com", HostKind::Name),
            (
                "`ws://localhost:${port}/ws`",
                "localhost",
                HostKind::Loopback,
            ),
            (
                "`ws://${host}:${port}/ws`",
                "${host}",
                HostKind::Placeholder,
            ),
            ("wss://(redacted)/ws", "(redacted)", HostKind::Placeholder),
            (
                "ws://{{ server.host }}/ws",
                "{{ server.host }}",
                HostKind::Placeholder,
            ),
        ] {
            let address = &addresses(text)[0];
            assert_eq!(address.host, host, "{text}");
            assert_eq!(address.host_kind(), kind, "{text}");
            assert_eq!(address.port, None, "{text}");
            assert_eq!(address.path, "/ws", "{text}");
            let tells_port = address.facts().iter().any(|(key, _)| *key == "url.port");
            let names_none = text.contains("redacted") || text.contains("server.host");
            assert_eq!(tells_port, names_none, "{text}");
        }
    }

    #[test]
    fn marks_behind_an_address_are_no_placeholders() {
        assert_eq!(addresses("<b>wss://a.example</b>")[0].host, "a.example");
        assert_eq!(addresses("<wss://a.example><br>")[0].host, "a.example");
        assert_eq!(addresses("{wss://a.example}{x}")[0].host, "a.example");
    }

    #[test]
    fn ports_out_of_range_do_not_stop_it() {
        assert_eq!(addresses("ws://localhost:99999/ws")[0].port, None);
        assert_eq!(addresses("ws://:::::/")[0].scheme, "ws");
    }

    #[test]
    fn sockjs_is_known_by_its_servers_number_and_session() {
        assert!(is_of_sockjs("/chat/042/x8fq2k1z/websocket"));
        for other in ["/websocket", "/api/v1/websocket", "/042/x8fq2k1z/xhr"] {
            assert!(!is_of_sockjs(other), "{other}");
        }
    }

    #[test]
    fn examples_and_comments_are_told() {
        let examples = |text: &str| -> Vec<bool> {
            let found = addresses(text);
            found.iter().map(|address| address.is_example).collect()
        };
        assert_eq!(examples("x\n  // e.g. ws://localhost:8080"), [true]);
        assert_eq!(examples("url: x // ws://localhost:8080"), [true]);
        assert_eq!(examples("x\n# URL=ws://localhost:8080"), [true]);
        assert_eq!(
            examples("the URL (for example ws://localhost:8080)"),
            [true]
        );
        assert_eq!(
            examples("WebSocket connection to 'wss://app.example/ws' failed"),
            [false]
        );
        assert_eq!(
            examples("see https://a.example/x and wss://app.example/ws"),
            [false, false]
        );
    }

    #[test]
    fn where_a_server_says_that_it_listens_need_not_be_dialled() {
        let is_announced = |text: &str| addresses(text)[0].is_announced;
        for text in [
            "Server listening on ws://0.0.0.0:8080",
            "WebSocket server started at ws://localhost:3000",
            "Subscriptions ready at ws://localhost:4000/graphql",
            "[ws] server is up and running on ws://127.0.0.1:9001",
            "Now listening on: http://localhost:5000",
            "INFO:     Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)",
            "ready - started server on 0.0.0.0:3000, url: http://localhost:3000",
            "  ➜  Local:   http://localhost:5173/",
            "Waiting for connections at ws://[::]:9000",
            "Listening: ws://192.168.1.7:8080",
            "Server lauscht auf ws://localhost:8080",
        ] {
            assert!(is_announced(text), "{text}");
        }
        for text in [
            "WebSocket connection to 'ws://localhost:8080/' failed: ",
            "connecting to ws://localhost:8080",
            "the client dials ws://localhost:8080",
            "Server running at wss://chat.example.org/ws",
            "const url = on ? 'ws://localhost:8080' : ''",
            "connect failed on ws://localhost:8080",
        ] {
            assert!(!is_announced(text), "{text}");
        }
    }

    #[test]
    fn what_works_or_is_no_longer_dialled_is_set_aside() {
        for (text, expected) in [
            (
                "Works on ws://localhost:3000/x but not on wss://a.example/x",
                [true, false],
            ),
            (
                "instead of wss://app.example/ws it dials ws://localhost:3000/ws",
                [true, false],
            ),
            (
                "changed it from ws://a.example/ws to wss://b.example/ws",
                [true, false],
            ),
            (
                "'ws://127.0.0.1:8000/ws' works, wss://a.example/ws gives 404",
                [true, false],
            ),
            (
                "The docs say wss://a.example/x. I use wss://b.example/y",
                [true, false],
            ),
            (
                "wss://a.example/x fails, wss://b.example/y is fine",
                [false, true],
            ),
            (
                "wss://a.example/x does not work, wss://b.example/y no longer works",
                [false, false],
            ),
        ] {
            let found = addresses(text);
            let asides: Vec<bool> = found.iter().map(|address| address.is_aside).collect();
            assert_eq!(asides, expected, "{text}");
        }
    }

    #[test]
    fn the_place_where_it_works_is_set_aside() {
        for text in [
            "On ws://localhost:3000/x everything works, on wss://a.example/x it fails",
            "Locally (ws://localhost:3000/x) it works. Deployed, wss://a.example/x fails",
            "It works locally at ws://localhost:3000/x, but wss://a.example/x does not",
            "With ws://localhost:3000/x, it is fine. With wss://a.example/x I get 403",
        ] {
            let asides: Vec<bool> = addresses(text).iter().map(|it| it.is_aside).collect();
            assert_eq!(asides, [true, false], "{text}");
        }
        for text in [
            "it works for a minute with ws://a.example/x, then it is closed",
            "it should be working on ws://a.example/x",
            "ws://a.example/x never worked",
            "it connects to ws://a.example/x and fails",
            "it used to work fine: ws://a.example/x",
            "ws://a.example/x fails, the rest works",
        ] {
            assert!(!addresses(text)[0].is_aside, "{text}");
        }
    }

    #[test]
    fn the_page_is_told_from_the_socket() {
        let found = addresses(
            "The page at 'https://app.example/' attempted to connect to 'ws://app.example/ws'",
        );
        assert!(found[0].is_page);
        assert!(!found[1].is_page);
        assert!(addresses("Request origin not allowed: http://localhost:5000")[0].is_page);
    }
}
