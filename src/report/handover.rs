//! The bundle for whoever goes on with a case, as Markdown.

use std::fmt::Write as _;

use super::{code_span, fenced, literal, markdown, minutes, percent};
use crate::case::DiagnosedCase;
use crate::case::handover::Bundle;

/// More facts are not listed.
const MOST_FACTS: usize = 300;

/// The bundle as Markdown: nothing of the evidence is live there. `address` is that of the case's
/// page.
pub fn bundle_markdown(bundle: &Bundle, found: &DiagnosedCase, address: Option<&str>) -> String {
    // Writing to a string does not fail.
    let mut out = "# Hand-over\n\n".to_owned();
    let _ = writeln!(
        out,
        "{}\n\nFor: {}. Expected time to a fix: {}.\n",
        literal(&bundle.summary),
        literal(bundle.team.in_words()),
        minutes(bundle.expected_minutes)
    );
    let _ = writeln!(
        out,
        "## Message to {}\n\n{}",
        literal(bundle.team.in_words()),
        fenced(&bundle.team_message)
    );
    let _ = writeln!(
        out,
        "## Message to the user\n\n{}",
        fenced(&bundle.user_message)
    );
    if !bundle.ruled_out.is_empty() {
        out.push_str("## Ruled out\n\n");
        for one in &bundle.ruled_out {
            let _ = writeln!(
                out,
                "- {} ({}): from {} to {}, by: {}",
                literal(&one.title),
                code_span(&one.cause),
                literal(&percent(one.from)),
                literal(&percent(one.to)),
                literal(&one.by)
            );
        }
        out.push('\n');
    }
    out.push_str("## What was done\n\n");
    for told in &bundle.told {
        let back = if told.is_taken_back {
            " (taken back later)"
        } else {
            ""
        };
        let _ = writeln!(
            out,
            "- {}: {}{back}",
            told.at.strftime("%Y-%m-%d %H:%M UTC"),
            literal(&told.what)
        );
    }
    out.push('\n');
    if !found.contradictions.is_empty() {
        out.push_str("## Contradictions\n\n");
        for contradiction in &found.contradictions {
            let values: Vec<String> = contradiction
                .values
                .iter()
                .map(|said| format!("{} (entry {})", code_span(&said.value), said.entry + 1))
                .collect();
            let key = code_span(&contradiction.key);
            let _ = writeln!(out, "- {key}: {}", values.join(", "));
        }
        out.push('\n');
    }
    if !found.diagnosis.facts.is_empty() {
        out.push_str("## Raw facts\n\n");
        for seen in found.diagnosis.facts.iter().take(MOST_FACTS) {
            let line = seen
                .place
                .map_or(String::new(), |(line, _)| format!(", line {line}"));
            let _ = writeln!(
                out,
                "- {}: {} ({}, {}{line})",
                code_span(&seen.fact.key),
                code_span(&seen.fact.value),
                seen.fact.hop.as_str(),
                literal(&seen.fact.vantage)
            );
        }
        out.push('\n');
    }
    // The diagnosis' own headings come below.
    let diagnosis = markdown(&found.diagnosis, address);
    out.push_str(&demoted(&diagnosis));
    out
}

/// The headings of a document one level lower; lines inside fences stay.
fn demoted(document: &str) -> String {
    let mut out = String::with_capacity(document.len() + 16);
    let mut fence: Option<usize> = None;
    for line in document.lines() {
        let ticks = line.bytes().take_while(|byte| *byte == b'`').count();
        match fence {
            Some(open) if ticks >= open && line.len() == ticks => fence = None,
            None if ticks >= 3 => fence = Some(ticks),
            None if line.starts_with('#') => out.push('#'),
            _ => {}
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::demoted;

    #[test]
    fn headings_go_down_and_fences_stay() {
        assert_eq!(
            demoted("# a\n````text\n# b\n```\n# c\n````\n## d"),
            "## a\n````text\n# b\n```\n# c\n````\n### d\n"
        );
    }
}
