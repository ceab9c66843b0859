//! Addresses in a text: `ws://`, `wss://`, `http://`, `https://`, split into their parts.

use std::net::IpAddr;

use super::Span;

/// An address as it stands in a text. Parts are kept as they were written, lower-cased where the
/// standard says that case does not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// `ws`, `wss`, `http` or `https`.
    pub scheme: &'static str,
    /// Lower case, brackets of IPv6 addresses removed.
    pub host: String,
    /// As written; `None` where the scheme's own port is meant.
    pub port: Option<u16>,
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
}

/// What kind of host an address names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostKind {
    /// localhost, 127.0.0.0/8, ::1.
    Loopback,
    /// 0.0.0.0 or ::, an address to listen on.
    Unspecified,
    /// RFC 1918, link-local, unique local, `.local`, `.internal`.
    Private,
    /// Another IP address.
    PublicAddress,
    /// A name without a dot.
    SingleLabel,
    /// A full name.
    Name,
    /// `<host>`, `your-domain.com`, `xxx.xxx`, `...`: what really stands there is not known.
    Placeholder,
}

impl HostKind {
    /// The word used in facts.
    pub fn as_str(self) -> &'static str {
        match self {
            HostKind::Loopback => "loopback",
            HostKind::Unspecified => "unspecified",
            HostKind::Private => "private",
            HostKind::PublicAddress => "public-address",
            HostKind::SingleLabel => "single-label",
            HostKind::Name => "name",
            HostKind::Placeholder => "placeholder",
        }
    }
}

const SCHEMES: [(&str, &str); 4] = [
    ("wss", "wss"),
    ("ws", "ws"),
    ("https", "https"),
    ("http", "http"),
];

/// An address is cut there; longer ones are cut at this many bytes.
const LONGEST: usize = 4096;

/// More addresses than this are not read from one text.
const MOST: usize = 2000;

/// Finds the addresses of a text, in order.
pub fn addresses(text: &str) -> Vec<Address> {
    let mut found = Vec::new();
    for at in memchr::memmem::find_iter(text.as_bytes(), b"://") {
        if let Some(address) = address_at(text, at) {
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
    let mut length = rest
        .char_indices()
        .find(|(at, letter)| ends_address(*letter) || *at > LONGEST)
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
    let (host, port) = split_port(authority);
    let after = &body[authority_end..];
    let (path, query) = after
        .split('#')
        .next()
        .unwrap_or_default()
        .split_once('?')
        .unwrap_or((after.split('#').next().unwrap_or_default(), ""));
    let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let lead_start = text.floor_char_boundary(start.saturating_sub(48).max(line_start));
    if is_behind_a_proxy(&text[lead_start..start]) {
        return None;
    }
    Some(Address {
        scheme,
        host: host.trim_matches(['[', ']']).to_ascii_lowercase(),
        port,
        path: path.to_owned(),
        query: query.to_owned(),
        span: Span {
            start,
            end: colon + 3 + length,
        },
        is_page: scheme.starts_with("http") && says_page(&text[lead_start..start]),
        is_script: is_script(path, body),
        is_example: is_example(&text[lead_start..start], line_start == 0),
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

fn split_port(authority: &str) -> (&str, Option<u16>) {
    match authority.rsplit_once(':') {
        Some((host, port))
            if !port.is_empty()
                && port.bytes().all(|digit| digit.is_ascii_digit())
                && (!host.contains(':') || host.ends_with(']')) =>
        {
            (host, port.parse().ok())
        }
        _ => (authority, None),
    }
}

/// Whether the words before an address say that it is a proxy's way to its server, which is not
/// what the client dials.
fn is_behind_a_proxy(lead: &str) -> bool {
    let lead = lead.to_ascii_lowercase();
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
fn says_page(lead: &str) -> bool {
    let lead = lead.to_lowercase();
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
    ]
    .iter()
    .any(|word| lead.ends_with(word))
}

/// Whether the words before an address say that it is an example, or a comment begins in them.
fn is_example(lead: &str, is_first_line: bool) -> bool {
    let lead = lead.to_ascii_lowercase();
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
        let is_local = matches!(
            self.host_kind(),
            HostKind::Loopback | HostKind::Private | HostKind::Unspecified
        );
        let path = self.path.as_str();
        // An application's own path goes through the development server's port as well.
        let is_bare = matches!(path, "" | "/");
        (self.path_kind() == Some("dev-server")
            && (is_bare || !matches!(self.effective_port(), 5173 | 24678)))
            || path.starts_with("/devtools/")
            || is_local
                && (matches!(self.effective_port(), 8097 | 9222 | 9229)
                    || (path == "/" && self.query.starts_with("token="))
                    || (self.effective_port() == 8081
                        && [
                            "/hot",
                            "/message",
                            "/debugger-proxy",
                            "/inspector",
                            "/events",
                        ]
                        .iter()
                        .any(|metro| path.starts_with(metro))))
    }

    /// What the address itself tells: its parts and their kinds.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = vec![
            ("url.scheme", self.scheme.to_owned()),
            ("url.host", self.host.clone()),
            ("url.port", self.effective_port().to_string()),
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
        let path = self.path.to_ascii_lowercase();
        let port = self.effective_port();
        if path.contains("/socket.io") || self.query.contains("EIO=") {
            return Some("socket.io");
        }
        let dev_paths = [
            "/sockjs-node",
            "/_next/webpack-hmr",
            "/ng-cli-ws",
            "/__webpack_hmr",
            "/_hmr",
            "/_nuxt/hmr",
            "/_nuxt",
            "/figwheel-ws",
            "/livereload",
            "/__vite",
            "/vite-hmr",
            "/browser-sync",
        ];
        if dev_paths.iter().any(|known| path.contains(known))
            || matches!(port, 24678 | 5173 | 35729)
        {
            return Some("dev-server");
        }
        if is_of_sockjs(&path) {
            return Some("sockjs");
        }
        if path.contains("/cable") {
            return Some("actioncable");
        }
        if path.contains("graphql") || path.contains("/subscriptions") {
            return Some("graphql");
        }
        if path.contains("signalr") || path.contains("hub") || path.contains("/negotiate") {
            return Some("signalr");
        }
        None
    }
}

/// What kind of host a name or address is.
pub(super) fn host_kind(host: &str) -> HostKind {
    if is_hidden_private_address(host) {
        return HostKind::Private;
    }
    if is_placeholder(host) {
        return HostKind::Placeholder;
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        return match address {
            IpAddr::V4(v4) if v4.is_loopback() => HostKind::Loopback,
            IpAddr::V6(v6) if v6.is_loopback() => HostKind::Loopback,
            _ if address.is_unspecified() => HostKind::Unspecified,
            IpAddr::V4(v4) if v4.is_private() || v4.is_link_local() => HostKind::Private,
            IpAddr::V6(v6) if v6.is_unique_local() || v6.is_unicast_link_local() => {
                HostKind::Private
            }
            _ => HostKind::PublicAddress,
        };
    }
    if host == "localhost" || host.ends_with(".localhost") {
        HostKind::Loopback
    } else if host.ends_with(".local") || host.ends_with(".internal") || host.ends_with(".lan") {
        HostKind::Private
    } else if host.contains('.') {
        HostKind::Name
    } else {
        HostKind::SingleLabel
    }
}

/// `192.168.x.x`: what is left of it tells enough.
fn is_hidden_private_address(host: &str) -> bool {
    let Some(rest) = ["192.168.", "10."]
        .iter()
        .find_map(|network| host.strip_prefix(network))
    else {
        return false;
    };
    rest.contains('x')
        && rest
            .bytes()
            .all(|letter| letter.is_ascii_digit() || matches!(letter, b'x' | b'.'))
}

/// Whether somebody wrote it in the place of the real host.
fn is_placeholder(host: &str) -> bool {
    if host.is_empty() || host.contains(['<', '[', '*', '$', '%', '{']) || host.contains("..") {
        return true;
    }
    let is_masked = |label: &str| !label.is_empty() && label.bytes().all(|letter| letter == b'x');
    if host.split('.').all(is_masked)
        || host
            .split('.')
            .any(|label| label.len() > 2 && is_masked(label))
    {
        return true;
    }
    let mut words = host.split(['-', '_', '.']);
    if words.clone().any(stands_for_a_name) {
        return true;
    }
    // A name of one label is made of such words only; of a full name others are left.
    !host.contains('.')
        && words.clone().all(is_vague)
        && words
            .next_back()
            .is_some_and(|last| !matches!(last, "my" | "the" | "some"))
}

/// A word that nobody has in the name of a machine.
fn stands_for_a_name(word: &str) -> bool {
    word.starts_with("your")
        || matches!(
            word,
            "mydomain"
                | "mydomainname"
                | "mywebsite"
                | "mysite"
                | "myserver"
                | "myhost"
                | "myip"
                | "somedomain"
                | "somehost"
                | "someip"
                | "placeholder"
                | "redacted"
                | "censored"
                | "hostname"
                | "fqdn"
                | "changeme"
                | "ipaddress"
                | "tld"
        )
}

/// Words of which names are made that stand for the real one: `some_ip`, `server-ip`.
fn is_vague(word: &str) -> bool {
    matches!(
        word,
        "my" | "some"
            | "the"
            | "any"
            | "server"
            | "public"
            | "external"
            | "remote"
            | "host"
            | "domain"
            | "name"
            | "url"
            | "ip"
            | "address"
            | "addr"
            | "ipaddr"
            | "example"
            | "website"
            | "site"
            | "subdomain"
            | "vps"
            | "foo"
            | "bar"
    )
}

/// Whether a path ends as SockJS' do: a server's number, a session, the transport:
/// <https://sockjs.github.io/sockjs-protocol/sockjs-protocol-0.3.3.html#section-36>.
fn is_of_sockjs(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    parts.next() == Some("websocket")
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
    fn kinds_of_hosts() {
        for (host, kind) in [
            ("localhost", HostKind::Loopback),
            ("127.8.9.1", HostKind::Loopback),
            ("::1", HostKind::Loopback),
            ("0.0.0.0", HostKind::Unspecified),
            ("192.168.1.7", HostKind::Private),
            ("203.0.113.7", HostKind::PublicAddress),
            ("ws-server", HostKind::SingleLabel),
            ("chat.example.org", HostKind::Name),
            ("<host>", HostKind::Placeholder),
            ("your-domain.com", HostKind::Placeholder),
            ("mydomain", HostKind::Placeholder),
            ("some_ip", HostKind::Placeholder),
            ("server-ip", HostKind::Placeholder),
            ("example", HostKind::Placeholder),
            ("xxx.xxx.xxx.xxx", HostKind::Placeholder),
            ("x.x.x.x", HostKind::Placeholder),
            ("xxxxx.example", HostKind::Placeholder),
            ("redacted", HostKind::Placeholder),
            ("192.168.x.x", HostKind::Private),
            ("my-app", HostKind::SingleLabel),
            ("backend", HostKind::SingleLabel),
            ("app.example", HostKind::Name),
            ("server.example.org", HostKind::Name),
        ] {
            assert_eq!(host_kind(host), kind, "{host}");
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
    fn the_page_is_told_from_the_socket() {
        let found = addresses(
            "The page at 'https://app.example/' attempted to connect to 'ws://app.example/ws'",
        );
        assert!(found[0].is_page);
        assert!(!found[1].is_page);
    }
}
