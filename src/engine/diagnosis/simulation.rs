//! How many minutes it takes to the right fix, if things are as the knowledge says, and if they are
//! not quite: the planner against simpler ways of going about it.
//!
//! A fault is drawn, and what it shows; a few of its findings are the first paste. Then the way leads
//! from step to step until the right fix is done, by oneself or by whom it was handed to. Everything
//! is drawn from one seed, so the same seed gives the same table.

use super::super::dice::Dice;
use super::super::evidence::{Fact, Span};
use super::super::graph::{Check, CheckKind, Hop, Predicate, StageState};
use super::super::next_step::{
    CANNOT_TELL, Choice, Circumstances, HAND_OVER_MINUTES, VERIFY_MINUTES, is_worth_it,
};
use super::{Engine, FIX_FAILED};

/// Chances of one, two and three findings in the first paste.
const FINDINGS: [f64; 3] = [0.4, 0.4, 0.2];
/// Whoever has done that many steps hands over.
const MOST_STEPS: usize = 40;
/// A fault that shows nothing is drawn again at most that often.
const MOST_DRAWS: usize = 20;

/// What is simulated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Everything is drawn from it.
    pub seed: u64,
    /// Cases of each cause.
    pub cases: usize,
    /// Each probability of the world is off from the knowledge's by a factor up to this.
    pub off: f64,
    /// Each cost is off by a factor up to this.
    pub costs_off: f64,
    /// The service may probe the address.
    pub can_probe: bool,
}

/// A way of going about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The planner's.
    Planner,
    /// The checks in the order in which articles name them, then handing over.
    Articles,
    /// The likeliest fix first, until one helps.
    Likeliest,
    /// The same as long as a fix is worth it, then handing over.
    LikeliestWorthIt,
    /// Fixes in any order until an hour is over, then handing over.
    Random,
}

impl Way {
    /// All of them, in the order of the table's columns.
    pub const ALL: [Way; 5] = [
        Way::Planner,
        Way::Articles,
        Way::Likeliest,
        Way::LikeliestWorthIt,
        Way::Random,
    ];
}

/// What came of one cause, as means over its cases.
#[derive(Clone, Debug, PartialEq)]
pub struct OfCause {
    /// The cause.
    pub id: String,
    /// Its probability before any evidence.
    pub prior: f64,
    /// Minutes of its own fix, verification included: nobody can be faster.
    pub least: f64,
    /// Minutes to the right fix by each [`Way`].
    pub minutes: [f64; 5],
    /// Steps that the planner let do.
    pub steps: f64,
    /// Wrong fixes that the planner let do.
    pub wrong_fixes: f64,
    /// Share of its cases that the planner handed over.
    pub handed_over: f64,
}

/// What a fault's way was like.
#[derive(Clone, Copy, Debug, Default)]
struct Walked {
    minutes: f64,
    steps: f64,
    wrong_fixes: f64,
    handed_over: f64,
}

/// What the articles let one check, in their order, and the causes that each check tells.
const ARTICLES: [(&str, &[&str]); 18] = [
    ("is-the-server-running", &["tcp-server-not-running"]),
    (
        "is-anything-listening",
        &["tcp-wrong-port", "tcp-bound-to-loopback"],
    ),
    (
        "check-the-address-in-the-code",
        &[
            "client-wrong-host-or-port",
            "client-hardcoded-localhost",
            "client-wrong-scheme",
            "client-wrong-path",
            "client-invalid-url",
        ],
    ),
    ("reach-the-port", &["tcp-firewall-drop"]),
    ("firewall-rules", &["tcp-firewall-reject"]),
    (
        "read-the-proxy-configuration",
        &[
            "proxy-upgrade-not-forwarded",
            "proxy-path-routing",
            "proxy-host-header",
        ],
    ),
    ("container-ports", &["tcp-container-port-unpublished"]),
    ("inside-the-container", &["tcp-container-localhost"]),
    ("how-long-does-it-live", &["proxy-idle-timeout"]),
    ("how-many-instances", &["proxy-sticky-sessions"]),
    ("websocket-switch", &["proxy-cdn-websocket-off"]),
    ("page-scheme", &["client-mixed-content"]),
    (
        "tls-handshake",
        &[
            "tls-server-speaks-plain",
            "tls-cert-expired",
            "tls-cert-untrusted",
            "tls-cert-name-mismatch",
            "tls-cert-chain-incomplete",
            "tls-version-or-cipher",
        ],
    ),
    ("upgrade-through-the-proxy", &["proxy-upstream-down"]),
    (
        "read-the-server-log",
        &[
            "handshake-origin-rejected",
            "handshake-auth",
            "handshake-subprotocol",
            "handshake-server-error",
            "session-server-exception",
        ],
    ),
    (
        "try-another-browser",
        &["client-unsupported-browser", "client-blocked-by-extension"],
    ),
    (
        "try-another-network",
        &["client-offline", "proxy-corporate", "session-network-drop"],
    ),
    (
        "who-closed-it",
        &["client-close-before-open", "client-page-unload"],
    ),
];

/// Simulates every root cause.
pub fn simulate(engine: &Engine, setting: Setting) -> Vec<OfCause> {
    simulate_some(engine, setting, |_| true)
}

/// Simulates those of the root causes whose position is wanted.
pub fn simulate_some(
    engine: &Engine,
    setting: Setting,
    is_wanted: impl Fn(usize) -> bool,
) -> Vec<OfCause> {
    let world = World::new(engine, setting);
    let roots = (0..engine.graph.causes.len()).filter(|c| engine.model.root_of(*c) == *c);
    roots
        .filter(|root| is_wanted(*root))
        .map(|root| world.of_cause(root))
        .collect()
}

/// How things are: as the knowledge says, or off by some factor.
struct World<'a> {
    engine: &'a Engine,
    setting: Setting,
    /// Probabilities of the causes before any evidence.
    priors: Vec<f64>,
    /// P(symptom | cause), row by row.
    symptoms: Vec<f64>,
    /// For each check, for each answer, P(answer | cause).
    answers: Vec<Vec<Vec<f64>>>,
    check_minutes: Vec<f64>,
    fix_minutes: Vec<f64>,
    hand_over: f64,
}

impl<'a> World<'a> {
    fn new(engine: &'a Engine, setting: Setting) -> Self {
        let mut dice = Dice::new(setting.seed);
        // The rest of a world is the same with probes and without.
        let mut of_probes = Dice::new(setting.seed.wrapping_add(1));
        let causes = engine.graph.causes.len();
        let mut symptoms = Vec::with_capacity(causes * engine.graph.symptoms.len());
        for row in 0..engine.graph.symptoms.len() {
            let stages = engine.model.stage_weights(&[row]);
            for (cause, stage) in stages.into_iter().enumerate() {
                let known = engine.model.likelihood(row, cause) * stage.exp();
                let probability = known * dice.factor(setting.off);
                symptoms.push(probability.min(0.97));
            }
        }
        let answers = engine.graph.checks.iter().enumerate();
        let answers = answers
            .map(|(position, check)| {
                let dice = match check.kind {
                    CheckKind::Check | CheckKind::Question => &mut dice,
                    CheckKind::Probe => &mut of_probes,
                };
                let mut table: Vec<Vec<f64>> = (0..check.answers.len())
                    .map(|answer| {
                        let known = |cause| {
                            engine.planner.answer_probability(position, answer, cause)
                                * dice.factor(setting.off)
                        };
                        (0..causes).map(known).collect()
                    })
                    .collect();
                for cause in 0..causes {
                    let total: f64 = table.iter().map(|answer| answer[cause]).sum();
                    for answer in &mut table {
                        answer[cause] /= total.max(f64::MIN_POSITIVE);
                    }
                }
                table
            })
            .collect();
        let mut cost = |minutes: f64| minutes * dice.factor(setting.costs_off);
        let minutes_of = |check: &Check| match check.kind {
            CheckKind::Check | CheckKind::Question => cost(check.minutes),
            CheckKind::Probe => check.minutes * of_probes.factor(setting.costs_off),
        };
        let check_minutes = engine.graph.checks.iter().map(minutes_of).collect();
        World {
            priors: engine.model.posterior(&[]).causes,
            symptoms,
            answers,
            check_minutes,
            fix_minutes: (0..causes)
                .map(|cause| cost(engine.planner.fix_minutes(cause)) + VERIFY_MINUTES)
                .collect(),
            hand_over: cost(HAND_OVER_MINUTES),
            engine,
            setting,
        }
    }

    fn of_cause(&self, root: usize) -> OfCause {
        let mut sums = [Walked::default(); 5];
        for case in 0..self.setting.cases {
            for (way, sum) in Way::ALL.iter().zip(&mut sums) {
                // Every way meets the same case, and luck of its own.
                let seed = self.setting.seed.wrapping_mul(1_000_003);
                let mut dice = Dice::new(seed + (root * self.setting.cases + case) as u64);
                let (cause, paste) = self.draw(root, &mut dice);
                let walked = Walk::new(self, root, cause, paste, dice).go(*way);
                sum.minutes += walked.minutes;
                sum.steps += walked.steps;
                sum.wrong_fixes += walked.wrong_fixes;
                sum.handed_over += walked.handed_over;
            }
        }
        let count = self.setting.cases.max(1) as f64;
        let family = std::iter::once(&root).chain(self.engine.model.narrower(root));
        OfCause {
            id: self.engine.graph.causes[root].id.clone(),
            prior: family.map(|cause| self.priors[*cause]).sum(),
            least: self.fix_minutes[root],
            minutes: sums.map(|sum| sum.minutes / count),
            steps: sums[0].steps / count,
            wrong_fixes: sums[0].wrong_fixes / count,
            handed_over: sums[0].handed_over / count,
        }
    }

    /// Which of the family it is, and what the first paste shows.
    fn draw(&self, root: usize, dice: &mut Dice) -> (usize, Vec<Fact>) {
        let mut family = vec![root];
        family.extend(self.engine.model.narrower(root));
        let weights: Vec<f64> = family.iter().map(|cause| self.priors[*cause]).collect();
        let cause = family[dice.pick(&weights).unwrap_or(0)];
        let mut shown = Vec::new();
        for _ in 0..MOST_DRAWS {
            shown = self.shown(cause, dice);
            if !shown.is_empty() {
                break;
            }
        }
        let wanted = dice.pick(&FINDINGS).unwrap_or(0) + 1;
        // What went wrong is reported first, then whatever else is known.
        let model = &self.engine.model;
        let is_failure =
            |row: &usize| matches!(model.stage_of(*row), Some((_, StageState::Failed)));
        let mut order: Vec<(bool, f64, usize)> = shown
            .into_iter()
            .map(|row| (!is_failure(&row), dice.share(), row))
            .collect();
        order.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mut shown: Vec<usize> = order.iter().take(wanted).map(|(_, _, row)| *row).collect();
        shown.sort_unstable();
        let mut facts: Vec<Fact> = Vec::new();
        for row in shown {
            state(&self.engine.graph.symptoms[row].when, &mut facts);
        }
        // Each was read from words of its own.
        for (place, fact) in facts.iter_mut().enumerate() {
            let (start, end) = (2 * place, 2 * place + 1);
            fact.span = Some(Span { start, end });
        }
        (cause, facts)
    }

    /// Everything that could be seen of a fault: of each variable one value, or none.
    fn shown(&self, cause: usize, dice: &mut Dice) -> Vec<usize> {
        let causes = self.engine.graph.causes.len();
        let model = &self.engine.model;
        let mut is_drawn = std::collections::HashMap::new();
        let mut shown = Vec::new();
        for row in (0..self.engine.graph.symptoms.len()).filter(|row| model.is_informative(*row)) {
            let seen = dice.share() < self.symptoms[row * causes + cause];
            if seen && is_drawn.insert(model.variable_of(row), row).is_none() {
                shown.push(row);
            }
        }
        shown
    }
}

/// A fault on its way to the right fix.
struct Walk<'a> {
    world: &'a World<'a>,
    root: usize,
    cause: usize,
    facts: Vec<Fact>,
    /// Checks that were done.
    answered: Vec<usize>,
    dice: Dice,
    walked: Walked,
}

impl<'a> Walk<'a> {
    fn new(world: &'a World<'a>, root: usize, cause: usize, facts: Vec<Fact>, dice: Dice) -> Self {
        Walk {
            world,
            root,
            cause,
            facts,
            answered: Vec::new(),
            dice,
            walked: Walked::default(),
        }
    }

    fn go(mut self, way: Way) -> Walked {
        match way {
            Way::Planner => self.as_planned(),
            Way::Articles => self.as_articles_say(),
            Way::Likeliest => self.likeliest_first(false),
            Way::LikeliestWorthIt => self.likeliest_first(true),
            Way::Random => self.at_random(),
        }
        self.walked
    }

    /// Does a fix; whether it was the right one.
    fn fix(&mut self, root: usize) -> bool {
        self.walked.minutes += self.world.fix_minutes[root];
        self.walked.steps += 1.0;
        let is_right = root == self.root;
        if !is_right {
            self.walked.wrong_fixes += 1.0;
            let id = self.world.engine.graph.causes[root].id.clone();
            push(&mut self.facts, FIX_FAILED, &id, Hop::default(), false);
        }
        is_right
    }

    /// Others take over, find it, and do the fix.
    fn hand_over(&mut self) {
        self.walked.minutes += self.world.hand_over + self.world.fix_minutes[self.root];
        self.walked.handed_over += 1.0;
    }

    fn check(&mut self, position: usize) {
        let world = self.world;
        let check = &world.engine.graph.checks[position];
        self.walked.minutes += world.check_minutes[position];
        self.walked.steps += 1.0;
        let table = &world.answers[position];
        let weights: Vec<f64> = table.iter().map(|answer| answer[self.cause]).collect();
        let is_told = self.dice.share() >= CANNOT_TELL;
        self.answered.push(position);
        if let Some(answer) = self.dice.pick(&weights).filter(|_| is_told) {
            let answer = &check.answers[answer];
            for (key, value) in &answer.facts {
                push(&mut self.facts, key, value, answer.hop, true);
            }
        }
    }

    fn as_planned(&mut self) {
        let engine = self.world.engine;
        for _ in 0..MOST_STEPS {
            let weighed = engine.weigh(&self.facts);
            let known = self.facts.iter().map(|fact| (&*fact.key, &*fact.value));
            let so_far = Circumstances {
                answered: &self.answered,
                can_probe: self.world.setting.can_probe,
                ..Circumstances::default()
            };
            let planner = &engine.planner;
            match planner
                .plan_under(&weighed.posterior, &weighed.families, known, so_far)
                .choice
            {
                Choice::Check(position, _) => self.check(position),
                Choice::Fix(root) if self.fix(root) => return,
                Choice::Fix(_) => {}
                Choice::HandOver => break,
            }
        }
        self.hand_over();
    }

    /// A check is taken to tell its causes without fail, unless nobody can say what came out.
    fn as_articles_say(&mut self) {
        let graph = &self.world.engine.graph;
        let own = graph.causes[self.root].id.as_str();
        for (check, causes) in ARTICLES {
            let Some(position) = graph.checks.iter().position(|known| known.id == check) else {
                continue;
            };
            self.walked.minutes += self.world.check_minutes[position];
            if causes.contains(&own) && self.dice.share() >= CANNOT_TELL {
                self.fix(self.root);
                return;
            }
        }
        self.hand_over();
    }

    fn likeliest_first(&mut self, hands_over: bool) {
        let mut tried = Vec::new();
        loop {
            let families = self.world.engine.weigh(&self.facts).families;
            let is_worth = |root: &usize| {
                let cost = self.world.engine.planner.fix_minutes(*root) + VERIFY_MINUTES;
                !hands_over || is_worth_it(families[*root], cost)
            };
            let next = (0..families.len())
                .filter(|root| families[*root] > 0.0 && !tried.contains(root))
                .filter(is_worth)
                .max_by(|a, b| families[*a].total_cmp(&families[*b]).then(b.cmp(a)));
            match next {
                Some(root) if self.fix(root) => return,
                Some(root) => tried.push(root),
                None => return self.hand_over(),
            }
        }
    }

    fn at_random(&mut self) {
        let model = &self.world.engine.model;
        let mut left: Vec<usize> = (0..self.world.engine.graph.causes.len())
            .filter(|cause| model.root_of(*cause) == *cause)
            .collect();
        while self.walked.minutes < HAND_OVER_MINUTES && !left.is_empty() {
            let place = (self.dice.share() * left.len() as f64) as usize;
            if self.fix(left.swap_remove(place)) {
                return;
            }
        }
        self.hand_over();
    }
}

/// Adds a fact; one that `corrects` takes the place of what was said of its key.
fn push(facts: &mut Vec<Fact>, key: &str, value: &str, hop: Hop, corrects: bool) {
    if corrects {
        facts.retain(|fact| !(*fact.key == *key && fact.hop == hop));
    }
    facts.push(Fact {
        key: key.into(),
        value: value.into(),
        hop,
        vantage: "user".into(),
        connection: None,
        evidence: 0,
        span: None,
    });
}

/// Facts that make a predicate true.
fn state(predicate: &Predicate, facts: &mut Vec<Fact>) {
    match predicate {
        Predicate::All { all } => all.iter().for_each(|part| state(part, facts)),
        Predicate::Any { any } => any.iter().take(1).for_each(|part| state(part, facts)),
        Predicate::Is { key, is, hop } => push(facts, key, is, *hop, true),
        Predicate::In { key, r#in, hop } => {
            if let Some(value) = r#in.first() {
                push(facts, key, value, *hop, true);
            }
        }
        Predicate::Within { key, within, hop } => {
            if let Some([from, to]) = within.first() {
                let middle = format!("{}", (from + to) / 2.0);
                push(facts, key, &middle, *hop, true);
            }
        }
    }
}
