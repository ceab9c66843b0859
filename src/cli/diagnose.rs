//! `wsdoctor diagnose`: from a file or standard input to causes, without a database.

use std::io::{self, BufRead, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use serde::Deserialize;

use super::usage_error;
use crate::engine::evidence::{Context, Reach, decoded};
use crate::engine::near::near_names;
use crate::engine::{Engine, Evidence};
use crate::json::{self, ContextJson, EvidenceJson, FactJson};
use crate::report;
use crate::store::files;

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
    Markdown,
}

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The file to read; standard input if left out
    file: Option<PathBuf>,
    /// How to print the diagnosis
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Say why this cause is as likely as it is, and what would change that; its id
    #[arg(long, value_name = "CAUSE", conflicts_with = "batch")]
    why: Option<String>,
    /// JSON lines in (id, text, optional facts and context), JSON lines out (id, causes)
    #[arg(long)]
    batch: bool,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let input: Box<dyn Read> = match &arguments.file {
        None => Box::new(io::stdin()),
        Some(path) => match std::fs::File::open(path) {
            Ok(file) => Box::new(file),
            Err(error) => return usage_error(format!("{}: {error}", path.display())),
        },
    };
    let engine = files::shipped_engine();
    let done = if arguments.batch {
        batch(&engine, input)
    } else {
        single(&engine, input, arguments)
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads us has seen enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => usage_error(error),
    }
}

fn single(engine: &Engine, mut input: Box<dyn Read>, arguments: &Arguments) -> io::Result<()> {
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes)?;
    let evidence = vec![Evidence {
        text: Some(decoded(bytes)),
        context: Context {
            // The command that probes is at hand.
            reach: Reach::Inside,
            ..Context::default()
        },
        ..Evidence::default()
    }];
    if let Some(cause) = &arguments.why {
        return why(engine, &evidence, cause, arguments.format);
    }
    let diagnosis = engine.diagnose_owned(evidence);
    let mut out = io::stdout().lock();
    match arguments.format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &json::diagnosis(&diagnosis))?;
            writeln!(out)
        }
        Format::Text => writeln!(out, "{}", report::text(&diagnosis)),
        Format::Markdown => write!(out, "{}", report::markdown(&diagnosis, None)),
    }
}

fn why(engine: &Engine, evidence: &[Evidence], cause: &str, format: Format) -> io::Result<()> {
    let explanation = engine.explain(evidence, cause).ok_or_else(|| {
        let known = engine.graph().causes.iter().map(|cause| cause.id.as_str());
        let near = match near_names(cause, known, 3).as_slice() {
            [] => String::new(),
            near => format!("; near names: {}", near.join(", ")),
        };
        let complaint = format!("there is no cause {cause:?}{near}");
        io::Error::new(io::ErrorKind::InvalidInput, complaint)
    })?;
    let mut out = io::stdout().lock();
    match format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &json::explanation(&explanation))?;
            writeln!(out)
        }
        Format::Text => writeln!(out, "{}", report::explanation_text(&explanation)),
        Format::Markdown => write!(out, "{}", report::explanation_markdown(&explanation)),
    }
}

#[derive(Deserialize)]
struct Line {
    id: serde_json::Value,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    facts: Vec<FactJson>,
    #[serde(default)]
    context: Option<ContextJson>,
}

fn batch(engine: &Engine, input: Box<dyn Read>) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for (number, line) in io::BufReader::new(input).lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let parsed: Line = serde_json::from_str(&line).map_err(|error| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("line {}: {error}", number + 1),
            )
        })?;
        let evidence = EvidenceJson {
            text: parsed.text,
            facts: parsed.facts,
            context: parsed.context,
            probe: None,
        };
        let causes = match evidence.into_evidence() {
            Ok(evidence) => json::causes(&engine.diagnose(&[evidence])),
            Err(_) => Vec::new(),
        };
        serde_json::to_writer(
            &mut out,
            &serde_json::json!({"id": parsed.id, "causes": causes}),
        )?;
        out.write_all(b"\n")?;
        out.flush()?;
    }
    Ok(())
}
