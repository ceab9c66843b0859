//! What people say of several browsers: "Chrome works, Firefox does not".
//!
//! A wording sees that two browsers are named; in which of them it works is said by the words of each
//! one's clause, before or behind the name, in the order that the writer liked. Where two are set
//! against each other, it works in another browser, and the one in which it fails is the client.

use std::collections::BTreeSet;

use super::Span;
use super::clauses::{Verdict, Word, is_opposite, verdict, words};
use super::contents::Contents;
use super::reading::{Reading, lines_of};
use super::sentences::{Stance, stance};

/// Nobody speaks of browsers in a longer line.
const LONGEST_LINE: usize = 1000;
/// A clause with more words speaks of something else as well.
const MOST_WORDS: usize = 16;
/// More lines about browsers than this say nothing new.
const MOST_LINES: usize = 50;

/// Browsers with the engine that decides how they fail; all others that are spoken of at once.
const BROWSERS: &[(&str, &str)] = &[
    ("chrome", "chromium"),
    ("chromium", "chromium"),
    ("edge", "chromium"),
    ("opera", "chromium"),
    ("brave", "chromium"),
    ("vivaldi", "chromium"),
    ("firefox", "firefox"),
    ("safari", "safari"),
];

/// Words behind a name that make it something else.
const NO_BROWSERS: &[&str] = &[
    "devtools",
    "dev",
    "developer",
    "extension",
    "extensions",
    "shield",
    "shields",
    "console",
    "os",
    "server",
    "servers",
    "proxy",
    "node",
    "nodes",
    "function",
    "functions",
    "case",
    "cases",
    "location",
    "router",
    "device",
    "network",
    "says",
    "prints",
    "reports",
    "shows",
];

/// A browser where it is named.
#[derive(Clone, Copy, Debug)]
struct Mention {
    /// Empty for other browsers in general.
    name: &'static str,
    engine: Option<&'static str>,
    place: Span,
}

/// Part of a sentence with one verb.
#[derive(Debug, Default)]
struct Clause {
    browsers: Vec<Mention>,
    verdict: Option<Verdict>,
    /// The opposite holds of what was said before.
    is_opposite: bool,
    words: usize,
}

/// Reads what is said of several browsers in a redacted text.
pub(super) fn reading(contents: &Contents<'_>) -> Reading {
    let mut reading = Reading::default();
    let names = [
        "Chrom", "chrom", "Firefox", "firefox", "Safari", "safari", "Opera", "Brave", "Vivaldi",
    ];
    if !contents.holds_one_of(&names) {
        return reading;
    }
    let places = contents.places_of(&names);
    let about = lines_of(contents.text())
        .filter(|(span, line)| line.len() <= LONGEST_LINE && places.are_in(*span));
    for (span, line) in about.take(MOST_LINES) {
        read_line(contents.text(), span, line, &mut reading);
    }
    reading
}

fn read_line(text: &str, span: Span, line: &str, reading: &mut Reading) {
    let sides = Sides::of(line);
    let Some(place) = sides.place(span.start) else {
        return;
    };
    if sides.is_undecided() || stance(text, place.start, place.end) == Stance::Asked {
        return;
    }
    let engines = sides.failing_engines();
    match (sides.works.len(), &*engines) {
        (1.., [first, rest @ ..]) => {
            reading.add("works.other-browser", "yes", place);
            if rest.is_empty() {
                reading.add("client.engine", first, place);
            }
        }
        (0, [_, _, ..]) => reading.add("works.other-browser", "no", place),
        // What several do that work says nothing of one in which it fails.
        (2.., []) if sides.fails.is_empty() => {}
        _ => return,
    }
    reading.judged.push(span);
}

/// The browsers in which it works and those in which it fails.
#[derive(Debug, Default)]
struct Sides {
    works: Vec<Mention>,
    fails: Vec<Mention>,
}

impl Sides {
    fn of(line: &str) -> Self {
        let mut clauses = clauses(line);
        clauses.retain(|clause| clause.words <= MOST_WORDS);
        settle(&mut clauses);
        let mut sides = Sides::default();
        for clause in clauses {
            match clause.verdict {
                Some(Verdict::Works) => sides.works.extend(clause.browsers),
                Some(Verdict::Fails) => sides.fails.extend(clause.browsers),
                None => {}
            }
        }
        sides
    }

    /// From the first to the last name, in the text in which the line begins at the byte `start`.
    fn place(&self, start: usize) -> Option<Span> {
        let all = || self.works.iter().chain(&self.fails);
        Some(Span {
            start: start + all().map(|mention| mention.place.start).min()?,
            end: start + all().map(|mention| mention.place.end).max()?,
        })
    }

    /// Whether one works sometimes: it is not set against another then.
    fn is_undecided(&self) -> bool {
        let fails = |name| self.fails.iter().any(|mention| mention.name == name);
        self.works.iter().any(|mention| fails(mention.name))
    }

    /// Each engine once.
    fn failing_engines(&self) -> Vec<&'static str> {
        let engines = self.fails.iter().filter_map(|mention| mention.engine);
        engines.collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// Browsers without a verb of their own share that of the clause before, or else behind.
fn settle(clauses: &mut [Clause]) {
    let mut before = None;
    for clause in clauses.iter_mut() {
        if clause.is_opposite {
            clause.verdict = before.map(Verdict::opposite);
        } else if clause.verdict.is_none() && !clause.browsers.is_empty() && clause.words <= 5 {
            clause.verdict = before;
        }
        before = clause.verdict.or(before);
    }
    let mut behind = None;
    for clause in clauses.iter_mut().rev() {
        let is_bare = clause.verdict.is_none() && !clause.browsers.is_empty() && clause.words <= 5;
        if is_bare {
            clause.verdict = behind;
        }
        behind = clause.verdict.or(behind);
    }
}

fn clauses(line: &str) -> Vec<Clause> {
    let words = words(line);
    let stretches = super::clauses::clauses(&words).into_iter();
    stretches.map(|stretch| clause(&words[stretch])).collect()
}

fn clause(words: &[Word]) -> Clause {
    Clause {
        browsers: (0..words.len())
            .filter_map(|at| browser(words, at))
            .collect(),
        verdict: verdict(words),
        is_opposite: !words.is_empty() && is_opposite(words, 0),
        words: words.len(),
    }
}

/// The browser that a word names, with its place.
fn browser(words: &[Word], at: usize) -> Option<Mention> {
    let word = &words[at];
    let place = Span {
        start: word.start,
        end: word.end,
    };
    let before = at
        .checked_sub(1)
        .map_or("", |before| &*words[before].letters);
    if matches!(&*word.letters, "browsers" | "browser" | "browsern") {
        let is_other = [
            "other",
            "another",
            "different",
            "anderen",
            "andere",
            "anderem",
        ];
        return is_other.contains(&before).then_some(Mention {
            name: "",
            engine: None,
            place,
        });
    }
    let (name, engine) = BROWSERS.iter().find(|(name, _)| *name == word.letters)?;
    let is_plain_word = matches!(&*word.letters, "edge" | "opera" | "brave") && !word.is_name;
    let is_other = words
        .get(at + 1)
        .is_some_and(|next| NO_BROWSERS.contains(&&*next.letters) && next.start == word.end + 1);
    (!is_plain_word && !is_other && before != "the").then_some(Mention {
        name,
        engine: Some(engine),
        place,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let findings = reading(&Contents::of(text)).findings.into_iter();
        findings
            .map(|finding| {
                assert!(text.get(finding.span.start..finding.span.end).is_some());
                format!("{}={}", finding.key, finding.value)
            })
            .collect()
    }

    #[test]
    fn the_browser_in_which_it_fails_is_the_client() {
        for (text, engine) in [
            ("Chrome works, Firefox does not.", "firefox"),
            ("works in Chrome but not in Safari", "safari"),
            ("It works in Chrome, but not in Safari.", "safari"),
            ("fine in Edge, fails in Firefox", "firefox"),
            ("Fails in Chrome, works in Firefox", "chromium"),
            (
                "It connects in Chrome and Edge but fails in Safari",
                "safari",
            ),
            ("works in Firefox and fails in Chrome", "chromium"),
            (
                "In Firefox it does not connect, in Chrome everything is fine",
                "firefox",
            ),
            (
                "Safari can't connect while Chrome and Firefox can",
                "safari",
            ),
            ("Chrome and Firefox work, Safari does not", "safari"),
            ("Works in Firefox and Chrome, Safari refuses", "safari"),
            ("No problems in Chrome, Firefox closes at once", "firefox"),
            (
                "Works in Chrome, Edge and Opera, but not Firefox",
                "firefox",
            ),
            (
                "It does not work in Firefox. It works in Chrome.",
                "firefox",
            ),
            ("works in other browsers, except Safari", "safari"),
            (
                "Does not work with Safari on iOS; other browsers are fine",
                "safari",
            ),
            ("In Chrome geht es, in Firefox nicht.", "firefox"),
            (
                "Im Firefox funktioniert es nicht, im Chrome schon",
                "firefox",
            ),
            ("Chrome funktioniert, Safari nicht", "safari"),
            ("Firefox 140 fail, Safari 18 success", "firefox"),
            (
                "Mit Edge klappt alles, mit Firefox kommt keine Verbindung",
                "firefox",
            ),
            (
                "In anderen Browsern läuft es, nur Safari bricht ab",
                "safari",
            ),
        ] {
            let expected = [
                "works.other-browser=yes".to_owned(),
                format!("client.engine={engine}"),
            ];
            assert_eq!(told(text), expected, "{text}");
        }
    }

    #[test]
    fn two_engines_in_which_it_fails_are_no_matter_of_the_browser() {
        for text in [
            "it doesn't work in Chrome or Firefox",
            "It fails in both Chrome and Safari",
            "It works neither in Chrome nor in Firefox",
            "Firefox und Chrome gehen beide nicht",
        ] {
            assert_eq!(told(text), ["works.other-browser=no"], "{text}");
        }
        assert_eq!(
            told("Chrome works, Firefox and Safari fail"),
            ["works.other-browser=yes"]
        );
    }

    #[test]
    fn one_browser_or_none_that_is_judged_tells_nothing() {
        for text in [
            "Safari fails",
            "We use Chrome",
            "An error in Brave. It works fine in Brave once the blocker is off",
            "it works in Chrome and Firefox",
            "Chrome DevTools shows that it works, Firefox DevTools too",
            "User-Agent: Mozilla/5.0 AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36",
            "Is it that Chrome works and Firefox does not?",
            "The edge server fails, the origin works",
        ] {
            assert!(told(text).is_empty(), "{text}");
        }
    }
}
