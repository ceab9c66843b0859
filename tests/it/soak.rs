//! What takes long: run by tests/long, left out of the daily run.

use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use wsdoctor::store::Store as _;
use wsdoctor::store::sqlite::SqliteStore;

use crate::support::address;

/// The real program on a free port.
struct Server {
    process: Child,
    at: SocketAddr,
}

impl Server {
    fn start(database: &Path) -> Self {
        Server::start_with(database, &[])
    }

    fn start_with(database: &Path, more: &[&str]) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let at = free.local_addr().expect("an address");
        drop(free);
        let process = Command::new(env!("CARGO_BIN_EXE_wsdoctor"))
            .args([
                "serve",
                "--listen",
                &at.to_string(),
                "--database",
                &address(database),
            ])
            .args(["--header-timeout", "2s"])
            .args(more)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program");
        let server = Server { process, at };
        let begun = Instant::now();
        while server
            .request("GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .is_none()
        {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "the program does not start"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// One request on a connection of its own; the whole answer, or nothing if it broke off.
    fn request(&self, request: &str) -> Option<String> {
        let mut stream = TcpStream::connect(self.at).ok()?;
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .ok()?;
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    fn open_case(&self, text: &str) -> Option<String> {
        let body = serde_json::json!({"text": text}).to_string();
        let answer = self.request(&format!(
            "POST /api/v1/cases HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))?;
        if !answer.starts_with("HTTP/1.1 201") {
            return None;
        }
        let json = answer.split("\r\n\r\n").nth(1)?;
        let case: serde_json::Value = serde_json::from_str(json).ok()?;
        Some(case["id"].as_str()?.to_owned())
    }

    /// Orders a probe: the answer's status and the probe's id.
    fn order(&self, url: &str) -> (u16, String) {
        let body = serde_json::json!({ "url": url }).to_string();
        let answer = self
            .request(&format!(
                "POST /api/v1/probes HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            ))
            .expect("an answer");
        let status = answer[9..12].parse().expect("a status");
        let json = answer.split("\r\n\r\n").nth(1).expect("a body");
        let probe: serde_json::Value = serde_json::from_str(json).expect("JSON");
        (status, probe["id"].as_str().unwrap_or_default().to_owned())
    }

    /// The state of a probe; `gone` if it is not kept any more.
    fn state(&self, id: &str) -> String {
        let answer = self
            .request(&format!(
                "GET /api/v1/probes/{id} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
            ))
            .expect("an answer");
        let json = answer.split("\r\n\r\n").nth(1).expect("a body");
        let probe: serde_json::Value = serde_json::from_str(json).expect("JSON");
        probe["state"].as_str().unwrap_or("gone").to_owned()
    }

    /// Kilobytes of memory, and open files.
    fn held(&self) -> (usize, usize) {
        let folder = Path::new("/proc").join(self.process.id().to_string());
        let status = std::fs::read_to_string(folder.join("status")).expect("Linux");
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
        let files = std::fs::read_dir(folder.join("fd")).expect("Linux").count();
        (kilobytes.expect("a size"), files)
    }

    /// Asks it to end, and how long that takes.
    fn stop(mut self) -> Duration {
        let begun = Instant::now();
        let pid = self.process.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(asked.expect("kill").success());
        let end = self.process.wait().expect("an end");
        assert!(end.success(), "{end}");
        begun.elapsed()
    }

    fn kill(mut self) {
        self.process.kill().expect("SIGKILL");
        self.process.wait().expect("an end");
    }
}

#[test]
#[ignore = "long"]
fn a_kill_loses_no_acknowledged_case() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("kill.db");
    let acknowledged = Arc::new(Mutex::new(HashSet::new()));
    for round in 0..12_u64 {
        let server = Arc::new(Server::start(&database));
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let (server, acknowledged) = (server.clone(), acknowledged.clone());
                std::thread::spawn(move || {
                    for number in 0.. {
                        let text = format!(
                            "connect ECONNREFUSED 10.{round}.{writer}.{}:80",
                            number % 250
                        );
                        match server.open_case(&text) {
                            Some(id) => acknowledged.lock().expect("a lock").insert(id),
                            None => break,
                        };
                    }
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(150 + 97 * round));
        let pid = server.process.id().to_string();
        let killed = Command::new("kill")
            .args(["-9", &pid])
            .status()
            .expect("kill");
        assert!(killed.success());
        for writer in writers {
            writer.join().expect("a writer");
        }
        if let Ok(server) = Arc::try_unwrap(server) {
            server.kill();
        }
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let store = SqliteStore::open(&address(&database))
            .await
            .expect("a sound database");
        let acknowledged = acknowledged.lock().expect("a lock").clone();
        assert!(
            acknowledged.len() > 100,
            "only {} cases",
            acknowledged.len()
        );
        for id in &acknowledged {
            let case = store
                .case(id)
                .await
                .expect("a read")
                .expect("an acknowledged case");
            assert_eq!(case.entries.len(), 1);
        }
        store.close().await;
    });
}

/// One connection to a peer that wastes its clients' time, each after the last in another way.
fn waste_time(mut stream: TcpStream, number: usize) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
    let _ = stream.set_write_timeout(Some(Duration::from_secs(20)));
    let mut buffer = [0; 4096];
    match number % 7 {
        // Ends with a reset, because something was not read.
        0 => return,
        1 => {
            let _ = stream.read(&mut buffer);
            let _ = stream.write_all(b"\x00\x01 neither HTTP nor TLS \xff\xfe");
        }
        2 => {
            let _ = stream.read(&mut buffer);
            while stream.write_all(b"H").is_ok() {
                std::thread::sleep(Duration::from_millis(300));
            }
        }
        3 => {
            let _ = stream.read(&mut buffer);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
            while stream.write_all(b"x-filler: aaaaaaaaaaaaaaaa\r\n").is_ok() {}
        }
        4 => {
            let _ = stream.read(&mut buffer);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n");
            while stream.write_all(&[b'a'; 1024]).is_ok() {}
        }
        5 => {
            let length = stream.read(&mut buffer).unwrap_or(0);
            let request = String::from_utf8_lossy(&buffer[..length]).into_owned();
            let key = request
                .lines()
                .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
            let accept = wsdoctor::probe::accept_of(key.unwrap_or_default().trim());
            let _ = stream.write_all(
                format!(
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
                     Connection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
                )
                .as_bytes(),
            );
            // Messages without an end.
            while stream.write_all(b"\x82\x04abcd").is_ok() {}
        }
        // Says nothing and waits.
        _ => {}
    }
    while stream.read(&mut buffer).is_ok_and(|length| length > 0) {}
}

/// A port behind which every connection is wasted.
fn hostile_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().flatten().enumerate() {
            std::thread::spawn(move || waste_time(stream, number));
        }
    });
    port
}

const AT_A_TIME: usize = 32;

/// Orders five hundred probes and watches the pages until all have ended: what a page took, each.
fn five_hundred(server: &Server, port: u16) -> Vec<Duration> {
    let url = |number: usize| match number % 4 {
        0 => format!("wss://127.0.0.1:{port}/ws"),
        _ => format!("ws://127.0.0.1:{port}/ws"),
    };
    let mut waiting: Vec<String> = (0..500)
        .map(|number| match server.order(&url(number)) {
            (202, id) => id,
            (status, _) => panic!("probe {number}: {status}"),
        })
        .collect();
    let mut took = Vec::new();
    let begun = Instant::now();
    while !waiting.is_empty() {
        assert!(
            begun.elapsed() < Duration::from_secs(300),
            "{}",
            waiting.len()
        );
        for path in ["/", "/causes", "/check", "/causes/tls-cert-expired"] {
            let asked = Instant::now();
            let page = server.request(&format!(
                "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
            ));
            took.push(asked.elapsed());
            assert!(page.expect("a page").starts_with("HTTP/1.1 200"), "{path}");
        }
        let asked = Instant::now();
        assert!(server.open_case("net::ERR_NAME_NOT_RESOLVED").is_some());
        took.push(asked.elapsed());
        let states: Vec<String> = waiting.iter().map(|id| server.state(id)).collect();
        // One is asked after the other, and meanwhile some end and others begin: those that run before
        // and after ran together in between.
        let running = waiting.iter().zip(&states);
        let running = running.filter(|(_, state)| *state == "running");
        let running = running.filter(|(id, _)| server.state(id) == "running");
        let running = running.count();
        assert!(running <= AT_A_TIME, "{running} run");
        let mut states = states.into_iter();
        waiting.retain(|_| {
            states
                .next()
                .is_some_and(|state| ["queued", "running"].contains(&&*state))
        });
    }
    took
}

#[test]
#[ignore = "long"]
#[expect(clippy::print_stdout, reason = "the figures are told")]
fn five_hundred_probes_of_hostile_peers_leave_the_pages_responsive() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start_with(
        &folder.path().join("probes.db"),
        &[
            "--probe-allow=127.0.0.0/8",
            "--probe-running=32",
            "--probe-waiting=468",
            "--probe-keep=1s",
            "--probe-budget=3s",
            "--probe-tls-timeout=1s",
            "--probe-upgrade-timeout=1s",
            "--probe-websocket-timeout=1s",
        ],
    );
    let port = hostile_port();
    let mut seen = vec![server.held()];
    let mut took = Vec::new();
    for _ in 0..3 {
        took.extend(five_hundred(&server, port));
        // The last ones are forgotten.
        std::thread::sleep(Duration::from_secs(2));
        assert_eq!(server.state("nothing"), "gone");
        seen.push(server.held());
    }
    took.sort_unstable();
    let of_hundred = |part: usize| took[took.len() * part / 100];
    println!(
        "{} pages and cases: median {:?}, p99 {:?}, longest {:?}; kilobytes and files before and after each five hundred: {seen:?}",
        took.len(),
        of_hundred(50),
        of_hundred(99),
        took[took.len() - 1]
    );
    assert!(
        of_hundred(99) < Duration::from_millis(500),
        "{:?}",
        of_hundred(99)
    );
    assert!(seen[3].0 < seen[1].0 + (16 << 10), "memory grows: {seen:?}");
    assert!(seen[3].1 <= seen[0].1 + 10, "files stay open: {seen:?}");

    // There is room for five hundred at a time, and for no more.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address");
    let answers: Vec<(u16, String)> = (0..700)
        .map(|_| server.order(&format!("ws://{address}/ws")))
        .collect();
    let sent_away = answers.iter().filter(|(status, _)| *status == 503).count();
    assert!(sent_away > 0, "nobody was sent away");
    let (_, id) = &answers[0];
    let stopped = server.request(&format!(
        "DELETE /api/v1/probes/{id} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    ));
    assert!(stopped.expect("an answer").starts_with("HTTP/1.1 200"));

    // With probes under way the service ends as fast as without.
    let is_running = |(_, id): &(u16, String)| !id.is_empty() && server.state(id) == "running";
    assert!(answers.iter().any(is_running));
    let took = server.stop();
    println!("ended with probes under way in {took:?}");
    assert!(took < Duration::from_secs(4), "{took:?}");
}

#[test]
#[ignore = "long"]
fn silent_and_dripping_sockets_do_not_lock_others_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("slow.db"));
    let mut slow = Vec::new();
    for number in 0..400 {
        let Ok(mut stream) = TcpStream::connect(server.at) else {
            continue;
        };
        let begun: &[u8] = match number % 4 {
            0 => b"",
            1 => b"GET / HT",
            2 => b"GET / HTTP/1.1\r\nhost: x\r\nx-drip: ",
            _ => b"POST /api/v1/diagnoses HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{",
        };
        let _ = stream.write_all(begun);
        slow.push(stream);
        if number % 20 == 0 {
            assert!(
                server.open_case("net::ERR_NAME_NOT_RESOLVED").is_some(),
                "after {number} slow sockets"
            );
        }
    }
    for _ in 0..50 {
        assert!(server.open_case("net::ERR_NAME_NOT_RESOLVED").is_some());
    }
    // Silent and half headers are closed once their deadline has passed.
    std::thread::sleep(Duration::from_secs(5));
    let mut closed = 0;
    for stream in slow.iter_mut().step_by(4) {
        stream
            .set_read_timeout(Some(Duration::from_millis(200)))
            .expect("a deadline");
        if matches!(stream.read(&mut [0; 16]), Ok(0)) {
            closed += 1;
        }
    }
    assert_eq!(closed, 100, "silent sockets are closed");
    server.kill();
}
