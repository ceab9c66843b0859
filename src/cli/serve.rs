//! `wsdoctor serve`: pages and API, until the process is asked to stop.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::usage_error;
use crate::app::{self, App};
use crate::config::{LogFormat, Settings, Typed};
use crate::http;
use crate::http::listener;
use crate::store::files;
use crate::store::sqlite::SqliteStore;
use crate::telemetry;

/// How often old cases are looked for.
const PURGE_EVERY: Duration = Duration::from_secs(3600);

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    settings: Typed,
}

pub(super) fn run(arguments: Arguments) -> ExitCode {
    let settings = match Settings::load(arguments.settings) {
        Ok(settings) => settings,
        Err(error) => return usage_error(error),
    };
    // Before anything is opened: a slip in a list of addresses must not open or close more.
    if let Err(error) = app::policy(&settings, false) {
        return usage_error(error);
    }
    let done = runtime().and_then(|runtime| runtime.block_on(serve(settings)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("wsdoctor: {message}");
            ExitCode::FAILURE
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start: {error}"))
}

/// Serves until a signal comes; the error is a sentence for people.
async fn serve(settings: Settings) -> Result<(), String> {
    let format = match settings.log_format {
        LogFormat::Text => telemetry::Format::Text,
        LogFormat::Json => telemetry::Format::Json,
    };
    telemetry::start(format, &settings.log_filter).map_err(|error| error.to_string())?;
    let settings = Arc::new(settings);
    // The address first: when it is taken, nothing else needs to be tried.
    let socket = TcpListener::bind(settings.listen).await.map_err(|error| {
        format!(
            "cannot listen on {}: {error}; choose another address with --listen",
            settings.listen
        )
    })?;
    let address = socket.local_addr().unwrap_or(settings.listen);
    let store = SqliteStore::open(settings.database.expose())
        .await
        .map_err(|error| error.to_string())?;
    let app = App::start(Arc::new(store), &files::shipped())
        .await
        .map_err(|error| error.to_string())?;
    let app = app
        .with_probes(&settings)
        .map_err(|error| error.to_string())?;
    let app = Arc::new(app);

    let stop = CancellationToken::new();
    tokio::spawn(stop_at_signal(stop.clone(), app.clone()));
    let purging = tokio::spawn(purge(app.clone(), settings.retention_days, stop.clone()));
    let router = http::router(app.clone(), settings.clone());
    println!("wsdoctor is ready: http://{address}/");
    let report = listener::serve(socket, router, &settings, stop).await;
    if let Err(error) = purging.await {
        tracing::error!(%error, "the purge task failed");
    }
    app.close().await;
    tracing::info!(
        accepted = report.accepted,
        refused = report.refused,
        cut = report.cut,
        "stopped"
    );
    Ok(())
}

async fn stop_at_signal(stop: CancellationToken, app: Arc<App>) {
    listener::shutdown_signal().await;
    tracing::info!("stopping");
    stop.cancel();
    // Whoever follows a probe is told its end, else their connection would hold up the stop.
    app.stop_probes().await;
}

/// Deletes cases that nobody changed for so many days, now and every hour.
async fn purge(app: Arc<App>, days: u32, stop: CancellationToken) {
    let mut hours = tokio::time::interval(PURGE_EVERY);
    while stop.run_until_cancelled(hours.tick()).await.is_some() {
        match app.purge(days, Timestamp::now()).await {
            Ok(0) => {}
            Ok(cases) => tracing::info!(cases, "deleted old cases"),
            Err(error) => tracing::error!(%error, "cannot delete old cases"),
        }
    }
}
