//! The pages in a real browser: complete, without a complaint in the console, no wider than a
//! phone, usable with the keyboard alone.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
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
        Service::with(&[])
    }

    fn with(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let database = format!("sqlite://{}", folder.path().join("test.db").display());
        let mut child = Command::new(env!("CARGO_BIN_EXE_wsdoctor"))
            .args(["serve", "--listen", "127.0.0.1:0", "--database", &database])
            .args(arguments)
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
        let body = json!({ "text": TEXT }).to_string();
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

/// Chromium, driven over its debugging pipe: JSON messages that end with a zero byte.
struct Browser {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    session: Option<String>,
    next: u64,
    /// What happened between the answers.
    events: Vec<Value>,
    _profile: TempDir,
}

impl Browser {
    fn start() -> Self {
        let profile = tempfile::tempdir().expect("a folder");
        // The pipe is on the descriptors 3 and 4, which only a shell can set. Nothing hangs longer
        // than a minute.
        let mut child = Command::new("sh")
            .args([
                "-c",
                "exec timeout 60 chromium \"$@\" 3<&0 4>&1 </dev/null >/dev/null",
                "sh",
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--no-first-run",
                "--remote-debugging-pipe",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let mut browser = Browser {
            input: child.stdin.take().expect("its input"),
            output: BufReader::new(child.stdout.take().expect("its output")),
            child,
            session: None,
            next: 0,
            events: Vec::new(),
            _profile: profile,
        };
        let tab = browser.call("Target.createTarget", json!({"url": "about:blank"}));
        let target = json!({"targetId": tab["targetId"], "flatten": true});
        let attached = browser.call("Target.attachToTarget", target);
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    fn receive(&mut self) -> Value {
        let mut message = Vec::new();
        self.output.read_until(0, &mut message).expect("a message");
        message.pop();
        serde_json::from_slice(&message).expect("the browser went away")
    }

    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.next += 1;
        let mut message = json!({"id": self.next, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        write!(self.input, "{message}\0").expect("a running browser");
        self.input.flush().expect("a running browser");
        loop {
            let message = self.receive();
            if message["id"] == self.next {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    /// Does what leads to another page, and waits until that page is there whole.
    fn load(&mut self, act: impl FnOnce(&mut Self)) {
        let is_load = |event: &Value| event["method"] == "Page.loadEventFired";
        self.events.retain(|event| !is_load(event));
        act(self);
        while !self.events.iter().any(is_load) {
            let event = self.receive();
            self.events.push(event);
        }
    }

    fn open(&mut self, address: &str) {
        self.load(|browser| {
            browser.call("Page.navigate", json!({"url": address}));
        });
    }

    fn evaluate(&mut self, expression: &str) -> Value {
        let parameters = json!({"expression": expression, "returnByValue": true});
        self.call("Runtime.evaluate", parameters)["result"]["value"].clone()
    }

    fn resize(&mut self, width: u32) {
        let metrics =
            json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", metrics);
    }

    fn press(&mut self, key: &str, code: u32, text: &str) {
        for kind in ["keyDown", "keyUp"] {
            let mut event =
                json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code});
            if kind == "keyDown" && !text.is_empty() {
                event["text"] = json!(text);
            }
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// What pages complained of: errors of scripts, refused by the policy, not found.
    fn complaints(&self) -> Vec<&Value> {
        self.events
            .iter()
            .filter(|event| {
                [
                    "Log.entryAdded",
                    "Runtime.exceptionThrown",
                    "Runtime.consoleAPICalled",
                ]
                .contains(&event["method"].as_str().unwrap_or_default())
            })
            .collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Without waiting for an answer: it may be gone already.
        let _ = write!(self.input, "{{\"id\":0,\"method\":\"Browser.close\"}}\0");
        let _ = self.input.flush();
        let _ = self.child.wait();
    }
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
fn a_cases_page_is_complete_and_nothing_complains() {
    if !is_browser_there() {
        return;
    }
    let service = Service::start();
    let page = service.open_case();
    let mut browser = Browser::start();
    browser.open(&page);
    let heading = browser.evaluate("document.querySelector('h1').textContent");
    let heading = heading.as_str().unwrap_or_default();
    assert!(
        heading.contains("does not pass the WebSocket upgrade on"),
        "{heading}"
    );
    let text = browser.evaluate("document.body.innerText").to_string();
    assert!(text.contains("<script>document.title"), "{text}");
    let title = browser.evaluate("document.title").to_string();
    assert!(!title.contains("taken"), "{title}");
    assert_eq!(browser.evaluate("document.scripts.length"), 1);
    // The style sheet is there, and so is the script.
    assert_ne!(
        browser.evaluate("document.styleSheets[0].cssRules.length"),
        0
    );
    let picture = browser.call("Page.captureScreenshot", json!({}));
    let picture = picture["data"].as_str().expect("a picture");
    // In base 64; an empty page takes some 8 KB.
    assert!(picture.len() > 20_000, "{} characters", picture.len());
    assert_eq!(browser.complaints(), Vec::<&Value>::new());
}

#[test]
fn no_page_is_wider_than_a_phone() {
    if !is_browser_there() {
        return;
    }
    let service = Service::start();
    let case = service.open_case();
    let (_, id) = case.rsplit_once('/').expect("an id");
    let mut browser = Browser::start();
    browser.resize(360);
    for path in [
        "/".to_owned(),
        format!("/cases/{id}"),
        format!("/causes/proxy-upgrade-not-forwarded?case={id}"),
        "/causes".to_owned(),
        "/codes/1006".to_owned(),
        "/advice/timeouts".to_owned(),
        "/timeouts".to_owned(),
        "/search?q=nginx".to_owned(),
        "/nowhere".to_owned(),
    ] {
        browser.open(&format!("http://{}{path}", service.address));
        let wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth";
        assert_eq!(browser.evaluate(wider), false, "{path}");
    }
}

/// Waits until a page says something.
fn until(browser: &mut Browser, words: &str) -> String {
    for _ in 0..100 {
        let text = browser.evaluate("document.body.innerText").to_string();
        if text.contains(words) {
            return text;
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    panic!(
        "{words:?} never came: {}",
        browser.evaluate("location.href + document.body.innerText")
    );
}

#[test]
fn a_browser_tests_itself() {
    if !is_browser_there() {
        return;
    }
    let service = Service::with(&["--probe-allow", "127.0.0.0/8"]);
    let mut browser = Browser::start();
    browser.resize(360);
    // This service's own echo is a healthy socket.
    let healthy = format!("ws%3A%2F%2F{}%2Fcheck%2Fecho", service.address);
    let page = format!("http://{}/check?url={healthy}", service.address);
    browser.open(&page);
    let wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth";
    assert_eq!(browser.evaluate(wider), false);
    // With the keyboard alone.
    browser.evaluate("document.querySelector('.self-test button').focus()");
    browser.press("Enter", 13, "\r");
    let text = until(&mut browser, "The socket opens from both");
    assert!(text.contains("This service"), "{text}");
    assert_eq!(browser.evaluate(wider), false);

    // Nobody listens there.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = closed.local_addr().expect("its address").port();
    drop(closed);
    let page = format!(
        "http://{}/check?url=ws%3A%2F%2F127.0.0.1%3A{port}%2Fws",
        service.address
    );
    browser.open(&page);
    browser.evaluate("document.querySelector('.self-test button').click()");
    let text = until(&mut browser, "It fails from both");
    assert!(text.contains("closed with 1006"), "{text}");
    let refused = |event: &&&Value| event.to_string().contains("Content Security Policy");
    assert_eq!(browser.complaints().iter().filter(refused).count(), 0);
}

#[test]
fn a_probe_is_watched_live() {
    if !is_browser_there() {
        return;
    }
    let service = Service::with(&["--probe-allow", "127.0.0.0/8"]);
    let case = service.open_case();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("its address");
    let mut browser = Browser::start();
    browser.open(&case);
    browser.evaluate(&format!(
        "document.querySelector('#probe-url').value = 'ws://{address}/ws'"
    ));
    browser.load(|browser| {
        browser.evaluate("document.querySelector('#probe-url').form.submit()");
    });
    // The network is told of while the handshake is still waited for, without another load.
    browser.evaluate("window.isSame = true");
    until(&mut browser, "connected in");
    assert_eq!(browser.evaluate("window.isSame"), true);
    assert_eq!(
        browser.evaluate("document.querySelector('[data-stage=upgrade]').className"),
        "running"
    );
    let text = until(&mut browser, "To the case");
    assert!(text.contains("the handshake was never answered"), "{text}");
}

#[test]
fn a_case_is_worked_on_with_the_keyboard_alone() {
    if !is_browser_there() {
        return;
    }
    let service = Service::start();
    let page = service.open_case();
    let mut browser = Browser::start();
    browser.open(&page);
    browser.press("Tab", 9, "");
    let first = browser.evaluate("document.activeElement.className");
    assert_eq!(first, "skip", "the first stop skips the navigation");
    let mut stops = 1;
    while browser.evaluate("document.activeElement.matches('.answers button')") != true {
        let is_seen = "getComputedStyle(document.activeElement).outlineStyle !== 'none'";
        let stop = browser.evaluate("document.activeElement.outerHTML");
        assert_eq!(browser.evaluate(is_seen), true, "no outline: {stop}");
        browser.press("Tab", 9, "");
        stops += 1;
        assert!(stops < 60, "the answers are never reached");
    }
    browser.load(|browser| browser.press("Enter", 13, "\r"));
    let moments = browser.evaluate("document.querySelectorAll('.timeline li').length");
    assert_eq!(moments, 2, "the answer is in the case");
}
