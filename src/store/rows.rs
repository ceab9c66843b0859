//! The shape of what stands in JSON columns. Domain types stay free of storage.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::StoreError;
use crate::case::{Case, CaseState, Entry};
use crate::engine::Evidence;
use crate::engine::diagnosis::StatedFact;
use crate::engine::evidence::Context;
use crate::engine::graph::Hop;

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
        }),
        answer: entry.answer.clone(),
    }
}

fn entry(row: EntryRow) -> Entry {
    Entry {
        at: Timestamp::from_second(row.at).unwrap_or_default(),
        evidence: Evidence {
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
                    since: context.since,
                }),
        },
        answer: row.answer,
    }
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
        entries: body.entries.into_iter().map(entry).collect(),
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
