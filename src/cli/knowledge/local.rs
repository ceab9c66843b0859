//! What a database holds of the knowledge: import, export, counts, versions.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;
use similar::TextDiff;

use super::super::database::with_app;
use super::super::usage_error;
use super::check::counts;
use crate::app::{App, LocalEntry};
use crate::config::DatabasePlace;
use crate::engine::knowledge::entries::EntryKind;
use crate::engine::learned::STRENGTH;
use crate::report::{plain, plain_lines};
use crate::store::files;

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
        Ok(ExitCode::SUCCESS)
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
        export_learned(&app, folder).await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// What closed cases taught, beside the files of the knowledge, which do not hold it; nothing where
/// nothing was learnt.
async fn export_learned(app: &App, folder: &Path) -> Result<(), String> {
    let learned = app.learned().await.map_err(|error| error.to_string())?;
    if learned.confirmations.is_empty() {
        return Ok(());
    }
    let confirmed: Vec<serde_json::Value> = learned
        .confirmations
        .iter()
        .map(|one| {
            serde_json::json!({
                "case": one.case,
                "cause": one.cause,
                "at": one.at.to_string(),
            })
        })
        .collect();
    let document = serde_json::json!({
        "confirmed": confirmed,
        "weights": learned.weights,
    });
    let path = folder.join("learned.json");
    let text = serde_json::to_string_pretty(&document).map_err(|error| error.to_string())?;
    fs::write(&path, text + "\n").map_err(|error| format!("{}: {error}", path.display()))?;
    println!("what closed cases taught: {}", path.display());
    Ok(())
}

/// What closed cases taught, in lines.
async fn learned_lines(app: &App) -> Result<String, String> {
    let learned = app.learned().await.map_err(|error| error.to_string())?;
    let mut causes: Vec<(&String, &f64)> = learned.weights.iter().collect();
    causes.sort_by(|a, b| b.1.total_cmp(a.1).then_with(|| a.0.cmp(b.0)));
    let mut lines = format!(
        "{} closed cases confirmed a cause (the priors as written weigh {STRENGTH} cases)",
        learned.confirmations.len()
    );
    for (cause, weight) in causes {
        let count = learned
            .confirmations
            .iter()
            .filter(|one| one.cause == *cause)
            .count();
        lines.push_str(&format!("\n  {cause}: {count} cases, weight {weight:.2}"));
    }
    Ok(lines)
}

pub(super) fn stats(place: DatabasePlace, reset_learning: bool) -> ExitCode {
    with_app(place, async |app| {
        if reset_learning {
            let forgotten = app
                .forget_learned()
                .await
                .map_err(|error| error.to_string())?;
            println!("forgot what {forgotten} closed cases taught");
        }
        println!("{}", counts(app.engine().graph()));
        let local = app
            .local_entries(&files::shipped())
            .await
            .map_err(|error| error.to_string())?;
        println!("{} entries changed here", local.len());
        for one in &local {
            println!("  {}", line(one));
        }
        println!("{}", learned_lines(&app).await?);
        Ok(ExitCode::SUCCESS)
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
        Ok(ExitCode::SUCCESS)
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
