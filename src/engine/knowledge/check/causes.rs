//! Causes: what they point to, their families, and what they lack.

use super::super::super::graph::{Cause, CauseTest, Expectation, Graph};
use super::Places;

pub(super) fn check_causes(graph: &Graph, places: &mut Places<'_>) {
    for cause in &graph.causes {
        let file = format!("causes/{}.md", cause.id);
        for symptom in cause.symptoms.keys() {
            if graph.symptom(symptom).is_none() {
                places.error(
                    &file,
                    symptom,
                    format!("symptom {symptom:?} is not defined in symptoms/"),
                );
            }
        }
        for check in &cause.checks {
            if graph.check(check).is_none() {
                places.error(
                    &file,
                    check,
                    format!("check {check:?} is not defined in checks/"),
                );
            }
        }
        check_family(graph, cause, &file, places);
        if let Some(fix) = &cause.fix
            && !matches!(fix.verify.as_str(), "probe" | "paste")
            && graph.check(&fix.verify).is_none()
        {
            places.error(
                &file,
                "verify",
                format!(
                    "verify = {:?} must be \"probe\", \"paste\" or the id of a check",
                    fix.verify
                ),
            );
        }
        for reference in &cause.references {
            if !reference.starts_with("https://") && !reference.starts_with("http://") {
                places.error(
                    &file,
                    reference,
                    format!("reference {reference:?} must be an https address"),
                );
            }
        }
        warn_about_gaps(cause, &file, places);
    }
}

fn check_family(graph: &Graph, cause: &Cause, file: &str, places: &mut Places<'_>) {
    if cause.parent.is_some() != cause.share.is_some() {
        places.error(
            file,
            "parent",
            "a narrower cause has both parent and share".to_owned(),
        );
    }
    if let Some(share) = cause.share
        && !(share > 0.0 && share < 1.0)
    {
        places.error(
            file,
            "share",
            format!("share = {share} must lie between 0 and 1"),
        );
    }
    if let Some(parent) = &cause.parent {
        match graph.cause(parent) {
            None => places.error(file, "parent", format!("parent {parent:?} is not a cause")),
            Some(parent) if parent.parent.is_some() => places.error(
                file,
                "parent",
                format!(
                    "parent {:?} is itself a narrower cause: families have two levels",
                    parent.id
                ),
            ),
            Some(_) => {}
        }
    }
    let shares: f64 = graph
        .causes
        .iter()
        .filter(|other| other.parent.as_ref() == Some(&cause.id))
        .filter_map(|other| other.share)
        .sum();
    if shares > 0.95 {
        places.error(file, "id", format!(
            "the shares of the narrower causes of {:?} add up to {shares:.2}: leave at least 0.05", cause.id
        ));
    }
}

fn warn_about_gaps(cause: &Cause, file: &str, places: &mut Places<'_>) {
    let mut gaps = Vec::new();
    if cause.symptoms.is_empty() && cause.parent.is_none() {
        gaps.push("a symptom");
    }
    if cause.shows_at.is_empty() {
        gaps.push("shows_at");
    }
    if cause.checks.is_empty() {
        gaps.push("a check");
    }
    if cause.fix.is_none() {
        gaps.push("[fix] with its verification");
    }
    if cause.references.is_empty() {
        gaps.push("a reference");
    }
    if cause.tests.len() < 3 {
        gaps.push("three [[tests]]");
    }
    let is_absent = |test: &&CauseTest| test.expect == Expectation::Absent;
    let absent = cause.tests.iter().filter(is_absent).count();
    if absent == cause.tests.len() {
        gaps.push("a test that names it (\"top 1\" or \"top 3\")");
    }
    if absent == 0 {
        gaps.push("a test of a near miss (\"absent\")");
    }
    if !cause.body.contains("## Fix") {
        gaps.push("a section \"## Fix\"");
    }
    if !gaps.is_empty() {
        places.warning(
            file,
            "id",
            format!("cause {:?} lacks {}", cause.id, gaps.join(", ")),
        );
    }
}
