//! Reads knowledge files into a graph.
//!
//! Pure: files come in as names and texts, problems go out as values with file and line.

mod check;
pub mod entries;
mod timeouts;

pub use check::{check, doubts};

use std::collections::HashMap;
use std::fmt::{self, Write};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::graph::{Advice, Cause, Check, Code, Graph, Symptom, System, Timeout};

/// A knowledge file: its name under the knowledge folder, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Such as `causes/tcp-server-not-running.md`, with forward slashes.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The entry works, but something is missing or doubtful.
    Warning,
    /// The knowledge cannot be used like this.
    Error,
}

/// What is wrong with the knowledge, where, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file's name under the knowledge folder.
    pub file: String,
    /// Counts from 1; 0 where the whole file is meant.
    pub line: usize,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(
            formatter,
            "{}:{}: {word}: {}",
            self.file, self.line, self.message
        )
    }
}

/// A graph and where each of its entries came from, so that problems can name file and line.
#[derive(Debug, Default)]
pub struct Read {
    /// What the files say.
    pub graph: Graph,
    /// Problems of form; a file with one is left out of the graph.
    pub problems: Vec<Problem>,
    texts: HashMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SymptomFile {
    #[serde(default)]
    symptom: Vec<Symptom>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckFile {
    #[serde(default)]
    check: Vec<Check>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeFile {
    #[serde(default)]
    code: Vec<Code>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TimeoutFile {
    #[serde(default)]
    timeout: Vec<Timeout>,
}

/// Reads knowledge files. Never fails: what could not be read is a problem with file and line.
pub fn read(files: &[SourceFile]) -> Read {
    let shares = shares(files);
    let parts: Vec<Read> = std::thread::scope(|scope| {
        let readers: Vec<_> = shares
            .iter()
            .map(|share| scope.spawn(|| read_some(share)))
            .collect();
        // A reader that could not finish is replaced by this one.
        let parts = readers.into_iter().zip(&shares);
        parts
            .map(|(reader, share)| reader.join().unwrap_or_else(|_| read_some(share)))
            .collect()
    });
    let mut read = Read::default();
    for part in parts {
        read.graph.append(part.graph);
        read.problems.extend(part.problems);
        read.texts.extend(part.texts);
    }
    read.graph.sort();
    read
}

/// Files in as many parts as there are processors, of about the same length.
fn shares(files: &[SourceFile]) -> Vec<&[SourceFile]> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let all: usize = files.iter().map(|file| file.text.len()).sum();
    let most = all / processors;
    let mut length = 0;
    files
        .chunk_by(|file, _| {
            length += file.text.len();
            let is_full = length > most;
            if is_full {
                length = 0;
            }
            !is_full
        })
        .collect()
}

fn read_some(files: &[SourceFile]) -> Read {
    let mut read = Read::default();
    for file in files {
        read_file(file, &mut read);
        read.texts.insert(file.name.clone(), file.text.clone());
    }
    read
}

fn read_file(file: &SourceFile, read: &mut Read) {
    let (folder, name) = file.name.split_once('/').unwrap_or(("", &file.name));
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    match (folder, ending) {
        ("symptoms", "toml") => {
            if let Some(parsed) = parse::<SymptomFile>(file, read) {
                read.graph
                    .symptoms
                    .extend(parsed.symptom.into_iter().map(|entry| Symptom {
                        group: stem.to_owned(),
                        ..entry
                    }));
            }
        }
        ("checks", "toml") => {
            if let Some(parsed) = parse::<CheckFile>(file, read) {
                read.graph
                    .checks
                    .extend(parsed.check.into_iter().map(|entry| Check {
                        group: stem.to_owned(),
                        ..entry
                    }));
            }
        }
        ("codes", "toml") => {
            if let Some(parsed) = parse::<CodeFile>(file, read) {
                read.graph
                    .codes
                    .extend(parsed.code.into_iter().map(|entry| Code {
                        group: stem.to_owned(),
                        ..entry
                    }));
            }
        }
        ("timeouts", "toml") => {
            if let Some(parsed) = parse::<TimeoutFile>(file, read) {
                read.graph
                    .timeouts
                    .extend(parsed.timeout.into_iter().map(|entry| Timeout {
                        group: stem.to_owned(),
                        ..entry
                    }));
            }
        }
        ("patterns", "toml") => {
            if let Some(mut system) = parse::<System>(file, read) {
                stem.clone_into(&mut system.system);
                read.graph.systems.push(system);
            }
        }
        ("causes", "md") => {
            if let Some((cause, body)) = parse_markdown::<Cause>(file, read) {
                read.graph.causes.push(Cause { body, ..cause });
            }
        }
        ("advice", "md") => {
            if let Some((advice, body)) = parse_markdown::<Advice>(file, read) {
                read.graph.advice.push(Advice { body, ..advice });
            }
        }
        ("", "md") => {}
        _ => read.problems.push(Problem {
            file: file.name.clone(),
            line: 0,
            severity: Severity::Error,
            message:
                "does not belong here: write symptoms/*.toml, patterns/*.toml, checks/*.toml, \
                      codes/*.toml, timeouts/*.toml, causes/*.md or advice/*.md"
                    .to_owned(),
        }),
    }
}

fn parse<T: DeserializeOwned>(file: &SourceFile, read: &mut Read) -> Option<T> {
    parse_toml(&file.name, &file.text, 0, read)
}

/// Parses TOML that begins after `lines_before` lines of its file.
fn parse_toml<T: DeserializeOwned>(
    name: &str,
    text: &str,
    lines_before: usize,
    read: &mut Read,
) -> Option<T> {
    match toml::from_str::<T>(text) {
        Ok(parsed) => Some(parsed),
        Err(error) => {
            let line = error
                .span()
                .map_or(1, |span| line_of_offset(text, span.start));
            read.problems.push(Problem {
                file: name.to_owned(),
                line: line + lines_before,
                severity: Severity::Error,
                message: error.message().replace('\n', " "),
            });
            None
        }
    }
}

fn parse_markdown<T: DeserializeOwned>(file: &SourceFile, read: &mut Read) -> Option<(T, String)> {
    let text = file.text.replace("\r\n", "\n");
    let parts = text
        .strip_prefix("+++\n")
        .and_then(|rest| rest.split_once("\n+++\n"));
    let Some((front, body)) = parts else {
        read.problems.push(Problem {
            file: file.name.clone(),
            line: 1,
            severity: Severity::Error,
            message: "begins with TOML front matter between two lines of +++, then prose"
                .to_owned(),
        });
        return None;
    };
    let parsed = parse_toml(&file.name, front, 1, read)?;
    Some((parsed, body.trim().to_owned()))
}

fn line_of_offset(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

/// A short name for the graph's content: the same content gives the same name on every machine.
pub fn hash(graph: &Graph) -> String {
    let mut sorted = graph.clone();
    sorted.sort();
    hash_of_sorted(&sorted)
}

/// The same for a graph whose lists are in the order of their ids already.
pub(super) fn hash_of_sorted(graph: &Graph) -> String {
    let mut hasher = HashedText(Sha256::new());
    // The Debug form holds every field of every entry, so it serves as the canonical text.
    let _ = write!(hasher, "{graph:?}");
    hasher.0.finalize()[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Hashes a text while it is written, so that nobody has to keep it.
struct HashedText(Sha256);

impl std::fmt::Write for HashedText {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.update(text);
        Ok(())
    }
}

/// A hash over the files themselves: tells whether shipped knowledge must be imported again.
pub fn files_hash(files: &[SourceFile]) -> String {
    let mut sorted: Vec<&SourceFile> = files.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let mut hasher = Sha256::new();
    for file in sorted {
        hasher.update(file.name.len().to_le_bytes());
        hasher.update(&file.name);
        hasher.update(file.text.len().to_le_bytes());
        hasher.update(&file.text);
    }
    hasher.finalize()[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
