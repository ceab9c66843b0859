//! The open connection: a ping and its answer, what the server sends and how it closes.
//!
//! Of messages, size and kind are kept, never the content.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::Limits;
use super::bytes;
use super::upgrade::Wire;

/// So many messages are listed.
const MOST_LISTED: usize = 3;
/// More is not read from a server that talks on and on.
const MOST_BYTES: usize = 16 << 20;
/// A connection that was silent this long before it ended was idle.
const IDLE: Duration = Duration::from_secs(1);

/// What was seen on the open connection.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// Keys and values.
    pub(super) facts: Vec<(&'static str, String)>,
    /// One line for people.
    pub(super) detail: String,
    /// Nothing is wrong.
    pub(super) is_fine: bool,
    /// The close frame as clients print one; empty if none came.
    pub(super) farewell: String,
}

/// How the connection ended, if it did.
enum End {
    /// The server closed it, with a code and a reason if it gave any.
    Closed(Option<(u16, String)>),
    /// It broke off.
    Lost,
    Reset,
    /// The server broke the rules: value of `session.fault`, and words.
    Fault(&'static str, String),
    /// A message is larger than what is read: nothing is wrong with that.
    TooLarge,
}

struct Watch<S> {
    socket: WebSocketStream<S>,
    begun: Instant,
    /// When anything last came or went.
    last: Instant,
    messages: Vec<(&'static str, usize)>,
    more: usize,
    bytes: usize,
    /// What the ping carries: the pong has to carry it too.
    payload: Vec<u8>,
    pong: Option<Duration>,
}

/// Watches an open connection and closes it. `rest` came together with the answer.
pub(super) async fn watch<S: Wire>(
    stream: S,
    rest: Vec<u8>,
    hold: Duration,
    limits: &Limits,
    deadline: Instant,
) -> Session {
    let beginning = bytes::shown(&rest, 60);
    let is_text = rest.starts_with(b"HTTP/") || bytes::is_markup(&rest);
    let config = WebSocketConfig::default()
        .max_message_size(Some(limits.message_bytes))
        .max_frame_size(Some(limits.message_bytes))
        .read_buffer_size(16 << 10)
        .max_write_buffer_size(256 << 10);
    let socket =
        WebSocketStream::from_partially_read(stream, rest, Role::Client, Some(config)).await;
    let begun = Instant::now();
    let mut watch = Watch {
        socket,
        begun,
        last: begun,
        messages: Vec::new(),
        more: 0,
        bytes: 0,
        payload: vec![0; 8],
        pong: None,
    };
    let mut end = if is_text {
        // A library would wait for the rest of what it takes for a frame.
        let words = format!("HTTP text stands where frames should: {beginning}");
        Some(End::Fault("frame-header", words))
    } else {
        watch.ping(limits, deadline).await
    };
    let mut was_held = false;
    if end.is_none() && !hold.is_zero() {
        was_held = true;
        end = watch.until(begun + hold, false).await;
    }
    let mut session = Session::default();
    watch.tell_traffic(&mut session);
    match end {
        None => watch.close(limits, hold, &mut session).await,
        Some(end) => watch.tell_end(end, was_held, &mut session),
    }
    session
}

impl<S: Wire> Watch<S> {
    /// Sends a ping and watches for what the server does of itself.
    async fn ping(&mut self, limits: &Limits, deadline: Instant) -> Option<End> {
        let _ = getrandom::fill(&mut self.payload);
        let ping = Message::Ping(self.payload.clone().into());
        let sent = self.socket.send(ping);
        if let Ok(Err(error)) = timeout_at(deadline, sent).await {
            return Some(end_of(error));
        }
        let watched = deadline.min(self.begun + limits.watch);
        if let Some(end) = self.until(watched, false).await {
            return Some(end);
        }
        if self.pong.is_none() {
            let answered = deadline.min(self.begun + limits.websocket.max(limits.watch));
            return self.until(answered, true).await;
        }
        None
    }

    /// Reads until the moment, until the pong if that is all that is waited for, or to the end.
    async fn until(&mut self, moment: Instant, stops_at_pong: bool) -> Option<End> {
        loop {
            match timeout_at(moment, self.socket.next()).await {
                Err(_) => return None,
                Ok(None) => return Some(End::Lost),
                Ok(Some(Err(error))) => return Some(end_of(error)),
                Ok(Some(Ok(Message::Close(frame)))) => {
                    // The library answers the close frame when it is read on.
                    let _ = timeout(Duration::from_millis(200), self.socket.next()).await;
                    return Some(End::Closed(
                        frame.map(|frame| (u16::from(frame.code), frame.reason.to_string())),
                    ));
                }
                Ok(Some(Ok(message))) => self.note(&message),
            }
            if self.bytes > MOST_BYTES {
                return Some(End::TooLarge);
            }
            // A server that never stops talking always has something ready.
            if Instant::now() >= moment {
                return None;
            }
            if stops_at_pong && self.pong.is_some() {
                return None;
            }
        }
    }

    fn note(&mut self, message: &Message) {
        let now = Instant::now();
        self.bytes += message.len();
        match message {
            Message::Pong(payload) if **payload == *self.payload => {
                self.pong.get_or_insert(now - self.begun);
            }
            Message::Text(text) => self.list("text", text.len()),
            Message::Binary(bytes) => self.list("binary", bytes.len()),
            _ => {}
        }
        self.last = now;
    }

    fn list(&mut self, kind: &'static str, size: usize) {
        if self.messages.len() < MOST_LISTED {
            self.messages.push((kind, size));
        } else {
            self.more += 1;
        }
    }

    fn tell_traffic(&self, session: &mut Session) {
        if let Some(pong) = self.pong {
            session.add("session.ping", "answered");
            session.say(format!("ping answered in {} ms", pong.as_millis()));
        }
        if !self.messages.is_empty() {
            let listed: Vec<String> = self
                .messages
                .iter()
                .map(|(kind, size)| format!("{kind} of {size} bytes"))
                .collect();
            let more = match self.more {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            session.add("session.messages", &listed.join(", "));
            session.say(format!("messages: {}{more}", listed.join(", ")));
        }
    }

    /// Nothing ended it: closes it as a client should.
    async fn close(mut self, limits: &Limits, hold: Duration, session: &mut Session) {
        session.is_fine = true;
        if self.pong.is_some() {
            session.add("frames.state", "correct");
        } else {
            session.is_fine = false;
            session.add("session.fault", "heartbeat-missed");
            session.say("the ping was not answered".to_owned());
        }
        if !hold.is_zero() {
            session.add("open.lasting", "yes");
            session.say(format!("still open after {} s", hold.as_secs()));
        }
        let frame = CloseFrame {
            code: CloseCode::Normal,
            reason: "".into(),
        };
        let closing = async {
            self.socket.send(Message::Close(Some(frame))).await?;
            while let Some(message) = self.socket.next().await {
                if matches!(message?, Message::Close(_)) {
                    return Ok::<bool, Error>(true);
                }
            }
            Ok(false)
        };
        match timeout(limits.websocket, closing).await {
            Ok(Ok(true)) => {
                session.add("close.clean", "yes");
                session.say("closed in the ordinary way".to_owned());
            }
            _ => session.say("the close frame was not answered".to_owned()),
        }
    }

    /// The server or the network ended it.
    fn tell_end(&self, end: End, was_held: bool, session: &mut Session) {
        if matches!(end, End::TooLarge) {
            // It works; how long it was read is the probe's own limit and no life of a connection.
            session.is_fine = true;
            session.say("the server sends more than what is read".to_owned());
            return;
        }
        let now = Instant::now();
        let lived = (now - self.begun).as_secs_f64();
        session.add("open.seconds", &format!("{lived:.3}"));
        if let End::Fault(fault, words) = end {
            session.add("session.fault", fault);
            session.say(words);
            return;
        }
        let was_idle = was_held && now - self.last >= IDLE;
        if was_idle {
            session.add("session.idle", "yes");
        }
        match end {
            End::Closed(frame) => {
                session.add("close.initiator", "server");
                let (code, reason) = frame.unwrap_or((1005, String::new()));
                session.add("close.code", &code.to_string());
                if !reason.is_empty() {
                    session.add("close.reason", &reason);
                }
                session.say(format!(
                    "closed by the server after {lived:.1} s: {code} {reason}"
                ));
                session.farewell = format!("WebSocket closed: code={code} reason={reason}");
            }
            End::Lost | End::Reset => {
                let is_reset = matches!(end, End::Reset);
                session.add("session.fault", if is_reset { "reset" } else { "lost" });
                session.add("close.clean", "no");
                if was_idle {
                    session.add("fails.when", "idle");
                }
                let how = if is_reset {
                    "was reset"
                } else {
                    "broke off without a close frame"
                };
                session.say(format!("{how} after {lived:.1} s"));
            }
            End::TooLarge | End::Fault(..) => {}
        }
    }
}

impl Session {
    fn add(&mut self, key: &'static str, value: &str) {
        self.facts.push((key, value.to_owned()));
    }

    fn say(&mut self, words: String) {
        if !self.detail.is_empty() {
            self.detail.push_str("; ");
        }
        self.detail.push_str(&words);
    }
}

fn end_of(error: Error) -> End {
    match error {
        Error::Io(error) => match error.kind() {
            std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::ConnectionAborted => {
                End::Reset
            }
            _ => End::Lost,
        },
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => End::Lost,
        Error::Protocol(error) => End::Fault(fault_of(&error), error.to_string()),
        Error::Utf8(_) => End::Fault("invalid-utf8", "a text message is not UTF-8".to_owned()),
        Error::Capacity(CapacityError::MessageTooLong { .. }) => End::TooLarge,
        _ => End::Lost,
    }
}

fn fault_of(error: &ProtocolError) -> &'static str {
    match error {
        ProtocolError::MaskedFrameFromServer => "mask",
        ProtocolError::NonZeroReservedBits => "reserved-bits",
        ProtocolError::InvalidOpcode(_)
        | ProtocolError::UnknownControlFrameType(_)
        | ProtocolError::UnknownDataFrameType(_) => "opcode",
        ProtocolError::FragmentedControlFrame
        | ProtocolError::ControlFrameTooBig
        | ProtocolError::InvalidCloseSequence => "control-frame",
        ProtocolError::UnexpectedContinueFrame | ProtocolError::ExpectedFragment(_) => {
            "continuation"
        }
        ProtocolError::ReceivedAfterClosing => "data-after-close",
        _ => "protocol-error",
    }
}
