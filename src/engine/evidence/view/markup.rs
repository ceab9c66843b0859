//! What mail programs and Markdown write around words: marks of quotation, bold, code.

use super::Edit;

/// Finds the markup of a text.
pub(super) fn find(text: &str, edits: &mut Vec<Edit>) {
    if text.starts_with('>') || memchr::memmem::find(text.as_bytes(), b"\n>").is_some() {
        quotation(text, edits);
    }
    if memchr::memmem::find(text.as_bytes(), b"**").is_some() {
        pairs(text, "**", edits);
    }
    if memchr::memchr(b'`', text.as_bytes()).is_some() {
        pairs(text, "`", edits);
    }
}

/// Marks before the lines of a quotation. A single line may be a prompt; where curl or wscat
/// talk, the mark tells who speaks.
fn quotation(text: &str, edits: &mut Vec<Edit>) {
    let mut run: Vec<Edit> = Vec::new();
    let mut start = 0;
    for line in text.split('\n') {
        let length = quotation_length(line);
        if length > 0 {
            run.push(Edit::remove(start, start + length));
        } else {
            flush(&mut run, edits);
        }
        if line.starts_with("< ") || line.starts_with("> GET ") || line.starts_with("> CONNECT ") {
            return;
        }
        start += line.len() + 1;
    }
    flush(&mut run, edits);
}

fn flush(run: &mut Vec<Edit>, edits: &mut Vec<Edit>) {
    if run.len() > 1 {
        edits.append(run);
    }
    run.clear();
}

/// How long the marks before a quoted line are.
fn quotation_length(line: &str) -> usize {
    let mut length = 0;
    while let Some(rest) = line[length..].strip_prefix('>') {
        length += 1;
        if rest.starts_with(' ') {
            length += 1;
        }
    }
    length
}

/// The longest stretch between two marks of a pair, in bytes.
const LONGEST_MARKED: usize = 2000;

/// Marks that stand in pairs around words of one line.
fn pairs(text: &str, mark: &str, edits: &mut Vec<Edit>) {
    let bytes = text.as_bytes();
    let mut open: Option<usize> = None;
    let mut line_end = 0;
    for at in memchr::memmem::find_iter(bytes, mark.as_bytes()) {
        if at >= line_end {
            open = None;
            line_end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end);
        }
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        let after = bytes.get(at + mark.len());
        match open {
            Some(from)
                if at - from < LONGEST_MARKED
                    && may_close(before, after)
                    && is_wrapped(mark, &text[from + mark.len()..at]) =>
            {
                edits.push(Edit::remove(from, from + mark.len()));
                edits.push(Edit::remove(at, at + mark.len()));
                open = None;
            }
            Some(_) if mark == "`" => open = None,
            _ if may_open(before, after) => open = Some(at),
            _ => {}
        }
    }
}

fn may_open(before: Option<&u8>, after: Option<&u8>) -> bool {
    before.is_none_or(|byte| byte.is_ascii_whitespace() || b"('\":*_".contains(byte))
        && after.is_some_and(|byte| !byte.is_ascii_whitespace() && !b"*`/.".contains(byte))
}

fn may_close(before: Option<&u8>, after: Option<&u8>) -> bool {
    before.is_some_and(|byte| !byte.is_ascii_whitespace() && !b"*`".contains(byte))
        && after.is_none_or(|byte| byte.is_ascii_whitespace() || b").,:;!?'\"*_".contains(byte))
}

/// Whether marks only set words off. A single word in backticks is quoted, and wordings may ask
/// for the quotation marks.
fn is_wrapped(mark: &str, words: &str) -> bool {
    mark != "`" || words.contains(' ') || words.bytes().all(|byte| byte.is_ascii_digit())
}
