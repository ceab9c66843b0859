//! `wsdoctor probe`: looks for itself which layer breaks, from this machine.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::ValueEnum;
use tokio::sync::mpsc;

use super::usage_error;
use crate::app;
use crate::case::{Report, Stage, StageState, Variant};
use crate::config::ProbeChoices;
use crate::engine::Diagnosis;
use crate::engine::diagnosis::VerdictKind;
use crate::json;
use crate::probe::policy::Refusal;
use crate::probe::{Event, Order, Prober, Vantage};
use crate::report;
use crate::store::files;

/// A fault was found.
const EXIT_FAULT: u8 = 1;
/// The policy refuses the probe.
const EXIT_REFUSED: u8 = 3;

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The address, such as wss://server.example/path
    url: String,
    /// How to print what was found
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// The Origin of the page that fails, such as https://app.example
    #[arg(long)]
    origin: Option<String>,
    /// Hold the connection open that long, to find idle cuts
    #[arg(long, value_name = "SECONDS", default_value = "0")]
    hold: u64,
    /// Reach addresses that are not public, on every port: your own machine and network
    #[arg(long)]
    allow_private: bool,
    /// Try all variants of the handshake, not only those that are worth their time
    #[arg(long)]
    all: bool,
    /// Subprotocol to offer; may be given several times
    #[arg(long, value_name = "NAME")]
    subprotocol: Vec<String>,
    /// Further request header, as 'Name: value'; may be given several times
    #[arg(long, value_name = "HEADER")]
    header: Vec<String>,
    #[command(flatten)]
    choices: ProbeChoices,
}

pub(super) fn run(arguments: Arguments) -> ExitCode {
    let settings = match arguments.choices.clone().settings() {
        Ok(settings) => settings,
        Err(error) => return usage_error(error),
    };
    let policy = match app::policy(&settings, arguments.allow_private) {
        Ok(policy) => policy,
        Err(error) => return usage_error(error),
    };
    let order = match order(&arguments) {
        Ok(order) => order,
        Err(message) => return usage_error(message),
    };
    let prober = Prober::new(policy, app::limits(&settings));
    if order.hold > prober.limits().hold {
        return usage_error(format!(
            "a connection is held for at most {} s: give less with --hold, or raise \
             probe_hold_limit in the settings file",
            prober.limits().hold.as_secs()
        ));
    }
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return usage_error(error),
    };
    let result = runtime.block_on(probe(&prober, &order, arguments.format));
    // A resolver that does not answer sits in a thread of its own: nobody waits for it.
    runtime.shutdown_background();
    match result {
        Ok(report) => conclude(&report, arguments.format),
        Err(refusal) => refused(&refusal, &order, arguments.format),
    }
}

fn order(arguments: &Arguments) -> Result<Order, String> {
    let headers = arguments
        .header
        .iter()
        .map(|header| match header.split_once(':') {
            Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
            None => Err(format!("{header:?} is no header: write 'Name: value'")),
        })
        .collect::<Result<_, _>>()?;
    Ok(Order {
        url: arguments.url.clone(),
        origin: arguments.origin.clone(),
        headers,
        subprotocols: arguments.subprotocol.clone(),
        hold: Duration::from_secs(arguments.hold),
        all: arguments.all,
        vantage: Vantage::User,
    })
}

async fn probe(prober: &Prober, order: &Order, format: Format) -> Result<Report, Refusal> {
    let (events, mut happened) = mpsc::unbounded_channel();
    let running = async {
        let result = prober.run(order, &events).await;
        drop(events);
        result
    };
    let telling = async {
        while let Some(event) = happened.recv().await {
            if format == Format::Text {
                tell(&event);
            }
        }
    };
    let (result, ()) = tokio::join!(running, telling);
    result
}

/// The ladder, a line as each stage ends.
fn tell(event: &Event) {
    let line = match event {
        Event::Began(_) => return,
        Event::Ended(stage) => stage_line(stage),
        Event::Variant(variant) => variant_line(variant),
    };
    // A reader that has seen enough changes nothing about the probe.
    let _ = writeln!(io::stdout(), "{line}");
}

fn stage_line(stage: &Stage) -> String {
    let mark = match stage.state {
        StageState::Ok => "ok",
        StageState::Failed => "FAILS",
        StageState::Skipped => "skipped",
        StageState::NotReached => "-",
    };
    let detail = report::plain(&stage.detail);
    let took = match stage.state {
        StageState::Ok | StageState::Failed => format!("{} ms", stage.took_ms),
        StageState::Skipped | StageState::NotReached => String::new(),
    };
    let line = format!("{:<10} {mark:<8} {took:>8}  {detail}", stage.stage.as_str());
    line.trim_end().to_owned()
}

fn variant_line(variant: &Variant) -> String {
    let finding = if variant.finding.is_empty() {
        String::new()
    } else {
        format!(" => {}", variant.finding)
    };
    format!(
        "  {}: {}{finding}",
        report::plain(&variant.changed),
        report::plain(&variant.outcome)
    )
}

fn conclude(seen: &Report, format: Format) -> ExitCode {
    let engine = files::shipped_engine();
    let diagnosis = engine.diagnose_owned(vec![seen.evidence()]);
    let printed = print(seen, &diagnosis, format);
    match printed {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return usage_error(error),
        _ => {}
    }
    if diagnosis.verdict == VerdictKind::Healthy {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXIT_FAULT)
    }
}

fn print(seen: &Report, diagnosis: &Diagnosis, format: Format) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match format {
        Format::Text => writeln!(out, "\n{}", report::text(diagnosis)),
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &json::report(seen, diagnosis))?;
            writeln!(out)
        }
    }
}

fn refused(refusal: &Refusal, order: &Order, format: Format) -> ExitCode {
    let Some(rule) = refusal.rule else {
        return usage_error(refusal);
    };
    if format == Format::Json {
        let answer = serde_json::json!({
            "url": crate::engine::redact::redact(&order.url).text,
            "state": "refused",
            "rule": rule.as_str(),
            "detail": refusal.message,
        });
        println!("{answer:#}");
    }
    eprintln!("wsdoctor: refused by the rule {}: {refusal}", rule.as_str());
    ExitCode::from(EXIT_REFUSED)
}
