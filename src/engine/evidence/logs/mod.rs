//! Logs of servers and proxies, read by their fields.
//!
//! A proxy's log speaks of two hops: what it answered the client, and what the server behind it
//! did. Each file here reads one product's lines.

use super::Address;
use super::reading::Reading;

/// Reads the logs of a redacted text. `addresses` are those of the text.
pub(super) fn readings(_text: &str, _addresses: &[Address]) -> Vec<Reading> {
    Vec::new()
}
