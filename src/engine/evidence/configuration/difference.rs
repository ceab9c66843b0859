//! Changes of a text, shown as a difference of lines.

use super::Span;

/// Lines around a change that are shown with it.
const CONTEXT: usize = 3;
/// Changes of longer lines, in bytes, are not shown; around them so much of a line is.
const LONGEST_LINE: usize = 2000;
/// More changes are not made in one configuration.
const MOST_EDITS: usize = 40;

/// A change of the text: the bytes of `span` become `text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Edit {
    pub(in super::super) span: Span,
    pub(in super::super) text: String,
}

/// What a line of a difference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// It stays as it is.
    Kept,
    /// It is new.
    Added,
    /// It goes.
    Removed,
}

impl LineKind {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            LineKind::Kept => "kept",
            LineKind::Added => "added",
            LineKind::Removed => "removed",
        }
    }

    /// The sign before a line of a difference.
    pub fn sign(self) -> char {
        match self {
            LineKind::Kept => ' ',
            LineKind::Added => '+',
            LineKind::Removed => '-',
        }
    }
}

/// A line of a difference with its first byte in the text, which an added line has not.
pub(in super::super) type RawLine = (LineKind, Option<usize>, String);

/// The difference that edits make: stretches of lines with a little around them.
pub(in super::super) fn difference(text: &str, edits: &[Edit]) -> Vec<Vec<RawLine>> {
    let Some(groups) = groups(text, edits) else {
        return Vec::new();
    };
    let mut stretches: Vec<Vec<RawLine>> = Vec::new();
    let mut shown_to = 0;
    for group in &groups {
        let before = lines_before(text, group.span.start, CONTEXT, shown_to);
        let begin = before.first().map_or(group.span.start, |line| line.start);
        // What stands after the stretch before was shown with it already.
        if stretches.is_empty() || begin > shown_to {
            stretches.push(Vec::new());
        }
        let Some(stretch) = stretches.last_mut() else {
            continue;
        };
        stretch.extend(before.into_iter().map(|line| kept(text, line)));
        stretch.extend(group.lines.iter().cloned());
        shown_to = group.span.end;
        let next = groups
            .iter()
            .map(|other| other.span.start)
            .find(|start| *start >= group.span.end);
        let after = lines_after(text, group.span.end, CONTEXT, next.unwrap_or(text.len()));
        shown_to = after.last().map_or(shown_to, |line| line.end);
        stretch.extend(after.into_iter().map(|line| kept(text, line)));
    }
    stretches
}

fn kept(text: &str, line: Span) -> RawLine {
    let words = text[line.start..line.end].trim_end_matches(['\n', '\r']);
    let shown = &words[..words.floor_char_boundary(LONGEST_LINE)];
    (LineKind::Kept, Some(line.start), shown.to_owned())
}

/// Lines that change together.
struct Group {
    /// From the first byte of the first line to one past the last line's end.
    span: Span,
    lines: Vec<RawLine>,
}

fn groups(text: &str, edits: &[Edit]) -> Option<Vec<Group>> {
    let edits = ordered(edits);
    if edits.len() > MOST_EDITS {
        return None;
    }
    let mut groups: Vec<(Span, Vec<&Edit>)> = Vec::new();
    for edit in edits {
        let start = line_start(text, edit.span.start);
        let end = past_line(text, edit.span.end);
        match groups.last_mut() {
            Some((span, together)) if start < span.end => {
                span.end = span.end.max(end);
                together.push(edit);
            }
            _ => groups.push((Span { start, end }, vec![edit])),
        }
    }
    groups
        .into_iter()
        .map(|(span, edits)| changed(text, span, &edits).map(|lines| Group { span, lines }))
        .collect()
}

/// In the order of the text, without those that overlap an earlier one.
fn ordered(edits: &[Edit]) -> Vec<&Edit> {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| edit.span);
    let mut end = 0;
    edits.retain(|edit| {
        let fits = edit.span.start >= end;
        if fits {
            end = edit.span.end;
        }
        fits
    });
    edits
}

/// The lines of a span, old and new; what is equal at both ends is kept.
fn changed(text: &str, span: Span, edits: &[&Edit]) -> Option<Vec<RawLine>> {
    let old: Vec<(usize, &str)> = lines_in(text, span);
    if old.iter().any(|(_, line)| line.len() > LONGEST_LINE) {
        return None;
    }
    let mut changed = String::new();
    let mut at = span.start;
    for edit in edits {
        changed.push_str(&text[at..edit.span.start]);
        changed.push_str(&edit.text);
        at = edit.span.end;
    }
    changed.push_str(&text[at..span.end]);
    let mut new: Vec<&str> = changed
        .split('\n')
        .map(|line| line.trim_end_matches('\r'))
        .collect();
    if changed.ends_with('\n') || changed.is_empty() {
        new.pop();
    }
    let same = |pair: &(&(usize, &str), &&str)| pair.0.1 == *pair.1;
    let head = old.iter().zip(&new).take_while(same).count();
    let most = old.len().min(new.len()) - head;
    let tail = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take(most)
        .take_while(same)
        .count();
    let raw = |kind, (at, line): &(usize, &str)| (kind, Some(*at), (*line).to_owned());
    let mut lines: Vec<RawLine> = Vec::new();
    lines.extend(old[..head].iter().map(|line| raw(LineKind::Kept, line)));
    lines.extend(
        old[head..old.len() - tail]
            .iter()
            .map(|line| raw(LineKind::Removed, line)),
    );
    lines.extend(
        new[head..new.len() - tail]
            .iter()
            .map(|line| (LineKind::Added, None, (*line).to_owned())),
    );
    lines.extend(
        old[old.len() - tail..]
            .iter()
            .map(|line| raw(LineKind::Kept, line)),
    );
    Some(lines)
}

fn lines_in(text: &str, span: Span) -> Vec<(usize, &str)> {
    let mut at = span.start;
    text[span.start..span.end]
        .split_inclusive('\n')
        .map(|line| {
            let start = at;
            at += line.len();
            (start, line.trim_end_matches(['\n', '\r']))
        })
        .collect()
}

/// The first byte of the line that holds the byte.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    memchr::memrchr(b'\n', &text.as_bytes()[..at]).map_or(0, |found| found + 1)
}

/// One past the newline of the line that holds the byte.
pub(super) fn past_line(text: &str, at: usize) -> usize {
    memchr::memchr(b'\n', &text.as_bytes()[at..]).map_or(text.len(), |found| at + found + 1)
}

fn lines_before(text: &str, at: usize, most: usize, from: usize) -> Vec<Span> {
    let mut lines = Vec::new();
    let mut end = at;
    while end > from && lines.len() < most {
        let start = line_start(text, end - 1);
        lines.push(Span { start, end });
        end = start;
    }
    lines.reverse();
    lines
}

fn lines_after(text: &str, at: usize, most: usize, to: usize) -> Vec<Span> {
    let mut lines = Vec::new();
    let mut start = at;
    while start < to && lines.len() < most {
        let end = past_line(text, start);
        lines.push(Span { start, end });
        start = end;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, edits: &[Edit]) -> Vec<String> {
        difference(text, edits)
            .into_iter()
            .map(|stretch| {
                stretch
                    .iter()
                    .map(|(kind, _, line)| format!("{}{line}|", kind.sign()))
                    .collect()
            })
            .collect()
    }

    fn edit(start: usize, end: usize, text: &str) -> Edit {
        Edit {
            span: Span { start, end },
            text: text.to_owned(),
        }
    }

    #[test]
    fn changes_stand_among_their_lines() {
        let text = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm\n";
        assert_eq!(shown(text, &[edit(1, 1, "\nx")]), [" a|+x| b| c| d|"]);
        assert_eq!(
            shown(text, &[edit(0, 1, "x"), edit(2, 2, "y\n")]),
            ["-a|+x|+y| b| c| d| e|"]
        );
        assert_eq!(
            shown(text, &[edit(1, 1, "\nx"), edit(24, 25, "y")]),
            [" a|+x| b| c| d|", " j| k| l|-m|+y|"]
        );
        assert_eq!(
            shown(text, &[edit(1, 1, "\nx"), edit(9, 9, "\ny")]),
            [" a|+x| b| c| d| e|+y| f| g| h|"]
        );
        assert_eq!(shown("a\r\nb", &[edit(1, 1, "\r\nx")]), [" a|+x| b|"]);
        assert_eq!(shown("a", &[edit(0, 1, "")]), ["-a|"]);
    }
}
