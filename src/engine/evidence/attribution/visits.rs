//! Addresses that were opened as a page: "when I open it in the address bar I get 400".
//!
//! A server of sockets answers so to whatever asks for no socket. Beside the socket's own failure the
//! answer is something to compare it with.

use std::sync::Arc;

use super::super::Fact;
use super::super::clauses::{Word, is_joint, words};
use super::{is_failure, sentence_around};

/// Words of opening an address as a page.
const VISITS: &[&str] = &[
    "open",
    "opens",
    "opened",
    "opening",
    "visit",
    "visits",
    "visited",
    "visiting",
    "browse",
    "browsing",
    "enter",
    "entering",
    "type",
    "typing",
    "curl",
    "navigate",
    "navigating",
    "go",
    "going",
    "öffne",
    "aufrufe",
];

/// What a request that asks for a socket is written with.
const OF_HANDSHAKES: &[&str] = &["-H ", "--header", "pgrade:"];

/// Words behind which the socket is spoken of.
const SOCKETS: &[&str] = &[
    "websocket",
    "websockets",
    "socket",
    "sockets",
    "handshake",
    "connection",
    "wss",
    "ws",
];

/// What servers of sockets answer to a request for a page, so that it tells nothing of the socket.
const OF_SOCKET_SERVERS: &[&str] = &["200", "400", "405", "426"];

/// Makes the status that a visit got, where the socket's own failure is known, a comparison with it.
pub(super) fn compare(facts: &mut Vec<Fact>, text: &str) {
    let is_visits: Vec<bool> = facts.iter().map(|fact| is_visits(fact, text)).collect();
    if !is_visits.contains(&true) {
        return;
    }
    let others = || facts.iter().zip(&is_visits).filter(|(_, is)| !**is);
    if !others().any(|(fact, _)| is_failure(fact)) {
        return;
    }
    let is_status = |fact: &Fact| *fact.key == *"handshake.status";
    let sockets: Vec<Arc<str>> = others()
        .filter(|(fact, _)| is_status(fact))
        .map(|(fact, _)| fact.value.clone())
        .collect();
    if sockets.is_empty() {
        // There is nothing to compare with.
        let mut visits = is_visits.into_iter();
        facts.retain(|_| !visits.next().unwrap_or(false));
        return;
    }
    for (fact, _) in facts.iter_mut().zip(is_visits).filter(|(_, is)| *is) {
        let is_same = sockets.contains(&fact.value);
        fact.key = Arc::from("upgrade.compared");
        fact.value = Arc::from(if is_same { "same" } else { "different" });
    }
}

/// Whether a fact is the status with which a visit to an address was answered.
fn is_visits(fact: &Fact, text: &str) -> bool {
    let Some(said) = fact.span.filter(|_| is_answer(fact)) else {
        return false;
    };
    let sentence = sentence_around(text, said);
    let before = &text[sentence.start..said.end];
    if !before.contains("http") && !before.contains(" bar") {
        return false;
    }
    let words = words(before);
    let joint = (0..words.len()).rev().find(|at| is_joint(&words, *at));
    let clause = &words[joint.unwrap_or(0)..];
    let begin = clause.first().map_or(0, |word| word.start);
    let holds_one = |words: &[&str]| words.iter().any(|it| before[begin..].contains(it));
    let names_page = holds_one(&["http://", "https://"]);
    let last = |expected: &[&str]| {
        let is_word = |word: &Word| expected.contains(&&*word.letters);
        clause.iter().rposition(is_word)
    };
    let bar = clause.windows(2).rposition(is_address_bar);
    let visit = bar.or(last(VISITS).filter(|_| names_page));
    visit.is_some() && visit > last(SOCKETS) && !holds_one(OF_HANDSHAKES)
}

fn is_answer(fact: &Fact) -> bool {
    *fact.key == *"handshake.status" && OF_SOCKET_SERVERS.contains(&&*fact.value)
}

fn is_address_bar(pair: &[Word]) -> bool {
    matches!(pair, [what, bar]
        if matches!(&*what.letters, "address" | "url" | "location") && bar.letters == "bar")
}

#[cfg(test)]
mod tests {
    use super::super::tests::meant;

    #[test]
    fn the_answer_to_a_visit_is_not_the_handshakes() {
        let bar =
            "when I open https://a.example/ws in the address bar I get 400, the socket gets 403";
        let said = [
            ("handshake.status=400", "400"),
            ("handshake.status=403", "403"),
        ];
        assert_eq!(
            meant(bar, &said),
            ["upgrade.compared=different", "handshake.status=403"]
        );
        let same = "I opened https://a.example/ws and got 426. The websocket gets 426 too.";
        let said = [
            ("handshake.status=426", "got 426"),
            ("handshake.status=426", "gets 426"),
        ];
        assert_eq!(
            meant(same, &said),
            ["upgrade.compared=same", "handshake.status=426"]
        );
        let asked = "curl -H 'Upgrade: websocket' https://a.example/ws gives 400, so it fails";
        let said = [("handshake.status=400", "400"), ("client.fault=x", "fails")];
        assert_eq!(meant(asked, &said).len(), 2);
        let plain = "curl https://a.example/ws gives 400, so it fails";
        assert_eq!(meant(plain, &said), ["client.fault=x"]);
        let ended = "visiting https://a.example/ws gives 426 but the socket closes with 1006";
        let said = [("handshake.status=426", "426"), ("close.code=1006", "1006")];
        assert_eq!(meant(ended, &said), ["close.code=1006"]);
    }

    #[test]
    fn a_status_that_is_all_that_is_known_stays() {
        for text in [
            "when I open https://a.example/ws I get 400",
            "opening a websocket to https://a.example/ws gives 400",
            "I open the app, but the handshake at https://a.example/ws gets 400",
        ] {
            let said = [("handshake.status=400", "400")];
            assert_eq!(meant(text, &said), ["handshake.status=400"], "{text}");
        }
    }
}
