//! One task writes for everybody: cases that wait together share one commit.
//!
//! A commit with `synchronous=FULL` costs about the same for one row and for a hundred, and SQLite
//! has one writer anyway. A request that is cancelled leaves nothing half done, because the task,
//! not the request, holds the transaction.

use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Row};
use tokio::sync::{mpsc, oneshot};

use super::StoreError;
use super::rows::case_body;
use super::sqlite::experience;
use crate::case::Case;

/// Cases that wait for the writer beyond this are turned away.
const MOST_WAITING: usize = 4096;
/// Cases that share one commit.
const MOST_TOGETHER: usize = 256;

type Reply = oneshot::Sender<Result<Case, StoreError>>;

struct Write {
    case: Case,
    /// The revision that must be stored still; `None` for a new case.
    revision: Option<i64>,
    reply: Reply,
}

/// Hands cases to the writing task.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    queue: mpsc::Sender<Write>,
}

impl Writer {
    /// Starts the task on a connection of its own. It ends when every handle is gone.
    pub(super) fn start(connection: SqliteConnection) -> (Self, tokio::task::JoinHandle<()>) {
        let (queue, waiting) = mpsc::channel(MOST_WAITING);
        let task = Task {
            connection,
            waiting,
        };
        (Writer { queue }, tokio::spawn(task.run()))
    }

    /// Writes a case; the answer comes when it is durable.
    pub(super) async fn write(
        &self,
        case: Case,
        revision: Option<i64>,
    ) -> Result<Case, StoreError> {
        let (reply, answer) = oneshot::channel();
        let write = Write {
            case,
            revision,
            reply,
        };
        self.queue
            .try_send(write)
            .map_err(|_| StoreError::Unavailable)?;
        answer.await.map_err(|_| StoreError::Unavailable)?
    }
}

struct Task {
    /// Nobody else writes cases.
    connection: SqliteConnection,
    /// In the order of their coming.
    waiting: mpsc::Receiver<Write>,
}

impl Task {
    async fn run(mut self) {
        let mut together = Vec::new();
        while self.waiting.recv_many(&mut together, MOST_TOGETHER).await > 0 {
            self.commit(std::mem::take(&mut together)).await;
        }
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "the database did not close cleanly");
        }
    }

    async fn commit(&mut self, writes: Vec<Write>) {
        let mut done = Vec::with_capacity(writes.len());
        let committed = self.write_all(writes, &mut done).await;
        for (reply, result) in done {
            let answer = match &committed {
                Ok(()) => result,
                Err(error) => Err(StoreError::Other(error.clone())),
            };
            // Whoever asked may have gone away; the case is kept all the same.
            let _ = reply.send(answer);
        }
    }

    async fn write_all(
        &mut self,
        writes: Vec<Write>,
        done: &mut Vec<(Reply, Result<Case, StoreError>)>,
    ) -> Result<(), String> {
        let begun = self.connection.begin_with("BEGIN IMMEDIATE").await;
        let mut transaction = match begun {
            Ok(transaction) => transaction,
            Err(error) => {
                done.extend(
                    writes
                        .into_iter()
                        .map(|write| (write.reply, Ok(write.case))),
                );
                return Err(error.to_string());
            }
        };
        for write in writes {
            let result = write_one(&mut transaction, write.case, write.revision).await;
            done.push((write.reply, result));
        }
        transaction
            .commit()
            .await
            .map_err(|error| error.to_string())
    }
}

/// A statement that fails changes nothing, so the others of the group are not harmed.
async fn write_one(
    connection: &mut SqliteConnection,
    mut case: Case,
    revision: Option<i64>,
) -> Result<Case, StoreError> {
    let body = case_body(&case)?;
    match revision {
        None => {
            let row = sqlx::query(
                "INSERT INTO cases (id, state, revision, created_at, updated_at, body) \
                 VALUES (?, ?, ?, ?, ?, ?) RETURNING number",
            )
            .bind(&case.id)
            .bind(case.state.as_str())
            .bind(case.revision)
            .bind(case.created_at.as_second())
            .bind(case.updated_at.as_second())
            .bind(body)
            .fetch_one(connection)
            .await?;
            case.number = row.try_get("number")?;
        }
        Some(revision) => {
            let changed = sqlx::query(
                "UPDATE cases SET state = ?, revision = ?, updated_at = ?, body = ? \
                 WHERE id = ? AND revision = ?",
            )
            .bind(case.state.as_str())
            .bind(case.revision)
            .bind(case.updated_at.as_second())
            .bind(body)
            .bind(&case.id)
            .bind(revision)
            .execute(&mut *connection)
            .await?
            .rows_affected();
            if changed == 0 {
                let current = sqlx::query("SELECT revision FROM cases WHERE id = ?")
                    .bind(&case.id)
                    .fetch_optional(connection)
                    .await?;
                return Err(match current {
                    Some(row) => StoreError::Conflict {
                        current: row.try_get("revision")?,
                    },
                    None => StoreError::NotFound,
                });
            }
            experience::confirm(connection, &case).await?;
        }
    }
    Ok(case)
}
