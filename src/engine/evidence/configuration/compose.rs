//! Docker Compose: which service is published where, and what its settings dial.
//! <https://docs.docker.com/reference/compose-file/services/#ports>

use super::super::contents::Contents;
use super::review::{indent_of, span_of};
use super::yaml::{Entry, entries, items};
use super::{Draft, Reading, Socket, Span};

/// Keys that mean that another way leads in, or that lines are missing.
const OTHER_WAYS: &[&str] = &["network_mode", "labels", "extends", "include", "<<"];
/// Beginnings of names of settings that end up in a browser.
const FOR_BROWSERS: &[&str] = &[
    "VITE_",
    "REACT_APP_",
    "NEXT_PUBLIC_",
    "PUBLIC_",
    "VUE_APP_",
    "NUXT_PUBLIC_",
    "EXPO_PUBLIC_",
];

/// A published port.
#[derive(Clone, Copy, Debug)]
struct Port<'a> {
    address: &'a str,
    outside: &'a str,
    inside: &'a str,
    span: Span,
}

/// A setting: its name and its value.
#[derive(Clone, Copy, Debug)]
struct Setting<'a> {
    name: &'a str,
    value: &'a str,
}

/// A service.
#[derive(Debug, Default)]
struct Service<'a> {
    name: &'a str,
    span: Span,
    /// Columns before its own keys.
    indent: usize,
    ports: Vec<Port<'a>>,
    has_ports: bool,
    has_image: bool,
    has_other_way: bool,
    exposed: Vec<&'a str>,
    settings: Vec<Setting<'a>>,
}

/// Reads the services of a compose file in a text.
pub(super) fn reading(contents: &Contents<'_>, socket: Option<Socket<'_>>) -> Reading {
    let mut reading = Reading::default();
    if !contents.holds("services:") {
        return reading;
    }
    let text = contents.text();
    let all = entries(text);
    let Some(head) = all
        .iter()
        .find(|entry| entry.path.as_slice() == ["services"] && entry.value.is_empty())
    else {
        return reading;
    };
    let services = services(&all, head.document);
    if !services.iter().any(|service| service.has_image) {
        return reading;
    }
    reading.add("environment.container", "yes", head.span);
    let has_gap = text.contains("...") || text.contains('…');
    let mut draft = Draft::new("Docker Compose", head.span);
    look_at_ports(
        text,
        &services,
        head.span,
        socket,
        has_gap,
        &mut reading,
        &mut draft,
    );
    look_at_settings(text, &services, &mut reading, &mut draft);
    let of_first = draft.remarks.first().and_then(|remark| {
        services
            .iter()
            .rfind(|service| service.span.start <= remark.span.start)
    });
    draft.place = of_first.map_or(head.span, |service| service.span);
    reading.drafts.push(draft);
    reading
}

fn services<'a>(all: &[Entry<'a>], document: usize) -> Vec<Service<'a>> {
    let mut services: Vec<Service<'a>> = Vec::new();
    for entry in all.iter().filter(|entry| entry.document == document) {
        let ["services", name, rest @ ..] = entry.path.as_slice() else {
            continue;
        };
        if rest.is_empty() {
            services.push(Service {
                name,
                span: entry.span,
                indent: entry.indent + 2,
                ..Service::default()
            });
            continue;
        }
        if let Some(service) = services.last_mut().filter(|service| service.name == *name) {
            service.add(entry, rest);
        }
    }
    services
}

impl<'a> Service<'a> {
    fn add(&mut self, entry: &Entry<'a>, rest: &[&'a str]) {
        if let [_] = rest {
            self.indent = entry.indent;
        }
        match rest {
            ["image" | "build", ..] => self.has_image = true,
            ["ports"] | ["ports", "-"] => {
                self.has_ports = true;
                self.ports.extend(
                    items(entry.value)
                        .into_iter()
                        .filter_map(|item| port(item, entry)),
                );
            }
            ["ports", "-", "published"] => {
                self.has_ports = true;
                self.ports.push(Port {
                    address: "",
                    outside: entry.value,
                    inside: "",
                    span: entry.value_span,
                });
            }
            ["ports", ..] => self.has_ports = true,
            ["expose"] | ["expose", "-"] => self.exposed.extend(items(entry.value)),
            ["environment", "-"] => {
                if let Some((name, value)) = entry.value.split_once('=') {
                    self.settings.push(Setting { name, value });
                }
            }
            ["environment", name] => self.settings.push(Setting {
                name,
                value: entry.value,
            }),
            [key, ..] if OTHER_WAYS.contains(key) => self.has_other_way = true,
            _ => {}
        }
    }

    /// The port on which its program listens, where the file says so.
    fn own_port(&self) -> Option<&'a str> {
        let is_port = |value: &&str| value.parse::<u16>().is_ok();
        self.settings
            .iter()
            .find(|setting| {
                matches!(
                    setting.name,
                    "PORT" | "WS_PORT" | "SERVER_PORT" | "HTTP_PORT"
                )
            })
            .map(|setting| setting.value)
            .filter(is_port)
            .or_else(|| match self.exposed.as_slice() {
                [only] => Some(only.trim_end_matches("/tcp")).filter(is_port),
                _ => None,
            })
    }
}

/// `8080:80`, `127.0.0.1:8080:80`, `80`.
fn port<'a>(item: &'a str, entry: &Entry<'a>) -> Option<Port<'a>> {
    let plain = item.split('/').next().unwrap_or(item);
    let (front, inside) = plain.rsplit_once(':').unwrap_or(("", plain));
    let (address, outside) = front.rsplit_once(':').unwrap_or(("", front));
    let is_port = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'-')
    };
    (is_port(inside) && (outside.is_empty() || is_port(outside))).then_some(Port {
        address,
        outside,
        inside,
        span: entry.value_span,
    })
}

fn look_at_ports(
    text: &str,
    services: &[Service<'_>],
    head: Span,
    socket: Option<Socket<'_>>,
    has_gap: bool,
    reading: &mut Reading,
    draft: &mut Draft,
) {
    let has_ports = services.iter().any(|service| service.has_ports);
    let has_other_way = has_gap || services.iter().any(|service| service.has_other_way);
    let wanted = socket.map(|socket| socket.port.to_string());
    let is_published = |port: &str| {
        services
            .iter()
            .flat_map(|service| &service.ports)
            .any(|published| published.outside == port)
    };
    // The service that listens on the socket's port and is not published there.
    let hidden = wanted
        .as_deref()
        .filter(|port| !is_published(port))
        .and_then(|port| {
            services.iter().find(|service| {
                !service.has_ports && !service.has_other_way && service.own_port() == Some(port)
            })
        });
    if let Some(service) = hidden.or_else(|| {
        services
            .iter()
            .filter(|_| !has_ports && !has_other_way)
            .max_by_key(|service| service.own_port().is_some())
    }) {
        let place = if hidden.is_some() { service.span } else { head };
        reading.add("container.port", "unpublished", place);
        draft.fault(
            format!("No port of {} is published, so nothing outside of the containers' network reaches it.", service.name),
            service.span,
        );
        if let Some(port) = service.own_port() {
            let outside = wanted
                .as_deref()
                .filter(|_| hidden.is_some())
                .unwrap_or(port);
            let base = indent_of(text, service.span.start).len();
            let indent = " ".repeat(service.indent.max(base + 1));
            let lines = [
                format!("{indent}ports:"),
                format!("{indent}  - \"{outside}:{port}\""),
            ];
            draft.add_lines_after(text, service.span.start, &lines);
        }
    }
    for service in services {
        let own = service.own_port();
        for port in &service.ports {
            if matches!(port.address, "127.0.0.1" | "localhost" | "[::1]") {
                reading.add("container.port", "published-on-loopback", port.span);
                draft.hint(
                    format!("{} is published on {} only: other machines reach it only through a proxy on this one.", service.name, port.address),
                    port.span,
                );
            }
            let is_lost = own.is_some_and(|own| own != port.inside)
                && service.ports.len() == 1
                && !port.inside.is_empty();
            if let (true, Some(own)) = (is_lost, own) {
                reading.add("container.port", "wrong-target", port.span);
                draft.fault(
                    format!(
                        "{} listens on {own}, but its port {} is published.",
                        service.name, port.inside
                    ),
                    port.span,
                );
                let words = &text[port.span.start..port.span.end];
                if let Some(at) = words.rfind(port.inside) {
                    let start = port.span.start + at;
                    draft.replace(
                        Span {
                            start,
                            end: start + port.inside.len(),
                        },
                        own,
                    );
                }
            }
        }
    }
}

/// Addresses in settings: what a browser cannot reach, and `localhost` where another service is
/// meant.
fn look_at_settings(
    text: &str,
    services: &[Service<'_>],
    reading: &mut Reading,
    draft: &mut Draft,
) {
    for service in services {
        for setting in &service.settings {
            let Some((host, port)) = host_of(setting.value) else {
                continue;
            };
            let span = span_of(text, setting.value);
            let is_for_browsers = FOR_BROWSERS
                .iter()
                .any(|start| setting.name.starts_with(start));
            let is_service = services.iter().any(|other| other.name == host);
            let is_loopback = matches!(host, "localhost" | "127.0.0.1");
            if is_for_browsers && is_service {
                reading.add("url.host.kind", "single-label", span);
                draft.fault(
                    format!("{} goes to browsers, and no browser knows the name {host}: it holds only between containers. Give the public address.", setting.name),
                    span,
                );
            }
            let other = services.iter().find(|other| {
                other.name != service.name
                    && port.is_some_and(|port| {
                        other.own_port() == Some(port)
                            || other
                                .ports
                                .iter()
                                .any(|known| known.inside == port || known.outside == port)
                    })
            });
            if let (true, false, Some(other)) = (is_loopback, is_for_browsers, other) {
                let is_its_own = service.own_port() == port
                    || service.ports.iter().any(|known| Some(known.inside) == port);
                if is_its_own {
                    continue;
                }
                reading.add("container.dial", "localhost", span);
                draft.fault(
                    format!("In the container of {} {host} is that container itself; {} is reached by its name.", service.name, other.name),
                    span,
                );
                draft.replace(span_of(text, host), other.name);
            }
        }
    }
}

/// Host and port of an address.
fn host_of(value: &str) -> Option<(&str, Option<&str>)> {
    let (_, rest) = value.split_once("://")?;
    let end = rest.find(['/', '?', '#', '"', '\'']).unwrap_or(rest.len());
    let authority = rest[..end].rsplit('@').next()?;
    match authority.rsplit_once(':') {
        Some((host, port)) => Some((host, Some(port))),
        None => Some((authority, None)),
    }
}
