//! The accept loop, because `axum::serve` has no deadlines: there, sockets
//! that say nothing, or send a header or a body drop by drop, stay for ever.
//!
//! - `connection`: one connection from its first byte to its close;
//! - `stream`: the socket with deadlines on reading a header, on silence
//!   between requests and on answers that nobody takes;
//! - `watch`: what a connection is doing, which is what the deadlines hang on;
//! - `slots`: how many connections there may be, and which must make room.
//!
//! When all slots are taken, the connection that has waited longest without a
//! whole request makes room, so silent sockets cannot lock others out. When
//! all are busy, the newcomer is told 503 at once: waiting in the kernel's
//! queue would look to it like a dead host.

mod answers;
mod connection;
mod slots;
mod stream;
#[cfg(test)]
mod tests;
mod watch;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioTimer;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Settings;
use connection::{Connection, Limits};
use slots::Slots;
use stream::WatchedStream;

/// What the server did until it stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Connections that were let in.
    pub accepted: u64,
    /// Connections that were turned away because there were too many.
    pub refused: u64,
    /// Connections that had not ended within the shutdown timeout and were cut.
    pub cut: usize,
}

/// Serves `router` on `listener` until `shutdown` is cancelled, then lets
/// running requests end for at most the shutdown timeout.
///
/// Handlers find the peer in `ConnectInfo<SocketAddr>`. A handler that is not
/// done in time is dropped at its next await, and the client is told 503.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    settings: &Settings,
    shutdown: CancellationToken,
) -> Report {
    Listener::new(listener, router, settings, shutdown)
        .run()
        .await
}

/// Waits until the process is asked to stop: by Ctrl-C, or by SIGTERM, which
/// service managers and container runtimes send.
pub async fn shutdown_signal() {
    let interrupt = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "cannot listen for Ctrl-C");
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = interrupt => {}
        () = terminate() => {}
    }
}

#[cfg(unix)]
async fn terminate() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signals) => {
            signals.recv().await;
        }
        Err(error) => {
            tracing::error!(%error, "cannot listen for SIGTERM");
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(not(unix))]
async fn terminate() {
    std::future::pending::<()>().await;
}

/// Send buffer of each connection in bytes. The kernel's own choice grows to
/// megabytes, which thousands of clients that never read would pin; and a slow
/// but honest client would seem stalled for as long as that takes to drain.
const SEND_BUFFER: usize = 256 * 1024;

/// Smallest read buffer that hyper takes.
const SMALLEST_BUFFER: usize = 8 * 1024;

/// Pause after a failed accept, most often for want of file descriptors:
/// trying again at once would only burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Newcomers that are being told they are too many, at a time. Beyond it they
/// are closed without a word, so that refusing stays cheap.
const REFUSALS: usize = 64;

/// The task that accepts connections and waits for them at the end.
struct Listener {
    socket: TcpListener,
    /// With its state filled in, so that cloning it for a request is cheap.
    router: Router,
    http: http1::Builder,
    limits: Arc<Limits>,
    slots: Slots,
    /// Cancelled from outside: accept no more, end after the running request.
    stop: CancellationToken,
    /// Cancelled here when the shutdown timeout is over: end now.
    cut: CancellationToken,
    /// One task a connection; each ends by itself, by `stop` or by `cut`.
    connections: TaskTracker,
    /// Tasks that tell newcomers why they are turned away; not waited for.
    refusals: TaskTracker,
    shutdown_timeout: Duration,
    report: Report,
}

impl Listener {
    fn new(
        socket: TcpListener,
        router: Router,
        settings: &Settings,
        stop: CancellationToken,
    ) -> Listener {
        let buffer = socket2::SockRef::from(&socket).set_send_buffer_size(SEND_BUFFER);
        if let Err(error) = buffer {
            tracing::warn!(%error, "cannot set the size of send buffers");
        }
        Listener {
            socket,
            router: router.with_state(()),
            http: protocol(settings.maximum_header_bytes),
            limits: Arc::new(Limits::from(settings)),
            slots: Slots::new(
                slots::affordable(settings.maximum_connections),
                settings.maximum_connections_per_address,
            ),
            stop,
            cut: CancellationToken::new(),
            connections: TaskTracker::new(),
            refusals: TaskTracker::new(),
            shutdown_timeout: settings.shutdown_timeout,
            report: Report::default(),
        }
    }

    async fn run(mut self) -> Report {
        let stop = self.stop.clone();
        while let Some((stream, peer)) = stop.run_until_cancelled(self.accept()).await {
            self.welcome(stream, peer);
        }
        self.finish().await
    }

    /// The next connection; failures to accept are waited out.
    async fn accept(&self) -> (TcpStream, SocketAddr) {
        loop {
            match self.socket.accept().await {
                Ok(accepted) => return accepted,
                Err(error) if gone_already(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Starts a task for the connection, or one that turns it away.
    fn welcome(&mut self, stream: TcpStream, peer: SocketAddr) {
        // Answers are written whole, so waiting to fill a packet only delays.
        let _ = stream.set_nodelay(true);
        let watch = self.limits.watch();
        match self.slots.take(peer.ip(), &watch) {
            Ok(slot) => {
                self.report.accepted += 1;
                let connection = Connection {
                    stream: WatchedStream::new(stream, watch, self.limits.write_timeout, slot),
                    peer,
                    router: self.router.clone(),
                    http: self.http.clone(),
                    limits: Arc::clone(&self.limits),
                    stop: self.stop.clone(),
                    cut: self.cut.clone(),
                };
                self.connections.spawn(connection.run());
            }
            Err(refusal) => {
                self.report.refused += 1;
                tracing::debug!(%peer, ?refusal, "connection refused");
                if self.refusals.len() < REFUSALS {
                    self.refusals.spawn(answers::refuse(stream, refusal));
                }
            }
        }
    }

    /// Waits for the running requests, then cuts what is left.
    async fn finish(self) -> Report {
        let Listener {
            socket,
            connections,
            mut report,
            ..
        } = self;
        // Closed at once, so that a successor can listen and clients see it.
        drop(socket);
        connections.close();
        let ended = tokio::time::timeout(self.shutdown_timeout, connections.wait()).await;
        if ended.is_err() {
            report.cut = connections.len();
            tracing::warn!(connections = report.cut, "cut what did not end in time");
            self.cut.cancel();
            connections.wait().await;
        }
        report
    }
}

/// HTTP/1.1 with limits. Deadlines on headers are the stream's, since hyper's
/// own runs during the silence between two requests too.
fn protocol(maximum_header_bytes: usize) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_header_size(maximum_header_bytes)
        .max_buf_size(maximum_header_bytes.max(SMALLEST_BUFFER));
    http
}

/// Whether the failure concerns only the one connection that was to be accepted.
fn gone_already(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}
