//! The command line: one file a command.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line talks on its standard streams"
)]

mod case;
mod config;
mod database;
mod diagnose;
mod explain;
mod knowledge;
mod probe;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Usage or input that cannot be read.
const EXIT_USAGE: u8 = 2;

#[derive(Parser)]
#[command(
    name = "wsdoctor",
    version,
    about = "Tells why a WebSocket connection fails, and leads to a verified fix"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve pages and API
    Serve(Box<serve::Arguments>),
    /// Print the settings, where they can be given, and what they mean
    Config(Box<config::Arguments>),
    /// Diagnose a text: an error, a log, a command's output
    Diagnose(diagnose::Arguments),
    /// Explain a code, an error name, a cause or a symptom
    Explain(explain::Arguments),
    /// Probe an address from this machine: which layer breaks?
    Probe(Box<probe::Arguments>),
    /// Look after the knowledge base
    #[command(subcommand)]
    Knowledge(knowledge::Command),
    /// Look at the cases of a database
    #[command(subcommand)]
    Case(case::Command),
}

/// Runs the command that was typed.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.command {
        Command::Serve(arguments) => serve::run(*arguments),
        Command::Config(arguments) => config::run(*arguments),
        Command::Diagnose(arguments) => diagnose::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Probe(arguments) => probe::run(*arguments),
        Command::Knowledge(command) => knowledge::run(command),
        Command::Case(command) => case::run(command),
    }
}

/// Says on standard error what is wrong, and gives the exit code for it.
fn usage_error(message: impl std::fmt::Display) -> ExitCode {
    eprintln!("wsdoctor: {message}");
    ExitCode::from(EXIT_USAGE)
}
