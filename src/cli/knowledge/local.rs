//! What a database holds of the knowledge: import, export, counts, versions.

use std::fs;
use std::future::Future;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use jiff::Timestamp;
use similar::TextDiff;

use super::super::usage_error;
use super::check::counts;
use crate::app::{App, LocalEntry};
use crate::config::DatabasePlace;
use crate::engine::knowledge::entries::EntryKind;
use crate::report::{plain, plain_lines};
use crate::store::files;
use crate::store::sqlite::SqliteStore;

/// Runs something with the knowledge of a database; the error is a sentence for people.
fn with_app<F>(place: DatabasePlace, run: impl FnOnce(Arc<App>) -> F) -> ExitCode
where
    F: Future<Output = Result<(), String>>,
{
    let address = match place.address() {
        Ok(address) => address,
        Err(error) => return usage_error(error),
    };
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start: {error}"))
        .and_then(|runtime| {
            runtime.block_on(async {
                let store = SqliteStore::open(address.expose())
                    .await
                    .map_err(|error| error.to_string())?;
                let app = App::start(Arc::new(store), &files::shipped())
                    .await
                    .map_err(|error| error.to_string())?;
                let app = Arc::new(app);
                let done = run(app.clone()).await;
                app.close().await;
                done
            })
        });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("wsdoctor: {message}");
            ExitCode::FAILURE
        }
    }
}

pub(super) fn import(folder: &Path, author: &str, note: &str, place: DatabasePlace) -> ExitCode {
    let given = match files::read_folder(folder) {
        Ok(given) => given,
        Err(error) => return usage_error(error),
    };
    with_app(place, async |app| {
        let changed = app
            .import_knowledge(&files::shipped(), &given, author, note, Timestamp::now())
            .await
            .map_err(|error| format!("nothing was changed:\n{error}"))?;
        println!(
            "{} entries changed, {} as shipped again",
            changed.changed, changed.taken_back
        );
        Ok(())
    })
}

pub(super) fn export(folder: &Path, place: DatabasePlace) -> ExitCode {
    let is_taken = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if is_taken {
        return usage_error(format!(
            "{} is not empty: name an empty or a new folder",
            folder.display()
        ));
    }
    with_app(place, async |app| {
        let files = app
            .knowledge_files(&files::shipped())
            .await
            .map_err(|error| error.to_string())?;
        for file in &files {
            let path = folder.join(&file.name);
            let write = || {
                fs::create_dir_all(path.parent().unwrap_or(folder))?;
                fs::write(&path, &file.text)
            };
            write().map_err(|error| format!("{}: {error}", path.display()))?;
        }
        println!("{} files written", files.len());
        Ok(())
    })
}

pub(super) fn stats(place: DatabasePlace) -> ExitCode {
    with_app(place, async |app| {
        println!("{}", counts(app.engine().graph()));
        let local = app
            .local_entries(&files::shipped())
            .await
            .map_err(|error| error.to_string())?;
        println!("{} entries changed here", local.len());
        for one in &local {
            println!("  {}", line(one));
        }
        Ok(())
    })
}

fn line(one: &LocalEntry) -> String {
    let state = match (&one.shipped, one.shipped_changed_since) {
        (None, _) => "not shipped",
        (Some(_), false) => "differs from the shipped one",
        (Some(_), true) => "differs from the shipped one, which was changed since",
    };
    let last = one.versions.last().map_or(String::new(), |last| {
        format!(
            ", version {} by {} on {:.10}",
            last.revision,
            plain(&last.change.author),
            last.change.at.to_string()
        )
    });
    format!("{} {}: {state}{last}", one.entry.kind, one.entry.id)
}

pub(super) fn history(kind: &str, id: &str, place: DatabasePlace) -> ExitCode {
    let Some(kind) = EntryKind::of_word(kind) else {
        let kinds = EntryKind::ALL.map(EntryKind::as_str).join(", ");
        return usage_error(format!(
            "{kind:?} is no kind of entry: write one of {kinds}"
        ));
    };
    with_app(place, async |app| {
        let local = app
            .local_entries(&files::shipped())
            .await
            .map_err(|error| error.to_string())?;
        let Some(one) = local
            .into_iter()
            .find(|one| one.entry.kind == kind && one.entry.id == id)
        else {
            return Err(format!(
                "the {kind} {id:?} was not changed in this database"
            ));
        };
        println!("{}", line(&one));
        let mut before = one
            .versions
            .first()
            .and_then(|first| first.change.shipped.clone())
            .unwrap_or_default();
        for version in &one.versions {
            let change = &version.change;
            println!(
                "\nversion {}, {}, by {}: {}",
                version.revision,
                change.at,
                plain(&change.author),
                plain(&change.note)
            );
            let after = change.text.clone().unwrap_or_default();
            print!("{}", difference(&before, &after));
            before = after;
        }
        if one.shipped_changed_since {
            println!("\nfrom the shipped one as it is now:");
            let shipped = one.shipped.unwrap_or_default();
            print!("{}", difference(&shipped, &one.entry.text));
        }
        Ok(())
    })
}

/// What changed between two texts, as a unified difference.
fn difference(before: &str, after: &str) -> String {
    let before = format!("{before}\n");
    let after = format!("{after}\n");
    let lines = TextDiff::from_lines(&before, &after)
        .unified_diff()
        .context_radius(2)
        .to_string();
    plain_lines(&lines)
}
