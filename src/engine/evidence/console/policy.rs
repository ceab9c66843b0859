//! Reports of a page's Content Security Policy.
//!
//! They name the address that was refused and quote the directive: what the directive lists is
//! what the page may reach, not what anybody dials. CSP Level 3, 6.1.3 (`connect-src`) and 6.7.2.8
//! (how an address matches an expression).

use super::super::contents::Contents;
use super::super::reading::{Reading, lines_of};
use super::super::{Address, Span};
use super::part;

/// What the reports of a text say.
#[derive(Default)]
pub(super) struct Policy {
    /// A report says why the page may not connect: a policy or mixed content.
    pub(super) is_reported: bool,
}

/// Reads the reports of a text.
pub(super) fn read(
    contents: &Contents<'_>,
    addresses: &[Address],
    reading: &mut Reading,
) -> Policy {
    let mut policy = Policy {
        is_reported: contents.holds_one_of(OF_MIXED_CONTENT),
    };
    if !contents.holds_one_of(&["connect-src", "default-src"]) {
        return policy;
    }
    let mut refused: Option<&Address> = None;
    for (span, line) in lines_of(contents.text()) {
        if line.len() > super::LONGEST_LINE {
            continue;
        }
        if OF_POLICIES.iter().any(|words| line.contains(words)) {
            policy.is_reported = true;
            refused = addresses
                .iter()
                .find(|address| span.start <= address.span.start && address.span.start < span.end);
        }
        if let Some((from, to)) = directive(line) {
            let quoted = part(span, from, to);
            reading.regions.push(quoted);
            if let Some(address) = refused.take().filter(|address| address.is_websocket())
                && address.span.start < quoted.start
            {
                say(&line[from..to], address, quoted, reading);
            }
        }
    }
    policy
}

fn say(directive: &str, address: &Address, quoted: Span, reading: &mut Reading) {
    if directive.split_ascii_whitespace().count() > 1 && !lists(directive, address) {
        reading.add("csp.connect-src", "missing", quoted);
    }
}

/// Whether a line says why a page may not connect: a policy or mixed content.
pub(super) fn is_report(line: &str) -> bool {
    let mut words = OF_POLICIES.iter().chain(OF_MIXED_CONTENT);
    words.any(|words| line.contains(words))
}

/// Words of reports on policies.
const OF_POLICIES: &[&str] = &[
    "violates the following",
    "settings blocked the loading",
    "settings observed the loading",
    "does not appear in the connect-src",
    "violates the document's Content Security Policy",
];

/// Words of reports on mixed content.
const OF_MIXED_CONTENT: &[&str] = &[
    "insecure WebSocket",
    "insecure content from ws",
    "Upgrading insecure request",
];

/// Where a directive with its sources stands in a line: to the end of its quotation.
fn directive(line: &str) -> Option<(usize, usize)> {
    let from = ["connect-src ", "default-src "]
        .iter()
        .filter_map(|name| line.find(name))
        .min()?;
    let rest = &line[from..];
    let length = rest.find(['"', ';', '`', ')']).unwrap_or(rest.len());
    Some((from, from + length))
}

/// Whether a source of the directive allows the address.
fn lists(directive: &str, address: &Address) -> bool {
    directive.split_ascii_whitespace().skip(1).any(|source| {
        let source = source.trim_end_matches([',', '.']).to_ascii_lowercase();
        match source.split_once("://") {
            Some((scheme, rest)) => {
                let host = rest.split(['/', ':']).next().unwrap_or_default();
                allows_scheme(scheme, address.scheme) && allows_host(host, &address.host)
            }
            None => match source.strip_suffix(':') {
                Some(scheme) => allows_scheme(scheme, address.scheme),
                None => allows_host(
                    source.split(['/', ':']).next().unwrap_or_default(),
                    &address.host,
                ),
            },
        }
    })
}

/// A source's scheme also allows the encrypted one of its kind.
fn allows_scheme(source: &str, scheme: &str) -> bool {
    source == scheme
        || matches!(
            (source, scheme),
            ("ws" | "http" | "https", "wss") | ("http", "ws")
        )
}

fn allows_host(source: &str, host: &str) -> bool {
    source == "*"
        || source == host
        || source
            .strip_prefix('*')
            .is_some_and(|ending| ending.len() > 1 && host.ends_with(ending))
}
