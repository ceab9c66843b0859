//! A screen's formula as a list of looks, each of which says where to look next.
//!
//! Of a formula's alternatives most are refused by their first sequence, so what counts is how fast
//! the next one is reached: the first looks of all alternatives stand side by side, and no
//! alternative is counted, copied or called for.

use super::screen::{Piece, Sequences, alternatives, pieces};

/// Behind the last look: everything that was asked for stands in the window, or something does not.
const HOLDS: u16 = u16::MAX;
const LACKS: u16 = u16::MAX - 1;
/// The look behind this one.
const NEXT: u16 = 0;

/// What a window must hold for an expression to match, ready to be asked for.
#[derive(Debug)]
pub(super) struct Sieve {
    looks: Box<[Look]>,
    /// Where to begin: behind the last look if there is nothing to look for.
    first: u16,
}

/// One look, and where to go on from it.
#[derive(Clone, Copy, Debug)]
struct Look {
    sequence: u16,
    present: u16,
    absent: u16,
}

impl Sieve {
    /// Reads the looks off the words of a screen's formula. One of more looks than can be numbered
    /// holds nothing back.
    pub(super) fn of(formula: &[u16]) -> Self {
        let mut plan = Plan::default();
        let first = plan.begin();
        plan.add(formula, first, Target::HOLDS, Target::LACKS);
        if plan.looks.len() >= usize::from(LACKS) {
            return Sieve {
                looks: Box::default(),
                first: HOLDS,
            };
        }
        Sieve {
            first: plan.place_of(first),
            looks: plan.looks(),
        }
    }

    /// Whether the expression may match in the window.
    pub(super) fn lets_through(&self, window: &Sequences) -> bool {
        let mut from = self.first;
        // Processors foresee where a list is left, but not a place that is reckoned from what was
        // read, so what stands there is gone through and left.
        'looking: while let Some(looks) = self.looks.get(usize::from(from)..) {
            for look in looks {
                if !window.holds(look.sequence) {
                    from = look.absent;
                    continue 'looking;
                }
                if look.present != NEXT {
                    from = look.present;
                    continue 'looking;
                }
            }
            break;
        }
        from == HOLDS
    }
}

/// Where to go on, by a number that is given before it is known where that is.
#[derive(Clone, Copy)]
struct Target(usize);

impl Target {
    const HOLDS: Target = Target(0);
    const LACKS: Target = Target(1);
}

/// Where a target is.
#[derive(Clone, Copy)]
enum Place {
    Unknown,
    Look(usize),
    /// Where another one is.
    Same(Target),
}

/// The looks while they are written.
struct Plan {
    /// The sequence, and where to go on if it stands in the window and if it does not.
    looks: Vec<(u16, Target, Target)>,
    places: Vec<Place>,
}

impl Default for Plan {
    fn default() -> Self {
        Plan {
            looks: Vec::new(),
            places: vec![Place::Unknown; 2],
        }
    }
}

impl Plan {
    /// A place that is to be known later.
    fn begin(&mut self) -> Target {
        self.places.push(Place::Unknown);
        Target(self.places.len() - 1)
    }

    fn look(&mut self, here: Target, sequence: u16, present: Target, absent: Target) {
        self.places[here.0] = Place::Look(self.looks.len());
        self.looks.push((sequence, present, absent));
    }

    /// Adds the looks of a formula, which begins `here`.
    fn add(&mut self, formula: &[u16], mut here: Target, present: Target, absent: Target) {
        let mut pieces = pieces(formula).peekable();
        if pieces.peek().is_none() {
            self.places[here.0] = Place::Same(present);
        }
        while let Some(piece) = pieces.next() {
            let next = match pieces.peek() {
                Some(_) => self.begin(),
                None => present,
            };
            match piece {
                Piece::Sequence(sequence) => self.look(here, sequence, next, absent),
                Piece::Any(branches) => self.add_alternatives(branches, here, next, absent),
            }
            here = next;
        }
    }

    fn add_alternatives(
        &mut self,
        branches: &[u16],
        first: Target,
        present: Target,
        absent: Target,
    ) {
        let mut here = first;
        let mut bodies = Vec::new();
        let mut branches = alternatives(branches).peekable();
        while let Some(branch) = branches.next() {
            let other = match branches.peek() {
                Some(_) => self.begin(),
                None => absent,
            };
            match pieces(branch).next() {
                Some(Piece::Sequence(sequence)) => {
                    let body = self.begin();
                    self.look(here, sequence, body, other);
                    bodies.push((&branch[1..], body, other));
                }
                _ => self.add(branch, here, present, other),
            }
            here = other;
        }
        for (rest, body, other) in bodies {
            self.add(rest, body, present, other);
        }
    }

    fn place_of(&self, target: Target) -> u16 {
        match self.places[target.0] {
            Place::Look(place) => place as u16,
            Place::Same(other) => self.place_of(other),
            Place::Unknown if target.0 == Target::HOLDS.0 => HOLDS,
            Place::Unknown => LACKS,
        }
    }

    fn looks(&self) -> Box<[Look]> {
        let numbered = self.looks.iter().zip(1..);
        numbered
            .map(|((sequence, present, absent), behind)| Look {
                sequence: *sequence,
                absent: self.place_of(*absent),
                present: match self.place_of(*present) {
                    next if next == behind => NEXT,
                    other => other,
                },
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::screen::ANY;
    use super::*;

    /// What a formula asks for, as it is written down.
    #[derive(Clone, Debug)]
    enum Formula {
        Sequence(u16),
        Any(Vec<Vec<Formula>>),
    }

    fn formulas() -> impl Strategy<Value = Vec<Formula>> {
        let sequence = (0_u16..400).prop_map(Formula::Sequence);
        let formula = sequence.prop_recursive(4, 60, 4, |inner| {
            let branch = prop::collection::vec(inner, 0..4);
            prop::collection::vec(branch, 1..5).prop_map(Formula::Any)
        });
        prop::collection::vec(formula, 0..5)
    }

    fn words(formulas: &[Formula]) -> Vec<u16> {
        let mut all = Vec::new();
        for formula in formulas {
            match formula {
                Formula::Sequence(sequence) => all.push(*sequence),
                Formula::Any(branches) => {
                    let mut group = Vec::new();
                    for branch in branches.iter().map(|branch| words(branch)) {
                        group.push(branch.len() as u16);
                        group.extend(branch);
                    }
                    all.push(ANY | group.len() as u16);
                    all.extend(group);
                }
            }
        }
        all
    }

    fn hold(formulas: &[Formula], window: &Sequences) -> bool {
        formulas.iter().all(|formula| match formula {
            Formula::Sequence(sequence) => window.holds(*sequence),
            Formula::Any(branches) => branches.iter().any(|branch| hold(branch, window)),
        })
    }

    proptest! {
        #[test]
        fn what_holds_is_let_through_and_nothing_else(formulas in formulas(), text in ".{0,200}") {
            let mut window = Sequences::default();
            window.read(text.as_bytes());
            let sieve = Sieve::of(&words(&formulas));
            prop_assert_eq!(sieve.lets_through(&window), hold(&formulas, &window));
        }
    }
}
