//! `wsdoctor config`: the settings that hold, where they can be given, and what they mean.

use std::process::ExitCode;

use super::usage_error;
use crate::config::{Settings, Typed};

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    settings: Typed,
}

pub(super) fn run(arguments: Arguments) -> ExitCode {
    let settings = match Settings::load(arguments.settings) {
        Ok(settings) => settings,
        Err(error) => return usage_error(error),
    };
    let rows = settings.describe();
    let widest = |cell: fn(&crate::config::SettingDescription) -> &str, heading: &str| {
        rows.iter()
            .map(|row| cell(row).chars().count())
            .max()
            .unwrap_or(0)
            .max(heading.len())
    };
    let names = widest(|row| row.name, "SETTING");
    let values = widest(|row| &row.value, "VALUE");
    let defaults = widest(|row| row.default, "DEFAULT");
    let environments = widest(|row| row.environment, "ENVIRONMENT");
    let line = |name: &str, value: &str, default: &str, environment: &str, meaning: &str| {
        println!(
            "{name:names$}  {value:values$}  {default:defaults$}  {environment:environments$}  {meaning}"
        );
    };
    line("SETTING", "VALUE", "DEFAULT", "ENVIRONMENT", "MEANING");
    for row in &rows {
        line(
            row.name,
            &row.value,
            row.default,
            row.environment,
            &row.meaning,
        );
    }
    ExitCode::SUCCESS
}
