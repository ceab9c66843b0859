//! One spelling for one word, all over the prose. What is code, an address or quoted is somebody
//! else's text and may be spelt as it likes.

use std::collections::{BTreeMap, BTreeSet};

use super::Places;
use super::prose_lines::{Prose, prose_of};

/// Words that two spellings with and without a hyphen tell apart.
const DIFFERENT_WORDS: &[&str] = &["resent", "resign", "recover", "reform", "repress", "coop"];

/// Words that are also seen written apart; the parts alone mean the same.
const COMPOUNDS: &[(&str, &str)] = &[
    ("web", "socket"),
    ("web", "sockets"),
    ("back", "end"),
    ("front", "end"),
    ("end", "point"),
    ("end", "points"),
    ("data", "base"),
    ("user", "name"),
    ("time", "stamp"),
    ("pass", "word"),
    ("work", "around"),
];

/// British and American beginnings of the same words, apart from verbs in -ise and -ize.
const NATIONAL: &[(&str, &str)] = &[
    ("behaviour", "behavior"),
    ("colour", "color"),
    ("favour", "favor"),
    ("honour", "honor"),
    ("neighbour", "neighbor"),
    ("labour", "labor"),
    ("flavour", "flavor"),
    ("cancelled", "canceled"),
    ("cancelling", "canceling"),
    ("labelled", "labeled"),
    ("labelling", "labeling"),
    ("signalled", "signaled"),
    ("signalling", "signaling"),
    ("tunnelled", "tunneled"),
    ("tunnelling", "tunneling"),
    ("modelled", "modeled"),
    ("travelled", "traveled"),
    ("catalogue", "catalog"),
    ("centre", "center"),
    ("metre", "meter"),
    ("defence", "defense"),
    ("offence", "offense"),
    ("licence", "license"),
    ("grey", "gray"),
    ("analyse", "analyze"),
    ("artefact", "artifact"),
    ("fulfil", "fulfill"),
    ("sceptic", "skeptic"),
];

/// Verbs that are written with -ise or with -ize.
const VERBS: &[&str] = &[
    "anonym",
    "capital",
    "categor",
    "character",
    "custom",
    "emphas",
    "final",
    "general",
    "initial",
    "local",
    "material",
    "maxim",
    "memor",
    "minim",
    "neutral",
    "normal",
    "optim",
    "organ",
    "penal",
    "prior",
    "random",
    "real",
    "recogn",
    "serial",
    "special",
    "stabil",
    "standard",
    "summar",
    "synchron",
    "token",
    "util",
    "visual",
];

/// A word in the prose: what it is, how it is spelt there, and where.
struct Use<'a> {
    /// The same for all spellings of a word.
    word: String,
    /// As it stands there, in what it may differ.
    form: String,
    /// As it stands there.
    written: String,
    place: &'a Prose,
}

/// Warns of the words that are spelt otherwise than most of the same words.
pub(super) fn check_spelling(places: &mut Places<'_>) {
    let prose: Vec<Prose> = prose_of(&places.read.texts);
    let mut uses: Vec<Use<'_>> = prose.iter().flat_map(uses_of).collect();
    uses.sort_by(|a, b| a.word.cmp(&b.word));
    for alike in uses.chunk_by(|a, b| a.word == b.word) {
        warn_of_minority(alike, places);
    }
}

/// All uses of one word: those that are spelt unlike the most.
fn warn_of_minority(alike: &[Use<'_>], places: &mut Places<'_>) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for one in alike {
        *counts.entry(&one.form).or_default() += 1;
    }
    // Among equals the first in the alphabet, so that the answer is always the same.
    let most = counts
        .iter()
        .max_by_key(|(form, count)| (**count, std::cmp::Reverse(**form)));
    let Some((usual, count)) = most.filter(|_| counts.len() > 1) else {
        return;
    };
    let mut told = BTreeSet::new();
    for one in alike.iter().filter(|one| one.form != *usual) {
        if told.insert((&one.place.file, one.place.line, &one.written)) {
            let message = format!(
                "{:?} is spelt {}, and {count} others {usual}: spell all alike",
                one.written, one.form
            );
            places.warning_at(&one.place.file, one.place.line, message);
        }
    }
}

fn uses_of(prose: &Prose) -> Vec<Use<'_>> {
    let words = words(&prose.text);
    let mut uses = Vec::new();
    let mut add = |word: String, form: &str, written: &str| {
        uses.push(Use {
            word,
            form: form.to_owned(),
            written: written.to_owned(),
            place: prose,
        });
    };
    for (position, (word, follows)) in words.iter().enumerate() {
        let lower = word.to_lowercase();
        // Capitals elsewhere than in a line's first word are names, which their owners spell.
        if *word == lower || position == 0 && !has_inner_capital(word) {
            if let Some((joined, form)) = hyphenation(&lower) {
                add(format!("joined {joined}"), &form, word);
            }
            if let Some((kind, form)) = national(&lower) {
                add(kind.to_owned(), form, word);
            }
        }
        if word.starts_with(char::is_uppercase) && word.contains(char::is_lowercase) {
            add(format!("capitals {lower}"), word, word);
        }
        let before = position.checked_sub(1).and_then(|at| words.get(at));
        if let Some((before, _)) = before.filter(|_| *follows) {
            let first = before.to_lowercase();
            if COMPOUNDS.contains(&(first.as_str(), lower.as_str())) {
                let apart = format!("{first} {}", without_plural(&lower));
                let joined = format!("{first}{}", without_plural(&lower));
                add(
                    format!("joined {joined}"),
                    &apart,
                    &format!("{before} {word}"),
                );
            }
        }
    }
    uses
}

/// The words of a line, each with whether it follows the one before with nothing but space between.
/// What has signs in it that no word has is a name from code.
fn words(line: &str) -> Vec<(&str, bool)> {
    let mut words = Vec::new();
    let mut follows = false;
    for token in line.split_whitespace() {
        let begins = token.starts_with(char::is_alphabetic);
        let word = token.trim_matches(|letter: char| !letter.is_alphanumeric());
        let word = word
            .strip_suffix("'s")
            .or_else(|| word.strip_suffix("’s"))
            .unwrap_or(word);
        let is_word = !word.is_empty()
            && !token.starts_with(['-', '.', '@', '$', '#', '/', '_', '<'])
            && word
                .chars()
                .all(|letter| letter.is_alphabetic() || letter == '-');
        if is_word {
            words.push((word, follows && begins));
        }
        follows = is_word && token.ends_with(char::is_alphabetic);
    }
    words
}

fn without_plural(word: &str) -> &str {
    word.strip_suffix('s')
        .filter(|rest| rest.len() > 3 && !rest.ends_with('s'))
        .unwrap_or(word)
}

/// The word without its hyphens and as it is joined, both in the singular.
fn hyphenation(lower: &str) -> Option<(String, String)> {
    let form = without_plural(lower);
    let joined = form.replace('-', "");
    let is_one = joined.len() > 4 && !DIFFERENT_WORDS.contains(&joined.as_str());
    is_one.then(|| (joined, form.to_owned()))
}

/// Which of two countries' spellings a word has.
fn national(lower: &str) -> Option<(&'static str, &'static str)> {
    // "fulfill" begins with "fulfil": the longer beginning is meant.
    let begins = |of: fn(&(&'static str, &'static str)) -> &'static str| {
        NATIONAL
            .iter()
            .map(of)
            .filter(|stem| lower.starts_with(stem))
            .map(str::len)
            .max()
    };
    let (british, american) = (begins(|pair| pair.0), begins(|pair| pair.1));
    if british != american {
        let form = if british > american {
            "the British way"
        } else {
            "the American way"
        };
        return Some(("country", form));
    }
    VERBS.iter().find_map(|verb| {
        let rest = lower.strip_prefix(verb)?;
        let is = |form: [&str; 4]| form.iter().any(|ending| rest.starts_with(ending));
        if is(["ise", "isa", "isi", "isab"]) {
            Some(("verbs", "with -ise"))
        } else if is(["ize", "iza", "izi", "izab"]) {
            Some(("verbs", "with -ize"))
        } else {
            None
        }
    })
}

/// A capital after a small letter: a name with a spelling of its own.
fn has_inner_capital(word: &str) -> bool {
    let mut letters = word.chars().skip_while(|letter| !letter.is_lowercase());
    letters.any(char::is_uppercase)
}
