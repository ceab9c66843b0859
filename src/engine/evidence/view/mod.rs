//! A text as its writer meant it, where something on the way changed its letters.
//!
//! Chat programs curl quotation marks, terminals add colours, mail quotes and wraps, pages and
//! JSON escape. Each of these is undone here, and a map leads every place back to the words that
//! were given.

mod colours;
mod escapes;
mod letters;
mod markup;
mod wrapping;

use std::borrow::Cow;

use super::Span;

/// A text in which wordings are looked for, and where each part of it stands in the text given.
#[derive(Debug)]
pub struct View<'a> {
    text: Cow<'a, str>,
    /// The maps of the steps that changed something, the last step first.
    maps: Vec<Map>,
}

impl<'a> View<'a> {
    /// The view of a redacted text. What a program reads by its structure stays in place: escapes
    /// inside strings are kept.
    pub fn of(text: &'a str) -> Self {
        let mut edits = Vec::new();
        letters::find(text, &mut edits);
        colours::find(text, &mut edits);
        markup::find(text, &mut edits);
        let mut view = View::edited(text, edits);
        let joints = wrapping::joints(&view.text);
        if !joints.is_empty() {
            let (joined, map) = rewrite(&view.text, joints);
            view.text = Cow::Owned(joined);
            view.maps.insert(0, map);
        }
        view
    }

    /// The view in which the strings of JSON lines read as what they say.
    pub fn unescaped(text: &'a str) -> Self {
        View::edited(text, escapes::find(text))
    }

    fn edited(text: &'a str, edits: Vec<Edit>) -> Self {
        if edits.is_empty() {
            return View {
                text: Cow::Borrowed(text),
                maps: Vec::new(),
            };
        }
        let (text, map) = rewrite(text, edits);
        View {
            text: Cow::Owned(text),
            maps: vec![map],
        }
    }

    /// The text to look at.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the text is the one given.
    pub fn is_as_given(&self) -> bool {
        self.maps.is_empty()
    }

    /// Where a span of the view stands in the text given.
    pub fn place(&self, span: Span) -> Span {
        self.maps.iter().fold(span, |span, map| map.place(span))
    }
}

/// Words to write in the place of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Edit {
    start: usize,
    end: usize,
    with: &'static str,
}

impl Edit {
    fn remove(start: usize, end: usize) -> Self {
        Edit {
            start,
            end,
            with: "",
        }
    }
}

/// A stretch of the view.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// Its first byte in the view; it ends where the next begins.
    view: usize,
    /// Its first byte in the text given.
    given: usize,
    /// One past its last byte in the text given, where it was written anew; `None` where it was
    /// copied.
    rewritten: Option<usize>,
}

/// From a rewritten text back to the one before.
#[derive(Debug)]
struct Map {
    /// In order; the first begins at 0.
    pieces: Vec<Piece>,
}

impl Map {
    fn place(&self, span: Span) -> Span {
        let start = self.start(span.start);
        if span.end <= span.start {
            return Span { start, end: start };
        }
        let end = self.end(span.end);
        Span { start, end }
    }

    /// Where something that begins there begins.
    fn start(&self, at: usize) -> usize {
        let after = self.pieces.partition_point(|piece| piece.view <= at);
        self.piece_before(after).map_or(at, |piece| {
            if piece.rewritten.is_some() {
                piece.given
            } else {
                piece.given + (at - piece.view)
            }
        })
    }

    /// Where something that ends there ends.
    fn end(&self, at: usize) -> usize {
        let after = self.pieces.partition_point(|piece| piece.view < at);
        self.piece_before(after).map_or(at, |piece| {
            piece.rewritten.unwrap_or(piece.given + (at - piece.view))
        })
    }

    fn piece_before(&self, after: usize) -> Option<&Piece> {
        self.pieces.get(after.checked_sub(1)?)
    }
}

/// Writes a text with its edits. Of edits that overlap, the one that begins first counts.
fn rewrite(text: &str, mut edits: Vec<Edit>) -> (String, Map) {
    edits.sort_unstable_by_key(|edit| (edit.start, usize::MAX - edit.end));
    let mut written = String::with_capacity(text.len());
    let mut pieces = Vec::with_capacity(2 * edits.len() + 1);
    let mut done = 0;
    for edit in edits {
        if edit.start < done {
            continue;
        }
        pieces.push(Piece {
            view: written.len(),
            given: done,
            rewritten: None,
        });
        written.push_str(&text[done..edit.start]);
        if !edit.with.is_empty() {
            pieces.push(Piece {
                view: written.len(),
                given: edit.start,
                rewritten: Some(edit.end),
            });
            written.push_str(edit.with);
        }
        done = edit.end;
    }
    pieces.push(Piece {
        view: written.len(),
        given: done,
        rewritten: None,
    });
    written.push_str(&text[done..]);
    (written, Map { pieces })
}

#[cfg(test)]
mod tests;
