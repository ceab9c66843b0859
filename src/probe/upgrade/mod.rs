//! The handshake, written and read by hand over the bare stream: the raw bytes are kept, because a
//! library hides what is wrong with an answer.

mod answer;
mod facts;
mod request;

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

pub(super) use answer::{Answer, Ending};
pub use facts::accept_of;
pub(super) use facts::{Judged, judge};
pub(super) use request::Request;

use super::Limits;

/// A connection, encrypted or not.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// A body is waited for that long after the header.
const BODY_PATIENCE: Duration = Duration::from_millis(500);

/// Sends a request and reads its answer, whatever that is. Ends when the header is there, when
/// `limits` cut it, or at the deadline.
pub(super) async fn exchange<S: Wire + ?Sized>(
    stream: &mut S,
    request: &Request,
    limits: &Limits,
    deadline: Instant,
) -> Answer {
    let mut answer = Answer::default();
    match timeout_at(deadline, stream.write_all(&request.bytes())).await {
        Err(_) => {
            answer.ending = Ending::TimedOut;
            return answer;
        }
        // The server may have answered and closed before it read everything: what it said counts.
        Ok(Err(error)) => answer.ending = ending_of(&error),
        Ok(Ok(())) => {
            let _ = timeout_at(deadline, stream.flush()).await;
        }
    }
    read_header(stream, &mut answer, limits, deadline).await;
    let is_refusal = answer
        .parsed
        .as_ref()
        .is_some_and(|parsed| parsed.status != 101);
    if is_refusal && answer.ending == Ending::Complete {
        let patience = deadline.min(Instant::now() + BODY_PATIENCE);
        read_body(stream, &mut answer, limits.body_bytes, patience).await;
    }
    answer
}

async fn read_header<S: Wire + ?Sized>(
    stream: &mut S,
    answer: &mut Answer,
    limits: &Limits,
    deadline: Instant,
) {
    let mut buffer = [0_u8; 4096];
    loop {
        match timeout_at(deadline, stream.read(&mut buffer)).await {
            Err(_) => {
                answer.ending = Ending::TimedOut;
                break;
            }
            Ok(Ok(0)) => {
                if answer.ending == Ending::Complete {
                    answer.ending = Ending::Closed;
                }
                break;
            }
            Ok(Err(error)) => {
                answer.ending = ending_of(&error);
                break;
            }
            Ok(Ok(count)) => answer.raw.extend_from_slice(&buffer[..count]),
        }
        if answer.split_header() {
            answer.ending = Ending::Complete;
            return;
        }
        // What cannot become a status line any more need not be waited for; announcements without an
        // end count as well.
        if answer.raw.len() + answer.announced >= limits.header_bytes {
            answer.raw.truncate(limits.header_bytes);
            answer.ending = Ending::TooLong;
            return;
        }
    }
    // An answer that ends without an empty line is read as far as it goes.
    answer.read_torso();
}

async fn read_body<S: Wire + ?Sized>(
    stream: &mut S,
    answer: &mut Answer,
    most: usize,
    deadline: Instant,
) {
    let expected = answer
        .header("content-length")
        .and_then(|length| length.parse::<usize>().ok())
        .unwrap_or(usize::MAX)
        .min(most);
    let mut buffer = [0_u8; 4096];
    while answer.rest.len() < expected {
        match timeout_at(deadline, stream.read(&mut buffer)).await {
            Ok(Ok(count)) if count > 0 => answer.rest.extend_from_slice(&buffer[..count]),
            _ => break,
        }
    }
    answer.rest.truncate(most);
}

fn ending_of(error: &io::Error) -> Ending {
    match error.kind() {
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => Ending::Reset,
        io::ErrorKind::UnexpectedEof => Ending::Closed,
        _ => Ending::Failed(error.to_string()),
    }
}
