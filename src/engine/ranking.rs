//! From symptoms to causes: one fault at first, every finding weighed, room for something else.
//!
//! posterior(c) ~ prior(c) x product over findings of P(finding | c). The words of the knowledge
//! become numbers in one table ([`Numbers`]); everything else is derived from the graph.

use std::collections::HashMap;
use std::sync::Arc;

use super::graph::{Frequency, Graph, Hop, Prior, Stage, StageState};
use super::learned::LearnedPriors;

/// The handful of numbers behind the words. They hold for the whole knowledge, never for a single
/// cause or symptom.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbers {
    /// P(symptom | cause) for always, usually, often, sometimes, rarely, never.
    pub frequencies: [f64; 6],
    /// Relative weights of very common, common, uncommon, rare, very rare.
    pub priors: [f64; 5],
    /// P(symptom | cause) for a pair that nobody linked, where the symptom says nothing of it.
    pub unlinked: f64,
    /// Share of "something else" before anything was seen.
    pub something_else: f64,
    /// Factor for a cause that does not show at any stage where the connection was seen to fail.
    pub wrong_stage: f64,
    /// Share of a general symptom's frequency that a cause keeps for a more exact one.
    pub inherited: f64,
    /// What at least is left of an unlinked alternative for a cause that links others of its
    /// variable.
    pub leftover: f64,
    /// Exponent on the sum of a cause's links to alternatives by which each is divided: 1 makes them
    /// add up to 1, less keeps something of the words as they were written.
    pub crowding: f64,
    /// Exponent on the evidence: above 1 where the words are timid, below 1 where findings repeat
    /// each other. Fitted, like the others, on labelled cases.
    pub trust: f64,
    /// Exponent on the families' probabilities at the very end, where one finding speaks. It leaves
    /// their order as it is.
    pub temperature: f64,
    /// How much less that is where more speak, because findings of one text repeat each other: with
    /// n findings read from words the exponent is divided by n to this power.
    pub repetition: f64,
    /// Share that is given to "something else" at the very end: no list of causes is complete.
    pub doubt: f64,
}

impl Default for Numbers {
    fn default() -> Self {
        Numbers {
            frequencies: [0.97, 0.8, 0.5, 0.25, 0.05, 0.002],
            priors: [12.0, 6.0, 2.5, 1.0, 0.3],
            unlinked: 0.003,
            something_else: 0.08,
            wrong_stage: 0.05,
            inherited: 0.25,
            leftover: 0.6,
            crowding: 0.2,
            trust: 1.5,
            temperature: 1.9,
            repetition: 0.0,
            doubt: 0.02,
        }
    }
}

impl Numbers {
    fn frequency(&self, word: Frequency) -> f64 {
        match word {
            Frequency::Always => self.frequencies[0],
            Frequency::Usually => self.frequencies[1],
            Frequency::Often => self.frequencies[2],
            Frequency::Sometimes => self.frequencies[3],
            Frequency::Rarely => self.frequencies[4],
            Frequency::Never => self.frequencies[5],
        }
    }

    fn prior(&self, word: Prior) -> f64 {
        match word {
            Prior::VeryCommon => self.priors[0],
            Prior::Common => self.priors[1],
            Prior::Uncommon => self.priors[2],
            Prior::Rare => self.priors[3],
            Prior::VeryRare => self.priors[4],
        }
    }
}

/// A family that is less likely is as good as impossible, and nobody can tell how much so.
const NEGLIGIBLE: f64 = 1e-12;

/// The graph as numbers: one row a symptom, one column a cause.
#[derive(Debug)]
pub struct Model {
    numbers: Numbers,
    /// Prior probabilities of the causes; with `numbers.something_else` they add up to 1.
    priors: Vec<f64>,
    /// ln of those.
    prior_logarithms: Vec<f64>,
    /// For a cause, the position of its family's root (itself for a root).
    root_of: Arc<[usize]>,
    /// For a root, the positions of its narrower causes.
    narrower: Vec<Vec<usize>>,
    stages: Vec<u8>,
    /// ln P(symptom | cause), row by row.
    logarithms: Vec<f64>,
    /// ln P(symptom | something else).
    background: Vec<f64>,
    /// Symptoms that no cause names tell nothing of causes.
    informative: Vec<bool>,
    /// Symptoms of one variable are alternatives.
    variable_of: Vec<usize>,
    refines: Vec<Option<usize>>,
    stage_of: Vec<Option<(Stage, StageState)>>,
}

/// What speaks for or against the causes: the findings of one variable.
#[derive(Clone, Debug)]
pub struct Contribution {
    /// The symptoms seen.
    pub symptoms: Vec<usize>,
    /// ln of the ratio to "something else", for each cause.
    pub weights: Vec<f64>,
}

/// The words that a symptom was read from: evidence, first and last byte; `None` if it was stated.
pub type Source = Option<(usize, usize, usize)>;

/// Divides the weight of findings that were read from the same words among them.
fn share_sources(contributions: &mut [Contribution], sources: &[(usize, Source)]) {
    let spans: Vec<Source> = contributions
        .iter()
        .map(|contribution| {
            let first = contribution.symptoms.first()?;
            sources.iter().find(|(symptom, _)| symptom == first)?.1
        })
        .collect();
    for (contribution, span) in contributions.iter_mut().zip(&spans) {
        let Some((evidence, start, end)) = span else {
            continue;
        };
        let together = spans
            .iter()
            .flatten()
            .filter(|(other, from, to)| other == evidence && from < end && start < to)
            .count();
        let share = 1.0 / (together.max(1) as f64).sqrt();
        for weight in &mut contribution.weights {
            *weight *= share;
        }
    }
}

/// How many findings were read from words that were given. What was asked for, one question at a
/// time, repeats nothing.
fn read_from_words(contributions: &[Contribution], sources: &[(usize, Source)]) -> usize {
    contributions
        .iter()
        .filter(|contribution| {
            let is_read =
                |symptom: &usize| sources.iter().any(|(s, at)| s == symptom && at.is_some());
            contribution.symptoms.iter().any(is_read)
        })
        .count()
}

/// What the evidence makes of the causes.
#[derive(Clone, Debug)]
pub struct Posterior {
    /// For each cause of the graph; a root without its narrower causes.
    pub causes: Vec<f64>,
    /// "Something else".
    pub something_else: f64,
    /// What speaks for or against each.
    pub contributions: Vec<Contribution>,
    /// ln of the factor by which the stages speak against each cause, 0 if they do not.
    pub stage_weights: Vec<f64>,
    /// Causes whose fix was applied and did not help.
    pub tried: Vec<usize>,
    weighed: Weighed,
}

/// Probabilities as the words of the knowledge give them.
#[derive(Clone, Debug)]
struct Weighed {
    causes: Vec<f64>,
    /// The probability of each family, at its root's position.
    families: Vec<f64>,
    something_else: f64,
    /// How many findings were read from words, and fixes in vain.
    findings: usize,
    numbers: Numbers,
    root_of: Arc<[usize]>,
}

impl Weighed {
    /// To which power the families' probabilities are raised at the very end.
    fn power(&self) -> f64 {
        let findings = self.findings.max(1) as f64;
        self.numbers.temperature * findings.powf(-self.numbers.repetition)
    }

    /// Probabilities that mean what they say, see [`Numbers::temperature`] and [`Numbers::doubt`],
    /// and that of "something else". The order of families and the shares within them stay.
    fn calibrated(&self) -> (Vec<f64>, f64) {
        let families = &self.families;
        let temperature = self.power();
        // A narrower cause has no family of its own, and most positions are those of such.
        let mut sharper = vec![0.0; families.len()];
        for (sharper, family) in sharper.iter_mut().zip(families) {
            if *family > NEGLIGIBLE {
                *sharper = family.powf(temperature);
            }
        }
        let other = self.something_else.powf(temperature);
        let total = sharper.iter().sum::<f64>() + other;
        let known = 1.0 - self.numbers.doubt;
        let causes = self.causes.iter().enumerate().map(|(cause, probability)| {
            let root = self.root_of[cause];
            let family = families[root].max(f64::MIN_POSITIVE);
            probability * known * sharper[root] / total / family
        });
        (causes.collect(), known * other / total + self.numbers.doubt)
    }
}

impl Posterior {
    /// The probability of each family at its root's position, before probabilities are made to mean
    /// what they say. That last step was fitted on whole pastes: whoever weighs a part of the
    /// evidence by itself, to see whether it stands alone, needs what the words alone make of it.
    pub fn families_as_weighed(&self) -> &[f64] {
        &self.weighed.families
    }

    /// To which power the families' probabilities were raised at the very end, see
    /// [`Numbers::temperature`] and [`Numbers::repetition`].
    pub fn power(&self) -> f64 {
        self.weighed.power()
    }

    /// After the fixes of these causes were applied and it fails still: `left` is how often a fix
    /// does not help although its cause is there.
    pub fn without_fixed(mut self, tried: Vec<usize>, left: f64) -> Self {
        if tried.is_empty() {
            return self;
        }
        // That it did not help is a finding like any other, so it is weighed before probabilities
        // are made to mean what they say.
        for cause in &tried {
            self.weighed.causes[*cause] *= left;
            let is_root = self.weighed.root_of[*cause] == *cause;
            self.weighed.findings += usize::from(is_root);
        }
        self.weighed.families = families(&self.weighed.causes, &self.weighed.root_of);
        (self.causes, self.something_else) = self.weighed.calibrated();
        self.tried = tried;
        self
    }
}

/// The probability of each family, at its root's position.
fn families(causes: &[f64], root_of: &[usize]) -> Vec<f64> {
    let mut families = vec![0.0; causes.len()];
    for (probability, root) in causes.iter().zip(root_of) {
        families[*root] += probability;
    }
    families
}

fn bit(stage: Stage) -> u8 {
    1 << stage as u8
}

impl Model {
    /// Compiles a graph. References that lead nowhere are passed over; the check of the knowledge
    /// reports them.
    pub fn new(graph: &Graph, numbers: Numbers) -> Self {
        Model::with_learned(graph, numbers, &LearnedPriors::default())
    }

    /// The same with what closed cases taught.
    pub fn with_learned(graph: &Graph, numbers: Numbers, learned: &LearnedPriors) -> Self {
        let position: HashMap<&str, usize> = graph
            .causes
            .iter()
            .enumerate()
            .map(|(position, cause)| (cause.id.as_str(), position))
            .collect();
        let root_of: Vec<usize> = graph
            .causes
            .iter()
            .enumerate()
            .map(|(own, cause)| {
                cause
                    .parent
                    .as_deref()
                    .and_then(|parent| position.get(parent).copied())
                    .unwrap_or(own)
            })
            .collect();
        let mut priors = priors(graph, &root_of, &numbers);
        learned.shift(graph, &mut priors);
        let mut narrower = vec![Vec::new(); root_of.len()];
        for (own, root) in root_of
            .iter()
            .enumerate()
            .filter(|(own, root)| own != *root)
        {
            narrower[*root].push(own);
        }
        let mut model = Model {
            narrower,
            prior_logarithms: priors.iter().map(|prior| prior.ln()).collect(),
            priors,
            root_of: root_of.into(),
            stages: graph
                .causes
                .iter()
                .map(|cause| cause.shows_at.iter().map(|stage| bit(*stage)).sum())
                .collect(),
            logarithms: Vec::new(),
            background: Vec::new(),
            informative: Vec::new(),
            variable_of: variables(graph),
            refines: graph
                .symptoms
                .iter()
                .map(|symptom| {
                    let general = symptom.refines.as_deref()?;
                    graph
                        .symptoms
                        .binary_search_by(|s| s.id.as_str().cmp(general))
                        .ok()
                })
                .collect(),
            stage_of: graph
                .symptoms
                .iter()
                .map(|symptom| symptom.stage.zip(symptom.state))
                .collect(),
            numbers,
        };
        model.fill_likelihoods(graph);
        model
    }

    fn fill_likelihoods(&mut self, graph: &Graph) {
        let causes = graph.causes.len();
        let symptoms = graph.symptoms.len();
        // The words as written, a narrower cause inheriting its root's.
        let mut words = vec![None; symptoms * causes];
        for (column, cause) in graph.causes.iter().enumerate() {
            let root = &graph.causes[self.root_of[column]];
            for source in [root, cause] {
                for (id, word) in &source.symptoms {
                    if let Ok(row) = graph.symptoms.binary_search_by(|s| s.id.cmp(id)) {
                        words[row * causes + column] = Some(self.numbers.frequency(*word));
                    }
                }
            }
        }
        let variables = self.variable_of.iter().max().map_or(0, |last| last + 1);
        // How much of a variable's values a cause accounts for by its links.
        let mut linked = vec![0.0; variables * causes];
        for row in 0..symptoms {
            if self.refines[row].is_some() {
                continue;
            }
            for column in 0..causes {
                if let Some(word) = words[row * causes + column] {
                    linked[self.variable_of[row] * causes + column] += word;
                }
            }
        }
        for (row, symptom) in graph.symptoms.iter().enumerate() {
            let otherwise = symptom
                .otherwise
                .map_or(self.numbers.unlinked, |word| self.numbers.frequency(word));
            let mut mean = 0.0;
            for column in 0..causes {
                let total = linked[self.variable_of[row] * causes + column];
                let general = self.refines[row].and_then(|g| words[g * causes + column]);
                let probability = match (words[row * causes + column], general) {
                    (Some(word), _) => word / total.max(1.0).powf(self.numbers.crowding),
                    (None, Some(word)) => (word * self.numbers.inherited).max(otherwise),
                    (None, None) => otherwise * (1.0 - total).clamp(self.numbers.leftover, 1.0),
                };
                self.logarithms.push(probability.ln());
                mean += self.priors[column] * probability;
            }
            let known: f64 = 1.0 - self.numbers.something_else;
            self.background.push((mean / known).max(otherwise).ln());
            self.informative
                .push((0..causes).any(|column| words[row * causes + column].is_some()));
        }
    }

    /// The number of causes.
    pub fn causes(&self) -> usize {
        self.priors.len()
    }

    /// The position of a cause's family root.
    pub fn root_of(&self, cause: usize) -> usize {
        self.root_of[cause]
    }

    /// The probability of each family, at its root's position.
    pub fn families(&self, posterior: &Posterior) -> Vec<f64> {
        families(&posterior.causes, &self.root_of)
    }

    /// The positions of a root's narrower causes.
    pub fn narrower(&self, root: usize) -> &[usize] {
        &self.narrower[root]
    }

    /// Whether any cause speaks of the symptom.
    pub fn is_informative(&self, symptom: usize) -> bool {
        self.informative[symptom]
    }

    /// The variable that a symptom is a value of.
    pub fn variable_of(&self, symptom: usize) -> usize {
        self.variable_of[symptom]
    }

    /// The stage that a symptom speaks of.
    pub fn stage_of(&self, symptom: usize) -> Option<(Stage, StageState)> {
        self.stage_of[symptom]
    }

    /// P(cause) before anything was seen; a root without its narrower causes.
    pub fn prior(&self, cause: usize) -> f64 {
        self.priors[cause]
    }

    /// The factor by which evidence of that weight multiplies the odds against "something else".
    pub fn factor(&self, weight: f64) -> f64 {
        (self.numbers.trust * weight).exp()
    }

    /// The share that is given to "something else" at the very end.
    pub fn doubt(&self) -> f64 {
        self.numbers.doubt
    }

    /// Whether the symptoms are looks at the same thing, of which one excludes the other.
    pub fn are_alternatives(&self, one: usize, other: usize) -> bool {
        self.variable_of[one] == self.variable_of[other]
    }

    /// Whether the cause shows at that stage; one that names no stage shows anywhere.
    pub fn shows_at(&self, cause: usize, stage: Stage) -> bool {
        self.stages[cause] == 0 || self.stages[cause] & bit(stage) != 0
    }

    /// P(symptom | cause).
    pub fn likelihood(&self, symptom: usize, cause: usize) -> f64 {
        self.logarithms[symptom * self.causes() + cause].exp()
    }

    /// P(symptom | something else).
    pub fn background(&self, symptom: usize) -> f64 {
        self.background[symptom].exp()
    }

    /// The symptoms that count: of those that say the same more and less exactly, the most exact.
    pub fn most_exact(&self, seen: &[usize]) -> Vec<usize> {
        seen.iter()
            .copied()
            .filter(|symptom| {
                !seen
                    .iter()
                    .any(|other| self.refines[*other] == Some(*symptom))
            })
            .collect()
    }

    /// Weighs the symptoms that were seen.
    ///
    /// `sources` names for each symptom the words that it was read from; several symptoms read from
    /// the same words are not independent, and share their weight.
    pub fn posterior(&self, seen: &[(usize, Source)]) -> Posterior {
        let sources = seen;
        let seen: Vec<usize> = seen.iter().map(|(symptom, _)| *symptom).collect();
        let seen = self.most_exact(&seen);
        let mut contributions = self.contributions(&seen);
        share_sources(&mut contributions, sources);
        let stage_weights = self.stage_weights(&seen);
        let mut scores = vec![0.0; self.causes()];
        for contribution in &contributions {
            add(&mut scores, &contribution.weights);
        }
        let known = self.prior_logarithms.iter().zip(&stage_weights);
        for (score, (prior, stage)) in scores.iter_mut().zip(known) {
            *score = prior + self.numbers.trust * *score + stage;
        }
        scores.push(self.numbers.something_else.ln());
        let greatest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for score in &mut scores {
            *score = (*score - greatest).exp();
        }
        let total: f64 = scores.iter().sum();
        for score in &mut scores {
            *score /= total;
        }
        let something_else = scores.pop().unwrap_or(1.0);
        let weighed = Weighed {
            families: families(&scores, &self.root_of),
            causes: scores,
            something_else,
            findings: read_from_words(&contributions, sources),
            numbers: self.numbers.clone(),
            root_of: Arc::clone(&self.root_of),
        };
        let (causes, something_else) = weighed.calibrated();
        Posterior {
            causes,
            something_else,
            contributions,
            stage_weights,
            tried: Vec::new(),
            weighed,
        }
    }

    fn contributions(&self, seen: &[usize]) -> Vec<Contribution> {
        let mut by_variable: Vec<(usize, Vec<usize>)> = Vec::new();
        for &symptom in seen.iter().filter(|s| self.informative[**s]) {
            let variable = self.variable_of[symptom];
            match by_variable.iter_mut().find(|(known, _)| *known == variable) {
                Some((_, symptoms)) => symptoms.push(symptom),
                None => by_variable.push((variable, vec![symptom])),
            }
        }
        by_variable
            .into_iter()
            .map(|(_, symptoms)| {
                // Several values of one variable are several looks at one thing.
                let share = 1.0 / (symptoms.len() as f64).sqrt();
                let mut weights = vec![0.0; self.causes()];
                for symptom in &symptoms {
                    let background = self.background[*symptom];
                    let row = &self.logarithms[symptom * self.causes()..][..self.causes()];
                    for (weight, logarithm) in weights.iter_mut().zip(row) {
                        *weight += logarithm - background;
                    }
                }
                for weight in &mut weights {
                    *weight *= share;
                }
                Contribution { symptoms, weights }
            })
            .collect()
    }

    /// A cause that shows only at stages other than those where it broke is unlikely, never
    /// impossible: ln of the factor for each.
    pub(super) fn stage_weights(&self, seen: &[usize]) -> Vec<f64> {
        let mut failed = 0;
        let mut passed: Option<Stage> = None;
        for &symptom in seen {
            match self.stage_of[symptom] {
                Some((stage, StageState::Failed)) => failed |= bit(stage),
                Some((stage, StageState::Ok)) => passed = passed.max(Some(stage)),
                None => {}
            }
        }
        let wrong_stage = self.numbers.wrong_stage.ln();
        self.stages
            .iter()
            .map(|stages| {
                let mut weight = 0.0;
                if failed != 0 && *stages != 0 && stages & failed == 0 {
                    weight += wrong_stage;
                }
                // What shows only before a stage that was passed cannot be what is wrong.
                if let Some(passed) = passed
                    && *stages != 0
                    && *stages < bit(passed)
                    && *stages != bit(Stage::Client)
                {
                    weight += wrong_stage;
                }
                weight
            })
            .collect()
    }
}

fn add(sums: &mut [f64], more: &[f64]) {
    for (sum, value) in sums.iter_mut().zip(more) {
        *sum += value;
    }
}

/// Prior probabilities: a narrower cause has a share of its root's, the root keeps the rest.
fn priors(graph: &Graph, root_of: &[usize], numbers: &Numbers) -> Vec<f64> {
    let mut weights: Vec<f64> = graph
        .causes
        .iter()
        .enumerate()
        .map(|(own, cause)| {
            if root_of[own] == own {
                numbers.prior(cause.prior)
            } else {
                0.0
            }
        })
        .collect();
    let total: f64 = weights.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    for weight in &mut weights {
        *weight *= (1.0 - numbers.something_else) / total;
    }
    let roots = weights.clone();
    for (own, cause) in graph.causes.iter().enumerate() {
        let root = root_of[own];
        if root != own {
            let share = roots[root] * cause.share.unwrap_or(0.0).clamp(0.0, 0.95);
            weights[own] = share;
            weights[root] = (weights[root] - share).max(roots[root] * 0.05);
        }
    }
    weights
}

/// Symptoms over the same key and hop are alternatives; one that refines another is of its
/// variable; a combination of several keys stands for itself.
fn variables(graph: &Graph) -> Vec<usize> {
    let mut names: HashMap<String, usize> = HashMap::new();
    let mut number = |name: String| {
        let next = names.len();
        *names.entry(name).or_insert(next)
    };
    graph
        .symptoms
        .iter()
        .map(|symptom| {
            let general = symptom
                .refines
                .as_deref()
                .and_then(|general| graph.symptom(general));
            let keys = general.unwrap_or(symptom).when.keys();
            let first: Option<&(&str, Hop)> = keys.first();
            match first {
                Some((key, hop)) if keys.iter().all(|other| other == &(*key, *hop)) => {
                    number(format!("{key}@{}", hop.as_str()))
                }
                _ => number(format!("!{}", symptom.id)),
            }
        })
        .collect()
}
