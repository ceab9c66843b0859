//! Which client something is said of: "curl gets 101, the browser gets 403".
//!
//! Where two clients are set against each other, what one of them reaches is no fact of the connection
//! that the other fails to open: it says that another client works.

use std::sync::Arc;

use super::super::clauses::{Verdict, Word, clauses, holds, is_joint, verdict, words};
use super::super::sentences::sentence_after;
use super::super::{Fact, Span};
use super::{is_failure, sentence_around, touches};

/// Programs that people try a connection with.
const TOOLS: &[&str] = &[
    "curl",
    "wscat",
    "websocat",
    "postman",
    "insomnia",
    "hoppscotch",
    "bruno",
    "piesocket",
    "mqttx",
];

/// What a browser and what runs in it is called: one client, because browsers set against each other
/// are told apart elsewhere.
const BROWSERS: &[&str] = &[
    "browser", "browsers", "chrome", "chromium", "firefox", "safari", "vivaldi", "frontend",
    "webpage",
];

/// Names of languages and systems, which name a client only beside one of [`PROGRAMS`], or where
/// something is done in, with or from them.
const KINDS: &[&str] = &[
    "python", "node", "nodejs", "java", "kotlin", "golang", "php", "ruby", "rust", "swift", "dart",
    "flutter", "dotnet", "android", "ios", "iphone", "ipad", "mobile", "desktop", "native",
    "unity",
];

/// Words behind the name of a language that make it a client's.
const PROGRAMS: &[&str] = &[
    "client", "clients", "script", "scripts", "library", "sdk", "snippet", "test", "tool", "device",
];

/// What people call their own client.
const OWN: &[&str] = &[
    "app",
    "application",
    "client",
    "code",
    "component",
    "script",
];

/// Words before what is one's own.
const MINE: &[&str] = &["my", "our", "mein", "meine", "unser", "unsere"];

/// Words that stand before the client with which something is done.
const WITH: &[&str] = &["with", "in", "from", "using", "via", "mit", "von", "per"];

/// Words that stand before the client for which something is done.
const FOR: &[&str] = &["for", "to", "by"];

/// A word in which a client is named.
struct Mention<'a> {
    name: &'a str,
    at: usize,
}

/// A client that something is said of, with the place of its name.
#[derive(Clone, PartialEq)]
struct Owner {
    name: String,
    place: Span,
}

/// Makes what another client reaches, where this one fails, a fact of just that.
pub(super) fn tell_apart(facts: &mut Vec<Fact>, text: &str) {
    if !facts.iter().any(is_success) {
        return;
    }
    let of_whom = |fact: &Fact| owner(text, fact.span?, facts);
    let failing: Vec<Option<Owner>> = facts
        .iter()
        .filter(|fact| is_failure(fact))
        .map(of_whom)
        .collect();
    let others: Vec<Option<Owner>> = facts
        .iter()
        .map(|fact| {
            let owner = of_whom(Some(fact).filter(|fact| is_success(fact))?)?;
            let is_another = match failing.iter().all(Option::is_none) {
                true => another_fails(text, fact.span?, &owner),
                false => is_set_against(&owner, &failing),
            };
            is_another.then_some(owner)
        })
        .collect();
    for (fact, other) in facts.iter_mut().zip(&others) {
        if other.is_some() {
            fact.key = Arc::from("works.other-client");
            fact.value = Arc::from("yes");
        }
    }
    // What the other client's name tells is told of the other client.
    let names: Vec<Span> = others.iter().flatten().map(|owner| owner.place).collect();
    let is_of_another = |fact: &Fact| {
        let is_about_client = matches!(&*fact.key, "client.runtime" | "client.library");
        let is_named = |span: Span| names.iter().any(|name| touches(*name, span));
        is_about_client && fact.span.is_some_and(is_named)
    };
    facts.retain(|fact| !is_of_another(fact));
}

fn is_success(fact: &Fact) -> bool {
    matches!(
        (&*fact.key, &*fact.value),
        ("handshake.status", "101") | ("handshake.opened", "yes")
    )
}

/// Whether a client that reaches something is another one than all those that fail. What is called
/// one's own may run in a browser, and a plain request of curl fails where sockets open.
fn is_set_against(owner: &Owner, failing: &[Option<Owner>]) -> bool {
    let fails = |name: &str| failing.iter().flatten().any(|other| other.name == name);
    match &*owner.name {
        "own" => false,
        "browser" => failing.iter().all(|other| {
            let name = other.as_ref().map(|other| &*other.name);
            !matches!(name, None | Some("browser" | "own" | "curl"))
        }),
        name => !fails(name),
    }
}

/// The client that the words of a stretch are said of: the one named last before their end, or else
/// the one that they are said to happen with. Words of a browser itself are the browser's.
fn owner(text: &str, said: Span, facts: &[Fact]) -> Option<Owner> {
    let sentence = sentence_around(text, said);
    let words = words(&text[sentence.start..sentence.end]);
    let mentions = mentions(&words);
    let end = said.end - sentence.start;
    let is_joined = |from: usize, to: usize| !(from..to).any(|at| is_joint(&words, at));
    let last = words.partition_point(|word| word.start < end);
    let before = mentions.iter().rev().find(|mention| mention.at < last);
    let before = before.filter(|mention| is_joined(mention.at, last));
    let after = mentions.iter().find(|mention| mention.at >= last);
    let after = after.filter(|mention| {
        let lead = &words[mention.at.saturating_sub(3)..mention.at];
        is_joined(last, mention.at) && (holds(lead, WITH) || holds(lead, FOR))
    });
    let named = before.or(after).map(|mention| Owner {
        name: mention.name.to_owned(),
        place: Span {
            start: sentence.start + words[mention.at].start,
            end: sentence.start + words[mention.at].end,
        },
    });
    named.or_else(|| browser_in_line(sentence, facts))
}

/// The browser, where the line is known to be a browser's own.
fn browser_in_line(sentence: Span, facts: &[Fact]) -> Option<Owner> {
    let is_browsers = |fact: &&Fact| {
        let is_engine = *fact.key == *"client.engine";
        is_engine && fact.span.is_some_and(|span| touches(span, sentence))
    };
    let place = facts.iter().find(is_browsers)?.span?;
    let name = "browser".to_owned();
    Some(Owner { name, place })
}

/// Whether a clause beside what is said of a client says of another one that it fails.
fn another_fails(text: &str, said: Span, owner: &Owner) -> bool {
    let sentence = sentence_around(text, said);
    let next = text[sentence.end..].trim_start_matches(' ');
    let begin = text.len() - next.len();
    let end = begin + sentence_after(text, begin).len();
    let words = words(&text[sentence.start..end]);
    clauses(&words).into_iter().any(|clause| {
        let clause = &words[clause];
        let names = mentions(clause);
        let is_another = |first: &Mention<'_>| first.name != owner.name && owner.name != "own";
        names.first().is_some_and(is_another) && verdict(clause) == Some(Verdict::Fails)
    })
}

/// The clients that are named, in their order.
fn mentions(words: &[Word]) -> Vec<Mention<'_>> {
    let mention = |at| name(words, at).map(|name| Mention { name, at });
    (0..words.len()).filter_map(mention).collect()
}

/// The name of the client that a word names.
fn name(words: &[Word], at: usize) -> Option<&str> {
    let own = &*words[at].letters;
    let is_browser = matches!(own, "edge" | "brave" | "opera") && words[at].is_name;
    if is_browser || BROWSERS.contains(&own) {
        return Some("browser");
    }
    let before = &words[at.saturating_sub(1)..at];
    let after = &words[at + 1..words.len().min(at + 2)];
    let is_client = holds(before, WITH) || holds(after, PROGRAMS);
    if TOOLS.contains(&own) || KINDS.contains(&own) && is_client {
        return Some(own);
    }
    // "My React app", "our client".
    let is_mine = holds(&words[at.saturating_sub(3)..at], MINE) && !holds(before, KINDS);
    (is_mine && OWN.contains(&own)).then_some("own")
}

#[cfg(test)]
mod tests {
    use super::super::tests::meant;

    #[test]
    fn what_another_client_reaches_is_not_this_ones() {
        for (text, success, failure) in [
            (
                "curl returns 101, browser fails with 400",
                "returns 101",
                "400",
            ),
            (
                "the python client gets 101 but the browser gets 403",
                "gets 101",
                "gets 403",
            ),
            (
                "With Postman I get 101. My React app gets 403.",
                "get 101",
                "403",
            ),
            (
                "I get a 101 with wscat, in Firefox it is 403",
                "a 101",
                "403",
            ),
            (
                "The browser gets 101 while my Python script gets 403",
                "gets 101",
                "403",
            ),
            (
                "wscat: got 101\nChrome: Unexpected response code: 403",
                "got 101",
                "403",
            ),
        ] {
            let said = [
                ("handshake.status=101", success),
                ("handshake.status=403", failure),
            ];
            assert_eq!(
                meant(text, &said),
                ["works.other-client=yes", "handshake.status=403"],
                "{text}"
            );
        }
        for text in [
            "websocat gets 101, but it fails in the browser",
            "websocat gets 101. It does not work in Chrome.",
            "wscat gets 101, my app cannot connect",
        ] {
            let said = [("handshake.status=101", "gets 101")];
            assert_eq!(meant(text, &said), ["works.other-client=yes"], "{text}");
        }
    }

    #[test]
    fn a_client_that_opens_and_then_fails_is_this_one() {
        for text in [
            "wscat gets 101 and then it is closed with 1006",
            "the browser gets 101. After a minute it closes with 1006",
            "the server returns 101 and then 1006",
            "In Chrome I get 101, in Chrome it then closes with 1006",
            "my app gets 101 but after a while 1006",
        ] {
            let success = if text.contains("returns") {
                "returns 101"
            } else {
                "101"
            };
            let said = [
                ("handshake.status=101", success),
                ("close.code=1006", "1006"),
            ];
            assert_eq!(
                meant(text, &said),
                ["handshake.status=101", "close.code=1006"],
                "{text}"
            );
        }
    }

    #[test]
    fn the_other_clients_name_tells_nothing_of_this_one() {
        let text = "the python client gets 101 but the browser gets 403";
        let said = [
            ("client.runtime=python", "python client"),
            ("handshake.status=101", "gets 101"),
            ("handshake.status=403", "gets 403"),
        ];
        assert_eq!(
            meant(text, &said),
            ["works.other-client=yes", "handshake.status=403"]
        );
    }
}
