//! The versions of entries that were changed in this database.

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Executor, Row, Sqlite};

use super::super::{EntryChange, EntryRevision, StoreError};
use crate::engine::knowledge::entries::EntryKind;

/// Every version, by kind and id, oldest first.
pub(super) async fn read(
    executor: impl Executor<'_, Database = Sqlite>,
) -> Result<Vec<EntryRevision>, StoreError> {
    sqlx::query("SELECT * FROM entry_revisions ORDER BY kind, id, revision")
        .fetch_all(executor)
        .await?
        .iter()
        .map(revision)
        .collect()
}

fn revision(row: &SqliteRow) -> Result<EntryRevision, StoreError> {
    let kind: String = row.try_get("kind")?;
    let at: i64 = row.try_get("at")?;
    Ok(EntryRevision {
        revision: row.try_get("revision")?,
        change: EntryChange {
            kind: EntryKind::of_word(&kind)
                .ok_or_else(|| StoreError::Other(format!("an entry of unknown kind: {kind}")))?,
            id: row.try_get("id")?,
            file: row.try_get("file")?,
            text: row.try_get("text")?,
            shipped: row.try_get("shipped")?,
            author: row.try_get("author")?,
            note: row.try_get("note")?,
            at: Timestamp::from_second(at)
                .map_err(|error| StoreError::Other(format!("a time out of range: {error}")))?,
        },
    })
}

/// Adds versions, each numbered on from the entry's last one. Runs inside the caller's transaction.
pub(super) async fn add(
    connection: &mut SqliteConnection,
    changes: &[EntryChange],
) -> Result<(), StoreError> {
    for change in changes {
        sqlx::query(
            "INSERT INTO entry_revisions
             SELECT ?1, ?2, coalesce(max(revision), 0) + 1, ?3, ?4, ?5, ?6, ?7, ?8
             FROM entry_revisions WHERE kind = ?1 AND id = ?2",
        )
        .bind(change.kind.as_str())
        .bind(&change.id)
        .bind(&change.file)
        .bind(&change.text)
        .bind(&change.shipped)
        .bind(&change.author)
        .bind(&change.note)
        .bind(change.at.as_second())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
