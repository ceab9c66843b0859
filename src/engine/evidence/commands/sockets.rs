//! What listens where: `ss`, `netstat` of three systems, `lsof`, `Get-NetTCPConnection`.
//!
//! <https://man7.org/linux/man-pages/man8/ss.8.html>,
//! <https://man7.org/linux/man-pages/man8/netstat.8.html>,
//! <https://learn.microsoft.com/en-us/windows-server/administration/windows-commands/netstat>,
//! <https://lsof.readthedocs.io/en/latest/manpage/>,
//! <https://learn.microsoft.com/en-us/powershell/module/nettcpip/get-nettcpconnection>

use super::{Line, Output, Reading, Span, Word, add_on_server, ip};

/// From where a listening socket can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Every address of both families, or of IPv4.
    All,
    /// Every address of IPv6 only.
    AllOfIpv6,
    Loopback,
    LoopbackOfIpv6,
    OneAddress,
}

/// A listening socket.
#[derive(Clone, Copy, Debug)]
struct Listener<'a> {
    port: u16,
    reach: Reach,
    /// The program's name, if the table shows it.
    process: &'a str,
    span: Span,
}

/// Programs in which people write socket servers.
const RUNTIMES: &[&str] = &[
    "node",
    "python",
    "uvicorn",
    "gunicorn",
    "daphne",
    "hypercorn",
    "java",
    "ruby",
    "puma",
    "php",
    "dotnet",
    "beam",
    "deno",
    "bun",
    "npm",
    "next-server",
    "vite",
    "docker-pr",
    "com.docke",
];

/// Ports and programs of every machine that have nothing to do with the matter.
const SYSTEM_PORTS: &[u16] = &[
    22, 25, 53, 111, 135, 139, 445, 631, 1433, 3306, 3389, 5040, 5353, 5355, 5432, 6379, 7680,
    11211, 27017,
];

/// Reads the tables of listening sockets in a text.
pub(super) fn reading(output: &Output<'_>) -> Reading {
    let mut reading = Reading::default();
    if !output.holds_one_of(&["LISTEN", "Listen", "LocalAddress", "Local Address", "ABH"]) {
        return reading;
    }
    let mut listeners = Vec::new();
    let (mut header, mut in_cmdlet, mut has_other_rows) = (None, false, false);
    for line in output.lines() {
        if let Some(kind) = header_of(line.text) {
            header = header.or(Some(line.span()));
            in_cmdlet = kind == Header::Cmdlet;
            continue;
        }
        let words = line.words();
        let found = listener(&words).or_else(|| in_cmdlet.then(|| of_cmdlet(&words)).flatten());
        if let Some((port, reach, process)) = found {
            reading.owned.push(line.span());
            listeners.push(Listener {
                port,
                reach,
                process,
                span: line.span(),
            });
        } else if words.len() >= 4 {
            has_other_rows |= is_connection(*line);
        }
    }
    judge(output, &listeners, header, has_other_rows, &mut reading);
    reading
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Header {
    Table,
    Cmdlet,
}

/// Whether a line is the head of a table of sockets.
fn header_of(line: &str) -> Option<Header> {
    let line = line.trim_start();
    if line.starts_with("LocalAddress") {
        return Some(Header::Cmdlet);
    }
    let is_table = (line.starts_with("State") && line.contains("Recv-Q"))
        || (line.starts_with("Netid") && line.contains("Recv-Q"))
        || (line.starts_with("Proto") && line.contains("Local Address"))
        || (line.starts_with("COMMAND") && line.contains("DEVICE"));
    is_table.then_some(Header::Table)
}

/// A row of a connection that does not listen.
fn is_connection(line: Line<'_>) -> bool {
    [
        "ESTAB",
        "TIME-WAIT",
        "TIME_WAIT",
        "CLOSE_WAIT",
        "SYN-SENT",
        "SYN_SENT",
    ]
    .iter()
    .any(|state| line.text.contains(state))
}

/// The port, the reach and the program of a row of `ss`, `netstat` or `lsof` that listens.
fn listener<'a>(words: &[Word<'a>]) -> Option<(u16, Reach, &'a str)> {
    let word = |index: usize| words.get(index).map_or("", |word| word.text);
    if let Some(at) = words.iter().take(2).position(|word| word.text == "LISTEN") {
        // State Recv-Q Send-Q Local Peer Process
        let (host, port) = split(word(at + 3), ':')?;
        let reach = reach(host, host == "[::]")?;
        let process = word(at + 5).split('"').nth(1).unwrap_or_default();
        return Some((port, reach, process));
    }
    if word(0).starts_with("tcp") && word(5) == "LISTEN" {
        // Proto Recv-Q Send-Q Local Foreign State PID/Program
        let separator = if word(4) == "*.*" { '.' } else { ':' };
        let (host, port) = split(word(3), separator)?;
        let process = word(6).split_once('/').map_or("", |(_, name)| name);
        return Some((port, reach(host, false)?, process));
    }
    if word(0) == "TCP" && matches!(word(2), "0.0.0.0:0" | "[::]:0") {
        // Proto Local Foreign State PID
        let (host, port) = split(word(1), ':')?;
        return Some((port, reach(host, host == "[::]")?, ""));
    }
    if words.last()?.text == "(LISTEN)" {
        // COMMAND PID USER FD TYPE DEVICE SIZE/OFF NODE NAME
        let (host, port) = split(word(words.len().checked_sub(2)?), ':')?;
        return Some((port, reach(host, false)?, word(0)));
    }
    None
}

/// A row of `Get-NetTCPConnection`.
fn of_cmdlet<'a>(words: &[Word<'a>]) -> Option<(u16, Reach, &'a str)> {
    let host = words.first()?.text;
    let port = words.get(1)?.text.parse().ok()?;
    let has_state = words.len() > 4;
    if has_state && !words.iter().any(|word| word.text == "Listen") {
        return None;
    }
    Some((port, reach(host, host == "::")?, ""))
}

/// Splits an address from its port, which may be written as the service's name.
fn split(text: &str, separator: char) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(separator)?;
    let port = match port {
        "http" => 80,
        "https" => 443,
        "http-alt" | "webcache" => 8080,
        "pcsync-https" => 8443,
        "hbci" => 3000,
        "commplex-main" => 5000,
        _ => port.parse().ok()?,
    };
    Some((host, port))
}

/// From where an address can be reached; `is_ipv6_only` says whether this table shows IPv4 apart.
fn reach(host: &str, is_ipv6_only: bool) -> Option<Reach> {
    if host == "*" {
        return Some(Reach::All);
    }
    if host == "localhost" {
        return Some(Reach::Loopback);
    }
    let address = ip(host)?;
    Some(if address.is_unspecified() {
        if is_ipv6_only {
            Reach::AllOfIpv6
        } else {
            Reach::All
        }
    } else if address.is_loopback() {
        if address.is_ipv6() {
            Reach::LoopbackOfIpv6
        } else {
            Reach::Loopback
        }
    } else {
        Reach::OneAddress
    })
}

/// Says what the listening sockets mean for the one that is dialled.
fn judge(
    output: &Output<'_>,
    listeners: &[Listener<'_>],
    header: Option<Span>,
    has_other_rows: bool,
    reading: &mut Reading,
) {
    let dialled: Vec<&Listener<'_>> = listeners
        .iter()
        .filter(|listener| Some(listener.port) == output.port())
        .collect();
    if !dialled.is_empty() {
        state(&dialled, reading);
        return;
    }
    let candidates: Vec<&Listener<'_>> = listeners.iter().filter(|one| is_candidate(one)).collect();
    let Some(header) = header.filter(|_| output.own_port().is_some()) else {
        // Which port counts is not known: what can be told is what all have in common.
        let ports = candidates.iter().map(|one| one.port);
        let same_port = ports.clone().min() == ports.max();
        let first = candidates.first();
        if same_port
            || first.is_some_and(|first| candidates.iter().all(|one| one.reach == first.reach))
        {
            state(&candidates, reading);
        }
        return;
    };
    let elsewhere = candidates.iter().find(|one| is_runtime(one.process));
    if let Some(other) = elsewhere {
        add_on_server(reading, "server.listening", "other-port", other.span);
    } else if !listeners.is_empty() || !has_other_rows {
        add_on_server(reading, "server.listening", "none", header);
    }
}

fn is_runtime(process: &str) -> bool {
    RUNTIMES.iter().any(|name| process.starts_with(name))
}

fn is_candidate(listener: &Listener<'_>) -> bool {
    is_runtime(listener.process)
        || !(SYSTEM_PORTS.contains(&listener.port)
            || listener.port >= 49_152
            || [
                "sshd",
                "systemd",
                "cups",
                "chronyd",
                "master",
                "rapportd",
                "ControlCe",
            ]
            .iter()
            .any(|name| listener.process.starts_with(name)))
}

/// States from where sockets of one port can be reached.
fn state(listeners: &[&Listener<'_>], reading: &mut Reading) {
    let find = |reach: Reach| listeners.iter().find(|one| one.reach == reach);
    let order = [
        (Reach::All, "all"),
        (Reach::OneAddress, "one-address"),
        (Reach::AllOfIpv6, "ipv6-only"),
        (Reach::Loopback, "loopback"),
        (Reach::LoopbackOfIpv6, "ipv6-only"),
    ];
    let Some((reach, value, listener)) = order
        .into_iter()
        .find_map(|(reach, value)| Some((reach, value, find(reach)?)))
    else {
        return;
    };
    add_on_server(reading, "server.listening", value, listener.span);
    if reach == Reach::LoopbackOfIpv6 {
        reading.add("tcp.address.kind", "ipv6-loopback", listener.span);
    }
}
