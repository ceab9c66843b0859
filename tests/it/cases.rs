//! Cases that go on: answers taken back, fixes verified, outcomes that teach, stages made again.

use std::process::Command;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use wsdoctor::case::counting::Source;
use wsdoctor::case::{Entry, FixResult, Probed};

use wsdoctor::case::verification::compare;
use wsdoctor::config::Settings;
use wsdoctor::engine::learned::LearnedPriors;
use wsdoctor::engine::{Engine, Evidence};

use crate::support::{Answer, ENGINE, TestApp, address, diagnose, shipped, small_knowledge};

const FORM: &str = "application/x-www-form-urlencoded";
const TEXT: &str = "Opening wss://app.example:8443/live?token=s3cr3tTOKENvalue\n\
                    Unexpected response code: 400\nServer: nginx\n";

async fn start() -> TestApp {
    TestApp::knowing(Settings::default(), &small_knowledge()).await
}

/// A case in the API, with the calls that it is gone on with.
struct Story<'a> {
    test: &'a TestApp,
    place: String,
    id: String,
}

impl<'a> Story<'a> {
    async fn open(test: &'a TestApp, text: &str) -> Self {
        let opened = test
            .post_json("/api/v1/cases", &json!({"text": text}))
            .await;
        assert_eq!(opened.status, StatusCode::CREATED, "{}", opened.body);
        let id = opened.json()["id"].as_str().expect("an id").to_owned();
        Story {
            test,
            place: format!("/api/v1/cases/{id}"),
            id,
        }
    }

    async fn now(&self) -> Value {
        self.test.get(&self.place).await.json()
    }

    async fn send(&self, what: &str, mut body: Value) -> Value {
        body["revision"] = self.now().await["revision"].clone();
        let path = format!("{}/{what}", self.place);
        let answer = self.test.post_json(&path, &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{what}: {}", answer.body);
        answer.json()
    }

    async fn answer(&self, step: &str, answer: &str) -> Value {
        let body = json!({"step": step, "answer": answer});
        self.send("answers", body).await
    }

    async fn paste(&self, text: &str) -> Value {
        self.send("evidence", json!({"text": text})).await
    }

    async fn delete(&self, answer: &str) -> Answer {
        let path = format!("{}/answers/{answer}", self.place);
        let request = Request::delete(path).body(Body::empty());
        self.test.send(request.expect("a request")).await
    }

    async fn page(&self, rest: &str) -> String {
        let answer = self.test.get(&format!("/cases/{}{rest}", self.id)).await;
        assert_eq!(answer.status, StatusCode::OK, "{rest}: {}", answer.body);
        answer.body
    }

    async fn replay(&self) -> bool {
        let replayed = self.test.app.replay(&self.id).await.expect("a replay");
        replayed.revisions.iter().all(|one| one.is_identical())
    }
}

fn probability(case: &Value, cause: &str) -> f64 {
    case["diagnosis"]["causes"]
        .as_array()
        .expect("causes")
        .iter()
        .find(|one| one["id"] == cause)
        .and_then(|one| one["probability"].as_f64())
        .unwrap_or_default()
}

#[tokio::test]
async fn an_answer_is_taken_back_and_stays_in_the_timeline() {
    let test = start().await;
    let story = Story::open(&test, TEXT).await;
    let before = story.now().await;
    let answered = story.answer("past-the-proxy", "fails").await;
    assert_ne!(answered["diagnosis"], before["diagnosis"]);
    assert_eq!(answered["timeline"][1]["id"], "2");

    let back = story.delete("2").await;
    assert_eq!(back.status, StatusCode::OK, "{}", back.body);
    let back = back.json();
    assert_eq!(back["diagnosis"], before["diagnosis"]);
    assert_eq!(back["revision"], 3);
    assert_eq!(back["timeline"][1]["taken_back"], true);
    assert_eq!(back["timeline"][2]["kind"], "taken_back");
    assert_eq!(back["timeline"][2]["takes_back"], "2");

    // Not twice, not what is no answer, not what is not there.
    for missing in ["2", "1", "3", "9", "x", "0", "-1"] {
        let answer = story.delete(missing).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{missing}");
        assert!(answer.body.contains("not-found"), "{}", answer.body);
    }
    let page = story.page("").await;
    assert!(page.contains("(taken back)"), "{page}");
    assert!(story.replay().await);
}

#[tokio::test]
async fn an_answer_is_taken_back_on_the_page_without_a_script() {
    let test = start().await;
    let story = Story::open(&test, TEXT).await;
    story.answer("past-the-proxy", "fails").await;
    let page = story.page("").await;
    let action = format!("/cases/{}/answers/2/take-back", story.id);
    assert!(page.contains(&format!("action=\"{action}\" method=\"post\"")));
    // Twice is as good as once.
    for _ in 0..2 {
        let sent = test.post(&action, FORM, "confirm=yes").await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    }
    assert_eq!(story.now().await["revision"], 3);
    assert!(!story.page("").await.contains("take-back\" method"));
}

#[tokio::test]
async fn outcomes_are_checked_redacted_and_shown() {
    let test = start().await;
    let story = Story::open(&test, TEXT).await;
    let path = format!("{}/outcome", story.place);
    for (body, pointer) in [
        (json!({"kind": "solved", "cause": "upgrade-los"}), "/cause"),
        (json!({"kind": "finished"}), "/kind"),
        (
            json!({"kind": "solved", "note": "x".repeat(30_000)}),
            "/note",
        ),
    ] {
        let refused = test.post_json(&path, &body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer);
    }
    let near = test
        .post_json(&path, &json!({"kind": "solved", "cause": "upgrade-los"}))
        .await;
    assert!(near.body.contains("upgrade-lost"), "{}", near.body);
    assert_eq!(story.now().await["revision"], 1, "nothing was changed");

    let note = "told me the password=hunter2hunter2 <b>bold</b>";
    let closed = story
        .send(
            "outcome",
            json!({"kind": "solved", "cause": "upgrade-lost", "note": note}),
        )
        .await;
    assert_eq!(closed["state"], "solved");
    assert_eq!(closed["outcome"]["kind"], "solved");
    assert_eq!(closed["outcome"]["cause"], "upgrade-lost");
    assert!(!closed.to_string().contains("hunter2"), "{closed}");
    let page = story.page("").await;
    assert!(page.contains("It is solved") && page.contains("&lt;b&gt;") || page.contains("&#60;b"));
    assert!(!page.contains("hunter2"));

    // New evidence opens it again.
    let again = story.paste("connect ECONNREFUSED").await;
    assert!(again["outcome"].is_null(), "{}", again["outcome"]);
    assert_ne!(again["state"], "solved");

    let states = [
        ("worked_around", None, "worked_around"),
        ("given_up", None, "given_up"),
        ("handed_over", None, "handed_over"),
        ("wrong_diagnosis", Some("server-down"), "solved"),
        ("wrong_diagnosis", None, "given_up"),
    ];
    for (kind, cause, state) in states {
        let closed = story
            .send("outcome", json!({"kind": kind, "cause": cause}))
            .await;
        assert_eq!(closed["state"], state, "{kind}");
    }
    let stale = test
        .post_json(&path, &json!({"kind": "solved", "revision": 1}))
        .await;
    assert_eq!(stale.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_case_is_closed_with_the_form() {
    let test = start().await;
    let story = Story::open(&test, TEXT).await;
    let form = story.page("/outcome").await;
    assert!(form.contains("value=\"upgrade-lost-nginx\""), "{form}");
    let path = format!("/cases/{}/outcome", story.id);
    for fields in ["kind=", "kind=solved&cause=nonsense&note=kept+words"] {
        let refused = test.post(&path, FORM, fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains("role=\"alert\""));
    }
    let late = test.post(&path, FORM, "kind=given_up&revision=7").await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    let sent = test
        .post(
            &path,
            FORM,
            "kind=worked_around&cause=upgrade-lost&revision=1",
        )
        .await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    assert_eq!(story.now().await["state"], "worked_around");
    assert!(story.page("").await.contains("It works by another way"));
}

#[tokio::test]
async fn every_stage_can_be_looked_at_again() {
    let test = start().await;
    let story = Story::open(&test, TEXT).await;
    let first = story.now().await;
    let second = story.answer("past-the-proxy", "works").await;
    let third = story.paste("connect ECONNREFUSED").await;
    for (revision, then) in [(1, &first), (2, &second), (3, &third)] {
        let path = format!("{}?revision={revision}", story.place);
        let again = test.get(&path).await.json();
        assert_eq!(again["diagnosis"], then["diagnosis"], "{revision}");
        assert_eq!(again["revision"], revision);
        let page = story.page(&format!("?revision={revision}")).await;
        assert_eq!(page.contains("class=\"paste\""), revision == 3);
        assert_eq!(page.contains("How it stands now"), revision != 3);
    }
    for missing in ["0", "4", "-1"] {
        let path = format!("{}?revision={missing}", story.place);
        assert_eq!(test.get(&path).await.status, StatusCode::NOT_FOUND);
    }
    for missing in ["0", "4", "x", ""] {
        let path = format!("/cases/{}?revision={missing}", story.id);
        let answer = test.get(&path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{missing}");
    }
    let change = &third["timeline"][1];
    assert_eq!(change["before"]["cause"], "upgrade-lost");
    assert_eq!(change["after"]["cause"], "upgrade-lost");
    assert!(change["after"]["probability"].as_f64() > change["before"]["probability"].as_f64());
}

#[tokio::test]
async fn what_was_ruled_out_is_named_with_what_did_it() {
    let test = start().await;
    // A status alone leaves two causes; that it works past the proxy leaves one.
    let story = Story::open(&test, "Unexpected response code: 403").await;
    let first = story.now().await;
    assert!(probability(&first, "origin-refused") > 0.1, "{first}");
    let second = story.answer("past-the-proxy", "works").await;
    let ruled_out = second["ruled_out"].as_array().expect("a list");
    if let Some(one) = ruled_out
        .iter()
        .find(|one| one["cause"] == "origin-refused")
    {
        assert_eq!(one["entry"], "2");
        assert_eq!(one["finding"], "works-directly");
        assert!(one["from"].as_f64() > one["to"].as_f64());
        assert!(story.page("").await.contains("Ruled out, and by what"));
    } else {
        let left = probability(&second, "origin-refused");
        assert!(left >= 0.01, "fell to {left} and is not named");
    }
    // A cause that became likely again is not ruled out.
    let back = story.delete("2").await.json();
    assert_eq!(back["ruled_out"], json!([]));
}

#[tokio::test]
async fn a_late_answer_shows_what_changed_and_is_offered_again() {
    let test = start().await;
    let story = Story::open(&test, TEXT).await;
    story.answer("past-the-proxy", "works").await;
    let late = json!({"step": "past-the-proxy", "answer": "fails", "revision": 1});
    let path = format!("{}/answers", story.place);
    let refused = test.post_json(&path, &late).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert_eq!(refused.json()["revision"], 2);

    let fields = "step=past-the-proxy&answer=fails&revision=1";
    let page = test
        .post(&format!("/cases/{}/answers", story.id), FORM, fields)
        .await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    for shown in [
        "Does it work past the proxy? It works",
        "name=\"revision\" value=\"2\"",
        "name=\"answer\" value=\"fails\"",
        "It fails too",
    ] {
        assert!(page.body.contains(shown), "{shown} in {}", page.body);
    }
    assert_eq!(story.now().await["revision"], 2, "nothing was taken over");
    let again = "step=past-the-proxy&answer=fails&revision=2";
    let sent = test
        .post(&format!("/cases/{}/answers", story.id), FORM, again)
        .await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
    assert_eq!(story.now().await["revision"], 3);
}

/// "yes" in the field for pastes is the answer to the step that asks, not evidence of which nothing is
/// understood.
#[tokio::test]
async fn a_short_reply_is_the_answer_to_the_step() {
    let test = start().await;
    let story = Story::open(&test, TEXT).await;
    let step = story.now().await["diagnosis"]["next_step"].clone();
    let answer = &step["answers"][0];
    let path = format!("{}/evidence", story.place);
    let reply = json!({"text": answer["title"], "revision": 1});
    let case = test.post_json(&path, &reply).await.json();
    let last = case["timeline"].as_array().and_then(|all| all.last());
    let last = last.expect("an entry");
    assert_ne!(last["kind"], "evidence", "{last}");
    let more = json!({"text": "yes, but nobody knows why", "revision": 2});
    let case = test.post_json(&path, &more).await.json();
    let last = case["timeline"].as_array().and_then(|all| all.last());
    assert_eq!(last.expect("an entry")["kind"], "evidence");
}

#[tokio::test]
async fn two_people_at_once_lose_nothing() {
    let test = start().await;
    let story = Story::open(&test, TEXT).await;
    let path = format!("{}/answers", story.place);
    // Many answer the same revision: one is taken, the others are told.
    let body = json!({"step": "past-the-proxy", "answer": "works", "revision": 1});
    let sent = (0..8).map(|_| test.post_json(&path, &body));
    let statuses: Vec<StatusCode> = futures_of(sent).await.iter().map(|a| a.status).collect();
    let of = |status| statuses.iter().filter(|one| **one == status).count();
    assert_eq!(of(StatusCode::OK), 1, "{statuses:?}");
    assert_eq!(of(StatusCode::CONFLICT), 7, "{statuses:?}");
    assert_eq!(story.now().await["revision"], 2);

    // Whoever names no revision is added to whatever is there.
    let place = format!("/cases/{}/answers", story.id);
    let sent = (0..8).map(|_| test.post(&place, FORM, "step=past-the-proxy&answer=cannot-tell"));
    let answers = futures_of(sent).await;
    assert!(answers.iter().all(|a| a.status == StatusCode::SEE_OTHER));
    assert_eq!(story.now().await["revision"], 10);

    // Answers are taken back while others are given.
    let back = story.delete("2");
    let more = test.post(&place, FORM, "step=past-the-proxy&answer=fails");
    let (back, more) = tokio::join!(back, more);
    assert_eq!(
        (back.status, more.status),
        (StatusCode::OK, StatusCode::SEE_OTHER)
    );
    let now = story.now().await;
    assert_eq!(now["revision"], 12);
    assert_eq!(now["timeline"].as_array().expect("a list").len(), 12);
}

/// All at once.
async fn futures_of<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in waiting.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(output) = future.as_mut().poll(context)
            {
                *done = Some(output);
            }
        }
        match done.iter().all(Option::is_some) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[tokio::test]
async fn contradicting_answers_are_named_and_the_newest_counts() {
    let test = start().await;
    let story = Story::open(&test, TEXT).await;
    let works = story.answer("past-the-proxy", "works").await;
    assert_eq!(works["contradictions"], json!([]));
    let both = story.answer("past-the-proxy", "fails").await;
    let contradiction = &both["contradictions"][0];
    assert_eq!(contradiction["key"], "works.directly");
    let values = &contradiction["values"];
    assert_eq!(
        values[0],
        json!({"value": "yes", "entry": "2", "from": "answer", "counts": false})
    );
    assert_eq!(
        values[1],
        json!({"value": "no", "entry": "3", "from": "answer", "counts": true})
    );
    let page = story.page("").await;
    assert!(page.contains("This does not fit together"), "{page}");

    // The same as if only the newest had been given.
    let other = Story::open(&test, TEXT).await;
    let alone = other.answer("past-the-proxy", "fails").await;
    assert_eq!(
        probability(&both, "upgrade-lost"),
        probability(&alone, "upgrade-lost")
    );
    story.delete("3").await;
    let back = story.now().await;
    assert_eq!(back["contradictions"], json!([]));
    assert_eq!(back["diagnosis"], works["diagnosis"]);
}

#[tokio::test]
async fn an_answer_against_a_callers_facts_is_named_and_both_count() {
    let test = start().await;
    let story = Story::open(&test, TEXT).await;
    let facts = json!({"facts": [{"key": "works.directly", "value": "yes"}]});
    story.send("evidence", facts).await;
    let both = story.answer("past-the-proxy", "fails").await;
    let values = &both["contradictions"][0]["values"];
    assert_eq!(values[0]["from"], "stated");
    assert_eq!(values[0]["counts"], true);
    assert_eq!(values[1]["from"], "answer");
}

#[tokio::test]
async fn two_faults_show_what_was_seen_of_both() {
    let test = TestApp::start().await;
    let text = "curl: (60) SSL certificate problem: certificate has expired\n\
                $ curl -k -i -H 'Connection: Upgrade' -H 'Upgrade: websocket' \
                https://chat.example.org/live\nHTTP/1.1 426 Upgrade Required\nServer: nginx\n";
    let story = Story::open(&test, text).await;
    let case = story.now().await;
    let also = &case["diagnosis"]["also"][0];
    assert_eq!(also["cause"], "proxy-upgrade-not-forwarded");
    let seen = also["symptoms"].as_array().expect("symptoms");
    assert!(seen.contains(&json!("handshake-status-426")), "{also}");
    let page = story.page("").await;
    let seen = page.find("id=\"seen\"").expect("what was seen");
    let (first, second) = (
        page[seen..].find("certificate has expired"),
        page[seen..].find("status 426"),
    );
    assert!(first.is_some() && second.is_some(), "{page}");
}

#[test]
fn what_a_probe_saw_is_not_taken_for_a_statement() {
    let probed = Probed {
        url: "wss://app.example/live".to_owned(),
        origin: None,
        subprotocols: Vec::new(),
        hold_seconds: 0,
        started_at: Timestamp::default(),
        stages: Vec::new(),
        variants: Vec::new(),
        browser: None,
    };
    let entry = Entry::of_probe(Timestamp::default(), probed, Evidence::default());
    assert_eq!(Source::of_statement(&entry).as_str(), "probe");
}

#[tokio::test]
async fn a_fix_that_helps_is_proven_and_closes_the_case() {
    let test = start().await;
    let story = Story::open(&test, TEXT).await;
    let applied = story.answer("upgrade-lost-nginx", "applied").await;
    assert_eq!(applied["state"], "verifying");
    assert_eq!(applied["verification"]["result"], "pending");
    assert_eq!(applied["verification"]["fix"], "upgrade-lost-nginx");
    assert_eq!(
        applied["diagnosis"]["next_step"]["title"],
        "See whether it works now"
    );

    let healthy = story.paste("socket opened").await;
    assert_eq!(healthy["state"], "verifying");
    assert_eq!(healthy["verification"]["result"], "healthy", "{healthy}");
    assert_eq!(healthy["diagnosis"]["verdict"]["kind"], "healthy");
    assert_eq!(
        healthy["ruled_out"],
        json!([]),
        "it was removed, not ruled out"
    );
    let offered = &healthy["diagnosis"]["next_step"]["answers"][0]["id"];
    assert_eq!(offered, "close-as-solved");
    let bundle = test
        .get(&format!("/cases/{}/handover.json", story.id))
        .await
        .json();
    assert_eq!(bundle["ruled_out"], json!([]));
    let page = story.page("").await;
    for shown in ["It works after the fix", "Before the fix", "After the fix"] {
        assert!(page.contains(shown), "{shown}");
    }
    assert!(story.replay().await);
    let closed = story.answer("upgrade-lost-nginx", "close-as-solved").await;
    assert_eq!(closed["state"], "solved");
    assert_eq!(closed["outcome"]["cause"], "upgrade-lost-nginx");
    assert_eq!(closed["diagnosis"]["next_step"]["id"], "closed");

    // The failure comes back: the fix did not remove its cause.
    let before = probability(&applied, "upgrade-lost");
    let again = story.paste(TEXT).await;
    assert_eq!(again["state"], "open");
    assert_eq!(again["verification"]["result"], "same_failure");
    assert!(probability(&again, "upgrade-lost") < before);
    assert_eq!(test.app.learned().await.expect("learned").confirmations, []);
}

#[tokio::test]
async fn a_fix_in_vain_lowers_its_cause_and_older_evidence_counts() {
    let test = start().await;
    let story = Story::open(&test, TEXT).await;
    let before = probability(&story.now().await, "upgrade-lost");
    story.answer("upgrade-lost", "applied").await;
    let again = story.paste(TEXT).await;
    assert_eq!(again["verification"]["result"], "same_failure");
    assert_eq!(again["state"], "open");
    let after = probability(&again, "upgrade-lost");
    assert!(after < before, "{before} -> {after}");
    let page = story.page("").await;
    assert!(page.contains("The same failure as before"));
    assert!(
        page.contains("its fix was applied and it fails still"),
        "{page}"
    );

    // The same by a button, without another paste.
    let other = Story::open(&test, TEXT).await;
    let told = other.answer("upgrade-lost", "still-fails").await;
    assert_eq!(told["verification"]["result"], "same_failure");
    assert!(probability(&told, "upgrade-lost") < before);
    let back = other.delete("2").await.json();
    assert_eq!(probability(&back, "upgrade-lost"), before);
    assert!(back["verification"].is_null());
    assert!(story.replay().await && other.replay().await);
}

#[tokio::test]
async fn another_failure_after_a_fix_is_progress_and_stands_alone() {
    let test = start().await;
    let story = Story::open(&test, TEXT).await;
    story.answer("upgrade-lost", "applied").await;
    let other = story.paste("connect ECONNREFUSED").await;
    assert_eq!(other["verification"]["result"], "different_failure");
    assert_eq!(other["state"], "open");
    assert_eq!(other["diagnosis"]["causes"][0]["id"], "server-down");
    let facts = other["diagnosis"]["facts"].to_string();
    assert!(
        !facts.contains("400"),
        "what was before does not count: {facts}"
    );
    assert!(story.page("").await.contains("that is progress"));
    // A word of nothing proves nothing.
    let vague = Story::open(&test, TEXT).await;
    vague.answer("upgrade-lost", "applied").await;
    let unclear = vague.paste("the cat sat on the mat").await;
    assert_eq!(unclear["verification"]["result"], "unclear");
    assert_eq!(unclear["state"], "verifying");
    let works = vague.answer("upgrade-lost", "it-works-now").await;
    assert_eq!(works["verification"]["result"], "healthy");
    // A word is enough to close it, and it can be taken back.
    let word = Story::open(&test, TEXT).await;
    let works = word.answer("upgrade-lost", "it-works-now").await;
    assert_eq!(works["ruled_out"], json!([]), "it was removed here too");
    assert_eq!(works["diagnosis"]["verdict"]["kind"], "healthy");
    assert!(
        works["diagnosis"]["path"]
            .as_array()
            .expect("a path")
            .iter()
            .all(|s| s["state"] == "ok")
    );
    assert!(word.replay().await);
    assert_eq!(word.delete("2").await.json()["state"], "open");
    // The button on a cause's page begins the same.
    let page = test
        .get(&format!("/causes/server-down?case={}", word.id))
        .await;
    assert!(page.body.contains("value=\"applied\""), "{}", page.body);
    let sent = test
        .post(
            &format!("/cases/{}/answers", word.id),
            FORM,
            "step=server-down&answer=applied",
        )
        .await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
    assert_eq!(word.now().await["verification"]["fix"], "server-down");
}

#[test]
fn real_failures_are_told_apart_after_a_fix() {
    const LINE: &str = "WebSocket connection to 'wss://app.example/ws' failed: Error during \
                        WebSocket handshake: Unexpected response code: ";
    let graph = ENGINE.graph();
    let before = diagnose(&format!("{LINE}400\nServer: nginx"));
    let fixed = "proxy-upgrade-not-forwarded";
    for (text, result) in [
        (format!("{LINE}400\nServer: nginx"), FixResult::Same),
        (format!("{LINE}403"), FixResult::Different),
        (
            "WebSocket connection to 'wss://app.example/ws' failed: Error in connection \
             establishment: net::ERR_NAME_NOT_RESOLVED"
                .to_owned(),
            FixResult::Different,
        ),
        (
            "HTTP/1.1 101 Switching Protocols".to_owned(),
            FixResult::Healthy,
        ),
        ("hello there".to_owned(), FixResult::Unclear),
    ] {
        let after = diagnose(&text);
        assert_eq!(compare(graph, fixed, &before, &after), result, "{text}");
    }
}

#[tokio::test]
async fn confirmed_causes_teach_and_are_forgotten() {
    let test = start().await;
    let hash = test.app.engine().hash().to_owned();
    let open = Story::open(&test, "Unexpected response code: 418").await;
    let before = probability(&open.now().await, "origin-refused");
    for kind in [
        "solved",
        "wrong_diagnosis",
        "worked_around",
        "given_up",
        "handed_over",
    ] {
        let story = Story::open(&test, TEXT).await;
        story
            .send("outcome", json!({"kind": kind, "cause": "origin-refused"}))
            .await;
    }
    let learned = test.app.learned().await.expect("learned");
    assert_eq!(
        learned.confirmations.len(),
        3,
        "what was given up proves nothing"
    );
    assert_ne!(test.app.engine().hash(), hash);
    let after = probability(&open.now().await, "origin-refused");
    assert!(after > before, "{before} -> {after}");
    assert!(
        !open.replay().await,
        "replay sees that the knowledge changed"
    );
    let replayed = test.app.replay(&open.id).await.expect("a replay");
    assert!(replayed.then.contains_key(&hash));
    assert_ne!(replayed.now.learned, replayed.then[&hash].learned);
    assert!(!replayed.revisions[0].shifts().is_empty());

    // It survives a restart, and a reset takes it away.
    let id = open.id.clone();
    let test = test.restart_with(&small_knowledge()).await;
    assert_ne!(test.app.engine().hash(), hash);
    assert_eq!(test.app.forget_learned().await.expect("a reset"), 3);
    assert_eq!(test.app.engine().hash(), hash);
    let replayed = test.app.replay(&id).await.expect("a replay");
    assert!(replayed.revisions.iter().all(|one| one.is_identical()));
}

#[test]
fn learning_cannot_drown_strong_evidence() {
    let text = "WebSocket connection to 'wss://app.example/ws' failed: Error in connection \
                establishment: net::ERR_CERT_DATE_INVALID";
    let evidence = [Evidence {
        text: Some(text.to_owned()),
        ..Evidence::default()
    }];
    let confirmed = vec!["proxy-upgrade-not-forwarded"; 1000];
    let learned = LearnedPriors::of(confirmed.into_iter());
    let engine = ENGINE.with_other_priors(learned);
    let diagnosis = engine.diagnose(&evidence);
    assert_eq!(diagnosis.causes[0].id, "tls-cert-expired");
    assert!(
        diagnosis.causes[0].probability > 0.5,
        "{:?}",
        diagnosis.causes[0]
    );
    assert_ne!(diagnosis.knowledge.hash, ENGINE.hash());
    // Where the evidence leaves it open, what is frequent here comes first.
    let vague = [Evidence {
        text: Some("WebSocket closed with code 1006".to_owned()),
        ..Evidence::default()
    }];
    let of = |engine: &Engine| {
        let found = engine.diagnose(&vague);
        found
            .causes
            .iter()
            .find(|cause| cause.id == "proxy-upgrade-not-forwarded")
            .map_or(0.0, |cause| cause.probability)
    };
    assert!(of(&engine) > of(&ENGINE));
}

#[tokio::test]
async fn a_case_whose_cause_left_the_knowledge_still_opens() {
    let test = start().await;
    let story = Story::open(&test, TEXT).await;
    story.answer("past-the-proxy", "works").await;
    story.answer("upgrade-lost-nginx", "applied").await;
    story.paste("socket opened").await;
    story.answer("upgrade-lost-nginx", "close-as-solved").await;
    let open = Story::open(&test, TEXT).await;
    open.answer("upgrade-lost", "still-fails").await;
    let ids = [story.id.clone(), open.id.clone()];
    let left: Vec<_> = small_knowledge()
        .into_iter()
        .filter(|file| !file.name.contains("upgrade-lost") && !file.name.contains("checks/"))
        .map(|mut file| {
            file.text = file.text.replace("checks = [\"past-the-proxy\"]\n", "");
            file
        })
        .collect();
    let test = test.restart_with(&left).await;
    assert!(test.app.engine().graph().cause("upgrade-lost").is_none());
    for id in &ids {
        for rest in [
            "",
            "?revision=1",
            "?revision=2",
            "/handover",
            "/outcome",
            "/handover.md",
        ] {
            let path = format!("/cases/{id}{rest}");
            let answer = test.get(&path).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}");
        }
        let case = test.get(&format!("/api/v1/cases/{id}")).await;
        assert_eq!(case.status, StatusCode::OK);
        let replayed = test.app.replay(id).await.expect("a replay");
        assert!(replayed.revisions.iter().any(|one| !one.is_identical()));
    }
    let closed = test.get(&format!("/cases/{}", ids[0])).await.body;
    assert!(closed.contains("upgrade-lost-nginx"), "by its id");
}

#[tokio::test]
async fn the_bundle_holds_everything_and_nothing_live() {
    let test = start().await;
    let hostile = format!("{TEXT}[x](javascript:x) <img src=x> @everyone ``` # zqx\n");
    let story = Story::open(&test, &hostile).await;
    story.answer("past-the-proxy", "works").await;
    let page = story.page("/handover").await;
    for shown in [
        "Message to the user",
        "whoever runs the server",
        "What was seen",
        "wss://app.example:8443/live",
    ] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    assert!(!page.contains("<img") && !page.contains("s3cr3tTOKENvalue"));
    let markdown = test.get(&format!("/cases/{}/handover.md", story.id)).await;
    assert!(markdown.header("content-type").starts_with("text/markdown"));
    assert_eq!(markdown.header("cache-control"), "no-store");
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, pulldown_cmark::Parser::new(&markdown.body));
    let code = regex::Regex::new(r"(?s)<code[^>]*>.*?</code>").expect("regex");
    let outside = code.replace_all(&html, "");
    for live in ["<a ", "<img", "@everyone", "https://", "zqx"] {
        assert!(!outside.contains(live), "{live} in {outside}");
    }
    assert!(markdown.body.contains("Raw facts") && markdown.body.contains("handshake.status"));
    let bundle = test
        .get(&format!("/cases/{}/handover.json", story.id))
        .await
        .json();
    assert_eq!(bundle["team"], "server-admin");
    assert_eq!(bundle["case"]["id"], story.id);
    assert!(bundle["expected_minutes"].is_number());
    for message in ["team", "user"] {
        assert!(
            bundle["messages"][message]
                .as_str()
                .is_some_and(|text| text.len() > 50)
        );
    }
}

/// Runs the program on a database that nobody serves.
fn run(database: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_wsdoctor"))
        .args(arguments)
        .args(["--database", database])
        .output()
        .expect("the program");
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), text)
}

#[tokio::test]
async fn cases_are_listed_shown_exported_and_replayed_on_the_command_line() {
    let test = TestApp::knowing(Settings::default(), &shipped()).await;
    let line = "WebSocket connection to 'wss://app.example/ws' failed: Error during WebSocket \
                handshake: Unexpected response code: 400";
    let open = Story::open(&test, line).await;
    let closed = Story::open(&test, line).await;
    closed.answer("upgrade-past-the-proxy", "101").await;
    let (first, second) = (open.id.clone(), closed.id.clone());
    test.app.close().await;
    let database = address(&test.folder.path().join("test.db"));

    let (code, text) = run(&database, &["case", "replay", &second]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("Identical: 2 revisions"), "{text}");

    // Something is learnt, and the same is not said any more.
    let test = test.restart_with(&shipped()).await;
    let story = Story {
        test: &test,
        place: format!("/api/v1/cases/{second}"),
        id: second.clone(),
    };
    let cause = "proxy-upgrade-not-forwarded";
    let outcome = json!({"kind": "wrong_diagnosis", "cause": cause});
    story.send("outcome", outcome).await;
    test.app.close().await;
    let (code, text) = run(&database, &["case", "replay", &first]);
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains(&format!("learned of {cause}: 0.00 -> 1.00")),
        "{text}"
    );
    assert!(text.contains("Revision 1: not the same"), "{text}");

    let (code, text) = run(&database, &["case", "list"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains(&first) && text.contains(&second), "{text}");
    let (_, text) = run(
        &database,
        &["case", "list", "--state", "solved", "--format", "json"],
    );
    let listed: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    assert_eq!(listed[0]["id"], second);
    assert_eq!(
        run(&database, &["case", "list", "--state", "finished"]).0,
        Some(2)
    );
    let (code, text) = run(&database, &["case", "show", "1"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("Opened with 1 line") && text.contains("Next:"),
        "{text}"
    );
    assert!(
        run(&database, &["case", "export", &first])
            .1
            .starts_with("# Hand-over")
    );
    let (_, text) = run(&database, &["case", "export", &second, "--format", "json"]);
    let bundle: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(bundle["case"]["state"], "solved");
    assert_eq!(run(&database, &["case", "show", "nonsense"]).0, Some(1));

    let (_, text) = run(&database, &["knowledge", "stats"]);
    assert!(
        text.contains(&format!("{cause}: 1 cases, weight 1.00")),
        "{text}"
    );
    let (_, text) = run(&database, &["knowledge", "stats", "--reset-learning"]);
    assert!(text.contains("forgot what 1 closed cases taught"), "{text}");
    let (code, text) = run(&database, &["case", "replay", &first]);
    assert_eq!(code, Some(0), "{text}");
}
