//! Whether a port or a host can be reached: `nc` of all kinds, `telnet`, `curl -v`,
//! `Test-NetConnection`, `ping`; and whether wscat connects where a browser does not.
//!
//! A single line says how one attempt went. Several say more: whether one of IPv4 and IPv6 fails,
//! whether the server itself reaches what the client does not, whether a container's neighbour is
//! found by its name.
//!
//! <https://man.openbsd.org/nc.1>, <https://curl.se/docs/manpage.html>,
//! <https://learn.microsoft.com/en-us/powershell/module/nettcpip/test-netconnection>

use std::net::IpAddr;

use super::{Line, Output, Reading, Span, ip, routes};

/// How an attempt to connect went; the words of the facts.
type Outcome = &'static str;

const OK: Outcome = "ok";
const REFUSED: Outcome = "refused";
const TIMED_OUT: Outcome = "timed-out";

/// An attempt to connect to an address.
#[derive(Clone, Copy, Debug)]
struct Attempt<'a> {
    tool: Tool,
    /// As it was asked for; empty where the tool does not say.
    name: &'a str,
    address: Option<IpAddr>,
    outcome: Outcome,
    span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tool {
    Netcat,
    Telnet,
    Curl,
}

/// The endings of the operating systems' sentences.
const REASONS: &[(&str, Outcome)] = &[
    ("Connection refused", REFUSED),
    ("timed out", TIMED_OUT),
    ("Operation now in progress", TIMED_OUT),
    ("No route to host", "host-unreachable"),
    ("Host is unreachable", "host-unreachable"),
    ("Network is unreachable", "network-unreachable"),
    ("Network unreachable", "network-unreachable"),
    ("Permission denied", "denied"),
    ("Operation not permitted", "denied"),
    ("Connection reset by peer", "reset"),
];

/// Reads attempts to reach something in a text.
pub(super) fn reading(output: &Output<'_>) -> Reading {
    let mut reading = Reading::default();
    let marks = [
        "nc: ",
        "Connected (press",
        "Connection to ",
        "Trying ",
        "onnected to ",
        ") open",
        "TcpTestSucceeded",
        "raceroute",
        "racing route",
        "Tracing",
        "pmtu",
        "Loss%",
        "ping",
        "PING",
        "Ping",
    ];
    if !output.holds_one_of(&marks) {
        return reading;
    }
    let attempts = attempts(output.lines());
    families(&attempts, &mut reading);
    if !of_containers(&attempts, &mut reading) && !of_server(output, &attempts, &mut reading) {
        plain(&attempts, &mut reading);
    }
    test_net_connection(output, &mut reading);
    pings(output, &mut reading);
    routes::read(output, &mut reading);
    other_client(output, &mut reading);
    reading
}

/// wscat's "Connected" beside a browser's failure: another client gets in.
/// <https://github.com/websockets/wscat>
fn other_client(output: &Output<'_>, reading: &mut Reading) {
    let fails_in_browser = output.holds("WebSocket connection to '")
        || output.holds("establish a connection to the server at ws");
    let has_ended = output.holds("Disconnected (code: 1006");
    let connected = output
        .lines()
        .iter()
        .position(|line| line.text.trim() == "Connected (press CTRL+C to quit)");
    let (Some(at), Some(dialled)) = (connected, output.dialled) else {
        return;
    };
    let address = format!("{}://{}", dialled.scheme, dialled.host);
    let is_same = output.lines()[..at]
        .iter()
        .rev()
        .find(|line| line.text.contains("wscat "))
        .is_some_and(|line| line.text.contains(&address));
    if fails_in_browser && is_same && !has_ended {
        let span = output.lines()[at].span();
        reading.add("works.other-client", "yes", span);
        reading.owned.push(span);
    }
}

/// The attempts in the order of the text.
fn attempts<'a>(lines: &[Line<'a>]) -> Vec<Attempt<'a>> {
    let mut attempts = Vec::new();
    // The address that curl or telnet said last that it tries.
    let mut trying: Option<IpAddr> = None;
    for line in lines {
        let text = line.text.trim();
        // curl's progress meter has no newline at its end.
        let text = text.find("*   Trying ").map_or(text, |at| &text[at..]);
        let (is_curl, text) = match text.strip_prefix("* ") {
            Some(rest) => (true, rest.trim_start()),
            None => (false, text),
        };
        if let Some(rest) = text.strip_prefix("Trying ") {
            let target = rest.trim_end_matches("...");
            trying = ip(target).or_else(|| target.rsplit_once(':').and_then(|(host, _)| ip(host)));
            continue;
        }
        let found = netcat(text)
            .map(|(name, address, outcome)| (Tool::Netcat, name, address, outcome))
            .or_else(|| {
                let tool = if is_curl { Tool::Curl } else { Tool::Telnet };
                let (address, outcome) = curl_or_telnet(text, is_curl, trying)?;
                Some((tool, "", address, outcome))
            });
        if let Some((tool, name, address, outcome)) = found {
            trying = None;
            attempts.push(Attempt {
                tool,
                name,
                address,
                outcome,
                span: line.span(),
            });
        }
    }
    attempts
}

fn reason(text: &str) -> Option<Outcome> {
    let text = text.trim_end_matches(['.', '!', ' ']);
    REASONS
        .iter()
        .find(|(words, _)| text.ends_with(words))
        .map(|(_, outcome)| *outcome)
}

/// A line of the netcats of OpenBSD and macOS and of BusyBox: name, address, outcome.
fn netcat(text: &str) -> Option<(&str, Option<IpAddr>, Outcome)> {
    if let Some(rest) = text.strip_prefix("nc: connect") {
        // nc: connect to HOST (ADDRESS) port PORT (tcp) failed: REASON; macOS writes connectx
        let rest = rest.trim_start_matches('x').strip_prefix(" to ")?;
        let outcome = reason(rest)?;
        let (target, _) = rest.split_once(" port ")?;
        let (name, address) = name_and_address(target);
        return Some((name, address, outcome));
    }
    if let Some(rest) = text.strip_prefix("Connection to ")
        && text.contains(" port ")
        && text.contains("succeeded")
    {
        // Connection to HOST (ADDRESS) PORT port [tcp/*] succeeded!
        // Connection to HOST port PORT [tcp/*] succeeded!
        let target = rest.split(" port ").next()?;
        let target = match target.rsplit_once(' ') {
            Some((target, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => target,
            _ => target,
        };
        let (name, address) = name_and_address(target);
        return Some((name, address, OK));
    }
    // BusyBox: localhost (127.0.0.1:3000) open, nc: chat (172.18.0.2:3000): Connection refused,
    // nc: bad address 'chat'
    if let Some(name) = text.strip_prefix("nc: bad address '") {
        return Some((name.trim_end_matches('\''), None, "not-found"));
    }
    let target = text.strip_prefix("nc: ").unwrap_or(text);
    let (name, rest) = target.split_once(" (")?;
    let (inside, ending) = rest.split_once(')')?;
    let (host, port) = inside.rsplit_once(':')?;
    port.parse::<u16>().ok()?;
    let outcome = if ending == " open" {
        OK
    } else {
        reason(ending.strip_prefix(": ")?)?
    };
    (!name.contains(' ')).then_some((name, Some(ip(host)?), outcome))
}

/// `HOST (ADDRESS)`, or an address alone.
fn name_and_address(target: &str) -> (&str, Option<IpAddr>) {
    match target.split_once(" (") {
        Some((name, address)) => (name, ip(address.trim_end_matches(')'))),
        None => (target, ip(target)),
    }
}

/// A line of `curl -v` or `telnet`: address, outcome.
fn curl_or_telnet(
    text: &str,
    is_curl: bool,
    trying: Option<IpAddr>,
) -> Option<(Option<IpAddr>, Outcome)> {
    if let Some(rest) = text.strip_prefix("telnet: ") {
        let address = rest
            .strip_prefix("connect to address ")
            .and_then(|rest| ip(rest.split(": ").next()?));
        return Some((address.or(trying), reason(rest)?));
    }
    if is_curl && let Some(rest) = text.strip_prefix("connect to ") {
        let address = ip(rest.split(' ').next()?);
        return Some((address, reason(rest)?));
    }
    if is_curl && let Some(rest) = text.strip_prefix("Immediate connect fail for ") {
        let (address, _) = rest.split_once(": ")?;
        return Some((ip(address), reason(rest)?));
    }
    let is_connected = text.starts_with("Established connection to ")
        || (text.starts_with("Connected to ") && (is_curl || trying.is_some()));
    if is_connected {
        let inside = text.split_once(" (").map(|(_, rest)| rest);
        let address = inside.and_then(|rest| ip(rest.split([' ', ')']).next()?));
        return Some((address.or(trying), OK));
    }
    // A limit of time ends an attempt without naming its address.
    let is_over = text.starts_with("curl: (28) Connection timed out after")
        || text.starts_with("curl: (28) Failed to connect to");
    (is_over && trying.is_some()).then_some((trying, TIMED_OUT))
}

/// Whether one of IPv4 and IPv6 fails.
fn families(attempts: &[Attempt<'_>], reading: &mut Reading) {
    let last = |is_ipv6: bool| {
        attempts.iter().rev().find(|one| {
            one.address
                .is_some_and(|address| address.is_ipv6() == is_ipv6)
        })
    };
    let (Some(four), Some(six)) = (last(false), last(true)) else {
        return;
    };
    let (value, span) = match (four.outcome, six.outcome) {
        (OK, OK) => ("both-ok", six.span),
        (OK, _) => ("only-ipv6-failed", six.span),
        (_, OK) => ("only-ipv4-failed", four.span),
        (REFUSED, REFUSED) => ("both-refused", six.span),
        _ => return,
    };
    reading.add("tcp.families", value, span);
}

/// An attempt at localhost and one at a service's name, from inside a container.
fn of_containers(attempts: &[Attempt<'_>], reading: &mut Reading) -> bool {
    let local = attempts
        .iter()
        .find(|one| one.tool == Tool::Netcat && one.name == "localhost");
    let service = attempts.iter().rev().find(|one| {
        one.tool == Tool::Netcat
            && one.name != "localhost"
            && !one.name.is_empty()
            && !one.name.contains(['.', ':'])
    });
    let (Some(local), Some(service)) = (local, service) else {
        return false;
    };
    let value = match (local.outcome, service.outcome) {
        (OK, OK) => "both-work",
        (_, OK) => "service-name-works",
        (_, "not-found") => "service-name-unknown",
        (_, REFUSED) => "service-name-refused",
        _ => return false,
    };
    reading.add("container.dial", value, service.span);
    reading.add("environment.container", "yes", service.span);
    own(attempts, Tool::Netcat, reading);
    true
}

/// Attempts at the loopback address though the client dials elsewhere: made on the server itself.
fn of_server(output: &Output<'_>, attempts: &[Attempt<'_>], reading: &mut Reading) -> bool {
    let is_loopback = |one: &&Attempt<'_>| one.address.is_some_and(|address| address.is_loopback());
    let count = attempts.iter().filter(is_loopback).count();
    let from_netcat = attempts.iter().all(|one| one.tool == Tool::Netcat);
    if count == 0 || count < attempts.len() || !from_netcat || !output.dials_elsewhere() {
        return false;
    }
    let works = attempts.iter().find(|one| one.outcome == OK);
    let (value, span) = match (works, attempts.first()) {
        (Some(works), _) => ("yes", works.span),
        (None, Some(first)) => ("no", first.span),
        (None, None) => return false,
    };
    reading.add("works.on-server", value, span);
    reading
        .findings
        .retain(|finding| finding.key != "tcp.families");
    own(attempts, Tool::Netcat, reading);
    true
}

fn own(attempts: &[Attempt<'_>], tool: Tool, reading: &mut Reading) {
    let spans = attempts.iter().filter(|one| one.tool == tool);
    reading.owned.extend(spans.map(|one| one.span));
}

/// What the attempts of netcat say one by one; where one family works, the other's failure is no
/// fault of the port.
fn plain(attempts: &[Attempt<'_>], reading: &mut Reading) {
    let is_ipv6_loopback = |one: &Attempt<'_>| {
        one.address
            .is_some_and(|address| address.is_ipv6() && address.is_loopback())
    };
    // Of curl and telnet the wordings know the rest; here only the family that failed for nothing.
    let connects = |one: &Attempt<'_>| one.tool != Tool::Netcat && one.outcome == OK;
    if reading.findings.iter().any(|one| one.key == "tcp.families") && attempts.iter().any(connects)
    {
        let failed = attempts
            .iter()
            .filter(|one| one.tool != Tool::Netcat && one.outcome != OK);
        for one in failed {
            if is_ipv6_loopback(one) && one.outcome == REFUSED {
                reading.add("tcp.address.kind", "ipv6-loopback", one.span);
            }
            reading.owned.push(one.span);
        }
    }
    let netcat = || attempts.iter().filter(|one| one.tool == Tool::Netcat);
    let has_worked = netcat().any(|one| one.outcome == OK);
    for one in netcat() {
        if one.outcome == "not-found" {
            reading.add("dns.lookup", "not-found", one.span);
        } else if one.outcome == OK || !has_worked {
            reading.add("tcp.connect", one.outcome, one.span);
        }
        if one.outcome == REFUSED && is_ipv6_loopback(one) {
            reading.add("tcp.address.kind", "ipv6-loopback", one.span);
        }
        reading.add("client.library", "netcat", one.span);
    }
    own(attempts, Tool::Netcat, reading);
}

/// The block of `Test-NetConnection`: its fields in any order.
fn test_net_connection(output: &Output<'_>, reading: &mut Reading) {
    let field = |name: &str| {
        output.lines().iter().find_map(|line| {
            let (key, value) = line.text.split_once(':')?;
            (key.trim() == name).then_some((line.span(), value.trim()))
        })
    };
    let remote = field("RemoteAddress").and_then(|(_, value)| ip(value));
    let Some((span, succeeded)) = field("TcpTestSucceeded") else {
        if let Some((span, _)) = field("PingSucceeded").filter(|(_, value)| *value == "True") {
            reading.add("network.route", "ok", span);
        }
        return;
    };
    let is_on_server =
        remote.is_some_and(|address| address.is_loopback()) && output.dials_elsewhere();
    if is_on_server {
        let value = if succeeded == "True" { "yes" } else { "no" };
        reading.add("works.on-server", value, span);
        reading.owned.push(span);
        for line in output.lines() {
            if line.text.contains("TCP connect to") {
                reading.owned.push(line.span());
            }
        }
    } else if let Some((span, _)) = field("PingSucceeded").filter(|(_, value)| *value == "True") {
        reading.add("network.route", "ok", span);
    }
}

/// The summary of `ping` on three systems: answers arrived.
fn pings(output: &Output<'_>, reading: &mut Reading) {
    for line in output.lines() {
        let text = line.text;
        if text.contains("min/avg/max") {
            reading.owned.push(line.span()); // no antivirus of that name
        }
        let received = if text.contains("packets transmitted") {
            text.split(", ")
                .find(|part| part.contains("received"))
                .and_then(|part| part.split_whitespace().next())
        } else if text.contains("Sent = ") {
            text.split("Received = ")
                .nth(1)
                .and_then(|rest| rest.split(',').next())
        } else {
            continue;
        };
        let count: u32 = received.and_then(|count| count.parse().ok()).unwrap_or(0);
        // "Destination host unreachable" of a router counts as received on Windows.
        if count > 0 && !output.holds("estination host unreachable") {
            reading.add("network.route", "ok", line.span());
        }
    }
}
