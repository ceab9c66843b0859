//! The API: good input, bad input, and what callers can rely on.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::TestApp;

const LINE: &str = "WebSocket connection to 'wss://app.example/ws?token=s3cr3tTOKENvalue' failed: \
                    Error during WebSocket handshake: Unexpected response code: 400";

#[tokio::test]
async fn a_diagnosis_has_the_contracts_shape() {
    let test = TestApp::start().await;
    let answer = test
        .post_json(
            "/api/v1/diagnoses",
            &json!({"text": LINE, "context": {"edge": ["nginx"], "works_locally": true}}),
        )
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    let diagnosis = answer.json();
    assert_eq!(diagnosis["causes"][0]["id"], "proxy-upgrade-not-forwarded");
    assert_eq!(diagnosis["causes"][0]["ancestors"], json!([]));
    assert!(
        ["identified", "likely", "ambiguous"]
            .contains(&diagnosis["verdict"]["kind"].as_str().expect("a kind"))
    );
    let stages: Vec<&str> = diagnosis["path"]
        .as_array()
        .expect("a path")
        .iter()
        .map(|step| step["stage"].as_str().expect("a stage"))
        .collect();
    assert_eq!(
        stages,
        [
            "client",
            "dns",
            "tcp",
            "tls",
            "proxy",
            "handshake",
            "session"
        ]
    );
    let sum: f64 = diagnosis["causes"]
        .as_array()
        .expect("causes")
        .iter()
        .map(|cause| cause["probability"].as_f64().expect("a number"))
        .sum::<f64>()
        + diagnosis["other_probability"].as_f64().expect("a number");
    assert!((sum - 1.0).abs() < 0.000_6, "{sum}");
    let status = diagnosis["facts"]
        .as_array()
        .expect("facts")
        .iter()
        .find(|fact| fact["key"] == "handshake.status")
        .expect("a status");
    assert_eq!(status["value"], "400");
    assert_eq!(status["line"], 1);
    assert_eq!(diagnosis["redacted"], json!({"token": 1}));
    assert!(!answer.body.contains("s3cr3tTOKENvalue"));
    for key in [
        "id",
        "kind",
        "title",
        "instruction",
        "minutes",
        "who",
        "why",
        "answers",
    ] {
        assert!(!diagnosis["next_step"][key].is_null(), "{key}");
    }
    assert!(diagnosis["knowledge"]["hash"].is_string());
}

#[tokio::test]
async fn facts_and_probe_reports_are_evidence_like_text() {
    let test = TestApp::start().await;
    for evidence in [
        json!({"facts": [{"key": "tls.fault", "value": "expired"}]}),
        json!({"probe": {"url": "wss://app.example/ws", "stages": [{"stage": "tls", "facts": [{"key": "tls.fault", "value": "expired"}]}]}}),
    ] {
        let answer = test.post_json("/api/v1/diagnoses", &evidence).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_eq!(answer.json()["causes"][0]["id"], "tls-cert-expired");
    }
}

#[tokio::test]
async fn a_case_is_opened_read_and_gone_on_with() {
    let test = TestApp::start().await;
    let opened = test
        .post_json("/api/v1/cases", &json!({"text": LINE}))
        .await;
    assert_eq!(opened.status, StatusCode::CREATED);
    let location = opened.header("location").to_owned();
    let case = opened.json();
    let id = case["id"].as_str().expect("an id");
    assert_eq!(location, format!("/api/v1/cases/{id}"));
    assert!(id.len() >= 26, "130 bits");
    let read = test.get(&location).await;
    assert_eq!(read.json()["diagnosis"], case["diagnosis"]);
    assert!(!read.body.contains("s3cr3tTOKENvalue"));

    let more = json!({"revision": 1, "text": "nginx is in front and it works when I connect to the backend directly"});
    let changed = test.post_json(&format!("{location}/evidence"), &more).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
    assert_eq!(changed.json()["revision"], 2);
    assert_eq!(
        changed.json()["timeline"]
            .as_array()
            .expect("a timeline")
            .len(),
        2
    );
    let stale = test.post_json(&format!("{location}/evidence"), &more).await;
    assert_eq!(stale.status, StatusCode::CONFLICT);
    assert!(
        stale.json()["type"]
            .as_str()
            .expect("a type")
            .ends_with("conflict")
    );
    assert_eq!(stale.json()["revision"], 2);
}

#[tokio::test]
async fn an_answer_adds_its_facts() {
    let test = TestApp::start().await;
    let opened = test
        .post_json("/api/v1/cases", &json!({"text": LINE}))
        .await
        .json();
    let path = format!(
        "/api/v1/cases/{}/answers",
        opened["id"].as_str().expect("an id")
    );
    let step = &opened["diagnosis"]["next_step"];
    let answer = json!({"step": step["id"], "answer": step["answers"][0]["id"], "revision": 1});
    let changed = test.post_json(&path, &answer).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
    assert_ne!(
        changed.json()["diagnosis"]["causes"],
        opened["diagnosis"]["causes"]
    );
    let unknown = json!({"step": "no-such-step", "answer": "x", "revision": 2});
    assert_eq!(
        test.post_json(&path, &unknown).await.status,
        StatusCode::NOT_FOUND
    );
    let without = json!({"step": step["id"], "answer": "cannot-tell"});
    assert_eq!(
        test.post_json(&path, &without).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
}

fn is_problem(answer: &crate::support::Answer, status: StatusCode, kind: &str) -> Value {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem = answer.json();
    assert!(
        problem["type"].as_str().expect("a type").ends_with(kind),
        "{problem}"
    );
    assert!(!problem["detail"].as_str().expect("a detail").is_empty());
    problem
}

#[tokio::test]
async fn bad_input_gets_a_clear_error() {
    let test = TestApp::start().await;
    let path = "/api/v1/diagnoses";
    let broken = test
        .post(path, "application/json", "{\"text\": \n  oops}")
        .await;
    let problem = is_problem(&broken, StatusCode::BAD_REQUEST, "invalid-input");
    assert!(
        problem["detail"]
            .as_str()
            .expect("a detail")
            .contains("line 2"),
        "{problem}"
    );
    is_problem(
        &test.post(path, "text/plain", "hello").await,
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
    );
    is_problem(
        &test.post_json(path, &json!({})).await,
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid-input",
    );
    is_problem(
        &test.post_json(path, &json!({"text": "   "})).await,
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid-input",
    );
    let value = json!({"facts": [{"key": "x", "value": "ok"}, {"key": "y", "value": {"deep": 1}}]});
    let problem = is_problem(
        &test.post_json(path, &value).await,
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid-input",
    );
    assert_eq!(problem["errors"][0]["pointer"], "/facts/1/value");
    is_problem(
        &test.get("/api/v1/cases/nope").await,
        StatusCode::NOT_FOUND,
        "not-found",
    );
    is_problem(
        &test.get("/api/v1/causes/nope").await,
        StatusCode::NOT_FOUND,
        "not-found",
    );
    is_problem(
        &test.get("/api/v1/nope").await,
        StatusCode::NOT_FOUND,
        "not-found",
    );
    let deep = format!("{{\"text\": {}1{}}}", "[".repeat(5000), "]".repeat(5000));
    assert!(
        test.post(path, "application/json", deep)
            .await
            .status
            .is_client_error()
    );
}

#[tokio::test]
async fn sizes_are_limited() {
    let settings = wsdoctor::config::Settings {
        maximum_text_bytes: 10_000,
        ..Default::default()
    };
    let test = TestApp::with(settings).await;
    let large = json!({"text": "x".repeat(20_000)});
    is_problem(
        &test.post_json("/api/v1/diagnoses", &large).await,
        StatusCode::PAYLOAD_TOO_LARGE,
        "too-large",
    );
}

#[tokio::test]
async fn strange_texts_are_answered() {
    let test = TestApp::start().await;
    let large = "2026-11-20 line with nothing in it\n".repeat(150_000);
    for text in [
        "\u{0}\u{0}\u{1}",
        "<script>alert(1)</script>",
        "{{ 7*7 }} ${x} <%= y %>",
        "\u{202e}reversed\u{feff}",
        "just words",
        large.as_str(),
    ] {
        let answer = test
            .post_json("/api/v1/diagnoses", &json!({"text": text}))
            .await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(
            answer.json()["verdict"]["kind"],
            "unrecognised",
            "{}",
            &text[..text.len().min(40)]
        );
        assert!(
            !answer.json()["next_step"]["instruction"]
                .as_str()
                .expect("words")
                .is_empty()
        );
    }
}

#[tokio::test]
async fn knowledge_can_be_read() {
    let test = TestApp::start().await;
    assert!(
        test.get("/api/v1/causes")
            .await
            .json()
            .as_array()
            .expect("a list")
            .len()
            >= 90
    );
    let cause = test.get("/api/v1/causes/proxy-idle-timeout").await.json();
    assert_eq!(cause["layer"], "proxy");
    assert!(cause["symptoms"].as_array().expect("links").len() > 3);
    assert_eq!(
        test.get("/api/v1/symptoms/tcp-refused").await.status,
        StatusCode::OK
    );
    let codes = test.get("/api/v1/codes/1006").await.json();
    assert_eq!(codes[0]["id"], "1006");
    let found = test.get("/api/v1/search?q=nginx%20upgrade").await.json();
    assert!(!found["results"].as_array().expect("a list").is_empty());
    assert_eq!(test.get("/healthz").await.status, StatusCode::OK);
    assert_eq!(test.get("/readyz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn nothing_secret_reaches_the_files() {
    let test = TestApp::start().await;
    let text = "WebSocket connection to 'wss://u:hunter2pass@app.example/ws?access_token=abcDEF1234567890xyz' failed\nCookie: sid=QWERTYqwerty0987654321\nAuthorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJlc2lnbmF0dXJl\nalice.smith@mail.example";
    let opened = test
        .post_json("/api/v1/cases", &json!({"text": text}))
        .await;
    assert_eq!(opened.status, StatusCode::CREATED);
    test.app.close().await;
    for entry in std::fs::read_dir(test.folder.path()).expect("a folder") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file");
        let stored = String::from_utf8_lossy(&bytes);
        for secret in [
            "hunter2pass",
            "abcDEF1234567890xyz",
            "QWERTYqwerty0987654321",
            "eyJzdWIiOiJ4In0",
            "alice.smith",
        ] {
            assert!(!stored.contains(secret), "{secret} is in the files");
        }
    }
}
