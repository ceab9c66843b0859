//! Code that pages show is right: every fenced block and every command is given to its own tool.
#![expect(
    clippy::print_stdout,
    reason = "what was checked, and what not, is part of the result"
)]

mod blocks;
mod servers;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use blocks::Piece;
use servers::Workplace;

/// Languages without a parser that is light enough, and texts that are no code.
const NOT_CHECKED: &[&str] = &["adblock", "diff", "dockerfile", "http", "text", "words"];

/// What became of the pieces of a language.
#[derive(Default)]
struct Outcome {
    right: usize,
    wrong: Vec<String>,
    left_out: usize,
}

impl Outcome {
    fn add(&mut self, piece: &Piece, complaint: Option<(usize, String)>) {
        match complaint {
            None => self.right += 1,
            Some((line, message)) => self.wrong.push(format!(
                "knowledge/{}:{}: {}: {message}",
                piece.file,
                piece.line + line.saturating_sub(1),
                piece.language
            )),
        }
    }
}

#[test]
fn code_of_the_knowledge_is_right() {
    let mut languages: BTreeMap<String, Vec<Piece>> = BTreeMap::new();
    for piece in blocks::all() {
        let known = languages.entry(piece.language.clone()).or_default();
        known.push(piece);
    }
    let workplace = has("openssl", "version").then(Workplace::new);
    let mut report = String::new();
    let mut wrong = Vec::new();
    for (language, pieces) in &languages {
        let outcome = checked(language, pieces, workplace.as_ref());
        report += &format!(
            "{language}: {} right, {} wrong, {} not checked\n",
            outcome.right,
            outcome.wrong.len(),
            outcome.left_out
        );
        wrong.extend(outcome.wrong);
    }
    println!("{report}");
    assert!(wrong.is_empty(), "{}\n{report}", wrong.join("\n"));
}

fn checked(language: &str, pieces: &[Piece], workplace: Option<&Workplace>) -> Outcome {
    type Server = fn(&Workplace, &str) -> Option<String>;
    let server: Option<(&str, &str, Server)> = match language {
        "nginx" => Some(("nginx", "-v", Workplace::nginx)),
        "apache" => Some(("apache2", "-v", Workplace::apache)),
        "haproxy" => Some(("haproxy", "-v", Workplace::haproxy)),
        "caddyfile" => Some(("caddy", "version", Workplace::caddy)),
        _ => None,
    };
    match (language, server, workplace) {
        ("", _, _) => each(pieces, |_| Some((1, "the fence names no language".into()))),
        (_, Some((program, question, ask)), Some(workplace)) if has(program, question) => {
            each(pieces, |piece| {
                ask(workplace, &piece.text).map(|told| (1, told))
            })
        }
        ("sh", _, _) if has("bash", "--version") => each(pieces, shell),
        ("json", _, _) => each(pieces, |piece| {
            let read: Result<Value, _> = serde_json::from_str(&piece.text);
            read.err().map(|error| (error.line(), error.to_string()))
        }),
        ("toml", _, _) => each(pieces, |piece| {
            let read: Result<toml::Table, _> = piece.text.parse();
            read.err().map(|error| (1, error.to_string()))
        }),
        ("js", _, _) if has("node", "--version") => javascript(pieces),
        (_, None, _) if !NOT_CHECKED.contains(&language) && language != "js" => parsed(pieces),
        _ => Outcome {
            left_out: pieces.len(),
            ..Outcome::default()
        },
    }
}

/// Reconnecting and the page's heartbeat, against a server that breaks connections on purpose.
#[test]
fn examples_of_the_advice_work() {
    let socket = "process.exit(globalThis.WebSocket ? 0 : 1)";
    let tried = Command::new("node")
        .args(["--experimental-websocket", "--no-warnings", "-e", socket])
        .output();
    if !tried.is_ok_and(|output| output.status.success()) {
        println!("not run: there is no Node with a WebSocket");
        return;
    }
    let pieces = blocks::all();
    let example = |page: &str, word: &str| -> String {
        let found = pieces
            .iter()
            .find(|piece| piece.file == page && piece.text.contains(word));
        found.expect("the page's example").text.clone()
    };
    let mut node = Command::new("node");
    node.args(["--experimental-websocket", "--no-warnings"])
        .arg(here("run.mjs"));
    let failed = answers(
        node,
        &json!({
            "reconnection": example("advice/reconnection.md", "class ReconnectingSocket"),
            "heartbeat": example("advice/heartbeat.md", "function startHeartbeat"),
        }),
    );
    assert!(failed.is_empty(), "{failed:#?}");
}

fn each(pieces: &[Piece], ask: impl Fn(&Piece) -> Option<(usize, String)>) -> Outcome {
    let mut outcome = Outcome::default();
    for piece in pieces {
        outcome.add(piece, ask(piece));
    }
    outcome
}

fn shell(piece: &Piece) -> Option<(usize, String)> {
    let output = Command::new("bash")
        .args(["-n", "-c", &piece.text])
        .output()
        .expect("bash runs");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = told.split_once("line ").map_or("", |(_, rest)| rest);
    let line = line.split(':').next().unwrap_or_default().parse();
    (!output.status.success()).then_some((line.unwrap_or(1), told))
}

fn javascript(pieces: &[Piece]) -> Outcome {
    let texts: Vec<&str> = pieces.iter().map(|piece| piece.text.as_str()).collect();
    let script = here("parse.mjs");
    let mut node = Command::new("node");
    node.args(["--no-warnings", "--experimental-vm-modules"])
        .arg(script);
    with_answers(pieces, &answers(node, &json!(texts)))
}

fn parsed(pieces: &[Piece]) -> Outcome {
    if !has("python3", "--version") {
        return Outcome {
            left_out: pieces.len(),
            ..Outcome::default()
        };
    }
    let texts: Vec<Value> = pieces
        .iter()
        .map(|piece| json!({ "language": piece.language, "text": piece.text }))
        .collect();
    let mut python = Command::new("python3");
    python.arg(here("parse.py")).arg(parsers());
    with_answers(pieces, &answers(python, &json!(texts)))
}

/// One process for all pieces: a list goes in, a list of answers comes out.
fn answers(mut program: Command, pieces: &Value) -> Vec<Value> {
    let mut child = program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the parser starts");
    let mut input = child.stdin.take().expect("an input");
    write!(input, "{pieces}").expect("the parser reads");
    drop(input);
    let output = child.wait_with_output().expect("the parser ends");
    assert!(output.status.success(), "the parser fails");
    serde_json::from_slice(&output.stdout).expect("a list of answers")
}

fn with_answers(pieces: &[Piece], answers: &[Value]) -> Outcome {
    assert_eq!(pieces.len(), answers.len());
    let mut outcome = Outcome::default();
    for (piece, answer) in pieces.iter().zip(answers) {
        if answer == "unknown" {
            assert!(!is_strict(), "nothing parses {}", piece.language);
            outcome.left_out += 1;
            continue;
        }
        let line = answer["line"]
            .as_u64()
            .and_then(|line| line.try_into().ok());
        let message = answer["message"].as_str().unwrap_or_default();
        outcome.add(piece, line.map(|line| (line, message.to_owned())));
    }
    outcome
}

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/code")
        .join(name)
}

/// Where `tests/run` puts the grammars.
fn parsers() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target"))
        .join("parsers")
}

/// Whether everything that `tests/run` installs has to be there.
fn is_strict() -> bool {
    std::env::var("CI").as_deref() == Ok("true")
}

/// Whether a program is there.
fn has(program: &str, question: &str) -> bool {
    let found = Command::new(program).arg(question).output().is_ok();
    assert!(found || !is_strict(), "{program} is missing");
    found
}
