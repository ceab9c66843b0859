//! The code that the knowledge shows: every fenced block of a page, every command of a check.

use std::fs;
use std::path::{Path, PathBuf};

use wsdoctor::engine::prose::Subject;

/// A piece of code as a reader sees it.
pub(super) struct Piece {
    /// The page, from the knowledge's folder: `causes/tcp-wrong-port.md`.
    pub(super) file: String,
    /// The line of its first line of code.
    pub(super) line: usize,
    /// The word behind the fence, or the kind of the command.
    pub(super) language: String,
    /// With the case's own values filled in.
    pub(super) text: String,
}

/// All pieces of all pages, in the order of the files.
pub(super) fn all() -> Vec<Piece> {
    let mut pieces = Vec::new();
    for folder in ["causes", "advice"] {
        for (name, text) in files(folder, "md") {
            fenced(&format!("{folder}/{name}"), &text, &mut pieces);
        }
    }
    for (name, text) in files("checks", "toml") {
        commands(&format!("checks/{name}"), &text, &mut pieces);
    }
    pieces
}

fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("knowledge")
        .join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder of the knowledge")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .collect();
    paths.sort();
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into());
    paths
        .iter()
        .map(|path| {
            let text = fs::read_to_string(path).expect("a file of the knowledge");
            (name(path).expect("a name"), text)
        })
        .collect()
}

fn fenced(file: &str, text: &str, pieces: &mut Vec<Piece>) {
    let mut open: Option<(usize, String, String)> = None;
    let mut edges = 0;
    for (index, line) in text.lines().enumerate() {
        edges += usize::from(line == "+++");
        if edges < 2 {
            // The front matter's tests hold texts of users, some with fences in them.
            continue;
        }
        match (line.trim_start().strip_prefix("```"), open.take()) {
            (None, Some((start, language, code))) => {
                open = Some((start, language, code + line + "\n"));
            }
            (Some(language), None) => {
                open = Some((index + 2, language.trim().to_owned(), String::new()));
            }
            (Some(_), Some((line, language, code))) => pieces.push(Piece {
                file: file.to_owned(),
                line,
                language,
                text: filled(&code),
            }),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{file}: a fence without an end");
}

fn commands(file: &str, text: &str, pieces: &mut Vec<Piece>) {
    let table: toml::Table = text.parse().expect("checks are TOML");
    let checks = table.get("check").and_then(toml::Value::as_array);
    for check in checks.into_iter().flatten() {
        let id = check.get("id").and_then(toml::Value::as_str);
        let place = id.and_then(|id| text.lines().position(|line| line.contains(id)));
        let commands = check.get("commands").and_then(toml::Value::as_table);
        for (kind, command) in commands.into_iter().flatten() {
            let command = command.as_str().expect("a command is a text");
            pieces.push(Piece {
                file: file.to_owned(),
                line: place.map_or(1, |line| line + 1),
                language: language_of_command(kind, command).to_owned(),
                text: filled(command),
            });
        }
    }
}

/// A browser's tools are told either what to run or where to look.
fn language_of_command(kind: &str, command: &str) -> &'static str {
    match kind {
        "linux" | "macos" => "sh",
        "windows" => "powershell",
        _ if command.contains(" panel") => "words",
        _ => "js",
    }
}

/// As on the page of a case that names everything.
fn filled(text: &str) -> String {
    let some = |value: &str| Some(value.to_owned());
    Subject {
        scheme: some("wss"),
        host: some("chat.example.org"),
        port: some("8443"),
        path: some("/live"),
        origin: some("https://app.example"),
    }
    .fill(text)
}
