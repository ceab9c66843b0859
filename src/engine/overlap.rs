//! Which of the facts that overlap count.

use std::collections::HashSet;

use super::evidence::{Fact, Lines};
use super::graph::Hop;

/// Longer wordings know better: a fact read from words inside a longer wording that gives the same
/// key another value is dropped, and so is one of the client's hop on a line on which a proxy's log
/// speaks of the same key for the hop behind it.
///
/// One pass over the facts, sorted so that whatever contains a fact comes before it, keeps this near
/// to linear: a long log states thousands.
pub(super) fn without_overlapped(mut facts: Vec<Fact>, lines: &Lines<'_>) -> Vec<Fact> {
    let bounds = |fact: &Fact| fact.span.map_or((0, 0), |span| (span.start, span.end));
    let line = |fact: &Fact| lines.line_of(bounds(fact).0);
    let behind: HashSet<(&str, usize)> = facts
        .iter()
        .filter(|fact| fact.hop == Hop::EdgeOrigin)
        .map(|fact| (&*fact.key, line(fact)))
        .collect();
    let mut overlapped: Vec<bool> = facts
        .iter()
        .map(|fact| fact.hop == Hop::ClientEdge && behind.contains(&(&*fact.key, line(fact))))
        .collect();
    let kind = |fact: &Fact| fact.hop == Hop::EdgeOrigin;
    let is_alike = |one: &Fact, other: &Fact| one.key == other.key && kind(one) == kind(other);
    let mut order: Vec<usize> = (0..facts.len()).collect();
    order.sort_unstable_by(|a, b| {
        let (one, other) = (&facts[*a], &facts[*b]);
        let ((start, end), (other_start, other_end)) = (bounds(one), bounds(other));
        one.key
            .cmp(&other.key)
            .then(kind(one).cmp(&kind(other)))
            .then(start.cmp(&other_start))
            .then(other_end.cmp(&end))
    });
    for alike in order.chunk_by(|a, b| is_alike(&facts[*a], &facts[*b])) {
        let mut reach = Reach::default();
        for together in alike.chunk_by(|a, b| bounds(&facts[*a]) == bounds(&facts[*b])) {
            for position in together {
                let fact = &facts[*position];
                overlapped[*position] |= reach.covers(bounds(fact).1, &fact.value);
            }
            for position in together {
                let fact = &facts[*position];
                reach.extend(bounds(fact).1, &fact.value);
            }
        }
    }
    let mut overlapped = overlapped.into_iter();
    facts.retain(|_| !overlapped.next().unwrap_or(false));
    facts
}

/// How far the facts so far reach: the end of the one that reaches farthest, and of the farthest
/// with another value than that.
#[derive(Default)]
struct Reach<'a> {
    first: Option<(usize, &'a str)>,
    second: Option<(usize, &'a str)>,
}

impl<'a> Reach<'a> {
    /// Whether one with another value reaches as far.
    fn covers(&self, end: usize, value: &str) -> bool {
        [self.first, self.second]
            .into_iter()
            .flatten()
            .any(|(far, other)| far >= end && other != value)
    }

    fn extend(&mut self, end: usize, value: &'a str) {
        match self.first {
            Some((far, _)) if end <= far => {
                let is_other = self.first.is_some_and(|(_, other)| other != value);
                if is_other && self.second.is_none_or(|(far, _)| end > far) {
                    self.second = Some((end, value));
                }
            }
            Some((_, other)) if other == value => self.first = Some((end, value)),
            _ => {
                self.second = self.first;
                self.first = Some((end, value));
            }
        }
    }
}
