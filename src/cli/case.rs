//! `wsdoctor case ...`: the cases of a database, and whether the same is said again.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};

use super::database::with_app;
use super::usage_error;
use crate::app::{App, AppError, CaseReplay};
use crate::case::handover::{Bundle, cause_title, describe};
use crate::case::replay::Replayed;
use crate::case::{CaseState, DiagnosedCase};
use crate::config::DatabasePlace;
use crate::engine::graph::Graph;
use crate::json::{self, CaseSummaryJson};
use crate::report::{self, bundle_markdown, percent, plain};
use crate::store::{CaseSummary, KnowledgeRecord};

/// A list names at most that many cases.
const MOST_LISTED: usize = 10_000;

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum ListFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum ExportFormat {
    Markdown,
    Json,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the cases, those that changed last first
    List {
        /// Only those that stand so: open, verifying, solved, worked_around, given_up, handed_over
        #[arg(long)]
        state: Option<String>,
        #[arg(long, value_enum, default_value = "text")]
        format: ListFormat,
        #[command(flatten)]
        database: DatabasePlace,
    },
    /// Show a case: what happened, what it amounts to, what to do next
    Show {
        /// The case's id, or its number
        id: String,
        #[command(flatten)]
        database: DatabasePlace,
    },
    /// Write everything that whoever goes on with a case needs
    Export {
        /// The case's id, or its number
        id: String,
        #[arg(long, value_enum, default_value = "markdown")]
        format: ExportFormat,
        #[command(flatten)]
        database: DatabasePlace,
    },
    /// Diagnose every stage of a case again: exit 0 if the same is said, 1 with what changed if not
    Replay {
        /// The case's id, or its number
        id: String,
        #[command(flatten)]
        database: DatabasePlace,
    },
}

pub(super) fn run(command: Command) -> ExitCode {
    match command {
        Command::List {
            state,
            format,
            database,
        } => list(state.as_deref(), format, database),
        Command::Show { id, database } => with_app(database, async |app| {
            let found = find(&app, &id).await?;
            print!("{}", shown(app.engine().graph(), &found));
            Ok(ExitCode::SUCCESS)
        }),
        Command::Export {
            id,
            format,
            database,
        } => with_app(database, async |app| {
            let found = find(&app, &id).await?;
            println!("{}", exported(app.engine().graph(), &found, format)?);
            Ok(ExitCode::SUCCESS)
        }),
        Command::Replay { id, database } => with_app(database, async |app| {
            let id = id_of(&app, &id).await?;
            let replayed = app.replay(&id).await.map_err(said)?;
            let (text, code) = replay(app.engine().graph(), &replayed);
            print!("{text}");
            Ok(code)
        }),
    }
}

fn said(error: AppError) -> String {
    error.to_string()
}

/// The id of a case that is named by its id or its number.
async fn id_of(app: &App, named: &str) -> Result<String, String> {
    let Ok(number) = named.parse::<i64>() else {
        return Ok(named.to_owned());
    };
    let cases = app.cases(None, MOST_LISTED).await.map_err(said)?;
    cases
        .into_iter()
        .find(|case| case.number == number)
        .map(|case| case.id)
        .ok_or_else(|| format!("there is no case with the number {number}"))
}

async fn find(app: &App, named: &str) -> Result<DiagnosedCase, String> {
    let id = id_of(app, named).await?;
    app.case(&id).await.map_err(said)
}

fn list(state: Option<&str>, format: ListFormat, database: DatabasePlace) -> ExitCode {
    let state = match state.map(|word| CaseState::from_word(word).ok_or(word)) {
        None => None,
        Some(Ok(state)) => Some(state),
        Some(Err(word)) => {
            let known = CaseState::ALL.map(CaseState::as_str).join(", ");
            return usage_error(format!("{word:?} is no state: write one of {known}"));
        }
    };
    with_app(database, async |app| {
        let cases = app.cases(state, MOST_LISTED).await.map_err(said)?;
        match format {
            ListFormat::Text => print!("{}", listed(app.engine().graph(), &cases)),
            ListFormat::Json => {
                let cases: Vec<CaseSummaryJson> = cases.into_iter().map(summary).collect();
                let text = serde_json::to_string_pretty(&cases).map_err(|e| e.to_string())?;
                println!("{text}");
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn summary(case: CaseSummary) -> CaseSummaryJson {
    CaseSummaryJson {
        id: case.id,
        number: case.number,
        state: case.state.as_str(),
        revision: case.revision,
        created_at: case.created_at.to_string(),
        updated_at: case.updated_at.to_string(),
        cause: case.cause,
    }
}

fn listed(graph: &Graph, cases: &[CaseSummary]) -> String {
    // Writing to a string does not fail.
    let mut out = String::new();
    for case in cases {
        let cause = case
            .cause
            .as_deref()
            .map_or("", |id| cause_title(graph, id));
        let _ = writeln!(
            out,
            "{:>6}  {}  {:<13}  {}  {}",
            case.number,
            case.id,
            case.state.as_str(),
            case.updated_at.strftime("%Y-%m-%d %H:%M"),
            plain(cause)
        );
    }
    if cases.is_empty() {
        out.push_str("There are no such cases.\n");
    }
    out
}

fn shown(graph: &Graph, found: &DiagnosedCase) -> String {
    let case = &found.case;
    let mut out = format!(
        "Case {} ({}): {}, revision {}\n\n",
        case.number,
        case.id,
        case.state.as_str(),
        case.revision
    );
    for (position, entry) in case.entries.iter().enumerate() {
        let back = if case.is_taken_back(position) {
            " (taken back)"
        } else {
            ""
        };
        let lead = entry
            .given
            .as_ref()
            .and_then(|given| given.leading())
            .map_or(String::new(), |(id, probability)| {
                format!("  -> {} {}", percent(*probability), cause_title(graph, id))
            });
        let _ = writeln!(
            out,
            "{:>3}  {}  {}{back}{lead}",
            position + 1,
            entry.at.strftime("%Y-%m-%d %H:%M UTC"),
            plain(&describe(graph, case, position))
        );
    }
    for contradiction in &found.contradictions {
        let values: Vec<String> = contradiction
            .values
            .iter()
            .map(|said| format!("{} (entry {})", plain(&said.value), said.entry + 1))
            .collect();
        let key = plain(&contradiction.key);
        let _ = writeln!(out, "\nContradiction: {key}: {}", values.join(", "));
    }
    let _ = write!(out, "\n{}\n", report::text(&found.diagnosis));
    out
}

fn exported(graph: &Graph, found: &DiagnosedCase, format: ExportFormat) -> Result<String, String> {
    let address = format!("/cases/{}", found.case.id);
    let bundle = Bundle::of(graph, found, Some(&address));
    match format {
        ExportFormat::Markdown => Ok(bundle_markdown(&bundle, found, Some(&address))),
        ExportFormat::Json => serde_json::to_string_pretty(&json::bundle(&bundle, found))
            .map_err(|error| error.to_string()),
    }
}

/// What became of a case when it was made again.
fn replay(graph: &Graph, replayed: &CaseReplay) -> (String, ExitCode) {
    let mut out = String::new();
    let unkept = replayed
        .revisions
        .iter()
        .filter(|one| one.then.is_none())
        .count();
    if unkept > 0 {
        let _ = writeln!(
            out,
            "{unkept} revisions are from before diagnoses were kept: they cannot be compared."
        );
    }
    let changed: Vec<&Replayed> = replayed
        .revisions
        .iter()
        .filter(|one| one.then.is_some() && !one.is_identical())
        .collect();
    let mut shown: Vec<&str> = Vec::new();
    for one in &changed {
        let Some(then) = &one.then else { continue };
        let _ = writeln!(out, "Revision {}: not the same", one.revision);
        let _ = writeln!(
            out,
            "  knowledge then {}, now {}",
            then.knowledge, one.now.knowledge
        );
        if !shown.contains(&then.knowledge.as_str()) {
            shown.push(&then.knowledge);
            difference(&mut out, replayed.then.get(&then.knowledge), &replayed.now);
        }
        for shift in one.shifts() {
            let word = |p: Option<f64>| p.map_or("not listed".to_owned(), |p| format!("{p:.4}"));
            let _ = writeln!(
                out,
                "  {}: {} -> {}  ({})",
                shift.cause,
                word(shift.then),
                word(shift.now),
                plain(cause_title(graph, &shift.cause))
            );
        }
        if one.shifts().is_empty() {
            out.push_str("  the causes are as likely as before; other words or details changed\n");
        }
    }
    if !changed.is_empty() {
        return (out, ExitCode::FAILURE);
    }
    let others = replayed
        .revisions
        .iter()
        .filter(|one| {
            one.then
                .as_ref()
                .is_some_and(|then| then.knowledge != one.now.knowledge)
        })
        .count();
    let _ = writeln!(
        out,
        "Identical: {} revisions give the same, byte by byte.",
        replayed.revisions.len() - unkept
    );
    if others > 0 {
        let _ = writeln!(
            out,
            "{others} of them were made with other knowledge, which says the same of this case."
        );
    }
    (out, ExitCode::SUCCESS)
}

/// What differs between the knowledge then and now.
fn difference(out: &mut String, then: Option<&KnowledgeRecord>, now: &KnowledgeRecord) {
    let Some(then) = then else {
        out.push_str("  what stood behind the knowledge then is not remembered\n");
        return;
    };
    if then.hash == now.hash {
        out.push_str("  the knowledge is the same: the program or the evidence differs\n");
    }
    if then.program != now.program {
        let _ = writeln!(out, "  program {} then, {} now", then.program, now.program);
    }
    let mut entries: Vec<&String> = then.entries.keys().chain(now.entries.keys()).collect();
    entries.sort();
    entries.dedup();
    let mut is_local = false;
    for entry in entries {
        let (before, after) = (then.entries.get(entry), now.entries.get(entry));
        if before != after {
            is_local = true;
            let word = |version: Option<&i64>| {
                version.map_or("as shipped".to_owned(), |number| {
                    format!("version {number}")
                })
            };
            let _ = writeln!(out, "  entry {entry}: {} -> {}", word(before), word(after));
        }
    }
    if then.files != now.files && !is_local {
        out.push_str("  the shipped knowledge files are others\n");
    }
    let mut causes: Vec<&String> = then.learned.keys().chain(now.learned.keys()).collect();
    causes.sort();
    causes.dedup();
    for cause in causes {
        let weight = |record: &KnowledgeRecord| record.learned.get(cause).copied().unwrap_or(0.0);
        let (before, after) = (weight(then), weight(now));
        if before != after {
            let _ = writeln!(out, "  learned of {cause}: {before:.2} -> {after:.2} cases");
        }
    }
}
