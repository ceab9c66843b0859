//! The answers that come from here and not from a handler.

use std::time::Duration;

use axum::body::Body;
use hyper::{Response, StatusCode, header};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::slots::Refusal;

/// Longest time for last words to a connection that is being closed.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Seconds after which a client that was turned away may try again.
const RETRY_AFTER: u16 = 1;

/// An answer as RFC 9457 wants it.
pub(super) struct Problem {
    status: StatusCode,
    /// Last part of the problem's type.
    kind: &'static str,
    detail: &'static str,
    /// Whether the same request may succeed a little later.
    again: bool,
}

/// The header of a request did not come in time.
pub(super) const HEADER_TOO_SLOW: Problem = Problem {
    status: StatusCode::REQUEST_TIMEOUT,
    kind: "timeout",
    detail: "The request's header did not arrive in time.",
    again: false,
};

/// The body of a request did not come in time.
pub(super) const BODY_TOO_SLOW: Problem = Problem {
    status: StatusCode::REQUEST_TIMEOUT,
    kind: "timeout",
    detail: "The request's body did not arrive in time.",
    again: false,
};

/// The handler was not done in time.
pub(super) const HANDLER_TOO_SLOW: Problem = Problem {
    status: StatusCode::SERVICE_UNAVAILABLE,
    kind: "unavailable",
    detail: "The request took too long and was given up.",
    again: true,
};

const FULL: Problem = Problem {
    status: StatusCode::SERVICE_UNAVAILABLE,
    kind: "unavailable",
    detail: "The server has as many connections as it can serve.",
    again: true,
};

const TOO_MANY_FROM_ADDRESS: Problem = Problem {
    status: StatusCode::TOO_MANY_REQUESTS,
    kind: "rate-limited",
    detail: "Your address has too many open connections.",
    again: true,
};

impl Problem {
    fn title(&self) -> &'static str {
        self.status.canonical_reason().unwrap_or_default()
    }

    fn json(&self) -> String {
        serde_json::json!({
            "type": format!("/problems/{}", self.kind),
            "title": self.title(),
            "status": self.status.as_u16(),
            "detail": self.detail,
        })
        .to_string()
    }

    /// For hyper; the connection closes after it.
    pub(super) fn response(&self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.json()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let json = header::HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        let close = header::HeaderValue::from_static("close");
        headers.insert(header::CONNECTION, close);
        if self.again {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER.into());
        }
        response
    }

    /// For a bare socket.
    fn text(&self) -> String {
        let body = self.json();
        let again = if self.again {
            format!("retry-after: {RETRY_AFTER}\r\n")
        } else {
            String::new()
        };
        format!(
            "HTTP/1.1 {} {}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n\
             {again}connection: close\r\n\r\n{body}",
            self.status.as_u16(),
            self.title(),
            body.len(),
        )
    }
}

/// Tells a newcomer why it is turned away.
pub(super) async fn refuse(mut stream: TcpStream, refusal: Refusal) {
    let problem = match refusal {
        Refusal::Full => FULL,
        Refusal::TooManyFromAddress => TOO_MANY_FROM_ADDRESS,
    };
    part(&mut stream, Some(&problem)).await;
}

/// Says the last words, if any, and closes so that the peer can read them:
/// closing with unread bytes makes the kernel send a reset, which takes away
/// what the peer has not read yet. So its bytes are read for a short while.
pub(super) async fn part(stream: &mut TcpStream, problem: Option<&Problem>) {
    let goodbye = async {
        if let Some(problem) = problem {
            stream.write_all(problem.text().as_bytes()).await?;
        }
        stream.shutdown().await?;
        let mut ignored = [0; 8 * 1024];
        while stream.read(&mut ignored).await? > 0 {}
        std::io::Result::Ok(())
    };
    // Neither late nor failed last words change anything: it closes now.
    let _ = timeout(LAST_WORDS, goodbye).await;
}
