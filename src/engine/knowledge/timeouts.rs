//! What is wrong with a limit of time.

use super::super::graph::{Graph, Predicate, Timeout, TimeoutKind};

/// Longer limits end no connection that anybody asks about: a fortnight.
const LONGEST: f64 = 1_209_600.0;

/// The complaints about an entry, each with what to write.
pub(super) fn errors(graph: &Graph, timeout: &Timeout) -> Vec<String> {
    let mut errors = Vec::new();
    if !(timeout.seconds > 0.0 && timeout.seconds <= LONGEST) {
        errors.push(format!(
            "seconds = {} must lie above 0 and below {LONGEST}",
            timeout.seconds
        ));
    }
    if timeout
        .tolerance
        .is_some_and(|late| !(late >= 0.0 && late <= timeout.seconds))
    {
        errors.push("tolerance must lie between 0 and the limit itself, in seconds".to_owned());
    }
    let words = [
        ("system", &timeout.system),
        ("title", &timeout.title),
        ("versions", &timeout.versions),
    ];
    for (key, _) in words.iter().filter(|(_, text)| text.trim().is_empty()) {
        errors.push(format!("{key} is empty"));
    }
    if !timeout.source.starts_with("https://") {
        errors.push("source must be the https address where the number stands".to_owned());
    }
    if graph.cause(&timeout.cause).is_none() {
        errors.push(format!("cause {:?} is not defined", timeout.cause));
    } else if timeout.kind != TimeoutKind::Handshake {
        errors.extend(disagreement(graph, timeout));
    }
    errors
}

/// Whether the cause's symptoms fit the length, unless the entry says why they do not.
fn disagreement(graph: &Graph, timeout: &Timeout) -> Option<String> {
    match (
        is_listed(graph, timeout),
        timeout.unlisted.trim().is_empty(),
    ) {
        (false, true) => Some(format!(
            "no symptom of {:?} speaks of a life of {} seconds: point to another cause, or say why \
             with `unlisted`",
            timeout.cause, timeout.seconds
        )),
        (true, false) => Some(format!(
            "symptoms of {:?} do speak of {} seconds: leave `unlisted` out",
            timeout.cause, timeout.seconds
        )),
        _ => None,
    }
}

/// Whether a symptom that the cause or its parent shows speaks of a life of that length.
fn is_listed(graph: &Graph, timeout: &Timeout) -> bool {
    let own = graph.cause(&timeout.cause);
    let parent = own
        .and_then(|cause| cause.parent.as_deref())
        .and_then(|id| graph.cause(id));
    own.into_iter()
        .chain(parent)
        .flat_map(|cause| cause.symptoms.keys())
        .filter_map(|id| graph.symptom(id))
        .any(|symptom| speaks_of(&symptom.when, timeout.seconds))
}

fn speaks_of(predicate: &Predicate, seconds: f64) -> bool {
    match predicate {
        Predicate::Any { any: parts } => parts.iter().any(|part| speaks_of(part, seconds)),
        Predicate::Within { key, within, .. } => {
            key == "open.seconds"
                && within
                    .iter()
                    .any(|[from, to]| (*from..=*to).contains(&seconds))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SourceFile, check, read};

    const CAUSE: &str = "+++\nid = \"c\"\ntitle = \"C\"\nlayer = \"proxy\"\nprior = \"rare\"\n[symptoms]\ns = \"always\"\n+++\nText.";
    const SYMPTOM: &str = "[[symptom]]\nid = \"s\"\ntitle = \"t\"\nwhen = { key = \"open.seconds\", within = [[59, 61]] }\n";

    fn problems(entry: &str) -> Vec<String> {
        let file = |name: &str, text: &str| SourceFile {
            name: name.to_owned(),
            text: text.to_owned(),
        };
        let files = [
            file("causes/c.md", CAUSE),
            file("symptoms/a.toml", SYMPTOM),
            file("timeouts/a.toml", entry),
        ];
        check(&read(&files))
            .iter()
            .map(ToString::to_string)
            .filter(|problem| problem.starts_with("timeouts/"))
            .collect()
    }

    fn entry(seconds: &str, cause: &str, more: &str) -> String {
        format!(
            "[[timeout]]\nid = \"t\"\nsystem = \"x\"\ntitle = \"T\"\nseconds = {seconds}\nkind = \"idle\"\nside = \"proxy\"\nversions = \"all current\"\ncause = \"{cause}\"\nsource = \"https://a.example\"\nverified = true\n{more}\n"
        )
    }

    #[test]
    fn limits_agree_with_their_causes() {
        assert_eq!(problems(&entry("60", "c", "")), Vec::<String>::new());
        let told = |entry: &str, words: &str| {
            let problems = problems(entry);
            assert!(
                problems.len() == 1 && problems[0].contains(words),
                "{problems:?}"
            );
        };
        told(&entry("70", "c", ""), "no symptom of \"c\" speaks of");
        assert!(problems(&entry("70", "c", "unlisted = \"why\"")).is_empty());
        told(
            &entry("60", "c", "unlisted = \"why\""),
            "leave `unlisted` out",
        );
        told(&entry("60", "d", ""), "is not defined");
        told(&entry("60", "c", "tolerance = 99.0"), "tolerance must");
        told(&entry("60", "c", "colour = 1"), "unknown field");
        told(&entry("-1", "c", "unlisted = \"why\""), "must lie above 0");
    }
}
