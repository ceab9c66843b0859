//! Of whom and of what a sentence says the words that a wording read in it.
//!
//! A wording sees a few words: "returns 101", "closed after 100 seconds". Whether this connection is
//! meant, or another client's that is set against it, stands around them, often in another clause.

mod clients;
mod cors;
mod firewalls;
mod limits;
mod names;
mod pages;
mod visits;

use super::sentences::{is_expectation, sentence_around};
use super::{Contents, Fact, Span};
use crate::engine::graph::Hop;

/// The facts that wordings read in a text, as the sentences around them mean them.
pub fn as_meant(mut facts: Vec<Fact>, contents: &Contents<'_>) -> Vec<Fact> {
    let text = contents.text();
    let limits = limits::Limits::of(contents);
    facts.retain(|fact| {
        !is_expected_only(fact, text)
            && !limits.hold(fact)
            && !pages::is_of_a_working_page(fact, text)
            && !names::is_part_of_a_name(fact, text)
    });
    clients::tell_apart(&mut facts, text);
    firewalls::weigh(&mut facts, text);
    visits::compare(&mut facts, text);
    cors::see_behind(&mut facts);
    facts
}

/// Whether a fact is a number that a sentence only expects or denies.
fn is_expected_only(fact: &Fact, text: &str) -> bool {
    let is_number = matches!(&*fact.key, "handshake.status" | "close.code");
    let start = fact.span.filter(|_| is_number).map(|span| span.start);
    start.is_some_and(|start| is_expectation(text, start))
}

/// Whether a fact says that a connection failed, as its client sees it.
fn is_failure(fact: &Fact) -> bool {
    let value = &*fact.value;
    let fails = match &*fact.key {
        "handshake.status" => value != "101",
        "handshake.opened" => value == "no",
        "close.code" => !matches!(value, "1000" | "1001" | "1005"),
        "dns.lookup" | "tcp.connect" => value != "ok",
        "tls.fault" => value != "none",
        "handshake.fault" | "handshake.answer" | "client.fault" | "client.reason" => true,
        _ => false,
    };
    fails && fact.hop == Hop::ClientEdge
}

/// Whether a stretch of a text touches another.
fn touches(one: Span, other: Span) -> bool {
    one.start < other.end && other.start < one.end
}

#[cfg(test)]
mod tests;
