//! Proxy configurations in a text, read by their structure.
//!
//! A wording sees one line; whether a proxy passes the upgrade on stands in several, and in what
//! blocks inherit. Each file here reads one proxy's language and says what it makes of the
//! socket's path. What is not in the text for sure is not concluded.

mod apache;
mod caddy;
mod compose;
mod dev_server;
mod difference;
mod haproxy;
mod ingress;
mod nginx;
mod review;
mod traefik;
mod yaml;

use super::contents::Contents;
use super::reading::{Reading, is_within, lines_of, looks_like_socket};
use super::{Address, Span};
pub use difference::LineKind;
pub(super) use review::Draft;
pub use review::{DifferenceLine, Review, ReviewFinding, Sketch, Weight};

/// The socket that a configuration is asked about.
#[derive(Clone, Copy, Debug)]
struct Socket<'a> {
    is_encrypted: bool,
    host: &'a str,
    port: u16,
    path: &'a str,
}

impl Socket<'_> {
    /// Whether the path can stand in a configuration as it is.
    fn has_plain_path(&self) -> bool {
        self.path
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/_.-".contains(&byte))
    }
}

/// Reads the configurations of a redacted text. `addresses` are those of the text.
pub(super) fn readings(contents: &Contents<'_>, addresses: &[Address]) -> Vec<Reading> {
    let text = contents.text();
    let nginx = nginx::Nginx::find(contents);
    let mut aside = nginx.regions().to_vec();
    let comments = comments(text);
    aside.extend(&comments);
    aside.sort_unstable();
    let socket = socket_of(addresses, &aside);
    let ingress = ingress::reading(contents, socket);
    let mut of_nginx = nginx.reading(socket);
    // A snippet in an annotation is a part of a block that is not in the text.
    of_nginx
        .findings
        .retain(|finding| !is_within(&ingress.owned, finding.span));
    of_nginx
        .drafts
        .retain(|draft| !is_within(&ingress.owned, draft.place));
    let mut readings = vec![
        of_nginx,
        apache::reading(contents, socket),
        caddy::reading(contents, socket),
        haproxy::reading(contents),
        compose::reading(contents, socket),
        traefik::reading(contents, socket),
        ingress,
        dev_server::reading(contents, addresses, &aside, socket),
    ];
    let has_drafts = readings.iter().any(|reading| !reading.drafts.is_empty());
    if !has_drafts {
        readings.push(Reading {
            owned: comments
                .iter()
                .copied()
                .filter(|comment| is_directive(&text[comment.start..comment.end]))
                .collect(),
            ..Reading::default()
        });
    }
    if has_drafts {
        readings.push(Reading {
            regions: comments.clone(),
            owned: comments,
            ..Reading::default()
        });
    }
    readings
}

/// Words after a root's prompt, which looks like the sign of a comment.
const COMMANDS: &[&str] = &[
    "curl",
    "wscat",
    "websocat",
    "wget",
    "openssl",
    "nc",
    "ncat",
    "telnet",
    "cat",
    "nginx",
    "docker",
    "kubectl",
    "systemctl",
    "journalctl",
    "ss",
    "netstat",
    "tail",
    "ping",
    "dig",
];

/// Whether what is commented out is a line of a configuration, and no heading or sentence.
fn is_directive(comment: &str) -> bool {
    let words = comment.trim_start_matches(['#', '/', ' ', '\t']);
    let beginnings = [
        "proxy_",
        "header_up",
        "reverse_proxy",
        "ProxyPass",
        "RewriteRule",
        "RewriteCond",
        "timeout ",
        "http-request ",
    ];
    words.ends_with([';', '{']) || beginnings.iter().any(|word| words.starts_with(word))
}

/// The lines that are comments as a whole.
fn comments(text: &str) -> Vec<Span> {
    lines_of(text)
        .filter(|(_, line)| {
            let rest = line.strip_prefix("//").or_else(|| line.strip_prefix('#'));
            rest.is_some_and(|rest| {
                let first = rest.split_whitespace().next().unwrap_or_default();
                !COMMANDS.contains(&first) && !line.contains("LoadModule")
            })
        })
        .map(|(span, _)| span)
        .collect()
}

/// The socket that the text speaks of outside of its configurations. One on the developer's own
/// machine is hardly what the proxy is asked for.
fn socket_of<'a>(addresses: &'a [Address], regions: &[Span]) -> Option<Socket<'a>> {
    let mut sockets = addresses.iter().filter(|address| {
        let asks = address.is_websocket() || address.path.contains("/socket.io");
        let is_other = address.is_page || address.is_script || address.is_announced;
        asks && !is_other && !is_within(regions, address.span)
    });
    let first = sockets.next()?;
    let address = std::iter::once(first)
        .chain(sockets)
        .find(|address| address.host_kind() != super::HostKind::Loopback)
        .unwrap_or(first);
    Some(Socket {
        is_encrypted: matches!(address.scheme, "wss" | "https"),
        host: &address.host,
        port: address.effective_port(),
        path: if address.path.is_empty() {
            "/"
        } else {
            &address.path
        },
    })
}

#[cfg(test)]
mod tests;
