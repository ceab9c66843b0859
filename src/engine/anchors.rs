//! Finds many literals in a text at once, whatever their number.
//!
//! Each literal is known by eight of its bytes, or by four or three where it is no longer. A bit
//! field says which such stretches any literal has; only where a stretch of the text may be one of
//! them a table is asked, and only what it names is compared. So a byte of a text costs a few
//! instructions, with a thousand literals as with a million, and preparing costs a few instructions
//! a literal.

/// Literals are known by this many bytes, the longest that they have.
const WIDTHS: [usize; 3] = [8, 4, 3];
/// A bit field has that many bits for each literal: a greater field would make fewer mistakes, and not
/// fit the processor's nearer memory.
const BITS_A_LITERAL: usize = 16;
/// From so many stretches on nearly every four bytes begin one of them, and asking for them first
/// saves nothing.
const TOO_MANY_TO_BEGIN: usize = 16_384;
/// Multiplying by it spreads the bytes over the upper bits.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
/// From where in the spread bytes the two bits of a field's number are taken: far enough up to be
/// well spread, and below those that choose the number.
const FIRST: u32 = 32;
const SECOND: u32 = 26;
/// Turns letters of both cases into one, and what are no letters into anything.
const FOLD: u64 = 0x2020_2020_2020_2020;

/// Where a literal stands in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hit {
    /// One past its last byte.
    pub(super) end: usize,
    /// Its first byte.
    pub(super) start: usize,
    /// Its number.
    pub(super) literal: u32,
}

/// Literals that are looked for without regard to the case of ASCII letters.
#[derive(Debug)]
pub(super) struct Anchors {
    /// All literals, one after the other.
    bytes: Vec<u8>,
    /// Where each begins, and where the last ends.
    bounds: Vec<u32>,
    longest: usize,
    /// Which four bytes the longer stretches begin with, unless there are too many.
    beginnings: Option<Field>,
    tables: [Table; 3],
}

/// The literals that are known by the same number of bytes.
#[derive(Debug, Default)]
struct Table {
    field: Field,
    /// For each group of stretches, where its entries begin.
    groups: Vec<u32>,
    group_shift: u32,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    stretch: u64,
    literal: u32,
    /// How many bytes stand before the stretch in the literal.
    before: u32,
    /// How many bytes the literal has.
    length: u32,
    /// Its first eight bytes.
    head: Head,
}

/// The first eight bytes of a literal as one number, or all that it has.
#[derive(Clone, Copy, Debug)]
struct Head {
    bytes: u64,
    /// Which bits count.
    counted: u64,
    /// The bit that tells cases apart, of each letter.
    cases: u64,
}

impl Head {
    fn of(literal: &[u8]) -> Self {
        let mut head = Head {
            bytes: window(literal, 0),
            counted: 0,
            cases: 0,
        };
        for (at, byte) in literal.iter().take(8).enumerate() {
            head.counted |= 0xff << (8 * at);
            if byte.is_ascii_alphabetic() {
                head.cases |= 0x20 << (8 * at);
            }
        }
        head
    }

    /// Whether eight bytes of a text begin so, in either case.
    fn begins(self, window: u64) -> bool {
        (window | self.cases) & self.counted == self.bytes
    }
}

impl Anchors {
    /// Prepares literals in lower case; those shorter than three bytes are never found.
    pub(super) fn new<'a>(literals: impl Iterator<Item = &'a str>) -> Self {
        let mut bytes = Vec::new();
        let mut bounds = vec![0];
        for literal in literals {
            bytes.extend_from_slice(literal.as_bytes());
            bounds.push(bytes.len() as u32);
        }
        let shares = Shares::of(&bytes, &bounds);
        let mut entries: [Vec<Entry>; 3] = Default::default();
        for (number, ends) in bounds.windows(2).enumerate() {
            let literal = &bytes[ends[0] as usize..ends[1] as usize];
            let Some(class) = WIDTHS.iter().position(|width| literal.len() >= *width) else {
                continue;
            };
            let before = shares.rarest(literal, WIDTHS[class]);
            entries[class].push(Entry {
                stretch: stretch(&literal[before..], WIDTHS[class]),
                literal: number as u32,
                before: before as u32,
                length: literal.len() as u32,
                head: Head::of(literal),
            });
        }
        let [eight, four, _] = &entries;
        let count = eight.len() + four.len();
        let beginnings = (count < TOO_MANY_TO_BEGIN).then(|| {
            let mut field = Field::of(count);
            for entry in eight.iter().chain(four) {
                field.add((entry.stretch & 0xffff_ffff).wrapping_mul(SPREAD));
            }
            field
        });
        Anchors {
            beginnings,
            tables: entries.map(Table::new),
            longest: bounds
                .windows(2)
                .map(|ends| ends[1] - ends[0])
                .max()
                .unwrap_or(0) as usize,
            bytes,
            bounds,
        }
    }

    /// How many bytes the longest literal has.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    fn literal(&self, number: u32) -> &[u8] {
        let number = number as usize;
        &self.bytes[self.bounds[number] as usize..self.bounds[number + 1] as usize]
    }

    /// Whether a literal's bytes behind the first eight end at that place of a text.
    fn ends_at(&self, literal: u32, text: &[u8], end: usize) -> bool {
        let rest = self.literal(literal).get(8..).unwrap_or_default();
        let words = end.checked_sub(rest.len()).and_then(|at| text.get(at..end));
        words.is_some_and(|words| words.eq_ignore_ascii_case(rest))
    }

    /// Adds the literals whose known bytes begin between `from` and `to` to `hits`, in the order of
    /// their ends.
    pub(super) fn find(&self, text: &[u8], from: usize, to: usize, hits: &mut Vec<Hit>) {
        // Nearly all windows are whole, and reading one is a single step then.
        let whole = to.min((text.len() + 1).saturating_sub(8)).max(from);
        let windows = text.get(from..).unwrap_or_default().windows(8);
        for (at, window) in (from..whole).zip(windows) {
            let window = <[u8; 8]>::try_from(window).map_or(0, u64::from_le_bytes);
            self.look_at(window, text, at, hits);
        }
        for at in whole..to {
            self.look_at(window(text, at), text, at, hits);
        }
    }

    /// Adds the literals whose known bytes are the first of the window, which begins at `at`.
    #[inline(always)]
    fn look_at(&self, window: u64, text: &[u8], at: usize, hits: &mut Vec<Hit>) {
        let [eight, four, three] = &self.tables;
        let stretch = window | FOLD;
        let first_four = stretch & 0xffff_ffff;
        let spread = first_four.wrapping_mul(SPREAD);
        let beginnings = self.beginnings.as_ref();
        if beginnings.is_none_or(|field| field.may_hold(spread)) {
            let whole = stretch.wrapping_mul(SPREAD);
            if eight.field.may_hold(whole) {
                self.compare(eight, stretch, whole, text, at, hits);
            }
            if four.field.may_hold(spread) {
                self.compare(four, first_four, spread, text, at, hits);
            }
        }
        let first_three = stretch & 0xff_ffff;
        let spread = first_three.wrapping_mul(SPREAD);
        if three.field.may_hold(spread) {
            self.compare(three, first_three, spread, text, at, hits);
        }
    }

    #[inline(never)]
    fn compare(
        &self,
        table: &Table,
        stretch: u64,
        spread: u64,
        text: &[u8],
        at: usize,
        hits: &mut Vec<Hit>,
    ) {
        for entry in table.group(spread) {
            if entry.stretch != stretch {
                continue;
            }
            let Some(start) = at.checked_sub(entry.before as usize) else {
                continue;
            };
            let end = start + entry.length as usize;
            if end <= text.len()
                && entry.head.begins(window(text, start))
                && (entry.length <= 8 || self.ends_at(entry.literal, text, end))
            {
                let hit = Hit {
                    end,
                    start,
                    literal: entry.literal,
                };
                if hits.last().is_none_or(|last| *last <= hit) {
                    hits.push(hit);
                    continue;
                }
                // They come nearly in order, so the place of each is near the end.
                let place = hits.iter().rposition(|known| *known <= hit);
                hits.insert(place.map_or(0, |place| place + 1), hit);
            }
        }
    }
}

/// Which stretches may be among some, by two bits of one number each: one look into memory, and
/// far fewer mistakes than with one bit.
#[derive(Debug, Default)]
struct Field {
    numbers: Vec<u64>,
    shift: u32,
}

impl Field {
    /// A field for that many stretches.
    fn of(count: usize) -> Self {
        let numbers = (count * BITS_A_LITERAL / 64).next_power_of_two().max(2);
        Field {
            numbers: vec![0; numbers],
            shift: 64 - numbers.ilog2(),
        }
    }

    /// The number's place. Its two bits depend on other bits of the spread ones.
    fn place(&self, spread: u64) -> usize {
        (spread >> self.shift) as usize
    }

    fn add(&mut self, spread: u64) {
        let place = self.place(spread);
        self.numbers[place] |= 1 << (spread >> FIRST & 63) | 1 << (spread >> SECOND & 63);
    }

    #[inline(always)]
    fn may_hold(&self, spread: u64) -> bool {
        let number = self.numbers.get(self.place(spread)).copied();
        let number = number.unwrap_or_default();
        (number >> (spread >> FIRST & 63)) & (number >> (spread >> SECOND & 63)) & 1 != 0
    }
}

impl Table {
    fn new(mut entries: Vec<Entry>) -> Self {
        let groups = (entries.len() * 2).next_power_of_two().max(2);
        let mut table = Table {
            field: Field::of(entries.len()),
            groups: vec![0; groups + 1],
            group_shift: 64 - groups.ilog2(),
            entries: Vec::new(),
        };
        let group = |entry: &Entry| entry.stretch.wrapping_mul(SPREAD) >> table.group_shift;
        entries.sort_by_key(|entry| (group(entry), entry.literal));
        for entry in &entries {
            table.field.add(entry.stretch.wrapping_mul(SPREAD));
            table.groups[group(entry) as usize + 1] += 1;
        }
        for position in 1..table.groups.len() {
            table.groups[position] += table.groups[position - 1];
        }
        table.entries = entries;
        table
    }

    fn group(&self, spread: u64) -> &[Entry] {
        let group = (spread >> self.group_shift) as usize;
        &self.entries[self.groups[group] as usize..self.groups[group + 1] as usize]
    }
}

/// Eight bytes of a text; what is behind its end counts as NUL.
#[inline]
pub(super) fn window(text: &[u8], at: usize) -> u64 {
    if let Some(Ok(window)) = text.get(at..at + 8).map(<[u8; 8]>::try_from) {
        return u64::from_le_bytes(window);
    }
    let mut window = [0; 8];
    for (slot, byte) in window.iter_mut().zip(text.iter().skip(at)) {
        *slot = *byte;
    }
    u64::from_le_bytes(window)
}

/// The bytes as a number, without regard to case.
fn stretch(bytes: &[u8], width: usize) -> u64 {
    let mut window = [0; 8];
    window[..width].copy_from_slice(&bytes[..width]);
    let kept = u64::MAX >> (64 - 8 * width);
    (u64::from_le_bytes(window) | FOLD) & kept
}

/// How often stretches of three bytes stand in all literals: what many literals hold stands in many
/// texts.
struct Shares {
    counts: Vec<u32>,
}

impl Shares {
    const BITS: u32 = 14;

    fn of(bytes: &[u8], bounds: &[u32]) -> Self {
        let mut counts = vec![0_u32; 1 << Self::BITS];
        for ends in bounds.windows(2) {
            for three in bytes[ends[0] as usize..ends[1] as usize].windows(3) {
                counts[Self::number(three)] += 1;
            }
        }
        Shares { counts }
    }

    fn number(three: &[u8]) -> usize {
        (stretch(three, 3).wrapping_mul(SPREAD) >> (64 - Self::BITS)) as usize
    }

    /// Where the stretch of that width begins whose beginning the fewest literals hold.
    fn rarest(&self, literal: &[u8], width: usize) -> usize {
        (0..=literal.len() - width)
            .min_by_key(|at| {
                literal[*at..literal.len().min(at + 4)]
                    .windows(3)
                    .map(|three| self.counts[Self::number(three)])
                    .min()
            })
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Anchors, Hit};

    fn found(literals: &[&str], text: &str) -> Vec<(usize, usize, u32)> {
        let anchors = Anchors::new(literals.iter().copied());
        let mut hits: Vec<Hit> = Vec::new();
        let middle = text.len() / 2;
        anchors.find(text.as_bytes(), 0, middle, &mut hits);
        anchors.find(text.as_bytes(), middle, text.len(), &mut hits);
        assert!(hits.is_sorted());
        hits.iter()
            .map(|hit| (hit.start, hit.end, hit.literal))
            .collect()
    }

    #[test]
    fn literals_of_every_length_are_found_wherever_they_stand() {
        let literals = ["abc", "abcd", "unexpected response code", "econn", "é ü"];
        assert_eq!(
            found(&literals, "ABCD Unexpected response code: xabc"),
            [(0, 3, 0), (0, 4, 1), (5, 29, 2), (32, 35, 0)]
        );
        assert_eq!(found(&literals, "é ü"), [(0, 5, 4)]);
        assert_eq!(found(&literals, "ECONN"), [(0, 5, 3)]);
    }

    #[test]
    fn what_only_looks_alike_is_not_found() {
        // '@' and '`' differ by the bit that tells cases apart, and neither is a letter.
        assert_eq!(found(&["a`b"], "a@b"), []);
        assert_eq!(found(&["abcdef"], "abcxef"), []);
        assert_eq!(found(&["abcdefghijk"], "abcdefghxjk abcdefghijx"), []);
        assert_eq!(found(&["abc "], "abc"), []);
        assert_eq!(found(&["ab"], "ab"), []);
        assert_eq!(found(&[], "abc"), []);
    }

    #[test]
    fn literals_inside_others_are_found_too() {
        assert_eq!(
            found(&["aaaa", "aaaaaaaa"], "aaaaaaaaa"),
            [
                (0, 4, 0),
                (1, 5, 0),
                (2, 6, 0),
                (3, 7, 0),
                (0, 8, 1),
                (4, 8, 0),
                (1, 9, 1),
                (5, 9, 0)
            ]
        );
    }
}
