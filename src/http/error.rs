//! One place turns errors into answers: RFC 9457 problems for programs, pages for people.
//!
//! The detail of an internal error goes to the log, once, and never to the caller.

use std::any::Any;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::app::AppError;
use crate::json::Invalid;

/// What went wrong, as RFC 9457 says it.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) kind: &'static str,
    pub(super) detail: String,
    pub(super) errors: Vec<Invalid>,
    /// The revision that is stored, for a conflict.
    pub(super) revision: Option<i64>,
    /// The rule that refuses a probe.
    pub(super) rule: Option<&'static str>,
    /// When to try again, in seconds.
    pub(super) retry_after: Option<u64>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, kind: &'static str, detail: impl Into<String>) -> Self {
        Problem {
            status,
            kind,
            detail: detail.into(),
            errors: Vec::new(),
            revision: None,
            rule: None,
            retry_after: None,
        }
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::NOT_FOUND, "not-found", detail)
    }

    pub(super) fn invalid(errors: Vec<Invalid>) -> Self {
        Problem {
            errors,
            ..Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid-input",
                "Some of what was sent cannot be used; see errors.",
            )
        }
    }
}

impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        match error {
            AppError::NotFound(detail) => Problem::not_found(detail),
            AppError::Conflict(revision) => Problem {
                revision: Some(revision),
                ..Problem::new(
                    StatusCode::CONFLICT,
                    "conflict",
                    "Somebody else changed the case in the meantime: read it again and repeat.",
                )
            },
            AppError::Invalid(detail) => {
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-input", detail)
            }
            AppError::Faulty { pointer, detail } => Problem::invalid(vec![Invalid {
                pointer: pointer.to_owned(),
                detail,
            }]),
            AppError::Refused { rule, detail } => Problem {
                rule: Some(rule),
                ..Problem::new(StatusCode::FORBIDDEN, "probe-refused", detail)
            },
            AppError::TooMany {
                detail,
                retry_after,
            } => Problem {
                // Rounded up, so that whoever waits that long is not too early.
                retry_after: Some(retry_after.as_secs() + 1),
                ..Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate-limited", detail)
            },
            AppError::Unavailable => Problem {
                retry_after: Some(1),
                ..Problem::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "unavailable",
                    "The service has too much to do: try again in a moment.",
                )
            },
            AppError::Internal(detail) => {
                tracing::error!(%detail, "a request failed");
                Problem::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "internal",
                    "Something went wrong here; it was logged.",
                )
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": format!("/problems/{}", self.kind),
            "title": self.status.canonical_reason().unwrap_or_default(),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if !self.errors.is_empty() {
            body["errors"] = json!(self.errors);
        }
        if let Some(revision) = self.revision {
            body["revision"] = json!(revision);
        }
        if let Some(rule) = self.rule {
            body["rule"] = json!(rule);
        }
        let mut response = (self.status, Json(body)).into_response();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// A JSON body, with our own errors: 415 for another type, 400 with the position for broken JSON,
/// 422 with a pointer for JSON of another shape, 413 for too much.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T, S> FromRequest<S> for JsonBody<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request(request: Request<Body>, state: &S) -> Result<Self, Self::Rejection> {
        if !is_json(&request) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "Send JSON with Content-Type: application/json.",
            ));
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| of_bytes(&rejection))?;
        parse(&bytes).map(JsonBody)
    }
}

fn is_json(request: &Request<Body>) -> bool {
    request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(str::trim)
        .is_some_and(|kind| {
            kind.eq_ignore_ascii_case("application/json")
                || kind.to_ascii_lowercase().ends_with("+json")
        })
}

/// Parses JSON with the errors that callers understand.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => Problem::invalid(vec![Invalid {
            pointer: String::new(),
            detail: error.to_string(),
        }]),
        _ => Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid-input",
            format!("The body is not JSON: {error}."),
        ),
    })
}

/// The body could not be read whole.
pub(super) fn of_bytes(rejection: &BytesRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            "The body is larger than this service takes: send the part that shows the failure.",
        ),
        status => Problem::new(status, "invalid-input", "The body did not arrive whole."),
    }
}

/// Another method than the route has.
pub(super) async fn method_not_allowed() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "This address does not take that method; see the Allow header.",
    )
}

/// A handler panicked: a fault of ours that the caller sees as nothing more than that.
pub(super) fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "Something went wrong here; it was logged.",
    )
    .into_response()
}
