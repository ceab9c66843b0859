//! With real sockets on loopback. Deadlines are short, and no test demands
//! more than that something happens in the end.

use std::time::{Duration, Instant};

use axum::Json;
use axum::body::Bytes;
use axum::extract::ConnectInfo;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::*;

const SHORT: Duration = Duration::from_millis(300);
const GENEROUS: Duration = Duration::from_secs(20);
const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

struct Server {
    address: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<Report>,
}

/// A server whose deadlines are `SHORT`, changed by `change`.
async fn server(change: impl FnOnce(&mut Settings)) -> Server {
    let mut settings = Settings {
        header_timeout: SHORT,
        body_timeout: SHORT,
        idle_timeout: SHORT,
        write_timeout: SHORT,
        shutdown_timeout: GENEROUS,
        ..Settings::default()
    };
    change(&mut settings);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = listener.local_addr().expect("address");
    let shutdown = CancellationToken::new();
    let token = shutdown.clone();
    let task = tokio::spawn(async move { serve(listener, router(), &settings, token).await });
    Server {
        address,
        shutdown,
        task,
    }
}

fn router() -> Router {
    Router::new()
        .route("/", get(|| async { "hello" }))
        .route(
            "/peer",
            get(|peer: ConnectInfo<SocketAddr>| async move { peer.0.to_string() }),
        )
        .route(
            "/length",
            post(|body: Bytes| async move { body.len().to_string() }),
        )
        .route(
            "/json",
            post(|body: Json<serde_json::Value>| async move { body.0.to_string() }),
        )
        .route("/unread", post(|| async { "did not look" }))
        .route(
            "/slow",
            get(|| async {
                sleep(3 * SHORT).await;
                "slow"
            }),
        )
        .route("/stuck", get(|| async { sleep(3 * GENEROUS).await }))
        .route("/large", get(|| async { vec![b'x'; 64 << 20] }))
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("connect")
    }

    /// A connection on which `text` was sent.
    async fn send(&self, text: &str) -> TcpStream {
        let mut stream = self.connect().await;
        stream.write_all(text.as_bytes()).await.expect("write");
        stream
    }

    /// Everything the server says to `text` until it closes.
    async fn ask(&self, text: &str) -> String {
        rest(&mut self.send(text).await).await
    }

    async fn stop(self) -> Report {
        self.shutdown.cancel();
        timeout(GENEROUS, self.task)
            .await
            .expect("stops")
            .expect("no panic")
    }
}

/// What comes until the server closes, which it must.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset is a close too; what was read before it stays.
    let _ = timeout(GENEROUS, stream.read_to_end(&mut bytes))
        .await
        .expect("closed in the end");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What comes until `end` was seen.
async fn until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        let mut bytes = [0; 1024];
        let read = timeout(GENEROUS, stream.read(&mut bytes))
            .await
            .expect("in time");
        let count = read.expect("read");
        assert!(count > 0, "closed after {text:?}");
        text.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    text
}

async fn assert_works(server: &Server) {
    let answer = server.ask(GET).await;
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("hello"),
        "{answer}"
    );
}

/// Sends `text` byte by byte, slower than any deadline, until the server closes.
async fn drip(mut stream: TcpStream, text: String) -> String {
    let (mut reading, mut writing) = stream.split();
    let mut bytes = Vec::new();
    let dripping = async {
        for byte in text.bytes().cycle() {
            if writing.write_all(&[byte]).await.is_err() {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        _ = timeout(GENEROUS, reading.read_to_end(&mut bytes)) => {}
        () = dripping => {}
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn silent_and_half_header_sockets_are_closed_beside_working_clients() {
    let server = server(|_| {}).await;
    let mut silent = Vec::new();
    let mut half = Vec::new();
    for _ in 0..100 {
        silent.push(server.connect().await);
        half.push(server.send("GET / HTTP/1.1\r\nhost: a").await);
        assert_works(&server).await;
    }
    for stream in &mut silent {
        assert_eq!(rest(stream).await, "");
    }
    for stream in &mut half {
        let answer = rest(stream).await;
        assert!(
            answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"),
            "{answer:?}"
        );
    }
    assert_works(&server).await;
    assert_eq!(server.stop().await.cut, 0);
}

#[tokio::test]
async fn dripping_headers_are_cut() {
    let server = server(|_| {}).await;
    let stream = server.send("GET / HTTP/1.1\r\n").await;
    let dripping = tokio::spawn(drip(stream, "x-a: b\r\n".to_owned()));
    assert_works(&server).await;
    let answer = timeout(GENEROUS, dripping)
        .await
        .expect("cut")
        .expect("no panic");
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer:?}");
}

#[tokio::test]
async fn slow_bodies_get_408_beside_working_clients() {
    let server = server(|_| {}).await;
    for path in ["/length", "/json"] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n"
        );
        let mut silent = server.send(&format!("{head}[1")).await;
        let dripping = tokio::spawn(drip(server.send(&head).await, "1".to_owned()));
        assert_works(&server).await;
        let answer = rest(&mut silent).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer:?}");
        assert!(answer.contains("application/problem+json"), "{answer:?}");
        let answer = timeout(GENEROUS, dripping)
            .await
            .expect("cut")
            .expect("no panic");
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer:?}");
    }
}

#[tokio::test]
async fn bodies_in_time_arrive_whole() {
    let server = server(|settings| settings.body_timeout = GENEROUS).await;
    let head =
        "POST /length HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 200000\r\n\r\n";
    let mut stream = server.send(head).await;
    stream.write_all(&[b'x'; 100_000]).await.expect("write");
    sleep(SHORT).await;
    stream.write_all(&[b'x'; 100_000]).await.expect("write");
    assert!(rest(&mut stream).await.ends_with("\r\n\r\n200000"));
    let chunked = "POST /length HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    assert!(server.ask(chunked).await.ends_with("\r\n\r\n3"));
}

#[tokio::test]
async fn an_answer_survives_a_body_that_nobody_reads() {
    let server = server(|_| {}).await;
    let mut stream = server.connect().await;
    let (mut reading, mut writing) = stream.split();
    let sending = async {
        let head = "POST /unread HTTP/1.1\r\nhost: a\r\ncontent-length: 8000000\r\n\r\n";
        writing.write_all(head.as_bytes()).await.expect("write");
        let _ = writing.write_all(&vec![b'x'; 8_000_000]).await;
        std::future::pending::<()>().await;
    };
    let mut answer = [0; 12];
    tokio::select! {
        () = sending => {}
        read = timeout(GENEROUS, reading.read_exact(&mut answer)) => {
            read.expect("in time").expect("read");
        }
    }
    assert_eq!(&answer, b"HTTP/1.1 200");
}

#[tokio::test]
async fn kept_connections_are_reused_and_closed_when_idle() {
    // The header's deadline must not count while a kept connection is idle.
    let server = server(|settings| settings.idle_timeout = 5 * SHORT).await;
    let mut stream = server.connect().await;
    for _ in 0..3 {
        stream
            .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            .await
            .expect("write");
        until(&mut stream, "hello").await;
        sleep(2 * SHORT).await;
    }
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn a_second_header_has_the_same_deadline() {
    let server = server(|settings| settings.idle_timeout = 10 * GENEROUS).await;
    let mut stream = server.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    until(&mut stream, "hello").await;
    stream.write_all(b"GET / HT").await.expect("write");
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 408 "));
}

#[tokio::test]
async fn handlers_see_the_peer() {
    let server = server(|_| {}).await;
    let mut stream = server
        .send("GET /peer HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        .await;
    let address = stream.local_addr().expect("address").to_string();
    assert!(rest(&mut stream).await.ends_with(&address));
}

#[tokio::test]
async fn headers_too_large_get_431() {
    let server = server(|settings| {
        settings.maximum_header_bytes = 16 * 1024;
        settings.header_timeout = GENEROUS;
    })
    .await;
    let large = "y".repeat(200_000);
    let mut stream = server.connect().await;
    let _ = stream
        .write_all(format!("GET / HTTP/1.1\r\nx: {large}\r\n\r\n").as_bytes())
        .await;
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer:?}");
    let fits = "y".repeat(15_000);
    let answer = server
        .ask(&format!(
            "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx: {fits}\r\n\r\n"
        ))
        .await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
}

#[tokio::test]
async fn a_handler_that_is_stuck_gets_503() {
    let server = server(|settings| settings.request_timeout = SHORT).await;
    let answer = server.ask("GET /stuck HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 1"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn busy_connections_fill_the_server_and_newcomers_get_503() {
    let server = server(|settings| settings.maximum_connections = 2).await;
    let mut busy = Vec::new();
    for _ in 0..2 {
        busy.push(
            server
                .send("GET /slow HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
                .await,
        );
    }
    sleep(SHORT).await;
    let answer = server.ask(GET).await;
    assert!(
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 1\r\n"),
        "{answer:?}"
    );
    for mut stream in busy {
        assert!(rest(&mut stream).await.ends_with("slow"));
    }
    sleep(SHORT).await;
    assert_works(&server).await;
    assert_eq!(
        server.stop().await,
        Report {
            accepted: 3,
            refused: 1,
            cut: 0
        }
    );
}

#[tokio::test]
async fn silent_sockets_make_room_for_working_clients() {
    let server = server(|settings| {
        settings.maximum_connections = 10;
        settings.header_timeout = 10 * GENEROUS;
    })
    .await;
    let mut silent = Vec::new();
    for _ in 0..10 {
        silent.push(server.connect().await);
    }
    sleep(SHORT).await;
    for _ in 0..10 {
        assert_works(&server).await;
    }
    assert_eq!(rest(&mut silent[0]).await, "");
}

#[tokio::test]
async fn who_never_reads_an_answer_is_cut() {
    let server = server(|_| {}).await;
    let stalled = server.send("GET /large HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_works(&server).await;
    // Nothing ends it but its own deadline, or the test's patience.
    let begin = Instant::now();
    let report = server.stop().await;
    assert_eq!(report.cut, 0, "after {:?}", begin.elapsed());
    drop(stalled);
}

#[tokio::test]
async fn who_reads_slowly_gets_everything() {
    let server = server(|settings| settings.write_timeout = 10 * SHORT).await;
    let mut stream = server
        .send("GET /large HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        .await;
    sleep(2 * SHORT).await;
    let mut total = 0;
    let mut bytes = vec![0; 1 << 20];
    loop {
        let read = timeout(GENEROUS, stream.read(&mut bytes))
            .await
            .expect("in time");
        match read.expect("read") {
            0 => break,
            count => total += count,
        }
    }
    assert!(total > 64 << 20, "{total}");
}

#[tokio::test]
async fn stopping_lets_running_requests_end_and_accepts_no_more() {
    let server = server(|_| {}).await;
    let mut idle = server.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    until(&mut idle, "hello").await;
    let mut running = server.send("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").await;
    sleep(SHORT / 3).await;
    let address = server.address;
    let (report, answer) = tokio::join!(server.stop(), rest(&mut running));
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("slow"),
        "{answer:?}"
    );
    assert_eq!(
        report,
        Report {
            accepted: 2,
            refused: 0,
            cut: 0
        }
    );
    assert_eq!(rest(&mut idle).await, "");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn stopping_cuts_what_does_not_end() {
    let server = server(|settings| settings.shutdown_timeout = SHORT).await;
    let mut stuck = server.send("GET /stuck HTTP/1.1\r\nhost: a\r\n\r\n").await;
    sleep(SHORT / 3).await;
    assert_eq!(server.stop().await.cut, 1);
    assert_eq!(rest(&mut stuck).await, "");
}
