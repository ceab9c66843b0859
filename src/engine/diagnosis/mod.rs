//! A diagnosis as a plain value, and the walk from evidence to it.

mod digest;
mod engine;
mod experience;
mod explain;
mod faults;
mod gathered;
mod name;
mod path;
mod sampled;
pub mod simulation;
mod steps;
mod verdict;

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::evidence::{Context, Fact, Review, condensed};
use super::graph::{Access, Hop, Layer};
use super::next_step::NextStep;
use super::prose::Subject;
use super::redact::{Redacted, redact, redact_owned};
use super::timeouts::{Lasted, TimeoutCandidate};

pub use engine::Engine;
pub use explain::{Change, Explained, Explanation, LastStep, Rival, Strength, Unseen};
pub use name::Name;
pub use verdict::{IDENTIFIED, LIKELY};

/// A less likely cause than this counts as ruled out.
pub const RULED_OUT: f64 = 0.002;

/// The key of the fact that a fix was applied and it fails still; its value is the cause's id.
pub const FIX_FAILED: &str = "fix.failed";

/// One piece of evidence as it was given. Nothing of it is kept unredacted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// What was pasted.
    pub text: Option<String>,
    /// What a caller, a probe or an answer states.
    pub facts: Vec<StatedFact>,
    /// What surrounds the failure.
    pub context: Context,
    /// The ids of checks that were answered, whatever came out: they are not asked again.
    pub answered: Vec<String>,
}

impl Evidence {
    /// The same without its secrets, and with the safe facts that hid in them. Diagnosing this gives
    /// the same as diagnosing the original.
    pub fn redacted(&self) -> Evidence {
        let clean = |text: &String| redact(text).text;
        let text = self.text.as_deref().map(kept);
        let hidden = text
            .iter()
            .flat_map(|redacted| &redacted.marks)
            .flat_map(|mark| &mark.facts)
            .map(|(key, value)| StatedFact {
                key: (*key).to_owned(),
                value: value.clone(),
                ..StatedFact::default()
            });
        let stated = self.facts.iter().map(|fact| StatedFact {
            key: clean(&fact.key),
            value: clean(&fact.value),
            hop: fact.hop,
            vantage: clean(&fact.vantage),
        });
        let mut facts: Vec<StatedFact> = stated.collect();
        for fact in hidden {
            if !facts.contains(&fact) {
                facts.push(fact);
            }
        }
        Evidence {
            text: text.map(|redacted| redacted.text),
            facts,
            answered: self.answered.clone(),
            context: Context {
                edge: self.context.edge.iter().map(clean).collect(),
                only_in: self.context.only_in.iter().map(clean).collect(),
                since: self.context.since.as_ref().map(clean),
                ..self.context.clone()
            },
        }
    }
}

/// Damaged recordings may need a second look, never many.
const MOST_LOOKS: usize = 8;

/// What of a text is read, stored and shown: its recordings condensed, its secrets taken out.
fn kept(text: &str) -> Redacted {
    settled(redact(&condensed(text)))
}

/// Where a damaged recording was condensed, what is left beside it may look like one. A text that
/// is kept must read the same again, so this goes on until nothing changes any more.
fn settled(mut redacted: Redacted) -> Redacted {
    for _ in 0..MOST_LOOKS {
        let again = match condensed(&redacted.text) {
            Cow::Borrowed(same) if same.len() == redacted.text.len() => break,
            other if other == redacted.text => break,
            other => other.into_owned(),
        };
        let mut next = redact_owned(again);
        for mark in &mut next.marks {
            let before = redacted
                .marks
                .iter()
                .find(|other| (other.kind, other.number) == (mark.kind, mark.number));
            if let Some(before) = before.filter(|_| mark.facts.is_empty()) {
                mark.facts.clone_from(&before.facts);
            }
        }
        redacted = next;
    }
    redacted
}

/// The same for a text that nobody else needs.
fn kept_of(text: String) -> Redacted {
    let shorter = match condensed(&text) {
        Cow::Borrowed(same) if same.len() == text.len() => None,
        other => Some(other.into_owned()),
    };
    settled(redact_owned(shorter.unwrap_or(text)))
}

/// A fact that was stated and not read from a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatedFact {
    /// Such as `handshake.status`.
    pub key: String,
    /// Such as `400`.
    pub value: String,
    /// On which hop it was seen.
    pub hop: Hop,
    /// Who saw it; `user` if empty.
    pub vantage: String,
}

/// How sure the diagnosis is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerdictKind {
    /// One cause, hardly any doubt.
    Identified,
    /// One cause is likelier than all others together.
    Likely,
    /// Several causes fit.
    Ambiguous,
    /// Nothing in the evidence was recognised.
    Unrecognised,
    /// Nothing is wrong.
    Healthy,
}

impl VerdictKind {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            VerdictKind::Identified => "identified",
            VerdictKind::Likely => "likely",
            VerdictKind::Ambiguous => "ambiguous",
            VerdictKind::Unrecognised => "unrecognised",
            VerdictKind::Healthy => "healthy",
        }
    }

    /// The kind of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        [
            VerdictKind::Identified,
            VerdictKind::Likely,
            VerdictKind::Ambiguous,
            VerdictKind::Unrecognised,
            VerdictKind::Healthy,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == word)
    }
}

/// What is known of one part of the connection's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepState {
    /// It worked.
    Ok,
    /// It breaks here.
    Failed,
    /// The evidence does not tell.
    Unknown,
    /// The connection did not come that far.
    NotReached,
}

impl StepState {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            StepState::Ok => "ok",
            StepState::Failed => "failed",
            StepState::Unknown => "unknown",
            StepState::NotReached => "not_reached",
        }
    }
}

/// One part of the connection's way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathStep {
    /// Which part.
    pub layer: Layer,
    /// What is known of it.
    pub state: StepState,
    /// A few words from the evidence, possibly none.
    pub detail: String,
}

/// Why a cause is likely or not.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// The symptom's id.
    pub symptom: Name,
    /// The symptom in words.
    pub title: Name,
    /// Whether it speaks for the cause or against it.
    pub speaks_for: bool,
    /// ln of the factor by which it changes the odds, without sign.
    pub weight: f64,
    /// The fact that it was read from, a position in the diagnosis' facts.
    pub fact: Option<usize>,
}

/// A cause with its probability.
#[derive(Clone, Debug, PartialEq)]
pub struct RankedCause {
    /// The root of the family.
    pub id: Name,
    /// Its title.
    pub title: Name,
    /// Where the fault sits.
    pub layer: Layer,
    /// The family's probability, rounded to four places.
    pub probability: f64,
    /// Narrower causes, likeliest first.
    pub variants: Vec<Variant>,
    /// Why, weightiest first.
    pub reasons: Vec<Reason>,
}

impl RankedCause {
    /// The narrower cause that holds most of the family, if one does.
    pub fn narrower(&self) -> Option<&Variant> {
        self.variants
            .first()
            .filter(|variant| variant.probability > self.probability * 0.5)
    }
}

/// A narrower cause with its share.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// Its id.
    pub id: Name,
    /// Its title.
    pub title: Name,
    /// Rounded to four places.
    pub probability: f64,
}

/// A fact with its place in the redacted text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenFact {
    /// The fact.
    pub fact: Fact,
    /// Line and column, from 1.
    pub place: Option<(usize, usize)>,
    /// Length in Unicode scalar values.
    pub length: Option<usize>,
    /// The words themselves, redacted and cut.
    pub quote: Option<String>,
}

/// A symptom that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenSymptom {
    /// Its id.
    pub id: Name,
    /// In words.
    pub title: Name,
    /// The fact that it was read from, a position in the diagnosis' facts.
    pub fact: Option<usize>,
}

/// Which knowledge a diagnosis was made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnowledgeVersion {
    /// The program's version.
    pub version: String,
    /// The content's hash.
    pub hash: String,
}

/// A second fault, which shows later on the connection's way than the one that is diagnosed.
#[derive(Clone, Debug, PartialEq)]
pub struct AlsoFault {
    /// Its cause's id.
    pub cause: String,
    /// Its title.
    pub title: String,
    /// Where it sits.
    pub layer: Layer,
    /// How likely it is, of what was seen of it; rounded to four places.
    pub probability: f64,
    /// Why one cause does not explain everything, and what to do.
    pub why: String,
    /// What was seen of it.
    pub symptoms: Vec<SeenSymptom>,
}

/// Everything that a face needs to show, redacted already.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    /// How sure it is.
    pub verdict: VerdictKind,
    /// The verdict in one or two sentences.
    pub text: String,
    /// Where it breaks.
    pub layer: Option<Layer>,
    /// The connection's way, part by part.
    pub path: Vec<PathStep>,
    /// Likeliest first.
    pub causes: Vec<RankedCause>,
    /// What is there beside the listed causes; none in nearly all cases.
    pub also: Vec<AlsoFault>,
    /// Everything that is not listed.
    pub other_probability: f64,
    /// What was read, in the order of the evidence.
    pub facts: Vec<SeenFact>,
    /// What the facts amount to.
    pub symptoms: Vec<SeenSymptom>,
    /// What to do next.
    pub next_step: NextStep,
    /// What one needs at hand for the next step, if it is a check.
    pub access: Option<Access>,
    /// Other checks that need the same at hand and are worth their minutes too.
    pub along: Vec<NextStep>,
    /// Expected minutes to the end.
    pub expected_minutes: f64,
    /// How many secrets of each kind were taken out.
    pub redacted: BTreeMap<String, usize>,
    /// The redacted texts, in the order of the evidence.
    pub texts: Vec<String>,
    /// What is worth knowing about the evidence itself.
    pub notes: Vec<String>,
    /// How many causes the evidence makes very unlikely.
    pub ruled_out: usize,
    /// The connection it speaks of.
    pub subject: Subject,
    /// What there is to say of the configurations in the texts.
    pub configurations: Vec<Review>,
    /// How long it lasted, if the evidence tells.
    pub lasted: Option<Lasted>,
    /// Limits of that length, best first.
    pub timeouts: Vec<TimeoutCandidate>,
    /// What answered, such as `nginx`, for choosing the fix that is shown first.
    pub edge: Option<String>,
    /// Which knowledge it was made with.
    pub knowledge: KnowledgeVersion,
}

impl Diagnosis {
    /// Every symptom that was seen, those of a second fault after the first one's.
    pub fn seen(&self) -> impl Iterator<Item = &SeenSymptom> {
        let later = self.also.iter().flat_map(|fault| &fault.symptoms);
        let is_new = |symptom: &&SeenSymptom| !self.symptoms.contains(symptom);
        self.symptoms.iter().chain(later.filter(is_new))
    }
}

/// So many parts of one are shown apart.
const PARTS: f64 = 10_000.0;

fn round(probability: f64) -> f64 {
    (probability * PARTS).round() / PARTS
}

/// The same as a number of parts, which is compared faster.
fn parts(probability: f64) -> u64 {
    u64::from((probability * PARTS + 0.5) as u32)
}
