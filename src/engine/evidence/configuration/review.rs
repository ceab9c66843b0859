//! What is said of a configuration: what its block for the socket lacks, and the lines that put it
//! right, as a difference of lines.

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

/// Something to know about a configuration, with the words that show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Remark {
    pub(in super::super) text: String,
    pub(in super::super) span: Span,
    pub(in super::super) weight: Weight,
}

/// How much a remark matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// With this the socket fails.
    Fault,
    /// The socket opens, and may fail later or for some clients.
    Hint,
    /// What matters stands in a file that is not in the text.
    Unknown,
}

impl Weight {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Weight::Fault => "fault",
            Weight::Hint => "hint",
            Weight::Unknown => "unknown",
        }
    }
}

/// What a reader makes of the block that serves the socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Draft {
    pub(in super::super) system: &'static str,
    pub(in super::super) place: Span,
    pub(in super::super) remarks: Vec<Remark>,
    pub(in super::super) edits: Vec<Edit>,
}

impl Draft {
    pub(super) fn new(system: &'static str, place: Span) -> Self {
        Draft {
            system,
            place,
            remarks: Vec::new(),
            edits: Vec::new(),
        }
    }

    pub(super) fn fault(&mut self, text: impl Into<String>, span: Span) {
        self.remark(Weight::Fault, text.into(), span);
    }

    pub(super) fn hint(&mut self, text: impl Into<String>, span: Span) {
        self.remark(Weight::Hint, text.into(), span);
    }

    pub(super) fn unknown(&mut self, text: impl Into<String>, span: Span) {
        self.remark(Weight::Unknown, text.into(), span);
    }

    fn remark(&mut self, weight: Weight, text: String, span: Span) {
        let remark = Remark { text, span, weight };
        if !self.remarks.contains(&remark) {
            self.remarks.push(remark);
        }
    }

    pub(super) fn replace(&mut self, span: Span, text: impl Into<String>) {
        self.edits.push(Edit {
            span,
            text: text.into(),
        });
    }

    /// Adds whole lines after the line that holds the byte `at`, with its line ending.
    pub(super) fn add_lines_after(&mut self, text: &str, at: usize, lines: &[String]) {
        if lines.is_empty() {
            return;
        }
        let (end, newline) = line_end(text, at);
        let added: String = lines
            .iter()
            .map(|line| format!("{newline}{line}"))
            .collect();
        self.replace(Span { start: end, end }, added);
    }
}

/// Where the line that holds the byte `at` ends, and what its text breaks lines with.
pub(super) fn line_end(text: &str, at: usize) -> (usize, &'static str) {
    let at = at.min(text.len());
    let end = memchr::memchr(b'\n', &text.as_bytes()[at..]).map_or(text.len(), |found| at + found);
    if text.as_bytes()[..end].ends_with(b"\r") && end > at {
        (end - 1, "\r\n")
    } else {
        (end, "\n")
    }
}

/// The space with which the line that holds the byte `at` begins.
pub(super) fn indent_of(text: &str, at: usize) -> &str {
    let before = &text.as_bytes()[..at.min(text.len())];
    let start = memchr::memrchr(b'\n', before).map_or(0, |found| found + 1);
    let line = &text[start..];
    let length = line
        .bytes()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    &line[..length]
}

/// Where a part of a text stands in it.
pub(super) fn span_of(text: &str, part: &str) -> Span {
    let start = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    let start = start.min(text.len());
    Span {
        start,
        end: (start + part.len()).min(text.len()),
    }
}

/// The lines of a span from their first byte to one past the last newline.
pub(super) fn whole_line(text: &str, span: Span) -> Span {
    Span {
        start: line_start(text, span.start),
        end: past_line(text, span.end),
    }
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

fn line_start(text: &str, at: usize) -> usize {
    memchr::memrchr(b'\n', &text.as_bytes()[..at]).map_or(0, |found| found + 1)
}

/// One past the newline of the line that holds the byte.
fn past_line(text: &str, at: usize) -> usize {
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

/// What a whole configuration's block for the socket does, as faces show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Such as `nginx`.
    pub system: &'static str,
    /// Which piece of evidence holds it.
    pub evidence: usize,
    /// The line of the block that serves the socket, from 1.
    pub line: usize,
    /// The words of that line.
    pub quote: String,
    /// What is to be known of it, in the order of the lines. Without any there is nothing wrong.
    pub findings: Vec<ReviewFinding>,
    /// What puts it right: stretches of lines that follow each other.
    pub difference: Vec<Vec<DifferenceLine>>,
}

impl Review {
    /// Whether nothing in it makes a socket fail, for all that is in the text.
    pub fn is_right(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.weight == Weight::Hint)
    }
}

/// Something to know about a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewFinding {
    /// A sentence.
    pub text: String,
    /// The line that shows it, from 1.
    pub line: usize,
    /// How much it matters.
    pub weight: Weight,
}

/// A line of a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DifferenceLine {
    /// What becomes of it.
    pub kind: LineKind,
    /// Its number in the text that was given, from 1; an added line has none.
    pub number: Option<usize>,
    /// The line itself.
    pub text: String,
}

/// A draft with its difference, still with bytes of the text that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sketch {
    draft: Draft,
    difference: Vec<Vec<RawLine>>,
    quote: String,
}

impl Sketch {
    pub(in super::super) fn of(text: &str, draft: Draft) -> Self {
        let words = &text[draft.place.start..draft.place.end];
        let quote = words.lines().next().unwrap_or_default().trim();
        Sketch {
            difference: difference(text, &draft.edits),
            quote: quote.chars().take(200).collect(),
            draft,
        }
    }

    /// The same where the text stands elsewhere.
    pub fn placed(mut self, place: impl Fn(usize) -> usize) -> Self {
        self.draft.place.start = place(self.draft.place.start);
        for remark in &mut self.draft.remarks {
            remark.span.start = place(remark.span.start);
        }
        for (_, at, _) in self.difference.iter_mut().flatten() {
            *at = at.map(&place);
        }
        self
    }

    /// The review, with the line for each byte.
    pub fn review(&self, evidence: usize, line_of: impl Fn(usize) -> usize) -> Review {
        let mut findings: Vec<ReviewFinding> = self
            .draft
            .remarks
            .iter()
            .map(|remark| ReviewFinding {
                text: remark.text.clone(),
                line: line_of(remark.span.start),
                weight: remark.weight,
            })
            .collect();
        findings.sort_by_key(|finding| finding.line);
        Review {
            system: self.draft.system,
            evidence,
            line: line_of(self.draft.place.start),
            quote: self.quote.clone(),
            findings,
            difference: self
                .difference
                .iter()
                .map(|lines| {
                    lines
                        .iter()
                        .map(|(kind, at, text)| DifferenceLine {
                            kind: *kind,
                            number: at.map(&line_of),
                            text: text.clone(),
                        })
                        .collect()
                })
                .collect(),
        }
    }
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
