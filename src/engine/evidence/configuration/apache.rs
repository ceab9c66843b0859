//! Apache httpd: which `ProxyPass` takes the socket's path, and whether it tunnels it.
//!
//! The first `ProxyPass` that fits wins; a `ws://` target or `upgrade=` makes it a tunnel, and so
//! does a rewriting rule with `[P]` on the Upgrade header.
//! <https://httpd.apache.org/docs/2.4/mod/mod_proxy.html#proxypass>

use super::{Reading, Socket, Span, lines_of, looks_like_socket};

/// More rules than this are not compared with a path.
const MOST_RULES: usize = 500;

#[derive(Debug)]
struct Rule<'a> {
    path: &'a str,
    is_expression: bool,
    is_tunnel: bool,
    span: Span,
}

/// What the text has of Apache's directives.
#[derive(Debug, Default)]
struct Apache<'a> {
    rules: Vec<Rule<'a>>,
    rewrites_sockets: Option<Span>,
    tunnel_is_commented: Option<Span>,
    tunnel_is_loaded: bool,
    has_include: bool,
    /// A virtual host stands there from its beginning to its end.
    is_whole: bool,
    lines: Vec<Span>,
}

/// Reads the Apache directives of a text.
pub(super) fn reading(text: &str, socket: Option<Socket<'_>>) -> Reading {
    let mut reading = Reading::default();
    if memchr::memmem::find(text.as_bytes(), b"Proxy").is_none()
        && memchr::memmem::find(text.as_bytes(), b"Rewrite").is_none()
        && memchr::memmem::find(text.as_bytes(), b"proxy_wstunnel").is_none()
    {
        return reading;
    }
    let apache = Apache::of(text);
    if let Some((value, span)) = apache.verdict(socket) {
        reading.add("edge.config", value, span);
        reading.add("edge.server", "apache", span);
        reading.add("edge.present", "yes", span);
        reading.judged.clone_from(&apache.lines);
    }
    reading.regions = apache.lines;
    reading
}

impl<'a> Apache<'a> {
    fn of(text: &'a str) -> Self {
        let mut apache = Apache::default();
        let mut location: Option<&str> = None;
        let mut host_is_open = false;
        for (span, line) in lines_of(text) {
            let mut words = line.split_whitespace();
            let Some(first) = words.next() else { continue };
            let name = first.to_ascii_lowercase();
            let unquoted = |word: &'a str| word.trim_matches(['"', '\'', '>']);
            match name.as_str() {
                "<virtualhost" => host_is_open = true,
                "</virtualhost>" => apache.is_whole |= host_is_open,
                "<location" => location = words.next().map(unquoted),
                "</location>" => location = None,
                "include" | "includeoptional" => apache.has_include = true,
                "proxypass" | "proxypassmatch" if apache.rules.len() < MOST_RULES => {
                    let mut rest: Vec<&str> = words.map(unquoted).collect();
                    if let Some(path) = location
                        && rest.first().is_some_and(|first| first.contains("://"))
                    {
                        rest.insert(0, path);
                    }
                    let [path, target, parameters @ ..] = rest.as_slice() else {
                        continue;
                    };
                    let target = target.to_ascii_lowercase();
                    if !(target.contains("://") || target == "!") {
                        continue;
                    }
                    apache.lines.push(span);
                    apache.rules.push(Rule {
                        path,
                        is_expression: name.ends_with("match"),
                        is_tunnel: target.starts_with("ws")
                            || parameters.iter().any(|parameter| {
                                let parameter = parameter.to_ascii_lowercase();
                                matches!(parameter.as_str(), "upgrade=websocket" | "upgrade=any")
                            }),
                        span,
                    });
                }
                "proxypassreverse" if line.contains("://") => apache.lines.push(span),
                "rewriterule" if line.contains("://") => {
                    apache.lines.push(span);
                    let lower = line.to_ascii_lowercase();
                    let is_passed = lower.split(['[', ',', ']']).any(|flag| flag.trim() == "p");
                    let is_tunnel = lower.contains("ws://") || lower.contains("wss://");
                    if is_tunnel && is_passed {
                        apache.rewrites_sockets = Some(span);
                    }
                }
                "loadmodule" if line.contains("proxy_wstunnel_module") => {
                    apache.tunnel_is_loaded = true;
                }
                name if name.starts_with('#') && line.contains("proxy_wstunnel_module") => {
                    apache.tunnel_is_commented = Some(span);
                }
                _ => {}
            }
        }
        apache
    }

    fn verdict(&self, socket: Option<Socket<'_>>) -> Option<(&'static str, Span)> {
        if let Some(span) = self.tunnel_is_commented
            && !self.tunnel_is_loaded
        {
            return Some(("no-protocol-handler", span));
        }
        if let Some(span) = self.rewrites_sockets {
            return Some(("upgrade-present", span));
        }
        let path = socket.map(|socket| socket.path).or_else(|| {
            let made = self.rules.iter().filter(|rule| !rule.is_expression);
            made.clone()
                .find(|rule| rule.is_tunnel)
                .or_else(|| made.clone().find(|rule| looks_like_socket(rule.path)))
                .or_else(|| made.clone().find(|rule| rule.path == "/"))
                .map(|rule| rule.path)
        })?;
        if self.rules.iter().any(|rule| rule.is_expression) {
            return None;
        }
        let rule = self.rules.iter().find(|rule| path.starts_with(rule.path));
        let is_known_whole = self.is_whole && !self.has_include;
        match rule {
            Some(rule) if rule.is_tunnel => Some(("upgrade-present", rule.span)),
            // The line that takes the path first; a later one for sockets is never reached.
            Some(rule)
                if is_known_whole
                    || self
                        .rules
                        .iter()
                        .any(|later| later.is_tunnel && path.starts_with(later.path)) =>
            {
                Some(("upgrade-missing", rule.span))
            }
            _ => None,
        }
    }
}
