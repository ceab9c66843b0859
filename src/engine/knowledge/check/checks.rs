//! Checks and their answers, and limits of time.

use std::collections::BTreeSet;

use super::super::super::graph::{Cause, CheckKind, Graph};
use super::super::timeouts;
use super::Places;
use super::symptoms::{complaint_about_fact, vocabulary};

pub(super) fn check_checks(graph: &Graph, places: &mut Places<'_>) {
    let keys = vocabulary(graph);
    for check in &graph.checks {
        let file = format!("checks/{}.toml", check.group);
        let mut ids = BTreeSet::new();
        for answer in &check.answers {
            if !ids.insert(&answer.id) {
                places.error(
                    &file,
                    &check.id,
                    format!("check {:?} has two answers {:?}", check.id, answer.id),
                );
            }
            for (key, value) in &answer.facts {
                if let Some(complaint) = complaint_about_fact(&keys, key, value) {
                    places.error(
                        &file,
                        &check.id,
                        format!("check {:?}, answer {:?}: {complaint}", check.id, answer.id),
                    );
                }
            }
        }
        if check.answers.len() < 2 {
            places.warning(
                &file,
                &check.id,
                format!("check {:?} needs two answers or more", check.id),
            );
        }
        for system in check.commands.keys() {
            if !matches!(system.as_str(), "linux" | "macos" | "windows" | "devtools") {
                places.error(&file, &check.id, format!(
                    "check {:?}: write commands for linux, macos, windows or devtools, not {system:?}", check.id
                ));
            }
        }
        // A probe looks at all layers, so no cause names it.
        let is_named = |cause: &Cause| cause.checks.contains(&check.id);
        if check.kind != CheckKind::Probe && !graph.causes.iter().any(is_named) {
            places.warning(
                &file,
                &check.id,
                format!("no cause uses check {:?}", check.id),
            );
        }
    }
}

pub(super) fn check_timeouts(graph: &Graph, places: &mut Places<'_>) {
    for timeout in &graph.timeouts {
        let file = format!("timeouts/{}.toml", timeout.group);
        let place = format!("\"{}\"", timeout.id);
        for message in timeouts::errors(graph, timeout) {
            places.error(
                &file,
                &place,
                format!("timeout {:?}: {message}", timeout.id),
            );
        }
        if !timeout.verified {
            let message = format!(
                "timeout {:?} is not verified: look its number up in the source",
                timeout.id
            );
            places.warning(&file, &place, message);
        }
    }
}
