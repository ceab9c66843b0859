//! A diagnosis as text for terminals and as Markdown for tickets and chats.
//!
//! Text from outside is data in both: no control characters reach a terminal, and nothing of a
//! paste becomes a link, a mention or a tag in Markdown.

mod explanation;
mod handover;

use std::fmt::Write as _;

use pulldown_cmark::{Event, Parser, Tag, TagEnd, TextMergeStream};

use crate::engine::Diagnosis;
use crate::engine::diagnosis::{Reason, StepState, Strength, VerdictKind};
use crate::engine::evidence::{Review, Weight};
use crate::engine::next_step::NextStep;
use crate::engine::timeouts::{Match, TimeoutCandidate, in_words};

pub use explanation::{explanation_markdown, explanation_text, times};
pub use handover::bundle_markdown;

/// Of a pasted text so much is quoted in Markdown, in bytes.
const LONGEST_TEXT: usize = 20_000;
/// That many causes are given in Markdown.
const MOST_CAUSES: usize = 5;

/// A probability in per cent, without false exactness and never as a certainty.
pub fn percent(probability: f64) -> String {
    match probability * 100.0 {
        percent if percent < 1.0 => "< 1 %".to_owned(),
        percent if percent > 99.0 => "> 99 %".to_owned(),
        percent => format!("{percent:.0} %"),
    }
}

/// The verdict without the notes on the evidence that follow it.
pub fn verdict(diagnosis: &Diagnosis) -> &str {
    let notes: String = diagnosis
        .notes
        .iter()
        .map(|note| format!(" {note}"))
        .collect();
    diagnosis
        .text
        .strip_suffix(notes.as_str())
        .unwrap_or(&diagnosis.text)
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
    for review in &diagnosis.configurations {
        text_review(&mut out, review);
    }
    text_timeouts(&mut out, diagnosis);
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

/// For a ticket or a chat: nothing of the evidence is live there. `address` is that of the case's
/// page.
pub fn markdown(diagnosis: &Diagnosis, address: Option<&str>) -> String {
    let mut out = format!("# {}\n\n", literal(verdict(diagnosis)));
    // Writing to a string does not fail.
    for note in &diagnosis.notes {
        let _ = writeln!(out, "{}\n", literal(note.trim()));
    }
    if let Some(url) = diagnosis.subject.url() {
        let _ = writeln!(out, "Connection: {}\n", code_span(&url));
    }
    markdown_path(&mut out, diagnosis);
    markdown_step(&mut out, &diagnosis.next_step);
    if diagnosis.verdict != VerdictKind::Unrecognised {
        markdown_causes(&mut out, diagnosis);
    }
    for review in &diagnosis.configurations {
        markdown_review(&mut out, review);
    }
    markdown_timeouts(&mut out, diagnosis);
    if diagnosis.texts.iter().any(|text| !text.trim().is_empty()) {
        out.push_str("## What was given\n\n");
    }
    for text in &diagnosis.texts {
        if !text.trim().is_empty() {
            markdown_text(&mut out, text);
        }
    }
    for (kind, count) in &diagnosis.redacted {
        let _ = writeln!(out, "Removed before anything was kept: {count} {kind}\n");
    }
    if let Some(address) = address {
        let _ = writeln!(out, "The case's page: {}\n", code_span(address));
    }
    let _ = writeln!(
        out,
        "Knowledge {} {}",
        literal(&diagnosis.knowledge.version),
        diagnosis.knowledge.hash
    );
    out
}

fn markdown_path(out: &mut String, diagnosis: &Diagnosis) {
    for step in &diagnosis.path {
        let state = match step.state {
            StepState::Ok => "✓ works",
            StepState::Failed => "✗ breaks here",
            StepState::Unknown => "? not known",
            StepState::NotReached => "– not reached",
        };
        let _ = write!(out, "- {}: {state}", step.layer);
        if !step.detail.is_empty() {
            let _ = write!(out, " {}", code_span(&step.detail));
        }
        out.push('\n');
    }
    out.push('\n');
}

fn markdown_step(out: &mut String, step: &NextStep) {
    let _ = writeln!(
        out,
        "## Next step\n\n**{}** ({}, {})\n\n{}\n",
        literal(&step.title),
        minutes(step.minutes),
        step.who.as_str(),
        quoted(&step.instruction)
    );
    for (system, command) in &step.commands {
        let _ = writeln!(out, "{}:\n\n{}", literal(system), fenced(command));
    }
    let _ = writeln!(out, "{}\n", literal(step.why.trim()));
}

fn markdown_causes(out: &mut String, diagnosis: &Diagnosis) {
    out.push_str("## Likely causes\n\n");
    for cause in diagnosis.causes.iter().take(MOST_CAUSES) {
        let _ = writeln!(
            out,
            "- **{}**: {} ({})",
            literal(&percent(cause.probability)),
            literal(&cause.title),
            code_span(&cause.id)
        );
        for reason in &cause.reasons {
            let _ = writeln!(out, "  - {}", literal(&reason_line(diagnosis, reason)));
        }
    }
    let _ = writeln!(
        out,
        "- **{}**: something else\n",
        literal(&percent(diagnosis.other_probability))
    );
}

/// What there is to say of a configuration, without its findings.
pub fn review_verdict(review: &Review) -> &'static str {
    let has = |weight: Weight| {
        review
            .findings
            .iter()
            .any(|finding| finding.weight == weight)
    };
    if has(Weight::Fault) {
        "something stands in the way of the socket"
    } else if has(Weight::Unknown) {
        "what matters is not in the text"
    } else {
        "nothing wrong here"
    }
}

/// How long it lasted and what ends things of that length; `None` if nothing is known that does.
fn timeouts_heading(diagnosis: &Diagnosis) -> Option<String> {
    let lasted = diagnosis
        .lasted
        .filter(|_| !diagnosis.timeouts.is_empty())?;
    let what = if lasted.opened {
        "It lived"
    } else {
        "It was given up after"
    };
    Some(format!(
        "{what} {:.1} seconds. Limits of that length:",
        lasted.seconds
    ))
}

fn timeout_line(candidate: &TimeoutCandidate) -> String {
    let timeout = &candidate.timeout;
    let remark = match candidate.matching {
        Match::Named => ", named in the evidence",
        Match::Possible => "",
        Match::Unlikely => ", less likely: something else is named there",
    };
    format!(
        "{}: {} ({}{remark})",
        plain(&timeout.title),
        in_words(timeout.seconds),
        timeout.kind.as_str()
    )
}

fn text_timeouts(out: &mut String, diagnosis: &Diagnosis) {
    let Some(heading) = timeouts_heading(diagnosis) else {
        return;
    };
    let _ = writeln!(out, "\n{heading}");
    for candidate in &diagnosis.timeouts {
        let _ = writeln!(
            out,
            "  {} [{}]",
            timeout_line(candidate),
            candidate.timeout.cause
        );
        if !candidate.timeout.setting.is_empty() {
            let _ = writeln!(out, "    {}", plain(&candidate.timeout.setting));
        }
    }
    out.push('\n');
}

fn markdown_timeouts(out: &mut String, diagnosis: &Diagnosis) {
    let Some(heading) = timeouts_heading(diagnosis) else {
        return;
    };
    let _ = writeln!(out, "## Time-outs\n\n{}\n", literal(&heading));
    for candidate in &diagnosis.timeouts {
        let setting = &candidate.timeout.setting;
        let change = if setting.is_empty() {
            String::new()
        } else {
            format!(": {}", code_span(setting))
        };
        let _ = writeln!(
            out,
            "- {} ({}){change}",
            literal(&timeout_line(candidate)),
            code_span(&candidate.timeout.cause)
        );
    }
    out.push('\n');
}

fn text_review(out: &mut String, review: &Review) {
    let _ = writeln!(
        out,
        "\nConfiguration of {}, line {} ({}): {}",
        review.system,
        review.line,
        plain(&review.quote),
        review_verdict(review)
    );
    for finding in &review.findings {
        let _ = writeln!(out, "  line {}: {}", finding.line, plain(&finding.text));
    }
    for line in difference_lines(review) {
        let _ = writeln!(out, "    {line}");
    }
}

fn markdown_review(out: &mut String, review: &Review) {
    let _ = writeln!(
        out,
        "## Configuration of {}: {}\n\nLine {}: {}\n",
        literal(review.system),
        review_verdict(review),
        review.line,
        code_span(&review.quote)
    );
    for finding in &review.findings {
        let _ = writeln!(out, "- line {}: {}", finding.line, literal(&finding.text));
    }
    if !review.findings.is_empty() {
        out.push('\n');
    }
    if !review.difference.is_empty() {
        let lines = difference_lines(review).join("\n");
        let _ = writeln!(out, "{}", fenced_as("diff", &lines));
    }
}

/// The lines of a difference with their signs, a line with the place before each stretch.
fn difference_lines(review: &Review) -> Vec<String> {
    let mut out = Vec::new();
    for stretch in &review.difference {
        let first = stretch.iter().find_map(|line| line.number).unwrap_or(1);
        out.push(format!("@@ line {first} @@"));
        out.extend(stretch.iter().map(|line| {
            let parts: Vec<String> = line.text.split('\t').map(plain).collect();
            format!("{}{}", line.kind.sign(), parts.join("\t"))
        }));
    }
    out
}

/// The text in a fence; of a long one the beginning, and how much is left out.
fn markdown_text(out: &mut String, text: &str) {
    let mut end = text.len().min(LONGEST_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let _ = writeln!(out, "{}", fenced(&text[..end]));
    if end < text.len() {
        let _ = writeln!(out, "… {} bytes are not shown here\n", text.len() - end);
    }
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
        Strength::of(reason.weight).as_str(),
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

/// Whether a character turns the order of the text around it, and can so make a line read as what
/// it is not.
pub fn is_bidirectional(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Without control and bidirectional characters, which could rewrite a terminal's lines.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            _ if letter.is_control() => ' ',
            _ if is_bidirectional(letter) => char::REPLACEMENT_CHARACTER,
            _ => letter,
        })
        .collect()
}

pub(crate) fn plain_lines(text: &str) -> String {
    text.lines()
        .map(|line| format!("  {}\n", plain(line)))
        .collect()
}

/// Text for a Markdown document: no sign of it is markup, a link, a mention or HTML there. Signs
/// that mean nothing where they stand are left alone, because the document is read as it is, too.
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let text = plain(text);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let before = out.trim_start();
        let begins = before.is_empty();
        let counts = !begins && before.bytes().all(|byte| byte.is_ascii_digit());
        let ends = letters.peek().is_none_or(|next| *next == ' ');
        let is_harmless = match letter {
            ',' | '\'' | '"' | '/' | '?' | ';' | '%' | '(' => true,
            // Lists and underlined headings begin with these,
            '-' | '+' | '=' => !begins,
            // numbered lists with "1." or "1)",
            ')' => !counts,
            // addresses hold these: "www.x" becomes a link by itself, "www\.x" does not.
            '.' | ':' => ends && !counts,
            _ => !letter.is_ascii_punctuation(),
        };
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // Mentions are looked for after Markdown was read, so a backslash does not help.
            '@' => out.push_str("@\u{2060}"),
            '#' => out.push_str("\\#\u{2060}"),
            _ if is_harmless => out.push(letter),
            _ => out.extend(['\\', letter]),
        }
    }
    out
}

/// Text between backticks that it cannot end.
fn code_span(text: &str) -> String {
    let text = plain(text);
    let fence = "`".repeat(longest_run(&text) + 1);
    if text.starts_with('`') || text.ends_with('`') {
        format!("{fence} {text} {fence}")
    } else {
        format!("{fence}{text}{fence}")
    }
}

/// Text in a fenced block that it cannot end.
fn fenced(text: &str) -> String {
    fenced_as("text", text)
}

fn fenced_as(language: &str, text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    let mut out = format!("{fence}{language}\n");
    for line in text.lines() {
        // Tabs stay: configurations are made of them.
        let parts: Vec<String> = line.split('\t').map(plain).collect();
        let _ = writeln!(out, "{}", parts.join("\t"));
    }
    let _ = writeln!(out, "{fence}");
    out
}

fn longest_run(text: &str) -> usize {
    let runs = text.split(|letter| letter != '`').map(str::len);
    runs.max().unwrap_or_default()
}

/// Markdown of the knowledge, in which a case's values were filled, as Markdown for another place:
/// lists and code stay what they are, all else is literal.
fn quoted(markdown: &str) -> String {
    let mut out = String::new();
    let mut code: Option<String> = None;
    // The next number of each list that is open, if it is numbered.
    let mut lists: Vec<Option<u64>> = Vec::new();
    for event in TextMergeStream::new(Parser::new(markdown)) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => code = Some(String::new()),
            Event::End(TagEnd::CodeBlock) => {
                let block = code.take().unwrap_or_default();
                out.truncate(out.trim_end().len());
                let _ = write!(out, "\n\n{}\n", fenced(&block));
            }
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => match &mut code {
                Some(block) => block.push_str(&text),
                None => out.push_str(&literal(&text)),
            },
            Event::Code(text) => out.push_str(&code_span(&text)),
            Event::SoftBreak | Event::HardBreak => out.push(' '),
            Event::Start(Tag::List(first)) => lists.push(first),
            Event::Start(Tag::Item) => {
                let number = match lists.last_mut() {
                    Some(Some(next)) => {
                        *next += 1;
                        format!("{}.", *next - 1)
                    }
                    _ => "-".to_owned(),
                };
                if out.ends_with("\n\n") {
                    out.pop();
                }
                let _ = write!(out, "\n{number} ");
            }
            Event::End(TagEnd::List(_)) => {
                lists.pop();
                end_block(&mut out);
            }
            Event::End(TagEnd::Paragraph | TagEnd::Heading(_)) => end_block(&mut out),
            _ => {}
        }
    }
    out.trim().to_owned()
}

fn end_block(out: &mut String) {
    out.truncate(out.trim_end().len());
    out.push_str("\n\n");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulldown_cmark::html;

    use super::*;
    use crate::engine::graph::Graph;
    use crate::engine::{Engine, Evidence};

    fn rendered(markdown: &str) -> String {
        let mut out = String::new();
        html::push_html(&mut out, Parser::new(markdown));
        out
    }

    #[test]
    fn text_in_a_document_stays_text() {
        for attack in [
            "[x](javascript:x)",
            "<b>",
            "@everyone",
            "https://a.example",
            "www.a.example",
            "# x",
            "```",
            "* a",
            "1. a",
            "1) a",
            "- a",
            "+ a",
            "=====",
            "a (https://b.example)",
            "mailto:everyone@a.example",
            "_a_",
            "a\n\n# b",
            "\u{1b}[31m",
            "\u{202e}x",
        ] {
            let document = literal(attack);
            let html = rendered(&document);
            for live in ["<a", "<b", "<h", "<em", "<pre", "<ul", "<ol"] {
                assert!(!html.contains(live), "{html}");
            }
            for raw in ["@e", "https://", "www.a", "\u{1b}", "\u{202e}", "\n"] {
                assert!(!document.contains(raw), "{document}");
            }
        }
    }

    #[test]
    fn no_paste_ends_its_fence() {
        let document = fenced("a\n``````\n[x](https://a.example)\n```\n\tb\u{1b}");
        let html = rendered(&document);
        assert_eq!(html.matches("<pre").count(), 1);
        assert!(!html.contains("<a"), "{html}");
        assert!(
            html.contains("[x](https://a.example)\n```\n\tb \n"),
            "{html}"
        );
        assert_eq!(rendered(&code_span("`a``")), "<p><code>`a``</code></p>\n");
    }

    #[test]
    fn knowledge_is_quoted_without_links() {
        let quoted = quoted(
            "Ask **it** [here](https://a.example): `x`\n\n```sh\ncurl a\n```\n1. one\n2. two\n\n- three",
        );
        assert!(quoted.contains("Ask it here: `x`"), "{quoted}");
        assert!(quoted.contains("```text\ncurl a\n```"), "{quoted}");
        assert!(quoted.contains("```\n\n1. one\n2. two\n\n"), "{quoted}");
        assert!(quoted.ends_with("\n- three"), "{quoted}");
        assert!(!quoted.contains("a.example"));
    }

    #[test]
    fn long_pastes_are_cut_with_a_note() {
        let diagnosis = Engine::new(Graph::default()).diagnose(&[Evidence {
            text: Some("é".repeat(30_000)),
            ..Evidence::default()
        }]);
        let document = markdown(&diagnosis, Some("/cases/x"));
        assert!(document.len() < 25_000, "{}", document.len());
        assert!(document.contains("40000 bytes are not shown here"));
        assert!(document.contains("The case's page: `/cases/x`"));
    }

    /// Texts that are mostly signs.
    fn signs() -> impl Strategy<Value = String> {
        "([-+=*_~`#>|<&!:.@/\\[\\](){}\"'\\\\ \n\t0-9a-z]|www\\.|https://|<b>|```){0,40}"
    }

    proptest! {
        #[test]
        fn no_text_becomes_markup(text in signs()) {
            let html = rendered(&literal(text.trim()));
            let inside = html.trim_end().replace("<p>", "").replace("</p>", "");
            prop_assert!(!inside.contains('<'), "{text:?} gave {html}");
            prop_assert!(html.matches("<p>").count() <= 1, "{text:?} gave {html}");
        }

        #[test]
        fn no_text_leaves_its_fence_or_span(text in signs()) {
            let html = rendered(&format!("{}\nafter", fenced(&text)));
            prop_assert_eq!(html.matches("<pre>").count(), 1, "{}", html);
            prop_assert!(html.ends_with("</pre>\n<p>after</p>\n"), "{}", html);
            let html = rendered(&format!("a {} b", code_span(&format!("x{text}"))));
            prop_assert!(html.starts_with("<p>a <code>") && html.ends_with("</code> b</p>\n"), "{}", html);
        }
    }

    #[test]
    fn probabilities_are_never_certain() {
        assert_eq!(percent(0.0), "< 1 %");
        assert_eq!(percent(0.424), "42 %");
        assert_eq!(percent(1.0), "> 99 %");
    }
}
