//! Probes by the API and the pages: the real router, real sockets.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tower::ServiceExt as _;
use wsdoctor::config::Settings;
use wsdoctor::probe::{NameError, Resolve};

use crate::snapshots::main_part;
use crate::support::{Answer, TestApp, small_knowledge};

const FORM: &str = "application/x-www-form-urlencoded";

/// A server that answers every request in the same way, or never; it counts its connections.
struct Target {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Target {
    async fn answering(answer: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let mut buffer = [0; 4096];
                    let _ = stream.read(&mut buffer).await;
                    match answer {
                        Some(answer) => drop(stream.write_all(answer.as_bytes()).await),
                        None => std::future::pending().await,
                    }
                });
            }
        });
        Target {
            address,
            connections,
            task,
        }
    }

    /// Refuses the handshake.
    async fn refusing() -> Self {
        Target::answering(Some(
            "HTTP/1.1 403 Forbidden\r\nServer: nginx\r\nContent-Length: 0\r\n\r\n",
        ))
        .await
    }

    /// Takes handshakes without an Origin, and no others.
    async fn picky() -> Self {
        Target::judging(|request| match request.contains("\r\nOrigin:") {
            true => "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_owned(),
            false => accepted(request),
        })
        .await
    }

    /// Takes every handshake.
    async fn accepting() -> Self {
        Target::judging(accepted).await
    }

    async fn judging(answer: fn(&str) -> String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let connections = Arc::new(AtomicUsize::new(0));
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut buffer = [0; 4096];
                    let length = stream.read(&mut buffer).await.unwrap_or(0);
                    let request = String::from_utf8_lossy(&buffer[..length]).into_owned();
                    let _ = stream.write_all(answer(&request).as_bytes()).await;
                    // Open until the client closes.
                    while stream
                        .read(&mut buffer)
                        .await
                        .is_ok_and(|length| length > 0)
                    {}
                });
            }
        });
        Target {
            address,
            connections,
            task,
        }
    }

    /// Never answers.
    async fn silent() -> Self {
        Target::answering(None).await
    }

    fn url(&self) -> String {
        format!("ws://{}/ws", self.address)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn accepted(request: &str) -> String {
    let key = request
        .lines()
        .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
    let accept = wsdoctor::probe::accept_of(key.unwrap_or_default().trim());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )
}

/// Loopback may be probed.
fn open() -> Settings {
    Settings {
        probe_allow: vec!["127.0.0.0/8".to_owned()],
        probe_upgrade_timeout: Duration::from_secs(2),
        ..Settings::default()
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

async fn order(test: &TestApp, body: &Value) -> Answer {
    test.post_json("/api/v1/probes", body).await
}

/// Orders a probe as somebody at another address.
async fn order_from(test: &TestApp, from: &str, body: &Value) -> Answer {
    let peer: SocketAddr = format!("{from}:40000").parse().expect("an address");
    let request = Request::builder()
        .method(Method::POST)
        .uri("/api/v1/probes")
        .header(header::CONTENT_TYPE, "application/json")
        .extension(ConnectInfo(peer))
        .body(Body::from(body.to_string()))
        .expect("a request");
    test.send(request).await
}

async fn ended(test: &TestApp, id: &str) -> Value {
    let job = test.app.find_probe(id).expect("a probe");
    tokio::time::timeout(Duration::from_secs(30), job.ended())
        .await
        .expect("an end");
    test.get(&format!("/api/v1/probes/{id}")).await.json()
}

/// A case of a socket that fails: its id.
async fn case_of(test: &TestApp, target: &Target) -> String {
    let words = format!("WebSocket connection to '{}' failed", target.url());
    text(&open_case(test, &words).await, "id").to_owned()
}

async fn open_case(test: &TestApp, text: &str) -> Value {
    let opened = test
        .post_json("/api/v1/cases", &json!({ "text": text }))
        .await;
    assert_eq!(opened.status, StatusCode::CREATED, "{}", opened.body);
    opened.json()
}

/// What a stream of events says: names and values.
fn events(body: &str) -> Vec<(String, Value)> {
    body.split("\n\n")
        .filter_map(|event| {
            let name = event
                .lines()
                .find_map(|line| line.strip_prefix("event: "))?;
            let data = event.lines().find_map(|line| line.strip_prefix("data: "))?;
            let value = serde_json::from_str(data).expect("JSON");
            Some((name.to_owned(), value))
        })
        .collect()
}

#[tokio::test]
async fn a_probe_is_ordered_and_read() {
    let test = TestApp::with(open()).await;
    let target = Target::refusing().await;
    let ordered = order(&test, &json!({ "url": target.url() })).await;
    assert_eq!(ordered.status, StatusCode::ACCEPTED, "{}", ordered.body);
    let probe = ordered.json();
    let id = text(&probe, "id").to_owned();
    assert_eq!(id.len(), 26);
    assert_eq!(ordered.header("location"), format!("/api/v1/probes/{id}"));
    assert!(["queued", "running"].contains(&text(&probe, "state")));

    let done = ended(&test, &id).await;
    assert_eq!(text(&done, "state"), "done", "{done:#}");
    assert_eq!(text(&done, "url"), target.url());
    let report = &done["report"];
    let stages = report["stages"].as_array().expect("stages");
    let named: Vec<&str> = stages.iter().map(|stage| text(stage, "stage")).collect();
    assert_eq!(named, ["dns", "tcp", "tls", "upgrade", "websocket"]);
    assert_eq!(text(&stages[3], "state"), "failed");
    let facts = report["facts"].as_array().expect("facts");
    let has_status = |fact: &Value| fact["key"] == "handshake.status" && fact["value"] == "403";
    assert!(facts.iter().any(has_status), "{facts:#?}");
    assert!(report["diagnosis"]["causes"].is_array());
    assert!(target.connections() > 0);

    let missing = test.get("/api/v1/probes/nothing").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    let missing = test.get("/api/v1/probes/nothing/events").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_cannot_be_used_is_named() {
    let test = TestApp::with(open()).await;
    for (body, pointer) in [
        (json!({"url": "not an address"}), "/url"),
        (json!({"url": "ws://127.0.0.1:0/"}), "/url"),
        (json!({"url": "ws://127.0.0.1:99999/"}), "/url"),
        (
            json!({"url": "ws://127.0.0.1:9999/", "origin": "nonsense"}),
            "/origin",
        ),
        (
            json!({"url": "ws://127.0.0.1:9999/", "subprotocols": ["a b"]}),
            "/subprotocols",
        ),
        (
            json!({"url": "ws://127.0.0.1:9999/", "headers": {"Host": "x"}}),
            "/headers",
        ),
        (
            json!({"url": "ws://127.0.0.1:9999/", "hold_seconds": 100_000}),
            "/hold_seconds",
        ),
        (
            json!({"url": "ws://127.0.0.1:9999/", "case": "nothing"}),
            "/case",
        ),
        (json!({"origin": "https://a.example"}), ""),
    ] {
        let answer = order(&test, &body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        let problem = answer.json();
        assert!(text(&problem, "type").ends_with("invalid-input"), "{body}");
        assert_eq!(text(&problem["errors"][0], "pointer"), pointer, "{body}");
        assert!(!text(&problem["errors"][0], "detail").is_empty());
    }
}

#[tokio::test]
async fn what_is_refused_opens_no_connection() {
    let target = Target::refusing().await;
    let port = target.address.port();
    let closed = TestApp::start().await;
    for (url, rule) in [
        (format!("ws://127.0.0.1:{port}/"), "loopback-address"),
        (format!("ws://127.1:{port}/"), "loopback-address"),
        (format!("ws://0x7f000001:{port}/"), "loopback-address"),
        (
            format!("ws://[::ffff:127.0.0.1]:{port}/"),
            "loopback-address",
        ),
        ("ws://10.0.0.1/".to_owned(), "private-address"),
        (format!("ftp://127.0.0.1:{port}/"), "scheme"),
        ("ws://a.example:22/".to_owned(), "port"),
        ("ws://me:secret@a.example/".to_owned(), "user-info"),
    ] {
        let answer = order(&closed, &json!({ "url": url })).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{url}");
        let problem = answer.json();
        assert!(text(&problem, "type").ends_with("probe-refused"), "{url}");
        assert_eq!(text(&problem, "rule"), rule, "{url}");
    }
    // A name is known to lead to what is refused only when it was resolved.
    let url = format!("ws://localhost:{port}/");
    let answer = order(&closed, &json!({ "url": url })).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    let done = ended(&closed, text(&answer.json(), "id")).await;
    assert_eq!(text(&done, "state"), "refused");
    assert_eq!(text(&done, "rule"), "loopback-address");
    assert!(text(&done, "message").contains("loopback"), "{done:#}");
    assert!(done["report"].is_null());
    assert_eq!(target.connections(), 0);

    // The same with the address allowed: the listener would have seen it.
    let allowing = TestApp::with(open()).await;
    let answer = order(&allowing, &json!({ "url": url })).await;
    let done = ended(&allowing, text(&answer.json(), "id")).await;
    assert_eq!(text(&done, "state"), "done");
    assert!(target.connections() > 0);
}

#[tokio::test]
async fn events_tell_everything_to_whoever_comes_late_too() {
    let test = TestApp::with(open()).await;
    let target = Target::refusing().await;
    let ordered = order(&test, &json!({ "url": target.url() })).await.json();
    let id = text(&ordered, "id").to_owned();
    let path = format!("/api/v1/probes/{id}/events");
    let at_once = test.get(&path).await;
    assert!(
        at_once
            .header("content-type")
            .starts_with("text/event-stream")
    );
    assert_eq!(at_once.header("cache-control"), "no-store");
    let first = events(&at_once.body);
    let names: Vec<&str> = first.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names.iter().filter(|name| **name == "stage").count(), 5);
    assert_eq!(names.last(), Some(&"done"));
    assert_eq!(text(&first.last().expect("an event").1, "state"), "done");
    assert!(first.iter().any(|(name, value)| name == "stage"
        && value["stage"] == "tcp"
        && value["took_ms"].is_u64()));

    ended(&test, &id).await;
    let late = test.get(&path).await;
    assert_eq!(events(&late.body), first);
    // Whose connection broke gets what is new.
    let request = Request::get(&path)
        .header("last-event-id", "2")
        .body(Body::empty())
        .expect("a request");
    let again = events(&test.send(request).await.body);
    assert_eq!(again, first[3..]);
}

#[tokio::test]
async fn events_come_as_they_happen() {
    let test = TestApp::with(open()).await;
    let target = Target::silent().await;
    let ordered = order(&test, &json!({ "url": target.url() })).await.json();
    let id = text(&ordered, "id").to_owned();
    let request = Request::get(format!("/api/v1/probes/{id}/events"))
        .body(Body::empty())
        .expect("a request");
    let response = test
        .router
        .clone()
        .oneshot(request)
        .await
        .expect("an answer");
    let mut body = response.into_body();
    let mut seen = String::new();
    while !seen.contains("\"tcp\",\"state\":\"ok\"") {
        let frame = tokio::time::timeout(Duration::from_millis(1500), body.frame()).await;
        let frame = frame.expect("soon").expect("an event").expect("whole");
        seen.push_str(std::str::from_utf8(frame.data_ref().expect("data")).expect("UTF-8"));
    }
    assert!(!seen.contains("event: done"), "{seen}");

    let cancelled = test
        .send(
            Request::delete(format!("/api/v1/probes/{id}"))
                .body(Body::empty())
                .expect("a request"),
        )
        .await;
    assert_eq!(cancelled.status, StatusCode::OK);
    let cancelled = cancelled.json();
    assert_eq!(text(&cancelled, "state"), "cancelled");
    // What was seen until then is there.
    let stages = cancelled["report"]["stages"].as_array().expect("stages");
    let states: Vec<&str> = stages.iter().map(|stage| text(stage, "state")).collect();
    assert_eq!(
        states,
        ["skipped", "ok", "skipped", "not_reached", "not_reached"]
    );
    let facts = cancelled["report"]["facts"].as_array().expect("facts");
    assert!(facts.iter().any(|fact| fact["key"] == "tcp.connect"));
    assert!(cancelled["report"]["diagnosis"]["path"].is_array());
    while let Some(frame) = body.frame().await {
        let frame = frame.expect("whole");
        seen.push_str(std::str::from_utf8(frame.data_ref().expect("data")).expect("UTF-8"));
    }
    assert!(seen.contains("event: done"), "{seen}");
    // What has ended stays as it is.
    let read = test.get(&format!("/api/v1/probes/{id}")).await.json();
    assert_eq!(text(&read, "state"), "cancelled");
}

#[tokio::test]
async fn strangers_have_limits_and_this_machine_has_none() {
    let test = TestApp::with(Settings {
        probe_caller_running: 100,
        ..open()
    })
    .await;
    let target = Target::refusing().await;
    let body = json!({ "url": target.url() });
    for number in 0..6 {
        let from = format!("198.51.100.{number}");
        let answer = order_from(&test, &from, &body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{number}");
    }
    let answer = order_from(&test, "198.51.100.77", &body).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    let problem = answer.json();
    assert!(text(&problem, "type").ends_with("rate-limited"));
    let wait: u64 = answer.header("retry-after").parse().expect("seconds");
    assert!((1..=61).contains(&wait), "{wait}");
    // The same address by another name is noticed before it is connected to.
    let port = target.address.port();
    let by_name = json!({ "url": format!("ws://localhost:{port}/") });
    let mut states = Vec::new();
    for number in 0..6 {
        let from = format!("198.51.100.1{number}");
        let answer = order_from(&test, &from, &by_name).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
        let done = ended(&test, text(&answer.json(), "id")).await;
        states.push((
            text(&done, "state").to_owned(),
            text(&done, "rule").to_owned(),
        ));
    }
    assert!(
        states.contains(&("refused".to_owned(), "target-rate".to_owned())),
        "{states:?}"
    );
    for _ in 0..10 {
        let answer = order(&test, &body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    }
}

#[tokio::test]
async fn a_caller_has_so_many_at_a_time() {
    let test = TestApp::with(Settings {
        probe_caller_running: 2,
        ..open()
    })
    .await;
    let target = Target::silent().await;
    let body = json!({ "url": target.url() });
    let mut ids = Vec::new();
    for _ in 0..2 {
        let answer = order_from(&test, "198.51.100.1", &body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
        ids.push(text(&answer.json(), "id").to_owned());
    }
    let answer = order_from(&test, "198.51.100.1", &body).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    let answer = order_from(&test, "198.51.100.2", &body).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    test.app.cancel_probe(&ids[0]).await.expect("a probe");
    let answer = order_from(&test, "198.51.100.1", &body).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn probes_wait_for_their_turn_and_not_too_many_do() {
    let test = TestApp::with(Settings {
        probe_running: 1,
        probe_waiting: 1,
        ..open()
    })
    .await;
    let target = Target::silent().await;
    let body = json!({ "url": target.url() });
    let first = order(&test, &body).await.json();
    let second = order(&test, &body).await.json();
    let third = order(&test, &body).await;
    assert_eq!(third.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(third.header("retry-after"), "1");
    let read = test
        .get(&format!("/api/v1/probes/{}", text(&second, "id")))
        .await
        .json();
    assert_eq!(text(&read, "state"), "queued");
    test.app
        .cancel_probe(text(&first, "id"))
        .await
        .expect("a probe");
    let done = ended(&test, text(&second, "id")).await;
    assert_eq!(text(&done, "state"), "done");
}

#[tokio::test]
async fn probes_end_with_the_service() {
    let test = TestApp::with(open()).await;
    let target = Target::silent().await;
    let ordered = order(&test, &json!({ "url": target.url() })).await.json();
    let begun = std::time::Instant::now();
    test.app.stop_probes().await;
    assert!(begun.elapsed() < Duration::from_secs(2));
    let read = test
        .get(&format!("/api/v1/probes/{}", text(&ordered, "id")))
        .await
        .json();
    assert_eq!(text(&read, "state"), "cancelled");
    let answer = order(&test, &json!({ "url": target.url() })).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_result_joins_its_case() {
    let test = TestApp::with(open()).await;
    let target = Target::refusing().await;
    let id = case_of(&test, &target).await;
    let ordered = order(&test, &json!({"url": target.url(), "case": id})).await;
    assert_eq!(ordered.status, StatusCode::ACCEPTED, "{}", ordered.body);
    let probe = ended(&test, text(&ordered.json(), "id")).await;
    assert_eq!(text(&probe, "state"), "done");
    assert_eq!(text(&probe, "case"), id);
    let case = test.get(&format!("/api/v1/cases/{id}")).await.json();
    assert_eq!(case["revision"], 2);
    let facts = case["diagnosis"]["facts"].as_array().expect("facts");
    let is_seen = |fact: &Value| {
        fact["key"] == "handshake.status" && fact["value"] == "403" && fact["vantage"] == "server"
    };
    assert!(facts.iter().any(is_seen), "{facts:#?}");

    let page = test.get(&format!("/cases/{id}")).await;
    assert!(page.body.contains("id=\"probes\""), "the probe is shown");
    assert!(page.body.contains("class=\"ladder\""));
    assert!(page.body.contains("Probed ws://127.0.0.1"), "the timeline");
}

#[tokio::test]
async fn a_probe_is_ordered_from_the_cases_page() {
    let test = TestApp::with(open()).await;
    let target = Target::refusing().await;
    let id = case_of(&test, &target).await;
    let page = test.get(&format!("/cases/{id}")).await;
    assert!(
        page.body
            .contains(&format!("action=\"/cases/{id}/probes\""))
    );
    assert!(page.body.contains(&format!("value=\"{}\"", target.url())));
    let form = format!("url={}&origin=&hold=", target.url());
    let sent = test.post(&format!("/cases/{id}/probes"), FORM, form).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    let place = sent.header("location").to_owned();
    let (probe, _) = place
        .strip_prefix("/probes/")
        .and_then(|rest| rest.split_once('?'))
        .expect("a probe's page");
    let running = test.get(&place).await;
    assert_eq!(running.status, StatusCode::OK);
    assert_eq!(running.header("cache-control"), "no-store");
    ended(&test, probe).await;
    let page = test.get(&place).await;
    assert!(page.body.contains("class=\"ladder\""));
    assert!(page.body.contains(&format!("href=\"/cases/{id}\"")));
    assert!(!page.body.contains("http-equiv"), "it refreshes no more");
    // Long after: its case knows.
    let gone = test.get(&format!("/probes/gone?case={id}")).await;
    assert_eq!(gone.status, StatusCode::SEE_OTHER);
    assert_eq!(test.get("/probes/gone").await.status, StatusCode::NOT_FOUND);
    let refused = test
        .post(&format!("/cases/{id}/probes"), FORM, "url=ws://10.0.0.1/")
        .await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.body.contains("not public"), "{}", refused.body);
}

/// One name that leads to this machine; no others are known.
struct OneName;

#[async_trait::async_trait]
impl Resolve for OneName {
    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, NameError> {
        match name {
            "chat.acme.io" => Ok(vec![Ipv4Addr::LOCALHOST.into()]),
            _ => Err(NameError::NotFound),
        }
    }
}

/// A case whose next step is to probe its address: its id and that address.
async fn case_to_probe(test: &TestApp, target: &Target) -> (String, String) {
    let url = format!("ws://chat.acme.io:{}/ws", target.address.port());
    let case = open_case(test, &format!("WebSocket connection to '{url}' failed: ")).await;
    let step = &case["diagnosis"]["next_step"];
    assert_eq!(text(step, "kind"), "probe", "{step:#}");
    assert!(text(step, "command").contains(&format!("wsdoctor probe {url}")));
    (text(&case, "id").to_owned(), url)
}

#[tokio::test]
async fn a_probe_is_the_next_step_until_one_was_made() {
    let test = TestApp::resolving(open(), Arc::new(OneName)).await;
    let target = Target::refusing().await;
    let (id, url) = case_to_probe(&test, &target).await;
    let page = test.get(&format!("/cases/{id}")).await.body;
    let (_, step) = page.split_once("id=\"next\"").expect("a step");
    let (step, _) = step.split_once("</section>").expect("its end");
    let form = step
        .find(&format!("action=\"/cases/{id}/probes\""))
        .expect("a form");
    assert!(
        step[form..].contains(&format!("name=\"url\" value=\"{url}\"")),
        "{step}"
    );
    assert!(step[form..].contains("class=\"primary\""), "{step}");
    assert!(step.contains("value=\"cannot-tell\"") && !step.contains("value=\"refused\""));
    let markdown = test.get(&format!("/cases/{id}/markdown")).await.body;
    assert!(markdown.contains("wsdoctor probe"), "{markdown}");

    let form = format!("url={url}&origin=&subprotocols=");
    let sent = test.post(&format!("/cases/{id}/probes"), FORM, form).await;
    let place = sent.header("location").to_owned();
    let (probe, _) = place
        .strip_prefix("/probes/")
        .and_then(|rest| rest.split_once('?'))
        .expect("a probe's page");
    ended(&test, probe).await;
    let case = test.get(&format!("/api/v1/cases/{id}")).await.json();
    assert_ne!(
        text(&case["diagnosis"]["next_step"], "kind"),
        "probe",
        "{case:#}"
    );
    let replayed = test.app.case(&id).await.expect("the case").case;
    let replayed = wsdoctor::case::replay::replay(&test.app.engine(), &replayed);
    assert!(replayed.iter().all(|one| one.is_identical()));
}

#[tokio::test]
async fn a_probe_that_is_refused_or_not_wanted_gives_way_to_another_step() {
    let settings = Settings {
        probe_ports: vec!["1024-65535".to_owned()],
        ..Settings::default()
    };
    let test = TestApp::resolving(settings, Arc::new(OneName)).await;
    let target = Target::refusing().await;
    let (id, url) = case_to_probe(&test, &target).await;
    let ordered = order(&test, &json!({"url": url, "case": id})).await;
    let probe = ended(&test, text(&ordered.json(), "id")).await;
    assert_eq!(text(&probe, "rule"), "loopback-address");
    assert_eq!(target.connections(), 0);
    let case = test.get(&format!("/api/v1/cases/{id}")).await.json();
    assert_ne!(text(&case["diagnosis"]["next_step"], "kind"), "probe");

    let (id, _) = case_to_probe(&test, &target).await;
    let body = json!({"step": "probe-the-address", "answer": "cannot-tell", "revision": 1});
    let path = format!("/api/v1/cases/{id}/answers");
    let after = test.post_json(&path, &body).await.json();
    assert_ne!(text(&after["diagnosis"]["next_step"], "kind"), "probe");
}

#[tokio::test]
async fn where_nothing_may_be_probed_nobody_is_told_to() {
    let settings = Settings {
        probe_ports: Vec::new(),
        ..Settings::default()
    };
    let test = TestApp::with(settings).await;
    let words = "WebSocket connection to 'wss://chat.acme.io/ws' failed: ";
    let case = open_case(&test, words).await;
    assert_ne!(text(&case["diagnosis"]["next_step"], "kind"), "probe");
}

#[tokio::test]
async fn a_probes_page_refreshes_itself_while_it_runs() {
    let test = TestApp::with(open()).await;
    let target = Target::silent().await;
    let ordered = order(&test, &json!({ "url": target.url() })).await.json();
    let page = test.get(&format!("/probes/{}", text(&ordered, "id"))).await;
    assert!(page.body.contains("<noscript><meta http-equiv=\"refresh\""));
    assert!(page.body.contains("data-follow="));
    let stopped = test
        .post(
            &format!("/probes/{}/cancel", text(&ordered, "id")),
            FORM,
            "",
        )
        .await;
    assert_eq!(stopped.status, StatusCode::SEE_OTHER);
    let page = test.get(&format!("/probes/{}", text(&ordered, "id"))).await;
    assert!(page.body.contains("The probe was stopped"), "{}", page.body);
}

#[tokio::test]
async fn a_fix_is_verified_by_repeating_the_probe() {
    let test = TestApp::with(open()).await;
    let target = Target::refusing().await;
    let id = case_of(&test, &target).await;
    let ordered = order(
        &test,
        &json!({"url": target.url(), "case": id, "origin": "https://app.example"}),
    )
    .await
    .json();
    ended(&test, text(&ordered, "id")).await;
    let answers = format!("/api/v1/cases/{id}/answers");
    let body = json!({"step": "handshake-origin-rejected", "answer": "applied", "revision": 2});
    let applied = test.post_json(&answers, &body).await;
    assert_eq!(applied.status, StatusCode::OK, "{}", applied.body);
    let page = test.get(&format!("/cases/{id}")).await;
    assert!(
        page.body.contains("Probe it again"),
        "one button repeats it"
    );
    assert!(
        page.body
            .contains("name=\"origin\" value=\"https://app.example\"")
    );
    let ordered = order(
        &test,
        &json!({"url": target.url(), "case": id, "origin": "https://app.example"}),
    )
    .await
    .json();
    ended(&test, text(&ordered, "id")).await;
    let case = test.get(&format!("/api/v1/cases/{id}")).await.json();
    assert_eq!(case["verification"]["result"], "same_failure", "{case:#}");
}

#[tokio::test]
async fn only_the_self_tests_page_may_dial_and_only_that_address() {
    let test = TestApp::start().await;
    let policy = |answer: &Answer| answer.header("content-security-policy").to_owned();
    let page = test.get("/check?url=wss%3A%2F%2FA.example%2Fws").await;
    assert_eq!(page.status, StatusCode::OK);
    let dialling = "connect-src 'self' wss://a.example:443 https://a.example:443;";
    assert!(policy(&page).contains(dialling), "{}", policy(&page));
    assert!(policy(&page).starts_with("default-src 'none'"));
    assert_eq!(page.header("cross-origin-embedder-policy"), "unsafe-none");
    assert!(
        page.body.contains("<noscript><p"),
        "what to do without a script"
    );
    assert!(
        page.body.contains("wsdoctor: "),
        "the lines for the console"
    );
    for path in ["/check", "/", "/causes"] {
        let other = test.get(path).await;
        assert!(policy(&other).contains("connect-src 'self';"), "{path}");
        assert_eq!(other.header("cross-origin-embedder-policy"), "require-corp");
    }
    for url in [
        "ws://a;script-src%20*/",
        "ws%3A%2F%2Fa%3Bscript-src%2F",
        "ws%3A%2F%2Fa'b%2F",
        "javascript%3Aalert(1)",
        "ws%3A%2F%2Fa.example%3A0%2F",
        "x",
    ] {
        let page = test.get(&format!("/check?url={url}")).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{url}");
        assert!(policy(&page).contains("connect-src 'self';"), "{url}");
        assert!(page.body.contains("class=\"complaint\""), "{url}");
    }
}

fn told(url: &str, opened: bool) -> String {
    let result = json!({
        "url": url, "opened": opened, "code": if opened { Value::Null } else { json!(1006) },
        "reason": "", "clean": false, "took": 12, "error": "", "online": true,
        "origin": "http://wsdoctor.example", "browser": "Mozilla/5.0 Chrome/156",
        "fetched": true, "control": true,
    });
    let text = result.to_string();
    let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("case=&result={encoded}")
}

async fn self_tested(test: &TestApp, form: String) -> (Value, String) {
    let sent = test.post("/check", FORM, form).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    let place = sent.header("location").to_owned();
    let case = match place.split_once("?case=") {
        Some((probe, case)) => {
            ended(test, probe.trim_start_matches("/probes/")).await;
            case.to_owned()
        }
        None => place
            .trim_start_matches("/cases/")
            .trim_end_matches("#probes")
            .to_owned(),
    };
    let page = test.get(&format!("/cases/{case}")).await.body;
    (
        test.get(&format!("/api/v1/cases/{case}")).await.json(),
        page,
    )
}

fn states(case: &Value, key: &str, value: &str, vantage: &str) -> bool {
    let facts = case["diagnosis"]["facts"].as_array().expect("facts");
    facts
        .iter()
        .any(|fact| fact["key"] == key && fact["value"] == value && fact["vantage"] == vantage)
}

#[tokio::test]
async fn a_browsers_view_and_the_services_are_held_together() {
    let test = TestApp::with(open()).await;
    // Both fail: the server's own fault.
    let target = Target::refusing().await;
    let (case, page) = self_tested(&test, told(&target.url(), false)).await;
    assert!(states(&case, "handshake.opened", "no", "user"), "{case:#}");
    assert!(states(&case, "handshake.status", "403", "server"));
    assert!(states(&case, "works.other-network", "no", "user"));
    assert!(page.contains("It fails from both"), "{page}");
    // The browser succeeds: what this service sees says nothing of the user.
    let (case, page) = self_tested(&test, told(&target.url(), true)).await;
    assert!(states(&case, "handshake.opened", "yes", "user"));
    assert!(!states(&case, "handshake.status", "403", "server"));
    assert!(page.contains("fails only from here"));
    // The server refuses this service's Origin alone, as it should.
    let picky = Target::picky().await;
    let (case, page) = self_tested(&test, told(&picky.url(), false)).await;
    assert!(!states(&case, "handshake.opened", "no", "user"), "{case:#}");
    assert!(!states(&case, "handshake.status", "403", "server"));
    assert!(page.contains("would take another"), "{page}");
    // This service may not look there.
    let (case, page) = self_tested(&test, told("ws://10.0.0.1/ws", false)).await;
    assert!(states(&case, "close.code", "1006", "user"));
    assert!(page.contains("Only the browser has looked"), "{page}");
}

#[tokio::test]
async fn a_user_whose_network_is_at_fault_is_told_so() {
    let test = TestApp::with(open()).await;
    let target = Target::accepting().await;
    let (case, page) = self_tested(&test, told(&target.url(), false)).await;
    assert!(
        states(&case, "works.other-network", "yes", "user"),
        "{case:#}"
    );
    assert!(page.contains("between the user and the network"), "{page}");
    let first = &case["diagnosis"]["causes"][0];
    let layer = text(first, "layer");
    assert!(
        ["client", "dns", "tcp", "tls", "proxy"].contains(&layer),
        "{first:#}"
    );
}

/// A report that somebody pastes says the same as one that a program hands in.
#[tokio::test]
async fn a_pasted_report_is_understood() {
    let test = TestApp::start().await;
    let folder =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/evidence/probe-report");
    for name in ["refused-403.json", "refused-one-line.json"] {
        let pasted = std::fs::read_to_string(folder.join(name)).expect("a sample");
        let report: Value = serde_json::from_str(&pasted).expect("JSON");
        let diagnosed = |body: Value| {
            let test = &test;
            async move { test.post_json("/api/v1/diagnoses", &body).await.json() }
        };
        let handed_in = diagnosed(json!({ "probe": report })).await;
        let read = diagnosed(json!({ "text": pasted })).await;
        let first = |diagnosis: &Value| diagnosis["causes"][0]["id"].clone();
        assert_eq!(first(&read), first(&handed_in), "{name}");
        let difference = read["causes"][0]["probability"].as_f64().expect("a number")
            - handed_in["causes"][0]["probability"]
                .as_f64()
                .expect("a number");
        // What was read from words counts as repeating itself, what a program hands in does not.
        assert!(difference.abs() < 0.05, "{name}: {difference}");
        assert_eq!(read["path"], handed_in["path"], "{name}");
        // Once more as it is stored and shown, and from the middle of other words.
        let case = open_case(&test, &format!("This came out:\n{pasted}\nWhat now?")).await;
        assert_eq!(first(&case["diagnosis"]), first(&handed_in), "{name}");
        let again = test
            .get(&format!("/api/v1/cases/{}", text(&case, "id")))
            .await
            .json();
        assert_eq!(
            again["diagnosis"]["causes"], case["diagnosis"]["causes"],
            "{name}"
        );
        let page = test
            .get(&format!("/cases/{}", text(&case, "id")))
            .await
            .body;
        assert!(
            !page.contains("expected_minutes"),
            "its diagnosis is not kept"
        );
    }
}

/// The main part of a page without ids, ports, times and lengths of bars.
fn steady_page(page: &Answer, id: &str, target: &Target) -> String {
    let address = target.address.to_string();
    let port = target.address.port().to_string();
    let part = main_part(&page.body, id)
        .replace(&address, "127.0.0.1:[port]")
        .replace(&port, "[port]");
    [
        (r"\d+(?:\.\d+)? m?s\b", "[time]"),
        (r#"x="\d+" width="\d+""#, r#"x="[x]" width="[width]""#),
        // It is not said of what took less than a millisecond.
        (
            r"<p class=.soft.>Until the last stage ended: \[time\]</p>\n",
            "",
        ),
    ]
    .into_iter()
    .fold(part, |text, (pattern, name)| {
        let pattern = regex::Regex::new(pattern).expect("regex");
        pattern.replace_all(&text, name).into_owned()
    })
}

#[tokio::test]
async fn a_probes_page_in_each_of_its_states() {
    let one_at_a_time = Settings {
        probe_running: 1,
        ..open()
    };
    let test = TestApp::knowing(one_at_a_time, &small_knowledge()).await;
    let page_of = async |id: &str| test.get(&format!("/probes/{id}")).await;
    let refusing = Target::refusing().await;
    let done = order(&test, &json!({ "url": refusing.url() })).await.json();
    let id = text(&done, "id");
    ended(&test, id).await;
    let page = page_of(id).await;
    insta::assert_snapshot!("probe-page-done", steady_page(&page, id, &refusing));

    let silent = Target::silent().await;
    let running = order(&test, &json!({ "url": silent.url() })).await.json();
    let id = text(&running, "id");
    let waiting = order(&test, &json!({ "url": refusing.url() })).await.json();
    let mut following = test.app.find_probe(id).expect("a probe").follow(0);
    while let Some(happened) = following.next().await {
        let is_upgrade = |step: &wsdoctor::app::Step| matches!(step, wsdoctor::app::Step::Began(kind) if kind.as_str() == "upgrade");
        if matches!(&happened, wsdoctor::app::Happened::Step(_, step) if is_upgrade(step)) {
            break;
        }
    }
    let page = page_of(id).await;
    insta::assert_snapshot!("probe-page-running", steady_page(&page, id, &silent));
    let queued = text(&waiting, "id");
    let page = page_of(queued).await;
    insta::assert_snapshot!("probe-page-queued", steady_page(&page, queued, &refusing));
    test.app.cancel_probe(id).await.expect("a probe");
    let page = page_of(id).await;
    insta::assert_snapshot!("probe-page-cancelled", steady_page(&page, id, &silent));

    let closed = TestApp::knowing(Settings::default(), &small_knowledge()).await;
    let url = format!("ws://localhost:{}/", refusing.address.port());
    let refused = order(&closed, &json!({ "url": url })).await.json();
    let id = text(&refused, "id");
    ended(&closed, id).await;
    let page = closed.get(&format!("/probes/{id}")).await;
    insta::assert_snapshot!("probe-page-refused", steady_page(&page, id, &refusing));
}

#[tokio::test]
async fn the_self_tests_page_with_and_without_an_address() {
    let test = TestApp::knowing(Settings::default(), &small_knowledge()).await;
    for (name, path) in [
        ("check-page", "/check"),
        ("check-page-ready", "/check?url=wss%3A%2F%2Fa.example%2Fws"),
        ("check-page-complaint", "/check?url=x"),
    ] {
        let page = test.get(path).await;
        insta::assert_snapshot!(name, main_part(&page.body, "[none]"));
    }
}
