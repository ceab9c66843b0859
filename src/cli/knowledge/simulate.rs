//! `wsdoctor knowledge simulate`: minutes to the right fix, by the planner and by simpler ways.

use std::fmt::Write as _;
use std::process::ExitCode;

use crate::engine::diagnosis::simulation::{OfCause, Setting, simulate};
use crate::store::files;

/// A cause that takes longer than this beyond its own fix is found late.
const LATE: f64 = 45.0;

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Everything is drawn from it
    #[arg(long, default_value_t = 5)]
    seed: u64,
    /// Cases of each cause
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u16).range(1..))]
    cases: u16,
    /// The service may probe the addresses
    #[arg(long)]
    probes: bool,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let engine = files::shipped_engine();
    let setting = |off: f64, costs_off: f64| Setting {
        seed: arguments.seed,
        cases: arguments.cases.into(),
        off,
        costs_off,
        can_probe: arguments.probes,
    };
    let own = simulate(&engine, setting(1.0, 1.0));
    let off = simulate(&engine, setting(3.0, 2.0));
    print!("{}", report(&own, &off));
    ExitCode::SUCCESS
}

/// The tables as they stand in docs/reasoning.md.
pub(crate) fn report(own: &[OfCause], off: &[OfCause]) -> String {
    let mut text = String::from(
        "| world | causes count | planner | articles' order | likeliest fix first | the same, handing over | random | \
         below articles | below likeliest | below the same, handing over | handed over |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for (world, causes) in [
        ("as the knowledge says", own),
        ("chances off by 3, costs by 2", off),
    ] {
        let alike = Summary::of(causes, |_| 1.0);
        let as_frequent = Summary::of(causes, |cause| cause.prior);
        alike.line(&mut text, world, "alike");
        as_frequent.line(&mut text, world, "as frequent");
    }
    text.push_str(
        "\n| cause | own fix | planner | articles | likeliest | steps | wrong fixes | handed over | \
         chances off | late |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    let mut order: Vec<(&OfCause, &OfCause)> = own.iter().zip(off).collect();
    let beyond = |cause: &OfCause| cause.minutes[0] - cause.least;
    order.sort_by(|a, b| {
        beyond(a.0)
            .total_cmp(&beyond(b.0))
            .then(a.0.id.cmp(&b.0.id))
    });
    for (cause, off) in order {
        let _ = writeln!(
            text,
            "| {} | {:.0} | {:.0} | {:.0} | {:.0} | {:.1} | {:.1} | {:.0} % | {:.0} | {} |",
            cause.id,
            cause.least,
            cause.minutes[0],
            cause.minutes[1],
            cause.minutes[2],
            cause.steps,
            cause.wrong_fixes,
            cause.handed_over * 100.0,
            off.minutes[0],
            if beyond(cause) > LATE { "late" } else { "" }
        );
    }
    text
}

/// Means over causes.
struct Summary {
    minutes: [f64; 5],
    handed_over: f64,
}

impl Summary {
    fn of(causes: &[OfCause], weight: impl Fn(&OfCause) -> f64) -> Self {
        let total: f64 = causes.iter().map(&weight).sum();
        let mean = |of: &dyn Fn(&OfCause) -> f64| {
            causes
                .iter()
                .map(|cause| weight(cause) * of(cause))
                .sum::<f64>()
                / total
        };
        Summary {
            minutes: [0, 1, 2, 3, 4].map(|way| mean(&|cause| cause.minutes[way])),
            handed_over: mean(&|cause| cause.handed_over),
        }
    }

    fn line(&self, text: &mut String, world: &str, count: &str) {
        let [planner, articles, likeliest, worth_it, random] = self.minutes;
        let below = |other: f64| (1.0 - planner / other) * 100.0;
        let _ = writeln!(
            text,
            "| {world} | {count} | {planner:.1} | {articles:.1} | {likeliest:.1} | {worth_it:.1} | \
             {random:.1} | {:.0} % | {:.0} % | {:.0} % | {:.0} % |",
            below(articles),
            below(likeliest),
            below(worth_it),
            self.handed_over * 100.0
        );
    }
}
