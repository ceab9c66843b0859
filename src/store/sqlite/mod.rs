//! The store in one SQLite file.
//!
//! sqlx's defaults are a rollback journal; WAL with `synchronous=FULL` is set here and asserted at
//! start, because a case that was acknowledged must survive the loss of power.

mod batch;
pub(super) mod experience;
mod graph;
mod revisions;
mod search;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, Row};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::writer::Writer;
use super::{
    CaseSummary, Confirmation, EntryChange, EntryRevision, Hit, KnowledgeRecord, OpenError, Store,
    StoreError, rows,
};
use crate::case::{Case, CaseState};
use crate::engine::graph::Graph;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");

/// How long a statement waits for another process' lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections that read at the same time.
const READERS: u32 = 8;
/// Files up to this size are checked page by page at every start.
const CHECKED_AT_START: u64 = 64 << 20;

/// The store in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    readers: SqlitePool,
    writer: Mutex<Option<Writer>>,
    writing: Mutex<Option<JoinHandle<()>>>,
    /// Moves an import from the log into the file.
    moving: Mutex<Option<JoinHandle<()>>>,
    options: SqliteConnectOptions,
    /// Held as long as the store is open: one process serves one file.
    lock: Mutex<Option<File>>,
}

impl SqliteStore {
    /// Opens a database such as `sqlite://wsdoctor.db`, creating it when missing.
    ///
    /// # Errors
    /// The file is damaged, was made by a newer version, cannot be written, or is served by another
    /// process. Nothing is changed in any of these cases.
    pub async fn open(address: &str) -> Result<Self, OpenError> {
        let options = SqliteConnectOptions::from_str(address)
            .map_err(|error| OpenError(format!(
                "the database address {address:?} is not understood ({error}): write sqlite://FILE"
            )))?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .pragma("secure_delete", "ON")
            .log_statements(tracing::log::LevelFilter::Off);
        let file = options.get_filename().to_path_buf();
        let lock = lock(&file)?;
        let explain = |error: &sqlx::Error| explain(&file, error);
        // A migration that a power cut undoes is done again: only its order against others matters,
        // and waiting for the disk after each is most of a first start.
        let hasty = options.clone().synchronous(SqliteSynchronous::Normal);
        let mut connection = hasty.connect().await.map_err(|error| explain(&error))?;
        check_file(&mut connection, &file).await?;
        MIGRATIONS
            .run(&mut connection)
            .await
            .map_err(|error| explain_migration(&file, &error))?;
        sqlx::query("PRAGMA synchronous = FULL")
            .execute(&mut connection)
            .await
            .map_err(|error| explain(&error))?;
        assert_settings(&mut connection).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(options.clone())
            .await
            .map_err(|error| explain(&error))?;
        let (writer, writing) = Writer::start(connection);
        Ok(SqliteStore {
            readers,
            writer: Mutex::new(Some(writer)),
            writing: Mutex::new(Some(writing)),
            moving: Mutex::default(),
            options,
            lock: Mutex::new(lock),
        })
    }

    async fn writer(&self) -> Result<Writer, StoreError> {
        self.writer
            .lock()
            .await
            .clone()
            .ok_or(StoreError::Unavailable)
    }
}

/// The place of the lock beside a database file.
fn lock_path(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push("-lock");
    PathBuf::from(name)
}

/// Takes the lock that says which process serves the file; none for a database in memory.
fn lock(file: &Path) -> Result<Option<File>, OpenError> {
    let name = file.to_string_lossy();
    if name.is_empty() || name.contains(":memory:") || name.starts_with("file:sqlx-in-memory") {
        return Ok(None);
    }
    let path = lock_path(file);
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| {
            OpenError(format!(
                "the database's folder cannot be written ({}: {error}): make it writable for this \
             user, or choose another file with --database",
                path.display()
            ))
        })?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(std::fs::TryLockError::WouldBlock) => Err(OpenError(format!(
            "{} is already served by another wsdoctor: stop it, or choose another file with \
             --database",
            file.display()
        ))),
        Err(std::fs::TryLockError::Error(error)) => Err(OpenError(format!(
            "{} cannot be locked: {error}",
            path.display()
        ))),
    }
}

/// Finds damage before anything is written.
async fn check_file(connection: &mut SqliteConnection, file: &Path) -> Result<(), OpenError> {
    let size = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
    if size > CHECKED_AT_START {
        return Ok(());
    }
    let answer: String = sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_one(connection)
        .await
        .map_err(|error| explain(file, &error))?;
    if answer == "ok" {
        Ok(())
    } else {
        Err(damaged(file, &answer))
    }
}

fn damaged(file: &Path, detail: &str) -> OpenError {
    OpenError(format!(
        "{} is damaged ({detail}): nothing was changed; put a backup in its place, or move it away \
         and start with an empty one",
        file.display()
    ))
}

/// What an error of opening means for whoever started the program.
fn explain(file: &Path, error: &sqlx::Error) -> OpenError {
    let code = error
        .as_database_error()
        .and_then(|error| error.code())
        .and_then(|code| code.parse::<i32>().ok())
        .map(|code| code & 0xff);
    let name = file.display();
    match code {
        Some(11 | 26) => damaged(file, &error.to_string()),
        Some(8 | 14) => OpenError(format!(
            "{name} cannot be opened for writing ({error}): make the file and its folder writable \
             for this user, or choose another file with --database"
        )),
        Some(5 | 6) => OpenError(format!(
            "{name} is locked by another program ({error}): close it, or choose another file with \
             --database"
        )),
        _ => OpenError(format!("{name} cannot be opened: {error}")),
    }
}

fn explain_migration(file: &Path, error: &sqlx::migrate::MigrateError) -> OpenError {
    use sqlx::migrate::MigrateError;
    let name = file.display();
    match error {
        MigrateError::VersionMissing(version) | MigrateError::VersionTooNew(version, _) => {
            OpenError(format!(
                "{name} was made by a newer wsdoctor (it has migration {version}, which this \
                 version does not know): start that version, or choose another file with --database"
            ))
        }
        MigrateError::VersionMismatch(version) => OpenError(format!(
            "{name} was made by another build (migration {version} differs): choose another file \
             with --database"
        )),
        MigrateError::Execute(error) => explain(file, error),
        other => OpenError(format!("{name} cannot be brought up to date: {other}")),
    }
}

/// The settings that durability rests on, read back.
async fn assert_settings(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let mut read = async |name: &str| -> Result<String, OpenError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA {name}")))
            .fetch_one(&mut *connection)
            .await
            .map_err(|error| OpenError(format!("PRAGMA {name}: {error}")))?;
        row.try_get::<String, _>(0)
            .or_else(|_| row.try_get::<i64, _>(0).map(|number| number.to_string()))
            .map_err(|error| OpenError(format!("PRAGMA {name}: {error}")))
    };
    let expected = [
        ("journal_mode", &["wal", "memory"][..]),
        ("synchronous", &["2"]),
        ("foreign_keys", &["1"]),
        ("busy_timeout", &["5000"]),
    ];
    for (name, wanted) in expected {
        let value = read(name).await?;
        if !wanted.contains(&value.as_str()) {
            return Err(OpenError(format!(
                "the database has {name} = {value} where {} is needed: is its file system one that \
                 SQLite supports?",
                wanted[0]
            )));
        }
    }
    Ok(())
}

/// Moves what was committed from the log into the file, as far as nobody reads it.
async fn checkpoint(mut connection: SqliteConnection) {
    let moved = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)")
        .execute(&mut connection)
        .await;
    let closed = connection.close().await;
    if let Err(error) = moved.map(drop).and(closed) {
        tracing::warn!(%error, "the database's log was not moved into its file");
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn imported_files(&self) -> Result<Option<String>, StoreError> {
        Ok(
            sqlx::query_scalar("SELECT value FROM knowledge WHERE key = 'files'")
                .fetch_optional(&self.readers)
                .await?,
        )
    }

    async fn entry_revisions(&self) -> Result<Vec<EntryRevision>, StoreError> {
        revisions::read(&self.readers).await
    }

    async fn import(
        &self,
        graph: &Graph,
        files_hash: &str,
        changes: &[EntryChange],
    ) -> Result<(), StoreError> {
        // Nobody waits until all of it is moved from the log into the file.
        let options = self.options.clone().pragma("wal_autocheckpoint", "0");
        let mut connection = options.connect().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        revisions::add(&mut transaction, changes).await?;
        graph::replace(&mut transaction, graph).await?;
        sqlx::query("DELETE FROM kept_index")
            .execute(&mut *transaction)
            .await?;
        search::replace(&mut transaction, graph).await?;
        sqlx::query("INSERT OR REPLACE INTO knowledge (key, value) VALUES ('files', ?)")
            .bind(files_hash)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        *self.moving.lock().await = Some(tokio::spawn(checkpoint(connection)));
        Ok(())
    }

    async fn graph(&self) -> Result<Graph, StoreError> {
        // One transaction, so that a change in between is not seen by halves.
        let mut connection = self.readers.acquire().await?;
        let mut transaction = connection.begin().await?;
        graph::read(&mut transaction).await
    }

    async fn kept_index(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(sqlx::query_scalar("SELECT bytes FROM kept_index")
            .fetch_optional(&self.readers)
            .await?)
    }

    async fn keep_index(&self, bytes: &[u8]) -> Result<(), StoreError> {
        sqlx::query("INSERT OR REPLACE INTO kept_index (id, bytes) VALUES (1, ?)")
            .bind(bytes)
            .execute(&self.readers)
            .await?;
        Ok(())
    }

    async fn search(&self, words: &str, most: usize) -> Result<Vec<Hit>, StoreError> {
        search::search(&self.readers, words, most).await
    }

    async fn create_case(&self, case: Case) -> Result<Case, StoreError> {
        self.writer().await?.write(case, None).await
    }

    async fn update_case(&self, case: Case, revision: i64) -> Result<Case, StoreError> {
        self.writer().await?.write(case, Some(revision)).await
    }

    async fn case(&self, id: &str) -> Result<Option<Case>, StoreError> {
        let row = sqlx::query("SELECT * FROM cases WHERE id = ?")
            .bind(id)
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(rows::case).transpose()
    }

    async fn cases(
        &self,
        state: Option<CaseState>,
        most: usize,
    ) -> Result<Vec<CaseSummary>, StoreError> {
        experience::cases(&self.readers, state, most).await
    }

    async fn confirmations(&self) -> Result<Vec<Confirmation>, StoreError> {
        experience::confirmations(&self.readers).await
    }

    async fn forget_confirmations(&self) -> Result<u64, StoreError> {
        Ok(sqlx::query("DELETE FROM confirmations")
            .execute(&self.readers)
            .await?
            .rows_affected())
    }

    async fn keep_knowledge(&self, record: &KnowledgeRecord) -> Result<(), StoreError> {
        experience::keep_knowledge(&self.readers, record).await
    }

    async fn knowledge(&self, hash: &str) -> Result<Option<KnowledgeRecord>, StoreError> {
        experience::knowledge(&self.readers, hash).await
    }

    async fn purge_cases(&self, before: i64) -> Result<u64, StoreError> {
        let removed = sqlx::query("DELETE FROM cases WHERE updated_at < ?")
            .bind(before)
            .execute(&self.readers)
            .await?
            .rows_affected();
        if removed > 0 {
            // What was deleted must not live on in the write-ahead log.
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
                .execute(&self.readers)
                .await?;
        }
        Ok(removed)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.readers).await?;
        if self.writer.lock().await.is_none() {
            return Err(StoreError::Unavailable);
        }
        Ok(())
    }

    async fn close(&self) {
        self.writer.lock().await.take();
        let writing = self.writing.lock().await.take();
        let moving = self.moving.lock().await.take();
        for task in [writing, moving].into_iter().flatten() {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task of the store failed");
            }
        }
        self.readers.close().await;
        // The last one out folds the write-ahead log into the file, so that a copy of the file
        // alone is whole.
        if let Ok(mut connection) = self.options.connect().await {
            let _ = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
                .execute(&mut connection)
                .await;
            let _ = connection.close().await;
        }
        self.lock.lock().await.take();
    }
}
