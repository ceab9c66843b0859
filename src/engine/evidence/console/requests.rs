//! Other requests of the page beside the socket.

use super::super::contents::{Contents, Places};
use super::super::{Address, Span};

/// Where a text speaks of requests.
pub(super) struct Requests {
    of_browsers: Places,
    reports: Places,
}

impl Requests {
    pub(super) fn of(contents: &Contents<'_>) -> Self {
        Requests {
            of_browsers: contents.places_of(BROWSERS_OWN),
            reports: contents.places_of(REPORTS),
        }
    }

    /// Whether the line reports a request that is not the socket's. `here` are the line's
    /// addresses, `all` those of the text.
    pub(super) fn are_of_another(
        &self,
        (span, line): (Span, &str),
        here: &[Address],
        all: &[Address],
    ) -> bool {
        let is_browsers_own = self.of_browsers.are_in(span);
        if !is_browsers_own && !self.reports.are_in(span) || here.iter().any(Address::is_websocket)
        {
            return false;
        }
        if is_browsers_own {
            return true;
        }
        if !all.iter().any(Address::is_dialled_socket) {
            return false;
        }
        let mut others = here
            .iter()
            .filter(|address| !address.is_page && !address.is_script)
            .peekable();
        if others.peek().is_none() {
            return is_of_a_file(line)
                || line.contains("Failed to load resource: the server responded");
        }
        others.all(|address| !is_near(address, all, line))
    }
}

/// What browsers and their tools say of their own.
const BROWSERS_OWN: &[&str] = &[
    "DevTools failed to load source map",
    "DevTools failed to load SourceMap",
    "Source map error: ",
    "Electron Security Warning",
    "Request to access cookie or storage on",
    "Request Autofill.",
    "was preloaded using link preload but not used",
    "chrome-extension://invalid",
];

/// Whether it has the shape of a report on a request: Chromium's and Safari's `GET https://...`,
/// `Failed to load resource`, reports of CORS and of mixed content.
const REPORTS: &[&str] = &[
    "GET http",
    "POST http",
    "PUT http",
    "HEAD http",
    "PATCH http",
    "DELETE http",
    "OPTIONS http",
    "XHR GET",
    "XHR POST",
    "XHRGET",
    "XHRPOST",
    "Failed to load resource",
    "Access to fetch at",
    "Access to XMLHttpRequest at",
    "Access to font at",
    "Access to script at",
    "Cross-Origin Request Blocked",
    "Fetch API cannot load",
    "XMLHttpRequest cannot load",
    "Loading failed for the",
    "insecure content from http",
    "requested an insecure",
    "Mixed Content: The page",
];

/// Whether the line names a file that no socket has.
fn is_of_a_file(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    [
        ".png",
        ".ico",
        ".jpg",
        ".svg",
        ".css",
        ".woff",
        ".map",
        ".webp",
        ".gif",
        ".webmanifest",
    ]
    .iter()
    .any(|ending| lower.contains(ending))
}

/// Whether a request tells something about a socket of the text: it is of the same library, or
/// reached the same server no better than the socket.
fn is_near(address: &Address, all: &[Address], line: &str) -> bool {
    if is_of_a_file(&address.path) {
        return false;
    }
    let path = address.path.to_ascii_lowercase();
    let is_sockets = address.query.contains("EIO=")
        || [
            "/socket.io",
            "/sockjs",
            "/negotiate",
            "signalr",
            "/hub",
            "/info",
            "graphql",
            "/cable",
            "/broadcasting",
            "/pusher",
            "/ws",
            "token",
            "ticket",
        ]
        .iter()
        .any(|part| path.contains(part));
    let same_server = all.iter().any(|socket| {
        socket.is_dialled_socket()
            && socket.host == address.host
            && socket.effective_port() == address.effective_port()
    });
    let says_network = line.contains("net::ERR_")
        && !line.contains("ERR_BLOCKED_BY")
        && !line.contains("ERR_ABORTED");
    let same_path = all
        .iter()
        .any(|socket| socket.is_dialled_socket() && socket.path == address.path);
    is_sockets || same_server && (says_network || same_path)
}
