//! The knowledge's own sentences, line by line: without code, addresses and what is quoted.

use std::collections::HashMap;

/// The keys whose values are sentences. The titles of codes and of limits of time are what their
/// makers call them.
const KEYS: &[&str] = &["title", "summary", "instruction", "text", "note"];

/// A line of prose.
pub(super) struct Prose {
    /// The file's name under the knowledge folder.
    pub(super) file: String,
    /// Counts from 1.
    pub(super) line: usize,
    /// What is left of the line.
    pub(super) text: String,
}

/// Where a reader of lines is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Among keys and values.
    Keys,
    /// In a long value of a key with sentences, which that mark ends.
    Sentences(&'static str),
    /// In another long value.
    Other(&'static str),
    /// In prose under front matter.
    Body,
}

/// The prose of all files, in the order of their names. The folder's own description speaks of the
/// files' format and is left out.
pub(super) fn prose_of(texts: &HashMap<String, String>) -> Vec<Prose> {
    let mut names: Vec<&String> = texts.keys().filter(|name| name.contains('/')).collect();
    names.sort();
    names
        .into_iter()
        .flat_map(|name| prose_of_file(name, &texts[name]))
        .collect()
}

fn prose_of_file(name: &str, text: &str) -> Vec<Prose> {
    let mut state = State::Keys;
    let mut is_code = false;
    let mut marks = 0;
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim() == "+++" && matches!(state, State::Keys) {
            marks += 1;
            if marks == 2 {
                state = State::Body;
            }
            continue;
        }
        let is_makers_title = line.starts_with("title")
            && (name.starts_with("codes/") || name.starts_with("timeouts/"));
        let (sentence, next) = read(line, state);
        state = next;
        let sentence = sentence.filter(|_| !is_makers_title);
        let Some(sentence) = sentence else {
            continue;
        };
        if sentence.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            found.push(Prose {
                file: name.to_owned(),
                line: number + 1,
                text: own_words(&sentence),
            });
        }
        if state == State::Keys {
            is_code = false;
        }
    }
    found
}

/// The sentences of a line, and where the reader is after it.
fn read(line: &str, state: State) -> (Option<String>, State) {
    match state {
        State::Body => (Some(line.to_owned()), state),
        State::Sentences(mark) => match line.split_once(mark) {
            Some((last, _)) => (Some(last.to_owned()), State::Keys),
            None => (Some(line.to_owned()), state),
        },
        State::Other(mark) if line.contains(mark) => (None, State::Keys),
        State::Other(_) => (None, state),
        State::Keys => read_key(line),
    }
}

fn read_key(line: &str) -> (Option<String>, State) {
    let Some((key, value)) = line.split_once('=') else {
        return (None, State::Keys);
    };
    let (value, is_sentence) = (value.trim(), KEYS.contains(&key.trim()));
    for mark in ["\"\"\"", "'''"] {
        let Some(rest) = value.strip_prefix(mark) else {
            continue;
        };
        return match (rest.split_once(mark), is_sentence) {
            (Some((all, _)), true) => (Some(all.to_owned()), State::Keys),
            (Some(_), false) => (None, State::Keys),
            (None, true) => (Some(rest.to_owned()), State::Sentences(mark)),
            (None, false) => (None, State::Other(mark)),
        };
    }
    let inner = value
        .strip_prefix('"')
        .and_then(|value| Some(&value[..value.rfind('"')?]))
        .filter(|_| is_sentence);
    let sentence = inner.map(|inner| inner.replace("\\n", " ").replace("\\\"", "\""));
    (sentence, State::Keys)
}

/// A line without code, quoted words and addresses.
fn own_words(line: &str) -> String {
    let mut rest = line;
    let mut own = String::with_capacity(line.len());
    while let Some(at) = rest.find(['`', '"', '“', ']']) {
        own.push_str(&rest[..at]);
        let opened = &rest[at..];
        let end = match opened.chars().next() {
            Some('`') => closing(opened, '`'),
            Some('"') => closing(opened, '"'),
            Some('“') => closing(opened, '”'),
            _ if opened.starts_with("](") => closing(opened, ')'),
            _ => None,
        };
        // Something must stand there, so that the words around it do not meet.
        own.push_str(" . ");
        rest = match end {
            Some(end) => &opened[end..],
            None => opened.get(1..).unwrap_or_default(),
        };
    }
    own.push_str(rest);
    own
}

/// One past the sign that closes what the text's first sign opens.
fn closing(opened: &str, sign: char) -> Option<usize> {
    let first = opened.chars().next()?.len_utf8();
    let end = opened[first..].find(sign)? + first;
    Some(end + sign.len_utf8())
}
