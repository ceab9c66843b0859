//! What people write back to a step in place of pressing its button: "yes", "no", "no idea", or the
//! words of an answer. Sentences that say more are evidence like any other.

/// A reply is no longer than that, in words.
const MOST_WORDS: usize = 12;
const YES: [&str; 9] = [
    "yes",
    "yep",
    "yeah",
    "yes it does",
    "it does",
    "yes it works",
    "it works there",
    "ja",
    "sure",
];
const NO: [&str; 10] = [
    "no",
    "nope",
    "no it does not",
    "no it doesn't",
    "it does not",
    "it doesn't",
    "it fails",
    "it fails there too",
    "nein",
    "fails",
];
const CANNOT_TELL: [&str; 8] = [
    "i cannot tell",
    "cannot tell",
    "i don't know",
    "i do not know",
    "don't know",
    "no idea",
    "not sure",
    "dunno",
];

/// The id of the answer that is meant; `None` if the text is no reply to a step with these answers,
/// given as id and words.
pub fn meant<'a>(text: &str, answers: &'a [(String, String)]) -> Option<&'a str> {
    let text = plain(text);
    if text.is_empty() || text.split(' ').count() > MOST_WORDS {
        return None;
    }
    let of_id = |ids: &[&str]| {
        let found = answers.iter().find(|(id, _)| ids.contains(&id.as_str()));
        found.map(|(id, _)| id.as_str())
    };
    if let Some((id, _)) = answers.iter().find(|(_, words)| plain(words) == text) {
        return Some(id);
    }
    let words = text.as_str();
    if CANNOT_TELL.contains(&words) {
        of_id(&["cannot-tell"])
    } else if YES.contains(&words) {
        of_id(&["yes", "works"])
    } else if NO.contains(&words) {
        of_id(&["no", "fails"])
    } else {
        None
    }
}

/// Lower case, without punctuation at the ends of words, single spaces.
fn plain(text: &str) -> String {
    let words = text.split_whitespace().map(|word| {
        let word = word.trim_matches(|letter: char| !letter.is_alphanumeric());
        word.replace('\u{2019}', "'").to_lowercase()
    });
    let words: Vec<String> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(given: &[(&str, &str)]) -> Vec<(String, String)> {
        let given = given.iter();
        given
            .map(|(id, words)| ((*id).to_owned(), (*words).to_owned()))
            .collect()
    }

    #[test]
    fn short_replies_mean_an_answer() {
        let two = answers(&[
            ("yes", "Yes, on the other network it works"),
            ("no", "No, it fails there in the same way"),
            ("cannot-tell", "I cannot tell"),
        ]);
        for (text, meant_by_it) in [
            ("Yes!", "yes"),
            ("yep", "yes"),
            ("No.", "no"),
            ("no, it doesn\u{2019}t", "no"),
            ("no idea", "cannot-tell"),
            ("yes, on the other network it works", "yes"),
        ] {
            assert_eq!(meant(text, &two), Some(meant_by_it), "{text}");
        }
        for text in ["", "yes, but only behind nginx", "code 1006", "?"] {
            assert_eq!(meant(text, &two), None, "{text}");
        }
    }

    #[test]
    fn yes_means_nothing_where_there_are_many_answers() {
        let many = answers(&[
            ("nothing", "Nothing: the client reaches the server directly"),
            ("nginx", "nginx"),
            ("cannot-tell", "I cannot tell"),
        ]);
        assert_eq!(meant("yes", &many), None);
        assert_eq!(meant("nginx", &many), Some("nginx"));
        assert_eq!(meant("nginx 1.25 in a container", &many), None);
    }
}
