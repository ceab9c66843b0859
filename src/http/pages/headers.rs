//! What every answer tells browsers to refuse, and which form posts are refused here.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::super::Shared;
use super::error::PageError;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const HEADERS: [(&str, &str); 8] = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    // Not "no-referrer": with it browsers send "Origin: null" with our own forms too, and without
    // HTTPS there is no Sec-Fetch-Site to tell those from foreign ones. Nothing reaches others.
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    (
        "permissions-policy",
        "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    ),
];

/// The policy of the page on which the user's browser dials one address, and no other page's.
pub(super) fn policy_dialling(sources: &[&str]) -> String {
    POLICY.replace(
        "connect-src 'self'",
        &format!("connect-src 'self' {}", sources.join(" ")),
    )
}

/// Adds the headers to every answer.
pub(in crate::http) async fn security_headers(
    State(shared): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        // The self-test's page has a policy of its own.
        let entry = response.headers_mut().entry(name);
        entry.or_insert(HeaderValue::from_static(value));
    }
    let public = shared.settings.public_url.as_deref().unwrap_or_default();
    if public.starts_with("https://") {
        response.headers_mut().insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    response
}

/// Refuses form posts that another site sent.
pub(in crate::http) async fn same_site_posts(
    State(shared): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let public = shared.settings.public_url.as_deref();
    if *request.method() == Method::POST && is_foreign(request.headers(), public) {
        return PageError::forbidden().into_response();
    }
    next.run(request).await
}

/// Whether a browser says that the request comes from elsewhere. Programs say nothing and may.
pub(in crate::http) fn is_foreign(headers: &HeaderMap, public_url: Option<&str>) -> bool {
    let value = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = value(HeaderName::from_static("sec-fetch-site")) {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = value(header::ORIGIN) else {
        return false;
    };
    let host = |address: &str| {
        address.split_once("://").map(|(_, rest)| {
            rest.split('/')
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase()
        })
    };
    let from = host(origin);
    let own = value(header::HOST).map(str::to_ascii_lowercase);
    from.is_none() || (from != own && from != public_url.and_then(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(headers: &[(&'static str, &'static str)]) -> bool {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect();
        is_foreign(&headers, Some("https://doctor.example/"))
    }

    #[test]
    fn posts_of_other_sites_are_told_from_our_own() {
        assert!(!foreign(&[("host", "a.example")]));
        assert!(!foreign(&[
            ("host", "a.example"),
            ("sec-fetch-site", "same-origin"),
            ("origin", "null")
        ]));
        assert!(!foreign(&[
            ("host", "a.example"),
            ("sec-fetch-site", "none")
        ]));
        assert!(!foreign(&[
            ("host", "a.example:81"),
            ("origin", "http://A.example:81")
        ]));
        assert!(!foreign(&[
            ("host", "inner:8080"),
            ("origin", "https://doctor.example")
        ]));
        assert!(foreign(&[
            ("host", "a.example"),
            ("sec-fetch-site", "cross-site")
        ]));
        assert!(foreign(&[
            ("host", "a.example"),
            ("sec-fetch-site", "same-site")
        ]));
        assert!(foreign(&[
            ("host", "a.example"),
            ("origin", "https://evil.example")
        ]));
        assert!(foreign(&[("host", "a.example"), ("origin", "null")]));
    }
}
