//! Servers that misbehave in one way each.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ring::digest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How a peer behaves.
#[derive(Clone, Debug)]
pub(super) enum Script {
    Healthy,
    Answer {
        status: &'static str,
        extra: &'static str,
        body: &'static str,
    },
    Switched {
        extra: &'static str,
        accept: Option<&'static str>,
    },
    Closes {
        code: u16,
        reason: &'static str,
    },
    Frames(&'static [u8]),
    IdleCut,
    Silence,
    Reset,
    Drip,
    EndlessHeader,
    Garbage,
    Greeting,
    Chatter,
    RefusesOrigin,
    WantsSlash,
    RefusesDeflate,
    RefusesSubprotocol,
}

impl Script {
    pub(super) fn origin(&self) -> Option<String> {
        matches!(self, Script::RefusesOrigin).then(|| "https://app.example".to_owned())
    }

    pub(super) fn subprotocols(&self) -> Vec<String> {
        match self {
            Script::RefusesSubprotocol => vec!["chat".to_owned()],
            _ => Vec::new(),
        }
    }

    pub(super) fn hold(&self) -> Duration {
        match self {
            Script::IdleCut => Duration::from_secs(8),
            _ => Duration::ZERO,
        }
    }
}

/// A running peer; it ends with this value.
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Peer {
    pub(super) async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("address");
        let accepted = Arc::new(AtomicUsize::new(0));
        let open = Arc::new(AtomicUsize::new(0));
        let (counted, opened) = (accepted.clone(), open.clone());
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                opened.fetch_add(1, Ordering::SeqCst);
                let (script, opened) = (script.clone(), opened.clone());
                tokio::spawn(async move {
                    // The other side may go away at any time.
                    let _ = serve(stream, &script).await;
                    opened.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Peer {
            address,
            accepted,
            open,
            accepting,
        }
    }

    pub(super) fn connections(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Waits until nobody is connected any more.
    pub(super) async fn all_closed(&self) {
        for _ in 0..200 {
            if self.open.load(Ordering::SeqCst) == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("a connection is still open");
    }
}

/// An address on which nothing listens.
pub(super) async fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    listener.local_addr().expect("address")
}

async fn serve(mut stream: TcpStream, script: &Script) -> std::io::Result<()> {
    if matches!(script, Script::Greeting) {
        stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await?;
        return until_closed(&mut stream).await;
    }
    let request = request(&mut stream).await?;
    match script {
        Script::Silence | Script::Greeting => until_closed(&mut stream).await,
        Script::Reset => {
            stream.set_zero_linger()?;
            Ok(())
        }
        Script::Drip => {
            for byte in b"HTTP/1.1 101 Switching Protocols\r\n".iter().cycle() {
                stream.write_all(&[*byte]).await?;
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            Ok(())
        }
        Script::EndlessHeader => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            loop {
                stream
                    .write_all(b"X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n")
                    .await?;
            }
        }
        Script::Garbage => finish(stream, b"\x00\x01\x02 garbage\r\n\r\n").await,
        Script::Chatter => {
            stream
                .write_all(switched(&request, "", None).as_bytes())
                .await?;
            loop {
                stream.write_all(b"\x81\x05hello").await?;
            }
        }
        Script::Closes { code, reason } => {
            let mut bytes = switched(&request, "", None).into_bytes();
            bytes.extend([0x88, u8::try_from(reason.len() + 2).unwrap_or(2)]);
            bytes.extend(code.to_be_bytes());
            bytes.extend(reason.as_bytes());
            finish(stream, &bytes).await
        }
        Script::Frames(frames) => {
            let mut bytes = switched(&request, "", None).into_bytes();
            bytes.extend(*frames);
            finish(stream, &bytes).await
        }
        Script::Healthy | Script::IdleCut => {
            stream
                .write_all(switched(&request, "", None).as_bytes())
                .await?;
            converse(stream, matches!(script, Script::IdleCut)).await
        }
        Script::Answer {
            status,
            extra,
            body,
        } => finish(stream, answer(status, extra, body).as_bytes()).await,
        Script::Switched { extra, accept } => {
            finish(stream, switched(&request, extra, *accept).as_bytes()).await
        }
        Script::RefusesOrigin => choose(stream, &request, !request.contains("Origin:")).await,
        Script::WantsSlash => choose(stream, &request, request.starts_with("GET /ws/ ")).await,
        Script::RefusesDeflate => choose(stream, &request, !request.contains("deflate")).await,
        Script::RefusesSubprotocol => {
            choose(
                stream,
                &request,
                !request.contains("Sec-WebSocket-Protocol"),
            )
            .await
        }
    }
}

/// Accepts a handshake, or says that it is not taken.
async fn choose(mut stream: TcpStream, request: &str, takes: bool) -> std::io::Result<()> {
    if takes {
        stream
            .write_all(switched(request, "", None).as_bytes())
            .await?;
        return converse(stream, false).await;
    }
    let status = if request.contains("Origin:") {
        "403 Forbidden"
    } else if request.starts_with("GET /ws ") && !request.contains("Sec-WebSocket-Protocol") {
        "404 Not Found"
    } else {
        "400 Bad Request"
    };
    finish(stream, answer(status, "", "").as_bytes()).await
}

async fn request(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0_u8; 1024];
    while !bytes.ends_with(b"\r\n\r\n") {
        let count = stream.read(&mut buffer).await?;
        if count == 0 || bytes.first() == Some(&0x16) {
            break;
        }
        bytes.extend_from_slice(&buffer[..count]);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

async fn finish(mut stream: TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    stream.write_all(bytes).await?;
    stream.shutdown().await?;
    until_closed(&mut stream).await
}

async fn until_closed(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut buffer = [0_u8; 1024];
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}

/// Answers pings and the close frame; with `cuts` it breaks off after the first ping.
async fn converse(mut stream: TcpStream, cuts: bool) -> std::io::Result<()> {
    loop {
        let mut head = [0_u8; 6];
        stream.read_exact(&mut head).await?;
        let length = usize::from(head[1] & 0x7f);
        let mut payload = vec![0_u8; length];
        stream.read_exact(&mut payload).await?;
        for (at, byte) in payload.iter_mut().enumerate() {
            *byte ^= head[2 + at % 4];
        }
        let opcode = if head[0] & 15 == 8 { 0x88 } else { 0x8a };
        let mut frame = vec![opcode, u8::try_from(length).unwrap_or(0)];
        frame.extend(&payload);
        stream.write_all(&frame).await?;
        if cuts {
            tokio::time::sleep(Duration::from_millis(2300)).await;
            return Ok(());
        }
        if opcode == 0x88 {
            return Ok(());
        }
    }
}

fn answer(status: &str, extra: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{extra}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn switched(request: &str, extra: &str, accept: Option<&str>) -> String {
    let key = request
        .lines()
        .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
        .unwrap_or_default();
    let text = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    let right = base64(hash.as_ref());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n{extra}\r\n",
        accept.unwrap_or(&right)
    )
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = 0_u32;
    let mut count = 0;
    let mut out = String::new();
    for byte in bytes {
        bits = (bits << 8) | u32::from(*byte);
        count += 8;
        while count >= 6 {
            count -= 6;
            out.push(char::from(LETTERS[((bits >> count) & 63) as usize]));
        }
    }
    if count > 0 {
        out.push(char::from(LETTERS[((bits << (6 - count)) & 63) as usize]));
    }
    while !out.len().is_multiple_of(4) {
        out.push('=');
    }
    out
}
