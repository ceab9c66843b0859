//! A text as its writer meant it, where something on the way changed its letters.

use std::borrow::Cow;

use super::Span;

/// A text in which wordings are looked for, and where each part of it stands in the text given.
#[derive(Debug)]
pub struct View<'a> {
    text: Cow<'a, str>,
}

impl<'a> View<'a> {
    /// The view of a redacted text.
    pub fn of(text: &'a str) -> Self {
        View {
            text: Cow::Borrowed(text),
        }
    }

    /// The text to look at.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where a span of the view stands in the text given.
    pub fn place(&self, span: Span) -> Span {
        span
    }
}
