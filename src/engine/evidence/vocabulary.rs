//! Lists of words of which most are known not to be the one without comparing any, and phrases that are
//! looked for all at once.

use aho_corasick::AhoCorasick;

/// So many numbers hold a bit for each kind of word.
const KINDS: usize = 4;

/// A list of words in lower case.
pub(super) struct Vocabulary {
    words: &'static [&'static str],
    /// Which first bytes and lengths there are, see [`kind`].
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

/// Phrases that are looked for in one pass.
pub(super) struct Phrases {
    /// `None` only if there were too many of them, and then none is found.
    automaton: Option<AhoCorasick>,
}

impl Phrases {
    /// Phrases that stand in a text as they are written here.
    pub(super) fn of(phrases: &[&str]) -> Self {
        Phrases {
            automaton: AhoCorasick::new(phrases).ok(),
        }
    }

    /// Phrases that stand in a text whatever the case of their ASCII letters.
    pub(super) fn in_any_case(phrases: &[&str]) -> Self {
        let mut builder = AhoCorasick::builder();
        builder.ascii_case_insensitive(true);
        Phrases {
            automaton: builder.build(phrases).ok(),
        }
    }

    /// Whether one of them stands in the text.
    pub(super) fn stand_in(&self, text: &str) -> bool {
        let automaton = self.automaton.as_ref();
        automaton.is_some_and(|automaton| automaton.is_match(text))
    }

    /// Which of them stand in the text, by their numbers, also within one another.
    pub(super) fn all_in(&self, text: &str) -> impl Iterator<Item = usize> {
        let automaton = self.automaton.iter();
        let found = automaton.flat_map(move |automaton| automaton.find_overlapping_iter(text));
        found.map(|phrase| phrase.pattern().as_usize())
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
