//! Look-ups of names: `dig`, `nslookup`, `getent`, `Resolve-DnsName`, `dscacheutil`.
//!
//! What single lines say (NXDOMAIN, SERVFAIL) is left to the wordings. Here stands what only the
//! sections show: an answer without an address, an address that cannot be the server's, what
//! another name server says.
//!
//! <https://bind9.readthedocs.io/en/latest/manpages.html>,
//! <https://learn.microsoft.com/en-us/powershell/module/dnsclient/resolve-dnsname>

use std::net::IpAddr;

use super::{Line, Output, Reading, Span, ip};

/// One look-up: what was answered, and by whom.
#[derive(Debug, Default)]
struct LookUp {
    /// The answer's addresses.
    addresses: Vec<(IpAddr, Span)>,
    /// The words of a failure, and the fact's value.
    failure: Option<(&'static str, Span)>,
    /// The name server that answered, if it was said.
    server: Option<IpAddr>,
    span: Span,
}

/// Name servers that anybody may ask.
const PUBLIC_SERVERS: &[&str] = &[
    "1.1.1.1",
    "1.0.0.1",
    "8.8.8.8",
    "8.8.4.4",
    "9.9.9.9",
    "208.67.222.222",
];

/// Reads look-ups of names in a text.
pub(super) fn reading(output: &Output<'_>) -> Reading {
    let mut reading = Reading::default();
    let marks = [
        "->>HEADER<<-",
        "Name:",
        "STREAM",
        "IPAddress",
        "ip_address:",
        " has address ",
    ];
    if !output.holds_one_of(&marks) {
        return reading;
    }
    let look_ups = look_ups(output.lines());
    let is_public = |one: &&LookUp| {
        one.server
            .is_some_and(|server| PUBLIC_SERVERS.iter().any(|known| ip(known) == Some(server)))
    };
    let usual: Vec<&LookUp> = look_ups.iter().filter(|one| !is_public(one)).collect();
    let others: Vec<&LookUp> = look_ups.iter().filter(is_public).collect();
    own_answers(&usual, output, &mut reading);
    compare(&usual, &others, &mut reading);
    reading
}

/// The look-ups of a text, told apart by the heads of their answers.
fn look_ups(lines: &[Line<'_>]) -> Vec<LookUp> {
    let mut found: Vec<LookUp> = Vec::new();
    let mut server = None;
    for line in lines {
        let text = line.text.trim();
        let words = || text.split_whitespace();
        if text.contains("->>HEADER<<-") {
            found.push(of_header(text, line.span()));
        } else if text.starts_with("ANSWER: 0") || text.contains(" ANSWER: 0,") {
            if let Some(last) = found.last_mut().filter(|last| last.failure.is_none()) {
                last.failure = Some(("not-found", line.span()));
            }
        } else if let Some(rest) = text.strip_prefix(";; SERVER: ") {
            if let Some(last) = found.last_mut() {
                last.server = ip(rest.split('#').next().unwrap_or_default());
            }
        } else if text.starts_with("Server:") {
            server = Some(None);
        } else if let Some(rest) = text
            .strip_prefix("Address:")
            .filter(|_| server == Some(None))
        {
            // The first address of nslookup is that of the name server.
            server = Some(ip(rest.trim().split('#').next().unwrap_or_default()));
        } else if (text.starts_with("Name:") && server.is_some()) || text.starts_with("name:") {
            found.push(LookUp {
                server: server.flatten(),
                span: line.span(),
                ..LookUp::default()
            });
        } else if let Some(address) = address_of(*line, words().count()) {
            if found.is_empty() && text.starts_with("Address") {
                continue; // of something else than a look-up
            }
            if found.is_empty() {
                found.push(LookUp {
                    span: line.span(),
                    ..LookUp::default()
                });
            }
            if let Some(last) = found.last_mut() {
                last.addresses.push((address, line.span()));
            }
        }
    }
    found
}

/// `;; ->>HEADER<<- opcode: QUERY, status: NXDOMAIN, id: 1`
fn of_header(text: &str, span: Span) -> LookUp {
    let status = text.split("status: ").nth(1).unwrap_or_default();
    let failure = match status.split(',').next().unwrap_or_default() {
        "NXDOMAIN" => Some(("not-found", span)),
        "SERVFAIL" | "REFUSED" => Some(("failing", span)),
        _ => None,
    };
    LookUp {
        failure,
        span,
        ..LookUp::default()
    }
}

/// The address that a line of an answer names.
fn address_of(line: Line<'_>, count: usize) -> Option<IpAddr> {
    let words = line.words();
    let word = |index: usize| words.get(index).map_or("", |word| word.text);
    // name TTL IN A address
    if word(2) == "IN" && matches!(word(3), "A" | "AAAA") {
        return ip(word(4));
    }
    // address STREAM name
    if word(1) == "STREAM" {
        return ip(word(0));
    }
    // name Type TTL Section IPAddress
    if matches!(word(1), "A" | "AAAA") && word(3) == "Answer" {
        return ip(word(4));
    }
    if word(1) == "has" && word(count.saturating_sub(2)) == "address" {
        return ip(word(count.saturating_sub(1)));
    }
    matches!(
        word(0),
        "Address:" | "Addresses:" | "ip_address:" | "ipv6_address:" | "IPAddress"
    )
    .then(|| ip(word(count.saturating_sub(1))))
    .flatten()
    .or_else(|| (count == 1).then(|| ip(word(0))).flatten())
}

/// What the usual name server said.
fn own_answers(usual: &[&LookUp], output: &Output<'_>, reading: &mut Reading) {
    let Some((address, span)) = usual.iter().find_map(|one| one.addresses.first()) else {
        // Without a single address the name is as good as unknown.
        let failures = usual.iter().filter_map(|one| one.failure);
        for (value, span) in failures {
            reading.add("dns.lookup", value, span);
        }
        return;
    };
    reading.add("dns.lookup", "ok", *span);
    let is_public_name = output.host().is_none_or(|host| {
        host.contains('.')
            && ip(host).is_none()
            && !host.ends_with(".local")
            && !host.ends_with(".internal")
            && !host.ends_with(".localhost")
    });
    if is_public_name && (address.is_loopback() || address.is_unspecified()) {
        reading.add("dns.address.kind", "unexpected", *span);
    }
    let all = || usual.iter().flat_map(|one| &one.addresses);
    if all().all(|(address, _)| address.is_ipv6()) {
        reading.add("environment.ipv6", "yes", *span);
    }
}

/// What a public name server said beside or instead of the usual one.
fn compare(usual: &[&LookUp], others: &[&LookUp], reading: &mut Reading) {
    if others.is_empty() {
        return;
    }
    let addresses = |look_ups: &[&LookUp]| -> Vec<IpAddr> {
        look_ups
            .iter()
            .flat_map(|one| one.addresses.iter().map(|(address, _)| *address))
            .collect()
    };
    let (here, there) = (addresses(usual), addresses(others));
    let failed = others.iter().find_map(|one| one.failure);
    let answered = others.iter().find_map(|one| one.addresses.first());
    match (answered, failed) {
        (Some((_, span)), _) if usual.is_empty() || here.is_empty() => {
            reading.add("dns.other-resolver", "works", *span);
        }
        (Some((_, span)), _) => {
            let is_same = there.iter().any(|address| here.contains(address));
            let value = if is_same { "same" } else { "differs" };
            reading.add("dns.other-resolver", value, *span);
        }
        (None, Some(("not-found", span))) => {
            reading.add("dns.other-resolver", "not-found", span);
        }
        _ => {}
    }
    if !usual.is_empty() || failed.is_some() || answered.is_some() {
        // What another name server says is not what the client's own says.
        for one in others {
            reading.owned.push(one.span);
            reading
                .owned
                .extend(one.addresses.iter().map(|(_, span)| *span));
            reading.owned.extend(one.failure.map(|(_, span)| span));
        }
    }
}
