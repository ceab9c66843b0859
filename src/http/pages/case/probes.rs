//! Probes on a case's page: what they saw, and the forms that order one.

use super::super::messages::Messages;
use super::super::probe::{Ladder, Vantages, address, stage_name};
use super::time;
use crate::app::DiagnosedCase;
use crate::case::{Case, Probed, StageState};
use crate::engine::diagnosis::VerdictKind;
use crate::engine::graph::{Graph, Layer};
use crate::engine::next_step::StepKind;
use crate::engine::prose::{Subject, is_whole};
use crate::http::Shared;

/// What a probe saw.
pub(super) struct Seen {
    pub(super) title: String,
    pub(super) address: String,
    pub(super) ladder: Ladder,
    pub(super) has_stages: bool,
    /// Beside what the user's browser saw.
    pub(super) vantages: Option<Vantages>,
    /// All but the newest are folded.
    pub(super) is_newest: bool,
}

/// How to order a probe.
pub(super) struct Offer {
    /// What the form is filled with.
    pub(super) url: String,
    pub(super) origin: String,
    pub(super) subprotocols: String,
    pub(super) hold: String,
    pub(super) longest_hold: u64,
    pub(super) hold_hint: String,
    /// One click probes it: the address is known whole, and a probe would tell.
    pub(super) has_short_cut: bool,
    /// It is the next step, and one click does it.
    pub(super) is_step: bool,
    /// The last probe is repeated.
    pub(super) is_again: bool,
    /// What to run on one's own machine.
    pub(super) command: String,
    /// Where the browser tests itself.
    pub(super) check: String,
}

/// The probes of a case, the newest first.
pub(super) fn seen(t: &'static Messages, case: &Case) -> Vec<Seen> {
    let mut all: Vec<Seen> = case
        .entries
        .iter()
        .filter_map(|entry| entry.probed.as_deref())
        .map(|probed| Seen {
            title: t.with("probe.saw", "time", time(probed.started_at)),
            address: with_origin(t, probed),
            ladder: Ladder::of(t, &probed.stages, &probed.variants),
            has_stages: !probed.stages.is_empty(),
            vantages: Vantages::of(t, probed),
            is_newest: false,
        })
        .rev()
        .collect();
    if let Some(newest) = all.first_mut() {
        newest.is_newest = true;
    }
    all
}

fn with_origin(t: &Messages, probed: &Probed) -> String {
    match &probed.origin {
        Some(origin) => {
            let words = t.with("probe.with-origin", "origin", origin);
            format!("{} {words}", probed.url)
        }
        None => probed.url.clone(),
    }
}

/// What a probe saw, in a word.
pub(super) fn result(t: &Messages, probed: &Probed) -> String {
    let failed = probed
        .stages
        .iter()
        .find(|stage| stage.state == StageState::Failed);
    match failed {
        Some(stage) => t.with(
            "timeline.probed-failed",
            "stage",
            t.get(stage_name(stage.stage)),
        ),
        None => t.get("timeline.probed-works").to_owned(),
    }
}

/// Where the probe of this case that waits or runs is looked at.
pub(super) fn under_way(shared: &Shared, case: &str) -> Option<String> {
    shared.app.probe_of_case(case).map(|job| address(&job))
}

impl Offer {
    pub(super) fn new(t: &Messages, shared: &Shared, graph: &Graph, found: &DiagnosedCase) -> Self {
        let last = found
            .case
            .entries
            .iter()
            .rev()
            .find_map(|entry| entry.probed.as_deref());
        let subject = &found.diagnosis.subject;
        let url = last
            .map(|probed| probed.url.clone())
            .or_else(|| found.url())
            .unwrap_or_default();
        let origin = last
            .and_then(|probed| probed.origin.clone())
            .or_else(|| subject.origin.clone())
            .unwrap_or_default();
        let hold = last.map_or(0, |probed| probed.hold_seconds);
        let longest_hold = shared.app.longest_hold();
        let is_possible = !url.is_empty() && is_whole(&url) && shared.app.may_probe(&url);
        let is_next = found.diagnosis.next_step.kind == StepKind::Probe;
        Offer {
            is_step: is_possible && is_next,
            has_short_cut: is_possible && !is_next && would_tell(graph, found),
            is_again: last.is_some(),
            command: command(&url, &origin),
            check: check_address(&url, &found.case.id),
            subprotocols: last.map_or(String::new(), |probed| probed.subprotocols.join(", ")),
            hold: match hold {
                0 => String::new(),
                seconds => seconds.to_string(),
            },
            hold_hint: t.with("probe.hold-hint", "seconds", longest_hold),
            longest_hold,
            url,
            origin,
        }
    }
}

/// Whether a look from here is likely to add something: the fault is not in the browser, and no
/// probe was made since the last fix.
fn would_tell(graph: &Graph, found: &DiagnosedCase) -> bool {
    let case = &found.case;
    let is_probed_since = |from: usize| {
        case.entries
            .iter()
            .skip(from)
            .any(|entry| entry.probed.is_some())
    };
    if let Some(fix) = case.last_fix().filter(|fix| fix.is_waiting()) {
        let is_probe_the_proof = graph
            .cause(&fix.cause)
            .and_then(|cause| cause.fix.as_ref())
            .is_some_and(|fix| fix.verify == "probe");
        let was_probed = is_probed_since(0);
        return (is_probe_the_proof || was_probed) && !is_probed_since(fix.entry);
    }
    let diagnosis = &found.diagnosis;
    case.outcome().is_none()
        && !found.is_fixed()
        && diagnosis.verdict != VerdictKind::Healthy
        && diagnosis.layer != Some(Layer::Client)
        && !is_probed_since(0)
}

/// The command for one's own machine. The address comes from a paste, so only its letters pass.
fn command(url: &str, origin: &str) -> String {
    let fine = |text: &str| -> String {
        text.chars()
            .filter(|letter| {
                letter.is_ascii_alphanumeric() || "-._~:/?#[]@&()*+,;=%".contains(*letter)
            })
            .collect()
    };
    let url = match url {
        "" => Subject::default().fill("{url}"),
        url => fine(url),
    };
    let origin = match origin {
        "" => String::new(),
        origin => format!(" --origin \"{}\"", fine(origin)),
    };
    format!("wsdoctor probe \"{url}\"{origin} --allow-private --format json")
}

/// The self-test of the browser for that address and case.
fn check_address(url: &str, case: &str) -> String {
    let encoded = percent_encoding::utf8_percent_encode(url, percent_encoding::NON_ALPHANUMERIC);
    format!("/check?case={case}&url={encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_into_a_command_ends_no_quotation() {
        assert_eq!(
            command("wss://a.example/x?y=`id`\"; rm -rf $HOME", ""),
            "wsdoctor probe \"wss://a.example/x?y=id;rm-rfHOME\" --allow-private --format json"
        );
    }

    #[test]
    fn an_address_without_its_secret_is_not_whole() {
        assert!(is_whole("wss://a.example/x?y=1"));
        assert!(is_whole("ws://[2001:db8::1]:8080/x"));
        assert!(is_whole("ws://[2001:db8::1]"));
        assert!(!is_whole("wss://a.example/x?token=[token:1]"));
    }
}
