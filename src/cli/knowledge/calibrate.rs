//! `wsdoctor knowledge calibrate`: whether the probabilities mean what they say.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::super::usage_error;
use super::check::read_cases;
use crate::engine::calibration::{
    Calibration, Figures, Forecast, calibrate, figures, reliability, share_right,
};
use crate::engine::diagnosis::{IDENTIFIED, LIKELY};
use crate::engine::ranking::Numbers;
use crate::store::files;

/// Deals the groups to the folds.
const SEED: u64 = 5;

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    /// A file of labelled cases, JSON lines with id, input, label and optionally accept, situation
    /// and group; may be given several times
    #[arg(long, value_name = "FILE", required = true)]
    cases: Vec<PathBuf>,
    /// Into so many parts the groups are dealt; each part is judged by numbers that were chosen
    /// without it. As many as there are groups leaves one out at a time
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(2..))]
    folds: u16,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    #[default]
    Text,
    Json,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let texts = match read_cases(&arguments.cases) {
        Ok(texts) if texts.is_empty() => return usage_error("there is no case in the files"),
        Ok(texts) => texts,
        Err(error) => return usage_error(error),
    };
    let engine = files::shipped_engine();
    let numbers = Numbers::default();
    let found = calibrate(&engine, &numbers, &texts, arguments.folds.into(), SEED);
    match arguments.format {
        Format::Text => print(&found),
        Format::Json => println!("{}", as_json(&found)),
    }
    ExitCode::SUCCESS
}

fn print(found: &Calibration) {
    println!(
        "{} texts in {} groups, {} folds; nothing is changed by this.\n",
        found.texts, found.groups, found.folds
    );
    println!("| numbers | top1 | top3 | Brier | log loss | ECE | ECE band |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for (name, forecasts) in [
        ("as they are", &found.before),
        ("chosen, held out", &found.after),
    ] {
        let of = figures(forecasts);
        println!(
            "| {name} | {:.4} | {:.4} | {:.4} | {:.4} | {:.4} | {:.4} |",
            of.top1, of.top3, of.brier, of.log_loss, of.ece, of.ece_band
        );
    }
    for (name, forecasts) in [
        ("As they are", &found.before),
        ("Chosen, held out", &found.after),
    ] {
        println!("\n{name}:\n");
        println!("| mean probability | share right | texts |\n| --- | --- | --- |");
        for bin in reliability(forecasts) {
            println!(
                "| {:.3} | {:.3} | {} |",
                bin.probability, bin.right, bin.count
            );
        }
        println!("\n| verdict | probability | share right | texts |\n| --- | --- | --- | --- |");
        for (word, from, below) in WORDS {
            let (count, right) = share_right(forecasts, from, below);
            println!("| {word} | {from:.2} to {below:.2} | {right:.3} | {count} |");
        }
    }
    println!();
    if found.changes.is_empty() {
        println!("No other number is supported.");
    }
    for change in &found.changes {
        println!(
            "Would change {} from {} to {} (chosen in {} of {} folds).",
            change.name, change.from, change.to, change.folds, found.folds
        );
    }
}

/// The verdict's words and the probabilities that they stand for; just above 1 closes the last.
const WORDS: [(&str, f64, f64); 3] = [
    ("ambiguous", 0.0, LIKELY),
    ("likely", LIKELY, IDENTIFIED),
    ("identified", IDENTIFIED, 1.001),
];

fn as_json(found: &Calibration) -> Value {
    json!({
        "texts": found.texts,
        "groups": found.groups,
        "folds": found.folds,
        "before": side(&found.before),
        "after": side(&found.after),
        "changes": found.changes.iter().map(|change| json!({
            "name": change.name, "from": change.from, "to": change.to, "folds": change.folds,
        })).collect::<Vec<Value>>(),
    })
}

fn side(forecasts: &[Forecast]) -> Value {
    let round = |value: f64| (value * 10_000.0).round() / 10_000.0;
    let Figures {
        top1,
        top3,
        brier,
        log_loss,
        ece,
        ece_band,
    } = figures(forecasts);
    json!({
        "top1": round(top1), "top3": round(top3), "brier": round(brier),
        "log_loss": round(log_loss), "ece": round(ece), "ece_band": round(ece_band),
        "reliability": reliability(forecasts).iter().map(|bin| json!({
            "probability": round(bin.probability), "right": round(bin.right), "count": bin.count,
        })).collect::<Vec<Value>>(),
        "verdicts": WORDS.iter().map(|(word, from, below)| {
            let (count, right) = share_right(forecasts, *from, *below);
            json!({"verdict": word, "from": from, "right": round(right), "count": count})
        }).collect::<Vec<Value>>(),
    })
}
