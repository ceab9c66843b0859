//! Which literals are looked for, and what else a window must hold around each.

use std::collections::HashMap;

use super::index::Expression;
use super::literals::{Requirement, worth};
use super::screen::{NOTHING, Rarity, Screen, Sequences, sequences};

/// A list of sequences of which one must stand beside a literal is no longer than this.
const MOST_BESIDE: usize = 64;
/// So many lists are looked at before the whole screen is.
const MOST_LISTS: usize = 6;

/// A wording that may stand around a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) wording: u32,
    /// A sequence that stands beside the literal in every match, the one that the fewest texts hold,
    /// or the number of none.
    pub(super) first: u16,
    /// Where in [`Chosen::beside`] the lists begin of which each has a sequence, at least, that stands
    /// beside the literal in every match. Most windows lack them.
    pub(super) beside: u32,
    /// How many lists these are.
    pub(super) lists: u16,
    /// It may stretch over several lines.
    pub(super) is_long: bool,
}

/// The literals that are looked for.
#[derive(Debug, Default)]
pub(super) struct Chosen<'a> {
    pub(super) literals: Vec<&'a str>,
    /// For each literal, the wordings that may stand around it.
    pub(super) owners: Vec<Vec<Owner>>,
    /// What must stand beside the literals: lists, each after its length.
    pub(super) beside: Vec<u16>,
}

impl<'a> Chosen<'a> {
    /// Chooses from the ways in which each pattern may match.
    pub(super) fn of(
        ways: &'a [Vec<Requirement>],
        screens: &[Screen],
        rarity: &Rarity,
        expressions: &[Expression<'_>],
    ) -> Self {
        let mut chosen = Chosen::default();
        let mut index: HashMap<&str, usize> = HashMap::new();
        let patterns = ways.iter().zip(screens).zip(expressions);
        for (number, ((ways, screen), expression)) in patterns.enumerate() {
            for way in ways {
                let Some(rarest) = rarest(way, rarity) else {
                    continue;
                };
                for literal in &way[rarest] {
                    let position = *index.entry(literal).or_insert_with(|| {
                        chosen.literals.push(literal);
                        chosen.owners.push(Vec::new());
                        chosen.literals.len() - 1
                    });
                    let mut lists = beside(literal, way, screen, rarity);
                    let first = match lists.first().map(Vec::as_slice) {
                        Some([first]) => *first,
                        _ => NOTHING,
                    };
                    if first != NOTHING {
                        lists.remove(0);
                    }
                    chosen.owners[position].push(Owner {
                        wording: number as u32,
                        first,
                        beside: chosen.beside.len() as u32,
                        lists: lists.len() as u16,
                        is_long: expression.is_long,
                    });
                    for list in lists {
                        chosen.beside.push(list.len() as u16);
                        chosen.beside.extend(list);
                    }
                }
            }
        }
        chosen
    }
}

/// Lists of sequences, of each of which one at least stands in every match of the way, beside the
/// literal; first those that the fewest texts hold. None if the literal is all that the way requires.
fn beside(literal: &str, way: &Requirement, screen: &Screen, rarity: &Rarity) -> Vec<Vec<u16>> {
    let own = sequences(literal.as_bytes());
    let plain = screen
        .required()
        .iter()
        .find(|word| !own.contains(word))
        .map(|word| vec![*word]);
    let sets = way.iter().filter(|set| set.len() <= MOST_BESIDE);
    let mut lists: Vec<Vec<u16>> = sets
        .filter_map(|set| set.iter().map(|other| rarity.rarest(other, &own)).collect())
        .chain(plain)
        .collect();
    lists.sort_by_key(|words| words.iter().map(|word| rarity.uses(*word)).sum::<u32>());
    lists.dedup();
    lists.truncate(MOST_LISTS);
    lists
}

/// Whether a window holds a sequence at least of each list that an owner asks for.
#[inline]
pub(super) fn stands_beside(lists: &[u16], owner: &Owner, window: &Sequences) -> bool {
    window.holds(owner.first) && stand_beside(lists, owner, window)
}

fn stand_beside(lists: &[u16], owner: &Owner, window: &Sequences) -> bool {
    let mut rest = &lists[owner.beside as usize..];
    for _ in 0..owner.lists {
        let Some((length, words)) = rest.split_first() else {
            return true;
        };
        let (list, others) = words.split_at(usize::from(*length));
        if !list.iter().any(|word| window.holds(*word)) {
            return false;
        }
        rest = others;
    }
    true
}

/// The set that is looked for in the whole text: the one that is expected least often.
fn rarest(requirement: &Requirement, rarity: &Rarity) -> Option<usize> {
    let cost = |set: &Vec<String>| {
        let uses = set.iter().map(|literal| u64::from(rarity.uses_of(literal)));
        (uses.sum::<u64>(), usize::MAX - worth(set))
    };
    (0..requirement.len()).min_by_key(|position| cost(&requirement[*position]))
}
