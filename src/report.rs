//! A diagnosis as text for terminals and as Markdown for tickets and chats.
//!
//! Text from outside is data in both: no control characters reach a terminal, and nothing of a
//! paste becomes a link, a mention or a tag in Markdown.

use std::fmt::Write as _;

use crate::engine::Diagnosis;
use crate::engine::diagnosis::{Reason, StepState, VerdictKind};
use crate::engine::next_step::NextStep;

/// How a reason weighs, in words. The weight is ln of the factor on the odds.
pub fn strength(weight: f64) -> &'static str {
    match weight {
        w if w >= 3.0 => "very strongly",
        w if w >= 1.6 => "strongly",
        w if w >= 0.7 => "clearly",
        _ => "slightly",
    }
}

/// Per cent without false exactness.
pub fn percent(probability: f64) -> String {
    if probability > 0.0 && probability < 0.01 {
        "< 1 %".to_owned()
    } else {
        format!("{:.0} %", probability * 100.0)
    }
}

/// For a terminal.
pub fn text(diagnosis: &Diagnosis) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}\n", plain(&diagnosis.text));
    let _ = writeln!(out, "{}\n", path_line(diagnosis));
    if diagnosis.verdict != VerdictKind::Unrecognised {
        out.push_str("Likely causes\n");
        for cause in &diagnosis.causes {
            let _ = writeln!(
                out,
                "  {:>6}  {}  [{}]",
                percent(cause.probability),
                plain(&cause.title),
                cause.id
            );
            for reason in cause.reasons.iter().take(3) {
                let _ = writeln!(out, "          {}", reason_line(diagnosis, reason));
            }
        }
        let _ = writeln!(
            out,
            "  {:>6}  something else\n",
            percent(diagnosis.other_probability)
        );
    }
    let step = &diagnosis.next_step;
    let _ = writeln!(
        out,
        "Next: {} ({}, {})",
        plain(&step.title),
        minutes(step.minutes),
        step.who.as_str()
    );
    let _ = writeln!(out, "{}", plain_lines(&step.instruction));
    for (system, command) in &step.commands {
        let _ = writeln!(out, "  {system}:");
        for line in command.lines() {
            let _ = writeln!(out, "    {}", plain(line));
        }
    }
    let _ = writeln!(out, "Why: {}", step.why);
    for (kind, count) in &diagnosis.redacted {
        let _ = writeln!(out, "Removed: {count} {kind}");
    }
    let _ = write!(
        out,
        "Knowledge {} {}",
        diagnosis.knowledge.version, diagnosis.knowledge.hash
    );
    out
}

/// For a ticket or a chat.
pub fn markdown(diagnosis: &Diagnosis) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "**{}**\n", escaped(&diagnosis.text));
    let _ = writeln!(out, "{}\n", escaped(&path_line(diagnosis)));
    if diagnosis.verdict != VerdictKind::Unrecognised {
        out.push_str("## Likely causes\n\n");
        for cause in &diagnosis.causes {
            let _ = writeln!(
                out,
                "- **{}**: {} (`{}`)",
                percent(cause.probability),
                escaped(&cause.title),
                cause.id
            );
            for reason in &cause.reasons {
                let _ = writeln!(out, "  - {}", escaped(&reason_line(diagnosis, reason)));
            }
        }
        let _ = writeln!(
            out,
            "- {}: something else\n",
            percent(diagnosis.other_probability)
        );
    }
    markdown_step(&mut out, &diagnosis.next_step);
    out.push_str("## What was given\n\n");
    for text in &diagnosis.texts {
        if !text.trim().is_empty() {
            let _ = writeln!(out, "{}\n", fenced(text));
        }
    }
    let _ = writeln!(
        out,
        "Secrets were removed. Knowledge {} {}.",
        diagnosis.knowledge.version, diagnosis.knowledge.hash
    );
    out
}

fn markdown_step(out: &mut String, step: &NextStep) {
    let _ = writeln!(out, "## Next step\n");
    let _ = writeln!(
        out,
        "**{}** ({}, {})\n",
        escaped(&step.title),
        minutes(step.minutes),
        step.who.as_str()
    );
    let _ = writeln!(out, "{}\n", step.instruction);
    for (system, command) in &step.commands {
        let _ = writeln!(out, "{system}:\n\n{}\n", fenced(command));
    }
    let _ = writeln!(out, "{}\n", escaped(&step.why));
}

fn minutes(minutes: f64) -> String {
    if minutes <= 1.0 {
        "1 minute".to_owned()
    } else {
        format!("{minutes:.0} minutes")
    }
}

fn reason_line(diagnosis: &Diagnosis, reason: &Reason) -> String {
    let side = if reason.speaks_for { "for" } else { "against" };
    let place = reason
        .fact
        .and_then(|fact| diagnosis.facts[fact].place)
        .map(|(line, _)| format!(" (line {line})"))
        .unwrap_or_default();
    format!(
        "{} {side} it: {}{place}",
        strength(reason.weight),
        plain(&reason.title)
    )
}

/// The way of the connection in one line.
fn path_line(diagnosis: &Diagnosis) -> String {
    let steps: Vec<String> = diagnosis
        .path
        .iter()
        .map(|step| {
            let state = match step.state {
                StepState::Ok => "ok",
                StepState::Failed => "FAILS",
                StepState::Unknown => "?",
                StepState::NotReached => "-",
            };
            format!("{} {state}", step.layer)
        })
        .collect();
    steps.join(" > ")
}

/// Without control and bidirectional characters, which could rewrite a terminal's lines.
fn plain(text: &str) -> String {
    text.chars()
        .map(|letter| {
            let steers = letter.is_control()
                || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            if steers { ' ' } else { letter }
        })
        .collect()
}

fn plain_lines(text: &str) -> String {
    text.lines()
        .map(|line| format!("  {}\n", plain(line)))
        .collect()
}

/// Markdown that shows exactly the text, without links, mentions, tags or emphasis.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for letter in plain(text).chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A zero-width space keeps chats from making a mention or a link of it.
            '@' => out.push_str("@\u{200b}"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '#' | '!' | '|' | '~' => {
                out.push('\\');
                out.push(letter);
            }
            _ => out.push(letter),
        }
    }
    out.replace("://", ":\u{200b}//")
}

/// A code block whose fence is longer than any run of backticks in the text.
pub fn fenced(text: &str) -> String {
    let mut longest = 2;
    let mut run = 0;
    for letter in text.chars() {
        run = if letter == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    let body: String = text
        .chars()
        .map(|letter| {
            if letter.is_control() && letter != '\n' && letter != '\t' {
                ' '
            } else {
                letter
            }
        })
        .collect();
    format!("{fence}\n{}\n{fence}", body.trim_end_matches('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paste_cannot_end_its_fence() {
        let fenced = fenced("a\n```\n# b\n````");
        assert!(fenced.starts_with("`````\n"));
        assert!(fenced.ends_with("\n`````"));
    }

    #[test]
    fn nothing_of_a_paste_becomes_markup() {
        let out = escaped("<b>@here [x](http://e.example) *y* `z`\u{1b}[31m");
        for live in ["<b>", "@here", "](", "http://", "*y* ", "\u{1b}"] {
            assert!(!out.contains(live), "{live} in {out}");
        }
    }
}
