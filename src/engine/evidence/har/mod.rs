//! HTTP Archive 1.2 (<http://www.softwareishard.com/blog/har-12-spec/>) as browsers and proxies
//! write it.
//!
//! Of all that a page loaded, only WebSockets matter, and requests to the same host that failed
//! beside them (Socket.IO polls before it opens a socket). What the writers add:
//! - Chromium's developer tools (`front_end/models/har/Log.ts`): `_webSocketMessages` with times in
//!   seconds since 1970, an error as a message of the type `error`, `timings.receive` as the
//!   socket's life, status 0 for a refused handshake.
//! - Firefox (`devtools/client/netmonitor/src/har/har-builder.js`): the handshake alone, without
//!   messages, errors or life.
//! - Safari (`WebInspectorUI/UserInterface/Controllers/HARBuilder.js`): as Firefox, with `_error`.
//! - mitmproxy (`mitmproxy/addons/savehar.py`): `_webSocketMessages` as Chromium, and `_error`;
//!   binary messages in base64.

mod condense;
mod entry;
mod facts;

pub(super) use condense::condense;
pub(super) use facts::read;

/// A file says within so many bytes that it is an archive.
const HEAD: usize = 64 << 10;
/// So many places are looked at that could be the beginning of one.
const MOST_BEGINNINGS: usize = 200;

/// Where, at or after `from`, `{"log": {` stands and what follows belongs to an archive.
pub(super) fn start(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    memchr::memmem::find_iter(&bytes[from..], b"\"log\"")
        .take(MOST_BEGINNINGS)
        .find_map(|at| {
            let at = from + at;
            let before = text[from..at].trim_end();
            let start = from + before.len().checked_sub(1)?;
            let rest = text[at + 5..].trim_start().strip_prefix(':')?;
            if bytes[start] != b'{' || !rest.trim_start().starts_with('{') {
                return None;
            }
            let head = &rest.as_bytes()[..rest.len().min(HEAD)];
            [&b"\"entries\""[..], b"\"creator\"", b"\"pages\""]
                .iter()
                .any(|word| memchr::memmem::find(head, word).is_some())
                .then_some(start)
        })
}
