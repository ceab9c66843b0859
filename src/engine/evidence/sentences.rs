//! How people mean what they say: whether a sentence states, denies or asks.
//!
//! Only words around a match are looked at, and only those of its own sentence: "we do not use
//! nginx" denies, "it does not work with nginx" states nginx, "is it nginx?" asks, and "why does it
//! close after 60 seconds?" takes the closing for granted.

use std::borrow::Cow;

use super::Span;
use super::vocabulary::Vocabulary;

/// How a sentence means the words that stand in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stance {
    /// They are said to be so.
    Stated,
    /// They are said not to be so.
    Denied,
    /// The writer does not know, or something else took their place.
    Asked,
}

/// A sentence is followed that many bytes to either side.
const REACH: usize = 300;
/// A denial stands at most that many words before what it denies.
const MOST_WORDS_BETWEEN: usize = 8;
/// A question of so few words asks, whatever it begins with: "a firewall?".
const SHORT_QUESTION: usize = 4;

/// Words that deny what follows them.
static DENIALS: Vocabulary = Vocabulary::of(&[
    "no", "not", "never", "none", "neither", "nor", "without", "cannot", "isnt", "arent", "wasnt",
    "werent", "dont", "doesnt", "didnt", "havent", "hasnt", "hadnt", "wont", "cant", "aint",
    "kein", "keine", "keinen", "keiner", "keinem", "nicht", "nie", "niemals", "ohne", "pas",
    "sans", "aucun", "aucune", "jamais", "sin", "ningún", "ningun", "ninguna", "nunca", "sem",
    "não", "senza", "non",
]);

/// Words of leaving out, which deny only where nothing is said to happen without it.
static LEFT_OUT: Vocabulary = Vocabulary::of(&["without", "ohne", "sans", "sin", "sem", "senza"]);

/// Words that may stand between a denial and what it denies.
static LIGHT: Vocabulary = Vocabulary::of(&[
    "a",
    "an",
    "the",
    "any",
    "my",
    "our",
    "your",
    "their",
    "its",
    "this",
    "that",
    "some",
    "such",
    "kind",
    "sort",
    "of",
    "even",
    "really",
    "actually",
    "currently",
    "yet",
    "in",
    "on",
    "at",
    "with",
    "to",
    "be",
    "been",
    "being",
    "is",
    "am",
    "are",
    "was",
    "were",
    "have",
    "has",
    "having",
    "had",
    "got",
    "use",
    "using",
    "used",
    "run",
    "running",
    "sit",
    "sitting",
    "go",
    "going",
    "put",
    "connected",
    "behind",
    "through",
    "via",
    "over",
    "inside",
    "under",
    "from",
    "there",
    "still",
    "also",
    "either",
    "proxied",
    "hosted",
    "deployed",
    "we",
    "i",
    "it",
    "they",
    "other",
    "extra",
    "additional",
    "able",
    "reverse",
    "hinter",
    "über",
    "ein",
    "eine",
    "einen",
    "einem",
    "einer",
    "der",
    "die",
    "das",
    "dem",
    "den",
    "un",
    "une",
    "una",
    "de",
    "le",
    "la",
    "el",
    "derrière",
    "detrás",
    "im",
]);

/// Words that say that something happens: "without the proxy it works" states the proxy.
static OUTCOMES: Vocabulary = Vocabulary::of(&[
    "work",
    "works",
    "worked",
    "working",
    "fail",
    "fails",
    "failed",
    "failing",
    "happen",
    "happens",
    "happened",
    "error",
    "errors",
    "connect",
    "connects",
    "connected",
    "connecting",
    "same",
    "still",
    "try",
    "tried",
    "trying",
    "test",
    "tested",
    "fine",
    "gone",
    "disappears",
    "disappeared",
    "persists",
    "solved",
    "fixed",
    "helps",
    "helped",
    "problem",
    "issue",
    "occurs",
    "funktioniert",
    "geht",
    "klappt",
    "läuft",
    "fonctionne",
    "marche",
    "funciona",
    "va",
]);

/// Words that follow what is said not to be in play: "nginx is not involved".
static IN_PLAY: Vocabulary = Vocabulary::of(&[
    "used",
    "involved",
    "in",
    "present",
    "there",
    "here",
    "part",
    "installed",
    "needed",
    "active",
    "beteiligt",
    "dazwischen",
    "im",
]);

static BEINGS: Vocabulary = Vocabulary::of(&[
    "is", "are", "was", "were", "ist", "sind", "war", "est", "está", "has", "have",
]);
static BEINGS_DENIED: Vocabulary = Vocabulary::of(&[
    "isn't", "aren't", "wasn't", "weren't", "isnt", "arent", "wasnt",
]);

/// Words that begin a question which can be answered with yes or no.
static OPENERS: Vocabulary = Vocabulary::of(&[
    "is",
    "are",
    "was",
    "were",
    "could",
    "can",
    "might",
    "may",
    "would",
    "does",
    "do",
    "did",
    "has",
    "have",
    "isn't",
    "isnt",
    "couldn't",
    "doesn't",
    "maybe",
    "perhaps",
    "possibly",
    "ist",
    "sind",
    "liegt",
    "kann",
    "könnte",
    "hat",
    "est-ce",
    "serait-ce",
    "peut-être",
    "es",
    "puede",
    "podría",
    "será",
]);

/// What may stand before the word that opens a question.
static FILLERS: Vocabulary = Vocabulary::of(&[
    "so", "and", "but", "or", "hi", "hello", "ok", "okay", "well", "also", "then", "hmm", "und",
    "oder", "aber", "et", "mais", "y", "pero",
]);

/// Questions that take what they speak of for granted: "is it normal that ..", "can anyone ..".
static GRANTING: Vocabulary = Vocabulary::of(&[
    "anyone",
    "anybody",
    "someone",
    "somebody",
    "you",
    "i",
    "we",
    "us",
    "one",
    "jemand",
    "quelqu'un",
    "alguien",
    "normal",
    "expected",
    "possible",
    "known",
    "intended",
    "supposed",
    "correct",
    "ok",
    "okay",
    "right",
    "way",
    "chance",
    "setting",
    "option",
    "limit",
    "workaround",
    "solution",
    "fix",
    "reason",
    "anything",
    "something",
    "bug",
]);

/// Words between what is expected and the word that says so.
static AROUND_EXPECTED: Vocabulary = Vocabulary::of(&[
    "a", "an", "the", "status", "code", "http", "with", "of", "than", "to", "be", "have", "been",
    "return", "returns", "returned", "respond", "responds", "answer", "answers", "response",
    "give", "gives", "get", "see", "receive", "send", "sends", "says", "say", "any", "mit",
    "einen", "ein", "eine",
]);

/// Words that say what ought to come, or what does not.
static EXPECTING: Vocabulary = Vocabulary::of(&[
    "should",
    "must",
    "shall",
    "ought",
    "supposed",
    "expect",
    "expects",
    "expected",
    "expecting",
    "instead",
    "rather",
    "sollte",
    "muss",
    "erwartet",
    "statt",
    "anstatt",
]);

/// Whether the words that begin there are only what ought to come, or what does not come: "it should
/// answer 101", "200 instead of 101", "not a 404". What it should not do it does.
pub(super) fn is_expectation(text: &str, start: usize) -> bool {
    let before = sentence_before(text, start);
    let mut back = words(before)
        .rev()
        .skip_while(|word| AROUND_EXPECTED.contains(word));
    let Some(word) = back.next() else {
        return false;
    };
    if !denies(&word) {
        return EXPECTING.contains(&word);
    }
    !back
        .next()
        .is_some_and(|before| EXPECTING.contains(&before))
}

/// How the sentence around the bytes `start..end` of the text means them.
pub fn stance(text: &str, start: usize, end: usize) -> Stance {
    let (start, end) = without_marks(text, start, end);
    let before = sentence_before(text, start);
    let after = sentence_after(text, end);
    let itself = text.get(start..end).unwrap_or_default();
    if is_replaced(before) || is_asked(before, itself, after) {
        return Stance::Asked;
    }
    // Seldom asked for, and all words have to be read for it.
    let has_outcome = || {
        [before, after]
            .iter()
            .any(|part| words(part).any(|word| OUTCOMES.contains(&word)))
    };
    if is_denied_before(before, has_outcome) || is_denied_after(after, has_outcome) {
        return Stance::Denied;
    }
    Stance::Stated
}

/// Whether the words before say that something else took the place of what follows: that tells nothing
/// of it.
fn is_replaced(before: &str) -> bool {
    let is_article = |word: &Cow<'_, str>| matches!(&**word, "the" | "a" | "an" | "our" | "my");
    let mut back = words(before).rev().skip_while(is_article);
    let (last, one_before) = (back.next(), back.next());
    matches!(
        (one_before.as_deref(), last.as_deref()),
        (Some("instead"), Some("of")) | (Some("rather"), Some("than"))
    )
}

/// The bounds of the whole words within `start..end`: an expression may take in the marks around
/// its words, or the first letter of the next one.
fn without_marks(text: &str, start: usize, end: usize) -> (usize, usize) {
    let is_mark = |letter: char| !letter.is_alphanumeric();
    let is_letter = |letter: char| letter.is_alphanumeric();
    let mut itself = text.get(start..end).unwrap_or_default();
    if text[end..].starts_with(is_letter) && itself.ends_with(is_letter) {
        itself = itself.rfind(is_mark).map_or(itself, |at| &itself[..at]);
    }
    let end = start + itself.len();
    let lead = itself.len() - itself.trim_start_matches(is_mark).len();
    let tail = itself.len() - itself.trim_end_matches(is_mark).len();
    if lead == itself.len() {
        return (start, end);
    }
    (start + lead, end - tail)
}

/// The sentence in which the words stand, with the mark that ends it.
pub(super) fn sentence_around(text: &str, words: Span) -> Span {
    Span {
        start: words.start - sentence_before(text, words.start).len(),
        end: words.end + sentence_after(text, words.end).len(),
    }
}

/// What stands before in the same sentence.
fn sentence_before(text: &str, start: usize) -> &str {
    let from = text.floor_char_boundary(start.saturating_sub(REACH));
    let before = &text[from..start];
    let mut rest = before.as_bytes();
    while let Some(at) = rest.iter().rposition(|byte| may_end(*byte)) {
        if let Some(begin) = sentence_end(before, at) {
            return &before[begin..];
        }
        rest = &rest[..at];
    }
    before
}

/// What stands after in the same sentence, with the mark that ends it.
pub(super) fn sentence_after(text: &str, end: usize) -> &str {
    let to = text.ceil_char_boundary((end + REACH).min(text.len()));
    let after = &text[end..to];
    let mut from = 0;
    while let Some(at) = after.as_bytes()[from..]
        .iter()
        .position(|byte| may_end(*byte))
    {
        if let Some(stop) = sentence_end(after, from + at) {
            return &after[..stop];
        }
        from += at + 1;
    }
    after
}

/// The first bytes of marks that may end a sentence.
const ENDS: [bool; 256] = {
    let mut ends = [false; 256];
    let marks = b"\n.!?;\xe3\xef";
    let mut at = 0;
    while at < marks.len() {
        ends[marks[at] as usize] = true;
        at += 1;
    }
    ends
};

fn may_end(byte: u8) -> bool {
    ENDS[usize::from(byte)]
}

/// Where the mark ends that begins at `at`, if it ends a sentence: most do only before a space, so
/// that addresses keep theirs.
fn sentence_end(text: &str, at: usize) -> Option<usize> {
    let length = match text.as_bytes()[at] {
        b'\n' => 1,
        b'.' | b'!' | b'?' | b';' => {
            let next = text[at + 1..].chars().next();
            next.is_none_or(char::is_whitespace).then_some(1)?
        }
        // The first bytes of the marks of Chinese and Japanese.
        0xe3 | 0xef => {
            let mark = text.get(at..at + 3)?;
            matches!(mark, "。" | "！" | "？").then_some(3)?
        }
        _ => return None,
    };
    Some(at + length)
}

/// The words of a text in lower case, with straight apostrophes; a comma is a word of its own.
fn words(text: &str) -> impl DoubleEndedIterator<Item = Cow<'_, str>> {
    text.split_whitespace().flat_map(|piece| {
        let word = in_lower_case(piece.trim_matches(|letter: char| !letter.is_alphanumeric()));
        let comma = piece.ends_with([',', ':', '(']) || piece.starts_with('(');
        let is_word = !word.is_empty();
        [is_word.then_some(word), comma.then_some(Cow::Borrowed(","))]
            .into_iter()
            .flatten()
    })
}

fn in_lower_case(word: &str) -> Cow<'_, str> {
    if !word.is_ascii() {
        let straight = word
            .chars()
            .map(|letter| if letter == '’' { '\'' } else { letter });
        return straight.flat_map(char::to_lowercase).collect();
    }
    if word.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return word.to_ascii_lowercase().into();
    }
    word.into()
}

fn denies(word: &str) -> bool {
    DENIALS.contains(word) || word.ends_with("n't")
}

/// Looks back over light words, and over the other members of a list, for a denial.
fn is_denied_before(before: &str, has_outcome: impl Fn() -> bool) -> bool {
    let mut list = List::No;
    for (position, word) in words(before).rev().enumerate() {
        if position >= MOST_WORDS_BETWEEN {
            return false;
        }
        if denies(&word) {
            return !(LEFT_OUT.contains(&word) && has_outcome());
        }
        list = match (&*word, list) {
            ("or" | "oder" | "ou", _) | (",", List::Member) => List::Joined,
            (_, List::Joined) => List::Member,
            (word, list) if LIGHT.contains(word) => list,
            _ => return false,
        };
    }
    false
}

/// Where in a list ("no Apache, HAProxy or nginx") the way back has come.
#[derive(Clone, Copy)]
enum List {
    No,
    Joined,
    Member,
}

/// Whether what follows says that it is not in play: "is not involved", "is off".
fn is_denied_after(after: &str, has_outcome: impl Fn() -> bool) -> bool {
    let next: Vec<Cow<'_, str>> = words(after).take(4).collect();
    let word = |position: usize| next.get(position).map_or("", |word| &**word);
    let is_in_play = |position: usize| IN_PLAY.contains(word(position));
    if BEINGS_DENIED.contains(word(0)) {
        return is_in_play(1) || is_in_play(2);
    }
    if !BEINGS.contains(word(0)) {
        return matches!(word(0), "off" | "disabled") && !has_outcome();
    }
    match word(1) {
        "not" | "nicht" | "no" | "never" | "pas" => is_in_play(2) || is_in_play(3),
        "ruled" => word(2) == "out",
        "off" | "disabled" | "removed" => !has_outcome(),
        _ => false,
    }
}

/// Whether the words stand in a question that may be answered with no.
fn is_asked(before: &str, itself: &str, after: &str) -> bool {
    if !after.ends_with(['?', '？']) {
        return false;
    }
    let said: Vec<Cow<'_, str>> = words(before).collect();
    let count = said.len() + words(itself).count() + words(after).count();
    if count <= SHORT_QUESTION {
        return true;
    }
    let mut whole = said.clone();
    whole.extend(words(itself).chain(words(after)).take(3));
    // The clauses that begin before the words or with them.
    let begins = std::iter::once(0).chain(
        said.iter()
            .enumerate()
            .filter(|(_, word)| *word == ",")
            .map(|(at, _)| at + 1),
    );
    begins
        .into_iter()
        .any(|begin| opens_question(&whole[begin.min(whole.len())..]))
}

fn opens_question(clause: &[Cow<'_, str>]) -> bool {
    let mut rest = clause
        .iter()
        .map(|word| &**word)
        .skip_while(|word| FILLERS.contains(word));
    let Some(opener) = rest.next() else {
        return false;
    };
    OPENERS.contains(opener) && !rest.take(3).any(|word| GRANTING.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stance of the word "nginx", or of what stands between brackets.
    fn of(sentence: &str) -> Stance {
        let (text, start, end) = match sentence.split_once('[') {
            Some((before, rest)) => {
                let (inner, after) = rest.split_once(']').expect("a closing bracket");
                (
                    format!("{before}{inner}{after}"),
                    before.len(),
                    before.len() + inner.len(),
                )
            }
            None => {
                let start = sentence.find("nginx").expect("nginx");
                (sentence.to_owned(), start, start + 5)
            }
        };
        stance(&text, start, end)
    }

    #[test]
    fn denials_reach_what_they_govern() {
        for sentence in [
            "we do not use nginx",
            "there is no nginx in between",
            "it isn’t behind nginx",
            "It doesnt sit [behind a] proxy",
            "no Apache or nginx here",
            "no Apache, HAProxy or nginx here",
            "wir nutzen kein nginx",
            "we run without nginx",
            "nginx is not involved",
            "nginx isn't used here",
            "[nginx i]s not involved here",
            "we do not use[ nginx, ]only Apache",
            "it never [worked locally]",
            "the socket does not [close after 60 seconds]",
        ] {
            assert_eq!(of(sentence), Stance::Denied, "{sentence}");
        }
    }

    #[test]
    fn denials_of_something_else_leave_it_stated() {
        for sentence in [
            "it does not work with nginx",
            "I cannot connect through nginx",
            "no problem with nginx",
            "not only behind nginx",
            "the same without nginx",
            "works without nginx",
            "No, behind nginx",
            "I do not know. It runs behind nginx",
            "nginx is not the culprit I think",
        ] {
            assert_eq!(of(sentence), Stance::Stated, "{sentence}");
        }
    }

    #[test]
    fn what_another_took_the_place_of_is_neither_said_nor_denied() {
        for sentence in [
            "I chose Apache instead of nginx",
            "Caddy rather than the nginx that others have",
        ] {
            assert_eq!(of(sentence), Stance::Asked, "{sentence}");
        }
        assert_eq!(of("instead of Apache we have nginx"), Stance::Stated);
    }

    #[test]
    fn questions_ask_unless_they_take_for_granted() {
        for sentence in [
            "is it nginx?",
            "Could it be nginx that drops it?",
            "It fails after a minute, is nginx to blame?",
            "nginx?",
            "Are there limits in play, or is it nginx?",
            "liegt es an nginx?",
        ] {
            assert_eq!(of(sentence), Stance::Asked, "{sentence}");
        }
        for sentence in [
            "why does it close behind nginx?",
            "How do I configure nginx for this?",
            "Can anyone help me with nginx?",
            "Is it normal that nginx closes it?",
            "It runs behind nginx, what is wrong?",
            "I use nginx. Is it the firewall?",
            "GET https://[nginx]/socket.io/?EIO=4 fails",
        ] {
            assert_eq!(of(sentence), Stance::Stated, "{sentence}");
        }
    }

    #[test]
    fn what_ought_to_come_is_told_from_what_comes() {
        let is_expected = |sentence: &str| {
            let at = sentence.find('[').expect("a bracket");
            is_expectation(&sentence.replace('[', ""), at)
        };
        for sentence in [
            "it should return [101",
            "The server must answer with '[HTTP/1.1 101",
            "I get 200 instead of [101",
            "we expected a [101",
            "it is a 502, not a [404",
            "it does not return [404",
            "es sollte [101 kommen",
        ] {
            assert!(is_expected(sentence), "{sentence}");
        }
        for sentence in [
            "Unexpected response code: [400",
            "I expected 101 but got [200",
            "it should not return [404",
            "Not Found: [404",
            "the server answers [403",
            "[403",
            "This should work. [HTTP/1.1 400",
        ] {
            assert!(!is_expected(sentence), "{sentence}");
        }
    }

    #[test]
    fn any_place_of_any_text_has_a_stance() {
        let text = "ß’?—no\n。x（";
        for start in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
            for end in (start..=text.len()).filter(|at| text.is_char_boundary(*at)) {
                stance(text, start, end);
                is_expectation(text, start);
            }
        }
    }
}
