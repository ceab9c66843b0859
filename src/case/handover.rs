//! What whoever goes on with a case needs: a summary, what was seen, ruled out and tried, and a
//! ready message to the team that owns the faulty part and one to the user.
//!
//! Plain text throughout. Whoever shows it escapes it, because some of it comes from outside.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::{
    Case, CaseState, DiagnosedCase, Entry, FixReport, FixResult, Happening, OutcomeKind, StageState,
};
use crate::engine::Diagnosis;
use crate::engine::diagnosis::{RankedCause, StepState, VerdictKind};
use crate::engine::graph::{Graph, Layer, Who, introduced};
use crate::engine::prose::summary;

/// From this probability on the likeliest cause decides who is asked.
const LEADING: f64 = 0.3;
/// A message names at most that many findings.
const MOST_FINDINGS: usize = 8;
/// A message names causes from this probability on.
const LEAST_NAMED: f64 = 0.1;
/// A message names at most that many causes.
const MOST_CAUSES: usize = 3;

/// Who owns the faulty part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Team {
    /// Names, addresses, ports, firewalls.
    Network,
    /// The server, its proxy, its certificates.
    ServerAdmin,
    /// The page, the app and the server's own program.
    Developers,
    /// The user's own device and network.
    OwnIt,
}

impl Team {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Team::Network => "network",
            Team::ServerAdmin => "server-admin",
            Team::Developers => "developers",
            Team::OwnIt => "own-it",
        }
    }

    /// The team inside a sentence.
    pub fn in_words(self) -> &'static str {
        match self {
            Team::Network => "the network team",
            Team::ServerAdmin => "whoever runs the server and its proxy",
            Team::Developers => "the developers",
            Team::OwnIt => "the user's own IT",
        }
    }

    /// The owner of the part that is most likely at fault.
    pub fn of(graph: &Graph, found: &DiagnosedCase) -> Self {
        let known = named(found).and_then(|id| graph.cause(id));
        let who = known
            .and_then(|cause| cause.fix.as_ref())
            .map(|fix| fix.who);
        let layer = known.map(|cause| cause.layer).or(found.diagnosis.layer);
        match (who, layer) {
            (Some(Who::User | Who::Helpdesk), _) => Team::OwnIt,
            (Some(Who::NetworkTeam), _) | (None, Some(Layer::Dns | Layer::Tcp)) => Team::Network,
            (Some(Who::ServerAdmin), _) | (None, Some(Layer::Tls | Layer::Proxy)) => {
                Team::ServerAdmin
            }
            _ => Team::Developers,
        }
    }
}

/// Something that happened, in plain words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: String,
    /// Whether it was taken back later.
    pub is_taken_back: bool,
}

/// A likely cause that was ruled out, in plain words.
#[derive(Clone, Debug, PartialEq)]
pub struct RuledOutCause {
    /// Its id.
    pub cause: String,
    /// Its title; its id if it left the knowledge since.
    pub title: String,
    /// How likely it was.
    pub from: f64,
    /// How likely it is.
    pub to: f64,
    /// What ruled it out.
    pub by: String,
}

/// What whoever goes on with a case needs, besides the case itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Bundle {
    /// Who owns the faulty part.
    pub team: Team,
    /// The case in a few sentences.
    pub summary: String,
    /// Likely causes that were ruled out.
    pub ruled_out: Vec<RuledOutCause>,
    /// What happened, oldest first.
    pub told: Vec<Told>,
    /// Minutes that are expected to the end.
    pub expected_minutes: f64,
    /// To the team.
    pub team_message: String,
    /// To the user.
    pub user_message: String,
}

/// The likeliest cause, if it is likely enough to act on.
fn leading(diagnosis: &Diagnosis) -> Option<&RankedCause> {
    diagnosis.causes.first().filter(|first| {
        first.probability >= LEADING
            && !matches!(
                diagnosis.verdict,
                VerdictKind::Unrecognised | VerdictKind::Healthy
            )
    })
}

/// The cause that the case is about: the confirmed one, the one whose fix helped, or the likeliest.
fn named(found: &DiagnosedCase) -> Option<&str> {
    let confirmed = found.case.outcome().and_then(|outcome| outcome.confirmed());
    let fixed = found.verification.as_ref().filter(|v| v.is_healthy());
    confirmed
        .or(fixed.map(|proof| proof.fix.cause.as_str()))
        .or(leading(&found.diagnosis).map(|cause| cause.id.as_str()))
}

/// Whether nothing is left to do: it works after a fix, or somebody said so.
fn is_over(found: &DiagnosedCase) -> bool {
    let is_solved = matches!(
        found.case.state,
        CaseState::Solved | CaseState::WorkedAround
    );
    is_solved || found.is_fixed()
}

/// The title of a cause; its id if it left the knowledge since.
pub fn cause_title<'a>(graph: &'a Graph, id: &'a str) -> &'a str {
    graph.cause(id).map_or(id, |cause| cause.title.as_str())
}

/// What an entry is, in plain words.
pub fn describe(graph: &Graph, case: &Case, position: usize) -> String {
    let entry = &case.entries[position];
    match &entry.what {
        Happening::Evidence => described_evidence(entry, position),
        Happening::Answer { step, answer } => {
            let check = graph.check(step);
            let chosen = check.and_then(|check| check.answers.iter().find(|a| a.id == *answer));
            let words = match (chosen, answer.as_str()) {
                (Some(chosen), _) => chosen.title.as_str(),
                (None, "cannot-tell") => "cannot tell",
                (None, answer) => answer,
            };
            let title = check.map_or(step.as_str(), |check| check.title.as_str());
            format!("{} {words}", introduced(title))
        }
        Happening::Fix { cause, report } => {
            let title = cause_title(graph, cause);
            let words = match report {
                FixReport::Applied => "applied",
                FixReport::Works => "applied, it works now",
                FixReport::Fails => "applied, it still fails",
            };
            format!("Fix of \"{title}\": {words}")
        }
        Happening::TakenBack { entry } if *entry < position => {
            format!("Taken back: {}", describe(graph, case, *entry))
        }
        Happening::TakenBack { .. } => "Taken back".to_owned(),
        Happening::Closed(outcome) => {
            let kind = match outcome.kind {
                OutcomeKind::Solved => "solved",
                OutcomeKind::WorkedAround => "worked around",
                OutcomeKind::GivenUp => "given up",
                OutcomeKind::HandedOver => "handed over",
                OutcomeKind::WrongDiagnosis => "the diagnosis was wrong",
            };
            let cause = outcome.cause.as_deref().map(|id| cause_title(graph, id));
            let cause = cause.map_or(String::new(), |title| format!(", the cause: {title}"));
            format!("Closed: {kind}{cause}")
        }
    }
}

fn described_evidence(entry: &Entry, position: usize) -> String {
    if let Some(probed) = &entry.probed {
        let failed = probed
            .stages
            .iter()
            .find(|stage| stage.state == StageState::Failed);
        return match failed {
            Some(stage) => format!(
                "Probed {}: it breaks at the stage {}",
                probed.url,
                stage.stage.as_str()
            ),
            None => format!("Probed {}: every stage works", probed.url),
        };
    }
    let lines = entry
        .evidence
        .text
        .as_deref()
        .map(|text| text.lines().count());
    let what = match lines {
        Some(1) => "1 line".to_owned(),
        Some(lines) => format!("{lines} lines"),
        None => format!("{} stated facts", entry.evidence.facts.len()),
    };
    let how = if position == 0 {
        "Opened with"
    } else {
        "Added"
    };
    format!("{how} {what}")
}

impl Bundle {
    /// Of a case; `address` is that of its page.
    pub fn of(graph: &Graph, found: &DiagnosedCase, address: Option<&str>) -> Self {
        let case = &found.case;
        let told: Vec<Told> = (0..case.entries.len())
            .map(|position| Told {
                at: case.entries[position].at,
                what: describe(graph, case, position),
                is_taken_back: case.is_taken_back(position),
            })
            .collect();
        let ruled_out = ruled_out(graph, found);
        let team = Team::of(graph, found);
        let mut bundle = Bundle {
            team,
            summary: summarised(found),
            ruled_out,
            told,
            expected_minutes: found.diagnosis.expected_minutes,
            team_message: String::new(),
            user_message: user_message(graph, found, team),
        };
        bundle.team_message = bundle.written_to_team(graph, found, address);
        bundle
    }

    fn written_to_team(
        &self,
        graph: &Graph,
        found: &DiagnosedCase,
        address: Option<&str>,
    ) -> String {
        let diagnosis = &found.diagnosis;
        let url = found.url();
        let url = url.as_deref().unwrap_or("a WebSocket address");
        let state = if is_over(found) {
            "works again"
        } else {
            "fails"
        };
        // Writing to a string does not fail.
        let mut out = format!(
            "Hello,\n\nthe connection to {url} {state}. {}\n",
            self.summary
        );
        if !diagnosis.symptoms.is_empty() {
            out.push_str("\nWhat was seen:\n");
        }
        for symptom in diagnosis.seen().take(MOST_FINDINGS) {
            let _ = writeln!(
                out,
                "- {}{}",
                symptom.title,
                quoted(diagnosis, symptom.fact)
            );
        }
        let is_telling = !matches!(
            diagnosis.verdict,
            VerdictKind::Unrecognised | VerdictKind::Healthy
        );
        let likely = |cause: &&RankedCause| is_telling && cause.probability >= LEAST_NAMED;
        if diagnosis.causes.iter().any(|cause| likely(&cause)) {
            out.push_str("\nLikely causes:\n");
            for cause in diagnosis.causes.iter().filter(likely).take(MOST_CAUSES) {
                let percent = (cause.probability * 100.0).round();
                let _ = writeln!(out, "- {percent} %: {}", cause.title);
            }
        }
        if !self.ruled_out.is_empty() {
            out.push_str("\nRuled out:\n");
        }
        for one in &self.ruled_out {
            let _ = writeln!(out, "- {}: {}", one.title, one.by);
        }
        if self.told.len() > 1 {
            out.push_str("\nDone so far:\n");
        }
        for told in self.told.iter().skip(1).filter(|told| !told.is_taken_back) {
            let _ = writeln!(out, "- {}", told.what);
        }
        if !is_over(found) {
            let _ = writeln!(out, "\n{}", asked(graph, diagnosis));
        }
        if let Some(address) = address {
            let _ = writeln!(out, "\nEverything that is known: {address}");
        }
        out
    }
}

fn quoted(diagnosis: &Diagnosis, fact: Option<usize>) -> String {
    fact.and_then(|fact| diagnosis.facts.get(fact)?.quote.as_deref())
        .map_or(String::new(), |quote| format!(" (\"{quote}\")"))
}

/// What the team is asked for.
fn asked(graph: &Graph, diagnosis: &Diagnosis) -> String {
    let fix = leading(diagnosis).and_then(|cause| {
        let named = cause.narrower().map_or(&cause.id, |variant| &variant.id);
        let entry = graph.cause(named)?;
        Some((entry, entry.fix.as_ref()?))
    });
    match fix {
        Some((cause, fix)) => format!(
            "Please check whether this is so, and remove it: {}. That takes about {}, {} risk. \
             Then tell us, so that we can verify it.",
            cause.title,
            in_minutes(fix.minutes),
            fix.risk.as_str()
        ),
        None => "Please look at what your side logged at that time, and send us the lines around \
                 the failure."
            .to_owned(),
    }
}

/// What works, what fails, and how sure that is.
fn summarised(found: &DiagnosedCase) -> String {
    let diagnosis = &found.diagnosis;
    let of = |state: StepState| -> Vec<&str> {
        diagnosis
            .path
            .iter()
            .filter(|step| step.state == state)
            .map(|step| part(step.layer))
            .collect()
    };
    let mut sentences = Vec::new();
    let worked = of(StepState::Ok);
    if !worked.is_empty() {
        sentences.push(format!("These work: {}.", worked.join(", ")));
    }
    if let Some(broken) = of(StepState::Failed).first() {
        sentences.push(format!("It breaks at {broken}."));
    }
    sentences.push(match leading(diagnosis) {
        Some(cause) => format!(
            "Most likely ({:.0} %): {}.",
            cause.probability * 100.0,
            cause.title.trim_end_matches('.')
        ),
        None if found.is_fixed() => String::new(),
        None if diagnosis.verdict == VerdictKind::Healthy => {
            "What was seen last shows the connection at work.".to_owned()
        }
        None => "The cause is not known yet.".to_owned(),
    });
    if let Some(verification) = &found.verification {
        sentences.push(
            match verification.fix.result {
                FixResult::Pending => "A fix was applied; nothing was seen since.",
                FixResult::Healthy => "A fix was applied, and it works now.",
                FixResult::Same => {
                    "A fix was applied and did not help, or was not applied rightly."
                }
                FixResult::Different => "A fix removed the first failure; this is another one.",
                FixResult::Unclear => "A fix was applied; whether it helped is not clear yet.",
            }
            .to_owned(),
        );
    }
    sentences.retain(|sentence| !sentence.is_empty());
    sentences.join(" ")
}

fn part(layer: Layer) -> &'static str {
    match layer {
        Layer::Client => "the browser or app",
        Layer::Dns => "the name",
        Layer::Tcp => "the network",
        Layer::Tls => "the encryption",
        Layer::Proxy => "the proxy",
        Layer::Handshake => "the server",
        Layer::Session => "the open connection",
    }
}

fn in_minutes(minutes: f64) -> String {
    match minutes.round() {
        least if least <= 1.0 => "1 minute".to_owned(),
        minutes => format!("{minutes} minutes"),
    }
}

fn user_message(graph: &Graph, found: &DiagnosedCase, team: Team) -> String {
    let diagnosis = &found.diagnosis;
    if is_over(found) {
        let cause = named(found).map_or(String::new(), |id| {
            let title = cause_title(graph, id).trim_end_matches('.');
            format!(" This was wrong: {title}.")
        });
        return format!(
            "Hello,\n\nyour connection should work again.{cause}\n\nPlease try it. If it fails \
             again, send us what you see then.\n"
        );
    }
    let mut out = "Hello,\n\nwe looked into why your connection does not work.".to_owned();
    let cause = leading(diagnosis).and_then(|cause| graph.cause(&cause.id));
    match cause {
        Some(cause) => {
            let words = diagnosis.subject.fill(summary(cause));
            let sure = match diagnosis.verdict {
                VerdictKind::Identified => "This is what is wrong",
                _ => "Most likely this is what is wrong",
            };
            let _ = write!(out, " {sure}: {}", words.trim());
        }
        None => out.push_str(" We do not know the cause yet, but we know more than before."),
    }
    let who = match team {
        Team::OwnIt => {
            "It can be put right on your side: please show this message to whoever looks after \
             your computer or network."
        }
        Team::Network => "You cannot put this right yourself. The network team looks after it now.",
        Team::ServerAdmin => {
            "You cannot put this right yourself. Whoever runs the server looks after it now."
        }
        Team::Developers => "You cannot put this right yourself. The developers look after it now.",
    };
    let minutes = in_minutes(found.diagnosis.expected_minutes);
    let _ = write!(
        out,
        "\n\n{who} It takes about {minutes} of work once somebody begins. We tell you when \
         it is done; then please try again.\n"
    );
    out
}

fn ruled_out(graph: &Graph, found: &DiagnosedCase) -> Vec<RuledOutCause> {
    found
        .all_ruled_out()
        .into_iter()
        .map(|(position, one)| {
            let entry = describe(graph, &found.case, position);
            let finding = one.finding.as_deref().and_then(|id| graph.symptom(id));
            RuledOutCause {
                title: cause_title(graph, &one.cause).to_owned(),
                from: one.from,
                to: one.to,
                by: match finding {
                    Some(symptom) => format!("{} ({entry})", symptom.title),
                    None => entry,
                },
                cause: one.cause,
            }
        })
        .collect()
}
