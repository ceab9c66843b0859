//! Durations that are somebody's setting or stand in a manual: "the docs say that idle connections are
//! closed after 100 seconds", "it stays up for 5 minutes but the timeout is set to 60 seconds".
//!
//! How long a connection lived is what was seen of it; a limit that is only known tells nothing of it.

use std::cell::OnceCell;

use super::super::clauses::{Word, holds, is_joint, words};
use super::super::durations::seconds;
use super::super::{Contents, Fact, Span};
use super::sentence_around;

/// What a sentence about the end of connections tells.
const OF_ENDINGS: &[&str] = &[
    "open.seconds",
    "ends.after",
    "fails.when",
    "session.fault",
    "close.code",
];

/// What is written for others to read.
const WRITINGS: &[&str] = &[
    "docs",
    "doc",
    "documentation",
    "manual",
    "readme",
    "guide",
    "reference",
    "faq",
    "spec",
    "specification",
    "dokumentation",
    "doku",
    "handbuch",
];

/// What a writing does.
const TELLS: &[&str] = &[
    "say",
    "says",
    "said",
    "state",
    "states",
    "mention",
    "mentions",
    "tell",
    "tells",
    "claim",
    "claims",
    "describe",
    "describes",
    "specify",
    "specifies",
    "promise",
    "promises",
    "list",
    "lists",
    "sagt",
    "sagen",
    "nennt",
];

/// Words before a writing from which something is taken.
const ACCORDING: &[&str] = &["according", "per", "laut", "nach"];

/// Words of what is one's own, of which no writing speaks.
const OWN: &[&str] = &["my", "mine", "our", "i", "we"];

/// Words that name a setting which lasts a while, also as the last part of its name.
const SETTINGS: &[&str] = &[
    "timeout",
    "timeouts",
    "time-out",
    "keepalive",
    "keep-alive",
    "interval",
    "heartbeat",
    "ttl",
];

/// What is sent again and again.
const PULSES: &[&str] = &[
    "ping",
    "pings",
    "pinging",
    "heartbeat",
    "heartbeats",
    "keepalive",
    "keepalives",
    "poll",
    "polls",
    "polling",
    "message",
    "messages",
    "request",
    "requests",
];

/// What comes after a while once more.
const RETURNS: &[&str] = &[
    "reconnect",
    "reconnects",
    "reconnected",
    "reconnecting",
    "retry",
    "retries",
    "retried",
    "retrying",
];

/// Words between a setting and its value.
const BETWEEN: &[&str] = &[
    "is",
    "are",
    "was",
    "were",
    "set",
    "to",
    "of",
    "at",
    "as",
    "with",
    "configured",
    "defaults",
    "default",
    "value",
    "currently",
    "already",
    "only",
    "just",
    "raised",
    "increased",
    "about",
    "for",
    "now",
    "a",
    "the",
];

/// Words that make a setting's value the time after which it happened: "after a timeout of 60 seconds".
const UNTIL: &[&str] = &["after", "at", "within", "by", "hits", "reaches", "nach"];

/// "1 hour and 5 minutes".
const MOST_WORDS_OF_DURATION: usize = 4;

/// Tells what is only a limit from what was seen.
pub(super) struct Limits<'a> {
    contents: &'a Contents<'a>,
    /// Whether the text may quote a manual, once that is asked for.
    names_a_writing: OnceCell<bool>,
}

impl<'a> Limits<'a> {
    pub(super) fn of(contents: &'a Contents<'a>) -> Self {
        Limits {
            contents,
            names_a_writing: OnceCell::new(),
        }
    }

    /// Whether a fact is only what a setting or a manual says of connections in general.
    pub(super) fn hold(&self, fact: &Fact) -> bool {
        let Some(said) = fact.span.filter(|_| OF_ENDINGS.contains(&&*fact.key)) else {
            return false;
        };
        let text = self.contents.text();
        let names_a_writing = || names_a_writing(self.contents);
        let is_duration = matches!(&*fact.key, "open.seconds" | "ends.after");
        *self.names_a_writing.get_or_init(names_a_writing) && is_of_a_writing(text, said)
            || is_duration && is_set(fact, text, said)
    }
}

/// Most texts name none, which is seen without cutting sentences into words.
fn names_a_writing(contents: &Contents<'_>) -> bool {
    let mut writings = WRITINGS.iter().chain(&["default"]);
    writings.any(|writing| contents.may_hold(writing))
}

/// Whether the sentence says that its words stand in some manual.
fn is_of_a_writing(text: &str, said: Span) -> bool {
    let Span { start, end } = sentence_around(text, said);
    let sentence = &text[start..end];
    let words = words(sentence);
    let first = words.partition_point(|word| start + word.end <= said.start);
    let behind = words.partition_point(|word| start + word.start < said.end);
    is_documented(sentence, &words[..first]) || is_attributed(&words[behind..])
}

/// Whether the last clause of what stands before says that it is written somewhere.
fn is_documented(sentence: &str, before: &[Word]) -> bool {
    let clause = (0..before.len())
        .rev()
        .find(|at| is_joint(before, *at))
        .map_or(before, |joint| &before[joint..]);
    if is_default(clause) {
        return true;
    }
    let writing = clause
        .iter()
        .rposition(|word| WRITINGS.contains(&&*word.letters));
    let Some(writing) = writing else {
        return false;
    };
    let (lead, rest) = clause.split_at(writing);
    // "The documentation: ..", "the docs say ..".
    let is_quoted = sentence[rest[0].end..].starts_with(':');
    let is_told = is_quoted || holds(&rest[1..rest.len().min(4)], TELLS);
    let is_source = holds(&lead[lead.len().saturating_sub(4)..], ACCORDING);
    (is_told || is_source) && !holds(rest, OWN)
}

/// Whether a clause speaks of what happens by default.
fn is_default(clause: &[Word]) -> bool {
    let is_pair = |pair: &[Word]| pair[0].letters == "by" && pair[1].letters == "default";
    clause.windows(2).any(is_pair) && !holds(clause, OWN) && !holds(clause, &["it"])
}

/// Whether what stands right behind says where it was written: "says the documentation".
fn is_attributed(after: &[Word]) -> bool {
    let after = &after[..after.len().min(4)];
    let is_source = holds(after, TELLS) || holds(after, ACCORDING);
    is_source && holds(after, WRITINGS) && !after.iter().any(is_set_against)
}

fn is_set_against(word: &Word) -> bool {
    matches!(&*word.letters, "but" | "as" | "like")
}

/// Whether the duration that became the fact is a setting's value wherever it stands.
fn is_set(fact: &Fact, text: &str, said: Span) -> bool {
    let mut places = places_of(fact, text, said).into_iter().peekable();
    places.peek().is_some() && places.all(|place| is_of_another(text, place))
}

/// Where the words say the duration that became the fact; all of them, where it only says that one
/// is said.
fn places_of(fact: &Fact, text: &str, said: Span) -> Vec<Span> {
    let expected = fact.value.parse::<f64>().ok();
    if expected.is_none() && *fact.key != *"ends.after" {
        return Vec::new();
    }
    let itself = &text[said.start..said.end];
    let words = words(itself);
    let ends_at = |end: usize| {
        let starts = (end.saturating_sub(MOST_WORDS_OF_DURATION)..=end).rev();
        let mut spans = starts.map(|start| (words[start].start, words[end].end));
        let is_meant = |found: f64| expected.is_none_or(|expected| found == expected);
        let (start, end) =
            spans.find(|(start, end)| seconds(&itself[*start..*end]).is_some_and(is_meant))?;
        Some(Span {
            start: said.start + start,
            end: said.start + end,
        })
    };
    (0..words.len()).filter_map(ends_at).collect()
}

/// Whether what stands before a duration says that it is not that of the connection: the name of a
/// setting which it is the value of, or of something that is done again and again.
fn is_of_another(text: &str, duration: Span) -> bool {
    let before = &text[sentence_around(text, duration).start..duration.start];
    let words = words(before);
    follows_routine(&words) || follows_setting(before, &words)
}

/// "Ping every", "reconnects after".
fn follows_routine(words: &[Word]) -> bool {
    let is_vague = |word: &&Word| matches!(&*word.letters, "a" | "about" | "the" | "around");
    let mut back = words.iter().rev().skip_while(is_vague);
    let (Some(when), Some(what)) = (back.next(), back.next()) else {
        return false;
    };
    match &*when.letters {
        "every" | "each" => PULSES.contains(&&*what.letters),
        "after" | "in" | "within" => RETURNS.contains(&&*what.letters),
        _ => false,
    }
}

fn follows_setting(before: &str, words: &[Word]) -> bool {
    let is_between = |word: &Word| BETWEEN.contains(&&*word.letters);
    let Some(setting) = words.iter().rposition(|word| !is_between(word)) else {
        return false;
    };
    let lead = &words[setting.saturating_sub(3)..setting];
    names_setting(&before[words[setting].start..words[setting].end]) && !holds(lead, UNTIL)
}

/// `timeout`, `proxy_read_timeout`, `keepAliveInterval`.
fn names_setting(word: &str) -> bool {
    let word = word.to_lowercase();
    SETTINGS.iter().any(|setting| word.ends_with(setting))
}

#[cfg(test)]
mod tests {
    use super::super::tests::meant;

    /// Whether words that end a sentence's duration are taken for how long the connection lived.
    fn is_lifetime(text: &str, words: &str, seconds: &str) -> bool {
        let told = format!("open.seconds={seconds}");
        !meant(text, &[(&told, words)]).is_empty()
    }

    #[test]
    fn what_a_manual_says_of_connections_was_not_seen() {
        for text in [
            "the docs say idle connections are closed after 100 seconds",
            "The documentation states that sockets are closed after 100 seconds of silence",
            "according to their docs connections are closed after 100 seconds",
            "their documentation: \"connections are closed after 100 seconds\"",
            "connections are closed after 100 seconds, says the manual",
            "by default connections are closed after 100 seconds",
        ] {
            assert!(
                !is_lifetime(text, "closed after 100 seconds", "100"),
                "{text}"
            );
        }
        for text in [
            "the docs say nothing of it, but mine is closed after 100 seconds",
            "I read the docs. It is closed after 100 seconds",
            "it is closed after 100 seconds, as the docs say",
            "I read the docs, it is closed after 100 seconds",
            "by default my socket is closed after 100 seconds",
            "by default it is closed after 100 seconds",
            "the docs say 10 minutes while it is closed after 100 seconds",
            "according to the docs my socket should stay, my socket is closed after 100 seconds",
        ] {
            assert!(
                is_lifetime(text, "closed after 100 seconds", "100"),
                "{text}"
            );
        }
    }

    #[test]
    fn the_value_of_a_setting_is_not_how_long_it_lived() {
        for (text, words) in [
            (
                "it closes at random, the read timeout is set for 60 seconds",
                "closes at random, the read timeout is set for 60 seconds",
            ),
            (
                "it drops although proxy_read_timeout is at 60s",
                "drops although proxy_read_timeout is at 60s",
            ),
            (
                "it drops, keepAliveInterval: 60 seconds",
                "drops, keepAliveInterval: 60 seconds",
            ),
        ] {
            assert!(!is_lifetime(text, words, "60"), "{text}");
        }
        for (text, words) in [
            (
                "it closes after a timeout of 60 seconds",
                "closes after a timeout of 60 seconds",
            ),
            (
                "it closes after 60 seconds, the timeout is 60 seconds",
                "closes after 60 seconds, the timeout is 60 seconds",
            ),
            (
                "a timeout, it closes after 60 seconds",
                "closes after 60 seconds",
            ),
            (
                "connection timeout after 60 seconds",
                "timeout after 60 seconds",
            ),
        ] {
            assert!(is_lifetime(text, words, "60"), "{text}");
        }
    }

    #[test]
    fn what_is_done_again_and_again_is_not_how_long_it_lived() {
        for (text, words) in [
            (
                "it drops. Ping every 60 seconds",
                "drops. Ping every 60 seconds",
            ),
            (
                "it reconnects after 60 seconds and drops",
                "after 60 seconds and drops",
            ),
        ] {
            assert!(!is_lifetime(text, words, "60"), "{text}");
        }
        let text = "it drops. Ping every 60 seconds";
        let said = [("ends.after=fixed-time", "drops. Ping every 60 seconds")];
        assert!(meant(text, &said).is_empty());
        for (text, words) in [
            ("it drops every 60 seconds", "drops every 60 seconds"),
            (
                "it is dropping about every 60 seconds",
                "dropping about every 60 seconds",
            ),
            (
                "clients reconnect every 60 seconds",
                "reconnect every 60 seconds",
            ),
        ] {
            assert!(is_lifetime(text, words, "60"), "{text}");
        }
    }
}
