//! The texts that a regular expression cannot match without.
//!
//! Patterns are found through one pass over the paste for such texts; the expression itself is
//! compiled and run only where one was seen.

use std::borrow::Cow;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// Shorter literals are seen in nearly every text and would help nobody.
const SHORTEST: usize = 3;

/// More alternatives than this cost more to look for than they save.
const MOST_ALTERNATIVES: usize = 64;

/// Words that stand in nearly every text about a failing connection: looking for them finds
/// everything, which is to say nothing.
const COMMON: &[&str] = &[
    "a",
    "at",
    "client",
    "close",
    "closed",
    "code",
    "connect",
    "connected",
    "connection",
    "error",
    "failed",
    "for",
    "from",
    "has",
    "http",
    "https",
    "in",
    "is",
    "it",
    "not",
    "of",
    "on",
    "or",
    "reason",
    "request",
    "response",
    "server",
    "socket",
    "status",
    "the",
    "to",
    "was",
    "web",
    "websocket",
    "with",
    "works",
    "ws",
    "wss",
];

/// The letters of a text that are not ASCII, each with its place. Most texts hold few or none.
pub(super) fn beyond_ascii(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + first_beyond_ascii(&text.as_bytes()[from..])?;
        let letter = text[start..].chars().next()?;
        from = start + letter.len_utf8();
        Some((start, letter))
    })
}

/// The place of the first byte that is not ASCII. Asking a few bytes at once is faster than one after the
/// other.
fn first_beyond_ascii(bytes: &[u8]) -> Option<usize> {
    const AT_ONCE: usize = 16;
    let is_beyond = |bytes: &[u8]| bytes.iter().fold(0, |all, byte| all | byte) > 0x7f;
    let chunks = bytes.chunks(AT_ONCE);
    let passed = AT_ONCE * chunks.take_while(|chunk| !is_beyond(chunk)).count();
    let place = bytes
        .get(passed..)?
        .iter()
        .position(|byte| !byte.is_ascii())?;
    Some(passed + place)
}

/// A text with its letters outside ASCII in lower case, every byte where it was: a letter whose other
/// case takes more or fewer bytes stays as it is. Literals are looked for in such a text, because
/// sentences begin with capitals in all languages ("Über das VPN", "Без VPN").
pub(super) fn lowered(text: &str) -> Cow<'_, str> {
    let lower = |letter: char| {
        let mut lower = letter.to_lowercase();
        let first = lower.next().filter(|_| lower.next().is_none());
        first.filter(|first| first.len_utf8() == letter.len_utf8() && !letter.is_ascii())
    };
    let mut written: Option<String> = None;
    for (start, letter) in beyond_ascii(text) {
        let Some(lower) = lower(letter).filter(|lower| *lower != letter) else {
            continue;
        };
        let written = written.get_or_insert_with(|| String::with_capacity(text.len()));
        written.push_str(&text[written.len()..start]);
        written.push(lower);
    }
    match written {
        Some(mut written) => {
            written.push_str(&text[written.len()..]);
            written.into()
        }
        None => text.into(),
    }
}

/// Sets of lower-case literals, of each of which a match holds one at least, ignoring case.
pub(super) type Requirement = Vec<Vec<String>>;

/// What a match of the expression cannot do without: it fulfils one of these at least. Empty if
/// there is a way to match without any useful literal, or the expression is invalid.
pub(super) fn requirements(expression: &str) -> Vec<Requirement> {
    parse(expression).map_or_else(Vec::new, |hir| requirements_of(&hir))
}

/// The syntax of an expression, good for finding its literals and not for matching. `None` if the
/// expression is invalid.
pub(super) fn parse(expression: &str) -> Option<Hir> {
    // Literals are in lower case and looked for in either case, so whether the whole expression
    // ignores case makes no difference, and letters read more easily than pairs of letters.
    let plain = expression.strip_prefix("(?i)").map(read);
    match plain {
        Some(Some(hir)) if !requirements_of(&hir).is_empty() => Some(hir),
        _ => read(expression),
    }
}

fn read(expression: &str) -> Option<Hir> {
    // Unicode's classes are long tables and hold no literal, so building them would cost several
    // times the rest. An expression that cannot do without them says so.
    let mut parser = ParserBuilder::new().unicode(false).utf8(false).build();
    parser
        .parse(expression)
        .ok()
        .or_else(|| ParserBuilder::new().build().parse(expression).ok())
}

/// The same for an expression that was parsed.
pub(super) fn requirements_of(hir: &Hir) -> Vec<Requirement> {
    let mut ways = ways(hir);
    for way in &mut ways {
        way.retain_mut(|set| stands_in_lines(set));
        way.sort();
        way.dedup();
    }
    if ways.iter().any(Vec::is_empty) {
        return Vec::new();
    }
    ways
}

/// Leaves of each literal the longest stretch that stands in one line, because literals are looked for
/// line by line. Whether all that is left is still long enough.
fn stands_in_lines(set: &mut [String]) -> bool {
    for literal in set.iter_mut().filter(|literal| literal.contains('\n')) {
        let lines = literal.split('\n');
        *literal = lines
            .max_by_key(|line| line.len())
            .unwrap_or_default()
            .to_owned();
    }
    set.iter().all(|literal| literal.len() >= SHORTEST)
}

/// The ways to match: one for each branch of the expression's widest alternation.
fn ways(hir: &Hir) -> Vec<Requirement> {
    match hir.kind() {
        HirKind::Capture(capture) => ways(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min == 1 && repetition.max == Some(1) => {
            ways(&repetition.sub)
        }
        HirKind::Alternation(branches) if branches.len() <= MOST_ALTERNATIVES => {
            branches.iter().map(sets).collect()
        }
        HirKind::Concat(parts) => ways_of_concat(parts),
        _ => vec![sets(hir)],
    }
}

fn ways_of_concat(parts: &[Hir]) -> Vec<Requirement> {
    let whole = sets_of_concat(parts);
    let widest = parts
        .iter()
        .enumerate()
        .filter_map(|(position, part)| {
            let branches = branches(part)?;
            (branches.len() <= MOST_ALTERNATIVES).then_some((branches.len(), position, branches))
        })
        .max_by_key(|(width, ..)| *width);
    let Some((_, position, branches)) = widest else {
        return vec![whole];
    };
    let mut around = sets_of_concat(&parts[..position]);
    around.extend(sets_of_concat(&parts[position + 1..]));
    branches
        .iter()
        .map(|branch| {
            let mut way = around.clone();
            way.extend(sets(branch));
            way
        })
        .collect()
}

fn branches(hir: &Hir) -> Option<&[Hir]> {
    match hir.kind() {
        HirKind::Capture(capture) => branches(&capture.sub),
        HirKind::Alternation(branches) => Some(branches),
        _ => None,
    }
}

/// How much a set of literals tells by standing in a text: long literals are rare, common words
/// tell little, and few alternatives are better than many.
pub(super) fn worth(set: &[String]) -> usize {
    let least = set
        .iter()
        .map(|literal| telling(literal))
        .min()
        .unwrap_or(0);
    least * 4 / (3 + set.len())
}

/// The letters of a literal that do not belong to common words.
fn telling(literal: &str) -> usize {
    let common: usize = literal
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| COMMON.contains(word))
        .map(str::len)
        .sum();
    literal.len() - common
}

fn best(candidates: Vec<Vec<String>>) -> Option<Vec<String>> {
    candidates
        .into_iter()
        .max_by_key(|candidate| worth(candidate))
}

/// What every match of a piece holds.
fn sets(hir: &Hir) -> Requirement {
    match hir.kind() {
        HirKind::Capture(capture) => sets(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => sets(&repetition.sub),
        HirKind::Concat(parts) => sets_of_concat(parts),
        HirKind::Alternation(branches) => {
            let mut all = Vec::new();
            for branch in branches {
                let Some(set) = best(sets(branch)) else {
                    return Vec::new();
                };
                all.extend(set);
            }
            all.sort();
            all.dedup();
            if all.len() <= MOST_ALTERNATIVES {
                vec![all]
            } else {
                Vec::new()
            }
        }
        _ => exact(hir)
            .filter(|text| text.len() >= SHORTEST)
            .map(|text| vec![vec![text]])
            .unwrap_or_default(),
    }
}

fn sets_of_concat(parts: &[Hir]) -> Requirement {
    let mut found = Vec::new();
    let mut run = String::new();
    for part in parts {
        if let Some(text) = exact(part) {
            run.push_str(&text);
            continue;
        }
        if run.len() >= SHORTEST {
            found.push(vec![std::mem::take(&mut run)]);
        }
        run.clear();
        found.extend(sets(part));
    }
    if run.len() >= SHORTEST {
        found.push(vec![run]);
    }
    found
}

/// The one text, ignoring ASCII case, that the piece matches.
fn exact(hir: &Hir) -> Option<String> {
    match hir.kind() {
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).ok()?;
            Some(lowered(text).to_ascii_lowercase())
        }
        HirKind::Class(Class::Bytes(class)) => {
            let all: usize = class.iter().map(|range| range.len()).sum();
            let mut folded = class
                .iter()
                .flat_map(|range| range.start()..=range.end())
                .take(3)
                .map(|letter| letter.to_ascii_lowercase());
            let first = folded.next().filter(u8::is_ascii_alphabetic)?;
            (all <= 3 && folded.all(|letter| letter == first))
                .then(|| char::from(first).to_string())
        }
        HirKind::Class(Class::Unicode(class)) => {
            // (?i)k also matches the Kelvin sign and (?i)s the long s; ASCII is what people paste,
            // and the expression itself still decides.
            let mut folded = class
                .iter()
                .flat_map(|range| range.start()..=range.end())
                .take(8)
                .filter(char::is_ascii)
                .map(|letter| letter.to_ascii_lowercase());
            let first = folded.next().filter(char::is_ascii_alphabetic)?;
            let all: usize = class
                .iter()
                .map(|range| range.end() as usize - range.start() as usize + 1)
                .sum();
            (all <= 3 && folded.all(|letter| letter == first)).then(|| first.to_string())
        }
        HirKind::Capture(capture) => exact(&capture.sub),
        HirKind::Concat(parts) => parts.iter().map(exact).collect(),
        HirKind::Repetition(repetition)
            if repetition.max == Some(repetition.min) && repetition.min <= 8 =>
        {
            exact(&repetition.sub).map(|text| text.repeat(repetition.min as usize))
        }
        HirKind::Look(_) | HirKind::Empty => Some(String::new()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{lowered, requirements};

    #[test]
    fn letters_outside_ascii_keep_their_places() {
        assert_eq!(lowered("Über VPN: ÉCHEC, Без"), "über VPN: éCHEC, без");
        // Its small letter is one byte longer.
        assert_eq!(lowered("Ⱥ İ ß"), "Ⱥ İ ß");
        assert!(matches!(
            lowered("plain Text … ü"),
            std::borrow::Cow::Borrowed(_)
        ));
    }

    #[test]
    fn plain_text_is_required() {
        assert_eq!(
            requirements(r"Unexpected response code: (?P<status>\d{3})"),
            [[["unexpected response code: "]]]
        );
    }

    #[test]
    fn case_is_ignored() {
        assert_eq!(
            requirements("(?i)Connection Refused"),
            [[["connection refused"]]]
        );
    }

    #[test]
    fn every_branch_is_a_way_of_its_own() {
        let ways = requirements("(?:ECONNREFUSED|WSAfoo|10061) .*port");
        let firsts: Vec<&str> = ways.iter().map(|way| way[0][0].as_str()).collect();
        assert_eq!(firsts, ["econnrefused", "port", "10061"]);
        assert!(
            ways.iter()
                .all(|way| way.contains(&vec!["port".to_owned()]))
        );
    }

    #[test]
    fn what_is_required_stands_in_one_line() {
        assert_eq!(
            requirements("^first line\\nand the second one$"),
            [[["and the second one"]]]
        );
        assert!(requirements("a\\nb").is_empty());
    }

    #[test]
    fn what_may_be_missing_is_not_required() {
        assert_eq!(requirements("(?:net::)?ERR_FAILED"), [[["err_failed"]]]);
        assert!(requirements(r"\d+ \w+").is_empty());
        assert!(requirements("(?:abc|.*)").is_empty());
    }
}
