//! The log: lines of text for people or of JSON for collectors, on standard
//! error, since standard output belongs to a command's answer.
//!
//! What comes from outside must not forge lines or move a terminal's cursor:
//! control characters in a field's value are written as escapes in both
//! shapes. What must not be logged at all (pasted text, tokens) is the
//! caller's business; only panics are handled here, because their messages
//! may quote what was being read.

use std::fmt::{self, Write as _};
use std::io::IsTerminal as _;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::format::{FormatFields, debug_fn};
use tracing_subscriber::fmt::{MakeWriter, SubscriberBuilder};

/// Shape of the log's lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people; coloured when standard error is a terminal.
    Text,
    /// One JSON object a line.
    Json,
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is not one.
    #[error("log_filter: {0}; write a level or levels for parts such as info,wsdoctor=debug")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Something else in this process logs already.
    #[error("logging is set up already")]
    Again(#[from] tracing::subscriber::SetGlobalDefaultError),
}

/// Sends the process's log to standard error from now on, panics included.
///
/// # Errors
/// When the filter cannot be read, or logging was set up before.
pub fn start(format: Format, filter: &str) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(filter)?;
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let subscriber = subscriber(format, filter, colours, std::io::stderr);
    tracing::subscriber::set_global_default(subscriber)?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

fn subscriber<W>(
    format: Format,
    filter: EnvFilter,
    colours: bool,
    writer: W,
) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let builder = SubscriberBuilder::default()
        .with_writer(writer)
        .with_ansi(colours)
        .with_env_filter(filter);
    match format {
        Format::Text => Box::new(builder.fmt_fields(escaped_fields()).finish()),
        Format::Json => Box::new(builder.json().flatten_event(true).finish()),
    }
}

/// Only where, not what: a panic's message may quote the text that was being
/// read, and that may hold a password.
fn log_panic(information: &std::panic::PanicHookInfo<'_>) {
    let place = information.location().map(ToString::to_string);
    tracing::error!(
        place = place.as_deref().unwrap_or("unknown"),
        "a task panicked"
    );
}

/// Fields as `name=value` with control characters in the values escaped.
///
/// The library's own format writes values given with `%` as they are.
fn escaped_fields() -> impl for<'writer> FormatFields<'writer> + Send + Sync + 'static {
    debug_fn(|writer, field, value| {
        if field.name() != "message" {
            write!(writer, "{field}=")?;
        }
        write!(Escaping(writer), "{value:?}")
    })
    .delimited(" ")
}

/// Passes text on, control characters as `\n` or `\u{1b}`.
struct Escaping<W>(W);

impl<W: fmt::Write> fmt::Write for Escaping<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(forges) {
            self.0.write_str(&rest[..at])?;
            let sign = rest[at..].chars().next().unwrap_or_default();
            write!(self.0, "{}", sign.escape_default())?;
            rest = &rest[at + sign.len_utf8()..];
        }
        self.0.write_str(rest)
    }
}

/// Signs that end a line, steer a terminal, or turn the order of text round.
fn forges(sign: char) -> bool {
    sign.is_control()
        || matches!(sign, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    const FORGED: &str =
        "x\n2026-01-01T00:00:00Z  INFO forged: yes\r\x1b[2J\u{9b}2J\u{2028}\u{202e}\0";

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("lock").extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: Format, filter: &str, log: impl FnOnce()) -> String {
        let memory = Memory::default();
        let writer = memory.clone();
        let filter = EnvFilter::try_new(filter).expect("filter");
        let subscriber = subscriber(format, filter, false, move || writer.clone());
        tracing::subscriber::with_default(subscriber, log);
        let bytes = memory.0.lock().expect("lock").clone();
        String::from_utf8(bytes).expect("UTF-8")
    }

    fn log_forged() {
        let error = io::Error::other(FORGED);
        let span = tracing::info_span!("request", path = %FORGED, query = FORGED);
        let _entered = span.enter();
        let error: &dyn std::error::Error = &error;
        tracing::info!(display = %FORGED, debug = ?FORGED, plain = FORGED, error, "{FORGED}");
    }

    #[test]
    fn text_from_outside_cannot_forge_lines() {
        let text = logged(Format::Text, "info", log_forged);
        assert_eq!(text.lines().count(), 1, "{text:?}");
        let body = text.strip_suffix('\n').expect("a line's end");
        assert_eq!(body.chars().find(|sign| forges(*sign)), None, "{body:?}");
        assert!(body.contains(r"display=x\n2026"), "{body}");
        assert!(body.contains("request{path="), "{body}");
    }

    #[test]
    fn json_stays_one_object_a_line() {
        let text = logged(Format::Json, "info", log_forged);
        assert_eq!(text.lines().count(), 1, "{text:?}");
        assert!(!text.contains('\x1b'));
        let line: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(line["plain"], FORGED);
        assert_eq!(line["level"], "INFO");
    }

    #[test]
    fn the_filter_is_kept_and_nothing_is_coloured() {
        let text = logged(Format::Text, "warn", || {
            tracing::info!("quiet");
            tracing::warn!(number = 3, "loud");
        });
        assert!(
            text.contains("loud number=3") && !text.contains("quiet"),
            "{text}"
        );
        assert!(!text.contains('\x1b'));
    }
}
