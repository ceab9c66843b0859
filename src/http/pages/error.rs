//! Errors as pages: what happened, and what to do now.

use std::any::Any;

use askama::Template;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::super::error::Problem;
use super::messages::Messages;
use super::{Page, respond, unlisted, words};
use crate::app::AppError;

/// An error that a person sees.
#[derive(Debug)]
pub(in crate::http) struct PageError {
    status: StatusCode,
    title: String,
    text: String,
    /// Pages that may have been meant: address and title.
    near: Vec<(String, String)>,
    /// When to try again, in seconds.
    retry_after: Option<u64>,
}

#[derive(Template)]
#[template(path = "pages/error.html")]
struct ErrorPage<'a> {
    t: &'static Messages,
    page: Page,
    title: &'a str,
    text: &'a str,
    near: &'a [(String, String)],
}

impl PageError {
    fn new(status: StatusCode, title: &str, text: &str) -> Self {
        let t = Messages::english();
        PageError {
            status,
            title: t.get(title).to_owned(),
            text: t.get(text).to_owned(),
            near: Vec::new(),
            retry_after: None,
        }
    }

    pub(super) fn not_found() -> Self {
        PageError::new(
            StatusCode::NOT_FOUND,
            "error.not-found",
            "error.not-found-text",
        )
    }

    pub(super) fn no_case() -> Self {
        PageError::new(StatusCode::NOT_FOUND, "error.no-case", "error.no-case-text")
    }

    pub(super) fn no_probe() -> Self {
        PageError::new(
            StatusCode::NOT_FOUND,
            "error.no-probe",
            "error.no-probe-text",
        )
    }

    /// There is no such page of the knowledge; these have names like it.
    pub(super) fn unknown(near: Vec<(String, String)>) -> Self {
        PageError {
            near,
            ..PageError::new(StatusCode::NOT_FOUND, "error.unknown", "error.unknown-text")
        }
    }

    pub(super) fn forbidden() -> Self {
        PageError::new(StatusCode::FORBIDDEN, "error.foreign", "error.foreign-text")
    }

    pub(super) fn too_large(limit: usize) -> Self {
        let t = Messages::english();
        PageError {
            text: t.with("error.too-large-text", "limit", limit >> 20),
            ..PageError::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "error.too-large",
                "error.too-large-text",
            )
        }
    }

    pub(super) fn not_understood() -> Self {
        PageError::new(StatusCode::BAD_REQUEST, "error.form", "error.form-text")
    }
}

impl From<AppError> for PageError {
    fn from(error: AppError) -> Self {
        match error {
            AppError::NotFound(_) => PageError::no_case(),
            AppError::Conflict(_) => {
                PageError::new(StatusCode::CONFLICT, "conflict.title", "conflict.text")
            }
            AppError::Invalid(detail) | AppError::Faulty { detail, .. } => PageError {
                text: detail,
                ..PageError::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "error.form",
                    "error.form-text",
                )
            },
            AppError::Refused { detail, .. } => PageError {
                text: detail,
                ..PageError::new(StatusCode::FORBIDDEN, "error.refused", "error.form-text")
            },
            AppError::TooMany {
                detail,
                retry_after,
            } => PageError {
                text: words::capitalised(&detail) + ".",
                retry_after: Some(retry_after.as_secs() + 1),
                ..PageError::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "error.too-many",
                    "error.busy-text",
                )
            },
            AppError::Unavailable => PageError {
                retry_after: Some(1),
                ..PageError::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "error.busy",
                    "error.busy-text",
                )
            },
            AppError::Internal(detail) => {
                tracing::error!(%detail, "a request failed");
                PageError::internal()
            }
        }
    }
}

impl PageError {
    fn internal() -> Self {
        PageError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "error.internal",
            "error.internal-text",
        )
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let page = ErrorPage {
            t: Messages::english(),
            page: Page::new(self.title.as_str()).private(),
            title: &self.title,
            text: &self.text,
            near: &self.near,
        };
        let mut response = unlisted(respond(self.status, &page));
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// An address that does not exist: a problem for programs, a page for people.
pub(in crate::http) async fn not_found(address: Uri) -> Response {
    if address.path().starts_with("/api/") {
        return Problem::not_found("There is no such address in the API.").into_response();
    }
    PageError::not_found().into_response()
}

/// Another method than the page has.
pub(super) async fn method_not_allowed() -> PageError {
    PageError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "error.method",
        "error.method-text",
    )
}

/// A handler panicked: a fault of ours that the caller sees as nothing more than that.
pub(super) fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    PageError::internal().into_response()
}
