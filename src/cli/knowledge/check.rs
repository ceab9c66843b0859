//! `wsdoctor knowledge check`: what is wrong with the knowledge, and which cause is taken for
//! which.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Deserialize;

use super::super::usage_error;
use crate::engine::Engine;
use crate::engine::knowledge::{Severity, SourceFile, check, doubts, read};
use crate::engine::proof::{Judged, Labelled, confusions, failed_tests, judge, own_texts};
use crate::store::files;

/// At most that many confusions are printed.
const MOST_CONFUSIONS: usize = 40;

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The folder; the shipped knowledge if left out
    folder: Option<PathBuf>,
    /// Print errors only
    #[arg(long)]
    quiet: bool,
    /// Print which cause is taken for which, over the entries' own texts and those of --cases
    #[arg(long)]
    confusions: bool,
    /// A file of labelled cases, JSON lines with id, input, label and optionally accept and
    /// situation; may be given several times
    #[arg(long, value_name = "FILE")]
    cases: Vec<PathBuf>,
    /// Write the place of each case's cause into this file, to see what a change does
    #[arg(long, value_name = "FILE", requires = "cases")]
    ranks: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let files = match &arguments.folder {
        None => files::shipped(),
        Some(folder) => match files::read_folder(folder) {
            Ok(files) => files,
            Err(error) => return usage_error(error),
        },
    };
    let cases = match read_cases(&arguments.cases) {
        Ok(cases) => cases,
        Err(error) => return usage_error(error),
    };
    report(&files, &cases, arguments)
}

fn report(files: &[SourceFile], cases: &[Labelled], arguments: &Arguments) -> ExitCode {
    let read = read(files);
    let mut problems = check(&read);
    problems.extend(doubts(&read));
    let graph = read.graph;
    let counts = counts(&graph);
    let engine = Engine::new(graph);
    problems.extend(failed_tests(&engine));
    problems.sort();
    let errors = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .count();
    for problem in &problems {
        if problem.severity == Severity::Error || !arguments.quiet {
            println!("{problem}");
        }
    }
    if arguments.confusions {
        println!("Entries' own texts:");
        print_judged(&judge(&engine, &own_texts(engine.graph())));
    }
    if !cases.is_empty() {
        let judged = judge(&engine, cases);
        println!("Labelled cases:");
        print_judged(&judged);
        if let Some(path) = &arguments.ranks
            && let Err(error) = fs::write(path, ranks(&judged))
        {
            return usage_error(format!("{}: {error}", path.display()));
        }
    }
    println!(
        "{counts}: {errors} errors, {} warnings",
        problems.len() - errors
    );
    if errors == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// What there is, in words.
pub(super) fn counts(graph: &crate::engine::graph::Graph) -> String {
    let narrower = graph
        .causes
        .iter()
        .filter(|cause| cause.parent.is_some())
        .count();
    format!(
        "{} causes and {narrower} narrower ones, {} symptoms, {} patterns, {} checks, {} codes, \
         {} pages of advice, {} time-outs",
        graph.causes.len() - narrower,
        graph.symptoms.len(),
        graph.patterns().count(),
        graph.checks.len(),
        graph.codes.len(),
        graph.advice.len(),
        graph.timeouts.len()
    )
}

fn print_judged(judged: &[Judged]) {
    let share = |most: usize| {
        let right = judged
            .iter()
            .filter(|one| one.rank.is_some_and(|rank| rank <= most))
            .count();
        right as f64 / judged.len().max(1) as f64
    };
    println!(
        "  {} texts, right cause first {:.3}, among three {:.3}",
        judged.len(),
        share(1),
        share(3)
    );
    for (right, first, ids) in confusions(judged).into_iter().take(MOST_CONFUSIONS) {
        println!(
            "  {:3}  {right} taken for {first}: {}",
            ids.len(),
            ids.join(" ")
        );
    }
}

/// The place of each text's cause, a line each: `id,rank`, 0 where it is not listed.
pub(crate) fn ranks(judged: &[Judged]) -> String {
    let mut lines = String::from("id,rank\n");
    for one in judged {
        let _ = writeln!(lines, "{},{}", one.id, one.rank.unwrap_or(0));
    }
    lines
}

#[derive(Deserialize)]
struct CaseLine {
    id: String,
    input: String,
    label: String,
    #[serde(default)]
    accept: Vec<String>,
    #[serde(default)]
    situation: Option<String>,
    /// Several cases of one set-up.
    #[serde(default)]
    group: Option<String>,
}

/// Every case twice: the text alone, and with what was said around it.
pub(super) fn read_cases(paths: &[PathBuf]) -> io::Result<Vec<Labelled>> {
    let mut cases = Vec::new();
    for path in paths {
        for (number, line) in fs::read_to_string(path)
            .map_err(|error| named(path, &error))?
            .lines()
            .enumerate()
        {
            if line.trim().is_empty() {
                continue;
            }
            let case: CaseLine = serde_json::from_str(line)
                .map_err(|error| named(path, &format!("line {}: {error}", number + 1)))?;
            add(&mut cases, case);
        }
    }
    Ok(cases)
}

fn named(path: &Path, error: &dyn std::fmt::Display) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("{}: {error}", path.display()),
    )
}

fn add(cases: &mut Vec<Labelled>, case: CaseLine) {
    let labelled = |id: String, text: String| Labelled {
        id,
        text,
        cause: case.label.clone(),
        accept: case.accept.clone(),
        group: case.group.clone().unwrap_or_else(|| case.id.clone()),
    };
    if let Some(situation) = case.situation.as_deref().filter(|text| !text.is_empty()) {
        let text = format!("{}\n\n{situation}", case.input);
        cases.push(labelled(format!("{}+situation", case.id), text));
    }
    cases.push(labelled(case.id.clone(), case.input));
}
