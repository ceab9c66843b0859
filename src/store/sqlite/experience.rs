//! Cases in lists, what closed ones taught, and what stood behind each hash of the knowledge.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteRow};

use super::super::rows::{from_json, to_json};
use super::super::{CaseSummary, Confirmation, KnowledgeRecord, StoreError};
use crate::case::{Case, CaseState, Happening};

/// So many versions of the knowledge are remembered.
const MOST_VERSIONS: i64 = 2000;

fn time(row: &SqliteRow, column: &str) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_second(row.try_get(column)?).unwrap_or_default())
}

/// Cases, those that changed last first.
pub(super) async fn cases(
    pool: &SqlitePool,
    state: Option<CaseState>,
    most: usize,
) -> Result<Vec<CaseSummary>, StoreError> {
    sqlx::query(
        "SELECT id, number, state, revision, created_at, updated_at, \
         json_extract(body, '$.entries[#-1].given.causes[0][0]') AS cause \
         FROM cases WHERE ?1 IS NULL OR state = ?1 ORDER BY updated_at DESC, number DESC LIMIT ?2",
    )
    .bind(state.map(CaseState::as_str))
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await?
    .iter()
    .map(|row| {
        let word: String = row.try_get("state")?;
        Ok(CaseSummary {
            id: row.try_get("id")?,
            number: row.try_get("number")?,
            state: CaseState::from_word(&word).ok_or_else(|| {
                StoreError::Other(format!("a case has the unknown state {word:?}"))
            })?,
            revision: row.try_get("revision")?,
            created_at: time(row, "created_at")?,
            updated_at: time(row, "updated_at")?,
            cause: row.try_get("cause")?,
        })
    })
    .collect()
}

/// The causes that closed cases confirmed, oldest first.
pub(super) async fn confirmations(pool: &SqlitePool) -> Result<Vec<Confirmation>, StoreError> {
    sqlx::query("SELECT case_number, cause, at FROM confirmations ORDER BY id")
        .fetch_all(pool)
        .await?
        .iter()
        .map(|row| {
            Ok(Confirmation {
                case: row.try_get("case_number")?,
                cause: row.try_get("cause")?,
                at: time(row, "at")?,
            })
        })
        .collect()
}

/// Brings what a case confirms up to date with it, in the transaction that keeps the case: one that
/// goes on confirms nothing any more.
pub(in crate::store) async fn confirm(
    connection: &mut SqliteConnection,
    case: &Case,
) -> Result<(), StoreError> {
    let was_closed = |entry: &crate::case::Entry| matches!(entry.what, Happening::Closed(_));
    if !case.entries.iter().any(was_closed) {
        return Ok(());
    }
    let confirmed = case.outcome().and_then(|outcome| outcome.confirmed());
    let Some(cause) = confirmed else {
        sqlx::query("DELETE FROM confirmations WHERE case_number = ?")
            .bind(case.number)
            .execute(connection)
            .await?;
        return Ok(());
    };
    sqlx::query(
        "INSERT INTO confirmations (case_number, cause, at) VALUES (?, ?, ?) \
         ON CONFLICT (case_number) DO UPDATE SET cause = excluded.cause, at = excluded.at",
    )
    .bind(case.number)
    .bind(cause)
    .bind(case.updated_at.as_second())
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps what stands behind a hash; the oldest ones go.
pub(super) async fn keep_knowledge(
    pool: &SqlitePool,
    record: &KnowledgeRecord,
) -> Result<(), StoreError> {
    let known: Option<i64> = sqlx::query_scalar("SELECT id FROM knowledge_versions WHERE hash = ?")
        .bind(&record.hash)
        .fetch_optional(pool)
        .await?;
    if known.is_some() {
        return Ok(());
    }
    let kept = sqlx::query(
        "INSERT OR IGNORE INTO knowledge_versions (hash, program, files, entries, learned) \
         VALUES (?, ?, ?, ?, ?)",
    )
    .bind(&record.hash)
    .bind(&record.program)
    .bind(&record.files)
    .bind(to_json(&record.entries)?)
    .bind(to_json(&record.learned)?)
    .execute(pool)
    .await?;
    sqlx::query("DELETE FROM knowledge_versions WHERE id <= ?")
        .bind(kept.last_insert_rowid() - MOST_VERSIONS)
        .execute(pool)
        .await?;
    Ok(())
}

/// What stood behind a hash.
pub(super) async fn knowledge(
    pool: &SqlitePool,
    hash: &str,
) -> Result<Option<KnowledgeRecord>, StoreError> {
    let row = sqlx::query(
        "SELECT hash, program, files, entries, learned FROM knowledge_versions WHERE hash = ?",
    )
    .bind(hash)
    .fetch_optional(pool)
    .await?;
    row.map(|row| {
        Ok(KnowledgeRecord {
            hash: row.try_get("hash")?,
            program: row.try_get("program")?,
            files: row.try_get("files")?,
            entries: from_json(&row.try_get::<String, _>("entries")?)?,
            learned: from_json(&row.try_get::<String, _>("learned")?)?,
        })
    })
    .transpose()
}
