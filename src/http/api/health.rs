//! For machines that watch the service.

use axum::extract::State;

use super::super::Shared;
use super::super::error::Problem;

/// The process runs.
pub(in crate::http) async fn alive() -> &'static str {
    "ok\n"
}

/// The service can do its work: the database answers.
pub(in crate::http) async fn ready(State(shared): State<Shared>) -> Result<&'static str, Problem> {
    shared.app.ready().await?;
    Ok("ready\n")
}
