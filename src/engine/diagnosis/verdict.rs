//! The verdict and its words.

use super::{Engine, RankedCause, VerdictKind};

/// From this probability of the first cause on it is `identified`. `wsdoctor knowledge calibrate`
/// measures how often such a cause is right; docs/reasoning.md holds what it measured.
pub const IDENTIFIED: f64 = 0.85;
/// From this probability on it is `likely`, below `ambiguous`.
pub const LIKELY: f64 = 0.5;

/// A likelier cause than this is named in an ambiguous verdict.
pub(super) const LEAST_NAMED: f64 = 0.15;

impl Engine {
    pub(super) fn verdict_text(
        &self,
        kind: VerdictKind,
        causes: &[RankedCause],
        notes: &[String],
    ) -> String {
        let first = causes.first();
        let title = |cause: &RankedCause| {
            cause
                .narrower()
                .map_or(cause.title.clone(), |variant| variant.title.clone())
        };
        let mut text = match (kind, first) {
            (VerdictKind::Identified, Some(cause)) => sentence(&title(cause)),
            (VerdictKind::Likely, Some(cause)) => {
                format!("Most likely: {}", sentence(&decapitalised(&title(cause))))
            }
            (VerdictKind::Ambiguous, Some(cause)) if cause.probability < LEAST_NAMED => {
                "What was given does not tell the cause yet: many would look like this.".to_owned()
            }
            (VerdictKind::Ambiguous, Some(cause)) => {
                let second = causes
                    .get(1)
                    .map(|second| format!(" Or: {}", sentence(&decapitalised(&title(second)))))
                    .unwrap_or_default();
                format!(
                    "Several causes fit. The likeliest: {}{second}",
                    sentence(&decapitalised(&title(cause)))
                )
            }
            (VerdictKind::Healthy, _) => {
                "Nothing is wrong here: the connection worked and ended in the ordinary way."
                    .to_owned()
            }
            _ => "This was not recognised: nothing in it is a known message about a WebSocket \
                  connection. The next step shows how to find out more."
                .to_owned(),
        };
        for note in notes {
            text.push(' ');
            text.push_str(note);
        }
        text
    }
}

pub(super) fn verdict(causes: &[RankedCause], anything_seen: bool) -> VerdictKind {
    let Some(first) = causes.first().filter(|_| anything_seen) else {
        return VerdictKind::Unrecognised;
    };
    if first.id == "session-normal-close" && first.probability >= LIKELY {
        return VerdictKind::Healthy;
    }
    match first.probability {
        p if p >= IDENTIFIED => VerdictKind::Identified,
        p if p >= LIKELY => VerdictKind::Likely,
        _ => VerdictKind::Ambiguous,
    }
}

fn sentence(title: &str) -> String {
    if title.ends_with(['.', '!', '?']) {
        title.to_owned()
    } else {
        format!("{title}.")
    }
}

/// A title inside a sentence: common first words lose their capital, names keep it.
fn decapitalised(title: &str) -> String {
    let first = title.split(' ').next().unwrap_or_default();
    let common = [
        "The",
        "A",
        "An",
        "Nothing",
        "No",
        "Something",
        "One",
        "Two",
        "Several",
        "This",
        "Another",
        "Plain",
        "Client",
        "Server",
        "Certificate",
        "Credentials",
        "Too",
        "It",
        "Messages",
        "Frames",
        "Compression",
        "Browser",
        "Wrong",
        "Missing",
    ];
    if common.contains(&first) {
        let mut letters = title.chars();
        letters
            .next()
            .map(|letter| letter.to_lowercase().chain(letters).collect())
            .unwrap_or_default()
    } else {
        title.to_owned()
    }
}
