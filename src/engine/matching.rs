//! Finds the knowledge's wordings in a text, and the symptoms in facts.
//!
//! One pass finds the literals that patterns require; around each a bounded window is screened for
//! everything else that the pattern requires, and only then the expression is compiled, once, and
//! run. So the cost of a paste hardly depends on how many patterns there are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use regex::Regex;

use super::anchors::{Anchors, Hit};
use super::chosen::{Owner, stands_beside};
use super::evidence::{Connections, Fact, Lines, Span};
use super::expression::Tries;
use super::graph::{Graph, Pattern, Predicate};
use super::index::{Expression, Index};
use super::literals::lowered;
use super::overlap::without_overlapped;
use super::screen::Sequences;
use super::shapes::{Shapes, shape_of};
use super::wording::{SystemFacts, Wording};
pub use super::wording::{capture_name, compile};

/// A window is cut around the literal where its lines are longer than this, in bytes.
const WINDOW: usize = 4096;
/// Where a window is cut, it begins at least this many bytes before the literal, at a multiple of
/// them, so that neighbouring literals share a window.
const WINDOW_BEFORE: usize = 1024;
/// A pattern that matches more often in one text tells nothing new.
const MOST_MATCHES_OF_ONE: u32 = 32;
/// Windows whose sequences are kept: a line's own and those of wordings that run over several.
const KEPT_WINDOWS: usize = 4;
/// More places than this are not looked at in one text.
const MOST_PLACES: usize = 1_000_000;
/// In texts from this length on, in bytes, lines are not looked at that are known to tell nothing.
const LARGE: usize = 64 << 10;
/// Literals are looked for in stretches of that many bytes, so that a long text does not need a long
/// list of them.
const STRETCH: usize = 32 << 10;

/// Whether an example or near miss is matched the way a paste would be.
pub fn matches_somewhere(pattern: &Pattern, regex: &Regex, text: &str) -> bool {
    let lines = Lines::new(text);
    (0..lines.len()).any(|line| {
        let (start, _) = lines.bounds(line);
        let (_, end) = lines.bounds((line + pattern.lines - 1).min(lines.len() - 1));
        regex.is_match(&text[start..end])
    })
}

/// The expressions of a graph's patterns, in its order.
pub(super) fn expressions(graph: &Graph) -> Vec<Expression<'_>> {
    graph
        .patterns()
        .map(|(_, pattern)| Expression {
            regex: &pattern.regex,
            is_long: pattern.lines > 1,
            samples: [&pattern.examples, &pattern.near_misses],
        })
        .collect()
}

/// All wordings of a graph, ready to be looked for.
#[derive(Debug)]
pub struct Matcher {
    literals: Anchors,
    /// The wordings that may stand around each literal, one literal's after the other's, and of each
    /// those that stretch over several lines last.
    owners: Vec<Owner>,
    /// Where each literal's begin, and where the last one's end.
    owner_bounds: Vec<u32>,
    /// Where those of each literal begin that stretch over several lines.
    long_from: Vec<u32>,
    beside: Vec<u16>,
    wordings: Vec<Wording>,
    /// What searches that are over noted, for the next ones to reuse.
    notes: Mutex<Vec<Notes>>,
}

impl Matcher {
    /// Prepares a graph's patterns. Those without a useful literal are left out; the check of the
    /// knowledge refuses them.
    pub fn new(graph: &Graph) -> Self {
        Matcher::with_index(graph, Index::of(&expressions(graph)))
    }

    /// The same with the index of just these patterns.
    pub(super) fn with_index(graph: &Graph, index: Index) -> Self {
        let mut words: HashMap<String, Arc<str>> = HashMap::new();
        let mut intern = |word: &str| -> Arc<str> {
            if let Some(known) = words.get(word) {
                return known.clone();
            }
            let new: Arc<str> = Arc::from(word);
            words.insert(word.to_owned(), new.clone());
            new
        };
        let literals = Anchors::new(index.literals());
        let mut wordings = Vec::with_capacity(index.screens.len());
        let mut screens = index.screens.into_iter();
        for system in &graph.systems {
            let system_facts: SystemFacts = system
                .facts
                .iter()
                .map(|(key, value)| (intern(key), intern(value)))
                .collect();
            for pattern in &system.patterns {
                let screen = screens.next().unwrap_or_default();
                let facts = system_facts.clone();
                wordings.push(Wording::new(system, pattern, screen, facts, &mut intern));
            }
        }
        let (mut owners, mut long_from) = (index.owners, Vec::new());
        for bounds in index.owner_bounds.windows(2) {
            let own = &mut owners[bounds[0] as usize..bounds[1] as usize];
            own.sort_by_key(|owner| owner.is_long);
            long_from.push(bounds[0] + own.partition_point(|owner| !owner.is_long) as u32);
        }
        Matcher {
            literals,
            owners,
            owner_bounds: index.owner_bounds,
            long_from,
            beside: index.beside,
            wordings,
            notes: Mutex::default(),
        }
    }

    /// The facts that the known wordings of a text state, in the order of their places. In a large
    /// text the `known` lines are not looked at, nor those that are like many before them.
    pub fn facts(
        &self,
        text: &str,
        lines: &Lines<'_>,
        known: impl FnOnce() -> Vec<Span>,
        connections: &Connections,
        evidence: usize,
    ) -> Vec<Fact> {
        let mut notes = self.take_notes();
        let mut search = Search {
            matcher: self,
            text,
            lines,
            evidence,
            notes: &mut notes,
            line: LineAt::default(),
            said: Said::default(),
            places: 0,
            facts: Vec::new(),
        };
        if text.len() < LARGE {
            search.run_over_new_lines();
        } else {
            search.run_over_lines(&known());
        }
        let mut facts = without_overlapped(search.facts, lines);
        self.keep_notes(notes);
        for fact in &mut facts {
            if let Some(span) = fact.span {
                fact.connection = connections.of_line(lines.line_of(span.start));
            }
        }
        // Which literal was found first must not matter.
        facts.sort_by(|a, b| (a.span, &a.key, &a.value).cmp(&(b.span, &b.key, &b.value)));
        facts
    }

    /// The wordings around a literal that stand in one line.
    fn owners_in_line(&self, literal: u32) -> &[Owner] {
        let literal = literal as usize;
        &self.owners[self.owner_bounds[literal] as usize..self.long_from[literal] as usize]
    }

    /// Those that may stretch over several.
    fn owners_over_lines(&self, literal: u32) -> &[Owner] {
        let literal = literal as usize;
        &self.owners[self.long_from[literal] as usize..self.owner_bounds[literal + 1] as usize]
    }

    fn take_notes(&self) -> Notes {
        let kept = self
            .notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        // After so many searches that their numbers begin anew nothing is reused.
        let kept = kept.filter(|notes| notes.search < u32::MAX);
        let mut notes = kept.unwrap_or_else(|| Notes {
            search: 0,
            of_wordings: vec![Note::default(); self.wordings.len()],
            of_literals: vec![(0, 0); self.owner_bounds.len()],
            hits: Vec::new(),
            windows: KeptWindows::default(),
            tries: Tries::default(),
        });
        notes.search += 1;
        notes.windows.forget();
        notes.tries.forget();
        notes
    }

    fn keep_notes(&self, notes: Notes) {
        self.notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(notes);
    }
}

/// What a search notes about each wording. The notes of an earlier search are known by its number,
/// so nothing has to be cleared, however many wordings there are.
#[derive(Debug)]
struct Notes {
    search: u32,
    of_wordings: Vec<Note>,
    /// For each literal, the search and the line in which it was found last.
    of_literals: Vec<(u32, u32)>,
    hits: Vec<Hit>,
    windows: KeptWindows,
    tries: Tries,
}

#[derive(Clone, Debug, Default)]
struct Note {
    search: u32,
    /// How often the wording was found.
    matches: u32,
    /// One past where the window began in which it was last looked for; 0 before.
    looked_for: usize,
}

/// The line that was asked for last: most literals stand on the same line as the one before.
#[derive(Clone, Copy, Default)]
struct LineAt {
    number: usize,
    start: usize,
    end: usize,
}

/// What the lines of a text said, for those with the same words further down: consoles repeat
/// themselves.
#[derive(Default)]
struct Said<'a> {
    /// For the words of a line, the first one that had them.
    first: foldhash::HashMap<&'a [u8], usize>,
    /// Lines and the wordings that stand in them, in the order in which they were found.
    found: Vec<(usize, u32)>,
    /// Lines and the literals in them around which wordings over several lines may stand, each with its
    /// place in the line.
    begun: Vec<(usize, (u32, usize))>,
}

impl<'a> Said<'a> {
    /// The number of the first line with the same words as the one with this number.
    fn first_like(&mut self, words: &'a [u8], number: usize) -> usize {
        *self.first.entry(words).or_insert(number)
    }
}

/// What was noted of a line. Lines are looked at in their order, and so they are noted.
fn of_line<T: Copy>(noted: &[(usize, T)], number: usize) -> Vec<T> {
    let begin = noted.partition_point(|(line, _)| *line < number);
    let of_line = noted[begin..].iter();
    let of_line = of_line.take_while(|(line, _)| *line == number);
    of_line.map(|(_, own)| *own).collect()
}

/// One text being searched.
struct Search<'a> {
    matcher: &'a Matcher,
    text: &'a str,
    lines: &'a Lines<'a>,
    evidence: usize,
    notes: &'a mut Notes,
    line: LineAt,
    said: Said<'a>,
    places: usize,
    facts: Vec<Fact>,
}

impl Search<'_> {
    /// Looks through all lines but those whose words stood in an earlier one: what those say is known.
    fn run_over_new_lines(&mut self) {
        let mut from = 0;
        for number in 0..self.lines.len() {
            let (start, end) = self.lines.bounds(number);
            if end - start > WINDOW || start == end {
                continue;
            }
            let words = &self.text.as_bytes()[start..end];
            let first = self.said.first_like(words, number);
            if first < number {
                self.run(from, start);
                self.go_to_line(number);
                self.repeat(first);
                from = end;
            }
        }
        self.run(from, self.text.len());
    }

    /// Looks through all but the known lines, and those whose shape was seen so often that every
    /// wording for which they could stand was found as often as it is counted.
    fn run_over_lines(&mut self, known: &[Span]) {
        let mut known = known.iter().peekable();
        let mut shapes = Shapes::default();
        let mut from = 0;
        for number in 0..self.lines.len() {
            let (start, end) = self.lines.bounds(number);
            while known.next_if(|span| span.end < start).is_some() {}
            let is_known = known
                .peek()
                .is_some_and(|span| span.start <= start && end <= span.end.saturating_add(1));
            let line = self.text.as_bytes().get(start..end).unwrap_or_default();
            if is_known || shapes.count(shape_of(line)) > MOST_MATCHES_OF_ONE as usize {
                self.run(from, start);
                from = end;
            }
        }
        self.run(from, self.text.len());
    }

    /// Looks through a stretch of the text.
    fn run(&mut self, mut from: usize, end: usize) {
        if from == 0 {
            self.go_to_line(0);
        }
        let mut hits = std::mem::take(&mut self.notes.hits);
        while from < end && self.places < MOST_PLACES {
            let to = end.min(from + STRETCH);
            hits.clear();
            // Literals are in lower case and stand in one line. No text is copied as a whole for that,
            // and what reaches out of the stretch is in its surroundings.
            let literals = &self.matcher.literals;
            let (first, last) = self.surroundings(from, to, literals.longest());
            let around = lowered(&self.text[first..last]);
            literals.find(around.as_bytes(), from - first, to - first, &mut hits);
            for hit in &hits {
                self.look_around(hit.literal, first + hit.start);
            }
            from = to;
        }
        self.notes.hits = hits;
    }

    /// A stretch with what stands before and behind it on its first and last line, `reach` bytes at most.
    fn surroundings(&self, from: usize, to: usize, reach: usize) -> (usize, usize) {
        let first = self.text.floor_char_boundary(from.saturating_sub(reach));
        let last = self.text.ceil_char_boundary(to + reach);
        let before = memchr::memrchr(b'\n', &self.text.as_bytes()[first..from]);
        let behind = memchr::memchr(b'\n', &self.text.as_bytes()[to..last]);
        (
            before.map_or(first, |end| first + end + 1),
            behind.map_or(last, |end| to + end),
        )
    }

    /// Looks for the wordings that may stand around a literal.
    fn look_around(&mut self, literal: u32, at: usize) {
        self.go_to_line_of(at);
        let line = self.line;
        let matcher = self.matcher;
        let is_whole = line.end - line.start <= WINDOW;
        let here = (self.notes.search, line.number as u32);
        let last = &mut self.notes.of_literals[literal as usize];
        // What may stand around a literal was looked for where it was found in the same line before.
        let is_known = is_whole && std::mem::replace(last, here) == here;
        if !is_known {
            let (start, end) = self.cut(line.start, line.end, at);
            self.look_for(matcher.owners_in_line(literal), start, end);
        }
        if !matcher.owners_over_lines(literal).is_empty() {
            if self.text.len() < LARGE {
                let place = at - line.start;
                self.said.begun.push((line.number, (literal, place)));
            }
            self.look_over_lines(literal, at);
        }
    }

    /// Looks for the wordings over several lines that may stand around a literal.
    fn look_over_lines(&mut self, literal: u32, at: usize) {
        for owner in self.matcher.owners_over_lines(literal) {
            let (start, end) = self.window_over_lines(owner.wording, at);
            self.look_for(std::slice::from_ref(owner), start, end);
        }
    }

    /// Looks for wordings in one window.
    fn look_for(&mut self, owners: &[Owner], start: usize, end: usize) {
        if owners.is_empty() {
            return;
        }
        let Notes {
            search,
            of_wordings,
            windows,
            tries,
            ..
        } = &mut *self.notes;
        let window = windows.sequences(self.text, start, end);
        for owner in owners {
            if !stands_beside(&self.matcher.beside, owner, window) {
                continue;
            }
            let note = &mut of_wordings[owner.wording as usize];
            if note.search != *search {
                *note = Note {
                    search: *search,
                    ..Note::default()
                };
            }
            if note.looked_for == start + 1 || note.matches >= MOST_MATCHES_OF_ONE {
                continue;
            }
            note.looked_for = start + 1;
            let wording = &self.matcher.wordings[owner.wording as usize];
            if self.places >= MOST_PLACES || !wording.may_stand_in(window) {
                continue;
            }
            self.places += 1;
            let window = (start, end);
            let matches = wording.read(self.text, window, self.evidence, tries, &mut self.facts);
            note.matches += matches as u32;
            if matches > 0 && wording.lines == 1 {
                self.said.found.push((self.line.number, owner.wording));
            }
        }
    }

    /// Reads what stood in the first line with the same words as this one.
    fn repeat(&mut self, first: usize) {
        let (start, end) = self.cut(self.line.start, self.line.end, self.line.start);
        for wording in of_line(&self.said.found, first) {
            let note = &mut self.notes.of_wordings[wording as usize];
            if note.matches < MOST_MATCHES_OF_ONE && self.places < MOST_PLACES {
                self.places += 1;
                let wording = &self.matcher.wordings[wording as usize];
                let window = (start, end);
                let tries = &mut self.notes.tries;
                let matches =
                    wording.read(self.text, window, self.evidence, tries, &mut self.facts);
                note.matches += matches as u32;
            }
        }
        for (literal, place) in of_line(&self.said.begun, first) {
            self.look_over_lines(literal, start + place);
        }
    }

    fn go_to_line_of(&mut self, at: usize) {
        let next = self.line.number + 1;
        if at >= self.line.start && at <= self.line.end {
            return;
        }
        let is_next = next < self.lines.len()
            && (self.line.end + 1..=self.lines.bounds(next).1).contains(&at);
        let number = if is_next {
            next
        } else {
            self.lines.line_of(at)
        };
        self.go_to_line(number);
    }

    fn go_to_line(&mut self, number: usize) {
        let (start, end) = self.lines.bounds(number);
        self.line = LineAt { number, start, end };
    }

    fn window_over_lines(&self, wording: u32, at: usize) -> (usize, usize) {
        let reach = self.matcher.wordings[wording as usize].lines - 1;
        let (start, _) = self.lines.bounds(self.line.number.saturating_sub(reach));
        let (_, end) = self
            .lines
            .bounds((self.line.number + reach).min(self.lines.len() - 1));
        self.cut(start, end, at)
    }

    /// The window itself, or what is around the literal if it is too long.
    fn cut(&self, start: usize, end: usize, at: usize) -> (usize, usize) {
        // The end of a line is where its words end, however lines are ended.
        let is_return = end > start && self.text.as_bytes()[end - 1] == b'\r';
        let end = end - usize::from(is_return);
        if end - start <= WINDOW {
            return (start, end);
        }
        let shared = (at.saturating_sub(WINDOW_BEFORE) / WINDOW_BEFORE) * WINDOW_BEFORE;
        let from = self.text.floor_char_boundary(start.max(shared));
        (from, self.text.floor_char_boundary(end.min(from + WINDOW)))
    }
}

/// The sequences of the windows that were looked at last.
#[derive(Debug, Default)]
struct KeptWindows {
    windows: [(usize, usize, Sequences); KEPT_WINDOWS],
}

impl KeptWindows {
    /// Another text follows.
    fn forget(&mut self) {
        for (from, to, _) in &mut self.windows {
            (*from, *to) = (0, 0);
        }
    }

    fn sequences(&mut self, text: &str, start: usize, end: usize) -> &Sequences {
        // Both ends count: a line's window and one that runs on from it begin alike.
        let place = (start.wrapping_mul(31) ^ end.wrapping_mul(7)) % KEPT_WINDOWS;
        let (from, to, sequences) = &mut self.windows[place];
        // What was never read has no end, and an empty window holds no literal.
        if (*from, *to) != (start, end) {
            sequences.read(lowered(&text[start..end]).as_bytes());
            (*from, *to) = (start, end);
        }
        sequences
    }
}

/// Whether a predicate holds. Adds the facts that it rests on to `used`; what was added by one that
/// does not hold means nothing.
pub(super) fn rests_on(predicate: &Predicate, facts: &[&Fact], used: &mut Vec<usize>) -> bool {
    match predicate {
        Predicate::All { all } => all.iter().all(|part| rests_on(part, facts, used)),
        Predicate::Any { any } => {
            let begun = used.len();
            any.iter().any(|part| {
                used.truncate(begun);
                rests_on(part, facts, used)
            })
        }
        Predicate::Is { key, is, hop } => collect(facts, used, |f| {
            f.hop == *hop && *f.key == **key && *f.value == **is
        }),
        Predicate::In { key, r#in, hop } => collect(facts, used, |f| {
            f.hop == *hop && *f.key == **key && r#in.iter().any(|value| *f.value == **value)
        }),
        Predicate::Within { key, within, hop } => collect(facts, used, |f| {
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

fn collect(facts: &[&Fact], used: &mut Vec<usize>, is_meant: impl Fn(&Fact) -> bool) -> bool {
    let begun = used.len();
    let facts = facts.iter().enumerate();
    used.extend(facts.filter(|(_, fact)| is_meant(fact)).map(|(at, _)| at));
    used.len() > begun
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::knowledge::{SourceFile, read};

    const SPOKEN: &str = r#"
title = "People"
spoken = true

[[pattern]]
id = "firewall-dropped"
regex = "the firewall drops it"
facts = { "tcp.connect" = "filtered" }
examples = ["the firewall drops it"]

[[pattern]]
id = "closed"
regex = "closed with code (?P<code>[0-9]{4})"
facts = { "close.code" = "$code" }
examples = ["closed with code 1006"]
"#;

    fn matcher_of(patterns: &str) -> Matcher {
        let file = SourceFile {
            name: "patterns/people.toml".to_owned(),
            text: patterns.to_owned(),
        };
        Matcher::new(&read(&[file]).graph)
    }

    fn facts(matcher: &Matcher, text: &str) -> Vec<Fact> {
        let lines = Lines::new(text);
        matcher.facts(text, &lines, Vec::new, &Connections::default(), 0)
    }

    /// Where facts were found.
    fn places(matcher: &Matcher, text: &str) -> Vec<Span> {
        let facts = facts(matcher, text).into_iter();
        facts.filter_map(|fact| fact.span).collect()
    }

    /// The lines on which facts were found, with their values.
    fn found(text: &str) -> Vec<(usize, String)> {
        let lines = Lines::new(text);
        let line = |fact: &Fact| fact.span.map_or(0, |span| lines.line_of(span.start));
        facts(&matcher_of(SPOKEN), text)
            .iter()
            .map(|fact| (line(fact), fact.value.to_string()))
            .collect()
    }

    #[test]
    fn a_line_that_comes_again_says_the_same_again() {
        let text = "closed with code 1006\nretry\nclosed with code 1006\nclosed with code 1001\n\
                    retry\nclosed with code 1006";
        let expected = [(0, "1006"), (2, "1006"), (3, "1001"), (5, "1006")];
        assert_eq!(
            found(text),
            expected.map(|(line, value)| (line, value.to_owned()))
        );
    }

    #[test]
    fn a_line_that_comes_again_may_go_on_otherwise() {
        let matcher = matcher_of(
            r#"
title = "A client"

[[pattern]]
id = "gave-up"
regex = 'attempt (?P<code>[0-9]+) failed\ngiving up'
lines = 2
facts = { "close.code" = "$code" }
examples = ["attempt 1006 failed\ngiving up"]
"#,
        );
        let starts = |text: &str| -> Vec<usize> {
            let places = places(&matcher, text);
            places.iter().map(|span| span.start).collect()
        };
        let retry = "attempt 1006 failed\nagain\n";
        let last = "attempt 1006 failed\ngiving up";
        assert_eq!(starts(&format!("{retry}{last}")), [retry.len()]);
        assert_eq!(starts(&format!("{last}\n{last}")), [0, last.len() + 1]);
        assert!(starts(retry).is_empty());
    }

    #[test]
    fn sentences_begin_with_capitals_in_all_languages() {
        let matcher = matcher_of(
            r#"
title = "People"

[[pattern]]
id = "without-vpn"
regex = "(?i)без vpn (?:работает|открывается)"
facts = { "works.without" = "vpn" }
examples = ["без vpn работает"]

[[pattern]]
id = "abroad"
regex = '(?i)\bübers? vpn\b'
facts = { "fails.when" = "vpn" }
examples = ["über vpn"]

[[pattern]]
id = "as-written"
regex = 'Ошибка [0-9]'
facts = { "client.reason" = "hidden" }
examples = ["Ошибка 7"]
"#,
        );
        let text = "Без VPN работает\nÜbers VPN nicht\nÜber VPN\nОшибка 7, ошибка 8";
        let found = |text: &str| -> Vec<String> {
            let places = places(&matcher, text);
            let words = places.iter().map(|span| &text[span.start..span.end]);
            words.map(str::to_owned).collect()
        };
        let words = ["Без VPN работает", "Übers VPN", "Über VPN", "Ошибка 7"];
        assert_eq!(found(text), words);
        // Wherever they stand in a text that is looked through in stretches.
        for filling in [LARGE - 40, LARGE + 1, 2 * STRETCH + 3] {
            let filling = "Ä filling line\n".repeat(filling / 16);
            assert_eq!(
                found(&format!("{filling}{text}")),
                words,
                "{}",
                filling.len()
            );
        }
    }

    #[test]
    fn a_line_that_is_denied_again_says_nothing_again() {
        let line = "the firewall drops it";
        let text = format!("not that {line}\nnot that {line}\n{line}\n{line}");
        let places: Vec<usize> = found(&text).iter().map(|(line, _)| *line).collect();
        assert_eq!(places, [2, 3]);
    }
}
