//! Chromium's network log, as `chrome://net-export` and `--log-net-log` write it
//! (<https://www.chromium.org/developers/design-documents/network-stack/netlog/>).
//!
//! It is a list of events of numbered sources; its constants say what the numbers mean. A socket's
//! request is a source, and names the sources that worked for it (connections, name look-ups).

mod condense;
mod event;
mod facts;

pub(super) use condense::condense;
pub(super) use facts::read;

/// A file says within so many bytes that it is a log.
const HEAD: usize = 256 << 10;
/// So many places are looked at that could be the beginning of one.
const MOST_BEGINNINGS: usize = 200;

/// Where, at or after `from`, the object stands that holds the constants: they come first, behind
/// a comment at most.
pub(super) fn start(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    memchr::memmem::find_iter(&bytes[from..], b"\"constants\"")
        .take(MOST_BEGINNINGS)
        .find_map(|at| {
            let at = from + at;
            let rest = text[at + 11..].trim_start().strip_prefix(':')?;
            let head = &rest.as_bytes()[..rest.len().min(HEAD)];
            if !rest.trim_start().starts_with('{') {
                return None;
            }
            memchr::memmem::find(head, b"\"logEventTypes\"")?;
            let before = text[from..at].trim_end();
            let before = match before.strip_suffix(',') {
                Some(comment) => &comment[..comment.rfind('{')? + 1],
                None => before,
            };
            let start = from + before.len().checked_sub(1)?;
            (bytes[start] == b'{').then_some(start)
        })
}
