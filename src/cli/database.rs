//! Runs a command with what a database holds.

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;

use super::usage_error;
use crate::app::App;
use crate::config::DatabasePlace;
use crate::store::files;
use crate::store::sqlite::SqliteStore;

/// Runs something with the knowledge and the cases of a database; the error is a sentence for people.
pub(super) fn with_app<F>(place: DatabasePlace, run: impl FnOnce(Arc<App>) -> F) -> ExitCode
where
    F: Future<Output = Result<ExitCode, String>>,
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
        Ok(code) => code,
        Err(message) => {
            eprintln!("wsdoctor: {message}");
            ExitCode::FAILURE
        }
    }
}
