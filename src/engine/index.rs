//! What the search for wordings needs to know of their expressions, worked out once and kept.
//!
//! Reading the syntax of every expression and choosing literals is most of what compiling the
//! knowledge costs. Both depend on nothing but the patterns, so the result can be written down as
//! bytes and read again in a hundredth of the time. Bytes of another version of the program, of
//! other patterns, or damaged ones are not read: the index is worked out anew then.

use sha2::{Digest, Sha256};

use super::chosen::{Chosen, Owner};
use super::literals::{Requirement, parse, requirements_of};
use super::screen::{Rarity, Screen};

/// How many bytes of a digest are kept.
const DIGEST: usize = 16;

/// The code that an index depends on: where any of it changed, older indexes do not count.
const MADE_BY: &[&str] = &[
    env!("CARGO_PKG_VERSION"),
    include_str!("index.rs"),
    include_str!("literals.rs"),
    include_str!("screen.rs"),
    include_str!("chosen.rs"),
];

/// What an index depends on of a pattern.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expression<'a> {
    /// In the syntax of the `regex` crate.
    pub(super) regex: &'a str,
    /// A match may stretch over several lines.
    pub(super) is_long: bool,
    /// Texts that it matches, and texts that look alike. What stands in many of them stands in many
    /// pastes; an index of other samples is as right, only slower or faster.
    pub(super) samples: [&'a [String]; 2],
}

/// The literals that are looked for, and what else each pattern asks of a window.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Index {
    /// All literals, one after the other.
    literals: String,
    /// Where each literal ends.
    literal_ends: Vec<u32>,
    /// The wordings that may stand around each literal, one literal's after the other's.
    pub(super) owners: Vec<Owner>,
    /// Where each literal's owners begin, and where the last one's end.
    pub(super) owner_bounds: Vec<u32>,
    /// What must stand beside the literals, see [`Chosen::beside`].
    pub(super) beside: Vec<u16>,
    /// For each pattern, in the order of the expressions.
    pub(super) screens: Vec<Screen>,
}

/// The ways in which each pattern may match, and what it asks of a window. Reading the syntax is
/// most of the work, and each pattern's is its own, so all processors read.
fn syntax_of(expressions: &[Expression<'_>]) -> (Vec<Vec<Requirement>>, Vec<Screen>) {
    let read = |expression: &Expression<'_>| {
        parse(expression.regex)
            .map(|hir| (requirements_of(&hir), Screen::new(&hir)))
            .unwrap_or_default()
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let share = expressions.len().div_ceil(workers).max(1);
    let (mut ways, mut screens) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        let readers: Vec<_> = expressions
            .chunks(share)
            .map(|some| scope.spawn(move || some.iter().map(read).unzip()))
            .collect();
        for (some, reader) in expressions.chunks(share).zip(readers) {
            // A reader that could not finish is replaced by this one.
            let (own_ways, own_screens): (Vec<_>, Vec<_>) = reader
                .join()
                .unwrap_or_else(|_| some.iter().map(read).unzip());
            ways.extend(own_ways);
            screens.extend(own_screens);
        }
    });
    (ways, screens)
}

impl Index {
    /// Works it out for the expressions of all patterns, in the graph's order.
    pub(super) fn of(expressions: &[Expression<'_>]) -> Self {
        let (ways, mut screens) = syntax_of(expressions);
        let literals = ways.iter().flatten().flatten().flatten();
        let samples = expressions.iter().flat_map(|own| own.samples);
        let rarity = Rarity::of(&screens, literals, samples.flatten());
        for screen in &mut screens {
            screen.order(&rarity);
        }
        let chosen = Chosen::of(&ways, &screens, &rarity, expressions);
        let mut literals = String::new();
        let mut literal_ends = Vec::with_capacity(chosen.literals.len());
        for literal in &chosen.literals {
            literals.push_str(literal);
            literal_ends.push(literals.len() as u32);
        }
        let mut owner_bounds = Vec::with_capacity(chosen.owners.len() + 1);
        owner_bounds.push(0);
        let mut end = 0;
        for owners in &chosen.owners {
            end += owners.len() as u32;
            owner_bounds.push(end);
        }
        Index {
            literals,
            literal_ends,
            owners: chosen.owners.concat(),
            owner_bounds,
            beside: chosen.beside,
            screens,
        }
    }

    /// The literals in the order of their numbers.
    pub(super) fn literals(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.literal_ends.iter().copied());
        starts
            .zip(&self.literal_ends)
            .map(|(start, end)| &self.literals[start as usize..*end as usize])
    }

    /// As bytes, for just these expressions.
    pub(super) fn to_bytes(&self, expressions: &[Expression<'_>]) -> Vec<u8> {
        let mut content = Vec::new();
        put_u32s(&mut content, &self.literal_ends);
        put_u32s(&mut content, &self.owner_bounds);
        let owners: Vec<u32> = self
            .owners
            .iter()
            .flat_map(|owner| numbers(*owner))
            .collect();
        put_u32s(&mut content, &owners);
        put_u16s(&mut content, &self.beside);
        let lengths: Vec<u32> = self
            .screens
            .iter()
            .map(|screen| screen.words().len() as u32)
            .collect();
        put_u32s(&mut content, &lengths);
        let words: Vec<u16> = self
            .screens
            .iter()
            .flat_map(|screen| screen.words().iter().copied())
            .collect();
        put_u16s(&mut content, &words);
        content.extend_from_slice(self.literals.as_bytes());
        let mut bytes = digest(expressions, &content).to_vec();
        bytes.append(&mut content);
        bytes
    }

    /// The index that the bytes hold; `None` if they are damaged, or were made by another version
    /// of the program or for other expressions.
    pub(super) fn from_bytes(bytes: &[u8], expressions: &[Expression<'_>]) -> Option<Self> {
        let (expected, content) = bytes.split_at_checked(DIGEST)?;
        if expected != digest(expressions, content) {
            return None;
        }
        let mut rest = content;
        let literal_ends = take_u32s(&mut rest)?;
        let owner_bounds = take_u32s(&mut rest)?;
        let owners = take_u32s(&mut rest)?;
        let beside = take_u16s(&mut rest)?;
        let lengths = take_u32s(&mut rest)?;
        let words = take_u16s(&mut rest)?;
        let mut left = words.as_slice();
        let mut screens = Vec::with_capacity(lengths.len());
        for length in lengths {
            let (own, others) = left.split_at_checked(length as usize)?;
            screens.push(Screen::of_words(own));
            left = others;
        }
        Some(Index {
            literals: String::from_utf8(rest.to_vec()).ok()?,
            literal_ends,
            owners: owners.chunks_exact(3).filter_map(owner).collect(),
            owner_bounds,
            beside,
            screens,
        })
    }
}

/// Says that content was made by this program, for those expressions, and is whole.
fn digest(expressions: &[Expression<'_>], content: &[u8]) -> [u8; DIGEST] {
    let mut hasher = Sha256::new();
    for part in MADE_BY {
        hasher.update(part.len().to_le_bytes());
        hasher.update(part);
    }
    for expression in expressions {
        hasher.update(expression.regex.len().to_le_bytes());
        hasher.update(expression.regex);
        hasher.update([u8::from(expression.is_long)]);
    }
    hasher.update(content);
    let mut digest = [0; DIGEST];
    digest.copy_from_slice(&hasher.finalize()[..DIGEST]);
    digest
}

fn numbers(owner: Owner) -> [u32; 3] {
    let lists = u32::from(owner.lists) << 1 | u32::from(owner.is_long);
    [
        owner.wording,
        owner.beside,
        u32::from(owner.first) << 16 | lists,
    ]
}

fn owner(numbers: &[u32]) -> Option<Owner> {
    let [wording, beside, lists] = numbers.try_into().ok()?;
    let lists: u32 = lists;
    Some(Owner {
        wording,
        first: (lists >> 16) as u16,
        beside,
        lists: (lists as u16) >> 1,
        is_long: lists & 1 == 1,
    })
}

fn put_u32s(bytes: &mut Vec<u8>, numbers: &[u32]) {
    bytes.extend_from_slice(&(numbers.len() as u32).to_le_bytes());
    bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
}

fn put_u16s(bytes: &mut Vec<u8>, numbers: &[u16]) {
    bytes.extend_from_slice(&(numbers.len() as u32).to_le_bytes());
    bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
}

fn take_length(bytes: &mut &[u8]) -> Option<usize> {
    let (length, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    usize::try_from(u32::from_le_bytes(*length)).ok()
}

fn take_u32s(bytes: &mut &[u8]) -> Option<Vec<u32>> {
    let length = take_length(bytes)?.checked_mul(4)?;
    let (own, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    let (chunks, _) = own.as_chunks();
    Some(
        chunks
            .iter()
            .map(|chunk| u32::from_le_bytes(*chunk))
            .collect(),
    )
}

fn take_u16s(bytes: &mut &[u8]) -> Option<Vec<u16>> {
    let length = take_length(bytes)?.checked_mul(2)?;
    let (own, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    let (chunks, _) = own.as_chunks();
    Some(
        chunks
            .iter()
            .map(|chunk| u16::from_le_bytes(*chunk))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::{Expression, Index};

    const EXPRESSIONS: [Expression<'_>; 2] = [
        Expression {
            regex: r"connection (?:refused|reset) by \w+",
            is_long: false,
            samples: [&[]; 2],
        },
        Expression {
            regex: r"(?i)timed out after \d+ seconds",
            is_long: true,
            samples: [&[]; 2],
        },
    ];

    #[test]
    fn what_was_written_is_read_again() {
        let index = Index::of(&EXPRESSIONS);
        assert!(
            index
                .literals()
                .any(|literal| literal.contains("timed out after "))
        );
        let bytes = index.to_bytes(&EXPRESSIONS);
        assert_eq!(Index::from_bytes(&bytes, &EXPRESSIONS), Some(index));
    }

    #[test]
    fn other_expressions_and_damage_are_refused() {
        let bytes = Index::of(&EXPRESSIONS).to_bytes(&EXPRESSIONS);
        assert_eq!(Index::from_bytes(&bytes, &EXPRESSIONS[..1]), None);
        let mut longer = EXPRESSIONS;
        longer[0].is_long = true;
        assert_eq!(Index::from_bytes(&bytes, &longer), None);
        for length in 0..bytes.len() {
            assert_eq!(Index::from_bytes(&bytes[..length], &EXPRESSIONS), None);
        }
        for position in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[position] ^= 1;
            assert_eq!(Index::from_bytes(&damaged, &EXPRESSIONS), None);
        }
    }
}
