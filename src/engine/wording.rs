//! A known wording, and the facts that its match states.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use regex::{Regex, RegexBuilder};

use super::evidence::{Fact, Span, Stance, seconds, stance};
use super::expression::{Expression, Match, SIZE_LIMIT, Tries};
use super::graph::{Hop, Pattern, System};
use super::screen::{Screen, Sequences};
use super::sieve::Sieve;

/// A wording is read at most that often in one window.
const MOST_IN_A_WINDOW: usize = 8;

/// Compiles a pattern's expression with limits that a curator's slip cannot exceed. Where it is ASCII
/// itself, its `\d`, `\s`, `\w` and `\b` mean ASCII: messages hold no other digits, spaces were made plain before, and the
/// tables of all scripts would make an expression ten times as large and slow.
///
/// # Errors
/// The expression is not valid, or would need more than four megabytes.
pub fn compile(expression: &str) -> Result<Regex, Box<regex::Error>> {
    RegexBuilder::new(&in_ascii(expression))
        .size_limit(SIZE_LIMIT)
        .dfa_size_limit(SIZE_LIMIT)
        .build()
        .map_err(Box::new)
}

/// An expression in which the classes of Perl mean ASCII only. One that holds letters of other
/// alphabets stays as it is, because words may begin and end with them.
pub(super) fn in_ascii(expression: &str) -> Cow<'_, str> {
    if !expression.is_ascii() {
        return expression.into();
    }
    let mut plain = String::with_capacity(2 * expression.len());
    let mut rest = expression;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        let (before, escape) = rest.split_at(at);
        plain.push_str(before);
        let (class, length) = match escape.as_bytes().get(1) {
            Some(b'd') => ("[0-9]", 2),
            Some(b's') => (r"[\t-\r\x20]", 2),
            Some(b'w') => ("[0-9A-Za-z_]", 2),
            // \b{start} and its like are something else.
            Some(b'b') if escape.as_bytes().get(2) != Some(&b'{') => (r"(?-u:\b)", 2),
            Some(byte) if byte.is_ascii() => (&escape[..2], 2),
            _ => (&escape[..1], 1),
        };
        plain.push_str(class);
        rest = &escape[length..];
    }
    plain.push_str(rest);
    plain.into()
}

/// The capture that a fact's value names: `$status`, `$ms/1000`, `$minutes*60`,
/// `$time:seconds`.
pub fn capture_name(value: &str) -> Option<&str> {
    let name = value.strip_prefix('$')?;
    Some(name.split(['/', '*', ':']).next().unwrap_or(name))
}

/// The facts that follow from a wording's system alone.
pub(super) type SystemFacts = Arc<[(Arc<str>, Arc<str>)]>;

#[derive(Debug)]
enum Template {
    Word(Arc<str>),
    Capture { name: String, meaning: Meaning },
}

/// How a captured text becomes a value.
#[derive(Clone, Copy, Debug)]
enum Meaning {
    /// As it stands, or a number times the factor.
    Times(f64),
    /// A duration as people write it, in seconds.
    Duration,
}

/// A known wording. What is needed to look for it is made when it is first looked for.
#[derive(Debug)]
pub(super) struct Wording {
    expression: String,
    compiled: OnceLock<Option<Compiled>>,
    screen: Screen,
    sieve: OnceLock<Sieve>,
    facts: Vec<(Arc<str>, Template)>,
    /// What people's words tell where they are denied; `None` for words of programs, which state.
    denied: Option<Vec<(Arc<str>, Arc<str>)>>,
    hop: Hop,
    vantage: Arc<str>,
    /// On how many lines it may stretch.
    pub(super) lines: usize,
    system_facts: SystemFacts,
}

#[derive(Debug)]
struct Compiled {
    expression: Expression,
    /// For each fact, the number of the group that holds its value.
    groups: Vec<Option<usize>>,
}

fn template(value: &str, intern: &mut impl FnMut(&str) -> Arc<str>) -> Template {
    match capture_name(value) {
        None => Template::Word(intern(value)),
        Some(name) => {
            let operation = &value[1 + name.len()..];
            let number = operation.get(1..).and_then(|n| n.parse::<f64>().ok());
            let meaning = match (operation.as_bytes().first(), number) {
                (Some(b'/'), Some(number)) if number != 0.0 => Meaning::Times(1.0 / number),
                (Some(b'*'), Some(number)) => Meaning::Times(number),
                (Some(b':'), _) => Meaning::Duration,
                _ => Meaning::Times(1.0),
            };
            Template::Capture {
                name: name.to_owned(),
                meaning,
            }
        }
    }
}

impl Wording {
    pub(super) fn new(
        system: &System,
        pattern: &Pattern,
        screen: Screen,
        system_facts: SystemFacts,
        intern: &mut impl FnMut(&str) -> Arc<str>,
    ) -> Self {
        let vantage = match (&pattern.vantage, pattern.hop) {
            (Some(vantage), _) => vantage,
            (None, Hop::EdgeOrigin) => "edge",
            (None, _) => "user",
        };
        Wording {
            expression: pattern.regex.clone(),
            compiled: OnceLock::new(),
            screen,
            sieve: OnceLock::new(),
            facts: pattern
                .facts
                .iter()
                .map(|(key, value)| (intern(key), template(value, intern)))
                .collect(),
            denied: system.spoken.then(|| {
                let negated = pattern.negated.iter();
                negated
                    .map(|(key, value)| (intern(key), intern(value)))
                    .collect()
            }),
            hop: pattern.hop,
            vantage: intern(vantage),
            lines: pattern.lines.clamp(1, 20),
            system_facts,
        }
    }

    fn compiled(&self) -> Option<&Compiled> {
        self.compiled
            .get_or_init(|| {
                let mut names: Vec<&str> = Vec::new();
                let mut group = |name| {
                    let known = names.iter().position(|known| *known == name);
                    known.unwrap_or_else(|| {
                        names.push(name);
                        names.len() - 1
                    })
                };
                let groups: Vec<Option<usize>> = self
                    .facts
                    .iter()
                    .map(|(_, template)| match template {
                        Template::Word(_) => None,
                        Template::Capture { name, .. } => Some(group(name)),
                    })
                    .collect();
                let source = in_ascii(&self.expression).into_owned();
                let expression = Expression::new(source, &names)?;
                Some(Compiled { expression, groups })
            })
            .as_ref()
    }

    /// Whether the wording may stand in a window; `false` is certain.
    pub(super) fn may_stand_in(&self, window: &Sequences) -> bool {
        let sieve = || Sieve::of(self.screen.words());
        self.sieve.get_or_init(sieve).lets_through(window)
    }

    /// Reads the window `offset..end` of the text; how often the wording stands in it.
    pub(super) fn read(
        &self,
        text: &str,
        (offset, end): (usize, usize),
        evidence: usize,
        tries: &mut Tries,
        facts: &mut Vec<Fact>,
    ) -> usize {
        let Some(compiled) = self.compiled() else {
            return 0;
        };
        let window = &text[offset..end];
        tries.look_at(text, (offset, end));
        let mut from = 0;
        let mut count = 0;
        while count < MOST_IN_A_WINDOW
            && let Some(found) = compiled.expression.find(window, from, tries)
        {
            let span = Span {
                start: offset + found.start,
                end: offset + found.end,
            };
            let stance = self.stance(text, span);
            self.state(compiled, (span, stance), (window, &found), evidence, facts);
            count += 1;
            from = found.end;
        }
        count
    }

    /// How the sentence around a match means it.
    fn stance(&self, text: &str, span: Span) -> Stance {
        match self.denied {
            Some(_) => stance(text, span.start, span.end),
            None => Stance::Stated,
        }
    }

    fn state(
        &self,
        compiled: &Compiled,
        (span, stance): (Span, Stance),
        (window, found): (&str, &Match),
        evidence: usize,
        facts: &mut Vec<Fact>,
    ) {
        let mut push = |key: &Arc<str>, value: Arc<str>| {
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
        if stance != Stance::Stated {
            let denied = self.denied.iter().flatten();
            for (key, value) in denied.filter(|_| stance == Stance::Denied) {
                push(key, value.clone());
            }
            return;
        }
        for ((key, template), group) in self.facts.iter().zip(&compiled.groups) {
            match template {
                Template::Word(word) => push(key, word.clone()),
                Template::Capture { meaning, .. } => {
                    let place = group.and_then(|group| found.group(group));
                    let words = place.and_then(|(start, end)| window.get(start..end));
                    if let Some(value) = words.and_then(|words| meaning.value(words)) {
                        push(key, value);
                    }
                }
            }
        }
        for (key, value) in self.system_facts.iter() {
            push(key, value.clone());
        }
    }
}

impl Meaning {
    fn value(self, found: &str) -> Option<Arc<str>> {
        match self {
            Meaning::Times(factor) => scaled(found, factor),
            Meaning::Duration => seconds(found).map(|seconds| Arc::from(seconds.to_string())),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_mean_ascii_and_everything_else_stays() {
        assert_eq!(
            in_ascii(r"(?i)\bcode\s+\d{3}[^\w\\.]\\d\.\n\b{start}\"),
            r"(?i)(?-u:\b)code[\t-\r\x20]+[0-9]{3}[^[0-9A-Za-z_]\\.]\\d\.\n\b{start}\"
        );
        assert_eq!(in_ascii(r"\bà la maison\b"), r"\bà la maison\b");
    }

    #[test]
    fn a_class_within_a_class_matches_as_before() {
        let regex = compile(r"^[\d.]+\s[^\s,]+,\w+\b").expect("a valid expression");
        assert!(regex.is_match("12.5 a-b,done"));
        assert!(!regex.is_match("12.5 a b,done"));
    }
}
