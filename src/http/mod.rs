//! The HTTP face: every route stands in this file.

mod api;
mod caller;
mod echo;
mod error;
pub mod listener;
mod pages;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{delete, get, post};
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::App;
use crate::config::Settings;

/// What handlers share.
#[derive(Clone)]
pub struct Shared {
    /// The use cases.
    pub app: Arc<App>,
    /// The settings.
    pub settings: Arc<Settings>,
}

/// All routes.
pub fn router(app: Arc<App>, settings: Arc<Settings>) -> Router {
    let text_limit = DefaultBodyLimit::max(settings.maximum_text_bytes);
    let body_limit = DefaultBodyLimit::max(settings.maximum_body_bytes);
    let evidence = Router::new()
        .route("/api/v1/diagnoses", post(api::diagnoses::create))
        .route("/api/v1/cases", post(api::cases::create))
        .route(
            "/api/v1/cases/{id}/evidence",
            post(api::cases::add_evidence),
        )
        .layer(text_limit);
    let shared = Shared { app, settings };
    Router::new()
        .merge(evidence)
        // programs
        .route("/api/v1/cases/{id}", get(api::cases::show))
        .route("/api/v1/cases/{id}/answers", post(api::cases::answer))
        .route(
            "/api/v1/cases/{id}/answers/{answer}",
            delete(api::cases::take_back),
        )
        .route("/api/v1/cases/{id}/outcome", post(api::cases::close))
        .route("/api/v1/probes", post(api::probes::create))
        .route(
            "/api/v1/probes/{id}",
            get(api::probes::show).delete(api::probes::cancel),
        )
        .route("/api/v1/probes/{id}/events", get(api::probes::events))
        .route(
            "/api/v1/cases/{id}/causes/{cause}",
            get(api::cases::explanation),
        )
        .route("/api/v1/causes", get(api::knowledge::causes))
        .route("/api/v1/causes/{id}", get(api::knowledge::cause))
        .route("/api/v1/symptoms/{id}", get(api::knowledge::symptom))
        .route("/api/v1/codes/{code}", get(api::knowledge::codes))
        .route("/api/v1/timeouts", get(api::knowledge::timeouts))
        .route("/api/v1/search", get(api::knowledge::search))
        .route("/api/{*rest}", axum::routing::any(api::unknown))
        // people
        .merge(pages::routes(&shared))
        // machines
        .route("/healthz", get(api::health::alive))
        .route("/readyz", get(api::health::ready))
        .method_not_allowed_fallback(error::method_not_allowed)
        .fallback(pages::not_found)
        .layer(body_limit)
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(middleware::from_fn_with_state(
            shared.clone(),
            pages::security_headers,
        ))
        .with_state(shared)
}
