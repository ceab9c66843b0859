//! A case's page in a real browser: it is complete without a fault in the console, and drawn.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

const TEXT: &str = "WebSocket connection to 'wss://app.example/ws' failed: Error during WebSocket \
                    handshake: Unexpected response code: 400 <script>document.title='taken'</script>";

/// The program, serving until the test ends.
struct Service {
    child: Child,
    address: String,
    _folder: TempDir,
}

impl Service {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let database = format!("sqlite://{}", folder.path().join("test.db").display());
        let mut child = Command::new(env!("CARGO_BIN_EXE_wsdoctor"))
            .args(["serve", "--listen", "127.0.0.1:0", "--database", &database])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output"))
            .read_line(&mut line)
            .expect("a line");
        let address = line
            .split_once("http://")
            .map(|(_, rest)| rest.trim().trim_end_matches('/').to_owned())
            .unwrap_or_else(|| panic!("no address in {line:?}"));
        Service {
            child,
            address,
            _folder: folder,
        }
    }

    /// Opens a case and gives the address of its page.
    fn open_case(&self) -> String {
        let body = serde_json::json!({ "text": TEXT }).to_string();
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        write!(
            stream,
            "POST /api/v1/cases HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let id = answer
            .lines()
            .find_map(|line| line.split_once("/api/v1/cases/"))
            .map(|(_, id)| id.trim().to_owned())
            .unwrap_or_else(|| panic!("no case in {answer}"));
        format!("http://{}/cases/{id}", self.address)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn chromium(profile: &Path, arguments: &[&str]) -> Output {
    Command::new("chromium")
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--no-first-run",
            "--enable-logging=stderr",
            "--v=0",
            // Never longer than that many milliseconds.
            "--timeout=30000",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(arguments)
        .output()
        .expect("chromium runs")
}

/// Says whether there is a browser; where everything must be tested, there must be one.
#[expect(clippy::print_stderr, reason = "a test that was left out is told")]
fn is_browser_there() -> bool {
    let is_there = Command::new("chromium").arg("--version").output().is_ok();
    assert!(
        is_there || std::env::var("CI").as_deref() != Ok("true"),
        "chromium is not installed"
    );
    if !is_there {
        eprintln!("left out, because chromium is not installed");
    }
    is_there
}

#[test]
fn a_cases_page_works_in_a_browser() {
    if !is_browser_there() {
        return;
    }
    let service = Service::start();
    let page = service.open_case();
    let profile = tempfile::tempdir().expect("a folder");
    let output = chromium(profile.path(), &["--dump-dom", &page]);
    let dom = String::from_utf8_lossy(&output.stdout);
    assert!(
        dom.contains("does not pass the WebSocket upgrade on"),
        "{dom}"
    );
    assert!(dom.contains("&lt;script&gt;document.title"), "{dom}");
    assert!(!dom.contains("<title>taken"), "{dom}");
    assert_eq!(dom.matches("<script").count(), 1, "{dom}");

    let said = String::from_utf8_lossy(&output.stderr);
    let faults: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("CONSOLE") || line.contains("Content Security Policy"))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));

    let picture = profile.path().join("page.png");
    let shot = format!("--screenshot={}", picture.display());
    chromium(profile.path(), &[&shot, "--window-size=1000,1600", &page]);
    let bytes = fs::read(&picture).expect("a picture");
    assert!(bytes.starts_with(b"\x89PNG"));
    // An empty page of that size is some 6 KB.
    assert!(bytes.len() > 20_000, "{} bytes", bytes.len());
}
