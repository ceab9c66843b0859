//! Traefik: it passes upgrades on by itself; which router takes the path, and what its middlewares
//! and its service change, stands in YAML, TOML or in labels of containers.
//! <https://doc.traefik.io/traefik/reference/routing-configuration/http/load-balancing/service/>
//!
//! Nothing is said of `buffering`, which lets an upgraded connection alone, nor of the entry
//! points' `respondingTimeouts`, which end with the handshake: Go lifts the deadlines of a
//! connection that is taken over. <https://pkg.go.dev/net/http#Hijacker>

use super::super::contents::Contents;
use super::review::span_of;
use super::yaml::{entries, items, unquoted};
use super::{Draft, Reading, Socket, Span, lines_of, looks_like_socket};

/// More settings are not read.
const MOST_SETTINGS: usize = 5000;

/// A setting by its whole path, as labels write it: `http.routers.app.rule`.
#[derive(Debug)]
struct Setting<'a> {
    path: Vec<&'a str>,
    value: &'a str,
    span: Span,
}

/// Reads the Traefik settings of a text.
pub(super) fn reading(contents: &Contents<'_>, socket: Option<Socket<'_>>) -> Reading {
    let mut reading = Reading::default();
    if !contents.holds("routers") {
        return reading;
    }
    let text = contents.text();
    let settings = settings(text);
    let Some(rule) = serving(&settings, socket) else {
        return reading;
    };
    let Some(router) = rule.path.get(2) else {
        return reading;
    };
    let targets = settings.iter().filter(|setting| {
        setting.path.get(1) == Some(&"services") && setting.path.last() == Some(&"url")
            || matches!(
                setting.path.as_slice(),
                ["http", "middlewares", _, _, "address"]
            )
    });
    reading.regions.extend(targets.map(|setting| setting.span));
    reading.add("edge.present", "yes", rule.span);
    reading.add("edge.product", "traefik", rule.span);
    let mut draft = Draft::new("Traefik", rule.span);
    let is_broken = look_at_middlewares(&settings, router, socket, &mut reading, &mut draft);
    let http2 = look_at_service(text, &settings, router, &mut reading, &mut draft);
    if !is_broken && !http2 {
        reading.add("edge.config", "upgrade-present", rule.span);
    }
    reading.drafts.push(draft);
    reading
}

/// The settings of all ways of writing in the text.
fn settings(text: &str) -> Vec<Setting<'_>> {
    let mut found: Vec<Setting<'_>> = Vec::new();
    for entry in entries(text) {
        let is_label = entry.value.starts_with("traefik.") && entry.path.last() == Some(&"-");
        let label = entry.path.last().filter(|key| key.starts_with("traefik."));
        let (path, value) = if is_label {
            let Some((path, value)) = entry.value.split_once('=') else {
                continue;
            };
            (path.split('.').skip(1).collect(), value)
        } else if let Some(label) = label {
            (label.split('.').skip(1).collect(), entry.value)
        } else if entry.path.first() == Some(&"http") {
            (entry.path, entry.value)
        } else {
            continue;
        };
        found.push(Setting {
            path,
            value,
            span: if value.is_empty() {
                entry.span
            } else {
                span_of(text, value)
            },
        });
        if found.len() >= MOST_SETTINGS {
            break;
        }
    }
    found.extend(toml_settings(text));
    found
}

/// Tables and keys of TOML: `[http.routers.app]`, `rule = "..."`.
fn toml_settings(text: &str) -> Vec<Setting<'_>> {
    let mut found = Vec::new();
    let mut table: Vec<&str> = Vec::new();
    for (_, line) in lines_of(text) {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.split(']').next())
        {
            table = name
                .trim_start_matches('[')
                .split('.')
                .map(unquoted)
                .collect();
            continue;
        }
        let Some((key, value)) = line
            .split_once('=')
            .filter(|_| table.first() == Some(&"http"))
        else {
            continue;
        };
        let value = value.trim();
        let is_key = key
            .trim()
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if is_key && found.len() < MOST_SETTINGS {
            let mut path = table.clone();
            path.push(key.trim());
            let value = unquoted(value);
            found.push(Setting {
                path,
                value,
                span: span_of(text, value),
            });
        }
    }
    found
}

/// The rule that takes the socket: by its path, the longest rule first as Traefik does.
fn serving<'s, 'a>(
    settings: &'s [Setting<'a>],
    socket: Option<Socket<'_>>,
) -> Option<&'s Setting<'a>> {
    let rules = || {
        settings
            .iter()
            .filter(|setting| matches!(setting.path.as_slice(), ["http", "routers", _, "rule"]))
    };
    let Some(socket) = socket else {
        return rules()
            .find(|rule| {
                paths(rule.value)
                    .iter()
                    .any(|(_, path)| looks_like_socket(path))
            })
            .or_else(|| rules().max_by_key(|rule| rule.value.len()));
    };
    let takes = |rule: &&Setting<'a>| {
        let paths = paths(rule.value);
        let hosts = arguments(rule.value, "Host(");
        let fits_path = paths.is_empty()
            || paths.iter().any(|(is_prefix, path)| {
                if *is_prefix {
                    socket.path.starts_with(path)
                } else {
                    socket.path == *path
                }
            });
        let fits_host = hosts.is_empty()
            || hosts
                .iter()
                .any(|host| host.eq_ignore_ascii_case(socket.host));
        fits_path && fits_host && !rule.value.contains("Regexp")
    };
    rules().filter(takes).max_by_key(|rule| rule.value.len())
}

/// The paths of a rule, and whether each is a prefix.
fn paths(rule: &str) -> Vec<(bool, &str)> {
    let prefixes = arguments(rule, "PathPrefix(")
        .into_iter()
        .map(|path| (true, path));
    prefixes
        .chain(
            arguments(rule, "Path(")
                .into_iter()
                .map(|path| (false, path)),
        )
        .collect()
}

/// What stands between the parentheses of a matcher.
fn arguments<'a>(rule: &'a str, matcher: &str) -> Vec<&'a str> {
    rule.match_indices(matcher)
        .filter_map(|(at, _)| rule[at + matcher.len()..].split(')').next())
        .flat_map(|inner| inner.split(','))
        .map(|word| word.trim().trim_matches(['`', '"', '\'', '\\']))
        .take(50)
        .collect()
}

/// Whether a middleware of the router takes the upgrade away; one that strips the path is noted.
fn look_at_middlewares(
    settings: &[Setting<'_>],
    router: &str,
    socket: Option<Socket<'_>>,
    reading: &mut Reading,
    draft: &mut Draft,
) -> bool {
    let used: Vec<&str> = settings
        .iter()
        .filter(|setting| {
            matches!(setting.path.as_slice(), ["http", "routers", name, "middlewares", ..] if *name == router)
        })
        .flat_map(|setting| items(setting.value))
        .flat_map(|names| names.split(','))
        .map(|name| unquoted(name).split('@').next().unwrap_or_default())
        .collect();
    let mut is_broken = false;
    for setting in settings {
        let ["http", "middlewares", name, rest @ ..] = setting.path.as_slice() else {
            continue;
        };
        if !used.contains(name) {
            continue;
        }
        let Some(kind) = rest.first().map(|kind| kind.to_ascii_lowercase()) else {
            continue;
        };
        let last = rest.last().map_or("", |last| last);
        if kind == "headers"
            && rest
                .get(1)
                .is_some_and(|key| key.eq_ignore_ascii_case("customRequestHeaders"))
            && (last.eq_ignore_ascii_case("connection") || last.eq_ignore_ascii_case("upgrade"))
        {
            is_broken = true;
            reading.add("edge.config", "upgrade-missing", setting.span);
            draft.fault(
                format!(
                    "The middleware {name} changes {last}; Traefik passes the upgrade on by itself."
                ),
                setting.span,
            );
        }
        // Whatever the authentication server answers but 2xx is the answer to the handshake.
        // <https://doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/forwardauth/>
        if kind == "forwardauth" && last.eq_ignore_ascii_case("address") {
            draft.hint(
                format!("The middleware {name} asks {} first: with any answer but 2xx (a redirect to a login, 401) the socket fails. A browser sends it cookies, but no headers of its own.", setting.value),
                setting.span,
            );
        }
        if kind == "stripprefix"
            && socket.is_some_and(|socket| {
                items(setting.value)
                    .iter()
                    .any(|prefix| prefix.starts_with('/') && socket.path.starts_with(prefix))
            })
        {
            reading.add("edge.config", "path-changed", setting.span);
            draft.hint(
                format!(
                    "The middleware {name} takes {} off the path before the server sees it.",
                    setting.value
                ),
                setting.span,
            );
        }
    }
    is_broken
}

/// The router's service: its scheme, whether Host is passed on, its port. Whether it speaks HTTP/2
/// only.
fn look_at_service(
    text: &str,
    settings: &[Setting<'_>],
    router: &str,
    reading: &mut Reading,
    draft: &mut Draft,
) -> bool {
    let named = settings
        .iter()
        .find(|setting| matches!(setting.path.as_slice(), ["http", "routers", name, "service"] if *name == router))
        .map(|setting| setting.value.split('@').next().unwrap_or_default());
    let services = || {
        settings.iter().filter(|setting| {
            matches!(setting.path.as_slice(), ["http", "services", name, ..] if named.is_none_or(|named| *name == named))
        })
    };
    let mut http2 = false;
    for setting in services() {
        let last = setting.path.last().map_or("", |last| last);
        let is_h2c = (last.eq_ignore_ascii_case("scheme") && setting.value == "h2c")
            || (last.eq_ignore_ascii_case("url") && setting.value.starts_with("h2c://"));
        if is_h2c {
            http2 = true;
            reading.add("edge.upstream-protocol", "http2", setting.span);
            draft.fault(
                "h2c speaks HTTP/2 only, over which most servers take no WebSocket.",
                setting.span,
            );
            draft.replace(
                Span {
                    start: setting.span.start,
                    end: setting.span.start + "h2c".len(),
                },
                "http",
            );
        }
        if last.eq_ignore_ascii_case("passHostHeader") && setting.value == "false" {
            reading.add("edge.config", "host-missing", setting.span);
            draft.hint("Host is not passed on: a server that compares Origin with Host refuses the socket.", setting.span);
            draft.replace(setting.span, "true");
        }
    }
    look_at_port(text, settings, services().count() == 0, draft);
    http2
}

/// In labels the container's port; without it Traefik takes the first that the image exposes.
fn look_at_port(text: &str, settings: &[Setting<'_>], has_none: bool, draft: &mut Draft) {
    let label = settings.iter().find(|setting| {
        matches!(setting.path.as_slice(), ["http", "routers", _, "rule"])
            && text[..setting.span.start].ends_with("rule=")
    });
    if let (Some(label), true) = (label, has_none) {
        draft.hint(
            "No loadbalancer.server.port: Traefik takes the lowest port that the image exposes, and none if it exposes none.",
            label.span,
        );
        add_port(text, settings, label, draft);
    }
}

/// The label for the port on which the container's program listens, where the text says it.
fn add_port(text: &str, settings: &[Setting<'_>], label: &Setting<'_>, draft: &mut Draft) {
    let all = entries(text);
    let Some(own) = all
        .iter()
        .find(|entry| entry.span.start <= label.span.start && label.span.start <= entry.span.end)
    else {
        return;
    };
    let (["services", container, ..], Some(router)) = (own.path.as_slice(), label.path.get(2))
    else {
        return;
    };
    let is_its = |path: &[&str]| matches!(path, ["services", name, ..] if name == container);
    let port = all
        .iter()
        .filter(|entry| entry.document == own.document && is_its(&entry.path))
        .find_map(|entry| match &entry.path[2..] {
            ["environment", "PORT"] => Some(entry.value),
            ["environment", "-"] => entry.value.strip_prefix("PORT="),
            ["expose", "-"] => Some(entry.value),
            _ => None,
        })
        .filter(|port| port.parse::<u16>().is_ok());
    let service = settings
        .iter()
        .find(|setting| matches!(setting.path.as_slice(), ["http", "routers", name, "service"] if name == router))
        .map_or(*router, |setting| setting.value);
    if let (Some(port), true) = (
        port,
        own.path.last() == Some(&"-") && !service.contains('@'),
    ) {
        let indent = super::review::indent_of(text, own.span.start);
        let line = format!(
            "{indent}- \"traefik.http.services.{service}.loadbalancer.server.port={port}\""
        );
        draft.add_lines_after(text, own.span.start, &[line]);
    }
}
