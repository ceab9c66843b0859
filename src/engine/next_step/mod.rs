//! The one step that is worth its minutes: a check that separates causes, or a fix, or handing
//! over.
//!
//! Doing fixes in the order of chance over cost minimises the expected minutes for one fault
//! (Kadane & Simon 1977). A check is worth what it takes off the expected minutes, less its own
//! (Heckerman, Breese & Rommelse 1995).

mod minutes;

use std::collections::BTreeMap;
use std::sync::Arc;

use foldhash::HashMap;

use minutes::{Answers, Belief, Fixes, HORIZON, UNKNOWN_FIX_MINUTES};
pub(super) use minutes::{HAND_OVER_MINUTES, NEARLY_CERTAIN, is_worth_it};

use super::evidence::Fact;
use super::graph::{Access, Check, CheckKind, Graph, Who};
use super::greatest::greatest;
use super::matching::rests_on;
use super::ranking::{Model, Posterior};

/// Minutes for the verification after a fix.
pub(super) const VERIFY_MINUTES: f64 = 1.0;
/// Share of people who cannot tell what came out of a check.
pub(super) const CANNOT_TELL: f64 = 0.1;
/// Share of people who answer a question with what they told unasked, where one of its answers is told.
const SAME_AGAIN: f64 = 0.8;
/// Share of its minutes that a check must take off what is left to find out.
const LEAST_SHARE: f64 = 0.4;
/// The same of a question, which takes no trip and nobody else's time.
const LEAST_SHARE_OF_QUESTION: f64 = 0.1;
/// From this probability of the likeliest cause on people would wonder why they are asked still, so a
/// question must be worth as much as any check.
const BEYOND_QUESTION: f64 = 0.95;
/// Causes say which of their checks tell best. A check further down a list is less to the point
/// than its answers let on, and costs that many minutes more a place.
const MINUTES_PER_PLACE: f64 = 0.7;
/// A question is about the situation, whatever the cause: its place says half as much.
const MINUTES_PER_PLACE_OF_QUESTION: f64 = 0.35;
/// The place of a check that none of the likeliest causes names.
const FAR_DOWN: u8 = 5;
/// The place of a probe, whatever the cause: no list names it, for it looks at all layers.
const PROBE_PLACE: u8 = 1;
/// What can be answered on the spot comes first: getting at a command line, a log or a panel takes
/// that many minutes, once. Who has done a check goes on where they are.
const TRIP_MINUTES: f64 = 4.0;
/// Stands for the place of a check that a cause does not name.
const UNNAMED: u8 = u8::MAX;
/// A check that saves fewer minutes only wears people out.
const LEAST_SAVED: f64 = 0.5;
/// Answers that come more rarely decide nothing of what is offered beside a check.
const RARE_ANSWER: f64 = 0.05;
/// At most that many checks are offered beside the chosen one.
const MOST_ALONG: usize = 2;
/// Below this probability of the likeliest cause next to nothing is known.
const LITTLE_KNOWN: f64 = 0.2;
/// From this probability of none of the likeliest causes on much is unknown.
const MUCH_UNKNOWN: f64 = 0.25;
/// A check that tells less than this, in bits a minute, is not worth asking for what it tells alone.
const LEAST_BITS: f64 = 0.15;
/// P(answer | cause) where the answer tells nothing that the cause speaks of.
const SILENT_ANSWER: f64 = 0.05;

/// What kind of step it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// Something to do and to look at.
    Check,
    /// Something to answer.
    Question,
    /// Something that the service finds out by itself.
    Probe,
    /// Something that removes a cause.
    Fix,
    /// Somebody else is better placed.
    HandOver,
}

impl StepKind {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            StepKind::Check => "check",
            StepKind::Question => "question",
            StepKind::Probe => "probe",
            StepKind::Fix => "fix",
            StepKind::HandOver => "hand_over",
        }
    }
}

/// The answers of a step: id and words of the button, shared by all who are asked the same.
pub type ButtonWords = Arc<[(String, String)]>;

/// The next step.
#[derive(Clone, Debug, PartialEq)]
pub struct NextStep {
    /// The check's id, the cause's id for a fix, or `hand-over`.
    pub id: String,
    /// What kind of step it is.
    pub kind: StepKind,
    /// In a few words.
    pub title: String,
    /// How to do it; Markdown.
    pub instruction: String,
    /// Commands by system, with the case's own values.
    pub commands: BTreeMap<String, String>,
    /// Minutes that it takes.
    pub minutes: f64,
    /// Who can do it.
    pub who: Who,
    /// Why it is next.
    pub why: String,
    /// What can come out.
    pub answers: ButtonWords,
}

/// What each answer of a check says of each cause, computed once.
#[derive(Debug)]
pub struct Planner {
    checks: Vec<PlannedCheck>,
    /// For each root, the checks that its family names, in its order.
    named_by: Vec<Vec<usize>>,
    /// The keys that answers assert, numbered, and for each the values, numbered on.
    keys: HashMap<String, Key>,
    numbers: usize,
    fix_minutes: Vec<f64>,
    fix_who: Vec<Who>,
}

/// A key that answers assert.
#[derive(Debug)]
struct Key {
    number: usize,
    values: HashMap<String, usize>,
}

#[derive(Debug)]
struct PlannedCheck {
    check: usize,
    /// For each cause, its place in the cause's list, or `UNNAMED`.
    places: Vec<u8>,
    /// For each answer that asserts facts, the numbers of their keys.
    keys: Asserted,
    /// The same of their keys together with their values.
    facts: Asserted,
    minutes: f64,
    who: Who,
    access: Access,
    /// Minutes until one is there; a question and a probe need none.
    trip: f64,
    /// The service does it, and nobody is waited for.
    is_probe: bool,
    answers: Answers,
}

/// What the answers of a check assert, as numbers: all of them side by side, for all checks are asked
/// for theirs.
#[derive(Debug)]
struct Asserted {
    /// For each answer how many there are, and they.
    numbers: Box<[u32]>,
}

impl Asserted {
    fn of(answers: impl Iterator<Item = Vec<usize>>) -> Self {
        let mut numbers = Vec::new();
        for own in answers {
            numbers.push(own.len() as u32);
            numbers.extend(own.iter().map(|number| *number as u32));
        }
        Asserted {
            numbers: numbers.into(),
        }
    }

    /// The numbers of each answer.
    fn of_each(&self) -> impl Iterator<Item = &[u32]> {
        let mut rest = &*self.numbers;
        std::iter::from_fn(move || {
            let (length, numbers) = rest.split_first()?;
            let (own, others) = numbers.split_at(*length as usize);
            rest = others;
            Some(own)
        })
    }
}

/// What somebody waits until another person has done their part, in minutes.
fn waiting(who: Who, can: &[Who]) -> f64 {
    if can.is_empty() || can.contains(&who) {
        return 0.0;
    }
    match who {
        // The helpdesk has the user on the telephone.
        Who::User if can.contains(&Who::Helpdesk) => 3.0,
        Who::User | Who::Helpdesk => 10.0,
        Who::Developer | Who::ServerAdmin => 20.0,
        Who::NetworkTeam => 30.0,
    }
}

/// What a plan has to reckon with beside the probabilities.
#[derive(Clone, Copy, Debug, Default)]
pub struct Circumstances<'c> {
    /// Whose part can be done without waiting; everybody's, if empty.
    pub can: &'c [Who],
    /// Positions of checks that were answered: they are not asked again.
    pub answered: &'c [usize],
    /// The service, or whoever asks, may probe the address that is spoken of.
    pub can_probe: bool,
}

/// A plan: what to do next and what it will take.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What to do.
    pub choice: Choice,
    /// Expected minutes to the end.
    pub expected_minutes: f64,
    /// Positions of checks that need the same at hand as the chosen one and are worth their minutes
    /// even after it.
    pub along: Vec<usize>,
    /// Where it is handed over because somebody else must apply a fix: the position of its cause.
    pub fix_of_others: Option<usize>,
}

/// What a plan chooses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Choice {
    /// The check at that position of the graph, and the minutes it is expected to save.
    Check(usize, f64),
    /// The fix of the cause at that position.
    Fix(usize),
    /// Nothing is worth its minutes.
    HandOver,
}

impl Planner {
    /// Prepares the checks of a graph.
    pub fn new(graph: &Graph, model: &Model) -> Self {
        let mut numbers = 0;
        let keys = numbered_keys(graph, &mut numbers);
        let telling = |check: &Check, number: &dyn Fn(&str, &str) -> usize| {
            let answers = check.answers.iter().map(|answer| &answer.facts);
            let telling = answers.filter(|facts| !facts.is_empty());
            let numbers = |facts: &BTreeMap<String, String>| -> Vec<usize> {
                let facts = facts.iter();
                facts.map(|(key, value)| number(key, value)).collect()
            };
            Asserted::of(telling.map(numbers))
        };
        let checks: Vec<PlannedCheck> = graph
            .checks
            .iter()
            .enumerate()
            .map(|(position, check)| (position, check, answer_probabilities(graph, model, check)))
            .map(|(position, check, answers)| PlannedCheck {
                check: position,
                places: places(graph, model, check),
                keys: telling(check, &|key, _| keys[key].number),
                facts: telling(check, &|key, value| keys[key].values[value]),
                minutes: check.minutes,
                who: check.who,
                access: check.access(),
                trip: match check.kind {
                    CheckKind::Check => TRIP_MINUTES,
                    CheckKind::Question | CheckKind::Probe => 0.0,
                },
                is_probe: check.kind == CheckKind::Probe,
                answers: Answers::new(&answers),
            })
            .collect();
        let names = |root: usize| {
            let place = |position: &usize| checks[*position].places[root];
            let mut named: Vec<usize> = (0..checks.len())
                .filter(|position| place(position) != UNNAMED)
                .collect();
            named.sort_by_key(place);
            named
        };
        Planner {
            named_by: (0..graph.causes.len()).map(names).collect(),
            keys,
            numbers,
            checks,
            fix_who: graph
                .causes
                .iter()
                .map(|cause| cause.fix.as_ref().map_or(Who::Developer, |fix| fix.who))
                .collect(),
            fix_minutes: graph
                .causes
                .iter()
                .map(|cause| {
                    cause
                        .fix
                        .as_ref()
                        .map_or(UNKNOWN_FIX_MINUTES, |fix| fix.minutes)
                })
                .collect(),
        }
    }

    /// Chooses the next step. `families` holds the probability of each root cause (0 for narrower
    /// ones), `known` the keys and values of facts that were already told.
    pub fn plan<'k>(
        &self,
        posterior: &Posterior,
        families: &[f64],
        known: impl Iterator<Item = (&'k str, &'k str)>,
    ) -> Plan {
        self.plan_under(posterior, families, known, Circumstances::default())
    }

    /// The same where not everybody is at hand, or where checks were answered.
    pub fn plan_under<'k>(
        &self,
        posterior: &Posterior,
        families: &[f64],
        known: impl Iterator<Item = (&'k str, &'k str)>,
        circumstances: Circumstances<'_>,
    ) -> Plan {
        let Circumstances {
            can,
            answered,
            can_probe,
        } = circumstances;
        // One probe shows all that probes show.
        let is_probed = |done: &PlannedCheck| done.is_probe && answered.contains(&done.check);
        let can_probe = can_probe && !self.checks.iter().any(is_probed);
        let mut is_known = vec![false; self.numbers];
        for (key, value) in known {
            let Some(key) = self.keys.get(key) else {
                continue;
            };
            is_known[key.number] = true;
            if let Some(value) = key.values.get(value) {
                is_known[*value] = true;
            }
        }
        // A fix that did not help is not offered again: what is left of its cause's chance is for
        // whoever looks next.
        let likely = families.iter().enumerate();
        let likely = likely.filter(|(cause, p)| **p > 0.0 && !posterior.tried.contains(cause));
        // Numbers above 0 are in the order of their bits.
        let likely = likely.map(|(cause, probability)| (probability.to_bits(), cause));
        let likeliest = greatest(likely, HORIZON);
        let minutes = likeliest.iter().map(|cause| {
            self.fix_minutes[*cause] + VERIFY_MINUTES + waiting(self.fix_who[*cause], can)
        });
        let fixes = Fixes::new(&likeliest, minutes);
        let now = likeliest.iter().map(|cause| families[*cause]);
        let rest = (1.0 - now.clone().sum::<f64>()).max(posterior.something_else);
        let stand = Standing::new(Belief::new(now, rest, &fixes), &fixes);
        let mut best: Option<(usize, f64)> = None;
        // The checks that the likeliest causes name first are most likely the best, and the better
        // one is known the sooner others are known to be worse.
        let mut is_named = vec![false; self.checks.len()];
        let named = likeliest.iter().flat_map(|cause| &self.named_by[*cause]);
        let named: Vec<usize> = named
            .copied()
            .filter(|check| !std::mem::replace(&mut is_named[*check], true))
            .collect();
        let is_open = |planned: &PlannedCheck| {
            !answered.contains(&planned.check)
                && (can_probe || !planned.is_probe)
                && !planned.is_told(&is_known)
        };
        // Expected minutes to the end after each check, as far as they were reckoned.
        let mut after = vec![None; self.checks.len()];
        for position in named {
            let planned = &self.checks[position];
            if !is_open(planned) {
                continue;
            }
            // Nobody goes anywhere to answer a question, or while this service probes.
            let is_there = |done: &usize| {
                let done = &self.checks[*done];
                done.access == planned.access && done.trip > 0.0
            };
            let trip = match answered.iter().any(is_there) {
                true => 0.0,
                false => planned.trip,
            };
            let detour = planned.detour(&likeliest) + trip + planned.waiting(can);
            let least = best.map_or(LEAST_SAVED, |(_, value)| value);
            let again = planned.is_partly_told(&is_known);
            after[position] = stand.to_go_after(planned, detour + least, again);
            let saved = after[position]
                .and_then(|after| stand.saved_by(planned, after, detour + least, again));
            if let Some(value) = saved {
                best = Some((planned.check, value - detour));
            }
        }
        let mut plan = choose(best, &stand);
        if let Choice::Fix(cause) = plan.choice
            && waiting(self.fix_who[cause], can) > 0.0
        {
            plan.choice = Choice::HandOver;
            plan.fix_of_others = Some(cause);
        }
        // A probe needs nothing at hand, so nothing goes along with it.
        if let Choice::Check(chosen, _) = plan.choice
            && !self.checks[chosen].is_probe
        {
            let may_go_along = |position: usize| {
                let planned = &self.checks[position];
                is_named[position] && !planned.is_probe && is_open(planned)
            };
            plan.along = self.along(chosen, &stand, &after, may_go_along, can);
        }
        // While next to nothing is known no check promises to pay, but giving up at the first
        // line would help nobody: the one that tells most comes first.
        let likeliest = likeliest.first().map(|cause| families[*cause]);
        let knows_little = likeliest.is_none_or(|first| first < LITTLE_KNOWN);
        let gives_up = plan.choice == Choice::HandOver && plan.fix_of_others.is_none();
        if gives_up && (knows_little || rest >= MUCH_UNKNOWN) {
            let all = families.iter().chain([&posterior.something_else]);
            let mut weights: Vec<f32> = all.map(|probability| *probability as f32).collect();
            for cause in &posterior.tried {
                weights[*cause] = 0.0;
            }
            let most_telling = self
                .checks
                .iter()
                .filter(|planned| is_open(planned) && planned.waiting(can) == 0.0)
                .map(|planned| (planned.answers.bits(&weights), planned))
                .filter(|(bits, planned)| *bits >= LEAST_BITS * (planned.minutes + 1.0))
                .map(|(bits, planned)| (bits / (planned.minutes + planned.trip + 1.0), planned))
                .reduce(|best, other| if other.0 > best.0 { other } else { best });
            if let Some((_, planned)) = most_telling {
                plan.choice = Choice::Check(planned.check, 0.0);
            }
        }
        plan
    }

    /// Minutes of the fix of a cause, without its verification.
    pub fn fix_minutes(&self, cause: usize) -> f64 {
        self.fix_minutes[cause]
    }

    /// Checks that need the same at hand as the chosen one and are worth their minutes even when
    /// its answer is known, most worth first.
    fn along(
        &self,
        chosen: usize,
        stand: &Standing<'_>,
        after: &[Option<f64>],
        is_open: impl Fn(usize) -> bool,
        can: &[Who],
    ) -> Vec<usize> {
        let first = &self.checks[chosen];
        let mut is_told = vec![false; self.numbers];
        for key in first.keys.of_each().flatten() {
            is_told[*key as usize] = true;
        }
        let others = (0..self.checks.len())
            .filter(|other| *other != chosen && is_open(*other))
            .map(|other| (other, &self.checks[other]))
            .filter(|(_, other)| other.access == first.access)
            // What the first one tells need not be asked again.
            .filter(|(_, other)| {
                let mut keys = other.keys.of_each().flatten();
                !keys.any(|key| is_told[*key as usize])
            });
        // Most worth first. Those that are worth little alone are worth less after another one.
        let mut found: Vec<(f64, usize)> = Vec::with_capacity(MOST_ALONG + 1);
        for (position, other) in others {
            let detour = other.detour(stand.fixes.causes()) + waiting(other.who, can);
            let least = match found.get(MOST_ALONG - 1) {
                Some((saved, _)) => *saved,
                None => LEAST_SAVED,
            };
            let after = after[position].or_else(|| stand.to_go_after(other, detour + least, false));
            let saved = after.and_then(|after| stand.saved_by(other, after, detour, false));
            if let Some(saved) = saved.map(|saved| saved - detour)
                && saved > least
            {
                let place = found.partition_point(|(known, _)| *known >= saved);
                found.insert(place, (saved, position));
                found.truncate(MOST_ALONG);
            }
        }
        found.retain(|(alone, position)| {
            let other = &self.checks[*position];
            let detour = other.detour(stand.fixes.causes()) + waiting(other.who, can);
            pays_after(stand.outcomes_of(first), other, *alone, detour)
        });
        let checks = found.into_iter();
        checks
            .map(|(_, position)| self.checks[position].check)
            .collect()
    }

    /// P(answer | cause) of an answer of a check.
    pub fn answer_probability(&self, check: usize, answer: usize, cause: usize) -> f64 {
        self.checks[check].answers.probability(answer, cause)
    }
}

/// The best of the check that saves most, the fix to begin with, and handing over.
fn choose(best: Option<(usize, f64)>, stand: &Standing<'_>) -> Plan {
    let (choice, expected_minutes) = match (best, stand.fix) {
        (Some((check, value)), _) => (Choice::Check(check, value), stand.without - value),
        // A cause that is nearly certain is fixed even where that takes long: whoever it is handed
        // to would have to do the same.
        (None, Some((fix, minutes)))
            if minutes <= stand.handing_over || stand.belief.probability(fix) >= NEARLY_CERTAIN =>
        {
            (Choice::Fix(stand.fixes.causes()[fix]), minutes)
        }
        _ => (Choice::HandOver, stand.handing_over),
    };
    Plan {
        choice,
        expected_minutes,
        along: Vec::new(),
        fix_of_others: None,
    }
}

/// How things stand when a check is considered.
struct Standing<'s> {
    belief: Belief,
    fixes: &'s Fixes,
    /// The fix to begin with, and the expected minutes with it.
    fix: Option<(usize, f64)>,
    /// Expected minutes of handing over now.
    handing_over: f64,
    /// Expected minutes without any check: with the best fix, or handing over.
    without: f64,
    /// Expected minutes to the end at best.
    to_go: f64,
}

impl<'s> Standing<'s> {
    fn new(belief: Belief, fixes: &'s Fixes) -> Self {
        let handing_over = belief.handing_over();
        let fix = belief.best_fix(fixes);
        Standing {
            fixes,
            fix,
            handing_over,
            without: fix.map_or(handing_over, |(_, minutes)| minutes.min(handing_over)),
            to_go: belief.to_go(fixes),
            belief,
        }
    }

    /// Expected minutes to the end once a check was answered; `None` where it cannot save more than
    /// `least`.
    fn to_go_after(&self, check: &PlannedCheck, least: f64, again: bool) -> Option<f64> {
        let (nothing_new, cannot_tell) = self.untold(check, again);
        let most = (self.without - least - cannot_tell) / (1.0 - nothing_new);
        self.belief.to_go_after(&check.answers, self.fixes, most)
    }

    /// How often a check's answer tells nothing new, and the minutes that this and the check itself
    /// take. An answer of a question that is asked `again` is most likely the one that was told already.
    fn untold(&self, check: &PlannedCheck, again: bool) -> (f64, f64) {
        let nothing_new = match again {
            true => CANNOT_TELL + (1.0 - CANNOT_TELL) * SAME_AGAIN,
            false => CANNOT_TELL,
        };
        (nothing_new, nothing_new * self.to_go + check.minutes)
    }

    /// Minutes that a check saves, less its own, with so many to the end once it was answered; `None`
    /// if they are not more than `least`.
    fn saved_by(&self, check: &PlannedCheck, after: f64, least: f64, again: bool) -> Option<f64> {
        let (nothing_new, cannot_tell) = self.untold(check, again);
        let minutes = cannot_tell + (1.0 - nothing_new) * after;
        // What is left to do is reckoned hopefully, so a check must do its part of it.
        let share = check.least_share(self.belief.probability(0));
        let does_its_part = self.to_go - (minutes - check.minutes) >= share * check.minutes;
        let saved = self.without - minutes;
        (does_its_part && saved > least).then_some(saved)
    }

    /// How things stand after each answer of a check that comes often enough to decide anything, with
    /// the chance of that answer.
    fn outcomes_of<'a>(
        &'a self,
        check: &'a PlannedCheck,
    ) -> impl Iterator<Item = (f64, Standing<'s>)> + 'a {
        let fixes = self.fixes;
        let outcomes = self.belief.outcomes(&check.answers, fixes, RARE_ANSWER);
        outcomes.map(|(chance, belief)| (chance, Standing::new(belief, fixes)))
    }
}

/// Whether a check that saves so many minutes `alone` beyond its `detour` is still worth them when
/// another one was answered before.
fn pays_after<'s>(
    mut outcomes: impl Iterator<Item = (f64, Standing<'s>)>,
    check: &PlannedCheck,
    alone: f64,
    detour: f64,
) -> bool {
    let mut saved = CANNOT_TELL * alone;
    // What is saved after some of the answers may be enough, for none takes anything away: nobody has
    // to do the check where it does not pay any more.
    while saved <= LEAST_SAVED {
        let Some((chance, after)) = outcomes.next() else {
            return false;
        };
        let still = after
            .to_go_after(check, detour, false)
            .and_then(|then| after.saved_by(check, then, detour, false))
            .map_or(0.0, |saved| saved - detour);
        saved += chance * (1.0 - CANNOT_TELL) * still.max(0.0);
    }
    true
}

impl PlannedCheck {
    /// Whether something of whatever it would tell was told already. A probe tells one thing, so one
    /// that is known is enough: it would most likely be seen once more.
    fn is_told(&self, is_known: &[bool]) -> bool {
        let is_told = |answer: &[u32]| answer.iter().any(|key| is_known[*key as usize]);
        match self.is_probe {
            true => self.keys.of_each().any(is_told),
            false => self.keys.of_each().all(is_told),
        }
    }

    /// Whether it is a question of which one answer was told: whoever is asked would say the same again,
    /// if nothing else comes to mind.
    fn is_partly_told(&self, is_known: &[bool]) -> bool {
        let is_told = |answer: &[u32]| answer.iter().all(|fact| is_known[*fact as usize]);
        self.is_question() && self.facts.of_each().any(is_told)
    }

    /// What is waited until its part is done, in minutes.
    fn waiting(&self, can: &[Who]) -> f64 {
        match self.is_probe {
            true => 0.0,
            false => waiting(self.who, can),
        }
    }

    /// Minutes for being beside the point of the likeliest causes.
    fn detour(&self, likeliest: &[usize]) -> f64 {
        let place = likeliest
            .iter()
            .take(3)
            .map(|cause| self.places[*cause])
            .filter(|place| *place != UNNAMED)
            .min()
            .unwrap_or(FAR_DOWN);
        let minutes = match self.is_question() {
            true => MINUTES_PER_PLACE_OF_QUESTION,
            false => MINUTES_PER_PLACE,
        };
        f64::from(place) * minutes
    }

    /// Whether it is answered on the spot, out of one's head.
    fn is_question(&self) -> bool {
        self.trip == 0.0 && !self.is_probe
    }

    /// Share of its minutes that it must take off what is left, with that probability of the likeliest
    /// cause.
    fn least_share(&self, likeliest: f64) -> f64 {
        let is_clear = likeliest >= BEYOND_QUESTION;
        match self.is_question() && !is_clear {
            true => LEAST_SHARE_OF_QUESTION,
            false => LEAST_SHARE,
        }
    }
}

/// Numbers the keys that answers assert, and their values; `numbers` counts on.
fn numbered_keys(graph: &Graph, numbers: &mut usize) -> HashMap<String, Key> {
    let mut keys: HashMap<String, Key> = HashMap::default();
    let mut next = || {
        *numbers += 1;
        *numbers - 1
    };
    let answers = graph.checks.iter().flat_map(|check| &check.answers);
    for (key, value) in answers.flat_map(|answer| &answer.facts) {
        let known = keys.entry(key.clone()).or_insert_with(|| Key {
            number: next(),
            values: HashMap::default(),
        });
        known.values.entry(value.clone()).or_insert_with(&mut next);
    }
    keys
}

/// For each cause, at which place its family names the check.
fn places(graph: &Graph, model: &Model, check: &Check) -> Vec<u8> {
    if check.kind == CheckKind::Probe {
        return vec![PROBE_PLACE; graph.causes.len()];
    }
    let mut places = vec![UNNAMED; graph.causes.len()];
    for (cause, entry) in graph.causes.iter().enumerate() {
        if let Some(place) = entry.checks.iter().position(|id| *id == check.id) {
            places[model.root_of(cause)] = u8::try_from(place).unwrap_or(UNNAMED - 1);
        }
    }
    places
}

/// For each answer, P(answer | cause); the answers' probabilities given a cause add up to 1.
fn answer_probabilities(graph: &Graph, model: &Model, check: &Check) -> Vec<Vec<f64>> {
    let mut table: Vec<Vec<f64>> = check
        .answers
        .iter()
        .map(|answer| {
            let facts: Vec<Fact> = answer
                .facts
                .iter()
                .map(|(key, value)| Fact {
                    key: key.as_str().into(),
                    value: value.as_str().into(),
                    hop: answer.hop,
                    vantage: "user".into(),
                    connection: None,
                    evidence: 0,
                    span: None,
                })
                .collect();
            let facts: Vec<&Fact> = facts.iter().collect();
            let seen: Vec<usize> = graph
                .symptoms
                .iter()
                .enumerate()
                .filter(|(row, symptom)| {
                    model.is_informative(*row) && rests_on(&symptom.when, &facts, &mut Vec::new())
                })
                .map(|(row, _)| row)
                .collect();
            let seen = model.most_exact(&seen);
            let stages = model.stage_weights(&seen);
            (0..=model.causes())
                .map(|cause| {
                    if seen.is_empty() {
                        return SILENT_ANSWER;
                    }
                    let stage = stages.get(cause).map_or(1.0, |weight| weight.exp());
                    let likelihood: f64 = seen
                        .iter()
                        .map(|symptom| {
                            if cause < model.causes() {
                                model.likelihood(*symptom, cause)
                            } else {
                                model.background(*symptom)
                            }
                        })
                        .product();
                    likelihood * stage
                })
                .collect()
        })
        .collect();
    for cause in 0..=model.causes() {
        let total: f64 = table.iter().map(|answer| answer[cause]).sum();
        if total > 0.0 {
            for answer in &mut table {
                answer[cause] /= total;
            }
        }
    }
    table
}

/// The kind of step that a check is.
pub fn kind_of(check: &Check) -> StepKind {
    match check.kind {
        CheckKind::Check => StepKind::Check,
        CheckKind::Question => StepKind::Question,
        CheckKind::Probe => StepKind::Probe,
    }
}
