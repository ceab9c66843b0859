//! Proxy configurations in a text, read by their structure.
//!
//! A wording sees one line; whether a proxy passes the upgrade on stands in several, and in what
//! blocks inherit. Each file here reads one proxy's language and says what it makes of the
//! socket's path. What is not in the text for sure is not concluded.

mod apache;
mod caddy;
mod compose;
mod haproxy;
mod nginx;

use super::reading::{Reading, is_within, lines_of, looks_like_socket};
use super::{Address, Span};

/// The socket that a configuration is asked about.
#[derive(Clone, Copy, Debug)]
struct Socket<'a> {
    is_encrypted: bool,
    host: &'a str,
    port: u16,
    path: &'a str,
}

/// Reads the configurations of a redacted text. `addresses` are those of the text.
pub(super) fn readings(text: &str, addresses: &[Address]) -> Vec<Reading> {
    let nginx = nginx::Nginx::find(text);
    let socket = socket_of(addresses, nginx.regions());
    vec![
        nginx.reading(socket),
        apache::reading(text, socket),
        caddy::reading(text, socket),
        haproxy::reading(text),
        compose::reading(text),
    ]
}

/// The socket that the text speaks of outside of its configurations. One on the developer's own
/// machine is hardly what the proxy is asked for.
fn socket_of<'a>(addresses: &'a [Address], regions: &[Span]) -> Option<Socket<'a>> {
    let mut sockets = addresses.iter().filter(|address| {
        let asks = address.is_websocket() || address.path.contains("/socket.io");
        asks && !address.is_page && !address.is_script && !is_within(regions, address.span)
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
