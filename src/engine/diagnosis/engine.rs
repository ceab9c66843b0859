//! The compiled knowledge, and what it makes of evidence.

use std::collections::BTreeSet;
use std::sync::Arc;

use foldhash::HashMap;

use super::super::evidence::{Fact, Review};
use super::super::graph::Graph;
use super::super::greatest::greatest;
use super::super::index::Index;
use super::super::knowledge;
use super::super::learned::LearnedPriors;
use super::super::matching::{Matcher, expressions, rests_on};
use super::super::next_step::{ButtonWords, Choice, Circumstances, Plan, Planner, StepKind};
use super::super::ranking::{Model, Numbers, Posterior, Source};
use super::super::timeouts::{Known, candidates};
use super::gathered::Gathered;
use super::name::Named;
use super::steps::answers;
use super::verdict::verdict;
use super::*;

/// At most that many causes are listed.
const MOST_CAUSES: usize = 10;
/// Less likely causes are counted under "something else", beyond the first three.
const LEAST_LISTED: f64 = 0.005;
/// At most that many reasons are given for a cause.
const MOST_REASONS: usize = 8;
/// A reason must shift the odds by a fifth to be worth a line.
const LEAST_WEIGHT: f64 = 0.2;

/// How often a fix does not help although its cause is there.
pub(super) const FIX_IN_VAIN: f64 = 0.1;

/// What facts make of the causes.
pub(super) struct Weighed {
    /// The symptoms that were seen, each with the position of the fact that shows it best.
    pub(super) symptoms: Vec<(usize, usize)>,
    pub(super) posterior: Posterior,
    /// The probability of each family, at its root's position.
    pub(super) families: Vec<f64>,
}

/// The compiled knowledge.
#[derive(Debug)]
pub struct Engine {
    pub(super) graph: Arc<Graph>,
    pub(super) matcher: Arc<Matcher>,
    pub(super) model: Model,
    pub(super) planner: Planner,
    /// Symptoms that speak of one key only, by it.
    pub(super) symptoms_of_key: HashMap<String, Vec<usize>>,
    /// Symptoms that speak of several keys, by each.
    pub(super) combined_symptoms_of_key: HashMap<String, Vec<usize>>,
    /// What the causes and the symptoms are called, at their positions.
    pub(super) cause_names: Arc<[Named]>,
    pub(super) symptom_names: Arc<[Named]>,
    /// The answers that can be given to the checks, at their positions.
    pub(super) check_answers: Arc<[ButtonWords]>,
    pub(super) hash: String,
    /// The hash without what was learnt.
    graph_hash: String,
    learned: LearnedPriors,
}

/// What depends on how common the causes are.
fn weighing(graph: &Graph, numbers: Numbers, learned: &LearnedPriors) -> (Model, Planner) {
    let model = Model::with_learned(graph, numbers, learned);
    let planner = Planner::new(graph, &model);
    (model, planner)
}

impl Engine {
    /// Compiles a graph with the usual numbers.
    pub fn new(graph: Graph) -> Self {
        Engine::with_numbers(graph, Numbers::default())
    }

    /// Compiles a graph with other numbers.
    pub fn with_numbers(mut graph: Graph, numbers: Numbers) -> Self {
        graph.sort();
        let index = Index::of(&expressions(&graph));
        Engine::with_index(graph, index, numbers, LearnedPriors::default())
    }

    /// Compiles a graph with what closed cases taught and with the index that an earlier compilation
    /// of the same patterns worked out, which takes a fraction of the time. The first of the `kept`
    /// ones counts that is whole, of these patterns and of this version of the program; where none is,
    /// the index is worked out and comes back as bytes, to be kept for the next time.
    pub fn with_kept_index(
        mut graph: Graph,
        learned: LearnedPriors,
        kept: &[&[u8]],
    ) -> (Self, Option<Vec<u8>>) {
        graph.sort();
        let expressions = expressions(&graph);
        let known = kept
            .iter()
            .find_map(|bytes| Index::from_bytes(bytes, &expressions));
        let (index, new) = match known {
            Some(index) => (index, None),
            None => {
                let index = Index::of(&expressions);
                let bytes = index.to_bytes(&expressions);
                (index, Some(bytes))
            }
        };
        let engine = Engine::with_index(graph, index, Numbers::default(), learned);
        (engine, new)
    }

    /// Compiles a graph that is in order.
    fn with_index(graph: Graph, index: Index, numbers: Numbers, learned: LearnedPriors) -> Self {
        // Hashing reads every word of the knowledge and depends on nothing else.
        let (graph_hash, matcher, (model, planner)) = std::thread::scope(|scope| {
            let hash = scope.spawn(|| knowledge::hash_of_sorted(&graph));
            let matcher = Matcher::with_index(&graph, index);
            let weighing = weighing(&graph, numbers, &learned);
            // A thread that could not finish is replaced by this one.
            let hash = hash.join();
            let hash = hash.unwrap_or_else(|_| knowledge::hash_of_sorted(&graph));
            (hash, matcher, weighing)
        });
        let (mut of_key, mut combined_of_key): (HashMap<String, Vec<usize>>, HashMap<_, Vec<_>>) =
            Default::default();
        for (row, symptom) in graph.symptoms.iter().enumerate() {
            let keys = symptom.when.keys();
            let keys: BTreeSet<&str> = keys.into_iter().map(|(key, _)| key).collect();
            let index = if keys.len() == 1 {
                &mut of_key
            } else {
                &mut combined_of_key
            };
            for key in keys {
                index.entry(key.to_owned()).or_default().push(row);
            }
        }
        let causes = graph.causes.iter();
        let symptoms = graph.symptoms.iter();
        Engine {
            cause_names: causes.map(|own| Named::new(&own.id, &own.title)).collect(),
            symptom_names: symptoms
                .map(|own| Named::new(&own.id, &own.title))
                .collect(),
            check_answers: graph.checks.iter().map(answers).collect(),
            matcher: Arc::new(matcher),
            planner,
            hash: learned.stamp(&graph_hash),
            graph_hash,
            learned,
            model,
            symptoms_of_key: of_key,
            combined_symptoms_of_key: combined_of_key,
            graph: Arc::new(graph),
        }
    }

    /// The same knowledge with what other closed cases taught: only what is weighed is compiled again.
    #[must_use]
    pub fn with_other_priors(&self, learned: LearnedPriors) -> Self {
        let (model, planner) = weighing(&self.graph, Numbers::default(), &learned);
        Engine {
            graph: self.graph.clone(),
            matcher: self.matcher.clone(),
            cause_names: self.cause_names.clone(),
            symptom_names: self.symptom_names.clone(),
            check_answers: self.check_answers.clone(),
            model,
            planner,
            symptoms_of_key: self.symptoms_of_key.clone(),
            combined_symptoms_of_key: self.combined_symptoms_of_key.clone(),
            hash: learned.stamp(&self.graph_hash),
            graph_hash: self.graph_hash.clone(),
            learned,
        }
    }

    /// The knowledge that it was compiled from.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// What closed cases taught.
    pub fn learned(&self) -> &LearnedPriors {
        &self.learned
    }

    /// The hash of that knowledge, with what was learnt.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// What the evidence makes of the causes and what to do next.
    pub fn diagnose(&self, evidence: &[Evidence]) -> Diagnosis {
        self.diagnose_owned(evidence.to_vec())
    }

    /// The same for evidence that nobody else needs: a long text is in memory once, not twice.
    pub fn diagnose_owned(&self, evidence: Vec<Evidence>) -> Diagnosis {
        let mut gathered = self.gathered(evidence);
        let (weighed, also) = self.weighed_by_fault(&mut gathered);
        let known = gathered.counted();
        let known = known.map(|(_, fact)| (&*fact.key, &*fact.value));
        let answered: Vec<usize> = gathered
            .answered
            .iter()
            .filter_map(|id| self.graph.checks.iter().position(|check| check.id == *id))
            .collect();
        let circumstances = Circumstances {
            can: &gathered.can,
            answered: &answered,
            can_probe: gathered.can_probe(),
        };
        let Weighed {
            posterior,
            families,
            ..
        } = &weighed;
        let plan = self
            .planner
            .plan_under(posterior, families, known, circumstances);
        self.assemble(gathered, &weighed, plan, also)
    }

    /// What the evidence makes of the causes; where it shows two faults, what it makes of the one
    /// that is dealt with first, and the other.
    pub(super) fn weighed_by_fault(&self, gathered: &mut Gathered) -> (Weighed, Vec<AlsoFault>) {
        let counted: Vec<(usize, &Fact)> = gathered.counted().collect();
        let all = self.weighed(&counted);
        if let Some((first, also)) = self.two_faults(&counted, &all) {
            return (first, vec![also]);
        }
        if gathered.connections < 2 {
            return (all, Vec::new());
        }
        match self.fault_of_another_connection(gathered, &all) {
            // What breaks earlier on the way comes first.
            Some((_, Some(earlier))) => {
                gathered.connection = Some(earlier);
                let first = self.weighed(&gathered.counted().collect::<Vec<_>>());
                let also = self.fault_of_another_connection(gathered, &first);
                (first, also.into_iter().map(|(also, _)| also).collect())
            }
            other => (all, other.into_iter().map(|(also, _)| also).collect()),
        }
    }

    /// What the pieces of evidence say.
    pub(super) fn gathered(&self, evidence: Vec<Evidence>) -> Gathered {
        let mut gathered = Gathered::default();
        for (number, piece) in evidence.into_iter().enumerate() {
            gathered.read(&self.matcher, piece, number);
        }
        gathered.settle();
        gathered
    }

    /// What facts, each with its position, make of the causes.
    pub(super) fn weighed(&self, facts: &[(usize, &Fact)]) -> Weighed {
        let symptoms = self.symptoms(facts);
        let seen: Vec<(usize, Source)> = symptoms
            .iter()
            .map(|(row, fact)| {
                let place = facts.partition_point(|(position, _)| position < fact);
                (*row, source(facts[place].1))
            })
            .collect();
        let tried = self.tried_in_vain(facts);
        let posterior = self.model.posterior(&seen);
        let posterior = posterior.without_fixed(tried, FIX_IN_VAIN);
        Weighed {
            families: self.model.families(&posterior),
            symptoms,
            posterior,
        }
    }

    /// The symptoms that the facts amount to, each with the fact that shows it best.
    pub(super) fn symptoms(&self, facts: &[(usize, &Fact)]) -> Vec<(usize, usize)> {
        let plain: Vec<&Fact> = facts.iter().map(|(_, fact)| *fact).collect();
        let mut seen = Vec::new();
        let mut combined: Vec<usize> = Vec::new();
        // What is asked for again and again is written into the same memory.
        let (mut positions, mut alike, mut used) = (Vec::new(), Vec::new(), Vec::new());
        for (position, fact) in plain.iter().enumerate() {
            if plain[..position].iter().any(|other| other.key == fact.key) {
                continue;
            }
            let rows = self.combined_symptoms_of_key.get(&*fact.key);
            combined.extend(rows.into_iter().flatten());
            let Some(rows) = self.symptoms_of_key.get(&*fact.key) else {
                continue;
            };
            positions.clear();
            positions.extend((position..plain.len()).filter(|at| plain[*at].key == fact.key));
            alike.clear();
            alike.extend(positions.iter().map(|at| plain[*at]));
            seen.extend(rows.iter().filter_map(|row| {
                let shown = self.shown(*row, &alike, &mut used)?;
                Some((*row, facts[positions[shown]].0))
            }));
        }
        combined.sort_unstable();
        combined.dedup();
        seen.extend(
            combined
                .into_iter()
                .filter_map(|row| Some((row, facts[self.shown(row, &plain, &mut used)?].0))),
        );
        seen.sort_unstable();
        seen
    }

    /// If the symptom holds, which of the facts shows it best.
    fn shown(&self, row: usize, facts: &[&Fact], used: &mut Vec<usize>) -> Option<usize> {
        used.clear();
        if !rests_on(&self.graph.symptoms[row].when, facts, used) {
            return None;
        }
        used.iter()
            .copied()
            .find(|position| facts[*position].span.is_some())
            .or(used.first().copied())
    }

    fn assemble(
        &self,
        gathered: Gathered,
        weighed: &Weighed,
        plan: Plan,
        also: Vec<AlsoFault>,
    ) -> Diagnosis {
        let Weighed {
            symptoms,
            posterior,
            families,
        } = weighed;
        let causes = self.ranked(symptoms, posterior, families);
        let listed: f64 = causes.iter().map(|cause| cause.probability).sum();
        let verdict = verdict(&causes, !symptoms.is_empty());
        let subject = gathered.subject();
        let edge = gathered.value_of("edge.server").map(str::to_owned);
        let layer = match verdict {
            VerdictKind::Identified | VerdictKind::Likely => causes.first().map(|c| c.layer),
            _ => None,
        };
        let also_why = also.iter().map(|fault| fault.why.clone());
        let notes: Vec<String> = also_why.chain(gathered.notes()).collect();
        let path = self.path(&gathered, symptoms, &causes, verdict);
        let known = Known::of(gathered.counted().map(|(_, fact)| fact));
        let configurations = gathered.reviews();
        let mut next_step = self.next_step(&plan, &causes, &subject, edge.as_deref(), verdict);
        let is_shown = |review: &Review| !review.is_right() && !review.difference.is_empty();
        if next_step.kind == StepKind::Fix && configurations.iter().any(is_shown) {
            next_step.instruction.push_str(
                "\n\nThe review of the configuration that was given shows, line by line, what to \
                 change in it.",
            );
        }
        Diagnosis {
            text: self.verdict_text(verdict, &causes, &notes),
            verdict,
            also,
            layer: layer.or_else(|| {
                path.iter()
                    .find(|step| step.state == StepState::Failed)
                    .map(|step| step.layer)
            }),
            path,
            other_probability: round(1.0 - listed).max(0.0),
            symptoms: symptoms
                .iter()
                .map(|seen| self.seen_symptom(seen))
                .collect(),
            access: match plan.choice {
                Choice::Check(check, _) if next_step.id == self.graph.checks[check].id => {
                    Some(self.graph.checks[check].access())
                }
                _ => None,
            },
            along: plan
                .along
                .iter()
                .filter(|_| verdict != VerdictKind::Healthy)
                .map(|check| self.check_step(*check, &subject, self.why_along()))
                .collect(),
            next_step,
            expected_minutes: (plan.expected_minutes * 10.0).round() / 10.0,
            ruled_out: families
                .iter()
                .enumerate()
                .filter(|(cause, p)| self.model.root_of(*cause) == *cause && **p < RULED_OUT)
                .count(),
            causes,
            subject,
            edge,
            notes,
            facts: gathered.seen_facts(),
            configurations,
            lasted: known.lasted,
            timeouts: candidates(&self.graph.timeouts, &known),
            redacted: gathered.redacted,
            texts: gathered.texts,
            knowledge: KnowledgeVersion {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                hash: self.hash.clone(),
            },
        }
    }

    /// A symptom that was seen, with the position of the fact that shows it.
    pub(super) fn seen_symptom(&self, (row, fact): &(usize, usize)) -> SeenSymptom {
        let Named { id, title } = self.symptom_names[*row].clone();
        SeenSymptom {
            id,
            title,
            fact: Some(*fact),
        }
    }

    fn ranked(
        &self,
        symptoms: &[(usize, usize)],
        posterior: &Posterior,
        families: &[f64],
    ) -> Vec<RankedCause> {
        // Where nothing is left of several after rounding, what the words made of them decides. Causes
        // are in the order of their ids, so their positions decide between equals.
        let as_weighed = posterior.families_as_weighed();
        let roots = (0..families.len()).filter(|cause| self.model.root_of(*cause) == *cause);
        let order = roots.map(|cause| {
            let likelihood = parts(families[cause]) << 16 | parts(as_weighed[cause]);
            (likelihood, cause)
        });
        greatest(order, MOST_CAUSES)
            .into_iter()
            .enumerate()
            .filter(|(place, cause)| *place < 3 || families[*cause] >= LEAST_LISTED)
            .map(|(_, cause)| self.ranked_cause(cause, symptoms, posterior, families))
            .collect()
    }

    fn ranked_cause(
        &self,
        root: usize,
        symptoms: &[(usize, usize)],
        posterior: &Posterior,
        families: &[f64],
    ) -> RankedCause {
        let mut variants: Vec<Variant> = self
            .model
            .narrower(root)
            .iter()
            .map(|other| {
                let Named { id, title } = self.cause_names[*other].clone();
                Variant {
                    id,
                    title,
                    probability: round(posterior.causes[*other]),
                }
            })
            .collect();
        variants.sort_by(|a, b| {
            b.probability
                .total_cmp(&a.probability)
                .then_with(|| a.id.cmp(&b.id))
        });
        let Named { id, title } = self.cause_names[root].clone();
        RankedCause {
            id,
            title,
            layer: self.graph.causes[root].layer,
            probability: round(families[root]),
            variants,
            reasons: self.reasons(root, symptoms, posterior),
        }
    }

    /// The likeliest member of the family stands for it.
    pub(super) fn speaker(&self, root: usize, posterior: &Posterior) -> usize {
        let family = std::iter::once(&root).chain(self.model.narrower(root));
        family
            .max_by(|a, b| {
                let likelier = posterior.causes[**a].total_cmp(&posterior.causes[**b]);
                likelier.then(a.cmp(b))
            })
            .copied()
            .unwrap_or(root)
    }

    fn reasons(
        &self,
        root: usize,
        symptoms: &[(usize, usize)],
        posterior: &Posterior,
    ) -> Vec<Reason> {
        let speaker = self.speaker(root, posterior);
        let mut reasons = self.all_reasons(speaker, symptoms, posterior, LEAST_WEIGHT);
        reasons.truncate(MOST_REASONS);
        reasons
    }

    /// Everything that shifts the odds of one cause by `least` or more, weightiest first.
    pub(super) fn all_reasons(
        &self,
        speaker: usize,
        symptoms: &[(usize, usize)],
        posterior: &Posterior,
        least: f64,
    ) -> Vec<Reason> {
        let mut reasons: Vec<Reason> = posterior
            .contributions
            .iter()
            .filter_map(|contribution| {
                let weight = contribution.weights[speaker];
                let row = *contribution.symptoms.first()?;
                let symptom = &self.symptom_names[row];
                (weight.abs() >= least).then(|| Reason {
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
        if stage < -least {
            reasons.push(Reason {
                symptom: "stage".into(),
                title: "the connection broke at a stage at which this cause does not show".into(),
                speaks_for: false,
                weight: round(-stage),
                fact: None,
            });
        }
        if posterior.tried.contains(&speaker) {
            reasons.push(Reason {
                symptom: FIX_FAILED.into(),
                title: "its fix was applied and it fails still".into(),
                speaks_for: false,
                weight: round(-FIX_IN_VAIN.ln()),
                fact: None,
            });
        }
        reasons.sort_by(|a, b| {
            b.weight
                .total_cmp(&a.weight)
                .then_with(|| a.symptom.cmp(&b.symptom))
        });
        reasons
    }
}

/// The words that a fact was read from. An address tells several things at once that have nothing
/// to do with each other, so its facts count as if they stood apart.
pub(super) fn source(fact: &Fact) -> Source {
    if fact.key.starts_with("url.") {
        return None;
    }
    fact.span.map(|span| (fact.evidence, span.start, span.end))
}
