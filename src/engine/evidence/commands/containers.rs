//! Containers and their published ports: `docker ps`, `docker compose ps`, `docker port`, and the
//! same of Podman.
//!
//! <https://docs.docker.com/reference/cli/docker/container/ls/>,
//! <https://docs.docker.com/reference/cli/docker/compose/ps/>,
//! <https://docs.docker.com/reference/cli/docker/container/port/>

use super::{HostKind, Line, Output, Reading, Span, add_on_server, ip};

/// A port of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Port {
    /// The host's port that leads to it, if it is published.
    published: Option<u16>,
    /// It is published on this machine's loopback address only.
    is_on_loopback: bool,
    inside: u16,
    span: Span,
}

/// A row of a table of containers.
#[derive(Debug)]
struct Container {
    ports: Vec<Port>,
    /// The words that say that it has ended or ends again and again.
    ended: Option<Span>,
    is_running: bool,
    span: Span,
}

/// A head or a state; without one of them there is no table, and without the arrow no list of ports.
const MARKS: &[&str] = &[
    "CONTAINER ID",
    "STATUS",
    "State",
    " Up",
    "\tUp",
    "Exit",
    "exited",
    "estarting",
    "Created",
    "Dead",
    "dead",
    "/tcp -> ",
];

/// Reads the tables of containers in a text.
pub(super) fn reading(output: &Output<'_>) -> Reading {
    let mut reading = Reading::default();
    if !output.holds_one_of(MARKS) {
        return reading;
    }
    let mut containers = Vec::new();
    let mut in_table = false;
    for line in output.lines() {
        if line.is_blank() {
            in_table = false;
        } else if is_header(line.text) {
            in_table = true;
            reading.add("environment.container", "yes", line.span());
        } else if (in_table || has_id(*line))
            && let Some(row) = row(*line)
        {
            reading.owned.push(line.span());
            containers.push(row);
        } else if let Some(port) = port_line(*line) {
            // `docker port NAME`: 3000/tcp -> 0.0.0.0:3000
            reading.owned.push(line.span());
            containers.push(Container {
                ports: vec![port],
                ended: None,
                is_running: true,
                span: line.span(),
            });
        }
    }
    if let Some(first) = containers.first() {
        reading.add("environment.container", "yes", first.span);
        judge(output, &containers, &mut reading);
    }
    reading
}

/// Whether a line is the head of a table of containers.
fn is_header(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("CONTAINER ID")
        || (line.starts_with("NAME")
            && line.contains("STATUS")
            && (line.contains("PORTS") || line.contains("SERVICE") || line.contains("IMAGE")))
        || (line.starts_with("Name") && line.contains("State") && line.contains("Ports"))
}

/// Whether a row begins with a container's id.
fn has_id(line: Line<'_>) -> bool {
    let first = line.text.split_whitespace().next().unwrap_or_default();
    first.len() == 12 && first.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// A row: its state and its ports stand in words of their own kinds, whatever the columns.
fn row(line: Line<'_>) -> Option<Container> {
    let words = line.words();
    let state = words.iter().enumerate().skip(1).find_map(|(index, word)| {
        let next = words.get(index + 1).map_or("", |next| next.text);
        let is_state = match word.text {
            "Up" => true,
            "Exited" | "Restarting" => next.starts_with('('),
            "Exit" => next.bytes().all(|digit| digit.is_ascii_digit()),
            "Created" | "Dead" | "exited" | "restarting" | "dead" => true,
            _ => false,
        };
        is_state.then_some((*word, next))
    });
    let (state, next) = state?;
    let is_running = state.text == "Up";
    // A container that ended with code 0 has done its work.
    let has_ended = !is_running && state.text != "Created" && !matches!(next, "(0)" | "0");
    Some(Container {
        ports: words
            .iter()
            .flat_map(|word| word.text.split(',').map(|part| line.span_of(part)))
            .filter_map(|span| {
                let text = line
                    .text
                    .get(span.start - line.start..span.end - line.start)?;
                port(text, span)
            })
            .collect(),
        ended: has_ended.then_some(Span {
            start: state.span.start,
            end: line.span_of(next).end.max(state.span.end),
        }),
        is_running,
        span: line.span(),
    })
}

/// `3000/tcp`, `0.0.0.0:3000->3000/tcp`, `[::]:3000->3000/tcp`, `127.0.0.1:3000->3000/tcp`.
fn port(text: &str, span: Span) -> Option<Port> {
    let text = text.strip_suffix("/tcp")?;
    let Some((outside, inside)) = text.split_once("->") else {
        return Some(Port {
            published: None,
            is_on_loopback: false,
            inside: text.parse().ok()?,
            span,
        });
    };
    let (host, published) = outside.rsplit_once(':')?;
    Some(Port {
        published: Some(published.parse().ok()?),
        is_on_loopback: ip(host).is_some_and(|address| address.is_loopback()),
        inside: inside.parse().ok()?,
        span,
    })
}

/// A line of `docker port`.
fn port_line(line: Line<'_>) -> Option<Port> {
    line.text.contains("/tcp -> ").then_some(())?;
    let words = line.words();
    let [inside, arrow, outside] = words.as_slice() else {
        return None;
    };
    let inside_port = inside.text.strip_suffix("/tcp")?.parse().ok()?;
    let (host, published) = outside.text.rsplit_once(':')?;
    (arrow.text == "->").then_some(())?;
    Some(Port {
        published: Some(published.parse().ok()?),
        is_on_loopback: ip(host)?.is_loopback(),
        inside: inside_port,
        span: Span {
            start: inside.span.start,
            end: outside.span.end,
        },
    })
}

/// Says what the containers mean for the port that is dialled.
fn judge(output: &Output<'_>, containers: &[Container], reading: &mut Reading) {
    let serves = output.port().is_some_and(|port| {
        containers
            .iter()
            .any(|one| one.is_running && publishes(one, port).is_some())
    });
    if !serves && let Some(span) = containers.iter().find_map(|one| one.ended) {
        add_on_server(reading, "container.state", "exited", span);
        return;
    }
    // By its name a container is reached without any published port.
    let is_by_name = output
        .dialled
        .is_some_and(|address| address.host_kind() == HostKind::SingleLabel);
    if is_by_name {
        return;
    }
    match output.port() {
        Some(port) if serves => state(containers, port, reading),
        Some(port) if output.own_port().is_some() => missing(containers, port, reading),
        _ => common(containers, reading),
    }
}

fn publishes(container: &Container, port: u16) -> Option<&Port> {
    let mut ports = container
        .ports
        .iter()
        .filter(|one| one.published == Some(port));
    let first = ports.next()?;
    Some(
        std::iter::once(first)
            .chain(ports)
            .find(|one| !one.is_on_loopback)
            .unwrap_or(first),
    )
}

/// The dialled port is published: on which address, and to the right port?
fn state(containers: &[Container], port: u16, reading: &mut Reading) {
    let Some((container, published)) = containers
        .iter()
        .find_map(|one| Some((one, publishes(one, port)?)))
    else {
        return;
    };
    // The image says on which port its program listens; the arrow leads to another one.
    let is_elsewhere = container
        .ports
        .iter()
        .any(|one| one.published.is_none() && one.inside == port && published.inside != port);
    let value = if is_elsewhere {
        "wrong-target"
    } else if published.is_on_loopback {
        "published-on-loopback"
    } else {
        "published"
    };
    add_on_server(reading, "container.port", value, published.span);
}

/// No arrow leads from the dialled port.
fn missing(containers: &[Container], port: u16, reading: &mut Reading) {
    let noted = containers
        .iter()
        .flat_map(|one| &one.ports)
        .find(|one| one.inside == port);
    let span = noted.map(|one| one.span).or_else(|| {
        let mut running = containers.iter().filter(|one| one.is_running);
        let only = running.next()?;
        running.next().is_none().then_some(only.span)
    });
    if let Some(span) = span {
        add_on_server(reading, "container.port", "unpublished", span);
    }
}

/// Which port counts is not known: what can be told is what all containers have in common.
fn common(containers: &[Container], reading: &mut Reading) {
    let value_of = |one: &Port| match (one.published, one.is_on_loopback) {
        (None, _) => "unpublished",
        (Some(_), true) => "published-on-loopback",
        (Some(_), false) => "published",
    };
    let mut ports = containers
        .iter()
        .filter(|one| one.is_running)
        .flat_map(|one| &one.ports);
    if let Some(first) = ports.next()
        && ports.all(|one| value_of(one) == value_of(first))
    {
        add_on_server(reading, "container.port", value_of(first), first.span);
    }
}
