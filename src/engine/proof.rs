//! The entries' own tests: which causes are taken for which.

use std::collections::BTreeMap;

use super::diagnosis::{Diagnosis, Engine, Evidence};
use super::graph::{Cause, CauseTest, Expectation, Graph};
use super::knowledge::{Problem, Severity};

/// Runs every cause's tests; those that fail. That a narrower cause does not lead its own family
/// on its own text is a warning.
pub fn failed_tests(engine: &Engine) -> Vec<Problem> {
    engine
        .graph()
        .causes
        .iter()
        .flat_map(|cause| {
            cause
                .tests
                .iter()
                .filter_map(|test| failure(engine, cause, test))
        })
        .collect()
}

fn of_text(engine: &Engine, text: &str) -> Diagnosis {
    engine.diagnose(&[Evidence {
        text: Some(text.to_owned()),
        ..Evidence::default()
    }])
}

fn failure(engine: &Engine, cause: &Cause, test: &CauseTest) -> Option<Problem> {
    let root = cause.parent.as_deref().unwrap_or(&cause.id);
    let diagnosis = of_text(engine, &test.input);
    let rank = diagnosis.causes.iter().position(|ranked| ranked.id == root);
    let leads = match (rank, test.expect) {
        (Some(rank), Expectation::First | Expectation::AmongThree) if cause.parent.is_some() => {
            let family = &diagnosis.causes[rank];
            family
                .variants
                .first()
                .is_some_and(|first| first.id == cause.id)
        }
        _ => true,
    };
    let holds = match test.expect {
        Expectation::First => rank == Some(0),
        Expectation::AmongThree => rank.is_some_and(|rank| rank < 3),
        Expectation::Absent => rank.is_none_or(|rank| rank >= 3),
    };
    let problem = |severity, message| Problem {
        file: format!("causes/{}.md", cause.id),
        line: 0,
        severity,
        message,
    };
    if !holds {
        return Some(problem(Severity::Error, message(test, &diagnosis)));
    }
    (!leads).then(|| problem(Severity::Warning, led_by(test, &diagnosis, root)))
}

fn led_by(test: &CauseTest, diagnosis: &Diagnosis, root: &str) -> String {
    let family = diagnosis.causes.iter().find(|ranked| ranked.id == root);
    let variants: Vec<String> = family
        .iter()
        .flat_map(|family| family.variants.iter().take(3))
        .map(|variant| format!("{} {:.2}", variant.id, variant.probability))
        .collect();
    let seen: Vec<&str> = diagnosis.symptoms.iter().map(|s| s.id.as_str()).collect();
    format!(
        "test {:?} does not make it the likeliest of its family: {}; symptoms seen: {}",
        test.input.chars().take(120).collect::<String>(),
        variants.join(", "),
        seen.join(", ")
    )
}

fn message(test: &CauseTest, diagnosis: &Diagnosis) -> String {
    let listed: Vec<String> = diagnosis
        .causes
        .iter()
        .take(3)
        .map(|ranked| format!("{} {:.2}", ranked.id, ranked.probability))
        .collect();
    let seen: Vec<&str> = diagnosis.symptoms.iter().map(|s| s.id.as_str()).collect();
    format!(
        "test {:?} expects {:?}, but the causes are {}; symptoms seen: {}",
        test.input.chars().take(120).collect::<String>(),
        test.expect,
        listed.join(", "),
        seen.join(", ")
    )
}

/// A text whose cause is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Labelled {
    /// Names it in reports.
    pub id: String,
    /// The text, as it was pasted.
    pub text: String,
    /// Its cause.
    pub cause: String,
    /// Causes that are as good an answer.
    pub accept: Vec<String>,
    /// Texts of one group tell the same fault and count together as one.
    pub group: String,
}

/// What became of a labelled text.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The text's id.
    pub id: String,
    /// The right cause.
    pub cause: String,
    /// The place of the first right cause in the list, from 1.
    pub rank: Option<usize>,
    /// The first cause of the list and its probability.
    pub first: Option<(String, f64)>,
}

/// Diagnoses labelled texts.
pub fn judge(engine: &Engine, texts: &[Labelled]) -> Vec<Judged> {
    texts
        .iter()
        .map(|labelled| {
            let diagnosis = of_text(engine, &labelled.text);
            let is_right =
                |id: &str| labelled.cause == id || labelled.accept.iter().any(|a| a == id);
            Judged {
                id: labelled.id.clone(),
                cause: labelled.cause.clone(),
                rank: diagnosis
                    .causes
                    .iter()
                    .position(|cause| is_right(&cause.id))
                    .map(|position| position + 1),
                first: diagnosis
                    .causes
                    .first()
                    .map(|cause| (cause.id.to_string(), cause.probability)),
            }
        })
        .collect()
}

/// The entries' own texts that must name their cause, as labelled texts.
pub fn own_texts(graph: &Graph) -> Vec<Labelled> {
    graph
        .causes
        .iter()
        .flat_map(|cause| {
            cause
                .tests
                .iter()
                .enumerate()
                .filter(|(_, test)| test.expect != Expectation::Absent)
                .map(move |(number, test)| Labelled {
                    id: format!("{}#{}", cause.id, number + 1),
                    text: test.input.clone(),
                    cause: cause.parent.clone().unwrap_or_else(|| cause.id.clone()),
                    accept: Vec::new(),
                    group: cause.id.clone(),
                })
        })
        .collect()
}

/// Which cause is taken for which, and how often: the right one, the one named first, the ids.
/// The most frequent confusion comes first.
pub fn confusions(judged: &[Judged]) -> Vec<(&str, &str, Vec<&str>)> {
    let mut pairs: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for one in judged.iter().filter(|one| one.rank != Some(1)) {
        let first = one.first.as_ref().map_or("nothing", |(id, _)| id.as_str());
        pairs.entry((&one.cause, first)).or_default().push(&one.id);
    }
    let mut pairs: Vec<(&str, &str, Vec<&str>)> = pairs
        .into_iter()
        .map(|((right, first), ids)| (right, first, ids))
        .collect();
    pairs.sort_by_key(|(_, _, ids)| usize::MAX - ids.len());
    pairs
}
