//! YAML as people write it in configurations: keys by indentation, one a line.
//!
//! Not a parser of the language: anchors and tags are passed over, and a line that is
//! no YAML ends a document. <https://yaml.org/spec/1.2.2/>

use super::Span;
use super::review::span_of;

/// Deeper lines are passed over.
const DEEPEST: usize = 24;
/// More lines are not read.
const MOST_ENTRIES: usize = 20_000;

/// A key with its value, or an item of a list.
#[derive(Clone, Debug)]
pub(super) struct Entry<'a> {
    /// The keys around it, outermost first, and its own; items of lists are `-`.
    pub(super) path: Vec<&'a str>,
    /// Without quotes and comment; empty if the value stands in the lines below.
    pub(super) value: &'a str,
    /// Its line without the space around it.
    pub(super) span: Span,
    /// The value's words, quotes included.
    pub(super) value_span: Span,
    /// Columns before its key.
    pub(super) indent: usize,
    /// Which document of the text it stands in.
    pub(super) document: usize,
}

impl Entry<'_> {
    /// Whether the keys end so.
    pub(super) fn ends_with(&self, keys: &[&str]) -> bool {
        self.path.ends_with(keys)
    }

    /// Whether the keys begin so.
    pub(super) fn starts_with(&self, keys: &[&str]) -> bool {
        self.path.starts_with(keys)
    }
}

/// The entries of all documents of a text, in its order.
pub(super) fn entries(text: &str) -> Vec<Entry<'_>> {
    let mut found = Vec::new();
    let mut stack: Vec<(usize, &str)> = Vec::new();
    let (mut document, mut start) = (0, 0);
    // Columns before the key whose value is a text block.
    let mut block: Option<usize> = None;
    for whole in text.split_inclusive('\n') {
        let begin = start;
        start += whole.len();
        let line = without_comment(whole.trim_end());
        let words = line.trim_start_matches(' ');
        if words.is_empty() {
            continue;
        }
        let indent = line.len() - words.len();
        if block.is_some_and(|key| indent > key) {
            if let Some(owner) = found.last_mut() {
                extend_block(owner, text, begin, begin + line.len());
            }
            continue;
        }
        if words == "---"
            || !read_line(
                words,
                begin + line.len() - words.len(),
                line.len() - words.len(),
                document,
                &mut stack,
                &mut found,
            )
        {
            stack.clear();
            document += 1;
        }
        if found.len() >= MOST_ENTRIES {
            break;
        }
        let last: Option<&Entry<'_>> = found.last();
        block = last
            .filter(|entry| entry.span.start >= begin && is_block(entry.value))
            .map(|entry| entry.indent);
    }
    found
}

/// Whether a value announces a text block: `|`, `>-`, `|2`.
fn is_block(value: &str) -> bool {
    value.starts_with(['|', '>'])
        && value.len() <= 3
        && value[1..]
            .bytes()
            .all(|byte| matches!(byte, b'+' | b'-') || byte.is_ascii_digit())
}

/// A text block's lines are its key's value.
fn extend_block<'a>(owner: &mut Entry<'a>, text: &'a str, begin: usize, end: usize) {
    if is_block(owner.value) {
        owner.value_span.start = begin;
    }
    owner.value_span.end = end;
    owner.value = &text[owner.value_span.start..end];
}

/// Reads a line's items and key; whether it is YAML.
fn read_line<'a>(
    line: &'a str,
    at: usize,
    indent: usize,
    document: usize,
    stack: &mut Vec<(usize, &'a str)>,
    found: &mut Vec<Entry<'a>>,
) -> bool {
    let (mut words, mut column) = (line, indent);
    loop {
        while stack.last().is_some_and(|(depth, key)| {
            *depth > column || (*depth == column && (*key == "-" || !words.starts_with('-')))
        }) {
            stack.pop();
        }
        let Some(rest) = words
            .strip_prefix('-')
            .filter(|rest| rest.is_empty() || rest.starts_with(' '))
        else {
            break;
        };
        if stack.len() >= DEEPEST {
            return true;
        }
        stack.push((column, "-"));
        let inner = rest.trim_start();
        column += words.len() - inner.len();
        words = inner;
        if words.is_empty() {
            return true;
        }
    }
    let value_at = |value: &str| {
        let place = span_of(line, value);
        Span {
            start: at + place.start,
            end: at + place.end,
        }
    };
    let span = Span {
        start: at,
        end: at + line.len(),
    };
    let is_item = stack.last().is_some_and(|(_, key)| *key == "-");
    match key_of(words) {
        Some((key, value)) => {
            if stack.len() < DEEPEST {
                stack.push((column, key));
            }
            found.push(Entry {
                path: stack.iter().map(|(_, key)| *key).collect(),
                value: unquoted(value),
                span,
                value_span: value_at(value),
                indent: column,
                document,
            });
            true
        }
        None if is_item => {
            found.push(Entry {
                path: stack.iter().map(|(_, key)| *key).collect(),
                value: unquoted(words),
                span,
                value_span: value_at(words),
                indent: column,
                document,
            });
            true
        }
        None => matches!(
            words.chars().next(),
            Some('[' | ']' | '{' | '}' | '"' | '|' | '>')
        ),
    }
}

/// `key: value` or `key:`; keys hold no spaces.
fn key_of(words: &str) -> Option<(&str, &str)> {
    let (key, value) = match words.find(": ") {
        Some(at) => (&words[..at], words[at + 1..].trim()),
        None => (words.strip_suffix(':')?, &words[words.len()..]),
    };
    let key = unquoted(key);
    let is_key = !key.is_empty()
        && key.len() < 200
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-./<@".contains(&byte));
    is_key.then_some((key, value))
}

/// Without the comment at its end: a `#` at the beginning or after a space, outside of quotes.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut before = b' ';
    for (at, byte) in line.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (None, b'"' | b'\'') if matches!(before, b' ' | b'[' | b'{' | b',') => {
                quote = Some(byte);
            }
            (None, b'#') if before.is_ascii_whitespace() => return line[..at].trim_end(),
            _ => {}
        }
        before = byte;
    }
    line
}

/// Without the quotes around it.
pub(super) fn unquoted(value: &str) -> &str {
    let value = value.trim();
    ['"', '\'']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(value)
}

/// The items of `[a, "b"]`, or the value itself.
pub(super) fn items(value: &str) -> Vec<&str> {
    match value
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        Some(inner) => inner
            .split(',')
            .map(unquoted)
            .filter(|item| !item.is_empty())
            .collect(),
        None if value.is_empty() => Vec::new(),
        None => vec![value],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_under_keys() {
        let text = "a:\n  b: 1 # x\n  c:\n  - d: \"2\"\n    e: '#3'\n  - f\nnot yaml at all\ng: http://x:1/\n";
        let read: Vec<String> = entries(text)
            .iter()
            .map(|entry| {
                format!(
                    "{} {}={}",
                    entry.document,
                    entry.path.join(" "),
                    entry.value
                )
            })
            .collect();
        assert_eq!(
            read,
            [
                "0 a=",
                "0 a b=1",
                "0 a c=",
                "0 a c - d=2",
                "0 a c - e=#3",
                "0 a c -=f",
                "1 g=http://x:1/"
            ]
        );
        let spans: Vec<&str> = entries(text)
            .iter()
            .map(|entry| &text[entry.value_span.start..entry.value_span.end])
            .collect();
        assert_eq!(spans, ["", "1", "", "\"2\"", "'#3'", "f", "http://x:1/"]);
    }

    #[test]
    fn flow_lists_are_lists() {
        assert_eq!(items("[\"80:80\", x]"), ["80:80", "x"]);
        assert_eq!(items("x"), ["x"]);
        assert!(items("").is_empty());
    }
}
