//! Whether the probabilities mean what they say, measured on labelled texts, and which of the handful
//! of global numbers would make them truer.
//!
//! Cross-validated: the numbers are chosen on some groups of texts and judged on the others. Only
//! [`Numbers`] are chosen, never anything of a single cause, symptom or text.

use std::collections::HashMap;

use super::Engine;
use super::dice::Dice;
use super::graph::Graph;
use super::proof::Labelled;
use super::ranking::{Model, Numbers, Source};

/// Probabilities nearer to 0 or 1 than this count as this in the log loss.
const CLIP: f64 = 1e-3;
/// Bins of the reliability table, of equal size.
const BINS: usize = 10;
/// So often perfectly calibrated answers are drawn for the band.
const DRAWS: usize = 200;
/// A place further down the list counts as not found.
const LONGEST_LIST: usize = 10;
/// Another number must lower the loss by this share: less is noise.
const LEAST_GAIN: f64 = 0.002;
/// All numbers are gone through so often at most.
const ROUNDS: usize = 4;

/// A labelled text as the ranking sees it.
#[derive(Clone, Debug)]
struct Sample {
    /// The number of its group.
    group: usize,
    /// What it counts: a group's texts count 1 together.
    weight: f64,
    /// The positions of the root causes that are right.
    right: Vec<usize>,
    seen: Vec<(usize, Source)>,
}

/// What was said of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// The probability of the first cause.
    pub probability: f64,
    /// The place of the first right cause, from 1; `None` if it is not listed.
    pub rank: Option<usize>,
    /// What the text counts.
    pub weight: f64,
}

impl Forecast {
    fn is_right(&self) -> bool {
        self.rank == Some(1)
    }

    /// What is minimised: the log loss of the first cause's probability.
    fn loss(&self) -> f64 {
        let clip = |p: f64| p.clamp(CLIP, 1.0 - CLIP);
        -match self.is_right() {
            true => clip(self.probability).ln(),
            false => (1.0 - clip(self.probability)).ln(),
        }
    }

    /// What must not get worse: places among the first and among the first three.
    fn place(&self) -> f64 {
        let among = |most| f64::from(u8::from(self.rank.is_some_and(|rank| rank <= most)));
        among(1) + among(3)
    }
}

/// How good forecasts are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Share of groups whose right cause comes first.
    pub top1: f64,
    /// Share of groups whose right cause is among the first three.
    pub top3: f64,
    /// Mean squared difference between the first cause's probability and whether it is right.
    pub brier: f64,
    /// Mean log loss of the same, in nats.
    pub log_loss: f64,
    /// Expected calibration error over ten bins of equal size.
    pub ece: f64,
    /// The error that perfectly calibrated forecasts of the same probabilities stay below nine times
    /// in ten.
    pub ece_band: f64,
}

/// A line of the reliability table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// Mean probability of the first cause.
    pub probability: f64,
    /// Share of them that were right.
    pub right: f64,
    /// How many texts.
    pub count: usize,
}

/// A number and what cross-validation makes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The field of [`Numbers`], or how several of them are stretched.
    pub name: &'static str,
    /// What it is.
    pub from: f64,
    /// What it would be.
    pub to: f64,
    /// In how many folds the same was chosen.
    pub folds: usize,
}

/// What calibrating found. Nothing is changed by it.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// How many texts.
    pub texts: usize,
    /// How many groups of texts.
    pub groups: usize,
    /// How many folds.
    pub folds: usize,
    /// With the numbers as they are.
    pub before: Vec<Forecast>,
    /// With numbers that were chosen without the text's group.
    pub after: Vec<Forecast>,
    /// What would change, chosen on all texts.
    pub changes: Vec<Change>,
    /// The numbers with those changes.
    pub numbers: Numbers,
}

/// One of the global numbers that may be chosen.
struct Dial {
    name: &'static str,
    values: &'static [f64],
    get: fn(&Numbers) -> f64,
    set: fn(&mut Numbers, f64),
}

macro_rules! dial {
    ($name:ident, $values:expr) => {
        Dial {
            name: stringify!($name),
            values: &$values,
            get: |numbers| numbers.$name,
            set: |numbers, value| numbers.$name = value,
        }
    };
}

/// What may be chosen, and from which values. A stretch of 1 leaves a table as it is.
const DIALS: [Dial; 11] = [
    dial!(temperature, [1.0, 1.2, 1.4, 1.6, 2.0, 2.2, 2.4, 2.8, 3.2]),
    dial!(repetition, [0.0, 0.15, 0.3, 0.4, 0.5, 0.7]),
    dial!(doubt, [0.0, 0.01, 0.02, 0.03, 0.05]),
    dial!(trust, [0.8, 1.0, 1.2, 1.5, 1.8, 2.2]),
    dial!(something_else, [0.01, 0.02, 0.03, 0.05, 0.08]),
    dial!(unlinked, [0.001, 0.002, 0.003, 0.005, 0.01]),
    dial!(wrong_stage, [0.01, 0.02, 0.05, 0.1, 0.2]),
    dial!(inherited, [0.15, 0.25, 0.4]),
    dial!(leftover, [0.4, 0.6, 0.8]),
    dial!(crowding, [0.0, 0.2, 0.5]),
    Dial {
        name: "stretch of the priors",
        values: &[0.6, 0.8, 1.25, 1.5],
        get: |_| 1.0,
        set: |numbers, power| {
            for prior in &mut numbers.priors {
                *prior = prior.powf(power);
            }
        },
    },
];

/// What is chosen of each dial; `None` leaves it.
type Choice = [Option<usize>; DIALS.len()];

fn numbers_of(base: &Numbers, choice: &Choice) -> Numbers {
    let mut numbers = base.clone();
    for (dial, chosen) in DIALS.iter().zip(choice) {
        if let Some(place) = chosen {
            (dial.set)(&mut numbers, dial.values[*place]);
        }
    }
    numbers
}

/// Calibrates the engine's knowledge on labelled texts: as many `folds` as given (at most one a
/// group), the groups dealt to them by `seed`.
pub fn calibrate(
    engine: &Engine,
    base: &Numbers,
    texts: &[Labelled],
    folds: usize,
    seed: u64,
) -> Calibration {
    let (samples, groups) = samples(engine, texts);
    let folds = folds.clamp(1, groups.max(1));
    let fold_of = deal(groups, folds, seed);
    let mut workshop = Workshop {
        graph: engine.graph(),
        base,
        samples: &samples,
        known: HashMap::new(),
    };
    let before = workshop.forecasts(&[None; DIALS.len()]).to_vec();
    let mut after = before.clone();
    let mut choices = Vec::new();
    for fold in 0..folds {
        let is_held_out = |sample: &Sample| folds > 1 && fold_of[sample.group] == fold;
        let choice = workshop.choose(|sample| !is_held_out(sample));
        let forecasts = workshop.forecasts(&choice);
        for (place, sample) in samples.iter().enumerate() {
            if is_held_out(sample) || folds == 1 {
                after[place] = forecasts[place];
            }
        }
        choices.push(choice);
    }
    let choice = workshop.choose(|_| true);
    let changes = DIALS
        .iter()
        .enumerate()
        .filter_map(|(place, dial)| {
            let from = (dial.get)(base);
            let to = dial.values[choice[place]?];
            let folds = choices.iter().filter(|c| c[place] == choice[place]).count();
            (from != to).then_some(Change {
                name: dial.name,
                from,
                to,
                folds,
            })
        })
        .collect();
    Calibration {
        texts: samples.len(),
        groups,
        folds,
        before,
        after,
        changes,
        numbers: numbers_of(base, &choice),
    }
}

/// The texts' findings, read once; and how many groups there are.
fn samples(engine: &Engine, texts: &[Labelled]) -> (Vec<Sample>, usize) {
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut sizes: Vec<usize> = Vec::new();
    let mut samples: Vec<Sample> = Vec::new();
    for text in texts {
        let next = numbers.len();
        let group = *numbers.entry(&text.group).or_insert(next);
        sizes.resize(numbers.len(), 0);
        sizes[group] += 1;
        let causes = engine.graph().causes.iter().enumerate();
        let is_right = |id: &String| *id == text.cause || text.accept.contains(id);
        samples.push(Sample {
            group,
            weight: 1.0,
            right: causes
                .filter(|(_, cause)| cause.parent.is_none() && is_right(&cause.id))
                .map(|(position, _)| position)
                .collect(),
            seen: engine.findings(&text.text),
        });
    }
    for sample in &mut samples {
        sample.weight = 1.0 / sizes[sample.group] as f64;
    }
    (samples, sizes.len())
}

/// To which fold each group belongs; folds are as even as can be.
fn deal(groups: usize, folds: usize, seed: u64) -> Vec<usize> {
    let mut dice = Dice::new(seed);
    let mut order: Vec<(f64, usize)> = (0..groups).map(|group| (dice.share(), group)).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut fold_of = vec![0; groups];
    for (place, (_, group)) in order.into_iter().enumerate() {
        fold_of[group] = place % folds;
    }
    fold_of
}

/// Forecasts for the choices that were tried.
struct Workshop<'a> {
    graph: &'a Graph,
    base: &'a Numbers,
    samples: &'a [Sample],
    known: HashMap<Choice, Vec<Forecast>>,
}

impl Workshop<'_> {
    fn forecasts(&mut self, choice: &Choice) -> &[Forecast] {
        let (graph, base, samples) = (self.graph, self.base, self.samples);
        self.known.entry(*choice).or_insert_with(|| {
            let model = Model::new(graph, numbers_of(base, choice));
            samples.iter().map(|one| forecast(&model, one)).collect()
        })
    }

    /// One number after the other until none helps. One that costs places in the list is no choice.
    fn choose(&mut self, counts: impl Fn(&Sample) -> bool) -> Choice {
        let samples = self.samples;
        let mean = |forecasts: &[Forecast], of: fn(&Forecast) -> f64| {
            let counted = samples.iter().zip(forecasts).filter(|(one, _)| counts(one));
            let (sum, weight) = counted.fold((0.0, 0.0), |(sum, weight), (one, forecast)| {
                (sum + one.weight * of(forecast), weight + one.weight)
            });
            sum / f64::max(weight, f64::MIN_POSITIVE)
        };
        let mut choice: Choice = [None; DIALS.len()];
        let forecasts = self.forecasts(&choice);
        let places = mean(forecasts, Forecast::place);
        let mut least = mean(forecasts, Forecast::loss);
        for _ in 0..ROUNDS {
            let before = choice;
            for place in 0..DIALS.len() {
                for value in 0..DIALS[place].values.len() {
                    let mut other = choice;
                    other[place] = Some(value);
                    let forecasts = self.forecasts(&other);
                    let reached = mean(forecasts, Forecast::loss);
                    if reached < least * (1.0 - LEAST_GAIN)
                        && mean(forecasts, Forecast::place) > places - 1e-9
                    {
                        (least, choice) = (reached, other);
                    }
                }
            }
            if choice == before {
                break;
            }
        }
        choice
    }
}

fn forecast(model: &Model, sample: &Sample) -> Forecast {
    let posterior = model.posterior(&sample.seen);
    let mut families = vec![0.0; posterior.causes.len()];
    for (cause, probability) in posterior.causes.iter().enumerate() {
        families[model.root_of(cause)] += probability;
    }
    let rounded = |cause: usize| (families[cause] * 10_000.0).round();
    let is_before = |a: usize, b: usize| (rounded(a), b) > (rounded(b), a);
    let roots = || (0..families.len()).filter(|cause| model.root_of(*cause) == *cause);
    let best = |of: &mut dyn Iterator<Item = usize>| {
        of.reduce(|best, other| if is_before(other, best) { other } else { best })
    };
    let first = best(&mut roots());
    let right = best(&mut sample.right.iter().copied());
    let rank = right.map(|right| 1 + roots().filter(|other| is_before(*other, right)).count());
    Forecast {
        probability: first.map_or(0.0, |first| families[first]),
        rank: rank.filter(|rank| *rank <= LONGEST_LIST),
        weight: sample.weight,
    }
}

/// How good the forecasts are. Places count a group once, as in all reports; probabilities count
/// every text.
pub fn figures(forecasts: &[Forecast]) -> Figures {
    let groups: f64 = forecasts.iter().map(|one| one.weight).sum();
    let share = |most: usize| {
        let found = |one: &&Forecast| one.rank.is_some_and(|rank| rank <= most);
        let weights = forecasts.iter().filter(found).map(|one| one.weight);
        weights.sum::<f64>() / groups.max(f64::MIN_POSITIVE)
    };
    let count = forecasts.len().max(1) as f64;
    let mean = |of: &dyn Fn(f64, bool) -> f64| {
        let values = forecasts
            .iter()
            .map(|one| of(one.probability, one.is_right()));
        values.sum::<f64>() / count
    };
    let pairs: Vec<(f64, bool)> = forecasts
        .iter()
        .map(|one| (one.probability, one.is_right()))
        .collect();
    let mut dice = Dice::new(1);
    let mut ideal: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let drawn = pairs.iter().map(|(p, _)| (*p, dice.share() < *p));
            error_of(&bins(drawn.collect()))
        })
        .collect();
    ideal.sort_by(f64::total_cmp);
    Figures {
        top1: share(1),
        top3: share(3),
        brier: mean(&|p, right| (p - f64::from(u8::from(right))).powi(2)),
        log_loss: mean(&|p, right| {
            let p = p.clamp(CLIP, 1.0 - CLIP);
            -(if right { p } else { 1.0 - p }).ln()
        }),
        ece: error_of(&bins(pairs)),
        ece_band: ideal[DRAWS * 9 / 10 - 1],
    }
}

/// The reliability table: the first causes in the order of their probability, in bins of equal
/// size.
pub fn reliability(forecasts: &[Forecast]) -> Vec<Bin> {
    let pairs = forecasts
        .iter()
        .map(|one| (one.probability, one.is_right()));
    bins(pairs.collect())
}

fn bins(mut pairs: Vec<(f64, bool)>) -> Vec<Bin> {
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let bound = |bin: usize| pairs.len() * bin / BINS;
    (0..BINS)
        .map(|bin| &pairs[bound(bin)..bound(bin + 1)])
        .filter(|part| !part.is_empty())
        .map(|part| Bin {
            probability: part.iter().map(|(p, _)| p).sum::<f64>() / part.len() as f64,
            right: part.iter().filter(|(_, right)| *right).count() as f64 / part.len() as f64,
            count: part.len(),
        })
        .collect()
}

fn error_of(bins: &[Bin]) -> f64 {
    let total: usize = bins.iter().map(|bin| bin.count).sum();
    let off = |bin: &Bin| (bin.probability - bin.right).abs() * bin.count as f64;
    bins.iter().map(off).sum::<f64>() / total.max(1) as f64
}

/// Of the first causes whose probability is at least `from` and below `below`: how many there are,
/// and the share that is right.
pub fn share_right(forecasts: &[Forecast], from: f64, below: f64) -> (usize, f64) {
    let inside: Vec<&Forecast> = forecasts
        .iter()
        .filter(|one| from <= one.probability && one.probability < below)
        .collect();
    let right = inside.iter().filter(|one| one.is_right()).count();
    (inside.len(), right as f64 / inside.len().max(1) as f64)
}
