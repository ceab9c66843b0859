//! The texts that a regular expression cannot match without.
//!
//! Patterns are found through one pass over the paste for such texts; the expression itself is
//! compiled and run only where one was seen.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// Shorter literals are seen in nearly every text and would help nobody.
const SHORTEST: usize = 3;

/// More alternatives than this cost more to look for than they save.
const MOST_ALTERNATIVES: usize = 64;

/// A set of lower-case literals of which every match of the expression contains one, ignoring
/// ASCII case; `None` if there is no such set of useful literals, or the expression is invalid.
pub fn required_literals(expression: &str) -> Option<Vec<String>> {
    best(candidates(expression))
}

/// All such sets that the expression offers; any one of them is enough to look for.
pub fn candidates(expression: &str) -> Vec<Vec<String>> {
    ParserBuilder::new()
        .build()
        .parse(expression)
        .map_or_else(|_| Vec::new(), |hir| sets(&hir))
}

fn best(candidates: Vec<Vec<String>>) -> Option<Vec<String>> {
    candidates
        .into_iter()
        .max_by_key(|candidate| worth(candidate))
}

/// What a piece of an expression contributes.
fn sets(hir: &Hir) -> Vec<Vec<String>> {
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

fn sets_of_concat(parts: &[Hir]) -> Vec<Vec<String>> {
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

/// Long literals are rare in texts, and few of them are cheap to look for.
fn worth(candidates: &[String]) -> usize {
    let shortest = candidates.iter().map(String::len).min().unwrap_or(0);
    shortest * 4 / (3 + candidates.len())
}

/// The one text, ignoring ASCII case, that the piece matches.
fn exact(hir: &Hir) -> Option<String> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(
            String::from_utf8(literal.0.to_vec())
                .ok()?
                .to_ascii_lowercase(),
        ),
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
    use super::required_literals;

    fn literals(expression: &str) -> Vec<String> {
        required_literals(expression).unwrap_or_default()
    }

    #[test]
    fn the_longest_run_of_plain_text_is_required() {
        assert_eq!(
            literals(r"Unexpected response code: (?P<status>\d{3})"),
            ["unexpected response code: "]
        );
    }

    #[test]
    fn case_is_ignored() {
        assert_eq!(literals("(?i)Connection Refused"), ["connection refused"]);
    }

    #[test]
    fn every_branch_of_an_alternation_is_looked_for() {
        assert_eq!(
            literals("(?:ECONNREFUSED|WSAECONNREFUSED|10061)"),
            ["10061", "econnrefused", "wsaeconnrefused"]
        );
    }

    #[test]
    fn what_may_be_missing_is_not_required() {
        assert_eq!(literals("(?:net::)?ERR_FAILED"), ["err_failed"]);
        assert!(required_literals(r"\d+ \w+").is_none());
        assert!(required_literals("(?:abc|.*)").is_none());
    }
}
