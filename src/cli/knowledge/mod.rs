//! `wsdoctor knowledge ...`: the curator's compiler, and the knowledge that a database holds.

mod calibrate;
mod check;
mod local;
mod simulate;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use crate::config::DatabasePlace;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Check the shipped knowledge, or a folder of knowledge files
    Check(check::Arguments),
    /// Measure on labelled cases whether the probabilities mean what they say, and which numbers
    /// would make them truer
    Calibrate(calibrate::Arguments),
    /// Simulate cases of every cause and count the minutes to the right fix: the planner against
    /// fixed orders
    Simulate(simulate::Arguments),
    /// Take over into the database what a folder's files say otherwise than the shipped ones
    Import {
        /// The folder
        folder: PathBuf,
        /// Who changed it, for the history
        #[arg(long, env = "USER", default_value = "unknown")]
        author: String,
        /// Why, for the history
        #[arg(long, default_value = "")]
        note: String,
        #[command(flatten)]
        database: DatabasePlace,
    },
    /// Write the knowledge as it counts now, shipped and changed, as files into a folder
    Export {
        /// The folder; it is made, and must be empty
        folder: PathBuf,
        #[command(flatten)]
        database: DatabasePlace,
    },
    /// Count what there is, and list what was changed in the database and what closed cases taught
    Stats {
        /// Forget what closed cases taught
        #[arg(long)]
        reset_learning: bool,
        #[command(flatten)]
        database: DatabasePlace,
    },
    /// Show every version of an entry that was changed in the database, and the difference from
    /// the shipped one
    History {
        /// symptom, system, pattern, check, code, cause or advice
        kind: String,
        /// The entry's id; a code's is family/code
        id: String,
        #[command(flatten)]
        database: DatabasePlace,
    },
}

pub(super) fn run(command: Command) -> ExitCode {
    match command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Calibrate(arguments) => calibrate::run(&arguments),
        Command::Simulate(arguments) => simulate::run(&arguments),
        Command::Import {
            folder,
            author,
            note,
            database,
        } => local::import(&folder, &author, &note, database),
        Command::Export { folder, database } => local::export(&folder, database),
        Command::Stats {
            reset_learning,
            database,
        } => local::stats(database, reset_learning),
        Command::History { kind, id, database } => local::history(&kind, &id, database),
    }
}
