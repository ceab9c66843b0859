//! What the times at the beginning of lines tell: how long a connection was open, and whether
//! nothing was said before it ended.
//!
//! Only lines that say themselves that a socket opened or closed count, and only where it is
//! certain which closing belongs to which opening. No fact is better than a wrong one.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Input, MatchKind};

use super::Span;
use super::reading::{Reading, is_within, whole_lines};
pub(super) use stamp::iso_seconds;
use stamp::{Stamp, stamp_of};

mod events;
mod stamp;

use events::{Event, event_of};

/// Texts with more events than this are not of one connection.
const MOST_EVENTS: usize = 400;
/// More lines between two events than this are not looked at.
const MOST_LINES: usize = 5000;
/// So long, in seconds, nothing may be sent before an end that silence explains.
const IDLE: f64 = 20.0;
/// Longer lives than this, in seconds, are a mistake about the day.
const LONGEST: f64 = 7.0 * 86_400.0;

static CANDIDATES: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostFirst)
        .build(["open", "connect", "established", "clos", "1006", "upgraded"])
        .ok()
});

/// A line that says that a socket opened or closed.
#[derive(Clone, Copy, Debug)]
struct Moment<'a> {
    line: Span,
    stamp: Stamp,
    event: Event<'a>,
}

/// One connection's life.
#[derive(Clone, Copy, Debug)]
struct Life {
    opened: Span,
    closed: Span,
    seconds: f64,
    end: Stamp,
}

/// The duration that connections have in common: the only one, or the one that more than half of
/// them come close to.
pub(super) fn steady(lives: &[(f64, Span)]) -> Option<(f64, Span)> {
    let mut sorted: Vec<(f64, Span)> = lives.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let middle = *sorted.get(sorted.len().checked_sub(1)? / 2)?;
    let room = (middle.0 * 0.02).max(1.0);
    let close = sorted
        .iter()
        .filter(|life| (life.0 - middle.0).abs() <= room)
        .count();
    (close * 2 > sorted.len()).then_some(middle)
}

/// Reads the times of a text; lines that were read by their fields tell nothing here.
pub(super) fn reading(text: &str, owned: &[Span]) -> Reading {
    let mut reading = Reading::default();
    let Some(moments) = moments(text, owned) else {
        return reading;
    };
    let Some(lives) = lives(&moments) else {
        return reading;
    };
    let durations: Vec<(f64, Span)> = lives
        .iter()
        .map(|life| (life.seconds, life.closed))
        .collect();
    let Some((seconds, span)) = steady(&durations) else {
        return reading;
    };
    let Some(life) = lives.iter().find(|life| life.closed == span) else {
        return reading;
    };
    reading.add("open.seconds", &format!("{seconds:.1}"), span);
    if is_idle(text, life) {
        reading.add("session.idle", "yes", span);
    }
    reading
}

/// The lines that speak of opening and closing; `None` if there are too many to tell apart.
fn moments<'a>(text: &'a str, owned: &[Span]) -> Option<Vec<Moment<'a>>> {
    let bytes = text.as_bytes();
    if !may_tell_times(bytes) {
        return None;
    }
    let automaton = CANDIDATES.as_ref()?;
    let mut moments = Vec::new();
    let mut read_to = 0;
    for stretch in between(&whole_lines(text, owned), text.len()) {
        for found in automaton.find_iter(Input::new(text).span(stretch.start..stretch.end)) {
            if found.start() < read_to {
                continue;
            }
            let start = memchr::memrchr(b'\n', &bytes[..found.start()]).map_or(0, |at| at + 1);
            let end = memchr::memchr(b'\n', &bytes[found.start()..])
                .map_or(bytes.len(), |at| found.start() + at);
            read_to = end;
            let line = Span { start, end };
            if end - start > 2000 || is_within(owned, line) {
                continue;
            }
            let Some((stamp, length)) = stamp_of(&text[start..end]) else {
                continue;
            };
            let words = text[start..end].get(length..).unwrap_or_default();
            if let Some(event) = event_of(words) {
                moments.push(Moment { line, stamp, event });
                if moments.len() > MOST_EVENTS {
                    return None;
                }
            }
        }
    }
    Some(moments)
}

/// Whether a clock (`9:30:01`) or the seconds since 1970 (ten digits) may stand in the text.
fn may_tell_times(text: &[u8]) -> bool {
    let is_digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
    let has_clock = memchr::memchr_iter(b':', text).any(|at| {
        let minute = if is_digit(at + 2) { at + 3 } else { at + 2 };
        at > 0
            && is_digit(at - 1)
            && is_digit(at + 1)
            && text.get(minute) == Some(&b':')
            && is_digit(minute + 1)
    });
    // One of every ten bytes stands in a run of ten digits.
    let mut tenth = (9..text.len()).step_by(10).filter(|at| is_digit(*at));
    has_clock
        || tenth.any(|at| {
            let around = &text[at - 9..(at + 10).min(text.len())];
            around
                .windows(10)
                .any(|run| run.iter().all(u8::is_ascii_digit))
        })
}

/// What lies between spans that are sorted and do not overlap, up to the byte `end`.
fn between(spans: &[Span], end: usize) -> impl Iterator<Item = Span> {
    let starts = std::iter::once(0).chain(spans.iter().map(|span| span.end));
    let ends = spans.iter().map(|span| span.start).chain([end]);
    starts
        .zip(ends)
        .filter(|(start, end)| start < end)
        .map(|(start, end)| Span { start, end })
}

/// Pairs each closing with its opening; `None` where that is uncertain.
fn lives(moments: &[Moment<'_>]) -> Option<Vec<Life>> {
    let mut open: Vec<&Moment<'_>> = Vec::new();
    let mut lives: Vec<Life> = Vec::new();
    for moment in moments {
        let words = moment.event.words;
        if moment.event.opens {
            // Client libraries say twice that they are open.
            let is_said_again = open.last().is_some_and(|last| {
                moment.stamp.since(last.stamp).is_some_and(|gap| gap < 1.0)
                    && !events::tells_another(words, last.event.words)
            });
            if !is_said_again {
                open.push(moment);
            }
            continue;
        }
        let named: Vec<usize> = (0..open.len())
            .filter(|at| {
                open.get(*at)
                    .is_some_and(|other| events::share_name(words, other.event.words))
            })
            .collect();
        let which = match (named.as_slice(), open.len()) {
            ([one], _) => *one,
            (_, 0) => continue,
            ([], 1) if !events::tells_another(words, open.first()?.event.words) => 0,
            ([], 1) => continue,
            _ => return None,
        };
        let opening = open.remove(which);
        let seconds = moment.stamp.since(opening.stamp)?;
        if !(0.0..LONGEST).contains(&seconds) {
            return None;
        }
        lives.push(Life {
            opened: opening.line,
            closed: moment.stamp_span(),
            seconds,
            end: moment.stamp,
        });
    }
    Some(lives)
}

impl Moment<'_> {
    fn stamp_span(&self) -> Span {
        self.line
    }
}

/// Whether nothing was said for a while before the end, in a log that tells of messages.
fn is_idle(text: &str, life: &Life) -> bool {
    let between = text
        .get(life.opened.end..life.closed.start)
        .unwrap_or_default();
    let (mut last, mut has_messages) = (None, false);
    for (number, line) in between.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let Some((stamp, length)) = stamp_of(line).filter(|_| number < MOST_LINES) else {
            return false;
        };
        has_messages |= events::is_message(line.get(length..).unwrap_or_default());
        last = Some(stamp);
    }
    has_messages && last.is_some_and(|last| life.end.since(last).is_some_and(|quiet| quiet >= IDLE))
}

#[cfg(test)]
mod tests;
