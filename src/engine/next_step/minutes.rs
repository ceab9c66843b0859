//! Expected minutes to the end, and what the answers of a check do to them.
//!
//! Every sum here grows in proportion to the weights, so weights need not add up to one: what
//! remains of a cause under an answer is compared as it is, without a division for each cause. The
//! answers of a check are reckoned four at a time.

use wide::f32x4;

/// Minutes that handing the case over costs everybody.
pub(in super::super) const HAND_OVER_MINUTES: f64 = 60.0;
/// From this probability on a cause is as good as known.
pub(in super::super) const NEARLY_CERTAIN: f64 = 0.8;
/// Minutes of a fix that says nothing of it.
pub(super) const UNKNOWN_FIX_MINUTES: f64 = 20.0;
/// Planning looks at that many of the likeliest causes.
pub(super) const HORIZON: usize = 16;
/// How often a fix helps when its cause is there.
const FIX_HELPS: f32 = 0.9;
/// Minutes that checks take to tell a bit, as a rule: what is left to find out is reckoned so.
const MINUTES_PER_BIT: f32 = 4.0;
/// What handing over costs whoever hands over, what it costs where nobody knows the fix, and both.
const OTHERS: f32 = HAND_OVER_MINUTES as f32;
const UNKNOWN: f32 = UNKNOWN_FIX_MINUTES as f32;
const OTHERS_AND_UNKNOWN: f32 = OTHERS + UNKNOWN;
/// Answers are reckoned so many at a time.
const LANES: usize = 4;

/// Something for each of the likeliest causes; 0 beyond the last one.
type Row = [f32; HORIZON];

/// What the fixes of the likeliest causes take.
#[derive(Debug)]
pub(super) struct Fixes {
    /// Positions of the causes, likeliest first.
    causes: [usize; HORIZON],
    count: usize,
    /// Minutes, those of the verification included.
    minutes: Row,
    /// The same, each four times.
    fours: [f32x4; HORIZON],
    /// The probability above which a fix is a better plan than handing over.
    worth_from: Row,
}

impl Fixes {
    /// Takes causes, likeliest first and at most [`HORIZON`], each with the minutes of its fix.
    pub(super) fn new(likeliest: &[usize], minutes: impl Iterator<Item = f64>) -> Self {
        let mut fixes = Fixes {
            causes: [0; HORIZON],
            count: likeliest.len(),
            minutes: [1.0; HORIZON],
            fours: [f32x4::ONE; HORIZON],
            worth_from: [1.0; HORIZON],
        };
        for (slot, (cause, cost)) in likeliest.iter().zip(minutes).enumerate() {
            fixes.causes[slot] = *cause;
            fixes.minutes[slot] = cost as f32;
            fixes.fours[slot] = f32x4::splat(cost as f32);
            fixes.worth_from[slot] = worth_from(cost) as f32;
        }
        fixes
    }

    /// The causes, likeliest first.
    pub(super) fn causes(&self) -> &[usize] {
        &self.causes[..self.count]
    }
}

/// The probability above which a fix that takes so many minutes is a better plan than handing over,
/// after which it would have to be done all the same if it is the right one.
fn worth_from(minutes: f64) -> f64 {
    let helps = f64::from(FIX_HELPS);
    (minutes / (helps * (HAND_OVER_MINUTES + minutes))).min(NEARLY_CERTAIN)
}

/// Whether a fix is a better plan than handing over.
pub(in super::super) fn is_worth_it(probability: f64, minutes: f64) -> bool {
    probability > worth_from(minutes) || probability >= NEARLY_CERTAIN
}

/// What four answers say of a cause.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Told {
    /// P(answer | cause) of each.
    probability: f32x4,
    /// p log2 p of each.
    information: f32x4,
}

/// What four answers say of each cause, then of something else. Of most causes they say the same, and
/// what is told once only fits the processor's nearer memory.
#[derive(Debug)]
struct FourAnswers {
    told: Vec<Told>,
    /// For each cause, what is told of it.
    of_cause: Vec<u16>,
}

impl FourAnswers {
    fn of(all: impl Iterator<Item = Told>) -> Self {
        let mut told: Vec<Told> = Vec::new();
        let of_cause = all.map(|own| {
            let known = told.iter().position(|known| *known == own);
            let number = known.unwrap_or_else(|| {
                told.push(own);
                told.len() - 1
            });
            number.min(u16::MAX.into()) as u16
        });
        FourAnswers {
            of_cause: of_cause.collect(),
            told,
        }
    }

    fn of_each(&self) -> impl Iterator<Item = &Told> {
        self.of_cause
            .iter()
            .map(|told| &self.told[usize::from(*told)])
    }

    #[inline]
    fn about(&self, cause: usize) -> &Told {
        &self.told[usize::from(self.of_cause[cause])]
    }

    fn about_something_else(&self) -> &Told {
        self.about(self.of_cause.len() - 1)
    }
}

/// What the answers of a check say of each cause, and of something else.
#[derive(Debug)]
pub(super) struct Answers {
    /// What lacks of a four never comes.
    fours: Vec<FourAnswers>,
}

impl Answers {
    /// Takes P(answer | cause) for each answer and each cause, then something else.
    pub(super) fn new(table: &[Vec<f64>]) -> Self {
        let four = |answers: &[Vec<f64>]| {
            let causes = answers.first().map_or(0, Vec::len);
            let told = |cause: usize| {
                let mut probability = [0.0; LANES];
                for (slot, answer) in probability.iter_mut().zip(answers) {
                    *slot = answer[cause] as f32;
                }
                Told {
                    probability: probability.into(),
                    information: probability.map(information).into(),
                }
            };
            FourAnswers::of((0..causes).map(told))
        };
        Answers {
            fours: table.chunks(LANES).map(four).collect(),
        }
    }

    /// P(answer | cause).
    pub(super) fn probability(&self, answer: usize, cause: usize) -> f64 {
        let four = &self.fours[answer / LANES];
        f64::from(four.about(cause).probability.to_array()[answer % LANES])
    }

    /// What the answer is expected to tell of the cause, in bits. `weights` are the probabilities of
    /// all causes, then something else's.
    pub(super) fn bits(&self, weights: &[f32]) -> f64 {
        let of_four = |four: &FourAnswers| {
            let mut total = f32x4::ZERO;
            let mut bits = f32x4::ZERO;
            for (weight, told) in weights.iter().zip(four.of_each()) {
                let weight = f32x4::splat(*weight);
                total += weight * told.probability;
                bits += weight * told.information;
            }
            f64::from((bits - informations(total)).reduce_add())
        };
        self.fours.iter().map(of_four).sum()
    }
}

/// A cause's weight and w log2 w, each four times.
#[derive(Clone, Copy, Debug)]
struct Four {
    weight: f32x4,
    information: f32x4,
}

/// How much speaks for each of the likeliest causes and for anything else.
#[derive(Clone, Debug)]
pub(super) struct Belief {
    weights: Row,
    /// w log2 w of each.
    informations: Row,
    /// Both, each four times.
    fours: [Four; HORIZON],
    rest: f32,
    rest_information: f32,
    total: f32,
    /// The sum of all w log2 w.
    information: f32,
    /// What the fix of the right one takes, by weight.
    fixing: f32,
}

impl Belief {
    /// From the probabilities of the likeliest causes and of everything else.
    pub(super) fn new(probabilities: impl Iterator<Item = f64>, rest: f64, fixes: &Fixes) -> Self {
        let mut weights = [0.0; HORIZON];
        for (slot, probability) in weights.iter_mut().zip(probabilities) {
            *slot = probability as f32;
        }
        Belief::of(weights, rest as f32, fixes)
    }

    fn of(weights: Row, rest: f32, fixes: &Fixes) -> Self {
        let informations = weights.map(information);
        let rest_information = information(rest);
        let minutes = weights.iter().zip(&fixes.minutes);
        Belief {
            rest,
            rest_information,
            total: rest + weights.iter().sum::<f32>(),
            information: rest_information + informations.iter().sum::<f32>(),
            fixing: minutes.map(|(weight, minutes)| weight * minutes).sum(),
            fours: std::array::from_fn(|slot| Four {
                weight: f32x4::splat(weights[slot]),
                information: f32x4::splat(informations[slot]),
            }),
            weights,
            informations,
        }
    }

    /// The probability of the cause in that place.
    pub(super) fn probability(&self, slot: usize) -> f64 {
        f64::from(self.weights[slot])
    }

    /// Expected minutes to the end: fixing now, in the order of chance over cost, or finding out
    /// first which cause it is and fixing that, whichever is shorter.
    pub(super) fn to_go(&self, fixes: &Fixes) -> f64 {
        let unknown = information(self.total) - self.information;
        let finding = self.once_known() + MINUTES_PER_BIT * unknown;
        let worth = (0..HORIZON)
            .filter(|slot| self.weights[*slot] > fixes.worth_from[*slot] * self.total)
            .map(|slot| (self.weights[slot], fixes.minutes[slot]));
        let spared = spared_by_fixing(self.total, worth);
        f64::from(finding.min(self.handing_over_now() - spared))
    }

    /// Expected minutes for who knows which cause it is, or that it is none of them. No way to the
    /// end takes less.
    fn once_known(&self) -> f32 {
        self.fixing + self.rest * OTHERS_AND_UNKNOWN
    }

    /// Expected minutes of handing over now: others find the cause and do its fix.
    pub(super) fn handing_over(&self) -> f64 {
        f64::from(self.handing_over_now())
    }

    fn handing_over_now(&self) -> f32 {
        self.total * OTHERS + self.fixing + self.rest * UNKNOWN
    }

    /// Of the fixes that are worth it the one to do first, and the expected minutes to the end with
    /// it.
    pub(super) fn best_fix(&self, fixes: &Fixes) -> Option<(usize, f64)> {
        (0..fixes.count)
            .filter(|slot| self.weights[*slot] > fixes.worth_from[*slot] * self.total)
            .map(|slot| {
                let then = self.without_help_of(slot, fixes).to_go(fixes);
                (slot, f64::from(self.total * fixes.minutes[slot]) + then)
            })
            .reduce(|best, other| if other.1 < best.1 { other } else { best })
    }

    /// What is left where a fix did not help.
    fn without_help_of(&self, slot: usize, fixes: &Fixes) -> Belief {
        let weight = self.weights[slot];
        let rest = self.rest + weight * (1.0 - FIX_HELPS);
        let rest_information = information(rest);
        let mut left = self.clone();
        left.weights[slot] = 0.0;
        left.informations[slot] = 0.0;
        left.fours[slot] = Four {
            weight: f32x4::ZERO,
            information: f32x4::ZERO,
        };
        left.information += rest_information - self.rest_information - self.informations[slot];
        left.rest = rest;
        left.rest_information = rest_information;
        left.total = self.total - weight * FIX_HELPS;
        left.fixing -= weight * fixes.minutes[slot];
        left
    }

    /// Expected minutes to the end once a check was answered, the check's own not included. `None`
    /// where they are seen to be more than `most` before all answers were looked at.
    pub(super) fn to_go_after(&self, answers: &Answers, fixes: &Fixes, most: f64) -> Option<f64> {
        let mut minutes = 0.0;
        // What the answers that are left take at least.
        let mut at_least = f64::from(self.once_known());
        for four in &answers.fours {
            if minutes + at_least > most {
                return None;
            }
            let after = self.under(four, fixes);
            minutes += f64::from(after.to_go(fixes));
            at_least -= f64::from(after.once_known().reduce_add());
        }
        Some(minutes)
    }

    /// What is believed after each answer that comes at least so often, with the answer's chance.
    pub(super) fn outcomes<'a>(
        &'a self,
        answers: &'a Answers,
        fixes: &'a Fixes,
        rare: f64,
    ) -> impl Iterator<Item = (f64, Belief)> + 'a {
        answers.fours.iter().flat_map(move |four| {
            let after = self.under(four, fixes);
            let chances = after.total.to_array().into_iter().enumerate();
            let common = chances.filter(move |(_, chance)| f64::from(*chance) >= rare);
            common.map(move |(lane, chance)| {
                let weights = after.weights.map(|four| four.to_array()[lane] / chance);
                let rest = after.rest.to_array()[lane] / chance;
                (f64::from(chance), Belief::of(weights, rest, fixes))
            })
        })
    }

    #[inline]
    fn under(&self, answers: &FourAnswers, fixes: &Fixes) -> After {
        let something_else = answers.about_something_else();
        let rest = something_else.probability * self.rest;
        let mut total = rest;
        let mut information = something_else.probability * self.rest_information
            + something_else.information * self.rest;
        let mut fixing = f32x4::ZERO;
        let weights = std::array::from_fn(|slot| {
            let told = answers.about(fixes.causes[slot]);
            let weight = told.probability * self.fours[slot].weight;
            total += weight;
            information += told.probability * self.fours[slot].information
                + told.information * self.fours[slot].weight;
            fixing += weight * fixes.fours[slot];
            weight
        });
        After {
            weights,
            rest,
            total,
            information,
            fixing,
        }
    }
}

/// What is left of a belief under four answers.
struct After {
    weights: [f32x4; HORIZON],
    rest: f32x4,
    total: f32x4,
    information: f32x4,
    fixing: f32x4,
}

impl After {
    /// As for one belief, all four together.
    #[inline]
    fn to_go(&self, fixes: &Fixes) -> f32 {
        let unknown = informations(self.total) - self.information;
        let finding = self.once_known() + unknown * MINUTES_PER_BIT;
        let handing_over = self.total * OTHERS + self.fixing + self.rest * UNKNOWN;
        let fixing = handing_over - self.spared(fixes);
        finding.fast_min(fixing).reduce_add()
    }

    fn once_known(&self) -> f32x4 {
        self.fixing + self.rest * OTHERS_AND_UNKNOWN
    }

    /// As [`spared_by_fixing`], without putting the fixes in order: of any two the one with the better
    /// chance over cost comes first, which is the order in which the two together spare more.
    #[inline]
    fn spared(&self, fixes: &Fixes) -> f32x4 {
        let mut spared = f32x4::ZERO;
        let mut worth = 0_u32;
        for slot in 0..HORIZON {
            let is_worth = self.is_worth(slot, fixes);
            if is_worth.to_bitmask() == 0 {
                continue;
            }
            let chance = is_worth & (self.weights[slot] * FIX_HELPS);
            let minutes = is_worth & fixes.fours[slot];
            // Who handed over would have to do the right one as well.
            spared += chance * (minutes + OTHERS) - self.total * minutes;
            let mut others = worth;
            while others != 0 {
                let other = others.trailing_zeros() as usize;
                let is_worth = self.is_worth(other, fixes);
                let other_chance = is_worth & (self.weights[other] * FIX_HELPS);
                let other_minutes = is_worth & fixes.fours[other];
                spared += (chance * other_minutes).fast_max(other_chance * minutes);
                others &= others - 1;
            }
            worth |= 1 << slot;
        }
        spared
    }

    /// After which of the answers the fix of a cause is worth doing.
    #[inline(always)]
    fn is_worth(&self, slot: usize, fixes: &Fixes) -> f32x4 {
        self.weights[slot].simd_gt(self.total * fixes.worth_from[slot])
    }
}

/// Minutes that are spared against handing over where the fixes that are worth it are done before,
/// in the order of chance over cost. `worth` holds their weights and minutes.
fn spared_by_fixing(total: f32, worth: impl Iterator<Item = (f32, f32)>) -> f32 {
    let mut order: [(f32, f32, f32); HORIZON] = [(0.0, 0.0, 0.0); HORIZON];
    let mut count = 0;
    for (weight, minutes) in worth {
        order[count] = (weight / minutes, weight * FIX_HELPS, minutes);
        // Few are left here, and they come nearly in order.
        let mut place = count;
        while place > 0 && order[place - 1].0 < order[place].0 {
            order.swap(place - 1, place);
            place -= 1;
        }
        count += 1;
    }
    let mut remaining = total;
    let mut spared = 0.0;
    for (_, chance, minutes) in &order[..count] {
        // Who handed over would have to do the right one as well.
        spared += chance * (OTHERS + minutes) - remaining * minutes;
        remaining -= chance;
    }
    spared
}

/// w log2 w, without the trouble at 0.
fn information(weight: f32) -> f32 {
    if weight > 0.0 {
        weight * weight.log2()
    } else {
        0.0
    }
}

/// The same of four.
fn informations(weights: f32x4) -> f32x4 {
    weights * weights.fast_max(f32x4::splat(f32::MIN_POSITIVE)).log2()
}
