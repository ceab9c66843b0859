//! Lists of words of which most are known not to be the one without comparing any.

/// Bits of a vocabulary: for each first byte and length of its words.
const KINDS: usize = 4;

/// A list of words in lower case.
pub(super) struct Vocabulary {
    words: &'static [&'static str],
    /// Which first bytes and lengths there are, by a number of eight bits of both.
    kinds: [u64; KINDS],
}

impl Vocabulary {
    pub(super) const fn of(words: &'static [&'static str]) -> Self {
        let mut kinds = [0; KINDS];
        let mut at = 0;
        while at < words.len() {
            let kind = kind(words[at]);
            kinds[kind / 64] |= 1 << (kind % 64);
            at += 1;
        }
        Vocabulary { words, kinds }
    }

    /// Whether the word is one of them.
    pub(super) fn contains(&self, word: &str) -> bool {
        let kind = kind(word);
        self.kinds[kind / 64] >> (kind % 64) & 1 != 0 && self.words.contains(&word)
    }
}

/// A number below 256 that equal words share and most others do not.
const fn kind(word: &str) -> usize {
    let bytes = word.as_bytes();
    match bytes {
        [] => 0,
        [first, ..] => (*first as usize % 32) * 8 + bytes.len() % 8,
    }
}

#[cfg(test)]
mod tests {
    use super::Vocabulary;

    #[test]
    fn only_its_own_words_are_contained() {
        const WORDS: Vocabulary = Vocabulary::of(&["is", "könnte", "isnt", "über"]);
        for word in ["is", "könnte", "isnt", "über"] {
            assert!(WORDS.contains(word), "{word}");
        }
        for word in ["", "i", "it", "isn't", "uber", "is "] {
            assert!(!WORDS.contains(word), "{word}");
        }
    }
}
