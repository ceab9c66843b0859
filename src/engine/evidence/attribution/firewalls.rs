//! What came of it that a firewall was turned off: it works, so it was the firewall; or it still fails,
//! so it was not.

use std::sync::Arc;

use super::super::clauses::{Verdict, Word, clauses, holds, verdict, words, works_plainly};
use super::super::sentences::sentence_after;
use super::super::{Fact, Span};
use super::{sentence_around, touches};

/// Words that say that something was taken out of the way.
const OFF: &[&str] = &[
    "off",
    "disabled",
    "disabling",
    "stopped",
    "stopping",
    "deactivated",
    "deactivating",
];

/// Words of trying again to no avail.
const UNCHANGED: &[&str] = &[
    "times",
    "same",
    "persists",
    "persist",
    "remains",
    "luck",
    "difference",
    "effect",
    "avail",
    "unchanged",
];

/// Words with which it works in part only, or always did.
const IN_PART: &[&str] = &[
    "locally",
    "localhost",
    "page",
    "site",
    "sometimes",
    "before",
    "still",
];

/// Makes what is said of a firewall that was turned off what came of it: it still fails, so it is not
/// the firewall; or it works, so it was.
pub(super) fn weigh(facts: &mut Vec<Fact>, text: &str) {
    let mut innocent: Vec<Span> = Vec::new();
    for fact in facts.iter_mut() {
        let is_allowed = *fact.key == *"firewall.rule" && *fact.value == *"allow";
        let Some(said) = fact.span.filter(|_| is_allowed) else {
            continue;
        };
        match outcome_without(text, said) {
            Some(Verdict::Works) => fact.value = Arc::from("drop"),
            Some(Verdict::Fails) => innocent.push(said),
            None => {}
        }
    }
    facts.retain(|fact| {
        let is_suspicion = matches!(
            &*fact.key,
            "environment.firewall" | "environment.host-firewall"
        );
        let is_cleared = |span: Span| innocent.iter().any(|cleared| touches(*cleared, span));
        !(is_suspicion && fact.span.is_some_and(is_cleared))
    });
}

/// What came of it that something was turned off, where the stretch says so.
fn outcome_without(text: &str, said: Span) -> Option<Verdict> {
    let itself = words(&text[said.start..said.end]);
    if !holds(&itself, OFF) {
        return None;
    }
    let sentence = sentence_around(text, said);
    let behind = text[said.end..sentence.end].to_owned() + sentence_after(text, sentence.end);
    let behind = words(&behind);
    let after = clauses(&behind)
        .into_iter()
        .take(2)
        .find_map(|clause| outcome(&behind[clause]));
    // "It works with the firewall turned off."
    let before = words(&text[sentence.start..said.start]);
    let last = clauses(&before).pop();
    let last = last.filter(|_| before.last().is_some_and(|word| !word.ends_clause));
    let outcome = after.or_else(|| outcome(&before[last?]))?;
    // What is off all the time was not tried.
    let is_state = holds(&itself, &["is", "are", "was"]);
    (outcome == Verdict::Fails || !is_state).then_some(outcome)
}

fn outcome(clause: &[Word]) -> Option<Verdict> {
    match verdict(clause) {
        _ if holds(clause, UNCHANGED) => Some(Verdict::Fails),
        Some(Verdict::Works) if !works_plainly(clause) || holds(clause, IN_PART) => None,
        verdict => verdict,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::meant;

    #[test]
    fn what_came_of_it_that_the_firewall_was_off_says_whether_it_was_it() {
        let said = [
            ("firewall.rule=allow", "turned off the firewall"),
            ("environment.firewall=yes", "firewall"),
        ];
        for text in [
            "I turned off the firewall and it works",
            "It works with turned off the firewall",
            "I turned off the firewall. Now it works.",
        ] {
            assert_eq!(
                meant(text, &said),
                ["firewall.rule=drop", "environment.firewall=yes"],
                "{text}"
            );
        }
        for text in [
            "I turned off the firewall and it still fails",
            "I turned off the firewall, same error",
            "I turned off the firewall. It does not help.",
            "I turned off the firewall but no luck",
        ] {
            assert_eq!(meant(text, &said), ["firewall.rule=allow"], "{text}");
        }
        for text in [
            "I turned off the firewall for a minute",
            "I turned off the firewall, locally it works",
            "I turned off the firewall and I can ping it",
        ] {
            assert_eq!(meant(text, &said).len(), 2, "{text}");
        }
        let state = "the firewall is off, when I connect from home it works";
        let said = [("firewall.rule=allow", "firewall is off")];
        assert_eq!(meant(state, &said), ["firewall.rule=allow"]);
    }
}
