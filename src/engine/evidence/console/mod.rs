//! Consoles of browsers and apps, where structure decides what a line speaks of.
//!
//! A console shows everything that a page does: other requests that failed, policies for other
//! hosts, stack frames, the properties of objects. Lines that do not speak of the socket tell
//! nothing about it.

mod policy;
mod requests;

use super::contents::Contents;
use super::reading::{Reading, between_spaces, lines_of};
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
    let may_name_a_framework = FRAMEWORKS.iter().any(|name| contents.may_hold(name));
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
            if !(may_name_a_framework && names_a_framework(line)) {
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
    let Some(rest) = before_number(place) else {
        return false;
    };
    let has_column = before_number(rest).is_some();
    let spaces = memchr::memchr_iter(b' ', rest.as_bytes()).count();
    (line.starts_with("at ") && has_column)
        || (has_column && spaces == 0 && memchr::memchr(b'@', line.as_bytes()).is_some())
        || (spaces < 5 && lone_at(rest).is_some() && is_script_name(rest))
}

/// Where ` @ ` stands.
fn lone_at(words: &str) -> Option<usize> {
    between_spaces(words.as_bytes(), b'@')
}

/// What stands before a colon and the number that ends the words.
fn before_number(words: &str) -> Option<&str> {
    let name = words.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let before = name.strip_suffix(':')?;
    (name.len() < words.len()).then_some(before)
}

/// Names of frameworks' own scripts.
const FRAMEWORKS: &[&str] = &["react-dom", "react_dom"];

/// Whether the script is a framework's own, which says that the framework is in play.
fn names_a_framework(line: &str) -> bool {
    FRAMEWORKS.iter().any(|name| line.contains(name))
}

/// Where the script's place begins in a frame.
fn place_in(line: &str) -> usize {
    line.rfind('(')
        .filter(|_| line.ends_with(')'))
        .or_else(|| lone_at(line))
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
