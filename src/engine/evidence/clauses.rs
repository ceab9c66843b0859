//! The clauses of what people say, and whether one says that something works or that it fails.

use std::ops::Range;
use std::sync::LazyLock;

use super::vocabulary::Phrases;

/// A denial reaches that many words on.
const DENIAL_REACH: usize = 4;

/// Words that begin a clause of their own.
const JOINTS: &[&str] = &[
    "but", "while", "whereas", "though", "although", "however", "yet", "aber", "während",
    "dagegen", "jedoch", "doch", "hingegen",
];

/// Words before browsers for which the opposite holds of what was said before.
const OPPOSITES: &[&str] = &["except", "unlike", "besides", "außer", "ausser"];

const DENIALS: &[&str] = &[
    "not", "no", "never", "cannot", "cant", "doesnt", "dont", "isnt", "wont", "without", "neither",
    "nicht", "nichts", "kein", "keine", "keinen", "nie", "ohne", "unable",
];

const WORKS: &[&str] = &[
    "works",
    "work",
    "worked",
    "working",
    "fine",
    "ok",
    "okay",
    "good",
    "well",
    "perfect",
    "perfectly",
    "flawlessly",
    "connects",
    "connected",
    "connect",
    "opens",
    "succeeds",
    "succeed",
    "success",
    "successful",
    "successfully",
    "can",
    "does",
    "do",
    "geht",
    "gehts",
    "funktioniert",
    "klappt",
    "läuft",
    "schon",
    "gut",
    "problemlos",
    "einwandfrei",
    "verbindet",
];

/// Those of them that can mean nothing else.
const WORKS_PLAINLY: &[&str] = &[
    "works",
    "worked",
    "working",
    "fine",
    "ok",
    "okay",
    "connects",
    "funktioniert",
    "geht",
    "klappt",
    "läuft",
];

const FAILS: &[&str] = &[
    "fails",
    "fail",
    "failed",
    "failing",
    "broken",
    "breaks",
    "refuses",
    "refused",
    "error",
    "errors",
    "problem",
    "problems",
    "issue",
    "issues",
    "trouble",
    "happens",
    "happen",
    "occurs",
    "occur",
    "hangs",
    "drops",
    "disconnects",
    "closes",
    "crashes",
    "scheitert",
    "bricht",
    "versagt",
    "fehler",
    "probleme",
    "verweigert",
    "hängt",
];

/// What a clause says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Works,
    Fails,
}

impl Verdict {
    pub(super) fn opposite(self) -> Self {
        match self {
            Verdict::Works => Verdict::Fails,
            Verdict::Fails => Verdict::Works,
        }
    }
}

/// A word in lower case, with its place in the line.
#[derive(Debug)]
pub(super) struct Word {
    /// Empty for what is no plain word: an address, a version.
    pub(super) letters: String,
    pub(super) start: usize,
    pub(super) end: usize,
    /// It begins with a capital letter.
    pub(super) is_name: bool,
    /// A mark behind it ends a clause.
    pub(super) ends_clause: bool,
}

/// The clauses of a text, as stretches of its words: they end at marks, and before words that begin
/// one of their own.
pub(super) fn clauses(words: &[Word]) -> Vec<Range<usize>> {
    let mut clauses = Vec::new();
    let mut from = 0;
    for at in 0..words.len() {
        if begins_clause(words, at) && at > from {
            clauses.push(from..at);
            from = at;
        }
        if words[at].ends_clause {
            clauses.push(from..at + 1);
            from = at + 1;
        }
    }
    if from < words.len() {
        clauses.push(from..words.len());
    }
    clauses
}

/// Whether a clause of its own begins with a word: "but", "except", "and fails".
fn begins_clause(words: &[Word], at: usize) -> bool {
    let word = &*words[at].letters;
    is_joint(words, at) || matches!(word, "and" | "und") && begins_with_verb(&words[at + 1..])
}

/// Whether what stands behind a word is set against what stands before it.
pub(super) fn is_joint(words: &[Word], at: usize) -> bool {
    JOINTS.contains(&&*words[at].letters) || is_opposite(words, at)
}

/// Whether the opposite holds, behind a word, of what was said before it.
pub(super) fn is_opposite(words: &[Word], at: usize) -> bool {
    let is_apart = words[at].letters == "apart" && next_is(words, at, "from");
    OPPOSITES.contains(&&*words[at].letters) || is_apart
}

fn next_is(words: &[Word], at: usize, expected: &str) -> bool {
    words
        .get(at + 1)
        .is_some_and(|word| word.letters == expected)
}

fn begins_with_verb(rest: &[Word]) -> bool {
    let mut first = rest.iter().map(|word| &*word.letters);
    first
        .next()
        .is_some_and(|word| FAILS.contains(&word) || WORKS.contains(&word) || denies(word))
}

/// What the words of a clause say, if they say either.
pub(super) fn verdict(words: &[Word]) -> Option<Verdict> {
    let mut said: Option<(Verdict, usize)> = None;
    let mut denial: Option<usize> = None;
    for (at, word) in words.iter().enumerate() {
        let letters = &*word.letters;
        let is_denied = denial.is_some_and(|before| at - before <= DENIAL_REACH);
        let means = |verdict: Verdict| match is_denied {
            true => verdict.opposite(),
            false => verdict,
        };
        if denies(letters) {
            // German denies behind the verb: "funktioniert es nicht".
            let is_behind = said.is_some_and(|(verdict, before)| {
                verdict == Verdict::Works && at - before <= DENIAL_REACH
            });
            if is_behind && matches!(letters, "nicht" | "nichts" | "not" | "neither" | "weder") {
                said = Some((Verdict::Fails, at));
            }
            denial = Some(at);
        } else if FAILS.contains(&letters) {
            said = Some((means(Verdict::Fails), at));
        } else if WORKS.contains(&letters) && said.is_none() {
            said = Some((means(Verdict::Works), at));
        }
    }
    said.map(|(verdict, _)| verdict)
        .or_else(|| denial.map(|_| Verdict::Fails))
}

/// Whether one of the words is among them.
pub(super) fn holds(words: &[Word], expected: &[&str]) -> bool {
    let is_one = |word: &Word| expected.contains(&&*word.letters);
    words.iter().any(is_one)
}

/// Whether some clause of a text may say that something works; `false` is certain, and known without
/// looking at its words.
pub(super) fn may_work(text: &str) -> bool {
    static WORKS: LazyLock<Phrases> = LazyLock::new(|| Phrases::in_any_case(WORKS_PLAINLY));
    WORKS.stand_in(text)
}

/// Whether a clause says without doubt that something works.
pub(super) fn works_plainly(words: &[Word]) -> bool {
    holds(words, WORKS_PLAINLY) && verdict(words) == Some(Verdict::Works)
}

/// Whether a word denies.
pub(super) fn denies(word: &str) -> bool {
    DENIALS.contains(&word) || word.ends_with("n't") || word.ends_with("n’t")
}

/// The words of a line; what stands in addresses and names of versions is none.
pub(super) fn words(line: &str) -> Vec<Word> {
    let mut words = Vec::new();
    for piece in line.split_whitespace() {
        let start = piece.as_ptr() as usize - line.as_ptr() as usize;
        let inner = piece.trim_matches(|letter: char| !letter.is_alphanumeric());
        if inner.is_empty() {
            if let Some(Word { ends_clause, .. }) = words.last_mut() {
                *ends_clause |= piece.starts_with(['-', '–', '—', '(']);
            }
            continue;
        }
        let lead = inner.as_ptr() as usize - piece.as_ptr() as usize;
        let is_plain = !inner.contains(['/', ':', '@', '_', '.']);
        words.push(Word {
            letters: match is_plain {
                true => inner.to_lowercase(),
                false => String::new(),
            },
            start: start + lead,
            end: start + lead + inner.len(),
            is_name: inner.starts_with(char::is_uppercase),
            ends_clause: piece.ends_with([',', '.', ';', ':', '!', '?', ')']),
        });
    }
    words
}
