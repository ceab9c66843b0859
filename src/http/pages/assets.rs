//! Style sheet, script and icon: inside the binary, under addresses that change with the content.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use super::error::PageError;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Embedded;

/// What browsers fetch: name, ending, media type.
const SERVED: [(&str, &str, &str); 4] = [
    ("style", "css", "text/css; charset=utf-8"),
    ("script", "js", "text/javascript; charset=utf-8"),
    ("favicon", "svg", "image/svg+xml"),
    ("self-test", "js", "text/javascript; charset=utf-8"),
];

/// The text of an embedded file; empty if there is none.
pub(super) fn text(name: &str) -> String {
    Embedded::get(name)
        .map(|file| String::from_utf8_lossy(&file.data).into_owned())
        .unwrap_or_default()
}

/// The addresses that pages link to.
#[derive(Debug)]
pub(super) struct Addresses {
    /// The style sheet.
    pub(super) style: String,
    /// The script.
    pub(super) script: String,
    /// The icon.
    pub(super) icon: String,
    /// The script of the self-test's page.
    pub(super) self_test: String,
}

impl Addresses {
    /// Made once: the files do not change while the program runs.
    pub(super) fn get() -> &'static Addresses {
        static ADDRESSES: LazyLock<Addresses> = LazyLock::new(|| {
            let [style, script, icon, self_test] = SERVED.map(|(name, ending, _)| {
                let bytes = Embedded::get(&format!("{name}.{ending}"))
                    .map(|file| file.data)
                    .unwrap_or_default();
                let digest = Sha256::digest(&bytes);
                let hash: String = digest[..6]
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
                format!("/assets/{name}-{hash}.{ending}")
            });
            Addresses {
                style,
                script,
                icon,
                self_test,
            }
        });
        &ADDRESSES
    }
}

/// `GET /assets/{name}`.
pub(in crate::http) async fn show(Path(name): Path<String>) -> Result<Response, PageError> {
    let wanted = format!("/assets/{name}");
    let addresses = Addresses::get();
    let known = [
        &addresses.style,
        &addresses.script,
        &addresses.icon,
        &addresses.self_test,
    ];
    let position = known.iter().position(|address| **address == wanted);
    let (file, ending, kind) = position
        .map(|at| SERVED[at])
        .ok_or_else(PageError::not_found)?;
    let bytes = Embedded::get(&format!("{file}.{ending}"))
        .map(|found| found.data.into_owned())
        .ok_or_else(PageError::not_found)?;
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((headers, bytes).into_response())
}
