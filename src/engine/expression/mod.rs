//! A pattern's expression, run in short windows that most likely match.
//!
//! Automata are made for long texts: each keeps tables of its own, and in a window of a line nearly
//! every byte finds them outside the processor's nearer memory. Here an expression becomes a short
//! list of steps that tries its alternatives one after the other, as Perl does. What begins an
//! alternative is known before it is tried, so most are never entered. It finds what the `regex`
//! crate finds; where trying takes too long, or an expression needs more than the steps offer, that
//! crate does it, in time that grows with the window only.

mod program;
mod run;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use regex_automata::{Input, meta};
use regex_syntax::hir::{Hir, HirKind};

use program::Program;
pub(super) use run::Tries;

/// No expression takes more memory, in bytes.
pub(super) const SIZE_LIMIT: usize = 4 << 20;
/// At most that many groups hold values.
const MOST_GROUPS: usize = 8;

/// Where an expression matches in a window, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Where the groups that were asked for begin and end, if they take part.
    groups: [Option<(usize, usize)>; MOST_GROUPS],
}

impl Match {
    /// Where a group stands, by its number among those that were asked for.
    pub(super) fn group(&self, number: usize) -> Option<(usize, usize)> {
        self.groups.get(number).copied().flatten()
    }
}

/// A compiled expression.
#[derive(Debug)]
pub(super) struct Expression {
    program: Option<Program>,
    /// For what the program does not do: the text, and the numbers of the groups that were asked for.
    source: String,
    groups: Vec<usize>,
    automaton: OnceLock<Option<meta::Regex>>,
}

impl Expression {
    /// Compiles an expression; `names` are the groups whose places are wanted. `None` if it is not
    /// valid.
    pub(super) fn new(source: String, names: &[&str]) -> Option<Self> {
        let hir = regex_syntax::parse(&source).ok()?;
        let mut known = Vec::new();
        named_groups(&hir, &mut known);
        let number = |name: &&str| {
            let group = known.iter().find(|(own, _)| own == name);
            group.map_or(usize::MAX, |(_, number)| *number)
        };
        let groups: Vec<usize> = names.iter().take(MOST_GROUPS).map(number).collect();
        Some(Expression {
            program: Program::new(&hir, &groups),
            source,
            groups,
            automaton: OnceLock::new(),
        })
    }

    /// The first match that begins at `from` or behind it in the window that is looked at.
    pub(super) fn find(&self, window: &str, from: usize, tries: &mut Tries) -> Option<Match> {
        if let Some(program) = &self.program
            && let Ok(found) = program.find(window, from, tries)
        {
            return found;
        }
        self.find_with_automaton(window, from)
    }

    fn find_with_automaton(&self, window: &str, from: usize) -> Option<Match> {
        let automaton = self.automaton.get_or_init(|| automaton(&self.source));
        let automaton = automaton.as_ref()?;
        let mut captures = automaton.create_captures();
        let input = Input::new(window).range(from..);
        automaton.search_captures(&input, &mut captures);
        let whole = captures.get_match()?;
        let mut groups = [None; MOST_GROUPS];
        for (place, number) in groups.iter_mut().zip(&self.groups) {
            let group = captures.get_group(*number);
            *place = group.map(|group| (group.start, group.end));
        }
        Some(Match {
            start: whole.start(),
            end: whole.end(),
            groups,
        })
    }
}

/// What the crate makes of an expression; looking for literals first would only cost time, because
/// windows were screened.
fn automaton(source: &str) -> Option<meta::Regex> {
    let config = meta::Config::new()
        .auto_prefilter(false)
        .nfa_size_limit(Some(SIZE_LIMIT))
        .hybrid_cache_capacity(SIZE_LIMIT);
    meta::Builder::new().configure(config).build(source).ok()
}

/// The groups that have a name, with their numbers.
fn named_groups<'h>(hir: &'h Hir, known: &mut Vec<(&'h str, usize)>) {
    match hir.kind() {
        HirKind::Capture(capture) => {
            let name = capture.name.as_deref();
            known.extend(name.map(|name| (name, capture.index as usize)));
            named_groups(&capture.sub, known);
        }
        HirKind::Repetition(repetition) => named_groups(&repetition.sub, known),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            for part in parts {
                named_groups(part, known);
            }
        }
        _ => {}
    }
}
