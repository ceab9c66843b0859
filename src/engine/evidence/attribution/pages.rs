//! What a page is like with which it works: "if I open the page over https it works" says that the
//! page which fails is another one.

use std::ops::Range;

use super::super::Fact;
use super::super::clauses::{Word, clauses, holds, words, works_plainly};
use super::sentence_around;

/// Words that begin a condition.
const CONDITIONS: &[&str] = &["if", "when", "whenever", "once", "wenn", "sobald"];

/// What is spoken of where all of it is.
const IT: &[&str] = &[
    "it",
    "everything",
    "all",
    "this",
    "that",
    "socket",
    "sockets",
    "websocket",
    "websockets",
    "connection",
    "es",
    "alles",
];

/// Whether a fact is what a page is like with which it works, so that another one fails.
pub(super) fn is_of_a_working_page(fact: &Fact, text: &str) -> bool {
    let is_scheme = matches!(
        (&*fact.key, &*fact.value),
        ("page.scheme", "http" | "https") | ("since", "https")
    );
    let Some(said) = fact.span.filter(|_| is_scheme) else {
        return false;
    };
    let sentence = sentence_around(text, said);
    let words = words(&text[sentence.start..sentence.end]);
    let clauses = clauses(&words);
    let ends_behind =
        |clause: &Range<usize>| said.start < sentence.start + words[clause.end - 1].end;
    let own = clauses.iter().position(ends_behind);
    own.is_some_and(|own| {
        let condition = &words[clauses[own].clone()];
        let first = condition.iter().find(|word| !is_filler(word));
        let is_condition = first.is_some_and(|word| CONDITIONS.contains(&&*word.letters));
        let next = clauses.get(own + 1).map(|next| &words[next.clone()]);
        is_condition && (it_works(condition) || next.is_some_and(it_works))
    })
}

/// Whether a clause says that it works, not only a part of it.
fn it_works(clause: &[Word]) -> bool {
    works_plainly(clause) && holds(clause, IT)
}

fn is_filler(word: &Word) -> bool {
    matches!(
        &*word.letters,
        "but" | "and" | "only" | "even" | "it" | "works" | "aber" | "und"
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::meant;

    #[test]
    fn the_scheme_with_which_it_works_is_not_the_failing_pages() {
        let tells = |text: &str| {
            let words = &text[text.find("over").expect("over")..][.."over https".len()];
            !meant(text, &[("page.scheme=https", words)]).is_empty()
        };
        for text in [
            "If I open the page over https it works",
            "it only works when I open the page over https",
            "when I open it over https, everything works",
        ] {
            assert!(!tells(text), "{text}");
        }
        for text in [
            "If I open the page over https it fails",
            "the page is served over https and works fine, but the socket fails",
            "when I load the page over https, the login works, the socket does not",
            "the page is served over https",
        ] {
            assert!(tells(text), "{text}");
        }
    }
}
