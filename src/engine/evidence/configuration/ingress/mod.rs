//! Kubernetes: the Ingress that takes the socket's path, its annotations, and the Service behind.
//! <https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/>,
//! <https://docs.nginx.com/nginx-ingress-controller/configuration/ingress-resources/advanced-configuration-with-annotations/>,
//! <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/>

mod services;

use super::super::contents::Contents;
use super::review::{span_of, whole_line};
use super::yaml::{Entry, entries};
use super::{Draft, Reading, Socket, Span, looks_like_socket};
use services::{look_at_containers, look_at_instances, look_at_service};

/// A shorter silence than this, in seconds, ends sockets that people use.
const SHORT_SILENCE: u64 = 120;
/// What the controllers of nginx and of AWS allow where nothing else is set, in seconds.
const DEFAULT_SILENCE: u64 = 60;
const READ_TIMEOUT: &str = "nginx.ingress.kubernetes.io/proxy-read-timeout";
const SEND_TIMEOUT: &str = "nginx.ingress.kubernetes.io/proxy-send-timeout";

/// The controller that reads the Ingress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Controller {
    /// The community's, by far the most common.
    IngressNginx,
    /// That of NGINX Inc.
    NginxInc,
    Alb,
    Other,
}

/// A path of an Ingress with the Service that it leads to.
#[derive(Clone, Debug, Default)]
struct Rule<'a> {
    path: &'a str,
    kind: &'a str,
    service: &'a str,
    port: Option<(&'a str, Span)>,
    span: Span,
}

/// An object of the cluster in the text.
struct Object<'e, 'a> {
    entries: Vec<&'e Entry<'a>>,
}

impl<'e, 'a> Object<'e, 'a> {
    fn get(&self, path: &[&str]) -> Option<&'e Entry<'a>> {
        self.entries
            .iter()
            .find(|entry| entry.path == path)
            .copied()
    }

    fn annotation(&self, name: &str) -> Option<&'e Entry<'a>> {
        self.entries
            .iter()
            .find(|entry| entry.ends_with(&["annotations", name]))
            .copied()
    }

    fn has_annotation_of(&self, prefix: &str) -> bool {
        self.entries.iter().any(|entry| {
            matches!(entry.path.as_slice(), [.., "annotations", name] if name.starts_with(prefix))
        })
    }

    fn is(&self, kind: &str) -> bool {
        self.get(&["kind"]).is_some_and(|entry| entry.value == kind)
    }
}

/// Reads the Ingresses and Services of a text.
pub(super) fn reading(contents: &Contents<'_>, socket: Option<Socket<'_>>) -> Reading {
    let mut reading = Reading::default();
    if !contents.holds("Ingress") {
        return reading;
    }
    let text = contents.text();
    let all = entries(text);
    let last = all.last().map_or(0, |entry| entry.document);
    let mut objects: Vec<Object<'_, '_>> = Vec::new();
    objects.resize_with(last + 1, || Object {
        entries: Vec::new(),
    });
    for entry in &all {
        if let Some(object) = objects.get_mut(entry.document) {
            object.entries.push(entry);
        }
    }
    for ingress in objects.iter().filter(|object| object.is("Ingress")).take(8) {
        let Some(kind) = ingress.get(&["kind"]) else {
            continue;
        };
        reading.add("environment.kubernetes", "yes", kind.span);
        reading.add("edge.present", "yes", kind.span);
        let rules = rules(ingress);
        let Some(rule) = serving(&rules, socket) else {
            if let (Some(socket), false) = (socket, rules.is_empty()) {
                let mut draft = Draft::new("Kubernetes Ingress", kind.span);
                draft.fault(format!("No rule takes {}.", socket.path), kind.span);
                reading.add("edge.config", "location-missing", kind.span);
                reading.drafts.push(draft);
            }
            continue;
        };
        let mut draft = Draft::new("Kubernetes Ingress", rule.span);
        look_at(text, ingress, rule, &mut reading, &mut draft);
        look_at_service(&objects, rule, &mut reading, &mut draft);
        look_at_containers(&objects, rule, &mut reading, &mut draft);
        look_at_instances(text, &objects, ingress, &mut draft);
        reading.drafts.push(draft);
    }
    reading
}

fn rules<'a>(ingress: &Object<'_, 'a>) -> Vec<Rule<'a>> {
    let mut rules: Vec<Rule<'a>> = Vec::new();
    for entry in &ingress.entries {
        let path = entry.path.as_slice();
        let ["spec", "rules", "-", "http", "paths", "-", rest @ ..] = path else {
            continue;
        };
        // The first key of an item begins another rule, whichever it is.
        let current = rules.last();
        let is_known = |rule: &Rule<'_>| match rest {
            ["path"] => !rule.path.is_empty(),
            ["pathType"] => !rule.kind.is_empty(),
            ["backend"] => rule.span.end > 0 && !rule.service.is_empty() && !rule.path.is_empty(),
            _ => false,
        };
        if current.is_none_or(is_known) {
            rules.push(Rule {
                span: entry.span,
                ..Rule::default()
            });
        }
        let Some(rule) = rules.last_mut() else {
            continue;
        };
        match rest {
            ["path"] => {
                rule.path = entry.value;
                rule.span = entry.span;
            }
            ["pathType"] => rule.kind = entry.value,
            ["backend", "service", "name"] | ["backend", "serviceName"] => {
                rule.service = entry.value
            }
            ["backend", "service", "port", _] | ["backend", "servicePort"] => {
                rule.port = Some((entry.value, entry.value_span));
            }
            _ => {}
        }
    }
    rules
}

/// The longest path that fits; without a socket one made for sockets, or the first.
fn serving<'r, 'a>(rules: &'r [Rule<'a>], socket: Option<Socket<'_>>) -> Option<&'r Rule<'a>> {
    let Some(socket) = socket else {
        return rules
            .iter()
            .find(|rule| looks_like_socket(rule.path))
            .or(rules.first());
    };
    let fits = |rule: &&Rule<'a>| {
        let is_expression = rule.path.contains('(') || rule.kind == "ImplementationSpecific";
        let prefix = rule.path.split(['(', '[']).next().unwrap_or(rule.path);
        let prefix = if rule.path.contains('(') {
            prefix
        } else {
            prefix.trim_end_matches('*')
        };
        let bare = prefix.trim_end_matches('/');
        match rule.kind {
            "Exact" => rule.path == socket.path,
            _ if is_expression => socket.path.starts_with(bare),
            _ => socket
                .path
                .strip_prefix(bare)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        }
    };
    rules.iter().filter(fits).max_by_key(|rule| rule.path.len())
}

fn controller(ingress: &Object<'_, '_>) -> Controller {
    let class = ingress
        .get(&["spec", "ingressClassName"])
        .or_else(|| ingress.annotation("kubernetes.io/ingress.class"))
        .map_or("", |entry| entry.value);
    if ingress.has_annotation_of("nginx.org/") {
        Controller::NginxInc
    } else if ingress.has_annotation_of("nginx.ingress.kubernetes.io/") {
        Controller::IngressNginx
    } else if ingress.has_annotation_of("alb.ingress.kubernetes.io/") || class == "alb" {
        Controller::Alb
    } else if class.contains("nginx") {
        Controller::IngressNginx
    } else {
        Controller::Other
    }
}

fn look_at(
    text: &str,
    ingress: &Object<'_, '_>,
    rule: &Rule<'_>,
    reading: &mut Reading,
    draft: &mut Draft,
) {
    match controller(ingress) {
        Controller::IngressNginx => look_at_ingress_nginx(text, ingress, rule, reading, draft),
        Controller::NginxInc => {
            reading.add("edge.server", "nginx", rule.span);
            let services = ingress.annotation("nginx.org/websocket-services");
            let names = services.map_or("", |entry| entry.value);
            if names.split(',').any(|name| name.trim() == rule.service) {
                reading.add(
                    "edge.config",
                    "upgrade-present",
                    services.map_or(rule.span, |entry| entry.span),
                );
                return;
            }
            reading.add("edge.config", "upgrade-missing", rule.span);
            draft.fault(format!("nginx.org/websocket-services does not name {}, so its upgrade is not passed on.", rule.service), rule.span);
            match services {
                Some(entry) => draft.replace(
                    entry.value_span,
                    format!("\"{},{}\"", names.trim_matches(','), rule.service),
                ),
                None => annotate(
                    text,
                    ingress,
                    &[("nginx.org/websocket-services", rule.service)],
                    draft,
                ),
            }
        }
        Controller::Alb => {
            reading.add("edge.server", "aws", rule.span);
            reading.add("edge.config", "upgrade-present", rule.span);
            let attributes =
                ingress.annotation("alb.ingress.kubernetes.io/load-balancer-attributes");
            let set = attributes.and_then(|entry| {
                let (_, rest) = entry.value.split_once("idle_timeout.timeout_seconds=")?;
                Some((rest.split(',').next()?.trim(), entry.span))
            });
            draft.silence = match set {
                None => Some((DEFAULT_SILENCE, rule.span)),
                Some((seconds, span)) => seconds.parse().ok().map(|seconds| (seconds, span)),
            };
            if set.is_none() {
                draft.hint("The load balancer's idle time-out is not set: it closes a socket after 60 silent seconds.", rule.span);
                match attributes {
                    Some(entry) if !entry.value.is_empty() => draft.replace(
                        entry.value_span,
                        format!("{},idle_timeout.timeout_seconds=3600", entry.value),
                    ),
                    _ => annotate(
                        text,
                        ingress,
                        &[(
                            "alb.ingress.kubernetes.io/load-balancer-attributes",
                            "idle_timeout.timeout_seconds=3600",
                        )],
                        draft,
                    ),
                }
            }
        }
        Controller::Other => {}
    }
}

fn look_at_ingress_nginx(
    text: &str,
    ingress: &Object<'_, '_>,
    rule: &Rule<'_>,
    reading: &mut Reading,
    draft: &mut Draft,
) {
    reading.add("edge.server", "nginx", rule.span);
    let protocol = ingress.annotation("nginx.ingress.kubernetes.io/backend-protocol");
    let is_grpc =
        protocol.is_some_and(|entry| entry.value.starts_with("GRPC") || entry.value == "FCGI");
    if let Some(entry) = protocol.filter(|_| is_grpc) {
        reading.add("edge.config", "upgrade-missing", entry.span);
        draft.fault(
            format!("{} to the server carries no WebSocket.", entry.value),
            entry.span,
        );
        draft.replace(entry.value_span, "\"HTTP\"");
    } else {
        reading.add("edge.config", "upgrade-present", rule.span);
    }
    let target = ingress.annotation("nginx.ingress.kubernetes.io/rewrite-target");
    if let Some(entry) = target.filter(|entry| {
        !entry.value.contains('$') && rule.path != entry.value && rule.path.len() > 1
    }) {
        reading.add("edge.config", "path-changed", entry.span);
        draft.hint(
            format!(
                "rewrite-target makes {} of every path below {}: the server is asked for {}.",
                entry.value, rule.path, entry.value
            ),
            entry.span,
        );
    }
    look_at_snippet(text, ingress, reading, draft);
    draft.silence = match ingress.annotation(READ_TIMEOUT) {
        None => Some((DEFAULT_SILENCE, rule.span)),
        Some(entry) => {
            let seconds = entry.value.trim_end_matches('s').parse();
            seconds.ok().map(|seconds| (seconds, entry.span))
        }
    };
    let mut missing = Vec::new();
    for name in [READ_TIMEOUT, SEND_TIMEOUT] {
        let short = name.rsplit('/').next().unwrap_or(name);
        match ingress.annotation(name) {
            None => missing.push((name, "3600")),
            Some(entry) => match entry.value.trim_end_matches('s').parse::<u64>() {
                Ok(seconds) if seconds < SHORT_SILENCE => {
                    draft.hint(
                        format!("{short} closes a socket after {seconds} silent seconds."),
                        entry.span,
                    );
                    draft.replace(entry.value_span, "\"3600\"");
                }
                _ => {}
            },
        }
    }
    if missing.iter().any(|(name, _)| *name == READ_TIMEOUT) {
        draft.hint("proxy-read-timeout is not set: a socket on which the server is silent for 60 seconds is closed.", rule.span);
        annotate(text, ingress, &missing, draft);
    }
}

/// The controller sets these headers itself, before the snippet: nginx then sends them twice.
/// <https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#configuration-snippet>
fn look_at_snippet(text: &str, ingress: &Object<'_, '_>, reading: &mut Reading, draft: &mut Draft) {
    let Some(snippet) = ingress.annotation("nginx.ingress.kubernetes.io/configuration-snippet")
    else {
        return;
    };
    reading.owned.push(snippet.value_span);
    for line in snippet.value.lines() {
        let mut words = line.split_whitespace();
        let header = match (words.next(), words.next()) {
            (Some("proxy_set_header"), Some(header)) => header,
            _ => continue,
        };
        if !header.eq_ignore_ascii_case("upgrade") && !header.eq_ignore_ascii_case("connection") {
            continue;
        }
        let span = span_of(text, line.trim());
        draft.hint(
            format!("ingress-nginx sets {header} itself; with this line the server gets it twice, which some servers answer with 400."),
            span,
        );
        let others = snippet.value.lines().any(|other| {
            !other.contains("proxy_set_header Upgrade")
                && !other.contains("proxy_set_header Connection")
                && !other.trim().is_empty()
        });
        if others && line.matches(';').count() == 1 {
            draft.replace(whole_line(text, span), "");
        } else if snippet.value.lines().next() == Some(line) && !others {
            let all = Span {
                start: snippet.span.start,
                end: snippet.value_span.end,
            };
            draft.replace(whole_line(text, all), "");
        }
    }
}

/// Adds annotations, with the block for them if there is none.
fn annotate(text: &str, ingress: &Object<'_, '_>, wanted: &[(&str, &str)], draft: &mut Draft) {
    let (parent, child, head) = match ingress.get(&["metadata", "annotations"]) {
        Some(entry) => {
            let first = ingress.entries.iter().find(|inner| {
                inner.starts_with(&["metadata", "annotations"]) && inner.path.len() == 3
            });
            (
                entry,
                first.map_or(entry.indent + 2, |first| first.indent),
                None,
            )
        }
        None => match ingress.get(&["metadata"]) {
            Some(entry) => {
                let last = ingress.get(&["metadata", "name"]).unwrap_or(entry);
                (last, entry.indent + 4, Some(entry.indent + 2))
            }
            None => return,
        },
    };
    if head.is_none() && !parent.value.is_empty() {
        return;
    }
    let mut lines: Vec<String> = Vec::new();
    lines.extend(head.map(|indent| format!("{}annotations:", " ".repeat(indent))));
    lines.extend(
        wanted
            .iter()
            .map(|(name, value)| format!("{}{name}: \"{value}\"", " ".repeat(child))),
    );
    draft.add_lines_after(text, parent.span.start, &lines);
}
