//! A sieve before regular expressions: what a window must hold for an expression to match at all.
//!
//! The expression becomes a formula over short sequences of bytes: all of a word's, those of one
//! branch at least of an alternation. A window becomes the set of the sequences that stand in it,
//! once, and each formula costs some nanoseconds then, a hundredth of what its expression costs.
//! The sieve may let through what does not match, and never holds back what does, but for letters
//! outside ASCII that fold to ASCII ones (the Kelvin sign).

use regex_syntax::hir::{Class, Hir, HirKind, Look};

use super::literals::lowered;

/// Sequences are numbered by a hash of this many bits.
const BITS: u32 = 14;
/// Stands in a sequence for the edge of a word; a NUL in a text only lets more through.
const EDGE: u8 = 0;
/// Stands for any digit: as a sequence of its own, and twice before or after another byte.
const DIGIT: u8 = 1;
const TWO_DIGITS: u32 = (DIGIT as u32) << 8 | DIGIT as u32;
/// A class with more members than this is not asked for.
const MOST_MEMBERS: usize = 8;
/// So many sequences that stand one beside the other are asked for.
const MOST_PLAIN: usize = 12;
/// Of what is repeated, so much is asked for.
const MOST_REPEATED: u32 = 3;
/// Set in a formula's word that begins alternatives; the other bits are their length in words.
pub(super) const ANY: u16 = 0x8000;

/// The sequences of one to three bytes that stand in a window.
#[derive(Debug)]
pub(super) struct Sequences {
    /// A bit for each sequence: all fit the processor's nearest memory, where hundreds of screens ask
    /// for them.
    seen: Box<[u64; 1 << (BITS - 6)]>,
}

impl Default for Sequences {
    fn default() -> Self {
        Sequences {
            seen: Box::new([0; 1 << (BITS - 6)]),
        }
    }
}

impl Sequences {
    /// Replaces what was read before by the sequences of a window, in lower case; its letters outside
    /// ASCII must be [`lowered`] already.
    pub(super) fn read(&mut self, window: &[u8]) {
        self.seen.fill(0);
        each_sequence(window, |number| self.insert(number));
    }

    #[inline(always)]
    fn insert(&mut self, number: u16) {
        self.seen[Self::place(number)] |= 1 << (number % 64);
    }

    /// Whether a sequence may stand in the window, by its number.
    #[inline(always)]
    pub(super) fn holds(&self, number: u16) -> bool {
        self.seen[Self::place(number)] >> (number % 64) & 1 != 0
    }

    #[inline(always)]
    fn place(number: u16) -> usize {
        usize::from(number / 64) % (1 << (BITS - 6))
    }
}

/// Hands over the number of each sequence of a window, in lower case.
#[inline(always)]
fn each_sequence(window: &[u8], mut insert: impl FnMut(u16)) {
    insert(NOTHING);
    let (mut was_edge, mut kind_before, mut kinds) = (0, OTHER, OTHER);
    // Whether the last two bytes may be digits.
    let mut are_digits = 0;
    // The last two bytes.
    let mut pair = 0;
    for (count, byte) in window.iter().enumerate() {
        let Letter { byte, kind, number } = LETTERS[usize::from(*byte)];
        let byte = u32::from(byte);
        kinds |= kind;
        insert(number);
        let two = (pair & 0xff) << 8 | byte;
        // At the beginning an edge seems to come first, which only lets more through.
        insert(hash(2, two));
        insert(hash(3, pair << 8 | byte));
        if are_digits != 0 {
            insert(hash(3, TWO_DIGITS << 8 | byte));
        }
        are_digits = kind_before & kind & COUNTS_AS_DIGIT;
        if are_digits != 0 {
            insert(hash(3, (pair >> 8) << 16 | TWO_DIGITS));
        }
        if was_edge != 0 {
            // The byte is the second one after an edge.
            insert(hash(3, u32::from(EDGE) << 16 | two));
        }
        was_edge = may_be_edge(kind_before, kind);
        if was_edge != 0 {
            insert(hash(2, u32::from(EDGE) << 8 | byte));
            if count > 0 {
                insert_edge_after(count, pair, &mut insert);
            }
        }
        kind_before = kind;
        pair = two;
    }
    if kinds & COUNTS_AS_DIGIT != 0 {
        insert(number(&[DIGIT]));
    }
    if may_be_edge(kind_before, OTHER) != 0 && !window.is_empty() {
        insert_edge_after(window.len(), pair, &mut insert);
    }
}

/// A word may end behind the last two bytes; there is but one if `count` is 1.
#[inline(always)]
fn insert_edge_after(count: usize, pair: u32, mut insert: impl FnMut(u16)) {
    insert(hash(2, (pair & 0xff) << 8 | u32::from(EDGE)));
    if count > 1 {
        insert(hash(3, pair << 8 | u32::from(EDGE)));
    }
}

/// What a byte may be part of, in bits: nothing of interest,
const OTHER: u8 = 0;
/// a word for certain,
const OF_WORD: u8 = 1;
/// a letter outside ASCII, which may or may not belong to words,
const FOREIGN: u8 = 2;
/// something that may be a digit.
const COUNTS_AS_DIGIT: u8 = 4;

/// A byte as it is read.
#[derive(Clone, Copy)]
struct Letter {
    /// In lower case.
    byte: u8,
    kind: u8,
    /// Its number as a sequence of its own.
    number: u16,
}

const LETTERS: [Letter; 256] = {
    let mut letters = [Letter {
        byte: 0,
        kind: OTHER,
        number: 0,
    }; 256];
    let mut byte = 0;
    while byte < 256 {
        let kind = match byte as u8 {
            b'0'..=b'9' => OF_WORD | COUNTS_AS_DIGIT,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => OF_WORD,
            0x80.. => FOREIGN | COUNTS_AS_DIGIT,
            _ => OTHER,
        };
        let lower = (byte as u8).to_ascii_lowercase();
        letters[byte] = Letter {
            byte: lower,
            kind,
            number: hash(1, lower as u32),
        };
        byte += 1;
    }
    letters
};

/// Not 0 if a word may begin or end between two bytes of these kinds.
fn may_be_edge(before: u8, after: u8) -> u8 {
    (before ^ after) & OF_WORD | (before | after) & FOREIGN
}

/// The number of no sequence at all, which every window holds.
pub(super) const NOTHING: u16 = 0;

fn number(sequence: &[u8]) -> u16 {
    let packed = sequence
        .iter()
        .fold(0, |packed, byte| packed << 8 | u32::from(*byte));
    hash(sequence.len() as u32, packed)
}

const fn hash(length: u32, packed: u32) -> u16 {
    let packed = length << (8 * length) | packed;
    (packed.wrapping_mul(0x9e37_79b1) >> (32 - BITS)) as u16
}

/// What a window must hold for an expression to match.
///
/// A list of words, each of which must hold: the number of a sequence, or `ANY` with the length
/// of the alternatives that follow, each a length and a list like the whole.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Screen {
    words: Box<[u16]>,
}

impl Screen {
    /// Reads the formula off an expression.
    pub(super) fn new(hir: &Hir) -> Self {
        Screen {
            words: formula(hir, &[], &[]).into(),
        }
    }

    /// The screen that was written down as these words.
    pub(super) fn of_words(words: &[u16]) -> Self {
        Screen {
            words: words.into(),
        }
    }

    /// The formula, good for writing it down.
    pub(super) fn words(&self) -> &[u16] {
        &self.words
    }

    /// Puts what stands in the fewest texts first, so that most windows are refused by a look or
    /// two.
    pub(super) fn order(&mut self, rarity: &Rarity) {
        self.words = ordered(&self.words, rarity).0.into();
    }

    /// How many sequences come before the first alternatives.
    fn plain(&self) -> usize {
        self.words
            .iter()
            .position(|word| word & ANY != 0)
            .unwrap_or(self.words.len())
    }

    /// The sequences that stand in every match, but those of the alternatives.
    pub(super) fn required(&self) -> &[u16] {
        &self.words[..self.plain()]
    }
}

/// What a formula asks for.
pub(super) enum Piece<'s> {
    /// A sequence must stand in the window.
    Sequence(u16),
    /// One of several formulas must hold, see [`alternatives`].
    Any(&'s [u16]),
}

/// What the words of a formula ask for, one after the other.
pub(super) fn pieces(mut words: &[u16]) -> impl Iterator<Item = Piece<'_>> {
    std::iter::from_fn(move || {
        let (word, rest) = words.split_first()?;
        if word & ANY == 0 {
            words = rest;
            return Some(Piece::Sequence(*word));
        }
        let (branches, after) = rest.split_at(usize::from(word & !ANY));
        words = after;
        Some(Piece::Any(branches))
    })
}

/// The words of each formula of which one must hold.
pub(super) fn alternatives(mut branches: &[u16]) -> impl Iterator<Item = &[u16]> {
    std::iter::from_fn(move || {
        let (length, rest) = branches.split_first()?;
        let (branch, others) = rest.split_at(usize::from(*length));
        branches = others;
        Some(branch)
    })
}

/// How often sequences are to be expected in texts: in how many samples' lines each stands, and in how
/// many expressions and literals, where samples do not tell.
#[derive(Debug)]
pub(super) struct Rarity {
    uses: Vec<u32>,
}

/// One line in which a sequence stands counts as much as that many expressions.
const USES_A_LINE: u32 = 8;

impl Rarity {
    pub(super) fn of<'a>(
        screens: &[Screen],
        literals: impl Iterator<Item = &'a String>,
        samples: impl Iterator<Item = &'a String>,
    ) -> Self {
        let mut uses = vec![0; 1 << BITS];
        for word in screens.iter().flat_map(Screen::required) {
            uses[usize::from(*word)] += 1;
        }
        for three in literals.flat_map(|literal| literal.as_bytes().windows(3)) {
            uses[usize::from(number(three))] += 1;
        }
        // For each sequence, the last line in which it was seen.
        let mut lines = vec![0; 1 << BITS];
        let samples = samples.flat_map(|sample| sample.lines());
        for (line, words) in (1..).zip(samples) {
            each_sequence(words.as_bytes(), |number| {
                let number = usize::from(number);
                if std::mem::replace(&mut lines[number], line) != line {
                    uses[number] += USES_A_LINE;
                }
            });
        }
        Rarity { uses }
    }

    /// How often a text of three bytes or more is to be expected: no oftener than its rarest part.
    pub(super) fn uses_of(&self, text: &str) -> u32 {
        let words = text.as_bytes().windows(3).map(number);
        words.map(|word| self.uses(word)).min().unwrap_or(u32::MAX)
    }

    pub(super) fn uses(&self, sequence: u16) -> u32 {
        self.uses[usize::from(sequence)]
    }

    /// Of a text's sequences that are not among the known ones, the one that stands in the fewest
    /// texts.
    pub(super) fn rarest(&self, text: &str, known: &[u16]) -> Option<u16> {
        text.as_bytes()
            .windows(3)
            .map(number)
            .filter(|word| !known.contains(word))
            .min_by_key(|word| self.uses(*word))
    }
}

/// Puts the rarest sequences of a formula first, and of each of its alternatives; then those of its
/// alternatives that the fewest texts hold. Returns the ordered formula and how often it is to be
/// expected.
fn ordered(words: &[u16], rarity: &Rarity) -> (Vec<u16>, u64) {
    let mut all = Vec::new();
    let mut groups = Vec::new();
    for piece in pieces(words) {
        let branches = match piece {
            Piece::Sequence(word) => {
                all.push(word);
                continue;
            }
            Piece::Any(branches) => branches,
        };
        let mut group = vec![0];
        let mut of_group: u64 = 0;
        for branch in alternatives(branches) {
            let (branch, of_branch) = ordered(branch, rarity);
            group.push(branch.len() as u16);
            group.extend(branch);
            of_group = of_group.saturating_add(of_branch);
        }
        group[0] = ANY | (group.len() - 1) as u16;
        groups.push((of_group, group));
    }
    all.sort_by_key(|word| (rarity.uses(*word), *word));
    all.dedup();
    // What holds the rarest ones most likely holds the others, and running the expression tells.
    all.truncate(MOST_PLAIN);
    let mut uses = all
        .first()
        .map_or(u64::MAX, |word| u64::from(rarity.uses(*word)));
    groups.sort_by_key(|(of_group, group)| (*of_group, group.len()));
    for (of_group, group) in groups {
        uses = uses.min(of_group);
        all.extend(group);
    }
    (all, uses)
}

/// `left` and `right` are what stands immediately before and after the piece in every match.
fn formula(hir: &Hir, left: &[u8], right: &[u8]) -> Vec<u16> {
    match hir.kind() {
        HirKind::Capture(capture) => formula(&capture.sub, left, right),
        HirKind::Concat(parts) => formula_of_parts(&parts.iter().collect::<Vec<_>>(), left, right),
        HirKind::Alternation(branches) => any(branches
            .iter()
            .map(|branch| formula(branch, left, right))
            .collect()),
        HirKind::Repetition(repetition) if repetition.max == Some(1) && repetition.min == 0 => {
            any(vec![
                formula(&repetition.sub, left, right),
                sequences(&[left, right].concat()),
            ])
        }
        HirKind::Repetition(repetition) if repetition.min > 0 && exact(hir).is_none() => {
            let Some(text) = exact(&repetition.sub) else {
                return formula(&repetition.sub, &[], &[]);
            };
            // It begins with the least number of them, and ends so.
            let least = text.repeat(repetition.min.min(MOST_REPEATED) as usize);
            let mut words = sequences(&[left, least.as_slice()].concat());
            words.extend(sequences(&[least.as_slice(), right].concat()));
            distinct(words)
        }
        HirKind::Class(class) if exact(hir).is_none() => members(class, left, right),
        _ => exact(hir).map_or_else(Vec::new, |text| {
            sequences(&[left, text.as_slice(), right].concat())
        }),
    }
}

/// Pieces that match one text only are joined, with what surrounds them.
fn formula_of_parts(parts: &[&Hir], left: &[u8], right: &[u8]) -> Vec<u16> {
    let texts: Vec<Option<Vec<u8>>> = parts.iter().map(|part| exact(part)).collect();
    let mut plain = Vec::new();
    let mut others = Vec::new();
    let mut run = left.to_vec();
    for (position, part) in parts.iter().enumerate() {
        if let Some(text) = &texts[position] {
            run.extend(text);
            continue;
        }
        let mut next: Vec<u8> = Vec::new();
        let mut following = texts[position + 1..].iter();
        loop {
            match following.next() {
                Some(Some(text)) => next.extend(text),
                Some(None) => break,
                None => {
                    next.extend(right);
                    break;
                }
            }
        }
        others.push(formula(
            part,
            &run[run.len().saturating_sub(2)..],
            &next[..next.len().min(2)],
        ));
        plain.extend(sequences(&run));
        run.clear();
    }
    run.extend(right);
    plain.extend(sequences(&run));
    others.sort_by_key(Vec::len);
    plain.extend(others.into_iter().flatten());
    plain
}

/// One of the formulas at least must hold; nothing is asked where one of them asks for nothing.
fn any(mut branches: Vec<Vec<u16>>) -> Vec<u16> {
    if branches.iter().any(Vec::is_empty) {
        return Vec::new();
    }
    if branches.len() == 1 {
        return branches.pop().unwrap_or_default();
    }
    let length: usize = branches.iter().map(|branch| branch.len() + 1).sum();
    if length >= usize::from(ANY) {
        return Vec::new();
    }
    let mut words = vec![ANY | length as u16];
    for branch in branches {
        words.push(branch.len() as u16);
        words.extend(branch);
    }
    words
}

/// Any of a small class' members, with what surrounds it.
fn members(class: &Class, left: &[u8], right: &[u8]) -> Vec<u16> {
    let Some(bytes) = ascii_members(class).filter(|bytes| bytes.len() <= MOST_MEMBERS) else {
        return Vec::new();
    };
    let with = |byte: &u8| sequences(&[left, &[*byte], right].concat());
    any(bytes.iter().map(with).collect())
}

/// The members of a class in lower case; `None` if there are many or some outside ASCII.
fn ascii_members(class: &Class) -> Option<Vec<u8>> {
    let ranges: Vec<(u32, u32)> = match class {
        Class::Unicode(class) => class
            .iter()
            .map(|range| (u32::from(range.start()), u32::from(range.end())))
            .collect(),
        Class::Bytes(class) => class
            .iter()
            .map(|range| (u32::from(range.start()), u32::from(range.end())))
            .collect(),
    };
    let mut bytes = Vec::new();
    for (start, end) in ranges {
        // (?i)k matches the Kelvin sign too, and (?i)s the long s; nobody writes them.
        if matches!((start, end), (0x17f, 0x17f) | (0x212a, 0x212a)) {
            continue;
        }
        if end > 127 || end - start > 32 {
            return None;
        }
        bytes.extend((start..=end).map(|byte| (byte as u8).to_ascii_lowercase()));
    }
    bytes.sort_unstable();
    bytes.dedup();
    (!bytes.is_empty()).then_some(bytes)
}

/// The one text in lower case that a piece matches, with the edges of words that it asks for.
fn exact(hir: &Hir) -> Option<Vec<u8>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(match std::str::from_utf8(&literal.0) {
            Ok(text) => lowered(text).as_bytes().to_ascii_lowercase(),
            Err(_) => literal.0.to_ascii_lowercase(),
        }),
        HirKind::Class(class) => match ascii_members(class)? {
            bytes if bytes.len() == 1 => Some(bytes),
            bytes if bytes.len() > MOST_MEMBERS && bytes.iter().all(u8::is_ascii_digit) => {
                Some(vec![DIGIT])
            }
            _ => None,
        },
        HirKind::Capture(capture) => exact(&capture.sub),
        HirKind::Concat(parts) => Some(
            parts
                .iter()
                .map(exact)
                .collect::<Option<Vec<_>>>()?
                .concat(),
        ),
        HirKind::Repetition(repetition)
            if repetition.max == Some(repetition.min) && repetition.min <= 8 =>
        {
            Some(exact(&repetition.sub)?.repeat(repetition.min as usize))
        }
        HirKind::Look(Look::WordAscii | Look::WordUnicode) => Some(vec![EDGE]),
        HirKind::Look(_) | HirKind::Empty => Some(Vec::new()),
        _ => None,
    }
}

/// The sequences of a text with edges.
pub(super) fn sequences(run: &[u8]) -> Vec<u16> {
    let letters: Vec<u8> = run.iter().copied().filter(|byte| *byte != EDGE).collect();
    let mut words = Vec::new();
    let mut position = 0;
    for byte in run {
        if *byte != EDGE {
            position += 1;
            continue;
        }
        match letters[position..] {
            [DIGIT, ..] | [] => {}
            [first, DIGIT, ..] | [first] => words.push(number(&[EDGE, first])),
            [first, second, ..] => words.push(number(&[EDGE, first, second])),
        }
        match letters[..position] {
            [.., DIGIT] | [] => {}
            [.., DIGIT, last] | [last] => words.push(number(&[last, EDGE])),
            [.., first, second] => words.push(number(&[first, second, EDGE])),
        }
    }
    match letters.as_slice() {
        [] => {}
        [_] | [_, _] => words.extend(known(&letters)),
        _ => words.extend(letters.windows(3).flat_map(known)),
    }
    distinct(words)
}

/// Each word once: nothing needs to be looked for twice.
fn distinct(mut words: Vec<u16>) -> Vec<u16> {
    words.sort_unstable();
    words.dedup();
    words
}

/// What a window holds for certain that holds up to three letters, some of which may be any digits.
fn known(letters: &[u8]) -> Vec<u16> {
    let digits = letters.iter().filter(|byte| **byte == DIGIT).count();
    match letters {
        _ if digits == 0 => vec![number(letters)],
        [DIGIT, DIGIT, DIGIT] => vec![number(&[DIGIT])],
        [DIGIT, DIGIT, _] | [_, DIGIT, DIGIT] => vec![number(letters), number(&[DIGIT])],
        _ => letters
            .split(|byte| *byte == DIGIT)
            .filter(|others| !others.is_empty())
            .map(number)
            .chain([number(&[DIGIT])])
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sieve::Sieve;
    use super::{Screen, Sequences};

    fn lets_through(expression: &str, text: &str) -> bool {
        let mut window = Sequences::default();
        window.read(text.to_ascii_lowercase().as_bytes());
        let screen = Screen::new(&regex_syntax::parse(expression).unwrap());
        Sieve::of(screen.words()).lets_through(&window)
    }

    #[test]
    fn what_matches_is_let_through() {
        for (expression, text) in [
            (r"(?i)\bcode[: ]+(?P<code>10\d\d)\b", "close Code: 1006"),
            (r"(?:a|bc)?d+\b", "ddd"),
            (r"^$", ""),
            (r"\bé\w+ done", "l’été done"),
            (r"(?i)task (?:is|was) (?:not )?done", "Task was DONE"),
            (r"\d+ apples", "٣ apples"),
            (r"code [34][0-9]{3}\b", "code 4401"),
            (r"at:[0-9]{2,5}:[0-9]{2,5}\b", "at:12:345"),
            (r"(?:ab){2,}c", "ababc"),
            (r"(?:ab){2}-", "abab-"),
        ] {
            assert!(regex::Regex::new(expression).unwrap().is_match(text));
            assert!(lets_through(expression, text), "{expression} in {text}");
        }
    }

    #[test]
    fn what_lacks_a_piece_is_held_back() {
        assert!(!lets_through(r"\bclose\b", "closed"));
        assert!(!lets_through(r"\b(?:dev|live)\b", "devtools deliver"));
        assert!(!lets_through(r"works? (?:on|at) port \d+", "works on port"));
        assert!(!lets_through(r"status[=:]", "status 400"));
        assert!(!lets_through(r"code [34][0-9]{3}\b", "code 3 1006"));
        assert!(!lets_through(
            r"\bat:[0-9]{2,5}:[0-9]{2,5}\b",
            "12 at:1 23:"
        ));
    }
}
