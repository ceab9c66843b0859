//! Why a cause is as likely as it is, and what would change that: of any cause, not only of the
//! listed ones.

use std::cmp::Ordering;

use super::super::evidence::Fact;
use super::super::graph::{Check, Frequency, Layer, Stage, StageState, Who};
use super::super::next_step::{StepKind, kind_of};
use super::engine::{FIX_IN_VAIN, Weighed};
use super::gathered::Gathered;
use super::{Engine, Evidence, FIX_FAILED, Reason, round};

/// What shifts the odds by less is not worth a line, even where somebody asks.
const LEAST_WEIGHT: f64 = 0.05;
/// At most that many answers, symptoms or differences are given of each kind.
const MOST_GIVEN: usize = 4;
/// An answer must change the odds by that factor to be worth naming.
const LEAST_CHANGE: f64 = 1.5;
/// Changes below this probability are none to anybody.
const LEAST_SHOWN: f64 = 0.01;
/// Checks that neither the cause nor a likely one names are less to the point by that factor.
const BESIDE_THE_POINT: f64 = 0.4;
/// The checks of so many of the likeliest causes are to the point.
const LIKELY: usize = 3;

/// How much a reason weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// It changes the odds more than sevenfold.
    Strong,
    /// It more than doubles the odds, or halves them.
    Clear,
    /// Less.
    Slight,
}

impl Strength {
    /// Of a weight, ln of the factor on the odds without its sign.
    pub fn of(weight: f64) -> Self {
        match weight {
            weight if weight >= 2.0 => Strength::Strong,
            weight if weight >= 0.9 => Strength::Clear,
            _ => Strength::Slight,
        }
    }

    /// Reads on with "for it" or "against it".
    pub fn as_str(self) -> &'static str {
        match self {
            Strength::Strong => "strongly",
            Strength::Clear => "clearly",
            Strength::Slight => "slightly",
        }
    }
}

/// Why a cause is as likely as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The cause's id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Where the fault sits.
    pub layer: Layer,
    /// The root of its family, id and title, if it is a narrower cause.
    pub parent: Option<(String, String)>,
    /// How likely it was before anything was seen; a family's for a root. Rounded to four places.
    pub prior: f64,
    /// How likely the prior and all factors make it, before the last step, which makes probabilities
    /// mean what they say. Rounded to four places.
    pub weighed: f64,
    /// What the last step does.
    pub last_step: LastStep,
    /// How likely it is now, rounded to four places.
    pub probability: f64,
    /// Its family's place among all families, from 1.
    pub place: usize,
    /// How many families there are.
    pub families: usize,
    /// What speaks for it and against it, weightiest first.
    pub reasons: Vec<Explained>,
    /// What the stage at which the connection broke says of it.
    pub stage: String,
    /// What it would show often and what nobody has looked for, the most telling first.
    pub unseen: Vec<Unseen>,
    /// The likeliest cause of another family, and what sets the two apart.
    pub rival: Option<Rival>,
    /// Answers that would make it likelier, the most telling first.
    pub raises: Vec<Change>,
    /// Answers that would make it less likely, the most telling first.
    pub lowers: Vec<Change>,
}

/// The last step: each family's share is raised to a power, so that what is said is right as often as
/// it says, and all are made to add up to 1 again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LastStep {
    /// The power.
    pub power: f64,
    /// What is kept for "something else" whatever was seen.
    pub doubt: f64,
}

/// Something that speaks for a cause or against it.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// What it is and how much it weighs.
    pub reason: Reason,
    /// By which factor it multiplies the odds against "something else".
    pub factor: f64,
    /// The words that it was read from.
    pub quote: Option<String>,
}

/// A symptom that nobody has looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// Its id.
    pub symptom: String,
    /// In words.
    pub title: String,
    /// How often the cause shows it.
    pub frequency: Frequency,
}

/// Another cause that this one is held against.
#[derive(Clone, Debug, PartialEq)]
pub struct Rival {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its family's probability, rounded to four places.
    pub probability: f64,
    /// What sets them apart, weightiest first; `factor` is how many times better the evidence fits
    /// this cause than the rival, below 1 where it fits the rival better.
    pub differences: Vec<Explained>,
}

/// What an answer would make of a cause.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The check's id.
    pub check: String,
    /// The check in a few words.
    pub title: String,
    /// Whether it is a check or a question.
    pub kind: StepKind,
    /// Minutes that it takes.
    pub minutes: f64,
    /// Who can do it.
    pub who: Who,
    /// The answer's id.
    pub answer: String,
    /// The answer in words.
    pub answer_title: String,
    /// How likely the cause is after it, rounded to four places.
    pub probability: f64,
}

impl Engine {
    /// Why the cause of that id is as likely as it is; `None` if there is no such cause.
    pub fn explain(&self, evidence: &[Evidence], id: &str) -> Option<Explanation> {
        let own = self.graph.causes.iter().position(|cause| cause.id == id)?;
        let mut gathered = self.gathered(evidence.to_vec());
        let (weighed, _) = self.weighed_by_fault(&mut gathered);
        let root = self.model.root_of(own);
        let speaker = match own == root {
            true => self.speaker(root, &weighed.posterior),
            false => own,
        };
        let cause = &self.graph.causes[own];
        let (raises, lowers) = self.changes(own, &mut gathered, &weighed);
        Some(Explanation {
            id: cause.id.clone(),
            title: cause.title.clone(),
            layer: cause.layer,
            parent: (own != root).then(|| {
                let parent = &self.graph.causes[root];
                (parent.id.clone(), parent.title.clone())
            }),
            prior: round(self.prior(own)),
            weighed: round(self.share_as_weighed(own, &weighed)),
            last_step: LastStep {
                power: weighed.posterior.power(),
                doubt: self.model.doubt(),
            },
            probability: round(self.share(own, &weighed)),
            place: 1 + self
                .roots()
                .filter(|other| likelier(&weighed.families, *other, root) == Ordering::Less)
                .count(),
            families: self.roots().count(),
            reasons: self.explained(speaker, &gathered, &weighed),
            stage: self.stage_words(speaker, &weighed),
            unseen: self.unseen(own, &gathered, &weighed),
            rival: self.rival(speaker, &gathered, &weighed),
            raises,
            lowers,
        })
    }

    fn roots(&self) -> impl Iterator<Item = usize> {
        (0..self.graph.causes.len()).filter(|cause| self.model.root_of(*cause) == *cause)
    }

    /// A root speaks for its family, a narrower cause for itself.
    fn share(&self, cause: usize, weighed: &Weighed) -> f64 {
        match self.model.root_of(cause) == cause {
            true => weighed.families[cause],
            false => weighed.posterior.causes[cause],
        }
    }

    /// The same before the last step, which leaves the shares within a family as they are.
    fn share_as_weighed(&self, cause: usize, weighed: &Weighed) -> f64 {
        let root = self.model.root_of(cause);
        let family = weighed.posterior.families_as_weighed()[root];
        let within = self.share(cause, weighed) / weighed.families[root].max(f64::MIN_POSITIVE);
        family * within
    }

    fn prior(&self, cause: usize) -> f64 {
        let narrower = self.model.narrower(cause).iter();
        self.model.prior(cause) + narrower.map(|other| self.model.prior(*other)).sum::<f64>()
    }

    fn explained(&self, speaker: usize, gathered: &Gathered, weighed: &Weighed) -> Vec<Explained> {
        let Weighed {
            symptoms,
            posterior,
            ..
        } = weighed;
        self.all_reasons(speaker, symptoms, posterior, LEAST_WEIGHT)
            .into_iter()
            .map(|reason| {
                // The stages and a fix that did not help are factors already.
                let factor = match reason.symptom.as_str() {
                    "stage" => posterior.stage_weights[speaker].exp(),
                    FIX_FAILED => FIX_IN_VAIN,
                    _ => {
                        let sign = if reason.speaks_for { 1.0 } else { -1.0 };
                        self.model.factor(sign * reason.weight)
                    }
                };
                Explained {
                    factor: round(factor),
                    quote: reason.fact.and_then(|fact| gathered.quote(fact)),
                    reason,
                }
            })
            .collect()
    }

    fn rival(&self, speaker: usize, gathered: &Gathered, weighed: &Weighed) -> Option<Rival> {
        let own = self.model.root_of(speaker);
        let others = self.roots().filter(|other| *other != own);
        let root = others.min_by(|a, b| likelier(&weighed.families, *a, *b))?;
        let other = self.speaker(root, &weighed.posterior);
        let contributions = weighed.posterior.contributions.iter();
        let mut differences: Vec<Explained> = contributions
            .filter_map(|contribution| {
                let row = *contribution.symptoms.first()?;
                let weight = contribution.weights[speaker] - contribution.weights[other];
                let fact = weighed.symptoms.iter().find(|(seen, _)| *seen == row);
                let fact = fact.map(|(_, fact)| *fact);
                let symptom = &self.symptom_names[row];
                (weight.abs() >= LEAST_WEIGHT).then(|| Explained {
                    factor: round(self.model.factor(weight)),
                    quote: fact.and_then(|fact| gathered.quote(fact)),
                    reason: Reason {
                        symptom: symptom.id.clone(),
                        title: symptom.title.clone(),
                        speaks_for: weight > 0.0,
                        weight: round(weight.abs()),
                        fact,
                    },
                })
            })
            .collect();
        differences.sort_by(|a, b| {
            let weightier = b.reason.weight.total_cmp(&a.reason.weight);
            weightier.then_with(|| a.reason.symptom.cmp(&b.reason.symptom))
        });
        differences.truncate(MOST_GIVEN);
        Some(Rival {
            id: self.graph.causes[root].id.clone(),
            title: self.graph.causes[root].title.clone(),
            probability: round(weighed.families[root]),
            differences,
        })
    }

    fn stage_words(&self, speaker: usize, weighed: &Weighed) -> String {
        let mut failed: Vec<Stage> = weighed
            .symptoms
            .iter()
            .filter_map(|(row, _)| match self.model.stage_of(*row) {
                Some((stage, StageState::Failed)) => Some(stage),
                _ => None,
            })
            .collect();
        failed.sort_unstable();
        failed.dedup();
        let shows: Vec<&str> = self.graph.causes[speaker]
            .shows_at
            .iter()
            .map(|stage| stage_words(*stage))
            .collect();
        if shows.is_empty() {
            return "This cause can show at any stage of the connection.".to_owned();
        }
        let shows = shows.join(" or ");
        let broke: Vec<&str> = failed.iter().map(|stage| stage_words(*stage)).collect();
        let broke = broke.join(" and ");
        let weight = weighed.posterior.stage_weights[speaker];
        let against = (1.0 / weight.exp()).round();
        let fits = failed
            .iter()
            .any(|stage| self.model.shows_at(speaker, *stage));
        match (failed.is_empty(), fits) {
            (true, _) if weight < 0.0 => format!(
                "This cause shows {shows}; the connection got past that, which makes it \
                 {against} times less likely."
            ),
            (true, _) => format!(
                "The evidence does not tell at which stage it broke; this cause shows {shows}."
            ),
            (false, true) if weight < 0.0 => format!(
                "The connection broke {broke}, where this cause shows, but it was also seen to get \
                 past that, which makes it {against} times less likely."
            ),
            (false, true) => {
                format!("The connection broke {broke}, and this cause shows {shows}: that fits.")
            }
            (false, false) => format!(
                "The connection broke {broke}, but this cause shows {shows}, which makes it \
                 {against} times less likely."
            ),
        }
    }

    /// What the cause shows often and what nothing that was seen speaks of.
    fn unseen(&self, own: usize, gathered: &Gathered, weighed: &Weighed) -> Vec<Unseen> {
        let causes = &self.graph.causes;
        let mut words = causes[self.model.root_of(own)].symptoms.clone();
        words.extend(causes[own].symptoms.clone());
        let mut found: Vec<(f64, Unseen)> = words
            .into_iter()
            .filter(|(_, frequency)| *frequency >= Frequency::Often)
            .filter_map(|(id, frequency)| {
                let rows = &self.graph.symptoms;
                let row = rows.binary_search_by(|s| s.id.cmp(&id)).ok()?;
                let is_known = weighed
                    .symptoms
                    .iter()
                    .any(|(seen, _)| *seen == row || self.model.are_alternatives(*seen, row));
                let keys = rows[row].when.keys();
                let is_told = keys.iter().any(|(key, _)| gathered.value_of(key).is_some());
                let tells = self.model.likelihood(row, own) / self.model.background(row);
                (!is_known && !is_told && tells > LEAST_CHANGE).then(|| {
                    let title = rows[row].title.clone();
                    (
                        tells,
                        Unseen {
                            symptom: id,
                            title,
                            frequency,
                        },
                    )
                })
            })
            .collect();
        found.sort_by(|a, b| {
            let telling = b.0.total_cmp(&a.0);
            telling.then_with(|| a.1.symptom.cmp(&b.1.symptom))
        });
        found.truncate(MOST_GIVEN);
        found.into_iter().map(|(_, unseen)| unseen).collect()
    }

    /// The answers that would make it likelier, and those that would make it less likely. Each is
    /// diagnosed as if it had been given.
    fn changes(
        &self,
        own: usize,
        gathered: &mut Gathered,
        weighed: &Weighed,
    ) -> (Vec<Change>, Vec<Change>) {
        let now = self.share(own, weighed);
        let named = self.checks_to_the_point(own, weighed);
        let mut raises: Vec<(f64, Change)> = Vec::new();
        let mut lowers: Vec<(f64, Change)> = Vec::new();
        for (position, check) in self.graph.checks.iter().enumerate() {
            if is_told(check, gathered) || gathered.answered.contains(&check.id) {
                continue;
            }
            let point = if named.contains(&check.id.as_str()) {
                1.0
            } else {
                BESIDE_THE_POINT
            };
            let mut most: Option<(f64, Change)> = None;
            let mut least: Option<(f64, Change)> = None;
            for (number, answer) in check.answers.iter().enumerate() {
                if answer.facts.is_empty() {
                    continue;
                }
                let after = self.after_answer(gathered, check, number);
                let then = self.share(own, &after);
                let odds =
                    (then / (1.0 - then).max(1e-9)) / (now / (1.0 - now).max(1e-9)).max(1e-12);
                let change = || Change {
                    check: check.id.clone(),
                    title: check.title.clone(),
                    kind: kind_of(check),
                    minutes: check.minutes,
                    who: check.who,
                    answer: answer.id.clone(),
                    answer_title: answer.title.clone(),
                    probability: round(then),
                };
                // What is hardly ever answered tells little of what would change the mind: how
                // often it is, if it is this cause, and how often, if it is not.
                let given = |cause| self.planner.answer_probability(position, number, cause);
                if odds >= LEAST_CHANGE && then >= LEAST_SHOWN {
                    let value = point * given(own) * odds.ln();
                    if most.as_ref().is_none_or(|(known, _)| *known < value) {
                        most = Some((value, change()));
                    }
                } else if odds <= 1.0 / LEAST_CHANGE && now >= LEAST_SHOWN {
                    let otherwise: f64 = self
                        .roots()
                        .filter(|c| *c != self.model.root_of(own))
                        .map(|cause| weighed.families[cause] * given(cause))
                        .sum();
                    let value = point * otherwise * -odds.ln();
                    if least.as_ref().is_none_or(|(known, _)| *known < value) {
                        least = Some((value, change()));
                    }
                }
            }
            raises.extend(most);
            lowers.extend(least);
        }
        (most_telling(raises), most_telling(lowers))
    }

    fn checks_to_the_point(&self, own: usize, weighed: &Weighed) -> Vec<&str> {
        let mut likely: Vec<usize> = self.roots().collect();
        likely.sort_by(|a, b| likelier(&weighed.families, *a, *b));
        likely.truncate(LIKELY);
        likely.extend([own, self.model.root_of(own)]);
        let checks = likely
            .into_iter()
            .flat_map(|cause| &self.graph.causes[cause].checks);
        checks.map(String::as_str).collect()
    }

    /// What the evidence would make of the causes with that answer.
    fn after_answer(&self, gathered: &mut Gathered, check: &Check, answer: usize) -> Weighed {
        let answer = &check.answers[answer];
        let before = gathered.facts.len();
        let told = answer.facts.iter().map(|(key, value)| Fact {
            key: key.as_str().into(),
            value: value.as_str().into(),
            hop: answer.hop,
            vantage: "user".into(),
            connection: None,
            evidence: gathered.texts.len(),
            span: None,
        });
        gathered.facts.extend(told);
        let connection = gathered.connection;
        let (weighed, _) = self.weighed_by_fault(gathered);
        gathered.facts.truncate(before);
        gathered.connection = connection;
        weighed
    }
}

/// Likelier causes come first; their positions decide between equals.
fn likelier(families: &[f64], a: usize, b: usize) -> Ordering {
    round(families[b])
        .total_cmp(&round(families[a]))
        .then(a.cmp(&b))
}

/// Whether something of every answer is known already.
fn is_told(check: &Check, gathered: &Gathered) -> bool {
    let telling = check
        .answers
        .iter()
        .filter(|answer| !answer.facts.is_empty());
    let mut telling = telling.peekable();
    telling.peek().is_none()
        || telling.all(|answer| {
            let mut keys = answer.facts.keys();
            keys.any(|key| gathered.counted().any(|(_, fact)| *fact.key == **key))
        })
}

fn most_telling(mut changes: Vec<(f64, Change)>) -> Vec<Change> {
    changes.sort_by(|a, b| {
        let telling = b.0.total_cmp(&a.0);
        telling.then_with(|| a.1.check.cmp(&b.1.check))
    });
    changes.truncate(MOST_GIVEN);
    changes.into_iter().map(|(_, change)| change).collect()
}

/// Reads on after "it broke" and "it shows".
fn stage_words(stage: Stage) -> &'static str {
    match stage {
        Stage::Client => "before anything left the device",
        Stage::Name => "when the name was looked up",
        Stage::Network => "when the network connection was made",
        Stage::Encryption => "when the encryption was agreed on",
        Stage::Handshake => "when the upgrade was asked for",
        Stage::Open => "after the connection was open",
    }
}
