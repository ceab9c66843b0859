//! An expression as steps, made from its syntax back to front: each step knows what follows it.

use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};

/// Expressions that need more steps, those included that were written on trial, are left to automata.
const MOST_STEPS: usize = 16_384;
/// Stands for any number of repetitions.
pub(super) const UNBOUNDED: u32 = u32::MAX;

/// Bytes that may come first, each by its lower six bits: a byte that is not among them does not
/// begin it. `ALL` where anything may.
pub(super) type First = u64;
pub(super) const ALL: First = u64::MAX;

/// Whether a byte may come first.
#[inline(always)]
pub(super) fn may_begin(first: First, byte: u8) -> bool {
    first >> (byte & 63) & 1 != 0
}

/// A step of a program; `next` is the number of the one that follows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Up to eight bytes; letters in `cases` may be of either case.
    Text {
        bytes: u64,
        cases: u64,
        counted: u64,
        length: u8,
        next: u32,
    },
    /// One character.
    One { class: u32, next: u32 },
    /// A character of a class several times, as many or, if `is_lazy`, as few as possible; `first` is
    /// what may follow.
    Repeat {
        first: First,
        class: u32,
        least: u32,
        most: u32,
        is_lazy: bool,
        next: u32,
    },
    /// One way, or else the other; `first` and `rest` are what may begin either.
    Branch {
        first: First,
        rest: First,
        one: u32,
        other: u32,
    },
    /// The first of several ways that leads on, by their numbers in [`Program::ways`].
    Choice { from: u32, to: u32 },
    /// Notes the place as the beginning or the end of a group.
    Note { slot: u32, next: u32 },
    /// Something holds between two characters.
    Look { look: Look, next: u32 },
    /// The end of a match.
    Done,
}

/// One of several ways.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    /// What may come first.
    pub(super) first: First,
    /// What may come second behind the window's first byte, if the first is ASCII.
    pub(super) second: First,
    pub(super) step: u32,
}

/// The characters that a class holds.
#[derive(Debug, PartialEq)]
pub(super) struct Characters {
    ascii: [u64; 2],
    /// Ranges of characters outside ASCII.
    others: Box<[(char, char)]>,
    /// All characters outside ASCII.
    all_others: bool,
}

impl Characters {
    /// `None` for bytes that are no characters.
    fn of(class: &Class) -> Option<Self> {
        let ranges: Vec<(char, char)> = match class {
            Class::Unicode(class) => {
                let ranges = class.iter();
                ranges.map(|range| (range.start(), range.end())).collect()
            }
            Class::Bytes(class) => {
                let ranges = class.iter();
                let is_text = class.is_ascii();
                let ranges = ranges.map(|range| (range.start().into(), range.end().into()));
                is_text.then(|| ranges.collect())?
            }
        };
        let mut ascii = [0; 2];
        let mut others = Vec::new();
        for (start, end) in ranges {
            for byte in u32::from(start)..=u32::from(end).min(127) {
                ascii[byte as usize / 64] |= 1 << (byte % 64);
            }
            if !end.is_ascii() {
                others.push((start.max('\u{80}'), end));
            }
        }
        Some(Characters {
            ascii,
            all_others: others == [('\u{80}', char::MAX)],
            others: others.into(),
        })
    }

    /// How many bytes the character at a place has, if it is one of them.
    #[inline(always)]
    pub(super) fn length_at(&self, window: &str, at: usize) -> Option<usize> {
        let byte = *window.as_bytes().get(at)?;
        if byte < 128 {
            let is_one = self.ascii[usize::from(byte / 64)] >> (byte % 64) & 1 != 0;
            return is_one.then_some(1);
        }
        self.length_of_other_at(window, at)
    }

    #[inline(never)]
    fn length_of_other_at(&self, window: &str, at: usize) -> Option<usize> {
        let character = window.get(at..)?.chars().next()?;
        let is_one = self.all_others
            || self
                .others
                .iter()
                .any(|(start, end)| (*start..=*end).contains(&character));
        is_one.then(|| character.len_utf8())
    }

    fn first(&self) -> First {
        let ascii = self.ascii[0] | self.ascii[1];
        let begins = |character: char| character.encode_utf8(&mut [0; 4]).as_bytes()[0];
        let others = self.others.iter();
        let others = others.flat_map(|(start, end)| begins(*start)..=begins(*end));
        others.fold(ascii, |first, byte| first | 1 << (byte & 63))
    }
}

/// A program, and what is asked before it is run.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) steps: Vec<Step>,
    pub(super) ways: Vec<Way>,
    pub(super) classes: Vec<Characters>,
    pub(super) entry: u32,
    /// What a match may begin with behind the window's first byte, and what may come second where the
    /// first is ASCII.
    pub(super) first: First,
    pub(super) second: First,
    /// A match begins where the window does.
    pub(super) is_anchored: bool,
    /// A match begins at the edge of a word.
    pub(super) at_edge: bool,
    /// No match has fewer bytes.
    pub(super) least: usize,
    /// How many groups are noted.
    pub(super) groups: usize,
}

/// A step and what may be read from there.
#[derive(Clone, Copy)]
struct Place {
    step: u32,
    /// What may come first.
    first: First,
    /// The same where the window does not begin there, and what may come second then if the first is
    /// ASCII.
    later: [First; 2],
}

impl Place {
    /// A step of one character, in front of `next`.
    fn of_character(step: u32, own: First, next: Place) -> Self {
        Place {
            step,
            first: own,
            later: [own, next.later[0]],
        }
    }

    fn either(step: u32, one: Place, other: Place) -> Self {
        Place {
            step,
            first: one.first | other.first,
            later: std::array::from_fn(|at| one.later[at] | other.later[at]),
        }
    }
}

/// A byte of a text, and the bit that tells its cases apart if both are meant.
type Letter = (u8, u8);

struct Emitter<'g> {
    steps: Vec<Step>,
    ways: Vec<Way>,
    /// How many steps were written in all.
    written: usize,
    classes: Vec<Characters>,
    groups: &'g [usize],
}

impl Program {
    /// Makes a program of an expression. `groups` are the numbers of the groups to note. `None` where
    /// it needs what steps do not offer.
    pub(super) fn new(hir: &Hir, groups: &[usize]) -> Option<Self> {
        let least = hir.properties().minimum_len().filter(|least| *least > 0)?;
        let mut emitter = Emitter {
            steps: vec![Step::Done],
            ways: Vec::new(),
            written: 1,
            classes: Vec::new(),
            groups,
        };
        let end = Place {
            step: 0,
            first: ALL,
            later: [ALL; 2],
        };
        let entry = emitter.emit(hir, end)?;
        let looks = hir.properties().look_set_prefix();
        Some(Program {
            at_edge: looks.contains(Look::WordAscii) || looks.contains(Look::WordUnicode),
            is_anchored: looks.contains(Look::Start),
            entry: entry.step,
            first: entry.later[0],
            second: entry.later[1],
            least,
            groups: groups.len(),
            steps: emitter.steps,
            ways: emitter.ways,
            classes: emitter.classes,
        })
    }
}

impl Emitter<'_> {
    fn put(&mut self, step: Step) -> Option<u32> {
        self.steps.push(step);
        self.written += 1;
        let number = self.steps.len() - 1;
        (self.written < MOST_STEPS).then_some(number as u32)
    }

    /// Puts the steps of a piece before those of `next`.
    fn emit(&mut self, hir: &Hir, next: Place) -> Option<Place> {
        if let Some(letters) = letters_of(hir) {
            return self.text(&letters, next);
        }
        match hir.kind() {
            HirKind::Empty => Some(next),
            // Its letters were put above.
            HirKind::Literal(_) => None,
            HirKind::Class(class) => self.one(Characters::of(class)?, next),
            HirKind::Look(look) => {
                let step = self.look(*look, next)?;
                let later = match look {
                    Look::Start => [0; 2],
                    _ => next.later,
                };
                Some(Place {
                    step,
                    later,
                    ..next
                })
            }
            HirKind::Repetition(repetition) => self.repetition(repetition, next),
            HirKind::Capture(capture) => {
                let noted = self.groups.iter();
                let mut noted = noted.enumerate();
                let own = noted.find(|(_, group)| **group == capture.index as usize);
                let Some((own, _)) = own else {
                    return self.emit(&capture.sub, next);
                };
                let end = self.note(2 * own + 1, next)?;
                let inner = self.emit(&capture.sub, end)?;
                self.note(2 * own, inner)
            }
            HirKind::Concat(parts) => self.sequence(parts, next),
            HirKind::Alternation(branches) => self.choice(branches, next),
        }
    }

    fn one(&mut self, characters: Characters, next: Place) -> Option<Place> {
        let first = characters.first();
        let class = self.class(characters);
        let step = self.put(Step::One {
            class,
            next: next.step,
        })?;
        Some(Place::of_character(step, first, next))
    }

    fn class(&mut self, characters: Characters) -> u32 {
        let known = self.classes.iter().position(|known| *known == characters);
        let number = known.unwrap_or_else(|| {
            self.classes.push(characters);
            self.classes.len() - 1
        });
        number as u32
    }

    fn look(&mut self, look: Look, next: Place) -> Option<u32> {
        let is_known = matches!(
            look,
            Look::Start
                | Look::End
                | Look::StartLF
                | Look::EndLF
                | Look::WordAscii
                | Look::WordAsciiNegate
                | Look::WordUnicode
                | Look::WordUnicodeNegate
        );
        let next = next.step;
        is_known.then(|| self.put(Step::Look { look, next }))?
    }

    fn note(&mut self, slot: usize, next: Place) -> Option<Place> {
        let step = self.put(Step::Note {
            slot: slot as u32,
            next: next.step,
        })?;
        Some(Place { step, ..next })
    }

    /// The first way that leads on is preferred to those behind it.
    fn choice(&mut self, branches: &[Hir], next: Place) -> Option<Place> {
        let places: Option<Vec<Place>> = branches.iter().map(|way| self.emit(way, next)).collect();
        let places = places?;
        let from = self.ways.len() as u32;
        self.ways.extend(places.iter().map(|place| Way {
            first: place.first,
            second: place.later[1],
            step: place.step,
        }));
        let to = self.ways.len() as u32;
        let step = self.put(Step::Choice { from, to })?;
        let mut places = places.into_iter();
        let first = Place {
            step,
            ..places.next()?
        };
        Some(places.fold(first, |all, place| Place::either(step, all, place)))
    }

    /// One way is preferred to the other.
    fn branch(&mut self, one: Place, other: Place) -> Option<Place> {
        let step = self.put(branch(one, other))?;
        Some(Place::either(step, one, other))
    }

    /// Pieces one after the other; letters that stand together are compared together.
    fn sequence(&mut self, parts: &[Hir], next: Place) -> Option<Place> {
        let mut place = next;
        let mut letters: Vec<Letter> = Vec::new();
        for part in parts.iter().rev() {
            if let Some(text) = letters_of(part) {
                letters.splice(0..0, text);
                continue;
            }
            place = self.text(&std::mem::take(&mut letters), place)?;
            place = self.emit(part, place)?;
        }
        self.text(&letters, place)
    }

    fn text(&mut self, letters: &[Letter], next: Place) -> Option<Place> {
        let mut place = next;
        for eight in letters.chunks(8).rev() {
            let (mut bytes, mut cases) = ([0; 8], [0; 8]);
            for (slot, (byte, case)) in eight.iter().enumerate() {
                (bytes[slot], cases[slot]) = (*byte, *case);
            }
            let step = self.put(Step::Text {
                bytes: u64::from_le_bytes(bytes),
                cases: u64::from_le_bytes(cases),
                counted: u64::MAX >> (64 - 8 * eight.len()),
                length: eight.len() as u8,
                next: place.step,
            })?;
            let begins = |(byte, case): Letter| 1 << (byte & 63) | 1 << ((byte & !case) & 63);
            let first = begins(eight[0]);
            let second = eight
                .get(1)
                .map_or(place.later[0], |letter| begins(*letter));
            place = Place {
                step,
                first,
                later: [first, second],
            };
        }
        Some(place)
    }

    fn repetition(&mut self, repetition: &Repetition, next: Place) -> Option<Place> {
        let Repetition {
            min,
            max,
            greedy,
            sub,
        } = repetition;
        if let Some(characters) = single(sub) {
            return self.repeated_character(characters, repetition, next);
        }
        let mut place = next;
        let mut least = *min;
        match max {
            Some(max) => {
                for _ in *min..*max {
                    let again = self.emit(sub, place)?;
                    place = self.preferred(again, next, *greedy)?;
                }
            }
            None => {
                // Going round without reading anything would never end.
                sub.properties().minimum_len().filter(|least| *least > 0)?;
                let turn = self.put(Step::Done)?;
                // What begins another turn is known only once it is written, so it is written twice.
                let open = Place {
                    step: turn,
                    first: ALL,
                    later: [ALL; 2],
                };
                let (written, ways) = (self.steps.len(), self.ways.len());
                let begun = Place::either(turn, self.emit(sub, open)?, next);
                self.steps.truncate(written);
                self.ways.truncate(ways);
                let again = self.emit(sub, begun)?;
                let (one, other) = ordered(again, next, *greedy);
                self.steps[turn as usize] = branch(one, other);
                if least == 0 {
                    return Some(Place::either(turn, again, next));
                }
                least -= 1;
                place = again;
            }
        }
        for _ in 0..least {
            place = self.emit(sub, place)?;
        }
        Some(place)
    }

    fn repeated_character(
        &mut self,
        characters: Characters,
        repetition: &Repetition,
        next: Place,
    ) -> Option<Place> {
        let own = characters.first();
        let class = self.class(characters);
        let step = self.put(Step::Repeat {
            first: next.first,
            class,
            least: repetition.min,
            most: repetition.max.unwrap_or(UNBOUNDED),
            is_lazy: !repetition.greedy,
            next: next.step,
        })?;
        let mut place = Place::of_character(step, own, next);
        if repetition.max != Some(1) {
            place.later[1] |= own;
        }
        if repetition.min == 0 {
            place = Place::either(step, place, next);
        }
        Some(place)
    }

    fn preferred(&mut self, again: Place, next: Place, greedy: bool) -> Option<Place> {
        let (one, other) = ordered(again, next, greedy);
        self.branch(one, other)
    }
}

fn ordered(again: Place, next: Place, greedy: bool) -> (Place, Place) {
    match greedy {
        true => (again, next),
        false => (next, again),
    }
}

fn branch(one: Place, other: Place) -> Step {
    Step::Branch {
        first: one.first,
        rest: other.first,
        one: one.step,
        other: other.step,
    }
}

/// The letters of a piece that is nothing but text.
fn letters_of(hir: &Hir) -> Option<Vec<Letter>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(literal.0.iter().map(|byte| (*byte, 0)).collect()),
        HirKind::Class(class) => folded(class).map(|letter| vec![letter]),
        _ => None,
    }
}

/// The ASCII letter of which a class holds both cases.
fn folded(class: &Class) -> Option<Letter> {
    let Class::Unicode(class) = class else {
        return None;
    };
    let mut members = class.iter().filter(|range| {
        // (?i)k matches the Kelvin sign too, and (?i)s the long s; nobody writes them.
        !matches!(range.start(), '\u{17f}' | '\u{212a}')
    });
    let (upper, lower) = (members.next()?, members.next()?);
    let is_pair = upper.start() == upper.end()
        && lower.start() == lower.end()
        && upper.start().is_ascii_uppercase()
        && upper.start().to_ascii_lowercase() == lower.start()
        && members.next().is_none();
    is_pair.then_some((lower.start() as u8, 0x20))
}

/// The characters of a piece that is one character.
fn single(hir: &Hir) -> Option<Characters> {
    match hir.kind() {
        HirKind::Class(class) => Characters::of(class),
        HirKind::Literal(literal) => match *literal.0 {
            [byte] if byte.is_ascii() => {
                let mut ascii = [0; 2];
                ascii[usize::from(byte / 64)] = 1 << (byte % 64);
                Some(Characters {
                    ascii,
                    others: Box::default(),
                    all_others: false,
                })
            }
            _ => None,
        },
        _ => None,
    }
}
