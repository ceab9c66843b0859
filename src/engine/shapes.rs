//! Lines of a log repeat their shape: the same words with other numbers, times and names.
//!
//! Numbers that may be a status or a close code belong to the shape, all others do not; nor do
//! words that look like a number written otherwise. So a line that says something else than those
//! before it has a shape of its own.

/// So many shapes are kept, each in the slot that its hash names; one more pushes another out,
/// which is then counted anew.
const SLOTS: usize = 1 << 14;
/// Multiplying by it spreads the bytes over the upper bits.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// How often each shape was seen.
#[derive(Debug)]
pub(super) struct Shapes {
    slots: Vec<(u64, usize)>,
}

impl Default for Shapes {
    fn default() -> Self {
        Shapes {
            slots: vec![(0, 0); SLOTS],
        }
    }
}

impl Shapes {
    /// Notes a shape, and tells how often it was seen with this time.
    pub(super) fn count(&mut self, shape: u64) -> usize {
        let Some((known, count)) = self.slots.get_mut(shape as usize % SLOTS) else {
            return 0;
        };
        if *known != shape {
            (*known, *count) = (shape, 0);
        }
        *count += 1;
        *count
    }
}

/// What letters and digits a word holds, as bits that add up over its bytes.
const DIGIT: u8 = 1;
const HEXADECIMAL: u8 = 2;
const LETTER: u8 = 4;

const KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b'0'..=b'9' => DIGIT,
            b'a'..=b'f' | b'A'..=b'F' => HEXADECIMAL,
            b'g'..=b'z' | b'G'..=b'Z' => LETTER,
            _ => 0,
        };
        byte += 1;
    }
    kinds
};

/// The shape of a line, as a hash.
pub(super) fn shape_of(line: &[u8]) -> u64 {
    let mut shape = SPREAD;
    let mut start = 0;
    while let Some(&byte) = line.get(start) {
        let mut kinds = 0;
        let mut end = start;
        while let Some(&byte) = line.get(end) {
            let kind = KINDS[usize::from(byte)];
            if kind == 0 {
                break;
            }
            kinds |= kind;
            end += 1;
        }
        if end == start {
            shape = mix(shape, u64::from(byte));
            start += 1;
            continue;
        }
        shape = match replacement(line, start, end, kinds) {
            Some(mark) => mix(shape, mark),
            None => line[start..end].chunks(8).fold(shape, |shape, chunk| {
                let mut eight = [0; 8];
                eight[..chunk.len()].copy_from_slice(chunk);
                mix(shape, u64::from_le_bytes(eight))
            }),
        };
        start = end;
    }
    shape
}

fn mix(shape: u64, value: u64) -> u64 {
    (shape ^ value).wrapping_mul(SPREAD).rotate_left(29)
}

/// What stands in the shape for a word that says nothing; `None` if the word itself does.
fn replacement(line: &[u8], start: usize, end: usize, kinds: u8) -> Option<u64> {
    const NUMBER: u64 = 1;
    const NAME: u64 = 2;
    const AMOUNT: u64 = 3;
    if kinds & DIGIT == 0 {
        return None;
    }
    if kinds == DIGIT {
        return (!may_be_code(line, start, end)).then_some(NUMBER);
    }
    let word = line.get(start..end)?;
    if kinds & LETTER == 0 {
        return (word.len() >= 4).then_some(NAME);
    }
    let digits = word.iter().filter(|byte| byte.is_ascii_digit()).count();
    if word.len() >= 16 && digits >= 3 {
        return Some(NAME);
    }
    // `60s`, `120ms`.
    let is_amount = word.ends_with(b"s") && word.len() - digits <= 2 && word[0].is_ascii_digit();
    is_amount.then_some(AMOUNT)
}

/// Whether a number of three or four digits stands for itself: no part of a time, an address or a
/// name.
fn may_be_code(line: &[u8], start: usize, end: usize) -> bool {
    if !matches!(end - start, 3 | 4) {
        return false;
    }
    let before = |count: usize| start.checked_sub(count).and_then(|at| line.get(at));
    let is_part = |byte: Option<&u8>| matches!(byte, Some(b'.' | b'/' | b'-' | b'_' | b'#'));
    let is_of_clock = before(1) == Some(&b':') && before(2).is_some_and(u8::is_ascii_digit);
    let is_decimal =
        is_part(line.get(end)) && line.get(end + 1).is_some_and(u8::is_ascii_alphanumeric);
    !is_part(before(1)) && !is_of_clock && !is_decimal
}

#[cfg(test)]
mod tests {
    use super::{Shapes, shape_of};

    fn are_alike(one: &str, other: &str) -> bool {
        shape_of(one.as_bytes()) == shape_of(other.as_bytes())
    }

    #[test]
    fn times_addresses_and_names_do_not_count() {
        for (one, other) in [
            (
                "2025/11/20 10:00:01 [error] 8#8: *17 closed, client: 203.0.113.7",
                "2025/11/20 11:10:59 [error] 8#8: *999999 closed, client: 203.0.113.254",
            ),
            (
                "socket 4fa08c1e gone after 60s",
                "socket 99a1b2c3 gone after 120s",
            ),
            (
                "id=3f2c1a90-1b2c-4d5e-8f90-a1b2c3d4e5f6 open",
                "id=aa2c1a91-2b3c-4f5e-9f90-00b2c3d4e5f7 open",
            ),
        ] {
            assert!(are_alike(one, other), "{one} and {other}");
        }
    }

    #[test]
    fn codes_and_words_count() {
        for (one, other) in [
            ("closed with 1006", "closed with 1011"),
            ("code:1006", "code:1000"),
            ("\"GET /ws HTTP/1.1\" 101 5", "\"GET /ws HTTP/1.1\" 502 5"),
            ("answered 502.", "answered 504."),
            ("using http2", "using http1"),
            ("connected", "connectes"),
        ] {
            assert!(!are_alike(one, other), "{one} and {other}");
        }
    }

    #[test]
    fn shapes_are_counted_one_by_one() {
        let mut shapes = Shapes::default();
        assert_eq!([7, 8, 7].map(|shape| shapes.count(shape)), [1, 1, 2]);
    }
}
