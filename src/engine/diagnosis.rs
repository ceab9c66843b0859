//! The walk from evidence to a diagnosis, and the diagnosis as a plain value.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::evidence::{
    Connections, Context, Fact, Lines, Recording, Span, addresses, configurations,
    facts_of_addresses, facts_of_context, recording,
};
use super::graph::{Cause, Graph, Hop, Layer, Stage, StageState, Who};
use super::knowledge;
use super::matching::{Matcher, holds};
use super::next_step::{Choice, NextStep, Plan, Planner, StepKind, kind_of};
use super::prose::{Subject, sections, summary};
use super::ranking::{Model, Numbers, Posterior, Source};
use super::redact::redact;

/// At most that many causes are listed.
const MOST_CAUSES: usize = 10;
/// Less likely causes are counted under "something else", beyond the first three.
const LEAST_LISTED: f64 = 0.005;
/// A likelier cause than this is named in an ambiguous verdict.
const LEAST_NAMED: f64 = 0.15;
/// At most that many reasons are given for a cause.
const MOST_REASONS: usize = 8;
/// A reason must shift the odds by a fifth to be worth a line.
const LEAST_WEIGHT: f64 = 0.2;
/// A quotation is cut at that many characters.
const LONGEST_QUOTE: usize = 200;

/// One piece of evidence as it was given. Nothing of it is kept unredacted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// What was pasted.
    pub text: Option<String>,
    /// What a caller, a probe or an answer states.
    pub facts: Vec<StatedFact>,
    /// What surrounds the failure.
    pub context: Context,
}

impl Evidence {
    /// The same without its secrets, and with the safe facts that hid in them. Diagnosing this gives
    /// the same as diagnosing the original.
    pub fn redacted(&self) -> Evidence {
        let clean = |text: &String| redact(text).text;
        let text = self.text.as_deref().map(redact);
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
            context: Context {
                edge: self.context.edge.iter().map(clean).collect(),
                only_in: self.context.only_in.iter().map(clean).collect(),
                since: self.context.since.as_ref().map(clean),
                ..self.context.clone()
            },
        }
    }
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
    pub symptom: String,
    /// The symptom in words.
    pub title: String,
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
    pub id: String,
    /// Its title.
    pub title: String,
    /// Where the fault sits.
    pub layer: Layer,
    /// The family's probability, rounded to four places.
    pub probability: f64,
    /// Narrower causes, likeliest first.
    pub variants: Vec<Variant>,
    /// Why, weightiest first.
    pub reasons: Vec<Reason>,
}

/// A narrower cause with its share.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
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
    pub id: String,
    /// In words.
    pub title: String,
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
    /// Everything that is not listed.
    pub other_probability: f64,
    /// What was read, in the order of the evidence.
    pub facts: Vec<SeenFact>,
    /// What the facts amount to.
    pub symptoms: Vec<SeenSymptom>,
    /// What to do next.
    pub next_step: NextStep,
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
    /// What answered, such as `nginx`, for choosing the fix that is shown first.
    pub edge: Option<String>,
    /// Which knowledge it was made with.
    pub knowledge: KnowledgeVersion,
}

/// The compiled knowledge.
#[derive(Debug)]
pub struct Engine {
    graph: Graph,
    matcher: Matcher,
    model: Model,
    planner: Planner,
    /// Symptoms by the first key that they speak of.
    symptoms_by_key: HashMap<String, Vec<usize>>,
    hash: String,
}

impl Engine {
    /// Compiles a graph with the usual numbers.
    pub fn new(graph: Graph) -> Self {
        Engine::with_numbers(graph, Numbers::default())
    }

    /// Compiles a graph with other numbers.
    pub fn with_numbers(mut graph: Graph, numbers: Numbers) -> Self {
        graph.sort();
        let model = Model::new(&graph, numbers);
        let mut symptoms_by_key: HashMap<String, Vec<usize>> = HashMap::new();
        for (row, symptom) in graph.symptoms.iter().enumerate() {
            let mut keys: Vec<&str> = symptom
                .when
                .keys()
                .into_iter()
                .map(|(key, _)| key)
                .collect();
            keys.dedup();
            for key in keys {
                symptoms_by_key.entry(key.to_owned()).or_default().push(row);
            }
        }
        Engine {
            matcher: Matcher::new(&graph),
            planner: Planner::new(&graph, &model),
            hash: knowledge::hash(&graph),
            model,
            symptoms_by_key,
            graph,
        }
    }

    /// The knowledge that it was compiled from.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The hash of that knowledge.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// What the evidence makes of the causes and what to do next.
    pub fn diagnose(&self, evidence: &[Evidence]) -> Diagnosis {
        let mut gathered = Gathered::default();
        for (number, piece) in evidence.iter().enumerate() {
            gathered.read(&self.matcher, piece, number);
        }
        gathered.settle();
        let counted = gathered.counted();
        let symptoms = self.symptoms(&counted);
        let seen: Vec<(usize, Source)> = symptoms
            .iter()
            .map(|(row, fact)| (*row, source(&gathered.facts[*fact])))
            .collect();
        let posterior = self.model.posterior(&seen);
        let families = self.families(&posterior);
        let known: HashSet<&str> = counted.iter().map(|(_, fact)| &*fact.key).collect();
        let plan = self.planner.plan(&posterior, &families, &known);
        self.assemble(gathered, &symptoms, &posterior, &families, plan)
    }

    /// The symptoms that the facts amount to, each with the fact that shows it best.
    fn symptoms(&self, facts: &[(usize, &Fact)]) -> Vec<(usize, usize)> {
        let mut candidates: Vec<usize> = facts
            .iter()
            .filter_map(|(_, fact)| self.symptoms_by_key.get(&*fact.key))
            .flatten()
            .copied()
            .collect();
        candidates.sort_unstable();
        candidates.dedup();
        let plain: Vec<&Fact> = facts.iter().map(|(_, fact)| *fact).collect();
        candidates
            .into_iter()
            .filter_map(|row| {
                let used = holds(&self.graph.symptoms[row].when, &plain)?;
                let shown = used
                    .iter()
                    .copied()
                    .find(|position| plain[*position].span.is_some())
                    .or(used.first().copied())?;
                Some((row, facts[shown].0))
            })
            .collect()
    }

    /// The probability of each family, at its root's position.
    fn families(&self, posterior: &Posterior) -> Vec<f64> {
        let mut families = vec![0.0; posterior.causes.len()];
        for (cause, probability) in posterior.causes.iter().enumerate() {
            families[self.model.root_of(cause)] += probability;
        }
        families
    }

    fn assemble(
        &self,
        gathered: Gathered,
        symptoms: &[(usize, usize)],
        posterior: &Posterior,
        families: &[f64],
        plan: Plan,
    ) -> Diagnosis {
        let causes = self.ranked(symptoms, posterior, families);
        let listed: f64 = causes.iter().map(|cause| cause.probability).sum();
        let verdict = verdict(&causes, !symptoms.is_empty());
        let subject = gathered.subject();
        let edge = gathered.value_of("edge.server").map(str::to_owned);
        let layer = match verdict {
            VerdictKind::Identified | VerdictKind::Likely => causes.first().map(|c| c.layer),
            _ => None,
        };
        let notes = gathered.notes();
        let path = self.path(&gathered, symptoms, &causes, verdict);
        Diagnosis {
            text: self.verdict_text(verdict, &causes, &notes),
            verdict,
            layer: layer.or_else(|| {
                path.iter()
                    .find(|step| step.state == StepState::Failed)
                    .map(|step| step.layer)
            }),
            path,
            other_probability: round(1.0 - listed).max(0.0),
            symptoms: symptoms
                .iter()
                .map(|(row, fact)| SeenSymptom {
                    id: self.graph.symptoms[*row].id.clone(),
                    title: self.graph.symptoms[*row].title.clone(),
                    fact: Some(*fact),
                })
                .collect(),
            next_step: self.next_step(&plan, &causes, &subject, edge.as_deref(), verdict),
            expected_minutes: (plan.expected_minutes * 10.0).round() / 10.0,
            ruled_out: families
                .iter()
                .enumerate()
                .filter(|(cause, p)| self.model.root_of(*cause) == *cause && **p < 0.002)
                .count(),
            causes,
            subject,
            edge,
            notes,
            facts: gathered.seen_facts(),
            redacted: gathered.redacted,
            texts: gathered.texts,
            knowledge: KnowledgeVersion {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                hash: self.hash.clone(),
            },
        }
    }

    fn ranked(
        &self,
        symptoms: &[(usize, usize)],
        posterior: &Posterior,
        families: &[f64],
    ) -> Vec<RankedCause> {
        let mut order: Vec<usize> = (0..families.len())
            .filter(|cause| self.model.root_of(*cause) == *cause)
            .collect();
        order.sort_by(|a, b| {
            round(families[*b])
                .total_cmp(&round(families[*a]))
                .then_with(|| self.graph.causes[*a].id.cmp(&self.graph.causes[*b].id))
        });
        order
            .iter()
            .take(MOST_CAUSES)
            .enumerate()
            .filter(|(place, cause)| *place < 3 || families[**cause] >= LEAST_LISTED)
            .map(|(_, cause)| self.ranked_cause(*cause, symptoms, posterior, families))
            .collect()
    }

    fn ranked_cause(
        &self,
        root: usize,
        symptoms: &[(usize, usize)],
        posterior: &Posterior,
        families: &[f64],
    ) -> RankedCause {
        let cause = &self.graph.causes[root];
        let mut variants: Vec<Variant> = (0..posterior.causes.len())
            .filter(|other| *other != root && self.model.root_of(*other) == root)
            .map(|other| Variant {
                id: self.graph.causes[other].id.clone(),
                title: self.graph.causes[other].title.clone(),
                probability: round(posterior.causes[other]),
            })
            .collect();
        variants.sort_by(|a, b| {
            b.probability
                .total_cmp(&a.probability)
                .then_with(|| a.id.cmp(&b.id))
        });
        RankedCause {
            id: cause.id.clone(),
            title: cause.title.clone(),
            layer: cause.layer,
            probability: round(families[root]),
            variants,
            reasons: self.reasons(root, symptoms, posterior),
        }
    }

    /// The likeliest member of the family stands for it.
    fn reasons(
        &self,
        root: usize,
        symptoms: &[(usize, usize)],
        posterior: &Posterior,
    ) -> Vec<Reason> {
        let speaker = (0..posterior.causes.len())
            .filter(|cause| self.model.root_of(*cause) == root)
            .max_by(|a, b| posterior.causes[*a].total_cmp(&posterior.causes[*b]))
            .unwrap_or(root);
        let mut reasons: Vec<Reason> = posterior
            .contributions
            .iter()
            .filter_map(|contribution| {
                let weight = contribution.weights[speaker];
                let row = *contribution.symptoms.first()?;
                let symptom = &self.graph.symptoms[row];
                (weight.abs() >= LEAST_WEIGHT).then(|| Reason {
                    symptom: symptom.id.clone(),
                    title: symptom.title.clone(),
                    speaks_for: weight > 0.0,
                    weight: round(weight.abs()),
                    fact: symptoms
                        .iter()
                        .find(|(other, _)| *other == row)
                        .map(|(_, fact)| *fact),
                })
            })
            .collect();
        let stage = posterior.stage_weights[speaker];
        if stage < -LEAST_WEIGHT {
            reasons.push(Reason {
                symptom: "stage".to_owned(),
                title: "the connection broke at a stage at which this cause does not show"
                    .to_owned(),
                speaks_for: false,
                weight: round(-stage),
                fact: None,
            });
        }
        reasons.sort_by(|a, b| {
            b.weight
                .total_cmp(&a.weight)
                .then_with(|| a.symptom.cmp(&b.symptom))
        });
        reasons.truncate(MOST_REASONS);
        reasons
    }

    fn verdict_text(&self, kind: VerdictKind, causes: &[RankedCause], notes: &[String]) -> String {
        let first = causes.first();
        // The narrower cause is named where it holds most of its family.
        let title = |cause: &RankedCause| {
            cause
                .variants
                .first()
                .filter(|variant| variant.probability > cause.probability * 0.5)
                .map_or(cause.title.clone(), |variant| variant.title.clone())
        };
        let mut text = match (kind, first) {
            (VerdictKind::Identified, Some(cause)) => sentence(&title(cause)),
            (VerdictKind::Likely, Some(cause)) => {
                format!("Most likely: {}", sentence(&decapitalised(&title(cause))))
            }
            (VerdictKind::Ambiguous, Some(cause)) if cause.probability < LEAST_NAMED => {
                "What was given does not tell the cause yet: many would look like this.".to_owned()
            }
            (VerdictKind::Ambiguous, Some(cause)) => {
                let second = causes
                    .get(1)
                    .map(|second| format!(" Or: {}", sentence(&decapitalised(&title(second)))))
                    .unwrap_or_default();
                format!(
                    "Several causes fit. The likeliest: {}{second}",
                    sentence(&decapitalised(&title(cause)))
                )
            }
            (VerdictKind::Healthy, _) => {
                "Nothing is wrong here: the connection worked and ended in the ordinary way."
                    .to_owned()
            }
            _ => "This was not recognised: nothing in it is a known message about a WebSocket \
                  connection. The next step shows how to find out more."
                .to_owned(),
        };
        for note in notes {
            text.push(' ');
            text.push_str(note);
        }
        text
    }

    fn path(
        &self,
        gathered: &Gathered,
        symptoms: &[(usize, usize)],
        causes: &[RankedCause],
        verdict: VerdictKind,
    ) -> Vec<PathStep> {
        let mut failed: Option<Stage> = None;
        let mut passed: Option<Stage> = None;
        for (row, _) in symptoms {
            match self.model.stage_of(*row) {
                Some((stage, StageState::Failed)) => failed = failed.max(Some(stage)),
                Some((stage, StageState::Ok)) => passed = passed.max(Some(stage)),
                None => {}
            }
        }
        let first = causes
            .first()
            .filter(|_| matches!(verdict, VerdictKind::Identified | VerdictKind::Likely));
        let broken = match failed {
            Some(Stage::Client) => Some(Layer::Client),
            Some(Stage::Name) => Some(Layer::Dns),
            Some(Stage::Network) => Some(Layer::Tcp),
            Some(Stage::Encryption) => Some(Layer::Tls),
            // The client cannot tell whether a proxy or the server answered; the causes can.
            Some(Stage::Handshake) => Some(match first.map(|cause| cause.layer) {
                Some(Layer::Handshake) => Layer::Handshake,
                _ if gathered.is_edge_absent() => Layer::Handshake,
                _ => Layer::Proxy,
            }),
            Some(Stage::Open) => Some(Layer::Session),
            None => first
                .map(|cause| cause.layer)
                .filter(|_| verdict != VerdictKind::Healthy),
        };
        // What lies before the place where it broke was passed only if something was seen to
        // break there, not if a cause merely makes it likely.
        let reached = failed.or(passed).map(layer_of_stage);
        let mut steps: Vec<PathStep> = Layer::ALL
            .iter()
            .map(|layer| PathStep {
                layer: *layer,
                state: match (broken, reached) {
                    (Some(broken), _) if *layer == broken => StepState::Failed,
                    (Some(broken), _) if *layer > broken => StepState::NotReached,
                    (_, Some(reached)) if *layer < reached => StepState::Ok,
                    (None, Some(reached)) if *layer == reached => StepState::Ok,
                    _ => StepState::Unknown,
                },
                detail: gathered.detail(*layer),
            })
            .collect();
        // A fault at the client stops nothing before it; a missing proxy is not passed.
        if broken == Some(Layer::Handshake) && !gathered.is_edge_absent() {
            for step in &mut steps {
                if step.layer == Layer::Proxy && step.detail.is_empty() {
                    step.state = StepState::Unknown;
                }
            }
        }
        steps
    }

    fn next_step(
        &self,
        plan: &Plan,
        causes: &[RankedCause],
        subject: &Subject,
        edge: Option<&str>,
        verdict: VerdictKind,
    ) -> NextStep {
        if verdict == VerdictKind::Healthy {
            return nothing_to_do();
        }
        match plan.choice {
            Choice::Check(position, minutes) => {
                let check = &self.graph.checks[position];
                NextStep {
                    id: check.id.clone(),
                    kind: kind_of(check),
                    title: check.title.clone(),
                    instruction: subject.fill(&check.instruction),
                    commands: check
                        .commands
                        .iter()
                        .map(|(system, command)| (system.clone(), subject.fill(command)))
                        .collect(),
                    minutes: check.minutes,
                    who: check.who,
                    why: self.why_check(position, causes, minutes),
                    answers: check
                        .answers
                        .iter()
                        .map(|answer| (answer.id.clone(), answer.title.clone()))
                        .chain([("cannot-tell".to_owned(), "I cannot tell".to_owned())])
                        .collect(),
                }
            }
            Choice::Fix(position) => {
                self.fix_step(&self.graph.causes[position], causes, subject, edge)
            }
            Choice::HandOver => hand_over(&self.graph, causes),
        }
    }

    /// In words: what the answers would separate.
    fn why_check(&self, check: usize, causes: &[RankedCause], minutes: f64) -> String {
        let saved = match minutes.round() {
            least if least < 1.0 => "It tells most for its minutes.".to_owned(),
            least if least < 2.0 => "It is expected to save a minute.".to_owned(),
            more => format!("It is expected to save {more} minutes."),
        };
        let position = |id: &str| self.graph.causes.iter().position(|cause| cause.id == id);
        if let [first, second, ..] = causes
            && first.probability >= LEAST_NAMED
            && let (Some(a), Some(b)) = (position(&first.id), position(&second.id))
        {
            let answers = self.graph.checks[check].answers.len();
            let separates = (0..answers).any(|answer| {
                let (p, q) = (
                    self.planner.answer_probability(check, answer, a),
                    self.planner.answer_probability(check, answer, b),
                );
                p.max(q) > 0.3 && p.max(q) > 3.0 * p.min(q)
            });
            if separates {
                return format!("It tells the two likeliest causes apart. {saved}");
            }
        }
        format!("It narrows the causes down. {saved}")
    }

    fn fix_step(
        &self,
        cause: &Cause,
        causes: &[RankedCause],
        subject: &Subject,
        edge: Option<&str>,
    ) -> NextStep {
        let all = sections(&cause.body);
        let fixes: Vec<_> = all
            .iter()
            .filter(|section| section.fix_system().is_some())
            .collect();
        let chosen = edge
            .and_then(|edge| {
                fixes.iter().find(|section| {
                    section
                        .fix_system()
                        .is_some_and(|system| system.to_lowercase().contains(edge))
                })
            })
            .or_else(|| fixes.first());
        let instruction = chosen.map_or_else(
            || summary(cause).to_owned(),
            |section| section.markdown.to_owned(),
        );
        let probability = causes
            .iter()
            .find(|ranked| ranked.id == cause.id)
            .map_or(0.0, |ranked| ranked.probability);
        NextStep {
            id: cause.id.clone(),
            kind: StepKind::Fix,
            title: cause.title.clone(),
            instruction: subject.fill(&instruction),
            commands: BTreeMap::new(),
            minutes: cause.fix.as_ref().map_or(20.0, |fix| fix.minutes),
            who: cause.fix.as_ref().map_or(Who::Developer, |fix| fix.who),
            why: format!(
                "No check is worth more than trying this: it is the cause in {} of 100 such cases.",
                (probability * 100.0).round()
            ),
            answers: vec![
                ("it-works-now".to_owned(), "It works now".to_owned()),
                ("still-fails".to_owned(), "It still fails".to_owned()),
            ],
        }
    }
}

/// The words that a fact was read from. An address tells several things at once that have nothing
/// to do with each other, so its facts count as if they stood apart.
fn source(fact: &Fact) -> Source {
    if fact.key.starts_with("url.") {
        return None;
    }
    fact.span.map(|span| (fact.evidence, span.start, span.end))
}

fn layer_of_stage(stage: Stage) -> Layer {
    match stage {
        Stage::Client => Layer::Client,
        Stage::Name => Layer::Dns,
        Stage::Network => Layer::Tcp,
        Stage::Encryption => Layer::Tls,
        Stage::Handshake => Layer::Proxy,
        Stage::Open => Layer::Session,
    }
}

fn nothing_to_do() -> NextStep {
    NextStep {
        id: "nothing-to-do".to_owned(),
        kind: StepKind::Question,
        title: "Does anything go wrong that this text does not show?".to_owned(),
        instruction: "The connection worked and ended in the ordinary way. If something still \
                      goes wrong, paste what the user sees when it does."
            .to_owned(),
        commands: BTreeMap::new(),
        minutes: 1.0,
        who: Who::User,
        why: "Nothing in the evidence is a fault.".to_owned(),
        answers: Vec::new(),
    }
}

fn hand_over(graph: &Graph, causes: &[RankedCause]) -> NextStep {
    let owner = causes
        .first()
        .filter(|cause| cause.probability >= 0.5)
        .and_then(|cause| graph.cause(&cause.id)?.fix.as_ref())
        .map(|fix| fix.who);
    let by_layer = match causes.first().map(|cause| cause.layer) {
        Some(Layer::Dns | Layer::Tcp) => Who::NetworkTeam,
        Some(Layer::Tls | Layer::Proxy) => Who::ServerAdmin,
        _ => Who::Developer,
    };
    let who = owner.unwrap_or(by_layer);
    NextStep {
        id: "hand-over".to_owned(),
        kind: StepKind::HandOver,
        title: format!("Hand this over to the {}", who.as_str()),
        instruction: "Send the address of this page, or its text as Markdown, to whoever looks \
                      after the part that is marked above. It holds everything that was found."
            .to_owned(),
        commands: BTreeMap::new(),
        minutes: 5.0,
        who,
        why: "No check or fix that is known here is worth its minutes.".to_owned(),
        answers: Vec::new(),
    }
}

fn verdict(causes: &[RankedCause], anything_seen: bool) -> VerdictKind {
    let Some(first) = causes.first().filter(|_| anything_seen) else {
        return VerdictKind::Unrecognised;
    };
    if first.id == "session-normal-close" && first.probability >= 0.5 {
        return VerdictKind::Healthy;
    }
    match first.probability {
        p if p >= 0.85 => VerdictKind::Identified,
        p if p >= 0.5 => VerdictKind::Likely,
        _ => VerdictKind::Ambiguous,
    }
}

fn round(probability: f64) -> f64 {
    (probability * 10_000.0).round() / 10_000.0
}

fn sentence(title: &str) -> String {
    if title.ends_with(['.', '!', '?']) {
        title.to_owned()
    } else {
        format!("{title}.")
    }
}

/// A title inside a sentence: common first words lose their capital, names keep it.
fn decapitalised(title: &str) -> String {
    let first = title.split(' ').next().unwrap_or_default();
    let common = [
        "The",
        "A",
        "An",
        "Nothing",
        "No",
        "Something",
        "One",
        "Two",
        "Several",
        "This",
        "Another",
        "Plain",
        "Client",
        "Server",
        "Certificate",
        "Credentials",
        "Too",
        "It",
        "Messages",
        "Frames",
        "Compression",
        "Browser",
        "Wrong",
        "Missing",
    ];
    if common.contains(&first) {
        let mut letters = title.chars();
        letters
            .next()
            .map(|letter| letter.to_lowercase().chain(letters).collect())
            .unwrap_or_default()
    } else {
        title.to_owned()
    }
}

/// What the pieces of evidence say, before it is weighed.
#[derive(Default)]
struct Gathered {
    texts: Vec<String>,
    facts: Vec<Fact>,
    redacted: BTreeMap<String, usize>,
    /// The connection that is diagnosed, where a paste speaks of several.
    connection: Option<usize>,
    connections: usize,
    /// The connection that a recording shows to fail.
    failing: Option<usize>,
}

/// Facts with these beginnings speak of the whole situation, whatever line they stand on.
const OF_EVERYTHING: &[&str] = &[
    "works.",
    "environment.",
    "since",
    "fails.",
    "page.",
    "edge.",
    "client.engine",
    "client.clock",
    "server.listening",
    "container.",
];

impl Gathered {
    fn read(&mut self, matcher: &Matcher, piece: &Evidence, number: usize) {
        let redacted = redact(piece.text.as_deref().unwrap_or_default());
        for (kind, count) in &redacted.counts {
            *self.redacted.entry((*kind).to_owned()).or_default() += count;
        }
        let text = redacted.text;
        match recording(&text, number) {
            Some(recording) => {
                // What was written around a recording is read as ever; the recording is not,
                // because scripts and bodies in it speak of everything.
                self.read_words(matcher, &text[..recording.span.start], 0, number);
                let end = recording.span.end;
                self.read_words(matcher, &text[end..], end, number);
                self.read_recording(matcher, recording, number);
            }
            None => self.read_words(matcher, &text, 0, number),
        }
        for mark in &redacted.marks {
            for (key, value) in &mark.facts {
                self.facts.push(Fact {
                    key: Arc::from(*key),
                    value: value.as_str().into(),
                    hop: Hop::ClientEdge,
                    vantage: "user".into(),
                    connection: None,
                    evidence: number,
                    span: Some(Span {
                        start: mark.start,
                        end: mark.end,
                    }),
                });
            }
        }
        self.facts.extend(facts_of_context(&piece.context, number));
        for stated in &piece.facts {
            self.facts.push(Fact {
                key: Arc::from(redact(&stated.key).text),
                value: Arc::from(redact(&stated.value).text),
                hop: stated.hop,
                vantage: Arc::from(if stated.vantage.is_empty() {
                    "user"
                } else {
                    &stated.vantage
                }),
                connection: None,
                evidence: number,
                span: None,
            });
        }
        self.texts.push(text);
    }

    /// Reads a stretch of a text that begins at the byte `offset` of it.
    fn read_words(&mut self, matcher: &Matcher, text: &str, offset: usize, number: usize) {
        let lines = Lines::new(text);
        let mut found = addresses(text);
        let configurations = configurations(text, &found, number);
        found.retain(|address| !configurations.covers(address.span));
        let connections = Connections::of(&found, &lines);
        let mut facts = facts_of_addresses(&connections, &found, number);
        let mut wordings = matcher.facts(text, &lines, &connections, number);
        wordings.retain(|fact| !configurations.know_better_than(fact));
        facts.extend(wordings);
        facts.extend(configurations.facts);
        for span in facts.iter_mut().filter_map(|fact| fact.span.as_mut()) {
            span.start += offset;
            span.end += offset;
        }
        self.add(facts, connections.addresses.len());
    }

    /// Reads a recording of network traffic.
    fn read_recording(&mut self, matcher: &Matcher, recording: Recording, number: usize) {
        let mut facts = recording.facts;
        for words in &recording.words {
            let lines = Lines::new(&words.text);
            let found = matcher.facts(&words.text, &lines, &Connections::default(), number);
            facts.extend(found.into_iter().map(|fact| Fact {
                span: Some(words.span),
                connection: words.connection,
                ..fact
            }));
        }
        let failing = recording.failing.map(|failing| failing + self.connections);
        self.failing = self.failing.or(failing);
        self.add(facts, recording.addresses.len());
    }

    /// Adds facts that number their connections from 0.
    fn add(&mut self, facts: Vec<Fact>, connections: usize) {
        let first = self.connections;
        self.facts.extend(facts.into_iter().map(|mut fact| {
            let is_of_everything = OF_EVERYTHING
                .iter()
                .any(|beginning| fact.key.starts_with(beginning));
            fact.connection = fact
                .connection
                .filter(|_| !is_of_everything)
                // Connections of later pieces are numbered on from the earlier ones'.
                .map(|connection| connection + first);
            fact
        }));
        self.connections += connections;
    }

    /// Drops what was said twice, and chooses the connection that is diagnosed.
    fn settle(&mut self) {
        let mut seen = HashSet::new();
        self.facts.retain(|fact| {
            seen.insert((
                fact.key.clone(),
                fact.value.clone(),
                fact.hop,
                fact.vantage.clone(),
                fact.connection,
            ))
        });
        let mut complaints: BTreeMap<usize, usize> = BTreeMap::new();
        for fact in &self.facts {
            if let Some(connection) = fact.connection
                && !fact.key.starts_with("url.")
            {
                let weight = usize::from(*fact.key != *"client.reason") + 1;
                *complaints.entry(connection).or_default() += weight;
            }
        }
        let loudest = complaints
            .iter()
            .max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)))
            .map(|(connection, _)| *connection);
        self.connection = self
            .failing
            .or(loudest)
            .or((self.connections > 0).then_some(0));
    }

    /// The facts that are weighed, with their positions: those of the diagnosed connection and
    /// those of none.
    fn counted(&self) -> Vec<(usize, &Fact)> {
        self.facts
            .iter()
            .enumerate()
            .filter(|(_, fact)| fact.connection.is_none() || fact.connection == self.connection)
            .collect()
    }

    fn value_of(&self, key: &str) -> Option<&str> {
        self.counted()
            .into_iter()
            .find(|(_, fact)| *fact.key == *key && fact.hop == Hop::ClientEdge)
            .map(|(_, fact)| &*fact.value)
    }

    fn subject(&self) -> Subject {
        let value = |key: &str| self.value_of(key).map(str::to_owned);
        Subject {
            scheme: value("url.scheme").filter(|scheme| scheme.starts_with("ws")),
            host: value("url.host")
                .filter(|_| !matches!(self.value_of("url.host.kind"), Some("placeholder"))),
            port: value("url.port"),
            path: value("url.path"),
            origin: value("page.scheme")
                .zip(value("page.host"))
                .map(|(scheme, host)| format!("{scheme}://{host}")),
        }
    }

    fn is_edge_absent(&self) -> bool {
        self.value_of("edge.present") == Some("no")
            || self.value_of("edge.server") == Some("application")
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let hidden = matches!(self.value_of("client.reason"), Some("hidden"));
        let telling = [
            "handshake.status",
            "tcp.connect",
            "tls.fault",
            "client.fault",
            "dns.lookup",
            "handshake.fault",
            "handshake.answer",
        ];
        if hidden && telling.iter().all(|key| self.value_of(key).is_none()) {
            notes.push(if self.value_of("client.engine") == Some("firefox") {
                "Firefox prints this same line for nearly every failure: it hides the reason from \
                 pages on purpose, so the line alone cannot tell what is wrong."
                    .to_owned()
            } else {
                "The browser hides the reason from pages on purpose, so this line alone cannot \
                 tell what is wrong."
                    .to_owned()
            });
        }
        if self.value_of("close.code") == Some("1006")
            && !hidden
            && telling.iter().all(|key| self.value_of(key).is_none())
        {
            notes.push(
                "Code 1006 only says that the connection ended without a close frame; it does \
                 not tell why."
                    .to_owned(),
            );
        }
        if self.connections > 1 {
            notes.push(format!(
                "The text speaks of {} connections; this is about the one that shows most.",
                self.connections
            ));
        }
        notes
    }

    /// A few words for the picture of the path.
    fn detail(&self, layer: Layer) -> String {
        let value = |key: &str| self.value_of(key).unwrap_or_default().to_owned();
        match layer {
            Layer::Client => value("client.engine"),
            Layer::Dns => value("url.host"),
            Layer::Tcp => {
                let port = value("url.port");
                if port.is_empty() {
                    port
                } else {
                    format!("port {port}")
                }
            }
            Layer::Tls => match self.value_of("url.scheme") {
                Some("ws") => "not used".to_owned(),
                _ => value("tls.fault").replace('-', " "),
            },
            Layer::Proxy => value("edge.server").replace("application", ""),
            Layer::Handshake => {
                let status = value("handshake.status");
                if status.is_empty() {
                    status
                } else {
                    format!("status {status}")
                }
            }
            Layer::Session => {
                let code = value("close.code");
                if code.is_empty() {
                    code
                } else {
                    format!("code {code}")
                }
            }
        }
    }

    fn seen_facts(&self) -> Vec<SeenFact> {
        let lines: Vec<Lines<'_>> = self.texts.iter().map(|text| Lines::new(text)).collect();
        self.facts
            .iter()
            .map(|fact| {
                let words = fact
                    .span
                    .map(|span| &self.texts[fact.evidence][span.start..span.end]);
                SeenFact {
                    place: fact
                        .span
                        .map(|span| lines[fact.evidence].position(span.start)),
                    length: words.map(|words| words.chars().count()),
                    quote: words.map(|words| {
                        words
                            .chars()
                            .take(LONGEST_QUOTE)
                            .map(|letter| if letter.is_control() { ' ' } else { letter })
                            .collect()
                    }),
                    fact: fact.clone(),
                }
            })
            .collect()
    }
}
