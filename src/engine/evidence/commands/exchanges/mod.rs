//! Requests and answers of HTTP as `curl -i`, `curl -v` and developer tools print them.
//!
//! A wording sees a status line. Here is decided which answer is the handshake's: not that of an
//! outgoing proxy to CONNECT, not the one that follows a redirect (no browser follows it), not the
//! one to a request that asked for no upgrade. And an answer that is whole shows what it lacks.
//!
//! <https://curl.se/docs/manpage.html#-v>, <https://www.rfc-editor.org/rfc/rfc6455#section-4.1>,
//! <https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6>

mod exchange;

use super::super::Address;
use super::{Line, Output, Reading, Span, ip};
use exchange::{Exchange, exchanges, header, unmarked};

/// The key of the standard's example, which the checks send, and what answers it.
/// <https://www.rfc-editor.org/rfc/rfc6455#section-1.3>
const SAMPLE_KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const SAMPLE_ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// What browsers print of a socket that they fail to open, beside which what curl reaches is another
/// client's success.
const BROWSERS_FAILURES: &[&str] = &[
    "WebSocket connection to '",
    "establish a connection to the server at ws",
];

/// Reads exchanges in a text.
pub(super) fn reading<'a>(output: &Output<'a>, addresses: &'a [Address]) -> Reading {
    let mut reading = Reading::default();
    if !output.holds("HTTP/") && !output.holds("* ALPN") {
        return reading;
    }
    own_lines_of_curl(output, &mut reading);
    let exchanges = exchanges(output, addresses);
    if exchanges.is_empty() {
        return reading;
    }
    let answers: Vec<&Exchange<'_>> = exchanges
        .iter()
        .filter(|one| !set_aside(one, &exchanges, &mut reading))
        .collect();
    for (index, exchange) in answers.iter().enumerate() {
        let is_first = index == 0;
        judge(exchange, is_first, output, &mut reading);
    }
    if answers.iter().any(|one| one.status == 101) {
        own_limit(output, &mut reading);
    }
    speaks(&answers, output, &mut reading);
    compare(&answers, &mut reading);
    reading
}

/// Sets aside the answers that are not the handshake's.
fn set_aside(exchange: &Exchange<'_>, all: &[Exchange<'_>], reading: &mut Reading) -> bool {
    let line = exchange.line;
    if exchange.is_expected {
        reading.owned.push(line.span());
        let headers = exchange.headers.iter();
        reading.owned.extend(headers.map(|(_, _, span)| *span));
        return true;
    }
    let is_connect = exchange
        .request
        .as_ref()
        .is_some_and(|request| request.method == "CONNECT")
        || line
            .text
            .to_ascii_lowercase()
            .contains("connection established");
    if is_connect {
        if (200..300).contains(&exchange.status) {
            reading.add("tunnel.answer", "ok", line.span());
            reading.add("proxy.forward", "seen", line.span());
            reading.owned.push(line.span());
        }
        return true;
    }
    let is_interim = exchange.status < 200 && exchange.status != 101;
    // No browser follows a redirect of a handshake, so only the first answer counts.
    let follows_redirect = exchange.is_follow_up && {
        let at = all.partition_point(|other| other.line.start < line.start);
        at.checked_sub(1)
            .and_then(|before| all.get(before))
            .is_some_and(|before| (300..400).contains(&before.status))
    };
    if is_interim || follows_redirect {
        reading.owned.push(line.span());
    }
    is_interim || follows_redirect
}

fn judge(exchange: &Exchange<'_>, is_first: bool, output: &Output<'_>, reading: &mut Reading) {
    let line = exchange.line;
    if past_the_proxy(exchange, output) {
        let value = if exchange.status == 101 { "yes" } else { "no" };
        reading.add("works.directly", value, line.span());
        reading.owned.push(line.span());
        return;
    }
    let is_page =
        exchange.asks_for_upgrade() == Some(false) && (200..300).contains(&exchange.status);
    if is_page {
        // An ordinary request and its answer: the handshake was not tried.
        reading.add("works.page", "yes", line.span());
        reading.owned.push(line.span());
        reading.owned.extend(exchange.body.map(Line::span));
        let of_http2 = output.lines().iter().filter(|other| {
            (exchange.begin..line.start).contains(&other.start)
                && (other.text.contains("HTTP/2") || other.text.contains(" h2"))
        });
        reading.owned.extend(of_http2.map(|other| other.span()));
        return;
    }
    if exchange.status == 101 {
        let found = reading.findings.len();
        switched(exchange, output, reading);
        let is_right = reading.findings.len() == found;
        if is_right && exchange.command.is_some() && output.holds_one_of(BROWSERS_FAILURES) {
            reading.add("works.other-client", "yes", line.span());
            reading.owned.push(line.span());
        }
    }
    if let Some((location, span)) = exchange
        .header("location")
        .filter(|_| is_first && (300..400).contains(&exchange.status))
    {
        redirect(exchange, location, span, output, reading);
    }
    if let Some(body) = exchange.body {
        let text = body.text.trim_start();
        let is_html = ["<html", "<!doctype html"].iter().any(|beginning| {
            text.get(..beginning.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(beginning))
        });
        if is_html {
            reading.add("handshake.body", "html", body.span());
        }
    }
}

/// Whether the handshake went to this very machine though the client dials elsewhere.
fn past_the_proxy(exchange: &Exchange<'_>, output: &Output<'_>) -> bool {
    let is_local = exchange.is_local
        || exchange
            .command
            .is_some_and(|address| address.host_kind() == super::HostKind::Loopback);
    let is_handshake = exchange.asks_for_upgrade() != Some(false);
    is_local
        && is_handshake
        && output.dials_elsewhere()
        && output
            .dialled
            .is_some_and(|dialled| exchange.command.is_none_or(|command| command != dialled))
}

/// What a 101 lacks.
fn switched(exchange: &Exchange<'_>, output: &Output<'_>, reading: &mut Reading) {
    let span = exchange.line.span();
    if let Some((accept, place)) = exchange.header("sec-websocket-accept") {
        let sent = exchange
            .request
            .as_ref()
            .and_then(|request| header(&request.headers, "sec-websocket-key"))
            .map_or_else(|| output.holds(SAMPLE_KEY), |(key, _)| key == SAMPLE_KEY);
        if accept == SAMPLE_ACCEPT && !exchange.is_whole {
            reading.add("accept.value", "right", place);
        } else if accept != SAMPLE_ACCEPT && sent {
            reading.add("handshake.fault", "accept-wrong", place);
        }
    }
    if !exchange.is_whole || exchange.headers.is_empty() {
        return;
    }
    if exchange.header("sec-websocket-accept").is_none() {
        reading.add("handshake.fault", "accept-missing", span);
    }
    let has = |name: &str, token: &str| {
        exchange
            .header(name)
            .is_some_and(|(value, _)| value.to_ascii_lowercase().contains(token))
    };
    if !has("upgrade", "websocket") {
        reading.add("handshake.fault", "upgrade-missing", span);
    } else if !has("connection", "upgrade") {
        reading.add("handshake.fault", "connection-missing", span);
    }
}

/// What curl itself offers or refuses tells nothing of the other side, or is told again below.
fn own_lines_of_curl(output: &Output<'_>, reading: &mut Reading) {
    let is_told = output.holds("SSL certificate problem");
    let own = output.lines().iter().filter(|line| {
        let (mark, text) = unmarked(line.text);
        mark == '*'
            && (text.starts_with("ALPN: offers")
                || text.starts_with("ALPN, offering")
                || (is_told && text.contains("(OUT), TLS alert")))
    });
    reading.owned.extend(own.map(|line| line.span()));
}

/// After a 101 curl waits until its limit of time, as it should: nobody writes a frame.
fn own_limit(output: &Output<'_>, reading: &mut Reading) {
    let limits = output.lines().iter().filter(|line| {
        line.text.contains("Operation timed out after") && line.text.contains("0 bytes received")
    });
    reading.owned.extend(limits.map(|line| line.span()));
}

/// Where a redirect leads, compared with what was asked for.
fn redirect(
    exchange: &Exchange<'_>,
    location: &str,
    span: Span,
    output: &Output<'_>,
    reading: &mut Reading,
) {
    let lower = location.to_ascii_lowercase();
    let is_login = [
        "login", "signin", "sign-in", "sign_in", "logon", "/auth", "oauth", "/sso", "saml",
    ]
    .iter()
    .any(|word| lower.contains(word));
    let asked = exchange.command.or(output.dialled);
    let path = exchange
        .request
        .as_ref()
        .map(|request| request.target)
        .or_else(|| asked.map(|address| address.path.as_str()));
    let Some(path) = path.filter(|_| !is_login) else {
        return;
    };
    let target = lower.split_once("://").map(|(_, rest)| rest);
    let (host, to) = match target {
        Some(rest) => match rest.find('/') {
            Some(slash) => (
                Some(&rest[..slash]),
                &location[location.len() - rest.len() + slash..],
            ),
            None => (Some(rest), "/"),
        },
        None => (None, location),
    };
    let without_query = |path: &str| path.split('?').next().unwrap_or_default().to_owned();
    let (from, to) = (without_query(path), without_query(to));
    let own_host = exchange
        .request
        .as_ref()
        .and_then(|request| header(&request.headers, "host"))
        .map(|(host, _)| host)
        .or_else(|| asked.map(|address| address.host.as_str()));
    let bare = |host: &str| {
        host.split(':')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    let is_same_host = match (host, own_host) {
        (Some(host), Some(own)) => bare(host) == bare(own),
        _ => true,
    };
    let value = if !is_same_host {
        "elsewhere"
    } else if from != to && from.trim_end_matches('/') == to.trim_end_matches('/') {
        "slash"
    } else if lower.starts_with("https://") && !exchange.is_encrypted {
        "https"
    } else {
        "elsewhere"
    };
    // A whole answer shows more than where it leads; what remains then is left to the wordings.
    if value != "elsewhere" || !exchange.is_whole {
        reading.add("handshake.redirect", value, span);
    }
    reading.add("handshake.location", location, span);
    reading.owned.push(Span {
        start: exchange.line.start.max(span.start.saturating_sub(2)),
        end: span.end,
    });
}

/// Whether the port speaks TLS or plain HTTP, where both were tried.
fn speaks(answers: &[&Exchange<'_>], output: &Output<'_>, reading: &mut Reading) {
    let is_told_off = |one: &&Exchange<'_>| {
        one.status == 400 && (output.holds("HTTPS port") || output.holds("HTTPS server"))
    };
    let shown = || answers.iter().copied().filter(|one| one.request.is_some());
    let plain = shown().find(|one| !one.is_encrypted && !is_told_off(one));
    let encrypted = shown().find(|one| one.is_encrypted);
    let find = |words: &[&str]| {
        output
            .lines()
            .iter()
            .find(|line| words.iter().any(|words| line.text.contains(words)))
    };
    let tls_fails = find(&[
        "wrong version number",
        "packet length too long",
        "record layer failure",
    ]);
    let plain_fails = find(&[
        "Empty reply from server",
        "HTTP/0.9 when not allowed",
        "Recv failure: Connection reset",
    ]);
    let is_told_off = answers.iter().any(is_told_off);
    if plain.is_some() != encrypted.is_some() {
        reading.findings.retain(|finding| {
            finding.key != "works.page" || (tls_fails.is_none() && plain_fails.is_none())
        });
    }
    // The failure of the other attempt only shows what the port does not speak.
    if let (Some(plain), Some(failure), None) = (plain, tls_fails, encrypted) {
        reading.add("port.speaks", "plain", plain.line.span());
        reading.owned.push(failure.span());
    } else if let Some(encrypted) =
        encrypted.filter(|_| plain.is_none() && (plain_fails.is_some() || is_told_off))
    {
        reading.add("port.speaks", "tls", encrypted.line.span());
        if output.dialled.is_some_and(|address| address.scheme == "ws") {
            let verified = find(&["SSL certificate verify result"]);
            reading.owned.extend(verified.map(|line| line.span()));
        }
        reading.owned.extend(plain_fails.map(|line| line.span()));
    }
}

/// The same handshake with and without something: an Origin, credentials.
fn compare(answers: &[&Exchange<'_>], reading: &mut Reading) {
    let [with, without] = answers else {
        return;
    };
    let is_bare = |one: &Exchange<'_>| one.headers.is_empty() && one.request.is_none();
    let accepted = |one: &Exchange<'_>| one.status == 101;
    let key = if is_bare(with) && is_bare(without) {
        // The check prints nothing but the two status lines, that with the Origin first.
        Some(("origin.compared", *with, *without))
    } else {
        ["origin", "cookie", "authorization"]
            .iter()
            .find_map(|name| {
                let has = |one: &Exchange<'_>| {
                    Some(header(&one.request.as_ref()?.headers, name).is_some())
                };
                let key = if *name == "origin" {
                    "origin.compared"
                } else {
                    "credentials.compared"
                };
                match (has(with)?, has(without)?) {
                    (true, false) => Some((key, *with, *without)),
                    (false, true) => Some((key, *without, *with)),
                    _ => None,
                }
            })
    };
    let Some((key, with, without)) = key else {
        return;
    };
    let value = match (accepted(with), accepted(without)) {
        (true, true) => "both",
        (true, false) => "only-with",
        (false, true) => "only-without",
        (false, false) if with.status == without.status => "neither",
        (false, false) => return,
    };
    reading.add(key, value, without.line.span());
    if key == "origin.compared" && with.status != without.status {
        // A browser always sends its Origin.
        reading.owned.push(without.line.span());
    }
}
