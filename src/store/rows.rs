//! The shape of what stands in JSON columns. Domain types stay free of storage.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::StoreError;
use crate::case::{
    Case, CaseState, Compared, Entry, FixReport, FixResult, Given, Happening, Outcome, OutcomeKind,
    Probed, RuledOut, SelfTest, Stage, StageKind, StageState, Variant,
};
use crate::engine::Evidence;
use crate::engine::diagnosis::{StatedFact, VerdictKind};
use crate::engine::evidence::{Context, Reach};
use crate::engine::graph::{Hop, Who};

/// A case's body. New fields are optional, so that older rows stay readable.
#[derive(Serialize, Deserialize)]
struct Body {
    entries: Vec<EntryRow>,
}

#[derive(Serialize, Deserialize)]
struct EntryRow {
    /// Seconds since 1970, UTC.
    at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    facts: Vec<FactRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context: Option<ContextRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<(String, String)>,
    /// The cause whose fix is spoken of, and what is said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fix: Option<(String, String)>,
    /// The position of the entry that is taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    back: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed: Option<OutcomeRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    given: Option<GivenRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    probed: Option<ProbedRow>,
}

/// A probe; the facts stand in the entry.
#[derive(Serialize, Deserialize)]
struct ProbedRow {
    url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    subprotocols: Vec<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    hold_seconds: u64,
    /// Milliseconds since 1970, UTC.
    started_at: i64,
    stages: Vec<StageRow>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    variants: Vec<VariantRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    browser: Option<BrowserRow>,
}

/// What a browser saw; the address is the probe's.
#[derive(Serialize, Deserialize)]
struct BrowserRow {
    compared: String,
    opened: bool,
    code: Option<u16>,
    reason: String,
    clean: Option<bool>,
    took_ms: u64,
    error: String,
    online: bool,
    origin: String,
    browser: String,
    fetched: Option<bool>,
    control: Option<bool>,
}

#[derive(Serialize, Deserialize)]
struct StageRow {
    stage: String,
    state: String,
    started_ms: u64,
    took_ms: u64,
    detail: String,
}

#[derive(Serialize, Deserialize)]
struct VariantRow {
    id: String,
    changed: String,
    outcome: String,
    accepted: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    finding: String,
    took_ms: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[derive(Serialize, Deserialize)]
struct OutcomeRow {
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct GivenRow {
    digest: String,
    knowledge: String,
    verdict: String,
    causes: Vec<(String, f64)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ruled_out: Vec<RuledOutRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fix_result: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct RuledOutRow {
    cause: String,
    from: f64,
    to: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    finding: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct FactRow {
    key: String,
    value: String,
    #[serde(default)]
    hop: Hop,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    vantage: String,
}

#[derive(Serialize, Deserialize)]
struct ContextRow {
    #[serde(default)]
    edge: Vec<String>,
    #[serde(default)]
    works_locally: Option<bool>,
    #[serde(default)]
    fails_after_seconds: Option<f64>,
    #[serde(default)]
    only_in: Vec<String>,
    #[serde(default)]
    since: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    can: Vec<Who>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reach: Option<String>,
}

fn entry_row(entry: &Entry) -> EntryRow {
    let evidence = &entry.evidence;
    let context = &evidence.context;
    EntryRow {
        at: entry.at.as_second(),
        text: evidence.text.clone(),
        facts: evidence
            .facts
            .iter()
            .map(|fact| FactRow {
                key: fact.key.clone(),
                value: fact.value.clone(),
                hop: fact.hop,
                vantage: fact.vantage.clone(),
            })
            .collect(),
        context: (*context != Context::default()).then(|| ContextRow {
            edge: context.edge.clone(),
            works_locally: context.works_locally,
            fails_after_seconds: context.fails_after_seconds,
            only_in: context.only_in.clone(),
            since: context.since.clone(),
            can: context.can.clone(),
            reach: (context.reach != Reach::default()).then(|| context.reach.as_str().to_owned()),
        }),
        answer: match &entry.what {
            Happening::Answer { step, answer } => Some((step.clone(), answer.clone())),
            _ => None,
        },
        fix: match &entry.what {
            Happening::Fix { cause, report } => Some((cause.clone(), report.as_str().to_owned())),
            _ => None,
        },
        back: match &entry.what {
            Happening::TakenBack { entry } => Some(*entry),
            _ => None,
        },
        closed: match &entry.what {
            Happening::Closed(outcome) => Some(outcome_row(outcome)),
            _ => None,
        },
        given: entry.given.as_ref().map(given_row),
        probed: entry.probed.as_deref().map(probed_row),
    }
}

fn probed_row(probed: &Probed) -> ProbedRow {
    let stage = |stage: &Stage| StageRow {
        stage: stage.stage.as_str().to_owned(),
        state: stage.state.as_str().to_owned(),
        started_ms: stage.started_ms,
        took_ms: stage.took_ms,
        detail: stage.detail.clone(),
    };
    let variant = |variant: &Variant| VariantRow {
        id: variant.id.clone(),
        changed: variant.changed.clone(),
        outcome: variant.outcome.clone(),
        accepted: variant.accepted,
        status: variant.status,
        finding: variant.finding.clone(),
        took_ms: variant.took_ms,
    };
    ProbedRow {
        url: probed.url.clone(),
        origin: probed.origin.clone(),
        subprotocols: probed.subprotocols.clone(),
        hold_seconds: probed.hold_seconds,
        started_at: probed.started_at.as_millisecond(),
        stages: probed.stages.iter().map(stage).collect(),
        variants: probed.variants.iter().map(variant).collect(),
        browser: probed.browser.as_ref().map(browser_row),
    }
}

fn browser_row((test, compared): &(SelfTest, Compared)) -> BrowserRow {
    BrowserRow {
        compared: compared.as_str().to_owned(),
        opened: test.opened,
        code: test.code,
        reason: test.reason.clone(),
        clean: test.clean,
        took_ms: test.took_ms,
        error: test.error.clone(),
        online: test.online,
        origin: test.origin.clone(),
        browser: test.browser.clone(),
        fetched: test.fetched,
        control: test.control,
    }
}

fn browser(row: BrowserRow, url: &str) -> Result<(SelfTest, Compared), StoreError> {
    let compared = Compared::from_word(&row.compared)
        .ok_or_else(|| unknown_word("comparison", &row.compared))?;
    let test = SelfTest {
        url: url.to_owned(),
        opened: row.opened,
        code: row.code,
        reason: row.reason,
        clean: row.clean,
        took_ms: row.took_ms,
        error: row.error,
        online: row.online,
        origin: row.origin,
        browser: row.browser,
        fetched: row.fetched,
        control: row.control,
    };
    Ok((test, compared))
}

fn probed(row: ProbedRow) -> Result<Probed, StoreError> {
    let stage = |row: StageRow| {
        Ok(Stage {
            stage: StageKind::from_word(&row.stage)
                .ok_or_else(|| unknown_word("stage", &row.stage))?,
            state: StageState::from_word(&row.state)
                .ok_or_else(|| unknown_word("state of a stage", &row.state))?,
            started_ms: row.started_ms,
            took_ms: row.took_ms,
            detail: row.detail,
            facts: Vec::new(),
        })
    };
    let variant = |row: VariantRow| Variant {
        id: row.id,
        changed: row.changed,
        outcome: row.outcome,
        accepted: row.accepted,
        status: row.status,
        finding: row.finding,
        took_ms: row.took_ms,
    };
    let browser = row
        .browser
        .map(|seen| browser(seen, &row.url))
        .transpose()?;
    Ok(Probed {
        browser,
        url: row.url,
        origin: row.origin,
        subprotocols: row.subprotocols,
        hold_seconds: row.hold_seconds,
        started_at: Timestamp::from_millisecond(row.started_at).unwrap_or_default(),
        stages: row
            .stages
            .into_iter()
            .map(stage)
            .collect::<Result<_, StoreError>>()?,
        variants: row.variants.into_iter().map(variant).collect(),
    })
}

fn outcome_row(outcome: &Outcome) -> OutcomeRow {
    OutcomeRow {
        kind: outcome.kind.as_str().to_owned(),
        cause: outcome.cause.clone(),
        fix: outcome.fix.clone(),
        note: outcome.note.clone(),
    }
}

fn given_row(given: &Given) -> GivenRow {
    GivenRow {
        digest: given.digest.clone(),
        knowledge: given.knowledge.clone(),
        verdict: given.verdict.as_str().to_owned(),
        causes: given.causes.clone(),
        ruled_out: given
            .ruled_out
            .iter()
            .map(|one| RuledOutRow {
                cause: one.cause.clone(),
                from: one.from,
                to: one.to,
                finding: one.finding.clone(),
            })
            .collect(),
        fix_result: given.fix_result.map(|result| result.as_str().to_owned()),
    }
}

fn unknown_word(what: &str, word: &str) -> StoreError {
    StoreError::Other(format!("a case has the unknown {what} {word:?}"))
}

fn given(row: GivenRow) -> Result<Given, StoreError> {
    let verdict = VerdictKind::from_word(&row.verdict)
        .ok_or_else(|| unknown_word("verdict", &row.verdict))?;
    let fix_result = row
        .fix_result
        .map(|word| FixResult::from_word(&word).ok_or_else(|| unknown_word("result", &word)))
        .transpose()?;
    Ok(Given {
        digest: row.digest,
        knowledge: row.knowledge,
        verdict,
        causes: row.causes,
        ruled_out: row
            .ruled_out
            .into_iter()
            .map(|one| RuledOut {
                cause: one.cause,
                from: one.from,
                to: one.to,
                finding: one.finding,
            })
            .collect(),
        fix_result,
    })
}

/// What an entry is, by which of its fields are there.
fn happening(row: &mut EntryRow) -> Result<Happening, StoreError> {
    if let Some((step, answer)) = row.answer.take() {
        return Ok(Happening::Answer { step, answer });
    }
    if let Some((cause, word)) = row.fix.take() {
        let report = FixReport::from_word(&word).ok_or_else(|| unknown_word("report", &word))?;
        return Ok(Happening::Fix { cause, report });
    }
    if let Some(entry) = row.back {
        return Ok(Happening::TakenBack { entry });
    }
    if let Some(closed) = row.closed.take() {
        return Ok(Happening::Closed(Outcome {
            kind: OutcomeKind::from_word(&closed.kind)
                .ok_or_else(|| unknown_word("outcome", &closed.kind))?,
            cause: closed.cause,
            fix: closed.fix,
            note: closed.note,
        }));
    }
    Ok(Happening::Evidence)
}

fn entry(mut row: EntryRow) -> Result<Entry, StoreError> {
    Ok(Entry {
        at: Timestamp::from_second(row.at).unwrap_or_default(),
        what: happening(&mut row)?,
        given: row.given.take().map(given).transpose()?,
        probed: row.probed.take().map(probed).transpose()?.map(Box::new),
        evidence: Evidence {
            answered: Vec::new(),
            text: row.text,
            facts: row
                .facts
                .into_iter()
                .map(|fact| StatedFact {
                    key: fact.key,
                    value: fact.value,
                    hop: fact.hop,
                    vantage: fact.vantage,
                })
                .collect(),
            context: row
                .context
                .map_or_else(Context::default, |context| Context {
                    edge: context.edge,
                    works_locally: context.works_locally,
                    fails_after_seconds: context.fails_after_seconds,
                    only_in: context.only_in,
                    can: context.can,
                    since: context.since,
                    reach: Reach::from_word(context.reach.as_deref().unwrap_or_default()),
                }),
        },
    })
}

/// A case's body as it is stored.
pub(super) fn case_body(case: &Case) -> Result<String, StoreError> {
    to_json(&Body {
        entries: case.entries.iter().map(entry_row).collect(),
    })
}

/// A case from its row.
pub(super) fn case(row: &SqliteRow) -> Result<Case, StoreError> {
    let body: Body = from_json(&row.try_get::<String, _>("body")?)?;
    let state: String = row.try_get("state")?;
    Ok(Case {
        id: row.try_get("id")?,
        number: row.try_get("number")?,
        state: CaseState::from_word(&state)
            .ok_or_else(|| StoreError::Other(format!("a case has the unknown state {state:?}")))?,
        revision: row.try_get("revision")?,
        created_at: Timestamp::from_second(row.try_get("created_at")?).unwrap_or_default(),
        updated_at: Timestamp::from_second(row.try_get("updated_at")?).unwrap_or_default(),
        entries: body
            .entries
            .into_iter()
            .map(entry)
            .collect::<Result<_, _>>()?,
    })
}

/// A value as JSON text.
pub(super) fn to_json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Other(error.to_string()))
}

/// A value from JSON text.
pub(super) fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text)
        .map_err(|error| StoreError::Other(format!("a stored value cannot be read: {error}")))
}

/// A word of an enumeration as it stands in files, such as `very common`.
pub(super) fn word<T: Serialize>(value: &T) -> Result<String, StoreError> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        other => Err(StoreError::Other(format!("not a word: {other:?}"))),
    }
}

/// The value of an enumeration's word.
pub(super) fn from_word<T: serde::de::DeserializeOwned>(word: String) -> Result<T, StoreError> {
    serde_json::from_value(serde_json::Value::String(word))
        .map_err(|error| StoreError::Other(format!("a stored word cannot be read: {error}")))
}

/// Strings by name, in order.
pub(super) type Words = BTreeMap<String, String>;
