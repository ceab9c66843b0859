//! The common and combined formats of nginx, Apache, Traefik and Werkzeug, with what is usually added.
//! <https://nginx.org/en/docs/http/ngx_http_log_module.html>
//! <https://httpd.apache.org/docs/2.4/mod/mod_log_config.html>
//! <https://doc.traefik.io/traefik/observability/access-logs/>
//! <https://github.com/pallets/werkzeug/blob/main/src/werkzeug/serving.py>

use super::fields::{Field, Line, Request, find};
use super::journal::Exchange;

/// Which product writes lines of this shape, as far as the text around them tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    Unknown,
    Nginx,
    Apache,
}

const NGINX: (&str, &str) = ("nginx", "nginx");
const APACHE: (&str, &str) = ("apache", "apache");
const UNKNOWN: (&str, &str) = ("", "");
const TRAEFIK: (&str, &str) = ("", "traefik");

/// Reads `203.0.113.7 - - [11/Oct/2026:18:02:44 +0000] "GET /ws HTTP/1.1" 101 5 ...`, also with a
/// virtual host in front.
pub(super) fn exchange<'a>(line: Line<'a>, writer: Writer) -> Option<Exchange<'a>> {
    let words = line.words();
    let bracket = memchr::memchr(b'[', words.as_bytes().get(..words.len().min(300))?)?;
    // `[11/Oct/2026:18:02:44 +0000] "`, where Werkzeug writes a space before the time.
    let time = words.as_bytes().get(bracket + 1..)?;
    let is_werkzeug = time.get(11) == Some(&b' ');
    let is_time = is_werkzeug || time.get(11) == Some(&b':');
    if time.get(2) != Some(&b'/') || time.get(6) != Some(&b'/') || !is_time {
        return None;
    }
    let mut rest = line.from(bracket);
    rest.next()?;
    let quoted = rest.next().filter(|field| field.mark == b'"')?;
    let mut exchange = Exchange {
        line: line.span,
        product: NGINX,
        request: Request::of(quoted).unwrap_or_default(),
        ..Exchange::default()
    };
    exchange.status = Some(rest.next()?.status()?);
    if quoted.words.starts_with("\\x16\\x03") {
        exchange.is_upgrade = true;
        exchange.status = None;
        exchange.say("tls.tls-request", "yes", quoted.span);
    }
    let size = rest.next();
    let has_host_in_front = host_in_front(&line, bracket, &mut exchange);
    let tail: Vec<Field<'a>> = rest.take(32).collect();
    exchange.product = match writer {
        _ if is_werkzeug => UNKNOWN,
        Writer::Apache => APACHE,
        Writer::Nginx => NGINX,
        Writer::Unknown => {
            let is_apache =
                has_host_in_front || size.is_none_or(|size| size.is_none()) || tail.is_empty();
            // The combined format is nginx's, Apache's and many applications'.
            let is_nginx = exchange
                .status
                .is_some_and(|(status, _)| matches!(status, 444 | 494..=499));
            match (is_apache, is_nginx) {
                (true, _) => APACHE,
                (false, true) => NGINX,
                (false, false) => UNKNOWN,
            }
        }
    };
    if exchange.product == UNKNOWN
        && let Some((502 | 504, span)) = exchange.status
    {
        // Whatever program it was, it answered as a gateway.
        exchange.say("edge.present", "yes", span);
    }
    read_tail(&mut exchange, tail);
    Some(exchange)
}

/// `app.example:443 203.0.113.7 - - [`: Apache's `vhost_combined`.
fn host_in_front<'a>(line: &Line<'a>, bracket: usize, exchange: &mut Exchange<'a>) -> bool {
    let front = line.words().get(..bracket).unwrap_or_default();
    let first = front.split(' ').next().unwrap_or_default();
    let is_host = front.split(' ').filter(|word| !word.is_empty()).count() == 4
        && first.rsplit_once(':').is_some_and(|(host, port)| {
            host.contains('.') && port.bytes().all(|digit| digit.is_ascii_digit())
        });
    if is_host {
        let host = first.split(':').next().unwrap_or_default();
        exchange.host = Some(line.field(0, host.len()));
    }
    is_host
}

/// What stands behind the size: referrer, agent, times, the server behind.
fn read_tail<'a>(exchange: &mut Exchange<'a>, tail: Vec<Field<'a>>) {
    let quoted = tail.iter().take_while(|field| field.mark == b'"').count();
    let rest = tail.get(quoted..).unwrap_or_default();
    if let [_, router, server, duration] = tail.get(2..).unwrap_or_default()
        && router.mark == b'"'
        && server.mark == b'"'
        && let Some(milliseconds) = duration.words.strip_suffix("ms")
    {
        exchange.product = TRAEFIK;
        let number = Field {
            words: milliseconds,
            ..*duration
        };
        exchange.seconds = number.seconds(1000.0);
        if router.is_none() && exchange.status.is_some_and(|(status, _)| status == 404) {
            exchange.say("edge.config", "location-missing", router.span);
        }
        return;
    }
    let mut behind = Vec::new();
    for field in rest {
        match labelled(field) {
            Some(label) => read_labelled(exchange, label, &mut behind),
            None => read_bare(exchange, field, rest.len(), &mut behind),
        }
    }
    // An address of the server behind, but no status of it: the answer is the proxy's own.
    if let Some((status, span)) = exchange.status
        && status == 404
        && behind.first() == Some(&None)
    {
        exchange.say("edge.config", "location-missing", span);
    }
}

/// A field that says what it is: `rt=60.001`, `urt="60.000"`, `upstream_status=502`.
fn labelled<'a>(field: &Field<'a>) -> Option<(&'a str, Field<'a>)> {
    let (label, value) = field.words.split_once(['=', ':'])?;
    let is_label = !label.is_empty()
        && field.mark == 0
        && label
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let trimmed = value.trim_matches(['"', ',']);
    let start = field.span.end - value.len() + (value.len() - value.trim_start_matches('"').len());
    let span = super::super::Span {
        start,
        end: start + trimmed.len(),
    };
    is_label.then_some((
        label,
        Field {
            words: trimmed,
            span,
            mark: b'=',
        },
    ))
}

fn read_labelled(
    exchange: &mut Exchange<'_>,
    (label, value): (&str, Field<'_>),
    behind: &mut Vec<Option<u16>>,
) {
    match label {
        "rt" | "request_time" | "req_time" | "time" | "duration" if exchange.seconds.is_none() => {
            exchange.seconds = value.seconds(1.0);
        }
        "us" | "upstream_status" | "ustatus" => {
            behind.push(value.status().map(|(status, _)| status));
        }
        _ => {}
    }
}

/// A field that does not say what it is. nginx writes times with three digits behind the point,
/// Apache's `%D` is in microseconds.
fn read_bare(
    exchange: &mut Exchange<'_>,
    field: &Field<'_>,
    count: usize,
    behind: &mut Vec<Option<u16>>,
) {
    if field.mark == b'"' {
        return;
    }
    let words = field.words;
    let is_time = words
        .rsplit_once('.')
        .is_some_and(|(_, fraction)| fraction.len() == 3 && words.matches('.').count() == 1);
    if is_time && exchange.seconds.is_none() {
        exchange.seconds = field.seconds(1.0);
    } else if count == 1 && words.len() >= 7 && !words.contains('.') {
        exchange.seconds = field.seconds(1_000_000.0);
    } else if exchange.seconds.is_some()
        && let Some((status, _)) = field.status()
    {
        behind.push(Some(status));
    }
}

/// What a line of an error log names behind its words: where that begins, and the request.
pub(super) fn error_tail<'a>(line: &Line<'a>) -> (Line<'a>, Option<Request<'a>>) {
    let start = find(line.words(), ", client: ").unwrap_or(line.words().len());
    let tail = line.from(start);
    let request = tail
        .value("request: ", &[','])
        .filter(|field| !field.is_none())
        .and_then(Request::of);
    (tail, request)
}
