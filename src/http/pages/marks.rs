//! What was pasted, with what was read marked in it. Long texts show the lines around the marks.

use std::fmt::Write as _;

use super::markdown::{Html, escape_into};
use super::messages::Messages;
use crate::engine::evidence::Lines;

/// Shorter texts are shown whole, in bytes.
const WHOLE: usize = 6_000;
/// Texts of fewer lines are shown whole if they are short.
const WHOLE_LINES: usize = 60;
/// So many lines are shown before and after a mark,
const LINES_AROUND: usize = 2;
/// or so many bytes if the lines are longer.
const BYTES_AROUND: usize = 600;
/// Without any mark so much of the beginning is shown, in bytes.
const BEGINNING: usize = 2_000;
/// More marks are not shown.
const MOST_MARKS: usize = 120;
/// What all texts of a page may take together, in bytes of HTML.
const BUDGET: usize = 150_000;
/// A folded part takes at most this, so that one does not use up what all others need.
const LONGEST_FOLD: usize = 30_000;

/// A place in a text that something was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// First byte.
    pub(super) start: usize,
    /// One past the last byte.
    pub(super) end: usize,
    /// What was read there.
    pub(super) title: String,
    /// The number of a finding, and the place of the page that speaks of it; others are details.
    pub(super) finding: Option<(usize, String)>,
}

/// A part of a text as it is shown.
pub(super) struct Block {
    /// Which lines, in words; empty if the text is shown whole.
    pub(super) lines: String,
    /// Shown only when asked for.
    pub(super) folded: bool,
    /// The text with its marks.
    pub(super) html: Html,
    /// How much of it is left out, in words; empty if nothing.
    pub(super) omitted: String,
}

/// Renders texts within one budget.
pub(super) struct Marker<'a> {
    t: &'a Messages,
    left: usize,
}

impl<'a> Marker<'a> {
    pub(super) fn new(t: &'a Messages) -> Self {
        Marker { t, left: BUDGET }
    }

    /// The parts of a text, in its order.
    pub(super) fn blocks(&mut self, text: &str, marks: &[Mark]) -> Vec<Block> {
        let lines = Lines::new(text);
        let marks = sound(text, marks);
        let is_whole = text.len() <= WHOLE && lines.len() <= WHOLE_LINES;
        let shown = if is_whole {
            vec![(0, text.len())]
        } else {
            around(text, &lines, &marks)
        };
        let mut blocks = Vec::new();
        let mut at = 0;
        for (start, end) in shown {
            if at < start {
                blocks.push(self.block(text, &lines, &marks, (at, start), true));
            }
            blocks.push(self.block(text, &lines, &marks, (start, end), false));
            at = end;
        }
        if at < text.len() {
            blocks.push(self.block(text, &lines, &marks, (at, text.len()), true));
        }
        if is_whole {
            blocks.iter_mut().for_each(|block| block.lines.clear());
        }
        blocks
    }

    fn block(
        &mut self,
        text: &str,
        lines: &Lines<'_>,
        marks: &[Mark],
        (start, end): (usize, usize),
        folded: bool,
    ) -> Block {
        let budget = if folded {
            self.left.min(LONGEST_FOLD)
        } else {
            self.left
        };
        let cut = fitting(text, start, end, budget);
        let html = marked(text, marks, start, cut);
        self.left = self.left.saturating_sub(html.len());
        let line = |offset: usize| lines.line_of(offset) + 1;
        let (first, last) = (line(start), line(end.saturating_sub(1).max(start)));
        let words = if first == last {
            self.t.with("paste.line", "line", first)
        } else {
            self.t
                .fill("paste.lines", &[("first", &first), ("last", &last)])
        };
        let omitted = match end - cut {
            0 => String::new(),
            bytes => self.t.with("paste.omitted", "bytes", bytes),
        };
        Block {
            lines: words,
            folded,
            html: Html(html),
            omitted,
        }
    }
}

/// Marks that lie in the text, between characters, in its order.
fn sound(text: &str, marks: &[Mark]) -> Vec<Mark> {
    let mut sound: Vec<Mark> = marks
        .iter()
        .filter(|mark| mark.start < mark.end && text.get(mark.start..mark.end).is_some())
        .cloned()
        .collect();
    // Findings first, so that details are what is left out.
    sound.sort_by_key(|mark| (mark.finding.is_none(), mark.start));
    sound.truncate(MOST_MARKS);
    sound.sort_by_key(|mark| (mark.start, mark.end));
    sound
}

/// The ranges around marks that are shown, without overlap, in order.
fn around(text: &str, lines: &Lines<'_>, marks: &[Mark]) -> Vec<(usize, usize)> {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for mark in marks {
        let first = lines.line_of(mark.start).saturating_sub(LINES_AROUND);
        let last = (lines.line_of(mark.end - 1) + LINES_AROUND).min(lines.len() - 1);
        let start = lines
            .bounds(first)
            .0
            .max(mark.start.saturating_sub(BYTES_AROUND));
        let end = (lines.bounds(last).1 + 1)
            .min(mark.end.saturating_add(BYTES_AROUND))
            .min(text.len());
        let (start, end) = (boundary(text, start), boundary(text, end));
        match ranges.last_mut() {
            Some(range) if start <= range.1 => range.1 = range.1.max(end),
            _ => ranges.push((start, end)),
        }
    }
    if ranges.is_empty() {
        let end = boundary(text, BEGINNING);
        let whole_lines = text[..end].rfind('\n').map_or(end, |at| at + 1);
        ranges.push((0, whole_lines));
    }
    ranges
}

/// The nearest place between characters at or before an offset.
fn boundary(text: &str, offset: usize) -> usize {
    let mut at = offset.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Where to cut so that the escaped text fits.
fn fitting(text: &str, start: usize, end: usize, budget: usize) -> usize {
    let mut size = 0;
    for (at, letter) in text[start..end].char_indices() {
        size += if matches!(letter, '&' | '<' | '>' | '"' | '\'') {
            5
        } else {
            letter.len_utf8()
        };
        if size > budget {
            return start + at;
        }
    }
    end
}

/// A range of the text as HTML. Marks may overlap: the text is cut wherever one begins or ends.
fn marked(text: &str, marks: &[Mark], start: usize, end: usize) -> String {
    let inside: Vec<&Mark> = marks
        .iter()
        .filter(|mark| mark.start < end && mark.end > start)
        .collect();
    let mut cuts: Vec<usize> = inside
        .iter()
        .flat_map(|mark| [mark.start.max(start), mark.end.min(end)])
        .chain([start, end])
        .collect();
    cuts.sort_unstable();
    cuts.dedup();
    let mut html = String::with_capacity(end - start + inside.len() * 120);
    for pair in cuts.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let here: Vec<&&Mark> = inside
            .iter()
            .filter(|mark| mark.start <= from && mark.end >= to)
            .collect();
        if here.is_empty() {
            escape_into(&mut html, &text[from..to]);
        } else {
            let class = if here.iter().any(|mark| mark.finding.is_some()) {
                "finding"
            } else {
                "detail"
            };
            let _ = write!(html, "<mark class=\"{class}\" title=\"");
            for (number, mark) in here.iter().enumerate() {
                html.push_str(if number == 0 { "" } else { "; " });
                escape_into(&mut html, &mark.title);
            }
            html.push_str("\">");
            escape_into(&mut html, &text[from..to]);
            html.push_str("</mark>");
        }
        for mark in inside
            .iter()
            .filter(|mark| mark.end.min(end) == to && mark.end <= end)
        {
            if let Some((number, place)) = &mark.finding {
                let _ = write!(
                    html,
                    "<sup id=\"mark-{number}\"><a href=\"#{place}\">{number}</a></sup>"
                );
            }
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(start: usize, end: usize, number: Option<usize>) -> Mark {
        Mark {
            start,
            end,
            title: format!("t{start}\"<"),
            finding: number.map(|number| (number, format!("why-{number}"))),
        }
    }

    /// The text that a reader sees: without elements, entities resolved.
    fn plain(html: &str) -> String {
        let without_numbers = regex::Regex::new("<sup.*?</sup>")
            .expect("regex")
            .replace_all(html, "")
            .into_owned();
        regex::Regex::new("<[^>]*>")
            .expect("regex")
            .replace_all(&without_numbers, "")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&#34;", "\"")
            .replace("&amp;", "&")
    }

    fn shown(text: &str, marks: &[Mark]) -> Vec<Block> {
        Marker::new(Messages::english()).blocks(text, marks)
    }

    #[test]
    fn overlapping_marks_keep_the_text_and_nest_well() {
        let text = "ab<cd>ef&gh";
        let marks = [
            mark(0, 6, Some(1)),
            mark(2, 8, None),
            mark(4, 5, Some(2)),
            mark(2, 8, Some(3)),
        ];
        let html = &shown(text, &marks)[0].html.0;
        assert_eq!(plain(html), text);
        assert_eq!(
            html.matches("<mark").count(),
            html.matches("</mark>").count()
        );
        for number in 1..=3 {
            assert_eq!(
                html.matches(&format!("id=\"mark-{number}\"")).count(),
                1,
                "{html}"
            );
        }
        assert!(!html.contains("t0\"<"), "{html}");
    }

    #[test]
    fn marks_that_do_not_fit_the_text_are_left_out() {
        let text = "ä";
        let marks = [
            mark(0, 1, Some(1)),
            mark(1, 9, None),
            mark(2, 2, None),
            mark(0, 2, Some(2)),
        ];
        let html = &shown(text, &marks)[0].html.0;
        assert_eq!(plain(html), text);
        assert_eq!(html.matches("<mark").count(), 1);
    }

    #[test]
    fn long_texts_are_folded_and_stay_small() {
        let line = "& < \" an ordinary line of a log, äöü\n";
        let mut text = line.repeat(60_000);
        let at = text.len();
        text.push_str("refused\n");
        text.push_str(&line.repeat(60_000));
        let blocks = shown(&text, &[mark(at, at + 7, Some(1))]);
        assert_eq!(
            blocks.iter().map(|block| block.folded).collect::<Vec<_>>(),
            [true, false, true]
        );
        assert!(blocks[1].html.0.contains(">refused</mark>"));
        assert!(blocks[1].lines.contains("59999"), "{}", blocks[1].lines);
        let size: usize = blocks.iter().map(|block| block.html.0.len()).sum();
        assert!(size < BUDGET, "{size}");
        assert!(!blocks[0].omitted.is_empty());
    }

    #[test]
    fn one_line_of_megabytes_is_cut_too() {
        let text = "é<".repeat(1_000_000);
        let blocks = shown(
            &text,
            &[mark(1_500_000, 1_500_003, Some(1)), mark(3, 30_000, None)],
        );
        let size: usize = blocks.iter().map(|block| block.html.0.len()).sum();
        assert!(size < BUDGET + 10_000, "{size}");
    }

    #[test]
    fn many_marks_stay_within_the_budget() {
        let text = "refused ".repeat(100_000);
        let marks: Vec<Mark> = (0..5_000)
            .map(|n| mark(n * 8, n * 8 + 7, Some(n)))
            .collect();
        let size: usize = shown(&text, &marks)
            .iter()
            .map(|block| block.html.0.len())
            .sum();
        assert!(size < BUDGET, "{size}");
    }
}
