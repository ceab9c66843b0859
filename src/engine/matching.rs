//! Finds the knowledge's wordings in a text, and the symptoms in facts.
//!
//! One Aho-Corasick pass finds the literals that patterns require; around each a bounded window is
//! screened for everything else that the pattern requires, and only then the expression is
//! compiled, once, and run. So the cost of a paste hardly depends on how many patterns there are.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use regex::{Regex, RegexBuilder};

use super::evidence::{Connections, Fact, Lines, Span};
use super::graph::{Graph, Hop, Pattern, Predicate};
use super::literals::{Requirement, parse, requirements_of, worth};
use super::screen::{Screen, Sequences};

/// A window is cut around the literal where its lines are longer than this, in bytes.
const WINDOW: usize = 4096;
/// Where a window is cut, it begins at least this many bytes before the literal, at a multiple of
/// them, so that neighbouring literals share a window.
const WINDOW_BEFORE: usize = 1024;
/// A pattern that matches more often in one text tells nothing new.
const MOST_MATCHES_OF_ONE: usize = 32;
/// Windows whose sequences are kept: a line's own and those of wordings that run over several.
const KEPT_WINDOWS: usize = 8;
/// More places than this are not looked at in one text.
const MOST_PLACES: usize = 1_000_000;

/// Compiles a pattern's expression with limits that a curator's slip cannot exceed.
///
/// # Errors
/// The expression is not valid, or would need more than four megabytes.
pub fn compile(expression: &str) -> Result<Regex, Box<regex::Error>> {
    RegexBuilder::new(expression)
        .size_limit(4 << 20)
        .dfa_size_limit(4 << 20)
        .build()
        .map_err(Box::new)
}

/// The capture that a fact's value names: `$status`, `$ms/1000`, `$minutes*60`.
pub fn capture_name(value: &str) -> Option<&str> {
    let name = value.strip_prefix('$')?;
    Some(name.split(['/', '*']).next().unwrap_or(name))
}

/// Whether an example or near miss is matched the way a paste would be.
pub fn matches_somewhere(pattern: &Pattern, regex: &Regex, text: &str) -> bool {
    let lines = Lines::new(text);
    (0..lines.len()).any(|line| {
        let (start, _) = lines.bounds(line);
        let (_, end) = lines.bounds((line + pattern.lines - 1).min(lines.len() - 1));
        regex.is_match(&text[start..end])
    })
}

#[derive(Debug)]
enum Template {
    Word(Arc<str>),
    Capture { name: String, factor: f64 },
}

#[derive(Debug)]
struct Wording {
    expression: String,
    regex: OnceLock<Option<Regex>>,
    screen: Screen,
    facts: Vec<(Arc<str>, Template)>,
    hop: Hop,
    vantage: Arc<str>,
    lines: usize,
    /// Facts that follow from the system alone.
    system_facts: Arc<[(Arc<str>, Arc<str>)]>,
}

/// All wordings of a graph, ready to be looked for.
#[derive(Debug)]
pub struct Matcher {
    literals: AhoCorasick,
    /// For each literal, the wordings that may stand around it.
    owners: Vec<Vec<u32>>,
    wordings: Vec<Wording>,
}

impl Matcher {
    /// Prepares a graph's patterns. Those without a useful literal are left out; the check of the
    /// knowledge refuses them.
    pub fn new(graph: &Graph) -> Self {
        let mut literals: Vec<String> = Vec::new();
        let mut index: HashMap<String, usize> = HashMap::new();
        let mut owners: Vec<Vec<u32>> = Vec::new();
        let mut wordings = Vec::new();
        let mut words: HashMap<String, Arc<str>> = HashMap::new();
        let mut intern = |word: &str| -> Arc<str> {
            words
                .entry(word.to_owned())
                .or_insert_with(|| Arc::from(word))
                .clone()
        };
        let (all, screens): (Vec<Vec<Requirement>>, Vec<Screen>) = graph
            .patterns()
            .map(|(_, pattern)| {
                parse(&pattern.regex)
                    .map(|hir| (requirements_of(&hir), Screen::new(&hir)))
                    .unwrap_or_default()
            })
            .unzip();
        let popularity = popularity(&all);
        let mut all = all.into_iter().zip(screens);
        for system in &graph.systems {
            let system_facts: Arc<[_]> = system
                .facts
                .iter()
                .map(|(key, value)| (intern(key), intern(value)))
                .collect();
            for pattern in &system.patterns {
                let number = wordings.len() as u32;
                let (ways, screen) = all.next().unwrap_or_default();
                for way in ways {
                    for literal in rarest(way, &popularity) {
                        let position = *index.entry(literal.clone()).or_insert_with(|| {
                            literals.push(literal);
                            owners.push(Vec::new());
                            literals.len() - 1
                        });
                        if owners[position].last() != Some(&number) {
                            owners[position].push(number);
                        }
                    }
                }
                wordings.push(Wording {
                    expression: pattern.regex.clone(),
                    regex: OnceLock::new(),
                    screen,
                    facts: pattern
                        .facts
                        .iter()
                        .map(|(key, value)| (intern(key), template(value, &mut intern)))
                        .collect(),
                    hop: pattern.hop,
                    vantage: intern(pattern.vantage.as_deref().unwrap_or(
                        if pattern.hop == Hop::EdgeOrigin {
                            "edge"
                        } else {
                            "user"
                        },
                    )),
                    lines: pattern.lines.clamp(1, 20),
                    system_facts: system_facts.clone(),
                });
            }
        }
        let literals = AhoCorasickBuilder::new()
            .match_kind(MatchKind::Standard)
            .build(&literals)
            .unwrap_or_else(|_| empty_automaton());
        Matcher {
            literals,
            owners,
            wordings,
        }
    }

    /// The facts that the known wordings of a text state, in the order of their places.
    pub fn facts(
        &self,
        text: &str,
        lines: &Lines<'_>,
        connections: &Connections,
        evidence: usize,
    ) -> Vec<Fact> {
        let mut found = Vec::new();
        let mut matches_of: HashMap<u32, usize> = HashMap::new();
        // The literals are in lower case; ASCII lower case keeps every byte in its place.
        let lower = text.to_ascii_lowercase();
        for (number, start, end) in self.windows(text, lower.as_bytes(), lines) {
            let count = matches_of.entry(number).or_default();
            if *count >= MOST_MATCHES_OF_ONE {
                continue;
            }
            let wording = &self.wordings[number as usize];
            let Some(regex) = wording.regex() else {
                continue;
            };
            for captures in regex.captures_iter(&text[start..end]).take(8) {
                *count += 1;
                wording.read(&captures, start, evidence, &mut found);
            }
        }
        let mut facts = without_overlapped(found, lines);
        for fact in &mut facts {
            if let Some(span) = fact.span {
                fact.connection = connections.of_line(lines.line_of(span.start));
            }
        }
        facts.sort_by_key(|fact| fact.span);
        facts
    }

    /// Where each wording has to be looked for: wording, first and last byte. A window that begins
    /// where the wording's last one began is not given again.
    fn windows<'a>(
        &'a self,
        text: &'a str,
        lower: &'a [u8],
        lines: &'a Lines<'_>,
    ) -> impl Iterator<Item = (u32, usize, usize)> + 'a {
        let mut last_start = vec![usize::MAX; self.wordings.len()];
        let mut kept = KeptWindows::default();
        self.literals
            .find_overlapping_iter(lower)
            .flat_map(move |found| {
                let line = lines.line_of(found.start());
                self.owners[found.pattern().as_usize()]
                    .iter()
                    .map(move |wording| (*wording, line, found.start()))
            })
            .filter_map(move |(wording, line, at)| {
                let (start, end) = self.window(wording, line, at, text, lines);
                let last = &mut last_start[wording as usize];
                if *last == start {
                    return None;
                }
                *last = start;
                self.wordings[wording as usize]
                    .screen
                    .lets_through(kept.sequences(lower, start, end))
                    .then_some((wording, start, end))
            })
            .take(MOST_PLACES)
    }

    fn window(
        &self,
        owner: u32,
        line: usize,
        at: usize,
        text: &str,
        lines: &Lines<'_>,
    ) -> (usize, usize) {
        let reach = self.wordings[owner as usize].lines - 1;
        let (start, _) = lines.bounds(line.saturating_sub(reach));
        let (_, end) = lines.bounds((line + reach).min(lines.len() - 1));
        if end - start <= WINDOW {
            return (start, end);
        }
        let shared = (at.saturating_sub(WINDOW_BEFORE) / WINDOW_BEFORE) * WINDOW_BEFORE;
        let from = text.floor_char_boundary(start.max(shared));
        (from, text.floor_char_boundary(end.min(from + WINDOW)))
    }
}

/// The sequences of the windows that were looked at last.
#[derive(Default)]
struct KeptWindows {
    windows: [(usize, usize, Sequences); KEPT_WINDOWS],
}

impl KeptWindows {
    fn sequences(&mut self, lower: &[u8], start: usize, end: usize) -> &Sequences {
        // Both ends count: a line's window and one that runs on from it begin alike.
        let place = (start.wrapping_mul(31) ^ end.wrapping_mul(7)) % KEPT_WINDOWS;
        let (from, to, sequences) = &mut self.windows[place];
        // What was never read has no end; an empty window has no sequences either way.
        if (*from, *to) != (start, end) {
            sequences.read(&lower[start..end]);
            (*from, *to) = (start, end);
        }
        sequences
    }
}

/// The set that is looked for in the whole text: the one that the fewest patterns share.
fn rarest(mut requirement: Requirement, popularity: &HashMap<String, usize>) -> Vec<String> {
    let cost = |set: &Vec<String>| {
        let shared: usize = set.iter().map(|literal| popularity[literal]).sum();
        // Few letters stand in every text, however few patterns ask for them.
        let common = if worth(set) < 5 { 400 } else { 0 };
        (shared + common, usize::MAX - worth(set))
    };
    let rarest = (0..requirement.len()).min_by_key(|position| cost(&requirement[*position]));
    rarest.map_or_else(Vec::new, |position| requirement.swap_remove(position))
}

/// How many ways offer each literal. A literal that many offer stands in many texts.
fn popularity(all: &[Vec<Requirement>]) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for literal in all.iter().flatten().flatten().flatten() {
        *counts.entry(literal.clone()).or_default() += 1;
    }
    counts
}

/// Longer wordings know better: a fact read from words inside a longer wording that gives the same
/// key another value is dropped, and so is one of the client's hop on a line on which a proxy's log
/// speaks of the same key for the hop behind it.
///
/// One pass over the facts, sorted so that whatever contains a fact comes before it, keeps this near
/// to linear: a long log states thousands.
fn without_overlapped(mut facts: Vec<Fact>, lines: &Lines<'_>) -> Vec<Fact> {
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
    let kind = |fact: &Fact| (fact.key.clone(), fact.hop == Hop::EdgeOrigin);
    let mut order: Vec<usize> = (0..facts.len()).collect();
    order.sort_by_cached_key(|position| {
        let fact = &facts[*position];
        let (start, end) = bounds(fact);
        (kind(fact), start, usize::MAX - end)
    });
    for alike in order.chunk_by(|a, b| kind(&facts[*a]) == kind(&facts[*b])) {
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

fn empty_automaton() -> AhoCorasick {
    AhoCorasick::new::<[&str; 0], &str>([]).expect("an automaton without literals always builds")
}

fn template(value: &str, intern: &mut impl FnMut(&str) -> Arc<str>) -> Template {
    match capture_name(value) {
        None => Template::Word(intern(value)),
        Some(name) => {
            let operation = &value[1 + name.len()..];
            let number = operation.get(1..).and_then(|n| n.parse::<f64>().ok());
            let factor = match (operation.as_bytes().first(), number) {
                (Some(b'/'), Some(number)) if number != 0.0 => 1.0 / number,
                (Some(b'*'), Some(number)) => number,
                _ => 1.0,
            };
            Template::Capture {
                name: name.to_owned(),
                factor,
            }
        }
    }
}

impl Wording {
    fn regex(&self) -> Option<&Regex> {
        self.regex
            .get_or_init(|| compile(&self.expression).ok())
            .as_ref()
    }

    fn read(
        &self,
        captures: &regex::Captures<'_>,
        offset: usize,
        evidence: usize,
        facts: &mut Vec<Fact>,
    ) {
        let whole = captures.get_match();
        let span = Span {
            start: offset + whole.start(),
            end: offset + whole.end(),
        };
        let mut push = |key: &Arc<str>, value: Arc<str>, span: Span| {
            facts.push(Fact {
                key: key.clone(),
                value,
                hop: self.hop,
                vantage: self.vantage.clone(),
                connection: None,
                evidence,
                span: Some(span),
            });
        };
        for (key, template) in &self.facts {
            match template {
                Template::Word(word) => push(key, word.clone(), span),
                Template::Capture { name, factor } => {
                    if let Some(value) = captures
                        .name(name)
                        .and_then(|found| scaled(found.as_str(), *factor))
                    {
                        push(key, value, span);
                    }
                }
            }
        }
        for (key, value) in self.system_facts.iter() {
            push(key, value.clone(), span);
        }
    }
}

/// A captured value: words in lower case without surrounding space, numbers times the factor.
fn scaled(value: &str, factor: f64) -> Option<Arc<str>> {
    let value = value.trim();
    if value.is_empty() {
        return None;
    }
    if (factor - 1.0).abs() < f64::EPSILON {
        return Some(Arc::from(value));
    }
    let number: f64 = value.replace(',', ".").parse().ok()?;
    number
        .is_finite()
        .then(|| Arc::from(format!("{}", (number * factor * 1000.0).round() / 1000.0)))
}

/// Which of the facts a predicate rests on; `None` if it does not hold.
pub fn holds(predicate: &Predicate, facts: &[&Fact]) -> Option<Vec<usize>> {
    match predicate {
        Predicate::All { all } => {
            let mut used = Vec::new();
            for part in all {
                used.extend(holds(part, facts)?);
            }
            Some(used)
        }
        Predicate::Any { any } => any.iter().find_map(|part| holds(part, facts)),
        Predicate::Is { key, is, hop } => collect(facts, |f| {
            f.hop == *hop && *f.key == **key && *f.value == **is
        }),
        Predicate::In { key, r#in, hop } => collect(facts, |f| {
            f.hop == *hop && *f.key == **key && r#in.iter().any(|value| *f.value == **value)
        }),
        Predicate::Within { key, within, hop } => collect(facts, |f| {
            f.hop == *hop
                && *f.key == **key
                && f.value.parse::<f64>().is_ok_and(|number| {
                    within
                        .iter()
                        .any(|[from, to]| *from <= number && number <= *to)
                })
        }),
    }
}

fn collect(facts: &[&Fact], is_meant: impl Fn(&Fact) -> bool) -> Option<Vec<usize>> {
    let found: Vec<usize> = facts
        .iter()
        .enumerate()
        .filter(|(_, fact)| is_meant(fact))
        .map(|(position, _)| position)
        .collect();
    (!found.is_empty()).then_some(found)
}
