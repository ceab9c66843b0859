//! Why a cause is as likely as it is, for terminals and as Markdown.

use std::fmt::Write as _;

use super::{literal, percent, plain};
use crate::engine::diagnosis::{Change, Explained, Explanation, Strength};
use crate::engine::graph::introduced;

/// For a terminal.
pub fn explanation_text(of: &Explanation) -> String {
    written(of, plain)
}

/// For a ticket or a chat: nothing of the evidence is live there.
pub fn explanation_markdown(of: &Explanation) -> String {
    let text = written(of, literal);
    let mut out = String::new();
    for (number, line) in text.lines().enumerate() {
        let is_heading = number > 0 && !line.is_empty() && !line.starts_with(' ');
        let _ = match line.strip_prefix("  ") {
            Some(entry) => writeln!(out, "- {entry}"),
            None if number == 0 => writeln!(out, "# {line}"),
            None if is_heading && line.ends_with(':') => {
                writeln!(out, "## {}\n", line.trim_end_matches(':'))
            }
            None => writeln!(out, "{line}"),
        };
    }
    out
}

/// How many times likelier or less likely, in words.
pub fn times(factor: f64) -> String {
    let (times, word) = if factor >= 1.0 {
        (factor, "likelier")
    } else {
        (1.0 / factor.max(1e-4), "less likely")
    };
    match times {
        times if times >= 1000.0 => format!("more than 1000 times {word}"),
        times if times >= 10.0 => format!("{times:.0} times {word}"),
        times => format!("{times:.1} times {word}"),
    }
}

/// From the factors to the probability that is said, in a sentence or two.
fn how_the_number_follows(of: &Explanation) -> String {
    format!(
        "How common it is and these factors make {}. The last step makes numbers mean what they \
         say: each family of causes to the power {}, {} kept for something else, all adding up to \
         100 % again. That makes {}.",
        percent(of.weighed),
        of.last_step.power,
        percent(of.last_step.doubt),
        percent(of.probability)
    )
}

/// One line a reason, indented by two.
fn written(of: &Explanation, clean: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(
        out,
        "{}: {} (before any evidence {}; place {} of {})\n",
        clean(&of.title),
        percent(of.probability),
        percent(of.prior),
        of.place,
        of.families
    );
    let reason = |explained: &Explained, side: &str| {
        let strength = Strength::of(explained.reason.weight).as_str();
        let quote = explained.quote.as_deref().unwrap_or_default();
        let quote = match quote {
            "" => String::new(),
            quote => format!(": {}", clean(quote)),
        };
        let times = times(explained.factor);
        format!(
            "{} ({strength} {side}, {times}){quote}",
            clean(&explained.reason.title)
        )
    };
    for (heading, speaks_for, side) in [
        ("Speaks for it:", true, "for"),
        ("Speaks against it:", false, "against"),
    ] {
        let mut lines = of
            .reasons
            .iter()
            .filter(|e| e.reason.speaks_for == speaks_for)
            .peekable();
        if lines.peek().is_some() {
            let _ = writeln!(out, "{heading}");
        }
        for explained in lines {
            let _ = writeln!(out, "  {}", reason(explained, side));
        }
    }
    let _ = writeln!(out, "\n{}", clean(&of.stage));
    let _ = writeln!(out, "\n{}", how_the_number_follows(of));
    if let Some(rival) = &of.rival {
        let title = clean(&rival.title);
        let _ = writeln!(
            out,
            "\nHeld against {title} ({}):",
            percent(rival.probability)
        );
        for explained in &rival.differences {
            let better = if explained.reason.speaks_for {
                "fits this better"
            } else {
                "fits that better"
            };
            let title = clean(&explained.reason.title);
            let _ = writeln!(out, "  {title}: {better}");
        }
    }
    if !of.unseen.is_empty() {
        let _ = writeln!(out, "\nWhat it would show, and nobody has looked for:");
    }
    for unseen in &of.unseen {
        let _ = writeln!(
            out,
            "  {} ({})",
            clean(&unseen.title),
            unseen.frequency.as_str()
        );
    }
    changes(
        &mut out,
        "What would make it likelier:",
        of,
        &of.raises,
        &clean,
    );
    changes(
        &mut out,
        "What would make it less likely:",
        of,
        &of.lowers,
        &clean,
    );
    out.truncate(out.trim_end().len());
    out
}

fn changes(
    out: &mut String,
    heading: &str,
    of: &Explanation,
    changes: &[Change],
    clean: impl Fn(&str) -> String,
) {
    if !changes.is_empty() {
        let _ = writeln!(out, "\n{heading}");
    }
    for change in changes {
        let _ = writeln!(
            out,
            "  {} \"{}\" -> from {} to {} [{}]",
            clean(&introduced(&change.title)),
            clean(&change.answer_title),
            percent(of.probability),
            percent(change.probability),
            change.check
        );
    }
}
