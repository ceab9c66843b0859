//! Patterns that speak of the same words: some tell the same twice, some tell otherwise, and some
//! are never heard.
//!
//! One matcher over all patterns reads every example once, so that each pattern meets only those
//! whose literals stand in its examples.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::evidence::{Connections, Fact, Lines, Span};
use super::super::super::graph::{FactTemplates, Graph, Hop, Pattern, System};
use super::super::super::matching::Matcher;
use super::Places;

/// Stands between a pattern's position and the key of what it states.
const MARK: char = '|';

/// What a pattern reads in a text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Told {
    key: String,
    hop: Hop,
    span: Span,
    value: String,
}

impl Told {
    /// Whether both speak of the same thing and say different things of it.
    fn differs_from(&self, other: &Told) -> bool {
        self.key == other.key && self.hop == other.hop && self.value != other.value
    }

    /// Whether this one counts and the other does not, as longer wordings know better.
    fn displaces(&self, other: &Told) -> bool {
        self.differs_from(other)
            && self.span != other.span
            && self.span.start <= other.span.start
            && other.span.end <= self.span.end
    }

    /// Whether both count although they say different things of the same words.
    fn contradicts(&self, other: &Told) -> bool {
        self.differs_from(other) && self.span == other.span
    }
}

/// What every pattern reads in one example, by the patterns' positions.
type Reading = BTreeMap<usize, Vec<Told>>;

/// A pattern and what is read in each of its examples.
struct Entry<'a> {
    system: &'a System,
    pattern: &'a Pattern,
    readings: Vec<Reading>,
}

impl Entry<'_> {
    fn file(&self) -> String {
        format!("patterns/{}.toml", self.system.system)
    }

    fn facts(&self) -> FactTemplates {
        let mut facts = self.system.facts.clone();
        facts.extend(self.pattern.facts.clone());
        facts
    }

    /// The patterns that stand in every one of its examples, itself among them.
    fn companions(&self) -> BTreeSet<usize> {
        let mut readings = self.readings.iter().map(|reading| reading.keys().copied());
        let first: BTreeSet<usize> = readings.next().into_iter().flatten().collect();
        readings.fold(first, |common, positions| {
            let these: BTreeSet<usize> = positions.collect();
            common.intersection(&these).copied().collect()
        })
    }
}

/// Warns of patterns that say the same twice or that never count; contradictions are errors.
pub(super) fn check_overlaps(graph: &Graph, places: &mut Places<'_>) {
    let entries = read_examples(graph);
    let companions: Vec<BTreeSet<usize>> = entries.iter().map(Entry::companions).collect();
    for (position, entry) in entries.iter().enumerate() {
        for other in &companions[position] {
            if *other > position && companions[*other].contains(&position) {
                warn_of_twins(entry, &entries[*other], places);
            }
        }
        find_contradictions(&entries, position, places);
        find_displaced(&entries, position, places);
    }
}

/// Reads every example with all patterns at once.
fn read_examples(graph: &Graph) -> Vec<Entry<'_>> {
    let matcher = Matcher::new(&marked(graph));
    graph
        .patterns()
        .map(|(system, pattern)| Entry {
            system,
            pattern,
            readings: pattern
                .examples
                .iter()
                .map(|example| reading(&matcher, example))
                .collect(),
        })
        .collect()
}

/// A graph of the same patterns, each of which states keys of its own, so that no fact hides
/// another and each tells who stated it.
fn marked(graph: &Graph) -> Graph {
    let mut systems = graph.systems.clone();
    let mut position = 0;
    for system in &mut systems {
        for pattern in &mut system.patterns {
            let mark = |facts: &FactTemplates| -> FactTemplates {
                facts
                    .iter()
                    .map(|(key, value)| (format!("{position}{MARK}{key}"), value.clone()))
                    .collect()
            };
            let mut facts = mark(&system.facts);
            facts.extend(mark(&pattern.facts));
            pattern.negated = mark(&pattern.negated);
            pattern.facts = facts;
            position += 1;
        }
        system.facts.clear();
    }
    Graph {
        systems,
        ..Graph::default()
    }
}

fn reading(matcher: &Matcher, example: &str) -> Reading {
    let lines = Lines::new(example);
    let facts = matcher.facts(example, &lines, Vec::new, &Connections::default(), 0);
    let mut reading = Reading::new();
    for (position, told) in facts.iter().filter_map(told) {
        reading.entry(position).or_default().push(told);
    }
    reading
}

fn told(fact: &Fact) -> Option<(usize, Told)> {
    let (position, key) = fact.key.split_once(MARK)?;
    let told = Told {
        key: key.to_owned(),
        hop: fact.hop,
        span: fact.span?,
        value: fact.value.to_string(),
    };
    Some((position.parse().ok()?, told))
}

/// Both stand in all examples of both and tell the same: one is enough.
fn warn_of_twins(entry: &Entry<'_>, other: &Entry<'_>, places: &mut Places<'_>) {
    let is_alike = entry.facts() == other.facts()
        && entry.pattern.negated == other.pattern.negated
        && entry.pattern.hop == other.pattern.hop
        && entry.pattern.vantage == other.pattern.vantage;
    if is_alike {
        let message = format!(
            "patterns {:?} and {:?} match each other's examples and tell the same: keep one of them, or give each an example of its own",
            entry.pattern.id, other.pattern.id
        );
        places.warning(&entry.file(), &entry.pattern.id, message);
    }
}

/// Another pattern reads another value for the same key from just the same words.
fn find_contradictions(entries: &[Entry<'_>], position: usize, places: &mut Places<'_>) {
    let entry = &entries[position];
    let mut named = BTreeSet::new();
    for (reading, example) in entry.readings.iter().zip(&entry.pattern.examples) {
        let own = reading.get(&position).into_iter().flatten();
        for told in own {
            let others = reading.iter().filter(|(other, _)| **other != position);
            for (other, theirs) in others {
                let Some(otherwise) = theirs.iter().find(|theirs| theirs.contradicts(told)) else {
                    continue;
                };
                if named.insert((*other, told.key.clone())) {
                    let message = format!(
                        "pattern {:?} tells {} = {:?} of its example {example:?}, and {:?} tells {:?} of the same words: make one of them more exact",
                        entry.pattern.id,
                        told.key,
                        told.value,
                        entries[*other].pattern.id,
                        otherwise.value
                    );
                    places.error(&entry.file(), &entry.pattern.id, message);
                }
            }
        }
    }
}

/// Longer wordings displace all that the pattern tells, in each of its examples.
fn find_displaced(entries: &[Entry<'_>], position: usize, places: &mut Places<'_>) {
    let entry = &entries[position];
    let mut displacers = BTreeSet::new();
    for reading in &entry.readings {
        for told in reading.get(&position).into_iter().flatten() {
            let displacer = reading
                .iter()
                .find(|(_, theirs)| theirs.iter().any(|theirs| theirs.displaces(told)));
            match displacer {
                Some((other, _)) if *other != position => {
                    displacers.insert(entries[*other].pattern.id.as_str());
                }
                _ => return,
            }
        }
    }
    if !displacers.is_empty() {
        let message = format!(
            "pattern {:?} never counts: in its own examples {} know better; give it an example of its own or leave it out",
            entry.pattern.id,
            Vec::from_iter(displacers).join(", ")
        );
        places.warning(&entry.file(), &entry.pattern.id, message);
    }
}
