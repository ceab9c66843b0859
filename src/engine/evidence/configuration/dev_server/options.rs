//! Where a development server listens, for which hosts it answers, and which address its page
//! dials for the hot reload.
//! <https://vite.dev/config/server-options>, where the hot reload's address stands under `server.ws`
//! from Vite 8.1 on and under `server.hmr` before
//! (<https://github.com/vitejs/vite/commit/9ce3036d31d4e56b8ef3730a39a7f0e54baa951f>),
//! <https://webpack.js.org/configuration/dev-server/>,
//! <https://nextjs.org/docs/app/api-reference/config/next-config-js/rewrites>

use super::settings::{Setting, settings};
use super::{Address, Draft, Reading, Socket, Span};
use crate::engine::evidence::HostKind;
use crate::engine::evidence::configuration::review::span_of;

/// What is known of the browser's side.
#[derive(Clone, Copy, Debug)]
struct Client<'a> {
    /// The host under which the page is opened, if it is not the developer's own machine.
    host: Option<&'a str>,
    is_address: bool,
    is_encrypted: bool,
    port: u16,
}

/// A text's settings with what is made of them.
struct Review<'t, 'a> {
    text: &'t str,
    settings: &'t [Setting<'t>],
    client: Client<'a>,
    draft: Draft,
    reading: Reading,
}

/// Reads the options of a development server; `system` is the one that the text configures.
pub(super) fn reading(
    text: &str,
    system: &'static str,
    page: Option<&Address>,
    socket: Option<Socket<'_>>,
) -> Reading {
    let settings = settings(text);
    let place = settings
        .first()
        .map_or(Span { start: 0, end: 0 }, |first| first.span);
    let mut review = Review {
        text,
        settings: &settings,
        client: client(page, socket),
        draft: Draft::new(system, place),
        reading: Reading::default(),
    };
    let has_any = match system {
        "Vite" => review.vite(),
        "webpack-dev-server" => review.webpack(),
        "Next.js" => review.next(),
        _ => false,
    };
    if has_any {
        if let Some(first) = review.draft.remarks.first() {
            review.draft.place = first.span;
        }
        review.reading.drafts.push(review.draft);
    }
    review.reading
}

fn client<'a>(page: Option<&'a Address>, socket: Option<Socket<'a>>) -> Client<'a> {
    let is_own = |host: &str| {
        host == "localhost"
            || host.ends_with(".localhost")
            || host == "::1"
            || host.starts_with("127.")
    };
    let is_address = |host: &str| host.parse::<std::net::IpAddr>().is_ok();
    match (page, socket) {
        (Some(page), _) => Client {
            host: Some(page.host.as_str()).filter(|_| page.host_kind() != HostKind::Loopback),
            is_address: is_address(&page.host),
            is_encrypted: page.scheme == "https",
            port: page.effective_port(),
        },
        (None, Some(socket)) => Client {
            host: Some(socket.host).filter(|host| !is_own(host)),
            is_address: is_address(socket.host),
            is_encrypted: socket.is_encrypted,
            port: socket.port,
        },
        (None, None) => Client {
            host: None,
            is_address: false,
            is_encrypted: false,
            port: 0,
        },
    }
}

impl<'t> Review<'t, '_> {
    fn find(&self, keys: &[&str]) -> Option<&'t Setting<'t>> {
        self.settings.iter().find(|setting| setting.ends_with(keys))
    }

    fn misdirected(&mut self, words: String, span: Span) {
        self.reading
            .add("dev-server.fault", "socket-misdirected", span);
        self.draft.fault(words, span);
    }

    /// The string that replaces a value, in the quotes that it has.
    fn replace_string(&mut self, setting: &Setting<'_>, value: &str) {
        let quote = match self.text.as_bytes().get(setting.span.start) {
            Some(b'"') => '"',
            _ => '\'',
        };
        self.draft
            .replace(setting.span, format!("{quote}{value}{quote}"));
    }

    fn vite(&mut self) -> bool {
        let is_encrypted_itself = self
            .settings
            .iter()
            .any(|setting| setting.path.contains(&"https") || setting.path.contains(&"basicSsl"));
        let group = self.vite_group();
        let hot = |key| group.and_then(|group| self.find(&[group, key]));
        let (protocol, port) = (hot("protocol"), hot("port"));
        let (host, client_port) = (hot("host"), hot("clientPort"));
        let name = group.unwrap_or_default();
        self.hot_host(host, &format!("{name}.host"), true);
        if let Some(protocol) = protocol
            && protocol.value == "ws"
            && self.client.is_encrypted
        {
            self.misdirected(
                format!(
                    "{name}.protocol is ws, and a page that came over https may dial wss only."
                ),
                protocol.span,
            );
            self.replace_string(protocol, "wss");
        }
        if let (Some(port), None, true, 443) = (
            port,
            client_port,
            self.client.is_encrypted && !is_encrypted_itself,
            self.client.port,
        ) && port.value != "443"
        {
            self.draft.hint(
                format!(
                    "The page dials port {} too; behind a proxy on 443 it needs {name}.clientPort.",
                    port.value
                ),
                port.span,
            );
            let end = port.span.end;
            self.draft
                .replace(Span { start: end, end }, ", clientPort: 443");
        }
        let listed = self.find(&["server", "allowedHosts"]);
        if !is_encrypted_itself {
            self.allowed_hosts(listed, "Vite");
        }
        let host = self.find(&["server", "host"]);
        self.listening(host, &["server", "port"], 5173, "true");
        group.is_some() || listed.is_some() || !self.draft.remarks.is_empty()
    }

    /// The key under which the address of Vite's hot reload stands; a rule of its proxy has a `ws` of
    /// its own, which is no group.
    fn vite_group(&self) -> Option<&'static str> {
        ["ws", "hmr"].into_iter().find(|group| {
            self.settings.iter().any(|setting| match &*setting.path {
                [around @ .., parent, _] => parent == group && !around.contains(&"proxy"),
                _ => false,
            })
        })
    }

    fn webpack(&mut self) -> bool {
        let url = self
            .find(&["webSocketURL"])
            .filter(|url| !url.is_computed(self.text));
        if let Some(url) = url {
            let plain = url.value.starts_with("ws://") && self.client.is_encrypted;
            let host = url.value.split_once("://").map_or("", |(_, rest)| rest);
            let is_own = (host.starts_with("localhost") || host.starts_with("127."))
                && self.client.host.is_some();
            if plain || is_own {
                let why = if plain {
                    "a page that came over https may dial wss only"
                } else {
                    "that is each browser's own machine"
                };
                self.misdirected(
                    format!("The page dials {}, and {why}.", url.value),
                    url.span,
                );
                self.replace_string(url, "auto://0.0.0.0:0/ws");
            }
        }
        let host = self.find(&["webSocketURL", "hostname"]);
        self.hot_host(host, "webSocketURL.hostname", false);
        if let Some(protocol) = self.find(&["webSocketURL", "protocol"])
            && matches!(protocol.value, "ws" | "ws:")
            && self.client.is_encrypted
        {
            self.misdirected(
                "webSocketURL.protocol is ws, and a page that came over https may dial wss only."
                    .into(),
                protocol.span,
            );
            self.replace_string(protocol, "auto");
        }
        let listed = self.find(&["devServer", "allowedHosts"]);
        self.allowed_hosts(listed, "webpack-dev-server");
        let host = self.find(&["devServer", "host"]);
        self.listening(host, &["devServer", "port"], 8080, "'0.0.0.0'");
        url.is_some() || listed.is_some() || !self.draft.remarks.is_empty()
    }

    /// The host that the page is told to dial. webpack's 0.0.0.0 means the page's own.
    fn hot_host(&mut self, host: Option<&Setting<'_>>, key: &str, is_vite: bool) {
        let Some(host) = host.filter(|host| !host.is_computed(self.text)) else {
            return;
        };
        if is_vite && matches!(host.value, "0.0.0.0" | "::") {
            self.misdirected(
                format!(
                    "{key} is what browsers dial, and {} is only for listening.",
                    host.value
                ),
                host.span,
            );
            if let Some(own) = self.client.host {
                self.replace_string(host, own);
            }
        } else if matches!(host.value, "localhost" | "127.0.0.1" | "::1")
            && let Some(own) = self.client.host
        {
            self.misdirected(
                format!("{key} is {}: each browser dials its own machine, and the page is opened from {own}.", host.value),
                host.span,
            );
            self.replace_string(host, if is_vite { own } else { "0.0.0.0" });
        }
    }

    /// Whether the list of hosts has the page's. Addresses need none.
    fn allowed_hosts(&mut self, listed: Option<&Setting<'_>>, name: &str) {
        let Some(host) = self.client.host.filter(|_| !self.client.is_address) else {
            return;
        };
        let Some(listed) = listed.filter(|listed| listed.value.starts_with('[')) else {
            return;
        };
        let inner = listed.value.trim_matches(['[', ']']);
        let items: Vec<&str> = inner
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .take(200)
            .collect();
        let is_known = items
            .iter()
            .all(|item| item.starts_with(['"', '\'']) && item.len() > 1);
        let fits = |item: &str| match item.strip_prefix('.') {
            Some(domain) => {
                host == domain || host.strip_suffix(item).is_some_and(|rest| !rest.is_empty())
            }
            None => host.eq_ignore_ascii_case(item),
        };
        if !is_known
            || items
                .iter()
                .any(|item| fits(item.trim_matches(['"', '\''])))
        {
            return;
        }
        self.reading
            .add("dev-server.fault", "host-refused", listed.span);
        self.draft.fault(
            format!("allowedHosts does not name {host}, so {name} refuses the page and its socket under that name."),
            listed.span,
        );
        let quote = if inner.contains('"') { '"' } else { '\'' };
        let at = match items.last() {
            Some(last) => span_of(self.text, last).end,
            None => listed.span.start + 1,
        };
        let between = if items.is_empty() { "" } else { ", " };
        self.draft.replace(
            Span { start: at, end: at },
            format!("{between}{quote}{host}{quote}"),
        );
    }

    /// Whether other machines reach the server at all.
    fn listening(&mut self, host: Option<&Setting<'_>>, port: &[&str], default: u16, all: &str) {
        let port = match self.find(port) {
            Some(port) => port.value.parse().unwrap_or(0),
            None => default,
        };
        let (Some(host), Some(dialled)) = (host, self.client.host) else {
            return;
        };
        if !matches!(host.value, "localhost" | "127.0.0.1" | "::1") || self.client.port != port {
            return;
        }
        self.reading.add("server.listening", "loopback", host.span);
        self.draft.fault(
            format!(
                "The server listens on {} only, and {dialled} is another address.",
                host.value
            ),
            host.span,
        );
        self.draft.replace(host.span, all);
    }

    /// Next.js takes only http and https as a rewrite's destination; sockets go the same way.
    fn next(&mut self) -> bool {
        let mut has_any = false;
        for setting in self.settings {
            if setting.path.last() != Some(&"destination")
                || !setting.path.contains(&"rewrites") && !self.text.contains("rewrites")
            {
                continue;
            }
            let scheme = setting
                .value
                .split_once("://")
                .map_or("", |(scheme, _)| scheme);
            has_any |= !scheme.is_empty();
            let better = match scheme {
                "ws" => "http",
                "wss" => "https",
                _ => continue,
            };
            self.reading
                .add("dev-server.fault", "socket-not-passed", setting.span);
            self.draft.fault(
                format!("Next.js takes no {scheme}:// as a destination; {better}:// passes sockets on as well."),
                setting.span,
            );
            let start = setting.span.start + 1;
            let end = start + scheme.len();
            self.draft.replace(Span { start, end }, better);
        }
        let destinations = self
            .settings
            .iter()
            .filter(|setting| setting.path.last() == Some(&"destination"));
        self.reading
            .regions
            .extend(destinations.map(|setting| setting.span));
        has_any
    }
}
