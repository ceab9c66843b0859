//! Which words a text may hold, asked for by many readers.
//!
//! Every reader knows words without which it has nothing to read. Looking for each of them in the
//! text costs more than reading it once: the text's stretches of three bytes become a set, and a
//! word that lacks one of them stands nowhere.

use super::Span;

/// Stretches are numbered by a hash of this many bits.
const BITS: u32 = 14;
/// A longer text holds nearly every stretch, so the set would cost time and tell nothing.
const LONGEST: usize = 32 << 10;
/// Turns letters of both cases into one, and what are no letters into anything.
const FOLD: u32 = 0x0020_2020;

/// The stretches of three bytes that stand in a text, without regard to case.
pub struct Contents<'a> {
    text: &'a str,
    /// One bit each; none if every word may stand in the text.
    seen: Option<[u64; 1 << (BITS - 6)]>,
}

impl<'a> Contents<'a> {
    /// Reads a text.
    pub fn of(text: &'a str) -> Self {
        let seen = (text.len() <= LONGEST).then(|| {
            let mut seen = [0; 1 << (BITS - 6)];
            // The last three bytes; what seems to come before the first two only adds stretches.
            let mut three = 0;
            for byte in text.as_bytes() {
                three = three >> 8 | u32::from(*byte) << 16;
                let number = number(three);
                seen[number / 64] |= 1_u64 << (number % 64);
            }
            seen
        });
        Contents { text, seen }
    }

    /// The text that was read.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Whether the words may stand in the text; `false` is certain.
    pub fn may_hold(&self, words: &str) -> bool {
        self.seen.as_ref().is_none_or(|seen| {
            words.as_bytes().windows(3).all(|three| {
                let three = three.iter().rev();
                let number = number(three.fold(0, |packed, byte| packed << 8 | u32::from(*byte)));
                seen[number / 64] & (1 << (number % 64)) != 0
            })
        })
    }

    /// Whether the words stand in the text.
    pub fn holds(&self, words: &str) -> bool {
        self.may_hold(words)
            && memchr::memmem::find(self.text.as_bytes(), words.as_bytes()).is_some()
    }

    /// Whether one of the words stands in the text.
    pub fn holds_one_of(&self, words: &[&str]) -> bool {
        words.iter().any(|words| self.holds(words))
    }

    /// Where the words stand in the text.
    pub fn places_of(&self, words: &[&str]) -> Places {
        let mut starts: Vec<usize> = words
            .iter()
            .filter(|words| self.may_hold(words))
            .flat_map(|words| memchr::memmem::find_iter(self.text.as_bytes(), words.as_bytes()))
            .collect();
        starts.sort_unstable();
        Places { starts }
    }
}

/// The number of three bytes, the first of them lowest.
#[inline(always)]
fn number(three: u32) -> usize {
    ((three | FOLD).wrapping_mul(0x9e37_79b1) >> (32 - BITS)) as usize
}

/// Where some words stand in a text, in order.
pub struct Places {
    starts: Vec<usize>,
}

impl Places {
    /// Whether one of the words begins within the span.
    pub fn are_in(&self, span: Span) -> bool {
        let before = self.starts.partition_point(|start| *start < span.start);
        self.starts
            .get(before)
            .is_some_and(|start| *start < span.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_stand_in_a_text_are_found_in_either_case() {
        let contents = Contents::of("Error: connect ECONNREFUSED");
        assert!(contents.may_hold("connect"));
        assert!(contents.may_hold("econnrefused"));
        assert!(!contents.may_hold("kubectl"));
        assert!(contents.holds("connect "));
        assert!(!contents.holds("Connect "));
        // Nothing is known of what is shorter than a stretch.
        assert!(contents.may_hold("zz"));
        assert!(!contents.holds("zz"));
    }

    #[test]
    fn a_long_text_may_hold_anything() {
        let text = "x".repeat(LONGEST + 1);
        assert!(Contents::of(&text).may_hold("kubectl"));
        assert!(!Contents::of(&text).holds("kubectl"));
    }

    #[test]
    fn places_belong_to_the_line_in_which_the_words_begin() {
        let contents = Contents::of("a GET http\nb\nc Failed");
        let places = contents.places_of(&["GET http", "Failed", "Loading"]);
        assert!(places.are_in(Span { start: 0, end: 10 }));
        assert!(!places.are_in(Span { start: 11, end: 12 }));
        assert!(places.are_in(Span { start: 13, end: 21 }));
    }
}
