//! The pages: what they do without a script, what they never let through, and that all of them
//! are there.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use regex::Regex;
use serde_json::json;
use wsdoctor::config::Settings;

use crate::support::{Answer, ENGINE, TestApp};

const FORM: &str = "application/x-www-form-urlencoded";
const LINE: &str = "WebSocket connection to 'wss://app.example/ws?token=s3cr3tTOKENvalue' failed: \
                    Error during WebSocket handshake: Unexpected response code: 400";

/// Fields as browsers send them.
fn form(fields: &[(&str, &str)]) -> String {
    let encoded = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    fields.join("&")
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a regular expression")
}

/// Opens a case through the form and gives the address of its page.
async fn open(test: &TestApp, text: &str) -> String {
    let sent = test.post("/cases", FORM, form(&[("text", text)])).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    sent.header("location").to_owned()
}

async fn page(test: &TestApp, path: &str) -> Answer {
    let answer = test.get(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}");
    answer
}

fn unescaped(text: &str) -> String {
    text.replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#38;", "&")
        .replace("&amp;", "&")
}

/// The values of an attribute on a page.
fn attributes(html: &str, name: &str) -> Vec<String> {
    regex(&format!(r#"\s{name}="([^"]*)""#))
        .captures_iter(html)
        .map(|found| unescaped(&found[1]))
        .collect()
}

/// What every page must be, whatever it shows.
fn assert_well_made(path: &str, html: &str) {
    assert_eq!(html.matches("<h1").count(), 1, "{path}: one first heading");
    assert!(
        !regex(r"<(h[1-6]|summary|title|legend)[^>]*>\s*</").is_match(html),
        "{path}: an empty heading"
    );
    let ids: BTreeSet<String> = attributes(html, "id").into_iter().collect();
    assert_eq!(
        ids.len(),
        attributes(html, "id").len(),
        "{path}: an id twice"
    );
    for address in attributes(html, "href") {
        if let Some(place) = address.strip_prefix('#') {
            assert!(ids.contains(place), "{path}: no place {place}");
        }
    }
    for element in regex(r"<form\b[^>]*>").find_iter(html) {
        let element = element.as_str();
        assert!(
            element.contains(" action=\"/") && element.contains(" method=\""),
            "{path}: {element}"
        );
    }
    assert_eq!(
        html.matches("<script").count(),
        1,
        "{path}: our own script only"
    );
}

const PLACEHOLDER: &str = r"\{(host|port|path|scheme|http_scheme|url|http_url|origin)\}";

#[tokio::test]
async fn a_form_becomes_a_case() {
    let test = TestApp::start().await;
    let first = page(&test, "/").await;
    assert_well_made("/", &first.body);
    assert!(first.body.contains("action=\"/cases\" method=\"post\""));
    let fields = form(&[
        ("text", LINE),
        ("edge", "nginx"),
        ("works_locally", "yes"),
        ("seconds", ""),
    ]);
    let sent = test.post("/cases", FORM, fields).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
    let address = sent.header("location").to_owned();
    assert!(address.starts_with("/cases/"));
    let case = page(&test, &address).await;
    assert_well_made(&address, &case.body);
    assert!(case.body.contains("does not pass the WebSocket upgrade on"));
    assert!(case.body.contains("Next step"));
    assert!(case.body.contains("1 secret was taken out"));
    assert!(!case.body.contains("s3cr3tTOKENvalue"));
}

#[tokio::test]
async fn a_file_is_evidence_like_a_paste() {
    let test = TestApp::start().await;
    let body = format!(
        "--x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n\r\n--x\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"a.log\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n{LINE}\r\n--x--\r\n"
    );
    let sent = test
        .post("/cases", "multipart/form-data; boundary=x", body)
        .await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    let case = page(&test, sent.header("location")).await;
    assert!(case.body.contains("does not pass the WebSocket upgrade on"));
}

#[tokio::test]
async fn an_empty_form_keeps_what_was_chosen() {
    let test = TestApp::start().await;
    let fields = form(&[
        ("text", "  \r\n"),
        ("edge", "haproxy"),
        ("works_locally", "no"),
        ("seconds", "60"),
    ]);
    let answer = test.post("/cases", FORM, fields).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_well_made("/cases", &answer.body);
    for kept in [
        "role=\"alert\"",
        "value=\"haproxy\" checked",
        "value=\"no\" checked",
        "value=\"60\"",
        "<details class=\"more\" open>",
    ] {
        assert!(answer.body.contains(kept), "{kept}");
    }
    assert!(!answer.body.contains("value=\"nginx\" checked"));
}

/// Steps are answered and more is pasted with nothing but the forms of the page.
#[tokio::test]
async fn a_case_is_worked_on_without_a_script() {
    let test = TestApp::start().await;
    let address = open(&test, LINE).await;
    let body = page(&test, &address).await.body;
    let answers = format!("action=\"{address}/answers\" method=\"post\"");
    assert!(body.contains(&answers), "{body}");
    let hidden = |name: &str| {
        regex(&format!(r#"name="{name}" value="([^"]*)""#))
            .captures(&body)
            .map(|found| unescaped(&found[1]))
            .unwrap_or_else(|| panic!("no {name}"))
    };
    let fields = [
        ("step", hidden("step")),
        ("revision", hidden("revision")),
        ("answer", hidden("answer")),
    ];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let sent = test
        .post(&format!("{address}/answers"), FORM, form(&fields))
        .await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    assert_eq!(sent.header("location"), address);

    // The same page was open elsewhere: nothing is lost, nothing is shown that is a secret.
    let late = form(&[
        ("revision", "1"),
        ("text", "net::ERR_NAME_NOT_RESOLVED token=s3cr3tTOKENvalue"),
    ]);
    let conflict = test.post(&format!("{address}/evidence"), FORM, late).await;
    assert_eq!(conflict.status, StatusCode::CONFLICT);
    assert_well_made("conflict", &conflict.body);
    assert!(conflict.body.contains("net::ERR_NAME_NOT_RESOLVED"));
    assert!(!conflict.body.contains("s3cr3tTOKENvalue"));

    let more = form(&[("revision", "2"), ("text", "connect ECONNREFUSED")]);
    let sent = test.post(&format!("{address}/evidence"), FORM, more).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    let after = page(&test, &address).await.body;
    assert_well_made(&address, &after);
    assert_eq!(after.matches("<time>").count(), 3, "three moments");
}

/// Everything by which a paste may try to become more than text. `zqx` marks what is of the paste.
const HOSTILE: &str = "WebSocket connection to 'wss://zqx.example/\"><script>zqx(1)</script>' failed: \
     Error during WebSocket handshake: Unexpected response code: 400\n\
     WebSocket connection to 'wss://zqx.example/\" onmouseover=\"zqx()' failed: \
     Error in connection establishment: net::ERR_CERT_DATE_INVALID\n\
     Server: nginx/<img src=zqx onerror=zqx()>\n\
     Location: javascript:zqx()\n\
     close code 1008 reason: '</code></pre></textarea></title><iframe src=//zqx>'\n\
     {{ 7*191 }} {% include \"zqx\" %} ${zqx} <%= zqx %> {host}\n\
     ' onfocus='zqx()' autofocus x=\"\n\
     [zqx](javascript:zqx()) ![zqx](//zqx) <!-- zqx --> <svg/onload=zqx()> &lt;b&gt;zqx\n\
     @everyone https://zqx.example www.zqx.example\n\
     ```\n# zqx\n~~~\n````\n\
     \u{202e}desrever\u{2066}\u{2069}\u{202c} nul\0nul \u{1b}[2J \u{feff}\n";

/// No element or attribute of a page comes from the paste.
fn assert_only_text(path: &str, html: &str) {
    let quoted = regex(r#""[^"]*""#);
    for element in regex(r"<[a-zA-Z/!][^>]*>").find_iter(html) {
        let bare = quoted.replace_all(element.as_str(), "\"\"");
        assert!(!bare.contains("zqx"), "{path}: {element:?}");
        assert!(
            !regex(r"\son[a-z]+=").is_match(&bare),
            "{path}: {element:?}"
        );
    }
    for address in attributes(html, "href")
        .iter()
        .chain(&attributes(html, "src"))
    {
        // What the self-test is asked to dial travels in this service's own address, percent-encoded.
        if regex(r"^/check\?case=[0-9a-z]+&(?:amp;)?url=[0-9A-Za-z%]*$").is_match(address) {
            continue;
        }
        assert!(
            !address.contains("javascript:") && !address.contains("zqx"),
            "{path}: {address}"
        );
    }
    for bad in [
        "<iframe", "<img", "<svg/", "<!--", "\0", "\u{202e}", "\u{2066}", "1337",
    ] {
        assert!(!html.contains(bad), "{path}: {bad:?}");
    }
    assert_eq!(html.matches("<script").count(), 1, "{path}");
    assert_eq!(html.matches("<title>").count(), 1, "{path}");
}

#[tokio::test]
async fn nothing_of_a_paste_becomes_live() {
    let test = TestApp::start().await;
    let address = open(&test, HOSTILE).await;
    let case = page(&test, &address).await.body;
    assert_only_text(&address, &case);
    assert_well_made(&address, &case);
    // It is shown all the same.
    for shown in [
        "{{ 7*191 }}",
        "{% include",
        "${zqx}",
        "{host}",
        "&lt;iframe",
    ] {
        assert!(case.contains(shown), "{shown}");
    }
    let id = address.rsplit('/').next().expect("an id");
    for cause in ENGINE.graph().causes.iter().step_by(8) {
        let path = format!("/causes/{}?case={id}", cause.id);
        assert_only_text(&path, &page(&test, &path).await.body);
    }

    let asked = form(&[("q", HOSTILE)]);
    let path = format!("/search?{asked}");
    let found = test.get(&path).await;
    assert_only_text("/search", &found.body);

    // Where it comes back in a form.
    let late = form(&[("revision", "7"), ("text", HOSTILE)]);
    let conflict = test.post(&format!("{address}/evidence"), FORM, late).await;
    assert_eq!(conflict.status, StatusCode::CONFLICT);
    assert_only_text("conflict", &conflict.body);
    let empty = form(&[("text", ""), ("seconds", HOSTILE), ("edge", HOSTILE)]);
    let again = test.post("/cases", FORM, empty).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_only_text("form", &again.body);

    // Where it is an address.
    let encoded = form(&[(HOSTILE, "")]);
    for folder in ["causes", "symptoms", "codes", "checks", "advice", "cases"] {
        let path = format!("/{folder}/{}", encoded.trim_end_matches('='));
        let missing = test.get(&path).await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND, "{path}");
        assert_only_text(folder, &missing.body);
    }
}

#[tokio::test]
async fn the_text_export_keeps_a_paste_inside_its_fence() {
    let test = TestApp::start().await;
    let address = open(&test, HOSTILE).await;
    let answer = page(&test, &format!("{address}/markdown")).await;
    assert!(answer.header("content-type").starts_with("text/markdown"));
    assert_eq!(answer.header("cache-control"), "no-store");
    let document = &answer.body;
    for raw in ['\0', '\u{1b}', '\u{202e}', '\u{2066}'] {
        assert!(!document.contains(raw), "{raw:?}");
    }
    let mut html = String::new();
    let parser = pulldown_cmark::Parser::new(document);
    pulldown_cmark::html::push_html(&mut html, parser);
    let outside = regex(r"(?s)<code[^>]*>.*?</code>").replace_all(&html, "");
    for live in [
        "<a ",
        "<img",
        "<script",
        "<iframe",
        "zqx<",
        "@everyone",
        "https://",
    ] {
        assert!(!outside.contains(live), "{live} in {outside}");
    }
    assert!(!regex(r"<h\d>[^<]*zqx").is_match(&outside));
    assert!(html.contains("# zqx"), "inside the fence it is as it was");
}

#[tokio::test]
async fn bytes_that_are_no_text_are_taken() {
    let test = TestApp::start().await;
    let sent = test
        .post(
            "/cases",
            FORM,
            "text=%ff%fe%00+Unexpected+response+code%3A+400+%c3%28",
        )
        .await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    let case = page(&test, sent.header("location")).await;
    assert!(case.body.contains('\u{fffd}'));
    let mut raw = b"text=ECONNREFUSED ".to_vec();
    raw.extend(0..=255_u8);
    let sent = test.post("/cases", FORM, raw).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    page(&test, sent.header("location")).await;
}

#[tokio::test]
async fn a_long_paste_gives_a_short_page() {
    let test = TestApp::start().await;
    let noise = "2026-01-01T00:00:00Z INFO worker <tick> \"&\" done in 3 ms\n";
    let mut text = noise.repeat(45_000);
    text.push_str(LINE);
    text.push('\n');
    text.push_str(&noise.repeat(45_000));
    assert!(text.len() > 5_000_000);
    let body =
        format!("--x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n{text}\r\n--x--\r\n");
    let sent = test
        .post("/cases", "multipart/form-data; boundary=x", body)
        .await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    let address = sent.header("location").to_owned();
    let case = page(&test, &address).await.body;
    assert!(case.len() < 300_000, "{} bytes", case.len());
    assert_well_made(&address, &case);
    assert!(case.contains("Unexpected response code: 400"));
    assert!(case.contains("bytes are not shown here"));
    let markdown = page(&test, &format!("{address}/markdown")).await.body;
    assert!(markdown.len() < 60_000, "{} bytes", markdown.len());
}

#[tokio::test]
async fn a_paste_that_nothing_matches_leads_on() {
    let test = TestApp::start().await;
    let address = open(
        &test,
        "the cat sat on the mat\nand https://cat.example/mat?x=1 too",
    )
    .await;
    let case = page(&test, &address).await.body;
    assert_well_made(&address, &case);
    for shown in [
        "We did not recognise anything in this text.",
        "the cat sat on the mat",
        "What was read from it",
        "What helps instead",
        "Next step",
        "<textarea",
    ] {
        assert!(case.contains(shown), "{shown}");
    }
}

#[tokio::test]
async fn addresses_that_lead_nowhere_help() {
    let test = TestApp::start().await;
    for path in [
        "/nowhere",
        "/cases/00000000000000000000000000",
        "/cases/x/markdown",
        "/causes/no-such-cause",
        "/symptoms/no-such-symptom",
        "/codes/99999999",
        "/checks/no-such-check",
        "/advice/no-such-advice",
        "/assets/style-000000000000.css",
    ] {
        let answer = test.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_well_made(path, &answer.body);
        assert!(answer.body.contains("action=\"/search\""), "{path}");
        assert!(
            answer.body.contains("class=\"button\" href=\"/\""),
            "{path}"
        );
    }
    let near = test.get("/causes/proxy-idle-timeot").await;
    assert!(
        near.body
            .contains("href=\"/causes/proxy%2Didle%2Dtimeout\""),
        "{}",
        near.body
    );
    let sent = test
        .post("/cases/x/evidence", FORM, form(&[("text", "x")]))
        .await;
    assert_eq!(sent.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_cannot_be_taken_is_refused_with_a_page() {
    let small = Settings {
        maximum_text_bytes: 1_000,
        maximum_upload_bytes: 4_000,
        ..Settings::default()
    };
    let test = TestApp::with(small).await;
    let long = "x".repeat(2_000);
    let longer = "x".repeat(20_000);
    for text in [&long, &longer] {
        let answer = test.post("/cases", FORM, form(&[("text", text)])).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_well_made("too large", &answer.body);
        assert!(answer.body.contains("That is more than fits"));
    }
    for (kind, body) in [
        ("application/json", "{\"text\": \"x\"}"),
        ("text/plain", "x"),
        ("multipart/form-data", "x"),
        ("multipart/form-data; boundary=x", "no parts"),
    ] {
        let answer = test.post("/cases", kind, body).await;
        assert!(answer.status.is_client_error(), "{kind}: {}", answer.status);
        assert_well_made(kind, &answer.body);
    }
    let other = Request::delete("/causes")
        .body(Body::empty())
        .expect("a request");
    let answer = test.send(other).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_well_made("method", &answer.body);
}

#[tokio::test]
async fn forms_of_other_sites_are_refused() {
    let test = TestApp::start().await;
    let address = open(&test, LINE).await;
    for path in [
        "/cases".to_owned(),
        format!("{address}/evidence"),
        format!("{address}/answers"),
    ] {
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let request = Request::builder()
                .method(Method::POST)
                .uri(&path)
                .header(header::HOST, "doctor.example")
                .header(header::CONTENT_TYPE, FORM)
                .header(name, value)
                .body(Body::from(form(&[("text", LINE), ("revision", "1")])))
                .expect("a request");
            let answer = test.send(request).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {value}");
            assert!(answer.body.contains("sent from another website"));
        }
    }
    let case = page(&test, &address).await.body;
    assert_eq!(case.matches("<time>").count(), 1, "nothing was added");
}

#[tokio::test]
async fn every_answer_tells_browsers_what_to_refuse() {
    let test = TestApp::start().await;
    let address = open(&test, LINE).await;
    let style = attributes(&page(&test, "/").await.body, "href")
        .into_iter()
        .find(|address| address.contains("/style-"))
        .expect("a style sheet");
    let markdown = format!("{address}/markdown");
    let bound = format!("/causes/proxy-idle-timeout?case={}", &address[7..]);
    let private = [
        address.as_str(),
        markdown.as_str(),
        bound.as_str(),
        "/cases/unknown",
    ];
    let public = [
        "/",
        "/causes",
        "/codes/1006",
        "/search?q=nginx",
        "/nowhere",
        &style,
        "/healthz",
    ];
    for path in private.iter().chain(&public) {
        let answer = test.get(path).await;
        let policy = answer.header("content-security-policy");
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        ] {
            assert!(policy.contains(rule), "{path}: {rule}");
        }
        assert!(!policy.contains("unsafe"), "{path}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cross-origin-embedder-policy", "require-corp"),
        ] {
            assert_eq!(answer.header(name), value, "{path}: {name}");
        }
    }
    for path in private {
        let answer = test.get(path).await;
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert!(answer.header("x-robots-tag").contains("noindex"), "{path}");
    }
    assert!(
        test.get(&style)
            .await
            .header("cache-control")
            .contains("immutable")
    );
}

/// Every page that the knowledge has.
fn knowledge_pages() -> Vec<String> {
    let graph = ENGINE.graph();
    let encoded = |id: &str| {
        percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let lists = ["/causes", "/codes", "/timeouts", "/advice"].map(str::to_owned);
    lists
        .into_iter()
        .chain(
            graph
                .causes
                .iter()
                .map(|entry| format!("/causes/{}", entry.id)),
        )
        .chain(
            graph
                .symptoms
                .iter()
                .map(|entry| format!("/symptoms/{}", entry.id)),
        )
        .chain(
            graph
                .codes
                .iter()
                .map(|entry| format!("/codes/{}", encoded(&entry.id))),
        )
        .chain(
            graph
                .checks
                .iter()
                .map(|entry| format!("/checks/{}", entry.id)),
        )
        .chain(
            graph
                .advice
                .iter()
                .map(|entry| format!("/advice/{}", entry.id)),
        )
        .collect()
}

#[tokio::test]
async fn every_page_of_the_knowledge_is_there_and_leads_on() {
    let test = TestApp::start().await;
    let placeholder = regex(PLACEHOLDER);
    let mut seen = BTreeSet::new();
    // Where each link was found first.
    let mut links: BTreeMap<String, String> = BTreeMap::new();
    for path in knowledge_pages() {
        let answer = page(&test, &path).await;
        assert_well_made(&path, &answer.body);
        assert!(!placeholder.is_match(&answer.body), "{path}: a placeholder");
        for address in attributes(&answer.body, "href") {
            if address.starts_with('/') {
                let place = address.split('#').next().unwrap_or_default().to_owned();
                links.entry(place).or_insert_with(|| path.clone());
            } else if !address.starts_with('#') {
                assert!(
                    address.starts_with("https://") || address.starts_with("http://"),
                    "{path}: {address}"
                );
            }
        }
        seen.insert(path);
    }
    for (address, from) in links {
        if !seen.contains(&address) {
            let answer = test.get(&address).await;
            assert_eq!(answer.status, StatusCode::OK, "{from} leads to {address}");
        }
    }
}

#[tokio::test]
async fn pages_of_causes_hold_a_cases_own_values() {
    let test = TestApp::start().await;
    let opened = test
        .post_json(
            "/api/v1/cases",
            &json!({ "text": LINE, "context": {"edge": ["nginx"]} }),
        )
        .await
        .json();
    let id = opened["id"].as_str().expect("an id");
    let placeholder = regex(PLACEHOLDER);
    let mut filled = 0;
    for cause in &ENGINE.graph().causes {
        let path = format!("/causes/{}?case={id}", cause.id);
        let answer = page(&test, &path).await;
        assert_well_made(&path, &answer.body);
        assert!(!placeholder.is_match(&answer.body), "{path}: a placeholder");
        assert!(
            answer.body.contains(&format!("href=\"/cases/{id}\"")),
            "{path}"
        );
        assert!(answer.body.contains("noindex"), "{path}");
        filled += usize::from(answer.body.contains("app.example"));
    }
    assert!(filled > 10, "{filled}");
    // What the case does not tell is named, and the page says what to put there.
    let unknown = page(&test, "/causes/proxy-upgrade-not-forwarded")
        .await
        .body;
    for words in ["location /PATH {", "Where it says /PATH"] {
        assert!(unknown.contains(words), "{words}");
    }
    let known = format!("/causes/proxy-upgrade-not-forwarded?case={id}");
    assert!(!page(&test, &known).await.body.contains("/PATH"));
    // A case that is gone leaves the page as it is for everybody.
    let gone = page(&test, "/causes/proxy-idle-timeout?case=gone").await;
    assert!(!gone.body.contains("Back to the case"));
}

#[tokio::test]
async fn search_finds_by_code_and_words() {
    let test = TestApp::start().await;
    for (query, expected) in [("1006", "/codes/1006"), ("nginx upgrade", "/causes/")] {
        let path = format!("/search?{}", form(&[("q", query)]));
        let answer = page(&test, &path).await;
        assert_well_made(&path, &answer.body);
        assert!(
            answer.body.contains(&format!("href=\"{expected}")),
            "{query}"
        );
    }
    // Where no case gives a value, its name in braces says nothing to anybody.
    let answer = page(&test, "/search?q=server_name").await;
    assert!(answer.body.contains("HOST"), "{}", answer.body);
    assert!(!answer.body.contains("{host}"), "{}", answer.body);
    for query in ["", "zzzzqqqq", "\"", "a AND (", "*", "%"] {
        let path = format!("/search?{}", form(&[("q", query)]));
        assert_well_made(&path, &page(&test, &path).await.body);
    }
}
