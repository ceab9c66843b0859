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
