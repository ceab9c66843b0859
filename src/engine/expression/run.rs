//! Runs a program: one way is tried, what else could be done is noted, and done where it fails.

use regex_syntax::hir::Look;
use regex_syntax::is_word_character;

use super::super::anchors::window as eight_bytes;
use super::program::{First, Program, Step, UNBOUNDED, may_begin};
use super::{MOST_GROUPS, Match};

/// So many steps may be tried, and so many more for each byte of the window.
const MOST_STEPS: usize = 1024;
const MOST_STEPS_A_BYTE: usize = 8;
/// So many characters of a class are passed over in the time of a step.
const BYTES_A_STEP: usize = 4;

/// Trying took longer than an automaton would.
#[derive(Debug)]
pub(super) struct TooLong;

/// What else could be done.
#[derive(Clone, Copy, Debug)]
enum Other {
    /// Go on with a step at a place.
    Step { step: u32, at: u32 },
    /// Go on with the way that has this number, or with one behind it.
    Way { way: u32, to: u32, at: u32 },
    /// Give back characters that `step` repeated, down to `least`.
    Fewer { step: u32, at: u32, least: u32 },
    /// Take one more of the characters that `step` repeats, and `left` in all at most.
    More { step: u32, at: u32, left: u32 },
    /// A group had begun or ended elsewhere before.
    Noted { slot: u32, before: u32 },
}

/// What is kept from one run to the next, so that none needs new memory.
#[derive(Debug, Default)]
pub(in super::super) struct Tries {
    others: Vec<Other>,
    slots: [u32; 2 * MOST_GROUPS],
    /// How many steps may still be tried.
    left: usize,
    /// The window that is looked at, as a stretch of the text.
    window: (usize, usize),
    /// Where words may begin and end in it.
    edges: Vec<u32>,
}

impl Tries {
    /// Bytes were passed over, several in the time of a step.
    fn spend(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes / BYTES_A_STEP);
    }

    /// Another text follows.
    pub(in super::super) fn forget(&mut self) {
        self.window = (0, 0);
        self.edges.clear();
    }

    /// Looks at a stretch of the text; several expressions are looked for in each.
    pub(in super::super) fn look_at(&mut self, text: &str, window: (usize, usize)) {
        if self.window == window {
            return;
        }
        self.window = window;
        self.edges.clear();
        let mut before = 0;
        for (at, byte) in (0..).zip(&text.as_bytes()[window.0..window.1]) {
            let kind = KINDS[usize::from(*byte)];
            if kind != before || kind == FOREIGN {
                self.edges.push(at);
            }
            before = kind;
        }
    }
}

/// What a byte is part of: nothing of interest, a word, or a character outside ASCII, before and behind
/// which words may begin and end, or not.
const KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            0x80.. => FOREIGN,
            byte if is_word(byte) => 1,
            _ => 0,
        };
        byte += 1;
    }
    kinds
};
const FOREIGN: u8 = 2;

/// The place of a group that took no part.
const NOWHERE: u32 = u32::MAX;

impl Program {
    /// The first match that begins at `from` or behind it in the window that is looked at.
    pub(super) fn find(
        &self,
        window: &str,
        from: usize,
        tries: &mut Tries,
    ) -> Result<Option<Match>, TooLong> {
        let bytes = window.as_bytes();
        let Some(last) = bytes.len().checked_sub(self.least) else {
            return Ok(None);
        };
        tries.left = MOST_STEPS + MOST_STEPS_A_BYTE * bytes.len();
        if from == 0
            && let Some(end) = self.run(window, 0, tries)?
        {
            return Ok(Some(self.found(0, end, tries)));
        }
        let mut from = from.max(1);
        if self.is_anchored {
            return Ok(None);
        }
        if self.at_edge {
            let passed = tries.edges.partition_point(|edge| (*edge as usize) < from);
            for place in passed..tries.edges.len() {
                let at = tries.edges[place] as usize;
                if at > last {
                    break;
                }
                if self.may_begin_with(bytes, at)
                    && let Some(end) = self.run(window, at, tries)?
                {
                    return Ok(Some(self.found(at, end, tries)));
                }
            }
            return Ok(None);
        }
        while let Some(at) = self.next_beginning(bytes, from, last) {
            if let Some(end) = self.run(window, at, tries)? {
                return Ok(Some(self.found(at, end, tries)));
            }
            from = at + 1;
        }
        Ok(None)
    }

    /// The first place between two where a match may begin.
    fn next_beginning(&self, bytes: &[u8], from: usize, last: usize) -> Option<usize> {
        let places = bytes.get(from..=last)?;
        let mut passed = 0;
        loop {
            let rest = &places[passed..];
            passed += rest.iter().position(|byte| may_begin(self.first, *byte))?;
            if self.may_begin_with(bytes, from + passed) {
                return Some(from + passed);
            }
            passed += 1;
        }
    }

    /// Whether a match may begin with the bytes from a place on that is not the window's first.
    #[inline(always)]
    fn may_begin_with(&self, bytes: &[u8], at: usize) -> bool {
        let byte = bytes[at];
        if !may_begin(self.first, byte) {
            return false;
        }
        match byte {
            ..0x80 => may_follow(self.second, bytes, at + 1),
            // Within a character nothing begins.
            0x80..0xc0 => false,
            _ => true,
        }
    }

    /// The match that was found last.
    fn found(&self, start: usize, end: usize, tries: &Tries) -> Match {
        Match {
            start,
            end,
            groups: self.noted(tries),
        }
    }

    fn noted(&self, tries: &Tries) -> [Option<(usize, usize)>; MOST_GROUPS] {
        let mut groups = [None; MOST_GROUPS];
        let noted = tries.slots.chunks_exact(2).take(self.groups);
        for (group, noted) in groups.iter_mut().zip(noted) {
            let is_noted = noted[0] != NOWHERE && noted[1] != NOWHERE;
            *group = is_noted.then_some((noted[0] as usize, noted[1] as usize));
        }
        groups
    }

    /// Where the match ends that begins at `start`.
    fn run(&self, window: &str, start: usize, tries: &mut Tries) -> Result<Option<usize>, TooLong> {
        let bytes = window.as_bytes();
        tries.others.clear();
        tries.slots[..2 * self.groups].fill(NOWHERE);
        let mut at = start;
        let mut step = self.entry;
        loop {
            tries.left = tries.left.checked_sub(1).ok_or(TooLong)?;
            let next = match self.steps[step as usize] {
                Step::Text {
                    bytes: wanted,
                    cases,
                    counted,
                    length,
                    next,
                } => {
                    let end = at + usize::from(length);
                    let is_there = (eight_bytes(bytes, at) | cases) & counted == wanted;
                    (is_there && end <= bytes.len()).then_some((next, end))
                }
                Step::One { class, next } => {
                    let length = self.classes[class as usize].length_at(window, at);
                    length.map(|length| (next, at + length))
                }
                Step::Repeat { .. } => self.repeat(step, window, at, tries),
                Step::Branch {
                    first,
                    rest,
                    one,
                    other,
                } => match (may_follow(first, bytes, at), may_follow(rest, bytes, at)) {
                    (true, true) => {
                        tries.others.push(Other::Step {
                            step: other,
                            at: at as u32,
                        });
                        Some((one, at))
                    }
                    (true, false) => Some((one, at)),
                    (false, true) => Some((other, at)),
                    (false, false) => None,
                },
                Step::Choice { from, to } => {
                    let first = self.next_way(from, to, bytes, at, tries);
                    first.map(|way| self.go(way, to, (bytes, at), tries))
                }
                Step::Note { slot, next } => {
                    let before = std::mem::replace(&mut tries.slots[slot as usize], at as u32);
                    tries.others.push(Other::Noted { slot, before });
                    Some((next, at))
                }
                Step::Look {
                    look: Look::WordAscii,
                    next,
                } => is_edge(bytes, at).then_some((next, at)),
                Step::Look { look, next } => holds(look, window, at).then_some((next, at)),
                Step::Done => return Ok(Some(at)),
            };
            let next = match next {
                Some(next) => Some(next),
                None => self.otherwise(window, tries)?,
            };
            let Some(next) = next else {
                return Ok(None);
            };
            (step, at) = next;
        }
    }

    /// The first of the ways between two numbers that may lead on from a place.
    #[inline]
    fn next_way(
        &self,
        from: u32,
        to: u32,
        bytes: &[u8],
        at: usize,
        tries: &mut Tries,
    ) -> Option<u32> {
        let ways = &self.ways[from as usize..to as usize];
        let Some(byte) = bytes.get(at) else {
            // Behind the end only running it tells.
            return (from < to).then_some(from);
        };
        // What stands at the window's beginning may be asked for in ways that are none elsewhere.
        let second = bytes.get(at + 1).filter(|_| at > 0 && byte.is_ascii());
        let found = ways.iter().position(|way| {
            may_begin(way.first, *byte) && second.is_none_or(|byte| may_begin(way.second, *byte))
        });
        tries.spend(found.unwrap_or(ways.len()));
        found.map(|passed| from + passed as u32)
    }

    /// Goes one of the ways, and notes the next one that may lead on from the place.
    #[inline]
    fn go(
        &self,
        way: u32,
        to: u32,
        (bytes, at): (&[u8], usize),
        tries: &mut Tries,
    ) -> (u32, usize) {
        if let Some(way) = self.next_way(way + 1, to, bytes, at, tries) {
            let at = at as u32;
            tries.others.push(Other::Way { way, to, at });
        }
        (self.ways[way as usize].step, at)
    }

    /// Takes what a step repeats at a place for the first time.
    fn repeat(
        &self,
        step: u32,
        window: &str,
        mut at: usize,
        tries: &mut Tries,
    ) -> Option<(u32, usize)> {
        let Step::Repeat {
            first,
            class,
            least,
            most,
            is_lazy,
            next,
        } = self.steps[step as usize]
        else {
            return None;
        };
        let class = &self.classes[class as usize];
        for _ in 0..least {
            at += class.length_at(window, at)?;
        }
        let bytes = window.as_bytes();
        if is_lazy {
            let left = match most {
                UNBOUNDED => UNBOUNDED,
                most => most - least,
            };
            if may_follow(first, bytes, at) {
                let at = at as u32;
                tries.others.push(Other::More { step, at, left });
                return Some((next, at as usize));
            }
            return self.more(step, window, at, left, tries);
        }
        let begin = at;
        let mut count = least;
        while count < most
            && let Some(length) = class.length_at(window, at)
        {
            at += length;
            count += 1;
        }
        tries.spend(at - begin);
        self.fewer(step, window, at, begin, tries)
    }

    /// Goes on behind the characters that a step repeats: the most of them, up to `at`, behind which
    /// may stand what follows.
    fn fewer(
        &self,
        step: u32,
        window: &str,
        mut at: usize,
        least: usize,
        tries: &mut Tries,
    ) -> Option<(u32, usize)> {
        let Step::Repeat { first, next, .. } = self.steps[step as usize] else {
            return None;
        };
        let bytes = window.as_bytes();
        let most = at;
        loop {
            if may_follow(first, bytes, at) && window.is_char_boundary(at) {
                break;
            }
            if at <= least {
                tries.spend(most - at);
                return None;
            }
            at -= 1;
        }
        tries.spend(most - at);
        if at > least {
            let (at, least) = (at as u32, least as u32);
            tries.others.push(Other::Fewer { step, at, least });
        }
        Some((next, at))
    }

    /// Goes on behind at least one more of the characters that a step repeats.
    fn more(
        &self,
        step: u32,
        window: &str,
        mut at: usize,
        mut left: u32,
        tries: &mut Tries,
    ) -> Option<(u32, usize)> {
        let Step::Repeat {
            first, class, next, ..
        } = self.steps[step as usize]
        else {
            return None;
        };
        let class = &self.classes[class as usize];
        let bytes = window.as_bytes();
        let before = at;
        while left > 0
            && let Some(length) = class.length_at(window, at)
        {
            at += length;
            if left != UNBOUNDED {
                left -= 1;
            }
            if may_follow(first, bytes, at) {
                tries.spend(at - before);
                let at = at as u32;
                tries.others.push(Other::More { step, at, left });
                return Some((next, at as usize));
            }
        }
        tries.spend(at - before);
        None
    }

    /// What is tried next where a way has failed.
    fn otherwise(&self, window: &str, tries: &mut Tries) -> Result<Option<(u32, usize)>, TooLong> {
        while let Some(other) = tries.others.pop() {
            let next = match other {
                Other::Step { step, at } => Some((step, at as usize)),
                Other::Way { way, to, at } => {
                    Some(self.go(way, to, (window.as_bytes(), at as usize), tries))
                }
                Other::Fewer { step, at, least } => {
                    self.fewer(step, window, at as usize - 1, least as usize, tries)
                }
                Other::More { step, at, left } => self.more(step, window, at as usize, left, tries),
                Other::Noted { slot, before } => {
                    tries.slots[slot as usize] = before;
                    continue;
                }
            };
            if next.is_some() {
                return Ok(next);
            }
            tries.left = tries.left.checked_sub(1).ok_or(TooLong)?;
        }
        Ok(None)
    }
}

/// Whether what stands at a place may begin what follows; behind the end only running it tells.
#[inline(always)]
fn may_follow(first: First, bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_none_or(|byte| may_begin(first, *byte))
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether a word begins or ends at a place.
#[inline(always)]
fn is_edge(bytes: &[u8], at: usize) -> bool {
    let is_word = |byte: Option<&u8>| byte.is_some_and(|byte| KINDS[usize::from(*byte)] == 1);
    is_word(bytes.get(at.wrapping_sub(1))) != is_word(bytes.get(at))
}

/// Whether something holds between the characters before and at a place.
fn holds(look: Look, window: &str, at: usize) -> bool {
    let bytes = window.as_bytes();
    let before = at.checked_sub(1).map(|at| bytes[at]);
    let after = bytes.get(at).copied();
    let is_ascii = |byte: Option<u8>| byte.is_none_or(|byte| byte.is_ascii());
    let are_ascii = is_ascii(before) && is_ascii(after);
    match look {
        Look::Start => at == 0,
        Look::End => at == bytes.len(),
        Look::StartLF => before.is_none_or(|byte| byte == b'\n'),
        Look::EndLF => after.is_none_or(|byte| byte == b'\n'),
        Look::WordAscii => is_edge(bytes, at),
        Look::WordAsciiNegate => !is_edge(bytes, at),
        Look::WordUnicode if are_ascii => is_edge(bytes, at),
        Look::WordUnicodeNegate if are_ascii => !is_edge(bytes, at),
        Look::WordUnicode => is_edge_of_any_word(window, at),
        Look::WordUnicodeNegate => !is_edge_of_any_word(window, at),
        // No other is made a step.
        _ => false,
    }
}

fn is_edge_of_any_word(window: &str, at: usize) -> bool {
    let (before, after) = window.split_at(at);
    let is_word = |character: Option<char>| character.is_some_and(is_word_character);
    is_word(before.chars().next_back()) != is_word(after.chars().next())
}
