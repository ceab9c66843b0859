//! The kinds of values that settings have, one module each.
//!
//! `parse` reads what was typed, `show` prints a value so that `parse` would
//! read it again, `PLACEHOLDER` stands in the command line's help.

use super::{Given, Unusable, without_credentials};

/// Reads the last of `texts`, the only one that a single-valued setting has.
fn one<T>(
    texts: &[Given],
    instead: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, Unusable> {
    let given = texts.last().cloned().unwrap_or_default();
    read(given.text.trim()).ok_or_else(|| Unusable {
        given,
        instead: instead.to_owned(),
    })
}

/// Splits `"30 s"` into its number and its unit in small letters.
fn number_and_unit(text: &str) -> Option<(u64, String)> {
    let digits = text
        .find(|sign: char| !sign.is_ascii_digit())
        .unwrap_or(text.len());
    let number = text[..digits].parse().ok()?;
    Some((number, text[digits..].trim().to_ascii_lowercase()))
}

pub(super) mod address {
    use super::{Given, Unusable, one};
    use std::net::SocketAddr;

    pub(crate) const PLACEHOLDER: &str = "ADDRESS:PORT";

    pub(crate) fn parse(texts: &[Given]) -> Result<SocketAddr, Unusable> {
        let instead = "an IP address and a port such as 127.0.0.1:8080 or [::1]:8080";
        one(texts, instead, |text| text.parse().ok())
    }

    pub(crate) fn show(value: &SocketAddr) -> String {
        value.to_string()
    }
}

pub(super) mod database {
    use super::super::DatabaseUrl;
    use super::{Given, Unusable, one};

    pub(crate) const PLACEHOLDER: &str = "URL";

    pub(crate) fn parse(texts: &[Given]) -> Result<DatabaseUrl, Unusable> {
        let instead = "the address of a SQLite file such as sqlite://wsdoctor.db";
        one(texts, instead, |text| {
            let file = text.strip_prefix("sqlite:")?;
            let named = !file.trim_start_matches('/').is_empty();
            named.then(|| DatabaseUrl(text.to_owned()))
        })
    }

    pub(crate) fn show(value: &DatabaseUrl) -> String {
        value.to_string()
    }
}

pub(super) mod list {
    use super::{Given, Unusable};

    pub(crate) const PLACEHOLDER: &str = "NETWORK-OR-NAME";

    /// Commas separate too, since an environment variable holds one text only.
    pub(crate) fn parse(texts: &[Given]) -> Result<Vec<String>, Unusable> {
        let mut entries = Vec::new();
        for given in texts {
            let parts = given.text.split(',').map(str::trim);
            entries.extend(parts.filter(|part| !part.is_empty()).map(str::to_owned));
        }
        Ok(entries)
    }

    #[expect(
        clippy::ptr_arg,
        reason = "every kind takes a reference to its own type"
    )]
    pub(crate) fn show(value: &Vec<String>) -> String {
        value.join(",")
    }
}

pub(super) mod ports {
    use super::{Given, Unusable, list};

    pub(crate) const PLACEHOLDER: &str = "PORTS";

    /// Every entry must be a port or a range, so that a typing error does not close or open all.
    pub(crate) fn parse(texts: &[Given]) -> Result<Vec<String>, Unusable> {
        let entries = list::parse(texts)?;
        let is_port = |text: &str| text.trim().parse::<u16>().is_ok_and(|port| port > 0);
        let is_fine = |entry: &String| match entry.split_once('-') {
            Some((first, last)) => is_port(first) && is_port(last),
            None => is_port(entry),
        };
        if !entries.is_empty() && entries.iter().all(is_fine) {
            return Ok(entries);
        }
        Err(Unusable {
            given: texts.last().cloned().unwrap_or_default(),
            instead: "ports and ranges such as 80,443,8000-8999".to_owned(),
        })
    }

    pub(crate) fn show(value: &Vec<String>) -> String {
        list::show(value)
    }
}

pub(super) mod duration {
    use super::{Given, Unusable, number_and_unit, one};
    use std::time::Duration;

    pub(crate) const PLACEHOLDER: &str = "DURATION";

    /// A zero deadline would cut every client, and one of years overflows
    /// clocks, so neither is taken.
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

    pub(crate) fn parse(texts: &[Given]) -> Result<Duration, Unusable> {
        let instead = "a number of seconds, or one with a unit such as 500ms, 30s, 5m or 1h, \
                       more than zero and at most a day";
        one(texts, instead, |text| {
            let (number, unit) = number_and_unit(text)?;
            let milliseconds = match unit.as_str() {
                "ms" => 1,
                "" | "s" => 1_000,
                "m" | "min" => 60_000,
                "h" => 3_600_000,
                _ => return None,
            };
            let value = Duration::from_millis(number.checked_mul(milliseconds)?);
            (!value.is_zero() && value <= LONGEST).then_some(value)
        })
    }

    pub(crate) fn show(value: &Duration) -> String {
        let milliseconds = value.as_millis();
        if milliseconds.is_multiple_of(1_000) {
            format!("{}s", milliseconds / 1_000)
        } else {
            format!("{milliseconds}ms")
        }
    }
}

pub(super) mod bytes {
    use super::{Given, Unusable, number_and_unit, one};

    pub(crate) const PLACEHOLDER: &str = "SIZE";

    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

    pub(crate) fn parse(texts: &[Given]) -> Result<usize, Unusable> {
        let instead = "a number of bytes, or one with a unit such as 64KiB, 8MiB or 1GiB, \
                       more than zero";
        one(texts, instead, |text| {
            let (number, unit) = number_and_unit(text)?;
            let factor = match unit.as_str() {
                "" | "b" => 1,
                "kb" => 1_000,
                "mb" => 1_000_000,
                "gb" => 1_000_000_000,
                unit => {
                    UNITS
                        .iter()
                        .find(|(name, _)| name.eq_ignore_ascii_case(unit))?
                        .1
                }
            };
            let value = usize::try_from(number.checked_mul(factor)?).ok()?;
            (value > 0).then_some(value)
        })
    }

    pub(crate) fn show(value: &usize) -> String {
        let value = *value as u64;
        UNITS
            .iter()
            .find(|(_, factor)| value.is_multiple_of(*factor))
            .map_or_else(
                || value.to_string(),
                |(name, factor)| format!("{}{name}", value / factor),
            )
    }
}

pub(super) mod count {
    use super::{Given, Unusable, one};

    pub(crate) const PLACEHOLDER: &str = "NUMBER";

    pub(crate) fn parse(texts: &[Given]) -> Result<usize, Unusable> {
        one(texts, "a whole number from 1 to 1000000", |text| {
            text.parse()
                .ok()
                .filter(|count| (1..=1_000_000).contains(count))
        })
    }

    pub(crate) fn show(value: &usize) -> String {
        value.to_string()
    }
}

pub(super) mod days {
    use super::{Given, Unusable, one};

    pub(crate) const PLACEHOLDER: &str = "DAYS";

    pub(crate) fn parse(texts: &[Given]) -> Result<u32, Unusable> {
        one(texts, "a whole number of days from 1 to 36500", |text| {
            text.parse().ok().filter(|days| (1..=36_500).contains(days))
        })
    }

    pub(crate) fn show(value: &u32) -> String {
        value.to_string()
    }
}

pub(super) mod web_address {
    use super::{Given, Unusable, one, without_credentials};

    pub(crate) const PLACEHOLDER: &str = "URL";

    pub(crate) fn parse(texts: &[Given]) -> Result<Option<String>, Unusable> {
        let instead = "an address such as https://wsdoctor.example without user, query or fragment";
        one(texts, instead, |text| {
            let text = text.trim_end_matches('/');
            if text.is_empty() {
                return Some(None);
            }
            let lower = text.to_ascii_lowercase();
            let rest = lower
                .strip_prefix("https://")
                .or_else(|| lower.strip_prefix("http://"))?;
            // It is put into pages and chat messages, so no sign that could
            // end an attribute or a link.
            let harmless = |sign: char| sign.is_ascii_alphanumeric() || "-._~:/[]%".contains(sign);
            let usable = !rest.is_empty() && !rest.starts_with('/') && rest.chars().all(harmless);
            usable.then(|| Some(text.to_owned()))
        })
    }

    pub(crate) fn show(value: &Option<String>) -> String {
        without_credentials(value.as_deref().unwrap_or_default())
    }
}

pub(super) mod log_format {
    use super::super::LogFormat;
    use super::{Given, Unusable, one};

    pub(crate) const PLACEHOLDER: &str = "text|json";

    pub(crate) fn parse(texts: &[Given]) -> Result<LogFormat, Unusable> {
        one(texts, "text or json", |text| match text {
            "text" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _ => None,
        })
    }

    pub(crate) fn show(value: &LogFormat) -> String {
        match value {
            LogFormat::Text => "text".to_owned(),
            LogFormat::Json => "json".to_owned(),
        }
    }
}

pub(super) mod log_filter {
    use super::{Given, Unusable, one};
    use tracing_subscriber::EnvFilter;

    pub(crate) const PLACEHOLDER: &str = "FILTER";

    pub(crate) fn parse(texts: &[Given]) -> Result<String, Unusable> {
        let instead = "a level (error, warn, info, debug, trace, off) or levels for parts such as \
                       info,wsdoctor=debug";
        one(texts, instead, |text| {
            EnvFilter::try_new(text).ok().map(|_| text.to_owned())
        })
    }

    #[expect(
        clippy::ptr_arg,
        reason = "every kind takes a reference to its own type"
    )]
    pub(crate) fn show(value: &String) -> String {
        value.clone()
    }
}
