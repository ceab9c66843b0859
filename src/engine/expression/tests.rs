//! A program finds what the `regex` crate finds, at the same places.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::super::evidence::Lines;
use super::super::index::Index;
use super::super::knowledge::{SourceFile, read};
use super::super::literals::lowered;
use super::super::matching::expressions;
use super::super::screen::Sequences;
use super::super::sieve::Sieve;
use super::super::wording::{capture_name, in_ascii};
use super::{Expression, Match, Tries};

/// Where something begins and ends.
type Place = Option<(usize, usize)>;

/// All matches in a text, each with its groups, found with the program or with the automaton.
fn matches(
    expression: &Expression,
    names: usize,
    text: &str,
    find: impl Fn(&Expression, usize, &mut Tries) -> Option<Match>,
) -> Vec<(Place, Vec<Place>)> {
    let mut tries = Tries::default();
    tries.look_at(text, (0, text.len()));
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(one) = find(expression, from, &mut tries) {
        let groups = (0..names).map(|number| one.group(number));
        found.push((Some((one.start, one.end)), groups.collect()));
        from = one.end;
    }
    found
}

/// Whether a program and the automaton agree; `None` if no program was made.
fn agree(source: &str, names: &[&str], texts: &[&str]) -> Option<Result<(), String>> {
    let expression = Expression::new(source.to_owned(), names)?;
    expression.program.as_ref()?;
    for text in texts {
        let by_program = matches(&expression, names.len(), text, |own, from, tries| {
            own.find(text, from, tries)
        });
        let by_automaton = matches(&expression, names.len(), text, |own, from, _| {
            own.find_with_automaton(text, from)
        });
        if by_program != by_automaton {
            return Some(Err(format!(
                "{source:?} in {text:?}: {by_program:?} instead of {by_automaton:?}"
            )));
        }
    }
    Some(Ok(()))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test reads the knowledge where it lies"
)]
fn shipped_patterns() -> Vec<SourceFile> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("knowledge/patterns");
    let entries = fs::read_dir(folder).expect("the folder of patterns");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let source = |path: PathBuf| SourceFile {
        name: format!(
            "patterns/{}",
            path.file_name().unwrap_or_default().display()
        ),
        text: fs::read_to_string(path).expect("a file of patterns"),
    };
    paths.into_iter().map(source).collect()
}

#[test]
fn every_shipped_pattern_is_a_program_that_finds_what_the_crate_finds() {
    let graph = read(&shipped_patterns()).graph;
    let patterns: Vec<_> = graph.patterns().map(|(_, pattern)| pattern).collect();
    let examples = patterns.iter().flat_map(|pattern| &pattern.examples);
    let others: Vec<&str> = examples.step_by(97).map(String::as_str).collect();
    let mut left_out = 0;
    for pattern in &patterns {
        let mut names: Vec<&str> = pattern
            .facts
            .values()
            .filter_map(|v| capture_name(v))
            .collect();
        names.sort_unstable();
        names.dedup();
        assert!(names.len() <= super::MOST_GROUPS, "{}", pattern.id);
        let own = pattern.examples.iter().chain(&pattern.near_misses);
        let texts: Vec<&str> = own
            .map(String::as_str)
            .chain(others.iter().copied())
            .collect();
        match agree(&in_ascii(&pattern.regex), &names, &texts) {
            Some(result) => assert_eq!(result, Ok(())),
            None => left_out += 1,
        }
    }
    assert_eq!(left_out, 0, "patterns that are left to automata");
}

#[test]
fn no_example_is_held_back_before_its_expression_is_run() {
    let mut graph = read(&shipped_patterns()).graph;
    graph.sort();
    let patterns: Vec<_> = graph.patterns().map(|(_, pattern)| pattern).collect();
    let index = Index::of(&expressions(&graph));
    let (mut tries, mut sequences) = (Tries::default(), Sequences::default());
    let mut held_back = Vec::new();
    for (pattern, screen) in patterns.iter().zip(&index.screens) {
        let expression = Expression::new(in_ascii(&pattern.regex).into_owned(), &[]);
        let expression = expression.expect("a valid expression");
        for example in &pattern.examples {
            let lines = Lines::new(example);
            for first in 0..lines.len() {
                let last = (first + pattern.lines - 1).min(lines.len() - 1);
                let window = (lines.bounds(first).0, lines.bounds(last).1);
                let words = &example[window.0..window.1];
                tries.forget();
                tries.look_at(example, window);
                sequences.read(lowered(words).as_bytes());
                if expression.find(words, 0, &mut tries).is_some()
                    && !Sieve::of(screen.words()).lets_through(&sequences)
                {
                    held_back.push(format!("{}: {words}", pattern.id));
                }
            }
        }
    }
    assert_eq!(held_back, Vec::<String>::new());
}

#[test]
fn what_would_take_too_long_to_try_is_found_all_the_same() {
    let source = r"(?:a+ ?)+b(?P<rest>c?)";
    let text = format!("{}c aab", "a".repeat(3000));
    let expression = Expression::new(source.to_owned(), &["rest"]).expect("a valid expression");
    let mut tries = Tries::default();
    tries.look_at(&text, (0, text.len()));
    let program = expression.program.as_ref().expect("a program");
    assert!(program.find(&text, 0, &mut tries).is_err());
    let found = expression.find(&text, 0, &mut tries).expect("a match");
    assert_eq!((found.start, found.end), (3002, 3005));
    assert_eq!(found.group(0), Some((3005, 3005)));
}

#[test]
fn what_steps_do_not_offer_is_left_to_the_automaton() {
    for source in [r"a*", r"(?:a|b?)+c", r"(?i-u:\xff)", "(?Rm)$\na"] {
        let expression = Expression::new(source.to_owned(), &[]);
        let is_program = expression.is_some_and(|own| own.program.is_some());
        assert!(!is_program, "{source}");
    }
    assert!(Expression::new("(".to_owned(), &[]).is_none());
}

#[test]
fn loops_in_loops_are_given_up_in_time() {
    let source = format!("{}a{}", "(?:x".repeat(60), ")+".repeat(60));
    let expression = Expression::new(source, &[]).expect("a valid expression");
    assert!(expression.program.is_none());
}

/// Expressions over a few letters, with everything that steps offer.
fn any_expression() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[abx1é ]{1,9}",
        Just(r"\b".to_owned()),
        Just(r"\B".to_owned()),
        Just("^".to_owned()),
        Just("(?m:$)".to_owned()),
        Just("$".to_owned()),
        Just("[ab]".to_owned()),
        Just("[^a\n]".to_owned()),
        Just("[b-éx]".to_owned()),
        Just(r"\d".to_owned()),
        Just(r"\w".to_owned()),
        Just(".".to_owned()),
    ];
    let repeated = |inner: String, count: &str| format!("(?:{inner}){count}");
    let counts = prop::sample::select(vec![
        "?", "??", "*", "*?", "+", "+?", "{2}", "{1,3}", "{0,2}?", "{2,}",
    ]);
    let whole = piece.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|parts| format!("(?:{})", parts.join("|"))),
            (inner.clone(), counts.clone()).prop_map(move |(inner, count)| repeated(inner, count)),
        ]
    });
    (
        whole.clone(),
        whole.clone(),
        whole,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(before, group, after, folds, is_ascii)| {
            let flags = if folds { "(?i)" } else { "" };
            let source = format!("{flags}(?:{before})(?P<g>{group})(?:{after})");
            match is_ascii {
                true => source
                    .replace(r"\b", r"(?-u:\b)")
                    .replace(r"\B", r"(?-u:\B)"),
                false => source,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn any_program_finds_what_the_crate_finds(
        source in any_expression(),
        texts in prop::collection::vec("[abABxX1éÉ \n_-]{0,24}", 1..6),
    ) {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        if let Some(result) = agree(&source, &["g"], &texts) {
            prop_assert_eq!(result, Ok(()));
        }
    }
}
