//! A socket with deadlines, underneath hyper, which has none on silence
//! between requests nor on answers that nobody takes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use super::slots::Slot;
use super::watch::{Phase, Watch};

/// A blocked peer must take this many bytes within a write timeout: taking one
/// byte at a time is no better than taking none.
const LEAST_TAKEN: usize = 16 * 1024;

/// A TCP connection whose peer cannot keep it by doing nothing.
pub(super) struct WatchedStream {
    stream: TcpStream,
    watch: Arc<Watch>,
    /// Runs while a read waits. It may ring early, never late: deadlines are
    /// looked up when it rings, so that a request costs no timer.
    reading: Pin<Box<Sleep>>,
    /// Runs while a write waits.
    writing: Option<Blocked>,
    write_timeout: Duration,
    /// How the connection ended, once it has.
    end: Option<End>,
    /// Held as long as the socket, also when the connection was upgraded.
    _slot: Slot,
}

/// A write that waits for the peer.
struct Blocked {
    deadline: Pin<Box<Sleep>>,
    /// Bytes that the peer has taken since.
    taken: usize,
}

/// Why nothing more comes from or goes to the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The peer has closed its side or the network failed.
    Closed,
    /// A deadline passed, in this phase.
    Late(Phase),
    /// The peer did not take its answer.
    Stalled,
}

impl WatchedStream {
    pub(super) fn new(
        stream: TcpStream,
        watch: Arc<Watch>,
        write_timeout: Duration,
        slot: Slot,
    ) -> WatchedStream {
        let reading = Box::pin(tokio::time::sleep(watch.recheck()));
        WatchedStream {
            stream,
            watch,
            reading,
            writing: None,
            write_timeout,
            end: None,
            _slot: slot,
        }
    }

    /// What the connection is doing.
    pub(super) fn watch(&self) -> &Arc<Watch> {
        &self.watch
    }

    /// How the connection ended, if the peer or a deadline ended it.
    pub(super) fn end(&self) -> Option<End> {
        self.end
    }

    /// The bare socket, for the last words.
    pub(super) fn socket(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Waits for bytes at most until the present phase's deadline.
    fn poll_read_deadline(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            let deadline = self.watch.wait(context.waker());
            let now = Instant::now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                let phase = self.watch.phase();
                self.end = Some(End::Late(phase));
                return Poll::Ready(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "no request in time",
                ));
            }
            let target = deadline.unwrap_or(now + self.watch.recheck()).into();
            if target < self.reading.deadline() || self.reading.is_elapsed() {
                self.reading.as_mut().reset(target);
            }
            if self.reading.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Notes how a write went, and fails it when the peer is blocked too long.
    fn after_write(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(count)) => {
                if let Some(blocked) = &mut self.writing {
                    blocked.taken += count;
                    if blocked.taken >= LEAST_TAKEN {
                        self.writing = None;
                    }
                }
            }
            Poll::Ready(Err(_)) => self.end = Some(End::Closed),
            Poll::Pending => {
                let timeout = self.write_timeout;
                let blocked = self.writing.get_or_insert_with(|| Blocked {
                    deadline: Box::pin(tokio::time::sleep(timeout)),
                    taken: 0,
                });
                if blocked.deadline.as_mut().poll(context).is_ready() {
                    self.end = Some(End::Stalled);
                    let error = io::Error::new(io::ErrorKind::TimedOut, "answer not taken");
                    return Poll::Ready(Err(error));
                }
            }
        }
        written
    }
}

impl AsyncRead for WatchedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(Ok(())) if buffer.filled().len() > before => {
                self.watch.received();
                Poll::Ready(Ok(()))
            }
            Poll::Ready(result) => {
                self.end = Some(End::Closed);
                Poll::Ready(result)
            }
            Poll::Pending => self.poll_read_deadline(context).map(Err),
        }
    }
}

impl AsyncWrite for WatchedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.after_write(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.after_write(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Called when everything was handed over, so nobody is blocked any more.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writing = None;
        self.watch.flushed();
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
