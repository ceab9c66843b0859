//! A WebSocket that answers what it is told: the control of the browser's self-test.
//!
//! It says nothing of its own, takes little, and ends soon.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::{SinkExt as _, StreamExt as _};
use hyper_util::rt::TokioIo;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::Shared;
use super::error::Problem;
use super::pages::is_foreign;
use crate::app::accept_of;

/// A self-test takes seconds.
const LONGEST: Duration = Duration::from_secs(30);
const MOST_MESSAGES: usize = 10;
const LARGEST: usize = 1024;
/// So many at a time; more are told to come back.
static ROOM: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(256)));

/// `GET /check/echo`.
pub(super) async fn open(State(shared): State<Shared>, mut request: Request) -> Response {
    let public = shared.settings.public_url.as_deref();
    if is_foreign(request.headers(), public) {
        let detail = "This socket is for this service's own pages.";
        return Problem::new(StatusCode::FORBIDDEN, "forbidden", detail).into_response();
    }
    let Some(key) = handshake_key(request.headers()) else {
        let upgrade = [(header::UPGRADE, "websocket")];
        return (
            StatusCode::UPGRADE_REQUIRED,
            upgrade,
            "A WebSocket is here.\n",
        )
            .into_response();
    };
    let Ok(place) = ROOM.clone().try_acquire_owned() else {
        let detail = "The service has too much to do: try again in a moment.";
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
            .into_response();
    };
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let talk = async {
            if let Ok(upgraded) = upgrade.await {
                talk(TokioIo::new(upgraded), place).await;
            }
        };
        let _ = tokio::time::timeout(LONGEST, talk).await;
    });
    let headers = [
        (header::UPGRADE, "websocket".to_owned()),
        (header::CONNECTION, "Upgrade".to_owned()),
        (header::SEC_WEBSOCKET_ACCEPT, accept_of(&key)),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, headers, Body::empty()).into_response()
}

/// The key of a handshake; none if it is no handshake.
fn handshake_key(headers: &HeaderMap) -> Option<String> {
    let has = |name, wanted: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|word| word.trim().eq_ignore_ascii_case(wanted))
    };
    let is_handshake = has(header::UPGRADE, "websocket")
        && has(header::CONNECTION, "upgrade")
        && has(header::SEC_WEBSOCKET_VERSION, "13");
    let key = headers.get(header::SEC_WEBSOCKET_KEY)?.to_str().ok()?;
    (is_handshake && key.len() == 24).then(|| key.to_owned())
}

async fn talk(
    stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    _place: OwnedSemaphorePermit,
) {
    let config = WebSocketConfig::default()
        .max_message_size(Some(LARGEST))
        .max_frame_size(Some(LARGEST))
        .read_buffer_size(4 << 10)
        .write_buffer_size(4 << 10)
        .max_write_buffer_size(16 << 10);
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
    let mut left = MOST_MESSAGES;
    while let Some(Ok(message)) = socket.next().await {
        let is_told = matches!(message, Message::Text(_) | Message::Binary(_));
        if is_told && (left == 0 || socket.send(message).await.is_err()) {
            break;
        }
        left = left.saturating_sub(usize::from(is_told));
    }
    let _ = socket.close(None).await;
}
