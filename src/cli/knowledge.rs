//! `wsdoctor knowledge ...`: the curator's compiler.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::usage_error;
use crate::engine::graph::Expectation;
use crate::engine::knowledge::{Problem, Severity, SourceFile, check, read};
use crate::engine::{Engine, Evidence};
use crate::store::files;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Check the shipped knowledge, or a folder of knowledge files
    Check {
        /// The folder; the shipped knowledge if left out
        folder: Option<PathBuf>,
        /// Print errors only
        #[arg(long)]
        quiet: bool,
    },
}

pub(super) fn run(command: &Command) -> ExitCode {
    match command {
        Command::Check { folder, quiet } => {
            let files = match folder {
                None => files::shipped(),
                Some(folder) => match files::read_folder(folder) {
                    Ok(files) => files,
                    Err(error) => return usage_error(error),
                },
            };
            report(&files, *quiet)
        }
    }
}

fn report(files: &[SourceFile], quiet: bool) -> ExitCode {
    let read = read(files);
    let mut problems = check(&read);
    let graph = read.graph;
    let counts = format!(
        "{} causes, {} symptoms, {} patterns, {} checks, {} codes, {} pages of advice",
        graph.causes.len(),
        graph.symptoms.len(),
        graph.patterns().count(),
        graph.checks.len(),
        graph.codes.len(),
        graph.advice.len()
    );
    problems.extend(failed_tests(&Engine::new(graph)));
    problems.sort();
    let errors = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .count();
    for problem in &problems {
        if problem.severity == Severity::Error || !quiet {
            println!("{problem}");
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

/// The entries' own tests: which causes are taken for which.
pub(crate) fn failed_tests(engine: &Engine) -> Vec<Problem> {
    let mut problems = Vec::new();
    for cause in &engine.graph().causes {
        let root = cause.parent.as_deref().unwrap_or(&cause.id);
        for test in &cause.tests {
            let diagnosis = engine.diagnose(&[Evidence {
                text: Some(test.input.clone()),
                ..Evidence::default()
            }]);
            let rank = diagnosis.causes.iter().position(|ranked| ranked.id == root);
            let holds = match test.expect {
                Expectation::First => rank == Some(0),
                Expectation::AmongThree => rank.is_some_and(|rank| rank < 3),
                Expectation::Absent => rank.is_none_or(|rank| rank >= 3),
            };
            if !holds {
                let listed: Vec<String> = diagnosis
                    .causes
                    .iter()
                    .take(3)
                    .map(|ranked| format!("{} {:.2}", ranked.id, ranked.probability))
                    .collect();
                let seen: Vec<&str> = diagnosis.symptoms.iter().map(|s| s.id.as_str()).collect();
                problems.push(Problem {
                    file: format!("causes/{}.md", cause.id),
                    line: 0,
                    severity: Severity::Error,
                    message: format!(
                        "test {:?} expects {:?}, but the causes are {}; symptoms seen: {}",
                        test.input.chars().take(120).collect::<String>(),
                        test.expect,
                        listed.join(", "),
                        seen.join(", ")
                    ),
                });
            }
        }
    }
    problems
}
