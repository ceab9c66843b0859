//! Probes against hostile peers of our own: outcome, facts, first cause, and that nothing is
//! connected to that the policy refuses.

mod certificates;
mod peers;
mod reports;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;

use wsdoctor::case::{Report, StageKind, StageState};
use wsdoctor::engine::diagnosis::VerdictKind;
use wsdoctor::engine::{Diagnosis, Engine};
use wsdoctor::probe::policy::{Allowed, Policy, Refusal, Rule};
use wsdoctor::probe::{Event, Limits, NameError, Order, Prober, Resolve};

use peers::{Peer, Script};

/// Small times, so that silence does not take long; wide enough for a loaded machine.
fn limits() -> Limits {
    Limits {
        budget: Duration::from_secs(6),
        tls: Duration::from_millis(1500),
        upgrade: Duration::from_millis(1500),
        websocket: Duration::from_millis(1500),
        watch: Duration::from_millis(150),
        ..Limits::default()
    }
}

fn own() -> Policy {
    Policy {
        allow_private: true,
        ..Policy::default()
    }
}

fn prober() -> Prober {
    Prober::new(own(), limits())
}

async fn run(prober: &Prober, order: &Order) -> Result<Report, Refusal> {
    let (events, mut happened) = mpsc::unbounded_channel();
    let report = prober.run(order, &events).await;
    drop(events);
    let mut ended = 0;
    while let Some(event) = happened.recv().await {
        ended += usize::from(matches!(event, Event::Ended(_)));
    }
    if report.is_ok() {
        assert_eq!(ended, 5, "every stage is told of once");
    }
    report
}

fn engine() -> &'static Engine {
    &crate::support::ENGINE
}

fn has(report: &Report, key: &str, value: &str) -> bool {
    report
        .all_facts()
        .iter()
        .any(|fact| fact.key == key && fact.value == value && fact.vantage == "server")
}

fn diagnosed(report: &Report) -> Diagnosis {
    engine().diagnose(&[report.evidence()])
}

/// Probes a peer and looks for a fact and the likeliest cause.
async fn check(script: Script, facts: &[(&str, &str)], cause: &str) -> Report {
    let peer = Peer::start(script.clone()).await;
    let order = Order {
        origin: script.origin(),
        subprotocols: script.subprotocols(),
        hold: script.hold(),
        ..Order::of(format!("ws://{}/ws", peer.address))
    };
    let report = run(&prober(), &order).await.expect("allowed");
    for (key, value) in facts {
        assert!(
            has(&report, key, value),
            "{script:?}: {key} = {value}\n{report:#?}"
        );
    }
    let diagnosis = diagnosed(&report);
    let first = diagnosis.causes.first().expect("causes");
    assert_eq!(first.id, cause, "{script:?}\n{report:#?}");
    report
}

#[tokio::test]
async fn a_healthy_server_is_found_healthy() {
    let peer = Peer::start(Script::Healthy).await;
    let order = Order::of(format!("ws://{}/ws", peer.address));
    let report = run(&prober(), &order).await.expect("allowed");
    for kind in [StageKind::Tcp, StageKind::Upgrade, StageKind::Websocket] {
        let stage = report.stage(kind).expect("stage");
        assert_eq!(stage.state, StageState::Ok, "{report:#?}");
    }
    assert_eq!(
        diagnosed(&report).verdict,
        VerdictKind::Healthy,
        "{report:#?}"
    );
}

#[tokio::test]
async fn refusals_are_told_by_their_status() {
    for (status, extra, body, cause) in [
        (
            "301 Moved",
            "Location: https://127.0.0.1/ws\r\n",
            "",
            "handshake-redirect",
        ),
        ("401 Unauthorized", "", "", "handshake-auth"),
        ("404 Not Found", "", "", "handshake-route-missing"),
        ("429 Too Many Requests", "", "", "handshake-rate-limited"),
        ("431 Too Large", "", "", "proxy-body-or-header-limit"),
        (
            "500 Internal Server Error",
            "",
            "",
            "handshake-server-error",
        ),
        (
            "502 Bad Gateway",
            "Server: nginx\r\n",
            "",
            "proxy-upstream-down",
        ),
        (
            "504 Gateway Timeout",
            "Server: nginx\r\n",
            "",
            "proxy-upstream-timeout",
        ),
        (
            "426 Upgrade Required",
            "Server: nginx\r\n",
            "",
            "proxy-upgrade-not-forwarded",
        ),
        (
            "400 Bad Request",
            "Server: nginx\r\n",
            "<html>The plain HTTP request was sent to HTTPS port</html>",
            "client-wrong-scheme",
        ),
    ] {
        let script = Script::Answer {
            status,
            extra,
            body,
        };
        let code = &status[..3];
        check(script, &[("handshake.status", code)], cause).await;
    }
}

#[tokio::test]
async fn answers_that_are_none_are_told_apart() {
    check(
        Script::Silence,
        &[("handshake.answer", "timed-out")],
        "handshake-timeout",
    )
    .await;
    check(
        Script::Reset,
        &[("handshake.answer", "reset")],
        "tcp-reset-by-peer",
    )
    .await;
    check(
        Script::Drip,
        &[("handshake.answer", "timed-out")],
        "handshake-timeout",
    )
    .await;
    check(
        Script::Greeting,
        &[("handshake.answer", "other-service")],
        "tcp-wrong-port",
    )
    .await;
    check(
        Script::EndlessHeader,
        &[("handshake.header", "endless")],
        "proxy-body-or-header-limit",
    )
    .await;
    check(
        Script::Garbage,
        &[("handshake.answer", "not-http")],
        "tcp-wrong-port",
    )
    .await;
}

#[tokio::test]
async fn faults_of_a_101_are_named() {
    let switched = |extra, accept| Script::Switched { extra, accept };
    check(
        switched("", Some("AAAA")),
        &[("handshake.fault", "accept-wrong")],
        "handshake-accept-mismatch",
    )
    .await;
    check(
        switched("Sec-WebSocket-Extensions: x-unknown\r\n", None),
        &[("handshake.fault", "extension-unexpected")],
        "handshake-extension",
    )
    .await;
    check(
        switched("Sec-WebSocket-Protocol: other\r\n", None),
        &[("handshake.fault", "subprotocol-unexpected")],
        "handshake-subprotocol",
    )
    .await;
}

#[tokio::test]
async fn what_happens_on_the_open_connection_is_told() {
    let closes = |code, reason| Script::Closes { code, reason };
    check(
        closes(1008, "policy"),
        &[("close.code", "1008")],
        "session-policy",
    )
    .await;
    check(
        closes(1011, ""),
        &[("close.code", "1011")],
        "session-server-exception",
    )
    .await;
    check(
        closes(4401, "unauthorized"),
        &[("close.code", "4401")],
        "session-auth-expired",
    )
    .await;
    check(
        Script::Frames(b"\x81\x81aaaab"),
        &[("session.fault", "mask")],
        "session-protocol-error",
    )
    .await;
    check(
        Script::Frames(b"\x83\x01a"),
        &[("session.fault", "opcode")],
        "session-protocol-error",
    )
    .await;
    check(
        Script::IdleCut,
        &[("session.idle", "yes")],
        "proxy-idle-timeout",
    )
    .await;
}

#[tokio::test]
async fn what_flips_the_result_is_the_evidence() {
    let report = check(
        Script::RefusesOrigin,
        &[("origin.compared", "only-without")],
        "handshake-origin-rejected",
    )
    .await;
    assert!(
        report
            .variants
            .iter()
            .any(|variant| variant.id == "without-origin" && variant.accepted)
    );
    check(
        Script::WantsSlash,
        &[("path.compared", "only-other-slash")],
        "client-wrong-path",
    )
    .await;
    check(
        Script::RefusesDeflate,
        &[("deflate.compared", "only-without")],
        "handshake-extension",
    )
    .await;
    check(
        Script::RefusesSubprotocol,
        &[("subprotocol.compared", "only-without")],
        "handshake-subprotocol",
    )
    .await;
}

#[tokio::test]
async fn nothing_listening_is_told() {
    let address = peers::free_address().await;
    let order = Order::of(format!("ws://{address}/"));
    let report = run(&prober(), &order).await.expect("allowed");
    assert!(has(&report, "tcp.connect", "refused"));
    assert_eq!(diagnosed(&report).causes[0].id, "tcp-server-not-running");
}

/// Answers as it was told, and counts how often it was asked.
struct Told {
    answers: Vec<Result<Vec<IpAddr>, NameError>>,
    asked: AtomicUsize,
}

impl Told {
    fn new(answers: Vec<Result<Vec<IpAddr>, NameError>>) -> Arc<Self> {
        Arc::new(Told {
            answers,
            asked: AtomicUsize::new(0),
        })
    }
}

#[async_trait]
impl Resolve for Told {
    async fn resolve(&self, _: &str) -> Result<Vec<IpAddr>, NameError> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        self.answers[number.min(self.answers.len() - 1)].clone()
    }
}

fn loopback() -> IpAddr {
    "127.0.0.1".parse().expect("address")
}

#[tokio::test]
async fn a_refused_probe_opens_no_connection() {
    let peer = Peer::start(Script::Healthy).await;
    let port = peer.address.port();
    let resolver = Told::new(vec![Ok(vec![loopback()])]);
    let strict = Prober::new(Policy::default(), limits()).with_resolver(resolver);
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "１２７.0.0.1",
        "[::ffff:127.0.0.1]",
        "localhost",
        "public.example",
        "public.example.",
    ] {
        for scheme in ["ws", "wss", "http", "https"] {
            let order = Order {
                all: true,
                ..Order::of(format!("{scheme}://{host}:{port}/"))
            };
            let refusal = run(&strict, &order).await.expect_err(host);
            assert_eq!(
                refusal.rule.map(Rule::as_str),
                Some("loopback-address"),
                "{host}"
            );
        }
    }
    assert_eq!(peer.connections(), 0);
    // The same listener is hit when its network is allowed.
    let allowed = Policy {
        allowed: Allowed::read(&["127.0.0.0/8"]).expect("network"),
        ..Policy::default()
    };
    let order = Order::of(format!("ws://127.0.0.1:{port}/"));
    run(&Prober::new(allowed, limits()), &order)
        .await
        .expect("allowed");
    assert!(peer.connections() > 0);
}

#[tokio::test]
async fn a_name_that_changes_its_address_is_asked_once() {
    let peer = Peer::start(Script::Healthy).await;
    // 192.0.2.1 is for documents: allowed here by its network, nobody answers there.
    let far: IpAddr = "192.0.2.1".parse().expect("address");
    let resolver = Told::new(vec![Ok(vec![far]), Ok(vec![loopback()])]);
    let policy = Policy {
        allowed: Allowed::read(&["192.0.2.0/24"]).expect("network"),
        ..Policy::default()
    };
    let quick = Limits {
        tcp: Duration::from_millis(200),
        ..limits()
    };
    let prober = Prober::new(policy.clone(), quick.clone()).with_resolver(resolver.clone());
    let order = Order {
        all: true,
        ..Order::of(format!("ws://rebinding.example:{}/", peer.address.port()))
    };
    run(&prober, &order).await.expect("allowed");
    assert_eq!(resolver.asked.load(Ordering::SeqCst), 1);
    // Of a mixed answer only the addresses that pass are connected to.
    let mixed = Told::new(vec![Ok(vec![loopback(), far])]);
    let prober = Prober::new(policy, quick).with_resolver(mixed);
    run(&prober, &order).await.expect("allowed");
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn names_that_lead_nowhere_are_told_apart() {
    for (answer, value, cause) in [
        (NameError::NotFound, "not-found", "dns-name-not-found"),
        (
            NameError::Failing("x".to_owned()),
            "failing",
            "dns-resolver-failing",
        ),
    ] {
        let prober = prober().with_resolver(Told::new(vec![Err(answer)]));
        let report = run(&prober, &Order::of("wss://a.example/"))
            .await
            .expect("allowed");
        assert!(has(&report, "dns.lookup", value));
        assert_eq!(diagnosed(&report).causes[0].id, cause);
    }
}

#[tokio::test]
async fn every_probe_ends_within_its_budget_and_its_connections() {
    for script in [
        Script::Silence,
        Script::Drip,
        Script::EndlessHeader,
        Script::Chatter,
    ] {
        let peer = Peer::start(script).await;
        let small = Limits {
            budget: Duration::from_secs(2),
            connections: 5,
            ..limits()
        };
        let order = Order {
            all: true,
            ..Order::of(format!("ws://{}/ws", peer.address))
        };
        let prober = Prober::new(own(), small);
        let running = run(&prober, &order);
        // The budget and room for a machine that is busy.
        let report = tokio::time::timeout(Duration::from_secs(12), running).await;
        report.expect("in time").expect("allowed");
        assert!(peer.connections() <= 5, "{}", peer.connections());
    }
}

#[tokio::test]
async fn a_dropped_probe_closes_its_connection() {
    let peer = Peer::start(Script::Silence).await;
    let order = Order::of(format!("ws://{}/ws", peer.address));
    let prober = prober();
    let running = run(&prober, &order);
    let dropped = tokio::time::timeout(Duration::from_millis(300), running).await;
    assert!(dropped.is_err());
    peer.all_closed().await;
}
