//! What can never be: symptoms that nothing states, causes that nothing speaks for, patterns of
//! which nobody takes notice.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::evidence::{AnyOf, STATED};
use super::super::super::graph::{FactTemplates, Frequency, Graph, Hop, Predicate};
use super::Places;
use super::symptoms::DISPLAY_KEYS;

/// Values that a key may have; `None` if they are not known beforehand.
type Values = Option<BTreeSet<String>>;

/// What can be stated, or what is asked for: values by key and hop.
#[derive(Default)]
struct Facts(BTreeMap<(String, Hop), Values>);

impl Facts {
    fn add(&mut self, key: &str, hop: Hop, value: Option<&str>) {
        let values = self
            .0
            .entry((key.to_owned(), hop))
            .or_insert_with(|| Some(BTreeSet::new()));
        match value {
            None => *values = None,
            Some(value) => {
                if let Some(values) = values {
                    values.insert(value.to_owned());
                }
            }
        }
    }

    /// Adds what a pattern or an answer states; what it captures may be anything.
    fn add_all(&mut self, facts: &FactTemplates, hop: Hop) {
        for (key, value) in facts {
            let literal = Some(value.as_str()).filter(|value| !value.starts_with('$'));
            self.add(key, hop, literal);
        }
    }

    fn has(&self, key: &str, hop: Hop, is_meant: impl Fn(&str) -> bool) -> bool {
        match self.0.get(&(key.to_owned(), hop)) {
            None => false,
            Some(None) => true,
            Some(Some(values)) => values.iter().any(|value| is_meant(value)),
        }
    }

    /// Whether what is stated can amount to a symptom.
    fn can_hold(&self, predicate: &Predicate) -> bool {
        match predicate {
            Predicate::All { all } => all.iter().all(|part| self.can_hold(part)),
            Predicate::Any { any } => any.iter().any(|part| self.can_hold(part)),
            Predicate::Is { key, is, hop } => self.has(key, *hop, |value| value == is),
            Predicate::In { key, r#in, hop } => {
                self.has(key, *hop, |value| r#in.iter().any(|one| one == value))
            }
            Predicate::Within { key, within, hop } => self.has(key, *hop, |value| {
                value
                    .parse::<f64>()
                    .is_ok_and(|number| within.iter().any(|[a, b]| (*a..=*b).contains(&number)))
            }),
        }
    }

    /// Adds what a symptom asks for.
    fn add_asked(&mut self, predicate: &Predicate) {
        match predicate {
            Predicate::All { all: parts } | Predicate::Any { any: parts } => {
                for part in parts {
                    self.add_asked(part);
                }
            }
            Predicate::Is { key, is, hop } => self.add(key, *hop, Some(is)),
            Predicate::In { key, r#in, hop } => {
                for value in r#in {
                    self.add(key, *hop, Some(value));
                }
            }
            Predicate::Within { key, hop, .. } => self.add(key, *hop, None),
        }
    }
}

/// Warns of what the knowledge can never come to.
pub(super) fn check_reach(graph: &Graph, places: &mut Places<'_>) {
    let stated = stated(graph);
    let reached: BTreeSet<&str> = graph
        .symptoms
        .iter()
        .filter(|symptom| stated.can_hold(&symptom.when))
        .map(|symptom| symptom.id.as_str())
        .collect();
    warn_of_unreached_symptoms(graph, &reached, places);
    warn_of_unreached_causes(graph, &reached, places);
    warn_of_unheard_patterns(graph, places);
}

/// All that patterns, answers and the readers of structures can state.
fn stated(graph: &Graph) -> Facts {
    let mut facts = Facts::default();
    for (system, pattern) in graph.patterns() {
        for told in [&system.facts, &pattern.facts, &pattern.negated] {
            facts.add_all(told, pattern.hop);
        }
    }
    for answer in graph.checks.iter().flat_map(|check| &check.answers) {
        facts.add_all(&answer.facts, answer.hop);
    }
    for (key, values) in STATED {
        for hop in [Hop::ClientEdge, Hop::EdgeOrigin] {
            match values {
                AnyOf::Values(values) => {
                    for value in *values {
                        facts.add(key, hop, Some(value));
                    }
                }
                AnyOf::Everything => facts.add(key, hop, None),
            }
        }
    }
    facts
}

fn warn_of_unreached_symptoms(graph: &Graph, reached: &BTreeSet<&str>, places: &mut Places<'_>) {
    for symptom in &graph.symptoms {
        if !reached.contains(symptom.id.as_str()) {
            let message = format!(
                "symptom {:?} is never seen: no pattern, answer or reader states what it asks for",
                symptom.id
            );
            let file = format!("symptoms/{}.toml", symptom.group);
            places.warning(&file, &symptom.id, message);
        }
    }
}

/// A cause is found by a symptom that it or its family shows at least now and then.
fn warn_of_unreached_causes(graph: &Graph, reached: &BTreeSet<&str>, places: &mut Places<'_>) {
    for cause in &graph.causes {
        let parent = cause.parent.as_deref().and_then(|id| graph.cause(id));
        let mut shown = [Some(cause), parent]
            .into_iter()
            .flatten()
            .flat_map(|shows| &shows.symptoms);
        let is_found = shown.any(|(symptom, frequency)| {
            *frequency >= Frequency::Sometimes && reached.contains(symptom.as_str())
        });
        if !is_found {
            let message = format!(
                "cause {:?} cannot be reached: it shows no symptom that is ever seen at least sometimes",
                cause.id
            );
            places.warning(&format!("causes/{}.md", cause.id), "[symptoms]", message);
        }
    }
}

/// Nobody asks for what a pattern tells, on its hop, and no page shows it.
fn warn_of_unheard_patterns(graph: &Graph, places: &mut Places<'_>) {
    let mut asked = Facts::default();
    for symptom in &graph.symptoms {
        asked.add_asked(&symptom.when);
    }
    for (system, pattern) in graph.patterns() {
        let mut told = system
            .facts
            .iter()
            .chain(&pattern.facts)
            .chain(&pattern.negated);
        let is_heard = told.any(|(key, value)| {
            DISPLAY_KEYS.contains(&key.as_str())
                || asked.has(key, pattern.hop, |asked| {
                    value.starts_with('$') || value == asked
                })
        });
        if !is_heard {
            let message = format!(
                "pattern {:?} is never heard: no symptom speaks of what it tells on the hop {:?}",
                pattern.id,
                pattern.hop.as_str()
            );
            places.warning(
                &format!("patterns/{}.toml", system.system),
                &pattern.id,
                message,
            );
        }
    }
}
