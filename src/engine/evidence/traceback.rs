//! Python's tracebacks quote the source of each frame. What stands there was about to happen; what
//! happened says the exception at the end.

use super::{Lines, Span};

/// The quoted lines of source: those below a frame that are indented deeper than it, whatever a log
/// writes before every line.
pub fn quoted_source(text: &str, lines: &Lines<'_>) -> Vec<Span> {
    let mut quoted = Vec::new();
    if !text.contains("File \"") {
        return quoted;
    }
    let mut before_frame: Option<&str> = None;
    for number in 0..lines.len() {
        let words = lines.words(number);
        if let Some((before, _)) = words
            .split_once("File \"")
            .filter(|(_, frame)| is_frame(frame))
        {
            before_frame = Some(before);
            continue;
        }
        before_frame = before_frame.filter(|before| {
            let rest = words.strip_prefix(before);
            rest.is_some_and(|rest| rest.starts_with(' ') && !rest.trim().is_empty())
        });
        if before_frame.is_some() {
            let (start, end) = lines.bounds(number);
            quoted.push(Span { start, end });
        }
    }
    quoted
}

/// Whether these are a frame's words behind `File "`, such as `app.py", line 3, in main`.
fn is_frame(words: &str) -> bool {
    let line = words.split_once("\", line ").map(|(_, number)| number);
    line.is_some_and(|number| number.starts_with(|letter: char| letter.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(text: &str) -> Vec<&str> {
        let spans = quoted_source(text, &Lines::new(text));
        let words = spans.iter().map(|span| text[span.start..span.end].trim());
        words.collect()
    }

    #[test]
    fn lines_below_a_frame_are_quoted() {
        let text = "Traceback (most recent call last):\n  File \"app.py\", line 3, in main\n    \
                    connect(url, connect_timeout=6)\n    ~~~~~~~^^^^\n  File \"lib.py\", line 9, in \
                    connect\nOSError: refused\n  indented, of no frame\n";
        assert_eq!(
            quoted(text),
            ["connect(url, connect_timeout=6)", "~~~~~~~^^^^"]
        );
    }

    #[test]
    fn what_a_log_writes_before_every_line_does_not_matter() {
        let text = "web-1 | Traceback (most recent call last):\nweb-1 |   File \"app.py\", line 3\nweb-1 \
                    |     raise Timeout(1006)\nweb-1 | Timeout: 1006\n";
        assert_eq!(quoted(text), ["web-1 |     raise Timeout(1006)"]);
    }

    #[test]
    fn without_a_frame_nothing_is_quoted() {
        assert_eq!(quoted("File \"chat.log\" is full\n  retrying\n"), [""; 0]);
        assert_eq!(quoted("  File \"a.py\", line 2, in f"), [""; 0]);
    }
}
