//! Apache httpd: which `ProxyPass` takes the socket's path, and whether it tunnels it.
//!
//! The first `ProxyPass` that fits wins; a `ws://` target or `upgrade=` makes it a tunnel, and so
//! does a rewriting rule with `[P]` on the Upgrade header.
//! <https://httpd.apache.org/docs/2.4/mod/mod_proxy.html#proxypass>

use regex::RegexBuilder;

use super::super::contents::Contents;
use super::review::line_end;
use super::{Draft, Reading, Socket, Span, lines_of, looks_like_socket};

/// More rules than this are not compared with a path.
const MOST_RULES: usize = 500;
/// More expressions than this are not compiled, and no longer ones, in bytes.
const MOST_EXPRESSIONS: usize = 32;
const LONGEST_EXPRESSION: usize = 200;

#[derive(Debug)]
struct Rule<'a> {
    path: &'a str,
    is_expression: bool,
    is_tunnel: bool,
    is_in_location: bool,
    /// Which virtual host it stands in, 0 if in none.
    host: usize,
    span: Span,
}

/// A `<VirtualHost>`.
#[derive(Debug, Default)]
struct Host<'a> {
    address: &'a str,
    names: Vec<&'a str>,
    is_closed: bool,
}

/// What the text has of Apache's directives.
#[derive(Debug, Default)]
struct Apache<'a> {
    rules: Vec<Rule<'a>>,
    /// The first stands for what is outside of all.
    hosts: Vec<Host<'a>>,
    rewrites_sockets: Option<Span>,
    tunnel_is_commented: Option<Span>,
    tunnel_is_loaded: bool,
    include: Option<(Span, &'a str)>,
    comments: Vec<Span>,
    lines: Vec<Span>,
}

/// What a configuration does to the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict<'v, 'a> {
    NoHandler(Span),
    Rewritten(Span),
    Tunnel(&'v Rule<'a>),
    /// An ordinary rule takes the path; a later one would tunnel it.
    Plain(&'v Rule<'a>, Option<&'v Rule<'a>>),
    /// An included file may hold another rule.
    Unclear(&'v Rule<'a>),
}

impl PartialEq for Rule<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.span == other.span
    }
}
impl Eq for Rule<'_> {}

/// Reads the Apache directives of a text.
pub(super) fn reading(contents: &Contents<'_>, socket: Option<Socket<'_>>) -> Reading {
    let mut reading = Reading::default();
    if !contents.holds_one_of(&["Proxy", "Rewrite", "proxy_wstunnel"]) {
        return reading;
    }
    let text = contents.text();
    let apache = Apache::of(text);
    let verdict = apache.verdict(socket);
    let known = match verdict {
        Some(Verdict::NoHandler(span)) => Some(("no-protocol-handler", span)),
        Some(Verdict::Rewritten(span)) => Some(("upgrade-present", span)),
        Some(Verdict::Tunnel(rule)) => Some(("upgrade-present", rule.span)),
        Some(Verdict::Plain(rule, _)) => Some(("upgrade-missing", rule.span)),
        Some(Verdict::Unclear(_)) | None => None,
    };
    if let Some((value, span)) = known {
        reading.add("edge.config", value, span);
        reading.add("edge.server", "apache", span);
        reading.add("edge.present", "yes", span);
        reading.judged.clone_from(&apache.lines);
    }
    if let Some(verdict) = verdict {
        reading.drafts.push(apache.review(text, verdict));
    }
    if !apache.lines.is_empty() {
        reading.owned.clone_from(&apache.comments);
    }
    reading.regions = apache.lines;
    reading
}

fn unquoted(word: &str) -> &str {
    word.trim_matches(['"', '\'', '>'])
}

impl<'a> Apache<'a> {
    fn of(text: &'a str) -> Self {
        let mut apache = Apache {
            hosts: vec![Host::default()],
            ..Apache::default()
        };
        let mut location: Option<&str> = None;
        let mut host = 0;
        for (span, line) in lines_of(text) {
            let mut words = line.split_whitespace();
            let Some(first) = words.next() else { continue };
            let name = first.to_ascii_lowercase();
            match name.as_str() {
                "<virtualhost" => {
                    host = apache.hosts.len();
                    apache.hosts.push(Host {
                        address: words.next().map_or("", unquoted),
                        ..Host::default()
                    });
                }
                "</virtualhost>" => {
                    if let Some(closed) = apache.hosts.get_mut(host) {
                        closed.is_closed = host > 0;
                    }
                    host = 0;
                }
                "servername" | "serveralias" => {
                    if let Some(host) = apache.hosts.get_mut(host) {
                        host.names.extend(words.map(unquoted).take(50));
                    }
                }
                "<location" => location = words.next().map(unquoted),
                "</location>" => location = None,
                "include" | "includeoptional" => {
                    let file = words.next().unwrap_or_default();
                    if !file.contains("letsencrypt") && !file.contains("ssl") {
                        apache.include = apache.include.or(Some((span, file)));
                    }
                }
                "proxypass" | "proxypassmatch" if apache.rules.len() < MOST_RULES => {
                    let rest: Vec<&str> = words.map(unquoted).collect();
                    apache.add_rule(&name, &rest, location, host, span);
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
                name if name.starts_with('#') => {
                    if line.contains("proxy_wstunnel_module") && line.contains("LoadModule") {
                        apache.tunnel_is_commented = Some(span);
                    }
                    apache.comments.push(span);
                }
                _ => {}
            }
        }
        apache
    }

    fn add_rule(
        &mut self,
        name: &str,
        words: &[&'a str],
        location: Option<&'a str>,
        host: usize,
        span: Span,
    ) {
        let in_location = location
            .zip(words.first())
            .filter(|(_, first)| first.contains("://"));
        let (path, target, parameters) = match (in_location, words) {
            (Some((path, target)), [_, parameters @ ..]) => (path, *target, parameters),
            (None, [path, target, parameters @ ..]) => (*path, *target, parameters),
            _ => return,
        };
        let target = target.to_ascii_lowercase();
        if !(target.contains("://") || target == "!") {
            return;
        }
        self.lines.push(span);
        self.rules.push(Rule {
            path,
            is_expression: name.ends_with("match"),
            is_tunnel: target.starts_with("ws")
                || parameters.iter().any(|parameter| {
                    let parameter = parameter.to_ascii_lowercase();
                    matches!(parameter.as_str(), "upgrade=websocket" | "upgrade=any")
                }),
            is_in_location: in_location.is_some(),
            host,
            span,
        });
    }

    /// The virtual hosts that may serve the socket, and what is outside of all.
    fn hosts_for(&self, socket: Option<Socket<'_>>) -> Vec<usize> {
        let has_rules = |host: &usize| self.rules.iter().any(|rule| rule.host == *host);
        let mut hosts: Vec<usize> = (1..self.hosts.len()).filter(has_rules).collect();
        if let Some(socket) = socket {
            let port = if socket.is_encrypted { "443" } else { "80" };
            let fits: [&dyn Fn(&Host<'_>) -> bool; 2] = [
                &|host| {
                    host.names
                        .iter()
                        .any(|name| name.eq_ignore_ascii_case(socket.host))
                },
                &|host| host.address.rsplit(':').next() == Some(port),
            ];
            for fits in fits {
                let fitting: Vec<usize> = hosts
                    .iter()
                    .copied()
                    .filter(|host| fits(&self.hosts[*host]))
                    .collect();
                if !fitting.is_empty() {
                    hosts = fitting;
                }
            }
        }
        hosts.push(0);
        hosts
    }

    fn verdict(&self, socket: Option<Socket<'_>>) -> Option<Verdict<'_, 'a>> {
        if let Some(span) = self.tunnel_is_commented.filter(|_| !self.tunnel_is_loaded) {
            return Some(Verdict::NoHandler(span));
        }
        if let Some(span) = self.rewrites_sockets {
            return Some(Verdict::Rewritten(span));
        }
        let hosts = self.hosts_for(socket);
        let rules: Vec<&Rule<'a>> = self
            .rules
            .iter()
            .filter(|rule| hosts.contains(&rule.host))
            .collect();
        let path = socket.map(|socket| socket.path).or_else(|| {
            let made = || rules.iter().filter(|rule| !rule.is_expression);
            made()
                .find(|rule| rule.is_tunnel)
                .or_else(|| made().find(|rule| looks_like_socket(rule.path)))
                .or_else(|| made().find(|rule| rule.path == "/"))
                .map(|rule| rule.path)
        })?;
        let rule = first_fitting(&rules, path)?;
        if rule.is_tunnel {
            return Some(Verdict::Tunnel(rule));
        }
        let later = rules
            .iter()
            .find(|later| later.is_tunnel && !later.is_expression && fits(later.path, path))
            .copied();
        let is_whole = self.hosts.get(rule.host).is_some_and(|host| host.is_closed);
        match (later, is_whole, self.include) {
            (Some(later), _, _) => Some(Verdict::Plain(rule, Some(later))),
            (None, true, None) => Some(Verdict::Plain(rule, None)),
            (None, true, Some(_)) => Some(Verdict::Unclear(rule)),
            _ => None,
        }
    }

    fn review(&self, text: &str, verdict: Verdict<'_, 'a>) -> Draft {
        let span = match verdict {
            Verdict::NoHandler(span) | Verdict::Rewritten(span) => span,
            Verdict::Tunnel(rule) | Verdict::Plain(rule, _) | Verdict::Unclear(rule) => rule.span,
        };
        let mut draft = Draft::new("Apache httpd", span);
        match verdict {
            Verdict::Tunnel(_) | Verdict::Rewritten(_) => {}
            Verdict::NoHandler(span) => {
                draft.fault("The module for ws:// targets is commented out.", span);
                let line = &text[span.start..span.end];
                let words = line.trim_start_matches(['#', ' ', '\t']);
                draft.replace(
                    Span {
                        start: span.start,
                        end: span.end - words.len(),
                    },
                    "",
                );
            }
            Verdict::Unclear(_) => {
                if let Some((span, file)) = self.include {
                    draft.unknown(format!("What {file} holds is not in the text, and a rule in it may take the socket's path. Paste it as well."), span);
                }
            }
            Verdict::Plain(rule, Some(later)) if !later.is_in_location && !rule.is_in_location => {
                draft.fault("This rule takes the socket's path first, as an ordinary request; the rule for sockets below it is never reached.", rule.span);
                let start = line_start(text, rule.span.start);
                let (end, newline) = line_end(text, later.span.end);
                let moved = &text[line_start(text, later.span.start)..end];
                draft.replace(Span { start, end: start }, format!("{moved}{newline}"));
                let past = (end + newline.len()).min(text.len());
                draft.replace(
                    Span {
                        start: line_start(text, later.span.start),
                        end: past,
                    },
                    "",
                );
            }
            Verdict::Plain(rule, _) => {
                draft.fault("This rule passes the socket's path on as an ordinary request, without its upgrade. upgrade=websocket is known from version 2.4.47 on.", rule.span);
                draft.replace(
                    Span {
                        start: rule.span.end,
                        end: rule.span.end,
                    },
                    " upgrade=websocket",
                );
            }
        }
        draft
    }
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |found| found + 1)
}

/// Whether a rule's path takes the request's: whole segments, or after a slash anything.
fn fits(prefix: &str, path: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| {
        rest.is_empty() || prefix.ends_with('/') || rest.starts_with('/') || rest.starts_with('?')
    })
}

/// The first rule that takes the path; none if an expression before it cannot be read.
fn first_fitting<'v, 'a>(rules: &[&'v Rule<'a>], path: &str) -> Option<&'v Rule<'a>> {
    let mut left = MOST_EXPRESSIONS;
    for rule in rules {
        let takes = if rule.is_expression {
            left = left.checked_sub(1)?;
            if rule.path.len() > LONGEST_EXPRESSION {
                return None;
            }
            RegexBuilder::new(rule.path)
                .size_limit(1 << 17)
                .build()
                .ok()?
                .is_match(path)
        } else {
            fits(rule.path, path)
        };
        if takes {
            return Some(rule);
        }
    }
    None
}
