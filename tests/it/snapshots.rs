//! What callers and readers get, whole, on the small knowledge. `cargo insta review` shows what a
//! change did to it.

use serde_json::{Value, json};
use wsdoctor::config::Settings;

use crate::support::{TestApp, small_knowledge};

const TEXT: &str = "Opening wss://app.example:8443/live?token=s3cr3tTOKENvalue\n\
                    Unexpected response code: 400\nServer: nginx\n";

async fn start() -> TestApp {
    TestApp::knowing(Settings::default(), &small_knowledge()).await
}

/// What differs from run to run and from version to version.
fn steady(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match name.as_str() {
                    "id" if field
                        .as_str()
                        .is_some_and(|id| id.len() == 26 && !id.contains('-')) =>
                    {
                        *field = json!("[id]");
                    }
                    "probability" | "other_probability" | "weight" | "factor" | "prior"
                    | "weighed" | "strength" | "expected_minutes" => {
                        *field = json!(format!("[{name}]"));
                    }
                    "why" => *field = json!(numberless(field.as_str().unwrap_or_default())),
                    "hash" | "version" | "at" | "created_at" | "updated_at" => {
                        *field = json!(format!("[{name}]"));
                    }
                    _ => steady(field),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(steady),
        _ => {}
    }
}

/// Without the numbers of the ranking, which change whenever it is fitted again.
fn numberless(text: &str) -> String {
    [
        (r"(&#60; |&lt; |&#62; |&gt; )?\b\d+ %", "[percent]"),
        (r#"width="\d+" height="4""#, r#"width="[width]" height="4""#),
        (r"\b(strongly|clearly|slightly)\b", "[strength]"),
        (
            r"raised to the power \d+(\.\d+)?",
            "raised to the power [power]",
        ),
        (
            r"(more than )?\d+(\.\d+)? times (likelier|less likely)",
            "[times]",
        ),
        (r"in \d+ of 100", "in [number] of 100"),
        (r"to a fix: [^.]*", "to a fix: [minutes]"),
    ]
    .into_iter()
    .fold(text.to_owned(), |text, (pattern, name)| {
        let pattern = regex::Regex::new(pattern).expect("regex");
        pattern.replace_all(&text, name).into_owned()
    })
}

/// The main part of a page, without what differs from run to run.
pub(crate) fn main_part(html: &str, id: &str) -> String {
    let start = html.find("<main").expect("a main part");
    let end = html.find("</main>").expect("its end");
    let part = &html[start..end];
    let time = regex::Regex::new(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC").expect("regex");
    numberless(&time.replace_all(part, "[time]").replace(id, "[id]"))
}

#[tokio::test]
async fn a_diagnosis_as_json() {
    let test = start().await;
    let mut diagnosis = test
        .post_json("/api/v1/diagnoses", &json!({ "text": TEXT }))
        .await
        .json();
    steady(&mut diagnosis);
    insta::assert_json_snapshot!("diagnosis", diagnosis);
}

#[tokio::test]
async fn a_case_as_json_and_as_pages() {
    let test = start().await;
    let opened = test
        .post_json("/api/v1/cases", &json!({ "text": TEXT }))
        .await
        .json();
    let id = opened["id"].as_str().expect("an id").to_owned();
    let mut case = opened.clone();
    case["diagnosis"] = json!("[diagnosis]");
    steady(&mut case);
    insta::assert_json_snapshot!("case", case);

    let path = format!("/api/v1/cases/{id}/causes/upgrade-lost");
    let mut why = test.get(&path).await.json();
    steady(&mut why);
    insta::assert_json_snapshot!("explanation", why);
    let page = test.get(&format!("/cases/{id}/why/upgrade-lost")).await;
    insta::assert_snapshot!("why-page", main_part(&page.body, &id));

    let page = test.get(&format!("/cases/{id}")).await;
    insta::assert_snapshot!("case-page", main_part(&page.body, &id));
    let cause = test.get(&format!("/causes/upgrade-lost?case={id}")).await;
    insta::assert_snapshot!("cause-page", main_part(&cause.body, &id));
    let markdown = test.get(&format!("/cases/{id}/markdown")).await.body;
    let hash = test.app.engine().hash().to_owned();
    let steady = numberless(&markdown)
        .replace(&id, "[id]")
        .replace(&hash, "[hash]")
        .replace(&env!("CARGO_PKG_VERSION").replace('.', "\\."), "[version]");
    insta::assert_snapshot!("case-markdown", steady);
}

/// The most that a case goes through: an answer, another against it, one taken back, a fix that
/// helped, the end.
#[tokio::test]
async fn a_case_that_went_on_as_json_and_as_pages() {
    let test = start().await;
    let opened = test
        .post_json("/api/v1/cases", &json!({ "text": TEXT }))
        .await
        .json();
    let id = opened["id"].as_str().expect("an id").to_owned();
    let answers = [
        ("past-the-proxy", "works"),
        ("past-the-proxy", "fails"),
        ("upgrade-lost-nginx", "applied"),
    ];
    for (revision, (step, answer)) in (1..).zip(answers) {
        let body = json!({"step": step, "answer": answer, "revision": revision});
        let path = format!("/api/v1/cases/{id}/answers");
        let sent = test.post_json(&path, &body).await;
        assert_eq!(sent.status, axum::http::StatusCode::OK, "{}", sent.body);
        if answer == "fails" {
            let page = test.get(&format!("/cases/{id}")).await;
            insta::assert_snapshot!("contradicted-page", main_part(&page.body, &id));
        }
    }
    let body = json!({"text": "socket opened", "revision": 4});
    let path = format!("/api/v1/cases/{id}/evidence");
    let mut case = test.post_json(&path, &body).await.json();
    case["diagnosis"] = json!("[diagnosis]");
    steady(&mut case);
    for side in ["before", "after"] {
        case["verification"][side]["causes"] = json!("[causes]");
    }
    for moment in case["timeline"].as_array_mut().expect("a timeline") {
        let ruled_out = moment.get_mut("ruled_out").and_then(Value::as_array_mut);
        for one in ruled_out.into_iter().flatten() {
            one["from"] = json!("[from]");
            one["to"] = json!("[to]");
        }
    }
    insta::assert_json_snapshot!("verified-case", case);
    let page = test.get(&format!("/cases/{id}")).await;
    insta::assert_snapshot!("verified-page", main_part(&page.body, &id));
    let page = test.get(&format!("/cases/{id}/outcome")).await;
    insta::assert_snapshot!("closing-page", main_part(&page.body, &id));
    let page = test.get(&format!("/cases/{id}/handover")).await;
    insta::assert_snapshot!("handover-page", main_part(&page.body, &id));
}
