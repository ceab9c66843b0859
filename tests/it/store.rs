//! The database: settings, durability, harm that is refused.

use std::sync::Arc;

use jiff::Timestamp;
use wsdoctor::app::App;
use wsdoctor::case::Case;
use wsdoctor::engine::Evidence;
use wsdoctor::store::sqlite::SqliteStore;
use wsdoctor::store::{Store as _, StoreError};

use crate::support::{address, shipped};

fn case(id: &str) -> Case {
    let evidence = Evidence {
        text: Some(format!("text of {id}")),
        ..Evidence::default()
    };
    let now = Timestamp::from_second(1_790_000_000).expect("a time");
    Case::open(id.to_owned(), now, evidence)
}

#[tokio::test]
async fn a_case_comes_back_as_it_was_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.db");
    let store = SqliteStore::open(&address(&path))
        .await
        .expect("a database");
    let kept = store.create_case(case("one")).await.expect("a case");
    assert_eq!(kept.number, 1);
    store.close().await;
    let store = SqliteStore::open(&address(&path))
        .await
        .expect("the same database");
    assert_eq!(store.case("one").await.expect("a read"), Some(kept));
    assert_eq!(store.case("two").await.expect("a read"), None);
    store.close().await;
}

#[tokio::test]
async fn many_writers_are_all_kept_and_numbered() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Arc::new(
        SqliteStore::open(&address(&folder.path().join("a.db")))
            .await
            .expect("a database"),
    );
    let tasks: Vec<_> = (0..64)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in 0..10 {
                    store
                        .create_case(case(&format!("{writer}-{number}")))
                        .await
                        .expect("no busy error");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a writer");
    }
    for writer in 0..64 {
        for number in 0..10 {
            let id = format!("{writer}-{number}");
            assert!(store.case(&id).await.expect("a read").is_some(), "{id}");
        }
    }
    store.close().await;
}

#[tokio::test]
async fn a_request_that_goes_away_leaves_no_lock_and_no_half_case() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Arc::new(
        SqliteStore::open(&address(&folder.path().join("a.db")))
            .await
            .expect("a database"),
    );
    for number in 0..50 {
        let writing = tokio::spawn({
            let store = store.clone();
            async move { store.create_case(case(&format!("gone-{number}"))).await }
        });
        if number % 2 == 0 {
            tokio::task::yield_now().await;
        }
        writing.abort();
    }
    store
        .create_case(case("stays"))
        .await
        .expect("no lock is left");
    for number in 0..50 {
        if let Some(found) = store.case(&format!("gone-{number}")).await.expect("a read") {
            assert_eq!(found.entries.len(), 1);
        }
    }
    store.close().await;
}

#[tokio::test]
async fn a_stale_revision_is_a_conflict() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(&address(&folder.path().join("a.db")))
        .await
        .expect("a database");
    let first = store.create_case(case("one")).await.expect("a case");
    let mut second = first.clone();
    second.revision = 2;
    store
        .update_case(second.clone(), 1)
        .await
        .expect("an update");
    let stale = store.update_case(second, 1).await;
    assert!(
        matches!(stale, Err(StoreError::Conflict { current: 2 })),
        "{stale:?}"
    );
    store.close().await;
}

#[tokio::test]
async fn old_cases_are_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.db");
    let store = SqliteStore::open(&address(&path))
        .await
        .expect("a database");
    store
        .create_case(case("secret-marker"))
        .await
        .expect("a case");
    assert_eq!(store.purge_cases(1_789_999_999).await.expect("a purge"), 0);
    assert_eq!(store.purge_cases(1_790_000_001).await.expect("a purge"), 1);
    assert_eq!(store.case("secret-marker").await.expect("a read"), None);
    store.close().await;
    for entry in std::fs::read_dir(folder.path()).expect("a folder") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file");
        let text = String::from_utf8_lossy(&bytes);
        assert!(
            !text.contains("secret-marker"),
            "deleted text is still in the files"
        );
    }
}

async fn refusal(path: &std::path::Path) -> String {
    match SqliteStore::open(&address(path)).await {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_second_process_is_told_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.db");
    let store = SqliteStore::open(&address(&path))
        .await
        .expect("a database");
    store.create_case(case("one")).await.expect("a case");
    let message = refusal(&path).await;
    assert!(
        message.contains("already served by another wsdoctor"),
        "{message}"
    );
    assert!(store.case("one").await.expect("no harm").is_some());
    store.close().await;
}

#[tokio::test]
async fn a_damaged_file_is_left_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.db");
    std::fs::write(
        &path,
        "this is not a database, it is a letter to a friend ".repeat(200),
    )
    .expect("a file");
    let before = std::fs::read(&path).expect("a file");
    let message = refusal(&path).await;
    assert!(message.contains("is damaged"), "{message}");
    assert_eq!(std::fs::read(&path).expect("a file"), before);
}

#[tokio::test]
async fn pages_overwritten_inside_the_file_are_found_at_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.db");
    let store = SqliteStore::open(&address(&path))
        .await
        .expect("a database");
    let app = App::start(Arc::new(store), &shipped())
        .await
        .expect("knowledge");
    app.close().await;
    drop(app);
    let mut bytes = std::fs::read(&path).expect("a file");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8192].fill(0xAA);
    std::fs::write(&path, &bytes).expect("a file");
    let message = refusal(&path).await;
    assert!(message.contains("is damaged"), "{message}");
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.db");
    let store = SqliteStore::open(&address(&path))
        .await
        .expect("a database");
    store.create_case(case("one")).await.expect("a case");
    store.close().await;
    drop(store);
    let pool = sqlx::SqlitePool::connect(&address(&path))
        .await
        .expect("a pool");
    sqlx::query("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (99990101, 'later', 1, x'00', 1)")
        .execute(&pool)
        .await
        .expect("a row");
    pool.close().await;
    let message = refusal(&path).await;
    assert!(message.contains("made by a newer wsdoctor"), "{message}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    // Root may write everywhere but into the kernel's own file system.
    let message = refusal(std::path::Path::new("/proc/wsdoctor-test/a.db")).await;
    assert!(message.contains("cannot be written"), "{message}");
    let message = refusal(std::path::Path::new("/nowhere/at/all/a.db")).await;
    assert!(message.contains("cannot be written"), "{message}");
}
