//! The bundle for whoever goes on with a case.

use serde::Serialize;

use super::case::CaseJson;
use crate::case::DiagnosedCase;
use crate::case::handover::Bundle;

/// A case with everything that whoever goes on needs.
#[derive(Debug, Serialize)]
pub struct BundleJson {
    /// `network`, `server-admin`, `developers` or `own-it`.
    team: &'static str,
    summary: String,
    expected_minutes: f64,
    messages: MessagesJson,
    ruled_out: Vec<RuledOutJson>,
    tried: Vec<ToldJson>,
    case: CaseJson,
}

#[derive(Debug, Serialize)]
struct MessagesJson {
    team: String,
    user: String,
}

#[derive(Debug, Serialize)]
struct RuledOutJson {
    cause: String,
    title: String,
    from: f64,
    to: f64,
    by: String,
}

#[derive(Debug, Serialize)]
struct ToldJson {
    at: String,
    what: String,
    taken_back: bool,
}

/// A case with everything that whoever goes on needs.
pub fn bundle(bundle: &Bundle, found: &DiagnosedCase) -> BundleJson {
    BundleJson {
        team: bundle.team.as_str(),
        summary: bundle.summary.clone(),
        expected_minutes: bundle.expected_minutes,
        messages: MessagesJson {
            team: bundle.team_message.clone(),
            user: bundle.user_message.clone(),
        },
        ruled_out: bundle
            .ruled_out
            .iter()
            .map(|one| RuledOutJson {
                cause: one.cause.clone(),
                title: one.title.clone(),
                from: one.from,
                to: one.to,
                by: one.by.clone(),
            })
            .collect(),
        tried: bundle
            .told
            .iter()
            .map(|told| ToldJson {
                at: told.at.to_string(),
                what: told.what.clone(),
                taken_back: told.is_taken_back,
            })
            .collect(),
        case: super::case(found),
    }
}
