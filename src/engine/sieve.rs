//! A screen's formula as a list of looks, each of which says where to look next.
//!
//! Of a formula's alternatives most are refused by their first sequence, so what counts is how fast
//! the next one is reached: no alternative is counted, copied or called for.

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
    /// What holds where there is nothing to look for.
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
        let mut looks = Vec::new();
        add(&mut looks, formula, HOLDS, LACKS);
        if looks.len() >= usize::from(LACKS) {
            looks.clear();
        }
        let last = looks.len().saturating_sub(1);
        let forward = |target: u16| match usize::from(target) <= last {
            true => (last - usize::from(target)) as u16,
            false => target,
        };
        looks.reverse();
        for (at, look) in looks.iter_mut().enumerate() {
            look.absent = forward(look.absent);
            look.present = match forward(look.present) {
                next if usize::from(next) == at + 1 => NEXT,
                other => other,
            };
        }
        Sieve {
            first: if looks.is_empty() { HOLDS } else { 0 },
            looks: looks.into(),
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

/// Adds the looks of a formula from its end on, and returns where it begins. `present` is where to go
/// where all of it holds, `absent` where some of it does not.
fn add(looks: &mut Vec<Look>, formula: &[u16], mut present: u16, absent: u16) -> u16 {
    let pieces: Vec<Piece<'_>> = pieces(formula).collect();
    for piece in pieces.into_iter().rev() {
        present = match piece {
            Piece::Sequence(sequence) => {
                looks.push(Look {
                    sequence,
                    present,
                    absent,
                });
                (looks.len() - 1) as u16
            }
            Piece::Any(branches) => {
                let branches: Vec<&[u16]> = alternatives(branches).collect();
                let branches = branches.into_iter().rev();
                branches.fold(absent, |absent, branch| add(looks, branch, present, absent))
            }
        };
    }
    present
}
