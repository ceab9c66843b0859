//! Consoles of browsers and apps, where structure decides what a line speaks of.
//!
//! A console shows everything that a page does: other requests that failed, policies for other
//! hosts, stack frames, the properties of objects. Lines that do not speak of the socket tell
//! nothing about it.

mod policy;
mod requests;

use super::contents::Contents;
use super::reading::{Reading, lines_of};
use super::{Address, Span};
use requests::Requests;

/// A longer line is no console's.
const LONGEST_LINE: usize = 4000;

/// Reads the consoles of a redacted text. `addresses` are those of the text.
pub(super) fn readings(contents: &Contents<'_>, addresses: &[Address]) -> Vec<Reading> {
    let has_socket = addresses.iter().any(Address::is_websocket);
    if !has_socket && !contents.holds_one_of(&["Metro", "bufferedAmount"]) {
        return Vec::new();
    }
    let mut reading = Reading::default();
    let policy = policy::read(contents, addresses, &mut reading);
    let requests = Requests::of(contents);
    let about_metro = contents.places_of(&["Disconnected from Metro", "Cannot connect to Metro"]);
    let mut left = addresses;
    for (span, line) in lines_of(contents.text()) {
        let skipped = left.partition_point(|address| address.span.start < span.start);
        left = left.get(skipped..).unwrap_or_default();
        if line.is_empty() || line.len() > LONGEST_LINE {
            continue;
        }
        let count = left.partition_point(|address| address.span.start < span.end);
        let here = left.get(..count).unwrap_or_default();
        if is_frame(line) {
            // The function's name may tell what happened; the script's name tells nothing.
            let place = part(span, place_in(line), line.len());
            if !names_a_framework(line) {
                reading.owned.push(place);
            }
            reading.regions.push(place);
        } else if is_property(line)
            || requests.are_of_another((span, line), here, addresses)
            || (policy.is_reported && is_bare_refusal(line))
        {
            reading.owned.push(span);
        } else if about_metro.are_in(span) {
            reading.add("dev-server.fault", "hmr-failed", span);
            reading.owned.push(span);
        }
    }
    vec![reading]
}

/// Whether it is a stack's frame in a script, as V8 (`at f (https://a/x.js:1:2)`), SpiderMonkey and
/// JavaScriptCore (`f@https://a/x.js:1:2`) and consoles (`f @ x.js:12`) print it:
/// <https://v8.dev/docs/stack-trace-api>.
fn is_frame(line: &str) -> bool {
    let place = line.trim_end_matches(')');
    // Most lines are none, which their last byte tells.
    if !place.as_bytes().last().is_some_and(u8::is_ascii_digit) {
        return false;
    }
    let Some((rest, last)) = place.rsplit_once(':') else {
        return false;
    };
    if last.is_empty() || !last.bytes().all(|digit| digit.is_ascii_digit()) {
        return false;
    }
    let has_column = rest
        .rsplit_once(':')
        .is_some_and(|(_, row)| !row.is_empty() && row.bytes().all(|digit| digit.is_ascii_digit()));
    let has_one_word = !rest.contains(' ');
    (line.starts_with("at ") && has_column)
        || (line.contains('@') && has_one_word && has_column)
        || (rest.contains(" @ ") && rest.split(' ').count() <= 5 && is_script_name(rest))
}

/// Whether the script is a framework's own, which says that the framework is in play.
fn names_a_framework(line: &str) -> bool {
    line.contains("react-dom") || line.contains("react_dom")
}

/// Where the script's place begins in a frame.
fn place_in(line: &str) -> usize {
    line.rfind('(')
        .filter(|_| line.ends_with(')'))
        .or_else(|| line.find(" @ "))
        .or_else(|| line.find('@'))
        .unwrap_or(0)
}

fn is_script_name(words: &str) -> bool {
    [
        ".js", ".ts", ".mjs", ".jsx", ".tsx", ".vue", "(index)", ".html",
    ]
    .iter()
    .any(|ending| words.ends_with(ending))
        || words
            .rsplit(' ')
            .next()
            .is_some_and(|file| file.starts_with("VM"))
}

/// Whether it is a property of an event, expanded in a console, that holds the whole socket.
fn is_property(line: &str) -> bool {
    let is_target = [
        "currentTarget:",
        "srcElement:",
        "target:",
        "originalTarget:",
    ]
    .iter()
    .any(|name| line.starts_with(name));
    is_target && line.contains("WebSocket") || line.starts_with("bufferedAmount: 0")
}

/// What script sees where a report beside it says why. Some print the reason before it in the same
/// line: that one is a report.
fn is_bare_refusal(line: &str) -> bool {
    let words = line.trim_end_matches('.');
    words
        .strip_suffix("The operation is insecure")
        .is_some_and(|before| !before.contains(". ") && !policy::is_report(before))
}

/// A stretch of a line, from the position of its words.
fn part(line: Span, from: usize, to: usize) -> Span {
    Span {
        start: line.start + from,
        end: line.start + to,
    }
}

#[cfg(test)]
mod tests;
