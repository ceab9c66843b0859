//! The self-test: the user's own browser opens the socket, and this service looks with the same
//! Origin.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::super::Shared;
use super::super::caller::From;
use super::error::PageError;
use super::fields::Fields;
use super::headers::policy_dialling;
use super::messages::Messages;
use super::probe::address;
use super::{Page, respond, unlisted};
use crate::app::{AppError, Dialled};
use crate::case::SelfTest;
use crate::engine::prose::Subject;
use crate::engine::redact::redact;

/// The check whose lines open the socket from the failing page's own console.
const SNIPPET: &str = "console-of-the-failing-page";
/// Longer words of a browser are cut.
const LONGEST: usize = 500;

#[derive(Template)]
#[template(path = "pages/self_test.html")]
struct SelfTestPage {
    t: &'static Messages,
    page: Page,
    url: String,
    case: String,
    complaint: String,
    dialled: Option<Dialled>,
    snippet: String,
    command: String,
}

/// What is to be tested, and the case that it belongs to.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    url: String,
    #[serde(default)]
    case: String,
}

/// `GET /check`.
pub(super) async fn show(
    State(shared): State<Shared>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let t = Messages::english();
    let mut page = SelfTestPage {
        t,
        page: Page::of(&shared, t.get("check-self.title")).private(),
        url: wanted.url.trim().to_owned(),
        case: wanted.case,
        complaint: String::new(),
        dialled: None,
        snippet: String::new(),
        command: String::new(),
    };
    if page.url.is_empty() {
        return Ok(unlisted(respond(StatusCode::OK, &page)));
    }
    match shared.app.dialled(&page.url) {
        Ok(dialled) => {
            page.snippet = snippet(&shared, &dialled);
            page.command = format!("wsdoctor probe \"{}\" --allow-private", plain(&dialled.url));
            page.dialled = Some(dialled);
        }
        Err(AppError::Faulty { detail, .. } | AppError::Refused { detail, .. }) => {
            page.complaint = detail;
            return Ok(unlisted(respond(StatusCode::UNPROCESSABLE_ENTITY, &page)));
        }
        Err(error) => return Err(error.into()),
    }
    let mut response = unlisted(respond(StatusCode::OK, &page));
    if let Some(dialled) = &page.dialled {
        let own = own_sockets(&headers);
        let own = own.iter().map(String::as_str);
        let sources: Vec<&str> = [&*dialled.socket, &*dialled.plain]
            .into_iter()
            .chain(own)
            .collect();
        let policy = policy_dialling(&sources);
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
            // With it the plain request would fail at every server that does not expect it.
            headers.insert(
                HeaderName::from_static("cross-origin-embedder-policy"),
                HeaderValue::from_static("unsafe-none"),
            );
        }
    }
    Ok(response)
}

/// The sockets of this service, for the control: browsers do not take them for `'self'` everywhere.
fn own_sockets(headers: &HeaderMap) -> Vec<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .filter(|host| !host.is_empty() && host.bytes().all(is_plain));
    host.map_or_else(Vec::new, |host| {
        vec![format!("ws://{host}"), format!("wss://{host}")]
    })
}

/// The lines for the console of the failing page, with the address filled in.
fn snippet(shared: &Shared, dialled: &Dialled) -> String {
    let engine = shared.app.engine();
    let check = engine.graph().check(SNIPPET);
    let lines = check.and_then(|check| check.commands.get("devtools"));
    let place = dialled.socket.split_once("://");
    let Some((lines, (scheme, place))) = lines.zip(place) else {
        return String::new();
    };
    let (host, port) = place.rsplit_once(':').unwrap_or((place, ""));
    let path = dialled
        .url
        .split_once("://")
        .and_then(|(_, rest)| Some(rest[rest.find('/')?..].to_owned()));
    let subject = Subject {
        scheme: Some(scheme.to_owned()),
        host: Some(host.trim_matches(['[', ']']).to_owned()),
        port: Some(port.to_owned()),
        path,
        origin: None,
    };
    subject.fill(lines)
}

/// Without what ends a quotation in a shell.
fn plain(url: &str) -> String {
    url.chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || "-._~:/?#[]@&()*+,;=%".contains(*letter))
        .collect()
}

/// What the page's script found out.
#[derive(Deserialize)]
struct Told {
    url: String,
    opened: bool,
    #[serde(default)]
    code: Option<u16>,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    clean: Option<bool>,
    #[serde(default)]
    took: u64,
    #[serde(default)]
    error: String,
    online: bool,
    origin: String,
    #[serde(default)]
    browser: String,
    #[serde(default)]
    fetched: Option<bool>,
    #[serde(default)]
    control: Option<bool>,
}

/// `POST /check`: what the browser saw goes into a case, and this service looks for itself.
pub(super) async fn take(
    State(shared): State<Shared>,
    From(caller): From,
    fields: Fields,
) -> Result<Response, PageError> {
    let told: Told =
        serde_json::from_str(fields.get("result")).map_err(|_| PageError::not_understood())?;
    let short = |text: String| -> String { text.chars().take(LONGEST).collect() };
    let test = SelfTest {
        url: told.url,
        opened: told.opened,
        code: told.code,
        reason: short(told.reason),
        clean: told.clean,
        took_ms: told.took,
        error: short(told.error),
        online: told.online,
        origin: short(told.origin),
        browser: short(told.browser),
        fetched: told.fetched,
        control: told.control,
    };
    let case = fields.get("case").trim();
    let case = (!case.is_empty()).then(|| case.to_owned());
    let (case, job) = shared.app.self_test(test, case, caller).await?;
    let place = match job {
        Some(job) => address(&job),
        None => format!("/cases/{case}#probes"),
    };
    Ok(Redirect::to(&place).into_response())
}

impl SelfTestPage {
    /// The address without secrets, for sight; what is dialled is the whole one.
    fn shown(&self) -> String {
        redact(&self.url).text
    }
}
