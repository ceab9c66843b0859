//! One connection, and the deadlines of its requests.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::time::Sleep;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::answers::{self, BODY_TOO_SLOW, HANDLER_TOO_SLOW, HEADER_TOO_SLOW};
use super::stream::{End, WatchedStream};
use super::watch::{Phase, Watch};
use crate::config::Settings;

/// How long a client may take for what.
pub(super) struct Limits {
    header_timeout: Duration,
    idle_timeout: Duration,
    body_timeout: Duration,
    request_timeout: Duration,
    pub(super) write_timeout: Duration,
}

impl From<&Settings> for Limits {
    fn from(settings: &Settings) -> Limits {
        Limits {
            header_timeout: settings.header_timeout,
            idle_timeout: settings.idle_timeout,
            body_timeout: settings.body_timeout,
            request_timeout: settings.request_timeout,
            write_timeout: settings.write_timeout,
        }
    }
}

impl Limits {
    /// The watch of a connection that begins now.
    pub(super) fn watch(&self) -> Arc<Watch> {
        Arc::new(Watch::new(self.header_timeout, self.idle_timeout))
    }
}

/// The task of one connection.
pub(super) struct Connection {
    pub(super) stream: WatchedStream,
    pub(super) peer: SocketAddr,
    pub(super) router: Router,
    pub(super) http: http1::Builder,
    pub(super) limits: Arc<Limits>,
    /// End after the running request.
    pub(super) stop: CancellationToken,
    /// End now. Never cancelled before `stop`.
    pub(super) cut: CancellationToken,
}

impl Connection {
    /// Serves requests until either side ends it.
    pub(super) async fn run(self) {
        let watch = Arc::clone(self.stream.watch());
        let exchange = Exchange {
            router: self.router,
            peer: self.peer,
            limits: self.limits,
            watch,
        };
        let service = service_fn(|request| exchange.clone().answer(request));
        let mut connection = self
            .http
            .serve_connection(TokioIo::new(self.stream), service)
            .with_upgrades();
        let result = tokio::select! {
            biased;
            result = &mut connection => result,
            () = self.stop.cancelled() => {
                Pin::new(&mut connection).graceful_shutdown();
                tokio::select! {
                    result = &mut connection => result,
                    () = self.cut.cancelled() => return,
                }
            }
        };
        if let Err(error) = result {
            tracing::debug!(peer = %self.peer, %error, "connection failed");
        }
        // Lingering would only delay the end, most of all for idle clients.
        if self.stop.is_cancelled() {
            return;
        }
        // None when the connection was upgraded and is another's now.
        if let Some(parts) = connection.into_parts() {
            let close = close(parts.io.into_inner());
            self.stop.run_until_cancelled(close).await;
        }
    }
}

/// Closes the socket, with a word where the peer may still be listening.
async fn close(mut stream: WatchedStream) {
    match stream.end() {
        Some(End::Closed | End::Stalled) => {}
        Some(End::Late(Phase::Header)) => {
            answers::part(stream.socket(), Some(&HEADER_TOO_SLOW)).await;
        }
        Some(End::Late(_)) => {}
        None => answers::part(stream.socket(), None).await,
    }
}

/// What each request of a connection needs.
#[derive(Clone)]
struct Exchange {
    router: Router,
    peer: SocketAddr,
    limits: Arc<Limits>,
    watch: Arc<Watch>,
}

impl Exchange {
    async fn answer(self, request: Request<Incoming>) -> Result<Response<AnswerBody>, Infallible> {
        self.watch.begin_request();
        let start = Instant::now();
        let (mut parts, incoming) = request.into_parts();
        parts.extensions.insert(ConnectInfo(self.peer));
        let progress = (!incoming.is_end_stream()).then(Arc::<Progress>::default);
        let body = match &progress {
            None => Body::empty(),
            Some(progress) => Body::new(RequestBody {
                incoming,
                deadline: start + self.limits.body_timeout,
                sleep: None,
                progress: Arc::clone(progress),
            }),
        };
        let handler = self.router.oneshot(Request::from_parts(parts, body));
        let patience = Patience {
            start,
            limits: &self.limits,
            progress: progress.as_deref(),
        };
        let response = match patience.wait(handler).await {
            Some(Ok(response)) if gave_up_on_body(&response, progress.as_deref()) => {
                BODY_TOO_SLOW.response()
            }
            Some(Ok(response)) => response,
            None => HANDLER_TOO_SLOW.response(),
        };
        Ok(AnswerBody::wrap(response, self.watch))
    }
}

/// Whether the handler failed because the body came too slowly; what it then
/// answered says something less exact.
fn gave_up_on_body(response: &Response<Body>, progress: Option<&Progress>) -> bool {
    let late = progress.is_some_and(|progress| progress.late.get().is_some());
    late && !response.status().is_success()
}

/// How far the body of a request is.
#[derive(Default)]
struct Progress {
    /// When all of it had been read.
    complete: OnceLock<Instant>,
    /// Set when it did not come in time.
    late: OnceLock<()>,
}

/// The time that a handler gets.
struct Patience<'a> {
    start: Instant,
    limits: &'a Limits,
    /// None when the request has no body.
    progress: Option<&'a Progress>,
}

impl Patience<'_> {
    /// The handler's output, or none when it took too long and was dropped.
    async fn wait<T>(&self, handler: impl Future<Output = T>) -> Option<T> {
        let mut handler = std::pin::pin!(handler);
        let first = tokio::time::Instant::from_std(self.start + self.limits.request_timeout);
        let mut alarm = std::pin::pin!(tokio::time::sleep_until(first));
        loop {
            tokio::select! {
                biased;
                output = &mut handler => return Some(output),
                () = &mut alarm => {
                    let now = Instant::now();
                    let end = self.end(now);
                    if end <= now {
                        return None;
                    }
                    alarm.as_mut().reset(end.into());
                }
            }
        }
    }

    /// When patience ends, as far as is known: a body still on its way may
    /// end now, so it is to be asked again then.
    fn end(&self, now: Instant) -> Instant {
        let begin = match self.progress {
            None => self.start,
            Some(progress) => match progress.complete.get() {
                Some(complete) => *complete,
                None => now.min(self.start + self.limits.body_timeout),
            },
        };
        begin + self.limits.request_timeout
    }
}

/// A request's body that fails when it is not complete in time.
struct RequestBody {
    incoming: Incoming,
    deadline: Instant,
    /// Made when the body is first waited for; most bodies are there already.
    sleep: Option<Pin<Box<Sleep>>>,
    progress: Arc<Progress>,
}

/// The body did not arrive in time.
#[derive(Debug, thiserror::Error)]
#[error("the request's body did not arrive in time")]
struct BodyTooSlow;

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.incoming).poll_frame(context) {
            if frame.is_none() || self.incoming.is_end_stream() {
                let _ = self.progress.complete.set(Instant::now());
            } else if Instant::now() >= self.deadline {
                // A body that never stops coming is never pending either.
                return self.too_slow();
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let deadline = self.deadline;
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline.into())));
        match sleep.as_mut().poll(context) {
            Poll::Ready(()) => self.too_slow(),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl RequestBody {
    fn too_slow<T>(&self) -> Poll<Option<Result<T, Box<dyn std::error::Error + Send + Sync>>>> {
        let _ = self.progress.late.set(());
        Poll::Ready(Some(Err(Box::new(BodyTooSlow))))
    }
}

/// An answer's body; when hyper drops it, it has all of it.
struct AnswerBody {
    body: Body,
    /// None when the connection is being upgraded, which ends nothing.
    watch: Option<Arc<Watch>>,
}

impl AnswerBody {
    fn wrap(response: Response<Body>, watch: Arc<Watch>) -> Response<AnswerBody> {
        let upgraded = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        let watch = (!upgraded).then_some(watch);
        response.map(|body| AnswerBody { body, watch })
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        if let Some(watch) = &self.watch {
            watch.end_request();
        }
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
