//! A browser's complaint about cross-origin requests, where the answer was an error's page.

use super::super::{Fact, Span};
use super::touches;

/// Answers that come from where nothing of the application runs, so that they lack the headers which
/// browsers demand.
const WITHOUT_APPLICATION: &[&str] = &["404", "502", "503", "504"];

/// Drops a browser's complaint that an answer lacks the headers for other origins, where the answer
/// is known to be none of the application's: such answers lack them always.
pub(super) fn see_behind(facts: &mut Vec<Fact>) {
    let is_status = |fact: &Fact| {
        *fact.key == *"handshake.status" && WITHOUT_APPLICATION.contains(&&*fact.value)
    };
    if !facts.iter().any(is_status) {
        return;
    }
    let is_complaint = |fact: &Fact| *fact.key == *"client.fault" && *fact.value == *"cors-blocked";
    let complaints: Vec<Span> = facts
        .iter()
        .filter(|fact| is_complaint(fact))
        .filter_map(|fact| fact.span)
        .collect();
    facts.retain(|fact| {
        let is_of_complaint = is_complaint(fact) || *fact.key == *"environment.origin";
        let is_within = |span: Span| complaints.iter().any(|complaint| touches(*complaint, span));
        !(is_of_complaint && fact.span.is_some_and(is_within))
    });
}

#[cfg(test)]
mod tests {
    use super::super::tests::meant;

    #[test]
    fn an_answer_of_no_application_says_more_than_that_it_lacks_headers() {
        let text = "blocked by CORS policy: no header\nGET /socket.io 404";
        let complaint = ("client.fault=cors-blocked", "blocked by CORS policy");
        assert_eq!(
            meant(text, &[complaint, ("handshake.status=404", "404")]),
            ["handshake.status=404"]
        );
        assert_eq!(meant(text, &[complaint]), ["client.fault=cors-blocked"]);
        let refused = "blocked by CORS policy: no header\nGET /socket.io 403";
        let said = [complaint, ("handshake.status=403", "403")];
        assert_eq!(meant(refused, &said).len(), 2);
    }
}
